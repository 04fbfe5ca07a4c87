-- Section 10 of data objects: the JSON Filter Pattern, count, plugins.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, answers, dataset = resources.start, resources.answers, resources.dataset

-- A fill of `resource` with each of the arguments.
local function asks(name, resource, ...)
  local steps = {}
  for _, argument in ipairs { ... } do
    steps[#steps + 1] = answers(resource, dataset(resources.rows()))
    steps[#steps + 1] = { "fill", argument }
  end
  case(name, { "data 10" }, start(resource), steps)
end

local function filter(field, operator, value)
  return { filter = { field = field, operator = operator, value = value } }
end

-- ---- operators

local OPERATORS = {
  { "eq", "Num", 3 }, { "neq", "Num", 3 }, { "gt", "Num", 3 }, { "gte", "Num", 3 }, { "lt", "Num", 3 },
  { "lte", "Num", 3 }, { "contains", "Name", "nn" }, { "doesnotcontain", "Name", "nn" },
  { "startswith", "Name", "A" }, { "endswith", "Name", "n" }, { "isnull", "Name" }, { "isnotnull", "Name" },
  { "isempty", "Name" }, { "isnotempty", "Name" }, { "eq", "Active", true }, { "eq", "Name", "Ann" },
  { "eq", "Limit", 3.5 }, { "eq", "Born", "2001-02-03" },
}
for _, one in ipairs(OPERATORS) do
  local operator, field, value = table.unpack(one)
  asks(("%s %s in ABL"):format(field, operator), "Abl", filter(field, operator, value))
  asks(("%s %s in SQL"):format(field, operator), "Sql", filter(field, operator, value))
end

asks("a quote in ABL", "Abl", filter("Name", "eq", "O'Brian"), filter("Name", "contains", "O'B"))
asks("a quote in SQL", "Sql", filter("Name", "eq", "O'Brian"), filter("Name", "contains", "O'B"))
asks("a tilde in ABL", "Abl", filter("Name", "eq", "a~b"))
asks("patterns in ABL", "Abl", filter("Name", "endswith", "a*b.c"))
asks("patterns in SQL", "Sql", filter("Name", "contains", "a%b_c"))
asks("null as a value in ABL", "Abl", filter("Name", "eq", say.null))
asks("an unknown operator", "Abl", filter("Name", "like", "x"))
asks("isempty of a number", "Abl", filter("Num", "isempty"))
asks("an unknown field in a filter", "Abl", filter("Nam", "eq", "x"))
asks("a filter without a field", "Abl", { filter = { operator = "eq", value = 1 } })
asks("a field in other letters in a filter", "Abl", filter("nAME", "eq", "x"))

-- ---- nesting

local function both(logic, ...)
  return { logic = logic, filters = { ... } }
end

local NUM, NAME = { field = "Num", operator = "gte", value = 3 },
  { field = "Name", operator = "contains", value = "O'B" }

for _, resource in ipairs { "Abl", "Sql" } do
  asks("and in " .. resource, resource, { filter = both("and", NUM, NAME) })
  asks("or in " .. resource, resource, { filter = both("or", NUM, NAME) })
  asks("nested filters in " .. resource, resource,
    { filter = both("and", NUM, both("or", NAME, NUM), both("or", NAME)) })
end
asks("a filter of one", "Abl", { filter = both("and", NUM) })
asks("a filter of none", "Abl", { filter = both("and") })
asks("a filter with an unknown logic", "Abl", { filter = both("xor", NUM, NAME) })

-- ---- the other options

asks("a filter as text", "Abl", { filter = "Num >= 3" })
asks("a filter as text in SQL", "Sql", { filter = "SELECT * FROM ttC" })
asks("text for a mapped fill", "Abl", "Num >= 3")
asks("a page", "Abl", { top = 10, skip = 20 })
asks("top alone", "Abl", { top = 10 })
asks("skip alone", "Abl", { skip = 10 })
asks("an id", "Abl", { id = "R1" })
asks("one field to sort by", "Abl", { sort = { { field = "Name" } } })
asks("fields to sort by", "Abl",
  { sort = { { field = "Name", dir = "desc" }, { field = "Num", dir = "asc" } } })
asks("fields to sort by as text", "Abl", { sort = { "Name:desc", "Num", "Limit:ASC", "Born:DESCENDING" } })
asks("one object to sort by", "Abl", { sort = { field = "Name", dir = "desc" } })
asks("no fields to sort by", "Abl", { sort = say.empty })
asks("everything at once", "Abl", { filter = both("or", NUM, NAME), top = 10, skip = 20, id = "R1",
  sort = { { field = "Name", dir = "desc" }, { field = "Num" } } })
asks("an empty object for a mapped fill", "Abl", {})
asks("an empty filter", "Abl", { filter = {} })
asks("undefined options", "Abl", { top = say.none, filter = say.none })
asks("options that mean nothing", "Abl", { colour = "red" })
asks("an option of the wrong type", "Abl", { top = "ten" })

asks("an option that lacks its capability", "Poor", { top = 10, skip = 0 }, { sort = { { field = "Name" } } },
  { id = "R1" })
asks("a filter with the only capability", "Poor", filter("Num", "eq", 1))

-- ---- several tables

asks("a filter without a table", "FamilyAbl", filter("Num", "eq", 1))
asks("a filter of a table", "FamilyAbl", { tableRef = "ttC", filter = NUM })
asks("a filter as text without a table", "FamilyAbl", { filter = "Num = 1" })
asks("a filter of an unknown table", "FamilyAbl", { tableRef = "ttX", filter = NUM })
asks("a sort of a table", "FamilyAbl", { tableRef = "ttC", sort = { "Name" } })
case("viewTables in a filter", { "data 3", "data 10" }, start "Abl",
  { { "set", "viewTables", "ttC,ttX" }, answers("Abl", dataset(resources.rows())), { "fill", { top = 1 } } })

-- ---- count

case("count", { "data 10", "data 13" }, start "Abl",
  { answers("Abl/count", '{"response":{"_retVal":"","numRecs":3}}'),
    { "operation", "count", { filter = '{"ablFilter":"Num > 1"}' } } })

-- ---- plugins

case("a plugin", { "data 10" }, start(),
  { { "addPlugin", "Both", say.plugin({ filter = "mapped" }, dataset { resources.row(7, "Gus") }) },
    { "JSDO", "MappedBoth" }, answers("MappedBoth", '{"rows":[]}'), { "fill", { filter = "x" } },
      { "getData" } })
case("a plugin that maps requests alone", { "data 10" }, start(),
  { { "addPlugin", "Request", say.plugin({ filter = "mapped" }) }, { "JSDO", "MappedRequest" },
    answers("MappedRequest", dataset(resources.rows())), { "fill", { filter = "x" } },
    answers("MappedRequest", dataset(resources.rows())), { "fill", "text" },
    answers("MappedRequest", dataset(resources.rows())), { "fill" } })
case("two plugins of one name", { "data 10" }, start(),
  { { "addPlugin", "Twice", say.plugin { filter = "a" } },
    { "addPlugin", "Twice", say.plugin { filter = "b" } } })
case("a plugin named like the one that is there", { "data 10" }, start(),
  { { "addPlugin", "JFP", say.plugin { filter = "a" } } })

return cases
