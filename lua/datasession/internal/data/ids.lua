--- The ids of records: the text of the id field, or a generated one.
--
-- Each record has a number, in the order in which records came. A generated id is made of it. Loading makes
-- no numbers: as long as `m.numbers` is nil, the record at place i has the number m.first + i - 1.
-- `m.shared`: several records may have the same id.

local codec = require "datasession.internal.codec"
local locale = require "datasession.internal.locale"
local private = require "datasession.internal.data.private"

local VALUES = private.VALUES
local null = codec.null
local tointeger, type = math.tointeger, type

local prefix = ("%d-"):format(os.time() * 1000 + math.floor(os.clock() * 1000) % 1000)
local counter = 0
local weakKeys = { __mode = "k" }

local ids = {}

--- Gives numbers to all records of `m`, which were loaded.
function ids.load(m)
  m.numbers, m.index, m.first = nil, nil, counter + 1
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

--- The text of a value of the id field; nil for a value that is none.
local function text(value)
  local kind = type(value)
  if kind == "string" then return value ~= "" and value or nil end
  if kind == "number" then
    local integer = tointeger(value)
    return integer and integer .. "" or locale.text(value)
  end
  if kind == "boolean" then return tostring(value) end
end

ids.text = text

--- The id of a record. It stays the same while the program changes the id field, until the change is saved.
-- @return string; nil for a record without an id field that a fill has replaced
function ids.id(m, r)
  local property = m.shape.idProperty
  if not property then return generated(m, r) end
  local change = m.changes[r]
  local value = change and change.old[property]
  if value == nil then value = r[VALUES][property] end
  return value ~= null and text(value) or generated(m, r)
end

local function enter(m, index, r)
  local id = ids.id(m, r)
  local other = index[id]
  if other == nil then
    index[id] = r
  elseif other ~= r then
    m.shared = true
  end
end

-- Generated ids of records that are as they were loaded: no table of numbers is needed.
local function indexLoaded(m, index)
  local records, deleted, first = m.records, m.deleted, m.first - 1
  for i = 1, #records do
    if deleted[records[i]] ~= "gone" then index[prefix .. first + i] = records[i] end
  end
end

--- Makes the index: id -> record.
function ids.build(m)
  local index, records, deleted = {}, m.records, m.deleted
  m.shared = false
  if not m.shape.idProperty and not m.numbers then
    indexLoaded(m, index)
  else
    for i = 1, #records do
      if deleted[records[i]] ~= "gone" then enter(m, index, records[i]) end
    end
  end
  m.index = index
  return index
end

--- Enters a new record in the index, if there is one. Out of memory, the next search makes another.
function ids.enter(m, r)
  local index = m.index
  if not index then return end
  m.index = nil
  enter(m, index, r)
  m.index = index
end

--- Takes a record out of the index, before its id changes or it leaves memory.
function ids.leave(m, r)
  if not m.index then return end
  local id = ids.id(m, r)
  if id and m.index[id] == r then m.index[id] = nil end
end

-- The first record of that id that is not deleted.
local function search(m, id)
  for _, r in ipairs(m.records) do
    if not m.deleted[r] and ids.id(m, r) == id then return r end
  end
end

--- The record of that id, be it deleted or not; or nil. If several have it, as new records do until the
-- server gives them theirs, it is one that is not deleted.
function ids.find(m, id)
  local index = m.index or ids.build(m)
  local r = index[id]
  if m.shared and (not r or m.deleted[r]) then
    r = search(m, id) or r
    index[id] = r
  end
  return r
end

return ids
