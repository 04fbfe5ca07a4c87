--- The JSON Filter Pattern: the object that a program gives to fill, as the text of the parameter `filter`.

local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local filter = require "datasession.internal.data.filter"
local mistake = require "datasession.internal.data.mistake"
local suggest = require "datasession.internal.suggest"
local math = require("datasession.internal.lua").math

local concat, format = table.concat, string.format
local found = mistake.found

local KEYS = { "ablFilter", "tableRef", "viewTables", "sqlQuery", "orderBy", "skip", "top", "id" } -- as sent
local OPTIONS = { "filter", "sort", "top", "skip", "id", "tableRef", "mergeMode" }

local jfp = {}

-- ---- Capabilities

local function can(operation, capability)
  for _, name in ipairs(operation.capabilities) do
    if name == capability then return true end
  end
  return false
end

local function need(operation, option, ...)
  for _, capability in ipairs { ... } do
    if can(operation, capability) then return capability end
  end
  local offered = #operation.capabilities > 0 and concat(operation.capabilities, ", ") or "none"
  found(format("option '%s': the service lacks the capability %s (the catalog lists %s)", option,
    concat({ ... }, " or "), offered))
end

-- ---- Tables

--- The shape that an option refers to: of `tableRef`, or of the only table.
local function shapeOf(shapes, options)
  local name = options.tableRef
  if name == nil then return #shapes == 1 and shapes[1] or nil end
  if type(name) ~= "string" then
    found("option 'tableRef': expected the name of a table, got " .. type(name))
  end
  local names = {}
  for i, shape in ipairs(shapes) do
    if shape.name == name then return shape end
    names[i] = shape.name
  end
  found("option 'tableRef': " .. suggest.unknown("table", name, names))
end

-- ---- Filter

local function whereClause(form, shape, node)
  if not shape then
    found("option 'tableRef': expected the name of the table that the filter is for: there are several")
  end
  local text, message = mistake.check(filter.text, form, shape, node)
  if not text then found("option 'filter': " .. message) end
  if text == "" then return nil end
  return form == "sql" and format("SELECT * FROM %s WHERE %s", shape.name, text) or text
end

local function addFilter(made, operation, shapes, options)
  local node = options.filter
  if node == nil or type(node) == "table" and next(node) == nil then return end
  local key = need(operation, "filter", "ablFilter", "sqlQuery")
  local shape = shapeOf(shapes, options)
  if type(node) == "string" then
    made[key] = node
  elseif type(node) == "table" then
    made[key] = whereClause(key == "ablFilter" and "abl" or "sql", shape, node)
  else
    found("option 'filter': expected a text or a table, got " .. type(node))
  end
  if made[key] and shape and shape.name ~= "" then made.tableRef = shape.name end
end

-- ---- Sort

local DIRECTIONS = { asc = "", ascending = "", desc = " DESC", descending = " DESC" }

-- The field and the direction of "Name", "Name:desc" or "Name desc".
local function splitText(text)
  local name, direction = text:match "^%s*([^%s:]+)%s*[:%s]%s*(%a+)%s*$"
  if name then return name, direction end
  return text:match "^%s*(.-)%s*$", "asc"
end

local function isField(shape, name)
  return shape.open or pcall(filter.field, shape, name)
end

-- Without tableRef, the first table that has the field.
local function shapeFor(shapes, options, name)
  local shape = shapeOf(shapes, options)
  if shape then return shape end
  for _, candidate in ipairs(shapes) do
    if isField(candidate, name) then return candidate end
  end
  return shapes[1]
end

local function checkSortKeys(term)
  for key in pairs(term) do
    if key ~= "field" and key ~= "dir" then found(suggest.unknown("key", key, { "field", "dir" })) end
  end
end

local function sortTerm(shapes, options, term)
  local name, direction
  if type(term) == "string" then
    name, direction = splitText(term)
  elseif type(term) == "table" then
    checkSortKeys(term)
    name, direction = term.field, term.dir or "asc"
  else
    found("expected a text or a table, got " .. type(term))
  end
  local suffix = type(direction) == "string" and DIRECTIONS[ascii.lower(direction)]
  if not suffix then
    found(format("expected 'asc' or 'desc', got '%.64s'", tostring(direction)))
  end
  local shape = shapeFor(shapes, options, name)
  return filter.field(shape, name) .. suffix
end

local function sortTerms(sort)
  if type(sort) ~= "string" then
    return type(sort) == "table" and sort.field == nil and sort or { sort }
  end
  local terms = {}
  for term in sort:gmatch "[^,]+" do terms[#terms + 1] = term end
  return terms
end

local function addSort(made, operation, shapes, options)
  if options.sort == nil then return end
  need(operation, "sort", "orderBy")
  local terms = {}
  for i, term in ipairs(sortTerms(options.sort)) do
    local text, message = mistake.check(sortTerm, shapes, options, term)
    if not text then found("option 'sort': " .. message) end
    terms[i] = text
  end
  if #terms > 0 then made.orderBy = concat(terms, ",") end
end

-- ---- The rest

local function addNumber(made, operation, options, name)
  local value = options[name]
  if value == nil then return end
  local number = type(value) == "number" and math.tointeger(value)
  if not number or number < 0 then
    found(format("option '%s': expected a whole number of 0 or more", name))
  end
  need(operation, name, name)
  made[name] = number
end

local function addId(made, operation, options)
  local id = options.id
  if id == nil then return end
  if type(id) ~= "string" and type(id) ~= "number" then
    found("option 'id': expected a text or a number, got " .. type(id))
  end
  need(operation, "id", "id")
  made.id = id
end

local function checkOptions(options)
  for key in pairs(options) do
    local known = false
    for _, name in ipairs(OPTIONS) do known = known or name == key end
    if not known then found(suggest.unknown("option", key, OPTIONS)) end
  end
end

local function encode(made)
  local parts = {}
  for _, key in ipairs(KEYS) do
    if made[key] ~= nil then
      local text, message = codec.encode(made[key])
      if not text then found(format("option '%s': %s", key, message)) end
      parts[#parts + 1] = format('"%s":%s', key, text)
    end
  end
  return "{" .. concat(parts, ",") .. "}"
end

--- The text of the parameter `filter`. Ends the check (mistake.lua) when an option is wrong, or needs a
-- capability that the operation lacks.
-- @param operation of the catalog: the read operation
-- @param shapes array of the tables' shapes
-- @param options table: `filter`, `sort`, `top`, `skip`, `id`, `tableRef`; `mergeMode` is not looked at
-- @param viewTables any JSON value, passed along; or nil
function jfp.text(operation, shapes, options, viewTables)
  checkOptions(options)
  local made = { viewTables = viewTables }
  shapeOf(shapes, options)
  if options.tableRef ~= nil then made.tableRef = options.tableRef end
  addFilter(made, operation, shapes, options)
  addSort(made, operation, shapes, options)
  addNumber(made, operation, options, "skip")
  addNumber(made, operation, options, "top")
  addId(made, operation, options)
  return encode(made)
end

--- True if the operation lists a capability.
jfp.can = can

return jfp
