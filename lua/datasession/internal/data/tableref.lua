--- Table references: the methods on the records of one table, and its fields, which are those of the working
-- record. `methods` are those of table references; other files add to them. A data object with one table has
-- them as well, if `everywhere` names them.

local convert = require "datasession.internal.data.convert"
local ids = require "datasession.internal.data.ids"
local memory = require "datasession.internal.data.memory"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local record = require "datasession.internal.data.record"
local relations = require "datasession.internal.data.relations"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"
local table = require("datasession.internal.lua").table

local P = private.P
local setWorking = relations.setWorking
local type = type

local methods = {}
local tableref = {
  methods = methods, properties = {}, settable = {},
  objectMethods = {}, -- those that data objects alone have: jsdo.lua sets them, for a message
}
local properties, settable = tableref.properties, tableref.settable

local function expect(kind, method, what, value, level)
  if type(value) ~= kind then
    raise(("%s: expected %s, got %s"):format(method, what, type(value)), level + 1)
  end
end

local function label(m) return m.shape.name ~= "" and m.shape.name or m.jsdo.name end

-- ---- Working records

--- The working record. Raises if there is none.
function tableref.working(t, method, level)
  local r = memory.working(t)
  if r then return r end
  raise(("%s: %s has no working record: find one first"):format(method, label(t[P])), level + 1)
end

local working = tableref.working

-- Raises: the methods of a child table need the working record of its parent.
local function refuseOrphan(m, parent, method, level)
  raise(("%s: %s has no working record, and %s is related to it: find one first, or set useRelationships to "
    .. "false"):format(method, label(parent), label(m)), level + 1)
end

-- ---- Changing

--- Adds a record: default values, the parent's key, then `values`.
-- @param values table of values by field, or nil
-- @return the record, which becomes the working record. Raises for unknown fields, and when the table's
--   parent has no working record
function methods.add(t, values)
  if values ~= nil then expect("table", "add", "a table of values or nil", values, 2) end
  local m = t[P]
  local row, parent = convert.row(m, values or {}, 2), relations.parent(m)
  if parent and not relations.working(parent) then
    refuseOrphan(m, parent, "add", 2)
  end
  local r = memory.create(t, row)
  setWorking(m, r, true)
  return r
end

local function assign(r, values, level)
  expect("table", "assign", "a table of values", values, level + 1)
  local m = memory.state(r)
  memory.checkPresent(m, r, level + 1)
  for field, value in next, convert.fields(m, r, values, "assign", level + 1) do
    memory.set(r, field, value)
  end
  return true
end

--- Changes fields of the working record. Texts for number and array fields are converted.
-- @param values table of values by field
-- @return true. Raises for unknown fields, without changing anything, and when there is no working record
function methods.assign(t, values)
  local r = working(t, "assign", 2)
  return (assign(r, values, 2))
end

local function remove(r, level)
  local m = memory.state(r)
  memory.checkPresent(m, r, level + 1)
  memory.delete(r)
  setWorking(m, nil)
  return true
end

--- Deletes the working record: on the server with the next saveChanges.
function methods.remove(t)
  local r = working(t, "remove", 2)
  return (remove(r, 2))
end

-- ---- Finding

--- The records that the table shows, in order; some may be deleted. Raises if that depends on a working
-- record of the parent which is missing.
function tableref.related(m, method, level)
  local parent = relations.parent(m)
  if parent and #m.records > 0 and not relations.working(parent) then
    refuseOrphan(m, parent, method, level + 1)
  end
  return relations.list(m)
end

local related = tableref.related

--- The first record for which fn(record) returns true; it becomes the working record. nil: there is none, and
-- no working record.
function methods.find(t, fn)
  expect("function", "find", "a function", fn, 2)
  local m = t[P]
  local records, deleted = related(m, "find", 2), m.deleted
  for i = order.first(m, records), #records do
    local r = records[i]
    if not deleted[r] then
      setWorking(m, r)
      local found = fn(r)
      if found == true then return r end
      if found ~= false then
        raise("find: expected the function to return true or false, got " .. type(found), 2)
      end
    end
  end
  setWorking(m, nil)
  return nil
end

local function idText(id, level)
  if type(id) ~= "number" then expect("string", "findById", "an id", id, level + 1) end
  return ids.text(id)
end

local function findById(t, id, level)
  if type(id) ~= "string" then id = idText(id, level + 1) end
  local m = t[P]
  local r = ids.find(m, id)
  setWorking(m, r)
  return r
end

--- The record of that id, a text or a number; it becomes the working record. nil: there is none, and no
-- working record. Relations do not matter.
function methods.findById(t, id)
  local r = findById(t, id, 2)
  return r
end

--- Gives an object a findById of its own: programs call it in long loops.
-- @param object the table reference; or a data object that has no other
function tableref.addFindById(object, t)
  local m, general = t[P], methods.findById
  rawset(object, "findById", function(self, id)
    local index = m.quick
    if index and self == object then
      local r = index[id]
      if r then
        m.working = r
        return r
      end
    elseif self ~= object then
      raise(("findById: expected a JSDO, got %s: call it with ':' instead of '.'"):format(type(self)), 2)
    end
    return general(t, id)
  end)
end

