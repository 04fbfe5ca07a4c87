--- Callback channels: each a queue of messages for one client, which asks for them one by one and answers
-- each with its next request. Values and messages are JSON texts.
local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"
local results = require "datasession.sandbox.datasnap.results"

local Channels = {}
Channels.__index = Channels

local PLAIN, OBJECT = 1, 2 -- the type of a message's value

--- `site` gives the clock, and wakes the requests that wait.
-- @param sessions of the application: a channel ends with the session that opened it
local function new(site, sessions)
  return setmetatable({
    site = site, sessions = sessions, byId = {}, breaks = 0,
    responseTimeout = 30, -- seconds in which a client that was handed a message has to be back
    queueSize = 100, slim = false,
  }, Channels)
end

-- ---- a channel: { name (of the server channel), id, token, session, callbacks (list of { id, names }),
-- queue (of messages), handed ({ at, message }: the message that the client has not answered yet), waiter
-- (the newest request that waits), closed }. A message: { text, awaited (its sender waits), response }

local function same(a, b) return ascii.lower(a) == ascii.lower(b) end

function Channels:close(channel)
  channel.closed = true
  self.byId[ascii.lower(channel.id)] = nil
  self.site.wake()
end

local function isOverdue(self, channel)
  return channel.handed ~= nil and self.site.clock() - channel.handed.at > self.responseTimeout
end

local function isAlive(self, channel)
  return not channel.closed and self.sessions:isAlive(channel.session) and not isOverdue(self, channel)
end

-- Closes a channel whose time is over. True: it is open.
local function check(self, channel)
  if isAlive(self, channel) then return true end
  if not channel.closed then self:close(channel) end
  return false
end

local function find(self, id)
  local channel = self.byId[ascii.lower(id)]
  return channel and check(self, channel) and channel or nil
end

-- The seconds until a look at the channel may find it ended.
local function secondsLeft(self, channel)
  local left = self.sessions:secondsLeft(channel.session)
  if channel.handed then
    left = math.min(left, channel.handed.at + self.responseTimeout - self.site.clock())
  end
  return math.min(math.max(left, 0) + 0.001, 1e6)
end

-- ---- callbacks

local function callbackOf(channel, id)
  for i, callback in ipairs(channel.callbacks) do
    if same(callback.id, id) then return callback, i end
  end
end

