--- Where-expressions of ABL, as data requests carry them: `Name BEGINS "A" AND (CustNum >= 3 OR NOT
-- Active)`.
--
-- Known: = <> < > <= >= and their letters (EQ NE LT GT LE GE), BEGINS, MATCHES, AND, OR, NOT,
-- parentheses, INDEX(a, b), DATE(m, d, y), DATETIME(m, d, y, h, mi, s, ms), DATETIME-TZ(..., zone
-- in minutes), strings, numbers, TRUE, FALSE, YES, NO, elements of arrays
-- (Sales[2]), and ? for the unknown value. Strings compare without case. Dates compare as ISO text.
local lpeg = require "lpeg"
local table = require("datasession.internal.lua").table

local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"

local abl = {}

local NULL = json.null

-- A mistake in the expression: what the data request reports.
local function fail(message, number)
  error({ message = message, number = number or 247 }, 0)
end

-- ---- values

local function fold(value)
  return type(value) == "string" and ascii.lower(value) or value
end

local function isUnknown(value)
  return value == nil or value == NULL
end

-- Neither side is unknown.
local function checkTypes(a, b)
  if type(a) ~= type(b) then fail("Incompatible data types in expression or assignment.", 223) end
end

local function equal(a, b)
  if isUnknown(a) or isUnknown(b) then return isUnknown(a) and isUnknown(b) end
  checkTypes(a, b)
  return fold(a) == fold(b)
end

-- An order is false as soon as one side is unknown.
local function ordered(compare)
  return function(a, b)
    if isUnknown(a) or isUnknown(b) then return false end
    checkTypes(a, b)
    if type(a) == "boolean" then return compare(a and 1 or 0, b and 1 or 0) end
    return compare(fold(a), fold(b))
  end
end

local function texts(test)
  return function(a, b)
    if isUnknown(a) or isUnknown(b) then return false end
    return test(ascii.lower(tostring(a)), ascii.lower(tostring(b)))
  end
end

-- `*` stands for any text, `.` for one character, `~` takes the meaning from the next.
local function matches(text, pattern)
  local translated = pattern:gsub("~?.", function(piece)
    if piece == "*" then return ".*" elseif piece == "." then return "." end
    return (piece:sub(-1):gsub("%W", "%%%0"))
  end)
  return text:find("^" .. translated .. "$") ~= nil
end

