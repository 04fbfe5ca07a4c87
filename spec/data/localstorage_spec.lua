-- saveLocal, readLocal, addLocalRecords, deleteLocal.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local store = require "datasession.store"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local files = dofile "spec/support/files.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO
local REPLACE = JSDO.MODE_REPLACE

describe("local storage", function()
  local server, session, memory

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
    memory = store.memory()
  end)

  after_each(sessions.endAll)

  local function new(resource, options)
    local all = { name = resource, session = session, store = memory }
    for name, value in pairs(options or {}) do all[name] = value end
    local jsdo = JSDO(all)
    jsdo.useRelationships = false
    return jsdo
  end

  local function filled(resource)
    local jsdo = new(resource)
    jsdo:addRecords(data.read(session, resource), JSDO.MODE_EMPTY)
    return jsdo
  end

  -- The rows and changes of all tables, in a form to compare.
  local function content(jsdo, names)
    local all = {}
    for _, name in ipairs(names) do
      all[name] = jsdo[name]:getData()
      for _, change in ipairs(jsdo[name]:getChanges()) do
        all[name .. " " .. change.rowState] = change.record.before or true
      end
    end
    return all
  end

  it("keeps all records with their changes, and brings them back", function()
    local orders = filled "Order"
    data.find(orders.ttOrder, "OrderNum", 3).Remarks = "r"
    data.find(orders.ttOrder, "OrderNum", 5):remove()
    orders.ttOrder:add { CustNum = 3 }
    orders.ttOrderLine:find(function() return true end).Qty = 77
    assert.is_true(orders:saveLocal())
    local other = new "Order"
    assert.is_true(other:readLocal())
    local names = { "ttOrder", "ttOrderLine" }
    assert.same(content(orders, names), content(other, names))
    other:rejectChanges()
    orders:rejectChanges()
    assert.equal(#orders.ttOrder:getData(), #other.ttOrder:getData())
    assert.is_false(other:hasChanges())
  end)

  it("keeps the changes only, if asked, and those can be saved", function()
    local customers = filled "Customer"
    local comment = "c" .. data.fresh()
    data.find(customers, "CustNum", 3).Comments = comment
    customers:add { Name = "Offline" }
    data.find(customers, "CustNum", 4):remove()
    assert(customers:saveLocal("mine", JSDO.CHANGES_ONLY))
    local other = new "Customer"
    assert.is_false(other:readLocal())
    assert.is_true(other:readLocal "mine")
    assert.equal(2, #other:getData())
    assert.equal(3, #other:getChanges())
    assert(other:saveChanges(true):await(await.LIMIT))
    assert.equal(comment, data.stored(server, "ttCustomer", "CustNum", 3).Comments)
    assert.is_nil(data.stored(server, "ttCustomer", "CustNum", 4))
  end)

  it("keeps nothing as pending that the server has, though it was not accepted yet", function()
    local customers = filled "Customer"
    customers.autoApplyChanges = false
    local created, removed = customers:add { Name = "Once" }, data.find(customers, "CustNum", 5)
    removed:remove()
    local changed = data.find(customers, "CustNum", 6)
    changed.Comments = "c" .. data.fresh()
    assert(customers:saveChanges():await(await.LIMIT))
    changed.Name = "Later"
    assert(customers:saveLocal())
    local other = new "Customer"
    assert(other:readLocal())
    local changes = other:getChanges()
    assert.equal(1, #changes)
    assert.same({ "modified", "Later" }, { changes[1].rowState, changes[1].record.Name })
    assert.equal(changed.Comments, changes[1].record.before.Comments)
    assert.equal(created.CustNum, data.find(other, "Name", "Once").CustNum)
    assert.equal(#customers, #other)
    assert(customers:saveLocal(JSDO.CHANGES_ONLY))
    assert(other:readLocal())
    assert.equal(1, #other)
  end)

  it("wraps a temp-table, and takes the mode as the only argument", function()
    local items = filled "Item"
    data.find(items, "ItemNum", 3).Price = 3.25
    assert(items:saveLocal(JSDO.CHANGES_ONLY))
    assert.matches('^datasession%.data 1 %w+ 1 %d+\n{"_localStorage":{"prods:hasChanges":true,"ttItem":%[{',
      memory:get "data:jsdo_OrderService_Item")
    local other = new "Item"
    assert(other:readLocal())
    assert.same({ 3, 3.25, "modified" }, { other:getData()[1].ItemNum, other:getData()[1].Price,
      other:getChanges()[1].rowState })
  end)

  it("keeps records of one name apart by their catalogs", function()
    local text = files.new [[{ "services": [{ "name": "OrderService", "address": "/rest/Other", "resources": [
      { "name": "Item", "path": "/Item", "schema": { "properties": { "ttItem": { "type": "array",
        "items": { "properties": { "ItemNum": { "type": "integer" } } } } } } }] }] }]]
    assert(session:addCatalog(text):await(await.LIMIT))
    local own, other = new "Item", new("Item", { catalog = text })
    own:add { ItemNum = 1 }
    other:add { ItemNum = 2 }
    assert(own:saveLocal())
    assert(other:saveLocal())
    os.remove(text)
    own, other = new "Item", new("Item", { catalog = text })
    assert(own:readLocal())
    assert(other:readLocal())
    assert.same({ 1, 2 }, { own:getData()[1].ItemNum, other:getData()[1].ItemNum })
    assert.is_string(memory:get("data:jsdo_OrderService_Item_" .. text))
  end)

  it("merges stored records into those in memory, by their keys", function()
    local customers = filled "Customer"
    data.find(customers, "CustNum", 3).Comments = "stored"
    data.find(customers, "CustNum", 6):remove()
    customers:add { CustNum = 5000, Name = "New" }
    assert(customers:saveLocal(JSDO.CHANGES_ONLY))
    local other = filled "Customer"
    local count = #other:getData()
    assert.is_true(other:addLocalRecords(REPLACE))
    assert.equal(count, #other:getData()) -- one more, one less
    assert.equal("stored", data.find(other, "CustNum", 3).Comments)
    assert.is_nil(other:find(function(r) return r.CustNum == 6 end))
    assert.equal(3, #other:getChanges())
    other:rejectChanges()
    assert.equal(count, #other:getData())
    data.find(other, "CustNum", 3).Comments = "pending"
    assert.error_matches(function()
      other:addLocalRecords("jsdo_CustomerService_Customer", REPLACE, { "CustNum" })
    end,
      "addLocalRecords: row 1 of ttCustomer: the record has a pending change")
    assert.is_false(other:addLocalRecords("none", REPLACE))
  end)

  it("forgets what deleteLocal removes", function()
    local items = filled "Item"
    assert(items:saveLocal())
    assert(items:saveLocal "second")
    assert.is_true(items:deleteLocal())
    assert.is_true(items:deleteLocal())
    assert.is_false(items:readLocal())
    assert.is_true(items:readLocal "second")
  end)

  it("uses the store of the session, beside its login", function()
    local named = data.session(server, { name = "orders", store = memory })
    local items = JSDO { name = "Item", session = named }
    items:addRecords({ { ItemNum = 1 } }, JSDO.MODE_EMPTY)
    assert(items:saveLocal "orders")
    datasession.run(1)
    assert.matches("^{", memory:get "orders")
    assert.matches("^datasession.data 1 ", memory:get "data:orders")
    named:logout():await(await.LIMIT)
    datasession.run(1)
    assert.is_true(items:readLocal "orders")
  end)

  it("keeps large data in parts, and drops old parts", function()
    local items, count = new "Item", 0
    local rows = {}
    for i = 1, 12000 do rows[i] = { ItemNum = i, ItemName = ("name %d "):format(i):rep(10) } end
    items:addRecords(rows, JSDO.MODE_EMPTY)
    assert(items:saveLocal())
    for _ in pairs(memory.texts) do count = count + 1 end
    assert.is_true(count > 2)
    for _, text in pairs(memory.texts) do assert.is_true(#text < 1048576) end
    local other = new "Item"
    assert(other:readLocal())
    assert.same(rows[12000].ItemName, other:getData()[12000].ItemName)
    items:addRecords({ rows[1] }, JSDO.MODE_EMPTY)
    assert(items:saveLocal())
    assert.is_nil(next(memory.texts, next(memory.texts)))
    assert(other:readLocal())
    assert.equal(1, #other:getData())
  end)

  it("is in files where neither the data object nor its session has a store", function()
    local directory, getenv = files.directory(), os.getenv
    finally(function()
      os.getenv = getenv -- luacheck: ignore 122
      files.removeDirectory(directory)
    end)
    os.getenv = function(name) -- luacheck: ignore 122
      if name == "XDG_STATE_HOME" then return directory end
      return getenv(name)
    end
    local items = JSDO { name = "Item", session = session }
    items:addRecords({ { ItemNum = 1 } }, JSDO.MODE_EMPTY)
    assert(items:saveLocal())
    assert(datasession.flush())
    local other = new("Item", { store = store.file(directory .. "/datasession") })
    assert.is_true(other:readLocal())
    assert.equal(1, #other:getData())
  end)

  it("works with files", function()
    local directory = files.directory()
    local items = new("Item", { store = store.file(directory) })
    items:addRecords({ { ItemNum = 1, ItemName = "Zoë" } }, JSDO.MODE_EMPTY)
    assert(items:saveLocal())
    assert(datasession.flush())
    local other = new("Item", { store = store.file(directory) })
    assert(other:readLocal())
    assert.equal("Zoë", other:getData()[1].ItemName)
    assert(other:deleteLocal())
    assert(datasession.flush())
    assert.is_false(items:readLocal())
    files.removeDirectory(directory)
  end)

  it("returns nil and a message when the store fails or holds something else", function()
    local items = filled "Item"
    assert(items:saveLocal())
    local key = "data:jsdo_OrderService_Item"
    local text, rows = memory:get(key), #items:getData()
    for message, other in pairs {
      ["readLocal: Item: the stored text is not what this library writes"] = "something else",
      ["readLocal: Item: the stored data are incomplete"] = text:sub(1, -2),
      ["readLocal: Item: a part of the stored data is missing"] = text:gsub("1 (%d+)\n", "2 %1\n"),
      ["readLocal: Item: the stored data are not JSON"] = "datasession.data 1 a 1 3\n{x}",
    } do
      memory:set(key, other)
      local ok, problem = items:readLocal()
      assert.is_nil(ok)
      assert.matches(message, problem, 1, true)
      assert.equal(rows, #items:getData())
    end
    function memory.set() return nil, "disk full" end
    function memory.get() error "broken" end
    assert.same({ nil, "saveLocal: Item: disk full" }, { items:saveLocal() })
    local ok, problem = items:readLocal()
    assert.is_nil(ok)
    assert.matches("readLocal: Item: .*broken", problem)
  end)

  it("raises for mistakes, and for data of other tables", function()
    local items = filled "Item"
    local customers = filled "Customer"
    assert(customers:saveLocal "other")
    for message, mistake in pairs {
      ["saveLocal: expected at most 2 arguments, got 3"] = function() items:saveLocal("a", 1, 2) end,
      ["saveLocal: name: expected a text that is not empty, got table"] = function() items:saveLocal {} end,
      ["readLocal: name: expected a text that is not empty, got an empty one"] = function()
        items:readLocal ""
      end,
      ["saveLocal: mode: expected JSDO.ALL_DATA or JSDO.CHANGES_ONLY, got 3"] = function()
        items:saveLocal("a", 3)
      end,
      ["addLocalRecords: mode: expected JSDO.MODE_REPLACE, got 1"] = function() items:addLocalRecords(1) end,
      ["addLocalRecords: keyFields: unknown field 'Num'"] = function()
        items:addLocalRecords(REPLACE, { "Num" })
      end,
      ["readLocal: the stored data have other tables than Item"] = function() items:readLocal "other" end,
      ["JSDO: option 'store': expected a store with the methods get, set and remove"] = function()
        JSDO { name = "Item", session = session, store = "files" }
      end,
    } do
      assert.matches(message, raised(mistake), 1, true)
    end
  end)
end)
