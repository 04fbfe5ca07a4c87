--- Many callback channels over one engine, with messages at random and connections that break at random. No
-- message may be lost without a word, none may come twice, and no sender may get the answer to another's
-- message.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local random = dofile "spec/suites/soak/random.lua"

local CHANNELS, ROOMS = 20, 4
local LIMIT = 30 -- seconds after which what is not over at the end is a failure
local KIBIBYTES = 128

local storm = {}

local function fail(self, ...) self.wrong[#self.wrong + 1] = string.format(...) end

local function newSession(self)
  return datasession.new { protocol = "datasnap", serviceURI = self.server.uris.datasnap, timeout = 5 }
end

-- ---- a client: { id, session, channel, last (the number of its last message from each room), lost (a loss
-- was told since), heard (how many messages) }

-- Numbers of a room rise; where some are missing the channel must have told that messages may be lost.
local function hear(self, client, room, n)
  local last = client.last[room]
  client.heard = client.heard + 1
  if n <= last then fail(self, "%s: %s: message %d came after %d", client.id, room, n, last) end
  for missing = last + 1, n - 1 do
    if self.sent[room][missing] and not client.lost[room] then
      fail(self, "%s: %s: message %d is lost, and nothing was told", client.id, room, missing)
    end
  end
  client.last[room], client.lost[room] = n, false
end

local function tellLost(client)
  for room in pairs(client.last) do client.lost[room] = true end
end

local function callbacks(self, client)
  local rnd = self.rnd
  client.channel:callback("rooms", function(value, message)
    if message.broadcast then hear(self, client, message.broadcast, value.n) end
    if rnd:chance(0.1) then datasession.sleep(rnd:number(0.02)) end
  end, client.names)
  client.channel:callback("echo", function(value, message)
    if message.broadcast then return end
    if rnd:chance(0.2) then datasession.sleep(rnd:number(0.02)) end
    return { to = client.id, n = value.n }
  end)
end

local function watch(self, client)
  local channel = client.channel
  channel:subscribe("interrupted", function()
    self.interrupted = self.interrupted + 1
    tellLost(client)
  end)
  channel:subscribe("started", function(_, again) self.again = self.again + (again and 1 or 0) end)
  channel:subscribe("disconnected", function(_, err)
    fail(self, "%s: disconnected: %s", client.id, tostring(err))
  end)
end

local function newClient(self, i)
  local own = "room" .. (i % ROOMS + 1)
  local other = "room" .. ((i + 1) % ROOMS + 1)
  local client = { id = "client" .. i, last = { [own] = 0, [other] = 0 }, lost = {}, heard = 0,
    names = { other } }
  client.session = self.sessions[(i - 1) % #self.sessions + 1]
  client.channel = client.session:channel { serverChannel = own, id = client.id }
  callbacks(self, client)
  watch(self, client)
  assert(client.channel:register():await(LIMIT))
  return client
end

-- ---- what happens

-- Sends the next number to a room, one at a time so that they stay in order. True in `sent`: the server has
-- it for all channels that listen. A call that failed may have been run.
local function sendTo(self, room)
  local n = self.numbers[room] + 1
  self.numbers[room], self.busy[room] = n, true
  return self.sender:broadcast({ n = n }, room, { timeout = 5 }):next(function()
    self.sent[room][n], self.busy[room] = true, false
    return n
  end, function() self.busy[room] = false end)
end

local function broadcast(self)
  local room = "room" .. self.rnd:upTo(ROOMS)
  if not self.busy[room] then sendTo(self, room) end
end

local function notify(self)
  local to = self.clients[self.rnd:upTo(CHANNELS)].id
  self.notified = self.notified + 1
  local n = self.notified
  self.sender:notify(to, "echo", { n = n }, { timeout = 2 }):next(function(answer)
    if answer == false then return end -- after a break the channel answers false
    self.answered = self.answered + 1
    if type(answer) ~= "table" or answer.to ~= to or answer.n ~= n then
      fail(self, "the sender of %d to %s got another answer", n, to)
    end
  end, function() end)
end

local function call(self)
  self.rnd:of(self.sessions):invoke("TEcho", "Count"):next(nil, function() end)
end

local function waiting(kind)
  return function(self)
    self.server:fault { kind = kind, path = "ConsumeClientChannel//", count = self.rnd:upTo(3) }
  end
end

local THINGS = {
  { 50, broadcast }, { 30, notify }, { 20, call },
  { 2, function(self) self.server:resetChannels() end },
  { 2, waiting "truncate" }, { 2, waiting "reset" }, { 1, waiting "close" },
  { 0.5, function(self) self.server:advanceClock(31) end }, -- channels that were handed a message are closed
  { 0.3, function(self) assert(self.server:restart()) end },
}

local function step(self)
  if #self.wrong > 20 then return end
  self.rnd:weighted(THINGS)[2](self)
  datasession.step(self.rnd:of { 0, 0, 0.001, 0.002, 0.005 })
end

local function storming(self, seconds)
  local ends = os.time() + seconds
  while os.time() < ends do step(self) end
end

-- Every channel hears a last message of each of its rooms.
local function calm(self)
  self.server:clearFaults()
  local ends = os.time() + LIMIT
  local function allHeard(numbers)
    for _, client in ipairs(self.clients) do
      for room in pairs(client.last) do
        if client.last[room] < numbers[room] then return false, client, room end
      end
    end
    return true
  end
  local all, client, room
  repeat
    local numbers = {}
    for name in pairs(self.numbers) do
      while self.busy[name] do datasession.step(0.1) end
      numbers[name] = sendTo(self, name):await(LIMIT) or math.huge
    end
    datasession.sleep(0.1)
    all, client, room = allHeard(numbers)
  until all or os.time() > ends
  if not all then fail(self, "%s: %s: it hears no more: %s", client.id, room, tostring(client.channel)) end
end

local function memory()
  for _ = 1, 4 do collectgarbage() end
  return collectgarbage "count"
end

-- All have heard these, so that the storm's own books need not grow.
local function forget(self)
  for room in pairs(self.sent) do self.sent[room] = {} end
end

local function start(self)
  self.server = assert(sandbox.start())
  for i = 1, 5 do self.sessions[i] = newSession(self) end
  for i = 1, ROOMS do self.numbers["room" .. i], self.sent["room" .. i] = 0, {} end
  self.sender = newSession(self):channel { serverChannel = "room1" }
  for i = 1, CHANNELS do self.clients[i] = newClient(self, i) end
end

local function finish(self)
  for _, client in ipairs(self.clients) do
    self.heard = self.heard + client.heard
    if not client.channel:close():await(LIMIT) then fail(self, "%s cannot be closed", client.id) end
  end
  datasession.invalidateAllSessions { all = true }:await(LIMIT)
  if not datasession.run(LIMIT) then fail(self, "something pends for ever") end
  self.server:close()
end

--- Runs the storm.
-- @return { wrong (a list of texts), heard, answered, interrupted, again (opened again), more (KiB of
--   memory) }
function storm.run(seconds, seed)
  local self = { rnd = random.new(seed), wrong = {}, clients = {}, sessions = {}, numbers = {}, sent = {},
    busy = {}, notified = 0, answered = 0, heard = 0, interrupted = 0, again = 0 }
  start(self)
  storming(self, math.max(1, seconds // 4))
  calm(self)
  forget(self)
  local before = memory()
  storming(self, seconds - seconds // 4)
  calm(self)
  forget(self)
  self.more = memory() - before
  if self.more > KIBIBYTES then fail(self, "memory: %.0f KiB more than before", self.more) end
  finish(self)
  return self
end

return storm
