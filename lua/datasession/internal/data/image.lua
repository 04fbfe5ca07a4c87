--- Before-images: the JSON of a dataset with its pending changes, written and read.
--
--     {"ds": {"prods:hasChanges": true,
--             "tt": [{"prods:id":, "prods:clientId":, "prods:rowState":, fields}],
--             "prods:before": {"tt": [{"prods:id":, old fields}]},
--             "prods:errors": {"tt": [{"prods:id":, "prods:error":}]}}}
--
-- Each row is encoded by itself, with the keys before its fields and old values in the place of new ones: no
-- row is copied.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local memory = require "datasession.internal.data.memory"

local concat, format, sub = table.concat, string.format, string.sub
local encode, null = codec.encode, codec.null

local image = {}

local SLICE = 200                     -- rows between two pauses
local GENERIC = "The server reports an error without a text."
local NOTHING = {}
local STATES = { created = true, modified = true, deleted = true }

-- Keys of rows that are no fields, unless the catalog says so. _errorString and _rejected never are.
local OWN = {
  "_id", "_index", "_errorString", "_rejected", "prods:id", "prods:clientId", "prods:rowState",
  "prods:hasErrors", "prods:rejected",
}

local function isOwn(shape, key)
  return key == "_errorString" or key == "_rejected" or not shape.byName[key] and key ~= shape.idProperty
end

-- ---- writing

-- The text of a string; ids seldom need escapes.
local function quoted(text)
  if not text:find "[^%w%-_.]" then return '"' .. text .. '"' end
  return encode(text)
end

local function copyWithoutOwn(shape, row)
  local copy = {}
  for name, value in next, row do copy[name] = value end
  for _, key in ipairs(OWN) do
    if isOwn(shape, key) then copy[key] = nil end
  end
  return copy
end

-- The row without keys that are not its fields: the row itself if it has none.
local function plain(shape, row)
  for i = 1, #OWN do
    if row[OWN[i]] ~= nil and isOwn(shape, OWN[i]) then return copyWithoutOwn(shape, row) end
  end
  return row
end

-- shape -> the names of its fields that are sent
local sentNames = setmetatable({}, { __mode = "k" })

