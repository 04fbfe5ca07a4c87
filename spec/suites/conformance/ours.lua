--- Our side of a case. A step reports in the form in which page.js reports the reference.
local core = require "datasession.core"
local datasession = require "datasession"
local ours_data = require "ours_data"

local hasStorage, storage = pcall(require, "datasession.storage")
if not hasStorage then storage = nil end

local LIMIT = 20 -- seconds, real ones: longer than any limit that a case sets

local function now()
  return require("socket").gettime()
end

local Ours = {}
Ours.__index = Ours

-- ---- what a case may name

function Ours:handler(given)
  local name = given["$handler"]
  if not self.handlers[name] then
    local function note(scope, first, second)
      local reason = type(first) == "string" and " " .. first or ""
      local request = reason == "" and first or second
      self.events[#self.events + 1] = ("%s%s%s%s%s"):format(name == "any" and "" or name .. ": ",
        reason == "" and "online" or "offline", reason, request and " (a request)" or "",
          scope and " in " .. scope or "")
      if given.throws then error("from a handler", 0) end
    end
    self.handlers[name] = function(...)
      local scope = self.scopeNames[(...)]
      if scope then return note(scope, select(3, ...)) end
      return note(nil, select(2, ...))
    end
  end
  return self.handlers[name]
end

function Ours:scope(name)
  if not self.scopes[name] then
    self.scopes[name] = {}
    self.scopeNames[self.scopes[name]] = name
  end
  return self.scopes[name]
end

