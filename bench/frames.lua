--- CPU time of a step for a host that steps 60 times a second, with a budget of 2 ms or that of BENCH_BUDGET.
-- Prints milliseconds of the first step, of the 99th percentile and the worst of the others, how many steps
-- worked, and how many pongs came.
--
--   frames.lua pings|catalog|fill|idle SESSIONS SECONDS SERVICE-URI
--
-- pings: the sessions log in all at once, then each pings again and again. catalog: the same, and one loads
-- /static/large1.json, then /static/large2.json. fill: the same, and one fills a data object with 10,000
-- records, five times. BENCH_CA: the file of certificates to trust, for https. BENCH_TRACE: prints each step
-- over that many milliseconds.

local datasession = require "datasession"
local socket = require "socket"

-- Hosts have it so; the program lua5.4 begins in generational mode, which collects all in one go at times.
collectgarbage "incremental"

local work, count, seconds, uri = arg[1], math.tointeger(arg[2]), tonumber(arg[3]), arg[4]
local caFile, trace = os.getenv "BENCH_CA", tonumber(os.getenv "BENCH_TRACE")
local BUDGET, FRAME, FILLS = tonumber(os.getenv "BENCH_BUDGET" or 2) / 1000, 1 / 60, 5

local steps, pongs, loaded, filled = {}, 0, 0, 0

local function newSession()
  return datasession.new { serviceURI = uri, caFile = caFile, connectTimeout = 60 }
end

local function pingOn(session)
  session:ping():done(function(_, result)
    assert(result == true, "not a pong")
    pongs = pongs + 1
    pingOn(session)
  end):fail(error)
end

local function start(session)
  session:login():done(function() pingOn(session) end):fail(error)
end

local function load(number)
  local session = newSession()
  session:login():next(function()
    return session:addCatalog(uri .. "/static/large" .. number .. ".json")
  end):done(function()
    assert(session.services[1].name == "BenchService", "not the catalog's service")
    loaded = loaded + 1
    if number < 2 then load(number + 1) end
  end):fail(error)
end

local function fill(customers)
  customers:fill("10000"):done(function()
    assert(customers:findById("10000"), "not the records")
    filled = filled + 1
    if filled < FILLS then fill(customers) end
  end):fail(error)
end

local function fillOn(session)
  session:login():next(function()
    return session:addCatalog(uri .. "/static/data.json")
  end):done(function() fill(datasession.JSDO { name = "Customer", session = session }) end):fail(error)
end

local function frame(number)
  local begin = os.clock()
  datasession.step(0, BUDGET)
  local ms = (os.clock() - begin) * 1000
  steps[#steps + 1] = ms
  if trace and ms > trace then io.stderr:write(("frame %d: %.2f ms\n"):format(number, ms)) end
end

local sessions = {}
if work ~= "idle" then
  for i = 1, count do
    sessions[i] = newSession()
    start(sessions[i])
  end
end
datasession.onError(function(err) io.stderr:write(tostring(err), "\n") os.exit(1) end)
local begin = socket.gettime()
for number = 1, math.floor(seconds * 60) do
  if work == "catalog" and number == 60 then load(1) end
  if work == "fill" and number == 60 then fillOn(newSession()) end
  frame(number)
  local rest = begin + number * FRAME - socket.gettime()
  if rest > 0 then socket.sleep(rest) end
end
assert(work == "idle" or pongs > count, "too few pongs")
assert(work ~= "catalog" or loaded == 2, "the catalog was not loaded")
assert(work ~= "fill" or filled == FILLS, "the records did not come")

local first, worked = table.remove(steps, 1), 0
for _, ms in ipairs(steps) do worked = ms > 0.1 and worked + 1 or worked end
table.sort(steps)
print(("%.2f %.2f %.2f %d %d"):format(first, steps[math.ceil(#steps * 0.99)], steps[#steps], worked, pongs))
os.exit(true, false) -- the sessions still ping
