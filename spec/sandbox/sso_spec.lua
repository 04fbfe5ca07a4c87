-- The sandbox's token server and the applications that take tokens, over real sockets.
local cjson = require "cjson"
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local request, get, decode, JSON = client.request, client.get, client.decode, client.JSON

local server -- of the test at hand

local function stopServer()
  server:close()
end

local function loginAt(where, query, password)
  return request(where, "POST", where.uris.form_sso .. "/static/auth/j_spring_security_check" ..
    (query or "?OECP=yes"),
    { body = "j_username=lua&j_password=" .. (password or "secret") .. "&submit=Submit", headers = JSON })
end

local function tokensOf(where)
  return decode(loginAt(where or server))
end

local function refresh(body, options)
  options = options or {}
  if type(body) == "table" then
    body = cjson.encode { token_type = "oecp", refresh_token = body.refresh_token }
  end
  return request(server, options.method or "POST", server.uris.form_sso .. "/static/auth/token"
    .. (options.query or "?op=refresh"), { body = body, headers = { ["Content-Type"] = "application/json" } })
end

local function homeOf(where, token)
  return get(where, where.uris.sso .. "/static/home.html", { Authorization = token and "oecp " .. token })
end

local function home(tokens)
  return homeOf(server, tokens.access_token)
end

local function assertRefused(code, response)
  assert.equal(401, response.status)
  assert.matches("^oecp error=401, error_description=\"[^\"]+\"$", response.headers["www-authenticate"])
  assert.same({ error = "sso.token." .. code }, decode(response))
end

