--- The rows in the response to a save, whatever the form in which the server wraps them.

local P = require("datasession.internal.data.private").P
local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local errors = require "datasession.internal.data.errors"
local forms = require "datasession.internal.data.forms"
local ids = require "datasession.internal.data.ids"
local image = require "datasession.internal.data.image"
local memory = require "datasession.internal.data.memory"
local schema = require "datasession.internal.data.schema"
local sending = require "datasession.internal.data.sending"

local answer = {}

local isArray, null = codec.isArray, codec.null
local isObject = forms.isObject
local unsent = sending.unsent

-- True if the object has the array of one of the tables, or a part of a before-image.
local function hasTables(jsdo, object)
  for _, t in ipairs(jsdo[P].tables) do
    if type(object[t[P].shape.name]) == "table" then return true end
  end
  return object["prods:before"] ~= nil or object["prods:errors"] ~= nil or object["prods:hasChanges"] ~= nil
end

-- The dataset's members in an object; nil: it is none.
local function ofDataset(jsdo, object)
  local inner = forms.dataset(jsdo, object)
  if isObject(inner) then return inner end
  if inner == null or hasTables(jsdo, object) then return object end
end

-- The only table of the data object; nil when there are several.
local function onlyTable(jsdo)
  local tables = jsdo[P].tables
  return #tables == 1 and tables[1] or nil
end

-- The members of a body that is no dataset: an array of rows, { data = rows }, or a record itself.
local function ofOneTable(t, body)
  local name = t[P].shape.name
  if isArray(body) then return { [name] = body } end
  if isArray(body.data) then return { [name] = body.data } end
  if forms.hasField(t, body) then return { [name] = { body } } end
end

-- The members of the dataset that a body holds; nil and a message when there are none.
local function members(jsdo, body)
  local t = onlyTable(jsdo)
  local found = isObject(body) and ofDataset(jsdo, body)
    or t and type(body) == "table" and body ~= null and ofOneTable(t, body)
  if found then return found end
  local isDataset = jsdo[P].resource.datasetName ~= nil
  if body == nil or isObject(body) and (not isDataset or next(body) == nil) then return {} end
  return nil, ("expected the rows of %s, got %s"):format(jsdo[P].resource.name, forms.describe(body))
end

-- Rows of child tables inside a row are no values of the record.
local function dropChildren(parsed)
  for _, one in ipairs(parsed) do
    for _, child in ipairs(parsed) do
      local name = child.t[P].shape.name
      for _, row in ipairs(child ~= one and not one.t[P].shape.byName[name] and one.rows or {}) do
        row[name] = nil
      end
    end
  end
end

--- Takes the body of a response to a save apart.
-- @param body the decoded body; nil: there was none, which gives no rows
-- @param pause function or nil: called between slices of the work
-- @return array as image.parse gives it, and the dataset's members; or nil and a message
function answer.parse(jsdo, body, pause)
  local found, message = members(jsdo, body)
  if not found then return nil, message end
  local parsed
  parsed, message = image.parse(jsdo, found, pause, true)
  if not parsed then return nil, message end
  dropChildren(parsed)
  return parsed, found
end

-- The only row of a dataset whose form is the usual one and that has no error; nil: parse it. An array has no
-- members of these names.
local function plainRow(jsdo, t, body)
  local s, shape = jsdo[P], t[P].shape
  local name = s.resource.datasetName
  local found = name and type(body) == "table" and body[name]
  local rows = type(found) == "table" and found["prods:errors"] == nil and found[shape.name]
  local row = isArray(rows) and #rows == 1 and #s.tables == 1 and rows[1]
  if not isObject(row) or image.hasError(row) then return nil end
  image.strip(shape, row)
  return row
end

-- The first text in prods:errors, for an answer that gives no row for it.
local function firstError(found)
  local all = found["prods:errors"]
  for _, list in next, type(all) == "table" and all or {} do
    local one = type(list) == "table" and list[1]
    if one then
      local text = type(one) == "table" and one["prods:error"]
      return type(text) == "string" and text or errors.GENERIC
    end
  end
end

-- The one row of a table in an answer, and its mark. nil, nil and a message for several.
local function onlyRow(parsed, t)
  for _, one in ipairs(parsed) do
    if one.t == t then
      if #one.rows + #one.deleted > 1 then
        return nil, nil, ("expected one row of %s, got %d"):format(t[P].shape.name, #one.rows + #one.deleted)
      end
      return one.rows[1], one.rows[1] and one.marks[1] or one.deleted[1], nil
    end
  end
end

local function keyText(value)
  return ascii.lower(ids.text(value) or "")
end

-- True if the program has not changed that key of the record, and the row has another value for it.
local function keyDiffers(r, old, row, key)
  local got, sent = row[key], memory.values(r)[key]
  if got == sent or old[key] ~= nil then return false end
  got, sent = keyText(got), keyText(sent)
  return got ~= "" and sent ~= "" and got ~= sent
end

local function hasKeys(r, row, keys)
  for _, key in ipairs(keys) do
    if keyText(memory.values(r)[key]) ~= keyText(row[key]) then return false end
  end
  return true
end

-- True if the row in the answer to an update is that of another record in memory. A server may give a record
-- another key, but not one that is taken.
local function isOther(r, t, row)
  local state, old = unsent(t[P], r)
  if state ~= "modified" then return false end
  local differs = false
  local keys = schema.rowKeys(t[P].shape) or {}
  for _, key in ipairs(keys) do differs = differs or keyDiffers(r, old, row, key) end
  if not differs then return false end
  for other in memory.records(t) do
    if other ~= r and hasKeys(other, row, keys) then return true end
  end
  return false
end

local function checked(r, t, row, mark)
  if row and isOther(r, t, row) then
    return nil, ("the answer has the row of another record of %s"):format(t[P].shape.name)
  end
  return true, row, mark
end

--- Takes the answer to the save of one record `r` of `t` apart.
-- @return true, the plain row or nil, its mark or nil; or nil and a message
function answer.one(jsdo, t, r, body)
  local row = plainRow(jsdo, t, body)
  if row then return checked(r, t, row) end
  local parsed, found = answer.parse(jsdo, body)
  if not parsed then return nil, found end
  local mark, several
  row, mark, several = onlyRow(parsed, t)
  if several then return nil, several end
  if not row and not mark then mark = { errorString = firstError(found) } end
  return checked(r, t, row, mark)
end

return answer
