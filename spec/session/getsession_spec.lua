-- getSession, invalidateAllSessions, and the list of live sessions.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local endSessions = dofile("spec/support/sessions.lua").endAll

local LIMIT, rejected = await.LIMIT, await.rejected

local server

local function collect()
  collectgarbage()
  collectgarbage()
end

local function options(model, changed)
  local made = {
    serviceURI = server.uris[model], catalogURI = server.catalogURIs[model], authenticationModel = model,
    username = "lua", password = "secret",
  }
  for name, value in pairs(changed or {}) do
    made[name] = value or nil
  end
  return made
end

local function assertNothingLeft()
  datasession.run(LIMIT)
  collect()
  assert.same({}, datasession.sessions())
  assert.equal(0, server:sessionCount())
end

setup(function() server = assert(sandbox.start {}) end)
teardown(function() server:close() end)

before_each(function()
  server:clearFaults()
  server:clearRequests()
end)

after_each(function()
  server:clearFaults()
  endSessions()
  collect()
end)

describe("getSession", function()
  it("has its URIs relative to baseURI", function()
    local given = options("form", { baseURI = server.origin .. "/index.html", serviceURI = "/SportsForm" })
    local session = assert(datasession.getSession(given):await(LIMIT))
    assert.equal(server.uris.form, session.serviceURI)
    assert.equal("/SportsForm", given.serviceURI)
    local asked = options("sso", { baseURI = server.origin, serviceURI = "SportsSso/",
      authenticationURI = "/" .. server.uris.form_sso:match "[^/]+$" })
    session = assert(datasession.getSession(asked):await(LIMIT))
    assert.equal(server.uris.sso, session.serviceURI)
    assert.equal(server.uris.form_sso, session.authProvider.uri)
    assert(session.authProvider:logout():await(LIMIT))
  end)

  it("gives a session that is logged in and has its catalogs", function()
    for _, model in ipairs { "anonymous", "basic", "form" } do
      local session, result, info = datasession.getSession(options(model)):await(LIMIT)
      assert.equal(datasession.SUCCESS, result)
      assert.is_true(session.connected)
      assert.equal(model ~= "anonymous" and "lua" or nil, session.userName)
      assert.same({ server.catalogURIs[model] }, session.catalogURIs)
      assert.equal(server.catalogURIs[model], info.catalogURI)
    end
  end)

  it("takes several catalogs, and none at all", function()
    local one = server.catalogURIs.basic
    local session, _, info = datasession.getSession(options("basic",
      { catalogURI = { one, one } })):await(LIMIT)
    assert.equal(1, #session.services)
    assert.equal(2, #info.details)
    session = datasession.getSession(options("basic", { catalogURI = {} })):await(LIMIT)
    assert.same({}, session.catalogURIs)
  end)

  it("is anonymous where no model is given, and hands the other options on", function()
    local session = datasession.getSession {
      serviceURI = server.uris.anonymous, catalogURI = server.catalogURIs.anonymous, pingInterval = 3600000,
    }:await(LIMIT)
    assert.equal("anonymous", session.authenticationModel)
    assert.equal(3600000, session.pingInterval)
  end)

  it("sends no more than a login and a catalog need", function()
    for model, expected in pairs { anonymous = 2, basic = 2, form = 3 } do
      server:clearRequests()
      assert(datasession.getSession(options(model)):await(LIMIT))
      assert.equal(expected, #server:requests())
    end
  end)

  it("asks the server about the password, whoever else is logged in", function()
    assert(datasession.getSession(options "form"):await(LIMIT))
    assert.equal("auth", rejected(datasession.getSession(options("form", { password = "wrong" }))).kind)
    assert.equal(1, #datasession.sessions())
  end)

  local mistakes = {
    { "no options", nil, "expected a table of options, got nil" },
    { "no serviceURI", { serviceURI = false }, "getSession: option 'serviceURI': expected" },
    { "no catalogURI", { catalogURI = false },
      "option 'catalogURI': expected a URI or an array of URIs, got nil" },
    { "an empty catalogURI", { catalogURI = "" }, "'catalogURI': entry 1: expected a non%-empty string" },
    { "a list with something else", { catalogURI = { "a", 7 } },
      "'catalogURI': entry 2: expected a non%-empty" },
    { "a name of another type", { username = 7 }, "option 'username': expected a string, got number" },
    { "a password of another type", { password = {} }, "option 'password': expected a string, got table" },
    { "a name that Basic cannot send", { username = "a:b" },
      "option 'username': a user name with ':' cannot" },
    { "a password that Basic cannot send", { password = "a\0" },
      "option 'password': a NUL byte cannot be sent" },
    { "an unknown model", { authenticationModel = "x" },
      "getSession: option 'authenticationModel': expected" },
    { "a misspelled option", { usrname = "x" },
      "getSession: unknown option 'usrname': did you mean 'username'%?" },
    { "a misspelled option of a session", { proxi = "x" }, "unknown option 'proxi': did you mean 'proxy'%?" },
    { "a loginCallback that is none", { loginCallback = "x" },
      "option 'loginCallback': expected a function, got" },
    { "a provider", { authProvider = {} }, "option 'authProvider': getSession makes its own" },
    { "a provider's model that does not fit",
      { authenticationURI = "http://127.0.0.1:1/A", authProviderAuthenticationModel = "form" },
      'option \'authProviderAuthenticationModel\': "form" does not fit a session of model basic' },
    { "a malformed authenticationURI", { authenticationURI = "ftp://h/A" },
      "getSession: option 'authenticationURI': the URI 'ftp://h/A' is" },
    { "an authenticationURI for a protocol without providers",
      { protocol = "datasnap", authenticationModel = false, catalogURI = false,
        authenticationURI = "http://127.0.0.1:1/A" },
      "getSession: option 'authenticationURI': sessions of that protocol log in at serviceURI" },
    { "a baseURI that is not http", { serviceURI = "/x", baseURI = "ftp://h" },
      "getSession: option 'baseURI': the URI 'ftp://h' is not http" },
    { "a session's option beside a provider",
      { authenticationURI = "http://127.0.0.1:1/A", pingInterval = "x" },
      "getSession: option 'pingInterval': expected" },
    { "a name that is no string", { name = 7 }, "option 'name': expected a string, got number" },
  }
  it("raises when it is called with a colon, as datasession.new does", function()
    for _, name in ipairs { "getSession", "new" } do
      assert.error_matches(function() datasession[name](datasession, options "basic") end,
        "expected a table of options, got the module: call it with '.' instead of ':'")
    end
  end)

  for _, mistake in ipairs(mistakes) do
    it("raises for " .. mistake[1] .. ", where it was called, and leaves nothing", function()
      local given = mistake[2] and options("basic", mistake[2])
      local ok, message = pcall(function() return (datasession.getSession(given)) end)
      assert.is_false(ok)
      assert.matches(mistake[3], message)
      assert.matches("getsession_spec", message)
      assertNothingLeft()
      assert.same({}, server:requests())
    end)
  end

  it("rejects for want of credentials, and asks nobody", function()
    for _, model in ipairs { "basic", "form" } do
      for _, lacking in ipairs { { username = false }, { password = false }, { username = "" },
        { password = "" } } do
        local err = rejected(datasession.getSession(options(model, lacking)))
        assert.equal("auth", err.kind)
        assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
        assert.equal(err, err.info.errorObject)
        assert.matches("needs the options username and password", err.message)
      end
    end
    assert.same({}, server:requests())
    assertNothingLeft()
  end)

  local failures = {
    { "a wrong password", { password = "wrong" }, nil, "auth", 2 },
    { "a login that breaks off", nil, { kind = "reset", count = 0 }, "connect", 3 },
    { "a login page", nil, { kind = "loginPage" }, "auth", 2 },
    { "a check that fails", nil, { kind = "status", status = 500, path = "home.html$" }, "http", 3 },
    { "a catalog that is not there", { catalogURI = "static/nothing.json" }, nil, "http", 3 },
    { "a catalog that is none", nil, { kind = "malformed", path = "json$" }, "catalog", 3 },
    { "one catalog of two", { catalogURI = { "static/CustomerService.json", "nothing" } }, nil, "catalog",
      3 },
    { "an application that is gone", nil, { kind = "status", status = 404, count = 0 }, "offline", 3 },
  }
  for _, failure in ipairs(failures) do
    local name, changed, fault, kind, result = table.unpack(failure, 1, 5)
    it("rejects for " .. name .. ", says why, and undoes what it did", function()
      for _, model in ipairs { "basic", "form" } do
        if fault then
          server:fault(fault)
        end
        local err = rejected(datasession.getSession(options(model, changed)))
        assert.equal(kind, err.kind)
        assert.equal(result, err.result)
        assert.equal(err, err.info.errorObject)
        server:clearFaults()
        err = nil -- luacheck: ignore
        assertNothingLeft()
        assert(datasession.getSession(options(model)):await(LIMIT)) -- nothing is in the way of another try
        datasession.invalidateAllSessions():await(LIMIT)
      end
    end)
  end

  it("takes the credentials that loginCallback returns, or promises", function()
    local function now() return { username = "lua", password = "secret" } end
    local function later() return datasession.spawn(now) end
    for _, callback in ipairs { now, later } do
      for _, model in ipairs { "basic", "form" } do
        local given = options(model, { username = false, password = false, loginCallback = callback })
        local session = assert(datasession.getSession(given):await(LIMIT))
        assert.equal("lua", session.userName)
      end
    end
  end)

  it("rejects when loginCallback gives no credentials, says why, and leaves nothing", function()
    local reason = { message = "the user closed the window" }
    local callbacks = {
      { function() error(reason) end, "the user closed the window", 3 },
      { function() return datasession.promise(function(_, reject) reject(reason) end) end, "the user closed",
        3 },
      { function() end, "gave no credentials", 3 },
      { function() return 7 end, "expected a table, got number", 3 },
      { function() return {} end, "needs the options username and password, or a loginCallback", 2 },
      { function() return { username = {}, password = "x" } end, "gave no credentials", 3 },
    }
    for _, callback in ipairs(callbacks) do
      for _, model in ipairs { "basic", "form" } do
        local given = options(model, { username = false, password = false, loginCallback = callback[1] })
        local err = rejected(datasession.getSession(given))
        assert.equal("auth", err.kind)
        assert.equal(callback[3], err.result)
        assert.matches(callback[2], err.message)
        err = nil -- luacheck: ignore
        assertNothingLeft()
      end
    end
    assert.same({}, server:requests())
  end)

  it("proves the credentials elsewhere where it is told to, and ends that too", function()
    local changed = { authenticationURI = server.uris.basic .. "/" }
    local all = options("anonymous", changed)
    all.authenticationModel, all.serviceURI = "basic", server.uris.anonymous
    local session = assert(datasession.getSession(all):await(LIMIT))
    assert.equal(changed.authenticationURI, session.authProvider.uri)
    assert.equal("lua", session.userName)
    assert(session:invalidate():await(LIMIT))
    assert.is_nil(session.userName)
  end)

  it("of an sso session is ended by invalidateAllSessions at any point", function()
    local changed = { authenticationURI = server.uris.form_sso }
    local function ends(all, reached)
      server:clearRequests()
      local promise = datasession.getSession(all)
      await.stepUntil(reached)
      local report = assert(datasession.invalidateAllSessions { all = true }:await(LIMIT))
      assert.equal(1, #report)
      assert.is_true(report[1].ok)
      local err = rejected(promise)
      assert.matches("^c%l+$", err.kind) -- cancelled, or closed
      server:clearFaults()
      if report[1].provider then server:expireSessions() end -- the cookie of a login cut off was never seen
      assertNothingLeft()
      return report[1]
    end
    for _, path in ipairs { "security_check$", "home.html$", "json$" } do
      server:fault { kind = "slow", delay = 60, path = path }
      local entry = ends(options("sso", changed), function()
        local list = server:requests()
        return #list > 0 and list[#list].path:find(path)
      end)
      assert.equal(path == "security_check$", entry.provider ~= nil)
      assert.equal(path ~= "security_check$", entry.session ~= nil)
    end
    changed.loginCallback = function() return datasession.promise(function() end) end
    assert.is_truthy(ends(options("sso", changed), function() return true end).provider)
  end)

  it("asks the login target once where the credentials are proved at serviceURI, however that is written",
    function()
    for _, model in ipairs { "basic", "form" } do
      local uri = server.uris[model]
      for _, same in ipairs { uri, uri .. "//", (uri:gsub("^http", "HTTP")) } do
        server:clearRequests()
        local session = assert(datasession.getSession(options(model,
          { authenticationURI = same })):await(LIMIT))
        local homes = 0
        for _, request in ipairs(server:requests()) do
          if request.path:find "home%.html$" then homes = homes + 1 end
        end
        assert.same({ 1, "lua" }, { homes, session.userName })
        assert(session:invalidate():await(LIMIT))
        assert.equal(0, server:sessionCount "form")
      end
    end
  end)

  it("makes an sso session with a provider of its own, and leaves nothing of one that failed", function()
    local changed = {
      authenticationURI = server.uris.form_sso, authProviderAuthenticationModel = "form_sso",
    }
    local session = assert(datasession.getSession(options("sso", changed)):await(LIMIT))
    assert.is_true(session.connected)
    assert.equal("form_sso", session.authProvider.authenticationModel)
    assert(session.authProvider:logout():await(LIMIT))
    assert(session:invalidate():await(LIMIT))
    session = nil -- luacheck: ignore
    for _, fault in ipairs { "home.html$", "json$" } do
      server:fault { kind = "status", status = 500, path = fault }
      rejected(datasession.getSession(options("sso", changed)))
      server:clearFaults()
      assertNothingLeft()
    end
    changed.password = "wrong"
    assert.equal(2, rejected(datasession.getSession(options("sso", changed))).result)
    assertNothingLeft()
  end)

  it("takes a bearer's token as the user name", function()
    local session = datasession.getSession(options("bearer", { username = "letmein" })):await(LIMIT)
    assert.is_true(session.connected)
    assert.equal(2, rejected(datasession.getSession(options("bearer",
      { username = "no", password = false }))).result)
    assert.matches("the token as option username", rejected(datasession.getSession(options("bearer",
      { username = false }))).message)
  end)

  it("can be cancelled at any stage, and undoes what it did", function()
    for _, stage in ipairs { "check$", "home.html$", "json$" } do
      server:clearRequests()
      server:fault { kind = "slow", delay = 60, path = stage }
      local promise = datasession.getSession(options "form")
      while not (server:requests()[1] and server:requests()[#server:requests()].path:find(stage)) do
        datasession.step(0.005)
      end
      promise:cancel()
      assert.equal("cancelled", rejected(promise).kind)
      assert.same({}, datasession.sessions())
      server:clearFaults()
      assert.is_true(datasession.run(LIMIT))
      if stage ~= "check$" then -- of a login whose answer never came the client knows no cookie
        assert.equal(0, server:sessionCount())
      end
      server:expireSessions()
      promise = nil -- luacheck: ignore
      assertNothingLeft()
    end
  end)

  it("of an sso session that is cancelled logs its provider out, once", function()
    server:fault { kind = "slow", delay = 60, path = "home.html$" }
    local promise = datasession.getSession(options("sso", { authenticationURI = server.uris.form_sso }))
    await.stepUntil(function()
      local list = server:requests()
      return #list > 0 and list[#list].path:find "home.html$"
    end)
    promise:cancel()
    rejected(promise, "cancelled")
    promise = nil -- luacheck: ignore
    server:clearFaults()
    assertNothingLeft()
    local logouts = 0
    for _, request in ipairs(server:requests()) do
      if request.path:find "logout$" then logouts = logouts + 1 end
    end
    assert.equal(1, logouts)
  end)

  it("has ended what it began when it rejects", function()
    server:fault { kind = "slow", delay = 0.2, path = "logout" }
    rejected(datasession.getSession(options("form", { catalogURI = "static/nothing.json" })))
    assert.equal(0, server:sessionCount())
    local changed = { catalogURI = "static/nothing.json", authenticationURI = server.uris.form_sso }
    server:fault { kind = "slow", delay = 0.2, path = "logout" }
    rejected(datasession.getSession(options("sso", changed)))
    assert.equal(0, server:sessionCount())
  end)

  it("can be awaited in a coroutine, several at a time", function()
    local done = 0
    for i = 1, 5 do
      datasession.spawn(function()
        local session = assert(datasession.getSession(options(i % 2 == 0 and "form" or "basic")):await())
        assert(session:ping():await())
        done = done + 1
      end)
    end
    datasession.run(LIMIT)
    assert.equal(5, done)
  end)
end)

describe("the list of sessions", function()
  it("has every live session, the eldest first, and is the caller's own", function()
    local made = {}
    for i = 1, 20 do
      made[i] = datasession.new { serviceURI = server.uris.basic }
    end
    assert.same(made, datasession.sessions())
    made[3]:invalidate()
    table.remove(made, 3)
    assert.same(made, datasession.sessions())
    datasession.sessions()[1] = nil
    assert.equal(19, #datasession.sessions())
  end)

  it("keeps no session alive that new made, logged in or not", function()
    local session = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    assert(session:login("lua", "secret"):await(LIMIT))
    datasession.run(LIMIT)
    server:clearRequests()
    session = nil -- luacheck: ignore
    collect()
    assert.same({}, datasession.sessions())
    datasession.run(LIMIT)
    assert.same({}, server:requests()) -- being collected sends nothing
    server:expireSessions()
  end)

  it("keeps one alive while a call of its is in flight", function()
    datasession.new({ serviceURI = server.uris.basic, authenticationModel = "basic" }):login("lua", "secret")
    collect()
    assert.equal(1, #datasession.sessions())
    datasession.run(LIMIT)
    collect()
    assert.same({}, datasession.sessions())
  end)

  it("keeps one that getSession made, until it is logged out", function()
    assert(datasession.getSession(options "form"):await(LIMIT))
    collect()
    assert.equal(1, #datasession.sessions())
    datasession.sessions()[1]:logout()
    datasession.run(LIMIT)
    collect()
    assert.same({}, datasession.sessions())
  end)

  it("keeps one that getSession made, until it is invalidated", function()
    assert(datasession.getSession(options "form"):await(LIMIT))
    collect()
    datasession.sessions()[1]:invalidate():await(LIMIT)
    collect()
    assert.same({}, datasession.sessions())
  end)
end)

describe("invalidateAllSessions", function()
  it("resolves when there is none", function()
    local report, result, info = datasession.invalidateAllSessions():await(LIMIT)
    assert.same({}, report)
    assert.equal(datasession.SUCCESS, result)
    assert.equal(report, info.details)
  end)

  it("ends what getSession made, also what the script has dropped, and leaves the rest alone", function()
    local mine = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    assert(mine:login("lua", "secret"):await(LIMIT))
    local kept = datasession.getSession(options "form"):await(LIMIT)
    assert(datasession.getSession(options "basic"):await(LIMIT))
    collect()
    assert.equal(3, #datasession.sessions())
    local report, result = datasession.invalidateAllSessions():await(LIMIT)
    assert.equal(datasession.SUCCESS, result)
    assert.equal(2, #report)
    for _, entry in ipairs(report) do
      assert.is_true(entry.ok)
      assert.equal(datasession.SUCCESS, entry.result)
      assert.equal("invalid", entry.session.state)
    end
    assert.equal(kept, report[1].session)
    assert.equal("connected", mine.state)
    assert.equal(1, server:sessionCount "form")
    assert.same({ mine }, datasession.sessions())
  end)

  it("ends every live session when it is asked to", function()
    local mine = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    assert(mine:login("lua", "secret"):await(LIMIT))
    local report = datasession.invalidateAllSessions { all = true }:await(LIMIT)
    assert.equal(mine, report[1].session)
    assert.equal("invalid", mine.state)
  end)

  it("waits for all and reports each, when a server could not be told", function()
    local sessions = {}
    for i, model in ipairs { "form", "basic", "form" } do
      sessions[i] = datasession.getSession(options(model)):await(LIMIT)
    end
    server:fault { kind = "status", status = 500, path = "logout$" }
    local err = rejected(datasession.invalidateAllSessions())
    assert.equal("http", err.kind)
    assert.equal(datasession.GENERAL_FAILURE, err.result)
    assert.equal(err, err.info.errorObject)
    assert.matches("not every server could be told", err.message)
    local failed = 0
    for i, entry in ipairs(err.info.details) do
      assert.equal(sessions[i], entry.session)
      assert.equal("invalid", entry.session.state)
      assert.equal(entry.ok, entry.errorObject == nil)
      assert.equal(entry.ok and 1 or 3, entry.result)
      failed = failed + (entry.ok and 0 or 1)
    end
    assert.equal(1, failed)
    assert.equal(1, server:sessionCount "form")
    server:expireSessions()
  end)

  it("reaches one that is still being made", function()
    server:fault { kind = "slow", delay = 60, path = "json$" }
    local promise = datasession.getSession(options "form")
    while #server:requests() < 3 do
      datasession.step(0.005)
    end
    assert(datasession.invalidateAllSessions():await(LIMIT))
    assert.equal("closed", rejected(promise).kind)
    assert.equal(0, server:sessionCount "form")
  end)

  it("raises for what it does not know", function()
    assert.error_matches(function() datasession.invalidateAllSessions(1) end,
      "expected a table of options or nil")
    assert.error_matches(function() datasession.invalidateAllSessions { al = true } end,
      "'al': did you mean 'all'")
    assert.error_matches(function() datasession.invalidateAllSessions { all = 1 } end,
      "'all': expected a boolean")
  end)
end)
