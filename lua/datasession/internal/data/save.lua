--- saveChanges: the arguments, the checks, the order of saves, and the outcome as a whole.

local P = require("datasession.internal.data.private").P
local core = require "datasession.core"
local errors = require "datasession.internal.data.errors"
local events = require "datasession.internal.data.events"
local memory = require "datasession.internal.data.memory"
local outcome = require "datasession.internal.data.outcome"
local lua = require "datasession.internal.lua"
local pause = require "datasession.internal.pause"
local raise = require "datasession.internal.raise"
local requests = require "datasession.internal.data.request"
local rowsave = require "datasession.internal.data.rowsave"
local submit = require "datasession.internal.data.submit"
local suggest = require "datasession.internal.suggest"

local running, closing = lua.running, lua.closing

local format = string.format

local save = { methods = {} }

local OPTIONS = { "submit", "onProgress", "stopOnError" }
local TYPES = { submit = "boolean", onProgress = "function", stopOnError = "boolean" }

-- ---- arguments and checks

local function checkOptions(given, level)
  for name, value in pairs(given) do
    if not TYPES[name] then
      raise("saveChanges: " .. suggest.unknown("option", name, OPTIONS), level + 1)
    elseif type(value) ~= TYPES[name] then
      raise(format("saveChanges: option '%s': expected a %s, got %s", name, TYPES[name], type(value)),
        level + 1)
    end
  end
end

local function optionsOf(given, level)
  if given == nil or type(given) == "boolean" then return { submit = given or false } end
  if type(given) ~= "table" then
    raise(format("saveChanges: expected true to submit, false, or a table of options, got %s", type(given)),
      level + 1)
  end
  checkOptions(given, level + 1)
  return given
end

local function counted(n)
  return n == 1 and "1 pending change needs" or n .. " pending changes need"
end

-- Raises if there are pending changes of a kind for which the catalog has no operation.
local function checkOperations(jsdo, level)
  local counts, resource = {}, jsdo[P].resource
  for _, t in ipairs(jsdo[P].tables) do
    memory.eachUnsent(t, function(_, state) counts[state] = (counts[state] or 0) + 1 end)
  end
  for state, n in pairs(counts) do
    local kind = rowsave.KINDS[state].type
    if not resource:operation(kind) then
      raise(format("saveChanges: the resource %s has no %s operation, which %s", resource.name, kind,
        counted(n)), level + 1)
    end
  end
end

local function checkSubmit(jsdo, level)
  local resource = jsdo[P].resource
  if not resource:operation "submit" then
    raise(format("saveChanges: the resource %s has no submit operation: save record by record, "
      .. "without true", resource.name), level + 1)
  elseif not resource.datasetName and jsdo[P].autoApplyChanges then
    raise("saveChanges: the answer to the submit of a temp-table names no records: set autoApplyChanges "
      .. "to false and accept the changes yourself", level + 1)
  end
end

local function checkSendOnlyChanges(jsdo, level)
  if not jsdo[P].resource.service.settings.sendOnlyChanges then return end
  for _, t in ipairs(jsdo[P].tables) do
    if not t[P].shape.idProperty then
      raise("saveChanges: the service's setting sendOnlyChanges needs an idProperty, and "
        .. t[P].shape.name .. " has none", level + 1)
    end
  end
end

local function canSave(resource)
  for _, kind in ipairs { "create", "update", "delete", "submit" } do
    if resource:operation(kind) then return true end
  end
  return false
end

local function check(jsdo, options, level)
  if not canSave(jsdo[P].resource) then
    raise(format("saveChanges: the resource %s has no operation that saves", jsdo[P].resource.name),
      level + 1)
  end
  if options.submit then
    checkSubmit(jsdo, level + 1)
  else
    checkOperations(jsdo, level + 1)
    checkSendOnlyChanges(jsdo, level + 1)
  end
  local now = jsdo[P].saving
  if now and now.thread == running() then
    raise("saveChanges: a handler of a save cannot begin another one: begin it when the promise has settled",
      level + 1)
  end
end

-- ---- one save after the other

local ABANDONED = "the save was cancelled while the request was pending; the server may have run it"

-- Adds the entry of a request that was pending when the save was cancelled.
local function addAbandoned(jsdo, r)
  local entry = { type = errors.ERROR, error = ABANDONED, id = r and memory.id(r) }
  errors.add(jsdo, entry, r, r and memory.owner(r))
end

-- Notes in a save that is cancelled that the outcome of the pending request is unknown.
local function abandon(jsdo, plan)
  local made = plan.sending
  if made then
    outcome.pending(made, made.jsrecord, plan.token, outcome.UNKNOWN)
    addAbandoned(jsdo, made.jsrecord)
  end
  local parts = 0
  for _, part in ipairs(plan.parts or {}) do
    if part.token then
      outcome.pending(part.made, part.r, part.token, outcome.UNKNOWN)
      parts = parts + 1
    end
  end
  if parts > 0 then addAbandoned(jsdo) end
end

-- Waits for the saves that were begun before, and keeps others away until it is closed.
local function enter(jsdo)
  local state = jsdo[P]
  while state.saving do state.saving.over:await() end
  local lock, release = { thread = running() }, nil
  lock.over = core.promise(function(resolve) release = resolve end)
  setmetatable(lock, { __close = function()
    state.saving = nil
    if lock.plan then abandon(jsdo, lock.plan) end
    release(true)
  end })
  state.saving = lock -- last: a lock that is half made would never be unlocked
  return lock
end

-- ---- the order of the tables

