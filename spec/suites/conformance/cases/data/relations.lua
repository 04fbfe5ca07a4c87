-- Section 5 of data objects: relations of tables.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, dataset = resources.start, resources.dataset

local function family(options)
  return start(options or "Family", dataset(resources.rows(), { ttO = resources.orders() }))
end

local CHILDREN = { "getData", on = "j.ttO" }

case("children follow their parent", { "data 5" }, family(),
  { CHILDREN, { "find", say.where("Num", "=", 2), on = "j.ttC" }, CHILDREN,
    { "get", "record", on = "j.ttO" }, { "find", say.where("Num", "=", 3), on = "j.ttC" }, CHILDREN,
    { "get", "record", on = "j.ttO" } })
case("children without a parent", { "data 5" }, family(),
  { { "find", say.where("Num", "=", 9), on = "j.ttC" }, CHILDREN, { "add", { Item = "x" }, on = "j.ttO" },
    { "foreach", say.notes "Item", on = "j.ttO" }, { "find", say.where("OrderNum", "=", 11), on = "j.ttO" } })
case("foreach and find among children", { "data 5" }, family(),
  { { "foreach", say.notes "Item", on = "j.ttO" },
    { "find", say.where("OrderNum", "=", 21), on = "j.ttO" },
    { "find", say.where("OrderNum", "=", 12), on = "j.ttO" } })
case("add a child", { "data 5" }, family(),
  { { "find", say.where("Num", "=", 2), on = "j.ttC" }, { "add", { Item = "bat" }, on = "j.ttO" }, CHILDREN,
    { "getChanges" } })
case("add a child with another parent", { "data 5" }, family(),
  { { "add", { Item = "bat", CustNum = 3 }, on = "j.ttO" }, CHILDREN })
case("add a parent, then a child", { "data 5" }, family(),
  { { "add", { Num = 4, Name = "Dee" }, on = "j.ttC" }, { "get", "record", on = "j.ttO" }, CHILDREN,
    { "add", { Item = "bat" }, on = "j.ttO" }, CHILDREN, { "getChanges" } })
case("foreach moves the children", { "data 5" }, family(),
  { { "foreach", say.notes "Name", on = "j.ttC" }, { "get", "record", on = "j.ttO" }, CHILDREN })
case("remove a parent", { "data 5" }, family(), { { "remove", on = "j.ttC" }, CHILDREN,
  { "get", "record", on = "j.ttO" } })
case("remove a child", { "data 5" }, family(), { { "remove", on = "j.ttO" }, CHILDREN, { "hasChanges" },
  { "rejectChanges" }, { "find", say.where("Num", "=", 1), on = "j.ttC" }, CHILDREN })
case("relations turned off", { "data 5" }, family(),
  { { "set", "useRelationships", false }, CHILDREN, { "find", say.where("OrderNum", "=", 21), on = "j.ttO" },
    { "add", { Item = "bat" }, on = "j.ttO" }, { "set", "useRelationships", true }, CHILDREN })
case("relations turned off from the start", { "data 5" },
  family { name = "Family", useRelationships = false },
  { { "get", "record", on = "j.ttO" }, CHILDREN, { "find", say.where("Num", "=", 2), on = "j.ttC" },
    { "get", "record", on = "j.ttO" } })
case("a change of the parent's key", { "data 5" }, family(),
  { { "assign", { Num = 7 }, on = "j.ttC" }, CHILDREN })
case("tables without relations", { "data 5" }, family "Two",
  { CHILDREN, { "find", say.where("Num", "=", 2), on = "j.ttC" }, CHILDREN,
    { "add", { Item = "bat" }, on = "j.ttO" }, { "get", "record", on = "j.ttO" } })
case("hasData and hasChanges of two tables", { "data 5" }, family(),
  { { "hasData" }, { "hasData", on = "j.ttO" }, { "assign", { Item = "x" }, on = "j.ttO" }, { "hasChanges" },
    { "hasChanges", on = "j.ttC" }, { "hasChanges", on = "j.ttO" }, { "acceptChanges", on = "j.ttC" },
    { "hasChanges" } })
case("getChanges of two tables", { "data 5" }, family(),
  { { "assign", { Item = "x" }, on = "j.ttO" }, { "assign", { Name = "Eve" }, on = "j.ttC" },
    { "getChanges" }, { "getChanges", on = "j.ttO" } })
case("findById moves the children", { "data 5" }, family(),
  { { "find", say.where("Num", "=", 2), on = "j.ttC" }, { "findById", "none", on = "j.ttC" },
    { "get", "record", on = "j.ttO" } })

-- ---- nested answers

local function nested(num, name, ...)
  return resources.row(num, name, { ttO = { ... } })
end

local NESTED = dataset { nested(1, "Ann", { OrderNum = 11, CustNum = 1, Item = "ski" },
  { OrderNum = 12, CustNum = 1, Item = "pole" }), resources.row(2, "bob"),
  nested(3, "Cy", { OrderNum = 31, CustNum = 3, Item = "bat" }) }

case("a nested answer", { "data 7.3" }, start("Nested", NESTED),
  { { "getData", on = "j.ttC" }, CHILDREN, { "find", say.where("Num", "=", 3), on = "j.ttC" }, CHILDREN,
    { "getSchema", on = "j.ttC" } })
case("a nested answer, then a child", { "data 7.3" }, start("Nested", NESTED),
  { { "find", say.where("Num", "=", 2), on = "j.ttC" }, { "add", { Item = "net" }, on = "j.ttO" }, CHILDREN })

return cases
