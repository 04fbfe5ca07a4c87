--- The differential suite: Progress's own client and this library do the same things to servers that are
-- alike; what each sent and what each told its user must be the same, but for what docs/differences.md names.
-- usage: lua spec/suites/conformance/runner.lua PACKAGE_DIRECTORY [-v] [pattern ...]
--   PACKAGE_DIRECTORY: where @progress/jsdo-core was installed; pattern: cases whose name contains it, or
--   cases about the section of that name ("data 8"); -v: what each did
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local cjson = require "cjson"
local sandbox = require "datasession.sandbox"
local socket = require "socket"

local allowed = require "allowed"
local channels = require "channel"
local compare = require "compare"
local derived = require "derived"
local features = require "features"
local ours = require "ours"
local record = require "record"
local reference = require "reference"
local report = require "report"
local sections = require "sections"

local LIBRARY = "/node_modules/@progress/jsdo-core/lib/progress.core.js"
local VERSION = "6.0.1"
local FILES = { "constants", "session", "login", "checks", "ping", "catalogs", "faults", "events",
  "getsession",
  "context", "providers", "names", "wire", "data.objects", "data.memory",
  "data.sorting", "data.fill", "data.filters", "data.merging", "data.relations",
  "data.saving", "data.submitting", "data.invoking", "data.events", "data.live" }

-- ---- cases

local CREDENTIALS = { anonymous = {}, basic = { "lua", "secret" }, form = { "lua", "secret" }, old = { "lua",
  "secret" },
  bearer = { "letmein" }, sso = {} }

-- The names that the reference and we have for the model of the sandbox's applications.
local MODELS = { old = "form" }

local STARTS = {
  new = { { "new" } },
  login = { { "new" }, { "login" } },
  catalog = { { "new" }, { "login" }, { "addCatalog", "{catalog}" } },
}

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, one in pairs(value) do made[key] = copy(one) end
  return made
end

local function merged(defaults, given)
  for name, value in pairs(given or {}) do defaults[name] = value end
  return defaults
end

local function options(case, step, defaults)
  local model = MODELS[case.model] or case.model
  defaults.serviceURI, defaults.authenticationModel = "{service}", model
  local given = step[2]
  step[2] = (given == nil or type(given) == "table" and not given["$undefined"] and not given["$null"])
    and merged(defaults, given) or given
end

-- Defaults that depend on the case's model.
local prepare = {}

function prepare.new(case, step)
  options(case, step, {})
end

function prepare.getSession(case, step)
  local credentials = CREDENTIALS[case.model]
  options(case, step, { catalogURI = "{catalog}", username = credentials[1], password = credentials[2] })
end

function prepare.login(case, step)
  if step[2] == nil then table.move(CREDENTIALS[case.model], 1, 2, 2, step) end
end

local AS = { new = "s", getSession = "s", provider = "p", JSDO = "j" }

-- The verbs of sessions in a case about data objects; all others are of its data objects.
local SESSIONS = { new = true, provider = true, getSession = true, login = true, logout = true,
  addCatalog = true, ping = true, isAuthorized = true, invalidate = true, disconnect = true, wait = true,
  await = true, together = true, refresh = true, arrived = true }

