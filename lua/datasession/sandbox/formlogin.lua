--- Web applications with a login form: a login makes a session, known by the cookie JSESSIONID or by
-- the path parameter of that name, which holds the client context id. The kinds differ in how they
-- put things:
--
-- - accepted(self, request, session): the login was good
-- - denied(self, request): it was not
-- - refused(self, request): a request without a session
-- - loggedOut(self, request)
-- - open, optional: more paths for those who are not logged in: functions (self, request) by path
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local pages = require "datasession.sandbox.pages"
local sessions = require "datasession.sandbox.sessions"
local webapplication = require "datasession.sandbox.webapplication"

local LOGIN, LOGOUT = "/static/auth/j_spring_security_check", "/static/auth/j_spring_security_logout"

local formlogin = { LOGIN_PAGE = "/static/auth/login.jsp" }

local Form = {}
Form.__index = Form

function Form:setCookie(answer, value, attributes)
  if not self.cookies then return answer end
  local cookie = ("JSESSIONID=%s; Path=%s; HttpOnly%s"):format(value, self.path, attributes or "")
  return http.addHeader(answer, "Set-Cookie", cookie)
end

function Form:addContextId(answer, session)
  if self.contextIds then http.addHeader(answer, "X-CLIENT-CONTEXT-ID", session.contextId) end
  return answer
end

-- A cookie that is still good wins over the context id.
function Form:find(request)
  local ids = self.cookies and http.cookies(request, "JSESSIONID") or {}
  for name, value in pairs(request.parameters) do
    if ascii.upper(name) == "JSESSIONID" then ids[#ids + 1] = value end
  end
  for _, id in ipairs(ids) do
    local session = self.sessions:find(id)
    if session then return session end
  end
end

function Form:login(request)
  if request.method ~= "POST" then return http.methodNotAllowed(request, "POST") end
  local form = http.parseForm(request.body)
  if not self.site.isUser(form.j_username, form.j_password) then return self.kind.denied(self, request) end
  local former = self:find(request)
  if former then self.sessions:close(former) end -- a login never goes on with the session it came with
  local session = self.sessions:open(form.j_username)
  local answer = self:setCookie(self.kind.accepted(self, request, session), session.id)
  return self.cookies and answer or self:addContextId(answer, session)
end

function Form:logout(request)
  if request.method ~= "GET" and request.method ~= "POST" then
    return http.methodNotAllowed(request, "GET, POST")
  end
  local session = self:find(request)
  if session then self.sessions:close(session) end
  return self:setCookie(self.kind.loggedOut(self, request), "", "; Max-Age=0")
end

local open = { -- to those who are not logged in
  [LOGIN] = Form.login,
  [LOGOUT] = Form.logout,
  [formlogin.LOGIN_PAGE] = function(self) return http.html(200, pages.login(self.path)) end,
}

function Form:answer(request)
  local serve = open[request.inside] or self.kind.open and self.kind.open[request.inside]
  if serve then return serve(self, request) end
  local session = self:find(request)
  if not session then return self.kind.refused(self, request) end
  local answer = webapplication.answer(self.site, self, request)
  return http.isSuccess(answer) and self:addContextId(answer, session) or answer
end

--- An application of a kind, as described above.
function formlogin.new(site, kind)
  local self = { site = site, kind = kind, catalog = webapplication.CATALOG, sessions = sessions.new(site) }
  self.cookies, self.contextIds = true, true
  return setmetatable(self, Form)
end

--- The status 401 as a form application tells it to programs.
function formlogin.unauthorized(self)
  local challenge = ('FORM realm="%s"'):format(self.path:sub(2))
  return http.addHeader(http.report(401, 401, "Unauthorized"), "WWW-Authenticate", challenge)
end

--- Without a session: a program is told so, a browser is sent to the login page.
function formlogin.refused(self, request)
  if http.wantsJSON(request) then return formlogin.unauthorized(self) end
  return http.redirect(self.path .. formlogin.LOGIN_PAGE)
end

--- The status 200 as a form application tells it.
function formlogin.ok()
  return http.report(200, 200, "OK")
end

return formlogin
