--- The web application that takes the tokens of a token server: every request brings one, there is no
-- login and no session. The client context id is that of the login that gave the token.
local http = require "datasession.sandbox.http"
local tokens = require "datasession.sandbox.tokens"
local webapplication = require "datasession.sandbox.webapplication"

return {
  model = "sso",
  path = "/SportsSso",

  open = function(site)
    return { catalog = webapplication.CATALOG, contextIds = true, answer = function(self, request)
      local contextId, code = site.tokens:check(http.credentials(request, "oecp"))
      if not contextId then return tokens.refusal(code) end
      local answer = webapplication.answer(site, self, request)
      if self.contextIds and http.isSuccess(answer) then
        http.addHeader(answer, "X-CLIENT-CONTEXT-ID", contextId)
      end
      return answer
    end }
  end,
}
