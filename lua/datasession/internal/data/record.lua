--- Records: the form in which programs see rows. A record has one raw key, VALUES, under which the plain row
-- stands that the JSON decoder made. All records that one load has put into a table share a metatable.

local codec = require "datasession.internal.codec"
local ids = require "datasession.internal.data.ids"
local lists = require "datasession.internal.data.lists"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"

-- "\0row" below is private.VALUES: a literal spares each read of a field a look-up.
local GENERATION, MEMORY = private.GENERATION, private.MEMORY
local null = codec.null
local type = type

local record = {
  methods = {},    -- those of all records; other files add to it
  properties = {}, -- name -> function (m, r): what a record says of itself unless a field has the name
}

local properties, methods = record.properties, record.methods

function properties.data(_, r) return r end
function properties.id(m, r) return ids.id(m, r) end
function properties.state(m, r) return m.changes[r] and m.changes[r].state end
function properties.before(m, r) return m.before(m, r) end
function properties.errorString(m, r) return m.marks[r] and m.marks[r].errorString end
function properties.conflict(m, r) return m.marks[r] and m.marks[r].conflict end

--- True if the value is a record.
function record.is(value)
  return getmetatable(value) == "datasession.record" and type(value) == "table"
end

-- A list shows the fields alone; the nearest name may be any that a record knows.
local function refuseName(m, name, level)
  local kind, all = m.shape.name == "" and "field" or "field of " .. m.shape.name, {}
  for _, own in ipairs(m.shape.names) do all[#all + 1] = own end
  for _, source in ipairs { methods, properties } do
    for own in next, source do all[#all + 1] = own end
  end
  raise(suggest.unknown(kind, name, suggest.nearest(name, all) and all or m.shape.names), level + 1)
end

--- Raises unless records of `m` have a field of that name.
function record.checkName(m, name, level)
  if not schema.has(m.shape, name) and not schema.element(m.shape, name) then
    refuseName(m, name, level + 1)
  end
end

local function elementOf(r, field, index)
  local list = r["\0row"][field]
  local value = type(list) == "table" and list[index] or nil
  if value ~= null then return value end
end

-- Everything but fields with single values.
local function read(m, r, name, generation)
  if name == MEMORY then return m end
  if name == GENERATION then return generation end
  local shape = m.shape
  local value = r["\0row"][name]
  if shape.byName[name] or value ~= nil then
    if value == null then return nil end
    return type(value) == "table" and shape.lists[name] and lists.new(r, name) or value
  end
  local method = methods[name]
  if method then return method end
  local property = properties[name]
  if property then return property(m, r) end
  if schema.has(shape, name) then return nil end
  local field, index = schema.element(shape, name)
  if field then return elementOf(r, field, index) end
  refuseName(m, name, 2)
end

--- Changes a field or an element. Raises for unknown names and values that have no JSON.
function record.set(m, r, name, value, level)
  local shape = m.shape
  if not schema.has(shape, name) then
    local field, index = schema.element(shape, name)
    if field then
      lists.setElement(r, field, index, value, level + 1)
      return
    end
    if properties[name] or methods[name] then raise(("record.%s is read-only"):format(name), level + 1) end
    refuseName(m, name, level + 1)
  end
  m.write(m, r, name, value, level + 1)
end

--- A plain copy of a row.
function record.copyRow(row)
  local copy = {}
  for name, value in next, row do
    if type(value) == "table" and value[1] ~= nil then value = lists.copy(value) end
    copy[name] = value
  end
  return copy
end

-- The names of a row's values, in the order of the schema.
local function namesOf(shape, row)
  if not shape.open then return shape.names end
  local names = {}
  for name in next, row do names[#names + 1] = name end
  table.sort(names, require("datasession.internal.locale").before)
  return names
end

local function each(m, r)
  local names, i = namesOf(m.shape, r["\0row"]), 0
  return function()
    local name, value
    repeat
      i = i + 1
      name = names[i]
      value = name and r[name]
    until name == nil or value ~= nil
    return name, value
  end, r, nil
end

local function describe(m, r)
  local change = m.changes[r]
  local state = m.deleted[r] == "gone" and "removed" or change and change.state
  local name = m.shape.name == "" and "record" or "record of " .. m.shape.name
  return ("%s %s%s"):format(name, ids.label(m, r) or "without id", state and " (" .. state .. ")" or "")
end

--- The metatable for the records that are loaded next into `m`.
-- @param generation number, of the load
function record.meta(m, generation)
  local scalar = m.shape.scalar
  local function getAny(r, name)
    if scalar[name] then
      local value = r["\0row"][name]
      if value == null then return nil end
      return value
    end
    return read(m, r, name, generation)
  end
  local function getScalar(r, name) -- saves a look-up; no field of the shape is an array
    local value = r["\0row"][name]
    if value == nil then return read(m, r, name, generation) end
    if value == null then return nil end
    return value
  end
  return {
    __name = "datasession.record", __metatable = "datasession.record",
    __index = next(m.shape.lists) and getAny or getScalar,
    __newindex = function(r, name, value) record.set(m, r, name, value, 2) end,
    __pairs = function(r) return each(m, r) end,
    __tostring = function(r) return describe(m, r) end,
  }
end

return record
