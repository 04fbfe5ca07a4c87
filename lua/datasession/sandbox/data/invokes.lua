--- The operations to invoke, and the read without mapping.
local fail = require "datasession.sandbox.data.fail"
local filter = require "datasession.sandbox.data.filter"
local json = require "datasession.sandbox.json"
local operation = require "datasession.sandbox.data.operation"
local shape = require "datasession.sandbox.data.shape"

local param, BOTH = operation.param, operation.BOTH
local NULL = json.null

local invokes = {}

-- ---- reading by placeholders

local function inYear(record, year)
  return year == "" or type(record.OrderDate) == "string" and record.OrderDate:sub(1, #year) == year
end

local function select(records, test)
  local found = json.list {}
  for _, record in ipairs(records) do
    if test(record) then found[#found + 1] = record end
  end
  return found
end

-- The lines of some orders.
local function linesOf(call, orders)
  local wanted = {}
  for _, order in ipairs(orders) do wanted[order.OrderNum] = true end
  return select(call.database:table("ttOrderLine"):all(), function(line) return wanted[line.OrderNum] end)
end

local function readArchive(call)
  local values = call.values
  local from, to = tonumber(values.from) or 0, tonumber(values.to) or math.huge
  local orders = select(call.database:table("ttOrder"):all(), function(record)
    return (values.status == "" or record.Status == values.status) and inYear(record, values.year)
      and record.OrderNum >= from and record.OrderNum <= to
      and (values.paid == "" or tostring(record.Paid) == values.paid)
  end)
  return operation.answerRows(call, { ttOrder = orders, ttOrderLine = linesOf(call, orders) })
end

invokes.archive = {
  type = "read", path = "/{status}/{year};paid={paid}?from={from}&to={to}", verb = "get", run = readArchive,
  params = {
    param("status", "PATH", "CHARACTER"), param("year", "PATH", "INTEGER"),
    param("paid", "MATRIX", "LOGICAL"), param("from", "QUERY", "INTEGER"), param("to", "QUERY", "INTEGER"),
    param("dsOrder", "RESPONSE_BODY", "DATASET"),
  },
}

-- ---- outputs

-- A dataset or a table as an output, nested under its own name.
local function output(name, value)
  return operation.outputs { [name] = { [name] = value } }
end

-- A dataset or a table as an input, without the levels of its own name.
local function input(body, name)
  local value = body[name]
  while type(value) == "table" and value[name] do value = value[name] end
  return value
end

local function order(call, number)
  return call.database:table("ttOrder"):find { OrderNum = tonumber(number) }
end

-- ---- operations on orders

-- Parameters of all kinds; what came is sent back.
local function ship(call)
  local values, body = call.values, shape.body(call.request)
  local record = order(call, values.orderNum)
  record.Status = "Shipped"
  return operation.outputs {
    _retVal = "shipped", orderNum = record.OrderNum, carrier = values.carrier, express = values.express,
    note = body.note or NULL, weight = body.weight or NULL,
  }
end

local function reprice(call)
  local dataset = input(shape.body(call.request), "dsOrder")
  if type(dataset) ~= "table" then fail("dsOrder is missing.") end
  local percent = tonumber(call.values.percent) or fail("The value of percent is not DECIMAL.", 76)
  local lines = json.list {}
  for i, line in ipairs(dataset.ttOrderLine or {}) do
    lines[i] = shape.copy(line)
    lines[i].Price = line.Price * (100 + percent) / 100
  end
  return output("dsOrder", { ttOrder = json.list(dataset.ttOrder or {}), ttOrderLine = lines })
end

local function backordered(call)
  return output("ttOrder", select(call.database:table("ttOrder"):all(), function(record)
    return record.Status == "Backordered"
  end))
end

local function echo(call)
  return operation.outputs { _retVal = "echo", body = shape.body(call.request) }
end

local function failing(call)
  local body = shape.body(call.request)
  local message, number = body.message or "It fails.", body.number or 0
  error({ message = message, number = number, returnValue = body.returnValue }, 0)
end

local failOperation = {
  type = "invoke", name = "Fail", path = "/Fail", verb = "put", run = failing,
  params = {
    param("message", "REQUEST_BODY", "CHARACTER"), param("number", "REQUEST_BODY", "INTEGER"),
    param("returnValue", "REQUEST_BODY", "CHARACTER"),
  },
}

invokes.ofOrders = {
  { type = "invoke", name = "Ship", verb = "put", run = ship,
    path = "/Ship/{orderNum};carrier={carrier}?express={express}", params = {
      param("orderNum", "PATH", "INTEGER"), param("carrier", "MATRIX", "CHARACTER"),
      param("express", "QUERY", "LOGICAL"), param("note", "REQUEST_BODY", "CHARACTER"),
      param("weight", BOTH, "DECIMAL"), param("shipDate", "RESPONSE_BODY", "DATE"),
    } },
  { type = "invoke", name = "Reprice", path = "/Reprice?percent={percent}", verb = "put", run = reprice,
    params = { param("percent", "QUERY", "DECIMAL"), param("dsOrder", BOTH, "DATASET") } },
  { type = "invoke", name = "Backordered", path = "/Backordered", verb = "get", run = backordered,
    params = { param("ttOrder", "RESPONSE_BODY", "TABLE") } },
  failOperation,
}

-- ---- operations on items

local function reserve(call)
  local rows = input(shape.body(call.request), "ttItem")
  if type(rows) ~= "table" then fail("ttItem is missing.") end
  local results = json.list {}
  for i, row in ipairs(rows) do
    local record = call.database:table("ttItem"):find(row)
    record.OnHand = record.OnHand - 1
    results[i] = record
  end
  return output("ttItem", results)
end

invokes.ofItems = {
  { type = "invoke", name = "Reserve", path = "/Reserve", verb = "put", run = reserve,
    params = { param("ttItem", BOTH, "TABLE") } },
  { type = "invoke", name = "Echo", path = "/Echo", verb = "post", run = echo,
    params = { param("first", "REQUEST_BODY", "CHARACTER"), param("second", "REQUEST_BODY", "INTEGER") } },
  failOperation,
}

-- ---- operations whose output is merged

local function fetchRows(call, name)
  return filter.find(call.database:table(name), call.values.where, nil, "ablFilter")
end

local function fetch(call)
  local resource = call.resource
  local rows = fetchRows(call, resource.tables[1].name)
  if not resource.dataset then return output("ttItem", json.list(rows)) end
  return output("dsOrder", { ttOrder = json.list(rows), ttOrderLine = linesOf(call, rows) })
end

-- Fetches nothing that could be merged.
local function fetchNumber()
  return operation.outputs { number = 42 }
end

local function fetching(mode, name, xType, run)
  return {
    type = "invoke", name = name, path = "/" .. name .. "?where={where}", verb = "get", mergeMode = mode,
    run = run, params = { param("where", "QUERY", "CHARACTER"), xType },
  }
end

--- The operations FetchEmpty, FetchAppend, FetchMerge, FetchReplace; and FetchNumber and FetchText, whose
-- outputs cannot be merged. `name`: the output of the resource's data.
function invokes.merging(name)
  local data = param(name, "RESPONSE_BODY", name:find "^ds" and "DATASET" or "TABLE")
  local list = {}
  for i, mode in ipairs { "EMPTY", "APPEND", "MERGE", "REPLACE" } do
    local title = "Fetch" .. mode:sub(1, 1) .. mode:sub(2):lower()
    list[i] = fetching(mode, title, data, fetch)
  end
  list[5] = fetching("MERGE", "FetchNumber", param("number", "RESPONSE_BODY", "INTEGER"), fetchNumber)
  list[6] = fetching("MERGE", "FetchText", param(name, "RESPONSE_BODY", "CHARACTER"), fetch)
  return list
end

return invokes
