--- Values as the literals of a where-clause, in ABL and in SQL. No value can end its literal.

local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local date = require "datasession.date"
local locale = require "datasession.internal.locale"
local lua = require "datasession.internal.lua"
local math, tostring = lua.math, lua.tostring

local format, gsub = string.format, string.gsub
local null = codec.null

local literal = {}

-- ---- The kind of a field

local ABL_KINDS = {
  CHARACTER = "text", LONGCHAR = "text", CLOB = "text",
  INTEGER = "number", INT64 = "number", DECIMAL = "number", RECID = "number",
  LOGICAL = "boolean",
  DATE = "DATE", DATETIME = "DATETIME", ["DATETIME-TZ"] = "DATETIME-TZ",
}
local JSON_KINDS = { integer = "number", number = "number", boolean = "boolean" }
local DATE_FORMATS = { date = "DATE", ["date-time"] = "date-time" }

--- The kind of a field's values: "text", "number", "boolean", an ABL type of dates, "date-time" for a field
-- whose ABL type is not told; nil: unknown.
function literal.kindOf(field)
  local kind = field.ablType and ABL_KINDS[ascii.upper(field.ablType)]
  if kind then return kind end
  local described = field.items and field.items.type or field.type
  if described == "string" then return DATE_FORMATS[field.format] or "text" end
  return JSON_KINDS[described]
end

-- ---- Numbers

-- The shortest text of a number that means it exactly; tostring gives 14 digits.
local function exactText(value)
  local integer = math.tointeger(value)
  if integer then return tostring(integer) end
  for digits = 14, 17 do
    local text = format("%." .. digits .. "g", value)
    if tonumber(text) == value then return (gsub(text, "[^0-9a-z+-]+", ".")) end
  end
end

-- A number without an exponent, which ABL does not know.
local function numberText(value)
  if value ~= value or value - value ~= 0 then return nil, "NaN and infinity cannot be compared with" end
  local text = exactText(value)
  if not text:find "[eE]" then return text end
  return (gsub(gsub(format("%.20f", value), "[^0-9-]", "."), "%.?0+$", ""))
end

local function toNumber(value)
  if type(value) == "number" then return numberText(value) end
  local number = type(value) == "string" and value:find "^%s*[+-]?[0-9.]+%s*$" and tonumber(value)
  if number then return numberText(number) end
  return nil, "expected a number, got " .. type(value)
end

-- ---- Dates

local function dateTable(value)
  if type(value) == "string" then return date.parse(value) end
  local ok, text = pcall(date.format, value)
  if not ok then
    return nil, "expected a date: a text as 2024-03-01, or a table as datasession.date has it"
  end
  return date.parse(text)
end

-- The type to write a date as, and the date in it: one that tells no zone gets that of the process.
local function dateOf(kind, value)
  local t, message = dateTable(value)
  if not t then return nil, message end
  if kind == "date-time" then kind = t.offset and "DATETIME-TZ" or "DATETIME" end
  return kind, date.parse(date.format(t, kind))
end

-- ---- The dialects

local abl = { null = "?" }
literal.ABL = abl

-- The tilde takes the meaning from the next character. ABL reads { as the beginning of an argument and, under
-- UNIX, a backslash as a tilde.

function abl.quote(text) return "'" .. gsub(text, "[~'{\\]", "~%0") .. "'" end

--- A text for MATCHES, in which no character is a wildcard.
function abl.pattern(text) return (gsub(text, "[~*.\\]", "~%0")) end

function abl.boolean(value) return tostring(value) end

function abl.date(kind, t)
  if kind == "DATE" then return format("DATE(%d, %d, %d)", t.month, t.day, t.year) end
  local text = format("%d, %d, %d, %d, %d, %d, %d", t.month, t.day, t.year, t.hour, t.min, t.sec, t.msec)
  if kind == "DATETIME" then return "DATETIME(" .. text .. ")" end
  return format("DATETIME-TZ(%s, %d)", text, t.offset)
end

local sql = { null = "NULL" }
literal.SQL = sql

function sql.quote(text) return "'" .. gsub(text, "'", "''") .. "'" end

--- A text for LIKE, in which no character is a wildcard: it needs ESCAPE '\' if it differs from `text`.
function sql.pattern(text) return (gsub(text, "[%%_\\]", "\\%0")) end

function sql.boolean(value) return tostring(value) end

function sql.date(kind, t)
  local text = date.format(t, kind)
  if kind == "DATE" then return "{d '" .. text .. "'}" end
  if kind == "DATETIME" then return "{ts '" .. gsub(text, "T", " ") .. "'}" end
  return "'" .. gsub(text, "T", " ") .. "'"
end

-- ---- Values

local BOOLEANS = { ["true"] = true, ["false"] = false }

local writers = {}

function writers.text(dialect, value)
  local kind = type(value)
  if kind == "number" then return dialect.quote(locale.text(value)) end
  if kind == "boolean" then return dialect.quote(tostring(value)) end
  if kind ~= "string" then return nil, "expected a text, got " .. kind end
  return dialect.quote(value)
end

function writers.number(_, value) return toNumber(value) end

function writers.boolean(dialect, value)
  local known = value
  if type(value) == "string" then known = BOOLEANS[value] end
  if type(known) ~= "boolean" then return nil, "expected true or false, got " .. type(value) end
  return dialect.boolean(known)
end

for _, kind in ipairs { "DATE", "DATETIME", "DATETIME-TZ", "date-time" } do
  writers[kind] = function(dialect, value)
    local found, t = dateOf(kind, value)
    if not found then return nil, t end
    return dialect.date(found, t)
  end
end

-- For a field of unknown kind.
local KIND_OF_VALUE = { string = "text", number = "number", boolean = "boolean", table = "date-time" }

--- The literal of a value.
-- @param dialect literal.ABL or literal.SQL
-- @param field of the catalog
-- @return text; or nil and a message: the value does not suit the field
function literal.write(dialect, field, value)
  if value == nil or value == null then return dialect.null end
  if type(value) == "string" and lua.zero(value) then
    return nil, "expected a text without NUL bytes"
  end
  local kind = literal.kindOf(field) or KIND_OF_VALUE[type(value)]
  if not kind then return nil, "expected a text, a number, a boolean or a date, got " .. type(value) end
  return writers[kind](dialect, value)
end

return literal
