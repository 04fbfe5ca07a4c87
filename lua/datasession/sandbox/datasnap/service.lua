--- The classes that can be called: TStock, a small store; TEcho, which shows how calls arrive and what
-- answers look like; DSAdmin.
--
-- A method is a table: `run(service, parameters, session)`, which gets and returns JSON texts (or streams,
-- or results.later, see results.lua); `inputs`, how many parameters it takes (nil: any number); `outputs`,
-- the names of what it returns, where they matter; `only`, the one user who may run it; `silent`, whether
-- its answer has no body.
local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"
local results = require "datasession.sandbox.datasnap.results"
local math = require("datasession.internal.lua").math

local STREAM_LIMIT = 16 * 1024 * 1024 -- bytes

local fail = results.fail

local function valueOf(text)
  local value = json.decode(text)
  return value ~= json.null and value or nil
end

-- Numbers are text too: what the path made a number may have been meant for a name.
local function textOf(text)
  local value = valueOf(text)
  return type(value) == "string" and value or value ~= nil and text or ""
end

local function count(text, default, limit)
  local value = valueOf(text)
  if value == nil then return default end
  local integer = type(value) == "number" and math.tointeger(value)
  if not integer or integer < 0 or integer > limit then
    fail(("%s is not a number from 0 to %d"):format(text, limit))
  end
  return integer
end

local methods = {}

-- ---- TStock

--- Level(sku, n): how many there are of an item when n are taken.
methods["TStock.Level"] = { inputs = 2, run = function(service, parameters)
  local level = service.levels[textOf(parameters[1])] or 0
  return json.encode(math.max(level - count(parameters[2], 0, 1000000), 0))
end }

--- acceptItem(sku, level): sets it. Whether the item is new.
methods["TStock.acceptItem"] = { inputs = 2, run = function(service, parameters)
  local sku = textOf(parameters[1])
  local isNew = service.levels[sku] == nil
  service.levels[sku] = count(parameters[2], 0, 1000000)
  return json.encode(isNew)
end }

--- cancelItem(sku): takes the item out. Whether there was one.
methods["TStock.cancelItem"] = { inputs = 1, run = function(service, parameters)
  local sku = textOf(parameters[1])
  local level = service.levels[sku]
  service.levels[sku] = nil
  return json.encode(level ~= nil)
end }

--- updateOrder(channel, item, count, note): takes an order.
methods["TStock.updateOrder"] = { inputs = 4, run = function(service, parameters)
  table.insert(service.orders, results.list(parameters))
  return "true"
end }

--- Orders(): those that were taken, as lists of their four parameters.
methods["TStock.Orders"] = { inputs = 0, run = function(service)
  return results.list(service.orders)
end }

--- updatePrice(sku, price).
methods["TStock.updatePrice"] = { inputs = 2, only = "admin", run = function(service, parameters)
  service.prices[textOf(parameters[1])] = parameters[2]
  return "true"
end }

--- Price(sku): null when there is none.
methods["TStock.Price"] = { inputs = 1, run = function(service, parameters)
  return service.prices[textOf(parameters[1])] or "null"
end }

-- ---- TEcho

-- Echo(...), for each verb: the list of what it got.
for _, name in ipairs { "Echo", "acceptEcho", "updateEcho", "cancelEcho" } do
  methods["TEcho." .. name] = { run = function(_, parameters) return results.list(parameters) end }
end

--- Pair(a, b): the list of both.
methods["TEcho.Pair"] = { inputs = 2, run = methods["TEcho.Echo"].run }

--- Fail(message): raises it.
methods["TEcho.Fail"] = { inputs = 1, run = function(_, parameters)
  local message = textOf(parameters[1])
  fail(message ~= "" and message or "TEcho.Fail failed")
end }

--- Forbid(message): the same with the status 403.
methods["TEcho.Forbid"] = { inputs = 1, run = function(_, parameters)
  fail(textOf(parameters[1]), 403)
end }

