-- embed.lua: prints a C file that holds the client's Lua files: the table of csrc/host/lua_modules.h. The
-- command and the sandbox are not among them.

local FILES = "lua -name '*.lua' ! -path 'lua/datasession/sandbox*' ! -path 'lua/datasession/command*'"
local A_LINE = 26 -- numbers in a line, at most 4 columns each

local sources = dofile "tools/sources.lua"

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function numbers(text)
  local lines = {}
  for at = 1, #text, A_LINE do
    lines[#lines + 1] = table.concat({ text:byte(at, at + A_LINE - 1) }, ",")
  end
  return table.concat(lines, ",\n")
end

local paths = sources.find(FILES)
table.sort(paths, function(a, b) return module_of(a) < module_of(b) end)
local rows = {}
print '/* Written by tools/embed.lua. */\n#include "host/lua_modules.h"\n'
for i, path in ipairs(paths) do
  local text = sources.read(path)
  print(("/* %s */\nstatic const unsigned char lua_text_%d[] = {\n%s};\n"):format(path, i, numbers(text)))
  rows[i] = ('    {"%s", "@%s", lua_text_%d, sizeof lua_text_%d},'):format(module_of(path),
    path:gsub("^lua/", ""), i, i)
end
assert(rows[1]:find '"datasession",', "the module datasession comes first")
print(("const struct lua_module lua_modules[] = {\n%s\n    {0, 0, 0, 0}};"):format(table.concat(rows, "\n")))
