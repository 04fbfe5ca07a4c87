--- Finds the name that was probably meant: for "unknown option 'usrname': did you mean 'username'?".

local ascii = require "datasession.internal.ascii"
local foreign = require "datasession.internal.foreign_names"
local locale = require "datasession.internal.locale"

local byte, format, lower = string.byte, string.format, ascii.lower
local abs, floor, max, min = math.abs, math.floor, math.max, math.min
local concat, sort = table.concat, table.sort

local MAX_LENGTH = 64       -- longer ones are no names; the distance costs the product of the lengths

--- The number of letters to insert, drop, change or swap with their neighbour to turn one text
-- into the other; nil when it is more than `limit`. Rows of the table are kept three at a time.
local function distance(a, b, limit)
  if abs(#a - #b) > limit then return nil end
  local beforeLast, last, row = {}, {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    row[0] = i
    local best = i
    for j = 1, #b do
      local change = byte(a, i) == byte(b, j) and 0 or 1
      local cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change)
      if i > 1 and j > 1 and byte(a, i) == byte(b, j - 1) and byte(a, i - 1) == byte(b, j) then
        cost = min(cost, beforeLast[j - 2] + 1)
      end
      row[j], best = cost, min(best, cost)
    end
    if best > limit then return nil end       -- the rows below hold nothing smaller
    beforeLast, last, row = last, row, beforeLast
  end
  return last[#b] <= limit and last[#b] or nil
end

-- The known name for one that another library uses.
local function counterpart(given, names)
  for _, own in ipairs(foreign[given] or {}) do
    for i = 1, #names do
      if names[i] == own then return own end
    end
  end
end

local suggest = {}

--- The nearest of the known names: the counterpart of a name of another library, else by edit distance
-- (Damerau-Levenshtein: a swap of two neighbours is one edit), whatever the case of the letters.
-- @param name what was given; anything but a string has no nearest
-- @param names array of the known names
-- @return the known name, spelled as in `names`; nil when more than a third of the letters of the
--   longer of the two are wrong. Among equally near ones the first in alphabetical order.
function suggest.nearest(name, names)
  if type(name) ~= "string" or #name > MAX_LENGTH then return nil end
  local given, nearest, least = lower(name), counterpart(lower(name), names), nil
  if nearest then return nearest end
  for i = 1, #names do
    local known = names[i]
    if type(known) == "string" and #known <= MAX_LENGTH then
      local limit = floor(max(#known, #name) / 3)
      local edits = distance(given, lower(known), limit)
      if edits and (not least or edits < least or edits == least and known < nearest) then
        nearest, least = known, edits
      end
    end
  end
  return nearest
end

--- A message about an unknown name: "unknown option 'usrname': did you mean 'username'?", or, if no name is
-- close, "unknown option 'x': expected one of 'a', 'b'".
-- @param kind what the name names, as "option"
-- @param name what was given, of any type
-- @param names array of the known names
-- @return string
function suggest.unknown(kind, name, names)
  local nearest = suggest.nearest(name, names)
  local start = format("unknown %s '%.64s'", kind, tostring(name))
  if nearest then return format("%s: did you mean '%s'?", start, nearest) end
  if #names == 0 then return start end
  local sorted = {}
  for i = 1, #names do sorted[i] = tostring(names[i]) end
  sort(sorted, locale.before)
  return format("%s: expected one of '%s'", start, concat(sorted, "', '"))
end

return suggest
