--- A DataSnap server: classes whose methods are called by REST, a cache of results, calls in batches,
-- callback channels. A session comes with the first call; its id travels in the header Pragma.
local batch = require "datasession.sandbox.datasnap.batch"
local cache = require "datasession.sandbox.datasnap.cache"
local channels = require "datasession.sandbox.datasnap.channels"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local ascii = require "datasession.internal.ascii"
local parameters = require "datasession.sandbox.datasnap.parameters"
local results = require "datasession.sandbox.datasnap.results"
local service = require "datasession.sandbox.datasnap.service"
local sessions = require "datasession.sandbox.sessions"
local table = require("datasession.internal.lua").table

-- of the methods' names, by verb
local PREFIXES = { GET = "", PUT = "accept", POST = "update", DELETE = "cancel" }
local UNPREFIXED = { DSAdmin = true, DSMetadata = true }

local function text(status, message)
  return http.answer(status, "text/plain;charset=UTF-8", message)
end

local function unsupported(request)
  return text(501, ("%s is not supported here"):format(request.method))
end

local function accepts(request, contentType)
  return ascii.lower(request.headers.accept or ""):find(contentType, 1, true) ~= nil
end

-- ---- sessions

-- Three numbers of up to six digits, as the vendor's servers have them.
local function newId(site)
  local parts = {}
  for digits in site.token():sub(1, 24):gmatch("%x%x%x%x%x%x%x%x") do
    parts[#parts + 1] = ("%d"):format(tonumber(digits, 16) % 1000000)
  end
  return table.concat(parts, ".")
end

local function open(self, user)
  local session = self.sessions:open(user)
  session.cache = { next = 0, items = {} }
  return session
end

local function expired()
  return http.json(403, { SessionExpired = "The session is no longer available." })
end

local function idFromHeader(request)
  for item in (request.headers.pragma or ""):gmatch("[^,]+") do
    local name, value = item:match("^%s*([^=]-)%s*=%s*(.-)%s*$")
    if name and ascii.lower(name) == "dssession" then return value end
  end
end

local function isIdName(name)
  return name == "sid" or name == "SESSIONID"
end

local function isIdNameInAnyCase(name)
  return ascii.lower(name) == "sid" or ascii.lower(name) == "sessionid"
end

-- The id that a request brings, nil without one; one in the query goes before the header's.
local function idOf(request, isName)
  for name, value in pairs(request.query) do
    if isName(name) and value ~= "" then return value end
  end
  local id = idFromHeader(request)
  return id ~= "" and id or nil
end

-- nil when the request names none.
local function userOf(request)
  return request.user ~= "" and request.user or nil
end

-- The answer to those who may not have a session; nil for those who may. The session that was made
-- already stays behind.
local function refusal(self, request)
  if not self.authentication or self.site.isUser(request.user, request.password) then return nil end
  if userOf(request) then return http.answer(403) end
  return http.addHeader(http.answer(401), "WWW-Authenticate", 'Basic realm="REST"')
end

-- The answer of `serve` for the session that the request names, or for a new one.
local function withSession(self, request, isName, serve)
  local id = idOf(request, isName)
  local session
  if id then session = self.sessions:find(id) else session = open(self, userOf(request)) end
  if not session then return expired() end
  local answer = serve(session, not id)
  if self.perRequest or session.closing then
    self.sessions:close(session)
    self.site.wake() -- its channels have ended
  end
  return answer
end

local function addId(self, answer, session)
  if not self.pragma then return answer end
  local id = self.perRequest and "" or session.id
  return http.addHeader(answer, "Pragma", ("dssession=%s,dssessionexpires=%.0f"):format(id, self.timeout))
end

-- ---- REST

-- "ss" and "t" stand for texts and tables, before "." and what is taken of them; a number or a range between,
-- as in "t2-4.r", for the results; without a prefix, for all.
local function isFilterName(name)
  local prefix = name:match "^(.*)%.?[ocr]$"
  local range = prefix and (prefix:match "^ss(.-)%.?$" or prefix:match "^t(.-)%.?$" or
    prefix:match "^(.-)%.?$")
  return range ~= nil and (range == "" or range:find "^%d+$" ~= nil or range:find "^%d+%-%d+$" ~= nil)
end

local function isFilter(name, value)
  value = ascii.lower(value)
  return isFilterName(name) or name == "json" and (value == "true" or value == "false")
end

-- Those that have a value; a name without "=" is skipped.
local function filtersOf(request)
  local filters = {}
  for pair in (request.uri:match "%?(.*)$" or ""):gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=(.*)$"
    if name and not isIdNameInAnyCase(http.unescape(name)) then
      filters[#filters + 1] = { http.unescape(name), http.unescape(value) }
    end
  end
  return filters
end

local function isUnderstood(request)
  for _, filter in ipairs(filtersOf(request)) do
    if not isFilter(filter[1], filter[2]) then return false end
  end
  return true
end

-- The body as the server takes it: beside exactly one filter, a scalar of two bytes or more is not seen.
local function bodyOf(request)
  local filters = filtersOf(request)
  if #filters ~= 1 or #request.body < 2 or request.body:find "^[%[{]" then return request.body end
  return filters[1][2]
end

local function failure(message, status)
  return http.answer(status or 500, "application/json", results.error(message))
end

-- A name in quotes stands for itself.
local function methodName(class, name, verb)
  local quoted = name:match('^"(.*)"$') or name:match("^'(.*)'$")
  if quoted or UNPREFIXED[class] then return class .. "." .. (quoted or name) end
  return class .. "." .. PREFIXES[verb] .. name
end

-- The full name of the method that a path asks for, and the parameters; nil and a message.
local function parseCall(request, path)
  local class, rest = path:match("^([^/]+)/(.*)$")
  if not class then return nil, "The path names no class" end
  local name, inPath = rest:match("^([^/]+)/?(.*)$")
  if not name then return nil, "The path names no method" end
  local list = parameters.fromPath(inPath)
  if request.method == "PUT" or request.method == "POST" then
    local inBody, message = parameters.fromBody(bodyOf(request))
    if not inBody then return nil, "The body is not JSON: " .. message end
    table.move(inBody, 1, #inBody, #list + 1, list)
  end
  return methodName(http.unescape(class), http.unescape(name), request.method), list
end

local function isSingleStream(self, values, request)
  return #values == 1 and results.isStream(values[1]) and cache.wantsBytes(request, self.generation)
end

local function answerCached(status, session, method, values)
  local shown, id = cache.keep(session.cache, method, values)
  local members = '{"result":' .. results.list(shown)
  if id then members = members .. (',"cacheId":%d,"cmdIndex":0'):format(id) end
  return http.answer(status, "application/rest", members .. "}")
end

-- The answer to a call that waits. A connection that is to be reset takes the answer away.
local function answerLater(status, later)
  local answer = http.answer(status, "application/json")
  function answer.again()
    local values, seconds = later.ready()
    if not values then return false, seconds end
    if values == results.BROKEN then
      answer.ending = "reset"
    else
      answer.body = results.wrap("result", results.list(values))
    end
    return true
  end
  return answer
end

local function answerResults(self, request, session, method, values)
  local status = request.method == "PUT" and 201 or 200
  if method.silent then return http.answer(status) end
  if results.isLater(values[1]) then return answerLater(status, values[1]) end
  if accepts(request, "application/rest") then return answerCached(status, session, method, values) end
  if isSingleStream(self, values, request) then
    return http.answer(status, "application/octet-stream", values[1].bytes)
  end
  return http.answer(status, "application/json", results.wrap("result", results.list(values)))
end

local function runMethod(self, request, session, path)
  local name, list = parseCall(request, path)
  if not name then return failure(list) end
  local values, method = self.service:try(name, list, session)
  if not values then return failure(method.message, method.status) end
  return answerResults(self, request, session, method, values)
end

local function rest(self, request, path)
  if not PREFIXES[request.method] then return unsupported(request) end
  return withSession(self, request, isIdNameInAnyCase, function(session, isNew)
    if not isUnderstood(request) then return http.answer(409) end
    local refused = isNew and refusal(self, request)
    if refused then return refused end
    if path == "CloseSession/" then
      session.closing = true
      return self.generation == "newer" and http.answer(200) or
        http.json(200, { result = json.list { true } })
    end
    return addId(self, runMethod(self, request, session, path), session)
  end)
end

-- ---- the other contexts

local function fromCache(self, request, path)
  if self.service.channels.slim then return text(501, "There is no such service") end
  if request.method ~= "GET" and request.method ~= "DELETE" then return unsupported(request) end
  local answer = withSession(self, request, isIdName, function(session, isNew)
    return isNew and refusal(self, request) or cache.answer(session.cache, request, path, self.generation)
  end)
  return http.addHeader(answer, "Connection", "close")
end

local function inBatch(self, request)
  if self.generation == "newer" then return text(501, "There is no such service") end
  if request.method ~= "POST" then return unsupported(request) end
  return withSession(self, request, isIdName, function(session, isNew)
    local refused = isNew and refusal(self, request)
    if refused then return refused end
    local answers, message = batch.run(request.body, function(name, list)
      local values, method = self.service:try(name, list, session)
      if values and results.isLater(values[1]) then
        return nil, { message = name .. " waits: not in a batch" }
      end
      return values, method
    end)
    if not answers then return failure("The body is no batch: " .. message) end
    return http.answer(200, "application/json", answers)
  end)
end

local contexts = { rest = rest, cache = fromCache, json = inBatch }

-- Newer servers add a page to an answer that has no body.
local function withPage(self, given)
  if self.generation == "older" or given.body ~= "" or given.again then return given end
  given.body = ("<HTML><BODY><B>%d</B></BODY></HTML>"):format(given.status)
  return http.addHeader(given, "Content-Type", "text/html; charset=ISO-8859-1")
end

-- Takes the path as it was sent: only the pieces between its slashes may be decoded.
local function route(self, request)
  local path = request.uri:gsub("^%a[%w+.-]*://[^/?#]*", ""):match("^[^?#]*")
  local first, context, inside = path:match("^/([^/]*)/?([^/]*)/?(.*)$")
  if ascii.lower(first) ~= "datasnap" then return http.answer(404) end
  local serve = contexts[ascii.lower(context)]
  if not serve then return text(501, "There is no such service") end
  return serve(self, request, inside)
end

local function answer(self, request)
  return withPage(self, route(self, request))
end

-- The settings that setDataSnap changes.
local function set(self, options)
  if options.timeout then self.timeout = options.timeout end
  if options.pragma ~= nil then self.pragma = options.pragma end
  if options.generation then self.generation = options.generation end
  if options.perRequest ~= nil then self.perRequest = options.perRequest end
  if options.slim ~= nil then self.service.channels.slim = options.slim end
  if options.channelQueueSize then self.service.channels.queueSize = options.channelQueueSize end
  if options.channelResponseTimeout then
    self.service.channels.responseTimeout = options.channelResponseTimeout / 1000
  end
  if self.perRequest then self.sessions:closeAll() end
end

return {
  model = "datasnap",
  path = "/datasnap",

  open = function(site)
    local self = {
      site = site, root = "", anyCase = true, authentication = site.datasnapAuthentication, pragma = true,
      perRequest = false, generation = "older", answer = answer, set = set,
      timeout = math.max(site.idleTimeout * 1000, 1), -- milliseconds; 0 seconds are short, 0 ms endless
    }
    self.sessions = sessions.new(site, {
      newId = function() return newId(site) end,
      idleTimeout = function() return sessions.secondsOf(self.timeout) end,
    })
    self.service = service.new(channels.new(site, self.sessions))
    return self
  end,
}
