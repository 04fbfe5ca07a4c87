--- Makes text of functions and of plain values, to bring them from the host's Lua state into the server's.
local raise = require "datasession.internal.raise"

local dump = {}

-- The first local of the outside that a function uses; nil: none. Globals are no such local.
local function outside(f)
  local count, globals = debug.getinfo(f, "u").nups, 0
  for i = 1, count do
    local name, value = debug.getupvalue(f, i)
    if name ~= "_ENV" and not rawequal(value, _G) then return name end
    globals = globals + 1
    if globals > 1 then return name end -- the server's state sets the first one alone
  end
end

--- The code of a function; raises when it cannot go.
-- @param what string: what the message calls it, as "argument 'handler'"
-- @param level integer, as for `error`
function dump.code(what, f, level)
  if type(f) ~= "function" then
    raise(("bad %s: function expected, got %s"):format(what, type(f)), level + 1)
  end
  local name = debug.getinfo(f, "S").what ~= "C" and outside(f)
  if name then
    raise(("bad %s: it uses the local '%s' from outside, which the server's own Lua state does not have: " ..
      "give values in the argument 'state', and require modules inside the function"):format(what, name),
      level + 1)
  end
  local ok, code = pcall(string.dump, f)
  if not ok then raise(("bad %s: function in Lua expected, got one in C"):format(what), level + 1) end
  return code
end

local PLAIN = { ["nil"] = true, boolean = true }

-- LuaJIT's %q writes strings alone, and puts numbers into quotation marks.
local function number(value)
  local text = ("%q"):format(value)
  return text:find '^"' and ("%.17g"):format(value) or text
end

local function literal(value, place, within)
  if type(value) == "number" then return number(value) end
  if type(value) == "string" then return ("%q"):format(value) end
  if PLAIN[type(value)] then return tostring(value) end
  if type(value) ~= "table" then
    error({ ("%s is a %s"):format(place, type(value)) })
  end
  if within[value] then error { place .. " contains itself" } end
  within[value] = true
  local parts = {}
  for key, member in pairs(value) do
    local name = ("%s[%s]"):format(place, type(key) == "string" and ("%q"):format(key) or tostring(key))
    parts[#parts + 1] = ("[%s]=%s"):format(literal(key, name, within), literal(member, name, within))
  end
  within[value] = nil
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A chunk that returns a copy of a table of plain values; raises for values of other kinds.
-- @param what string: what the message calls it
-- @param value table or nil, which stands for an empty one
-- @param level integer, as for `error`
function dump.values(what, value, level)
  if value ~= nil and type(value) ~= "table" then
    raise(("bad %s: table expected, got %s"):format(what, type(value)), level + 1)
  end
  local ok, text = pcall(literal, value or {}, "state", {})
  if ok then return "return " .. text end
  raise(("bad %s: strings, numbers, booleans and tables of them expected, but %s"):format(what,
    type(text) == "table" and text[1] or tostring(text)), level + 1)
end

return dump
