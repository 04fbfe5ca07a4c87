-- session:request: any request, sent as the session.
local datasession = require "datasession"
local fault_server = require "fault_server"
local ascii = require "datasession.internal.ascii"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local listen = sessions.listen

describe("request", function()
  it("raises for numbers and strings that have no text, with their place", function()
    local session = datasession.new { serviceURI = "http://127.0.0.1:1/App" }
    for message, options in pairs {
      ["request: option 'json': NaN and infinity have no JSON (at key n)"] = { json = { n = 0 / 0 } },
      ["request: option 'json': a string that is not UTF-8 has no JSON (at key name)"] = {
        json = { name = "Zo\xeb" } },
      ["request: option 'headers': 'X-A': NaN and infinity cannot be sent"] = {
        headers = { ["X-A"] = -1 / 0 } },
    } do
      options.path, options.method = "a", "POST"
      assert.error_matches(function() session:request(options) end, message, 1, true)
    end
  end)

  local server, other

  setup(function() server, other = assert(sandbox.start {}), assert(sandbox.start {}) end)

  teardown(function()
    server:close()
    other:close()
  end)

  before_each(function()
    server:clearFaults()
    other:clearFaults()
    other:clearRequests()
  end)

  after_each(sessions.endAll)

  local function new(model, options)
    return sessions.new(server, model, options)
  end

  local function loggedIn(model, options)
    local session = sessions.loggedIn(server, model, options)
    datasession.run(LIMIT)
    server:clearRequests()
    return session
  end

  -- The server's view of a request that any answer may follow.
  local function seen(session, options)
    server:clearRequests()
    server:fault { kind = "status", status = 200 }
    local response, result = session:request(options):await(LIMIT)
    assert(response, result)
    return server:requests()[1]
  end

  describe("sends", function()
    it("a path below serviceURI, with or without a slash, and its query as it is", function()
      local session = loggedIn "basic"
      for path, uri in pairs {
        ["/rest/A?b=%20c&d"] = "/SportsBasic/rest/A?b=%20c&d", ["rest/A"] = "/SportsBasic/rest/A",
        [""] = "/SportsBasic/", ["/"] = "/SportsBasic/", ["/a b/ü"] = "/SportsBasic/a%20b/%c3%bc",
        ["http://x/y"] = "/SportsBasic/http://x/y",
      } do
        assert.equal(uri, (seen(session, { path = path }).uri:gsub("%%%x%x", string.lower)))
      end
    end)

    it("a uri that is absolute, or relative to serviceURI or its origin", function()
      local session = loggedIn "basic"
      for uri, expected in pairs {
        [server.uris.basic .. "/rest/A"] = "/SportsBasic/rest/A", ["rest/A"] = "/SportsBasic/rest/A",
        ["/Other/A"] = "/Other/A", ["?a"] = "/SportsBasic/?a", ["../A"] = "/A",
      } do
        assert.equal(expected, seen(session, { uri = uri }).uri)
      end
    end)

    it("every method, in whatever case it is given", function()
      local session = loggedIn "basic"
      for _, method in ipairs { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" } do
        assert.equal(method, seen(session, { path = "/a", method = method }).method)
        assert.equal(method, seen(session, { path = "/a", method = ascii.lower(method) }).method)
      end
      assert.equal("GET", seen(session, { path = "/a" }).method)
      assert.equal("POST", seen(session, { path = "/a", body = "" }).method)
      assert.equal("POST", seen(session, { path = "/a", json = {} }).method)
    end)

    it("a body, byte by byte, whatever its size", function()
      local session = loggedIn "basic"
      for _, body in ipairs { "", "a\0b\r\n\xFF", ("x"):rep(3000000) } do
        for _, method in ipairs { "POST", "PUT", "DELETE", "PATCH" } do
          local request = seen(session, { path = "/a", method = method, body = body })
          assert.equal(method, request.method)
          assert.is_true(request.body == body)
          assert.equal(tostring(#body), request.headers["content-length"])
        end
      end
    end)

    it("a value as JSON, its numbers exact", function()
      local session = loggedIn "basic"
      local value = { n = 9007199254740993, list = datasession.array {}, x = datasession.null }
      local request = seen(session, { path = "/a", json = value })
      assert.equal("application/json; charset=utf-8", request.headers["content-type"])
      assert.matches("\"n\":9007199254740993[,}]", request.body)
      assert.matches("\"list\":%[%]", request.body)
      assert.matches("\"x\":null", request.body)
      assert.equal("text/json", seen(session,
        { path = "/a", json = 1, headers = { ["content-type"] = "text/json" } })
        .headers["content-type"])
      assert.equal("false", seen(session, { path = "/a", json = false }).body)
    end)

    it("a query by name or in order, encoded, after the one of the path", function()
      local session = new()
      local query = { b = { "1&2", 2.5, 12345678901234567 }, ["a ü"] = true, c = datasession.null }
      assert.equal("/SportsAnonymous/x?z=1&a%20%C3%BC=true&b=1%262&b=2.5&b=12345678901234567&c=",
        seen(session, { path = "/x?z=1", query = query }).uri)
      assert.equal("/SportsAnonymous/x?b=2&a=1&a=3",
        seen(session, { uri = "x#there", query = { { "b", 2 }, { "a", { 1, 3 } } } }).uri)
      assert.equal("/SportsAnonymous/x", seen(session, { path = "x", query = {} }).uri)
    end)

    it("a form, encoded, with its Content-Type", function()
      local request = seen(new(), { path = "/x", form = { { "user", "Zoë+1" }, { "n", 3 } } })
      assert.equal("POST", request.method)
      assert.equal("application/x-www-form-urlencoded", request.headers["content-type"])
      assert.equal("user=Zo%C3%AB%2B1&n=3", request.body)
      assert.equal("", seen(new(), { path = "/x", form = {} }).body)
    end)

    it("header lines, which come before the session's own, for this request alone", function()
      local session = loggedIn "form"
      local headers = { ["X-Mine"] = "yes", aCCept = "text/html", ["X-N"] = 5, ["X-E"] = "" }
      local request = seen(session, { path = "/a", headers = headers })
      assert.equal("yes", request.headers["x-mine"])
      assert.equal("5", request.headers["x-n"])
      assert.equal("", request.headers["x-e"])
      assert.equal("text/html", request.headers.accept)
      assert.equal("no-cache", request.headers.pragma)
      assert.equal(session.clientContextId, request.headers["x-client-context-id"])
      request = seen(session, { path = "/a" })
      assert.equal("application/json", request.headers.accept)
      assert.is_nil(request.headers["x-mine"])
    end)

    it("what the session proves itself with, before login nothing", function()
      assert.equal("Basic bHVhOnNlY3JldA==", seen(loggedIn "basic", { path = "/a" }).headers.authorization)
      assert.matches("^JSESSIONID=", seen(loggedIn "form", { path = "/a" }).headers.cookie)
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local request = seen(new(model), { path = "/a" })
        assert.is_nil(request.headers.authorization)
        assert.is_nil(request.headers.cookie)
      end
    end)
  end)

  describe("says who it is and what it takes", function()
    it("also where the program says one of them itself", function()
      local session = loggedIn "basic"
      local both = seen(session, { path = "/a" }).headers
      local agent = seen(session, { path = "/a", headers = { ["Accept-Encoding"] = "identity" } }).headers
      local encodings = seen(session, { path = "/a", headers = { ["User-Agent"] = "mine" } }).headers
      assert.same({ both["user-agent"], "identity" }, { agent["user-agent"], agent["accept-encoding"] })
      assert.same({ "mine", both["accept-encoding"] },
        { encodings["user-agent"], encodings["accept-encoding"] })
    end)
  end)

  describe("resolves with a response", function()
    it("that has status, ok, headers, body, uri, timing and json", function()
      local session = loggedIn "form"
      local promise = session:request { path = "/rest/CustomerService/Customer?filter=&token=hush" }
      local response, result, info = promise:await(LIMIT)
      assert.equal(datasession.SUCCESS, result)
      assert.equal(response, info.xhr)
      assert.equal(200, response.status)
      assert.is_true(response.ok)
      assert.equal("application/json", response.headers["content-type"])
      assert.equal(server.uris.form .. "/rest/CustomerService/Customer", response.uri)
      assert.equal("table", type(response:json()))
      assert.same(response:json(), response.json())
      for _, name in ipairs { "resolve", "connect", "tls", "firstByte", "total" } do
        assert.equal("float", math.type(response.timing[name]))
      end
      assert.matches("^datasession%.response: HTTP 200, %d+ bytes from http://[^?]*$", tostring(response))
      assert.error_matches(function() response.status = 1 end, "a response is read%-only")
      assert.error_matches(function() return response.nothing end, "a response has no field 'nothing'", 1,
        true)
      assert.error_matches(function() return response.statuss end, "did you mean 'status'?", 1, true)
    end)

    it("whose header lines of one name are joined, its cookies left out", function()
      local session = loggedIn "basic"
      server:fault { kind = "status", status = 200, headers = { ["X-A"] = " 1 ", ["Set-Cookie"] = "a=hush" } }
      local response = session:request { path = "/a" }:await(LIMIT)
      assert.equal("1", response.headers["x-a"])
      assert.is_nil(response.headers["set-cookie"])
      server:clearRequests()
    end)

    it("whose repeated header lines are one", function()
      local raw <close> = assert(fault_server.start())
      raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-b: 2\r\nx-A:3\r\nContent-Length: 0\r\n\r\n" })
      local session = new("anonymous", { serviceURI = "http://127.0.0.1:" .. raw:port(), proxy = false })
      local response = assert(session:request { path = "/a" }:await(LIMIT))
      assert.same({ "1, 3", "2" }, { response.headers["x-a"], response.headers["x-b"] })
    end)

    it("whose header lines of one name are joined in their order, however many", function()
      local raw <close> = assert(fault_server.start())
      local lines, values = {}, {}
      for i = 1, 2000 do
        lines[i], values[i] = ("X-A: %d\r\nX-%d: %d\r\n"):format(i, i % 3, i), tostring(i)
      end
      raw:fault("GET /a", { "HTTP/1.1 200 OK\r\n" .. table.concat(lines) ..
        "X-B: 1\r\nContent-Length: 0\r\n\r\n" })
      local session = new("anonymous", { serviceURI = "http://127.0.0.1:" .. raw:port(), proxy = false })
      local response = assert(session:request { path = "/a" }:await(LIMIT))
      assert.equal(table.concat(values, ", "), response.headers["x-a"])
      assert.matches("^2, 5, 8, .*, 1994, 1997, 2000$", response.headers["x-2"])
      assert.same({ "1", "0" }, { response.headers["x-b"], response.headers["content-length"] })
    end)

    it("whose json says what is wrong with the body", function()
      local session = loggedIn "basic"
      server:fault { kind = "malformed" }
      local response = session:request { path = "/a" }:await(LIMIT)
      local value, message = response:json()
      assert.is_nil(value)
      assert.equal("string", type(message))
      for body, expected in pairs { ["null"] = datasession.null, ["false"] = false, ["10"] = 10 } do
        server:fault { kind = "status", status = 200, body = body }
        assert.equal(expected, (session:request { path = "/a" }:await(LIMIT):json()))
      end
    end)

    it("of the end of redirects within the origin", function()
      local session = loggedIn "basic"
      server:fault { kind = "redirect", location = "../b?c", path = "/a$" }
      server:fault { kind = "status", status = 201, path = "/b$", body = "here" }
      local response = session:request { path = "/x/a", body = "x" }:await(LIMIT)
      assert.equal("here", response.body)
      assert.equal(server.uris.basic .. "/b", response.uri)
      assert.equal("GET", server:requests()[2].method)
    end)

    it("of a redirect that names no place", function()
      local session = loggedIn "basic"
      server:fault { kind = "status", status = 304 }
      local response = session:request { path = "/a" }:await(LIMIT)
      assert.equal(304, response.status)
      assert.is_false(response.ok)
    end)
  end)

  describe("raises", function()
    local mistakes = {
      { "no options", nil, "table expected" },
      { "neither path nor uri", {}, "expected either option 'path' or option 'uri'" },
      { "both path and uri", { path = "/", uri = "/" }, "expected either option 'path' or option 'uri'" },
      { "a misspelled option", { pathh = "/" }, "request: unknown option 'pathh': did you mean 'path'%?" },
      { "an unknown method", { path = "/", method = "FETCH" },
        "option 'method': expected GET, .- got 'FETCH'" },
      { "a method that hides a line", { path = "/", method = "GET / HTTP/1.1\r\nX: y\r\n" },
        "option 'method': expected" },
      { "body and json", { path = "/", body = "", json = 1 },
        "expected one of the options 'body', 'bodyFile', 'form', 'json' and 'multipart'" },
      { "json and form", { path = "/", form = {}, json = 1 },
        "expected one of the options 'body', 'bodyFile', 'form', 'json' and 'multipart'" },
      { "a query that is no table", { path = "/", query = "a=1" },
        "request: option 'query': expected a table, got string" },
      { "a query without names", { path = "/", query = { { "a", 1 }, { 2 } } },
        "request: option 'query': element 2: expected { name, value }" },
      { "a name that is a number", { path = "/", query = { [7] = 1 } },
        "request: option 'query': expected names that are strings, got a number" },
      { "a value without a text", { path = "/", form = { a = print } },
        "'a': expected a string, a number, a boolean or an array of these, got a function" },
      { "a value that is infinite", { path = "/", form = { a = { 1, 1 / 0 } } },
        "or an array of these, got infinity" },
      { "a value that is no number", { path = "/", query = { a = 0 / 0 } }, "of these, got NaN" },
      { "an array of arrays", { path = "/", query = { a = { { 1 } } } }, "got an array of tables" },
      { "a body that is no string", { path = "/", body = {} },
        "option 'body': expected a string or a function, got table" },
      { "what is not JSON", { path = "/", json = print }, "request: option 'json': " },
      { "a NUL in the path", { path = "/a\0b" }, "option 'path' holds a NUL byte" },
      { "a line break in the path", { path = "/a\r\nX: y" }, "option 'path'" },
      { "a line break in the uri", { uri = "/a\r\nX: y" },
        "option 'uri': the URI holds a control character" },
      { "a uri that is not http", { uri = "file:///etc/passwd" }, "option 'uri': the URI " },
      { "a uri with a password", { uri = "http://u:hush@h/" },
        "option 'uri': the URI holds a user name or password" },
      { "headers that are no table", { path = "/", headers = "a: b" },
        "option 'headers': expected a table, got string" },
      { "a header without name", { path = "/", headers = { "a: b" } },
        "option 'headers': expected names and values" },
      { "a header that is no text", { path = "/", headers = { a = {} } },
        "option 'headers': expected names and values" },
      { "a name with a colon", { path = "/", headers = { ["a:"] = "b" } }, "'a:' is not a header name" },
      { "a name with a value", { path = "/", headers = { ["Authorization: secret"] = "b" } },
        "'Authorization:...' is not a header name" },
      { "a name with a blank", { path = "/", headers = { ["a b"] = "b" } }, "'a b' is not a header name" },
      { "a name with a line", { path = "/", headers = { ["a: b\r\nc"] = "d" } },
        "'a:...' is not a header name" },
      { "an empty name", { path = "/", headers = { [""] = "d" } }, "'' is not a header name" },
      { "a value with CR", { path = "/", headers = { a = "hush\rX: y" } },
        "the value of 'a' holds a line break" },
      { "a value with LF", { path = "/", headers = { a = "hush\nX: y" } },
        "the value of 'a' holds a line break" },
      { "a value with NUL", { path = "/", headers = { a = "hush\0" } },
        "the value of 'a' holds a line break or NUL" },
      { "a length of its own", { path = "/", headers = { ["content-LENGTH"] = "3" } },
        "'Content%-Length' is computed" },
      { "an encoding of its own", { path = "/", headers = { ["transfer-encoding"] = "chunked" } },
        "'Transfer%-Encoding' is computed" },
      { "a negative timeout", { path = "/", timeout = -1 },
        "option 'timeout': expected a number of seconds, 0 or more" },
    }
    for _, mistake in ipairs(mistakes) do
      it("for " .. mistake[1] .. ", and sends nothing", function()
        local session = loggedIn "basic"
        local ok, message = pcall(session.request, session, mistake[2])
        assert.is_false(ok)
        assert.matches(mistake[3], message)
        assert.not_matches("hush", message)
        assert.is_false(datasession.pending())
        assert.same({}, server:requests())
      end)
    end

    it("what an options table with a mind of its own raises, and loses nothing", function()
      local session = loggedIn "basic"
      local moody = setmetatable({ path = "/a" }, { __index = function(_, name)
        if name == "headers" then
          error "no headers today"
        end
      end })
      assert.error_matches(function() session:request(moody) end, "no headers today")
    end)
  end)

  it("takes no data and no other error's page for the login page, though they name its form", function()
    local session = sessions.loggedIn(server, "form")
    local events = listen(session, "expired", "offline")
    for status, contentType in pairs { [200] = "application/json", [404] = "text/html" } do
      server:fault { kind = "status", status = status, contentType = contentType,
        body = '"/static/auth/j_spring_security_check"' }
      local response = session:request { path = "rest/x" }:await(LIMIT)
      assert.equal(status == 200, response ~= nil and response.ok)
    end
    await.flush()
    assert.same({}, events)
    assert.is_true(session.connected)
  end)

  describe("rejects", function()
    it("every status from 400 on, with the answer", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = loggedIn(model)
        local events = listen(session)
        for _, status in ipairs { 400, 402, 403, 404, 409, 410, 418, 429, 500, 501, 502, 503, 504, 599 } do
          server:fault { kind = "status", status = status, body = "because", contentType = "text/plain" }
          local err = rejected(session:request { path = "/a?token=hush" })
          assert.equal("http", err.kind)
          assert.equal(datasession.GENERAL_FAILURE, err.result)
          assert.equal(status, err.httpStatus)
          assert.equal(status, err.response.status)
          assert.equal("because", err.response.body)
          assert.equal(err.response, err.info.xhr)
          assert.equal(err, err.info.errorObject)
          assert.equal(server.uris[model] .. "/a", err.uri)
          assert.matches("^request: HTTP " .. status .. " from ", err.message)
          assert.equal(status == 429 or status >= 502 and status <= 504, err.retryable)
        end
        datasession.run(LIMIT)
        assert.same({}, events)
        assert.is_true(session.connected)
      end
    end)

    it("a 401 of the application as expired when it was authorized, else as a want of login", function()
      for _, model in ipairs { "anonymous", "basic", "form" } do
        local session = new(model)
        server:fault { kind = "status", status = 401 }
        local err = rejected(session:request { path = "/a" })
        assert.equal("auth", err.kind)
        assert.equal("logged out", session.state)
        assert(session:login("lua", "secret"):await(LIMIT))
        datasession.run(LIMIT)
        local events = listen(session)
        server:fault { kind = "status", status = 401 }
        err = rejected(session:request { path = "/a" })
        assert.equal("expired", err.kind)
        assert.equal(401, err.response.status)
        assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
        datasession.run(LIMIT)
        assert.same({ datasession.SESSION_EXPIRED }, events)
        assert.equal("expired", session.state)
      end
    end)

    it("a login page, and a redirect to one, as expired too", function()
      for _, fault in ipairs {
        { kind = "loginPage" }, { kind = "redirect", location = "/SportsForm/static/auth/login.jsp" },
      } do
        for _, model in ipairs { "basic", "form" } do
          local session = loggedIn(model)
          server:fault(fault)
          assert.equal("expired", rejected(session:request { path = "/rest/A" }).kind)
          assert.equal("expired", session.state)
        end
      end
    end)

    it("a 401 from elsewhere as any other status, which says nothing of the session", function()
      local session = loggedIn "basic"
      other:fault { kind = "status", status = 401 }
      local err = rejected(session:request { uri = other.uris.basic })
      assert.equal("http", err.kind)
      server:fault { kind = "status", status = 401 }
      err = rejected(session:request { uri = "/SportsForm/rest" })
      assert.equal("http", err.kind)
      assert.equal("connected", session.state)
    end)

    it("no answer from elsewhere, and hears an answer from there, which say nothing of the session either",
      function()
      local session = loggedIn "basic"
      local away <close> = assert(sandbox.start {})
      local uri = away.uris.basic
      away:stop()
      assert.equal("connect", rejected(session:request { uri = uri }).kind)
      assert.equal("connected", session.state)
      server:fault { kind = "status", status = 503, path = "_oeping$" }
      rejected(session:ping())
      assert.equal("offline", session.state)
      assert(session:request { uri = other.uris.anonymous .. "/static/home.html" }:await(LIMIT))
      assert.equal("offline", session.state)
      assert(session:request { path = "/static/home.html" }:await(LIMIT))
      assert.equal("connected", session.state)
    end)

    it("no answer: the server is then out of reach, unless it began to answer", function()
      local session = loggedIn "basic"
      local events = listen(session)
      server:fault { kind = "truncate" }
      local err = rejected(session:request { path = "/static/home.html" })
      assert.equal("connect", err.kind)
      assert.is_nil(err.response)
      assert.is_true(session.connected)
      server:fault { kind = "raw", body = "nonsense\r\n" }
      assert.equal("protocol", rejected(session:request { path = "/a" }).kind)
      assert.is_true(session.connected)
      server:fault { kind = "reset", count = 0 }
      err = rejected(session:request { path = "/a" })
      assert.equal("connect", err.kind)
      assert.equal(datasession.SERVER_OFFLINE, err.info.offlineReason)
      assert.equal("offline", session.state)
      server:clearFaults()
      assert(session:request { path = "/static/home.html" }:await(LIMIT))
      datasession.run(LIMIT)
      assert.same({ datasession.SERVER_OFFLINE, "online" }, events)
    end)

    it("what takes longer than its own timeout, or the session's, which says nothing of the session",
      function()
      server:fault { kind = "slow", delay = 60, count = 0, path = "/a$" }
      local session = loggedIn "basic"
      local err = rejected(session:request { path = "/a", timeout = 0.1 })
      assert.equal("timeout", err.kind)
      assert.is_true(err.retryable)
      assert.is_true(session.connected)
      assert.equal("stall", rejected(session:request { path = "/a", stallTimeout = 0.1 }).kind)
      session = loggedIn("basic", { timeout = 0.1 })
      assert.equal("timeout", rejected(session:request { path = "/a" }).kind)
    end)

    it("what is larger than the session takes", function()
      local session = loggedIn("basic", { maxResponseSize = 1000 })
      server:fault { kind = "status", status = 200, body = ("x"):rep(1001) }
      local err = rejected(session:request { path = "/a" })
      assert.equal("protocol", err.kind)
      assert.matches("maxResponseSize", err.hint)
      server:fault { kind = "status", status = 200, body = ("x"):rep(1000) }
      assert(session:request { path = "/a" }:await(LIMIT))
    end)
  end)

  describe("keeps to its origin", function()
    it("credentials, cookies and the session's header lines", function()
      for _, model in ipairs { "basic", "form" } do
        local session = loggedIn(model)
        other:clearRequests()
        for _, path in ipairs { "/SportsForm/a", "/SportsBasic/a" } do
          session:request { uri = other.origin .. path }:await(LIMIT)
          session:addCatalog(other.origin .. path):await(LIMIT)
        end
        for _, name in ipairs { "localhost", "127.0.0.2" } do -- another name is another origin
          session:request { uri = ("http://%s:%d/SportsForm/b"):format(name, server.port),
            timeout = 5 }:await(LIMIT)
        end
        local requests = other:requests()
        assert.equal(4, #requests)
        for _, request in ipairs(server:requests()) do
          requests[#requests + 1] = request
        end
        for _, request in ipairs(requests) do
          assert.is_nil(request.headers.authorization)
          assert.is_nil(request.headers.cookie)
          assert.is_nil(request.headers["x-client-context-id"])
          assert.equal("application/json", request.headers.accept)
        end
      end
    end)

    it("when it is redirected elsewhere: nothing is sent there at all", function()
      for _, model in ipairs { "basic", "form" } do
        local session = loggedIn(model)
        server:fault { kind = "redirect", location = other.origin .. "/SportsForm/steal" }
        local err = rejected(session:request { path = "/a", body = "x" })
        assert.equal("protocol", err.kind)
        server:fault { kind = "redirect", location = other.uris.form, path = "/static/" }
        rejected(session:isAuthorized())
        assert.same({}, other:requests())
      end
    end)

    it("and takes no cookie of another server along", function()
      local session = loggedIn "form"
      other:fault { kind = "status", status = 200, headers = { ["Set-Cookie"] = "evil=1; Path=/" } }
      assert(session:request { uri = other.uris.form }:await(LIMIT))
      assert.not_matches("evil", seen(session, { path = "/a" }).headers.cookie)
    end)
  end)

  it("can be many at a time", function()
    local session, promises = loggedIn "form", {}
    for i = 1, 30 do
      promises[i] = session:request { path = "/rest/CustomerService/Customer?n=" .. i }
    end
    for i = 1, 30 do
      assert.equal(200, promises[i]:await(LIMIT).status)
    end
  end)

  it("takes over the client context id of a good answer of the application alone", function()
    local session = loggedIn "form"
    local id = session.clientContextId
    local options = { kind = "status", status = 200, headers = { ["X-CLIENT-CONTEXT-ID"] = "new" } }
    server:fault(options)
    assert(session:request { uri = "/SportsBasic/a" }:await(LIMIT))
    assert.equal(id, session.clientContextId)
    options.status = 500
    server:fault(options)
    rejected(session:request { path = "/a" })
    assert.equal(id, session.clientContextId)
    options.status = 200
    server:fault(options)
    assert(session:request { path = "/a" }:await(LIMIT))
    assert.equal("new", session.clientContextId)
  end)

  it("says whether an interrupted request may have arrived", function()
    local session = loggedIn()
    server:fault { kind = "close" }
    local err = rejected(session:request { path = "/a", method = "POST" })
    assert.is_true(err.info.mayHaveArrived)
    server:fault { kind = "status", status = 500 }
    err = rejected(session:request { path = "/a", method = "POST" })
    assert.is_nil(err.info.mayHaveArrived)
    server:stop()
    err = rejected(session:request { path = "/a", method = "POST" })
    assert.is_nil(err.info.mayHaveArrived)
    assert(server:start())
  end)
end)
