--- Descriptions of what a program passed, for messages: "got a promise: did you forget :await()?".

local core = require "datasession.core"

local argument = {}

--- The type of a value, and the mistake that probably led to it.
-- @return string
function argument.type(value)
  if core.isPromise(value) then return "a promise: did you forget :await()?" end
  if value ~= nil and rawequal(value, package.loaded.datasession) then
    return "the module: call it with '.' instead of ':'"
  end
  return type(value)
end

--- A text in quotes, a number as it is, the type of anything else.
-- @return string
function argument.value(value)
  if type(value) == "string" then return ("'%.64s'"):format(value) end
  return type(value) == "number" and tostring(value) or argument.type(value)
end

return argument
