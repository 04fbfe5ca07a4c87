-- Sessions over real sockets: their properties, logging in and out, how they notice that they are lost.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

describe("a session", function()
  local server

  setup(function()
    server = assert(sandbox.start { users = { lua = "secret", ["usér"] = "p:w &",
      ["ü/%+'*"] = "\u{20AC}\"&=;" } })
  end)

  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    server:expireSessions()
  end)

  after_each(function()
    sessions.endAll()
    collectgarbage()
  end)

  local function new(model, options)
    return sessions.new(server, model, options)
  end

  local function loggedIn(model, options)
    return sessions.loggedIn(server, model, options)
  end

  -- Notes each event as "name reason".
  local function listen(session)
    local events = {}
    session:subscribe("online", function(_, request) events[#events + 1] = "online " .. tostring(request) end)
    session:subscribe("offline", function(_, reason, request)
      events[#events + 1] = ("offline %s %s"):format(reason, request)
    end)
    return events
  end

  local function paths()
    local list = {}
    for i, request in ipairs(server:requests()) do
      list[i] = request.method .. " " .. request.path:match("^/[^/]*(.*)$")
    end
    return list
  end

  local function sent()
    return server:requests()[1]
  end

  -- A request on a kept connection that is closed is sent once more by libcurl, so once is not enough.
  local LOST = { reset = { kind = "reset", count = 0 }, close = { kind = "close", count = 0 } }

  local HOME = "GET /static/home.html"
  local ENTER, LEAVE = "POST /static/auth/j_spring_security_check",
    "GET /static/auth/j_spring_security_logout"

  describe("is made", function()
    it("without a word to the server", function()
      new "form"
      assert.same({}, server:requests())
    end)

    it("for the anonymous model where none is named, and whatever the case of its letters", function()
      assert.equal("anonymous", new().authenticationModel)
      assert.equal("basic", new("BaSiC").authenticationModel)
    end)

    it("with a serviceURI of which any number of trailing slashes is one", function()
      local session = loggedIn("basic", { serviceURI = server.uris.basic .. "///" })
      assert.equal(server.uris.basic, session.serviceURI)
      assert.equal("/SportsBasic/static/home.html", sent().uri)
    end)

    it("has a serviceURI relative to baseURI, as to a page", function()
      for relative, base in pairs {
        ["/SportsBasic"] = server.origin .. "/pages/index.html", ["SportsBasic//"] = server.origin,
        ["../SportsBasic"] = server.origin .. "/pages/index.html", [server.uris.basic] = "https://unused",
      } do
        local session = new("basic", { serviceURI = relative, baseURI = base })
        assert.equal(server.uris.basic, session.serviceURI)
      end
      local session = loggedIn("basic", { serviceURI = "/SportsBasic", baseURI = server.origin })
      assert.equal("/SportsBasic/static/home.html", sent().uri)
      assert.is_true(session.connected)
      assert.equal(server.origin, new("basic", { serviceURI = "/", baseURI = server.uris.basic }).serviceURI)
    end)

    local mistakes = {
      { "a relative serviceURI that cannot be", { { serviceURI = "/a\nb", baseURI = "http://h" } },
        "option 'serviceURI': the URI holds a control character" },
      { "a baseURI that is not http", { { serviceURI = "/a", baseURI = "ftp://h" } },
        "option 'baseURI': the URI 'ftp://h' is not http or https" },
      { "a baseURI of another type", { { serviceURI = "http://h/a", baseURI = 1 } },
        "option 'baseURI': expected a string, got number" },
      { "no options", {}, "table expected, got no value" },
      { "no serviceURI", { {} }, "option 'serviceURI': expected the URI of a web application, got nil" },
      { "an empty serviceURI", { { serviceURI = "" } }, "option 'serviceURI'.*got an empty string" },
      { "a serviceURI of another type", { { serviceURI = 7 } },
        "option 'serviceURI': expected a string, got number" },
      { "a relative serviceURI", { { serviceURI = "/Sports" } }, "option 'serviceURI': the URI " },
      { "a serviceURI that is not http", { { serviceURI = "ftp://h/A" } },
        "option 'serviceURI': the URI 'ftp://h/A' is not http or https" },
      { "a serviceURI with line breaks", { { serviceURI = "http://hush\n" } },
        "option 'serviceURI': the URI holds a control character" },
      { "a serviceURI with a password", { { serviceURI = "http://u:hush@h/A" } },
        "option 'serviceURI': the URI holds a user name or password: pass them to login instead" },
      { "a serviceURI with a query", { { serviceURI = "http://h/A?b=c" } },
        "option 'serviceURI':.* a query or fragment" },
      { "a model of another type", { { serviceURI = "http://h", authenticationModel = 1 } },
        "option 'authenticationModel': expected a string, got number" },
      { "an unknown model", { { serviceURI = "http://h", authenticationModel = "form_sso" } },
        "option 'authenticationModel': expected .-, got 'form_sso'" },
      { "the model sso and no provider", { { serviceURI = "http://h", authenticationModel = "SSO" } },
        "option 'authProvider': an sso session needs an AuthenticationProvider" },
      { "a provider that is none", { { serviceURI = "http://h", authProvider = {} } },
        "option 'authProvider': expected an AuthenticationProvider, got table" },
      { "a misspelled option", { { serviceURI = "http://h", authenticationMode = "form" } },
        "unknown option 'authenticationMode': did you mean 'authenticationModel'%?" },
      { "an option that is no name", { { serviceURI = "http://h", "form" } }, "option names are strings" },
      { "a negative pingInterval", { { serviceURI = "http://h", pingInterval = -1 } },
        "option 'pingInterval': expected a number of milliseconds, 0 or more, or a text such as \"30s\", \z
          got %-1" },
      { "a pingInterval that is no number", { { serviceURI = "http://h", pingInterval = "1" } },
        "option 'pingInterval': expected a number of milliseconds, .*, got '1'" },
      { "a connectTimeout of nothing", { { serviceURI = "http://h", connectTimeout = 0 } },
        "option 'connectTimeout': expected a number of seconds, above 0" },
      { "a timeout that is not a number", { { serviceURI = "http://h", timeout = 0 / 0 } },
        "option 'timeout': expected" },
      { "a proxy of another type", { { serviceURI = "http://h", proxy = true } },
        "option 'proxy': expected" },
      { "a caFile with a NUL byte", { { serviceURI = "http://h", caFile = "a\0b" } },
        "option 'caFile': expected" },
      { "an insecure that is no boolean", { { serviceURI = "http://h", insecure = 1 } },
        "option 'insecure': expected a boolean, got number" },
      { "an http2 that is no boolean", { { serviceURI = "http://h", http2 = "no" } },
        "option 'http2': expected a boolean, got string" },
      { "a protocol that nobody knows", { { serviceURI = "http://h", protocol = "gopher" } },
        "option 'protocol': expected \"jsdo\".* got 'gopher'" },
    }
    for _, mistake in ipairs(mistakes) do
      it("but not with " .. mistake[1], function()
        local before = #datasession.sessions()
        local ok, message = pcall(datasession.new, table.unpack(mistake[2]))
        assert.is_false(ok)
        assert.matches(mistake[3], message)
        assert.not_matches("hush", message)
        collectgarbage()
        assert.equal(before, #datasession.sessions())
      end)
    end
  end)

  describe("has properties", function()
    local function properties(session)
      local names = {
        "authenticationModel", "authProvider", "catalogURIs", "clientContextId", "connected", "JSDOs",
        "loginResult",
        "loginHttpStatus", "name", "onOpenRequest", "pingInterval", "services", "serviceURI", "userName",
        "state",
        "protocol", "catalogs",
      }
      local values = {}
      for _, name in ipairs(names) do
        values[name] = session[name]
      end
      return values
    end

    local function expected(model, changed)
      local values = {
        authenticationModel = model, serviceURI = server.uris[model], catalogURIs = {}, catalogs = {},
        JSDOs = {},
        connected = false, pingInterval = 0, services = {}, state = "logged out", protocol = "jsdo",
      }
      for name, value in pairs(changed or {}) do
        values[name] = value
      end
      return values
    end

    for _, model in ipairs { "anonymous", "basic", "form" } do
      local user = model ~= "anonymous" and "lua" or nil

      it("that say what it knows at each stage of a life with model " .. model, function()
        local session = new(model)
        assert.same(expected(model), properties(session))

        local login = session:login("lua", "secret")
        assert.same(expected(model, { state = "logging in", userName = user }), properties(session))
        assert(login:await(LIMIT))
        local id = session.clientContextId
        assert.equal(model == "form" and "string" or "nil", type(id))
        assert.equal(model, session.authProvider.authenticationModel)
        assert.is_true(session.authProvider:hasClientCredentials())
        local authorized = { authProvider = session.authProvider,
          connected = true, loginResult = 1, loginHttpStatus = 200, userName = user,
          clientContextId = id, state = "connected" }
        assert.same(expected(model, authorized), properties(session))

        assert(session:addCatalog(server.catalogURIs[model]):await(LIMIT))
        local catalogs = session.catalogs
        local loaded = { catalogURIs = { server.catalogURIs[model] }, catalogs = catalogs, services = {
          { name = "CustomerService", uri = server.uris[model] .. "/rest/CustomerService" } } }
        assert.equal(1, #catalogs)
        assert.same(loaded.services, session.services)

        assert(session:logout():await(LIMIT))
        assert.same(expected(model, loaded), properties(session))

        assert(session:login("lua", "secret"):await(LIMIT))
        assert(session:invalidate():await(LIMIT))
        loaded.state = "invalid"
        assert.same(expected(model, loaded), properties(session))
      end)

      if user then
        it("that say why a login failed, with model " .. model, function()
          local session = new(model)
          rejected(session:login("lua", "wrong"))
          local refused = { loginResult = 2, loginHttpStatus = 401, userName = "lua" }
          assert.same(expected(model, refused), properties(session))
          assert(session:logout():await(LIMIT))
          assert.same(expected(model), properties(session))
        end)
      end
    end

    it("that cannot be assigned, three apart", function()
      local session = new "form"
      for name in pairs(expected "form") do
        if name ~= "pingInterval" then
          assert.error_matches(function() session[name] = session[name] end,
            "session." .. name .. " is read%-only")
        end
      end
      local unset = { "authProvider", "clientContextId", "loginResult", "loginHttpStatus", "name",
        "userName" }
      for _, name in ipairs(unset) do
        assert.error_matches(function() session[name] = nil end, "session." .. name .. " is read%-only")
      end
      session.onOpenRequest = print
      assert.equal(print, session.onOpenRequest)
      session.onOpenRequest = nil
      assert.is_nil(session.onOpenRequest)
      assert.error_matches(function() session.onOpenRequest = 7 end,
        "onOpenRequest: expected a function or nil")
      assert.error_matches(function() session.pingInterva1 = 1 end,
        "a session has no field 'pingInterva1': did you mean 'pingInterval'?")
      assert.error_matches(function() session[7] = 1 end, "a session has no field '7'")
      assert.error_matches(function() session.login = print end, "session.login is read%-only")
      session.pingInterval = 12.5
      assert.equal(12.5, session.pingInterval)
      session.pingInterval = 0
      assert.equal("integer", math.type(session.pingInterval))
      for _, bad in ipairs { -1, 0 / 0, math.huge, "5", "5 pm", "-1s", "s", true } do
        assert.error_matches(function() session.pingInterval = bad end,
          "session.pingInterval: expected a number")
      end
      assert.equal(0, session.pingInterval)
      local texts = { ["500ms"] = 500, ["30s"] = 30000, ["1.5 s"] = 1500, ["5m"] = 300000, ["1h"] = 3600000 }
      for text, interval in pairs(texts) do
        session.pingInterval = text
        assert.equal(interval, session.pingInterval)
      end
      session.pingInterval = 0
    end)

    it("whose tables are the reader's own", function()
      local session = loggedIn "basic"
      assert(session:addCatalog(server.catalogURIs.basic):await(LIMIT))
      session.services[1].name, session.catalogURIs[1] = "x", "y"
      session.services[2] = {}
      assert.equal("CustomerService", session.services[1].name)
      assert.equal(server.catalogURIs.basic, session.catalogURIs[1])
      assert.equal(1, #session.services)
    end)

    it("and a text that tells what and where it is", function()
      local session = new "basic"
      assert.matches("^datasession%.session %d+: jsdo http://127%.0%.0%.1:%d+/SportsBasic, basic, \z
        logged out$", tostring(session))
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.matches("basic, connected$", tostring(session))
      assert.not_matches("secret", tostring(session))
    end)

    it("and methods, and nothing else", function()
      local session = new "basic"
      for _, name in ipairs { "disconnect", "setContext", "getContext", "setContextProperty",
        "getContextProperty" } do
        assert.equal("function", type(session[name]))
      end
      assert.error_matches(function() return session.nothing end, "a session has no field 'nothing'", 1, true)
      assert.error_matches(function() return session.serviceUri end,
        "a session has no field 'serviceUri': did you mean 'serviceURI'?", 1, true)
      assert.error_matches(function() session:lgoin() end, "no field 'lgoin': did you mean 'login'?", 1, true)
      assert.error_matches(function() session.ping() end,
        "got no value: call it with ':' instead of '.'", 1, true)
      local btt = datasession.new { protocol = "btt", serviceURI = server.origin }
      assert.error_matches(function() btt:addCokie() end, "no field 'addCokie': did you mean 'addCookie'?", 1,
        true)
      for _, probed in ipairs { "__pairs", 1, true } do assert.is_nil(session[probed]) end
    end)
  end)

  describe("logs in", function()
    it("with one request where that request is itself the check", function()
      for _, model in ipairs { "anonymous", "basic" } do
        server:clearRequests()
        local session = new(model)
        local value, result, info = session:login("lua", "secret"):await(LIMIT)
        assert.equal(session, value)
        assert.equal(datasession.SUCCESS, result)
        assert.equal(200, info.xhr.status)
        assert.is_nil(info.errorObject)
        assert.same({ HOME }, paths())
      end
    end)

    it("by form with the credentials first and the check after", function()
      local session = loggedIn "form"
      assert.same({ ENTER, HOME }, paths())
      local first, second = table.unpack(server:requests())
      assert.equal("j_username=lua&j_password=secret&submit=Submit", first.body)
      assert.equal("application/x-www-form-urlencoded", first.headers["content-type"])
      assert.equal("max-age=0", first.headers["cache-control"])
      assert.is_nil(first.headers.cookie)
      assert.matches("^JSESSIONID=%x+$", second.headers.cookie)
      assert.is_nil(second.headers["content-type"])
      assert.equal(1, server:sessionCount "form")
      assert.equal(session.clientContextId, session:request { path = "/static/home.html" }:await(LIMIT)
        .headers["x-client-context-id"])
    end)

    it("saying on every request what it wants and that it wants it fresh", function()
      local session = loggedIn "form"
      assert(session:ping():await(LIMIT))
      assert(session:isAuthorized():await(LIMIT))
      assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
      assert(session:logout():await(LIMIT))
      for i, request in ipairs(server:requests()) do
        assert.equal("application/json", request.headers.accept)
        assert.equal("no-cache", request.headers.pragma)
        assert.equal(i == 1 and "max-age=0" or "no-cache", request.headers["cache-control"])
        assert.is_nil(request.headers.authorization)
        assert.is_nil(request.query._ts)
        assert.same({}, request.parameters)
      end
    end)

    it("with UTF-8 in Basic credentials", function()
      assert(new("basic"):login("usér", "p:w &"):await(LIMIT))
      assert.equal("Basic dXPDqXI6cDp3ICY=", sent().headers.authorization)
    end)

    it("with the form's values encoded byte by byte", function()
      assert(new("form"):login("usér", "p:w &"):await(LIMIT))
      assert.equal("j_username=us%C3%A9r&j_password=p%3Aw%20%26&submit=Submit", sent().body)
    end)

    it("with any character in name and password", function()
      for _, model in ipairs { "basic", "form" } do
        local session = new(model)
        assert(session:login("ü/%+'*", "\u{20AC}\"&=;"):await(LIMIT))
        assert.equal("ü/%+'*", session.userName)
      end
      local plain = "AZaz09-_.!~*'()"
      rejected(new("form"):login(plain, "\0\1\r\n+\xFF"))
      local requests = server:requests()
      assert.equal("j_username=" .. plain .. "&j_password=%00%01%0D%0A%2B%FF&submit=Submit",
        requests[#requests].body)
    end)

    it("not without name and password of the right kind, the error naming the argument", function()
      for _, model in ipairs { "basic", "form" } do
        local session = new(model)
        assert.error_matches(function() session:login() end,
          "bad argument #1 to 'login' %(user name expected, got n")
        assert.error_matches(function() session:login(7, "x") end,
          "#1 to 'login' %(user name expected, got number%)")
        assert.error_matches(function() session:login("u") end,
          "#2 to 'login' %(password expected, got no value%)")
        assert.error_matches(function() session:login("", "x") end,
          "#1 to 'login' %(user name must not be empty%)")
        assert.error_matches(function() session:login("u", "") end,
          "#2 to 'login' %(password must not be empty%)")
      end
      local basic = new "basic"
      assert.error_matches(function() basic:login("a:b", "x") end, "#1 to 'login' %(a user name with ':'")
      assert.error_matches(function() basic:login("a\0b", "x") end, "#1 to 'login' %(a user name with a NUL")
      assert.error_matches(function() basic:login("ab", "x\0y") end, "#2 to 'login' %(a password with a NUL")
      assert.same({}, server:requests())
      assert.is_nil(basic.userName)
      assert.is_nil(basic.loginResult)
    end)

    it("once: while it is logged in, or logging in, another login is refused and changes nothing", function()
      local session = new "form"
      local first, second = session:login("lua", "secret"), session:login("other", "secret")
      local err = rejected(second)
      assert.equal("auth", err.kind)
      assert.matches("another login of this session is pending", err.message)
      assert(first:await(LIMIT))
      assert.equal("lua", session.userName)
      err = rejected(session:login("other", "secret"))
      assert.equal(datasession.GENERAL_FAILURE, err.result)
      assert.equal(err, err.info.errorObject)
      assert.matches("logged in already", err.message)
      assert.is_true(session.connected)
      assert.same({ ENTER, HOME }, paths())
    end)

    it("again at once after a failure, of whatever kind", function()
      local faults = {
        { kind = "status", status = 401, contentType = "application/json", body = "null" },
        { kind = "status", status = 401, contentType = "application/json", body = "{broken" },
        { kind = "status", status = 401, contentType = "text/html", body = "<html>" },
        { kind = "status", status = 403 },
        { kind = "status", status = 204 }, { kind = "status", status = 404 },
        { kind = "status", status = 500 },
        LOST.reset, LOST.close, { kind = "truncate" }, { kind = "loginPage" },
        { kind = "redirect", location = "/SportsForm/static/auth/login.jsp" },
        { kind = "redirect", location = "http://localhost:1/" }, { kind = "raw", body = "no HTTP\r\n\r\n" },
      }
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = new(model)
        local events = listen(session)
        for _, fault in ipairs(faults) do
          server:fault(fault)
          local err = rejected(session:login("lua", "secret"))
          server:clearFaults()
          assert.is_false(session.connected)
          assert.equal(err.result, session.loginResult)
          assert.equal(err.httpStatus or 0, session.loginHttpStatus)
          assert.equal(session, err.session)
          assert.equal("logged out", session.state)
        end
        assert.same({}, events)
        assert(session:login("lua", "secret"):await(LIMIT))
        datasession.run(LIMIT)
        assert.same({ "online nil" }, events)
      end
    end)

    it("by form not when the check after the credentials fails", function()
      local function fails(fault)
        fault.path = "home.html$"
        server:fault(fault)
        local session = new "form"
        local err = rejected(session:login("lua", "secret"))
        server:clearFaults()
        assert.is_false(session.connected)
        assert.is_nil(session.clientContextId)
        assert.equal(err.result, session.loginResult)
        return err, session
      end
      assert.equal(datasession.AUTHENTICATION_FAILURE, (fails { kind = "status", status = 401 }).result)
      assert.equal("auth", (fails { kind = "loginPage" }).kind)
      assert.equal(datasession.GENERAL_FAILURE, (fails { kind = "status", status = 403 }).result)
      assert.equal("connect", (fails { kind = "reset", count = 0 }).kind)
    end)

    it("by form with nothing left of a login whose check fails, neither there nor here", function()
      for _, fault in ipairs {
        { kind = "status", status = 500 }, { kind = "status", status = 401 },
        { kind = "status", status = 403 },
        { kind = "loginPage" }, { kind = "close", count = 0 },
        { kind = "status", status = 200, headers = { ["X-CLIENT-PROPS"] = "broken" } },
      } do
        local session = new "form"
        fault.path = "home%.html$"
        server:fault(fault)
        rejected(session:login("lua", "secret"))
        assert.equal(0, server:sessionCount "form")
        assert.same({ "logged out" }, { session.state, session.clientContextId })
        server:clearFaults()
        server:clearRequests()
        rejected(session:request { path = "/static/home.html" })
        assert.is_nil(sent().headers.cookie)
        server:clearRequests()
        assert(session:logout():await(LIMIT))
        assert.same({}, server:requests()) -- it has been told
        assert(session:login("lua", "secret"):await(LIMIT))
        assert(session:logout():await(LIMIT))
        assert.equal(0, server:sessionCount "form")
      end
    end)

    it("by form with no context id left of a login whose check fails, where that stands for the cookie",
      function()
      server:setCookies(false, "form")
      local session = new "form"
      server:fault { kind = "status", status = 500, path = "home%.html$" }
      rejected(session:login("lua", "secret"))
      assert.equal(0, server:sessionCount "form")
      assert.same({ "logged out" }, { session.state, session.clientContextId })
      rejected(session:request { path = "/static/home.html" })
      assert.not_matches("JSESSIONID", sent().uri)
      server:setCookies(true, "form")
    end)

    it("by form with the failure of the check to tell, whatever becomes of the logout that follows",
      function()
      for _, fault in ipairs { { kind = "status", status = 500 }, { kind = "slow", delay = 60 },
        { kind = "reset" } } do
        local session = new("form", { timeout = 0.2 })
        server:fault { kind = "status", status = 403, path = "home%.html$" }
        fault.path = "logout$"
        server:fault(fault)
        local err = rejected(session:login("lua", "secret"))
        assert.equal(403, err.httpStatus)
        assert.same({ 3, 403, "logged out" }, { session.loginResult, session.loginHttpStatus, session.state })
        server:clearFaults()
        server:clearRequests()
        rejected(session:request { path = "/static/home.html" })
        assert.is_nil(sent().headers.cookie)
      end
    end)

    it("by basic with nothing left of credentials that were refused", function()
      for _, status in ipairs { 401, 403, 500 } do
        local session = new "basic"
        server:fault { kind = "status", status = status, path = "home%.html$" }
        rejected(session:login("lua", "secret"))
        server:clearRequests()
        rejected(session:request { path = "/static/home.html" })
        assert.is_nil(sent().headers.authorization)
      end
    end)

    it("by form with a logout when the form leads to a page that refuses the user", function()
      local session = new "form"
      local location = server.uris.form .. "/static/home.html"
      server:clearRequests()
      server:fault { kind = "redirect", location = location, path = "security_check$" }
      server:fault { kind = "status", status = 403, path = "home%.html$" }
      assert.equal(403, rejected(session:login("lua", "secret")).httpStatus)
      assert.equal("logged out", session.state)
      local asked = server:requests()
      assert.equal(3, #asked)
      assert.matches("/static/auth/j_spring_security_logout$", asked[3].path)
    end)

    it("by form saying, when the check fails, that the credentials were accepted", function()
      for status, expected in pairs {
        [401] = { 2, "auth", "the application did not accept the session" },
        [403] = { 3, "http", "this user may not use the application" },
        [404] = { 3, "offline", "the application has no /static/home.html" },
        [500] = { 3, "http", "the application could not check the session" },
      } do
        local session = new "form"
        server:fault { kind = "status", status = status, path = "home%.html$" }
        local err = rejected(session:login("lua", "secret"))
        assert.same({ expected[1], expected[2] }, { err.result, err.kind })
        assert.matches("the user name and password were accepted, but " .. expected[3], tostring(err), 1,
          true)
      end
      server:fault { kind = "loginPage", path = "home%.html$" }
      local err = rejected(new "form":login("lua", "secret"))
      assert.matches("the user name and password were accepted, but the application answered with its login \z
        page",
        tostring(err), 1, true)
      server:fault { kind = "status", status = 500, path = "security_check$" }
      assert.matches("the server failed at the login", rejected(new "form":login("lua", "secret")).message, 1,
        true)
    end)

    it("by form with nothing left of a login that is cancelled after the form was accepted", function()
      local session = new "form"
      server:fault { kind = "slow", delay = 60, path = "home%.html$" }
      local login = session:login("lua", "secret")
      await.stepUntil(function() return #server:requests() == 2 end)
      assert.equal(1, server:sessionCount "form")
      login:cancel()
      assert.equal("cancelled", rejected(login).kind)
      server:clearFaults()
      await.stepUntil(function() return server:sessionCount "form" == 0 end)
      assert.same({ "logged out" }, { session.state, session.clientContextId })
      assert(session:login("lua", "secret"):await(LIMIT))
    end)

    it("not where a login page says so, at whatever status it comes", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        for _, fault in ipairs {
          { kind = "loginPage" },
          { kind = "redirect", location = "/SportsForm/static/auth/login.jsp" },
          { kind = "status", status = 200, contentType = "text/html", body = "<p>login failed</p>" },
        } do
          server:fault(fault)
          local session = new(model)
          local err = rejected(session:login("lua", "secret"))
          assert.equal("auth", err.kind)
          assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
          assert.equal(datasession.AUTHENTICATION_FAILURE, session.loginResult)
          assert.equal(200, session.loginHttpStatus)
          assert.equal("<", err.info.xhr.body:sub(1, 1))
        end
      end
    end)

    it("by the status in the body where a server puts it there", function()
      local function answer(status, body)
        server:fault { kind = "status", status = status, contentType = "application/json;charset=UTF-8",
          body = body }
      end
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = new(model)
        answer(200, '{"status_code": 401, "status_txt": "Unauthorized"}')
        local err = rejected(session:login("lua", "secret"))
        assert.equal(401, err.httpStatus)
        assert.equal(datasession.AUTHENTICATION_FAILURE, session.loginResult)
        assert.equal(401, session.loginHttpStatus)
        answer(200, '{"status_code": "500", "status_txt": "x"}')
        assert.equal(500, rejected(session:login("lua", "secret")).httpStatus)
        for status, body in pairs {
          [401] = '{"status_code": 200, "status_txt": "OK"}', [200] = '{"status_code": 401}',
        } do
          answer(status, body)
          answer(status, body)
          assert(session:login("lua", "secret"):await(LIMIT))
          server:clearFaults()
          assert(session:logout():await(LIMIT))
        end
        answer(200, '{"status_code": 1e300, "status_txt": "x"}')
        answer(200, '{"status_code": -1, "status_txt": "x"}')
        assert(session:login("lua", "secret"):await(LIMIT))
        server:clearFaults()
      end
    end)

    it("with an answer of 200 alone, unless it is the check", function()
      for _, status in ipairs { 201, 204, 206, 304 } do
        server:fault { kind = "status", status = status }
        assert.equal(datasession.GENERAL_FAILURE, rejected(new("form"):login("lua", "secret")).result)
      end
      local session = new "form"
      server:fault { kind = "status", status = 204, path = "home%.html$" }
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.same({ true, 204 }, { session.connected, session.loginHttpStatus })
    end)

    it("as somebody else after a logout, with nothing left of the first", function()
      local session = loggedIn "form"
      local id = session.clientContextId
      assert(session:logout():await(LIMIT))
      server:clearRequests()
      assert(session:login("usér", "p:w &"):await(LIMIT))
      assert.is_nil(sent().headers.cookie)
      assert.is_nil(sent().headers["x-client-context-id"])
      assert.not_equal(id, session.clientContextId)
      assert.equal("usér", session.userName)
    end)

    it("and can be cancelled, and tried again", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = new(model)
        server:fault { kind = "slow", delay = 60 }
        local login = session:login("lua", "secret")
        login:cancel()
        assert.equal("cancelled", rejected(login).kind)
        assert.is_false(session.connected)
        assert.is_nil(session.loginResult)
        server:clearFaults()
        assert(session:login("lua", "secret"):await(LIMIT))
      end
    end)
  end)

  describe("logs out", function()
    it("by one request where the server keeps a session, else by none", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = loggedIn(model)
        server:clearRequests()
        local events = listen(session)
        local promise = session:logout()
        assert.is_false(session.connected)
        local value, result = promise:await(LIMIT)
        assert.equal(session, value)
        assert.equal(datasession.SUCCESS, result)
        assert.same(model == "form" and { LEAVE } or {}, paths())
        assert.same({}, events)
      end
      assert.matches("^JSESSIONID=%x+$", sent().headers.cookie)
      assert.equal(0, server:sessionCount "form")
    end)

    it("at any time, and twice", function()
      local session = new "form"
      assert(session:logout():await(LIMIT))
      assert(session:login("lua", "secret"):await(LIMIT))
      server:clearRequests()
      local first, second = session:logout(), session:logout()
      assert(first:await(LIMIT))
      assert(second:await(LIMIT))
      assert(session:invalidate():await(LIMIT))
      assert(session:logout():await(LIMIT))
      assert.same({ LEAVE }, paths())
    end)

    it("from a session that the server has forgotten too", function()
      local session = loggedIn "form"
      server:expireSessions "form"
      rejected(session:isAuthorized())
      server:clearRequests()
      server:fault { kind = "status", status = 401 }
      assert(session:logout():await(LIMIT))
      assert.same({ LEAVE }, paths())
    end)

    it("here also when the server cannot be told, and says so", function()
      for kind, fault in pairs {
        http = { kind = "status", status = 500 }, connect = LOST.reset,
        protocol = { kind = "raw", body = "x" },
      } do
        local session = loggedIn "form"
        server:fault(fault)
        local err = rejected(session:logout())
        server:clearFaults()
        assert.equal(kind, err.kind)
        assert.equal(datasession.GENERAL_FAILURE, err.result)
        assert.is_nil(session.loginResult)
        assert.is_nil(session.userName)
        assert.equal("logged out", session.state)
        assert(session:login("lua", "secret"):await(LIMIT))
      end
    end)

    it("once: a logout that failed is not one to be repeated", function()
      for _, way in ipairs { "logout", "invalidate" } do
        for _, fault in ipairs { { kind = "status", status = 500 }, { kind = "reset", count = 0 } } do
          local session = loggedIn "form"
          fault.path = "logout$"
          server:fault(fault)
          local err = rejected(session[way](session))
          assert.is_false(err.retryable)
          server:clearFaults()
          server:clearRequests()
          assert(session[way](session):await(LIMIT))
          assert.same({}, server:requests())
        end
      end
    end)

    it("while it logs in: that login is cancelled, and what the server keeps is ended", function()
      local session = new "form"
      server:fault { kind = "slow", delay = 60, path = "home.html$" }
      local login = session:login("lua", "secret")
      while #server:requests() < 2 do
        datasession.step(0.01)
      end
      assert.equal(1, server:sessionCount "form")
      local logout = session:logout()
      local err = rejected(login)
      assert.equal("cancelled", err.kind)
      assert(logout:await(LIMIT))
      assert.equal(0, server:sessionCount "form")
      assert.is_nil(session.loginResult)
      server:clearFaults()
      assert(session:login("lua", "secret"):await(LIMIT))
    end)
  end)

  describe("is asked whether it is authorized", function()
    it("and says that there is no login, without asking the server", function()
      local session = new "form"
      local err = rejected(session:isAuthorized())
      assert.equal(datasession.LOGIN_AUTHENTICATION_REQUIRED, err.result)
      assert.equal("auth", err.kind)
      rejected(session:login("lua", "wrong"))
      server:clearRequests()
      assert.equal(datasession.LOGIN_AUTHENTICATION_REQUIRED, rejected(session:isAuthorized()).result)
      assert.same({}, server:requests())
    end)

    local answers = {
      { { kind = "status", status = 401 }, "expired", 2, datasession.SESSION_EXPIRED },
      { { kind = "status", status = 401, contentType = "application/json", body = "{broken" }, "expired", 2,
        datasession.SESSION_EXPIRED },
      { { kind = "status", status = 401, contentType = "application/json", body = "null" }, "expired", 2,
        datasession.SESSION_EXPIRED },
      { { kind = "loginPage" }, "expired", 2, datasession.SESSION_EXPIRED },
      { { kind = "redirect", location = "/SportsForm/static/auth/login.jsp" }, "expired", 2,
        datasession.SESSION_EXPIRED },
      { { kind = "status", status = 200, contentType = "application/json",
        body = '{"status_code": 401, "status_txt": "Unauthorized"}' }, "expired", 2,
          datasession.SESSION_EXPIRED },
      { { kind = "status", status = 404 }, "offline", 3, datasession.WEB_APPLICATION_OFFLINE },
      { { kind = "status", status = 410 }, "offline", 3, datasession.WEB_APPLICATION_OFFLINE },
      { LOST.reset, "connect", 3, datasession.SERVER_OFFLINE },
      { LOST.close, "connect", 3, datasession.SERVER_OFFLINE },
      { { kind = "truncate" }, "connect", 3, datasession.SERVER_OFFLINE },
      { { kind = "status", status = 403 }, "http", 3 }, { { kind = "status", status = 400 }, "http", 3 },
      { { kind = "status", status = 500 }, "http", 3 }, { { kind = "status", status = 503 }, "http", 3 },
      { { kind = "status", status = 304 }, "http", 3 }, { { kind = "raw", body = "what?" }, "protocol", 3 },
      { { kind = "redirect", location = "http://localhost:1/login" }, "protocol", 3 },
    }
    for _, answer in ipairs(answers) do
      local fault, kind, result, reason = table.unpack(answer)
      local name = ("%s %s %s"):format(fault.kind, fault.status or "", fault.body or fault.location or "")
      it("and judges the answer " .. name, function()
        for _, model in ipairs { "anonymous", "basic", "form" } do
          local session = loggedIn(model)
          datasession.run(LIMIT)
          local events = listen(session)
          server:fault(fault)
          local err = rejected(session:isAuthorized())
          server:clearFaults()
          datasession.run(LIMIT)
          assert.equal(kind, err.kind)
          assert.equal(result, err.result)
          assert.equal(reason, err.info.offlineReason)
          assert.same(reason and { ("offline %s nil"):format(reason) } or {}, events)
          assert.equal(not reason, session.connected)
          local lost = reason == datasession.SESSION_EXPIRED
          assert.equal(lost and 2 or 1, session.loginResult)
          assert.equal(lost and "expired" or reason and "offline" or "connected", session.state)

          assert(session:isAuthorized():await(LIMIT))
          datasession.run(LIMIT)
          assert.is_true(session.connected)
          assert.equal(1, session.loginResult)
          assert.equal(reason and "online nil", events[2])
        end
      end)
    end

    it("and hears of 2xx of any kind that all is well", function()
      local session = loggedIn "basic"
      for _, status in ipairs { 200, 201, 204 } do
        server:fault { kind = "status", status = status }
        local value, result, info = session:isAuthorized():await(LIMIT)
        assert.equal(session, value)
        assert.equal(datasession.SUCCESS, result)
        assert.equal(status, info.xhr.status)
        assert.equal(status, session.loginHttpStatus)
      end
    end)
  end)

  describe("that has expired", function()
    local function discover(how)
      local session = loggedIn "form"
      datasession.run(LIMIT)
      local events = listen(session)
      server:expireSessions "form"
      local err = rejected(how(session))
      datasession.run(LIMIT)
      assert.equal("expired", err.kind)
      assert.equal(401, err.httpStatus)
      assert.same({ "offline Session has expired nil" }, events)
      assert.equal("expired", session.state)
      assert.is_false(session.connected)
      assert.equal(datasession.AUTHENTICATION_FAILURE, session.loginResult)
      assert.equal(401, session.loginHttpStatus)
      return session, events
    end

    it("is noticed by a ping, by isAuthorized and by a request", function()
      discover(function(session) return session:ping() end)
      discover(function(session) return session:isAuthorized() end)
      discover(function(session) return session:request { path = "/rest/CustomerService/Customer" } end)
    end)

    it("is over once a login is refused", function()
      local session = discover(function(session) return session:isAuthorized() end)
      assert.equal("auth", rejected(session:login("lua", "wrong")).kind)
      assert.same({ "logged out", 2, 401 }, { session.state, session.loginResult, session.loginHttpStatus })
    end)

    it("is told by lost, then by offline", function()
      local session, seen = loggedIn "form", {}
      datasession.run(LIMIT)
      for _, event in ipairs { "offline", "lost", "expired", "online" } do
        session:subscribe(event, function() seen[#seen + 1] = event end)
      end
      server:expireSessions "form"
      rejected(session:ping())
      datasession.run(LIMIT)
      assert.same({ "lost", "offline" }, seen)
    end)

    it("because it was idle for too long is noticed too", function()
      local session = loggedIn "form"
      server:advanceClock(1201)
      assert.equal("expired", rejected(session:ping()).kind)
    end)

    it("tells it once", function()
      local session, events = discover(function(session) return session:ping() end)
      rejected(session:ping())
      rejected(session:isAuthorized())
      datasession.run(LIMIT)
      assert.equal(1, #events)
    end)

    it("tells it even when it was offline before", function()
      local session = loggedIn "form"
      datasession.run(LIMIT)
      local events = listen(session)
      server:fault(LOST.reset)
      rejected(session:ping())
      server:clearFaults()
      server:expireSessions "form"
      rejected(session:ping())
      datasession.run(LIMIT)
      assert.same({ "offline Cannot contact server nil", "offline Session has expired nil" }, events)
    end)

    it("can log in again, without what was left of the old login", function()
      local session, events = discover(function(session) return session:ping() end)
      server:clearRequests()
      assert(session:login("usér", "p:w &"):await(LIMIT))
      datasession.run(LIMIT)
      assert.is_nil(sent().headers["x-client-context-id"])
      assert.is_true(session.connected)
      assert.equal("usér", session.userName)
      assert.equal("online nil", events[2])
    end)
  end)

  describe("is told by an answer that comes late", function()
    local function untilSeen(n)
      while #server:requests() < n do
        datasession.step(0.005)
      end
    end

    -- Starts the call, whose answer waits, and does something in between.
    local function late(session, call, between)
      server:fault { kind = "slow", delay = 0.2 }
      local promise = call(session)
      untilSeen(1)
      local after = between(session)
      promise:await(LIMIT)
      datasession.run(LIMIT)
      return after
    end

    it("nothing, once it is logged out", function()
      for _, verb in ipairs { "ping", "isAuthorized" } do
        for _, model in ipairs { "anonymous", "basic", "form" } do
          local session = loggedIn(model)
          datasession.run(LIMIT)
          local events = listen(session)
          server:clearRequests()
          late(session, session[verb], session.logout)
          assert.is_false(session.connected)
          assert.is_nil(session.loginResult)
          assert.is_nil(session.loginHttpStatus)
          assert.is_nil(session.clientContextId)
          assert.same({}, events)
        end
      end
    end)

    it("nothing, once it is invalid: the call is rejected at once", function()
      for _, verb in ipairs { "ping", "isAuthorized", "login" } do
        local session = verb == "login" and new "form" or loggedIn "form"
        datasession.run(LIMIT)
        local events = listen(session)
        server:clearRequests()
        server:fault { kind = "status", status = 200, path = "logout$" }
        server:fault { kind = "slow", delay = 60 }
        local promise = session[verb](session, "lua", "secret")
        untilSeen(1)
        session:invalidate()
        assert.equal("closed", rejected(promise).kind)
        datasession.run(LIMIT)
        assert.equal("invalid", session.state)
        assert.same({}, events)
        server:clearFaults()
      end
    end)

    it("nothing of an expiry, when it was asked before the server had let the session in", function()
      for _, model in ipairs { "basic", "form" } do
        local session = new(model)
        server:clearRequests()
        server:fault { kind = "status", status = 401, delay = 0.3, path = "/rest/" }
        server:fault { kind = "slow", delay = 0.1, path = "home.html$" }
        local login, request = session:login("lua", "secret"),
          session:request { path = "/rest/CustomerService" }
        assert(login:await(LIMIT))
        rejected(request)
        datasession.run(LIMIT)
        assert.equal("connected", session.state)
      end
    end)

    it("nothing of an expiry, once it has logged in anew", function()
      local session = loggedIn "form"
      server:expireSessions "form"
      datasession.run(LIMIT)
      server:clearRequests()
      server:fault { kind = "status", status = 401, delay = 0.3, path = "_oeping$" }
      local ping = session:ping()
      untilSeen(1)
      local events = listen(session)
      rejected(session:isAuthorized())
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.is_nil((ping:await(LIMIT)))
      datasession.run(LIMIT)
      assert.is_true(session.connected)
      assert.same({ "offline Session has expired nil", "online nil" }, events)
    end)
  end)

  describe("is invalidated", function()
    it("for good, and the server is told", function()
      local session = loggedIn "form"
      server:clearRequests()
      local value, result = session:invalidate():await(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.same({ LEAVE }, paths())
      assert.equal(0, server:sessionCount "form")
      for _, call in ipairs {
        function() return session:login("lua", "secret") end, function() return session:ping() end,
        function() return session:isAuthorized() end,
          function() return session:addCatalog(server.catalogURIs.form) end,
        function() return session:request { path = "/" } end,
      } do
        local err = rejected(call())
        assert.equal("closed", err.kind)
        assert.equal(datasession.GENERAL_FAILURE, err.result)
        assert.equal(err, err.info.errorObject)
        assert.matches("invalidated", err.message)
      end
      assert(session:logout():await(LIMIT))
      assert(session:invalidate():await(LIMIT))
      assert.same({ LEAVE }, paths())
      assert.matches("form, invalid$", tostring(session))
    end)

    it("twice at once, and after a logout under way, with the server told all the same", function()
      local session = loggedIn "form"
      server:fault { kind = "slow", delay = 0.1, path = "logout$" }
      local first, second = session:invalidate(), session:invalidate()
      assert(first:await(LIMIT))
      assert(second:await(LIMIT))
      assert.equal(0, server:sessionCount "form")
      session = loggedIn "form"
      server:fault { kind = "slow", delay = 0.1, path = "logout$" }
      first, second = session:logout(), session:invalidate()
      assert(first:await(LIMIT))
      assert(second:await(LIMIT))
      assert.equal(0, server:sessionCount "form")
    end)

    it("when a variable to be closed goes out of scope", function()
      local kept
      do
        local session <close> = loggedIn "form"
        kept = session
      end
      assert.equal("invalid", kept.state)
      assert.equal(0, server:sessionCount "form")
      do
        local _ <close> = kept -- again, with no harm
      end
    end)

    it("so in a coroutine without keeping the host from going on", function()
      local order, kept = {}, nil
      server:fault { kind = "slow", delay = 0.2, path = "logout$" }
      local promise = datasession.spawn(function()
        kept = new "form"
        closing(kept, function() assert(kept:login("lua", "secret"):await()) end)
        order[#order + 1] = "closed"
      end)
      while kept.state ~= "invalid" do
        datasession.step(0.01)
      end
      order[#order + 1] = "went on"
      assert(select("#", promise:await(LIMIT)) > 0)
      assert.same({ "went on", "closed" }, order)
      assert.equal(0, server:sessionCount "form")
    end)

    it("so in a scope that an error ends", function()
      local session = loggedIn "form"
      local ok, message = pcall(closing, session, error, "oops", 0)
      assert.is_false(ok)
      assert.equal("oops", message)
      assert.equal("invalid", session.state)
    end)

    it("so within the session's time limit where the server does not answer", function()
      local session = loggedIn("form", { timeout = 0.2 })
      server:fault { kind = "slow", delay = 60, path = "logout$" }
      closing(session, function() end)
      assert.equal("invalid", session.state)
      server:clearFaults()
    end)
  end)

  describe("shares nothing with another", function()
    it("on the same application: neither cookies nor names nor what the one loses", function()
      local one, two = loggedIn "form", new "form"
      assert(two:login("usér", "p:w &"):await(LIMIT))
      assert.equal(2, server:sessionCount "form")
      assert.equal("lua", one.userName)
      assert.not_equal(one.clientContextId, two.clientContextId)
      assert(one:logout():await(LIMIT))
      assert(two:isAuthorized():await(LIMIT))
      assert.equal(1, server:sessionCount "form")
      local third = new "form"
      rejected(third:login("lua", "wrong"))
      assert.is_true(two.connected)
    end)
  end)

  it("keeps the last client context id when an answer has none", function()
    local session = loggedIn "form"
    local id = session.clientContextId
    server:fault { kind = "status", status = 200 }
    assert(session:isAuthorized():await(LIMIT))
    assert.equal(id, session.clientContextId)
    server:fault { kind = "slow", delay = 0, headers = { ["X-CLIENT-CONTEXT-ID"] = "CC.2" } }
    assert(session:ping():await(LIMIT))
    assert.equal("CC.2", session.clientContextId)
    server:clearRequests()
    assert(session:ping():await(LIMIT))
    assert.equal("CC.2", sent().headers["x-client-context-id"])
  end)

  it("does not send a client context id of 0", function()
    local session = loggedIn "basic"
    server:fault { kind = "slow", delay = 0, headers = { ["X-CLIENT-CONTEXT-ID"] = "0" } }
    assert(session:ping():await(LIMIT))
    assert.equal("0", session.clientContextId)
    server:clearRequests()
    assert(session:ping():await(LIMIT))
    assert.is_nil(sent().headers["x-client-context-id"])
  end)

  it("notices that the server is stopped and started again", function()
    local own <close> = assert(sandbox.start {})
    local session = datasession.new { serviceURI = own.uris.basic, authenticationModel = "basic" }
    local events = listen(session)
    assert(session:login("lua", "secret"):await(LIMIT))
    own:stop()
    assert.equal("connect", rejected(session:ping()).kind)
    assert(own:start())
    assert(session:ping():await(LIMIT))
    datasession.run(LIMIT)
    assert.same({ "online nil", "offline Cannot contact server nil", "online nil" }, events)
  end)
end)
