--- Plugins: functions that translate requests and responses of read operations whose catalog names them as
-- mappingType.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local format = string.format

local plugins = { PluginManager = {} }

local BUILT_IN = "JFP"
local MEMBERS = { "requestMapping", "responseMapping" }

local known = {}      -- name -> plugin

local function checkPlugin(plugin, level)
  if type(plugin) ~= "table" then
    raise("addPlugin: expected a table of functions, got " .. type(plugin), level + 1)
  end
  for name, value in pairs(plugin) do
    if name ~= MEMBERS[1] and name ~= MEMBERS[2] then
      raise("addPlugin: " .. suggest.unknown("member", name, MEMBERS), level + 1)
    elseif type(value) ~= "function" then
      raise(format("addPlugin: %s: expected a function, got %s", name, type(value)), level + 1)
    end
  end
end

--- Adds a plugin, for all data objects of this Lua state.
-- @param name string: the mappingType of the read operations that it serves
-- @param plugin table: `requestMapping`, function (jsdo, params, info) -> the values of the address's
--   placeholders, or the text of {filter}; `responseMapping`, function (jsdo, response, info) -> the response
--   in a form that fill knows. Both may be missing. `info.operation` is "read". Raises for a name that is
--   taken
function plugins.PluginManager.addPlugin(name, plugin)
  if type(name) ~= "string" or name == "" then
    raise("addPlugin: expected a name, got " .. (name == "" and "an empty text" or type(name)), 2)
  end
  checkPlugin(plugin, 2)
  if known[name] or name == BUILT_IN then
    raise(format("addPlugin: there is a plugin '%s' already", name), 2)
  end
  known[name] = {
    name = name, requestMapping = plugin.requestMapping, responseMapping = plugin.responseMapping,
  }
end

--- The plugin of that name; or nil.
function plugins.find(name)
  return known[name]
end

-- Calls a function of a plugin: its result; or nil and a message. Errors are reported to onError, too.
local function call(plugin, member, ...)
  local ok, result = xpcall(plugin[member], function(err)
    return { err = err, trace = type(err) == "string" and debug and debug.traceback(err, 2) or err }
  end, ...)
  if ok then return result end
  core.report(result.trace)
  return nil, format("the plugin '%s' raised in %s: %s", plugin.name, member, tostring(result.err))
end

--- The values for the address, or a filter's text; nil and a message when the plugin fails.
function plugins.request(plugin, jsdo, params)
  if not plugin.requestMapping then return params end
  local values, message = call(plugin, "requestMapping", jsdo, params, { operation = "read" })
  if type(values) == "table" or type(values) == "string" then return values end
  return nil, message or format("the plugin '%s': requestMapping: expected a table or a text, got %s",
    plugin.name, type(values))
end

-- Marks the sequences in what a program made as arrays, as the decoder does; an empty table under the name of
-- one of `tables`, too.
local function marked(value, tables, name)
  if type(value) ~= "table" or getmetatable(value) ~= nil then return value end
  for key, one in next, value do marked(one, tables, key) end
  local isList = value[1] ~= nil or tables[name] ~= nil and next(value) == nil
  return isList and codec.array(value) or value
end

--- The response in a form that fill knows; nil and a message when the plugin fails.
function plugins.response(plugin, jsdo, response)
  if not plugin.responseMapping then return response end
  local mapped, message = call(plugin, "responseMapping", jsdo, response, { operation = "read" })
  if type(mapped) == "table" then return marked(mapped, jsdo[P].byName) end
  return nil, message or format("the plugin '%s': responseMapping: expected a table, got %s", plugin.name,
    type(mapped))
end

return plugins
