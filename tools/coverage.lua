--- coverage.lua JSON LIST: what gcovr's JSON says of csrc, as a table by file and one closing line; fails
-- when too little was run, or when a line that was not run has no reason in LIST, whose head tells its
-- format.
local cjson = require "cjson"

local LEAST_LINES, LEAST_BRANCHES = 95, 85 -- percent

local function readLines(path)
  local lines = {}
  for line in assert(io.open(path)):lines() do lines[#lines + 1] = line end
  return lines
end

--- The name of the function that line `at` of a source stands in: the last that began at a line's first
-- column.
local function functionAt(source, at)
  for i = at, 1, -1 do
    local name = not source[i]:find ";%s*$" and source[i]:match "^[%a_][^=]-([%a_][%w_]*) %("
    if name then return name end
  end
  return "?"
end

-- ---- what gcovr found

local function percent(part, whole)
  return whole == 0 and 100 or 100 * part / whole
end

--- Adds a line's counts to those of its file. gcovr gives a line that several functions share more than once.
local function countLine(file, line)
  local number = line.line_number
  if line["gcovr/noncode"] then return end
  file.counts[number] = math.max(file.counts[number] or 0, line.count)
  for _, branch in ipairs(line.branches) do
    file.branches = file.branches + 1
    if branch.count > 0 then file.taken = file.taken + 1 end
  end
end

local function describe(entry)
  local file = { name = entry.file, counts = {}, lines = 0, run = 0, branches = 0, taken = 0, missed = {} }
  for _, line in ipairs(entry.lines) do countLine(file, line) end
  local source = readLines(file.name)
  for number, count in pairs(file.counts) do
    file.lines = file.lines + 1
    if count > 0 then
      file.run = file.run + 1
    else
      local text = source[number]:match "^%s*(.-)%s*$"
      table.insert(file.missed, { file = file.name, number = number, text = text,
        place = functionAt(source, number) })
    end
  end
  table.sort(file.missed, function(a, b) return a.number < b.number end)
  return file
end

--- The files, in order. One that has been removed since it was compiled is left out.
local function readReport(path)
  local files = {}
  for _, entry in ipairs(cjson.decode(table.concat(readLines(path), "\n")).files) do
    local handle = io.open(entry.file)
    if handle then
      handle:close()
      files[#files + 1] = describe(entry)
    end
  end
  table.sort(files, function(a, b) return a.name < b.name end)
  return files
end

-- ---- the reasons

--- An entry of that file from its text: { file, place, text (nil: any), sometimes }; nil: it is none.
local function readPlace(file, line)
  local often = line:match "^sometimes " or ""
  local place, text = line:sub(#often + 1):match "^([%a_][%w_]*)%(%):? ?(.*)$"
  return file and place and { file = file, place = place, text = text ~= "" and text or nil,
    sometimes = often ~= "" }
end

--- The entries, each with the number of its line and the group whose reason it shares.
local function readReasons(path)
  local entries, file, open = {}, nil, {}
  for number, line in ipairs(readLines(path)) do
    local spaces, rest = line:match "^( *)(.*)$"
    if rest ~= "" and rest:sub(1, 1) ~= "#" then
      if spaces == "" then
        file = rest
      elseif spaces == "  " then
        if open.reason then open = {} end
        entries[#entries + 1] = assert(readPlace(file, rest),
          ("%s:%d: no place: %s"):format(path, number, rest))
        entries[#entries].number, entries[#entries].group = number, open
      else
        open.reason = (open.reason and open.reason .. " " or "") .. rest
      end
    end
  end
  for _, entry in ipairs(entries) do
    assert(entry.group.reason, ("%s:%d: a place without a reason"):format(path, entry.number))
  end
  return entries
end

local function explains(entry, missed)
  return entry.file == missed.file and entry.place == missed.place and
    (not entry.text or missed.text:find(entry.text, 1, true) ~= nil)
end

--- The lines that no entry explains; marks the entries that explain one.
local function unexplained(files, entries)
  local left = {}
  for _, file in ipairs(files) do
    for _, missed in ipairs(file.missed) do
      local found = false
      for _, entry in ipairs(entries) do
        if explains(entry, missed) then found, entry.used = true, true end
      end
      if not found then left[#left + 1] = missed end
    end
  end
  return left
end

-- ---- all

local function printTable(files)
  print(("%-40s %15s %17s"):format("", "lines", "branches"))
  for _, file in ipairs(files) do
    print(("%-40s %5d %7.1f %% %6d %7.1f %%"):format(file.name, file.lines, percent(file.run, file.lines),
      file.branches, percent(file.taken, file.branches)))
  end
end

local function sum(files, field)
  local total = 0
  for _, file in ipairs(files) do total = total + file[field] end
  return total
end

local report, list = ...
local files, entries = readReport(report), readReasons(list)
local left = unexplained(files, entries)
printTable(files)
for _, entry in ipairs(entries) do
  if not entry.used and not entry.sometimes then
    print(("%s:%d: all of it is run: %s, %s()%s"):format(list, entry.number, entry.file, entry.place,
      entry.text and ": " .. entry.text or ""))
  end
end
for _, missed in ipairs(left) do
  print(("%s:%d: not run, and no reason in %s: %s(): %s"):format(missed.file, missed.number, list,
    missed.place,
    missed.text))
end
local lines, run = sum(files, "lines"), sum(files, "run")
local ofLines, ofBranches = percent(run, lines), percent(sum(files, "taken"), sum(files, "branches"))
print(("coverage: %.1f %% of lines, %.1f %% of branches of csrc; %d lines uncovered, %s"):format(ofLines,
  ofBranches, lines - run, #left == 0 and "all with a reason" or #left .. " of them without a reason"))
local listed = #left == 0 or os.getenv "COVERAGE_SHORT" ~= nil -- which runs less
os.exit(listed and lines > 0 and ofLines >= LEAST_LINES and ofBranches >= LEAST_BRANCHES)
