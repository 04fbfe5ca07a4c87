-- Work that allocates much leaves the program's collector as the program has set it.
local core = require "datasession.core"
local datasession = require "datasession"

local child = dofile "spec/support/child.lua"

local hasModes = _VERSION >= "Lua 5.4"
local SLOWEST = _VERSION == "Lua 5.3" and 40 or 0

-- Sets the collector's speed, and returns what it was.
local function setSpeed(speed)
  if _VERSION >= "Lua 5.5" then return collectgarbage("param", "stepmul", speed) end
  return collectgarbage("setstepmul", speed)
end

-- The collector's speed, which in 5.4 only setting it tells.
local function speed()
  local now = setSpeed(100)
  setSpeed(now)
  return now
end

describe("the collector", function()
  local before, was

  before_each(function()
    was = hasModes and collectgarbage "incremental"
    before = setSpeed(200)
  end)

  after_each(function()
    setSpeed(before)
    if hasModes then collectgarbage(was) end
  end)

  it("is slow in slices and in steps with a budget alone", function()
    assert.is_true(core.calmly(speed) < SLOWEST + 10)
    local inside
    datasession.newPromise(function(resolve) resolve() end):next(function() inside = speed() end)
    datasession.step(0, 0.01)
    assert.is_true(inside < SLOWEST + 20)
    datasession.newPromise(function(resolve) resolve() end):next(function() inside = speed() end)
    datasession.step(0)
    assert.equal(200, inside)
    assert.equal(200, speed())
  end)

  -- In a state of its own: the mode is asked for once in each.
  it("is stopped in what cannot be sliced", function()
    child.output [[
      if _VERSION >= "Lua 5.4" then collectgarbage "incremental" end
      local core = require "datasession.core"
      assert(core.uncollected(collectgarbage, "isrunning") == false)
      assert(collectgarbage "isrunning")
      collectgarbage "stop"
      assert(core.uncollected(collectgarbage, "isrunning") == false)
      assert(not collectgarbage "isrunning")
    ]]
  end)

  it("is as before after an error, which is passed on", function()
    for _, call in ipairs { core.calmly, core.uncollected } do
      local err = { "an error" }
      local ok, raised = pcall(call, error, err)
      assert.is_false(ok)
      assert.equal(err, raised)
      assert.equal(200, speed())
      assert.is_true(collectgarbage "isrunning")
    end
  end)

  it("passes arguments and results on", function()
    assert.same({ 3, "a", n = 2 }, table.pack(core.calmly(select, 2, 1, 3, "a")))
    assert.same({ 3, "a", n = 2 }, table.pack(core.uncollected(select, 2, 1, 3, "a")))
  end)

  it("keeps its mode", function()
    for _, mode in ipairs { "generational", "incremental" } do
      collectgarbage(mode)
      core.uncollected(string.rep, "x", 1000)
      assert.equal(mode, collectgarbage(mode))
    end
  end)
end)
