--- Before-images: a dataset with its pending changes. This file reads them, imagewriter.lua writes them.
--
--     {"ds": {"prods:hasChanges": true,
--             "tt": [{"prods:id":, "prods:clientId":, "prods:rowState":, fields}],
--             "prods:before": {"tt": [{"prods:id":, old fields}]},
--             "prods:errors": {"tt": [{"prods:id":, "prods:error":}]}}}

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local errors = require "datasession.internal.data.errors"
local forms = require "datasession.internal.data.forms"
local memory = require "datasession.internal.data.memory"

local format = string.format
local isObject = forms.isObject
local null, GENERIC = codec.null, errors.GENERIC

local image = {}

local SLICE = 200                     -- rows between two pauses
local NOTHING = {}
local STATES = { created = true, modified = true, deleted = true }

-- Keys of rows that are no fields, unless the catalog says so. _errorString and _rejected never are.
local OWN = {
  "_id", "_index", "_errorString", "_rejected", "prods:id", "prods:clientId", "prods:rowState",
  "prods:hasErrors", "prods:rejected",
}

--- True if a key in OWN, or the name of a field, is no field.
function image.isOwn(shape, key)
  return key == "_errorString" or key == "_rejected" or not shape.byName[key] and key ~= shape.idProperty
end

local isOwn = image.isOwn

-- A function that calls `pause` once in SLICE times.
local function slicer(pause)
  local n = 0
  return function()
    n = n + 1
    if pause and n % SLICE == 0 then pause() end
  end
end

