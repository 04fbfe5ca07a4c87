-- tree.lua FILE: writes the page of `datasession tree --html` for the sandbox's catalog.
local sandbox = require "datasession.sandbox"

local path = assert(..., "expected a file")
local server <close> = assert(sandbox.start())
assert(os.execute(("bin/datasession tree '%s' --html >'%s'"):format(server:catalogURI "anonymous", path)))
