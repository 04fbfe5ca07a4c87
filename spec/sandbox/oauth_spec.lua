-- The sandbox's authorization server, and the application that accepts its tokens, over real sockets.
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local get, decode = client.get, client.decode

local server -- of the test at hand

local function post(path, form, headers)
  local parts = {}
  for name, value in pairs(form) do
    parts[#parts + 1] = name .. "=" .. value:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
  end
  return client.request(server, "POST", server.uris.oauth .. path,
    { body = table.concat(parts, "&"), headers = headers })
end

local function token(form, headers) return post("/token", form, headers) end

local function home(access)
  return get(server, server.uris.bearer .. "/static/home.html",
    { Authorization = "Bearer " .. access, Accept = "application/json" })
end

local function assertRefused(code, response)
  assert.equal(400, response.status)
  assert.equal("no-store", response.headers["cache-control"])
  assert.equal(code, decode(response).error)
end

local ROBOT = { grant_type = "client_credentials", client_id = "robot", client_secret = "secret" }

describe("the authorization server", function()
  before_each(function() server = assert(sandbox.start { tokenLifetime = 100 }) end)
  after_each(function() server:close() end)

  it("gives a client a token that bearer accepts until it has expired", function()
    local response = token(ROBOT)
    assert.equal(200, response.status)
    assert.equal("no-store", response.headers["cache-control"])
    local tokens = decode(response)
    assert.same({ "Bearer", 100 }, { tokens.token_type, tokens.expires_in })
    assert.is_nil(tokens.refresh_token)
    assert.equal(200, home(tokens.access_token).status)
    server:advanceClock(101)
    local refused = home(tokens.access_token)
    assert.equal(401, refused.status)
    assert.equal('Bearer realm="SportsBearer", error="invalid_token"', refused.headers["www-authenticate"])
    tokens = decode(token(ROBOT))
    assert.equal(200, home(tokens.access_token).status)
    server:expireTokens()
    assert.equal(401, home(tokens.access_token).status)
    assert.equal(200, home("letmein").status)
  end)

  it("takes a client's secret by HTTP Basic too, and no wrong one", function()
    local robot = "Basic " .. require("datasession.internal.base64").encode "robot:secret"
    assert.equal(200, token({ grant_type = "client_credentials" }, { Authorization = robot }).status)
    for _, form in ipairs { { client_id = "robot" }, { client_id = "robot", client_secret = "x" },
      { client_id = "none", client_secret = "secret" }, {} } do
      form.grant_type = "client_credentials"
      local response = token(form)
      assert.equal(401, response.status)
      assert.equal("invalid_client", decode(response).error)
      assert.equal('Basic realm="oauth"', response.headers["www-authenticate"])
    end
    server:setOAuth { clients = { tool = "" } }
    assertRefused("unauthorized_client", token { grant_type = "client_credentials", client_id = "tool" })
  end)

  it("says what is wrong with a request", function()
    assertRefused("unsupported_grant_type", token { client_id = "tv", grant_type = "password" })
    assertRefused("unsupported_grant_type", token { client_id = "tv" })
    assertRefused("invalid_request", token { client_id = "tv", grant_type = "refresh_token" })
    assert.equal(405, get(server, server.uris.oauth .. "/token").status)
    assert.equal(404, get(server, server.uris.oauth .. "/none").status)
  end)

  -- The answer to the beginning of a device flow.
  local function begin()
    local response = post("/device_authorization", { client_id = "tv" })
    assert.equal(200, response.status)
    return decode(response)
  end

  local function poll(device, id)
    return token { client_id = id or "tv", device_code = device.device_code,
      client_secret = id and "secret" or "", grant_type = "urn:ietf:params:oauth:grant-type:device_code" }
  end

  it("gives a device tokens once a user has approved it on the page", function()
    local device = begin()
    assert.same({ 600, 5 }, { device.expires_in, device.interval })
    assert.matches("^%u%u%u%u%-%u%u%u%u$", device.user_code)
    assert.equal("http://localhost/oauth/device", device.verification_uri)
    assertRefused("authorization_pending", poll(device))
    assertRefused("slow_down", poll(device))
    server:advanceClock(6)
    assertRefused("authorization_pending", poll(device))
    local page = get(server, server.uris.oauth .. "/device?user_code=" .. device.user_code)
    assert.matches('value="' .. device.user_code .. '"', page.body, 1, true)
    local form = { user_code = device.user_code:lower(), username = "lua", password = "wrong" }
    assert.equal(401, post("/device", form).status)
    form.password = "secret"
    assert.equal(200, post("/device", form).status)
    form.user_code = "BBBB-BBBB"
    assert.equal(404, post("/device", form).status)
    assertRefused("invalid_grant", poll(device, "robot"))
    local tokens = decode(poll(device))
    assert.equal(200, home(tokens.access_token).status)
    assertRefused("invalid_grant", poll(device))
  end)

  it("refuses a device that the user refuses, and one that nobody approves in time", function()
    local device = begin()
    assert.is_false(server:approveDevice "none")
    assert.is_true(server:approveDevice(device.user_code, false))
    assertRefused("access_denied", poll(device))
    server:setOAuth { deviceLifetime = 10, interval = 0 }
    device = begin()
    assertRefused("authorization_pending", poll(device))
    assertRefused("authorization_pending", poll(device))
    server:advanceClock(11)
    assertRefused("expired_token", poll(device))
  end)

  it("gives a refresh token that is good once, for its client", function()
    local device = begin()
    server:approveDevice(device.user_code)
    local first = decode(poll(device))
    local function refresh(tokens, id)
      return token { grant_type = "refresh_token", client_id = id or "tv",
        client_secret = id and "secret" or "", refresh_token = tokens.refresh_token }
    end
    assertRefused("invalid_grant", refresh(first, "robot"))
    local second = decode(refresh(first))
    assert.equal(200, home(second.access_token).status)
    assertRefused("invalid_grant", refresh(first))
    server:revokeTokens()
    assert.equal(401, home(second.access_token).status)
    assertRefused("invalid_grant", refresh(second))
    server:setOAuth { refreshTokens = false, lifetime = 7 }
    device = begin()
    server:approveDevice(device.user_code)
    local third = decode(poll(device))
    assert.same({ 7, nil }, { third.expires_in, third.refresh_token })
  end)

  it("raises for mistakes", function()
    for message, call in pairs {
      ["bad argument 'code'"] = function() server:approveDevice() end,
      ["bad argument 'approved': boolean"] = function() server:approveDevice("x", 1) end,
      ["unknown option 'lifetme' for 'setOAuth': did you mean 'lifetime'?"] = function()
        server:setOAuth { lifetme = 1 }
      end,
      ["option 'clients' for 'setOAuth'"] = function() server:setOAuth { clients = { "x" } } end,
    } do
      assert.error_matches(call, message, 1, true)
    end
  end)
end)
