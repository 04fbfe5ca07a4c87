--- The works of scale.lua with data objects: a dataset of two related tables in memory, and a temp-table.

local datasession = require "datasession"

local CATALOG = [[
{"version":"1.4","services":[{"name":"Scale","address":"/rest/Scale","resources":[
{"name":"Orders","path":"/Orders","schema":{"properties":{"dsOrders":{"properties":{
"ttCustomer":{"type":"array","primaryKey":["CustNum"],"items":{"properties":{
"CustNum":{"type":"integer","ablType":"INTEGER"},"Name":{"type":"string"},"Balance":{"type":"number"}}}},
"ttOrder":{"type":"array","primaryKey":["OrderNum"],"items":{"properties":{
"OrderNum":{"type":"integer"},"CustNum":{"type":"integer"},"Total":{"type":"number"}}}}}}}},
"relations":[{"relationName":"RelCustOrd","parentName":"ttCustomer","childName":"ttOrder",
"relationFields":[{"parentFieldName":"CustNum","childFieldName":"CustNum"}]}],
"operations":[{"type":"read","path":"?filter={filter}","verb":"get","params":[]},
{"type":"create","path":"","verb":"post","params":[]},{"type":"update","path":"","verb":"put","params":[]},
{"type":"delete","path":"","verb":"delete","params":[]}]},
{"name":"Items","path":"/Items","idProperty":"ItemNum","schema":{"properties":{
"ttItem":{"type":"array","primaryKey":["ItemNum"],"items":{"properties":{
"ItemNum":{"type":"integer"},"Name":{"type":"string"},"Price":{"type":"number"}}}}}},
"operations":[{"type":"read","path":"?filter={filter}","verb":"get","params":[]}]}]}]}]]

local path = os.tmpname()
local file = assert(io.open(path, "w"))
file:write(CATALOG)
file:close()

local function memoryStore()
  local texts = {}
  return {
    get = function(_, name) return texts[name] end,
    set = function(_, name, text) texts[name] = text return true end,
    remove = function(_, name) texts[name] = nil return true end,
  }
end

local function newObject(name)
  local session = datasession.new { serviceURI = "http://127.0.0.1:9/App", storage = memoryStore() }
  assert(session:addCatalog(path):await())
  return datasession.JSDO { name = name, session = session }
end

local function rowsOf(n)
  local rows = {}
  for i = 1, n do
    rows[i] = { ItemNum = i, Name = "Item " .. i * 7919 % 100003, Price = i % 100 }
  end
  return rows
end

local function newItems(n)
  local items = newObject "Items"
  items:addRecords(rowsOf(n), datasession.data.MODE_EMPTY)
  return items
end

local function recordsOf(object)
  local list = {}
  for record in object:records() do
    list[#list + 1] = record
  end
  return list
end

local function assignAll(items)
  for record in items:records() do
    record.Price = -1
  end
end

local function newOrders(n)
  local orders, customers, of = newObject "Orders", {}, {}
  for i = 1, n do
    customers[i] = { CustNum = i, Name = "Customer " .. i, Balance = 0 }
    of[#of + 1] = { OrderNum = i, CustNum = i, Total = i }
    of[#of + 1] = { OrderNum = n + i, CustNum = n + 1 - i, Total = i }
  end
  orders:addRecords({ dsOrders = { ttCustomer = customers, ttOrder = of } }, datasession.data.MODE_EMPTY)
  return orders
end

return function(work)
  work("add a record", 500, function(n)
    local items = newItems(0)
    return function()
      for i = 1, n do items:add { ItemNum = i, Name = "new" } end
    end
  end)

  work("addRecords of n", 500, function(n)
    local items, rows = newItems(0), rowsOf(n)
    return function() items:addRecords(rows, datasession.data.MODE_APPEND) end
  end)

  work("addRecords of one, with a key", 500, function(n)
    local items, rows = newItems(n), rowsOf(n)
    return function()
      for i = 1, n do items:addRecords({ rows[i] }, datasession.data.MODE_REPLACE, { "ItemNum" }) end
    end
  end)

  work("findById, a field, its change, hasChanges", 500, function(n)
    local items = newItems(n)
    return function()
      for i = 1, n do
        local record = items:findById(tostring(i))
        record.Price = record.Price + 1
        assert(items:hasChanges())
      end
    end
  end)

  work("remove, first first", 500, function(n)
    local items = newItems(n)
    local records = recordsOf(items)
    return function()
      for i = 1, n do records[i]:remove() end
      assert(not items:find(function() return true end))
    end
  end)

  work("remove the first record", 500, function(n)
    local items = newItems(n)
    return function()
      for _ = 1, n do
        items:find(function() return true end)
        items:remove()
      end
    end
  end)

  work("remove all, rejectChanges", 500, function(n)
    local items = newItems(n)
    return function()
      for _, record in ipairs(recordsOf(items)) do record:remove() end
      items:rejectChanges()
    end
  end)

  work("change all, rejectRowChanges of each", 500, function(n)
    local items = newItems(n)
    return function()
      assignAll(items)
      for record in items:records() do record:rejectRowChanges() end
    end
  end)

  work("change all, getChanges, acceptRowChanges of each", 500, function(n)
    local items = newItems(n)
    return function()
      assignAll(items)
      for _, change in ipairs(items:getChanges()) do change.record:acceptRowChanges() end
    end
  end)

  work("sort by text", 500, function(n)
    local items = newItems(n)
    return function() items:sort { "Name" } end
  end)

  work("change the field sorted by while reading", 500, function(n)
    local items = newItems(n)
    items:setSortFields { "Price", "Name" }
    return function()
      for record in items:records() do record.Price = record.Price + 1 end
    end
  end)

  work("getData, sorted, in pages of 50", 100, function(n)
    local items = newItems(n)
    return function()
      for skip = 0, n - 1, 50 do items:getData { skip = skip, top = 50 } end
    end
  end)

  work("a parent's children, parent after parent", 250, function(n)
    local orders = newOrders(n)
    return function()
      local count = 0
      orders.ttCustomer:foreach(function()
        for _ in orders.ttOrder:records() do count = count + 1 end
      end)
      assert(count == 2 * n)
    end
  end)

  work("add a child to each parent", 250, function(n)
    local orders = newOrders(n)
    return function()
      orders.ttCustomer:foreach(function() orders.ttOrder:add { OrderNum = -1 } end)
    end
  end)

  work("saveLocal, readLocal", 250, function(n)
    local items = newItems(n)
    assignAll(items)
    return function()
      items:saveLocal()
      assert(items:readLocal())
    end
  end)

  work("subscribe to a data object, unsubscribe", 500, function(n)
    local items, handlers = newItems(0), {}
    for i = 1, n do handlers[i] = function() return i end end
    return function()
      for i = 1, n do items:subscribe("afterFill", handlers[i]) end
      for i = 1, n do items:unsubscribe("afterFill", handlers[i]) end
    end
  end)
end
