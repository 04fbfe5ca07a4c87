--- The schema of a resource: its tables and their fields, in the five forms that catalogs have.

local check = require("datasession.internal.catalog.check")
local codec = require("datasession.internal.codec")
local object = require("datasession.internal.catalog.object")

local format = string.format
local isKind, loose, orderedKeys = check.isKind, check.loose, check.orderedKeys
local null = codec.null

local fieldMeta = object.meta("datasession.catalog.field")

function fieldMeta:__tostring()
  return format("field %s: %s%s", self.name, self.type or "untyped",
    self.ablType and " (" .. self.ablType .. ")" or "")
end

--- The elements of a field that is an array, as the document describes them; nil when it does not.
local function buildItems(at, depth, definition)
  local items, made = loose(at, depth, definition, "items", "object"), {}
  if not items then return nil end
  for key, value in next, items do made[key] = value end
  at[depth + 1] = "items"
  made.type = loose(at, depth + 1, items, "type", "string")
  made["$ref"] = loose(at, depth + 1, items, "$ref", "string")
  return made
end

--- The description of a field or a table; an empty one when it is no object.
local function definitionOf(at, depth, definition)
  if isKind(definition, "object") then return definition end
  check.remark(at, depth, nil, "an object", definition)
  return {}
end

local function buildField(at, depth, name, description)
  local definition = definitionOf(at, depth, description)
  return setmetatable({
    name = name,
    type = loose(at, depth, definition, "type", "string"),
    ablType = loose(at, depth, definition, "ablType", "string"),
    format = loose(at, depth, definition, "format", "string"),
    maxItems = loose(at, depth, definition, "maxItems", "number"),
    origName = loose(at, depth, definition, "origName", "string"),
    title = type(definition.title) == "string" and definition.title or nil,
    default = definition.default,
    items = buildItems(at, depth, definition),
  }, fieldMeta)
end

--- The fields that an object describes, `_id` apart, which is the client's own.
local function buildFields(at, depth, properties)
  local fields, names, n = {}, orderedKeys(at, properties), 0
  for i = 1, #names do
    local name = names[i]
    if name ~= "_id" then
      n, at[depth + 1] = n + 1, name
      fields[n] = buildField(at, depth + 1, name, properties[name])
    end
  end
  return fields
end

local tableMethods = {}
local tableMeta = object.meta("datasession.catalog.table", tableMethods)

function tableMeta:__tostring()
  local name = self.name == "" and "without a name" or self.name
  return format("table %s (%s)", name, object.counted(#self.fields, "field"))
end

--- The field of that name; raises when there is none. Names are case-sensitive.
function tableMethods:field(name)
  local found = object.lookUp(self.fields, name)
  if found then return found end
  object.lacks(self.name == "" and "table" or "table " .. self.name, "field", name, self.fields)
end

object.methods("datasession.catalog.table", "a table", tableMethods)

--- A table of a dataset, or a temp-table. Its fields are those of its items, or, in the form of a
-- nested child table, its own properties.
local function buildTable(at, depth, name, description)
  local definition = definitionOf(at, depth, description)
  local items = loose(at, depth, definition, "items", "object")
  local fields
  if items and items.properties ~= nil then
    at[depth + 1], at[depth + 2] = "items", "properties"
    fields = buildFields(at, depth + 2, loose(at, depth + 1, items, "properties", "object") or {})
  else
    local properties = loose(at, depth, definition, "properties", "object") or {}
    at[depth + 1] = "properties"
    fields = buildFields(at, depth + 1, properties)
  end
  return setmetatable({
    name = name,
    fields = fields,
    primaryKey = check.looseStrings(at, depth, definition, "primaryKey"),
    idProperty = loose(at, depth, definition, "idProperty", "string"),
  }, tableMeta)
end

--- The only member of an object: its key and value; nil when there are more, or none.
local function onlyMember(members)
  local key, value = next(members)
  if key ~= nil and next(members, key) == nil then return key, value end
end

--- Whether an object has a member that is not null.
local function has(value, key)
  return type(value) == "table" and value[key] ~= nil and value[key] ~= null
end

--- The tables of a dataset at the place that `at` and `depth` tell.
local function datasetTables(at, depth, dataset)
  local properties = loose(at, depth, dataset, "properties", "object") or {}
  local tables, names = {}, orderedKeys(at, properties)
  at[depth + 1] = "properties"
  for i = 1, #names do
    at[depth + 2] = names[i]
    tables[i] = buildTable(at, depth + 2, names[i], properties[names[i]])
  end
  return tables
end

--- A dataset or a temp-table under the key `name`; nil when the value is neither.
local function namedSchema(at, depth, name, value, form)
  if has(value, "properties") then
    return { form = form or "dataset", datasetName = name, tables = datasetTables(at, depth, value) }
  elseif has(value, "items") then
    return {
      form = form or "temp-table", dataProperty = name, tables = { buildTable(at, depth, name, value) },
    }
  end
end

--- One table without a name, whose fields stand in the schema itself.
local function recordSchema(at, depth, properties)
  local fields = buildFields(at, depth, properties)
  local record = setmetatable({ name = "", fields = fields, primaryKey = {} }, tableMeta)
  return { form = "record", tables = { record } }
end

local schema = {}

--- The content of a resource's schema: a table with `form`, `tables`, `datasetName`, `dataProperty`.
function schema.build(at, depth, resource)
  local definition = loose(at, depth, resource, "schema", "object")
  if not definition then return { tables = {} } end
  depth = depth + 1
  at[depth] = "schema"
  local properties = loose(at, depth, definition, "properties", "object")
  if not properties and has(definition, "properties") then return { tables = {} } end
  local name, value = onlyMember(properties or definition)
  if properties then
    at[depth + 1], at[depth + 2] = "properties", name
    return namedSchema(at, depth + 2, name, value) or recordSchema(at, depth + 1, properties)
  end
  at[depth + 1] = name
  local old = namedSchema(at, depth + 1, name, value, "old")
  if old then return old end
  check.remark(at, depth, nil, "properties that describe a dataset, a temp-table or fields", definition)
  return { tables = {} }
end

return schema
