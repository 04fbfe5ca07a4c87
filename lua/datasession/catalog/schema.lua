--- The schema of a resource: its tables and their fields, in the five forms that catalogs have.

local check = require("datasession.catalog.check")
local codec = require("datasession.codec")
local object = require("datasession.catalog.object")

local format = string.format
local fail, isKind, optional, required = check.fail, check.isKind, check.optional, check.required
local sortedKeys = check.sortedKeys
local null = codec.null

local fieldMeta = { __name = "datasession.catalog.field" }

function fieldMeta:__tostring()
  return format("field %s: %s%s", self.name, self.type or "untyped", self.ablType and " (" .. self.ablType .. ")" or "")
end

local function buildField(at, depth, name, definition)
  if not isKind(definition, "object") then fail(at, depth, nil, "an object", definition) end
  local items = optional(at, depth, definition, "items", "object")
  if items then
    at[depth + 1] = "items"
    optional(at, depth + 1, items, "type", "string")
    optional(at, depth + 1, items, "$ref", "string")
  end
  return setmetatable({
    name = name,
    type = optional(at, depth, definition, "type", "string"),
    ablType = optional(at, depth, definition, "ablType", "string"),
    format = optional(at, depth, definition, "format", "string"),
    maxItems = optional(at, depth, definition, "maxItems", "number"),
    origName = optional(at, depth, definition, "origName", "string"),
    default = definition.default,
    items = items,
  }, fieldMeta)
end

--- The fields that an object describes, `_id` apart, which is the client's own.
local function buildFields(at, depth, properties)
  local fields, names, n = {}, sortedKeys(properties), 0
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
local tableMeta = { __name = "datasession.catalog.table", __index = tableMethods }

function tableMeta:__tostring()
  local name = self.name == "" and "without a name" or self.name
  return format("table %s (%s)", name, object.counted(#self.fields, "field"))
end

--- The field of that name, or nil. Names are case-sensitive.
function tableMethods:field(name)
  return object.lookUp(self.fields, name)
end

--- A table of a dataset, or a temp-table. Its fields are those of its items, or, in the form of a
-- nested child table, its own properties.
local function buildTable(at, depth, name, definition)
  if not isKind(definition, "object") then fail(at, depth, nil, "an object", definition) end
  local items = optional(at, depth, definition, "items", "object")
  local fields
  if items and items.properties ~= nil then
    at[depth + 1], at[depth + 2] = "items", "properties"
    fields = buildFields(at, depth + 2, optional(at, depth + 1, items, "properties", "object") or {})
  else
    local properties = optional(at, depth, definition, "properties", "object") or {}
    at[depth + 1] = "properties"
    fields = buildFields(at, depth + 1, properties)
  end
  return setmetatable({
    name = name,
    fields = fields,
    primaryKey = check.strings(at, depth, definition, "primaryKey"),
    idProperty = optional(at, depth, definition, "idProperty", "string"),
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
  local properties = required(at, depth, dataset, "properties", "object")
  local tables, names = {}, sortedKeys(properties)
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
    return { form = form or "temp-table", dataProperty = name, tables = { buildTable(at, depth, name, value) } }
  end
end

--- One table without a name, whose fields stand in the schema itself.
local function recordSchema(at, depth, properties)
  local fields = buildFields(at, depth, properties)
  return { form = "record", tables = { setmetatable({ name = "", fields = fields, primaryKey = {} }, tableMeta) } }
end

local schema = {}

--- What a resource's schema says: a table with `form`, `tables`, `datasetName`, `dataProperty`.
function schema.build(at, depth, resource)
  local definition = optional(at, depth, resource, "schema", "object")
  if not definition then return { tables = {} } end
  depth = depth + 1
  at[depth] = "schema"
  local properties = optional(at, depth, definition, "properties", "object")
  local name, value = onlyMember(properties or definition)
  if properties then
    at[depth + 1], at[depth + 2] = "properties", name
    return namedSchema(at, depth + 2, name, value) or recordSchema(at, depth + 1, properties)
  end
  at[depth + 1] = name
  local old = namedSchema(at, depth + 1, name, value, "old")
  if not old then
    fail(at, depth, nil, "properties that describe a dataset, a temp-table or fields", definition)
  end
  return old
end

return schema
