-- Under Lua 5.3 and LuaJIT: what specs, their children and examples use of Lua 5.4. spec/support/older.lua
-- runs it in the process of the specs; LUA_INIT, which spec/support/child.lua sets, in their children. Does
-- nothing under 5.4.
if _VERSION >= "Lua 5.4" then return end

local isJit = rawget(_G, "jit") ~= nil

local original = { loadfile = loadfile, load = load, popen = io.popen, assert = assert }

if isJit then
  require "compat53"
  rawset(_G, "assert", original.assert) -- whose errors are of the line that calls it
end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local text = file:read "*a"
  file:close()
  return text
end

-- LuaJIT lacks operators, here of names and small numbers as specs have, and finalisers of tables.
local function jitText(text)
  text = text:gsub([[([%s({,])#([%a_][%w_.]*)%f[^%w_.:(%[]( *["'{]?)]], function(before, name, after)
    if after:find "[\"'{]" then return end -- a call
    return ("%solder.length(%s)%s"):format(before, name, after) -- LuaJIT's # ignores __len
  end)
  text = text:gsub("%f[%w_.]setmetatable(%({}, { __gc)", "older.setmetatable%1") -- tables have no finaliser
  text = text:gsub("(#?[%a_][%w_.]*) // ([%w_.]+)", "math.floor(%1 / %2)")
  text = text:gsub("older.length(%b()) // ([%w_.]+)", "math.floor(older.length%1 / %2)")
  text = text:gsub("1 << 20", "1048576")
  return (text:gsub("(flags) & ([%w_.]+)", "bit.band(%1, %2)"))
end

-- Variables of an older Lua have no attributes. These specs do not test what closing them does, or they are
-- skipped.
local function translate(text)
  text = text:gsub("^#[^\n]*", "")
  text = text:gsub("%f[%w_]local%s+[%w_][^=\n]*<%l+>[^=\n]*", function(names)
    return (names:gsub("%s*<%l+>", ""))
  end)
  text = text:gsub("%f[%w_.]warn(%(? ?[\"']@)", "older.warn%1")
  return isJit and jitText(text) or text
end

local older = { translate = translate, skip = function(_, text) return text end }

-- The library's own warnings, where the program has no function `warn`.
function older.warn(...) return require("datasession.internal.lua").warn(...) end

function older.length(list)
  local meta = debug.getmetatable(list)
  if type(list) == "table" and meta and meta.__len then return meta.__len(list) end
  return #list
end

function older.setmetatable(...) return require("datasession.internal.lua").setmetatable(...) end

local function isOurs(path)
  return path:find "%f[%w]spec/" or path:find "%f[%w]examples/" or path:find "%f[%w]tools/"
end

local function loader(path, ...)
  if not path or not isOurs(path) then return original.loadfile(path, ...) end
  local text, message = read(path)
  if not text then return nil, message end
  return original.load(older.skip(path, translate(text)), "@" .. path, ...)
end

local function doer(path) return assert(loader(path))() end

-- For the examples in docs, and no other text.
local function textLoader(text, name, ...)
  if type(name) == "string" and name:find "%.md$" then text = translate(text) end
  return original.load(text, name, ...)
end

-- LuaJIT's pipes return no status when they are closed.
local function popen(command, mode)
  if command:find "PPID" then return original.popen(command, mode) end
  local name = os.tmpname()
  local quoted = "'" .. command:gsub("'", "'\\''") .. "'"
  local pipe, message = original.popen(("sh -c %s; echo $? >%s"):format(quoted, name), mode)
  if not pipe then return nil, message end
  local self = setmetatable({}, { __index = function(made, method)
    made[method] = function(_, ...) return pipe[method](pipe, ...) end
    return made[method]
  end })
  function self.close()
    pipe:close()
    local code = tonumber(read(name))
    os.remove(name)
    return code == 0 or nil, "exit", code
  end
  return self
end

-- busted gives this file an environment of its own.
for name, value in pairs { loadfile = loader, dofile = doer, load = textLoader, older = older } do
  rawset(_G, name, value)
end
if isJit then rawset(io, "popen", popen) end

return older
