--- The resources of the catalog OrderService.json: services OrderService and StockService.
local database = require "datasession.sandbox.data.database"
local invokes = require "datasession.sandbox.data.invokes"
local operation = require "datasession.sandbox.data.operation"
local service = require "datasession.sandbox.data.service"
local table = require("datasession.internal.lua").table

local ORDER, LINE, ITEM = database.definition "ttOrder", database.definition "ttOrderLine",
  database.definition "ttItem"

local orderservice = { CATALOG = "/static/OrderService.json" }

-- A resource with the standard operations and further ones.
local function resource(description, further)
  description.operations = operation.standard(description)
  table.move(further or {}, 1, #(further or {}), #description.operations + 1, description.operations)
  return description
end

local function dataset(name, more)
  more.name, more.dataset, more.tables = name, "dsOrder", { ORDER, LINE }
  return more
end

local function items(name, more)
  more.name, more.tables = name, { ITEM }
  return more
end

-- A resource that can only be read, by the placeholders of its URL.
local archive = {
  name = "Archive", dataset = "dsOrder", tables = { ORDER, LINE }, operations = { invokes.archive },
}

local services = {
  { name = "OrderService", settings = { { "useRequest", true } }, resources = {
    resource(dataset("Order", { beforeImage = true }), invokes.ofOrders),
    resource(dataset("OrderById", { beforeImage = true, idProperty = true }), invokes.merging "dsOrder"),
    resource(dataset("OrderPlain", { beforeImage = false })),
    resource(dataset("OrderNested", { beforeImage = true, nested = true })),
    archive,
    resource(items("Item", {}), invokes.ofItems),
    resource(items("ItemById", { idProperty = true }), invokes.merging "ttItem"),
    resource(items("ItemSql", { language = "sqlQuery" })),
    resource(items("ItemUnnamed", { unnamed = true, idProperty = true })),
  } },
  { name = "StockService", resources = {
    resource(items("Stock", { idProperty = true }), invokes.ofItems),
    resource(dataset("StockOrder", { beforeImage = false, idProperty = true })),
  }, settings = { { "useRequest", false }, { "sendOnlyChanges", true }, { "unwrapped", true } } },
}

local byPath = {}
for _, one in ipairs(services) do
  for _, found in ipairs(one.resources) do byPath[one.name .. "/" .. found.name] = found end
end

--- The resource at "service/name"; nil without one.
function orderservice.resource(path)
  return byPath[path]
end

--- The catalog's text.
function orderservice.text()
  local described = {}
  for i, one in ipairs(services) do
    local resources = {}
    for n, found in ipairs(one.resources) do resources[n] = service.describe(found, found.name) end
    described[i] = { name = one.name, settings = one.settings, resources = resources }
  end
  return service.catalog(described)
end

return orderservice
