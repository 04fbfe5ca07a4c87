-- docs.lua: fails unless docs/ has an entry for everything public and names nothing that does not exist.
-- The loaded library says what is public: by its tables, by the fields of its objects, and by the names that
-- it looks through for the nearest when it is given an unknown one. An entry is a code span in a heading, in
-- the first cell of a table's row or at the beginning of a list's item: `session:ping()`, `err.kind`, or a
-- bare name in a table or list headed "option of `F`" or "event". The heading of a list is the line above it,
-- which begins with "Options of `F`" or "Events, each". All code in docs/ and README.md may name only what
-- exists; links must lead somewhere.

local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local suggest = require "datasession.internal.suggest"

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

-- ---- what the library says

local UNKNOWN = "no such name"

-- The names among which the library looked for the nearest to UNKNOWN, in the last call of `ask`; nil: it did
-- not look.
local told

local nearest = suggest.nearest

function suggest.nearest(name, names)
  if name == UNKNOWN then told = names end
  return nearest(name, names)
end

-- Calls a function, which may raise. Returns a set of the names among which the library looked for UNKNOWN;
-- nil: it did not look.
local function ask(f, ...)
  told = nil
  pcall(f, ...)
  if not told then return nil end
  local names = {}
  for _, name in ipairs(told) do names[name] = true end
  return names
end

local function index(object) return object[UNKNOWN] end

-- Adds the fields of an object, and returns the set of their names. A function is a method.
local function members(prefix, object)
  local names = assert(ask(index, object), prefix .. ": its fields are not known")
  for name in pairs(names) do
    known[prefix .. (type(object[name]) == "function" and ":" or ".") .. name] = true
  end
  return names
end

-- Finds the option table of a function: passes a table with an unknown option as the argument after those
-- given, as the next ... Returns a set of the options; nil: it takes none.
local function optionsOf(f, ...)
  for _, other in ipairs { "x", {} } do
    local arguments, first = { ... }, select("#", ...) + 1
    for last = first, first + 4 do
      arguments[last] = { [UNKNOWN] = 1 }
      local names = ask(f, table.unpack(arguments, 1, last))
      if names then return names end
      arguments[last] = other
    end
  end
end

-- Functions that take the options of another one, too; that one's entries are enough.
local SAME = {
  ["datasession.getSession"] = "datasession.new", ["session:login"] = "session:establishSession",
  ["session:transportRequest"] = "session:request",
}

local takes = {} -- function -> the set of its options

local function take(name, options)
  takes[name] = takes[name] or {}
  for option in pairs(options) do takes[name][option] = true end
end

local function addOptions()
  for name, options in pairs(takes) do
    local own = {}
    for option in pairs(options) do own[option] = not (takes[SAME[name]] or {})[option] or nil end
    if next(own) then add(("option %s "):format(name), own) end
  end
end

-- Takes down the options of the functions of that table.
local function optionsIn(prefix, object)
  for name, f in pairs(object) do
    local options = type(f) == "function" and optionsOf(f)
    if options then take(prefix .. name, options) end
  end
end

-- The same for the methods of those names, each called with an object that `new` makes.
local function optionsOfMethods(prefix, names, new)
  for name in pairs(names) do
    local object = new()
    local method = object[name]
    local options = type(method) == "function" and optionsOf(method, object)
    if options then take(prefix .. name, options) end
  end
end

-- ---- what is public

local function set(text, pattern)
  local names = {}
  for name in text:gmatch(pattern) do names[name] = true end
  return names
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
    { "name": "R", "path": "/r", "idProperty": "a", "relations": [],
      "schema": { "properties": { "ds": { "properties": {
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

-- The names of the protocols, as the error for an unknown one lists them.
local function protocols()
  local _, message = pcall(datasession.new, { protocol = UNKNOWN })
  local names = {}
  for name in message:match("expected (.*) or one"):gmatch '"(%w+)"' do names[#names + 1] = name end
  return names
end

-- Options of datasession.new: everybody's and jsdo's there; those of another protocol, on its page, are
-- options of its name; those of a table that is an option are options of that option.
local function optionsOfNew(server)
  local all = ask(datasession.new, { [UNKNOWN] = 1 })
  for _, protocol in ipairs(protocols()) do
    local own = {}
    for name in pairs(ask(datasession.new, { protocol = protocol, [UNKNOWN] = 1 })) do
      if not all[name] then own[name] = true end
      local inner = ask(datasession.new, { protocol = protocol, serviceURI = server.origin,
        [name] = { [UNKNOWN] = 1 } })
      if inner then take(name, inner) end
    end
    if next(own) then take(protocol, own) end
  end
end

local function sessions(server)
  for _, protocol in ipairs(protocols()) do
    local function new() return datasession.new { protocol = protocol, serviceURI = server.origin } end
    optionsOfMethods("session:", members("session", new()), new)
  end
end

local function providers(server)
  local function new()
    return datasession.AuthenticationProvider { uri = server.origin, authenticationModel = "anonymous" }
  end
  optionsOfMethods("provider:", members("provider", new()), new)
end

local function servers()
  local function new() return assert(sandbox.start()) end
  local server = new()
  local methods = debug.getmetatable(server).__index
  add("server.", server)
  add("server:", methods)
  optionsOfMethods("server:", methods, function() return server end)
  return new()
end

local function stores()
  local store = require "datasession.store"
  add("store.", store)
  add("store:", getmetatable(store.memory()).__index)
end

local function public()
  datasession.onError(function() end) -- much of what is called is refused
  local server = servers()
  local session = datasession.new { serviceURI = server.uris.anonymous }
  add("datasession.", datasession)
  optionsIn("datasession.", datasession)
  optionsOfNew(server)
  sessions(server)
  providers(server)
  members("response", (assert(session:request { path = "/static/home.html" }:await())))
  members("promise", session:ping())
  add("engine:", debug.getmetatable(datasession.engine).__index)
  add("sandbox.", sandbox)
  optionsIn("sandbox.", sandbox)
  optionsIn("catalog.", require "datasession.catalog")
  local _, message = pcall(session.subscribe, session, "?", print)
  add("event ", set(message:match "expected one of (.*)$", "(%w+)"))
  known["link:request"] = true
  add("link.", set("session options expiresAt protocol", "%w+"))
  catalogMembers()
  stores()
  errors(session, server)
  addOptions()
  datasession.run() -- what was begun
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
