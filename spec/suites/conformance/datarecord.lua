--- Reports of steps with data objects, in the form in which both sides are compared: a line of text for each
-- record, change, request and error.
local canon = require "canon"

local datarecord = {}

-- An id that was made from a time and a counter; of one line only its place in that line tells anything.
local MADE = '"(%d%d%d%d%d%d%d%d%d%d%d+%-%d+)"'

local function named(text)
  local known, n = {}, 0
  return (text:gsub(MADE, function(id)
    if not known[id] then
      n = n + 1
      known[id] = '"id' .. n .. '"'
    end
    return known[id]
  end))
end

--- The body of a request or an answer.
function datarecord.body(text)
  return named(canon.json(text))
end

--- A query whose values are decoded: `filter={top=2}`.
function datarecord.query(text)
  return (text:gsub("=([^&]*)", function(value)
    return "=" .. named(canon.json((value:gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end))))
  end))
end

-- The time at which a step was taken, as a default value tells it.
local function timed(text)
  for _, format in ipairs { "!%Y-%m-%d", "%Y-%m-%d" } do
    local day = os.date(format):gsub("%-", "%%-")
    text = text:gsub('"' .. day .. 'T%d%d:%d%d:%d%d%.%d%d%dZ"', "(now)"):gsub('"' .. day .. '"', "(today)")
  end
  return text
end

--- The text of an event, whose last argument may be a request as JSON.
function datarecord.event(text)
  return (text:gsub("JSON (.*)$", function(json) return named(canon.json(json):gsub("%[%]", "{}")) end))
end

local function line(names, value)
  return timed(named(canon.text(names:all(value))))
end

local function lines(names, values, sorted)
  local told = {}
  for i, value in ipairs(values or {}) do told[i] = line(names, value) end
  if sorted then table.sort(told) end
  return told
end

local REQUEST = { "fnName", "operation", "success", "async", "exception", "status" }

local request

-- The requests of a batch by number: "1", "2".
local function batch(names, list, sorted)
  local made, told = {}, {}
  for i, one in ipairs(list) do
    made[i] = request(names, one)
    made[i].objParam = nil
  end
  if sorted then table.sort(made, function(x, y) return canon.text(x) < canon.text(y) end) end
  for i, one in ipairs(made) do told[tostring(i)] = one end
  return told
end

function request(names, given, sorted)
  if not given then return nil end
  local told = {}
  for _, name in ipairs(REQUEST) do told[name] = given[name] end
  for _, name in ipairs { "response", "objParam", "record" } do
    told[name] = given[name] ~= nil and line(names, given[name]) or nil
  end
  if given.records then told.records = lines(names, given.records, sorted) end
  if given.batch then told.batch = batch(names, given.batch, sorted) end
  return told
end

--- The outcome of a call's promise; `sorted`: requests of a batch in any order.
function datarecord.outcome(names, given, sorted)
  if not given then return nil end
  return { success = given.success, jsdo = given.jsdo, error = given.error,
    request = request(names, given.request, sorted) }
end

--- The value that a call returned.
function datarecord.value(names, given)
  if type(given) ~= "table" or given.told == nil then return given end
  return { told = given.told ~= "(null)" and line(names, given.told) or nil }
end

local function memoryOf(names, given)
  local tables = {}
  for name, one in pairs(given) do
    tables[name] = { rows = lines(names, one.rows), changes = lines(names, one.changes, true),
      errors = lines(names, one.errors), working = one.working and line(names, one.working) or nil }
  end
  return tables
end

--- The memory of each data object.
function datarecord.memory(names, given)
  local told = {}
  for name, one in pairs(given or {}) do told[name] = memoryOf(names, one) end
  return told
end

return datarecord
