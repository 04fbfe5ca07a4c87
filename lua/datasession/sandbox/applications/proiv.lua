--- A PROIV connection servlet: a session is opened by the name of a service or with the details of the
-- connection, known by its cookie, asked how it stands, asked to stop, and ended. Opening is the vendor's
-- documented URL; the rest is this library's own convention. Its settings are those of setProiv.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local sessions = require "datasession.sandbox.sessions"
local settings = require "datasession.sandbox.settings"
local math = require("datasession.internal.lua").math

local SERVICES = { Default = true, Orders = true, Disabled = false }
local SESSION_TYPES = { TELNET_SESSION = true, TELNET_LOGIN_SESSION = true }

local Servlet = {}
Servlet.__index = Servlet

local function state(status, name)
  return http.json(status, { state = name })
end

-- ---- opening

local function open(self, user)
  local session = self.sessions:open(user)
  local members = { { "state", "running" } }
  if self.settings.sessionKey then
    session.key = self.site.token()
    members[2] = { "sessionKey", session.key }
  end
  local answer = http.json(200, json.ordered(members))
  return http.addHeader(answer, "Set-Cookie", ("JSESSIONID=%s; Path=/"):format(session.id))
end

local function openService(self, name)
  if not SERVICES[name] then return http.failure(404, "There is no such service.") end
  return open(self)
end

local function isPort(text)
  local port = text:find("^%d+$") and tonumber(text)
  return port and port >= 1 and port <= 65535
end

-- The fault in the details of a connection; nil: none.
local function mistake(details)
  for _, name in ipairs { "SessionType", "Hostname", "Port", "Username", "Password" } do
    if not details[name] or details[name] == "" then return name .. " is missing." end
  end
  if not SESSION_TYPES[details.SessionType] then return "There is no such SessionType." end
  if not isPort(details.Port) then return "Port is no port." end
end

local function connect(self, details)
  if not self.appServer then return http.failure(503, "The virtual machine does not answer.") end
  if details.SESSION_NAME then return openService(self, details.SESSION_NAME) end
  local problem = mistake(details)
  if problem then return http.failure(400, problem) end
  if not self.site.isUser(details.Username, details.Password) then
    return http.addHeader(http.failure(401, "The login failed."), "WWW-Authenticate", 'FORM realm="connect"')
  end
  return open(self, details.Username)
end

-- ---- open sessions

local actions = {}

-- How the session stands after the STOP and so many polls.
local function stopping(self, session)
  local rule = self.settings
  if rule.stop == "hang" or session.polls < rule.polls then return state(200, "stopping") end
  session.stopping = false
  if rule.stop == "refuseLater" then return state(200, "refused") end
  self.sessions:close(session)
  return state(200, "ended")
end

function actions.POLL(self, session)
  if self.settings.finished then
    self.sessions:close(session)
    return state(200, "ended")
  end
  if not session.stopping then return state(200, "running") end
  session.polls = session.polls + 1
  return stopping(self, session)
end

function actions.STOP(self, session)
  if self.settings.stop == "refuse" then return state(409, "refused") end
  session.stopping, session.polls = true, 0
  return stopping(self, session)
end

function actions.END(self, session)
  self.sessions:close(session)
  return http.answer(204)
end

local function find(self, request)
  for _, id in ipairs(http.cookies(request, "JSESSIONID")) do
    local session = self.sessions:find(id)
    if session then return session end
  end
end

local function lost(self)
  local as = self.settings.lossAs
  if as == "lost" then return state(200, "lost") end
  return http.failure(math.tointeger(as), "There is no such session.")
end

local function act(self, request, form)
  local action = actions[form.ACTION]
  if not action then return http.failure(400, "There is no such ACTION.") end
  if not form.SESSION_KEY then return http.failure(400, "SESSION_KEY is missing.") end
  if not self.appServer then return http.failure(503, "The virtual machine does not answer.") end
  local session = find(self, request)
  if not session or (session.key and session.key ~= form.SESSION_KEY) then return lost(self) end
  return action(self, session)
end

function Servlet:answer(request)
  if request.inside ~= "" then return http.notFound(request) end
  if request.method == "GET" then return connect(self, request.query) end
  if request.method ~= "POST" then return http.methodNotAllowed(request, "GET, POST") end
  local form = http.parseForm(request.body)
  if form.ACTION then return act(self, request, form) end
  return connect(self, form)
end

return {
  model = "proiv",
  path = "/connect",

  open = function(site)
    -- As its servlet engine makes them.
    local function newId() return "node0" .. ascii.lower(site.token()) end
    local self = { site = site, settings = settings.new("proiv"),
      sessions = sessions.new(site, { newId = newId }) }
    return setmetatable(self, Servlet)
  end,
}
