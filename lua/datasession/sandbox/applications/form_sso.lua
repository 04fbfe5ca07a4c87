--- The token server: a form application whose login, asked with ?OECP=yes, gives an access token and a
-- refresh token beside the session, and which gives new ones for a refresh token as long as that
-- session lives.
local formlogin = require "datasession.sandbox.formlogin"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local tokens = require "datasession.sandbox.tokens"

-- The body of a token answer, as setTokenAnswer wants it.
local function body(self, members)
  local changes = self.tokenAnswer or {}
  if type(changes) == "string" then return changes end
  for name, value in pairs(changes) do members[name] = value ~= false and value or nil end
  return json.encode(members)
end

-- A new refresh token in place of the one used (nil at login). That one stays good until its
-- successor is used, as the answer may get lost.
local function turnRefreshToken(self, session, used)
  local dropped = session.refreshToken
  if used == dropped then dropped = session.formerToken end
  if dropped then self.holders[dropped] = nil end
  session.formerToken, session.refreshToken = used, self.site.token()
  self.holders[session.refreshToken] = session
  return session.refreshToken
end

local function give(self, session, used)
  local lifetime = self.site.tokens.lifetime
  self.sessions:keep(session, lifetime)
  local answer = http.answer(200, "application/json", body(self, {
    token_type = "oecp", expires_in = lifetime,
    access_token = self.site.tokens:issue(session),
    refresh_token = turnRefreshToken(self, session, used),
  }))
  http.addHeader(answer, "Cache-Control", "no-store")
  return http.addHeader(answer, "Pragma", "no-cache")
end

local function accepted(self, request, session)
  return request.query.OECP == "yes" and give(self, session) or formlogin.ok()
end

local function badRequest(code)
  return http.json(400, { error = "sso.token." .. code })
end

local function refresh(self, request)
  if request.method ~= "POST" then return http.methodNotAllowed(request, "POST") end
  local input = json.decode(request.body)
  if request.query.op ~= "refresh" or type(input) ~= "table" or type(input.refresh_token) ~= "string" then
    return badRequest("invalid_request")
  end
  if input.token_type ~= "oecp" then return badRequest("unsupported_token") end
  local session = self.holders[input.refresh_token]
  if not session or not self.sessions:isAlive(session) then return tokens.refusal("rejected_token") end
  self.refreshes = self.refreshes + 1
  return give(self, session, input.refresh_token)
end

-- Forgets the refresh tokens given so far.
local function revoke(self)
  self.holders = setmetatable({}, { __mode = "v" }) -- sessions by refresh token
end

local kind = {
  accepted = accepted, denied = formlogin.unauthorized, refused = formlogin.refused, loggedOut = formlogin.ok,
  open = { ["/static/auth/token"] = refresh },
}

return {
  model = "form_sso",
  path = "/SportsAuth",

  open = function(site)
    local self = formlogin.new(site, kind)
    self.refreshes, self.revoke = 0, revoke
    self:revoke()
    return self
  end,
}
