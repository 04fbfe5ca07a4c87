--- getData and the methods that sort.

local memory = require "datasession.internal.data.memory"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local record = require "datasession.internal.data.record"
local suggest = require "datasession.internal.suggest"
local tableref = require "datasession.internal.data.tableref"
local math = require("datasession.internal.lua").math

local P, VALUES = private.P, private.VALUES
local type = type

local methods = {}

-- ---- getData

local OPTIONS = { "sort", "top", "skip" }

local function checkOption(name, level)
  for _, known in ipairs(OPTIONS) do
    if name == known then return end
  end
  if name == "filter" then raise("getData: a filter needs the server: use fill, or find", level + 1) end
  raise("getData: " .. suggest.unknown("option", name, OPTIONS), level + 1)
end

local function checkCount(name, value, level)
  if value ~= nil and (math.type(value) ~= "integer" or value < 0) then
    raise(("getData: option '%s': expected a whole number, 0 or more, got %s"):format(name, tostring(value)),
      level + 1)
  end
end

local function checkOptions(options, level)
  if type(options) ~= "table" then
    raise("getData: expected a table of options or nil, got " .. type(options), level + 1)
  end
  for name in pairs(options) do checkOption(name, level + 1) end
  checkCount("top", options.top, level + 1)
  checkCount("skip", options.skip, level + 1)
  if options.sort ~= nil and type(options.sort) ~= "table" then
    raise("getData: option 'sort': expected an array of fields, got " .. type(options.sort), level + 1)
  end
end

-- The records that the table shows, without those that are deleted.
local function shown(m, level)
  local list, deleted, records, n = tableref.related(m, "getData", level + 1), m.deleted, {}, 0
  for i = 1, #list do
    local r = list[i]
    if not deleted[r] then
      n = n + 1
      records[n] = r
    end
  end
  return records
end

--- The rows, as an array of plain copies; null stands as datasession.null.
-- @param options nil, or a table: `sort`, an array of fields as for setSortFields or of { field =, dir = };
--   `top`, the number of rows at most; `skip`, the number of rows to leave out first
function methods.getData(t, options)
  if options ~= nil then checkOptions(options, 2) end
  options = options or {}
  local m, by = t[P], nil
  if options.sort then by = order.parse(m, options.sort, "getData", 2) end
  local records = shown(m, 2)
  if by then records = order.sorted(m, records, by) end
  local rows, skip = {}, options.skip or 0
  for i = skip + 1, math.min(#records, skip + (options.top or #records)) do
    rows[i - skip] = record.copyRow(records[i][VALUES])
  end
  return rows
end

-- ---- Sorting

local function parse(t, list, method, level)
  if type(list) ~= "table" then
    raise(("%s: expected an array of fields, got %s"):format(method, type(list)), level + 1)
  end
  local fields = order.parse(t[P], list, method, level + 1)
  return fields
end

--- Keeps the table sorted by fields as long as autoSort is true.
-- @param list array of "Field", "Field:ASC" or "Field:DESC"; nil: no longer
function methods.setSortFields(t, list)
  local fields = list ~= nil and parse(t, list, "setSortFields", 2) or nil
  order.configure(t[P], "sortFields", fields and #fields > 0 and fields or nil)
end

--- Keeps the table sorted by a function as long as autoSort is true.
-- @param fn function (a, b) of two records: a negative number, or true, if a comes first; nil: no longer
function methods.setSortFn(t, fn)
  if fn ~= nil and type(fn) ~= "function" then
    raise("setSortFn: expected a function or nil, got " .. type(fn), 2)
  end
  order.configure(t[P], "sortFn", fn)
end

--- Sorts once.
-- @param by an array of fields as for setSortFields, or a function as for setSortFn
function methods.sort(t, by)
  if type(by) ~= "function" then
    if type(by) ~= "table" then
      raise("sort: expected an array of fields or a function, got " .. type(by), 2)
    end
    by = parse(t, by, "sort", 2)
  end
  order.sortOnce(t[P], by)
end

--- True if the table has a record.
function methods.hasData(t) return memory.count(t) > 0 end

local ofObject = {}

--- True if one of the tables has a record.
function ofObject.hasData(jsdo)
  for _, t in ipairs(jsdo[P].tables) do
    if memory.count(t) > 0 then return true end
  end
  return false
end

return { methods = ofObject, tableMethods = methods }
