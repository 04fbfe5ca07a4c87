--- The rows that a program gives to addRecords, as memory keeps them.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local lists = require "datasession.internal.data.lists"
local memory = require "datasession.internal.data.memory"
local mistake = require "datasession.internal.data.mistake"
local raise = require "datasession.internal.raise"

local format = string.format
local found = mistake.found
local null = codec.null
local next, type = next, type

local DEEPEST = 100

local copyValue

local function copyTable(value, depth)
  if lists.is(value) then return lists.copy(value) end
  if depth > DEEPEST then
    found(format("nested deeper than %d levels, or a table that holds itself", DEEPEST))
  end
  local copy = codec.isArray(value) and codec.array {} or {}
  for key, member in next, value do copy[key] = copyValue(member, depth + 1) end
  return copy
end

-- True for values that are kept as they are.
local function isPlain(value)
  local kind = type(value)
  return kind == "string" or kind == "boolean" or kind == "number" and value - value == 0 or value == null
end

function copyValue(value, depth)
  if isPlain(value) then return value end
  local kind = type(value)
  if kind == "number" then found "NaN and infinity have no JSON" end
  if kind ~= "table" then found("expected a JSON value, got " .. kind) end
  return copyTable(value, depth)
end

local function copyField(shape, name, value)
  if type(name) ~= "string" then found("expected the name of a field, got " .. type(name)) end
  local isList = shape.lists[name] and type(value) == "table" and value ~= null
  local copy = copyValue(value, 1)
  return isList and codec.array(copy) or copy
end

-- The program keeps its table. Records are taken, too.
local function copyRow(t, row, i, level)
  if type(row) ~= "table" or row == null or codec.isArray(row) then
    raise(format("addRecords: row %d of %s: expected a table of values, got %s", i, t[P].shape.name,
      codec.isArray(row) and "an array" or type(row)), level + 1)
  end
  local copy, shape = {}, t[P].shape
  for name, value in next, memory.isRecord(row) and memory.values(row) or row do
    if not (isPlain(value) and type(name) == "string") then
      local message
      value, message = mistake.check(copyField, shape, name, value)
      if message then
        raise(format("addRecords: row %d of %s: %s: %s", i, shape.name, tostring(name), message), level + 1)
      end
    end
    copy[name] = value
  end
  return copy
end

--- Copies rows.
-- @param t table reference
-- @param rows array of tables or records
-- @return array of plain rows. Raises at `level` for other values, and for those that have no JSON
return function(t, rows, level)
  if type(rows) ~= "table" or rows == null then
    raise(format("addRecords: data: expected an array of rows for %s, got %s", t[P].shape.name, type(rows)),
      level + 1)
  end
  local list = codec.array {}
  for i, row in ipairs(rows) do list[i] = copyRow(t, row, i, level + 1) end
  return list
end
