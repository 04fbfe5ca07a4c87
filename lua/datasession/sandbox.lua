--- A real HTTP server inside the process, to try programs and to test them against: web applications
-- of the JSDO kind, each with Catalogs and data services, and faults on demand.
--
--     local server = assert(require("datasession.sandbox").start { port = 0 })
--     print(server.uris.form, server.catalogURIs.form)
--     server:fault { kind = "slow", delay = 2, path = "/_oeping$" }
--     server:close()
--
-- The applications, by model:
--
-- - anonymous: /SportsAnonymous, open to everybody
-- - basic: /SportsBasic, HTTP Basic
-- - form: /SportsForm, a login that makes a session
-- - form_sso: /SportsAuth, the token server: a form application whose login, with ?OECP=yes, gives an
--   access token and a refresh token too. POST static/auth/token?op=refresh gives new ones as long as
--   the login's session lives, which is idleTimeout longer than its last access token; a refresh
--   token is good until its successor has been used
-- - sso: /SportsSso, `Authorization: oecp <access token>`; also tokens of other sandboxes, see the
--   option tokenSecret
-- - bearer: /SportsBearer, `Authorization: Bearer <token>`: a token of the option bearerTokens or of oauth
-- - oauth: /oauth, an OAuth 2.0 authorization server without a Catalog, see setOAuth
-- - old: /SportsOld, form login as older servers did it, see setOldStyle
-- - datasnap: /datasnap, a DataSnap REST server without a Catalog. Its URI is the server's origin, to which
--   a client adds datasnap/rest/; see setDataSnap
-- - btt: /bank, a server of the Bank Transformation Toolkit, see setBtt
-- - proiv: /connect, a PROIV connection servlet, see setProiv
--
-- It runs in threads of its own, so the host may block, in a client's `await` for instance, while
-- it is served. A mistake in an argument raises; what the machine refuses (a port that is taken)
-- comes back as nil and a message.
local cjson = require "cjson"
local ascii = require "datasession.internal.ascii"
local check = require "datasession.sandbox.check"
local dump = require "datasession.sandbox.dump"
local json = require "datasession.sandbox.json"
local lua = require "datasession.internal.lua"
local methodsOf = require "datasession.internal.methods"
local raise = require "datasession.internal.raise"
local settings = require "datasession.sandbox.settings"
local setup = require "datasession.sandbox.setup"
local suggest = require "datasession.internal.suggest"

local math, setmetatable = lua.math, lua.setmetatable

