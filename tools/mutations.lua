-- mutations.lua: the changes that tools/mutants.lua can make to a C or Lua file.
local lpeg, stringx, find_if = require "lpeg", require "pl.stringx", require "pl.tablex".find_if
local P = lpeg.P

-- ---- The text with comments as blanks and the contents of strings as underscores, of the same length

local function filled(filler) return function(text) return (text:gsub("[^\n]", filler)) end end
local function up_to(stop) return (1 - P(stop)) ^ 0 * stop end
local function string_in(quote) return quote * ((P "\\" * 1 + 1 - P(quote)) ^ 0 / filled "_") * quote end

local TO_THE_END = (1 - P "\n") ^ 0
local STRING = string_in '"' + string_in "'"
local LONG_STRING = P "[[" * up_to "]]" + P "[=[" * up_to "]=]"
local HIDDEN = {
  c = STRING + (P "/*" * up_to "*/" + "//" * TO_THE_END) / filled " ",
  lua = STRING + ("--" * (LONG_STRING + TO_THE_END)) / filled " " + LONG_STRING / filled "_",
}

-- ---- Changes of a word or sign: the kind, a pattern, its replacement

local BOTH = {
  { "off by one", " < ", " <= " }, { "off by one", " <= ", " < " }, { "off by one", " > ", " >= " },
  { "off by one", " >= ", " > " }, { "off by one", " [+-] 1%f[^%w.]", "" },
  { "value", "return true%f[^%w_]", "return false" }, { "value", "return false%f[^%w_]", "return true" },
  { "value", " = true%f[^%w_]", " = false" }, { "value", " = false%f[^%w_]", " = true" },
}
local WORDS = {
  c = { { "condition", " == ", " != " }, { "condition", " != ", " == " },
    { "condition", " &&%f[%s\0]", " ||" }, { "condition", " ||%f[%s\0]", " &&" },
    { "flipped", "%f[%w]if (%b())", "if (!%1)" } },
  lua = { { "condition", " == ", " ~= " }, { "condition", " ~= ", " == " },
    { "condition", " and%f[%s\0]", " or" }, { "condition", " or%f[%s\0]", " and" },
    { "condition", "%f[%w_]not ", "" }, { "flipped", "%f[%w]if (.-) then%f[^%w]", "if not (%1) then" } },
}
local ERROR_KIND = { "wrong kind", 'kind = "[^"]+"', 'kind = "error"' }

-- Calls add(kind, new line) for each place of the line that fits; `code` is the line without texts.
local function replace(row, line, code, add)
  local from, to = code:find(row[2])
  while from do
    add(row[1], line:sub(1, from - 1) .. line:sub(from, to):gsub(row[2], row[3]) .. line:sub(to + 1))
    from, to = code:find(row[2], to)
  end
end

-- ---- Whole statements

local STATEMENTS = { -- assignments, calls, conditional ones, increments
  c = { "^%s+[%w_%->.%[%]%*]+ [%-+|&]?= [^{]*;%s*$", "^%s+[%w_%->.]+%b();%s*$",
    "^%s+if %b() [^{]+;%s*$", "^%s+[%w_%->.%[%]]+[%+%-][%+%-];%s*$" },
  lua = { "^%s+[%w_.%[%]]+ = [^,{]+$", "^%s+[%w_.:]+%b()%s*$", "^%s+if .* then .* end%s*$" },
}
local CONTINUED = { c = { "[^;{}):e]%s*$", "[^s]e%s*$" }, -- the ends of lines after which no statement begins
  lua = { "[,({=.+*/<>]%s*$", "%f[%w]and%s*$", "%f[%w]or%s*$" } }

local function fits(code, patterns)
  return find_if(patterns, function(pattern) return code:find(pattern) end) ~= nil
end

-- The function that a statement calls; one name for all that release something, one for all that set a field.
local function called(code)
  local name = code:match "([%w_]+)%(" or ""
  if fits(name, { "free$", "release$", "cleanup$" }) then return "release" end
  return name:match "^set_" or name
end

local function has(text, name) return text:find(name:gsub("%p", "%%%0") .. "%f[^%w_]") end

-- True if the order of two statements may matter: they call two functions, or one names what the other sets.
-- Two checks in a row mostly raise or return, whichever is first.
local function depend(first, second)
  if (first .. second):find "%f[%w]if%f[%W]" then return false end
  local target = "^%s*([%w_.%[%]>%-]+) [%-+|&]?= "
  local a, b = first:match(target), second:match(target)
  if not a and not b then return called(first) ~= called(second) end
  return a and has(second, a) or b and has(first, b)
end

local function shown(lines) return (lines:match "^%s*(.-)%s*$":gsub("\n%s*", " | ")) end

-- ---- The mutants of a file: a list of { path, line, kind, old, new, clean, text }, where
-- `clean` is the file and text() the changed one

return function(path, text)
  local language = path:match "%.c$" and "c" or "lua"
  local hidden = lpeg.Cs((HIDDEN[language] + 1) ^ 0):match(text)
  local lines, codes = stringx.splitlines(text), stringx.splitlines(hidden)
  local found, before, excluded = {}, "", false
  for i, line in ipairs(lines) do
    local code, indent, after = codes[i], line:match "^%s*", codes[i + 1] or ""
    local function add(kind, new, last) -- `new` stands for the lines i to `last`
      local old = table.concat(lines, "\n", i, last or i)
      if old == new then return end
      found[#found + 1] = { path = path, line = i, kind = kind, old = shown(old), new = shown(new),
        clean = text,
        text = function()
          return table.concat(lines, "\n", 1, i - 1) .. "\n" .. new .. "\n" ..
            table.concat(lines, "\n", (last or i) + 1) .. "\n"
        end }
    end
    excluded = line:find "GCOVR_EXCL_START" or excluded and not line:find "GCOVR_EXCL_STOP"
    if not excluded and not line:find "GCOVR_EXCL" and not (language == "c" and code:find "^[%w#]") then
      for _, row in ipairs(BOTH) do replace(row, line, code, add) end
      for _, row in ipairs(WORDS[language]) do replace(row, line, code, add) end
      if code:find "kind = " then replace(ERROR_KIND, line, line, add) end
      if fits(code, STATEMENTS[language]) and not fits(before, CONTINUED[language]) then
        add("removed", indent .. (language == "c" and ";" or ""))
        if after:match "^%s*" == indent and fits(after, STATEMENTS[language]) and depend(code, after) then
          add("swapped", lines[i + 1] .. "\n" .. line, i + 1)
        end
      end
    end
    if code:find "%S" then before = code end
  end
  return found
end
