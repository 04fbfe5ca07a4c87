-- Each system's exchanges with its server killed at every point: no call hangs, each settles once, and what
-- may not be sent twice is run by the server at most once.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("a session that comes back,", function()
  local server

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function() sessions.refresh(server) end)

  after_each(function()
    datasession.setLogger(nil)
    sessions.endAll()
  end)

  -- `run`: how often the server has run the unsafe call; `paths`: of each kind of request of the exchange.
  local systems = {
    datasnap = {
      options = { protocol = "datasnap" },
      uri = "datasnap",
      unsafe = function(session) return session:invoke("TEcho", "Echo", { "once" }, { verb = "POST" }) end,
      safe = function(session) return session:invoke("TStock", "Level", { "A/7", 3 }, { idempotent = true })
        end,
      run = function() return server:calls()["TEcho.updateEcho"] or 0 end,
      paths = { "TEcho/Echo", "TStock/Level", "GetPlatformName" },
    },
    btt = {
      options = { protocol = "btt", format = "json" }, -- pages want calls one after another
      uri = "btt",
      unsafe = function(session) return session:invoke("Transfer", {}) end,
      safe = function(session) return session:invoke("RateLookup", { ccy = "SEK" }, { idempotent = true })
        end,
      run = function() return server:calls()["btt.Transfer"] or 0 end,
      paths = { "CSReqServlet", "CSEstablishSessionServlet" },
    },
  }

  local ways = {
    { "its connection reset", { kind = "reset" } },
    { "its connection closed", { kind = "close" } },
    { "its answer cut short", { kind = "truncate", after = 3 } },
    { "its session refused", { kind = "status", status = 401 } },
    { "its application gone", { kind = "status", status = 404 } },
    { "its application broken", { kind = "status", status = 503 } },
    { "an empty answer", { kind = "empty" } },
    { "a stranger's page", { kind = "html" } },
    { "broken JSON", { kind = "malformed" } },
  }

  local function loggedIn(system, reconnect)
    local options = { serviceURI = server.uris[system.uri], reconnect = reconnect }
    for name, value in pairs(system.options) do options[name] = value end
    local session = datasession.new(options)
    assert(session:login():await(LIMIT))
    datasession.run(LIMIT)
    server:clearRequests()
    return session
  end

  -- How often each attempt was told, and what the log says of the end.
  local function watch(session)
    local seen = { attempts = {}, failed = 0, logged = 0 }
    session:subscribe("reconnecting", function(_, attempt) seen.attempts[#seen.attempts + 1] = attempt end)
    session:subscribe("reconnected", function() seen.attempts = {} end)
    session:subscribe("reconnectFailed", function() seen.failed = seen.failed + 1 end)
    datasession.setLogger(function(_, event) if event == "reconnectFailed" then
      seen.logged = seen.logged + 1 end end)
    return seen
  end

  for name, system in pairs(systems) do
    for _, way in ipairs(ways) do
      for _, path in ipairs(system.paths) do
        for _, lost in ipairs { false, true } do
          it(("%s: %s at %s%s"):format(name, way[1], path, lost and ", its session lost" or ""), function()
            local session = loggedIn(system, { maxAttempts = 3, delay = 0.01 })
            local seen = watch(session)
            if lost then server:expireSessions(system.uri) end
            local fault = { path = path }
            for field, value in pairs(way[2]) do fault[field] = value end
            server:fault(fault)
            local before, settled = system.run(), 0
            local calls = { system.safe(session), system.unsafe(session), session:isAuthorized() }
            for _, promise in ipairs(calls) do promise:always(function() settled = settled + 1 end) end
            for _, promise in ipairs(calls) do promise:await(LIMIT) end
            assert.is_true(datasession.run(LIMIT), "something hangs")
            assert.equal(#calls, settled)
            assert.is_true(system.run() - before <= 1, "what is not safe was run twice")
            assert.is_true(#seen.attempts <= 3)
            assert.equal(seen.failed, seen.logged)
            server:clearFaults()
            local ok, err = session:login():await(LIMIT)
            assert.is_truthy(ok or err.kind == "auth" or err.kind == "closed", tostring(err))
            assert(system.safe(session):await(LIMIT))
          end)
        end
      end
    end

    it(name .. ": the server dead for good, told once, and nothing is left", function()
      local session = loggedIn(system, { maxAttempts = 2, delay = 0.01 })
      local seen = watch(session)
      server:stop()
      local calls = { system.safe(session), system.unsafe(session) }
      for _, promise in ipairs(calls) do assert.is_nil((promise:await(LIMIT))) end
      assert.is_true(datasession.run(LIMIT))
      assert.same({ { 1, 2 }, 1, 1 }, { seen.attempts, seen.failed, seen.logged })
      assert.is_false(datasession.pending())
    end)

    it(name .. ": the server dead before an unsafe call, which it then gets, once", function()
      local session = loggedIn(system, { maxAttempts = 200, delay = 0.01 })
      server:stop()
      local before = system.run()
      session:subscribe("reconnecting", function(_, attempt) if attempt == 3 then
        assert(server:start()) end end)
      assert(system.unsafe(session):await(LIMIT))
      assert.equal(before + 1, system.run())
    end)
  end
end)
