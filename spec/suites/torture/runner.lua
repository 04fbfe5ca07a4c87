--- Runs each scenario again and again, memory failing at its 1st, 2nd, 3rd ... request until it gets through,
-- in each of the ways below; prints one closing line. See host.c and victim.lua.
--
-- After most failures the same state goes on with good memory: pending promises settle, and the operation
-- succeeds. After every 16th it is closed at once, its memory still failing, with all that is half made or
-- pending. Whatever a closed state leaves behind is a failure.
--
-- TORTURE_SHORT=1: a sample. TORTURE_ONLY=<pattern>: scenarios whose names match. TORTURE_FILES: other
-- scenario files. TORTURE_AT="lua once 58": that failure alone. TORTURE_CLOSE=1: the state is closed after
-- every failure. TORTURE_VERBOSE=1: what each scenario took. TORTURE_OUTCOMES=1: what each failure led to.
-- TORTURE_PART="1/2": every other scenario, for run.sh.
-- luacheck: globals victim serve
local sandbox = require "datasession.sandbox"

-- Seconds after which something was lost, and only the time limit (victim.lua, TIMEOUT) has ended the wait.
local SLOW = 8
local MODES = {
  { "lua", "once" }, { "lua", "after" }, { "lua", "collect" }, { "curl", "once" }, { "curl", "after" },
}

local function setting(name)
  local value = os.getenv(name)
  return value ~= "" and value ~= "0" and value or nil
end

local short, only, exactly = setting "TORTURE_SHORT", setting "TORTURE_ONLY", setting "TORTURE_AT"
local verbose, outcomes = setting "TORTURE_VERBOSE", setting "TORTURE_OUTCOMES"
local closeEvery = tonumber(setting "TORTURE_CLOSE") or 16
local part, parts = (setting "TORTURE_PART" or "1/1"):match "^(%d+)/(%d+)$"
part, parts = tonumber(part), tonumber(parts)
local server = assert(sandbox.start { customers = 3, orders = 4, items = 3 })
server:route("POST", "/SportsForm/echo", function(request) return 200, nil, request.body end)
server:route("POST", "/SportsForm/moved", function() return 307, { Location = "/SportsForm/echo" }, "" end)

local points, operations, collected, failed = 0, 0, 0, 0
local opened, sinceClose = false, 0
local alone, untimed -- the scenario wants a new state for each failure; it takes as long as it takes
local curlBlocks -- that libcurl keeps for itself

--- For the victim's `remote`.
function serve(name, ...)
  if type(server[name]) ~= "function" then return server[name] end
  return server[name](server, ...)
end

local function scenarioFiles()
  local files = setting "TORTURE_FILES"
  if files then return (files:gsub(" +", "\n")) end
  local pipe = assert(io.popen "ls spec/suites/torture/scenarios/*.lua | LC_ALL=C sort")
  files = pipe:read "a"
  pipe:close()
  return files
end

local files = scenarioFiles()

local function fail(where, message)
  failed = failed + 1
  io.stderr:write("FAILED ", where, ": ", message, "\n")
end

-- ---- states

local function close(where, kind, mode)
  if not opened then return end
  opened, sinceClose = false, 0
  local bytes, blocks, curl = victim.close(kind, mode, kind and 1)
  if bytes ~= 0 or blocks ~= 0 then
    fail(where, ("%d bytes in %d blocks are left after lua_close"):format(bytes, blocks))
  end
  if curlBlocks and curl > curlBlocks then
    fail(where, ("%d blocks of libcurl's are left after lua_close"):format(curl - curlBlocks))
    curlBlocks = curl
  end
  curlBlocks = curlBlocks or curl
end

local function open()
  if opened then return end
  assert(victim.open())
  opened = true
  local ok, list = victim.call("loadScenarios", files)
  assert(ok, list)
  return list
end

-- A state in which something went wrong is not gone on with.
local function discard(where, message)
  fail(where, message)
  close(where)
end

local function closeCalmly(where)
  if not opened then return end
  local ok, message = victim.call "drop"
  if not ok then fail(where, "after the last: " .. message) end
  close(where)
end

-- ---- one failure

local function recover(where, outcome)
  local ok, message = victim.call "recover"
  if not ok then
    discard(where, ("afterwards: %s (%s)"):format(message, outcome))
  elseif alone then
    closeCalmly(where)
  end
end

--- False when the operation got through without a refusal. An operation that is slow because the machine is
-- busy is not slow twice: `slow` says that it was once.
local function strike(name, where, kind, mode, at, slow)
  victim.about(where)
  open()
  local refused
  local ok, message = victim.call("prepare", name)
  if not ok then
    discard(where, "prepare: " .. message)
    return false
  end
  local began = victim.clock()
  ok, message, refused = victim.call("act", nil, kind, mode, at)
  local outcome = ok and "it had got through" or "it had failed: " .. message
  if outcome:find "No URL set" or outcome:find "missing URL" then
    fail(where, "want of memory is blamed on a URI")
  end
  local took = victim.clock() - began
  local late = took > SLOW and not untimed
  if late and slow then fail(where, ("it took %.2f s; "):format(took) .. outcome) end
  if outcomes then print(("%s\t%s"):format(where, ok and "it got through" or message:gsub("\n.*", ""))) end
  if not refused then
    if not ok then discard(where, "with good memory: " .. message) end
    return false
  end
  if not slow then points = points + 1 end
  sinceClose = sinceClose + 1
  if sinceClose >= closeEvery then
    victim.about(where .. ", closing at once")
    close(where .. ", closing at once", kind, "after")
  else
    recover(where, outcome)
  end
  if late and not slow then strike(name, where .. ", once more", kind, mode, at, true) end
  return true
