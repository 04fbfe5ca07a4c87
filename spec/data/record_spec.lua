-- Records: reading and writing fields, arrays, values that are refused, the names of a record.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local null = datasession.null

describe("a record", function()
  local server, customers

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  after_each(sessions.endAll)

  before_each(function()
    customers = datasession.JSDO { name = "Customer", session = data.begin(server) }
    customers:addRecords({
      { CustNum = 1, Name = "Lift Tours", State = "MA", Contact = null, QuarterSales = { 1, 2, 3, null } },
      { CustNum = 2, Name = "Urpon Frisbee", State = "Uusima" },
      { CustNum = 3, Name = "Hoops", State = "GA", Extra = "not in the catalog" },
    }, datasession.JSDO.MODE_EMPTY)
  end)

  local function named(name) return data.find(customers, "Name", name) end

  it("reads and writes fields, and keeps what was before", function()
    local r = named "Hoops"
    assert.equal(3, r.CustNum)
    assert.is_nil(r.before)
    r.Name = "Hoops Inc"
    assert.equal("Hoops Inc", r.Name)
    assert.equal("modified", r.state)
    assert.equal("Hoops", r.before.Name)
    assert.equal(3, r.before.CustNum)
    assert.is_true(customers:hasChanges())
  end)

  it("is unchanged when a field gets the value that it has", function()
    local r = named "Lift Tours"
    r.Name, r.Contact, r.QuarterSales = "Lift Tours", nil, { 1, 2, 3, null }
    r.QuarterSales = r.QuarterSales
    assert.is_nil(r.state)
    assert.is_false(customers:hasChanges())
  end)

  it("reads null as nil and writes nil and null as null", function()
    local r = named "Lift Tours"
    assert.is_nil(r.Contact)
    r.State, r.Name = nil, null
    assert.is_nil(r.State)
    assert.is_nil(r.Name)
    assert.equal(null, r:toTable().State)
    assert.equal(null, r:toTable().Name)
  end)

  it("raises for an unknown field with the nearest name, and changes nothing", function()
    local r = named "Hoops"
    local message = "unknown field of ttCustomer 'Nmae': did you mean 'Name'?"
    assert.equal(message, raised(function() return r.Nmae end))
    assert.equal(message, raised(function() r.Nmae = 1 end))
    assert.equal(message, raised(function() customers.Nmae = 1 end))
    assert.equal(message, raised(function() customers:add { Nmae = 1 } end))
    assert.equal(message, raised(function() r:assign { Name = "x", Nmae = 1 } end))
    assert.matches("did you mean 'Name'", raised(function() return customers.Nmae end), 1, true)
    assert.is_false(customers:hasChanges())
    assert.equal(3, #customers)
  end)

  it("reads a value that the catalog does not describe, and does not write it", function()
    local r = named "Hoops"
    assert.equal("not in the catalog", r.Extra)
    assert.matches("unknown field", raised(function() r.Extra = 1 end), 1, true)
  end)

  it("lists its fields in the order of the catalog, without those that are nil", function()
    local names = {}
    for name, value in pairs(named "Lift Tours") do
      names[#names + 1] = name
      assert.not_nil(value)
    end
    assert.same({ "CustNum", "Name", "State", "QuarterSales" }, names)
  end)

  it("refuses values that have no JSON, with the field's name", function()
    local r = named "Hoops"
    assert.equal("CreditLimit: NaN and infinity have no JSON", raised(function() r.CreditLimit = 0 / 0 end))
    assert.equal("Name: expected a text, a number, a boolean or nil, got function",
      raised(function() r.Name = print end))
    assert.equal("Name: expected a text, a number, a boolean or nil, got table",
      raised(function() r:assign { Name = {} } end))
    assert.equal("Balance: NaN and infinity have no JSON",
      raised(function() customers:add { Balance = 1 / 0 } end))
    assert.is_false(customers:hasChanges())
  end)

  it("describes itself by its primary key, or by its id while it has none", function()
    local r = named "Hoops"
    assert.equal("record of ttCustomer CustNum 3", tostring(r))
    assert.equal(r, r.data)
    r.Name, r.CustNum = "x", 4
    assert.equal("record of ttCustomer CustNum 3 (modified)", tostring(r))
    local new = customers:add { Name = "New" }
    assert.equal(("record of ttCustomer %s (created)"):format(new.id), tostring(new))
  end)

  it("names a method for one that it lacks, and the way to store a date", function()
    local r = named "Hoops"
    assert.equal("unknown field of ttCustomer 'toTabel': did you mean 'toTable'?",
      raised(function() return r:toTabel() end))
    assert.equal("unknown field of ttCustomer 'delete': did you mean 'remove'?",
      raised(function() r:delete() end))
    assert.equal("Since: expected a text, got table: datasession.date.format makes a text of a date",
      raised(function() r.Since = datasession.date.today() end))
  end)

  it("says so when a method is called with a dot", function()
    local r = named "Hoops"
    assert.matches("assign: expected a record, got table: call it with ':'",
      raised(function() r.assign { Name = "x" } end), 1, true)
    for _, mistake in ipairs {
      function() customers.find(print) end, function() customers.findById(3) end,
      function() customers.ttCustomer.foreach(print) end, function() customers.ttCustomer.findById "3" end,
    } do
      assert.matches("call it with ':' instead of '.'", raised(mistake), 1, true)
    end
  end)

  describe("'s array fields", function()
    it("are lists that read and write the elements", function()
      local r = named "Lift Tours"
      local sales = r.QuarterSales
      assert.equal(4, #sales)
      assert.equal(2, sales[2])
      assert.is_nil(sales[4])
      sales[2], sales[4] = 20, 40
      assert.equal(20, r.QuarterSales_2)
      assert.equal("1,20,3,40", table.concat(sales, ","))
      local walked = {}
      for i, value in pairs(sales) do walked[#walked + 1] = i .. "=" .. value end
      assert.same({ "1=1", "2=20", "3=3", "4=40" }, walked)
      assert.equal("{ 1, 20, 3, 40 }", tostring(sales))
      assert.is_true(sales == r.QuarterSales)
      assert.is_false(sales == named("Hoops").QuarterSales)
      assert.same({ 1, 2, 3, null }, r.before.QuarterSales)
      assert.equal("modified", r.state)
    end)

    it("are read and written by the names of their elements", function()
      local r = named "Lift Tours"
      assert.equal(3, r.QuarterSales_3)
      r.QuarterSales_3 = 30
      r:assign { QuarterSales_1 = 10, Name = "Lift" }
      assert.same({ 10, 2, 30, null }, r:toTable().QuarterSales)
      customers.QuarterSales_4 = nil
      local new = customers:add { QuarterSales_2 = 5 }
      assert.same({ 0, 5, 0, 0 }, new:toTable().QuarterSales)
    end)

    it("take whole arrays, which stay the program's own", function()
      local r, mine = named "Lift Tours", { 4, 3, 2, 1 }
      r.QuarterSales = mine
      mine[1] = 99
      assert.equal(4, r.QuarterSales[1])
      named("Hoops").QuarterSales = r.QuarterSales
      r.QuarterSales[1] = 7
      assert.equal(4, named("Hoops").QuarterSales[1])
    end)

    it("convert a text in assign, as [1,2]", function()
      local r = named "Hoops"
      r:assign { QuarterSales = "[1,2.5,3,4]" }
      assert.same({ 1, 2.5, 3, 4 }, r:toTable().QuarterSales)
    end)

    it("refuse indexes and elements that they cannot have", function()
      local r = named "Lift Tours"
      assert.equal("QuarterSales: expected an index from 1 to 4, got 5",
        raised(function() r.QuarterSales[5] = 1 end))
      assert.equal("QuarterSales: expected an index from 1 to 4, got x",
        raised(function() r.QuarterSales.x = 1 end))
      assert.matches("unknown field", raised(function() return r.QuarterSales_5 end), 1, true)
      assert.equal("QuarterSales: expected 4 elements at most, got 5",
        raised(function() r.QuarterSales = { 1, 2, 3, 4, 5 } end))
      assert.equal("QuarterSales: expected an array or nil, got a table with names",
        raised(function() r.QuarterSales = { first = 1 } end))
      assert.equal("QuarterSales: expected a text, a number, a boolean or nil, got function",
        raised(function() r.QuarterSales[1] = print end))
      assert.is_nil(r.state)
    end)
  end)

  it("has arrays of any length where the catalog gives none, or nonsense", function()
    local session = data.session(server)
    for i, maxItems in ipairs { "2.5", "0", "-1", "1e300", "null" } do
      data.addCatalog(session, ([[
        {"version":"1.5","services":[{"name":"Odd%d","address":"/rest/Odd",
        "resources":[{"name":"Odd%d","path":"/Odd",
        "schema":{"type":"object","properties":{"ttOdd":{"type":"array","items":{
        "properties":{"list":{"type":"array","maxItems":%s,"items":{"type":"integer"}}}}}}},
        "operations":[{"type":"read","path":"","verb":"get","params":[]}]}]}]}]]):format(i, i, maxItems))
      local odd = datasession.JSDO { name = "Odd" .. i, session = session }
      local r = odd:add { list = { 1, 2, 3 } }
      r.list[4] = 4
      r.list_5 = 5
      assert.equal("1,2,3,4,5", table.concat(r.list, ","))
      assert.equal("list: expected an index from 1 to 6, got 0", raised(function() r.list[0] = 1 end))
      assert.is_nil(odd:add({}).list)
    end
  end)

  describe("'s assign", function()
    it("converts texts for number fields", function()
      local r = named "Hoops"
      assert.is_true(r:assign { CreditLimit = "12.5", Discount = " 7 ", Name = "12" })
      assert.equal(12.5, r.CreditLimit)
      assert.equal("integer", math.type(r.Discount))
      assert.equal("12", r.Name)
      r:assign { CreditLimit = "" }
      assert.is_nil(r.CreditLimit)
    end)

    it("refuses texts that are no numbers, and changes nothing", function()
      local r = named "Hoops"
      assert.equal("assign: Discount: expected an integer, got a text that is none",
        raised(function() r:assign { Name = "x", Discount = "seven" } end))
      assert.equal("assign: expected a table of values, got nil", raised(function() r:assign() end))
      assert.is_nil(r.state)
    end)

    it("takes the fields of another record", function()
      local r = named "Hoops"
      r:assign(named "Lift Tours")
      assert.equal("Lift Tours", r.Name)
      assert.equal("MA", r.State)
    end)
  end)

  it("cannot be changed when it is deleted or no longer in memory", function()
    local r, other = named "Hoops", named "Lift Tours"
    r:remove()
    assert.equal("Hoops", r.Name)
    assert.equal("deleted", r.state)
    assert.matches("the record is deleted", raised(function() r.Name = "x" end), 1, true)
    assert.matches("the record is deleted", raised(function() r:remove() end), 1, true)
    customers:addRecords({}, datasession.JSDO.MODE_EMPTY)
    assert.equal("Lift Tours", other.Name)
    assert.matches("no longer in memory", raised(function() other.Name = "x" end), 1, true)
    assert.matches("no longer in memory", raised(function() other:assign { Name = "x" } end), 1, true)
  end)

  it("is created with the defaults of the catalog", function()
    local r = customers:add { Name = "Ski Bums" }
    assert.equal("created", r.state)
    assert.is_nil(r.before)
    assert.equal("USA", r.Country)
    assert.equal(1500, r.CreditLimit)
    assert.is_true(r.Active)
    assert.same({ 0, 0, 0, 0 }, r:toTable().QuarterSales)
    local orders = datasession.JSDO { name = "Order", session = customers.session }
    local today = os.date "%Y-%m-%d"
    local new = orders.ttOrder:add()
    assert.is_true(new.OrderDate == today or new.OrderDate == os.date "%Y-%m-%d")
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", new.Placed)
  end)

  it("gives its fields before what it says of itself, and its methods always", function()
    local session = data.session(server)
    data.addCatalog(session, [[
      {"version":"1.5","services":[{"name":"Odd","address":"/rest/Odd","resources":[{
      "name":"Odd","path":"/Odd","schema":{"type":"object","properties":{"ttOdd":{"type":"array","items":{
      "properties":{"id":{"type":"string"},"state":{"type":"string"},"data":{"type":"string"}}}}}},
      "operations":[{"type":"read","path":"","verb":"get","params":[]}]}]}]}]])
    local odd = datasession.JSDO { name = "Odd", session = session }
    odd:addRecords({ { id = "a", state = "b" } }, datasession.JSDO.MODE_EMPTY)
    local r = odd:find(function() return true end)
    r.state = "c"
    assert.equal("a", r.id)
    assert.equal("c", r.state)
    assert.is_nil(r.data)
    assert.equal("modified", r:getState())
    assert.equal("b", r:getBefore().state)
    assert.equal(r, odd:findById(r:getId()))
  end)
end)
