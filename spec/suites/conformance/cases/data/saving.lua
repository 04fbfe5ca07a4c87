-- Sections 8, 11, 14 and 15 of data objects: saveChanges, one request for each record.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, row, dataset, answers = resources.start, resources.row, resources.dataset, resources.answers

local SAVE = { "saveChanges" }
local UNORDERED = { "saveChanges", unordered = true }

local ADD = { "add", { Num = 4, Name = "Dee" } }
local FIND = { "find", say.where("Num", "=", 2) }
local ASSIGN = { "assign", { Name = "Bea" } }
local REMOVE = { "remove" }
local LISTEN = { "listen" }

-- Rows in the form in which the resource's service answers.
local TEMPS = { Temp = true, TempKeyed = true, SparseTemp = true }

local function rowsOf(resource, rows)
  if resource == "Unnamed" then return resources.list(rows) end
  return TEMPS[resource] and { ttC = resources.list(rows) } or dataset(rows)
end

local function filled(resource, options)
  return start(options or resource, rowsOf(resource, resources.rows()))
end

local function steps(...)
  local made = {}
  for _, one in ipairs { ... } do
    if type(one[1]) == "table" then table.move(one, 1, #one, #made + 1, made) else made[#made + 1] = one end
  end
  return made
end

-- ---- each change, each form of a resource

local CREATED, UPDATED = row(4, "Dee (saved)", { Limit = 7 }), row(2, "Bea (saved)", { Limit = 7 })

local function image(state, given, more)
  local made = row(given.Num, given.Name, more)
  made["prods:rowState"], made["prods:clientId"], made["prods:id"] = state, tostring(given.Num),
    tostring(given.Num)
  return made
end

local function imageOf(rows, more)
  local members = { ["prods:hasChanges"] = true }
  for key, value in pairs(more or {}) do members[key] = value end
  return dataset(rows, members)
end

for _, resource in ipairs { "Plain", "Keyed", "Temp", "TempKeyed", "Unnamed" } do
  case("save an add in " .. resource, { "data 8.2", "data 14" }, filled(resource),
    steps(LISTEN, ADD, answers(resource, rowsOf(resource, { CREATED }), { method = "POST" }), SAVE,
      { "hasChanges" }, { "get", "record" }))
  case("save an assign in " .. resource, { "data 8.2", "data 14" }, filled(resource),
    steps(LISTEN, FIND, ASSIGN, answers(resource, rowsOf(resource, { UPDATED }), { method = "PUT" }), SAVE,
      { "hasChanges" }))
  case("save a remove in " .. resource, { "data 8.2", "data 14" }, filled(resource),
    steps(LISTEN, FIND, REMOVE, answers(resource, rowsOf(resource, { row(2, "bob") }),
      { method = "DELETE" }), SAVE, { "hasChanges" }))
  case("save nothing in " .. resource, { "data 8.2" }, filled(resource), steps(LISTEN, SAVE))
  case("save an add that was removed in " .. resource, { "data 8.2" }, filled(resource),
    steps(LISTEN, ADD, REMOVE, answers(resource, rowsOf(resource, {}), { method = "DELETE" }), SAVE,
      { "hasChanges" }))
  case("a refused add in " .. resource, { "data 8.4", "data 11" }, filled(resource),
    steps(LISTEN, ADD, answers(resource, '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}',
      { method = "POST", status = 500 }), SAVE, { "getErrors" }, { "hasChanges" }, { "getData" }))
  case("a refused assign in " .. resource, { "data 8.4", "data 11" }, filled(resource),
    steps(LISTEN, FIND, ASSIGN, answers(resource, '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}',
      { method = "PUT", status = 500 }), SAVE, { "getErrors" }, { "hasChanges" }, { "getData" }))
  case("a refused remove in " .. resource, { "data 8.4", "data 11" }, filled(resource),
    steps(LISTEN, FIND, REMOVE, answers(resource, '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}',
      { method = "DELETE", status = 500 }), SAVE, { "getErrors" }, { "hasChanges" }, { "getData" }))
end

-- ---- with before-image

case("save an add with before-image", { "data 8.2", "data 9" }, filled "Image",
  steps(LISTEN, ADD, answers("Image", imageOf { image("created", CREATED, { Limit = 7 }) }), SAVE,
    { "hasChanges" }))
case("save an assign with before-image", { "data 8.2", "data 9" }, filled "Image",
  steps(LISTEN, FIND, ASSIGN, answers("Image", imageOf { image("modified", UPDATED, { Limit = 7 }) }), SAVE,
    { "hasChanges" }))
case("save a remove with before-image", { "data 8.2", "data 9" }, filled "Image",
  steps(LISTEN, FIND, REMOVE, answers("Image", imageOf({}, { ["prods:before"] = { ttC = {
    image("deleted", row(2, "bob")) } } })), SAVE, { "hasChanges" }))

local BAD = { ["prods:hasErrors"] = true }
local REFUSED = { ["prods:hasErrors"] = true, ["prods:errors"] = { ttC = {
  { ["prods:id"] = "2", ["prods:error"] = "Not today" },
  { ["prods:id"] = "4", ["prods:error"] = "Never" } } } }

case("a row error for an add", { "data 9", "data 11" }, filled "Image",
  steps(LISTEN, ADD, answers("Image", imageOf({ image("created", CREATED, BAD) }, REFUSED)), SAVE,
    { "getErrors" }, { "getData" }, { "hasChanges" }))
case("a row error for an assign", { "data 9", "data 11" }, filled "Image",
  steps(LISTEN, FIND, ASSIGN, answers("Image", imageOf({ image("modified", UPDATED, BAD) }, REFUSED)), SAVE,
    { "getErrors" }, { "getData" }, { "hasChanges" }))
case("a row error for a remove", { "data 9", "data 11" }, filled "Image",
  steps(LISTEN, FIND, REMOVE, answers("Image", imageOf({}, { ["prods:before"] = { ttC = {
    image("deleted", row(2, "bob"), BAD) } }, ["prods:errors"] = REFUSED["prods:errors"],
    ["prods:hasErrors"] = true })), SAVE, { "getErrors" }, { "getData" }, { "hasChanges" }))
case("a row that was rejected", { "data 9", "data 19" }, filled "Image",
  steps(LISTEN, FIND, ASSIGN, answers("Image", imageOf { image("modified", row(2, "bob"),
    { ["prods:rejected"] = true }) }), SAVE, { "getErrors" }, { "hasChanges" }))
case("a row error kept by autoApplyChanges", { "data 8.4", "data 9" },
  filled("Image", { name = "Image", autoApplyChanges = false }),
  steps(FIND, ASSIGN, answers("Image", imageOf({ image("modified", UPDATED, BAD) }, REFUSED)), SAVE, FIND,
    { "getErrorString" }, { "acceptRowChanges" }, { "rejectRowChanges" }, { "getData" }, { "hasChanges" }))
case("a row error without text", { "data 9" }, filled "Image",
  steps(FIND, ASSIGN, answers("Image", imageOf({ image("modified", UPDATED, BAD) }, { ["prods:errors"] = {
    ttC = { { ["prods:id"] = "2", ["prods:error"] = say.json } } } })), SAVE, { "getErrors" }))

-- ---- several changes

local ALL = steps(FIND, ASSIGN, { "find", say.where("Num", "=", 3) }, REMOVE, ADD)

local function all(resource)
  local rows = function(list) return rowsOf(resource, list) end
  return steps(answers(resource, rows {}, { method = "DELETE" }), answers(resource, rows { CREATED },
    { method = "POST" }), answers(resource, rows { UPDATED }, { method = "PUT" }))
end

for _, resource in ipairs { "Plain", "Temp" } do
  case("save several changes in " .. resource, { "data 8.2" }, filled(resource),
    steps(ALL, all(resource), UNORDERED, { "hasChanges" }, { "getData" }))
end
case("save several changes, one refused", { "data 8.2", "data 8.4" }, filled "Plain",
  steps(ALL, answers("Plain", dataset {}, { method = "DELETE" }), answers("Plain",
    '{"_errors":[{"_errorMsg":"No","_errorNum":7}]}', { method = "POST", status = 500, delay = 0.2 }),
    answers("Plain", dataset { UPDATED }, { method = "PUT" }), UNORDERED, { "getErrors" }, { "hasChanges" },
    { "getData" }))
case("save changes of two tables", { "data 8.2" },
  start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "assign", { Item = "bat" }, on = "j.ttO" }, { "assign", { Name = "Eve" }, on = "j.ttC" },
    answers("Family", "{}", { method = "PUT", count = 2 }), { "saveChanges", unordered = true },
    { "hasChanges" } })
