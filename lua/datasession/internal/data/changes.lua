--- Pending changes of records. A change is a table:
--
--     state    "created", "modified" or "deleted"
--     old      field -> its value before the first change; empty for a created record
--     number   the order of the first changes
--     sending  the token of beginSave, as long as the server has not answered; or nil
--     saved    the state that the server has saved, if the program accepts changes by itself; or nil
--     since    field -> its value when it was saved, for what was changed since then; with `saved`
--     errorString, rejected, conflict   what the last save reported
--
-- A deleted record keeps its place in m.records: m.deleted[r] is "deleted" then, and "gone" when it has left
-- memory for good.

local codec = require "datasession.internal.codec"
local ids = require "datasession.internal.data.ids"
local lists = require "datasession.internal.data.lists"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local relations = require "datasession.internal.data.relations"

local VALUES = private.VALUES
local null = codec.null
local next, type = next, type

local changes = {}

-- Here and below, what needs memory comes first: without memory nothing is half done.
local function begin(m, r, state)
  m.edits = m.edits + 1
  local change = m.changes[r]
  if change then return change end
  m.changeNumber = m.changeNumber + 1
  change = { state = state, old = {}, number = m.changeNumber }
  m.changes[r] = change
  m.changeCount = m.changeCount + 1
  return change
end

local function drop(m, r)
  if m.changes[r] then m.changes[r], m.changeCount = nil, m.changeCount - 1 end
end

-- Puts a value into the row, whatever it replaces.
local function put(m, r, field, value)
  local row, isId = r[VALUES], field == m.shape.idProperty
  local was = row[field]
  if was == nil then row[field] = null end
  order.changed(m, r, field)
  if isId then ids.leave(m, r) end
  row[field] = value
  if isId then ids.enter(m, r) end
  if m.keyIndex and m.keyIndex.fields[field] then m.keyIndex = nil end
  if m.keyFields and m.keyFields[field] then
    relations.keyChanged(m, r, field, was)
  elseif m.groups and m.moved[r] then
    relations.moved(m, r)
  end
end

local function same(a, b)
  return a == b or type(a) == "table" and type(b) == "table" and a[1] ~= nil and lists.equal(a, b)
end

-- The first of the values that a field had.
local function keep(values, field, was)
  if values and values[field] == nil then values[field] = was end
end

--- Changes a field. A value that equals the present one changes nothing.
-- @param value plain; null for nil
function changes.set(m, r, field, value)
  local was = r[VALUES][field]
  if was == nil then was = null end
  if same(was, value) then return end
  local change = begin(m, r, "modified")
  if change.state ~= "created" then keep(change.old, field, was) end
  keep(change.sending and change.sending.later, field, was)
  keep(change.saved and change.since, field, was)
  put(m, r, field, value)
end

-- Takes a record out of memory; m.records is cleaned up later.
local function remove(m, r)
  ids.leave(m, r)
  local was = m.deleted[r]
  m.deleted[r], m.still = "gone", nil
  drop(m, r)
  if not was then m.deletedCount = m.deletedCount + 1 end
  m.edition = m.edition + 1
  m.marks[r], m.holes = nil, m.holes + 1
  if m.working == r then relations.setWorking(m, nil) end
  order.removed(m, r)
end

local function hide(m, r)
  m.deleted[r], m.still = "deleted", nil
  m.deletedCount, m.edition = m.deletedCount + 1, m.edition + 1
  ids.restate(m, r)
  if m.working == r then relations.setWorking(m, nil) end
end

local function unhide(m, r)
  if not m.deleted[r] then return end
  m.deleted[r], m.deletedCount, m.front = nil, m.deletedCount - 1, nil
  m.edition = m.edition + 1
  ids.restate(m, r)
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
  for field, value in next, old do put(m, r, field, value) end
end

--- Forgets the old values. A deleted record leaves memory.
function changes.accept(m, r)
  local change = m.changes[r]
  m.marks[r] = nil
  if not change then return end
  if change.state == "deleted" then
    remove(m, r)
  else
    ids.leave(m, r)
    drop(m, r)
    ids.enter(m, r)
  end
end

--- Undoes a change: a created record leaves memory, a modified or deleted one is as it was.
function changes.reject(m, r)
  local change = m.changes[r]
  m.marks[r] = nil
  if not change then return end
  if change.state == "created" or change.saved == "created" then
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

-- ---- Marks: what the last save reported of a record

--- Sets errorString, rejected or conflict of a record; nil clears it.
function changes.mark(m, r, name, value)
  local marks = m.marks[r]
  if not marks and value ~= nil then
    marks = {}
    m.marks[r] = marks
  end
  if marks then
    marks[name] = value
    if next(marks) == nil then m.marks[r] = nil end
  end
  if m.changes[r] then m.changes[r][name] = value end
