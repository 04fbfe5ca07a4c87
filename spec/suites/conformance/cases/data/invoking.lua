-- Section 13 of data objects: invoke.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, row, answers = resources.start, resources.row, resources.answers

local DONE = '{"response":{"_retVal":"done"}}'

local function invokes(name, path, steps)
  case(name, { "data 13" }, start "Keyed", { answers("Keyed/" .. path, DONE), table.unpack(steps) })
end

invokes("invoke without an argument", "Ping", { { "invoke", "Ping" } })
invokes("invoke with an empty object", "Ping", { { "invoke", "Ping", {} } })
invokes("invoke with undefined", "Ping", { { "invoke", "Ping", say.none } })
invokes("invoke with a body", "Raise", { { "invoke", "Raise", { num = 3, amount = 7.5 } } })
invokes("invoke with a part of a body", "Raise", { { "invoke", "Raise", { num = 3 } } })
invokes("invoke with an unknown parameter", "Raise", { { "invoke", "Raise", { num = 3, odd = 1 } } })
invokes("invoke with null in a body", "Raise", { { "invoke", "Raise", { num = say.null, amount = 0 } } })
invokes("invoke with parameters in the address", "Look/a b", { { "invoke", "Look",
  { kind = "a b", place = "c&d=é" } } })
invokes("invoke with a missing parameter", "Look/x", { { "invoke", "Look", { kind = "x" } } })
invokes("invoke with a parameter that is 0 or false", "Look/x", { { "invoke", "Look",
  { kind = "x", place = 0 } }, answers("Keyed/Look/x", DONE), { "invoke", "Look",
  { kind = "x", place = false } } })
invokes("invoke without an object and with places in the address", "Look/{kind}", { { "invoke", "Look" } })
invokes("invoke with a matrix parameter", "Matrix", { { "invoke", "Matrix", { num = 5 } } })
invokes("invoke with text for an argument", "Raise", { { "invoke", "Raise", "3" } })
invokes("invoke with a number for an argument", "Raise", { { "invoke", "Raise", 3 } })
case("invoke an unknown operation", { "data 13" }, start "Keyed", { { "invoke", "Pong" } })
case("invoke without a name", { "data 13" }, start "Keyed", { { "invoke" }, { "invoke", 7 } })
case("invoke a method that is no operation", { "data 13", "data 19" }, start "Keyed", { { "invoke", "fill" },
  { "invoke", "getData" } })

local ROWS = { ttC = { row(7, "Gus") } }
case("invoke with a dataset", { "data 13" }, start "Keyed",
  { answers("Keyed/Send", DONE), { "invoke", "Send", { dsC = ROWS } },
    answers("Keyed/Send", DONE), { "invoke", "Send", { dsC = { dsC = ROWS } } } })
case("invoke with a dataset that is not wrapped", { "data 13" }, start "Unwrapped",
  { answers("Unwrapped/Send", DONE), { "invoke", "Send", { dsC = ROWS } },
    answers("Unwrapped/Send", DONE), { "invoke", "Send", { dsC = { dsC = ROWS } } } })
case("invoke without useRequest", { "data 13" }, start "Unwrapped",
  { answers("Unwrapped/Raise", DONE), { "invoke", "Raise", { num = 3, amount = 1 } } })

-- ---- answers

local OUTPUT = '{"response":{"_retVal":"ok","dsC":{"dsC":{"ttC":'
  .. '[{"Num":2,"Name":"Bea"},{"Num":9,"Name":"Ida"}]}}}}'

case("invoke leaves memory alone", { "data 13" }, resources.filled "Keyed",
  { answers("Keyed/Best", OUTPUT), { "invoke", "Best", {} }, { "getData" } })
case("invoke that appends", { "data 13" }, resources.filled "Keyed",
  { answers("Keyed/More", '{"response":{"dsC":{"dsC":{"ttC":[{"Num":9,"Name":"Ida"}]}}}}'),
    { "invoke", "More", {} }, { "getData" }, { "hasChanges" } })
case("invoke that appends what is there", { "data 13" }, resources.filled "Keyed",
  { answers("Keyed/More", OUTPUT), { "invoke", "More", {} }, { "getData" } })
case("invoke that merges", { "data 13" }, resources.filled "Keyed",
  { answers("Keyed/Merge", OUTPUT), { "invoke", "Merge", {} }, { "getData" }, { "hasChanges" } })
case("invoke that merges without ids", { "data 13" }, resources.filled "Plain",
  { answers("Plain/Merge", OUTPUT), { "invoke", "Merge", {} }, { "getData" } })
case("invoke that merges nothing", { "data 13" }, resources.filled "Keyed",
  { answers("Keyed/Merge", DONE), { "invoke", "Merge", {} }, { "getData" } })
case("an answer without response", { "data 13" }, start "Keyed",
  { answers("Keyed/Raise", '{"limit":7,"_retVal":""}'), { "invoke", "Raise", { num = 1 } } })

local faults = {
  { "204", { kind = "status", status = 204 } },
  { "nothing", { kind = "empty" } },
  { "broken JSON", { kind = "malformed" } },
  { "a page", { kind = "html" } },
  { "the login page", { kind = "loginPage" } },
  { "400", { kind = "status", status = 400 } },
  { "401", { kind = "status", status = 401 } },
  { "404", { kind = "status", status = 404 } },
  { "500 and errors", { kind = "status", status = 500, contentType = "application/json",
    body = '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}' } },
  { "a reset connection", { kind = "reset", count = 0 } },
}
for _, one in ipairs(faults) do
  case("invoke met by " .. one[1], { "data 13", "data 11" }, resources.filled "Keyed",
    { resources.fails("Keyed/Raise", one[2]), { "invoke", "Raise", { num = 1 } }, { "getErrors" },
      { "getData" } })
end

-- ---- events

case("events of invoke", { "data 14" }, start "Keyed",
  { { "subscribe", "beforeInvoke", "Raise", say.listener "before" },
    { "subscribe", "afterInvoke", "Raise", say.listener "after" },
    { "subscribe", "afterInvoke", "Ping", say.listener "other" },
    answers("Keyed/Raise", DONE), { "invoke", "Raise", { num = 1 } } })
case("events of invoke on any subscriber", { "data 14", "data 16" }, start "Keyed",
  { { "subscribe", "beforeInvoke", say.listener "before" }, { "subscribe", "afterInvoke",
    say.listener "after" }, answers("Keyed/Raise", DONE), { "invoke", "Raise", { num = 1 } } })
case("events of invoke that fails", { "data 14" }, start "Keyed",
  { { "subscribe", "afterInvoke", "Raise", say.listener "after" },
    resources.fails("Keyed/Raise", { kind = "status", status = 500 }), { "invoke", "Raise", { num = 1 } } })
case("events of invoke without an object", { "data 14" }, start "Keyed",
  { { "subscribe", "beforeInvoke", "Ping", say.listener "before" },
    { "subscribe", "afterInvoke", "Ping", say.listener "after" }, answers("Keyed/Ping", DONE),
    { "invoke", "Ping" } })

return cases
