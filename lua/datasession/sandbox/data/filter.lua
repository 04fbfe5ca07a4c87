--- Which records a read gives: a text in a where-expression of ABL, any other text, or the JSON Filter
-- Pattern.
local abl = require "datasession.sandbox.abl"
local ascii = require "datasession.internal.ascii"
local fail = require "datasession.sandbox.data.fail"
local json = require "datasession.sandbox.json"
local locale = require "datasession.internal.locale"
local lua = require "datasession.internal.lua"

local math, table = lua.math, lua.table

local NULL = json.null

local filter = {}

local function contains(definition, text)
  text = ascii.lower(text)
  return function(record)
    for _, field in ipairs(definition.fields) do
      local value = record[field.name]
      if field.type == "string" and type(value) == "string" and ascii.lower(value):find(text, 1, true) then
        return true
      end
    end
    return false
  end
end

-- A text that compares nothing is looked for in all character fields.
local function textTest(definition, text)
  local ok, test, compares = pcall(abl.compile, text, definition.names)
  if ok and compares then return test end
  return contains(definition, text)
end

-- ---- order

local function parseOrder(definition, text)
  local keys = {}
  for piece in text:gmatch("[^,]+") do
    local name, direction = piece:match("^%s*([%w_.-]+)%s*(%a*)%s*$")
    local field = name and definition.names[ascii.lower(name:match("[^.]*$"))]
    if not field then fail(("Unknown field or variable name - %s."):format(piece), 201) end
    keys[#keys + 1] = { field = field, descending = ascii.upper(direction):find("^DESC") ~= nil }
  end
  return keys
end

-- True if a value comes before another of the same field; the unknown value comes last.
local function before(a, b)
  if a == NULL or b == NULL then return a ~= NULL and b == NULL end
  if type(a) == "boolean" then return not a and b end
  if type(a) == "string" then return locale.before(ascii.lower(a), ascii.lower(b)) end
  return type(a) == "number" and a < b
end

-- Equal records stay in the order in which they are stored.
local function sort(definition, records, order)
  if not order or order == "" then return end
  local keys, places = parseOrder(definition, order), {}
  for i, record in ipairs(records) do places[record] = i end
  table.sort(records, function(a, b)
    for _, key in ipairs(keys) do
      local x, y = a[key.field], b[key.field]
      if key.descending then x, y = y, x end
      if before(x, y) then return true elseif before(y, x) then return false end
    end
    return places[a] < places[b]
  end)
end

-- ---- selection

local function select(records, test)
  local selected = {}
  for _, record in ipairs(records) do
    if not test or test(record) then selected[#selected + 1] = record end
  end
  return selected
end

local function page(records, skip, top)
  skip = math.max(math.tointeger(skip) or 0, 0)
  top = math.tointeger(top) or #records
  return table.move(records, skip + 1, math.min(skip + top, #records), 1, {})
end

local function whereTest(definition, pattern, language)
  if language == "sqlQuery" then
    if pattern.ablFilter then fail("This resource takes sqlQuery, not ablFilter.") end
    local text = pattern.sqlQuery and tostring(pattern.sqlQuery) or ""
    return text ~= "" and require "datasession.sandbox.data.sql".compile(text, definition)
  end
  if pattern.sqlQuery then fail("This resource takes ablFilter, not sqlQuery.") end
  local text = pattern.ablFilter and tostring(pattern.ablFilter) or ""
  return text ~= "" and abl.compile(text, definition.names)
end

local function patternTest(definition, pattern, language)
  local test = whereTest(definition, pattern, language)
  local id = math.tointeger(pattern.id) or pattern.id
  if not id then return test end
  return function(record)
    return tostring(definition.keyOf(record)) == tostring(id) and (not test or test(record))
  end
end

--- The parts of a filter's text: a table for JSON; else nil. `null` counts as left out.
function filter.parse(text)
  if not text or not text:find("^%s*{") then return nil end
  local pattern, message = json.decode(text)
  if not pattern then fail("The filter is not JSON: " .. message) end
  for name, value in pairs(pattern) do
    if value == NULL then pattern[name] = nil end
  end
  return pattern
end

--- The records of a table that a filter's text selects, where `pattern` is filter.parse(text). `language`:
-- "ablFilter" or "sqlQuery". Raises { message, number }.
function filter.find(store, text, pattern, language)
  local definition, records = store.definition, store:all()
  if not text or text == "" then return records end
  if not pattern then return select(records, textTest(definition, text)) end
  local selected = select(records, patternTest(definition, pattern, language))
  sort(definition, selected, pattern.orderBy and tostring(pattern.orderBy))
  return page(selected, pattern.skip, pattern.top)
end

return filter
