--- JSON through lua-cjson, with the numbers and the empty arrays that a JSON user expects.
--
-- lua-cjson parses and writes. Some of its versions damage values: the one that Linux distributions ship
-- reads every number as a float and writes fourteen digits; newer ones read 18446744073709551616 as
-- 9223372036854775807; all of them shorten 0.1 + 0.2, and the old ones cannot tell [] from {}. This file
-- tests once what the installed codec damages, and repairs only that. It contains no parser:
--
-- * decoding: a token that would be damaged is turned into a marked string before the codec
--   sees it (codec/guard.lua), and the mark is looked up in the decoded tables afterwards;
-- * encoding: the same the other way round, in a copy of the value, made only when needed
--   (codec/exact.lua);
-- * the locale: lua-cjson goes by the one in which it was loaded, which may change (locale.lua).

local cjson = require("cjson.safe")
local core = require("datasession.core")
local exact = require("datasession.internal.codec.exact")
local guard = require("datasession.internal.codec.guard")
local locale = require("datasession.internal.locale")
local lua = require "datasession.internal.lua"

local math, table, utf8 = lua.math, lua.table, lua.utf8

local getmetatable, type = getmetatable, type
local find, format, gsub = string.find, string.format, string.gsub
local match, sub = string.match, string.sub
local concat = table.concat
local floor = math.floor
local tointeger = math.tointeger
local unicode = utf8

local HAS_INTEGERS = math.maxinteger > 2 ^ 53 -- false in LuaJIT: there is no integer to keep exact
local MAX_DEPTH = 1000
local FIFTEEN_DIGITS = 1e15               -- integers below it survive a double; longer ones are guarded
local BOM = "\239\187\191"
local EMPTY = guard.EMPTY

-- The metatable of arrays where the library has none of its own, and the constant empty array.
local ownArray = { __name = "datasession.array" }
local ownEmptyArray = {
  __name = "datasession.emptyArray",
  __newindex = function() error("datasession.emptyArray is read-only: use datasession.array()", 2) end,
}

-- ## Capabilities of the installed codec

--- The only element of a decoded array, or nil.
local function onlyElement(json, text)
  local value = json.decode(text)
  return type(value) == "table" and value[1] or nil
end

--- Tests the codec on values that some versions damage: a table of booleans, true where the codec is right.
local function probe(json)
  local float = match(json.encode({ 0.1 + 0.2 }) or "", "^%[(.*)%]$")
  return {
    readsIntegers = not HAS_INTEGERS
      or math.type(onlyElement(json, "[10]")) == "integer"
        and tostring(onlyElement(json, "[9007199254740993]")) == "9007199254740993",
    readsHugeIntegers = onlyElement(json, "[18446744073709551616]") == 2 ^ 64
      and onlyElement(json, "[-18446744073709551616]") == -2 ^ 64,
    writesIntegers = json.encode({ 123456789012345 }) == "[123456789012345]",
    writesFloats = tonumber(float) == 0.1 + 0.2,
    keepsEmptyArrays = json.array_mt ~= nil and json.decode_array_with_array_mt ~= nil,
  }
end

--- The capabilities of a codec all of whose work is repaired.
local function nothingRight()
  return {
    readsIntegers = not HAS_INTEGERS, readsHugeIntegers = false,
    writesIntegers = false, writesFloats = false, keepsEmptyArrays = false,
  }
end

-- ## Decoding

--- True if the text holds the word -Infinity, which lua-cjson accepts in a locale where the lower case of I
-- is not i.
local function holdsInfinity(text)
  local at = not lua.lowersI() and find(text, "%-[Ii][Nn][Ff]")
  local afterString = at and guard.stringTracker(text)
  while at do
    if not afterString(at) then return at end
    at = find(text, "%-[Ii][Nn][Ff]", at + 1)
  end
end

--- Repairs the decoded tables in place: integral floats become integers, marked strings become the values
-- that they replace, arrays get their mark. Uses a worklist, since documents may be a thousand levels deep.
local function restore(self, root, marks)
  local pending, n = { root }, 1
  local mendsNumbers = not self.can.readsIntegers
  local arrayMeta = not self.can.keepsEmptyArrays and self.arrayMeta
  while n > 0 do
    local t = pending[n]
    n = n - 1
    local first = t[1]
    if first ~= nil then        -- an array: an object's keys are strings
      if arrayMeta then setmetatable(t, arrayMeta) end
      if marks and marks[first] == EMPTY then t[1] = nil end
    end
    for key, value in next, t do
      local kind = type(value)
      if kind == "table" then
        n = n + 1
        pending[n] = value
      elseif kind == "string" then
        local meant = marks and marks[value]
        if meant then t[key] = meant end
      elseif mendsNumbers and kind == "number" and value < FIFTEEN_DIGITS and value > -FIFTEEN_DIGITS then
        t[key] = tointeger(value) or value
      end
    end
  end
end

