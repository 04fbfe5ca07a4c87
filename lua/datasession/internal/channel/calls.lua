--- The calls of a DataSnap server's class DSAdmin that concern callback channels. Each returns a promise.

local core = require "datasession.core"

local calls = {}

local CLASS = "DSAdmin"

-- The results are a list, whose last one is the method's own.
local function lastOf(results)
  return type(results) == "table" and results[#results] or nil
end

local function get(channel, method, ...)
  return channel.session:invoke(CLASS, method, { ... }):next(lastOf)
end

-- Delphi's comma text: names with a comma, a blank or a quote stand in quotes.
local function commaText(names)
  local texts = {}
  for i, name in ipairs(names) do
    texts[i] = name:find '[%s,"]' and '"' .. name:gsub('"', '""') .. '"' or name
  end
  return table.concat(texts, ",")
end

--- Opens the channel with its first callback. The promise gives the first message.
function calls.open(channel, callback)
  return get(channel, "ConsumeClientChannel", channel.serverChannel, channel.id, callback.id,
    commaText(callback.names), channel.token, "")
end

--- Answers the last message and waits for the next one, which the promise gives. Raises for a value that JSON
-- cannot hold.
function calls.answer(channel, value)
  return core.hang(channel.session, CLASS, "ConsumeClientChannel",
    { "", channel.id, "", "", channel.token, value })
end

function calls.close(channel) return get(channel, "CloseClientChannel", channel.id, channel.token) end

function calls.register(channel, callback)
  return get(channel, "RegisterClientCallbackServer", channel.id, callback.id, commaText(callback.names),
    channel.token)
end

function calls.unregister(channel, id)
  return get(channel, "UnregisterClientCallback", channel.id, id, channel.token)
end

--- Sends a message. The method's name stands in quotes, so that the server adds no prefix for POST.
-- @return a promise of the list of results; or nil and a message: no request can hold these values
function calls.send(channel, method, values, timeout)
  local session = channel.session
  local ok, promise = pcall(session.invoke, session, CLASS, '"' .. method .. '"', values,
    { verb = "POST", timeout = timeout })
  if ok then return promise end
  return nil, (tostring(promise):gsub("^invoke: ", ""))
end

return calls
