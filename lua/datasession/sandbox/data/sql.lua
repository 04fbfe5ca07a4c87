--- SQL queries, as the JSON Filter Pattern writes them: `SELECT * FROM ttItem WHERE Price > 5 AND ItemName
-- LIKE 'a%'`. Known: = <> != < > <= >=, [NOT] LIKE with ESCAPE, IS [NOT] NULL, AND, OR, NOT, parentheses,
-- strings (a quote twice is one), numbers, TRUE, FALSE. As SQL has it, a comparison with NULL is never true;
-- texts compare without case.
local lpeg = require "lpeg"

local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"

local NULL = json.null

local sql = {}

local function fail(message)
  error({ message = message, number = -20003 }, 0)
end

local function fold(value)
  if type(value) == "boolean" then return value and 1 or 0 end
  return type(value) == "string" and ascii.lower(value) or value
end

local operators = {
  ["="] = function(a, b) return a == b end,
  ["<>"] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  [">"] = function(a, b) return a > b end,
  ["<="] = function(a, b) return a <= b end,
  [">="] = function(a, b) return a >= b end,
}
operators["!="] = operators["<>"]

-- Each rule captures f(record) -> true, false, or nil for SQL's "unknown".
local function compare(left, name, right)
  local operator = operators[name]
  return function(record)
    local a, b = fold(left(record)), fold(right(record))
    if a == NULL or b == NULL then return nil end
    if type(a) ~= type(b) then fail("Inconsistent types (7481)") end
    return operator(a, b)
  end
end

-- A Lua pattern for one of LIKE's.
local function likePattern(text, escape)
  local out, i = {}, 1
  while i <= #text do
    local char = text:sub(i, i)
    if char == escape then
      i = i + 1
      char = text:sub(i, i):gsub("%W", "%%%0")
    elseif char == "%" then
      char = ".*"
    elseif char == "_" then
      char = "."
    else
      char = char:gsub("%W", "%%%0")
    end
    out[#out + 1], i = char, i + 1
  end
  return "^" .. table.concat(out) .. "$"
end

local function like(negated, left, text, escape)
  local pattern = likePattern(ascii.lower(text), escape)
  return function(record)
    local value = left(record)
    if value == NULL then return nil end
    return (ascii.lower(tostring(value)):find(pattern) ~= nil) ~= negated
  end
end

local function isNull(negated, left)
  return function(record) return (left(record) == NULL) ~= negated end
end

local function negation(test)
  return function(record)
    local value = test(record)
    if value == nil then return nil end
    return not value
  end
end

local function both(a, b)
  return function(record)
    local x, y = a(record), b(record)
    if x == false or y == false then return false end
    return x and y
  end
end

local function either(a, b)
  return function(record)
    local x, y = a(record), b(record)
    if x or y then return true end
    if x == false and y == false then return false end
  end
end

local function constant(value)
  return function() return value end
end

local function column(definition, name)
  local field = definition.names[ascii.lower(name:match("[^.]*$"))]
  if not field then fail(("Column \"%s\" cannot be found or is not specified for query."):format(name)) end
  return function(record) return record[field] end
end

local grammar
do
  local P, R, S, V = lpeg.P, lpeg.R, lpeg.S, lpeg.V
  local C, Carg, Cc, Cf, Cs = lpeg.C, lpeg.Carg, lpeg.Cc, lpeg.Cf, lpeg.Cs
  local space = S " \t\r\n" ^ 0
  local inWord = R("az", "AZ", "09") + S "_"

  local function keyword(text)
    local pattern = P(true)
    for char in text:gmatch "." do pattern = pattern * S(ascii.lower(char) .. ascii.upper(char)) end
    return pattern * -inWord * space
  end

  local function expected(what)
    return P(function(_, at) fail(("Syntax error: %s expected, at character %d"):format(what, at)) end)
  end

  local text = P "'" * Cs((P "''" / "'" + (1 - P "'")) ^ 0) * (P "'" + expected "a closing quote") * space
  local number = C(P "-" ^ -1 * R "09" ^ 1 * (P "." * R "09" ^ 0) ^ -1) * space / tonumber
  local name = C((R("az", "AZ") + "_") * (inWord + S ".-") ^ 0) * space
  local negated = keyword "NOT" * Cc(true) + Cc(false)
  local escape = keyword "ESCAPE" * text + Cc(nil)
  local reserved = keyword "AND" + keyword "OR" + keyword "NOT" + keyword "IS" + keyword "LIKE"

  grammar = P {
    space * keyword "SELECT" * "*" * space * keyword "FROM" * name / 0
      * (keyword "WHERE" * V "any" + Cc(true)) * (P(-1) + expected "the end"),
    any = Cf(V "all" * (keyword "OR" * V "all") ^ 0, either),
    all = Cf(V "one" * (keyword "AND" * V "one") ^ 0, both),
    one = keyword "NOT" * V "one" / negation
      + P "(" * space * V "any" * (P ")" * space + expected ")")
      + V "operand" * V "rest" / function(left, build, ...) return build(left, ...) end
      + expected "a condition",
    rest = C(P "<>" + "!=" + "<=" + ">=" + S "=<>") * space * (V "operand" + expected "a value")
        / function(operator, right) return function(left) return compare(left, operator, right) end end
      + keyword "IS" * negated * keyword "NULL"
        / function(no) return function(left) return isNull(no, left) end end
      + negated * keyword "LIKE" * (text + expected "a text") * escape
        / function(no, pattern, mark) return function(left) return like(no, left, pattern, mark) end end
      + expected "a comparison",
    operand = text / constant + number / constant
      + keyword "TRUE" * Cc(true) / constant + keyword "FALSE" * Cc(false) / constant
      + keyword "NULL" * Cc(NULL) / constant
      + -reserved * (Carg(1) * name) / column,
  }
end

--- The test that a query stands for, `test(record) -> true or not`; nil without a WHERE. Raises { message,
-- number }.
function sql.compile(text, definition)
  local test = grammar:match(text, 1, definition)
  if not test then fail("Syntax error: SELECT * FROM expected") end
  return test ~= true and test or nil
end

return sql
