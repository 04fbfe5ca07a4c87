-- Closing a session of protocol btt: it always ends closed.
local datasession = require "datasession"
local lua = require "datasession.internal.lua"
local await = dofile "spec/support/await.lua"
local btt = dofile "spec/protocol/btt/support.lua"

local LIMIT, REQUEST = btt.LIMIT, btt.REQUEST
local rejected, answer = btt.rejected, btt.answer

describe("closing a session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  local function closes(options, prepare)
    local session = btt.established(options)
    local log = btt.listen(session, "statusChanged")
    if prepare then prepare(session) end
    local value, result, info = session:closeSession():await(LIMIT)
    assert.equal(session, value)
    assert.equal(datasession.SUCCESS, result)
    btt.settle()
    assert.same({ "statusChanged being closed", "statusChanged not established" }, log)
    assert.equal("not established", session.status)
    assert.is_nil(session.sessionId)
    assert.is_nil(session.expiresAt)
    return info, btt.asked(), session
  end

  it("asks nothing without an operation or an address for it", function()
    local info, asked = closes()
    assert.is_nil(info.warning)
    assert.same({}, asked)
  end)

  for _, format in ipairs { "form", "json", "xml" } do
    it("runs the operation that it was told, by " .. format, function()
      local info, asked = closes { closeOperation = "LogOff", format = format }
      assert.is_nil(info.warning)
      assert.equal(1, #asked)
      assert.matches("LogOff", asked[1].body, 1, true)
      assert.equal(0, btt.server:sessionCount "btt")
    end)
  end

  it("asks by the address that it was told", function()
    answer("/logoff", "bye")
    local info, asked = closes { closePath = "logoff" }
    assert.is_nil(info.warning)
    assert.equal("GET", asked[1].method)
    assert.matches("^/bank/logoff%?sessionId=[%w_-]+$", asked[1].uri)
    assert.matches("^JSESSIONID=", asked[1].headers.cookie)
  end)

  it("counts as done when the session is gone already", function()
    for _, sign in ipairs { "CSS00", "CSS11", 401, 440 } do
      btt.server:setBtt { lossAs = sign }
      local info, asked = closes({ closeOperation = "LogOff" },
        function() btt.server:expireSessions "btt" end)
      assert.is_nil(info.warning)
      assert.equal(1, #asked)
    end
  end)

  it("is tried again up to so many times, and then closed all the same, with a warning", function()
    local notes = {}
    datasession.setLogger(function(level, event)
      if level ~= "info" then notes[#notes + 1] = level .. " " .. event end
    end)
    local info, asked = closes { closeOperation = "Fail" }
    assert.equal(3, #asked)
    assert.matches("may not have ended the session", info.warning, 1, true)
    assert.matches("CSS07", info.warning, 1, true)
    assert.same({ "warning closeFailed" }, notes)
    info, asked = closes({ closeOperation = "LogOff", maxCloseAttempts = 2 }, function()
      btt.server:fault { kind = "close", path = REQUEST .. "$" }
    end)
    assert.is_nil(info.warning)
    assert.equal(2, #asked)
  end)

  it("is not held up by a server that is away, and re-establishes nothing", function()
    local session = btt.established { closeOperation = "LogOff" }
    local log = btt.listen(session, "statusChanged", "reconnecting")
    btt.server:stop()
    local _, _, info = session:closeSession():await(LIMIT)
    assert.is_string(info.warning)
    btt.settle()
    assert.same({ "statusChanged being closed", "statusChanged not established" }, log)
    btt.server:start()
  end)

  it("asks nothing of a session that is not established, however often", function()
    local session = btt.new { closeOperation = "LogOff" }
    assert(session:closeSession():await(LIMIT))
    assert.equal("initial", session.status)
    assert(session:login():await(LIMIT))
    assert(session:closeSession():await(LIMIT))
    btt.asked()
    assert(session:closeSession():await(LIMIT))
    assert(session:logout():await(LIMIT))
    assert.same({}, btt.asked())
    session = btt.new { closeOperation = "LogOff", reconnect = false }
    assert(session:login():await(LIMIT))
    btt.server:expireSessions "btt"
    rejected(session:invoke("Echo"))
    btt.asked()
    assert(session:logout():await(LIMIT))
    assert.same({}, btt.asked())
  end)

  it("refuses calls meanwhile, in the vendor's words", function()
    local session = btt.established { closeOperation = "LogOff" }
    local closing = session:closeSession()
    assert.equal("being closed", session.status)
    for _, promise in ipairs { session:invoke("Echo"), session:establishSession(),
      session:request { path = "/x" } } do
      local err = rejected(promise)
      assert.equal("closed", err.kind)
      assert.matches("being closed (CSS11)", err.message, 1, true)
    end
    assert(closing:await(LIMIT))
    assert.equal(1, #btt.asked())
  end)

  it("ends a re-establishment", function()
    local session = btt.established { reconnect = { delay = 60 } }
    btt.server:expireSessions "btt"
    btt.server:setBtt { refuseEstablish = 1 }
    rejected(session:invoke("Echo"))
    local waiting = session:invoke("Echo")
    assert.is_true(btt.server:awaitRequests(1, 0.1))
    datasession.step(0.1)
    assert(session:closeSession():await(LIMIT))
    assert.equal("cancelled", rejected(waiting).kind)
    assert.equal("not established", session.status)
    btt.settle()
  end)

  it("by invalidate and by __close tries once", function()
    local session = btt.established { closeOperation = "Fail" }
    assert(session:invalidate():await(LIMIT))
    assert.equal(1, #btt.asked())
    lua.closing(btt.established { closeOperation = "LogOff" }, function() end)
    assert.equal(1, #btt.asked())
    assert.equal("not established", session.status)
    assert.equal("closed", rejected(session:invoke("Echo")).kind)
    assert.equal("closed", rejected(session:establishSession()).kind)
  end)

  it("is rejected by an invalidate that comes first", function()
    local session = btt.established { closeOperation = "LogOff" }
    btt.server:fault { kind = "slow", delay = 0.3, path = REQUEST .. "$" }
    local closing = session:closeSession()
    await.stepUntil(function() return #btt.server:requests() > 0 end)
    local ended = session:invalidate()
    rejected(closing, "closed")
    assert(ended:await(LIMIT))
  end)

  it("by stop is the server's to refuse", function()
    local session = btt.established { closeOperation = "Fail" }
    assert.equal("server", rejected(session:stop(5)).kind)
    assert.equal("established", session.status)
    assert(session:invoke("Echo"):await(LIMIT))
  end)

  for _, how in ipairs { "logout", "disconnect" } do
    it("changes no later login once " .. how .. " has ended the session at once", function()
      for _, status in ipairs { 200, 500 } do
        local session = btt.established { closeOperation = "LogOff" }
        answer(REQUEST, "{}", { status = status, delay = 0.5 })
        local closing = session:closeSession()
        await.stepUntil(function() return #btt.server:requests() > 0 end)
        assert(session[how](session):await(LIMIT))
        assert(session:login():await(LIMIT))
        btt.asked()
        assert(closing:await(LIMIT))
        btt.settle()
        assert.same({}, btt.asked())
        assert.equal("established", session.status)
        assert(session:invoke("Echo"):await(LIMIT))
      end
    end)
  end

  it("survives what the user's function does", function()
    local fail = false
    datasession.onError(function() end)
    local session = btt.new { closeOperation = "LogOff", format = { encode = function()
      if fail then error "no" end
      return "createSession=true"
    end } }
    assert(session:login():await(LIMIT))
    fail = true
    local _, _, info = session:closeSession():await(LIMIT)
    assert.matches("could not be asked", info.warning, 1, true)
    assert.equal("not established", session.status)
  end)
end)
