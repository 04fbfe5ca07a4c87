-- response.timings: every request of a call, and when its parts took place.
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local PHASES = { "queued", "resolve", "connect", "tls", "wait", "receive" }

-- "POST /path 302" for each hop.
local function shape(timings)
  local lines = {}
  for i, hop in ipairs(timings) do
    lines[i] = ("%s %s %s"):format(hop.method, hop.uri:match "^%w+://[^/]*(.*)", hop.status or "none")
  end
  return lines
end

local function addsUp(hop)
  local sum = 0
  for _, name in ipairs(PHASES) do sum = sum + hop[name] end
  return math.abs(sum - hop.total) < 1e-6
end

describe("response.timings", function()
  local server

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)
  before_each(function() sessions.refresh(server) end)
  after_each(sessions.endAll)

  it("has a hop for each request and redirect of a call, in their order", function()
    server:route("GET", "/SportsForm/first", function() return 302, { Location = "second?token=hush" } end)
    server:route("GET", "/SportsForm/second", function() return 307, { Location = "third" } end)
    server:route("GET", "/SportsForm/third", function() return 200, {}, "end" end)
    local session = sessions.new(server, "form")
    local _, _, info = assert(session:login("lua", "secret"):await(LIMIT))
    assert.same({ "POST /SportsForm/static/auth/j_spring_security_check 200",
      "GET /SportsForm/static/home.html 200" }, shape(info.xhr.timings))
    local response = assert(session:request({ path = "first" }):await(LIMIT))
    assert.same({ "GET /SportsForm/first 302", "GET /SportsForm/second 307", "GET /SportsForm/third 200" },
      shape(response.timings))
    local before = 0
    for _, hop in ipairs(response.timings) do
      assert.is_true(addsUp(hop) and hop.start >= before and hop.reused and hop.tries == 1)
      before = hop.start + hop.total
    end
    assert.equal(3, response.timings[3].received)
  end)

  it("tells a new connection from one that was open, and the size of bodies", function()
    local other <close> = assert(sandbox.start())
    local session = sessions.new(other)
    local _, _, info = assert(session:login():await(LIMIT))
    local first = info.xhr.timings[1]
    assert.is_true(not first.reused and first.connect > 0 and first.sent == 0)
    local response = assert(session:request({ path = "rest/_oepingService/_oeping" }):await(LIMIT))
    local hop = response.timings[1]
    assert.is_true(hop.reused and hop.resolve == 0 and hop.connect == 0)
    assert.equal(#response.body, hop.received)
    local err = await.rejected(session:request { path = "x", method = "POST", body = "12345" })
    assert.equal(5, err.info.xhr.timings[1].sent)
  end)

  it("has the time so far for a response whose body still flows", function()
    server:route("GET", "/Sports/large", function() return 200, {}, ("x"):rep(3e5) end)
    local session = sessions.new(server)
    local response = assert(session:request({ uri = server.origin .. "/Sports/large", stream = true })
      :await(LIMIT))
    local hop = response.timings[1]
    assert.is_true(hop.wait > 0 and addsUp(hop) and response.timing.total > 0)
    for _ in response:chunks() do end
  end)

  it("is drawn by tostring as a waterfall, the same in every locale", function()
    local hops = { { start = 0, queued = 0.001, resolve = 0.001, connect = 0.002, tls = 0.004, wait = 0.01,
      receive = 0.002, total = 0.02, method = "GET", uri = "https://host/a", status = 302, reused = false },
      { start = 0.02, queued = 0, resolve = 0, connect = 0, tls = 0, wait = 0.015, receive = 0.005,
        total = 0.02, method = "GET", uri = "https://host/b", status = 200, reused = true },
      { start = 0.04, queued = 0, resolve = 0, connect = 0, tls = 0, wait = 0, receive = 0, total = 0,
        method = "PUT", uri = "https://host/c", reused = true } }
    assert.equal([[
     20.0 ms |.rcctttt----------##                    | 302 GET https://host/a (new connection)
     20.0 ms |                    ---------------#####| 200 GET https://host/b
      0.0 ms |                                       -| --- PUT https://host/c
     40.0 ms  . queued  r resolve  c connect  t tls  - wait  # receive]],
      require("datasession.internal.timings").waterfall(hops))
    local session = sessions.loggedIn(server, "form")
    local _, _, info = assert(session:ping():await(LIMIT))
    assert.matches("^ +[%d.]+ ms |[-#. ]+| 200 GET http://[^\n]*/_oeping\n", tostring(info.xhr.timings))
  end)
end)
