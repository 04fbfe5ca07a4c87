-- How a session of protocol btt is lost, comes back, or is given up.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local await = dofile "spec/support/await.lua"
local btt = dofile "spec/protocol/btt/support.lua"

local LIMIT, ESTABLISH, REQUEST = btt.LIMIT, btt.ESTABLISH, btt.REQUEST
local rejected, answer = btt.rejected, btt.answer

describe("a lost session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  local function establishes()
    local list = {}
    for _, request in ipairs(btt.asked()) do
      if request.path:find(ESTABLISH, 1, true) then list[#list + 1] = request.body end
    end
    return list
  end

  -- The error of a call whose line breaks, however often it is tried.
  local function breakLine(session)
    btt.server:fault { kind = "close", path = REQUEST .. "$", count = 0 }
    local err = rejected(session:invoke "Transfer")
    btt.server:clearFaults()
    return err
  end

  for _, sign in ipairs { "CSS00", "CSS11", 401, 403, 440, "redirect" } do
    it("is known by " .. sign .. ", told with its old id, and established anew", function()
      local session = btt.established()
      local old, log = session.sessionId, btt.listen(session, "statusChanged", "expired", "reconnecting",
        "reconnected")
      btt.server:setBtt { lossAs = sign }
      btt.server:expireSessions "btt"
      local err = rejected(session:invoke("Transfer"))
      assert.equal("expired", err.kind)
      assert.equal(1, err.requestId)
      assert.matches("being re-established", err.hint, 1, true)
      btt.settle()
      assert.same({ "expired server " .. old, "statusChanged down", "reconnecting 1",
        "statusChanged established",
        "reconnected 1" }, log)
      assert.not_equal(old, session.sessionId)
      assert.same({ "createSession=true" }, establishes())
      assert.is_nil(btt.server:calls()["btt.Transfer"])
      assert(session:invoke("Transfer"):await(LIMIT))
    end)
  end

  for _, format in ipairs { "json", "xml" } do
    it("is known in " .. format .. " too", function()
      local session = btt.established { format = format }
      btt.server:expireSessions "btt"
      assert.equal("expired", rejected(session:invoke("Echo")).kind)
      btt.settle()
      assert.equal("established", session.status)
    end)
  end

  it("is known from pages", function()
    btt.server:setBtt { answer = "html" }
    local session = btt.established()
    btt.server:expireSessions "btt"
    assert.equal("expired", rejected(session:invoke("Echo")).kind)
    btt.settle()
    assert.equal("established", session.status)
  end)

  it("is known by any request's answer, and that is repeated if it may be", function()
    local session = btt.established { format = "json" }
    btt.server:expireSessions "btt"
    local response = assert(session:request { path = REQUEST,
      json = { action = "RateLookup", data = { ccy = "USD" } },
      idempotent = true }:await(LIMIT))
    assert.equal("1", response:json().result.rate)
    local asked = btt.asked()
    assert.equal(3, #asked)
    assert.equal(session.sessionId, asked[3].query.sessionId)
    assert.not_equal(session.sessionId, asked[1].query.sessionId)
  end)

  it("has what is data and no sign taken for data", function()
    local session, log
    for _, format in ipairs { "xml", "json" } do
      session = btt.established { format = format }
      log = btt.listen(session, "statusChanged")
      assert(session:invoke("Echo", { text = "CSS00 DSECSSessionNotEstablishedException" }):await(LIMIT))
    end
    answer("/style", "a.CSS112 { }", { contentType = "text/css" })
    assert(session:request { path = "/style" }:await(LIMIT))
    btt.settle()
    assert.same({}, log)
  end)

  it("has its call repeated if that was marked idempotent, or the session says so", function()
    for _, case in ipairs { { {}, { idempotent = true } }, { {}, { replay = true } },
      { { replay = true } } } do
      local session = btt.established(case[1])
      local before = btt.server:calls()["btt.Transfer"] or 0
      btt.server:expireSessions "btt"
      local value, _, info = session:invoke("Transfer", nil, case[2]):await(LIMIT)
      assert.equal(tostring(before + 1), value.transfers)
      assert.equal(1, info.requestId)
    end
    local session = btt.established { replay = true }
    btt.server:expireSessions "btt"
    assert.equal("expired", rejected(session:invoke("Transfer", nil, { idempotent = false })).kind)
  end)

  it("is not the one that another session's late reply tells of", function()
    local late = 0
    local session = btt.established { lateReplies = 10, onLateReply = function() late = late + 1 end }
    answer(REQUEST, '{"error":"CSS11"}', { status = 401, delay = 0.4 })
    local call = session:invoke("Transfer", nil, { timeout = 0.2, idempotent = true })
    await.stepUntil(function() return #btt.server:requests() > 0 end)
    assert(session:closeSession():await(LIMIT))
    assert(session:establishSession():await(LIMIT))
    local id, log = session.sessionId, btt.listen(session, "statusChanged", "expired", "reconnecting")
    rejected(call)
    btt.settle()
    assert.same({}, log)
    assert.same({ id, "established" }, { session.sessionId, session.status })
    assert.same({ 0, nil }, { late, btt.server:calls()["btt.Transfer"] })
  end)

  it("by a lost line is joined first, and established again only then", function()
    local session = btt.established { tid = "BR12-T03" }
    local id, log = session.sessionId, btt.listen(session, "statusChanged", "expired", "reconnecting",
      "reconnected")
    local err = breakLine(session)
    assert.equal("connect", err.kind)
    assert.matches("being re-established", err.hint, 1, true)
    btt.settle()
    assert.same({ "createSession=false&TID=BR12-T03&sessionId=" .. id }, establishes())
    assert.equal(id, session.sessionId)
    assert.same({ "statusChanged down", "reconnecting 1", "statusChanged established", "reconnected 1" }, log)
    btt.server:expireSessions "btt"
    breakLine(session)
    btt.settle()
    assert.same({ "createSession=false&TID=BR12-T03&sessionId=" .. id, "createSession=true&TID=BR12-T03" },
      establishes())
    assert.equal("established", session.status)
  end)

  it("by a reply that is cut short is one by the line", function()
    local session = btt.established()
    btt.server:fault { kind = "truncate", path = REQUEST .. "$" }
    rejected(session:invoke("Transfer"))
    btt.settle()
    assert.equal(1, #establishes())
    assert.equal("established", session.status)
  end)

  it("that the server has replaced is adopted", function()
    local session = btt.established()
    local old, log = session.sessionId, btt.listen(session, "statusChanged", "expired", "reconnecting",
      "reconnected")
    local err = rejected(session:invoke("Replace"))
    assert.equal("expired", err.kind)
    assert.matches("the server replaced the session by another one", err.message, 1, true)
    btt.settle()
    assert.not_equal(old, session.sessionId)
    assert.same({ "createSession=false&sessionId=" .. session.sessionId }, establishes())
    assert.same({ "expired server " .. old, "statusChanged down", "reconnecting 1",
      "statusChanged established",
      "reconnected 1" }, log)
    assert.equal(1, btt.server:sessionCount "btt")
  end)

  it("is known by the id of another, which a ping hears of", function()
    local session = btt.established { reconnect = false }
    answer(ESTABLISH, '{"status":"OK","sessionId":"another"}')
    local err = rejected(session:ping())
    assert.equal("expired", err.kind)
    assert.matches("the server replaced the session by another one", err.message, 1, true)
    assert.equal("expired", session.state)
    btt.asked()
    err = rejected(session:isAuthorized())
    assert.equal("expired", err.kind)
    assert.matches("(CSS11): call establishSession", err.message, 1, true)
    assert.same({}, btt.asked())
  end)

  it("by its deadline is established anew before anything is asked, and the call then runs", function()
    btt.server:setBtt { reply = { timeout = "40" } }
    local session = btt.established()
    local old, log = session.sessionId, btt.listen(session, "statusChanged", "expired", "reconnecting",
      "reconnected")
    btt.server:setBtt { reply = { timeout = "60000" } }
    assert.is_false(btt.server:awaitRequests(1, 0.1)) -- nothing asks after it
    assert.equal("1", assert(session:invoke("Transfer"):await(LIMIT)).transfers)
    btt.settle()
    assert.same({ "expired timeout " .. old, "statusChanged down", "reconnecting 1",
      "statusChanged established",
      "reconnected 1" }, log)
    local bodies = btt.bodies()
    assert.equal("createSession=true", bodies[1])
    assert.equal(2, #bodies)
    assert.not_equal(old, session.sessionId)
  end)

  it("does the same for a request of any sort", function()
    btt.server:setBtt { reply = { timeout = "40" } }
    local session = btt.established()
    btt.server:setBtt { reply = { timeout = "60000" } }
    assert.is_false(btt.server:awaitRequests(1, 0.1))
    assert(session:request { path = REQUEST, body = "dse_operationName=Echo" }:await(LIMIT))
    local asked = btt.asked()
    assert.equal(2, #asked)
    assert.matches("sessionId=" .. session.sessionId, asked[2].body, 1, true)
  end)

  it("is given up after so many attempts, with one event and one note, and its cookies are kept", function()
    local session = btt.established { tid = "T1", reconnect = { delay = 0.01 } }:addCookie("proxyuser",
      "teller7")
    local log = btt.listen(session, "statusChanged", "expired", "reconnecting", "reconnected",
      "reconnectFailed")
    local notes, old = {}, session.sessionId
    datasession.setLogger(function(level, event, _, fields)
      if level == "error" then
        notes[#notes + 1] = ("%s %d %s"):format(event, fields.attempts, fields.message)
      end
    end)
    btt.server:setBtt { refuseEstablish = 3 }
    breakLine(session)
    local waiting = session:invoke("Transfer")
    local err = rejected(waiting)
    assert.equal("offline", err.kind)
    assert.matches("could not be re-established", err.message, 1, true)
    btt.settle()
    assert.same({ "statusChanged down", "reconnecting 1", "reconnecting 2", "reconnecting 3",
      "statusChanged not established", "reconnectFailed 3" }, log)
    assert.equal(1, #notes)
    assert.matches("^reconnectFailed 3 .*CSS07", notes[1])
    assert.same({ "createSession=false&TID=T1&sessionId=" .. old, "createSession=true&TID=T1",
      "createSession=true&TID=T1" }, establishes())
    assert.is_nil(session.sessionId)
    assert.is_nil(session.expiresAt)
    assert.equal("teller7", session:cookies(true).proxyuser)

    assert.matches("not established (CSS11)", rejected(session:invoke("Transfer")).message, 1, true)
    assert(session:request { path = REQUEST, body = "dse_operationName=Transfer",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }:await(LIMIT)) -- by the cookie
    btt.settle()
    assert.is_nil(session.sessionId)
    assert.equal("not established", session.status)
    assert.same({}, establishes()) -- only the program establishes it again
    assert(session:establishSession():await(LIMIT))
    assert.equal("established", session.status)
    btt.server:expireSessions "btt"
    rejected(session:invoke("Transfer"))
    btt.settle()
    assert.equal("established", session.status) -- the count of attempts is 0 again
  end)

  it("is given up when the server turns it away for good", function()
    local session = btt.established { reconnect = { delay = 0, maxAttempts = 2 } }
    local log = btt.listen(session, "reconnecting", "reconnectFailed")
    btt.server:expireSessions "btt"
    btt.server:fault { kind = "status", status = 401, path = ESTABLISH .. "$", count = 0 }
    rejected(session:invoke("Transfer"))
    btt.settle()
    assert.same({ "reconnecting 1", "reconnecting 2", "reconnectFailed 2" }, log)
  end)

  it("has calls wait that are made meanwhile", function()
    local session = btt.established { format = "json" }
    btt.server:expireSessions "btt"
    local lost = session:invoke("Transfer")
    rejected(lost)
    assert.equal("down", session.status)
    local promise = session:invoke("RateLookup", { ccy = "SEK" })
    assert.equal("0.09", assert(promise:await(LIMIT)).rate)
    assert.equal("established", session.status)
    local asked = btt.asked()
    assert.equal(session.sessionId, asked[#asked].query.sessionId)
  end)

  it("stays lost where it is never to be re-established", function()
    for _, reconnect in ipairs { false, { maxAttempts = 0 } } do
      local session = btt.new { reconnect = reconnect }
      assert(session:login():await(LIMIT))
      local log = btt.listen(session, "statusChanged", "expired", "reconnecting", "reconnectFailed")
      local old = session.sessionId
      btt.asked()
      btt.server:expireSessions "btt"
      rejected(session:invoke("Transfer"))
      btt.settle()
      assert.same({ "expired server " .. old, "statusChanged not established" }, log)
      assert.equal(1, #btt.asked())
    end
  end)

  it("is down while only the line is lost, and well when it is there again, without re-establishment",
    function()
    local session = btt.established { reconnect = false }
    local log = btt.listen(session, "statusChanged")
    breakLine(session)
    assert.equal("down", session.status)
    assert(session:invoke("Echo"):await(LIMIT))
    btt.settle()
    assert.same({ "statusChanged down", "statusChanged established" }, log)
  end)

  it("has three attempts, a second apart, unless told otherwise", function()
    local session = datasession.new { protocol = "btt", serviceURI = btt.server.uris.btt }
    assert.same({ maxAttempts = 3, delay = 1, backoff = 1, maxDelay = 60, jitter = 0 }, session.reconnect)
  end)

  it("is what the user's function says", function()
    local word, seen
    local session = btt.established { format = { base = "json", classify = function(reply, response)
      seen = tostring(reply and reply.status) .. " " .. response.status
      return word
    end } }
    local log = btt.listen(session, "reconnecting")
    word = "ok"
    answer(REQUEST, '{"status":"CSS00","result":1}')
    assert.equal(1, assert(session:invoke("Echo"):await(LIMIT)))
    assert.equal("CSS00 200", seen)
    answer(REQUEST, "", { status = 401 })
    assert(session:invoke("Echo"):await(LIMIT))
    word = "error"
    assert.equal("server", rejected(session:invoke("Echo")).kind)
    btt.settle()
    assert.same({}, log)
    word = "inactivity"
    btt.asked()
    local promise = session:invoke("Echo")
    assert.equal("expired", rejected(promise).kind)
    word = nil
    btt.settle()
    assert.equal('{"createSession":"true"}', establishes()[1])
    word = "connection"
    assert.equal("offline", rejected(session:invoke("Echo")).kind)
    word = nil
    btt.settle()
    assert.matches('"createSession":"false"', establishes()[1], 1, true)
    assert.equal(2, #log)
    local errors = {}
    datasession.onError(function(err) errors[#errors + 1] = tostring(err) end)
    word = "nonsense"
    assert(session:invoke("Echo"):await(LIMIT))
    assert.matches("format.classify: expected it to return nil", errors[1], 1, true)
  end)

  it("is not what happens elsewhere", function()
    local other = assert(sandbox.start())
    local session = btt.established()
    local log = btt.listen(session, "statusChanged")
    other:fault { kind = "status", status = 401, body = "CSS00" }
    rejected(session:request { uri = other.origin .. "/x" })
    btt.server:fault { kind = "status", status = 440 }
    rejected(session:request { uri = btt.server.origin .. "/other" })
    btt.settle()
    other:close()
    assert.same({}, log)
  end)
end)