--- Out(text): out upper, out length; the text.
methods["TEcho.Out"] = { inputs = 1, outputs = { "Upper", "Length", "ReturnValue" },
  run = function(_, parameters)
  local text = textOf(parameters[1])
  return json.encode(ascii.upper(text)), json.encode(#text), json.encode(text)
end }

-- The bytes 0, 1, 2, ..., 255, 0, ...
local function bytes(n)
  local all = {}
  for i = 0, 255 do all[i + 1] = string.char(i) end
  return table.concat(all):rep(math.floor(n / 256) + 1):sub(1, n)
end

--- Stream(n = 256): so many bytes.
methods["TEcho.Stream"] = { inputs = 1, outputs = { "ReturnValue" }, run = function(_, parameters)
  return results.stream(bytes(count(parameters[1], 256, STREAM_LIMIT)))
end }

--- updateStream(stream): its bytes as a stream.
methods["TEcho.updateStream"] = { inputs = 1, outputs = { "ReturnValue" }, run = function(_, parameters)
  local list = valueOf(parameters[1])
  if list == nil then return results.stream "" end
  if type(list) ~= "table" then fail "updateStream: the parameter is no list of bytes" end
  local all = {}
  for i, byte in ipairs(list) do
    local integer = type(byte) == "number" and math.tointeger(byte)
    if not integer or integer < 0 or integer > 255 then
      fail "updateStream: the parameter is no list of bytes"
    end
    all[i] = string.char(integer)
  end
  return results.stream(table.concat(all))
end }

--- Empty(): an answer without a body.
methods["TEcho.Empty"] = { inputs = 0, silent = true, run = function() end }

--- Table(n = 2): out count, out rows (an object of columns), out n bytes as a stream; the list of names.
methods["TEcho.Table"] = {
  inputs = 1, outputs = { "Count", "Rows", "Bytes", "ReturnValue" },
  run = function(_, parameters)
    local n = count(parameters[1], 2, 10000)
    local names, numbers = json.list {}, json.list {}
    for i = 1, n do names[i], numbers[i] = "row " .. i, i end
    return json.encode(n), json.encode { name = names, number = numbers }, results.stream(bytes(n)),
      json.encode(names)
  end,
}

--- Close(): ends the session after its answer.
methods["TEcho.Close"] = { inputs = 0, run = function(_, _, session)
  session.closing = true
  return "true"
end }

--- Count(): how often it has been run, this time included.
methods["TEcho.Count"] = { inputs = 0, run = function(service)
  return json.encode(service.calls["TEcho.Count"])
end }

-- ---- DSAdmin

methods["DSAdmin.GetPlatformName"] = { inputs = 0, run = function() return json.encode(_VERSION) end }
methods["DSAdmin.GetDSServerName"] = { inputs = 0,
  run = function() return json.encode("datasession sandbox") end }

-- call(service.channels, texts, ...): a method of channels.lua.
local function channelMethod(name, inputs, call)
  methods["DSAdmin." .. name] = { inputs = inputs, run = function(service, parameters, session)
    local texts = {}
    for i, text in ipairs(parameters) do texts[i] = textOf(text) end
    return call(service.channels, texts, parameters, session)
  end }
end

local function callOf(texts)
  return { name = texts[1], id = texts[2], callback = texts[3], names = texts[4], token = texts[5] }
end

channelMethod("ConsumeClientChannel", 6, function(channels, texts, values, session)
  return channels:consume(callOf(texts), values[6], session)
end)

channelMethod("ConsumeClientChannelTimeout", 7, function(channels, texts, values, session)
  local seconds = valueOf(values[6])
  if type(seconds) ~= "number" then fail(values[6] .. " is not a number of seconds") end
  return channels:consume(callOf(texts), values[7], session, seconds)
end)

channelMethod("CloseClientChannel", 2, function(channels, texts)
  return json.encode(channels:closeOwn(texts[1], texts[2]))
end)

channelMethod("RegisterClientCallbackServer", 4, function(channels, texts)
  return json.encode(channels:register(texts[1], texts[2], texts[3], texts[4]))
end)

channelMethod("UnregisterClientCallback", 3, function(channels, texts)
  return json.encode(channels:unregister(texts[1], texts[2], texts[3]))
end)

for name, isObject in pairs { BroadcastToChannel = false, BroadcastObjectToChannel = true } do
  channelMethod(name, 2, function(channels, texts, values)
    return json.encode(channels:broadcast(texts[1], values[2], isObject))
  end)
end

for name, isObject in pairs { NotifyCallback = false, NotifyObject = true } do
  channelMethod(name, 3, function(channels, texts, values)
    return channels:notify(texts[1], texts[2], values[3], isObject)
  end)
end

local classes = {}
for name in pairs(methods) do classes[name:match("^[^.]*")] = true end

-- ---- the service

local Service = {}
Service.__index = Service

--- `calls`: how often each method was run, by "Class.Method".
-- @param channels see channels.lua
local function new(channels)
  return setmetatable({
    levels = { ["A/7"] = 44 }, prices = {}, orders = {}, calls = {}, channels = channels,
  }, Service)
end

local function find(name)
  local class = name:match("^[^.]*")
  return methods[name] or fail(classes[class] and "There is no method " .. name or
    "There is no class " .. class)
end

local function complete(name, method, parameters)
  if not method.inputs then return end
  if #parameters > method.inputs then
    fail(("%s takes %d parameters, not %d"):format(name, method.inputs, #parameters))
  end
  for i = #parameters + 1, method.inputs do parameters[i] = "null" end
end

-- Raises the client's mistakes before it counts the method.
local function call(self, name, parameters, session)
  local method = find(name)
  if method.only and session.user ~= method.only then
    fail(("%s may not run %s"):format(session.user or "anonymous", name))
  end
  complete(name, method, parameters)
  self.calls[name] = (self.calls[name] or 0) + 1
  return { method.run(self, parameters, session) }, method
end

--- Runs "Class.Method" in a session. Returns the list of its results and the method; nil and
-- { message, status } when it cannot be run, or failed.
function Service:try(name, parameters, session)
  local ok, outcome, method = pcall(call, self, name, parameters, session)
  if ok then return outcome, method end
  if type(outcome) ~= "table" then error(outcome, 0) end
  return nil, outcome
end

return { new = new }
