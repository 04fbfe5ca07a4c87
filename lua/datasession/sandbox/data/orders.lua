--- The tables of orders, of their lines and of items: the fields, the first records, and what may happen to
-- them.
local fail = require "datasession.sandbox.data.fail"
local Table = require "datasession.sandbox.data.table"
local json = require "datasession.sandbox.json"
local math = require("datasession.internal.lua").math

local NULL = json.null

local function pick(values, n)
  return values[(n - 1) % #values + 1]
end

local NAMES = { "Ski Poles", "Tennis Balls", "Übungsmatte", "Golf Shoes", "Climber's Rope", "Yoga \"Pro\"" }
local STATUSES = { "Ordered", "Backordered", "Shipped" }

local function priceOf(n)
  return 5 + n * 7 % 90 + 0.5
end

-- ---- orders

local orders = {}

local function isStatus(status)
  for _, known in ipairs(STATUSES) do
    if status == known then return true end
  end
  return false
end

local function firstOrder(n)
  local day = ("%04d-%02d-%02d"):format(2020 + n % 5, n % 12 + 1, n % 28 + 1)
  return {
    OrderNum = n, CustNum = (n * 7 - 1) % 300 + 1, Status = pick(STATUSES, n), OrderDate = day,
    ShipDate = n % 3 == 0 and day or NULL, Placed = day .. "T08:15:00.250",
    Changed = day .. "T10:15:00.250+02:00", Paid = n % 2 == 0, Discounts = { n % 3, 0, 0.5 },
    Remarks = n % 6 == 0 and "Leave at \"reception\"" or "", Total = 0,
  }
end

-- How many lines an order has at the start: from none to three.
local function linesOf(n)
  return n % 4
end

local function line(order, n)
  local price, quantity = priceOf(order + n), n * 2
  return {
    LineId = ("%d-%d"):format(order, n), OrderNum = order, LineNum = n, ItemName = pick(NAMES, order + n),
    Qty = quantity, Price = price, Amount = price * quantity,
  }
end

local function firstOrders(counts)
  local rows = {}
  for n = 1, counts.orders do
    rows[n] = firstOrder(n)
    for i = 1, linesOf(n) do rows[n].Total = rows[n].Total + line(n, i).Amount end
  end
  return rows
end

local function today()
  return os.date "%Y-%m-%d"
end

local function now()
  return os.date "!%Y-%m-%dT%H:%M:%S.000"
end

orders.ttOrder = Table.define {
  name = "ttOrder", title = "Order", key = "OrderNum", rows = firstOrders,
  fields = {
    { name = "OrderNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Order Num" },
    { name = "CustNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Cust Num" },
    { name = "Status", type = "string", ablType = "CHARACTER", initial = "Ordered", title = "Status" },
    { name = "OrderDate", type = "string", ablType = "DATE", format = "date", initial = "TODAY",
      initialValue = today, title = "Ordered" },
    { name = "ShipDate", type = "string", ablType = "DATE", format = "date", initial = NULL,
      title = "Shipped" },
    { name = "Placed", type = "string", ablType = "DATETIME", format = "date-time", initial = "NOW",
      initialValue = now, title = "Placed" },
    { name = "Changed", type = "string", ablType = "DATETIME-TZ", format = "date-time", initial = NULL,
      title = "Changed" },
    { name = "Paid", type = "boolean", ablType = "LOGICAL", initial = false, title = "Paid" },
    { name = "Discounts", type = "array", ablType = "DECIMAL", items = "number", extent = 3, initial = 0,
      title = "Discounts" },
    { name = "Remarks", type = "string", ablType = "CHARACTER", initial = "", title = "Remarks",
      origName = "Order_Remarks" },
    { name = "Total", type = "number", ablType = "DECIMAL", initial = 0, title = "Total" },
  },
  complete = function(record, table)
    if record.OrderNum == NULL or record.OrderNum < 1 then record.OrderNum = table.next end
  end,
  validate = function(record)
    if not isStatus(record.Status) then fail("The status is Ordered, Backordered or Shipped.") end
    if record.CustNum == NULL or record.CustNum < 0 then fail("An order has a customer.") end
  end,
  mayDelete = function(record)
    if record.Status == "Shipped" then fail("An order that was shipped stays.") end
  end,
}

-- ---- their lines

local function firstLines(counts)
  local rows = {}
  for n = 1, counts.orders do
    for i = 1, linesOf(n) do rows[#rows + 1] = line(n, i) end
  end
  return rows
end

local function nextLine(table, order)
  local last = 0
  for _, other in ipairs(table:all()) do
    if other.OrderNum == order then last = math.max(last, other.LineNum) end
  end
  return last + 1
end

orders.ttOrderLine = Table.define {
  name = "ttOrderLine", title = "Order line", key = "LineId", rows = firstLines,
  parent = { table = "ttOrder", field = "OrderNum" },
  fields = {
    { name = "LineId", type = "string", ablType = "CHARACTER", initial = "", title = "Line Id" },
    { name = "OrderNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Order Num" },
    { name = "LineNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Line Num" },
    { name = "ItemName", type = "string", ablType = "CHARACTER", initial = "", title = "Item" },
    { name = "Qty", type = "integer", ablType = "INTEGER", initial = 1, title = "Quantity" },
    { name = "Price", type = "number", ablType = "DECIMAL", initial = 0, title = "Price" },
    { name = "Amount", type = "number", ablType = "DECIMAL", initial = 0, title = "Amount" },
  },
  keyOf = function(row)
    if type(row.LineId) == "string" and row.LineId ~= "" then return row.LineId end
    local order, number = math.tointeger(row.OrderNum), math.tointeger(row.LineNum)
    return order and number and ("%d-%d"):format(order, number)
  end,
  complete = function(record, table)
    if record.LineNum == NULL or record.LineNum < 1 then record.LineNum = nextLine(table, record.OrderNum) end
    record.LineId = ("%d-%d"):format(record.OrderNum, record.LineNum)
  end,
  compute = function(record)
    if type(record.Qty) == "number" and type(record.Price) == "number" then
      record.Amount = record.Qty * record.Price
    end
  end,
  validate = function(record)
    if record.Qty == NULL or record.Qty < 1 or record.Qty > 1000 then
      fail("The quantity is between 1 and 1000.")
    end
  end,
}

-- ---- items

local function firstItems(counts)
  local rows = {}
  for n = 1, counts.items do
    rows[n] = {
      ItemNum = n, ItemName = pick(NAMES, n) .. " " .. n, Price = priceOf(n), OnHand = n * 3 % 50,
      Discontinued = n % 9 == 0,
      Since = n % 10 == 0 and NULL or ("2021-%02d-%02d"):format(n % 12 + 1, n % 28 + 1),
    }
  end
  return rows
end

orders.ttItem = Table.define {
  name = "ttItem", title = "Item", key = "ItemNum", rows = firstItems,
  fields = {
    { name = "ItemNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Item Num" },
    { name = "ItemName", type = "string", ablType = "CHARACTER", initial = "", title = "Name" },
    { name = "Price", type = "number", ablType = "DECIMAL", initial = 0, title = "Price" },
    { name = "OnHand", type = "integer", ablType = "INTEGER", initial = 0, title = "On Hand" },
    { name = "Discontinued", type = "boolean", ablType = "LOGICAL", initial = false, title = "Discontinued" },
    { name = "Since", type = "string", ablType = "DATE", format = "date", initial = NULL, title = "Since" },
  },
  complete = function(record, table)
    if record.ItemNum == NULL or record.ItemNum < 1 then record.ItemNum = table.next end
  end,
  validate = function(record)
    if record.Price == NULL or record.Price < 0 then fail("A price is 0 or more.") end
    if record.ItemName == NULL or not record.ItemName:find "%S" then fail("An item has a name.") end
  end,
}

return orders
