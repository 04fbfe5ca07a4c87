--- Operations of a resource: as the catalog describes them, how requests are matched with them, and what the
-- standard ones do. An operation has type, name, path, verb, params, ... of the catalog, and run(call) ->
-- answer.
--
-- `call`: database, resource, request, values (of the placeholders in path, parameters and query, by name).
local changes = require "datasession.sandbox.data.changes"
local fail = require "datasession.sandbox.data.fail"
local filter = require "datasession.sandbox.data.filter"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local shape = require "datasession.sandbox.data.shape"
local table = require("datasession.internal.lua").table

local operation = {}

-- ---- parameters

function operation.param(name, kind, xType)
  return { name = name, type = kind, xType = xType }
end

local param = operation.param

operation.BOTH = "REQUEST_BODY,RESPONSE_BODY"

-- The parameter that stands for a resource's data.
local function dataParam(resource, kind)
  local name = resource.dataset or resource.tables[1].name
  return param(name, kind, resource.dataset and "DATASET" or "TABLE")
end

-- ---- reading

local function tableNamed(call, name)
  for _, definition in ipairs(call.resource.tables) do
    if definition.name == name then return definition end
  end
  if not name then return call.resource.tables[1] end
  fail(("There is no table %s."):format(name))
end

-- The records of `definition` that belong with those found in `target`.
local function related(call, definition, target, found)
  local all = call.database:table(definition.name):all()
  local whole = call.database:table(target.name):all()
  if found == whole then return all end
  local field = (definition.parent or target.parent).field
  local wanted, rows = {}, {}
  for _, record in ipairs(found) do wanted[record[field]] = true end
  for _, record in ipairs(all) do
    if wanted[record[field]] then rows[#rows + 1] = record end
  end
  return rows
end

local function isView(pattern, name)
  local views = pattern and pattern.viewTables
  return not views or ("," .. tostring(views):gsub("%s", "") .. ","):find("," .. name .. ",", 1, true) ~= nil
end

-- The rows by table that the filter of a call selects, and those of its target table.
local function find(call)
  local text = call.values.filter
  local pattern = filter.parse(text)
  local target = tableNamed(call, pattern and pattern.tableRef)
  local found = filter.find(call.database:table(target.name), text, pattern, call.resource.language)
  local rows = {}
  for _, definition in ipairs(call.resource.tables) do
    if isView(pattern, definition.name) then
      rows[definition.name] = definition == target and found or related(call, definition, target, found)
    end
  end
  return rows, found
end

--- The answer to a read: rows by table in the shape of the resource.
function operation.answerRows(call, rows)
  local resource, settings = call.resource, call.database.settings
  local form = resource.dataset and "dataset" or resource.unnamed and settings.unnamed or "table"
  local nested = resource.tables[2] and (resource.nested or settings.nested)
  local value = shape.write(resource, form, nested and shape.nest(resource, rows) or rows)
  return http.json(200, settings.wrapped and { response = value } or value)
end

local function read(call)
  return operation.answerRows(call, (find(call)))
end

local function count(call)
  local _, found = find(call)
  return http.json(200, { response = { _retVal = "", numRecs = #found } })
end

-- ---- changing

-- The answer to a change that has given `rows`.
local function answerChange(call, form, rows)
  local answers = call.database.settings.answers
  if answers == "none" then return http.answer(204) end
  return http.json(200, shape.write(call.resource, answers == "bare" and "record" or form, rows))
end

local function applyBeforeImage(call, body)
  local dataset = changes.apply(call.database, call.resource, body[call.resource.dataset])
  if call.database.settings.answers == "none" then return http.answer(204) end
  return http.json(200, { [call.resource.dataset] = dataset })
end

-- Runs choose(store, row) for each row of a body without before-image.
local function applyRows(call, body, choose)
  local rows, form = shape.read(call.resource, body)
  local results = {}
  for _, definition in ipairs(call.resource.tables) do
    local store = call.database:table(definition.name)
    for i, row in ipairs(rows[definition.name] or {}) do
      shape.checkRow(row)
      results[definition.name] = results[definition.name] or {}
      results[definition.name][i] = store[choose(store, row)](store, row)
    end
  end
  return answerChange(call, form, results)
end

local function change(choose)
  return function(call)
    local body = shape.body(call.request)
    if shape.hasBeforeImage(call.resource, body) then return applyBeforeImage(call, body) end
    return applyRows(call, body, choose)
  end
end

local function always(method)
  return change(function() return method end)
end

-- A temp-table has no marks: what is not there is created.
local submit = change(function(store, row)
  local key = store.definition.keyOf(row)
  return key ~= nil and store.byKey[key] and "update" or "create"
end)

-- ---- the standard operations

local function readOperation(resource)
  return {
    type = "read", path = "?filter={filter}", verb = "get", useBeforeImage = resource.beforeImage,
    mappingType = "JFP", capabilities = (resource.language or "ablFilter") .. ",top,skip,id,orderBy",
    params = { param("filter", "QUERY", "CHARACTER"), dataParam(resource, "RESPONSE_BODY") }, run = read,
  }
end

local function changeOperation(resource, kind, verb)
  return {
    type = kind, path = "", verb = verb, useBeforeImage = resource.beforeImage, run = always(kind),
    params = { dataParam(resource, operation.BOTH) },
  }
end

--- read, create, update, delete, submit and count of a resource.
function operation.standard(resource)
  local name = "Submit" .. resource.name
  return {
    readOperation(resource),
    changeOperation(resource, "create", "post"),
    changeOperation(resource, "update", "put"),
    changeOperation(resource, "delete", "delete"),
    { type = "submit", name = name, path = "/" .. name, verb = "put", useBeforeImage = resource.beforeImage,
      params = { dataParam(resource, operation.BOTH) }, run = submit },
    { type = "count", name = "count", path = "/count?filter={filter}", verb = "put", also = "get",
      params = { param("filter", "QUERY", "CHARACTER"), param("numRecs", "RESPONSE_BODY", "INTEGER") },
      run = count },
  }
end

--- The answer of an operation to invoke: its outputs by name.
function operation.outputs(values)
  values._retVal = values._retVal or ""
  return http.json(200, { response = values })
end

-- ---- matching

-- A path of the catalog as a list of segments: { text } or { placeholder = name }.
local function segmentsOf(path)
  local segments = {}
  for segment in path:gsub("[;?].*", ""):gmatch "/([^/]*)" do
    local name = segment:match "^{(.*)}$"
    segments[#segments + 1] = name and { placeholder = name } or { text = segment }
  end
  return segments
end

-- The segments of a request's path behind application, "rest", service and resource. A slash in a value
-- stays.
local function sentSegments(request)
  local segments = {}
  for segment in request.uri:gsub("[?#].*", ""):gmatch "/([^/]*)" do
    segments[#segments + 1] = http.unescape((segment:gsub(";.*", "")))
  end
  return table.move(segments, 5, math.max(#segments, 5), 1, {})
end

-- The values of the placeholders of the path; nil when the path is another.
local function matchPath(wanted, found)
  if #wanted ~= #found then return nil end
  local values = {}
  for i, segment in ipairs(wanted) do
    if segment.placeholder then values[segment.placeholder] = found[i]
    elseif segment.text ~= found[i] then return nil end
  end
  return values
end

local function addNamed(values, path, sources)
  for name, placeholder in path:gmatch "([%w_]+)={([%w_]+)}" do
    values[placeholder] = sources.query[name] or sources.parameters[name] or ""
  end
end

--- The operations whose path is that of a request, with the values of their placeholders: a list of {
-- operation, values }.
function operation.match(operations, request)
  local found, segments = {}, sentSegments(request)
  for _, candidate in ipairs(operations) do
    candidate.segments = candidate.segments or segmentsOf(candidate.path)
    local values = matchPath(candidate.segments, segments)
    if values then
      addNamed(values, candidate.path, request)
      found[#found + 1] = { operation = candidate, values = values }
    end
  end
  return found
end

-- ---- the catalog

local KEYS = { "type", "name", "path", "verb", "useBeforeImage", "mergeMode", "mappingType", "capabilities" }

local function describeParams(params)
  local list = json.list {}
  for i, one in ipairs(params) do
    list[i] = json.ordered { { "name", one.name }, { "type", one.type }, { "xType", one.xType } }
  end
  return list
end

--- An operation as the catalog tells it.
function operation.describe(one)
  local members = {}
  for _, key in ipairs(KEYS) do
    if one[key] ~= nil then members[#members + 1] = { key, one[key] } end
  end
  members[#members + 1] = { "params", describeParams(one.params) }
  return json.ordered(members)
end

return operation
