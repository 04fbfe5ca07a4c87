--- Where-expressions of ABL, as data requests carry them: `Name BEGINS "A" AND (CustNum >= 3 OR NOT
-- Active)`.
--
-- Known: = <> < > <= >= and their letters (EQ NE LT GT LE GE), BEGINS, MATCHES, AND, OR, NOT,
-- parentheses, INDEX(a, b), DATE(m, d, y), DATETIME(m, d, y, h, mi, s, ms), DATETIME-TZ(..., zone
-- in minutes), strings, numbers, TRUE, FALSE, YES, NO, and ? for the unknown value. Strings compare
-- without case. Dates compare as ISO text.
local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"

local abl = {}

local NULL = json.null

-- A mistake in the expression: what the data request reports.
local function fail(message, number)
  error({ message = message, number = number or 247 }, 0)
end

-- ---- words

local function readString(text, at)
  local quote, parts = text:sub(at, at), {}
  at = at + 1
  while true do
    local char = text:sub(at, at)
    if char == "" then fail("The string has no closing quote", 134) end
    if char == "~" then
      at = at + 1
      char = text:sub(at, at)
    elseif char == quote then
      if text:sub(at + 1, at + 1) ~= quote then return table.concat(parts), at + 1 end
      at = at + 1 -- twice is once
    end
    parts[#parts + 1] = char
    at = at + 1
  end
end

-- Returns the token and where the next one starts. A token: { kind, value }.
local function readToken(text, at)
  local char = text:sub(at, at)
  if char == "\"" or char == "'" then
    local value, after = readString(text, at)
    return { kind = "value", value = value }, after
  end
  local number = text:match("^%d+%.?%d*", at)
  if number then return { kind = "value", value = tonumber(number) }, at + #number end
  local word = text:match("^[%a_][%w_.-]*", at)
  if word then return { kind = "word", value = word }, at + #word end
  local sign = text:match("^[<>]=", at) or text:match("^<>", at) or text:match("^[=<>(),?-]", at)
  if sign then return { kind = "sign", value = sign }, at + #sign end
  fail(("Unable to understand after -- \"%s\""):format(text:sub(1, at - 1)))
end

local function tokenize(text)
  local tokens, at = {}, text:find("%S") or #text + 1
  while at <= #text do
    tokens[#tokens + 1], at = readToken(text, at)
    at = text:find("%S", at) or #text + 1
  end
  return tokens
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
    .. ("%s%02d:%02d"):format(zone < 0 and "-" or "+", math.abs(zone) // 60, math.abs(zone) % 60)
end

-- ---- the parser: each function returns f(record) -> value

local Parser = {}
Parser.__index = Parser

function Parser:peek(kind, value)
  local token = self.tokens[self.at]
  if token and token.kind == kind and (value == nil or ascii.upper(token.value) == value) then return token end
end

function Parser:accept(kind, value)
  local token = self:peek(kind, value)
  if token then self.at = self.at + 1 end
  return token
end

function Parser:expect(kind, value)
  return self:accept(kind, value) or fail(("Unable to understand: %s expected"):format(value or kind))
end

function Parser:call(name)
  local apply, arguments = functions[name], {}
  while not self:accept("sign", ")") do
    if #arguments > 0 then self:expect("sign", ",") end
    arguments[#arguments + 1] = self:operand()
  end
  return function(record)
    local values = {}
    for i, argument in ipairs(arguments) do values[i] = argument(record) end
    local ok, value = pcall(apply, table.unpack(values))
    return ok and value or fail("The arguments of " .. name .. " are not what it takes")
  end
end

function Parser:field(name)
  local field = self.fields[ascii.lower(name:match("[^.]*$"))]
  if not field then fail(("Unknown field or variable name - %s."):format(name), 201) end
  return function(record) return record[field] end
end

function Parser:word(name)
  local upper = ascii.upper(name)
  if functions[upper] and self:accept("sign", "(") then return self:call(upper) end
  local constant = constants[upper]
  if constant ~= nil then return function() return constant end end
  return self:field(name)
end

function Parser:operand()
  local sign = self:accept("sign", "-") and -1 or 1
  local token = self.tokens[self.at]
  self.at = self.at + 1
  if token and token.kind == "value" then
    local value = token.value
    if sign < 0 then value = -(tonumber(value) or fail("A number is expected after -")) end
    return function() return value end
  elseif token and token.kind == "sign" and token.value == "?" then
    return function() return NULL end
  elseif token and token.kind == "word" then
    return self:word(token.value)
  end
  fail("Unable to understand: a value is expected")
end

function Parser:operator()
  local token = self:peek("sign") or self:peek("word")
  local operator = token and operators[ascii.upper(token.value)]
  if operator then self.at = self.at + 1 end
  return operator
end

function Parser:comparison()
  if self:accept("word", "NOT") then
    local inner = self:comparison()
    return function(record) return not inner(record) end
  elseif self:accept("sign", "(") then
    local inner = self:disjunction()
    self:expect("sign", ")")
    return inner
  end
  local left, operator = self:operand(), self:operator()
  if not operator then return function(record) return left(record) == true end end
  self.compares = true
  local right = self:operand()
  return function(record) return operator(left(record), right(record)) end
end

function Parser:conjunction()
  local left = self:comparison()
  while self:accept("word", "AND") do
    local a, b = left, self:comparison()
    left = function(record) return a(record) and b(record) end
  end
  return left
end

function Parser:disjunction()
  local left = self:conjunction()
  while self:accept("word", "OR") do
    local a, b = left, self:conjunction()
    left = function(record) return a(record) or b(record) end
  end
  return left
end

--- The test that a where-expression stands for, `test(record) -> boolean`, and whether it compares
-- anything (a lone word does not). `fields` has the fields' names by lower-case name. Raises {
-- message, number }, as the test may.
function abl.compile(text, fields)
  local parser = setmetatable({ tokens = tokenize(text), at = 1, fields = fields, compares = false }, Parser)
  parser:accept("word", "WHERE")
  local test = parser:disjunction()
  if parser.at <= #parser.tokens then fail("Unable to understand what follows the expression") end
  return test, parser.compares
end

return abl
