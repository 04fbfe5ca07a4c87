-- PROIV: sessions, their end by consent or without, transports, the manager and its hub.
local proiv = require "datasession.proiv"
local t = ...

local list = t.list()

local function origin() return (t.uris.proiv:gsub("/connect$", "")) end

local function making(options, fresh)
  return function()
    local all = { protocol = "proiv", serviceURI = origin(), sessionNodeID = "left", pollInterval = 0.01 }
    for name, value in pairs(options or {}) do all[name] = value end
    t.server:setProiv { stop = "end", polls = 1, sessionKey = false, finished = false, lossAs = 404 }
    return t.making(all, fresh)()
  end
end

local service = { connectionData = { service = "Orders" } }
local connected = making(service)

list:once("proiv: login", making({}, true), function(s) return s:login() end)
for _, way in ipairs { "post", "get" } do
  list:once("proiv: login with details, " .. way, making({
    explicitByGet = way == "get",
    connectionData = {
      sessionType = "TELNET_SESSION", hostname = "host.example", port = 23, username = "lua",
      password = "secret",
      command = "c", resourceURL = "r",
    },
  }, true), function(s) return s:login() end)
end
list:once("proiv: a key from the server", function()
  local s = making(service, true)()
  t.server:setProiv { sessionKey = true }
  return s
end, function(s)
  return s:login():next(function() return s:ping() end)
end)
list:once("proiv: ping", connected, function(s) return s:ping() end)
list:once("proiv: isAuthorized", connected, function(s) return s:isAuthorized() end)
list:once("proiv: logout", connected, function(s) return s:logout() end)
list:once("proiv: stop", connected, function(s) return s:stop(5) end)
for _, answer in ipairs { "refuse", "refuseLater" } do
  list:once("proiv: stop, " .. answer, function()
    local s = connected()
    t.server:setProiv { stop = answer }
    return s
  end, function(s) return t.refused(s:stop(5), "refused") end)
end
list:once("proiv: stop without end", function()
  local s = connected()
  t.server:setProiv { stop = "hang" }
  return s
end, function(s) return t.refused(s:stop(0.02), "timeout") end)
list:once("proiv: a program that has ended", function()
  local s = connected()
  s:subscribe("lost", function() end)
  t.server:setProiv { finished = true }
  return s
end, function(s) return t.refused(s:ping(), "expired") end)
list:act("proiv: what it connects with", connected, function(s)
  assert(s:connectionData().service == "Orders" and s:sessionNodeID() == "left")
end)
list:once("proiv: a transport's own request", connected, function(s)
  return s:transportRequest { path = "/connect", method = "POST", body = "ACTION=POLL&SESSION_KEY=" .. s.key,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
end)

-- ---- functions in place of the messages

local function sending(action)
  return function(session)
    local response, err = session:transportRequest {
      path = "/connect", method = "POST", body = "ACTION=" .. action .. "&SESSION_KEY=" .. session.key,
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    }:await()
    if not response then return nil, err end
    return response.status == 204 or response:json().state
  end
end

local transport = {
  connect = function(session)
    local response, err = session:transportRequest { path = "/connect?SESSION_NAME=Orders" }:await()
    return response and true, response and "key" or err
  end,
  requestStop = sending "STOP", poll = sending "POLL", endNow = sending "END",
  classify = function(status) return status == 418 and "lost" or nil end,
}
local own = { transport = transport }
list:once("proiv: a transport's connect", making(own, true), function(s) return s:login() end,
  { "await", "spawn" })
list:once("proiv: a transport's poll", making(own), function(s) return s:ping() end)
list:once("proiv: a transport's stop", making(own), function(s) return s:stop(5) end)
list:once("proiv: a transport's end", making(own), function(s) return s:logout() end)

-- ---- the manager

local function manager() return proiv.manager { baseURI = origin(), timeout = t.TIMEOUT,
  pollInterval = 0.01 } end

list:add {
  name = "proiv: a manager",
  act = function()
    local m <close> = manager()
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
  again = function()
    local m <close> = manager()
    assert(m:start { sessionNodeID = "a" })
  end,
}

return list
