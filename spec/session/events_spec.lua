-- The events of a session: who is told, when, in which order, with what; and every way to subscribe wrongly.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"

local LIMIT = await.LIMIT

local function nothing() end

describe("a session's events", function()
  local server, session, told

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  before_each(function()
    told = {}
    datasession.onError(function(...) told[#told + 1] = ... end)
    server:clearFaults()
    server:setAppServer(true)
    session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
  end)

  after_each(function()
    session:invalidate()
    assert.is_true(datasession.run(LIMIT), "something is still in flight")
    datasession.onError(nil)
    assert.same({}, told, "errors that nobody expected")
  end)

  local function login()
    return assert(session:login("lua", "secret"):await(LIMIT))
  end

  local function ping()
    local promise = session:ping():fail(nothing)
    promise:await(LIMIT)
    return promise
  end

  -- The session notices that it is offline, then that it is online.
  local function lose()
    server:setAppServer(false)
    ping()
  end

  local function regain()
    server:setAppServer(true)
    ping()
  end

  -- A handler that notes its name and what it got.
  local function noter(log, name)
    return function(...)
      log[#log + 1] = name
      log.last = table.pack(...)
    end
  end

  describe("are told", function()
    it("as online(session, request) and offline(session, reason, request)", function()
      local log = {}
      session:subscribe("online", noter(log, "online")):subscribe("offline", noter(log, "offline"))
      login()
      assert.same({ "online" }, { table.unpack(log) })
      assert.equal(2, log.last.n)
      assert.equal(session, log.last[1])
      assert.is_nil(log.last[2])
      lose()
      assert.same({ "online", "offline" }, { table.unpack(log) })
      assert.equal(3, log.last.n)
      assert.equal(session, log.last[1])
      assert.equal(datasession.APPSERVER_OFFLINE, log.last[2])
      assert.is_nil(log.last[3])
      lose()
      regain()
      regain()
      assert.same({ "online", "offline", "online" }, { table.unpack(log) })
    end)

    it("from step alone, in the order of subscription", function()
      local log = {}
      for i = 1, 5 do session:subscribe("online", noter(log, i)) end
      local promise, limit = session:login("lua", "secret"), os.time() + LIMIT
      assert.same({}, log)
      while promise:state() == "pending" do
        assert(os.time() < limit)
        assert.same({}, log)
        datasession.step(1)
      end
      datasession.run(LIMIT)
      assert.same({ 1, 2, 3, 4, 5 }, { table.unpack(log) })
    end)

    it("to many handlers in the order of subscription, whichever of them come again or go", function()
      local log, handlers, expected = {}, {}, {}
      for i = 1, 200 do
        handlers[i] = function() log[#log + 1] = i end
        session:subscribe("online", handlers[i])
      end
      for i = 1, 200, 2 do session:unsubscribe("online", handlers[i]) end
      for i = 2, 200, 4 do session:subscribe("online", handlers[i]) end
      for i = 1, 20 do session:subscribe("online", handlers[i]):unsubscribe("online", handlers[i]) end
      for i = 24, 200, 4 do expected[#expected + 1] = i end
      for i = 22, 200, 4 do expected[#expected + 1] = i end
      login()
      assert.same(expected, log)
      for _, i in ipairs(expected) do session:unsubscribe("online", handlers[i]) end
      lose()
      regain()
      assert.equal(#expected, #log)
    end)

    it("to one handler once for each of many scopes", function()
      local log, scopes, expected = {}, {}, {}
      local function handler(scope) log[#log + 1] = scope.number end
      for i = 1, 100 do scopes[i] = { number = i } end
      for _, scope in ipairs(scopes) do session:subscribe("online", handler, scope) end
      session:subscribe("online", handler, scopes[1])
      for i = 2, 80 do session:unsubscribe("online", handler, scopes[i]) end
      for i = 81, 100 do expected[#expected + 1] = i end
      expected[#expected + 1] = 1
      login()
      assert.same(expected, log)
    end)

    it("before the handlers of the promise that brought them", function()
      local log = {}
      session:subscribe("online", noter(log, "event"))
      session:login("lua", "secret"):done(noter(log, "promise")):await(LIMIT)
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "event", "promise" }, { table.unpack(log) })
    end)

    it("to each session's own handlers", function()
      local log = {}
      local other = datasession.new { serviceURI = server.uris.anonymous }
      session:subscribe("online", noter(log, "mine"))
      other:subscribe("online", noter(log, "other's"))
      assert(other:login():await(LIMIT))
      assert.same({ "other's" }, { table.unpack(log) })
      assert.equal(other, log.last[1])
    end)

    it("with the scope first, where there is one", function()
      local scopes, calls = { {}, io.stdout, setmetatable({}, { __eq = function() return true end }) }, {}
      for _, scope in ipairs(scopes) do
        session:subscribe("online", function(...) calls[#calls + 1] = table.pack(...) end, scope)
      end
      login()
      assert.equal(3, #calls)
      for i, scope in ipairs(scopes) do
        assert.equal(3, calls[i].n)
        assert.is_true(rawequal(scope, calls[i][1]))
        assert.equal(session, calls[i][2])
      end
    end)

    it("though nobody holds the session any more", function()
      local log, weak = {}, setmetatable({}, { __mode = "v" })
      do
        local other = datasession.new { serviceURI = server.uris.anonymous }
        weak.other = other
        other:subscribe("online", noter(log, "online"))
        other:login()
      end
      collectgarbage()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "online" }, { table.unpack(log) })
      log.last = nil
      collectgarbage()
      collectgarbage()
      assert.is_nil(weak.other)
    end)
  end)

  describe("are subscribed to", function()
    it("by names in any case, and the session is given back", function()
      local log = {}
      assert.equal(session, session:subscribe("OnLine", noter(log, "online")))
      local handler = noter(log, "again")
      assert.equal(session, session:subscribe("ONLINE", handler))
      assert.equal(session, session:unsubscribe("online", handler))
      login()
      assert.same({ "online" }, { table.unpack(log) })
      assert.equal(session, session:unsubscribeAll("Online"))
      assert.equal(session, session:unsubscribeAll())
    end)

    it("once by the same handler, which moves to the end", function()
      local log = {}
      local first, second = noter(log, "first"), noter(log, "second")
      session:subscribe("online", first)
      session:subscribe("online", second)
      session:subscribe("online", first, nil)
      login()
      assert.same({ "second", "first" }, { table.unpack(log) })
    end)

    it("by the same handler once for each scope", function()
      local log, one, two = {}, { name = "one" }, { name = "two" }
      local function handler(scope) log[#log + 1] = scope.name or "none" end
      session:subscribe("online", handler, one):subscribe("online", handler, two)
      session:subscribe("online", function() handler {} end):subscribe("online", handler, one)
      login()
      assert.same({ "two", "none", "one" }, log)
      session:unsubscribe("online", handler, two)
      lose()
      regain()
      assert.same({ "two", "none", "one", "none", "one" }, log)
      session:unsubscribe("online", handler)
      lose()
      regain()
      assert.equal(7, #log)
    end)

    it("and left, one by one, all of one event, or all", function()
      local log = {}
      local online, offline = noter(log, "online"), noter(log, "offline")
      session:subscribe("online", online):subscribe("offline", offline)
      session:unsubscribe("online", offline):unsubscribe("offline", online):unsubscribe("online", online, {})
      login()
      assert.same({ "online" }, { table.unpack(log) })
      session:unsubscribeAll("offline")
      lose()
      regain()
      assert.same({ "online", "online" }, { table.unpack(log) })
      session:subscribe("offline", offline):unsubscribeAll()
      lose()
      regain()
      assert.same({ "online", "online" }, { table.unpack(log) })
      session:subscribe("offline", offline)
      lose()
      assert.same({ "online", "online", "offline" }, { table.unpack(log) })
    end)

    it("also when the session is logged out, or ended", function()
      local log = {}
      login()
      assert(session:logout():await(LIMIT))
      session:subscribe("online", noter(log, "online"))
      login()
      assert.same({ "online" }, { table.unpack(log) })
      assert(session:invalidate():await(LIMIT))
      assert.equal(session, session:subscribe("online", nothing):unsubscribe("online",
        nothing):unsubscribeAll())
    end)

    it("by arguments that are right", function()
      for _, name in ipairs { "subscribe", "unsubscribe" } do
        local function call(...) return session[name](session, ...) end
        local function raises(pattern, ...)
          local arguments = table.pack(...)
          assert.error_matches(function() call(table.unpack(arguments, 1, arguments.n)) end, pattern)
        end
        raises("an event's name expected, got no value")
        raises("an event's name expected, got nil", nil, nothing)
        raises("an event's name expected, got number", 1, nothing)
        raises("an event's name expected, got table", {}, nothing)
        raises("unknown event '': expected one of online, offline, expired, renewed, lost, " ..
      "reconnecting, reconnected, reconnectFailed, statusChanged", "", nothing)
        raises("unknown event 'onlin': did you mean 'online'?", "onlin", nothing)
        raises("unknown event 'online%z?", "online\0", nothing)
        raises("unknown event 'onlines'", "onlines") -- before the number of arguments
        raises("function expected, got no value", "online")
        raises("function expected, got nil", "online", nil)
        raises("function expected, got string", "online", "f")
        raises("function expected, got table", "online", setmetatable({}, { __call = nothing }))
        raises("a table or userdata expected, got number", "online", nothing, 1)
        raises("a table or userdata expected, got boolean", "online", nothing, false)
        raises("a table or userdata expected, got string", "online", nothing, "scope")
        raises("a table or userdata expected, got function", "online", nothing, nothing)
        assert.equal(session, call("online", nothing, nil))
        assert.error_matches(function() session[name]({}, "online", nothing) end,
          "datasession%.session expected")
      end
      local function all(event) return function() session:unsubscribeAll(event) end end
      assert.error_matches(all "never", "unknown event 'never'")
      assert.error_matches(all(1), "an event's name expected, got number")
      assert.error_matches(all {}, "an event's name expected, got table")
      assert.equal(session, session:unsubscribeAll(nil))
    end)
  end)

  describe("have handlers that may", function()
    it("unsubscribe themselves, and others, who are then not told", function()
      local log = {}
      local third = noter(log, "third")
      local first
      first = function()
        log[#log + 1] = "first"
        session:unsubscribe("online", first):unsubscribe("online", third)
      end
      session:subscribe("online", first):subscribe("online", noter(log, "second")):subscribe("online", third)
      login()
      lose()
      regain()
      assert.same({ "first", "second", "second" }, { table.unpack(log) })
    end)

    it("unsubscribe all", function()
      local log = {}
      session:subscribe("online", function()
        log[#log + 1] = "first"
        session:unsubscribeAll()
      end):subscribe("online", noter(log, "second"))
      login()
      lose()
      regain()
      assert.same({ "first" }, { table.unpack(log) })
    end)

    it("subscribe others, who are told the next time", function()
      local log = {}
      session:subscribe("online", function()
        log[#log + 1] = "first"
        session:subscribe("online", noter(log, "new"))
      end):subscribe("online", noter(log, "second"))
      login()
      assert.same({ "first", "second" }, { table.unpack(log) })
    end)

    it("leave and come again, which is a new subscription", function()
      local log = {}
      local second = noter(log, "second")
      session:subscribe("online", function()
        log[#log + 1] = "first"
        session:unsubscribe("online", second):subscribe("online", second)
      end):subscribe("online", second)
      login()
      assert.same({ "first" }, { table.unpack(log) })
      lose()
      regain()
      assert.same({ "first", "first" }, { table.unpack(log) })
    end)

    it("move another to the end, who is told all the same", function()
      local log = {}
      local second = noter(log, "second")
      session:subscribe("online", function() session:subscribe("online", second) end):subscribe("online",
        second)
      login()
      assert.same({ "second" }, { table.unpack(log) })
    end)

    it("raise, which is told to onError, and the others are still told", function()
      local log = {}
      session:subscribe("online", function() error "boom" end):subscribe("online", noter(log, "second"))
      login()
      assert.same({ "second" }, { table.unpack(log) })
      assert.matches("events_spec%.lua:%d+: boom\nstack traceback:", told[1])
      told = {}
    end)

    it("log out", function()
      local log = {}
      session:subscribe("online", function()
        session:logout():done(noter(log, "logged out"))
        log[#log + 1] = session.state
      end):subscribe("online", noter(log, "second"))
      session:login("lua", "secret"):always(noter(log, "login")):await(LIMIT)
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "logged out", "second", "login", "logged out" }, { table.unpack(log) })
      assert.is_false(session.connected)
    end)

    it("invalidate", function()
      local log = {}
      session:subscribe("online", function() session:invalidate():done(noter(log, "ended")) end)
      session:subscribe("online", noter(log, "second"))
      session:login("lua", "secret"):always(noter(log, "login"))
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "second", "login", "ended" }, { table.unpack(log) })
      assert.equal("invalid", session.state)
    end)

    it("await, while those behind them are told", function()
      local log = {}
      session:subscribe("online", function()
        assert(session:ping():await(LIMIT))
        log[#log + 1] = "first"
      end):subscribe("online", noter(log, "second"))
      login()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "second", "first" }, { table.unpack(log) })
    end)

    it("await what is told by another event", function()
      local log = {}
      session:subscribe("offline", function()
        log[#log + 1] = "offline"
        server:setAppServer(true)
        assert(session:ping():await(LIMIT))
        log[#log + 1] = "and back"
      end):subscribe("online", noter(log, "online"))
      login()
      lose()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "online", "offline", "online", "and back" }, { table.unpack(log) })
    end)

    it("start coroutines that wait", function()
      local log = {}
      session:subscribe("online", function()
        datasession.spawn(function()
          assert(session:ping():await())
          log[#log + 1] = "coroutine"
        end)
      end)
      login()
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "coroutine" }, log)
    end)
  end)

  describe("survive", function()
    for _, mode in ipairs { "incremental", "eager", _VERSION >= "Lua 5.4" and "generational" or nil } do
      it("a collector that is " .. mode, function()
        assert.equal("305\n", child.output([[
          local uri, mode = ...
          if mode == "generational" then
            collectgarbage "generational"
          elseif mode == "eager" then
            debug.sethook(function() collectgarbage() end, "", 200)
          end
          local datasession = require "datasession"
          local count = 0
          local session = datasession.new { serviceURI = uri }
          for i = 1, 20 do
            local scope = { i }
            local function handler(self, who)
              assert(self == scope and who == session)
              count = count + 1
              if i % 4 == 0 then session:unsubscribe("online", handler, scope) end
              if i % 4 == 1 then session:subscribe("online", handler, scope) end
              if i == 7 then
                session:unsubscribeAll("offline")
                session:subscribe("offline", handler, scope)
              end
            end
            session:subscribe("online", handler, scope)
          end
          local function round()
            assert(session:login():await(60))
            assert(session:logout():await(60))
          end
          local before
          repeat
            before = count
            round()
            assert(count - before == 15 or count == 20)
          until count >= 300
          print(count)
        ]], server.uris.anonymous, mode))
      end)
    end
  end)
end)
