--- Requests of JSDO's sessions and providers.
local datasession = require "datasession"

local common = ...
local LIMIT, message, copy = common.LIMIT, common.message, common.copy

local HTML, JSON = "Content-Type: text/html;charset=UTF-8\r\n", "Content-Type: application/json\r\n"
local HOME = "<!DOCTYPE html><title>Sports</title>"
local ENTERED = '{"status_code":200,"status_txt":"OK"}'
local COOKIE = "Set-Cookie: JSESSIONID=A944D0; Path=/Form; HttpOnly\r\n"
local CATALOG = '{"version":"1.4","services":[{"name":"S","address":"/rest/S",' ..
  '"resources":[{"name":"C","path":"/C"}]}]}'
local TOKENS = '{"access_token":"hush1","expires_in":3600,"refresh_token":"hush2","token_type":"oecp"}'
local EXPIRED = message("401 Unauthorized", JSON, '{"error":"sso.token.expired_token"}')

local CHECK, ENTER, LEAVE = "/static/home.html", "/static/auth/j_spring_security_check",
  "/static/auth/j_spring_security_logout"
local REFRESH = "/static/auth/token"
local PING = "/rest/_oepingService/_oeping"

local answers = {
  ["GET /Auth" .. LEAVE] = message("200 OK", JSON, ENTERED),
  ["POST /Auth" .. ENTER] = message("200 OK", JSON .. "Cache-Control: no-store\r\n", TOKENS),
  ["POST /Auth" .. REFRESH] = message("200 OK", JSON .. "Cache-Control: no-store\r\n", TOKENS),
  ["POST /Form" .. ENTER] = message("200 OK", JSON .. COOKIE, ENTERED),
  ["GET /Form" .. LEAVE] = message("200 OK", JSON, ENTERED),
  ["GET /Open/catalog.json"] = message("200 OK", JSON, CATALOG),
  ["GET /Open/moved"] = message("302 Found", "Location: rest/S/C\r\n", "moved"),
  ["GET /Open/other.json"] = message("200 OK", JSON, (CATALOG:gsub('"S"', '"T"'):gsub('"C"', '"D"'))),
  ["GET /Open/rest/S/C"] = message("200 OK", JSON .. "X-CLIENT-CONTEXT-ID: 0\r\n", '{"own":"get"}'),
  ["POST /Open/rest/S/C"] = message("201 Created", JSON, '{"own":"post"}'),
  ["GET /Sso/rest/S/C"] = message("200 OK", JSON, '{"own":"sso"}'),
}
for _, application in ipairs { "Open", "Basic", "Form", "Sso" } do
  answers["GET /" .. application .. CHECK] = message("200 OK", HTML, HOME)
  answers["GET /" .. application .. PING] = message("200 OK", JSON, '{"response":{"_retVal":""}}')
end

-- Sessions

local APPLICATIONS = { anonymous = "/Open", basic = "/Basic", form = "/Form" }

local function maker(model)
  return function(origin, options)
    local mine = copy(options)
    mine.serviceURI, mine.authenticationModel = origin .. APPLICATIONS[model], model
    return { session = datasession.new(mine) }
  end
end

local function login(subject)
  return subject.session:login("lua", "secret")
end

local function loggedOut(subject)
  if subject.session.state ~= "logged out" then assert(subject.session:logout():await(LIMIT)) end
end

local function loggedIn(subject)
  local session = subject.session
  if session.connected then return end
  if session.state == "offline" then return assert(session:isAuthorized():await(LIMIT)) end
  loggedOut(subject)
  assert(login(subject):await(LIMIT))
end

local function requester(options)
  return function(subject)
    return subject.session:request(options):next(function(response)
      assert(response:json().own == subject.own, "the answer to another request")
      return response
    end)
  end
end

-- A catalog is loaded once: after that a new session is needed.
local catalogs = { make = maker "anonymous" }

function catalogs.ready(subject)
  if #subject.session.catalogs > 0 then
    subject.session:invalidate():await(LIMIT)
    subject.session = datasession.new(subject.options)
  end
  loggedIn(subject)
end

local function makeCatalogs(origin, options)
  local mine = copy(options)
  mine.serviceURI = origin .. "/Open"
  return { session = datasession.new(mine), options = mine }
end

-- Providers

local function makeProvider(origin, options)
  local mine = copy(options)
  mine.uri, mine.authenticationModel = origin .. "/Auth", "form_sso"
  return { provider = datasession.AuthenticationProvider(mine) }
end

local function enter(subject)
  return subject.provider:login("lua", "secret")
end

local function entered(subject)
  if not subject.provider:hasClientCredentials() then assert(enter(subject):await(LIMIT)) end
end

