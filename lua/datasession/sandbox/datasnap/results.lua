--- The results of a method: values, each the text of a JSON value or a stream.
local json = require "datasession.sandbox.json"
local jsontext = require "datasession.sandbox.datasnap.jsontext"

local results = {}

local Stream = {}

--- A stream of bytes.
function results.stream(bytes)
  return setmetatable({ bytes = bytes }, Stream)
end

function results.isStream(value)
  return getmetatable(value) == Stream
end

local Later = {}

--- The results of a method that waits.
-- @param ready function: returns them, a list; or nil and the seconds after which it is called again, if
--   nothing wakes it before; or results.BROKEN
function results.later(ready)
  return setmetatable({ ready = ready }, Later)
end

function results.isLater(value)
  return getmetatable(value) == Later
end

--- In place of results: the connection is reset.
results.BROKEN = {}

--- Raises what makes a method fail.
-- @param status of the answer, in place of 500
function results.fail(message, status)
  error({ message = message, status = status }, 0)
end

--- Whether a value is one that the cache takes: a stream, an object, an array.
function results.isComplex(value)
  return results.isStream(value) or jsontext.isArray(value) or jsontext.isObject(value)
end

--- The JSON of a value; of a stream, the list of its bytes.
function results.toJSON(value)
  if not results.isStream(value) then return value end
  local bytes = value.bytes:gsub(".", function(c) return c:byte() .. "," end)
  return "[" .. bytes:sub(1, -2) .. "]"
end

--- The JSON of a list of values.
function results.list(values)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = results.toJSON(value) end
  return "[" .. table.concat(texts, ",") .. "]"
end

--- The JSON of an object with one member, whose value is JSON already.
function results.wrap(name, text)
  return "{" .. json.encode(name) .. ":" .. text .. "}"
end

function results.error(message)
  return results.wrap("error", json.encode(message))
end

return results
