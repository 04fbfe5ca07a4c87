--- The order of the records of a table. Sorting is lazy: a change marks the record, and the next read moves
-- it to its place. Records that compare equal keep the order in which they came.
--
--     m.sortFn, m.sortFields   set by setSortFn and setSortFields; the function wins
--     m.unsorted               true if all records must be sorted
--     m.disturbed              true if a sort that was asked for once has changed the order that is kept
--     m.moved                  record -> true: those that may be out of place; `movedCount`

local codec = require "datasession.internal.codec"
local fold = require "datasession.internal.data.fold"
local ids = require "datasession.internal.data.ids"
local locale = require "datasession.internal.locale"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local sorting = require "datasession.internal.data.sorting"
local suggest = require "datasession.internal.suggest"
local table = require("datasession.internal.lua").table

local VALUES = private.VALUES
local null = codec.null
local move, type = table.move, type

local order = {}

-- ---- Parsing

local DIRECTIONS = { ASC = false, ASCENDING = false, DESC = true, DESCENDING = true }

local function split(item, method, level)
  local name, direction = item, nil
  if type(item) == "table" then
    name, direction = item.field, item.dir
  elseif type(item) == "string" then
    name, direction = item:match "^%s*(.-)%s*:%s*(%a*)%s*$"
    name = name or item
  end
  local descending = DIRECTIONS[direction and tostring(direction):upper() or "ASC"]
  if type(name) ~= "string" then
    raise(("%s: expected field names, got %s"):format(method, type(name)), level + 1)
  elseif descending == nil then
    raise(("%s: %s: expected ASC or DESC, got '%s'"):format(method, name, direction), level + 1)
  end
  return name, descending
end

local function checkField(m, name, method, level)
  local shape = m.shape
  if shape.lists[name] then
    raise(("%s: %s: an array field has no order"):format(method, name), level + 1)
  elseif not shape.open and not shape.byName[name] then
    raise(("%s: %s"):format(method, suggest.unknown("field", name, shape.names)), level + 1)
  end
end

--- Reads the fields to sort by.
-- @param list array of "Field", "Field:ASC", "Field:DESC" or { field =, dir = }
-- @return array of { name =, descending = }
function order.parse(m, list, method, level)
  local fields = {}
  for i = 1, #list do
    local name, descending = split(list[i], method, level + 1)
    checkField(m, name, method, level + 1)
    fields[i] = { name = name, descending = descending }
  end
  return fields
end

-- ---- Comparing

local RANKS = { boolean = 1, number = 2, string = 3, table = 4 }

-- True if `<` compares texts by their bytes: in other locales it goes by the language.
local function isByteOrder()
  return not os.setlocale or os.setlocale(nil, "collate") == "C"
end

local function textOrder()
  return isByteOrder() and function(a, b) return a < b end or locale.before
end

-- Compares two values that differ: true if a comes before b in ascending order. null comes last.
local function valueOrder()
  local textBefore = textOrder()
  return function(a, b)
    local kind, other = type(a), type(b)
    if kind ~= other then return (RANKS[kind] or 5) < (RANKS[other] or 5) end
    if kind == "string" then return textBefore(a, b) end
    if kind == "number" then return a < b end
    return kind == "boolean" and not a and b
  end
end

-- A function that gives the value of a record by which one field sorts.
local function keyReader(name, foldText)
  return function(r)
    local value = r[VALUES][name]
    if value == nil then return null end
    if foldText and type(value) == "string" then return foldText(value) end
    return value
  end
end

local function readers(m, fields)
  local foldText, list = not m.caseSensitive and fold() or nil, {}
  for i, field in ipairs(fields) do list[i] = keyReader(field.name, foldText) end
  return list
end