--- Repairs the decoded tables in place. Without marks C does it: most texts have none.
local function mend(self, root, marks)
  local arrayMeta = not self.can.keepsEmptyArrays and self.arrayMeta or nil
  if not marks and type(root) == "table" then
    core.mendTree(root, not self.can.readsIntegers, arrayMeta)
    return root
  end
  local holder = { root = root }      -- not an array: its only element may be anything
  if marks then
    restore(self, holder, marks)
  else
    core.mendTree(holder, not self.can.readsIntegers, arrayMeta)
  end
  return holder.root
end

--- Decodes a text with its tokens protected. Returns the value or nil, a message, and true if any was
-- protected.
local function attempt(self, text, careful)
  local guarded, marks = text, nil
  if #self.finders > 0 and core.holdsToken(text, self.longest + 1) then
    guarded, marks = guard.protect(text, self.finders, careful)
  end
  if not guarded then return nil, "the text is not UTF-8" end
  local value, message = self.json.decode(guarded)
  if value == nil then return nil, message, marks ~= nil end
  if self.walks or marks then value = mend(self, value, marks) end
  return value
end

-- lua-cjson's names for tokens.
local TOKENS = {
  T_OBJ_BEGIN = "'{'", T_OBJ_END = "'}'", T_ARR_BEGIN = "'['", T_ARR_END = "']'",
  T_COLON = "':'", T_COMMA = "','", T_STRING = "a string", T_NUMBER = "a number",
  T_INTEGER = "a number", T_BOOLEAN = "a boolean", T_NULL = "null", T_END = "the end of the text",
}

--- Rewrites the codec's message with line and column. Contains positions, never content.
local function explain(message, text)
  local position = tonumber(match(message, "at character (%d+)$"))
  message = gsub(gsub(message, "T_[A-Z_]+", TOKENS), "^Expected", "expected")
  if not position then return message end
  if find(message, "too many nested", 1, true) then
    message = format("nested deeper than %d levels at character %d", MAX_DEPTH, position)
  end
  local before = sub(text, 1, position - 1)
  local _, newlines = gsub(before, "\n", "\n")
  local lineStart = match(before, "^.*\n()") or 1
  return format("%s (line %d, column %d)", message, newlines + 1, position - lineStart + 1)
end

local function encode(self, value)
  local settled, message = locale.settle(self.json, self.library)
  if not settled then return nil, message end
  return exact.encode(self, value)
end

local function decode(self, text)
  if type(text) ~= "string" then
    error(format("bad argument #1 to 'decode' (string expected, got %s)", type(text)), 2)
  end
  if sub(text, 1, 3) == BOM then text = sub(text, 4) end
  local settled, problem = locale.settle(self.json, self.library)
  if not settled then return nil, problem end
  local zero = lua.zero(text)                 -- the codec would take it for the end of the text
  if zero then return nil, format("a zero byte at character %d", zero) end
  local infinity = holdsInfinity(text)
  if infinity then
    return nil, explain(format("expected value but found invalid token at character %d", infinity), text)
  end
  local value, message, guarded = attempt(self, text, false)
  if value == nil and guarded then value, message, guarded = attempt(self, text, true) end
  if value ~= nil then return value end
  if find(text, "^[ \t\r\n]*$") then return nil, "empty document" end
  if guarded then
    local _, plain = self.json.decode(text)    -- for a position in the text as it came
    message = plain or message
  end
  return nil, explain(message, text)
end

