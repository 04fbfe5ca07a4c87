--- Access tokens of the kind "oecp": they carry their login, sealed with a secret, so that every server
-- that knows the secret can check them, without asking who issued them. The seal is enough to tell
-- whose tokens they are; it is no cryptography.
--
-- Each server judges their age by its own clock, advanceClock included.
local base64 = require "datasession.internal.base64"
local http = require "datasession.sandbox.http"

local Tokens = {}
Tokens.__index = Tokens

local tokens = {}

local texts = {
  expired_token = "The token has expired", rejected_token = "The token is not accepted",
  corrupt_token = "The token cannot be read", invalid_request = "The request brings no token",
}

--- The 401 to a token; `code` is one of expired_token, rejected_token, corrupt_token and
-- invalid_request, as the token service names its errors.
function tokens.refusal(code)
  local challenge = ('oecp error=401, error_description="%s"'):format(texts[code])
  return http.addHeader(http.json(401, { error = "sso.token." .. code }), "WWW-Authenticate", challenge)
end

--- `site` gives the clock; `lifetime` is in seconds; without a secret it makes a random one.
function tokens.new(site, lifetime, secret)
  local self = { site = site, lifetime = lifetime, secret = secret or site.token() }
  self.expiredUntil = 0 -- a moment: what was issued until then has expired, whatever its age
  return setmetatable(self, Tokens)
end

-- Two polynomials modulo 2^32, which floats hold exactly.
local function hash(text)
  local one, two = 5381, 52711
  for i = 1, #text do
    local byte = text:byte(i)
    one, two = (one * 65599 + byte) % 0x100000000, (two * 69069 + byte) % 0x100000000
  end
  return ("%08x%08x"):format(one, two)
end

--- A new token for a login session.
function Tokens:issue(session)
  local nanoseconds = math.floor(self.site.now() * 1e9)
  local content = ("%d:%d:%s:%s"):format(nanoseconds, self.lifetime, session.contextId, session.user)
  return base64.encode(hash(self.secret .. content) .. ":" .. content)
end

-- `issued` is a moment of site.now, `lifetime` seconds.
function Tokens:hasExpired(issued, lifetime)
  return issued <= self.expiredUntil or self.site.age(issued) >= lifetime
end

--- The client context id of the login that a token was issued for; nil and the code of the error for
-- one that is not good. `token` may be nil.
function Tokens:check(token)
  if not token then return nil, "invalid_request" end
  local seal, content = (base64.decode(token) or ""):match("^(%x+):(.*)$")
  local issued, lifetime, contextId = (content or ""):match("^(%d+):(%d+):([^:]+):")
  if not issued then return nil, "corrupt_token" end
  if seal ~= hash(self.secret .. content) then return nil, "rejected_token" end
  if self:hasExpired(issued / 1e9, tonumber(lifetime)) then return nil, "expired_token" end
  return contextId
end

--- All tokens issued so far have expired.
function Tokens:expire()
  self.expiredUntil = self.site.now()
end

return tokens
