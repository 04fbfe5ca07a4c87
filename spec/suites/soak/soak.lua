--- Many sessions of every system do random things for a while, with a server at which everything goes wrong
-- at random. usage: lua spec/suites/soak/soak.lua
--   SOAK_SECONDS: how long (60); SOAK_SEED: of the generator, to do nearly the same again; by default the
--                                           time
--   SOAK_TRACE=1: each thing that is done goes to stderr
-- At the end nothing may be left: no promise that was not settled once, and no more memory, descriptors,
-- threads and server sessions than there were before.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local shared = require "datasession.internal.catalog.shared"
local actions = dofile "spec/suites/soak/actions.lua"
local random = dofile "spec/suites/soak/random.lua"
local systems = dofile "spec/suites/soak/systems.lua"
local trouble = dofile "spec/suites/soak/trouble.lua"
local ledger = actions.ledger

local SECONDS = tonumber(os.getenv "SOAK_SECONDS" or 60)
local SEED = math.tointeger(tonumber(os.getenv "SOAK_SEED" or os.time()))
local TRACE = os.getenv "SOAK_TRACE" == "1"
local SLOTS = 300
local LIMIT = 30 -- seconds after which what is not over at the end is a failure
local TROUBLE = 0.01 -- part of what is done
local KIBIBYTES = 256 -- of Lua memory that may be more than before: caches, and longer tables of the registry

io.stdout:setvbuf "line"
local rnd = random.new(SEED)
local soak = { operations = 0 }
local slots = {}

local function options(system)
  local chosen = system.options(soak.server, rnd)
  if not chosen then return nil end
  chosen.timeout = rnd:of { 0.2, 0.5, 1 }
  chosen.stallTimeout = rnd:chance(0.2) and 0.1 or nil
  if rnd:chance(0.2) then chosen.serviceURI = chosen.serviceURI:gsub("127%.0%.0%.1", "localhost") end
  if system.reconnects then
    chosen.reconnect = rnd:chance(0.5) and
      { maxAttempts = rnd:upTo(4) - 1, delay = rnd:number(0.05), jitter = 0.5 }
    chosen.keepCredentials = rnd:chance(0.5)
  end
  if rnd:chance(0.4) then
    chosen.retry = {
      delay = rnd:number(0.05), maxAttempts = rnd:upTo(4), budget = rnd:chance(0.5),
      totalTimeout = rnd:chance(0.5) and 0.05 + rnd:number(1) or nil,
    }
  end
  return chosen
end

local function fill(slot)
  local system = rnd:of(systems)
  local chosen = options(system)
  if not chosen then return end
  slot.system, slot.session = system, datasession.new(chosen)
end

local EXPECTED = { -- what an action may raise: another has ended the session just before
  ["stop"] = { "no live session has that key" },
  ["active"] = { "no live session" },
}

local function act(slot)
  local action = rnd:weighted(actions.list)
  soak.operations = soak.operations + 1
  if TRACE then io.stderr:write(action[2], " ", tostring(slot.session), "\n") end
  ledger.try(action[2], EXPECTED[action[2]], action[3], slot, rnd, soak)
end

function soak.any()
  local slot = slots[rnd:upTo(SLOTS)]
  if slot.session then act(slot) end
end

local function makeTrouble()
  if not soak.server:isRunning() and rnd:chance(0.5) then assert(soak.server:start()) end
  rnd:weighted(trouble.list)[2](soak.server, rnd)
  soak.operations = soak.operations + 1
end

local function storm(seconds)
  local ends = os.time() + seconds
  while os.time() < ends do
    local slot = slots[rnd:upTo(SLOTS)]
    if not slot.session or slot.session.state == "invalid" then fill(slot) end
    if slot.session then act(slot) end
    if rnd:chance(TROUBLE) then makeTrouble() end
    if rnd:chance(0.3) then datasession.step(rnd:of { 0, 0, 0, 0.001 }, rnd:of { 0, 0, 0.0001 }) end
  end
end

