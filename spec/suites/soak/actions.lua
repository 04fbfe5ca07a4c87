--- The soak's actions on a session: { weight, name, function(slot, rnd, soak) }.
-- A slot is { session, system }; `soak` has the server, and `any`: something done to any slot, for handlers.
local datasession = require "datasession"
local ledger = dofile "spec/suites/soak/ledger.lua"

local EVENTS = {
  "online", "offline", "expired", "renewed", "lost", "reconnecting", "reconnected", "reconnectFailed",
  "statusChanged", "retry",
}

local actions = { ledger = ledger }

local function watch(slot, what, promise)
  return ledger.watch(("%s of %s"):format(what, slot.system.name), promise)
end

local function copy(options)
  local own = {}
  for name, value in pairs(options) do own[name] = value end
  return own
end

local function request(slot, rnd, list)
  local options = copy(rnd:of(list))
  if rnd:chance(0.1) then options.timeout = 0.001 + rnd:number(0.02) end
  if rnd:chance(0.2) then options.retry = rnd:chance(0.5) and { delay = rnd:number(0.02) } or false end
  return watch(slot, "request", slot.session:request(options))
end

local function verb(name)
  return function(slot) return watch(slot, name, slot.session[name](slot.session)) end
end

-- Handlers do anything, awaiting and raising included.
local function handler(rnd, soak)
  return function()
    if rnd:chance(0.3) then soak.any() end
    if rnd:chance(0.02) then
      local promise = ledger.pending()
      if promise then
        ledger.try("await in a handler", { "wait inside one another", "await would never return" },
          promise.await,
          promise, rnd:number(0.02))
      end
    end
    if rnd:chance(0.05) then error "soak: on purpose" end
  end
end

local function subscribe(slot, rnd, soak)
  local f = handler(rnd, soak)
  local event = rnd:of(EVENTS)
  slot.session:subscribe(event, f)
  slot.subscribed = { event, f }
end

local function unsubscribe(slot, rnd)
  if slot.subscribed and rnd:chance(0.7) then
    slot.session:unsubscribe(slot.subscribed[1], slot.subscribed[2])
  else
    slot.session:unsubscribeAll(rnd:chance(0.5) and rnd:of(EVENTS) or nil)
  end
end

-- A coroutine that waits, with limits or without, and whose promise may be cancelled.
local function spawn(slot, rnd, soak)
  local promise = datasession.spawn(function()
    local guard <close> = setmetatable({},
      { __close = function() if rnd:chance(0.2) then soak.any() end end })
    for _ = 1, rnd:upTo(4) do
      if not slot.session then return guard end
      request(slot, rnd, slot.system.safe):await(rnd:chance(0.5) and rnd:number(0.05) or nil)
    end
    if rnd:chance(0.1) then error "soak: on purpose" end
  end)
  watch(slot, "spawn", promise)
  if rnd:chance(0.2) then promise:cancel() end
end

-- A session that ends with its block, in a coroutine.
local function block(slot, rnd, soak)
  local options = slot.system.options(soak.server, rnd)
  if not options then return end
  options.timeout = 0.2
  watch(slot, "block", datasession.spawn(function()
    local session <close> = datasession.new(options)
    slot.system.login(session, rnd):await(0.3)
  end))
end

local function chain(slot, rnd, soak)
  local promise = request(slot, rnd, slot.system.safe):next(function() return soak.any() or 1 end,
    handler(rnd, soak))
  promise:done(handler(rnd, soak)):fail(handler(rnd, soak))
  watch(slot, "chain", promise)
  if rnd:chance(0.1) then promise:cancel() end
end

local function cancel()
  local promise = ledger.pending()
  if promise then promise:cancel() end
end

-- Its server is not told: pending requests go on and hold it.
local function drop(slot)
  slot.session, slot.subscribed, slot.object, slot.channel = nil, nil, nil, nil
end

local function stop(slot, rnd)
  if rnd:chance(0.5) then return watch(slot, "stop", slot.session:stop(rnd:of { 0, 0.05, 0.3 })) end
  if slot.session.state == "invalid" then return end
  local called = 0
  local function once()
    called = called + 1
    if called > 1 then ledger.fail("stopSession called back twice") end
  end
  return watch(slot, "stopSession", datasession.stopSession(slot.session.key, rnd:number(0.2), once, once))
