--- The records of a table reference. The functions are those that filling, saving and storing build on; they
-- check no arguments. The state of a table reference `t` is t[P]:
--
--     jsdo, shape, t   the data object, the shape, the table reference
--     records          the records in order; those that were deleted keep their places
--     deleted          weak keys: record -> "deleted" | "gone"
--     deletedCount     the number of those in `records`; `holes`: of the gone ones
--     still            the array that foreach walks, as long as none of its records is deleted
--     front            the array, `frontAt` the place in it, before which all records are deleted; or nil
--     edition          how often records were deleted or came back
--     keyIndex         see merge.lua; or nil
--     changes          record -> change; `changeCount`, `changeNumber`: how many; the latest number
--     edits            how often a record was changed, to notice changes that are made during a fill
--     marks            record -> { errorString, rejected, conflict }
--     meta             the metatable of the records; each load makes one
--     generation       the number of the latest load, by which records of earlier ones are known
--     working          the working record; or nil

local changes = require "datasession.internal.data.changes"
local codec = require "datasession.internal.codec"
local defaults = require "datasession.internal.data.defaults"
local ids = require "datasession.internal.data.ids"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local record = require "datasession.internal.data.record"
local relations = require "datasession.internal.data.relations"
local sending = require "datasession.internal.data.sending"
local values = require "datasession.internal.data.values"

local GENERATION, MEMORY, P, VALUES = private.GENERATION, private.MEMORY, private.P, private.VALUES
local null = codec.null
local setmetatable = setmetatable
local weakKeys = { __mode = "k" }

local memory = {}

-- ---- Values

-- The plain form of a value that a program gave.
local function plain(m, field, value, level)
  value = values.plain(m.shape, field, value, level + 1)
  return value
end

local function checkPresent(m, r, level)
  local where = m.deleted[r]
  if where == "deleted" then
    raise("the record is deleted: rejectRowChanges brings it back", level + 1)
  elseif where or not memory.holds(m, r) then
    raise("the record is no longer in memory: find it again", level + 1)
  end
end

-- A write to a field through a record or a list.
local function write(m, r, field, value, level)
  checkPresent(m, r, level + 1)
  changes.set(m, r, field, plain(m, field, value, level + 1))
end

memory.plain, memory.checkPresent = plain, checkPresent

-- ---- Making and loading

-- Ends the loops over the records that a load replaces: they pass over what is deleted.
local allGone = { __mode = "k", __index = function() return "gone" end }

local SLICE = 2000 -- records that are made between two pauses: a few tenths of a millisecond

local function makeRecords(rows, meta, pause)
  local records = {}
  for i = 1, #rows do
    records[i] = setmetatable({ [VALUES] = rows[i] }, meta)
    if pause and i % SLICE == 0 then pause() end
  end
  return records
end

local generations = 0

-- All that rows without changes need to take the place of what `m` has.
local function prepare(m, rows, pause)
  generations = generations + 1
  local generation = generations
  local meta = record.meta(m, generation)
  return {
    generation = generation, meta = meta, records = makeRecords(rows, meta, pause),
    deleted = setmetatable({}, weakKeys), changes = {}, marks = {}, moved = {},
  }
end

-- Puts it in place. This takes no memory that could be missing.
local function adopt(m, new)
  if m.deleted then setmetatable(m.deleted, allGone) end
  m.records, m.deleted, m.deletedCount, m.holes = new.records, new.deleted, 0, 0
  m.still, m.front, m.keyIndex, m.edition = nil, nil, nil, m.edition + 1
  m.changes, m.changeCount, m.marks = new.changes, 0, new.marks
  m.generation, m.meta, m.groups = new.generation, new.meta, nil
  relations.setWorking(m, nil)
  ids.load(m)
  order.loaded(m, new.moved)
end

-- Replaces all that `m` has by rows without changes; out of memory, all of it stays.
local function replace(m, rows, pause) adopt(m, prepare(m, rows, pause)) end

--- Makes a table reference without records.
-- @param t table or nil: becomes the table reference
function memory.new(jsdo, shape, t)
  t = t or {}
  local m = {
    jsdo = jsdo, shape = shape, t = t, changeNumber = 0, edits = 0, edition = 0, write = write,
    before = changes.before,
  }
  rawset(t, P, m)
  order.init(m)
  replace(m, {})
  return t
end

--- True if the record belongs to what was loaded last.
function memory.holds(m, r)
  return r[MEMORY] == m and r[GENERATION] == m.generation and m.deleted[r] ~= "gone"
end

--- Replaces all records; changes are lost, and there is no working record.
-- @param rows array of plain rows, which memory takes over
-- @param pause function or nil: called between slices of the work; a change made meanwhile to the records
--   that are replaced is lost
function memory.load(t, rows, pause)
  replace(t[P], rows, pause)
end

--- The first half of `load`: makes records of the rows. The tables of a dataset are replaced all or, without
-- memory for all of them, none.
-- @return table, for `adopt`
function memory.prepare(t, rows, pause) return prepare(t[P], rows, pause) end

