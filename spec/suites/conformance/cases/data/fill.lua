-- Section 7 of data objects: fill, its forms, its answers, its failures.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)
local start, filled, row = resources.start, resources.filled, resources.row
local answers, dataset = resources.answers, resources.dataset

-- ---- what is asked

local function asks(name, resource, ...)
  local steps = {}
  for _, argument in ipairs { ... } do
    steps[#steps + 1] = answers(resource, dataset(resources.rows()))
    steps[#steps + 1] = { "fill", argument }
  end
  case(name, { "data 7.1" }, start(resource), steps)
end

asks("fill with text", "Plain", "Name = 'Ann'", "", "a&b=c %41 + ü/?")
asks("fill with undefined and null", "Plain", say.none, say.nothing)
case("read is fill", { "data 7.1" }, start "Plain",
  { answers("Plain", dataset(resources.rows())), { "read", "x" }, { "getData" } })
asks("fill with a function", "Plain", say.gives(1))
asks("fill with a number", "Plain", 7)
asks("fill with a boolean", "Plain", true)
asks("fill with an object and no mapping", "Plain", { filter = "x" }, {}, { other = "y" })
asks("fill with an object whose value is false or zero", "Plain", { filter = 0 }, { filter = false })
asks("fill with an object whose value is an object", "Plain", { filter = { a = 1 } })
asks("fill with an array", "Plain", { "x" })
case("fill with a template", { "data 7.1" }, start "Template",
  { answers("Template/vip", dataset(resources.rows())), { "fill", { kind = "vip", name = "A b", num = 3 } } })
case("fill with a template and a missing value", { "data 7.1" }, start "Template",
  { answers("Template/vip", dataset(resources.rows())), { "fill", { kind = "vip", num = 3 } } })
case("fill with a template and text", { "data 7.1" }, start "Template",
  { answers("Template/", dataset(resources.rows())), { "fill", "text" } })
case("fill with a template and nothing", { "data 7.1" }, start "Template",
  { answers("Template/", dataset(resources.rows())), { "fill" } })
case("fill without a read operation", { "data 7.1" }, start "NoRead", { { "fill" } })
case("fill with a mapping that is not there", { "data 7.1", "data 10" }, start "Strange", { { "fill", "x" },
  { "fill", { filter = "x" } } })
case("fill with capabilities and no mapping", { "data 7.1", "data 10" }, start "NoMapping",
  { { "fill", { filter = "x" } } })

-- ---- what comes

local function comes(name, resource, body, more, options)
  local steps = { answers(resource, body, options), { "fill" } }
  for _, step in ipairs(more or { { "getData", on = resource == "Unnamed" and "j" or "j.ttC" } }) do
    steps[#steps + 1] = step
  end
  case(name, { "data 7.3" }, start(resource), steps)
end

comes("an answer in a response", "Plain", { response = dataset(resources.rows()) })
comes("an answer without rows", "Plain", dataset {})
comes("an answer without its table", "Plain", '{"dsC":{}}')
comes("an answer without its dataset", "Plain", "{}")
comes("an answer of a table without its dataset", "Plain", { ttC = resources.rows() })
comes("an answer with another dataset", "Plain", { dsX = { ttC = resources.rows() } })
comes("an answer with an unknown field", "Plain", dataset { row(1, "Ann", { Extra = "x" }) })
comes("an answer with an unknown table", "Plain", '{"dsC":{"ttC":[{"Num":1}],"ttX":[{"Num":2}]}}')
comes("an answer with null in it", "Plain", '{"dsC":{"ttC":[{"Num":1,"Name":null}]}}')
comes("an answer whose table is null", "Plain", '{"dsC":{"ttC":null}}')
comes("an answer of a temp-table", "Temp", { ttC = resources.rows() })
comes("an answer of a temp-table as an array", "Temp", resources.rows())
comes("an answer of a temp-table without the table", "Temp", "{}")
comes("an answer of an unnamed table as an array", "Unnamed", resources.rows())
comes("an answer of an unnamed table as data", "Unnamed", { data = resources.rows() })
comes("an answer of an unnamed table as one object", "Unnamed", row(1, "Ann"))
comes("an answer with ids", "Keyed", dataset(resources.rows()), { { "getId" }, { "findById", "3" } })
comes("an answer with ids, one missing", "Keyed", '{"dsC":{"ttC":[{"Num":1},{"Name":"bob"}]}}')
comes("an answer with 201", "Plain", dataset(resources.rows()), nil, { status = 201 })
comes("an answer without JSON's content type", "Plain", dataset(resources.rows()), nil,
  { contentType = "text/plain" })

-- ---- a second fill

case("fill replaces memory", { "data 7.3" }, filled(),
  { answers("Plain", dataset { row(9, "Ida") }), { "fill" }, { "getData" }, { "get", "record" } })
case("fill drops changes", { "data 7.3" }, filled(),
  { { "assign", { Name = "Eve" } }, { "add", { Num = 4 } }, answers("Plain", dataset { row(9, "Ida") }),
    { "fill" }, { "hasChanges" }, { "getData" } })
case("fill with ids again", { "data 7.3" }, filled "Keyed",
  { answers("Keyed", dataset { row(2, "Bea") }), { "fill" }, { "findById", "1" }, { "findById", "2" } })

-- ---- mergeMode

local function mode(name, number, rows)
  case(name, { "data 7.1" }, filled(),
    { { "find", say.where("Num", "=", 2) }, { "assign", { Name = "Bea" } },
      answers("Plain", dataset(rows or { row(2, "Bob"), row(9, "Ida") })), { "fill", { mergeMode = number } },
      { "getData" }, { "getChanges" } })
end

mode("fill that appends", 1, { row(9, "Ida") })
mode("fill that appends what is there", 1)
mode("fill that empties", 2)
mode("fill that merges", 3)
mode("fill that replaces", 4)
case("fill with an unknown mergeMode", { "data 7.1" }, filled(),
  { { "fill", { mergeMode = 9 } }, answers("Plain", dataset { row(9, "Ida") }), { "fill" }, { "getData" } })
case("fill that merges two tables", { "data 7.1" }, start("Family", dataset(resources.rows(),
  { ttO = resources.orders() })),
  { answers("Family", dataset({ row(1, "Amy") }, { ttO = { { OrderNum = 31, CustNum = 3, Item = "bat" } } })),
    { "fill", { mergeMode = 4 } }, { "getData", on = "j.ttC" } })

-- ---- failures

local ERRORS = '{"_errors":[{"_errorMsg":"No such customer","_errorNum":7},'
  .. '{"_errorMsg":"Bad luck","_errorNum":8}]}'

local failures = {
  { "400 and errors", { status = 400 }, ERRORS },
  { "500 and errors", { status = 500 }, ERRORS },
  { "500 and a return value", { status = 500 },
    '{"_retVal":"sorry","_errors":[{"_errorMsg":"sorry","_errorNum":0}]}' },
  { "500 and 7243", { status = 500 },
    '{"_errors":[{"_errorMsg":"The Server application has returned an error. (7243)","_errorNum":7243},'
    .. '{"_errorMsg":"Bad luck","_errorNum":8}]}' },
  { "500 and 7243 alone", { status = 500 },
    '{"_errors":[{"_errorMsg":"The Server application has returned an error. (7243)","_errorNum":7243}]}' },
  { "500 and an array of errors", { status = 500 }, '[{"_retVal":"sorry"},' .. ERRORS .. "]" },
  { "500 and a page", { status = 500, contentType = "text/html" }, "<html>Oops</html>" },
  { "404 and nothing", { status = 404, contentType = "text/plain" }, "" },
  { "401 and a page", { status = 401, contentType = "text/html" }, "<html>Who?</html>" },
  { "403 and nothing", { status = 403, contentType = "text/plain" }, "" },
  { "503 and text", { status = 503, contentType = "text/plain" }, "later" },
}
for _, one in ipairs(failures) do
  case("fill answered with " .. one[1], { "data 7.3", "data 11" }, filled(),
    { { "add", { Num = 4 } }, answers("Plain", one[3], one[2]), { "fill" }, { "getData" },
      { "getErrors" }, answers("Plain", dataset { row(9, "Ida") }), { "fill" }, { "getErrors" } })
end

local faults = {
  { "a reset connection", { kind = "reset", count = 0 } },
  { "a closed connection", { kind = "close", count = 0 } },
  { "broken JSON", { kind = "malformed" } },
  { "a page", { kind = "html" } },
  { "the login page", { kind = "loginPage" } },
  { "nothing", { kind = "empty" } },
  { "204", { kind = "status", status = 204 } },
  { "an array of nothing", { kind = "status", status = 200, contentType = "application/json", body = "[]" } },
  { "null", { kind = "status", status = 200, contentType = "application/json", body = "null" } },
  { "a number", { kind = "status", status = 200, contentType = "application/json", body = "42" } },
  { "text", { kind = "status", status = 200, contentType = "application/json", body = '"42"' } },
}
for _, one in ipairs(faults) do
  case("fill met by " .. one[1], { "data 7.3", "data 16" }, filled(),
    { { "assign", { Name = "Eve" } }, resources.fails("Plain", one[2]), { "fill" }, { "getErrors" },
      { "hasChanges" } })
end
case("fill of a server that is away", { "data 7.3", "data 11" }, filled(),
  { { "stop" }, { "fill" }, { "getErrors" }, { "getData" }, { "start" },
    answers("Plain", dataset { row(9, "Ida") }), { "fill" }, { "getErrors" }, { "getData" } })
case("fill of a session that has logged out", { "data 7.3" }, filled(), { { "logout" }, { "fill" } })
case("fill of a session that has expired", { "data 7.3", "data 11" }, filled(),
  { { "expireSessions" }, { "fill" } }, { model = "form" })

-- ---- two at once

case("two fills at once, the older answered last", { "data 7.3" }, start "Plain",
  { answers("Plain", dataset { row(1, "old") }, { delay = 0.4 }), { "fill", "old", later = "old" },
    { "arrived", 1 }, answers("Plain", dataset { row(2, "new") }, { delay = 0.1 }),
    { "fill", "new", later = "new" },
    { "await", "new" }, { "await", "old" }, { "getData" } })
case("a change made while a fill is under way", { "data 7.3" }, filled(),
  { answers("Plain", dataset { row(1, "new") }, { delay = 0.3 }), { "fill", later = "fill" },
    { "arrived", 1 }, { "assign", { Name = "mine" } }, { "await", "fill" }, { "getData" },
    { "hasChanges" } })

return cases
