--- Errors that say where the program made the call.
-- pcall(f, ...) and tail calls leave no line of their own: the nearest one is named.

local getinfo = debug and debug.getinfo

--- Raises.
-- @param message string
-- @param level integer, as for `error`; from there outwards, the first function in Lua is named
return function(message, level)
  level = level + 1
  local outer, info = level, getinfo and getinfo(level, "l")
  while info and info.currentline < 0 do
    outer = outer + 1
    info = getinfo(outer, "l")
  end
  error(message, info and outer or level)
end
