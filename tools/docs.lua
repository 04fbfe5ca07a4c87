-- docs.lua: fails unless docs/ has an entry for everything public (public.lua) and names nothing that does
-- not exist. An entry is a code span in a heading, in the first cell of a table's row or at the beginning of
-- a list's item: `session:ping()`, `err.kind`, or a bare name in a table or list headed "option of `F`" or
-- "event". The heading of a list is the line above it, which begins with "Options of `F`" or "Events, each".
-- All code in docs/ and README.md may name only what exists; links must lead somewhere.

local known = dofile "tools/public.lua"

-- Words that examples use for other things too.
local OPEN = { table = true, field = true, resource = true, service = true, operation = true, date = true }
-- Objects that have fields of a resource, too.
local WITH_FIELDS = { jsdo = true, record = true }

local sources = dofile "tools/sources.lua"
local files, read = sources.find, sources.read

local faults, entries = {}, {}

local function fault(...)
  local text = string.format(...)
  if not faults[text] then faults[#faults + 1], faults[text] = text, true end
end

local function isModule(name, member)
  local file = name == "datasession" and io.open("lua/datasession/" .. member .. ".lua")
  return file and file:close() or name == "datasession" and member == "core"
end

local namespaces = {}

-- `entry`: in an entry every name counts; elsewhere not those that are plain words too.
local function mention(place, code, entry)
  for at, name, mark, member in code:gmatch "()%f[%w_](%a%w*)([.:])([%a_][%w_]*)" do
    local before = code:sub(at - 1, at - 1)
    local any = OPEN[name] or WITH_FIELDS[name] and mark == "."
    if namespaces[name] and (entry or not any) and not before:find "[%w_./:]" then
      local whole = name .. mark .. member
      if not known[whole] and not isModule(name, member) then fault("%s: there is no %s", place, whole) end
    end
  end
end

local function enter(place, span, header)
  local owner = header and header:match "^option of `([%w.:_]+)`"
  local whole = span:match "^%a%w*[.:][%w_]+"
  if owner and span:find "^[%w_]+$" then
    whole = ("option %s %s"):format(owner, span)
    if not known[whole] then fault("%s: %s has no option %s", place, owner, span) end
  elseif header == "event" then
    whole = "event " .. span
    if not known[whole] then fault("%s: there is no event %s", place, span) end
  end
  if whole then entries[whole] = true end
  mention(place, span, true)
end

local function anchors(path)
  local names = {}
  for heading in ("\n" .. read(path)):gsub("\n```.-\n```", ""):gmatch "\n#+ ([^\n]+)" do
    names[heading:lower():gsub("[^%w%-_ ]", ""):gsub(" ", "-")] = true
  end
  return names
end

local function links(place, path, line)
  for target in line:gmatch "%]%(([^)]+)%)" do
    local file, anchor = target:match "^([^#]*)#?(.*)$"
    local whole = file == "" and path or path:match("^(.-)[^/]*$") .. file
    local opened = not target:find "^%a+:" and io.open(whole)
    if opened then
      opened:close()
      if anchor ~= "" and not anchors(whole)[anchor] then fault("%s: no heading for %s", place, target) end
    elseif not target:find "^%a+:" then
      fault("%s: no file for %s", place, target)
    end
  end
end

-- The code spans that a list's item begins with.
local function named(line)
  local item, spans = line:match "^%- (`.*)$", {}
  while item and item:find "^`" do
    spans[#spans + 1] = item:match "^`[^`]+`"
    item = item:match "^`[^`]+`, (.*)$"
  end
  return spans[1] and table.concat(spans, " ")
end

-- The heading of a list: "option of `F`" or "event".
local function heading(line)
  local owner = line:match "^Options of (`[%w.:_]+`)"
  return owner and "option of " .. owner or line:match "^Events, each" and "event"
end

-- A line of prose, a heading, an item or a row; the header of the table or list that it is in, if it is in
-- one.
local function prose(place, path, line, header)
  local first = line:match "^#+ (.*)$" or line:match "^| ?(.-) |" or named(line)
  for span in (first or ""):gmatch "`([^`]+)`" do
    if path:find "^docs/" and first ~= header then enter(place, span, line:find "^[|-]" and header) end
  end
  for span in line:gmatch "`([^`]+)`" do mention(place, span) end
  links(place, path, line)
end

local function page(path)
  local number, code, header = 0, false, nil
  for line in (read(path) .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local place = ("%s:%d"):format(path, number)
    if line:find "^```" then
      code = not code and (line:match "^```(%a*)" or "")
    elseif code == "lua" then
      mention(place, (line:gsub("https?://%S+", "")))
    elseif not code then
      if line:find "^|" then
        header = header or line:match "^| ?(.-) |"
      elseif not line:find "^[%- ]" and line ~= "" then
        header = heading(line)
      elseif line == "" and header and not header:find "^[oe]" then
        header = nil
      end
      prose(place, path, line, header)
    end
  end
end

for name in pairs(known) do namespaces[name:match "^%a%w*"] = not name:find " " or nil end
page "README.md"
for _, path in ipairs(files "docs -name '*.md'") do page(path) end
for name in pairs(known) do
  if not entries[name] then fault("docs/ has no entry for %s", name) end
end
table.sort(faults)
for _, text in ipairs(faults) do io.stderr:write(text, "\n") end
os.exit(#faults == 0, true)
