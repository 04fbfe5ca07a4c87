-- saveChanges, record by record.
local datasession = require "datasession"
local memory = require "datasession.internal.data.memory"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, fresh = await.LIMIT, data.fresh

describe("saveChanges", function()
  local server, session

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
    server:setData { answers = "rows", locking = true, wrapped = false }
  end)

  after_each(sessions.endAll)

  local function filled(resource, options) return data.filled(session, resource, options) end

  local function outcomes(made)
    local list = {}
    for i, one in ipairs(made.batch.operations) do list[i] = one.fnName .. " " .. one.outcome end
    return list
  end

  local function stored(number)
    return data.stored(server, "ttCustomer", "CustNum", number)
  end

  -- The first word of each row that was sent, with the table: "ttOrder POST".
  local function order(list)
    local names = {}
    for i, one in ipairs(list) do
      local members = one.body.dsOrder
      local rows = members["prods:before"] and not members.ttOrder and not members.ttOrderLine
        and members["prods:before"] or members
      names[i] = (rows.ttOrder and "ttOrder " or "ttOrderLine ") .. one.method
    end
    return names
  end

  it("sends deletes, then creates, then updates: children first to delete, else parents", function()
    local orders = filled "Order"
    local lines, heads = orders.ttOrderLine, orders.ttOrder
    orders.useRelationships = false
    local head = data.find(heads, "Status", "Ordered")
    head.Remarks = "A" .. fresh()
    data.find(lines, "OrderNum", 1).Qty = 3
    heads:add { CustNum = 1, Status = "Ordered" }
    lines:add { OrderNum = 1, Qty = 1 }
    local gone = data.find(heads, "OrderNum", heads:add { CustNum = 1, Status = "Ordered" }.OrderNum)
    gone:remove() -- was never on the server
    local other = heads:find(function(r) return r.Status == "Ordered" and r ~= head end)
    other:remove()
    lines:find(function(r) return r.OrderNum == 2 end)
    lines:remove()
    local ok, result, made = orders:saveChanges():await(LIMIT)
    assert.equal(orders, ok)
    assert.equal(datasession.SUCCESS, result)
    assert.same({ "ttOrderLine DELETE", "ttOrder DELETE", "ttOrder POST", "ttOrderLine POST", "ttOrder PUT",
      "ttOrderLine PUT" }, order(data.sent(server)))
    assert.is_true(made.success)
    assert.same({ "_delete saved", "_delete saved", "_create saved", "_create saved", "_update saved",
      "_update saved" }, outcomes(made))
    assert.is_false(orders:hasChanges())
    assert.is_nil(heads.record)
    assert.is_nil(lines.record)
  end)

  it("sends each request after the answer to the one before", function()
    local customers = filled "Customer"
    for i = 1, 3 do data.find(customers, "CustNum", i).Comments = "c" .. fresh() end
    server:fault { kind = "slow", delay = 0.05, method = "PUT" }
    local seen = {}
    customers:subscribe("afterUpdate", function() seen[#seen + 1] = #data.sent(server) end)
    assert(customers:saveChanges():await(LIMIT))
    assert.same({ 1, 2, 3 }, seen)
    assert.is_nil(customers.record)
  end)

  it("sends before-images of datasets that want them, and no keys of its own", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 7)
    local before, after = record.Comments, "c" .. fresh()
    record.Comments = after
    local created = customers:add { Name = "New" }
    local deleted = data.find(customers, "CustNum", 8)
    local ids = { created = created:getId(), deleted = deleted:getId(), modified = record:getId() }
    deleted:remove()
    assert(customers:saveChanges():await(LIMIT))
    local sent = data.sent(server)
    local members = sent[1].body.dsCustomer
    assert.is_true(members["prods:hasChanges"])
    assert.is_nil(members.ttCustomer)
    local row = members["prods:before"].ttCustomer[1]
    assert.equal("deleted", row["prods:rowState"])
    assert.equal(ids.deleted, row["prods:clientId"])
    assert.equal(8, row.CustNum)
    members = sent[2].body.dsCustomer
    row = members.ttCustomer[1]
    assert.same({ "created", ids.created, "New" }, { row["prods:rowState"], row["prods:clientId"], row.Name })
    assert.is_nil(row["prods:id"])
    assert.is_nil(members["prods:before"])
    members = sent[3].body.dsCustomer
    row = members.ttCustomer[1]
    assert.same({ "modified", ids.modified, ids.modified, after },
      { row["prods:rowState"], row["prods:clientId"], row["prods:id"], row.Comments })
    local old = members["prods:before"].ttCustomer[1]
    assert.same({ ids.modified, before }, { old["prods:id"], old.Comments })
    assert.is_nil(old["prods:rowState"])
    for _, one in ipairs(sent) do
      assert.is_nil(one.text:find '"_')
    end
  end)

  it("sends one row of a dataset without before-image, and the row itself of a temp-table", function()
    local plain, items = filled "OrderPlain", filled "Item"
    data.find(plain.ttOrder, "OrderNum", 5).Remarks = "A" .. fresh()
    assert(plain:saveChanges():await(LIMIT))
    local body = data.sent(server)[1].body
    assert.equal(5, body.dsOrder.ttOrder[1].OrderNum)
    assert.is_nil(body.dsOrder["prods:hasChanges"])
    server:clearRequests()
    local price = fresh()
    data.find(items, "ItemNum", 2).Price = price
    items:add { ItemName = "Skis" }
    data.find(items, "ItemNum", 9):remove()
    assert(items:saveChanges():await(LIMIT))
    local sent = data.sent(server)
    assert.same({ 9, "Skis", price }, { sent[1].body.ItemNum, sent[2].body.ItemName, sent[3].body.Price })
    assert.equal("DELETE", sent[1].method)
  end)

  it("sends only what has changed, where the service says so", function()
    local stock, price = filled "Stock", fresh()
    local record = data.find(stock, "ItemNum", 11)
    record.Price = price
    data.find(stock, "ItemNum", 12):remove()
    assert(stock:saveChanges():await(LIMIT))
    assert.same({ ItemNum = 12 }, data.sent(server)[1].body)
    assert.same({ ItemNum = 11, Price = price }, data.sent(server)[2].body)
  end)

  it("takes over the values that the server gives, its keys too", function()
    local customers = filled "Customer"
    local record = customers:add { Name = "Ski Bums" }
    assert.equal(0, record.CustNum)
    assert(customers:saveChanges():await(LIMIT))
    assert.is_true(record.CustNum > 0)
    assert.is_nil(record.state)
    local items = filled "ItemById"
    local item = items:add { ItemName = "Poles" }
    local id = item:getId()
    assert(items:saveChanges():await(LIMIT))
    assert.not_equal(id, item:getId())
    assert.equal(tostring(item.ItemNum), item:getId())
    assert.equal(item, items:findById(item:getId()))
    assert.is_false(items:hasChanges())
  end)

  it("gives the key of a new parent to its new children, before these are sent", function()
    for _, submit in ipairs { false, true } do
      local orders = filled "Order"
      local heads, lines = orders.ttOrder, orders.ttOrderLine
      local parents, children = {}, {}
      for i = 1, 2 do
        parents[i] = heads:add { CustNum = i, Status = "Ordered" }
        children[i] = lines:add { ItemName = "of " .. i, Qty = i }
        assert.equal(0, children[i].OrderNum)
      end
      if submit then orders:saveChanges(true):await(LIMIT) else assert(orders:saveChanges():await(LIMIT)) end
      for i = 1, 2 do
        assert.is_true(parents[i].OrderNum > 0)
        if not submit then assert.equal(parents[i].OrderNum, children[i].OrderNum) end
      end
      assert.not_equal(parents[1].OrderNum, parents[2].OrderNum)
    end
  end)

  it("gives it to children that name the parent's own key, not to those that name none", function()
    local orders = filled "Order"
    local heads, lines = orders.ttOrder, orders.ttOrderLine
    orders.useRelationships = false
    local named, unnamed = heads:add { OrderNum = 9001, CustNum = 1 }, heads:add { CustNum = 2 }
    local children = { lines:add { OrderNum = 9001, Qty = 1 }, lines:add { Qty = 2 } }
    for _, key in ipairs { 9002, 9003 } do
      server:fault { kind = "status", status = 200, contentType = "application/json", method = "POST",
        body = ('{"dsOrder":{"ttOrder":[{"OrderNum":%d}]}}'):format(key) }
    end
    orders:saveChanges():await(LIMIT)
    assert.same({ 9002, 9003 }, { named.OrderNum, unnamed.OrderNum })
    assert.same({ 9002, 0 }, { children[1].OrderNum, children[2].OrderNum })
  end)

  it("deletes a record that was removed while the server created it", function()
    local customers = filled "Customer"
    local record = customers:add { Name = "Short" }
    server:fault { kind = "slow", delay = 0.05, method = "POST" }
    local promise = customers:saveChanges()
    await.stepUntil(function() return #data.sent(server) > 0 end)
    record:remove()
    assert.error_matches(function() record:rejectRowChanges() end, "a save is under way")
    assert(promise:await(LIMIT))
    assert.equal("deleted", customers:getChanges()[1].rowState)
    assert(customers:saveChanges():await(LIMIT))
    assert.is_nil(data.stored(server, "ttCustomer", "Name", "Short"))
    assert.is_false(customers:hasChanges())
  end)

  it("addresses a record by the keys that the server knows", function()
    local uri = server.uris.anonymous .. "/static/keys.json"
    server:fault { kind = "status", status = 200, path = "keys.json", body = [[{"version":"1.5","services":[{
      "name":"Keys","address":"/rest/Keys","resources":[{"name":"Key","path":"/Key","schema":{"properties":{
      "tt":{"type":"array","primaryKey":["Id"],"items":{"properties":{"Id":{"type":"integer"},
      "Name":{"type":"string"}}}}}},"operations":[{"type":"update","verb":"put","path":"/{Id}?name={Name}"},
      {"type":"delete","verb":"delete","path":"/{Id}"}]}]}]}]] }
    assert(session:addCatalog(uri):await(LIMIT))
    server:clearRequests()
    local keys = datasession.JSDO { name = "Key", session = session }
    keys:addRecords({ { Id = 1, Name = "a" }, { Id = 2, Name = "b" } }, datasession.JSDO.MODE_EMPTY)
    local first, second = data.find(keys, "Id", 1), data.find(keys, "Id", 2)
    first.Id, first.Name = 3, "c"
    second.Id = 1
    second:remove()
    server:fault { kind = "status", status = 200, path = "Keys", body = "{}", count = 2 }
    assert(keys:saveChanges():await(LIMIT))
    local paths = {}
    for i, request in ipairs(server:requests()) do
      paths[i] = request.method .. request.uri:match "/Key/.*"
    end
    assert.same({ "DELETE/Key/2", "PUT/Key/1?name=c" }, paths)
  end)

  it("takes no row of another record for the answer to an update", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 41)
    record.Comments = "o" .. fresh()
    server:fault { kind = "status", status = 200, method = "PUT",
      body = '{"dsCustomer":{"ttCustomer":[{"CustNum":42,"Name":"Other"}]}}' }
    local err = await.rejected(customers:saveChanges(), "protocol")
    assert.equal("saveChanges: the answer has the row of another record of ttCustomer", err.message)
    assert.equal("unknown", err.info.request.batch.operations[1].outcome)
    assert.equal(41, record.CustNum)
    assert.equal("modified", record.state)
  end)

  it("takes 204, a bare record, and a wrapped answer as success", function()
    local items = filled "Item"
    for _, answers in ipairs { "none", "bare" } do
      server:setData { answers = answers }
      local item = items:add { ItemName = "Wax" .. fresh() }
      assert(items:saveChanges():await(LIMIT))
      assert.equal(answers == "bare", item.ItemNum > 0)
    end
    server:setData { answers = "none" }
    local customers = filled "Customer"
    data.find(customers, "CustNum", 20).Comments = "c" .. fresh()
    assert(customers:saveChanges():await(LIMIT))
    assert.is_false(customers:hasChanges())
  end)

  it("sends nothing when nothing is pending, or was undone", function()
    local items = filled "Item"
    local _, _, made = items:saveChanges():await(LIMIT)
    assert.same({}, made.batch.operations)
    items:add { ItemName = "x" }
    items:remove()
    assert(items:saveChanges():await(LIMIT))
    assert.same({}, data.sent(server))
  end)

  describe("when the server refuses a record", function()
    it("goes on, undoes that change alone, and says why", function()
      local customers = filled "Customer"
      local first, second = data.find(customers, "CustNum", 31), data.find(customers, "CustNum", 32)
      local was = first.Comments
      first.Comments = "a" .. fresh()
      second.Comments = "b" .. fresh()
      local created = customers:add { Name = "Refused" }
      server:refuseRows { operation = "create", message = "No more customers" }
      server:refuseRows { where = "CustNum = 31", message = "Not this one" }
      local done = {}
      local ok, err = customers:saveChanges {
        onProgress = function(n, total) done[#done + 1] = n .. "/" .. total end,
      }:await(LIMIT)
      assert.is_nil(ok)
      assert.equal("server", err.kind)
      assert.equal("saveChanges: 1 of 3 changes saved, 2 refused; the first failure: saveChanges: the server "
        .. "refused record " .. created:getId() .. ": No more customers", err.message)
      assert.same({ "1/3", "2/3", "3/3" }, done)
      local made = err.info.request
      assert.is_false(made.success)
      assert.same({ "_create refused", "_update refused", "_update saved" }, outcomes(made))
      assert.equal(was, first.Comments)
      assert.equal("Not this one", first.errorString)
      assert.is_nil(first.state)
      assert.is_nil(customers:find(function(r) return r.Name == "Refused" end))
      assert.is_false(customers:hasChanges())
      local entries = customers:getErrors()
      assert.same({ datasession.JSDO.DATA_ERROR, "No more customers", created:getId() },
        { entries[1].type, entries[1].error, entries[1].id })
      assert.same({ "Not this one", first }, { entries[2].error, entries[2].record })
      assert(customers:saveChanges():await(LIMIT))
      assert.is_nil(first.errorString)
      assert.same({}, customers:getErrors())
    end)

    it("stops there with stopOnError; what follows stays pending", function()
      local customers = filled "Customer"
      data.find(customers, "CustNum", 31).Comments = "a" .. fresh()
      data.find(customers, "CustNum", 32).Comments = "b" .. fresh()
      server:refuseRows { where = "CustNum = 31" }
      local _, err = customers:saveChanges { stopOnError = true }:await(LIMIT)
      assert.same({ "_update refused", "_update unsent" }, outcomes(err.info.request))
      assert.equal(1, #data.sent(server))
      assert.equal(32, customers:getChanges()[1].record.CustNum)
    end)

    it("heeds the marks of a row: error, rejected or both", function()
      for _, how in ipairs { "error", "rejected", "both" } do
        local customers = filled "Customer"
        local record = data.find(customers, "CustNum", 33)
        record.Comments = "a" .. fresh()
        server:refuseRows { how = how, message = "Why" }
        local ok = customers:saveChanges():await(LIMIT)
        assert.is_nil(ok)
        assert.is_nil(record.state)
        assert.equal(how ~= "rejected" and "Why" or nil, record.errorString)
        assert.equal(1, #customers:getErrors())
      end
    end)

    it("gives the server's errors of a status 500", function()
      local items = filled "Item"
      local item = data.find(items, "ItemNum", 4)
      local price = item.Price
      item.Price = -1
      local _, err = items:saveChanges():await(LIMIT)
      assert.equal(500, err.httpStatus)
      assert.equal("_update refused", outcomes(err.info.request)[1])
      assert.equal(price, item.Price)
      assert.equal(datasession.JSDO.APP_ERROR, items:getErrors()[1].type)
      assert.equal(items:getErrors()[1].error, item.errorString)
      assert.equal(item:getId(), items:getErrors()[1].id)
    end)

    it("keeps the change without autoApplyChanges, and accepts it no more", function()
      local customers = filled("Customer", { autoApplyChanges = false })
      local record = data.find(customers, "CustNum", 34)
      local was, now = record.Comments, "a" .. fresh()
      record.Comments = now
      server:refuseRows { message = "Why" }
      assert.is_nil((customers:saveChanges():await(LIMIT)))
      assert.equal(now, record.Comments)
      assert.equal("modified", record.state)
      assert.error_matches(function() record:acceptRowChanges() end, "the server did not save this record")
      assert(customers:saveChanges():await(LIMIT)) -- again
      assert.equal(now, stored(34).Comments)
      record:rejectRowChanges()
      assert.equal(was, record.Comments)
    end)

    it("brings back a record that the server did not delete, in its place", function()
      local items = filled "Item"
      data.find(items, "ItemNum", 5):remove()
      server:refuseRows { operation = "delete" }
      assert.is_nil((items:saveChanges():await(LIMIT)))
      local numbers = {}
      for r in items:records() do numbers[#numbers + 1] = r.ItemNum end
      assert.same({ 4, 5, 6 }, { numbers[4], numbers[5], numbers[6] })
      assert.is_false(items:hasChanges())
    end)
  end)

  it("without autoApplyChanges saves a later change of a saved record with its before-image", function()
    local customers = filled("Customer", { autoApplyChanges = false })
    local record = customers:add { Name = "Later" }
    assert(customers:saveChanges():await(LIMIT))
    assert.equal("created", record.state)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(1, #data.sent(server)) -- it is saved already
    record.Name = "Later again"
    assert(customers:saveChanges():await(LIMIT))
    local sent = data.sent(server)[2]
    assert.equal("PUT", sent.method)
    assert.equal("Later", sent.body.dsCustomer["prods:before"].ttCustomer[1].Name)
    customers:acceptChanges()
    assert.is_nil(record.state)
  end)

  it("without autoApplyChanges undoes a record that was created and deleted since", function()
    local customers = filled("Customer", { autoApplyChanges = false })
    local count = #customers
    local record = customers:add { Name = "Short" }
    assert(customers:saveChanges():await(LIMIT))
    record:remove()
    assert(customers:saveChanges():await(LIMIT))
    customers:rejectChanges()
    assert.equal(count, #customers)
    assert.is_false(customers:hasChanges())
  end)

  it("undoes no more than was refused when autoApplyChanges is set between two saves", function()
    local customers = filled("Customer", { autoApplyChanges = false })
    local record, created = data.find(customers, "CustNum", 35), customers:add { Name = "New" }
    local address, limit = "a" .. fresh(), record.CreditLimit
    record.Address = address
    assert(customers:saveChanges():await(LIMIT))
    customers.autoApplyChanges = true
    record.CreditLimit, created.CreditLimit = -1, -1
    local removed = data.find(customers, "CustNum", 36)
    removed:remove()
    server:refuseRows { operation = "delete" }
    await.rejected(customers:saveChanges())
    assert.same({ address, limit }, { record.Address, record.CreditLimit })
    assert.equal(address, stored(35).Address)
    assert.same({ "New", 1500 }, { created.Name, created.CreditLimit })
    assert.equal(created, customers:findById(created.id))
    assert.equal(removed, data.find(customers, "CustNum", 36))
    assert.is_false(customers:hasChanges())
  end)

  it("keeps what is changed while a record is being saved", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 40)
    local first, second, city = "a" .. fresh(), "b" .. fresh(), "c" .. fresh()
    record.Comments, record.City = first, city
    server:fault { kind = "slow", delay = 0.05, method = "PUT" }
    local promise = customers:saveChanges()
    await.stepUntil(function() return #data.sent(server) > 0 end)
    record.Comments = second
    assert(promise:await(LIMIT))
    assert.equal(second, record.Comments)
    assert.equal("modified", record.state)
    assert.equal(first, record.before.Comments)
    assert.equal(city, record.before.City)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(second, stored(40).Comments)
    assert.is_false(customers:hasChanges())
  end)

  it("leaves nothing pending of a later value that the server gave, too", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 44)
    record.Comments = "a" .. fresh()
    local token = memory.beginSave(record)
    record.City = "same" .. fresh()
    memory.endSave(record, token, { City = record.City })
    assert.is_nil(record.state)
    record.Comments = "b" .. fresh()
    token = memory.beginSave(record)
    record.City = "other" .. fresh()
    memory.endSave(record, token, { City = "theirs" })
    assert.same({ "modified", "theirs" }, { record.state, record.before.City })
  end)

  it("runs one save after the other; the second sends what is pending then", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 41).Comments = "a" .. fresh()
    local first = customers:saveChanges()
    data.find(customers, "CustNum", 42).Comments = "b" .. fresh()
    local second = customers:saveChanges()
    assert(second:await(LIMIT))
    assert.equal("resolved", first:state())
    assert.equal(2, #data.sent(server))
    assert.is_false(customers:hasChanges())
  end)

  describe("without a usable answer", function()
    local customers, record

    before_each(function()
      customers = filled "Customer"
      record = data.find(customers, "CustNum", 50)
      record.Comments = "a" .. fresh()
      data.find(customers, "CustNum", 51).Comments = "b" .. fresh()
    end)

    -- Saves once, then again without the fault.
    local function check(kind, outcome)
      local ok, err = customers:saveChanges():await(LIMIT)
      assert.is_nil(ok)
      assert.equal(kind, err.kind)
      assert.same({ "_update " .. outcome, "_update unsent" }, outcomes(err.info.request))
      assert.matches("first failure: saveChanges: ", err.message)
      assert.equal(2, #customers:getChanges())
      assert.is_nil(record.errorString)
      assert.equal(1, #customers:getErrors())
      assert.equal(datasession.JSDO.ERROR, customers:getErrors()[1].type)
      server:start()
      server:clearFaults()
      server:setData { locking = outcome ~= "unknown" }
      assert(customers:saveChanges():await(LIMIT))
      assert.is_false(customers:hasChanges())
      assert.equal(record.Comments, stored(50).Comments)
    end

    it("stops, and says that a closed connection leaves it unknown", function()
      server:fault { kind = "close", method = "PUT" }
      check("connect", "unknown")
    end)

    it("stops, and says that nothing was sent when there is no server", function()
      server:stop()
      check("connect", "unsent")
    end)

    it("stops for a gateway that does not know, and for a busy server", function()
      server:fault { kind = "status", status = 504, method = "PUT", body = '{"message":"timeout"}',
        contentType = "application/json" }
      check("http", "unknown")
      record.Comments = "c" .. fresh()
      data.find(customers, "CustNum", 51).Comments = "d" .. fresh()
      server:fault { kind = "status", status = 503, method = "PUT" }
      check("http", "unsent")
    end)

    it("stops for a page, and for an answer of another shape", function()
      server:fault { kind = "html", method = "PUT" }
      check("protocol", "unknown")
      record.Comments = "c" .. fresh()
      data.find(customers, "CustNum", 51).Comments = "d" .. fresh()
      server:fault { kind = "status", status = 200, body = '{"other":[1]}', method = "PUT",
        contentType = "application/json" }
      check("protocol", "unknown")
    end)

    it("stops for a status by which nothing is confirmed", function()
      server:fault { kind = "status", status = 304, method = "PUT" }
      check("protocol", "unsent")
    end)

    it("keeps the changes of a login that has expired", function()
      server:fault { kind = "status", status = 401, method = "PUT" }
      local ok, err = customers:saveChanges():await(LIMIT)
      assert.is_nil(ok)
      assert.equal("expired", err.kind)
      assert.same({ "_update unsent", "_update unsent" }, outcomes(err.info.request))
      assert.equal(2, #customers:getChanges())
    end)

    it("tells of a cancelled save which record is unknown, and can be gone on with", function()
      server:fault { kind = "slow", delay = LIMIT, method = "PUT" }
      local promise = customers:saveChanges()
      await.stepUntil(function() return #data.sent(server) > 0 end)
      promise:cancel()
      await.rejected(promise, "cancelled")
      assert.equal(record, customers:getErrors()[1].record)
      assert.matches("the save was cancelled", customers:getErrors()[1].error)
      assert.equal(2, #customers:getChanges())
      server:clearFaults()
      server:setData { locking = false }
      assert(customers:saveChanges():await(LIMIT))
      assert.is_false(customers:hasChanges())
    end)
  end)

  it("sends nothing twice when the session reconnects, unless it has not run", function()
    local other = data.session(server, { reconnect = { delay = 0 } })
    local customers = data.filled(other, "Customer")
    customers:add { Name = "Once" }
    server:fault { kind = "close", method = "POST" }
    local ok, err = customers:saveChanges():await(LIMIT)
    assert.is_nil(ok)
    assert.equal("unknown", err.info.request.batch.operations[1].outcome)
    await.flush()
    assert.equal(1, #data.sent(server))
    assert.equal(1, #customers:getChanges())
  end)

  it("rejects a value that has no JSON, and saves the others", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 60).Comments = "\xff"
    data.find(customers, "CustNum", 64).Comments = "c" .. fresh()
    local ok, err = customers:saveChanges():await(LIMIT)
    assert.is_nil(ok)
    assert.matches("UTF%-8", err.message)
    assert.same({ "_update unsent", "_update saved" }, outcomes(err.info.request))
    assert.equal(60, customers:getChanges()[1].record.CustNum)
  end)

  it("sends nothing of a record that a handler sets back", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 65).Comments = "c" .. fresh()
    customers:subscribe("beforeUpdate", function(_, record) record:rejectRowChanges() end)
    assert(customers:saveChanges():await(LIMIT))
    assert.same({}, data.sent(server))
  end)

  it("finds out in the next save that an unknown one was run", function()
    for _, submit in ipairs { false, true } do
      local customers = filled "Customer"
      local record, gone = data.find(customers, "CustNum", 70), customers:add { Name = "x" .. fresh() }
      assert(customers:saveChanges():await(LIMIT))
      local comment = "c" .. fresh()
      record.Comments = comment
      gone:remove()
      server:fault { kind = "slow", delay = LIMIT, method = submit and "PUT" or "DELETE" }
      local promise = customers:saveChanges(submit)
      server:clearRequests()
      await.stepUntil(function() return #data.sent(server) > 0 end)
      promise:cancel()
      await.rejected(promise)
      server:clearFaults()
      server:putRow("ttCustomer", { CustNum = 70, Comments = submit and comment or record.before.Comments })
      server:dropRow("ttCustomer", { CustNum = gone.CustNum })
      local ok, err, made = customers:saveChanges(submit):await(LIMIT)
      assert(ok, err)
      assert.is_true(made.success)
      assert.is_false(customers:hasChanges())
      assert.equal(comment, stored(70).Comments)
    end
  end)

  it("tells of no failure of an update that was run before and whose repeat is refused", function()
    local customers = filled "Customer"
    local record, comment = data.find(customers, "CustNum", 71), "c" .. fresh()
    record.Comments = comment
    server:fault { kind = "slow", delay = LIMIT, method = "PUT" }
    local promise = customers:saveChanges()
    await.stepUntil(function() return #data.sent(server) > 0 end)
    promise:cancel()
    await.rejected(promise)
    server:clearFaults()
    server:putRow("ttCustomer", { CustNum = 71, Comments = comment })
    server:fault { kind = "status", status = 500, method = "PUT", contentType = "application/json",
      body = '{"_errors":[{"_errorMsg":"changed by another user","_errorNum":1}]}' }
    local ok, err, made = customers:saveChanges():await(LIMIT)
    assert(ok, err)
    assert.same({ "_update saved" }, outcomes(made))
    assert.is_nil(made.batch.operations[1].exception)
    assert.is_false(customers:hasChanges())
  end)

  it("cannot begin in a handler of a save", function()
    local customers = filled "Customer"
    local message
    customers:subscribe("beforeSaveChanges", function()
      message = select(2, pcall(customers.saveChanges, customers))
    end)
    assert(customers:saveChanges():await(LIMIT))
    assert.matches("saveChanges: a handler of a save cannot begin another one", message)
  end)

  it("is over when afterSaveChanges fires: its handlers may fill and save", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 64).Comments = "c" .. fresh()
    local again = "c" .. fresh()
    customers:subscribe("afterSaveChanges", function(jsdo)
      if #jsdo == 3 then return end
      assert(jsdo:fill({ top = 3 }):await(LIMIT))
      jsdo.Comments = again
      assert(jsdo:saveChanges():await(LIMIT))
    end)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(3, #customers)
    assert.equal(again, stored(1).Comments)
  end)

  it("gives handlers the data object, the result and the request", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 61).Name = ""
    local got
    local promise = customers:saveChanges():fail(function(...) got = { ... } end)
    promise:await(LIMIT)
    await.flush()
    assert.equal(customers, got[1])
    assert.equal(datasession.GENERAL_FAILURE, got[2])
    assert.is_false(got[3].success)
    assert.equal(customers, got[3].jsdo)
    assert.equal(got[3].errorObject, got[3].request.exception)
    assert.equal(datasession.JSDO._OP_UPDATE, got[3].request.batch.operations[1].operation)
    data.find(customers, "CustNum", 62).Comments = "c" .. fresh()
    local _, _, made = customers:saveChanges():await(LIMIT)
    assert.equal(customers, made.jsdo)
    local operation = made.batch.operations[1]
    assert.same(data.sent(server)[2].body, operation.objParam)
    assert.equal(200, operation.xhr.status)
    assert.is_table(operation.response.dsCustomer)
    assert.is_nil(operation.other)
  end)

  it("waits in handlers that await", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 63)
    record.Comments = "c" .. fresh()
    local status
    customers:subscribe("beforeUpdate", function(_, one)
      local promise = session:request { path = "/rest/CustomerService/Customer?filter=x" }
      status = assert(promise:await(LIMIT)).status
      one.City = "Oslo"
    end)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(200, status)
    assert.same({ record.Comments, "Oslo" }, { stored(63).Comments, stored(63).City })
    assert.is_nil(record.state)
  end)

  it("raises for mistakes", function()
    local customers = filled "Customer"
    local archive = datasession.JSDO { name = "Archive", session = session }
    archive:addRecords({ ttOrder = { { OrderNum = 1 } } }, 1)
    for message, mistake in pairs {
      ["saveChanges: expected true to submit, false, or a table of options, got string"] = function()
        customers:saveChanges("submit")
      end,
      ["saveChanges: unknown option 'stopOnErr': did you mean 'stopOnError'?"] = function()
        customers:saveChanges { stopOnErr = true }
      end,
      ["saveChanges: option 'onProgress': expected a function, got boolean"] = function()
        customers:saveChanges { onProgress = true }
      end,
      ["saveChanges: the resource Archive has no operation that saves"] = function()
        archive:saveChanges()
      end,
    } do
      assert.equal(message, raised(mistake))
    end
  end)

  it("raises for a kind of change that the catalog has no operation for, and counts the changes", function()
    data.addCatalog(session, [[
      {"version":"1.5","services":[{"name":"Fixed","address":"/rest/Fixed","resources":[{
      "name":"Fixed","path":"/Fixed","schema":{"properties":{"ttFixed":{"type":"array","items":{
      "properties":{"Id":{"type":"integer"}}}}}},
      "operations":[{"type":"update","path":"","verb":"put","params":[]}]}]}]}]])
    local fixed = datasession.JSDO { name = "Fixed", session = session }
    fixed:add { Id = 1 }
    assert.equal("saveChanges: the resource Fixed has no create operation, which 1 pending change needs",
      raised(function() fixed:saveChanges() end))
    fixed:add { Id = 2 }
    assert.equal("saveChanges: the resource Fixed has no create operation, which 2 pending changes need",
      raised(function() fixed:saveChanges() end))
  end)
end)
