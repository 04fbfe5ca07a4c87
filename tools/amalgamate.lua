-- amalgamate.lua EMBEDDED FILE...: prints the C files, and EMBEDDED (of tools/embed.lua), as one. A header
-- comes where it is first included. In one file names meet that were apart before:
-- - a name of one file alone gets that file's name in front: `trim` of csrc/net/uri.c is `net_uri_trim`;
-- - a function of several files becomes static, a variable of several files gets `datasession_` in front;
-- - a macro of one file ends with that file.
-- It reads C as csrc/ writes it: a declaration declares one function, and no macro declares anything.

local sources = dofile "tools/sources.lua"

local ENTRY = "host/datasession.h" -- stays a file
local EXPORTED = { luaopen_datasession = true, luaopen_datasession_core = true, datasession_step = true,
  datasession_pollfd = true, datasession_timeout = true }

-- ---- Tokens: { kind, text }. Kinds: name, space (and comments), directive, text (of literals), mark.

local PATTERNS = {
  { "space", "^%s+" }, { "space", "^/%*.-%*/" }, { "name", "^[%a_][%w_]*" },
  { "text", "^%.?%d[%w_.]*" }, { "text", "^'\\.[^'\n]*'" }, { "text", "^'[^'\n]+'" },
  { "mark", "^%->" }, { "mark", "^." },
}

-- The end of the string literal that opens at `at`.
local function end_of_string(text, at)
  local mark
  repeat
    at, mark = text:match('()([\\"])', at + 1)
    if mark == "\\" then at = at + 1 end
  until mark == '"'
  return at
end

-- The end of the directive that opens at `at`: its line, and those that continue it.
local function end_of_directive(text, at)
  local stop
  repeat
    stop = text:find("\n", at, true)
    at = stop + 1
  until text:sub(stop - 1, stop - 1) ~= "\\"
  return stop
end

local function next_token(text, at, at_line_start)
  local first = text:sub(at, at)
  if first == "#" and at_line_start then return "directive", end_of_directive(text, at) end
  if first == '"' then return "text", end_of_string(text, at) end
  for _, pattern in ipairs(PATTERNS) do
    local _, stop = text:find(pattern[2], at)
    if stop then return pattern[1], stop end
  end
end