case("save a parent and its child", { "data 8.2" }, start "Family",
  { { "add", { Num = 4 }, on = "j.ttC" }, { "add", { OrderNum = 41 }, on = "j.ttO" },
    answers("Family", "{}", { method = "POST", count = 2 }), { "saveChanges", unordered = true },
    { "hasChanges" } })

case("a save whose first answer takes its time", { "data 8.2", "data 16" }, filled "Plain",
  steps(FIND, REMOVE, ADD, answers("Plain", dataset {}, { method = "DELETE", delay = 0.6 }),
    answers("Plain", dataset { CREATED }, { method = "POST" }), { "saveChanges", later = "save" },
    { "arrived", 1 }, { "wait", 0.3 }, { "await", "save" }, { "getData" }))

-- ---- autoApplyChanges off

local MANUAL = { name = "Plain", autoApplyChanges = false }
case("save and accept by hand", { "data 8.4" }, filled("Plain", MANUAL),
  steps(FIND, ASSIGN, answers("Plain", dataset { UPDATED }, { method = "PUT" }), SAVE, { "hasChanges" },
    { "acceptChanges" }, { "hasChanges" }, { "getData" }))
case("save and reject by hand", { "data 8.4" }, filled("Plain", MANUAL),
  steps(FIND, ASSIGN, answers("Plain", dataset { UPDATED }, { method = "PUT" }), SAVE, { "rejectChanges" },
    { "getData" }))
