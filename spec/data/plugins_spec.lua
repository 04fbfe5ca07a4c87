-- Plugins: functions that translate the requests and responses of read operations.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local data = dofile "spec/support/data.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local manager = require("datasession.data").PluginManager

-- A catalog of one resource: the sandbox's customers, with another read operation.
local function catalogText(operation)
  return ([[{"version":"1.4","services":[{"name":"Plug","address":"/rest/CustomerService","resources":[{
    "name":"Plugged","path":"/Customer","schema":{"type":"object","properties":{"dsCustomer":{"type":"object",
      "properties":{"ttCustomer":{"type":"array","primaryKey":["CustNum"],"items":{"properties":{
        "CustNum":{"type":"integer","ablType":"INTEGER"},
        "Name":{"type":"string","ablType":"CHARACTER"}}}}}}}},
    "operations":[{"type":"read","path":"?filter={filter}",%s}]
  }]}]}]]):format(operation)
end

describe("a plugin", function()
  local server, number = nil, 0

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  before_each(function() sessions.refresh(server) end)
  after_each(sessions.endAll)

  local function object(operation)
    local session = sessions.loggedIn(server)
    data.addCatalog(session, catalogText(operation))
    server:clearRequests()
    return datasession.JSDO { name = "Plugged", session = session }
  end

  -- A new name: plugins stay for the life of the Lua state.
  local function add(plugin)
    number = number + 1
    local name = "PLUG" .. number
    manager.addPlugin(name, plugin)
    return object(('"mappingType":"%s"'):format(name))
  end

  it("gives the values of the address, and the response in a known form", function()
    local seen = {}
    local customers = add {
      requestMapping = function(jsdo, params, info)
        seen = { jsdo, params.number, info.operation, params.mergeMode }
        return { filter = "CustNum = " .. params.number }
      end,
      responseMapping = function(_, response, info)
        assert.equal("read", info.operation)
        response.dsCustomer.ttCustomer[1].Name = "Mapped"
        return response
      end,
    }
    assert(customers:fill { number = 7, mergeMode = 3 }:await(LIMIT))
    assert.same({ customers, 7, "read" }, seen)
    assert.same({ 7, "Mapped" }, { customers.CustNum, customers.Name })
  end)

  it("may make the rows as plain tables", function()
    local rows = { { CustNum = 70, Name = "Made" }, { CustNum = 71 } }
    local customers = add { responseMapping = function() return { dsCustomer = { ttCustomer = rows } } end }
    assert(customers:fill { filter = "" }:await(LIMIT))
    assert.same({ 2, 70, "Made" }, { #customers, customers.CustNum, customers.Name })
    rows = {}
    assert(customers:fill { filter = "" }:await(LIMIT))
    assert.equal(0, #customers)
  end)

  it("is not needed for a table: a filter that it lacks is empty", function()
    local customers = object '"verb":"get"'
    local _, _, request = assert(customers:fill { mergeMode = datasession.JSDO.MODE_APPEND }:await(LIMIT))
    assert.equal(300, #customers)
    assert.matches("%?filter=$", server:requests()[1].uri)
    assert.same({ mergeMode = datasession.JSDO.MODE_APPEND }, request.objParam)
  end)

  it("may give the filter's text, or leave out either function", function()
    local customers = add { requestMapping = function() return "CustNum = 8" end }
    local _, _, request = assert(customers:fill {}:await(LIMIT))
    assert.equal(8, customers.CustNum)
    assert.same({ filter = "CustNum = 8" }, request.objParam)
    customers = add {}
    assert(customers:fill { filter = "CustNum = 9" }:await(LIMIT))
    assert.equal(9, customers.CustNum)
    assert(customers:fill "CustNum = 10":await(LIMIT))
    assert.equal(10, customers.CustNum)
  end)

  it("that raises or gives nothing fails the fill, and sends nothing", function()
    local reported = {}
    datasession.onError(function(err) reported[#reported + 1] = err end)
    for message, plugin in pairs {
      ["raised in requestMapping: .*boom"] = { requestMapping = function() error "boom" end },
      ["requestMapping: expected a table or a text, got nil"] = { requestMapping = function() end },
      ["responseMapping: expected a table, got number"] = { responseMapping = function() return 7 end },
      ["fill: the operation read needs a value for 'filter', got nothing"] = {
        requestMapping = function() return {} end },
    } do
      local customers = add(plugin)
      local err = await.rejected(customers:fill { filter = "" }, "error")
      assert.matches(message, err.message)
      assert.equal(plugin.responseMapping and 1 or 0, #server:requests())
      assert.equal(err.message, customers:getErrors()[1].error)
    end
    datasession.onError(nil)
    assert.equal(1, #reported)
  end)

  it("must be there when the catalog wants it", function()
    local customers = object '"mappingType":"NOPE"'
    assert.equal("fill: the catalog wants the plugin 'NOPE': add it by PluginManager.addPlugin",
      raised(function() customers:fill {} end))
    customers = object '"capabilities":"top"'
    assert.equal("fill: the catalog lists capabilities without a mappingType: give a text, or correct the "
      .. "catalog", raised(function() customers:fill { top = 1 } end))
    assert(customers:fill "CustNum = 3":await(LIMIT))
    assert.equal(3, customers.CustNum)
  end)

  it("has a name of its own, and functions alone", function()
    manager.addPlugin("TWICE", {})
    for message, call in pairs {
      ["addPlugin: there is a plugin 'TWICE' already"] = function() manager.addPlugin("TWICE", {}) end,
      ["addPlugin: there is a plugin 'JFP' already"] = function() manager.addPlugin("JFP", {}) end,
      ["addPlugin: expected a name, got nil"] = function() manager.addPlugin() end,
      ["addPlugin: expected a table of functions, got nil"] = function() manager.addPlugin "A" end,
      ["addPlugin: unknown member 'requestMaping': did you mean 'requestMapping'?"] = function()
        manager.addPlugin("A", { requestMaping = print })
      end,
      ["addPlugin: requestMapping: expected a function, got string"] = function()
        manager.addPlugin("A", { requestMapping = "f" })
      end,
    } do
      assert.equal(message, raised(call))
    end
  end)
end)
