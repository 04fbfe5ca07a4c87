--- openssl s_server: serves files to GET, a connection each; for what TLS itself can be made to do.
local server = require "field.support.server"

local openssl = { program = "openssl", applications = {} }

--- @param ... more words for s_server
function openssl.new(around, name, ...)
  local self = server.new(around, "openssl-" .. name, { "TLS" })
  self.applications = openssl.applications
  self:writeSite()
  -- It serves what its working directory has.
  self:run("sh", "-c", 'cd "$1" && shift && exec openssl s_server "$@"', "sh", self.directory .. "/www",
    "-WWW", "-accept", "127.0.0.1:" .. self.port.TLS,
    "-cert", self.values.CERTIFICATE, "-key", self.values.KEY, ...)
  return self
end

return openssl
