--- Events of data objects and their tables: who subscribed to what, and firing.
--
-- A handler runs inside the call that fires. A handler that raises is reported to datasession.onError and
-- changes nothing else. A handler of a before... event cancels what is about to happen by returning false.
-- A handler may subscribe and unsubscribe anything while the event fires: the array of subscriptions grows
-- only at its end, and is replaced when ended ones are taken out of it.

local ascii = require "datasession.internal.ascii"
local core = require "datasession.core"
local P = require("datasession.internal.data.private").P
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local events = {}

-- Events of a record, which a table has too.
local OF_RECORD = {
  "beforeCreate", "beforeUpdate", "beforeDelete", "afterCreate", "afterUpdate", "afterDelete",
}
local OF_OBJECT = {
  "beforeFill", "afterFill", "beforeSaveChanges", "afterSaveChanges", "beforeInvoke", "afterInvoke",
}
local SYNONYMS = { beforeRead = "beforeFill", afterRead = "afterFill" }
local OF_OPERATION = { beforeInvoke = true, afterInvoke = true }

local names, ofRecord, known = {}, {}, {}
for _, name in ipairs(OF_RECORD) do
  ofRecord[name], known[ascii.lower(name)] = true, name
  names[#names + 1] = name
end
for _, name in ipairs(OF_OBJECT) do
  known[ascii.lower(name)] = name
  names[#names + 1] = name
end
for name, meant in pairs(SYNONYMS) do
  known[ascii.lower(name)] = meant
  names[#names + 1] = name
end

local function isTable(object)
  return object[P].jsdo ~= nil
end

-- ---- arguments

local function checkEvent(call, object, event, level)
  if type(event) ~= "string" then
    raise(("%s: event: expected the name of an event, got %s"):format(call, type(event)), level + 1)
  end
  local name = known[ascii.lower(event)]
  if not name then
    raise(call .. ": " .. suggest.unknown("event", event, isTable(object) and OF_RECORD or names), level + 1)
  end
  if isTable(object) and not ofRecord[name] then
    raise(("%s: the event '%s' fires on the data object, not on its tables"):format(call, name), level + 1)
  end
  return name
end

local function checkOperation(call, object, event, operation, level)
  if not OF_OPERATION[event] then
    raise(("%s: the event '%s' has no operation: give the handler as the second argument")
      :format(call, event), level + 1)
  end
  local found = {}
  for _, one in ipairs(object[P].resource.operations) do
    if one.name == operation then return end
    if one.name and (one.type == "invoke" or one.type == "count") then found[#found + 1] = one.name end
  end
  raise(call .. ": " .. suggest.unknown("operation", operation, found), level + 1)
end

local function checkHandler(call, handler, scope, level)
  if type(handler) ~= "function" then
    raise(("%s: handler: expected a function, got %s"):format(call, type(handler)), level + 1)
  end
  if scope ~= nil and type(scope) ~= "table" and type(scope) ~= "userdata" then
    raise(("%s: scope: expected a table or userdata, got %s"):format(call, type(scope)), level + 1)
  end
end

-- The subscription that (event [, operation], handler [, scope]) describe.
local function check(call, object, level, event, ...)
  local operation, handler, scope = nil, ...
  event = checkEvent(call, object, event, level + 1)
  if type(handler) == "string" then
    operation, handler, scope = ...
    checkOperation(call, object, event, operation, level + 1)
  end
  checkHandler(call, handler, scope, level + 1)
  return event, { handler = handler, scope = scope, operation = operation, live = true }
end

-- ---- subscriptions

-- The subscriptions of an event are an array, in their order, with `live`, the number of those that have not
-- ended, and `index`: handler -> scope -> operation -> subscription.

local NONE = {}

local function member(t, key)
  local value = t[key]
  if value == nil then
    value = {}
    t[key] = value
  end
  return value
end

-- The table and the key under which the subscription with the arguments of `one` stands.
local function placeOf(list, one)
  local byScope = member(list.index, one.handler)
  return member(byScope, one.scope == nil and NONE or one.scope), one.operation or NONE
end

local function enter(list, one)
  local slot, key = placeOf(list, one)
  slot[key], list.live = one, list.live + 1
  list[#list + 1] = one
end

-- Ends the subscription with the arguments of `one`, if there is one.
local function leave(list, one)
  local slot, key = placeOf(list, one)
  local found = slot[key]
  if found then
    slot[key], found.live, list.live = nil, false, list.live - 1
  end
end

local function newList() return { live = 0, index = {} } end

-- A list without the ended ones: events that fire go on with the old one. nil: all have ended.
local function compacted(list)
  if list.live == 0 then return nil end
  local kept = newList()
  for _, one in ipairs(list) do
    if one.live then enter(kept, one) end
  end
  return kept
end

local function add(object, event, one)
  local state = object[P]
  state.handlers = state.handlers or {}
  local list = state.handlers[event] or newList()
  leave(list, one)
  if #list > 2 * list.live + 16 then list = compacted(list) or newList() end
  enter(list, one)
  state.handlers[event] = list
end

local methods = {}

--- Subscribes a handler to an event of a data object or, for the events of records, of a table. Event,
-- operation, handler and scope identify a subscription; a second call with the same ones moves it to the end.
-- @param event string: its name, whatever the case
-- @param ... [operation,] handler [, scope]: `operation`, for beforeInvoke and afterInvoke alone, is the name
--   of the one operation whose calls fire the handler; by default all do. `scope`, a table or userdata,
--   becomes the first argument of the handler
-- @return the object. Raises for an unknown event or operation, and for values of wrong types
function methods.subscribe(object, event, ...)
  add(object, check("subscribe", object, 2, event, ...))
  return object
end

--- Removes a subscription, if there is one of these arguments, which are those of `subscribe`.
-- @return the object. Raises as `subscribe`
function methods.unsubscribe(object, event, ...)
  local name, one = check("unsubscribe", object, 2, event, ...)
  local handlers = object[P].handlers
  local list = handlers and handlers[name]
  if list then
    leave(list, one)
    if #list > 2 * list.live then handlers[name] = compacted(list) end
  end
  return object
end

local function silence(list)
  for _, one in ipairs(list or {}) do
    one.live = false
  end
end

--- Removes all subscriptions of an event, by default of all events.
-- @param event string, optional
-- @return the object. Raises for an unknown event
function methods.unsubscribeAll(object, event)
  local name = event ~= nil and checkEvent("unsubscribeAll", object, event, 2)
  local handlers = object[P].handlers or {}
  for one, list in pairs(handlers) do
    if not name or one == name then
      silence(list)
      handlers[one] = nil
    end
  end
  return object
end

local function addListed(jsdo, event, list, level)
  local call = "JSDO: option 'events'"
  if type(list) ~= "table" then
    raise(("%s: expected an array for '%s', got %s"):format(call, event, type(list)), level + 1)
  end
  if list[1] == nil and next(list) ~= nil then
    raise(("%s: expected an array for '%s', got a table without a first element"):format(call, event),
      level + 1)
  end
  for _, given in ipairs(list) do
    if type(given) ~= "table" then
      raise(("%s: expected tables { fn =, scope =, operation = } in '%s', got %s")
        :format(call, event, type(given)), level + 1)
    end
    if given.operation ~= nil then
      add(jsdo, check(call, jsdo, level + 1, event, given.operation, given.fn, given.scope))
    else
      add(jsdo, check(call, jsdo, level + 1, event, given.fn, given.scope))
    end
  end
end

events.options = {}

--- The constructor's option `events`: { eventName = { { fn =, scope =, operation = }, ... } }.
function events.options.events(jsdo, list, level)
  if type(list) ~= "table" then
    raise("JSDO: option 'events': expected a table, got " .. type(list), level + 1)
  end
  for event, handlers in pairs(list) do
    checkEvent("JSDO: option 'events'", jsdo, event, level + 1)
    addListed(jsdo, event, handlers, level + 1)
  end
end

-- ---- firing

-- Adds where the handler raised, as the loop does for its handlers.
local function traced(err)
  return type(err) == "string" and debug and debug.traceback(err, 2) or err
end

-- False if the handler returned false.
local function call(one, ...)
  local ok, result
  if one.scope ~= nil then
    ok, result = xpcall(one.handler, traced, one.scope, ...)
  else
    ok, result = xpcall(one.handler, traced, ...)
  end
  if not ok then
    core.report(result)
  end
  return not ok or result ~= false
end

local function fireOn(object, event, operation, ...)
  local handlers = object[P].handlers
  local list = handlers and handlers[event]
  local goOn = true
  for i = 1, list and #list or 0 do
    local one = list[i]
    if one.live and (one.operation == nil or one.operation == operation) then
      goOn = call(one, ...) and goOn
    end
  end
  return goOn
end

--- Calls the handlers of an event of the data object with (jsdo, ...), in the order of their subscription.
-- @return false if a handler returned false; only those of before... events may
function events.fire(jsdo, event, ...)
  return fireOn(jsdo, event, nil, jsdo, ...)
end

--- The same for beforeInvoke and afterInvoke of the operation of that name.
function events.fireOperation(jsdo, event, operation, ...)
  return fireOn(jsdo, event, operation, jsdo, ...)
end

--- Calls the handlers of an event of a record with (jsdo, record, ...): those of its table first, then those
-- of the data object.
-- @return false if a handler of either returned false
function events.fireRecord(t, event, record, ...)
  local jsdo, own = t[P].jsdo, t[P].handlers
  if not (own and own[event] or jsdo[P].handlers[event]) then return true end
  local goOn = fireOn(t, event, nil, jsdo, record, ...)
  return fireOn(jsdo, event, nil, jsdo, record, ...) and goOn
end

events.methods = methods
events.tableMethods = methods

return events
