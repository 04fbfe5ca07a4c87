-- Things with two names: the second is the old one, or an alias.
local sandbox = require "datasession.sandbox"
local datasession = require "datasession"

describe("names", function()
  local server

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  it("keep the old ones of functions and modules", function()
    assert.equal(datasession.newPromise, datasession.promise)
    assert.equal(datasession.defineProtocol, datasession.protocol)
    assert.equal(require "datasession.store", require "datasession.storage")
  end)

  it("make and define what they say", function()
    assert.equal(7, (datasession.newPromise(function(resolve) resolve(7) end):await()))
    datasession.defineProtocol("by its new name", { implicit = true })
    local session = datasession.new { protocol = "by its new name", serviceURI = server.uris.anonymous }
    assert.equal("by its new name", session.protocol)
    assert(session:invalidate():await())
  end)

  it("give every constant twice, under constants and in datasession", function()
    local count = 0
    for name, value in pairs(datasession.constants) do
      count = count + 1
      assert.equal(value, datasession[name])
    end
    assert.is_true(count > 20)
    assert.equal(1, datasession.constants.SUCCESS)
  end)

  it("give the service's state as serviceStatus and as status", function()
    local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt }
    assert.is_string(session.serviceStatus)
    assert.equal(session.serviceStatus, session.status)
    assert.error_matches(function() session.serviceStatus = "x" end, "session.serviceStatus is read%-only")
    assert(session:invalidate():await())
  end)

  it("take the option store, or its old name storage, but not both", function()
    local memory = require("datasession.store").memory()
    local function kept(options)
      options.serviceURI, options.authenticationModel = server.uris.form, "form"
      local session = datasession.new(options)
      assert(session:login("lua", "secret"):await())
      datasession.run(1)
      assert.is_string(memory:get(options.name))
      assert(session:invalidate():await())
    end
    kept { name = "by store", store = memory }
    kept { name = "by storage", storage = memory }
    assert.error_matches(function() kept { name = "both", store = memory, storage = memory } end,
      "options 'store' and 'storage', its old name: pass only one")
    assert.error_matches(function() kept { name = "bad", storage = 1 } end,
      "option 'storage': expected a store")
  end)
end)
