--- Whether what is done n times costs n times as much: CPU time for n, 2n, 4n and 8n, and the exponent that
-- fits them. 1 is linear, 2 quadratic; what outgrows the processor's caches comes out somewhat above 1.
-- Nothing leaves the machine. Run it at the top of the work tree.
--
--   scale.lua              all works, as a Markdown table
--   scale.lua WORD         those whose name holds WORD
--   scale.lua WORD FACTOR  with so many times the usual n

local datasession = require "datasession"
local fault_server = require "fault_server"

local NOWHERE = "http://127.0.0.1:9/App"
local STEPS = { 1, 2, 4, 8 }

local function newSession(options)
  options = options or {}
  options.serviceURI, options.authenticationModel = NOWHERE, "anonymous"
  return datasession.new(options)
end

local function newSessions(n)
  local sessions = {}
  for i = 1, n do
    sessions[i] = newSession()
    datasession.setActiveSession(sessions[i])
  end
  return sessions
end

local function pending() return datasession.newPromise(function() end) end

local function memoryStore()
  local texts = {}
  return {
    get = function(_, name) return texts[name] end,
    set = function(_, name, text) texts[name] = text return true end,
    remove = function(_, name) texts[name] = nil return true end,
  }
end

-- Each is a name, the least n, and a function of n that prepares and returns what is measured.
local works = {}

