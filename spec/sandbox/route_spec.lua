-- Routes of one's own and the function for every request, over real sockets.
local client = dofile "spec/sandbox/client.lua"
local datasession = require "datasession"
local handler = require "datasession.sandbox.handler"
local raised = dofile "spec/support/raised.lua"
local sandbox = require "datasession.sandbox"

local request, get, decode = client.request, client.get, client.decode

local server -- of the test at hand

local function start(options)
  server = assert(sandbox.start(options))
  return server
end

local function stop()
  if server then server:close() end
  server = nil
end

describe("server:route", function()
  before_each(function() start() end)
  after_each(stop)

  it("answers with the status, the headers and the body that the function returns", function()
    server:route("GET", "/stock", function()
      return 203, { ["X-Stock"] = "low", ["X-Count"] = 3 }, "three"
    end)
    local response = get(server, "/stock")
    assert.equal(203, response.status)
    assert.equal("low", response.headers["x-stock"])
    assert.equal("3", response.headers["x-count"])
    assert.equal("three", response.body)
    assert.is_nil(response.headers["content-type"])
  end)

  it("serves a session of the library while that blocks the program", function()
    server:route("POST", "/SportsAnonymous/rest/Echo", function(r) return 200, nil, { got = r.body } end)
    local session = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await())
    local response = assert(session:request({ uri = "rest/Echo", method = "POST", body = "ping" }):await(20))
    assert.equal("ping", response:json().got)
  end)

  it("gives the function all of the request, and copies, which it may change", function()
    server:route("PUT", "/a/(%d+)/(%w+)", function(r)
      local seen = { r.method, r.path, r.captures[1], r.captures[2], r.query.q, r.headers["x-one"], r.body,
        r.size, r.parameters.v, r.user, r.password, r.uri }
      r.headers["x-one"], r.query.q, r.captures[1] = "changed", "changed", "changed"
      return 200, nil, seen
    end)
    local seen = decode(request(server, "PUT", "/a/12;v=1/b?q=x%20y", {
      headers = { ["X-One"] = "1", Authorization = "Basic dXM6cHc=" }, body = "\0\255body",
    }))
    assert.same({ "PUT", "/a/12/b", "12", "b", "x y", "1", "\0\255body", 6, "1", "us", "pw",
      "/a/12;v=1/b?q=x%20y" }, seen)
    local logged = server:requests()[1]
    assert.equal("1", logged.headers["x-one"])
    assert.equal("x y", logged.query.q)
    assert.equal("PUT /a/(%d+)/(%w+)", logged.route)
    assert.equal(6, logged.size)
    assert.equal("integer", math.type(logged.size))
  end)

  it("sends a table as JSON, unless its headers name another type", function()
    server:route("GET", "/json", function() return 200, {}, { a = { 1, 2 } } end)
    server:route("GET", "/typed", function()
      return 200, { ["content-type"] = "application/x+json" }, { 1 }
    end)
    assert.same({ a = { 1, 2 } }, decode(get(server, "/json")))
    local response = get(server, "/typed")
    assert.equal("application/x+json", response.headers["content-type"])
    assert.equal("[1]", response.body)
  end)

  it("sends a header once for each value of a list", function()
    server:route("GET", "/cookies", function() return 200, { ["Set-Cookie"] = { "a=1", "b=2" } } end)
    local response = get(server, "/cookies")
    assert.same({ "a=1", "b=2" }, response.cookies)
    assert.equal("", response.body)
  end)

  it("takes a pattern for the whole path, and a path for itself", function()
    server:route("GET", "/my-path.json", function() return 200, nil, "text" end)
    server:route("GET", "^/x+$", function() return 200, nil, "pattern" end)
    assert.equal("text", get(server, "/my-path.json").body)
    assert.equal("pattern", get(server, "/xxx").body)
    for _, path in ipairs { "/my-path.json/more", "/in/my-path.json", "/xxy", "/a/x" } do
      assert.equal(404, get(server, path).status)
    end
  end)

  it("answers other methods elsewhere, but HEAD as GET, and with '*' all", function()
    server:route("get", "/one", function() return 200, nil, "one" end)
    server:route("*", "/all", function(r) return 200, nil, r.method end)
    assert.equal(404, request(server, "POST", "/one").status)
    assert.equal(200, request(server, "HEAD", "/one").status)
    assert.equal("PURGE", request(server, "PURGE", "/all").body)
    assert.equal("DELETE", request(server, "DELETE", "/all").body)
  end)

  it("uses the newest route that fits; the same method and pattern replaces, false removes", function()
    local function last(r) return 200, nil, "last " .. r.captures[1] end
    server:route("GET", "/(.*)", function() return 200, nil, "any" end)
    server:route("GET", "/a", function() return 200, nil, "a" end)
    assert.equal("a", get(server, "/a").body)
    assert.equal("any", get(server, "/b").body)
    server:route("GET", "/(.*)", last)
    assert.equal("last a", get(server, "/a").body)
    server:route("GET", "/(.*)", false)
    assert.equal("a", get(server, "/a").body)
    assert.equal(404, get(server, "/b").status)
    server:clearRoutes()
    assert.equal(404, get(server, "/a").status)
  end)

  it("stands in front of the applications, whose answer serve() gives", function()
    local path = "/SportsAnonymous/static/home.html"
    local home = get(server, path)
    server:route("GET", path, function(_, _, serve)
      local status, headers, body = serve()
      return status, { ["X-Was"] = headers["Content-Type"] }, body:upper()
    end)
    local response = get(server, path)
    assert.equal(home.headers["content-type"], response.headers["x-was"])
    assert.equal(home.body:upper(), response.body)
  end)

  it("lets the sandbox answer when the function returns nothing, which runs once", function()
    local uri = server.uris.form .. "/static/auth/j_spring_security_check"
    server:route("POST", ".*", function(_, _, serve) serve() end)
    local form = { headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      body = "j_username=lua&j_password=secret" }
    assert.equal(200, request(server, "POST", uri, form).status)
    assert.equal(1, server:sessionCount("form"))
  end)

  it("keeps a copy of the state from call to call", function()
    local state = { n = 40, list = { "a", { deep = true } }, ["odd key\0"] = 0.5 }
    server:route("GET", "/count", function(_, s)
      s.n = s.n + 1
      assert(s.list[2].deep and s["odd key\0"] == 0.5)
      return 200, nil, s.n
    end, state)
    assert.equal("41", get(server, "/count").body)
    assert.equal("42", get(server, "/count").body)
    server:restart()
    assert.equal("43", get(server, "/count").body)
    assert.equal(40, state.n)
  end)

  it("lets functions share globals and require modules, apart from the program's own", function()
    server:route("GET", "/set", function()
      shared = require "cjson".encode { 1 } -- luacheck: ignore
      return 200
    end)
    server:route("GET", "/get", function() return 200, nil, shared end) -- luacheck: ignore
    get(server, "/set")
    assert.equal("[1]", get(server, "/get").body)
    assert.is_nil(rawget(_G, "shared"))
  end)

  it("is under the faults: they keep requests from it, or cut what it answers", function()
    server:route("GET", "/r", function() return 200, nil, "0123456789" end)
    server:fault { kind = "status", status = 503, path = "^/r$" }
    server:fault { kind = "truncate", after = 4, path = "^/r$" }
    assert.equal(503, get(server, "/r").status)
    assert.is_nil(server:requests()[1].route)
    local cut = get(server, "/r")
    assert.equal("0123", cut.body)
    assert.is_true(cut.cut)
  end)

  it("answers 500 with the message and the line of an error, which the log has too", function()
    server:route("GET", "/error", function() error "no stock" end)
    server:route("GET", "/object", function()
      error(setmetatable({}, { __tostring = function() return "thing" end }))
    end)
    local response = get(server, "/error")
    assert.equal(500, response.status)
    assert.matches("^the route GET /error: spec/sandbox/route_spec%.lua:%d+: no stock\n", response.body)
    assert.is_nil(response.body:find("lua/datasession/sandbox/", 1, true))
    assert.equal(response.body, server:requests()[1].failure)
    assert.matches("^the route GET /object: thing", get(server, "/object").body)
  end)

  it("answers 500 for results that are no answer, saying which", function()
    for expected, f in pairs {
      ["bad status: integer from 200 to 599 expected, got string: return status, headers, body"] =
        function() return "200" end,
      ["bad status: integer from 200 to 599 expected, got 99"] = function() return 99 end,
      ["bad headers: table of values by name expected, got string"] = function() return 200, "body" end,
      ["bad header 'Content-Length': no Content-Length, which the server sets expected"] =
        function() return 200, { ["Content-Length"] = "3" } end,
      ["bad header 'X': values without line breaks, not empty expected"] =
        function() return 200, { X = "a\r\nb" } end,
      ["bad body: string or table expected, got boolean"] = function() return 200, nil, true end,
    } do
      server:route("GET", "/bad", f)
      local response = get(server, "/bad")
      assert.equal(500, response.status)
      assert.matches("the route GET /bad: " .. expected, response.body, 1, true)
    end
  end)

  it("raises for a function that cannot go there, saying what to do", function()
    local text = "local"
    local message = raised(function() server:route("GET", "/a", function() return 200, nil, text end) end)
    assert.matches("bad argument 'handler': it uses the local 'text' from outside", message, 1, true)
    assert.matches("give values in the argument 'state', and require modules inside the function", message, 1,
      true)
    assert.matches("function in Lua expected, got one in C", raised(function()
      server:route("GET", "/a", print)
    end), 1, true)
    assert.matches("bad argument 'handler': function expected, got nil", raised(function()
      server:route("GET", "/a")
    end), 1, true)
  end)

  it("raises for a state that cannot go there, naming the place", function()
    local function set(state) server:route("GET", "/a", function() return 200 end, state) end
    assert.matches('but state["a"][1] is a function', raised(function() set { a = { print } } end), 1, true)
    local loop = {}
    loop.again = loop
    assert.matches('but state["again"] contains itself', raised(function() set(loop) end), 1, true)
    assert.matches("bad argument 'state': table expected, got string", raised(function() set "x" end), 1,
      true)
  end)

  it("raises for a method and a pattern that cannot be, with the nearest name", function()
    local function set(method, pattern) server:route(method, pattern, function() return 200 end) end
    assert.matches("unknown method 'PSOT': did you mean 'POST'?", raised(function()
      set("PSOT", "/")
    end), 1, true)
    assert.matches("bad argument 'method': one of GET", raised(function() set(nil, "/") end), 1, true)
    assert.matches("bad argument 'method': one of GET", raised(function() set("A B", "/") end), 1, true)
    for _, pattern in ipairs { "stock", "", "^stock", "/(", "/%" } do
      assert.matches("bad argument 'pattern': Lua pattern", raised(function()
        set("GET", pattern)
      end), 1, true)
    end
    assert.matches("bad argument 'pattern'", raised(function() set("GET", 1) end), 1, true)
  end)
