--- The outcome of changes that were sent: saved, refused by the server, unknown, or unsent. The functions
-- note it in memory, the request objects and getErrors.

local P = require("datasession.internal.data.private").P
local adopt = require "datasession.internal.data.adopt"
local errors = require "datasession.internal.data.errors"
local memory = require "datasession.internal.data.memory"
local requests = require "datasession.internal.data.request"

local outcome = {
  SAVED = "saved",      -- the server confirmed it
  REFUSED = "refused",  -- the server did not take it
  UNKNOWN = "unknown",  -- no usable response came, and the server may have run the request
  UNSENT = "unsent",    -- it was not sent, or the server certainly did not run it
}

-- Records of which an earlier save did not learn whether the server has them.
local unknown = setmetatable({}, { __mode = "k" })

local REJECTED = "The server rejected the change without saying why."

-- Statuses by which a server says that it has not run the request, and those by which a gateway says that it
-- does not know.
local NOT_RUN = { [401] = true, [408] = true, [425] = true, [429] = true, [503] = true }
local GATEWAY = { [502] = true, [504] = true }

local function ofStatus(status, body)
  if NOT_RUN[status] or status < 400 then return outcome.UNSENT end
  if status < 500 then return outcome.REFUSED end
  if GATEWAY[status] then return outcome.UNKNOWN end
  return type(body) == "table" and outcome.REFUSED or outcome.UNKNOWN
end

--- The outcome that a failed request means for what it sent.
-- @param err the error object of session:request
-- @param body the decoded body of the response, or nil
function outcome.ofFailure(err, body)
  if err.info.mayHaveArrived then return outcome.UNKNOWN end
  if err.kind == "expired" or not err.httpStatus then return outcome.UNSENT end
  return ofStatus(err.httpStatus, body)
end

-- The server's words about a refused change, for errorString.
local function wordsOf(err, body)
  local first = errors.ofBody(body)[1]
  return first and first.error or err.message
end

--- Notes that the server has saved what the token tells.
-- @param row the server's plain values, or nil
function outcome.saved(jsdo, made, r, token, row)
  local children = row and token.state == "created" and adopt.find(r)
  unknown[r] = nil
  memory.endSave(r, token, row, not jsdo[P].autoApplyChanges)
  if children then adopt.give(r, children) end
  made.success, made.outcome = true, outcome.SAVED
end

local function keepMarks(r, text, rejected)
  memory.setMark(r, "errorString", text)
  memory.setMark(r, "rejected", rejected)
end

--- Notes that the server has not saved it: the change is undone if the data object applies changes.
-- @param text string: what the server says; or nil
-- @param conflict table or nil: what conflict.find gave
function outcome.refused(jsdo, made, r, token, text, conflict)
  unknown[r] = nil
  memory.failSave(r, token, text, true, jsdo[P].autoApplyChanges)
  keepMarks(r, text, true)
  if conflict then memory.setMark(r, "conflict", conflict) end
  made.success, made.outcome = false, outcome.REFUSED
end

--- Notes that the change stays pending: it was not sent, or that is unknown.
function outcome.pending(made, r, token, found)
  if found == outcome.UNKNOWN then unknown[r] = true end
  memory.failSave(r, token, nil, false, false)
  made.success, made.outcome = false, found
end

--- The text of a mark that says that the server refused its row; nil when it says nothing of the kind.
-- @return the text, and the part of it that the server said, or nil
function outcome.refusal(mark)
  if mark and (mark.errorString or mark.rejected) then
    return mark.errorString or REJECTED, mark.errorString
  end
end

--- Adds the entry of a refused row, and gives the request its error object.
function outcome.blameRow(jsdo, made, r, t, text)
  local id = memory.id(r)
  errors.ofRow(jsdo, text, r, t, id)
  made.exception = requests.failure("server",
    ("saveChanges: the server refused record %s: %s"):format(memory.label(r), text), nil, made)
end

--- Applies a refusal. If an earlier save of the record had an unknown outcome and the server has what was
-- sent, that one has saved it, and the server refuses the before-image, which is out of date.
-- @param text string: what the server says; or nil
-- @param find function or nil: returns what conflict.find returns
-- @param blame function: called if it is a refusal
function outcome.refuse(jsdo, made, r, token, text, find, blame)
  local conflict, isStored, row
  if find then conflict, isStored, row = find() end
  if isStored and unknown[r] then
    made.exception = nil
    return outcome.saved(jsdo, made, r, token, row)
  end
  blame()
  outcome.refused(jsdo, made, r, token, text, conflict)
end

--- Applies a failed request to the one record that it was about.
-- @param find function or nil: called if the server refused the change; returns what conflict.find returns
function outcome.fail(jsdo, made, t, r, token, err, find)
  local found = outcome.ofFailure(err, made.response)
  local function blame()
    requests.blame(err, made)
    errors.ofRequest(jsdo, err, made, r, t, memory.id(r))
  end
  if found == outcome.REFUSED then
    return outcome.refuse(jsdo, made, r, token, wordsOf(err, made.response), find, blame)
  end
  blame()
  outcome.pending(made, r, token, found)
end

return outcome
