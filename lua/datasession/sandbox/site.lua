--- The program of the server's private Lua state: the web applications, the faults in front of
-- them, the log. C calls `answer` for each request and `control` for each call of the host; one at
-- a time.
local ascii = require "datasession.internal.ascii"
local catalog = require "datasession.sandbox.catalog"
local database = require "datasession.sandbox.data.database"
local faults = require "datasession.sandbox.faults"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local log = require "datasession.sandbox.log"
local pages = require "datasession.sandbox.pages"
local replay = require "datasession.sandbox.replay"
local routes = require "datasession.sandbox.routes"
local tokens = require "datasession.sandbox.tokens"

-- Another kind of application is one more file.
local kinds = { "anonymous", "basic", "form", "form_sso", "sso", "bearer", "oauth", "old", "datasnap", "btt",
  "proiv" }

-- The clock: `clock` is what sessions go by. For a moment of `now`, `age` tells how many seconds ago it
-- was, those that were let pass since then included.
local function addClock(site, host)
  local advances, advanced = {}, 0
  site.now = host.clock
  function site.clock() return host.clock() + advanced end
  function site.advance(seconds)
    advanced = advanced + seconds
    advances[#advances + 1] = { at = host.clock(), seconds = seconds }
  end
  function site.age(moment)
    local age = host.clock() - moment
    for _, advance in ipairs(advances) do
      if advance.at >= moment then age = age + advance.seconds end
    end
    return age
  end
end

local function set(values)
  local members = {}
  for _, value in ipairs(values) do members[value] = true end
  return members
end

-- Shared by all applications.
local function newSite(setup, host)
  local site = {
    scheme = setup.scheme, ping = setup.ping, idleTimeout = setup.idleTimeout, users = setup.users,
    token = host.token, time = host.time, wake = host.wake, bearerTokens = set(setup.bearerTokens),
    datasnapAuthentication = setup.datasnapAuthentication,
    database = database.new(setup), catalog = catalog.text(setup.catalogResources),
    catalogs = setup.catalogs or {}, resources = {}, faults = faults.new(),
    routes = routes.new(host.clock), log = log.new(), applications = {}, calls = {}, tags = {},
  }
  for n = 1, setup.catalogResources do site.resources[catalog.resourceName(n)] = true end
  site.replay = setup.exchanges and replay.new(setup.exchanges, setup.harRepeats, setup.har)
  addClock(site, host)
  site.tokens = tokens.new(site, setup.tokenLifetime, setup.tokenSecret)
  function site.isUser(user, password)
    return user ~= nil and password ~= nil and site.users[user] == password
  end
  return site
end

local function openApplications(site)
  for i, name in ipairs(kinds) do
    local kind = require("datasession.sandbox.applications." .. name)
    local application = kind.open(site)
    application.model, application.path = kind.model, kind.path
    application.up, application.appServer = true, true
    site.applications[i] = application
  end
end

-- ---- requests

-- The application under whose path a request falls, and the path inside it.
local function applicationOf(site, request)
  for _, application in ipairs(site.applications) do
    local path = application.path
    local start = request.path:sub(1, #path)
    if start == path or application.anyCase and ascii.lower(start) == path then
      local inside = request.path:sub(#path + 1)
      if inside == "" or inside:sub(1, 1) == "/" then return application, inside end
    end
  end
end

local function serve(site, request, application)
  if request.tooBig then return http.failure(413, "The body is too big") end
  if site.replay then return site.replay:answer(request) end
  if not application then return http.notFound(request) end
  if not application.up then return http.html(404, pages.noApplication(request.path)) end
  local answer = application:answer(request)
  local properties = http.isSuccess(answer) and application.contextProperties
  return properties and http.addHeader(answer, "X-CLIENT-PROPS", properties) or answer
end

local function serveProtected(site, request, application)
  local ok, answer = xpcall(serve, debug.traceback, site, request, application)
  if ok then return answer end
  return http.answer(500, "text/plain;charset=UTF-8", answer)
end

local function statusOf(answer)
  local unanswered = answer.ending == "reset" or answer.ending == "close" or answer.ending == "raw"
  return not unanswered and answer.status or nil
end

-- An answer that waits has its status when it is complete.
local function addStatus(entry, answer)
  local again = answer.again
  if not again then
    entry.status = statusOf(answer)
    return
  end
  function answer.again()
    local complete, seconds = again()
    if complete then entry.status = statusOf(answer) end
    return complete, seconds
  end
end

local function addToLog(site, request, application, answer, fault)
  local entry = {
    method = request.method, uri = request.uri, path = request.path, parameters = request.parameters,
    query = request.query, headers = request.headers, body = request.body, time = site.time(),
    model = application and application.model,
    fault = fault and fault.kind, route = request.route, failure = request.failure, size = request.size,
  }
  addStatus(entry, answer)
  site.log:add(entry)
end

local function answerRequest(site, raw)
  local request = http.parse(raw)
  local application, inside = applicationOf(site, request)
  request.inside = inside
  local fault = site.faults:take(request, application)
  local function run()
    return site.routes:answer(request, function() return serveProtected(site, request, application) end)
  end
  local answer = fault and site.faults:apply(fault, run, application) or run()
  addToLog(site, request, application, answer, fault)
  return answer, site.log.total
end

-- ---- the host's calls

-- The applications of a model, or all.
local function each(site, model)
  local found = {}
  for _, application in ipairs(site.applications) do
    if not model or application.model == model then found[#found + 1] = application end
  end
  return found
end

local control = {}

--- The list of applications, none in a replay: { model, path, catalog } of each application; the path is
-- what a client starts from.
function control.describe(site)
  local list = json.list {}
  if site.replay then return list end
  for i, application in ipairs(site.applications) do
    local path = application.root or application.path
    list[i] = { model = application.model, path = path, catalog = application.catalog }
  end
  return list
end

function control.setAppServer(site, call)
  for _, application in ipairs(each(site, call.model)) do application.appServer = call.up end
end

function control.setApplication(site, call)
  for _, application in ipairs(each(site, call.model)) do application.up = call.up end
end

function control.setPing(site, call)
  site.ping = call.ping
end

function control.fault(site, call)
  site.faults:add(call.fault)
end

function control.route(site, call)
  if call.code then return site.routes:add(call.method, call.pattern, call.code, call.state) end
  site.routes:remove(call.method, call.pattern)
end

function control.onRequest(site, call)
  site.routes:setHook(call.code, call.state)
end

function control.clearRoutes(site)
  site.routes:clear()
end

function control.clearFaults(site)
  site.faults:clear()
  site.database.refusals:clear()
end

function control.refuseRows(site, call)
  site.database.refusals:add(call.refusal)
end

--- Changes settings of the data services; the others stay.
function control.setData(site, call)
  for name, value in pairs(call.options) do site.database.settings[name] = value end
end

function control.rows(site, call)
  return json.list(site.database:table(call.table):all())
end

function control.putRow(site, call)
  return site.database:table(call.table):put(call.row)
end

function control.dropRow(site, call)
  return site.database:table(call.table):dropRow(call.row)
end

function control.expireSessions(site, call)
  for _, application in ipairs(each(site, call.model)) do
    if application.sessions then application.sessions:closeAll() end
  end
end

function control.sessionCount(site, call)
  local n = 0
  for _, application in ipairs(each(site, call.model)) do
    if application.sessions then n = n + application.sessions:count() end
  end
  return n
end

function control.advanceClock(site, call)
  site.advance(call.seconds)
end

function control.expireTokens(site)
  site.tokens:expire()
end

function control.revokeTokens(site)
  site.tokens:expire()
  each(site, "form_sso")[1]:revoke()
  each(site, "oauth")[1]:revoke()
end

function control.approveDevice(site, call)
  return each(site, "oauth")[1]:decide(call.code, call.approved)
end

function control.setTokenAnswer(site, call)
  each(site, "form_sso")[1].tokenAnswer = call.answer
end

function control.tokenRefreshes(site)
  return each(site, "form_sso")[1].refreshes
end

function control.setOldStyle(site, call)
  each(site, "old")[1].style = call.style
end

function control.setContextProperties(site, call)
  local text = call.text ~= "" and call.text or " " -- what stands in an answer as the empty value
  each(site, call.model)[1].contextProperties = call.text and text
end

function control.setContextIds(site, call)
  for _, application in ipairs(each(site, call.model)) do application.contextIds = call.on end
end

function control.setCookies(site, call)
  for _, application in ipairs(each(site, call.model)) do application.cookies = call.on end
end

function control.setDataSnap(site, call)
  each(site, "datasnap")[1]:set(call.options)
end

function control.resetChannels(site)
  each(site, "datasnap")[1].service.channels:reset()
end

function control.calls(site)
  local calls = {}
  for name, count in pairs(each(site, "datasnap")[1].service.calls) do calls[name] = count end
  for name, count in pairs(site.calls) do calls[name] = count end
  return json.plain(calls)
end

--- Changes settings of the model btt or proiv; the others stay.
function control.configure(site, call)
  local settings = each(site, call.model)[1].settings
  for name, value in pairs(call.settings) do settings[name] = value end
end

function control.requests(site)
  return json.plain(site.log:all())
end

function control.clearRequests(site)
  site.log:clear()
end

--- `setup` is JSON, `host` has time(), clock(), token() and wake(). Returns `answer(raw request)` and
-- `control(call)`, both of which return the number of requests since the log was cleared as a
-- second value.
local function open(setup, host)
  local site = newSite(json.decode(setup), host)
  openApplications(site)
  local function answer(raw) return answerRequest(site, raw) end
  local function controlCall(text)
    local call = json.decode(text)
    local result = control[call.name](site, call)
    host.wake()
    return result ~= nil and json.encode(result) or "", site.log.total
  end
  return answer, controlCall
end

return { open = open }
