--- The answers of DataSnap's, BTT's and PROIV's servers and those that data objects read, as documents of
-- which each place can be wrong. Each subject:
--   name     of the message
--   keys     array: "METHOD path" of the requests that get it
--   good     function: the document, new each time; or the text, of a message in markup
--   values   of a text: patterns whose captures are its values
--   status, headers   of the answer; 200 and no lines but its type unless given
--   make     function(origin): a session
--   call     function(session): the promise that meets it
--   next     function(session): the promise that must be resolved whatever came of that one; `call` unless
--                               given
local codec = require "datasession.internal.codec"
local datasession = require "datasession"

local places = dofile "spec/suites/hostile/places.lua"

local systems = {}

local LIMIT = 20

local REST = "/Delphi/datasnap/rest/"
local PLATFORM = "GET " .. REST .. "DSAdmin/GetPlatformName/"

-- Good answers, for what is not the message's own matter.
systems.answers = {
  [PLATFORM] = { "Pragma: dssession=48213.9,dssessionexpires=1200000\r\n", '{"result":["Windows"]}' },
  ["GET " .. REST .. "TStock/Level/"] = { "", '{"result":[41]}' },
  ["POST /Bank/CSEstablishSessionServlet"] = { "", '{"status":"OK","sessionId":"KLMN","timeout":"600000"}' },
  ["POST /Bank/CSReqServlet"] = { "", '{"status":"OK","result":{}}' },
  ["GET /connect"] = { "", '{"state":"running"}' },
  ["POST /connect"] = { "", '{"state":"running"}' },
}

local function datasnap(origin)
  return datasession.new { protocol = "datasnap", serviceURI = origin .. "/Delphi", proxy = false }
end

local function btt(options)
  return function(origin)
    local mine = { protocol = "btt", serviceURI = origin .. "/Bank", proxy = false, tid = "BR12",
      reconnect = false,
      closeOperation = "LogOff" }
    for name, value in pairs(options or {}) do mine[name] = value end
    return datasession.new(mine)
  end
end

local function proiv(origin)
  return datasession.new { protocol = "proiv", serviceURI = origin, proxy = false, endTimeout = 1 }
end

local function method(name, ...)
  local arguments = table.pack(...)
  return function(session) return session[name](session, table.unpack(arguments, 1, arguments.n)) end
end

-- A call for which the session is made first.
local function after(login, call)
  return function(session)
    assert(login(session):await(LIMIT))
    return call(session)
  end
end

local login, enter = method "login", method("login", "lua", "secret")
local level = method("invoke", "TStock", "Level")
local batch = method("batch", { { class = "TStock", method = "Level" },
  { class = "TStock", method = "Level" } })
local rate = method("invoke", "RateLookup", { ccy = "SEK" })

local PAGE = '<html><form><input type="hidden" name="dse_sessionId" value="KLMN"><input type="hidden" ' ..
  'name="dse_pageId" value="3"><input type=hidden name=dse_processorId value="proc"><input type="hidden" ' ..
  'name="rate" value="1.07"></form></html>'
local XML = "<replyMsg><dse_status>OK</dse_status><dse_sessionId>KLMN</dse_sessionId><dse_resultData>" ..
  "<rate>1.07</rate><rate>1.08</rate></dse_resultData></replyMsg>"

