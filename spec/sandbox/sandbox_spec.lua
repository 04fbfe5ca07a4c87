-- The sandbox, over real sockets: what its applications answer, and how each fault looks from outside.
local cjson = require "cjson"
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"
local socket = require "socket"

local LIMIT = client.LIMIT
local JSON = client.JSON
local connect, send, receive = client.connect, client.send, client.receive
local request, get, decode, percent = client.request, client.get, client.decode, client.percent

-- Whether somebody listens.
local function listens(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

local server -- of the test at hand

local function start(options)
  server = assert(sandbox.start(options))
  return server
end

local function stopServer()
  if server then server:close() end
  server = nil
end

it("names the rock that its C part is in, where that is missing", function()
  local modules = {}
  for name, module in pairs(package.loaded) do
    if name:find "^datasession%.sandbox" then modules[name], package.loaded[name] = module, nil end
  end
  package.preload["datasession.sandbox.core"] = function() error "no such module" end
  local found, message = pcall(require, "datasession.sandbox")
  package.preload["datasession.sandbox.core"] = nil
  for name, module in pairs(modules) do package.loaded[name] = module end
  assert.is_false(found)
  assert.matches("datasession.sandbox.core is missing. Install libmicrohttpd", message, 1, true)
  assert.matches("no such module", message, 1, true)
end)

describe("sandbox.start", function()
  after_each(stopServer)

  it("listens on a free port of the loopback interface", function()
    start()
    assert.is_true(server.port > 0)
    assert.equal("http://127.0.0.1:" .. server.port, server.origin)
    assert.is_true(server:isRunning())
    assert.is_true(listens(server.port))
    assert.equal("integer", math.type(server.port))
  end)

  it("tells the URIs of its applications and Catalogs", function()
    start {}
    assert.same({
      anonymous = server.origin .. "/SportsAnonymous", basic = server.origin .. "/SportsBasic",
      form = server.origin .. "/SportsForm", form_sso = server.origin .. "/SportsAuth",
      sso = server.origin .. "/SportsSso", bearer = server.origin .. "/SportsBearer",
      old = server.origin .. "/SportsOld", datasnap = server.origin, btt = server.origin .. "/bank",
      proiv = server.origin .. "/connect", oauth = server.origin .. "/oauth",
    }, server.uris)
    for model, uri in pairs(server.uris) do
      local hasCatalog = model ~= "datasnap" and model ~= "btt" and model ~= "proiv" and model ~= "oauth"
      assert.equal(hasCatalog and uri .. "/static/CustomerService.json" or nil, server.catalogURIs[model])
      assert.equal(server.catalogURIs[model], server:catalogURI(model))
    end
  end)

  it("raises for an option that does not exist, naming it", function()
    local ok, message = pcall(function() sandbox.start { prot = 1 } end)
    assert.is_false(ok)
    assert.matches("^spec/.*unknown option 'prot' for 'start': did you mean 'port'%?", message)
  end)

  it("raises for a value that cannot be, naming the option", function()
    for name, value in pairs {
      port = 65536, address = 1, users = { "secret" }, idleTimeout = -1, ping = "old", customers = 1.5,
      catalogResources = 0, tls = { certificate = "x" }, tokenLifetime = 0.5, tokenSecret = "",
      bearerTokens = { "no blanks" }, datasnapAuthentication = "yes",
    } do
      local ok, message = pcall(function() sandbox.start { [name] = value } end)
      assert.is_false(ok)
      assert.matches("^spec/.*bad option '" .. name .. "' for 'start'", message)
    end
    assert.error_matches(function() sandbox.start "8080" end, "table expected")
  end)

  it("gives nil and a message when the port is taken", function()
    start()
    local other, message = sandbox.start { port = server.port }
    assert.is_nil(other)
    assert.matches("cannot listen on 127.0.0.1 port " .. server.port, message, 1, true)
  end)

  it("gives nil and a message for an address that is none, or not of this machine", function()
    local other, message = sandbox.start { address = "here" }
    assert.is_nil(other)
    assert.matches("here is not a numeric address", message, 1, true)
    other, message = sandbox.start { address = "192.0.2.1" }
    assert.is_nil(other)
    assert.matches("cannot listen on 192.0.2.1", message, 1, true)
  end)

  it("gives nil and a message when its own program is not to be found", function()
    local path = package.path
    package.path = "/nowhere/?.lua"
    local other, message = sandbox.start()
    package.path = path
    assert.is_nil(other)
    assert.matches("module 'datasession.sandbox.site' not found", message, 1, true)
  end)

  it("lets several servers live side by side", function()
    start()
    local other <close> = assert(sandbox.start())
    assert.not_equal(server.port, other.port)
    server:setPing("none")
    assert.equal(200, get(other, other.uris.anonymous .. "/rest/_oepingService/_oeping").status)
    assert.equal(404, get(server, server.uris.anonymous .. "/rest/_oepingService/_oeping").status)
  end)
end)

describe("a sandbox server's life", function()
  before_each(function() start() end)
  after_each(stopServer)

  it("ends a connection's wait and refuses new ones at stop", function()
    server:fault { kind = "slow", delay = 1e6 }
    local connection = connect(server)
    send(connection, "GET", "/SportsAnonymous/static/home.html", {})
    assert.is_true(server:awaitRequests(1))
    server:stop()
    assert.is_nil(receive(connection))
    connection:close()
    assert.is_false(server:isRunning())
    assert.is_false(listens(server.port))
  end)

  it("starts again on its port, with its data and sessions", function()
    local port, before = server.port, server:requests()
    request(server, "POST", server.uris.form .. "/static/auth/j_spring_security_check",
      { body = "j_username=lua&j_password=secret" })
    for _ = 1, 3 do
      server:stop()
      server:stop()
      assert.is_true(server:start())
      assert.is_true(server:start())
      assert.is_true(server:restart())
      assert.equal(port, server.port)
      assert.equal(200, get(server, server.uris.anonymous .. "/static/home.html").status)
    end
    assert.equal(1, server:sessionCount())
    assert.equal(#before + 4, #server:requests())
  end)

  it("keeps its port for itself while it is stopped", function()
    server:stop()
    local taken <close> = assert(sandbox.start { port = server.port })
    local ok, message = server:start()
    assert.is_nil(ok)
    assert.matches("cannot listen", message, 1, true)
    taken:close()
    assert.is_true(server:start())
  end)

  it("answers control calls while it is stopped", function()
    server:stop()
    server:setPing("none")
    assert.equal(0, server:sessionCount())
  end)

  it("is closed once, whoever does it", function()
    local port = server.port
    server:close()
    server:close()
    server:stop()
    assert.is_false(server:isRunning())
    assert.is_false(listens(port))
    assert.error_matches(function() server:requests() end, "closed")
    assert.error_matches(function() server:start() end, "closed")
    assert.matches("stopped", tostring(server), 1, true)
  end)

  it("is closed by a to-be-closed variable", function()
    local port
    do
      local inner <close> = assert(sandbox.start())
      port = inner.port
      assert.is_true(listens(port))
    end
    assert.is_false(listens(port))
  end)

  it("is closed by the collector", function()
    local port = assert(sandbox.start()).port
    collectgarbage()
    collectgarbage()
    assert.is_false(listens(port))
  end)

  it("closes while connections are idle, half sent and waiting", function()
    server:fault { kind = "slow", delay = 1e6, count = 0 }
    local connections = {}
    for i = 1, 9 do
      connections[i] = connect(server)
      if i % 3 == 0 then send(connections[i], "GET", "/", {}) end
      if i % 3 == 1 then
        assert(connections[i]:send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhal"))
      end
    end
    assert.is_true(server:awaitRequests(3))
    server:close()
    for _, connection in ipairs(connections) do
      assert.is_nil(receive(connection))
      connection:close()
    end
  end)

  it("says what and where it is", function()
    assert.equal(("datasession.sandbox.server: %s (running)"):format(server.origin), tostring(server))
  end)
end)

describe("every application", function()
  lazy_setup(function() start { catalogResources = 2 } end)
  lazy_teardown(stopServer)
  before_each(function()
    server:setPing("new")
    server:setAppServer(true)
  end)

  local home = "/SportsAnonymous/static/home.html"

  it("has a home page", function()
    local response = get(server, home)
    assert.equal(200, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    assert.matches("SportsAnonymous", response.body, 1, true)
    assert.is_nil(response.headers["x-client-context-id"])
    assert.is_nil(response.headers["x-client-props"])
  end)

  it("answers HEAD with the length and no body", function()
    local connection = connect(server)
    local head = request(server, "HEAD", home, { connection = connection })
    local full = request(server, "GET", home, { connection = connection })
    assert.equal(200, head.status)
    assert.equal(full.headers["content-length"], head.headers["content-length"])
    assert.equal(#full.body, tonumber(head.headers["content-length"]))
    connection:close()
  end)

  it("strips path parameters and decodes the path", function()
    assert.equal(200, get(server, "/SportsAnonymous;a=b/static/home%2Ehtml;JSESSIONID=CC.2?_ts=1-2-3").status)
    local last = server:requests()
    last = last[#last]
    assert.equal("/SportsAnonymous;a=b/static/home%2Ehtml;JSESSIONID=CC.2?_ts=1-2-3", last.uri)
    assert.equal(home, last.path)
    assert.same({ a = "b", JSESSIONID = "CC.2" }, last.parameters)
    assert.same({ _ts = "1-2-3" }, last.query)
  end)

  it("takes the absolute form of a request line", function()
    assert.equal(200, get(server, "http://localhost" .. home).status)
  end)

  it("has a Catalog that describes the Customer service", function()
    local response = get(server, server.catalogURIs.anonymous)
    assert.equal(200, response.status)
    local catalog = decode(response)
    local service = catalog.services[1]
    assert.equal("CustomerService", service.name)
    assert.equal("/rest/CustomerService", service.address)
    assert.is_true(service.settings.useRequest)
    assert.equal("1.4", catalog.version)
    local resource = service.resources[1]
    assert.equal("Customer", resource.name)
    assert.equal("/Customer", resource.path)
    local tt = resource.schema.properties.dsCustomer.properties.ttCustomer
    assert.same({ "CustNum" }, tt.primaryKey)
    local types, count = {}, 0
    for _, field in pairs(tt.items.properties) do
      count = count + 1
      if field.ablType then types[field.ablType] = true end
    end
    assert.is_true(count >= 12)
    for _, name in ipairs { "INTEGER", "CHARACTER", "DECIMAL", "LOGICAL", "DATE", "DATETIME-TZ", "INT64" } do
      assert.is_true(types[name], name)
    end
    local operations = {}
    for _, operation in ipairs(resource.operations) do operations[operation.type] = operation end
    for _, name in ipairs { "read", "create", "update", "delete", "submit", "count", "invoke" } do
      assert.is_table(operations[name], name)
    end
    assert.equal("JFP", operations.read.mappingType)
    assert.equal("Customer2", service.resources[2].name)
    assert.same(resource.schema, service.resources[2].schema)
  end)

  it("sends the same bytes for each Catalog", function()
    local first = get(server, server.catalogURIs.anonymous).body
    assert.equal(first, get(server, server.catalogURIs.anonymous).body)
  end)

  it("makes big Catalogs", function()
    local big <close> = assert(sandbox.start { catalogResources = 200 })
    local resources = decode(get(big, big.catalogURIs.anonymous)).services[1].resources
    assert.equal(200, #resources)
    assert.equal("Customer200", resources[200].name)
    local service = big.uris.anonymous .. "/rest/CustomerService"
    assert.equal(200, get(big, service .. "/Customer200?filter=CustNum=1").status)
    assert.equal(404, get(big, service .. "/Customer201").status)
  end)

  it("has the new ping", function()
    local response = get(server, "/SportsAnonymous/rest/_oepingService/_oeping?_ts=1")
    assert.equal(200, response.status)
    assert.same({ response = { _retVal = "" } }, decode(response))
    assert.equal(404, get(server, "/SportsAnonymous/rest/_oeping").status)
  end)

  it("has the classic ping instead, or none", function()
    server:setPing("classic")
    assert.equal(404, get(server, "/SportsAnonymous/rest/_oepingService/_oeping").status)
    local response = get(server, "/SportsAnonymous/rest/_oeping")
    assert.equal(200, response.status)
    assert.same({ AppServerStatus = { PingStatus = "true" } }, decode(response))
    server:setPing("none")
    assert.equal(404, get(server, "/SportsAnonymous/rest/_oepingService/_oeping").status)
    assert.equal(404, get(server, "/SportsAnonymous/rest/_oeping").status)
  end)

  it("takes its ping from the options", function()
    local other <close> = assert(sandbox.start { ping = "classic" })
    assert.equal(200, get(other, "/SportsAnonymous/rest/_oeping").status)
  end)

  it("says when the AppServer is down", function()
    server:setAppServer(false)
    local ping = get(server, "/SportsAnonymous/rest/_oepingService/_oeping")
    assert.equal(500, ping.status)
    assert.is_string(decode(ping)._errors[1]._errorMsg)
    local data = get(server, "/SportsAnonymous/rest/CustomerService/Customer")
    assert.equal(500, data.status)
    assert.is_string(decode(data)._errors[1]._errorMsg)
    assert.equal(200, get(server, home).status)
    server:setPing("classic")
    local classic = get(server, "/SportsAnonymous/rest/_oeping")
    assert.equal(200, classic.status)
    assert.same({ AppServerStatus = { PingStatus = "false" } }, decode(classic))
    server:setAppServer(true)
    classic = get(server, "/SportsAnonymous/rest/_oeping")
    assert.same({ AppServerStatus = { PingStatus = "true" } }, decode(classic))
  end)

  it("loses the AppServer for one model alone", function()
    server:setAppServer(false, "basic")
    assert.equal(200, get(server, "/SportsAnonymous/rest/_oepingService/_oeping").status)
    local headers = { Authorization = "Basic bHVhOnNlY3JldA==" }
    assert.equal(500, get(server, "/SportsBasic/rest/_oepingService/_oeping", headers).status)
  end)

  it("can be taken away and brought back", function()
    server:setApplication("anonymous", false)
    for _, path in ipairs { home, "/SportsAnonymous", "/SportsAnonymous/rest/_oepingService/_oeping" } do
      local response = get(server, path)
      assert.equal(404, response.status)
      assert.matches("^text/html", response.headers["content-type"])
      assert.matches("HTTP Status 404", response.body, 1, true)
    end
    assert.equal(401, get(server, "/SportsBasic/static/home.html").status)
    server:setApplication("anonymous", true)
    assert.equal(200, get(server, home).status)
  end)

  it("answers 404 in JSON for what is not there", function()
    for _, path in ipairs {
      "/", "/SportsAnonymousX/static/home.html", "/SportsAnonymous", "/SportsAnonymous/static/nothing.html",
      "/SportsAnonymous/rest/Nothing", "/SportsAnonymous/rest/CustomerService/Nothing",
      "/SportsAnonymous/static/auth/j_spring_security_check",
    } do
      local response = get(server, path)
      assert.equal(404, response.status, path)
      assert.is_string(decode(response)._errors[1]._errorMsg)
    end
  end)

  it("answers 405 for a method that a path does not have", function()
    local response = request(server, "PUT", home)
    assert.equal(405, response.status)
    assert.equal("GET, HEAD", response.headers.allow)
    assert.equal(405, request(server, "PATCH", "/SportsAnonymous/rest/CustomerService/Customer").status)
  end)

  it("takes bodies up to 16 MiB and refuses larger ones", function()
    local uri = "/SportsAnonymous/rest/CustomerService/Customer"
    local row = '{"Name":"x"}'
    local most = row .. (" "):rep(16 * 1024 * 1024 - #row)
    assert.equal(200, request(server, "POST", uri, { body = most }).status)
    assert.equal(413, request(server, "POST", uri, { body = most .. " " }).status)
    server:clearRequests()
  end)

  it("keeps a connection open for the next request", function()
    local connection = connect(server)
    for _ = 1, 3 do assert.equal(200, request(server, "GET", home, { connection = connection }).status) end
    connection:close()
  end)

  it("survives what is not HTTP", function()
    for _, text in ipairs {
      "", "\r\n\r\n", "nonsense\r\n\r\n", "GET\0 / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
      "GET /", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost", "GET / HTTP/1.1\r\n: x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
      "GET / HTTP/1.1\r\nX: " .. ("x"):rep(200000),
    } do
      local connection = connect(server)
      connection:send(text)
      connection:shutdown("send")
      connection:receive("*a")
      connection:close()
    end
    assert.equal(200, get(server, home).status)
  end)
end)

describe("the basic application", function()
  lazy_setup(function() start { users = { ["usér"] = "p:w &", lua = "secret" } } end)
  lazy_teardown(stopServer)

  local paths = { "/static/home.html", "/static/CustomerService.json", "/rest/_oepingService/_oeping",
    "/rest/CustomerService/Customer", "/nothing", "" }

  it("answers 401 everywhere without credentials", function()
    for _, path in ipairs(paths) do
      local response = get(server, server.uris.basic .. path)
      assert.equal(401, response.status, path)
      assert.matches('^Basic realm="', response.headers["www-authenticate"])
    end
  end)

  it("answers 401 to wrong ones", function()
    for _, value in ipairs {
      "Basic bHVhOndyb25n", "Basic bm9ib2R5", "Basic", "Basic !!!", "Basic bHVh", "Bearer x",
    } do
      assert.equal(401, get(server, server.uris.basic .. paths[1], { Authorization = value }).status, value)
    end
  end)

  it("lets its users in", function()
    for _, value in ipairs { "Basic bHVhOnNlY3JldA==", "Basic dXPDqXI6cDp3ICY=" } do
      for i = 1, 4 do
        assert.equal(200, get(server, server.uris.basic .. paths[i], { Authorization = value }).status)
      end
    end
  end)

  it("makes no session", function()
    assert.is_nil(get(server, server.uris.basic .. paths[1], { Authorization = "Basic bHVhOnNlY3JldA==" })
      .headers["set-cookie"])
    assert.equal(0, server:sessionCount("basic"))
  end)
end)

describe("the form application", function()
  before_each(function() start { users = { ["usér"] = "p:w &", lua = "secret" } } end)
  after_each(stopServer)

  local function login(body, headers)
    return request(server, "POST", server.uris.form .. "/static/auth/j_spring_security_check?_ts=1-2-3",
      { body = body or "j_username=lua&j_password=secret&submit=Submit", headers = headers or JSON })
  end

  local function cookieOf(response)
    return response.headers["set-cookie"]:match("^(JSESSIONID=[^;]+)")
  end

  local function home(headers, suffix)
    return get(server, server.uris.form .. "/static/home.html" .. (suffix or ""), headers)
  end

  it("makes a session at login", function()
    local response = login()
    assert.equal(200, response.status)
    assert.matches("^JSESSIONID=%x+; Path=/SportsForm; HttpOnly$", response.headers["set-cookie"])
    assert.equal(1, server:sessionCount())
    assert.equal(1, server:sessionCount("form"))
    assert.equal(0, server:sessionCount("anonymous"))
    assert.equal(200, home { Cookie = "other=1; " .. cookieOf(response), Accept = "application/json" }.status)
  end)

  it("decodes the credentials as UTF-8", function()
    assert.equal(200, login("j_username=us%C3%A9r&j_password=p%3Aw%20%26&submit=Submit").status)
    assert.equal(200, login("j_username=us%c3%a9r&j_password=p:w+%26").status)
  end)

  it("answers 401 to wrong or missing credentials", function()
    for _, body in ipairs {
      "j_username=lua&j_password=wrong", "j_username=nobody&j_password=secret", "", "j_username=lua",
      "j_username=nobody", "j_password=secret",
    } do
      local response = login(body)
      assert.equal(401, response.status)
      assert.matches('^FORM realm="', response.headers["www-authenticate"])
      assert.is_table(decode(response))
      assert.is_nil(response.headers["set-cookie"])
    end
    assert.equal(0, server:sessionCount())
    assert.equal(405, get(server, server.uris.form .. "/static/auth/j_spring_security_check").status)
  end)

  it("gives random sessions", function()
    assert.not_equal(cookieOf(login()), cookieOf(login()))
    assert.equal(2, server:sessionCount())
  end)

  it("ends the session that a login comes with", function()
    local first = cookieOf(login())
    local second = cookieOf(login(nil, { Cookie = first }))
    assert.equal(1, server:sessionCount())
    assert.equal(401, home { Cookie = first, Accept = "application/json" }.status)
    assert.equal(200, home { Cookie = second, Accept = "application/json" }.status)
  end)

  it("tells a program 401 and sends a browser to the login page", function()
    local response = home(JSON)
    assert.equal(401, response.status)
    assert.matches('^FORM realm="', response.headers["www-authenticate"])
    response = home { Accept = "text/html,*/*" }
    assert.equal(302, response.status)
    assert.equal("/SportsForm/static/auth/login.jsp", response.headers.location)
    response = get(server, response.headers.location)
    assert.equal(200, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    assert.matches("j_spring_security_check", response.body, 1, true)
  end)

  it("protects every path but those of authentication", function()
    for _, path in ipairs { "/static/CustomerService.json", "/rest/_oepingService/_oeping", "/nothing" } do
      assert.equal(401, get(server, server.uris.form .. path, JSON).status, path)
    end
  end)

  it("sends the client context id with every 2xx of a session", function()
    local cookie = cookieOf(login())
    local headers = { Cookie = cookie, Accept = "application/json" }
    local id = home(headers).headers["x-client-context-id"]
    assert.is_string(id)
    assert.not_matches(cookie:match("=(.*)"), id, 1, true)
    for path, expected in pairs {
      ["/static/CustomerService.json"] = id, ["/rest/_oepingService/_oeping"] = id, ["/nothing"] = false,
    } do
      local response = get(server, server.uris.form .. path, headers)
      assert.equal(expected or nil, response.headers["x-client-context-id"])
    end
  end)

  it("knows a session by the path parameter too", function()
    local id = home { Cookie = cookieOf(login()) }.headers["x-client-context-id"]
    assert.equal(200, home(JSON, ";JSESSIONID=" .. id .. "?_ts=1").status)
    local headers = { Accept = "application/json", Cookie = "JSESSIONID=gone" }
    assert.equal(200, home(headers, ";jsessionid=" .. id).status)
    assert.equal(401, home(JSON, ";JSESSIONID=nothing").status)
  end)

  it("ends the session at logout", function()
    local headers = { Cookie = cookieOf(login()), Accept = "application/json" }
    local logout = server.uris.form .. "/static/auth/j_spring_security_logout"
    local response = get(server, logout, headers)
    assert.equal(200, response.status)
    assert.matches("Max%-Age=0", response.headers["set-cookie"])
    assert.equal(0, server:sessionCount())
    assert.equal(401, home(headers).status)
    assert.equal(200, get(server, logout, headers).status)
  end)

  it("ends sessions that are idle for too long", function()
    local used, idle = cookieOf(login()), cookieOf(login())
    server:advanceClock(700)
    assert.equal(200, home { Cookie = used, Accept = "application/json" }.status)
    server:advanceClock(700)
    assert.equal(1, server:sessionCount())
    assert.equal(401, home { Cookie = idle, Accept = "application/json" }.status)
    assert.equal(200, home { Cookie = used, Accept = "application/json" }.status)
  end)

  it("takes the idle timeout from the options", function()
    stopServer()
    start { idleTimeout = 10 }
    local cookie = cookieOf(login())
    server:advanceClock(11)
    assert.equal(401, home { Cookie = cookie, Accept = "application/json" }.status)
    assert.equal(0, server:sessionCount())
  end)

  it("loses its sessions when told to", function()
    local cookie = cookieOf(login())
    server:expireSessions("anonymous")
    assert.equal(1, server:sessionCount())
    server:expireSessions("form")
    assert.equal(0, server:sessionCount())
    assert.equal(401, home { Cookie = cookie, Accept = "application/json" }.status)
    login()
    server:expireSessions()
    assert.equal(0, server:sessionCount())
  end)
end)

describe("the context headers", function()
  before_each(function() start { users = { lua = "secret" } } end)
  after_each(stopServer)

  local LOGIN = "/static/auth/j_spring_security_check"
  local models = { "form", "form_sso", "old" }

  local function login(model)
    return request(server, "POST", server.uris[model] .. LOGIN,
      { body = "j_username=lua&j_password=secret&submit=Submit", headers = JSON })
  end

  local function home(model, headers, suffix)
    return get(server, server.uris[model] .. "/static/home.html" .. (suffix or ""), headers or JSON)
  end

  local function cookieOf(response)
    return response.headers["set-cookie"]:match("^(JSESSIONID=[^;]+)")
  end

  local function properties(response)
    return response.headers["x-client-props"]
  end

  describe("setContextProperties", function()
    it("sends the properties with every 2xx of the application, and of no other", function()
      server:setContextProperties("form", { region = "North", limit = 5, none = cjson.null, list = { 1, 2 } })
      local response = login("form")
      assert.same({ region = "North", limit = 5, none = cjson.null, list = { 1, 2 } },
        cjson.decode(properties(response)))
      local headers = { Cookie = cookieOf(response), Accept = "application/json" }
      for _, path in ipairs { "/static/home.html", "/static/CustomerService.json",
        "/rest/_oepingService/_oeping",
        "/rest/CustomerService/Customer?filter=CustNum=1", "/static/auth/j_spring_security_logout" } do
        assert.is_string(properties(get(server, server.uris.form .. path, headers)), path)
      end
      assert.is_nil(properties(home("form"))) -- 401
      assert.is_nil(properties(home("anonymous")))
      assert.is_nil(properties(login("form_sso")))
    end)

    it("works for each model", function()
      for model in pairs(server.uris) do server:setContextProperties(model, { model = model }) end
      local headers = {
        basic = { Authorization = "Basic bHVhOnNlY3JldA==" }, bearer = { Authorization = "Bearer letmein" },
        anonymous = {}, form = { Cookie = cookieOf(login("form")) },
        old = { Cookie = cookieOf(login("old")) },
      }
      for model, lines in pairs(headers) do
        assert.same({ model = model }, cjson.decode(properties(home(model, lines))))
      end
    end)

    it("writes ASCII, names in order", function()
      server:setContextProperties("anonymous", { ["ö"] = "é😀€", b = "a/b\"\n" })
      assert.equal([[{"b":"a/b\"\n","\u00f6":"\u00e9\ud83d\ude00\u20ac"}]], properties(home("anonymous")))
      server:setContextProperties("anonymous", { a = "\xE9\xC3" })
      assert.equal('{"a":"\xE9\xC3"}', properties(home("anonymous")))
      server:setContextProperties("anonymous", {})
      assert.equal("{}", properties(home("anonymous")))
    end)

    it("sends a string as it is, and stops at nil", function()
      for _, text in ipairs { "null", "[1]", "{broken", "", "\xE9", "17" } do
        server:setContextProperties("anonymous", text)
        local response = home("anonymous")
        assert.equal(200, response.status)
        assert.equal(text, properties(response))
      end
      server:setContextProperties("anonymous", nil)
      assert.is_nil(properties(home("anonymous")))
    end)

    it("is there under a fault that lets the application answer, and can be replaced by one", function()
      server:setContextProperties("anonymous", { a = 1 })
      server:fault { kind = "slow", delay = 0 }
      assert.equal('{"a":1}', properties(home("anonymous")))
      server:fault { kind = "slow", delay = 0, headers = { ["X-Client-Props"] = "{}" } }
      assert.equal("{}", properties(home("anonymous")))
      server:fault { kind = "empty" }
      assert.is_nil(properties(home("anonymous")))
    end)
  end)

  it("setContextIds takes the client context id away and brings it back", function()
    for _, model in ipairs(models) do
      local headers = { Cookie = cookieOf(login(model)) }
      local id = home(model, headers).headers["x-client-context-id"]
      assert.is_string(id, model)
      server:setContextIds(false, model)
      assert.is_nil(home(model, headers).headers["x-client-context-id"])
      server:setContextIds(true, model)
      assert.equal(id, home(model, headers).headers["x-client-context-id"])
      server:setContextIds(false)
      assert.is_nil(home(model, headers).headers["x-client-context-id"])
      server:setContextIds(true)
    end
    assert.is_nil(home("anonymous").headers["x-client-context-id"])
  end)

  it("setCookies leaves the path parameter alone to know a session by", function()
    server:setOldStyle("json")
    for _, model in ipairs(models) do
      local cookie = cookieOf(login(model))
      server:setCookies(false, model)
      local response = login(model)
      assert.equal(200, response.status)
      assert.is_nil(response.headers["set-cookie"])
      local id = response.headers["x-client-context-id"]
      local suffix = ";JSESSIONID=" .. id
      assert.equal(id, home(model, JSON, suffix).headers["x-client-context-id"])
      assert.is_nil(home(model, { Cookie = cookie }).headers["x-client-context-id"])
      assert.is_nil(home(model, { ["X-CLIENT-CONTEXT-ID"] = id }).headers["x-client-context-id"])
      local sessions = server:sessionCount(model)
      local logout = server.uris[model] .. "/static/auth/j_spring_security_logout" .. suffix
      response = get(server, logout, JSON)
      assert.equal(200, response.status)
      assert.is_nil(response.headers["set-cookie"])
      assert.equal(sessions - 1, server:sessionCount(model))
      server:setCookies(true, model)
      assert.equal(200, home(model, { Cookie = cookie }).status)
    end
    server:setCookies(false)
    for _, model in ipairs(models) do assert.is_nil(login(model).headers["set-cookie"]) end
    server:setContextIds(false)
    for _, model in ipairs(models) do assert.is_nil(login(model).headers["x-client-context-id"]) end
  end)
end)

describe("the Customer service", function()
  before_each(function() start() end)
  after_each(stopServer)

  local RESOURCE = "/SportsAnonymous/rest/CustomerService/Customer"

  local function call(method, path, body)
    local response = request(server, method, RESOURCE .. (path or ""),
      { body = body and cjson.encode(body), headers = { ["Content-Type"] = "application/json" } })
    return response.status, decode(response)
  end

  local function read(filter)
    local status, answer = call("GET", "?filter=" .. percent(filter or ""))
    assert.equal(200, status, cjson.encode(answer))
    return answer.dsCustomer.ttCustomer
  end

  local function numbers(filter)
    local list = {}
    for i, record in ipairs(read(filter)) do list[i] = math.tointeger(record.CustNum) end
    return list
  end

  it("reads all customers without a filter", function()
    assert.equal(300, #read())
    local first = read()[1]
    assert.equal(1, first.CustNum)
    assert.equal("boolean", type(first.Active))
    assert.equal("number", type(first.CreditLimit))
    assert.matches("^%d%d%d%d%-%d%d%-%d%d$", first.Since)
    assert.equal(4, #first.QuarterSales)
  end)

  it("has as many customers as the options say", function()
    for _, n in ipairs { 0, 1, 20 } do
      stopServer()
      start { customers = n }
      assert.equal(n, #read())
    end
  end)

  it("writes no customers as an empty list", function()
    assert.matches('"ttCustomer":[]', get(server, RESOURCE .. "?filter=CustNum<0").body, 1, true)
  end)

  it("understands ABL comparisons", function()
    for expression, expected in pairs {
      ["CustNum = 3"] = { 3 },
      ["ttCustomer.custnum EQ 3"] = { 3 },
      ["WHERE CustNum = 3 OR CustNum = 5"] = { 3, 5 },
      ["CustNum < 6 AND NOT (CustNum = 2 OR CustNum >= 4)"] = { 1, 3 },
      ["CustNum <= 2"] = { 1, 2 },
      ["CustNum > 298"] = { 299, 300 },
      ["CustNum <> 1 and CustNum lt 3"] = { 2 },
      ['Name BEGINS "alpine l"'] = { 1, 71, 141, 211, 281 },
      ["Name MATCHES '*Lift T.urs' AND CustNum < 20"] = { 1, 8, 15 },
      ["INDEX(Name, 'hoops') > 0 AND CustNum < 20"] = { 3, 10, 17 },
      ["Since = ? AND CustNum < 21"] = { 10, 20 },
      ["Since <> ? AND CustNum < 3"] = { 1, 2 },
      ["NOT Active AND CustNum < 15"] = { 7, 14 },
      ["Active = FALSE AND CustNum < 15"] = { 7, 14 },
      ["Since < DATE(2, 1, 1991) AND Since >= DATE(1, 1, 1991)"] = { 60, 120, 180, 240, 300 },
      ["Name BEGINS 'Åsa~'s' AND CustNum < 10"] = { 3 },
      ["Name BEGINS 'Åsa''s' AND CustNum < 10"] = { 3 },
      ["QuarterSales[2] <= 4"] = { 1, 2 },
      ["Balance > -1 AND Balance < 37.5 AND CustNum < 50"] = { 1 },
    } do
      if expression:find("1991") then
        for _, record in ipairs(read(expression)) do assert.matches("^1991%-01", record.Since) end
      else
        assert.same(expected, numbers(expression), expression)
      end
    end
  end)

  it("looks for a plain text in all character fields", function()
    assert.same({ 2, 9, 16 }, { table.unpack(numbers("FRISBEE"), 1, 3) })
    for _, record in ipairs(read("oslo")) do assert.equal("Oslo", record.City) end
    assert.equal(60, #read("oslo"))
    assert.equal(0, #read("no such text"))
  end)

  it("understands the JSON filter pattern", function()
    assert.same({ 21, 22, 23 },
      numbers '{"ablFilter":"CustNum > 10","tableRef":"ttCustomer","skip":10,"top":3}')
    assert.same({ 300, 299 }, numbers '{"orderBy":"CustNum DESC","top":2}')
    assert.same({ 1, 8, 15 },
      numbers '{"ablFilter":"CustNum < 20 and Name matches \'*tours\'","orderBy":"CustNum"}')
    assert.same({ 42 }, numbers '{"id":"42"}')
    assert.equal(300, #read "{}")
    assert.equal(300, #read '{"ablFilter":null,"skip":-1}')
    assert.equal(0, #read '{"skip":1000,"top":10}')
    local countries = read '{"orderBy":"Country,CustNum DESC","top":300}'
    assert.equal("Germany", countries[1].Country)
    assert.is_true(countries[1].CustNum > countries[2].CustNum)
  end)

  it("reports a filter that it does not understand", function()
    for _, filter in ipairs {
      '{"ablFilter":"Nothing = 1"}', '{"ablFilter":"CustNum ="}', '{"ablFilter":"Name = \'x"}',
      '{"ablFilter":"CustNum = \'x\'"}', '{"sqlQuery":"SELECT"}', '{"orderBy":"Nothing"}', '{"ablFilter":',
      '{"ablFilter":"(CustNum = 1"}', '{"ablFilter":"CustNum = 1 1"}', '{"ablFilter":"CustNum # 1"}',
      '{"ablFilter":"Since = DATE(\'x\', 1, 1)"}',
    } do
      local status, answer = call("GET", "?filter=" .. percent(filter))
      assert.equal(500, status, filter)
      assert.is_string(answer._errors[1]._errorMsg)
      assert.is_number(answer._errors[1]._errorNum)
    end
  end)

  it("counts", function()
    local status, answer = call("PUT", "/count?filter=" .. percent("CustNum > 200"))
    assert.equal(200, status)
    assert.equal(100, answer.response.numRecs)
  end)

  it("creates, updates and deletes rows of a temp-table", function()
    local status, answer = call("POST", "",
      { ttCustomer = { { _id = "1-2", Name = "Ünew", CreditLimit = 2000 } } })
    assert.equal(200, status)
    local row = answer.ttCustomer[1]
    assert.equal(301, row.CustNum)
    assert.equal("USA", row.Country)
    status, answer = call("PUT", "", { ttCustomer = { { CustNum = 301, Name = "Newer" } } })
    assert.equal(200, status)
    assert.equal("Newer", answer.ttCustomer[1].Name)
    assert.equal(2000, answer.ttCustomer[1].CreditLimit)
    assert.equal("Newer", read("CustNum = 301")[1].Name)
    assert.equal(200, (call("DELETE", "", { ttCustomer = { { CustNum = 301 } } })))
    assert.equal(0, #read("CustNum = 301"))
    assert.equal(300, #read())
  end)

  it("takes the dataset form, a bare list and a bare row too", function()
    local _, answer = call("POST", "", { dsCustomer = { ttCustomer = { { Name = "A" } } } })
    assert.equal("A", answer.dsCustomer.ttCustomer[1].Name)
    _, answer = call("POST", "", { { Name = "B" } })
    assert.equal("B", answer.ttCustomer[1].Name)
    _, answer = call("POST", "", { Name = "C" })
    assert.equal("C", answer.ttCustomer[1].Name)
    assert.equal(303, #read())
  end)

  it("reports changes that it cannot make", function()
    for _, case in ipairs {
      { "POST", { Name = "" } }, { "POST", { Name = "A", CustNum = 1 } }, { "POST", { Name = 5 } },
      { "POST", { Name = "A", CreditLimit = -1 } }, { "POST", { Name = "A", Discount = 1.5 } },
      { "PUT", { CustNum = 999, Name = "A" } }, { "PUT", { CustNum = 1, Name = cjson.null } },
      { "DELETE", { CustNum = 999 } }, { "DELETE", { CustNum = {} } }, { "POST", { ttCustomer = { 1 } } },
    } do
      local status, answer = call(case[1], "", case[2])
      assert.equal(500, status, cjson.encode(case[2]))
      assert.is_string(answer._errors[1]._errorMsg)
    end
    local response = request(server, "POST", RESOURCE, { body = '{"ttCustomer":' })
    assert.equal(500, response.status)
    assert.is_string(decode(response)._errors[1]._errorMsg)
    assert.equal(300, #read())
  end)

  it("applies a change with before-image", function()
    local status, answer = call("PUT", "", { dsCustomer = {
      ["prods:hasChanges"] = true,
      ttCustomer = { { ["prods:id"] = "a", ["prods:clientId"] = "a", ["prods:rowState"] = "modified",
        CustNum = 1, Name = "Changed" } },
      ["prods:before"] = { ttCustomer = { { ["prods:id"] = "a", CustNum = 1, Name = "Alpine Lift Tours" } } },
    } })
    assert.equal(200, status)
    local row = answer.dsCustomer.ttCustomer[1]
    assert.equal("Changed", row.Name)
    assert.equal("a", row["prods:clientId"])
    assert.equal("modified", row["prods:rowState"])
    assert.is_nil(answer.dsCustomer["prods:errors"])
  end)

  it("submits creates, updates and deletes at once, with the errors of rows beside them", function()
    local status, answer = call("PUT", "/SubmitCustomer", { dsCustomer = {
      ["prods:hasChanges"] = true,
      ttCustomer = {
        { ["prods:clientId"] = "c", ["prods:rowState"] = "created", Name = "Created" },
        { ["prods:clientId"] = "b", ["prods:rowState"] = "created", Name = " " },
        { ["prods:id"] = "u", ["prods:clientId"] = "u", ["prods:rowState"] = "modified",
          CustNum = 2, Discount = 50 },
      },
      ["prods:before"] = { ttCustomer = {
        { ["prods:id"] = "u", CustNum = 2 },
        { ["prods:clientId"] = "d", ["prods:rowState"] = "deleted", CustNum = 3 },
        { ["prods:clientId"] = "e", ["prods:rowState"] = "deleted", CustNum = 999 },
      } },
    } })
    assert.equal(200, status)
    local ds = answer.dsCustomer
    assert.equal(301, ds.ttCustomer[1].CustNum)
    assert.equal("c", ds.ttCustomer[1]["prods:clientId"])
    assert.is_true(ds.ttCustomer[2]["prods:hasErrors"])
    assert.is_true(ds.ttCustomer[2]["prods:rejected"])
    assert.equal(50, ds.ttCustomer[3].Discount)
    local before = ds["prods:before"].ttCustomer
    assert.equal("d", before[1]["prods:clientId"])
    assert.is_true(before[2]["prods:hasErrors"])
    assert.is_true(ds["prods:hasErrors"])
    local ids = {}
    for _, failure in ipairs(ds["prods:errors"].ttCustomer) do
      ids[failure["prods:id"]] = true
      assert.is_string(failure["prods:error"])
    end
    assert.same({ b = true, e = true }, ids)
    assert.equal(300, #read())
    assert.equal(0, #read("CustNum = 3"))
  end)

  it("submits a temp-table", function()
    local status, answer = call("PUT", "/SubmitCustomer",
      { ttCustomer = { { CustNum = 1, Name = "Old" }, { Name = "New" } } })
    assert.equal(200, status)
    assert.equal("Old", answer.ttCustomer[1].Name)
    assert.equal(301, answer.ttCustomer[2].CustNum)
  end)

  it("has an operation to invoke", function()
    local limit = read("CustNum = 1")[1].CreditLimit
    for i, body in ipairs { { request = { custNum = 1, amount = 250 } }, { custNum = 1, amount = 250 } } do
      local status, answer = call("PUT", "/RaiseCreditLimit", body)
      assert.equal(200, status)
      assert.equal(limit + 250 * i, answer.response.creditLimit)
    end
    assert.equal(500, (call("PUT", "/RaiseCreditLimit", { request = { custNum = 999, amount = 1 } })))
    assert.equal(500, (call("PUT", "/RaiseCreditLimit", { request = { custNum = 1 } })))
    assert.equal(500, (call("PUT", "/RaiseCreditLimit", { request = { custNum = 1, amount = 1e9 } })))
  end)

  it("is the same behind all applications", function()
    call("DELETE", "", { CustNum = 1 })
    local response = get(server, server.uris.basic .. "/rest/CustomerService/Customer",
      { Authorization = "Basic bHVhOnNlY3JldA==" })
    assert.equal(299, #decode(response).dsCustomer.ttCustomer)
  end)
end)

describe("server:fault", function()
  lazy_setup(function() start() end)
  lazy_teardown(stopServer)
  before_each(function()
    server:clearFaults()
    server:clearRequests()
  end)

  local home = "/SportsAnonymous/static/home.html"

  -- The system's word for a connection once data has come: nil, or the error that is pending. That is
  -- "closed" for a reset, in LuaSocket's words.
  local function pendingError(connection)
    assert.equal(connection, socket.select({ connection }, nil, LIMIT)[1])
    return connection:getoption("error")
  end

  it("answers late, and only those it was meant for", function()
    server:fault { kind = "slow", delay = 1e6, path = "home%.html$" }
    local waiting = connect(server)
    send(waiting, "GET", home, {})
    assert.is_true(server:awaitRequests(1))
    for _ = 1, 5 do assert.equal(200, get(server, home).status) end
    assert.same({}, (socket.select({ waiting }, nil, 0)))
    waiting:close()
    server:restart()
  end)

  it("answers truly after the delay", function()
    server:fault { kind = "slow", delay = 0.01, headers = { ["X-Late"] = "yes" } }
    local response = get(server, home)
    assert.equal(200, response.status)
    assert.equal("yes", response.headers["x-late"])
    assert.matches("SportsAnonymous", response.body, 1, true)
  end)

  it("sends a delayed answer when the delays are ended, and the next one not", function()
    server:fault { kind = "slow", delay = 1e6, count = 2 }
    local first, second = connect(server), connect(server)
    send(first, "GET", home, {})
    server:awaitRequests(1)
    server:endDelays()
    assert.equal(200, receive(first).status)
    send(second, "GET", home, {})
    server:awaitRequests(2)
    assert.same({}, (socket.select({ second }, nil, 0)))
    server:endDelays()
    assert.equal(200, receive(second).status)
  end)

  it("resets the connection", function()
    server:fault { kind = "reset" }
    local connection = connect(server)
    send(connection, "GET", home, {})
    assert.equal("closed", pendingError(connection))
    connection:close()
  end)

  it("closes the connection without an answer", function()
    server:fault { kind = "close" }
    local connection = connect(server)
    send(connection, "GET", home, {})
    assert.is_nil(pendingError(connection))
    assert.is_nil(receive(connection))
    connection:close()
  end)

  it("cuts the answer after so many bytes of the body", function()
    local full = get(server, home).body
    for _, after in ipairs { 0, 1, 17, #full - 1 } do
      server:fault { kind = "truncate", after = after }
      local response = get(server, home)
      assert.equal(200, response.status)
      assert.equal(#full, tonumber(response.headers["content-length"]))
      assert.is_true(response.cut)
      assert.equal(full:sub(1, after), response.body)
    end
  end)

  it("always cuts something off, by default half", function()
    local full = get(server, home).body
    server:fault { kind = "truncate", after = 1000000 }
    assert.equal(full:sub(1, -2), get(server, home).body)
    server:fault { kind = "truncate" }
    assert.equal(full:sub(1, #full // 2), get(server, home).body)
  end)

  it("cuts large answers, too", function()
    server:fault { kind = "truncate", after = 100000 }
    assert.equal(100000, #get(server, "/SportsAnonymous/rest/CustomerService/Customer").body)
  end)

  it("breaks the JSON", function()
    server:fault { kind = "malformed" }
    local response = get(server, server.catalogURIs.anonymous)
    assert.equal(200, response.status)
    assert.matches("^application/json", response.headers["content-type"])
    assert.is_false((pcall(cjson.decode, response.body)))
  end)

  it("puts another page in place of the answer", function()
    server:fault { kind = "html" }
    local response = get(server, server.catalogURIs.anonymous)
    assert.equal(200, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    assert.not_matches("j_spring_security_check", response.body, 1, true)
  end)

  it("puts the login page in place of the answer", function()
    server:fault { kind = "loginPage" }
    local response = get(server, home)
    assert.equal(200, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    assert.matches('action="/SportsAnonymous/static/auth/j_spring_security_check"', response.body, 1, true)
  end)

  it("answers with a status, a body and headers", function()
    server:fault { kind = "status", status = 503, body = '{"down":"\0é"}', contentType = "application/json",
      headers = { ["Retry-After"] = "7", ["Set-Cookie"] = "a=b" } }
    local response = get(server, home)
    assert.equal(503, response.status)
    assert.equal('{"down":"\0é"}', response.body)
    assert.equal("application/json", response.headers["content-type"])
    assert.equal("7", response.headers["retry-after"])
    assert.equal("a=b", response.headers["set-cookie"])
  end)

  it("lets headers take the place of the answer's own", function()
    server:fault { kind = "html", headers = { ["content-type"] = "text/plain" } }
    assert.equal("text/plain", get(server, home).headers["content-type"])
  end)

  it("redirects", function()
    server:fault { kind = "redirect", location = "http://other.example/x" }
    server:fault { kind = "redirect", location = "/y", status = 307 }
    local first, second = get(server, home), get(server, home)
    assert.equal(302, first.status)
    assert.equal("http://other.example/x", first.headers.location)
    assert.equal(307, second.status)
    assert.equal("/y", second.headers.location)
  end)

  it("answers with nothing", function()
    server:fault { kind = "empty" }
    local response = get(server, home)
    assert.equal(200, response.status)
    assert.equal("", response.body)
    assert.equal("0", response.headers["content-length"])
  end)

  it("sends raw bytes in place of a response", function()
    server:fault { kind = "raw", body = "HTTP/1.1 200 OK\r\nContent-Le" }
    local connection = connect(server)
    send(connection, "GET", home, {})
    local bytes, _, partial = connection:receive("*a")
    assert.equal("HTTP/1.1 200 OK\r\nContent-Le", bytes or partial)
    connection:close()
  end)

  it("does not hang in sending raw bytes to somebody who does not read", function()
    server:fault { kind = "raw", body = ("x"):rep(8 * 1024 * 1024) }
    local connection = connect(server)
    send(connection, "GET", home, {})
    assert.is_true(server:awaitRequests(1))
    assert.is_true(server:restart())
    connection:close()
  end)

  it("happens as often as it was told to", function()
    server:fault { kind = "status", status = 500, count = 2 }
    assert.equal(500, get(server, home).status)
    assert.equal(500, get(server, home).status)
    assert.equal(200, get(server, home).status)
    server:fault { kind = "status", status = 500, count = 0 }
    for _ = 1, 5 do assert.equal(500, get(server, home).status) end
    server:clearFaults()
    assert.equal(200, get(server, home).status)
  end)

  it("happens in the order in which faults were added", function()
    for status = 500, 503 do server:fault { kind = "status", status = status } end
    for status = 500, 503 do assert.equal(status, get(server, home).status) end
    assert.equal(200, get(server, home).status)
  end)

  it("picks its requests by method, path and model", function()
    server:fault {
      kind = "status", status = 500, method = "put", path = "^/SportsAnonymous/", model = "anonymous",
    }
    assert.equal(200, get(server, home).status)
    assert.equal(401, request(server, "PUT", "/SportsBasic/static/home.html").status)
    assert.equal(404, request(server, "PUT", "/").status)
    assert.equal(500, request(server, "PUT", home .. ";JSESSIONID=x").status)
    assert.equal(405, request(server, "PUT", home).status)
  end)

  it("keeps the request from the application, but for slow and truncate", function()
    local uri = "/SportsForm/static/auth/j_spring_security_check"
    local login = { body = "j_username=lua&j_password=secret" }
    for kind, sessions in pairs {
      reset = 0, close = 0, malformed = 0, html = 0, loginPage = 0, empty = 0, truncate = 1,
    } do
      server:expireSessions()
      server:fault { kind = kind }
      request(server, "POST", uri, login)
      assert.equal(sessions, server:sessionCount(), kind)
    end
    server:expireSessions()
  end)

  it("raises for what it cannot mean", function()
    for message, options in pairs {
      ["unknown option 'knd' for 'fault'"] = { knd = "slow" },
      ["bad option 'kind' for 'fault': one of slow, reset"] = { kind = "nothing" },
      ["needs the option 'delay'"] = { kind = "slow" },
      ["needs the option 'status'"] = { kind = "status" },
      ["needs the option 'location'"] = { kind = "redirect" },
      ["needs the option 'body'"] = { kind = "raw" },
      ["'after' for 'fault' means nothing to the kind 'slow'"] = { kind = "slow", delay = 1, after = 1 },
      ["option 'count' for 'fault': integer, 0 or more"] = { kind = "reset", count = -1 },
      ["bad model: one of anonymous, basic, bearer"] = { kind = "reset", model = "spring" },
      ["option 'path' for 'fault': Lua pattern"] = { kind = "reset", path = "%" },
      ["no Content-Length"] = { kind = "html", headers = { ["Content-Length"] = "5" } },
      ["values without line breaks"] = { kind = "html", headers = { A = "b\r\nc: d" } },
      ["names that are header names"] = { kind = "html", headers = { ["A b"] = "c" } },
      ["option 'location' for 'fault'"] = { kind = "redirect", location = "/\r\n" },
      ["option 'status' for 'fault'"] = { kind = "status", status = 100 },
      ["table expected"] = false,
    } do
      local ok, raised = pcall(server.fault, server, options or nil)
      assert.is_false(ok)
      assert.matches(message, raised, 1, true)
      assert.matches("^spec/", raised)
    end
    assert.equal(200, get(server, home).status)
  end)

  it("turns an error of the server's own program into a 500 that says so", function()
    server:fault { kind = "reset", path = "/[b]%" } -- malformed, but only some subjects show it
    local response = get(server, "/b")
    assert.equal(500, response.status)
    assert.matches("malformed pattern", response.body, 1, true)
    server:clearFaults()
    assert.equal(200, get(server, home).status)
  end)
end)

describe("the control calls", function()
  lazy_setup(function() start() end)
  lazy_teardown(stopServer)

  it("raise for arguments that cannot be", function()
    for message, call in pairs {
      ["form, form_sso, oauth, old, proiv, sso expected, got \"spring\""] = function()
        server:expireSessions("spring")
      end,
      ["bad model"] = function() server:sessionCount(1) end,
      ["bad model: one of anonymous"] = function() server:catalogURI() end,
      ["model: one of anonymous, basic"] = function() server:setApplication(nil, true) end,
      ["bad argument 'up': boolean expected, got nil"] = function() server:setAppServer() end,
      ["argument 'up'"] = function() server:setApplication("form") end,
      ["bad argument 'ping': one of new, classic, none"] = function() server:setPing("old") end,
      ["bad model: one of form, form_sso, sso, old expected, got \"basic\""] = function()
        server:setContextIds(true, "basic")
      end,
      ["bad model: one of form, form_sso, old expected, got \"sso\""] = function()
        server:setCookies(true, "sso")
      end,
      ["bad argument 'on': boolean"] = function() server:setCookies() end,
      ["argument 'on'"] = function() server:setContextIds("form") end,
      ["bad argument 'style': one of pages, redirect, json"] = function() server:setOldStyle() end,
      ["bad argument 'answer': string, or table"] = function() server:setTokenAnswer { "x" } end,
      ["bad argument 'answer': string, or table of what JSON"] = function()
        server:setTokenAnswer { access_token = print }
      end,
      ["got boolean"] = function() server:setTokenAnswer(false) end,
      ["bad model: one of anonymous, basic, bearer, btt, datasnap"] = function()
        server:setContextProperties(nil, {})
      end,
      ["bad argument 'properties': table of what"] = function() server:setContextProperties("form", { 1 })
        end,
      ["bad argument 'properties'"] = function() server:setContextProperties("form", "a\r\nb: c") end,
      ["argument 'properties': table"] = function() server:setContextProperties("form", { a = print }) end,
      ["line breaks expected, got 1"] = function() server:setContextProperties("form", 1) end,
      ["bad argument 'seconds'"] = function() server:advanceClock(-1) end,
      ["bad argument 'n'"] = function() server:awaitRequests("1") end,
      ["bad argument 'timeout'"] = function() server:awaitRequests(1, -1) end,
    } do
      local ok, raised = pcall(call)
      assert.is_false(ok)
      assert.matches(message, raised, 1, true)
      assert.matches("^spec/", raised)
    end
  end)
end)

describe("the log of requests", function()
  lazy_setup(function() start() end)
  lazy_teardown(stopServer)
  before_each(function() server:clearRequests() end)

  it("has what was sent and what was answered", function()
    request(server, "POST", "/SportsAnonymous/rest/CustomerService/Customer;a=%20?filter=a%20b&c=d+e&f",
      { body = '{"Name":"\0é"', headers = { ["X-One"] = "1", ["x-two"] = "2" } })
    local list = server:requests()
    assert.equal(1, #list)
    local entry = list[1]
    assert.equal("POST", entry.method)
    assert.equal("/SportsAnonymous/rest/CustomerService/Customer;a=%20?filter=a%20b&c=d+e&f", entry.uri)
    assert.equal("/SportsAnonymous/rest/CustomerService/Customer", entry.path)
    assert.same({ a = " " }, entry.parameters)
    assert.same({ filter = "a b", c = "d e", f = "" }, entry.query)
    assert.equal("1", entry.headers["x-one"])
    assert.equal("2", entry.headers["x-two"])
    assert.equal('{"Name":"\0é"', entry.body)
    assert.equal(500, entry.status)
    assert.equal("integer", math.type(entry.status))
    assert.equal("anonymous", entry.model)
    assert.is_nil(entry.fault)
    assert.is_true(math.abs(entry.time - os.time()) < 3600)
  end)

  it("joins header lines of one name", function()
    local connection = connect(server)
    connection:send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
      .. "X-A: 1\r\nX-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n")
    connection:receive("*a")
    connection:close()
    local headers = server:requests()[1].headers
    assert.equal("1, 2", headers["x-a"])
    assert.equal("a=1; b=2", headers.cookie)
  end)

  it("takes a chunked body", function()
    local connection = connect(server)
    connection:send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      .. "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    connection:receive("*a")
    connection:close()
    assert.equal("abcde", server:requests()[1].body)
  end)

  it("names the fault, and has no status where none was sent", function()
    server:fault { kind = "reset" }
    server:fault { kind = "empty" }
    get(server, "/")
    get(server, "/")
    local list = server:requests()
    assert.equal("reset", list[1].fault)
    assert.is_nil(list[1].status)
    assert.is_nil(list[1].model)
    assert.equal("empty", list[2].fault)
    assert.equal(200, list[2].status)
  end)

  it("is in the order of arrival and can be cleared", function()
    assert.same({}, server:requests())
    for i = 1, 5 do get(server, "/" .. i) end
    local paths = {}
    for i, entry in ipairs(server:requests()) do paths[i] = entry.path end
    assert.same({ "/1", "/2", "/3", "/4", "/5" }, paths)
    server:clearRequests()
    assert.same({}, server:requests())
  end)

  it("keeps the last 10,000, and bodies of 64 MiB in all", function()
    local function paths(count, body)
      local log = require("datasession.sandbox.log").new()
      for i = 1, count do log:add { path = i, body = body } end
      assert.equal(count, log.total)
      local all = log:all()
      return #all, all[1].path, all[#all].path
    end
    assert.same({ 10000, 101, 10100 }, { paths(10100, "") })
    assert.same({ 64, 37, 100 }, { paths(100, ("x"):rep(1024 * 1024)) })
    assert.same({ 1, 2, 2 }, { paths(2, ("x"):rep(65 * 1024 * 1024)) })
  end)
end)

describe("server:awaitRequests", function()
  lazy_setup(function() start() end)
  lazy_teardown(stopServer)
  before_each(function() server:clearRequests() end)

  it("waits until so many requests have come", function()
    local connections = {}
    for i = 1, 20 do
      connections[i] = connect(server)
      send(connections[i], "GET", "/", {})
    end
    assert.is_true(server:awaitRequests(20, LIMIT))
    assert.equal(20, #server:requests())
    for _, connection in ipairs(connections) do connection:close() end
  end)

  it("gives up after its time", function()
    get(server, "/")
    assert.is_true(server:awaitRequests(0, 0))
    assert.is_true(server:awaitRequests(1, 0))
    assert.is_false(server:awaitRequests(2, 0))
    assert.is_false(server:awaitRequests(2, 0.01))
    server:clearRequests()
    assert.is_false(server:awaitRequests(1, 0))
  end)
end)

describe("several clients", function()
  after_each(stopServer)

  it("are served at the same time", function()
    start()
    server:fault { kind = "slow", delay = 1e6, count = 10, method = "PUT" }
    local waiting = {}
    for i = 1, 10 do
      waiting[i] = connect(server)
      send(waiting[i], "PUT", "/", {})
    end
    local open = {}
    for i = 1, 100 do
      open[i] = connect(server)
      send(open[i], "GET", "/SportsAnonymous/rest/CustomerService/Customer?filter=CustNum=" .. i, {})
    end
    for i = 1, 100 do
      local rows = decode(receive(open[i])).dsCustomer.ttCustomer
      assert.equal(i, rows[1].CustNum)
      open[i]:close()
    end
    server:close()
    for _, connection in ipairs(waiting) do connection:close() end
  end)
end)

describe("https", function()
  after_each(stopServer)

  local base = os.tmpname()
  local files = { certificate = base .. ".crt", key = base .. ".key" }
  local made

  lazy_setup(function()
    made = os.execute(("LD_PRELOAD= openssl req -x509 -newkey ec"
      .. " -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
      .. " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
      .. " -keyout %s -out %s 2>/dev/null"):format(files.key, files.certificate))
  end)

  lazy_teardown(function()
    for _, name in ipairs { base, files.certificate, files.key } do os.remove(name) end
  end)

  it("serves with a certificate", function()
    if not made then return pending("no openssl to make a certificate") end
    local found, ssl = pcall(require, "ssl")
    if not found then return pending("LuaSec is not installed") end
    start { tls = files }
    assert.equal("https://127.0.0.1:" .. server.port, server.origin)
    local connection = assert(ssl.wrap(connect(server),
      { mode = "client", protocol = "any", verify = "peer", cafile = files.certificate }))
    assert(connection:dohandshake())
    local response = request(server, "GET", server.uris.anonymous .. "/static/home.html",
      { connection = connection })
    assert.equal(200, response.status)
    connection:close()
  end)

  it("refuses the raw fault", function()
    if not made then return pending("no openssl to make a certificate") end
    start { tls = files }
    assert.error_matches(function() server:fault { kind = "raw", body = "x" } end, "not for https")
  end)

  it("gives nil and a message when the files are no good", function()
    local other, message = sandbox.start { tls = { certificate = "/no/such/file", key = base } }
    assert.is_nil(other)
    assert.matches("/no/such/file", message, 1, true)
    other, message = sandbox.start { tls = { certificate = base, key = base } } -- empty
    assert.is_nil(other)
    assert.matches("PEM", message, 1, true)
  end)
end)
