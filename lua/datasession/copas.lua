--- `await` in the threads of copas: it pauses the thread, and copas goes on. Needs copas 4.

local copas = require "copas"
local datasession = require "datasession"

local adapter = {}

local PERIOD = 0.01 -- seconds between steps: copas waits for the descriptors of sockets alone

local pumping = false

local waiting = setmetatable({}, { __mode = "k" }) -- thread -> the promise that it waits for

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
  waiting[thread] = promise
  promise:always(function() -- the thread may have given up, and pause for something else
    if waiting[thread] == promise then copas.wakeup(thread) end
  end)
  pump()
  local left = limit and limit - copas.gettime()
  while promise:state() == "pending" and not (left and left <= 0) do
    if left then copas.pause(left) else copas.pauseforever() end
    left = limit and limit - copas.gettime()
  end
  waiting[thread] = nil
end

--- Has `await` call `wait`. copas steps the engine while something is pending.
function adapter.install()
  datasession.setAwait(adapter.wait)
end

return adapter
