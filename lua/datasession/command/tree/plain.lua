--- Catalogs as plain tables, for the forms that are made of JSON.

local datasession = require "datasession"

local plain = {}

local function copyOf(object, names)
  local copy = {}
  for _, name in ipairs(names) do copy[name] = object[name] end
  return copy
end

local function each(list, build)
  local built = {}
  for i, one in ipairs(list or {}) do built[i] = build(one) end
  return datasession.array(built)
end

local function fieldOf(field)
  return copyOf(field, { "name", "type", "ablType", "format", "title", "maxItems" })
end

local function tableOf(one)
  return {
    name = one.name, primaryKey = datasession.array(one.primaryKey or {}), fields = each(one.fields, fieldOf),
  }
end

local function operationOf(operation)
  local copy = copyOf(operation, { "type", "name", "verb", "uri", "mappingType" })
  copy.params = each(operation.params, function(param) return copyOf(param, { "name", "type", "xType" }) end)
  return copy
end

local function resourceOf(resource)
  return {
    name = resource.name, uri = resource.uri, tables = each(resource.tables, tableOf),
    operations = each(resource.operations, operationOf),
  }
end

--- @return array of services { name, uri, resources }
function plain.services(catalogs)
  local services = {}
  for _, catalog in ipairs(catalogs) do
    for _, service in ipairs(catalog.services) do
      services[#services + 1] = {
        name = service.name, uri = service.uri, resources = each(service.resources, resourceOf),
      }
    end
  end
  return datasession.array(services)
end

return plain
