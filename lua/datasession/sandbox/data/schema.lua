--- Schemas of resources, in the forms that catalogs have: datasets, nested ones, temp-tables, bare records.
local json = require "datasession.sandbox.json"

local ordered, list = json.ordered, json.list

local schema = {}

local function field(definition)
  local members = {
    { "type", definition.type }, { "ablType", definition.ablType }, { "default", definition.initial },
  }
  if definition.format then members[#members + 1] = { "format", definition.format } end
  if definition.items then
    members[#members + 1] = { "maxItems", definition.extent }
    members[#members + 1] = { "items", ordered { { "type", definition.items } } }
  end
  if definition.origName then members[#members + 1] = { "origName", definition.origName } end
  members[#members + 1] = { "title", definition.title }
  return ordered(members)
end

local function fields(definition)
  local properties = {
    { "_id", ordered { { "type", "string" } } },
    { "_errorString", ordered { { "type", "string" } } },
  }
  for _, one in ipairs(definition.fields) do properties[#properties + 1] = { one.name, field(one) } end
  return properties
end

-- The fields that tell a record of the table.
local function primaryKey(definition)
  return definition.parent and list { definition.parent.field, "LineNum" } or list { definition.key }
end

local function tableOf(resource, definition, extra)
  local properties = fields(definition)
  if extra then properties[#properties + 1] = extra end
  local members = { { "type", "array" }, { "primaryKey", primaryKey(definition) } }
  if resource.idProperty then members[#members + 1] = { "idProperty", definition.key } end
  members[#members + 1] = { "items", ordered {
    { "additionalProperties", false }, { "properties", ordered(properties) },
  } }
  return ordered(members)
end

-- The child table of a nested dataset, to which an array field of the parent refers.
local function childOf(resource, definition)
  local members = { { "type", "object" }, { "primaryKey", primaryKey(definition) } }
  if resource.idProperty then members[#members + 1] = { "idProperty", definition.key } end
  members[#members + 1] = { "properties", ordered(fields(definition)) }
  return ordered(members)
end

local function reference(resource, child)
  local target = ("#/properties/%s/properties/%s"):format(resource.dataset, child.name)
  return { child.name, ordered { { "type", "array" }, { "items", ordered { { "$ref", target } } } } }
end

local function tables(resource)
  local properties = {}
  for i, definition in ipairs(resource.tables) do
    local child = resource.nested and resource.tables[i + 1]
    local inner = resource.nested and i > 1 and childOf(resource, definition)
      or tableOf(resource, definition, child and reference(resource, child))
    properties[i] = { definition.name, inner }
  end
  return ordered(properties)
end

local function object(properties)
  return ordered { { "type", "object" }, { "additionalProperties", false }, { "properties", properties } }
end

--- The schema of a resource.
function schema.of(resource)
  if resource.unnamed then return object(ordered(fields(resource.tables[1]))) end
  if not resource.dataset then return object(tables(resource)) end
  return object(ordered { { resource.dataset, object(tables(resource)) } })
end

--- The relations of a resource; nil without one.
function schema.relations(resource)
  local relations = {}
  for _, definition in ipairs(resource.dataset and resource.tables or {}) do
    local parent = definition.parent
    if parent then
      relations[#relations + 1] = ordered {
        { "relationName", "RelOf" .. definition.name }, { "parentName", parent.table },
        { "childName", definition.name },
        { "relationFields", list { ordered {
          { "parentFieldName", parent.field }, { "childFieldName", parent.field },
        } } },
      }
    end
  end
  return relations[1] and list(relations)
end

return schema