case("a refused save by hand", { "data 8.4" }, filled("Plain", MANUAL),
  steps(FIND, ASSIGN, answers("Plain", "{}", { method = "PUT", status = 500 }), SAVE, { "hasChanges" },
    { "getData" }, { "rejectChanges" }, { "getData" }))
case("a refused add by hand", { "data 8.4" }, filled("Plain", MANUAL),
  steps(ADD, answers("Plain", "{}", { method = "POST", status = 500 }), SAVE, { "hasChanges" },
    { "getData" }))
case("a change after a save by hand", { "data 8.4", "data 19" }, filled("Plain", MANUAL),
  steps(FIND, ASSIGN, answers("Plain", dataset { row(2, "Bea") }, { method = "PUT" }), SAVE, FIND,
    { "assign", { Name = "Bess" } }, answers("Plain", dataset { row(2, "Bess") }, { method = "PUT" }), SAVE,
    { "hasChanges" }))

-- ---- what the server answers

local function assigned(name, resource, body, options)
  case(name, { "data 8.2", "data 11" }, filled(resource),
    steps(FIND, ASSIGN, answers(resource, body, options), SAVE, { "getErrors" }, { "hasChanges" },
      { "getData" }))
end

assigned("an answer of a bare table", "Plain", { ttC = { UPDATED } })
assigned("an answer of an array", "Plain", resources.list { UPDATED })
assigned("an answer of data", "Plain", { data = { UPDATED } })
assigned("an answer of a bare row", "Plain", UPDATED)
assigned("an answer of two rows", "Plain", dataset { UPDATED, row(3, "x") })
assigned("an answer of no row", "Plain", dataset {})
assigned("an answer that is empty", "Plain", "{}")
assigned("an answer with another key", "Plain", dataset { row(7, "Bea") })
assigned("an answer with another id", "Keyed", dataset { row(7, "Bea") })
assigned("an answer of a bare row for a temp-table", "Temp", UPDATED)
assigned("an answer of an array for a temp-table", "Temp", resources.list { UPDATED })
assigned("an answer with unknown fields", "Plain", dataset { row(2, "Bea", { Extra = 1 }) })

local faults = {
  { "204", { kind = "status", status = 204 } },
  { "nothing", { kind = "empty" } },
  { "broken JSON", { kind = "malformed" } },
  { "a page", { kind = "html" } },
  { "304", { kind = "status", status = 304 } },
  { "400", { kind = "status", status = 400 } },
  { "401 and a page", { kind = "status", status = 401, contentType = "text/html", body = "<html>" } },
  { "404", { kind = "status", status = 404 } },
  { "500 and a page", { kind = "status", status = 500, contentType = "text/html", body = "<html>" } },
  { "500 and a return value", { kind = "status", status = 500, contentType = "application/json",
    body = '{"_retVal":"sorry","_errors":[{"_errorMsg":"sorry","_errorNum":0}]}' } },
  { "a reset connection", { kind = "reset", count = 0 } },
}
for _, one in ipairs(faults) do
  for _, resource in ipairs { "Plain", "Temp" } do
    case(("a save met by %s in %s"):format(one[1], resource), { "data 8.2", "data 11" }, filled(resource),
      steps(FIND, ASSIGN, resources.fails(resource, one[2]), SAVE, { "getErrors" }, { "hasChanges" },
        { "getData" }))
  end
