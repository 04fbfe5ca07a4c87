-- docs/systems.md, "Which feature with which protocol": each cell of its table is tried.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"
local support = dofile "spec/support/systems.lua"

local LIMIT = await.LIMIT
local PAGE = "docs/systems.md"

-- ---- the table

local function split(row)
  local cells = {}
  for cell in row:sub(2):gmatch " ?(.-) ?|" do cells[#cells + 1] = cell end
  return cells
end

-- Rows of { feature, cell for each system }, and the systems' names in order.
local function readTable()
  local rows, names = {}, nil
  for line in io.lines(PAGE) do
    if line:find "^|" and not names then
      names = {}
      for i, cell in ipairs(split(line)) do
        if i > 1 then names[i - 1] = cell:match "%[(.-)%]" end
      end
    elseif line:find "^|" and not line:find "^| %-" then
      rows[#rows + 1] = split(line)
    end
  end
  return rows, names
end

-- ---- the systems

local server

local systems = support.of(function() return server end)

systems["your own"] = {
  options = function() return { protocol = "systems", serviceURI = server.uris.anonymous } end,
  credentials = { "lua", "secret" },
  ask = support.customers,
  lose = function(system) system.lost = true end,
  getSession = { username = "lua", password = "secret" },
}

local function define(fields)
  local functions = {
    login = function(link)
      systems["your own"].lost = false
      link.expiresAt = os.time() + 3600
      return true
    end,
    judge = function(link)
      if systems["your own"].lost then return "expired", "gone" end
      link.expiresAt = link.expiresAt and link.expiresAt + 1
    end,
    ping = function(link)
      if systems["your own"].lost then return nil, { kind = "expired", message = "gone" } end
      return link:request { path = "static/home.html" }:await()
    end,
    stop = function() return true end,
    invoke = function(_, value) return value end,
  }
  for name, value in pairs(fields or {}) do functions[name] = value or nil end
  datasession.defineProtocol("systems", functions)
end

-- ---- the features

local function made(system, options)
  local all = system.options()
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

local function loggedIn(system, options)
  local session = made(system, options)
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
  return session
end

local function listen(session, name)
  local seen = {}
  session:subscribe(name, function(_, ...) seen[#seen + 1] = { ... } end)
  return seen
end

local function yes(condition)
  return condition and "yes" or "no"
end

local function raises(f, ...)
  return not pcall(f, ...)
end

local features = {}

features["`session:login`"] = function(system)
  local session = loggedIn(system)
  return yes(session.connected and session.loginResult == datasession.SUCCESS)
end

features["a session without a call of `login`, made by the first request"] = function(system, name)
  if name == "your own" then
    define { implicit = true }
    assert(system.ask(made(system)):await(LIMIT))
    return "option `implicit`"
  end
  local session = made(system)
  local seen = listen(session, "online")
  system.ask(session):await(LIMIT)
  datasession.run(LIMIT)
  return yes(#seen > 0 and session.connected)
end

features["`session:logout`, `session:disconnect`, `session:invalidate`"] = function(system)
  local ok = true
  for _, way in ipairs { "logout", "disconnect", "invalidate" } do
    local session = loggedIn(system)
    ok = ok and session[way](session):await(LIMIT) and not session.connected
  end
  return yes(ok)
end

features["`session:isAuthorized`"] = function(system)
  local session = made(system)
  local before = session:isAuthorized():await(LIMIT)
  session = loggedIn(system)
  return yes(not before and session:isAuthorized():await(LIMIT))
end

features["`session:ping`"] = function(system, name)
  local result = select(2, loggedIn(system):ping():await(LIMIT))
  if name ~= "your own" then return yes(result == true) end
  define { ping = false }
  return result == true and not loggedIn(system):ping():await(LIMIT) and "with `ping` or `check`"
end

features["`session:request`"] = function(system)
  local session = loggedIn(system)
  local response, err = session:request { uri = server.uris.anonymous .. "/static/home.html" }:await(LIMIT)
  assert(response, err)
  return yes(response.status == 200)
end

features["`session:invoke`"] = function(system, name)
  local session = loggedIn(system)
  if name == "your own" then
    return session:invoke(7):await(LIMIT) == 7 and "with `invoke`"
  end
  local called, message = pcall(session.invoke, session)
  if not called and message:find "no methods to call" then return "no" end
  return yes(system.ask(session):await(LIMIT))
end

features["`session:addCatalog`, `session.catalogs`"] = function(system)
  local session = loggedIn(system)
  if raises(session.addCatalog, session, "static/CustomerService.json") then
    return yes(#session.catalogs > 0)
  end
  datasession.run(LIMIT)
  return yes(#session.catalogs == 1)
end

features["[data objects](data.md), `session.JSDOs`"] = function(system)
  local session = loggedIn(system)
  if raises(datasession.JSDO, { name = "Customer", session = session }) and session.protocol ~= "jsdo" then
    return yes(#session.JSDOs > 0)
  end
  assert(session:addCatalog(server:catalogURI("anonymous", "CustomerService")):await(LIMIT))
  local object = datasession.JSDO { name = "Customer", session = session }
  assert(object:fill { top = 1 }:await(LIMIT))
  return yes(session.JSDOs[1] == object and object.Name ~= nil)
end

features["events `online`, `offline`"] = function(system)
  local session = made(system, { reconnect = false })
  local online, offline = listen(session, "online"), listen(session, "offline")
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
  server:stop()
  system.ask(session):await(LIMIT)
  datasession.run(LIMIT)
  assert(server:start())
  return yes(#online == 1 and #offline == 1)
end

features["event `lost`"] = function(system, name)
  if name == "your own" then define { login = function()
    systems["your own"].lost = false return true end } end
  local session = loggedIn(system, { reconnect = false })
  local lost, expired, offline = listen(session, "lost"), listen(session, "expired"),
    listen(session, "offline")
  system.lose(system)
  system.ask(session):await(LIMIT)
  datasession.run(LIMIT)
  assert.same({ 1, 1 }, { #lost + #expired, #offline }) -- one event for one cause
  return name == "your own" and #lost == 1 and "without `link.expiresAt`" or yes(#lost == 1)
end

features["`session.expiresAt`, events `expired`, `renewed`"] = function(system, name)
  local session = loggedIn(system, { reconnect = false })
  local expired, renewed = listen(session, "expired"), listen(session, "renewed")
  local first = session.expiresAt
  if not first then return "no" end
  assert(system.ask(session):await(LIMIT))
  datasession.run(LIMIT)
  assert(session.expiresAt > first and #renewed == 1)
  system.lose(system)
  system.ask(session):await(LIMIT)
  datasession.run(LIMIT)
  assert(#expired == 1 and expired[1][1] == "server" and session.expiresAt == nil)
  return name == "your own" and "with `link.expiresAt`" or "yes"
end

features["option `reconnect`"] = function(system)
  local options = system.options()
  options.reconnect = nil
  if raises(datasession.new, (function(o) o.reconnect = true return o end)(system.options())) then
    return "never" end
  local default = datasession.new(options).reconnect
  local session = loggedIn(system, { reconnect = { delay = 0.01 }, keepCredentials = true })
  local seen = listen(session, "reconnected")
  system.lose(system)
  system.ask(session):await(LIMIT)
  datasession.run(LIMIT)
  assert(#seen == 1, "it did not come back")
  return default and "on" or "off by default"
end

features["option `retry`"] = function(system)
  local session = loggedIn(system, { retry = { delay = 0.01 } })
  local seen = listen(session, "retry")
  server:fault { kind = "status", status = 503 }
  assert(session:ping():await(LIMIT))
  return yes(#seen == 1)
end

features["`session.key`, the active session"] = function(system)
  local session = loggedIn(system)
  local other = loggedIn(systems.jsdo)
  assert(datasession.activeSession() == other)
  session:ping()
  return yes(datasession.activeSession() == session and datasession.setActiveSession(session.key) == session)
end

features["`datasession.stopSession`: the server may refuse"] = function(system, name)
  if name == "your own" then define { stop = function() return nil, "no" end } end
  local session = loggedIn(system)
  local reasons = {}
  server:setProiv { stop = "refuse" }
  server:fault { kind = "status", status = 500, path = "logout" }
  server:fault { kind = "status", status = 500, path = "CloseSession" }
  datasession.stopSession(session, 5, nil,
    function(_, reason) reasons[#reasons + 1] = reason end):await(LIMIT)
  datasession.run(LIMIT)
  server:clearFaults()
  server:setProiv { stop = "end" }
  if name == "your own" then define() end
  local ended
  session = loggedIn(system, system.options().sessionNodeID and { sessionNodeID = "right" } or nil)
  assert(datasession.stopSession(session, 5, function(key) ended = key end):await(LIMIT))
  datasession.run(LIMIT)
  return ended == session.key and (#reasons == 1 and "yes" or "ends in any case")
end

features["`datasession.endSession`, `<close>`"] = function(system)
  local session = loggedIn(system)
  assert(datasession.endSession(session.key) and session.state == "invalid")
  session = loggedIn(system)
  closing(session, function() end)
  return yes(session.state == "invalid")
end

features["the log"] = function(system)
  local names = {}
  datasession.setLogger(function(_, event) names[#names + 1] = event end)
  loggedIn(system):invalidate():await(LIMIT)
  datasession.run(LIMIT)
  datasession.setLogger(nil)
  local text = table.concat(names, " ")
  return yes(text:find "loggedIn" and text:find "invalidated")
end

features["`datasession.getSession`"] = function(system)
  local options = system.options()
  for name, value in pairs(system.getSession) do options[name] = value end
  local session = assert(datasession.getSession(options):await(LIMIT))
  return yes(session.connected)
end

features["option `onOpenRequest`"] = function(system)
  local verbs = {}
  local session = made(system, { onOpenRequest = function(params) verbs[#verbs + 1] = params.verb end })
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
  assert(session:request { uri = server.uris.anonymous .. "/static/home.html" }:await(LIMIT))
  return yes(#verbs > 0)
end

features["options `onRequest`, `onResponse`"] = function(system)
  local seen = 0
  local function count() seen = seen + 1 end
  local session = made(system, { onRequest = count, onResponse = count })
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
  assert(session:request { uri = server.uris.anonymous .. "/static/home.html" }:await(LIMIT))
  return yes(seen >= 2)
end

features["option `name`: a session that outlives the program"] = function(system, name)
  if name == "your own" then
    assert(raises(made, system, { name = "s" }))
    define { save = function() return { a = 1 } end, restore = function(_, saved) return saved.a == 1 end }
  end
  local store = require("datasession.store").memory()
  local made1, session = pcall(loggedIn, system, { name = "s", store = store })
  if not made1 then return "no" end
  datasession.run(LIMIT)
  local text = store:get "s"
  if not text then return "no" end
  session:invalidate():await(LIMIT)
  store:set("s", text)
  local state = made(system, { name = "s", store = store }).state
  return state == "restored" and (name == "your own" and "with `save` and `restore`" or "yes")
end

features["`session.serviceStatus`, event `statusChanged`"] = function(system)
  local session = made(system)
  local seen = listen(session, "statusChanged")
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
  datasession.run(LIMIT)
  return yes(session.serviceStatus and #seen > 0 and seen[#seen][1] == session.status)
end

features["`session.sessionId`"] = function(system)
  return yes(loggedIn(system).sessionId)
end

features["`AuthenticationProvider`, tokens"] = function(system)
  local options = system.options()
  options.authProvider = 1
  local _, message = pcall(datasession.new, options)
  return yes(not message:find "unknown option")
end

features["`session:setContext`, `session.clientContextId`"] = function(system)
  local session = loggedIn(system)
  session:setContext { a = 1 }
  server:clearRequests()
  session:ping():await(LIMIT)
  local last = server:requests()
  return yes(#last > 0 and last[#last].headers["x-client-props"])
end

describe("which feature with which protocol:", function()
  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    assert(server:start())
    define()
  end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  local rows, names = readTable()

  it("the table has every feature that is tried, and no other", function()
    local tried, told = {}, {}
    for feature in pairs(features) do tried[#tried + 1] = feature end
    for i, row in ipairs(rows) do told[i] = row[1] end
    table.sort(tried)
    table.sort(told)
    assert.same(tried, told)
  end)

  for _, row in ipairs(rows) do
    for i, name in ipairs(names) do
      it(row[1] .. ", " .. name .. ": " .. row[i + 1], function()
        assert.equal(row[i + 1], features[row[1]](systems[name], name))
      end)
    end
  end
end)
