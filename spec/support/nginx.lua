--- nginx with TLS and HTTP/2 on a free port of 127.0.0.1, with a configuration of its own.
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"
local socket = require "socket"

local nginx = {}
nginx.__index = nginx

local CONFIGURATION = [[
pid DIRECTORY/pid; error_log DIRECTORY/errors; worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path DIRECTORY/b; proxy_temp_path DIRECTORY/p; fastcgi_temp_path DIRECTORY/f;
  uwsgi_temp_path DIRECTORY/u; scgi_temp_path DIRECTORY/s;
  log_format request '$server_protocol $request_method $request_uri $status';
  server {
    listen 127.0.0.1:PORT ssl http2;
    ssl_certificate CERTIFICATE; ssl_certificate_key KEY;
    access_log DIRECTORY/requests request;
    root DIRECTORY/www;
    location = /static/home.html { return 200 ''; }
    SETTINGS
  }
}
]]

-- A port that was free just now.
local function freePort()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

--- Starts nginx. `certificate`: { certificate = file, key = file }, for 127.0.0.1; `settings`: more lines for
-- its server block.
function nginx.start(certificate, settings)
  local self = setmetatable({ directory = files.directory(), port = freePort() }, nginx)
  shell.run("chmod 755", self.directory) -- its workers have a user of their own
  shell.run("mkdir", self.directory .. "/www")
  local values = { DIRECTORY = self.directory, PORT = self.port, CERTIFICATE = certificate.certificate,
    KEY = certificate.key, SETTINGS = settings or "" }
  files.write(self.directory .. "/configuration", (CONFIGURATION:gsub("%u%u%u+", values)))
  local unsanitized = "ASAN_OPTIONS=detect_leaks=0 nginx" -- it loses a block with some configurations
  shell.run(unsanitized, "-p", self.directory, "-c", self.directory .. "/configuration")
  self.origin, self.authority = "https://127.0.0.1:" .. self.port, certificate.certificate
  return self
end

--- Creates a file that it serves.
function nginx:put(name, text)
  files.write(self.directory .. "/www/" .. name, text)
end

--- Its log: "HTTP/2.0 GET /x 200", one line a request; the last lines may come late.
function nginx:requests()
  return files.read(self.directory .. "/requests")
end

function nginx:stop()
  shell.run("kill", (files.read(self.directory .. "/pid"):gsub("%s", "")))
  files.removeDirectory(self.directory)
end

return nginx