describe("the token server", function()
  before_each(function() server = assert(sandbox.start()) end)
  after_each(stopServer)

  it("gives tokens to a login that asks for them", function()
    local response = loginAt(server, "?OECP=yes&_ts=1-2-3")
    assert.equal(200, response.status)
    assert.equal("no-store", response.headers["cache-control"])
    assert.equal("no-cache", response.headers.pragma)
    assert.matches("^JSESSIONID=%x+; Path=/SportsAuth; HttpOnly$", response.headers["set-cookie"])
    local tokens = decode(response)
    assert.equal("oecp", tokens.token_type)
    assert.equal(3600, tokens.expires_in)
    assert.matches("^[%w+/]+=*$", tokens.access_token)
    assert.equal(0, #tokens.access_token % 4)
    assert.matches("^%x+$", tokens.refresh_token)
    assert.equal(1, server:sessionCount("form_sso"))
    assert.equal(0, server:tokenRefreshes())
  end)

  it("is a form application otherwise", function()
    local response = loginAt(server, "")
    assert.same({ status_code = 200, status_txt = "OK" }, decode(response))
    local cookie = response.headers["set-cookie"]:match("^[^;]+")
    local uri = server.uris.form_sso .. "/static/home.html"
    assert.equal(200, get(server, uri, { Cookie = cookie }).status)
    assert.equal(401, get(server, uri, JSON).status)
    assert.equal(302, get(server, uri).status)
    assert.equal(401, get(server, uri, { Accept = "application/json", Authorization = "oecp "
      .. tokensOf().access_token }).status)
  end)

  it("refuses wrong credentials", function()
    local response = loginAt(server, nil, "wrong")
    assert.equal(401, response.status)
    assert.matches('^FORM realm="SportsAuth"', response.headers["www-authenticate"])
    assert.is_nil(decode(response).access_token)
    assert.equal(0, server:sessionCount())
  end)

  it("gives new tokens for a refresh token, which are the next ones", function()
    local tokens = tokensOf()
    for n = 1, 3 do
      local response = refresh(tokens)
      assert.equal(200, response.status)
      assert.equal("no-store", response.headers["cache-control"])
      local fresh = decode(response)
      assert.not_equal(tokens.access_token, fresh.access_token)
      assert.not_equal(tokens.refresh_token, fresh.refresh_token)
      assert.equal(3600, fresh.expires_in)
      assert.equal(200, home(fresh).status)
      assert.equal(200, home(tokens).status)
      assert.equal(n, server:tokenRefreshes())
      tokens = fresh
    end
    assert.equal(1, server:sessionCount())
  end)

  it("takes a refresh token again until its successor is used", function()
    local first = tokensOf()
    local lost = decode(refresh(first))
    local second = decode(refresh(first))
    assertRefused("rejected_token", refresh(lost))
    local third = decode(refresh(second))
    assertRefused("rejected_token", refresh(first))
    assert.equal(200, refresh(second).status)
    assertRefused("rejected_token", refresh(third))
    assert.equal(4, server:tokenRefreshes())
  end)

  it("refuses a refresh that it cannot understand", function()
    local good = tokensOf().refresh_token
    for body, code in pairs {
      [""] = "invalid_request", ["{"] = "invalid_request", ["null"] = "invalid_request",
      ["{}"] = "invalid_request",
      ['{"token_type":"oecp","refresh_token":1}'] = "invalid_request",
      [cjson.encode { refresh_token = good }] = "unsupported_token",
      [cjson.encode { refresh_token = good, token_type = "Bearer" }] = "unsupported_token",
    } do
      local response = refresh(body)
      assert.equal(400, response.status, body)
      assert.same({ error = "sso.token." .. code }, decode(response))
    end
    assert.equal(400, refresh({ refresh_token = good }, { query = "" }).status)
    assert.equal(400, refresh({ refresh_token = good }, { query = "?op=other" }).status)
    assert.equal(405, refresh({ refresh_token = good }, { method = "PUT" }).status)
    assertRefused("rejected_token", refresh { refresh_token = "" })
    assertRefused("rejected_token", refresh { refresh_token = "nothing" })
    assert.equal(0, server:tokenRefreshes())
  end)

  it("refuses to refresh when the login is over", function()
    local logout = server.uris.form_sso .. "/static/auth/j_spring_security_logout"
    for _, finish in ipairs {
      function(cookie) assert.equal(200, get(server, logout, { Cookie = cookie }).status) end,
      function() server:expireSessions("form_sso") end,
      function() server:advanceClock(3600 + 1200 + 1) end,
    } do
      local response = loginAt(server)
      finish(response.headers["set-cookie"]:match("^[^;]+"))
      assertRefused("rejected_token", refresh(decode(response)))
      assert.equal(0, server:sessionCount("form_sso"))
    end
  end)

  it("keeps a login that gave tokens until these have been over for the idle timeout", function()
    local tokens = tokensOf()
    for _ = 1, 3 do
      server:advanceClock(3600 + 1199)
      assertRefused("expired_token", home(tokens))
      tokens = decode(refresh(tokens))
      assert.equal(200, home(tokens).status)
    end
  end)

  it("answers as setTokenAnswer wants it", function()
    server:setTokenAnswer { refresh_token = false }
    assert.is_nil(tokensOf().refresh_token)
    assert.is_string(tokensOf().access_token)
    server:setTokenAnswer { refresh_token = "", expires_in = 10, token_type = "Bearer", more = { 1 } }
    local tokens = tokensOf()
    assert.equal("", tokens.refresh_token)
    assert.equal(10, tokens.expires_in)
    assert.equal("Bearer", tokens.token_type)
    assert.same({ 1 }, tokens.more)
    server:advanceClock(11)
    assert.equal(200, home(tokens).status)
    server:setTokenAnswer { access_token = cjson.null, expires_in = "soon" }
    assert.equal(cjson.null, tokensOf().access_token)
    assert.equal("soon", tokensOf().expires_in)
    server:setTokenAnswer { access_token = false, refresh_token = false, expires_in = false,
      token_type = false }
    assert.same({}, tokensOf())
    for _, text in ipairs { "<html>no JSON</html>", "", "{\"access_token\":" } do
      server:setTokenAnswer(text)
      local response = loginAt(server)
      assert.equal(200, response.status)
      assert.equal(text, response.body)
    end
    server:setTokenAnswer(nil)
    assert.is_string(tokensOf().refresh_token)
  end)

  it("answers refreshes so too", function()
    local tokens = tokensOf()
    server:setTokenAnswer { refresh_token = "" }
    tokens = decode(refresh(tokens))
    assert.equal("", tokens.refresh_token)
    assert.equal(200, home(tokens).status)
    assert.equal(1, server:tokenRefreshes())
  end)
end)

describe("the sso application", function()
  before_each(function() server = assert(sandbox.start()) end)
  after_each(stopServer)

  it("takes an access token for everything that it has", function()
    local token = tokensOf().access_token
    for path, status in pairs { ["/static/home.html"] = 200, ["/static/CustomerService.json"] = 200,
      ["/rest/_oepingService/_oeping"] = 200, ["/rest/CustomerService/Customer?filter=CustNum=1"] = 200,
      ["/nothing"] = 404 } do
      assert.equal(status, get(server, server.uris.sso .. path, { Authorization = "oecp " .. token }).status,
        path)
      assertRefused("invalid_request", get(server, server.uris.sso .. path))
      assertRefused("invalid_request", get(server, server.uris.sso .. path, { Accept = "text/html" }))
    end
    local response = homeOf(server, token)
    assert.is_nil(response.headers["set-cookie"])
  end)

  it("refuses what is no token of its own", function()
    local token = tokensOf().access_token
    for _, value in ipairs { "Bearer " .. token, "oecp", "oecp " .. token .. " x", "Basic bHVhOnNlY3JldA==",
      token } do
      assertRefused("invalid_request", get(server, server.uris.sso .. "/static/home.html",
        { Authorization = value }))
    end
    for _, text in ipairs { "x", "====", "bHVhOnNlY3JldA==", "%%%%", token:sub(1, -5), token:sub(1, 8) } do
      local response = homeOf(server, text)
      assert.equal(401, response.status, text)
      assert.matches("^sso%.token%.%l+_token$", decode(response).error)
    end
    local changed = (token:sub(1, 30) .. (token:sub(31, 31) == "D" and "E" or "D") .. token:sub(32))
    assert.equal(401, homeOf(server, changed).status)
  end)

  it("says when a token has expired", function()
    local tokens = tokensOf()
    server:advanceClock(3599)
    assert.equal(200, home(tokens).status)
    server:advanceClock(1)
    assertRefused("expired_token", home(tokens))
    assert.equal(200, home(decode(refresh(tokens))).status)
  end)

  it("expires the tokens in force on demand", function()
    local tokens, others = tokensOf(), tokensOf()
    server:expireTokens()
    assertRefused("expired_token", home(tokens))
    assertRefused("expired_token", home(others))
    tokens = decode(refresh(tokens))
    assert.equal(200, home(tokens).status)
    assert.equal(200, home(tokensOf()).status)
  end)

  it("revokes the refresh tokens with them on demand", function()
    local tokens = tokensOf()
    server:revokeTokens()
    assertRefused("expired_token", home(tokens))
    assertRefused("rejected_token", refresh(tokens))
    assert.equal(0, server:tokenRefreshes())
    tokens = tokensOf()
    assert.equal(200, home(tokens).status)
    assert.equal(200, refresh(tokens).status)
  end)

  it("takes the lifetime from the options", function()
    local short <close> = assert(sandbox.start { tokenLifetime = 5 })
    local tokens = tokensOf(short)
    assert.equal(5, tokens.expires_in)
    short:advanceClock(5)
    assertRefused("expired_token", homeOf(short, tokens.access_token))
    local none <close> = assert(sandbox.start { tokenLifetime = 0 })
    assertRefused("expired_token", homeOf(none, tokensOf(none).access_token))
  end)

  it("goes on with a token after the logout, as it does not know of it", function()
    local response = loginAt(server)
    get(server, server.uris.form_sso .. "/static/auth/j_spring_security_logout",
      { Cookie = response.headers["set-cookie"]:match("^[^;]+") })
    assert.equal(200, home(decode(response)).status)
  end)

  it("has the client context id of the login, through all refreshes", function()
    local tokens = tokensOf()
    local id = home(tokens).headers["x-client-context-id"]
    assert.is_string(id)
    assert.equal(id, home(decode(refresh(tokens))).headers["x-client-context-id"])
    assert.not_equal(id, home(tokensOf()).headers["x-client-context-id"])
    server:setContextIds(false, "sso")
    assert.is_nil(home(tokens).headers["x-client-context-id"])
  end)

  it("keeps a user's name whatever is in it", function()
    local other <close> = assert(sandbox.start { users = { ["a:b\n\xFFé"] = "p" } })
    local response = request(other, "POST",
      other.uris.form_sso .. "/static/auth/j_spring_security_check?OECP=yes",
      { body = "j_username=a%3Ab%0A%FF%C3%A9&j_password=p" })
    assert.equal(200, homeOf(other, decode(response).access_token).status)
  end)
end)

describe("a token server on another host", function()
  local auth

  before_each(function()
    auth = assert(sandbox.start { tokenSecret = "shared" })
    server = assert(sandbox.start { tokenSecret = "shared" })
  end)
  after_each(function()
    auth:close()
    stopServer()
  end)

  it("gives tokens that servers with its secret take", function()
    assert.not_equal(auth.origin, server.origin)
    assert.equal(200, home(tokensOf(auth)).status)
    assert.equal(0, server:sessionCount())
    local stranger <close> = assert(sandbox.start())
    assertRefused("rejected_token", home(tokensOf(stranger)))
  end)

  it("is not asked: the server that takes a token judges it", function()
    local tokens = tokensOf(auth)
    auth:stop()
    assert.equal(200, home(tokens).status)
    auth:expireTokens()
    assert.equal(200, home(tokens).status)
    server:expireTokens()
    assertRefused("expired_token", home(tokens))
    auth:start()
    assert.equal(200, home(tokensOf(auth)).status)
  end)

  it("may live by another clock", function()
    local before = tokensOf(auth)
    server:advanceClock(3600)
    assertRefused("expired_token", home(before))
    local after = tokensOf(auth)
    assert.equal(200, home(after).status)
    server:advanceClock(3599)
    assert.equal(200, home(after).status)
    server:advanceClock(1)
    assertRefused("expired_token", home(after))
    assert.equal(200, homeOf(auth, after.access_token).status)
  end)
end)

describe("the bearer application", function()
  after_each(stopServer)

  local function at(value, path)
    return get(server, server.uris.bearer .. (path or "/static/home.html"), { Authorization = value })
  end

  it("takes its token for everything that it has", function()
    server = assert(sandbox.start())
    for path, status in pairs { ["/static/home.html"] = 200, ["/static/CustomerService.json"] = 200,
      ["/rest/_oepingService/_oeping"] = 200, ["/rest/CustomerService/Customer?filter=CustNum=1"] = 200,
      ["/nothing"] = 404 } do
      assert.equal(status, at("Bearer letmein", path).status, path)
      assert.equal(401, at(nil, path).status, path)
    end
    assert.is_nil(at("Bearer letmein").headers["set-cookie"])
    assert.is_nil(at("Bearer letmein").headers["x-client-context-id"])
    assert.equal(0, server:sessionCount("bearer"))
  end)

  it("refuses other tokens, and says why", function()
    server = assert(sandbox.start())
    local response = at("Bearer wrong")
    assert.equal(401, response.status)
    assert.equal('Bearer realm="SportsBearer", error="invalid_token"', response.headers["www-authenticate"])
    for _, value in ipairs { "letmein", "Bearer", "Bearer letmein x", "oecp letmein",
      "Basic bHVhOnNlY3JldA==" } do
      response = at(value)
      assert.equal(401, response.status, value)
      assert.equal('Bearer realm="SportsBearer"', response.headers["www-authenticate"])
    end
  end)

  it("takes its tokens from the options", function()
    server = assert(sandbox.start { bearerTokens = { "a.b-c_d~e+f/g==", "other" } })
    assert.equal(200, at("Bearer a.b-c_d~e+f/g==").status)
    assert.equal(200, at("bearer other").status)
    assert.equal(401, at("Bearer letmein").status)
    server:close()
    server = assert(sandbox.start { bearerTokens = {} })
    assert.equal(401, at("Bearer letmein").status)
  end)
end)
