--- `await` in the coroutines of a program that runs libuv's loop (luv): it suspends the coroutine, and the
-- loop goes on.

local uv = require "luv"
local datasession = require "datasession"
local core = require "datasession.core"

local adapter = {}

local PERIOD = 10 -- milliseconds between steps where the engine has no descriptor

local watcher -- of the engine's descriptor, or the timer that stands for it

-- The watcher keeps uv.run going while something is pending.
local function hold()
  if datasession.pending() then watcher:ref() else watcher:unref() end
end

local function step()
  datasession.step()
  hold()
end

-- libuv takes one watcher for a descriptor. A timer steps the engine where there is no descriptor, or where
-- libuv has a watcher of it, such as that of this module when it was loaded before.
local function watch()
  local fd = datasession.pollfd()
  watcher = fd and uv.new_poll(fd)
  if watcher then
    watcher:start("r", step)
  else
    watcher = uv.new_timer()
    watcher:start(PERIOD, PERIOD, step)
  end
end

local function resume(thread)
  local ok, err = coroutine.resume(thread)
  if not ok then
    core.call(error, type(err) == "string" and debug.traceback(thread, err) or err, 0)
  end
end

--- Waits for a promise in the running coroutine.
-- @param promise a pending promise
-- @param seconds number or nil: how long at most
function adapter.wait(promise, seconds)
  local thread, timer = coroutine.running(), nil
  local waiting = true
  local function wake()
    if not waiting then return end
    waiting = false
    if timer then timer:close() end
    resume(thread)
  end
  promise:always(wake)
  if seconds then
    timer = uv.new_timer()
    timer:start(math.ceil(seconds * 1000), 0, wake)
  end
  hold()
  repeat coroutine.yield() until not waiting
end

--- Has `await` call `wait`, and the loop step the engine. uv.run() returns when the loop has nothing else to
-- do and nothing is pending. A program that starts calls outside coroutines calls `install` after it started
-- them.
function adapter.install()
  if not watcher then watch() end
  hold()
  datasession.setAwait(adapter.wait)
end

return adapter
