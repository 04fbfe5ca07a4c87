--- The differences that are allowed, and why: every entry refers to an item of docs/differences.md. An entry
-- whose cases have no such difference any more is a mistake, and so is each of its fields.
--
-- An entry: { number, what we do, fields = { name = { reference's value, ours } } }, and where it holds:
-- `verbs`, `models`, `cases` (beginnings of names), `when` (a function of the difference), `data` (cases
-- about data objects alone). A value is the value itself, NONE, SOME, ANY, or a function of it. `perhaps`:
-- not in every run.
local match = require "match"

local allowed = {}

local NONE, SOME, ANY = match.NONE, match.SOME, match.ANY
local one, matching, longer, isEmpty = match.one, match.matching, match.longer, match.isEmpty
local event, oneEvent = match.event, match.oneEvent

-- A function of onOpenRequest notes of us nothing but that requests of the session itself were opened.
local function opening(value)
  for _, name in ipairs(value) do
    if not name:find "^opening %u+$" and name ~= "online" then return false end
  end
  return #value > 0
end

local OFFLINE = { server = "offline Cannot contact server",
  application = "offline Mobile Web Application is not available",
  appserver = "offline AppServer is not available", expired = "offline Session has expired" }

local function property(difference, side, name)
  local properties = difference.told[side].properties[difference.session]
  return properties and properties[name]
end

-- Both sides' words for the login in the step.
local function logins(difference)
  return property(difference, "reference", "loginResult"), property(difference, "ours", "loginResult")
end

local function sentBy(difference, side)
  return difference.sent[side == "reference" and 1 or 2]
end

local function holds(given, value)
  if given == value then return true end
  for _, inner in pairs(type(given) == "table" and given or {}) do
    if holds(inner, value) then return true end
  end
  return false
end

-- A name that the case logs in with.
local function isName(value, difference)
  return type(value) == "string" and holds(difference.case.steps, value)
end

-- The reference let somebody in, or took an answer for a good one, where we did not.
local function refusedByUs(difference)
  return difference.told.reference.outcome == "resolved" and difference.told.ours.outcome == "rejected"
end

-- No application answered our request.
local function isMissing(difference)
  local status = difference.told.ours.info.status
  return status == 404 or status == 410
end

local function showsFailure(difference)
  local theirs, own = logins(difference)
  return theirs == nil and (own == 2 or own == 3)
end

local function isLoggedIn(difference)
  local theirs, own = logins(difference)
  return own == 1 or own == 2 or theirs == 1
end

local function staysLoggedIn(difference)
  local _, own = logins(difference)
  return own == 1
end

local function isNotLoggedIn(difference)
  local _, own = logins(difference)
  return own == 2 or own == 3 or own == nil and not property(difference, "ours", "connected")
end

-- One of our sessions says that the server does not accept it any more.
local function hasExpired(difference)
  for _, properties in pairs(difference.told.ours.properties) do
    if properties.loginResult == 2 then return true end
  end
  return false
end

-- The request went to an application whose login is its check.
local function isNoForm(difference)
  return not sentBy(difference, "reference").what:find "Sports[FSO]" -- Form, Sso, Old
end

local LONG = "application/json, \z
  application/json,text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
local HOME, PING = "GET [^ ]*/static/home%.html$", "GET [^ ]*/rest/_oepingService/_oeping$"
local LOGOUT = "GET [^ ]*/j_spring_security_logout$"

local entries = {
  -- ---- on every wire
  { "R15", "no _ts", fields = { ["request timeStamp"] = { true, false } } },
  { "D33", "no session id in the path where there is a cookie",
    fields = { ["request parameter"] = { SOME, NONE } } },
  { "D33", "else on every request", fields = { ["request parameter"] = { NONE, SOME } },
    cases = { "context ids with anonymous", "a server that gives no cookies" } },
  { "D49", "the login's answer may give the context id",
    fields = { ["header x-client-context-id"] = { NONE, SOME } },
    verbs = { "login" }, cases = { "an old server", "a server that gives no cookies" } },
  { "D49", "so a server without cookies will do",
    fields = { outcome = { "rejected", "resolved" }, result = { 2, 1 }, ["info.status"] = { 401, 200 },
      events = { isEmpty, event "online" }, ["request status"] = { 401, 200 },
      ["property clientContextId"] = { NONE, SOME }, ["property connected"] = { false, true },
      ["property loginHttpStatus"] = { NONE, 200 }, ["property loginResult"] = { NONE, 1 } },
    cases = { "a server that gives no cookies" } },
  { "S32", "Accept, once and the same",
    fields = { ["header accept"] = { one { "*/*", LONG }, "application/json" } } },
  { "S32", "no-cache, once",
    fields = { ["header cache-control"] = { "no-cache, no-cache", "no-cache" },
      ["header pragma"] = { "no-cache, no-cache", "no-cache" } } },
  { "S32", "no-cache on every request",
    fields = { ["header cache-control"] = { NONE, "no-cache" }, ["header pragma"] = { NONE, "no-cache" } } },
  { "S33", "X-CLIENT-PROPS on every request", fields = { ["header x-client-props"] = { NONE, SOME } },
    verbs = { "login", "logout", "getSession" } },
  { "S32", "no-cache on the logout", fields = { ["header cache-control"] = { "max-age=0", "no-cache" } },
    when = function(d) return sentBy(d, "ours").what:find(LOGOUT) end },
  { "S33", "X-CLIENT-CONTEXT-ID on every request once it is known",
    fields = { ["header x-client-context-id"] = { NONE, SOME } },
    when = function(d) return not sentBy(d, "ours").what:find(HOME) end },
  { "S34", "clientContextId stays until another comes",
    fields = { ["property clientContextId"] = { NONE, SOME } },
    verbs = { "isAuthorized", "ping", "addCatalog", "getSession", "read" }, when = isLoggedIn },
  { "S34", "X-CLIENT-CONTEXT-ID is sent until another comes",
    fields = { ["header x-client-context-id"] = { NONE, SOME } }, verbs = { "isAuthorized" },
    cases = { "a context id that is not repeated" } },
  { "S25", "userName tells who logged in", fields = { ["property userName"] = { NONE, isName } } },
  { "R14", "the login request is itself the check", fields = { request = { matching(HOME), NONE } },
    verbs = { "login", "getSession", "together" }, when = isNoForm },
  { "R14", "getSession checks once", fields = { request = { matching(HOME), NONE } },
    verbs = { "getSession" } },
  { "S4", "one request a ping", fields = { request = { matching(PING), NONE } },
    verbs = { "ping", "together" } },

  -- ---- the shape of what is told
  { "D34", "every failure has an errorObject", fields = { ["info.error"] = { NONE, true } } },
  { "D34", "every failure of a catalog has one",
    fields = { ["info.details[1].error"] = { NONE, true }, ["info.details[2].error"] = { NONE, true } } },
  { "D35", "no xhr where there was no answer",
    fields = { ["info.status"] = { 0, NONE }, ["info.details[1].status"] = { 0, NONE } } },
  { "S19", "details for one catalog too", fields = { ["info.details"] = { NONE, longer(0) } },
    verbs = { "addCatalog", "await", "getSession" } },
  { "S19", "details for none", fields = { ["info.kind"] = { "array", "object" },
    ["info.result"] = { NONE, 1 } },
    cases = { "an empty array" } },
  { "S19", "no xhr of several", fields = { ["info.status"] = { SOME, NONE } },
    verbs = { "addCatalog", "getSession" },
    when = function(d) return longer(1)(d.told.ours.info.details) end },
  { "D36", "getSession tells what addCatalog told",
    fields = { ["info.kind"] = { "none", "object" }, ["info.catalogURI"] = { NONE, SOME },
      ["info.result"] = { NONE, 1 }, ["info.status"] = { NONE, 200 } }, verbs = { "getSession" },
    when = function(d) return d.told.ours.outcome == "resolved" end },
  { "D36", "getSession tells why it failed", fields = { ["info.reason"] = { NONE, SOME } },
    verbs = { "getSession" },
    when = function(d) return d.told.ours.outcome == "rejected" end },
  { "R11", "invalidateAllSessions reports each session",
    fields = { ["info.kind"] = { "none", "object" }, ["info.details"] = { NONE, SOME } },
    verbs = { "invalidateAllSessions" } },
  { "D37", "login says why nobody answered", fields = { ["info.reason"] = { NONE, "Cannot contact server" } },
    verbs = { "login", "logout", "invalidate" },
    when = function(d) return d.told.ours.info.status == nil end },
  { "D37", "login says that no application answered",
    fields = { ["info.reason"] = { NONE, "Mobile Web Application is not available" } }, verbs = { "login" },
    when = isMissing },

  -- ---- mistakes in the program
  { "D2", "a mistake in an argument raises", fields = { outcome = { "rejected", "raised" } } },
  { "D2", "nothing is sent then", fields = { request = { SOME, NONE } },
    when = function(d) return d.told.ours.outcome == "raised" and
      d.told.reference.outcome == "rejected" end },
  { "D38", "unknown options and relative addresses of servers raise",
    fields = { outcome = { "returned", "raised" }, session = { "s", NONE } }, verbs = { "new" },
    cases = { "a serviceURI without a host", "an unknown option" } },
  { "D68", "an unknown name raises", fields = { outcome = { "returned", "raised" } },
    verbs = { "constant" }, cases = { "a constant that is documented and does not exist" } },
  { "D39", "onOpenRequest is a function", fields = { outcome = { "returned", "raised" } },
    verbs = { "set" }, cases = { "onOpenRequest that is no function" } },
  { "D18", "unsubscribeAll takes the events' names and no others",
    fields = { outcome = { "returned", "raised" } },
    verbs = { "unsubscribeAll" } },
  { "D18", "unsubscribeAll takes away handlers without a scope",
    fields = { outcome = { "raised", "returned" },
      events = { event "a: offline Cannot contact server", isEmpty } },
    cases = { "unsubscribeAll of an event, no scopes" } },
  { "S45", "getSession without a model is anonymous",
    fields = { outcome = { "raised", "resolved" }, session = { NONE, "s" }, request = { NONE, SOME } },
    cases = { "getSession without a model" } },

  -- ---- login
  { "S27", "a login that failed shows",
    fields = { ["property loginResult"] = { NONE, one { 2, 3 } },
      ["property loginHttpStatus"] = { NONE, SOME } },
    when = showsFailure },
  { "S27", "nobody is logged in after it", fields = { result = { 3, 0 } }, verbs = { "isAuthorized" },
    cases = { "isAuthorized after a login that failed" } },
  { "S27", "ping settles after it", fields = { outcome = { "unsettled", "rejected" } }, verbs = { "ping" },
    cases = { "ping after a login that failed" } },
  { "S27", "a check after it asks nobody",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 0 }, ["info.status"] = { 200, NONE },
      events = { event "online", isEmpty }, request = { matching(HOME), NONE },
      ["property clientContextId"] = { SOME, NONE }, ["property connected"] = { true, false },
      ["property loginHttpStatus"] = { 200, 403 }, ["property loginResult"] = { 1, 3 } },
        verbs = { "isAuthorized" },
    cases = { "a login that is accepted and may not use the session" } },
  { "S26", "login again at once",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.status"] = { NONE, 200 }, events = { isEmpty, event "online" }, request = { NONE, SOME },
      ["property connected"] = { false, true }, ["property loginResult"] = { NONE, 1 },
      ["property loginHttpStatus"] = { NONE, 200 }, ["property clientContextId"] = { NONE, SOME },
      ["property authProvider"] = { false, true } }, verbs = { "login" },
    when = function(d) return #d.told.reference.requests == 0 end,
    cases = { "again after a wrong password (", "a login with a server that is not there",
      "login after the session has expired", "a wrong bearer token" } },
  { "S26", "a login that failed leaves no provider",
    fields = { ["property authProvider"] = { one { true, false }, NONE } }, when = isNotLoggedIn,
    verbs = { "login", "isAuthorized", "ping" } },
  { "S26", "login again after an expiry",
    fields = { ["property clientContextId"] = { "context1", "context2" } },
    verbs = { "login" }, cases = { "login after the session has expired" } },
  { "S29", "a login page is no success",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 2 }, events = { event "online", isEmpty },
      request = { SOME, NONE }, ["property connected"] = { true, false },
      ["property loginResult"] = { 1, 2 } },
    verbs = { "login" }, when = refusedByUs,
    cases = { "the login page for", "a login that is redirected to the login page", "an old server" } },
  { "S29", "nor is a status in JSON",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 2 }, events = { event "online", isEmpty },
      ["property connected"] = { true, false }, ["property loginResult"] = { 1, 2 },
      ["property loginHttpStatus"] = { 200, 401 } }, verbs = { "login" }, when = refusedByUs,
    cases = { "JSON with a status of its own", "an old server that tells in JSON" } },
  { "S29", "after a login page nothing else is asked for",
    fields = { ["info.status"] = { 401, 200 }, request = { matching(HOME), NONE } }, verbs = { "login" },
    cases = { "the login page for the login (form)", "a page that says login failed",
      "JSON with a status of its own (form)" } },
  { "S30", "a login begins without cookies", fields = { ["header cookie"] = { SOME, NONE } },
    verbs = { "login" },
    cases = { "a logout that the server fails at" } },
  { "S30", "sessions share no cookies",
    fields = { request = { matching(LOGOUT), NONE }, ["header cookie"] = { ANY, SOME },
      ["header x-client-context-id"] = { "context1", "context2" },
      ["property clientContextId"] = { SOME, SOME } },
    cases = { "a second form session", "one of two form sessions logs out", "two sessions of different users",
      "getSession twice (form)", "two sessions load one catalog (form)",
      "invalidate frees the catalog for others",
      "disconnect (form)" } },
  { "S30", "a logout is of one session",
    fields = { outcome = { "rejected", "resolved" }, result = { 2, 1 }, ["info.status"] = { 401, 200 },
      ["request status"] = { 401, 200 } }, verbs = { "isAuthorized" },
    cases = { "one of two form sessions logs out" } },
  { "S11", "a login that was logged out meanwhile is over", fields = { result = { 0, 3 } },
    verbs = { "await" },
    cases = { "logout during a login" } },
  { "S11", "an answer after logout or invalidate changes nothing",
    fields = { events = { event "online", isEmpty }, ["property clientContextId"] = { SOME, NONE },
      ["property connected"] = { true, false }, ["property loginHttpStatus"] = { 200, NONE },
      ["property loginResult"] = { 1, NONE } },
    cases = { "logout during a check", "invalidate during a check", "a ping that is answered after",
      "the next login resumes the pinging", "a catalog during logout" } },
  { "S11", "nobody is logged in then",
    fields = { outcome = { "resolved", "rejected" }, result = { one { 1, 2 }, 0 },
      ["info.status"] = { one { 200, 401 }, NONE }, request = { matching(HOME), NONE } },
        verbs = { "isAuthorized" },
    cases = { "logout during a check" } },
  { "D40", "invalidate ends what is in flight",
    fields = { outcome = { "resolved", "rejected" }, result = { one { 1, true }, 3 },
      ["info.status"] = { 200, NONE } }, verbs = { "await" },
    cases = { "invalidate during a check", "a ping that is answered after invalidate" } },

  -- ---- online, offline, expired
  { "S35", "expiry shows",
    fields = { ["property loginResult"] = { 1, 2 }, ["property loginHttpStatus"] = { 200, one { 401, 403 } },
      ["property connected"] = { true, false }, ["info.reason"] = { NONE, "Session has expired" },
      events = { isEmpty, event(OFFLINE.expired) } }, verbs = { "isAuthorized", "ping", "addCatalog" },
    when = hasExpired },
  { "S29", "a login page is an expiry", fields = { outcome = { "resolved", "rejected" }, result = { 1, 2 } },
    verbs = { "isAuthorized" },
    cases = { "the login page for isAuthorized", "a check that is redirected to the login page",
      "a check answered with a status in JSON", "an old server" } },
  { "S36", "a 401 settles, whatever its body", fields = { outcome = { "unsettled", "rejected" } },
    cases = { "401 and broken JSON for", "401 and null for" } },
  { "S37", "a broken X-CLIENT-PROPS settles", fields = { outcome = { "unsettled", "rejected" } },
    cases = { "a broken X-CLIENT-PROPS with" } },
  { "S37", "an array is no set of properties",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 3 }, ["value.0"] = { 1, NONE } },
    cases = { "X-CLIENT-PROPS that is an array" } },
  { "S40", "letters outside ASCII are escaped",
    fields = { ["header x-client-props"] = { SOME, matching "\\u00fc" }, outcome = { "rejected", "resolved" },
      result = { 3, 1 }, ["info.error"] = { true, NONE }, ["info.status"] = { NONE, 200 },
      request = { NONE, SOME } },
    verbs = { "isAuthorized" }, cases = { "context values outside ASCII" } },
  { "D47", "events tell changes",
    fields = { events = { oneEvent { "online", "offline Device is offline" }, isEmpty } },
    verbs = { "device" } },
  { "D25", "onOpenRequest before every request, with the session itself",
    fields = { events = { ANY, opening }, ["header x-app"] = { NONE, "7" } },
    cases = { "onOpenRequest adds a header" } },
  { "S38", "an error in a handler stops nobody",
    fields = { outcome = { "unsettled", one { "resolved", "rejected" } },
      events = { event "online", event "b: online" }, uncaught = { 0, 1 } },
    cases = { "a handler of online that throws" } },
  { "S38", "an error in a handler of offline stops nobody",
    fields = { outcome = { "unsettled", "rejected" },
      events = { event(OFFLINE.server), event("b: " .. OFFLINE.server) }, uncaught = { 0, 1 } },
    cases = { "a handler of offline that throws" } },
  { "S39", "every request has a limit",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 3 }, ["info.status"] = { 200, NONE },
      ["info.reason"] = { NONE, "Cannot contact server" }, events = { ANY, ANY },
      request = { matching(HOME), NONE },
      ["property connected"] = { true, false }, ["property loginResult"] = { 1, 3 },
      ["property loginHttpStatus"] = { 200, 0 }, ["property clientContextId"] = { SOME, NONE } },
    cases = { "no limit for a slow" } },

  -- ---- ping
  { "S1", "an AppServer that is down is noticed",
    fields = { outcome = { "resolved", "rejected" }, result = { true, false },
      ["info.reason"] = { NONE, "AppServer is not available" },
      events = { isEmpty, event(OFFLINE.appserver) },
      ["property connected"] = { true, false } }, verbs = { "ping" },
    cases = { "the AppServer stops, classic ping" } },
  { "S1", "and its return", fields = { events = { isEmpty, event "online" } }, verbs = { "ping" },
    cases = { "the AppServer stops" } },
  { "S2", "a PingStatus of JSON's false counts",
    fields = { outcome = { "resolved", "rejected" }, result = { true, false },
      ["info.reason"] = { NONE, "AppServer is not available" },
      events = { isEmpty, event(OFFLINE.appserver) },
      ["property connected"] = { true, false } }, verbs = { "ping" },
    cases = { "a PingStatus that is JSON's false" } },
  { "S3", "a ping that is not answered well fails",
    fields = { outcome = { "resolved", "rejected" }, result = { true, false },
      ["info.reason"] = { NONE, SOME },
      events = { isEmpty, SOME }, ["property connected"] = { true, false } }, verbs = { "ping" },
    when = refusedByUs },
  { "S3", "a 500 brings nobody online",
    fields = { events = { ANY, ANY }, ["property connected"] = { true, false } },
    cases = { "a 500 to a ping while offline", "a 500 does not bring an offline session online" } },
  { "S4", "the first answer counts, not that of a second request",
    fields = { ["info.status"] = { 200, ANY }, ["property loginHttpStatus"] = { 200, 204 } },
    verbs = { "ping" },
    when = function(d) return #d.told.reference.requests > #d.told.ours.requests end },
  { "S5", "the ping address is asked for again",
    fields = { outcome = { "rejected", "resolved" }, result = { false, true },
      ["info.reason"] = { "Mobile Web Application is not available", NONE }, ["info.status"] = { 404, 200 },
      events = { ANY, ANY }, ["property connected"] = { false, true }, request = { ANY, ANY } },
        verbs = { "ping" },
    cases = { "the classic ping after a second login", "a first ping while the application is away" } },
  { "S6", "the login target in place of a ping service",
    fields = { outcome = { "rejected", "resolved" }, result = { false, true },
      ["info.reason"] = { "Mobile Web Application is not available", NONE }, ["info.status"] = { 404, 200 },
      events = { event(OFFLINE.application), isEmpty }, ["property connected"] = { false, true },
      request = { one { "GET /SportsAnonymous/rest/_oeping", "GET /SportsBasic/rest/_oeping",
          "GET /SportsForm/rest/_oeping", NONE }, ANY } }, verbs = { "ping" },
    cases = { "no ping service", "404 for ping", "410 for ping" } },
  { "S8", "pingInterval set before login", fields = { request = { NONE, matching(PING) } },
    verbs = { "wait" },
    cases = { "pingInterval set before login" } },
  { "S10", "the next login pings again",
    fields = { request = { ANY, ANY }, events = { isEmpty, event "online" },
      ["header x-client-context-id"] = { SOME, NONE } }, cases = { "the next login resumes the pinging" } },

  -- ---- catalogs
  { "S13", "a catalog says nothing of the login",
    fields = { ["property connected"] = { false, true },
      ["property loginHttpStatus"] = { SOME, one { 200, NONE } },
      ["property loginResult"] = { one { 3, NONE }, 1 } }, verbs = { "addCatalog" }, when = staysLoggedIn },
  { "S13", "so nothing comes online after it", fields = { events = { event "online", isEmpty } },
    verbs = { "isAuthorized" },
    cases = { "a catalog that 401 answers while the session is good", "a catalog that is missing, then",
      "a catalog that is gone, then" } },
  { "S13", "a 401 to a catalog: the session is asked after", fields = { request = { NONE, matching(HOME) } },
    verbs = { "addCatalog" } },
  { "S13", "and its expiry shows", fields = { ["property loginResult"] = { 3, 2 } }, verbs = { "addCatalog" },
    cases = { "a catalog after the session has expired" } },
  { "S14", "the result of several", fields = { result = { 3, 2 }, ["info.result"] = { 3, 2 } },
    verbs = { "addCatalog" }, cases = { "an array with 401 first and success last" } },
  { "S15", "a catalog's own credentials are used",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 2 }, ["info.result"] = { 1, 2 },
      ["info.status"] = { 200, 401 }, ["header authorization"] = { ANY, SOME },
      ["header cookie"] = { SOME, NONE },
      ["request status"] = { 200, 401 }, ["property catalogURIs"] = { longer(0), isEmpty },
      ["property services"] = { longer(0), isEmpty } },
        cases = { "user name and password of a catalog's own" } },
  { "S15", "and are no login",
    fields = { ["header authorization"] = { NONE, SOME }, ["property connected"] = { true, false },
      ["property loginHttpStatus"] = { 200, NONE }, ["property loginResult"] = { 1, NONE } },
    cases = { "user name and password of a catalog before login" } },
  { "S15", "nobody is logged in by them",
    fields = { outcome = { "resolved", "rejected" }, result = { one { 1, 2 }, 0 },
      ["info.status"] = { one { 200, 401 }, NONE }, request = { matching(HOME), NONE } },
        verbs = { "isAuthorized" },
    cases = { "user name and password of a catalog before login" } },
  { "D24", "iOSBasicAuthTimeout is a limit wherever it is given",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 3 }, ["info.result"] = { 1, 3 },
      ["info.status"] = { 200, NONE }, ["property catalogURIs"] = { longer(0), isEmpty },
      ["property services"] = { longer(0), isEmpty } },
        cases = { "iOSBasicAuthTimeout for a slow catalog" } },
  { "S17", "a session loads a catalog for itself",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.result"] = { one { 3, 4 }, 1 }, ["info.status"] = { 0, 200 },
      request = { NONE, matching "/CustomerService%.json$" },
      ["property catalogURIs"] = { isEmpty, longer(0) },
      ["property services"] = { isEmpty, longer(0) } },
    cases = { "two sessions load one catalog", "two applications with a service of one name",
      "getSession twice" } },
  { "S18", "a catalog that failed leaves nothing behind",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.result"] = { 3, 1 }, ["property catalogURIs"] = { isEmpty, longer(0) },
      ["property services"] = { isEmpty, longer(0) } },
    cases = { "a catalog half of which is wrong, then the good half" } },
  { "R14", "a catalog given twice is asked for once",
    fields = { request = { matching "/CustomerService%.json$", NONE } },
    cases = { "an array with a catalog twice" } },
  { "R14", "its first place is the one that loads it", perhaps = true,
    fields = { ["info.details[1].result"] = { 4, 1 }, ["info.details[2].result"] = { 1, 4 } },
    cases = { "an array with a catalog twice" } },
  -- the reference's: the first answer's
  { "S21", "relative to serviceURI",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.result"] = { 3, 1 }, ["info.status"] = { 404, 200 }, request = { ANY, ANY },
      ["property catalogURIs"] = { isEmpty, longer(0) }, ["property services"] = { isEmpty, longer(0) } },
    cases = { "a URI relative to serviceURI" } },
  { "S36", "a catalog's 401 is one whatever its body",
    fields = { result = { 3, 2 }, ["info.result"] = { 3, 2 } },
    verbs = { "addCatalog" }, cases = { "401 and broken JSON for addCatalog",
      "401 and null for addCatalog" } },
  { "S29", "a login page in place of a catalog", fields = { result = { 3, 2 }, ["info.result"] = { 3, 2 } },
    verbs = { "addCatalog" },
    cases = { "the login page for addCatalog", "an old server's catalog without a session" } },
  { "D7", "a catalog before login",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, one { 1, 2 } },
      ["info.error"] = { true, NONE },
      ["info.catalogURI"] = { NONE, SOME }, ["info.result"] = { NONE, one { 1, 2 } },
      ["info.status"] = { NONE, SOME }, request = { NONE, SOME },
      ["property catalogURIs"] = { isEmpty, longer(0) },
      ["property services"] = { isEmpty, longer(0) } }, verbs = { "addCatalog" },
    cases = { "a catalog before login", "a catalog after logout" } },
  { "D41", "credentials stay with their server", fields = { ["header authorization"] = { SOME, NONE } },
    cases = { "a catalog of another server that is protected" } },
  { "D67", "an empty schema describes nothing",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.result"] = { 3, 1 }, ["property catalogURIs"] = { isEmpty, longer(0) },
      ["property services"] = { isEmpty, longer(0) } }, cases = { "a resource with an empty schema" } },
  { "D101", "each catalog has names of its own",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.result"] = { 3, 1 }, ["property catalogURIs"] = { longer(0), longer(1) },
      ["property services"] = { longer(0), longer(1) } },
    cases = { "two catalogs with a service of one name", "two catalogs with a resource of one name" } },
  { "D42", "a service needs a name",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, 3 }, ["info.result"] = { 1, 3 },
      ["property catalogURIs"] = { longer(0), isEmpty }, ["property services"] = { longer(0), isEmpty } },
    cases = { "a service without a name" } },
  { "S42", "any number of slashes is none",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 },
      ["info.reason"] = { "Mobile Web Application is not available", NONE }, ["info.status"] = { 404, 200 },
      events = { isEmpty, event "online" }, request = { ANY, ANY },
      ["property serviceURI"] = { matching "/$", matching "[^/]$" }, ["property connected"] = { false, true },
      ["property loginHttpStatus"] = { NONE, 200 }, ["property loginResult"] = { NONE, 1 },
      ["property clientContextId"] = { NONE, SOME } }, cases = { "two slashes behind serviceURI" } },

  -- ---- data requests
  { "D43", "session:request needs no data object", fields = { ["property JSDOs"] = { 1, 0 } },
    when = function(d) return not d.case.data end },
  { "D43", "nor their requests in events",
    fields = { events = { event(OFFLINE.server .. " (a request)"), event(OFFLINE.server) } },
    verbs = { "read" } },
  { "D43", "nor in the events of a return",
    fields = { events = { event "online (a request)", event "online" } },
    verbs = { "read" } },
  { "D44", "any status below 400 is an answer", fields = { outcome = { "rejected", "resolved" } },
    verbs = { "read" },
    cases = { "broken JSON for a data request", "some page for a data request", "nothing for a data request",
      "204 for a data request", "304 for a data request" } },
  { "S12", "a data request that failed says nothing of the server",
    fields = { events = { ANY, isEmpty }, ["property connected"] = { false, true } }, verbs = { "read" } },
  { "S12", "no ping after it", fields = { request = { matching(PING), NONE } }, verbs = { "read" } },
  { "S35", "a data request shows an expiry",
    fields = { events = { event(OFFLINE.server .. " (a request)"), event(OFFLINE.expired) },
      ["property loginResult"] = { 1, 2 }, ["property loginHttpStatus"] = { 200, 401 } },
        verbs = { "read" } },

  { "D62", "an empty model is none",
    fields = { outcome = { one { "returned", "resolved" }, "raised" }, session = { "s", NONE },
      events = { event "online", isEmpty } }, cases = { "an empty model" } },
  { "D65", "a ping service that is forbidden has the login target asked",
    fields = { request = { NONE, matching(HOME) }, ["info.status"] = { 200, 403 } }, verbs = { "ping" },
    cases = { "a ping that is forbidden", "403 for ping" } },
  { "D66", "a catalog that cannot be had shows that the server is away",
    fields = { ["info.reason"] = { NONE, "Cannot contact server" },
      events = { isEmpty, event(OFFLINE.server) } },
    verbs = { "addCatalog" }, cases = { "a reset for addCatalog", "a closed connection for addCatalog",
      "a stopped server for addCatalog", "a catalog of a server that is away" } },
  { "D66", "and nothing of the login",
    fields = { ["property loginHttpStatus"] = { 0, 200 }, ["property loginResult"] = { NONE, 1 } },
    verbs = { "ping" }, cases = { "a catalog of a server that is away" } },

  -- ---- logins that fail half-way
  { "D61", "a login that fails after the form was accepted is logged out",
    fields = { request = { NONE, matching(LOGOUT) } }, verbs = { "login" } },

  -- ---- getSession, invalidateAllSessions
  { "S46", "no credentials: said so", fields = { result = { NONE, 2 }, ["info.kind"] = { "none", "object" } },
    verbs = { "getSession" }, cases = { "getSession without credentials", "getSession without a password" } },
  { "S47", "a bearer token needs no password",
    fields = { outcome = { "rejected", "resolved" }, value = { NONE, "s" }, result = { NONE, 1 },
      session = { NONE, "s" }, request = { NONE, SOME } },
        cases = { "getSession with a bearer token alone" } },
  { "S48", "a named sso session comes back though its token has expired",
    fields = { outcome = { one { "unsettled", "hung" }, "resolved" }, uncaught = { 1, 0 },
      session = { NONE, "s" },
      request = { ANY, ANY }, ["request status"] = { 401, 200 }, ["header authorization"] = { SOME, SOME },
      ["header x-client-context-id"] = { SOME, NONE } },
    cases = { "a named sso getSession whose token has expired" } },
  { "S49", "a server that cannot tell leaves a named session as it is",
    fields = { ["info.status"] = { NONE, 500 }, request = { SOME, NONE },
      ["property clientContextId"] = { "context2", "context1" }, ["header cookie"] = { SOME, SOME },
      ["header x-client-context-id"] = { NONE, "context1" } },
    cases = { "a named getSession whose check fails" } },
  { "S44", "no session, no success",
    fields = { outcome = { "resolved", "rejected" }, result = { 1, one { 2, 3 } },
      ["info.kind"] = { "none", "object" }, ["info.status"] = { NONE, SOME } }, verbs = { "getSession" },
    cases = { "getSession whose check" } },
  { "R10", "what was done is undone", perhaps = true, -- the reference may log out after it has told its user
    fields = { request = { NONE, matching(LOGOUT) } }, verbs = { "getSession" },
    cases = { "getSession whose check" } },
  { "S50", "a catalog that failed leaves nothing behind",
    fields = { request = { NONE, SOME }, ["property catalogURIs"] = { isEmpty, longer(0) },
      ["property services"] = { isEmpty, longer(0) },
      ["property clientContextId"] = { "context1", "context2" } },
    verbs = { "getSession" }, cases = { "getSession with one of two catalogs missing" } },
  { "S31", "somebody else's login is not taken",
    fields = { outcome = { "resolved", "rejected" }, value = { "t", NONE }, result = { 1, 2 },
      ["info.kind"] = { "none", "object" }, ["info.status"] = { NONE, 401 }, session = { "t", NONE },
      request = { ANY, ANY } }, verbs = { "getSession" },
        cases = { "getSession when somebody is logged in there" } },
  { "S31", "each logs in for itself", fields = { request = { ANY, ANY } }, verbs = { "getSession" },
    cases = { "getSession twice (form)", "getSession after the session of another has expired" } },
  { "D16", "invalidateAllSessions is for getSession's sessions",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["info.status"] = { NONE, 200 }, request = { ANY, ANY }, ["property clientContextId"] = { NONE, SOME },
      ["property connected"] = { false, true }, ["property loginHttpStatus"] = { NONE, 200 },
      ["property loginResult"] = { NONE, 1 } }, verbs = { "invalidateAllSessions", "isAuthorized" },
    cases = { "invalidateAllSessions and a session without getSession" } },

  { "D16", "what it leaves is logged in", fields = { ["property authProvider"] = { NONE, true } },
    cases = { "invalidateAllSessions and a session without getSession" } },

  -- ---- providers and tokens
  { "S53", "invalidate of an sso session",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      ["property authProvider"] = { true, NONE }, ["property loginResult"] = { 1, NONE } },
    cases = { "invalidate of an sso session" } },
  { "S31", "providers share no login", fields = { value = { true, false } },
    verbs = { "hasClientCredentials" },
    cases = { "two providers of one URI" } },
  { "S52", "no refresh_token is no failure",
    fields = { outcome = { "rejected", "resolved" }, result = { 3, 1 }, ["info.error"] = { true, NONE },
      request = { matching(LOGOUT), NONE } }, verbs = { "login" },
    cases = { "a token answer without refresh_token" } },
  { "S51", "a token is refreshed in time",
    fields = { outcome = { "hung", "resolved" }, events = { isEmpty, event "online" },
      session = { NONE, "s" },
      request = { ANY, ANY } }, verbs = { "isAuthorized" }, cases = { "a token that is due for a refresh",
        "a token that lives for less than no time" } },
  { "R12", "a token that has expired is refreshed, and the request sent again",
    fields = { outcome = { "rejected", "resolved" }, result = { 6, 1 }, ["info.result"] = { 6, 1 },
      ["info.status"] = { 401, 200 }, request = { NONE, SOME }, ["property loginHttpStatus"] = { NONE, 200 },
      ["property catalogURIs"] = { isEmpty, longer(0) }, ["property services"] = { isEmpty, longer(0) } },
    cases = { "a token that has expired" } },
  { "S54", "a provider that was logged out",
    fields = { outcome = { "unsettled", "rejected" }, result = { 3, 2 },
      ["info.kind"] = { "array", "object" },
      ["info.status"] = { NONE, 401 }, ["info.result"] = { NONE, 2 }, ["info.catalogURI"] = { NONE, SOME },
      ["info.details[1].result"] = { 3, 2 }, ["info.details[1].status"] = { NONE, 401 },
      request = { NONE, SOME } },
    cases = { "an sso session whose provider has logged out" } },
  { "S54", "a provider that was logged out before its session was used",
    fields = { result = { 3, one { 2, false } }, ["info.status"] = { NONE, 401 },
      ["property loginHttpStatus"] = { NONE, 401 }, request = { NONE, SOME } },
    cases = { "a session whose provider has just logged in" } },
  { "D60", "a ping says that the device is offline",
    fields = { ["info.reason"] = { NONE, "Device is offline" } },
    verbs = { "ping" }, cases = { "a device that goes offline" } },
  { "D50", "the sessions of a provider that was logged out know it",
    fields = { events = { isEmpty, event(OFFLINE.expired) }, ["property connected"] = { true, false },
      ["property loginResult"] = { 1, 2 } }, verbs = { "logout" },
    cases = { "single sign-on", "an sso session whose provider has logged out",
      "a session whose provider has just logged in" } },
  { "D48", "authenticationURI is serviceURI by default for sso too",
    fields = { outcome = { "raised", "rejected" }, request = { NONE, SOME } },
    cases = { "getSession with sso and no provider" } },

  -- ---- named sessions
  { "R13", "what was restored is connected when the server has said so",
    fields = { ["property connected"] = { true, false } }, verbs = { "new", "getContextProperty" },
    cases = { "a named session", "the catalogs of a named session", "the pinging of a named session",
      "the context of a named session" } },
  { "R13", "and comes online then", fields = { events = { isEmpty, event "online" } },
    verbs = { "isAuthorized", "wait" },
    cases = { "a named session comes back", "the catalogs of a named session",
      "the pinging of a named session" } },
  { "R13", "an empty name is none", fields = { ["property name"] = { "", NONE } },
    cases = { "a name that is empty" } },
  { "S58", "a bearer session without its token does not come back",
    fields = { result = { 2, 0 }, ["info.status"] = { 401, NONE }, request = { matching(HOME), NONE },
      ["property authProvider"] = { true, NONE }, ["property connected"] = { true, false },
      ["property loginHttpStatus"] = { 200, NONE }, ["property loginResult"] = { 1, NONE } },
    cases = { "a named bearer session" } },
  { "S59", "context properties come back", fields = { value = { NONE, SOME } },
    verbs = { "getContextProperty" },
    cases = { "the context of a named session" } },
  { "S60", "two live sessions of one name are a mistake",
    fields = { outcome = { "returned", "raised" }, session = { "t", NONE } },
    cases = { "two live sessions of one name" } },

  -- ---- redirects
  { "D46", "a kept connection that is dead is tried once more", fields = { request = { NONE, SOME } },
    cases = { "a reset for", "a closed connection for" } },
  { "D41", "a redirect to another server is not followed",
    fields = { request = { matching "^GET other/", NONE }, outcome = { "resolved", "rejected" },
      result = { 1, 3 },
      ["info.status"] = { 200, NONE } }, cases = { "a check that is redirected to another server" } },
  { "D45", "too many redirects are an answer of the server",
    fields = { request = { matching(HOME), NONE }, ["info.reason"] = { "Cannot contact server", NONE },
      events = { event(OFFLINE.server), isEmpty }, ["property connected"] = { false, true } },
    cases = { "a check that is redirected for ever" } },
  { "S4", "one redirected ping", fields = { request = { SOME, NONE } }, verbs = { "ping" },
    cases = { "a ping that is redirected" } },
}

