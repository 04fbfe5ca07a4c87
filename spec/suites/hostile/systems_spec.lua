-- Servers that mean harm, of the systems whose messages we read ourselves: DataSnap, BTT and PROIV. Whatever
-- every session shares is in hostile_spec.lua.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local memory, systems = dofile "spec/suites/hostile/memory.lua", dofile "spec/suites/hostile/systems.lua"
local servers = dofile "spec/suites/hostile/servers.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local MIB = 1 << 20
local STEP = 3 -- every third of the wrong values; all of them: make torture-hostile

local server, other, evil, origin

setup(function()
  server, other, evil, origin = servers.start()
  systems.serve(evil)
end)

teardown(servers.close)
before_each(servers.clear)
after_each(sessions.endAll)

local MAKERS = {
  datasnap = function(options)
    options.protocol, options.serviceURI = "datasnap", options.serviceURI or server.uris.datasnap
    local session = datasession.new(options)
    assert(session:login("lua", "secret"):await(LIMIT))
    return session
  end,
  btt = function(options)
    options.protocol, options.serviceURI = "btt", options.serviceURI or server.uris.btt
    options.reconnect, options.tid = false, "BR12"
    local session = datasession.new(options)
    session:addCookie("teller", "hush")
    assert(session:login():await(LIMIT))
    return session
  end,
  proiv = function(options)
    options.protocol, options.serviceURI = "proiv", options.serviceURI or server.origin
    local session = datasession.new(options)
    assert(session:login():await(LIMIT))
    return session
  end,
}

local CALLS = {
  datasnap = { function(s) return s:invoke("TEcho", "Count") end, function(s) return s:ping() end,
    function(s) return s:closeSession() end },
  btt = { function(s) return s:invoke("Echo") end, function(s) return s:ping() end,
    function(s) return s:request { path = "/CSReqServlet", method = "POST",
      body = "dse_operationName=Echo" } end },
  proiv = { function(s) return s:ping() end, function(s) return s:stop(5) end },
}

describe("a message", function()
  for _, subject in ipairs(systems.subjects) do
    it("with a wrong value at any place is taken or refused, and the session goes on: " .. subject.name,
      function()
      local tried, wrong = systems.try(evil, origin, subject, STEP)
      assert.same({}, wrong)
      assert.is_true(tried > 5)
    end)
  end
end)

describe("what a server calls the session", function()
  local BAD = { "a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n",
    "a\rX-Evil: 1",
    "a\0X-Evil: 1", "a&dse_operationName=Transfer", "a#b", "a?b=c", "\xff\xfe", "a; b=c", "a,dssession=b",
    "</dse_sessionId><evil>", '","evil":"' }

  -- The server has seen no request that was not ours, nor a header or a field that was smuggled in.
  local function clean()
    for _, request in ipairs(server:requests()) do
      assert.is_nil(request.headers["x-evil"])
      assert.not_matches("^/evil", request.uri)
      assert.not_matches("[&?]dse_operationName=Transfer", request.uri .. "?" .. request.body)
      assert.not_matches("<evil>", request.body)
      assert.not_matches('"evil":', request.body)
    end
    assert.is_nil(server:calls()["btt.Transfer"])
  end

  local function answer(path, value)
    server:fault { kind = "status", status = 200, path = path, contentType = "application/json",
      body = assert(codec.encodeBytes(value)) }
  end

  it("adds no header, field or request: BTT's ids", function()
    for _, format in ipairs { "form", "json", "xml" } do
      for _, bad in ipairs(BAD) do
        local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt, format = format,
          tid = "B",
          reconnect = false }
        answer("CSEstablish", { status = "OK", sessionId = bad, serverId = bad })
        session:login():await(LIMIT)
        session:invoke("Echo", { a = "1" }):await(LIMIT)
        session:ping():await(LIMIT)
        session:request { path = "/page" }:await(LIMIT)
        assert.not_matches("Evil", tostring(session))
      end
    end
    clean()
  end)

  it("adds no header, field or request: the hidden fields of BTT's pages", function()
    local session = MAKERS.btt {}
    for _, bad in ipairs(BAD) do
      local page = '<input type=hidden name=dse_pageId value=3><input type=hidden name=dse_processorId \z
        value="'
      local encoded = bad:gsub("[\r\n&<\"]", function(c) return ("&#%d;"):format(c:byte()) end)
      server:fault { kind = "status", status = 200, path = "CSReq", contentType = "text/html",
        body = page .. encoded .. '">' }
      session:invoke("Echo"):await(LIMIT)
      session:invoke("Echo"):await(LIMIT)
    end
    clean()
  end)

  it("adds no header, field or request: BTT's cookies", function()
    for _, policy in ipairs { "keep", "standard" } do
      local session = MAKERS.btt { cookiePolicy = policy }
      for _, bad in ipairs(BAD) do
        server:fault { kind = "raw", path = "CSReq",
          body = "HTTP/1.1 200 OK\r\nSet-Cookie: evil=" .. bad .. "\r\nContent-Length: 2\r\n\r\n{}" }
        session:invoke("Echo"):await(LIMIT)
        if session.status ~= "established" then session:login():await(LIMIT) end
        session:invoke("Echo"):await(LIMIT)
      end
    end
    clean()
  end)

  it("adds no header, field or request: DataSnap's id", function()
    for _, bad in ipairs(BAD) do
      local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
      server:fault { kind = "raw", path = "GetPlatformName",
        body = "HTTP/1.1 200 OK\r\nPragma: dssession=" .. bad .. "\r\nContent-Length: 22\r\n\r\n" ..
          '{"result":["Windows"]}' }
      session:login("lua", "secret"):await(LIMIT)
      session:invoke("TEcho", "Count"):await(LIMIT)
      session:request { uri = session:getCacheURL("1/0/1", true) }:await(LIMIT)
      session:closeSession():await(LIMIT)
    end
    clean()
  end)

  it("adds no header, field or request: PROIV's sessionKey", function()
    for _, bad in ipairs(BAD) do
      local session = datasession.new { protocol = "proiv", serviceURI = server.origin }
      answer("/connect", { state = "running", sessionKey = bad .. "&ACTION=END" })
      assert(session:login():await(LIMIT))
      session:ping():await(LIMIT)
      session:logout():await(LIMIT)
    end
    for _, request in ipairs(server:requests()) do
      local _, actions = request.body:gsub("ACTION=", "")
      assert.is_true(actions <= 1, request.body)
    end
    clean()
  end)

  it("is refused when it is longer than 64 KiB", function()
    local long = ("x"):rep(65537)
    local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt, reconnect = false }
    answer("CSEstablish", { status = "OK", sessionId = long })
    local value, err = session:login():await(LIMIT)
    assert.is_nil(value)
    assert.equal("protocol", err.kind)
    assert.matches("64 KiB", err.message)
    assert(session:login():await(LIMIT))
    answer("CSReq", { status = "OK", dse_pageId = "3", dse_processorState = long })
    value, err = session:invoke("Echo"):await(LIMIT)
    assert.is_nil(value)
    assert.equal("protocol", err.kind)
    assert.matches("64 KiB", err.message)
    assert(session:invoke("Echo", { a = "1" }):await(LIMIT))

    session = datasession.new { protocol = "proiv", serviceURI = server.origin }
    answer("/connect", { state = "running", sessionKey = long })
    value, err = session:login():await(LIMIT)
    assert.is_nil(value)
    assert.equal("protocol", err.kind)
    assert.matches("64 KiB", err.message)
    assert(session:login():await(LIMIT))
  end)