end)

describe("server:onRequest", function()
  before_each(function() start() end)
  after_each(stop)

  it("runs before routes and applications, and may answer in their place", function()
    server:route("GET", "/a", function() return 200, nil, "a" end)
    server:onRequest(function(r, s, serve)
      s.n = s.n + 1
      if r.headers["x-key"] ~= "k" then return 401, { ["WWW-Authenticate"] = "Key" } end
      local status, headers, body = serve()
      headers["X-Number"] = s.n
      return status, headers, body
    end, { n = 0 })
    assert.equal(401, get(server, "/a").status)
    local response = get(server, "/a", { ["X-Key"] = "k" })
    assert.equal("a", response.body)
    assert.equal("2", response.headers["x-number"])
    assert.equal(401, get(server, server.uris.anonymous .. "/static/home.html").status)
    server:onRequest(false)
    assert.equal(200, get(server, "/a").status)
  end)

  it("passes on what it does not answer, cookies and all", function()
    server:route("GET", "/two", function() return 200, { ["Set-Cookie"] = { "a", "b", "c" } }, "two" end)
    server:onRequest(function(_, _, serve) return serve() end)
    local response = get(server, "/two")
    assert.same({ "a", "b", "c" }, response.cookies)
    server:onRequest(function() end)
    assert.equal("two", get(server, "/two").body)
    server:onRequest(function() return 204 end)
    server:clearRoutes()
    assert.equal(404, get(server, "/two").status)
  end)

  it("answers 500 for an error, and raises for a function that cannot go there", function()
    server:onRequest(function() error "broken" end)
    assert.matches("^the function of onRequest: spec/.*: broken", get(server, "/").body)
    assert.matches("it uses the local 'server' from outside", raised(function()
      server:onRequest(function() return server end)
    end), 1, true)
  end)
end)

