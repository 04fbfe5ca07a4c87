-- Sections 8.3 and 9 of data objects: saveChanges(true), all changes in one request.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, row, dataset, answers = resources.start, resources.row, resources.dataset, resources.answers

local SUBMIT = { "saveChanges", true }
local ADD = { "add", { Num = 4, Name = "Dee" } }
local FIND = { "find", say.where("Num", "=", 2) }
local ASSIGN = { "assign", { Name = "Bea" } }
local LISTEN = { "listen" }

local function steps(...)
  local made = {}
  for _, one in ipairs { ... } do
    if type(one[1]) == "table" then table.move(one, 1, #one, #made + 1, made) else made[#made + 1] = one end
  end
  return made
end

local ALL = steps(FIND, ASSIGN, { "find", say.where("Num", "=", 3) }, { "remove" }, ADD)

local function image(state, num, name, more)
  local made = row(num, name, more)
  made["prods:rowState"], made["prods:clientId"], made["prods:id"] = state, tostring(num), tostring(num)
  return made
end

local function submitted(rows, deleted, more)
  local members = { ["prods:hasChanges"] = true, ["prods:before"] = deleted and { ttC = deleted } }
  for key, value in pairs(more or {}) do members[key] = value end
  return dataset(rows, members)
end

local function errors(...)
  local list = {}
  for i, both in ipairs { ... } do
    list[i] = { ["prods:id"] = both[1], ["prods:error"] = both[2] }
  end
  return { ["prods:hasErrors"] = true, ["prods:errors"] = { ttC = list } }
end

local BAD, REJECTED = { ["prods:hasErrors"] = true }, { ["prods:rejected"] = true }
local GOOD = submitted({ image("modified", 2, "Bea (saved)", { Limit = 7 }),
  image("created", 4, "Dee (saved)", { Limit = 8 }) }, { image("deleted", 3, "Cy") })

local function filled(options)
  return start(options or "Keyed", dataset(resources.rows()))
end

local AFTER = { { "getErrors" }, { "hasChanges" }, { "getData" }, { "get", "record" } }

local function submits(name, answer, options, given)
  case(name, { "data 8.3", "data 9" }, filled(given),
    steps(LISTEN, ALL, answers("Keyed/Submit", answer, options), SUBMIT, AFTER))
end

submits("submit", GOOD)
submits("submit, wrapped once more", { dsC = GOOD })
submits("submit, in a response", { response = GOOD })
submits("submit with a row error for an assign", submitted({ image("modified", 2, "Bea", BAD),
  image("created", 4, "Dee") }, { image("deleted", 3, "Cy") }, errors { "2", "Not today" }))
submits("submit with a row error for an add", submitted({ image("modified", 2, "Bea"),
  image("created", 4, "Dee", BAD) }, { image("deleted", 3, "Cy") }, errors { "4", "Never" }))
submits("submit with a row error for a remove", submitted({ image("modified", 2, "Bea"),
  image("created", 4, "Dee") }, { image("deleted", 3, "Cy", BAD) }, errors { "3", "Still needed" }))
submits("submit with three row errors", submitted({ image("modified", 2, "Bea", BAD),
  image("created", 4, "Dee", BAD) }, { image("deleted", 3, "Cy", BAD) }, errors({ "2", "a" }, { "4", "b" },
  { "3", "c" })))
submits("submit with rejected rows", submitted({ image("modified", 2, "bob", REJECTED),
  image("created", 4, "Dee", REJECTED) }, { image("deleted", 3, "Cy", REJECTED) }))
submits("submit with a row error that says REJECTED", submitted({ image("modified", 2, "bob", BAD),
  image("created", 4, "Dee") }, { image("deleted", 3, "Cy") }, errors { "2", "REJECTED" }))
submits("submit with a row error without text", submitted({ image("modified", 2, "bob", BAD),
  image("created", 4, "Dee") }, { image("deleted", 3, "Cy") }, errors { "2", say.json }))
submits("submit answered without rows", submitted({}, nil))
submits("submit answered without clientId", submitted { row(2, "Bea", { ["prods:rowState"] = "modified" }) })
submits("submit answered with an unknown clientId", submitted { image("modified", 77, "Bea") })
submits("submit answered without a dataset", "{}")
submits("submit refused", '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}', { status = 500 })
submits("submit refused with a return value", '{"_retVal":"sorry","_errors":[]}', { status = 500 })
submits("submit answered with 404", "", { status = 404, contentType = "text/plain" })
submits("submit answered with a page", "<html>", { contentType = "text/html" })
submits("submit answered with 204", "", { status = 204, contentType = "text/plain" })

local MANUAL = { name = "Keyed", autoApplyChanges = false }
submits("submit by hand", GOOD, nil, MANUAL)
submits("submit refused by hand", "{}", { status = 500 }, MANUAL)
case("submit by hand, then accept", { "data 8.4" }, filled(MANUAL),
  steps(ALL, answers("Keyed/Submit", GOOD), SUBMIT, { "acceptChanges" }, { "hasChanges" }, { "getData" }))
case("submit by hand, then reject", { "data 8.4" }, filled(MANUAL),
  steps(ALL, answers("Keyed/Submit", GOOD), SUBMIT, { "rejectChanges" }, { "hasChanges" }, { "getData" }))
case("accept a row that was rejected", { "data 5", "data 9" }, filled(MANUAL),
  steps(FIND, ASSIGN, answers("Keyed/Submit", submitted { image("modified", 2, "Bea", REJECTED) }), SUBMIT,
    FIND, { "acceptRowChanges" }, { "rejectRowChanges" }, { "getData" }))

case("submit nothing", { "data 8.3" }, filled(), steps(LISTEN, answers("Keyed/Submit", submitted {}), SUBMIT))
case("submit an add that was removed", { "data 8.3" }, filled(),
  steps(LISTEN, ADD, { "remove" }, answers("Keyed/Submit", submitted {}), SUBMIT, { "hasChanges" }))
case("submit one assign", { "data 8.3" }, filled(),
  steps(FIND, ASSIGN, answers("Keyed/Submit", submitted { image("modified", 2, "Bea") }), SUBMIT))
case("submit one add", { "data 8.3" }, filled(),
  steps(ADD, answers("Keyed/Submit", submitted { image("created", 4, "Dee") }), SUBMIT))
case("submit one remove", { "data 8.3" }, filled(),
  steps(FIND, { "remove" }, answers("Keyed/Submit", submitted({}, { image("deleted", 2, "bob") })), SUBMIT))
case("submit an assign and a remove of one record", { "data 8.3" }, filled(),
  steps(FIND, ASSIGN, { "remove" }, answers("Keyed/Submit", submitted({}, { image("deleted", 2, "bob") })),
    SUBMIT, { "hasChanges" }))
case("submit a change of the key", { "data 8.3" }, filled(),
  steps(FIND, { "assign", { Num = 22 } }, answers("Keyed/Submit",
    submitted { image("modified", 2, "bob", { Num = 22 }) }), SUBMIT, { "hasChanges" }, { "getData" },
    { "findById", "22" }))
case("submit with null", { "data 8.3" }, filled(),
  steps(FIND, { "assign", { Name = say.null } }, answers("Keyed/Submit",
    submitted { image("modified", 2, say.json) }), SUBMIT, { "getData" }))
case("submit twice", { "data 8.3" }, filled(),
  steps(ALL, answers("Keyed/Submit", GOOD), SUBMIT, answers("Keyed/Submit", submitted {}), SUBMIT))
case("submit met by a reset connection", { "data 8.4", "data 19" }, filled(),
  steps(ALL, resources.fails("Keyed/Submit", { kind = "reset", count = 0 }), SUBMIT, AFTER))
case("submit when the server is away", { "data 8.4", "data 19" }, filled(),
  steps(ALL, { "stop" }, SUBMIT, AFTER))

-- ---- forms of resources

case("submit of a temp-table", { "data 8.1" }, start("Temp", { ttC = resources.rows() }),
  steps(FIND, ASSIGN, SUBMIT, { "hasChanges" }))
case("submit of a temp-table by hand", { "data 8.3" },
  start({ name = "Temp", autoApplyChanges = false }, { ttC = resources.rows() }),
  steps(LISTEN, ALL, answers("Temp/Submit", { ttC = { row(2, "x"), row(4, "y") } }), SUBMIT, { "hasChanges" },
    { "getData" }))
case("submit without the operation", { "data 8.1" }, start("Abl", dataset(resources.rows())),
  steps(FIND, ASSIGN, SUBMIT, { "hasChanges" }))
case("submit with before-image in the catalog", { "data 8.3", "data 9" }, start("Image",
  dataset(resources.rows())), steps(ALL, answers("Image/Submit", GOOD), SUBMIT, { "getData" }))
case("submit without ids", { "data 8.3" }, start("Plain", dataset(resources.rows())),
  steps(ALL, answers("Plain/Submit", submitted {}), SUBMIT))
case("submit two tables", { "data 8.3" },
  start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "assign", { Item = "bat" }, on = "j.ttO" }, { "assign", { Name = "Eve" }, on = "j.ttC" },
    answers("Family/Submit", submitted {}), SUBMIT })
case("submit one of two tables", { "data 8.3" },
  start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "assign", { Item = "bat" }, on = "j.ttO" }, answers("Family/Submit", submitted {}), SUBMIT })

return cases
