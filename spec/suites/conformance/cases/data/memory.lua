-- Sections 4 and 5 of data objects: records, changes in memory, undoing them.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, filled, row = resources.start, resources.filled, resources.row

-- ---- add

case("add without values", { "data 4", "data 5" }, start "Plain",
  { { "add", as = "r" }, { "get", "record" }, { "getData" }, { "getChanges" },
    { "field", "Limit", on = "r" } })
case("add with values", { "data 5" }, filled(), { { "add", { Num = 4, Name = "Dee", Limit = 2 } },
  { "getChanges" }, { "hasChanges" } })
case("create is add", { "data 5" }, filled(), { { "create", { Num = 4, Name = "Dee" } }, { "getChanges" } })
case("add on the table reference", { "data 5" }, filled(),
  { { "add", { Num = 4, Name = "Dee" }, on = "j.ttC" }, { "get", "record", on = "j.ttC" } })
local function wide()
  return start("Wide", resources.dataset { resources.whole(1, "Ann") })
end

case("add with a whole array", { "data 4" }, start "Wide", { { "add", { Num = 4, Sales = { 7, 8, 9 },
  Since = "x", Until = "y" } } })
case("add with elements of an array", { "data 4" }, start "Wide",
  { { "add", { Num = 4, Since = "x", Until = "y", Sales_2 = 8 } }, { "getData" } })
case("dates by default", { "data 4" }, start "Wide",
  { { "add", { Num = 4 } }, { "getData" } })
case("add with null", { "data 4" }, start "Plain",
  { { "add", { Num = 4, Name = say.null } }, { "getData" } })
case("add with a record that was read before", { "data 5" }, filled(),
  { { "add", { Num = 1, Name = "Ann" } }, { "getData" } })
case("add an unknown name", { "data 5" }, filled(), { { "add", { Num = 4, Namme = "Dee" } } })
case("add in a temp-table", { "data 5" }, start "Temp",
  { { "add", { Num = 4, Name = "Dee" } }, { "getData" } })
case("add in an unnamed table", { "data 5" }, start "Unnamed",
  { { "add", { Num = 4, Name = "Dee" } }, { "getData" }, { "getChanges" } })
case("add twice, then list the changes", { "data 5" }, start "Plain",
  { { "add", { Num = 4 } }, { "add", { Num = 5 } }, { "getChanges" }, { "getData" } })

-- ---- assign

case("assign to the working record", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "getData" }, { "getChanges" }, { "hasChanges" } })
case("update is assign", { "data 5" }, filled(), { { "update", { Name = "Eve", Limit = 3 } } })
case("assign to a record that was found", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2), as = "r" }, { "assign", { Name = "Eve" }, on = "r" },
    { "field", "Name", on = "r" }, { "update", { Name = "Flo" }, on = "r" }, { "getChanges" } })
case("assign twice keeps the oldest", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "assign", { Name = "Flo", Limit = 1 } }, { "getChanges" },
    { "rejectChanges" }, { "getData" } })
case("assign nothing", { "data 5" }, filled(), { { "assign" }, { "assign", say.none } })
case("assign an empty object", { "data 5" }, filled(), { { "assign", {} }, { "hasChanges" } })
case("assign the value that is there", { "data 5" }, filled(),
  { { "assign", { Name = "Ann" } }, { "hasChanges" }, { "getChanges" } })
case("assign without a working record", { "data 5" }, start "Plain", { { "assign", { Name = "Eve" } } })
case("assign an unknown name", { "data 5" }, filled(), { { "assign", { Namme = "Eve" } }, { "getData" } })
case("assign text to numbers", { "data 4" }, filled(),
  { { "assign", { Num = "12", Limit = "3.5" } }, { "getData" } })
case("assign text that is no number", { "data 4" }, filled(),
  { { "assign", { Num = "12 apples" } }, { "getData" } })
case("assign text to a boolean", { "data 4" }, filled(), { { "assign", { Active = "true" } }, { "getData" } })
case("assign text to an array", { "data 4" }, wide(),
  { { "assign", { Sales = "[4,5,6]" } }, { "getData" } })
case("assign an array", { "data 4" }, wide(), { { "assign", { Sales = { 4, 5, 6 } } }, { "getData" } })
case("assign an element of an array", { "data 4" },
  wide(),
  { { "assign", { Sales_2 = 9 } }, { "getData" }, { "getChanges" }, { "rejectChanges" }, { "getData" } })
case("assign null", { "data 4" }, filled(), { { "assign", { Name = say.null } }, { "getData" },
  { "getChanges" } })
case("assign values of the wrong type", { "data 4" }, filled(),
  { { "assign", { Name = 7, Limit = true } }, { "getData" } })

-- ---- remove