end)

describe("who we are", function()
  it("reaches no other origin by a redirect", function()
    for name, make in pairs(MAKERS) do
      for i, call in ipairs(CALLS[name]) do
        for _, status in ipairs { 302, 307 } do
          local session = make {}
          server:fault { kind = "redirect", location = other.origin .. "/x", status = status, count = 0 }
          local value, err = call(session):await(LIMIT)
          assert.is_true(value == nil or name == "proiv" or i == 3, name)
          if err then assert.not_matches("hush", tostring(err)) end
          server:clearFaults()
        end
      end
    end
    assert.same({}, other:requests())
  end)

  it("reaches no other origin by a request", function()
    for _, make in pairs(MAKERS) do
      local session = make {}
      session:request { uri = other.origin .. "/x" }:await(LIMIT)
      session:request { uri = other.origin .. "/x", method = "POST", body = "a=b",
        headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }:await(LIMIT)
    end
    assert.equal(6, #other:requests())
    for _, request in ipairs(other:requests()) do
      for _, line in ipairs { "authorization", "pragma", "cookie" } do
        assert.is_nil(request.headers[line]) end
      assert.not_matches("dse_", request.body)
      assert.not_matches("sessionId", request.uri)
    end
  end)
end)

describe("memory", function()
  it("does not grow by the cookies of a BTT server, of which 64 KiB are kept", function()
    local session, lines = MAKERS.btt { serviceURI = origin .. "/Bank" }, {}
    local growth = memory.growth(function()
      for block = 1, 80 do
        for i = 1, 500 do lines[i] = ("Set-Cookie: c%d=%s\r\n"):format(block * 1000 + i, ("v"):rep(300)) end
        evil:fault("POST /Bank/CSReqServlet",
          { "HTTP/1.1 200 OK\r\n" .. table.concat(lines) .. "Content-Length: 2\r\n\r\n{}" })
        assert(session:invoke("Echo"):await(LIMIT))
      end
    end)
    assert.is_true(#session:cookies() <= 256)
    assert.is_true(growth < 8 * MIB, growth // MIB .. " MiB")
  end)

  it("is not spent on a text of BTT's in many pieces, which are joined", function()
    local session = MAKERS.btt { format = "xml" }
    local pieces = ("ab<!-- -->&lt;<![CDATA[c]]>"):rep(5000)
    server:fault { kind = "status", status = 200, path = "CSReq", contentType = "text/xml",
      body = "<replyMsg><dse_status>OK</dse_status><dse_resultData>" .. pieces ..
        "</dse_resultData></replyMsg>" }
    assert.equal(("ab<c"):rep(5000), (session:invoke("Echo"):await(LIMIT)))
  end)

  it("does not run out by messages that are nested, wide or in pieces", function()
    local function deep(open, close) return open:rep(10000) .. close:rep(10000) end
    local texts = { deep("[", "]"), deep('{"a":', "}"), '{"result":' .. deep("[", "]") .. "}",
      '{"status":"OK","result":' .. deep('{"a":', "}") .. "}", '{"state":' .. deep("[", "]") .. "}",
      deep("<a>", "</a>"), "<r>" .. ("<a/>"):rep(50000) .. "</r>",
        "<r>" .. ("x<!-- -->"):rep(50000) .. "</r>",
      "<r>" .. ("&lt;"):rep(50000) .. "</r>", ('<input type="hidden" name="a" value="b">'):rep(20000),
      ("<"):rep(100000), ("<!--"):rep(50000), ('<a "'):rep(50000), ("&#1"):rep(50000) }
    for _, text in ipairs(texts) do
      for _, subject in ipairs(systems.subjects) do
        local _, wrong = systems.tryText(evil, origin, subject, text)
        assert.is_nil(wrong)
      end
    end
  end)
end)
