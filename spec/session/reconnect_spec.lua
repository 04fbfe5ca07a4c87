-- Re-establishment: a session that was lost, or whose server cannot be reached, comes back by itself. Proved
-- by killing the server's sessions, its connections and the server itself at every point of a running
-- exchange.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local CUSTOMERS = "/rest/CustomerService/Customer"

describe("re-establishment", function()
  local server

  setup(function()
    server = assert(sandbox.start { customers = 2, users = { lua = "secret", guest = "hush" } })
  end)
  teardown(function() server:close() end)

  before_each(function() sessions.refresh(server) end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  local EVENTS = { "online", "offline", "lost", "expired", "reconnecting", "reconnected", "reconnectFailed" }

  -- A session that is logged in, and the names of its events from then on.
  local function loggedIn(model, options)
    options = options or {}
    if options.reconnect == nil then options.reconnect = { maxAttempts = 3, delay = 0.02 } end
    if options.keepCredentials == nil then options.keepCredentials = true end
    local session = sessions.loggedIn(server, model, options)
    datasession.run(LIMIT)
    server:clearRequests()
    local events = {}
    for _, name in ipairs(EVENTS) do
      session:subscribe(name, function() events[#events + 1] = name end)
    end
    return session, events
  end

  local function get(session, options)
    options = options or {}
    options.path = CUSTOMERS
    return session:request(options)
  end

  local function post(session, options)
    options = options or {}
    options.path, options.json = CUSTOMERS, { Name = "Lift" }
    return session:request(options)
  end

  local function asked(method, path)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.method == method and request.path:find(path, 1, true) then n = n + 1 end
    end
    return n
  end

  it("logs in again when the server has lost the session, and repeats a request that is safe", function()
    local session, events = loggedIn "form"
    server:expireSessions "form"
    local response = assert(get(session):await(LIMIT))
    assert.equal(200, response.status)
    datasession.run(LIMIT)
    assert.same({ "lost", "offline", "reconnecting", "online", "reconnected" }, events)
    assert.equal("connected", session.state)
    assert.equal(2, asked("GET", CUSTOMERS))
    assert.equal(1, asked("POST", "j_spring_security_check"))
  end)

  it("does so for each model that can show who it is", function()
    for _, model in ipairs { "anonymous", "basic" } do
      local session, events = loggedIn(model)
      server:fault { kind = "status", status = 401, model = model, path = CUSTOMERS }
      assert(get(session):await(LIMIT))
      datasession.run(LIMIT)
      assert.same({ "lost", "offline", "reconnecting", "online", "reconnected" }, events)
    end
  end)

  it("gives the new login a provider of its own", function()
    local session = loggedIn "form"
    local former = session.authProvider
    server:expireSessions "form"
    assert(get(session):await(LIMIT))
    assert.not_equal(former, session.authProvider)
    assert.is_true(session.authProvider:hasClientCredentials())
  end)

  it("is not begun without the option, nor without what it would log in with", function()
    local without = { { reconnect = false }, { keepCredentials = false },
      { reconnect = { maxAttempts = 0 } } }
    for _, options in ipairs(without) do
      local session, events = loggedIn("form", options)
      server:expireSessions "form"
      assert.equal("expired", rejected(get(session)).kind)
      datasession.run(LIMIT)
      assert.same({ "lost", "offline" }, events)
      assert.equal("expired", session.state)
      assert.equal(0, asked("POST", "j_spring_security_check"))
    end
  end)

  it("finds a session that the server still has without logging in anew, credentials or not", function()
    local session, events = loggedIn("form", { keepCredentials = false })
    server:stop()
    assert.equal("connect", rejected(session:ping()).kind)
    assert(server:start())
    assert(get(session):await(LIMIT))
    datasession.run(LIMIT)
    assert.equal("offline", events[1])
    assert.equal("reconnecting", events[2])
    assert.same({ "online", "reconnected" }, { events[#events - 1], events[#events] })
    assert.equal(0, asked("POST", "j_spring_security_check"))
  end)

  it("logs in anew when the server, there again, knows the session no more", function()
    local session, events = loggedIn "form"
    server:stop()
    assert.equal("connect", rejected(session:ping()).kind)
    server:expireSessions "form"
    assert(server:start())
    assert(get(session):await(LIMIT))
    datasession.run(LIMIT)
    assert.same({ "online", "reconnected" }, { events[#events - 1], events[#events] })
    assert.equal(1, asked("POST", "j_spring_security_check"))
  end)

  it("is not begun by a first login that fails: that is the application's", function()
    local session = datasession.new {
      serviceURI = server.uris.form, authenticationModel = "form", reconnect = { delay = 0.02 },
      keepCredentials = true,
    }
    local begun
    session:subscribe("reconnecting", function() begun = true end)
    assert.equal("auth", rejected(session:login("lua", "wrong")).kind)
    server:stop()
    assert.equal("connect", rejected(session:login("lua", "secret")).kind)
    datasession.run(LIMIT)
    assert.is_nil(begun)
  end)

  it("tells each attempt, its reason, and the wait before it", function()
    local session = loggedIn("form", { reconnect = { maxAttempts = 5, delay = 0.01, backoff = 3,
      maxDelay = 0.05 } })
    local attempts, failed = {}, nil
    session:subscribe("reconnecting", function(_, attempt, reason, wait)
      attempts[attempt] = { reason, math.floor(wait * 1000 + 0.5) }
    end)
    session:subscribe("reconnectFailed", function(_, n, err) failed = { n, err.kind } end)
    server:stop()
    rejected(session:ping())
    assert.is_true(datasession.run(LIMIT))
    local reason = datasession.SERVER_OFFLINE
    assert.same({ { reason, 0 }, { reason, 10 }, { reason, 30 }, { reason, 50 }, { reason, 50 } }, attempts)
    assert.same({ 5, "connect" }, failed)
  end)

  it("spreads the waits of many sessions", function()
    local waits, many = {}, {}
    for i = 1, 8 do
      local session = loggedIn("anonymous", { reconnect = { maxAttempts = 2, delay = 0.02, jitter = 0.5 } })
      session:subscribe("reconnecting", function(_, attempt, _, wait)
        if attempt == 2 then waits[#waits + 1] = wait end
      end)
      many[i] = session
    end
    server:stop()
    for _, session in ipairs(many) do rejected(session:ping()) end
    assert.is_true(datasession.run(LIMIT))
    assert.equal(8, #waits)
    table.sort(waits)
    assert.is_true(waits[1] >= 0.01 and waits[8] <= 0.03 and waits[8] > waits[1])
  end)

  it("gives up when the attempts are used up: once in the log, with everything cleaned up", function()
    local session, events = loggedIn("form", { reconnect = { maxAttempts = 2, delay = 0.02 } })
    local log = {}
    datasession.setLogger(function(level, event, about, fields)
      if event ~= "reconnectFailed" then return end
      log[#log + 1] = { level, about, fields.attempts, fields.reason, fields.kind }
    end)
    server:stop()
    rejected(session:ping())
    local waiting = { get(session), post(session), session:ping(), session:isAuthorized() }
    for _, promise in ipairs(waiting) do assert.equal("offline", rejected(promise).kind) end
    assert.is_true(datasession.run(LIMIT))
    assert.same({ "offline", "reconnecting", "reconnecting", "reconnectFailed" }, events)
    assert.same({ { "error", session, 2, datasession.SERVER_OFFLINE, "connect" } }, log)
    assert.equal("expired", session.state)
    assert.is_false(datasession.pending())
    -- what comes now is not repaired again, and a login works as ever
    rejected(get(session))
    assert.is_true(datasession.run(LIMIT))
    assert.equal(1, #log)
    assert(server:start())
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(get(session):await(LIMIT))
  end)

  it("stops at once when the credentials are refused", function()
    local session, events = loggedIn("form", { reconnect = { maxAttempts = 9, delay = 0.02 } })
    server:expireSessions "form"
    server:fault { kind = "status", status = 401, path = "j_spring_security_check", count = 0 }
    assert.equal("offline", rejected(get(session)).kind)
    datasession.run(LIMIT)
    assert.equal("reconnectFailed", events[#events])
    assert.equal(1, asked("POST", "j_spring_security_check"))
  end)

  it("leaves no session on the server by an attempt that the form accepts and the check does not", function()
    local session, events = loggedIn "form"
    server:expireSessions "form"
    server:fault { kind = "status", status = 500, path = "home%.html$", count = 2 }
    assert(get(session):await(LIMIT))
    assert.equal("reconnected", events[#events])
    assert.equal(3, asked("POST", "j_spring_security_check"))
    await.stepUntil(function() return server:sessionCount "form" == 1 end)
  end)

  it("loads the catalogs that a loss has kept from coming, and those alone", function()
    local real, other = server.catalogURIs.form, server.uris.form .. "/static/other.json"
    local session, events = loggedIn "form"
    server:fault { kind = "status", status = 200, path = "other.json$", body = '{"services":[]}' }
    server:expireSessions "form"
    local same, result, info = session:addCatalog { other, real, real }:await(LIMIT)
    assert.equal(session, same, tostring(result))
    assert.equal(datasession.SUCCESS, result)
    assert.same({ 1, 1, 4 }, { info.details[1].result, info.details[2].result, info.details[3].result })
    assert.is_nil(info.details[2].errorObject)
    assert.same({ other, real }, session.catalogURIs)
    assert.same({ 1, 2 }, { asked("GET", "other.json"), asked("GET", "CustomerService.json") })
    assert.equal("reconnected", events[#events])
  end)

  it("adds a long catalog once, though another one comes only after a loss", function()
    local place = server.uris.form .. "/static/"
    local session = loggedIn "form"
    local function serve(name, status)
      local body = ('{"services":[]%s}'):format((" "):rep(70000 + #name))
      server:fault { kind = "status", status = status, path = name .. "$", body = body }
    end
    serve("long.json", 200)
    serve("longer.json", 401)
    serve("longer.json", 200)
    server:expireSessions "form"
    local _, result, info = session:addCatalog { place .. "long.json", place .. "longer.json" }:await(LIMIT)
    assert.equal(datasession.SUCCESS, result)
    assert.same({ 1, 1 }, { info.details[1].result, info.details[2].result })
    assert.same({ 1, 2 }, { asked("GET", "/long.json"), asked("GET", "longer.json") })
  end)

  it("loads a catalog whose server comes back meanwhile", function()
    local session, events = loggedIn("form", { reconnect = { maxAttempts = 1000, delay = 0.02 } })
    server:stop()
    local loading = session:addCatalog(server.catalogURIs.form)
    await.stepUntil(function() return events[#events] == "reconnecting" end)
    assert(server:start())
    assert(loading:await(LIMIT))
    assert.equal(1, #session.catalogs)
    assert.same({ "offline", "reconnecting" }, { events[1], events[2] })
    assert.same({ "online", "reconnected" }, { events[#events - 1], events[#events] })
  end)

  it("tells of a catalog that the session may not have, without logging in anew", function()
    local session = loggedIn "form"
    server:fault { kind = "status", status = 401, path = "json$" }
    assert.equal("auth", rejected(session:addCatalog(server.catalogURIs.form .. "?6")).kind)
    assert.equal(0, asked("POST", "j_spring_security_check"))
    assert.is_true(session.connected)
  end)

  it("says how a lost session comes back, and never to call what it calls itself", function()
    local hints = {
      [loggedIn "form"] = "the session is being re-established",
      [loggedIn("form", { keepCredentials = false })] =
        "log in again; with keepCredentials = true the session does so itself",
    }
    server:expireSessions "form"
    for session, hint in pairs(hints) do
      assert.equal(hint, rejected(session:isAuthorized(), "expired").hint)
    end
    local session = loggedIn("form", { reconnect = { maxAttempts = 1 } })
    server:expireSessions "form"
    server:fault { kind = "status", status = 500, path = "j_spring_security_check" }
    rejected(get(session), "offline")
    assert.equal("it could not be re-established: log in again",
      rejected(session:isAuthorized(), "expired").hint)
  end)

  it("lets calls made meanwhile wait, each within its own time", function()
    local session = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 30 } })
    server:stop()
    rejected(session:ping())
    local state
    session:subscribe("reconnecting", function(_, attempt)
      state = attempt == 2 and session.state or state end)
    while not state do datasession.step(0.1) end
    assert.equal("reconnecting", state)
    local err = rejected(get(session, { timeout = 0.05 }))
    assert.equal("timeout", err.kind)
    assert.is_true(err.retryable)
    assert.matches("not re%-established", err.message)
    assert.equal("reconnecting", session.state)
  end)

  it("takes a waiting call back when it is cancelled", function()
    local session = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 30 } })
    server:stop()
    rejected(session:ping())
    local promise = get(session)
    promise:cancel()
    assert.equal("cancelled", rejected(promise).kind)
  end)

  it("ends with the session, whichever way that ends", function()
    for _, ending in ipairs { "logout", "disconnect", "invalidate" } do
      assert(server:start())
      local session, events = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 30 } })
      server:stop()
      rejected(session:ping())
      local waiting = get(session)
      session[ending](session):await(LIMIT)
      local err = rejected(waiting)
      assert.is_true(err.kind == "cancelled" or err.kind == "closed", err.kind)
      assert.is_true(datasession.run(LIMIT))
      assert.is_nil(table.concat(events, " "):match "reconnected")
      assert.is_not.equal("reconnecting", session.state)
    end
    assert(server:start())
    local session = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 30 } })
    server:stop()
    rejected(session:ping())
    assert.is_true(datasession.endSession(session))
    assert.is_true(datasession.run(LIMIT))
  end)

  it("refuses another login meanwhile, and says why", function()
    local session = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 30 } })
    server:stop()
    rejected(session:ping())
    local err = rejected(session:login("lua", "secret"))
    assert.equal("auth", err.kind)
    assert.matches("being re%-established", err.message)
  end)

  it("repeats nothing for another user", function()
    local session = loggedIn "form"
    server:fault { kind = "slow", delay = 0.3, path = CUSTOMERS }
    server:fault { kind = "close", path = CUSTOMERS }
    local old = get(session)
    session:logout():await(LIMIT)
    local slow = old:await(LIMIT) -- answered, or refused: not begun again
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.equal(1, asked("GET", CUSTOMERS), tostring(slow))
  end)

  it("repeats no call of one user as another, whose login comes before the call's 401", function()
    for _, model in ipairs { "form", "basic" } do
      local session = loggedIn(model)
      server:fault { kind = "status", status = 401, delay = 0.3, path = CUSTOMERS }
      local old = get(session)
      await.stepUntil(function() return asked("GET", CUSTOMERS) == 1 end)
      session:logout():await(LIMIT)
      assert(session:login("guest", "hush"):await(LIMIT))
      rejected(old)
      datasession.run(LIMIT)
      assert.equal(1, asked("GET", CUSTOMERS), model)
      assert.same({ "guest", "connected" }, { session.userName, session.state })
      session:invalidate():await(LIMIT)
    end
  end)

  it("repeats a call once that the server refuses each time", function()
    local session = loggedIn "form"
    server:fault { kind = "status", status = 401, path = CUSTOMERS, count = 0 }
    rejected(get(session))
    assert.equal(2, asked("GET", CUSTOMERS))
  end)

  it("leaves a repeated call what remains of its time", function()
    local session = loggedIn "form"
    server:expireSessions "form"
    server:fault { kind = "slow", delay = 0.3, path = "j_spring_security_check" }
    local order = {}
    local call = get(session, { timeout = 0.5 })
    await.stepUntil(function() return asked("GET", CUSTOMERS) == 1 end)
    server:fault { kind = "slow", delay = LIMIT, path = CUSTOMERS }
    call:always(function() order[#order + 1] = "call" end)
    local later = datasession.spawn(function()
      datasession.sleep(0.6)
      order[#order + 1] = "later"
      return true
    end)
    rejected(call, "timeout")
    assert(later:await(LIMIT))
    assert.same({ "call", "later" }, order)
    server:clearFaults()
  end)

  describe("with the server killed at every point", function()
    local ways = {
      { "its connection reset", { kind = "reset" } },
      { "its connection closed", { kind = "close" } },
      { "its answer cut short", { kind = "truncate", after = 3 } },
      { "its session gone", { kind = "status", status = 401 } },
      { "its application gone", { kind = "status", status = 404 } },
      { "its application broken", { kind = "status", status = 503 } },
      { "an empty answer", { kind = "empty" } },
      { "a stranger's page", { kind = "html" } },
    }
    local points = {
      request = CUSTOMERS, check = "/static/home.html", login = "j_spring_security_check",
    }

    local function broken(way, path, count)
      local fault = { path = path, count = count or 1, model = "form" }
      for name, value in pairs(way) do fault[name] = value end
      server:fault(fault)
    end

    for _, way in ipairs(ways) do
      for _, point in ipairs { "request", "check", "login" } do
        it(("survives %s at the %s"):format(way[1], point), function()
          local session, events = loggedIn("form", { reconnect = { maxAttempts = 3, delay = 0.01 } })
          if point ~= "request" then server:expireSessions "form" end
          broken(way[2], points[point])
          local settled, again = 0, 0
          local safe, unsafe = get(session), post(session)
          for _, promise in ipairs { safe, unsafe } do
            promise:always(function() settled = settled + 1 end)
          end
          safe:await(LIMIT)
          unsafe:await(LIMIT)
          assert.is_true(datasession.run(LIMIT), "something hangs")
          assert.equal(2, settled)
          for _, request in ipairs(server:requests()) do
            if request.method == "POST" and request.path:find(CUSTOMERS, 1, true) and
              request.status ~= 401 then
              again = again + 1
            end
          end
          assert.is_true(again <= 1, "a request that is not safe was sent again")
          for i = 2, #events do
            assert.is_false(events[i] == "reconnected" and events[i - 1] == "reconnected")
          end
          assert.is_true(session.state == "connected" or session.state == "expired" or
            session.state == "offline",
            session.state)
        end)
      end
    end

    for _, when in ipairs { "before", "amid", "after" } do
      it(("survives the server's death %s an unsafe request"):format(when), function()
        local session = loggedIn("form", { reconnect = { maxAttempts = 200, delay = 0.01 } })
        local promise
        if when == "before" then
          server:stop()
          promise = post(session)
        else
          server:fault { kind = when == "amid" and "slow" or "close", delay = 5, path = CUSTOMERS }
          promise = post(session)
          repeat
            datasession.step(0.01)
          until server:awaitRequests(1, 0.01)
          server:stop()
        end
        local n = 0
        promise:always(function() n = n + 1 end)
        local restarted
        session:subscribe("reconnecting", function(_, attempt)
          if attempt == 3 and not restarted then
            restarted = true
            assert(server:start())
          end
        end)
        local value, err = promise:await(LIMIT)
        assert.is_true(datasession.run(LIMIT))
        assert.equal(1, n)
        if when == "before" then
          -- it never reached the server, so it was sent when the server was back
          assert.is_truthy(value or err.httpStatus, tostring(err))
          assert.equal(1, asked("POST", CUSTOMERS))
        else
          assert.is_nil(value)
          assert.is_true(asked("POST", CUSTOMERS) <= 1)
          assert.matches("idempotent", tostring(err))
        end
      end)
    end

    it("sends an unsafe request again if it is marked idempotent", function()
      local session = loggedIn "form"
      server:fault { kind = "close", path = CUSTOMERS }
      local value, err = post(session, { idempotent = true }):await(LIMIT)
      assert.is_truthy(value or err.httpStatus)
      assert.equal(2, asked("POST", CUSTOMERS))
    end)

    it("does not send a safe one again if it is marked otherwise", function()
      local session = loggedIn "form"
      server:fault { kind = "close", path = CUSTOMERS }
      assert.equal("connect", rejected(get(session, { idempotent = false })).kind)
      datasession.run(LIMIT)
      assert.equal(1, asked("GET", CUSTOMERS))
    end)
  end)

  it("reads its option, and shows it", function()
    local function with(reconnect)
      return datasession.new { serviceURI = server.uris.anonymous, reconnect = reconnect }.reconnect
    end
    assert.is_nil(with(nil))
    assert.is_nil(with(false))
    assert.same({ maxAttempts = 3, delay = 1.0, backoff = 1.0, maxDelay = 60.0, jitter = 0.0 }, with(true))
    assert.same({ maxAttempts = 9, delay = 1.0, backoff = 2.0, maxDelay = 60.0, jitter = 0.0 },
      with { maxAttempts = 9, backoff = 2 })
    for message, reconnect in pairs {
      ["option 'reconnect': expected a table or a boolean, got number"] = 3,
      ["did you mean 'maxAttempts'"] = { maxAttempt = 2 },
      ["option 'maxAttempts': expected a whole number"] = { maxAttempts = 1.5 },
      ["option 'delay': expected a number"] = { delay = "1" },
      ["option 'backoff': expected a factor"] = { backoff = 0.5 },
      ["option 'jitter': expected a part"] = { jitter = 2 },
    } do
      assert.error_matches(function() with(reconnect) end, message)
    end
  end)
end)
