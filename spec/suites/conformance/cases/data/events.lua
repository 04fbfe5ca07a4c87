-- Sections 14 and 15 of data objects: events, and the request that they hand over.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local row, dataset, answers, filled = resources.row, resources.dataset, resources.answers, resources.filled

local FIND = { "find", say.where("Num", "=", 2) }
local ASSIGN = { "assign", { Name = "Bea" } }
local FILL, SAVE = { "fill" }, { "saveChanges" }
local ROWS = dataset(resources.rows())
local SAVED = answers("Plain", dataset { row(2, "Bea") })

-- ---- subscribing

local function fills(name, steps)
  local all = { table.unpack(steps) }
  all[#all + 1], all[#all + 2] = answers("Plain", ROWS), FILL
  case(name, { "data 14" }, filled(), all)
end

fills("the events of fill", { { "listen" } })
fills("events in other letters", { { "subscribe", "AFTERfill", say.listener "a" } })
fills("beforeRead and afterRead", { { "subscribe", "beforeRead", say.listener "before" },
  { "subscribe", "afterRead", say.listener "after" } })
fills("two listeners of one event", { { "subscribe", "afterFill", say.listener "a" },
  { "subscribe", "afterFill", say.listener "b" } })
fills("one listener twice", { { "subscribe", "afterFill", say.listener "a" },
  { "subscribe", "afterFill", say.listener "a" } })
fills("a listener with a scope", { { "subscribe", "afterFill", say.listener "a", say.scope "here" } })
fills("one listener with two scopes", { { "subscribe", "afterFill", say.listener "a", say.scope "here" },
  { "subscribe", "afterFill", say.listener "a", say.scope "there" } })
fills("a listener taken away", { { "subscribe", "afterFill", say.listener "a" },
  { "subscribe", "afterFill", say.listener "b" }, { "unsubscribe", "afterFill", say.listener "a" } })
fills("a listener taken away without its scope", {
  { "subscribe", "afterFill", say.listener "a", say.scope "here" },
  { "unsubscribe", "afterFill", say.listener "a" } })
fills("a listener taken away with its scope", {
  { "subscribe", "afterFill", say.listener "a", say.scope "here" },
  { "unsubscribe", "afterFill", say.listener "a", say.scope "here" } })
fills("a listener taken away by the other name", { { "subscribe", "afterFill", say.listener "a" },
  { "unsubscribe", "afterRead", say.listener "a" } })
fills("all listeners taken away", { { "listen" }, { "unsubscribeAll" } })
fills("all listeners of an event taken away", { { "listen" }, { "unsubscribeAll", "afterFill" } })
case("mistakes in subscribe", { "data 14" }, filled(),
  { { "subscribe" }, { "subscribe", "afterFill" }, { "subscribe", 7, say.listener "a" },
    { "subscribe", "afterFill", 7 }, { "subscribe", "afterFill", say.listener "a", 7 } })
case("an event that is unknown", { "data 14" }, filled(),
  { { "subscribe", "afterFeel", say.listener "a" }, { "unsubscribe", "afterFeel", say.listener "a" } })
case("fill events of a table reference", { "data 14" }, filled(),
  { { "subscribe", "afterFill", say.listener "a", on = "j.ttC" }, answers("Plain", ROWS), FILL })

-- ---- of saves

case("events of a table reference come first", { "data 14" }, filled(),
  { { "listen" }, { "listen", on = "j.ttC" }, FIND, ASSIGN, SAVED, SAVE })
case("events of an add", { "data 14" }, filled(),
  { { "listen" }, { "add", { Num = 4 } }, answers("Plain", dataset { row(4, "x") }), SAVE })
case("events of a remove", { "data 14" }, filled(),
  { { "listen" }, FIND, { "remove" }, answers("Plain", dataset {}), SAVE })
case("events of a save that fails", { "data 14" }, filled(),
  { { "listen" }, FIND, ASSIGN, answers("Plain", "{}", { status = 500 }), SAVE })
case("events of a fill that fails", { "data 14" }, filled(),
  { { "listen" }, answers("Plain", "{}", { status = 500 }), FILL })
case("events of a fill that is refused", { "data 14" }, filled(), { { "listen" }, { "fill", 7 } })
case("events of two tables", { "data 14" },
  resources.start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "listen" }, { "listen", on = "j.ttC" }, { "listen", on = "j.ttO" },
    { "assign", { Item = "bat" }, on = "j.ttO" }, answers("Family", "{}"), SAVE })
case("events by the name of an operation", { "data 14" }, filled(),
  { { "subscribe", "afterFill", "read", say.listener "a" }, { "subscribe", "afterUpdate", "update",
    say.listener "b" }, answers("Plain", ROWS), FILL, FIND, ASSIGN, SAVED, SAVE })

-- ---- what a listener does

case("a listener of beforeFill that fails", { "data 14", "data 19" }, filled(),
  { { "subscribe", "beforeFill", say.listener("a", { throws = true }) }, answers("Plain", ROWS), FILL,
    { "getData" } })
case("a listener of afterFill that fails", { "data 14", "data 19" }, filled(),
  { { "subscribe", "afterFill", say.listener("a", { throws = true }) }, answers("Plain", ROWS), FILL,
    { "getData" } })
case("a listener of beforeUpdate that fails", { "data 14", "data 19" }, filled(),
  { { "subscribe", "beforeUpdate", say.listener("a", { throws = true }) }, FIND, ASSIGN, SAVED, SAVE,
    { "hasChanges" } })
case("a listener of afterUpdate that fails", { "data 14", "data 19" }, filled(),
  { { "subscribe", "afterUpdate", say.listener("a", { throws = true }) }, FIND, ASSIGN, SAVED, SAVE,
    { "hasChanges" } })
case("a listener of afterSaveChanges that fails", { "data 14", "data 19" }, filled(),
  { { "subscribe", "afterSaveChanges", say.listener("a", { throws = true }) }, FIND, ASSIGN, SAVED, SAVE,
    { "hasChanges" } })
for _, event in ipairs { "beforeFill", "beforeUpdate", "beforeSaveChanges" } do
  case(("a listener of %s that gives false"):format(event), { "data 14" }, filled(),
    { { "subscribe", event, say.listener("a", { returns = false }) },
      event == "beforeFill" and answers("Plain", ROWS) or FIND, event == "beforeFill" and FILL or ASSIGN,
      event ~= "beforeFill" and SAVED or { "getData" }, event ~= "beforeFill" and SAVE or { "hasChanges" },
      { "hasChanges" } })
end
case("a listener of beforeUpdate that changes the record", { "data 14" }, filled(),
  { { "subscribe", "beforeUpdate", say.listener("a", { sets = { Limit = 5 } }) }, FIND, ASSIGN, SAVED, SAVE,
    { "getData" }, { "hasChanges" } })

-- ---- the request

local function requests(name, steps)
  case(name, { "data 15" }, filled(), { { "listen", { requests = true } }, table.unpack(steps) })
end

requests("the request of a fill", { answers("Plain", ROWS), { "fill", "x" } })
requests("the request of an update", { FIND, ASSIGN, SAVED, SAVE })
requests("the request of an add", { { "add", { Num = 4 } }, answers("Plain", dataset { row(4, "x") }), SAVE })
requests("the request of a remove", { FIND, { "remove" }, answers("Plain", dataset {}), SAVE })
requests("the request of a failure", { answers("Plain", '{"_errors":[]}', { status = 500 }), FILL })

return cases
