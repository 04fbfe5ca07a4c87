-- Straight-line code in the coroutines of other schedulers: await suspends the coroutine, and the scheduler
-- goes on.
local datasession = require "datasession"
local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local sandbox = require "datasession.sandbox"

-- Debian has neither cqueues nor luv for Lua 5.5.
local withLibrary = _VERSION == "Lua 5.5" and pending or it

local server

setup(function() server = sandbox.start() end)
teardown(function()
  datasession.setAwait(nil)
  server:close()
end)
after_each(function() datasession.setAwait(nil) end)

-- The work of one coroutine, noted in `order`.
local function work(order, name)
  local session <close> = datasession.new { serviceURI = server.uris.anonymous }
  assert(session:login():await())
  order[#order + 1] = name .. " in"
  datasession.sleep(0.02)
  assert(session:ping():await())
  order[#order + 1] = name .. " pinged"
  local slow = datasession.after(1000, print)
  local _, err = slow:await(0.01)
  assert.equal("timeout", err.kind)
  slow:cancel()
end

local function check(order)
  assert.equal(4, #order)
  assert.matches("in$", order[2]) -- both were on their way at once
  await.settle()
end

describe("cqueues", function()
  withLibrary("runs coroutines side by side", function()
    local cqueues = require "cqueues"
    require("datasession.cqueues").install()
    local controller, order = cqueues.new(), {}
    for _, name in ipairs { "one", "two" } do
      controller:wrap(function() work(order, name) end)
    end
    assert(controller:loop(await.LIMIT))
    check(order)
  end)

  withLibrary("leaves await outside of its coroutines as it is", function()
    require("datasession.cqueues").install()
    assert.is_true(coroutine.wrap(function() return datasession.newPromise(function(resolve)
      datasession.after(0.001, function() resolve(true) end)
    end):await(await.LIMIT) end)())
  end)
end)

-- In a process of its own: luv does not bear to be loaded twice in one Lua state.
describe("luv", function()
  withLibrary("runs coroutines side by side, and the loop ends with them", function()
    local output = child.output([[
      local datasession, uv = require "datasession", require "luv"
      require("datasession.luv").install()
      for _, name in ipairs { "one", "two" } do
        coroutine.wrap(function()
          local session <close> = datasession.new { serviceURI = arg[1] }
          assert(session:login():await())
          print(name .. " in")
          datasession.sleep(0.02)
          assert(session:ping():await())
          print(name .. " pinged")
        end)()
      end
      uv.run()
      assert(not datasession.pending())
    ]], server.uris.anonymous)
    assert.equal(2, select(2, output:match "^[^\n]*\n[^\n]*\n":gsub(" in", "")))
    assert.equal(2, select(2, output:gsub(" pinged", "")))
  end)

  withLibrary("steps by a timer where the descriptor has a watcher already", function()
    assert.equal("slept\n", child.output [[
      local datasession, uv = require "datasession", require "luv"
      require("datasession.luv").install()
      package.loaded["datasession.luv"] = nil
      require("datasession.luv").install()
      coroutine.wrap(function()
        datasession.sleep(0.001)
        print "slept"
      end)()
      uv.run()
    ]])
  end)

  withLibrary("reports the error of a coroutine that it resumed", function()
    assert.matches("seen .*a mistake after a wait", child.output [[
      local datasession, uv = require "datasession", require "luv"
      require("datasession.luv").install()
      datasession.onError(function(err) print("seen " .. tostring(err)) end)
      coroutine.wrap(function()
        datasession.sleep(0.001)
        error "a mistake after a wait"
      end)()
      uv.run()
    ]])
  end)
end)

describe("copas", function()
  local found, copas = pcall(require, "copas")
  local recent = found and copas.pauseforever
  local test = recent and it or pending

  test("runs threads side by side (needs copas 4)", function()
    require("datasession.copas").install()
    local order = {}
    for _, name in ipairs { "one", "two" } do
      copas.addthread(function() work(order, name) end)
    end
    copas.loop()
    check(order)
  end)
end)

describe("copas, when a thread has given up waiting", function()
  local found, copas = pcall(require, "copas")
  local test = found and copas.pauseforever and it or pending

  test("does not wake it when the promise settles (needs copas 4)", function()
    require("datasession.copas").install()
    local order = {}
    copas.addthread(function()
      local late = datasession.after(0.05, function() order[#order + 1] = "settled" end)
      order[1] = select(2, late:await(0.01)).kind
      copas.pause(0.5)
      order[#order + 1] = "woken"
    end)
    copas.addthread(function()
      copas.pause(0.2)
      order[#order + 1] = "meanwhile"
    end)
    copas.loop()
    assert.same({ "timeout", "settled", "meanwhile", "woken" }, order)
  end)
end)

describe("setAwait", function()
  it("gets the promise and the limit, and may leave the waiting to the library", function()
    local seen = {}
    assert.is_nil(datasession.setAwait(function(...) seen[#seen + 1] = table.pack(...) end))
    local promise = datasession.after(0.001, function() return "done" end)
    assert.equal("done", coroutine.wrap(function() return promise:await() end)())
    assert.same({ promise, nil, n = 2 }, seen[1])
    local late = datasession.after(1000, print)
    local _, err = coroutine.wrap(function() return late:await(0.01) end)()
    assert.equal("timeout", err.kind)
    assert.same({ late, 0.01, n = 2 }, seen[2])
    late:cancel()
    assert.is_function(datasession.setAwait(nil))
  end)

  it("is not asked in spawn, nor on the main thread, nor for settled promises", function()
    local asked = false
    datasession.setAwait(function() asked = true end)
    datasession.spawn(datasession.sleep, 0.001):await(await.LIMIT)
    datasession.sleep(0.001)
    local settled = datasession.newPromise(function(resolve) resolve(1) end)
    coroutine.wrap(function() settled:await() end)()
    assert.is_false(asked)
  end)

  it("passes the error of the function on", function()
    datasession.setAwait(function() error("no scheduler here", 0) end)
    local promise = datasession.after(0.001, print)
    local ok, err = pcall(coroutine.wrap(function() return promise:await() end))
    assert.is_false(ok)
    assert.equal("no scheduler here", err)
    promise:cancel()
  end)
end)
