-- getErrors: an entry for each failure.
local datasession = require "datasession"
local errors = require "datasession.internal.data.errors"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO, LIMIT = datasession.JSDO, await.LIMIT

describe("getErrors", function()
  local server, session

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    session = data.begin(server)
  end)

  after_each(sessions.endAll)

  -- The errors of a save of one changed item, which the server answers so.
  local function entries(fault)
    local items = data.filled(session, "Item")
    local item = data.find(items, "ItemNum", 3)
    item.Price = data.fresh()
    fault.method = "PUT"
    server:fault(fault)
    assert.is_nil((items:saveChanges():await(LIMIT)))
    local list = items:getErrors()
    for _, entry in ipairs(list) do
      assert.equal(item:getId(), entry.id)
      assert.equal(item, entry.record)
      entry.id, entry.record = nil, nil
    end
    return list
  end

  local function json(body)
    return { kind = "status", status = 500, contentType = "application/json", body = body }
  end

  it("has the server's errors and return value", function()
    assert.same({
      { type = JSDO.RETVAL, error = "stopped" },
      { type = JSDO.APP_ERROR, error = "first", errorNum = 11 },
      { type = JSDO.APP_ERROR, error = "second", errorNum = 12 },
    }, entries(json [[{"_retVal":"stopped","_errors":[{"_errorMsg":"first","_errorNum":11},
      {"_errorMsg":"second","_errorNum":12}]}]]))
  end)

  it("leaves out what says nothing of its own", function()
    assert.same({ { type = JSDO.RETVAL, error = "no" } },
      entries(json '{"_retVal":"no","_errors":[{"_errorMsg":"no","_errorNum":0}]}'))
    assert.same({ { type = JSDO.APP_ERROR, error = "first", errorNum = 1 } }, entries(json [[
      {"_errors":[{"_errorMsg":"Look at the log (7243)","_errorNum":7243},
        {"_errorMsg":"first","_errorNum":1}]}]]))
    assert.same({ { type = JSDO.APP_ERROR, error = "Look (7243)", errorNum = 7243 } },
      entries(json '{"_errors":[{"_errorMsg":"Look (7243)","_errorNum":7243}]}'))
  end)

  it("reads arrays of errors, and odd members", function()
    assert.same({ { type = JSDO.APP_ERROR, error = "a" }, { type = JSDO.APP_ERROR, error = "b" } },
      entries(json '[{"_errors":[{"_errorMsg":"a"}]},{"_errors":[7,{"_errorMsg":"b","_errorNum":"x"}]}]'))
  end)

  it("has the message and the body of other failures", function()
    local list = entries { kind = "status", status = 418, body = "<h1>Short and stout</h1>",
      contentType = "text/html" }
    assert.equal(1, #list)
    assert.equal(JSDO.ERROR, list[1].type)
    assert.equal("<h1>Short and stout</h1>", list[1].responseText)
    assert.matches("HTTP 418", list[1].error)
    for _, fault in ipairs {
      { kind = "close" }, { kind = "status", status = 401 }, { kind = "html" }, { kind = "malformed" },
      { kind = "redirect", location = "http://127.0.0.1:1/" }, { kind = "truncate" },
      { kind = "status", status = 200, body = "[", contentType = "application/json" },
    } do
      list = entries(fault)
      assert.equal(1, #list)
      assert.equal(JSDO.ERROR, list[1].type)
      assert.is_string(list[1].error)
      if session.state == "expired" then assert(session:login():await(LIMIT)) end
    end
  end)

  it("belong to a table, if there are several", function()
    local orders = data.filled(session, "Order")
    orders.useRelationships = false
    local line = orders.ttOrderLine:find(function() return true end)
    line.Qty = 0
    assert.is_nil((orders:saveChanges():await(LIMIT)))
    assert.equal("ttOrderLine", orders:getErrors()[1].tableName)
    assert.equal(1, #orders.ttOrderLine:getErrors())
    assert.same({}, orders.ttOrder:getErrors())
    orders:getErrors()[1] = nil -- copies
    assert.equal(1, #orders:getErrors())
    assert.equal(errors.DATA_ERROR, JSDO.DATA_ERROR)
  end)
end)
