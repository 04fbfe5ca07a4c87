--- Our side of the steps about data objects. Everything is told in the form of jsdo.js.
local cjson = require "cjson"
local datasession = require "datasession"

local memory = require "datasession.internal.data.memory"

local Data = {}
Data.__index = Data

local EVENTS = { "beforeFill", "afterFill", "beforeSaveChanges", "afterSaveChanges", "beforeCreate",
  "afterCreate", "beforeUpdate", "afterUpdate", "beforeDelete", "afterDelete" }
local OF_RECORDS = 5 -- the first event that tables have, too

local null = datasession.null

local function nameOf(value)
  local name = getmetatable(value)
  return type(name) == "string" and name or nil
end

local function isRecord(value) return nameOf(value) == "datasession.record" end
local function isTable(value) return nameOf(value) == "datasession.table" end
local function isJSDO(value) return nameOf(value) == "datasession.JSDO" end

-- ---- what is told

function Data:label(value)
  for name, object in pairs(self.side.objects) do
    if object == value then return name end
  end
end

-- Keys for the exchange with the server, and those that the reference keeps in a record for itself.
local OWN = { _id = true, _index = true, _rejected = true, ["prods:id"] = true, ["prods:clientId"] = true,
  ["prods:rowState"] = true, ["prods:hasErrors"] = true, ["prods:rejected"] = true }

local function rowOf(self, r)
  local row = r:toTable()
  row._errorString = r:getErrorString()
  return self:row(row)
end

--- A row without what concerns the exchange with the server.
function Data:row(row)
  local told = {}
  for name, value in pairs(row) do
    if not OWN[name] then told[name] = self:value(value) end
  end
  return told
end

function Data:value(value)
  if value == nil or value == null then return "(null)" end
  if type(value) == "function" then return nil end
  if isRecord(value) then return { ["$record"] = rowOf(self, value) } end
  if isJSDO(value) then return { ["$object"] = self:label(value) or "a jsdo" } end
  if isTable(value) then return { ["$table"] = value.name } end
  if type(value) == "userdata" then return tostring(value) end
  if type(value) ~= "table" then return value end
  local told = {}
  for name, one in pairs(value) do
    if not OWN[name] then told[name] = self:value(one) end
  end
  return told
end

local function records(self, list)
  local told = {}
  for i, r in ipairs(list) do told[i] = rowOf(self, r) end
  return told
end

function Data:request(request)
  if not request then return nil end
  local told = { fnName = request.fnName, operation = request.operation, success = request.success,
    async = request.async, exception = request.exception ~= nil or nil,
    status = request.xhr and request.xhr.status or nil }
  if request.response ~= nil then told.response = self:value(request.response) end
  if request.objParam ~= nil then told.objParam = self:value(request.objParam) end
  if request.jsrecord then told.record = rowOf(self, request.jsrecord) end
  if request.jsrecords then told.records = records(self, request.jsrecords) end
  if request.batch then
    told.batch = {}
    for i, one in ipairs(request.batch.operations) do told.batch[i] = self:request(one) end
  end
  return told
end

--- Entries of getErrors.
function Data:errors(list)
  local told = {}
  for i, one in ipairs(list) do
    told[i] = { type = one.type, error = one.type < -1 and one.error or nil, errorNum = one.errorNum,
      id = one.id, responseText = one.responseText }
  end
  return told
end

--- The outcome of a call's promise.
function Data:settled(outcome, value, result, info)
  if outcome == "resolved" and not isJSDO(value) then
    return { outcome = outcome, data = { value = self:value(value), result = result } }
  end
  if outcome == "resolved" then
    return { outcome = outcome, data = { success = true, jsdo = self:label(value),
      request = self:request(info) } }
  end
  local given = info or {}
  return { outcome = outcome, data = { success = false, jsdo = self:label(given.jsdo),
    request = self:request(given.request), error = given.errorObject ~= nil } }
end

local function changesOf(self, t)
  local told = {}
  for i, change in ipairs(t:getChanges()) do
    local r = change.record
    local before = r:getBefore()
    told[i] = { state = change.rowState, row = change.rowState ~= "deleted" and rowOf(self, r) or nil,
      before = before and self:row(before) }
  end
  return told
end

