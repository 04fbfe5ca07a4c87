-- invoke, operations and count: the operations of a catalog beside those that read and save.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

describe("invoke", function()
  local server, session, orders

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
    orders = datasession.JSDO { name = "Order", session = session }
  end)

  after_each(sessions.endAll)

  local function object(name) return datasession.JSDO { name = name, session = session } end

  -- The outputs of a call that succeeds.
  local function outputs(promise)
    local jsdo, result, request = promise:await(LIMIT)
    assert(jsdo, result)
    assert.equal(datasession.SUCCESS, result)
    assert.is_true(request.success)
    return request.response, request
  end

  local function sent()
    local request = server:requests()[#server:requests()]
    return request.body ~= "" and codec.decode(request.body) or nil, request
  end

  it("sends parameters of all kinds, and gives the outputs", function()
    local response, request = outputs(orders:invoke("Ship", {
      orderNum = 3, carrier = "A/B; C", express = false, note = "n", weight = 0,
    }))
    assert.same({ "shipped", 3, "A/B; C", "false", "n", 0 }, {
      response._retVal, response.orderNum, response.carrier, response.express, response.note, response.weight,
    })
    assert.equal("Ship", request.fnName)
    assert.equal(3, request.objParam.orderNum)
    assert.same({ request = { note = "n", weight = 0 } }, (sent()))
    assert.is_nil(orders.ttOrder.record)
  end)

  it("takes values of a hundred levels", function()
    local value = {}
    for _ = 1, 99 do value = { value } end
    orders:invoke("Ship", { orderNum = 1, carrier = "", express = false, note = value }):await(LIMIT)
    assert.equal(100, select(2, (server:requests()[1].body:match '"note":([%[%]{}]+)'):gsub("[%[{]", "")))
  end)

  it("is a function for each operation, too", function()
    assert.equal(3, outputs(orders.operations.Ship { orderNum = 3, carrier = "", express = true }).orderNum)
    assert.equal(4, outputs(orders.operations:Ship { orderNum = 4, carrier = "", express = true }).orderNum)
    assert.equal(orders.operations.Ship, orders.operations.Ship)
    local names = {}
    for name in pairs(orders.operations) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "Backordered", "Fail", "Reprice", "Ship", "count" }, names)
    assert.equal("operations: unknown operation 'Shop': did you mean 'Ship'?",
      raised(function() return orders.operations.Shop end))
    assert.equal("operations is read-only", raised(function() orders.operations.Ship = print end))
  end)

  it("puts datasets and tables under their name once more, or takes it away", function()
    local line = { OrderNum = 1, LineNum = 1, Price = 100 }
    for _, value in ipairs { { ttOrderLine = { line } }, { dsOrder = { ttOrderLine = { line } } } } do
      local response = outputs(orders:invoke("Reprice", { percent = 10, dsOrder = value }))
      assert.equal(110, response.dsOrder.dsOrder.ttOrderLine[1].Price)
      assert.same({ request = { dsOrder = { dsOrder = { ttOrderLine = { line } } } } }, (sent()))
    end
    local items = object "Item"
    outputs(items:invoke("Reserve", { ttItem = { { ItemNum = 1 } } }))
    assert.same({ request = { ttItem = { ttItem = { { ItemNum = 1 } } } } }, (sent()))
    outputs(items:invoke("Reserve", { ttItem = {} }))
    assert.equal('{"request":{"ttItem":{"ttItem":[]}}}', select(2, sent()).body)
    local stock = object "Stock" -- without useRequest, unwrapped
    outputs(stock:invoke("Reserve", { ttItem = { ttItem = { { ItemNum = 1 } } } }))
    assert.same({ ttItem = { { ItemNum = 1 } } }, (sent()))
  end)

  it("sends records and null as they are", function()
    local items = object "Item"
    assert(items:fill():await(LIMIT))
    outputs(items:invoke("Reserve", { ttItem = { items.record } }))
    assert.equal(items.ItemNum, sent().request.ttItem.ttItem[1].ItemNum)
    local echoed = outputs(items:invoke("Echo", { first = datasession.null, second = 7 }))
    assert.same({ first = codec.null, second = 7 }, echoed.body)
    outputs(items:invoke("Echo", {}))
    assert.equal('{"request":{}}', select(2, sent()).body)
  end)

  it("sends no body where the operation takes none", function()
    local response = outputs(orders:invoke "Backordered")
    assert.is_true(#response.ttOrder.ttOrder > 0)
    assert.equal("", select(2, sent()).body)
    outputs(orders:invoke("count", { filter = "" }))
  end)

  it("fires events of the operation, of which before may cancel", function()
    local log = {}
    local function note(...) log[#log + 1] = { ... } end
    orders:subscribe("beforeInvoke", function(jsdo, request) note(jsdo, request.fnName) end)
    orders:subscribe("afterInvoke", "Backordered", function(jsdo, success) note(jsdo, success) end)
    orders:subscribe("afterInvoke", "Ship", function() note "another operation's" end)
    outputs(orders:invoke "Backordered")
    assert.same({ { orders, "Backordered" }, { orders, true } }, log)
    orders:subscribe("beforeInvoke", "Ship", function() return false end)
    local err = rejected(orders:invoke("Ship", { orderNum = 1, carrier = "", express = "" }), "cancelled")
    assert.equal("invoke Ship: a handler of beforeInvoke cancelled it", err.message)
  end)

  it("rejects with the server's words, and leaves getErrors alone", function()
    local err = rejected(orders:invoke("Fail", { message = "No.", number = 7 }), "http")
    assert.matches("^invoke Fail: HTTP 500 .*No%.", err.message)
    assert.equal("No.", err.info.request.response._errors[1]._errorMsg)
    assert.same({}, orders:getErrors())
  end)

  it("rejects pages and broken JSON, and takes an empty body", function()
    for body, message in pairs {
      ["<html></html>"] = "invoke Backordered: expected JSON, got an HTML page",
      ["{"] = "invoke Backordered: expected JSON, got broken JSON",
    } do
      server:fault { kind = "status", status = 200, body = body, count = 1 }
      local err = rejected(orders:invoke "Backordered", "protocol")
      assert.equal(message, err.message:sub(1, #message))
    end
    server:fault { kind = "status", status = 204, count = 1 }
    assert.is_nil((outputs(orders:invoke "Backordered")))
  end)

  it("merges the output where the catalog gives a mode", function()
    for mode, expected in pairs { FetchEmpty = 4, FetchMerge = 4, FetchReplace = 4, FetchAppend = 4 } do
      local byId = object "OrderById"
      outputs(byId:invoke(mode, { where = "OrderNum < 5" }))
      assert.equal(expected, #byId.ttOrder:getData())
    end
    local items = object "ItemById"
    outputs(items:invoke("FetchMerge", { where = "ItemNum < 4" }))
    items:find(function(r) return r.ItemNum == 2 end)
    items.ItemName = "Mine"
    items:acceptChanges()
    outputs(items:invoke("FetchMerge", { where = "ItemNum < 6" }))
    assert.equal(5, #items:getData())
    assert.equal("Mine", data.find(items, "ItemNum", 2).ItemName)
    outputs(items:invoke("FetchReplace", { where = "ItemNum = 2" }))
    assert.is_not.equal("Mine", data.find(items, "ItemNum", 2).ItemName)
    assert.matches("^invoke FetchAppend: row 1 of ttItem: a record with that key",
      rejected(items:invoke("FetchAppend", { where = "ItemNum = 2" }), "refused").message)
    outputs(items:invoke("FetchEmpty", { where = "ItemNum = 9" }))
    assert.equal(1, #items:getData())
  end)

  it("rejects what cannot be merged", function()
    local items = object "ItemById"
    assert.equal("invoke FetchNumber: the operation has a mergeMode, but no output 'ttItem'",
      rejected(items:invoke("FetchNumber", { where = "" }), "catalog").message)
    assert.equal("invoke FetchText: the output 'ttItem' is merged, but its xType is CHARACTER",
      rejected(items:invoke("FetchText", { where = "" }), "catalog").message)
    server:fault { kind = "status", status = 200, body = '{"other":1}', count = 1 }
    assert.equal("invoke FetchMerge: the response has no output 'ttItem'",
      rejected(items:invoke("FetchMerge", { where = "" }), "protocol").message)
  end)

  it("raises for what the program did wrong, at its line", function()
    for message, call in pairs {
      ["invoke: unknown operation 'fill': expected one of 'Backordered', 'Fail', 'Reprice', 'Ship', "
        .. "'count'"] = function() orders:invoke "fill" end,
      ["invoke: expected the name of an operation, got nil"] = function() orders:invoke() end,
      ["Ship is an operation of Order: write jsdo.operations.Ship { ... }"] = function() orders:Ship() end,
      ["invoke Ship: nested deeper than 100 levels, or a table that holds itself"] = function()
        local value = {}
        for _ = 1, 100 do value = { value } end
        orders:invoke("Ship", { orderNum = 1, note = value })
      end,
      ["invoke Ship: expected a table of parameters or nil, got number"] = function()
        orders:invoke("Ship", 3)
      end,
      ["invoke Ship: expected rows, got a table reference: its method getData gives them"] = function()
        orders:invoke("Ship", { orderNum = 1, note = orders.ttOrder })
      end,
      ["invoke Ship: expected rows, got a data object: its method getData gives them"] = function()
        orders:invoke("Ship", { orderNum = 1, note = { orders } })
      end,
      ["invoke Ship: unknown parameter 'carier': did you mean 'carrier'?"] = function()
        orders:invoke("Ship", { orderNum = 1, carier = "" })
      end,
      ["invoke Ship: the operation invoke Ship needs a value for 'orderNum', got nothing"] = function()
        orders:invoke "Ship"
      end,
    } do
      assert.equal(message, raised(call))
    end
  end)

  describe("count", function()
    it("gives the number of rows that a fill would read", function()
      local customers = object "Customer"
      local number, result = customers:count():await(LIMIT)
      assert.same({ 300, datasession.SUCCESS }, { number, result })
      local filter = { field = "CustNum", operator = "gt", value = 290 }
      assert.equal(10, (customers:count { filter = filter }:await(LIMIT)))
      assert.equal(1, (customers:count "CustNum = 7":await(LIMIT)))
      assert.is_nil(customers.record)
    end)

    it("rejects an answer without one number", function()
      local customers = object "Customer"
      server:fault { kind = "status", status = 200, body = '{"a":1,"b":2}', count = 1 }
      assert.equal("count: expected one number in the response",
        rejected(customers:count(), "protocol").message)
    end)

    it("raises where the catalog has none, and for wrong filters", function()
      assert.equal("count: the resource Archive has no count operation",
        raised(function() object "Archive":count() end))
      assert.equal("count: option 'filter': unknown field 'Nmae': did you mean 'Name'?",
        raised(function() object "Customer":count { filter = { field = "Nmae", operator = "isnull" } } end))
    end)
  end)
end)
