--- addRecords: rows that come into memory beside those that are there.

local P = require("datasession.internal.data.private").P
local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local givenRows = require "datasession.internal.data.given"
local image = require "datasession.internal.data.image"
local memory = require "datasession.internal.data.memory"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"
local lua = require "datasession.internal.lua"

local math, tostring = lua.math, lua.tostring

local format = string.format
local null = codec.null

local MODES = { "MODE_APPEND", "MODE_EMPTY", "MODE_MERGE", "MODE_REPLACE" } -- the names in JSDO

local merge = {
  APPEND = 1, EMPTY = 2, MERGE = 3, REPLACE = 4, MODES = MODES,
  methods = {}, tableMethods = {},
}

-- ---- keys

local function part(value, caseSensitive)
  if value == nil then value = null end
  if type(value) == "string" then return "s" .. (caseSensitive and value or ascii.lower(value)) end
  if type(value) ~= "number" then return tostring(value) end
  local integer = math.tointeger(value) -- 1 and 1.0 are one key
  return integer and "n" .. tostring(integer) or format("n%.17g", value)
end

-- A text that two rows have in common if their keys are equal.
local function keyOf(row, keys, caseSensitive)
  if #keys == 1 then return part(row[keys[1]], caseSensitive) end
  local parts = {}
  for i, key in ipairs(keys) do
    local text = part(row[key], caseSensitive)
    parts[i] = #text .. ":" .. text
  end
  return table.concat(parts)
end

local function isDeleted(r)
  local change = memory.change(r)
  return change ~= nil and change.state == "deleted"
end

-- A record that the program has deleted is known as long as that is pending: its row does not bring it back.
local function indexOf(t, keys)
  local index, caseSensitive = {}, t[P].caseSensitive
  for _, r in ipairs(memory.changed(t)) do
    if isDeleted(r) then index[keyOf(memory.values(r), keys, caseSensitive)] = r end
  end
  for r in memory.records(t) do index[keyOf(memory.values(r), keys, caseSensitive)] = r end
  return index
end

-- A program that merges rows one by one must not pay for all records each time: m.keyIndex keeps the index,
-- until a record is deleted or comes back, one comes from elsewhere, or a key field changes.
local function keptIndex(t, keys)
  local m, kept = t[P], t[P].keyIndex
  local fits = kept and kept.names == table.concat(keys, "\0") and kept.caseSensitive == m.caseSensitive
    and kept.edition == m.edition and kept.count == #m.records
  return fits and kept.index or indexOf(t, keys)
end

local function keepIndex(t, keys, index)
  local m, fields = t[P], {}
  for _, name in ipairs(keys) do fields[name] = true end
  m.keyIndex = {
    index = index, fields = fields, names = table.concat(keys, "\0"), caseSensitive = m.caseSensitive,
    edition = m.edition, count = #m.records,
  }
end

--- A function (row) that gives the record in memory with the key of a row; or nil. It knows the records that
-- are there when it is first called.
function merge.finder(t, keys)
  local index
  return function(row)
    index = index or indexOf(t, keys)
    return index[keyOf(row, keys, t[P].caseSensitive)]
  end
end

-- ---- merging rows into one table

-- True: the rows may be appended. nil and a message when a key would be there twice.
local function checkNew(t, rows, keys, index)
  local seen, caseSensitive = {}, t[P].caseSensitive
  for i, row in ipairs(rows) do
    local key = keyOf(row, keys, caseSensitive)
    local known = index[key]
    if known and not isDeleted(known) or seen[key] then
      return nil, format("row %d of %s: a record with that key (%s) is there already", i, t[P].shape.name,
        table.concat(keys, ", "))
    end
    seen[key] = true
  end
  return true
end

local function mergeRow(t, row, mode, keys, index)
  local key = keyOf(row, keys, t[P].caseSensitive)
  local known = index[key]
  if known and mode == merge.REPLACE then
    memory.refresh(known, row)
  elseif not known or mode == merge.APPEND then
    index[key] = memory.append(t, row)
  end
  return index[key], not known
end

