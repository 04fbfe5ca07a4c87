-- Every verb's message holds what the server said when it refused: one line, shortened, and nothing secret.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local rejected = await.rejected

local server

setup(function()
  server = assert(sandbox.start {
    users = { lua = "secret", ada = "pä%s+s&w\"o<rd" }, datasnapAuthentication = false,
  })
end)

teardown(function() server:close() end)

before_each(function() sessions.refresh(server) end)

after_each(sessions.endAll)

local function answer(status, body, contentType, headers)
  server:fault { kind = "status", status = status, body = body,
    contentType = contentType or "application/json",
    headers = headers }
end

local function says(err)
  return err.message:match "; the server says: (.*)$"
end

local LOCKED = '{"_retVal":"","_errors":[{"_errorMsg":"Customer 7 is locked","_errorNum":2624}]}'

describe("the message holds", function()
  local session

  before_each(function() session = sessions.loggedIn(server, "basic") end)

  local function saidOf(...)
    answer(...)
    return says(rejected(session:request { path = "rest/x" }))
  end

  it("OpenEdge's _errors and _retVal", function()
    assert.equal("Customer 7 is locked", saidOf(500, LOCKED))
    assert.equal("one; two; and a value", saidOf(400,
      '{"_errors":[{"_errorMsg":"one"},{"_errorNum":1},{"_errorMsg":"two"}],"_retVal":"and a value"}'))
  end)

  it("what other services call error, message, detail or title", function()
    assert.equal("no such table", saidOf(404, '{"error":"no such table"}'))
    assert.equal("no such row", saidOf(404, '{"error":{"code":7,"message":"no such row"}}'))
    local problem = '{"title":"Forbidden","detail":"out of hours"}'
    assert.equal("out of hours", saidOf(403, problem, "application/problem+json"))
  end)

  it("the title of a page, its references read", function()
    local title = "HTTP Status 404 &#8211; Not\n  &lt;Found&gt; &amp; &quot;gone&quot;"
    assert.equal('HTTP Status 404 \u{2013} Not <Found> & "gone"', saidOf(404,
      "<!doctype html>\n<HTML><head><Title lang='en'>" .. title .. "</title></head><h1>no</h1></html>",
      "text/html"))
    assert.equal("Bad Gateway", saidOf(502, "<html><body><h1>Bad Gateway</h1></body></html>", "text/html"))
  end)

  it("a plain text", function()
    assert.equal("slow down", saidOf(429, " slow\r\n\tdown\n", "text/plain"))
  end)

  it("nothing of bytes, of data, of broken JSON, of success", function()
    for body, contentType in pairs {
      ["{not json"] = "application/json", ["\1\2\3"] = "application/octet-stream",
      ["[1,2]"] = "application/json", ['{"error":"x"}'] = "application/octet-stream",
      ["<html><body>none</body></html>"] = "text/html",
      ['{"_errors":7,"_retVal":{},"error":[],"message":1}'] = "application/json",
      ["<title>open"] = "text/html",
    } do
      assert.is_nil(saidOf(500, body, contentType))
    end
    answer(200, LOCKED)
    assert(session:request { path = "rest/x" }:await(await.LIMIT))
  end)

  it("one line without control characters, in UTF-8, cut between characters", function()
    assert.equal("a b c d", saidOf(500, '{"error":"a\\u0000\\u001b\\nb\\u009bc\\u007f \\td"}'))
    local odd = "abc\u{202e}d\xed\xa0\x80e\u{2066}\xc0\x80\xf5\xe2\x80f"
    assert.equal("abc d???e ?????f", saidOf(500, odd, "text/plain"))
    assert.equal("a???b", saidOf(500, "<title>a&#xD800;b</title>", "text/html"))
    assert.equal("Grö?e", saidOf(500, "<title>Gr\u{f6}\xdfe</title>", "text/html"))
    local long = saidOf(500, '{"error":"' .. ("ä"):rep(5000) .. '"}'):match "^(.*)%.%.%.$"
    assert.equal(("ä"):rep(utf8.len(long)), long)
    assert.is_true(#long < 250)
  end)

  it("what the status says of the request", function()
    for status, words in pairs {
      [400] = "the server calls the request malformed", [403] = "this user is not allowed to do that",
      [404] = "nothing is there", [405] = "the server takes no requests of that method there",
      [413] = "the body is too large for the server", [414] = "the URI is too long for the server",
      [429] = "the server gets too many requests", [503] = "the server is not available now",
      [431] = "the request's header lines are too long for the server",
      [418] = "the server refused the request",
      [500] = "the server failed at the request",
      [502] = "a proxy or gateway got no good answer from the server",
    } do
      answer(status, "")
      assert.matches(": " .. words, rejected(session:request { path = "rest/x" }).message, 1, true)
    end
  end)

  it("when to try again: of 429 and 503 alone", function()
    local function retry(status, value)
      answer(status, "", "text/plain", { ["Retry-After"] = value })
      return rejected(session:request { path = "rest/x" }).message:match "; try again (.*) %(Retry%-After%)$"
    end
    assert.equal("in 120 s", retry(429, "120"))
    assert.equal("after Fri, 31 Dec 1999 23:59:59 GMT", retry(503, "Fri, 31 Dec 1999 23:59:59 GMT"))
    assert.is_nil(retry(500, "120"))
    assert.is_nil(retry(503, ("9"):rep(100)))
  end)
end)

describe("every verb tells it:", function()
  it("login", function()
    for _, model in ipairs { "anonymous", "basic", "form" } do
      answer(500, LOCKED)
      assert.equal("Customer 7 is locked", says(rejected(sessions.new(server, model):login("lua", "secret"))))
    end
  end)

  it("a form login whose check fails", function()
    server:fault { kind = "status", status = 403, path = "home", body = LOCKED,
      contentType = "application/json" }
    assert.equal("Customer 7 is locked", says(rejected(sessions.new(server, "form"):login("lua", "secret"))))
  end)

  it("isAuthorized, ping, addCatalog, logout", function()
    for _, verb in ipairs { "isAuthorized", "ping", "addCatalog", "logout" } do
      local session = sessions.loggedIn(server, "form")
      server:clearFaults()
      answer(verb == "addCatalog" and 404 or 500, LOCKED)
      local err = rejected(session[verb](session, verb == "addCatalog" and "/static/x.json" or nil))
      assert.matches("; the server says: Customer 7 is locked", err.message, 1, true)
    end
  end)

  it("a provider's login", function()
    local provider = datasession.AuthenticationProvider { uri = server.uris.form,
      authenticationModel = "form" }
    answer(503, LOCKED, nil, { ["Retry-After"] = "7" })
    assert.matches("; the server says: Customer 7 is locked; try again in 7 s (Retry-After)",
      rejected(provider:login("lua", "secret")).message, 1, true)
  end)

  it("establishSession of BTT", function()
    local session = datasession.new { protocol = "btt", serviceURI = server.origin .. "/bank" }
    answer(500, "<title>Out of licences</title>", "text/html")
    assert.equal("Out of licences", says(rejected(session:establishSession())))
  end)

  it("invoke of DataSnap, once", function()
    local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
    answer(500, '{"error":"division by zero"}')
    local message = rejected(session:invoke("TEcho", "Echo", { 1 })).message
    assert.equal(1, select(2, message:gsub("division by zero", "")))
    answer(503, "<title>Away</title>", "text/html", { ["Retry-After"] = "3" })
    assert.matches("; the server says: Away; try again in 3 s (Retry-After)",
      rejected(session:invoke("TEcho", "Echo", { 1 })).message, 1, true)
  end)
end)

describe("a secret that the server quotes is not shown:", function()
  local function hidden(err, secret)
    assert.is_nil(tostring(err):find(secret, 1, true))
    assert.is_nil(says(err))
  end

  local function quote(text)
    return '{"error":"' .. text:gsub('[\\"]', "\\%0") .. ' is wrong"}'
  end

  it("the password of a form, of basic, of a field of the caller's", function()
    local REFERENCES = { ["&"] = "&amp;", ["<"] = "&lt;", ['"'] = "&quot;" }
    local password = "pä%s+s&w\"o<rd"
    for _, model in ipairs { "form", "basic" } do
      answer(500, quote("the password " .. password))
      hidden(rejected(sessions.new(server, model):login("ada", password)), password)
      answer(500, "<title>" .. password:gsub('[&<"]', REFERENCES) .. "</title>", "text/html")
      hidden(rejected(sessions.new(server, model):login("ada", password)), password)
    end
    local session = sessions.loggedIn(server, "basic")
    answer(400, quote "hunter2hunter2")
    hidden(rejected(session:request { path = "rest/x", json = { newPassword = "hunter2hunter2" } }),
      "hunter2")
    answer(400, quote "hunter2hunter2")
    local blanks = '{ "password" : \t"hunter2hunter2" }'
    hidden(rejected(session:request { path = "rest/x", method = "POST", body = blanks }), "hunter2")
    answer(400, quote "hunter2hunter2")
    hidden(rejected(session:request { path = "rest/x?token=hunter2hunter2" }), "hunter2")
  end)

  it("a short one where it stands alone", function()
    local short = assert(sandbox.start { users = { lua = "ab" } })
    local session = datasession.new { serviceURI = short.uris.basic, authenticationModel = "basic" }
    short:fault { kind = "status", status = 500, body = quote "ab", contentType = "application/json" }
    hidden(rejected(session:login("lua", "ab")), "'ab'")
    short:fault { kind = "status", status = 500, body = quote "cabbage", contentType = "application/json" }
    assert.equal("cabbage is wrong", says(rejected(session:login("lua", "ab"))))
    short:close()
  end)

  it("a token", function()
    local session = sessions.loggedIn(server, "bearer")
    answer(500, quote "letmein")
    hidden(rejected(session:request { path = "rest/x" }), "letmein")
  end)

  it("the beginning of a token where a long text is cut off", function()
    local session = sessions.loggedIn(server, "bearer")
    answer(500, (" "):rep(2043) .. "letmein", "text/plain")
    hidden(rejected(session:request { path = "rest/x" }), "letme")
    answer(500, "Customer 7" .. (" "):rep(2033) .. "letmein", "text/plain")
    assert.equal("Customer 7", says(rejected(session:request { path = "rest/x" })))
  end)

  it("a cookie that is sent, one that is set, one that is replaced", function()
    local session = sessions.loggedIn(server, "form")
    local cookie
    server:clearRequests()
    assert(session:ping():await(await.LIMIT))
    for _, request in ipairs(server:requests()) do
      cookie = cookie or (request.headers.cookie or ""):match "JSESSIONID=([^;]+)"
    end
    assert.is_string(cookie)
    answer(500, quote(cookie))
    hidden(rejected(session:request { path = "rest/x" }), cookie)
    answer(500, quote "newcookievalue", nil, { ["Set-Cookie"] = "a=newcookievalue; Path=/" })
    hidden(rejected(session:request { path = "rest/x" }), "newcookievalue")
    answer(500, quote "Customer 7", nil, { ["Set-Cookie"] = "a=newcookievalue; Path=/" })
    assert.equal("Customer 7 is wrong", says(rejected(session:request { path = "rest/x" })))
    answer(500, quote(cookie), nil, { ["Set-Cookie"] = "JSESSIONID=; Max-Age=0; Path=/SportsForm" })
    hidden(rejected(session:request { path = "rest/x" }), cookie)
  end)

  it("the password of a DataSnap server", function()
    local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
    answer(500, quote "trustno1")
    hidden(rejected(session:login("ada", "trustno1")), "trustno1")
    assert(session:login("ada", "trustno1"):await(await.LIMIT))
    answer(500, quote "trustno1")
    hidden(rejected(session:invoke("TEcho", "Echo", { 1 })), "trustno1")
  end)

  it("the password of a PROIV session; other words are", function()
    local function login()
      return datasession.new { protocol = "proiv", serviceURI = server.origin, connectionData = {
        hostname = "h", port = 23, sessionType = "TELNET_LOGIN_SESSION", username = "u",
        password = "hunter2+x y",
      } }:login()
    end
    answer(500, quote "hunter2+x y")
    hidden(rejected(login()), "hunter2")
    answer(500, "<title>Out of licences</title>", "text/html")
    assert.equal("Out of licences", says(rejected(login())))
  end)

  it("a secret that stands in Retry-After", function()
    local session = sessions.loggedIn(server, "basic")
    answer(429, quote "Customer 7", nil, { ["Retry-After"] = "opensesame" })
    local err = rejected(session:request { path = "rest/x", headers = { ["X-Key"] = "opensesame" } })
    assert.not_matches("opensesame", tostring(err))
    assert.equal("Customer 7 is wrong", says(err))
  end)

  it("a header line's value, and part of it", function()
    local session = sessions.loggedIn(server, "basic")
    for _, value in ipairs { "opensesame", "Key opensesame", "a=opensesame;b=1" } do
      answer(500, quote "opensesame")
      hidden(rejected(session:request { path = "rest/x", headers = { ["X-Key"] = value } }), "opensesame")
    end
  end)
end)

describe("the hint of a 400", function()
  local PORT = "the port speaks TLS: begin the URI with https://"

  local function hint(status, body)
    local session = sessions.loggedIn(server, "basic")
    answer(status, body, "text/html")
    return rejected(session:request { path = "rest/x" }).hint
  end

  it("says that the port speaks TLS, by what servers write to plain HTTP there", function()
    for _, words in ipairs { "<h1>The plain HTTP request was sent to HTTPS port</h1>",
      "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
      "This combination of host and port requires TLS.", "this port wants TLS" } do
      assert.equal(PORT, hint(400, words))
      assert.not_equal(PORT, hint(404, words))
    end
  end)

  it("says nothing of a client's certificate to plain HTTP", function()
    for _, words in ipairs { "No required SSL certificate was sent", "The SSL certificate error" } do
      assert.not_matches("certificate", tostring(hint(400, words)))
    end
  end)
end)
