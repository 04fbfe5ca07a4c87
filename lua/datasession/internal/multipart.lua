--- The option `multipart` of requests: the parts of a form that may hold files.

local locale = require "datasession.internal.locale"
local mistake = require "datasession.internal.mistake"
local parameters = require "datasession.internal.parameters"
local suggest = require "datasession.internal.suggest"

local format = string.format

local multipart = {}

local FIELDS = { "name", "data", "path", "filename", "contentType" }
local KNOWN = {}
for _, name in ipairs(FIELDS) do KNOWN[name] = true end

local function fail(name, message, ...)
  mistake(format("request: option 'multipart': '%s': " .. message, name, ...))
end

local function checkLine(name, field, value)
  if value:find "[%z\r\n]" then
    fail(name, "%s: expected a string without line breaks and NUL bytes", field)
  end
end

local function checkFields(name, given)
  checkLine(name, "name", name)
  for field, value in pairs(given) do
    if not KNOWN[field] then fail(name, "%s", suggest.unknown("field of a part", field, FIELDS)) end
    if field ~= "data" and type(value) ~= "string" then
      fail(name, "%s: expected a string, got %s", field, type(value))
    end
    if field ~= "data" then checkLine(name, field, value) end
  end
  if (given.path == nil) == (given.data == nil) then fail(name, "expected either data or a path") end
end

local function addPart(parts, name, given)
  checkFields(name, given)
  local path = given.path
  parts[#parts + 1] = {
    name = name, path = path,
    data = given.data ~= nil and parameters.text("request: option 'multipart'", name, given.data) or nil,
    filename = given.filename or path and path:match "[^/\\]*$",
    contentType = given.contentType or path and "application/octet-stream" or nil,
  }
end

local function add(parts, name, value)
  if type(value) ~= "table" then
    addPart(parts, name, { data = value })
  elseif value[1] ~= nil then
    for i = 1, #value do
      if type(value[i]) == "table" and value[i][1] ~= nil then fail(name, "an array holds an array") end
      add(parts, name, value[i])
    end
  else
    addPart(parts, name, value)
  end
end

local function addList(parts, list)
  for i = 1, #list do
    local part = list[i]
    if type(part) ~= "table" or type(part.name) ~= "string" then
      mistake(format("request: option 'multipart': element %d: expected a table with a name", i))
    end
    addPart(parts, part.name, part)
  end
end

-- By name, so that the same table always gives the same body.
local function addMembers(parts, members)
  local names = {}
  for name in pairs(members) do
    if type(name) ~= "string" then
      mistake(format("request: option 'multipart': expected names that are strings, got a %s", type(name)))
    end
    names[#names + 1] = name
  end
  table.sort(names, locale.before)
  for _, name in ipairs(names) do add(parts, name, members[name]) end
end

--- The parts of a form, for the C half.
-- @param given table: values by name, in alphabetical order; or an array of parts with their names, in the
--   order to send. A value is a string, number or boolean, a part { path or data, filename, contentType }, or
--   an array of these
-- @return array of { name, data or path, filename, contentType }, all strings. Raises for anything else
function multipart.parts(given)
  if type(given) ~= "table" then
    mistake(format("request: option 'multipart': expected a table, got %s", type(given)))
  end
  local parts = {}
  local write = given[1] ~= nil and addList or addMembers
  write(parts, given)
  if not parts[1] then mistake "request: option 'multipart': expected at least one part" end
  return parts
end

return multipart
