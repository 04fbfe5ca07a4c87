-- Events of data objects and tables: who is called, when, in which order, with what; and mistakes.
local datasession = require "datasession"
local events = require "datasession.internal.data.events"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("a data object's events", function()
  local server, session, customers, reported

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    reported = {}
    datasession.onError(function(err) reported[#reported + 1] = err end)
    session = data.begin(server)
    customers = data.filled(session, "Customer")
  end)

  after_each(function()
    sessions.endAll()
    datasession.onError(nil)
    assert.same({}, reported)
  end)

  local function change(number)
    local record = data.find(customers, "CustNum", number or 3)
    record.CreditLimit = record.CreditLimit + 1
    return record.CreditLimit
  end

  local function saved()
    return customers:saveChanges():await(LIMIT)
  end

  it("reach the table first, then the data object, each with the record and its own success", function()
    local log = {}
    local function note(name)
      return function(...) log[#log + 1] = { name, ... } end
    end
    for _, event in ipairs { "beforeSaveChanges", "afterSaveChanges", "beforeUpdate", "afterUpdate" } do
      assert.equal(customers, customers:subscribe(event, note(event)))
    end
    customers.ttCustomer:subscribe("beforeupdate", note "table before")
    customers.ttCustomer:subscribe("AFTERUPDATE", note "table after")
    change()
    local record = customers.record
    local promise = customers:saveChanges()
    promise:done(function() log[#log + 1] = { "done" } end)
    assert(promise:await(LIMIT))
    await.flush()
    local names = {}
    for i, entry in ipairs(log) do names[i] = entry[1] end
    assert.same({ "beforeSaveChanges", "table before", "beforeUpdate", "table after", "afterUpdate",
      "afterSaveChanges", "done" }, names)
    assert.equal(customers, log[4][2])
    assert.equal(record, log[4][3])
    assert.is_true(log[4][4])
    assert.equal(record, log[4][5].jsrecord)
    assert.equal(customers, log[6][2])
    assert.is_true(log[6][3])
    assert.equal(log[4][5], log[6][4].batch.operations[1])
  end)

  it("pass the scope first, run in order, and a second subscription moves to the end", function()
    local log = {}
    local function first(scope) log[#log + 1] = scope.name end
    local function second(jsdo) log[#log + 1] = jsdo == customers and "second" end
    local one, other = { name = "one" }, { name = "other" }
    customers:subscribe("afterSaveChanges", first, one):subscribe("afterSaveChanges", first, other)
    customers:subscribe("afterSaveChanges", second):subscribe("afterSaveChanges", first, one)
    assert(saved())
    assert.same({ "other", "second", "one" }, log)
  end)

  it("reach nobody who has unsubscribed, even while the event fires", function()
    local log = {}
    local function second() log[#log + 1] = "second" end
    local function first()
      log[#log + 1] = "first"
      customers:unsubscribe("afterSaveChanges", second)
    end
    customers:subscribe("afterSaveChanges", first):subscribe("afterSaveChanges", second)
    assert(saved())
    customers:unsubscribeAll("aftersavechanges")
    assert(saved())
    customers:subscribe("afterSaveChanges", first):subscribe("beforeSaveChanges", second):unsubscribeAll()
    assert(saved())
    assert.same({ "first" }, log)
  end)

  it("reach those that are left, however many came and went, in the order in which they came", function()
    local calls, handlers = {}, {}
    for i = 1, 60 do
      handlers[i] = function() calls[#calls + 1] = i end
      customers:subscribe("afterFill", handlers[i])
    end
    for i = 1, 60 do
      if i % 20 ~= 0 then customers:unsubscribe("afterFill", handlers[i]) end
    end
    customers:subscribe("afterFill", handlers[20])
    assert(customers:fill():await(LIMIT))
    assert.same({ 40, 60, 20 }, calls)
    for i = 20, 60, 20 do customers:unsubscribe("afterFill", handlers[i]) end
    assert(customers:fill():await(LIMIT))
    assert.equal(3, #calls)
  end)

  it("report a handler that raises, and go their way", function()
    customers:subscribe("beforeSaveChanges", function() error "before" end)
    customers:subscribe("beforeUpdate", function() error { "a table" } end)
    customers:subscribe("afterUpdate", function() error "after" end)
    local limit = change()
    assert(saved())
    assert.equal(limit, server:rows("ttCustomer")[3].CreditLimit)
    assert.equal(3, #reported)
    assert.matches("events_spec.lua:%d+: before\nstack traceback", reported[1])
    assert.same({ "a table" }, reported[2])
    assert.matches("after", reported[3])
    reported = {}
  end)

  it("let a handler of before... cancel by false, and by nothing else", function()
    local answer = false
    customers:subscribe("beforeSaveChanges", function() return answer end)
    change()
    local ok, err = saved()
    assert.is_nil(ok)
    assert.equal("cancelled", err.kind)
    assert.equal("cancelled", err.info.request.exception.kind)
    assert.same({}, data.sent(server))
    assert.is_true(customers:hasChanges())
    assert.equal(1, #customers:getErrors())
    answer = nil
    assert(saved())
  end)

  it("let a handler of before... cancel one record; the others are saved", function()
    change(3)
    change(4)
    local after = {}
    customers:subscribe("beforeUpdate", function(_, record) return record.CustNum ~= 3 end)
    customers:subscribe("afterUpdate", function(_, record, success) after[record.CustNum] = success end)
    local ok, err = saved()
    assert.is_nil(ok)
    assert.equal("cancelled", err.kind)
    assert.equal(1, #data.sent(server))
    assert.same({ [3] = false, [4] = true }, after)
    assert.equal(1, #customers:getChanges())
    assert.equal(3, customers:getErrors()[1].record.CustNum)
  end)

  it("of invoke reach handlers without an operation, and those with that one", function()
    local log = {}
    customers:subscribe("beforeInvoke", function() log[#log + 1] = "all" end)
    customers:subscribe("beforeInvoke", "RaiseCreditLimit", function() log[#log + 1] = "raise" end)
    customers:subscribe("beforeInvoke", "count", function() log[#log + 1] = "count" end)
    events.fireOperation(customers, "beforeInvoke", "RaiseCreditLimit", {})
    events.fireOperation(customers, "beforeInvoke", "count", {})
    assert.same({ "all", "raise", "all", "count" }, log)
  end)

  it("have two names for fill, and may be given to the constructor", function()
    local log = {}
    local scope = {}
    local function note(...) log[#log + 1] = { ... } end
    local mine = datasession.JSDO { name = "Customer", session = session, events = {
      beforeRead = { { fn = note, scope = scope } },
      afterInvoke = { { fn = note, operation = "count" } },
    } }
    events.fire(mine, "beforeFill", 1)
    events.fireOperation(mine, "afterInvoke", "RaiseCreditLimit", 2)
    events.fireOperation(mine, "afterInvoke", "count", 3)
    assert.same({ { scope, mine, 1 }, { mine, 3 } }, log)
    mine:unsubscribe("BEFOREFILL", note, scope)
    events.fire(mine, "beforeFill", 4)
    assert.equal(2, #log)
  end)

  it("raise for mistakes where the program made them", function()
    local function nothing() end
    local t = customers.ttCustomer
    for message, mistake in pairs {
      ["subscribe: unknown event 'afterFil': did you mean 'afterFill'?"] = function()
        customers:subscribe("afterFil", nothing)
      end,
      ["subscribe: event: expected the name of an event, got nil"] = function() customers:subscribe() end,
      ["subscribe: handler: expected a function, got nil"] = function() customers:subscribe("afterFill") end,
      ["subscribe: scope: expected a table or userdata, got number"] = function()
        customers:subscribe("afterFill", nothing, 1)
      end,
      ["subscribe: the event 'afterFill' fires on the data object, not on its tables"] = function()
        t:subscribe("afterFill", nothing)
      end,
      ["subscribe: the event 'afterFill' has no operation"] = function()
        customers:subscribe("afterFill", "count", nothing)
      end,
      ["unsubscribe: unknown operation 'Raise': expected one of"] = function()
        customers:unsubscribe("afterInvoke", "Raise", nothing)
      end,
      ["unsubscribeAll: unknown event 'x'"] = function() customers:unsubscribeAll("x") end,
      ["JSDO: option 'events': unknown event 'onFill'"] = function()
        datasession.JSDO { name = "Customer", session = session, events = { onFill = {} } }
      end,
      ["JSDO: option 'events': expected an array for 'afterFill', got function"] = function()
        datasession.JSDO { name = "Customer", session = session, events = { afterFill = nothing } }
      end,
      ["JSDO: option 'events': expected an array for 'afterFill', got a table without a first"] = function()
        datasession.JSDO { name = "Customer", session = session, events = { afterFill = { fn = nothing } } }
      end,
      ["JSDO: option 'events': handler: expected a function, got nil"] = function()
        datasession.JSDO { name = "Customer", session = session, events = { afterFill = { {} } } }
      end,
    } do
      assert.matches(message, raised(mistake), 1, true)
    end
  end)
end)
