--- The model of records and their pending changes for the fuzz target changes.
--
-- An entry of the model, in the order of memory:
--   record   of the library
--   base     the row that the server has; nil: the record is new
--   now      the row as the program sees it; nil: deleted
--   state    "created", "modified", "deleted"; nil: unchanged
--   (a sorted table is in another order: `ordered`)
--   token, sent, sentState, later   of a save under way: what was sent, and the fields changed since
local catalog = require "datasession.catalog"
local codec = require "datasession.internal.codec"
local memory = require "datasession.internal.data.memory"
local schema = require "datasession.internal.data.schema"
local tableref = require "datasession.internal.data.tableref"
require "datasession.internal.data.jsdo" -- gives table references the methods of all files

local MOST = 24 -- records
local null = codec.null
local FIELDS = { "Id", "Name", "Note", "Sales" }

local function shapeOf(idProperty)
  local text = ([[{"services":[{"name":"S","address":"/s","resources":[{"name":"R","path":"/r",%s"schema":
    {"properties":{"tt":{"type":"array","primaryKey":["Id"],"items":{"properties":{
    "Id":{"type":"integer","default":0},"Name":{"type":"string","default":"new"},"Note":{"type":"string"},
    "Sales":{"type":"array","maxItems":2,"items":{"type":"number"},"default":0}}}}}},
    "operations":[]}]}]}]]):format(idProperty and '"idProperty":"Id",' or "")
  return schema.shapes(assert(catalog.parse(text)):resource "R")[1]
end

local shapes = { shapeOf(false), shapeOf(true) }

-- ---- rows

local function same(a, b)
  if type(a) == "table" and type(b) == "table" then return a[1] == b[1] and a[2] == b[2] and #a == #b end
  return a == b
end

local function copy(row)
  local made = {}
  for _, field in ipairs(FIELDS) do made[field] = row[field] == nil and null or row[field] end
  return made
end

local function check(holds, ...)
  if not holds then error(table.concat({ ... }, " "), 0) end
end

local function checkRow(what, expected, found)
  for _, field in ipairs(FIELDS) do
    local value = found[field]
    if value == nil then value = null end
    check(same(expected[field], value), what, field, tostring(expected[field]), tostring(value))
  end
end

local function valueOf(field, n)
  if field == "Id" then return n % 40 end
  if field == "Sales" then return codec.array { n % 3, n % 2 } end
  if n % 5 == 0 then return null end
  return "v" .. n % 4
end

-- ---- the model

local function forget(entry)
  entry.token, entry.sent, entry.sentState, entry.later = nil, nil, nil, nil
end

local function drop(model, entry)
  for i, other in ipairs(model.entries) do
    if other == entry then return table.remove(model.entries, i) end
  end
end

-- The base, with the fields that were changed since the record was sent.
local function overlay(entry, base)
  local row = copy(base)
  for field in pairs(entry.later or {}) do row[field] = entry.now[field] end
  return row
end

-- The state of a record whose server's row is now `base`.
local function rest(entry, base)
  local hasLater = next(entry.later) ~= nil
  entry.base = base
  if entry.now then
    entry.now = overlay(entry, base)
    entry.state = hasLater and "modified" or nil
  end
end

local function saved(model, entry, row)
  if entry.sentState == "deleted" then return drop(model, entry) end
  local base = copy(entry.sent)
  for field, value in pairs(row or {}) do
    base[field] = value
    if entry.now and same(entry.now[field], value) then entry.later[field] = nil end
  end
  rest(entry, base)
  forget(entry)
end

local function undone(model, entry)
  if entry.sentState == "created" then return drop(model, entry) end
  if entry.sentState == "deleted" then
    entry.now, entry.state = copy(entry.base), nil
  elseif entry.now then
    local row = overlay(entry, entry.base)
    entry.now, entry.state = row, next(entry.later) ~= nil and "modified" or nil
  end
  forget(entry)
end

-- ---- operations: each gets the model, an entry (or nil) and a number

local operations = {}

local function set(entry, field, value)
  if entry.now == nil or same(entry.now[field], value) then return end
  memory.set(entry.record, field, value)
  entry.now[field] = value
  entry.state = entry.state or "modified"
  if entry.later then entry.later[field] = true end
end

operations[0] = function(model, _, n)
  if #model.entries >= MOST then return end
  local row = copy { Id = n, Name = "loaded", Note = null, Sales = codec.array { 1, 2 } }
  local entry = { base = copy(row), now = copy(row), record = memory.append(model.t, row) }
  table.insert(model.entries, entry)
end

operations[1] = function(model, _, n)
  if #model.entries >= MOST then return end
  local record = model.t:add { Id = n, Name = "added" }
  local entry = { record = record, now = copy(memory.values(record)), state = "created" }
  check(entry.now.Id == n and entry.now.Name == "added" and same(entry.now.Sales, { 0, 0 }), "defaults")
  table.insert(model.entries, entry)
