-- The sandbox's server of the Bank Transformation Toolkit, over real sockets.
local cjson = require "cjson"
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local decode = client.decode

local FORM, JSON, XML = "application/x-www-form-urlencoded;charset=UTF-8", "application/json", "text/xml"
local ESTABLISH, XML_ESTABLISH, EXECUTE = "/CSEstablishSessionServlet", "/XmlEstablishSessionServlet",
  "/CSReqServlet"

local server

local function send(method, path, contentType, body, cookie)
  return client.request(server, method, server.uris.btt .. path,
    { headers = { ["Content-Type"] = contentType, Cookie = cookie }, body = body })
end

local function post(...)
  return send("POST", ...)
end

local function cookieOf(response)
  return response.cookies[1]:match("^([^;]+)")
end

-- Establishes by a form; the reply's JSON, and the response.
local function establish(body, cookie)
  local response = post(ESTABLISH, FORM, body or "createSession=true", cookie)
  return decode(response), response
end

-- Runs an operation with a JSON request in the session of a cookie or, in the query, of an id.
local function run(action, cookie, data, query)
  local body = { xml_request = { action = action, data = data } }
  return post(EXECUTE .. (query or ""), JSON, cjson.encode(body), cookie)
end

local function assertFails(code, exception, response)
  assert.equal(200, response.status)
  local reply = decode(response)
  assert.equal(code, reply.status)
  assert.equal(exception, reply.exception)
  assert.is_nil(reply.result)
end

local function assertLost(response, code)
  assertFails(code or "CSS00", "DSECSSessionNotEstablishedException", response)
end

local function assertRuns(response)
  assert.equal(200, response.status)
  assert.equal("OK", decode(response).status)
end

local function hidden(response, name)
  assert.matches("^text/html", response.headers["content-type"])
  return response.body:match('<input type="hidden" name="' .. name .. '" value="([^"]*)">')
end

before_each(function() server = assert(sandbox.start()) end)
after_each(function() server:close() end)

