-- Calls that are sent again after a failure that passes.
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local CUSTOMERS, PATTERN = "/rest/CustomerService/Customer", "CustomerService/Customer"

describe("retry", function()
  local server

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function()
    sessions.refresh(server)
    server:expireSessions()
  end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  -- The option for specs: the budget of the shared server is not theirs.
  local function soon(options)
    local all = { delay = 0.001, budget = false }
    for name, value in pairs(options or {}) do all[name] = value end
    return all
  end

  -- The events of a session: arrays { attempt, wait, error }.
  local function listen(session)
    local events = {}
    session:subscribe("retry", function(from, ...)
      assert.equal(session, from)
      events[#events + 1] = { ... }
    end)
    return events
  end

  local function loggedIn(retry, model, options)
    local all = { retry = retry or soon() }
    for name, value in pairs(options or {}) do all[name] = value end
    local session = sessions.loggedIn(server, model, all)
    server:clearRequests()
    return session, listen(session)
  end

  local function refuse(count, options)
    local all = { kind = "status", status = 503, path = PATTERN, count = count }
    for name, value in pairs(options or {}) do all[name] = value end
    server:fault(all)
  end

  local function get(session, options)
    local all = { path = CUSTOMERS }
    for name, value in pairs(options or {}) do all[name] = value end
    return session:request(all)
  end

  local function asked(path)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.path:find(path) then n = n + 1 end
    end
    return n
  end

  -- A session whose request waits for its second attempt, for a minute.
  local function waiting(model)
    local session, events = loggedIn(soon { delay = 60 }, model)
    refuse(1)
    local request = get(session)
    await.stepUntil(function() return #events > 0 end)
    return session, request, events
  end

  describe("of a request", function()
    it("sends it again, tells each attempt, and counts them", function()
      local session, events = loggedIn(soon { jitter = 0, delay = 0.002, backoff = 3 })
      refuse(2)
      local response = assert(get(session):await(LIMIT))
      assert.equal(3, response.attempts)
      assert.equal(3, asked(PATTERN))
      assert.equal(2, #events)
      for i, event in ipairs(events) do
        local attempt, wait, err = table.unpack(event)
        assert.equal(i + 1, attempt)
        assert.equal(i, err.attempts)
        assert.equal(503, err.httpStatus)
        assert.equal(session, err.session)
        assert.near(0.002 * 3 ^ (i - 1), wait, 1e-9)
      end
    end)

    it("gives up after maxAttempts, and says so", function()
      for retry, attempts in pairs { [1] = 1, [2] = 2, [true] = 3 } do
        local session = loggedIn(soon())
        refuse(0)
        local err = rejected(get(session, { retry = retry == true and soon() or retry }), "http")
        assert.equal(attempts, err.attempts)
        assert.equal(attempts, asked(PATTERN))
        local told = err.message:match "; gave up after (%d) attempts$"
        assert.equal(attempts > 1 and tostring(attempts) or nil, told)
        assert.equal(503, err.response.status)
        sessions.refresh(server)
      end
    end)

    it("is off by default, and the request's own option counts", function()
      local session = sessions.loggedIn(server)
      assert.is_nil(session.retry)
      refuse(1)
      local err = rejected(get(session))
      assert.is_nil(err.attempts)
      refuse(1)
      assert.equal(2, assert(get(session, { retry = soon() }):await(LIMIT)).attempts)
      local other = loggedIn()
      for _, off in ipairs { false, 1 } do
        refuse(1)
        assert.equal(503, rejected(get(other, { retry = off })).httpStatus)
      end
      refuse(1)
      assert.equal(2, assert(get(other):await(LIMIT)).attempts)
    end)

    it("takes a copy of the options, and asks onOpenRequest each time", function()
      local session, opened = loggedIn(), 0
      session.onOpenRequest = function() opened = opened + 1 end
      refuse(1)
      local options = { path = CUSTOMERS, headers = { ["X-Own"] = "mine" } }
      local request = session:request(options)
      options.path, options.headers = "/elsewhere", nil
      assert(request:await(LIMIT))
      assert.equal(2, opened)
      for _, each in ipairs(server:requests()) do assert.equal("mine", each.headers["x-own"]) end
    end)

    it("is for statuses that pass; the option `statuses` names others", function()
      local session = loggedIn()
      for status, attempts in pairs { [404] = 1, [429] = 2, [500] = 1, [502] = 2, [504] = 2 } do
        refuse(1, { status = status })
        local response, err = get(session):await(LIMIT)
        assert.equal(attempts, response and response.attempts or err.attempts, status)
      end
      local own = soon { statuses = { 404, 500 } }
      for status, attempts in pairs { [404] = 2, [429] = 1, [500] = 2, [503] = 1 } do
        refuse(1, { status = status })
        local response, err = get(session, { retry = own }):await(LIMIT)
        assert.equal(attempts, response and response.attempts or err.attempts, status)
      end
    end)

    it("is for failures that pass; the option `kinds` names others", function()
      local session = loggedIn()
      server:fault { kind = "truncate", path = PATTERN }
      assert.equal(2, assert(get(session):await(LIMIT)).attempts)
      server:fault { kind = "slow", delay = LIMIT, path = PATTERN }
      assert.equal(2, assert(get(session, { timeout = 0.2 }):await(LIMIT)).attempts)
      local raw = { kind = "raw", body = "no HTTP\r\n\r\n", path = PATTERN }
      server:fault(raw)
      assert.equal(1, rejected(get(session), "protocol").attempts)
      server:fault(raw)
      local own = soon { kinds = { "protocol", "timeout" } }
      assert.equal(2, assert(get(session, { retry = own }):await(LIMIT)).attempts)
      server:fault { kind = "truncate", path = PATTERN }
      assert.equal(1, rejected(get(session, { retry = own }), "connect").attempts)
    end)

    it("sends nothing twice that the server may have run, unless it is idempotent", function()
      local session, events = loggedIn()
      local function post(options)
        options.method, options.json = "POST", { Name = "Lift" }
        return get(session, options)
      end
      refuse(1)
      local err = rejected(post {}, "http")
      assert.equal(1, err.attempts)
      assert.truthy(err.hint:find("pass idempotent = true", 1, true))
      server:fault { kind = "reset", path = PATTERN }
      assert.truthy(rejected(post {}, "connect").hint)
      assert.equal(2, asked(PATTERN))
      refuse(1)
      assert.equal(503, rejected(get(session, { idempotent = false })).httpStatus)
      assert.equal(0, #events)
      refuse(1)
      assert.equal(2, assert(post({ idempotent = true }):await(LIMIT)).attempts)
    end)

    it("sends any request again that cannot have reached the server", function()
      local session = loggedIn()
      server:stop()
      session:subscribe("retry", function(_, _, _, err)
        assert.equal("connect", err.kind)
        assert(server:start())
      end)
      local response = assert(get(session, { method = "POST", json = { Name = "Lift" } }):await(LIMIT))
      assert.equal(2, response.attempts)
      assert.equal("connected", session.state)
    end)

    it("ends where the session does", function()
      local session = loggedIn()
      server:fault { kind = "status", status = 401, path = PATTERN }
      assert.equal(1, rejected(get(session)).attempts)
    end)

    it("of a logged-out session is not sent again", function()
      local session, events = loggedIn(soon(), "basic")
      server:fault { kind = "slow", delay = LIMIT, path = PATTERN }
      local request = get(session, { timeout = 0.2 })
      await.stepUntil(function() return asked(PATTERN) > 0 end)
      session:logout():await(LIMIT)
      rejected(request, "timeout")
      assert.equal(0, #events)
    end)
  end)

  describe("of a body that flows", function()
    local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    local other

    before_each(function() other = assert(fault_server.start()) end)
    after_each(function() other:close() end)

    local function new()
      local uri = "http://127.0.0.1:" .. other:port() .. "/App"
      return datasession.new { serviceURI = uri, proxy = false, retry = soon() }
    end

    it("begins again as long as the program has no piece of it", function()
      other:answer("GET /App/a", { "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nsoon" })
      local session, pieces = new(), {}
      session:subscribe("retry", function()
        other:answer("GET /App/a", { CHUNKED .. "5\r\nhello\r\n0\r\n\r\n" })
      end)
      local response = assert(session:request({ path = "/a", saveTo = function(piece)
        pieces[#pieces + 1] = piece
      end }):await(LIMIT))
      assert.equal("hello", table.concat(pieces))
      assert.equal(2, response.attempts)
    end)

    it("is not sent again once it has one", function()
      other:answer("GET /App/a", { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", fault_server.CLOSE })
      local session = new()
      local events = listen(session)
      local response = assert(session:request({ path = "/a", stream = true }):await(LIMIT))
      assert.equal(1, response.attempts)
      assert.has_error(function()
        for _ in response:chunks() do end
      end)
      assert.equal(0, #events)
    end)
  end)

  describe("with Retry-After", function()
    -- The wait before the second attempt, or the error if there is none.
    local function waitOf(headers, retry)
      local session, events = loggedIn(soon(retry))
      refuse(1, { headers = headers })
      local request = get(session)
      local failure
      request:next(nil, function(err) failure = err end)
      await.stepUntil(function() return failure or #events > 0 end)
      request:cancel()
      return events[1] and events[1][2], failure
    end

    local DATE, LATER = "Mon, 01 Jan 2024 10:00:00 GMT", "Mon, 01 Jan 2024 10:00:40 GMT"

    it("waits as long as it asks, in seconds or until a date of the server's clock", function()
      assert.is_true(waitOf { ["Retry-After"] = "40" } >= 40)
      local wait = waitOf { ["Retry-After"] = LATER, Date = DATE }
      assert.is_true(wait >= 40 and wait < 41)
      assert.is_true(waitOf { ["Retry-After"] = DATE, Date = LATER } < 1)
      assert.is_true(waitOf { ["Retry-After"] = "tomorrow" } < 1)
      assert.is_true(waitOf { ["Retry-After"] = ("9"):rep(60) } < 1)
      assert.is_true(waitOf { ["Retry-After"] = "0" } < 1)
      assert.is_true(waitOf({ ["Retry-After"] = "1" }, { delay = 20 }) > 10)
    end)

    it("takes its own clock where the server has none", function()
      local session, events = loggedIn(soon { maxDelay = "9000h" })
      server:fault { kind = "raw", path = PATTERN, body = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n" ..
        os.date("!Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n\r\n", os.time() + 3000) }
      local request = get(session)
      await.stepUntil(function() return #events > 0 end)
      assert.is_true(events[1][2] > 2900 and events[1][2] < 3001)
      request:cancel()
    end)

    it("lets many sessions come back one after another", function()
      local waits = {}
      for _ = 1, 4 do
        local wait = waitOf({ ["Retry-After"] = "30" }, { delay = 1, jitter = 1 })
        assert.is_true(wait >= 30 and wait <= 32)
        waits[wait] = true
      end
      local first = next(waits)
      assert.truthy(next(waits, first))
    end)

    it("gives up at once if it asks for more than maxDelay", function()
      local _, err = waitOf({ ["Retry-After"] = "61" })
      assert.equal(1, err.attempts)
      assert.truthy(err.message:find("try again in 61 s (Retry-After); not sent again: " ..
        "Retry-After is above maxDelay (60 s)", 1, true))
      assert.truthy(waitOf({ ["Retry-After"] = "61" }, { maxDelay = "2m" }))
    end)

    it("gives up at once if it asks for more than what is left", function()
      local _, err = waitOf({ ["Retry-After"] = "50" }, { totalTimeout = "40s" })
      local expected = "not sent again: totalTimeout leaves no time for another attempt"
      assert.truthy(err.message:find(expected, 1, true))
    end)
  end)

  describe("within totalTimeout", function()
    it("ends when it has passed, waits included", function()
      local session = loggedIn(soon { maxAttempts = 1000, totalTimeout = 0.2 })
      refuse(0)
      local err = rejected(get(session), "http")
      assert.is_true(err.attempts > 1)
      assert.truthy(err.message:find("totalTimeout", 1, true))
    end)

    it("cuts the attempt that would take longer", function()
      local session = loggedIn(soon { totalTimeout = "300ms" })
      server:fault { kind = "slow", delay = LIMIT, path = PATTERN, count = 0 }
      local err = rejected(get(session), "timeout")
      assert.equal(1, err.attempts)
      assert.truthy(err.message:find("totalTimeout", 1, true))
    end)

    it("is none unless it is given: then the session's timeout ends each attempt", function()
      local session = loggedIn(soon { maxAttempts = 2 }, nil, { timeout = 0.5 })
      refuse(1)
      server:fault { kind = "slow", delay = 60, path = PATTERN }
      local err = rejected(get(session), "timeout")
      assert.equal(2, err.attempts)
      assert.matches("not done after 0.5 seconds", err.message, 1, true)
    end)

    it("is the request's timeout if it is true", function()
      local session = loggedIn(soon { totalTimeout = true })
      assert.is_true(session.retry.totalTimeout)
      server:fault { kind = "slow", delay = LIMIT, path = PATTERN, count = 0 }
      local err = rejected(get(session, { timeout = 0.2 }), "timeout")
      assert.equal(1, err.attempts)
      local other = loggedIn(soon { totalTimeout = true }, nil, { timeout = 0.2 })
      assert.equal(1, rejected(get(other), "timeout").attempts)
    end)
  end)

  describe("while it waits", function()
    it("is a timer of the loop", function()
      local _, request = waiting()
      local left = datasession.timeout()
      assert.is_true(left > 30 and left <= 75)
      request:cancel()
    end)

    it("can be cancelled", function()
      local _, request = waiting()
      assert.is_true(request:cancel())
      assert.equal(1, rejected(request, "cancelled").attempts)
      assert.equal(1, asked(PATTERN))
    end)

    it("ends with the login or the session", function()
      local ends = { logout = "cancelled", disconnect = "cancelled", invalidate = "closed" }
      for method, kind in pairs(ends) do
        local session, request = waiting "basic"
        session[method](session)
        rejected(request, kind)
        assert.equal(1, asked(PATTERN))
        sessions.refresh(server)
      end
    end)

    it("leaves the session offline, and the success turns it online again", function()
      local session = loggedIn()
      local states = sessions.listen(session)
      server:fault { kind = "status", status = 503, path = "oeping$" }
      assert(session:ping():await(LIMIT))
      assert.same({ datasession.WEB_APPLICATION_OFFLINE, "online" }, states)
    end)
  end)

  describe("of the other calls", function()
    it("repeats ping, isAuthorized and addCatalog", function()
      local session, events = loggedIn(soon(), "basic")
      local calls = {
        ping = "oeping$", isAuthorized = "home.html$", addCatalog = "static/CustomerService.json$",
      }
      for method, path in pairs(calls) do
        server:fault { kind = "status", status = 503, path = path }
        local uri = method == "addCatalog" and server.catalogURIs.basic or nil
        assert(session[method](session, uri):await(LIMIT))
        assert.equal(2, asked(path))
      end
      assert.equal(3, #events)
    end)

    it("loads only the catalogs again that are missing", function()
      local session, events = loggedIn()
      local one, two = server:catalogURI "anonymous", server:catalogURI("anonymous", "OrderService")
      server:fault { kind = "status", status = 503, path = "static/OrderService.json$" }
      assert(session:addCatalog({ one, two }):await(LIMIT))
      assert.equal(2, #session.catalogs)
      assert.equal(1, asked "static/CustomerService.json$")
      assert.equal(2, asked "static/OrderService.json$")
      assert.equal("addCatalog", events[1][3].message:match "^%a+")
      server:fault { kind = "status", status = 503, path = "Own.json$", count = 0 }
      local err = rejected(session:addCatalog { "static/Own.json", "static/None.json" }, "catalog")
      assert.equal(3, err.attempts)
      assert.equal(3, asked "Own.json$")
    end)

    it("repeats a catalog while the server is away", function()
      local session = loggedIn()
      server:stop()
      session:subscribe("retry", function() assert(server:start()) end)
      assert(session:addCatalog(server.catalogURIs.anonymous):await(LIMIT))
    end)

    it("waits for the catalog that asks for the longest wait", function()
      local session, events = loggedIn()
      for _, seconds in ipairs { "30", "10" } do
        refuse(1, { path = "json$", headers = { ["Retry-After"] = seconds } })
      end
      local adding = session:addCatalog { server:catalogURI "anonymous",
        server:catalogURI("anonymous", "OrderService") }
      await.stepUntil(function() return #events > 0 end)
      assert.is_true(events[1][2] >= 30)
      adding:cancel()
    end)

    it("fills data objects again, and saves nothing twice", function()
      local session = data.session(server, { retry = soon() })
      local customers = datasession.JSDO { name = "Customer", session = session }
      refuse(1)
      local _, _, info = customers:fill():await(LIMIT)
      assert.is_true(info.success)
      assert.equal(2, asked(PATTERN))
      server:clearRequests()
      customers:add { Name = "Lift" }
      refuse(1)
      local _, err = customers:saveChanges():await(LIMIT)
      assert.truthy(err)
      assert.equal(1, asked(PATTERN))
    end)

    it("sends no automatic ping again", function()
      local session, events = loggedIn()
      server:fault { kind = "status", status = 503, path = "oeping$", count = 1 }
      session.pingInterval = "20ms"
      await.stepUntil(function() return asked "oeping$" > 1 end)
      session.pingInterval = 0
      assert.equal(0, #events)
    end)

    it("sends no logout again", function()
      local session, events = loggedIn(soon(), "form")
      server:fault { kind = "status", status = 503, path = "logout" }
      rejected(session:logout())
      assert.equal(0, #events)
      assert.equal(1, asked "logout")
    end)
  end)

  describe("of a login", function()
    it("is tried until the server is there", function()
      for _, model in ipairs { "anonymous", "basic", "form", "bearer" } do
        local session = sessions.new(server, model, { retry = soon() })
        local states, failures = {}, 0
        datasession.setLogger(function(_, event)
          if event == "loginFailed" then failures = failures + 1 end
        end)
        server:stop()
        session:subscribe("retry", function(_, attempt, _, err)
          states[#states + 1] = session.state
          assert.equal("connect", err.kind)
          assert.is_nil(session.loginResult)
          if attempt == 3 then assert(server:start()) end
        end)
        local user = model == "bearer" and "letmein" or "lua"
        assert(session:login(user, model ~= "bearer" and "secret" or nil):await(LIMIT))
        assert.same({ "logging in", "logging in" }, states)
        assert.equal(0, failures)
        assert.equal("connected", session.state)
        assert(get(session):await(LIMIT))
        if model == "basic" or model == "form" then assert.equal("lua", session.userName) end
      end
    end)

    it("is tried again for 429 and 503, and never for a refusal", function()
      for _, model in ipairs { "basic", "form" } do
        local session = sessions.new(server, model, { retry = soon() })
        local events = listen(session)
        server:fault { kind = "status", status = 429 }
        server:fault { kind = "status", status = 503 }
        assert(session:login("lua", "secret"):await(LIMIT))
        assert.equal(2, #events)
        assert(session:logout():await(LIMIT))
        server:clearRequests()
        local err = rejected(session:login("lua", "wrong"), "auth")
        assert.equal(1, err.attempts)
        assert.equal(2, #events)
        assert.equal("logged out", session.state)
        assert.equal(datasession.AUTHENTICATION_FAILURE, session.loginResult)
      end
    end)

    it("ends what an attempt has begun on the server before the next", function()
      local session = sessions.new(server, "form",
        { retry = soon(), keepCredentials = true, reconnect = { delay = 0.001 } })
      local events = listen(session)
      server:fault { kind = "status", status = 503, path = "home.html$" }
      datasession.setLogger(function(_, event) events[event] = true end)
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.equal(1, #events)
      assert.is_nil(events.loginFailed)
      assert.equal(2, asked "j_spring_security_check$")
      assert.equal(1, asked "logout")
      assert(get(session):await(LIMIT))
      server:expireSessions "form"
      session:subscribe("reconnected", function() events.reconnected = true end)
      assert(get(session):await(LIMIT))
      assert.is_true(events.reconnected)
      session:logout():await(LIMIT)
      server:fault { kind = "status", status = 503, path = "home.html$", count = 0 }
      local err = rejected(session:login("lua", "secret"), "http")
      assert.equal(3, err.attempts)
      assert.truthy(err.message:find("the user name and password were accepted", 1, true), err.message)
      assert.truthy(err.message:find("gave up after 3 attempts", 1, true))
      assert.equal("logged out", session.state)
      assert.equal(503, session.loginHttpStatus)
    end)

    it("can be cancelled in the wait, by logout too", function()
      for _, method in ipairs { "logout", "invalidate", "stop" } do
        local session = sessions.new(server, "form", { retry = soon { delay = 60 } })
        local events = listen(session)
        server:fault { kind = "status", status = 503 }
        local login = session:login("lua", "secret")
        await.stepUntil(function() return #events > 0 end)
        session[method](session)
        rejected(login, method == "invalidate" and "closed" or "cancelled")
        assert.equal(1, asked "j_spring_security_check$")
        sessions.refresh(server)
      end
    end)

    it("of getSession, of its provider too, is tried again", function()
      local cases = {
        basic = { path = "home.html$" },
        form = { path = "j_spring_security_check$" },
        sso = { path = "j_spring_security_check", authenticationURI = server.uris.form_sso },
      }
      for model, case in pairs(cases) do
        for _, path in ipairs { case.path, "static/CustomerService.json$" } do
          server:fault { kind = "status", status = 503, path = path, count = 2 }
        end
        local session = assert(datasession.getSession {
          serviceURI = server.uris[model], authenticationModel = model, username = "lua",
          password = "secret", authenticationURI = case.authenticationURI,
          catalogURI = server.catalogURIs[model], retry = soon(),
        }:await(LIMIT))
        assert.equal(1, #session.catalogs)
        sessions.refresh(server)
      end
    end)

    it("of a provider says how often it was tried", function()
      local provider = datasession.AuthenticationProvider {
        uri = server.uris.form, authenticationModel = "form", retry = soon { totalTimeout = true },
      }
      refuse(0, { path = "j_spring" })
      local err = rejected(provider:login("lua", "secret"))
      assert.equal(3, err.attempts)
      assert.truthy(err.message:find("gave up after 3 attempts", 1, true))
      server:clearFaults()
      assert.equal(1, rejected(provider:login("lua", "wrong"), "auth").attempts)
      assert(provider:login("lua", "secret"):await(LIMIT))
      provider:logout():await(LIMIT)
    end)
  end)

  describe("of other systems", function()
    local function new(protocol, options)
      local all = { protocol = protocol, serviceURI = server.uris[protocol] or server.origin, retry = soon() }
      for name, value in pairs(options or {}) do all[name] = value end
      local session = datasession.new(all)
      return session, listen(session)
    end

    it("repeats a call of a method that is idempotent, and no other", function()
      local calls = {
        datasnap = { "TEcho", "Count", nil },
        btt = { "RateLookup", { ccy = "SEK" } },
      }
      for protocol, arguments in pairs(calls) do
        local session, events = new(protocol, protocol == "btt" and { reconnect = false } or nil)
        assert(session:login():await(LIMIT))
        server:fault { kind = "status", status = 503 }
        arguments[protocol == "btt" and 3 or 4] = { idempotent = true }
        assert(session:invoke(table.unpack(arguments, 1, 4)):await(LIMIT))
        assert.equal(1, #events)
        server:fault { kind = "status", status = 503 }
        arguments[protocol == "btt" and 3 or 4] = nil
        assert.equal(1, rejected(session:invoke(table.unpack(arguments, 1, 4))).attempts)
        assert.equal(1, #events)
      end
    end)

    it("logs in to them again", function()
      local options = {
        datasnap = {}, btt = { reconnect = false },
        proiv = { connectionData = { service = "Orders" } },
      }
      for protocol, own in pairs(options) do
        local session, events = new(protocol, own)
        server:fault { kind = "status", status = 503, count = 2 }
        assert(session:login():await(LIMIT))
        assert.equal(2, #events, protocol)
        assert(session:logout():await(LIMIT))
      end
    end)

    it("takes no refusal and no lost session for a failure that passes", function()
      local retry = soon { statuses = { 403 } }
      local session = new("proiv", { connectionData = { service = "Orders" }, retry = retry })
      server:fault { kind = "status", status = 403 }
      assert.equal(1, rejected(session:login(), "auth").attempts)
      session = new("datasnap", { retry = retry })
      assert(session:invoke("TEcho", "Count"):await(LIMIT))
      server:expireSessions "datasnap"
      local err = rejected(session:invoke("TEcho", "Count", nil, { idempotent = true }), "expired")
      assert.equal(1, err.attempts)
    end)

    it("opens no second PROIV session if the first may be there", function()
      local session, events = new("proiv", { connectionData = { service = "Orders" }, timeout = 0.2 })
      server:fault { kind = "slow", delay = LIMIT }
      assert.equal(1, rejected(session:login(), "timeout").attempts)
      assert.equal(0, #events)
    end)

    it("calls the functions of a protocol in Lua again", function()
      local called = {}
      local function failing(name)
        return function(link)
          called[name] = (called[name] or 0) + 1
          return link:request({ path = "/static/home.html" }):await(LIMIT)
        end
      end
      datasession.defineProtocol("retried", {
        login = failing "login", ping = failing "ping", invoke = failing "invoke",
      })
      local session, events = new("retried", { serviceURI = server.uris.anonymous })
      for _, verb in ipairs { "login", "ping" } do
        server:fault { kind = "status", status = 503, path = "home.html" }
        assert(session[verb](session, "lua", "secret"):await(LIMIT))
        assert.equal(2, called[verb], verb)
      end
      assert.equal(2, #events)
      server:fault { kind = "status", status = 503, path = "home.html" }
      assert.equal(1, rejected(session:invoke(7)).attempts)
      assert.equal(1, called.invoke)
    end)

    it("repeats a request of a protocol in Lua if it says so", function()
      datasession.defineProtocol("retrying", {
        login = function() return true end,
        invoke = function(link)
          return link:request({ path = "/static/home.html", retry = soon() }):await(LIMIT).attempts
        end,
      })
      local session = new("retrying", { serviceURI = server.uris.anonymous, retry = false })
      assert(session:login():await(LIMIT))
      server:fault { kind = "status", status = 503, path = "home.html" }
      assert.equal(2, session:invoke():await(LIMIT))
    end)
  end)

  describe("with reconnect", function()
    it("lets the reconnect bring a lost session back", function()
      local session, events = loggedIn(soon(), "basic", { reconnect = { delay = 0.001 } })
      local reconnected = 0
      session:subscribe("reconnected", function() reconnected = reconnected + 1 end)
      server:stop()
      session:subscribe("reconnecting", function() server:start() end)
      local response = assert(get(session):await(LIMIT))
      assert.equal(1, reconnected)
      assert.equal(2, response.attempts)
      refuse(1)
      assert.equal(2, assert(get(session):await(LIMIT)).attempts)
      assert.equal(1, #events)
    end)

    it("lets it bring back a session that is lost after a retry", function()
      local session, events = loggedIn(soon(), "form",
        { reconnect = { delay = 0.001 }, keepCredentials = true })
      refuse(1)
      server:expireSessions "form"
      assert.equal(3, assert(get(session):await(LIMIT)).attempts)
      assert.equal(1, #events)
    end)

    it("sends a request twice at most to a server that always says that its session has expired", function()
      local session = loggedIn(soon(), "form", { reconnect = { delay = 0.001 }, keepCredentials = true })
      refuse(0, { status = 401 })
      rejected(get(session), "expired")
      server:clearFaults()
      assert.equal(2, asked(PATTERN))
    end)

    it("waits for a reconnect that began meanwhile", function()
      local session, events = loggedIn(soon { delay = 0.05, jitter = 0 }, "basic",
        { reconnect = { maxAttempts = 5, delay = 0.05 } })
      refuse(1)
      local request = get(session)
      await.stepUntil(function() return #events > 0 end)
      server:stop()
      local ping = session:ping()
      session:subscribe("reconnecting", function(_, attempt)
        if attempt == 3 then server:start() end
      end)
      assert.equal(2, assert(request:await(LIMIT)).attempts)
      assert.equal(2, asked(PATTERN))
      assert(ping:await(LIMIT))
    end)
  end)

  describe("with a budget", function()
    local MANY, ALLOWED = 130, 100
    local busy

    before_each(function() busy = assert(sandbox.start()) end)
    after_each(function()
      sessions.endAll()
      busy:close()
    end)

    -- Counts of the errors of MANY requests of both sessions at once, which all fail.
    local function fail(first, second)
      local spent, again = 0, 0
      local promises = {}
      busy:fault { kind = "status", status = 503, path = PATTERN, count = 0 }
      for i = 1, MANY do promises[i] = get(i % 2 == 0 and first or second) end
      for _, promise in ipairs(promises) do
        local err = rejected(promise, "http")
        if err.message:find("; not sent again: the retry budget of this server is used up", 1, true) then
          assert.equal(1, err.attempts)
          spent = spent + 1
        else
          assert.equal(2, err.attempts)
          again = again + 1
        end
      end
      busy:clearFaults()
      return spent, again
    end

    local function both(retry)
      return sessions.loggedIn(busy, "anonymous", { retry = retry }),
        sessions.loggedIn(busy, "basic", { retry = retry })
    end

    it("does not hammer a server that is down, whichever sessions ask", function()
      local first, second = both { maxAttempts = 2, delay = 0.001 }
      local spent, again = fail(first, second)
      assert.is_true(spent > 0)
      assert.is_true(again >= ALLOWED and again < MANY)
      local elsewhere = loggedIn { delay = 0.001 }
      refuse(1)
      assert.equal(2, assert(get(elsewhere):await(LIMIT)).attempts)
    end)

    it("gets back what successful calls give", function()
      local first, second = both { maxAttempts = 2, delay = 0.001 }
      fail(first, second)
      for _ = 1, 15 do assert(get(first):await(LIMIT)) end
      for _ = 1, 6 do
        busy:fault { kind = "status", status = 503, path = PATTERN }
        assert.equal(2, assert(get(second):await(LIMIT)).attempts)
      end
    end)

    it("does not limit those that say so", function()
      local first, second = both { maxAttempts = 2, delay = 0.001, budget = false }
      assert.equal(0, (fail(first, second)))
    end)
  end)

  describe("in the log", function()
    it("has an entry for each attempt", function()
      local session, entries = loggedIn(), {}
      datasession.setLogger(function(level, event, from, fields)
        if event == "retry" then entries[#entries + 1] = { level, from, fields } end
      end)
      refuse(1)
      assert(get(session):await(LIMIT))
      await.flush()
      assert.equal(1, #entries)
      local level, from, fields = table.unpack(entries[1])
      assert.equal("info", level)
      assert.equal(session, from)
      assert.equal(2, fields.attempt)
      assert.equal(503, fields.httpStatus)
      assert.equal("http", fields.kind)
      assert.truthy(fields.message:find("HTTP 503", 1, true))
      assert.is_true(fields.wait > 0)
    end)
  end)

  describe("as an option", function()
    local function new(retry) return sessions.new(server, nil, { retry = retry }) end

    it("is shown with its defaults", function()
      local usual = {
        maxAttempts = 3, delay = 0.5, backoff = 2, maxDelay = 60, jitter = 0.25, budget = true,
        statuses = { 429, 502, 503, 504 },
      }
      assert.same(usual, new(true).retry)
      assert.same(usual, new({}).retry)
      assert.is_nil(new(false).retry)
      assert.equal(7, new(7).retry.maxAttempts)
      local own = {
        maxAttempts = 5, delay = 0.25, backoff = 1, maxDelay = 120, jitter = 0, budget = false,
        statuses = { 400, 599 }, kinds = { "timeout", "connect" }, totalTimeout = 90,
      }
      local given = {}
      for name, value in pairs(own) do given[name] = value end
      given.delay, given.maxDelay, given.totalTimeout = "250ms", "2m", "90s"
      given.kinds = { "connect", "timeout" }
      assert.same(own, new(given).retry)
      assert.same({}, new({ kinds = {}, statuses = {} }).retry.kinds)
    end)

    it("raises for mistakes, of a session and of a request", function()
      local session = sessions.new(server)
      local cases = {
        ["option 'retry': expected a table, a boolean or a number of attempts, got string"] = "yes",
        ["option 'retry': expected a whole number of attempts, 1 or more, got 0"] = 0,
        ["option 'retry': expected a whole number of attempts, 1 or more, got 1.5"] = 1.5,
        ["unknown option 'maxAttempt': did you mean 'maxAttempts'?"] = { maxAttempt = 3 },
        ["option 'maxAttempts': expected a number above 0, got 0"] = { maxAttempts = 0 },
        ["option 'statuses': expected an array, got number"] = { statuses = 503 },
        ["option 'statuses': expected HTTP statuses from 400 to 599, without 401, got 401"] =
          { statuses = { 503, 401 } },
        ["option 'statuses': expected HTTP statuses from 400 to 599, without 401, got 200"] =
          { statuses = { 200 } },
        ["option 'kinds': got auth, expected some of \"timeout\", \"stall\", \"dns\", \"connect\", " ..
          "\"tls\", \"proxy\", \"offline\", \"http\", \"server\", \"protocol\", \"memory\", \"error\""] =
          { kinds = { "dns", "auth" } },
        ["option 'kinds': got 7, expected some of"] = { kinds = { 7 } },
        ["option 'totalTimeout': expected a number of seconds, above 0, got 0"] = { totalTimeout = 0 },
        ["option 'budget': expected a boolean, got number"] = { budget = 100 },
        ["option 'jitter': expected a part from 0 to 1"] = { jitter = 2 },
      }
      for expected, retry in pairs(cases) do
        local message = raised(function()
          datasession.new { serviceURI = server.uris.anonymous, retry = retry }
        end)
        assert.truthy(message:find(expected, 1, true), message)
        message = raised(function() session:request { path = "/", retry = retry } end)
        assert.truthy(message:find(expected, 1, true), message)
      end
    end)
  end)
end)
