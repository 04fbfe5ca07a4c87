--- The catalog of the cases about data objects, and the answers of its service. The sandbox gives both as
-- faults, so each case says what the server answers.
local json = require "datasession.sandbox.json"

local list, ordered = json.list, json.ordered

local resources = { list = list }

local SERVICE = "/rest/DataService/"
local TYPE = "application/json"
local BOTH = "REQUEST_BODY,RESPONSE_BODY"

-- ---- schemas

local function field(name, kind, abl, default, more)
  local members = { { "type", kind }, { "ablType", abl }, { "default", default } }
  for key, value in pairs(more or {}) do members[#members + 1] = { key, value } end
  members[#members + 1] = { "title", name }
  return { name, ordered(members) }
end

local function customerFields()
  return {
    field("Num", "integer", "INTEGER", 0),
    field("Name", "string", "CHARACTER", ""),
    field("Limit", "number", "DECIMAL", 100.5),
    field("Active", "boolean", "LOGICAL", false),
    field("Born", "string", "DATE", json.null, { format = "date" }),
  }
end

local function wideFields()
  local fields = customerFields()
  table.move({
    { "Sales", ordered { { "type", "array" }, { "ablType", "DECIMAL" }, { "maxItems", 3 },
      { "items", ordered { { "type", "number" } } }, { "default", 0 } } },
    field("Since", "string", "DATETIME", "NOW", { format = "date-time" }),
    field("Until", "string", "DATE", "TODAY", { format = "date" }),
  }, 1, 3, #fields + 1, fields)
  return fields
end

local function orderFields()
  return {
    field("OrderNum", "integer", "INTEGER", 0),
    field("CustNum", "integer", "INTEGER", 0),
    field("Item", "string", "CHARACTER", "ball"),
  }
end

local function rowSchema(fields)
  local properties = { { "_id", ordered { { "type", "string" } } } }
  for _, one in ipairs(fields) do properties[#properties + 1] = one end
  return ordered { { "additionalProperties", false }, { "properties", ordered(properties) } }
end

local function tableSchema(fields, key, idProperty)
  local members = { { "type", "array" }, { "primaryKey", list { key } } }
  if idProperty then members[#members + 1] = { "idProperty", idProperty } end
  members[#members + 1] = { "items", rowSchema(fields) }
  return ordered(members)
end

local function dataset(name, tables)
  return ordered { { "type", "object" }, { "properties", ordered { { name,
    ordered { { "type", "object" }, { "properties", ordered(tables) } } } } } }
end

local function customers(idProperty, fields)
  return { "ttC", tableSchema(fields or customerFields(), "Num", idProperty) }
end

-- ---- operations

local function param(name, kind, xType)
  return ordered { { "name", name }, { "type", kind }, { "xType", xType } }
end

local function operation(kind, verb, path, params, more)
  local members = { { "type", kind }, { "verb", verb }, { "path", path } }
  for _, one in ipairs(more or {}) do members[#members + 1] = one end
  members[#members + 1] = { "params", list(params) }
  return ordered(members)
end

local function read(output, more)
  return operation("read", "get", "?filter={filter}",
    { param("filter", "QUERY", "CHARACTER"), param(output[1], "RESPONSE_BODY", output[2]) }, more)
end

local function changes(output, more)
  local made = {}
  for i, both in ipairs { { "create", "post" }, { "update", "put" }, { "delete", "delete" } } do
    made[i] = operation(both[1], both[2], "", { param(output[1], BOTH, output[2]) }, more)
  end
  return made
end

local function submit(output)
  return operation("submit", "put", "/Submit", { param(output[1], BOTH, output[2]) })
end

local function invoke(name, path, params, more)
  local members = { { "name", name } }
  for _, one in ipairs(more or {}) do members[#members + 1] = one end
  return operation("invoke", "put", path, params, members)
end

local function invokes()
  return {
    invoke("Ping", "/Ping", {}),
    invoke("Raise", "/Raise", { param("num", "REQUEST_BODY", "INTEGER"),
      param("amount", "REQUEST_BODY", "DECIMAL"), param("limit", "RESPONSE_BODY", "DECIMAL") }),
    invoke("Look", "/Look/{kind}?place={place}", { param("kind", "PATH", "CHARACTER"),
      param("place", "QUERY", "CHARACTER") }),
    invoke("Matrix", "/Matrix;num={num}", { param("num", "MATRIX", "INTEGER") }),
    invoke("Send", "/Send", { param("dsC", "REQUEST_BODY", "DATASET") }),
    invoke("Best", "/Best", { param("dsC", "RESPONSE_BODY", "DATASET") }),
    invoke("More", "/More", { param("dsC", "RESPONSE_BODY", "DATASET") }, { { "mergeMode", "APPEND" } }),
    invoke("Merge", "/Merge", { param("dsC", "RESPONSE_BODY", "DATASET") }, { { "mergeMode", "MERGE" } }),
    operation("count", "put", "/count?filter={filter}", { param("filter", "QUERY", "CHARACTER"),
      param("numRecs", "RESPONSE_BODY", "INTEGER") }, { { "name", "count" } }),
  }
end

local function all(...)
  local made = {}
  for _, one in ipairs { ... } do
    if getmetatable(one) then made[#made + 1] = one else table.move(one, 1, #one, #made + 1, made) end
  end
  return list(made)
end

-- ---- resources

local DATASET, TABLE = { "dsC", "DATASET" }, { "ttC", "TABLE" }
local IMAGE = { { "useBeforeImage", true } }
local JFP = { { "mappingType", "JFP" }, { "capabilities", "ablFilter,top,skip,id,orderBy" } }
local SQL = { { "mappingType", "JFP" }, { "capabilities", "sqlQuery,top,skip,id,orderBy" } }

local function resource(name, schema, operations, more)
  local members = { { "name", name }, { "path", "/" .. name } }
  for _, one in ipairs(more or {}) do members[#members + 1] = one end
  members[#members + 1] = { "schema", schema }
  members[#members + 1] = { "operations", operations }
  return ordered(members)
end

local function family()
  return dataset("dsC", { { "ttC", tableSchema(customerFields(), "Num") },
    { "ttO", tableSchema(orderFields(), "OrderNum") } })
end

local function nested()
  local fields = customerFields()
  fields[#fields + 1] = { "ttO", ordered { { "type", "array" },
    { "items", ordered { { "$ref", "#/properties/dsC/properties/ttO" } } } } }
  return dataset("dsC", { { "ttC", tableSchema(fields, "Num") },
    { "ttO", tableSchema(orderFields(), "OrderNum") } })
end

-- Names of fields in a relation are in any case.
local RELATIONS = { { "relations", list { ordered { { "relationName", "r" }, { "parentName", "ttC" },
  { "childName", "ttO" }, { "relationFields", list { ordered { { "parentFieldName", "NUM" },
    { "childFieldName", "custNum" } } } } } } } }

local function temp(idProperty)
  return ordered { { "type", "object" }, { "properties", ordered {
    { "ttC", tableSchema(customerFields(), "Num", idProperty) } } } }
end

local function unnamed()
  return ordered { { "type", "object" }, { "properties", rowSchema(customerFields())[2][2] } }
end

local made = list {
  -- a dataset of one table: plain, with more kinds of fields, with ids of the catalog's, with before-image
  resource("Plain", dataset("dsC", { customers() }),
    all(read(DATASET), changes(DATASET), submit(DATASET), invokes())),
  resource("Wide", dataset("dsC", { customers(nil, wideFields()) }), all(read(DATASET), changes(DATASET))),
  resource("Keyed", dataset("dsC", { customers "Num" }),
    all(read(DATASET), changes(DATASET), submit(DATASET), invokes())),
  resource("Image", dataset("dsC", { customers "Num" }),
    all(read(DATASET, IMAGE), changes(DATASET, IMAGE), submit(DATASET))),
  -- temp-tables: named, with ids, unnamed
  resource("Temp", temp(), all(read(TABLE), changes(TABLE), submit(TABLE))),
  resource("TempKeyed", temp "Num", all(read(TABLE), changes(TABLE), submit(TABLE))),
  resource("Unnamed", unnamed(), all(read(TABLE), changes(TABLE))),
  -- two tables
  resource("Family", family(), all(read(DATASET), changes(DATASET), submit(DATASET)), RELATIONS),
  resource("Nested", nested(), all(read(DATASET), changes(DATASET), submit(DATASET)), RELATIONS),
  resource("Two", family(), all(read(DATASET), changes(DATASET))),
  -- filters
  resource("Abl", dataset("dsC", { customers() }), all(read(DATASET, JFP), changes(DATASET), invokes())),
  resource("Sql", dataset("dsC", { customers() }), all(read(DATASET, SQL))),
  resource("Poor", dataset("dsC", { customers() }),
    all(read(DATASET, { { "mappingType", "JFP" }, { "capabilities", "ablFilter" } }))),
  resource("NoMapping", dataset("dsC", { customers() }),
    all(read(DATASET, { { "capabilities", "ablFilter" } }))),
  resource("Strange", dataset("dsC", { customers() }), all(read(DATASET, { { "mappingType", "Odd" } }))),
  resource("MappedBoth", dataset("dsC", { customers() }), all(read(DATASET, { { "mappingType", "Both" } }))),
  resource("MappedRequest", dataset("dsC", { customers() }),
    all(read(DATASET, { { "mappingType", "Request" } }))),
  resource("FamilyAbl", family(), all(read(DATASET, JFP)), RELATIONS),
  resource("Template", dataset("dsC", { customers() }),
    all(operation("read", "get", "/{kind}?name={name}&num={num}", { param("kind", "PATH", "CHARACTER"),
      param("name", "QUERY", "CHARACTER"), param("num", "QUERY", "INTEGER") }))),
  -- fewer operations
  resource("ReadOnly", dataset("dsC", { customers() }), all(read(DATASET))),
  resource("NoDelete", dataset("dsC", { customers() }),
    all(read(DATASET), table.move(changes(DATASET), 1, 2, 1, {}))),
  resource("NoRead", dataset("dsC", { customers() }), all(changes(DATASET))),
}

local changesOnly = list {
  resource("Sparse", dataset("dsC", { customers "Num" }), all(read(DATASET), changes(DATASET))),
  resource("SparseTemp", temp "Num", all(read(TABLE), changes(TABLE))),
  resource("SparseLost", dataset("dsC", { customers() }), all(read(DATASET), changes(DATASET))),
}

local unwrapped = list {
  resource("Unwrapped", dataset("dsC", { customers() }), all(read(DATASET), invokes())),
}

local function service(name, settings, of)
  return ordered { { "name", name }, { "address", "/rest/DataService" }, { "settings", ordered(settings) },
    { "resources", of } }
end

--- The catalog's text.
resources.catalog = json.encode(ordered {
  { "version", "1.4" }, { "lastModified", "Fri Mar 01 09:00:00 UTC 2024" },
  { "services", list {
    service("DataService", { { "useRequest", true } }, made),
    service("ChangesOnly", { { "sendOnlyChanges", true } }, changesOnly),
    service("Unwrapped", { { "unwrapped", true } }, unwrapped),
  } },
})

-- ---- steps of a server

local function escaped(text)
  return (text:gsub("%W", "%%%0"))
end

--- The step by which the server answers the next request for `path` of the service with a JSON document.
-- options: method, status (200), count (1; 0: all), delay
function resources.answers(path, body, options)
  local fault = { kind = "status", status = 200, contentType = TYPE, path = escaped(SERVICE .. path) .. "$",
    body = type(body) == "table" and json.encode(body) or body }
  for name, value in pairs(options or {}) do fault[name] = value end
  return { "fault", fault }
end

--- The step by which a fault of the sandbox meets the next request for `path`.
function resources.fails(path, fault)
  local made_ = { path = escaped(SERVICE .. path) .. "$" }
  for name, value in pairs(fault) do made_[name] = value end
  return { "fault", made_ }
end

--- A row of the customers' table; `more`: other fields.
function resources.row(num, name, more)
  local row = { Num = num, Name = name }
  for key, value in pairs(more or {}) do row[key] = value end
  return row
end

--- A row with every field.
function resources.whole(num, name)
  return resources.row(num, name, { Limit = num + 0.5, Active = num % 2 == 0, Born = "2001-02-03",
    Sales = { num, 2, 3 }, Since = "2001-02-03T04:05:06.789", Until = "2002-03-04" })
end

--- Three rows: Ann, bob, Cy.
function resources.rows()
  return list { resources.row(1, "Ann"), resources.row(2, "bob"), resources.row(3, "Cy") }
end

--- A dataset of the rows given; `more`: other members of the dataset.
function resources.dataset(rows, more)
  local members = { ttC = list(rows) }
  for key, value in pairs(more or {}) do members[key] = value end
  return { dsC = members }
end

--- The steps that begin a case with a resource of the sandbox's own, which answers as a server does.
function resources.live(name)
  return { { "new" }, { "login" }, { "addCatalog", "{catalog}" }, { "JSDO", name } }
end

--- A maker of cases about data objects: `case(name, sections, start, steps)` adds one to the list `cases`;
-- `start`: what resources.start gave, `more`: other members of the case.
function resources.maker(cases)
  return function(name, sections, start, steps, more)
    local made_ = { name = name, sections = sections, data = true, needs = "data", start = start,
      steps = steps }
    for key, value in pairs(more or {}) do made_[key] = value end
    cases[#cases + 1] = made_
  end
end

--- The steps that begin a case with three rows in memory.
function resources.filled(name)
  return resources.start(name or "Plain", resources.dataset(resources.rows()))
end

--- Orders for the customers 1 and 2.
function resources.orders()
  return list { { OrderNum = 11, CustNum = 1, Item = "ski" }, { OrderNum = 12, CustNum = 1, Item = "pole" },
    { OrderNum = 21, CustNum = 2, Item = "boot" } }
end

--- The steps that begin a case: a session with the catalog, a data object `j` of `name` (or of the options
-- given), filled with the answer `data`.
function resources.start(name, data)
  local steps = {
    { "fault", { kind = "status", status = 200, contentType = TYPE, body = resources.catalog,
      path = "/CustomerService.json$" } },
    { "new" }, { "login" }, { "addCatalog", "{catalog}" },
  }
  if name then steps[#steps + 1] = { "JSDO", name } end
  if data then
    steps[#steps + 1] = resources.answers(type(name) == "table" and name.name or name, data)
    steps[#steps + 1] = { "fill" }
  end
  return steps
end

return resources
