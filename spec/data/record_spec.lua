-- Records and table references: reading, changing, finding.
local datasession = require "datasession"
local memory = require "datasession.internal.data.memory"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local null = datasession.null

describe("a record", function()
  local server, customers

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:stop() end)
  after_each(sessions.endAll)

  before_each(function()
    sessions.refresh(server)
    local session = sessions.loggedIn(server)
    assert(session:addCatalog(server.catalogURIs.anonymous):await(await.LIMIT))
    customers = datasession.JSDO { name = "Customer", session = session }
    memory.load(customers.ttCustomer, {
      { CustNum = 1, Name = "Lift Tours", State = "MA", Address2 = null },
      { CustNum = 2, Name = "Urpon Frisbee", State = "Uusima" },
      { CustNum = 3, Name = "Hoops", State = "GA" },
    })
  end)

  local function named(name)
    return customers:find(function(r) return r.Name == name end)
  end

  it("reads and writes fields, and keeps what was before", function()
    local r = named "Hoops"
    assert.equal(3, r.CustNum)
    r.Name = "Hoops Inc"
    assert.equal("Hoops Inc", r.Name)
    assert.equal("modified", r.state)
    assert.equal("Hoops", r.before.Name)
    assert.is_true(customers:hasChanges())
  end)

  it("reads null as nil and writes nil as null", function()
    local r = named "Lift Tours"
    assert.is_nil(r.Address2)
    r.State = nil
    assert.is_nil(r.State)
    assert.equal(null, customers:getData()[1].State)
  end)

  it("raises for an unknown field with the nearest name", function()
    local r = named "Hoops"
    local message = "unknown field of ttCustomer 'Nmae': did you mean 'Name'?"
    for _, mistake in ipairs {
      function() return r.Nmae end,
      function() r.Nmae = 1 end,
      function() customers:add { Nmae = 1 } end,
      function() r:assign { Nmae = 1 } end,
    } do
      local ok, err = pcall(mistake)
      assert.is_false(ok)
      assert.matches("record_spec%.lua:%d+: ", err)
      assert.matches(message, err, 1, true)
    end
    assert.is_false(customers:hasChanges())
  end)
end)
