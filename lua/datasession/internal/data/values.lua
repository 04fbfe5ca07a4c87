--- The plain form of values that a program gives: checks, and copies of arrays.

local codec = require "datasession.internal.codec"
local lists = require "datasession.internal.data.lists"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"

local null = codec.null
local length, pairs = lua.length, lua.pairs
local type = type

local values = {}

local PLAIN = { string = true, boolean = true, number = true }

local function checkNumber(field, value, level)
  if value ~= value or value - value ~= 0 then
    raise(("%s: NaN and infinity have no JSON"):format(field), level + 1)
  end
end

local function refuse(field, expected, value, level)
  raise(("%s: expected %s, got %s"):format(field, expected, type(value)), level + 1)
end

--- A single value; nil becomes null. Raises for what has no JSON.
function values.scalar(field, value, level)
  if value == nil or value == null then return null end
  if not PLAIN[type(value)] then refuse(field, "a text, a number, a boolean or nil", value, level + 1) end
  if type(value) == "number" then checkNumber(field, value, level + 1) end
  return value
end

local function countKeys(value)
  local n = 0
  for _ in pairs(value) do n = n + 1 end
  return n
end

--- A copy of an array or a list for an array field.
-- @param description the catalog's field
function values.list(description, value, level)
  local field, most = description.name, schema.length(description)
  if type(value) ~= "table" then refuse(field, "an array or nil", value, level + 1) end
  if value[1] == nil and countKeys(value) > length(value) then
    raise(("%s: expected an array or nil, got a table with names"):format(field), level + 1)
  end
  local copy = lists.copy(value)
  if most and #copy > most then
    raise(("%s: expected %d elements at most, got %d"):format(field, most, #copy), level + 1)
  end
  for i = 1, #copy do
    if type(copy[i]) ~= "table" then values.scalar(field, copy[i], level + 1) end
  end
  return copy
end

-- A date table, or one of os.date, for a field that holds dates.
local function refuseDate(shape, field, level)
  local kind = require("datasession.internal.data.literal").kindOf(shape.byName[field])
  if kind and (kind == "date-time" or kind:find "^DATE") then
    raise(("%s: expected a text, got table: datasession.date.format makes a text of a date"):format(field),
      level + 1)
  end
end

--- The plain form of a value for a field of the shape.
function values.plain(shape, field, value, level)
  if value == nil or value == null then return null end
  local list = shape.lists[field]
  if list then
    local copy = values.list(list, value, level + 1)
    return copy
  end
  if type(value) == "table" then
    if not shape.scalar[field] then return value end
    refuseDate(shape, field, level + 1)
  end
  value = values.scalar(field, value, level + 1)
  return value
end

return values