systems.subjects = {
  { name = "datasnap: a login's answer", keys = { PLATFORM }, make = datasnap, call = enter,
    good = function() return { result = { "Windows" } } end },
  { name = "datasnap: a result", keys = { "GET " .. REST .. "TStock/Level/" }, make = datasnap, call = level,
    good = function() return { result = { 41, { sku = { "A/7" } } }, cacheId = 7, cmdIndex = 0 } end },
  { name = "datasnap: a result in the cache", keys = { "GET " .. REST .. "TStock/Level/" }, make = datasnap,
    call = method("invoke", "TStock", "Level", nil, { accept = "application/rest" }),
    good = function() return { result = { 2, "7/0/1" }, cacheId = 7, cmdIndex = 0 } end },
  { name = "datasnap: an error", keys = { "GET " .. REST .. "TStock/Level/" }, make = datasnap, call = level,
    status = "500 Error", good = function() return { error = "no such", code = 7 } end },
  { name = "datasnap: the session's end", keys = { "GET " .. REST .. "TStock/Level/" }, make = datasnap,
    call = after(enter, level), next = level, status = "403 Forbidden",
    good = function() return { SessionExpired = "The session is over", error = "over" } end },
  { name = "datasnap: a batch's answers", keys = { "POST /Delphi/datasnap/json/" }, make = datasnap,
    call = batch,
    good = function() return { { result = { 41 } }, { error = "no" } } end },
  { name = "datasnap: a close's answer", keys = { "GET " .. REST .. "CloseSession/" }, make = datasnap,
    call = after(enter, method "closeSession"), good = function() return { result = { true } } end },
  { name = "btt: an establishment's reply", keys = { "POST /Bank/CSEstablishSessionServlet" }, make = btt(),
    call = login, next = after(method "closeSession", login),
    good = function() return { status = "OK", sessionId = "KLMN", serverId = "n1", timeout = "600000" } end },
  { name = "btt: an establishment's reply, wrapped", keys = { "POST /Bank/CSEstablishSessionServlet" },
    make = btt { format = "json" }, call = login, next = after(method "closeSession", login),
    good = function() return { reply = { dse_status = "OK", dse_sessionId = "KLMN",
      dse_timeout = 600000 } } end },
  { name = "btt: a reply in JSON", keys = { "POST /Bank/CSReqServlet" }, make = btt(),
    call = after(login, rate),
    next = after(method "closeSession", after(login, rate)),
    good = function()
      return { status = "OK", sessionId = "KLMN", timeout = 600000, result = { rate = 1.07 },
        dse_pageId = "3",
        dse_processorId = "proc", dse_parentContextName = "" }
    end },
  { name = "btt: a page", keys = { "POST /Bank/CSReqServlet" }, make = btt(), call = after(login, rate),
    next = after(method "closeSession", after(login, rate)), headers = "Content-Type: text/html\r\n",
    good = PAGE,
    values = { 'value="([^"]+)"', 'name="([^"]+)"', 'type="([^"]+)"', "name=(%w+)" } },
  { name = "btt: a reply in XML", keys = { "POST /Bank/CSReqServlet" }, make = btt { format = "xml" },
    call = after(login, rate), next = after(method "closeSession", after(login, rate)),
    headers = "Content-Type: text/xml\r\n", good = XML,
    values = { ">([^<]+)<", "<([%w_]+)>", "</([%w_]+)>" } },
  { name = "proiv: a connect's answer", keys = { "GET /connect" }, make = proiv, call = login,
    next = after(method "logout", login),
    good = function() return { state = "running", sessionKey = "k7" } end },
  { name = "proiv: how it stands", keys = { "POST /connect" }, make = proiv,
    call = after(login, method "ping"),
    next = after(method "logout", after(login, method "ping")),
    good = function() return { state = "stopping", message = "wait" } end },
  { name = "proiv: a stop's answer", keys = { "POST /connect" }, make = proiv,
    call = after(login, method("stop", 0)),
    next = after(method "logout", after(login, method "ping")),
    good = function() return { state = "ended" } end },
}

local objects = dofile "spec/suites/hostile/objects.lua"
for key, parts in pairs(objects.answers) do systems.answers[key] = parts end
table.move(objects.subjects, 1, #objects.subjects, #systems.subjects + 1, systems.subjects)

local function message(status, headers, body)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers, #body, body)
end

local JSON = "Content-Type: application/json\r\n"

--- Has a fault server give the good answers.
function systems.serve(server)
  for key, parts in pairs(systems.answers) do
    server:answer(key, { message("200 OK", JSON .. parts[1], parts[2]) }) end
  for _, subject in ipairs(systems.subjects) do
    local good = type(subject.good) == "string" and subject.good or assert(codec.encode(subject.good()))
    for _, key in ipairs(subject.keys) do
      if not systems.answers[key] then server:answer(key, { message("200 OK", JSON, good) }) end
    end
  end
end

-- Nil, or what is wrong with how a promise ended; `must`: it must be resolved.
local function judge(promise, must)
  local value, err = promise:await(LIMIT)
  if must and value == nil then return "afterwards: " .. tostring(err) end
  if promise:state() == "pending" then return "it was not settled" end
  if value ~= nil then return nil end
  local text = tostring(err)
  if type(err) ~= "table" and type(err) ~= "userdata" then return "no error object: " .. text end
  if text:find "%c" then return ("an error of several lines: %q"):format(text) end
  return #text > 1000 and "an error of " .. #text .. " bytes" or nil
end

--- The subject's call gets that text.
-- @return the session, and nil or what is wrong
function systems.tryText(server, origin, subject, text)
  local session = subject.make(origin)
  for _, key in ipairs(subject.keys) do
    server:fault(key, { message(subject.status or "200 OK", subject.headers or JSON, text) })
  end
  local fine, promise = pcall(subject.call, session)
  local wrong = not fine and tostring(promise) or judge(promise)
  server:clear()
  fine, promise = pcall(subject.next or subject.call, session)
  if not wrong then wrong = not fine and "afterwards: " .. tostring(promise) or judge(promise, true) end
  session:invalidate():await(LIMIT)
  return session, wrong and ("%s: %q"):format(wrong, text:sub(1, 300))
end

--- Every `step`-th wrong value at every place of it.
-- @return how many were tried; an array of what is wrong
function systems.try(server, origin, subject, step)
  local number, tried, wrong = 0, 0, {}
  local function one(text)
    number = number + 1
    if number % step ~= 0 then return end
    tried = tried + 1
    local _, what = systems.tryText(server, origin, subject, text)
    wrong[#wrong + 1] = what
  end
  if type(subject.good) == "function" then places.each(one, subject.good) end
  for _, pattern in ipairs(subject.values or {}) do places.eachMatch(subject.good, pattern, one) end
  return tried, wrong
end

return systems
