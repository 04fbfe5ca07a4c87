--- datasession: sessions with application servers, for Lua programs and the hosts that embed Lua.
-- The C half (datasession.core) does the talking and holds the state; this half adds what reads better in Lua.

local core = require "datasession.core"
local codec = require "datasession.codec"
local persistence = require "datasession.persistence"
local ending = require "datasession.ending"
local registry = require "datasession.registry"

core.hook("decode", codec.decode)
core.hook("encode", codec.encode)
core.hook("encodeHeader", codec.encodeHeader)
core.hook("suggest", function(name, known)
  return require("datasession.suggest").nearest(name, known)
end)
core.hook("catalogLocate", function(...)
  return require("datasession.catalogs").locate(...)
end)
core.hook("catalogAdd", function(...)
  return require("datasession.catalogs").add(...)
end)
core.hook("restore", persistence.restore)
core.hook("persist", persistence.persist)
core.methods.reloadCatalogs = persistence.reloadCatalogs

local datasession = {
  _VERSION = "datasession scm",

  new = core.new,
  AuthenticationProvider = core.AuthenticationProvider,
  getSession = registry.getSession,
  invalidateAllSessions = registry.invalidateAllSessions,
  sessions = core.sessions,
  setDeviceOnline = core.setDeviceOnline,
  activeSession = core.activeSession,
  setActiveSession = core.setActiveSession,
  setLogger = core.setLogger,
  setLimits = core.setLimits,
  stopSession = ending.stopSession,
  endSession = ending.endSession,
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

  null = codec.null,
  emptyArray = codec.emptyArray,
  array = codec.array,
}

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
  version.json = codec.describe()
  return version
end

return datasession
