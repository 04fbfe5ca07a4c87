-- Data objects: records in memory, saving, submitting, conflicts, local storage, events.
local storage = require "datasession.store"
local t = ...

local list = t.list()

local objects = assert(loadfile "spec/suites/torture/objects.lua")(t)
local session, loaded, row, line = objects.session, objects.loaded, objects.row, objects.line
local textOf, checkFits = objects.textOf, objects.checkFits

-- ---- records in memory

-- After a failure what is there fits together, and reject brings back what was there before.
local function inMemory(name, work, sorts)
  list:add {
    name = "data: " .. name,
    prepare = function()
      local orders = loaded()
      return { orders = orders, before = textOf(orders, "ttOrder") .. textOf(orders, "ttOrderLine") }
    end,
    act = function(_, c) work(c.orders) end,
    again = function(_, c)
      checkFits(c.orders)
      c.orders:rejectChanges()
      if sorts then c.orders.ttOrder:sort { "OrderNum" } end
      checkFits(c.orders)
      assert(not c.orders:hasChanges(), "changes are left after reject")
      local after = textOf(c.orders, "ttOrder") .. textOf(c.orders, "ttOrderLine")
      assert(after == c.before, "reject does not bring back what was there:\n" .. after .. "\n" .. c.before)
      work(loaded())
    end,
  }
end

