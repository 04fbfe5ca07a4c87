-- Replays of recorded servers, and catalogs of one's own.
local cjson = require "cjson"
local client = dofile "spec/sandbox/client.lua"
local datasession = require "datasession"
local raised = dofile "spec/support/raised.lua"
local sandbox = require "datasession.sandbox"
local write = dofile("spec/support/files.lua").write

local request, get = client.request, client.get

local server -- of the test at hand
local file = os.tmpname()

local function stop()
  if server then server:close() end
  server = nil
end

-- An entry as a browser records it. of: method, url, body, type, status, headers, text, encoding.
local function entry(of)
  return {
    startedDateTime = "2026-01-01T00:00:00.000Z", time = 1, cache = {},
    timings = { send = 0, wait = 1, receive = 0 },
    request = {
      method = of.method or "GET", url = "https://prod.example.com:8443" .. of.url, httpVersion = "HTTP/1.1",
      headers = {}, queryString = {}, cookies = {}, headersSize = -1, bodySize = of.bodySize or -1,
      postData = of.postData or (of.body and { mimeType = of.type or "text/plain", text = of.body }) or nil,
    },
    response = {
      status = of.status or 200, statusText = "", httpVersion = "HTTP/1.1", cookies = {}, redirectURL = "",
      headers = of.headers or {}, headersSize = -1, bodySize = -1,
      content = { size = 0, mimeType = "text/plain", text = of.text, encoding = of.encoding },
    },
  }
end

local function replay(entries, options)
  local list = {}
  for i, of in ipairs(entries) do list[i] = entry(of) end
  local creator = { name = "spec", version = "1" }
  write(file, cjson.encode { log = { version = "1.2", creator = creator, entries = list } })
  options = options or {}
  options.har = file
  server = assert(sandbox.start(options))
  return server
end

