--- Subscriptions to the events of a callback channel: the same rules as for those of sessions. Event, handler
-- and scope identify a subscription. Handlers run in the order of subscription.

local argument = require "datasession.internal.argument"
local ascii = require "datasession.internal.ascii"
local core = require "datasession.core"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local subscriptions = {}

local EVENTS = { "started", "stopped", "disconnected", "interrupted", "callbackAdded", "callbackRemoved" }

-- Its name, whatever the case was.
local function checkEvent(call, event, level)
  if type(event) ~= "string" then
    raise(("%s: event: expected the name of an event, got %s"):format(call, argument.type(event)), level + 1)
  end
  for _, name in ipairs(EVENTS) do
    if ascii.lower(event) == ascii.lower(name) then return name end
  end
  raise(("%s: %s"):format(call, suggest.unknown("event", event, EVENTS)), level + 1)
end

local function check(call, event, handler, scope, level)
  event = checkEvent(call, event, level + 1)
  if type(handler) ~= "function" then
    raise(("%s: handler: expected a function, got %s"):format(call, argument.type(handler)), level + 1)
  end
  if scope ~= nil and type(scope) ~= "table" and type(scope) ~= "userdata" then
    raise(("%s: scope: expected a table or userdata, got %s"):format(call, type(scope)), level + 1)
  end
  return event
end

-- A list is replaced and never changed: an event that fires goes on with the old one.
local function without(list, handler, scope)
  local kept = {}
  for _, one in ipairs(list or {}) do
    if one.handler == handler and one.scope == scope then one.ended = true else kept[#kept + 1] = one end
  end
  return kept
end

--- Subscribes; a second subscription with the same arguments moves to the end.
-- @param lists table: event -> list
function subscriptions.add(lists, event, handler, scope, level)
  event = check("subscribe", event, handler, scope, level + 1)
  local list = without(lists[event], handler, scope)
  list[#list + 1] = { handler = handler, scope = scope }
  lists[event] = list
end

function subscriptions.remove(lists, event, handler, scope, level)
  event = check("unsubscribe", event, handler, scope, level + 1)
  lists[event] = without(lists[event], handler, scope)
end

--- Removes all of one event; nil: of all events.
function subscriptions.clear(lists, event, level)
  if event ~= nil then event = checkEvent("unsubscribeAll", event, level + 1) end
  for name, list in pairs(lists) do
    if event == nil or name == event then
      for _, one in ipairs(list) do one.ended = true end
      lists[name] = nil
    end
  end
end

--- Calls the handlers of an event with (channel, ...). An error of theirs is reported to onError.
function subscriptions.fire(lists, event, ...)
  for _, one in ipairs(lists[event] or {}) do
    if one.ended then goto continue end
    if one.scope ~= nil then core.call(one.handler, one.scope, ...) else core.call(one.handler, ...) end
    ::continue::
  end
end

return subscriptions
