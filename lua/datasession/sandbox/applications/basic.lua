--- The web application with HTTP Basic authentication: every request brings user and password,
-- there is no session.
local http = require "datasession.sandbox.http"
local webapplication = require "datasession.sandbox.webapplication"

local function refuse()
  return http.addHeader(http.failure(401, "Unauthorized"), "WWW-Authenticate", 'Basic realm="SportsBasic"')
end

return {
  model = "basic",
  path = "/SportsBasic",

  open = function(site)
    return { catalog = webapplication.CATALOG, answer = function(self, request)
      if not site.isUser(request.user, request.password) then return refuse() end
      return webapplication.answer(site, self, request)
    end }
  end,
}