--- Puts plain rows, which memory takes over, into a table. They count as unchanged.
-- @param mode integer: merge.APPEND, EMPTY, MERGE (a row whose key is there already is left out) or REPLACE
--   (its values replace those of the record; fields with a pending change keep it)
-- @param keys array of field names, or nil: every row is new
-- @param each function (row number, record, boolean: it is new) or nil: called for each row
-- @return true; nil and a message: with APPEND a key would be there twice, and nothing has changed
function merge.rows(t, rows, mode, keys, each)
  if mode == merge.EMPTY then memory.clear(t) end
  if keys and #keys == 0 or mode == merge.EMPTY then keys = nil end
  local index, edition = keys and keptIndex(t, keys), t[P].edition
  if index and mode == merge.APPEND then
    local ok, message = checkNew(t, rows, keys, index)
    if not ok then return nil, message end
  end
  for i, row in ipairs(rows) do
    local r, isNew
    if index then
      r, isNew = mergeRow(t, row, mode, keys, index)
    else
      r, isNew = memory.append(t, row), true
    end
    if each then each(i, r, isNew) end
  end
  local m = t[P]
  m.keyIndex = nil
  if index and #rows * 4 < #m.records and m.edition == edition then keepIndex(t, keys, index) end
  return true
end

-- ---- arguments

local function checkMode(mode, level)
  for _, name in ipairs(MODES) do
    if mode == merge[name:sub(6)] then return end
  end
  raise(format("addRecords: mode: expected one of JSDO.%s, got %s", table.concat(MODES, ", JSDO."),
    mode == nil and "nothing" or tostring(mode)), level + 1)
end

local function checkKeys(call, t, keys, level)
  if type(keys) ~= "table" then
    raise(call .. ": keyFields: expected an array of names, got " .. type(keys), level + 1)
  end
  local shape, list = t[P].shape, {}
  for i, name in ipairs(keys) do
    local spelled = type(name) == "string"
      and (schema.has(shape, name) and name or schema.spelled(shape, name))
    if not spelled then
      raise(call .. ": keyFields: " .. suggest.unknown("field", name, shape.names), level + 1)
    end
    list[i] = spelled
  end
  return list
end

-- ---- the data of all tables

local function isList(data)
  return codec.isArray(data) or data[1] ~= nil
end

-- The members of the data by table: { table = rows }, maybe with parts of a before-image.
local function membersOf(jsdo, data, level)
  local resource, tables = jsdo[P].resource, jsdo[P].tables
  local inner = resource.datasetName and data[resource.datasetName]
  if type(inner) == "table" then return inner end
  if not isList(data) and type(data.data) ~= "table" then return data end
  if #tables > 1 then
    raise(format("addRecords: data: %s has several tables: call it on one of them, or give { table = rows }",
      resource.name), level + 1)
  end
  return { [tables[1][P].shape.name] = isList(data) and data or data.data }
end

local function copyBefore(t, members, key, level)
  local source = members[key]
  local rows = type(source) == "table" and source[t[P].shape.name]
  return rows and { [t[P].shape.name] = givenRows(t, rows, level + 1) } or nil
end

-- The parsed rows of one table: nil if the data has none of it.
local function parseTable(jsdo, t, members, level)
  local name = t[P].shape.name
  local own = {
    [name] = members[name] ~= nil and givenRows(t, members[name], level + 1) or nil,
    ["prods:before"] = copyBefore(t, members, "prods:before", level + 1),
    ["prods:errors"] = copyBefore(t, members, "prods:errors", level + 1),
  }
  if next(own) == nil then return nil end
  local parsed, message = image.parse(jsdo, own)
  if not parsed then raise("addRecords: data: " .. message, level + 1) end
  for _, one in ipairs(parsed) do
    if one.t == t then return one end
  end
end

local function pendingMessage(t, i)
  return format("row %d of %s: the record has a pending change: accept or reject it first", i,
    t[P].shape.name)
end

-- nil and a message if a row with before-image is about a record that has a pending change.
local function checkMarks(parsed, keys)
  local t = parsed.t
  if next(parsed.marks) == nil and #parsed.deleted == 0 then return true end
  local index = indexOf(t, keys)
  local function isPending(row)
    local known = index[keyOf(row, keys, t[P].caseSensitive)]
    return known and memory.change(known)
  end
  for i, row in ipairs(parsed.rows) do
    if parsed.marks[i] and parsed.marks[i].state and isPending(row) then return nil, pendingMessage(t, i) end
  end
  for i, mark in ipairs(parsed.deleted) do
    if isPending(mark.old) then return nil, pendingMessage(t, i) end
  end
  return true
end

-- Makes the records of these old rows deleted ones.
local function addDeleted(parsed, keys)
  local t = parsed.t
  if #parsed.deleted == 0 then return end
  local index = keys and indexOf(t, keys) or {}
  for _, mark in ipairs(parsed.deleted) do
    local known = keys and index[keyOf(mark.old, keys, t[P].caseSensitive)]
    if known then memory.refresh(known, mark.old) end
    mark.state = "deleted"
    image.restore(known or memory.append(t, mark.old), mark)
  end
