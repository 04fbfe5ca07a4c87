local datasession = require "datasession"
local await = dofile "spec/support/await.lua"
local raised = dofile "spec/support/raised.lua"

local function later(seconds, value)
  return datasession.after(seconds, function() return value end)
end

local function failing(seconds, text)
  return datasession.after(seconds, function() error(text, 0) end)
end

local function never() return later(1000) end

describe("all", function()
  it("resolves with each value, in order, and counts values that are no promises", function()
    local values = datasession.all({ later(0.01, "a"), "b", later(0, "c") }):await(await.LIMIT)
    assert.same({ "a", "b", "c", n = 3 }, values)
    assert.same({ n = 0 }, datasession.all({}):await(await.LIMIT))
  end)

  it("keeps the place of nil", function()
    local values = datasession.all({ later(0, nil), later(0, 2) }):await(await.LIMIT)
    assert.same({ nil, 2, n = 2 }, values)
  end)

  it("rejects with the first error; the others go on", function()
    local other = later(0.02, "kept")
    local err = await.rejected(datasession.all { other, failing(0, "first") }, "error")
    assert.matches("first", err.message)
    assert.equal("kept", other:await(await.LIMIT))
  end)

  it("cancels its members when it is cancelled", function()
    local one, two = never(), never()
    local both = datasession.all { one, two }
    assert.is_true(both:cancel())
    await.flush()
    assert.equal("rejected", one:state())
    assert.equal("rejected", two:state())
    await.rejected(both, "cancelled")
    assert.is_false(datasession.pending())
  end)

  it("refuses what is no array", function()
    assert.matches(
      "^all: expected an array of promises, got a promise: write all { ... }",
      raised(function() datasession.all(later(0)) end))
  end)
end)

describe("any", function()
  it("resolves with the first that resolves", function()
    assert.equal("good", datasession.any({ failing(0, "bad"), later(0.01, "good") }):await(await.LIMIT))
  end)

  it("rejects with all errors when all reject", function()
    local err = await.rejected(datasession.any { failing(0.01, "one"), failing(0, "two") }, "error")
    assert.matches("all promises were rejected: one; two", err.message)
    assert.matches("two", err.errors[2].message)
    assert.matches("the array is empty", await.rejected(datasession.any {}, "error").message)
  end)
end)

describe("race", function()
  it("settles as the first that settles", function()
    local slow = never()
    assert.equal("quick", datasession.race({ slow, later(0, "quick") }):await(await.LIMIT))
    assert.equal("pending", slow:state())
    local err = await.rejected(datasession.race { slow, failing(0, "quick") }, "error")
    assert.matches("quick", err.message)
    slow:cancel()
    await.flush()
  end)

  it("refuses an empty array, which would never settle", function()
    assert.matches("race: expected an array of at least one promise",
      raised(function() datasession.race {} end))
  end)
end)

describe("settled", function()
  it("resolves with the outcome of each", function()
    local outcomes = datasession.settled({ failing(0, "no"), later(0, "yes"), 3 }):await(await.LIMIT)
    assert.is_false(outcomes[1].ok)
    assert.matches("no", outcomes[1].error.message)
    assert.same({ ok = true, value = "yes" }, outcomes[2])
    assert.same({ ok = true, value = 3 }, outcomes[3])
  end)
end)

describe("each of these functions", function()
  it("says which function expected an array, and what it got", function()
    for _, name in ipairs { "all", "any", "race", "settled" } do
      for _, value in ipairs { "text", 1, true } do
        assert.equal(("%s: expected an array of promises, got %s"):format(name, type(value)),
          raised(function() datasession[name](value) end))
      end
    end
  end)
end)

describe("map", function()
  it("calls the function for each item, so many at a time", function()
    local running, most = 0, 0
    local values = datasession.map({ 1, 2, 3, 4, 5, 6 }, function(item, index)
      running = running + 1
      most = math.max(most, running)
      datasession.sleep(0.002)
      running = running - 1
      return item * 10 + index
    end, { limit = 2 }):await(await.LIMIT)
    assert.same({ 11, 22, 33, 44, 55, 66, n = 6 }, values)
    assert.equal(2, most)
  end)

  it("rejects with the first error, and cancels the calls under way", function()
    local ended = 0
    local err = await.rejected(datasession.map({ 1, 2, 3 }, function(item)
      if item == 2 then error("no two", 0) end
      datasession.sleep(1000)
      ended = ended + 1
    end), "error")
    assert.matches("no two", err.message)
    await.flush()
    assert.equal(0, ended)
    assert.is_false(datasession.pending())
  end)

  it("starts nothing more after it is cancelled", function()
    local begun = 0
    local mapping = datasession.map({ 1, 2, 3 }, function()
      begun = begun + 1
      datasession.sleep(1000)
    end, { limit = 1 })
    assert.is_true(mapping:cancel())
    await.flush()
    assert.is_false(datasession.pending())
    assert.equal(1, begun)
  end)

  it("goes through ten thousand items", function()
    local list = {}
    for i = 1, 10000 do list[i] = i end
    local values = datasession.map(list, function(item)
      if item % 100 == 0 then datasession.nextStep() end
      return item
    end):await(await.LIMIT)
    assert.equal(10000, values.n)
    assert.equal(10000, values[10000])
  end)

  it("refuses wrong arguments", function()
    assert.matches("^map: expected an array, got a promise: did you forget :await%(%)",
      raised(function() datasession.map(later(0), print) end))
    assert.matches("map: expected an array, got the module: call it with '.' instead of ':'",
      raised(function() datasession:map({}, print) end))
    assert.matches("map: expected a function, got nil", raised(function() datasession.map({}) end))
    assert.matches("map: unknown option 'limits': did you mean 'limit'",
      raised(function() datasession.map({}, print, { limits = 3 }) end))
    assert.matches("map: limit: expected an integer, 1 or more, got 0",
      raised(function() datasession.map({}, print, { limit = 0 }) end))
  end)
end)
