-- types.lua [--write]: makes types/datasession.lua, the definitions for editors (LuaLS), from docs/. Without
-- --write it fails unless the file is what docs/ says. The reference has an entry for every public name (lint
-- sees to that), with its type in a fixed form; so the definitions name the same.

local sources = dofile "tools/sources.lua"

local PATH = "types/datasession.lua"

-- The objects of the docs, and their classes.
local CLASSES = {
  session = "Session", promise = "Promise", response = "Response", err = "Error", provider = "Provider",
  jsdo = "JSDO", record = "Record", catalog = "Catalog", service = "Service", resource = "Resource",
  table = "Table", field = "Field", operation = "Operation", engine = "Engine", server = "SandboxServer",
  proxy = "Proxy", executor = "Executor", channel = "Channel", hop = "Hop", request = "Request",
  link = "Link",
}
local MODULES = { datasession = true, date = true, store = true, sandbox = true, data = true, oauth2 = true }

-- Words of the docs for types.
local TYPES = {
  string = "string", text = "string", integer = "integer", number = "number", boolean = "boolean",
  ["function"] = "function", table = "table", any = "any", array = "any[]", ["nil"] = "nil",
  userdata = "userdata",
}
for object, class in pairs(CLASSES) do
  if object ~= "table" then TYPES[object] = "datasession." .. class end
end
TYPES.store = "table"

-- The type for words without "or"; "any" for words that are not known.
local function typeOfOne(words)
  local items = words:match "^arrays? of (%l+)$"
  local item = items and (TYPES[items] or TYPES[items:gsub("s$", "")])
  if item then return item .. "[]" end
  if words:find "^array" then return "any[]" end
  if words:find "^table" then return "table" end
  if words == "false" then return "false" end
  return TYPES[words] or TYPES[words:gsub("s$", "")] or TYPES[words:match "^(%l+) of " or ""] or
    words:match '^".*"$' and "string" or "any"
end

