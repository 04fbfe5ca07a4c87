std = "lua54"
max_line_length = 110
self = false -- a method need not use its self
files["spec"] = { std = "+busted" }
files[".busted"] = { std = "lua54" }
files["lua"] = { std = "luajit" } -- what 5.3 and LuaJIT lack comes from internal/lua.lua
files["lua/datasession/internal/lua.lua"] = { read_globals = { "utf8", "warn" } }
files["examples/love"] = { std = "luajit+love" }
