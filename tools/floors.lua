-- floors.lua [--arrows]: fails for each #include and each require that the order below does not allow.
-- --arrows: prints the folders and what they use, one `FROM TO` a line, for tools/picture.lua.

-- A folder may use itself and the folders that its line names. Nothing else: so no arrow goes up, and no two
-- protocols know each other. "protocol/*" is each folder in csrc/protocol, "module" is csrc/module.c.
local MAY_USE = {
  C = {
    net = {},
    runtime = { "net" },
    session = { "runtime", "net" },
    catalog = { "session", "runtime", "net" },
    store = { "session", "runtime", "net" },
    ["protocol/*"] = { "session", "runtime", "net" },
    protocol = { "protocol/*", "session" },
    module = { "protocol", "protocol/datasnap", "protocol/jsdo", "protocol/lua", "store", "catalog",
      "session", "runtime", "net" },
    host = { "runtime" },
    sandbox = {},
  },
  -- A folder of lua/ may require these modules, by their beginning. "core" is datasession.core.
  Lua = {
    ["datasession.internal"] = { "datasession.internal", "datasession.core", "datasession.store",
      "datasession.catalog" },
    ["datasession.internal.data"] = { "datasession.internal", "datasession.internal.data", "datasession.core",
      "datasession.store", "datasession.date" },
    ["datasession.sandbox"] = { "datasession.sandbox", "datasession.internal" },
    ["datasession.command"] = { "datasession.command", "datasession", "datasession.internal" },
    ["datasession"] = { "datasession" },
  },
}

-- The one header of runtime that the sandbox may include.
local FOR_SANDBOX = { ["runtime/compat.h"] = true }

-- The headers of session that a protocol may include, beside all public ones of runtime and net.
local FOR_PROTOCOLS = { ["session/protocol.h"] = true }

local sources = dofile "tools/sources.lua"
local files, read = sources.find, sources.read

local wrong, arrows = {}, {}

local function note(...) wrong[#wrong + 1] = string.format(...) end

local function folder_of(path) return path:match "^(.*)/[^/]*$" or "module" end

local function allowed(list, name)
  for _, one in ipairs(list) do
    if one == name or one == name:gsub("/%w+$", "/*") then return true end
  end
end

local function check_include(path, from, header)
  local to = folder_of(header)
  if to == from then return end
  arrows[from .. " " .. to] = true
  local list = MAY_USE.C[from:gsub("/%w+$", "/*")]
  if not list then
    note("%s: the folder %s is not in the order of tools/floors.lua", path, from)
  elseif not allowed(list, to) and not (from == "sandbox" and FOR_SANDBOX[header]) then
    note("%s includes %s: %s may not use %s", path, header, from, to)
  elseif from:match "^protocol/" and to == "session" and not FOR_PROTOCOLS[header] then
    note("%s includes %s: of session a protocol includes protocol.h alone", path, header)
  end
end

local function check_c()
  for _, path in ipairs(files "csrc -name '*.[ch]'") do
    local from = folder_of(path:gsub("^csrc/", ""))
    for header in read(path):gmatch '#include "([^"]+)"' do check_include(path, from, header) end
  end
end

local function begins(name, with) return name == with or name:sub(1, #with + 1) == with .. "." end

-- The longest of the folders in the order that `module` belongs to.
local function place_of(module)
  local best
  for name in pairs(MAY_USE.Lua) do
    if begins(module, name) and (not best or #name > #best) then best = name end
  end
  return best
end

-- A folder in another one is a floor of its own: the name of the outer folder does not stand for it.
local function check_require(path, place, wanted)
  if not begins(wanted, "datasession") then return end
  for _, name in ipairs(MAY_USE.Lua[place]) do
    local exact = not MAY_USE.Lua[name] or place == "datasession" or name == place_of(wanted)
    if begins(wanted, name) and exact then return end
  end
  note("%s requires %s: %s may not use it", path, wanted, place)
end

local function check_lua()
  for _, path in ipairs(files "lua -name '*.lua'") do
    local place = place_of((path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")))
    for wanted in read(path):gmatch "require%s*%(?%s*[\"']([%w_.]+)" do check_require(path, place, wanted) end
  end
end

check_c()
check_lua()
if arg[1] == "--arrows" then
  local lines = {}
  for arrow in pairs(arrows) do lines[#lines + 1] = arrow end
  table.sort(lines)
  print(table.concat(lines, "\n"))
  return
end
for _, line in ipairs(wrong) do io.stderr:write(line, "\n") end
os.exit(#wrong == 0)
