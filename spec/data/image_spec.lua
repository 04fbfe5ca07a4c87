-- Before-images: what is written, and what is read.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local image = require "datasession.internal.data.image"
local imagewriter = require "datasession.internal.data.imagewriter"
local memory = require "datasession.internal.data.memory"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local null = datasession.null

describe("a before-image", function()
  local server, session, orders, byId

  setup(function()
    server = assert(sandbox.start {})
    session = data.session(server)
  end)

  teardown(function()
    sessions.endAll()
    server:close()
  end)

  before_each(function()
    orders = datasession.JSDO { name = "Order", session = session }
    orders.useRelationships = false
    byId = datasession.JSDO { name = "OrderById", session = session }
    byId.useRelationships = false
  end)

  local function load(jsdo, rows)
    memory.load(jsdo.ttOrder, codec.array(rows))
  end

  local function written(jsdo)
    local records = {}
    for _, t in ipairs { jsdo.ttOrder, jsdo.ttOrderLine } do records[t] = memory.changed(t) end
    return imagewriter.write(jsdo, records)
  end

  it("is written with exactly these keys", function()
    load(byId, { { OrderNum = 1, Status = "a", Remarks = null }, { OrderNum = 2, Status = "b" } })
    byId.ttOrder:findById("1").Status = "c"
    byId.ttOrder:findById(2)
    byId.ttOrder:remove()
    local created = byId.ttOrder:add { OrderNum = 3, Status = "d" }
    local members = codec.decode(written(byId)).dsOrder
    local row = members.ttOrder[2]
    assert.equal(created:getId(), row["prods:clientId"])
    members.ttOrder[2] = { row["prods:rowState"], row["prods:id"] or "none", row.OrderNum, row.Status }
    assert.same({
      ["prods:hasChanges"] = true,
      ttOrder = {
        { ["prods:id"] = "1", ["prods:clientId"] = "1", ["prods:rowState"] = "modified", OrderNum = 1,
          Status = "c", Remarks = null },
        { "created", "none", 3, "d" },
      },
      ["prods:before"] = { ttOrder = {
        { ["prods:id"] = "1", OrderNum = 1, Status = "a", Remarks = null },
        { ["prods:clientId"] = "2", ["prods:rowState"] = "deleted", OrderNum = 2, Status = "b" },
      } },
    }, members)
  end)

  it("has no keys of the library's own, whatever the server sent, and escapes ids", function()
    load(orders, {
      { OrderNum = 1, _id = "x", _index = 3, _errorString = "e", ["prods:id"] = "p", _rejected = true },
    })
    data.find(orders.ttOrder, "OrderNum", 1).Status = "a"
    local text = written(orders)
    for _, key in ipairs { "_id", "_index", "_errorString", "_rejected" } do
      assert.is_nil(text:find('"' .. key, 1, true))
    end
    local row = codec.decode(text).dsOrder.ttOrder[1]
    assert.equal(row["prods:clientId"], row["prods:id"])
    assert.equal("p", memory.values(orders.ttOrder.record)["prods:id"]) -- the row itself stays as it is
    load(byId, { { OrderNum = 1, _errorString = "e" } })
    byId.ttOrder:findById("1").Status = "a"
    assert.is_nil(written(byId):find("_errorString", 1, true))
    byId.ttOrder:addRecords({ { OrderNum = 'q"\\' } }, 2)
    byId.ttOrder:find(function() return true end).Status = "b"
    assert.equal('q"\\', codec.decode(written(byId)).dsOrder.ttOrder[1]["prods:id"])
  end)

  it("raises with the record for a value that has no JSON", function()
    load(byId, { { OrderNum = 1 } })
    byId.ttOrder:findById("1").Remarks = "\xff"
    local ok, err = pcall(written, byId)
    assert.is_false(ok)
    assert.equal("record 1: a string that is not UTF-8 has no JSON (at key Remarks)", err.message)
  end)

  it("is read with its pending changes, and written again the same", function()
    local text = [[{"dsOrder":{"prods:hasChanges":true,
      "ttOrder":[
        {"prods:id":"r1","prods:clientId":"9","prods:rowState":"modified","OrderNum":1,"Status":"now"},
        {"prods:clientId":"c","prods:rowState":"created","OrderNum":2},{"OrderNum":3,"Status":"same"}],
      "prods:before":{"ttOrder":[{"prods:id":"r1","OrderNum":1,"Status":"was"},
        {"prods:clientId":"d","prods:rowState":"deleted","OrderNum":4,"Status":"gone"}],
        "ttOrderLine":[{"prods:rowState":"deleted","LineId":"4-1"}]}}}]]
    assert.is_true(image.read(byId, codec.decode(text).dsOrder))
    local states = {}
    for _, change in ipairs(byId:getChanges()) do
      states[#states + 1] = change.rowState .. " " .. change.record:getId()
    end
    assert.same({ "modified 1", "created 2", "deleted 4" }, { states[1], states[2], states[3] })
    assert.equal(4, #states)
    assert.equal("was", byId.ttOrder:findById("1").before.Status)
    assert.is_nil(byId.ttOrder:findById("4"))
    local members = codec.decode(written(byId)).dsOrder
    assert.same({ ["prods:id"] = "1", OrderNum = 1, Status = "was" }, members["prods:before"].ttOrder[1])
    byId:rejectChanges()
    assert.equal("was", byId.ttOrder:findById("1").Status)
    assert.equal("gone", byId.ttOrder:findById("4").Status)
    assert.is_nil(byId.ttOrder:findById("2"))
  end)

  it("gives rows the errors that belong to them", function()
    assert.is_true(image.read(byId, codec.decode [[{"prods:hasChanges":true,"prods:hasErrors":true,
      "ttOrder":[{"prods:id":"a","prods:hasErrors":true,"OrderNum":1},
        {"prods:id":"b","prods:hasErrors":true,"OrderNum":2},{"OrderNum":3,"_errorString":"own"},
        {"prods:id":"d","prods:hasErrors":true,"OrderNum":4},{"OrderNum":5},
        {"prods:id":"f","prods:hasErrors":true,"OrderNum":6}],
      "prods:errors":{"ttOrder":[{"prods:id":"a","prods:error":"first"},{"prods:id":"b","prods:error":null},
        {"prods:id":"d","prods:error":"REJECTED"}]}}]]))
    local texts = {}
    for i = 1, 6 do texts[i] = byId.ttOrder:findById(tostring(i)):getErrorString() or false end
    local generic = "The server reports an error without a text."
    assert.same({ "first", generic, "own", false, false, generic }, texts)
    assert.is_nil(memory.values(byId.ttOrder:findById("1"))["prods:id"])
  end)

  it("is refused when it has another form, and memory stays", function()
    load(orders, { { OrderNum = 1 } })
    for message, text in pairs {
      ["ttOrder: expected an array of rows, got string"] = '{"ttOrder":"x"}',
      ["ttOrder: row 1: expected an object, got number"] = '{"ttOrder":[1]}',
      ["ttOrder: row 2: expected created, modified or deleted as prods:rowState"] =
        '{"ttOrder":[{},{"prods:rowState":"changed"}]}',
      ["prods:before.ttOrder: expected an array of rows, got boolean"] = '{"prods:before":{"ttOrder":true}}',
      ["prods:errors.ttOrderLine: row 1: expected an object, got string"] =
        '{"prods:errors":{"ttOrderLine":["x"]}}',
    } do
      local ok, problem = image.read(orders, codec.decode(text))
      assert.is_nil(ok)
      assert.equal(message, problem)
      assert.equal(1, #orders.ttOrder:getData())
    end
    for _, text in ipairs { '{"ttOrder":null,"prods:before":null,"prods:errors":null}', "{}" } do
      assert.is_true(image.read(orders, codec.decode(text)))
      assert.is_false(orders:hasData())
    end
  end)

  it("of many rows lets others run", function()
    local rows, turns = codec.array {}, 0
    for i = 1, 1000 do rows[i] = { OrderNum = i } end
    assert(image.read(orders, { ttOrder = rows }, function() turns = turns + 1 end))
    assert.equal(5, turns)
  end)
end)
