-- An error that a hook raises on the main thread ends every wait. The stand-alone interpreter handles Ctrl-C
-- so.
local datasession = require "datasession"

local child = dofile "spec/support/child.lua"

local main = coroutine.running()

-- Sets a hook that raises an error at once, as the interpreter's handler of SIGINT does.
local function interrupt()
  debug.sethook(main, function()
    debug.sethook(main)
    error("interrupted!", 0)
  end, "cr", 1)
end

-- Not in a coroutine of LuaJIT, which would call the hook in it.
local function after(seconds, f)
  local function wait() datasession.promise(function() end):await(seconds) end
  if rawget(_G, "jit") then return datasession.spawn(wait):done(f) end
  datasession.spawn(function()
    wait()
    f()
  end)
end

-- A promise that is settled much later and keeps the loop pending until then.
local function late()
  return datasession.spawn(function() return datasession.promise(function() end):await(60) end)
end

describe("an error that a hook raises on the main thread", function()
  local told

  before_each(function()
    assert(coroutine.running() == main)
    told = {}
    datasession.onError(function(message) told[#told + 1] = message end)
  end)

  after_each(function()
    debug.sethook()
    datasession.onError(nil)
  end)

  local function leaves(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    assert.equal("interrupted!", err)
    assert.same({}, told)
  end

  it("leaves await", function()
    local promise = late()
    after(0, interrupt)
    leaves(promise.await, promise)
    assert.equal("pending", promise:state())
    promise:cancel()
  end)

  it("leaves run, and step", function()
    local promise = late()
    for _, wait in ipairs { datasession.run, datasession.step } do
      after(0, interrupt)
      leaves(function()
        while true do wait(30) end
      end)
    end
    promise:cancel()
  end)

  it("leaves awaits inside handlers, and those that wait for them, and then nothing more", function()
    local promise, done = late(), 0
    local function handler()
      promise:await()
      done = done + 1
    end
    for _ = 1, 3 do datasession.promise(function(resolve) resolve() end):done(handler) end
    after(0, interrupt)
    leaves(datasession.run)
    assert.equal(0, done)
    promise:cancel()
    assert.is_true(datasession.run(10))
  end)

  it("leaves a handler that never ends", function()
    datasession.promise(function(resolve) resolve() end):done(function()
      debug.sethook(function()
        debug.sethook()
        error("interrupted!", 0)
      end, "", 1000)
      while true do end
    end)
    leaves(datasession.run)
  end)

  it("leaves one of next, whose promise is rejected by it", function()
    local promise = datasession.promise(function(resolve) resolve() end):next(function()
      interrupt()
      return late():await()
    end)
    leaves(datasession.run)
    local _, err = promise:await()
    assert.equal("interrupted!", err.message)
  end)

  it("leaves the await of a coroutine, spawned or not, that cannot be suspended", function()
    local promise = late()
    after(0, interrupt)
    leaves(coroutine.wrap(function() return promise:await() end))
    local spawned = datasession.spawn(function()
      datasession.promise(function() end):await(0)
      return coroutine.wrap(function() return promise:await() end)()
    end)
    after(0.01, interrupt)
    leaves(datasession.run)
    local _, err = spawned:await()
    assert.matches("interrupted!", err.message)
    promise:cancel()
  end)

  it("goes on in the steps further out though a handler has caught it", function()
    local promise, caught = late(), nil
    datasession.promise(function(resolve) resolve() end):done(function()
      caught = select(2, pcall(promise.await, promise))
    end)
    after(0, interrupt)
    leaves(datasession.run)
    assert.equal("interrupted!", caught)
    promise:cancel()
  end)

  it("is no error of what is under way, which goes on in the next step", function()
    local order, settle = {}, nil
    local promise = datasession.promise(function(resolve) settle = resolve end)
    for i = 1, 3 do
      promise:done(function() order[#order + 1] = i end)
    end
    after(0, function()
      settle()
      interrupt()
    end)
    leaves(datasession.run)
    assert.same({}, order)
    assert.is_true(datasession.run(10))
    assert.same({ 1, 2, 3 }, order)
  end)

  it("is told to onError when the hook is a handler's own and has nothing to do with a step", function()
    datasession.promise(function(resolve) resolve() end):done(function() error "of its own" end)
    assert.is_true(datasession.run(10))
    assert.equal(1, #told)
    assert.matches("of its own", told[1])
  end)
end)

describe("Ctrl-C", function()
  local prelude = [[
    local datasession = require "datasession"
    datasession.onError(print)
    local pipe = io.popen "echo $PPID"
    local pid = pipe:read()
    pipe:close()
    local never = datasession.promise(function() end)
    local late = datasession.spawn(function() return never:await(60) end)
    local function signal() io.popen("kill -INT " .. pid):close() end
    local function wait() never:await(0.05) end
    local function soon() datasession.spawn(function() wait() signal() end) end
    if rawget(_G, "jit") then
      function soon() datasession.spawn(wait):done(signal) end
    end
  ]]

  for name, script in pairs {
    await = [[soon() late:await()]],
    run = [[soon() datasession.run()]],
    step = [[soon() while true do datasession.step(50) end]],
    ["a handler that awaits"] = [[
      soon()
      datasession.promise(function(resolve) resolve() end):done(function() late:await() end)
      datasession.run()]],
    ["a handler that never ends"] = [[
      datasession.promise(function(resolve) resolve() end):done(function() signal() while true do end end)
      datasession.run()]],
    ["a generator of a spawned coroutine"] = [[
      soon()
      datasession.spawn(function()
        never:await(0)
        for value in coroutine.wrap(function() coroutine.yield(late:await()) end) do print(value) end
      end)
      datasession.run()]],
  } do
    it("ends a program that is in " .. name, function()
      local result = child.run(prelude .. script)
      assert.equal(1, result.code)
      assert.matches("^[^\n]*: interrupted!\n", result.output)
    end)
  end
end)
