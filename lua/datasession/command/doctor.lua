--- doctor: looks at a server as a support engineer would, one check after the other.

local connect = require "datasession.command.connect"
local datasession = require "datasession"
local detect = require "datasession.command.detect"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"
local terminal = require "datasession.command.terminal"
local wire = require "datasession.command.wire"
local warn = require("datasession.internal.lua").warn

local doctor = {}

local MARKS = {
  ok = { "✓", "green" }, bad = { "✗", "red" }, note = { "!", "yellow" }, skip = { "-", "dim" },
}

local report = {}
report.__index = report

-- A check's line: `state` is a key of MARKS; `hint` says what to do.
function report:add(state, check, text, hint)
  self[#self + 1] = { check = check, state = state, text = text, hint = hint }
  if state == "bad" then self.code = self.code or fail.codes.failed end
  if self.json then return end
  local mark = MARKS[state]
  io.stdout:write(terminal.paint(mark[2], mark[1]), " ", terminal.fit(check, 12), " ", terminal.plain(text),
    "\n")
  if hint then io.stdout:write((" "):rep(15), terminal.paint("dim", "→ " .. terminal.plain(hint)), "\n") end
  io.stdout:flush()
end

-- The first check that failed gives the exit code.
function report:fault(check, err)
  self.code = self.code or select(2, fail.describe(err))
  self:add("bad", check, detect.cause(err), fail.hint(err))
end

-- ---- the connection

-- Where a request of that kind failed: the steps before it went well.
local FAILED_AT = { dns = "name", connect = "connection", proxy = "proxy", tls = "TLS", timeout = "response",
  stall = "response" }

local function addAddresses(self, seen)
  local families = {}
  for _, address in ipairs(seen.addresses) do
    local family = address:find(":", 1, true) and "IPv6" or "IPv4"
    families[#families + 1] = ("%s (%s)"):format(address, family)
  end
  if #families == 0 then return end
  self:add("ok", "name", table.concat(families, ", "))
end

local function days(seconds) return math.floor(seconds / 86400) end

local function addCertificate(self, seen)
  if seen.verified then self:add("ok", "chain", "it leads to an authority that is trusted") end
  if seen.matched then self:add("ok", "names", "the certificate names this host: " .. seen.matched) end
  if seen.subject then
    self:add("ok", "certificate", ("for %s, issued by %s"):format(seen.subject, seen.issuer or "?"))
  end
  local left = seen.expires and seen.expires - os.time()
  if not left then return end
  if left < 0 then
    self:add("bad", "certificate", ("it expired %d days ago"):format(days(-left)),
      "renew the server's certificate")
  elseif left < 21 * 86400 then
    self:add("note", "certificate", ("it expires in %d days"):format(days(left)), "renew it soon")
  else
    self:add("ok", "certificate", ("it is valid for %d more days"):format(days(left)))
  end
end

local function addTls(self, seen, err)
  if err and err.kind == "tls" then
    self:fault("TLS", err)
  elseif seen.tls then
    self:add("ok", "TLS", seen.tls)
  else
    self:add("note", "TLS", "none: passwords cross the network in the clear", "use https outside of a test")
    return
  end
  addCertificate(self, seen)
end

-- The server's clock, as its header Date says it.
local function addClock(self, response)
  local server = wire.time(response.headers.date or "")
  if not server then return end
  local ahead = server - os.time()
  if math.abs(ahead) < 30 then return self:add("ok", "clock", "it agrees with this machine's") end
  self:add("note", "clock", ("it is %d s %s"):format(math.abs(ahead), ahead > 0 and "ahead" or "behind"),
    "set the clocks: tokens and sessions expire too early or too late otherwise")
end

-- The certificate of a server that is not trusted: looked at, and nothing is sent after the handshake.
local function lookAtUntrusted(options, seen)
  local trusting = {}
  for name, value in pairs(options) do trusting[name] = value end
  trusting.insecure = true
  warn "@off" -- the user knows: the doctor says it
  local ok, session = pcall(connect.new, trusting)
  warn "@on"
  if not ok then return end
  local other = wire.listen(function() detect.get(session, "/") end)
  seen.subject, seen.issuer, seen.expires = other.subject, other.issuer, other.expires
end

-- The first response; nil: there is none, and the report says why.
local function checkConnection(self, options)
  local session = connect.new(options)
  local response, err
  local seen = wire.listen(function() response, err = detect.get(session, "/static/home.html") end)
  local failedAt = not response and (FAILED_AT[err.kind] or "response")
  if failedAt ~= "name" then addAddresses(self, seen) end
  if options.proxy then self:add(failedAt == "proxy" and "bad" or "ok", "proxy", "by the option --proxy") end
  if failedAt and failedAt ~= "TLS" then return self:fault(failedAt, err) end
  self:add("ok", "connection", seen.connected or "made")
  if failedAt == "TLS" and not options.insecure then lookAtUntrusted(options, seen) end
  addTls(self, seen, err)
  if not response then return nil end
  self:add("ok", "HTTP", ("%s; the first response took %.0f ms"):format(seen.http or "HTTP/1.1",
    response.timing.total * 1000))
  addClock(self, response)
  return response, session
end

-- ---- the server

local KINDS = { openedge = "an OpenEdge web application", datasnap = "a DataSnap REST server" }

local function checkKind(self, response, session, args)
  local kind = args.protocol == "datasnap" and "datasnap" or detect.kind(session)
  if kind then
    self:add("ok", "server", "it looks like " .. KINDS[kind])
    return kind
  end
  local plain = response.status == 400 and args.uri:find "^[hH][tT][tT][pP]:"
  self.code = fail.codes.unreachable
  self:add("bad", "server",
    ("it looks neither like OpenEdge nor like DataSnap: HTTP %d from /static/home.html"):format(
      response.status),
    plain and "if the port speaks TLS, the URI begins with https://" or
      "the URI of an OpenEdge application ends in its name, as in https://host/Sports")
end

local MODELS = {
  anonymous = "the application asks for no login", basic = "the application asks for HTTP Basic",
  form = "the application asks for a login by a form", bearer = "the application asks for a bearer token",
}

local function checkModel(self, args, options)
  local model = args.model or detect.model(connect.new, options)
  self:add("ok", "model", args.model and "as the option --model says: " .. model or MODELS[model])
  return model
end

local function checkLogin(self, args, options)
  local session = connect.new(options)
  local anonymous = options.protocol == "datasnap" and not args.user
  local needs = not anonymous and options.authenticationModel ~= "anonymous"
  if needs and not args.user and options.authenticationModel ~= "bearer" then
    self:add("skip", "login", "not tried", "give --user NAME; the password is asked for")
    return nil
  end
  local ok, err = pcall(connect.login, args, session, args.user)
  if ok then
    local as = args.user and "accepted, as " .. args.user or "accepted"
    self:add("ok", "login", needs and as or "none is needed")
    return session
  end
  if type(err) == "string" then error(err, 0) end
  if type(err) == "table" and err.kind == "credentials" then
    self.code = self.code or fail.codes.credentials
    self:add("bad", "login", err.message)
    return nil
  end
  self:fault("login", err)
end

local function checkPing(self, session)
  local ok, err, info = session:ping():await()
  if not ok then return self:fault("ping", err) end
  local seconds = info and info.xhr and info.xhr.timing.total
  self:add("ok", "ping", seconds and ("answered in %.1f ms"):format(seconds * 1000) or "answered")
end

local function countOf(catalog)
  local resources = 0
  for _ in catalog:eachResource() do resources = resources + 1 end
  return ("services: %d, resources: %d"):format(#catalog.services, resources)
end

local function checkCatalogs(self, session, uris)
  for _, uri in ipairs(uris) do
    local ok, err = session:addCatalog(uri):await()
    if ok then
      self:add("ok", "catalog", ("%s: %s"):format(uri, countOf(session.catalogs[#session.catalogs])))
    else
      self:fault("catalog", err)
    end
  end
end

local function checkSession(self, args, options)
  local session = checkLogin(self, args, options)
  if not session then return end
  checkPing(self, session)
  if options.protocol ~= "datasnap" then checkCatalogs(self, session, args.catalog) end
  local ok, err = session:logout():await()
  if ok then self:add("ok", "logout", "done") else self:fault("logout", err) end
end

local function examine(self, args)
  if not connect.isUri(args.uri) then
    self.code = fail.codes.usage
    self:add("bad", "address", ("'%s' is no URI of http or https"):format(args.uri),
      "write it as https://host/Sports")
    return
  end
  local options = connect.options(args, args.uri)
  local response, asked = checkConnection(self, options)
  if not response then return end
  local kind = checkKind(self, response, asked, args)
  if not kind then return end
  if kind == "datasnap" then
    options.protocol = "datasnap"
  else
    options.authenticationModel = checkModel(self, args, options)
  end
  checkSession(self, args, options)
end

function doctor.doctor(args)
  local self = setmetatable({ json = args.json }, report)
  examine(self, args)
  if args.json then
    local checks = {}
    for i, one in ipairs(self) do checks[i] = one end
    show.json { uri = args.uri, ok = not self.code, checks = datasession.array(checks) }
  end
  return self.code or 0
end

return doctor