local function namesOf(shape)
  local names = sentNames[shape]
  if not names then
    names = {}
    for _, name in ipairs(shape.names) do
      if name ~= "_errorString" and name ~= "_rejected" then names[#names + 1] = name end
    end
    sentNames[shape] = names
  end
  return names
end

--- A copy of a row with other values.
-- @param old table: field -> value
local function withValues(row, old)
  local copy = {}
  for field, value in next, row do copy[field] = value end
  for field, value in next, old do copy[field] = value end
  return copy
end

--- A copy of the record's row with other values.
function image.oldRow(r, old)
  return withValues(memory.values(r), old)
end

-- The text of a row that core.encodeRow leaves to the codec.
local function encodeByCodec(t, r, row, old, first)
  local text, message = encode(plain(t[P].shape, old and withValues(row, old) or row))
  if not text then
    error({ message = format("record %s: %s", memory.id(r), message), record = r }, 0)
  end
  if not first then return text end
  return text == "{}" and format("{%s}", first) or format("{%s,%s", first, sub(text, 2))
end

--- The JSON of a row of the record. Raises { message =, record = } for a value that has no JSON.
-- @param row plain
-- @param old table or nil: values that replace those of the row
-- @param first string or nil: the text of members that come first
function image.rowText(t, r, row, old, first)
  return core.encodeRow(namesOf(t[P].shape), row, old, first) or encodeByCodec(t, r, row, old, first)
end

local rowText = image.rowText
local writers = {}

local function addRow(list, text)
  local n = #list
  if n > 0 then
    n = n + 1
    list[n] = ","
  end
  list[n + 1] = text
end

function writers.created(t, r, _, id, into)
  local keys = format('"prods:clientId":%s,"prods:rowState":"created"', id)
  addRow(into.after, rowText(t, r, memory.values(r), nil, keys))
end

function writers.modified(t, r, old, id, into)
  local keys = format('"prods:id":%s,"prods:clientId":%s,"prods:rowState":"modified"', id, id)
  addRow(into.after, rowText(t, r, memory.values(r), nil, keys))
  addRow(into.before, rowText(t, r, memory.values(r), old, format('"prods:id":%s', id)))
end

function writers.deleted(t, r, old, id, into)
  local keys = format('"prods:clientId":%s,"prods:rowState":"deleted"', id)
  addRow(into.before, rowText(t, r, memory.values(r), old, keys))
end

local function writeRecord(t, r, state, old, into)
  if state then
    writers[state](t, r, old, quoted(memory.id(r)), into)
    into.hasChanges = true
  else
    addRow(into.after, rowText(t, r, memory.values(r)))
  end
end

-- Adds the array of one table to the pieces of the whole text.
local function addTable(pieces, t, list)
  pieces[#pieces + 1] = format("%s:[", quoted(t[P].shape.name))
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

-- A function that calls `pause` once in SLICE times.
local function slicer(pause)
  local n = 0
  return function()
    n = n + 1
    if pause and n % SLICE == 0 then pause() end
  end
end

local function nameOf(jsdo)
  return jsdo[P].resource.datasetName or jsdo[P].resource.name
end

--- The JSON of the dataset with the changes that are to be sent of some records. Raises a table { message =,
-- record = } when a record holds a value that has no JSON.
-- @param jsdo the data object
-- @param records table: table reference -> array of records
-- @param begin function (t, r, state) or nil: called before a record is written; if it returns false, the
--   record is left out
-- @param pause function or nil: called between slices of the work
-- @return string
function image.write(jsdo, records, begin, pause)
  local tables, slice = {}, slicer(pause)
  for i, t in ipairs(jsdo[P].tables) do
    local into = { t = t, after = {}, before = {} }
    tables[i] = into
    for _, r in ipairs(records[t] or {}) do
      local state, old = memory.unsent(r)
      if state and begin then
        if begin(t, r, state) then state, old = memory.unsent(r) else state = nil end
      end
      if state then writeRecord(t, r, state, old, into) end
      slice()
    end
  end
  return dataset(nameOf(jsdo), tables)
end

-- Records of a table: those in order, then those that were deleted.
local function allOf(t)
  local list = {}
  for r in memory.records(t) do list[#list + 1] = r end
  for _, r in ipairs(memory.changed(t)) do
    if memory.change(r).state == "deleted" then list[#list + 1] = r end
  end
  return list
end

--- The JSON of all records with their changes since the last accept or reject; each table has its array,
-- empty or not. Raises as `write`.
-- @param name string: of the dataset; by default the resource's
-- @param changedOnly boolean: true leaves out the records without a change
function image.writeAll(jsdo, name, changedOnly)
  local tables = {}
  for i, t in ipairs(jsdo[P].tables) do
    local into = { t = t, after = {}, before = {}, always = true }
    for _, r in ipairs(changedOnly and memory.changed(t) or allOf(t)) do
      local change = memory.change(r) or {}
      writeRecord(t, r, change.state, change.old, into)
    end
    tables[i] = into
  end
  return dataset(name or nameOf(jsdo), tables)
end

-- ---- reading

local function isObject(value)
  return type(value) == "table" and value ~= null and not codec.isArray(value)
end

local function isArray(value)
  return type(value) == "table" and (codec.isArray(value) or #value > 0 or next(value) == nil)
end

-- The rows of a table under `key`; an empty array if there are none. Raises { message = } if it is no array.
local function rowsOf(members, name, where)
  local rows = isObject(members) and members[name]
  if rows == nil or rows == null or not rows then return {} end
  if not isArray(rows) then
    error({ message = format("%s: expected an array of rows, got %s", where, type(rows)) }, 0)
  end
  return rows
end

local function checkRow(row, where, i)
  if not isObject(row) then
    error({ message = format("%s: row %d: expected an object, got %s", where, i, type(row)) }, 0)
  end
  local state = row["prods:rowState"]
  if state ~= nil and state ~= null and not STATES[state] then
    error({ message = format("%s: row %d: expected created, modified or deleted as prods:rowState",
      where, i) }, 0)
  end
  return state ~= null and state or nil
end

-- The texts in prods:errors of one table, by prods:id.
local function errorTexts(members, name)
  if not isObject(members) or not members[name] then return NOTHING end
  local texts = {}
  for i, one in ipairs(rowsOf(members, name, "prods:errors." .. name)) do
    checkRow(one, "prods:errors." .. name, i)
    local id, text = one["prods:id"], one["prods:error"]
    if id ~= nil then texts[id] = type(text) == "string" and text or GENERIC end
  end
  return texts
end

local function strip(shape, row)
  for i = 1, #OWN do
    local key = OWN[i]
    if row[key] ~= nil and isOwn(shape, key) then row[key] = nil end
  end
end

-- The text of a row's error: in prods:errors, or in the row itself.
local function errorText(row, texts, id)
  if row["prods:hasErrors"] == true then return texts[id] or GENERIC end
  local own = row._errorString
  return id ~= nil and texts[id] or type(own) == "string" and own ~= "" and own or nil
end

local function isMarked(row, state, id)
  return state or id or row["prods:clientId"] or row["prods:hasErrors"] or row["prods:rejected"]
    or row._id or row._index or row._errorString or row._rejected
end

--- Removes the keys that are no fields from a row, and returns their meaning.
-- @param texts table: prods:id -> text of the error
-- @return table: state, id, clientId, errorString, rejected; nil when the row has no such keys
local function takeMark(shape, row, texts, state)
  local id = row["prods:id"]
  if not isMarked(row, state, id) then return nil end
  local text = errorText(row, texts, id)
  local mark = { state = state, id = id, clientId = row["prods:clientId"] }
  mark.rejected = row["prods:rejected"] == true or row._rejected == true or text == "REJECTED" or nil
  mark.errorString = text ~= "REJECTED" and text or nil
  strip(shape, row)
  return mark
end

-- The old rows of a table: those of deleted records, with their marks, and the others by prods:id.
local function parseBefore(t, members, texts)
  local name = t[P].shape.name
  if not isObject(members) or not members[name] then return NOTHING, NOTHING end
  local deleted, byId = {}, {}
  for i, row in ipairs(rowsOf(members, name, "prods:before." .. name)) do
    local state = checkRow(row, "prods:before." .. name, i)
    local mark = takeMark(t[P].shape, row, texts, state) or {}
    if state == "deleted" then
      mark.old = row
      deleted[#deleted + 1] = mark
    elseif mark.id ~= nil then
      byId[mark.id] = row
    end
  end
  return deleted, byId
end

local function parseTable(t, members, count)
  local name, shape = t[P].shape.name, t[P].shape
  local texts = errorTexts(members["prods:errors"], name)
  local parsed = { t = t, rows = rowsOf(members, name, name), marks = {} }
  local old
  parsed.deleted, old = parseBefore(t, members["prods:before"], texts)
  for i, row in ipairs(parsed.rows) do
    local mark = takeMark(shape, row, texts, checkRow(row, name, i))
    parsed.marks[i] = mark
    if mark then mark.old = mark.id ~= nil and old[mark.id] or nil end
    count()
  end
  return parsed
end

--- Takes a decoded dataset apart, and removes the keys that are no fields from its rows.
-- @param members table: the dataset's members, such as { tt = rows, ["prods:before"] = { tt = rows } }
-- @param pause function or nil: called between slices of the work
-- @return array, for each table { t =, rows =, marks = { [i] = mark of row i }, deleted = marks }; a mark has
--   state, old, id, clientId, errorString, rejected, all of which may be nil. Or nil and a message
function image.parse(jsdo, members, pause)
  local list, count = {}, slicer(pause)
  local ok, err = pcall(function()
    for i, t in ipairs(jsdo[P].tables) do list[i] = parseTable(t, members, count) end
  end)
  if ok then return list end
  if type(err) ~= "table" or type(err.message) ~= "string" then error(err, 0) end
  return nil, err.message
end

-- Makes a loaded record a changed one, as its mark says.
local function restore(r, mark)
  if mark.state == "created" then
    memory.restoreChange(r, "created")
  elseif mark.state == "modified" and mark.old then
    memory.restoreChange(r, "modified", mark.old)
  elseif mark.state == "deleted" then
    memory.restoreChange(r, "deleted", mark.old)
  end
  if mark.errorString then memory.setError(r, mark.errorString) end
end

image.restore = restore

--- Replaces memory by what image.parse gave; marked rows become pending changes.
function image.load(parsed)
  for _, one in ipairs(parsed) do
    memory.clear(one.t)
    for i, row in ipairs(one.rows) do
      local r = memory.append(one.t, row)
      if one.marks[i] then restore(r, one.marks[i]) end
    end
    for _, mark in ipairs(one.deleted) do
      mark.state = "deleted"
      restore(memory.append(one.t, mark.old), mark)
    end
  end
end

--- Replaces memory by a decoded dataset with before-image.
-- @return true; nil and a message: the dataset is not one
function image.read(jsdo, members, pause)
  local parsed, message = image.parse(jsdo, members, pause)
  if not parsed then return nil, message end
  image.load(parsed)
  return true
end

return image