describe("a function in the sandbox", function()
  it("ends when it runs for more than 10 seconds", function()
    local now = 0
    local function clock()
      now = now + 6
      return now
    end
    local function new(name, f) return handler.new(name, string.dump(f), "return {}", clock) end
    local function result(f, serve)
      return handler.answer(f, { headers = {}, query = {}, parameters = {} }, {}, serve)
    end
    local short = new("the route", function() return 200 end)
    for name, f in pairs {
      ["the route"] = function() while true do end end,
      ["the hook"] = function(_, _, serve)
        serve()
        while true do end
      end,
    } do
      local answer, message = result(new(name, f), function() return result(short) end)
      assert.equal(500, answer.status)
      assert.matches("^" .. name .. ": spec/.*: it ran for more than 10 seconds", message)
      assert.is_nil((debug.gethook()))
    end
  end)
end)

describe("bodies of any size", function()
  after_each(stop)

  local function download(uri)
    local size, bad = 0, 0
    local session = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await())
    assert(session:request({ uri = uri, saveTo = function(chunk)
      size = size + #chunk
      if chunk:find "[^x]" then bad = bad + 1 end
    end }):await(60))
    return size, bad
  end

  it("are sent without being held", function()
    start()
    server:route("GET", "/SportsAnonymous/big", function(r) return 200, nil, r.bytes(50e6) end)
    local size, bad = download "big"
    assert.equal(50000000, size)
    assert.equal(0, bad)
  end)

  it("repeat a text to the byte, cut or whole", function()
    start()
    server:route("GET", "/abc", function(r) return 200, nil, r.bytes(200000, "abc") end)
    server:route("GET", "/few", function(r) return 200, nil, r.bytes(2, "abc") end)
    server:route("GET", "/none", function(r) return 200, nil, r.bytes(0) end)
    server:route("GET", "/long", function(r, state) return 200, nil, r.bytes(250000, state.text) end, {
      text = ("x"):rep(99999) .. "yz",
    })
    assert.equal((("x"):rep(99999) .. "yz"):rep(3):sub(1, 250000), get(server, "/long").body)
    local expected = ("abc"):rep(66667):sub(1, 200000)
    assert.equal(expected, get(server, "/abc").body)
    assert.equal("ab", get(server, "/few").body)
    assert.equal("", get(server, "/none").body)
    server:onRequest(function(_, _, serve) return serve() end)
    server:fault { kind = "truncate", after = 100001 }
    local cut = get(server, "/abc")
    assert.equal(expected:sub(1, 100001), cut.body)
    assert.is_true(cut.cut)
  end)

  it("are refused by name when no size is given", function()
    start()
    server:route("GET", "/bad", function(r) return 200, nil, r.bytes(-1) end)
    local body = get(server, "/bad").body
    assert.matches("bad argument 'size' for 'request.bytes': integer from 0 to", body, 1, true)
  end)

  it("are counted and dropped above bodyLimit, below which they are kept", function()
    start { bodyLimit = 10 }
    server:route("POST", "/up", function(r)
      return 200, nil, { size = r.size, body = r.body, over = r.tooBig or false }
    end)
    assert.same({ size = 10, body = "0123456789", over = false },
      decode(request(server, "POST", "/up", { body = "0123456789" })))
    assert.same({ size = 1000000, body = "", over = true },
      decode(request(server, "POST", "/up", { body = ("x"):rep(1000000) })))
    assert.equal(413, request(server, "POST", server.uris.anonymous .. "/static/home.html",
      { body = "0123456789a" }).status)
    assert.equal(1000000, server:requests()[2].size)
  end)
end)