end

local function finish(slot)
  datasession.endSession(slot.session)
end

local function invoke(slot, rnd)
  if slot.system.invoke then watch(slot, "invoke", slot.system.invoke(slot.session, rnd)) end
end

local function addCatalog(slot, rnd)
  if slot.system.catalog then
    local uri = rnd:chance(0.9) and "static/CustomerService.json" or "static/none.json"
    watch(slot, "addCatalog", slot.session:addCatalog(uri))
  end
end

local function login(slot, rnd)
  watch(slot, "login", slot.system.login(slot.session, rnd))
end

local function look(slot)
  local session = slot.session
  local _ = tostring(session) .. tostring(session.state) .. tostring(session.key) ..
    tostring(session.expiresAt)
  _ = session.services and session.catalogs and session.reconnect and session:getContext()
  return #datasession.sessions()
end

local function settings(slot, rnd)
  local session = slot.session
  session.pingInterval = rnd:of { 0, 0, 5, 20, 1000 }
  session.onOpenRequest = rnd:chance(0.2) and function(params)
    params.headers["X-Soak"] = "yes"
    if rnd:chance(0.05) then session:disconnect() end
    if rnd:chance(0.05) then error "soak: on purpose" end
  end or nil
  if slot.system.catalog then session:setContextProperty("soak", rnd:of { "a", "b", false } or nil) end
end

local function active(slot, rnd)
  datasession.setActiveSession(slot.session)
  if rnd:chance(0.2) then datasession.endSession() end
end

local function getSession(slot, rnd, soak)
  local options = slot.system.options(soak.server, rnd)
  if not options or options.authProvider then return end
  options.username, options.password, options.timeout = "lua", "secret", 0.5
  if slot.system.catalog then options.catalogURI = { "static/CustomerService.json" } end
  if slot.system.name:find "bearer" then options.username, options.password = "letmein", nil end
  local system = slot.system
  watch(slot, "getSession", datasession.getSession(options)):done(function(session)
    slot.session, slot.system = session, system
  end)
end

local function collect(_, rnd)
  local what = rnd:upTo(6)
  if what == 1 then
    collectgarbage "generational"
  elseif what == 2 then
    collectgarbage "incremental"
  elseif what == 3 then
    collectgarbage()
  else
    collectgarbage "step"
  end
end

local function invalidateAll(slot, rnd)
  watch(slot, "invalidateAllSessions", datasession.invalidateAllSessions { all = rnd:chance(0.3) })
end

local function device(_, rnd)
  datasession.setDeviceOnline(rnd:chance(0.7))
end

actions.list = {
  { 30, "login", login },
  { 30, "request", function(slot, rnd) request(slot, rnd, slot.system.safe) end },
  { 20, "unsafe request", function(slot, rnd) request(slot, rnd, slot.system.unsafe) end },
  { 10, "ping", verb "ping" },
  { 10, "isAuthorized", verb "isAuthorized" },
  { 6, "addCatalog", addCatalog },
  { 6, "invoke", invoke },
  { 5, "logout", verb "logout" },
  { 3, "disconnect", verb "disconnect" },
  { 5, "invalidate", verb "invalidate" },
  { 6, "stop", stop },
  { 4, "endSession", finish },
  { 8, "cancel", cancel },
  { 8, "drop", drop },
  { 10, "subscribe", subscribe },
  { 4, "unsubscribe", unsubscribe },
  { 8, "spawn", spawn },
  { 2, "block", block },
  { 6, "chain", chain },
  { 6, "settings", settings },
  { 3, "look", look },
  { 2, "active", active },
  { 3, "getSession", getSession },
  { 1, "collect", collect },
  { 0.05, "invalidateAll", invalidateAll },
  { 0.3, "device", device },
}

table.insert(actions.list, dofile "spec/suites/soak/objects.lua".action(ledger))
table.insert(actions.list, dofile "spec/suites/soak/flows.lua".action(ledger))
table.insert(actions.list, dofile "spec/suites/soak/channels.lua".action(ledger))

return actions
