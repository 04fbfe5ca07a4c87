--- Differences about data objects that follow from others, which must have been explained.
local compare = require "compare"

local derived = {}

--- True if memory or the session differs as it did after the step before, of which `before` tells the
-- differences by field.
function derived.isOld(difference, before)
  if not difference.case.data then return false end
  local old = (difference.field:find "^memory" or difference.field:find "^property")
    and before[difference.field]
  return old and compare.same(old.reference, difference.reference) and compare.same(old.ours, difference.ours)
end

-- By method: the value that it returns if it tells one side's memory truly.
local tells = {}

local function tables(memory, path)
  local name, one = path:match "^([^.]+)%.?(.*)$"
  local jsdo, list = memory[name] or {}, {}
  if one ~= "" then return { jsdo[one] } end
  for _, found in pairs(jsdo) do list[#list + 1] = found end
  return list
end

local function any(key)
  return function(list)
    for _, one in ipairs(list) do
      if #one[key] > 0 then return "true" end
    end
    return "false"
  end
end

local function lines(key)
  return function(list)
    if #list ~= 1 then return nil end
    local texts = list[1][key]
    return #texts > 0 and "[" .. table.concat(texts, ",") .. "]" or "{}"
  end
end

tells.hasChanges, tells.hasData = any "changes", any "rows"
tells.getData, tells.getErrors = lines "rows", lines "errors"

--- True if each side told truly what it has in memory, which differs.
function derived.isOfMemory(difference)
  local step = difference.step
  local tell = difference.field == "value.told" and step.data and #step.args == 0 and tells[step.verb]
  if not tell then return false end
  local theirs = tell(tables(difference.told.reference.memory, step.on))
  local own = tell(tables(difference.told.ours.memory, step.on))
  return theirs == difference.reference and own == difference.ours
end

return derived
