-- words.lua [PATH...]: fails for words, openings of sentences and lines that the rule for sentences refuses,
-- in the comments of programs, scripts and makefiles and in the prose of pages. The table says what to write
-- instead.

local WORDS = { -- a Lua pattern over a text in lower case, between word boundaries
  { "in flight", "pending" },
  { "flights?", "transfer, request" },
  { "lanes?", "queue" },
  { "anew", "again" },
  { "whom", "name who acts" },
  { "whoever", "name who acts" },
  { "nobody", "name who acts" },
  { "is told by", "X reports, X notifies" },
  { "are told by", "X reports, X notifies" },
  { "journal", "log" },
  { "repair", "reconnect" },
}

-- No sentence opens with one of these: subject, verb, object.
local OPENINGS = { "What", "Who", "Whoever", "Whom", "Nobody", "Of" }

local LONGEST = 110

-- Where a word stands for something else: the path, what its line holds.
local EXCEPTIONS = {
  { "tools/words.lua", "" },
  { "docs/messages.md", "|" }, -- messages as they are, in tables
  { "docs/messages.md", "- `" },
  { "bench/RESULTS.md", "|" }, -- tables as bench prints them
}

local DEFAULT = "csrc lua docs spec bench tools examples Makefile .ci " ..
  "README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md"

local faults = {}

local function is_exception(path, line)
  for _, one in ipairs(EXCEPTIONS) do
    if path == one[1] and line:find(one[2], 1, true) then return true end
  end
end

local function note(path, number, line, ...)
  if not is_exception(path, line) then
    faults[#faults + 1] = ("%s:%d: %s"):format(path, number, string.format(...))
  end
end

local function lines_of(path)
  local lines = {}
  for line in assert(io.open(path)):lines() do lines[#lines + 1] = line end
  return lines
end

-- ---- The prose of a file: for each line the text that a person reads as sentences, or "".

local function prose_of_lua(lines)
  local prose, long = {}, nil
  for i, line in ipairs(lines) do
    if long then
      prose[i] = line:match("^(.-)%]" .. long .. "%]") or line
      if line:find("]" .. long .. "]", 1, true) then long = nil end
    else
      long = line:match "^%s*%-%-%[(=*)%["
      prose[i] = line:match "^%s*%-%-+%s*(.*)$" or line:match "%s%-%- (.*)$" or ""
    end
  end
  return prose
end

local function prose_of_c(lines)
  local prose, open = {}, false
  for i, line in ipairs(lines) do
    local texts, rest = {}, line
    while rest do
      if not open then
        rest = rest:match "/%*(.*)$" or nil
        open = rest ~= nil
        if not rest then rest = nil end
      end
      if open and rest then
        local text, after = rest:match "^(.-)%*/(.*)$"
        texts[#texts + 1] = text or rest
        open, rest = text == nil, after
      end
    end
    prose[i] = table.concat(texts, " "):gsub("^%s*%*%*%s?", "")
  end
  return prose
end

-- Scripts, makefiles and settings: comments begin with `#`; those of JavaScript with `//`.
local function prose_of_script(lines, mark)
  local prose = {}
  for i, line in ipairs(lines) do
    prose[i] = line:match("^%s*" .. mark .. "+!?%s*(.*)$") or line:match("%s" .. mark .. " (.*)$") or ""
  end
  return prose
end

local function prose_of_page(lines)
  local prose, code = {}, false
  for i, line in ipairs(lines) do
    if line:find "^%s*```" then code = not code end
    prose[i] = code and "" or line
  end
  return prose
end

local function prose_of(path, lines)
  if path:find "%.lua$" then return prose_of_lua(lines) end
  if path:find "%.[ch]$" then return prose_of_c(lines) end
  if path:find "%.md$" then return prose_of_page(lines) end
  return prose_of_script(lines, path:find "%.js$" and "//" or "#")
end

-- ---- The rule

local function check_words(path, number, line, text)
  local lower = " " .. text:gsub("`[^`]*`", ""):gsub("%f[%w_][%u_]+%f[^%w_]", ""):lower() .. " "
  for _, word in ipairs(WORDS) do
    if lower:find("%f[%w_]" .. word[1] .. "%f[^%w_]") then
      note(path, number, line, '"%s": write %s', word[1]:gsub("%?", ""), word[2])
    end
  end
end

-- `before`: the prose of the line above; a sentence begins after its end, or where there is none.
local function check_openings(path, number, line, before, text)
  local joined = (before:gsub("%s+$", "") .. " " .. text:gsub("^[%s*>-]*", "")):gsub("^%s+", "")
  local at = #joined - #text:gsub("^[%s*>-]*", "") + 1
  for _, word in ipairs(OPENINGS) do
    for start in ("" .. joined):gmatch("()%f[%w]" .. word .. "%f[%W]") do
      local prior = joined:sub(1, start - 1)
      if start >= at and (prior == "" or prior:find "[.:;!?]%s+$" or prior:find "%|%s*$") then
        note(path, number, line, 'a sentence opens with "%s"', word)
      end
    end
  end
end

local function check(path)
  local lines = lines_of(path)
  local prose = prose_of(path, lines)
  local page = path:find "%.md$"
  for number, line in ipairs(lines) do
    local text = prose[number]
    if (utf8.len(line) or #line) > LONGEST then
      note(path, number, line, "longer than %d columns", LONGEST)
    end
    if text ~= "" and not (page and text:find "^#") then
      check_words(path, number, line, text)
      check_openings(path, number, line, prose[number - 1] or "", text)
      if not page and text:find "%?%s*$" and not text:find "[\"'(]" then
        note(path, number, line, 'a question: write "True if ..."')
      end
    end
  end
end

local where = #arg > 0 and table.concat(arg, " ") or DEFAULT
local find = "find %s -type f \\( -name Makefile -o -path .ci/run " ..
  "-o -regex '.*\\.\\([ch]\\|lua\\|md\\|sh\\|mk\\|awk\\|js\\|py\\)' \\) | LC_ALL=C sort"
for path in assert(io.popen(find:format(where))):lines() do check(path) end
for _, fault in ipairs(faults) do io.stderr:write(fault, "\n") end
os.exit(#faults == 0)