-- The names of a text such as `a,"b c" d`: Delphi's comma text.
local function namesOf(text)
  local names, at = {}, 1
  while true do
    at = text:find("[^%s,]", at)
    if not at then return names end
    local quoted, after = text:match('^(%b"")()', at)
    while quoted and text:sub(after, after) == '"' do -- a quote within quotes is doubled
      local more, next = text:match('^(%b"")()', after)
      if not more then break end
      quoted, after = quoted .. more, next
    end
    local name = quoted and quoted:sub(2, -2):gsub('""', '"')
    if not name then name, after = text:match("^([^%s,]+)()", at) end
    names[#names + 1], at = name, after
  end
end

local function listens(callback, name)
  for _, one in ipairs(callback.names) do
    if same(one, name) then return true end
  end
  return false
end

-- The text of a broadcast to a server channel for this channel; nil: the channel does not listen to it.
local function broadcastText(channel, name, value, kind)
  local text = ('{"broadcast":[%s,%d]'):format(value, kind)
  if same(channel.name, name) then return text .. "}" end
  for _, callback in ipairs(channel.callbacks) do
    if listens(callback, name) then return text .. ',"channel":' .. json.encode(name) .. "}" end
  end
end

-- ---- messages

local function hand(self, channel, message)
  channel.handed = { at = self.site.clock(), message = message }
  return message.text
end

-- False: the queue is full.
local function enqueue(self, channel, message)
  if #channel.queue >= self.queueSize then return false end
  table.insert(channel.queue, message)
  self.site.wake()
  return true
end

-- The client is back, with its answer to what it was handed.
local function takeAnswer(self, channel, answer)
  local handed = channel.handed
  channel.handed = nil
  if handed and handed.message.awaited then
    handed.message.response = answer
    self.site.wake()
  end
end

-- The request that waits for the next message; `seconds`: at most so long.
local function wait(self, channel, seconds)
  local waiter, breaks = {}, self.breaks
  local till = seconds and seconds >= 0 and self.site.clock() + seconds or math.huge
  channel.waiter = waiter
  self.site.wake()
  return results.later(function()
    if self.breaks ~= breaks then return results.BROKEN end
    if not check(self, channel) then return { '{"close":true}' } end
    if channel.waiter ~= waiter then return { results.error "tunnel_replaced" } end
    local message = table.remove(channel.queue, 1)
    if message then return { hand(self, channel, message) } end
    if self.site.clock() < till then
      return nil, math.min(secondsLeft(self, channel), till - self.site.clock() + 0.001)
    end
    self:close(channel)
    return { '{"timeout":true}' }
  end)
end

-- ---- the methods of DSAdmin

local function refuse(self)
  if self.slim then results.fail "This server has no callback channels" end
end

-- call: { name, id, callback, names, token }
local function open(self, call, session)
  if find(self, call.id) then
    return results.error(("%s:%s:%s"):format(call.name, call.id, call.callback))
  end
  local channel = {
    name = call.name, id = call.id, token = call.token, session = session, queue = {},
    callbacks = { { id = call.callback, names = namesOf(call.names) } },
  }
  self.byId[ascii.lower(call.id)] = channel
  local text = ('{"invoke":[%s,{"created":true},%d]}'):format(json.encode(call.callback), PLAIN)
  return hand(self, channel, { text = text })
end

--- With a callback's id it opens a channel, and returns the first message; without, it takes the client's
-- answer and waits for the next message, at most so many seconds.
function Channels:consume(call, answer, session, seconds)
  refuse(self)
  if call.callback ~= "" then return open(self, call, session) end
  local channel = find(self, call.id)
  if not channel then return results.error(("%s:%s"):format(call.name, call.id)) end
  takeAnswer(self, channel, answer)
  return wait(self, channel, seconds)
end

-- The channel of an id if the token is its own.
local function own(self, id, token)
  local channel = find(self, id)
  return channel and channel.token == token and channel or nil
end

function Channels:closeOwn(id, token)
  refuse(self)
  local channel = own(self, id, token)
  if channel then self:close(channel) end
  return channel ~= nil
end

function Channels:register(id, callback, names, token)
  local channel = own(self, id, token)
  if not channel or callback == "" or callbackOf(channel, callback) then return false end
  table.insert(channel.callbacks, { id = callback, names = namesOf(names) })
  return true
end

function Channels:unregister(id, callback, token)
  local channel = own(self, id, token)
  local found, at = nil, nil
  if channel then found, at = callbackOf(channel, callback) end
  if not found then return false end
  table.remove(channel.callbacks, at)
  if #channel.callbacks == 0 then self:close(channel) end
  return true
end

local function sorted(self)
  local list = {}
  for _, channel in pairs(self.byId) do list[#list + 1] = channel end
  table.sort(list, function(a, b) return a.id < b.id end)
  return list
end

--- True: it is in the queue of each channel that listens. False: a queue is full, or no channel is open.
function Channels:broadcast(name, value, isObject)
  local isOpen, all = false, true
  for _, channel in ipairs(sorted(self)) do
    if check(self, channel) then
      isOpen = true
      local text = broadcastText(channel, name, value, isObject and OBJECT or PLAIN)
      if text and not enqueue(self, channel, { text = text }) then all = false end
    end
  end
  return isOpen and all
end

--- Waits for the client's answer. Results: the answer, and whether there was one.
function Channels:notify(id, callback, value, isObject)
  local channel = find(self, id)
  local known = channel and callbackOf(channel, callback)
  local message = {
    awaited = true,
    text = known and ('{"invoke":[%s,%s,%d]}'):format(json.encode(known.id), value,
      isObject and OBJECT or PLAIN),
  }
  if not known or not enqueue(self, channel, message) then return "null", "false" end
  return results.later(function()
    if message.response then return { message.response, "true" } end
    if not check(self, channel) then return { "null", "false" } end
    return nil, secondsLeft(self, channel)
  end)
end

--- Resets the connections of the requests that wait; the channels stay.
function Channels:reset()
  self.breaks = self.breaks + 1
  self.site.wake()
end

return { new = new }
