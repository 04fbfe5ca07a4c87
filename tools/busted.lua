-- busted in the interpreter that runs this file: valgrind and the sanitizers need that process itself,
-- while `busted --lua=X` starts it as a child. It ends by leaving the script or by os.exit(code, true):
-- either closes the Lua state, so leaks of what lua_close should free are seen.
io.stdout:setvbuf "line" -- a leak report ends the process without flushing

-- DATASESSION_COLLECTOR=generational; or eager: a whole cycle at once, each time that the heap has grown by 4
-- %. (At every allocation, with busted's own heap, the suite would take hours: that is what
-- spec/suites/torture does.)
local collector = os.getenv "DATASESSION_COLLECTOR"
if collector == "generational" then
  collectgarbage "generational"
elseif collector == "eager" then
  local STEP_BYTES_LOG2 = 30
  collectgarbage("incremental", 104, 1000, STEP_BYTES_LOG2)
elseif collector then
  error("DATASESSION_COLLECTOR: expected generational or eager, got " .. collector)
end

-- DATASESSION_LOCALE=NAME:before or NAME:after: the locale of the suite, set before the modules are loaded or
-- once they have read and written numbers. Where there is none of that name the suite fails. The system's
-- messages stay English.
local name, when = (os.getenv "DATASESSION_LOCALE" or ""):match "^(.+):(.-)$"
if when == "after" then
  local codec = require "datasession.internal.codec"
  assert(codec.encode(assert(codec.decode "[1.5]")) == "[1.5]")
end
for _, category in ipairs(name and { "collate", "ctype", "monetary", "numeric", "time" } or {}) do
  assert(os.setlocale(name, category), "there is no locale " .. name)
end

require "busted.runner" { standalone = false }
