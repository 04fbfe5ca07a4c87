-- docs.lua: fails unless docs/ has an entry for everything public and names nothing that does not exist.
-- The loaded library says what is public; for names that a C function compares and for lists of options, the
-- source does. An entry is a code span in a heading, in the first cell of a table's row or at the beginning
-- of a list's item: `session:ping()`, `err.kind`, or a bare name in a table or list headed "option of `F`" or
-- "event". The heading of a list is the line above it, which begins with "Options of `F`" or "Events, each".
-- All code in docs/ and README.md may name only what exists; links must lead somewhere.

local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

-- what is public: "session:ping", "err.kind", "event online", "option datasession.new timeout"
local known = {}
-- Words that examples use for other things too.
local OPEN = { table = true, field = true, resource = true, service = true, operation = true }

local sources = dofile "tools/sources.lua"
local files, read = sources.find, sources.read

local function add(prefix, names)
  assert(next(names) ~= nil, prefix .. ": nothing was found that is public")
  for name in pairs(names) do
    if type(name) == "string" and not name:find("^__") then known[prefix .. name] = true end
  end
end

-- ---- what is public

local function set(text, pattern)
  local names = {}
  for name in text:gmatch(pattern) do names[name] = true end
  return names
end

-- The members of a userdata whose __index has tables as upvalues: methods, properties' numbers.
local function members(prefix, object)
  local index = debug.getmetatable(object).__index
  add(prefix .. ":", select(2, debug.getupvalue(index, 1)))
  local _, properties = debug.getupvalue(index, 2)
  if properties then add(prefix .. ".", properties) end
end

-- The names that a C file's __index compares its key with.
local function compared(prefix, path, method)
  local names = set(read(path), 'strcmp%(key, "(%w+)"%)')
  if method then names[method], known[prefix .. ":" .. method] = nil, true end
  add(prefix .. ".", names)
end

-- Every field that errors have, met on errors of each sort.
local function errors(session, server)
  local provider = datasession.AuthenticationProvider { uri = server.uris.basic,
    authenticationModel = "basic" }
  local function collect(promise)
    add("err.", assert(select(2, promise:await())))
  end
  collect(session:request { path = "/none" })
  collect(provider:refresh())
  collect(datasession.spawn(error, "raised"))
  server:stop()
  collect(session:login())
end

local function catalogMembers()
  local catalog = require "datasession.catalog"
  local document = [[{ "version": "1", "lastModified": "x", "services": [ { "name": "S", "address": "/s",
    "useRequest": 1, "resources": [
    { "name": "T", "schema": { "properties": { "tt": { "type": "array", "items": { "properties": {} } } } } },
    { "name": "R", "path": "/r", "idProperty": "a", "relations": [], "schema": { "properties": { "ds": { "properties": {
      "tt": { "type": "array", "primaryKey": ["a"], "idProperty": "a", "items": { "properties": { "a": {
        "type": "array", "ablType": "x", "format": "x", "default": 1, "maxItems": 1,
        "items": { "type": "number" }, "origName": "x" } } } } } } } },
      "operations": [ { "type": "read", "name": "x", "path": "", "verb": "get",
        "mergeMode": "EMPTY", "mappingType": "x", "capabilities": "top", "params": [] } ] } ] } ] }]]
  local parsed = assert(catalog.parse(document, { uri = "x" }))
  local resource = parsed:resource("R")
  add("catalog.", catalog)
  add("resource.", parsed:resource("T"))
  for prefix, object in pairs {
    catalog = parsed, service = parsed.services[1], resource = resource, table = resource.tables[1],
    field = resource.tables[1].fields[1], operation = resource.operations[1],
  } do
    add(prefix .. ".", object)
    local meta = debug.getmetatable(object)
    local class = meta and meta.__index or {}
    local inherited = getmetatable(class) and getmetatable(class).__index or {}
    for _, names in ipairs { class, inherited } do
      for name, value in pairs(names) do known[prefix .. (type(value) == "function" and ":" or ".") ..
        name] = true end
    end
  end
end

-- Where Lua files have their lists of options: the file, what stands before the list, a pattern for each
-- name.
local REGISTRY, SANDBOX = "lua/datasession/internal/registry.lua", "lua/datasession/sandbox.lua"
local lists = {
  ["datasession.getSession"] = { REGISTRY, "\nlocal own = ", '"(%w+)"' },
  ["datasession.invalidateAllSessions"] = { REGISTRY, 'unknown%("option", name, ', '"(%w+)"' },
  ["sandbox.start"] = { SANDBOX, "\nlocal startRules = ", "(%w+) = " },
  ["server:fault"] = { SANDBOX, "\nlocal faultRules = ", "(%w+) = " },
  ["server:setBtt"] = { "lua/datasession/sandbox/settings.lua", "settings%.btt = {%s+rules = ", "(%w+) = " },
  ["server:setProiv"] = { "lua/datasession/sandbox/settings.lua", "settings%.proiv = {%s+rules = ",
    "(%w+) = " },
  ["catalog.parse"] = { "lua/datasession/catalog.lua", "\nlocal OPTIONS = ", "(%w+) = " },
}

