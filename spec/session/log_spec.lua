-- The log of system events: setLogger.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local logins = dofile "spec/support/logins.lua"
local secrets = dofile "spec/support/secrets.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("the log", function()
  local server, log

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function()
    assert(server:start())
    server:clearFaults()
    log = {}
    datasession.setLogger(function(level, event, session, fields)
      log[#log + 1] = { level = level, event = event, session = session, fields = fields }
    end)
  end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  local function events()
    datasession.run(LIMIT)
    local names = {}
    for i, entry in ipairs(log) do names[i] = entry.level .. " " .. entry.event end
    return names
  end

  it("tells the life of a session", function()
    local session = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    session:login("lua", "wrong"):await(LIMIT)
    assert(session:login("lua", "secret"):await(LIMIT))
    server:stop()
    session:ping():await(LIMIT)
    assert(server:start())
    session:ping():await(LIMIT)
    server:expireSessions "form"
    session:ping():await(LIMIT)
    session:logout():await(LIMIT)
    session:invalidate():await(LIMIT)
    assert.same({
      "warning loginFailed", "info loggedIn", "info online", "warning offline", "info online", "warning lost",
      "warning offline", "info loggedOut", "info invalidated",
    }, events())
    for _, entry in ipairs(log) do
      assert.equal(session, entry.session)
      assert.equal("jsdo", entry.fields.protocol)
      assert.equal(server.uris.form, entry.fields.serviceURI)
      assert.is_number(entry.fields.session)
    end
    assert.equal(401, log[1].fields.httpStatus)
    assert.equal("auth", log[1].fields.kind)
    assert.equal(datasession.SERVER_OFFLINE, log[4].fields.reason)
  end)

  it("holds no secret", function()
    local session = datasession.new {
      serviceURI = server.uris.form .. ";JSESSIONID=hush1", authenticationModel = "form",
      keepCredentials = true,
      reconnect = { delay = 0.01 }, pingInterval = 0,
    }
    session:login("lua", "hush2"):await(LIMIT)
    server:stop()
    session:login("lua", "hush3"):await(LIMIT)
    session:request { path = "x?token=hush4" }:await(LIMIT)
    events()
    assert.is_true(#log >= 2)
    for _, entry in ipairs(log) do
      for _, value in pairs(entry.fields) do assert.not_matches("hush", tostring(value)) end
      assert.not_matches("hush", tostring(entry.session))
    end
  end)

  it("is never told from inside a call, and a logger that fails harms nothing", function()
    local reported = {}
    datasession.onError(function(err) reported[#reported + 1] = tostring(err) end)
    local inside
    datasession.setLogger(function() inside = true error "oops" end)
    local session = datasession.new { serviceURI = server.uris.anonymous }
    session:invalidate()
    assert.is_nil(inside)
    datasession.run(LIMIT)
    datasession.onError(nil)
    assert.is_true(inside)
    assert.matches("oops", reported[1])
  end)

  it("is silent without a logger, and gives the last one back", function()
    local function f() end
    assert.is_function(datasession.setLogger(f))
    assert.equal(f, datasession.setLogger(nil))
    assert.is_nil(datasession.setLogger())
    datasession.new({ serviceURI = server.uris.anonymous }):invalidate()
    assert.same({}, events())
    assert.error_matches(function() datasession.setLogger "x" end, "function expected")
  end)

  it("gives a logger the entries of its level and above", function()
    local function count(level)
      local names = {}
      datasession.setLogger(function(one) names[one] = (names[one] or 0) + 1 end, level)
      server:stop()
      local session = datasession.new { serviceURI = server.uris.anonymous }
      session:login():await(LIMIT)
      assert(server:start())
      assert(session:login():await(LIMIT))
      session:invalidate():await(LIMIT)
      datasession.run(LIMIT)
      return names
    end
    assert.same({ info = 3, warning = 1 }, count())
    assert.same({ info = 3, warning = 1 }, count "info")
    assert.same({ warning = 1 }, count "warning")
    assert.same({}, count "error")
    assert.same({ debug = 2, info = 3, warning = 1 }, count "debug")
    assert.error_matches(function() datasession.setLogger(print, "all") end,
      'bad argument #2 .*expected "debug", "info", "warning" or "error"')
  end)

  describe("of the level debug", function()
    local requests

    before_each(function()
      requests = {}
      datasession.setLogger(function(level, event, session, fields)
        log[#log + 1] = { level, event, session, fields }
        if event ~= "request" then return end
        assert.equal("debug", level)
        fields.object = session
        requests[#requests + 1] = fields
      end, "debug")
      server:clearRequests()
    end)
    after_each(function() server:clearRoutes() end)

    it("has an entry for each request as it was sent, redirects too", function()
      server:route("GET", "/SportsForm/from", function()
        return 302, { Location = "/SportsForm/on" }
      end)
      server:route("GET", "/SportsForm/on", function()
        return 302, { Location = "/SportsForm/static/home.html" }
      end)
      local session = sessions.loggedIn(server, "form")
      assert(session:request({ path = "from?x=1" }):await(LIMIT))
      assert.is_nil(session:request({ method = "PUT", path = "put", body = "text" }):await(LIMIT))
      datasession.run(LIMIT)
      local sent, verbs = server:requests(), {}
      assert.equal(#sent, #requests)
      for i, request in ipairs(sent) do
        local fields = requests[i]
        verbs[i] = fields.verb
        assert.equal(session, fields.object)
        assert.equal(request.method, fields.method)
        assert.equal(server.origin .. request.path, fields.uri)
        assert.equal(request.status, fields.httpStatus)
        assert.equal(#request.body, fields.sent)
        assert.equal(1, fields.attempt)
        assert.equal(1, fields.tries)
        assert.is_true(fields.time > 0)
        assert.is_boolean(fields.reused)
        assert.equal("jsdo", fields.protocol)
        assert.is_nil(fields.kind)
      end
      assert.same({ "login", "login", "request", "request", "request", "request" }, verbs)
      assert.is_true(requests[6].reused)
      assert.is_true(requests[2].received > 0)
    end)

    it("says why there was no response", function()
      local session = sessions.loggedIn(server, "anonymous")
      server:stop()
      session:request({ method = "POST", path = "x", body = "abc" }):await(LIMIT)
      local promise = session:ping()
      promise:cancel()
      promise:await(LIMIT)
      datasession.run(LIMIT)
      local failed, cancelled = requests[2], requests[3]
      assert.equal("connect", failed.kind)
      assert.matches("^the connection failed", failed.message)
      assert.is_nil(failed.httpStatus)
      assert.equal(0, failed.sent)
      assert.equal("cancelled", cancelled.kind)
      assert.equal("ping", cancelled.verb)
    end)

    it("counts the attempts of a call, and has those of a provider", function()
      local session = sessions.loggedIn(server, "anonymous", { retry = { delay = 0 } })
      server:fault { kind = "status", status = 503 }
      assert(session:request({ path = "static/home.html" }):await(LIMIT))
      local provider = datasession.AuthenticationProvider { uri = server.uris.form_sso,
        authenticationModel = "form_sso" }
      assert(provider:login("lua", "secret"):await(LIMIT))
      datasession.run(LIMIT)
      local attempts = {}
      for i, fields in ipairs(requests) do attempts[i] = fields.attempt .. " " .. fields.httpStatus end
      assert.same({ "1 200", "1 503", "2 200", "1 200" }, attempts)
      assert.equal(provider, requests[4].object)
    end)

    for name, login in pairs(logins) do
      it("holds no secret of " .. name, function()
        local password = "Wrong-Horse-7"
        local own <close> = assert(sandbox.start { users = { ada = password } })
        local session = assert(login(own, "ada", password):await(LIMIT))
        if name ~= "form_sso" then
          assert(session:ping():await(LIMIT))
          local uri = own.origin .. "/nothing;JSESSIONID=hush-hush?token=hush-hush"
          session:request({ uri = uri }):await(LIMIT)
        end
        if name ~= "sso" then assert(session:logout():await(LIMIT)) end
        datasession.run(LIMIT)
        assert.is_true(#requests >= 1)
        local list = secrets.of(own, password)
        list[#list + 1] = "hush-hush"
        assert.is_nil((secrets.find(list, log)))
      end)
    end
  end)
end)