end

-- Takes a sample of the requests of operations that make many; the whole of the first requests always.
local function stepAfter(at)
  if short then return at < 3 and 1 or at // 2 + 3 end
  return at < 128 and 1 or at // 24
end

local function strikeAll(name, kind, mode)
  local at = 1
  if exactly then
    at = tonumber(exactly:match(("^%s %s (%%d+)$"):format(kind, mode)))
    if at then strike(name, ("%s, %s"):format(name, exactly), kind, mode, at) end
    return at or 0
  end
  local before = failed
  while strike(name, ("%s, %s %s, request %d"):format(name, kind, mode, at), kind, mode, at) do
    at = at + stepAfter(at)
    if failed - before >= 5 then break end -- more of the same
  end
  return at
end

-- ---- collectors

--- With good memory and such a collector the operation succeeds, twice in one state, which then leaves
-- nothing behind.
local function collect(name, kind)
  local where = ("%s, %s collector"):format(name, kind)
  victim.about(where)
  open()
  victim.call("setTimeout", "60")
  local ok, message = victim.call("prepare", name)
  if ok then ok, message = victim.call("collector", kind) end
  if ok then ok, message = victim.call "act" end
  if ok then ok, message = victim.call "recover" end
  victim.call("collector", "incremental")
  victim.call("setTimeout", "10")
  if not ok then return discard(where, message) end
  closeCalmly(where)
end

local function collectAll(name)
  if exactly then return end
  local began = victim.clock()
  collect(name, "generational")
  collect(name, "eager")
  collected = collected + 1
  if verbose then print(("%6.2f s  %-50s collectors"):format(victim.clock() - began, name)) end
end

local function runScenario(name)
  operations = operations + 1
  local began, counts = os.clock(), {}
  closeCalmly(name)
  open()
  local _, traits = victim.call("traits", name)
  alone, untimed = traits:find "alone", traits:find "untimed"
  for i, mode in ipairs(MODES) do
    if not short or (operations + i) % 3 == 0 then
      counts[#counts + 1] = ("%s %s %d"):format(mode[1], mode[2], strikeAll(name, mode[1], mode[2]))
    end
  end
  closeCalmly(name)
  collectAll(name)
  server:clearRequests()
  server:clearFaults()
  server:setApplication("anonymous", true)
  if verbose then
    print(("%6.2f s  %-50s %s"):format(os.clock() - began, name, table.concat(counts, ", ")))
  end
end

-- ---- opening a state

-- Compiling the Lua files is Lua's; it is looked at here and there.
local function openingStep(at)
  return short and at // 2 + 200 or at // 40 + 1
end

local _

local function strikeOpenings(kind, mode)
  local at, refused = 1, true
  while refused do
    local where = ("opening a state, %s %s, request %d"):format(kind, mode, at)
    local ok, message
    victim.about(where)
    ok, _, refused = victim.open(kind, mode, at)
    if ok and not refused then
      ok, message, refused = victim.call("loadScenarios", files, kind, mode, at)
      if not ok and not refused then fail(where, "with good memory: " .. message) end
      if refused then
        ok, message = victim.call("loadScenarios", files)
        if not ok then fail(where, "afterwards: " .. message) end
      end
    end
    if refused then points = points + 1 end
    opened = true
    close(where, refused and kind or nil, "after")
    at = at + openingStep(at)
  end
end

-- ---- what there is: each function that has a heading in docs/ is in some scenario

local function textOf(list)
  local texts = {}
  for file in list:gmatch "[^\n]+" do
    local handle = assert(io.open(file))
    texts[#texts + 1] = handle:read "a"
    handle:close()
  end
  return table.concat(texts)
end

local function checkCoverage()
  local pipe = assert(io.popen "ls docs/*.md | grep -v sandbox")
  local docs = textOf(pipe:read "a")
  pipe:close()
  local code = textOf(files .. "\nspec/suites/torture/victim.lua")
  for what in docs:gmatch "\n### `([%w_.:]+)%(" do
    local name = what:match "[%w_]+$"
    if not code:find("[.:]" .. name .. "%f[^%w_]") then fail(what, "no scenario has it") end
  end
end

-- ---- all

local list = open()
victim.call("prepare", list:match "[^\n]+")
victim.call "act"
close "the first state"
local ordinal = 0
for name in list:gmatch "[^\n]+" do
  ordinal = ordinal + 1
  if ordinal % parts == part - 1 and (not only or name:find(only)) then runScenario(name) end
end
if not only and part == 1 then
  checkCoverage()
  operations = operations + 1
  for i = 1, short and 1 or 3 do strikeOpenings(table.unpack(MODES[i])) end
end
server:close()
print(("torture: %d failure points, %d operations, %d under an eager collector, %d failed"):format(
  points, operations, collected, failed))
return failed == 0
