--- tinyproxy: a proxy for http, and by CONNECT for https, that asks for a password.
local server = require "field.support.server"
local users = require "field.support.users"

local tinyproxy = { program = "tinyproxy" }

--- @param origin the server that it may connect to
function tinyproxy.new(around, origin)
  local self = server.new(around, "tinyproxy", { "PORT" })
  self.log = self.directory .. "/tinyproxy.log"
  self.values.USER, self.values.PASSWORD = users.proxy.name, users.proxy.password
  self.values.TLS, self.values.HTTPTWO = origin.port.TLS, origin.port.HTTPTWO
  self:configure("tinyproxy.conf", "tinyproxy.conf")
  self:run("tinyproxy", "-d", "-c", self.directory .. "/tinyproxy.conf")
  return self
end

return tinyproxy
