--- The web application without authentication.
local webapplication = require "datasession.sandbox.webapplication"

return {
  model = "anonymous",
  path = "/SportsAnonymous",

  open = function(site)
    return { catalog = webapplication.CATALOG, answer = function(self, request)
      return webapplication.answer(site, self, request)
    end }
  end,
}