-- Compares two records by fields.
local function byFields(m, fields)
  local reads, before, numbers, n = readers(m, fields), valueOrder(), ids.number(m), #fields
  return function(a, b)
    for i = 1, n do
      local x, y = reads[i](a), reads[i](b)
      if x ~= y then
        if fields[i].descending then x, y = y, x end
        return before(x, y)
      end
    end
    return numbers[a] < numbers[b]
  end
end

-- The keys of all records for one field: { keys =, descending =, plain = true if `<` compares them }.
local function column(records, read, descending, plainTexts)
  local keys, kind, plain = {}, nil, true
  for i = 1, #records do
    local value = read(records[i])
    keys[i], kind = value, kind or type(value)
    plain = plain and type(value) == kind
  end
  plain = plain and (kind == "number" or kind == "string" and plainTexts)
  return { keys = keys, descending = descending, plain = plain }
end

-- Compares two places of the array by one field whose keys `<` compares.
local function byColumn(one, numbers)
  local keys, descending = one.keys, one.descending
  return function(a, b)
    local x, y = keys[a], keys[b]
    if x == y then return numbers[a] < numbers[b] end
    if descending then return y < x end
    return x < y
  end
end

local function byColumns(columns, numbers)
  if #columns == 1 and columns[1].plain then return byColumn(columns[1], numbers) end
  local before, n = valueOrder(), #columns
  return function(a, b)
    for i = 1, n do
      local one = columns[i]
      local x, y = one.keys[a], one.keys[b]
      if x ~= y then
        if one.descending then x, y = y, x end
        if one.plain then return x < y end
        return before(x, y)
      end
    end
    return numbers[a] < numbers[b]
  end
end

-- Sorts an array of records by fields: sorts their places, by keys that are read once.
local function sortByFields(m, records, fields)
  local reads, columns, plainTexts = readers(m, fields), {}, isByteOrder()
  for i, field in ipairs(fields) do
    columns[i] = column(records, reads[i], field.descending, plainTexts)
  end
  local numbers, places, ofRecord = {}, {}, ids.number(m)
  for i = 1, #records do numbers[i], places[i] = ofRecord[records[i]], i end
  places = sorting.sort(places, byColumns(columns, numbers))
  local sorted = {}
  for i = 1, #places do sorted[i] = records[places[i]] end
  return sorted
end

local function byFunction(m, fn)
  local numbers = ids.number(m)
  return function(a, b)
    local result = fn(a, b)
    if result == true then return true end
    if result == false then return not fn(b, a) and numbers[a] < numbers[b] end
    if type(result) ~= "number" then
      error("sort: expected the function to return a number or a boolean, got " .. type(result), 0)
    end
    if result == 0 then return numbers[a] < numbers[b] end
    return result < 0
  end
end

local function comparison(m, by)
  if type(by) == "function" then return byFunction(m, by) end
  return byFields(m, by)
end

--- A new array of the records of `list` that are in memory, sorted.
-- @param by a function of two records, or what `parse` has returned
function order.sorted(m, list, by)
  local copy, n, deleted = {}, 0, m.deleted
  for i = 1, #list do
    if deleted[list[i]] ~= "gone" then
      n = n + 1
      copy[n] = list[i]
    end
  end
  if type(by) == "function" then return sorting.sort(copy, byFunction(m, by)) end
  return sortByFields(m, copy, by)
end

-- ---- Keeping the table sorted

local function forgetHoles(m, records)
  m.deletedCount, m.holes = m.deletedCount - m.holes, 0
  m.records, m.groups, m.reordered = records, nil, true
end

