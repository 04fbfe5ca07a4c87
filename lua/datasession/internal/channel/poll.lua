--- The life of a callback channel: it is opened; one request at a time waits for a message, and the next one
-- answers it; it goes on after a broken connection; it ends.
--
-- Pending requests and timers know the channel by a weak reference, so that a channel that the program has
-- forgotten is collected. Its fields, false where there is nothing, so that setting them takes no memory:
--
-- - object: what the program has
-- - session, serverChannel, id, token, answerTimeout: as given, or random
-- - subscriptions: see subscriptions.lua
-- - callbacks: a list of { id, f, names, registered }; registered: the server knows it
-- - state: "closed", "opening", "open", "closing"
-- - life: how often it was closed
-- - opening, closing: the promises of those states
-- - request: the promise of the request that waits; timers: a set of promises
-- - sessionId: of the session that opened the channel
-- - answer: for the last message
-- - failures: broken requests in a row; asked: when the request began, by os.time

local ascii = require "datasession.internal.ascii"
local calls = require "datasession.internal.channel.calls"
local core = require "datasession.core"
local subscriptions = require "datasession.internal.channel.subscriptions"

local poll = {}

local LONGEST_DELAY = 5 -- seconds between two attempts to reach the server
local LONG = 10         -- seconds after which a request that breaks is no sign of a server that is away

local function failure(kind, message, hint)
  return core.failure {
    kind = kind, result = core.constants.GENERAL_FAILURE, message = "channel: " .. message, hint = hint,
  }
end

poll.failure = failure

-- A function that calls f(channel, ...), unless the channel was collected, or closed meanwhile.
local function weakly(channel, f)
  local box, life = setmetatable({ channel }, { __mode = "v" }), channel.life
  return function(...)
    local self = box[1]
    if self and self.life == life then return f(self, ...) end
  end
end

local function ignore() end
local function yes() return true end

local disconnect -- below

-- Hands a promise's outcome to f or onFail. An error in these, such as want of memory, ends the channel.
local function follow(channel, promise, f, onFail)
  promise:next(weakly(channel, f), weakly(channel, onFail)):next(nil, weakly(channel, disconnect))
end

local function after(channel, seconds, f)
  local timer = core.moment(seconds)
  channel.timers[timer] = true
  follow(channel, timer, function(self)
    self.timers[timer] = nil
    f(self)
  end, ignore)
  return timer
end

local function stopTimer(channel, timer)
  channel.timers[timer] = nil
  timer:cancel()
end

local function fire(channel, event, ...)
  subscriptions.fire(channel.subscriptions, event, channel.object, ...)
end

--- The callback of an id, whatever the case, and its place in the list; nil: there is none.
function poll.find(channel, id)
  for i, callback in ipairs(channel.callbacks) do
    if ascii.lower(callback.id) == ascii.lower(id) then return callback, i end
  end
end

-- ---- the end

--- Cancels what is pending.
function poll.abandon(channel)
  local request, timers = channel.request, channel.timers
  channel.request = false
  if request then request:cancel() end -- it needs no memory, which may be what this is about
  for timer in pairs(timers) do
    timers[timer] = nil
    timer:cancel()
  end
end

local function finish(channel, event, err)
  if channel.state == "closed" then return end
  channel.state, channel.life = "closed", channel.life + 1
  for _, callback in ipairs(channel.callbacks) do callback.registered = false end
  poll.abandon(channel)
  fire(channel, event, err)
end

function disconnect(channel, err) finish(channel, "disconnected", err) end

--- The state. A channel whose opening or closing has ended is in neither state, also when memory ran out for
-- the function that was to note that.
function poll.state(channel)
  local pending = channel.state == "opening" and channel.opening or
    channel.state == "closing" and channel.closing
  if pending and pending:state() ~= "pending" then
    channel.state = "closed"
    poll.abandon(channel)
  end
  return channel.state
end

-- ---- messages

local open, post -- below

-- A promise of a callback's answer. It never rejects.
local function run(callback, value, message)
  return core.spawn(callback.f, value, message):next(function(answer)
    if answer == nil then return true end
    return answer
  end, function(err)
    core.report(err)
    return false
  end)
end

-- Answers when the promise is settled, at the latest in time for the server.
local function answerWith(channel, promise, what)
  local answered, timer = false, nil
  local function answer(self, value)
    if answered then return end
    answered = true
    stopTimer(self, timer)
    post(self, value)
  end
  timer = after(channel, channel.answerTimeout, function(self)
    core.report(failure("timeout", ("%s did not answer within %g s, so the server was answered false")
      :format(what, self.answerTimeout)))
    answer(self, false)
  end)
  follow(channel, promise, answer, ignore)
end

local function notified(channel, callback, value, kind)
  return run(callback, value, { channel = channel.object, callback = callback.id, type = kind })
end

