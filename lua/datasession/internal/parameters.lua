--- The options `query` and `form` of requests: names with values, percent-encoded.

local codec = require "datasession.internal.codec"
local locale = require "datasession.internal.locale"
local mistake = require "datasession.internal.mistake"
local percent = require "datasession.internal.percent"
local table = require("datasession.internal.lua").table

local concat, format = table.concat, string.format
local UNRESERVED = percent.UNRESERVED

local parameters = {}

local function fail(option, name, value)
  mistake(format("%s: '%s': expected a string, a number, a boolean or an array of these, got %s", option,
    tostring(name), value))
end

--- The text of one value.
-- @param option string, for messages: "request: option 'form'"
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
      mistake(format("%s: element %d: expected { name, value }", option, i))
    end
    add(parts, option, pair[1], pair[2])
  end
end

-- { a = 1, b = { 2, 3 } }: by name, so that the same table always gives the same text.
local function addMembers(parts, option, members)
  local names = {}
  for name in pairs(members) do
    if type(name) ~= "string" then
      mistake(format("%s: expected names that are strings, got a %s", option, type(name)))
    end
    names[#names + 1] = name
  end
  table.sort(names, locale.before)
  for _, name in ipairs(names) do add(parts, option, name, members[name]) end
end

-- The parameters, each as "name=value", in the order to write.
local function list(option, given)
  if type(given) ~= "table" then mistake(format("%s: expected a table, got %s", option, type(given))) end
  local parts = {}
  local write = given[1] ~= nil and addPairs or addMembers
  write(parts, option, given)
  return parts
end

--- Writes parameters as a query or a form's body does.
-- @param option string, for messages: "request: option 'form'"
-- @param given table: values by name, which are written by name in alphabetical order; or an array of
--   { name, value } in the order to write. A value is a string, number or boolean, datasession.null for an
--   empty one, or an array of these, which repeats the name
-- @return string. Raises for anything else
function parameters.encode(option, given) return concat(list(option, given), "&") end

--- The parameters as they are now, for parameters.append.
-- @return array of strings, "name=value". Raises as parameters.encode does
parameters.copy = list

-- The defaults whose names are neither in the target's query nor among the parts, before the parts.
local function join(target, defaults, parts)
  local given, joined = {}, {}
  for name in (target:match "%?([^#]*)" or ""):gmatch "([^&=]+)[^&]*" do given[name] = true end
  for _, part in ipairs(parts) do given[part:match "^[^=]*"] = true end
  for _, part in ipairs(defaults) do
    if not given[part:match "^[^=]*"] then joined[#joined + 1] = part end
  end
  return table.move(parts, 1, #parts, #joined + 1, joined)
end

--- Writes a request's query after a path or URI, which may have a query and a fragment.
-- @param given table, as for parameters.encode, or nil
-- @param defaults array of parameters.copy, or nil: those of other names are written first
-- @return string
function parameters.append(target, given, defaults)
  local parts = given == nil and {} or list("request: option 'query'", given)
  local query = concat(defaults and join(target, defaults, parts) or parts, "&")
  if query == "" then return target end
  local before, fragment = target:match "^([^#]*)(.*)$"
  return before .. (before:find("?", 1, true) and "&" or "?") .. query .. fragment
end

return parameters
