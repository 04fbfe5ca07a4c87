-- Random changes and saves, some of them refused, some made while a save is pending: in the end memory holds
-- what the server holds. A failure shows its seed; DATA_SEED runs one.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local ROUNDS, SEEDS = 40, 5

describe("data objects and their server", function()
  local server, session

  setup(function() server = assert(sandbox.start { customers = 12 }) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
  end)

  after_each(sessions.endAll)

  local function any(customers)
    local list = {}
    for record in customers:records() do list[#list + 1] = record end
    return #list > 0 and list[math.random(#list)] or nil
  end

  local change = {
    function(customers) customers:add { Name = "New " .. data.fresh() } end,
    function(customers)
      local record = any(customers)
      if record then record.Name = "Name " .. data.fresh() end
    end,
    function(customers)
      local record = any(customers)
      if record then record.City = "City " .. math.random(3) end
    end,
    function(customers)
      local record = any(customers)
      if record then record:remove() end
    end,
  }

  local function changeSome(customers)
    for _ = 1, math.random(4) do change[math.random(#change)](customers) end
  end

  local faults = {
    function() server:refuseRows { count = math.random(3) } end,
    function() server:fault { kind = "status", status = 503, method = "PUT" } end,
    function() server:fault { kind = "close" } end, -- the sandbox does not run the request
    function() server:fault { kind = "html", method = "POST" } end,
    function() end,
    function() end,
  }

  -- Changes records while the first request is pending; the changes outlive the answers.
  local function saveMeanwhile(customers)
    server:fault { kind = "slow", delay = 0.003 }
    local promise = customers:saveChanges(math.random(2) == 1)
    datasession.step(0.001)
    for _ = 1, 4 do changeSome(customers) end
    local written = {}
    for record in customers:records() do written[record] = record.Name end
    assert(promise:await(LIMIT))
    for record in customers:records() do assert.equal(written[record], record.Name) end
  end

  local function saveWithFaults(customers)
    faults[math.random(#faults)]()
    customers:saveChanges(math.random(2) == 1):await(LIMIT)
  end

  local function names(rows)
    local list = {}
    for _, row in ipairs(rows) do list[#list + 1] = ("%d %s %s"):format(row.CustNum, row.Name, row.City) end
    table.sort(list)
    return list
  end

  local function run(seed, options)
    math.randomseed(seed)
    local customers = data.filled(session, "Customer", options)
    for _ = 1, ROUNDS do
      changeSome(customers)
      if math.random(2) == 1 then saveMeanwhile(customers) else saveWithFaults(customers) end
      server:clearFaults()
      if options.autoApplyChanges and math.random(6) == 1 then customers:rejectChanges() end
    end
    for _ = 1, 2 do assert(customers:saveChanges():await(LIMIT)) end
    customers:acceptChanges()
    assert.is_false(customers:hasChanges())
    local own = {}
    for record in customers:records() do own[#own + 1] = record:toTable() end
    assert.same(names(server:rows "ttCustomer"), names(own))
  end

  local function runAll(options)
    local only = math.tointeger(os.getenv "DATA_SEED")
    for seed = only or 1, only or SEEDS do
      local ok, problem = pcall(run, seed, options)
      assert(ok, ("seed %d: %s"):format(seed, tostring(problem)))
    end
  end

  it("agree after random changes, faults and saves", function() runAll { autoApplyChanges = true } end)

  it("agree when the program accepts the changes by itself", function()
    runAll { autoApplyChanges = false }
  end)
end)
