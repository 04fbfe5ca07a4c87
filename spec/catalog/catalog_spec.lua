--- Data Service Catalogs: what is made of a good one, and how a bad one is refused.

local catalog = require("datasession.catalog")
local codec = require("datasession.internal.codec")

local files = dofile "spec/support/files.lua"

local SERVICE_URI = "https://host.example/Sports"

--- The example of the protocol's description, as a Lua table that a case may change.
local function petCatalog()
  return {
    version = "1.4",
    lastModified = "Fri Mar 01 09:00:00 UTC 2024",
    services = { {
      name = "PetService",
      address = "/rest/PetService",
      settings = { useRequest = true },
      resources = { {
        name = "Pet",
        path = "/Pet",
        displayName = "A pet",
        schema = {
          type = "object", additionalProperties = false,
          properties = { dsPet = { type = "object", additionalProperties = false, properties = {
            ttPet = {
              type = "array",
              primaryKey = { "PetNum" },
              items = { additionalProperties = false, properties = {
                _id = { type = "string" },
                _errorString = { type = "string" },
                PetNum = { type = "integer", ablType = "INTEGER", default = 0, origName = "Pet-Num",
                  title = "Number" },
                Name = { type = "string", ablType = "CHARACTER", default = "", title = 7, semanticType = {} },
                Born = { type = "string", ablType = "DATE", format = "date", default = codec.null },
                Weights = { type = "array", ablType = "DECIMAL", maxItems = 3, items = { type = "number" } },
              } },
            },
          } } },
        },
        operations = {
          { type = "read", path = "?filter={filter}", verb = "get", useBeforeImage = true,
            mappingType = "JFP",
            capabilities = "ablFilter,top, skip,id,orderBy",
            params = { { name = "filter", type = "QUERY", xType = "CHARACTER" },
              { name = "dsPet", type = "RESPONSE_BODY", xType = "DATASET" } } },
          { type = "CREATE", path = "", params = { { name = "dsPet",
            type = "REQUEST_BODY,RESPONSE_BODY" } } },
          { type = "Submit", name = "SubmitPet", path = "/SubmitPet" },
          { type = "count", name = "count", path = "/count?filter={filter}", verb = "Put",
            params = { { name = "filter", type = "QUERY" } } },
          { name = "Feed", path = "/Feed/{id}", params = { { name = "grams", type = "REQUEST_BODY" } } },
        },
      } },
    } },
  }
end

--- The call raises that message, with the file that it is in.
local function lacks(message, ...)
  local ok, raised = pcall(...)
  assert.is_false(ok)
  assert.equal(message, (raised:gsub("^spec/[^:]*:%d+: ", "")))
  assert.not_equal(message, raised)
end

local function parse(document, options)
  return catalog.parse(assert(codec.encode(document)), options or { serviceURI = SERVICE_URI })
end

--- A catalog of one resource with that schema: the resource.
local function resourceOf(schema, more)
  local resource = more or {}
  resource.name, resource.path, resource.schema = resource.name or "R", resource.path or "/R", schema
  local parsed = assert(parse({ services = { { name = "S", address = "/s", resources = { resource } } } }))
  return parsed:resource(resource.name)
end

--- Changes the pet catalog by `change(document, service, resource)`: the message that refuses it.
-- @param before boolean: a good service stands before it, which must not show in the message
local function refusal(change, before)
  local document = petCatalog()
  local service = document.services[1]
  change(document, service, service.resources[1])
  if before then
    local good = petCatalog().services[1]
    good.name, good.resources[1].name = "Before", "PetBefore"
    good.resources[1].relations = { { relationFields = { {} } } }
    table.insert(document.services, 1, good)
  end
  local parsed, message = parse(document)
  assert.is_nil(parsed)
  return message
end

local function names(list)
  local result = {}
  for i, member in ipairs(list) do result[i] = member.name end
  return result
end

local function sorted(list)
  table.sort(list, require("datasession.internal.locale").before)
  return list
end