local function work(name, least, prepare)
  works[#works + 1] = { name = name, least = least, prepare = prepare } end

work("named sessions", 1000, function(n)
  local store, sessions = memoryStore(), {}
  return function()
    for i = 1, n do sessions[i] = newSession { name = "session " .. i, store = store } end
    return sessions
  end
end)

work("setContextProperty", 500, function(n)
  local session = newSession()
  return function()
    for i = 1, n do session:setContextProperty("name " .. i, i) end
  end
end)

work("invalidate, no step between", 1000, function(n)
  local sessions = newSessions(n)
  return function()
    for i = 1, n do sessions[i]:invalidate() end
  end
end)

work("endSession, no step between", 1000, function(n)
  local sessions = newSessions(n)
  return function()
    for i = 1, n do datasession.endSession(sessions[i]) end
  end
end)

work("invalidate with a request pending", 500, function(n)
  local sessions = newSessions(n)
  for i = 1, n do sessions[i]:request { path = "/a" } end
  return function()
    for i = 1, n do sessions[i]:invalidate() end
  end
end)

work("activeSession after each invalidation", 1000, function(n)
  local sessions = newSessions(n)
  return function()
    for i = n, 1, -1 do
      sessions[i]:invalidate()
      assert(datasession.activeSession() == sessions[i - 1])
    end
  end
end)

work("nested adoptions of promises", 1000, function(n)
  local last = pending()
  return function()
    for _ = 1, n do
      local inner = last
      last = datasession.newPromise(function(resolve) resolve(inner) end)
    end
  end
end)

work("adoptions through next", 1000, function(n)
  local last, nexts = pending(), {}
  return function()
    for i = 1, n do
      local inner, settle = last, nil
      last = datasession.newPromise(function(resolve) settle = resolve end)
      nexts[i] = last:next()
      settle(inner)
      last = nexts[i]
    end
  end
end)

work("spawns on one promise, cancelled last first", 1000, function(n)
  local promise, spawned = pending(), {}
  for i = 1, n do spawned[i] = datasession.spawn(function() return promise:await() end) end
  return function()
    for i = n, 1, -1 do spawned[i]:cancel() end
  end
end)

work("spawns on one promise, cancelled first first", 1000, function(n)
  local promise, spawned = pending(), {}
  for i = 1, n do spawned[i] = datasession.spawn(function() return promise:await() end) end
  return function()
    for i = 1, n do spawned[i]:cancel() end
  end
end)

local function handlers(n)
  local list = {}
  for i = 1, n do list[i] = function() return i end end
  return list
end

work("subscribe", 1000, function(n)
  local session, list = newSession(), handlers(n)
  return function()
    for i = 1, n do session:subscribe("online", list[i]) end
  end
end)

work("unsubscribe", 1000, function(n)
  local session, list = newSession(), handlers(n)
  for i = 1, n do session:subscribe("online", list[i]) end
  return function()
    for i = 1, n do session:unsubscribe("online", list[i]) end
  end
end)

work("a handler subscribed with n scopes", 1000, function(n)
  local session, scopes = newSession(), {}
  local function handler() end
  for i = 1, n do scopes[i] = {} end
  return function()
    for i = 1, n do session:subscribe("online", handler, scopes[i]) end
    for i = 1, n do session:unsubscribe("online", handler, scopes[i]) end
  end
end)

work("a request with n headers", 1000, function(n)
  local session, headers = newSession(), {}
  for i = 1, n do headers["X-Name-" .. i] = "value" end
  return function() session:request { path = "/", headers = headers }:cancel() end
end)

work("a request with n headers that libcurl may look for", 1000, function(n)
  local session, headers = newSession(), {}
  for i = 1, n do headers["Name-" .. i] = "value" end
  return function() session:request { path = "/", headers = headers }:cancel() end
end)

work("filters of a DataSnap call", 250, function(n)
  local session, filters = datasession.new { serviceURI = NOWHERE, protocol = "datasnap" }, {}
  for i = 1, n do filters["name" .. i * 7919 % 100003] = i end
  return function() session:getMethodURL("Class", "Method", nil, { filters = filters }) end
end)

work("unsubscribe from a PROIV hub, last first", 1000, function(n)
  local hub, handles = require("datasession.proiv.hub").new(), {}
  for i = 1, n do handles[i] = hub:subscribe("name", print) end
  return function()
    for i = n, 1, -1 do hub:unsubscribe(handles[i]) end
  end
end)

local MOST_LINES = 4000 -- newer libcurls refuse more than 5,000

work(".headers of an answer, n lines of one name", MOST_LINES // STEPS[#STEPS], function(n)
  local server = assert(fault_server.start())
  local lines = ("X-A: %s\r\n"):format(("v"):rep(40)):rep(n)
  server:fault("GET /a", { "HTTP/1.1 200 OK\r\n" .. lines .. "Content-Length: 0\r\n\r\n" })
  local session = datasession.new { serviceURI = "http://127.0.0.1:" .. server:port(), proxy = false }
  local response = assert(session:request { path = "/a" }:await(10))
  server:close()
  return function() return response.headers end
end)

dofile "bench/data/scale.lua"(work)

local function leastSquares(points)
  local n, sx, sy, sxx, sxy = #points, 0, 0, 0, 0
  for _, p in ipairs(points) do
    sx, sy, sxx, sxy = sx + p[1], sy + p[2], sxx + p[1] ^ 2, sxy + p[1] * p[2]
  end
  return (n * sxy - sx * sy) / (n * sxx - sx ^ 2)
end

-- The shortest of three runs: what disturbs one makes it longer.
local function measure(prepare, n)
  local least = math.huge
  for _ = 1, 3 do
    local run = prepare(n)
    collectgarbage()
    local start = os.clock()
    run()
    least = math.min(least, os.clock() - start)
    datasession.invalidateAllSessions()
    datasession.run(5)
  end
  return math.max(least, 1e-6)
end

local function report(one, factor)
  local points, times = {}, {}
  for i, step in ipairs(STEPS) do
    local n = math.ceil(one.least * factor) * step
    local seconds = measure(one.prepare, n)
    points[i], times[i] = { math.log(n), math.log(seconds) }, ("%.2f"):format(seconds * 1e3)
  end
  print(("| %s | %d | %s | %.2f |"):format(one.name, math.ceil(one.least * factor), table.concat(times, ", "),
    leastSquares(points)))
end

local wanted, factor = arg[1] or "", tonumber(arg[2] or 1)
print "| n times | n | CPU of n, 2n, 4n, 8n, ms | exponent |"
print "| --- | ---: | ---: | ---: |"
for _, one in ipairs(works) do
  if one.name:find(wanted, 1, true) then report(one, factor) end
end
