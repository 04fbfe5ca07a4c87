-- public.lua: the names that are public. The loaded library says them: by its tables, by the fields of its
-- objects, and by the names that it looks through for the nearest when it is given an unknown one.
-- Returns a set: "session:ping", "err.kind", "event online", "option datasession.new timeout".

local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local suggest = require "datasession.internal.suggest"

local known = {}

local function add(prefix, names)
  assert(next(names) ~= nil, prefix .. ": nothing was found that is public")
  for name in pairs(names) do
    if type(name) == "string" and not name:find("^__") then known[prefix .. name] = true end
  end
end

-- ---- what the library says

local UNKNOWN = "no such name"

-- The lists of names among which the library looked for the nearest to UNKNOWN, in the last call of `ask`.
local told

local nearest = suggest.nearest

function suggest.nearest(name, names)
  if name == UNKNOWN then told[#told + 1] = names end
  return nearest(name, names)
end

-- Calls a function, which may raise. Returns a set of the names among which the library looked for UNKNOWN;
-- nil: it did not look.
local function ask(f, ...)
  told = {}
  pcall(f, ...)
  local names = {}
  for _, list in ipairs(told) do
    for _, name in ipairs(list) do names[name] = true end
  end
  return told[1] and names
end

local function index(object) return object[UNKNOWN] end

-- Adds the fields of an object but those in the set `without`, and returns the set of their names. A function
-- is a method.
local function members(prefix, object, without)
  local names = assert(ask(index, object), prefix .. ": its fields are not known")
  for name in pairs(without or {}) do names[name] = nil end
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
  ["session:transportRequest"] = "session:request", ["jsdo:read"] = "jsdo:fill", ["jsdo:count"] = "jsdo:fill",
  ["jsdo:pages"] = "jsdo:fill", ["jsdo:records"] = "jsdo:fill",
  ["channel:broadcastObject"] = "channel:broadcast", ["channel:notifyObject"] = "channel:notify",
  ["oauth2.refreshToken"] = "oauth2.clientCredentials", ["oauth2.deviceFlow"] = "oauth2.refreshToken",
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
    local called = type(f) == "function" or type(f) == "table" -- a class
    local options = called and optionsOf(f)
    if options then take(prefix .. name, options) end
  end
end

-- The same for the methods of those names, each called with an object that `new` makes; what is in the set
-- `without` is no option.
local function optionsOfMethods(prefix, names, new, without)
  for name in pairs(names) do
    local object = new()
    local method = object[name]
    local options = type(method) == "function" and optionsOf(method, object) or {}
    for other in pairs(without or {}) do options[other] = nil end
    if next(options) then take(prefix .. name, options) end
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
  server:fault { kind = "status", status = 503 }
  collect(session:request { path = "/none", retry = 1 })
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
        "type": "array", "ablType": "x", "format": "x", "default": 1, "maxItems": 1, "title": "x",
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

-- Callback channels. Those that `register` opens would stay open.
local function channels(server)
  local session = datasession.new { protocol = "datasnap", serviceURI = server.origin }
  local function new() return session:channel { serverChannel = "x" } end
  local names = members("channel", new())
  names.register = nil
  optionsOfMethods("channel:", names, new)
  local _, message = pcall(new().subscribe, new(), "?", print)
  add("event ", set(message:match "expected one of (.*)$", "(%w+)"))
end

local function providers(server)
  local function new()
    return datasession.AuthenticationProvider { uri = server.origin, authenticationModel = "anonymous" }
  end
  optionsOfMethods("provider:", members("provider", new()), new)
end

-- Data objects and their records, without the fields of the resource and the names of its tables.
local function dataObjects(server)
  local session = datasession.new { serviceURI = server.uris.anonymous }
  assert(session:login():await())
  assert(session:addCatalog(server.catalogURIs.anonymous):await())
  local store = require("datasession.store").memory()
  local function new()
    return datasession.JSDO { name = "Customer", session = session, store = store }
  end
  local jsdo, record = new(), require "datasession.internal.data.record"
  local own = { _errorString = true }
  for name in pairs(jsdo) do own[name] = true end
  for _, field in ipairs(jsdo.resource:fields()) do own[field.name] = true end
  local methods = members("jsdo", jsdo, own)
  methods.add, methods.create = nil, nil -- what they take are fields
  optionsOfMethods("jsdo:", methods, new, own)
  add("record:", record.methods)
  add("record.", record.properties)
  add("date.", require "datasession.date")
  jsdo:subscribe("beforeFill", function() return false end)
  add("err.", assert(select(2, jsdo:fill():await())))
end

local function servers()
  local function new() return assert(sandbox.start()) end
  local server = new()
  local methods = debug.getmetatable(server).__index
  add("server.", server)
  add("server:", methods)
  local secure <close> = assert(sandbox.start { tls = true })
  add("server.", secure)
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
  channels(server)
  members("response", (assert(session:request { path = "/static/home.html" }:await())))
  members("response", (assert(session:request { path = "/static/home.html", stream = true }:await())))
  members("promise", session:ping())
  add("engine:", debug.getmetatable(datasession.engine).__index)
  add("sandbox.", sandbox)
  optionsIn("sandbox.", sandbox)
  optionsIn("catalog.", require "datasession.catalog")
  add("oauth2.", require "datasession.oauth2")
  optionsIn("oauth2.", require "datasession.oauth2")
  local _, message = pcall(session.subscribe, session, "?", print)
  add("event ", set(message:match "expected one of (.*)$", "(%w+)"))
  known["link:request"] = true
  add("link.", set("session options expiresAt protocol", "%w+"))
  catalogMembers()
  stores()
  dataObjects(server)
  errors(session, server)
  addOptions()
  datasession.run() -- what was begun
  server:close()
end

public()
return known
