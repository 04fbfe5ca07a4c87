--- The properties that a program gives to a data object. They are never sent.

local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"

local P = private.P

local methods = {}

local function checkCount(method, least, most, n)
  if n < least or n > most then
    raise(("%s: expected %d arguments, got %d"):format(method, least, n), 3)
  end
end

local function checkName(method, name)
  if type(name) ~= "string" then
    raise(("%s: expected a name, got %s"):format(method, type(name)), 3)
  end
end

--- Sets a property; nil removes it.
function methods.setProperty(jsdo, ...)
  checkCount("setProperty", 2, 2, select("#", ...))
  local name, value = ...
  checkName("setProperty", name)
  jsdo[P].properties[name] = value
end

--- The value of a property; or nil.
function methods.getProperty(jsdo, ...)
  checkCount("getProperty", 1, 1, select("#", ...))
  local name = ...
  checkName("getProperty", name)
  return jsdo[P].properties[name]
end

--- Replaces all properties by those of a table; nil removes all.
function methods.setProperties(jsdo, ...)
  checkCount("setProperties", 1, 1, select("#", ...))
  local values = ...
  if values ~= nil and type(values) ~= "table" then
    raise("setProperties: expected a table or nil, got " .. type(values), 2)
  end
  local properties = {}
  for name, value in pairs(values or {}) do properties[name] = value end
  jsdo[P].properties = properties
end

--- A copy of all properties.
function methods.getProperties(jsdo, ...)
  checkCount("getProperties", 0, 0, select("#", ...))
  local copy = {}
  for name, value in pairs(jsdo[P].properties) do copy[name] = value end
  return copy
end

return { methods = methods }
