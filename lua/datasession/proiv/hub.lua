--- The OpenAjax hub of a PROIV client: messages by name, from publishers to subscribers.
--
-- Names are elements between full stops, such as "proiv.session.ended". In a subscription "*" stands for one
-- element, and "**", at the end, for one or more. A message is delivered at once, inside publish, as the
-- OpenAjax hub 2.0.7 delivers it: at each element of the name first to what follows the element itself, then
-- to what follows "*", then to "**"; subscriptions of one name in their order.

local core = require "datasession.core"
local methodsOf = require "datasession.internal.methods"
local closing = require("datasession.internal.lua").closing

local Hub = {}
Hub.__index = Hub
Hub.__name = "datasession.proiv.hub"

local Subscription = {}
Subscription.__index = Subscription
Subscription.__name = "datasession.proiv.subscription"

-- The elements of a name: any text is one, as in the reference.
local function elements(call, name, level)
  if type(name) ~= "string" then
    error(("%s: expected a name, got %s"):format(call, type(name)), level + 1)
  end
  local list = {}
  for element in (name .. "."):gmatch("([^.]*)%.") do
    list[#list + 1] = element
  end
  return list
end

-- ---- the subscriptions: a tree of the elements of their names

local FEW_REMOVED = 16

local function newNode(parent, element)
  return { parent = parent, element = element, children = {}, list = {}, removed = 0 }
end

local function nodeOf(root, path)
  local node = root
  for _, element in ipairs(path) do
    local child = node.children[element]
    if not child then
      child = newNode(node, element)
      node.children[element] = child
    end
    node = child
  end
  return node
end

local function append(node, subscription)
  subscription.node, subscription.place = node, #node.list + 1
  node.list[subscription.place] = subscription
end

-- In a list false stands for a subscription that has ended, until most places are false. A delivery that is
-- under way goes on with the list that it began with.
local function tidy(node)
  if node.removed <= FEW_REMOVED or 2 * node.removed < #node.list then
    return
  end
  local list = node.list
  node.list, node.removed = {}, 0
  for _, subscription in ipairs(list) do
    if subscription then
      append(node, subscription)
    end
  end
end

-- Removes nodes that lead to no subscription.
local function prune(node)
  while node.parent and node.removed == #node.list and not next(node.children) do
    node.parent.children[node.element] = nil
    node = node.parent
  end
end

-- A delivery is under way: the tree keeps its nodes until it has ended.
local Delivery = {}

function Delivery.__close(delivery)
  delivery.depth = delivery.depth - 1
  if delivery.depth == 0 then
    local emptied = delivery.emptied
    delivery.emptied = {}
    for _, node in ipairs(emptied) do
      prune(node)
    end
  end
end

-- ---- delivering

local function call(subscription, f, name, data)
  if type(f) == "string" then
    f = subscription.scope[f]
  end
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

local function deliverAll(node, name, data)
  tidy(node)
  local list = node.list
  for i = 1, #list do
    if list[i] and list[i].live then
      deliver(list[i], name, data)
    end
  end
end

local function descend(node, path, index, name, data)
  if not node then
    return
  elseif index > #path then
    return deliverAll(node, name, data)
  end
  local element = path[index]
  descend(node.children[element], path, index + 1, name, data)
  if element ~= "*" then -- each subscription gets the message once
    descend(node.children["*"], path, index + 1, name, data)
  end
  local rest = node.children["**"] -- a callback may have subscribed to it
  if rest and not (element == "**" and index == #path) then
    deliverAll(rest, name, data)
  end
end

-- A callback or filter is a function, or the name of one that the scope has when it is called.
local function checkFunction(value, what, scope, level)
  if type(value) == "string" and scope == nil then
    error(("hub:subscribe: the %s '%s' is the name of a method: expected a scope that has it")
      :format(what, value), level + 1)
  elseif type(value) ~= "function" and type(value) ~= "string" then
    error(("hub:subscribe: expected a function as %s, got %s"):format(what, type(value)), level + 1)
  end
end

--- Subscribes.
-- @param name text; "*" and "**" stand for elements of the names that are published
-- @param callback function(name, data, subscriberData), or with a scope function(scope, name, data,
--   subscriberData); or the name of such a method of the scope
-- @param scope any value but nil: the callback's first argument
-- @param data any value: what the callback gets as subscriberData
-- @param filter nil, or as the callback: it is asked first, and something true lets the message through
-- @return a handle for unsubscribe. Raises for a wrong type
function Hub:subscribe(name, callback, scope, data, filter)
  local path = elements("hub:subscribe", name, 2)
  checkFunction(callback, "callback", scope, 2)
  if filter ~= nil then
    checkFunction(filter, "filter", scope, 2)
  end
  local subscription = setmetatable({
    callback = callback, scope = scope, data = data, filter = filter, live = true, hub = self,
  }, Subscription)
  local node = nodeOf(self.root, path)
  tidy(node)
  append(node, subscription)
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
    local node, delivery = handle.node, self.delivery
    handle.live = false
    node.list[handle.place] = false
    node.removed = node.removed + 1
    if delivery.depth == 0 then
      prune(node)
    elseif node.removed == #node.list then
      delivery.emptied[#delivery.emptied + 1] = node
    end
  end
end

--- Delivers a message to the current subscribers before it returns. An error in one callback does not affect
-- the others.
-- @param name text; raises for anything else
-- @param data any value
function Hub:publish(name, data)
  local path = elements("hub:publish", name, 2)
  self.delivery.depth = self.delivery.depth + 1
  closing(self.delivery, descend, self.root, path, 1, name, data)
end

methodsOf("a hub", Hub, function(value) return getmetatable(value) == Hub end)

local hub = {}

--- A separate hub, without subscriptions.
function hub.new()
  local delivery = setmetatable({ depth = 0, emptied = {} }, Delivery)
  return setmetatable({ root = newNode(), delivery = delivery }, Hub)
end

return hub
