--- Which sections of the description of the reference the cases are about. A name with "data " is about data
-- objects.
local FIRST_SECTION, LAST_SECTION = 2, 21
local DATA_SECTIONS = { 2, 15 }

local sections = {}

--- A table of all sections: passed, failed and waiting cases of each.
function sections.new()
  local rows = {}
  local function add(prefix, first, last)
    for n = first, last do
      local row = { name = prefix .. n, passed = 0, failed = 0, waiting = 0, parts = {} }
      rows[#rows + 1], rows[row.name] = row, row
    end
  end
  add("", FIRST_SECTION, LAST_SECTION)
  add("data ", table.unpack(DATA_SECTIONS))
  return rows
end

--- Counts a case's verdict in its sections.
function sections.count(rows, case, verdict)
  local counted = {}
  for _, section in ipairs(case.sections) do
    local row = rows[assert(section:match "^[a-z ]*%d+", section)]
    if row and not counted[row] then
      counted[row] = true
      row[verdict] = row[verdict] + 1
    end
    if row and section:find(".", 1, true) then row.parts[section:match "[%d.]+"] = true end
  end
end

--- Prints the table; the names of the sections without a case.
function sections.print(rows)
  print("\nsection  passed  failed  waiting  parts")
  local bare = {}
  for _, row in ipairs(rows) do
    local parts = {}
    for part in pairs(row.parts) do parts[#parts + 1] = part end
    table.sort(parts, function(x, y) return tonumber(x:match "%.(%d+)") < tonumber(y:match "%.(%d+)") end)
    print(("%7s  %6d  %6d  %7d  %s"):format(row.name, row.passed, row.failed, row.waiting,
      table.concat(parts, " ")))
    if row.passed + row.failed + row.waiting == 0 then bare[#bare + 1] = row.name end
  end
  return bare
end

return sections
