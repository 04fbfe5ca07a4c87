-- Section 6 of data objects: addRecords. Section 12: local storage.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, filled, row = resources.start, resources.filled, resources.row
local dataset = resources.dataset

local APPEND, EMPTY, MERGE, REPLACE = 1, 2, 3, 4
local MODES = { append = APPEND, empty = EMPTY, merge = MERGE, replace = REPLACE }
local NAMES = { "append", "empty", "merge", "replace" }

local function whole(num, name)
  return row(num, name, { Limit = 1, Active = true, Born = "2001-02-03" })
end

local NEW = { whole(2, "Bob"), whole(9, "Ida") }
local NONE = say.empty

for _, name in ipairs(NAMES) do
  case("addRecords to " .. name .. " without keys", { "data 6" }, filled(),
    { { "addRecords", dataset(NEW), MODES[name] }, { "getData" }, { "hasChanges" }, { "get", "record" } })
  case("addRecords to " .. name .. " with keys", { "data 6" }, filled(),
    { { "addRecords", dataset(NEW), MODES[name], { "Num" } }, { "getData" }, { "hasChanges" } })
  case("addRecords to " .. name .. " in a temp-table", { "data 6" },
    start("Temp", { ttC = resources.rows() }), { { "addRecords", { ttC = NEW }, MODES[name], { "Num" } },
      { "getData" } })
end

-- ---- forms of the data

case("addRecords of a table", { "data 6" }, filled(), { { "addRecords", { ttC = NEW }, APPEND } })
case("addRecords of an array on a data object", { "data 6" }, filled(), { { "addRecords", NEW, APPEND },
  { "getData" } })
case("addRecords of an array on a table reference", { "data 6" }, filled(),
  { { "addRecords", NEW, APPEND, on = "j.ttC" }, { "getData" } })
case("addRecords of an array in a temp-table", { "data 6" }, start "Temp", { { "addRecords", NEW, APPEND } })
case("addRecords of an array in an unnamed table", { "data 6" }, start "Unnamed",
  { { "addRecords", NEW, APPEND }, { "addRecords", { data = NEW }, APPEND }, { "getData" } })
case("addRecords of no records", { "data 6" }, filled(),
  { { "addRecords", dataset(NONE), APPEND }, { "addRecords", { ttC = NONE }, EMPTY }, { "getData" } })
case("addRecords empties", { "data 6" }, filled(),
  { { "assign", { Name = "Eve" } }, { "addRecords", {}, EMPTY }, { "getData" }, { "hasChanges" },
    { "get", "record" } })
case("addRecords of an empty object", { "data 6" }, filled(), { { "addRecords", {}, APPEND },
  { "addRecords", {}, MERGE }, { "addRecords", {}, REPLACE } })
case("addRecords of another table", { "data 6" }, filled(), { { "addRecords", { ttX = NEW }, APPEND },
  { "getData" } })
case("addRecords of another table in a temp-table", { "data 6" }, start "Temp",
  { { "addRecords", { ttX = NEW }, APPEND } })
case("addRecords of text", { "data 6" }, filled(), { { "addRecords", "rows", APPEND } })
case("addRecords of nothing", { "data 6" }, filled(),
  { { "addRecords" }, { "addRecords", say.none, APPEND } })
case("addRecords without a mode", { "data 6" }, filled(), { { "addRecords", dataset(NEW) } })
case("addRecords with an unknown mode", { "data 6" }, filled(), { { "addRecords", dataset(NEW), 9 },
  { "addRecords", dataset(NEW), "append" } })
case("addRecords of a partial row", { "data 6" }, filled(),
  { { "addRecords", { ttC = { { Num = 2 } } }, REPLACE, { "Num" } }, { "getData" },
    { "addRecords", { ttC = { { Num = 7 } } }, APPEND }, { "getData" } })
case("addRecords of an unknown field", { "data 6" }, filled(),
  { { "addRecords", { ttC = { row(7, "Gus", { Extra = 1 }) } }, APPEND }, { "getData" } })

-- ---- keys

case("keys in other letters", { "data 6" }, filled(), { { "addRecords", dataset(NEW), MERGE, { "nUM" } } })
case("keys by table", { "data 6" }, filled(), { { "addRecords", dataset(NEW), MERGE, { ttC = { "Num" } } } })
case("keys of another table", { "data 6" }, filled(), { { "addRecords", dataset(NEW), MERGE,
  { ttX = { "Num" } } } })
case("an unknown key", { "data 6" }, filled(), { { "addRecords", dataset(NEW), MERGE, { "Nam" } } })
case("text for keys", { "data 6" }, filled(), { { "addRecords", dataset(NEW), MERGE, "Num" } })
case("two keys", { "data 6" }, filled(),
  { { "addRecords", dataset { whole(1, "Ann"), whole(1, "Amy") }, MERGE, { "Num", "Name" } }, { "getData" } })
