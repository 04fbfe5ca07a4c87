-- Sessions that are lost, and come back or not.
local t = ...

local list = t.list()
local HOME = { path = "/static/home.html" }

local function lost(options)
  return function()
    t.server:clearFaults()
    local mine = { reconnect = { delay = 0.01, maxAttempts = 3 }, keepCredentials = true }
    for name, value in pairs(options or {}) do mine[name] = value end
    local session = t.loggedIn("form", mine)
    for _, event in ipairs { "lost", "reconnecting", "reconnected", "reconnectFailed", "statusChanged" } do
      session:subscribe(event, function() end)
    end
    t.server:expireSessions "form"
    return session
  end
end

list:once("a lost session that comes back", lost(), function(s) return s:request(HOME) end,
  { "await", "spawn", "handlers" })
list:once("calls that wait for a session to come back", lost(), function(s)
  s:request(HOME)
  return s:request(HOME)
end)
list:once("a call that may not be repeated", lost(), function(s)
  return t.refused(s:request { path = "/static/home.html", method = "POST", body = "a" }, "http", "expired")
end)
list:once("a lost session that does not come back", function()
  local session = lost()()
  t.server:fault { kind = "status", status = 503, body = "", model = "form", path = "j_spring", count = 0 }
  return session
end, function(s)
  return t.refused(s:request(HOME), "offline", "expired",
    "http"):always(function() t.server:clearFaults() end)
end)
local slow = lost { reconnect = { delay = 5, maxAttempts = 3 } }
list:once("a lost session that is logged out meanwhile", slow, function(s)
  s:request(HOME)
  t.datasession.step()
  return s:logout()
end)
list:once("a lost session whose call has no more time", slow, function(s)
  t.server:fault { kind = "status", status = 503, body = "", model = "form", path = "j_spring", count = 1 }
  local promise = s:request { path = "/static/home.html", timeout = 0.05 }
  return t.refused(promise, "timeout", "offline", "expired"):always(function()
    t.server:clearFaults()
    s:disconnect()
  end)
end)
list:once("keepCredentials", function()
  return t.session("form", { keepCredentials = true, reconnect = true })
end, function(s) return s:login("lua", "secret") end)

return list
