--- Common to the servers: a directory, ports, values for their configuration, a process.
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"
local bodies = require "field.support.bodies"
local ports = require "field.support.ports"
local process = require "field.support.process"
local template = require "field.support.template"
local users = require "field.support.users"

local server = {}
server.__index = server

local LOGIN = "<form action='j_spring_security_check' method='POST'></form>"

--- A server that is not started yet.
-- @param around { directory, authority, certificate = { certificate, key }, sizes }: what the servers share
-- @param names array: what its ports are called in its configuration
function server.new(around, name, names)
  local directory = around.directory .. "/" .. name
  local self = setmetatable({ name = name, directory = directory, port = {}, around = around }, server)
  shell.run("mkdir -p", self.directory)
  self.values = {
    DIR = self.directory, TOKEN = users.token, PASSWORD = users.lua.password,
    CERTIFICATE = around.certificate.certificate, KEY = around.certificate.key,
    CA = around.authority.certificate,
  }
  self.listening = {}
  for i, key in ipairs(names) do
    local port = ports.free()
    self.port[key], self.values[key], self.listening[i] = port, port, port
  end
  self.log = self.directory .. "/access.log"
  return self
end

--- Writes a file of servers/ into its directory, its own values filled in.
function server:configure(name, path)
  template.write(name, self.directory .. "/" .. path, self.values)
end

--- The static files that it serves, in www.
function server:writeSite()
  local www = self.directory .. "/www"
  shell.run("mkdir -p", www .. "/static/auth", www .. "/rest/_oepingService", www .. "/bodies")
  files.write(www .. "/static/home.html", "<html><body>Welcome</body></html>")
  files.write(www .. "/static/auth/login.html", LOGIN)
  files.write(www .. "/static/Catalog.json", template.text("Catalog.json", {}))
  files.write(www .. "/rest/_oepingService/_oeping", '{"response":{"_retVal":""}}')
  for _, size in ipairs(self.around.sizes) do files.write(www .. "/bodies/" .. size, bodies.of(size)) end
end

-- A digest that costs little, since it is made for each request of Basic.
local function digest(password)
  local clear = files.new(password)
  local binary = clear .. ".digest"
  shell.run("openssl dgst -sha1 -binary -out", binary, clear)
  local text = shell.run("openssl base64 -in", binary)
  os.remove(clear)
  os.remove(binary)
  return "{SHA}" .. text
end

--- Users and passwords, as nginx and httpd read them.
function server:writePasswords()
  local lines = {}
  for _, name in ipairs { "lua", "utf8", "guest" } do
    local user = users[name]
    lines[#lines + 1] = user.name .. ":" .. digest(user.password)
  end
  files.write(self.directory .. "/passwords", table.concat(lines))
end

--- Starts the program with those words; when it listens, returns.
function server:run(...)
  self.process = process.new(self.name, self.directory, { ... }, self.listening)
  self:start()
end

function server:start()
  self.process:start()
end

function server:stop()
  if self.process then self.process:stop() end
end

return server
