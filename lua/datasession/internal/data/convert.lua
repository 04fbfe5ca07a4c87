--- The values that a program gives to add and assign, as they are kept.

local codec = require "datasession.internal.codec"
local defaults = require "datasession.internal.data.defaults"
local lists = require "datasession.internal.data.lists"
local memory = require "datasession.internal.data.memory"
local raise = require "datasession.internal.raise"
local record = require "datasession.internal.data.record"
local schema = require "datasession.internal.data.schema"
local lua = require "datasession.internal.lua"

local math, pairs = lua.math, lua.pairs

local null = codec.null
local scalar = require("datasession.internal.data.values").scalar

local convert = {}

local function toNumber(kind, text)
  if not text:find "%S" then return null end
  local number = tonumber(text)
  if kind == "integer" then return number and math.tointeger(number) end
  return number
end

local function numberOf(field, kind, text, method, level)
  local number = toNumber(kind, text)
  if number == nil then
    raise(("%s: %s: expected %s, got a text that is none"):format(method, field,
      kind == "integer" and "an integer" or "a number"), level + 1)
  end
  return number
end

-- The elements of a text as "[1,2,3]".
local function listOf(name, field, text, method, level)
  local list, kind = codec.array {}, field.items and field.items.type
  for piece in (text:sub(2, -2) .. ","):gmatch "([^,]*)," do
    local isNumber = kind == "integer" or kind == "number"
    list[#list + 1] = isNumber and numberOf(name, kind, piece, method, level + 1) or piece
  end
  return list
end

--- A value of a field: texts for number and array fields are converted.
function convert.value(m, name, value, method, level)
  local field = m.shape.byName[name]
  if type(value) == "string" and field then
    if m.shape.lists[name] then return (listOf(name, field, value, method, level + 1)) end
    if field.type == "integer" or field.type == "number" then
      return (numberOf(name, field.type, value, method, level + 1))
    end
  end
  return (memory.plain(m, name, value, level + 1))
end

-- Puts one element into the copy of an array that `row` has or gets.
local function putElement(row, now, field, index, value)
  local list = row[field]
  if not list then
    list = lists.copy(type(now) == "table" and now or {})
    row[field] = list
  end
  for i = #list + 1, index - 1 do list[i] = null end
  list[index] = value
end

-- Puts the values of names such as Sales_2 into the arrays of `row`; `now` has the present arrays.
local function putElements(m, row, now, values, level)
  for name, value in pairs(values) do
    local field, index = schema.element(m.shape, name)
    if field then putElement(row, now[field], field, index, scalar(name, value, level + 1)) end
  end
end

--- The plain values for a new row. Raises for unknown fields.
function convert.row(m, values, level)
  local row = {}
  local elements = false
  for name, value in pairs(values) do
    if schema.has(m.shape, name) then
      row[name] = memory.plain(m, name, value, level + 1)
    else
      record.checkName(m, name, level + 1)
      elements = true
    end
  end
  if elements then putElements(m, row, defaults.row(m.shape), values, level + 1) end
  return row
end

--- The plain values of the fields that change. Raises for unknown fields.
function convert.fields(m, r, values, method, level)
  local row = {}
  local elements = false
  for name, value in pairs(values) do
    if schema.has(m.shape, name) then
      row[name] = convert.value(m, name, value, method, level + 1)
    else
      record.checkName(m, name, level + 1)
      elements = true
    end
  end
  if elements then putElements(m, row, memory.values(r), values, level + 1) end
  return row
end

return convert
