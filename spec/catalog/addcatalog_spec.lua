-- addCatalog: where catalogs come from, what is told of each, and what a catalog that fails leaves alone.
local catalog = require "datasession.catalog"
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local newFile = dofile("spec/support/files.lua").new
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

-- A catalog with one service of one resource.
local function text(service, resource, address)
  return ([[{"version": "1.4", "lastModified": "Fri Mar 01 09:00:00 UTC 2024", "services": [{"name": "%s",
    "address": "%s", "resources": [{"name": "%s", "path": "/%s"}]}]}]]):format(service,
    address or "/rest/" .. service, resource, resource)
end

describe("addCatalog", function()
  local server, files

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    files = {}
  end)

  after_each(function()
    for _, name in ipairs(files) do
      os.remove(name)
    end
    sessions.endAll()
  end)

  local function new(model)
    return sessions.new(server, model)
  end

  local function loggedIn(model)
    local session = sessions.loggedIn(server, model)
    datasession.run(LIMIT)
    server:clearRequests()
    return session
  end

  local function file(content)
    files[#files + 1] = newFile(content)
    return files[#files]
  end

  -- The next request for a path that ends so is answered with that catalog.
  local function serve(name, content, options)
    local fault = options or {}
    fault.kind, fault.status, fault.path, fault.body = "status", fault.status or 200, name .. "$", content
    fault.contentType = fault.contentType or "application/json"
    server:fault(fault)
    return server.uris.basic .. "/static/" .. name
  end

  -- A failed catalog must leave this as it was.
  local function state(session)
    local events = sessions.listen(session)
    local before = { session.connected, session.loginResult, session.loginHttpStatus, session.state,
      session.userName }
    return function()
      datasession.run(LIMIT)
      assert.same({}, events)
      assert.same(before,
        { session.connected, session.loginResult, session.loginHttpStatus, session.state, session.userName })
    end
  end

  describe("loads", function()
    it("one catalog, and tells what became of it", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = loggedIn(model)
        local uri = server.catalogURIs[model]
        local value, result, info = session:addCatalog(uri):await(LIMIT)
        assert.equal(session, value)
        assert.equal(datasession.SUCCESS, result)
        assert.equal(uri, info.catalogURI)
        assert.equal(datasession.SUCCESS, info.result)
        assert.is_nil(info.errorObject)
        assert.equal(200, info.xhr.status)
        assert.equal(1, #info.details)
        assert.same({ catalogURI = uri, result = 1, xhr = info.xhr }, info.details[1])
        assert.same({ uri }, session.catalogURIs)
        local address = server.uris[model] .. "/rest/CustomerService"
        assert.same({ { name = "CustomerService", uri = address } }, session.services)
        assert.equal("Customer", session.catalogs[1]:resource("Customer").name)
        assert.equal(1, #server:requests())
      end
    end)

    it("several at once, and tells of each in the order in which they were asked for", function()
      local session = loggedIn "basic"
      local slow = serve("a.json", text("A", "a"), { delay = 0.2 })
      local quick = serve("b.json", text("B", "b"))
      local local_ = file(text("C", "c"))
      local value, result, info = session:addCatalog({ slow, quick, local_ }):await(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.equal(datasession.SUCCESS, info.result)
      assert.is_nil(info.catalogURI)
      for i, uri in ipairs { slow, quick, local_ } do
        assert.equal(uri, info.details[i].catalogURI)
        assert.equal(datasession.SUCCESS, info.details[i].result)
      end
      assert.same({ local_, quick, slow }, session.catalogURIs) -- in the order in which they were loaded
      assert.equal(3, #session.services)
    end)

    it("none of an empty array", function()
      local session = loggedIn "basic"
      local _, result, info = session:addCatalog({}):await(LIMIT)
      assert.equal(datasession.SUCCESS, result)
      assert.same({ result = datasession.SUCCESS, details = {} }, info)
    end)

    it("one once: a URI that stands twice in one call, and one that is loaded already", function()
      local session = loggedIn "basic"
      local uri = server.catalogURIs.basic
      local _, result, info = session:addCatalog({ uri, uri }):await(LIMIT)
      assert.equal(datasession.SUCCESS, result)
      assert.equal(datasession.SUCCESS, info.details[1].result)
      assert.equal(datasession.CATALOG_ALREADY_LOADED, info.details[2].result)
      assert.is_nil(info.details[1].twin)
      assert.is_nil(info.details[2].twin)
      _, result, info = session:addCatalog(uri):await(LIMIT)
      assert.equal(datasession.SUCCESS, result)
      assert.equal(datasession.CATALOG_ALREADY_LOADED, info.result)
      assert.is_nil(info.errorObject)
      assert.same({ uri }, session.catalogURIs)
      assert.equal(1, #session.services)
      assert.equal(1, #server:requests())
    end)

    it("one once that two calls ask for at a time", function()
      local session = loggedIn "basic"
      local first = session:addCatalog(server.catalogURIs.basic)
      local second = session:addCatalog(server.catalogURIs.basic)
      local _, _, one = first:await(LIMIT)
      local _, _, two = second:await(LIMIT)
      local results = { one.result, two.result }
      table.sort(results)
      assert.same({ 1, 4 }, results)
      assert.equal(1, #session.services)
    end)

    it("from a file, by path and by file: URI, without a word to a server", function()
      local session = new "basic"
      local path = file(text("Local", "thing"))
      assert(session:addCatalog(path):await(LIMIT))
      assert.equal(server.uris.basic .. "/rest/Local", session.services[1].uri)
      assert.same({ path }, session.catalogURIs)
      local other = "file://" .. file(text("Other", "other"))
      assert(session:addCatalog(other):await(LIMIT))
      assert.equal(2, #session.services)
      assert.equal(0, #server:requests())
    end)

    it("from a URI relative to serviceURI, or to its origin", function()
      local session = loggedIn "basic"
      assert(session:addCatalog("static/CustomerService.json"):await(LIMIT))
      assert.equal("/SportsBasic/static/CustomerService.json", server:requests()[1].uri)
      session = loggedIn "basic"
      assert(session:addCatalog("/SportsAnonymous/static/CustomerService.json"):await(LIMIT))
      assert.equal("/SportsAnonymous/static/CustomerService.json", server:requests()[1].uri)
      assert.equal(server.uris.basic .. "/rest/CustomerService", session.services[1].uri)
    end)

    it("before login, what is open to everybody", function()
      local session = new "anonymous"
      local unchanged = state(session)
      assert(session:addCatalog(server.catalogURIs.anonymous):await(LIMIT))
      assert.equal(1, #session.services)
      unchanged()
    end)

    it("and keeps it through logout and login", function()
      local session = loggedIn "form"
      assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
      assert(session:logout():await(LIMIT))
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.equal(1, #session.services)
      local _, _, info = session:addCatalog(server.catalogURIs.form):await(LIMIT)
      assert.equal(datasession.CATALOG_ALREADY_LOADED, info.result)
    end)

    it("the same for two sessions, each for itself", function()
      for _, session in ipairs { loggedIn "basic", loggedIn "basic" } do
        local _, _, info = session:addCatalog(server.catalogURIs.basic):await(LIMIT)
        assert.equal(datasession.SUCCESS, info.result)
        assert.equal(1, #session.services)
        assert.same({ server.catalogURIs.basic }, session.catalogURIs)
      end
    end)
  end)

  it("leaves out what only describes and has another type, and logs that once", function()
    local notes = {}
    datasession.setLogger(function(...) notes[#notes + 1] = { ... } end)
    finally(function() datasession.setLogger(nil) end)
    local session = new("anonymous")
    local path = file([[{"services":[{"name":"Shop","useRequest":"true",
      "resources":[{"name":"Item","idProperty":1}]}]}]])
    assert(session:addCatalog(path):await(LIMIT))
    assert.is_false(session.catalogs[1].services[1].useRequest)
    datasession.run(LIMIT)
    assert.equal(1, #notes)
    local level, event, who, fields = table.unpack(notes[1])
    assert.same({ "warning", "catalogLeftOut", session, "catalog" }, { level, event, who, fields.kind })
    assert.equal("addCatalog: " .. path ..
      [[: left out: services[1].useRequest: expected true or false, got "true"; ]] ..
      "services[1].resources[1].idProperty: expected a string, got 1", fields.message)
    assert.same({ [[services[1].useRequest: expected true or false, got "true"]],
      "services[1].resources[1].idProperty: expected a string, got 1" }, session.catalogs[1].leftOut)
  end)

  describe("raises for", function()
    it("what is no URI", function()
      local session = new "basic"
      assert.error_matches(function() session:addCatalog() end,
        "bad argument #1 to 'addCatalog' %(a URI or an array")
      assert.error_matches(function() session:addCatalog(7) end,
        "#1 to 'addCatalog' %(a URI or an array of URIs")
      assert.error_matches(function() session:addCatalog "" end,
        "catalog URI 1: expected a non%-empty string")
      assert.error_matches(function() session:addCatalog { "a", 7 } end,
        "catalog URI 2: expected a non%-empty string")
      assert.error_matches(function() session:addCatalog "ftp://h/c.json" end,
        "catalog URI 1: the URI is not http")
      local ok, message = pcall(session.addCatalog, session, { "a", "http://lua:hush@h/c.json" })
      assert.is_false(ok)
      assert.matches("catalog URI 2: the URI holds a user name or password", message)
      assert.not_matches("hush", message)
    end)

    it("credentials and options that make no sense", function()
      local session = new "basic"
      local provider = datasession.AuthenticationProvider { uri = server.uris.basic,
        authenticationModel = "basic" }
      local mistakes = {
        { "user name, or a table of options", 7 }, { "password", "lua" },
        { "user name must not be empty", "", "x" },
        { "password must not be empty", "lua", "" }, { "with ':' cannot be sent", "a:b", "x" },
        { "password with a NUL", "lua", "a\0" }, { "after the options", {}, {} },
        { "unknown option 'authProvidr'", { authProvidr = provider } },
        { "'iOSBasicAuthTimeout': expected a number", { iOSBasicAuthTimeout = "x" } },
        { "'authProvider': expected an AuthenticationProvider, got table", { authProvider = {} } },
        { "not both", "lua", "secret", { authProvider = provider } },
      }
      for _, mistake in ipairs(mistakes) do
        assert.error_matches(function() session:addCatalog("a", table.unpack(mistake, 2)) end, mistake[1])
      end
      assert.same({}, server:requests())
    end)
  end)

  describe("with credentials of the catalogs' own", function()
    local other

    before_each(function() other = assert(sandbox.start { users = { guest = "hush" } }) end)
    after_each(function() other:close() end)

    it("shows them to the catalog's server alone, and nothing of the session", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = loggedIn(model)
        session:setContextProperty("tenant", "7")
        local unchanged = state(session)
        other:clearRequests()
        assert(session:addCatalog(other.catalogURIs.basic, "guest", "hush"):await(LIMIT))
        local headers = other:requests()[1].headers
        assert.equal("Basic Z3Vlc3Q6aHVzaA==", headers.authorization)
        assert.is_nil(headers.cookie)
        assert.is_nil(headers["x-client-props"])
        assert.is_nil(headers["x-client-context-id"])
        unchanged()
        server:clearRequests()
        assert(session:isAuthorized():await(LIMIT))
        assert.equal(model == "basic" and "Basic bHVhOnNlY3JldA==" or nil,
          server:requests()[1].headers.authorization)
        assert.same({ other.catalogURIs.basic }, session.catalogURIs)
      end
    end)

    it("loads before login, and does not log in by that", function()
      local session = new "basic"
      assert(session:addCatalog(server.catalogURIs.basic, "lua", "secret",
        { iOSBasicAuthTimeout = 5000 }):await(LIMIT))
      assert.equal("logged out", session.state)
      assert.is_nil(session.loginResult)
      assert.equal(0, rejected(session:isAuthorized()).result)
    end)

    it("takes a provider's, and uses it for nothing else", function()
      for _, model in ipairs { "basic", "form", "form_sso" } do
        local provider = datasession.AuthenticationProvider { uri = other.uris[model],
          authenticationModel = model }
        assert(provider:login("guest", "hush"):await(LIMIT))
        local session = loggedIn "form"
        local uri = other.catalogURIs[model == "form_sso" and "sso" or model]
        local unchanged = state(session)
        assert(session:addCatalog(uri, { authProvider = provider }):await(LIMIT))
        unchanged()
        assert(session:ping():await(LIMIT))
        assert.is_true(provider:hasClientCredentials())
      end
    end)

    it("says that they were refused, asks nothing more, and leaves the session alone", function()
      local provider = datasession.AuthenticationProvider { uri = server.uris.form,
        authenticationModel = "form" }
      assert(provider:login("lua", "secret"):await(LIMIT))
      server:expireSessions()
      for _, model in ipairs { "basic", "form" } do
        local session = loggedIn(model)
        local unchanged = state(session)
        for _, given in ipairs { { server.catalogURIs.basic, "lua", "wrong" },
          { other.catalogURIs.basic, "lua", "secret" },
          { server.catalogURIs.form, { authProvider = provider } } } do
          server:clearRequests()
          local err = rejected(session:addCatalog(table.unpack(given)))
          assert.equal("auth", err.kind)
          assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
          assert.matches("did not accept the credentials given for the catalog", err.message)
          assert.not_matches("wrong", err.message)
          assert.is_true(#server:requests() <= 1)
        end
        unchanged()
      end
    end)

    it("sends nothing for a provider that is not logged in, nor by name for an sso session", function()
      local given = { uri = server.uris.form_sso, authenticationModel = "form_sso" }
      local provider = datasession.AuthenticationProvider(given)
      local session = loggedIn "basic"
      local err = rejected(session:addCatalog(server.catalogURIs.basic, { authProvider = provider }))
      assert.matches("not logged in", err.message)
      assert(provider:login("lua", "secret"):await(LIMIT))
      session = datasession.new { serviceURI = server.uris.sso, authenticationModel = "sso",
        authProvider = provider }
      server:clearRequests()
      err = rejected(session:addCatalog(server.catalogURIs.basic, "lua", "secret"))
      assert.equal(datasession.GENERAL_FAILURE, err.result)
      assert.same({}, server:requests())
    end)

    it("refreshes the token of a provider that only the catalog knows", function()
      local given = { uri = other.uris.form_sso, authenticationModel = "form_sso" }
      local provider = datasession.AuthenticationProvider(given)
      assert(provider:login("guest", "hush"):await(LIMIT))
      other:expireTokens()
      local session = loggedIn "basic"
      assert(session:addCatalog(other.catalogURIs.sso, { authProvider = provider }):await(LIMIT))
      assert.equal(1, other:tokenRefreshes())
    end)

    it("gives up after iOSBasicAuthTimeout", function()
      other:fault { kind = "slow", delay = 60 }
      local err = rejected(loggedIn "basic":addCatalog(other.catalogURIs.basic, "guest", "hush",
        { iOSBasicAuthTimeout = 50 }))
      assert.equal("timeout", err.kind)
      assert.equal(datasession.GENERAL_FAILURE, err.result)
    end)
  end)

  describe("rejects", function()
    -- The rejection of that one catalog, after all was found as it was.
    local function fails(session, uri)
      local unchanged = state(session)
      local err = rejected(session:addCatalog(uri))
      server:clearFaults()
      unchanged()
      assert.same({}, session.catalogURIs)
      assert.same({}, session.services)
      assert.same({}, session.catalogs)
      assert.equal(session, err.session)
      assert.equal(err, err.info.errorObject)
      assert.equal(err.result, err.info.result)
      assert.equal(uri, err.info.catalogURI)
      assert.equal(1, #err.info.details)
      assert.equal(err, err.info.details[1].errorObject)
      assert.equal(err.info.xhr, err.info.details[1].xhr)
      return err
    end

    local answers = {
      { { kind = "status", status = 204 }, "catalog", "HTTP 204 instead of the catalog" },
      { { kind = "status", status = 304 }, "catalog", "HTTP 304 instead of the catalog" },
      { { kind = "status", status = 400 }, "http", "HTTP 400" },
      { { kind = "status", status = 403 }, "http", "HTTP 403" },
      { { kind = "status", status = 404 }, "http", "HTTP 404" },
      { { kind = "status", status = 410 }, "http", "HTTP 410" },
      { { kind = "status", status = 500 }, "http", "HTTP 500" },
      { { kind = "status", status = 503 }, "http", "HTTP 503" },
      { { kind = "empty" }, "catalog", "empty document" }, { { kind = "malformed" }, "catalog", "not JSON" },
      { { kind = "html" }, "catalog", "expected JSON, got an HTML page" },
      { { kind = "truncate" }, "connect", "the connection failed" },
      { { kind = "raw", body = "220 hello\r\n" }, "protocol", "not valid HTTP" },
      { { kind = "redirect", location = "http://localhost:1/c" }, "protocol",
        "redirected out of the origin" },
    }
    for _, answer in ipairs(answers) do
      local fault, kind, message = table.unpack(answer)
      it("the answer " .. fault.kind .. " " .. (fault.status or ""), function()
        for _, model in ipairs { "anonymous", "basic", "form" } do
          local session = loggedIn(model)
          server:fault(fault)
          -- not in any cache
          local uri = ("%s?%s%s"):format(server.catalogURIs[model], fault.kind, fault.status or "")
          local err = fails(session, uri)
          assert.equal(kind, err.kind)
          assert.equal(datasession.GENERAL_FAILURE, err.result)
          assert.matches(message, err.message, 1, true)
          assert.matches("^addCatalog: ", err.message)
          assert(session:addCatalog(uri):await(LIMIT)) -- nothing is in the way of another try
        end
      end)
    end

    it("nothing, where the session's own server cannot be reached: it is offline, as by a request", function()
      for _, fault in ipairs { { kind = "reset", count = 0 }, { kind = "close", count = 0 } } do
        for _, uris in ipairs { { 1 }, { 1, 2 } } do
          local session = loggedIn "form"
          local events = sessions.listen(session)
          for i in ipairs(uris) do uris[i] = ("%s/static/%d.json"):format(server.uris.form, i) end
          server:fault(fault)
          local err = rejected(session:addCatalog(uris))
          server:clearFaults()
          datasession.run(LIMIT)
          assert.equal(#uris == 1 and "connect" or "catalog", err.kind)
          assert.same({ datasession.SERVER_OFFLINE }, events)
          assert.same({ false, "offline" }, { session.connected, session.state })
          assert.equal(datasession.SERVER_OFFLINE, err.info.offlineReason)
          assert.equal(datasession.SERVER_OFFLINE, err.info.details[1].offlineReason)
          assert.same({}, session.catalogs)
        end
      end
    end)

    it("with the same words as every other call, once the session has expired", function()
      local session = loggedIn "form"
      server:expireSessions "form"
      local texts = {}
      for _, call in ipairs { "addCatalog", "addCatalog", "isAuthorized", "ping", "request" } do
        local argument = call == "addCatalog" and server.catalogURIs.form or
          { path = "/rest/CustomerService/Customer" }
        local err = rejected(session[call](session, argument), "expired")
        texts[err.hint .. err.message:gsub("; the server says: .*", ""):match ": [%l ]+$"] = true
        assert.equal(call ~= "ping" and datasession.AUTHENTICATION_FAILURE, err.result)
      end
      assert.same({ ["call login again: the server no longer accepts the session"] = true }, texts)
    end)

    it("what is no catalog, and says where it went wrong", function()
      local session = loggedIn "basic"
      local documents = {
        ['{"services": {}}'] = "services: expected an array, got an object",
        ['{"services": [{"name": "S"}]}'] = "services[1].resources: expected an array, got nothing",
        ['{"services":[{"name":"S","resources":[{"name":"R"},{"name":"R"}]}]}'] =
          "services[1].resources[2].name",
        ['{"services":[{"name":"S","resources":[]},' ..
          '{"name":"T","resources":[{"name":"R","operations":[{"verb":"fetch"}]}]}]}'] =
          "services[2].resources[1].operations[1].verb: expected get, post, put or delete, got \"fetch\"",
        ["[]"] = "document: expected an object",
        ["null"] = "document: expected an object",
      }
      for document, message in pairs(documents) do
        local err = fails(session, serve("bad.json", document))
        assert.equal("catalog", err.kind)
        assert.matches(message, err.message, 1, true)
        assert.matches(server.uris.basic .. "/static/bad.json", err.message, 1, true)
        assert.equal(200, err.httpStatus)
        assert.equal(document, err.info.xhr.body)
        err = fails(session, file(document))
        assert.matches(message, err.message, 1, true)
      end
    end)

    it("a file that is not there, or a directory", function()
      local session = loggedIn "basic"
      local err = fails(session, "file:///nowhere/at/all.json")
      assert.equal("catalog", err.kind)
      assert.matches("/nowhere/at/all.json", err.message, 1, true)
      err = fails(session, "nowhere.json")
      assert.equal(404, err.httpStatus)
      assert.matches("the catalog is neither a file nor found below serviceURI", err.hint)
      assert.equal("catalog", fails(session, "file:///tmp").kind)
    end)

    it("a server that does not answer, on another origin, and stays connected", function()
      local other <close> = assert(sandbox.start {})
      local uri = other.catalogURIs.anonymous
      other:stop()
      assert.equal("connect", fails(loggedIn "basic", uri).kind)
    end)

    it("a server of another origin at once, with reconnect too", function()
      local session = loggedIn("form", { reconnect = { delay = 0 } })
      local began = false
      session:subscribe("reconnecting", function() began = true end)
      local err = rejected(session:addCatalog { server.catalogURIs.form, "http://127.0.0.1:1/a.json" })
      datasession.run(LIMIT)
      assert.equal("connect", err.info.details[2].errorObject.kind)
      assert.same({ server.catalogURIs.form }, session.catalogURIs)
      assert.same({ false, "connected" }, { began, session.state })
    end)

    it("a 401 from elsewhere, without asking after the session", function()
      local other <close> = assert(sandbox.start {})
      local session = loggedIn "basic"
      local err = fails(session, other.catalogURIs.basic)
      assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
      assert.equal("http", err.kind)
      assert.same({}, server:requests())
      assert.is_nil(other:requests()[1].headers.authorization)
    end)

    it("a login page from elsewhere, without asking after the session", function()
      local other <close> = assert(sandbox.start {})
      local session = loggedIn "basic"
      other:fault { kind = "loginPage", path = "json$" }
      local err = fails(session, other.catalogURIs.basic)
      assert.same({ "auth", datasession.AUTHENTICATION_FAILURE }, { err.kind, err.result })
      assert.matches("answered with its login page", err.message, 1, true)
      assert.same({}, server:requests())
      assert.is_true(session.connected)
    end)

    it("a 401 of its own application before login, as what it is", function()
      local session = new "form"
      local err = fails(session, server.catalogURIs.form)
      assert.equal("auth", err.kind)
      assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
      assert.equal("call login first", err.hint)
      assert.equal(1, #server:requests())
    end)

    it("a 401 of its own application, asks after the session, and says that it was the catalog alone",
      function()
      local session = loggedIn "form"
      server:fault { kind = "status", status = 401, path = "json$" }
      local err = fails(session, server.catalogURIs.form)
      assert.equal("auth", err.kind)
      assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
      assert.is_nil(err.info.details[1].doubtful)
      assert.equal(2, #server:requests())
      assert.equal("/SportsForm/static/home.html", server:requests()[2].path)
    end)

    it("a login page in place of the catalog too", function()
      local session = loggedIn "form"
      server:fault { kind = "loginPage", path = "json$" }
      assert.equal(datasession.AUTHENTICATION_FAILURE, fails(session, server.catalogURIs.form).result)
      server:fault { kind = "redirect", location = "/SportsForm/static/auth/login.jsp", path = "json$" }
      assert.equal(datasession.AUTHENTICATION_FAILURE, fails(session, server.catalogURIs.form).result)
    end)

    it("a 401 of its own application, and finds out that the session has expired", function()
      local session = loggedIn "form"
      local events = {}
      session:subscribe("offline", function(_, reason) events[#events + 1] = reason end)
      server:expireSessions "form"
      local err = rejected(session:addCatalog { server.catalogURIs.form,
        server.catalogURIs.form .. "?again" })
      datasession.run(LIMIT)
      for _, detail in ipairs(err.info.details) do
        assert.equal("expired", detail.errorObject.kind)
        assert.equal(datasession.AUTHENTICATION_FAILURE, detail.result)
      end
      assert.equal(datasession.AUTHENTICATION_FAILURE, err.result) -- for all agree
      assert.same({ datasession.SESSION_EXPIRED }, events)
      assert.equal("expired", session.state)
      assert.equal(3, #server:requests())
    end)

    it("several of which one fails, with all that is known of each, and keeps those that did not", function()
      local session = loggedIn "basic"
      local bad, missing = serve("bad.json", "{"), server.uris.basic .. "/static/missing.json"
      local err = rejected(session:addCatalog { server.catalogURIs.basic, bad, missing, missing })
      assert.equal("catalog", err.kind)
      assert.equal(datasession.GENERAL_FAILURE, err.result)
      assert.matches("not every catalog could be loaded; the first that failed: addCatalog: ", err.message, 1,
        true)
      assert.equal(err, err.info.errorObject)
      local results = {}
      for i, detail in ipairs(err.info.details) do
        results[i] = detail.result
      end
      assert.same({ 1, 3, 3, 3 }, results)
      assert.matches("not JSON", err.info.details[2].errorObject.message)
      assert.equal(404, err.info.details[4].errorObject.httpStatus)
      assert.same({ server.catalogURIs.basic }, session.catalogURIs)
    end)

  end)

  it("adds services and resources whose names another catalog has, each within its catalog", function()
    local session = loggedIn "basic"
    local first = serve("first.json", text("One", "thing"))
    local second = serve("second.json", text("One", "thing", "/rest/Other"))
    assert(session:addCatalog(first):await(LIMIT))
    assert(session:addCatalog(second):await(LIMIT))
    assert.same({ first, second }, session.catalogURIs)
    assert.same({ "One", "One" }, { session.services[1].name, session.services[2].name })
    local one, other = server.uris.basic .. "/rest/One/thing", server.uris.basic .. "/rest/Other/thing"
    assert.equal(one, session.catalogs[1]:resource("thing").uri)
    assert.equal(other, session.catalogs[2]:resource("thing").uri)

    local function resourceOf(options)
      options.name = "thing"
      return datasession.JSDO(options).resource.uri
    end
    assert.equal(one, resourceOf { session = session })
    assert.equal(one, resourceOf { session = session, catalog = first })
    assert.equal(other, resourceOf { session = session, catalog = second })
    assert.equal(other, resourceOf { session = session, catalog = session.catalogs[2] })
    assert.equal(other, resourceOf { catalog = second })
  end)

  it("has the services of a third catalog and of a fourth as well, and knows each again", function()
    local session = new "basic"
    local names = {}
    for i = 1, 4 do
      local path = file(text("S" .. i, "r" .. i))
      assert(session:addCatalog(path):await(LIMIT))
      local _, _, info = session:addCatalog(path):await(LIMIT)
      assert.equal(datasession.CATALOG_ALREADY_LOADED, info.result)
      names = {}
      for n, service in ipairs(session.services) do names[n] = service.name end
    end
    assert.same({ "S1", "S2", "S3", "S4" }, names)
  end)

  it("does not bring an offline session online, nor takes a context id from elsewhere", function()
    local session = loggedIn "form"
    local id = session.clientContextId
    server:fault { kind = "status", status = 503, path = "_oeping$" }
    rejected(session:ping())
    assert.equal("offline", session.state)
    assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
    assert.equal("offline", session.state)
    assert.equal(id, session.clientContextId)
    server:fault { kind = "slow", delay = 0, headers = { ["X-CLIENT-CONTEXT-ID"] = "elsewhere" } }
    assert(session:addCatalog(server.catalogURIs.anonymous):await(LIMIT))
    assert.equal(id, session.clientContextId)
    server:fault { kind = "slow", delay = 0, headers = { ["X-CLIENT-CONTEXT-ID"] = "here" } }
    assert(session:addCatalog(server.catalogURIs.form .. "?again"):await(LIMIT))
    assert.equal("here", session.clientContextId)
  end)

  describe("shares what it knows of a catalog", function()
    -- Every scalar below a value, by its path: what a user sees of it.
    local function seen(value, path, into)
      if type(value) ~= "table" then
        into[path] = tostring(value)
        return into
      end
      for key, member in pairs(value) do seen(member, path .. "." .. tostring(key), into) end
      return into
    end

    -- Changes and removes whatever it can reach.
    local function spoil(value)
      local keys = {}
      for key in pairs(value) do keys[#keys + 1] = key end
      for _, key in ipairs(keys) do
        if type(value[key]) == "table" then spoil(value[key]) end
        value[key] = type(key) == "number" and "spoilt" or nil
      end
      value.spoilt = true
    end

    -- As a catalog comes that no session has loaded.
    local usual = text("Usual", "thing"):gsub('"path": "/thing"', [["path": "/thing",
      "schema": {"properties": {"a": {"type": "string", "default": {"x": [1, null, 12345678901234567]},
        "items": {"type": "number"}}, "b": {}}},
      "operations": [{"type": "READ", "path": "?f={f}", "params": [{"name": "f", "type": "QUERY"}],
        "verb": "get"}]
      }, {"name": "other"]])
    -- not seen without decoding
    local unusual = usual:gsub('"schema": {"properties"', '"schema": {"propert\\u0069es"')

    for name, content in pairs { usual = usual, unusual = unusual } do
      it("and gives each session a catalog of its own: " .. name, function()
        local path = file(content)
        local one, two, three = new "basic", new "basic", new "anonymous"
        assert(one:addCatalog(path):await(LIMIT))
        assert(two:addCatalog(path):await(LIMIT))
        local parsed = assert(catalog.parse(content, { uri = path, serviceURI = server.uris.basic }))
        local before = seen(parsed, "", {})
        assert.same(before, seen(one.catalogs[1], "", {}))
        spoil(one.catalogs[1])
        spoil(one.services)
        spoil(one.catalogURIs)
        assert.same(before, seen(two.catalogs[1], "", {}))
        assert.same({ { name = "Usual", uri = server.uris.basic .. "/rest/Usual" } }, two.services)
        assert(three:addCatalog(path):await(LIMIT))
        assert.equal(server.uris.anonymous .. "/rest/Usual/thing?f={f}",
          three.catalogs[1]:resource("thing"):operation("read").uri)
      end)
    end

    it("with resources that are the same ones each time, and that can be written to before they are read",
      function()
      local session = new "basic"
      assert(session:addCatalog(file(usual)):await(LIMIT))
      local resource = session.catalogs[1]:resource("thing")
      resource.note = "mine"
      assert.equal(resource, session.catalogs[1].services[1]:resource("thing"))
      assert.equal("mine", resource.note)
      assert.equal("/thing", resource.path)
      assert.equal(session.catalogs[1].services[1], resource.service)
      assert.matches("^resource other: .*no schema, 0 operations",
        tostring(session.catalogs[1]:resource("other")))
      assert(session:addCatalog(file(text("Late", "late"))):await(LIMIT))
      assert.equal(resource, session.catalogs[1]:resource("thing"))
      assert.equal("late", session.catalogs[2]:resource("late").name)
      assert.equal("Late", session.services[2].name)
    end)

    it("and lets go of it when nobody needs it", function()
      local path = file("")
      local known = setmetatable({}, { __mode = "k" })
      local shared = require "datasession.internal.catalog.shared"
      for i = 1, 40 do
        local session = new "basic"
        local content = text("S" .. i, "r" .. i)
        local handle = assert(io.open(path, "wb"))
        handle:write(content)
        handle:close()
        assert(session:addCatalog(path):await(LIMIT))
        known[assert(shared.entry(content))] = true
      end
      collectgarbage()
      collectgarbage()
      local n = 0
      for _ in pairs(known) do n = n + 1 end
      assert.is_true(n <= 9, n .. " are kept")
    end)

    it("and knows the answers to the last thousand requests", function()
      local shared = require "datasession.internal.catalog.shared"
      local entry = assert(shared.entry(text("Answered", "r")))
      for i = 1, 1001 do shared.noteAnswer("key " .. i, entry, { etag = "e" .. i }) end
      assert.is_nil(shared.answer "key 1")
      assert.same({ etag = "e2" }, select(2, shared.answer "key 2"))
      assert.same({ etag = "e1001" }, select(2, shared.answer "key 1001"))
    end)

    it("and lets go of the oldest when they are large", function()
      local shared = require "datasession.internal.catalog.shared"
      local known = setmetatable({}, { __mode = "k" })
      for i = 1, 4 do
        known[assert(shared.entry(text("Large" .. i, "r" .. i) .. (" "):rep(3 * 1024 * 1024)))] = i
      end
      collectgarbage()
      collectgarbage()
      local kept = {}
      for _, i in pairs(known) do kept[i] = true end
      assert.same({ nil, nil, true, true }, kept)
    end)
  end)

  it("reads a long catalog in slices, between which a step can end", function()
    local core = require "datasession.core"
    local scanner, large = core.catalogScanner, assert(sandbox.start { catalogResources = 400 })
    finally(function()
      core.catalogScanner = scanner
      large:close()
    end)
    local steps, slices, last = 0, 0, nil
    function core.catalogScanner(content)
      local go = scanner(content)
      return function(bytes)
        assert(last ~= steps, "two slices in one step")
        last, slices = steps, slices + 1
        return go(bytes)
      end
    end
    local session = sessions.loggedIn(large, "basic")
    local promise = session:addCatalog { large.catalogURIs.basic, "no.json" }
    while promise:state() == "pending" do
      datasession.step(0.01, 1e-9)
      steps = steps + 1
    end
    assert.equal(1, rejected(promise).info.details[1].result) -- the other catalog does not exist
    assert.is_true(slices > 2)
    assert.equal(400, #session.catalogs[1].services[1].resources)
    local cancelled = sessions.loggedIn(large, "form"):addCatalog(large.catalogURIs.form .. "?again")
    cancelled:cancel()
    assert.equal("cancelled", rejected(cancelled).kind)
  end)

  describe("asks whether what it knows still holds", function()
    local validators = { "if-none-match", "if-modified-since" }

    local function asked()
      local request = server:requests()[1]
      server:clearRequests()
      return { request.headers[validators[1]], request.headers[validators[2]] }, request.status
    end

    local function load(session, uri)
      server:clearRequests()
      local _, _, info = assert(session:addCatalog(uri):await(LIMIT))
      return info
    end

    -- A URI that no request has named.
    local count = 0
    local function fresh(model)
      count = count + 1
      return server.catalogURIs[model] .. "?fresh=" .. count
    end

    it("the same user at the same URI, and is told as if it had come again", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local uri = fresh(model)
        local first = load(loggedIn(model), uri)
        local sent, status = asked()
        assert.same({ {}, 200 }, { sent, status })
        local session = loggedIn(model)
        local info = load(session, uri)
        sent, status = asked()
        assert.matches('^".+"$', sent[1])
        assert.matches(" GMT$", sent[2])
        assert.equal(304, status)
        assert.same({ 200, first.xhr.body }, { info.xhr.status, info.xhr.body })
        assert.same({ catalogURI = uri, result = 1, xhr = info.xhr }, info.details[1])
        assert.equal("Customer", session.catalogs[1]:resource("Customer").name)
        assert.equal(1, #session.services)
      end
    end)

    it("not for a session that takes no catalog of that size", function()
      local uri = fresh "basic"
      local body = load(loggedIn "basic", uri).xhr.body
      asked()
      local small = sessions.loggedIn(server, "basic", { maxResponseSize = #body - 1 })
      server:clearRequests()
      local err = rejected(small:addCatalog(uri), "protocol")
      assert.matches("passes", err.message)
      assert.same({ {}, 200 }, { asked() })
      local enough = sessions.loggedIn(server, "basic", { maxResponseSize = #body })
      load(enough, uri)
      assert.equal(304, select(2, asked()))
    end)

    it("not another user, nor one who shows what another does not", function()
      local guests <close> = assert(sandbox.start { users = { lua = "secret", guest = "hush" } })
      for _, model in ipairs { "basic", "form" } do
        local function session(user, password, options)
          options = options or {}
          options.serviceURI, options.authenticationModel = guests.uris[model], model
          local made = datasession.new(options)
          assert(made:login(user, password):await(LIMIT))
          return made
        end
        local function sends(made, ...)
          guests:clearRequests()
          assert(made:addCatalog(guests.catalogURIs[model], ...):await(LIMIT))
          return guests:requests()[1].headers["if-none-match"] ~= nil
        end
        assert.is_false(sends(session("lua", "secret")))
        assert.is_false(sends(session("guest", "hush")))
        assert.is_true(sends(session("guest", "hush")))
        assert.is_true(sends(session("lua", "secret")))
        assert.is_false(sends(session("lua", "secret", { context = { tenant = "7" } })))
        assert.is_false(sends(session("lua", "secret", { onOpenRequest = function() end })))
        assert.is_false(sends(session("lua", "secret", { insecure = true })))
        assert.is_false(sends(session("lua", "secret", { proxy = guests.origin })))
        if model == "basic" then assert.is_false(sends(session("lua", "secret"), "lua", "secret")) end
      end
    end)

    it("not before the server has accepted the user, nor after it has forgotten the login", function()
      local uri = fresh "basic"
      load(loggedIn "basic", uri)
      server:clearRequests()
      rejected(new("basic"):addCatalog(uri))
      assert.same({}, (asked()))
      local session = loggedIn "basic"
      session:disconnect():await(LIMIT)
      server:clearRequests()
      rejected(session:addCatalog(uri))
      assert.same({}, (asked()))
      session = new "basic"
      local login = session:login("lua", "wrong")
      rejected(session:addCatalog(uri))
      rejected(login)
      for _, request in ipairs(server:requests()) do assert.is_nil(request.headers["if-none-match"]) end
    end)

    it("not about an answer that is not to be kept, or that another request would not get", function()
      local lines = { { "Cache-Control", "no-store , private" }, { "Vary", "Origin, X-Tenant" },
        { "Vary", "*" } }
      for _, line in ipairs(lines) do
        local uri = fresh "anonymous"
        server:fault { kind = "slow", delay = 0, path = "json$", headers = { [line[1]] = line[2] } }
        load(loggedIn "anonymous", uri)
        load(loggedIn "anonymous", uri)
        assert.same({}, (asked()))
      end
      local uri = fresh "anonymous"
      server:fault { kind = "slow", delay = 0, path = "json$",
        headers = { Vary = "Origin, Accept-Encoding" } }
      load(loggedIn "anonymous", uri)
      load(loggedIn "anonymous", uri)
      assert.equal(2, #asked())
    end)

    it("and asks again, for all of it, when the answer is about something else", function()
      local uri = fresh "anonymous"
      load(loggedIn "anonymous", uri)
      server:fault { kind = "status", status = 304, path = "json$", headers = { ETag = '"another"' } }
      local session = loggedIn "anonymous"
      local info = load(session, uri)
      local requests = server:requests()
      assert.equal(2, #requests)
      assert.is_string(requests[1].headers["if-none-match"])
      assert.is_nil(requests[2].headers["if-none-match"])
      assert.equal(200, info.xhr.status)
      assert.equal(1, #session.services)
      assert.is_nil(info.details[1].entry)
    end)

    it("and takes what has changed", function()
      local uri = serve("changing.json", text("Before", "b"), { headers = { ETag = '"1"' } })
      load(loggedIn "basic", uri)
      serve("changing.json", text("After", "a"), { headers = { ETag = '"2"' } })
      local session = loggedIn "basic"
      load(session, uri)
      assert.equal('"1"', asked()[1])
      assert.equal("After", session.services[1].name)
      serve("changing.json", "", { status = 304, headers = { ETag = 'W/"2"' } })
      session = loggedIn "basic"
      load(session, uri)
      assert.equal('"2"', asked()[1])
      assert.equal("After", session.services[1].name)
    end)
  end)

  it("can be cancelled, and adds nothing then", function()
    local session = loggedIn "basic"
    server:fault { kind = "slow", delay = 60, path = "json$" }
    local promise = session:addCatalog(server.catalogURIs.basic)
    promise:cancel()
    assert.equal("cancelled", rejected(promise).kind)
    assert.same({}, session.catalogURIs)
    server:clearFaults()
    assert(session:addCatalog(server.catalogURIs.basic):await(LIMIT))
  end)

  it("that ends after a logout adds its catalog and nothing else", function()
    local session = loggedIn "form"
    server:fault { kind = "slow", delay = 0.2, path = "json$" }
    local promise = session:addCatalog(server.catalogURIs.form)
    while #server:requests() < 1 do
      datasession.step(0.005)
    end
    assert(session:logout():await(LIMIT))
    assert(promise:await(LIMIT))
    assert.equal(1, #session.services)
    assert.equal("logged out", session.state)
    assert.is_nil(session.clientContextId)
  end)
end)
