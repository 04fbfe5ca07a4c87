--- Callback channels of a DataSnap server: what the program has in its hands. The life of a channel is in
-- poll.lua.

local argument = require "datasession.internal.argument"
local ascii = require "datasession.internal.ascii"
local calls = require "datasession.internal.channel.calls"
local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local methodsOf = require "datasession.internal.methods"
local mistake = require "datasession.internal.mistake"
local poll = require "datasession.internal.channel.poll"
local raise = require "datasession.internal.raise"
local subscriptions = require "datasession.internal.channel.subscriptions"
local suggest = require "datasession.internal.suggest"

local setmetatable, table = lua.setmetatable, lua.table

local channels = {}

-- A channel is a table with one key, under which its fields are: see poll.lua.
local P = {}

local OPTIONS = { "serverChannel", "id", "token", "answerTimeout" }
local ANSWER_TIMEOUT = 25 -- seconds; the server closes the channel after 30

-- ---- options

local function checkText(name, value)
  if type(value) ~= "string" or value == "" then
    mistake(("channel: option '%s': expected a text, got %s"):format(name,
      value == "" and "an empty one" or argument.type(value)))
  end
end

local function checkOptions(options)
  if type(options) ~= "table" then
    mistake("channel: expected a table of options, got " .. argument.type(options))
  end
  for name in pairs(options) do
    local known = false
    for _, one in ipairs(OPTIONS) do known = known or name == one end
    if not known then mistake("channel: " .. suggest.unknown("option", name, OPTIONS)) end
  end
  checkText("serverChannel", options.serverChannel)
  if options.id ~= nil then checkText("id", options.id) end
  if options.token ~= nil then checkText("token", options.token) end
end

local function answerTimeoutOf(options)
  local seconds = ANSWER_TIMEOUT
  if options.answerTimeout ~= nil then seconds = core.seconds(options.answerTimeout) end
  if not seconds or seconds <= 0 then
    mistake("channel: option 'answerTimeout': expected a number of seconds above 0, got " ..
      argument.value(options.answerTimeout))
  end
  return seconds
end

-- ---- arguments of methods

local function checkId(call, what, id, level)
  if type(id) ~= "string" or id == "" then
    raise(("%s: %s: expected a text, got %s"):format(call, what,
      id == "" and "an empty one" or argument.type(id)), level + 1)
  end
end

