--- JSON taken apart as text, so that what a client sent can be told byte for byte: neither the digits of
-- a number nor the difference between {} and [] is lost.
local cjson = require "cjson"

local locale = require "datasession.internal.locale"
local safe = require "cjson.safe"

local strict = cjson.new()
strict.decode_invalid_numbers(false)

local jsontext = {}

--- The text without the white space around it; nil and a message when it is not JSON. The functions
-- below take such a text alone.
function jsontext.check(text)
  assert(locale.settle(safe, cjson))
  local ok, message = pcall(strict.decode, text)
  if ok then return text:match("^%s*(.-)%s*$") end
  return nil, message
end

-- Where the string that starts at `at` ends.
local function endOfString(text, at)
  at = text:find('["\\]', at + 1)
  while text:sub(at, at) == "\\" do at = text:find('["\\]', at + 2) end
  return at
end

-- Where the value that starts at `at` ends.
local function endOfValue(text, at)
  local depth = 0
  while true do
    local first = text:sub(at, at)
    if first == '"' then at = endOfString(text, at)
    elseif first:find("[%[{]") then depth = depth + 1
    elseif first:find("[%]}]") then depth = depth - 1
    elseif depth == 0 then return text:match("^[^%s,%]}]+()", at) - 1
    end
    if depth == 0 then return at end
    at = text:find('["%[%]{}]', at + 1)
  end
end

function jsontext.isArray(text)
  return text:sub(1, 1) == "["
end

function jsontext.isObject(text)
  return text:sub(1, 1) == "{"
end

--- The texts of an array's elements.
function jsontext.elements(text)
  local list, at = {}, text:find("%S", 2)
  while at < #text do
    local last = endOfValue(text, at)
    list[#list + 1] = text:sub(at, last)
    at = text:find("[^%s,]", last + 1)
  end
  return list
end

--- The members of an object, in order: { name, text of the value } each.
function jsontext.members(text)
  local list, at = {}, text:find("%S", 2)
  while at < #text do
    local nameEnd = endOfString(text, at)
    local start = text:find("[^%s:]", nameEnd + 1)
    local last = endOfValue(text, start)
    list[#list + 1] = { cjson.decode(text:sub(at, nameEnd)), text:sub(start, last) }
    at = text:find("[^%s,]", last + 1)
  end
  return list
end

return jsontext
