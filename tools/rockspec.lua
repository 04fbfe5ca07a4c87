-- rockspec.lua [--write]: fails unless the rockspecs list the files that exist, and all. --write makes it so.

local BLOCK = "(%-%- files:[^\n]*\n)(.-)([ ]*%-%- end of files)"

local sources = dofile "tools/sources.lua"
local files = sources.find

local function module_of(file)
  return (file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function belongs_to_sandbox(file) return module_of(file):match "^datasession%.sandbox" ~= nil end

local function add_lua(lines, of_sandbox)
  for _, file in ipairs(files "lua -name '*.lua'") do
    if belongs_to_sandbox(file) == of_sandbox then
      lines[#lines + 1] = ("    [%q] = %q,"):format(module_of(file), file)
    end
  end
end

local function client()
  local lines = {}
  add_lua(lines, false)
  lines[#lines + 1] = '    ["datasession.core"] = {\n      sources = {'
  for _, file in ipairs(files "csrc -name '*.c' ! -path 'csrc/sandbox/*' ! -path 'csrc/host/*'") do
    lines[#lines + 1] = ("        %q,"):format(file)
  end
  lines[#lines + 1] = [[
      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "csrc", "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl", "pthread" },
    },]]
  return table.concat(lines, "\n") .. "\n"
end

local function sandbox()
  local lines = {}
  add_lua(lines, true)
  return table.concat(lines, "\n") .. "\n"
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

local ok = check("datasession-scm-1.rockspec", client())
ok = check("packaging/datasession-sandbox-scm-1.rockspec", sandbox()) and ok
os.exit(ok)
