-- Relations: child tables show the records of their parent's working record.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO

describe("related tables", function()
  local server, session, jsdo, orders, lines

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function()
    server:close()
    jsdo, orders, lines = nil, nil, nil -- large, and full collections of later specs would go through them
  end)
  after_each(sessions.endAll)

  before_each(function()
    session = data.begin(server)
    jsdo = JSDO { name = "Order", session = session }
    orders, lines = jsdo.ttOrder, jsdo.ttOrderLine
    jsdo:addRecords({ dsOrder = {
      ttOrder = { { OrderNum = 1 }, { OrderNum = 2 }, { OrderNum = 3 } },
      ttOrderLine = {
        { OrderNum = 2, LineNum = 1, ItemName = "Skis" }, { OrderNum = 1, LineNum = 1, ItemName = "Ball" },
        { OrderNum = 1, LineNum = 2, ItemName = "Bat" }, { OrderNum = 2, LineNum = 2, ItemName = "Wax" },
      },
    } }, JSDO.MODE_EMPTY)
  end)

  local function select(number) return data.find(orders, "OrderNum", number) end

  local function items() return data.line(lines, "ItemName") end

  it("show the children of the parent's working record", function()
    select(1)
    assert.equal("Ball Bat", items())
    assert.equal("Ball", lines.record.ItemName)
    assert.equal("Ball", lines.ItemName)
    select(2)
    assert.equal("Skis Wax", items())
    assert.equal("Skis", lines.record.ItemName)
    assert.equal(2, #lines:getData())
    local seen = {}
    lines:foreach(function(r) seen[#seen + 1] = r.ItemName end)
    assert.same({ "Skis", "Wax" }, seen)
    assert.is_nil(lines:find(function(r) return r.ItemName == "Ball" end))
    select(3)
    assert.equal("", items())
    assert.is_nil(lines.record)
  end)

  it("follow while the parents are walked", function()
    local seen = {}
    orders:foreach(function(order)
      seen[#seen + 1] = order.OrderNum .. ":" .. items()
    end)
    assert.same({ "1:Ball Bat", "2:Skis Wax", "3:" }, seen)
  end)

  it("raise when the parent has no working record, unless the child is empty", function()
    orders:findById "none"
    assert.is_nil(lines.record)
    local message = ": ttOrder has no working record, and ttOrderLine is related to it: find one first, or "
      .. "set useRelationships to false"
    for _, method in ipairs { "find", "foreach", "records", "getData" } do
      assert.equal(method .. message,
        raised(function() lines[method](lines, method:find "^f" and print or nil) end))
    end
    assert.equal("add" .. message, raised(function() lines:add { LineNum = 1 } end))
    jsdo:addRecords({ dsOrder = { ttOrder = { { OrderNum = 1 } } } }, JSDO.MODE_EMPTY)
    orders:findById "none"
    assert.same({}, lines:getData())
  end)

  it("find children by id whatever the parent", function()
    select(2)
    local skis = lines.record
    orders:findById "none"
    assert.equal(skis, lines:findById(skis.id))
    assert.equal(skis, lines.record)
  end)

  it("give new children the parent's key, and new parents no children", function()
    select(2)
    local line = lines:add { LineNum = 3, ItemName = "Poles" }
    assert.equal(2, line.OrderNum)
    assert.equal("Skis Wax Poles", items())
    assert.equal(7, lines:add { OrderNum = 7 }.OrderNum)
    assert.equal("Skis Wax Poles", items())
    orders:add { OrderNum = 1 }
    assert.is_nil(lines.record)
    assert.equal("Ball Bat", items())
    orders:add { OrderNum = 4 }
    assert.equal("", items())
    lines:add { ItemName = "First" }
    assert.equal("First", items())
  end)

  it("follow changes of keys, removals and undos", function()
    select(1)
    local bat = data.find(lines, "ItemName", "Bat")
    bat.OrderNum = 2
    assert.equal("Ball", items())
    select(2)
    assert.equal("Skis Bat Wax", items())
    bat:remove()
    assert.equal("Skis Wax", items())
    lines:rejectChanges()
    assert.equal("Skis Wax", items())
    select(1)
    assert.equal("Ball Bat", items())
    lines:setSortFields { "ItemName:DESC" }
    assert.equal("Bat Ball", items())
    data.find(lines, "ItemName", "Ball").ItemName = "Zebra"
    assert.equal("Zebra Bat", items())
    lines:add { ItemName = "Cue" }
    assert.equal("Zebra Cue Bat", items())
  end)

  it("are ignored with useRelationships false", function()
    jsdo.useRelationships = false
    orders:findById "none"
    assert.equal("Skis Ball Bat Wax", items())
    assert.equal(0, lines:add { ItemName = "x" }.OrderNum)
    lines:find(function(r) return r.ItemName == "Wax" end)
    select(1)
    assert.equal("Wax", lines.record.ItemName)
  end)

  it("match texts and numbers, and several fields, in any case of the catalog's names", function()
    data.addCatalog(session, [[
      {"version":"1.5","services":[{"name":"Odd","address":"/rest/Odd","resources":[{
      "name":"Odd","path":"/Odd","schema":{"type":"object","properties":{"dsOdd":{"type":"object",
      "properties":{"a":{"type":"array","items":{
        "properties":{"x":{"type":"integer"},"y":{"type":"string"}}}},
      "b":{"type":"array","items":{"properties":{"x":{"type":"string"},"y":{"type":"string"}}}},
      "c":{"type":"array","items":{"properties":{"y":{"type":"string"}}}}}}}},
      "relations":[
        {"relationName":"self","parentName":"a","childName":"a",
         "relationFields":[{"parentFieldName":"x","childFieldName":"x"}]},
        {"relationName":"ab","parentName":"a","childName":"b","relationFields":[
          {"parentFieldName":"X","childFieldName":"x"},{"parentFieldName":"y","childFieldName":"Y"}]},
        {"relationName":"bc","parentName":"b","childName":"c",
         "relationFields":[{"parentFieldName":"y","childFieldName":"y"}]},
        {"relationName":"ca","parentName":"c","childName":"a",
         "relationFields":[{"parentFieldName":"y","childFieldName":"y"}]}],
      "operations":[{"type":"read","path":"","verb":"get","params":[]}]}]}]}]])
    local odd = JSDO { name = "Odd", session = session }
    odd:addRecords({ dsOdd = {
      a = { { x = 1, y = "2:3" }, { x = 12, y = ":3" } },
      b = { { x = "1", y = "2:3" }, { x = "12", y = ":3" }, { x = "1", y = "2:3" } },
      c = { { y = ":3" }, { y = "2:3" } },
    } }, JSDO.MODE_EMPTY)
    data.find(odd.a, "x", 1)
    assert.equal(2, #odd.b:getData())
    assert.equal("2:3", odd.c.record.y)
    data.find(odd.a, "x", 12)
    assert.equal(1, #odd.b:getData())
    assert.equal(":3", odd.c.record.y)
    odd.b:findById "none"
    assert.is_nil(odd.c.record)
  end)

  it("raise for a catalog that relates fields which do not exist", function()
    data.addCatalog(session, [[
      {"version":"1.5","services":[{"name":"Bad","address":"/rest/Bad","resources":[{
      "name":"Bad","path":"/Bad","schema":{"type":"object","properties":{"dsBad":{"type":"object",
      "properties":{"a":{"type":"array","items":{"properties":{"x":{"type":"integer"}}}},
      "b":{"type":"array","items":{"properties":{"y":{"type":"integer"}}}}}}}},
      "relations":[{"relationName":"ab","parentName":"a","childName":"b",
        "relationFields":[{"parentFieldName":"x","childFieldName":"z"}]}],
      "operations":[{"type":"read","path":"","verb":"get","params":[]}]}]}]}]])
    assert.equal("JSDO: the catalog's relation 'ab' names the field 'z', which b lacks",
      raised(function() JSDO { name = "Bad", session = session } end))
  end)

  it("stay linear in the number of children", function()
    -- A quadratic way takes minutes here.
    local parents, children = {}, {}
    for i = 1, 5000 do
      parents[i] = { OrderNum = i }
      children[2 * i - 1], children[2 * i] = { OrderNum = i, LineNum = 1 }, { OrderNum = i, LineNum = 2 }
    end
    jsdo:addRecords({ dsOrder = { ttOrder = parents, ttOrderLine = children } }, JSDO.MODE_EMPTY)
    local count = 0
    orders:foreach(function(order)
      lines:add { LineNum = 3 }
      lines:find(function(r) return r.LineNum == 1 end).OrderNum = 5001 - order.OrderNum
      for _ in lines:records() do count = count + 1 end
    end)
    assert.equal(15000, #lines)
    assert.equal(12500, count)
  end)

  it("stay linear when the children are kept sorted", function()
    local parents, children = {}, {}
    for i = 1, 5000 do
      parents[i] = { OrderNum = i }
      children[2 * i - 1] = { OrderNum = i, ItemName = "b" }
      children[2 * i] = { OrderNum = i, ItemName = "d" }
    end
    jsdo:addRecords({ dsOrder = { ttOrder = parents, ttOrderLine = children } }, JSDO.MODE_EMPTY)
    lines:setSortFields { "ItemName" }
    orders:foreach(function()
      lines:add { ItemName = "c" }
      lines:find(function(r) return r.ItemName == "d" end).ItemName = "a"
      assert(items() == "a b c")
    end)
    local last = ""
    jsdo.useRelationships = false
    for r in lines:records() do
      assert(last <= r.ItemName)
      last = r.ItemName
    end
    jsdo.useRelationships = true
    lines:sort { "ItemName:DESC" }
    select(7)
    assert.equal("c b a", items())
    data.find(lines, "ItemName", "c").ItemName = "0"
    assert.equal("0 a b", items())
  end)
end)
