-- The manager of PROIV sessions and the module of the vendor's verbs, over real sockets: keys, slots, the
-- active session, polite and immediate ends, and what the hub is told of all that.
local datasession = require "datasession"
local proiv = require "datasession.proiv"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local raised = dofile "spec/support/raised.lua"

local LIMIT = await.LIMIT

describe("a manager of PROIV sessions", function()
  local server, manager, told

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  -- Notes the messages of the manager's hub as "name key details".
  local function listen(of)
    told = {}
    of.hub:subscribe("proiv.session.*", function(name, data)
      local more = data.reason and " " .. data.reason or ""
      told[#told + 1] = name:match "[^.]+$" .. " " .. tostring(data.sessionNodeID) .. more
    end)
  end

  local function make(options)
    options = options or {}
    options.baseURI, options.pollInterval = server.origin, 0.01
    manager = proiv.manager(options)
    listen(manager)
    return manager
  end

  before_each(function()
    server:expireSessions()
    server:clearFaults()
    server:setProiv { stop = "end", polls = 1, finished = false, lossAs = 404 }
    make()
    server:clearRequests()
  end)

  after_each(function()
    if not server:isRunning() then assert(server:start()) end
    manager:close()
    proiv.close()
    assert.is_true(datasession.run(LIMIT), "something is still in flight")
    collectgarbage()
  end)

  local function start(node, properties)
    local all = { sessionNodeID = node, URI = "/connect", connectionData = { service = "Default" } }
    for name, value in pairs(properties or {}) do all[name] = value end
    return assert(manager:start(all))
  end

  -- The status that the hub last told of the session.
  local function awaitStatus(key, status)
    local reached = false
    local handle = manager.hub:subscribe("proiv.status", function(_, data)
      reached = reached or (data.sessionKey == key and data.status == status)
    end)
    while not reached do datasession.step(0.1) end
    manager.hub:unsubscribe(handle)
  end

  -- Calls stop; waits for the callback; returns which it was and what it got.
  local function stop(key, timeout)
    local calls = {}
    local function note(which)
      return function(...) calls[#calls + 1] = table.pack(which, ...) end
    end
    assert(manager:stop(key, timeout, note "success", note "failure"))
    assert.is_true(datasession.run(LIMIT))
    assert.equal(1, #calls)
    return table.unpack(calls[1], 1, calls[1].n)
  end

  local function asked()
    local list = {}
    for i, request in ipairs(server:requests()) do
      list[i] = request.body:match "^ACTION=(%u+)" or "connect"
    end
    return table.concat(list, " ")
  end

  local function count(list, text)
    local n = 0
    for _, one in ipairs(list) do n = n + (one == text and 1 or 0) end
    return n
  end

  describe("starts", function()
    it("sessions with keys of their own, in slots", function()
      local left, right = start "left", start "right"
      assert.not_equal(left, right)
      assert.same({ left, right }, manager:keys())
      assert.equal("running", manager:session(left).status)
      assert.equal("left", manager:session(left):sessionNodeID())
      assert.is_nil(manager:session "proiv-unknown")
      assert.equal(2, server:sessionCount "proiv")
      assert.same({ "started left", "active left", "started right" }, told)
    end)

    it("one in a slot that is free again once the other is over", function()
      local first = start "left"
      local key, err = manager:start { sessionNodeID = "left" }
      assert.is_nil(key)
      assert.matches("slot 'left' holds a live session", err.message)
      local promise = manager:startAsync { sessionNodeID = "left" }
      assert.equal("refused", select(2, promise:await(LIMIT)).kind)
      manager:finish(first)
      local second = start "left"
      assert.not_equal(first, second)
      server:expireSessions "proiv"
      manager:session(second):ping():await(LIMIT)
      assert.is_string(start "left")
    end)

    it("one in a slot whose session has ended just now", function()
      manager:session(start "left"):invalidate()
      assert.is_string(start "left")
    end)

    it("none that cannot be, and says why", function()
      local failed
      manager.hub:subscribe("proiv.session.failed", function(_, data) failed = data end)
      local key, err = manager:start { sessionNodeID = "left", connectionData = { service = "Disabled" } }
      assert.is_nil(key)
      assert.equal(404, err.httpStatus)
      assert.equal(err, failed.error)
      assert.equal(err.message, failed.message)
      assert.equal("left", failed.sessionNodeID)
      assert.is_string(failed.sessionKey)
      assert.same({ "failed left" }, told)
      assert.same({}, manager:keys())
      assert.is_nil(manager:getActive())
      assert.is_string(start "left")
    end)

    it("by the vendor's names and arguments, at once", function()
      local key = assert(manager:startPROIVSession {
        sessionNodeID = "left", URI = "/connect", connectionData = { service = "Orders" },
      })
      assert.equal("starting", manager:session(key).serviceStatus)
      assert.same({}, told)
      assert.matches("slot 'left'", select(2, manager:startPROIVSession { sessionNodeID = "left" }).message)
      assert.is_true(datasession.run(LIMIT))
      local other = start "right"
      assert.same({ "started left", "active left", "started right" }, told)
      assert.is_true(manager:setActivePROIVSession(other))
      assert.equal(other, manager:getActive())
      local ended
      assert(manager:stopPROIVSession(key, 5, function(which) ended = which end, error))
      assert.is_true(datasession.run(LIMIT))
      assert.equal(key, ended)
      assert.is_true(manager:endPROIVSession())
      assert.same({}, manager:keys())
    end)

    it("by the vendor's names of the module, and publishes a start that fails", function()
      local failed
      local handle = proiv.hub:subscribe("proiv.session.failed", function(_, data) failed = data end)
      local key = assert(proiv.startPROIVSession {
        sessionNodeID = "left", URI = server.uris.proiv, connectionData = { service = "Disabled" },
      })
      assert.is_true(datasession.run(LIMIT))
      proiv.hub:unsubscribe(handle)
      assert.equal(key, failed.sessionKey)
      assert.equal(404, failed.error.httpStatus)
      assert.is_false(proiv.endPROIVSession(key))
      assert.is_nil((proiv.setActivePROIVSession(key)))
      assert.is_nil((proiv.stopPROIVSession(nil, 1)))
    end)

    it("without waiting", function()
      local promise = manager:startAsync { sessionNodeID = "left" }
      assert.is_nil(manager:getActive())
      local key = assert(promise:await(LIMIT))
      assert.equal(key, manager:getActive())
      promise = manager:startAsync { sessionNodeID = "right", connectionData = { service = "Disabled" } }
      assert.equal(404, select(2, promise:await(LIMIT)).httpStatus)
    end)

    it("in a coroutine without holding up others", function()
      local keys = {}
      local promises = {}
      for i = 1, 3 do
        promises[i] = datasession.spawn(function() keys[i] = start("slot " .. i) end)
      end
      assert.same({}, keys) -- all three are under way
      for i = 1, 3 do promises[i]:await(LIMIT) end
      assert.equal(3, #keys)
    end)

    it("not after it was ended meanwhile", function()
      local key
      manager.hub:subscribe("proiv.status", function(_, data) key = data.sessionKey end)
      server:fault { kind = "slow", delay = 1 }
      local promise = manager:startAsync { sessionNodeID = "left" }
      assert.matches("starting", select(2, manager:stop(key, 1)).message)
      assert.matches("starting", select(2, manager:setActive(key)).message)
      assert.is_true(manager:finish(key))
      assert.is_nil((promise:await(LIMIT)))
      assert.same({ "failed left" }, told)
      assert.same({}, manager:keys())
    end)

    it("not when a subscriber ends it as soon as it has started", function()
      manager.hub:subscribe("proiv.session.started", function(_, data) manager:finish(data.sessionKey) end)
      local properties = { sessionNodeID = "left", URI = "/connect", connectionData = {} }
      for _, results in ipairs { table.pack(manager:start(properties)),
        table.pack(manager:startAsync(properties):await(LIMIT)) } do
        assert.is_nil(results[1])
        assert.equal("closed", results[2].kind)
        assert.equal("start: the session has ended meanwhile", results[2].message)
      end
      assert.same({}, manager:keys())
    end)

    it("at the server that is named, as the manager or start says", function()
      local other <close> = assert(sandbox.start())
      local bare = proiv.manager { pollInterval = 0.01 }
      assert.has_error(function() bare:start { sessionNodeID = "a" } end,
        "start: expected option 'baseURI', or an absolute one as 'URI'")
      for i, properties in ipairs { { URI = other.uris.proiv }, { baseURI = other.origin },
        { serviceURI = other.origin, URI = "/connect" } } do
        properties.sessionNodeID = "slot " .. i
        assert(bare:start(properties))
      end
      start("absolute", { URI = other.uris.proiv })
      assert.equal(4, other:sessionCount "proiv")
      bare:close()
      manager:close()
      assert.is_true(datasession.run(LIMIT))
      assert.equal(0, other:sessionCount "proiv")
    end)

    it("nothing that cannot be meant", function()
      local function refuse(message, properties)
        local ok, err = pcall(function() manager:start(properties) end)
        assert.is_false(ok)
        assert.matches(message, err)
        assert.matches("manager_spec.lua", err)
        assert.same({}, manager:keys())
      end
      refuse("expected a table, got nil")
      refuse("'sessionNodeID': expected the name of a slot", {})
      refuse("'sessionNodeID': expected a text, got number", { sessionNodeID = 1 })
      refuse("'sessionNodeID': expected a text, got an empty one", { sessionNodeID = "" })
      refuse("did you mean 'sessionNodeID'", { sessionNodeId = "a" })
      refuse("both 'service' and 'hostname'",
        { sessionNodeID = "a", connectionData = { service = "a", hostname = "b" } })
      refuse("'URI': expected a text", { sessionNodeID = "a", URI = 1 })
      refuse("unknown option 'protocol'", { sessionNodeID = "a", protocol = "jsdo" })
      assert.equal("manager: option 'strict': expected a boolean, got number",
        raised(function() proiv.manager { strict = 1 } end))
      assert.equal("manager: unknown option 'strikt': did you mean 'strict'?",
        raised(function() proiv.manager { strikt = true } end))
      assert.equal("manager: option 'baseURI': expected a text, got number",
        raised(function() proiv.manager { baseURI = 1 } end))
      local homeless = proiv.manager()
      assert.equal("start: expected option 'baseURI', or an absolute one as 'URI'",
        raised(function() homeless:start { sessionNodeID = "a" } end))
      assert.equal("start: expected option 'baseURI', or an absolute one as 'URI'",
        raised(function() homeless:startAsync { sessionNodeID = "a" } end))
    end)
  end)

  describe("stops", function()
    it("a session that may be stopped, and says so once", function()
      local key = start "left"
      assert.same({ "success", key }, { stop(key, LIMIT) })
      assert.same({ "started left", "active left", "stopping left", "ended left", "active nil" }, told)
      assert.same({}, manager:keys())
      assert.equal(0, server:sessionCount "proiv")
    end)

    it("none that PROIV does not let go, which goes on", function()
      local key = start "left"
      for _, how in ipairs { "refuse", "refuseLater" } do
        server:setProiv { stop = how }
        assert.same({ "failure", key, "refused" }, { stop(key, LIMIT) })
      end
      server:setProiv { stop = "hang" }
      assert.same({ "failure", key, "timeout" }, { stop(key, 0.05) })
      assert.same({ "failure", key, "timeout" }, { stop(key, 0) })
      server:fault { kind = "status", status = 400 }
      assert.same({ "failure", key, "error" }, { stop(key, LIMIT) })
      assert.equal("running", manager:session(key).status)
      assert.equal(2, count(told, "refused left refused"))
      assert.equal(2, count(told, "refused left timeout"))
      assert.equal(1, count(told, "refused left error"))
      assert.equal(5, count(told, "stopping left"))
      server:setProiv { stop = "end" }
      assert.same({ "success", key }, { stop(key, LIMIT) })
    end)

    it("one that is lost meanwhile, with a note", function()
      local key = start "left"
      server:expireSessions "proiv"
      assert.same({ "success", key, "lost" }, { stop(key, LIMIT) })
      assert.equal(1, count(told, "lost left"))
      assert.equal(0, count(told, "ended left"))
    end)

    it("the active one for nil", function()
      local left, right = start "left", start "right"
      assert.same({ "success", left }, { stop(nil, LIMIT) })
      assert.same({ right }, manager:keys())
    end)

    it("none for a key that is unknown or over, or when there is none", function()
      local key = start "left"
      local over = start "over"
      manager:finish(over)
      for _, unknown in ipairs { "proiv-0", over } do
        local ok, err = manager:stop(unknown, 1, error, error)
        assert.is_nil(ok)
        assert.matches("no live session has that key", err.message)
      end
      manager:finish(key)
      assert.matches("there is no session", select(2, manager:stop(nil, 1, error, error)).message)
      assert.is_true(datasession.run(LIMIT))
    end)

    it("none twice at once", function()
      local key = start "left"
      server:setProiv { stop = "hang" }
      local promise = assert(manager:stop(key, 0.1))
      local ok, err = manager:stop(key, 1, error, error)
      assert.is_nil(ok)
      assert.matches("the session is stopping", err.message)
      assert.equal("timeout", select(2, promise:await(LIMIT)).kind)
    end)

    it("without callbacks too, and returns a promise", function()
      local errors = 0
      local before = datasession.onError(function() errors = errors + 1 end)
      local key = start "left"
      server:setProiv { stop = "refuse" }
      assert(manager:stop(key, LIMIT))
      assert.is_true(datasession.run(LIMIT))
      collectgarbage()
      assert.is_true(datasession.run(LIMIT))
      server:setProiv { stop = "end" }
      assert(manager:stop(key, LIMIT):await(LIMIT))
      datasession.onError(before)
      assert.equal(0, errors)
    end)

    it("with the state put right before a callback, which may fail", function()
      local errors = {}
      local before = datasession.onError(function(err) errors[#errors + 1] = err end)
      local key = start "left"
      local again
      manager:stop(key, LIMIT, function()
        again = manager:startAsync { sessionNodeID = "left" }
        error "a mistake"
      end)
      assert.is_true(datasession.run(LIMIT))
      datasession.onError(before)
      assert.equal(1, #errors)
      assert.matches("a mistake", errors[1])
      assert.same({ (again:await(LIMIT)) }, manager:keys())
    end)

    it("nothing that cannot be meant", function()
      local key = start "left"
      for _, timeout in ipairs { -1, "5", 0 / 0, 1 / 0, 1e9, false } do
        assert.equal("stop: expected a number of seconds, 0 or more, got " .. tostring(timeout),
          raised(function() manager:stop(key, timeout) end))
      end
      assert.equal("stop: expected a number of seconds, 0 or more, got nil",
        raised(function() manager:stop(key) end))
      assert.equal("stop: expected the key of a session or nil, got number",
        raised(function() manager:stop(1, 1) end))
      assert.matches("stop: expected a function or nil as %w+, got string",
        raised(function() manager:stop(key, 1, "f") end))
      assert.matches("stop: expected a function or nil as %w+, got table",
        raised(function() manager:stop(key, 1, nil, {}) end))
      assert.equal("connect", asked())
    end)
  end)

  describe("ends", function()
    it("a session at once, whose last word is END", function()
      local key = start "left"
      server:fault { kind = "slow", delay = 0.05 }
      assert.is_true(manager:finish(key))
      assert.same({}, manager:keys())
      assert.same({ "started left", "active left", "ended left", "active nil" }, told)
      assert.is_true(datasession.run(LIMIT))
      assert.equal("connect END", asked())
      assert.equal(4, #told)
    end)

    it("one that is being stopped; then the stop has failed", function()
      local key = start "left"
      server:setProiv { stop = "hang" }
      local calls = {}
      manager:stop(key, LIMIT, error, function(...) calls[#calls + 1] = { ... } end)
      while #server:requests() < 4 do datasession.step(0.1) end
      manager:finish(key)
      assert.is_true(datasession.run(LIMIT))
      assert.same({ { key, "ended" } }, calls)
      assert.matches("POLL END$", asked())
      assert.equal(0, count(told, "refused left error"))
    end)

    it("the active one for nil, and for a key that is none's any more", function()
      local left, middle, right = start "left", start "middle", start "right"
      assert.is_true(manager:finish(right))
      manager:setActive(middle)
      assert.is_true(manager:finish(right)) -- a stale key
      assert.same({ left }, manager:keys())
      assert.is_true(manager:finish())
      assert.is_false(manager:finish())
      assert.is_false(manager:finish(left))
    end)

    it("no other in place of an unknown one, if it is strict", function()
      make { strict = true }
      local left = start "left"
      local ok, err = manager:finish "proiv-0"
      assert.is_nil(ok)
      assert.matches("no live session has that key", err.message)
      assert.same({ left }, manager:keys())
      assert.is_true(manager:finish(nil))
      assert.is_false(manager:finish(nil))
      assert.has_error(function() manager:finish(1) end)
    end)

    it("all when it is closed", function()
      local _ <close> = manager
      start "left"
      start "right"
      local promise = manager:startAsync { sessionNodeID = "starting" }
      manager:close()
      assert.same({}, manager:keys())
      assert.is_nil(manager:getActive())
      assert.is_nil((promise:await(LIMIT)))
      assert.is_true(datasession.run(LIMIT))
      assert.equal(2, select(2, asked():gsub("END", "")))
      assert.is_string(start "left")
    end)
  end)

  describe("has an active session", function()
    it("which is the first, until another is used or set", function()
      local left, right = start "left", start "right"
      assert.equal(left, manager:getActive())
      assert.is_true(manager:setActive(right))
      assert.equal(right, manager:getActive())
      assert(manager:session(left):ping():await(LIMIT))
      assert.equal(left, manager:getActive())
      manager:session(right):request { path = "/connect" }:await(LIMIT)
      assert.equal(right, manager:getActive())
      assert.equal(right, datasession.activeSession().key)
      assert.same({ "active left", "active right", "active left", "active right" },
        { told[2], table.unpack(told, 4) })
    end)

    it("which a session of another protocol or manager does not take from it", function()
      local left = start "left"
      local right = start "right"
      assert(manager:session(right):ping():await(LIMIT))
      assert(manager:session(left):ping():await(LIMIT))
      local other = proiv.manager { baseURI = server.origin }
      local its = assert(other:start { sessionNodeID = "left" })
      local session <close> = datasession.new { serviceURI = server.uris.anonymous }
      assert(session:login():await(LIMIT))
      assert.equal(session, datasession.activeSession())
      assert.equal(left, manager:getActive())
      assert.equal(its, other:getActive())
      assert.is_nil((manager:setActive(its)))
      other:close()
      assert.equal(left, manager:getActive())
    end)

    it("which is not changed by starting or by asking to stop another", function()
      local left, right = start "left", start "right"
      server:setProiv { stop = "refuse" }
      assert.equal("failure", (stop(right, LIMIT)))
      assert.equal(left, manager:getActive())
    end)

    it("and when it is over the one that was used before", function()
      local a, b, c, d = start "a", start "b", start "c", start "d"
      manager:setActive(c)
      manager:setActive(a)
      manager:finish(a)
      assert.equal(c, manager:getActive())
      server:setProiv { stop = "end" }
      stop(c, LIMIT)
      assert.equal(d, manager:getActive()) -- the latest of the unused ones
      manager:finish(d)
      assert.equal(b, manager:getActive())
      manager:finish(b)
      assert.is_nil(manager:getActive())
      assert.equal("active nil", told[#told])
    end)

    it("which an unknown key does not change", function()
      local key = start "left"
      local ok, err = manager:setActive "proiv-0"
      assert.is_nil(ok)
      assert.matches("^setActive: no live session", err.message)
      assert.is_nil((manager:setActive()))
      assert.has_error(function() manager:setActive {} end)
      assert.equal(key, manager:getActive())
    end)
  end)

  describe("tells the hub", function()
    it("of a session that is lost, and lets go of it", function()
      local data
      manager.hub:subscribe("proiv.session.lost", function(_, d) data = d end)
      local key = start("left", { pingInterval = 10 })
      server:expireSessions "proiv"
      awaitStatus(key, "lost")
      assert.equal(key, data.sessionKey)
      assert.equal("left", data.sessionNodeID)
      assert.matches("lost the session", data.message)
      assert.same({ "started left", "active left", "lost left", "active nil" }, told)
      assert.same({}, manager:keys())
      server:clearRequests()
      assert.is_true(datasession.run(LIMIT))
      assert.equal("", asked()) -- no request names it or another in its place
    end)

    it("of one that comes to its end by itself, also after a stop that failed", function()
      local key = start("left", { pingInterval = 10 })
      server:setProiv { stop = "refuse" }
      local failed
      manager:stop(key, LIMIT, error, function() failed = true end)
      while not failed do datasession.step(0.1) end
      server:setProiv { finished = true }
      awaitStatus(key, "ended")
      assert.equal(1, count(told, "ended left"))
    end)

    it("of one that the program logs out by itself", function()
      local key = start "left"
      assert(manager:session(key):logout():await(LIMIT))
      assert.same({ "started left", "active left", "ended left", "active nil" }, told)
    end)

    it("of every status, in order", function()
      local list = {}
      manager.hub:subscribe("proiv.status", function(_, data)
        list[#list + 1] = data.status
        assert.is_string(data.sessionKey)
      end)
      local key = start "left"
      server:setProiv { stop = "refuse" }
      assert(manager:stop(key, 1))
      assert.is_true(datasession.run(LIMIT))
      server:setProiv { stop = "end" }
      assert(manager:stop(key, 1))
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "starting", "running", "stopping", "running", "stopping", "ended" }, list)
    end)

    it("what the program publishes", function()
      local menu
      manager.hub:subscribe("proiv.menu", function(_, data) menu = data end)
      manager.hub:publish("proiv.menu", "File")
      assert.equal("File", menu)
    end)
  end)

  it("hands a transport to its sessions, which may have others", function()
    make { transport = { connect = function() return true end, endNow = function() return true end } }
    local own = start("left", {
      transport = { connect = function(session) return session:sessionNodeID() == "left" end, endNow = type },
    })
    start "right"
    manager:finish(own)
    manager:close()
    assert.is_true(datasession.run(LIMIT))
    assert.equal("", asked())
  end)

  it("is there by itself in the module", function()
    manager = proiv
    listen(proiv)
    local left = assert(proiv.start { sessionNodeID = "left", URI = server.uris.proiv, pollInterval = 0.01 })
    local right = assert(proiv.startAsync({ sessionNodeID = "right", URI = server.uris.proiv }):await(LIMIT))
    assert.same({ left, right }, proiv.keys())
    assert.equal(left, proiv.getActive())
    assert.is_true(proiv.setActive(right))
    local stopped
    assert(proiv.stop(left, LIMIT, function(key) stopped = key end))
    assert.is_true(datasession.run(LIMIT))
    assert.equal(left, stopped)
    assert.is_true(proiv.finish())
    assert.is_nil(proiv.session(right))
    assert.same({ "started left", "active left", "started right", "active right", "stopping left",
      "ended left",
      "ended right", "active nil" }, told)
    manager = make()
  end)
end)