describe("a catalog", function()
  local pets = assert(parse(petCatalog(),
    { serviceURI = SERVICE_URI, uri = "https://host.example/pets.json" }))
  local service = pets.services[1]
  local resource = service.resources[1]

  it("knows where it came from and what it says about itself", function()
    assert.equal("https://host.example/pets.json", pets.uri)
    assert.equal("1.4", pets.version)
    assert.equal("Fri Mar 01 09:00:00 UTC 2024", pets.lastModified)
  end)

  it("finds services and resources by name, case-sensitively", function()
    assert.equal(service, pets:service("PetService"))
    lacks("catalog: no service 'petservice': did you mean 'PetService'?", pets.service, pets, "petservice")
    lacks("catalog: no service nil", pets.service, pets, nil)
    assert.equal(resource, pets:resource("Pet"))
    assert.equal(resource, service:resource("Pet"))
    lacks("catalog: no resource 'pet': did you mean 'Pet'?", pets.resource, pets, "pet")
    lacks("service PetService: no resource 'elephant'", service.resource, service, "elephant")
    lacks("resource: expected a catalog, got string: call it with ':' instead of '.'", pets.resource, "Pet")
  end)

  it("walks all resources of all services, the empty ones too", function()
    local function named(name) return { name = name } end
    local several = assert(parse({ services = {
      { name = "a", resources = codec.array() },
      { name = "b", resources = { named("x"), named("y") } },
      { name = "c", resources = codec.array() },
      { name = "d", resources = { named("z") } },
    } }))
    local seen = {}
    for each, owner in several:eachResource() do seen[#seen + 1] = owner.name .. "." .. each.name end
    assert.same({ "b.x", "b.y", "d.z" }, seen)
    assert.equal("z", several:resource("z").name)
  end)

  it("may be without services", function()
    local empty = assert(catalog.parse("{\"services\":[]}"))
    assert.same({}, empty.services)
    assert.is_nil(empty:eachResource()())
    assert.equal("catalog (0 services, 0 resources)", tostring(empty))
  end)

  it("carries what it does not read", function()
    local document = petCatalog()
    document.version, document.lastModified = { 1 }, false
    document.services[1].tenantId = 7
    document.services[1].resources[1].dataDefinitions = "none"
    local parsed = assert(parse(document))
    assert.is_nil(parsed.version)
  end)

  it("ends a naive walk over everything", function()
    local count = 0
    local function walk(value)
      count = count + 1
      assert.is_true(count < 1000)
      if type(value) ~= "table" then return end
      for _, member in pairs(value) do walk(member) end
    end
    walk(pets)
    assert.is_true(count > 50)
  end)

  it("gives no program its metatables, which all sessions share", function()
    local parsed = assert(parse(petCatalog()))
    local pet = parsed:resource("Pet")
    local table = pet.tables[1]
    for _, object in ipairs { parsed, parsed.services[1], pet, table, table.fields[1], pet.operations[1] } do
      assert.is_string(getmetatable(object))
      assert.error(function() setmetatable(object, {}) end)
    end
  end)

  it("tells itself in one line, without the password or query of an address", function()
    local document = petCatalog()
    document.services[1].address = "https://user:secret@elsewhere.example/x"
    local secret = assert(parse(document, { uri = "https://user:secret@host.example/c.json" }))
    local hidden = secret:resource("Pet")
    local query = assert(parse(petCatalog(), { uri = "https://us@er:secret@host.example/c.json?key=secret" }))
    for _, object in ipairs({ secret, secret.services[1], hidden, hidden.operations[1], query }) do
      assert.is_nil(tostring(object):find("secret", 1, true))
      assert.is_nil(tostring(object):find("\n", 1, true))
    end
    assert.equal("catalog https://host.example/pets.json (1 service, 1 resource)", tostring(pets))
    assert.equal("service PetService: https://host.example/Sports/rest/PetService (1 resource)",
      tostring(service))
    assert.equal("resource Pet: https://host.example/Sports/rest/PetService/Pet (dataset dsPet, 1 table, 5 \z
      operations)",
      tostring(resource))
    assert.equal("table ttPet (5 fields)", tostring(resource.tables[1]))
    assert.equal("field PetNum: integer (INTEGER)", tostring(resource.tables[1]:field("PetNum")))
    assert.equal("operation submit SubmitPet: PUT https://host.example/Sports/rest/PetService/Pet/SubmitPet",
      tostring(resource:operation("submit")))
  end)
end)

describe("a service", function()
  local function uriOf(address, serviceURI)
    local parsed = assert(parse({ services = { { name = "S", address = address,
      resources = codec.array() } } },
      { serviceURI = serviceURI }))
    return parsed.services[1].uri
  end

  it("has an address below the web application, after exactly one slash", function()
    assert.equal("https://h/app/rest/S", uriOf("/rest/S", "https://h/app"))
    assert.equal("https://h/app/rest/S", uriOf("rest/S", "https://h/app/"))
    assert.equal("https://h/app/rest/S", uriOf("//rest/S", "https://h/app//"))
  end)

  it("stands where an absolute address says, and at the web application without one", function()
    assert.equal("HTTP://other/x", uriOf("HTTP://other/x", "https://h/app"))
    assert.equal("https://h/app", uriOf(nil, "https://h/app/"))
    assert.equal("https://h/app", uriOf(codec.null, "https://h/app"))
  end)

  it("starts with a slash when no web application is named", function()
    assert.equal("/rest/S", uriOf("rest/S", nil))
    assert.equal("", uriOf(nil, nil))
  end)

  it("wraps requests as its settings say, or as the older place says", function()
    local function useRequest(older, settings)
      local document = { name = "S", useRequest = older, settings = settings, resources = codec.array() }
      return assert(parse({ services = { document } })).services[1].useRequest
    end
    assert.is_false(useRequest(nil, nil))
    assert.is_true(useRequest(true, nil))
    assert.is_true(useRequest(true, {}))
    assert.is_false(useRequest(true, { useRequest = false }))
    assert.is_true(useRequest(false, { useRequest = true }))
  end)

  it("has its settings as booleans", function()
    assert.same({ useRequest = true, sendOnlyChanges = false, unwrapped = false, useXClientProps = false },
      assert(parse(petCatalog())).services[1].settings)
  end)
end)

describe("a resource", function()
  local resource = assert(parse(petCatalog())):resource("Pet")

  it("knows its address and its service", function()
    assert.equal("/Pet", resource.path)
    assert.equal("https://host.example/Sports/rest/PetService/Pet", resource.uri)
    assert.equal("PetService", resource.service.name)
    assert.equal(resource, resource.service.resources[1])
  end)

  it("finds operations by type and by name", function()
    assert.equal("GET", resource:operation("read").verb)
    assert.equal("submit", resource:operation("SubmitPet").type)
    assert.equal(resource:operation("SubmitPet"), resource:operation("submit"))
    assert.equal("invoke", resource:operation("Feed").type)
    assert.is_nil(resource:operation("delete"))
    lacks("resource Pet: no operation 'feed': did you mean 'Feed'?", resource.operation, resource, "feed")
    lacks("resource Pet: no operation 'raed': did you mean 'read'?", resource.operation, resource, "raed")
    lacks("resource Pet: no operation nil", resource.operation, resource, nil)
  end)

  it("prefers a type to a name, and the last of equal names", function()
    local twice = resourceOf(nil, { operations = {
      { name = "read", path = "/method" }, { type = "read", path = "/rows" },
      { name = "f", path = "/1" }, { name = "f", path = "/2" },
    } })
    assert.equal("/rows", twice:operation("read").path)
    assert.equal("/2", twice:operation("f").path)
  end)

  it("takes the id property of its only table when it has none itself", function()
    local function table_(id) return { idProperty = id, items = { properties = { a = {} } } } end
    assert.equal("own", resourceOf({ properties = { t = table_("id") } }, { idProperty = "own" }).idProperty)
    assert.equal("id", resourceOf({ properties = { t = table_("id") } }).idProperty)
    local two = { properties = { d = { properties = { a = table_("x"), b = table_("y") } } } }
    assert.is_nil(resourceOf(two).idProperty)
  end)

  it("has relations with their fields", function()
    local related = resourceOf(nil, { relations = { { relationName = "r", parentName = "p", childName = "c",
      relationFields = { { parentFieldName = "Num", childFieldName = "num" } } } } })
    assert.same({ { relationName = "r", parentName = "p", childName = "c",
      relationFields = { { parentFieldName = "Num", childFieldName = "num" } } } }, related.relations)
    assert.same({}, resource.relations)
  end)

  it("needs a slash of its own only where nothing is before its path", function()
    local bare = assert(parse({ services = { { name = "S", resources = { { name = "R", path = "R",
      operations = { { type = "read", path = "?a" } } } } } } })):resource("R")
    assert.equal(SERVICE_URI .. "/R", bare.uri)
    assert.equal(SERVICE_URI .. "/R?a", bare:operation("read").uri)
  end)
end)