describe("a replay", function()
  after_each(stop)
  teardown(function() os.remove(file) end)

  it("answers with the recorded status, headers and body", function()
    replay { { url = "/app/a?x=1", status = 203, text = "recorded", headers = {
      { name = "X-One", value = "1" }, { name = "Content-Type", value = "text/x" },
      { name = "Content-Length", value = "99" }, { name = "content-encoding", value = "gzip" },
      { name = "Transfer-Encoding", value = "chunked" }, { name = ":status", value = "203" },
    } } }
    local response = get(server, "/app/a?x=1")
    assert.equal(203, response.status)
    assert.equal("recorded", response.body)
    assert.equal("1", response.headers["x-one"])
    assert.equal("text/x", response.headers["content-type"])
    assert.equal("8", response.headers["content-length"])
    assert.is_nil(response.headers["content-encoding"])
  end)

  it("gives the answers to a request in their order, each once", function()
    replay { { url = "/n", text = "first" }, { url = "/m", text = "other" }, { url = "/n", text = "second" } }
    assert.equal("first", get(server, "/n").body)
    assert.equal("second", get(server, "/n").body)
    local response = get(server, "/n")
    assert.equal(404, response.status)
    assert.matches("^not recorded: GET /n: in .*, it has 2, which are used up", response.body)
    assert.equal("other", get(server, "/m").body)
  end)

  it("gives the last answer again with harRepeats", function()
    replay({ { url = "/n", text = "first" }, { url = "/n", text = "last" } }, { harRepeats = true })
    get(server, "/n")
    assert.equal("last", get(server, "/n").body)
    assert.equal("last", get(server, "/n").body)
  end)

  it("answers 404 to what was not recorded, and says so", function()
    replay { { url = "/a", method = "POST", body = "one" } }
    local response = get(server, "/a")
    assert.equal(404, response.status)
    assert.matches("^not recorded: GET /a: in .*, it has none with this method and URI\n$", response.body)
    assert.matches("it has 1 with this method and URI, but with other bodies",
      request(server, "POST", "/a", { body = "two" }).body, 1, true)
    assert.equal(404, get(server, "/SportsAnonymous/static/home.html").status)
    assert.same({}, server.uris)
    assert.same({}, server.catalogURIs)
  end)

  it("tells requests apart by their bodies, however JSON and forms are ordered", function()
    local FORM, JSON = "application/x-www-form-urlencoded", "application/json"
    replay {
      { url = "/b", method = "PUT", body = '{"a":1,"b":[2,{"c":null,"d":"x"}]}', type = JSON, text = "json" },
      { url = "/b", method = "PUT", body = "p=1&q=a%20b", type = FORM, text = "form" },
      { url = "/b", method = "PUT", text = "fields", postData = { mimeType = FORM,
        params = { { name = "u", value = "1&2" }, { name = "v", value = "3" } } } },
      { url = "/b", method = "PUT", body = "--B1\r\nx\r\n--B1--", type = "multipart/form-data; boundary=B1",
        text = "parts" },
      { url = "/b", method = "PUT", text = "empty" },
    }
    local function put(body, contentType)
      return request(server, "PUT", "/b", { body = body, headers = { ["Content-Type"] = contentType } }).body
    end
    assert.equal("empty", put("", nil))
    assert.equal("parts", put("--ZZ\r\nx\r\n--ZZ--", "multipart/form-data; boundary=ZZ"))
    assert.equal("fields", put("v=3&u=1%262", FORM))
    assert.equal("form", put("q=a+b&p=1", FORM))
    assert.equal("json", put('{"b": [2, {"d": "x", "c": null}], "a": 1}', JSON))
  end)

  it("takes the order of a query's parts as it comes", function()
    replay { { url = "/q?a=1&b=%41", text = "found" } }
    assert.equal("found", get(server, "/q?b=A&a=1").body)
  end)

  it("lets a mask stand for any text, and a body that was not recorded for any body", function()
    replay {
      { url = "/login?token=***", method = "POST", body = "j_password=***&j_username=ada",
        type = "application/x-www-form-urlencoded", text = "in" },
      { url = "/up", method = "POST", bodySize = 12, text = "up" },
    }
    local options = { headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
    options.body = "j_username=bob&j_password=secret"
    assert.equal(404, request(server, "POST", "/login?token=12ab", options).status)
    options.body = "j_username=ada&j_password=secret"
    assert.equal("in", request(server, "POST", "/login?token=12ab", options).body)
    assert.equal("up", request(server, "POST", "/up", { body = "any" }).body)
  end)

  it("decodes bodies in Base64, and closes the connection where no answer was recorded", function()
    replay { { url = "/bytes", text = "AP+A\n", encoding = "base64" }, { url = "/none", status = 0 } }
    assert.equal("\0\255\128", get(server, "/bytes").body)
    assert.is_nil(get(server, "/none"))
  end)

  it("keeps redirects and cookies on the sandbox", function()
    replay { { url = "/r", status = 302, headers = {
      { name = "Location", value = "https://prod.example.com:8443/app/home?x" },
      { name = "set-cookie", value = "a=1; Domain=prod.example.com; Path=/; Secure; HttpOnly\nb=2; secure" },
    } }, { url = "/far", status = 302, headers = {
      { name = "location", value = "https://other.example/x" },
    } } }
    local response = get(server, "/r")
    assert.equal("/app/home?x", response.headers.location)
    assert.same({ "a=1; Path=/; HttpOnly", "b=2" }, response.cookies)
    assert.equal("https://other.example/x", get(server, "/far").headers.location)
  end)

  it("serves a session that was recorded, under routes and faults", function()
    replay {
      { url = "/app/static/home.html", text = "<html>" },
      { url = "/app/rest/Data", text = '{"rows":[1,2]}', headers = { { name = "Content-Type",
        value = "application/json" } } },
    }
    server:route("GET", "/app/rest/More", function() return 200, nil, { 3 } end)
    server:fault { kind = "status", status = 503, path = "Data$" }
    local session = datasession.new { serviceURI = server.origin .. "/app" }
    assert(session:login():await())
    assert.is_nil((session:request({ uri = "rest/Data" }):await()))
    assert.same({ 1, 2 }, assert(session:request({ uri = "rest/Data" }):await()):json().rows)
    assert.equal("[3]", assert(session:request({ uri = "rest/More" }):await()).body)
    assert.equal("GET /app/rest/More", server:requests()[4].route)
  end)

  it("raises for harRepeats without a file", function()
    assert.equal("option 'harRepeats' for 'start' needs 'har'",
      raised(function() sandbox.start { harRepeats = true } end))
  end)

  it("gives nil and a message for a file that is none, or no HAR file, naming the place", function()
    local function failure(text)
      if text then write(file, text) end
      local started, message = sandbox.start { har = text and file or "/nowhere/a.har" }
      assert.is_nil(started)
      return message
    end
    assert.matches("/nowhere/a.har", failure(), 1, true)
    assert.matches("not a HAR file: it is no JSON object", failure("<html>"), 1, true)
    assert.matches("log: table expected, got nothing", failure("{}"), 1, true)
    assert.matches("log.entries: table expected, got nothing", failure '{"log":{}}', 1, true)
    assert.matches("log.entries[0].request.url: string expected, got number",
      failure '{"log":{"entries":[{"request":{"url":1},"response":{}}]}}', 1, true)
    assert.matches("log.entries[0].response.status: number expected, got nothing",
      failure('\xEF\xBB\xBF{"log":{"entries":[{"request":' ..
        '{"url":"http://a/","method":"GET"},"response":{}}]}}'), 1, true)
    for _, status in ipairs { 99, 600, -1, 200.5 } do
      local message = "log.entries[0].response.status: a number from 100 to 599 expected, or 0, got "
      assert.matches(message .. status,
        failure(('{"log":{"entries":[{"request":{"url":"http://a/","method":"GET"},' ..
          '"response":{"status":%s}}]}}'):format(status)), 1, true)
    end
  end)
end)

describe("catalogs of one's own", function()
  after_each(stop)

  local CATALOG = {
    version = "1.4", services = { { name = "Stock", address = "/rest/Stock", resources = { { name = "Part",
      path = "/Part", operations = { { type = "invoke", name = "Count", path = "/Count", verb = "get",
        params = { { name = "n", type = "RESPONSE_BODY", xType = "INTEGER" } } } } } } } },
  }

  it("are served by each application, as tables or as text, beside the sandbox's", function()
    server = assert(sandbox.start { catalogs = { Stock = CATALOG, ["my.Other"] = cjson.encode(CATALOG) } })
    for _, name in ipairs { "Stock", "my.Other" } do
      local session = datasession.new { serviceURI = server.uris.anonymous }
      assert(session:login():await())
      assert(session:addCatalog(server:catalogURI("anonymous", name)):await())
      assert.equal("Part", session.catalogs[1]:service("Stock"):resource("Part").name)
    end
    assert.equal(200, get(server, server:catalogURI("anonymous", "OrderService")).status)
    assert.equal(401, get(server, server:catalogURI("basic", "Stock")).status)
  end)

  it("take the place of the sandbox's of the same name", function()
    server = assert(sandbox.start { catalogs = { CustomerService = CATALOG } })
    assert.same(CATALOG, client.decode(get(server, server.catalogURIs.anonymous)))
  end)

  it("raise for one that is no catalog, and for a name that is not there, with the nearest", function()
    for expected, catalogs in pairs {
      ["table of catalogs by name expected, got \"x\""] = "x",
      ["Stock as JSON text or a table of it expected"] = { Stock = "{" },
      ["names of letters, digits, '_', '.' and '-' expected"] = { ["a/b"] = CATALOG },
    } do
      local ok, message = pcall(function() sandbox.start { catalogs = catalogs } end)
      assert.is_false(ok)
      assert.matches("^spec/sandbox/replay_spec.*bad option 'catalogs' for 'start': ", message)
      assert.matches(expected, message, 1, true)
    end
    server = assert(sandbox.start { catalogs = { Stock = CATALOG } })
    local ok, message = pcall(function() server:catalogURI("anonymous", "Stokc") end)
    assert.is_false(ok)
    assert.matches("^spec/sandbox/replay_spec.*unknown catalog 'Stokc': did you mean 'Stock'%?", message)
  end)
end)
