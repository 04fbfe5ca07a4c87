--- Checks of arguments and of option tables, with messages that name what is wrong and what was expected.
--
-- A rule is a function: value -> true, or false and the words for what it takes.
local cjson = require "cjson"
local ascii = require "datasession.internal.ascii"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"
local math = require("datasession.internal.lua").math

local check = {}

--- Values of one type.
function check.is(wanted)
  return function(value) return type(value) == wanted, wanted end
end

--- Numbers from `from` to `to`, or without an end.
function check.number(from, to)
  local expected = to and ("number from %s to %s"):format(from, to) or ("number, %s or more"):format(from)
  return function(value)
    return type(value) == "number" and value >= from and value <= (to or math.maxinteger), expected
  end
end

--- The same for integers.
function check.integer(from, to)
  local expected = to and ("integer from %s to %s"):format(from, to) or ("integer, %s or more"):format(from)
  return function(value)
    local ok = type(value) == "number" and math.tointeger(value) ~= nil and value >= from
    return ok and value <= (to or 1e9), expected
  end
end

function check.oneOf(values)
  local expected = "one of " .. table.concat(values, ", ")
  return function(value)
    for _, allowed in ipairs(values) do
      if value == allowed then return true end
    end
    return false, expected
  end
end

--- Strings by name.
function check.texts(value)
  if type(value) ~= "table" then return false, "table of strings" end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then return false, "table of strings by name" end
  end
  return true
end

--- Strings that are not empty.
function check.name(value)
  return type(value) == "string" and value ~= "", "string that is not empty"
end

--- Lists of what may follow "Bearer" in a header.
function check.tokens(value)
  if type(value) ~= "table" then return false, "list of tokens" end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  for i = 1, count do
    local token = value[i]
    if type(token) ~= "string" or not token:find("^[%w._~+/-]+=*$") then return false, "list of tokens" end
  end
  return true
end

--- Lua patterns, as far as a match with their own text can tell.
function check.pattern(value)
  if type(value) ~= "string" then return false, "string" end
  return pcall(string.find, "", value) and pcall(string.find, value, value), "Lua pattern"
end

--- A header's value.
function check.line(value)
  return type(value) == "string" and value ~= "" and not value:find("[\r\n%z]"),
    "string that is not empty and has no line break"
end

local RESERVED = { ["content-length"] = true, ["transfer-encoding"] = true, connection = true }

--- Header lines by name, without those that the server itself has to set.
function check.headerLines(value)
  local ok, expected = check.texts(value)
  if not ok then return false, expected end
  for name, text in pairs(value) do
    if not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then return false, "names that are header names" end
    if not check.line(text) then return false, "values without line breaks, not empty" end
    if RESERVED[ascii.lower(name)] then return false, "no " .. name .. ", which the server sets" end
  end
  return true
end

--- True if a value is a table that makes a JSON object.
function check.isObject(value)
  if type(value) ~= "table" or not pcall(cjson.encode, value) then return false end
  for name in pairs(value) do
    if type(name) ~= "string" then return false end
  end
  return true
end

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or type(value) == "number" and value or type(value)
end

--- Raises when a value breaks a rule, at the caller of the public function: `level` counts as for `error`.
function check.value(what, rule, value, level)
  local ok, expected = rule(value)
  if not ok then raise(("bad %s: %s expected, got %s"):format(what, expected, show(value)), level + 1) end
end

local function refuseName(functionName, name, rules, level)
  local names = {}
  for known in pairs(rules) do names[#names + 1] = known end
  local nearest = suggest.nearest(name, names)
  raise(("unknown option '%s' for '%s'%s"):format(tostring(name), functionName,
    nearest and (": did you mean '%s'?"):format(nearest) or ""), level + 1)
end

--- The same for a table of options: each known to `rules`, and as its rule says.
function check.options(functionName, options, rules, level)
  if type(options) ~= "table" then
    raise(("bad argument to '%s': table expected, got %s"):format(functionName, show(options)), level + 1)
  end
  for name, value in pairs(options) do
    local rule = rules[name]
    if not rule then refuseName(functionName, name, rules, level + 1) end
    check.value(("option '%s' for '%s'"):format(name, functionName), rule, value, level + 1)
  end
end

return check
