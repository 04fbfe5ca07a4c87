--- Manages PROIV sessions as the vendor's page library does: sessions by key, each in its own slot, one of
-- them active, and a hub that publishes their changes.

local core = require "datasession.core"
local hub = require "datasession.proiv.hub"
local suggest = require "datasession.internal.suggest"
local methodsOf = require "datasession.internal.methods"
local table = require("datasession.internal.lua").table

local Manager = {}
Manager.__index = Manager
Manager.__name = "datasession.proiv.manager"

local OVER = { ended = true, lost = true, failed = true }
-- The reason for a failed stop, by the kind of its error.
local REASONS = { timeout = "timeout", refused = "refused" }

local function failure(kind, message)
  return core.failure { kind = kind, result = core.constants.GENERAL_FAILURE, message = message }
end

-- ---- publishing

local function publish(self, entry, name, details)
  local data = { sessionKey = entry.key, sessionNodeID = entry.node }
  for field, value in pairs(details or {}) do
    data[field] = value
  end
  self.hub:publish(name, data)
end

-- The rank of the program's last call on the session. The manager's own calls do not count.
local function rank(entry)
  local last = core.lastCall(entry.session)
  if last ~= entry.ignored then
    entry.rank, entry.ignored = last, last
  end
  return entry.rank
end

local function isLater(entry, other)
  local mine, its = rank(entry), rank(other)
  return mine > its or (mine == its and entry.order > other.order)
end

local function findActive(self)
  local best
  for _, entry in pairs(self.live) do
    if entry.started and (not best or isLater(entry, best)) then
      best = entry
    end
  end
  return best
end

local function tellActive(self)
  local entry = findActive(self)
  local key = entry and entry.key
  if key ~= self.told then
    self.told = key
    self.hub:publish("proiv.session.active", { sessionKey = key, sessionNodeID = entry and entry.node })
  end
  return entry
end

-- The first session becomes active at once, the others when they are used.
local function begun(self, entry)
  if not findActive(self) then
    entry.rank = entry.ignored
  end
  entry.started = true
end

local function remove(self, entry)
  entry.over = true
  self.live[entry.key] = nil
  self.slots[entry.node] = nil
end

-- The message for a change of status, or nil.
local function nameOf(before, status)
  if status == "running" then
    return before == "starting" and "proiv.session.started" or nil
  elseif status ~= "starting" then
    return "proiv.session." .. status
  end
end

-- Handles a new status. Updates the state before subscribers are notified.
local function tell(self, entry, status, details)
  if entry.over or entry.status == status or not status then
    return
  end
  local before = entry.status
  entry.status = status
  if status == "running" and before == "starting" then
    begun(self, entry)
  elseif OVER[status] then
    remove(self, entry)
  end
  publish(self, entry, "proiv.status", { status = status })
  local name = nameOf(before, status)
  if name then
    publish(self, entry, name, details)
  end
  tellActive(self)
end

-- Publishes the current status of the session. A failed start comes with its error, once that is known.
local function hear(self, entry)
  local status = entry.session.serviceStatus
  if status ~= "failed" then
    tell(self, entry, status, { message = entry.message })
  end
end

