--- The bank's operations, by name: functions (call) that return the result, or nil and what is wrong.
-- `call` has `data` (what the request gave), `session` (nil when operations run without one), `table`,
-- `count` (how often this operation has run, this time included).
local reader = require "datasession.sandbox.btt.reader"

local operations = {}

local RATES = { DKK = "0.14", EUR = "1.07", GBP = "1.25", NOK = "0.09", SEK = "0.09", USD = "1" }

--- The rate of the currency data.ccy.
function operations.RateLookup(call)
  local ccy = type(call.data) == "table" and call.data.ccy
  ccy = type(ccy) == "string" and reader.strip(ccy) or ""
  if not RATES[ccy] then return nil, "There is no such currency." end
  return { ccy = ccy, rate = RATES[ccy] }
end

--- Returns its arguments.
function operations.Echo(call)
  return call.data or {}
end

--- Moves money, as one may imagine: what counts is how often.
function operations.Transfer(call)
  return { transfers = tostring(call.count) }
end

function operations.Fail()
  return nil, "The operation failed, as it always does."
end

--- Ends the session. Its reply names none.
function operations.LogOff(call)
  if call.session then call.table:close(call.session) end
  call.session = nil
  return {}
end

--- Puts a new session in the place of the one it was called in.
function operations.Replace(call)
  local former = call.session
  if not former then return nil, "There is no session to replace." end
  call.table:close(former)
  call.session, call.replaced = call.table:open(former.tid), true
  return {}
end

return operations