local function tableOf(self, t)
  local rows = {}
  for r in memory.records(t) do rows[#rows + 1] = rowOf(self, r) end
  return { rows = rows, changes = changesOf(self, t), errors = self:errors(t:getErrors()),
    working = t.record and rowOf(self, t.record) }
end

--- Memory as it is.
function Data:memory()
  local all = {}
  for name, jsdo in pairs(self.jsdos) do
    all[name] = {}
    local only = jsdo.defaultTableRef
    if only then all[name][only.name ~= "" and only.name or "records"] = tableOf(self, only) end
    for known, t in pairs(jsdo) do all[name][known] = tableOf(self, t) end
  end
  return all
end

-- ---- what a case may name

function Data:resolve(path)
  local object = self.side.objects
  for name in path:gmatch "[^.]+" do object = object[name] end
  return object
end

local function brief(r)
  local t = memory.owner(r)
  local value = r:toTable()[t:getSchema()[1].name]
  return ("%s %s"):format(t.name ~= "" and t.name or "record", value or "null")
end



-- An argument of an event.
function Data:told(value, given)
  if isRecord(value) then return brief(value) end
  if isJSDO(value) then return self:label(value) or "a jsdo" end
  if type(value) == "table" then
    return given.requests and "JSON " .. cjson.encode(self:request(value)) or "request"
  end
  return tostring(value)
end

function Data:listener(given)
  local name = given["$listener"]
  local known = self.listeners[name]
  if known then return known end
  self.listeners[name] = function(...)
    local n, texts, scope = select("#", ...), {}, self.side.scopeNames[(...)]
    for i = scope and 2 or 1, n do texts[#texts + 1] = self:told(select(i, ...), given) end
    local events = self.side.events
    events[#events + 1] = ("%s: %s%s"):format(name, table.concat(texts, ", "),
      scope and " in " .. scope or "")
    if given.throws then error("from a listener", 0) end
    if given.sets then select(2, ...):assign(given.sets) end
    return given.returns
  end
  return self.listeners[name]
end

local tests = {
  ["="] = function(found, value) return found == value end,
  ["<"] = function(found, value) return found < value end,
  [">"] = function(found, value) return found > value end,
}

local makers = {}

makers["$listener"] = Data.listener

makers["$where"] = function(_, given)
  local field, operator, value = table.unpack(given["$where"])
  return function(r) return tests[operator](r[field], value) end
end

makers["$notes"] = function(self, given)
  local field, last = table.unpack(given["$notes"])
  return function(r)
    local value, events = r[field], self.side.events
    events[#events + 1] = "each " .. tostring(value == nil and "null" or value)
    if value == last then return self:argument(given.gives) end
  end
end

makers["$gives"] = function(self, given)
  return function() return self:argument(given["$gives"]) end
end

makers["$fails"] = function()
  return function() error("from a function", 0) end
end

makers["$compares"] = function(_, given)
  local field, sign = table.unpack(given["$compares"])
  return function(a, b)
    local x, y = a[field], b[field]
    return x < y and -sign or x > y and sign or 0
  end
end

makers["$path"] = function(self, given) return self:resolve(given["$path"]) end

makers["$plugin"] = function(self, given)
  local plugin, events = {}, self.side.events
  for name, answer in pairs(given["$plugin"]) do
    plugin[name .. "Mapping"] = function(jsdo, _, info)
      events = self.side.events
      events[#events + 1] = ("%s mapping: %s, %s"):format(name, self:told(jsdo, {}), info.operation)
      return self:argument(answer)
    end
  end
  return plugin
end

--- The value that a case's table stands for.
function Data:argument(given)
  if type(given) ~= "table" then return given end
  if given["$null"] then return null end
  if given["$undefined"] or given["$nothing"] then return nil end
  if given["$empty"] then return {} end
  if given["$scope"] then return self.side:scope(given["$scope"]) end
  for name, make in pairs(makers) do
    if given[name] then return make(self, given) end
  end
  local made = {}
  for name, value in pairs(given) do made[name] = self:argument(value) end
  return made
end

-- ---- steps

local verbs = {}

-- Each case that stores data has a store of its own.
function verbs:JSDO(step, options)
  if step.stored then options = { name = options, store = self.store } end
  local jsdo = datasession.JSDO(options)
  self.side.objects[step.as], self.jsdos[step.as] = jsdo, jsdo
  if type(options) == "table" and options.autoFill then self.side:pump(0.2) end
  return jsdo
end

function verbs:constant(_, name) return datasession.JSDO[name] end

function verbs:addPlugin(_, name, plugin)
  return require "datasession.data".PluginManager.addPlugin(name, plugin)
end

function verbs:get(step, name) return self:resolve(step.on)[name] end

function verbs:set(step, name, value) self:resolve(step.on)[name] = value end

verbs.field = verbs.get

function verbs:operation(step, ...) return self:resolve(step.on):invoke(...) end

function verbs:listen(step, options)
  local object = self:resolve(step.on)
  local prefix = step.on == "j" and "" or step.on .. "."
  for i = isTable(object) and OF_RECORDS or 1, #EVENTS do
    local given = { ["$listener"] = prefix .. EVENTS[i] }
    for name, value in pairs(options or {}) do given[name] = value end
    object:subscribe(EVENTS[i], self:listener(given))
  end
end

--- Takes a step: the value that the call returned. Raises what it raises.
function Data:call(step)
  local args, n = {}, #step.args
  for i = 1, n do args[i] = self:argument(step.args[i]) end
  local verb = verbs[step.verb]
  if verb then return verb(self, step, table.unpack(args, 1, n)) end
  local object = self:resolve(step.on)
  if object == nil then error("the step before made no " .. step.on, 0) end
  local method = object[step.verb]
  local value = method(object, table.unpack(args, 1, n))
  if step.as then self.side.objects[step.as] = value end
  return value
end

--- The value that a call returned, in the form of a step.
function Data:returned(step, value)
  local told = {}
  if step.verb == "getErrors" then
    told.told = self:errors(value)
  elseif value ~= nil then
    told.told = self:value(value)
  end
  return { outcome = "returned", value = told }
end

local function new(side)
  return setmetatable({ side = side, jsdos = {}, listeners = {},
    store = require "datasession.store".memory() }, Data)
end

return { new = new }