local function makeStep(case, given)
  local step = copy(given)
  if prepare[step[1]] and not step.bare then prepare[step[1]](case, step) end
  local data = case.data and not SESSIONS[step[1]] or nil
  local made = { verb = step[1], args = table.move(step, 2, #step, 1, {}), data = data,
    on = step.on or data and "j" or "s",
    as = step.as or AS[step[1]], within = step.within or 5, later = step.later, ours = step.ours,
    unordered = step.unordered, tally = step.tally, server = step.server or "main", stored = case.stored }
  if made.verb == "together" then
    for i, one in ipairs(made.args) do made.args[i] = makeStep(case, one) end
    made.unordered = true
  end
  if made.verb == "addCatalog" and type(made.args[1]) == "table" then made.unordered = true end
  return made
end

local function makeCase(given, model)
  local case = copy(given)
  case.model = model or given.model or given.data and "anonymous" or "form"
  case.name = given.each and ("%s (%s)"):format(given.name, model) or given.name
  case.steps = {}
  for _, step in ipairs(STARTS[given.from] or given.start or {}) do
    case.steps[#case.steps + 1] = makeStep(case, step)
  end
  for _, step in ipairs(given.steps) do case.steps[#case.steps + 1] = makeStep(case, step) end
  return case
end

local function loadCases()
  local cases, names = {}, {}
  for _, file in ipairs(FILES) do
    for _, given in ipairs(require("cases." .. file)) do
      for _, model in ipairs(given.each or { false }) do
        local case = makeCase(given, model or nil)
        assert(not names[case.name], "two cases are called " .. case.name)
        assert(case.sections and case.sections[1], case.name .. ": no section")
        names[case.name], cases[#cases + 1] = true, case
      end
    end
  end
  return cases
end

-- ---- running

local CONTROLS = { fault = true, clearFaults = true, stop = true, start = true, setApplication = true,
  setAppServer = true,
  setPing = true, expireSessions = true, advanceClock = true, expireTokens = true, revokeTokens = true,
  setTokenAnswer = true, setOldStyle = true, setContextProperties = true, setContextIds = true,
  setCookies = true }

-- The texts in braces that name what a server drew by lot.
local function places(case, servers)
  local known = {}
  for name, server in pairs(servers) do
    local prefix = name == "main" and "" or name .. "."
    known[prefix .. "origin"] = server.origin
    for model, uri in pairs(server.uris) do known[prefix .. model] = uri end
    local model = case.model
    known[prefix .. "service"], known[prefix .. "catalog"] = server.uris[model], server.catalogURIs[model]
  end
  known.model, known.file = case.model, case.file
  return known
end

local function filled(value, known)
  if type(value) == "string" then
    return (value:gsub("{([%w_.]+)}", function(name) return known[name] end))
  end
  if type(value) ~= "table" then return value end
  local made = {}
  for key, one in pairs(value) do made[key] = filled(one, known) end
  return made
end

local function collect(names, servers, case)
  local list = {}
  for name, server in pairs(servers) do
    for _, request in ipairs(server:requests()) do list[#list + 1] = { request, name } end
    server:clearRequests()
  end
  table.sort(list, function(x, y) return x[1].time < y[1].time end)
  local told = {}
  for i, one in ipairs(list) do told[i] = record.request(names, one[1], one[2], case.data) end
  return told
end

-- Until so many requests have come since the last step that was recorded.
local function arrived(side, server, n)
  local limit = socket.gettime() + 10
  while #server:requests() < n do
    if socket.gettime() > limit then error("the requests that the case waits for do not come", 0) end
    side:pump(0.005)
  end
end

local function startServers(case)
  local servers = { main = assert(sandbox.start(copy(case.server or {}))) }
  if case.other then
    local given = copy(case.other)
    given.address = given.address or "127.0.0.2"
    servers.other = assert(sandbox.start(given))
  end
  return servers
end

-- The effects of one side's steps; nil for a step that only prepares.
local function play(case, open)
  local servers = startServers(case)
  local origins = { [servers.main.origin] = "http://server" }
  if servers.other then origins[servers.other.origin] = "http://other" end
  local names, known = record.names(origins), places(case, servers)
  local side = open(servers.main.origin)
  local steps = {}
  local ok, message = xpcall(function()
    for i, given in ipairs(case.steps) do
      local step = filled(given, known)
      if CONTROLS[step.verb] then
        local server = servers[step.server]
        local first = step.args[1]
        if type(first) == "table" and first["$undefined"] then step.args[1] = nil end
        server[step.verb](server, table.unpack(step.args))
      elseif step.verb == "arrived" then
        arrived(side, servers.main, step.args[1])
      elseif step.verb == "refresh" then
        side:refresh()
      else
        local told = side:step(step)
        steps[i] = record.step(names, told, step.later and {} or collect(names, servers, case),
          case.data and step.unordered)
      end
    end
  end, debug.traceback)
  local unsettled = side:close()
  for _, server in pairs(servers) do server:close() end
  if not ok then error(message, 0) end
  return steps, unsettled or 0
end

-- ---- judging

-- Properties that are there as soon as the library has a feature.
local PROPERTIES = { authProvider = "provider", name = "name", onOpenRequest = "onOpenRequest" }

local function skipped()
  local skip = {}
  for property, feature in pairs(PROPERTIES) do
    if not features.has(feature) then skip[property] = true end
  end
  return skip
end

local function judge(case, theirs, own, unsettled)
  local skip, open, before = skipped(), {}, {}
  for i, step in ipairs(case.steps) do
    if theirs[i] then
      local now = {}
      for _, difference in ipairs(compare.step(step, theirs[i], own[i], skip)) do
        difference.case, difference.step, difference.number = case, step, i
        difference.verb, difference.model = step.verb, case.model
        difference.told = { reference = theirs[i], ours = own[i] }
        difference.steps = { reference = theirs, ours = own }
        now[difference.field] = difference
        if not derived.isOld(difference, before) and not derived.isOfMemory(difference)
          and not allowed.explain(difference) then
          open[#open + 1] = difference
        end
      end
      before = now
      if own[i].outcome == "unsettled" then
        open[#open + 1] = { number = i, step = step, verb = step.verb, field = "our promise",
          ours = "never settled" }
      end
    end
  end
  if unsettled > 0 then
    open[#open + 1] = { number = #case.steps, verb = "the end", field = "promises that did not settle once",
      ours = unsettled }
  end
  return open
end

-- ---- the whole

local function parse(given)
  local wanted = { patterns = {} }
  for i = 2, #given do
    if given[i] == "-v" then wanted.verbose = true else wanted.patterns[#wanted.patterns + 1] = given[i] end
  end
  return wanted
end

local function isWanted(wanted, case)
  for _, pattern in ipairs(wanted.patterns) do
    if case.name:find(pattern, 1, true) then return true end
    for _, section in ipairs(case.sections) do
      if section:match "^[a-z ]*%d+" == pattern then return true end
    end
  end
  return #wanted.patterns == 0
end

local function checkVersion(directory)
  local file = assert(io.open(directory .. "/node_modules/@progress/jsdo-core/package.json"))
  local version = cjson.decode(file:read("a")).version
  file:close()
  assert(version == VERSION, "the reference is @progress/jsdo-core " .. version .. ", expected " .. VERSION)
end

local function catalogFile()
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(require("datasession.sandbox.catalog").text(1))
  file:close()
  return name
end

local function runCase(case, channel, wanted)
  local theirs = play(case, function(origin) return reference.open(channel, origin) end)
  local missing = features.missing(case.needs)
  if missing then
    if wanted.verbose then report.tell(case, theirs) end
    return "waiting", missing
  end
  local own, unsettled = play(case, ours.open)
  local open = judge(case, theirs, own, unsettled)
  if wanted.verbose or #open > 0 and #wanted.patterns > 0 then report.tell(case, theirs, own) end
  return #open == 0 and "passed" or "failed", open
end

local function main()
  local wanted = parse(arg)
  checkVersion(arg[1])
  local cases, file = loadCases(), catalogFile()
  for _, case in ipairs(cases) do case.file = file end
  local channel = channels.start(here .. "/reference.js", arg[1] .. LIBRARY)
  local counts, rows, waits = { passed = 0, failed = 0, waiting = 0 }, sections.new(), {}
  for _, case in ipairs(cases) do
    if isWanted(wanted, case) then
      if wanted.verbose then print(case.name) end
      local ok, verdict, more = pcall(runCase, case, channel, wanted)
      if not ok then verdict, more = "failed", tostring(verdict) end
      counts[verdict] = counts[verdict] + 1
      sections.count(rows, case, verdict)
      if verdict == "failed" then report.failed(case, more) end
      if verdict == "waiting" then waits[more] = (waits[more] or 0) + 1 end
    end
  end
  channel:close()
  os.remove(file)
  local problems = {}
  if #wanted.patterns == 0 then
    problems = allowed.problems(here .. "/../../../docs/differences.md")
    for _, name in ipairs(sections.print(rows)) do
      problems[#problems + 1] = ("section %s: no case"):format(name)
    end
  end
  for _, problem in ipairs(problems) do print("FAILED  " .. problem) end
  local list = {}
  for feature, n in pairs(waits) do list[#list + 1] = ("%s %d"):format(feature, n) end
  table.sort(list)
  print(("\n%d waiting for what the library does not have yet%s%s"):format(counts.waiting,
    #list > 0 and ": " or "",
    table.concat(list, ", ")))
  local failed = counts.failed + #problems
  print(("%d passed, %d failed"):format(counts.passed, failed))
  os.exit(failed == 0, true)
end

main()
