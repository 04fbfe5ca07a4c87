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
local function retrying(model)
  return function()
    t.server:clearFaults()
    local session = t.session(model, { retry = { delay = 0.001, totalTimeout = 20, kinds = { "connect" } } })
    session:subscribe("retry", function(_, _, _, err) return err.attempts end)
    t.server:fault { kind = "status", status = 503, body = "", model = model, path = "home.html" }
    return session
  end
end

list:once("a login that is tried again", retrying "form", function(s)
  return s:login("lua", "secret"):always(function() t.server:clearFaults() end)
end, { "await", "spawn", "handlers" })
list:once("calls that are tried again", function()
  local session = retrying "basic"()
  assert(session:login("lua", "secret"):await(t.LIMIT))
  for _, path in ipairs { "static/CustomerService", "home.html" } do
    t.server:fault { kind = "status", status = 503, body = "", model = "basic", path = path,
      headers = { ["Retry-After"] = "0" } }
  end
  assert(#session.retry.statuses == 4)
  return session
end, function(s)
  return s:addCatalog(t.catalogURIs.basic):next(function()
    return s:request { path = "/static/home.html", retry = { maxAttempts = 4, delay = 0 } }
  end):always(function() t.server:clearFaults() end)
end, { "await", "spawn" })
list:once("a call that is not tried again", function()
  local session = retrying "basic"()
  assert(session:login("lua", "secret"):await(t.LIMIT))
  t.server:fault { kind = "status", status = 503, body = "", model = "basic", count = 0,
    headers = { ["Retry-After"] = "100" } }
  return session
end, function(s)
  return t.refused(s:request(HOME), "http"):always(function() t.server:clearFaults() end)
end)
list:once("keepCredentials", function()
  return t.session("form", { keepCredentials = true, reconnect = true })
end, function(s) return s:login("lua", "secret") end)

return list
