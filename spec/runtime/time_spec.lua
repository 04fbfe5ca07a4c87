local datasession = require "datasession"
local await = dofile "spec/support/await.lua"
local raised = dofile "spec/support/raised.lua"

describe("sleep", function()
  it("lets other coroutines run", function()
    local order = {}
    local function sleeper(name, seconds)
      return datasession.spawn(function()
        datasession.sleep(seconds)
        order[#order + 1] = name
      end)
    end
    local slow, quick = sleeper("slow", "60ms"), sleeper("quick", 0.001)
    assert(datasession.all({ slow, quick }):await(await.LIMIT))
    assert.same({ "quick", "slow" }, order)
  end)

  it("steps the engine outside a coroutine", function()
    local ran = false
    datasession.after(0, function() ran = true end)
    datasession.sleep(0.02)
    assert.is_true(ran)
  end)

  it("is pending until then, and says when the next step is due", function()
    local sleeping = datasession.spawn(datasession.sleep, 1000)
    assert.is_true(datasession.pending())
    assert.is_true(datasession.timeout() > 900)
    assert.is_true(sleeping:cancel())
    assert.is_false(datasession.pending())
  end)

  it("refuses what is no time, with the caller's line", function()
    for _, wrong in ipairs { -1, 0 / 0, 1 / 0, "soon", {} } do
      assert.matches("^sleep: expected a number of seconds, 0 or more, or a text",
        raised(function() datasession.sleep(wrong) end))
    end
  end)
end)

describe("nextStep", function()
  it("waits for the next step of the host", function()
    local pieces = 0
    local work = datasession.spawn(function()
      for _ = 1, 3 do
        pieces = pieces + 1
        datasession.nextStep()
      end
      return "done"
    end)
    assert.equal(1, pieces)
    datasession.step()
    assert.equal(2, pieces)
    datasession.step()
    assert.equal(3, pieces)
    assert.equal("done", work:await(await.LIMIT))
  end)

  it("is what a yield without values means in spawn", function()
    local got = { n = -1 }
    local work = datasession.spawn(function()
      got = table.pack(coroutine.yield())
      return datasession.newPromise(function(resolve) resolve "later" end):await()
    end)
    assert.equal(-1, got.n)
    datasession.step()
    assert.equal(0, got.n)
    assert.equal("later", work:await(await.LIMIT))
  end)

  it("is not what a yield of values means", function()
    local err = await.rejected(datasession.spawn(function() coroutine.yield(nil) end), "error")
    assert.matches("yielded values, which nothing takes", err.message)
  end)

  it("closes what a cancelled coroutine holds", function()
    local closed = false
    local work = datasession.spawn(function()
      local held <close> = setmetatable({}, { __close = function() closed = true end }) -- luacheck: ignore
      coroutine.yield()
    end)
    assert.is_true(work:cancel())
    assert.is_true(closed)
    assert.is_false(datasession.pending())
  end)

  it("survives a program that resumes the coroutine itself", function()
    local thread, last
    local work = datasession.spawn(function()
      thread = coroutine.running()
      coroutine.yield()
      datasession.sleep(0.01)
      last = coroutine.isyieldable()
      return "whole"
    end)
    coroutine.resume(thread)
    assert.equal("whole", work:await(await.LIMIT))
    assert.is_true(last)
  end)
end)

describe("after", function()
  it("calls the function with its arguments, later", function()
    local promise = datasession.after(0.001, function(...) return select("#", ...), ... end, nil, 2)
    assert.equal("pending", promise:state())
    local count, first, second = promise:await(await.LIMIT)
    assert.same({ 2, nil, 2 }, { count, first, second })
  end)

  it("rejects with the function's error", function()
    local err = await.rejected(datasession.after(0, function() error "no tea" end), "error")
    assert.matches("no tea", err.message)
  end)

  it("does not call it once it is cancelled", function()
    local called = false
    local promise = datasession.after(0, function() called = true end)
    assert.is_true(promise:cancel())
    await.flush()
    assert.is_false(datasession.pending())
    await.rejected(promise, "cancelled")
    assert.is_false(called)
  end)

  it("refuses what is no function", function()
    assert.matches("after: expected a function, got nil", raised(function() datasession.after(1) end))
  end)
end)

describe("every", function()
  it("calls the function until it returns false", function()
    local calls = 0
    local ticking = datasession.every(0.001, function()
      calls = calls + 1
      return calls < 3
    end)
    assert.is_true(ticking:await(await.LIMIT))
    assert.equal(3, calls)
    assert.is_false(datasession.pending())
  end)

  it("goes on after an error, which onError gets", function()
    local calls, seen = 0, nil
    local before = datasession.onError(function(err) seen = tostring(err) end)
    local ticking = datasession.every(0.001, function()
      calls = calls + 1
      if calls == 1 then error "a bad tick" end
      return false
    end)
    assert.is_true(ticking:await(await.LIMIT))
    datasession.onError(before)
    assert.matches("a bad tick", seen)
    assert.equal(2, calls)
  end)

  it("never runs two calls at once", function()
    local inside, most, calls = 0, 0, 0
    datasession.every(0.001, function()
      inside, calls = inside + 1, calls + 1
      most = math.max(most, inside)
      datasession.sleep(0.01)
      inside = inside - 1
      return calls < 3
    end):await(await.LIMIT)
    assert.equal(1, most)
  end)

  it("ends with the call under way when it is cancelled", function()
    local calls, ended = 0, 0
    local ticking = datasession.every(0.001, function()
      calls = calls + 1
      datasession.sleep(1000)
      ended = ended + 1
    end)
    await.stepUntil(function() return calls == 1 end)
    assert.is_true(ticking:cancel())
    await.flush()
    assert.is_false(datasession.pending())
    assert.equal(0, ended)
  end)

  it("ends when the function itself cancels it", function()
    local calls, ticking = 0, nil
    ticking = datasession.every(0.001, function()
      calls = calls + 1
      if calls == 2 then assert.is_true(ticking:cancel()) end
    end)
    await.rejected(ticking, "cancelled")
    await.flush()
    assert.is_false(datasession.pending())
    assert.equal(2, calls)
  end)

  it("refuses 0 seconds, and says what to use", function()
    assert.matches("nextStep waits for the next step", raised(function() datasession.every(0, print) end))
  end)
end)
