-- Conflicts: what a record shows after the server has refused it, and the three ways to decide.
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, fresh = await.LIMIT, data.fresh

describe("a conflict", function()
  local server, session, customers, record

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
  end)

  after_each(sessions.endAll)

  -- Customer 3 as both sides have changed it. Returns what this side read, sent, and what the other stored.
  local function collide(options)
    customers = data.filled(session, "Customer", options)
    record = data.find(customers, "CustNum", 3)
    local read = { Name = record.Name, City = record.City, Comments = record.Comments }
    local mine = { Name = "mine" .. fresh(), Comments = "mine" .. fresh() }
    record:assign(mine)
    local theirs = { CustNum = 3, Name = "theirs" .. fresh(), City = "theirs" .. fresh() }
    server:putRow("ttCustomer", theirs)
    local ok = customers:saveChanges():await(LIMIT)
    assert.is_nil(ok)
    return read, mine, theirs
  end

  local function stored()
    return data.stored(server, "ttCustomer", "CustNum", 3)
  end

  local function reads()
    local n = 0
    for _, request in ipairs(server:requests()) do
      if request.method == "GET" then n = n + 1 end
    end
    return n
  end

  it("shows what was read, sent and stored of each field that differs, after one read", function()
    for _, automatic in ipairs { true, false } do
      local read, mine, theirs = collide { autoApplyChanges = automatic }
      assert.same({
        Name = { read = read.Name, sent = mine.Name, stored = theirs.Name },
        City = { read = read.City, sent = read.City, stored = theirs.City },
      }, record.conflict)
      assert.equal(1, reads())
      assert.same({ record.conflict, n = 2 }, table.pack(record:getConflict()))
      assert.matches("changed by another user", record.errorString)
      assert.equal(automatic and read.Name or mine.Name, record.Name)
    end
  end)

  it("is decided by keepMine: the change goes on top of what is stored", function()
    for _, automatic in ipairs { true, false } do
      local _, mine, theirs = collide { autoApplyChanges = automatic }
      assert.equal(record, record:keepMine())
      assert.is_nil(record.conflict)
      assert.is_nil(record.errorString)
      assert.same({ mine.Name, mine.Comments, theirs.City }, { record.Name, record.Comments, record.City })
      assert.equal(theirs.Name, record.before.Name)
      assert(customers:saveChanges():await(LIMIT))
      local row = stored()
      assert.same({ mine.Name, mine.Comments, theirs.City }, { row.Name, row.Comments, row.City })
    end
  end)

  it("is decided by takeTheirs: the record is what is stored", function()
    for _, automatic in ipairs { true, false } do
      local read, _, theirs = collide { autoApplyChanges = automatic }
      record:takeTheirs()
      assert.same({ theirs.Name, read.Comments, theirs.City }, { record.Name, record.Comments, record.City })
      assert.is_nil(record.state)
      assert.is_nil(record.conflict)
      assert.is_false(customers:hasChanges())
    end
  end)

  it("is decided field by field", function()
    local _, mine, theirs = collide()
    record:merge { Name = "theirs" }
    assert.same({ theirs.Name, mine.Comments, theirs.City }, { record.Name, record.Comments, record.City })
    assert(customers:saveChanges():await(LIMIT))
    _, mine = collide()
    record:merge { Name = "mine", City = "Oslo" }
    assert(customers:saveChanges():await(LIMIT))
    assert.same({ mine.Name, mine.Comments, "Oslo" }, { stored().Name, stored().Comments, stored().City })
    _, mine, theirs = collide()
    record:merge { Name = "Both", City = "mine" }
    assert.equal("Both", record.Name)
    assert.not_equal(theirs.City, record.City)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(mine.Comments, stored().Comments)
  end)

  it("keeps what the program has changed since", function()
    collide { autoApplyChanges = false }
    record.Name = "Later"
    record:keepMine()
    assert.equal("Later", record.Name)
    assert(customers:saveChanges():await(LIMIT))
    assert.equal("Later", stored().Name)
  end)

  it("stays for the program to decide when other records are saved", function()
    local _, mine = collide()
    data.find(customers, "CustNum", 5).Comments = "c" .. fresh()
    assert(customers:saveChanges():await(LIMIT))
    assert.equal(mine.Name, record.conflict.Name.sent)
    assert.is_nil(record.errorString)
    record:takeTheirs()
  end)

  it("can come again: another client was faster again", function()
    collide()
    record:keepMine()
    server:putRow("ttCustomer", { CustNum = 3, City = "again" .. fresh() })
    assert.is_nil((customers:saveChanges():await(LIMIT)))
    assert.is_table(record.conflict.City)
    record:keepMine()
    assert(customers:saveChanges():await(LIMIT))
  end)

  it("of a record that another client has deleted: create it again, or let it go", function()
    for _, automatic in ipairs { true, false } do
      local items = data.filled(session, "Customer", { autoApplyChanges = automatic })
      for _, number in ipairs(automatic and { 10, 11 } or { 12, 13 }) do
        local r = data.find(items, "CustNum", number)
        local name = r.Name
        r.Name = "mine" .. number
        server:dropRow("ttCustomer", { CustNum = number })
        assert.is_nil((items:saveChanges():await(LIMIT)))
        assert.same({ Name = { read = name, sent = "mine" .. number } }, r.conflict)
        assert.equal("theirs", (select(2, r:getConflict())))
        assert.error_matches(function() r:merge {} end, "merge: the record was deleted")
        if number % 2 == 0 then
          r:keepMine()
          assert.equal("created", r.state)
          assert(items:saveChanges():await(LIMIT))
          assert.equal("mine" .. number, data.stored(server, "ttCustomer", "Name", "mine" .. number).Name)
        else
          r:takeTheirs()
          assert.is_nil(items:find(function(other) return other.CustNum == number end))
          items:acceptChanges()
          assert.is_false(items:hasChanges())
        end
      end
    end
  end)

  it("of a delete: delete what is stored now, or keep it", function()
    for _, number in ipairs { 20, 21 } do
      local items = data.filled(session, "Customer")
      local r = data.find(items, "CustNum", number)
      local city = r.City
      r:remove()
      server:putRow("ttCustomer", { CustNum = number, City = "theirs" })
      assert.is_nil((items:saveChanges():await(LIMIT)))
      assert.same({ City = { read = city, sent = city, stored = "theirs" } }, r.conflict)
      assert.equal("mine", (select(2, r:getConflict())))
      if number == 20 then
        r:keepMine()
        assert(items:saveChanges():await(LIMIT))
        assert.is_nil(data.stored(server, "ttCustomer", "CustNum", number))
      else
        r:takeTheirs()
        assert.equal("theirs", data.find(items, "CustNum", number).City)
      end
    end
  end)

  it("of a record that both sides have deleted: it leaves memory either way", function()
    for _, method in ipairs { "keepMine", "takeTheirs" } do
      local items = data.filled(session, "Customer")
      local r = data.find(items, "CustNum", method == "keepMine" and 22 or 23)
      server:dropRow("ttCustomer", { CustNum = r.CustNum })
      r:remove()
      assert.is_nil((items:saveChanges():await(LIMIT)))
      assert.same({ {}, "both" }, { r:getConflict() })
      r[method](r)
      assert.is_false(items:hasChanges())
      assert.is_nil(items:find(function(other) return other == r end))
    end
  end)

  it("is found for the row of a submit, by its idProperty, and in SQL", function()
    customers = data.filled(session, "Customer")
    record = data.find(customers, "CustNum", 30)
    record.Name = "mine" .. fresh()
    server:putRow("ttCustomer", { CustNum = 30, Name = "it's ~theirs" })
    assert.is_nil((customers:saveChanges(true):await(LIMIT)))
    assert.equal("it's ~theirs", record.conflict.Name.stored)
    local orders = data.filled(session, "OrderById")
    local order = data.find(orders.ttOrder, "Status", "Ordered")
    order.Remarks = "mine"
    server:putRow("ttOrder", { OrderNum = order.OrderNum, Remarks = "theirs" })
    assert.is_nil((orders:saveChanges():await(LIMIT)))
    assert.equal("theirs", order.conflict.Remarks.stored)
    for _, resource in ipairs { "ItemSql", "ItemById", "Item" } do
      local items = data.filled(session, resource)
      local item = data.find(items, "ItemNum", 7)
      item.Price = -1
      server:putRow("ttItem", { ItemNum = 7, OnHand = fresh() })
      assert.is_nil((items:saveChanges():await(LIMIT)))
      assert.is_table(item.conflict.OnHand)
    end
  end)

  it("shows what was sent, though the program has changed it meanwhile", function()
    customers = data.filled(session, "Customer", { autoApplyChanges = false })
    record = data.find(customers, "CustNum", 50)
    record.Name = "sent"
    server:putRow("ttCustomer", { CustNum = 50, Name = "theirs" })
    server:fault { kind = "slow", delay = 0.05, method = "PUT" }
    local promise = customers:saveChanges()
    await.stepUntil(function() return #data.sent(server) > 0 end)
    record.Name = "later"
    await.rejected(promise)
    assert.equal("sent", record.conflict.Name.sent)
    record:keepMine()
    assert.equal("later", record.Name)
  end)

  it("is none when the server refuses for another reason, or the read fails", function()
    customers = data.filled(session, "Customer")
    record = data.find(customers, "CustNum", 40)
    record.Name = ""
    assert.is_nil((customers:saveChanges():await(LIMIT)))
    assert.is_nil(record.conflict)
    assert.error_matches(function() record:keepMine() end, "keepMine: the record has no conflict")
    server:putRow("ttCustomer", { CustNum = 40, City = "theirs" })
    record.City = "mine"
    server:fault { kind = "status", status = 500, method = "GET" }
    local _, err = customers:saveChanges():await(LIMIT)
    assert.equal("server", err.kind)
    assert.is_nil(record.conflict)
  end)

  it("raises for choices that decide nothing", function()
    collide()
    for message, choices in pairs {
      ["merge: expected a table of fields, got string"] = "mine",
      ["merge: unknown field in conflict 'Nmae': did you mean 'Name'?"] = { Nmae = "mine" },
      ["merge: 'Name' was changed on both sides: say \"mine\", \"theirs\" or a value"] = { City = "mine" },
    } do
      local ok, raised = pcall(record.merge, record, choices)
      assert.is_false(ok)
      assert.matches(message, raised, 1, true)
    end
    assert.is_table(record.conflict)
  end)
end)
