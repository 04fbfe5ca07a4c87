--- The benchmark's works with datasession, as floor.c does them over bare libcurl; and what an idle session costs.
-- Prints microseconds of CPU time for each unit of work; `memory`: bytes for each session.
--
--   client.lua ping|lifecycle|form COUNT SERVICE-URI
--   client.lua step COUNT SERVICE-URI SESSIONS [PING-INTERVAL]   COUNT steps, that many sessions being idle
--   client.lua memory COUNT SERVICE-URI [MODEL]                  COUNT idle sessions
--   client.lua version                                           what is at work

local datasession = require "datasession"

local work, count, uri, extra, interval = arg[1], math.tointeger(arg[2]), arg[3], arg[4], arg[5]

local function logIn(model)
  local session = datasession.new {
    serviceURI = uri, authenticationModel = model, pingInterval = interval and tonumber(interval),
  }
  local _, result = assert(session:login("lua", "secret"):await())
  assert(result == datasession.LOGIN_SUCCESS and session.connected, "not logged in")
  return session
end

local function ping(session)
  local _, result = assert(session:ping():await())
  assert(result == true, "not a pong")
end

local function lifecycle(model)
  local session = logIn(model)
  assert(session:addCatalog(uri .. "/static/catalog.json"):await())
  local services = session.services
  assert(#services == 1 and services[1].name == "BenchService", "not the catalog's service")
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

local function measure(unit, ...)
  unit(...)
  local start = os.clock()
  for _ = 1, count do
    unit(...)
  end
  print(("%.3f"):format((os.clock() - start) * 1e6 / count))
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
