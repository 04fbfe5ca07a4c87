-- sandboxes.lua FILE: runs sandboxes for the specs in another process. Writes its port into FILE. Ends with
-- its first connection.
local socket = require "socket"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local wire = dofile "spec/suites/windows/wire.lua"

local servers = {}

local function methodsOf(server)
  local names = {}
  for name in pairs(getmetatable(server).__index) do names[name] = true end
  return names
end

local calls = {}

local function keep(server)
  servers[#servers + 1] = server
  return { id = #servers, methods = methodsOf(server) }
end

function calls.start(...)
  local server, message = sandbox.start(...)
  if not server then return nil, message end
  local kept = keep(server)
  kept.port, kept.origin, kept.caFile = server.port, server.origin, server.caFile
  kept.uris, kept.catalogURIs = server.uris, server.catalogURIs
  return kept
end

function calls.startFaults(...) return keep(assert(fault_server.start(...))) end

function calls.popen(command, mode) return keep(assert(io.popen(command, mode))) end

--- The numbers of the module fault_server, by name.
function calls.faultNumbers()
  local numbers = {}
  for name, value in pairs(fault_server) do
    if type(value) == "number" then numbers[name] = value end
  end
  return numbers
end

function calls.call(id, method, ...) return servers[id][method](servers[id], ...) end

local function answer(name, ...)
  local ok, source = pcall(wire.pack, pcall(calls[name], ...))
  return ok and source or wire.pack(false, source)
end

local listener = assert(socket.bind("127.0.0.1", 0))
local file = assert(io.open(arg[1], "w"))
file:write((select(2, listener:getsockname())))
file:close()

local client = assert(listener:accept())
client:setoption("tcp-nodelay", true)
local source = wire.receive(client)
while source do
  wire.send(client, answer(wire.unpack(source)))
  source = wire.receive(client)
end
