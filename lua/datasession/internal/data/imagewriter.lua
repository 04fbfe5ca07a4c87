--- Writes before-images: the JSON of a dataset with pending changes. image.lua describes the form.
--
-- Each row is encoded by itself, with the keys before its fields, once with its values and once with the old
-- ones in their place: no row is copied.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local ids = require "datasession.internal.data.ids"
local image = require "datasession.internal.data.image"
local memory = require "datasession.internal.data.memory"
local sending = require "datasession.internal.data.sending"
local table = require("datasession.internal.lua").table

local concat, format, sub = table.concat, string.format, string.sub
local encode, encodeRow = codec.encode, core.encodeRow
local unsent = sending.unsent

local imagewriter = {}

local SLICE = 200 -- rows between two pauses

-- ---- one row

-- The text of a string; ids seldom need escapes.
local function quoted(text)
  if text:find "^[%w%-_.]*$" then return '"' .. text .. '"' end
  return encode(text)
end

local function nameOf(jsdo)
  return jsdo[P].resource.datasetName or jsdo[P].resource.name
end

-- The names of the fields that are sent.
local function sentNames(shape)
  local names = {}
  for _, name in ipairs(shape.names) do
    if not image.isOwn(shape, name) then names[#names + 1] = name end
  end
  return names
end

-- shape -> the parts that all its texts share: the names of the fields, the JSON of the table's name, the
-- start of a dataset with changes
local common = setmetatable({}, { __mode = "k" })

local function commonOf(t)
  local shape = t[P].shape
  local parts = common[shape]
  if not parts then
    parts = {
      names = sentNames(shape), table = quoted(shape.name),
      start = "{" .. quoted(nameOf(t[P].jsdo)) .. ':{"prods:hasChanges":true,',
    }
    common[shape] = parts
  end
  return parts
end

-- A copy of a row with other values.
local function withValues(row, old)
  local copy = {}
  for field, value in next, row do copy[field] = value end
  for field, value in next, old do copy[field] = value end
  return copy
end

--- A copy of the record's row with other values.
-- @param old table: field -> value
function imagewriter.oldRow(r, old)
  return withValues(memory.values(r), old)
end

-- The text of a row that core.encodeRow leaves to the codec.
local function encodeByCodec(t, r, row, old, first)
  local copy = withValues(row, old or {})
  image.strip(t[P].shape, copy)
  local text, message = encode(copy)
  if not text then
    error({ message = format("record %s: %s", memory.label(r), message), record = r }, 0)
  end
  if not first then return text end
  return text == "{}" and format("{%s}", first) or format("{%s,%s", first, sub(text, 2))
end

--- The JSON of a row of the record. Raises { message =, record = } for a value that has no JSON.
-- @param row plain
-- @param first string or nil: the text of members that come first
function imagewriter.rowText(t, r, row, first)
  return encodeRow(commonOf(t).names, row, first) or encodeByCodec(t, r, row, nil, first)
end

local rowText = imagewriter.rowText
local writers = {}

function writers.created(t, r, row, _, id)
  return rowText(t, r, row, '"prods:clientId":' .. id .. ',"prods:rowState":"created"')
end

function writers.modified(t, r, row, old, id)
  local oldFirst = '"prods:id":' .. id
  local first = '"prods:id":' .. id .. ',"prods:clientId":' .. id .. ',"prods:rowState":"modified"'
  local after, before = encodeRow(commonOf(t).names, row, first, old, oldFirst)
  if after then return after, before end
  return encodeByCodec(t, r, row, nil, first), encodeByCodec(t, r, row, old, oldFirst)
end

function writers.deleted(t, r, row, old, id)
  local first = '"prods:clientId":' .. id .. ',"prods:rowState":"deleted"'
  local _, before = encodeRow(commonOf(t).names, row, nil, old, first)
  return nil, before or encodeByCodec(t, r, row, old, first)
end

-- The texts of a record's new row and of its old row; either may be nil.
local function texts(t, r, state, old, id)
  if not state then return rowText(t, r, memory.values(r)) end
  return writers[state](t, r, memory.values(r), old, quoted(id or ids.id(t[P], r)))
end

-- ---- datasets

local function addRow(list, text)
  local n = #list
  if n > 0 then
    n = n + 1
    list[n] = ","
  end
  list[n + 1] = text
end

local function add(into, r, state, old, id)
  local after, before = texts(into.t, r, state, old, id)
  if after then addRow(into.after, after) end
  if before then addRow(into.before, before) end
  into.hasChanges = into.hasChanges or state ~= nil
end

-- Adds the array of one table to the pieces of the whole text.
local function addTable(pieces, t, list)
  pieces[#pieces + 1] = commonOf(t).table .. ":["
  table.move(list, 1, #list, #pieces + 1, pieces)
  pieces[#pieces + 1] = "]"
end

-- Adds the arrays of the tables that have some: `kind` is "after" or "before". `joint` comes first.
local function addTables(pieces, tables, kind, joint)
  local any = false
  for _, one in ipairs(tables) do
    if #one[kind] > 0 or kind == "after" and one.always then
      pieces[#pieces + 1] = any and "," or joint
      any = true
      addTable(pieces, one.t, one[kind])
    end
  end
  return any
end

-- Puts the texts of all tables together. They may be long: they are copied once.
local function dataset(name, tables)
  local hasChanges = false
  for _, one in ipairs(tables) do hasChanges = hasChanges or one.hasChanges end
  local pieces = { format('{%s:{"prods:hasChanges":%s', quoted(name), hasChanges and "true" or "false") }
  addTables(pieces, tables, "after", ",")
  if addTables(pieces, tables, "before", ',"prods:before":{') then pieces[#pieces + 1] = "}" end
  pieces[#pieces + 1] = "}}"
  return concat(pieces)
end

-- Adds the record if there is something to send of it, and `begin` agrees.
local function addUnsent(into, r, begin)
  local state, old = unsent(into.t[P], r)
  if not state then return end
  local id
  if begin then
    id = begin(into.t, r, state)
    if not id then return end
    state, old = unsent(into.t[P], r)
  end
  if state then add(into, r, state, old, id) end
end

--- The JSON of the dataset with the changes that are to be sent of some records. Raises a table { message =,
-- record = } when a record holds a value that has no JSON.
-- @param jsdo the data object
-- @param records table: table reference -> array of records
-- @param begin function (t, r, state) or nil: called before a record is written; returns its id, or false to
--   leave it out
-- @param pause function or nil: called between slices of the work
-- @return string
function imagewriter.write(jsdo, records, begin, pause)
  local tables = {}
  for i, t in ipairs(jsdo[P].tables) do
    local into = { t = t, after = {}, before = {} }
    tables[i] = into
    for n, r in ipairs(records[t] or {}) do
      addUnsent(into, r, begin)
      if pause and n % SLICE == 0 then pause() end
    end
  end
  return dataset(nameOf(jsdo), tables)
end

--- The same for one record.
function imagewriter.writeOne(t, r)
  local state, old = unsent(t[P], r)
  local after, before = texts(t, r, state, old)
  local parts = commonOf(t)
  local start, name = parts.start, parts.table
  if not before then return start .. name .. ":[" .. after .. "]}}" end
  if not after then return start .. '"prods:before":{' .. name .. ":[" .. before .. "]}}}" end
  return start .. name .. ":[" .. after .. '],"prods:before":{' .. name .. ":[" .. before .. "]}}}"
end

-- Records of a table: those in order, then those that were deleted.
local function allOf(t)
  local list = {}
  for r in memory.records(t) do list[#list + 1] = r end
  for _, r in ipairs(memory.changed(t)) do
    if unsent(t[P], r) == "deleted" then list[#list + 1] = r end
  end
  return list
end

--- The JSON of all records with the changes that are not saved yet; each table has its array, empty or not.
-- Raises as `write`.
-- @param name string: of the dataset
-- @param changedOnly boolean: true leaves out the records without a change
function imagewriter.writeAll(jsdo, name, changedOnly)
  local tables = {}
  for i, t in ipairs(jsdo[P].tables) do
    local into = { t = t, after = {}, before = {}, always = true }
    for _, r in ipairs(changedOnly and memory.changed(t) or allOf(t)) do
      local state, old = unsent(t[P], r)
      if state or not changedOnly then add(into, r, state, old) end
    end
    tables[i] = into
  end
  return dataset(name, tables)
end

return imagewriter