case("remove the working record", { "data 5" }, filled(),
  { { "remove" }, { "get", "record" }, { "getData" }, { "getChanges" }, { "hasData" } })
case("remove without a working record", { "data 5" }, filled(), { { "remove" }, { "remove" } })
case("remove a record that was found", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2), as = "r" }, { "remove", on = "r" }, { "getData" } })
case("remove all", { "data 5" }, filled(),
  { { "remove" }, { "find", say.where("Num", "=", 2) }, { "remove" }, { "find", say.where("Num", "=", 3) },
    { "remove" }, { "getData" }, { "hasData" }, { "getChanges" } })
case("add, then remove", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "remove" }, { "getData" }, { "getChanges" }, { "hasChanges" } })
case("assign, then remove", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "remove" }, { "getChanges" }, { "hasChanges" } })

-- ---- undo

case("reject an add", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "rejectChanges" }, { "getData" }, { "hasChanges" }, { "getChanges" } })
case("reject an assign", { "data 5" }, filled(),
  { { "assign", { Name = "Eve", Limit = 7 } }, { "rejectChanges" }, { "getData" }, { "hasChanges" } })
case("reject a remove", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2) }, { "remove" }, { "rejectChanges" }, { "getData" },
    { "hasChanges" } })
case("reject removes of neighbours", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 1) }, { "remove" }, { "find", say.where("Num", "=", 2) }, { "remove" },
    { "find", say.where("Num", "=", 3) }, { "remove" }, { "rejectChanges" }, { "getData" } })
case("reject an assign and a remove of one record", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "remove" }, { "rejectChanges" }, { "getData" }, { "hasChanges" } })
case("reject an add and a remove of one record", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "remove" }, { "rejectChanges" }, { "getData" }, { "hasChanges" } })
case("reject everything at once", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Eve" } },
    { "find", say.where("Num", "=", 3) }, { "remove" }, { "rejectChanges" }, { "getData" },
    { "hasChanges" } })
case("accept an add", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "acceptChanges" }, { "getData" }, { "hasChanges" }, { "rejectChanges" },
    { "getData" } })
case("accept an assign", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "acceptChanges" }, { "hasChanges" }, { "rejectChanges" },
    { "getData" } })
case("accept a remove", { "data 5" }, filled(),
  { { "remove" }, { "acceptChanges" }, { "hasChanges" }, { "rejectChanges" }, { "getData" } })
case("accept on the table reference", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "acceptChanges", on = "j.ttC" }, { "hasChanges", on = "j.ttC" } })
case("reject on the table reference", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "rejectChanges", on = "j.ttC" }, { "getData", on = "j.ttC" } })
case("accept one row", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Flo" } },
    { "acceptRowChanges" }, { "getChanges" }, { "rejectChanges" }, { "getData" } })
case("reject one row", { "data 5" }, filled(),
  { { "assign", { Name = "Eve" } }, { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Flo" } },
    { "rejectRowChanges" }, { "getChanges" }, { "getData" } })
case("reject one row that was added", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "rejectRowChanges" }, { "getData" }, { "hasChanges" } })
case("accept one row that was added", { "data 5" }, filled(),
  { { "add", { Num = 4 } }, { "acceptRowChanges" }, { "getData" }, { "hasChanges" } })
case("reject one row that was removed", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2), as = "r" }, { "remove", on = "r" }, { "rejectRowChanges", on = "r" },
    { "getData" }, { "hasChanges" } })
case("accept one row that was removed", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2), as = "r" }, { "remove", on = "r" }, { "acceptRowChanges", on = "r" },
    { "getData" }, { "hasChanges" } })
case("row changes of a record", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2), as = "r" }, { "assign", { Name = "Flo" }, on = "r" },
    { "rejectRowChanges", on = "r" }, { "getData" }, { "assign", { Name = "Gus" }, on = "r" },
    { "acceptRowChanges", on = "r" }, { "getData" }, { "hasChanges" } })
case("row changes without a working record", { "data 5" }, start "Plain",
  { { "acceptRowChanges" }, { "rejectRowChanges" } })
case("row changes of a record without any", { "data 5" }, filled(),
  { { "acceptRowChanges" }, { "rejectRowChanges" }, { "getData" } })
case("nothing to accept or reject", { "data 5" }, filled(), { { "acceptChanges" }, { "rejectChanges" },
  { "getData" } })

-- ---- looking

case("find", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2) }, { "get", "record" }, { "find", say.where("Num", "=", 9) },
    { "get", "record" } })
case("find in no records", { "data 5" }, start "Plain", { { "find", say.where("Num", "=", 2) } })
case("find without a function", { "data 5" }, filled(), { { "find" }, { "find", 7 } })
case("find with a function that gives no boolean", { "data 5" }, filled(),
  { { "find", say.gives(1) }, { "find", say.gives(say.none) }, { "find", say.gives "yes" } })
