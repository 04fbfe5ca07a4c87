--- The web application with form authentication.
local formlogin = require "datasession.sandbox.formlogin"

local kind = {
  accepted = formlogin.ok, denied = formlogin.unauthorized, refused = formlogin.refused,
  loggedOut = formlogin.ok,
}

return {
  model = "form",
  path = "/SportsForm",

  open = function(site) return formlogin.new(site, kind) end,
}
