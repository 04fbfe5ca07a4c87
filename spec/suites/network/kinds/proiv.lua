--- Messages of PROIV's sessions. Each kind has an address of its own, since all messages go to one.
local proiv = require "datasession.proiv"

local common = ...
local LIMIT, message, caller, maker = common.LIMIT, common.message, common.caller, common.maker

local JSON, HTML = "Content-Type: application/json\r\n", "Content-Type: text/html\r\n"
local COOKIE = "Set-Cookie: JSESSIONID=A944D0; Path=/Pro\r\n"

local answers = {
  ["GET /Pro/start"] = message("200 OK", JSON .. COOKIE, '{"state":"running","sessionKey":"hush7"}'),
  ["POST /Pro/details"] = message("200 OK", JSON .. COOKIE, '{"state":"running"}'),
  ["POST /Pro/poll"] = message("200 OK", JSON, '{"state":"running","screen":"Orders"}'),
  ["POST /Pro/stop"] = message("200 OK", JSON, '{"state":"ended"}'),
  ["POST /Pro/end"] = message("200 OK", JSON, '{"state":"ended"}'),
  ["GET /Pro/screen"] = message("200 OK", HTML, "<title>Orders</title>"),
}
for _, path in ipairs { "poll", "stop", "end", "by" } do
  answers["GET /Pro/" .. path] = answers["GET /Pro/start"]
end

local function servlet(path, options)
  local mine = { protocol = "proiv", URI = path }
  for name, value in pairs(options or {}) do mine[name] = value end
  return maker("/Pro", mine)
end

local function running(subject)
  if subject.session.status == "running" and subject.session.connected then return end
  if subject.session.connected then assert(subject.session:logout():await(LIMIT)) end
  if subject.session.state == "offline" and subject.session:ping():await(LIMIT) then return end
  assert(subject.session:login():await(LIMIT))
end

local function over(subject)
  if subject.session.state ~= "logged out" then assert(subject.session:logout():await(LIMIT)) end
end

local function isScreen(response) return response.body == "<title>Orders</title>" end

local DETAILS = { sessionType = "TELNET_LOGIN_SESSION", hostname = "vm", port = 23, username = "lua" }

-- A manager's sessions, one in one slot.
local function makeManager(origin, options)
  local mine = common.copy(options)
  mine.baseURI = origin
  return { manager = proiv.manager(mine) }
end

local function start(subject)
  return subject.manager:startAsync { sessionNodeID = "left", URI = "/Pro/start" }
end

local function ended(subject)
  subject.manager:close()
  assert(require "datasession".run(LIMIT))
end

-- A transport's function sends the same message.
local function poll(session)
  local response, err = session:transportRequest { path = "/poll", method = "POST",
    body = "ACTION=POLL" }:await()
  if not response then return nil, err end
  return response:json().state
end

local kinds = {
  { name = "proiv: login to a service", key = "GET /Pro/start", make = servlet "start", ready = over,
    once = true,
    call = caller "login" },
  { name = "proiv: login with details", key = "POST /Pro/details", ready = over, once = true,
    make = servlet("details", { connectionData = DETAILS }), call = caller("login", nil, "lua", "secret") },
  { name = "proiv: a manager's start", key = "GET /Pro/start", make = makeManager, ready = ended,
    call = start,
    once = true },
  { name = "proiv: ping", key = "POST /Pro/poll", make = servlet "poll", call = caller "ping" },
  { name = "proiv: isAuthorized", key = "POST /Pro/poll", make = servlet "poll",
    call = caller "isAuthorized" },
  { name = "proiv: ping, by a transport", key = "POST /Pro/poll", once = true, call = caller "ping",
    make = servlet("by", { transport = { poll = poll } }) },
  { name = "proiv: request", key = "GET /Pro/screen", make = servlet "start",
    call = caller("request", isScreen, { path = "/screen" }) },
  -- a session that is lost meanwhile is over, which is what was asked for
  { name = "proiv: stop", key = "POST /Pro/stop", make = servlet "stop", call = caller("stop", nil, 10),
    instead = { connect = "ok", stall = "ok", timeout = "ok" } },
  { name = "proiv: logout", key = "POST /Pro/end", make = servlet "end", call = caller "logout",
    instead = common.ANYWAY },
}

for _, kind in ipairs(kinds) do kind.ready = kind.ready or running end

return { kinds = kinds, answers = answers }
