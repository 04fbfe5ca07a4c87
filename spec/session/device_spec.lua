-- The host's knowledge of this machine's network, and automatic pings while the server is away.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local sessions = dofile "spec/support/sessions.lua"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected

describe("setDeviceOnline", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    server:setAppServer(true)
    server:clearFaults()
    server:clearRequests()
  end)

  after_each(function()
    datasession.setDeviceOnline(true)
    support.finish()
  end)

  local function loggedIn(options)
    local session = sessions.loggedIn(server, "basic", options)
    datasession.run(0)
    server:clearRequests()
    return session, support.listen(session)
  end

  it("tells every session of a change, once, and later ones too", function()
    local one, oneEvents = loggedIn()
    local two, twoEvents = loggedIn()
    local ended = loggedIn()
    ended:invalidate()
    for _ = 1, 2 do
      datasession.setDeviceOnline(false)
    end
    assert.is_false(one.connected)
    assert.is_false(two.connected)
    assert.equal(1, one.loginResult)
    datasession.run(0)
    assert.same({ "Device is offline" }, oneEvents)
    local later = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
    assert(later:login("lua", "secret"):await(LIMIT))
    assert.is_false(later.connected)
    for _ = 1, 2 do
      datasession.setDeviceOnline(true)
    end
    datasession.run(0)
    assert.same({ "Device is offline", "online" }, oneEvents)
    assert.same({ "Device is offline", "online" }, twoEvents)
    assert.is_true(later.connected)
  end)

  it("fires nothing for a session that was not connected", function()
    local session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
    local events = support.listen(session)
    datasession.setDeviceOnline(false)
    datasession.setDeviceOnline(true)
    datasession.run(0)
    assert.same({}, events)
    assert.is_false(session.connected)
  end)

  it("is not overruled by an answer", function()
    local session, events = loggedIn()
    datasession.setDeviceOnline(false)
    local _, err = session:ping():await(LIMIT)
    assert.equal("offline", err.kind)
    assert.equal("Device is offline", err.info.offlineReason)
    assert.is_false(session.connected)
    datasession.setDeviceOnline(true)
    datasession.run(0)
    assert.same({ "Device is offline", "online" }, events)
  end)

  it("is not overruled by an answer that earlier pings have had", function()
    local session = loggedIn()
    for _ = 1, 3 do assert(session:ping():await(LIMIT)) end
    datasession.setDeviceOnline(false)
    assert.equal("Device is offline", rejected(session:ping(), "offline").info.offlineReason)
    assert.is_false(session.connected)
  end)

  it("is not needed where the system itself says that there is no way to the server", function()
    local session = datasession.new { serviceURI = "http://224.0.0.1:9", proxy = false } -- no host's address
    local err = rejected(session:login())
    assert.equal("offline", err.kind)
    assert.is_true(err.retryable)
    assert.matches("this machine has no network", err.message, 1, true)
  end)

  it("does not bring back what the server has lost meanwhile", function()
    local session, events = loggedIn()
    datasession.setDeviceOnline(false)
    server:fault { kind = "status", status = 404, count = 0 }
    rejected(session:ping())
    datasession.setDeviceOnline(true)
    datasession.run(0)
    assert.is_false(session.connected)
    assert.same({ "Device is offline" }, events)
  end)

  it("keeps automatic pings back while there is no network, and lets them go on", function()
    local session = loggedIn { pingInterval = 5 }
    support.stepUntil(server, 2)
    datasession.setDeviceOnline(false)
    assert.is_true(datasession.run(LIMIT)) -- nothing pends: no timer is set
    server:clearRequests()
    datasession.setDeviceOnline(true)
    assert.is_true(datasession.pending())
    support.stepUntil(server, 2)
    session.pingInterval = 0
  end)

  it("raises for what is no boolean", function()
    for _, bad in ipairs { 1, "true", {} } do
      assert.error_matches(function() datasession.setDeviceOnline(bad) end, "boolean expected")
    end
    assert.error_matches(function() datasession.setDeviceOnline() end, "boolean expected")
  end)

  describe("is not needed by automatic pings, which", function()
    it("come less often while the server is away, and as before when it is back", function()
      local session, events = loggedIn { pingInterval = 1000 }
      local before = datasession.timeout()
      assert.is_true(before <= 1)
      server:setAppServer(false)
      for _ = 1, 3 do
        rejected(session:ping())
      end
      local away = datasession.timeout()
      assert.is_true(away > 5.5 and away <= 10, away) -- eight times, give or take a quarter
      server:setAppServer(true)
      assert(session:ping():await(LIMIT))
      assert.is_true(datasession.timeout() <= 1)
      assert.same({ "AppServer is not available", "online" }, events)
      session.pingInterval = 0
    end)

    it("go on while it is away, and see it come back", function()
      local session, events = loggedIn { pingInterval = 5 }
      server:setAppServer(false)
      support.stepUntil(server, 3)
      server:setAppServer(true)
      for _ = 1, 4000 do
        if session.connected and #events == 2 then break end
        datasession.step(0.005)
      end
      session.pingInterval = 0
      assert.same({ "AppServer is not available", "online" }, events)
    end)

    it("begin anew with the network", function()
      local session = loggedIn { pingInterval = 1000 }
      server:setAppServer(false)
      for _ = 1, 3 do
        rejected(session:ping())
      end
      datasession.setDeviceOnline(false)
      datasession.setDeviceOnline(true)
      assert.is_true(datasession.timeout() <= 1)
      session.pingInterval = 0
    end)
  end)
end)
