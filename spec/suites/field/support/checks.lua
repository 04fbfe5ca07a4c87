--- Counts what holds and what does not, and tells of the latter.
local checks = { passed = 0, failed = 0, place = "" }

--- Names what is tried next.
function checks.at(place)
  checks.place = place
end

local function tell(what, detail)
  checks.failed = checks.failed + 1
  print(("FAILED  %s: %s%s"):format(checks.place, what, detail == nil and "" or ": " .. tostring(detail)))
end

--- True if value is neither nil nor false; tells `detail` else.
function checks.holds(value, what, detail)
  if not value then
    tell(what, detail)
    return false
  end
  checks.passed = checks.passed + 1
  return true
end

function checks.equal(expected, value, what)
  return checks.holds(expected == value, what, ("expected %s, got %s"):format(expected, value))
end

--- A promise that has to be resolved within the limit: its value.
function checks.resolves(promise, what, limit)
  local value, err, info = promise:await(limit or 60)
  checks.holds(value ~= nil, what, err)
  return value, info
end

--- A promise that has to be rejected, with that kind if one is given: the error.
function checks.rejects(promise, what, kind)
  local value, err = promise:await(60)
  if not checks.holds(value == nil, what .. " is rejected") then return nil end
  if kind then
    checks.holds(err.kind == kind, what .. " is of the kind " .. kind, err.kind .. ": " .. tostring(err))
  end
  return err
end

--- Runs a case; an error in it is a failure too.
function checks.run(name, case, ...)
  checks.at(name)
  local before = checks.passed
  local ok, err = xpcall(case, debug.traceback, ...)
  if not ok then tell("error", err) end
  return checks.passed - before
end

return checks
