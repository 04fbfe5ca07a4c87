--- The methods on pending changes: of records, of tables, of all tables of a data object.

local memory = require "datasession.internal.data.memory"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local tableref = require "datasession.internal.data.tableref"

local P = private.P

local pending = { methods = {}, tableMethods = {}, recordMethods = {} }
local methods, tableMethods, recordMethods = pending.methods, pending.tableMethods, pending.recordMethods

-- The answer of a save that is under way decides about its records.
local function refuseSaving(method, isSaving, level)
  if isSaving then
    raise(method .. ": a save is under way: await its promise first", level + 1)
  end
end

-- ---- One record

local function acceptRow(r, level)
  refuseSaving("acceptRowChanges", memory.isSending(r), level + 1)
  if memory.mark(r, "rejected") or memory.mark(r, "errorString") then
    raise("acceptRowChanges: the server did not save this record: reject the change or save it again",
      level + 1)
  end
  memory.accept(r)
  return true
end

local function rejectRow(r, level)
  refuseSaving("rejectRowChanges", memory.isSending(r), level + 1)
  memory.reject(r)
  return true
end

--- Forgets the values before the change; a deleted record leaves memory.
-- @return true. Raises for a record whose save failed, or is under way
function recordMethods.acceptRowChanges(r) return (acceptRow(r, 2)) end

--- Undoes the change.
-- @return true. Raises while the record is being saved
function recordMethods.rejectRowChanges(r) return (rejectRow(r, 2)) end

--- Accepts the change of the working record.
function tableMethods.acceptRowChanges(t)
  local r = tableref.working(t, "acceptRowChanges", 2)
  return (acceptRow(r, 2))
end

--- Undoes the change of the working record.
function tableMethods.rejectRowChanges(t)
  local r = tableref.working(t, "rejectRowChanges", 2)
  return (rejectRow(r, 2))
end

-- ---- One table, or several

local function addChanges(list, t)
  for _, r in ipairs(memory.changed(t)) do
    list[#list + 1] = { rowState = memory.change(r).state, record = r }
  end
end

local function finish(tables, method, f, level)
  for _, t in ipairs(tables) do refuseSaving(method, memory.isSaving(t), level + 1) end
  for _, t in ipairs(tables) do f(t) end
  return true
end

function tableMethods.hasChanges(t) return memory.hasChanges(t) end

--- An array of { rowState = "created" | "modified" | "deleted", record = record }, the oldest change first.
function tableMethods.getChanges(t)
  local list = {}
  addChanges(list, t)
  return list
end

--- Forgets the values before the changes; deleted records leave memory.
-- @return true. Raises while a save is under way
function tableMethods.acceptChanges(t) return (finish({ t }, "acceptChanges", memory.acceptAll, 2)) end

--- Undoes all changes, the order of the records included.
-- @return true. Raises while a save is under way
function tableMethods.rejectChanges(t) return (finish({ t }, "rejectChanges", memory.rejectAll, 2)) end

function methods.hasChanges(jsdo)
  for _, t in ipairs(jsdo[P].tables) do
    if memory.hasChanges(t) then return true end
  end
  return false
end

--- The pending changes of all tables, table by table.
function methods.getChanges(jsdo)
  local list = {}
  for _, t in ipairs(jsdo[P].tables) do addChanges(list, t) end
  return list
end

--- Accepts the changes of all tables.
function methods.acceptChanges(jsdo)
  return (finish(jsdo[P].tables, "acceptChanges", memory.acceptAll, 2))
end

--- Undoes the changes of all tables.
function methods.rejectChanges(jsdo)
  return (finish(jsdo[P].tables, "rejectChanges", memory.rejectAll, 2))
end

return pending