local function depthOf(t)
  local depth, m = 0, t[P].parent
  while m do
    depth, m = depth + 1, m.parent
  end
  return depth
end

-- The tables, parents before children; otherwise in the catalog's order.
local function ordered(jsdo)
  local list, places = {}, {}
  for i, t in ipairs(jsdo[P].tables) do
    list[i] = t
    places[t] = depthOf(t) * #jsdo[P].tables + i
  end
  table.sort(list, function(a, b) return places[a] < places[b] end)
  return list
end

-- ---- the outcome

local function failed(list)
  local found = {}
  for _, made in ipairs(list) do
    if made.exception then found[#found + 1] = made end
  end
  return found
end

-- How many of the requests ended so.
local function count(list, found)
  local n = 0
  for _, made in ipairs(list) do
    if made.outcome == found then n = n + 1 end
  end
  return n
end

-- "2 of 5 changes are saved, 1 refused, 1 unknown, 1 unsent".
local function summary(list)
  local parts = { format("%d of %d changes saved", count(list, outcome.SAVED), #list) }
  for _, found in ipairs { outcome.REFUSED, outcome.UNKNOWN, outcome.UNSENT } do
    local n = count(list, found)
    if n > 0 then parts[#parts + 1] = format("%d %s", n, found) end
  end
  return table.concat(parts, ", ")
end

-- The error of the whole call, which is that of the first failure.
local function failure(made, list)
  local bad = failed(list)
  local first = made.exception or bad[1] and bad[1].exception
  if not first then return nil end
  if #list == 1 then return requests.blame(first, made) end
  local message = format("saveChanges: %s; the first failure: %s", summary(list), first.message)
  return requests.failure(first.kind, message, first.hint, made, first)
end

local function partsOf(plan)
  local list = {}
  for i, part in ipairs(plan.parts) do list[i] = part.made end
  return list
end

-- Fires the last event and gives the outcome of the call.
local function conclude(jsdo, made, list)
  for _, t in ipairs(jsdo[P].tables) do memory.setWorking(t, nil) end
  local err = failure(made, list)
  made.success = err == nil
  if err then requests.blame(err, made) end
  events.fire(jsdo, "afterSaveChanges", made.success, made)
  if err then error(err, 0) end
  return jsdo, core.constants.SUCCESS, made
end

-- ---- the call

local function forget(jsdo)
  errors.clear(jsdo)
  for _, t in ipairs(jsdo[P].tables) do memory.clearMarks(t) end
end

local function cancelled(jsdo, made)
  local err = requests.failure("cancelled", "saveChanges: a handler of beforeSaveChanges cancelled it", nil,
    made)
  errors.ofRequest(jsdo, err, made)
  error(err, 0)
end

local function hasUnsent(jsdo)
  local found = false
  for _, t in ipairs(jsdo[P].tables) do
    memory.eachUnsent(t, function() found = true end)
  end
  return found
end

-- A fill that is pending may have read values that are older than those that this save sends.
local function noteSave(jsdo)
  local s = jsdo[P]
  s.saves = (s.saves or 0) + 1
end

-- Both return an array of the requests that were planned, one for each record.

local function runSubmit(jsdo, options, made, lock)
  made.operation, made.jsrecords = requests.SUBMIT, {}
  local plan = { made = made, onProgress = options.onProgress, parts = {} }
  lock.plan = plan
  if hasUnsent(jsdo) then
    noteSave(jsdo)
    submit.run(jsdo, plan, pause)
  end
  lock.plan = nil
  return partsOf(plan)
end

local function runRows(jsdo, options, made, lock)
  local plan = {
    operations = rowsave.plan(jsdo, ordered(jsdo)), onProgress = options.onProgress,
    stopOnError = options.stopOnError,
  }
  lock.plan, made.batch = plan, { operations = plan.operations }
  if plan.operations[1] then noteSave(jsdo) end
  rowsave.run(jsdo, plan)
  lock.plan = nil
  return plan.operations
end

local function saveLocked(jsdo, options, made, lock)
  forget(jsdo)
  if events.fire(jsdo, "beforeSaveChanges", made) == false then return cancelled(jsdo, made) end
  return (options.submit and runSubmit or runRows)(jsdo, options, made, lock)
end

local function saveAll(jsdo, options, made)
  local lock = enter(jsdo)
  return closing(lock, saveLocked, jsdo, options, made, lock)
end

-- The last event fires when other saves and fills may begin: its handlers may call and await them.
local function run(jsdo, options)
  local made = requests.new(jsdo, options.submit and "_submit" or nil)
  return conclude(jsdo, made, saveAll(jsdo, options, made))
end

--- Sends the pending changes to the server, record by record or, with true, all in one request.
--
-- Record by record: deletes, then creates, then updates; each request after the response to the one before. A
-- change that the server refuses does not stop the others unless `stopOnError` is true. A request without a
-- usable response stops the save, and its change and all later ones stay pending.
-- @param options true: submit; false or nil: record by record; or a table:
--   `submit`, boolean, by default false; `stopOnError`, boolean, by default false;
--   `onProgress`, function (done, total), called after each record
-- @return promise of (jsdo, SUCCESS, request). `request.batch.operations` has a request for each record, with
--   `jsrecord`, `success` and `outcome`: "saved", "refused", "unknown" (the server may have run it) or
--   "unsent". Rejected when a change was not saved; `err.info.request` is the request. Raises for wrong
--   arguments, and when the catalog has no operation for a pending change
function save.methods.saveChanges(jsdo, options)
  options = optionsOf(options, 2)
  check(jsdo, options, 2)
  return core.spawn(run, jsdo, options)
end

return save
