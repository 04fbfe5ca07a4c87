-- pages and records { top = }: rows page by page, as a loop asks for them.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("pages", function()
  local server, session, customers

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
    customers = datasession.JSDO { name = "Customer", session = session }
  end)

  after_each(sessions.endAll)

  -- The filters that the server was asked for.
  local function asked()
    local list = {}
    for _, request in ipairs(server:requests()) do
      list[#list + 1] = request.uri:match "filter=([^&]*)":gsub("%%(%x%x)", function(code)
        return string.char(tonumber(code, 16))
      end)
    end
    return list
  end

  local function first(filter) return { field = "CustNum", operator = "lte", value = filter } end

  it("come one after the other until the server has no more", function()
    local sizes, numbers = {}, {}
    for page in customers:pages { top = 100, filter = first(250), sort = "CustNum" } do
      sizes[#sizes + 1] = #page
      for _, record in ipairs(page) do numbers[#numbers + 1] = record.CustNum end
    end
    assert.same({ 100, 100, 50 }, sizes)
    for i = 1, 250 do assert.equal(i, numbers[i]) end
    assert.equal(3, #asked())
    assert.matches('"skip":200,"top":100', asked()[3])
    assert.equal(250, #customers:getData())
  end)

  it("end with an empty page when the last was full, and begin where skip says", function()
    local n = 0
    for page in customers:pages { top = 10, skip = 5, filter = first(25) } do n = n + #page end
    assert.equal(20, n)
    assert.equal(3, #asked())
  end)

  it("are fetched when the loop asks for them", function()
    assert.equal(10, #customers:pages { top = 10 } ())
    assert.equal(1, #asked())
    for _ in customers:pages { top = 10, filter = first(0) } do error "no page expected" end
  end)

  it("come in a coroutine, too, while others go on", function()
    local log = {}
    local function walk(name)
      return datasession.spawn(function()
        local own = datasession.JSDO { name = "Customer", session = session }
        for page in own:pages { top = 100 } do log[#log + 1] = name .. #page end
        return name
      end)
    end
    server:clearRequests()
    server:fault { kind = "slow", delay = LIMIT }
    local held = walk "held"
    await.stepUntil(function() return #server:requests() > 0 end)
    assert.equal("other", (walk "other":await(LIMIT)))
    assert.equal("pending", held:state())
    assert.same({ "other100", "other100", "other100" }, log)
    held:cancel()
  end)

  it("give a row once, though it has moved to the next page meanwhile", function()
    local seen, count = {}, 0
    for page in customers:pages { top = 100, sort = "CustNum:desc" } do
      for _, record in ipairs(page) do
        assert.is_nil(seen[record.CustNum])
        seen[record.CustNum], count = true, count + 1
      end
      if count == 100 then server:putRow("ttCustomer", { CustNum = 1000, Name = "New" }) end
    end
    server:dropRow("ttCustomer", { CustNum = 1000 })
    assert.equal(300, count)
    assert.equal(300, #customers)
  end)

  it("keep the changes of earlier pages", function()
    for page in customers:pages { top = 2, filter = first(6) } do page[1].City = "Oslo" end
    assert.equal(3, #customers:getChanges())
    customers:rejectChanges()
  end)

  it("replace one another with keep = false, but never pending changes", function()
    for page in customers:pages { top = 4, keep = false, filter = first(10) } do
      assert.equal(#page, #customers:getData())
    end
    local err = select(2, pcall(function()
      for page in customers:pages { top = 4, keep = false } do page[1].City = "Oslo" end
    end))
    assert.equal("refused", err.kind)
    assert.equal("pages: the next page would drop pending changes", err.message)
    assert.equal(1, #customers:getChanges())
  end)

  it("walk the tables of a dataset", function()
    local orders = datasession.JSDO { name = "Order", session = session }
    local n = 0
    for page in orders.ttOrder:pages { top = 25, sort = "OrderNum" } do n = n + #page end
    assert.equal(60, n)
    assert.matches('"tableRef":"ttOrder"', asked()[1])
    orders.useRelationships = false
    assert.equal(90, #orders.ttOrderLine:getData())
  end)

  it("give their records one by one", function()
    local n = 0
    for record in customers:records { top = 40, filter = first(100) } do
      n = n + 1
      assert.equal(n, record.CustNum)
    end
    assert.equal(100, n)
    n = 0
    for _ in customers:records() do n = n + 1 end
    assert.equal(100, n)
    assert.equal(3, #asked())
  end)

  it("raise the error object of a fill that fails", function()
    local next = customers:pages { top = 10 }
    assert.equal(10, #next())
    server:fault { kind = "status", status = 500, body = "{}", count = 1 }
    local err = select(2, pcall(next))
    assert.equal("http", err.kind)
    assert.matches("^pages: HTTP 500", err.message)
    assert.equal(10, #customers:getData())
    assert.equal(11, next()[1].CustNum)
  end)

  it("stop when the server ignores skip", function()
    local body = '{"dsCustomer":{"ttCustomer":[{"CustNum":1},{"CustNum":2}]}}'
    server:fault { kind = "status", status = 200, body = body, count = 3 }
    local n = 0
    local err = select(2, pcall(function()
      for _ in customers:pages { top = 2 } do n = n + 1 end
    end))
    assert.equal("pages: the server sent the same page twice", err.message)
    assert.equal(1, n)
    n = 0
    for _ in customers:pages { top = 1 } do n = n + 1 end -- the server ignores top, too
    assert.equal(1, n)
  end)

  it("raise for wrong options, and for services that cannot page", function()
    local archive = datasession.JSDO { name = "Archive", session = session }
    for message, call in pairs {
      ["pages: expected a table of options, got nil"] = function() customers:pages() end,
      ["pages: option 'top': expected the number of rows of a page, 1 or more"] = function()
        customers:pages { top = 0 }
      end,
      ["pages: unknown option 'tpo': did you mean 'top'?"] = function()
        customers:pages { tpo = 5 }
      end,
      ["records: option 'mergeMode' is not for pages"] = function()
        customers:records { top = 1, mergeMode = 1 }
      end,
      ["pages: option 'keep': expected a boolean, got string"] = function()
        customers:pages { top = 1, keep = "yes" }
      end,
      ["pages: unknown option 'sorted': did you mean 'sort'?"] = function()
        customers:pages { top = 1, sorted = "Name" }
      end,
      ["pages: the read operation of Archive cannot page: it lacks the mapping JFP with top and "
        .. "skip"] = function()
        archive.ttOrder:pages { top = 1 }
      end,
    } do
      assert.equal(message, raised(call))
    end
  end)
end)
