-- Keys, the active session, and ending a session from outside: politely, or at once.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

describe("the active session", function()
  local server

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function() sessions.refresh(server) end)

  after_each(function()
    sessions.endAll()
    assert.is_nil(datasession.activeSession())
  end)

  local function made(model)
    return sessions.new(server, model)
  end

  local function loggedIn(model)
    return sessions.loggedIn(server, model)
  end

  it("is the one on which the last call was made, by whatever call", function()
    local a, b = made(), made()
    assert.is_nil(datasession.activeSession()) -- to be made is no call
    assert(a:login():await(LIMIT))
    assert.equal(a, datasession.activeSession())
    assert(b:login():await(LIMIT))
    for _, call in ipairs {
      function(s) return s:ping() end,
      function(s) return s:isAuthorized() end,
      function(s) return s:request { path = "static/home.html" } end,
      function(s) return s:addCatalog "static/CustomerService.json" end,
    } do
      local other = datasession.activeSession() == a and b or a
      call(other)
      assert.equal(other, datasession.activeSession())
    end
    datasession.run(LIMIT)
  end)

  it("is not changed by pings of the timer", function()
    local a, b = loggedIn(), loggedIn()
    a.pingInterval = 5
    server:clearRequests()
    while #server:requests() == 0 do datasession.step(0.05) end
    a.pingInterval = 0
    assert.equal(b, datasession.activeSession())
  end)

  it("is the live one that was used last, in whatever order they are used and end", function()
    local used = {} -- the last one last
    for i = 1, 40 do
      used[i] = made()
      datasession.setActiveSession(used[i])
    end
    for i = 1, 40, 3 do
      local session = table.remove(used, i)
      used[#used + 1] = session
      assert.equal(session, datasession.setActiveSession(session))
    end
    for i = 1, 100 do
      local at = i * 7 % #used + 1
      local session = table.remove(used, at)
      if i % 3 == 0 then
        session:invalidate()
        datasession.setActiveSession(session)
        if #used == 0 then break end
      else
        session.pingInterval = 0
        used[#used + 1] = datasession.setActiveSession(session)
      end
      assert.equal(used[#used], datasession.activeSession())
    end
    used = nil -- luacheck: ignore (what is collected gives way, too)
    collectgarbage()
    collectgarbage()
    assert.is_nil(datasession.activeSession())
  end)

  it("is set by session or by key, and by nothing else", function()
    local a, b = loggedIn(), loggedIn()
    assert.equal(a, datasession.setActiveSession(a))
    assert.equal(a, datasession.activeSession())
    assert.equal(b, datasession.setActiveSession(b.key))
    assert.equal(b, datasession.activeSession())
    local nothing, message = datasession.setActiveSession "jsdo-0000"
    assert.is_nil(nothing)
    assert.matches("no live session", message)
    assert.equal(b, datasession.activeSession())
    assert.error_matches(function() datasession.setActiveSession(1) end, "a session, or the key of one")
  end)

  it("is, when it has ended, the live one that was used last", function()
    local a, b, c = loggedIn(), loggedIn(), loggedIn()
    datasession.setActiveSession(a)
    datasession.setActiveSession(b)
    assert(b:logout():await(LIMIT))
    assert.equal(a, datasession.activeSession())
    a:invalidate():await(LIMIT)
    assert.equal(c, datasession.activeSession())
    c = nil -- collected: ended too
    collectgarbage()
    collectgarbage()
    assert.is_nil(c or datasession.activeSession())
  end)

  it("has a key of its own, which says what it is and does not change", function()
    local a, b = made(), made()
    assert.matches("^jsdo%-" .. ("%x"):rep(32) .. "$", a.key)
    assert.equal(a.key, a.key)
    assert.is_not.equal(a.key, b.key)
    assert.error_matches(function() a.key = "x" end, "read%-only")
    a:invalidate()
    assert.is_nil((datasession.setActiveSession(a.key)))
  end)

  describe("is stopped politely", function()
    it("when its server agrees", function()
      local session = loggedIn "form"
      local log = {}
      local promise = datasession.stopSession(session.key, 5, function(key) log[#log + 1] = key end, error)
      assert.equal("closing", session.state)
      assert.equal("closed", rejected(session:ping()).kind) -- no more calls
      local value, result = promise:await(LIMIT)
      datasession.run(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.same({ session.key }, log)
      assert.equal("logged out", session.state)
      assert.equal(0, server:sessionCount "form")
      assert(session:login("lua", "secret"):await(LIMIT))
    end)

    it("and goes on when its server does not, or not in time", function()
      local session = loggedIn "form"
      local log = {}
      local function failed(key, reason, err) log[#log + 1] = { key, reason, err.kind } end
      server:fault { kind = "status", status = 500, path = "logout", body = "Busy.",
        contentType = "text/plain" }
      local err = rejected(datasession.stopSession(nil, 5, error, failed))
      assert.matches("^stop: HTTP 500 .*: the server did not end the session; the server says: Busy%.$",
        err.message)
      assert.is_true(err.retryable)
      assert.equal("connected", session.state)
      assert(session:ping():await(LIMIT))
      server:fault { kind = "slow", delay = 5, path = "logout" }
      rejected(datasession.stopSession(session, 0.05, error, failed))
      datasession.run(LIMIT)
      assert.same({ { session.key, "error", "http" }, { session.key, "timeout", "timeout" } }, log)
      assert.equal("offline", session.state)
    end)

    it("and tells of a server that stalls as of one that is late", function()
      local session = sessions.loggedIn(server, "form", { stallTimeout = 1 })
      local told
      server:fault { kind = "slow", delay = 5, path = "logout" }
      local err = rejected(datasession.stopSession(session, 20, error, function(_, reason) told = reason end))
      datasession.run(LIMIT)
      assert.same({ "stall", "timeout" }, { err.kind, told })
    end)

    it("once at a time, and without callbacks if there are none", function()
      local session = loggedIn "form"
      local first = datasession.stopSession(session, 5)
      assert.equal("closed", rejected(session:stop(5)).kind)
      assert(first:await(LIMIT))
      assert(datasession.stopSession(loggedIn "anonymous", 0):await(LIMIT))
    end)

    it("and ends all the same when it is ended meanwhile", function()
      local session = loggedIn "form"
      local reasons = {}
      server:fault { kind = "slow", delay = 5, path = "logout" }
      datasession.stopSession(session, 10, error, function(_, reason) reasons[#reasons + 1] = reason end)
      datasession.step(0.01)
      assert.is_true(datasession.endSession(session.key))
      assert.equal("invalid", session.state)
      server:stop()
      datasession.run(LIMIT)
      assert.same({ "error" }, reasons)
    end)

    it("by arguments that are right", function()
      local session = loggedIn()
      for message, arguments in pairs {
        ["no live session has that key"] = { "jsdo-1", 1 },
        ["expected a session or its key, got number"] = { 1, 1 },
        ["timeout: expected a number of seconds, 0 or more, got nil"] = { session },
        ["0 or more, got %-1"] = { session, -1 },
        ["onSuccess: expected a function or nil, got number"] = { session, 1, 1 },
        ["onFailure: expected a function or nil, got string"] = { session, 1, nil, "x" },
      } do
        assert.error_matches(function() datasession.stopSession(table.unpack(arguments, 1, 4)) end, message)
      end
      session:invalidate():await(LIMIT)
      assert.error_matches(function() datasession.stopSession(nil, 1) end, "there is no active session")
    end)
  end)

  describe("is ended at once", function()
    it("by key, by session, or being the active one; its server is told", function()
      for _, by in ipairs { "key", "session", "active" } do
        local session = loggedIn "form"
        local waiting = session:ping()
        local key = by == "key" and session.key or by == "session" and session or nil
        assert.is_true(datasession.endSession(key))
        assert.equal("invalid", session.state)
        assert.equal("closed", rejected(waiting).kind)
        assert.is_true(datasession.run(LIMIT))
        assert.equal(0, server:sessionCount "form")
        assert.is_false(datasession.endSession(session.key))
      end
      assert.is_false(datasession.endSession())
      assert.error_matches(function() datasession.endSession(1) end, "expected a session or its key")
    end)

    it("in bounded time, also when its server says nothing", function()
      local session = loggedIn "form"
      server:fault { kind = "slow", delay = 30, path = "logout" }
      assert.is_true(datasession.endSession(session))
      assert.is_true(datasession.run(LIMIT))
    end)
  end)

  it("ends closed when its variable does", function()
    local kept
    do
      local session <close> = loggedIn "form"
      kept = session
    end
    assert.equal("invalid", kept.state)
    assert.equal(0, server:sessionCount "form")
  end)
end)
