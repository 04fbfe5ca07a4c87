--- A small OAuth 2.0 authorization server (RFC 6749, RFC 8628), whose access tokens the application bearer
-- accepts. POST /oauth/token takes the grants client_credentials, refresh_token (each is good once) and
-- device_code; POST /oauth/device_authorization begins a device flow, which a user approves at /oauth/device,
-- or the host by approveDevice. Its settings are those of setOAuth.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local settings = require "datasession.sandbox.settings"

local DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

local Server = {}
Server.__index = Server

local function private(answer)
  return http.addHeader(answer, "Cache-Control", "no-store")
end

local function refuse(code, description)
  return private(http.json(400, { error = code, error_description = description }))
end

-- The client that the request is from, by HTTP Basic or in the form; nil: it does not prove that.
local function clientOf(self, request, form)
  local id, secret = request.user or form.client_id, request.password or form.client_secret
  local known = id and self.settings.clients[id]
  if known and known == (secret or "") then return { id = id, secret = known } end
end

local function give(self, client, withRefresh)
  local token, lifetime = self.site.token(), self.settings.lifetime or self.site.tokens.lifetime
  self.access[token] = { issued = self.site.now(), lifetime = lifetime }
  local members = { { "access_token", token }, { "token_type", "Bearer" }, { "expires_in", lifetime } }
  if withRefresh and self.settings.refreshTokens then
    local refresh = self.site.token()
    self.refresh[refresh] = client.id
    members[4] = { "refresh_token", refresh }
  end
  return private(http.json(200, json.ordered(members)))
end

-- ---- grants

local grants = {}

function grants.client_credentials(self, client)
  if client.secret == "" then return refuse("unauthorized_client", "This client has no secret.") end
  return give(self, client, false)
end

function grants.refresh_token(self, client, form)
  if not form.refresh_token then return refuse("invalid_request", "refresh_token is missing.") end
  if self.refresh[form.refresh_token] ~= client.id then
    return refuse("invalid_grant", "The refresh token was used, revoked, or is another client's.")
  end
  self.refresh[form.refresh_token] = nil
  return give(self, client, true)
end

-- A client that asks again before its interval is over is told to slow down.
local function isTooFast(self, device)
  local now, last = self.site.clock(), device.asked
  device.asked = now
  return last and now - last < self.settings.interval
end

grants[DEVICE_CODE] = function(self, client, form)
  local device = self.devices[form.device_code or ""]
  if not device or device.client ~= client.id then
    return refuse("invalid_grant", "There is no such device_code.")
  end
  if self.site.clock() >= device.expires then
    return refuse("expired_token", "The device_code has expired.")
  end
  if device.approved == nil then
    local code = isTooFast(self, device) and "slow_down" or "authorization_pending"
    return refuse(code, "The user has not decided.")
  end
  self.devices[form.device_code] = nil
  if not device.approved then return refuse("access_denied", "The user has refused.") end
  return give(self, client, true)
end

-- ---- endpoints

local endpoints = {}

local function withClient(self, request, serve)
  if request.method ~= "POST" then return http.methodNotAllowed(request, "POST") end
  local form = http.parseForm(request.body)
  local client = clientOf(self, request, form)
  if client then return serve(client, form) end
  local answer = http.json(401, { error = "invalid_client", error_description = "The client is not known." })
  return private(http.addHeader(answer, "WWW-Authenticate", 'Basic realm="oauth"'))
end

endpoints["/token"] = function(self, request)
  return withClient(self, request, function(client, form)
    local grant = grants[form.grant_type or ""]
    if not grant then return refuse("unsupported_grant_type", "There is no such grant_type.") end
    return grant(self, client, form)
  end)
end

local LETTERS = "BCDFGHJKLMNPQRSTVWXZ" -- RFC 8628, 6.1: no vowels, so no words

local function newUserCode(self)
  local letters = {}
  for byte in self.site.token():sub(1, 8):gmatch "." do
    local i = byte:byte() % #LETTERS + 1
    letters[#letters + 1] = LETTERS:sub(i, i)
  end
  return table.concat(letters, "", 1, 4) .. "-" .. table.concat(letters, "", 5, 8)
end

endpoints["/device_authorization"] = function(self, request)
  return withClient(self, request, function(client)
    local code, userCode = self.site.token(), newUserCode(self)
    local page = ("%s://%s/oauth/device"):format(self.site.scheme, request.headers.host)
    local lifetime = self.settings.deviceLifetime
    self.devices[code] = { client = client.id, userCode = userCode, expires = self.site.clock() + lifetime }
    return private(http.json(200, json.ordered {
      { "device_code", code }, { "user_code", userCode }, { "verification_uri", page },
      { "verification_uri_complete", page .. "?user_code=" .. userCode }, { "expires_in", lifetime },
      { "interval", self.settings.interval },
    }))
  end)
end

local FORM = [[<html><body><form method="post">Code <input name="user_code" value="%s">
User <input name="username"> Password <input name="password" type="password">
<button name="approved" value="yes">Approve</button> <button name="approved" value="no">Refuse</button>
</form></body></html>]]

endpoints["/device"] = function(self, request)
  if request.method ~= "POST" then
    local code = (request.query.user_code or ""):gsub("[^%w-]", "")
    return http.html(200, FORM:format(code))
  end
  local form = http.parseForm(request.body)
  if not self.site.isUser(form.username, form.password) then return http.failure(401, "The login failed.") end
  if not self:decide(form.user_code or "", form.approved ~= "no") then
    return http.failure(404, "There is no such code.")
  end
  return http.html(200, "<html><body>Done: go back to the device.</body></html>")
end

function Server:answer(request)
  local endpoint = endpoints[request.inside]
  return endpoint and endpoint(self, request) or http.notFound(request)
end

--- Approves or refuses the device that shows this code; false: none does.
function Server:decide(userCode, approved)
  userCode = ascii.upper(userCode)
  for _, device in pairs(self.devices) do
    if device.userCode == userCode then
      device.approved = approved
      return true
    end
  end
  return false
end

--- Forgets the refresh tokens given so far.
function Server:revoke()
  self.refresh = {} -- ids of clients by refresh token
end

return {
  model = "oauth",
  path = "/oauth",

  open = function(site)
    local self = setmetatable({ site = site, settings = settings.new("oauth"), access = {}, devices = {} },
      Server)
    self:revoke()
    function site.isAccessToken(token)
      local known = self.access[token]
      return known ~= nil and not site.tokens:hasExpired(known.issued, known.lifetime)
    end
    return self
  end,
}