describe("a schema", function()
  it("may be a dataset, with tables of items and nested child tables of properties", function()
    local resource = assert(catalog.parse([[{"services":[{"name":"S","resources":[{"name":"R","schema":{
      "properties":{"ds":{"properties":{
        "kid":{"type":"array","properties":{"x":{"type":"string"},"_id":{}}},
        "tt":{"type":"array","items":{"properties":{"b":{},"a":{},"kids":{"type":"array",
          "items":{"$ref":"#/properties/ds/properties/kid"}}}}}}}}}}]}]}]])):resource("R")
    assert.equal("dataset", resource.schemaForm)
    assert.equal("ds", resource.datasetName)
    assert.is_nil(resource.dataProperty)
    assert.same({ "kid", "tt" }, names(resource.tables))
    assert.same({ "x" }, names(resource.tables[1].fields))
    assert.same({ "b", "a", "kids" }, names(resource.tables[2].fields))
    assert.equal("#/properties/ds/properties/kid", resource.tables[2]:field("kids").items["$ref"])
    assert.same({ nil, "resource R has 2 tables" }, { resource:fields() })
  end)

  it("may be a temp-table", function()
    local resource = resourceOf({ properties = { tt = { type = "array",
      items = { properties = { a = {} } } } } })
    assert.equal("temp-table", resource.schemaForm)
    assert.is_nil(resource.datasetName)
    assert.equal("tt", resource.dataProperty)
    assert.equal("tt", resource.tables[1].name)
    assert.equal("resource R: https://host.example/Sports/s/R (table tt (1 field), 0 operations)",
      tostring(resource))
    assert.same({ "a" }, names(resource:fields()))
  end)

  it("may be a bare record, of several fields or of one", function()
    local several = resourceOf({ properties = { a = { type = "string" },
      b = { items = { type = "number" } } } })
    assert.equal("record", several.schemaForm)
    assert.equal("", several.tables[1].name)
    assert.same({ "a", "b" }, sorted(names(several:fields())))
    local arrays = resourceOf({ properties = { a = { items = {} }, b = { items = {} } } })
    assert.equal("record", arrays.schemaForm)
    local one = resourceOf({ properties = { a = { type = "string" } } })
    assert.equal("record", one.schemaForm)
    assert.same({ "a" }, names(one:fields()))
    assert.is_nil(one.dataProperty)
  end)

  it("may be of the old style, without properties around it", function()
    local tempTable = resourceOf({ tt = { items = { properties = { a = {} } } } })
    assert.equal("old", tempTable.schemaForm)
    assert.equal("tt", tempTable.dataProperty)
    assert.same({ "a" }, names(tempTable:fields()))
    local dataset = resourceOf({ ds = { properties = { tt = { items = { properties = { a = {} } } } } } })
    assert.equal("old", dataset.schemaForm)
    assert.equal("ds", dataset.datasetName)
    assert.same({ "tt" }, names(dataset.tables))
  end)

  it("may be missing", function()
    for _, schema in ipairs({ false, codec.null }) do
      local resource = resourceOf(schema or nil)
      assert.is_nil(resource.schemaForm)
      assert.same({}, resource.tables)
      assert.same({ nil, "resource R has 0 tables" }, { resource:fields() })
      assert.equal("resource R: https://host.example/Sports/s/R (no schema, 0 operations)",
        tostring(resource))
    end
  end)

  it("keeps the order of its tables and fields", function()
    local text = [[{"services":[{"name":"S","resources":[{"name":"R","schema":{"properties":{
      "ds":{"properties":{
      "t2":{"items":{"properties":{"Zip":{},"City\u00e9\ud83d\ude00\n\"":{},"_id":{},
        "Age":{"default":{"properties":{"b":1,"a":2}}},"Name":{"type":"string"},"10":{}}}},
      "t1":{"properties":{"b":[{"x":[1]}],"a":1,"a":{},"b":{"type":"number"}}}}}}}}]}]}]]
    local shared = require("datasession.internal.catalog.shared")
    for _, parsed in ipairs { assert(catalog.parse(text)), assert(catalog.parse("\239\187\191" .. text)),
      assert(shared.open(assert(shared.entry(text)), {})),
      assert(shared.open(assert(shared.entry((text:gsub("%s", "")))), {})) } do
      local resource = parsed:resource("R")
      assert.same({ "t2", "t1" }, names(resource.tables))
      assert.same({ "Zip", "City\u{e9}\u{1f600}\n\"", "Age", "Name", "10" }, names(resource.tables[1].fields))
      assert.same({ "b", "a" }, names(resource.tables[2].fields))
      assert.equal("number", resource.tables[2]:field("b").type)
    end
  end)

  it("gives fields what a client reads, and skips _id only", function()
    local tt = assert(parse(petCatalog())):resource("Pet").tables[1]
    assert.same({ "Born", "Name", "PetNum", "Weights", "_errorString" }, sorted(names(tt.fields)))
    assert.same({ "PetNum" }, tt.primaryKey)
    assert.same({ name = "PetNum", type = "integer", ablType = "INTEGER", default = 0, origName = "Pet-Num",
      title = "Number" }, tt:field("PetNum"))
    assert.is_nil(tt:field("Name").title)
    assert.equal("integer", math.type(tt:field("PetNum").default))
    assert.equal(codec.null, tt:field("Born").default)
    assert.equal("date", tt:field("Born").format)
    assert.equal(3, tt:field("Weights").maxItems)
    assert.equal("number", tt:field("Weights").items.type)
    lacks("table ttPet: no field '_id'", tt.field, tt, "_id")
    lacks("table ttPet: no field 'petnum': did you mean 'PetNum'?", tt.field, tt, "petnum")
  end)
end)