local function typeOf(words)
  words = words:gsub("%[(.-)%]%(.-%)", "%1"):gsub("[`*]", "")
  local first = words:match "^[^,;:(]*"
  local found, known = {}, {}
  for part in (first .. " or "):gmatch "(.-) or " do
    local one = typeOfOne(part:match "^%s*(.-)%s*$")
    if not known[one] then known[one], found[#found + 1] = true, one end
  end
  if known.any then return "any" end
  return table.concat(found, "|")
end

local function plain(text)
  return (text:gsub("%[([^%]]-)%]%([^)]-%)", "%1"):gsub("%s+", " "):match "^%s*(.-)%s*$")
end

-- ---- what docs/ says

local methods = {} -- "session:ping" -> { owner, mark, name, parameters, text, promise }
local fields = {}  -- "err" -> array of { name, type, text }
local options = {} -- "session:login" -> array of { name, type, text }
local events, kinds, seen = {}, {}, {}

local function addField(owner, name, words, text)
  local key = owner .. "." .. name
  if seen[key] then return end
  seen[key] = true
  fields[owner] = fields[owner] or {}
  table.insert(fields[owner], { name = name, type = typeOf(words), text = plain(text) })
end

local function addOption(owner, name, words, text)
  local key = owner .. " option " .. name
  if seen[key] then return end
  seen[key] = true
  options[owner] = options[owner] or {}
  table.insert(options[owner], {
    name = name, type = typeOf(words), text = plain(text), required = words:find "required" ~= nil,
  })
end

-- "username, password [, options]" -> { { name, optional }, ... }
local function parametersOf(text)
  local list, depth = {}, 0
  for mark in text:gmatch "[%[%]]?[^,%[%]]*" do
    if mark:sub(1, 1) == "[" then depth = depth + 1 elseif mark:sub(1, 1) == "]" then depth = depth - 1 end
    local words = mark:match "^[%[%]]?%s*(.-)%s*$"
    if words:find "^%.%.%." then
      list[#list + 1] = { name = "..." }
    elseif words ~= "" and not words:find "^or " then
      local name = words:match "^[%a_][%w_]*"
      if name then
        list[#list + 1] = { name = name == "function" and "f" or name == "end" and "last" or name,
          optional = depth > 0 or nil }
      end
    end
  end
  return list
end

local function addMethod(span, text)
  local owner, mark, name, parameters = span:match "^([%a_]+)([.:])([%w_]+)%((.*)%)$"
  if not owner or not (CLASSES[owner] or MODULES[owner]) or seen[owner .. mark .. name] then return end
  seen[owner .. mark .. name] = true
  methods[#methods + 1] = {
    owner = owner, mark = mark, name = name, parameters = parametersOf(parameters), text = plain(text),
    promise = text:find "[Pp]romise" ~= nil or text:find "Resolves" ~= nil or text:find "Rejects" ~= nil,
  }
end

local function addProperty(owner, name, cells)
  if CLASSES[owner] or MODULES[owner] then addField(owner, name, cells[1] or "any", cells[#cells] or "") end
end

-- The cells of a table's row behind the first.
local function cellsOf(line)
  local cells = {}
  for cell in line:gsub("^|[^|]*", ""):gsub("\\|", "\1"):gmatch "|%s*([^|]-)%s*%f[|]" do
    cells[#cells + 1] = cell:gsub("\1", "|")
  end
  return cells
end

local function spansOf(text)
  local spans = {}
  for span in text:gmatch "`([^`]+)`" do spans[#spans + 1] = span end
  return spans
end

-- A row or an item: the names in front, its type and its text.
local function entry(header, spans, words, text)
  local owner = header and header:match "^option of `([%w.:_]+)`"
  for _, span in ipairs(spans) do
    local object, mark, name = span:match "^([%a_]+)([.:])([%w_]+)"
    if owner and span:find "^[%w_]+$" then
      addOption(owner, span, words, text)
    elseif header == "event" then
      events[#events + 1] = span:match "^[%w]+$"
    elseif object and mark == "." and not span:find "%(" then
      addProperty(object, name, { words, text })
    elseif object and span:find "%(" then
      addMethod(span, text)
    end
  end
end

local function readPage(path)
  local text = sources.read(path) .. "\n"
  text = text:gsub("\n```.-\n```", "\n")
  local header, heading, body, section = nil, nil, {}, nil
  local function finish()
    for _, span in ipairs(heading or {}) do
      if span:find "%(" then addMethod(span, table.concat(body, " ")) end
      local object, name = span:match "^(%a+)%.([%w_]+)$"
      if object then addProperty(object, name, { "any", table.concat(body, " ") }) end
    end
    heading, body = nil, {}
  end
  local blocks = {}
  for line in text:gmatch "(.-)\n" do -- an item's further lines belong to it
    if line:find "^  +%S" and blocks[#blocks] and blocks[#blocks]:find "^%- " then
      blocks[#blocks] = blocks[#blocks] .. " " .. line:match "^%s*(.*)$"
    else
      blocks[#blocks + 1] = line
    end
  end
  for _, line in ipairs(blocks) do
    if line:find "^#" then
      finish()
      section, header = line:match "^#+ (.*)$", nil
      heading = spansOf(line)
    elseif line:find "^|" then
      header = header or line:match "^| ?(.-) |"
      local cells = cellsOf(line)
      if cells[1] then entry(header, spansOf(line:match "^| ?(.-) |" or ""), cells[1], cells[#cells]) end
    elseif line:find "^%- `" then
      local names, words, rest = line:match "^%- (`.-`) %((.-)%):%s*(.*)$"
      if not names then names, rest = line:match "^%- (`.-`):%s*(.*)$" end
      if not names then
        names, words = line:match "^%- (`.-`) %((.-)%)$"
        rest = ""
      end
      if names then
        if path:find "errors%.md$" and section == "Kinds" then
          kinds[#kinds + 1] = names:match '^`"(%l+)"`$'
        else
          entry(header, spansOf(names), words or "any", rest)
        end
      end
    elseif line ~= "" then
      local owner = line:match "^Options of (`[%w.:_]+`)"
      header = owner and "option of " .. owner or line:match "^Events, each" and "event" or nil
      body[#body + 1] = line
    elseif line == "" and header and not header:find "^[oe]" then
      header = nil
    end
  end
  finish()
end

-- ---- the definitions

local lines = {}

local function add(...) lines[#lines + 1] = string.format(...):gsub(" +$", "") end

local function className(owner) return "datasession." .. (CLASSES[owner] or owner) end

local function localName(owner) return CLASSES[owner] or owner end

local function optionClass(owner) return "datasession.options." .. owner:gsub("[.:]", "_") end

local function sorted(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function short(text) return #text > 300 and text:sub(1, 297):match "^(.*) [^ ]*$" .. " ..." or text end

local function addOptions()
  for _, owner in ipairs(sorted(options)) do
    local parent = owner == "datasession.getSession" and ": " .. optionClass "datasession.new" or ""
    add("\n---@class %s%s", optionClass(owner), parent)
    for _, one in ipairs(options[owner]) do
      add("---@field %s%s %s %s", one.name, one.required and "" or "?", one.type, short(one.text))
    end
  end
end

local function addFields(owner)
  for _, one in ipairs(fields[owner] or {}) do
    local kind = owner == "err" and one.name == "kind" and "datasession.ErrorKind" or one.type
    add("---@field %s %s %s", one.name, kind, short(one.text))
  end
end

local function addFunction(one)
  local names = {}
  add("")
  if one.text ~= "" then add("---%s", short(one.text)) end
  for _, parameter in ipairs(one.parameters) do
    names[#names + 1] = parameter.name
    local whole = one.owner .. one.mark .. one.name
    local kind = parameter.name == "options" and options[whole] and optionClass(whole) or
      whole:find "^session:.*subscribe" and parameter.name == "event" and "datasession.SessionEvent" or
      TYPES[parameter.name] or "any"
    add("---@param %s%s %s", parameter.name, parameter.optional and "?" or "", kind)
  end
  if one.promise then add("---@return datasession.Promise") else add("---@return any ...") end
  add("function %s%s%s(%s) end", localName(one.owner), one.mark, one.name, table.concat(names, ", "))
end

local function make()
  local pages = sources.find "docs -maxdepth 1 -name '*.md'"
  table.sort(pages)
  for _, path in ipairs(pages) do readPage(path) end
  add "---@meta datasession\n"
  add "-- Made from docs/ by tools/types.lua. Definitions for editors: this file is never run."
  add('\n---@alias datasession.ErrorKind "%s"', table.concat(kinds, '"|"'))
  add('---@alias datasession.SessionEvent "%s"', table.concat(events, '"|"'))
  addOptions()
  local owners = {}
  for owner in pairs(fields) do owners[owner] = true end
  for _, one in ipairs(methods) do owners[one.owner] = true end
  for _, owner in ipairs(sorted(owners)) do
    add("\n---@class %s", className(owner))
    addFields(owner)
    add("local %s = {}", localName(owner))
    for _, one in ipairs(methods) do
      if one.owner == owner then addFunction(one) end
    end
  end
  add "\nreturn datasession"
  return table.concat(lines, "\n") .. "\n"
end

local text = make()
if arg[1] == "--write" then
  os.execute "mkdir -p types"
  local file = assert(io.open(PATH, "w"))
  assert(file:write(text))
  assert(file:close())
  return
end
local file = io.open(PATH)
if not file or file:read "a" ~= text then
  io.stderr:write(PATH, " is not what docs/ says: make types\n")
  os.exit(1)
end