local operators = {
  ["="] = equal,
  ["<>"] = function(a, b) return not equal(a, b) end,
  ["<"] = ordered(function(a, b) return a < b end),
  [">"] = ordered(function(a, b) return a > b end),
  ["<="] = ordered(function(a, b) return a <= b end),
  [">="] = ordered(function(a, b) return a >= b end),
  BEGINS = texts(function(a, b) return a:sub(1, #b) == b end),
  MATCHES = texts(matches),
}
for name, sign in pairs { EQ = "=", NE = "<>", LT = "<", GT = ">", LE = "<=", GE = ">=" } do
  operators[name] = operators[sign]
end

local constants = { TRUE = true, YES = true, FALSE = false, NO = false }

local functions = {
  INDEX = function(text, part)
    if isUnknown(text) or isUnknown(part) then return NULL end
    return ascii.lower(tostring(text)):find(ascii.lower(tostring(part)), 1, true) or 0
  end,
  DATE = function(month, day, year)
    return ("%04d-%02d-%02d"):format(year, month, day)
  end,
  DATETIME = function(month, day, year, hour, minute, second, millisecond)
    return ("%04d-%02d-%02dT%02d:%02d:%02d.%03d"):format(
      year, month, day, hour or 0, minute or 0, second or 0, millisecond or 0)
  end,
}

functions["DATETIME-TZ"] = function(month, day, year, hour, minute, second, millisecond, zone)
  zone = zone or 0
  return functions.DATETIME(month, day, year, hour, minute, second, millisecond)
    .. ("%s%02d:%02d"):format(zone < 0 and "-" or "+", math.floor(math.abs(zone) / 60), math.abs(zone) % 60)
end

-- ---- the grammar: each rule captures f(record) -> value

local function constant(value)
  return function() return value end
end

local function negation(test)
  return function(record) return not test(record) end
end

local function isTrue(operand)
  return function(record) return operand(record) == true end
end

local function both(a, b)
  return function(record) return a(record) and b(record) end
end

local function either(a, b)
  return function(record) return a(record) or b(record) end
end

-- Captured with the state { fields, compares }, which the match got as an argument.
local function comparison(state, left, name, right)
  state.compares = true
  local operator = operators[ascii.upper(name)]
  return function(record) return operator(left(record), right(record)) end
end

local function call(name, ...)
  local apply, arguments = functions[ascii.upper(name)], { ... }
  return function(record)
    local values = {}
    for i, argument in ipairs(arguments) do values[i] = argument(record) end
    local ok, value = pcall(apply, table.unpack(values))
    return ok and value or fail("The arguments of " .. ascii.upper(name) .. " are not what it takes")
  end
end

local function word(state, name)
  local known = constants[ascii.upper(name)]
  if known ~= nil then return constant(known) end
  local field = state.fields[ascii.lower(name:match("[^.]*$"))]
  if not field then fail(("Unknown field or variable name - %s."):format(name), 201) end
  return function(record) return record[field] end
end

local function element(state, name, index)
  local list = word(state, name)
  return function(record)
    local values = list(record)
    if type(values) ~= "table" then fail(("%s is not an array."):format(name)) end
    return values[index]
  end
end

local grammar
do
  local P, R, S, V = lpeg.P, lpeg.R, lpeg.S, lpeg.V
  local C, Carg, Cc, Cf, Cg, Cs = lpeg.C, lpeg.Carg, lpeg.Cc, lpeg.Cf, lpeg.Cg, lpeg.Cs
  local space = S " \t\r\n\f\v" ^ 0
  local letter = R("az", "AZ") + "_"
  local inWord = letter + R "09" + S ".-"

  local function sign(text) return P(text) * space end

  -- A word of the language, in any case, and no longer word's beginning.
  local function keyword(text)
    local pattern = P(true)
    for char in text:gmatch "." do pattern = pattern * S(ascii.lower(char) .. ascii.upper(char)) end
    return pattern * -inWord * space
  end

  local function anyOf(names)
    local pattern = P(false)
    for name in pairs(names) do
      if name:find "%a" then pattern = pattern + C(keyword(name)) / function(s) return (s:gsub("%s+$", ""))
        end end
    end
    return pattern
  end

  local function expected(what)
    return P(function(_, at) fail(("Unable to understand: %s expected, at character %d"):format(what, at))
      end)
  end

  -- `~` takes the meaning from the next character; a quote twice is one.
  local function quoted(quote)
    local char = P "~" / "" * P(1) + P(quote .. quote) / quote + (P(1) - quote - "~")
    local open = P(function() fail("The string has no closing quote", 134) end)
    return P(quote) * Cs(char ^ 0) * (P(quote) + open) * space / constant
  end

  local number = C(R "09" ^ 1 * (P "." * R "09" ^ 0) ^ -1) * space / tonumber
  local name = C(letter * inWord ^ 0) * space
  local compare = (C(P "<>" + "<=" + ">=" + S "=<>") * space) + anyOf(operators)

  grammar = P {
    space * keyword "WHERE" ^ -1 * V "any"
      * (P(-1) + P(function() fail "Unable to understand what follows the expression" end)),
    any = Cf(V "all" * (keyword "OR" * V "all") ^ 0, either),
    all = Cf(V "one" * (keyword "AND" * V "one") ^ 0, both),
    one = keyword "NOT" * V "one" / negation
      + sign "(" * V "any" * (sign ")" + expected ")")
      + Cg(Carg(1) * V "operand" * compare * (V "operand" + expected "a value")) / comparison
      + V "operand" / isTrue
      + expected "a value",
    operand = quoted "\"" + quoted "'" + number / constant
      + sign "-" * (number / function(n) return constant(-n) end + expected "a number")
      + sign "?" * Cc(NULL) / constant
      + anyOf(functions) * sign "(" * V "arguments" * (sign ")" + expected ")") / call
      + Cg(Carg(1) * name * sign "[" * number * (sign "]" + expected "]")) / element
      + Cg(Carg(1) * name) / word,
    arguments = (V "operand" * (sign "," * V "operand") ^ 0) ^ -1,
  }
end

--- The test that a where-expression stands for, `test(record) -> boolean`, and whether it compares
-- anything (a lone word does not). `fields` has the fields' names by lower-case name. Raises {
-- message, number }, as the test may.
function abl.compile(text, fields)
  local state = { fields = fields, compares = false }
  return grammar:match(text, 1, state), state.compares
end

return abl
