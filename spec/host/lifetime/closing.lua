-- Pending work at lua_close. Returns a list of { name, function(uris) }; lua_close must release all that a
-- function leaves.
local datasession = require "datasession"
local serve = ... -- runs Lua text with `server`, the sandbox

local LIMIT = 20 -- seconds
local HOME = { path = "/static/home.html" }

local function loggedIn(uris, model, options)
  options = options or {}
  options.serviceURI, options.authenticationModel = uris[model], model
  local session = datasession.new(options)
  assert(session:login("lua", "secret"):await(LIMIT))
  return session
end

local function slow(model)
  serve(("server:fault { kind = 'slow', delay = 0.2, model = %q, count = 0 }"):format(model))
end

-- Waits until the sandbox has received that many requests.
local function reached(n)
  for _ = 1, 5 do datasession.step(0.005) end
  serve(("assert(server:awaitRequests(%d))"):format(n))
end

local function suspended(name)
  local waits = function(link) return link:request(HOME):await() end
  datasession.defineProtocol("suspended", {
    login = name == "login" and waits or function() return true end,
    stop = name == "stop" and waits or nil,
    logout = waits, ping = waits, invoke = waits,
    reconnect = name == "reconnect" and waits or nil,
    check = function() return nil, { kind = "connect" } end,
  })
end

local cases = {}

cases["transfers in flight"] = function(uris)
  local sessions = {}
  for i = 1, 5 do sessions[i] = loggedIn(uris, "form") end
  slow "form"
  for _, session in ipairs(sessions) do
    session:request(HOME):next(function() return session:ping() end):done(print)
    session:isAuthorized():always(function() session:ping() end)
    session:addCatalog "static/CustomerService.json"
  end
  datasession.step(0.01)
end

cases["a login and a logout in flight"] = function(uris)
  local session = loggedIn(uris, "form")
  slow "form"
  session:logout()
  datasession.new { serviceURI = uris.form, authenticationModel = "form" }:login("lua", "secret")
  datasession.getSession {
    serviceURI = uris.form, authenticationModel = "form", username = "lua", password = "secret",
    catalogURI = "x",
  }
  datasession.step(0.01)
end

cases["timers armed"] = function(uris)
  loggedIn(uris, "basic", { pingInterval = 1000 })
  local session = loggedIn(uris, "basic", { pingInterval = 1 })
  slow "anonymous"
  local never = datasession.new { serviceURI = uris.anonymous, stallTimeout = 100 }:login()
  for i = 1, 5 do datasession.spawn(function() never:await(100 + i) end) end
  datasession.step(0.01)
  assert(session.connected)
end

cases["a re-establishment that waits, with calls parked"] = function(uris)
  local session = loggedIn(uris, "basic",
    { reconnect = { maxAttempts = 5, delay = 100 }, keepCredentials = true })
  serve "server:setApplication('basic', false)"
  session:ping()
  local attempts = 0
  session:subscribe("reconnecting", function() attempts = attempts + 1 end)
  for _ = 1, 500 do
    datasession.step(0.01)
    if attempts == 2 then break end
  end
  assert(session.state == "reconnecting" and attempts == 2)
  for _ = 1, 3 do session:request(HOME):done(print) end
  datasession.spawn(function() session:request(HOME):await() end)
  datasession.step()
end

cases["coroutines that wait, and wait again when they are closed"] = function(uris)
  local session = loggedIn(uris, "form")
  slow "form"
  for i = 1, 4 do
    datasession.spawn(function()
      local guard <close> = setmetatable({}, { __close = function()
        if i == 1 then session:ping() end
        if i == 2 then session:request(HOME):await() end
        if i == 3 then datasession.spawn(function() session:ping():await() end) end
        if i == 4 then error "on purpose" end
      end })
      local own <close> = datasession.new { serviceURI = uris.form }
      return guard, own:login():await()
    end)
  end
  datasession.step(0.01)
end

for _, name in ipairs { "login", "stop", "ping", "invoke", "reconnect" } do
  cases["a protocol's function suspended: " .. name] = function(uris)
    suspended(name)
    local session = datasession.new { serviceURI = uris.anonymous, protocol = "suspended",
      reconnect = { delay = 100 } }
    slow "anonymous"
    if name ~= "login" then assert(session:login():await(LIMIT)) end
    serve "server:clearRequests()"
    if name == "reconnect" then
      session:isAuthorized()
    else
      session[name](session)
    end
    reached(1)
  end
