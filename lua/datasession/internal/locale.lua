--- Functions that do not depend on the locale: decimal points, the order of texts, lua-cjson's numbers.
local lua = require "datasession.internal.lua"

local math, tostring = lua.math, lua.tostring

local locale = {}

--- True if a comes before b by their bytes; `<` uses the order of the language.
function locale.before(a, b)
  local shorter = math.min(#a, #b)
  for i = 1, shorter do
    local one, two = a:byte(i), b:byte(i)
    if one ~= two then return one < two end
  end
  return #a < #b
end

--- As tostring, but always with a decimal point.
function locale.text(value)
  local text = tostring(value)
  return math.type(value) == "float" and (text:gsub("[^0-9a-z+-]+", ".")) or text
end

--- Makes a lua-cjson read and write numbers by the current locale. The library keeps, for the whole process,
-- the decimal point of the locale in which its latest instance was made.
-- @param json an instance of cjson.safe
-- @param library table with `new`, which makes another
-- @return true; or nil and a message for a locale in which it cannot
function locale.settle(json, library)
  if json.decode("0.5") == 0.5 then return true end
  if #("%.1f"):format(0.5) == 3 then -- lua-cjson ends the process at a decimal point of several bytes
    library.new()
    do return true end
  end
  return nil, "lua-cjson cannot write numbers with the decimal point of the locale "
    .. os.setlocale(nil, "numeric")
end

return locale
