-- datasession.setLimits: the number of connections, and the order of requests when there are too few.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local endSessions = dofile("spec/support/sessions.lua").endAll

local LIMIT = await.LIMIT
local SESSIONS = 12

describe("limits of connections", function()
  local server, before

  setup(function()
    server = assert(sandbox.start())
    before = datasession.setLimits()
  end)

  teardown(function() server:close() end)

  after_each(function()
    server:clearFaults()
    datasession.setLimits(before)
    endSessions()
  end)

  local function newSession()
    local session = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await(LIMIT))
    return session
  end

  local function ask(session, who)
    return session:request { path = "/static/home.html?who=" .. who }
  end

  local function served()
    local list = {}
    for i, request in ipairs(server:requests()) do
      list[i] = tonumber(request.uri:match "who=(%d+)")
    end
    return list
  end

  local function arrived(count)
    await.stepUntil(function() return #server:requests() >= count end)
  end

  it("are 64 to one host, none in all, and 16 idle handles, until the host says otherwise", function()
    assert.same({ hostConnections = 64, totalConnections = 0, idleHandles = 16, http2 = true }, before)
    assert.same({ hostConnections = 64, totalConnections = 5, idleHandles = 16, http2 = true },
      datasession.setLimits { totalConnections = 5 })
    assert.same({ hostConnections = 64, totalConnections = 5, idleHandles = 0, http2 = true },
      datasession.setLimits { idleHandles = 0 })
  end)

  it("are whole numbers, of names that there are", function()
    assert.error_matches(function() datasession.setLimits { hostConections = 1 } end,
      "did you mean 'hostConnections'")
    assert.error_matches(function() datasession.setLimits { hostConnections = -1 } end,
      "hostConnections.*0 or more")
    assert.error_matches(function() datasession.setLimits { totalConnections = 1.5 } end,
      "totalConnections.*whole")
    assert.error_matches(function() datasession.setLimits { idleHandles = "many" } end,
      "idleHandles.*a number")
    assert.error_matches(function() datasession.setLimits { http2 = 1 } end, "http2.*a boolean")
    assert.error_matches(function() datasession.setLimits { idleHandles = 1e9 } end,
      "idleHandles.*whole number up to")
    assert.same(before, datasession.setLimits())
  end)

  it("serve sessions in the order in which they asked", function()
    local sessions, promises, expected = {}, {}, {}
    for i = 1, SESSIONS do sessions[i] = newSession() end
    datasession.setLimits { hostConnections = 1 }
    server:clearRequests()
    for round = 0, 1 do
      for i = 1, SESSIONS do
        local n = round * SESSIONS + i
        expected[n], promises[n] = n, ask(sessions[i], n)
      end
    end
    for _, promise in ipairs(promises) do assert(promise:await(LIMIT)) end
    assert.same(expected, served())
  end)

  it("put a session that asks again and again behind those that wait", function()
    local greedy, sessions, expected = newSession(), {}, { 0 }
    local asked = 0
    local function again()
      asked = asked + 1
      if asked < 4 then ask(greedy, 0):done(again) end
    end
    for i = 1, SESSIONS do sessions[i], expected[i + 1] = newSession(), i end
    datasession.setLimits { hostConnections = 1 }
    server:clearRequests()
    again()
    for i, session in ipairs(sessions) do ask(session, i) end
    assert.is_true(datasession.run(LIMIT))
    assert.same(expected, { table.unpack(served(), 1, #expected) })
    assert.equal(#expected + 2, #server:requests())
  end)

  it("hold from the call on: what waits begins when there is room, what is under way goes on", function()
    local session, promises = newSession(), {}
    datasession.setLimits { hostConnections = 2 }
    server:clearRequests()
    server:fault { kind = "slow", delay = LIMIT, path = "home", count = 100 }
    for i = 1, 6 do promises[i] = ask(session, i) end
    arrived(2)
    assert.equal(2, #server:requests())
    datasession.setLimits { hostConnections = 4 }
    arrived(4)
    assert.equal(4, #server:requests())
    datasession.setLimits { hostConnections = 1 }
    for _, promise in ipairs(promises) do assert.equal("pending", promise:state()) end
    datasession.setLimits { hostConnections = 0 }
    arrived(6)
    for _, promise in ipairs(promises) do promise:cancel() end
  end)

  it("can be set before anything else is done", function()
    local told = child.output [[
      local datasession = require "datasession"
      datasession.setLimits { hostConnections = 1 }
      local server = assert(require("datasession.sandbox").start())
      local session = datasession.new { serviceURI = server.uris.anonymous }
      local promises = {}
      server:fault { kind = "slow", delay = 20, path = "home", count = 100 }
      for i = 1, 3 do promises[i] = session:request { path = "/static/home.html?" .. i } end
      repeat datasession.step(0.01) until #server:requests() > 0
      datasession.step(0.01)
      print(#server:requests(), datasession.setLimits().hostConnections)
      for _, promise in ipairs(promises) do promise:cancel() end
      datasession.run(5)
      server:close()
    ]]
    assert.equal("1\t1\n", told)
  end)
end)