case("find with a function that fails", { "data 5" }, filled(),
  { { "find", say.fails }, { "get", "record" } })
case("findById", { "data 5" }, filled "Keyed",
  { { "findById", "2" }, { "get", "record" }, { "getId" }, { "findById", "9" }, { "get", "record" },
    { "getId" } })
case("findById without an argument", { "data 5" }, filled "Keyed", { { "findById" } })
case("findById of what was removed", { "data 5" }, filled "Keyed",
  { { "findById", "2" }, { "remove" }, { "findById", "2" }, { "rejectChanges" }, { "findById", "2" } })
case("findById of what was added", { "data 4" }, filled "Keyed",
  { { "add", { Num = 4 } }, { "getId" }, { "findById", "4" } })
case("findById after ids were made", { "data 4" }, filled(), { { "getId" }, { "findById", "2" } })
case("foreach", { "data 5" }, filled(), { { "foreach", say.notes "Name" }, { "get", "record" } })
case("foreach that stops", { "data 5" }, filled(),
  { { "foreach", say.notes("Num", 2, false) }, { "get", "record" } })
case("foreach that stops at null", { "data 5" }, filled(),
  { { "foreach", say.notes("Num", 2, say.nothing) } })
case("foreach that stops at 0", { "data 5" }, filled(), { { "foreach", say.notes("Num", 2, 0) } })
case("foreach that gives true", { "data 5" }, filled(), { { "foreach", say.notes("Num", 2, true) } })
case("foreach without a function", { "data 5" }, filled(), { { "foreach" }, { "foreach", "Name" } })
case("foreach after a remove", { "data 5" }, filled(),
  { { "find", say.where("Num", "=", 2) }, { "remove" }, { "foreach", say.notes "Name" } })
case("foreach over no records", { "data 5" }, start "Plain", { { "foreach", say.notes "Name" } })
case("getId and getErrorString without a working record", { "data 5" }, start "Plain",
  { { "getId" }, { "getErrorString" } })
case("getId and getErrorString of a record", { "data 5" }, filled "Keyed",
  { { "getId" }, { "getErrorString" }, { "find", say.where("Num", "=", 3), as = "r" },
    { "getId", on = "r" }, { "getErrorString", on = "r" } })
case("the schema", { "data 5" }, start "Plain", { { "getSchema" }, { "getSchema", on = "j.ttC" } })
case("the schemas of two tables", { "data 5" }, start "Family",
  { { "getSchema", on = "j.ttO" }, { "getSchema" } })
case("hasData of an empty object", { "data 5" }, start "Plain",
  { { "hasData" }, { "hasChanges" }, { "getChanges" }, { "getData" } })

-- ---- several tables

local NEEDS_TABLE = { { "add", { Num = 1 } }, { "assign", { Num = 1 } }, { "remove" },
  { "find", say.where("Num", "=", 1) }, { "findById", "1" }, { "foreach", say.notes "Num" }, { "getData" },
  { "getSchema" }, { "getId" }, { "getErrorString" }, { "getErrors" }, { "setSortFields", { "Num" } },
  { "setSortFn", say.compares "Num" }, { "sort", { "Num" } }, { "acceptRowChanges" }, { "rejectRowChanges" } }
case("methods that need a table", { "data 3" }, start "Family", NEEDS_TABLE)

-- ---- getData

local unsorted = resources.dataset { row(3, "Cy"), row(1, "Ann"), row(4, "ann"), row(2, "bob") }
case("getData sorted", { "data 5" }, start("Plain", unsorted),
  { { "getData", { sort = { { field = "Name", dir = "asc" } } } },
    { "getData", { sort = { { field = "Name", dir = "desc" }, { field = "Num", dir = "desc" } } } },
    { "getData" } })
case("a page of getData", { "data 5" }, start("Plain", unsorted),
  { { "getData", { top = 2 } }, { "getData", { top = 2, skip = 1 } }, { "getData", { top = 9, skip = 3 } },
    { "getData", { sort = { { field = "Num" } }, top = 1, skip = 1 } } })
case("getData with skip alone", { "data 5" }, start("Plain", unsorted), { { "getData", { skip = 2 } } })
case("getData with a filter", { "data 5" }, start("Plain", unsorted),
  { { "getData", { filter = { field = "Num", operator = "eq", value = 1 } } } })
case("getData sorted by an unknown field", { "data 5" }, start("Plain", unsorted),
  { { "getData", { sort = { { field = "Nam" } } } } })
case("getData sorted after a remove", { "data 5" }, start("Plain", unsorted),
  { { "remove" }, { "getData", { sort = { { field = "Num" } } } }, { "getData", { top = 1 } } })

return cases