local found, core = pcall(require, "datasession.sandbox.core")
if not found then
  error("datasession.sandbox is not installed completely: datasession.sandbox.core is missing. Install \z
    libmicrohttpd and GnuTLS with their headers, then run `luarocks install datasession-sandbox`, or `make` \z
    in the source tree.\n" .. tostring(core), 0)
end

local sandbox = {}

-- ---- the server

local methods = {}
local Server = { __name = "datasession.sandbox.server", __index = methods }

local CORE = {} -- where a server keeps its userdata, out of sight
local AUTHORITY = {} -- and the name of caFile, to remove it

function Server:__tostring()
  local state = self:isRunning() and "running" or "stopped"
  return ("datasession.sandbox.server: %s (%s)"):format(self.origin, state)
end

-- Runs `control.<name>` of site.lua in the server's own Lua state.
local function control(self, name, call, level)
  call = call or {}
  call.name = name
  local ok, result = self[CORE]:control(cjson.encode(call))
  if not ok then raise(result, (level or 1) + 2) end
  return result ~= "" and cjson.decode(result) or nil
end

local function checkModel(self, model, level)
  if model == nil or self.uris[model] then return end
  local models = {}
  for name in pairs(self.uris) do models[#models + 1] = name end
  table.sort(models)
  check.value("model", check.oneOf(models), model, level + 1)
end

local function checkFlag(what, value, level)
  check.value(what, check.is "boolean", value, level + 1)
end

local CATALOGS = {} -- where a server keeps the names of its catalogs

-- Raises for a name that is not among the known ones.
local function checkName(kind, name, known, level)
  for _, one in ipairs(known) do
    if name == one then return end
  end
  raise(("bad argument '%s': %s"):format(kind, suggest.unknown(kind, name, known)), level + 1)
end

--- The absolute URI of a model's Catalog; nil when it has none. `catalog`: "CustomerService" (the default;
-- the same as server.catalogURIs[model]), "OrderService" or one of the option `catalogs`.
function methods:catalogURI(model, catalog)
  checkModel(self, model or false, 2)
  if catalog ~= nil then checkName("catalog", catalog, self[CATALOGS], 2) end
  local uri = self.catalogURIs[model]
  return uri and catalog and (uri:gsub("[^/]*$", function() return catalog .. ".json" end, 1)) or uri
end

--- Starts a stopped server again, on the same port; customers, server sessions and faults are as
-- they were. Returns true, or nil and a message when the port has been taken by somebody else. A
-- running server is left alone.
function methods:start()
  return self[CORE]:start()
end

--- Stops listening and closes every connection, also those that wait for an answer. A connect is
-- refused from then on.
function methods:stop()
  self[CORE]:stop()
end

--- stop, then start.
function methods:restart()
  self:stop()
  return self:start()
end

--- Stops the server for good, frees all that it has and removes caFile. May be called twice; the collector
-- and a to-be-closed variable do it too.
function methods:close()
  self[CORE]:close()
  local path = self[AUTHORITY]
  self[AUTHORITY] = nil
  if path then os.remove(path) end
end

Server.__close, Server.__gc = methods.close, methods.close

--- Whether it listens.
function methods:isRunning()
  return self[CORE]:isRunning()
end

--- Whether the AppServer behind the web applications (of one model, or of all) runs. Without it
-- data requests and the new ping are answered with 500, the classic ping says PingStatus "false";
-- pages, login and Catalog go on. btt answers with DSECSServerNotStartedException, proiv with 503.
function methods:setAppServer(up, model)
  checkFlag("argument 'up'", up, 2)
  checkModel(self, model, 2)
  control(self, "setAppServer", { up = up, model = model })
end

--- Whether a model's web application is deployed. All requests to one that is not get 404 and the
-- servlet container's page.
function methods:setApplication(model, up)
  checkModel(self, model or false, 2)
  checkFlag("argument 'up'", up, 2)
  control(self, "setApplication", { up = up, model = model })
end

--- Which ping service there is: "new" (/rest/_oepingService/_oeping), "classic" (/rest/_oeping) or
-- "none".
function methods:setPing(ping)
  check.value("argument 'ping'", setup.rules.ping, ping, 2)
  control(self, "setPing", { ping = ping })
end

local KINDS = { "slow", "reset", "close", "truncate", "malformed", "html", "loginPage", "status", "redirect",
  "empty", "raw" }

local faultRules = {
  kind = check.oneOf(KINDS), method = check.is "string", path = check.pattern, model = check.is "string",
  count = check.integer(0), delay = check.number(0), after = check.integer(0),
  status = check.integer(200, 599), body = check.is "string", contentType = check.line,
  headers = check.headerLines, location = check.line,
}

-- The options that some kinds alone take, and those that they need.
local ONLY = {
  after = { truncate = true }, status = { status = true, redirect = true },
  body = { status = true, raw = true }, contentType = { status = true }, location = { redirect = true },
}
local NEEDED = { slow = "delay", status = "status", redirect = "location", raw = "body" }

local function checkFault(self, options, level)
  check.options("fault", options, faultRules, level + 1)
  check.value("option 'kind' for 'fault'", faultRules.kind, options.kind, level + 1)
  checkModel(self, options.model, level + 1)
  for name, kinds in pairs(ONLY) do
    if options[name] ~= nil and not kinds[options.kind] then
      raise(("option '%s' for 'fault' means nothing to the kind '%s'"):format(name, options.kind), level + 1)
    end
  end
  local needed = NEEDED[options.kind]
  if needed and options[needed] == nil then
    raise(("the fault '%s' needs the option '%s'"):format(options.kind, needed), level + 1)
  end
end

--- Makes the next requests go wrong. Faults are used in the order in which they were added; options:
--
-- - kind: "slow" (delay), "reset" (the connection is reset), "close" (closed without an answer),
--   "truncate" (the true answer, declared in full, closed after `after` bytes of the body; default:
--   half), "malformed" (200, broken JSON), "html" (200, some page), "loginPage" (200, the login
--   form), "status" (status, body, contentType), "redirect" (location, status = 302), "empty" (200
--   and no body), "raw" (the bytes of `body` in place of an HTTP response, then closed; not over
--   https)
-- - which requests: `method`, `path` (a Lua pattern, tried on the decoded path without path
--   parameters), `model`; default: any
-- - count: how many requests (default 1; 0: until cleared)
-- - delay: seconds to wait first, for any kind
-- - headers: header lines by name, in place of the answer's or beside them
--
-- The application sees the request of "slow" and "truncate" only.
function methods:fault(options)
  checkFault(self, options, 2)
  if options.kind == "raw" and self.origin:find("^https") then
    raise("the fault 'raw' is not for https", 2)
  end
  control(self, "fault", { fault = options })
end

--- Forgets all faults and refusals; those that are under way go on.
function methods:clearFaults()
  control(self, "clearFaults")
end

--- Sends the delayed answers of requests that the log has; faults to come keep their delay.
function methods:endDelays()
  self[CORE]:endDelays()
end

local METHODS = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }

