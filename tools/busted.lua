-- busted in the interpreter that runs this file: valgrind and the sanitizers need that process itself,
-- while `busted --lua=X` starts it as a child. It ends by leaving the script or by os.exit(code, true):
-- either closes the Lua state, so leaks of what lua_close should free are seen.
io.stdout:setvbuf "line" -- a leak report ends the process without flushing
require "busted.runner" { standalone = false }
