-- addRecords: the forms of data, the four modes, keys.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO
local APPEND, EMPTY, MERGE, REPLACE = JSDO.MODE_APPEND, JSDO.MODE_EMPTY, JSDO.MODE_MERGE, JSDO.MODE_REPLACE

describe("addRecords", function()
  local server, session, items, orders

  setup(function()
    server = assert(sandbox.start {})
    session = data.session(server)
  end)

  teardown(function()
    sessions.endAll()
    server:close()
  end)

  before_each(function()
    items = JSDO { name = "Item", session = session }
    orders = JSDO { name = "Order", session = session }
    orders.useRelationships = false
  end)

  local function names(object)
    local list = {}
    local key, text = "ItemNum", "ItemName"
    if object == orders.ttOrder then key, text = "OrderNum", "Status" end
    for r in object:records() do list[#list + 1] = ("%s %s"):format(r[key], r[text]) end
    return list
  end

  local function item(number, name) return { ItemNum = number, ItemName = name } end

  it("refuses values that have no JSON, and takes the lists of records", function()
    local loop = {}
    loop.loop = loop
    for message, value in pairs {
      ["expected a JSON value, got function"] = print, ["NaN and infinity have no JSON"] = 0 / 0,
      ["nested deeper than 100 levels, or a table that holds itself"] = loop,
    } do
      assert.error_matches(function() items:addRecords({ item(1, value) }, APPEND) end,
        "addRecords: row 1 of ttItem: ItemName: " .. message)
    end
    assert.error_matches(function() items:addRecords({ { ItemNum = 1, [2] = 3 } }, APPEND) end,
      "row 1 of ttItem: 2: expected the name of a field, got number")
    assert.equal(0, #items)
    orders.ttOrder:addRecords({ { OrderNum = 1, Discounts = { 1, 2, 3 } } }, APPEND)
    local source = orders.ttOrder:findById(orders.ttOrder:find(function() return true end).id)
    orders.ttOrder:addRecords({ { OrderNum = 2, Discounts = source.Discounts } }, APPEND)
    local copy = data.find(orders.ttOrder, "OrderNum", 2)
    source.Discounts[1] = 9
    assert.same({ 1, 2, 3 }, { copy.Discounts[1], copy.Discounts[2], copy.Discounts[3] })
  end)

  it("brings no record back whose removal is pending", function()
    items:addRecords({ item(1, "a"), item(2, "b") }, APPEND)
    data.find(items, "ItemNum", 1):remove()
    for _, mode in ipairs { MERGE, REPLACE } do
      items:addRecords({ item(1, "new"), item(2, "B") }, mode, { "ItemNum" })
      assert.equal(1, #items)
    end
    local deleted = { ItemNum = 1, ["prods:rowState"] = "deleted" }
    assert.error_matches(function()
      items:addRecords({ ttItem = {}, ["prods:before"] = { ttItem = { deleted } } }, MERGE, { "ItemNum" })
    end, "the record has a pending change")
    items:rejectChanges()
    assert.same({ "1 new", "2 B" }, names(items))
    data.find(items, "ItemNum", 1):remove()
    items:addRecords({ item(1, "again") }, APPEND, { "ItemNum" })
    assert.same({ "2 B", "1 again" }, names(items))
  end)

  it("takes 1 and 1.0 for one key, and tells numbers of many digits apart", function()
    items:addRecords({ item(1, "a") }, APPEND)
    items:addRecords({ item(1.0, "b"), item(0.12345678901234501, "c"), item(0.12345678901234502, "d") },
      REPLACE, { "ItemNum" })
    assert.equal(0.12345678901234501 == 0.12345678901234502 and 2 or 3, #items)
    assert.equal("b", data.find(items, "ItemNum", 1).ItemName)
  end)

  it("takes arrays, tables by name, { data = rows }, and records of another data object", function()
    local rows = { item(1, "a") }
    assert.equal(items, items:addRecords(rows, APPEND))
    items:addRecords({ ttItem = { item(2, "b") } }, APPEND)
    items:addRecords({ data = { item(3, "c") } }, APPEND)
    assert.equal(items.ttItem, items.ttItem:addRecords({ item(4, "d") }, APPEND))
    items.ttItem:addRecords({ ttItem = { item(5, "e") } }, APPEND)
    local other = JSDO { name = "ItemById", session = session }
    other:addRecords({ item(6, "f") }, APPEND)
    items:addRecords({ (other:find(function() return true end)) }, APPEND)
    assert.same({ "1 a", "2 b", "3 c", "4 d", "5 e", "6 f" }, names(items))
    assert.is_false(items:hasChanges())
    rows[1].ItemName = "changed" -- the program's own table
    assert.equal("1 a", names(items)[1])
  end)

  it("knows the keys that there are, merge after merge, whatever happens to the records between", function()
    local list = {}
    for i = 1, 20 do list[i] = item(i, "a") end
    items:addRecords(list, APPEND)
    local function put(number, name) items:addRecords({ item(number, name) }, REPLACE, { "ItemNum" }) end
    local function at(number)
      local found = {}
      for r in items:records() do
        if r.ItemNum == number then found[#found + 1] = r.ItemName end
      end
      return table.concat(found, " ")
    end
    put(21, "new")
    put(21, "newer")
    assert.equal("newer", at(21))
    local third = data.find(items, "ItemNum", 3)
    third.ItemNum = 99 -- a key that changes
    put(99, "b")
    put(3, "another")
    assert.equal("b another", at(99) .. " " .. at(3))
    local fourth = data.find(items, "ItemNum", 4)
    fourth:remove() -- a record that goes, and comes back
    put(4, "instead")
    fourth:rejectRowChanges()
    assert.equal("instead", at(4))
    local fifth = data.find(items, "ItemNum", 5)
    fifth:remove()
    put(6, "c")
    fifth:rejectRowChanges()
    put(5, "d")
    assert.equal("d", at(5))
    items:add(item(30, "added")) -- one that does not come by a merge
    put(30, "e")
    assert.equal("e", at(30))
    items:addRecords({ item(1, "only") }, EMPTY)
    put(2, "f")
    put(1, "g")
    assert.same({ "1 g", "2 f" }, names(items))
  end)

  it("takes datasets of several tables; with EMPTY the absent ones are cleared", function()
    orders:addRecords({ dsOrder = { ttOrder = { { OrderNum = 1, Status = "x" } },
      ttOrderLine = { { LineId = 1, OrderNum = 1 } } } }, APPEND)
    orders:addRecords({ ttOrder = { { OrderNum = 2, Status = "y" } } }, APPEND)
    orders.ttOrder:addRecords({ { OrderNum = 3, Status = "z" } }, APPEND)
    assert.same({ "1 x", "2 y", "3 z" }, names(orders.ttOrder))
    orders:addRecords({ ttOrder = { { OrderNum = 4, Status = "w" } } }, EMPTY)
    assert.same({ "4 w" }, names(orders.ttOrder))
    assert.is_false(orders.ttOrderLine:hasData())
    orders:addRecords({}, EMPTY)
    assert.is_false(orders:hasData())
  end)

  it("without keys every row is new", function()
    for _, mode in ipairs { APPEND, MERGE, REPLACE } do
      items:addRecords({ item(1, "a") }, mode)
    end
    assert.equal(3, #names(items))
  end)

  it("merges by keys, whatever the case of texts unless caseSensitive", function()
    local function reset() items:addRecords({ item(1, "a"), item(2, "b") }, EMPTY) end
    reset()
    items:addRecords({ item(2, "new"), item(3, "c") }, MERGE, { "ItemNum" })
    assert.same({ "1 a", "2 b", "3 c" }, names(items))
    reset()
    items:addRecords({ item(2, "new"), item(3, "c"), item(3, "d") }, REPLACE, { "itemnum" })
    assert.same({ "1 a", "2 new", "3 d" }, names(items))
    reset()
    items:addRecords({ item(7, "A") }, MERGE, { ttItem = { "ItemName" } })
    assert.equal(2, #names(items))
    items.caseSensitive = true
    items:addRecords({ item(7, "A") }, MERGE, { ttItem = { "ItemName" } })
    assert.equal(3, #names(items))
    items:addRecords({ { ItemNum = 7, ItemName = "B" }, { ItemNum = 7, ItemName = "A", Price = 3 } }, REPLACE,
      { "ItemNum", "ItemName" })
    assert.equal(4, #names(items))
    assert.equal(3, data.find(items, "ItemName", "A").Price)
    assert.is_false(items:hasChanges())
  end)

  it("with APPEND raises for a key that is there, and changes nothing", function()
    items:addRecords({ item(1, "a") }, EMPTY)
    for _, rows in ipairs { { item(2, "b"), item(1, "c") }, { item(2, "b"), item(2, "c") } } do
      assert.error_matches(function() items:addRecords(rows, APPEND, { "ItemNum" }) end,
        "addRecords: row 2 of ttItem: a record with that key (ItemNum) is there already", 1, true)
      assert.same({ "1 a" }, names(items))
    end
  end)

  it("keeps pending changes of records that it replaces, on top of the new values", function()
    items:addRecords({ { ItemNum = 1, ItemName = "a", Price = 1 } }, EMPTY)
    local record = data.find(items, "ItemNum", 1)
    record.Price = 5
    items:addRecords({ { ItemNum = 1, ItemName = "b", Price = 2 } }, REPLACE, { "ItemNum" })
    assert.same({ "b", 5, 2 }, { record.ItemName, record.Price, record.before.Price })
    items:addRecords({ { ItemNum = 1, Price = 5 } }, REPLACE, { "ItemNum" })
    assert.is_nil(record.state) -- the server has that value, too
  end)

  it("takes before-images over as pending changes", function()
    orders:addRecords({ dsOrder = {
      ["prods:hasChanges"] = true,
      ttOrder = {
        { ["prods:clientId"] = "a", ["prods:rowState"] = "created", OrderNum = 1, Status = "new" },
        { ["prods:id"] = "b", ["prods:rowState"] = "modified", OrderNum = 2, Status = "now",
          ["prods:hasErrors"] = true },
        { OrderNum = 3, Status = "same" },
      },
      ["prods:before"] = { ttOrder = {
        { ["prods:id"] = "b", OrderNum = 2, Status = "was" },
        { ["prods:rowState"] = "deleted", OrderNum = 4, Status = "gone" },
      } },
      ["prods:errors"] = { ttOrder = { { ["prods:id"] = "b", ["prods:error"] = "Why" } } },
    } }, MERGE, { ttOrder = { "OrderNum" } })
    assert.same({ "1 new", "2 now", "3 same" }, names(orders.ttOrder))
    local second = data.find(orders.ttOrder, "OrderNum", 2)
    assert.same({ "modified", "was", "Why" }, { second.state, second.before.Status, second.errorString })
    assert.equal(3, #orders:getChanges())
    assert.error_matches(function()
      orders:addRecords({ dsOrder = { ttOrder = { { ["prods:id"] = "b", ["prods:rowState"] = "modified",
        OrderNum = 2 } } } }, MERGE, { "OrderNum" })
    end, "the record has a pending change")
    orders:rejectChanges()
    assert.same({ "2 was", "3 same", "4 gone" }, names(orders.ttOrder))
  end)

  it("is linear in the number of rows", function()
    local rows = {}
    for i = 1, 20000 do rows[i] = item(i, "n" .. i) end
    items:addRecords(rows, EMPTY)
    items:addRecords(rows, REPLACE, { "ItemNum" }) -- quadratic work would take minutes
    assert.equal(20000, #names(items))
  end)

  it("raises for mistakes", function()
    local customers = JSDO { name = "Customer", session = session }
    for message, arguments in pairs {
      ["addRecords: data: expected a table, got string"] = { items, "x", APPEND },
      ["addRecords: mode: expected one of JSDO.MODE_APPEND, JSDO.MODE_EMPTY, JSDO.MODE_MERGE, "
        .. "JSDO.MODE_REPLACE, got nothing"] = { items, {} },
      ["got 5"] = { items, {}, 5 },
      ["addRecords: data: expected rows of ttItem"] = { items, { other = {} }, APPEND },
      ["addRecords: data: expected rows of ttCustomer"] = { customers, {}, MERGE },
      ["addRecords: data: expected rows of ttOrder or ttOrderLine"] = { orders, {}, APPEND },
      ["addRecords: data: Order has several tables: call it on one of them, or give { table = rows }"] = {
        orders, { { OrderNum = 1 } }, APPEND },
      ["addRecords: keyFields: expected an array of names, got string"] = { items, { {} }, MERGE, "ItemNum" },
      ["addRecords: keyFields: unknown field 'ItemNmu': did you mean 'ItemNum'?"] = {
        items, { {} }, MERGE, { "ItemNmu" } },
      ["addRecords: row 1 of ttItem: expected a table of values, got number"] = { items, { 1 }, APPEND },
      ["expected created, modified or deleted as prods:rowState"] = {
        items, { { ["prods:rowState"] = "x" } }, APPEND },
    } do
      local object = arguments[1]
      assert.matches(message, raised(function()
        object:addRecords(table.unpack(arguments, 2, 4))
      end), 1, true)
    end
  end)
end)
