--- Methods that say so when they are called with "." instead of ":".

local raise = require "datasession.internal.raise"

--- Wraps each method of a table, in place.
-- @param kind string, what the methods belong to, as "a catalog"
-- @param methods table: its functions take the object first, but metamethods, which stay as they are
-- @param isObject function (value): true if that is such an object
return function(kind, methods, isObject)
  for name, method in pairs(methods) do
    if type(method) == "function" and name:sub(1, 2) ~= "__" then
      methods[name] = function(self, ...)
        if not isObject(self) then
          raise(("%s: expected %s, got %s: call it with ':' instead of '.'"):format(name, kind, type(self)),
            2)
        end
        return method(self, ...) -- a tail call: the levels of errors stay as they are
      end
    end
  end
end
