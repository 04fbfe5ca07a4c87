-- datasession.oauth2: tokens from an authorization server.
local datasession = require "datasession"
local oauth2 = require "datasession.oauth2"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

local server

setup(function() server = assert(sandbox.start()) end)
teardown(function() server:close() end)
before_each(function()
  sessions.refresh(server)
  server:clearRoutes()
  server:setOAuth { interval = 0.01 }
end)
after_each(sessions.endAll)

local function session(provider, options)
  options = options or {}
  options.tokenProvider = provider
  return sessions.new(server, "bearer", options)
end

local function loggedIn(provider)
  local one = session(provider)
  assert(one:login():await(LIMIT))
  return one
end

-- The bodies of the requests to the authorization server.
local function forms(path)
  local list = {}
  for _, request in ipairs(server:requests()) do
    if request.path == "/oauth/" .. path then list[#list + 1] = request.body end
  end
  return list
end

local function answer(path, status, body)
  server:route("POST", "/oauth/" .. path, function(_, state) return state.status, nil, state.body end,
    { status = status, body = body })
end

local function with(options)
  local made = { tokenURI = server.uris.oauth .. "/token", clientId = "tv" }
  for name, value in pairs(options or {}) do made[name] = value end
  return made
end

describe("oauth2.clientCredentials", function()
  local function provider(options)
    local made = with(options)
    made.clientId, made.clientSecret = "robot", made.clientSecret or "secret"
    return oauth2.clientCredentials(made)
  end

  it("gets a token for each need, with the scope and what else the server wants", function()
    local one = loggedIn(provider { scope = "read write", parameters = { audience = "sports" },
      connection = { timeout = 5 } })
    server:expireTokens()
    assert(one:ping():await(LIMIT))
    local expected = "audience=sports&client_id=robot&client_secret=secret&grant_type=client_credentials"
      .. "&scope=read%20write"
    assert.same({ expected, expected }, forms "token")
    assert.equal(one, datasession.activeSession())
    assert.same({ one }, datasession.sessions())
  end)

  it("says what the authorization server said", function()
    local err = rejected(session(provider { clientSecret = "wrong" }):login(), "auth")
    assert.matches("tokenProvider gave no token: .*HTTP 401 from .*/oauth/token.*invalid_client", err.message)
    assert.is_false(err.retryable == true)
    assert.is_nil(err.message:find("wrong", 1, true))
    server:fault { kind = "status", status = 503, path = "token$" }
    assert.is_true(rejected(session(provider()):login(), "auth").retryable)
    for body, words in pairs { ["[1]"] = "holds no access_token", ["{}"] = "holds no access_token",
      ["7"] = "is no JSON object", ['{"access_token": 7}'] = "holds no access_token" } do
      answer("token", 200, body)
      assert.matches(words, rejected(session(provider()):login(), "auth").message, 1, true)
    end
  end)

  it("stops its request when the login is cancelled", function()
    server:fault { kind = "slow", delay = 60, path = "token$" }
    local login = session(provider()):login()
    await.stepUntil(function() return #server:requests() == 1 end)
    login:cancel()
    rejected(login, "cancelled")
    assert.is_true(datasession.run(LIMIT))
  end)
end)

-- The refresh token of a user who has approved the device.
local function refreshToken()
  local stored
  loggedIn(oauth2.deviceFlow(with {
    deviceURI = server.uris.oauth .. "/device_authorization",
    onCode = function(code) server:approveDevice(code.userCode) end,
    onRefreshToken = function(token) stored = token end,
  }))
  server:clearRequests()
  return stored
end

describe("oauth2.refreshToken", function()
  it("uses each refresh token once, and hands the next one out", function()
    local stored = { refreshToken() }
    local one = loggedIn(oauth2.refreshToken(with {
      refreshToken = stored[1], onRefreshToken = function(token) stored[#stored + 1] = token end,
    }))
    for _ = 1, 2 do
      server:expireTokens()
      assert(one:ping():await(LIMIT))
    end
    assert.equal(4, #stored)
    for i, form in ipairs(forms "token") do
      assert.matches("refresh_token=" .. stored[i], form, 1, true)
    end
  end)

  it("is one request for several sessions", function()
    local provider = oauth2.refreshToken(with { refreshToken = refreshToken() })
    local one, other = session(provider), session(provider)
    local login, second = one:login(), other:login()
    assert(login:await(LIMIT))
    assert(second:await(LIMIT))
    assert.equal(1, #forms "token")
  end)

  it("keeps the refresh token when the server gives no other", function()
    local token = refreshToken()
    server:setOAuth { refreshTokens = false }
    local one = loggedIn(oauth2.refreshToken(with { refreshToken = token }))
    server:expireTokens()
    assert.equal("expired", rejected(one:ping()).kind and one.state)
    assert.equal(forms("token")[1], forms("token")[2])
    server:setOAuth { refreshTokens = true }
  end)
end)

describe("oauth2.deviceFlow", function()
  local codes

  before_each(function() codes = {} end)

  local function provider(options)
    local made = with(options)
    made.deviceURI = server.uris.oauth .. "/device_authorization"
    made.onCode = made.onCode or function(code) codes[#codes + 1] = code end
    return oauth2.deviceFlow(made)
  end

  local function approve(code) server:approveDevice(code.userCode) end

  it("shows a code, waits for the user, and refreshes later", function()
    local one = session(provider())
    local login = one:login()
    await.stepUntil(function() return #forms "token" > 1 end)
    assert.equal(server.uris.oauth .. "/device", codes[1].verificationURI)
    assert.equal(codes[1].verificationURI .. "?user_code=" .. codes[1].userCode,
      codes[1].verificationURIComplete)
    assert.equal(600, codes[1].expiresIn)
    server:approveDevice(codes[1].userCode)
    assert(login:await(LIMIT))
    server:expireTokens()
    assert(one:ping():await(LIMIT))
    assert.equal(1, #codes)
  end)

  it("begins anew when the refresh token is refused, and not when the server fails", function()
    local one = loggedIn(provider { refreshToken = "old", onCode = function(code)
      codes[#codes + 1] = code
      approve(code)
    end })
    assert.equal(1, #codes)
    server:fault { kind = "status", status = 503, path = "token$" }
    server:expireTokens()
    assert.is_true(rejected(one:ping(), "auth").retryable)
    assert(one:ping():await(LIMIT))
    assert.equal(1, #codes)
  end)

  it("waits longer when it is told to, or when the connection fails", function()
    server:fault { kind = "reset", path = "token$" }
    assert.equal("connected", loggedIn(provider { onCode = approve }).state)
    server:route("POST", "/oauth/device_authorization", function()
      return 200, nil, { device_code = "x", user_code = "y", expires_in = 0.05, interval = 0.01 }
    end)
    answer("token", 400, '{"error": "slow_down"}')
    local login = session(provider(), { tokenTimeout = 0.1 }):login()
    assert.matches("longer than tokenTimeout", rejected(login).message, 1, true)
    assert.equal(1, #forms "device_authorization" - 1)
  end)

  it("ends when the user refuses, when nobody approves, and when the server's answer is none", function()
    local refused = session(provider { onCode = function(code)
      server:approveDevice(code.userCode, false)
    end })
    assert.matches("access_denied", rejected(refused:login(), "auth").message)
    server:fault { kind = "status", status = 500, path = "device_authorization$" }
    assert.matches("HTTP 500", rejected(session(provider()):login(), "auth").message)
    answer("device_authorization", 200, "{}")
    assert.matches("holds no device_code", rejected(session(provider()):login(), "auth").message)
    answer("device_authorization", 200, '{"device_code": "x", "expires_in": 0.02, "interval": 0.01}')
    answer("token", 400, '{"error": "authorization_pending"}')
    local before = #forms "token"
    local err = rejected(session(provider()):login(), "auth")
    assert.matches("the device was not approved in time", err.message, 1, true)
    assert.equal(2, #forms "token" - before) -- one for each interval
    assert.matches("begin again", err.hint)
    answer("token", 200, "7")
    answer("device_authorization", 200, '{"device_code": "x", "expires_in": 5, "interval": 0}')
    assert.matches("is no JSON object", rejected(session(provider()):login(), "auth").message)
  end)
end)

it("oauth2 raises for mistakes", function()
  for message, call in pairs {
    ["oauth2.clientCredentials: expected a table of options, got nil"] = function()
      oauth2.clientCredentials()
    end,
    ["oauth2.clientCredentials: option 'clientSecret' is missing"] = function()
      oauth2.clientCredentials { tokenURI = "http://x", clientId = "a" }
    end,
    ["oauth2.refreshToken: unknown option 'refreshTokn': did you mean 'refreshToken'?"] = function()
      oauth2.refreshToken { refreshTokn = "x" }
    end,
    ["oauth2.deviceFlow: option 'onCode': expected a function, got string"] = function()
      oauth2.deviceFlow { onCode = "x" }
    end,
  } do
    local ok, err = pcall(call)
    assert.is_false(ok)
    assert.matches(message, err, 1, true)
    assert.matches("^spec/", err)
  end
end)
