-- Ids of records: several records may have the same one until the server has given them theirs.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

describe("records with the same id", function()
  local server, items

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:stop() end)
  after_each(sessions.endAll)

  before_each(function()
    local session = sessions.loggedIn(server)
    assert(session:addCatalog(server:catalogURI("anonymous", "OrderService")):await(await.LIMIT))
    items = datasession.JSDO { name = "ItemById", session = session }
    for _, name in ipairs { "first", "second", "third" } do items:add { ItemNum = 5, ItemName = name } end
  end)

  it("are found one after the other, as those before them are removed", function()
    for _, name in ipairs { "first", "second", "third" } do
      local found = items:findById "5"
      assert.equal(name, found.ItemName)
      found:remove()
    end
    assert.is_nil(items:findById "5")
  end)

  it("are not those whose id field is 0, as the catalog's default is", function()
    local a, b = items:add { ItemName = "a" }, items:add { ItemName = "b" }
    assert.equal(0, a.ItemNum)
    assert.not_equal(a.id, b.id)
    assert.equal(a, items:findById(a.id))
    assert.equal(b, items:findById(b.id))
    assert.is_nil(items:findById(0))
  end)

  it("are found as they were loaded, beside those without an id of their own", function()
    items:addRecords({
      { ItemNum = 5, ItemName = "first" }, { ItemName = "without" }, { ItemNum = 5, ItemName = "second" },
      { ItemNum = datasession.null, ItemName = "null" }, { ItemNum = 6, ItemName = "other" },
    }, datasession.JSDO.MODE_EMPTY)
    assert.equal("other", items:findById("6").ItemName)
    for record in items:records() do
      if record.ItemNum ~= 5 then assert.equal(record, items:findById(record.id)) end
    end
    for _, name in ipairs { "first", "second" } do
      assert.equal(name, items:findById("5").ItemName)
      items:remove()
    end
    assert.is_nil(items:findById "5")
  end)

  it("are found when another one has got its own", function()
    items:findById("5").ItemNum = 7
    assert.equal("first", items:findById("7").ItemName)
    assert.equal("second", items:findById("5").ItemName)
  end)
end)
