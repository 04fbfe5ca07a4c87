--- datasession: sessions with application servers, for Lua programs and the hosts that embed Lua. The C half
-- (datasession.core) makes the requests and holds the state. This half adds what is easier to write in Lua.

if _VERSION == "Lua 5.2" or _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
  error("datasession needs Lua 5.3, 5.4, 5.5 or LuaJIT 2.1; this is " .. _VERSION, 0)
end

local cjson = require "cjson.safe" -- that it is missing is to be known at once
local core = require "datasession.core"

-- Functions that a program without sessions never calls, and their modules. They are loaded on first use, so
-- that a program starts sooner, and at the latest with the first session, so that no search interrupts later
-- work.
local hooks = {
  decode = "codec.decode", encode = "codec.encode", encodeHeader = "codec.encodeHeader",
  requestBody = "bodies.request",
  appendQuery = "parameters.append", encodeParameters = "parameters.encode",
  copyParameters = "parameters.copy", multipartParts = "multipart.parts",
  suggest = "suggest.nearest",
  catalogLocate = "catalogs.locate", catalogAdd = "catalogs.add", catalogPrepare = "catalogs.prepare",
  restore = "persistence.restore", persist = "persistence.persist",
  jsdos = "data.live.list",
  waterfall = "timings.waterfall", traced = "trace.write", archived = "har.write",
  channel = "channel.object.new", streamBody = "stream.body",
  observeRequest = "observers.onRequest", observedRequest = "observers.request",
  observeResponse = "observers.onResponse",
}
local fields = {
  getSession = "registry.getSession", invalidateAllSessions = "registry.invalidateAllSessions",
  stopSession = "ending.stopSession", endSession = "ending.endSession",
  array = "codec.array", emptyArray = "codec.emptyArray",
  JSDO = "data.jsdo.class",
  sleep = "time.sleep", after = "time.after", every = "time.every", nextStep = "time.nextStep",
  all = "combine.all", any = "combine.any", race = "combine.race", settled = "combine.settled",
  map = "combine.map",
  progressBar = "progress.bar",
  trace = "trace.trace", har = "har.har",
}
-- Fields that are modules.
local modules = { data = "datasession.data", date = "datasession.date", store = "datasession.store" }

-- The other modules are where this one was found, even if the program changes package.path.
local path = package.path

local function load(name)
  local module = package.loaded[name]
  if module then
    return module
  end
  local now = package.path
  package.path = path
  local ok, found = pcall(require, name)
  package.path = now
  if not ok then
    error(found, 0)
  end
  return found
end

local function find(place)
  local module, name = place:match "(.*)%.(.*)"
  return load("datasession.internal." .. module)[name]
end

core.hook("find", function(name) return hooks[name] and find(hooks[name]) end)
for name in pairs(hooks) do
  core.hook(name, false) -- not that of a module that was loaded before this one
end
core.hook("load", function()
  for _, name in ipairs { "codec", "suggest", "catalogs", "persistence", "registry", "ending",
    "parameters", "multipart", "bodies" } do
    load("datasession.internal." .. name)
  end
  load "datasession.internal.data.live"
  load "datasession.store"
end)

function core.methods.reloadCatalogs(...) return find "persistence.reloadCatalogs"(...) end

local datasession = {
  _VERSION = core._VERSION,

  new = core.new,
  AuthenticationProvider = core.AuthenticationProvider,
  sessions = core.sessions,
  setDeviceOnline = core.setDeviceOnline,
  activeSession = core.activeSession,
  setActiveSession = core.setActiveSession,
  setLogger = core.setLogger,
  onRequest = core.onRequest,
  onResponse = core.onResponse,
  setLimits = core.setLimits,
  defineProtocol = core.protocol,
  protocol = core.protocol, -- deprecated

  step = core.step,
  run = core.run,
  spawn = core.spawn,
  newPromise = core.promise,
  promise = core.promise, -- deprecated
  pollfd = core.pollfd,
  timeout = core.timeout,
  pending = core.pending,
  flush = core.flush,
  onError = core.onError,
  setAwait = core.setAwait,
  engine = core.engine,

  constants = core.constants,
  null = cjson.null,
}

for name, value in pairs(core.constants) do
  datasession[name] = value
end

local function missing(self, name)
  local known = {}
  for other in pairs(self) do
    known[#known + 1] = other
  end
  local nearest = find "suggest.nearest"(name, known)
  return ("datasession has no field '%s'%s"):format(name,
    nearest and (": did you mean '%s'?"):format(nearest) or "")
end

setmetatable(datasession, {
  __index = function(self, name)
    if fields[name] or modules[name] then
      rawset(self, name, fields[name] and find(fields[name]) or load(modules[name]))
      return rawget(self, name)
    elseif type(name) == "string" and name:sub(1, 2) ~= "__" then -- libraries probe for those
      error(missing(self, name), 2)
    end
  end,
  __pairs = function(self)
    for _, names in ipairs { fields, modules } do
      for name in pairs(names) do
        rawset(self, name, self[name])
      end
    end
    return next, self
  end,
})

local traced = os and os.getenv and os.getenv "DATASESSION_TRACE"
if traced and traced ~= "" then find "trace.begin"(traced) end

--- The versions in use: { datasession, lua, curl, tls, http2, poller, json }. `json` describes the codec
-- (datasession.internal.codec): its name and version, and whether its numbers need to be corrected.
function datasession.version()
  local version = core.version()
  version.datasession = datasession._VERSION
  version.lua = _VERSION
  version.json = require("datasession.internal.codec").describe()
  return version
end

return datasession
