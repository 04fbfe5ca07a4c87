--- Data objects: the constructor, the methods of all files together, properties, and the tables by name.

local argument = require "datasession.internal.argument"
local binding = require "datasession.internal.data.binding"
local errors = require "datasession.internal.data.errors"
local live = require "datasession.internal.data.live"
local memory = require "datasession.internal.data.memory"
local merge = require "datasession.internal.data.merge"
local methodsOf = require "datasession.internal.methods"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local record = require "datasession.internal.data.record"
local relations = require "datasession.internal.data.relations"
local requests = require "datasession.internal.data.request"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"
local tableref = require "datasession.internal.data.tableref"
local table = require("datasession.internal.lua").table

local P = private.P
local getmetatable = getmetatable
local rawget, type = rawget, type

-- The files that add methods. Each may have `methods` (of data objects), `tableMethods` (of table references;
-- a data object with one table has them, too), `recordMethods`, `recordProperties` (name -> function (state
-- of the table, record)), `properties` (name -> function (state of the data object, data object)), `settable`
-- and `options` (of the constructor: name -> function (jsdo, value, level)).
local FILES = {
  "properties", "reading", "pending", "events", "errors", "merge", "save", "conflict", "localstorage", "fill",
  "paging", "invoke",
}

local jsdo = {}

local methods, properties, settable, options = {}, {}, {}, {}

local meta = { __name = "datasession.JSDO", __metatable = "datasession.JSDO" }

-- ---- Delegation

local function tableNames(s)
  local names = {}
  for i, t in ipairs(s.tables) do names[i] = t.name end
  return table.concat(names, ", ")
end

-- The only table of a data object. Raises where the method was called.
local function single(self, method)
  local s = type(self) == "table" and rawget(self, P)
  if not s then
    raise(("%s: expected a JSDO, got %s: call it with ':' instead of '.'"):format(method, type(self)), 3)
  end
  local t = s.tables[1]
  if t and not s.tables[2] then return t end
  if not t then raise(("%s: the catalog describes no table of %s"):format(method, s.resource.name), 3) end
  raise(("%s: %s has several tables: call it on one of %s"):format(method, s.resource.name, tableNames(s)), 3)
end

local function delegate(name, method)
  methods[name] = function(self, ...)
    return method(single(self, name), ...)
  end
end

-- ---- Properties

function properties.name(s) return s.resource.name end
function properties.session(s) return s.session end
function properties.resource(s) return s.resource end
function properties.autoApplyChanges(s) return s.autoApplyChanges end
function properties.useRelationships(s) return s.useRelationships end
function properties.viewTables(s) return s.viewTables end
function properties.autoSort(s) return s.autoSort end
function properties.caseSensitive(s) return s.caseSensitive end

--- The table reference, if there is one only.
function properties.defaultTableRef(s) return #s.tables == 1 and s.tables[1] or nil end

--- The working record, if there is one table only.
function properties.record(s) return #s.tables == 1 and memory.working(s.tables[1]) or nil end

local function has(s, kind) return s.resource:operation(kind) ~= nil end

function properties.hasCUDOperations(s) return has(s, "create") or has(s, "update") or has(s, "delete") end
function properties.hasSubmitOperation(s) return has(s, "submit") end

local function boolean(name)
  settable[name] = function(s, value, level)
    if type(value) ~= "boolean" then
      raise(("%s: expected a boolean, got %s"):format(name, type(value)), level + 1)
    end
    s[name] = value
  end
end

boolean "autoApplyChanges"
boolean "useRelationships"

function settable.viewTables(s, value) s.viewTables = value end

for _, name in ipairs { "autoSort", "caseSensitive" } do
  boolean(name)
  local set = settable[name]
  settable[name] = function(s, value, level)
    set(s, value, level + 1)
    for _, t in ipairs(s.tables) do tableref.settable[name](t, value, level + 1) end
  end
end

-- ---- Reading and writing members

