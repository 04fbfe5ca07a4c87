--- Conflicts: another client has changed a record since this one read it. When the server refuses a change,
-- one read of that record shows what is stored now, and the program decides.

local P = require("datasession.internal.data.private").P
local answer = require "datasession.internal.data.answer"
local codec = require "datasession.internal.codec"
local filter = require "datasession.internal.data.filter"
local imagewriter = require "datasession.internal.data.imagewriter"
local jfp = require "datasession.internal.data.jfp"
local memory = require "datasession.internal.data.memory"
local mistake = require "datasession.internal.data.mistake"
local raise = require "datasession.internal.raise"
local requests = require "datasession.internal.data.request"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"

local format = string.format
local null = codec.null

local conflict = { recordMethods = {} }

-- ---- reading the record that is stored

local function hasKeys(row, keys)
  for _, key in ipairs(keys) do
    if row[key] == nil or row[key] == null then return false end
  end
  return true
end

local function sameKeys(a, b, keys)
  for _, key in ipairs(keys) do
    if a[key] ~= b[key] then return false end
  end
  return true
end

-- The filter for the record with these keys.
local function byKeys(row, keys)
  local terms = {}
  for i, key in ipairs(keys) do terms[i] = { field = key, operator = "eq", value = row[key] } end
  return { logic = "and", filters = terms }
end

-- The text of the parameter filter: a pattern by the id, else by the keys; or a where-clause. nil: none is
-- possible.
local function filterOf(operation, t, r, row, keys)
  local shape = t[P].shape
  if operation.mappingType == "JFP" then
    local options = { tableRef = shape.name ~= "" and shape.name or nil }
    if shape.idProperty and jfp.can(operation, "id") then
      options.id = memory.id(r)
    else
      options.filter = byKeys(row, keys)
    end
    return (mistake.check(jfp.text, operation, schema.shapes(t[P].jsdo[P].resource), options))
  end
  if operation.mappingType then return nil end
  return (mistake.check(filter.text, "abl", shape, byKeys(row, keys)))
end

-- The address that reads this record alone; nil: the catalog describes none.
local function addressOf(operation, t, r, row, keys)
  if not operation.uri:find("{", 1, true) then return nil end
  local values = { filter = filterOf(operation, t, r, row, keys) }
  for name, value in next, row do
    if values[name] == nil then values[name] = value end
  end
  local ok, uri = pcall(operation.expand, operation, values)
  return ok and uri or nil
end

-- The record's row in a body; nil and true: the body has no rows at all.
local function rowIn(jsdo, t, body, row, keys)
  local parsed = answer.parse(jsdo, body)
  for _, one in ipairs(parsed or {}) do
    if one.t == t then
      for _, other in ipairs(one.rows) do
        if sameKeys(other, row, keys) then return other end
      end
      return nil, #one.rows == 0
    end
  end
end

-- Reads what the server has of a record.
-- @param row its row when it was read
-- @return the plain row; nil and true: the server has it no longer; nil: it cannot be known
local function readStored(jsdo, t, r, row)
  local operation, keys = jsdo[P].resource:operation "read", schema.recordKeys(t[P].shape)
  if not operation or not keys or not hasKeys(row, keys) then return nil end
  local uri = addressOf(operation, t, r, row, keys)
  if not uri then return nil end
  local made = requests.new(jsdo, "_read", { operation = requests.READ })
  local response, err = requests.send(made, { uri = uri, method = operation.verb })
  if not response then return nil, err.httpStatus == 404 or nil end
  if not requests.take(made, response) then return nil end
  return rowIn(jsdo, t, made.response, row, keys)
end

-- ---- finding a conflict

local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or a == null or b == null or #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function shown(value)
  if value ~= null then return value end
end

-- conflict -> { stored = plain row or nil, sent = field -> value, deleted = boolean }
local details = setmetatable({}, { __mode = "k" })

local function valueOf(row, field)
  local value = row and row[field]
  if value == nil then return null end
  return value
end

-- The names of all fields of which either row has a value.
local function fieldsOf(shape, read, stored)
  if not shape.open then return shape.names end
  local names, seen = {}, {}
  for _, row in ipairs { read, stored } do
    for name in next, row do
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  return names
end

local function compare(t, read, sent, stored)
  local found = {}
  for _, field in ipairs(fieldsOf(t[P].shape, read, stored or {})) do
    local was, now, mine = valueOf(read, field), valueOf(stored, field), sent[field]
    if mine == nil then mine = was end
    local differs = stored and not same(was, now) or not stored and mine ~= was
    if differs then
      found[field] = { read = shown(was), sent = shown(mine), stored = stored and shown(now) or nil }
    end
  end
  return found
end

-- The values that were sent of the changed fields, though the program may have changed them since.
local function sentValues(r, old, token)
  local sent, row = {}, memory.values(r)
  for field in next, old do
    local value = token.later[field]
    if value == nil then value = row[field] end
    sent[field] = value
  end
  return sent
end

