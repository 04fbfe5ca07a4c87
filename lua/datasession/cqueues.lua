--- `await` in the coroutines of a cqueues controller: it suspends the coroutine, and the controller goes on.

local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local datasession = require "datasession"

local adapter = {}

-- Controllers that step the engine now.
local pumped = setmetatable({}, { __mode = "k" })

local function pump(controller)
  if pumped[controller] then return end
  pumped[controller] = true
  controller:wrap(function()
    while datasession.pending() do
      cqueues.poll(datasession.engine)
      datasession.step()
    end
    pumped[controller] = nil
  end)
end

--- Waits for a promise in the running coroutine of a controller; anywhere else it returns at once.
-- @param promise a pending promise
-- @param seconds number or nil: how long at most
function adapter.wait(promise, seconds)
  local controller, direct = cqueues.running()
  if not controller or not direct then return end
  local settled = condition.new()
  promise:always(function() settled:signal() end)
  local limit = seconds and cqueues.monotime() + seconds
  pump(controller)
  while promise:state() == "pending" do
    local left = limit and limit - cqueues.monotime()
    if left and left <= 0 then return end
    settled:wait(left)
  end
end

--- Has `await` call `wait`. The controller steps the engine while something is pending.
function adapter.install()
  datasession.setAwait(adapter.wait)
end

return adapter
