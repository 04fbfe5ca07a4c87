-- ping: what it makes of every answer, which address it asks, and the timer of pingInterval.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local listen = sessions.listen

describe("a ping", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:setPing "new"
    server:setAppServer(true)
    for model in pairs(server.uris) do
      server:setApplication(model, true)
    end
    server:expireSessions()
  end)

  after_each(sessions.endAll)

  local function loggedIn(model, options)
    local session = sessions.loggedIn(server, model, options)
    datasession.run(options and options.pingInterval and 0 or LIMIT)
    server:clearRequests()
    return session
  end

  local NEW, CLASSIC, HOME = "/rest/_oepingService/_oeping", "/rest/_oeping", "/static/home.html"

  -- The paths asked since the last look.
  local function asked()
    local list = {}
    for i, request in ipairs(server:requests()) do
      assert.equal("GET", request.method)
      list[i] = request.path:match("^/[^/]*(.*)$")
    end
    server:clearRequests()
    return list
  end

  it("is refused to a session that is not logged in, without asking the server", function()
    local session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
    server:clearRequests()
    local err = rejected(session:ping())
    assert.equal("auth", err.kind)
    assert.equal(datasession.GENERAL_FAILURE, err.result)
    rejected(session:login("lua", "wrong"))
    server:clearRequests()
    assert.equal("auth", rejected(session:ping()).kind)
    assert.same({}, asked())
  end)

  it("resolves with the session, true and the answer", function()
    for _, model in ipairs { "anonymous", "basic", "form" } do
      local session = loggedIn(model)
      local value, result, info = session:ping():await(LIMIT)
      assert.equal(session, value)
      assert.is_true(result)
      assert.equal(200, info.xhr.status)
      assert.is_nil(info.offlineReason)
      assert.same({ NEW }, asked())
    end
  end)

  describe("asks", function()
    local services = { new = { NEW }, classic = { NEW, CLASSIC }, none = { NEW, CLASSIC, HOME } }

    for service, expected in pairs(services) do
      it("once it knows where, one request: with service " .. service, function()
        for _, model in ipairs { "anonymous", "basic", "form" } do
          local session = loggedIn(model)
          server:setPing(service)
          assert(session:ping():await(LIMIT))
          assert.same(expected, asked())
          for _ = 1, 2 do
            assert(session:ping():await(LIMIT))
            assert.same({ expected[#expected] }, asked())
          end
        end
      end)

      it("where it is told to by a login after a logout: with service " .. service, function()
        server:setPing(service)
        local session = loggedIn "form"
        assert(session:ping():await(LIMIT))
        assert(session:logout():await(LIMIT))
        assert(session:login("lua", "secret"):await(LIMIT))
        server:clearRequests()
        assert(session:ping():await(LIMIT))
        assert.same(expected, asked())
      end)
    end

    it("again everywhere, each once, when the address that it knew is no more", function()
      local session = loggedIn "basic"
      assert(session:ping():await(LIMIT))
      server:setPing "classic"
      asked()
      assert(session:ping():await(LIMIT))
      assert.same({ NEW, CLASSIC }, asked())
      server:setPing "none"
      assert(session:ping():await(LIMIT))
      assert.same({ CLASSIC, NEW, HOME }, asked())
      server:setPing "new"
      assert(session:ping():await(LIMIT))
      assert.same({ HOME }, asked())
    end)

    it("again for the address that proved nothing", function()
      local session = loggedIn "basic"
      local faults = {
        { kind = "status", status = 500 }, { kind = "html" }, { kind = "malformed" },
        { kind = "reset", count = 0 },
      }
      for _, fault in ipairs(faults) do
        server:fault(fault)
        rejected(session:ping())
        server:clearFaults()
        asked()
      end
      server:setPing "classic"
      assert(session:ping():await(LIMIT))
      assert.same({ NEW, CLASSIC }, asked())
    end)

    it("and comes back to the right address when the application was gone at the first", function()
      for service, expected in pairs(services) do
        local session = loggedIn "basic"
        server:setPing(service)
        server:setApplication("basic", false)
        local events = listen(session)
        local err = rejected(session:ping())
        assert.equal("offline", err.kind)
        assert.equal(datasession.WEB_APPLICATION_OFFLINE, err.info.offlineReason)
        assert.same({ NEW, CLASSIC, HOME }, asked())
        server:setApplication("basic", true)
        assert(session:ping():await(LIMIT))
        assert.same(expected, asked())
        datasession.run(LIMIT)
        assert.same({ datasession.WEB_APPLICATION_OFFLINE, "online" }, events)
      end
    end)

    it("one request where the service says that there is no AppServer", function()
      server:setPing "classic"
      server:setAppServer(false)
      local session = loggedIn "basic"
      assert.equal(datasession.APPSERVER_OFFLINE, rejected(session:ping()).info.offlineReason)
      asked()
      assert.equal(datasession.APPSERVER_OFFLINE, rejected(session:ping()).info.offlineReason)
      assert.same({ CLASSIC }, asked())
    end)

    it("without Authorization where there is none, and with the session's headers", function()
      local session = loggedIn "form"
      assert(session:ping():await(LIMIT))
      local headers = server:requests()[1].headers
      assert.equal("application/json", headers.accept)
      assert.equal("no-cache", headers["cache-control"])
      assert.equal(session.clientContextId, headers["x-client-context-id"])
      assert.is_nil(headers.authorization)
    end)
  end)

  describe("judges", function()
    local GONE, DOWN = datasession.WEB_APPLICATION_OFFLINE, datasession.APPSERVER_OFFLINE
    local EXPIRED, AWAY = datasession.SESSION_EXPIRED, datasession.SERVER_OFFLINE

    local function json(body, status)
      return { kind = "status", status = status or 200, contentType = "application/json", body = body }
    end

    local function page(body, contentType)
      return { kind = "status", status = 200, contentType = contentType or "text/html; charset=UTF-8",
        body = body }
    end

    local answers = {
      { "the text of the new service", json '{"response":{"_retVal":""}}' },
      { "PingStatus \"true\"", json '{"AppServerStatus":{"PingStatus":"true"}}' },
      { "PingStatus true", json '{"AppServerStatus":{"PingStatus":true}}' },
      { "PingStatus of another kind", json '{"AppServerStatus":{"PingStatus":0}}' },
      { "PingStatus elsewhere", json '{"PingStatus":"false"}' },
      { "no status", json '{"AppServerStatus":{}}' },
      { "a status that is null", json '{"AppServerStatus":null,"PingStatus":null}' },
      { "a list", json '["PingStatus"]' },
      { "some text", { kind = "status", status = 200, body = "it is up" } },
      { "text that speaks of PingStatus", { kind = "status", status = 200, body = "PingStatus: false" } },
      { "nothing", { kind = "empty" } },
      { "204", { kind = "status", status = 204 } },
      { "201", json("{}", 201) },
      { "PingStatus \"false\"", json '{"AppServerStatus":{"PingStatus":"false"}}', DOWN, "offline" },
      { "PingStatus \"FALSE\"", json '{"AppServerStatus":{"PingStatus":"FALSE"}}', DOWN, "offline" },
      { "PingStatus false", json '{"AppServerStatus":{"PingStatus":false}}', DOWN, "offline" },
      { "PingStatus \"false\" of another type", page('{"AppServerStatus":{"PingStatus":"false"}}', "x/y"),
        DOWN,
        "offline" },
      { "500", json('{"_errors":[]}', 500), DOWN, "offline" },
      { "401", json("{}", 401), EXPIRED, "expired" },
      { "401 with broken JSON", json("{broken", 401), EXPIRED, "expired" },
      { "403 everywhere", { kind = "status", status = 403, count = 0 }, EXPIRED, "expired" },
      { "403 of the ping service alone", json("{}", 403), nil, "http" },
      { "401 in the body", json '{"status_code":401,"status_txt":"Unauthorized"}', EXPIRED, "expired" },
      { "a login page", { kind = "loginPage" }, EXPIRED, "expired" },
      { "a redirect to a login page",
        { kind = "redirect", location = "/SportsForm/static/auth/login.jsp" }, EXPIRED, "expired" },
      { "a page", { kind = "html" }, GONE, "protocol" },
      { "a page that calls itself text", page(" \n<!DOCTYPE html><p>Welcome", "text/plain"), GONE,
        "protocol" },
      { "broken JSON", { kind = "malformed" }, GONE, "protocol" },
      { "what is not HTTP", { kind = "raw", body = "SSH-2.0\r\n" }, GONE, "protocol" },
      { "a redirect elsewhere", { kind = "redirect", location = "http://localhost:1/" }, nil, "protocol" },
      { "a redirect without end", { kind = "redirect", location = NEW, count = 0 }, nil, "protocol" },
      { "a reset", { kind = "reset", count = 0 }, AWAY, "connect" },
      { "a close", { kind = "close", count = 0 }, AWAY, "connect" },
      { "half an answer", { kind = "truncate" }, AWAY, "connect" },
    }
    for _, status in ipairs { 502, 503, 504 } do
      answers[#answers + 1] = { tostring(status), { kind = "status", status = status }, GONE, "offline" }
    end
    for _, status in ipairs { 404, 410 } do
      local fault = { kind = "status", status = status, count = 0 }
      answers[#answers + 1] = { status .. " everywhere", fault, GONE, "offline" }
    end
    for _, status in ipairs { 301, 304, 400, 405, 406, 418, 429, 501, 507 } do
      answers[#answers + 1] = { tostring(status), { kind = "status", status = status }, nil, "http" }
    end

    for _, answer in ipairs(answers) do
      local name, fault, reason, kind = table.unpack(answer, 1, 4)
      local said = kind and "a failure that says nothing of the session" or "all is well"
      it(("%s as: %s"):format(name, reason or said), function()
        for _, model in ipairs { "anonymous", "basic", "form" } do
          local session = loggedIn(model)
          local events = listen(session)
          server:fault(fault)
          local value, result, info = session:ping():await(LIMIT)
          datasession.run(LIMIT)
          local requests = #asked()
          server:clearFaults()
          if not kind then
            assert.equal(session, value)
            assert.is_true(result)
            assert.same({}, events)
            assert.equal(1, requests)
          else
            local err = result
            assert.is_nil(value)
            assert.equal(kind, err.kind)
            assert.is_false(err.result)
            assert.equal(reason, err.info.offlineReason)
            assert.equal(err, err.info.errorObject)
            assert.is_nil(info)
            assert.same({ reason }, events)
            assert.equal(not reason, session.connected)
            assert.equal(reason == EXPIRED and 2 or 1, session.loginResult)
          end
        end
      end)
    end

    it("403 of the ping service alone by asking the login target once", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = loggedIn(model)
        server:fault { kind = "status", status = 403, path = "_oeping$" }
        local err = rejected(session:ping(), "http")
        assert.same({ 403, false }, { err.httpStatus, err.result })
        assert.matches("this user is not allowed to use the ping service", err.message)
        assert.same({ NEW, HOME }, asked())
        assert.same({ "connected", 1, 200 }, { session.state, session.loginResult, session.loginHttpStatus })
        server:fault { kind = "status", status = 403, path = "_oeping$" }
        server:fault { kind = "status", status = 401, path = "home%.html$" }
        assert.equal(401, rejected(session:ping(), "expired").httpStatus)
        assert.equal("expired", session.state)
      end
    end)

    it("an X-CLIENT-PROPS that is no JSON alike each time", function()
      local session = loggedIn "anonymous"
      server:setContextProperties("anonymous", "not json")
      local errors = {}
      for _ = 1, 3 do
        local err = rejected(session:ping(), "protocol")
        errors[("%s %s %s"):format(err.retryable, err.info.offlineReason, err)] = true
      end
      server:setContextProperties "anonymous"
      assert.is_true(session.connected)
      assert.equal(1, (function() local n = 0 for _ in pairs(errors) do n = n + 1 end return n end)())
      assert.equal("false", next(errors):match "^%l+")
    end)

    it("the login target, where there is no ping service, by its status and by what kind of page it is",
      function()
      server:setPing "none"
      local session = loggedIn "form"
      assert(session:ping():await(LIMIT))
      server:fault { kind = "loginPage" }
      assert.equal("expired", rejected(session:ping()).kind)
      session = loggedIn "basic"
      assert(session:ping():await(LIMIT))
      server:fault { kind = "status", status = 503 }
      assert.equal(GONE, rejected(session:ping()).info.offlineReason)
      assert(session:ping():await(LIMIT))
      assert.is_true(session.connected)
    end)

    it("the AppServer that stops and starts", function()
      for _, service in ipairs { "new", "classic" } do
        local session = loggedIn "form"
        local events = listen(session)
        server:setPing(service)
        assert(session:ping():await(LIMIT))
        server:setAppServer(false)
        local err = rejected(session:ping())
        assert.is_false(err.result)
        assert.is_true(err.retryable)
        server:setAppServer(true)
        assert(session:ping():await(LIMIT))
        datasession.run(LIMIT)
        assert.same({ DOWN, "online" }, events)
      end
    end)

    it("several at a time, each with an answer of its own and one event for all", function()
      local session = loggedIn "basic"
      local events, promises = listen(session), {}
      server:fault { kind = "status", status = 503, count = 0 }
      for i = 1, 5 do
        promises[i] = session:ping()
      end
      for i = 1, 5 do
        assert.is_false(rejected(promises[i]).result)
      end
      datasession.run(LIMIT)
      assert.same({ GONE }, events)
    end)
  end)

  describe("by pingInterval", function()
    local function seen()
      local n = 0
      for _, request in ipairs(server:requests()) do
        if request.path:find "_oeping$" then
          n = n + 1
        end
      end
      return n
    end

    local function untilSeen(n)
      await.stepUntil(function() return seen() >= n end)
    end

    -- Nothing more is timed or pending: no ping can come.
    local function assertSilent()
      assert.is_true(datasession.run(LIMIT))
      local before = seen()
      assert.is_nil(datasession.timeout())
      datasession.step(0)
      assert.equal(before, seen())
    end

    it("starts with a login when it was set before, and goes on", function()
      local session = datasession.new {
        serviceURI = server.uris.basic, authenticationModel = "basic", pingInterval = 20,
      }
      assert.equal(20, session.pingInterval)
      server:clearRequests()
      assertSilent()
      assert(session:login("lua", "secret"):await(LIMIT))
      untilSeen(3)
    end)

    it("starts when it is set, stops at 0", function()
      local session = loggedIn "basic"
      session.pingInterval = 10
      untilSeen(2)
      session.pingInterval = 0
      assertSilent()
    end)

    it("has one timer, however often it is set", function()
      local session = loggedIn "basic"
      for _ = 1, 10 do
        session.pingInterval = 3600000
      end
      session.pingInterval = 10
      untilSeen(3)
      session.pingInterval = 3600000
      datasession.step(0)
      while session:ping():await(LIMIT) and seen() < 5 do
        datasession.step(0)
      end
      assert.is_true(datasession.timeout() > 3000)
      session.pingInterval = 0
      assertSilent()
    end)

    it("waits for the interval from the last answer of the application on", function()
      local session = loggedIn("basic", { pingInterval = 3600000 })
      session.pingInterval = 3600000
      assert(session:ping():await(LIMIT))
      assert.is_true(datasession.timeout() > 3000)
      assert.equal(1, seen())
    end)

    it("stops at logout, keeps its value, and resumes with the next login", function()
      local session = loggedIn("form", { pingInterval = 10 })
      untilSeen(1)
      assert(session:logout():await(LIMIT))
      assert.equal(10, session.pingInterval)
      assertSilent()
      assert(session:login("lua", "secret"):await(LIMIT))
      server:clearRequests()
      untilSeen(2)
    end)

    it("goes on after a logout and a login, whatever becomes of a ping that was under way", function()
      server:fault { kind = "slow", delay = 60, path = "_oeping$" }
      local session = loggedIn("basic", { pingInterval = 5 })
      untilSeen(1)
      session:logout()
      assert(session:login("lua", "secret"):await(LIMIT))
      untilSeen(3)
      session.pingInterval = 0
    end)

    it("stops at invalidate", function()
      local session = loggedIn("form", { pingInterval = 10 })
      untilSeen(1)
      assert(session:invalidate():await(LIMIT))
      assertSilent()
      session.pingInterval = 5
      assertSilent()
    end)

    it("stops with the session that nobody holds", function()
      loggedIn("basic", { pingInterval = 3600000 })
      assert.is_truthy(datasession.timeout())
      collectgarbage()
      collectgarbage()
      assertSilent()
    end)

    it("stops when the session has expired, and resumes when it is authorized again", function()
      local session = loggedIn("form", { pingInterval = 10 })
      local events = listen(session)
      server:expireSessions "form"
      while not events[1] do
        datasession.step(0.01)
      end
      assert.same({ datasession.SESSION_EXPIRED }, events)
      assertSilent()
      assert(session:login("lua", "secret"):await(LIMIT))
      server:clearRequests()
      untilSeen(2)
    end)

    it("notices the application going and coming back", function()
      local session = loggedIn("basic", { pingInterval = 10 })
      local events = listen(session)
      server:setApplication("basic", false)
      while not events[1] do
        datasession.step(0.01)
      end
      server:setApplication("basic", true)
      while not events[2] do
        datasession.step(0.01)
      end
      assert.same({ datasession.WEB_APPLICATION_OFFLINE, "online" }, events)
    end)

    it("is quiet about what fails: nobody asked", function()
      local reported = {}
      datasession.onError(function(err) reported[#reported + 1] = tostring(err) end)
      local session = loggedIn("basic", { pingInterval = 5 })
      server:fault { kind = "status", status = 503, count = 0 }
      untilSeen(3)
      session.pingInterval = 0
      assert(session:logout():await(LIMIT))
      assertSilent()
      collectgarbage()
      collectgarbage()
      datasession.step(0)
      datasession.onError(nil)
      assert.same({}, reported)
    end)

    it("sends no second ping while one is under way", function()
      server:fault { kind = "slow", delay = 0.3, path = "_oeping$" }
      local session = loggedIn("basic", { pingInterval = 5 })
      untilSeen(1)
      local deadline = 0
      while deadline < 20 do
        datasession.step(0.005)
        deadline = deadline + 1
      end
      assert.equal(1, seen())
      untilSeen(2)
      session.pingInterval = 0
    end)
  end)
end)
