--- Default values of new records.

local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local schema = require "datasession.internal.data.schema"
local table = require("datasession.internal.lua").table

local MOST = 28000 -- elements of an array; ABL has no longer ones

local defaults = {}

local function isDate(field)
  if field.type == "array" then return ascii.upper(field.ablType or ""):find("DATE", 1, true) ~= nil end
  return field.type == "string" and (field.format or ""):find("date", 1, true) ~= nil
end

local function moment(text)
  if text == "NOW" then return os.date "!%Y-%m-%dT%H:%M:%S.000Z" end
  if text == "TODAY" then return os.date "%Y-%m-%d" end
end

local function valueOf(field)
  local value = field.default
  if type(value) == "string" and isDate(field) then return moment(ascii.upper(value)) or value end
  return value
end

local function listOf(field, value)
  local list = codec.array {}
  if type(value) == "table" then return table.move(value, 1, #value, 1, list) end
  if value == nil then value = codec.null end
  for i = 1, math.min(schema.length(field), MOST) do list[i] = value end
  return list
end

--- A new plain row with the default values of a shape. NOW is the current time in UTC, TODAY the local date.
function defaults.row(shape)
  local row = {}
  for _, field in ipairs(shape.fields) do
    local value = valueOf(field)
    if shape.lists[field.name] and (schema.length(field) or type(value) == "table") then
      value = listOf(field, value)
    end
    row[field.name] = value
  end
  return row
end

return defaults
