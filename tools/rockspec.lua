-- rockspec.lua [--write]: fails unless the rockspecs list the files that exist, and all. --write makes it so.

local BLOCK = "(%-%- files:[^\n]*\n)(.-)([ ]*%-%- end of files)"

local sources = dofile "tools/sources.lua"
local files = sources.find

local function module_of(file)
  return (file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function belongs_to_sandbox(file) return module_of(file):match "^datasession%.sandbox" ~= nil end

local function lua_files(of_sandbox)
  local lines = {}
  for _, file in ipairs(files "lua -name '*.lua'") do
    if belongs_to_sandbox(file) == of_sandbox then
      lines[#lines + 1] = ("    [%q] = %q,\n"):format(module_of(file), file)
    end
  end
  return table.concat(lines)
end

-- False: the rockspec lists something else.
local function check(rockspec, wanted)
  local text = sources.read(rockspec)
  if select(2, text:match(BLOCK)) == wanted then return true end
  if arg[1] ~= "--write" then
    io.stderr:write(rockspec, " does not list the files that exist: make rockspec\n")
    return false
  end
  text = text:gsub(BLOCK, function(first, _, last) return first .. wanted .. last end)
  local file = assert(io.open(rockspec, "w"))
  file:write(text)
  file:close()
  return true
end

local ok = check("datasession-scm-1.rockspec", lua_files(false))
ok = check("packaging/datasession-sandbox-scm-1.rockspec", lua_files(true)) and ok
os.exit(ok)
