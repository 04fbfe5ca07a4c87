--- Requests of sessions that come back: those that meet the loss, and those of the return.
local common = ...
local LIMIT, message, caller, maker = common.LIMIT, common.message, common.caller, common.maker

local HTML, JSON = "Content-Type: text/html;charset=UTF-8\r\n", "Content-Type: application/json\r\n"
local CHECK, ENTER = "/static/home.html", "/static/auth/j_spring_security_check"
local COOKIE = "Set-Cookie: JSESSIONID=A944D0; Path=/Back; HttpOnly\r\n"
local EXPIRED = message("401 Unauthorized", HTML, "log in")

local answers = {
  ["POST /Back" .. ENTER] = message("200 OK", JSON .. COOKIE, '{"status_code":200,"status_txt":"OK"}'),
  ["GET /Back" .. CHECK] = message("200 OK", HTML, "<!DOCTYPE html><title>Sports</title>"),
  ["GET /Back/rest/S/C"] = message("200 OK", JSON, '{"own":"get"}'),
  ["POST /Back/rest/S/C"] = message("201 Created", JSON, '{"own":"post"}'),
}

local make = maker("/Back", { authenticationModel = "form", keepCredentials = true,
  reconnect = { delay = 0 } })

local function loggedIn(subject)
  local session = subject.session
  if not session.connected then assert(session:login("lua", "secret"):await(LIMIT)) end
end

local function isOwn(word)
  return function(response) return response:json().own == word end
end

local get = caller("request", isOwn "get", { path = "/rest/S/C" })

-- The session is lost with the call, and its way back is what goes wrong: one attempt of three.
local function lose(_, server) server:fault("GET /Back/rest/S/C", { EXPIRED }) end

local BACK = { connect = "ok", protocol = "ok", stall = "ok" } -- all of it has the time of the call
local OFFLINE = { connect = "offline", protocol = "offline", stall = "offline" }

local kinds = {
  -- amid an answer nothing is lost but that
  { name = "reconnect: request GET", key = "GET /Back/rest/S/C", call = get,
    instead = { connect = { "ok", "connect" } }, lasting = { connect = "connect" } },
  { name = "reconnect: request POST", key = "POST /Back/rest/S/C", once = true, returns = true,
    call = caller("request", isOwn "post", { path = "/rest/S/C", json = { a = 1 } }) },
  { name = "reconnect: the login of the return", key = "POST /Back" .. ENTER, call = get, arm = lose,
    skips = { "fresh", "after", "cancel" }, instead = BACK, lasting = OFFLINE },
  { name = "reconnect: the check of the return", key = "GET /Back" .. CHECK, call = get, arm = lose,
    skips = { "fresh", "after", "cancel" }, instead = BACK, lasting = OFFLINE },
}

for _, kind in ipairs(kinds) do
  kind.make, kind.ready = make, loggedIn
end

return { kinds = kinds, answers = answers }
