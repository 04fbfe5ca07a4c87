--- Requests of BTT's sessions, in each of its formats.
local common = ...
local LIMIT, message, caller, maker = common.LIMIT, common.message, common.caller, common.maker

local JSON, XML = "Content-Type: application/json\r\n", "Content-Type: text/xml\r\n"
local HTML = "Content-Type: text/html\r\n"
local GOOD = '{"status":"OK","sessionId":"KLMNOPQRSTUV",'
local COOKIE = "Set-Cookie: JSESSIONID=A944D0; Path=/Bank\r\n"
local ESTABLISH = "POST /Bank/CSEstablishSessionServlet"

local answers = {
  [ESTABLISH] = message("200 OK", JSON .. COOKIE, GOOD .. '"timeout":"600000"}'),
  ["POST /Bank/page"] = message("200 OK", HTML, '<form><input type="hidden" name="dse_sessionId" ' ..
    'value="KLMNOPQRSTUV"><input type="hidden" name="dse_pageId" value="3">' ..
    '<input type="hidden" name="rate" value="1.07"></form>'),
  ["POST /Bank/json"] = message("200 OK", JSON, GOOD .. '"result":{"rate":"1.07"}}'),
  ["POST /Bank/xml"] = message("200 OK", XML, '<?xml version="1.0"?><replyMsg><dse_status>OK</dse_status>' ..
    "<dse_resultData><rate>1.07</rate></dse_resultData></replyMsg>"),
  ["POST /Bank/close"] = message("200 OK", JSON, '{"status":"OK","result":{}}'),
  ["GET /Bank/logoff"] = message("200 OK", HTML, "<title>Goodbye</title>"),
}

local function bank(options)
  options.protocol, options.tid = "btt", "BR12-T03"
  if options.reconnect == nil then options.reconnect = { delay = 0 } end
  return maker("/Bank", options)
end

local function established(subject)
  local session = subject.session
  if session.status == "established" then return end
  if session.state == "offline" then return assert(session:isAuthorized():await(LIMIT)) end
  assert(session:establishSession():await(LIMIT))
end

local function closed(subject)
  if subject.session.status == "established" then assert(subject.session:closeSession():await(LIMIT)) end
end

local function isRate(value) return value.rate == "1.07" end

local rate, same = caller("invoke", isRate, "RateLookup", { ccy = "SEK" }),
  caller("invoke", isRate, "RateLookup", { ccy = "SEK" }, { idempotent = true })

local kinds = {
  { name = "btt: establishSession", key = ESTABLISH, make = bank {}, ready = closed,
    call = caller "establishSession" },
  { name = "btt: establishSession, one that there is", key = ESTABLISH, make = bank { format = "xml" },
    ready = closed, call = caller("establishSession", nil, false) },
  { name = "btt: isAuthorized", key = ESTABLISH, make = bank { reconnect = false },
    call = caller "isAuthorized" },
  { name = "btt: ping", key = ESTABLISH, make = bank { reconnect = false }, call = caller "ping" },
  { name = "btt: request", key = "GET /Bank/logoff", make = bank {},
    call = caller("request", function(response)
    return response.body:find "Goodbye"
  end, { path = "/logoff" }), instead = { connect = { "ok", "connect" } } },
  { name = "btt: closeSession, an operation", key = "POST /Bank/close", call = caller "closeSession",
    make = bank { requestPath = "close", closeOperation = "LogOff" }, instead = common.ANYWAY },
  { name = "btt: closeSession, an address, once", key = "GET /Bank/logoff", call = caller "closeSession",
    make = bank { closePath = "logoff", maxCloseAttempts = 1 }, instead = common.ANYWAY },
  { name = "btt: stop", key = "POST /Bank/close", call = caller "stop", once = true,
    make = bank { requestPath = "close", closeOperation = "LogOff" } },
}

for path, format in pairs { page = "form", json = "json", xml = "xml" } do
  kinds[#kinds + 1] = { name = "btt: invoke, " .. format, key = "POST /Bank/" .. path, once = true,
    call = rate,
    returns = true, make = bank { format = format, requestPath = path } }
  kinds[#kinds + 1] = { name = "btt: invoke, idempotent, " .. format, key = "POST /Bank/" .. path,
    call = same,
    make = bank { format = format, requestPath = path }, instead = { connect = { "ok", "connect" } } }
end

for _, kind in ipairs(kinds) do kind.ready = kind.ready or established end

table.sort(kinds, function(a, b) return a.name < b.name end)

return { kinds = kinds, answers = answers }