--- The second half: puts in place what `prepare` has made for the table.
function memory.adopt(t, prepared) adopt(t[P], prepared) end

function memory.clear(t) replace(t[P], {}) end

local function enter(m, r, created)
  ids.append(m, r)
  m.records[#m.records + 1] = r
  relations.appended(m, r)
  order.changed(m, r)
  if created then
    relations.noteParent(m, r)
    changes.create(m, r)
  end
  ids.enter(m, r)
end

-- Without memory there is no record, and no part of one.
local function append(m, row, created)
  local r = setmetatable({ [VALUES] = row }, m.meta)
  local ok, message = pcall(enter, m, r, created)
  if ok then return r end
  changes.abandon(m, r)
  error(message, 0)
end

--- Adds an unchanged record at the end.
function memory.append(t, row)
  return append(t[P], row)
end

--- Adds a created record: default values, then those of the parent's working record, then the given ones.
-- @param given plain values by field; or nil
-- @return the record
function memory.create(t, given)
  local m = t[P]
  local row = defaults.row(m.shape)
  for name, value in next, relations.foreignKey(m) or {} do row[name] = value end
  for name, value in next, given or {} do row[name] = value end
  return append(m, row, true)
end

-- ---- Reading

-- Walks an array as it is now: what is appended meanwhile is left out, and a load ends the walk.
local function walk(m, list)
  local deleted, n, i = m.deleted, #list, order.first(m, list) - 1
  return function()
    while i < n do
      i = i + 1
      local r = list[i]
      if not deleted[r] then return r end
    end
  end
end

--- Walks the records in order, without those that are deleted, whatever their relations.
function memory.records(t)
  local m = t[P]
  return walk(m, order.records(m))
end

--- Walks the records that belong to the parent's working record; all, if there is no parent.
function memory.related(t)
  local m = t[P]
  return walk(m, relations.list(m))
end

function memory.count(t)
  local m = t[P]
  return #m.records - m.deletedCount
end

memory.isRecord = record.is

--- The state of the table reference that the record belongs to.
function memory.state(r) return r[MEMORY] end

function memory.owner(r) return r[MEMORY].t end

--- The plain row of a record, which is live: null stands as codec.null.
function memory.values(r) return r[VALUES] end

function memory.id(r) return ids.id(r[MEMORY], r) end

--- The record's name in messages (ids.label).
function memory.label(r) return ids.label(r[MEMORY], r) end

--- The id that no other record has (ids.generated).
function memory.ownId(r) return ids.generated(r[MEMORY], r) end

--- The record of that id; nil if there is none, or if it is deleted and `deleted` is not true.
function memory.find(t, id, deleted)
  return ids.find(t[P], id, deleted)
end

--- The working record; nil: there is none.
function memory.working(t) return relations.working(t[P]) end

--- Sets the working record, or clears it. The children of the table follow; with `alone` they get none.
function memory.setWorking(t, r, alone) relations.setWorking(t[P], r, alone) end

-- ---- Changes

--- Changes a field; the value is plain.
function memory.set(r, field, value)
  if value == nil then value = null end
  changes.set(r[MEMORY], r, field, value)
end

function memory.change(r) return r[MEMORY].changes[r] end
function memory.changed(t) return changes.changed(t[P]) end
function memory.hasChanges(t) return t[P].changeCount > 0 end
function memory.restoreChange(r, state, oldRow) changes.restore(r[MEMORY], r, state, oldRow) end

--- Returns a mark that the last save has set on a record: name is "errorString", "rejected" or "conflict".
function memory.mark(r, name)
  local marks = r[MEMORY].marks[r]
  return marks and marks[name]
end

function memory.setMark(r, name, value) sending.mark(r[MEMORY], r, name, value) end
function memory.setError(r, text) sending.mark(r[MEMORY], r, "errorString", text) end

for _, name in ipairs { "delete", "before", "accept", "reject", "beginSave", "endSave", "failSave", "unsent",
  "refresh", "recreate", "clearMark" } do
  local f = changes[name] or sending[name]
  memory[name] = function(r, a, b, c, d) return f(r[MEMORY], r, a, b, c, d) end -- faster than "..."
end

local function each(t, f)
  local m = t[P]
  for _, r in ipairs(changes.changed(m)) do f(m, r) end
  for r in next, m.marks do m.marks[r] = nil end
end

--- True if a save waits for the server's answer about the record; or about any of the table.
function memory.isSending(r) return changes.isSending(r[MEMORY], r) end
function memory.isSaving(t) return changes.isSending(t[P]) end

function memory.acceptAll(t) each(t, changes.accept) end
function memory.rejectAll(t) each(t, changes.reject) end

--- Calls f(record, state) with each record of which something is to be sent, in no order.
function memory.eachUnsent(t, f)
  local m = t[P]
  for r in next, m.changes do
    local state = sending.unsent(m, r)
    if state then f(r, state) end
  end
end

function memory.clearMarks(t) sending.clearMarks(t[P]) end

return memory
