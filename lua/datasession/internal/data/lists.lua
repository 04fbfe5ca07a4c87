--- The values of array fields: `record.Sales` is a list that reads and writes the record's elements.
-- Each write is a change of the record: it replaces the whole array, so that before-images stay as they are.

local codec = require "datasession.internal.codec"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"
local math = require("datasession.internal.lua").math

local VALUES = private.VALUES
local null = codec.null
local empty = {}

local RECORD, FIELD = {}, {}

local lists = {}

local function elements(list)
  local value = rawget(list, RECORD)[VALUES][rawget(list, FIELD)]
  return type(value) == "table" and value or empty
end

local meta = { __name = "datasession.list", __metatable = "datasession.list" }

function meta.__index(list, i)
  local value = elements(list)[i]
  if value ~= null then return value end
end

function meta.__newindex(list, i, value)
  lists.setElement(rawget(list, RECORD), rawget(list, FIELD), i, value, 2)
end

function meta.__len(list) return #elements(list) end

function meta.__eq(a, b)
  return rawget(a, RECORD) == rawget(b, RECORD) and rawget(a, FIELD) == rawget(b, FIELD)
end

local function following(list, i)
  i = i + 1
  if i <= #elements(list) then return i, list[i] end
end

function meta.__pairs(list) return following, list, 0 end

function meta.__tostring(list)
  local texts = {}
  for i = 1, #elements(list) do texts[i] = tostring(list[i]) end
  return "{ " .. table.concat(texts, ", ") .. " }"
end

--- True if the value stands for an array field of a record.
local function isList(value)
  return type(value) == "table" and rawget(value, RECORD) ~= nil
end

lists.is = isList

--- The list that stands for an array field of a record.
function lists.new(record, field)
  return setmetatable({ [RECORD] = record, [FIELD] = field }, meta)
end

--- A plain array of its own with the elements of an array or a list; nil becomes null.
function lists.copy(value)
  local source = isList(value) and elements(value) or value
  local copy = codec.array {}
  for i = 1, #source do
    local element = source[i]
    if element == nil then element = null end
    copy[i] = element
  end
  return copy
end

--- True if both arrays hold the same elements.
function lists.equal(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function checkIndex(m, field, i, length, level)
  local list = m.shape.lists[field]
  local most = list and schema.length(list) or length + 1
  if math.type(i) ~= "integer" or i < 1 or i > most then
    raise(("%s: expected an index from 1 to %d, got %s"):format(field, most, tostring(i)), level + 1)
  end
end

--- Changes one element of an array field; those before it that are missing become null. Raises for an index
-- outside the array.
function lists.setElement(record, field, i, value, level)
  local m = record[private.MEMORY]
  local now = record[VALUES][field]
  local copy = lists.copy(type(now) == "table" and now or empty)
  checkIndex(m, field, i, #copy, level + 1)
  for j = #copy + 1, i - 1 do copy[j] = null end
  if value == nil then value = null end
  copy[i] = value
  m.write(m, record, field, copy, level + 1) -- checks the elements
end

return lists
