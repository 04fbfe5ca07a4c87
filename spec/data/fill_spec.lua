-- fill: rows of the sandbox's services in memory, by text, pattern and template; failures leave memory alone.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local JSDO = datasession.JSDO

describe("fill", function()
  local server, session

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
  end)

  after_each(sessions.endAll)

  local function object(name) return JSDO { name = name, session = session } end

  local function filled(jsdo, what)
    local done, result, request = jsdo:fill(what):await(LIMIT)
    assert(done, result)
    return request
  end

  local function values(t, field)
    local list = {}
    for record in t:records() do list[#list + 1] = record[field] end
    return list
  end

  -- Answers the next request with this body.
  local function answer(body)
    server:clearFaults()
    server:fault { kind = "status", status = 200, body = body, count = 1 }
  end

  describe("reads", function()
    it("all rows, and makes the first the working record", function()
      local customers = object "Customer"
      local promise = customers:fill()
      local seen
      promise:done(function(...) seen = { ... } end)
      local jsdo, result, request = promise:await(LIMIT)
      assert.equal(customers, jsdo)
      assert.equal(datasession.SUCCESS, result)
      assert.is_true(request.success)
      assert.equal("_read", request.fnName)
      await.flush()
      assert.equal(customers, seen[1])
      assert.equal(300, #customers:getData())
      assert.equal(1, customers.CustNum)
      assert.is_false(customers:hasChanges())
    end)

    it("what a text asks for", function()
      local customers = object "Customer"
      filled(customers, "State = 'MA'")
      assert.equal("MA", customers.State)
      assert.equal("filter=State%20%3D%20'MA'", server:requests()[1].uri:match "filter=[^&]*")
    end)

    it("all rows for an empty filter", function()
      local customers = object "Customer"
      filled(customers, { filter = {}, top = 2 })
      assert.same({ 1, 2 }, values(customers, "CustNum"))
      assert.is_nil(filled(customers).objParam)
    end)

    it("a filter, sorted, by pages", function()
      local customers = object "Customer"
      local request = filled(customers, {
        filter = { logic = "and", filters = {
          { field = "State", operator = "eq", value = "MA" },
          { field = "CustNum", operator = "gte", value = 100 },
        } },
        sort = "CustNum:desc", top = 3, skip = 1,
      })
      local found = values(customers, "CustNum")
      assert.equal(3, #found)
      assert.is_true(found[1] > found[2] and found[2] > found[3] and found[3] >= 100)
      assert.matches('"ablFilter":', request.objParam.filter)
    end)

    it("by values that would break out of a literal", function()
      local customers = object "Customer"
      local names = { "x' OR TRUE OR Name = 'x", "~' OR CustNum > 0 OR Name = ~'", "*", ".", "~", "%" }
      for _, name in ipairs(names) do
        for _, operator in ipairs { "eq", "contains", "startswith", "endswith" } do
          filled(customers, { filter = { field = "Name", operator = operator, value = name } })
          for record in customers:records() do
            assert.is_truthy(record.Name:find(name, 1, true), record.Name .. " for " .. name)
          end
          assert.is_true(#customers:getData() < 300)
        end
      end
      filled(customers, { filter = { field = "Name", operator = "eq", value = "Åsa's Hoops" } })
      assert.equal("Åsa's Hoops", customers.Name)
    end)

    it("dates and SQL", function()
      local customers, items = object "Customer", object "ItemSql"
      filled(customers, { filter = { field = "Since", operator = "eq", value = "1992-03-03" } })
      assert.same({ "1992-03-03" }, { values(customers, "Since")[1] })
      filled(items, { filter = { field = "ItemNum", operator = "lte", value = 3 } })
      assert.same({ 1, 2, 3 }, values(items, "ItemNum"))
    end)

    it("every form of answer", function()
      for name, rows in pairs { Item = 40, ItemById = 40, ItemUnnamed = 40, Stock = 40 } do
        local items = object(name)
        filled(items)
        assert.equal(rows, #items:getData(), name)
      end
      local customers = object "Customer"
      for _, body in ipairs {
        '{"dsCustomer":{"ttCustomer":[{"CustNum":7,"Name":"A"}]}}',
        '{"response":{"dsCustomer":{"ttCustomer":[{"CustNum":7,"Name":"A"}]}}}',
        '{"dsCustomer":{"dsCustomer":{"ttCustomer":[{"CustNum":7,"Name":"A"}]}}}',
        '{"ttCustomer":[{"CustNum":7,"Name":"A"}]}', '[{"CustNum":7,"Name":"A"}]',
      } do
        answer(body)
        filled(customers)
        assert.same({ 7 }, values(customers, "CustNum"))
      end
      answer '{"dsCustomer":{}}'
      filled(customers)
      assert.is_false(customers:hasData())
      local items = object "ItemUnnamed"
      for _, body in ipairs { '[{"ItemNum":7}]', '{"data":[{"ItemNum":7}]}', '{"ItemNum":7}' } do
        answer(body)
        filled(items)
        assert.same({ 7 }, values(items, "ItemNum"))
      end
    end)

    it("nested tables, and takes them apart", function()
      local orders, flat = object "OrderNested", object "Order"
      filled(orders)
      filled(flat)
      assert.is_truthy(orders.ttOrderLine.record)
      for _, name in ipairs { "ttOrder", "ttOrderLine" } do
        assert.equal(#flat[name]:getData(), #orders[name]:getData())
      end
      orders.useRelationships, flat.useRelationships = false, false
      assert.equal(90, #orders.ttOrderLine:getData())
      answer '{"dsOrder":{"ttOrder":[{"OrderNum":5,"ttOrderLine":[{"LineNum":1},{"LineNum":2}]}]}}'
      filled(orders)
      assert.same({ 5, 5 }, values(orders.ttOrderLine, "OrderNum"))
    end)

    it("by the placeholders of the address", function()
      local archive = object "Archive"
      filled(archive, { status = "Shipped", year = "", paid = "", from = 0, to = 10 })
      for record in archive.ttOrder:records() do assert.equal("Shipped", record.Status) end
      assert.matches("/Archive/Shipped/;paid=%?from=0&to=10", server:requests()[1].uri)
    end)

    it("rows with before-image, whose changes are pending", function()
      local customers = object "Customer"
      answer([[{"dsCustomer":{"prods:hasChanges":true,"ttCustomer":[
        {"prods:id":"a","prods:rowState":"modified","CustNum":1,"Name":"New"},
        {"prods:rowState":"created","CustNum":2,"Name":"Made"},
        {"prods:id":"c","prods:hasErrors":true,"CustNum":3,"Name":"Bad"}],
        "prods:before":{"ttCustomer":[{"prods:id":"a","CustNum":1,"Name":"Old"},
          {"prods:rowState":"deleted","CustNum":4,"Name":"Gone"}]},
        "prods:errors":{"ttCustomer":[{"prods:id":"c","prods:error":"It is bad."}]}}}]])
      filled(customers)
      assert.same({ 1, 2, 3 }, values(customers, "CustNum"))
      assert.equal(3, #customers:getChanges())
      assert.equal("It is bad.", data.find(customers, "CustNum", 3).errorString)
      assert.same({ { datasession.JSDO.DATA_ERROR, "It is bad." } },
        { { customers:getErrors()[1].type, customers:getErrors()[1].error } })
      customers:rejectChanges()
      assert.same({ "Old", "Bad", "Gone" }, values(customers, "Name"))
    end)

    it("10,000 rows in steps, exactly as they came", function()
      local customers, parts = object "Customer", {}
      for i = 1, 10000 do
        parts[i] = ('{"CustNum":%d,"Name":"Customer %d","Balance":%d.25,"QuarterSales":[1,2.5,0,%d]}')
          :format(i, i, i, 9007199254740993)
      end
      answer('{"dsCustomer":{"ttCustomer":[' .. table.concat(parts, ",") .. "]}}")
      local promise, settled, steps = customers:fill(), false, 0
      promise:always(function() settled = true end)
      while not settled do
        datasession.step(0.1, 0.0001)
        steps = steps + 1
      end
      assert(promise:await(LIMIT))
      assert.is_true(steps > 20)
      assert.equal(10000, #customers:getData())
      local last = customers:find(function(r) return r.CustNum == 10000 end)
      assert.same({ "Customer 10000", 10000.25, 9007199254740993 },
        { last.Name, last.Balance, last.QuarterSales_4 })
    end)
  end)

  describe("merges", function()
    local function keys(customers) return #customers:getData() end

    it("by the mode of this call alone", function()
      local customers = object "Customer"
      filled(customers, { top = 3 })
      customers.Name = "Changed"
      customers:acceptChanges()
      filled(customers, { top = 4, mergeMode = JSDO.MODE_MERGE })
      assert.equal(4, keys(customers))
      assert.equal("Changed", data.find(customers, "CustNum", 1).Name)
      filled(customers, { top = 1, mergeMode = JSDO.MODE_REPLACE })
      assert.equal(4, keys(customers))
      assert.is_not.equal("Changed", data.find(customers, "CustNum", 1).Name)
      filled(customers, { top = 2, mergeMode = JSDO.MODE_APPEND })
      assert.equal(6, keys(customers))
      filled(customers, { top = 2, mergeMode = JSDO.MODE_EMPTY })
      assert.equal(2, keys(customers))
      assert.equal("fill: option 'mergeMode': expected one of JSDO.MODE_APPEND, JSDO.MODE_EMPTY, "
        .. "JSDO.MODE_MERGE, JSDO.MODE_REPLACE, got 5",
        raised(function() customers:fill { mergeMode = 5 } end))
      filled(customers, { top = 2 })
      assert.equal(2, keys(customers))
    end)

    it("deletes that the server tells, with the record that is there", function()
      local customers = object "Customer"
      filled(customers, { top = 3 })
      answer([[{"dsCustomer":{"prods:hasChanges":true,"ttCustomer":[],"prods:before":{"ttCustomer":[
        {"prods:rowState":"deleted","CustNum":2,"Name":"Gone"},
        {"prods:rowState":"deleted","CustNum":900,"Name":"Never seen"}]}}}]])
      filled(customers, { mergeMode = JSDO.MODE_REPLACE })
      assert.same({ 1, 3 }, values(customers, "CustNum"))
      assert.equal(2, #customers:getChanges())
      customers:rejectChanges()
      assert.same({ 1, 2, 3, 900 }, values(customers, "CustNum"))
    end)

    it("after the fills that were called before", function()
      local customers = object "Customer"
      server:fault { kind = "slow", delay = 0.2, path = "Customer", count = 1 }
      local first = customers:fill { top = 2 }
      await.stepUntil(function() return #server:requests() > 0 end)
      local second = customers:fill { top = 2, skip = 2, mergeMode = JSDO.MODE_APPEND }
      assert(second:await(LIMIT))
      assert(first:await(LIMIT))
      assert.same({ 1, 2, 3, 4 }, values(customers, "CustNum"))
    end)
  end)

  describe("leaves memory as it is", function()
    local customers

    before_each(function()
      customers = object "Customer"
      filled(customers, { top = 3 })
      customers.Name = "Mine"
    end)

    local function unchanged()
      assert.same({ 1, 2, 3 }, values(customers, "CustNum"))
      assert.is_true(customers:hasChanges())
      assert.equal("Mine", data.find(customers, "CustNum", 1).Name)
    end

    it("when the server answers something else, which it names", function()
      for body, message in pairs {
        ["<!DOCTYPE html><html><body>Sign in</body></html>"] = "fill: expected JSON, got an HTML page",
        [""] = "fill: expected JSON, got an empty body",
        ["{"] = "fill: expected JSON, got broken JSON: expected object key string but found the end of the "
          .. "text at character 2 (line 1, column 2)",
        ['{"error":"x","code":7}'] = "fill: expected the dataset dsCustomer, got an object with code, error",
        ["7"] = "fill: expected the dataset dsCustomer, got a number",
        ['{"dsCustomer":[1]}'] = "fill: expected the dataset dsCustomer, got an object with dsCustomer",
        ['{"dsCustomer":{"ttCustomer":{"a":1}}}'] = "fill: ttCustomer: expected an array of rows, got an "
          .. "object with a",
        ['{"dsCustomer":{"ttCustomer":[{"CustNum":1},7]}}'] = "fill: row 2 of ttCustomer: expected an "
          .. "object, got a number",
      } do
        answer(body)
        local err = await.rejected(customers:fill(), "protocol")
        assert.equal(message, err.message)
        assert.equal(200, err.httpStatus)
        assert.equal(customers, err.info.jsdo)
        local entry = customers:getErrors()[1]
        assert.same({ JSDO.ERROR, message }, { entry.type, entry.error })
        unchanged()
      end
      server:fault { kind = "status", status = 204, count = 1 }
      local err = await.rejected(customers:fill(), "protocol")
      assert.equal("fill: expected JSON, got an empty body", err.message)
      unchanged()
    end)

    it("when the server fails, and keeps the server's words", function()
      local err = await.rejected(customers:fill '{"ablFilter":"Nme = 1"}', "http")
      assert.matches("^fill: HTTP 500", err.message)
      assert.equal(JSDO.APP_ERROR, customers:getErrors()[1].type)
      assert.matches("Unknown field", customers:getErrors()[1].error)
      unchanged()
      filled(customers)
      assert.same({}, customers:getErrors())
    end)

    it("when the server is gone", function()
      server:stop()
      local err = await.rejected(customers:fill(), "connect")
      assert.equal(err.message, customers:getErrors()[1].error)
      unchanged()
    end)

    it("when a handler of beforeFill returns false", function()
      local after
      customers:subscribe("beforeFill", function(jsdo, request)
        assert.equal(customers, jsdo)
        assert.equal("_read", request.fnName)
        return false
      end)
      customers:subscribe("afterRead", function(_, success) after = success end)
      server:clearRequests()
      local err = await.rejected(customers:fill(), "cancelled")
      assert.equal("fill: a handler of beforeFill cancelled it", err.message)
      assert.is_false(after)
      assert.same({}, server:requests())
      unchanged()
    end)

    it("when records were changed while it was under way", function()
      local promise = customers:fill()
      customers.City = "Oslo"
      local err = await.rejected(promise, "refused")
      assert.equal("fill: records were changed while the request was pending, so memory stays as it is",
        err.message)
      unchanged()
      assert.equal("Oslo", data.find(customers, "CustNum", 1).City)
      customers:rejectChanges()
      filled(customers, { top = 1 })
      assert.same({ 1 }, values(customers, "CustNum"))
    end)

    it("when it is cancelled", function()
      server:fault { kind = "slow", delay = LIMIT, path = "Customer", count = 1 }
      local promise = customers:fill()
      await.stepUntil(function() return #server:requests() > 0 end)
      promise:cancel()
      await.rejected(promise, "cancelled")
      unchanged()
      server:clearFaults()
      filled(customers, { top = 2 })
      assert.same({ 1, 2 }, values(customers, "CustNum"))
    end)
  end)

  it("tells the older of two fills that a newer one has taken its place", function()
    local customers, order = object "Customer", {}
    customers:subscribe("afterFill", function(_, success, request)
      order[#order + 1] = { request.objParam.filter, success }
    end)
    server:fault { kind = "slow", delay = 0.2, path = "Customer", count = 1 }
    local older = customers:fill "CustNum = 1"
    await.stepUntil(function() return #server:requests() > 0 end)
    local newer = customers:fill "CustNum = 2"
    assert(newer:await(LIMIT))
    local err = await.rejected(older, "cancelled")
    assert.equal("fill: a newer fill has taken its place", err.message)
    assert.same({ 2 }, values(customers, "CustNum"))
    assert.same({}, customers:getErrors())
    assert.same({ { "CustNum = 2", true }, { "CustNum = 1", false } }, order)
  end)

  it("waits for no call of which a handler has called it", function()
    for _, event in ipairs { "beforeFill", "afterFill" } do
      local customers, inner = object "Customer", nil
      customers:subscribe(event, function()
        if inner == nil then
          inner = false
          inner = customers:fill({ skip = 5, top = 5, mergeMode = JSDO.MODE_APPEND }):await(LIMIT)
        end
      end)
      assert(customers:fill({ top = 5 }):await(LIMIT))
      assert.equal(customers, inner, event)
      assert.equal(event == "afterFill" and 10 or 5, #customers)
    end
  end)

  it("reads again when a save was sent meanwhile", function()
    local customers = object "Customer"
    filled(customers, { top = 5 })
    local record = data.find(customers, "CustNum", 3)
    record.CreditLimit = record.CreditLimit + 100
    local limit = record.CreditLimit
    server:fault { kind = "slow", delay = 0.1, method = "GET" }
    local promise = customers:fill { top = 5 }
    assert(customers:saveChanges():await(LIMIT))
    assert(promise:await(LIMIT))
    assert.equal(limit, data.find(customers, "CustNum", 3).CreditLimit)
  end)

  it("fires its events before the promise settles, and reports handlers that raise", function()
    local customers, log, reported = object "Customer", {}, {}
    datasession.onError(function(err) reported[#reported + 1] = err end)
    customers:subscribe("beforeFill", function() error "before" end)
    customers:subscribe("afterFill", function(_, success, request)
      log[#log + 1] = { success, request.success, #customers:getData() }
      error "after"
    end)
    local promise = customers:read { top = 2 }
    promise:done(function() log[#log + 1] = "done" end)
    assert(promise:await(LIMIT))
    await.flush()
    datasession.onError(nil)
    assert.same({ { true, true, 2 }, "done" }, log)
    assert.equal(2, #reported)
  end)

  it("raises for what the program did wrong, at its line", function()
    local customers, archive = object "Customer", object "Archive"
    for message, call in pairs {
      ["fill: expected a text, a table or nil, got function"] = function() customers:fill(print) end,
      ["fill: expected a text, a table or nil, got number"] = function() customers:fill(7) end,
      ["fill: expected a text, a table or nil, got an array"] = function() archive:fill { "Shipped" } end,
      ["read: unknown option 'fliter': did you mean 'filter'?"] = function()
        customers:read { fliter = "x" }
      end,
      ["fill: option 'filter': unknown field 'Sate': did you mean 'State'?"] = function()
        customers:fill { filter = { field = "Sate", operator = "isnull" } }
      end,
      ["fill: the operation read needs a value for 'year', got nothing"] = function()
        archive:fill { status = "Shipped", paid = "" }
      end,
    } do
      assert.equal(message, raised(call))
    end
  end)

  it("runs when the object is made, if autoFill says so", function()
    local customers, promise = JSDO { name = "Customer", session = session, autoFill = true }
    assert(promise:await(LIMIT))
    assert.equal(300, #customers:getData())
  end)
end)
