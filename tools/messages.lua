-- messages.lua [check]: every message of the library, as its sources have it. A message is a literal of three
-- words or more, in C or Lua; those of the sandbox and of the command `datasession` are left out. "…" stands
-- for what a format puts in. Without an argument it prints them, each with its files. check: fails for a
-- message that docs/messages.md lacks, and for one there that no source has. Loaded by another script it
-- returns { collect, differences }.

local PAGE = "docs/messages.md"

-- Literals that look like messages and are none, by the end of a path: Lua patterns.
local OTHERS = {
  [""] = {
    "^%s*application/json; charset", "^an? [%w']+ ?[%w']* ?[%w']*$", "^HTTP … from …: …$",
    "^docs/internals%.md",
    "^of 0 or more$",
  },
  ["/curl_failure.c"] = { -- what libcurl and OpenSSL say
    "^alert ", "^unable to get ", "^CRL is not", "^does not match$", "^not yet valid$", "^dh key",
    "^wrong version",
    "^alternative certificate", "^does not match pinned$", "^onnect to ", "^CONNECT tunnel failed$",
    "^No URL set$", "^CRL has",
  },
  ["/compat.h"] = { "^Lua warning" },
  -- Lua's own; a program in Lua, as the next one
  ["/compat.c"] = { "^bad argument #", "^calling '", "^local token" },
  ["/lua.lua"] = { "^return function" },
  ["csrc/module.c"] = { "^no libcurl headers" }, -- the compiler says it
  ["/exact.lua"] = { "^strings that are not UTF%-8$" }, -- a word of datasession.version
  ["/handle.c"] = { "^Accept%-Encoding", "^User%-Agent" },
  ["/basic_auth.c"] = { "^Authorization" },
  ["/har.lua"] = { "^recorded … of" }, -- a comment in the file
  ["/record.c"] = { "." }, -- words of the trace, and of libcurl's log
  ["/stream.c"] = { "." }, -- what libcurl says while it works
  ["/verdict.c"] = { "plain HTTP", "^speaking plain", "^No required SSL", "^SSL certificate error" },
  ["/log.c"] = { "." }, -- words of the log, which docs/recovery.md lists
  ["protocol/lua/protocol.c"] = { "^offline dns connect" },
  ["/btt.h"] = { "^<%?xml " },
  ["protocol/datasnap/protocol.c"] = { "^Mon, 1 Oct" },
  ["/codec.lua"] = { -- patterns, and words of datasession.version
    "%%d", "^reads integers", "^misreads", "^writes 14", "^shortens", "^has no empty", "^expected value but",
    "^at character ", "^too many nested$", "^of unknown version$", "; repaired here$",
  },
}

local sources = dofile "tools/sources.lua"
local read = sources.read

local function files()
  return sources.find("csrc lua \\( -name '*sandbox*' -o -name 'command*' \\) -prune -o " ..
    "\\( -name '*.[ch]' -o -name '*.lua' \\) -print")
end

-- The end of the literal that begins at `at` with a quote.
local function literal_end(text, at)
  local quote, place = text:sub(at, at), at + 1
  while true do
    local found = assert(text:find("[\"'\\\n]", place), "a literal without an end")
    local mark = text:sub(found, found)
    if mark == quote then return found end
    place = found + (mark == "\\" and 2 or 1)
  end
end

-- Where code goes on behind what begins at `at` and holds no literal: a comment, a directive, a long string,
-- one mark.
local function skip_c(text, at)
  if text:sub(at, at + 1) == "/*" then return select(2, text:find("*/", at + 2, true)) + 1 end
  if text:find("^\n#[^d]", at) then return text:find("\n", at + 1, true) or #text + 1 end
  return at + 1
end

local function skip_lua(text, at)
  local level = text:match("^%[(=*)%[", at) or text:match("^%-%-%[(=*)%[", at)
  if level then return select(2, text:find("]" .. level .. "]", at, true)) + 1 end
  if text:sub(at, at + 1) == "--" then return text:find("\n", at, true) or #text + 1 end
  return at + 1
end

-- The literals of a source; those that stand side by side, joined.
local function literals(text, c)
  local list, at, last = {}, 1, nil
  local marks, joint, skip = c and "[\"'/\n]" or "[\"'%[-]", c and "^%s*$" or "^%s*%.%.%s*$",
    c and skip_c or skip_lua
  while true do
    local start = text:find(marks, at)
    if not start then return list end
    local mark = text:sub(start, start)
    if mark ~= '"' and mark ~= "'" then
      at = skip(text, start)
    else
      local stop = literal_end(text, start)
      local body = text:sub(start + 1, stop - 1)
      if c and mark == "'" then
        last = nil
      elseif last and text:sub(last + 1, start - 1):find(joint) then
        list[#list] = list[#list] .. body
        last = stop
      else
        list[#list + 1] = body
        last = stop
      end
      at = stop + 1
    end
  end
end

local ESCAPES = { n = "\n", ["0"] = "\0" }

-- As a reader of the page sees it.
local function shown(literal)
  local text = literal:gsub("\\(.)", function(mark) return ESCAPES[mark] or mark end)
  text = text:gsub("%%[%.%d%*]*[lz]*[a-zA-Z]", "…"):gsub("%%%%", "%%"):gsub("%s+", " ")
  return (text:gsub("^[%s;:,]+", ""):gsub("[%s;:,]+$", ""))
end

local function is_message(path, text)
  local words, plain = 0, 0
  for word in text:gmatch "%S+" do
    words = words + 1
    if word:find "%l%l" then plain = plain + 1 end
  end
  if words < 3 or plain < 2 then return false end
  for ending, patterns in pairs(OTHERS) do
    for _, pattern in ipairs(path:sub(-#ending) == ending and patterns or ending == "" and patterns or {}) do
      if text:find(pattern) then return false end
    end
  end
  return true
end

-- message -> array of paths
local function collect()
  local messages = {}
  for _, path in ipairs(files()) do
    for _, literal in ipairs(literals(read(path), not path:find "%.lua$")) do
      local text = shown(literal)
      if is_message(path, text) then
        local paths = messages[text] or {}
        if paths[#paths] ~= path then paths[#paths + 1] = path end
        messages[text] = paths
      end
    end
  end
  return messages
end

-- message -> true: the code spans in first cells and in lists.
local function listed()
  local messages = {}
  for line in read(PAGE):gmatch "[^\n]+" do
    local place = line:match "^| (`.-`) | " or line:match "^%- (`.*)$"
    for span in (place or ""):gmatch "`([^`]+)`" do messages[span] = true end
  end
  return messages
end

local function sorted(set)
  local list = {}
  for text in pairs(set) do list[#list + 1] = text end
  table.sort(list)
  return list
end

-- An array of what is wrong with the page.
local function differences()
  local messages, page, list = collect(), listed(), {}
  for _, text in ipairs(sorted(messages)) do
    if not page[text] then
      list[#list + 1] = ("%s lacks `%s` (%s)"):format(PAGE, text, table.concat(messages[text], " "))
    end
  end
  for _, text in ipairs(sorted(page)) do
    if not messages[text] then list[#list + 1] = ("%s: no source has `%s`"):format(PAGE, text) end
  end
  return list
end

if not (arg and arg[0] and arg[0]:find "messages%.lua$") then
  return { collect = collect, differences = differences }
end
if arg[1] == "check" then
  local list = differences()
  if #list > 0 then io.stderr:write(table.concat(list, "\n"), "\n") end
  os.exit(#list == 0, true)
end
local messages = collect()
for _, text in ipairs(sorted(messages)) do print(text .. "\t" .. table.concat(messages[text], " ")) end