describe("an operation", function()
  local resource = assert(parse(petCatalog())):resource("Pet")

  it("has its type in lower case, its verb in upper case, and lists that are never missing", function()
    local read = resource:operation("read")
    assert.equal("https://host.example/Sports/rest/PetService/Pet?filter={filter}", read.uri)
    assert.equal("?filter={filter}", read.path)
    assert.is_true(read.useBeforeImage)
    assert.equal("JFP", read.mappingType)
    assert.same({ "ablFilter", "top", "skip", "id", "orderBy" }, read.capabilities)
    assert.same({ name = "filter", type = "QUERY", xType = "CHARACTER" }, read.params[1])
    local submit = resource:operation("submit")
    assert.same({}, submit.params)
    assert.same({}, submit.capabilities)
    assert.is_false(submit.useBeforeImage)
  end)

  it("merges as the catalog says, by name or by number", function()
    for _, mode in ipairs({ "APPEND", 4 }) do
      assert.equal(mode, resourceOf(nil, { operations = { { mergeMode = mode } } }).operations[1].mergeMode)
    end
    assert.is_nil(resourceOf(nil, { operations = { { mergeMode = codec.null } } }).operations[1].mergeMode)
  end)

  it("has the verb of its type when it names none", function()
    local verbs = { create = "POST", read = "GET", update = "PUT", delete = "DELETE",
      submit = "PUT", count = "PUT", invoke = "PUT" }
    for kind, verb in pairs(verbs) do
      assert.equal(verb, resourceOf(nil, { operations = { { type = kind } } }).operations[1].verb)
    end
    local untyped = resourceOf(nil, { operations = { { verb = "dElEtE" } } }).operations[1]
    assert.equal("invoke", untyped.type)
    assert.equal("DELETE", untyped.verb)
  end)

  local function expand(path, values, params)
    local operations = { { type = "read", path = path, params = params } }
    local uri, message = resourceOf(nil, { operations = operations }):operation("read"):expand(values)
    return uri and uri:sub(#SERVICE_URI + #"/s/R" + 1), message
  end

  it("puts values into its address, percent-encoded", function()
    assert.equal("/us%C3%A9r/p%3Aw%20%26?f=-_.!~*'()",
      expand("/{a}/{b}?f={c}", { a = "us\u{e9}r", b = "p:w &", c = "-_.!~*'()" }))
    assert.equal("/a%25%2F%7Bb%7D/a%25%2F%7Bb%7D", expand("/{a}/{a}", { a = "a%/{b}", b = "no" }))
    assert.equal("?x", expand("?x"))
  end)

  it("puts in zero, false and the empty text as such, and null as nothing", function()
    assert.equal("?0,false,,true,",
      expand("?{a},{b},{c},{d},{e}", { a = 0, b = false, c = "", d = true, e = codec.null }))
  end)

  it("puts in numbers with all their digits", function()
    assert.equal("?9007199254740993,0.30000000000000004,10",
      expand("?{a},{b},{c}", { a = 9007199254740993, b = 0.1 + 0.2, c = 10.0 }))
  end)

  it("puts in tables as JSON", function()
    assert.equal("?%7B%22top%22%3A5%7D", expand("?{filter}", { filter = { top = 5 } }))
    assert.equal("?%5B%5D", expand("?{filter}", { filter = codec.emptyArray }))
  end)

  it("raises for a missing value and for one without a text, with the name", function()
    assert.error_matches(function() expand("?{a}&{b}", { a = 1 }) end,
      "the operation read needs a value for 'b', got nothing")
    assert.error_matches(function() expand("?{a}") end, "needs a value for 'a'")
    assert.error_matches(function() expand("?{a}", { a = print }) end,
      "needs a value for 'a', got a function")
    assert.error_matches(function() expand("?{a}", { a = 0 / 0 }) end, "needs a value for 'a', got a number")
    assert.error_matches(function() expand("?{a}", "x") end, "bad argument #1 to 'expand'")
    assert.error_matches(function() expand("?{filter}", { filtr = "x" }) end,
      "needs a value for 'filter', got nothing: did you misspell 'filtr'?", 1, true)
  end)

  it("returns a message for a parameter that the catalog declares and nobody can pass", function()
    local values = { a = 1, b = 2 }
    assert.equal("?1", expand("?{a+b}", { ["a+b"] = 1 }, { { name = "a+b", type = "QUERY" } }))
    for _, kind in ipairs({ "PATH", "QUERY", "MATRIX" }) do
      assert.equal("?1", expand("?{a}", values, { { name = "a", type = kind } }))
      assert.same({ nil, "parameter 'b' of the operation read: the address has no {b}" },
        { expand("?{a}", values, { { name = "b", type = kind } }) })
    end
    local both = { "REQUEST_BODY,RESPONSE_BODY", "RESPONSE_BODY,REQUEST_BODY" }
    for _, kind in ipairs({ "REQUEST_BODY", "RESPONSE_BODY", both[1], both[2] }) do
      assert.equal("", expand("", nil, { { name = "a", type = kind } }))
    end
    assert.same({ nil, "parameter 'a' of the operation read: type \"HEADER\" is not supported" },
      { expand("?{a}", values, { { name = "a", type = "HEADER" } }) })
    assert.same({ nil, "parameter 'a' of the operation read: type nothing is not supported" },
      { expand("?{a}", values, { { name = "a" } }) })
  end)
end)

describe("a bad catalog", function()
  local function message(text) return select(2, catalog.parse(text)) end

  it("is told apart by what it is instead", function()
    assert.equal("empty document", message(""))
    assert.equal("empty document", message(" \n"))
    local pages = { "<!DOCTYPE html><html>", "\n <html lang='en'>", "\239\187\191<HTML>", "<!-- x --><html>" }
    for _, text in ipairs(pages) do
      assert.equal("expected JSON, got an HTML page, such as a login or an error page", message(text))
    end
    assert.equal("expected JSON, got XML", message("<?xml version=\"1.0\"?><a/>"))
    assert.matches("^not JSON: expected .* at character 13 %(line 1, column 13%)$",
      message("{\"services\":}"))
    assert.equal("document: expected an object with a key services, got an array", message("[]"))
    assert.equal("document: expected an object with a key services, got null", message("null"))
    assert.equal("document: expected an object with a key services, got 5", message("5"))
    assert.equal("services: expected an array, got nothing", message("{\"Services\":[]}"))
  end)

  it("is not looked at beyond 64 MiB", function()
    assert.equal("larger than 64 MiB", message((" "):rep(64 * 1024 * 1024 + 1)))
  end)

  -- Refused documents: the good one with one change.
  local cases = {
    ["services: expected an array, got an object"] = function(d) d.services = {} end,
    ["services: expected an array, got null"] = function(d) d.services = codec.null end,
    ["services[2]: expected an object, got \"x\""] = function(d) d.services[2] = "x" end,
    ["services[1].name: expected a string, got nothing"] = function(_, s) s.name = nil end,
    ["services[1].name: expected a name, got \"\""] = function(_, s) s.name = "" end,
    ["services[1].resources: expected an array, got nothing"] = function(_, s) s.resources = nil end,
    ["services[1].address: expected a string, got 5"] = function(_, s) s.address = 5 end,
    ["services[1].useRequest: expected true or false, got \"yes\""] = function(_, s) s.useRequest = "yes" end,
    ["services[1].settings: expected an object, got an array"] = function(_, s)
      s.settings = codec.emptyArray end,
    ["services[1].settings.useRequest: expected true or false, got 1"] = function(_, s)
      s.settings.useRequest = 1 end,
    ["services[1].settings.sendOnlyChanges: expected true or false, got 1"] = function(_, s)
      s.settings.sendOnlyChanges = 1
    end,
    ["services[1].settings.unwrapped: expected true or false, got 1"] = function(_, s)
      s.settings.unwrapped = 1 end,
    ["services[1].settings.useXClientProps: expected true or false, got 1"] = function(_, s)
      s.settings.useXClientProps = 1
    end,
    ["services[2].name: expected a name of its own (services[1] has this one), got \"PetService\""] =
      function(d, s)
      d.services[2] = { name = s.name, resources = codec.array() }
    end,
    ["services[1].resources[2].name: expected a name of its own " ..
      "(services[1].resources[1] has this one), got \"Pet\""] = function(_, s)
      s.resources[2] = { name = "Pet" }
    end,
    ["services[2].resources[1].name: expected a name of its own " ..
      "(services[1].resources[1] has this one), got \"Pet\""] = function(d)
      d.services[2] = { name = "other", resources = { { name = "Pet" } } }
    end,
    ["services[1].resources[1].name: expected a string, got an object"] = function(_, _, r) r.name = {} end,
    ["services[1].resources[1].path: expected a string, got false"] = function(_, _, r) r.path = false end,
    ["services[1].resources[1].idProperty: expected a string, got 1"] = function(_, _, r)
      r.idProperty = 1 end,
    ["services[1].resources[1].schema: expected an object, got \"dsPet\""] = function(_, _, r)
      r.schema = "dsPet" end,
    ["services[1].resources[1].schema: expected properties that describe a dataset, " ..
      "a temp-table or fields, got an object"] = function(_, _, r)
      r.schema = {}
    end,
    ["services[1].resources[1].schema.properties: expected an object, got an array"] = function(_, _, r)
      r.schema.properties = codec.emptyArray
    end,
    ["services[1].resources[1].schema.properties.dsPet.properties: expected an object, got 1"] = function(_,
      _, r)
      r.schema.properties.dsPet.properties = 1
    end,
    ["services[1].resources[1].schema.properties.dsPet.properties.ttPet: expected an object, got true"] =
      function(_, _, r) r.schema.properties.dsPet.properties.ttPet = true end,
    ["services[1].resources[1].schema.properties.a: expected an object, got null"] = function(_, _, r)
      r.schema.properties = { a = codec.null }
    end,
    ["services[1].resources[1].schema.properties.dsPet.properties.kid.properties.x.type: expected a string, \z
      got 1"] =
      function(_, _, r) r.schema.properties.dsPet.properties.kid = { properties = { x = { type = 1 } } } end,
    ["services[1].resources[1].schema.tt.items.properties.a.type: expected a string, got 1"] = function(_, _,
      r)
      r.schema = { tt = { items = { properties = { a = { type = 1 } } } } }
    end,
    ["services[1].resources[1].schema.ds.properties.tt.properties.a.type: expected a string, got 1"] =
      function(_, _, r) r.schema = { ds = {
        properties = { tt = { properties = { a = { type = 1 } } } } } } end,
    ["services[1].resources[1].schema.properties.tt.items.properties.a.type: expected a string, got 1"] =
      function(_, _, r) r.schema = { properties = {
        tt = { items = { properties = { a = { type = 1 } } } } } } end,
    ["services[1].resources[1].relations: expected an array, got an object"] = function(_, _, r)
      r.relations = {} end,
    ["services[1].resources[1].relations[1].RelationName: expected the key relationName, " ..
      "in lower camel case, got \"r\""] = function(_, _, r)
      r.relations = { { RelationName = "r" } }
    end,
    ["services[1].resources[1].relations[1].relationFields[2].childFieldName: expected a string, got 2"] =
      function(_, _, r) r.relations = { { relationFields = { {}, { childFieldName = 2 } } } } end,
    ["services[1].resources[1].operations: expected an array, got \"all\""] = function(_, _, r)
      r.operations = "all"
    end,
    ["services[1].resources[1].operations[2]: expected an object, got an array"] = function(_, _, r)
      r.operations[2] = codec.emptyArray
    end,
  }

  local function operationCase(key, expected, value)
    cases["services[1].resources[1].operations[2]." .. key .. ": expected " .. expected] = function(_, _, r)
      r.operations[2][key] = value
    end
  end
  operationCase("verb", "get, post, put or delete, got \"fetch\"", "fetch")
  operationCase("verb", "a string, got true", true)
  operationCase("type", "create, read, update, delete, submit, count or invoke, got \"creat\"", "creat")
  operationCase("type", "one operation of type read, and operations[1] is one, got \"READ\"", "READ")
  operationCase("name", "a string, got 3", 3)
  operationCase("path", "a string, got an object", {})
  operationCase("params", "an array, got an object", {})
  operationCase("useBeforeImage", "true or false, got \"true\"", "true")
  operationCase("mergeMode", "a string or a number, got true", true)
  operationCase("mappingType", "a string, got false", false)
  operationCase("capabilities", "a string, got an array", { "top" })
  cases["services[1].resources[1].operations[1].params[2].type: expected a string, got 1"] = function(_, _, r)
    r.operations[1].params[2].type = 1
  end

  local function tableCase(path, expected, change)
    cases["services[1].resources[1].schema.properties.dsPet.properties.ttPet." .. path .. ": expected " ..
      expected] =
      function(_, _, r) change(r.schema.properties.dsPet.properties.ttPet) end
  end
  tableCase("primaryKey", "an array, got \"PetNum\"", function(t) t.primaryKey = "PetNum" end)
  tableCase("primaryKey[2]", "a string, got 2", function(t) t.primaryKey[2] = 2 end)
  tableCase("idProperty", "a string, got 1", function(t) t.idProperty = 1 end)
  tableCase("items", "an object, got an array", function(t) t.items = codec.emptyArray end)
  tableCase("items.properties", "an object, got 0", function(t) t.items.properties = 0 end)
  tableCase("items.properties.Name", "an object, got \"string\"",
    function(t) t.items.properties.Name = "string" end)
  tableCase("items.properties.Name.type", "a string, got an array",
    function(t) t.items.properties.Name.type = { "string", "null" } end)
  tableCase("items.properties.Name.ablType", "a string, got 1",
    function(t) t.items.properties.Name.ablType = 1 end)
  tableCase("items.properties.Name.format", "a string, got 1",
    function(t) t.items.properties.Name.format = 1 end)
  tableCase("items.properties.Name.maxItems", "a number, got \"3\"",
    function(t) t.items.properties.Name.maxItems = "3" end)
  tableCase("items.properties.Name.origName", "a string, got 1",
    function(t) t.items.properties.Name.origName = 1 end)
  tableCase("items.properties.Name.items", "an object, got 1",
    function(t) t.items.properties.Name.items = 1 end)
  tableCase("items.properties.Name.items.type", "a string, got 1",
    function(t) t.items.properties.Name.items = { type = 1 } end)
  tableCase("items.properties.Name.items[\"$ref\"]", "a string, got 1",
    function(t) t.items.properties.Name.items = { ["$ref"] = 1 } end)
  tableCase("items.properties[\"a b\"].type", "a string, got 1",
    function(t) t.items.properties["a b"] = { type = 1 } end)

  local DESCRIBING = { settings = true, useRequest = true, sendOnlyChanges = true, unwrapped = true,
    useXClientProps = true, idProperty = true, schema = true, relations = true,
    childFieldName = true, useBeforeImage = true, mergeMode = true,
    mappingType = true, capabilities = true }

  --- True if the place in the message is of a member that only describes.
  local function describes(expected)
    return expected:find(".schema.", 1, true) or DESCRIBING[expected:match("([%w%]]+): expected")]
  end

  local function checkLeftOut(expected, change)
    local document = petCatalog()
    change(document, document.services[1], document.services[1].resources[1])
    local parsed = assert(parse(document))
    assert.same({ expected }, parsed.leftOut)
    assert.equal(SERVICE_URI .. "/rest/PetService/Pet?filter={filter}",
      parsed:resource("Pet"):operation("read").uri)
  end

  local function checkRefused(expected, change)
    assert.equal(expected, refusal(change))
    if not expected:find("^services:") then
      local second = expected:gsub("services%[(%d)%]", function(i) return ("services[%d]"):format(i + 1) end)
      assert.equal(second, refusal(change, true))
    end
  end

  for expected, change in pairs(cases) do
    if describes(expected) then
      it("is taken, and leaves out: " .. expected, function() checkLeftOut(expected, change) end)
    else
      it("is refused with: " .. expected, function() checkRefused(expected, change) end)
    end
  end

  it("leaves nothing out that is right, and tells of ten members at most", function()
    assert.is_nil(assert(parse(petCatalog())).leftOut)
    local document = petCatalog()
    for i = 1, 12 do document.services[1].resources[1].schema.properties.dsPet.properties["t" .. i] = i end
    local leftOut = assert(parse(document)).leftOut
    assert.equal(11, #leftOut)
    assert.equal("and 2 more", leftOut[11])
  end)

  it("is quoted in a message only in part, and never with control characters", function()
    local text = refusal(function(_, _, r) r.operations[1].verb = "\27[31m\n\"" .. ("\u{e9}"):rep(1000) end)
    assert.is_true(#text < 200)
    assert.is_nil(text:find("%c"))
    assert.is_truthy(utf8.len(text))
  end)

  it("leaves nothing behind for the next one", function()
    assert.is_nil((parse({ services = { { name = "S", resources = { { name = "R" }, { name = "R" } } } } })))
    assert.is_truthy(parse({ services = { { name = "S", resources = { { name = "R" } } } } }))
  end)

  it("makes the program raise only for the program's own mistakes", function()
    assert.error_matches(function() catalog.parse(nil) end,
      "bad argument #1 to 'parse' %(string expected, got nil%)")
    assert.error_matches(function() catalog.parse("{}", 5) end, "bad argument #2 to 'parse'")
    assert.error_matches(function() catalog.parse("{}", { serviceUri = "x" }) end,
      "unknown option 'serviceUri': did you mean 'serviceURI'?", 1, true)
    assert.error_matches(function() catalog.parse("{}", { uri = 5 }) end,
      "bad option 'uri' %(string expected")
  end)

  local seed = tonumber(os.getenv("SEED")) or os.time() % 1000000

  it(("never raises, whatever is changed in it (seed %d)"):format(seed), function()
    math.randomseed(seed)
    local values = { codec.null, true, false, 0, 1.5, "", "x", "read", "get", "Pet", codec.emptyArray, {} }

    --- All tables below a value.
    local function tablesOf(value, list)
      list[#list + 1] = value
      for _, member in pairs(value) do
        if type(member) == "table" then tablesOf(member, list) end
      end
      return list
    end

    local function change(document)
      local list = tablesOf(document, {})
      local victim, keys = list[math.random(#list)], {}
      if victim == codec.emptyArray then return end
      for key in pairs(victim) do keys[#keys + 1] = key end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      local key = keys[math.random(math.max(1, #keys))]
      if key ~= nil then victim[key] = values[math.random(#values)] end
    end

    local refused = 0
    for _ = 1, 600 do
      local document = petCatalog()
      for _ = 1, math.random(3) do change(document) end
      local parsed, problem = parse(document)
      if parsed then
        assert.is_string(tostring(parsed))
        for resource in parsed:eachResource() do
          assert.is_string(tostring(resource))
          for _, operation in ipairs(resource.operations) do assert.is_string(tostring(operation)) end
        end
      else
        refused = refused + 1
        assert.matches("^[%w%[%]._\" ]+: expected .+, got .+$", problem)
      end
    end
    assert.is_true(refused > 60 and refused < 590)
  end)
end)

describe("a large catalog", function()
  it("is indexed in a time near that of decoding it, and looked up without a search", function()
    local document = { services = codec.array() }
    for s = 1, 20 do
      local resources = codec.array()
      for r = 1, 50 do
        local properties = {}
        for f = 1, 20 do
          properties["Field" .. f] = { type = "string", ablType = "CHARACTER", default = "",
            title = "A title" }
        end
        resources[r] = { name = ("R%d_%d"):format(s, r), path = "/R" .. r,
          schema = { properties = { tt = { type = "array", items = { properties = properties } } } },
          operations = { { type = "read", path = "?f={f}", params = { { name = "f", type = "QUERY" } } } } }
      end
      document.services[s] = { name = "S" .. s, address = "/rest/S" .. s, resources = resources }
    end
    local text = codec.encode(document)
    local function cost(f)
      collectgarbage()
      local start = os.clock()
      local result = f(text)
      return os.clock() - start, result
    end
    local decoding = cost(codec.decode)
    local parsing, parsed = cost(catalog.parse)
    assert.is_true(parsing < 6 * decoding + 0.05,
      ("decoding %.3f s, parsing %.3f s"):format(decoding, parsing))
    local looking = cost(function()
      for _ = 1, 20 do
        for resource in parsed:eachResource() do assert(parsed:resource(resource.name) == resource) end
      end
    end)
    assert.is_true(looking < 2, ("20000 look-ups took %.3f s"):format(looking))
  end)
end)

describe("reading a catalog file", function()
  local path, name

  before_each(function()
    path = files.new("{\"services\":[]}\r\n")
    name = path:match("[^/\\]+$")
  end)

  after_each(function() os.remove(path) end)

  it("takes a path", function()
    assert.equal("{\"services\":[]}\r\n", catalog.read(path))
  end)

  it("takes a file: URI, percent-encoded, with and without localhost", function()
    local encoded = path:sub(1, #path - #name) ..
      name:gsub(".", function(c) return ("%%%02x"):format(c:byte()) end)
    for _, uri in ipairs({ "file://" .. path, "file://localhost" .. path, "FILE://LocalHost" .. path,
      "file:" .. path,
      "file://" .. encoded, "file://" .. path .. "?x#y" }) do
      assert.equal("{\"services\":[]}\r\n", catalog.read(uri), uri)
    end
  end)

  it("does not decode a plain path", function()
    local text, message = catalog.read(path:sub(1, #path - #name) .. "%61")
    assert.is_nil(text)
    assert.matches("%%61: .*No such file", message)
  end)

  it("names the path and the reason when it cannot be read", function()
    assert.same({ nil, "cannot read the catalog /no/such/file: /no/such/file: No such file or directory" },
      { catalog.read("/no/such/file") })
    assert.matches("^cannot read the catalog /: .*directory", select(2, catalog.read("/")))
    assert.same({ nil, "cannot read the catalog file://elsewhere/x: a file: URI of another host" },
      { catalog.read("file://elsewhere/x") })
    assert.same({ nil, "cannot read the catalog file:///a%2: a malformed percent-encoding" },
      { catalog.read("file:///a%2") })
    assert.same({ nil, "cannot read the catalog file:///a%00b: no file name" },
      { catalog.read("file:///a%00b") })
    assert.same({ nil, "cannot read the catalog : no file name" }, { catalog.read("") })
    assert.matches("no file name$", select(2, catalog.read("file://localhost")))
  end)

  it("gives the empty text of an empty file", function()
    files.write(path, "")
    assert.equal("", catalog.read(path))
  end)

  it("stops at 64 MiB", function()
    local file = assert(io.open(path, "wb"))
    file:seek("set", 64 * 1024 * 1024)
    file:write("x")
    file:close()
    assert.same({ nil, "cannot read the catalog " .. path .. ": larger than 64 MiB" }, { catalog.read(path) })
  end)

  it("raises for what is no path", function()
    assert.error_matches(function() catalog.read(nil) end,
      "bad argument #1 to 'read' %(string expected, got nil%)")
  end)
end)

--- Sessions find the resources in a text by a scan, without decoding it. It must take the documents that the
-- checks accept.
describe("the scan of a catalog's text", function()
  local core = require("datasession.core")
  local shared = require("datasession.internal.catalog.shared")
  local options = { uri = "u", serviceURI = SERVICE_URI }

  local function text(inside)
    return ('{"services":[{"name":"S","resources":[{"name":"R"%s}]}]}'):format(inside and "," .. inside or "")
  end

  local function same(a, b, path)
    if type(a) ~= "table" or type(b) ~= "table" then
      assert(a == b and math.type(a) == math.type(b), path)
      return
    end
    for key, value in pairs(a) do same(value, b[key], path .. "." .. tostring(key)) end
    for key in pairs(b) do assert(a[key] ~= nil, path .. "." .. tostring(key)) end
    local one, two = getmetatable(a) or {}, getmetatable(b) or {}
    assert.equal(one.__name, two.__name)
  end

  --- The findings of a scan that pauses after each piece of the text.
  local function inSlices(document)
    local go = core.catalogScanner(document)
    local found = go(1)
    while found == true do found = go(1) end
    return found
  end

  --- The results of both ways for a text; true if the scan took it.
  local function compare(document)
    local whole, message = catalog.parse(document, options)
    local found = core.scanCatalog(document)
    assert.same(found, inSlices(document))
    if found then assert(whole and not whole.leftOut, "the scan took a bad catalog: " .. document) end
    local entry, why = shared.entry(document)
    if whole then
      same(whole, assert(shared.open(assert(entry, why), options)), "catalog")
    else
      assert.equal(message, why)
    end
    return found ~= nil
  end

  it("takes the usual forms", function()
    for _, document in ipairs {
      codec.encode(petCatalog()), require("datasession.sandbox.catalog").text(3), text(),
        " " .. text() .. "\r\n\t",
      '{"services":[]}',
      '{"services":[{"name":"S","address":null,"resources":[]},{"name":"T","resources":[]}]}',
      text '"x":"\\ud83d\\ude00","y":[1e3,-2.5E-07,0e+1]',
      text '"x":[1,-0.5,{"y":[[],{}]},"\\u00e9\\n",true,false,null],"path":null',
      text '"schema":{"properties":{}}', text '"schema":{"properties":{"a":{"type":"string"},"b":{}}}',
      text [["schema":{"properties":{"tt":{"items":{"properties":{"a":{}}},
        "primaryKey":["a"],"idProperty":"a"}}}]],
      text [["schema":{"properties":{"ds":{"properties":{"t":{"items":null},
        "u":{"properties":{"a":{"maxItems":2}}}}}}}]],
      text '"operations":[{},{"type":"invoke"},{"type":"READ","verb":"Get","mergeMode":2},{"type":"count"}]',
      text '"relations":[{"relationName":"r","relationFields":[{"parentFieldName":"a"}]}],"name\195\169":1',
    } do
      assert.is_true(compare(document), document)
    end
  end)

  it("leaves to the checks what is unusual, or wrong", function()
    for _, document in ipairs {
      "", "{", "[]", "null", text():sub(1, -2), text() .. "]", "\239\187\191" .. text(),
      '{"services":[{"name":"S"}]}',
      '{"services":[],"services":[]}', text '"name":"Q"', text '"path":"a","path":"b"', text '"pa\\u0074h":1',
      text '"schema":{}', text '"schema":{"ds":{"properties":{}}}', text '"schema":{"properties":{"a":1}}',
      text '"schema":{"properties":{"a":{"primaryKey":[1]}}}', text '"x":"\\ud83d"', text '"x":"\\ude00"',
      text '"x":"\\ud83d\\u0041"', text '"x":"\\u0000"', text '"x":1e999', text '"x":1e',
      text '"x":1-2', text '"x":01', text '"x":1.', text '"x":-', text '"x":+1', text '"x":0x10',
        text '"x":"\1"',
      text '"x":"\255"', text '"x":nul', text '"x":"\\x"', text '"x":[1,]', text '"x":{"a":1,}', text '"x" 1',
      text '"x":123456789012345678901', text('"x":' .. ("["):rep(70) .. ("]"):rep(70)),
        text '"relations":[null]',
      text '"relations":[{"RelationName":null}]', text '"operations":[{"type":"read"},{"type":"Read"}]',
      text '"operations":[{"type":"fetch"}]', text '"operations":[{"verb":"fetch"}]',
      text '"operations":[{"params":{}}]',
      '{"services":[{"name":"","resources":[]}]}',
      '{"services":[{"name":"S","resources":[{"name":"R"},{"name":"R"}]}]}',
      '{"services":[{"name":"S","resources":[{"name":"\\u0052"}]}]}',
    } do
      assert.is_false(compare(document), document)
    end
    local entry, message = shared.entry(
      '{"services":[{"name":"S","resources":[]},{"name":"S","resources":[]}]}')
    assert.is_nil(entry)
    assert.matches("services[2].name: expected a name of its own", message, 1, true)
  end)

  it("takes nothing that the checks refuse, whatever becomes of a text", function()
    local base = text('"path":"/r","schema":{"properties":{"tt":{"type":"array",' ..
      '"items":{"properties":{"a":{"type":"string","default":[1,{"b":null}]}}},"primaryKey":["a"]}}},' ..
      '"operations":[{"type":"read","verb":"get",' ..
      '"params":[{"name":"f","type":"QUERY"}]}],"relations":[{"relationName":"r","relationFields":[]}]')
    local words = { '"', "{", "}", "[", "]", ",", ":", "null", "true", "1", "-", ".5", '"name"', '"type"',
      '"items"',
      "{}", "[]", '"x":1,', '"x":{},', '""', "\\", "\0", "\255", " ", '"properties":null,',
      '"type":"x",', '"items":{},' }
    local seed = os.time()
    math.randomseed(seed)
    local taken = 0
    for _ = 1, 1500 do
      local from = math.random(#base)
      local document = base:sub(1, from - 1) .. words[math.random(#words)] ..
        base:sub(from + math.random(0, 4))
      local ok, message = pcall(compare, document)
      assert(ok, ("seed %d: %s"):format(seed, tostring(message)))
      taken = taken + (message and 1 or 0)
    end
    assert.is_true(taken > 20)
  end)
end)
