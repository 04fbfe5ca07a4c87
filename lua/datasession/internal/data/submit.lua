--- The submit operation: all changes in one request. The rows of the answer find their records by
-- prods:clientId, which is the record's id.

local P = require("datasession.internal.data.private").P
local answer = require "datasession.internal.data.answer"
local codec = require "datasession.internal.codec"
local conflicts = require "datasession.internal.data.conflict"
local core = require "datasession.core"
local errors = require "datasession.internal.data.errors"
local events = require "datasession.internal.data.events"
local forms = require "datasession.internal.data.forms"
local imagewriter = require "datasession.internal.data.imagewriter"
local memory = require "datasession.internal.data.memory"
local outcome = require "datasession.internal.data.outcome"
local requests = require "datasession.internal.data.request"
local rowsave = require "datasession.internal.data.rowsave"

local format = string.format

local submit = {}

local SLICE = 100 -- records whose answers are applied between two pauses
local KINDS = rowsave.KINDS

-- ---- the request

-- One record of a submit: a request of its own for its events, and what was sent and answered.
local function newPart(jsdo, t, r, state, whole)
  return {
    t = t, r = r, kind = KINDS[state], token = false, row = false, mark = false, cancelled = false,
    made = {
      jsdo = jsdo, async = true, fnName = whole.fnName, operation = requests.SUBMIT, jsrecord = r,
      outcome = outcome.UNSENT, whole = whole, success = false,
    },
  }
end

-- The id by which the answer names the record. Several records may have the same id.
local function clientId(plan, r)
  local id = memory.id(r)
  return plan.byId[id] and memory.ownId(r) or id
end

