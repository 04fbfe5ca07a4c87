-- The data services of the sandbox: orders with their lines, items, in the shapes that catalogs know.
local cjson = require "cjson"
local client = require "spec.sandbox.client"
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local server

local function start(options)
  server = assert(sandbox.start(options))
end

local function stop()
  server:close()
end

local function send(method, path, body)
  local response = client.request(server, method, "/SportsAnonymous/rest/" .. path,
    { body = body and cjson.encode(body), headers = { ["Content-Type"] = "application/json" } })
  return response.status, response.body ~= "" and cjson.decode(response.body) or nil
end

local function read(resource, filter)
  if type(filter) == "table" then filter = cjson.encode(filter) end
  local status, answer = send("GET", resource .. "?filter=" .. client.percent(filter or ""))
  assert.equal(200, status, cjson.encode(answer))
  return answer
end

local function orders(filter)
  return read("OrderService/Order", filter).dsOrder
end

local function column(rows, name)
  local values = {}
  for i, row in ipairs(rows) do values[i] = math.tointeger(row[name]) or row[name] end
  return values
end

local function submit(rows, before, resource)
  resource = resource or "Order"
  rows["prods:hasChanges"], rows["prods:before"] = true, before
  local path = ("OrderService/%s/Submit%s"):format(resource, resource)
  local status, answer = send("PUT", path, { dsOrder = rows })
  assert.equal(200, status, cjson.encode(answer))
  return answer.dsOrder
end

local function changed(row, values)
  local after = { ["prods:id"] = "a", ["prods:clientId"] = "a", ["prods:rowState"] = "modified" }
  local before = { ["prods:id"] = "a" }
  for name, value in pairs(row) do after[name], before[name] = value, value end
  for name, value in pairs(values) do after[name] = value end
  return after, before
end

describe("the catalog of the data services", function()
  lazy_setup(function() start() end)
  lazy_teardown(stop)

  it("is one that sessions load, and has the forms that catalogs know", function()
    local session <close> = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await())
    local uri = server:catalogURI("anonymous", "OrderService")
    assert(session:addCatalog { uri, server.catalogURIs.anonymous }:await())
    local catalog
    for _, loaded in ipairs(session.catalogs) do catalog = loaded.uri == uri and loaded or catalog end
    assert.is_nil(catalog.leftOut)
    local forms = {}
    for resource in catalog:eachResource() do forms[resource.name] = resource.schemaForm end
    assert.equal("dataset", forms.Order)
    assert.equal("temp-table", forms.Item)
    assert.equal("record", forms.ItemUnnamed)
    assert.equal("OrderNum", catalog:resource("OrderById").tables[1].idProperty)
    local plain = cjson.decode(client.request(server, "GET", uri:match "^http://[^/]*(.*)").body)
    local members = {}
    for _, resource in ipairs(plain.services[1].resources) do members[resource.name] = resource end
    assert.equal("ItemNum", members.ItemById.idProperty)
    assert.is_nil(members.OrderById.idProperty) -- that of a dataset stands in its schema
    assert.equal("ttOrderLine", catalog:resource("Order").relations[1].childName)
  end)

  it("is named by server:catalogURI", function()
    assert.equal(server.catalogURIs.basic, server:catalogURI("basic"))
    assert.equal(server.catalogURIs.basic, server:catalogURI("basic", "CustomerService"))
    assert.equal(server.uris.basic .. "/static/OrderService.json", server:catalogURI("basic", "OrderService"))
    assert.is_nil(server:catalogURI("btt", "OrderService"))
    assert.error_matches(function() server:catalogURI("basic", "x") end,
      "expected one of 'CustomerService', 'OrderService'", 1, true)
  end)
end)