local function decodeRows(self, text, from, to, list, count)
  local rows, message = core.calmly(decode, self, "[" .. sub(text, from, to) .. "]")
  if not rows then return nil, message end
  table.move(rows, 1, #rows, count + 1, list)
  return count + #rows
end

-- ## Encoding for a header

--- The JSON escapes of a character outside ASCII.
local function escapeCharacter(sequence)
  local code = unicode.codepoint(sequence)
  if code < 0x10000 then return format("\\u%04x", code) end
  code = code - 0x10000
  return format("\\u%04x\\u%04x", 0xD800 + floor(code / 0x400), 0xDC00 + code % 0x400)
end

local function encodeHeader(self, value)
  local text, message = encode(self, value)
  if not text or not find(text, "[\128-\255]") then return text, message end
  return (gsub(text, "[\194-\244][\128-\191]+", escapeCharacter))
end

-- ## The codec as a whole

--- Phrases for the faults of the codec.
local function damages(can)
  local list = {}
  if not can.readsIntegers then list[#list + 1] = "reads integers as floats" end
  if not can.readsHugeIntegers then list[#list + 1] = "misreads integers beyond 64 bits" end
  if not can.writesIntegers then list[#list + 1] = "writes 14 digits of an integer" end
  if not can.writesFloats then list[#list + 1] = "shortens floats" end
  if not can.keepsEmptyArrays then list[#list + 1] = "has no empty array" end
  return list
end

local function describe(self)
  local list = damages(self.can)
  local name = format("lua-cjson %s", self.json._VERSION or "of unknown version")
  return {
    name = "lua-cjson",
    version = self.json._VERSION,
    exactIntegers = self.can.readsIntegers and self.can.writesIntegers,
    exactFloats = self.can.writesFloats,
    emptyArrays = self.can.keepsEmptyArrays,
    repaired = #list > 0,
    damages = list,
    verdict = #list == 0 and name .. ": exact"
      or format("%s %s; repaired here", name, gsub(concat(list, ", "), ", ([^,]*)$", " and %1")),
  }
end

--- An instance of lua-cjson with its own settings.
local function configured(library, can)
  local json = library.new()
  json.decode_max_depth(MAX_DEPTH)
  json.encode_max_depth(MAX_DEPTH)
  json.decode_invalid_numbers(false)       -- 0x10, 010, NaN: what JSON does not know is refused
  json.encode_number_precision(14)
  can = can or probe(json)
  if can.keepsEmptyArrays then json.decode_array_with_array_mt(true) end
  return json, can
end

--- The finders of the tokens that the codec damages, and the digits of the longest integer that it reads
-- right.
local function finders(can)
  local list, longest = {}, 18
  if not can.keepsEmptyArrays then list[1] = guard.nextEmptyArray end
  if HAS_INTEGERS and not can.readsIntegers then longest = 15 end
  if longest == 15 or not can.readsHugeIntegers then
    list[#list + 1] = guard.longIntegerFinder(longest + 1)
  end
  return list, longest
end

local codec = {}

--- Makes a separate codec over a lua-cjson library. It has all functions of this module but `new`.
-- @param library a table with `new`, as require("cjson.safe") returns it (that by default)
-- @param forceRepair boolean, false by default: mend everything, also what the library does
--   right, and leave nothing to the decoder in C; for tests of the repairs
-- @return the codec, a table
function codec.new(library, forceRepair)
  local json, can = configured(library or cjson, forceRepair and nothingRight())
  local tokens, longest = finders(can)
  local self = {
    json = json,
    library = library or cjson,
    can = can,
    finders = tokens,
    longest = longest,
    walks = not can.readsIntegers or not can.keepsEmptyArrays,
    arrayMeta = can.keepsEmptyArrays and json.array_mt or ownArray,
  }
  self.emptyMetas = { [ownArray] = true, [ownEmptyArray] = true }    -- ours to write as []
  self.libraryMetas = {}                                             -- the library's own marks
  if json.array_mt then self.libraryMetas[json.array_mt] = true end
  if json.empty_array_mt then self.libraryMetas[json.empty_array_mt] = true end
  local made = { null = json.null }
  local ofBytes = setmetatable({ anyBytes = true }, { __index = self })

  --- Stands for an empty array in a value to encode. Read-only.
  made.emptyArray = setmetatable({}, ownEmptyArray)

  --- Decodes a JSON text. Integers that fit 64 bits come out exactly, as integers; larger ones as floats
  -- (infinity beyond those); null as `codec.null`; arrays are marked as `codec.array` marks them. Where the
  -- library reads all numbers as floats, 10.0 and 1e1 come out as the integer 10 too.
  -- @param text string; raises for another type
  -- @return the value; or nil and a message, which tells the position and quotes nothing
  function made.decode(text) return decode(self, text) end

  --- Decodes the values that stand between two positions of a text, with commas between them, and adds them
  -- to a list, as `decode` decodes them. For the rows of large answers, in slices.
  -- @param text string; @param from, to integers, the first and the last position
  -- @param list table, an array of `count` elements
  -- @return the list's new length; or nil and a message
  function made.decodeRows(...) return decodeRows(self, ...) end

  --- Encodes a value as JSON. Integers are written in full, floats so that they read back the
  -- same, {} as an object unless marked as an array.
  -- @return the text; or nil and a message: NaN, infinity, strings that are not UTF-8, functions, more than
  --   1000 levels
  function made.encode(value) return encode(self, value) end

  --- As `encode`, but strings may hold any bytes: for a text that nothing but `decode` reads.
  function made.encodeBytes(value) return encode(ofBytes, value) end

  --- As `encode`, in printable ASCII: everything else is escaped as \uXXXX, so that the text can
  -- be the value of an HTTP header.
  -- @return the text; or nil and a message, also for strings that are not UTF-8
  function made.encodeHeader(value) return encodeHeader(self, value) end

  --- Marks a table as an array, so that it is encoded as [] when empty.
  -- @param t table, by default a new one; raises for one that has another metatable
  -- @return the table
  function made.array(t)
    t = t == nil and {} or t
    local meta = type(t) == "table" and getmetatable(t) or nil
    if type(t) ~= "table" or meta and meta ~= self.arrayMeta then
      error("bad argument #1 to 'array' (a table without a metatable expected)", 2)
    end
    return setmetatable(t, self.arrayMeta)
  end

  local arrayMeta, emptyArray = self.arrayMeta, made.emptyArray

  --- True if a value is marked as an array: decoded from one, made by `codec.array`, or `codec.emptyArray`.
  function made.isArray(value)
    return getmetatable(value) == arrayMeta or value == emptyArray
  end

  --- A description of the codec, for `datasession.version()`.
  -- @return a table: `name` and `version` of the library; `exactIntegers`, `exactFloats`,
  --   `emptyArrays`, booleans, whether the library does these right by itself; `repaired`,
  --   whether anything is mended here; `damages`, an array of phrases; `verdict`, one line of text
  function made.describe() return describe(self) end

  return made
end

local default = codec.new()
for name, member in pairs(default) do codec[name] = member end

return codec