end

operations[2] = function(_, entry, n)
  if entry then set(entry, FIELDS[n % #FIELDS + 1], valueOf(FIELDS[n % #FIELDS + 1], n)) end
end

operations[3] = function(model, entry)
  if not entry or not entry.now then return end
  entry.record:remove()
  if entry.state == "created" and not entry.token then return drop(model, entry) end
  entry.now, entry.state = nil, "deleted"
end

operations[4] = function(model, entry)
  if not entry or entry.token then return end
  memory.accept(entry.record)
  if entry.state == "deleted" then return drop(model, entry) end
  entry.base, entry.state = copy(entry.now), nil
end

operations[5] = function(model, entry)
  if not entry or entry.token then return end
  memory.reject(entry.record)
  if not entry.state then return end
  if not entry.base then return drop(model, entry) end
  entry.now, entry.state = copy(entry.base), nil
end

operations[6] = function(_, entry)
  if not entry or entry.token or not entry.state then return end
  entry.token, entry.sentState, entry.later = memory.beginSave(entry.record), entry.state, {}
  entry.sent = entry.now and copy(entry.now)
end

operations[7] = function(model, entry, n)
  if not entry or not entry.token then return end
  local row = n % 2 == 0 and { Note = valueOf("Note", n), Sales = codec.array { 9, n } } or nil
  memory.endSave(entry.record, entry.token, row)
  saved(model, entry, row)
end

operations[8] = function(model, entry)
  if not entry or not entry.token then return end
  memory.failSave(entry.record, entry.token, "no", false, true)
  undone(model, entry)
end

operations[9] = function(model, entry)
  if not entry or not entry.token then return end
  memory.failSave(entry.record, entry.token, "no", false, false)
  if entry.sentState == "created" and not entry.now then return drop(model, entry) end
  forget(entry)
end

-- ---- what must be so

local function checkRecord(model, entry, record)
  check(record == entry.record, "another record")
  checkRow("now", entry.now, memory.values(record))
  check(record.state == entry.state, "state", tostring(entry.state), tostring(record.state))
  local found = memory.find(model.t, record:getId()) -- several may have the same id
  check(found and found:getId() == record:getId(), "not found by its id", tostring(record:getId()))
end

local function checkBefore(entry)
  local before = memory.before(entry.record)
  if entry.base and entry.state then
    check(before, "no before-image")
    checkRow("before", entry.base, before)
  elseif entry.state ~= "deleted" then -- a new record may be deleted while it is being sent
    check(not before, "a before-image of what was not changed")
  end
end

-- The entries whose records are live, in the order of the table. Sorted by Name: null comes last, equal ones
-- stay in the order in which they came.
local function ordered(model, what)
  local list, names, places = {}, {}, {}
  for i, entry in ipairs(model.entries) do
    local row = entry[what]
    if row then
      list[#list + 1], places[entry] = entry, i
      names[entry] = row.Name == null and "\xff" or row.Name:lower()
    end
  end
  if not model.sorted then return list end
  table.sort(list, function(a, b)
    if names[a] ~= names[b] then return names[a] < names[b] end
    return places[a] < places[b]
  end)
  return list
end

local function checkAll(model)
  local live, changed = memory.records(model.t), 0
  for _, entry in ipairs(ordered(model, "now")) do
    checkRecord(model, entry, live() or error("a record is missing", 0))
  end
  for _, entry in ipairs(model.entries) do
    if entry.state then changed = changed + 1 end
    checkBefore(entry)
  end
  check(live() == nil, "one more record")
  check(#model.t:getChanges() == changed and model.t:hasChanges() == (changed > 0), "other changes")
end

-- Undoes all changes: what the server has is there, in its order.
local function checkReject(model)
  for _, entry in ipairs(model.entries) do
    if entry.token then return end
  end
  model.t:rejectChanges()
  local live = memory.records(model.t)
  for _, entry in ipairs(ordered(model, "base")) do
    checkRow("rejected", entry.base, memory.values(live() or error("too few", 0)))
  end
  check(live() == nil and not model.t:hasChanges(), "not all was rejected")
end

return function(input)
  local shape = shapes[input:byte(1) % 2 + 1]
  local model = { t = tableref.new({ name = "R" }, shape), entries = {}, sorted = input:byte(1) % 4 > 1 }
  if model.sorted then model.t:setSortFields { "Name" } end
  for i = 2, #input do
    local byte = input:byte(i)
    local entry = model.entries[(byte // 10) % math.max(#model.entries, 1) + 1]
    operations[byte % 10](model, entry, byte + #model.entries)
    if i % 4 == 0 then checkAll(model) end
  end
  checkAll(model)
  checkReject(model)
end
