--- The Data Service Catalog of the Customer service.
local customers = require "datasession.sandbox.customers"
local json = require "datasession.sandbox.json"

local ordered, list = json.ordered, json.list

local catalog = {}

local function fieldSchema(field)
  local members = { { "type", field.type }, { "ablType", field.ablType }, { "default", field.initial } }
  if field.format then members[#members + 1] = { "format", field.format } end
  if field.items then
    members[#members + 1] = { "maxItems", field.extent }
    members[#members + 1] = { "items", ordered { { "type", field.items } } }
  end
  members[#members + 1] = { "title", field.title }
  return ordered(members)
end

local function tableSchema()
  local properties = {
    { "_id", ordered { { "type", "string" } } },
    { "_errorString", ordered { { "type", "string" } } },
  }
  for _, field in ipairs(customers.fields) do
    properties[#properties + 1] = { field.name, fieldSchema(field) }
  end
  return ordered {
    { "type", "array" },
    { "primaryKey", list { "CustNum" } },
    { "items", ordered { { "additionalProperties", false }, { "properties", ordered(properties) } } },
  }
end

local function schema()
  local dataset = ordered {
    { "type", "object" },
    { "additionalProperties", false },
    { "properties", ordered { { "ttCustomer", tableSchema() } } },
  }
  return ordered {
    { "type", "object" },
    { "additionalProperties", false },
    { "properties", ordered { { "dsCustomer", dataset } } },
  }
end

local function param(name, kind, xType)
  return ordered { { "name", name }, { "type", kind }, { "xType", xType } }
end

local BOTH = "REQUEST_BODY,RESPONSE_BODY"

local function change(kind, verb)
  return ordered {
    { "type", kind }, { "path", "" }, { "verb", verb }, { "useBeforeImage", true },
    { "params", list { param("dsCustomer", BOTH, "DATASET") } },
  }
end

local function operations()
  return list {
    ordered {
      { "type", "read" }, { "path", "?filter={filter}" }, { "verb", "get" },
      { "useBeforeImage", true }, { "mappingType", "JFP" },
      { "capabilities", "ablFilter,top,skip,id,orderBy" },
      { "params", list {
        param("filter", "QUERY", "CHARACTER"), param("dsCustomer", "RESPONSE_BODY", "DATASET"),
      } },
    },
    change("create", "post"),
    change("update", "put"),
    change("delete", "delete"),
    ordered {
      { "type", "submit" }, { "name", "SubmitCustomer" }, { "path", "/SubmitCustomer" }, { "verb", "put" },
      { "useBeforeImage", true }, { "params", list { param("dsCustomer", BOTH, "DATASET") } },
    },
    ordered {
      { "type", "count" }, { "name", "count" }, { "path", "/count?filter={filter}" }, { "verb", "put" },
      { "params", list {
        param("filter", "QUERY", "CHARACTER"), param("numRecs", "RESPONSE_BODY", "INTEGER"),
      } },
    },
    ordered {
      { "type", "invoke" }, { "name", "RaiseCreditLimit" }, { "path", "/RaiseCreditLimit" },
      { "verb", "put" },
      { "params", list {
        param("custNum", "REQUEST_BODY", "INTEGER"), param("amount", "REQUEST_BODY", "DECIMAL"),
        param("creditLimit", "RESPONSE_BODY", "DECIMAL"),
      } },
    },
  }
end

--- The name of the n-th resource: Customer, Customer2, Customer3, ...
function catalog.resourceName(n)
  return n == 1 and "Customer" or "Customer" .. n
end

--- The Catalog's text, with `count` resources that differ in name alone.
function catalog.text(count)
  local schemaOfAll, operationsOfAll, resources = schema(), operations(), {}
  for n = 1, count do
    local name = catalog.resourceName(n)
    resources[n] = ordered {
      { "name", name }, { "path", "/" .. name }, { "schema", schemaOfAll }, { "operations", operationsOfAll },
    }
  end
  return json.encode(ordered {
    { "version", "1.4" },
    { "lastModified", "Fri Mar 01 09:00:00 UTC 2024" },
    { "services", list { ordered {
      { "name", "CustomerService" },
      { "address", "/rest/CustomerService" },
      { "settings", ordered { { "useRequest", true } } },
      { "resources", list(resources) },
    } } },
  })
end

return catalog