local function inOrder(self)
  local list = {}
  for _, entry in pairs(self.live) do
    list[#list + 1] = entry
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

-- Handles the changes of status whose events have not arrived yet.
local function catchUp(self)
  for _, entry in ipairs(inOrder(self)) do
    hear(self, entry)
  end
end

-- ---- checking

local function checkOptions(call, options, own, level)
  if type(options) ~= "table" then
    error(("%s: expected a table, got %s"):format(call, type(options)), level + 1)
  end
  local known, isKnown = core.optionNames("proiv"), {}
  table.move(own, 1, #own, #known + 1, known)
  for _, name in ipairs(known) do
    isKnown[name] = name ~= "protocol"
  end
  for name in pairs(options) do
    if not isKnown[name] then
      error(call .. ": " .. suggest.unknown("option", name, known), level + 1)
    end
  end
end

local function checkText(call, options, name, level)
  local value = options[name]
  if value ~= nil and (type(value) ~= "string" or value == "") then
    local got = value == "" and "an empty one" or type(value)
    error(("%s: option '%s': expected a text, got %s"):format(call, name, got), level + 1)
  end
  return value
end

local function checkKey(call, key, level)
  if key ~= nil and type(key) ~= "string" then
    error(("%s: expected the key of a session or nil, got %s"):format(call, type(key)), level + 1)
  end
end

local function checkStop(timeout, onSuccess, onFailure, level)
  if type(timeout) ~= "number" or not (timeout >= 0 and timeout < 1e9) then
    error("stop: expected a number of seconds, 0 or more, got " .. tostring(timeout), level + 1)
  end
  for name, callback in pairs { onSuccess = onSuccess or nil, onFailure = onFailure or nil } do
    if type(callback) ~= "function" then
      error(("stop: expected a function or nil as %s, got %s"):format(name, type(callback)), level + 1)
    end
  end
end

-- ---- starting

-- An absolute URI names its own server.
local function serviceOf(self, properties, level)
  local uri = checkText("start", properties, "URI", level + 1) or self.options.URI
  local service = checkText("start", properties, "serviceURI", level + 1) or
    checkText("start", properties, "baseURI", level + 1) or
    uri and uri:match("^%a[%w+.-]*://[^/?#]*") or self.baseURI
  if not service then
    error("start: expected option 'baseURI', or an absolute one as 'URI'", level + 1)
  end
  return service
end

local function optionsOf(self, properties, level)
  local options = {}
  for _, source in ipairs { self.options, properties } do
    for name, value in pairs(source) do
      options[name] = value
    end
  end
  options.serviceURI, options.baseURI, options.protocol = serviceOf(self, properties, level + 1), nil, "proiv"
  return options
end

local function checkProperties(properties, level)
  checkOptions("start", properties, { "baseURI" }, level + 1)
  if not checkText("start", properties, "sessionNodeID", level + 1) then
    error("start: option 'sessionNodeID': expected the name of a slot for the session", level + 1)
  end
end

local function construct(options, level)
  local made, session = pcall(core.new, options)
  if not made then
    error("start: " .. tostring(session), level + 1)
  end
  return session
end

local function enter(self, session, node)
  self.started = self.started + 1
  local entry = { session = session, key = session.key, node = node, rank = 0, order = self.started }
  self.live[entry.key], self.slots[node] = entry, entry
  session:subscribe("lost", function(_, message)
    entry.message = message
  end)
  session:subscribe("statusChanged", function()
    hear(self, entry)
  end)
  return entry
end

-- The entry and the promise of its login; or nil and an error.
local function begin(self, properties, level)
  checkProperties(properties, level + 1)
  local options = optionsOf(self, properties, level + 1)
  local node = options.sessionNodeID
  catchUp(self)
  if self.slots[node] then
    return nil, failure("refused", ("start: the slot '%s' holds a live session"):format(node))
  end
  local entry = enter(self, construct(options, level + 1), node)
  local promise = entry.session:login()
  entry.ignored = core.lastCall(entry.session)
  promise:done(function()
    hear(self, entry)
  end):fail(function(_, _, info)
    tell(self, entry, "failed", { message = info.errorObject.message, error = info.errorObject })
  end)
  tell(self, entry, "starting")
  return entry, promise
end

local function endedMeanwhile()
  return failure("closed", "start: the session has ended meanwhile")
end

--- Starts a session and waits until it runs. In a coroutine of datasession.spawn only the coroutine waits.
-- @param properties sessionNodeID (the name of a slot, text, unused by a live session; required), URI,
--   connectionData, baseURI (that which URI is relative to, in place of the manager's), and any option of
--   datasession.new
-- @return the session's key; or nil and an error object. Raises for wrong properties
function Manager:start(properties)
  local entry, promise = begin(self, properties, 2)
  if not entry then
    return nil, promise
  end
  local ok, err = promise:await()
  if not ok then
    return nil, err
  elseif entry.over then
    return nil, endedMeanwhile()
  end
  return entry.key
end

--- The same without waiting.
-- @return a promise of the key
function Manager:startAsync(properties)
  local entry, promise = begin(self, properties, 2)
  if not entry then
    return core.promise(function(_, reject)
      reject(promise)
    end)
  end
  return promise:next(function()
    if entry.over then
      error(endedMeanwhile(), 0)
    end
    return entry.key
  end)
end

-- ---- stopping and ending

-- The entry of the key, or of the active session for nil.
local function find(self, call, key)
  catchUp(self)
  if key == nil then
    local entry = tellActive(self)
    return entry, not entry and failure("closed", call .. ": there is no session") or nil
  end
  local entry = self.live[key]
  return entry, not entry and failure("closed", call .. ": no live session has that key") or nil
end

local function stopped(self, entry, note, onSuccess)
  entry.stopping = false
  hear(self, entry)
  if onSuccess then
    onSuccess(entry.key, note)
  end
end

local function notStopped(self, entry, err, onFailure)
  local reason = entry.over and "ended" or REASONS[err.kind] or "error"
  entry.stopping = false
  hear(self, entry)
  if not entry.over then
    publish(self, entry, "proiv.session.refused", { reason = reason, message = err.message })
  end
  if onFailure then
    onFailure(entry.key, reason)
  end
end

--- Asks PROIV to end a session, which it may refuse.
-- @param key the session's; nil: the active one
-- @param timeout seconds, 0 or more: after which it goes on; 0: it is asked once
-- @param onSuccess function(key, note) or nil: it is over. `note` is "lost" when it was lost meanwhile, else
--   nil
-- @param onFailure function(key, reason) or nil: it goes on ("refused", "timeout", "error"), or was ended by
--   finish or close meanwhile ("ended")
-- @return a promise, resolved when it is over, rejected when it is not; or nil and an error object, no
--   callback being called then: no session has that key, or it is not running. Raises for a wrong type
function Manager:stop(key, timeout, onSuccess, onFailure)
  checkKey("stop", key, 2)
  checkStop(timeout, onSuccess, onFailure, 2)
  local entry, err = find(self, "stop", key)
  if not entry then
    return nil, err
  elseif entry.status ~= "running" then
    return nil, failure("refused", ("stop: the session is %s"):format(entry.status))
  end
  rank(entry)
  local promise = entry.session:stop(timeout)
  entry.ignored = core.lastCall(entry.session)
  promise:done(function(_, _, info)
    stopped(self, entry, info.note, onSuccess)
  end):fail(function(_, _, info)
    notStopped(self, entry, info.errorObject, onFailure)
  end)
  hear(self, entry)
  return promise
end

local function finish(self, entry)
  core.endSession(entry.session)
  tell(self, entry, entry.session.serviceStatus)
end

--- Ends a session at once, whatever PROIV answers. The vendor calls it "end", which is a keyword in Lua.
-- @param key the session's. nil, or of no session that is not over: the active session, as the vendor
--   documents. With the manager's option `strict` only nil is so
-- @return true; false when there is no session; with `strict` nil and an error object for a key that is
--   unknown. Raises for a wrong type
function Manager:finish(key)
  checkKey("finish", key, 2)
  local entry, err = find(self, "finish", key)
  if not entry and key ~= nil and self.strict then
    return nil, err
  end
  entry = entry or tellActive(self)
  if not entry then
    return false
  end
  finish(self, entry)
  return true
end

--- Ends all sessions, in the order of their starts. The manager remains usable.
function Manager:close()
  catchUp(self)
  for _, entry in ipairs(inOrder(self)) do
    if not entry.over then
      finish(self, entry)
    end
  end
end

Manager.__close = Manager.close

-- ---- the active session

--- Makes a session the active one, until another is used.
-- @param key the session's
-- @return true; or nil and an error object when no session has that key, the active one being as it was.
--   Raises for a wrong type
function Manager:setActive(key)
  checkKey("setActive", key, 2)
  if key == nil then
    return nil, failure("closed", "setActive: expected the key of a session, got nil")
  end
  local entry, err = find(self, "setActive", key)
  if not entry then
    return nil, err
  elseif not entry.started then
    return nil, failure("refused", "setActive: the session is starting")
  end
  core.setActiveSession(entry.session)
  tellActive(self)
  return true
end

--- The key of the active session: the live session that was called last, or made active by setActive. nil:
-- there is none.
function Manager:getActive()
  catchUp(self)
  local entry = tellActive(self)
  return entry and entry.key
end

--- The session object of a key, a session like any other. nil: there is no live session of that key.
function Manager:session(key)
  checkKey("session", key, 2)
  local entry = find(self, "session", key)
  return entry and entry.session
end

--- The keys of the live sessions, an array in the order of their starts.
function Manager:keys()
  catchUp(self)
  local keys = {}
  for i, entry in ipairs(inOrder(self)) do
    keys[i] = entry.key
  end
  return keys
end

-- ---- the vendor's names

--- Starts a session as the vendor's call does: returns at once. The hub publishes whether it runs.
-- @param properties as for start
-- @return the session's key; or nil and an error object when its slot is taken. Raises for wrong properties
function Manager:startPROIVSession(properties)
  local entry, err = begin(self, properties, 2)
  if not entry then
    return nil, err
  end
  return entry.key
end

Manager.stopPROIVSession = Manager.stop
Manager.endPROIVSession = Manager.finish
Manager.setActivePROIVSession = Manager.setActive

methodsOf("a manager", Manager, function(value) return getmetatable(value) == Manager end)

local manager = {}

--- A separate manager.
-- @param options nil, or baseURI (that which the URIs of start are relative to), strict (boolean: finish of
--   an unknown key is an error), and any option of datasession.new, for the sessions that it starts. Raises
--   for others
function manager.new(options)
  options = options or {}
  checkOptions("manager", options, { "baseURI", "strict" }, 2)
  if options.strict ~= nil and type(options.strict) ~= "boolean" then
    error("manager: option 'strict': expected a boolean, got " .. type(options.strict), 2)
  end
  local self = {
    options = {}, baseURI = checkText("manager", options, "baseURI", 2), strict = options.strict,
    hub = hub.new(),
    live = {}, slots = {}, started = 0,
  }
  for name, value in pairs(options) do
    if name ~= "baseURI" and name ~= "strict" then
      self.options[name] = value
    end
  end
  return setmetatable(self, Manager)
end

return manager
