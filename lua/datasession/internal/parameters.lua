--- The options `query` and `form` of requests: names with values, percent-encoded.

local codec = require "datasession.internal.codec"
local locale = require "datasession.internal.locale"
local mistake = require "datasession.internal.mistake"
local percent = require "datasession.internal.percent"

local concat, format = table.concat, string.format
local UNRESERVED = percent.UNRESERVED

local parameters = {}

local function fail(option, name, value)
  mistake(format("request: option '%s': '%s': expected a string, a number, a boolean or an array of these, "
    .. "got %s", option, tostring(name), value))
end

--- The text of one value of an option.
-- @return string. Raises for anything but a string, a number, a boolean and datasession.null
function parameters.text(option, name, value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "boolean" then return tostring(value) end
  if value == codec.null then return "" end
  if kind ~= "number" then fail(option, name, "a " .. kind) end
  local text = codec.encode(value)
  if not text then fail(option, name, value ~= value and "NaN" or "infinity") end
  return text
end

local function add(parts, option, name, value)
  if type(value) ~= "table" then
    local text = parameters.text(option, name, value)
    parts[#parts + 1] = percent.encode(name, UNRESERVED) .. "=" .. percent.encode(text, UNRESERVED)
    return
  end
  for i = 1, #value do
    if type(value[i]) == "table" then fail(option, name, "an array of tables") end
    add(parts, option, name, value[i])
  end
end

-- { { "a", 1 }, { "b", { 2, 3 } } }
local function addPairs(parts, option, list)
  for i = 1, #list do
    local pair = list[i]
    if type(pair) ~= "table" or type(pair[1]) ~= "string" then
      mistake(format("request: option '%s': element %d: expected { name, value }", option, i))
    end
    add(parts, option, pair[1], pair[2])
  end
end

-- { a = 1, b = { 2, 3 } }: by name, so that the same table always gives the same text.
local function addMembers(parts, option, members)
  local names = {}
  for name in pairs(members) do
    if type(name) ~= "string" then
      mistake(format("request: option '%s': expected names that are strings, got a %s", option, type(name)))
    end
    names[#names + 1] = name
  end
  table.sort(names, locale.before)
  for _, name in ipairs(names) do add(parts, option, name, members[name]) end
end

--- Writes parameters as a query or a form's body does.
-- @param option string, "query" or "form": for the messages
-- @param given table: values by name, which are written by name in alphabetical order; or an array of
--   { name, value } in the order to write. A value is a string, number or boolean, datasession.null for an
--   empty one, or an array of these, which repeats the name
-- @return string. Raises for anything else
function parameters.encode(option, given)
  if type(given) ~= "table" then
    mistake(format("request: option '%s': expected a table, got %s", option, type(given)))
  end
  local parts = {}
  local write = given[1] ~= nil and addPairs or addMembers
  write(parts, option, given)
  return concat(parts, "&")
end

--- The same, after a path or URI, which may have a query and a fragment.
-- @return string
function parameters.append(target, given)
  local query = parameters.encode("query", given)
  if query == "" then return target end
  local before, fragment = target:match "^([^#]*)(.*)$"
  return before .. (before:find("?", 1, true) and "&" or "?") .. query .. fragment
end

return parameters