local function namesOf(names, level)
  if names == nil then return {} end
  local list = type(names) == "string" and { names } or names
  if type(list) ~= "table" then
    raise("callback: names: expected a text or an array of texts, got " .. argument.type(names), level + 1)
  end
  for _, name in ipairs(list) do checkId("callback", "names", name, level + 1) end
  return table.move(list, 1, #list, 1, {})
end

local function known(call, channel, id, level)
  checkId(call, "id", id, level + 1)
  local callback, place = poll.find(channel, id)
  if callback then return callback, place end
  local ids = {}
  for i, one in ipairs(channel.callbacks) do ids[i] = one.id end
  raise(call .. ": " .. suggest.unknown("callback", id, ids), level + 1)
end

local SEND_OPTIONS = { "timeout" }

local function timeoutOf(call, options, level)
  if options == nil then return nil end
  if type(options) ~= "table" then
    raise(("%s: expected a table of options, got %s"):format(call, argument.type(options)), level + 1)
  end
  for name in pairs(options) do
    if name ~= "timeout" then
      raise(call .. ": " .. suggest.unknown("option", name, SEND_OPTIONS), level + 1)
    end
  end
  return options.timeout
end

-- The result of f, which makes a request. Raises at the program's line for values that no request can hold.
local function protected(call, f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if type(result) ~= "string" then error(result, 0) end
  raise(("%s: %s"):format(call, result:gsub("^[^:]+:%d+: ", ""):gsub("^invoke: ", "")), 3)
end

-- ---- registering

local methods = {}

local function resolved(value)
  return core.promise(function(resolve) resolve(value) end)
end

--- Defines a callback. `register` makes it known to the server.
-- @param id string or nil: its id in this channel; nil: a random one
-- @param f function (value, message): its result is the answer to the sender of a notification; nil counts
--   as true; a promise is awaited. `message` has `channel`, `callback` (the id), `type` (1: JSON, 2: a
--   marshalled object), and `broadcast` (the name of the server channel) if it is no notification
-- @param names string, array or nil: further server channels whose broadcasts it gets
-- @return the channel, and the id
function methods.callback(object, id, f, names)
  local channel = object[P]
  if id == nil then id = core.randomText "channel" end
  checkId("callback", "id", id, 2)
  if type(f) ~= "function" then
    raise("callback: expected a function, got " .. argument.type(f), 2)
  end
  if poll.find(channel, id) then raise(("callback: the channel has a callback '%s'"):format(id), 2) end
  local callback = { id = id, f = f, names = namesOf(names, 2), registered = false }
  table.insert(channel.callbacks, callback)
  return object, id
end

local function registerAll(channel, list, i)
  local callback = list[i]
  if not callback then return channel.object end
  if callback.registered then return registerAll(channel, list, i + 1) end
  return poll.register(channel, callback):next(function() return registerAll(channel, list, i + 1) end)
end

-- A promise of the channel, when the server has the callbacks of the list.
local function register(channel, list)
  local state = poll.state(channel)
  if state == "open" then
    return resolved(true):next(function() return registerAll(channel, list, 1) end)
  elseif state == "closing" then
    local function go() return register(channel, list) end
    return channel.closing:next(go, go)
  end
  local opening = state == "opening" and channel.opening or poll.open(channel, list[1])
  return opening:next(function() return register(channel, list) end)
end

--- Registers callbacks with the server. The first one opens the channel.
-- @param id string: of the callback; nil: all that were defined
-- @return promise of the channel
function methods.register(object, id)
  local channel = object[P]
  local list = channel.callbacks
  if id ~= nil then
    list = { (known("register", channel, id, 2)) }
  elseif #list == 0 then
    raise("register: the channel has no callback: call callback first", 2)
  end
  return protected("register", register, channel, table.move(list, 1, #list, 1, {}))
end

local function drop(channel, callback)
  local found, place = poll.find(channel, callback.id)
  if found == callback then table.remove(channel.callbacks, place) end
  return channel.object
end

local function unregister(channel, callback)
  if poll.state(channel) == "opening" then
    local function go() return unregister(channel, callback) end
    return channel.opening:next(go, go)
  elseif not callback.registered then
    return resolved(drop(channel, callback))
  end
  return poll.unregister(channel, callback):next(function() return drop(channel, callback) end)
end

--- Takes a callback out of the channel. The last one closes the channel.
-- @return promise of the channel
function methods.unregister(object, id)
  return protected("unregister", unregister, object[P], (known("unregister", object[P], id, 2)))
end

-- ---- sending

local function send(channel, call, method, values, options, level)
  local promise, message = calls.send(channel, method, values, timeoutOf(call, options, level + 1))
  if not promise then raise(("%s: %s"):format(call, message), level + 1) end
  return promise
end

local function broadcast(channel, call, method, value, name, options, level)
  if name ~= nil then checkId(call, "serverChannel", name, level + 1) end
  local values = { name or channel.serverChannel, value, n = 2 }
  return send(channel, call, method, values, options, level + 1):next(function(results)
    if type(results) == "table" and results[#results] == true then return true end
    error(poll.failure("refused", "the message did not get to all channels",
      "no channel is open, or the queue of one is full"), 0)
  end)
end

--- Sends a value to all channels that listen to a server channel.
-- @param name string or nil: the server channel; nil: the channel's own
-- @param options table or nil: `timeout` (seconds)
-- @return promise of true
function methods.broadcast(object, value, name, options)
  return broadcast(object[P], "broadcast", "BroadcastToChannel", value, name, options, 2)
end

--- The same for a marshalled object.
function methods.broadcastObject(object, value, name, options)
  return broadcast(object[P], "broadcastObject", "BroadcastObjectToChannel", value, name, options, 2)
end

local function answerOf(results)
  if type(results) ~= "table" or results[#results] ~= true then
    error(poll.failure("refused", "the message was not answered",
      "no channel has that callback, its queue is full, or its channel was closed"), 0)
  end
  return results[1]
end

local function notify(channel, call, method, kind, id, callbackId, value, options, level)
  checkId(call, "channelId", id, level + 1)
  checkId(call, "callbackId", callbackId, level + 1)
  local own = ascii.lower(id) == ascii.lower(channel.id) and poll.find(channel, callbackId)
  if own then
    local timeout = timeoutOf(call, options, level + 1) or 0
    local seconds = core.seconds(timeout)
    if not seconds then
      raise(("%s: option 'timeout': expected a number of seconds, 0 or more, got %s"):format(call,
        argument.value(timeout)), level + 1)
    end
    return poll.call(channel, own, value, kind, seconds)
  end
  return send(channel, call, method, { id, callbackId, value, n = 3 }, options, level + 1):next(answerOf)
end

--- Sends a value to one callback of one channel, and waits for its answer. A callback of this channel itself
-- is called without the server.
-- @param options table or nil: `timeout` (seconds)
-- @return promise of the answer
function methods.notify(object, channelId, callbackId, value, options)
  return notify(object[P], "notify", "NotifyCallback", 1, channelId, callbackId, value, options, 2)
end

--- The same for a marshalled object.
function methods.notifyObject(object, channelId, callbackId, value, options)
  return notify(object[P], "notifyObject", "NotifyObject", 2, channelId, callbackId, value, options, 2)
end

-- ---- the end

local function close(channel)
  local state = poll.state(channel)
  if state == "closed" then
    return resolved(channel.object)
  elseif state == "opening" then
    local function go() return close(channel) end
    return channel.opening:next(go, go)
  end
  local closing = state == "closing" and channel.closing or poll.close(channel)
  return closing:next(function() return channel.object end)
end

--- Closes the channel. `register` may open it again.
-- @return promise of the channel
function methods.close(object) return close(object[P]) end

--- Closes the session, and the channel with it.
-- @return promise of session:closeSession()
function methods.closeSession(object)
  local ending = object[P].session:closeSession()
  poll.leave(object[P], ending)
  return ending
end

-- ---- events

--- As session:subscribe.
function methods.subscribe(object, event, handler, scope)
  subscriptions.add(object[P].subscriptions, event, handler, scope, 2)
  return object
end

--- As session:unsubscribe.
function methods.unsubscribe(object, event, handler, scope)
  subscriptions.remove(object[P].subscriptions, event, handler, scope, 2)
  return object
end

--- As session:unsubscribeAll.
function methods.unsubscribeAll(object, event)
  subscriptions.clear(object[P].subscriptions, event, 2)
  return object
end

methodsOf("a channel", methods, function(value) return type(value) == "table" and rawget(value, P) ~= nil end)

-- ---- the object

local PUBLIC = { session = true, serverChannel = true, id = true, state = true }

local Channel = { __name = "datasession.channel", __metatable = "datasession.channel" }

local function missing(name)
  local names = {}
  for _, fields in ipairs { methods, PUBLIC } do
    for one in pairs(fields) do names[#names + 1] = one end
  end
  local nearest = suggest.nearest(name, names)
  return ("a channel has no field '%s'%s"):format(tostring(name),
    nearest and (": did you mean '%s'?"):format(nearest) or "")
end

function Channel.__index(object, name)
  if name == "state" then return poll.state(object[P]) end
  if PUBLIC[name] then return object[P][name] end
  if methods[name] then return methods[name] end
  if type(name) == "string" and name:sub(1, 2) ~= "__" then raise(missing(name), 2) end
end

function Channel.__newindex(_, name)
  local text = tostring(name)
  raise((PUBLIC[name] or methods[name]) and ("channel.%s is read-only"):format(text) or missing(text), 2)
end

-- Shows neither the id nor the token: who knows the id can take the messages.
function Channel.__tostring(object)
  local channel = object[P]
  return ("%s: %s, %s"):format(Channel.__name, channel.serverChannel, poll.state(channel))
end

-- A channel that the program has forgotten ends without a request.
function Channel.__gc(object) poll.abandon(object[P]) end

function Channel.__close(object) close(object[P]):await() end

--- A channel, for session:channel(options). Sends nothing.
-- @param options table: `serverChannel` (string), whose broadcasts the channel gets; `id`, `token` (strings
--   or nil: random ones); `answerTimeout` (seconds, above 0; default 25), in which a callback has to answer
function channels.new(session, options)
  checkOptions(options)
  local channel = {
    session = session, serverChannel = options.serverChannel, id = options.id or core.randomText "channel",
    token = options.token or core.randomText "channel", answerTimeout = answerTimeoutOf(options),
    callbacks = {}, subscriptions = {}, timers = {}, state = "closed", life = 0, failures = 0,
    asked = 0, opening = false, closing = false, request = false, sessionId = false, answer = false,
  }
  channel.object = setmetatable({ [P] = channel }, Channel)
  return channel.object
end

return channels