local function tokens_of(text)
  local list, at, at_line_start = {}, 1, true
  while at <= #text do
    local kind, stop = next_token(text, at, at_line_start)
    list[#list + 1] = { kind = kind, text = text:sub(at, stop) }
    at_line_start = kind == "directive" or kind == "space" and (at_line_start or
      list[#list].text:find("\n", 1, true) ~= nil)
    at = stop + 1
  end
  return list
end

-- ---- Declarations: the names that a file declares outside of functions.

local OPENS, CLOSES = { ["("] = 1, ["["] = 1, ["{"] = 1 }, { [")"] = 1, ["]"] = 1, ["}"] = 1 }

-- The tokens that mean something to the compiler.
local function significant(tokens)
  local list = {}
  for _, token in ipairs(tokens) do
    if token.kind ~= "space" and token.kind ~= "directive" then list[#list + 1] = token end
  end
  return list
end

local function match_of(list, at)
  local depth = 0
  for i = at, #list do
    depth = depth + (OPENS[list[i].text] or 0) - (CLOSES[list[i].text] or 0)
    if depth == 0 then return i end
  end
  error("no end of " .. list[at].text)
end

-- The end of the declaration that begins at `at`: its semicolon, or the end of the function's body.
local function end_of_declaration(list, at)
  while list[at] and list[at].text ~= ";" do
    if list[at].text == "{" and list[at - 1].text == ")" then return match_of(list, at) end
    if OPENS[list[at].text] then at = match_of(list, at) end
    at = at + 1
  end
  return at
end

-- Marks the members of the structure whose brace is at `at`; enumerators inside it count for the file.
local function note_members(list, at, found, note_type)
  local stop = match_of(list, at)
  local i = at + 1
  while i < stop do
    local after = list[i + 1].text
    if list[i].text == "struct" or list[i].text == "union" or list[i].text == "enum" then
      i = note_type(list, i, found)
    elseif list[i].kind == "name" and after:find "^[;,%[:%)]" then
      list[i].member = true
    end
    i = i + 1
  end
  return stop
end

-- A type at `at`; returns its last token, or `at` if it is only mentioned.
local function note_type(list, at, found)
  local brace = list[at + 1].text == "{" and at + 1 or list[at + 2] and list[at + 2].text == "{" and at + 2
  if not brace then return at end
  if brace == at + 2 then found.tags[list[at + 1].text] = true end
  if list[at].text ~= "enum" then return note_members(list, brace, found, note_type) end
  local stop = match_of(list, brace)
  for i = brace, stop do
    if list[i].kind == "name" and list[i - 1].text:find "^[{,]" then found.names[list[i].text] = true end
  end
  return stop
end

-- The types of a function's body have members, too.
local function note_inner_types(list, from, to)
  local ignored = { names = {}, tags = {} }
  for i = from, to do
    if list[i].text == "struct" or list[i].text == "union" then note_type(list, i, ignored) end
  end
end

local NO_FUNCTION = { ["="] = true, ["{"] = true, typedef = true, _Static_assert = true }
local ATTRIBUTES = { __attribute__ = true, __declspec = true }

-- The name that the declaration gives to a function, and its place; nil: it declares something else.
local function function_of(list, from, to)
  local i = from
  while i < to and not NO_FUNCTION[list[i].text] do
    if ATTRIBUTES[list[i].text] then
      i = match_of(list, i + 1)
    elseif list[i].kind == "name" and list[i + 1].text == "(" and list[i + 2].text ~= "*" then
      return list[i].text, i
    end
    i = i + 1
  end
end

-- The name in parentheses at `at`, of a pointer to a function.
local function pointer_of(list, at)
  if list[at + 1].text ~= "*" then return nil end
  local stop = match_of(list, at)
  return list[stop - 1].text
end

local function note_variables(list, from, to, names)
  local i, in_value = from, false
  while i <= to do
    local pointer = not in_value and list[i].text == "(" and pointer_of(list, i)
    if pointer then names[pointer] = true end
    if list[i].kind == "name" and list[i + 1] and list[i + 1].text:find "^[=;,%[]" and not in_value then
      names[list[i].text] = true
    end
    in_value = list[i].text == "=" or in_value and list[i].text ~= ","
    if OPENS[list[i].text] then i = match_of(list, i) end
    i = i + 1
  end
end

local function note_declaration(list, from, to, found)
  local first, name, at = list[from].text, function_of(list, from, to)
  if name then
    if first == "static" then found.names[name] = true end
    if first ~= "static" and not EXPORTED[name] then list[from].static = true end
    return note_inner_types(list, at, to)
  end
  local i = from
  while i <= to and list[i].text ~= "=" do
    if list[i].text == "struct" or list[i].text == "union" or list[i].text == "enum" then
      i = note_type(list, i, found)
    end
    i = i + 1
  end
  local names = (first == "static" or first == "typedef") and found.names or found.variables
  local last = list[to - 1].text
  if first ~= "_Static_assert" and not (last == "}" and first ~= "static" and first ~= "typedef" and
    first ~= "const") then
    note_variables(list, from, to, names)
  end
end

-- The declarations of a file: names and tags of its own, and variables that others may use.
local function declarations(tokens)
  local list, found, at = significant(tokens), { names = {}, tags = {}, variables = {} }, 1
  while at <= #list do
    local stop = end_of_declaration(list, at)
    if stop > at and stop <= #list then note_declaration(list, at, stop, found) end
    at = stop + 1
  end
  return found
end

-- ---- Files

local function prefix_of(path)
  return path:gsub("^protocol/", ""):gsub("%.%l+$", ""):gsub("/", "_") .. "_"
end

local files = {} -- by path below csrc

local function load(path, text)
  local file = { path = path, tokens = tokens_of(text) }
  file.found = declarations(file.tokens)
  files[path] = file
  return file
end

local function read(path) return files[path] or load(path, sources.read("csrc/" .. path)) end

-- The header of this library that the directive includes.
local function included(directive) return directive:match '^#include "([^"]+%.h)"' end

local shared_variables = {}

-- Takes from `tags` those that the header mentions.
local function note_header(file, tags)
  local list = significant(file.tokens)
  for i, token in ipairs(list) do
    if token.text == "struct" or token.text == "enum" or token.text == "union" then
      tags[list[i + 1].text] = nil
    end
  end
  for name in pairs(file.found.variables) do shared_variables[name] = true end
end

-- Goes through the headers that a file includes, directly or not.
local function read_headers(file, tags, seen)
  for _, token in ipairs(file.tokens) do
    local header = token.kind == "directive" and included(token.text)
    if header and header ~= ENTRY and not seen[header] then
      seen[header] = true
      note_header(read(header), tags)
      read_headers(files[header], tags, seen)
    end
  end
end

-- ---- Writing

local out = {}

local function put(text) out[#out + 1] = text end

local function is_header(file) return file.path:find "%.h$" ~= nil end

-- The new name of a name or, with `tag`, of a tag.
local function renamed(file, name, tag)
  local own = not is_header(file) and (tag and file.found.tags or not tag and file.found.names)
  if own and own[name] then return prefix_of(file.path) .. name end
  if not tag and shared_variables[name] then return "datasession_" .. name end
  return name
end

local put_tokens, put_file

local function put_directive(file, text)
  local header = included(text)
  local macro = not is_header(file) and text:match "^#define ([%w_]+)"
  if macro then file.macros[#file.macros + 1] = macro end
  if header == ENTRY then
    put '#include "datasession.h"\n'
  elseif header then
    put_file(read(header))
  elseif text:find "^#include" then
    put(text)
  else
    put "#"
    put_tokens(file, tokens_of(text:sub(2)))
  end
end

function put_tokens(file, tokens)
  local before = ""
  for _, token in ipairs(tokens) do
    if token.static then put "static " end
    if token.kind == "directive" then
      put_directive(file, token.text)
    elseif token.kind == "name" and not token.member and before ~= "." and before ~= "->" then
      put(renamed(file, token.text, before == "struct" or before == "enum" or before == "union"))
    else
      put(token.text)
    end
    if token.kind ~= "space" and token.kind ~= "directive" then before = token.text end
  end
end

function put_file(file)
  if file.done then return end
  file.done, file.macros = true, {}
  put(("\n/* ---- %s */\n"):format(file.path))
  put_tokens(file, file.tokens)
  for _, macro in ipairs(file.macros) do put(("#undef %s\n"):format(macro)) end
end

local mains = {}
for i = 2, #arg do mains[#mains + 1] = read((arg[i]:gsub("^csrc/", ""))) end
for _, file in ipairs(mains) do read_headers(file, file.found.tags, {}) end
put [[
/*
** datasession in one file. docs/engine.md says how to build it; tools/amalgamate.lua writes it from csrc/ and
** lua/, which are the files to read and to change. Needs libcurl 7.81 or later, and Lua.
*/
#ifdef __cplusplus
#error "datasession.c is C: compile it as C (g++ -x c); C++ includes datasession.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation" /* messages are cut on purpose */
#endif
#endif
]]
for _, file in ipairs(mains) do put_file(file) end
put((sources.read(arg[1]):gsub("#include[^\n]*\n", ""):gsub(" lua_modules%[", " datasession_lua_modules[")))
io.write(table.concat(out))