-- True if the server has what was sent: all values, or the record no longer.
local function isStored(sent, deletes, stored)
  if deletes then return stored == nil end
  for field, value in next, sent do
    if not same(valueOf(stored, field), value) then return false end
  end
  return stored ~= nil
end

--- Finds out, by one read, whether another client has changed a record whose change the server has refused.
-- Runs in a coroutine, before the change is undone.
-- @param token what memory.beginSave gave
-- @return table: field -> { read =, sent =, stored = } for each field that differs; nil when there is no
--   conflict, or that cannot be known. true if the server has what was sent; its plain row, if it has one
function conflict.find(jsdo, t, r, token)
  local state, old = memory.unsent(r)
  if state == "created" or not state then return nil end
  local read = imagewriter.oldRow(r, old)
  local stored, gone = readStored(jsdo, t, r, read)
  if not stored and not gone then return nil end
  local deletes = token.state == "deleted"
  local sent = deletes and {} or sentValues(r, old, token)
  local found = compare(t, read, sent, stored)
  if stored and next(found) == nil then return nil end
  details[found] = { stored = stored, sent = sent, deletes = deletes }
  return found, isStored(sent, deletes, stored), stored
end

-- ---- deciding

local function detailsOf(r, method, level)
  local found = memory.mark(r, "conflict")
  local known = found and details[found]
  if not known then
    raise(format("%s: the record has no conflict", method), level + 1)
  end
  return found, known
end

local function deletedBy(known)
  if known.deletes then return known.stored and "mine" or "both" end
  if not known.stored then return "theirs" end
end

--- The conflict, and who deleted the record.
-- @return table, or nil without a conflict; "mine", "theirs", "both", or nil: neither side deleted it
function conflict.recordMethods.getConflict(r)
  local found = memory.mark(r, "conflict")
  local known = found and details[found]
  return found, known and deletedBy(known)
end

local function settle(r)
  memory.clearMark(r)
  return r
end

-- Drops the change; the record is what the server has.
local function takeStored(r, known)
  memory.reject(r)
  if known.stored then
    memory.refresh(r, known.stored)
    settle(r)
  else
    memory.delete(r)
    memory.accept(r)
  end
  return r
end

-- Changes the fields that the program has not changed since.
local function apply(r, values)
  local change = memory.change(r)
  for field, value in next, values do
    if not change or change.old[field] == nil then memory.set(r, field, value) end
  end
end

--- Keeps the change, on top of what the server has now: the next save sends it again.
-- @return the record. Raises when the record has no conflict
function conflict.recordMethods.keepMine(r)
  local _, known = detailsOf(r, "keepMine", 2)
  if not known.stored then
    if known.deletes then return takeStored(r, known) end -- both sides deleted it
    apply(r, known.sent)
    memory.recreate(r)
    return settle(r)
  end
  memory.refresh(r, known.stored)
  if known.deletes then
    if not memory.change(r) then memory.delete(r) end
  else
    apply(r, known.sent)
  end
  return settle(r)
end

--- Gives the change up: the record becomes what the server has now, and leaves memory if another client has
-- deleted it.
-- @return the record. Raises when the record has no conflict
function conflict.recordMethods.takeTheirs(r)
  local _, known = detailsOf(r, "takeTheirs", 2)
  return takeStored(r, known)
end

local function checkFields(found, choices, level)
  local names = {}
  for name in next, found do names[#names + 1] = name end
  for name in pairs(choices) do
    if not found[name] then
      raise("merge: " .. suggest.unknown("field in conflict", name, names), level + 1)
    end
  end
  for name, one in next, found do
    if choices[name] == nil and not same(one.read, one.sent) then
      raise(format("merge: '%s' was changed on both sides: say \"mine\", \"theirs\" or a value", name),
        level + 1)
    end
  end
end

-- The plain value that a choice means for a field.
local function chosen(r, field, choice, known, level)
  if choice == "theirs" then return valueOf(known.stored, field) end
  if choice == "mine" then
    local mine = known.sent[field]
    return mine == nil and valueOf(memory.values(r), field) or mine
  end
  return (memory.plain(memory.state(r), field, choice, level + 1))
end

--- Decides field by field; then the change can be saved again. Fields that only the other client has changed
-- become what the server has, and fields that only this one has changed keep their values, unless `choices`
-- says something else.
-- @param choices table: field -> "mine", "theirs", or the value that the field gets
-- @return the record. Raises when the record has no conflict or was deleted on either side, for a field that
--   is not in conflict, and for one that was changed on both sides and that `choices` lacks
function conflict.recordMethods.merge(r, choices)
  local found, known = detailsOf(r, "merge", 2)
  if type(choices) ~= "table" then
    raise("merge: expected a table of fields, got " .. type(choices), 2)
  end
  if not known.stored or known.deletes then
    raise("merge: the record was deleted: call keepMine or takeTheirs", 2)
  end
  checkFields(found, choices, 2)
  local values = {}
  for field, choice in pairs(choices) do values[field] = chosen(r, field, choice, known, 2) end
  memory.refresh(r, known.stored)
  apply(r, known.sent)
  for field, value in next, values do memory.set(r, field, value) end
  return settle(r)
end

return conflict