end

--- Clears all marks of a record.
function changes.clearMark(m, r)
  for _, name in ipairs { "errorString", "rejected", "conflict" } do changes.mark(m, r, name, nil) end
end

--- Clears the marks of all records, for a save. A conflict stays until the program decides it, or until the
-- record is saved again.
function changes.clearMarks(m)
  for r in next, m.marks do
    changes.mark(m, r, "errorString", nil)
    changes.mark(m, r, "rejected", nil)
    if changes.unsent(m, r) then changes.mark(m, r, "conflict", nil) end
  end
end

-- ---- Saving

--- Remembers that the record is being sent as it is. Later changes stay pending on top of it.
-- @return token for endSave or failSave
function changes.beginSave(m, r)
  local change = m.changes[r]
  local token = { change = change, state = change and change.state, later = {} }
  if change then change.sending = token end
  return token
end

-- False: the record is no longer in memory, or another save has taken over.
local function finishSending(m, r, token)
  local change = m.changes[r]
  if not change or change.sending ~= token then return false end
  change.sending = nil
  return true
end

-- Takes over the server's value of a field, unless the field was changed meanwhile: then it is the value
-- before that change.
local function mergeField(m, r, later, field, value, old)
  local was = r[VALUES][field]
  if was == nil then was = null end
  if later[field] ~= nil then
    if same(was, value) then later[field] = nil else later[field] = value end
  elseif not same(was, value) then
    keep(old, field, was)
    put(m, r, field, value)
  end
end

-- Puts the server's values into the row.
local function mergeRow(m, r, later, row, old)
  local values = r[VALUES]
  for field, value in next, row do
    if values[field] ~= value or later[field] ~= nil then mergeField(m, r, later, field, value, old) end
  end
end

-- True if the record may have another id when the change has ended.
local function concernsId(m, token, change)
  local property = m.shape.idProperty
  if not property then return false end
  return token.state == "created" or change.old[property] ~= nil or token.later[property] ~= nil
end

-- The server has saved what the token describes: only later changes stay pending.
local function settle(m, r, token)
  local later, change = token.later, m.changes[r]
  if token.state == "deleted" then
    remove(m, r)
    return
  end
  local moves = concernsId(m, token, change)
  if moves then ids.leave(m, r) end
  local deleted = change.state == "deleted"
  if deleted or next(later) ~= nil then
    change.state, change.old = deleted and "deleted" or "modified", later
  else
    drop(m, r)
  end
  if moves then ids.enter(m, r) end
end

--- The server has saved what was sent.
-- @param row the server's plain values, which are merged; or nil
-- @param keeps boolean: true if the change stays until the program accepts it
function changes.endSave(m, r, token, row, keeps)
  if not finishSending(m, r, token) then return end
  local change = m.changes[r]
  if m.marks[r] then changes.clearMark(m, r) end
  if row and token.state ~= "deleted" then
    mergeRow(m, r, token.later, row, keeps and token.state == "modified" and change.old or nil)
  end
  if keeps then
    change.saved, change.since = token.state, token.later
  else
    settle(m, r, token)
  end
end

-- Undoes what was sent, and leaves what was changed later.
local function undo(m, r, token)
  local change, later = m.changes[r], token.later
  if token.state == "created" then
    remove(m, r)
    return
  end
  local rest = {}
  for field, value in next, change.old do
    if later[field] ~= nil then
      rest[field] = value
    else
      put(m, r, field, value)
    end
  end
  if change.state == "deleted" and token.state ~= "deleted" then
    change.old = rest
  elseif next(rest) ~= nil then
    change.state, change.old = "modified", rest
  else
    ids.leave(m, r)
    drop(m, r)
    ids.enter(m, r)
  end
  if token.state == "deleted" then unhide(m, r) end
end

--- The server has not saved what was sent.
-- @param undoes boolean: true if the record goes back to what it was before the change
function changes.failSave(m, r, token, errorString, rejected, undoes)
  if not finishSending(m, r, token) then return end
  if undoes then
    undo(m, r, token)
  elseif token.state == "created" and m.changes[r].state == "deleted" then
    remove(m, r)
  end
  if m.deleted[r] == "gone" then return end
  changes.mark(m, r, "errorString", errorString)
  changes.mark(m, r, "rejected", rejected or nil)
end

--- The state and the old values of a record that must be sent; nil if the server has all of it.
function changes.unsent(m, r)
  local change = m.changes[r]
  if not change then return nil end
  if not change.saved then return change.state, change.old end
  if change.state == "deleted" and change.saved ~= "deleted" then return "deleted", change.since end
  if change.saved ~= "deleted" and next(change.since) ~= nil then return "modified", change.since end
end

return changes