end

--- Merges what image.parse gave of one table, pending changes too.
-- @param mode, keys as for merge.rows
-- @return true; nil and a message, and nothing has changed
function merge.add(parsed, mode, keys)
  if mode == merge.EMPTY or keys and #keys == 0 then keys = nil end
  local ok, message = true, nil
  if keys then ok, message = checkMarks(parsed, keys) end
  if not ok then return nil, message end
  ok, message = merge.rows(parsed.t, parsed.rows, mode, keys, function(i, r)
    if parsed.marks[i] and not memory.change(r) then image.restore(r, parsed.marks[i]) end
  end)
  if not ok then return nil, message end
  addDeleted(parsed, keys)
  return true
end

local function add(parsed, mode, keys, level)
  local ok, message = merge.add(parsed, mode, keys)
  if not ok then raise("addRecords: " .. message, level + 1) end
end

--- The key fields of a table that the argument keyFields names. Raises for unknown names.
-- @param keyFields array of names, or { table = names }, or nil
-- @return array of names as the catalog spells them; or nil
function merge.keysFor(call, t, keyFields, level)
  if keyFields == nil then return nil end
  if type(keyFields) == "table" and keyFields[1] == nil and next(keyFields) ~= nil then
    local own = keyFields[t[P].shape.name]
    return own ~= nil and checkKeys(call, t, own, level + 1) or nil
  end
  return (checkKeys(call, t, keyFields, level + 1))
end

local function keysFor(t, keyFields, level)
  local keys = merge.keysFor("addRecords", t, keyFields, level + 1)
  return keys
end

local function checkTables(jsdo, members, mode, level)
  local names = {}
  for _, t in ipairs(jsdo[P].tables) do
    local name = t[P].shape.name
    if members[name] ~= nil then return end
    names[#names + 1] = name
  end
  if members["prods:before"] ~= nil or mode == merge.EMPTY and next(members) == nil then return end
  raise("addRecords: data: expected rows of " .. table.concat(names, " or "), level + 1)
end

--- Adds the rows of all tables in the data. With the mode EMPTY the other tables are cleared.
-- @param data table: { dataset = { table = rows } }, also with the keys of a before-image; { table = rows };
--   for a resource with one table also an array of rows, or { data = rows }
-- @param mode integer: JSDO.MODE_APPEND, MODE_EMPTY, MODE_MERGE or MODE_REPLACE
-- @param keyFields array of names, or { table = names }; by default every row is new
-- @return the object. Raises for wrong arguments, and with MODE_APPEND when a key is there already
function merge.methods.addRecords(jsdo, data, mode, keyFields)
  checkMode(mode, 2)
  if type(data) ~= "table" then raise("addRecords: data: expected a table, got " .. type(data), 2) end
  local members = membersOf(jsdo, data, 2)
  checkTables(jsdo, members, mode, 2)
  local list = {}
  for _, t in ipairs(jsdo[P].tables) do
    local parsed = parseTable(jsdo, t, members, 2)
    if parsed then
      list[#list + 1] = { parsed = parsed, keys = keysFor(t, keyFields, 2) }
    elseif mode == merge.EMPTY then
      list[#list + 1] = { parsed = { t = t, rows = {}, marks = {}, deleted = {} } }
    end
  end
  for _, one in ipairs(list) do add(one.parsed, mode, one.keys, 2) end
  return jsdo
end

--- The same for one table.
-- @param data an array of rows, { table = rows } or { data = rows }
function merge.tableMethods.addRecords(t, data, mode, keyFields)
  checkMode(mode, 2)
  if type(data) ~= "table" then raise("addRecords: data: expected a table, got " .. type(data), 2) end
  local jsdo, name = t[P].jsdo, t[P].shape.name
  local members = isList(data) and { [name] = data }
    or data[name] == nil and type(data.data) == "table" and { [name] = data.data }
    or membersOf(jsdo, data, 2)
  local isEmpty = mode == merge.EMPTY and next(members) == nil
  local parsed = isEmpty and { t = t, rows = {}, marks = {}, deleted = {} } or parseTable(jsdo, t, members, 2)
  if not parsed then raise("addRecords: data: expected rows of " .. name, 2) end
  add(parsed, mode, keysFor(t, keyFields, 2), 2)
  return t
end

return merge