list:add {
  name = "data: a data object",
  prepare = function() return { session = session() } end,
  act = function(_, c)
    for _, name in ipairs { "Order", "ItemUnnamed", "OrderNested" } do
      local made = t.datasession.JSDO { name = name, session = c.session, autoApplyChanges = false }
      assert(tostring(made) and not made:hasData() and #c.session.JSDOs > 0)
    end
  end,
}

inMemory("add", function(orders)
  for i = 1, 3 do
    local order = orders.ttOrder:add { OrderNum = -i, Remarks = "new", Discounts = { 1, 2, 3 } }
    orders.ttOrderLine:create { Qty = i }
    assert(order.OrderNum == -i and orders.ttOrderLine.OrderNum == -i)
  end
end)

inMemory("assign", function(orders)
  for record in orders.ttOrder:records() do
    record.Remarks = "other"
    record:assign { CustNum = 7, Discounts = { 3, 2, 1 } }
    record.Discounts[2] = 9
    record.Discounts_3 = 8
    assert(record.before.Remarks ~= "other")
  end
  orders.ttOrder:findById "none"
end)

inMemory("remove", function(orders)
  local added = orders.ttOrder:add { OrderNum = 9 }
  for record in orders.ttOrder:records() do record:remove() end
  assert(added.state == nil and not orders.ttOrder:hasData())
end)

inMemory("update, then remove, then reject", function(orders)
  orders.ttOrder:foreach(function(record)
    orders.ttOrder:update { Status = "Shipped" }
    record:remove()
    record:rejectRowChanges()
  end)
  local record = orders.ttOrder:find(function(r) return r.OrderNum == 3 end)
  record.Status = "Backordered"
  orders.ttOrder:rejectRowChanges()
  assert(not orders:hasChanges() and #orders:getChanges() == 0)
end)

inMemory("sort", function(orders)
  orders.ttOrder:sort { "OrderNum:DESC" }
  orders.ttOrder:sort(function(a, b) return a.OrderNum - b.OrderNum end)
  orders.ttOrder:setSortFn(function(a, b) return b.CustNum - a.CustNum end)
  assert(#orders.ttOrder:getData { sort = { { field = "Remarks", dir = "desc" } }, top = 2, skip = 1 } == 2)
  orders.ttOrder:setSortFn(nil)
  orders.ttOrder:setSortFields { "OrderNum" }
  orders.ttOrder:add { OrderNum = 0 }
  assert(orders.ttOrder:getData()[1].OrderNum == 0)
  orders.ttOrder:setSortFields(nil)
end, true)

inMemory("reading", function(orders)
  orders.ttOrder:findById "none"
  local names = {}
  for record in orders.ttOrder:records() do
    for name in pairs(record) do names[name] = true end
    assert(tostring(record) and record:getId() and not record:getState() and not record:getErrorString())
    assert(record:toTable().OrderNum == record.OrderNum)
    assert(not record:getBefore() and not record:getConflict() and record.data == record)
  end
  assert(names.Remarks and #orders.ttOrder:getSchema() > 5 and orders.ttOrder:hasData())
  assert(#orders:getErrors() == 0 and not orders.ttOrder:getErrorString())
  orders:setProperty("colour", "blue")
  orders:setProperties { size = 3 }
  assert(orders:getProperty "size" == 3 and orders:getProperties().size == 3)
end)

list:add {
  name = "data: accept",
  prepare = function() return { orders = loaded() } end,
  act = function(_, c)
    local orders = c.orders
    orders.ttOrder:add { OrderNum = 11 }
    orders.ttOrder:acceptRowChanges()
    orders.ttOrder:find(function(r) return r.OrderNum == 2 end):remove()
    orders.ttOrder:find(function(r) return r.OrderNum == 3 end).Remarks = "accepted"
    orders:acceptChanges()
    assert(not orders:hasChanges())
  end,
  again = function(_, c)
    checkFits(c.orders)
    c.orders:acceptChanges()
    checkFits(c.orders)
    assert(not c.orders:hasChanges(), "changes are left after accept")
  end,
}

list:add {
  name = "data: addRecords",
  prepare = function() return { orders = loaded() } end,
  act = function(_, c)
    local JSDO = t.datasession.JSDO
    for _, mode in ipairs { JSDO.MODE_MERGE, JSDO.MODE_REPLACE } do
      c.orders:addRecords({ dsOrder = { ttOrder = { row(2), row(9) }, ttOrderLine = { line(9, 1) } } }, mode,
        { ttOrder = { "OrderNum" }, ttOrderLine = { "LineId" } })
    end
    c.orders.ttOrder:addRecords({ row(20) }, JSDO.MODE_APPEND)
  end,
  again = function(_, c)
    checkFits(c.orders)
    local orders = loaded()
    orders:addRecords({ dsOrder = { ttOrder = { row(9) } } }, t.datasession.JSDO.MODE_APPEND)
    assert(#orders.ttOrder:getData() == 5)
  end,
}

-- ---- saving

-- Every failed save leaves changes pending, and the next one sends them.
local function saving(name, resource, change, options, ways)
  local function make()
    t.server:setData { answers = "rows", locking = true, nested = false, wrapped = false }
    t.server:clearFaults()
    local jsdo = resource:find "^Order" and loaded(resource)
      or t.datasession.JSDO { name = resource, session = session(), autoApplyChanges = options ~= true }
    for _, one in ipairs { "Create", "Update", "Delete" } do
      jsdo:subscribe("before" .. one, function() end)
      jsdo:subscribe("after" .. one, function() end)
    end
    jsdo:subscribe("afterSaveChanges", function(_, success) assert(type(success) == "boolean") end)
    return jsdo
  end
  list:add {
    name = "data: " .. name,
    ways = ways or { "await" },
    prepare = function()
      local jsdo = make()
      change(jsdo)
      return { jsdo = jsdo }
    end,
    call = function(_, c) return c.jsdo:saveChanges(options) end,
    again = function(_, c)
      checkFits(c.jsdo)
      for _, one in ipairs(c.jsdo:getErrors()) do assert(type(one.error) == "string" and one.type) end
      local jsdo = make()
      change(jsdo)
      assert(jsdo:saveChanges(options):await(t.LIMIT))
      jsdo:acceptChanges()
      assert(not jsdo:hasChanges(), "changes are left after the save")
    end,
    quiet = function() t.server:clearFaults() end,
  }
end

local function create(jsdo)
  jsdo.ttOrder:add { OrderNum = 0, CustNum = 3 }
  jsdo.ttOrder:add { OrderNum = 0, CustNum = 4, Discounts = { 1, 2, 3 } }
end

-- The first order of the server, whatever it is.


local function all(jsdo)
  t.server:putRow("ttOrder", { OrderNum = 501, Status = "Ordered", Remarks = "old" })
  t.server:putRow("ttOrder", { OrderNum = 502, Status = "Ordered", Remarks = "old" })
  local mine = { OrderNum = 501, Status = "Ordered", Remarks = "old" }
  local other = { OrderNum = 502, Status = "Ordered", Remarks = "old" }
  jsdo:addRecords({ dsOrder = { ttOrder = { mine, other } } }, t.datasession.JSDO.MODE_EMPTY)
  local record = jsdo.ttOrder:find(function(r) return r.OrderNum == 501 end)
  record.Remarks = "new"
  jsdo.ttOrder:find(function(r) return r.OrderNum == 502 end):remove()
  create(jsdo)
end

saving("saveChanges with before-image", "Order", all, nil, { "await", "spawn", "handlers" })
saving("saveChanges without before-image", "OrderPlain", all)
saving("saveChanges with idProperty", "OrderById", all)
saving("saveChanges(true)", "Order", all, true, { "await", "spawn", "handlers" })
saving("saveChanges of a temp-table", "Item", function(items)
  items:add { ItemName = "Sled", Price = 3 }
  items:add { ItemName = "Cap", Price = 4.5 }
end)
saving("saveChanges(true) of a temp-table", "Item", function(items)
  items:add { ItemName = "Sled", Price = 3 }
end, true)

local function refused(options)
  return {
    name = "data: refused rows, " .. (options and "submit" or "one by one"),
    ways = { "await" },
    prepare = function()
      local jsdo = loaded()
      all(jsdo)
      t.server:refuseRows { count = 2, message = "no" }
      return { jsdo = jsdo }
    end,
    call = function(_, c)
      return c.jsdo:saveChanges(options):next(function() error "it did not fail" end, function(err)
        if err.kind == "memory" then error(err, 0) end
        assert(#c.jsdo:getErrors() > 0)
        return c
      end)
    end,
    again = function(_, c) checkFits(c.jsdo) end,
    quiet = function() t.server:clearFaults() end,
  }
end

list:add(refused())
list:add(refused(true))

-- ---- conflicts

local decisions = {
  keepMine = function(record) record:keepMine() end,
  takeTheirs = function(record) record:takeTheirs() end,
  merge = function(record) record:merge { Remarks = "both" } end,
}

for _, name in ipairs { "keepMine", "takeTheirs", "merge" } do
  local function conflicting()
    t.server:clearFaults()
    t.server:putRow("ttOrder", { OrderNum = 501, CustNum = 1, Status = "Ordered", Remarks = "old" })
    local values = {}
    for _, one in ipairs(t.server:rows "ttOrder") do
      if one.OrderNum == 501 then values = one end
    end
    values.Discounts = { 0, 0, 0 }
    local jsdo = t.datasession.JSDO { name = "Order", session = session(), autoApplyChanges = false }
    jsdo:addRecords({ dsOrder = { ttOrder = { values } } }, t.datasession.JSDO.MODE_EMPTY)
    t.server:putRow("ttOrder", { OrderNum = 501, Remarks = "theirs" })
    local record = jsdo.ttOrder:find(function() return true end)
    record.Remarks = "mine"
    return jsdo, record
  end

  local function resolve(jsdo, record)
    assert(not jsdo:saveChanges():await(t.LIMIT))
    assert(record.conflict and record.conflict.Remarks.stored == "theirs", "no conflict is told")
    decisions[name](record)
    assert(record.Remarks == ({ keepMine = "mine", takeTheirs = "theirs", merge = "both" })[name])
    if jsdo:hasChanges() then assert(jsdo:saveChanges():await(t.LIMIT)) end
  end

  list:add {
    name = "data: a conflict, " .. name,
    prepare = function()
      local jsdo, record = conflicting()
      return { jsdo = jsdo, record = record }
    end,
    act = function(_, c) resolve(c.jsdo, c.record) end,
    again = function(_, c)
      checkFits(c.jsdo)
      resolve(conflicting())
    end,
  }
end

-- ---- local storage

list:add {
  name = "data: local storage",
  prepare = function()
    local orders = loaded()
    orders.ttOrder:find(function(r) return r.OrderNum == 2 end).Remarks = "changed"
    orders.ttOrder:find(function(r) return r.OrderNum == 3 end):remove()
    orders.ttOrder:add { OrderNum = 8 }
    return { orders = orders, store = storage.memory() }
  end,
  act = function(_, c)
    local JSDO = t.datasession.JSDO
    local orders = JSDO { name = "Order", session = session(), store = c.store }
    orders:addRecords({ dsOrder = { ttOrder = { row(1), row(2) } } }, JSDO.MODE_EMPTY)
    orders.ttOrder:find(function(r) return r.OrderNum == 2 end).Remarks = "changed"
    c.mine = orders
    assert(orders:saveLocal("torture", JSDO.ALL_DATA))
    assert(orders:readLocal "torture" and #orders:getChanges() == 1)
    orders:rejectChanges()
    assert(orders:addLocalRecords("torture", JSDO.MODE_REPLACE) and #orders.ttOrder:getData() == 2)
    assert(orders:deleteLocal "torture" and not orders:readLocal "torture")
  end,
  again = function(_, c)
    if c.mine then checkFits(c.mine) end
    assert(c.orders:hasChanges())
  end,
}

-- ---- events

list:add {
  name = "data: events",
  prepare = function() return { orders = loaded() } end,
  act = function(_, c)
    local heard, scope = 0, {}
    local function hear() heard = heard + 1 end
    c.orders:subscribe("beforeSaveChanges", hear)
    c.orders:subscribe("afterSaveChanges", hear, scope)
    c.orders.ttOrder:subscribe("beforeCreate", hear)
    assert(c.orders:saveChanges():await(t.LIMIT))
    assert(heard >= 1)
    c.orders:unsubscribe("beforeSaveChanges", hear)
    c.orders.ttOrder:unsubscribeAll()
    c.orders:unsubscribeAll()
  end,
  again = function(_, c)
    c.orders:unsubscribeAll()
    c.orders.ttOrder:unsubscribeAll()
    assert(c.orders:saveChanges():await(t.LIMIT))
  end,
}

return list