end

cases["stops under way"] = function(uris)
  local session = datasession.new { serviceURI = uris.origin, protocol = "proiv" }
  assert(session:login():await(LIMIT))
  local form = loggedIn(uris, "form")
  serve "server:setProiv { stop = 'hang' }"
  slow "form"
  session:stop(100)
  datasession.stopSession(form.key, 100, print, print)
  for _ = 1, 3 do datasession.step(0.01) end
  datasession.endSession(datasession.new { serviceURI = uris.form })
end

cases["a refresh, for which requests wait"] = function(uris)
  local provider = datasession.AuthenticationProvider { uri = uris.form_sso,
    authenticationModel = "form_sso" }
  assert(provider:login("lua", "secret"):await(LIMIT))
  local session = datasession.new { serviceURI = uris.sso, authenticationModel = "sso",
    authProvider = provider }
  slow "form_sso"
  provider:refresh()
  for _ = 1, 3 do session:request(HOME) end
  datasession.step(0.01)
end

cases["handlers that were not called yet"] = function(uris)
  local session = loggedIn(uris, "basic")
  session:subscribe("offline", print)
  datasession.setLogger(print)
  datasession.setDeviceOnline(false)
  datasession.promise(function(resolve) resolve(1) end):done(print):next(print)
end

-- Options of which each is taken, and refused when others may have been read.
cases["options taken and refused"] = function(uris)
  local taken = { headers = { ["X-A"] = "b" }, proxy = "http://127.0.0.1:1", userAgent = "me", timeout = 5,
    retry = { delay = 1 }, onRequest = print, onOpenRequest = print, query = { a = "b" },
    keepCredentials = true, reconnect = { delay = 1 }, caFile = "/none", clientCertificate = "/none",
    name = "x", store = require("datasession.store").memory(), tokenProvider = print }
  for _, protocol in ipairs { "jsdo", "datasnap", "btt", "proiv" } do
    for _, name in ipairs(require("datasession.core").optionNames(protocol)) do
      local model = protocol == "jsdo" and name:find "^token" and "bearer" or nil
      for _, value in ipairs { taken[name] or true, { [false] = 1 } } do
        pcall(datasession.new, { serviceURI = uris.origin, protocol = protocol, authenticationModel = model,
          [name] = value })
      end
    end
  end
end

cases["requests taken and refused"] = function(uris)
  local session = loggedIn(uris, "basic", { headers = { ["X-A"] = "b" } })
  local taken = { headers = { ["X-B"] = "c" }, body = "text", json = { 1 }, form = { a = 1 },
    query = { a = 1 }, timeout = 1, method = "PUT", bodyFile = "/none", multipart = { { name = "a" } },
    saveTo = "/none/none", stream = true, onProgress = print, retry = { delay = 1 }, maxResponseSize = 1 }
  for name, value in pairs(taken) do
    for _, given in ipairs { value, { [false] = 1 } } do
      pcall(session.request, session, { path = HOME.path, [name] = given })
      pcall(session.request, session, { uri = "ftp://x", [name] = given })
    end
  end
end

-- Creates one of each object and releases them in another order each time, with a collection after each.
local function everything(uris)
  local provider = datasession.AuthenticationProvider { uri = uris.form_sso,
    authenticationModel = "form_sso" }
  local login = provider:login("lua", "secret")
  assert(login:await(LIMIT))
  local session = loggedIn(uris, "form", { pingInterval = 1000, reconnect = true, keepCredentials = true })
  local ping = session:ping()
  return {
    provider, login, session, ping, session:request(HOME):await(LIMIT), session:getContext(),
    datasession.new { serviceURI = uris.sso, authenticationModel = "sso", authProvider = provider },
    datasession.spawn(function() return ping:await(100) end), session:request(HOME), ping:next(print),
    datasession.new { serviceURI = uris.origin, protocol = "proiv" },
  }
end

local function collected(seed)
  return function(uris)
    local things = everything(uris)
    for left = #things, 1, -1 do
      table.remove(things, seed * 7919 % left + 1)
      collectgarbage()
      datasession.step()
    end
  end
end

for seed = 1, 6 do cases["everything collected, order " .. seed] = collected(seed) end

local list = {}
for name, case in pairs(cases) do list[#list + 1] = { name, case } end
table.sort(list, function(a, b) return a[1] < b[1] end)
return list
