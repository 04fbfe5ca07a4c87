--- Saves of pending changes (changes.lua): they are sent, then they end, stay or are undone.

local codec = require "datasession.internal.codec"
local edit = require "datasession.internal.data.edit"
local ids = require "datasession.internal.data.ids"
local private = require "datasession.internal.data.private"

local VALUES = private.VALUES
local null = codec.null
local drop, keep, put, same = edit.drop, edit.keep, edit.put, edit.same
local remove, restoreField, unhide = edit.remove, edit.restoreField, edit.unhide
local next = next

local sending = {}

-- ---- Marks: what the last save reported of a record

--- Sets errorString, rejected or conflict of a record; nil clears it.
function sending.mark(m, r, name, value)
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

--- Clears all marks of one record.
function sending.clearMark(m, r)
  for _, name in ipairs { "errorString", "rejected", "conflict" } do sending.mark(m, r, name, nil) end
end

--- Clears the marks of all records, for a save. A conflict stays until the program decides it, or until the
-- record is saved again.
function sending.clearMarks(m)
  for r in next, m.marks do
    sending.mark(m, r, "errorString", nil)
    sending.mark(m, r, "rejected", nil)
    if sending.unsent(m, r) then sending.mark(m, r, "conflict", nil) end
  end
end

-- ---- Saving

--- Remembers that the record is being sent as it is. Later changes stay pending on top of it.
-- @return token for endSave or failSave
function sending.beginSave(m, r)
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
function sending.endSave(m, r, token, row, keeps)
  if not finishSending(m, r, token) then return end
  local change = m.changes[r]
  if m.marks[r] then sending.clearMark(m, r) end
  if row and token.state ~= "deleted" then
    mergeRow(m, r, token.later, row, keeps and token.state == "modified" and change.old or nil)
  end
  if keeps then
    change.born = change.born or token.state == "created"
    change.saved, change.since = token.state, token.later
  else
    settle(m, r, token)
  end
end

-- Puts back the values that were sent, and returns those that were changed later.
local function putBack(m, r, old, later)
  local rest = {}
  for field, value in next, old do
    if later[field] ~= nil then
      rest[field] = value
    else
      restoreField(m, r, field, value)
    end
  end
  return rest
end

-- The same as `undo`, for a record of which the server has an earlier save: that stays.
local function undoSince(m, r, token)
  local change = m.changes[r]
  change.since = putBack(m, r, change.since, token.later)
  if token.state == "deleted" then
    change.state = change.saved
    unhide(m, r)
  end
  if change.state ~= "deleted" and next(change.since) == nil then edit.finish(m, r) end
end

-- Undoes what was sent, and leaves what was changed later.
local function undo(m, r, token)
  local change, later = m.changes[r], token.later
  if change.saved then
    undoSince(m, r, token)
    return
  end
  if token.state == "created" then
    remove(m, r)
    return
  end
  local rest = putBack(m, r, change.old, later)
  if change.state == "deleted" and token.state ~= "deleted" then
    change.old = rest
  elseif next(rest) ~= nil then
    change.state, change.old = "modified", rest
  else
    edit.finish(m, r)
  end
  if token.state == "deleted" then unhide(m, r) end
end

--- The server has not saved what was sent.
-- @param undoes boolean: true if the record goes back to what it was before the change
function sending.failSave(m, r, token, errorString, rejected, undoes)
  if not finishSending(m, r, token) then return end
  if undoes then
    undo(m, r, token)
  elseif token.state == "created" and m.changes[r].state == "deleted" then
    remove(m, r)
  end
  if m.deleted[r] == "gone" then return end
  sending.mark(m, r, "errorString", errorString)
  sending.mark(m, r, "rejected", rejected or nil)
end

--- The state and the old values of a record that must be sent; nil if the server has all of it.
function sending.unsent(m, r)
  local change = m.changes[r]
  if not change then return nil end
  if not change.saved then return change.state, change.old end
  if change.state == "deleted" and change.saved ~= "deleted" then return "deleted", change.since end
  if change.saved ~= "deleted" and next(change.since) ~= nil then return "modified", change.since end
end

return sending