describe("a read of the data services", function()
  lazy_setup(function() start() end)
  lazy_teardown(stop)
  after_each(function()
    server:setData { nested = false, wrapped = false, unnamed = "list" }
  end)

  it("gives orders with their lines", function()
    local all = orders()
    assert.equal(60, #all.ttOrder)
    assert.equal(90, #all.ttOrderLine)
    local one = orders "OrderNum = 7"
    assert.same({ 7 }, column(one.ttOrder, "OrderNum"))
    assert.same({ "7-1", "7-2", "7-3" }, column(one.ttOrderLine, "LineId"))
    assert.equal(0, #orders("OrderNum = 8").ttOrderLine)
  end)

  it("filters by the table that tableRef names, and leaves out those that are not in viewTables", function()
    local found = orders { ablFilter = "LineNum = 3", tableRef = "ttOrderLine", top = 2, skip = 0 }
    assert.same({ "3-3", "7-3" }, column(found.ttOrderLine, "LineId"))
    assert.same({ 3, 7 }, column(found.ttOrder, "OrderNum"))
    found = orders { ablFilter = "OrderNum = 3", tableRef = "ttOrder", viewTables = "ttOrder" }
    assert.equal(1, #found.ttOrder)
    assert.is_nil(found.ttOrderLine)
    assert.equal(500, (send("GET", "OrderService/Order?filter=" .. client.percent '{"tableRef":"x"}')))
  end)

  it("takes the original name of a field, too", function()
    assert.same({ 6, 12 }, column(orders("Order_Remarks <> '' AND OrderNum < 15").ttOrder, "OrderNum"))
  end)

  it("finds by id", function()
    assert.same({ "3-2" }, column(orders { id = "3-2", tableRef = "ttOrderLine" }.ttOrderLine, "LineId"))
    assert.same({ 5 }, column(read("OrderService/ItemById", { id = 5 }).ttItem, "ItemNum"))
  end)

  it("nests lines in their orders on demand", function()
    local function check(dataset)
      assert.is_nil(dataset.ttOrderLine)
      assert.same({ "7-1", "7-2", "7-3" }, column(dataset.ttOrder[1].ttOrderLine, "LineId"))
    end
    check(read("OrderService/OrderNested", "OrderNum = 7").dsOrder)
    server:setData { nested = true }
    check(orders "OrderNum = 7")
    assert.same({}, orders("OrderNum = 8").ttOrder[1].ttOrderLine)
  end)

  it("wraps answers on demand", function()
    server:setData { wrapped = true }
    assert.equal(60, #read("OrderService/Order").response.dsOrder.ttOrder)
  end)

  it("gives unnamed rows as a list, in data, or one alone", function()
    local filter = "ItemNum < 3"
    assert.same({ 1, 2 }, column(read("OrderService/ItemUnnamed", filter), "ItemNum"))
    server:setData { unnamed = "data" }
    assert.same({ 1, 2 }, column(read("OrderService/ItemUnnamed", filter).data, "ItemNum"))
    server:setData { unnamed = "record" }
    assert.equal(1, read("OrderService/ItemUnnamed", filter).ItemNum)
  end)

  it("takes placeholders in path, path parameters and query, slashes included", function()
    local status, answer = send("GET", "OrderService/Archive/Shipped/2023;paid=true?from=3&to=60")
    assert.equal(200, status)
    assert.same({ 18, 48 }, column(answer.dsOrder.ttOrder, "OrderNum"))
    assert.equal(2, #answer.dsOrder.ttOrderLine)
    server:putRow("ttOrder", { OrderNum = 1, Status = "a/b" })
    status, answer = send("GET", "OrderService/Archive/a%2Fb/;paid=?from=&to=")
    server:putRow("ttOrder", { OrderNum = 1, Status = "Ordered" })
    assert.equal(200, status)
    assert.same({ 1 }, column(answer.dsOrder.ttOrder, "OrderNum"))
    assert.equal(404, (send("GET", "OrderService/Archive/Shipped")))
    assert.equal(405, (send("PUT", "OrderService/Archive/Shipped/2023", {})))
  end)

  it("understands SQL", function()
    server:putRow("ttItem", { ItemNum = 8, ItemName = "50% wool" })
    finally(function() server:putRow("ttItem", { ItemNum = 8, ItemName = "Tennis Balls 8" }) end)
    for where, expected in pairs {
      ["ItemNum <= 2"] = { 1, 2 },
      ["ttItem.ItemNum >= 2 AND ItemNum != 3 AND (ItemNum < 5 OR ItemNum = 40)"] = { 2, 4, 40 },
      ["ItemName LIKE 'ski%' AND ItemNum < 8"] = { 1, 7 },
      ["ItemName LIKE '%''s%' AND NOT ItemNum > 10"] = { 5 },
      ["ItemName LIKE '%_5' AND ItemName NOT LIKE '%1_'"] = { 5, 25, 35 },
      ["ItemName LIKE '%!%%' ESCAPE '!'"] = { 8 },
      ["NOT Since LIKE '2021%'"] = {},
      ["Since IS NULL"] = { 10, 20, 30, 40 },
      ["Since IS NOT NULL AND ItemNum > 37"] = { 38, 39 },
      ["NOT Since > '2021-02' AND ItemNum < 20"] = { 12 },
      ["NOT (ItemNum > 2 OR ItemNum < 1)"] = { 1, 2 },
      ["NOT (ItemNum > 2 AND ItemNum < 39)"] = { 1, 2, 39, 40 },
      ["NOT (Since > '2021-02' OR ItemNum > 10) AND ItemNum = 10"] = {}, -- neither true nor false
      ["Discontinued = TRUE AND ItemNum < 19"] = { 9, 18 },
    } do
      local rows = read("OrderService/ItemSql", { sqlQuery = "SELECT * FROM ttItem WHERE " .. where }).ttItem
      assert.same(expected, column(rows, "ItemNum"), where)
    end
    assert.equal(40, #read("OrderService/ItemSql", { sqlQuery = "SELECT * FROM ttItem" }).ttItem)
    for _, bad in ipairs { '{"sqlQuery":"DROP"}', '{"sqlQuery":"SELECT * FROM t WHERE x = 1"}',
      '{"sqlQuery":"SELECT * FROM t WHERE ItemNum = \'1"}', '{"ablFilter":"ItemNum = 1"}' } do
      assert.equal(500, (send("GET", "OrderService/ItemSql?filter=" .. client.percent(bad))), bad)
    end
  end)

  it("counts", function()
    local status, answer = send("PUT", "OrderService/Item/count?filter=" .. client.percent "ItemNum > 30")
    assert.equal(200, status)
    assert.equal(10, answer.response.numRecs)
  end)

  it("has as many rows as the options say", function()
    local big <close> = assert(sandbox.start { orders = 3, items = 10000 })
    local answer = client.get(big, "/SportsAnonymous/rest/OrderService/Item?filter=")
    assert.equal(10000, #client.decode(answer).ttItem)
    assert.equal(3, #big:rows "ttOrder")
  end)
end)

describe("a change by the data services", function()
  before_each(function() start() end)
  after_each(stop)

  it("creates an order with its lines in one submit, and tells the keys that it assigned", function()
    local answer = submit {
      ttOrder = { { ["prods:clientId"] = "o", ["prods:rowState"] = "created", OrderNum = -1, CustNum = 5 } },
      ttOrderLine = {
        { ["prods:clientId"] = "l", ["prods:rowState"] = "created", OrderNum = -1, Qty = 2, Price = 3 },
        { ["prods:clientId"] = "m", ["prods:rowState"] = "created", OrderNum = -1, Qty = 1, Price = 4 },
      },
    }
    local order, lines = answer.ttOrder[1], answer.ttOrderLine
    assert.equal(61, order.OrderNum)
    assert.equal("o", order["prods:clientId"])
    assert.matches("^%d%d%d%d%-%d%d%-%d%d$", order.OrderDate)
    assert.same({ "61-1", "61-2" }, column(lines, "LineId"))
    assert.equal(6, lines[1].Amount)
    assert.is_nil(answer["prods:errors"])
  end)

  it("deletes an order and its lines in one submit", function()
    local function deleted(id, row)
      row["prods:clientId"], row["prods:rowState"] = id, "deleted"
      return row
    end
    local answer = submit({}, {
      ttOrder = { deleted("o", { OrderNum = 1 }) }, ttOrderLine = { deleted("l", { LineId = "1-1" }) },
    })
    assert.equal("o", answer["prods:before"].ttOrder[1]["prods:clientId"])
    assert.equal("l", answer["prods:before"].ttOrderLine[1]["prods:clientId"])
    assert.is_nil(answer["prods:errors"])
    assert.equal(59, #server:rows "ttOrder")
    assert.equal(89, #server:rows "ttOrderLine")
  end)

  it("deletes the lines of a deleted order", function()
    local function delete(number)
      return send("DELETE", "OrderService/OrderPlain", { dsOrder = { ttOrder = { { OrderNum = number } } } })
    end
    assert.equal(200, (delete(7)))
    assert.equal(87, #server:rows "ttOrderLine")
    local status, answer = delete(3)
    assert.equal(500, status)
    assert.equal("An order that was shipped stays.", answer._errors[1]._errorMsg)
  end)

  it("refuses a row that another client has changed, and keeps the other's values", function()
    local row = orders("OrderNum = 1").ttOrder[1]
    server:putRow("ttOrder", { OrderNum = 1, Remarks = "theirs" })
    local after, before = changed(row, { Remarks = "mine" })
    local function put()
      local _, answer = send("PUT", "OrderService/Order", { dsOrder = {
        ["prods:hasChanges"] = true, ttOrder = { after }, ["prods:before"] = { ttOrder = { before } } } })
      return answer.dsOrder
    end
    local answer = put()
    assert.is_true(answer.ttOrder[1]["prods:hasErrors"])
    assert.is_true(answer.ttOrder[1]["prods:rejected"])
    assert.same({ { ["prods:id"] = "a", ["prods:error"] = "Order has been changed by another user." } },
      answer["prods:errors"].ttOrder)
    assert.equal("theirs", server:rows("ttOrder")[1].Remarks)
    server:setData { locking = false }
    assert.is_nil(put()["prods:errors"])
    assert.equal("mine", server:rows("ttOrder")[1].Remarks)
  end)

  it("refuses to delete what another client has changed or deleted", function()
    server:putRow("ttOrder", { OrderNum = 1, Remarks = "theirs", Discounts = { 1, 2, 3 } })
    assert.is_true(server:dropRow("ttOrder", { OrderNum = 4 }))
    assert.is_false(server:dropRow("ttOrder", { OrderNum = 4 }))
    local answer = submit({}, { ttOrder = {
      { ["prods:clientId"] = "a", ["prods:rowState"] = "deleted", OrderNum = 1, Discounts = { 1, 0, 0.5 } },
      { ["prods:clientId"] = "b", ["prods:rowState"] = "deleted", OrderNum = 4 },
    } })
    local errors = answer["prods:errors"].ttOrder
    assert.same({ "a", "b" }, column(errors, "prods:id"))
    assert.equal("FIND FIRST/LAST failed for table Order.", errors[2]["prods:error"])
  end)

  it("follows a key that changes", function()
    local after, before = changed(orders("OrderNum = 4").ttOrder[1], { OrderNum = 400 })
    assert.equal(400, submit({ ttOrder = { after } }, { ttOrder = { before } }).ttOrder[1].OrderNum)
    assert.equal(0, #orders("OrderNum = 4").ttOrder)
    after, before = changed(orders("OrderNum = 400").ttOrder[1], { OrderNum = 5 })
    local errors = submit({ ttOrder = { after } }, { ttOrder = { before } })["prods:errors"]
    assert.equal("Order already exists with Order Num 5.", errors.ttOrder[1]["prods:error"])
  end)

  it("refuses what the rules forbid, row by row", function()
    local answer = submit {
      ttOrder = { { ["prods:clientId"] = "o", ["prods:rowState"] = "created", Status = "x" } },
      ttOrderLine = {
        { ["prods:clientId"] = "l", ["prods:rowState"] = "created", OrderNum = 999 },
        { ["prods:clientId"] = "m", ["prods:rowState"] = "created", OrderNum = 1, Qty = 0 },
        { ["prods:clientId"] = "n", ["prods:rowState"] = "created", OrderNum = 1, Qty = 5 },
      } }
    assert.equal("The status is Ordered, Backordered or Shipped.",
      answer["prods:errors"].ttOrder[1]["prods:error"])
    assert.same({ "Order line has no Order.", "The quantity is between 1 and 1000." },
      column(answer["prods:errors"].ttOrderLine, "prods:error"))
    assert.equal("1-2", answer.ttOrderLine[3].LineId)
    local order = { ["prods:clientId"] = "p", ["prods:rowState"] = "created", CustNum = -1 }
    assert.same({ "An order has a customer." },
      column(submit({ ttOrder = { order } })["prods:errors"].ttOrder, "prods:error"))
    assert.equal(500, (send("POST", "OrderService/Item", { ItemName = "A", Price = -1 })))
    assert.equal(500, (send("POST", "OrderService/Item", { ItemName = "A", Price = "1" })))
  end)

  it("takes the forms of unnamed tables", function()
    local _, answer = send("POST", "OrderService/ItemUnnamed", { data = { { ItemName = "A" } } })
    assert.equal(41, answer.data[1].ItemNum)
    _, answer = send("PUT", "OrderService/ItemUnnamed", { ItemNum = 41, ItemName = "B" })
    assert.equal("B", answer[1].ItemName)
    _, answer = send("PUT", "OrderService/ItemUnnamed/SubmitItemUnnamed",
      { { ItemNum = 41, Price = 2 }, { ItemName = "C" } })
    assert.equal("B", answer[1].ItemName)
    assert.equal(42, answer[2].ItemNum)
  end)

  it("answers changes without a body or with a bare row on demand", function()
    server:setData { answers = "none" }
    assert.equal(204, (send("PUT", "OrderService/Item", { ItemNum = 1, Price = 2 })))
    assert.equal(2, server:rows("ttItem")[1].Price)
    server:setData { answers = "bare" }
    local _, answer = send("PUT", "OrderService/Item", { ItemNum = 1, Price = 3 })
    assert.equal(3, answer.Price)
  end)
end)

describe("server:refuseRows", function()
  before_each(function() start() end)
  after_each(stop)

  local function update(number)
    local status, answer = send("PUT", "OrderService/Item", { ItemNum = number, Price = 1 })
    return status, status == 500 and answer
  end

  it("refuses the rows that it names, as often as it says", function()
    server:refuseRows { table = "ttItem", operation = "update", where = "ItemNum >= 2", count = 2,
      message = "no", number = 7, returnValue = "why" }
    assert.equal(200, (update(1)))
    local status, answer = update(2)
    assert.equal(500, status)
    assert.same({ _retVal = "why", _errors = { { _errorMsg = "no", _errorNum = 7 } } }, answer)
    assert.equal(500, (update(3)))
    assert.equal(200, (update(2)))
  end)

  it("leaves other tables and operations alone", function()
    server:refuseRows { table = "ttOrder" }
    server:refuseRows { operation = "delete" }
    assert.equal(200, (update(1)))
    assert.equal(500, (send("DELETE", "OrderService/Item", { ItemNum = 1 })))
  end)

  it("lasts until it is cleared", function()
    server:refuseRows { count = 0 }
    for n = 1, 3 do assert.equal(500, (update(n))) end
    server:clearFaults()
    assert.equal(200, (update(1)))
  end)

  it("marks rows with before-image as it says", function()
    local function create()
      local row = { ["prods:clientId"] = "c", ["prods:rowState"] = "created", CustNum = 1 }
      local answer = submit { ttOrder = { row } }
      return answer.ttOrder[1]["prods:hasErrors"], answer.ttOrder[1]["prods:rejected"], answer["prods:errors"]
    end
    for how, expected in pairs { both = { true, true, "table" }, error = { true, nil, "table" },
      rejected = { nil, true, "nil" } } do
      server:refuseRows { how = how }
      local hasErrors, rejected, errors = create()
      assert.equal(expected[1], hasErrors, how)
      assert.equal(expected[2], rejected, how)
      assert.equal(expected[3], type(errors), how)
    end
    assert.is_nil((create()))
  end)

  it("raises for what it cannot mean", function()
    local mistakes = { { table = "x" }, { operation = "read" }, { how = "x" }, { x = 1 }, { count = -1 } }
    for _, options in ipairs(mistakes) do
      assert.is_false((pcall(server.refuseRows, server, options)))
    end
    assert.error_matches(function() server:setData { answers = "x" } end, "one of rows, none, bare")
    assert.error_matches(function() server:rows "x" end, "one of ttCustomer, ttItem, ttOrder, ttOrderLine")
    assert.error_matches(function() server:putRow("ttItem", 1) end, "table expected")
    assert.error_matches(function() server:dropRow("ttItem") end, "table expected")
  end)
end)

describe("the operations of the data services", function()
  before_each(function() start() end)
  after_each(stop)

  it("take parameters of all kinds", function()
    local status, answer = send("PUT", "OrderService/Order/Ship/4;carrier=a%2Fb?express=false",
      { request = { note = "n", weight = 2.5 } })
    assert.equal(200, status)
    local expected = { _retVal = "shipped", orderNum = 4, carrier = "a/b", express = "false", note = "n",
      weight = 2.5 }
    assert.same(expected, answer.response)
    assert.equal("Shipped", server:rows("ttOrder")[4].Status)
    assert.equal(500, (send("PUT", "OrderService/Order/Ship/999;carrier=?express=", {})))
  end)

  it("give datasets and tables under their own name twice", function()
    local dataset = { ttOrder = {}, ttOrderLine = { { LineId = "x", Price = 100 } } }
    for _, body in ipairs { { dsOrder = dataset }, { request = { dsOrder = { dsOrder = dataset } } } } do
      local _, answer = send("PUT", "OrderService/Order/Reprice?percent=10", body)
      assert.equal(110, answer.response.dsOrder.dsOrder.ttOrderLine[1].Price)
    end
    local _, answer = send("GET", "OrderService/Order/Backordered")
    assert.equal(20, #answer.response.ttOrder.ttOrder)
    _, answer = send("PUT", "StockService/Stock/Reserve", { ttItem = { { ItemNum = 1 } } })
    assert.equal(2, answer.response.ttItem.ttItem[1].OnHand)
  end)

  it("fetch rows to be merged", function()
    local _, answer = send("GET", "OrderService/OrderById/FetchMerge?where=OrderNum%20<%203")
    assert.same({ 1, 2 }, column(answer.response.dsOrder.dsOrder.ttOrder, "OrderNum"))
    assert.equal(3, #answer.response.dsOrder.dsOrder.ttOrderLine)
    _, answer = send("GET", "OrderService/ItemById/FetchAppend?where=")
    assert.equal(40, #answer.response.ttItem.ttItem)
    _, answer = send("GET", "OrderService/ItemById/FetchNumber?where=")
    assert.equal(42, answer.response.number)
  end)

  it("give back what came, and fail on demand", function()
    local _, answer = send("POST", "OrderService/Item/Echo", { request = { first = "x" } })
    assert.same({ first = "x" }, answer.response.body)
    local status
    status, answer = send("PUT", "OrderService/Item/Fail", { message = "m", number = 3, returnValue = "r" })
    assert.equal(500, status)
    assert.same({ _retVal = "r", _errors = { { _errorMsg = "m", _errorNum = 3 } } }, answer)
  end)
end)
