--- A table of records, and the rules by which they change. Its definition:
--
-- - name: as in schemas, "ttOrder"; title: as in messages, "Order"
-- - fields: in the order of the schema: { name, type, ablType, initial, title }, also `format`, and `items`
--   and `extent` of an array field; names: the fields' names by lower-case name and origName
-- - key: the name of the key's field; keyOf(row): the key of a row (default: the value of that field)
-- - rows(counts): the records at the start
-- - complete(record, table): sets what the server assigns, before each create
-- - compute(record): sets what the server computes; validate(record) and mayDelete(record) raise for what
--   may not be
-- - parent: { table =, field = }: the table whose record each record belongs to, by one field's value
local ascii = require "datasession.internal.ascii"
local fail = require "datasession.sandbox.data.fail"
local json = require "datasession.sandbox.json"
local math = require("datasession.internal.lua").math

local NULL = json.null

local Table = {}
Table.__index = Table

local function addRecord(self, record)
  local key = self.definition.keyOf(record)
  self.records[#self.records + 1], self.byKey[key] = record, record
  if math.type(key) == "integer" then self.next = math.max(self.next, key + 1) end
end

--- A definition with what can be left out.
function Table.define(definition)
  local key = definition.key
  definition.keyOf = definition.keyOf or function(row) return math.tointeger(row[key]) or row[key] end
  definition.names = {}
  for _, field in ipairs(definition.fields) do
    definition.names[ascii.lower(field.name)] = field.name
    if field.origName then definition.names[ascii.lower(field.origName)] = field.name end
  end
  return definition
end

--- A table with its first records. `database` has the counts of them, the other tables, the settings and the
-- refusals.
function Table.new(definition, database)
  local self = setmetatable({ definition = definition, database = database }, Table)
  self.records, self.byKey, self.next, self.gone = {}, {}, 1, {}
  for _, record in ipairs(definition.rows(database.counts)) do addRecord(self, json.plain(record)) end
  return self
end

--- All records in the order of their addition: a list that the caller leaves as it is.
function Table:all()
  if not next(self.gone) then return self.records end
  local kept = {}
  for _, record in ipairs(self.records) do
    if not self.gone[record] then kept[#kept + 1] = record end
  end
  self.records, self.gone = kept, {}
  return kept
end

-- ---- values

local function fits(field, value)
  if value == NULL then return true end
  if field.type == "array" then return type(value) == "table" and #value == field.extent end
  if field.type == "integer" then return math.type(value) ~= nil and math.tointeger(value) ~= nil end
  return type(value) == field.type
end

-- The values of a row that are fields', checked. The rest of a row (ids, marks) is ignored.
local function assign(definition, record, row)
  for _, field in ipairs(definition.fields) do
    local value = row[field.name]
    if value ~= nil then
      if not fits(field, value) then
        fail(("The value of %s is not %s."):format(field.name, field.ablType), 76)
      end
      record[field.name] = field.type == "integer" and math.tointeger(value) or value
    end
  end
  return record
end

local function initial(field)
  if field.type ~= "array" then return field.initialValue and field.initialValue() or field.initial end
  local values = {}
  for i = 1, field.extent do values[i] = field.initial end
  return values
end

local function newRecord(definition)
  local record = json.plain {}
  for _, field in ipairs(definition.fields) do record[field.name] = initial(field) end
  return record
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- ---- rules

-- The record of a row; raises when there is none.
function Table:find(row)
  local key = self.definition.keyOf(row)
  local record = key ~= nil and self.byKey[key]
  return record or fail(("FIND FIRST/LAST failed for table %s."):format(self.definition.title), 138)
end

-- Optimistic locking: what a client has read must still be there. `before`: the old row that it sent, or nil.
local function checkUnchanged(self, record, before)
  if not before or not self.database.settings.locking then return end
  for _, field in ipairs(self.definition.fields) do
    local value = before[field.name]
    if value ~= nil and not same(value, record[field.name]) then
      fail(("%s has been changed by another user."):format(self.definition.title))
    end
  end
end

local function checkParent(self, record)
  local parent = self.definition.parent
  if not parent then return end
  local owner = self.database:table(parent.table)
  if not owner.byKey[record[parent.field]] then
    fail(("%s has no %s."):format(self.definition.title, owner.definition.title))
  end
end

local function checkKey(self, key)
  if self.byKey[key] then
    local name = self.definition.key
    for _, field in ipairs(self.definition.fields) do
      if field.name == self.definition.key then name = field.title end
    end
    fail(("%s already exists with %s %s."):format(self.definition.title, name, key), 132)
  end
end

local function validate(self, record)
  local definition = self.definition
  if definition.compute then definition.compute(record) end
  if definition.validate then definition.validate(record) end
  checkParent(self, record)
end

-- ---- changes

--- Adds a row and returns the record. This and the next two raise { message, number } and the like.
function Table:create(row)
  self.database.refusals:check(self.definition, "create", row)
  local record = assign(self.definition, newRecord(self.definition), row)
  self.definition.complete(record, self)
  validate(self, record)
  checkKey(self, self.definition.keyOf(record))
  addRecord(self, record)
  return record
end

--- Changes the record of a row and returns it. `before`: the row that the client had read; nil: unknown.
function Table:update(row, before)
  self.database.refusals:check(self.definition, "update", row)
  local record = self:find(before or row)
  checkUnchanged(self, record, before)
  local changed = assign(self.definition, setmetatable({}, { __index = record }), row)
  validate(self, changed)
  local old, new = self.definition.keyOf(record), self.definition.keyOf(changed)
  if new ~= old then
    checkKey(self, new)
    self.byKey[old], self.byKey[new] = nil, record
  end
  for name, value in pairs(changed) do record[name] = value end
  return record
end

--- Removes the record of a row, and those that belong to it, and returns it. `before`: as for update.
function Table:delete(row, before)
  self.database.refusals:check(self.definition, "delete", row)
  local record = self:find(row)
  checkUnchanged(self, record, before)
  if self.definition.mayDelete then self.definition.mayDelete(record) end
  self:dropRow(record)
  return record
end

--- Removes a record without a check.
function Table:drop(record)
  self.byKey[self.definition.keyOf(record)] = nil
  self.gone[record] = true
end

--- Removes the record of a row, and those that belong to it, without a check: what another program does.
-- False: there is none.
function Table:dropRow(row)
  local key = self.definition.keyOf(row)
  local record = key ~= nil and self.byKey[key]
  if not record then return false end
  self:drop(record)
  self.database:dropChildren(self, record)
  return true
end

--- Stores values in the record of their key, or in a new one, without a check: what another
-- program does. Returns the record.
function Table:put(row)
  local record = self.byKey[self.definition.keyOf(row)]
  if not record then
    record = newRecord(self.definition)
    addRecord(self, assign(self.definition, record, row))
  end
  return assign(self.definition, record, row)
end

return Table
