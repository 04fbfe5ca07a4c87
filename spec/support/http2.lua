--- A server of HTTP/2 over TLS, controlled by the bodies of its requests: http2_server.lua.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local read = dofile("spec/support/files.lua").read

local http2 = {}
http2.__index = http2

--- Starts a server. `files`: a certificate for 127.0.0.1 and its key, { certificate = file, key = file }.
function http2.start(files)
  local program = child.start(read "spec/support/http2_server.lua", files.certificate, files.key)
  local port = program:line()
  local origin = "https://127.0.0.1:" .. tostring(tonumber(port) or error(port .. program:finish().output))
  return setmetatable({ program = program, origin = origin, authority = files.certificate }, http2)
end

--- A logged-in session with the server.
function http2:session(options)
  local all = { serviceURI = self.origin, caFile = self.authority, http2 = true }
  for name, value in pairs(options or {}) do all[name] = value end
  local session = datasession.new(all)
  assert(session:login():await(await.LIMIT))
  return session
end

--- Ends the server and returns its notes: "run BODY" for a request that it ran, "unrun BODY" for one that it
-- refused.
function http2:finish()
  local ended = self:session():request { path = "/", method = "POST", body = "quit" }:await(await.LIMIT)
  assert(ended)
  local lines = {}
  for line in self.program:finish().output:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

return http2
