--- Free ports on loopback, below those that the system gives to clients.
local socket = require "socket"

local ports = {}

local FIRST, LAST = 15000, 31999
local given = {}

local function isFree(port)
  local listener = socket.bind("127.0.0.1", port)
  if listener then listener:close() end
  return listener ~= nil
end

--- A free port that was not given before.
function ports.free()
  for _ = 1, 1000 do
    local port = math.random(FIRST, LAST)
    if not given[port] and isFree(port) then
      given[port] = true
      return port
    end
  end
  error("no port is free")
end

--- Whether somebody listens at the port.
function ports.answers(port)
  local client = socket.connect("127.0.0.1", port)
  if client then client:close() end
  return client ~= nil
end

return ports