case("keys without regard to letters", { "data 6" }, filled(),
  { { "addRecords", dataset { whole(7, "ANN"), whole(8, "BOB") }, MERGE, { "Name" } }, { "getData" } })
case("keys whose letters count", { "data 6" }, filled(),
  { { "set", "caseSensitive", true }, { "addRecords", dataset { whole(7, "ANN"), whole(3, "Cy") }, MERGE,
    { "Name" } }, { "getData" } })
case("a key that is twice in the data", { "data 6" }, filled(),
  { { "addRecords", dataset { whole(7, "Gus"), whole(7, "Gil") }, MERGE, { "Num" } }, { "getData" } })
case("records are replaced in a changed record", { "data 6" }, filled(),
  { { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Bea" } },
    { "addRecords", dataset(NEW), REPLACE, { "Num" } }, { "getChanges" }, { "rejectChanges" },
    { "getData" } })
case("many records with keys", { "data 6" }, filled(),
  { { "addRecords", dataset { whole(1, "a"), whole(2, "b"), whole(3, "c"), whole(4, "d"), whole(5, "e") },
    REPLACE, { "Num" } }, { "getData" } })
case("addRecords sorts", { "data 6" }, filled(),
  { { "setSortFields", { "Name" } }, { "addRecords", dataset { whole(7, "Al") }, APPEND }, { "getData" } })

-- ---- tables and before-image

case("addRecords to two tables", { "data 6" }, start "Family",
  { { "addRecords", dataset(NEW, { ttO = { { OrderNum = 1, CustNum = 9, Item = "x" } } }), APPEND },
    { "hasData" } })
case("addRecords to one of two tables", { "data 6" },
  start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "addRecords", { ttC = NEW }, MERGE, { ttC = { "Num" } } }, { "addRecords", { ttC = NEW }, EMPTY } })

local IMAGE = { ["prods:hasChanges"] = true, ["prods:before"] = { ttC = {
  { ["prods:id"] = "b", Num = 2, Name = "bob" },
  { ["prods:id"] = "c", ["prods:rowState"] = "deleted", Num = 3, Name = "Cy" } } } }
local CHANGED = { row(1, "Ann"), row(2, "Bea", { ["prods:id"] = "b", ["prods:rowState"] = "modified" }),
  row(4, "Dee", { ["prods:id"] = "d", ["prods:rowState"] = "created" }) }

case("addRecords with before-image", { "data 6", "data 9" }, start "Keyed",
  { { "addRecords", dataset(CHANGED, IMAGE), APPEND }, { "getChanges" }, { "rejectChanges" }, { "getData" } })
case("addRecords with before-image, accepted", { "data 6", "data 9" }, start "Keyed",
  { { "addRecords", dataset(CHANGED, IMAGE), EMPTY }, { "acceptChanges" }, { "getData" }, { "hasChanges" } })
case("addRecords with before-image against a change", { "data 6", "data 9" }, filled "Keyed",
  { { "find", say.where("Num", "=", 2) }, { "assign", { Name = "mine" } },
    { "addRecords", dataset(CHANGED, IMAGE), REPLACE, { "Num" } } })
case("addRecords with a state that is unknown", { "data 6", "data 9" }, start "Keyed",
  { { "addRecords", dataset({ row(1, "Ann", { ["prods:rowState"] = "odd", ["prods:id"] = "a" }) },
    { ["prods:hasChanges"] = true }), APPEND } })
case("a fill with before-image", { "data 9", "data 7.3" }, start("Keyed", dataset(CHANGED, IMAGE)),
  { { "getData" }, { "getChanges" }, { "hasChanges" }, { "rejectChanges" }, { "getData" } })
case("a fill with before-image, accepted", { "data 9", "data 7.3" }, start("Keyed", dataset(CHANGED, IMAGE)),
  { { "acceptChanges" }, { "getData" }, { "hasChanges" } })
case("a fill with before-image of an unknown state", { "data 9" }, start "Keyed",
  { resources.answers("Keyed", dataset({ row(1, "Ann", { ["prods:rowState"] = "odd", ["prods:id"] = "a" }) },
    { ["prods:hasChanges"] = true })), { "fill" } })
case("a fill with row errors", { "data 9", "data 19" }, start "Keyed",
  { resources.answers("Keyed", dataset({ row(1, "Ann", { ["prods:id"] = "a", ["prods:rowState"] = "modified",
    ["prods:hasErrors"] = true }) }, { ["prods:hasChanges"] = true, ["prods:hasErrors"] = true,
    ["prods:before"] = { ttC = { { ["prods:id"] = "a", Num = 1, Name = "An" } } },
    ["prods:errors"] = { ttC = { { ["prods:id"] = "a", ["prods:error"] = "Bad row" } } } })), { "fill" },
    { "getErrorString" }, { "getChanges" } })