table.move(require "allowed_data", 1, #require "allowed_data", #entries + 1, entries)

local function isAmong(list, value)
  for _, known in ipairs(list or { value }) do
    if known == value then return true end
  end
  return false
end

local function begins(list, name)
  for _, beginning in ipairs(list or { "" }) do
    if name:sub(1, #beginning) == beginning then return true end
  end
  return false
end

local used = {} -- rule -> true

-- The rule for a field; `*` in a field's name stands for anything.
local function ruleFor(entry, field)
  if entry.fields[field] then return entry.fields[field] end
  if not entry.globs then
    entry.globs = {}
    for name, rule in pairs(entry.fields) do
      if name:find("*", 1, true) then
        entry.globs["^" .. name:gsub("[^%w*]", "%%%0"):gsub("%*", ".*") .. "$"] = rule
      end
    end
  end
  for pattern, rule in pairs(entry.globs) do
    if field:find(pattern) then return rule end
  end
end

-- True if the entry is about such cases and steps.
local function applies(entry, difference)
  return (not entry.data or difference.case.data) and isAmong(entry.verbs, difference.verb)
    and isAmong(entry.models, difference.model) and begins(entry.cases, difference.case.name)
end

--- Whether some entry covers the difference; notes which.
function allowed.explain(difference)
  for _, entry in ipairs(entries) do
    local rule = ruleFor(entry, difference.field)
    if rule and applies(entry, difference) and match.fits(rule[1], difference.reference, difference)
      and match.fits(rule[2], difference.ours, difference) and (not entry.when or entry.when(difference)) then
      used[rule] = true
      return true
    end
  end
  return false
end

-- The page's numbers: "elsewhere" if the item says that it has no cases of its own, else "here".
local function items(file)
  local stream = assert(io.open(file))
  local page, known = stream:read "a":gsub("%s+", " "), {}
  stream:close()
  for text in page:gsub("%- %*%*", "\0"):gmatch "\0([^\0]+)" do
    local says = text:find("seen by no case", 1, true) or text:find "seen with [SDR]%d"
    for number in text:match "^[^*]*":gmatch "[SDR]%d+" do known[number] = says and "elsewhere" or "here" end
  end
  return known
end

local function unused(entry)
  local list = {}
  for field, rule in pairs(entry.fields) do
    if not used[rule] and not entry.perhaps then
      list[#list + 1] = ("allowed.lua: %s, %s: no case needs '%s'"):format(entry[1], entry[2], field)
    end
  end
  return list
end

-- An item has entries, or says that it has none.
local function misplaced(known)
  local list, has = {}, {}
  for _, entry in ipairs(entries) do
    has[entry[1]] = true
    if not known[entry[1]] then
      list[#list + 1] = ("allowed.lua: %s, %s: no such item on the page"):format(entry[1], entry[2])
    end
  end
  for number, where in pairs(known) do
    if (where == "here") ~= (has[number] or false) then
      list[#list + 1] = ("docs/differences.md: %s: %s"):format(number,
        where == "here" and "has no entry and does not say so" or "has an entry and says it has none")
    end
  end
  return list
end

--- The faults of the list, now that every case has run: entries and fields that nothing needed, numbers that
-- the page does not have, items that are wrong about their cases.
function allowed.problems(file)
  local list = misplaced(items(file))
  for _, entry in ipairs(entries) do
    for _, fault in ipairs(unused(entry)) do list[#list + 1] = fault end
  end
  table.sort(list)
  return list
end

return allowed