--- Calls a callback with a notification of this program's.
-- @param timeout seconds, 0 (the channel's answerTimeout) or more
-- @return promise of its answer. It rejects with the kind "timeout" when there is none in time
function poll.call(channel, callback, value, kind, timeout)
  local limit = timeout > 0 and timeout or channel.answerTimeout
  local pending = notified(channel, callback, value, kind)
  return core.spawn(function()
    local answer = pending:await(limit)
    if pending:state() ~= "pending" then return answer end
    local late = ("the callback '%s' did not answer within %g s"):format(callback.id, limit)
    error(failure("timeout", late, "have the callback answer sooner, or give a longer timeout"), 0)
  end)
end

-- A promise of true, when all of these, which never reject, are resolved.
local function allOf(answers)
  return core.promise(function(resolve)
    local left = #answers
    if left == 0 then resolve(true) end
    for _, answer in ipairs(answers) do
      answer:next(function()
        left = left - 1
        if left == 0 then resolve(true) end
      end)
    end
  end)
end

local function isNamed(callback, name)
  for _, one in ipairs(callback.names) do
    if ascii.lower(one) == ascii.lower(name) then return true end
  end
  return false
end

local function takeInvoke(channel, id, value, kind)
  local callback = type(id) == "string" and poll.find(channel, id)
  if not callback then return post(channel, false) end
  answerWith(channel, notified(channel, callback, value, kind),
    ("the callback '%s'"):format(callback.id))
end

local function takeBroadcast(channel, value, kind, name)
  local answers, to = {}, name or channel.serverChannel
  for _, callback in ipairs(channel.callbacks) do
    if name == nil or isNamed(callback, name) then
      local message = { channel = channel.object, callback = callback.id, type = kind, broadcast = to }
      answers[#answers + 1] = run(callback, value, message)
    end
  end
  answerWith(channel, allOf(answers), "a callback")
end

-- Messages that were sent while the channel did not exist are lost, and so may be one that was on its way.
local function interrupt(channel, err)
  fire(channel, "interrupted", err)
end

local function reopen(channel, err)
  interrupt(channel, err)
  if channel.state == "open" then open(channel, true) end
end

local function takeError(channel, text)
  if text == "tunnel_replaced" then
    disconnect(channel, failure("refused", "another request took the place of the one that waited",
      "does another program use the same channel id? it can take the messages"))
  else
    reopen(channel, failure("closed", "the server has closed the channel, so it is opened again"))
  end
end

-- The server tells of the end of the channel, or of this request.
local function takeEnd(channel, message)
  if channel.state ~= "open" then return end
  if message.close then
    disconnect(channel, failure("closed", "the server closed the channel"))
  elseif message.timeout then
    reopen(channel, failure("timeout", "the server closed the channel after its timeout"))
  else
    takeError(channel, message.error)
  end
end

local function take(channel, results)
  local message = type(results) == "table" and results[1]
  channel.request = false
  if type(message) ~= "table" then
    post(channel, false)
  elseif message.close or message.timeout or message.error ~= nil then
    takeEnd(channel, message)
  elseif type(message.invoke) == "table" then
    channel.failures = 0
    takeInvoke(channel, message.invoke[1], message.invoke[2], message.invoke[3])
  elseif type(message.broadcast) == "table" then
    channel.failures = 0
    takeBroadcast(channel, message.broadcast[1], message.broadcast[2], message.channel)
  else
    post(channel, false)
  end
end

-- ---- broken connections

local BROKEN = { connect = true, timeout = true, stall = true, dns = true, proxy = true, tls = true,
  protocol = true, offline = true }

-- True if the request may succeed when it is sent again.
local function isBroken(err)
  return err.retryable or BROKEN[err.kind] == true and (err.httpStatus or 0) < 400
end

local function delayOf(channel)
  if os.time() - channel.asked >= LONG then channel.failures = 0 end
  channel.failures = channel.failures + 1
  return channel.failures == 1 and 0 or math.min(2 ^ (channel.failures - 3), LONGEST_DELAY)
end

-- A message may have been on its way if the server had the request. The answer that goes with the next
-- request might then be taken for the answer to that message: so it is false.
local function broken(channel, err)
  channel.request = false
  if not isBroken(err) then return disconnect(channel, err) end
  if err.info.mayHaveArrived or err.httpStatus then
    channel.answer = false
    interrupt(channel, err)
  end
  if channel.state == "closed" then return end -- by a handler
  after(channel, delayOf(channel), function(self) post(self, self.answer) end)
end

local function isSameSession(channel)
  return (channel.session:getSessionID() or false) == channel.sessionId
end

function post(channel, answer)
  if not isSameSession(channel) then
    return disconnect(channel, failure("expired", "the session that opened it has ended"))
  end
  local ok, request = pcall(calls.answer, channel, answer)
  if not ok then
    core.report(("channel: a callback's answer cannot be sent: %s"):format(request))
    request = calls.answer(channel, false)
  end
  channel.request, channel.answer, channel.asked = request, answer, os.time()
  follow(channel, request, take, broken)
end

-- ---- opening

local function isCreated(message)
  return type(message) == "table" and type(message.invoke) == "table" and
    type(message.invoke[2]) == "table" and message.invoke[2].created == true
end

local function isTaken(message) return type(message) == "table" and type(message.error) == "string" end

local function whyNotOpened(message)
  if isTaken(message) then
    return failure("refused", "a channel of that id is open already",
      "leave option 'id' out for a random one")
  end
  return failure("protocol", "the server's answer to ConsumeClientChannel is none that opens a channel")
end

-- An earlier request that opened the channel, and whose response was lost, left it on the server: the token
-- proves that it is ours.
local function openWith(channel, callback)
  return calls.open(channel, callback):next(function(message)
    if isCreated(message) then return true end
    if not isTaken(message) then error(whyNotOpened(message), 0) end
    return calls.close(channel):next(function(closed)
      if closed ~= true then error(whyNotOpened(message), 0) end
      return calls.open(channel, callback):next(function(again)
        if not isCreated(again) then error(whyNotOpened(again), 0) end
        return true
      end)
    end)
  end, function(err)
    if not err.hint and (err.httpStatus == 500 or err.httpStatus == 501) then
      err.hint = "servers with the slim REST component have no callback channels"
    end
    error(err, 0)
  end)
end

-- Registers on the server once more what it knew of the channel before.
local function restore(channel, callback)
  if channel.state ~= "open" or not callback.registered then return end
  calls.register(channel, callback):next(ignore, weakly(channel, function(self, err)
    if isBroken(err) then after(self, LONGEST_DELAY, function() restore(self, callback) end) end
  end))
end

local function start(channel, again)
  channel.state, channel.sessionId = "open", channel.session:getSessionID() or false
  channel.failures = again and channel.failures or 0
  post(channel, true)
  fire(channel, "started", again)
end

local function firstOf(channel)
  for _, callback in ipairs(channel.callbacks) do
    if callback.registered then return callback end
  end
  return channel.callbacks[1]
end

local function reopened(channel, first)
  start(channel, true)
  for _, callback in ipairs(channel.callbacks) do
    if callback ~= first then restore(channel, callback) end
  end
end

-- Opens the channel again, as often as it takes to reach the server.
function open(channel)
  local first = firstOf(channel)
  channel.asked = os.time()
  if not isSameSession(channel) then
    return disconnect(channel, failure("expired", "the session that opened it has ended"))
  end
  after(channel, delayOf(channel), function(self)
    if self.state ~= "open" then return end
    follow(self, openWith(self, first), function(one)
      if one.state == "open" then reopened(one, first) end
    end, function(one, err)
      if isBroken(err) then open(one) else disconnect(one, err) end
    end)
  end)
end

--- Opens a closed channel with a callback.
-- @return promise of true
function poll.open(channel, callback)
  local opening = openWith(channel, callback):next(function()
    callback.registered = true
    start(channel, false)
    fire(channel, "callbackAdded", callback.id)
    return true
  end):next(nil, function(err)
    if channel.state == "opening" then channel.state = "closed" else disconnect(channel, err) end
    error(err, 0)
  end)
  channel.state, channel.opening = "opening", opening
  return opening
end

-- ---- callbacks

--- Registers a callback with the server of an open channel.
-- @return promise of true
function poll.register(channel, callback)
  return calls.register(channel, callback):next(function(done)
    if done ~= true then
      error(failure("refused", ("the server did not register the callback '%s'"):format(callback.id),
        "it has one of that id in this channel, or has closed the channel"), 0)
    end
    callback.registered = true
    fire(channel, "callbackAdded", callback.id)
    return true
  end)
end

local function isLast(channel, callback)
  for _, other in ipairs(channel.callbacks) do
    if other.registered and other ~= callback then return false end
  end
  return true
end

local function unregistered(channel, callback, last)
  callback.registered = false
  fire(channel, "callbackRemoved", callback.id)
  if last then finish(channel, "stopped") end
  return true
end

-- The channel goes on, also if the request that waits has ended meanwhile.
local function notUnregistered(channel, last, err)
  if last and channel.state == "closing" then
    channel.state = "open"
    if not channel.request and not next(channel.timers) then post(channel, false) end
  end
  error(err, 0)
end

--- Unregisters a callback with the server, which closes the channel after the last one.
-- @return promise of true
function poll.unregister(channel, callback)
  local last = isLast(channel, callback)
  local promise = calls.unregister(channel, callback.id):next(function(done)
    if done == true then return unregistered(channel, callback, last) end
    notUnregistered(channel, last,
      failure("refused", ("the server did not unregister the callback '%s'"):format(callback.id)))
  end, function(err) notUnregistered(channel, last, err) end)
  if last then channel.state, channel.closing = "closing", promise end
  return promise
end

--- Closes an open channel. It is closed here whatever the server answers.
-- @return promise of true
function poll.close(channel)
  local closing = calls.close(channel):next(function()
    local request = channel.request
    finish(channel, "stopped")
    return request and request:next(yes, yes) or true -- a program may end after this: nothing pends then
  end, function(err)
    finish(channel, "stopped")
    error(err, 0)
  end)
  channel.state, channel.closing = "closing", closing
  return closing
end

--- Closes an open channel with its session, whose end is a promise.
function poll.leave(channel, ending)
  if channel.state ~= "open" then return end
  local function stop() finish(channel, "stopped") end
  channel.closing = ending:next(stop, stop)
  channel.state = "closing"
end
return poll
