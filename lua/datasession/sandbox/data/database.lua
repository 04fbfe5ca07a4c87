--- The tables behind the services, made when first asked for; the settings of the data; the refusals.
local Table = require "datasession.sandbox.data.table"
local refusals = require "datasession.sandbox.data.refusals"

-- The module that defines each table.
local ORDERS = "datasession.sandbox.data.orders"
local homes = {
  ttCustomer = "datasession.sandbox.customers", ttOrder = ORDERS, ttOrderLine = ORDERS, ttItem = ORDERS,
}

local children = { ttOrder = "ttOrderLine" }

local Database = {}
Database.__index = Database

--- `counts`: records at the start, by name: customers, orders, items.
local function new(counts)
  return setmetatable({
    counts = counts, tables = {}, refusals = refusals.new(),
    settings = { nested = false, wrapped = false, locking = true, answers = "rows", unnamed = "list" },
  }, Database)
end

--- The definition of a table.
local function definition(name)
  return require(homes[name])[name]
end

function Database:table(name)
  local found = self.tables[name] or Table.new(definition(name), self)
  self.tables[name] = found
  return found
end

--- Removes the records that belong to a record.
function Database:dropChildren(parent, record)
  local name = children[parent.definition.name]
  if not name then return end
  local child = self:table(name)
  local field = child.definition.parent.field
  for _, other in ipairs(child:all()) do
    if other[field] == record[field] then child:drop(other) end
  end
end

return { new = new, definition = definition }
