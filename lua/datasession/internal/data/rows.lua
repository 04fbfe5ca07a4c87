--- The rows in the response to a fill, whatever the form in which the server wraps them. A body of another
-- form is an error: to take it for an empty table would hide it.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local forms = require "datasession.internal.data.forms"
local image = require "datasession.internal.data.image"
local mistake = require "datasession.internal.data.mistake"
local schema = require "datasession.internal.data.schema"

local format = string.format
local found = mistake.found
local isObject = forms.isObject
local null = codec.null
local getmetatable, next, type = getmetatable, next, type

local rows = {}

local SLICE = 2000         -- rows that are looked at between two pauses
-- ---- The form of the body

local ARTICLES = { string = "a string", number = "a number", boolean = "a boolean" }

local function describe(value)
  return ARTICLES[type(value)] or forms.describe(value)
end

local function expectedText(jsdo)
  local resource = jsdo[P].resource
  if resource.datasetName then return "the dataset " .. resource.datasetName end
  local name = jsdo[P].tables[1][P].shape.name
  return name ~= "" and "the table " .. name or "the rows of " .. resource.name
end

local function refuse(jsdo, value)
  found(format("expected %s, got %s", expectedText(jsdo), describe(value)))
end

-- True if the object has the array of a table, or a part of a before-image.
local function hasTables(jsdo, object)
  for _, t in ipairs(jsdo[P].tables) do
    if codec.isArray(object[t[P].shape.name]) then return true end
  end
  return object["prods:hasChanges"] ~= nil or object["prods:before"] ~= nil
end

local function isRow(t, object)
  if t[P].shape.open then return next(object) ~= nil end
  return forms.hasField(t, object)
end

-- The members of the dataset: { table = rows }.
local function ofDataset(jsdo, body)
  local inner = forms.dataset(jsdo, body)
  if inner then return inner == null and {} or inner end
  if isObject(body) and hasTables(jsdo, body) then return body end
end

-- The same of a body that has the rows of one table: under its name, as an array, under `data`, as one row.
local function ofTable(t, body)
  local name = t[P].shape.name
  if codec.isArray(body) then return { [name] = body } end
  if not isObject(body) then return nil end
  if codec.isArray(body[name]) then return body end
  if codec.isArray(body.data) and not t[P].shape.byName.data then return { [name] = body.data } end
  if isRow(t, body) then return { [name] = codec.array { body } } end
end

local function membersOf(jsdo, body)
  local tables = jsdo[P].tables
  local members = jsdo[P].resource.datasetName and ofDataset(jsdo, body)
    or #tables == 1 and (not jsdo[P].resource.datasetName or codec.isArray(body)) and ofTable(tables[1], body)
  return members or refuse(jsdo, body)
end

-- ---- Rows of child tables that stand in the rows of their parents

-- The other tables whose rows may stand in the rows of t.
local function nestable(jsdo, t)
  local list, shape = {}, t[P].shape
  for _, other in ipairs(jsdo[P].tables) do
    local name = other[P].shape.name
    if other ~= t and not shape.scalar[name] then list[#list + 1] = other end
  end
  return list
end

-- { parent = field, child = field } for each field that relates the tables.
local function links(jsdo, t, child)
  local list = {}
  for _, relation in ipairs(jsdo[P].resource.relations or {}) do
    if relation.parentName == t[P].shape.name and relation.childName == child[P].shape.name then
      for _, pair in ipairs(relation.relationFields or {}) do
        local from, to = pair.parentFieldName, pair.childFieldName
        list[#list + 1] = from and to and {
          parent = schema.spelled(t[P].shape, from) or from, child = schema.spelled(child[P].shape, to) or to,
        } or nil
      end
    end
  end
  return list
end

-- Moves rows to the list of their table. A foreign key that they lack is the parent's.
local function move(row, list, into, pairsOfFields)
  for i = 1, #list do
    local child = list[i]
    for _, link in ipairs(isObject(child) and pairsOfFields or {}) do
      if child[link.child] == nil then child[link.child] = row[link.parent] end
    end
    into[#into + 1] = child
  end
end

local function listOf(members, name)
  if not codec.isArray(members[name]) then members[name] = codec.array {} end
  return members[name]
end

-- Takes the children out of the rows of one table, from the row `first` on.
local function takeOut(jsdo, t, members, first, slice)
  local own = members[t[P].shape.name]
  for _, child in ipairs(nestable(jsdo, t)) do
    local name, pairsOfFields = child[P].shape.name, links(jsdo, t, child)
    for i = first, #own do
      local row = own[i]
      local list = isObject(row) and row[name]
      if list then
        if list ~= null and not codec.isArray(list) then
          found(format("row %d of %s: %s: expected an array of rows, got %s", i, t[P].shape.name, name,
            describe(list)))
        end
        row[name] = nil
        if list ~= null then move(row, list, listOf(members, name), pairsOfFields) end
      end
      slice()
    end
  end
end

-- Takes nested tables apart, level by level.
local function flatten(jsdo, members, slice)
  if #jsdo[P].tables < 2 then return end
  local done, more = {}, true
  while more do
    more = false
    for _, t in ipairs(jsdo[P].tables) do
      local own, from = members[t[P].shape.name], (done[t] or 0) + 1
      if codec.isArray(own) and #own >= from then
        done[t], more = #own, true
        takeOut(jsdo, t, members, from, slice)
      end
    end
  end
end

-- ---- The rows of each table

-- The place of the first element that is no object, from `first` to `last`. Arrays have a metatable.
local function findOther(list, first, last)
  for i = first, last do
    local row = list[i]
    if type(row) ~= "table" or getmetatable(row) ~= nil then return i end
  end
end

local function checkRows(t, list, pause)
  if list == nil or list == null then return codec.array {} end
  local name = t[P].shape.name
  if not codec.isArray(list) then
    found(format("%s: expected an array of rows, got %s", name, describe(list)))
  end
  for first = 1, #list, SLICE do
    if first > 1 then pause() end
    local i = findOther(list, first, math.min(first + SLICE - 1, #list))
    if i then found(format("row %d of %s: expected an object, got %s", i, name, describe(list[i]))) end
  end
  return list
end

local function hasImage(members)
  for name in next, members do
    if name:sub(1, 6) == "prods:" then return true end
  end
  return false
end

local function parse(jsdo, body, slice, pause)
  local members = membersOf(jsdo, body)
  flatten(jsdo, members, slice)
  local list = {}
  for i, t in ipairs(jsdo[P].tables) do
    list[i] = { t = t, rows = checkRows(t, members[t[P].shape.name], pause), marks = {}, deleted = {} }
  end
  if not hasImage(members) then return list end
  local before = members["prods:before"]
  if isObject(before) then flatten(jsdo, before, slice) end
  local parsed, message = image.parse(jsdo, members, pause)
  return parsed or found(message)
end

--- Takes the body of a response to a fill apart.
-- @param body decoded, out of its wrapper `response`; the rows are taken over
-- @param pause function: called between slices of the work
-- @return array as image.parse gives it; or nil and a message that says what came instead
function rows.parse(jsdo, body, pause)
  local n = 0
  local function slice()
    n = n + 1
    if n % SLICE == 0 then pause() end
  end
  return mistake.check(parse, jsdo, body, slice, pause)
end

return rows