local function left(subject)
  if subject.provider:hasClientCredentials() then assert(subject.provider:logout():await(LIMIT)) end
end

local function makeSso(origin, options)
  local subject = makeProvider(origin, options)
  entered(subject)
  local mine = copy(options)
  mine.serviceURI, mine.authenticationModel, mine.authProvider = origin .. "/Sso", "sso", subject.provider
  subject.session, subject.own = datasession.new(mine), "sso"
  return subject
end

local function own(make, word)
  return function(...)
    local subject = make(...)
    subject.own = word
    return subject
  end
end

local function isAuthorized(subject) return subject.session:isAuthorized() end

local function getSession(subject)
  local mine = copy(subject.options)
  mine.serviceURI, mine.catalogURI = subject.uri, "catalog.json"
  return datasession.getSession(mine)
end

local kinds = {
  { name = "login, anonymous", key = "GET /Open" .. CHECK, make = maker "anonymous", ready = loggedOut,
    call = login },
  { name = "login, basic", key = "GET /Basic" .. CHECK, make = maker "basic", ready = loggedOut,
    call = login },
  { name = "login, form: the credentials", key = "POST /Form" .. ENTER, make = maker "form",
    ready = loggedOut,
    call = login, skips = { "after" } },
  { name = "login, form: the check", key = "GET /Form" .. CHECK, make = maker "form", ready = loggedOut,
    call = login, skips = { "fresh" } },
  { name = "isAuthorized, basic", key = "GET /Basic" .. CHECK, make = maker "basic", ready = loggedIn,
    call = isAuthorized },
  { name = "isAuthorized, form", key = "GET /Form" .. CHECK, make = maker "form", ready = loggedIn,
    call = isAuthorized },
  { name = "ping", key = "GET /Open" .. PING, make = maker "anonymous", ready = loggedIn,
    call = function(subject) return subject.session:ping() end },
  { name = "addCatalog", key = "GET /Open/catalog.json", make = makeCatalogs, ready = catalogs.ready,
    call = function(subject) return subject.session:addCatalog "catalog.json" end },
  { name = "addCatalog, one of two", key = "GET /Open/catalog.json", make = makeCatalogs,
    ready = catalogs.ready,
    skips = { "fresh", "resent" }, -- which of the two goes out on the kept connection is not said
    call = function(subject) return subject.session:addCatalog { "other.json", "catalog.json" } end,
    instead = { connect = "catalog", protocol = "catalog", stall = "catalog", timeout = "catalog" } },
  { name = "getSession: the catalog", key = "GET /Open/catalog.json", skips = { "fresh" },
    make = function(origin, options) return { uri = origin .. "/Open", options = options } end,
    ready = function() datasession.invalidateAllSessions():await(LIMIT) end, call = getSession },
  { name = "request GET, redirected", key = "GET /Open/rest/S/C", make = own(maker "anonymous", "get"),
    ready = loggedIn, call = requester { path = "/moved" }, skips = { "fresh" } },
  { name = "request GET", key = "GET /Open/rest/S/C", make = own(maker "anonymous", "get"), ready = loggedIn,
    call = requester { path = "/rest/S/C" } },
  { name = "request POST", key = "POST /Open/rest/S/C", make = own(maker "anonymous", "post"),
    ready = loggedIn,
    call = requester { path = "/rest/S/C", json = { a = 1 } }, once = true },
  { name = "request POST, large", key = "POST /Open/rest/S/C", make = own(maker "anonymous", "post"),
    ready = loggedIn, call = requester { path = "/rest/S/C", body = ("x"):rep(1 << 20) }, once = true },
  { name = "logout, form", key = "GET /Form" .. LEAVE, make = maker "form", ready = loggedIn,
    call = function(subject) return subject.session:logout() end },
  { name = "a provider's login", key = "POST /Auth" .. ENTER, make = makeProvider, ready = left,
    call = enter },
  { name = "a provider's refresh", key = "POST /Auth" .. REFRESH, make = makeProvider, ready = entered,
    call = function(subject) return subject.provider:refresh() end },
  { name = "a provider's logout", key = "GET /Auth" .. LEAVE, make = makeProvider, ready = entered,
    call = function(subject) return subject.provider:logout() end },
  -- a token service that fails does not end the login: the request is sent with the token that there is
  { name = "a refresh that a request waits for", key = "POST /Auth" .. REFRESH, make = makeSso,
    ready = entered,
    call = requester { path = "/rest/S/C" }, instead = common.ANYWAY, skips = { "fresh", "after", "cancel" },
    arm = function(_, server) server:fault("GET /Sso/rest/S/C", { EXPIRED }) end },
}

return { kinds = kinds, answers = answers }
