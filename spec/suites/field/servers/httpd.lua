--- Apache httpd: mod_auth_form with its session in a sealed cookie, Basic, tokens.
local files = dofile "spec/support/files.lua"
local server = require "field.support.server"
local shell = dofile "spec/support/shell.lua"

local httpd = {
  program = "apache2",
  applications = {
    { path = "anonymous", model = "anonymous", echo = "echo.lua" },
    { path = "basic", model = "basic", echo = "echo.lua" },
    { path = "bearer", model = "bearer", echo = "echo.lua" },
    { path = "form", model = "form", echo = "echo.lua", changing = true },
    { path = "pages", model = "form", echo = "echo.lua", changing = true },
    { path = "sso", model = "sso", echo = "echo.lua" },
  },
}

function httpd.new(around)
  local self = server.new(around, "httpd", { "HTTP", "TLS", "HTTPTWO" })
  self.applications = httpd.applications
  self.values.MODULES = "/usr/lib/apache2/modules"
  self.values.USER = around.isRoot and "User www-data\nGroup www-data" or ""
  self.values.SEAL = ("%x%x"):format(math.random(0), math.random(0))
  self:writeSite()
  self:configure("echo.lua", "www/echo.lua")
  self:configure("tokens.lua", "www/tokens.lua")
  self:writePasswords()
  files.write(self.directory .. "/groups", "user: lua zoë\n")
  self:configure("httpd.conf", "httpd.conf")
  self:configure("httpd-application.conf", "application.conf")
  if around.isRoot then shell.run("chmod -R a+rX", self.directory) end
  self:run("apache2", "-DFOREGROUND", "-f", self.directory .. "/httpd.conf")
  return self
end

return httpd
