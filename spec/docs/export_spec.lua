-- examples/export.lua, as a reader would start it.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"

describe("examples/export.lua", function()
  setup(function() child.variables = "DATASESSION_PASSWORD=secret" end)
  teardown(function() child.variables = nil end)

  local function lines(text)
    local _, n = text:gsub("\n", "")
    return n
  end

  it("writes the customers of a server of its own", function()
    local result = child.run 'dofile "examples/export.lua"'
    assert.equal(0, result.code, result.output)
    assert.matches("^CustNum,Name,", result.output)
    assert.matches("QuarterSales_4,Comments\n1,Alpine Lift Tours,3 Main Street,", result.output, 1, true)
    assert.matches('\n300,.*,"Pays ""late"" / by cheque"\n$', result.output)
    assert.equal(301, lines(result.output))
  end)

  it("writes all pages of another one", function()
    local server <close> = assert(sandbox.start { items = 1100 })
    local result = child.run('dofile "examples/export.lua"', server.uris.form, "static/OrderService.json",
      "form", "lua", "Item")
    assert.equal(0, result.code, result.output)
    assert.equal(1101, lines(result.output))
    assert.equal(0, server:sessionCount("form"))
  end)

  it("tries again when the server is busy", function()
    local server <close> = assert(sandbox.start { items = 1100 })
    for _, path in ipairs { "j_spring_security_check$", "Item$" } do
      server:fault { kind = "status", status = 503, path = path, headers = { ["Retry-After"] = "0" } }
    end
    local result = child.run('dofile "examples/export.lua"', server.uris.form, "static/OrderService.json",
      "form", "lua", "Item")
    assert.equal(0, result.code, result.output)
    assert.equal(1101, lines(result.output))
  end)

  it("fails when a page fails", function()
    local server <close> = assert(sandbox.start { items = 1100 })
    server:fault { kind = "status", status = 500, path = "Item$", count = 0 }
    local result = child.run('dofile "examples/export.lua"', server.uris.form, "static/OrderService.json",
      "form", "lua", "Item")
    assert.equal(1, result.code)
    assert.matches("export: records: HTTP 500", result.output, 1, true)
  end)

  it("has 40 lines at most", function()
    assert.is_true(lines(files.read "examples/export.lua") <= 40)
  end)

  it("says how it is used", function()
    local result = child.run('dofile "examples/export.lua"', "http://localhost")
    assert.equal(1, result.code)
    assert.matches("usage: export.lua URI CATALOG", result.output, 1, true)
  end)
end)
