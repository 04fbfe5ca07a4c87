--- Writes the values that a lua-cjson would damage: long integers, floats, large keys, empty arrays. Rejects
-- those that JSON cannot represent: NaN, infinity, strings that are not UTF-8.
--
-- The value is inspected first, by C and then, if that finds anything unusual, here. If something in it would
-- be damaged, this file encodes a copy with marked strings instead, and then replaces each marked string by
-- the right text.

local core = require("datasession.core")
local guard = require("datasession.internal.codec.guard")
local lua = require "datasession.internal.lua"

local math, utf8 = lua.math, lua.utf8

local format, gsub = string.format, string.gsub
local huge = math.huge
local isPlain, numberText = core.isPlain, core.numberText
local utf8length = utf8.len

local MAX_DEPTH = 1000
local LARGE = 1e14                        -- from here on "%.14g" turns integers into floats
local PLAIN = 1e21                        -- whole floats below it have no exponent, as in JavaScript
local MAX_INDEX = 2147483647              -- lua-cjson counts array indexes in a C int
local MARKS = guard.MARKS

local mathType = math.type or function(value)
  return type(value) == "number" and "float" or nil
end

--- True if the fourteen digits that every lua-cjson writes are certainly enough: for a double that is the
-- nearest to n / 10^6, with an integer n of at most fourteen digits. That covers most numbers without
-- writing them twice, as the full test does.
local function isShort(value)
  local scaled = value * 1e6
  return scaled % 1 == 0 and scaled < LARGE and scaled > -LARGE and scaled / 1e6 == value
end

--- The text of a number that the codec would damage; nil when the codec writes it right.
local function exactText(self, value)
  if isShort(value) then return nil end
  if mathType(value) == "integer" then
    local writesIt = self.can.writesIntegers or value < LARGE and value > -LARGE
    return not writesIt and format("%d", value) or nil
  end
  local needsDigits = value % 1 == 0 and (value >= LARGE or value <= -LARGE)
    and value < PLAIN and value > -PLAIN
  if not needsDigits and (self.can.writesFloats or tonumber(format("%.14g", value)) == value) then
    return nil
  end
  return numberText(value)
end

--- The text of a key that the codec would damage, or count wrongly as an index; else nil.
local function exactKey(self, key)
  if mathType(key) == "integer" and key > MAX_INDEX then return format("%d", key) end
  return exactText(self, key)
end

--- True if a table is an empty array that the codec would write as {}.
local function isBareArray(self, value)
  return next(value) == nil and self.emptyMetas[getmetatable(value) or false]
end

--- The text that a copy holds for a value; nil: the value may stay.
local function substitute(self, value, kind)
  if kind == "number" then return exactText(self, value) end
  if kind == "table" and isBareArray(self, value) then return "[]" end
end

--- The place of a value, for a message; "" for the top value.
local function placeText(key)
  if key == nil then return "" end
  local text = type(key) == "number" and numberText(key) or tostring(key)
  text = gsub(text, utf8length(text) and "%c" or "[%c\128-\255]", "?")
  return #text > 40 and format(" (at key %s...)", gsub(text:sub(1, 40), "[\192-\255][\128-\191]*$", ""))
    or format(" (at key %s)", text)
end

--- False for a string that JSON cannot represent.
local function isText(self, value)
  return type(value) ~= "string" or self.anyBytes or utf8length(value) ~= nil
end

local function notUTF8(key) return "a string that is not UTF-8 has no JSON" .. placeText(key) end

--- True if the codec would damage a number, at a key or, nil, at the top. nil and a message: JSON cannot
-- represent it.
local function isDamaged(self, key, number)
  if number ~= number or number == huge or number == -huge then
    return nil, "NaN and infinity have no JSON" .. placeText(key)
  end
  return exactText(self, number) ~= nil
end

--- Inspects the members of one table and puts tables on the worklist. Returns true if the codec would damage
-- something, and the new length of the list; nil and a message.
local function inspectMembers(self, t, depth, tables, depths, n)
  local damaged = isBareArray(self, t)
  for key, value in next, t do
    local kind = type(value)
    if kind == "table" then
      n = n + 1
      tables[n], depths[n] = value, depth + 1
    elseif kind == "number" and not isShort(value) then
      local found, message = isDamaged(self, key, value)
      if found == nil then return nil, message end
      damaged = damaged or found
    elseif not isText(self, value) then
      return nil, notUTF8(key)
    end
    if not isText(self, key) then return nil, notUTF8(key) end
    if type(key) == "number" and not (key >= 1 and key <= MAX_INDEX and key % 1 == 0) then
      if key == huge or key == -huge then return nil, "infinity cannot be a key" end
      damaged = damaged or exactKey(self, key) ~= nil
    end
  end
  return damaged or false, n
end

--- Inspects a value. True if the codec would damage something in it; nil and a message: JSON cannot represent
-- it.
local function inspect(self, root)
  local tables, depths, n, damaged = { root }, { 1 }, 1, false
  while n > 0 do
    local depth = depths[n]
    if depth > MAX_DEPTH then
      return nil, format("nested deeper than %d levels, or a table that holds itself", MAX_DEPTH)
    end
    local found, more = inspectMembers(self, tables[n], depth, tables, depths, n - 1)
    if found == nil then return nil, more end
    damaged, n = damaged or found, more
  end
  return damaged
end

--- A copy in which all that the codec would damage is a string that begins with `mark`, and
-- the number of those strings.
local function markedCopy(self, root, mark)
  local copy, count = {}, 0
  local sources, targets, n = { root }, { copy }, 1
  while n > 0 do
    local source, target = sources[n], targets[n]
    n = n - 1
    local meta = getmetatable(source)
    if meta and self.libraryMetas[meta] then setmetatable(target, meta) end
    for key, value in next, source do
      local kind = type(value)
      local text = substitute(self, value, kind)
      if text then
        value, count = mark .. text, count + 1
      elseif kind == "table" then
        n = n + 1
        local member = {}
        sources[n], targets[n], value = value, member, member
      end
      target[type(key) == "number" and exactKey(self, key) or key] = value
    end
  end
  return copy, count
end

--- Encodes by way of a marked copy. A string of the value that looks like a marked one shows in
-- the count; then the next mark is tried.
local function encodeMarked(self, value)
  for i = 1, #MARKS do
    local copy, count = markedCopy(self, value, MARKS[i])
    local text, message = self.json.encode(copy)
    if not text then return nil, message end
    local exact, found = gsub(text, '"' .. MARKS[i] .. '([^"]*)"', "%1")
    if found == count then return exact end
  end
  return nil, "strings that are not UTF-8"
end

local exact = {}

--- Encodes a value.
-- @param self the codec: `anyBytes`, true when strings need not be UTF-8; `json`, its lua-cjson; `can`, what
--   that does right; `emptyMetas`, a set of the metatables of arrays that it would write as {} when empty;
--   `libraryMetas`, of those it knows
-- @return the text; or nil and a message
function exact.encode(self, value)
  local kind, can = type(value), self.can
  if kind == "table" and isPlain(value, can.writesIntegers, can.writesFloats) then
    return self.json.encode(value)
  end
  if not isText(self, value) then return nil, notUTF8() end
  if kind == "number" then
    local found, message = isDamaged(self, nil, value)
    if found == nil then return nil, message end
  end
  local text = substitute(self, value, kind)
  if text then return text end
  if kind == "table" then
    local damaged, message = inspect(self, value)
    if damaged == nil then return nil, message end
    if damaged then return encodeMarked(self, value) end
  end
  return self.json.encode(value)
end

return exact
