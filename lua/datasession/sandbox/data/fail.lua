--- Raises a failure of a data request: { message, number }. Services answer with it.
-- @param number integer; default 0
return function(message, number)
  error({ message = message, number = number or 0 }, 0)
end
