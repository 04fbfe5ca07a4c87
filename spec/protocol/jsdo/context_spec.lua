-- Context properties (X-CLIENT-PROPS) and the client context id, in headers and, without cookies, in the
-- address.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected

describe("a session's context", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  before_each(function()
    server:clearFaults()
    server:clearRequests()
    server:setCookies(true)
    server:setOldStyle "pages"
    for _, model in ipairs { "basic", "form", "old" } do
      server:setContextProperties(model, nil)
    end
  end)
  after_each(support.finish)

  local function new(model, options)
    options = options or {}
    options.serviceURI, options.authenticationModel = server.uris[model], model == "old" and "form" or model
    return datasession.new(options)
  end

  local function sent(name)
    local requests = server:requests()
    return requests[#requests].headers[name]
  end

  it("is set as a whole or by the name, read, and given away as a copy", function()
    local session = new("basic", { context = { a = 1 } })
    assert.same({ a = 1 }, session:getContext())
    session:setContextProperty("b", "x")
    session:setContextProperty("a", nil)
    assert.same({ b = "x" }, session:getContext())
    assert.equal("x", session:getContextProperty "b")
    assert.is_nil(session:getContextProperty "a")
    session:getContext().b = "y"
    assert.equal("x", session:getContextProperty "b")
    local given = { c = true, f = print }
    session:setContext(given)
    given.c = false
    assert.same({ c = true }, session:getContext())
    session:setContext(nil)
    assert.same({}, session:getContext())
    assert.same({}, server:requests())
  end)

  it("is copied whole: what is given and what is got are nobody else's", function()
    local list = datasession.array { 1 }
    local given = { list = list, deep = { er = { a = 1 } } }
    local one, other = new("basic", { context = given }), new("basic", { context = given })
    other:setContext(given)
    given.deep.er.a, list[1] = 2, 2
    one:getContext().deep.er.a = 3
    one:getContextProperty("deep").er.a = 4
    one:setContextProperty("again", given)
    given.deep.er.a = 5
    for _, session in ipairs { one, other } do
      assert.same({ er = { a = 1 } }, session:getContextProperty "deep")
      assert.same({ 1 }, session:getContext().list)
    end
    assert.equal(2, one:getContext().again.deep.er.a)
    assert.is_true(require("datasession.internal.codec").isArray(one:getContextProperty "list"))
    assert(one:login("lua", "secret"):await(LIMIT))
    local text = sent "x-client-props"
    for _, part in ipairs { '"deep":{"er":{"a":1}}', '"deep":{"er":{"a":2}}', '"list":[1]', '"list":[2]' } do
      assert.truthy(text:find(part, 1, true))
    end
  end)

  it("of many properties that are set one by one is sent as they are then", function()
    local session = new "basic"
    for i = 1, 100 do session:setContextProperty("n" .. i, i) end
    for i = 1, 99 do session:setContextProperty("n" .. i, nil) end
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.equal('{"n100":100}', sent "x-client-props")
    session:setContextProperty("n100", nil)
    assert(session:ping():await(LIMIT))
    assert.is_nil(sent "x-client-props")
    assert.has_error(function() session:setContextProperty("a", { 1, 2, x = function() end }) end)
    local circle = {}
    circle.circle = circle
    assert.has_error(function() session:setContextProperty("a", circle) end)
    assert.same({}, session:getContext())
  end)

  it("is encoded by the module that was loaded last", function()
    local names, kept = { "datasession", "datasession.core", "datasession.internal.codec" }, {}
    new("basic", { context = { a = datasession.array {} } })
    for _, name in ipairs(names) do kept[name], package.loaded[name] = package.loaded[name], nil end
    finally(function()
      for _, name in ipairs(names) do package.loaded[name] = kept[name] end
    end)
    local session = require("datasession").new { serviceURI = server.uris.basic,
      authenticationModel = "basic" }
    session:setContext { list = require("datasession").array {} }
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.equal('{"list":[]}', sent "x-client-props")
  end)

  it("raises for what it cannot be", function()
    local session = new "basic"
    assert.error_matches(function() session:setContext(7) end, "table expected")
    assert.error_matches(function() session:setContext { 7 } end, "names that are strings")
    assert.error_matches(function() session:setContextProperty() end, "a property's name expected")
    assert.error_matches(function() session:getContextProperty(7) end, "a property's name expected")
    assert.error_matches(function() new("basic", { context = 7 }) end, "option 'context': expected a table")
    assert.has_error(function() session:setContextProperty("a", function() end) end)
    assert.same({}, session:getContext())
  end)

  it("goes with every request, in ASCII, in one line", function()
    local session = new "form"
    session:setContext { name = "Jürgen\r\nX-Evil: 1 \u{1F600}" }
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(session:ping():await(LIMIT))
    assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
    assert(session:request { path = "static/home.html" }:await(LIMIT))
    assert(session:logout():await(LIMIT))
    assert.equal(6, #server:requests())
    for _, request in ipairs(server:requests()) do
      assert.equal([[{"name":"J\u00fcrgen\r\nX-Evil: 1 \ud83d\ude00"}]], request.headers["x-client-props"])
      assert.is_nil(request.headers["x-evil"])
    end
    assert.same({ name = "Jürgen\r\nX-Evil: 1 \u{1F600}" }, session:getContext())
  end)

  it("is no header when it is empty, and goes nowhere else", function()
    local other = assert(sandbox.start {})
    local session = new "basic"
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.is_nil(sent "x-client-props")
    session:setContextProperty("a", 1)
    assert(session:request { uri = other.uris.anonymous .. "/static/home.html" }:await(LIMIT))
    assert.is_nil(other:requests()[1].headers["x-client-props"])
    other:close()
  end)

  it("is replaced by what the server says, and by nothing it does not say", function()
    local session = new("basic", { context = { mine = 1 } })
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.same({ mine = 1 }, session:getContext())
    server:setContextProperties("basic", { yours = "ü", list = { 1, 2 } })
    for _, call in ipairs { "ping", "isAuthorized" } do
      session:setContext { mine = 1 }
      assert(session[call](session):await(LIMIT))
      assert.same({ yours = "ü", list = { 1, 2 } }, session:getContext())
    end
    session:setContext { mine = 1 }
    assert(session:addCatalog(server.catalogURIs.basic):await(LIMIT))
    assert.equal("ü", session:getContextProperty "yours")
    server:setContextProperties("basic", "")
    assert(session:ping():await(LIMIT))
    assert.same({}, session:getContext())
  end)

  it("stays when the server's is no JSON object, which is a failure that says so", function()
    for _, text in ipairs { "[1]", "x", "{", "7", '"a"', '{"\xe4":[1]}' } do
      local session = new("basic", { context = { mine = 1 } })
      assert(session:login("lua", "secret"):await(LIMIT))
      server:setContextProperties("basic", text)
      for _, call in ipairs { "ping", "isAuthorized" } do
        assert.matches("X%-CLIENT%-PROPS of the answer is not a JSON object",
          rejected(session[call](session)).message)
      end
      server:setContextProperties("basic", nil)
      assert.same({ mine = 1 }, session:getContext())
    end
  end)

  it("outlives logging out", function()
    local session = new("form", { context = { mine = 1 } })
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(session:logout():await(LIMIT))
    assert.same({ mine = 1 }, session:getContext())
  end)

  describe("id", function()
    it("is the server's most recent, goes back to it, and ends with the login", function()
      local session = new "form"
      assert(session:login("lua", "secret"):await(LIMIT))
      local id = session.clientContextId
      assert(session:ping():await(LIMIT))
      assert.equal(id, sent "x-client-context-id")
      server:setContextIds(false, "form")
      assert(session:ping():await(LIMIT))
      assert.equal(id, session.clientContextId)
      server:setContextIds(true, "form")
      assert(session:logout():await(LIMIT))
      assert.is_nil(session.clientContextId)
    end)

    it("goes to the session's application alone, not to others of its origin", function()
      local session = new("form", { context = { mine = 1 } })
      assert(session:login("lua", "secret"):await(LIMIT))
      local function seen(...)
        server:clearRequests()
        session:request(...):await(LIMIT)
        local ids = {}
        for i, request in ipairs(server:requests()) do
          ids[i] = request.headers["x-client-context-id"] or false end
        return ids
      end
      local id, others = session.clientContextId, server.uris.anonymous .. "/static/home.html"
      assert.same({ id }, seen { path = "/static/home.html" })
      assert.same({ false }, seen { uri = others })
      assert.is_string(sent "x-client-props")
      assert.same({ false }, seen { uri = server.uris.form .. "2/static/home.html" })
      server:fault { kind = "redirect", location = others:match "//[^/]*(.*)", path = "/moved$", count = 2 }
      assert.same({ id, false }, seen { path = "/moved" })
      assert.same({ id, false }, seen { path = "/moved", method = "POST", body = "x" })
      server:fault { kind = "redirect", location = "home.html", path = "/moved$" }
      assert.same({ id, id }, seen { path = "/static/moved" })
    end)

    it("stays out of addresses where there is a cookie", function()
      for _, model in ipairs { "form", "old" } do
        local session = new(model)
        assert(session:login("lua", "secret"):await(LIMIT))
        assert(session:ping():await(LIMIT))
      end
      for _, request in ipairs(server:requests()) do
        assert.is_nil(request.uri:find ";")
      end
    end)

    it("is in the address of each request to the application where there is none, and in no message",
      function()
      server:setCookies(false)
      for _, model in ipairs { "form", "old" } do
        local session = new(model, { timeStamp = true })
        assert(session:login("lua", "secret"):await(LIMIT))
        local id = session.clientContextId
        assert.equal("string", type(id))
        server:clearRequests()
        assert(session:isAuthorized():await(LIMIT))
        assert(session:ping():await(LIMIT))
        assert(session:addCatalog(server.catalogURIs[model]):await(LIMIT))
        assert(session:request { path = "rest/CustomerService/Customer?filter=x" }:await(LIMIT))
        assert(session:request { uri = server.uris.anonymous .. "/static/home.html" }:await(LIMIT))
        local requests = server:requests()
        assert.equal(5, #requests)
        for i = 1, 4 do
          assert.equal(id, requests[i].parameters.JSESSIONID)
        end
        assert.equal("x", requests[4].query.filter)
        assert.matches("home%.html;JSESSIONID=[^?]+%?_ts=", requests[1].uri)
        assert.is_nil(requests[5].uri:find(";", 1, true))
        local err = rejected(session:request { path = "nothing" })
        assert.equal(nil, err.message:find(id, 1, true))
        assert(session:logout():await(LIMIT))
        assert.equal(0, server:sessionCount(model))
      end
    end)
  end)
end)

describe("an older server's handshake", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  after_each(support.finish)

  for _, style in ipairs { "pages", "redirect", "json" } do
    it("in the style " .. style .. " is judged right at every stage", function()
      server:setOldStyle(style)
      local session = datasession.new { serviceURI = server.uris.old, authenticationModel = "form" }
      local err = rejected(session:login("lua", "wrong"))
      assert.equal("auth", err.kind)
      assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
      assert.equal(2, session.loginResult)
      assert(session:login("lua", "secret"):await(LIMIT))
      assert(session:addCatalog(server.catalogURIs.old):await(LIMIT))
      for _, call in ipairs { "isAuthorized", "ping", "request" } do
        server:expireSessions "old"
        local events = support.listen(session)
        err = rejected(session[call](session,
          call == "request" and { path = "rest/CustomerService/Customer" } or nil))
        assert.equal("expired", err.kind)
        assert.equal("expired", session.state)
        assert.equal(2, session.loginResult)
        datasession.run(LIMIT)
        assert.same({ "Session has expired" }, events)
        session:unsubscribeAll()
        assert(session:login("lua", "secret"):await(LIMIT))
      end
      assert(session:logout():await(LIMIT))
      assert.equal(0, server:sessionCount "old")
    end)

    it("in the style " .. style .. " is understood by a provider", function()
      server:setOldStyle(style)
      local provider = datasession.AuthenticationProvider { uri = server.uris.old,
        authenticationModel = "form" }
      assert.equal(2, rejected(provider:login("lua", "wrong")).result)
      assert.is_false(provider:hasClientCredentials())
      assert(provider:login("lua", "secret"):await(LIMIT))
      local session = datasession.new {
        serviceURI = server.uris.old, authenticationModel = "form", authProvider = provider,
      }
      assert(session:isAuthorized():await(LIMIT))
      assert(provider:logout():await(LIMIT))
    end)
  end
end)
