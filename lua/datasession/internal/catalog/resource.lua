--- The resources of a service: where they are, what they hold, how their parts are related.

local check = require("datasession.internal.catalog.check")
local object = require("datasession.internal.catalog.object")
local operation = require("datasession.internal.catalog.operation")
local schema = require("datasession.internal.catalog.schema")

local format = string.format
local fail, loose, optional = check.fail, check.loose, check.optional
local counted, lacks, lookUp, redacted = object.counted, object.lacks, object.lookUp, object.redacted

local function buildRelationField(at, depth, pair)
  return {
    parentFieldName = loose(at, depth, pair, "parentFieldName", "string"),
    childFieldName = loose(at, depth, pair, "childFieldName", "string"),
  }
end

local function buildRelation(at, depth, relation)
  if relation.RelationName ~= nil then
    fail(at, depth, "RelationName", "the key relationName, in lower camel case", relation.RelationName)
  end
  return {
    relationName = loose(at, depth, relation, "relationName", "string"),
    parentName = loose(at, depth, relation, "parentName", "string"),
    childName = loose(at, depth, relation, "childName", "string"),
    relationFields = check.looseList(at, depth, relation, "relationFields", buildRelationField),
  }
end

local methods = {}

--- Built-in types are found by type whatever they are named; the last of equal names is found.
local function addTypes(index, operations)
  for i = 1, #operations do
    local kind = operations[i].type
    if kind ~= "invoke" then index[kind] = operations[i] end
  end
end

--- The operation of that name, or of that type: "create", "read", "update", "delete", "submit" or
-- "count", of which there is one at most. A type comes before a name. nil when there is none of a type;
-- raises when there is none of another name.
function methods:operation(nameOrType)
  local found = lookUp(self.operations, nameOrType, addTypes)
  if found or operation.isType(nameOrType) then return found end
  local types = {}
  addTypes(types, self.operations)
  local names = {}
  for kind in pairs(types) do names[#names + 1] = { name = kind } end
  lacks("resource " .. self.name, "operation", nameOrType, self.operations, names)
end

--- The fields of a resource that has one table, an array; nil and a message for others.
function methods:fields()
  if #self.tables == 1 then return self.tables[1].fields end
  return nil, format("resource %s has %d tables", self.name, #self.tables)
end

object.methods("datasession.catalog.resource", "a resource", methods)

local function toString(self)
  local shape = "no schema"
  if self.schemaForm then
    shape = self.datasetName and format("dataset %s, %s", self.datasetName, counted(#self.tables, "table"))
      or tostring(self.tables[1])
  end
  local operations = counted(#self.operations, "operation")
  return format("resource %s: %s (%s, %s)", self.name, redacted(self.uri), shape, operations)
end

local resource = {}

--- The metatable of a service's resources: `service` is found there, and not by `pairs`.
function resource.metaOf(service)
  local class = setmetatable({ service = service }, { __index = methods })
  local meta = object.meta("datasession.catalog.resource", class)
  meta.__tostring = toString
  return meta
end

--- Puts all but the name into a resource.
-- @param at, depth its place in the document
-- @param description table, what the document says
-- @param made table, that gets it
-- @param address string, the service's
-- @param base string, the web application's address
-- @return `made`
function resource.fill(at, depth, description, made, address, base)
  local path = optional(at, depth, description, "path", "string") or ""
  local prefix = address .. path
  local shape = schema.build(at, depth, description)
  local idProperty = loose(at, depth, description, "idProperty", "string")
  made.path = path
  made.uri = object.absolute(base, prefix)
  made.idProperty = idProperty or #shape.tables == 1 and shape.tables[1].idProperty or nil
  made.schemaForm = shape.form
  made.datasetName = shape.datasetName
  made.dataProperty = shape.dataProperty
  made.tables = shape.tables
  made.relations = check.looseList(at, depth, description, "relations", buildRelation)
  made.operations = check.list(at, depth, description, "operations", operation.build, base, prefix, {})
  return made
end

-- A private key, for the number of a resource that is not filled yet.
local NUMBER = {}

--- Resources that are filled when something other than their name is asked for.
-- @param service the service they belong to
-- @param partsOf function (number): a table of what belongs into the resource of that number
-- @return function (name, number): such a resource
function resource.later(service, partsOf)
  local full = resource.metaOf(service)
  local class = full.__index
  local meta = object.meta(full.__name)
  local function filled(made)
    local number = rawget(made, NUMBER)
    if not number then return made end
    for key, part in next, partsOf(number) do rawset(made, key, part) end
    rawset(made, NUMBER, nil)
    return made
  end
  function meta.__index(made, key)
    local known = class[key]
    if known ~= nil then return known end
    return rawget(filled(made), key)
  end
  function meta.__newindex(made, key, value) rawset(filled(made), key, value) end
  function meta.__pairs(made) return next, filled(made), nil end
  function meta.__tostring(made) return toString(filled(made)) end
  return function(name, number)
    return setmetatable({ name = name, [NUMBER] = number }, meta)
  end
end

return resource
