--- A server of HTTP/2 over TLS, controlled by the bodies of its requests; a program, for http2.lua. It does
-- not decode header fields: a request without a body gets an empty response.
-- Usage: lua http2_server.lua CERTIFICATE KEY. Prints its port, and at its end one line for each action.
local socket = require "socket"
local ssl = require "ssl"

local FRAME = { DATA = 0, HEADERS = 1, RESET = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW = 8,
  CONTINUATION = 9 }
local END_STREAM, END_HEADERS, ACK = 1, 4, 1
local PREFACE = #"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local REFUSED_STREAM = 7
local STATUS_200 = "\x88" -- HPACK, static table, 8

local context = assert(ssl.newcontext {
  mode = "server", protocol = "any", certificate = arg[1], key = arg[2], options = { "no_sslv2", "no_sslv3" },
  alpn = { "h2" },
})

local journal, ended = {}, false
local connections = {}

local function note(...)
  journal[#journal + 1] = table.concat({ ... }, " ")
end

local goesOn = { wantread = true, wantwrite = true, timeout = true }

local connection = {}
connection.__index = connection

function connection:write(bytes)
  local sent = 0
  while sent < #bytes do
    local done, err, part = self.tls:send(bytes, sent + 1)
    sent = done or part or sent
    if goesOn[err] then
      socket.select(nil, { self.tls }, 1)
    elseif not done then
      return
    end
  end
end

local function frame(kind, flags, stream, payload)
  return string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload
end

function connection:frame(...)
  self:write(frame(...))
end

function connection:reset(stream, code)
  self:frame(FRAME.RESET, 0, stream, string.pack(">I4", code))
end

function connection:goaway(last, code)
  self:frame(FRAME.GOAWAY, 0, 0, string.pack(">I4I4", last, code))
end

function connection:answer(stream, body)
  self:frame(FRAME.HEADERS, END_HEADERS, stream, STATUS_200)
  self:frame(FRAME.DATA, END_STREAM, stream, body)
end

function connection:close()
  connections[self.tls] = nil
  self.tls:close()
end

-- Notes that the held requests after the first `count` were not run.
function connection:forsake(count)
  local last = self.held[count] or 0
  for at, stream in ipairs(self.held) do note(at <= count and "run" or "unrun", self.bodies[stream]) end
  self:goaway(last, 0)
end

local done = {} -- what happens once
local commands = {}
local lost -- the connection to be closed once another one has a request

function commands:hold(stream)
  self.held[#self.held + 1] = stream
end

local function once(command)
  return function(self, stream, ...)
    local body = self.bodies[stream]
    if done[body] then return commands.run(self, stream) end
    done[body] = true
    return command(self, stream, ...)
  end
end

function commands:run(stream)
  if self.bodies[stream] ~= "" then note("run", self.bodies[stream]) end
  self:answer(stream, "")
end

--- Responds to the first `count` held requests and refuses the others, by GOAWAY. The client closes the
-- connection: if the server did, while frames of the client's arrive, the kernel would reset it, and the
-- client would lose the responses.
commands.goaway = once(function(self, _, count)
  self:forsake(count)
  for at = 1, count do self:answer(self.held[at], "") end
end)

--- The same without a response to the first `count`: the connection ends when another one has a request.
commands.lose = once(function(self, _, count)
  self:forsake(count)
  lost = self
end)

commands.refuse = once(function(self, stream)
  note("unrun", self.bodies[stream])
  self:reset(stream, REFUSED_STREAM)
end)

commands["always-refuse"] = function(self, stream)
  self:reset(stream, REFUSED_STREAM)
end

commands.reset = function(self, stream, code)
  note("run", self.bodies[stream])
  self:reset(stream, code)
end

commands["reset-close"] = function(self, stream, code)
  note("run", self.bodies[stream])
  self:reset(stream, code)
  self:close()
end

commands.close = function(self, stream)
  note("run", self.bodies[stream])
  self:close()
end

commands["close-next"] = once(function(self, stream) commands.close(self, stream) end)

function commands:garbage()
  self:frame(FRAME.HEADERS, END_HEADERS, 0, "\xff\xff")
end

function commands:quit(stream)
  self:answer(stream, "")
  ended = true
end

function connection:obey(stream)
  if lost and lost ~= self then
    lost:close()
    lost = nil
  end
  local name, argument = self.bodies[stream]:match "^([%a-]+) ?(%d*)"
  if name == "hold" and self.second then name = "run" end
  local command = commands[name] or commands.run
  command(self, stream, tonumber(argument))
end

local takes = {}

takes[FRAME.HEADERS] = function(self, flags, stream)
  self.bodies[stream] = ""
  if flags & END_STREAM ~= 0 then self:obey(stream) end
end

takes[FRAME.DATA] = function(self, flags, stream, payload)
  self.bodies[stream] = (self.bodies[stream] or "") .. payload
  if #payload > 0 then
    self:frame(FRAME.WINDOW, 0, 0, string.pack(">I4", #payload))
    self:frame(FRAME.WINDOW, 0, stream, string.pack(">I4", #payload))
  end
  if flags & END_STREAM ~= 0 then self:obey(stream) end
end

takes[FRAME.SETTINGS] = function(self, flags)
  if flags & ACK == 0 then self:frame(FRAME.SETTINGS, ACK, 0, "") end
end

takes[FRAME.PING] = function(self, flags, _, payload)
  if flags & ACK == 0 then self:frame(FRAME.PING, ACK, 0, payload) end
end

takes[FRAME.GOAWAY] = connection.close

function connection:take()
  while connections[self.tls] and #self.input >= 9 do
    local length, kind, flags, stream = string.unpack(">I3BBI4", self.input)
    if #self.input < 9 + length then return end
    local payload = self.input:sub(10, 9 + length)
    self.input = self.input:sub(10 + length)
    if takes[kind] then takes[kind](self, flags, stream, payload) end
  end
end

function connection:greet()
  if self.greeted or #self.input < PREFACE then return end
  self.greeted = true
  self.input = self.input:sub(PREFACE + 1)
end

-- Goes on with the handshake of TLS. True when it is done.
function connection:shake()
  if self.shaken then return true end
  local shaken, err = self.tls:dohandshake()
  if shaken then
    self.shaken, self.second = true, next(done) ~= nil
    self:frame(FRAME.SETTINGS, 0, 0, "")
  elseif not goesOn[err] then
    self:close()
  end
  return self.shaken
end

function connection:read()
  if not self:shake() then return end
  repeat
    local bytes, err, part = self.tls:receive(16384)
    self.input = self.input .. (bytes or part or "")
    self:greet()
    if self.greeted then self:take() end
    if err and not goesOn[err] and connections[self.tls] then self:close() end
  until not connections[self.tls] or (not bytes and (part or "") == "")
end

-- Waits for no client: one that does not go on would hold up the others.
local function accept(listener)
  local plain = listener:accept()
  if not plain then return end
  plain:settimeout(0)
  local tls = ssl.wrap(plain, context)
  if not tls then return end
  tls:settimeout(0)
  connections[tls] = setmetatable({ tls = tls, input = "", bodies = {}, held = {} }, connection)
end

local listener = assert(socket.bind("127.0.0.1", 0, 64))
print((select(2, listener:getsockname())))
io.stdout:flush()
while not ended do
  local watched = { listener }
  for tls in pairs(connections) do watched[#watched + 1] = tls end
  for _, ready in ipairs((socket.select(watched))) do
    if ready == listener then
      accept(listener)
    elseif connections[ready] then
      connections[ready]:read()
    end
  end
end
for _, line in ipairs(journal) do print(line) end
