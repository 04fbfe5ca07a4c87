--- The one file of the Lua half that knows which Lua this is. It hands out what 5.3 and LuaJIT lack; under
-- 5.4 and later each field is Lua's own.
--
-- Nothing here changes a global. Files take what they use into locals of the same name.
local lua = {
  math = math, table = table, utf8 = utf8, setmetatable = setmetatable, running = coroutine.running,
  tostring = tostring,
  pairs = pairs, -- with __pairs
}

--- `#list`, with __len.
function lua.length(list) return #list end

function lua.sethook(...) debug.sethook(...) end

--- False if the lower case of I may not be i in this locale.
function lua.lowersI() return ("I"):lower() == "i" end

local find = string.find

--- The place of the first zero byte of a text, or nil.
function lua.zero(text) return find(text, "\0", 1, true) end

if not lua.zero "\0" then -- compat53 under LuaJIT, whose find takes a zero byte for the pattern %z
  function lua.zero(text) return find(text, "%z") end
end

local CLOSES = "return function(guard, f, ...) local _ <close> = guard return f(...) end"

local make = load(CLOSES)

--- Calls f(...), and then guard's metamethod __close, however the call ends: also when the coroutine that it
-- waits in is closed. Returns its results.
-- @param guard table with __close; false or nil: none
lua.closing = make and make()

if lua.closing then
  function lua.warn(...) warn(...) end -- the program may replace it
  return lua
end

-- ---- 5.3 and LuaJIT: neither <close> nor warn

local select, pcall, error = select, pcall, error

local function ended(guard, ok, ...)
  if guard then debug.getmetatable(guard).__close(guard, not ok and (...) or nil) end
  if ok then return ... end
  error((...), 0)
end

function lua.closing(guard, f, ...) return ended(guard, pcall(f, ...)) end

local SWITCHES = { ["@on"] = true, ["@off"] = false }
local switch = "datasession.warning" -- in the registry, for the C half; see compat.h

function lua.warn(...)
  if rawget(_G, "warn") then return rawget(_G, "warn")(...) end
  local text, registry = table.concat { ... }, debug.getregistry()
  if SWITCHES[text] ~= nil and select("#", ...) == 1 then
    registry[switch] = SWITCHES[text]
  elseif registry[switch] ~= false and text:sub(1, 1) ~= "@" then
    io.stderr:write("Lua warning: ", text, "\n")
  end
end

if not rawget(_G, "jit") then -- 5.3 takes the halves of surrogate pairs for characters
  local length = utf8.len
  lua.utf8 = setmetatable({
    len = function(text, ...)
      local at = text:find "\237[\160-\191]"
      if at then return nil, at end
      return length(text, ...)
    end,
  }, { __index = utf8 })
  return lua
end

-- ---- LuaJIT: numbers are floats, and integers exact to 2^53

local jit = rawget(_G, "jit")

-- There compiled code calls no hook: while one is set, nothing is compiled.
function lua.sethook(hook, ...)
  if hook then jit.off() else jit.on() end
  debug.sethook(hook, ...)
end

local floor, char = math.floor, string.char
local newproxy, unpack = rawget(_G, "newproxy"), rawget(_G, "unpack")
local LARGEST = 2 ^ 53

local function isInteger(value) return floor(value) == value and value >= -LARGEST and value <= LARGEST end

lua.math = setmetatable({
  maxinteger = LARGEST, mininteger = -LARGEST,
  type = function(value)
    if type(value) ~= "number" then return nil end
    return isInteger(value) and "integer" or "float"
  end,
  tointeger = function(value)
    if type(value) ~= "number" then value = tonumber(value) end
    return value and isInteger(value) and value or nil
  end,
}, { __index = math })

lua.table = setmetatable({
  pack = function(...) return { n = select("#", ...), ... } end,
  unpack = unpack,
}, { __index = table })

--- Integers with all their digits.
function lua.tostring(value)
  return lua.math.type(value) == "integer" and ("%d"):format(value) or tostring(value)
end

-- There `lower` knows no locale; lua-cjson does.
function lua.lowersI() return os.setlocale(nil, "ctype") == "C" end

-- There a table has no finaliser: a userdata in it has one.
local FINALISER = newproxy(false)

function lua.setmetatable(object, meta)
  if meta and meta.__gc and not rawget(object, FINALISER) then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() meta.__gc(object) end
    rawset(object, FINALISER, proxy)
  end
  return setmetatable(object, meta)
end

-- There `pairs` and `#` ignore the metamethods of tables.
function lua.pairs(object)
  local meta = debug.getmetatable(object)
  if meta and meta.__pairs then return meta.__pairs(object) end
  return pairs(object)
end

function lua.length(list)
  local meta = debug.getmetatable(list)
  return meta and meta.__len and meta.__len(list) or #list
end

local MAIN = {}

function lua.running() return coroutine.running() or MAIN end

lua.utf8 = { charpattern = "[%z\1-\127\194-\253][\128-\191]*" }

local function charOf(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  local last = char(0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  if code < 0x10000 then return char(0xE0 + floor(code / 4096)) .. last end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64) .. last
end

function lua.utf8.char(...)
  local pieces = { ... }
  for i, code in ipairs(pieces) do pieces[i] = charOf(code) end
  return table.concat(pieces)
end

local FIRST = { 0, 0x80, 0x800, 0x10000 } -- the least code of so many bytes

-- The code of the character at a place, and its bytes; nil: there is none.
local function decode(text, at)
  local first = text:byte(at)
  if first < 0x80 then return first, 1 end
  local size = first >= 0xF0 and 4 or first >= 0xE0 and 3 or 2
  if first < 0xC2 or first > 0xF4 then return nil end
  local code = first % 2 ^ (7 - size)
  for i = at + 1, at + size - 1 do
    local byte = text:byte(i)
    if not byte or byte < 0x80 or byte > 0xBF then return nil end
    code = code * 64 + byte % 64
  end
  if code < FIRST[size] or code > 0x10FFFF or code >= 0xD800 and code <= 0xDFFF then return nil end
  return code, size
end

function lua.utf8.len(text)
  local count, at = 0, 1
  while at <= #text do
    local code, size = decode(text, at)
    if not code then return nil, at end
    count, at = count + 1, at + size
  end
  return count
end

function lua.utf8.codepoint(text, at) return (decode(text, at or 1)) end

--- As Lua's, for n of 1 and more.
function lua.utf8.offset(text, n)
  local at = 1
  for _ = 2, n do
    if at > #text then return nil end
    local _, size = decode(text, at)
    at = at + (size or 1)
  end
  return at
end

return lua
