--- Waiting for what sessions do. What does not happen within LIMIT is a failure.
local assert = require "luassert"
local datasession = require "datasession"

local await = { LIMIT = 20 } -- seconds

--- The error that a promise is rejected with; any other end of it is a failure.
-- @param kind string or nil: the kind that the error has to be of
function await.rejected(promise, kind)
  local value, err = promise:await(await.LIMIT)
  assert.is_nil(value)
  if kind then assert.equal(kind, err.kind) end
  return err
end

--- Steps until done() is true, and then no more.
function await.stepUntil(done)
  local limit = os.time() + await.LIMIT
  while not done() do
    assert(os.time() < limit, "it takes too long")
    datasession.step(0.01)
  end
end

--- Lets what is ready happen, such as storing; what is in flight or timed goes on.
function await.flush()
  for _ = 1, 4 do datasession.step() end
end

--- Lets all that is in flight or timed end.
function await.settle()
  assert.is_true(datasession.run(await.LIMIT), "something is still in flight")
end

return await
