--- Raises for a mistake in what a program passed to a function in C, which Lua code checks for that function.

local getinfo = debug and debug.getinfo

--- Raises where the program called the function in C: at the first line outside it.
-- @param message string
return function(message)
  local level = 2
  local info = getinfo and getinfo(level, "Sl")
  while info and info.what ~= "C" do
    level = level + 1
    info = getinfo(level, "Sl")
  end
  while info and info.currentline < 0 do
    level = level + 1
    info = getinfo(level, "Sl")
  end
  error(message, info and level or 0)
end
