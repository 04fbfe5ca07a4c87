--- The soak's promises and faults: every promise settles once, and errors are those that are meant.
local ledger = { made = 0, settled = 0, wrong = {}, open = {} }

local MEANT = "soak: on purpose"
local UNSEEN = "a promise was rejected and not handled"

--- Notes what is wrong.
function ledger.fail(...)
  ledger.wrong[#ledger.wrong + 1] = string.format(...)
end

--- Counts how often the promise is settled; returns it. An entry holds it weakly: who keeps it is not our
-- affair.
function ledger.watch(what, promise)
  local entry = { what = what, times = 0, promise = setmetatable({ promise }, { __mode = "v" }) }
  ledger.made = ledger.made + 1
  ledger.open[entry] = true
  promise:always(function()
    entry.times = entry.times + 1
    ledger.open[entry] = nil
    ledger.settled = ledger.settled + 1
    if entry.times > 1 then ledger.fail("%s was settled %d times", what, entry.times) end
  end)
  return promise
end

--- A promise that was not settled when last looked at, if the generator finds one; or nil.
function ledger.pending()
  local entry = next(ledger.open)
  return entry and entry.promise[1]
end

--- For onError: errors that are raised on purpose, and rejections without a handler, are meant.
function ledger.report(err)
  if type(err) == "string" and not err:find(MEANT, 1, true) and not err:find(UNSEEN, 1, true) then
    ledger.fail("onError: %s", err)
  elseif type(err) ~= "string" and type(err.kind) ~= "string" then
    ledger.fail("onError: %s", tostring(err))
  end
end

--- Calls an action; what it raises is wrong, unless it is one of `allowed` (texts that its message may
-- contain).
function ledger.try(what, allowed, f, ...)
  local ok, err = pcall(f, ...)
  if ok then return end
  for _, text in ipairs(allowed or {}) do
    if tostring(err):find(text, 1, true) then return end
  end
  ledger.fail("%s raised: %s", what, tostring(err))
end

--- The promises that are still pending.
function ledger.unsettled()
  local names = {}
  for entry in pairs(ledger.open) do names[#names + 1] = entry.what end
  table.sort(names)
  return names
end

return ledger
