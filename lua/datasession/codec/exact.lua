--- Writing the values that a lua-cjson would damage: long integers, floats, large keys, empty arrays.
--
-- A value is looked through first. Where something in it would be damaged, a copy is encoded in
-- which marked strings stand for it, and the text of each is put in place of its string.

local guard = require("datasession.codec.guard")

local format, gsub = string.format, string.gsub
local huge = math.huge

local MAX_DEPTH = 1000
local LARGE = 1e14                        -- from here on "%.14g" turns integers into floats
local MAX_INDEX = 2147483647              -- lua-cjson counts array indexes in a C int
local MARKS = guard.MARKS

local mathType = math.type or function(value)
  return type(value) == "number" and "float" or nil
end

--- The digits of a float with the decimal point that JSON wants, whatever the locale's is.
local function floatText(value)
  for digits = 15, 17 do
    local text = format("%." .. digits .. "g", value)
    if tonumber(text) == value then return (gsub(text, "[^%d%+%-e]+", ".")) end
  end
end

--- Whether the fourteen digits that every lua-cjson writes are surely enough. A double that is the
-- nearest to n / 10^6, for an integer n of fourteen digits at most, is such a one: that covers
-- most numbers, without writing them twice as the full test does.
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
  if self.can.writesFloats or tonumber(format("%.14g", value)) == value then return nil end
  return floatText(value)
end

--- The text of a key that the codec would damage, or count wrongly as an index; else nil.
local function exactKey(self, key)
  if mathType(key) == "integer" and key > MAX_INDEX then return format("%d", key) end
  return exactText(self, key)
end

--- Whether a table is an empty array that the codec would write as {}.
local function isBareArray(self, value)
  return next(value) == nil and self.emptyMetas[getmetatable(value) or false]
end

--- What stands in a copy for a value: its text in full, or nil when it may stay.
local function substitute(self, value, kind)
  if kind == "number" then return exactText(self, value) end
  if kind == "table" and isBareArray(self, value) then return "[]" end
end

--- Whether the codec would damage a number that stands at a key or, nil, alone; nil and a message when JSON has
-- nothing for it.
local function isDamaged(self, key, number)
  if number ~= number or number == huge or number == -huge then
    return nil, "NaN and infinity have no JSON" .. (key == nil and "" or format(" (at key %.40s)", tostring(key)))
  end
  return exactText(self, number) ~= nil
end

--- Looks through the members of one table and puts those that are tables on the worklist:
-- whether the codec would damage something, and the new length of the list; nil and a message.
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
    end
    if type(key) == "number" and not (key >= 1 and key <= MAX_INDEX and key % 1 == 0) then
      if key == huge or key == -huge then return nil, "infinity cannot be a key" end
      damaged = damaged or exactKey(self, key) ~= nil
    end
  end
  return damaged or false, n
end

--- Looks through a value: whether the codec would damage something in it, or nil and a message.
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
-- @param self the codec: `json`, its lua-cjson; `can`, what that does right; `emptyMetas`, a set of
--   the metatables of arrays that it would write as {} when empty; `libraryMetas`, of those it knows
-- @return the text; or nil and a message
function exact.encode(self, value)
  local kind = type(value)
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
