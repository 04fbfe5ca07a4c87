-- The sandbox's PROIV connection servlet, over real sockets.
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local decode = client.decode

local DETAILS = "SessionType=TELNET_SESSION&Hostname=vm.example&Port=9023&Username=lua&Password=secret"

local server

local function get(query)
  return client.get(server, server.uris.proiv .. query)
end

local function post(body, cookie)
  return client.request(server, "POST", server.uris.proiv,
    { headers = { ["Content-Type"] = "application/x-www-form-urlencoded", Cookie = cookie }, body = body })
end

-- The cookie of a response, or of a new session.
local function cookieOf(response)
  response = response or get("?SESSION_NAME=Default")
  return response.cookies[1]:match("^([^;]+)")
end

local function act(action, cookie, key)
  return post(("ACTION=%s&SESSION_KEY=%s"):format(action, key or "pv-1"), cookie)
end

local function assertState(state, response, status)
  assert.equal(status or 200, response.status)
  assert.same({ state = state }, decode(response))
end

local function assertGone(response, status)
  assert.equal(status or 404, response.status)
  assert.is_nil(decode(response).state)
end

before_each(function() server = assert(sandbox.start()) end)
after_each(function() server:close() end)

describe("the connection servlet", function()
  it("is at its place and has no catalog", function()
    assert.equal(server.origin .. "/connect", server.uris.proiv)
    assert.is_nil(server.catalogURIs.proiv)
  end)

  it("opens a session of a service", function()
    for _, service in ipairs { "Default", "Orders" } do
      local response = get("?SESSION_NAME=" .. service)
      assert.equal(200, response.status)
      assert.equal('{"state":"running"}', response.body)
      assert.equal(1, #response.cookies)
      assert.matches("^JSESSIONID=node0%x+; Path=/$", response.cookies[1])
      assertState("running", act("POLL", cookieOf(response)))
    end
    assert.equal(2, server:sessionCount("proiv"))
    assert.equal(0, server:sessionCount("btt"))
  end)

  it("has no service that is disabled or unknown", function()
    for _, query in ipairs { "?SESSION_NAME=Disabled", "?SESSION_NAME=orders", "?SESSION_NAME=" } do
      local response = get(query)
      assert.equal(404, response.status)
      assert.same({}, response.cookies)
    end
    assert.equal(400, get("").status)
    assert.equal(0, server:sessionCount("proiv"))
  end)

  it("opens a session with the details of the connection", function()
    for _, body in ipairs {
      DETAILS, DETAILS .. "&Command=.%2Frunproiv.sh&ResourceURL=%2Fimages",
      (DETAILS:gsub("TELNET_SESSION", "TELNET_LOGIN_SESSION"):gsub("9023", "22")),
    } do
      local response = post(body)
      assert.equal('{"state":"running"}', response.body)
      assertState("running", act("POLL", cookieOf(response)))
    end
    assertState("running", get("?" .. DETAILS .. "&CSS_UNIT=px&DO_POLL=true")) -- as the vendor shows it
    assert.equal(4, server:sessionCount("proiv"))
  end)

  it("refuses wrong credentials and details that cannot be", function()
    for body, status in pairs {
      [DETAILS:gsub("secret", "wrong")] = 401, [DETAILS:gsub("=lua", "=nobody")] = 401,
      [DETAILS:gsub("&Password=secret", "")] = 400, [DETAILS:gsub("vm.example", "")] = 400,
      [DETAILS:gsub("TELNET_", "SSH_")] = 400, [DETAILS:gsub("9023", "0")] = 400,
      [DETAILS:gsub("9023", "90230")] = 400, [DETAILS:gsub("9023", "telnet")] = 400, [""] = 400,
    } do
      local response = post(body)
      assert.equal(status, response.status, body)
      assert.same({}, response.cookies)
    end
    assert.equal(0, server:sessionCount("proiv"))
  end)

  it("knows the users of the options", function()
    local other <close> = assert(sandbox.start { users = { ada = "p&q" } })
    local response = client.request(other, "POST", other.uris.proiv,
      { body = DETAILS:gsub("=lua", "=ada"):gsub("secret", "p%%26q") })
    assert.equal(200, response.status)
  end)

  it("refuses what it does not know", function()
    local cookie = cookieOf()
    assert.equal(400, act("PLAY", cookie).status)
    assert.equal(400, post("ACTION=POLL", cookie).status)
    assert.equal(405, client.request(server, "DELETE", server.uris.proiv).status)
    assert.equal(404, get("/more?SESSION_NAME=Default").status)
    assert.equal(400, client.get(server, server.uris.proiv .. "?ACTION=END&SESSION_KEY=x",
      { Cookie = cookie }).status)
    assertState("running", act("POLL", cookie))
  end)
end)

describe("a PROIV session", function()
  it("is known by its cookie, and the sessions are independent", function()
    local left, right = cookieOf(), cookieOf()
    assert.not_equal(left, right)
    assert.equal(2, server:sessionCount("proiv"))
    assertState("stopping", act("STOP", left))
    assertState("running", act("POLL", right))
    assertState("ended", act("POLL", left))
    assertState("running", act("POLL", right, "any key"))
    assert.equal(1, server:sessionCount("proiv"))
    assertGone(act("POLL", nil))
    assertGone(act("POLL", "JSESSIONID=node0abc"))
  end)

  it("is known by the server's key too, on demand", function()
    server:setProiv { sessionKey = true }
    local response = get("?SESSION_NAME=Orders")
    local key, cookie = decode(response).sessionKey, cookieOf(response)
    assert.equal(('{"state":"running","sessionKey":"%s"}'):format(key), response.body)
    assertState("running", act("POLL", cookie, key))
    assertGone(act("POLL", cookie, "pv-1"))
    assertGone(act("END", cookie, "pv-1"))
    assert.equal(204, act("END", cookie, key).status)
  end)

  it("ends politely at the poll that is set", function()
    server:setProiv { polls = 3 }
    local cookie = cookieOf()
    assertState("running", act("POLL", cookie))
    assertState("stopping", act("STOP", cookie))
    assertState("stopping", act("POLL", cookie))
    assertState("stopping", act("POLL", cookie))
    assertState("ended", act("POLL", cookie))
    assertGone(act("POLL", cookie))
    assert.equal(0, server:sessionCount("proiv"))
    server:setProiv { polls = 0 }
    assertState("ended", act("STOP", cookieOf()))
    assert.equal(0, server:sessionCount("proiv"))
  end)

  it("may refuse to stop, and runs on", function()
    server:setProiv { stop = "refuse" }
    local cookie = cookieOf()
    assertState("refused", act("STOP", cookie), 409)
    assertState("running", act("POLL", cookie))
    server:setProiv { stop = "end" }
    assertState("stopping", act("STOP", cookie))
    assertState("ended", act("POLL", cookie))
  end)

  it("may refuse after a while, and runs on", function()
    server:setProiv { stop = "refuseLater", polls = 2 }
    local cookie = cookieOf()
    for _ = 1, 2 do
      assertState("stopping", act("STOP", cookie))
      assertState("stopping", act("POLL", cookie))
      assertState("refused", act("POLL", cookie))
      assertState("running", act("POLL", cookie))
    end
  end)

  it("may never end, until that is changed", function()
    server:setProiv { stop = "hang" }
    local cookie = cookieOf()
    assertState("stopping", act("STOP", cookie))
    for _ = 1, 5 do assertState("stopping", act("POLL", cookie)) end
    server:setProiv { stop = "end" }
    assertState("ended", act("POLL", cookie))
  end)

  it("ends at once by END, also while it is asked to stop", function()
    for _, stop in ipairs { "end", "hang" } do
      server:setProiv { stop = stop }
      local cookie = cookieOf()
      if stop == "hang" then act("STOP", cookie) end
      local response = act("END", cookie)
      assert.equal(204, response.status)
      assert.equal("", response.body)
      assertGone(act("POLL", cookie))
      assertGone(act("END", cookie))
    end
    assert.equal(0, server:sessionCount("proiv"))
  end)

  it("ends when its program has finished", function()
    local cookie = cookieOf()
    server:setProiv { finished = true }
    assertState("ended", act("POLL", cookie))
    assertGone(act("POLL", cookie))
    server:setProiv { finished = false }
    assertState("running", act("POLL", cookieOf()))
  end)
end)

describe("a lost PROIV session", function()
  it("is told as is set", function()
    local cookie = cookieOf()
    server:expireSessions("proiv")
    assert.equal(0, server:sessionCount("proiv"))
    for _, action in ipairs { "POLL", "STOP", "END" } do assertGone(act(action, cookie)) end
    for _, status in ipairs { 410, 401, 403, 404 } do
      server:setProiv { lossAs = status }
      assertGone(act("POLL", cookie), status)
    end
    server:setProiv { lossAs = "lost" }
    assertState("lost", act("POLL", cookie))
  end)

  it("may have been idle for too long", function()
    local cookie, other = cookieOf(), cookieOf()
    server:advanceClock(1199)
    assertState("running", act("POLL", cookie))
    server:advanceClock(2)
    assertState("running", act("POLL", cookie))
    assertGone(act("POLL", other))
    assert.equal(1, server:sessionCount("proiv"))
    local short <close> = assert(sandbox.start { idleTimeout = 5 })
    client.get(short, short.uris.proiv .. "?SESSION_NAME=Default")
    short:advanceClock(6)
    assert.equal(0, short:sessionCount("proiv"))
  end)

  it("is another matter than an application or a machine that is down", function()
    local cookie = cookieOf()
    server:setAppServer(false, "proiv")
    assert.equal(503, act("POLL", cookie).status)
    assert.equal(503, get("?SESSION_NAME=Default").status)
    server:setAppServer(true, "proiv")
    server:setApplication("proiv", false)
    local response = act("POLL", cookie)
    assert.equal(404, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    server:setApplication("proiv", true)
    server:fault { kind = "status", status = 500, model = "proiv" }
    assert.equal(500, act("POLL", cookie).status)
    assertState("running", act("POLL", cookie))
  end)
end)

describe("server:setProiv", function()
  it("raises for settings that cannot be", function()
    for name, value in pairs { stop = "never", polls = 1.5, sessionKey = "k", finished = 1, lossAs = 500 } do
      local ok, message = pcall(function() server:setProiv { [name] = value } end)
      assert.is_false(ok)
      assert.matches("^spec/.*bad option '" .. name .. "' for 'setProiv'", message)
    end
    assert.error_matches(function() server:setProiv { state = "ended" } end,
      "unknown option 'state' for 'setProiv'")
  end)

  it("leaves requests in the log as they came", function()
    local cookie = cookieOf()
    act("STOP", cookie, "pv-2")
    local request = server:requests()[2]
    assert.equal("ACTION=STOP&SESSION_KEY=pv-2", request.body)
    assert.equal(cookie, request.headers.cookie)
    assert.equal("proiv", request.model)
  end)
end)
