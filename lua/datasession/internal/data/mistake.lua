--- Mistakes that a program made in a nested value. The functions that find them are deep; the one that raises
-- names the place of the call.

local meta = { __name = "datasession.mistake" }

local mistake = {}

--- Ends the check.
function mistake.found(message)
  error(setmetatable({ message = message }, meta), 0)
end

--- Calls a function that checks: its result; or nil and the message of the mistake that it found.
function mistake.check(f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if getmetatable(result) == meta then return nil, result.message end
  error(result, 0)
end

return mistake