-- ---- local storage

local function stored(name, before, steps)
  case(name, { "data 12" }, before, steps, { stored = true })
end

local function changed(resource)
  local steps = resource == "Temp" and start("Temp", { ttC = resources.rows() }) or filled(resource)
  for _, step in ipairs { { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Bea" } },
    { "find", say.where("Num", "=", 3) }, { "remove" }, { "add", { Num = 4, Name = "Dee" } } } do
    steps[#steps + 1] = step
  end
  return steps
end

-- Another data object of the resource reads the stored data.
local function stores(name, resource, steps)
  local all = { table.unpack(steps) }
  for _, step in ipairs { { "JSDO", resource, as = "k" }, { "readLocal", on = "k" },
    { "getData", on = resource == "Temp" and "k" or "k.ttC" }, { "hasChanges", on = "k" },
    { "getChanges", on = "k" }, { "rejectChanges", on = "k" },
    { "getData", on = resource == "Temp" and "k" or "k.ttC" } } do
    all[#all + 1] = step
  end
  stored(name, changed(resource), all)
end

stores("saveLocal and readLocal", "Keyed", { { "saveLocal" } })
stores("saveLocal of all data", "Keyed", { { "saveLocal", 1 } })
stores("saveLocal of changes", "Keyed", { { "saveLocal", 2 } })
stores("saveLocal of a temp-table", "Temp", { { "saveLocal" } })
stores("saveLocal twice", "Keyed", { { "saveLocal" }, { "acceptChanges" }, { "saveLocal" } })
stored("saveLocal by name", filled "Keyed",
  { { "saveLocal", "mine" }, { "saveLocal", "changes", 2 }, { "JSDO", "Keyed", as = "k" },
    { "readLocal", "mine", on = "k" }, { "getData", on = "k" }, { "readLocal", "changes", on = "k" },
    { "getData", on = "k" }, { "readLocal", on = "k" } })
case("saveLocal of two tables", { "data 12" },
  start("Family", dataset(resources.rows(), { ttO = resources.orders() })),
  { { "saveLocal" }, { "JSDO", "Family", as = "k" }, { "readLocal", on = "k" }, { "getData", on = "k.ttC" },
    { "hasData", on = "k" } })
stored("readLocal of nothing", filled "Keyed", { { "readLocal" }, { "readLocal", "none" },
  { "getData" } })
stored("readLocal replaces memory", filled "Keyed",
  { { "saveLocal" }, { "assign", { Name = "Eve" } }, { "add", { Num = 4 } }, { "readLocal" }, { "getData" },
    { "hasChanges" }, { "get", "record" } })
stored("readLocal of another resource's data", filled "Keyed",
  { { "saveLocal", "mine" }, { "JSDO", "Family", as = "k" }, { "readLocal", "mine", on = "k" } })
stored("deleteLocal", filled "Keyed",
  { { "saveLocal" }, { "deleteLocal" }, { "readLocal" }, { "deleteLocal" }, { "deleteLocal", "none" } })
stored("deleteLocal by name", filled "Keyed",
  { { "saveLocal", "mine" }, { "saveLocal" }, { "deleteLocal", "mine" }, { "readLocal", "mine" },
    { "readLocal" } })
stored("addLocalRecords", changed "Keyed",
  { { "saveLocal" }, { "JSDO", "Keyed", as = "k" },
    resources.answers("Keyed", dataset { row(1, "old"), row(2, "bob"), row(9, "Ida") }), { "fill", on = "k" },
    { "addLocalRecords", 4, on = "k" }, { "getData", on = "k" }, { "getChanges", on = "k" } })
stored("addLocalRecords by name and keys", filled "Keyed",
  { { "saveLocal", "mine" }, { "addRecords", {}, 2 }, { "addLocalRecords", "mine", 4, { "Name" } },
    { "getData" } })
stored("addLocalRecords of nothing", filled "Keyed", { { "addLocalRecords", "none", 4 } })
stored("mistakes with local storage", filled "Keyed",
  { { "saveLocal", 9 }, { "saveLocal", "a", 1, 2 }, { "saveLocal", true, 1 }, { "readLocal", 7 },
    { "readLocal", "a", "b" }, { "deleteLocal", 7 }, { "deleteLocal", "a", "b" }, { "addLocalRecords" },
    { "addLocalRecords", 3 }, { "addLocalRecords", "a", 1 } })

return cases
