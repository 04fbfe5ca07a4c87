-- love.lua COMMAND [PICTURE]: starts a sandbox and runs COMMAND, which runs LÖVE, with its URI, `--check` and
-- a name for the picture. PICTURE: copies the picture there. Ends with LÖVE's exit code.
local sandbox = require "datasession.sandbox"

local NAME = "lobby.png"

local server = assert(sandbox.start())
local data = os.tmpname()
os.remove(data)
local command = ("XDG_DATA_HOME=%s HOME=%s timeout 60 %s %s --check %s"):format(data, data, arg[1],
  server.uris.form, NAME)
local ok, _, code = os.execute(command)
server:close()
if ok and arg[2] then
  ok, _, code = os.execute(("cp %s/love/datasession-lobby/%s %s"):format(data, NAME, arg[2]))
end
os.execute("rm -rf " .. data)
os.exit(ok and 0 or code)
