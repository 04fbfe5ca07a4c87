--- The address for what a program asks of fill and count: a text, a table in the JSON Filter Pattern or for a
-- plugin, or values for the placeholders of the address.

local P = require("datasession.internal.data.private").P
local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local jfp = require "datasession.internal.data.jfp"
local merge = require "datasession.internal.data.merge"
local mistake = require "datasession.internal.data.mistake"
local percent = require "datasession.internal.percent"
local plugins = require "datasession.internal.data.plugins"
local schema = require "datasession.internal.data.schema"
local math = require("datasession.internal.lua").math

local format = string.format
local found = mistake.found

local query = {}

local MODES = merge.MODES

-- ---- Addresses

--- The operation's address. Ends the check when a placeholder has no value.
-- @param values table: the values of the placeholders
function query.expand(operation, values)
  local ok, uri, message = pcall(operation.expand, operation, values)
  if ok and uri then return uri end
  if ok then found(message) end
  found(tostring(uri):match "'expand' %((.*)%)$" or tostring(uri))
end

--- The same for a filter's text. An address without the placeholder {filter} gets the text as a parameter.
function query.expandFilter(operation, text)
  local uri = query.expand(operation, { filter = text })
  if text == "" or operation.uri:find("{filter}", 1, true) then return uri end
  return format("%s%sfilter=%s", uri, uri:find("?", 1, true) and "&" or "?",
    percent.encode(text, percent.COMPONENT))
end

-- ---- Tables

local function mergeMode(value)
  if value == nil then return nil end
  if math.type(value) ~= "integer" or not MODES[value] then
    found(format("option 'mergeMode': expected one of JSDO.%s, got %s", table.concat(MODES, ", JSDO."),
      tostring(value)))
  end
  return MODES[value] ~= "MODE_EMPTY" and value or nil
end

-- The values of a table without the option of the data object.
local function withoutMode(options)
  local values = {}
  for name, value in pairs(options) do
    if name ~= "mergeMode" then values[name] = value end
  end
  return values
end

local function pluginOf(operation)
  local plugin = plugins.find(operation.mappingType)
  if plugin then return plugin end
  found(format("the catalog wants the plugin '%s': add it by PluginManager.addPlugin", operation.mappingType))
end

local function ofTable(jsdo, operation, options)
  local made = { object = options, mode = mergeMode(options.mergeMode) }
  local mapping = operation.mappingType
  if mapping and ascii.upper(mapping) == "JFP" then
    local s = jsdo[P]
    made.text = jfp.text(operation, schema.shapes(s.resource), options, s.viewTables)
    made.uri, made.object = query.expandFilter(operation, made.text), { filter = made.text }
  elseif mapping then
    made.plugin, made.values = pluginOf(operation), withoutMode(options)
  elseif #operation.capabilities > 0 then
    found("the catalog lists capabilities without a mappingType: give a text, or correct the catalog")
  else
    made.values = withoutMode(options)
    if made.values.filter == nil then made.values.filter = "" end -- as for no argument
    made.uri = query.expand(operation, made.values)
  end
  return made
end

local function parse(jsdo, operation, what)
  if what == nil or what == codec.null then
    return { text = "", uri = query.expandFilter(operation, "") }
  elseif type(what) == "string" then
    return { object = { filter = what }, text = what, uri = query.expandFilter(operation, what) }
  elseif type(what) ~= "table" or what[1] ~= nil then
    found("expected a text, a table or nil, got " .. (type(what) == "table" and "an array" or type(what)))
  end
  return ofTable(jsdo, operation, what)
end

--- Checks what the program asks for.
-- @param what text, table or nil
-- @return table: `object`, what was asked for, as a table or nil; `uri`, the address; `mode`, of merging, or
--   nil; with a plugin, which gives the address later, `plugin` and `values`. Or nil and a message
function query.parse(jsdo, operation, what)
  return mistake.check(parse, jsdo, operation, what)
end

local function map(jsdo, operation, asked)
  local values, message = plugins.request(asked.plugin, jsdo, asked.values)
  if values == nil then found(message) end
  if type(values) == "string" then
    asked.object = { filter = values }
    return query.expandFilter(operation, values)
  end
  asked.object = values
  return query.expand(operation, values)
end

--- Has the plugin give the address and `asked.object`.
-- @return the address; or nil and a message
function query.map(jsdo, operation, asked)
  return mistake.check(map, jsdo, operation, asked)
end

return query
