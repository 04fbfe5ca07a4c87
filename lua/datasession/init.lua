--- datasession: sessions with application servers, for Lua programs and the hosts that embed Lua.
-- The C half (datasession.core) does the talking and holds the state; this half adds what reads better in Lua.

local cjson = require "cjson.safe" -- that it is missing is to be known at once
local core = require "datasession.core"

-- A function of a module that is loaded with its first call: a program that needs none of it starts in half the time.
local function later(module, name)
  local f
  return function(...)
    f = f or require("datasession." .. module)[name]
    return f(...)
  end
end

core.hook("decode", later("codec", "decode"))
core.hook("encode", later("codec", "encode"))
core.hook("encodeHeader", later("codec", "encodeHeader"))
core.hook("suggest", later("suggest", "nearest"))
core.hook("catalogLocate", later("catalogs", "locate"))
core.hook("catalogAdd", later("catalogs", "add"))
core.hook("restore", later("persistence", "restore"))
core.hook("persist", later("persistence", "persist"))
core.methods.reloadCatalogs = later("persistence", "reloadCatalogs")

local datasession = {
  _VERSION = "datasession scm",

  new = core.new,
  AuthenticationProvider = core.AuthenticationProvider,
  getSession = later("registry", "getSession"),
  invalidateAllSessions = later("registry", "invalidateAllSessions"),
  sessions = core.sessions,
  setDeviceOnline = core.setDeviceOnline,
  activeSession = core.activeSession,
  setActiveSession = core.setActiveSession,
  setLogger = core.setLogger,
  setLimits = core.setLimits,
  stopSession = later("ending", "stopSession"),
  endSession = later("ending", "endSession"),
  protocol = core.protocol,

  step = core.step,
  run = core.run,
  spawn = core.spawn,
  promise = core.promise,
  pollfd = core.pollfd,
  timeout = core.timeout,
  pending = core.pending,
  onError = core.onError,
  engine = core.engine,

  null = cjson.null,
  array = later("codec", "array"),
}

-- The one value that a module has to be loaded for.
local function load(self)
  setmetatable(self, nil)
  self.emptyArray = require("datasession.codec").emptyArray
end

setmetatable(datasession, {
  __index = function(self, name)
    if name == "emptyArray" then
      load(self)
      return self.emptyArray
    end
  end,
  __pairs = function(self)
    load(self)
    return next, self
  end,
})

for name, value in pairs(core) do
  if name:match("^[A-Z][A-Z_]+$") then
    datasession[name] = value
  end
end

--- What is at work: { datasession, lua, curl, tls, http2, poller, json }.
-- `json` describes the codec (see datasession.codec): its name and version, and whether its numbers need repair.
function datasession.version()
  local version = core.version()
  version.datasession = datasession._VERSION
  version.lua = _VERSION
  version.json = require("datasession.codec").describe()
  return version
end

return datasession
