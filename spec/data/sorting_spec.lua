-- Sorting: once, and kept while records change.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local data = dofile "spec/support/data.lua"
local files = dofile "spec/support/files.lua"
local locales = dofile "spec/support/locales.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO, null = datasession.JSDO, datasession.null

describe("sorting", function()
  local server, customers

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  after_each(sessions.endAll)

  local function load(...)
    local rows = {}
    for i, name in ipairs { ... } do rows[i] = { CustNum = i, Name = name, Discount = i % 2 } end
    customers:addRecords(rows, JSDO.MODE_EMPTY)
  end

  before_each(function()
    customers = JSDO { name = "Customer", session = data.begin(server) }
  end)

  local function order(field) return data.line(customers, field or "CustNum") end

  it("orders by fields once", function()
    load("c", "a", "b")
    customers:sort { "Name" }
    assert.equal("a b c", order "Name")
    customers:sort { "Name:DESCENDING" }
    assert.equal("c b a", order "Name")
    customers:add { Name = "b2" }
    assert.equal("c b a b2", order "Name")
  end)

  it("keeps the order in which records came where they compare equal", function()
    load("x", "y", "x", "y", "x")
    customers:sort { "Name:desc" }
    assert.equal("2 4 1 3 5", order())
    customers:sort { "Discount", "Name" }
    assert.equal("2 4 1 3 5", order())
    customers:sort { "Name" }
    assert.equal("1 3 5 2 4", order())
    customers:sort { "Discount:ASCENDING" }
    assert.equal("2 4 1 3 5", order())
  end)

  it("does not regard case unless asked, in any script", function()
    load("b", "A", "a", "B", "Ärger", "ärgern", "ÄRGER", "жук", "ЖУК")
    customers:setSortFields { "Name" }
    assert.equal("A a b B Ärger ÄRGER ärgern жук ЖУК", order "Name")
    customers.caseSensitive = true
    assert.equal("A B a b ÄRGER Ärger ärgern ЖУК жук", order "Name")
    customers.caseSensitive = false
    assert.equal("A a b B Ärger ÄRGER ärgern жук ЖУК", order "Name")
  end)

  it("puts null last, and first in descending order", function()
    load("b", null, "a", null)
    customers:sort { "Name" }
    assert.equal("3 1 2 4", order())
    customers:sort { "Name:DESC" }
    assert.equal("2 4 1 3", order())
  end)

  it("orders numbers by value and booleans false first", function()
    load("a", "b", "c")
    for r in customers:records() do
      r.CreditLimit, r.Active = ({ 10, 9.5, 100 })[r.CustNum], r.CustNum == 1
    end
    customers:sort { "CreditLimit" }
    assert.equal("2 1 3", order())
    customers:sort { "Active", "CustNum:DESC" }
    assert.equal("3 2 1", order())
  end)

  it("is the same in every locale", function()
    local directory = locales.directory "tr_TR.UTF-8"
    finally(function()
      child.variables = nil
      files.removeDirectory(directory)
    end)
    child.variables = "LOCPATH=" .. directory
    local result = child.run [[
      assert(os.setlocale "tr_TR.UTF-8")
      local datasession = require "datasession"
      local server <close> = assert(require("datasession.sandbox").start())
      local session = datasession.new { serviceURI = server.uris.anonymous }
      assert(session:login():await(20))
      assert(session:addCatalog(server.catalogURIs.anonymous):await(20))
      local customers = datasession.JSDO "Customer"
      for _, name in ipairs { "j", "I", "_", "i", "H", "ä" } do customers:add { Name = name } end
      for _, caseSensitive in ipairs { false, true } do
        customers.caseSensitive = caseSensitive
        customers:sort { "Name" }
        for r in customers:records() do io.write(r.Name, " ") end
      end
    ]]
    assert.equal("H I i j _ ä H I _ i j ä ", result.output)
  end)

  it("is kept while records are added, changed, loaded and rejected", function()
    load("c", "a", "b")
    customers:setSortFields { "Name" }
    assert.equal("a b c", order "Name")
    customers:add { Name = "bb" }
    assert.equal("a b bb c", order "Name")
    data.find(customers, "Name", "a").Name = "z"
    assert.equal("b bb c z", order "Name")
    customers:rejectChanges()
    assert.equal("a b c", order "Name")
    customers:addRecords({ { Name = "aa" } }, JSDO.MODE_APPEND)
    assert.equal("a aa b c", order "Name")
    load("2", "1")
    assert.equal("1 2", order "Name")
    customers:setSortFields(nil)
    customers:add { Name = "0" }
    assert.equal("1 2 0", order "Name")
  end)

  it("finds the place of each of many changes", function()
    local names = {}
    for i = 1, 200 do names[i] = ("n%03d"):format(i * 77 % 200) end
    load(table.unpack(names))
    customers:setSortFields { "Name" }
    for i = 1, 199 do
      data.find(customers, "CustNum", i).Name = ("n%03d"):format(i * 31 % 200)
      if i % 40 == 0 then data.find(customers, "CustNum", i):remove() end
      local last = ""
      for r in customers:records() do
        assert(last <= r.Name)
        last = r.Name
      end
    end
    assert.equal(196, #customers)
  end)

  it("returns with the next change after a sort that was asked for once", function()
    load("c", "a", "b", "d", "e", "f", "g", "h", "i", "j")
    customers:setSortFields { "Name" }
    assert.equal("a b c d e f g h i j", order "Name")
    customers:sort { "Name:DESC" }
    assert.equal("j i h g f e d c b a", order "Name")
    data.find(customers, "Name", "j").Discount = 9
    assert.equal("j i h g f e d c b a", order "Name")
    data.find(customers, "Name", "j").Name = "bb"
    assert.equal("a b bb c d e f g h i", order "Name")
  end)

  it("waits while autoSort is false", function()
    load("b", "a")
    customers.autoSort = false
    customers:setSortFields { "Name" }
    assert.equal("b a", order "Name")
    customers.ttCustomer.autoSort = true
    assert.equal("a b", order "Name")
    assert.is_false(customers.autoSort)
    assert.equal("autoSort: expected a boolean, got number", raised(function() customers.autoSort = 1 end))
  end)

  it("goes by a function before fields", function()
    load("b", "aaa", "cc")
    customers:setSortFields { "Name" }
    customers:setSortFn(function(a, b) return #a.Name - #b.Name end)
    assert.equal("b cc aaa", order "Name")
    data.find(customers, "Name", "b").Name = "bbbb"
    assert.equal("cc aaa bbbb", order "Name")
    customers:setSortFn(nil)
    assert.equal("aaa bbbb cc", order "Name")
    customers:sort(function(a, b) return a.Name > b.Name end)
    assert.equal("cc bbbb aaa", order "Name")
  end)

  it("survives a function that contradicts itself or fails", function()
    load("b", "a", "c")
    customers:sort(function() return true end)
    assert.equal(3, #customers:getData())
    assert.error_matches(function() customers:sort(function() return "x" end) end,
      "sort: expected the function to return a number or a boolean, got string")
    customers:setSortFn(function() error "my mistake" end)
    assert.error_matches(function() order() end, "my mistake")
    customers:setSortFn(nil)
    assert.equal(3, #customers:getData())
  end)

  it("refuses what it cannot sort by", function()
    load("b")
    assert.equal("sort: unknown field 'Nmae': did you mean 'Name'?",
      raised(function() customers:sort { "Nmae" } end))
    assert.equal("setSortFields: Name: expected ASC or DESC, got 'UP'",
      raised(function() customers:setSortFields { "Name:UP" } end))
    assert.equal("setSortFields: QuarterSales: an array field has no order",
      raised(function() customers:setSortFields { "QuarterSales" } end))
    assert.equal("setSortFields: expected field names, got number",
      raised(function() customers:setSortFields { 5 } end))
    assert.equal("setSortFields: expected an array of fields, got string",
      raised(function() customers:setSortFields "Name" end))
    assert.equal("sort: expected an array of fields or a function, got nil",
      raised(function() customers:sort() end))
    assert.equal("setSortFn: expected a function or nil, got string",
      raised(function() customers:setSortFn "x" end))
  end)
end)
