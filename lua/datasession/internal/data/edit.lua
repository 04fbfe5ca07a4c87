--- Steps of a change: a record's row, its change and its place in memory. changes.lua says what a change has.

local codec = require "datasession.internal.codec"
local ids = require "datasession.internal.data.ids"
local lists = require "datasession.internal.data.lists"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local relations = require "datasession.internal.data.relations"

local VALUES = private.VALUES
local null = codec.null
local type = type

local edit = {}

-- Each first does the steps that need memory: without memory nothing is half done.

--- The change of a record; a new one in that state, if there is none.
function edit.begin(m, r, state)
  m.edits = m.edits + 1
  local change = m.changes[r]
  if change then return change end
  m.changeNumber = m.changeNumber + 1
  change = { state = state, old = {}, number = m.changeNumber }
  m.changes[r] = change
  m.changeCount = m.changeCount + 1
  return change
end

--- Ends the change of a record.
function edit.drop(m, r)
  if m.changes[r] then m.changes[r], m.changeCount = nil, m.changeCount - 1 end
end

--- Ends the change of a record that stays in memory. It may have another id then.
function edit.finish(m, r)
  ids.leave(m, r)
  edit.drop(m, r)
  ids.enter(m, r)
end

--- Puts a value into the row, whatever it replaces.
function edit.put(m, r, field, value)
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

--- True if two plain values are equal.
function edit.same(a, b)
  return a == b or type(a) == "table" and type(b) == "table" and a[1] ~= nil and lists.equal(a, b)
end

--- Keeps the first of the values that a field had.
-- @param values table or nil
function edit.keep(values, field, was)
  if values and values[field] == nil then values[field] = was end
end

--- Takes a record out of memory; m.records is cleaned up later.
function edit.remove(m, r)
  ids.leave(m, r)
  local was = m.deleted[r]
  m.deleted[r], m.still = "gone", nil
  edit.drop(m, r)
  if not was then m.deletedCount = m.deletedCount + 1 end
  m.edition = m.edition + 1
  m.marks[r], m.holes = nil, m.holes + 1
  if m.working == r then relations.setWorking(m, nil) end
  order.removed(m, r)
end

--- Deletes a record, which keeps its place.
function edit.hide(m, r)
  m.deleted[r], m.still = "deleted", nil
  m.deletedCount, m.edition = m.deletedCount + 1, m.edition + 1
  ids.restate(m, r)
  if m.working == r then relations.setWorking(m, nil) end
end

--- Brings a deleted record back.
function edit.unhide(m, r)
  if not m.deleted[r] then return end
  m.deleted[r], m.deletedCount, m.front = nil, m.deletedCount - 1, nil
  m.edition = m.edition + 1
  ids.restate(m, r)
end

--- Puts the value back that a field had before the change.
function edit.restoreField(m, r, field, value)
  local absent = m.changes[r].absent
  edit.put(m, r, field, value)
  if absent and absent[field] and value == null then r[VALUES][field] = nil end
end

return edit
