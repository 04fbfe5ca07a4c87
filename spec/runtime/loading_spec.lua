-- The Lua layer loads no modules at the start, all at the first session, and none during an operation.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"

describe("the modules of the Lua layer", function()
  local server, directory

  setup(function()
    server = assert(sandbox.start { customers = 2 })
    directory = files.directory()
  end)
  teardown(function()
    server:close()
    files.removeDirectory(directory)
  end)

  local WORK = [[
    local function work(new)
      local session = new { serviceURI = arg[1], authenticationModel = "form", name = "one",
        store = require("datasession.store").file(arg[2]) }
      require = function(name) error("required in the midst of work: " .. name) end
      assert(session:login("lua", "secret"):await(20))
      session:setContextProperty("a", "b")
      assert(session:addCatalog(arg[1] .. "/static/CustomerService.json"):await(20))
      assert(session:request { path = "/rest/CustomerService/Customer" }:await(20))
      assert(session:reloadCatalogs():await(20))
      assert(not pcall(new, { serviceURi = arg[1] }))
      assert(datasession.stopSession(session, 5):await(20))
      local second = assert(datasession.getSession { serviceURI = arg[1], authenticationModel = "form",
        username = "lua", password = "secret",
        catalogURI = arg[1] .. "/static/CustomerService.json" }:await(20))
      datasession.endSession(second)
      assert(datasession.invalidateAllSessions({ all = true }):await(20))
      assert(datasession.array { 1 } and datasession.flush())
      datasession.run(20)
      print "done"
    end
  ]]

  local function works(script)
    assert.equal("done\n", child.output(script:gsub("WORK", (WORK:gsub("%%", "%%%%"))), server.uris.form,
      directory))
  end

  it("are loaded by the first session, and none after that", function()
    works [[
      datasession = require "datasession"
      for _, name in ipairs { "codec", "suggest", "catalogs", "persistence", "registry", "ending" } do
        assert(not package.loaded["datasession.internal." .. name], name)
      end
      WORK
      work(datasession.new)
    ]]
  end)

  it("are loaded by the first provider too", function()
    works [[
      datasession = require "datasession"
      require "datasession.store"
      local provider = datasession.AuthenticationProvider { uri = arg[1], authenticationModel = "form" }
      for _, name in ipairs { "codec", "suggest", "catalogs", "persistence", "registry", "ending" } do
        assert(package.loaded["datasession.internal." .. name], name)
      end
      WORK
      work(datasession.new)
    ]]
  end)

  it("are found though the program changes package.path", function()
    works [[
      datasession = require "datasession"
      require "datasession.store"
      package.path = "/nowhere/?.lua"
      WORK
      work(datasession.new)
      assert(package.path == "/nowhere/?.lua")
    ]]
  end)
end)
