--- The web application with bearer tokens: every request brings one that the options name or that the
-- application oauth has given; there is no session.
local http = require "datasession.sandbox.http"
local webapplication = require "datasession.sandbox.webapplication"

local CHALLENGE = 'Bearer realm="SportsBearer"'

local function refuse(token)
  local challenge = token and CHALLENGE .. ', error="invalid_token"' or CHALLENGE
  return http.addHeader(http.failure(401, "Unauthorized"), "WWW-Authenticate", challenge)
end

return {
  model = "bearer",
  path = "/SportsBearer",

  open = function(site)
    return { catalog = webapplication.CATALOG, answer = function(self, request)
      local token = http.credentials(request, "bearer")
      local good = token and (site.bearerTokens[token] or site.isAccessToken(token))
      if not good then return refuse(token) end
      return webapplication.answer(site, self, request)
    end }
  end,
}
