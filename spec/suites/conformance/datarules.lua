--- Rules for the differences of data objects: functions of a value of one side and the difference.
local compare = require "compare"

local datarules = {}

--- A list of exactly these texts.
function datarules.exactly(...)
  local wanted = { ... }
  return function(value) return type(value) == "table" and compare.same(value, wanted) end
end

-- ---- what happened before

-- One side's report of the last step before this one.
local function before(difference, side)
  for i = difference.number - 1, 1, -1 do
    local told = difference.steps[side][i]
    if told then return told end
  end
end

local function at(told, field)
  local value = told
  for name in field:gmatch "[^.]+" do value = value and value[name] end
  return value
end

--- Our memory is as it was before the step.
function datarules.unchanged(value, difference)
  local old = before(difference, "ours")
  return old ~= nil and compare.same(value, at(old, difference.field))
end

--- A record that is still in our memory.
function datarules.isHeld(value, difference)
  for _, tables in pairs(difference.told.ours.memory) do
    for _, found in pairs(tables) do
      for _, row in ipairs(found.rows) do
        if row == value then return true end
      end
    end
  end
  return false
end

--- True if our promise was rejected.
function datarules.weRejected(difference) return difference.told.ours.outcome == "rejected" end

-- ---- texts of rows

local function each(value, edit)
  if type(value) ~= "table" then return value and edit(value) end
  local made = {}
  for i, text in ipairs(value) do made[i] = edit(text) end
  return made
end

local function withoutError(text)
  text = text:gsub('%s?_errorString="[^"\\]*[^"]*"', "")
  return text
end

--- The same rows but for the text of an error.
function datarules.sameButError(_, difference)
  local theirs, own = difference.reference, difference.ours
  return theirs ~= nil and own ~= nil
    and compare.same(each(theirs, withoutError), each(own, withoutError))
end

local function sorted(list)
  local made = table.move(list, 1, #list, 1, {})
  table.sort(made)
  return made
end

--- The same texts in another order.
function datarules.sameSet(_, difference)
  local theirs, own = difference.reference, difference.ours
  return type(theirs) == "table" and type(own) == "table" and compare.same(sorted(theirs), sorted(own))
end

--- As many texts.
function datarules.asMany(value, difference)
  return type(value) == "table" and #value == #difference.reference
end

local function withoutDefaults(text)
  text = text:gsub("Active=false ?", ""):gsub("Born=%(null%) ?", ""):gsub("Limit=100.5 ?", "")
    :gsub('Name="" ?', ""):gsub(" }", "}")
  return text
end

--- The same rows but for values that the catalog gives by default, in any order.
function datarules.sameButDefaults(_, difference)
  local function plainly(value)
    if type(value) == "table" then return sorted(each(value, withoutDefaults)) end
    local rows = {}
    for row in (value or ""):gmatch "%b{}" do rows[#rows + 1] = withoutDefaults(row) end
    return sorted(rows)
  end
  return compare.same(plainly(difference.reference), plainly(difference.ours))
end

-- Without the fields that are null before a change.
local function withoutNull(text)
  text = text:gsub("before=(%b{})", function(row)
    return "before=" .. row:gsub("%w+=%(null%) ?", ""):gsub(" }", "}")
  end)
  return text
end

--- The same changes but for null in a field that the row lacked.
function datarules.sameButNull(_, difference)
  return compare.same(sorted(each(difference.reference, withoutNull)),
    sorted(each(difference.ours, withoutNull)))
end

--- A list one of whose texts a pattern finds.
function datarules.matchingAny(pattern)
  return function(value)
    for _, text in ipairs(type(value) == "table" and value or {}) do
      if text:find(pattern) then return true end
    end
    return false
  end
end

--- A list each of whose texts a pattern finds.
function datarules.matchingAll(pattern)
  return function(value)
    for _, text in ipairs(type(value) == "table" and value or { "" }) do
      if not text:find(pattern) then return false end
    end
    return #value > 0
  end
end

-- ---- events

local function isOfSession(event)
  return event:find "^offline " or event:find "^online"
end

local function without(events, test)
  local kept = {}
  for _, event in ipairs(events or {}) do
    if not test(event) then kept[#kept + 1] = event end
  end
  return kept
end

--- The events are the same but for those of the session.
function datarules.sameButSession(_, difference)
  return compare.same(without(difference.reference, isOfSession), without(difference.ours, isOfSession))
end

local function isAfterRecord(event)
  return event:find "^after%u%l+: j, %w+ %w+" ~= nil
end

-- The ids of the records that our errors are about; nil when an error is about none or about one whose id was
-- made here.
local function refused(memory)
  local ids = {}
  for _, tables in pairs(memory) do
    for _, one in pairs(tables) do
      for _, text in ipairs(one.errors) do
        local id = text:match 'id="(%d+)"'
        if not id then return nil end
        ids[id] = true
      end
    end
  end
  return ids
end

-- True if the events after our submit tell the success of each record.
local function tellsSuccess(events, told)
  local bad = refused(told.memory)
  for _, event in ipairs(events) do
    local id, success = event:match "^after%u%l+: j, %w+ (%d+), (%a+)"
    if id and bad and (success == "true") == (bad[id] or false) then return false end
  end
  return true
end

--- Both sides fire the same events before the submit, and we one afterwards for each record, with its own
-- success.
function datarules.isComplete(events, difference)
  local open = 0
  for _, event in ipairs(events) do
    if event:find "^before%u%l+: j, %w+ %w+" then open = open + 1 end
    if isAfterRecord(event) then open = open - 1 end
  end
  local function others(list)
    return sorted(without(without(list, isOfSession), isAfterRecord))
  end
  return open == 0 and compare.same(others(events), others(difference.reference))
    and tellsSuccess(events, difference.told.ours)
end

-- ---- bodies

-- A body without the members that the reference keeps in a record for itself.
local function plain(text)
  text = text:gsub('_id="[^"]*" ?', ""):gsub("_index=%d+ ?", ""):gsub(" }", "}"):gsub(" %]", "]")
  return text
end

-- The same with the rows of each list in one order.
local function arranged(text)
  text = plain(text):gsub('"id%d+"', '"id"'):gsub("%b[]", function(rows)
    local list = {}
    for row in rows:gmatch "%b{}" do list[#list + 1] = row end
    table.sort(list)
    return #list > 0 and "[" .. table.concat(list, ",") .. "]" or rows
  end)
  return text
end

--- A body that differs by what the reference keeps in a record for itself.
function datarules.leaks(_, difference)
  return difference.reference ~= difference.ours and plain(difference.reference) == plain(difference.ours)
end

--- The same rows in another order, and without what the reference keeps in a record for itself.
function datarules.sameRows(_, difference)
  return difference.reference and difference.ours
    and arranged(difference.reference) == arranged(difference.ours)
end

--- Where the addresses differ, the reference's request is missing, and ours is one that contains a text.
function datarules.lacking(value) return value == nil or value:find("?", 1, true) ~= nil end

--- No text, or one that contains one of `texts`.
function datarules.containing(texts)
  return function(value)
    for _, text in ipairs(texts) do
      if value and value:find(text, 1, true) then return true end
    end
    return value == nil
  end
end

--- The same events, whatever their requests tell.
function datarules.sameButRequests(_, difference)
  local function names(events)
    return each(without(events, isOfSession), function(text) return (text:gsub("{.*", "")) end)
  end
  return compare.same(names(difference.reference), names(difference.ours))
end

return datarules