--- Calls fn(record) with each record, which is the working record meanwhile; false ends the loop.
function methods.foreach(t, fn)
  expect("function", "foreach", "a function", fn, 2)
  local m = t[P]
  local records, deleted, alone = related(m, "foreach", 2), m.deleted, not m.isRelated
  m.still = m.deletedCount == 0 and records or nil
  for i = order.first(m, records), #records do
    local r = records[i]
    if m.still == records or not deleted[r] then
      if alone then m.working = r else setWorking(m, r) end
      if fn(r) == false then return end
    end
  end
end

--- An iterator: for record in t:records() do. The working record stays.
function methods.records(t)
  related(t[P], "records", 2)
  return memory.related(t)
end

function methods.getId(t)
  local r = memory.working(t)
  return r and memory.id(r) or 0
end

function methods.getErrorString(t)
  local r = memory.working(t)
  return r and memory.mark(r, "errorString")
end

-- ---- Schema

--- An array of copies of the field descriptions, each with `name`, `type`, ...
function methods.getSchema(t)
  local list = {}
  for i, field in ipairs(t[P].shape.fields) do
    list[i] = {}
    for name, value in pairs(field) do list[i][name] = value end
  end
  return list
end

methods.create, methods.update = methods.add, methods.assign

-- ---- Records

local recordMethods = record.methods

function recordMethods.assign(r, values) return (assign(r, values, 2)) end
function recordMethods.remove(r) return (remove(r, 2)) end
function recordMethods.getId(r) return memory.id(r) end
function recordMethods.getErrorString(r) return memory.mark(r, "errorString") end
function recordMethods.getBefore(r) return memory.before(r) end

function recordMethods.getState(r)
  local change = memory.change(r)
  return change and change.state
end

--- A plain copy of the values; null stands as datasession.null.
function recordMethods.toTable(r) return record.copyRow(memory.values(r)) end

recordMethods.update = recordMethods.assign

-- ---- Properties

function properties.record(t) return memory.working(t) end
function properties.name(t) return t[P].shape.name end
function properties.jsdo(t) return t[P].jsdo end

for _, name in ipairs { "autoSort", "caseSensitive" } do
  properties[name] = function(t) return t[P][name] end
  settable[name] = function(t, value, level)
    if type(value) ~= "boolean" then
      raise(("%s: expected a boolean, got %s"):format(name, type(value)), level + 1)
    end
    order.configure(t[P], name, value)
  end
end

--- Raises: the object has nothing of that name. The nearest name may be any; a list shows the first array.
-- @param what string, the object
-- @param shown, ... arrays of names
function tableref.refuseName(what, name, level, shown, ...)
  if type(name) == "number" then
    raise(("%s is no array: its records are in jsdo:records() and jsdo:getData()"):format(what), level + 1)
  end
  local all = table.move(shown, 1, #shown, 1, {})
  for _, names in ipairs { ... } do table.move(names, 1, #names, #all + 1, all) end
  local names = suggest.nearest(name, all) and all or shown
  raise(suggest.unknown("field of " .. what, name, names), level + 1)
end

--- The value of the working record's field. Raises for a name that no field has.
-- @param what string, the object that has no such name
-- @param names function that returns arrays of the names that the object has beside the fields
function tableref.get(t, name, what, level, names)
  local m = t[P]
  if schema.has(m.shape, name) or schema.element(m.shape, name) then
    local r = memory.working(t)
    if r then return r[name] end
    return nil
  end
  tableref.refuseName(what, name, level + 1, m.shape.names, names())
end

--- Sets a field of the working record.
function tableref.set(t, name, value, level)
  local m = t[P]
  record.checkName(m, name, level + 1)
  record.set(m, working(t, tostring(name), level + 1), name, value, level + 1)
end

local function otherNames()
  local names = {}
  for _, source in ipairs { methods, properties } do
    for name in next, source do names[#names + 1] = name end
  end
  return names
end

local function refuseObjectMethod(name, level)
  if tableref.objectMethods[name] then
    raise(("%s is a method of the data object: write jsdo:%s(...)"):format(name, name), level + 1)
  end
end

local meta = { __name = "datasession.table", __metatable = "datasession.table" }

function meta.__index(t, name)
  local method = methods[name]
  if method then return method end
  local property = properties[name]
  if property then return property(t) end
  local value = tableref.get(t, name, label(t[P]), 2, function()
    refuseObjectMethod(name, 4)
    return otherNames()
  end)
  return value
end

function meta.__newindex(t, name, value)
  local set = settable[name]
  if set then
    set(t, value, 2)
    return
  end
  if methods[name] or properties[name] then raise(("%s is read-only"):format(name), 2) end
  tableref.set(t, name, value, 2)
end

--- Walks the fields of the working record that are not nil.
function meta.__pairs(t) return pairs(memory.working(t) or {}) end

--- The number of records, whatever their relations.
function meta.__len(t) return memory.count(t) end

function meta.__tostring(t)
  return ("table %s (%d)"):format(label(t[P]), memory.count(t))
end

--- Makes the table reference of a shape.
function tableref.new(jsdo, shape)
  local t = setmetatable(memory.new(jsdo, shape), meta)
  tableref.addFindById(t, t)
  return t
end

--- True if the value is a table reference.
function tableref.is(value)
  return getmetatable(value) == "datasession.table" and type(value) == "table"
end

return tableref
