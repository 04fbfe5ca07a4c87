-- mutations.lua: the changes that tools/mutants.lua can make to a C or Lua file.

-- The text with comments as blanks and the contents of strings as underscores, of the same length.
local function mask(text, is_c)
  local out, at = {}, 1
  local function take(pattern, filler)
    local from, to = text:find("^" .. pattern, at)
    if not from then return false end
    out[#out + 1] = (text:sub(from, to):gsub("[^\n]", filler))
    at = to + 1
    return true
  end
  local function take_string()
    local quote = text:sub(at, at)
    local to = at + 1
    while to <= #text and text:sub(to, to) ~= quote do to = to + (text:sub(to, to) == "\\" and 2 or 1) end
    out[#out + 1] = quote .. text:sub(at + 1, to - 1):gsub("[^\n]", "_") .. quote
    at = to + 1
    return true
  end
  while at <= #text do
    local one = text:sub(at, at)
    local done
    if one == '"' or one == "'" then
      done = take_string()
    elseif is_c then
      done = one == "/" and (take("/%*.-%*/", " ") or take("//[^\n]*", " "))
    else
      done = one == "-" and (take("%-%-%[%[.-%]%]", " ") or take("%-%-[^\n]*", " ")) or
        one == "[" and (take("%[%[.-%]%]", "_") or take("%[=%[.-%]=%]", "_"))
    end
    if not done then
      out[#out + 1] = one
      at = at + 1
    end
  end
  return table.concat(out)
end

local PAIRS = { { " < ", " <= " }, { " <= ", " < " }, { " > ", " >= " }, { " >= ", " > " } }
local BOTH = { { " %+ 1%f[^%w.]", "" }, { " %- 1%f[^%w.]", "" }, { "return true%f[^%w_]", "return false" },
  { "return false%f[^%w_]", "return true" }, { " = true%f[^%w_]", " = false" },
  { " = false%f[^%w_]", " = true" } }
local C = { { " == ", " != " }, { " != ", " == " }, { " && ", " || " }, { " || ", " && " }, { " &&$", " ||" },
  { " ||$", " &&" } }
local LUA = { { " == ", " ~= " }, { " ~= ", " == " }, { " and ", " or " }, { " or ", " and " },
  { "%f[%w_]not ", "" } }
local KIND = { 'kind = "([^"]+)"', function(kind) return kind ~= "error" and 'kind = "error"' or nil end }

-- The line without its statement; nil: the line holds no statement.
local function removed_c(line, before)
  if not before:match "[;{}):]%s*$" and not before:match "else%s*$" then return end
  local indent = line:match "^%s+"
  if not indent then return end
  if line:match "^%s+if %b() [^{]+;%s*$" or line:match "^%s+[%w_%->.%[%]%*]+ [%-+|&]?= [^{]*;%s*$" or
    line:match "^%s+[%w_%->.]+%b();%s*$" or line:match "^%s+[%w_%->.%[%]]+[%+%-][%+%-];%s*$" then
    return indent .. ";"
  end
end

local function removed_lua(line, before)
  if before:match "[,({=.+*/<>]%s*$" or before:match "%f[%w]and%s*$" or before:match "%f[%w]or%s*$" then
    return
  end
  local indent = line:match "^%s+"
  if not indent or line:match "^%s*local " or line:match "^%s*return" then return end
  if line:match "^%s+if .* then .* end%s*$" or line:match "^%s+[%w_.%[%]]+ = [^,]+$" or
    line:match "^%s+[%w_.:]+%b()%s*$" then
    return indent
  end
end

-- All single changes of the line: a list of { new line, kind }.
local function changes(line, masked, before, is_c)
  local found = {}
  local function add(new, kind)
    if new and new ~= line then found[#found + 1] = { new, kind } end
  end
  local function try(rows, kind, subject)
    for _, row in ipairs(rows) do
      local at = 1
      while true do
        local from, to = subject:find(row[1], at)
        if not from then break end
        local new = type(row[2]) == "string" and row[2] or line:sub(from, to):gsub(row[1], row[2])
        add(line:sub(1, from - 1) .. new .. line:sub(to + 1), kind)
        at = to
      end
    end
  end
  try(PAIRS, "off by one", masked)
  try(BOTH, "value", masked)
  try(is_c and C or LUA, "condition", masked)
  try({ KIND }, "wrong kind", masked:find "kind = " and line or "")
  local from, to = masked:find(is_c and "%f[%w]if %b()" or "%f[%w]if .- then%f[^%w]")
  if from and is_c then
    add(line:sub(1, from + 3) .. "!(" .. line:sub(from + 4, to - 1) .. "))" .. line:sub(to + 1), "flipped")
  elseif from then
    local condition = line:sub(from + 3, to - 5)
    add(line:sub(1, from + 2) .. "not (" .. condition .. ") then" .. line:sub(to + 1), "flipped")
  end
  add((is_c and removed_c or removed_lua)(masked, before), "removed")
  return found
end

-- The mutants of a file: a list of { path, line, kind, old, new, text }.
return function(path, text)
  local is_c = path:match "%.c$" ~= nil
  local masked, found, start = mask(text, is_c), {}, 1
  local number, before, excluded = 0, "", false
  while start <= #text do
    local stop = text:find("\n", start, true) or #text + 1
    local line, code = text:sub(start, stop - 1), masked:sub(start, stop - 1)
    number = number + 1
    if line:find "GCOVR_EXCL_START" then excluded = true end
    local skip = excluded or line:find "GCOVR_EXCL_LINE" or (is_c and not line:match "^  ") or code:match "^#"
    for _, change in ipairs(skip and {} or changes(line, code, before, is_c)) do
      local new = text:sub(1, start - 1) .. change[1] .. text:sub(stop)
      if is_c or load(new) then
        found[#found + 1] = { path = path, line = number, kind = change[2], text = new,
          old = line:match "^%s*(.-)%s*$", new = change[1]:match "^%s*(.-)%s*$" }
      end
    end
    if line:find "GCOVR_EXCL_STOP" then excluded = false end
    if code:match "%S" then before = code end
    start = stop + 1
  end
  return found
end