-- Fires the before event of a record. Returns its id; false leaves the record out of the request.
local function begin(plan, jsdo, t, r, state)
  local part = newPart(jsdo, t, r, state, plan.made)
  plan.parts[#plan.parts + 1] = part
  if events.fireRecord(t, part.kind.before, r, part.made) == false then
    part.cancelled = true
    return false
  end
  if not memory.unsent(r) then return false end
  part.token = memory.beginSave(r)
  local id = clientId(plan, r)
  plan.byId[id] = part
  return id
end

local function recordsOf(tables)
  local lists = {}
  for _, t in ipairs(tables) do lists[t] = memory.changed(t) end
  return lists
end

-- The body for a resource that is no dataset: the created and modified rows, without marks.
local function tableBody(plan, jsdo, pause)
  local t, rows = jsdo[P].tables[1], {}
  for _, r in ipairs(memory.changed(t)) do
    local state = memory.unsent(r)
    if state and state ~= "deleted" and begin(plan, jsdo, t, r, state) then
      rows[#rows + 1] = imagewriter.rowText(t, r, memory.values(r))
      if #rows % SLICE == 0 then pause() end
    end
  end
  return format("{%s:[%s]}", codec.encode(t[P].shape.name), table.concat(rows, ","))
end

local function bodyOf(plan, jsdo, pause)
  if not jsdo[P].resource.datasetName then return tableBody(plan, jsdo, pause) end
  local function beginRecord(t, r, state) return begin(plan, jsdo, t, r, state) end
  return imagewriter.write(jsdo, recordsOf(jsdo[P].tables), beginRecord, pause)
end

-- ---- the answer

local function records(plan)
  local list = {}
  for i, part in ipairs(plan.parts) do list[i] = part.r end
  return list
end

-- Gives the part with that mark its row. Returns a message if there is none.
local function take(plan, row, mark, t)
  local id = mark and (mark.clientId or mark.id)
  local part = id ~= nil and plan.byId[id]
  if not part or part.t ~= t then
    return format("a row of %s has %s", t[P].shape.name,
      id == nil and "no prods:clientId" or "a prods:clientId that was not sent")
  end
  if not (part.mark and outcome.refusal(part.mark)) then -- a second row does not lift a refusal
    part.row, part.mark = row, mark
  end
  plan.told[mark.id or id] = true
end

-- An error whose row is missing refuses the record that was sent with that id. Returns a message if there is
-- none.
local function takeErrors(plan, one)
  for id, text in next, one.texts do
    local part = plan.byId[id]
    if part and part.t == one.t and not plan.told[id] then
      part.row, part.mark = false, { errorString = text ~= "REJECTED" and text or nil, rejected = true }
    elseif not plan.told[id] then
      return format("an error of %s belongs to no row: %s", one.t[P].shape.name, text)
    end
  end
end

local function matchTable(plan, one, pause)
  for i, row in ipairs(one.rows) do
    local message = take(plan, row, one.marks[i], one.t)
    if message then return message end
    if i % SLICE == 0 then pause() end
  end
  for _, mark in ipairs(one.deleted) do
    local message = take(plan, nil, mark, one.t)
    if message then return message end
  end
  return takeErrors(plan, one)
end

-- Gives each part its row of the answer. True; nil and a message for a row that belongs to no part.
local function match(plan, parsed, pause)
  for _, one in ipairs(parsed) do
    local message = matchTable(plan, one, pause)
    if message then return nil, message end
  end
  return true
end

local function isAnswered(jsdo)
  return jsdo[P].resource.datasetName ~= nil
end

local function finish(plan, apply, pause)
  for i, part in ipairs(plan.parts) do
    if part.token then
      apply(part)
      part.token = false
    end
    events.fireRecord(part.t, part.kind.after, part.r, part.made.success == true, part.made)
    if plan.onProgress then core.call(plan.onProgress, i, #plan.parts) end
    if i % SLICE == 0 then pause() end
  end
end

local function applyRow(jsdo, part)
  local text, words = outcome.refusal(part.mark)
  if not text then return outcome.saved(jsdo, part.made, part.r, part.token, part.row or nil) end
  local find = words and function() return conflicts.find(jsdo, part.t, part.r, part.token) end
  outcome.refuse(jsdo, part.made, part.r, part.token, words, find, function()
    outcome.blameRow(jsdo, part.made, part.r, part.t, text)
  end)
end

local function failAll(plan, jsdo, err, pause)
  local found = outcome.ofFailure(err, plan.made.response)
  finish(plan, function(part)
    part.made.exception = err
    if found == outcome.REFUSED then
      outcome.refused(jsdo, part.made, part.r, part.token, nil)
    else
      outcome.pending(part.made, part.r, part.token, found)
    end
  end, pause)
end

-- The server has run the request, but its answer cannot be used.
local function unusable(plan, jsdo, message, pause)
  local err = requests.failure("protocol", "saveChanges: " .. message,
    "it is unknown which changes the server has saved", plan.made)
  errors.ofRequest(jsdo, err, plan.made)
  finish(plan, function(part)
    part.made.exception = err
    outcome.pending(part.made, part.r, part.token, outcome.UNKNOWN)
  end, pause)
end

-- A message for a body that has no dataset, by which no server confirms a submit: {}, or { dataset = null }.
local function lacksDataset(jsdo, body)
  local isNull = forms.dataset(jsdo, body) == codec.null
  if isNull or forms.isObject(body) and next(body) == nil then
    return format("expected the rows of %s, got %s", jsdo[P].resource.name, isNull and "null" or "nothing")
  end
end

local function applyAnswer(plan, jsdo, response, pause)
  local ok, message = requests.take(plan.made, response, pause)
  if not ok and (response.body ~= "" or isAnswered(jsdo)) then
    return unusable(plan, jsdo, message, pause)
  end
  if isAnswered(jsdo) then
    message = lacksDataset(jsdo, plan.made.response)
    if message then return unusable(plan, jsdo, message, pause) end
    local parsed, problem = answer.parse(jsdo, plan.made.response, pause)
    if not parsed then return unusable(plan, jsdo, problem, pause) end
    ok, message = match(plan, parsed, pause)
    if not ok then return unusable(plan, jsdo, message, pause) end
  end
  finish(plan, function(part) applyRow(jsdo, part) end, pause)
end

-- ---- the call

local function blameCancelled(plan, jsdo)
  for _, part in ipairs(plan.parts) do
    if part.cancelled then rowsave.cancelled(jsdo, part.made, part.t, part.r, part.kind) end
  end
end

-- Gives back the records that were begun, when the request cannot be sent.
local function giveUp(plan, jsdo, err, pause)
  errors.ofRequest(jsdo, err, plan.made)
  finish(plan, function(part)
    part.made.exception = err
    outcome.pending(part.made, part.r, part.token, outcome.UNSENT)
  end, pause)
end

local function describe(plan, jsdo, pause)
  local operation = jsdo[P].resource:operation "submit"
  local uri, err = rowsave.address(operation, nil, plan.made)
  if not uri then return nil, err end
  return rowsave.options(plan.made, uri, operation, bodyOf, plan, jsdo, pause)
end

--- Sends all changes in one request and applies the answer.
-- @param plan table: `made`, the request object, which gets jsrecords; `onProgress`; `parts`, an array that
--   gets { t =, r =, made =, token = } for each record
-- @param pause function: called between slices of the work
function submit.run(jsdo, plan, pause)
  plan.parts, plan.byId, plan.told = {}, {}, {} -- told: the ids of the rows of the answer
  local options, problem = describe(plan, jsdo, pause)
  plan.made.jsrecords = records(plan)
  if not options then return giveUp(plan, jsdo, problem, pause) end
  blameCancelled(plan, jsdo)
  local response, err = requests.send(plan.made, options)
  plan.made.success = response ~= nil
  if response then return applyAnswer(plan, jsdo, response, pause) end
  requests.blame(err, plan.made)
  errors.ofRequest(jsdo, err, plan.made)
  failAll(plan, jsdo, err, pause)
end

return submit
