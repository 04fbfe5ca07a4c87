--- A server of the Bank Transformation Toolkit: sessions are established by one servlet, operations run
-- by another, in forms, JSON or XML. Its settings are those of setBtt.
local http = require "datasession.sandbox.http"
local locale = require "datasession.internal.locale"
local operations = require "datasession.sandbox.btt.operations"
local reader = require "datasession.sandbox.btt.reader"
local settings = require "datasession.sandbox.settings"
local table_ = require "datasession.sandbox.btt.table"
local writer = require "datasession.sandbox.btt.writer"
local lua = require "datasession.internal.lua"

local math, table = lua.math, lua.table

local failure = writer.failure

local Bank = {}
Bank.__index = Bank

local function write(self, message, members, status)
  return writer.write(message, self.settings, members, status)
end

-- Answers to forms are pages, or JSON in their place. They are numbered within their session, and only
-- the latest may be gone on from.
local function hasPage(message)
  return message.format == "form"
end

local function addPage(message, session, members)
  if not hasPage(message) then return end
  session.page = session.page + 1
  members[#members + 1] = { "dse_pageId", tostring(session.page) }
end

-- ---- establishing

-- The members of a reply as the setting `reply` wants them.
local function changed(members, changes)
  local result, seen = {}, {}
  for _, member in ipairs(members) do
    local name, value = member[1], changes[member[1]]
    seen[name] = true
    if value == nil then value = member[2] end
    if value then result[#result + 1] = { name, value } end
  end
  local added = {}
  for name, value in pairs(changes) do
    if value and not seen[name] then added[#added + 1] = { name, value } end
  end
  table.sort(added, function(a, b) return locale.before(a[1], b[1]) end)
  return table.move(added, 1, #added, #result + 1, result)
end

local function established(self, request, message, session)
  local members = {
    { "status", "OK" }, { "sessionId", session.id },
    { "timeout", ("%d"):format(self.settings.timeout) },
  }
  addPage(message, session, members)
  local answer = write(self, message, changed(members, self.settings.reply))
  if self.table:ofCookie(request) == session then return answer end
  return self.table:addCookie(answer, session, self.path)
end

local function create(self, request, message)
  local former = self.table:ofCookie(request)
  if former then self.table:close(former) end -- a servlet engine has one session for a cookie
  return established(self, request, message, self.table:open(message.fields.TID))
end

local function join(self, request, message)
  local fields = message.fields
  if not fields.TID and not fields.sessionId then
    return write(self, message, failure(nil, "DSEException", "TID is missing."), 500)
  end
  local session = self.table:toJoin(fields)
  if session then return established(self, request, message, session) end
  return write(self, message,
    failure("CSS00", "DSECSSessionNotEstablishedException", "There is no such session."))
end

local function establish(self, request, message)
  message.document = "sessionReply"
  if self.settings.refuseEstablish > 0 then
    self.settings.refuseEstablish = self.settings.refuseEstablish - 1
    return write(self, message, failure("CSS07", "DSEException", "The session was refused."))
  end
  local wanted = message.fields.createSession
  if wanted == "true" or (not wanted and not self.table:toJoin(message.fields)) then
    return create(self, request, message)
  elseif wanted == "false" or not wanted then
    return join(self, request, message)
  end
  return write(self, message, failure(nil, "DSEException", "createSession is neither true nor false."), 500)
end

-- ---- operations

local function lost(self, message)
  local as = self.settings.lossAs
  if as == "redirect" then return http.redirect(self.settings.location) end
  if as == "CSS00" or as == "CSS11" then
    return write(self, message,
      failure(as, "DSECSSessionNotEstablishedException", "The session is not established."))
  end
  local answer = http.html(math.tointeger(as), "<p>Please sign in.</p>\n")
  return as == 401 and http.addHeader(answer, "WWW-Authenticate", 'FORM realm="bank"') or answer
end

local function isPageGood(self, message, session)
  if not session or not hasPage(message) then return true end
  local page = message.fields.pageId
  if page then return page == tostring(session.page) end
  return self.settings.pageId == "optional"
end

local function addSession(message, session, members)
  if not session then return members end
  members[#members + 1] = { "sessionId", session.id }
  addPage(message, session, members)
  return members
end

-- The XML channel's reply: what the request calls itself comes back, and a session id only when it is news.
local function replyMsg(message, call, result)
  local members = { { "status", "OK" }, { "repFormatName", "csReplyFormat" }, { "result", result } }
  for _, name in ipairs { "operationId", "applicationId" } do
    members[#members + 1] = message.fields[name] and { name, message.fields[name] }
  end
  return call.replaced and addSession(message, call.session, members) or members
end

local function succeeded(self, message, call, result)
  local isReplyMsg = message.format == "xml" and message.root == "requestMsg"
  local members = isReplyMsg and replyMsg(message, call, result)
    or addSession(message, call.session, { { "status", "OK" }, { "result", result } })
  local answer = write(self, message, members)
  return call.replaced and self.table:addCookie(answer, call.session, self.path) or answer
end

local function failed(self, message, session, text)
  return write(self, message, addSession(message, session, failure("CSS07", "DSEException", text)))
end

local function run(self, message, session)
  local name = message.fields.operationName or message.fields.action or ""
  local operation = operations[name]
  if not operation then return failed(self, message, session, "There is no such operation.") end
  local calls = self.site.calls
  calls["btt." .. name] = (calls["btt." .. name] or 0) + 1
  local call = { data = message.data, session = session, table = self.table, count = calls["btt." .. name] }
  local result, problem = operation(call)
  if not result then return failed(self, message, session, problem) end
  return succeeded(self, message, call, result)
end

local function execute(self, request, message)
  message.document = "reply"
  local session = self.table:ofRequest(request, message.fields)
  if not session and self.settings.runInSession then return lost(self, message) end
  if not isPageGood(self, message, session) then
    return write(self, message, failure("CSS07", "DSEException", "The page is out of date."))
  end
  return run(self, message, session)
end

-- ---- the servlets

local function serve(self, request, format, servlet)
  if not format then return http.failure(415, "The Content-Type is none of the channels'.") end
  local message, isReadable = reader.read(request, format)
  message.document = "reply"
  if not isReadable then
    return write(self, message, failure(nil, "DSEException", "The request cannot be read."), 400)
  end
  if not self.appServer then
    return write(self, message,
      failure(nil, "DSECSServerNotStartedException", "The server application is not initiated."))
  end
  return servlet(self, request, message)
end

local servlets = {}

-- The application looks at the rest of the path.
function servlets.CSEstablishSessionServlet(self, request)
  local format = reader.format(request)
  if request.method ~= "POST" and not (request.method == "GET" and format == "xml") then
    return http.methodNotAllowed(request, "POST")
  end
  return serve(self, request, format, establish)
end

function servlets.XmlEstablishSessionServlet(self, request)
  local isGet = request.method == "GET"
  if not isGet and request.method ~= "POST" then return http.methodNotAllowed(request, "GET, POST") end
  local isXML = isGet or reader.format(request) == "xml"
  return serve(self, request, isXML and "xml" or nil, establish)
end

function servlets.CSReqServlet(self, request)
  if request.method ~= "POST" then return http.methodNotAllowed(request, "POST") end
  return serve(self, request, reader.format(request), execute)
end

function Bank:answer(request)
  local name, rest = request.inside:match("^/([^/]+)(.*)$")
  local servlet = servlets[name]
  if not servlet or (rest ~= "" and name ~= "CSEstablishSessionServlet") then
    return http.notFound(request)
  end
  local answer = servlet(self, request)
  for _, cookie in ipairs(self.settings.cookies) do http.addHeader(answer, "Set-Cookie", cookie) end
  return answer
end

return {
  model = "btt",
  path = "/bank",

  open = function(site)
    local self = { site = site, settings = settings.new("btt") }
    self.table = table_.new(site, self.settings)
    self.sessions = self.table.sessions
    return setmetatable(self, Bank)
  end,
}
