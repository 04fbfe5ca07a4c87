-- The methods of data objects and table references on what is in memory.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO

describe("a data object in memory", function()
  local server, customers, orders

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function()
    server:close()
    customers, orders = nil, nil -- large, and each full collection of a later spec would go through them
  end)
  after_each(sessions.endAll)

  before_each(function()
    local session = data.begin(server)
    customers = JSDO { name = "Customer", session = session }
    orders = JSDO { name = "Order", session = session }
    customers:addRecords({
      { CustNum = 1, Name = "Lift Tours" }, { CustNum = 2, Name = "Urpon Frisbee" },
      { CustNum = 3, Name = "Hoops" }, { CustNum = 4, Name = "Go Fishing" },
    }, JSDO.MODE_EMPTY)
  end)

  it("name the line of a call that was wrong", function()
    local record = customers:add { Name = "x" }
    for _, mistake in ipairs {
      function() customers:fill { topp = 1 } end,
      function() customers:read { filter = { field = "Nam" } } end,
      function() customers:invoke("RaiseCreditLimit", { custnum = 1 }) end,
      function() customers.operations.RaiseCreditLimit { custnum = 1 } end,
      function() customers:addRecords({ { CustNum = 1 } }, JSDO.MODE_MERGE, { "Cust" }) end,
      function() record:assign { CustNum = "abc" } end,
      function() record:assign { QuarterSales = "[1,x]" } end,
      function() record:assign { Name = {} } end,
      function() customers:pages { top = 1, fliter = 1 } end,
      function() customers:saveChanges { onProgres = print } end,
    } do
      local _, message = pcall(mistake)
      local line = debug.getinfo(mistake, "S").linedefined
      assert.matches("memory_spec.lua:" .. line .. ": ", message, 1, true)
    end
  end)

  local function numbers(object) return data.line(object, "CustNum") end

  it("finds the first record that a function accepts, which becomes the working record", function()
    local seen = {}
    local r = customers:find(function(r)
      seen[#seen + 1] = r.CustNum
      assert.equal(r, customers.record)
      return r.CustNum >= 2
    end)
    assert.equal("Urpon Frisbee", r.Name)
    assert.same({ 1, 2 }, seen)
    assert.equal(r, customers.record)
    assert.equal(r, customers.ttCustomer.record)
    assert.equal("Urpon Frisbee", customers.Name)
    assert.equal(r.id, customers:getId())
    assert.is_nil(customers:find(function() return false end))
    assert.is_nil(customers.record)
    assert.equal(0, customers:getId())
    assert.equal("find: expected the function to return true or false, got nil",
      raised(function() customers:find(function() end) end))
    assert.equal("find: expected a function, got string", raised(function() customers:find "x" end))
  end)

  it("walks the fields of the working record by pairs of a table", function()
    local function fields()
      local found = {}
      for name, value in pairs(customers.ttCustomer) do found[name] = value end
      return found
    end
    customers:add { CustNum = 9, Name = "Nine" }
    assert.equal("Nine", fields().Name)
    assert.equal(9, fields().CustNum)
    customers:findById "none"
    assert.same({}, fields())
  end)

  it("finds records by their ids", function()
    local byId = {}
    for r in customers:records() do byId[r.id] = r end
    for id, r in pairs(byId) do
      assert.equal(r, customers:findById(id))
      assert.equal(r, customers.record)
    end
    assert.is_nil(customers:findById "none")
    assert.is_nil(customers.record)
    assert.equal("findById: expected an id, got boolean", raised(function() customers:findById(true) end))
    local new = customers:add { CustNum = 9 }
    assert.equal(new, customers:findById(new.id))
    new:remove()
    assert.is_nil(customers:findById(new.id))
    local first = next(byId)
    byId[first]:remove()
    assert.is_nil(customers:findById(first))
    customers:rejectChanges()
    assert.equal(byId[first], customers:findById(first))
  end)

  it("gives no id twice, also in several tables", function()
    local seen = {}
    orders.useRelationships = false
    assert(orders:fill():await(20))
    assert(customers:fill():await(20))
    for _, object in ipairs { orders.ttOrder, orders.ttOrderLine, customers } do
      for r in object:records() do
        assert.is_nil(seen[r.id])
        seen[r.id] = r
      end
    end
    for _ = 1, 3 do
      for _, object in ipairs { orders.ttOrder, orders.ttOrderLine, customers } do
        local r = object:add {}
        assert.is_nil(seen[r.id])
        seen[r.id] = r
      end
      assert.equal(customers.record, customers:findById(customers:getId()))
    end
  end)

  it("takes the text of the id field for the id", function()
    local items = JSDO { name = "ItemById", session = customers.session }
    items:addRecords({ { ItemNum = 7, ItemName = "Skis" }, { ItemNum = 8 } }, JSDO.MODE_EMPTY)
    local skis = items:findById(7)
    assert.equal("Skis", skis.ItemName)
    assert.equal("7", skis.id)
    assert.equal(skis, items:findById "7")
    skis.ItemNum = 70
    assert.equal(skis, items:findById "7")
    items:rejectChanges()
    assert.equal(skis, items:findById "7")
    skis.ItemNum = 70
    items:acceptChanges()
    assert.equal(skis, items:findById "70")
    assert.is_nil(items:findById "7")
    local new = items:add { ItemNum = 9 }
    assert.equal(new, items:findById(9))
    local unnamed = items:add { ItemNum = datasession.null }
    assert.equal(unnamed, items:findById(unnamed.id))
  end)

  it("calls a function with each record until it returns false", function()
    local seen = {}
    customers:foreach(function(r)
      assert.equal(r, customers.record)
      seen[#seen + 1] = r.CustNum
      return r.CustNum ~= 3 and nil
    end)
    assert.same({ 1, 2, 3 }, seen)
    assert.equal("foreach: expected a function, got nil", raised(function() customers:foreach() end))
  end)

  it("leaves out what is added, and ends with a new content, while it is walked", function()
    local seen = {}
    for r in customers:records() do
      seen[#seen + 1] = r.CustNum
      if r.CustNum == 1 then customers:add { CustNum = 5 } end
      if r.CustNum == 2 then customers:find(function(other) return other.CustNum == 3 end):remove() end
    end
    assert.same({ 1, 2, 4 }, seen)
    customers:foreach(function(r)
      seen[#seen + 1] = r.CustNum
      customers:addRecords({}, JSDO.MODE_EMPTY)
    end)
    assert.same({ 1, 2, 4, 1 }, seen)
    assert.is_false(customers:hasData())
  end)

  it("adds, changes and removes the working record", function()
    local r = customers:add { Name = "Ski Bums" }
    assert.equal(r, customers.record)
    assert.is_true(customers:assign { CustNum = 9 })
    customers.Name = "Ski Club"
    assert.equal("Ski Club", r.Name)
    assert.equal(9, r.CustNum)
    assert.is_true(customers.ttCustomer:remove())
    assert.is_nil(customers.record)
    assert.is_nil(customers.Name)
    for _, method in ipairs { "assign", "remove", "acceptRowChanges", "rejectRowChanges" } do
      assert.equal(method .. ": ttCustomer has no working record: find one first",
        raised(function() customers[method](customers, {}) end))
    end
    assert.equal("Name: ttCustomer has no working record: find one first",
      raised(function() customers.Name = "x" end))
    assert.equal("created", customers:create({}).state)
    assert.is_true(customers:update { Name = "x" })
    assert.equal("x", customers.record.Name)
  end)

  it("gives copies of its rows, sorted and cut as asked", function()
    local rows = customers:getData()
    assert.equal(4, #rows)
    rows[1].Name = "changed"
    assert.equal("Lift Tours", customers:getData()[1].Name)
    local function names(options)
      local list = {}
      for i, row in ipairs(customers:getData(options)) do list[i] = row.CustNum end
      return table.concat(list, " ")
    end
    assert.equal("4 3 1 2", names { sort = { { field = "Name" } } })
    assert.equal("2 1", names { sort = { "Name:desc" }, top = 2 })
    assert.equal("3 4", names { skip = 2 })
    assert.equal("", names { skip = 9 })
    assert.equal("1 2 3 4", numbers(customers))
    assert.equal("getData: option 'top': expected a whole number, 0 or more, got -1",
      raised(function() names { top = -1 } end))
    assert.matches("getData: a filter needs the server",
      raised(function() names { filter = "x" } end), 1, true)
    assert.equal("getData: unknown option 'skipp': did you mean 'skip'?",
      raised(function() names { skipp = 1 } end))
  end)

  it("describes its fields", function()
    local schema = customers:getSchema()
    local names = {}
    for i, field in ipairs(schema) do names[i] = field.name end
    assert.equal("CustNum Name Address", table.concat(names, " ", 2, 4))
    assert.equal("integer", schema[2].type)
    assert.equal("Cust Num", schema[2].title)
    assert.equal(4, schema[20].maxItems)
  end)

  it("knows how many records it has, and whether it has any", function()
    assert.equal(4, #customers)
    assert.equal(4, #customers.ttCustomer)
    assert.is_true(customers:hasData())
    for r in customers:records() do r:remove() end
    assert.equal(0, #customers)
    assert.is_false(customers:hasData())
    assert.is_false(orders:hasData())
    orders.ttOrder:add {}
    assert.is_true(orders:hasData())
    assert.is_true(orders:hasChanges())
  end)

  it("raises for what several tables leave open", function()
    for _, method in ipairs {
      "add", "assign", "remove", "find", "findById", "foreach", "records", "getData", "getSchema", "getId",
      "getErrorString", "acceptRowChanges", "rejectRowChanges", "setSortFields", "setSortFn", "sort",
    } do
      assert.equal(method .. ": Order has several tables: call it on one of ttOrder, ttOrderLine",
        raised(function() orders[method](orders, {}) end))
    end
    assert.is_nil(orders.record)
    assert.is_nil(orders.defaultTableRef)
    assert.equal(customers.ttCustomer, customers.defaultTableRef)
    assert.equal(orders, orders.ttOrder.jsdo)
    assert.equal("table ttOrder (0)", tostring(orders.ttOrder))
    assert.is_nil(orders.ttOrder:getErrorString())
    assert.equal("unknown field of ttOrder 'findByID': did you mean 'findById'?",
      raised(function() return orders.ttOrder.findByID end))
    assert.equal("unknown field of ttOrder 'jsd': did you mean 'jsdo'?",
      raised(function() return orders.ttOrder.jsd end))
    assert.equal("unknown field of Order 'ttOrdr': did you mean 'ttOrder'?",
      raised(function() return orders.ttOrdr end))
    assert.equal("OrderNum: Order has several tables: write jsdo.ttOrder.OrderNum",
      raised(function() orders.OrderNum = 1 end))
    assert.equal("fill is a method of the data object: write jsdo:fill(...)",
      raised(function() orders.ttOrder:fill() end))
    assert.equal("Order is no array: its records are in jsdo:records() and jsdo:getData()",
      raised(function() return orders[1] end))
    assert.equal("unknown field of Order 'xyz': expected one of 'ttOrder', 'ttOrderLine'",
      raised(function() return orders.xyz end))
    assert.equal("ttOrder is read-only", raised(function() orders.ttOrder = 1 end))
  end)

  it("raises for ipairs over several tables", function()
    assert.equal("Order is no array: its records are in jsdo:records() and jsdo:getData()",
      raised(function() return ipairs(orders)(orders, 0) end))
  end)

  it("keeps properties that are never sent", function()
    customers:setProperty("view", { "a" })
    assert.same({ "a" }, customers:getProperty "view")
    customers:setProperties { one = 1, two = 2 }
    assert.is_nil(customers:getProperty "view")
    customers:setProperty("one", nil)
    assert.same({ two = 2 }, customers:getProperties())
    customers:setProperties(nil)
    assert.same({}, customers:getProperties())
    assert.equal("setProperty: expected 2 arguments, got 1", raised(function() customers:setProperty "x" end))
    assert.equal("getProperty: expected a name, got number", raised(function() customers:getProperty(1) end))
    assert.equal("setProperties: expected a table or nil, got number",
      raised(function() customers:setProperties(1) end))
  end)

  it("shows what comes back before the first record", function()
    local all = {}
    for record in customers:records() do all[#all + 1] = record end
    for i = 1, 3 do all[i]:remove() end
    local function first() return customers:find(function() return true end) end
    assert.equal(all[4], first())
    all[2]:rejectRowChanges()
    assert.equal(all[2], first())
    all[2]:remove()
    customers:rejectChanges()
    assert.equal(all[1], first())
  end)

  it("costs a program no more than linear time, however often it changes", function()
    -- A quadratic way takes minutes here.
    local rows = {}
    for i = 1, 20000 do rows[i] = { CustNum = i, Name = "n" .. i } end
    customers:addRecords(rows, JSDO.MODE_EMPTY)
    local ids = {}
    for r in customers:records() do ids[#ids + 1] = r.id end
    for i = 1, #ids, 2 do customers:findById(ids[i]):remove() end
    for i = 1, 20000 do customers:add { CustNum = 20000 + i }:remove() end
    assert.equal(10000, #customers)
    customers:rejectChanges()
    assert.equal(20000, #customers)
    local i = 0
    for r in customers:records() do
      i = i + 1
      assert(r.CustNum == i and r.id == ids[i])
    end
  end)
end)
