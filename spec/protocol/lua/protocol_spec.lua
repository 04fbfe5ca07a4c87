-- Protocols that Lua programs define: datasession.defineProtocol.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local storage = require "datasession.store"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local CUSTOMERS = "rest/CustomerService/Customer"

describe("a protocol in Lua", function()
  local server, names = nil, 0

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  local reported

  before_each(function()
    server:clearFaults()
    assert(server:start())
    server:clearRequests()
    reported = {}
    datasession.onError(function(err) reported[#reported + 1] = tostring(err) end)
  end)

  after_each(function()
    datasession.onError(nil)
    sessions.endAll()
  end)

  -- A session of a new protocol with these functions; login succeeds unless it is given.
  local function made(functions, options)
    names = names + 1
    local name = "own" .. names
    functions.login = functions.login or function() return true end
    datasession.defineProtocol(name, functions)
    options = options or {}
    options.protocol, options.serviceURI = name, options.serviceURI or server.uris.anonymous
    return datasession.new(options), name
  end

  local function loggedIn(functions, options)
    local session = made(functions, options)
    assert(session:login("lua", "secret"):await(LIMIT))
    return session
  end

  local function listen(session)
    local events = {}
    for _, name in ipairs { "online", "offline", "expired", "renewed", "lost", "reconnected",
      "reconnectFailed" } do
      session:subscribe(name, function(_, what) events[#events + 1] = { name, what } end)
    end
    return events
  end

  it("has sessions without methods of their own, whose requests take no body apart", function()
    local message
    local session = loggedIn { ping = function(link)
      message = select(2, pcall(link.request, link, { path = CUSTOMERS, saveTo = "/does/not/matter" }))
      return true
    end }
    assert.error_matches(function() return session.setTokens end, "has no field 'setTokens'")
    assert(session:ping():await(LIMIT))
    assert.matches("a request of a protocol takes no option 'saveTo'", message)
  end)

  it("is defined by functions, and mistakes are told", function()
    local function login() return true end
    for message, arguments in pairs {
      ["got no value"] = {},
      ["table expected"] = { "x", 1 },
      ["expected another name"] = { "jsdo", { login = login } },
      ["field 'login': expected a function, got nil"] = { "x", {} },
      ["field 'ping': expected a function, got number"] = { "x", { login = login, ping = 1 } },
      ["unknown field 'pong'"] = { "x", { login = login, pong = login } },
      ["field 'options': expected an array of names"] = { "x", { login = login, options = "a" } },
      ["got a number in it"] = { "x", { login = login, options = { 1 } } },
    } do
      assert.error_matches(function() datasession.defineProtocol(table.unpack(arguments)) end, message)
    end
  end)

  it("names its sessions, which know its options and no others", function()
    local session, name = made({ options = { "apiKey" } }, { apiKey = "k" })
    assert.equal(name, session.protocol)
    assert.matches(": " .. name .. " http", tostring(session))
    assert.matches("^" .. name .. "%-%x+$", session.key)
    assert.error_matches(function()
      datasession.new { protocol = name, serviceURI = "http://h", apiKee = 1 }
    end, "unknown option 'apiKee'")
    assert.error_matches(function() session:addCatalog "x" end, "has no catalogs")
  end)

  it("goes on for sessions that there are when it is defined anew", function()
    local session, name = made { ping = function() return true end }
    datasession.defineProtocol(name, { login = function() return nil, "no more" end })
    assert(session:login():await(LIMIT))
    assert(session:ping():await(LIMIT))
    local other = datasession.new { protocol = name, serviceURI = server.uris.anonymous }
    assert.matches("no more", rejected(other:login()).message)
  end)

  it("logs in by its function, which may wait and make requests, and gets what login was given", function()
    local got
    local session = made({
      options = { "apiKey" },
      login = function(link, user, password)
        got = { user, password, link.options.apiKey, link.session }
        return link:request { path = "static/home.html" }:await()
      end,
    }, { apiKey = "k" })
    assert.equal("logged out", session.state)
    local value, result = assert(session:login("lua", "secret"):await(LIMIT))
    assert.equal(session, value)
    assert.equal(datasession.SUCCESS, result)
    assert.same({ "lua", "secret", "k", session }, got)
    assert.equal("connected", session.state)
    assert.equal("lua", session.userName)
    assert.equal(datasession.SUCCESS, session.loginResult)
  end)

  it("fails a login that returns nothing true, or raises, or whose request fails, each with its kind",
    function()
    for kind, login in pairs {
      auth = function() return nil, "no such user" end,
      error = function() error { kind = "strange", message = "odd" } end,
      connect = function(link) return link:request { path = "x" }:await() end,
      http = function(link) return link:request { path = "nowhere" }:await() end,
    } do
      local session = made { login = login }
      if kind == "connect" then server:stop() end
      local err = rejected(session:login())
      if kind == "connect" then assert(server:start()) end
      assert.equal(kind, err.kind, tostring(err))
      assert.matches("^login: ", err.message)
      assert.equal("logged out", session.state)
      assert.equal(session, err.session)
    end
    local session = made({ login = function(link) return link:request { path = "static/home.html" }:await()
      end },
      { serviceURI = server.uris.basic })
    local err = rejected(session:login())
    assert.same({ "auth", 401 }, { err.kind, err.httpStatus })
  end)

  it("raises for what login cannot take", function()
    local session = made {}
    assert.error_matches(function() session:login(1) end, "a user name expected")
    assert.error_matches(function() session:login("a", {}) end, "a password expected")
  end)

  it("signs each request to the session's own server, and none elsewhere", function()
    local n = 0
    local session = loggedIn { sign = function() n = n + 1 return { ["X-Own"] = "n" .. n } end }
    local elsewhere = assert(sandbox.start())
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    assert(session:request { uri = elsewhere.uris.anonymous .. "/static/home.html" }:await(LIMIT))
    local requests = server:requests()
    assert.same({ "n1", "n2" }, { requests[1].headers["x-own"], requests[2].headers["x-own"] })
    assert.is_nil(elsewhere:requests()[1].headers["x-own"])
    elsewhere:close()
  end)

  it("reports a signature that cannot be sent, and sends the request without", function()
    for message, lines in pairs {
      ["is no header line"] = { ["X-Own"] = "a\r\nb" }, ["expected a table"] = "x", ["strings"] = { 1, 2 },
      ["'Content%-Length' is no header line"] = { ["Content-Length"] = "3" },
      ["'X%-Own': NaN and infinity cannot be sent"] = { ["X-Own"] = 0 / 0 },
    } do
      local session = loggedIn { sign = function() return lines end }
      assert(session:request { path = CUSTOMERS }:await(LIMIT))
      assert.matches(message, table.concat(reported, "\n"))
    end
  end)

  it("judges what answers say", function()
    local word
    local session = loggedIn { judge = function(_, response)
      assert(response.status == 200)
      return word, "because"
    end }
    local events = listen(session)
    for _, case in ipairs {
      { "alive" }, { nil }, { "neutral", "http" }, { "refused", "auth" }, { "down", "offline" }, { "alive" },
      { "absent", "offline" }, { "alive" }, { "expired", "expired" },
    } do
      word = case[1]
      local value, err = session:request { path = CUSTOMERS }:await(LIMIT)
      assert.equal(case[2], err and type(err) == "table" and err.kind or nil)
      if case[2] then assert.matches("because", err.message) else assert.is_truthy(value) end
    end
    assert.equal("expired", session.state)
    local order = {}
    for i, event in ipairs(events) do order[i] = event[1] end
    assert.same({ "offline", "online", "offline", "online", "lost", "offline" }, order)
  end)

  it("reports a judge that raises, and goes by the status", function()
    local session = loggedIn { judge = function() error "oops" end }
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    assert.equal("http", rejected(session:request { path = "nowhere" }).kind)
    local _, oopses = table.concat(reported, "\n"):gsub("oops", "")
    assert.equal(2, oopses)
  end)

  it("pings and checks by its functions", function()
    local outcome = true
    local session = loggedIn { ping = function()
      return outcome, outcome == nil and { kind = "connect", message = "gone" } or nil
    end }
    local events = listen(session)
    local _, result = assert(session:ping():await(LIMIT))
    assert.is_true(result)
    assert(session:isAuthorized():await(LIMIT)) -- ping stands in for check
    outcome = nil
    local err = rejected(session:ping())
    assert.same({ "connect", false }, { err.kind, err.result })
    assert.same({ { "offline", datasession.SERVER_OFFLINE } }, events)
    local without = loggedIn {}
    assert.equal("error", rejected(without:ping()).kind)
    assert(without:isAuthorized():await(LIMIT)) -- as far as is known
    local checked = loggedIn { check = function() return nil, "not you" end }
    assert.equal(datasession.AUTHENTICATION_FAILURE, rejected(checked:isAuthorized()).result)
    assert.equal("expired", checked.state)
  end)

  it("logs out by its function, and ends whatever that says", function()
    local called
    local session = loggedIn { logout = function(link)
      called = link.session.state
      return nil, "no"
    end }
    assert.matches("logout: no", rejected(session:logout()).message)
    assert.equal("logged out", session.state)
    assert.is_truthy(called)
    assert(loggedIn({}):logout():await(LIMIT))
  end)

  it("stops politely: its server may refuse", function()
    local answer
    local session = loggedIn { stop = function() return answer, { kind = "refused", message = "busy" } end }
    local reasons = {}
    local function refused(key, reason) reasons[#reasons + 1] = { key, reason } end
    rejected(datasession.stopSession(session, 1, error, refused))
    datasession.run(LIMIT)
    assert.same({ { session.key, "error" } }, reasons)
    assert.equal("connected", session.state)
    answer = true
    assert(session:stop():await(LIMIT))
    assert.equal("logged out", session.state)
  end)

  it("invokes by its function", function()
    local session = loggedIn { invoke = function(link, name, ...)
      if name == nil then return end
      if name == "raise" then error "oops" end
      if name == "fail" then return nil, "no such thing" end
      if name == "miss" then return link:request { path = "nowhere" }:await() end
      if name == "get" then return link:request { path = CUSTOMERS }:await() end
      return name, select("#", ...)
    end }
    local value, result = assert(session:invoke("echo", nil, 2, nil):await(LIMIT))
    assert.same({ "echo", 3 }, { value, result })
    assert.equal(200, assert(session:invoke "get":await(LIMIT)).status)
    assert.equal("error", rejected(session:invoke "raise").kind)
    local nothing, code = session:invoke():await(LIMIT)
    assert.is_nil(nothing)
    assert.equal(datasession.SUCCESS, code)
    local err = rejected(session:invoke "fail")
    assert.equal("error", err.kind)
    assert.matches("no such thing", err.message)
    assert.matches("^invoke: HTTP 404 from ", rejected(session:invoke "miss").message) -- it is named once
    assert.equal("connected", session.state)
    local without = loggedIn {}
    assert.error_matches(function() without:invoke() end, "has no function invoke")
    local jsdo = datasession.new { serviceURI = server.uris.anonymous }
    assert.error_matches(function() jsdo:invoke() end, "no methods to call: use session:request")
  end)

  it("has a deadline, which answers move and after which it has expired", function()
    local life = 3600
    local session = loggedIn {
      login = function(link) link.expiresAt = os.time() + life return true end,
      judge = function(link) link.expiresAt = link.expiresAt + 10 end,
    }
    local events = listen(session)
    local before = session.expiresAt
    assert.is_true(math.abs(before - os.time() - life) < 5)
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    datasession.run(LIMIT)
    assert.is_true(session.expiresAt > before + 5)
    assert.equal("renewed", events[1][1])
    assert.equal(session.expiresAt, events[1][2])
    assert(session:logout():await(LIMIT))
    assert.is_nil(session.expiresAt)
    life = -1
    assert(session:login():await(LIMIT))
    while session.connected do datasession.step(0.01) end
    server:clearRequests()
    rejected(session:ping())
    datasession.run(LIMIT)
    assert.same({ "expired", "timeout" }, events[#events - 1])
    assert.same({ "offline", datasession.SESSION_EXPIRED }, events[#events])
    assert.equal("expired", session.state)
  end)

  it("is re-established by its own function, by its ping, or by logging in again", function()
    for _, way in ipairs { "reconnect", "ping", "login" } do
      local calls, lost = {}, true
      local functions = {
        login = function(_, user, password)
          calls[#calls + 1] = ("login %s %s"):format(user, password)
          return true
        end,
        judge = function()
          if lost then
            lost = false
            return "expired", "gone"
          end
        end,
      }
      if way == "reconnect" then
        functions.reconnect = function(link, attempt)
          calls[#calls + 1] = "reconnect " .. attempt
          return attempt == 2 and link:request { path = "static/home.html" }:await()
        end
      elseif way == "ping" then
        functions.ping = function() calls[#calls + 1] = "ping" return true end
      end
      local session = loggedIn(functions, { reconnect = { delay = 0.01 }, keepCredentials = true })
      local events = listen(session)
      assert.equal(200, assert(session:request { path = CUSTOMERS }:await(LIMIT)).status)
      datasession.run(LIMIT)
      assert.equal("reconnected", events[#events][1])
      assert.same(way == "reconnect" and { "login lua secret", "reconnect 1", "reconnect 2" } or
        { "login lua secret", "login lua secret" }, calls)
    end
  end)

  -- A session that shows a token, what was asked of its functions, and its link.
  local function withToken(refresh, options)
    local calls, link = {}, nil
    local session = loggedIn({
      login = function(own)
        calls[#calls + 1], link, own.token = "login", own, "good"
        return true
      end,
      judge = function(own)
        if own.token ~= "good" then return "expired", "the token is stale" end
      end,
      refresh = function(own)
        calls[#calls + 1] = "refresh"
        return refresh(own)
      end,
    }, options)
    return session, calls, link
  end

  it("is had again by its refresh, with no password kept", function()
    local session, calls, link = withToken(function(own)
      own.token = "good"
      return own:request { path = "static/home.html" }:await()
    end, { reconnect = { delay = 0.01 } })
    local events = listen(session)
    for _ = 1, 2 do
      link.token = "stale"
      assert.equal(200, assert(session:request { path = CUSTOMERS }:await(LIMIT)).status)
    end
    datasession.run(LIMIT)
    assert.same({ "login", "refresh", "refresh" }, calls)
    local told = {}
    for i, event in ipairs(events) do told[i] = event[1] end
    assert.same({ "lost", "offline", "online", "reconnected", "lost", "offline", "online", "reconnected" },
      told)
  end)

  it("calls its refresh once for all calls that find it expired, and once its deadline has passed", function()
    local session, calls, link = withToken(function(own)
      datasession.sleep(0.01)
      own.token, own.expiresAt = "good", os.time() + 1000
      return true
    end, { reconnect = { delay = 0.01 } })
    for expiry = 1, 3 do
      if expiry == 3 then
        link.expiresAt = os.time() - 1 -- the session takes it over with the next answer
        assert(session:request({ path = CUSTOMERS }):await(LIMIT))
        await.stepUntil(function() return not session.connected end)
      else
        link.token = "stale"
      end
      local promises = {}
      for i = 1, 20 do promises[i] = session:request { path = CUSTOMERS } end
      for i = 1, 20 do
        assert.equal(200, assert(promises[i]:await(LIMIT)).status)
      end
      assert.equal(expiry + 1, #calls)
      assert.equal("refresh", calls[#calls])
    end
    assert.equal("connected", session.state)
  end)

  it("that its refresh does not have again is given up, or logs in with what was kept", function()
    for _, kept in ipairs { false, true } do
      local session, calls, link = withToken(function() return nil, "no such token" end,
        { reconnect = { delay = 0.01 }, keepCredentials = kept })
      local events = listen(session)
      link.token = "stale"
      local response, err = session:request { path = CUSTOMERS }:await(LIMIT)
      datasession.run(LIMIT)
      assert.same(kept and { "login", "refresh", "login" } or { "login", "refresh" }, calls)
      assert.equal(kept and "reconnected" or "reconnectFailed", events[#events][1])
      assert.equal(kept, response ~= nil)
      assert.equal(not kept, err ~= datasession.SUCCESS and err.kind == "offline")
    end
  end)

  it("tries its refresh again when the line is broken, and does not use it unless it is to reconnect",
    function()
    local tries = 0
    local session, _, link = withToken(function(own)
      tries = tries + 1
      own.token = tries == 2 and "good"
      return tries == 2, { kind = "connect", message = "no line" }
    end, { reconnect = { delay = 0.01 } })
    link.token = "stale"
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    assert.equal(2, tries)
    session, _, link = withToken(function() tries = tries + 1 return true end)
    link.token = "stale"
    assert.equal("expired", rejected(session:request { path = CUSTOMERS }).kind)
    assert.same({ 2, "expired" }, { tries, session.state })
  end)

  it("is asked by its check, or its ping, whether it is still there when the line comes back", function()
    for way, expected in pairs {
      check = { "login", "check" }, ping = { "login", "ping" }, gone = { "login", "check", "login" },
    } do
      local calls = {}
      local functions = { login = function() calls[#calls + 1] = "login" return true end }
      functions[way == "ping" and "ping" or "check"] = function()
        calls[#calls + 1] = way == "ping" and "ping" or "check"
        if way == "gone" then return nil, "not you" end
        return true
      end
      local session = loggedIn(functions, { reconnect = { delay = 0.01 }, keepCredentials = true })
      local reconnected = false
      session:subscribe("reconnected", function() reconnected = true end)
      session:subscribe("reconnecting", function() assert(server:start()) end)
      server:stop()
      assert.equal(200, assert(session:request { path = CUSTOMERS }:await(LIMIT)).status)
      datasession.run(LIMIT)
      assert.is_true(reconnected)
      assert.same(expected, calls)
      assert.is_true(session.connected)
    end
  end)

  it("that has expired is not authorized, where it has no function to ask by", function()
    local expires
    local session = loggedIn { judge = function() if expires then return "expired", "gone" end end }
    expires = true
    assert.equal("expired", rejected(session:request { path = CUSTOMERS }).kind)
    local err = rejected(session:isAuthorized())
    assert.same({ "expired", datasession.AUTHENTICATION_FAILURE }, { err.kind, err.result })
  end)

  it("keeps nothing where its save gives no table", function()
    local store, saved = storage.memory(), { a = 1 }
    local functions = { save = function() return saved end, restore = function() return true end }
    loggedIn(functions, { name = "kept", store = store })
    datasession.run(LIMIT)
    assert.is_string(store.texts.kept)
    datasession.invalidateAllSessions { all = true }:await(LIMIT)
    saved = "all"
    loggedIn(functions, { name = "other", store = store })
    datasession.run(LIMIT)
    assert.is_nil(store.texts.other)
  end)

  it("lets go of a function that waits when its call is cancelled or its session ends", function()
    for _, ending in ipairs { "cancel", "invalidate", "logout" } do
      local closed, began = nil, nil
      local session = made {
        login = function(link)
          return closing(setmetatable({}, { __close = function() closed = true end }), function()
            began = true
            return link:request { path = CUSTOMERS }:await()
          end)
        end,
      }
      server:fault { kind = "slow", delay = 5, path = CUSTOMERS }
      local login = session:login()
      datasession.step(0.01)
      assert.is_true(began)
      if ending == "cancel" then login:cancel() else session[ending](session) end
      assert.is_truthy(({ cancelled = true, closed = true })[rejected(login).kind])
      assert.is_true(closed)
      session:invalidate():await(LIMIT)
    end
  end)

  it("needs no login when it is implicit", function()
    local session = made { implicit = true }
    local events = listen(session)
    assert(session:request { path = CUSTOMERS }:await(LIMIT))
    datasession.run(LIMIT)
    assert.equal("connected", session.state)
    assert.equal("online", events[1][1])
  end)

  it("is spoken by getSession too, which then loads no catalogs", function()
    local _, name = made { login = function(_, user) return user == "lua", "who?" end }
    local options = { protocol = name, serviceURI = server.uris.anonymous, username = "lua",
      password = "secret" }
    local session = assert(datasession.getSession(options):await(LIMIT))
    assert.equal("connected", session.state)
    options.username = "eve"
    assert.equal("auth", rejected(datasession.getSession(options)).kind)
    options.catalogURI = "x"
    assert.error_matches(function() datasession.getSession(options) end, "has no catalogs")
  end)

  it("works as the example shows", function()
    local result = child.start('dofile "examples/own_protocol.lua"'):finish()
    assert.equal(0, result.code, result.output)
    assert.matches("logged in again, attempt 1", result.output)
  end)

  it("has options that getSession takes too", function()
    local _, name = made { options = { "tenant" } }
    local session = assert(datasession.getSession {
      protocol = name, serviceURI = server.uris.anonymous, tenant = "a", username = "lua",
      password = "secret",
    }:await(LIMIT))
    assert.equal(name, session.protocol)
    assert.error_matches(function()
      datasession.getSession { protocol = name, serviceURI = server.uris.anonymous, tenannt = "a" }
    end, "unknown option 'tenannt': did you mean 'tenant'")
  end)

  it("may return a promise, or be done, when its call is aborted", function()
    local session = loggedIn { ping = function(link) return link:request { path = "/static/home.html" } end }
    server:fault { kind = "slow", delay = 1 }
    local ping = session:ping()
    datasession.step()
    session:invalidate()
    assert.equal("closed", rejected(ping).kind)
    session = loggedIn { ping = function() return true end }
    ping = session:ping()
    session:invalidate() -- what it returned has not been looked at yet
    assert.equal("closed", rejected(ping).kind)
  end)

  it("may end its session from sign and judge", function()
    for _, verb in ipairs { "disconnect", "invalidate" } do
      local session
      session = loggedIn { sign = function() session[verb](session) end }
      local response, err = session:request { path = "/static/home.html" }:await(LIMIT)
      assert.equal(verb == "invalidate" and "closed" or 200, response and response.status or err.kind)
      session = loggedIn { judge = function() session[verb](session) end }
      assert(session:request { path = "/static/home.html" }:await(LIMIT) or verb == "invalidate")
    end
  end)
end)
