--- Saving record by record: one request for each changed record, each after the response to the one before.

local P = require("datasession.internal.data.private").P
local answer = require "datasession.internal.data.answer"
local codec = require "datasession.internal.codec"
local conflicts = require "datasession.internal.data.conflict"
local core = require "datasession.core"
local errors = require "datasession.internal.data.errors"
local events = require "datasession.internal.data.events"
local imagewriter = require "datasession.internal.data.imagewriter"
local memory = require "datasession.internal.data.memory"
local outcome = require "datasession.internal.data.outcome"
local requests = require "datasession.internal.data.request"
local sending = require "datasession.internal.data.sending"
local table = require("datasession.internal.lua").table

local format = string.format
local unsent = sending.unsent

local rowsave = {}

local KINDS = {
  created = {
    type = "create", name = "_create", number = requests.CREATE, before = "beforeCreate",
    after = "afterCreate",
  },
  modified = {
    type = "update", name = "_update", number = requests.UPDATE, before = "beforeUpdate",
    after = "afterUpdate",
  },
  deleted = {
    type = "delete", name = "_delete", number = requests.DELETE, before = "beforeDelete",
    after = "afterDelete",
  },
}

rowsave.KINDS = KINDS

-- ---- the plan

-- The records of a table by what is to be sent of them.
local function sorted(t)
  local lists = { created = {}, modified = {}, deleted = {} }
  for _, r in ipairs(memory.changed(t)) do
    local list = lists[unsent(t[P], r)]
    if list then list[#list + 1] = r end
  end
  return lists
end

local function addAll(jsdo, operations, state, list)
  local kind = KINDS[state]
  for _, r in ipairs(list) do
    operations[#operations + 1] = {
      jsdo = jsdo, async = true, fnName = kind.name, operation = kind.number, jsrecord = r,
      outcome = outcome.UNSENT, success = false,
    }
  end
end

--- The requests of a save, in their order: deletes, children before parents; then creates, then updates,
-- parents before children; in a table the oldest change first.
-- @param tables array of all table references, parents before children
-- @return array of request objects
function rowsave.plan(jsdo, tables)
  local lists, operations = {}, {}
  for i, t in ipairs(tables) do lists[i] = sorted(t) end
  for i = #lists, 1, -1 do addAll(jsdo, operations, "deleted", lists[i].deleted) end
  for _, state in ipairs { "created", "modified" } do
    for _, list in ipairs(lists) do addAll(jsdo, operations, state, list[state]) end
  end
  return operations
end

-- ---- steps that a submit has, too

--- The operation's address; nil and an error object if it needs a value that is missing.
function rowsave.address(operation, values, made)
  local ok, uri, message = pcall(operation.expand, operation, values)
  if ok and uri then return uri end
  message = ok and message or tostring(uri):match "'expand' %((.*)%)$" or tostring(uri)
  return nil, requests.failure("catalog", "saveChanges: " .. message, nil, made)
end

--- The options of a request whose body `bodyOf(...)` gives.
-- @return table; nil and an error object if a value has no JSON
function rowsave.options(made, uri, operation, bodyOf, ...)
  local ok, body = pcall(bodyOf, ...)
  if ok then return { uri = uri, method = operation.verb, body = body } end
  if type(body) ~= "table" or not body.message then error(body, 0) end
  return nil, requests.failure("error", "saveChanges: " .. body.message,
    "correct the value, then save again", made)
end

--- Notes that a handler of the record's before event has cancelled its change.
function rowsave.cancelled(jsdo, made, t, r, kind)
  local err = requests.failure("cancelled", ("saveChanges: a handler of %s cancelled the change")
    :format(kind.before), nil, made)
  errors.ofRequest(jsdo, err, made, r, t, memory.id(r))
end

-- ---- one request

-- The fields that a save of changes only sends: the changed ones, and the one that identifies the record.
local function onlyChanges(t, r, state, old)
  local property, row = t[P].shape.idProperty, {}
  if state == "modified" then
    for field in next, old do row[field] = memory.values(r)[field] end
  end
  row[property] = memory.values(r)[property]
  if old[property] ~= nil then row[property] = old[property] end
  return row
end

-- The row that a request without before-image sends.
local function rowOf(jsdo, t, r, state, old)
  local changesOnly = jsdo[P].resource.service.settings.sendOnlyChanges
  if changesOnly and state ~= "created" then return onlyChanges(t, r, state, old) end
  return state == "deleted" and imagewriter.oldRow(r, old) or memory.values(r)
end

local function bodyOf(jsdo, operation, t, r)
  local resource = jsdo[P].resource
  if resource.datasetName and operation.useBeforeImage then
    return imagewriter.writeOne(t, r)
  end
  local text = imagewriter.rowText(t, r, rowOf(jsdo, t, r, unsent(t[P], r)))
  if not resource.datasetName then return text end
  return format("{%s:{%s:[%s]}}", codec.encode(resource.datasetName), codec.encode(t[P].shape.name), text)
end

-- The values for the placeholders of the address: the server knows a record by the keys that it had.
local function addressValues(t, r)
  local state, old = unsent(t[P], r)
  local row, shape = memory.values(r), t[P].shape
  if state == "created" or next(old) == nil then return row end
  local keys = table.move(shape.keys, 1, #shape.keys, 1, {})
  keys[#keys + 1] = shape.idProperty
  if state == "deleted" or #keys == 0 then return imagewriter.oldRow(r, old) end
  local values = {}
  for _, key in ipairs(keys) do values[key] = old[key] end
  return imagewriter.oldRow(r, values)
end

local function operationOf(plan, jsdo, state)
  local found = plan.found[state]
  if not found then
    found = jsdo[P].resource:operation(KINDS[state].type)
    plan.found[state] = found
  end
  return found
end

-- The address; nil and an error object if it has a placeholder without a value. One without placeholders is
-- checked once.
local function addressOf(plan, operation, t, r, made)
  local known = plan.addresses[operation]
  if known then return known end
  local uri, err = rowsave.address(operation, addressValues(t, r), made)
  if uri and not operation.uri:find("{", 1, true) then plan.addresses[operation] = uri end
  return uri, err
end

-- The options of the request; nil and an error object if the record cannot be sent.
local function describe(plan, jsdo, made, operation, t, r)
  local uri, err = addressOf(plan, operation, t, r, made)
  if not uri then return nil, err end
  return rowsave.options(made, uri, operation, bodyOf, jsdo, operation, t, r)
end

local function finderOf(plan, jsdo, t, r)
  return function() return conflicts.find(jsdo, t, r, plan.token) end
end

local function unusable(jsdo, made, t, r, token, message)
  local err = requests.failure("protocol", "saveChanges: " .. message,
    "it is unknown whether the server has saved the record", made)
  errors.ofRequest(jsdo, err, made, r, t, memory.id(r))
  outcome.pending(made, r, token, outcome.UNKNOWN)
end

-- Applies a response of status 2xx.
local function applyAnswer(plan, jsdo, made, t, r, response)
  local token = plan.token
  local ok, message = requests.take(made, response)
  if not ok and response.body ~= "" then return unusable(jsdo, made, t, r, token, message) end
  local usable, row, mark = answer.one(jsdo, t, r, made.response)
  if not usable then return unusable(jsdo, made, t, r, token, row) end
  local text, words = outcome.refusal(mark)
  if not text then return outcome.saved(jsdo, made, r, token, row) end
  outcome.refuse(jsdo, made, r, token, words, finderOf(plan, jsdo, t, r), function()
    outcome.blameRow(jsdo, made, r, t, text)
  end)
end

-- Sends the request of one record and applies the response.
local function exchange(plan, jsdo, made, t, r, state)
  local operation = operationOf(plan, jsdo, state)
  local options, problem = describe(plan, jsdo, made, operation, t, r)
  if not options then
    errors.ofRequest(jsdo, problem, made, r, t, memory.id(r))
    return
  end
  plan.token, plan.sending = memory.beginSave(r), made
  local response, err = requests.send(made, options)
  if response then
    applyAnswer(plan, jsdo, made, t, r, response)
  else
    outcome.fail(jsdo, made, t, r, plan.token, err, finderOf(plan, jsdo, t, r))
  end
  plan.token, plan.sending = nil, nil
end

-- The events around one request. Does nothing for a record whose change has been undone meanwhile.
local function saveOne(plan, jsdo, made)
  local r = made.jsrecord
  local t = memory.owner(r)
  local m = t[P]
  local state = unsent(m, r)
  if not state then
    made.success = true
    return
  end
  local kind = KINDS[state]
  if events.fireRecord(t, kind.before, r, made) == false then
    rowsave.cancelled(jsdo, made, t, r, kind)
  else
    state = unsent(m, r)
    if state then
      exchange(plan, jsdo, made, t, r, state)
    else
      made.success = true -- a handler has undone the change
    end
  end
  events.fireRecord(t, kind.after, r, made.success == true, made)
end

-- Kinds of errors that say nothing of the next record.
local OF_RECORD = { cancelled = true, catalog = true, error = true }

local function goesOn(plan, made)
  if made.success then return true end
  return not plan.stopOnError and (made.outcome == outcome.REFUSED or OF_RECORD[made.exception.kind] or false)
end

--- Sends the requests of a plan, one after the other. Stops after one that got no usable response.
-- @param plan table: `operations`, `stopOnError`, `onProgress`; while a request is pending, `sending` and
--   `token` are what it sends
function rowsave.run(jsdo, plan)
  local total = #plan.operations
  plan.addresses, plan.found = {}, {}
  for i, made in ipairs(plan.operations) do
    saveOne(plan, jsdo, made)
    if plan.onProgress then core.call(plan.onProgress, i, total) end
    if not goesOn(plan, made) then break end
  end
end

return rowsave
