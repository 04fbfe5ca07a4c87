-- Pending changes: how they merge, how they are listed, accepted and undone.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO

describe("pending changes", function()
  local server, session, customers

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  after_each(sessions.endAll)

  before_each(function()
    session = data.begin(server)
    customers = JSDO { name = "Customer", session = session }
    customers:addRecords({
      { CustNum = 1, Name = "a" }, { CustNum = 2, Name = "b" }, { CustNum = 3, Name = "c" },
      { CustNum = 4, Name = "d", QuarterSales = { 1, 2, 3, 4 } },
    }, JSDO.MODE_EMPTY)
  end)

  local function named(name) return data.find(customers, "Name", name) end

  local function listed()
    local list = {}
    for i, change in ipairs(customers:getChanges()) do
      list[i] = change.rowState .. " " .. tostring(change.record.Name)
    end
    return table.concat(list, ", ")
  end

  local function names() return data.line(customers, "Name") end

  it("leave no field behind that the row did not have", function()
    local record, row = named "a", named("a"):toTable()
    record.Comments = "new"
    record:rejectRowChanges()
    assert.same(row, record:toTable())
    record:remove()
    customers:rejectChanges()
    assert.same(row, record:toTable())
  end)

  it("are listed, the oldest first, and leave the working record alone", function()
    named("c"):remove()
    named("a").Name = "aa"
    customers:add { Name = "e" }
    local working = named "b"
    assert.equal("deleted c, modified aa, created e", listed())
    assert.equal(working, customers.record)
    assert.is_true(customers:hasChanges())
    assert.is_true(customers.ttCustomer:hasChanges())
    assert.equal("aa b d e", names())
  end)

  it("keep the first values before several updates", function()
    local r = named "a"
    r.Name = "x"
    r.Name, r.City = "y", "Bonn"
    assert.equal("a", r.before.Name)
    assert.equal(datasession.null, r.before.City)
    assert.equal(1, #customers:getChanges())
    customers:rejectChanges()
    assert.equal("a", r.Name)
    assert.is_nil(r.City)
    assert.is_nil(r.before)
    assert.is_nil(r.state)
  end)

  it("cancel out when a new record is removed", function()
    local r = customers:add { Name = "e" }
    r.Name = "f"
    r:remove()
    assert.is_false(customers:hasChanges())
    assert.same({}, customers:getChanges())
    assert.equal("a b c d", names())
  end)

  it("of a record that is changed and then removed are the removal of the original", function()
    local r = named "b"
    r.Name = "bb"
    r:remove()
    assert.equal("deleted", r.state)
    assert.equal("b", r.before.Name)
    customers:rejectChanges()
    assert.equal("a b c d", names())
    assert.is_nil(r.state)
  end)

  it("are undone exactly, order included", function()
    local records = {}
    for r in customers:records() do records[#records + 1] = r end
    named("d").QuarterSales[2] = 20
    named("a"):remove()
    customers:add { Name = "e" }
    named("c").Name = "cc"
    named("cc"):remove()
    named("b").Name = nil
    assert.is_true(customers:rejectChanges())
    assert.is_false(customers:hasChanges())
    assert.equal("a b c d", names())
    assert.same({ 1, 2, 3, 4 }, named("d"):toTable().QuarterSales)
    local i = 0
    for r in customers:records() do
      i = i + 1
      assert.equal(records[i], r)
    end
  end)

  it("are undone in the order of a table that was sorted meanwhile", function()
    named("b"):remove()
    customers:sort { "Name:DESC" }
    assert.equal("d c a", names())
    customers:rejectChanges()
    assert.equal("d c b a", names())
  end)

  it("are accepted: the values before are gone, deleted records too", function()
    named("a"):remove()
    named("b").Name = "bb"
    local new = customers:add { Name = "e" }
    assert.is_true(customers:acceptChanges())
    assert.is_false(customers:hasChanges())
    assert.is_nil(new.state)
    customers:rejectChanges()
    assert.equal("bb c d e", names())
  end)

  it("are accepted and undone one by one", function()
    named("a").Name = "aa"
    local b = named "b"
    b.Name = "bb"
    customers:add { Name = "e" }
    assert.is_true(customers:rejectRowChanges())
    assert.equal("aa bb c d", names())
    assert.is_true(b:rejectRowChanges())
    named "aa"
    assert.is_true(customers.ttCustomer:acceptRowChanges())
    assert.equal("aa b c d", names())
    assert.is_false(customers:hasChanges())
    local c = named "c"
    c:remove()
    assert.is_true(c:rejectRowChanges())
    assert.equal("aa b c d", names())
    c:remove()
    assert.is_true(c:acceptRowChanges())
    assert.equal("aa b d", names())
    assert.equal("record of ttCustomer CustNum 3 (removed)", tostring(c))
  end)

  it("of several tables are listed, accepted and undone together", function()
    local orders = JSDO { name = "Order", session = session }
    orders:addRecords({ dsOrder = { ttOrder = { { OrderNum = 1 }, { OrderNum = 2 } },
      ttOrderLine = { { OrderNum = 1, LineNum = 1 } } } }, JSDO.MODE_EMPTY)
    data.find(orders.ttOrder, "OrderNum", 1).Status = "Shipped"
    orders.ttOrderLine.record.Qty = 5
    orders.ttOrderLine:add { LineNum = 2 }
    assert.equal(3, #orders:getChanges())
    assert.equal(2, #orders.ttOrderLine:getChanges())
    orders.ttOrderLine:rejectChanges()
    assert.is_false(orders.ttOrderLine:hasChanges())
    assert.is_true(orders:hasChanges())
    orders.ttOrderLine:add { LineNum = 3 }
    assert.is_true(orders.ttOrderLine:acceptChanges())
    assert.is_false(orders.ttOrderLine:hasChanges())
    assert.is_true(orders.ttOrder:hasChanges())
    assert.is_true(orders:acceptChanges())
    assert.is_false(orders:hasChanges())
    assert.equal("Shipped", orders.ttOrder:find(function() return true end).Status)
  end)

  it("of a record whose save failed cannot be accepted", function()
    customers = data.filled(session, "Customer", { autoApplyChanges = false })
    local r = customers:find(function() return true end)
    r.Name = nil
    server:fault { kind = "status", status = 500, path = "/Customer", count = 1,
      body = '{"_errors":[{"_errorMsg":"no name","_errorNum":1}]}' }
    await.rejected(customers:saveChanges())
    assert.equal("modified", r.state)
    assert.not_nil(r.errorString)
    assert.equal("acceptRowChanges: the server did not save this record: reject the change or save it again",
      raised(function() r:acceptRowChanges() end))
    r:rejectRowChanges()
    assert.is_nil(r.errorString)
  end)

  it("cannot be accepted or undone while they are saved, and stay on top when made meanwhile", function()
    customers = data.filled(session, "Customer")
    local r = customers:find(function() return true end)
    r.City = "Bonn"
    local saving = customers:saveChanges()
    local message = ": a save is under way: await its promise first"
    for _, method in ipairs { "acceptChanges", "rejectChanges" } do
      assert.equal(method .. message, raised(function() customers[method](customers) end))
    end
    for _, method in ipairs { "acceptRowChanges", "rejectRowChanges" } do
      assert.equal(method .. message, raised(function() r[method](r) end))
    end
    r.City = "Ulm"
    assert(saving:await(await.LIMIT))
    assert.equal("modified", r.state)
    assert.equal("Bonn", r.before.City)
    assert.equal("Ulm", r.City)
    customers:rejectChanges()
    assert.equal("Bonn", r.City)
  end)
end)
