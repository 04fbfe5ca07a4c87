--- Sorting that is stable and that no comparison can upset, unlike table.sort.

local table = require("datasession.internal.lua").table

local floor, min, move = math.floor, math.min, table.move

local sorting = {}

-- Merges source[from .. middle - 1] and source[middle .. to - 1] into target.
local function mergeInto(source, target, from, middle, to, before)
  if middle >= to or not before(source[middle], source[middle - 1]) then
    move(source, from, to - 1, from, target)
    return
  end
  local i, j, k = from, middle, from
  while i < middle and j < to do
    if before(source[j], source[i]) then
      target[k], j = source[j], j + 1
    else
      target[k], i = source[i], i + 1
    end
    k = k + 1
  end
  move(source, i, middle - 1, k, target)
  move(source, j, to - 1, k + middle - i, target)
end

--- Sorts an array.
-- @param list array; becomes scratch space
-- @param before function (a, b): true if a must come before b
-- @return the sorted array, `list` or another
function sorting.sort(list, before)
  local n, width, target = #list, 1, {}
  while width < n do
    for from = 1, n, 2 * width do
      mergeInto(list, target, from, min(from + width, n + 1), min(from + 2 * width, n + 1), before)
    end
    list, target, width = target, list, 2 * width
  end
  return list
end

-- The first place of list[from .. #list] whose element does not come before `element`.
local function search(list, element, from, before)
  local low, high = from, #list + 1
  while low < high do
    local middle = floor((low + high) / 2)
    if before(element, list[middle]) then high = middle else low = middle + 1 end
  end
  return low
end

--- Merges a short sorted array into a long one: few comparisons.
-- @return a new array
function sorting.merge(long, short, before)
  local merged, from, n = {}, 1, 0
  for i = 1, #short do
    local to = search(long, short[i], from, before)
    move(long, from, to - 1, n + 1, merged)
    n = n + to - from + 1
    merged[n], from = short[i], to
  end
  return move(long, from, #long, n + 1, merged)
end

return sorting
