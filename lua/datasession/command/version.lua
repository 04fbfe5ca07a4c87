--- version.

local datasession = require "datasession"
local show = require "datasession.command.show"

local version = {}

function version.version(args)
  local versions = datasession.version()
  if args.json then return show.json(versions) end
  io.stdout:write(("%s\n%s\nlibcurl %s, %s\nHTTP/2: %s\n"):format(versions.datasession, versions.lua,
    versions.curl, versions.tls or "no TLS", versions.http2 and "yes" or "no"))
end

return version