-- Takes the moved and the removed records out of the array: the rest, and the moved ones.
local function takeOut(m)
  local records, gone, movedOf = m.records, m.deleted, m.moved
  local rest, moved, n, from = {}, {}, 0, 1
  for i = 1, #records do
    local r = records[i]
    if movedOf[r] or gone[r] == "gone" then
      move(records, from, i - 1, n + 1, rest)
      n, from = n + i - from, i + 1
      if gone[r] ~= "gone" then moved[#moved + 1] = r end
    end
  end
  return move(records, from, #records, n + 1, rest), moved
end

-- Puts the moved records where they belong.
local function place(m, before)
  local rest, moved = takeOut(m)
  return sorting.merge(rest, sorting.sort(moved, before), before)
end

local function sortNow(m)
  local by = m.sortFn or m.sortFields
  local groups = not m.unsorted and m.groups or nil -- those whose records have moved are marked
  local few = not m.unsorted and m.movedCount * 8 < #m.records
  local records = few and place(m, comparison(m, by)) or order.sorted(m, m.records, by)
  m.unsorted, m.moved, m.movedCount = false, {}, 0
  forgetHoles(m, records)
  m.groups = groups
end

--- Sorts an array of records as the table is kept sorted.
-- @return the sorted array, `list` or another
function order.arrange(m, list)
  return sorting.sort(list, comparison(m, m.sortFn or m.sortFields))
end

--- The place of the first record that is not deleted. Loops begin there, so that a program may remove the
-- first record again and again.
-- @param records an array of records of the table
function order.first(m, records)
  if records ~= m.records then return 1 end
  local deleted, at = m.deleted, m.front == records and m.frontAt or 1
  while records[at] ~= nil and deleted[records[at]] do at = at + 1 end
  m.front, m.frontAt = records, at
  return at
end

--- The array of the records in order, with those that are deleted. It only ever grows: a sort makes another.
function order.records(m)
  if (m.unsorted or m.movedCount > 0) and not m.sorting then
    m.sorting = true
    local ok, message = pcall(sortNow, m)
    m.sorting = false
    if not ok then error(message, 0) end
  end
  return m.records
end

--- Sorts once. A table that is kept sorted is sorted again with the next change.
function order.sortOnce(m, by)
  forgetHoles(m, order.sorted(m, order.records(m), by))
  m.disturbed = m.active
end

local function restart(m)
  m.moved, m.movedCount = {}, 0
  m.active, m.disturbed = m.autoSort and (m.sortFn or m.sortFields) and true or false, false
  m.unsorted, m.groups = m.active, nil
  m.sortNames = {}
  for _, field in ipairs(m.sortFields or {}) do m.sortNames[field.name] = true end
end

--- The members by which a table sorts, before anything is in it.
function order.init(m)
  m.autoSort, m.caseSensitive, m.sortFn, m.sortFields = true, false, nil, nil
  restart(m)
end

--- Sets sortFn, sortFields, autoSort or caseSensitive. Changes until now are sorted as it was.
function order.configure(m, name, value)
  if m.active then pcall(order.records, m) end -- a function of the program may fail: it is being replaced
  m[name] = value
  restart(m)
end

--- Notes that a field of a record has changed, or that the record is new (no field).
function order.changed(m, r, field)
  if not m.active or field and not m.sortFn and not m.sortNames[field] then return end
  if m.disturbed then m.unsorted, m.disturbed, m.groups = true, false, nil end
  if not m.moved[r] then
    m.moved[r] = true
    m.movedCount = m.movedCount + 1
  end
end

--- Notes that all records are new.
-- @param moved table, empty: becomes m.moved
function order.loaded(m, moved)
  m.unsorted, m.moved, m.movedCount, m.reordered, m.disturbed = m.active, moved, 0, false, false
end

local function compact(m)
  ids.number(m)
  local records, kept, n, deleted = m.records, {}, 0, m.deleted
  for i = 1, #records do
    local r = records[i]
    if deleted[r] ~= "gone" then
      n = n + 1
      kept[n] = r
    end
  end
  local reordered = m.reordered
  forgetHoles(m, kept)
  m.reordered = reordered
end

--- Notes that a record has left memory. The array is cleaned up when half of it is holes.
function order.removed(m, r)
  if m.moved[r] then m.moved[r], m.movedCount = nil, m.movedCount - 1 end
  if m.holes > 16 and m.holes * 2 > #m.records then compact(m) end
end

return order
