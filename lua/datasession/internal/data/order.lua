--- The order of the records of a table. Sorting is lazy: a change marks the table, the next read sorts it.

local ids = require "datasession.internal.data.ids"

local order = {}

--- A field of a record has changed, or a record was added (field nil).
function order.changed(m, _, field)
  local sort = m.sort
  if sort and (not field or not sort.fields or sort.fields[field]) then m.unsorted = true end
end

-- Copies the records that are still in memory. Iterators go on over the old array.
local function compact(m)
  ids.number(m)
  local records, kept, n, deleted = m.records, {}, 0, m.deleted
  for i = 1, #records do
    local r = records[i]
    if deleted[r] ~= "gone" then
      n = n + 1
      kept[n] = r
    end
  end
  m.deletedCount = m.deletedCount - m.holes
  m.records, m.holes = kept, 0
end

--- A record was removed. The array is cleaned up when half of it is holes.
function order.removed(m)
  if m.holes > 16 and m.holes * 2 > #m.records then compact(m) end
end

--- The records in order, deleted ones among them. The array is never changed but by appending.
function order.records(m)
  return m.records
end

return order
