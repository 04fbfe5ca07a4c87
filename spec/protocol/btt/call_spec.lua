-- Operations of a session of protocol btt, in each format, and requests of any sort.
local datasession = require "datasession"
local btt = dofile "spec/protocol/btt/support.lua"

local LIMIT, REQUEST = btt.LIMIT, btt.REQUEST
local rejected, answer = btt.rejected, btt.answer
local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

-- The value of a form, or a query.
local function field(form, name)
  return ("&" .. form):match("&" .. name .. "=([^&]*)")
end

describe("an operation of a session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  for _, format in ipairs { "form", "json", "xml" } do
    it("gives its result, its reply and its number, by " .. format, function()
      local session = btt.established { format = format }
      local value, result, info = session:invoke("RateLookup", { ccy = "SEK" }):await(LIMIT)
      assert.same({ ccy = "SEK", rate = "0.09" }, value)
      assert.equal(datasession.SUCCESS, result)
      assert.equal("OK", info.reply.status or info.reply.dse_status)
      assert.equal(1, info.requestId)
      assert.equal(200, info.xhr.status)
      assert.equal(2, select(3, session:invoke("Echo"):await(LIMIT)).requestId)
    end)

    it("carries texts as they are, by " .. format, function()
      local session = btt.established { format = format }
      local text = "a&b=<c>;\"d\" 'å' %41 +\tz"
      assert.same({ text = text, n = "1" },
        assert(session:invoke("Echo", { text = text, n = "1" }):await(LIMIT)))
    end)

    it("fails by the server's word, the session standing, by " .. format, function()
      local session = btt.established { format = format }
      local log = btt.listen(session, "statusChanged", "lost")
      local err = rejected(session:invoke("Fail"))
      assert.equal("server", err.kind)
      assert.matches("^invoke: HTTP 200 .*: the operation failed %(CSS07%)", err.message)
      assert.equal(1, err.requestId)
      assert.equal(200, err.httpStatus)
      assert.equal("CSS07", err.info.reply.status or err.info.reply.dse_status)
      assert.equal(200, err.response.status)
      btt.settle()
      assert.same({}, log)
      assert.equal("established", session.status)
    end)
  end

  it("has a declaration, a document type and quoted values in XML if told so", function()
    local session = btt.established {
      format = "xml", xmlDeclaration = true, xmlDoctype = true, xmlQuotes = true,
    }
    local fields = { dse_operationId = 17 }
    local rate = assert(session:invoke("RateLookup", { ccy = "SEK" }, { fields = fields }):await(LIMIT))
    assert.equal("0.09", rate.rate)
    assert.equal('<?xml version="1.0" encoding="UTF-8"?>\n' ..
      '<!DOCTYPE requestMsg SYSTEM "/dse/request.dtd">\n' ..
      '<requestMsg><dse_operationName>"RateLookup"</dse_operationName>' ..
      '<dse_operationId>"17"</dse_operationId>' ..
      "<dse_formattedData><ccy>SEK</ccy></dse_formattedData></requestMsg>", btt.asked()[1].body)
    assert(session:invoke("Echo", "a&b"):await(LIMIT))
    assert.matches('<dse_formattedData>"a&amp;b"</dse_formattedData>', btt.asked()[1].body, 1, true)
  end)

  describe("that fails has the kind and the hint of", function()
    local cases = {
      { "CSS04", "server", "could not be chained" },
      { "CSS07", "server", "the server's log" },
      { "CSS08", "server", "check the format of its reply" },
      { "CSS09", "server", "could not send its reply" },
      { "CSS15", "server", nil },
      { "DSEException", "server", "the server's log" },
      { "DSEReplyErrorException", "server", "may have run" },
      { "DSECSTimeoutException", "timeout", "may have run" },
      { "DSECSServerNotStartedException", "server", "start the server's application" },
      { "DSENoRegisteredDeviceTypeException", "server", "set the option userAgent" },
      { "DSECSInvalidRequestException", "server", "establish a session first" },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local session = btt.established()
        answer(REQUEST, ('{"status":"%s"}'):format(case[1]))
        local err = rejected(session:invoke("Echo"))
        assert.equal(case[2], err.kind)
        assert.matches("the operation failed %(" .. case[1] .. "%)", err.message)
        if case[3] then assert.matches(case[3], err.hint, 1, true) else assert.is_nil(err.hint) end
        assert.equal("established", session.status)
      end)
    end

    it("a code of any length, whose first 64 characters are shown", function()
      local session = btt.established()
      for status, code in pairs { ["A/Z:0@9[a`z{_-. x!"] = "AZ09az_-. x", [("E"):rep(64)] = ("E"):rep(64),
        [("E"):rep(65)] = ("E"):rep(64) } do
        answer(REQUEST, ('{"status":"%s"}'):format(status))
        assert.equal(code, rejected(session:invoke("Echo")).message:match "the operation failed %((.*)%)$")
      end
    end)

    it("an exception within a text", function()
      answer(btt.ESTABLISH, "com.ibm.dse.cs.DSENoRegisteredDeviceTypeException: no device",
        { status = 500, contentType = "text/plain" })
      local err = rejected(btt.new { reconnect = false }:login())
      assert.equal("server", err.kind)
      assert.matches("set the option userAgent", err.hint, 1, true)
    end)
  end)

  it("reads pages: their hidden inputs are the reply", function()
    btt.server:setBtt { answer = "html", pageId = "required" }
    local session = btt.established { format = "form" }
    for page = 1, 3 do
      local reply = assert(session:invoke("Echo", { x = "<1>" }):await(LIMIT))
      assert.equal(session.sessionId, reply.dse_sessionId)
      assert.equal(tostring(page + 1), reply.dse_pageId)
      local body = btt.asked()[1].body
      assert.equal(tostring(page), field(body, "dse_pageId"))
      assert.equal("-1", field(body, "dse_applicationId"))
      assert.equal("home.jsp", field(body, "dse_replyPage"))
      assert.equal("", field(body, "dse_processorState"))
    end
    local err = rejected(session:invoke("Fail"))
    assert.equal("server", err.kind)
    assert(session:invoke("Echo"):await(LIMIT)) -- the page of the failure counts too
  end)

  it("keeps the page with the highest number, whichever reply comes last", function()
    local session = btt.established { format = "form" }
    local function told(page)
      answer(REQUEST, ('<form><input type="hidden" name="dse_pageId" value="%s"></form>'):format(page),
        { contentType = "text/html" })
      assert(session:invoke("Echo"):await(LIMIT))
      return field(btt.asked()[1].body, "dse_pageId")
    end
    told "9"
    for _, row in ipairs { { "10", "9" }, { "9", "10" }, { "100", "10" }, { "99", "100" }, { "101", "100" },
      { "100", "101" }, { "a", "101" }, { "7", "a" }, { "", "7" } } do
      assert.equal(row[2], told(row[1]))
    end
  end)

  it("carries the session as the option sessionCarrier says", function()
    for carrier, has in pairs { both = { true, true }, cookie = { true, false },
      parameter = { false, true } } do
      btt.server:setBtt { carrier = carrier }
      local session = btt.established { sessionCarrier = carrier, format = "json" }
      assert(session:invoke("Echo"):await(LIMIT))
      local request = btt.asked()[1]
      assert.equal(has[1], request.headers.cookie ~= nil, carrier)
      assert.equal(has[2] and session.sessionId or nil, request.query.sessionId, carrier)
      session = btt.established { sessionCarrier = carrier }
      assert(session:invoke("Echo"):await(LIMIT))
      local body = btt.asked()[1].body
      assert.equal(has[2] and session.sessionId or nil, field(body, "sessionId"), carrier)
      assert.equal(session.sessionId, field(body, "dse_sessionId"), carrier) -- a page's form always has it
    end
  end)

  it("calls the session's parameter as told", function()
    local session = btt.established { sessionParameter = "dse_sessionId", format = "json" }
    assert(session:invoke("Echo"):await(LIMIT))
    assert.equal(session.sessionId, btt.asked()[1].query.dse_sessionId)
  end)

  it("takes lists, numbers, booleans and further fields", function()
    local session = btt.established { format = "xml" }
    local data = { list = { "1", "2" }, inner = { a = "x" }, n = 5, yes = true }
    local value = assert(session:invoke("Echo", data, { fields = { dse_operationId = "17" } }):await(LIMIT))
    assert.same({ list = { "1", "2" }, inner = { a = "x" }, n = "5", yes = "true" }, value)
    assert.matches("<dse_operationId>17</dse_operationId>", btt.asked()[1].body, 1, true)
    session = btt.established { format = "json" }
    value = assert(session:invoke("Echo", { n = 5, list = { 1, 2 } }, { fields = { data_formatter = "f" } })
      :await(LIMIT))
    assert.same({ n = 5, list = { 1, 2 } }, value)
    assert.matches('"data_formatter":"f"', btt.asked()[1].body, 1, true)
    session = btt.established { format = "form" }
    assert(session:invoke("Echo", { n = 5 },
      { fields = { dse_nextEventName = "go" }, headers = { ["X-A"] = "b" } })
      :await(LIMIT))
    local request = btt.asked()[1]
    assert.equal("go", field(request.body, "dse_nextEventName"))
    assert.equal("b", request.headers["x-a"])
  end)

  it("raises for NaN and infinity in every format, and names their key", function()
    for format, expected in pairs {
      form = "invoke: data: NaN and infinity cannot be sent (at key amount)",
      xml = "invoke: data: NaN and infinity cannot be sent (at key amount)",
      json = "invoke: data: NaN and infinity have no JSON (at key amount)",
    } do
      local session = btt.established { format = format }
      for _, value in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
        assert.error_matches(function() session:invoke("Echo", { amount = value }) end, expected, 1, true)
        assert.error_matches(function() session:invoke("Echo", {}, { headers = { ["X-A"] = value } }) end,
          "'X-A': NaN and infinity cannot be sent", 1, true)
      end
      assert.same({}, btt.asked())
    end
    local session = btt.established { format = "json" }
    assert.error_matches(function() session:invoke("Echo", { name = "Zo\xeb" }) end,
      "invoke: data: a string that is not UTF-8 has no JSON (at key name)", 1, true)
    session = btt.established { format = "xml" }
    for _, broken in ipairs { "Zo\xeb", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
      "\xf8\x88\x80\x80\x80", "\x80",
      "a\xe2\x82", "\xe2\x28\xa1" } do
      assert.error_matches(function() session:invoke("Echo", { name = { broken } }) end,
        "invoke: data: XML cannot hold a string that is not UTF-8 (at key name)", 1, true)
    end
    assert(session:invoke("Echo", { name = "Zo\u{eb} \u{20ac} \u{1f600} \u{10ffff}" }):await(LIMIT))
  end)

  it("raises for what it cannot send", function()
    local session, loop = btt.established { format = "xml" }, {}
    loop.loop = loop
    local function raises(message, ...)
      local given = table.pack(...)
      assert.error_matches(function() session:invoke(table.unpack(given, 1, given.n)) end, message)
    end
    raises "string expected"
    raises("the name of an operation", "")
    raises("nested deeper than 16 levels", "Echo", loop)
    raises("not a valid XML name", "Echo", { ["a b"] = 1 })
    raises("control characters", "Echo", { a = "\1" })
    raises("got function", "Echo", { a = print })
    raises("names that are strings", "Echo", { [{}] = 1 })
    raises("did you mean 'timeout'", "Echo", {}, { timeouts = 1 })
    raises("no header line", "Echo", {}, { headers = { ["a b"] = "c" } })
    raises("no header line", "Echo", {}, { headers = { a = "c\r\nd: e" } })
    raises("option 'headers': expected a table, got number", "Echo", {}, { headers = 1 })
    raises("option 'headers': expected names and values that are strings", "Echo", {}, { headers = { "c" } })
    raises("option 'fields'", "Echo", {}, { fields = 1 })
    session = btt.established()
    raises("expected a table of texts by name", "Echo", "text")
    raises("got table", "Echo", { a = {} })
    assert.same({}, btt.asked())
  end)

  it("is refused, with nothing sent, where no session is established", function()
    local session = btt.new()
    local err = rejected(session:invoke("Echo"))
    assert.equal("auth", err.kind)
    assert.matches("not established (CSS11): call establishSession first", err.message, 1, true)
    assert.same({}, btt.asked())
    btt.server:setBtt { runInSession = false }
    session = btt.new { runInSession = false }
    assert.same({ ccy = "DKK", rate = "0.14" },
      assert(session:invoke("RateLookup", { ccy = "DKK" }):await(LIMIT)))
    assert.equal("initial", session.status)
  end)

  it("prolongs the session with every good answer", function()
    btt.server:setBtt { timeout = 60000 }
    local session = btt.established()
    local first, log = session.expiresAt, btt.listen(session, "renewed")
    assert(session:invoke("Echo"):await(LIMIT))
    rejected(session:invoke("Fail")) -- the session stands
    assert(session:request { path = REQUEST, body = "dse_operationName=Echo", headers = FORM }:await(LIMIT))
    btt.settle()
    assert.same({ "renewed", "renewed", "renewed" }, log)
    assert.is_true(session.expiresAt > first)
  end)

  it("that has no answer in time is not lost, and has its number", function()
    local session = btt.established()
    local log = btt.listen(session)
    btt.server:fault { kind = "slow", delay = 0.5 }
    local err = rejected(session:invoke("Transfer", nil, { timeout = 0.05 }))
    assert.equal("timeout", err.kind)
    assert.equal(1, err.requestId)
    assert.equal(1, err.info.requestId)
    assert.equal("established", session.status)
    btt.settle()
    assert.same({}, log)
  end)

  it("whose reply is late is told of, if that was asked for", function()
    local late
    local session = btt.established { onLateReply = function(...) late = table.pack(...) end,
      lateReplies = 10 }
    assert(session:invoke("Echo"):await(LIMIT)) -- one in time is not
    btt.server:fault { kind = "slow", delay = 0.3 }
    local err = rejected(session:invoke("RateLookup", { ccy = "EUR" }, { timeout = 0.05 }))
    assert.equal("timeout", err.kind)
    assert.equal(2, err.requestId)
    assert.is_nil(late)
    btt.settle()
    assert.equal(4, late.n)
    assert.equal(session, late[1])
    assert.equal(2, late[2])
    assert.same({ ccy = "EUR", rate = "1.07" }, late[3])
    assert.equal("OK", late[4].reply.status)
    assert.equal(1, btt.server:calls()["btt.RateLookup"])
  end)

  it("has a handler of late replies that may call and wait like any other", function()
    local done
    local session
    session = btt.established { onLateReply = function(_, _, value)
      done = value.rate .. " " .. assert(session:invoke("RateLookup", { ccy = "USD" }):await(LIMIT)).rate
    end }
    btt.server:fault { kind = "slow", delay = 0.2 }
    rejected(session:invoke("RateLookup", { ccy = "EUR" }, { timeout = 0.05 }))
    btt.settle()
    assert.equal("1.07 1", done)
  end)

  it("that times out for good tells no handler", function()
    local told = false
    local session = btt.established { onLateReply = function() told = true end, lateReplies = 0.05 }
    btt.server:fault { kind = "slow", delay = 0.5 }
    rejected(session:invoke("Echo", nil, { timeout = 0.05 }))
    btt.settle()
    assert.is_false(told)
  end)

  it("can be cancelled while a late reply would be waited for", function()
    local session = btt.established { onLateReply = error }
    btt.server:fault { kind = "slow", delay = 0.3 }
    local promise = session:invoke("Echo", nil, { timeout = 5 })
    datasession.step(0.01)
    promise:cancel()
    assert.equal("cancelled", rejected(promise).kind)
  end)

  it("does not take what cannot be read for a reply", function()
    local session = btt.established()
    for _, body in ipairs { "", "hello", "{", "[1", '"text"' } do
      answer(REQUEST, body)
      assert.equal("protocol", rejected(session:invoke("Echo")).kind, body)
    end
    answer(REQUEST, "", { status = 404 })
    assert.equal("http", rejected(session:invoke("Echo")).kind)
    answer(REQUEST, "", { status = 503 })
    assert.is_true(rejected(session:invoke("Echo")).retryable)
    answer(REQUEST, "", { status = 302 })
    assert.equal("protocol", rejected(session:invoke("Echo")).kind)
    assert.equal("established", session.status)
  end)

  it("gives the whole reply where there is no result", function()
    local session = btt.established()
    answer(REQUEST, '{"status":"OK","more":1}')
    assert.same({ status = "OK", more = 1 }, assert(session:invoke("Echo"):await(LIMIT)))
    answer(REQUEST, "<xml_reply><status>OK</status><result/></xml_reply>")
    assert.equal("", assert(session:invoke("Echo"):await(LIMIT)))
  end)

  it("can be written and read by functions of the user's", function()
    local told = {}
    local session = btt.new { format = {
      encode = function(message)
        told[#told + 1] = message.kind .. " " .. tostring(message.createSession or message.operation)
        if message.kind == "establish" then return '{"createSession":"true"}', "application/json" end
        return ('{"xml_request":{"action":"%s","data":"%s"}}'):format(message.operation, message.data),
          "application/json"
      end,
      decode = function(body, response)
        assert.equal(200, response.status)
        return { status = body:match '"status":"(%w+)"', sessionId = body:match '"sessionId":"([^"]+)"',
          result = body:match '"result":"(%w+)"' }
      end,
    } }
    assert(session:login():await(LIMIT))
    assert.equal("hello", assert(session:invoke("Echo", "hello"):await(LIMIT)))
    assert.same({ "establish true", "request Echo" }, told)
  end)

  it("fails, and tells onError, when such a function does", function()
    local errors, fail = {}, true
    datasession.onError(function(err) errors[#errors + 1] = tostring(err):match "oh no" end)
    local session = btt.new { reconnect = false, format = {
      encode = function() if fail then error "oh no" end return "createSession=true" end,
      decode = function(body) if body:find "rate" then error "oh no" end return { status = "OK" } end,
    } }
    assert.equal("error", rejected(session:login()).kind)
    assert.equal("not established", session.status)
    fail = false
    assert(session:login():await(LIMIT))
    fail = true
    assert.error_matches(function() session:invoke("Echo") end, "oh no")
    assert.same({ "oh no" }, errors)
  end)

  it("takes a text from such a function, and what it is, or says what it got instead", function()
    local returned
    local session = btt.established { format = { encode = function(message)
      if message.kind == "establish" then return "createSession=true" end
      return table.unpack(returned, 1, 2)
    end } }
    returned = { "dse_operationName=Echo&x=1" }
    assert.same({ x = "1" }, assert(session:invoke("Echo"):await(LIMIT)))
    assert.matches("^application/x%-www%-form%-urlencoded", btt.asked()[1].headers["content-type"])
    for message, got in pairs {
      ["expected it to return a string, got nil"] = {},
      ["expected it to return a string, got table"] = { {} },
      ["a content type that is a string without line breaks"] = { "x", "a\r\nb: c" },
      ["expected a content type"] = { "x", true },
    } do
      returned = got
      assert.error_matches(function() session:invoke("Echo") end, message, 1, true)
    end
    assert.same({}, btt.asked())
  end)

  it("has no reply, which is told to onError, when the function that reads it raises", function()
    local errors = {}
    local session = btt.established { format = { decode = function(body)
      if body:find "rate" then error "oh no" end
      return { status = "OK", sessionId = body:match '"sessionId":"([^"]+)"' }
    end } }
    datasession.onError(function(err) errors[#errors + 1] = tostring(err):match "oh no" end)
    local err = rejected(session:invoke("RateLookup", { ccy = "SEK" }))
    assert.equal("protocol", err.kind)
    assert.matches("the reply cannot be read", err.message, 1, true)
    assert.same({ "oh no" }, errors)
    assert.equal("established", session.status)
  end)

  it("reads characters by their number, repeated elements and blanks where XML allows them", function()
    local session = btt.established { format = "xml" }
    local function read(text)
      answer(REQUEST, text, { contentType = "text/xml" })
      return assert(session:invoke("Echo"):await(LIMIT))
    end
    assert.equal("A\u{e4}\u{20ac}\u{1f600}",
      read "<r><status>OK</status><result>&#65;&#228;&#x20AC;&#x1F600;</result></r>")
    assert.equal("&#xZ;&#;&#x;", read "<r><status>OK</status><result>&#xZ;&#;&#x;</result></r>")
    assert.same({ x = "1", y = "2" },
      read "<r>\n <status>OK</status>\n <result>\n  <x>1</x>\n  <y>2</y>\n </result>\n</r>\n")
    assert.same({ x = { "1", "2", "3" } },
      read "<r><status >OK</status ><result><x>1</x><x>2</x><x>3</x></result ></r>")
  end)

  it("takes no page without hidden inputs for a reply", function()
    local session = btt.established { format = "form" }
    for _, page in ipairs { "<html><body>Sign in, please.</body></html>", "<html/>",
      '<html><input type="text" name="a" value="1"></html>' } do
      answer(REQUEST, page, { contentType = "text/html" })
      assert.equal("protocol", rejected(session:invoke("Echo")).kind)
      assert.equal("established", session.serviceStatus)
    end
  end)

  it("takes the first hidden input of a name", function()
    local session = btt.established { format = "form" }
    answer(REQUEST, '<html><input type = "hidden" name = "a" value = "1"><input type=hidden name=a \z
      value=2></html>',
      { contentType = "text/html" })
    assert.same({ a = "1" }, assert(session:invoke("Echo"):await(LIMIT)))
  end)

  it("reads a text in thousands of pieces", function()
    local session = btt.established { format = "xml" }
    answer(REQUEST, "<r><status>OK</status><result>" .. ("a<![CDATA[b]]>"):rep(5000) .. "</result></r>",
      { contentType = "text/xml" })
    assert.is_true(("ab"):rep(5000) == assert(session:invoke("Echo"):await(LIMIT)))
  end)

  it("finds the toolkit's exception in a page that says DSE elsewhere too", function()
    local session = btt.established()
    answer(REQUEST, "<html><h1>The DSE channel, DSEd</h1>DSEInvalidRequestException: 1</html>")
    local err = rejected(session:invoke("Echo"))
    assert.equal("server", err.kind)
    assert.matches("(DSEInvalidRequestException)", err.message, 1, true)
  end)

  it("is told that it needs a session", function()
    local session = btt.new { runInSession = false }
    answer(REQUEST, '{"status":"CSS11"}')
    local err = rejected(session:invoke("Echo"))
    assert.equal("auth", err.kind)
    assert.matches("call establishSession first", err.hint, 1, true)
    assert.equal("initial", session.status)
  end)

  it("reads any bytes at all", function()
    local seed = os.time()
    math.randomseed(seed)
    local session = btt.established { reconnect = false }
    local texts = {
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><r a="b>"><status>OK</status>'
        .. '<b/><!-- x --><c><![CDATA[d]]>&#x41;</c></r>',
      '<html><!-- <input> --><script>"<input"</script>'
        .. '<input type="hidden" name=a value=\'b\'><input type=hidden name="c"></html>',
      '{"status":"OK","result":{"a":[1,2,"x"]},"serverId":""}',
    }
    for _ = 1, 200 do
      local text = texts[math.random(#texts)]
      for _ = 1, math.random(0, 6) do
        local at = math.random(#text)
        local new = math.random(4) == 1 and "" or string.char(math.random(0, 255))
        text = text:sub(1, at - 1) .. new .. text:sub(at + math.random(0, 3))
      end
      answer(REQUEST, text)
      session:invoke("Echo"):await(LIMIT)
      assert.equal("established", session.status, seed .. ": " .. text)
    end
  end)
end)

describe("a request of a session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  it("carries dse_sessionId, dse_pageId and the rest in a form, what it names itself excepted", function()
    btt.server:setBtt { pageId = "required", carrier = "parameter" }
    local session = btt.established()
    local response = assert(session:request { path = REQUEST, headers = FORM,
      body = "dse_operationName=Echo&x=1&dse_applicationId=7" }:await(LIMIT))
    assert.same({ x = "1" }, response:json().result)
    local body = btt.asked()[1].body
    assert.equal(session.sessionId, field(body, "sessionId"))
    assert.equal(session.sessionId, field(body, "dse_sessionId"))
    assert.equal("1", field(body, "dse_pageId"))
    assert.equal("", field(body, "dse_parentContextName"))
    assert.equal("7", field(body, "dse_applicationId"))
    assert.is_nil(body:match "dse_applicationId=.*dse_applicationId=")
    assert(session:request { path = REQUEST, body = "dse_operationName=Echo" }:await(LIMIT)) -- sent as a form
    assert.equal("2", field(btt.asked()[1].body, "dse_pageId"))
  end)

  it("carries the id in the query where the body is no form", function()
    local session = btt.established()
    local id = session.sessionId
    for uri, options in pairs {
      ["/bank/x?sessionId=" .. id] = {}, ["/bank/x?a=1&sessionId=" .. id] = { path = "/x?a=1" },
      ["/bank/x?sessionId=own"] = { path = "/x?sessionId=own" },
      ["/bank/y?sessionId=" .. id] = { path = "/y", json = { a = 1 } },
      ["/bank/z?sessionId=" .. id] = { path = "/z", body = "<a>=</a>",
        headers = { ["Content-Type"] = "text/xml" } },
    } do
      options.path = options.path or "/x"
      rejected(session:request(options))
      local request = btt.asked()[1]
      assert.equal(uri, request.uri)
      if options.body then assert.equal(options.body, request.body) end
    end
    -- cookies alone leave the application's path
    rejected(session:request { uri = btt.server.origin .. "/elsewhere" })
    local request = btt.asked()[1]
    assert.is_nil(request.query.sessionId)
    assert.matches("^JSESSIONID=", request.headers.cookie)
  end)

  it("is sent without a session too", function()
    local session = btt.new():addCookie("a", "b")
    rejected(session:request { path = "/x" })
    local request = btt.asked()[1]
    assert.equal("/bank/x", request.uri)
    assert.equal("a=b", request.headers.cookie)
  end)

  it("sends the User-Agent that it was given, by which a server knows the channel", function()
    local session = btt.established { userAgent = "RichClient/5.1" }
    assert(session:invoke("Echo"):await(LIMIT))
    assert.equal("RichClient/5.1", btt.asked()[1].headers["user-agent"])
  end)

  it("has no id in what is printed of it", function()
    local session = btt.established { format = "json" }
    local err = rejected(session:request { path = "/nothing" })
    assert.not_matches(session.sessionId, tostring(err) .. err.uri, 1, true)
    answer(REQUEST, "{")
    err = rejected(session:invoke("Echo"))
    assert.not_matches(session.sessionId, tostring(err) .. err.uri, 1, true)
  end)
end)
