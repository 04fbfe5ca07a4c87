-- saveChanges(true): all changes in one request.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, fresh = await.LIMIT, data.fresh

describe("a submit", function()
  local server, session

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
  end)

  after_each(sessions.endAll)

  local function filled(resource, options) return data.filled(session, resource, options) end

  local function stored(number)
    return data.stored(server, "ttCustomer", "CustNum", number)
  end

  -- A fault that answers the next PUT with this dataset, or another body.
  local function answer(body)
    server:fault {
      kind = "status", status = 200, contentType = "application/json", method = "PUT",
      body = type(body) == "string" and body or assert(codec.encode(body)),
    }
  end

  describe("heeds each error in the answer", function()
    local customers, record

    before_each(function()
      customers = filled "Customer"
      record = data.find(customers, "CustNum", 40)
      record.Comments = "e" .. fresh()
    end)

    local function errors(id)
      return { ttCustomer = { { ["prods:id"] = id, ["prods:error"] = "Sorry" } } }
    end

    it("that has no row", function()
      answer { dsCustomer = { ["prods:errors"] = errors(record.id) } }
      await.rejected(customers:saveChanges(true), "server")
      assert.equal("Sorry", record.errorString)
    end)

    it("that belongs to nothing that was sent", function()
      answer { dsCustomer = { ["prods:errors"] = errors "x" } }
      local err = await.rejected(customers:saveChanges(true), "protocol")
      assert.equal("saveChanges: an error of ttCustomer belongs to no row: Sorry", err.message)
      assert.equal("modified", record.state)
    end)

    it("though a second row of the record has none", function()
      local row = { ["prods:clientId"] = record.id, CustNum = 40 }
      local bad = { ["prods:clientId"] = record.id, ["prods:id"] = "q", ["prods:hasErrors"] = true }
      for _, rows in ipairs { { row, bad }, { bad, row } } do
        record.Comments = "e" .. fresh()
        answer { dsCustomer = { ttCustomer = rows, ["prods:errors"] = errors "q" } }
        await.rejected(customers:saveChanges(true), "server")
        assert.equal("Sorry", record.errorString)
      end
    end)

    it("and takes no other value for errors", function()
      answer { dsCustomer = { ["prods:errors"] = 7 } }
      local err = await.rejected(customers:saveChanges(true), "protocol")
      assert.equal("saveChanges: prods:errors: expected an object, got number", err.message)
    end)
  end)

  it("tells records that share an id apart", function()
    local orders = filled "OrderById"
    local heads = orders.ttOrder
    local bad = heads:add { OrderNum = 900, CustNum = 1, Status = "Bogus" }
    local good = heads:add { OrderNum = 900, CustNum = 1, Status = "Ordered" }
    local err = await.rejected(orders:saveChanges(true))
    assert.matches("1 of 2 changes saved, 1 refused", err.message)
    assert.matches("The status is", bad.errorString)
    assert.is_nil(good.errorString)
    assert.equal(good, heads:findById "900")
    local rows = data.sent(server)[1].body.dsOrder.ttOrder
    assert.not_equal(rows[1]["prods:clientId"], rows[2]["prods:clientId"])
  end)

  it("sends the changes of all tables with their before-images in one request", function()
    local orders = filled "Order"
    local heads, lines = orders.ttOrder, orders.ttOrderLine
    orders.useRelationships = false
    local head = data.find(heads, "Status", "Ordered")
    local was, remark = head.Remarks, "r" .. fresh()
    head.Remarks = remark
    local created = heads:add { CustNum = 4, Status = "Ordered" }
    heads:add { CustNum = 5, Status = "Ordered" }
    heads:remove()
    local line = data.find(lines, "OrderNum", 3)
    local ids = { head = head:getId(), created = created:getId(), line = line:getId() }
    line:remove()
    local ok, result, made = orders:saveChanges(true):await(LIMIT)
    assert.equal(orders, ok)
    assert.equal(datasession.SUCCESS, result)
    local sent = data.sent(server)
    assert.equal(1, #sent)
    local members = sent[1].body.dsOrder
    local rows = { members.ttOrder[1], members.ttOrder[2] }
    if rows[1]["prods:rowState"] == "created" then rows = { rows[2], rows[1] } end
    assert.same({ true, 2 }, { members["prods:hasChanges"], #members.ttOrder })
    assert.same({ "modified", ids.head, ids.head, remark }, { rows[1]["prods:rowState"],
      rows[1]["prods:clientId"], rows[1]["prods:id"], rows[1].Remarks })
    assert.same({ "created", ids.created }, { rows[2]["prods:rowState"], rows[2]["prods:clientId"] })
    assert.is_nil(rows[2]["prods:id"])
    assert.is_nil(members.ttOrderLine)
    local before = members["prods:before"]
    assert.same({ ids.head, was }, { before.ttOrder[1]["prods:id"], before.ttOrder[1].Remarks })
    assert.same({ "deleted", ids.line },
      { before.ttOrderLine[1]["prods:rowState"], before.ttOrderLine[1]["prods:clientId"] })
    assert.is_nil(sent[1].text:find '"_')
    assert.is_true(created.OrderNum > 0)
    assert.is_false(orders:hasChanges())
    assert.equal(3, #made.jsrecords)
    assert.equal(datasession.JSDO._OP_SUBMIT, made.operation)
    assert.is_nil(heads.record)
  end)

  it("fires after... for each record, with its own success", function()
    local customers, log = filled "Customer", {}
    data.find(customers, "CustNum", 3).Comments = "a" .. fresh()
    data.find(customers, "CustNum", 4).Comments = "b" .. fresh()
    data.find(customers, "CustNum", 5):remove()
    customers:add { Name = "New" }
    for _, event in ipairs { "afterCreate", "afterUpdate", "afterDelete" } do
      customers:subscribe(event, function(_, record, success, request)
        log[event .. record.CustNum] = success
        assert.equal(record, request.jsrecord)
        assert.equal(success, request.success)
      end)
    end
    server:refuseRows { where = "CustNum = 4", message = "Not four" }
    local done = {}
    local ok, err = customers:saveChanges {
      submit = true, onProgress = function(n, total) done[#done + 1] = n .. "/" .. total end,
    }:await(LIMIT)
    assert.is_nil(ok)
    assert.matches("3 of 4 changes saved, 1 refused", err.message)
    assert.same({ "1/4", "2/4", "3/4", "4/4" }, done)
    assert.same({ true, false, true }, { log.afterUpdate3, log.afterUpdate4, log.afterDelete5 })
    local new = data.find(customers, "Name", "New")
    assert.is_true(log["afterCreate" .. new.CustNum])
    assert.is_nil(customers:find(function(r) return r.CustNum == 5 end))
    assert.is_false(customers:hasChanges())
    assert.same({ "Not four" }, { data.find(customers, "CustNum", 4).errorString })
    assert.same({ "Not four", 1 }, { customers:getErrors()[1].error, #customers:getErrors() })
  end)

  it("keeps refused changes without autoApplyChanges, and sends only them again", function()
    local customers = filled("Customer", { autoApplyChanges = false })
    data.find(customers, "CustNum", 13).Comments = "a" .. fresh()
    local refused = data.find(customers, "CustNum", 14)
    refused.Comments = "b" .. fresh()
    server:refuseRows { where = "CustNum = 14" }
    assert.is_nil((customers:saveChanges(true):await(LIMIT)))
    assert.equal("modified", refused.state)
    assert(customers:saveChanges(true):await(LIMIT))
    local rows = data.sent(server)[2].body.dsCustomer.ttCustomer
    assert.same({ 1, 14 }, { #rows, rows[1].CustNum })
    assert.equal(refused.Comments, stored(14).Comments)
    assert.equal(2, #customers:getChanges())
    customers:acceptChanges()
    assert.is_false(customers:hasChanges())
  end)

  it("leaves out what a handler cancels", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 23).Comments = "a" .. fresh()
    data.find(customers, "CustNum", 24).Comments = "b" .. fresh()
    customers:subscribe("beforeUpdate", function(_, record) return record.CustNum ~= 23 end)
    local ok, err = customers:saveChanges(true):await(LIMIT)
    assert.is_nil(ok)
    assert.equal("cancelled", err.kind)
    assert.equal(1, #data.sent(server)[1].body.dsCustomer.ttCustomer)
    assert.equal(23, customers:getChanges()[1].record.CustNum)
    assert.equal(1, #customers:getChanges())
  end)

  it("keeps what is changed while it is pending", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 25)
    local first, second = "a" .. fresh(), "b" .. fresh()
    record.Comments = first
    server:fault { kind = "slow", delay = 0.05, method = "PUT" }
    local promise = customers:saveChanges(true)
    await.stepUntil(function() return #data.sent(server) > 0 end)
    record.Comments = second
    local added = customers:add { Name = "Meanwhile" }
    assert(promise:await(LIMIT))
    assert.same({ second, first }, { record.Comments, record.before.Comments })
    assert.equal("created", added.state)
    assert(customers:saveChanges(true):await(LIMIT))
    assert.equal(second, stored(25).Comments)
  end)

  it("keeps all changes when the catalog's address cannot be completed", function()
    data.addCatalog(session, [[
      {"version":"1.5","services":[{"name":"Open","address":"/rest/Open","resources":[{
      "name":"Open","path":"/Open","schema":{"properties":{"dsOpen":{"type":"object","properties":{
      "ttOpen":{"type":"array","items":{"properties":{"Id":{"type":"integer"}}}}}}}},
      "operations":[{"type":"submit","path":"/{Region}","verb":"put","useBeforeImage":true}]}]}]}]])
    local open = datasession.JSDO { name = "Open", session = session }
    local record = open.ttOpen:add { Id = 1 }
    server:clearRequests()
    local err = await.rejected(open:saveChanges(true), "catalog")
    assert.matches(": the operation submit needs a value for 'Region', got nothing$", err.message)
    assert.equal("created", record.state)
    assert.equal(0, #server:requests())
    assert.matches("needs a value for 'Region'", open:getErrors()[1].error)
  end)

  it("gives all records back when one of them has no JSON", function()
    local customers = filled "Customer"
    local first, second = data.find(customers, "CustNum", 31), data.find(customers, "CustNum", 32)
    first.Comments = "n" .. fresh()
    local seen = {}
    second.Comments = "\xff"
    local handle = function(_, _, _, request) seen[#seen + 1] = request.exception.message end
    customers:subscribe("afterUpdate", handle)
    server:clearRequests()
    local err = await.rejected(customers:saveChanges(true), "error")
    assert.equal("correct the value, then save again", err.hint)
    assert.equal(2, #seen)
    assert.equal("modified", first.state)
    assert.equal(0, #server:requests())
    assert.is_true(first:rejectRowChanges())
    second.Comments = "n" .. fresh()
    customers:unsubscribe("afterUpdate", handle)
    assert(customers:saveChanges(true):await(LIMIT))
    assert.equal(second.Comments, stored(32).Comments)
  end)

  it("sends nothing when nothing is pending", function()
    local customers = filled "Customer"
    local _, _, made = customers:saveChanges(true):await(LIMIT)
    assert.is_true(made.success)
    assert.same({}, made.jsrecords)
    assert.same({}, data.sent(server))
  end)

  it("finds the records in an answer that is wrapped once more, or in `response`", function()
    local customers = filled "Customer"
    for _, wrap in ipairs {
      function(members) return { dsCustomer = { dsCustomer = members } } end,
      function(members) return { response = { dsCustomer = members } } end,
    } do
      local record = customers:add { Name = "New" }
      answer(wrap { ttCustomer = { { ["prods:clientId"] = record:getId(), CustNum = 900 + fresh() } } })
      assert(customers:saveChanges(true):await(LIMIT))
      assert.is_true(record.CustNum > 900)
      assert.is_nil(record.state)
    end
  end)

  it("rejects the answer whose rows name no record; what was saved is unknown", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 27)
    record.Comments = "a" .. fresh()
    for message, body in pairs {
      ["a row of ttCustomer has no prods:clientId"] = { dsCustomer = { ttCustomer = { { CustNum = 27 } } } },
      ["a row of ttCustomer has a prods:clientId that was not sent"] = {
        dsCustomer = { ttCustomer = { { ["prods:clientId"] = "other" } } } },
      ["ttCustomer: expected an array of rows, got string"] = { dsCustomer = { ttCustomer = "x",
        ["prods:hasChanges"] = true } },
      ["the response is not JSON"] = "<html>",
      ["expected the rows of Customer, got number"] = "5",
      ["expected the rows of Customer, got nothing"] = "{}",
      ["expected the rows of Customer, got null"] = '{"dsCustomer":null}',
      ["the rows of Customer, got null"] = '{"dsCustomer":{"dsCustomer":null}}',
    } do
      answer(body)
      local ok, err = customers:saveChanges(true):await(LIMIT)
      assert.is_nil(ok)
      assert.equal("protocol", err.kind)
      assert.matches(message, err.message, 1, true)
      assert.equal("modified", record.state)
      assert.equal(1, #customers:getErrors())
    end
  end)

  it("undoes all changes that the server refuses as a whole, and no others", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 28)
    local was = record.Comments
    record.Comments = "a" .. fresh()
    local outcomes = {}
    customers:subscribe("afterUpdate", function(_, _, _, made) outcomes[#outcomes + 1] = made.outcome end)
    server:fault { kind = "close", method = "PUT" }
    local _, err = customers:saveChanges(true):await(LIMIT)
    assert.equal("connect", err.kind)
    assert.same({ "unknown" }, outcomes)
    assert.is_true(err.info.mayHaveArrived)
    assert.equal("modified", record.state)
    server:fault { kind = "status", status = 500, method = "PUT", contentType = "application/json",
      body = '{"_errors":[{"_errorMsg":"Closed today","_errorNum":7}],"_retVal":"closed"}' }
    _, err = customers:saveChanges(true):await(LIMIT)
    assert.equal(500, err.httpStatus)
    assert.equal(was, record.Comments)
    assert.is_nil(record.state)
    local entries = customers:getErrors()
    assert.same({ "closed", datasession.JSDO.RETVAL }, { entries[1].error, entries[1].type })
    assert.same({ "Closed today", 7, datasession.JSDO.APP_ERROR },
      { entries[2].error, entries[2].errorNum, entries[2].type })
  end)

  it("of a temp-table sends rows without marks, and leaves the rest to the program", function()
    local items = filled "Item"
    assert.error_matches(function() items:saveChanges(true) end,
      "saveChanges: the answer to the submit of a temp-table names no records: set autoApplyChanges", 1, true)
    items.autoApplyChanges = false
    local price = fresh()
    data.find(items, "ItemNum", 6).Price = price
    items:add { ItemName = "Ropes" }
    data.find(items, "ItemNum", 8):remove()
    assert(items:saveChanges(true):await(LIMIT))
    local body = data.sent(server)[1].body
    assert.same({ 2, 6, price, "Ropes" },
      { #body.ttItem, body.ttItem[1].ItemNum, body.ttItem[1].Price, body.ttItem[2].ItemName })
    assert.is_nil(data.sent(server)[1].text:find "prods:")
    assert.equal(3, #items:getChanges())
    items:acceptChanges()
    assert.is_false(items:hasChanges())
    items:add { ItemName = "Poles" }
    answer "no JSON"
    await.rejected(items:saveChanges(true), "protocol")
    assert.equal(1, #items:getChanges())
  end)

  it("tells of a cancelled submit, and can be gone on with", function()
    local customers = filled "Customer"
    local record = data.find(customers, "CustNum", 29)
    record.Comments = "a" .. fresh()
    server:fault { kind = "slow", delay = LIMIT, method = "PUT" }
    local promise = customers:saveChanges(true)
    await.stepUntil(function() return #data.sent(server) > 0 end)
    promise:cancel()
    await.rejected(promise, "cancelled")
    assert.equal("modified", record.state)
    assert.equal(1, #customers:getErrors())
    server:clearFaults()
    server:setData { locking = false }
    assert(customers:saveChanges(true):await(LIMIT))
    server:setData { locking = true }
    assert.equal(record.Comments, stored(29).Comments)
  end)

  it("of many changes lets others run meanwhile", function()
    local customers = filled "Customer"
    for record in customers:records() do record.Comments = "m" .. fresh() end
    local turns = 0
    local promise = customers:saveChanges(true)
    while promise:state() == "pending" do
      turns = turns + 1
      datasession.step(0.01, 1e-6)
    end
    assert(promise:await())
    assert.is_true(turns > 5)
    assert.is_false(customers:hasChanges())
  end)
end)
