--- The benchmark's works with datasession, as floor.c does them over bare libcurl; and what idle sessions
-- cost. Prints microseconds of CPU time for each unit of work, and the peak of the process's memory in KB.
--
--   client.lua ping|lifecycle|form COUNT SERVICE-URI
--   client.lua many|many-form COUNT SERVICE-URI                  COUNT sessions at once, 64 connections, 10
--                                                                pings each
--   client.lua scale COUNT SERVICE-URI [PINGS]                   COUNT sessions log in, ping, log out; a call
--   client.lua step COUNT SERVICE-URI SESSIONS [PING-INTERVAL]   COUNT steps, that many sessions being idle
--   client.lua memory COUNT SERVICE-URI [MODEL]                  COUNT idle sessions: bytes for each
--   client.lua version                                           what is at work
--
-- BENCH_CA: the file of certificates to trust, for https.

local datasession = require "datasession"
local peak = dofile((arg[0]:match "^.*/" or "") .. "peak.lua")

local work, count, uri, extra, interval = arg[1], tonumber(arg[2]), arg[3], arg[4], arg[5]

local caFile = os.getenv "BENCH_CA"

local function newSession(model)
  return datasession.new {
    serviceURI = uri, authenticationModel = model, pingInterval = interval and tonumber(interval),
    caFile = caFile,
    timeout = work == "scale" and 3600 or nil, -- under valgrind the last of 10,000 has long to wait
    connectTimeout = 60, -- and handshakes take long
  }
end

local function logIn(model)
  local session = newSession(model)
  local _, result = assert(session:login("lua", "secret"):await())
  assert(result == datasession.LOGIN_SUCCESS and session.connected, "not logged in")
  return session
end

local function ping(session)
  local _, result = assert(session:ping():await())
  assert(result == true, "not a pong")
end

local function loadCatalog(session)
  return session:addCatalog(uri .. "/static/catalog.json")
end

local function checkCatalog(session)
  local services = session.services
  assert(#services == 1 and services[1].name == "BenchService", "not the catalog's service")
end

local function lifecycle(model)
  local session = logIn(model)
  assert(loadCatalog(session):await())
  checkCatalog(session)
  ping(session)
  assert(session:logout():await())
  assert(not session.connected, "not logged out")
end

local function logInMany(model, sessions)
  local held = {}
  for i = 1, sessions do
    held[i] = logIn(model)
  end
  return held
end

local function tell(start, units)
  print(("%.3f %s"):format((os.clock() - start) * 1e6 / units, peak()))
end

-- Garbage is collected first: else it is chance, by what was loaded when, whether a short run meets a
-- collection.
local function measure(unit, ...)
  unit(...)
  collectgarbage()
  local start = os.clock()
  for _ = 1, count do
    unit(...)
  end
  tell(start, count)
end

-- Calls the verb of all sessions at once; the result of each must be the expected one.
local function all(sessions, verb, expected, ...)
  local promises = {}
  for i, session in ipairs(sessions) do
    promises[i] = verb(session, ...)
  end
  for _, promise in ipairs(promises) do
    local _, result = assert(promise:await())
    assert(expected == nil or result == expected, "not the expected result")
  end
end

local verbs = {}

function verbs.login(session, ...) return session:login(...) end
function verbs.ping(session) return session:ping() end
function verbs.logout(session) return session:logout() end

local function newSessions(model, number)
  local sessions = {}
  for i = 1, number do
    sessions[i] = newSession(model)
  end
  return sessions
end

local function live(model, number)
  local sessions = newSessions(model, number)
  all(sessions, verbs.login, datasession.LOGIN_SUCCESS, "lua", "secret")
  all(sessions, loadCatalog)
  for _, session in ipairs(sessions) do
    checkCatalog(session)
  end
  for _ = 1, 10 do
    all(sessions, verbs.ping, true)
  end
  all(sessions, verbs.logout)
end

local function callAll(number, pings)
  local sessions = newSessions("anonymous", number)
  all(sessions, verbs.login, datasession.LOGIN_SUCCESS)
  for _ = 1, pings do
    all(sessions, verbs.ping, true)
  end
  all(sessions, verbs.logout)
end

local function many(model)
  live(model, 64)
  local start = os.clock()
  live(model, count)
  tell(start, count)
end

local function anonymousBytes()
  collectgarbage()
  collectgarbage()
  local file = assert(io.open("/proc/self/smaps_rollup"))
  local text = file:read("a")
  file:close()
  return tonumber(text:match("Anonymous:%s*(%d+)")) * 1024
end

local works = {}

function works.ping()
  measure(ping, logIn("anonymous"))
end

function works.lifecycle()
  measure(lifecycle, "basic")
end

function works.form()
  measure(lifecycle, "form")
end

function works.many()
  many("anonymous")
end

works["many-form"] = function()
  many("form")
end

function works.scale()
  local pings = math.tointeger(extra or 1)
  callAll(64, 1)
  local start = os.clock()
  callAll(count, pings)
  tell(start, count * (pings + 1))
end

function works.step()
  local held = logInMany("anonymous", tonumber(extra))
  measure(datasession.step)
  assert(#held == tonumber(extra))
end

function works.memory()
  local model = extra or "anonymous"
  local first, before = logInMany(model, 100), anonymousBytes()
  local held = logInMany(model, count)
  print(("%.0f"):format((anonymousBytes() - before) / count))
  assert(#first + #held == 100 + count)
end

function works.version()
  local version, lines = datasession.version(), {}
  for name, value in pairs(version) do
    if type(value) == "table" then
      value = ("%s %s"):format(value.name, value.version)
    end
    lines[#lines + 1] = ("%s: %s"):format(name, value)
  end
  table.sort(lines)
  print(table.concat(lines, ", "))
end

works[work]()