local function isArray(value)
  return type(value) == "table" and (codec.isArray(value) or #value > 0 or next(value) == nil)
end

-- The rows of a table under `key`; an empty array if there are none. Raises { message = } if it is no array.
local function rowsOf(members, name, where)
  local rows = isObject(members) and members[name]
  if rows == nil or rows == null or not rows then return {} end
  if not isArray(rows) then
    error({ message = format("%s: expected an array of rows, got %s", where, type(rows)) }, 0)
  end
  return rows
end

local function checkRow(row, where, i)
  if not isObject(row) then
    error({ message = format("%s: row %d: expected an object, got %s", where, i, type(row)) }, 0)
  end
  local state = row["prods:rowState"]
  if state ~= nil and state ~= null and not STATES[state] then
    error({ message = format("%s: row %d: expected created, modified or deleted as prods:rowState",
      where, i) }, 0)
  end
  return state ~= null and state or nil
end

-- The texts in prods:errors of one table, by prods:id.
local function errorTexts(members, name)
  if not isObject(members) or not members[name] then return NOTHING end
  local texts = {}
  for i, one in ipairs(rowsOf(members, name, "prods:errors." .. name)) do
    checkRow(one, "prods:errors." .. name, i)
    local id, text = one["prods:id"], one["prods:error"]
    if id ~= nil then texts[id] = type(text) == "string" and text or GENERIC end
  end
  return texts
end

local ownKeys = setmetatable({}, { __mode = "k" }) -- shape -> the keys in OWN that are no fields

local function keysOf(shape)
  local keys = ownKeys[shape]
  if not keys then
    keys = {}
    for _, key in ipairs(OWN) do
      if isOwn(shape, key) then keys[#keys + 1] = key end
    end
    ownKeys[shape] = keys
  end
  return keys
end

--- Removes the keys that are no fields from a row.
function image.strip(shape, row)
  local keys = keysOf(shape)
  for i = 1, #keys do
    local key = keys[i]
    if row[key] ~= nil then row[key] = nil end
  end
end

--- True if the row says of itself that it has an error.
function image.hasError(row)
  return row["prods:hasErrors"] or row["prods:rejected"] or row._errorString or row._rejected
end

-- The text of a row's error: in prods:errors, or in the row itself.
local function errorText(row, texts, id)
  if row["prods:hasErrors"] == true then return texts[id] or GENERIC end
  local own = row._errorString
  return id ~= nil and texts[id] or type(own) == "string" and own ~= "" and own or nil
end

local function isMarked(row, state, id)
  return state or id or row["prods:clientId"] or row["prods:hasErrors"] or row["prods:rejected"]
    or row._id or row._index or row._errorString or row._rejected
end

--- Removes the keys that are no fields from a row, and returns their meaning.
-- @param texts table: prods:id -> text of the error
-- @return table: state, id, clientId, errorString, rejected; nil when the row has no such keys
local function takeMark(shape, row, texts, state)
  local id = row["prods:id"]
  if not isMarked(row, state, id) then return nil end
  local text = errorText(row, texts, id)
  local mark = { state = state, id = id, clientId = row["prods:clientId"] }
  mark.rejected = row["prods:rejected"] == true or row._rejected == true or text == "REJECTED" or nil
  mark.errorString = text ~= "REJECTED" and text or nil
  image.strip(shape, row)
  return mark
end

-- The old rows of a table: those of deleted records, with their marks, and the others by prods:id, if wanted.
local function parseBefore(t, members, texts, wanted)
  local name = t[P].shape.name
  if not isObject(members) or not members[name] then return NOTHING, NOTHING end
  local deleted, byId = {}, {}
  for i, row in ipairs(rowsOf(members, name, "prods:before." .. name)) do
    local state = checkRow(row, "prods:before." .. name, i)
    local mark = (wanted or state == "deleted") and takeMark(t[P].shape, row, texts, state)
    if mark and state == "deleted" then
      mark.old = row
      deleted[#deleted + 1] = mark
    elseif mark and mark.id ~= nil then
      byId[mark.id] = row
    end
  end
  return deleted, byId
end

-- Raises { message = } unless the parts of a before-image are objects.
local function checkParts(members)
  for _, part in ipairs { "prods:before", "prods:errors" } do
    local value = members[part]
    if value ~= nil and value ~= null and not isObject(value) then
      error({ message = format("%s: expected an object, got %s", part,
        codec.isArray(value) and "an array" or type(value)) }, 0)
    end
  end
end

local function parseTable(t, members, count, wanted)
  local name, shape = t[P].shape.name, t[P].shape
  local texts = errorTexts(members["prods:errors"], name)
  local parsed = { t = t, texts = texts, rows = rowsOf(members, name, name), marks = {} }
  local old
  parsed.deleted, old = parseBefore(t, members["prods:before"], texts, wanted)
  for i, row in ipairs(parsed.rows) do
    local mark = takeMark(shape, row, texts, checkRow(row, name, i))
    parsed.marks[i] = mark
    if mark then mark.old = mark.id ~= nil and old[mark.id] or nil end
    count()
  end
  return parsed
end

--- Takes a decoded dataset apart, and removes the keys that are no fields from its rows.
-- @param members table: the dataset's members, such as { tt = rows, ["prods:before"] = { tt = rows } }
-- @param pause function or nil: called between slices of the work
-- @param answer boolean: true for the answer to a save, whose old rows of modified records are not needed
-- @return array, for each table { t =, rows =, marks = { [i] = mark of row i }, deleted = marks,
--   texts = the texts of prods:errors by prods:id }; a mark has
--   state, old, id, clientId, errorString, rejected, all of which may be nil. Or nil and a message
function image.parse(jsdo, members, pause, answer)
  local list, count = {}, slicer(pause)
  local ok, err = pcall(function()
    checkParts(members)
    for i, t in ipairs(jsdo[P].tables) do list[i] = parseTable(t, members, count, not answer) end
  end)
  if ok then return list end
  if type(err) ~= "table" or type(err.message) ~= "string" then error(err, 0) end
  return nil, err.message
end

-- Makes a loaded record a changed one, as its mark says.
local function restore(r, mark)
  if mark.state == "created" then
    memory.restoreChange(r, "created")
  elseif mark.state == "modified" and mark.old then
    memory.restoreChange(r, "modified", mark.old)
  elseif mark.state == "deleted" then
    memory.restoreChange(r, "deleted", mark.old)
  end
  if mark.errorString then memory.setError(r, mark.errorString) end
end

image.restore = restore

--- Replaces memory by what image.parse gave; marked rows become pending changes.
function image.load(parsed)
  for _, one in ipairs(parsed) do
    memory.clear(one.t)
    for i, row in ipairs(one.rows) do
      local r = memory.append(one.t, row)
      if one.marks[i] then restore(r, one.marks[i]) end
    end
    for _, mark in ipairs(one.deleted) do
      mark.state = "deleted"
      restore(memory.append(one.t, mark.old), mark)
    end
  end
end

--- Replaces memory by a decoded dataset with before-image.
-- @return true; nil and a message: the dataset is not one
function image.read(jsdo, members, pause)
  local parsed, message = image.parse(jsdo, members, pause)
  if not parsed then return nil, message end
  image.load(parsed)
  return true
end

return image
