--- nginx: static files for anonymous, Basic and bearer tokens, and Tomcat behind it for the other models.
local server = require "field.support.server"
local shell = dofile "spec/support/shell.lua"

local PORTS = { "HTTP", "TLS", "HTTPTWO", "BRIEF", "BRIEFTLS", "BRIEFTWO", "CLIENT", "CLIENTTWO", "OTHER" }

local nginx = {
  program = "nginx",
  applications = {
    { path = "anonymous", model = "anonymous", put = "uploads/" },
    { path = "basic", model = "basic", put = "uploads/" },
    { path = "bearer", model = "bearer" },
    { path = "form", model = "form", echo = "echo" },
    { path = "pages", model = "form", echo = "echo" },
    { path = "sso", model = "sso", echo = "echo" },
  },
}

--- @param tomcat the server behind it
function nginx.new(around, tomcat)
  local self = server.new(around, "nginx", PORTS)
  self.applications, self.behind = nginx.applications, tomcat
  self.values.TOMCAT, self.values.USER = tomcat.port.HTTP, around.isRoot and "user root;" or ""
  self.otherLog, self.uploads = self.directory .. "/other.log", self.directory .. "/uploads/"
  shell.run("mkdir", self.uploads)
  self:writeSite()
  self:writePasswords()
  self:configure("nginx.conf", "nginx.conf")
  self:configure("nginx-application.conf", "application.conf")
  local configuration, errors = self.directory .. "/nginx.conf", self.directory .. "/error.log"
  self:run("nginx", "-p", self.directory, "-c", configuration, "-e", errors)
  return self
end

return nginx
