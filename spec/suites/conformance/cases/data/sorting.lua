-- Section 5 of data objects: sorting.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local row = resources.row

local function unsorted()
  return resources.start("Plain", resources.dataset { row(3, "Cy"), row(1, "Ann"), row(4, "ann"),
    row(2, "bob") })
end

case("sort by a field", { "data 5" }, unsorted(), { { "sort", { "Num" } }, { "getData" } })
case("sort on the table reference", { "data 5" }, unsorted(), { { "sort", { "Num" }, on = "j.ttC" } })
case("sort downwards", { "data 5" }, unsorted(),
  { { "sort", { "Num:DESC" } }, { "sort", { "Num:ASC" } }, { "sort", { "Num:descending" } },
    { "sort", { "Num:ascending" } } })
case("sort by two fields", { "data 5" }, unsorted(), { { "sort", { "Name", "Num:DESC" } }, { "getData" } })
case("sort by a field in other letters", { "data 5" }, unsorted(), { { "sort", { "nAME" } } })
case("sort keeps the order of equals", { "data 5" }, unsorted(), { { "sort", { "Name" } } })
case("sort with letters that count", { "data 5" }, unsorted(),
  { { "set", "caseSensitive", true }, { "sort", { "Name" } }, { "getData" } })
case("sort by a function", { "data 5" }, unsorted(), { { "sort", say.compares "Num" }, { "getData" } })
case("sort by a function downwards", { "data 5" }, unsorted(), { { "sort", say.compares("Num", -1) } })
case("sort by text", { "data 5" }, unsorted(), { { "sort", "Num" } })
case("sort by nothing", { "data 5" }, unsorted(), { { "sort" }, { "sort", say.nothing } })
case("sort by a number", { "data 5" }, unsorted(), { { "sort", 7 }, { "sort", { 7 } } })
case("sort in an unknown direction", { "data 5" }, unsorted(), { { "sort", { "Num:UP" } } })
case("sort by an unknown field", { "data 5" }, unsorted(), { { "sort", { "Nam" } } })
case("sort by an array field", { "data 5" }, resources.start "Wide", { { "sort", { "Sales" } } })
case("sort with null", { "data 5" }, resources.start("Plain", resources.dataset { row(3, "Cy"),
  row(1, say.json), row(4, "ann"), row(2, say.json) }), { { "sort", { "Name" } }, { "getData" } })
case("sort does not outlast a change", { "data 5" }, unsorted(),
  { { "sort", { "Num" } }, { "add", { Num = 0 } }, { "getData" } })

case("setSortFields sorts what comes", { "data 5", "data 7.3" }, resources.start "Plain",
  { { "setSortFields", { "Num" } }, resources.answers("Plain", resources.dataset { row(3, "Cy"),
    row(1, "Ann"), row(2, "bob") }), { "fill" }, { "getData" } })
case("setSortFields sorts what is added", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "getData" }, { "add", { Num = 0 } }, { "getData" },
    { "add", { Num = 9 } }, { "getData" } })
case("setSortFields sorts what is assigned", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "find", say.where("Num", "=", 1) }, { "assign", { Num = 8 } },
    { "getData" } })
case("setSortFields, then a field of the table reference", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "find", say.where("Num", "=", 1) },
    { "set", "Num", 8, on = "j.ttC" }, { "getData" } })
case("setSortFields taken back", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "setSortFields", say.nothing }, { "add", { Num = 0 } }, { "getData" } })
case("setSortFields and autoSort off", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "set", "autoSort", false }, { "add", { Num = 0 } }, { "getData" },
    { "set", "autoSort", true }, { "getData" } })
case("mistakes in setSortFields", { "data 5" }, unsorted(),
  { { "setSortFields" }, { "setSortFields", "Num" }, { "setSortFields", 7 }, { "setSortFields", { "Nam" } },
    { "setSortFields", { "Num:UP" } } })
case("setSortFields of an array field", { "data 5" }, resources.start "Wide",
  { { "setSortFields", { "Sales" } } })
case("setSortFn sorts what is added", { "data 5" }, unsorted(),
  { { "setSortFn", say.compares("Num", -1) }, { "getData" }, { "add", { Num = 0 } }, { "getData" } })
case("setSortFn wins over fields", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "setSortFn", say.compares("Num", -1) }, { "getData" },
    { "setSortFn", say.nothing }, { "getData" } })
case("mistakes in setSortFn", { "data 5" }, unsorted(),
  { { "setSortFn" }, { "setSortFn", { "Num" } }, { "setSortFn", "Num" } })
case("caseSensitive sorts anew", { "data 5" }, unsorted(),
  { { "setSortFields", { "Name" } }, { "set", "caseSensitive", true }, { "getData" } })
case("a reject of what was sorted", { "data 5" }, unsorted(),
  { { "setSortFields", { "Num" } }, { "find", say.where("Num", "=", 1) }, { "assign", { Num = 8 } },
    { "rejectChanges" }, { "getData" } })

return cases