-- The method as requests have it. One that looks like a misspelt one of METHODS raises.
local function methodOf(method, level)
  local known = type(method) == "string" and method:find "^[%w!#$%%&'*+.^_`|~-]+$"
  if not known then check.value("argument 'method'", check.oneOf(METHODS), method, level + 1) end
  local name = ascii.upper(method)
  local nearest = suggest.nearest(name, METHODS)
  if nearest and nearest ~= name then
    raise(("bad argument 'method': unknown method '%s': did you mean '%s'?"):format(method, nearest),
      level + 1)
  end
  return name
end

local function isPathPattern(value)
  local ok, expected = check.pattern(value)
  if not ok then return false, expected end
  return value ~= "" and not value:find "^%^?[%w_]", "Lua pattern of a path that begins with /"
end

--- Answers requests by a function of the program's: `server:route("GET", "/stock/(%d+)", function(request)
-- return 200, { ["X-Stock"] = "low" }, { item = request.captures[1] } end)`.
--
-- - method: "GET" (which answers HEAD too) or another; "*": any
-- - pattern: the path, or a Lua pattern of the whole path (decoded, without path parameters)
-- - handler: function(request, state, serve); false removes the route. It runs in the server's own Lua state,
--   in a thread of the server, so that the program may block while it is served: it must not use locals
--   from outside itself. `request` has the members of `requests()`, `captures`, and `bytes(size [, text])`,
--   which makes a body of any size. `serve()` returns the status, the headers and the body that the sandbox
--   gives without this function. It returns a status, headers by name (a list for a name that repeats), and
--   a body: a string, or a table, which is sent as JSON. Nothing: the sandbox answers as it does without it
-- - state: a table of plain values, of which the function gets a copy that it keeps from call to call
--
-- The newest route that fits is used; one with the same method and pattern replaces the former. An error
-- makes the answer 500 with its message, as `failure` in `requests()`; so does a call of more than 10
-- seconds.
function methods:route(method, pattern, handler, state)
  method = methodOf(method, 2)
  check.value("argument 'pattern'", isPathPattern, pattern, 2)
  local code = handler ~= false and dump.code("argument 'handler'", handler, 2) or nil
  local values = dump.values("argument 'state'", state, 2)
  control(self, "route", { method = method, pattern = pattern, code = code, state = values })
end

--- Runs a function, as those of routes, for every request, before its route. false: none.
function methods:onRequest(handler, state)
  local code = handler ~= false and dump.code("argument 'handler'", handler, 2) or nil
  control(self, "onRequest", { code = code, state = dump.values("argument 'state'", state, 2) })
end

--- Removes all routes and the function of onRequest.
function methods:clearRoutes()
  control(self, "clearRoutes")
end

local isTable = check.oneOf { "ttCustomer", "ttItem", "ttOrder", "ttOrderLine" }

local refusalRules = {
  table = isTable, operation = check.oneOf { "create", "update", "delete" }, where = check.name,
  count = check.integer(0), message = check.is "string", number = check.integer(0),
  returnValue = check.is "string", how = check.oneOf { "both", "error", "rejected" },
}

--- Makes the data services refuse changes of rows. Options, all of them optional:
--
-- - which rows: `table` ("ttCustomer", "ttItem", "ttOrder" or "ttOrderLine"), `operation` ("create",
--   "update" or "delete"), `where` (a where-expression of ABL about the row that was sent); default: any
-- - count: how many rows (default 1; 0: until cleared)
-- - message, number, returnValue: what the server says: the error's text, its number, the value of RETURN
--   ERROR
-- - how a change with before-image is refused: "error" (prods:hasErrors, and the text in prods:errors),
--   "rejected" (prods:rejected alone), or "both" (the default). Without before-image the status is 500
--
-- clearFaults forgets them.
function methods:refuseRows(options)
  check.options("refuseRows", options, refusalRules, 2)
  control(self, "refuseRows", { refusal = options })
end

local dataRules = {
  nested = check.is "boolean", wrapped = check.is "boolean", locking = check.is "boolean",
  answers = check.oneOf { "rows", "none", "bare" }, unnamed = check.oneOf { "list", "data", "record" },
}

--- Changes how the data services behave; what is not named stays as it is:
--
-- - nested: whether reads of orders have the lines inside their orders (default false; OrderNested always
--   has)
-- - wrapped: whether answers to reads are inside {"response": ...} (default false)
-- - locking: whether a change is refused when the row in prods:before is not what is stored (default true)
-- - answers: what changes are answered with: "rows" (the default), "none" (status 204), "bare" (without
--   before-image: the first row alone)
-- - unnamed: what reads of ItemUnnamed are answered with: "list" (the default), "data" ({"data": list}) or
--   "record" (the first row alone)
function methods:setData(options)
  check.options("setData", options, dataRules, 2)
  control(self, "setData", { options = options })
end

--- The rows that a table has now, in the order of their addition; null is cjson.null.
function methods:rows(name)
  check.value("argument 'table'", isTable, name, 2)
  return control(self, "rows", { table = name })
end

--- Stores a row, as another client's change: its values go into the record with its key, or into a new one.
-- Returns the record.
function methods:putRow(name, row)
  check.value("argument 'table'", isTable, name, 2)
  check.value("argument 'row'", check.is "table", row, 2)
  return control(self, "putRow", { table = name, row = row })
end

--- Removes the record with the key of a row, as another client does. False: there is none.
function methods:dropRow(name, row)
  check.value("argument 'table'", isTable, name, 2)
  check.value("argument 'row'", check.is "table", row, 2)
  return control(self, "dropRow", { table = name, row = row }) == true
end

--- Loses the server sessions, of one model or of all, as a restarted server does.
function methods:expireSessions(model)
  checkModel(self, model, 2)
  control(self, "expireSessions", { model = model })
end

--- How many server sessions are logged in and alive, of one model or of all.
function methods:sessionCount(model)
  checkModel(self, model, 2)
  return math.tointeger(control(self, "sessionCount", { model = model }))
end

--- Lets time pass for the server sessions and for the tokens issued so far, wherever they were: they
-- are older by `seconds`, so that idleTimeout and tokenLifetime can be tried without waiting.
function methods:advanceClock(seconds)
  check.value("argument 'seconds'", check.number(0), seconds, 2)
  control(self, "advanceClock", { seconds = seconds })
end

--- Ends the life of the access tokens issued so far: this server answers them with 401 and
-- sso.token.expired_token from now on (each server judges for itself). A refresh still gives good ones.
function methods:expireTokens()
  control(self, "expireTokens")
end

--- The same, and the refresh tokens given so far are refused too.
function methods:revokeTokens()
  control(self, "revokeTokens")
end

local function isTokenAnswer(value)
  return value == nil or type(value) == "string" or check.isObject(value),
    "string, or table of what JSON can tell by name"
end

--- Changes what logins with ?OECP=yes and refreshes are answered: the members of a table replace those
-- of the answer (token_type, access_token, refresh_token, expires_in) or are added, and false leaves a
-- member out: `server:setTokenAnswer { refresh_token = false, expires_in = 1 }`. A string is the whole
-- body, JSON or not. nil: nothing is changed (the default). Text that the server gives out in truth does not
-- change: neither the lifetime of its tokens nor which of them it takes.
function methods:setTokenAnswer(answer)
  check.value("argument 'answer'", isTokenAnswer, answer, 2)
  control(self, "setTokenAnswer", { answer = answer })
end

--- How many times tokens were given for a refresh token.
function methods:tokenRefreshes()
  return math.tointeger(control(self, "tokenRefreshes"))
end

local isOldStyle = check.oneOf { "pages", "redirect", "json" }

--- How the application "old" tells that somebody is not logged in, whatever the request accepts:
-- "pages" (the default; status 200 and the login page; after wrong credentials a page with the words
-- "login failed"), "redirect" (302 to such pages), "json" (status 200 and a body with status_code 401 and
-- status_txt). A login that is good ends in a redirect to static/home.html, but for "json": there
-- in status 200 with status_code 200.
function methods:setOldStyle(style)
  check.value("argument 'style'", isOldStyle, style, 2)
  control(self, "setOldStyle", { style = style })
end

local function isHeaderText(value)
  return type(value) == "string" and not value:find("[\r\n%z]"),
    "table of what JSON can tell by name, or string without line breaks"
end

--- Makes every 2xx answer of a model's application carry the header X-CLIENT-PROPS: `properties` is a
-- table, sent as a JSON object in ASCII, or a string, sent as it is, which may be empty or no JSON.
-- nil: no such header (the default).
function methods:setContextProperties(model, properties)
  checkModel(self, model or false, 2)
  local text = check.isObject(properties) and json.encodeASCII(properties) or properties
  check.value("argument 'properties'", isHeaderText, text == nil and "" or text, 2)
  control(self, "setContextProperties", { model = model, text = text })
end

local givesContextIds = check.oneOf { "form", "form_sso", "sso", "old" }
local hasSessions = check.oneOf { "form", "form_sso", "old" }

--- Whether 2xx answers to those who are logged in carry the header X-CLIENT-CONTEXT-ID (the default), for
-- one of the models form, form_sso, sso and old, or for all of them.
function methods:setContextIds(on, model)
  checkFlag("argument 'on'", on, 2)
  if model ~= nil then check.value("model", givesContextIds, model, 2) end
  control(self, "setContextIds", { on = on, model = model })
end

--- Whether logins give the cookie JSESSIONID (the default), for one of the models form, form_sso and old,
-- or for all of them. Without, cookies are not looked at either: a session is known by the path
-- parameter JSESSIONID alone, whose value is the client context id, which then comes with the login's
-- answer too.
function methods:setCookies(on, model)
  checkFlag("argument 'on'", on, 2)
  if model ~= nil then check.value("model", hasSessions, model, 2) end
  control(self, "setCookies", { on = on, model = model })
end

local datasnapRules = {
  timeout = check.integer(0), perRequest = check.is "boolean", pragma = check.is "boolean",
  generation = check.oneOf { "older", "newer" }, slim = check.is "boolean",
  channelResponseTimeout = check.integer(0), channelQueueSize = check.integer(1),
}

--- Changes how the application "datasnap" deals with sessions. Settings that the options do not name stay:
--
-- - timeout: milliseconds after which a session that is not used ends, also those that there are, and what
--   dssessionexpires says; 0: never. At the start: idleTimeout
-- - perRequest: whether a session ends with the request that made it; its id is then told as empty.
--   Setting it to true closes those that there are. At the start: false
-- - pragma: whether answers carry the header Pragma, with the session's id. At the start: true
-- - generation: "older", as servers from XE2 to Berlin, or "newer", as those of RAD Studio 11: an answer
--   without a body has a page, a stream is a list of bytes, and batches are not served. At the start: "older"
-- - slim: whether it is the newer servers' component that has no callback channels and no cache. At the
--   start: false
-- - channelResponseTimeout: milliseconds in which a client that was handed a message of its callback channel
--   has to be back; later the channel is closed. At the start: 30000
-- - channelQueueSize: how many messages wait for the client of a callback channel; more are refused. At the
--   start: 100
function methods:setDataSnap(options)
  check.options("setDataSnap", options, datasnapRules, 2)
  control(self, "setDataSnap", { options = options })
end

--- Resets the connections of the requests that wait for messages of a callback channel. The channels stay,
-- and lose no message by that.
function methods:resetChannels()
  control(self, "resetChannels")
end

--- How many times the methods of the application "datasnap", by "Class.Method", and the operations of "btt",
-- by "btt.Operation", were run; one that was refused, or asked with what does not fit, was not run.
function methods:calls()
  local calls = control(self, "calls") or {}
  for name, count in pairs(calls) do calls[name] = math.tointeger(count) end
  return calls
end

--- Changes how the application "btt" behaves; what is not named stays as it is:
--
-- - refuseEstablish: how many establish requests are refused from now on (default 0)
-- - lossAs: how a request without a live session is answered: "CSS00" (the default) or "CSS11" (status
--   200, and that code in the reply), 401, 403, 440, or "redirect" (302 to `location`, which is by default
--   on a server that there is not)
-- - timeout: milliseconds after which a session that is not used ends, told when it is established
--   (default 1800000; 0: never)
-- - answer: what forms are answered with: "json" (the default) or "html", pages with hidden inputs
-- - carrier: what a session is known by: "cookie", "parameter" or "both" (the default)
-- - pageId: whether forms need the dse_pageId of the latest page: "optional" (the default: when there is
--   one it must be that) or "required"
-- - runInSession: whether operations need a session (default true)
-- - serverId: the id of this server (default "n1"); who joins a session with another is refused
-- - wrapper: the one key inside which JSON replies are (default false: none)
-- - cookies: the list of further values of Set-Cookie, for every answer (default: none)
-- - reply: changes members of the reply of a session that is established; false leaves one out
function methods:setBtt(options)
  check.options("setBtt", options, settings.btt.rules, 2)
  control(self, "configure", { model = "btt", settings = options })
end

--- Changes how the application "proiv" behaves; what is not named stays as it is:
--
-- - stop: what comes of a STOP: "end" (the default), "refuse" (409 at once), "refuseLater" (POLL says
--   so), or "hang" (it is "stopping" as long as this stands)
-- - polls: which POLL after the STOP tells the outcome (default 1; 0: the answer to STOP itself)
-- - sessionKey: whether sessions get a key from the server, which has to come as SESSION_KEY (default false)
-- - finished: whether the programs have come to their end, so that the next POLL of a session tells that
--   it has ended (default false)
-- - lossAs: how a lost session is answered: 404 (the default), 410, 401, 403, or "lost" (200, as a state)
function methods:setProiv(options)
  check.options("setProiv", options, settings.proiv.rules, 2)
  control(self, "configure", { model = "proiv", settings = options })
end

--- Changes how the application "oauth" behaves; what is not named stays as it is:
--
-- - lifetime: seconds that its access tokens live (default: tokenLifetime)
-- - refreshTokens: whether the grants refresh_token and device_code give a refresh token (default true)
-- - interval: seconds between two requests of a device that waits (default 5)
-- - deviceLifetime: seconds that a user has to approve a device (default 600)
-- - clients: secrets by client id (default { robot = "secret", tv = "" }); "" for a client without one
function methods:setOAuth(options)
  check.options("setOAuth", options, settings.oauth.rules, 2)
  control(self, "configure", { model = "oauth", settings = options })
end

--- Approves the device that shows this code, as a user does at /oauth/device; `approved` = false: refuses it.
-- Returns false if no device shows it.
function methods:approveDevice(code, approved)
  check.value("argument 'code'", check.name, code, 2)
  if approved ~= nil then checkFlag("argument 'approved'", approved, 2) end
  return control(self, "approveDevice", { code = code, approved = approved ~= false }) == true
end

--- The requests that came since the last clearRequests, oldest first; the last 10,000 at most, and
-- bodies of 64 MiB in all. Each has `method`, `uri` (as sent), `path` (decoded, without path
-- parameters), `parameters` (of the path, by name), `query` (by name), `headers` (by lower-case
-- name), `body`, `size` (its bytes), `status` (nil when none was sent), `model`, `route` ("GET /stock"),
-- `fault` (its kind), `failure` (of a function of route or onRequest), `time` (seconds since 1970).
function methods:requests()
  local list = control(self, "requests")
  for _, request in ipairs(list) do
    request.status, request.size = math.tointeger(request.status), math.tointeger(request.size)
  end
  return list
end

--- Empties the log of requests.
function methods:clearRequests()
  control(self, "clearRequests")
end

--- Waits until `n` requests have come since the last clearRequests; a request counts when it was
-- received in full, before the delay of a "slow" fault. True, or false when `timeout` seconds
-- (default 10) are over first. Blocks the host, so the requests must be under way.
function methods:awaitRequests(n, timeout)
  check.value("argument 'n'", check.integer(0), n, 2)
  check.value("argument 'timeout'", check.number(0), timeout or 10, 2)
  return self[CORE]:await(n, timeout or 10)
end

methodsOf("a server", methods, function(value) return getmetatable(value) == Server end)

-- ---- starting

local function originOf(options, port)
  local host = options.address or "127.0.0.1"
  if host == "0.0.0.0" then host = "127.0.0.1" elseif host == "::" then host = "::1" end
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  return ("%s://%s:%d"):format(options.tls and "https" or "http", host, port)
end

local function describe(self)
  for _, application in ipairs(control(self, "describe")) do
    local uri = self.origin .. application.path
    self.uris[application.model] = uri
    if application.catalog then self.catalogURIs[application.model] = uri .. application.catalog end
  end
end

local function catalogNames(catalogs)
  local names = { "CustomerService", "OrderService" }
  for name in pairs(catalogs or {}) do names[#names + 1] = name end
  return names
end

-- A userdata that runs; nil and a message.
local function start(made)
  local handle, message = core.new(made)
  if not handle then return nil, message end
  local started
  started, message = handle:start()
  if started then return handle end
  handle:close()
  return nil, message
end

--- Starts a server. Options, all of them optional:
--
-- - port: 0 (the default) picks a free one; address: numeric, default "127.0.0.1"
-- - users: passwords by user name, default { lua = "secret" }
-- - idleTimeout: seconds after which a server session that is not used ends, default 1200
-- - ping: "new" (the default), "classic" or "none"
-- - customers, orders, items: how many there are at the start, default 300, 60 and 40; catalogResources:
--   resources in the Catalog, default 1
-- - tokenLifetime: seconds for which an access token of form_sso is good, default 3600
-- - tokenSecret: servers with the same secret take each other's access tokens; default: one that
--   no other server has. A token server on another host: a second sandbox with the same secret
-- - bearerTokens: the list of tokens that bearer takes, default { "letmein" }
-- - datasnapAuthentication: whether datasnap asks for user and password (HTTP Basic, one of `users`) when
--   it makes a session, default: whether `users` are given
-- - bodyLimit: bytes of a request's body that are kept, default 16 MiB. A longer one is dropped: routes get
--   its size, the applications answer 413
-- - catalogs: catalogs of your own by name, each JSON text or a table: /static/<name>.json of each
--   application
-- - har: a HAR file, whose recordings answer in place of the applications; harRepeats: whether the last
--   recording of a request answers for good (default false: each answers once)
-- - tls: https: true, with a certificate made for localhost, its addresses and `address`; { names = list }:
--   for these hosts and addresses alone; { certificate = file, key = file }: PEM
--
-- Returns the server: `port`, `origin`, `uris` and `catalogURIs` (by model), `caFile` (the authority of a
-- certificate made at the start) and the methods of this module; or nil and a message.
function sandbox.start(options)
  options = options or {}
  check.options("start", options, setup.rules, 2)
  if options.harRepeats and not options.har then raise("option 'harRepeats' for 'start' needs 'har'", 2) end
  local made, message = setup.new(options, core.certify)
  if not made then return nil, message end
  local handle
  handle, message = start(made)
  if not handle then
    if made.caFile then os.remove(made.caFile) end
    return nil, message
  end
  local self = setmetatable({
    [CORE] = handle, [AUTHORITY] = made.caFile, [CATALOGS] = catalogNames(options.catalogs),
    caFile = made.caFile, port = handle:port(), uris = {}, catalogURIs = {},
  }, Server)
  self.origin = originOf(options, self.port)
  describe(self)
  return self
end

return sandbox
