--- One trial: a call of one kind meets one fault. It checks: the promise settles once, with
-- what will do, within the limit; nothing is left pending; the next operations of the same session work.
local datasession = require "datasession"

local LIMIT = 20 -- seconds that no call may take

local trial = {}

local function listOf(one)
  return type(one) == "table" and one or { one }
end

local function wanted(case, kind)
  local expect = kind.once and case.resent and "connect" or case.expect
  if kind.returns and case.when == "accept" and expect == "connect" then expect = { "ok", "connect" } end
  local others = case.count == 0 and kind.lasting or kind.instead or {}
  local set, names = {}, {}
  for _, one in ipairs(listOf(expect)) do
    for _, outcome in ipairs(listOf(others[one] or one)) do
      if not set[outcome] then names[#names + 1] = outcome end
      set[outcome] = true
    end
  end
  return set, table.concat(names, " or ")
end

-- Checks an error itself: one line, and nothing of what must stay unsaid.
local function flawed(err)
  local text = tostring(err)
  if type(err) ~= "table" and type(err) ~= "userdata" then return "not an error object: " .. text end
  if text:find "%c" then return "an error of several lines: " .. text end
  if text:find "secret" or text:find "hush" or text:find "A944D0" then
    return "an error that tells secrets"
  end
  return nil
end

-- Steps until the promise is settled, letting the server go on meanwhile.
local function drive(server, promise)
  local patience = os.time() + LIMIT
  while promise:state() == "pending" and os.time() < patience do
    server:release()
    datasession.step(0)
  end
end

-- Cancels it when the client has had all that the server says before its pause.
local function cancel(server, promise)
  local patience = os.time() + LIMIT
  while select(4, server:counts()) == 0 and os.time() < patience do datasession.step(0) end
  datasession.step(0)
  promise:cancel()
end

-- The promise, and a function that says how often it was settled.
local function watched(promise)
  local times = 0
  promise:always(function() times = times + 1 end)
  return promise, function() return times end
end

-- Nil, or what is wrong.
local function judge(promise, times, case, kind)
  local value, err = promise:await(LIMIT)
  if promise:state() == "pending" then return "it was not settled" end
  if not datasession.run(LIMIT) or datasession.pending() then return "something is left in flight" end
  if times() ~= 1 then return ("it was settled %d times"):format(times()) end
  local set, text = wanted(case, kind)
  local outcome = value and "ok" or err.kind
  if not set[outcome] then return ("expected %s, got %s: %s"):format(text, outcome, err and tostring(err)) end
  return not value and flawed(err) or nil
end

-- The fault starts now; the subject is ready.
local function arm(server, kind, case, subject)
  if case.fresh or case.before == "close" then server:drop() end
  if case.before == "reset" then server:drop(true) end
  if kind.arm then kind.arm(subject, server) end
  if case.script then
    local script = type(case.script) == "function" and case.script() or case.script
    server:fault(case.when ~= "accept" and kind.key or nil, script, case.count, case.when)
  end
end

-- Without faults, the same call must succeed.
local function recover(kind, subject)
  kind.ready(subject)
  assert(kind.call(subject):await(LIMIT))
end

-- Nil, or what is wrong with the subject after the trial.
local function aftermath(server, kind, case, subject)
  if case.after and server:release() ~= 1 and case.after ~= "maybe" then
    return "the server had nothing more to say"
  end
  local ok, err = pcall(recover, kind, subject)
  if not ok then return "afterwards: " .. tostring(err) end
  return nil
end

--- Tries it.
-- @param server where `kind.key` is answered
-- @param subject what `kind.make` gave; used again and again
-- @return nil, or a text that says what is wrong
function trial.run(server, kind, case, subject)
  kind.ready(subject)
  arm(server, kind, case, subject)
  server:watch(kind.key)
  local promise, times = watched(kind.call(subject))
  if case.gated then drive(server, promise) end
  if case.cancel then cancel(server, promise) end
  local wrong = judge(promise, times, case, kind)
  local sent = server:watched()
  if kind.once and sent > 1 then wrong = ("it was sent %d times"):format(sent) end
  server:clear()
  wrong = wrong or aftermath(server, kind, case, subject)
  while wrong and server:release() > 0 do datasession.step(0) end
  return wrong and ("%s: %s: %s"):format(kind.name, case.name, wrong)
end

--- Tries several at once: for those that have to wait. Which of the calls of one key meets which of its
-- faults is not said.
-- @param entries an array of { kind =, case =, subject = }, each with a subject of its own
-- @return an array of texts
function trial.together(server, entries)
  local wrong = {}
  for _, entry in ipairs(entries) do entry.kind.ready(entry.subject) end
  for _, entry in ipairs(entries) do
    arm(server, entry.kind, entry.case, entry.subject)
    entry.promise, entry.times = watched(entry.kind.call(entry.subject))
  end
  for _, entry in ipairs(entries) do
    local what = judge(entry.promise, entry.times, entry.case, entry.kind)
    wrong[#wrong + 1] = what and ("%s: %s: %s"):format(entry.kind.name, entry.case.name, what)
  end
  server:clear()
  return wrong
end

return trial
