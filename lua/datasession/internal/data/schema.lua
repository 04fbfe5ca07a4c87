--- Shapes: the knowledge that a table reference needs of its table. A shape is made once for each table of a
-- resource and shared by all data objects of that resource.
--
--     name        the table's; "" for one without a name
--     fields      the catalog's fields, in order
--     byName      name -> field
--     names       the names, in order
--     keys        the names of the primary key's fields; may be empty
--     idProperty  the field that identifies a record on the server; or nil
--     open        true if the catalog describes no fields: then every name is one
--     scalar      name -> true for the fields that hold single values
--     lists       name -> field for those that hold arrays

local ascii = require "datasession.internal.ascii"
local math = require("datasession.internal.lua").math

local schema = {}

local function addField(shape, i, field)
  shape.names[i], shape.byName[field.name] = field.name, field
  shape.lower[ascii.lower(field.name)] = field.name
  local kind = field.type
  if kind == "array" then
    shape.lists[field.name] = field
  elseif kind == "string" or kind == "integer" or kind == "number" or kind == "boolean" then
    shape.scalar[field.name] = true
  end
end

-- The id of a resource stands on the resource or on the table.
local function idOf(resource, described, shape)
  local own = described.idProperty
  if own then return own end
  local common = resource.idProperty
  if common and (#resource.tables == 1 or shape.byName[common]) then return common end
end

-- The fields of a table. A nested dataset describes its child tables as fields of the parent, too.
local function fieldsOf(resource, described)
  local tables, fields = {}, {}
  for _, other in ipairs(resource.tables) do tables[other.name] = other ~= described end
  for _, field in ipairs(described.fields) do
    if not (field.type == "array" and tables[field.name]) then fields[#fields + 1] = field end
  end
  return fields
end

local function build(resource, described)
  local fields = fieldsOf(resource, described)
  local shape = {
    name = described.name, fields = fields, keys = described.primaryKey or {},
    names = {}, byName = {}, lower = {}, scalar = {}, lists = {}, open = #fields == 0,
  }
  for i, field in ipairs(fields) do addField(shape, i, field) end
  shape.idProperty = idOf(resource, described, shape)
  return shape
end

local shapes = setmetatable({}, { __mode = "k" }) -- resource -> array of shapes

--- The shapes of a resource's tables, in the catalog's order.
-- @param resource a resource of a catalog
-- @return array; empty for a resource without a schema
function schema.shapes(resource)
  local list = shapes[resource]
  if not list then
    list = {}
    for i, described in ipairs(resource.tables) do list[i] = build(resource, described) end
    shapes[resource] = list
  end
  return list
end

--- True if records of the shape may have a field of that name.
function schema.has(shape, name)
  return shape.byName[name] ~= nil or shape.open and type(name) == "string"
    or name ~= nil and name == shape.idProperty
end

--- The fields by whose values rows are told apart: the primary key, else the id field.
-- @return array of names; or nil: there are none
function schema.rowKeys(shape)
  if #shape.keys > 0 then return shape.keys end
  return shape.idProperty and { shape.idProperty }
end

--- The fields by whose values the server knows a record: the id field, else the primary key.
-- @return array of names; or nil: there are none
function schema.recordKeys(shape)
  return shape.idProperty and { shape.idProperty } or schema.rowKeys(shape)
end

--- The number of elements that an array field may have; nil: any, also if the catalog gives no whole number.
function schema.length(field)
  local most = math.tointeger(field.maxItems)
  return most and most > 0 and most or nil
end

--- The name as the catalog spells it, whatever the case of the letters; nil: there is none.
function schema.spelled(shape, name)
  return shape.byName[name] and name or shape.lower[ascii.lower(name)]
end

--- The field and the index that a name such as Sales_2 means; nil if it is none or a field's own name.
function schema.element(shape, name)
  if type(name) ~= "string" or shape.byName[name] then return nil end
  local base, index = name:match "^(.+)_([1-9]%d*)$"
  local list = base and shape.lists[base]
  index = list and math.tointeger(tonumber(index))
  if index and index <= (schema.length(list) or index) then return base, index end
end

return schema