describe("the bank's establish servlet", function()
  it("makes a new session and tells its id, its time-out and its cookie", function()
    local reply, response = establish()
    assert.matches("^[%w_-]+$", reply.sessionId)
    assert.equal(23, #reply.sessionId)
    assert.equal(('{"status":"OK","sessionId":"%s","timeout":"1800000","dse_pageId":"1"}'):format(
      reply.sessionId),
      response.body)
    assert.same({ ("JSESSIONID=0000%s:n1; Path=/bank"):format(reply.sessionId) }, response.cookies)
    assert.not_equal(reply.sessionId, establish().sessionId)
    assert.equal(2, server:sessionCount("btt"))
    assert.equal(2, server:sessionCount())
  end)

  it("has the session of the cookie replaced by the new one", function()
    local _, first = establish()
    local _, second = establish("createSession=true", cookieOf(first))
    assert.equal(1, server:sessionCount("btt"))
    assertLost(run("Echo", cookieOf(first)))
    assertRuns(run("Echo", cookieOf(second)))
  end)

  it("answers JSON in JSON", function()
    local response = post(ESTABLISH, JSON, '{"createSession":true,"TID":"BR12-T03"}')
    local id = decode(response).sessionId
    assert.equal(('{"status":"OK","sessionId":"%s","timeout":"1800000"}'):format(id), response.body)
    response = post(ESTABLISH, JSON, '{"createSession":"false","TID":"BR12-T03"}')
    assert.equal(id, decode(response).sessionId)
  end)

  local REPLY = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE replyMsg SYSTEM "/dse/sessionReply.dtd">\n'
    .. '<replyMsg><dse_status>"OK"</dse_status><dse_sessionId>"%s"</dse_sessionId>'
    .. '<dse_timeout>"1800000"</dse_timeout></replyMsg>'

  it("answers XML in XML, with the values in double quotes", function()
    local id = establish("createSession=true&TID=BR12-T03").sessionId
    for _, request in ipairs {
      { "POST", ESTABLISH, "text/xml; charset=UTF-8" }, { "POST", ESTABLISH, "application/xml" },
      { "GET", ESTABLISH .. "?dse_createSession=false&dse_TID=BR12-T03", XML },
      { "POST", XML_ESTABLISH, XML }, { "GET", XML_ESTABLISH .. "?createSession=false&TID=BR12-T03" },
    } do
      local method, path, contentType = table.unpack(request)
      local response = send(method, path, contentType, method == "POST" and '<?xml version="1.0"?>\n'
        .. '<!DOCTYPE requestMsg SYSTEM "/dse/sessionRequest.dtd" [<!ENTITY a "b">]>\n<!-- of a teller -->\n'
        .. '<requestMsg><dse_createSession>"false"</dse_createSession><dse_TID> BR12-T03 \z
          </dse_TID></requestMsg>'
        or nil)
      assert.equal(200, response.status, path)
      assert.equal("text/xml;charset=UTF-8", response.headers["content-type"])
      assert.equal(REPLY:format(id), response.body)
    end
    assert.equal(1, server:sessionCount("btt"))
  end)

  it("answers the other XML root with its own names", function()
    local response = post(ESTABLISH, XML, "<xml_request><createSession>true</createSession></xml_request>")
    local id = response.body:match("<sessionId>([^<]+)</sessionId>")
    assert.equal(("<xml_reply><status>OK</status><sessionId>%s</sessionId>"
      .. "<timeout>1800000</timeout></xml_reply>"):format(id), response.body)
  end)

  it("finds a session by its terminal", function()
    local reply, first = establish("createSession=true&TID=BR12-T03")
    local joined, second = establish("createSession=false&TID=BR12-T03")
    assert.equal(reply.sessionId, joined.sessionId)
    assert.equal(cookieOf(first), cookieOf(second))
    assert.equal(1, server:sessionCount("btt"))
    local again, third = establish("createSession=false&TID=BR12-T03", cookieOf(first))
    assert.equal(reply.sessionId, again.sessionId)
    assert.same({}, third.cookies) -- the client has it
    local newer = establish("createSession=true&TID=BR12-T03")
    assert.equal(newer.sessionId, establish("createSession=false&TID=BR12-T03").sessionId)
  end)

  it("finds a session by its id, when the server's id is right or not given", function()
    local id = establish().sessionId
    for _, name in ipairs { "sessionId", "dse_sessionId" } do
      assert.equal(id, establish("createSession=false&" .. name .. "=" .. id).sessionId)
    end
    assert.equal(id, establish("createSession=false&serverId=n1&sessionId=" .. id).sessionId)
    local _, response = establish("createSession=false&serverId=n2&sessionId=" .. id)
    assertLost(response)
    server:setBtt { serverId = "n2" }
    assert.equal(id, establish("createSession=false&serverId=n2&sessionId=" .. id).sessionId)
  end)

  it("does not establish what it does not know", function()
    for _, body in ipairs { "TID=nobody", "sessionId=nothing", "TID=nobody&sessionId=nothing" } do
      local _, response = establish("createSession=false&" .. body)
      assertLost(response)
      assert.same({}, response.cookies)
    end
    local response = post(XML_ESTABLISH, XML,
      "<requestMsg><dse_createSession>false</dse_createSession><dse_TID>nobody</dse_TID></requestMsg>")
    assert.equal(200, response.status)
    assert.matches('<dse_status>"CSS00"</dse_status>', response.body, 1, true)
    assert.equal(0, server:sessionCount("btt"))
  end)

  it("answers with a server exception when neither terminal nor id is given", function()
    local _, response = establish("createSession=false")
    assert.equal(500, response.status)
    assert.equal('{"status":"DSEException","exception":"DSEException","message":"TID is missing."}',
      response.body)
    _, response = establish("createSession=perhaps")
    assert.equal(500, response.status)
  end)

  it("decides itself when it is not told whether to make one", function()
    local id = establish("TID=BR12-T03").sessionId
    assert.equal(id, establish("TID=BR12-T03").sessionId)
    assert.equal(id, establish("sessionId=" .. id).sessionId)
    assert.not_equal(id, establish("sessionId=gone").sessionId)
    assert.equal(2, server:sessionCount("btt"))
  end)

  it("takes more text in its path", function()
    assert.equal(200, post(ESTABLISH .. "/private/en", FORM, "createSession=true").status)
    assert.equal(404, post(EXECUTE .. "/private", FORM, "createSession=true").status)
  end)

  it("refuses as many requests as it is told to", function()
    server:setBtt { refuseEstablish = 2 }
    for _ = 1, 2 do
      local _, response = establish()
      assertFails("CSS07", "DSEException", response)
      assert.same({}, response.cookies)
    end
    assert.equal("OK", establish().status)
    server:setBtt { refuseEstablish = 2 }
    server:setBtt { refuseEstablish = 0 }
    assert.equal("OK", establish().status)
    assert.equal(2, server:sessionCount("btt"))
  end)

  it("changes its reply as it is told to", function()
    server:setBtt { reply = { status = false, sessionId = false, serverId = "n1", timeout = "0" } }
    local _, response = establish()
    assert.equal('{"timeout":"0","dse_pageId":"1","serverId":"n1"}', response.body)
    server:setBtt { reply = {} }
    assert.equal("OK", establish().status)
  end)

  it("refuses methods, formats and bodies that it cannot read", function()
    for _, request in ipairs {
      { 405, "GET", ESTABLISH, FORM }, { 405, "PUT", ESTABLISH, FORM, "createSession=true" },
      { 405, "GET", EXECUTE, JSON }, { 405, "DELETE", XML_ESTABLISH, XML },
      { 415, "POST", ESTABLISH, "text/plain", "createSession=true" }, { 415, "POST", EXECUTE, nil, "x" },
      { 415, "POST", XML_ESTABLISH, FORM, "createSession=true" },
      { 400, "POST", ESTABLISH, JSON, "{" }, { 400, "POST", ESTABLISH, XML, "<requestMsg><a></requestMsg>" },
      { 400, "POST", ESTABLISH, XML, "<message></message>" }, { 400, "POST", EXECUTE, XML, "OK" },
      { 400, "POST", EXECUTE, JSON, '"OK"' }, { 404, "POST", "", FORM, "" },
      { 404, "POST", "/Servlet", FORM, "" },
    } do
      local response = send(table.unpack(request, 2, 5))
      assert.equal(request[1], response.status, table.concat(request, " ", 2, 3))
    end
    assert.equal(0, server:sessionCount("btt"))
  end)
end)

describe("the bank's request servlet", function()
  local id, cookie

  before_each(function()
    local reply, response = establish("createSession=true&TID=BR12-T03")
    id, cookie = reply.sessionId, cookieOf(response)
  end)

  it("runs an operation that JSON names", function()
    local response = run("RateLookup", cookie, { ccy = "SEK" }, "?sessionId=" .. id)
    assert.equal(('{"status":"OK","result":{"ccy":"SEK","rate":"0.09"},"sessionId":"%s"}'):format(id),
      response.body)
    for _, body in ipairs {
      '{"json_request":{"action":"RateLookup","data":{"ccy":"EUR"}}}',
      '{"action":"RateLookup","data":{"ccy":"EUR"}}',
    } do
      assert.equal("1.07", decode(post(EXECUTE, JSON, body, cookie)).result.rate)
    end
    assertFails("CSS07", "DSEException", run("RateLookup", cookie, { ccy = "QQQ" }))
  end)

  it("puts its JSON inside a key as it is told to", function()
    server:setBtt { wrapper = "xml_reply" }
    assert.equal("OK", decode(run("Echo", cookie)).xml_reply.status)
    assert.equal(id, establish("createSession=false&TID=BR12-T03").xml_reply.sessionId)
    server:setBtt { wrapper = false }
    assertRuns(run("Echo", cookie))
  end)

  it("runs an operation that a form names, and gives JSON back", function()
    local response = post(EXECUTE, FORM, "dse_operationName=Echo&dse_pageId=1&amount=5+EUR&to=%C3%85sa",
      cookie)
    assert.equal(('{"status":"OK","result":{"amount":"5 EUR","to":"Åsa"},"sessionId":"%s","dse_pageId":"2"}')
      :format(id), response.body)
  end)

  it("runs an operation that XML names", function()
    local response = post(EXECUTE, XML, '<requestMsg><dse_operationName>"RateLookup"</dse_operationName>'
      .. "<dse_requestFormatName>in</dse_requestFormatName><dse_operationId>7</dse_operationId>"
      .. "<dse_applicationId>-1</dse_applicationId>"
      .. '<dse_formattedData><ccy>"SEK"</ccy></dse_formattedData></requestMsg>', cookie)
    assert.equal('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE replyMsg SYSTEM "/dse/reply.dtd">\n'
      .. '<replyMsg><dse_status>"OK"</dse_status><dse_repFormatName>"csReplyFormat"</dse_repFormatName>'
      .. "<dse_resultData><ccy>SEK</ccy><rate>0.09</rate></dse_resultData>"
      .. '<dse_operationId>"7"</dse_operationId>'
      .. '<dse_applicationId>"-1"</dse_applicationId></replyMsg>', response.body)
    response = post(EXECUTE, XML,
      "<xml_request><action>RateLookup</action><data><ccy>SEK</ccy></data></xml_request>", cookie)
    assert.equal(("<xml_reply><status>OK</status><result><ccy>SEK</ccy><rate>0.09</rate></result>"
      .. "<sessionId>%s</sessionId></xml_reply>"):format(id), response.body)
  end)

  it("gives back what it got, whatever is in it", function()
    local data = { text = "CSS00 \"<&>\" é", number = 1.5, list = { 1, { deep = true } }, none = cjson.null }
    assert.same(data, decode(run("Echo", cookie, data)).result)
    local body = "<data><a>1 &lt; 2 &amp; &#x41;&#66;&quot;</a><b/><c><d>x</d><d>y</d></c></data>"
    local response = post(EXECUTE, XML, "<xml_request><action>Echo</action>" .. body .. "</xml_request>",
      cookie)
    assert.matches('<result><a>1 &lt; 2 &amp; AB"</a><b></b><c><d>x</d><d>y</d></c></result>', response.body,
      1, true)
    response = post(EXECUTE, XML,
      "<xml_request><action>Echo</action><data><![CDATA[<a>&amp;]]></data></xml_request>", cookie)
    assert.matches("<result>&lt;a&gt;&amp;amp;</result>", response.body, 1, true)
    response = post(EXECUTE, XML, "<requestMsg><dse_operationName>Echo</dse_operationName>"
      .. "<dse_formattedData>a text</dse_formattedData></requestMsg>", cookie)
    assert.matches('<dse_resultData>"a text"</dse_resultData>', response.body, 1, true)
  end)

  it("counts what was really run", function()
    assert.same({}, server:calls())
    assert.equal("1", decode(run("Transfer", cookie)).result.transfers)
    server:fault { kind = "truncate", path = "CSReqServlet$" } -- runs, though the client hears only half
    run("Transfer", cookie)
    server:fault { kind = "close", path = "CSReqServlet$" } -- does not
    run("Transfer", cookie)
    server:expireSessions("btt")
    assertLost(run("Transfer", cookie))
    assert.equal(2, server:calls()["btt.Transfer"])
    server:clearRequests()
    assert.same({ ["btt.Transfer"] = 2 }, server:calls())
  end)

  it("fails without the session being lost", function()
    local response = run("Fail", cookie)
    assertFails("CSS07", "DSEException", response)
    assertFails("CSS07", "DSEException", run("Nonsense", cookie))
    assertRuns(run("Echo", cookie))
    assert.same({ ["btt.Fail"] = 1, ["btt.Echo"] = 1 }, server:calls())
  end)

  it("ends the session at a log-off", function()
    assert.equal('{"status":"OK","result":{}}', run("LogOff", cookie).body)
    assert.equal(0, server:sessionCount("btt"))
    assertLost(run("Echo", cookie))
    assertLost(run("LogOff", cookie))
    local _, response = establish("createSession=false&TID=BR12-T03")
    assertLost(response)
  end)

  it("replaces the session on demand, which the terminal then has", function()
    local response = run("Replace", cookie)
    local newer = decode(response).sessionId
    assert.not_equal(id, newer)
    assert.same({ ("JSESSIONID=0000%s:n1; Path=/bank"):format(newer) }, response.cookies)
    assert.equal(1, server:sessionCount("btt"))
    assertLost(run("Echo", cookie))
    assertRuns(run("Echo", cookieOf(response)))
    assert.equal(newer, establish("createSession=false&TID=BR12-T03").sessionId)
    response = post(EXECUTE, XML, "<requestMsg><dse_operationName>Replace</dse_operationName><dse_sessionId>"
      .. newer .. "</dse_sessionId></requestMsg>")
    assert.matches("<dse_sessionId>\"[%w_-]+\"</dse_sessionId>", response.body)
    assert.not_matches(newer, response.body, 1, true)
  end)

  it("says when its server application is not started", function()
    server:setAppServer(false, "btt")
    assertFails("DSECSServerNotStartedException", "DSECSServerNotStartedException", run("Echo", cookie))
    local _, response = establish()
    assertFails("DSECSServerNotStartedException", "DSECSServerNotStartedException", response)
    server:setAppServer(true)
    assertRuns(run("Echo", cookie))
  end)
end)

describe("a bank session's carrier", function()
  it("is the cookie or the parameter, wherever that is", function()
    local reply, response = establish()
    local id = reply.sessionId
    assertRuns(run("Echo", "proxyuser=teller7; " .. cookieOf(response)))
    assertRuns(run("Echo", nil, nil, "?sessionId=" .. id))
    assertRuns(run("Echo", "JSESSIONID=0000gone:n1", nil, "?dse_sessionId=" .. id))
    assertRuns(post(EXECUTE, FORM, "action=Echo&sessionId=" .. id))
    assertRuns(post(EXECUTE, FORM, "action=Echo&dse_sessionId=" .. id))
    assertRuns(post(EXECUTE, JSON, ('{"action":"Echo","sessionId":"%s"}'):format(id)))
    response = post(EXECUTE, XML,
      ("<xml_request><action>Echo</action><sessionId>%s</sessionId></xml_request>"):format(id))
    assert.matches("<status>OK</status>", response.body, 1, true)
    assertLost(run("Echo", "JSESSIONID=" .. id)) -- without what the engine puts around it
    assertLost(run("Echo", nil, nil, "?sessionid=" .. id))
  end)

  it("is the cookie alone, on demand", function()
    server:setBtt { carrier = "cookie" }
    local reply, response = establish()
    assertRuns(run("Echo", cookieOf(response)))
    assertLost(run("Echo", nil, nil, "?sessionId=" .. reply.sessionId))
  end)

  it("is the parameter alone, on demand: no cookies, and ids that the toolkit makes", function()
    server:setBtt { carrier = "parameter" }
    local reply, response = establish()
    assert.same({}, response.cookies)
    assert.matches("^%u+$", reply.sessionId)
    assert.equal(40, #reply.sessionId)
    assertRuns(run("Echo", nil, nil, "?sessionId=" .. reply.sessionId))
    assertLost(run("Echo", ("JSESSIONID=0000%s:n1"):format(reply.sessionId)))
  end)

  it("is not needed, on demand", function()
    server:setBtt { runInSession = false }
    assert.equal('{"status":"OK","result":{"ccy":"SEK","rate":"0.09"}}',
      run("RateLookup", nil, { ccy = "SEK" }).body)
    assertFails("CSS07", "DSEException", run("Replace"))
    assertRuns(run("LogOff"))
    server:setBtt { runInSession = true }
    assertLost(run("RateLookup", nil, { ccy = "SEK" }))
  end)
end)

describe("a bank's pages", function()
  local id, cookie

  before_each(function()
    local reply, response = establish()
    id, cookie = reply.sessionId, cookieOf(response)
  end)

  local function runForm(page, name)
    return post(EXECUTE, FORM, ("dse_operationName=%s&dse_sessionId=%s"):format(name or "Echo", id)
      .. (page and "&dse_pageId=" .. page or ""), cookie)
  end

  it("have a new number each time, and an old one is refused", function()
    assert.equal("2", decode(runForm(1)).dse_pageId)
    for _, page in ipairs { "1", "3", "x" } do
      assertFails("CSS07", "DSEException", runForm(page, "Transfer")) end
    assert.equal("3", decode(runForm(2, "Fail")).dse_pageId)
    assert.equal("4", decode(runForm(3)).dse_pageId)
    assert.equal("5", decode(runForm(nil)).dse_pageId)
    assert.is_nil(server:calls()["btt.Transfer"])
    assertRuns(run("Echo", cookie)) -- JSON has no pages
    assert.equal("6", decode(runForm(5)).dse_pageId)
    assert.equal("1", establish().dse_pageId)
  end)

  it("need their number on demand", function()
    server:setBtt { pageId = "required" }
    assertFails("CSS07", "DSEException", runForm(nil))
    assertRuns(runForm(1))
  end)

  it("are HTML on demand, with hidden inputs", function()
    server:setBtt { answer = "html" }
    local home = post(ESTABLISH, FORM, "createSession=true")
    id, cookie = hidden(home, "dse_sessionId"), cookieOf(home)
    assert.equal(("JSESSIONID=0000%s:n1"):format(id), cookie)
    assert.equal("1", hidden(home, "dse_pageId"))
    assert.equal("-1", hidden(home, "dse_applicationId"))
    for _, name in ipairs { "operationName", "parentContextName", "processorId", "processorState",
      "nextEventName" } do
      assert.equal("", hidden(home, "dse_" .. name))
    end
    local reply = post(EXECUTE, FORM, "dse_operationName=Echo&dse_pageId=1&b=%3Cb%3E&a=1", cookie)
    assert.matches("<dl><dt>a</dt><dd>1</dd><dt>b</dt><dd>&lt;b&gt;</dd></dl>", reply.body, 1, true)
    assert.equal(id, hidden(reply, "dse_sessionId"))
    assert.equal("2", hidden(reply, "dse_pageId"))
  end)

  it("say what failed, and go on as long as there is a session", function()
    server:setBtt { answer = "html" }
    local failed = runForm(1, "Fail")
    assert.matches("<h1>DSEException CSS07</h1>", failed.body, 1, true)
    assert.equal("2", hidden(failed, "dse_pageId"))
    local goodbye = runForm(2, "LogOff")
    assert.is_nil(hidden(goodbye, "dse_sessionId"))
    local lost = runForm(3)
    assert.equal(200, lost.status)
    assert.matches("<h1>DSECSSessionNotEstablishedException CSS00</h1>", lost.body, 1, true)
    assert.is_nil(hidden(lost, "dse_sessionId"))
  end)
end)

describe("a lost bank session", function()
  local cookie

  before_each(function()
    local _, response = establish("createSession=true&TID=BR12-T03")
    cookie = cookieOf(response)
  end)

  it("is told by a code and its exception, in the request's format", function()
    server:expireSessions("btt")
    assert.equal(0, server:sessionCount("btt"))
    assertLost(run("Echo", cookie))
    local response = post(EXECUTE, XML,
      "<requestMsg><dse_operationName>Echo</dse_operationName></requestMsg>", cookie)
    assert.equal(200, response.status)
    assert.matches('<dse_status>"CSS00"</dse_status>'
      .. '<dse_exception>"DSECSSessionNotEstablishedException"</dse_exception>', response.body, 1, true)
    server:setBtt { lossAs = "CSS11" }
    assertLost(run("Echo", cookie), "CSS11")
    assertLost(post(EXECUTE, FORM, "action=Echo", cookie), "CSS11")
  end)

  it("is told by an HTTP status on demand", function()
    server:expireSessions()
    for _, status in ipairs { 401, 403, 440 } do
      server:setBtt { lossAs = status }
      local response = run("Echo", cookie)
      assert.equal(status, response.status)
      assert.matches("^text/html", response.headers["content-type"])
      assert.not_matches("CSS", response.body)
      assert.equal(status == 401 and 'FORM realm="bank"' or nil, response.headers["www-authenticate"])
      local _, answer = establish("createSession=false&TID=BR12-T03")
      assertLost(answer) -- of an establish request it is told as ever
    end
  end)

  it("is told by a redirect off the server on demand, with the cookies of that answer", function()
    server:expireSessions("btt")
    server:setBtt { lossAs = "redirect", cookies = { "hop=1; Path=/", "JSESSIONID=; Max-Age=0" } }
    local response = run("Echo", cookie)
    assert.equal(302, response.status)
    assert.equal("http://signin.invalid/", response.headers.location)
    assert.same({ "hop=1; Path=/", "JSESSIONID=; Max-Age=0" }, response.cookies)
    server:setBtt { location = "http://127.0.0.1:9/in" }
    assert.equal("http://127.0.0.1:9/in", run("Echo", cookie).headers.location)
  end)

  it("may have been idle for too long", function()
    server:advanceClock(1799)
    assertRuns(run("Echo", cookie))
    server:advanceClock(1799)
    assert.equal(1, server:sessionCount("btt"))
    server:advanceClock(2)
    assert.equal(0, server:sessionCount("btt"))
    assertLost(run("Echo", cookie))
    local _, response = establish("createSession=false&TID=BR12-T03")
    assertLost(response)
  end)

  it("was idle for the time that is set and told, or for ever", function()
    server:setBtt { timeout = 60000 }
    assert.equal("60000", establish("createSession=false&TID=BR12-T03").timeout)
    server:advanceClock(61)
    assertLost(run("Echo", cookie))
    server:setBtt { timeout = 0 }
    local reply, response = establish()
    assert.equal("0", reply.timeout)
    server:advanceClock(1e8)
    assertRuns(run("Echo", cookieOf(response)))
  end)
end)

describe("the bank among the sandbox's controls", function()
  it("is at its place and has no catalog", function()
    assert.equal(server.origin .. "/bank", server.uris.btt)
    assert.is_nil(server.catalogURIs.btt)
  end)

  it("sets further cookies, and logs what comes back", function()
    server:setBtt { cookies = { "proxyuser=teller7", "branch=12; Path=/" } }
    local _, response = establish("createSession=true", "old=1; older=2")
    assert.equal(3, #response.cookies)
    assert.equal("proxyuser=teller7", response.cookies[2])
    assert.equal("branch=12; Path=/", response.cookies[3])
    local request = server:requests()[1]
    assert.equal("old=1; older=2", request.headers.cookie)
    assert.equal("btt", request.model)
    assert.equal("/bank/CSEstablishSessionServlet", request.path)
    server:setBtt { cookies = {} }
    _, response = establish()
    assert.equal(1, #response.cookies)
  end)

  it("can be redirected within the server, with a cookie on the way", function()
    server:fault { kind = "redirect", model = "btt", status = 307,
      location = "/bank/CSEstablishSessionServlet/2",
      headers = { ["Set-Cookie"] = "hop=1" } }
    local response = post(ESTABLISH, FORM, "createSession=true")
    assert.equal(307, response.status)
    assert.same({ "hop=1" }, response.cookies)
    assert.equal(200, post(response.headers.location:match("^/bank(.*)$"), FORM, "createSession=true",
      "hop=1").status)
  end)

  it("is undeployed and has faults as others do", function()
    server:setApplication("btt", false)
    assert.equal(404, post(ESTABLISH, FORM, "createSession=true").status)
    server:setApplication("btt", true)
    server:fault { kind = "status", status = 503, model = "btt" }
    assert.equal(200, client.get(server, server.uris.anonymous .. "/static/home.html").status)
    assert.equal(503, post(ESTABLISH, FORM, "createSession=true").status)
    assert.equal("OK", establish().status)
  end)

  it("raises for settings that cannot be, and changes nothing then", function()
    for name, value in pairs {
      refuseEstablish = -1, lossAs = 404, location = "", timeout = "1", answer = "xml", carrier = "header",
      pageId = true, runInSession = 1, serverId = "", wrapper = true, cookies = { "a=1\r\nb: c" },
      reply = { 1 },
    } do
      local ok, message = pcall(function() server:setBtt { answer = "html", [name] = value } end)
      assert.is_false(ok)
      assert.matches("^spec/.*bad option '" .. name .. "' for 'setBtt'", message)
    end
    assert.error_matches(function() server:setBtt { loss = "CSS00" } end,
      "unknown option 'loss' for 'setBtt'")
    assert.error_matches(function() server:setBtt() end, "table expected")
    assert.equal("OK", establish().status) -- JSON still
  end)
end)
