-- Handlers of every kind; each does something unexpected to its session, its promise or the engine. Returns a
-- list of { name, function }. A function raises failures.
local datasession = require "datasession"

local LIMIT = 20 -- seconds

-- The functions of the protocol "puppet" return what link.script says, by name.
local function obey(name)
  return function(link)
    local answer = link.script and link.script[name]
    if answer == nil then return true end
    return answer(link)
  end
end

datasession.defineProtocol("puppet", {
  options = { "endless" },
  login = function(link)
    link.expiresAt = not link.options.endless and os.time() + 1000 or nil
    return true
  end,
  logout = obey "logout", stop = obey "stop", ping = obey "ping", reconnect = obey "reconnect",
  invoke = function(link, script)
    link.script = script
    return true
  end,
  judge = function(link, response)
    local answer = link.script and link.script.judge
    return answer and answer(response) or nil
  end,
  sign = function(link)
    local answer = link.script and link.script.sign
    return answer and answer() or nil
  end,
})

local function failing(kind)
  return function() return nil, { kind = kind, message = "as told" } end
end

-- A logged-in session of that protocol; its functions follow the script.
local function puppet(uris, script, options)
  options = options or {}
  options.protocol, options.serviceURI = "puppet", uris.anonymous
  local session = datasession.new(options)
  assert(session:login():await(LIMIT))
  assert(session:invoke(script or {}):await(LIMIT))
  return session
end

-- By caller: starts what will call `f(session)`. Returns the promises that must be settled at the end.
local triggers = {}

local function onEvent(event, script, options)
  return function(uris, f)
    local session = puppet(uris, script, options and options())
    session:subscribe(event, f)
    return { session:ping(), session:request { path = "/static/home.html" } }
  end
end

local function once() return { reconnect = { maxAttempts = 2, delay = 0.001 } } end

triggers.offline = onEvent("offline", { ping = failing "connect" })
triggers.expired = onEvent("expired", { ping = failing "expired" })
triggers.lost = onEvent("lost", { ping = failing "expired" }, function() return { endless = true } end)
triggers.reconnecting = onEvent("reconnecting", { ping = failing "connect" }, once)
triggers.reconnected = onEvent("reconnected", { ping = failing "connect" }, once)
triggers.reconnectFailed = onEvent("reconnectFailed",
  { ping = failing "connect", reconnect = failing "connect" }, once)

triggers.renewed = onEvent("renewed", {
  ping = function(link)
    link.expiresAt = os.time() + 2000
    return true
  end,
})

function triggers.online(uris, f)
  local session = datasession.new { serviceURI = uris.basic, authenticationModel = "basic", pingInterval = 5 }
  session:subscribe("online", f)
  return { session:login("lua", "secret") }
end

function triggers.statusChanged(uris, f)
  local session = datasession.new { serviceURI = uris.origin, protocol = "proiv", endTimeout = 0.2 }
  session:subscribe("statusChanged", f)
  return { session:login() }
end

local function onPromise(how)
  return function(uris, f)
    local session = puppet(uris, { ping = how == "fail" and failing "error" or nil })
    local ping = session:ping()
    local after = ping[how](ping, function() f(session) end)
    return { ping, after, session:request { path = "/static/home.html" } }
  end
end

for _, how in ipairs { "done", "fail", "always", "next" } do triggers["promise:" .. how] = onPromise(how) end

function triggers.logger(uris, f)
  local session = puppet(uris, { ping = failing "expired" })
  datasession.setLogger(function(_, _, same) f(same) end)
  return { session:ping() }
end

function triggers.onError(uris, f)
  local session = puppet(uris)
  datasession.onError(function() f(session) end)
  return { session:ping():done(function() error "on purpose" end) }
end

function triggers.onOpenRequest(uris, f)
  local session = datasession.new {
    serviceURI = uris.form, authenticationModel = "form",
    onOpenRequest = function(params) f(params.session) end,
  }
  return { session:login("lua", "secret") }
end

function triggers.judge(uris, f)
  local session
  session = puppet(uris, { judge = function() f(session) end })
  return { session:request { path = "/static/home.html" }, session:request { path = "/none" } }
end

function triggers.sign(uris, f)
  local session
  session = puppet(uris, { sign = function() f(session) end })
  return { session:request { path = "/static/home.html" } }
end

function triggers.stop(uris, f)
  local session
  session = puppet(uris, {
    stop = function()
      f(session)
      return true
    end,
  })
  return { session:stop(1) }
end

function triggers.stopSession(uris, f)
  local session = puppet(uris, { stop = failing "refused" })
  return { datasession.stopSession(session.key, 1, nil, function() f(session) end) }
end

function triggers.reconnect(uris, f)
  local session
  session = puppet(uris, {
    ping = failing "connect",
    reconnect = function()
      f(session)
      return true
    end,
  }, once())
  return { session:ping(), session:request { path = "/static/home.html" } }
end

function triggers.loginCallback(uris, f)
  return { datasession.getSession {
    serviceURI = uris.basic, authenticationModel = "basic", catalogURI = "static/CustomerService.json",
    loginCallback = function()
      f(datasession.sessions()[1])
      return { "lua", "secret" }
    end,
  } }
end

function triggers.finaliser(uris, f)
  local session = puppet(uris)
  local promise = session:request { path = "/static/home.html" }
  setmetatable({}, { __gc = function() f(session) end })
  collectgarbage()
  return { promise }
end

-- The actions of a handler: on the session and on one of its pending promises.
local deeds = {}

function deeds.invalidate(session) session:invalidate() end
function deeds.logout(session) session:logout() end
function deeds.disconnect(session) session:disconnect() end
function deeds.stop(session) session:stop(0) end
function deeds.endSession(session) datasession.endSession(session) end
function deeds.cancel(_, pending) for _, promise in ipairs(pending) do promise:cancel() end end
function deeds.unsubscribe(session) session:unsubscribeAll() end
function deeds.await(session) session:ping():await(0.05) end
function deeds.step() datasession.step(0.001) end
function deeds.raise() error "on purpose" end
function deeds.collect()
  collectgarbage()
  collectgarbage()
end
function deeds.request(session) session:request { path = "/static/home.html", method = "POST",
  body = "x" } end
function deeds.login(session) session:login("lua", "secret") end
function deeds.all(session, pending)
  session:unsubscribeAll()
  for _, promise in ipairs(pending) do promise:cancel() end
  session:invalidate()
  collectgarbage()
  error "on purpose"
end

local function perform(uris, trigger, deed)
  local calls, pending = 0, {}
  datasession.onError(function() end)
  local promises = trigger(uris, function(session)
    calls = calls + 1
    if calls > 3 then return end -- what it does may call it again
    deed(session, pending)
  end)
  table.move(promises, 1, #promises, 1, pending)
  for _, promise in ipairs(pending) do promise:await(LIMIT) end
  local ends = os.time() + LIMIT
  while calls == 0 and os.time() < ends do datasession.step(0.01) end
  datasession.setLogger(nil)
  datasession.invalidateAllSessions { all = true }:await(LIMIT)
  assert(datasession.run(LIMIT), "something pends for ever")
  for _, promise in ipairs(pending) do assert(promise:state() ~= "pending", "a promise was never settled") end
  assert(calls > 0, "it was not called")
end

local list = {}
for where, trigger in pairs(triggers) do
  for what, deed in pairs(deeds) do
    list[#list + 1] = { where .. " does " .. what, function(uris) perform(uris, trigger, deed) end }
  end
end
table.sort(list, function(a, b) return a[1] < b[1] end)
return list