-- In C they are what options_check is given.
local function options()
  local shared = read("csrc/runtime/transport_options.h"):match("#define TRANSPORT_OPTIONS(.-)\n\n")
  for _, path in ipairs(files "csrc -name '*.c' ! -path 'csrc/runtime/options.c'") do
    local text = read(path)
    for at, what, list in text:gmatch '()options_check[_more]*%(L, %-?%w+, "([^"]+)",%s+([%w_]+)' do
      local last
      for literal in text:sub(1, at):gmatch("%*const " .. list .. "%[%] = (%b{})") do
        last = literal:gsub("TRANSPORT_OPTIONS", function() return shared end)
      end
      local name = what:match "^option '(%w+)'$" or what:find "^datasession" and what or "session:" .. what
      add("option " .. name .. " ", set(assert(last, path .. ": no list " .. list), '"(%w+)"'))
    end
  end
  for name, place in pairs(lists) do
    local list = assert(read(place[1]):match(place[2] .. "(%b{})"), place[1])
    add("option " .. name .. " ", set(list, place[3]))
  end
end

-- Options of datasession.new: everybody's and jsdo's there; those of another protocol, on its page, are
-- options of its name. Its own methods are in its file.
local function protocols()
  local core = require "datasession.core"
  local names, common = {}, {}
  for _, name in ipairs(core.optionNames "jsdo") do
    names[name] = true
  end
  add("option datasession.new ", names)
  for protocol in read("csrc/protocol/list.c"):match("protocol_list%[%] = (%b{})"):gmatch "protocol_(%w+)" do
    for _, name in ipairs(core.optionNames(protocol)) do
      if not names[name] then common[protocol .. " " .. name] = true end
    end
    for _, path in ipairs(protocol == "jsdo" and {} or
      files("csrc/protocol/" .. protocol .. " -name '*.c'")) do
      for list in read(path):gmatch "luaL_Reg [%w_]*methods%[%] = (%b{})" do
        add("session:", set(list, '{"(%w+)"')) end
    end
  end
  if next(common) then add("option ", common) end
end

local function stores()
  local store = require "datasession.store"
  add("store.", store)
  add("store:", getmetatable(store.memory()).__index)
end

local function public()
  local server = assert(sandbox.start())
  local session = datasession.new { serviceURI = server.uris.anonymous }
  local provider = datasession.AuthenticationProvider { uri = server.origin,
    authenticationModel = "anonymous" }
  add("datasession.", datasession)
  members("session", session)
  members("provider", provider)
  compared("provider", "csrc/protocol/jsdo/provider.c")
  compared("response", "csrc/runtime/response.c", "json")
  add("promise:", debug.getmetatable(provider:logout()).__index)
  add("engine:", debug.getmetatable(datasession.engine).__index or datasession.engine)
  add("sandbox.", sandbox)
  add("server.", server)
  add("server:", debug.getmetatable(server).__index)
  local _, message = pcall(session.subscribe, session, "?", print)
  add("event ", set(message:match "expected one of (.*)$", "(%w+)"))
  known["link:request"] = true
  add("link.", set("session options expiresAt protocol", "%w+"))
  errors(session, server)
  catalogMembers()
  options()
  protocols()
  stores()
  server:close()
end

-- ---- what the docs say

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
  for at, name, mark, member in code:gmatch "()%f[%w_](%a+)([.:])([%a_][%w_]*)" do
    local before = code:sub(at - 1, at - 1)
    if namespaces[name] and (entry or not OPEN[name]) and not before:find "[%w_./:]" then
      local whole = name .. mark .. member
      if not known[whole] and not isModule(name, member) then fault("%s: there is no %s", place, whole) end
    end
  end
end

local function enter(place, span, header)
  local owner = header and header:match "^option of `([%w.:_]+)`"
  local whole = span:match "^%a+[.:][%w_]+"
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

public()
for name in pairs(known) do namespaces[name:match "^%a+"] = not name:find " " or nil end
page "README.md"
for _, path in ipairs(files "docs -name '*.md'") do page(path) end
for name in pairs(known) do
  if not entries[name] then fault("docs/ has no entry for %s", name) end
end
table.sort(faults)
for _, text in ipairs(faults) do io.stderr:write(text, "\n") end
os.exit(#faults == 0, true)
