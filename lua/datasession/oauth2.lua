--- Functions for the option tokenProvider that get their tokens from an OAuth 2.0 authorization server:
-- client credentials and refresh tokens (RFC 6749), and the device flow (RFC 8628).
--
--     local oauth2 = require "datasession.oauth2"
--     local session = datasession.new {
--       serviceURI = "https://host/Sports", authenticationModel = "bearer",
--       tokenProvider = oauth2.clientCredentials {
--         tokenURI = "https://login/oauth/token", clientId = "robot", clientSecret = "secret",
--       },
--     }

local datasession = require "datasession"
local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"
local closing = require("datasession.internal.lua").closing

local oauth2 = {}

-- ---- options

-- The type of each option.
local common = {
  tokenURI = "string", clientId = "string", clientSecret = "string", scope = "string", parameters = "table",
  connection = "table",
}

local function with(more)
  for name, kind in pairs(common) do
    more[name] = kind
  end
  return more
end

local known = {
  clientCredentials = common,
  refreshToken = with { refreshToken = "string", onRefreshToken = "function" },
  deviceFlow = with {
    refreshToken = "string", onRefreshToken = "function", deviceURI = "string", onCode = "function",
  },
}

local function checkNames(call, options, types, level)
  for name, value in pairs(options) do
    if not types[name] then
      local names = {}
      for other in pairs(types) do names[#names + 1] = other end
      raise(("oauth2.%s: %s"):format(call, suggest.unknown("option", name, names)), level + 1)
    elseif type(value) ~= types[name] then
      raise(("oauth2.%s: option '%s': expected a %s, got %s"):format(call, name, types[name],
        argument.type(value)), level + 1)
    end
  end
end

local function check(call, options, needed, level)
  if type(options) ~= "table" then
    raise(("oauth2.%s: expected a table of options, got %s"):format(call, argument.type(options)), level + 1)
  end
  checkNames(call, options, known[call], level + 1)
  for _, name in ipairs(needed) do
    if options[name] == nil then
      raise(("oauth2.%s: option '%s' is missing"):format(call, name), level + 1)
    end
  end
  local copy = {}
  for name, value in pairs(options) do
    copy[name] = value
  end
  return copy
end

-- ---- requests

-- Ends a session without waiting, also when the coroutine that uses it is closed.
local guard = { __close = function(self) core.endSession(self.session) end }

-- Sends a form with the client's id and secret. The answer's object; nil and the error.
local function send(options, uri, fields)
  local connection = { serviceURI = uri:match "^[^?#]*" }
  for name, value in pairs(options.connection or {}) do
    connection[name] = value
  end
  local form = { client_id = options.clientId, client_secret = options.clientSecret, scope = options.scope }
  for _, more in ipairs { options.parameters or {}, fields } do
    for name, value in pairs(more) do
      form[name] = value
    end
  end
  local own = setmetatable({ session = datasession.new(connection) }, guard)
  local response, err = closing(own, function()
    return own.session:request({ uri = uri, method = "POST", form = form }):await()
  end)
  if not response then
    return nil, err
  end
  local answer = response:json()
  if type(answer) ~= "table" then
    return nil, "the authorization server's answer is no JSON object"
  end
  return answer
end

-- The code in the answer of a server that refuses: "invalid_grant", "authorization_pending" ...
local function codeOf(err)
  local answer = err.response and err.response:json()
  return type(answer) == "table" and answer.error or nil
end

local function keepRefreshToken(options, answer)
  local token = answer.refresh_token
  if type(token) ~= "string" or token == "" or token == options.refreshToken then
    return
  end
  options.refreshToken = token
  if options.onRefreshToken then
    options.onRefreshToken(token)
  end
end

-- The token in the answer, and how long it lives; raises the error.
local function take(options, answer, err)
  if not answer then
    error(err, 0)
  end
  if type(answer.access_token) ~= "string" then
    error("the authorization server's answer holds no access_token", 0)
  end
  keepRefreshToken(options, answer)
  return answer.access_token, tonumber(answer.expires_in)
end

local function get(options, fields)
  return take(options, send(options, options.tokenURI, fields))
end

-- A refresh token that rotates is good once: sessions that share the function share one request.
local function refresh(options)
  if not options.refreshing then
    options.refreshing = datasession.spawn(get, options,
      { grant_type = "refresh_token", refresh_token = options.refreshToken })
    options.refreshing:always(function() options.refreshing = nil end)
  end
  local token, lifetime = options.refreshing:await()
  if not token then
    error(lifetime, 0)
  end
  return token, lifetime
end

-- ---- the device flow

-- Seconds to wait before the next request after this error; nil: the user has not approved, or never can.
local function wait(err, interval)
  local code = codeOf(err)
  if code == "authorization_pending" then
    return interval
  elseif code == "slow_down" then
    return interval + 5
  elseif not code and err.retryable then
    return interval * 2
  end
end

local function notInTime()
  return core.failure {
    kind = "auth", result = core.constants.AUTHENTICATION_FAILURE,
    message = "the device was not approved in time",
    hint = "begin again, and approve the device at the address that is shown",
  }
end

local function poll(options, device)
  local left, interval = device.expires_in, tonumber(device.interval) or 5
  while left > 0 do
    datasession.sleep(interval)
    left = left - interval
    local answer, err = send(options, options.tokenURI,
      { grant_type = "urn:ietf:params:oauth:grant-type:device_code", device_code = device.device_code })
    if answer then
      return take(options, answer)
    end
    interval = type(err) == "table" and wait(err, interval)
    if not interval then
      error(err, 0)
    end
  end
  error(notInTime(), 0)
end

local function beginDevice(options)
  local device, err = send(options, options.deviceURI, {})
  if not device then
    error(err, 0)
  end
  if type(device.device_code) ~= "string" or type(device.expires_in) ~= "number" then
    error("the authorization server's answer holds no device_code and expires_in", 0)
  end
  options.onCode {
    userCode = device.user_code, verificationURI = device.verification_uri,
    verificationURIComplete = device.verification_uri_complete, expiresIn = device.expires_in,
  }
  return poll(options, device)
end

-- ---- public

--- Tokens of the program itself, by the grant client_credentials.
-- @param options tokenURI, clientId, clientSecret (required), scope, parameters: further fields of the form;
--   connection: options of datasession.new for the connection to the authorization server
-- @return a function for the option tokenProvider
function oauth2.clientCredentials(options)
  options = check("clientCredentials", options, { "tokenURI", "clientId", "clientSecret" }, 2)
  return function()
    return get(options, { grant_type = "client_credentials" })
  end
end

--- Tokens by a refresh token that the program has.
-- @param options those of clientCredentials (clientSecret is not required); refreshToken (required);
--   onRefreshToken: function(token), called with each new refresh token, for the program to store
-- @return a function for the option tokenProvider
function oauth2.refreshToken(options)
  options = check("refreshToken", options, { "tokenURI", "clientId", "refreshToken" }, 2)
  return function()
    return refresh(options)
  end
end

--- Tokens of a user who approves on another device; then by the refresh token that came with the first.
-- @param options those of refreshToken; deviceURI: the device authorization endpoint (required); onCode:
--   function{ userCode, verificationURI, verificationURIComplete, expiresIn }, which shows the code to the
--   user (required)
-- @return a function for the option tokenProvider; give tokenTimeout the time that a user needs
function oauth2.deviceFlow(options)
  options = check("deviceFlow", options, { "deviceURI", "tokenURI", "clientId", "onCode" }, 2)
  return function()
    if not options.refreshToken then
      return beginDevice(options)
    end
    local done, token, lifetime = pcall(refresh, options)
    if done then
      return token, lifetime
    elseif type(token) ~= "table" or codeOf(token) ~= "invalid_grant" then
      error(token, 0)
    end
    options.refreshToken = nil
    return beginDevice(options)
  end
end

return oauth2
