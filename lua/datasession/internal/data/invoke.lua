--- Operations that a catalog describes beside those that read and save: invoke and count.

local P = require("datasession.internal.data.private").P
local ascii = require "datasession.internal.ascii"
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local events = require "datasession.internal.data.events"
local forms = require "datasession.internal.data.forms"
local image = require "datasession.internal.data.image"
local memory = require "datasession.internal.data.memory"
local merge = require "datasession.internal.data.merge"
local mistake = require "datasession.internal.data.mistake"
local pause = require "datasession.internal.pause"
local query = require "datasession.internal.data.query"
local raise = require "datasession.internal.raise"
local requests = require "datasession.internal.data.request"
local rows = require "datasession.internal.data.rows"
local schema = require "datasession.internal.data.schema"
local suggest = require "datasession.internal.suggest"

local format = string.format
local found = mistake.found
local null = codec.null

local invoke = { methods = {}, properties = {} }

-- ---- Operations

local function isNamed(operation)
  return operation.name ~= nil and (operation.type == "invoke" or operation.type == "count")
end

local function namesOf(resource)
  local names = {}
  for _, operation in ipairs(resource.operations) do
    if isNamed(operation) then names[#names + 1] = operation.name end
  end
  return names
end

-- The operation of that name; the last one if several have it.
local function find(resource, name)
  local last
  for _, operation in ipairs(resource.operations) do
    if isNamed(operation) and operation.name == name then last = operation end
  end
  return last
end

-- ---- Parameters

local function isInput(param) return ascii.upper(param.type or ""):find("REQUEST_BODY", 1, true) ~= nil end

local function isOfData(param)
  local kind = ascii.upper(param.xType or "")
  return kind == "DATASET" or kind == "TABLE"
end

local plain

local OBJECTS = { ["datasession.JSDO"] = "a data object", ["datasession.table"] = "a table reference" }

-- The fields of a record, the members of a table.
local function plainTable(value, depth)
  local object = OBJECTS[getmetatable(value)]
  if object then found(format("expected rows, got %s: its method getData gives them", object)) end
  if depth > 100 then found "nested deeper than 100 levels, or a table that holds itself" end
  if memory.isRecord(value) then return memory.values(value) end
  local copy = codec.isArray(value) and codec.array {} or {}
  for key, member in next, value do copy[key] = plain(member, depth + 1) end
  return copy
end

function plain(value, depth)
  if type(value) == "table" and value ~= codec.emptyArray then return plainTable(value, depth) end
  return value
end

-- A dataset or a table stands under its own name once more; or, as the service wants it, without.
local function wrap(param, value, unwrapped)
  if type(value) ~= "table" then return value end
  local name = param.name
  if ascii.upper(param.xType) == "TABLE" and next(value) == nil then value = codec.emptyArray end
  local inner = value[name]
  if unwrapped then return inner ~= nil and inner or value end
  return inner ~= nil and value or { [name] = value }
end

-- The body; nil: the operation takes none.
local function bodyOf(resource, operation, object)
  local body, takes = {}, false
  for _, param in ipairs(operation.params) do
    if isInput(param) and param.name then
      takes = true
      local value = plain(object[param.name], 1)
      if isOfData(param) then value = wrap(param, value, resource.service.settings.unwrapped) end
      body[param.name] = value
    end
  end
  if not takes then return nil end
  local text, message = codec.encode(resource.service.settings.useRequest and { request = body } or body)
  return text or found(message)
end

-- Every name that the operation knows.
local function parameterNames(operation)
  local names = {}
  for _, param in ipairs(operation.params) do names[#names + 1] = param.name end
  for name in operation.uri:gmatch "{([^{}]*)}" do names[#names + 1] = name end
  return names
end

local function checkNames(operation, object)
  local names = parameterNames(operation)
  for name in pairs(object) do
    local known = false
    for _, one in ipairs(names) do known = known or one == name end
    if not known then found(suggest.unknown("parameter", name, names)) end
  end
end

local function describe(resource, operation, object)
  if object == nil or object == null then return query.expand(operation, {}), nil end
  if type(object) ~= "table" then found("expected a table of parameters or nil, got " .. type(object)) end
  checkNames(operation, object)
  local values = {}
  for name, value in pairs(object) do values[name] = plain(value, 1) end
  return query.expand(operation, values), bodyOf(resource, operation, object)
end

-- ---- Merging

local MODES = { EMPTY = merge.EMPTY, APPEND = merge.APPEND, MERGE = merge.MERGE, REPLACE = merge.REPLACE }

local function fail(call, kind, message, hint)
  local made, response = call.made, call.made.xhr
  error(requests.failure(kind, format("%s: %s", call.label, message), hint, made, response and {
    httpStatus = response.status, uri = response.uri, response = response,
  }), 0)
end

local function modeOf(call)
  local mode = call.operation.mergeMode
  local known = type(mode) == "string" and MODES[ascii.upper(mode)]
  for _, number in pairs(MODES) do known = known or mode == number and number end
  return known or fail(call, "catalog", format("the catalog's mergeMode '%s' is none", tostring(mode)))
end

-- The output that is merged: that named like the resource's dataset or table.
local function outputParam(call)
  local resource = call.jsdo[P].resource
  local name = resource.datasetName or resource.dataProperty or resource.tables[1].name
  for _, param in ipairs(call.operation.params) do
    if param.name == name and ascii.upper(param.type or ""):find("RESPONSE_BODY", 1, true) then
      if isOfData(param) then return param end
      fail(call, "catalog", format("the output '%s' is merged, but its xType is %s", name,
        tostring(param.xType)))
    end
  end
  fail(call, "catalog", format("the operation has a mergeMode, but no output '%s'", name))
end

local function checkMerge(call)
  local param = outputParam(call)
  modeOf(call)
  for _, t in ipairs(call.jsdo[P].tables) do
    if not schema.recordKeys(t[P].shape) then
      fail(call, "catalog", format("the operation has a mergeMode, but %s no idProperty", t[P].shape.name))
    end
  end
  return param
end

local function mergeTable(call, one, mode)
  local ok, message = merge.rows(one.t, one.rows, mode, schema.recordKeys(one.t[P].shape), function(i, r)
    if one.marks[i] and not memory.change(r) then image.restore(r, one.marks[i]) end
  end)
  if not ok then fail(call, "refused", message, "merge by another mode, or clear memory first") end
end

local function mergeOutput(call)
  local name = call.param.name
  local response = call.made.response
  local output = type(response) == "table" and response[name]
  if output == nil or output == null then
    fail(call, "protocol", format("the response has no output '%s'", name))
  end
  local parsed, message = rows.parse(call.jsdo, type(output) == "table" and output[name] == nil
    and { [name] = output } or output, pause)
  if not parsed then fail(call, "protocol", message) end
  local mode = modeOf(call)
  for _, one in ipairs(parsed) do mergeTable(call, one, mode) end
end

-- ---- The call

local function take(call, response)
  local made = call.made
  local ok, message = requests.take(made, response, pause)
  if ok or not response.body:find "%S" then return end
  fail(call, "protocol", "expected JSON, got " .. forms.describeText(response.body, message),
    "check the operation's path in the catalog, and what the service answers")
end

local function exchange(call)
  local jsdo, made = call.jsdo, call.made
  call.param = call.operation.mergeMode ~= nil and checkMerge(call) or nil
  if events.fireOperation(jsdo, "beforeInvoke", call.name, made) == false then
    fail(call, "cancelled", "a handler of beforeInvoke cancelled it")
  end
  local response, err = requests.send(made, {
    uri = call.uri, method = call.operation.verb, body = call.body,
  })
  if not response then
    err.message = err.message:gsub("^request: ", (call.label:gsub("%%", "%%%%")) .. ": ")
    error(requests.blame(err, made), 0)
  end
  take(call, response)
  if call.param then mergeOutput(call) end
end

local function run(call)
  local ok, err = pcall(exchange, call)
  call.made.success = ok
  events.fireOperation(call.jsdo, "afterInvoke", call.name, ok, call.made)
  if not ok then error(err, 0) end
  return call.jsdo, core.constants.SUCCESS, call.made
end

local function start(jsdo, name, object, level)
  local resource = jsdo[P].resource
  if type(name) ~= "string" then
    raise("invoke: expected the name of an operation, got " .. type(name), level + 1)
  end
  local operation = find(resource, name)
  if not operation then
    raise("invoke: " .. suggest.unknown("operation", name, namesOf(resource)), level + 1)
  end
  local call = {
    jsdo = jsdo, name = name, label = "invoke " .. name, operation = operation,
    made = requests.new(jsdo, name, { objParam = object }),
  }
  local ok, message = mistake.check(function()
    call.uri, call.body = describe(resource, operation, object)
    return true
  end)
  if not ok then raise(format("invoke %s: %s", name, message), level + 1) end
  return core.spawn(run, call)
end

--- Calls an operation of the catalog of type invoke or count. Memory stays as it is, unless the catalog gives
-- the operation a mergeMode.
-- @param name string, of the operation
-- @param object table of parameters by name, or nil. Records and tables are sent as JSON
-- @return promise of (jsdo, SUCCESS, request): `request.response` has the outputs by name and `_retVal`.
--   Raises for unknown operations and parameters, and for placeholders of the address without a value
function invoke.methods.invoke(jsdo, name, object)
  return (start(jsdo, name, object, 2))
end

-- ---- operations

local function operationsOf(jsdo)
  local resource, made = jsdo[P].resource, {}
  local proxy
  local meta = { __name = "datasession.operations", __metatable = "datasession.operations" }
  function meta.__index(_, name)
    if not (type(name) == "string" and find(resource, name)) then
      raise("operations: " .. suggest.unknown("operation", name, namesOf(resource)), 2)
    end
    made[name] = made[name] or function(object, ...)
      if rawequal(object, proxy) then object = ... end
      return (start(jsdo, name, object, 2))
    end
    return made[name]
  end
  function meta.__newindex() raise("operations is read-only", 2) end
  function meta.__pairs()
    local list = {}
    for _, name in ipairs(namesOf(resource)) do list[name] = meta.__index(nil, name) end
    return next, list
  end
  proxy = setmetatable({}, meta)
  return proxy
end

--- The operations as functions by name: jsdo.operations.RaiseLimit { custNum = 1 } is
-- jsdo:invoke("RaiseLimit", { custNum = 1 }).
function invoke.properties.operations(s, jsdo)
  if not s.operations then s.operations = operationsOf(jsdo) end
  return s.operations
end

-- ---- count

-- The only number among the members of the response.
local function numberIn(response)
  local number
  for name, value in next, type(response) == "table" and response or {} do
    if name ~= "_retVal" and type(value) == "number" then
      if number then return nil end
      number = value
    end
  end
  return number
end

local function runCount(call)
  local jsdo, success, made = run(call)
  local number = numberIn(made.response)
  if number then return number, success, made end
  return jsdo, fail(call, "protocol", "expected one number in the response")
end

local function countText(jsdo, operation, what)
  if type(what) ~= "table" then return what or "" end
  local read = jsdo[P].resource:operation "read" or operation
  local asked, message = query.parse(jsdo, read, what)
  if not asked then found(message) end
  return asked.text or found "expected a text: the read operation has no mapping JFP"
end

local function parseCount(jsdo, operation, what)
  if what ~= nil and type(what) ~= "string" and type(what) ~= "table" then
    found("expected a text, a table or nil, got " .. type(what))
  end
  return query.expandFilter(operation, countText(jsdo, operation, what))
end

--- Asks the server for the number of rows that a fill would read.
-- @param what nil, a text, or a table with `filter`, as for fill
-- @return promise of (number, SUCCESS, request). Raises when the catalog has no operation of type count
function invoke.methods.count(jsdo, what)
  local operation = jsdo[P].resource:operation "count"
  if not operation then
    raise(format("count: the resource %s has no count operation", jsdo[P].resource.name), 2)
  end
  local uri, message = mistake.check(parseCount, jsdo, operation, what)
  if not uri then raise("count: " .. message, 2) end
  local name = operation.name or "count"
  return core.spawn(runCount, {
    jsdo = jsdo, name = name, label = "count", operation = operation, uri = uri,
    made = requests.new(jsdo, name, { objParam = what }),
  })
end

return invoke
