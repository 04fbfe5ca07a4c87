--- The ids of records: the text of the id field, or a generated one.
--
-- Each record has a number, in the order in which records came. A generated id is made of it. Loading makes
-- no numbers: as long as `m.numbers` is nil, the record at place i has the number m.first + i - 1.
-- The first search by id makes an index, m.index, and m.hidden for the deleted records. m.shared: id -> array
-- of further records that had the same id when they came; nil: none. m.quick: the index, if no relation
-- follows the working record.

local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local locale = require "datasession.internal.locale"
local private = require "datasession.internal.data.private"
local lua = require "datasession.internal.lua"

local VALUES = private.VALUES
local null = codec.null
local math, tostring = lua.math, lua.tostring
local tointeger, type = math.tointeger, type

local prefix = ("%d-"):format(os.time() * 1000 + math.floor(os.clock() * 1000) % 1000)
local counter = 0
local weakKeys = { __mode = "k" }

local ids = {}

--- Gives numbers to all records of `m`, which were loaded.
function ids.load(m)
  m.numbers, m.index, m.hidden, m.quick, m.first = nil, nil, nil, nil, counter + 1
  counter = counter + #m.records
  m.last = counter
end

--- Keeps the numbers in a table. Called before the order of the records changes.
function ids.number(m)
  if m.numbers then return m.numbers end
  local numbers, records, first = setmetatable({}, weakKeys), m.records, m.first - 1
  for i = 1, #records do numbers[records[i]] = first + i end
  m.numbers = numbers
  return numbers
end

--- Gives a number to a record that is about to be appended to m.records.
function ids.append(m, r)
  if not m.numbers and m.last ~= counter then ids.number(m) end
  counter = counter + 1
  m.last = counter
  if m.numbers then m.numbers[r] = counter end
end

local function generated(m, r)
  local number = ids.number(m)[r]
  return number and prefix .. number
end

--- The id that a record without an id field has; no other record has the same.
ids.generated = generated

--- The text of a value of the id field; nil for a value that is none.
local function text(value)
  local kind = type(value)
  if kind == "string" then return value ~= "" and value or nil end
  if kind == "number" then
    local integer = tointeger(value)
    return integer and tostring(integer) or locale.text(value)
  end
  if kind == "boolean" then return tostring(value) end
end

ids.text = text

--- The id of a record. A new record whose id field is 0, the usual default, has a generated one. The id of
-- any other stays the same while the program changes the id field, until the change is saved.
-- @return string; nil for a record without an id field that a fill has replaced
function ids.id(m, r)
  local property = m.shape.idProperty
  if not property then return generated(m, r) end
  local change = m.changes[r]
  local value = change and change.old[property]
  if value == nil then value = r[VALUES][property] end
  if value == null or value == 0 and change and change.state == "created" then return generated(m, r) end
  return text(value) or generated(m, r)
end

-- A value of a primary key that a message can show: a number that the server gave, or a short line.
local function shown(value)
  if value == 0 or type(value) ~= "number" and type(value) ~= "string" then return nil end
  local line = text(value)
  return line and #line <= 40 and not line:find "%c" and line or nil
end

--- The record's name in messages: the value of the id field; else the primary key, as "CustNum 21"; else the
-- generated id.
-- @return string; nil as for ids.id
function ids.label(m, r)
  if m.shape.idProperty then return ids.id(m, r) end
  local parts, change = {}, m.changes[r]
  for i, key in ipairs(m.shape.keys) do
    local value = change and change.old[key]
    if value == nil then value = r[VALUES][key] end
    local line = shown(value)
    if not line then return generated(m, r) end
    parts[i] = key .. " " .. line
  end
  return #parts > 0 and table.concat(parts, ", ") or generated(m, r)
end

-- Notes one more record of an id that is in the index.
local function share(m, id, r)
  m.shared = m.shared or {}
  local list = m.shared[id]
  if list then
    list[#list + 1] = r
  else
    m.shared[id] = { r, at = 1 }
  end
end

local function enter(m, index, hidden, r)
  local isHidden, id = m.deleted[r], ids.id(m, r)
  local into = isHidden and hidden or index
  local other = into[id]
  if other == nil then
    into[id] = r
  elseif other ~= r and not isHidden then
    share(m, id, r)
  end
end

-- Generated ids of records that are as they were loaded: no table of numbers is needed.
local function indexLoaded(m)
  local index, records, first = {}, m.records, m.first - 1
  for i = 1, #records do index[prefix .. first + i] = records[i] end
  return index
end

-- The same by the id field: none is changed, or in m.hidden. core.indexRows gives the usual index.
local function indexByField(m, property)
  local index, records = {}, m.records
  for i = 1, #records do
    local r = records[i]
    local value = r[VALUES][property]
    local id = value ~= null and text(value) or generated(m, r)
    if index[id] then share(m, id, r) else index[id] = r end
  end
  return index
end

local function indexEach(m, hidden)
  local index, records, deleted = {}, m.records, m.deleted
  for i = 1, #records do
    if deleted[records[i]] ~= "gone" then enter(m, index, hidden, records[i]) end
  end
  return index
end

local function setIndex(m, index)
  m.index, m.quick = index, not m.isRelated and index or nil
end

-- Makes the index: id -> record; m.hidden has those that are deleted.
local function build(m)
  local hidden, property = {}, m.shape.idProperty
  local unchanged = m.changeCount == 0 and m.deletedCount == 0
  local index
  m.shared = nil
  if unchanged and property then
    index = core.indexRows(m.records, VALUES, property) or indexByField(m, property)
  elseif unchanged and not m.numbers then
    index = indexLoaded(m)
  else
    index = indexEach(m, hidden)
  end
  m.hidden = hidden
  setIndex(m, index)
end

--- Enters a record in the index, if there is one: a new one, or one whose id has changed. Out of memory, the
-- next search makes another index.
function ids.enter(m, r)
  local index = m.index
  if not index then return end
  setIndex(m, nil)
  enter(m, index, m.hidden, r)
  setIndex(m, index)
end

local function clear(index, id, r)
  if id and index[id] == r then index[id] = nil end
end

--- Takes a record out of the index, before its id changes or it leaves memory.
function ids.leave(m, r)
  if m.index then clear(m.deleted[r] and m.hidden or m.index, ids.id(m, r), r) end
end

--- Notes in the index that a record was deleted, or is no longer deleted.
function ids.restate(m, r)
  local index = m.index
  if not index then return end
  setIndex(m, nil)
  local id = ids.id(m, r)
  clear(index, id, r)
  clear(m.hidden, id, r)
  enter(m, index, m.hidden, r)
  setIndex(m, index)
end

-- The next of the records that share the id, and still have it.
local function nextShared(m, id)
  local list = m.shared[id]
  while list and list[list.at] do
    local r = list[list.at]
    list.at = list.at + 1
    if not m.deleted[r] and ids.id(m, r) == id then return r end
  end
  m.shared[id] = nil
end

--- The record of that id; nil: there is none, or it is deleted and `deleted` is not true.
function ids.find(m, id, deleted)
  if not m.index then core.uncollected(build, m) end
  local r = m.index[id]
  if not r and m.shared then
    r = nextShared(m, id)
    m.index[id] = r
  end
  return r or deleted and m.hidden[id] or nil
end

return ids
