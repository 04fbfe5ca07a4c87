-- Promises over real sockets: settling, order of handlers, cancelling, waiting, and coroutines.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local checks = dofile "spec/support/errors.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local function nothing() end

local function boom()
  error("boom")
end

describe("a promise", function()
  local server, session, told

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  before_each(function()
    told = {}
    datasession.onError(function(...) told[#told + 1] = table.pack(...) end)
    server:clearFaults()
    server:clearRequests()
    session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
    assert(session:login("lua", "secret"):await(LIMIT))
  end)

  after_each(function()
    server:clearFaults()
    session:invalidate()
    assert.is_true(datasession.run(LIMIT), "something is still in flight")
    session = nil
    collectgarbage()
    collectgarbage()
    datasession.onError(nil)
    assert.same({}, told, "errors that nobody expected")
  end)

  -- Removes and returns the errors that onError got.
  local function takeTold()
    local taken = told
    told = {}
    return taken
  end

  -- Steps until the promise is settled. Not by await, which counts as handling a rejection.
  local function settle(promise)
    await.stepUntil(function() return promise:state() ~= "pending" end)
  end

  -- A promise and the functions that settle it.
  local function open()
    local resolve, reject
    return datasession.promise(function(...) resolve, reject = ... end), resolve, reject
  end

  local function hanging()
    return sessions.hangingPing(server, session)
  end

  describe("settles", function()
    it("once, with value, result and info, for as many as ask", function()
      local promise = session:ping()
      assert.equal("pending", promise:state())
      local value, result, info = promise:await(LIMIT)
      assert.equal(session, value)
      assert.is_true(result)
      assert.equal(200, info.xhr.status)
      assert.equal("resolved", promise:state())
      local again = table.pack(promise:await())
      assert.equal(3, again.n)
      assert.same({ value, result }, { again[1], again[2] })
      assert.equal(info, again[3])
    end)

    it("with a rejection of value, result and info, the error within", function()
      server:fault { kind = "status", status = 500, path = "oeping$" }
      local promise = session:ping()
      local value, err = promise:await(LIMIT)
      assert.is_nil(value)
      assert.equal("offline", err.kind)
      assert.equal("rejected", promise:state())
      local got
      promise:fail(function(...) got = table.pack(...) end)
      datasession.step()
      assert.equal(3, got.n)
      assert.equal(session, got[1])
      assert.is_false(got[2])
      assert.equal(err, got[3].errorObject)
    end)

    it("never inside the call that made it, also when nothing is sent", function()
      local fresh = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
      local ended = datasession.new { serviceURI = server.uris.basic }
      ended:invalidate():await(LIMIT)
      local calls = {
        logout = fresh:logout(), ping = fresh:ping(), isAuthorized = fresh:isAuthorized(),
        again = session:login("lua", "secret"), closed = ended:ping(), none = ended:addCatalog({}),
        catalogs = fresh:addCatalog({}), invalidate = fresh:invalidate(),
      }
      local running, count = true, 0
      for name, promise in pairs(calls) do
        assert.equal("pending", promise:state(), name)
        promise:always(function()
          assert(not running)
          count = count + 1
        end)
      end
      assert.equal(0, count)
      running = false
      assert.is_true(datasession.run(LIMIT))
      assert.equal(8, count)
    end)

    it("and tells its own name and state", function()
      local promise = session:ping()
      assert.matches("^datasession%.promise: ping, pending$", tostring(promise))
      promise:await(LIMIT)
      assert.matches("^datasession%.promise: ping, resolved$", tostring(promise))
      assert.matches("^datasession%.promise: resolved$", tostring(datasession.promise(function(f) f() end)))
    end)
  end)

  describe("calls handlers", function()
    it("in the order in which they were added, of every kind, before and after it is settled", function()
      local order = {}
      local function note(what) return function() order[#order + 1] = what end end
      local promise = session:ping()
      promise:always(note "always"):done(note "done"):fail(note "fail")
      promise:next(note "next")
      promise:done(note "done again")
      settle(promise)
      promise:done(note "late"):always(note "later")
      assert.is_true(datasession.run(LIMIT))
      promise:done(note "last")
      assert.equal("last", (datasession.step() and "more" or order[#order]))
      assert.same({ "always", "done", "next", "done again", "late", "later", "last" }, order)
    end)

    it("with (value, result, info), the same for all, and gives itself back", function()
      local promise, calls = session:ping(), {}
      local function take(...) calls[#calls + 1] = table.pack(...) end
      assert.equal(promise, promise:done(take))
      assert.equal(promise, promise:fail(take))
      assert.equal(promise, promise:always(take))
      promise:await(LIMIT)
      datasession.run(LIMIT)
      assert.equal(2, #calls)
      for _, call in ipairs(calls) do
        assert.equal(3, call.n)
        assert.equal(session, call[1])
        assert.is_true(call[2])
        assert.equal(200, call[3].xhr.status)
      end
    end)

    it("not inside the call that adds them, though it is settled", function()
      local promise, called = datasession.promise(function(resolve) resolve(1) end), false
      promise:done(function() called = true end)
      assert.is_false(called)
      assert.equal(0, datasession.timeout())
      datasession.step()
      assert.is_true(called)
    end)

    it("that were added by a handler, after those that were there", function()
      local order = {}
      local promise = session:ping()
      promise:done(function()
        promise:done(function() order[#order + 1] = "inner" end)
        order[#order + 1] = "first"
      end)
      promise:done(function() order[#order + 1] = "second" end)
      promise:await(LIMIT)
      datasession.run(LIMIT)
      assert.same({ "first", "second", "inner" }, order)
    end)

    it("that add themselves anew without keeping step from returning", function()
      local promise, count = datasession.promise(function(resolve) resolve() end), 0
      local function again()
        count = count + 1
        if count < 1000 then promise:done(again) end
      end
      promise:done(again):done(again)
      assert.is_true(datasession.step())
      assert.is_true(count < 1000)
      assert.is_true(datasession.run(LIMIT))
      assert.equal(1001, count)
    end)

    it("though one raised, whose error goes to onError with a traceback", function()
      local called = false
      session:ping():done(boom):done(function() called = true end):await(LIMIT)
      assert.is_true(called)
      local errors = takeTold()
      assert.equal(1, #errors)
      assert.matches("promise_spec%.lua:%d+: boom\nstack traceback:\n.*promise_spec%.lua", errors[1][1])
    end)

    it("and gives an error that is no text to onError as it is, its traceback beside it", function()
      local mine = setmetatable({}, { __tostring = function() return "mine" end })
      session:ping():done(function() error(mine) end):done(function() error(nil) end):await(LIMIT)
      local errors = takeTold()
      assert.equal(mine, errors[1][1])
      assert.matches("^stack traceback:\n.*promise_spec%.lua", errors[1][2])
      assert.equal(2, errors[2].n)
      assert.is_nil(errors[2][1])
    end)

    it("of functions alone", function()
      local promise = datasession.promise(nothing)
      for _, name in ipairs { "done", "fail", "always" } do
        for _, value in ipairs { 1, "f", {}, false } do
          assert.error_matches(function() promise[name](promise, value) end,
            "bad argument .*function expected, got")
        end
        assert.error_matches(function() promise[name](promise) end,
          "bad argument .*function expected, got no value")
        assert.error_matches(function() promise[name]({}, nothing) end, "datasession%.promise expected")
      end
      assert.error_matches(function() promise:next(1) end, "bad argument #1 to 'next'")
      assert.error_matches(function() promise:next(nil, "f") end, "bad argument #2 to 'next'")
      checks.unchecked(function() -- a wrapped method has other numbers of arguments
        assert.error_matches(function() promise:await(-1) end, "#1 to 'await' %(expected a number of seconds")
        assert.error_matches(function() promise:await(0 / 0) end, "bad argument #1 to 'await'")
        assert.error_matches(function() promise:await "soon" end, "bad argument #1 to 'await'")
      end)
    end)
  end)

  describe("by next", function()
    it("gives a new promise of what the handler returns, of up to three values", function()
      local first = session:ping()
      local second = first:next(function(value, result, info)
        return tostring(value == session), result, info.xhr.status, "too many"
      end)
      assert.not_equal(first, second)
      assert.same({ "true", true, 200, n = 3 }, table.pack(second:await(LIMIT)))
      assert.same({ n = 3 }, table.pack(first:next(nothing):await(LIMIT)))
    end)

    it("passes values and errors through where there is no handler for them", function()
      assert.same({ session, true }, { table.unpack({ session:ping():next():await(LIMIT) }, 1, 2) })
      assert.equal(session, (session:ping():next(nil, boom):await(LIMIT)))
      server:fault { kind = "status", status = 500, path = "oeping$", count = 0 }
      local first = session:ping()
      local value, err = first:next(boom):next(boom, nil):next():await(LIMIT)
      assert.is_nil(value)
      assert.equal(select(2, first:await()), err)
    end)

    it("gives the error to the second handler, which may mend it", function()
      server:fault { kind = "status", status = 500, path = "oeping$" }
      local given
      local promise = session:ping():next(boom, function(...)
        given = table.pack(...)
        return "mended"
      end)
      assert.equal("mended", (promise:await(LIMIT)))
      assert.equal(1, given.n)
      assert.equal("offline", given[1].kind)
    end)

    it("turns a raised error into a rejection with message and traceback", function()
      local promise = session:ping():next(boom)
      local value, err = promise:await(LIMIT)
      assert.is_nil(value)
      assert.equal("error", err.kind)
      assert.matches("promise_spec%.lua:%d+: boom$", err.message)
      assert.matches("^stack traceback:\n.*promise_spec%.lua:%d+: in", err.traceback)
      assert.equal(err.message, tostring(err))
      local info
      promise:fail(function(_, _, third) info = third end)
      datasession.run(LIMIT)
      assert.equal(err, info.errorObject)
    end)

    it("leaves raised tables and userdata as they are, and makes an object of all else", function()
      local mine = {}
      local function rejection(raised)
        return select(2, datasession.promise(function(f) f() end):next(function() error(raised, 0)
          end):await(LIMIT))
      end
      assert.equal(mine, rejection(mine))
      assert.equal(io.stdout, rejection(io.stdout))
      for _, case in ipairs { { 42, "42" }, { false, "false" }, { nil, "nil" } } do
        local err = rejection(case[1])
        assert.equal(case[2], err.message)
        assert.is_string(err.traceback)
      end
    end)

    it("adopts a promise that a handler returns, pending or settled", function()
      local inner, resolve = open()
      local outer = session:ping():next(function() return inner end)
      assert.is_true(datasession.run(LIMIT))
      assert.equal("pending", outer:state())
      resolve("late", 2, 3)
      assert.same({ "late", 2, 3 }, { outer:await(LIMIT) })
      assert.same({ "late", 2, 3 }, { session:ping():next(function() return inner end):await(LIMIT) })
      local failed = session:ping():next(boom)
      local _, err = session:ping():next(function() return failed end):await(LIMIT)
      assert.matches("boom", err.message)
    end)

    it("does not warn of a rejected promise that was adopted after it was settled", function()
      do
        local failed = datasession.promise(function(_, reject) reject("adopted") end)
        datasession.step()
        local outer = datasession.promise(function(resolve) resolve(failed) end)
        assert.matches("adopted", select(2, outer:await(LIMIT)).message)
      end
      collectgarbage()
      collectgarbage()
      assert.same({}, told)
    end)

    it("refuses to wait for itself, by way of others too", function()
      local itself
      itself = session:ping():next(function() return itself end)
      assert.matches("wait for itself", select(2, itself:await(LIMIT)).message)
      local a, b, settleA, settleB
      a, settleA = open()
      b, settleB = open()
      settleA(b)
      settleB(a)
      assert.matches("wait for itself", select(2, a:await(LIMIT)).message)
      assert.is_false(b:cancel())
    end)

    it("refuses to wait for itself by way of many, whichever of them were looked at before", function()
      for _, look in ipairs { 1, 20, 49, 50, 100 } do
        local first, settleFirst = open()
        local chain = { first }
        for i = 2, 100 do
          local last = chain[i - 1]
          chain[i] = i % 3 == 0 and last:next() or datasession.promise(function(resolve) resolve(last) end)
        end
        datasession.promise(function(resolve) resolve(chain[look]) end):fail(nothing)
        datasession.promise(function(resolve) resolve(chain[100]) end):fail(nothing)
        settleFirst(chain[100])
        assert.matches("wait for itself", select(2, first:await(LIMIT)).message)
        assert.matches("wait for itself", select(2, chain[100]:await(LIMIT)).message)
      end
    end)

    it("hangs from another promise after the one that it hung from is settled", function()
      local first, settleFirst = open()
      local second, settleSecond = open()
      local middle = first:next(function() return second end)
      local last = middle:next():next()
      local outer = datasession.promise(function(resolve) resolve(last) end)
      settleFirst()
      datasession.step()
      settleSecond(outer)
      assert.matches("wait for itself", select(2, outer:await(LIMIT)).message)
      assert.equal("rejected", second:state())
    end)

    it("runs a long chain in one step", function()
      local promise, count = datasession.promise(function(resolve) resolve(0) end), 8
      for _ = 1, count do promise = promise:next(function(n) return n + 1 end) end
      datasession.step()
      assert.equal(count, (promise:await(LIMIT)))
    end)

    it("does not keep the promises before it once it is settled", function()
      local gone = setmetatable({}, { __mode = "v" })
      local promise = datasession.promise(function(resolve) resolve() end)
      for i = 1, 10 do
        gone[i] = promise
        promise = promise:next()
        datasession.step()
      end
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(gone))
      assert.equal("resolved", promise:state())
    end)
  end)

  describe("is cancelled", function()
    it("with its transfer, and rejects once", function()
      local ping, calls = hanging(), 0
      ping:always(function() calls = calls + 1 end)
      assert.is_true(ping:cancel())
      assert.equal("pending", ping:state())
      assert.equal(0, calls)
      local value, err = ping:await(LIMIT)
      assert.is_nil(value)
      assert.equal("cancelled", err.kind)
      assert.is_false(err.retryable)
      assert.is_true(datasession.run(LIMIT))
      assert.equal(1, calls)
      assert.is_false(ping:cancel())
    end)

    it("as well when nothing was to be sent", function()
      local fresh = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
      local promises = { fresh:logout(), fresh:ping(), fresh:addCatalog({}) }
      for _, promise in ipairs(promises) do
        assert.is_true(promise:cancel())
      end
      for _, promise in ipairs(promises) do
        assert.equal("cancelled", select(2, promise:await(LIMIT)).kind)
      end
    end)

    it("in vain when it is settled", function()
      local promise = session:ping()
      promise:await(LIMIT)
      assert.is_false(promise:cancel())
      assert.equal("resolved", promise:state())
    end)

    it("by a chain of next, whose handlers see it", function()
      local ping, seen = hanging(), nil
      local last = ping:next(boom):next(boom, function(err)
        seen = err.kind
        error(err)
      end):next(boom)
      assert.is_true(last:cancel())
      assert.equal("cancelled", select(2, last:await(LIMIT)).kind)
      assert.equal("cancelled", seen)
      assert.equal("rejected", ping:state())
    end)

    it("between two links of a chain, and the handler is not called", function()
      local called = false
      local first = session:ping()
      settle(first)
      local second = first:next(function() called = true end)
      assert.is_true(second:cancel())
      assert.is_true(datasession.run(LIMIT))
      assert.is_false(called)
      assert.equal("resolved", first:state())
      assert.equal("cancelled", select(2, second:await()).kind)
    end)

    it("through the promise that it adopted", function()
      local ping = hanging()
      local outer = datasession.promise(function(resolve) resolve() end):next(function() return ping end)
      assert.is_nil((outer:await(0)))
      assert.is_true(outer:cancel())
      assert.equal("cancelled", select(2, outer:await(LIMIT)).kind)
      assert.equal("rejected", ping:state())
    end)

    it("by its own handler's doing, and what that returns is dropped", function()
      local second
      second = session:ping():next(function()
        assert(second:cancel())
        return "dropped"
      end)
      assert.equal("cancelled", select(2, second:await(LIMIT)).kind)
    end)

    it("without a warning: who cancels knows", function()
      hanging():cancel()
      assert.is_true(datasession.run(LIMIT))
      collectgarbage()
      assert.same({}, told)
    end)
  end)

  describe("that a function settles", function()
    it("calls it at once, and takes the first outcome alone", function()
      local running = true
      local promise, resolve, reject
      promise = datasession.promise(function(...)
        assert(running)
        resolve, reject = ...
      end)
      running = false
      assert.equal("pending", promise:state())
      assert.is_true(resolve(1, 2, 3))
      assert.is_false(resolve(4))
      assert.is_false(reject "no")
      assert.same({ 1, 2, 3, n = 3 }, table.pack(promise:await()))
    end)

    it("rejects with an error object, made of a text, or of nothing", function()
      local promise, _, reject = open()
      assert.is_true(reject("why"))
      local value, err = promise:await()
      assert.is_nil(value)
      assert.equal("why", err.message)
      assert.matches("^stack traceback:\n.*promise_spec%.lua", err.traceback)
      local mine = { session = 1, result = 2, info = 3 }
      promise = datasession.promise(function(_, no) no(mine) end)
      local got
      promise:fail(function(...) got = { ... } end)
      assert.equal(mine, select(2, promise:await()))
      datasession.step()
      assert.same({ 1, 2, 3 }, got)
      mine.jsdo = 4 -- the owner of the call, before its session
      promise = datasession.promise(function(_, no) no(mine) end):fail(function(...) got = { ... } end)
      promise:await()
      datasession.step()
      assert.same({ 4, 2, 3 }, got)
      promise, _, reject = open()
      reject()
      assert.equal("rejected without a reason", select(2, promise:await()).message)
    end)

    it("rejects when the function raises, and reports it when that comes too late", function()
      local _, err = datasession.promise(boom):await()
      assert.matches("boom", err.message)
      assert.is_string(err.traceback)
      assert.equal(1, (datasession.promise(function(resolve)
        resolve(1)
        boom()
      end):await()))
      assert.matches("boom", takeTold()[1][1].message)
    end)

    it("adopts a promise, and nothing else settles it then", function()
      local inner, settleInner = open()
      local promise, resolve, reject = open()
      assert.is_true(resolve(inner))
      assert.is_false(resolve(1))
      assert.is_false(reject(2))
      settleInner("inner")
      assert.equal("inner", (promise:await(LIMIT)))
    end)

    it("needs one", function()
      assert.error_matches(function() datasession.promise() end, "bad argument #1 to 'promise'")
      assert.error_matches(function() datasession.spawn() end, "bad argument #1 to 'spawn'")
    end)
  end)

  describe("is awaited", function()
    it("by stepping the engine, other sessions going on", function()
      local other = datasession.new { serviceURI = server.uris.anonymous }
      local order = {}
      other:login():done(function() order[#order + 1] = "other" end)
      server:fault { kind = "slow", delay = 0.3, path = "oeping$" }
      assert(session:ping():await(LIMIT))
      order[#order + 1] = "mine"
      assert.same({ "other", "mine" }, order)
    end)

    it("in a handler, and in a handler inside that", function()
      local order = {}
      session:ping():done(function()
        session:ping():done(function()
          assert(session:ping():await(LIMIT))
          order[#order + 1] = "innermost"
        end):await(LIMIT)
        order[#order + 1] = "inner"
      end):await(LIMIT)
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "innermost", "inner" }, order)
    end)

    it("in a handler, while the handlers behind it run", function()
      local inner, resolve = open()
      local got
      local outer = session:ping()
      outer:done(function() got = inner:await(LIMIT) end)
      outer:done(function() resolve("from the second handler") end)
      assert(outer:await(LIMIT))
      assert.is_true(datasession.run(LIMIT))
      assert.equal("from the second handler", got)
    end)

    it("in handlers inside one another, only so deep", function()
      local failed, count = {}, 200
      local promise, resolve = open()
      for _ = 1, count do
        promise:done(function()
          local ok, err = pcall(function() return assert(session:ping():await(LIMIT)) end)
          if not ok then failed[#failed + 1] = err end
        end)
      end
      resolve()
      assert.is_true(datasession.run(LIMIT))
      assert.is_true(#failed > 0 and #failed < count)
      for _, err in ipairs(failed) do assert.matches("handlers wait inside one another", err) end
    end)

    it("within its time limit, though a handler waits longer inside it", function()
      local never, results = open(), {}
      for i = 1, 3 do
        datasession.promise(function(resolve) resolve() end):done(function()
          results[i] = table.pack(never:await(i == 2 and 0.01 or nil))
        end)
      end
      local keepsPending = datasession.spawn(function() return never:await(LIMIT) end)
      local _, err = never:await(0.1)
      assert.matches("the time that await was given", err.message)
      assert.matches("an outer await or run timed out", results[1][2].message)
      assert.equal("timeout", results[1][2].kind)
      assert.matches("spawn", results[1][2].hint)
      assert.matches("the time that await was given", results[2][2].message)
      assert.matches("an outer await or run timed out", results[3][2].message)
      assert.equal("pending", keepsPending:state())
      keepsPending:cancel()
    end)

    it("from generators of many coroutines, one waiting inside another, without reaching the limit of that",
      function()
      local ended, count = 0, 120
      for i = 1, count do
        datasession.spawn(function()
          assert(session:ping():await(LIMIT))
          for answer in coroutine.wrap(function()
            for _ = 1, 3 do coroutine.yield((assert(session:ping():await(LIMIT)))) end
          end) do
            assert(answer == session)
          end
          ended = ended + 1
        end):fail(function(err) error(i .. ": " .. tostring(err)) end)
      end
      assert.is_true(datasession.run(LIMIT))
      assert.equal(count, ended)
    end)

    -- Spawns coroutines whose generators wait for the last one. Returns their promises.
    local function spawnDependent(count)
      local awaited, resolve = open()
      local all = {}
      for i = 1, count do
        all[i] = datasession.spawn(function()
          datasession.promise(nothing):await(0)
          return coroutine.wrap(function() return assert(awaited:await(LIMIT)) end)()
        end)
      end
      datasession.spawn(function()
        datasession.promise(nothing):await(0)
        resolve(1)
      end)
      return all
    end

    it("from generators of many coroutines that wait for another one", function()
      local all = spawnDependent(30)
      assert.is_true(datasession.run(LIMIT))
      for _, promise in ipairs(all) do assert.equal(1, (promise:await(LIMIT))) end
    end)

    it("from generators of many coroutines that wait for another one while something else is pending",
      function()
      local never = open()
      local keepsPending = datasession.spawn(function() return never:await(LIMIT) end)
      local all = spawnDependent(21) -- more than wait inside one another
      for _, promise in ipairs(all) do assert.equal(1, (promise:await(LIMIT))) end
      keepsPending:cancel()
    end)

    it("with a time limit, and goes on when that is over", function()
      server:fault { kind = "slow", delay = 0.2, path = "oeping$" }
      local ping = session:ping()
      for _, limit in ipairs { 0, 0.01 } do
        local results = table.pack(ping:await(limit))
        assert.equal(2, results.n)
        assert.is_nil(results[1])
        assert.equal("timeout", results[2].kind)
        assert.equal("pending", ping:state())
      end
      assert.equal(session, (ping:await(LIMIT)))
    end)

    it("in vain for a time, and what waited before and after is told", function()
      local order = {}
      local promise, resolve = open()
      local function note(what) return function() order[#order + 1] = what end end
      promise:done(note "before")
      local waiting = {}
      for i = 1, 3 do
        waiting[i] = datasession.spawn(function() return nil, nil, select(2, promise:await(0)).kind end)
      end
      promise:done(note "between")
      waiting[4] = datasession.spawn(function() return nil, nil, select(2, promise:await(0)).kind end)
      assert.is_true(datasession.run(LIMIT))
      for i = 1, 4 do assert.equal("timeout", select(3, waiting[i]:await())) end
      promise:done(note "after")
      resolve()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "before", "between", "after" }, order)
    end)

    it("with a time limit of 0 by those that look now and then", function()
      local ping, limit = session:ping(), os.time() + LIMIT
      while not ping:await(0) do assert(os.time() < limit) end
      assert.equal("resolved", ping:state())
    end)

    it("in vain when nothing is in flight that could settle it", function()
      local promise = datasession.promise(nothing)
      assert.error_matches(function() promise:await() end, "await would never return")
      assert.error_matches(function() promise:await(LIMIT) end, "await would never return")
    end)

    it("in a coroutine that is not spawn's as anywhere else", function()
      local co = coroutine.create(function() return session:ping():await(LIMIT) end)
      local ok, value = coroutine.resume(co)
      assert.is_true(ok)
      assert.equal(session, value)
      assert.equal("dead", coroutine.status(co))
    end)

    it("thousands of times, in time or not, until it is cancelled or fails, without growing", function()
      local resolve
      local never = datasession.promise(nothing)
      local waiting = datasession.spawn(function()
        while true do datasession.promise(function(f) resolve = f end):await(60) end
      end)
      local impatient = datasession.spawn(function()
        while true do never:await(1e-9) end
      end)
      local function turn(times)
        for _ = 1, times do
          resolve(true)
          datasession.spawn(function() never:await(60) end):cancel()
          datasession.spawn(error, "failed"):fail(nothing)
          datasession.step()
        end
        collectgarbage()
        collectgarbage()
        return collectgarbage "count"
      end
      local before = turn(3000) -- Lua's table of strings and what LuaJIT compiles grow meanwhile
      local grown = turn(3000) - before
      waiting:cancel()
      impatient:cancel()
      assert.is_true(grown < 100, grown .. " KB more") -- a table for each turn were 164
    end)

    it("where a coroutine of spawn cannot be suspended, by stepping", function()
      local promise = datasession.spawn(function()
        local list = { 2, 1 }
        local value
        table.sort(list, function(a, b)
          value = value or session:ping():await(LIMIT)
          return a < b
        end)
        return value
      end)
      assert.equal("resolved", promise:state())
      assert.equal(session, (promise:await()))
    end)
  end)

  describe("of spawn", function()
    it("runs the function at once, with its arguments, and has up to three of its results", function()
      local got
      local promise = datasession.spawn(function(...)
        got = table.pack(...)
        return 1, nil, 3, 4
      end, "a", nil, "c", nil)
      assert.same({ "a", nil, "c", nil, n = 4 }, got)
      assert.same({ 1, nil, 3, n = 3 }, table.pack(promise:await()))
      assert.same({ n = 3 }, table.pack(datasession.spawn(nothing):await()))
    end)

    it("suspends that coroutine alone", function()
      local order = {}
      server:fault { kind = "slow", delay = 0.2, path = "oeping$" }
      local first = datasession.spawn(function()
        assert(session:ping():await())
        order[#order + 1] = "first"
      end)
      local second = datasession.spawn(function()
        assert(session:isAuthorized():await())
        order[#order + 1] = "second"
      end)
      order[#order + 1] = "host"
      assert.equal("pending", first:state())
      settle(first)
      settle(second)
      assert.same({ "host", "second", "first" }, order)
    end)

    it("gives await's values in the coroutine, for success, failure and time limit", function()
      local function inside(f) return select(3, datasession.spawn(f):next(nil):await(LIMIT)) end
      assert.same({ 3, true }, inside(function()
        local results = table.pack(session:ping():await())
        return nil, nil, { results.n, results[1] == session and results[2] }
      end))
      server:fault { kind = "status", status = 500, path = "oeping$" }
      assert.same({ 2, "offline" }, inside(function()
        local results = table.pack(session:ping():await(LIMIT))
        return nil, nil, { results.n, results[2].kind }
      end))
      local ping = hanging()
      assert.same({ 2, "timeout" }, inside(function()
        local results = table.pack(ping:await(0.01))
        return nil, nil, { results.n, results[2].kind }
      end))
      assert.equal("pending", ping:state())
      ping:cancel()
    end)

    it("forgets the time limit once the promise is settled", function()
      assert(datasession.spawn(function() return session:ping():await(3600) end):await(LIMIT))
      assert.is_false(datasession.step())
      assert.is_nil(datasession.timeout())
    end)

    it("awaits in turn, again and again, under a limit that is always passed", function()
      local ping, looks = hanging(), 0
      local promise = datasession.spawn(function()
        while looks < 100 and not ping:await(0.0001) do looks = looks + 1 end
        return "enough"
      end)
      assert.equal("enough", (promise:await(LIMIT)))
      assert.equal(100, looks)
      ping:cancel()
    end)

    it("rejects with what the function raises, message and traceback", function()
      local promise = datasession.spawn(function()
        session:ping():await()
        boom()
      end)
      local value, err = promise:await(LIMIT)
      assert.is_nil(value)
      assert.matches("promise_spec%.lua:%d+: boom$", err.message)
      assert.matches("^stack traceback:\n.*boom.*promise_spec%.lua", err.traceback)
      local mine = {}
      assert.equal(mine, select(2, datasession.spawn(error, mine):await()))
    end)

    it("runs the <close> variables of one that raised, and tells of their errors", function()
      local seen
      local promise = datasession.spawn(function()
        local _ <close> = setmetatable({}, { __close = function(_, err)
          seen = err
          error("on closing")
        end })
        session:ping():await()
        boom()
      end)
      local _, err = promise:await(LIMIT)
      assert.matches("promise_spec%.lua:%d+: boom$", err.message)
      assert.equal(err.message, seen)
      assert.matches("on closing", takeTold()[1][1])
    end)

    it("adopts a promise that the function returns", function()
      assert.equal(session, (datasession.spawn(function() return session:ping() end):await(LIMIT)))
    end)

    it("takes a yield of values for an error", function()
      local closed = false
      local promise = datasession.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        coroutine.yield("mine")
      end)
      assert.is_true(closed)
      local _, err = promise:await()
      assert.matches("yielded values, which nothing takes", err.message)
      assert.matches("stack traceback:\n.*promise_spec%.lua", err.traceback)
    end)

    it("is cancelled: its coroutine is closed, and its <close> variables run", function()
      local ping = hanging()
      local order = {}
      local promise = datasession.spawn(function()
        await.guarded(function() order[#order + 1] = "closed" end, ping.await, ping)
        order[#order + 1] = "not reached"
      end)
      promise:always(function() order[#order + 1] = "told" end)
      assert.is_true(promise:cancel())
      assert.same({ "closed" }, order)
      assert.equal("cancelled", select(2, promise:await()).kind)
      assert.is_false(promise:cancel())
      assert.equal("pending", ping:state())
      ping:cancel()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "closed", "told" }, order)
    end)

    it("is cancelled in any order among those that wait for one promise; the others go on in theirs",
      function()
      local promise, resolve = open()
      local log, spawned, expected = {}, {}, {}
      for i = 1, 40 do
        spawned[i] = datasession.spawn(function()
          promise:await()
          log[#log + 1] = i
        end)
      end
      for i = 1, 100 do
        local at = (i * 17) % 41
        if at > 3 and at < 38 and at % 4 ~= 0 then spawned[at]:cancel() end
      end
      resolve()
      datasession.step()
      for i = 1, 40 do
        if spawned[i]:state() == "resolved" then expected[#expected + 1] = i else spawned[i]:fail(nothing) end
      end
      assert.same({ 1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 36, 38, 39, 40 }, expected)
      assert.same(expected, log)
    end)

    it("is cancelled with its time limit, so that nothing pends", function()
      local promise = datasession.spawn(function() datasession.promise(nothing):await(3600) end)
      assert.is_true(datasession.step())
      promise:cancel()
      datasession.step()
      assert.is_nil(datasession.timeout())
      assert.is_false(datasession.step())
    end)

    it("is cancelled by the end of a chain of next", function()
      local ping = hanging()
      local closed = false
      local last = datasession.spawn(function()
        await.guarded(function() closed = true end, ping.await, ping)
      end):next(boom)
      assert.is_true(last:cancel())
      assert.is_true(closed)
      assert.equal("cancelled", select(2, last:await(LIMIT)).kind)
      ping:cancel()
    end)

    it("is cancelled though its <close> variables wait, raise, or cancel it again", function()
      local ping = hanging()
      local promise, again, waited
      promise = datasession.spawn(function()
        await.guarded(function()
          again = promise:cancel()
          waited = session:isAuthorized():await(LIMIT)
          error("on closing")
        end, ping.await, ping)
      end)
      assert.is_true(promise:cancel())
      assert.is_false(again)
      assert.equal(session, waited)
      assert.matches("on closing", takeTold()[1][1])
      assert.equal("cancelled", select(2, promise:await()).kind)
      ping:cancel()
    end)

    it("cannot be cancelled from inside, nor while it waits for its caller", function()
      local promise, inside
      promise = datasession.spawn(function()
        session:ping():await()
        inside = promise:cancel()
        return "went on"
      end)
      assert.equal("went on", (promise:await(LIMIT)))
      assert.is_false(inside)
    end)

    it("rejects when the coroutine is closed or resumed by others", function()
      local co, resumed
      local ping = hanging()
      local function wait()
        co = coroutine.running()
        ping:await(3600)
      end
      local closed = datasession.spawn(wait)
      coroutine.close(co)
      ping:cancel()
      assert.equal("closed", select(2, closed:await(LIMIT)).kind)

      ping = hanging()
      local promise = datasession.spawn(wait)
      resumed = table.pack(coroutine.resume(co, "not what it awaits"))
      assert.is_false(resumed[1])
      assert.matches("which only await may do", resumed[2])
      assert.equal("closed", select(2, promise:await(LIMIT)).kind)
      ping:cancel()

      ping = hanging()
      promise = datasession.spawn(wait)
      coroutine.close(co)
      assert.is_true(promise:cancel())
      assert.equal("cancelled", select(2, promise:await(LIMIT)).kind)
      ping:cancel()
      assert.is_true(datasession.run(LIMIT))
      assert.is_nil(datasession.timeout())
    end)

    it("may start others, and wait for them", function()
      local promise = datasession.spawn(function()
        local inner = datasession.spawn(function() return (session:ping():await()) end)
        return inner:await()
      end)
      assert.equal(session, (promise:await(LIMIT)))
    end)

    it("that never waits long does not keep step from returning", function()
      local turns, go = 0, true
      local promise = datasession.spawn(function()
        while go do
          turns = turns + 1
          datasession.promise(function(resolve) resolve() end):await()
          if turns > 1e6 then error("for ever") end
          -- a settled promise does not suspend: the next one does
          datasession.promise(function(resolve) resolve() end):next(nothing):await()
        end
      end)
      assert.is_true(datasession.step())
      assert.equal(0, datasession.timeout())
      go = false
      assert(promise:next(function() return true end):await(LIMIT))
    end)
  end)

  describe("that was rejected and not handled", function()
    local function warnings()
      datasession.run(LIMIT)
      collectgarbage()
      collectgarbage()
      return takeTold()
    end

    it("is warned about once it is collected, and once", function()
      local kept = datasession.promise(boom)
      assert.same({}, warnings())
      assert.equal("rejected", kept:state())
      kept = nil -- luacheck: ignore
      local errors = warnings()
      assert.equal(1, #errors)
      assert.matches("a promise was rejected and not handled: .*boom\nstack traceback:", errors[1][1])
      assert.same({}, warnings())
    end)

    it("is warned about whatever made it", function()
      server:fault { kind = "status", status = 500, path = "oeping$", count = 0 }
      session:ping()
      assert.matches("not handled: ping: HTTP 500", warnings()[1][1])
      session:ping():next(nothing)
      assert.equal(1, #warnings())
      datasession.spawn(boom)
      assert.matches("not handled: .*boom", warnings()[1][1])
    end)

    it("is warned about though done was called", function()
      datasession.promise(boom):done(nothing)
      assert.equal(1, #warnings())
      local promise = datasession.promise(boom)
      datasession.step()
      promise:done(nothing)
      datasession.step()
      promise:done(nothing)
      assert.same({}, warnings())
      promise = nil -- luacheck: ignore
      assert.equal(1, #warnings())
    end)

    it("is not warned about when fail, always, next, await or cancel looked, before or after", function()
      for _, look in ipairs {
        function(promise) promise:fail(nothing) end,
        function(promise) promise:always(nothing) end,
        function(promise) promise:next(nothing):fail(nothing) end,
        function(promise) promise:await(LIMIT) end,
        function(promise) promise:cancel() end,
        function(promise) datasession.spawn(function() promise:await() end) end,
      } do
        local function try(late)
          local promise, _, reject = open()
          if late then
            reject("x")
            datasession.run(LIMIT)
            look(promise)
          else
            local ping = session:ping():done(function() reject("x") end)
            look(promise)
            ping:await(LIMIT)
          end
        end
        try(false)
        assert.same({}, warnings())
        try(true)
        assert.same({}, warnings())
      end
    end)
  end)

  describe("lives", function()
    it("though it is dropped: the call completes and the handlers run", function()
      local done = false
      session:ping():done(function() done = true end)
      local limit = os.time() + LIMIT
      while not done do
        collectgarbage()
        datasession.step(1)
        assert(os.time() < limit)
      end
    end)

    it("with its session while it is in flight, and no longer", function()
      local weak = setmetatable({}, { __mode = "v" })
      do
        local other = datasession.new { serviceURI = server.uris.anonymous }
        weak.session = other
        other:login():done(function(value) assert(value == weak.session) end)
      end
      collectgarbage()
      collectgarbage()
      assert.is_truthy(weak.session)
      assert.is_true(datasession.run(LIMIT))
      collectgarbage()
      collectgarbage()
      assert.is_nil(weak.session)
    end)

    it("with the coroutine that awaits it", function()
      local done = false
      datasession.spawn(function()
        session:ping():await()
        collectgarbage()
        session:ping():await(LIMIT)
        done = true
      end)
      collectgarbage()
      collectgarbage()
      assert.is_true(datasession.run(LIMIT))
      assert.is_true(done)
    end)
  end)

  -- One program with all features, under several settings of the collector.
  describe("that nothing can settle any more", function()
    local function collect()
      for _ = 1, 3 do collectgarbage() end
    end

    it("is collected with the coroutines that wait for it, whose <close> variables are closed", function()
      local alive, closed = setmetatable({}, { __mode = "k" }), 0
      local function wait(promise)
        local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
        local held = {}
        alive[held] = true
        promise:await()
        return held
      end
      for _ = 1, 10 do
        local promise = datasession.promise(nothing)
        datasession.spawn(wait, promise)
        datasession.spawn(function() wait(datasession.spawn(wait, promise)) end)
      end
      collect()
      assert.equal(30, closed)
      collect()
      assert.is_nil(next(alive))
      assert.is_false(datasession.pending())
    end)

    it("stays while something can, or can cancel what waits", function()
      local closed, results = 0, {}
      local function wait(promise, limit)
        local value = await.guarded(function() closed = closed + 1 end, promise.await, promise, limit)
        results[#results + 1] = value or "none"
      end
      local settleIt
      datasession.spawn(wait, datasession.promise(function(resolve) settleIt = resolve end))
      datasession.spawn(wait, datasession.promise(nothing), 0.01)
      local spawned = datasession.spawn(wait, datasession.promise(nothing))
      datasession.spawn(wait, session:ping())
      collect()
      assert.equal(0, closed)
      settleIt "settled"
      assert.is_true(datasession.run(LIMIT))
      collect()
      assert.equal(3, closed)
      table.sort(results, function(a, b) return tostring(a) < tostring(b) end)
      assert.same({ session, "none", "settled" }, results)
      assert.is_true(spawned:cancel())
      assert.equal(4, closed)
    end)

    it("reports an error of those <close> variables, and has them wait for nothing", function()
      local output = child.output [[
        local datasession = require "datasession"
        datasession.onError(print)
        local function wait(f)
          local _ <close> = setmetatable({}, { __close = f })
          datasession.promise(function() end):await()
        end
        datasession.spawn(wait, function() error("closing", 0) end)
        datasession.spawn(wait, function()
          print(pcall(function() datasession.promise(function() end):await() end))
        end)
        collectgarbage()
        collectgarbage()
        print "end"
      ]]
      assert.matches("closing", output)
      assert.matches("await would never return", output)
      assert.matches("end\n$", output)
    end)
  end)

  describe("survives", function()
    local LIFE = [==[
      local uri, mode = ...
      if mode == "generational" then
        collectgarbage "generational"
      elseif mode == "eager" then
        debug.sethook(function() collectgarbage() end, "", 10)
      end
      local datasession = require "datasession"
      local LIMIT = 60
      local count = 0
      local function tick() count = count + 1 end
      local closing, guard = require("datasession.internal.lua").closing, setmetatable({}, { __close = tick })
      local function session()
        return datasession.new { serviceURI = uri, authenticationModel = "basic" }
      end
      local one = session()
      one:subscribe("online", function() assert(one:ping():await(LIMIT)) tick() end)
      one:subscribe("online", tick, {})
      assert(one:login("lua", "secret"):done(tick):always(tick):await(LIMIT))
      for _ = 1, 3 do
        one:ping():done(tick):next(function() tick() return one:ping() end):next(tick)
        datasession.spawn(function()
          closing(guard, function()
            assert(one:ping():await())
            assert(not datasession.promise(function() end):await(0.001))
            error("boom")
          end)
        end):fail(tick)
      end
      local waiting = datasession.spawn(function()
        local never = datasession.promise(function() end)
        closing(guard, never.await, never, 3600)
      end):fail(tick)
      one:ping():fail(tick):cancel()
      datasession.step(0.01)
      assert(waiting:cancel())
      assert(datasession.run(LIMIT))
      one:logout():done(function() one:unsubscribeAll() tick() end)
      one:ping():fail(function(_, _, info) assert(info.errorObject.kind == "auth") tick() end)
      assert(datasession.run(LIMIT))
      one:invalidate():await(LIMIT)
      one = nil
      collectgarbage()
      print(count)
      assert(not datasession.step())
    ]==]

    for _, mode in ipairs { "incremental", "eager", _VERSION >= "Lua 5.4" and "generational" or nil } do
      it("a collector that is " .. mode, function()
        assert.equal("24\n", child.output(LIFE, server.uris.basic, mode))
      end)
    end
  end)
end)
