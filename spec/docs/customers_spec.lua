-- examples/customers.lua, as a reader would start it.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"

describe("examples/customers.lua", function()
  setup(function() child.variables = "DATASESSION_PASSWORD=secret" end)
  teardown(function() child.variables = nil end)

  it("browses, edits, saves and settles a conflict at a server of its own", function()
    local result = child.run 'dofile "examples/customers.lua"'
    assert.equal(0, result.code, result.output)
    assert.matches("7 of 8 changes saved, 1 refused", result.output, 1, true)
    assert.matches("CreditLimit: read 10500, sent 40000, stored 50000", result.output, 1, true)
    assert.matches("limit 40000.00, contact Ann Onym", result.output, 1, true)
    assert.matches("All went well", result.output)
  end)

  it("shows the first records of another one, and changes nothing there", function()
    local server <close> = assert(sandbox.start())
    local result = child.run('dofile "examples/customers.lua"', server.uris.form, "static/OrderService.json",
      "form", "lua", "Item")
    assert.equal(0, result.code, result.output)
    assert.matches("ItemNum: 10, ", result.output, 1, true)
    assert.is_nil(result.output:find("ItemNum: 11, ", 1, true))
    for _, request in ipairs(server:requests()) do
      local isLogin = request.uri:find("j_spring", 1, true)
      assert.is_true(request.method == "GET" or isLogin ~= nil, request.uri)
    end
    assert.equal(0, server:sessionCount("form"))
  end)

  it("says how it is used", function()
    local result = child.run('dofile "examples/customers.lua"', "http://localhost")
    assert.equal(1, result.code)
    assert.matches("usage: customers.lua URI CATALOG", result.output, 1, true)
  end)
end)