local function settle(what)
  ledger.watch("invalidateAllSessions", datasession.invalidateAllSessions { all = true }):await(LIMIT)
  if not datasession.run(LIMIT) then ledger.fail("%s: something pends for ever", what) end
  for _, name in ipairs(ledger.unsettled()) do ledger.fail("%s: never settled: %s", what, name) end
  ledger.open = {}
  if #datasession.sessions() > 0 then ledger.fail("%s: %d sessions live", what, #datasession.sessions()) end
end

-- With a server at which all is well, every session that logs in is logged out of.
local function closeAll(what)
  assert(soak.server:restart()) -- requests that no call awaits may still be at work in it
  soak.server:expireSessions()
  local held = {}
  for i = 1, 40 do
    local system = systems[i % #systems + 1]
    held[i] = datasession.new(system.options(soak.server, rnd) or { serviceURI = soak.server.uris.anonymous })
    ledger.watch("login", system.login(held[i], random.new(1)))
  end
  datasession.run(LIMIT)
  settle(what)
  for _, system in ipairs(systems) do
    local left = soak.server:sessionCount(system.model)
    if left ~= 0 then ledger.fail("%s: %d sessions of %s are left on the server", what, left, system.name) end
  end
end

local FDS = 4096 -- descriptors are numbered from 0, the lowest that is free

-- How many descriptors are open; 0 where there is no /proc.
local function descriptors()
  local n = 0
  for fd = 0, FDS do
    local file = io.open("/proc/self/fdinfo/" .. fd)
    if file then
      n = n + 1
      file:close()
    end
  end
  return n
end

local function threads()
  local file <close> = io.open "/proc/self/status"
  return file and math.tointeger(file:read("a"):match "Threads:%s*(%d+)") or 0
end

local function collected()
  collectgarbage "incremental"
  for _ = 1, 4 do collectgarbage() end
  return collectgarbage "count"
end

-- Kept connections to a server that is gone are looked at when the next one is opened, a second later.
local function dropConnections()
  local ends = os.time() + 2
  while os.time() < ends do datasession.step(0.1) end
  local session = datasession.new { serviceURI = "http://127.0.0.1:1/" }
  session:login():await(LIMIT)
  session:invalidate():await(LIMIT)
end

-- The library keeps what it made of the latest catalogs: others take their place.
local function dropCatalogs()
  for i = 1, 20 do assert(shared.entry('{"services":[]}' .. (" "):rep(i))) end
end

local function measure()
  dropConnections()
  dropCatalogs()
  return { descriptors = descriptors(), threads = threads(), memory = collected() }
end

local function compare(before, after)
  for _, what in ipairs { "descriptors", "threads" } do
    if after[what] ~= before[what] then
      ledger.fail("%s: %s before, %s after", what, before[what], after[what])
    end
  end
  local more = after.memory - before.memory
  if more > KIBIBYTES then ledger.fail("memory: %.0f KiB more than before", more) end
  print(("soak: memory %+.0f KiB, %d descriptors, %d threads, %d promises")
    :format(more, after.descriptors, after.threads, ledger.made))
end

local function weather(seconds)
  soak.server = assert(sandbox.start { customers = 5, orders = 12, items = 8 })
  for i = 1, SLOTS do slots[i] = {} end
  datasession.setDeviceOnline(true)
  storm(seconds)
  datasession.setDeviceOnline(true)
  for i = 1, SLOTS do slots[i] = {} end
  trouble.calm(soak.server)
  settle "after the storm"
  closeAll "in the calm"
  soak.server:close()
  soak.server = nil
end

print(("soak: seed %d, for %d seconds"):format(SEED, SECONDS))
datasession.onError(ledger.report)
datasession.setLogger(function() end)
weather(1)
local before = measure()
weather(SECONDS)
compare(before, measure())
for i = 1, math.min(20, #ledger.wrong) do print("  " .. ledger.wrong[i]) end
print(("soak: %d seconds, seed %d, %d operations, %d failed"):format(SECONDS, SEED, soak.operations,
  #ledger.wrong))
os.exit(#ledger.wrong == 0, true)
