-- datasession.sandbox and the specs' fault_server for a client on Windows: their servers run in another
-- process, sandboxes.lua.
local peers = require "peer"

local wire = dofile "spec/suites/windows/wire.lua"

local sandbox = {}

local peer

--- Connects with sandboxes.lua.
function sandbox.connect(port)
  peer = peers.connect(port)
end

local function passed(ok, ...)
  if not ok then error((...), 3) end
  return ...
end

local function call(...)
  wire.send(peer, wire.pack(...))
  return passed(wire.unpack(assert(wire.receive(peer), "the sandboxes' process has ended")))
end

local mt = { __name = "datasession.sandbox" }

function mt.__index(server, name)
  if rawget(server, "methods")[name] then
    return function(self, ...) return call("call", self.id, name, ...) end
  end
end

function mt.__close(server) server:close() end

function sandbox.start(...)
  local server, message = call("start", ...)
  if not server then return nil, message end
  return setmetatable(server, mt)
end

--- A pipe from or to a command of the other system.
function sandbox.popen(command, mode)
  return setmetatable(call("popen", command, mode), mt)
end

--- The module fault_server.
function sandbox.faultServer()
  local module = call "faultNumbers"
  function module.start(...) return setmetatable(call("startFaults", ...), mt) end
  return module
end

return sandbox
