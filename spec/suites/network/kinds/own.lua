--- Requests of a protocol in Lua, with a login of two requests and a token of its own.
local datasession = require "datasession"

local common = ...
local LIMIT, message, caller, maker = common.LIMIT, common.message, common.caller, common.maker

local JSON = "Content-Type: application/json\r\n"

local answers = {
  ["POST /Own/hello"] = message("200 OK", JSON, '{"nonce":"n7"}'),
  ["POST /Own/enter"] = message("200 OK", JSON, '{"token":"hush5"}'),
  ["GET /Own/me"] = message("200 OK", JSON, '{"name":"lua"}'),
  ["GET /Own/rows"] = message("200 OK", JSON, '{"own":"rows"}'),
  ["POST /Own/rows"] = message("200 OK", JSON, '{"own":"made"}'),
  ["POST /Own/leave"] = message("200 OK", JSON, '{"bye":true}'),
}

local function post(link, path, json)
  local response, err = link:request { path = path, method = "POST", json = json }:await()
  if not response then return nil, err end
  return response:json()
end

local protocol = {}

function protocol.login(link, user, password)
  local hello, err = post(link, "/hello", { user = user })
  if not hello then return nil, err end
  local entered
  entered, err = post(link, "/enter", { nonce = hello.nonce, password = password })
  if not entered then return nil, err end
  link.token = entered.token
  return true
end

function protocol.check(link) return link:request { path = "/me" }:await() end

function protocol.logout(link)
  link.token = nil
  return post(link, "/leave", {})
end

function protocol.invoke(link, name) return post(link, "/rows", { name = name }) end

function protocol.sign(link) return link.token and { ["X-Token"] = link.token } end

function protocol.judge(_, response)
  if response.status == 401 then return "expired", "it wants a login" end
end

datasession.defineProtocol("failing", protocol)

local function loggedIn(subject)
  local session = subject.session
  if session.connected then return end
  if session.state == "offline" then return assert(session:isAuthorized():await(LIMIT)) end
  assert(session:login("lua", "secret"):await(LIMIT))
end

local function loggedOut(subject)
  assert(subject.session:disconnect():await(LIMIT))
end

local kinds = {
  { name = "own: login, its first request", key = "POST /Own/hello", ready = loggedOut,
    call = caller("login", nil, "lua", "secret"), once = true, skips = { "after", "ended" } },
  { name = "own: login, its second request", key = "POST /Own/enter", ready = loggedOut, skips = { "fresh" },
    call = caller("login", nil, "lua", "secret"), once = true },
  { name = "own: isAuthorized", key = "GET /Own/me", call = caller "isAuthorized" },
  { name = "own: ping", key = "GET /Own/me", call = caller "ping" },
  { name = "own: request GET", key = "GET /Own/rows", call = caller("request", function(response)
    return response:json().own == "rows"
  end, { path = "/rows" }) },
  { name = "own: request POST", key = "POST /Own/rows", once = true,
    call = caller("request", function(response)
    return response:json().own == "made"
  end, { path = "/rows", json = { name = "a" } }) },
  { name = "own: invoke", key = "POST /Own/rows", once = true,
    call = caller("invoke", function(value) return value.own == "made" end, "a") },
  { name = "own: logout", key = "POST /Own/leave", once = true, call = caller "logout" },
  { name = "own: stop", key = "POST /Own/leave", once = true, call = caller "stop" },
}

for _, kind in ipairs(kinds) do
  kind.make, kind.ready = maker("/Own", { protocol = "failing" }), kind.ready or loggedIn
end

return { kinds = kinds, answers = answers }
