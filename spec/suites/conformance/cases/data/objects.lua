-- Sections 2 and 3 of data objects: constants, the constructor, properties.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, filled = resources.start, resources.filled

for _, name in ipairs { "MODE_APPEND", "MODE_EMPTY", "MODE_MERGE", "MODE_REPLACE", "ALL_DATA",
  "CHANGES_ONLY" } do
  case("the constant " .. name, { "data 2" }, {}, { { "constant", name } })
end

-- ---- the constructor

case("a data object by name", { "data 3" }, start(), { { "JSDO", "Plain" }, { "get", "name" } })
case("a data object by options", { "data 3" }, start(), { { "JSDO", { name = "Plain" } }, { "get", "name" } })
case("a data object of nothing", { "data 3" }, start(), { { "JSDO" } })
case("a data object of undefined", { "data 3" }, start(), { { "JSDO", say.none } })
case("a data object of options without a name", { "data 3" }, start(), { { "JSDO", { autoFill = false } } })
case("a data object of an empty name", { "data 3" }, start(), { { "JSDO", "" } })
case("a data object of a number", { "data 3" }, start(), { { "JSDO", 7 } })
case("a data object of an unknown resource", { "data 3" }, start(), { { "JSDO", "Plains" } })
case("a data object before its catalog", { "data 3" }, { { "new" }, { "login" } }, { { "JSDO", "Plain" } })
case("two data objects of one resource", { "data 3", "data 1" }, filled(),
  { { "JSDO", "Plain", as = "k" }, { "add", { Name = "Dee" }, on = "k" }, { "getData", on = "k" },
    { "getData" } })
case("a data object of a session that has logged out", { "data 3" }, start(),
  { { "logout" }, { "JSDO", "Plain" }, { "add", { Num = 4 } }, { "getData" } })
case("a data object with autoApplyChanges", { "data 3" }, start(),
  { { "JSDO", { name = "Plain", autoApplyChanges = false } }, { "get", "autoApplyChanges" } })
case("a data object without relations", { "data 3" }, start(),
  { { "JSDO", { name = "Family", useRelationships = false } }, { "get", "useRelationships" } })
case("a data object with autoSort and caseSensitive", { "data 3" }, start(),
  { { "JSDO", { name = "Plain", autoSort = false, caseSensitive = true } }, { "get", "autoSort" },
    { "get", "caseSensitive" } })
case("a data object that fills itself", { "data 3", "data 7.1" }, start(),
  { resources.answers("Plain", resources.dataset(resources.rows())),
    { "JSDO", { name = "Plain", autoFill = true } }, { "wait", 0.2 }, { "getData" } })

-- ---- events of the constructor

local function listeners(list)
  return { { "JSDO", { name = "Plain", events = list } } }
end

case("listeners of the constructor", { "data 3", "data 14" }, start(),
  { { "JSDO", { name = "Plain", events = { afterFill = { { fn = say.listener "one" },
    { fn = say.listener "two", scope = say.scope "here" } } } } },
    resources.answers("Plain", resources.dataset(resources.rows())), { "fill" } })
case("a listener of the constructor that is no array", { "data 3" }, start(),
  listeners { afterFill = { fn = say.listener "one" } })
case("a listener of the constructor without a function", { "data 3" }, start(),
  listeners { afterFill = { { scope = say.scope "here" } } })
case("a listener of the constructor whose function is text", { "data 3" }, start(),
  listeners { afterFill = { { fn = "one" } } })
case("a listener of the constructor whose scope is text", { "data 3" }, start(),
  listeners { afterFill = { { fn = say.listener "one", scope = "here" } } })
case("an unknown event of the constructor", { "data 3", "data 14" }, start(),
  listeners { afterFil = { { fn = say.listener "one" } } })

-- ---- properties

local DEFAULTS = { "name", "autoApplyChanges", "autoSort", "caseSensitive", "useRelationships",
  "hasCUDOperations", "hasSubmitOperation", "defaultTableRef", "record" }

for _, resource in ipairs { "Plain", "Temp", "Unnamed", "Family", "ReadOnly" } do
  local steps = {}
  for i, name in ipairs(DEFAULTS) do
    if name ~= "record" or resource ~= "Family" then steps[#steps + 1] = { "get", name } end
    if i == #DEFAULTS and resource ~= "Unnamed" then steps[#steps + 1] = { "get", "ttC" } end
  end
  case("the properties of " .. resource, { "data 3" }, start(resource), steps)
end

case("autoSort and caseSensitive reach the tables", { "data 3" }, start "Family",
  { { "set", "autoSort", false }, { "get", "autoSort", on = "j.ttC" }, { "get", "autoSort", on = "j.ttO" },
    { "set", "caseSensitive", true }, { "get", "caseSensitive", on = "j.ttC" },
    { "set", "autoSort", true, on = "j.ttC" }, { "get", "autoSort" } })
case("the fields of a table reference", { "data 3" }, filled(),
  { { "get", "Name", on = "j.ttC" }, { "set", "Name", "Eve", on = "j.ttC" }, { "get", "Name", on = "j.ttC" },
    { "get", "record" }, { "getChanges" } })
case("the fields of a table reference without a working record", { "data 3" }, start "Wide",
  { { "get", "Name", on = "j.ttC" }, { "get", "Sales_1", on = "j.ttC" } })
case("setting a field without a working record", { "data 3" }, start "Plain",
  { { "set", "Name", "Eve", on = "j.ttC" }, { "hasChanges" } })
case("the elements of an array field", { "data 3" },
  start("Wide", resources.dataset { resources.whole(1, "Ann") }),
  { { "get", "Sales_2", on = "j.ttC" }, { "set", "Sales_2", 7, on = "j.ttC" },
    { "get", "Sales", on = "j.ttC" }, { "getChanges" }, { "rejectChanges" },
    { "get", "Sales", on = "j.ttC" } })
case("a field that is null", { "data 3" },
  start("Plain", resources.dataset { resources.row(1, say.json, { Limit = 3 }) }),
  { { "get", "Name", on = "j.ttC" }, { "set", "Limit", say.null, on = "j.ttC" },
    { "get", "Limit", on = "j.ttC" }, { "getData" } })

-- ---- user properties

case("user properties", { "data 5" }, start "Plain",
  { { "setProperty", "colour", "red" }, { "getProperty", "colour" }, { "getProperty", "size" },
    { "getProperties" }, { "setProperties", { size = 3, shape = "round" } }, { "getProperties" },
    { "setProperty", "size", say.none }, { "getProperties" } })
case("a user property that is null", { "data 5" }, start "Plain",
  { { "setProperty", "colour", say.null }, { "getProperty", "colour" }, { "getProperties" } })
case("mistakes with user properties", { "data 5" }, start "Plain",
  { { "setProperty", "colour" }, { "setProperty", 7, "red" }, { "getProperty" }, { "getProperty", 7 },
    { "setProperties" }, { "setProperties", "red" }, { "getProperties", "red" } })
case("user properties are not sent", { "data 5" }, filled(),
  { { "setProperty", "colour", "red" }, { "add", { Num = 4 } }, resources.answers("Plain",
    resources.dataset { resources.row(4, "") }), { "saveChanges" } })

return cases
