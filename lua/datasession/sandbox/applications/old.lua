--- The form application of an older server, which takes no notice of what a client accepts. In the
-- style "pages" a client that is not logged in gets the login page with status 200, and wrong credentials a
-- page that says so; "redirect": redirects to those pages; "json": status 200 too, and the true status
-- in the body. But for "json" a login ends in a redirect to the home page.
local formlogin = require "datasession.sandbox.formlogin"
local http = require "datasession.sandbox.http"
local pages = require "datasession.sandbox.pages"

local FAILED_PAGE = "/static/auth/loginfailed.jsp"

local styles = {}

-- As a servlet container does it: without cookies the session is in the address.
local function toHome(self, _, session)
  local parameter = self.cookies and "" or ";jsessionid=" .. session.contextId
  return http.redirect(self.path .. "/static/home.html" .. parameter)
end

local function toLogin(self)
  return http.redirect(self.path .. formlogin.LOGIN_PAGE)
end

local function loginPage(self)
  return http.html(200, pages.login(self.path))
end

local function failedPage()
  return http.html(200, pages.loginFailed())
end

styles.pages = {
  accepted = toHome, denied = failedPage, refused = loginPage,
  loggedOut = function() return http.html(200, pages.loggedOut()) end,
}

styles.redirect = {
  accepted = toHome, refused = toLogin, loggedOut = toLogin,
  denied = function(self) return http.redirect(self.path .. FAILED_PAGE) end,
}

local function unauthorized()
  return http.report(200, 401, "Unauthorized")
end

styles.json = {
  accepted = formlogin.ok, denied = unauthorized, refused = unauthorized, loggedOut = formlogin.ok,
}

local kind = { open = { [FAILED_PAGE] = failedPage } }
for _, name in ipairs { "accepted", "denied", "refused", "loggedOut" } do
  kind[name] = function(self, ...) return styles[self.style][name](self, ...) end
end

return {
  model = "old",
  path = "/SportsOld",

  open = function(site)
    local self = formlogin.new(site, kind)
    self.style = "pages"
    return self
  end,
}
