-- Calls that are ended before their answer came: a login by stop, what a protocol's function asks for by
-- cancel.
local datasession = require "datasession"
local fault_server = require "fault_server"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"
local suite = dofile "spec/suites/network/suite.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

local LOGINS = {
  ["login, anonymous"] = 0, ["login, basic"] = 0, ["login, form: the credentials"] = 0,
  ["login, form: the check"] = 1, -- times that the server is told: it has let us in already
  ["datasnap: login"] = 0, ["btt: establishSession"] = 0, ["proiv: login to a service"] = 0,
  ["own: login, its first request"] = 0, ["own: login, its second request"] = 0,
}
local OWN = { "own: invoke", "own: isAuthorized", "own: ping", "proiv: ping, by a transport" }
local LEAVE = "GET /Form/static/auth/j_spring_security_logout"

describe("a call that is ended before its answer came", function()
  local server, origin, kinds

  setup(function()
    server, origin = suite.start()
    kinds = {}
    for _, kind in ipairs(suite.kinds) do kinds[kind.name] = kind end
  end)

  teardown(function() server:close() end)

  after_each(function()
    server:clear()
    server:release()
    sessions.endAll()
  end)

  -- A subject and its call, which the server has heard and does not answer.
  local function unanswered(name)
    local kind = kinds[name]
    local subject = kind.make(origin)
    kind.ready(subject)
    server:fault(kind.key, { fault_server.PAUSE })
    local promise = kind.call(subject)
    await.stepUntil(function() return select(4, server:counts()) > 0 end)
    return subject, promise, kind
  end

  for name, told in pairs(LOGINS) do
    it("by stop, a login is cancelled, and another one works: " .. name, function()
      local subject, promise, kind = unanswered(name)
      server:watch(LEAVE)
      local stopped = subject.session:stop(LIMIT)
      assert.equal(subject.session, (stopped:await(LIMIT)))
      rejected(promise, "cancelled")
      assert.equal("logged out", subject.session.state)
      assert.equal(told, server:watched())
      server:release() -- the answer, which no call awaits any more
      assert.is_true(datasession.run(LIMIT))
      assert.equal("logged out", subject.session.state)
      assert(kind.call(subject):await(LIMIT))
    end)
  end

  it("by stopSession, a login is cancelled and the session has ended", function()
    local subject, promise = unanswered "login, basic"
    local told = {}
    datasession.stopSession(subject.session.key, LIMIT, function() told[#told + 1] = "success" end,
      function(_, reason) told[#told + 1] = reason end)
    rejected(promise, "cancelled")
    assert.is_true(datasession.run(LIMIT))
    assert.same({ "success" }, told)
  end)

  for _, name in ipairs(OWN) do
    it("by cancel, what its function asks for is asked for no more: " .. name, function()
      local subject, promise = unanswered(name)
      promise:cancel()
      rejected(promise, "cancelled")
      assert.is_true(datasession.run(LIMIT), "the request goes on") -- the session's own limit is longer
      assert(subject.session.connected)
    end)
  end

  it("by cancel, a request with which its function ends still goes out", function()
    datasession.defineProtocol("polite", {
      login = function(link)
        return await.guarded(function() link:request { path = "/leave", method = "POST" } end, function()
          return link:request { path = "/me" }:await()
        end)
      end,
    })
    local session = datasession.new { protocol = "polite", serviceURI = origin .. "/Own", proxy = false }
    server:fault("GET /Own/me", { fault_server.PAUSE })
    server:watch "POST /Own/leave"
    local promise = session:login()
    await.stepUntil(function() return select(4, server:counts()) > 0 end)
    promise:cancel()
    rejected(promise, "cancelled")
    assert.is_true(datasession.run(LIMIT))
    assert.equal(1, server:watched())
  end)
end)
