--- Waits for sessions. A wait fails after LIMIT seconds.
local assert = require "luassert"
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"

dofile "spec/support/errors.lua"

local await = { LIMIT = 20 } -- seconds

--- The error of a rejected promise; fails if the promise does not reject.
-- @param kind string or nil: the kind that the error must have
function await.rejected(promise, kind)
  local value, err = promise:await(await.LIMIT)
  assert.is_nil(value)
  if kind then assert.equal(kind, err.kind) end
  return err
end

--- Calls f(...) and then `ended`, also when the coroutine that f waits in is closed.
function await.guarded(ended, f, ...)
  return closing(setmetatable({}, { __close = ended }), f, ...)
end

--- Steps until done() is true, and no further.
function await.stepUntil(done)
  local limit = os.time() + await.LIMIT
  while not done() do
    assert(os.time() < limit, "it takes too long")
    datasession.step(0.01)
  end
end

--- Runs ready work, such as saving; pending requests and timers continue.
function await.flush()
  for _ = 1, 4 do datasession.step() end
end

--- Runs until no request and no timer is pending.
function await.settle()
  assert.is_true(datasession.run(await.LIMIT), "something is still in flight")
end

return await
