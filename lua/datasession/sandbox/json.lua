--- JSON as the sandbox writes it: the keys of an object in an order that never changes, so that a
-- document is the same bytes each time, and an empty list a list. Reading, and all scalars, are
-- lua-cjson's.
local cjson = require "cjson"
local locale = require "datasession.internal.locale"
local safe = require "cjson.safe"
local utf8 = require("datasession.internal.lua").utf8

local json = { null = cjson.null }

local LIST, ORDERED, PLAIN = {}, {}, {}

--- Marks a table as a list, so that it is one when it is empty too. Returns it.
function json.list(values)
  return setmetatable(values, LIST)
end

--- An object whose keys keep the order given: `ordered{ { key, value }, ... }`.
function json.ordered(pairs_)
  return setmetatable(pairs_, ORDERED)
end

--- Marks a table that holds no empty list: lua-cjson writes it whole, fast and in any order. Returns it.
function json.plain(value)
  return setmetatable(value, PLAIN)
end

local encode

local function encodeString(text)
  local encoded = cjson.encode(text)
  return encoded:find("\\/", 1, true) and encoded:gsub("\\/", "/") or encoded
end

local function encodeList(values)
  local parts = {}
  for i, value in ipairs(values) do parts[i] = encode(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encodeOrdered(members)
  local parts = {}
  for i, member in ipairs(members) do parts[i] = encodeString(member[1]) .. ":" .. encode(member[2]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function encodeObject(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names, locale.before)
  for i, name in ipairs(names) do parts[i] = encodeString(name) .. ":" .. encode(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if type(value) == "string" then return encodeString(value) end
  local mark = getmetatable(value)
  if type(value) ~= "table" or mark == PLAIN then return cjson.encode(value) end
  if mark == ORDERED then return encodeOrdered(value) end
  if mark == LIST or value[1] ~= nil then return encodeList(value) end
  return encodeObject(value)
end

--- The JSON text of a value. A table is a list when it has a first element or was marked as one.
function json.encode(value)
  assert(locale.settle(safe, cjson))
  return encode(value)
end

--- The value of a JSON text; nil and a message when it is not JSON. `null` becomes json.null.
function json.decode(text)
  assert(locale.settle(safe, cjson))
  local ok, value = pcall(cjson.decode, text)
  if ok then return value end
  return nil, value
end

--- The JSON of a value in ASCII alone, as a header needs it.
function json.encodeASCII(value)
  return (json.encode(value):gsub(utf8.charpattern, function(char)
    local code = utf8.len(char) and utf8.codepoint(char) or 0
    if code < 0x80 then return nil end -- stays as it is, as do bytes that are no UTF-8
    if code < 0x10000 then return ("\\u%04x"):format(code) end
    code = code - 0x10000
    return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 0x400), 0xDC00 + code % 0x400)
  end))
end

return json