function Ours:opener(lines)
  return function(params)
    local inner = params.session ~= self.sessions.s and " for an inner object" or ""
    self.events[#self.events + 1] = "opening " .. params.verb .. inner
    for name, value in pairs(lines) do params.headers[name] = value end
  end
end

local function promised(given)
  return function()
    return datasession.promise(function(resolve, reject)
      if given["$promises"] then resolve(given["$promises"]) else reject(given["$rejects"]) end
    end)
  end
end

-- JSON's null is a value where properties of the context are set; elsewhere Lua's nil stands for it.
function Ours:argument(given, null)
  if type(given) ~= "table" then return given end
  if given["$undefined"] then return nil end
  if given["$null"] then return null end
  if given["$empty"] then return {} end
  if given["$object"] then return self.objects[given["$object"]] end
  if given["$handler"] then return self:handler(given) end
  if given["$scope"] then return self:scope(given["$scope"]) end
  if given["$adds"] then return self:opener(given["$adds"]) end
  if given["$promises"] or given["$rejects"] then return promised(given) end
  local made = {}
  for name, value in pairs(given) do made[name] = self:argument(value) end
  return made
end

function Ours:label(value)
  for name, object in pairs(self.objects) do
    if object == value then return name end
  end
end

-- A value that JSON can tell.
function Ours:plain(value)
  if value == nil or value == datasession.null or type(value) == "function" then return nil end
  local label = self:label(value)
  if label then return { ["$object"] = label } end
  if type(value) ~= "table" then return type(value) == "userdata" and tostring(value) or value end
  local copy = {}
  for key, one in pairs(value) do copy[key] = self:plain(one) end
  return copy
end

function Ours:enlist(name, session)
  self.objects[name], self.sessions[name] = session, session
  session:subscribe("online", self:handler { ["$handler"] = "any" })
  session:subscribe("offline", self:handler { ["$handler"] = "any" })
end

-- ---- what came of a call

-- As an XMLHttpRequest has it: 0 without an answer. That an answer is missing is told apart from that none
-- was asked for by `asked`.
local function status(xhr)
  return xhr and xhr.status
end

local function detail(one)
  return { catalogURI = one.catalogURI, result = one.result, error = one.errorObject ~= nil or nil,
    status = status(one.xhr) }
end

local function details(list)
  local told = {}
  for i, one in ipairs(list) do told[i] = detail(one) end
  return told
end

local function info(given)
  if given == nil then return { kind = "none" } end
  local told = detail(given)
  told.kind, told.reason = "object", given.offlineReason
  told.said = given.reason ~= nil and (type(given.reason) == "table" and given.reason.message
    or tostring(given.reason)) or nil
  told.details = given.details and details(given.details)
  return told
end

function Ours:settled(outcome, value, result, given, step, kind)
  if step.data then return self.data:settled(outcome, value, result, given) end
  if step.verb == "read" then
    local response = outcome == "resolved" and value or given and given.xhr
    local sent = outcome == "resolved" or kind ~= "closed"
    return { outcome = outcome, status = sent and (response and response.status or 0) or nil }
  end
  if step.as and outcome == "resolved" and not self:label(value) then self:enlist(step.as, value) end
  return { outcome = outcome, value = self:label(value), result = result, info = info(given) }
end

-- Lets the loop run until `done()`; false when that is not within so many seconds.
local function pump(done, seconds)
  local limit = now() + seconds
  while not done() do
    local left = limit - now()
    if left <= 0 then return false end
    datasession.step(math.min(0.05, left))
  end
  return true
end

-- The report of the promise; `count`: how often it has come.
function Ours:watch(promise, step)
  local watched = { count = 0, step = step }
  local function tell(told)
    watched.count, watched.told = watched.count + 1, watched.told or told
  end
  promise:next(function(value, result, given)
    tell(self:settled("resolved", value, result, given, step))
  end, function(err)
    local told = self:settled("rejected", err.session or err.provider, err.result, err.info, step, err.kind)
    told.error = err
    tell(told)
  end)
  self.watched[#self.watched + 1] = watched
  return watched
end

local function outcomeOf(watched)
  pump(function() return watched.told end, LIMIT)
  return watched.told or { outcome = "unsettled" }
end

function Ours:properties()
  local all = {}
  for name, session in pairs(self.sessions) do
    local told = { JSDOs = #session.JSDOs, services = {}, onOpenRequest = session.onOpenRequest ~= nil }
    for _, property in ipairs { "authenticationModel", "catalogURIs", "clientContextId", "connected",
      "loginHttpStatus",
      "loginResult", "name", "pingInterval", "serviceURI", "userName" } do
      told[property] = session[property]
    end
    for i, service in ipairs(session.services) do told.services[i] = service.name .. " " .. service.uri end
    local provider = session.authProvider
    if provider then told.authProvider = provider:hasClientCredentials() end
    all[name] = told
  end
  return all
end

-- ---- steps

local verbs = {}

-- Each case has a store of its own.
function verbs:new(step, options)
  if options and options.name then options.storage = options.storage or self.storage end
  self:enlist(step.as, datasession.new(options))
end

function verbs:provider(step, options)
  self.objects[step.as] = datasession.AuthenticationProvider(options)
end

function verbs:getSession(_, options)
  return datasession.getSession(options)
end

function verbs:invalidateAllSessions()
  return datasession.invalidateAllSessions()
end

function verbs:device(_, online)
  datasession.setDeviceOnline(online)
end

function verbs:read()
  local session = self.sessions.s
  local uri = session.catalogs[1]:resource("Customer"):operation("read"):expand { filter = "" }
  return session:request { uri = uri }
end

function verbs:set(step, name, value)
  self.objects[step.on][name] = value
end

function verbs:get(step, name)
  return self.objects[step.on][name]
end

function verbs:constant(_, name)
  return datasession[name]
end

local function call(self, step)
  local args, n = {}, #step.args
  local null = step.verb == "setContextProperty" and datasession.null or nil
  for i = 1, n do args[i] = self:argument(step.args[i], null) end
  if step.ours then
    args[1] = args[1] or {}
    for name, value in pairs(step.ours) do args[1][name] = value end
  end
  local verb = verbs[step.verb]
  if verb then return verb(self, step, table.unpack(args, 1, n)) end
  local object = self.objects[step.on]
  if not object then error("the step before made no " .. step.on, 0) end
  local method = object[step.verb]
  return method(object, table.unpack(args, 1, n))
end

local function isPromise(value)
  return type(value) == "userdata" and getmetatable(value) and
    getmetatable(value).__name == "datasession.promise"
end

-- A promise that is watched, or what the call told at once.
function Ours:begin(step)
  local ok, value
  if step.data then
    ok, value = pcall(self.data.call, self.data, step)
  else
    ok, value = pcall(call, self, step)
  end
  if not ok then
    local text = tostring(value)
    return nil, { outcome = text:find("not supported yet", 1, true) and "not supported yet" or "raised",
      text = text }
  end
  if isPromise(value) then return self:watch(value, step) end
  if step.data then return nil, self.data:returned(step, value) end
  return nil, { outcome = "returned", value = self:plain(value) }
end

local special = {}

function special:wait(step)
  pump(function() return false end, step.args[1])
  return { outcome = "returned" }
end

function special:await(step)
  local watched = self.pending[step.args[1]]
  return watched and outcomeOf(watched) or { outcome = "unsettled" }
end

function special:together(step)
  local begun, told = {}, {}
  for i, one in ipairs(step.args) do begun[i] = { self:begin(one) } end
  for i, one in ipairs(begun) do told[i] = one[1] and outcomeOf(one[1]) or one[2] end
  return { outcome = "together", all = told }
end

function Ours:take(step)
  if special[step.verb] then return special[step.verb](self, step) end
  local watched, told = self:begin(step)
  if not watched then return told end
  if not step.later then return outcomeOf(watched) end
  self.pending[step.later] = watched
  return { outcome = "begun" }
end

function Ours:step(step)
  local told = self:take(step)
  for _ = 1, 3 do datasession.step(0) end -- handlers of what the same answer changed
  told.events, self.events = self.events, {}
  told.uncaught, self.uncaught = self.uncaught, 0
  told.properties = self:properties()
  told.memory = self.data:memory()
  return told
end

function Ours:pump(seconds)
  pump(function() return false end, seconds)
end

--- The script starts again: its objects are gone, what the library has stored is not.
function Ours:refresh()
  self.objects, self.sessions, self.pending = {}, {}, {}
  self.data = ours_data.new(self)
  for _, session in ipairs(datasession.sessions()) do
    if core.held(session) then -- getSession's, which would outlive the script's own objects
      core.abandon(session)
      session:disconnect()
    end
  end
  collectgarbage()
end

--- Ends what is left; how many promises did not settle exactly once.
function Ours:close()
  for _, session in ipairs(datasession.sessions()) do session:invalidate() end
  datasession.run(LIMIT)
  datasession.onError(nil)
  local bad = 0
  for _, watched in ipairs(self.watched) do
    if watched.count ~= 1 then bad = bad + 1 end
  end
  self.objects, self.sessions, self.data = {}, {}, nil
  collectgarbage()
  return bad
end

local function open()
  local self = setmetatable({ name = "ours", objects = {}, sessions = {}, handlers = {}, scopes = {},
    scopeNames = {},
    events = {}, pending = {}, watched = {}, uncaught = 0, storage = storage and storage.memory() }, Ours)
  self.data = ours_data.new(self)
  datasession.onError(function() self.uncaught = self.uncaught + 1 end)
  return self
end

return { open = open }
