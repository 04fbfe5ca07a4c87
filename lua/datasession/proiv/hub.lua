--- The OpenAjax hub of a PROIV client: messages by name, from publishers to subscribers.
--
-- Names are elements between full stops, such as "proiv.session.ended". In a subscription "*" stands for one
-- element, and "**", at the end, for one or more. A message is delivered at once, inside publish, in the
-- order of the subscriptions.

local core = require "datasession.core"
local methodsOf = require "datasession.internal.methods"

local Hub = {}
Hub.__index = Hub
Hub.__name = "datasession.proiv.hub"

local Subscription = {}
Subscription.__index = Subscription
Subscription.__name = "datasession.proiv.subscription"

local function elements(name)
  local list = {}
  for element in (name .. "."):gmatch("([^.]*)%.") do
    list[#list + 1] = element
  end
  return list
end

-- The elements of a name. Raises for an invalid name.
local function parse(call, name, wildcards, level)
  if type(name) ~= "string" then
    error(("%s: expected a name, got %s"):format(call, type(name)), level + 1)
  end
  local list = elements(name)
  for i, element in ipairs(list) do
    local wild = element == "*" or (element == "**" and i == #list)
    if element == "" then
      error(("%s: the name '%s' has an empty element"):format(call, name), level + 1)
    elseif element:find("*", 1, true) and not (wildcards and wild) then
      local rule = wildcards and "'*' is a whole element, and '**' the last"
        or "a published name has no wildcards"
      error(("%s: the name '%s': %s"):format(call, name, rule), level + 1)
    end
  end
  return list
end

local function matches(pattern, name)
  for i, element in ipairs(pattern) do
    if element == "**" then
      return #name >= i
    elseif name[i] == nil or (element ~= "*" and element ~= name[i]) then
      return false
    end
  end
  return #pattern == #name
end

local function call(subscription, f, name, data)
  if subscription.scope ~= nil then
    return f(subscription.scope, name, data, subscription.data)
  end
  return f(name, data, subscription.data)
end

-- Errors of a filter or callback go to datasession.onError.
local function deliver(subscription, name, data)
  local passed = true
  if subscription.filter then
    passed = false
    core.call(function()
      passed = call(subscription, subscription.filter, name, data)
    end)
  end
  if passed then
    core.call(call, subscription, subscription.callback, name, data)
  end
end

local function checkFunction(value, what, optional, level)
  if type(value) ~= "function" and not (optional and value == nil) then
    error(("hub:subscribe: expected a function as %s, got %s"):format(what, type(value)), level + 1)
  end
end

-- ---- the list: false stands for a subscription that has ended, until most places are false

local FEW_REMOVED = 16

local function append(list, subscription)
  subscription.place = #list + 1
  list[subscription.place] = subscription
end

local function tidy(self)
  if self.removed <= FEW_REMOVED or 2 * self.removed < #self.subscriptions then
    return
  end
  local list = {}
  for _, subscription in ipairs(self.subscriptions) do
    if subscription then
      append(list, subscription)
    end
  end
  self.subscriptions, self.removed = list, 0
end

--- Subscribes.
-- @param name text; may have wildcards
-- @param callback function(name, data, subscriberData), or with a scope function(scope, name, data,
--   subscriberData)
-- @param scope any value but nil: the callback's first argument
-- @param data any value: what the callback gets as subscriberData
-- @param filter a function with the callback's arguments that is asked first: something true lets the message
--   through
-- @return a handle for unsubscribe. Raises for a wrong type or a malformed name
function Hub:subscribe(name, callback, scope, data, filter)
  local pattern = parse("hub:subscribe", name, true, 2)
  checkFunction(callback, "callback", false, 2)
  checkFunction(filter, "filter", true, 2)
  local subscription = setmetatable({
    pattern = pattern, callback = callback, scope = scope, data = data, filter = filter,
    live = true, hub = self,
  }, Subscription)
  tidy(self)
  append(self.subscriptions, subscription)
  return subscription
end

--- Ends a subscription, if it has not ended. If it ends during a delivery, it does not get that message any
-- more.
-- @param handle what subscribe of this hub returned; raises for anything else
function Hub:unsubscribe(handle)
  if getmetatable(handle) ~= Subscription or handle.hub ~= self then
    error("hub:unsubscribe: expected a handle of this hub's subscribe, got " .. type(handle), 2)
  end
  if handle.live then
    handle.live = false
    self.subscriptions[handle.place] = false
    self.removed = self.removed + 1
  end
end

--- Delivers a message to the current subscribers before it returns. An error in one callback does not affect
-- the others.
-- @param name text without wildcards; raises for anything else
-- @param data any value
function Hub:publish(name, data)
  local parsed = parse("hub:publish", name, false, 2)
  tidy(self)
  local list = table.move(self.subscriptions, 1, #self.subscriptions, 1, {})
  for _, subscription in ipairs(list) do
    if subscription and subscription.live and matches(subscription.pattern, parsed) then
      deliver(subscription, name, data)
    end
  end
end

methodsOf("a hub", Hub, function(value) return getmetatable(value) == Hub end)

local hub = {}

--- A separate hub, without subscriptions.
function hub.new()
  return setmetatable({ subscriptions = {}, removed = 0 }, Hub)
end

return hub
