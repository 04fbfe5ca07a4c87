--- `await` in the threads of copas: it pauses the thread, and copas goes on. Needs copas 4.

local copas = require "copas"
local datasession = require "datasession"

local adapter = {}

local PERIOD = 0.01 -- seconds between steps: copas waits for the descriptors of sockets alone

local pumping = false

local function pump()
  if pumping then return end
  pumping = true
  copas.addthread(function()
    while datasession.pending() do
      datasession.step()
      copas.pause(math.min(datasession.timeout() or PERIOD, PERIOD))
    end
    pumping = false
  end)
end

--- Waits for a promise in a thread of copas; outside the loop of copas it returns at once.
-- @param promise a pending promise
-- @param seconds number or nil: how long at most
function adapter.wait(promise, seconds)
  if not copas.running then return end
  local thread = coroutine.running()
  local limit = seconds and copas.gettime() + seconds
  promise:always(function() copas.wakeup(thread) end)
  pump()
  while promise:state() == "pending" do
    local left = limit and limit - copas.gettime()
    if left and left <= 0 then return end
    if left then copas.pause(left) else copas.pauseforever() end
  end
end

--- Has `await` call `wait`. copas steps the engine while something is pending.
function adapter.install()
  datasession.setAwait(adapter.wait)
end

return adapter
