-- DataSnap sessions that outlive the program: what is kept under which name, and when it is gone.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local socket = require "socket"
local storage = require "datasession.store"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, flush = await.LIMIT, await.flush

describe("a DataSnap session that is kept", function()
  local server, store, errors, warnings
  local originalWarn = warn

  setup(function()
    server = assert(sandbox.start { users = { ada = "tea" }, datasnapAuthentication = false })
  end)
  teardown(function() server:close() end)

  before_each(function()
    store, errors, warnings = storage.memory(), {}, {}
    _G.warn = function(text) warnings[#warnings + 1] = text end -- luacheck: ignore
    datasession.onError(function(err) errors[#errors + 1] = tostring(err) end)
    server:setDataSnap { timeout = 1200000 }
    server:clearRequests()
  end)

  after_each(function()
    sessions.endAll()
    _G.warn = originalWarn -- luacheck: ignore
    datasession.onError(nil)
    assert.same({}, errors)
  end)

  local function new(options)
    local made = {
      protocol = "datasnap", serviceURI = server.uris.datasnap, sessionCookiePrefix = "chat_",
      store = store,
    }
    for name, value in pairs(options or {}) do made[name] = value or nil end
    return datasession.new(made)
  end

  local function call(session)
    assert(session:invoke("TEcho", "Count"):await(LIMIT))
    flush()
  end

  local function document(name)
    local text = store:get(name or "chat_dssessionid")
    return text and codec.decode(text)
  end

  -- It ends without a word to the server or the store, as with its program.
  local function leave(session, name)
    local text = store:get(name or session.name)
    session:disconnect():await(LIMIT)
    session:invalidate():await(LIMIT)
    flush()
    store:set(name or "chat_dssessionid", text)
  end

  it("is nowhere while the server has given it no id", function()
    server:setDataSnap { pragma = false }
    local session = new()
    call(session)
    server:setDataSnap { pragma = true }
    assert.is_nil(session.sessionId)
    assert.is_nil(document())
  end)

  it("is under the prefix and dssessionid, with its id, deadline, origin and path", function()
    local session = new()
    assert.equal("chat_dssessionid", session.name)
    flush()
    assert.is_nil(document())
    call(session)
    local kept = document()
    assert.equal("datasnap", kept.protocol)
    assert.same({
      id = session.sessionId, expires = math.floor(session.expiresAt) * 1000, timeout = 1200000,
      origin = server.origin, path = "/datasnap/rest",
    }, kept.wire)
  end)

  it("comes back with its deadline, and goes on", function()
    local session = new()
    call(session)
    local id, at = session.sessionId, session.expiresAt
    leave(session)
    local again = new()
    assert.equal("restored", again.state)
    assert.equal(id, again.sessionId)
    assert.equal(math.floor(at), again.expiresAt)
    assert.is_false(again.connected)
    call(again)
    assert.equal("dssession=" .. id, server:requests()[2].headers.pragma)
    assert.is_true(again.connected)
    assert.is_true(again.expiresAt > math.floor(at))
    assert.same({}, warnings)
  end)

  it("comes back in another process", function()
    local directory = os.tmpname()
    os.remove(directory)
    local first = child.start([[
      local datasession = require "datasession"
      local store = require("datasession.store").file(arg[2])
      local session = datasession.new {
        protocol = "datasnap", serviceURI = arg[1], sessionCookiePrefix = "chat_", store = store }
      assert(session:invoke("TEcho", "Count"):await(20))
      io.write(session.sessionId)
    ]], server.origin, directory):finish().output
    store = storage.file(directory)
    local session = new()
    assert.equal(first, session.sessionId)
    call(session)
    assert.equal("dssession=" .. first, server:requests()[2].headers.pragma)
    assert(session:closeSession():await(LIMIT))
    flush()
    assert.is_nil(store:get("chat_dssessionid"))
    assert(datasession.flush(LIMIT))
    assert(os.remove(directory))
  end)

  it("is kept by the option name as well, and by neither not at all", function()
    local session = new { sessionCookiePrefix = false, name = "mine" }
    assert.equal("mine", session.name)
    call(session)
    assert.equal(session.sessionId, document("mine").wire.id)
    assert.is_nil(new({ sessionCookiePrefix = false }).name)
    assert.equal("dssessionid", new({ sessionCookiePrefix = "" }).name)
    assert.error_matches(function() new { name = "other" } end, "'name'.*'sessionCookiePrefix'")
    assert.error_matches(function() new { sessionCookiePrefix = 1 } end,
      "'sessionCookiePrefix': expected a string")
  end)

  it("leaves that of another prefix alone", function()
    local one, two = new(), new { sessionCookiePrefix = "shop_" }
    call(one)
    call(two)
    assert.not_equal(one.sessionId, two.sessionId)
    local text = store:get("shop_dssessionid")
    assert(one:closeSession():await(LIMIT))
    flush()
    assert.is_nil(document())
    assert.equal(text, store:get("shop_dssessionid"))
  end)

  it("is never kept with credentials", function()
    local session = new()
    assert(session:login("ada", "tea-password"):await(LIMIT))
    flush()
    local text = store:get("chat_dssessionid")
    assert.is_string(text)
    assert.not_matches("tea-password", text)
    assert.is_nil(text:find("YWRh", 1, true))
    leave(session)
    local again = new()
    assert.equal("ada", again.userName)
    call(again)
    assert.is_nil(server:requests()[2].headers.authorization)
  end)

  it("is kept anew with each answer, once a step", function()
    local writes = 0
    local counting = {
      get = function(_, key) return store:get(key) end,
      set = function(_, key, text) writes = writes + 1 return store:set(key, text) end,
      remove = function(_, key) return store:remove(key) end,
    }
    local session = new { store = counting }
    call(session)
    local written = writes
    server:setDataSnap { timeout = 2400000 }
    call(session)
    assert.equal(written + 1, writes)
    assert.equal(2400000, document().wire.timeout)
    server:setDataSnap { timeout = 0 }
    call(session)
    assert.is_nil(document().wire.expires)
    assert.equal(session.sessionId, document().wire.id)
  end)

  it("is removed when it is closed, lost, past its deadline, or another logs in in vain", function()
    local session = new()
    call(session)
    assert(session:closeSession():await(LIMIT))
    flush()
    assert.is_nil(document())

    call(session)
    assert.is_table(document())
    server:expireSessions("datasnap")
    session:invoke("TEcho", "Count"):await(LIMIT)
    flush()
    assert.is_nil(document())

    server:setDataSnap { timeout = 1 }
    call(session)
    while session.sessionId and socket.gettime() <= session.expiresAt do datasession.step(0.001) end
    session:getSessionID()
    flush()
    assert.is_nil(document())

    server:setDataSnap { timeout = 1200000 }
    call(session)
    server:fault { kind = "status", status = 403 }
    session:login("ada", "wrong"):await(LIMIT)
    flush()
    assert.is_nil(document())
  end)

  it("is ignored and removed when its deadline is over", function()
    local session = new()
    call(session)
    leave(session)
    local kept = document()
    kept.wire.expires = (os.time() - 1) * 1000
    store:set("chat_dssessionid", codec.encode(kept))
    local again = new()
    assert.is_nil(again.sessionId)
    assert.equal("logged out", again.state)
    assert.is_nil(document())
    assert.same({}, warnings)
  end)

  it("is not another server's, nor another protocol's", function()
    local session = new()
    call(session)
    leave(session)
    local text = store:get("chat_dssessionid")
    local function ignored(options, change)
      local kept = codec.decode(text)
      if change then change(kept) end
      store:set("chat_dssessionid", codec.encode(kept))
      warnings = {}
      local again = new(options)
      assert.is_nil(again.sessionId)
      assert.equal("logged out", again.state)
      again:invalidate():await(LIMIT)
      flush()
    end
    ignored { serviceURI = server.origin .. "/app" }
    ignored { dscontext = "other" }
    ignored({}, function(kept) kept.protocol = nil end)
    ignored({}, function(kept) kept.wire = nil end)
    ignored({}, function(kept) kept.wire.id = "a\r\nX: y" end)
    ignored({}, function(kept) kept.wire.id = { 1 } end)
    ignored({}, function(kept) kept.wire.origin = "http://other:80" end)
    ignored({}, function(kept) kept.wire.expires = "soon" end)
    ignored { protocol = "jsdo", sessionCookiePrefix = false, name = "chat_dssessionid" }
  end)

  it("leaves what another process has put there since", function()
    local session = new()
    call(session)
    local kept = document()
    kept.wire.id = "another.1"
    store:set("chat_dssessionid", codec.encode(kept))
    assert(session:closeSession():await(LIMIT))
    flush()
    assert.equal("another.1", document().wire.id)
  end)

  describe("by initSessionData", function()
    local function sent(i)
      local headers = server:requests()[i].headers
      return headers.pragma, headers.authorization
    end

    it("is kept from then on, under the prefix, and comes back", function()
      local session = new { sessionCookiePrefix = false }
      call(session)
      local dangling = session.sessionId
      assert.equal(0, select("#", session:initSessionData(true, "chat_", store)))
      assert.is_nil(session.sessionId)
      assert.is_nil(session.expiresAt)
      assert.equal("chat_dssessionid", session.name)
      call(session)
      local id = session.sessionId
      assert.not_equal(dangling, id)
      assert.equal(id, document().wire.id)

      session:initSessionData(false)
      assert.is_nil(session.name)
      call(session)
      assert.not_equal(id, session.sessionId)
      assert.equal(id, document().wire.id)

      session:initSessionData(true, "chat_", store)
      assert.equal("restored", session.state)
      assert.equal(id, session.sessionId)
      assert.is_number(session.expiresAt)
      server:clearRequests()
      call(session)
      assert.equal("dssession=" .. id, (sent(1)))
      assert.equal(1, #server:requests())
      assert.same({}, warnings)
    end)

    it("keeps the last state of the former prefix, and the store", function()
      local session = new()
      call(session)
      local id = session.sessionId
      session.pingInterval = 3600000 -- no step has saved it yet
      session:initSessionData(nil, "shop_")
      assert.equal(id, document().wire.id)
      assert.equal(3600000, document().pingInterval)
      assert.equal("shop_dssessionid", session.name)
      call(session)
      assert.equal(session.sessionId, document("shop_dssessionid").wire.id)
      local other = new()
      assert.equal(id, other.sessionId)
      session:initSessionData(true)
      assert.equal("dssessionid", session.name)
      assert.is_nil(session.sessionId)
    end)

    it("stays off when it was off", function()
      local session = new { sessionCookiePrefix = false }
      session:initSessionData(nil, "chat_")
      assert.is_nil(session.name)
      session:initSessionData()
      assert.is_nil(session.name)
    end)

    it("keeps credentials and pingInterval", function()
      local session = new { pingInterval = 3600000 }
      call(session)
      leave(session)
      session = new { sessionCookiePrefix = false, pingInterval = 7200000 }
      assert(session:login("ada", "tea"):await(LIMIT))
      local text = store:get "chat_dssessionid"
      session:initSessionData(true, "chat_", store) -- the entry has no user
      assert.is_nil(session.sessionId)
      assert.equal("ada", session.userName)
      assert.equal(7200000, session.pingInterval)
      server:clearRequests()
      call(session)
      assert.is_nil((sent(1)))
      assert.equal("Basic YWRhOnRlYQ==", select(2, sent(1)))
      assert.not_equal(text, store:get "chat_dssessionid")

      local id = session.sessionId
      session:initSessionData(false)
      session:initSessionData(true, "chat_", store) -- the same user's
      assert.equal(id, session.sessionId)
      assert.equal("ada", session.userName)
      server:clearRequests()
      call(session)
      assert.same({ "dssession=" .. id, "Basic YWRhOnRlYQ==" }, { sent(1) })
    end)

    it("refuses a name in use, a session that has ended, and arguments of other kinds", function()
      local one, two = new(), new { sessionCookiePrefix = false }
      assert(two:login("ada", "tea"):await(LIMIT))
      assert.error_matches(function() two:initSessionData(true, "chat_", store) end,
        "live session of this program is called 'chat_dssessionid'")
      assert.equal("ada", two.userName)
      assert.error_matches(function() two:initSessionData("true") end, "expected a boolean or nil")
      assert.error_matches(function() two:initSessionData(true, 1) end, "string expected")
      assert.error_matches(function() two:initSessionData(true, "a", 1) end, "'store': expected a store")
      assert(one:invalidate():await(LIMIT))
      assert.error_matches(function() one:initSessionData(true) end, "the session was invalidated")
    end)
  end)
end)
