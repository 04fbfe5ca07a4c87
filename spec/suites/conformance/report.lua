--- Prints cases: both sides' steps, and their differences.
local canon = require "canon"
local cjson = require "cjson"

local report = {}

local function show(value)
  if value == nil then return "-" end
  if type(value) == "table" then return cjson.encode(value) end
  return tostring(value)
end

-- Prints the part of a step that is about data objects. `shown`: the texts of memory that were printed last,
-- by name.
local function tellData(told, shown)
  local function say(what, value)
    if value ~= nil then print(("                %s %s"):format(what, canon.text(value))) end
  end
  say("value", type(told.value) == "table" and told.value.told or nil)
  say("settled", told.data)
  local lines = {}
  for name, tables in pairs(told.memory) do
    for key, one in pairs(tables) do lines[#lines + 1] = ("%s.%s %s"):format(name, key, canon.text(one)) end
  end
  table.sort(lines)
  for _, line in ipairs(lines) do
    local place = line:match "^%S+"
    if shown[place] ~= line then print(("%16s%s"):format("", line)) end
    shown[place] = line
  end
end

--- Prints what both sides did in a case.
function report.tell(case, theirs, own)
  local shown = { reference = {}, ours = {} }
  for i, step in ipairs(case.steps) do
    print(("    %d %s"):format(i, step.verb))
    for _, both in ipairs { { "reference", theirs[i] }, { "ours", own and own[i] } } do
      local told = both[2]
      if told then
        print(("      %-9s %s %s %s %s %s"):format(both[1], told.outcome, show(told.result),
          show(told.status),
          show(told.info), told.error and tostring(told.error) or told.text or ""))
        tellData(told, shown[both[1]])
        for _, event in ipairs(told.events) do print("                event " .. event) end
        for _, request in ipairs(told.requests) do
          print(("                %s %s %s"):format(request.what, request.status, show(request.headers)))
        end
      end
    end
  end
end

--- Prints the differences of a case that nothing explains; `open` may be a text.
function report.failed(case, open)
  print(("FAILED  %s"):format(case.name))
  if type(open) == "string" then
    print("    " .. open)
    return
  end
  for _, difference in ipairs(open) do
    print(("    step %d, %s: %s: reference %s, ours %s"):format(difference.number, difference.verb,
      difference.field,
      show(difference.reference), show(difference.ours)))
  end
end

return report