end
case("a save when the server is away", { "data 8.4", "data 19" }, filled "Plain",
  steps(FIND, ASSIGN, { "stop" }, SAVE, { "getErrors" }, { "hasChanges" }, { "start" },
    answers("Plain", dataset { UPDATED }, { method = "PUT" }), SAVE, { "hasChanges" }))

-- ---- mistakes

case("saveChanges of a resource that is read alone", { "data 8.1" }, filled "ReadOnly",
  steps(FIND, ASSIGN, SAVE, { "saveChanges", true }, { "hasChanges" }))
case("saveChanges of a removal without its operation", { "data 8.1" }, filled "NoDelete",
  steps(FIND, REMOVE, SAVE, { "hasChanges" }))
case("saveChanges of an assign without the operation delete", { "data 8.1" }, filled "NoDelete",
  steps(FIND, ASSIGN, answers("NoDelete", dataset { UPDATED }), SAVE))
case("saveChanges with something else", { "data 8.1" }, filled "Plain",
  { { "saveChanges", "true" }, { "saveChanges", 1 }, { "saveChanges", {} }, { "saveChanges", say.null } })
case("saveChanges with false", { "data 8.1" }, filled "Plain",
  steps(FIND, ASSIGN, answers("Plain", dataset { UPDATED }), { "saveChanges", false }))

-- ---- sendOnlyChanges

case("changes alone of an assign", { "data 8.2" }, filled "Sparse",
  steps(FIND, ASSIGN, answers("Sparse", dataset { UPDATED }), SAVE))
case("changes alone of a remove", { "data 8.2" }, filled "Sparse",
  steps(FIND, REMOVE, answers("Sparse", dataset {}), SAVE))
case("changes alone of an add", { "data 8.2" }, filled "Sparse",
  steps(ADD, answers("Sparse", dataset { CREATED }), SAVE))
case("changes alone of a temp-table", { "data 8.2" }, filled "SparseTemp",
  steps(FIND, ASSIGN, answers("SparseTemp", { ttC = { UPDATED } }), SAVE, FIND, REMOVE,
    answers("SparseTemp", "{}"), SAVE))
case("changes alone without an id", { "data 8.1" }, filled "SparseLost", steps(FIND, ASSIGN, SAVE))

-- ---- after a save

case("an id given by the server", { "data 4", "data 8.2" }, filled "Keyed",
  steps({ "add", { Name = "Dee" }, as = "r" }, answers("Keyed", dataset { row(44, "Dee") }), SAVE,
    { "findById", "44" }, { "getId" }, { "hasChanges" }))
case("an id given by the server, then another change", { "data 4", "data 19" }, filled "Keyed",
  steps({ "add", { Name = "Dee" }, as = "r" }, answers("Keyed", dataset { row(44, "Dee") }), SAVE,
    { "findById", "44" }, { "assign", { Name = "Dot" } }, { "getChanges" },
    answers("Keyed", dataset { row(44, "Dot") }), SAVE, { "hasChanges" }))
case("values of the server are sorted", { "data 19" }, filled "Plain",
  steps({ "setSortFields", { "Name" } }, FIND, ASSIGN, answers("Plain", dataset { row(2, "Zoe") }), SAVE,
    { "getData" }))
case("a second save sends nothing", { "data 8.2" }, filled "Plain",
  steps(FIND, ASSIGN, answers("Plain", dataset { UPDATED }), SAVE, SAVE))
case("a change made while its record is saved", { "data 19" }, filled "Plain",
  steps(FIND, ASSIGN, answers("Plain", dataset { row(2, "Bea") }, { delay = 0.3 }),
    { "saveChanges", later = "save" }, { "arrived", 1 }, { "assign", { Limit = 9 } }, { "await", "save" },
    { "hasChanges" }, { "getChanges" }, { "getData" }))
case("a record added while another is saved", { "data 19" }, filled "Plain",
  steps(FIND, ASSIGN, answers("Plain", dataset { row(2, "Bea") }, { delay = 0.3 }),
    { "saveChanges", later = "save" }, { "arrived", 1 }, ADD, { "await", "save" }, { "hasChanges" },
    { "getChanges" }))
case("a new save after a refused one", { "data 8.4" }, filled "Plain",
  steps(FIND, ASSIGN, answers("Plain", "{}", { status = 500 }), SAVE, FIND, ASSIGN,
    answers("Plain", dataset { UPDATED }), SAVE, { "getErrors" }, { "hasChanges" }))

return cases
