--- The toolkit's table of sessions: known by the cookie JSESSIONID, by session id, by terminal.
local base64 = require "datasession.internal.base64"
local http = require "datasession.sandbox.http"
local sessions = require "datasession.sandbox.sessions"

local Table = {}
Table.__index = Table

local function bytes(token)
  return (token:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- 23 characters when the servlet engine makes it, 40 upper-case letters when the toolkit does.
local function newId(site, settings)
  local random = bytes(site.token() .. site.token() .. site.token())
  if settings.carrier == "parameter" then
    return (random:sub(1, 40):gsub(".", function(byte) return string.char(65 + byte:byte() % 26) end))
  end
  return (base64.encode(random):sub(1, 23):gsub("[+/]", { ["+"] = "-", ["/"] = "_" }))
end

--- An empty table; `settings` are setBtt's.
local function new(site, settings)
  local self = { settings = settings }
  self.sessions = sessions.new(site, {
    newId = function() return newId(site, settings) end,
    idleTimeout = function() return sessions.secondsOf(settings.timeout) end,
  })
  self.terminals = setmetatable({}, { __mode = "v" }) -- sessions by TID
  return setmetatable(self, Table)
end

--- A new session, of a terminal when `tid` is given.
function Table:open(tid)
  local session = self.sessions:open()
  session.tid, session.page = tid, 0
  if tid then self.terminals[tid] = session end
  return session
end

function Table:close(session)
  self.sessions:close(session)
end

local function find(self, id)
  return id and self.sessions:find(id) or nil
end

--- The live session that the request's cookie names.
function Table:ofCookie(request)
  if self.settings.carrier == "parameter" then return nil end
  for _, value in ipairs(http.cookies(request, "JSESSIONID")) do
    local session = find(self, value:match("^%d%d%d%d([^:]+):[^:]+$"))
    if session then return session end
  end
end

--- The live session that a request runs in: a cookie that is good wins over the parameter.
function Table:ofRequest(request, fields)
  local session = self:ofCookie(request)
  if session or self.settings.carrier == "cookie" then return session end
  return find(self, fields.sessionId)
end

--- The live session that an establish request wants to join, by terminal or by id.
function Table:toJoin(fields)
  if fields.serverId and fields.serverId ~= self.settings.serverId then return nil end
  local ofTerminal = fields.TID and self.terminals[fields.TID]
  return find(self, ofTerminal and ofTerminal.id) or find(self, fields.sessionId)
end

--- Lets an answer set the session's cookie, where cookies are in use.
function Table:addCookie(answer, session, path)
  if self.settings.carrier == "parameter" then return answer end
  return http.addHeader(answer, "Set-Cookie", ("JSESSIONID=0000%s:n1; Path=%s"):format(session.id, path))
end

return { new = new }
