-- The cookies of a session of protocol btt: everything is kept, everything is sent, to one origin alone.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local btt = dofile "spec/protocol/btt/support.lua"

local LIMIT, ESTABLISH = btt.LIMIT, btt.ESTABLISH

describe("the cookies of a session of protocol btt", function()
  btt.around(before_each, after_each, assert)

  local function cookieLine()
    local list = btt.asked()
    return list[#list].headers.cookie
  end

  it("are all kept, whatever a server says of path, domain and time, and all sent", function()
    btt.server:setBtt { cookies = {
      "a=1; Path=/elsewhere", "b=2; Domain=other.invalid; Secure; HttpOnly", "c=3; Max-Age=0",
      "d=4; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "e=x=y", "=nameless", "nothing", " f = 6 ;q", 'g="7 8"',
    } }
    local session = btt.new { sessionCarrier = "parameter" }
    btt.server:setBtt { carrier = "parameter" }
    assert(session:login():await(LIMIT))
    btt.asked()
    assert(session:invoke("Echo"):await(LIMIT))
    assert.equal('a=1; b=2; c=3; d=4; e=x=y; f=6; g="7 8"', cookieLine())
    assert.same({ "a", "b", "c", "d", "e", "f", "g" }, session:cookies())
    assert.equal("x=y", session:cookies(true).e)
  end)

  it("take a new value in their place, an empty one too", function()
    local session = btt.new():addCookie("proxyuser", "teller7"):addCookie("language", "sv")
    btt.server:setBtt { cookies = { "proxyuser=; Max-Age=0" } }
    assert(session:login():await(LIMIT))
    assert(session:invoke("Echo"):await(LIMIT))
    assert.matches("^proxyuser=; language=sv; JSESSIONID=0000[%w_-]+:n1$", cookieLine())
    assert.same({ "proxyuser", "language", "JSESSIONID" }, session:cookies())
  end)

  it("go with session:request too, and come with its answers and with errors", function()
    local session = btt.established()
    session:request { path = "/nothing" }:await(LIMIT)
    assert.matches("^JSESSIONID=", cookieLine())
    btt.server:fault { kind = "status", status = 500, headers = { ["Set-Cookie"] = "late=1" } }
    btt.rejected(session:request { path = "/nothing" })
    assert.equal("1", session:cookies(true).late)
    btt.server:fault { kind = "status", status = 503, headers = { ["Set-Cookie"] = "later=2" } }
    btt.rejected(session:invoke("Echo"))
    assert(session:invoke("Echo"):await(LIMIT))
    assert.matches("; late=1; later=2$", cookieLine())
  end)

  it("are read from a redirect, and go with what follows it", function()
    local session = btt.established()
    btt.server:fault { kind = "redirect", location = "/bank/CSReqServlet?again=1", status = 307,
      headers = { ["Set-Cookie"] = "hop=1; Path=/none" } }
    assert(session:invoke("RateLookup", { ccy = "SEK" }):await(LIMIT))
    local list = btt.asked()
    assert.equal(2, #list)
    assert.not_matches("hop=", list[1].headers.cookie)
    assert.matches("; hop=1$", list[2].headers.cookie)
    btt.server:fault { kind = "redirect", location = "/bank/nothing", status = 302,
      headers = { ["Set-Cookie"] = "hop=2" } }
    session:request { path = "/x" }:await(LIMIT)
    assert.matches("; hop=2$", cookieLine())
  end)

  it("count when a redirect sets the session cookie", function()
    local session = btt.new()
    btt.server:fault { kind = "redirect", path = ESTABLISH .. "$", location = "/bank/home", status = 302,
      headers = { ["Set-Cookie"] = "JSESSIONID=0000abcdef:n1; Path=/bank" } }
    btt.answer("/home", "<html>Welcome</html>", { contentType = "text/html" })
    assert(session:login():await(LIMIT))
    assert.equal("abcdef", session.sessionId)
  end)

  it("go nowhere but to the session's own origin", function()
    local other = assert(sandbox.start())
    local session = btt.established()
    session:request { uri = other.origin .. "/bank/CSReqServlet?x=1", body = "a=1" }:await(LIMIT)
    local request = other:requests()[1]
    assert.is_nil(request.headers.cookie)
    assert.equal("a=1", request.body)
    assert.equal("x=1", request.uri:match("%?(.*)$"))
    btt.server:fault { kind = "redirect", location = other.origin .. "/bank/CSReqServlet", status = 307,
      headers = { ["Set-Cookie"] = "away=1" } }
    btt.rejected(session:invoke("Echo"))
    assert.equal(1, #other:requests())
    assert.equal("1", session:cookies(true).away) -- read all the same
    btt.settle()
    other:close()
  end)

  it("are those of one session alone", function()
    local one, two = btt.established(), btt.established()
    one:addCookie("mine", "1")
    assert(two:invoke("Echo"):await(LIMIT))
    assert.not_matches("mine", cookieLine())
  end)

  it("stay when the session is closed or given up, until they are cleared", function()
    local session = btt.established():addCookie("proxyuser", "teller7")
    assert(session:logout():await(LIMIT))
    assert.same({ "JSESSIONID", "proxyuser" }, session:cookies())
    assert.equal(session, session:clearCookies())
    assert.same({}, session:cookies())
    assert(session:login():await(LIMIT))
    assert.is_nil(btt.asked()[1].headers.cookie)
  end)

  it("are taken without their control bytes, and not if no line could hold them", function()
    local raw = "HTTP/1.1 200 OK\r\nSet-Cookie: a\1b=1\1272\7\r\nSet-Cookie: c d=1\r\nContent-Length: 15\r\n"
      .. "Connection: close\r\n\r\n{\"status\":\"OK\"}"
    btt.server:fault { kind = "raw", body = raw }
    local session = btt.new()
    assert(session:login():await(LIMIT))
    assert.same({ ab = "12" }, session:cookies(true))
    for _, pair in ipairs { { "", "x" }, { "a=b", "x" }, { "a b", "x" }, { "a", "x;y" }, { "a", "x\r\ny" },
      { "a\0", "x" } } do
      assert.error_matches(function() session:addCookie(pair[1], pair[2]) end, "addCookie: expected a name")
    end
    assert.same({ ab = "12" }, session:cookies(true))
  end)

  it("are bounded in number and in bytes, and none is lost for a new one", function()
    local session = btt.new()
    for i = 1, 256 do session:addCookie("c" .. i, "v") end
    assert.error_matches(function() session:addCookie("one", "more") end,
      "the store is full: it holds 256 cookies")
    session:addCookie("c1", "new value")
    local notes = {}
    datasession.setLogger(function(level, event)
      if level ~= "info" then notes[#notes + 1] = level .. " " .. event end
    end)
    assert(session:login():await(LIMIT))
    btt.settle()
    assert.same({ "warning cookiesFull" }, notes)
    assert.equal(256, #session:cookies())
    session:clearCookies()
    session:addCookie("big", ("x"):rep(65533))
    assert.error_matches(function() session:addCookie("a", "") end, "65536 bytes")
    assert.error_matches(function() session:addCookie("huge", ("x"):rep(70000)) end, "65536 bytes")
    assert.equal(65533, #session:cookies(true).big)
  end)

  it("can be replaced any number of times", function()
    local session = btt.new()
    for i = 1, 300 do session:addCookie("c", ("x"):rep(1000) .. i) end
    assert.same({ c = ("x"):rep(1000) .. 300 }, session:cookies(true))
    for i = 1, 255 do session:addCookie("c" .. i, "v") end
    assert.equal(256, #session:cookies())
  end)

  it("are never printed", function()
    local session = btt.new():addCookie("secret", "s3cr3t")
    btt.server:setBtt { refuseEstablish = 1 }
    local err = btt.rejected(session:login())
    assert.not_matches("s3cr3t", tostring(err) .. tostring(session) .. err.message)
  end)

  it("are libcurl's affair with the policy standard", function()
    btt.server:setBtt { cookies = { "gone=1; Max-Age=0", "elsewhere=2; Path=/other", "here=3; Path=/bank" } }
    local session = btt.established { cookiePolicy = "standard" }
    btt.server:setBtt { cookies = {} }
    assert(session:invoke("Echo"):await(LIMIT))
    local line = cookieLine()
    assert.matches("JSESSIONID=", line, 1, true)
    assert.matches("here=3", line, 1, true)
    assert.not_matches("gone", line)
    assert.not_matches("elsewhere", line)
    session = btt.new { cookiePolicy = "standard" }:addCookie("proxyuser", "teller7")
    assert(session:login():await(LIMIT))
    assert(session:invoke("Echo"):await(LIMIT))
    for _, request in ipairs(btt.asked()) do
      assert.matches("proxyuser=teller7", request.headers.cookie, 1, true) end
    session:clearCookies()
    session:request { path = "/none" }:await(LIMIT)
    assert.is_nil(cookieLine())
  end)
end)
