--- Filters: tables of conditions as a where-clause in ABL or SQL.
--
--     { field = "State", operator = "eq", value = "MA" }
--     { logic = "and", filters = { ... } }

local codec = require "datasession.internal.codec"
local literal = require "datasession.internal.data.literal"
local mistake = require "datasession.internal.data.mistake"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"

local concat, format = table.concat, string.format
local found = mistake.found

local DEEPEST = 100
local CONDITION = { "field", "operator", "value" }
local GROUP = { "logic", "filters" }

local filter = {}

-- ---- Operators: name -> function (dialect, field name, literal, plain text) -> the condition

local function infix(abl, sql)
  return { abl = "%s " .. abl .. " %s", sql = "%s " .. (sql or abl) .. " %s" }
end

local COMPARISONS = {
  eq = infix "=", neq = infix("<>", "!="), gt = infix ">", gte = infix ">=", lt = infix "<", lte = infix "<=",
}

-- With a wildcard before and behind, where "*" stands.
local TEXTS = {
  contains = { abl = "INDEX(%s, %s) > 0", sql = "LIKE", wild = { "%", "%" } },
  doesnotcontain = { abl = "INDEX(%s, %s) = 0", sql = "NOT LIKE", wild = { "%", "%" } },
  startswith = { abl = "%s BEGINS %s", sql = "LIKE", wild = { "", "%" } },
  endswith = { abl = "%s MATCHES %s", sql = "LIKE", wild = { "%", "" }, matches = true },
}

local NULLS = {
  isnull = { abl = "%s = ?", sql = "%s IS NULL" },
  isnotnull = { abl = "%s <> ?", sql = "%s IS NOT NULL" },
}

local EMPTY = {
  isempty = { abl = "%s = ''", sql = "%s = ''" },
  isnotempty = { abl = "%s <> ''", sql = "%s != ''" },
}

local OPERATORS = {}
for _, group in ipairs { COMPARISONS, TEXTS, NULLS, EMPTY } do
  for name in pairs(group) do OPERATORS[#OPERATORS + 1] = name end
end

local function isNull(value) return value == nil or value == codec.null end

-- ---- Conditions

-- A name as ABL and SQL allow it, with a table's name before or an index behind. The catalog does not
-- describe the fields, and no other text may come into the clause.
local function openName(name)
  local plain = name:gsub("%[%d+%]$", "")
  if not plain:find "^[%a_][%w_$#&%%.-]*$" or plain:find("--", 1, true) then
    found(format("expected the name of a field, got '%.64s'", name))
  end
  return name
end

local function nameOfField(self, name)
  if type(name) ~= "string" then found("expected the name of a field, got " .. type(name)) end
  local field = self.shape.byName[name]
  if self.shape.lists[name] then
    found(format("%s is an array: expected an element, as '%s_1'", name, name))
  end
  if field then return field.origName or name, field end
  local list, index = schema.element(self.shape, name)
  if list then
    field = self.shape.byName[list]
    return format("%s[%d]", field.origName or list, index), field
  end
  if self.shape.open then return openName(name), { name = name } end
  found(suggest.unknown("field", name, self.shape.names))
end

local function write(self, name, field, value)
  local text, message = literal.write(self.dialect, field, value)
  if not text then found(name .. ": " .. message) end
  return text
end

local function compare(self, condition, name, field)
  local operator, value = condition.operator, condition.value
  if isNull(value) then
    local test = operator == "eq" and NULLS.isnull or operator == "neq" and NULLS.isnotnull
    if not test then found(format("%s: null has no order: expected eq or neq, got %s", name, operator)) end
    return format(test[self.form], name)
  end
  return format(COMPARISONS[operator][self.form], name, write(self, name, field, value))
end

local function isText(field)
  local kind = literal.kindOf(field)
  return kind == nil or kind == "text"
end

local function like(self, name, test, text)
  local pattern = self.dialect.pattern(text)
  local escape = pattern ~= text and " ESCAPE '\\'" or ""
  local quoted = self.dialect.quote(test.wild[1] .. pattern .. test.wild[2])
  return format("%s %s %s%s", name, test.sql, quoted, escape)
end

local function compareText(self, condition, name, field)
  local operator, text = condition.operator, condition.value
  if not isText(field) then found(format("%s: %s is for character fields", name, operator)) end
  if type(text) == "number" then text = write(self, name, { type = "number" }, text) end
  if type(text) ~= "string" then
    found(format("%s: expected a text, got %s", name, isNull(text) and "null" or type(text)))
  end
  write(self, name, field, text)
  local test = TEXTS[operator]
  if self.form == "sql" then return like(self, name, test, text) end
  if test.matches then text = "*" .. self.dialect.pattern(text) end
  return format(test.abl, name, self.dialect.quote(text))
end

local function checkKeys(node, known)
  if node[1] ~= nil then
    found "expected { field =, operator =, value = } or { logic =, filters = }, got an array"
  end
  for key in pairs(node) do
    if key ~= known[1] and key ~= known[2] and key ~= known[3] then
      found(suggest.unknown("key", key, known))
    end
  end
end

local function condition(self, node)
  checkKeys(node, CONDITION)
  local name, field = nameOfField(self, node.field)
  local operator = node.operator
  if COMPARISONS[operator] then return compare(self, node, name, field) end
  if TEXTS[operator] then return compareText(self, node, name, field) end
  if NULLS[operator] then return format(NULLS[operator][self.form], name) end
  if not EMPTY[operator] then
    if operator == nil then found(name .. ": expected an operator, got nil") end
    found(name .. ": " .. suggest.unknown("operator", operator, OPERATORS))
  end
  if not isText(field) then found(format("%s: %s is for character fields", name, operator)) end
  return format(EMPTY[operator][self.form], name)
end

-- ---- Groups

local text

local function group(self, node, depth)
  checkKeys(node, GROUP)
  local logic, terms = node.logic, {}
  if logic == nil and type(node.filters) == "table" and #node.filters < 2 then logic = "and" end
  if logic ~= "and" and logic ~= "or" then
    local given = type(logic) == "string" and format("'%.64s'", logic) or type(logic)
    found(format("logic: expected 'and' or 'or', got %s", given))
  end
  if type(node.filters) ~= "table" then
    found("filters: expected an array of filters, got " .. type(node.filters))
  end
  for _, member in ipairs(node.filters) do
    local term = text(self, member, depth + 1)
    if term ~= "" then terms[#terms + 1] = term end
  end
  local joined = concat(terms, " " .. logic .. " ")
  return #terms > 1 and "(" .. joined .. ")" or joined
end

function text(self, node, depth)
  if type(node) ~= "table" then found("expected a table, got " .. type(node)) end
  if depth > DEEPEST then
    found(format("nested deeper than %d levels, or a table that holds itself", DEEPEST))
  end
  if node.filters ~= nil or node.logic ~= nil then return group(self, node, depth) end
  return condition(self, node)
end

--- The where-clause of a filter; "" for groups without conditions. Ends the check (mistake.lua) when the
-- filter is wrong.
-- @param form "abl" or "sql"
-- @param shape of the table: the fields that may be compared
-- @param node the filter
function filter.text(form, shape, node)
  return text({ form = form, dialect = form == "abl" and literal.ABL or literal.SQL, shape = shape }, node, 1)
end

--- A field's name as the server knows it. Ends the check when the table has none.
function filter.field(shape, name)
  return (nameOfField({ shape = shape }, name))
end

return filter
