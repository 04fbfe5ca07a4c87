-- The log of system events: setLogger.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("the log", function()
  local server, log

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function()
    assert(server:start())
    server:clearFaults()
    log = {}
    datasession.setLogger(function(level, event, session, fields)
      log[#log + 1] = { level = level, event = event, session = session, fields = fields }
    end)
  end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  local function events()
    datasession.run(LIMIT)
    local names = {}
    for i, entry in ipairs(log) do names[i] = entry.level .. " " .. entry.event end
    return names
  end

  it("tells the life of a session", function()
    local session = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    session:login("lua", "wrong"):await(LIMIT)
    assert(session:login("lua", "secret"):await(LIMIT))
    server:stop()
    session:ping():await(LIMIT)
    assert(server:start())
    session:ping():await(LIMIT)
    server:expireSessions "form"
    session:ping():await(LIMIT)
    session:logout():await(LIMIT)
    session:invalidate():await(LIMIT)
    assert.same({
      "warning loginFailed", "info loggedIn", "info online", "warning offline", "info online", "warning lost",
      "warning offline", "info loggedOut", "info invalidated",
    }, events())
    for _, entry in ipairs(log) do
      assert.equal(session, entry.session)
      assert.equal("jsdo", entry.fields.protocol)
      assert.equal(server.uris.form, entry.fields.serviceURI)
      assert.is_number(entry.fields.session)
    end
    assert.equal(401, log[1].fields.httpStatus)
    assert.equal("auth", log[1].fields.kind)
    assert.equal(datasession.SERVER_OFFLINE, log[4].fields.reason)
  end)

  it("holds no secret", function()
    local session = datasession.new {
      serviceURI = server.uris.form .. ";JSESSIONID=hush1", authenticationModel = "form",
      keepCredentials = true,
      reconnect = { delay = 0.01 }, pingInterval = 0,
    }
    session:login("lua", "hush2"):await(LIMIT)
    server:stop()
    session:login("lua", "hush3"):await(LIMIT)
    session:request { path = "x?token=hush4" }:await(LIMIT)
    events()
    assert.is_true(#log >= 2)
    for _, entry in ipairs(log) do
      for _, value in pairs(entry.fields) do assert.not_matches("hush", tostring(value)) end
      assert.not_matches("hush", tostring(entry.session))
    end
  end)

  it("is never told from inside a call, and a logger that fails harms nothing", function()
    local reported = {}
    datasession.onError(function(err) reported[#reported + 1] = tostring(err) end)
    local inside
    datasession.setLogger(function() inside = true error "oops" end)
    local session = datasession.new { serviceURI = server.uris.anonymous }
    session:invalidate()
    assert.is_nil(inside)
    datasession.run(LIMIT)
    datasession.onError(nil)
    assert.is_true(inside)
    assert.matches("oops", reported[1])
  end)

  it("is silent without a logger, and gives the last one back", function()
    local function f() end
    assert.is_function(datasession.setLogger(f))
    assert.equal(f, datasession.setLogger(nil))
    assert.is_nil(datasession.setLogger())
    datasession.new({ serviceURI = server.uris.anonymous }):invalidate()
    assert.same({}, events())
    assert.error_matches(function() datasession.setLogger "x" end, "function expected")
  end)
end)
