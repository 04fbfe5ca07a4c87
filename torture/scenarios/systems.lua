-- The other session systems, protocols in Lua, sessions that come back, and what ends them from outside.
local proiv = require "datasession.proiv"

local scenarios = {}

local function add(scenario) scenarios[#scenarios + 1] = scenario end

-- Of an operation that is done once with each session: `make` gives one, `call` returns its promise.
local function once(name, make, call, ways)
  add {
    name = name,
    ways = ways or { "await" },
    prepare = function(t) return { session = make(t) } end,
    call = function(t, c) return call(c.session, t) end,
    again = function(t) assert(call(make(t), t):await(t.LIMIT)) end,
  }
end

local function act(name, make, work)
  add {
    name = name,
    prepare = function(t) return { session = make(t) } end,
    act = function(t, c) work(c.session, t) end,
    again = function(t) work(make(t), t) end,
  }
end

local function loggedIn(options)
  return function(t)
    local mine = { timeout = t.TIMEOUT }
    for name, value in pairs(options) do mine[name] = value end
    mine.serviceURI = mine.serviceURI or t.uris[mine.protocol]
    local session = t.datasession.new(mine)
    assert(session:login():await(t.LIMIT))
    return session
  end
end

-- ---- DataSnap

local datasnap = loggedIn { protocol = "datasnap" }

local function new(options)
  return function(t)
    return t.datasession.new { protocol = options.protocol, serviceURI = t.uris[options.protocol], timeout = t.TIMEOUT }
  end
end

once("datasnap: login", new { protocol = "datasnap" }, function(s) return s:login("lua", "secret") end)
once("datasnap: invoke", datasnap, function(s)
  local filters = { json = "true" }
  return s:invoke("TEcho", "Echo", { "a", { b = { 1, 2 } }, false, 1.5 }, { verb = "POST", filters = filters })
end, { "await", "spawn", "handlers" })
once("datasnap: ping", datasnap, function(s) return s:ping() end)
once("datasnap: closeSession", datasnap, function(s) return s:closeSession() end)
once("datasnap: batch", datasnap, function(s)
  return s:batch { { class = "TStock", method = "Level", params = { "A/7", 3 } } }
end)
once("datasnap: cache", datasnap, function(s) return s:cache() end)
once("datasnap: proxy", datasnap, function(s)
  return require("datasession.datasnap").proxy(s, "TStock"):Level("A/7", 3)
end)
act("datasnap: addresses", datasnap, function(s)
  assert(s:getMethodURL("TStock", "Level", { "A/7", 3 }))
  assert(s:getCacheURL("1/0") and s:getURLPrefix() and s:getSessionID() and s.sessionId)
end)

-- ---- BTT

for _, format in ipairs { "form", "json", "xml" } do
  local btt = loggedIn { protocol = "btt", format = format, reconnect = false, closeOperation = "LogOff" }
  once("btt: establishSession, " .. format, function(t)
    return t.datasession.new { protocol = "btt", serviceURI = t.uris.btt, format = format, timeout = t.TIMEOUT }
  end, function(s) return s:establishSession() end)
  once("btt: invoke, " .. format, btt, function(s) return s:invoke("Echo", { a = "1", b = "<&>" }) end)
  once("btt: closeSession, " .. format, btt, function(s) return s:closeSession() end)
end

local bttSession = loggedIn { protocol = "btt", reconnect = false }
once("btt: request", bttSession, function(s)
  return s:request { path = "/CSReqServlet", method = "POST", body = "dse_operationName=Echo",
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
end)
act("btt: cookies", bttSession, function(s)
  s:addCookie("teller", "7")
  assert(#s:cookies() > 0 or next(s:cookies()))
  assert(s:getSessionStatus() == "established")
  s:clearCookies()
end)

-- ---- PROIV

local function connected(t)
  return loggedIn {
    protocol = "proiv", serviceURI = t.uris.proiv:gsub("/connect$", ""), connectionData = { service = "Orders" },
    sessionNodeID = "left",
  }(t)
end

once("proiv: login", function(t)
  return t.datasession.new { protocol = "proiv", serviceURI = t.uris.proiv:gsub("/connect$", ""), timeout = t.TIMEOUT }
end, function(s) return s:login() end)
once("proiv: ping", connected, function(s) return s:ping() end)
once("proiv: stop", connected, function(s) return s:stop(5) end)
act("proiv: what it connects with", connected, function(s)
  assert(s:connectionData().service == "Orders" and s:sessionNodeID() == "left")
end)
once("proiv: a transport's own request", connected, function(s)
  return s:transportRequest { path = "/connect", method = "POST", body = "ACTION=POLL&SESSION_KEY=" .. s.key,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
end)

local function manager(t)
  return proiv.manager { baseURI = t.uris.proiv:gsub("/connect$", ""), timeout = t.TIMEOUT }
end

add {
  name = "proiv: a manager",
  act = function(t)
    local m <close> = manager(t)
    local heard = 0
    local handle = m.hub:subscribe("proiv.session.*", function() heard = heard + 1 end)
    local key = assert(m:start { sessionNodeID = "a" })
    assert(m:startAsync({ sessionNodeID = "b" }):await(t.LIMIT))
    assert(m:setActive(key) and m:getActive() == key and #m:keys() == 2)
    m.hub:publish("proiv.session.x", {})
    m.hub:unsubscribe(handle)
    local stopped
    m:stop(key, 5, function() stopped = true end, error)
    t.settle()
    assert(stopped and heard > 0)
    m:finish()
  end,
  again = function(t)
    local m <close> = manager(t)
    assert(m:start { sessionNodeID = "a" })
  end,
}

-- ---- protocols in Lua

local function define(t)
  t.datasession.protocol("torture", {
    login = function(link, user)
      link.expiresAt = os.time() + 3600
      return user == "lua" and link:request { path = "static/home.html" }:await()
    end,
    ping = function(link) return link:request { path = "static/home.html" }:await() end,
    sign = function() return { ["X-Own"] = "1" } end,
    judge = function(_, response) return response.status == 200 and "alive" or nil end,
    invoke = function(_, ...) return ... end,
    stop = function() return true end,
    logout = function() return true end,
  })
end

local function own(t)
  define(t)
  return t.datasession.new { protocol = "torture", serviceURI = t.uris.anonymous, timeout = t.TIMEOUT }
end

local function ownLoggedIn(t)
  local session = own(t)
  assert(session:login("lua", "secret"):await(t.LIMIT))
  return session
end

add { name = "a protocol in Lua: defined", act = define }
once("a protocol in Lua: login", own, function(s) return s:login("lua", "secret") end, { "await", "spawn", "handlers" })
once("a protocol in Lua: ping", ownLoggedIn, function(s) return s:ping() end)
once("a protocol in Lua: invoke", ownLoggedIn, function(s) return s:invoke(1, "a") end)
once("a protocol in Lua: request", ownLoggedIn, function(s) return s:request { path = "static/home.html" } end)
once("a protocol in Lua: stop", ownLoggedIn, function(s) return s:stop(5) end)
once("a protocol in Lua: logout", ownLoggedIn, function(s) return s:logout() end)

-- ---- sessions that come back

local function repaired(options)
  return function(t)
    local mine = { reconnect = { delay = 0.01, maxAttempts = 3 }, keepCredentials = true }
    for name, value in pairs(options or {}) do mine[name] = value end
    return t.loggedIn("form", mine)
  end
end

once("a lost session that comes back", function(t)
  local session = repaired()(t)
  t.server:expireSessions "form"
  return session
end, function(s) return s:request { path = "/static/home.html" } end, { "await", "spawn", "handlers" })

once("calls that wait for a session to come back", function(t)
  local session = repaired()(t)
  t.server:expireSessions "form"
  return session
end, function(s)
  s:request { path = "/static/home.html" }
  return s:request { path = "/static/home.html" }
end)

-- ---- keys, the active session, ends, the log, limits

local function form(t) return t.loggedIn "form" end

act("the active session", form, function(s, t)
  local d = t.datasession
  assert(d.setActiveSession(s) == s and d.setActiveSession(s.key) == s and d.activeSession() == s)
end)
once("stopSession", form, function(s, t)
  local ended
  return t.datasession.stopSession(s.key, 5, function(key) ended = key end):next(function() return ended or s end)
end)
act("endSession", form, function(s, t)
  assert(t.datasession.endSession(s))
  t.settle()
end)
add {
  name = "the log",
  prepare = function(t) return { session = t.session "anonymous" } end,
  act = function(t, c)
    t.datasession.setLogger(function() end)
    c.session:login():await(t.LIMIT)
  end,
  again = function(t) t.datasession.setLogger(nil) end,
}
add { name = "setLimits", act = function(t) t.datasession.setLimits { hostConnections = 64 } end }

return scenarios