-- The names of the tables, then of everything else.
local function namesOf(s)
  local tables, others = {}, {}
  for name in next, s.byName do tables[#tables + 1] = name end
  for _, source in ipairs { methods, properties } do
    for name in next, source do others[#others + 1] = name end
  end
  return tables, others
end

-- Progress's data objects have the operations as methods.
local function refuseOperation(s, name, level)
  for _, operation in ipairs(s.resource.operations) do
    if type(name) == "string" and operation.name == name then
      raise(("%s is an operation of %s: write jsdo.operations.%s { ... }")
        :format(name, s.resource.name, name), level + 1)
    end
  end
end

local function missing(s, name, level)
  refuseOperation(s, name, level + 1)
  for _, t in ipairs(s.tables) do
    if schema.has(t[P].shape, name) then
      raise(("%s: %s has several tables: write jsdo.%s.%s"):format(name, s.resource.name, t.name, name),
        level + 1)
    end
  end
  tableref.refuseName(s.resource.name, name, level + 1, namesOf(s))
end

function meta.__index(self, name)
  local method = methods[name]
  if method then return method end
  local s = rawget(self, P)
  local property = properties[name]
  if property then return property(s, self) end
  local t = s.byName[name]
  if t then return t end
  if #s.tables ~= 1 then missing(s, name, 2) end
  local value = tableref.get(s.tables[1], name, s.resource.name, 2, function()
    refuseOperation(s, name, 4)
    return namesOf(s)
  end)
  return value
end

function meta.__newindex(self, name, value)
  local s = rawget(self, P)
  if settable[name] then
    settable[name](s, value, 2)
  elseif methods[name] or properties[name] or s.byName[name] then
    raise(("%s is read-only"):format(name), 2)
  elseif #s.tables ~= 1 then
    missing(s, name, 2)
  else
    tableref.set(s.tables[1], name, value, 2)
  end
end

--- Walks the tables by name.
function meta.__pairs(self) return next, rawget(self, P).byName, nil end

--- The number of records of all tables.
function meta.__len(self)
  local n = 0
  for _, t in ipairs(rawget(self, P).tables) do n = n + memory.count(t) end
  return n
end

function meta.__tostring(self)
  local s, counts = rawget(self, P), {}
  for i, t in ipairs(s.tables) do counts[i] = ("%s: %d"):format(t.name, memory.count(t)) end
  return ("JSDO %s (%s)"):format(s.resource.name, table.concat(counts, ", "))
end

-- ---- The methods of the other files

for name, method in next, tableref.methods do
  if not methods[name] then delegate(name, method) end
end

for _, file in ipairs(FILES) do
  local module = require("datasession.internal.data." .. file)
  for name, method in next, module.methods or {} do methods[name] = method end
  for name, method in next, module.tableMethods or {} do
    tableref.methods[name] = method
    if not (module.methods and module.methods[name]) then delegate(name, method) end
  end
  for name, method in next, module.recordMethods or {} do record.methods[name] = method end
  for name, f in next, module.recordProperties or {} do record.properties[name] = f end
  for name, f in next, module.properties or {} do properties[name] = f end
  for name, f in next, module.settable or {} do settable[name] = f end
  for name, f in next, module.options or {} do options[name] = f end
end

tableref.objectMethods = methods

methodsOf("a JSDO", methods, function(value) return jsdo.is(value) end)
methodsOf("a table reference", tableref.methods, tableref.is)
methodsOf("a record", record.methods, record.is)

-- ---- The constructor

local OWN = { "name", "session", "catalog", "autoFill" }

local function optionNames()
  local names = table.move(OWN, 1, #OWN, 1, {})
  for _, source in ipairs { settable, options } do
    for name in next, source do names[#names + 1] = name end
  end
  return names
end

local function checkOptions(asked, level)
  if type(asked) == "string" then return { name = asked } end
  if type(asked) ~= "table" or asked == package.loaded.datasession then
    raise("JSDO: expected the name of a resource or a table of options, got " .. argument.type(asked),
      level + 1)
  end
  local known = {}
  for _, name in ipairs(optionNames()) do known[name] = true end
  for name in pairs(asked) do
    if not known[name] then
      raise("JSDO: " .. suggest.unknown("option", name, optionNames()), level + 1)
    end
  end
  if type(asked.name) ~= "string" then
    raise("JSDO: option 'name': expected the name of a resource, got " .. type(asked.name), level + 1)
  end
  return asked
end

local function makeTables(self, s)
  for i, shape in ipairs(schema.shapes(s.resource)) do
    local t = tableref.new(self, shape)
    s.tables[i] = t
    if shape.name ~= "" then s.byName[shape.name] = t end
  end
  if #s.tables == 1 then tableref.addFindById(self, s.tables[1]) end
end

local function applyOptions(self, s, given, level)
  for name, value in pairs(given) do
    if settable[name] then settable[name](s, value, level + 1) end
  end
  for name, value in pairs(given) do
    if options[name] then options[name](self, value, level + 1) end
  end
  if given.autoFill ~= nil and type(given.autoFill) ~= "boolean" then
    raise("JSDO: option 'autoFill': expected a boolean, got " .. type(given.autoFill), level + 1)
  end
end

--- Makes a data object for a resource of a loaded catalog.
-- @param given the name of the resource; or a table: `name`; `session`, by default the one whose catalog has
--   the resource; `catalog`, one of the session's or its URI, by default the first that has the resource;
--   `autoFill`, boolean: calls fill(); `autoApplyChanges`, `useRelationships`, `autoSort` (booleans, true by
--   default), `caseSensitive` (boolean, false by default); `viewTables`; `events`
-- @return the data object; with autoFill also the promise of fill. Raises for unknown options, names and
--   resources
function jsdo.new(given)
  local own = checkOptions(given, 2)
  local session, resource, catalogURI = binding.find(own.name, own.session, own.catalog, 2)
  local s = {
    session = session, resource = resource, catalogURI = catalogURI, tables = {}, byName = {},
    autoApplyChanges = true, useRelationships = true, autoSort = true, caseSensitive = false,
    errors = {}, handlers = {}, properties = {}, filling = 0,
  }
  local self = setmetatable({ [P] = s }, meta)
  makeTables(self, s)
  relations.connect(s, 2)
  applyOptions(self, s, own, 2)
  live.add(session, self)
  if own.autoFill then return self, self:fill() end
  return self
end

--- True if the value is a data object.
function jsdo.is(value)
  return getmetatable(value) == "datasession.JSDO" and type(value) == "table"
end

-- datasession.JSDO: a function that has the constants as fields.
jsdo.class = setmetatable({
  MODE_APPEND = merge.APPEND, MODE_EMPTY = merge.EMPTY, MODE_MERGE = merge.MERGE,
  MODE_REPLACE = merge.REPLACE,
  ALL_DATA = 1, CHANGES_ONLY = 2,
  ERROR = errors.ERROR, APP_ERROR = errors.APP_ERROR, RETVAL = errors.RETVAL,
  DATA_ERROR = errors.DATA_ERROR,
  _OP_CREATE = requests.CREATE, _OP_READ = requests.READ, _OP_UPDATE = requests.UPDATE,
  _OP_DELETE = requests.DELETE, _OP_SUBMIT = requests.SUBMIT,
  ARRAY_INDEX_SEPARATOR = "_",
}, {
  __call = function(_, ...) return jsdo.new(...) end,
  __index = function(class, name)
    local names = {}
    for known in next, class do names[#names + 1] = known end
    raise(suggest.unknown("JSDO constant", name, names), 2)
  end,
})

return jsdo
