-- Establishing a session of protocol btt: what is asked, what counts as a session, what is refused.
local datasession = require "datasession"
local btt = dofile "spec/protocol/btt/support.lua"

local LIMIT, ESTABLISH = btt.LIMIT, btt.ESTABLISH
local rejected, answer = btt.rejected, btt.answer

describe("a session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  it("is initial, and asks nothing, until it is established", function()
    local session = btt.new()
    assert.equal("initial", session.status)
    assert.equal("initial", session:getSessionStatus())
    assert.equal("btt", session.protocol)
    assert.is_nil(session.sessionId)
    assert.same({}, btt.asked())
  end)

  it("asks for a new one with nothing, nil and true", function()
    for _, call in ipairs {
      function(s) return s:establishSession() end, function(s) return s:establishSession(nil) end,
      function(s) return s:establishSession(true) end, function(s) return s:login() end,
      function(s) return s:login { newSession = true } end,
    } do
      local session = btt.new()
      local log = btt.listen(session, "statusChanged")
      local value, result, info = call(session):await(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.equal(200, info.xhr.status)
      assert.same({ "createSession=true" }, btt.bodies())
      assert.equal("established", session.status)
      assert.matches("^[%w_-]+$", session.sessionId)
      btt.settle()
      assert.same({ "statusChanged established" }, log)
    end
  end)

  it("asks by the address, the format's type and the cookies that it has", function()
    local session = btt.new():addCookie("proxyuser", "teller7")
    assert(session:login():await(LIMIT))
    local request = btt.asked()[1]
    assert.equal("POST", request.method)
    assert.equal("/bank" .. ESTABLISH, request.path)
    assert.equal("application/x-www-form-urlencoded;charset=UTF-8", request.headers["content-type"])
    assert.equal("proxyuser=teller7", request.headers.cookie)
  end)

  it("joins the session of its terminal with false", function()
    local first = btt.established { tid = "BR12-T03" }
    local second = btt.new { tid = "BR12-T03" }
    assert(second:establishSession(false):await(LIMIT))
    assert.same({ "createSession=false&TID=BR12-T03" }, btt.bodies())
    assert.equal(first.sessionId, second.sessionId)
    assert.equal(1, btt.server:sessionCount("btt"))
  end)

  it("joins a session by a predefined id and a server id", function()
    local first = btt.established()
    local second = btt.new { sessionId = first.sessionId, serverId = "n1" }
    assert(second:login(false):await(LIMIT))
    assert.same({ "createSession=false&sessionId=" .. first.sessionId .. "&serverId=n1" }, btt.bodies())
    local third = btt.new()
    assert(third:login { newSession = false, sessionId = first.sessionId, timeout = 5 }:await(LIMIT))
    assert.equal(first.sessionId, third.sessionId)
    local err = rejected(btt.new { sessionId = first.sessionId, serverId = "n2" }:login(false))
    assert.equal("expired", err.kind)
    assert.matches("(CSS00)", err.message, 1, true)
  end)

  it("sends neither predefined id nor server id with a new one", function()
    assert(btt.new { sessionId = "abc", serverId = "n1", tid = "T1" }:login():await(LIMIT))
    assert.same({ "createSession=true&TID=T1" }, btt.bodies())
  end)

  it("raises, before anything is sent, when a session is to be found by nothing", function()
    local session = btt.new()
    assert.error_matches(function() session:establishSession(false) end, "option 'tid' or 'sessionId'")
    assert.error_matches(function() session:establishSession "no" end, "a boolean or a table expected")
    assert.error_matches(function() session:login { newsession = true } end, "did you mean 'newSession'")
    assert.error_matches(function() session:login { tid = "" } end, "option 'tid'")
    assert.same({}, btt.asked())
    assert.equal("initial", session.status)
  end)

  it("speaks JSON and XML", function()
    btt.established { format = "json", tid = 'a"\\b' }
    local session = btt.new { format = "json", tid = 'a"\\b' }
    assert(session:login(false):await(LIMIT))
    local request = btt.asked()[1]
    assert.equal('{"createSession":"false","TID":"a\\"\\\\b"}', request.body)
    assert.equal("application/json;charset=UTF-8", request.headers["content-type"])
    session = btt.new { format = "xml", tid = 'a"\\b' }
    assert(session:login(false):await(LIMIT))
    request = btt.asked()[1]
    assert.equal("<requestMsg><dse_createSession>false</dse_createSession>" ..
      "<dse_TID>a\"\\b</dse_TID></requestMsg>", request.body)
    assert.equal("text/xml;charset=UTF-8", request.headers["content-type"])
    assert.equal("established", session.status)
    assert.is_number(session.expiresAt)
  end)

  it("has a declaration, a document type and quoted values in XML if told so", function()
    local session = btt.new {
      format = "xml", tid = "T<1", xmlDeclaration = true, xmlDoctype = true, xmlQuotes = true,
    }
    assert(session:login():await(LIMIT))
    assert.equal('<?xml version="1.0" encoding="UTF-8"?>\n' ..
      '<!DOCTYPE requestMsg SYSTEM "/dse/sessionRequest.dtd">\n' ..
      '<requestMsg><dse_createSession>"true"</dse_createSession><dse_TID>"T&lt;1"</dse_TID></requestMsg>',
      btt.asked()[1].body)
    session = btt.new { format = "xml", xmlDoctype = "https://bank/dtd/" }
    assert(session:login():await(LIMIT))
    assert.matches('^<!DOCTYPE requestMsg SYSTEM "https://bank/dtd/sessionRequest.dtd">\n<requestMsg><dse_c',
      btt.asked()[1].body)
  end)

  it("takes the terminal that the reply names for what follows", function()
    local session = btt.new { tid = "mine" }
    assert.equal("mine", session:tid())
    answer(ESTABLISH, '{"status":"OK","sessionId":"abc","serverTID":"theirs"}')
    assert(session:login():await(LIMIT))
    assert.equal("theirs", session:tid())
    btt.asked()
    answer(ESTABLISH, '{"status":"OK","sessionId":"abc"}')
    assert(session:ping():await(LIMIT))
    assert.equal("createSession=false&TID=theirs&sessionId=abc", btt.asked()[1].body)
    assert(session:closeSession():await(LIMIT))
    assert(session:login():await(LIMIT))
    assert.equal("createSession=true&TID=theirs", btt.asked()[1].body)

    session = btt.established()
    assert.is_nil(session:tid())
    answer(btt.REQUEST, '<r><dse_status>OK</dse_status><dse_serverTID>"late"</dse_serverTID></r>',
      { contentType = "text/xml" })
    assert(session:invoke("Echo"):await(LIMIT))
    assert.equal("late", session:tid())
    assert.error_matches(function() session.tid() end, "call it with ':'")
  end)

  it("goes by other addresses if told so", function()
    local session = btt.new { establishPath = "XmlEstablishSessionServlet", format = "xml" }
    assert(session:login():await(LIMIT))
    assert.equal("/bank/XmlEstablishSessionServlet", btt.asked()[1].path)
    session = btt.new { establishPath = "/CSEstablishSessionServlet/extra/en" }
    assert(session:login():await(LIMIT))
    assert.equal("/bank/CSEstablishSessionServlet/extra/en", btt.asked()[1].path)
  end)

  describe("takes as success", function()
    local cases = {
      { "a flat reply", '{"status":"OK","sessionId":"abc"}', "abc" },
      { "a reply in a wrapper", '{"session_reply":{"status":"OK","sessionId":"abc"}}', "abc" },
      { "names with dse_", '{"dse_status":"OK","dse_sessionId":"abc"}', "abc" },
      { "quotes and blanks", '{"status":" \\"OK\\" ","sessionId":"\\" abc \\""}', "abc" },
      { "no status but an id", '{"sessionId":"abc"}', "abc" },
      { "a status alone", '{"status":"OK"}', nil },
      { "XML", '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]><r><status>OK</status>'
        .. "<!-- x --><sessionId><![CDATA[a]]>&#98;&#x63;</sessionId></r>", "abc" },
      { "XML with comments around", "<!-- <x> --><r><status>OK</status></r><!-- y --><?z a?>", nil },
      { "a page", '<html><form><input type=hidden name="dse_sessionId" value="a&#98;c"></form></html>',
        "abc" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        answer(ESTABLISH, case[2])
        local session = btt.new { reconnect = false }
        assert(session:login():await(LIMIT))
        assert.equal("established", session.status)
        assert.equal(case[3], session.sessionId)
      end)
    end

    it("a session cookie where there is neither status nor id, and infers the id from it", function()
      answer(ESTABLISH, "<html></html>", { contentType = "text/html",
        headers = { ["Set-Cookie"] = "JSESSIONID=0000q1W2e3R4t5Y6u7I8o9P0a1S:n1; Path=/bank" } })
      local session = btt.new()
      assert(session:login():await(LIMIT))
      assert.equal("q1W2e3R4t5Y6u7I8o9P0a1S", session.sessionId)
      btt.asked()
      answer(btt.REQUEST, '{"status":"OK","sessionId":"quite another"}')
      assert(session:invoke("Echo"):await(LIMIT)) -- a guess is not sent, nor compared
      assert.not_matches("q1W2", btt.asked()[1].body)
    end)

    it("a session cookie by another name, and one that it has already when it joins", function()
      answer(ESTABLISH, "", { headers = { ["Set-Cookie"] = "SID=1; Path=/" } })
      local session = btt.new { sessionCookie = "SID", sessionCarrier = "cookie", tid = "T1" }
      assert(session:login():await(LIMIT))
      assert(session:logout():await(LIMIT))
      answer(ESTABLISH, "")
      assert(session:login(false):await(LIMIT))
    end)
  end)

  describe("takes as failure", function()
    local cases = {
      { "another status, an id or not", '{"status":"CSS07","sessionId":"abc"}', 200, "server", "CSS07" },
      { "a session that is not there", '{"status":"CSS00"}', 200, "expired", "CSS00" },
      { "a page of an error", "<html><h1>DSEException</h1></html>", 200, "server", "DSEException" },
      { "nothing", "", 200, "protocol", "has no status, session id or session cookie" },
      { "a word", "hello", 200, "protocol", "has no status, session id or session cookie" },
      { "a failure of the server", "", 500, "http", "HTTP 500" },
      { "a refusal", "", 401, "auth", "HTTP 401" },
      { "a status in a failure", '{"status":"OK","sessionId":"abc"}', 500, "http", "HTTP 500" },
      { "broken JSON", '{"status":"OK"', 200, "protocol", "has no status, session id or session cookie" },
      { "XML that is not closed", "<r><status>OK</status>", 200, "protocol",
        "has no status, session id or session cookie" },
      { "XML behind which a comment has no end", "<r><status>OK</status></r><!-- y", 200, "protocol",
        "has no status, session id or session cookie" },
      { "XML that is too deep", ("<a>"):rep(30) .. ("</a>"):rep(30), 200, "protocol",
        "has no status, session id or session cookie" },
    }
    for _, case in ipairs(cases) do
      it(case[1] .. ", and does not try again", function()
        local _, body, status, kind, text = table.unpack(case)
        answer(ESTABLISH, body, { status = status })
        local session = btt.new()
        local log = btt.listen(session)
        local err = rejected(session:login())
        assert.equal(kind, err.kind)
        assert.matches(text, err.message, 1, true)
        assert.equal(status, err.httpStatus)
        assert.equal("not established", session.status)
        btt.settle()
        assert.equal(1, #btt.asked())
        assert.same({ "statusChanged not established" }, log)
      end)
    end

    it("a cookie where the parameter alone carries the session", function()
      answer(ESTABLISH, "", { headers = { ["Set-Cookie"] = "JSESSIONID=0000abc:n1" } })
      assert.equal("protocol", rejected(btt.new { sessionCarrier = "parameter" }:login()).kind)
    end)

    it("a cookie of another name, or without a value, where neither status nor id is there", function()
      for _, cookie in ipairs { "DIS=1", "SIDE=1", "SI=1", "SID=" } do
        answer(ESTABLISH, "", { headers = { ["Set-Cookie"] = cookie .. "; Path=/" } })
        assert.equal("protocol", rejected(btt.new { sessionCookie = "SID" }:login()).kind, cookie)
      end
    end)

    it("no answer at all", function()
      btt.server:fault { kind = "close" }
      local session = btt.new()
      assert.equal("connect", rejected(session:login()).kind)
      assert.equal("not established", session.status)
    end)
  end)

  it("is not established by a function of the user's that writes nothing that can be sent", function()
    local returned, reported
    datasession.onError(function(err) reported = tostring(err) end)
    local session = btt.new { format = { encode = function() return table.unpack(returned, 1, 2) end } }
    for message, got in pairs {
      ["expected it to return a string, got boolean"] = { false },
      ["a content type holds no line breaks"] = { "createSession=true", "a\nb" },
    } do
      returned = got
      local err = rejected(session:login())
      assert.equal("error", err.kind)
      assert.matches("the function encode of the option format failed", err.message, 1, true)
      assert.matches(message, reported, 1, true)
      assert.equal("not established", session.status)
    end
    assert.same({}, btt.asked())
  end)

  it("is not established where the user's word is that it was idle for too long", function()
    local session = btt.new { format = { classify = function() return "inactivity" end } }
    local err = rejected(session:login())
    assert.equal("server", err.kind)
    assert.matches("did not establish a session", err.message, 1, true)
    assert.equal("not established", session.status)
  end)

  it("asks by the very id that it was given, control characters included", function()
    answer(ESTABLISH, '{"status":"OK","sessionId":"a\\u0001\\"b"}')
    local session = btt.established { format = "json" }
    answer(ESTABLISH, '{"status":"OK","sessionId":"a\\u0001\\"b"}')
    assert(session:ping():await(LIMIT))
    assert.matches('"sessionId":"a\\u0001\\"b"', btt.bodies()[1], 1, true)
  end)

  it("can be established after a failure, and again after it was closed", function()
    btt.server:setBtt { refuseEstablish = 1 }
    local session = btt.new()
    rejected(session:login())
    assert(session:login():await(LIMIT))
    assert(session:closeSession():await(LIMIT))
    assert.equal("not established", session.status)
    assert(session:login():await(LIMIT))
    assert.equal("established", session.status)
  end)

  it("refuses to be established twice, in the vendor's words", function()
    local session = btt.established()
    local err = rejected(session:establishSession())
    assert.equal("auth", err.kind)
    assert.matches("established already (CSS11)", err.message, 1, true)
    assert.same({}, btt.asked())
    assert.equal("established", session.status)
  end)

  it("has a deadline by the time-out that the reply tells, in milliseconds, and none without", function()
    assert.is_true(math.abs(btt.established().expiresAt - os.time() - 1800) < 60)
    btt.server:setBtt { reply = { timeout = false } }
    assert.is_nil(btt.established().expiresAt)
  end)

  it("has its deadline later after a page that is no reply", function()
    local session = btt.established()
    local before = session.expiresAt
    answer("/page", "<p>Welcome</p>", { contentType = "text/html" })
    assert(session:request { path = "/page" }:await(LIMIT))
    assert.is_true(session.expiresAt > before)
  end)

  it("can be asked after by its terminal or id", function()
    local session = btt.established { tid = "T1" }
    assert(session:isAuthorized():await(LIMIT))
    assert.is_true((select(2, session:ping():await(LIMIT))))
    assert.same({ "createSession=false&TID=T1&sessionId=" .. session.sessionId,
      "createSession=false&TID=T1&sessionId=" .. session.sessionId }, btt.bodies())
    answer(ESTABLISH, '{"status":"OK"}')
    local other = btt.established { sessionCarrier = "parameter" }
    assert(other:isAuthorized():await(LIMIT)) -- nothing to ask by: what was last heard stands
    assert.equal("auth", rejected(other:ping()).kind)
    assert.same({}, btt.asked())
  end)

  it("waits ten seconds for an answer unless told otherwise", function()
    local session = btt.new()
    btt.server:fault { kind = "slow", delay = 0.3 }
    assert(session:login():await(LIMIT))
    btt.server:fault { kind = "slow", delay = 0.3 }
    assert.equal("timeout", rejected(btt.new { timeout = 0.05 }:login()).kind)
  end)

  it("takes the options of XML with that format alone", function()
    local function refused(options, message)
      options.protocol, options.serviceURI = "btt", btt.server.uris.btt
      assert.error_matches(function() datasession.new(options) end, message)
    end
    refused({ xmlDeclaration = true }, "option 'xmlDeclaration': expected the option format to be \"xml\"")
    refused({ xmlQuotes = true, format = "json" }, "option 'xmlQuotes': expected the option format")
    refused({ xmlDoctype = true }, "option 'xmlDoctype': expected the option format")
    refused({ xmlDoctype = "/dtd/" }, "option 'xmlDoctype': expected the folder of the DTDs")
    refused({ xmlDoctype = '"', format = "xml" }, "option 'xmlDoctype': expected the folder of the DTDs")
    refused({ xmlDoctype = 1, format = "xml" }, "option 'xmlDoctype': expected a boolean")
    assert(btt.new { format = { base = "xml" }, xmlQuotes = true, xmlDoctype = false })
  end)

  it("does not take what it cannot use as an option", function()
    local function raises(message, options)
      assert.error_matches(function() btt.new(options) end, message, 1, true)
    end
    raises("option 'format': expected \"form\", \"json\" or \"xml\"", { format = "soap" })
    raises("option 'sessionCarrier'", { sessionCarrier = "pigeon" })
    raises("option 'cookiePolicy'", { cookiePolicy = "none" })
    raises("option 'maxCloseAttempts': expected a whole number", { maxCloseAttempts = 1.5 })
    raises("option 'establishPath'", { establishPath = "" })
    raises("option 'tid'", { tid = "a\nb" })
    raises("option 'sessionCookie': expected a string without control characters",
      { sessionCookie = "a\127" })
    raises("option 'name'", { name = "bank" })
    raises("either it or option 'closeOperation'", { closePath = "x", closeOperation = "y" })
    raises("option 'encode': expected a function", { format = { encode = 1 } })
    raises("did you mean 'classify'", { format = { clasify = print } })
    raises("option 'lateReplies'", { lateReplies = 3 })
    raises("did you mean 'sessionCarrier'", { sessioncarrier = "both" })
  end)
end)
