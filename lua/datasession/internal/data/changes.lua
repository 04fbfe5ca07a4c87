--- Pending changes of records. A change is a table:
--
--     state    "created", "modified" or "deleted"
--     old      field -> its value before the first change; empty for a created record
--     absent   field -> true for those in `old` that the row did not have; or nil
--     number   the order of the first changes
--     sending  the token of beginSave, as long as the server has not answered; or nil
--     saved    the state that the server has saved, if the program accepts changes by itself; or nil
--     since    field -> its value when it was saved, for what was changed since then; with `saved`
--     born     true if the record was created since the program accepted changes; with `saved`
--     errorString, rejected, conflict   what the last save reported
--
-- A deleted record keeps its place in m.records: m.deleted[r] is "deleted" then, and "gone" when it has left
-- memory for good.

local codec = require "datasession.internal.codec"
local edit = require "datasession.internal.data.edit"
local ids = require "datasession.internal.data.ids"
local private = require "datasession.internal.data.private"

local VALUES = private.VALUES
local null = codec.null
local begin, drop, keep, put, same = edit.begin, edit.drop, edit.keep, edit.put, edit.same
local hide, remove, restoreField, unhide = edit.hide, edit.remove, edit.restoreField, edit.unhide
local next = next

local changes = {}

--- Changes a field. A value that equals the present one changes nothing.
-- @param value plain; null for nil
function changes.set(m, r, field, value)
  local was, isAbsent = r[VALUES][field], false
  if was == nil then was, isAbsent = null, true end
  if same(was, value) then return end
  local change = begin(m, r, "modified")
  if isAbsent then
    change.absent = change.absent or {}
    change.absent[field] = true
  end
  if change.state ~= "created" then keep(change.old, field, was) end
  keep(change.sending and change.sending.later, field, was)
  keep(change.saved and change.since, field, was)
  put(m, r, field, value)
end

--- Marks a record as created.
function changes.create(m, r) return begin(m, r, "created") end

--- Deletes a record. One that was created here and that nothing was sent of is removed at once.
function changes.delete(m, r)
  local change = m.changes[r]
  if change and change.state == "created" and not change.sending and not change.saved then
    remove(m, r)
    return
  end
  change = begin(m, r, "modified")
  hide(m, r)
  change.state = "deleted"
end

local function restoreFields(m, r, old)
  for field, value in next, old do restoreField(m, r, field, value) end
end

--- Forgets the old values. A deleted record leaves memory.
function changes.accept(m, r)
  local change = m.changes[r]
  m.marks[r] = nil
  if not change then return end
  if change.state == "deleted" then
    remove(m, r)
  else
    edit.finish(m, r)
  end
end

--- Undoes a change: a created record leaves memory, a modified or deleted one is as it was.
function changes.reject(m, r)
  local change = m.changes[r]
  m.marks[r] = nil
  if not change then return end
  if change.state == "created" or change.born then
    remove(m, r)
    return
  end
  restoreFields(m, r, change.old)
  ids.leave(m, r)
  drop(m, r)
  unhide(m, r)
  ids.enter(m, r)
end

--- Takes back a record that was being added when memory gave out.
function changes.abandon(m, r)
  local records = m.records
  if records[#records] == r then records[#records] = nil end
  if m.moved[r] then m.moved[r], m.movedCount = nil, m.movedCount - 1 end
  drop(m, r)
  m.index, m.groups = nil, nil
end

--- True if a save waits for the server's answer about the record; without a record: about any.
function changes.isSending(m, r)
  if r then return m.changes[r] ~= nil and m.changes[r].sending ~= nil end
  for _, change in next, m.changes do
    if change.sending then return true end
  end
  return false
end

--- The changed records, the oldest change first.
function changes.changed(m)
  local list, byNumber, n = {}, {}, 0
  for r, change in next, m.changes do
    n = n + 1
    list[n], byNumber[change.number] = change.number, r
  end
  table.sort(list)
  for i = 1, n do list[i] = byNumber[list[i]] end
  return list
end

--- A plain copy of the row as it was before the change; nil for one that was not changed, or is new.
function changes.before(m, r)
  local change = m.changes[r]
  if not change or change.state == "created" then return nil end
  local row = {}
  for field, value in next, r[VALUES] do row[field] = value end
  for field, value in next, change.old do row[field] = value end
  return row
end

--- Makes a pending change of an unchanged record, as a before-image tells it.
-- @param oldRow the plain row before the change, what it lacks being unchanged; nil for "created"
function changes.restore(m, r, state, oldRow)
  ids.leave(m, r)
  local change, row = begin(m, r, state), r[VALUES]
  for field, old in next, oldRow or {} do
    local now = row[field]
    if now == nil then now = null end
    if state ~= "created" and not same(old, now) then change.old[field] = old end
  end
  ids.enter(m, r)
  if state == "deleted" then hide(m, r) end
end

-- Takes over the server's value of a field. A field with a pending change keeps its value; the server's
-- becomes the one before the change, and the change ends when both are the same.
local function refreshField(m, r, old, field, value)
  if old == nil or old[field] == nil then
    put(m, r, field, value)
  elseif same(r[VALUES][field], value) then
    old[field] = nil
  else
    old[field] = value
  end
end

--- The server has other values of a record now. Fields with a pending change keep theirs, on top of these.
-- @param row the server's plain values
function changes.refresh(m, r, row)
  local change = m.changes[r]
  local old = change and (change.saved and change.since or change.old)
  ids.leave(m, r)
  for field, value in next, row do refreshField(m, r, old, field, value) end
  if change and change.state == "modified" and next(change.old) == nil then drop(m, r) end
  ids.enter(m, r)
end

--- Makes the record one that the server does not have: the next save creates it.
function changes.recreate(m, r)
  drop(m, r)
  begin(m, r, "created")
end

return changes
