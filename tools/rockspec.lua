-- rockspec.lua [--write]: does the rockspec list the files that exist, and all? --write makes it so.

local ROCKSPEC = "datasession-scm-1.rockspec"
local BLOCK = "(%-%- files:[^\n]*\n)(.-)([ ]*%-%- end of files)"

local function files(where)
  local names = {}
  for name in assert(io.popen("find " .. where .. " | LC_ALL=C sort")):lines() do names[#names + 1] = name end
  return names
end

local function listing()
  local lines = {}
  local function add(...) lines[#lines + 1] = string.format(...) end
  for _, file in ipairs(files "lua -name '*.lua'") do
    local module = file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    add("    [%q] = %q,", module, file)
  end
  add '    ["datasession.core"] = {'
  add "      sources = {"
  for _, file in ipairs(files "csrc -name '*.c' ! -path 'csrc/sandbox/*'") do add("        %q,", file) end
  add "      },"
  add '      defines = { "_GNU_SOURCE" },'
  add '      incdirs = { "csrc", "$(CURL_INCDIR)" },'
  add '      libdirs = { "$(CURL_LIBDIR)" },'
  add '      libraries = { "curl", "pthread" },'
  add "    },"
  return table.concat(lines, "\n") .. "\n"
end

local file = assert(io.open(ROCKSPEC))
local text = file:read "a"
file:close()
local wanted, found = listing(), select(2, text:match(BLOCK))
if found == wanted then return end

if arg[1] ~= "--write" then
  io.stderr:write(ROCKSPEC, " does not list the files that exist: make rockspec\n")
  os.exit(1)
end
text = text:gsub(BLOCK, function(first, _, last) return first .. wanted .. last end)
file = assert(io.open(ROCKSPEC, "w"))
file:write(text)
file:close()
