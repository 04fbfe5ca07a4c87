-- The filter parameter that fill sends: the JSON Filter Pattern, in ABL and in SQL.
local catalog = require "datasession.catalog"
local codec = require "datasession.internal.codec"
local jfp = require "datasession.internal.data.jfp"
local mistake = require "datasession.internal.data.mistake"
local schema = require "datasession.internal.data.schema"

local ALL = "ablFilter,top,skip,id,orderBy"

local CUSTOMER = {
  CustNum = '"type":"integer","ablType":"INTEGER"', Name = '"type":"string","ablType":"CHARACTER"',
  Credit = '"type":"number","ablType":"DECIMAL","origName":"Credit-Limit"',
  Active = '"type":"boolean","ablType":"LOGICAL"', Since = '"type":"string","ablType":"DATE","format":"date"',
  Seen = '"type":"string","ablType":"DATETIME","format":"date-time"',
  Changed = '"type":"string","ablType":"DATETIME-TZ","format":"date-time"',
  Sales = '"type":"array","ablType":"DECIMAL","maxItems":4,"items":{"type":"number"}',
  Free = '"ablType":"RAW"',
}
local ORDER = { Num = '"type":"integer","ablType":"INTEGER"', Note = '"type":"string"' }

local function tableText(fields)
  local list = {}
  for name, field in pairs(fields) do list[#list + 1] = ('"%s":{%s}'):format(name, field) end
  return ('{"type":"array","items":{"properties":{%s}}}'):format(table.concat(list, ","))
end

local function resource(capabilities, ...)
  local tables = {}
  for i, fields in ipairs { ... } do tables[i] = ('"tt%d":%s'):format(i, tableText(fields)) end
  local text = ([[{"version":"1.4","services":[{"name":"S","address":"/rest","resources":[
    {"name":"R","path":"/r","schema":{"type":"object","properties":{"ds":{"properties":{%s}}}},
    "operations":[{"type":"read","path":"?filter={filter}","mappingType":"JFP","capabilities":"%s"}]}]}]}]])
    :format(table.concat(tables, ","), capabilities)
  return assert(catalog.parse(text)):resource "R"
end

local one, sql = resource(ALL, CUSTOMER), resource("sqlQuery,top", CUSTOMER)
local two = resource(ALL, CUSTOMER, ORDER)

-- The text for these options; or nil and the message.
local function text(options, on, viewTables)
  local r = on or one
  return mistake.check(jfp.text, r:operation "read", schema.shapes(r), options, viewTables)
end

local function where(filter, on)
  local made = codec.decode(assert(text({ filter = filter }, on)))
  return made.ablFilter or made.sqlQuery and made.sqlQuery:match "^SELECT %* FROM tt1 WHERE (.*)$"
end

local function eq(field, value, on)
  return where({ field = field, operator = "eq", value = value }, on)
end

local function says(message, options, on)
  local made, why = text(options, on)
  assert.is_nil(made)
  assert.equal(message, why)
end

describe("the filter that fill sends", function()
  it("has its keys in the order of the pattern", function()
    assert.equal([[{"ablFilter":"(CustNum >= 3 or INDEX(Name, 'O~'B') > 0)","tableRef":"tt1",]]
      .. [["orderBy":"Name DESC,CustNum","skip":20,"top":10,"id":"R1"}]], text {
        id = "R1", top = 10, skip = 20,
        sort = { { field = "Name", dir = "desc" }, { field = "CustNum" } },
        filter = { logic = "or", filters = {
          { field = "CustNum", operator = "gte", value = 3 },
          { field = "Name", operator = "contains", value = "O'B" },
        } },
      })
    assert.equal("{}", text {})
    assert.equal('{"viewTables":["a","b"],"top":5}', text({ top = 5 }, one, { "a", "b" }))
    assert.equal([[{"ablFilter":"BY hand","tableRef":"tt1"}]], text { filter = "BY hand" })
  end)

  it("knows all operators in ABL", function()
    for operator, expected in pairs {
      eq = "Name = 'v'", neq = "Name <> 'v'", gt = "Name > 'v'", gte = "Name >= 'v'", lt = "Name < 'v'",
      lte = "Name <= 'v'", contains = "INDEX(Name, 'v') > 0", doesnotcontain = "INDEX(Name, 'v') = 0",
      startswith = "Name BEGINS 'v'", endswith = "Name MATCHES '*v'", isnull = "Name = ?",
      isnotnull = "Name <> ?", isempty = "Name = ''", isnotempty = "Name <> ''",
    } do
      assert.equal(expected, where { field = "Name", operator = operator, value = "v" })
    end
  end)

  it("knows all operators in SQL", function()
    for operator, expected in pairs {
      eq = "Name = 'v'", neq = "Name != 'v'", gt = "Name > 'v'", gte = "Name >= 'v'", lt = "Name < 'v'",
      lte = "Name <= 'v'", contains = "Name LIKE '%v%'", doesnotcontain = "Name NOT LIKE '%v%'",
      startswith = "Name LIKE 'v%'", endswith = "Name LIKE '%v'", isnull = "Name IS NULL",
      isnotnull = "Name IS NOT NULL", isempty = "Name = ''", isnotempty = "Name != ''",
    } do
      assert.equal(expected, where({ field = "Name", operator = operator, value = "v" }, sql))
    end
    assert.equal("Active = true", where({ field = "Active", operator = "eq", value = true }, sql))
    assert.equal("Active != false", where({ field = "Active", operator = "neq", value = false }, sql))
    assert.equal([[{"tableRef":"tt1","sqlQuery":"SELECT * FROM tt1 WHERE CustNum = 1"}]],
      text({ filter = { field = "CustNum", operator = "eq", value = 1 } }, sql))
  end)

  it("nests groups, and puts two terms or more in parentheses", function()
    local a, b = { field = "CustNum", operator = "gt", value = 1 }, { field = "Name", operator = "isnull" }
    assert.equal("CustNum > 1", where { logic = "or", filters = { a } })
    assert.equal("((CustNum > 1 or Name = ?) and CustNum > 1)",
      where { logic = "and", filters = { { logic = "or", filters = { a, b } }, { filters = { a } } } })
    assert.equal("CustNum > 1", where { logic = "and", filters = { { filters = {} }, a } })
    assert.equal("{}", text { filter = { logic = "and", filters = {} } })
  end)

  it("lets no value break out of its literal", function()
    local function abl(operator, value)
      return where { field = "Name", operator = operator, value = value }
    end
    local function likeText(operator, value)
      return where({ field = "Name", operator = operator, value = value }, sql)
    end
    assert.equal([[Name = '~~~' OR 1 = 1 --']], abl("eq", "~' OR 1 = 1 --"))
    assert.equal([[Name = 'a~\~{b}"']], abl("eq", [[a\{b}"]]))
    assert.equal([[Name MATCHES '*~~*~~.~~~~~~~\~'']], abl("endswith", [[*.~\']]))
    assert.equal([[Name BEGINS '*.~~']], abl("startswith", "*.~"))
    assert.equal([[Name = ''' OR ''1''=''1']], likeText("eq", "' OR '1'='1"))
    assert.equal([[Name LIKE '%50\%\_\\''%' ESCAPE '\']], likeText("contains", [[50%_\']]))
    assert.equal([[Name LIKE 'a''b%']], likeText("startswith", "a'b"))
    says("option 'filter': Name: expected a text without NUL bytes",
      { filter = { field = "Name", operator = "eq", value = "a\0' OR TRUE" } })
    says("option 'filter': Name: expected a text without NUL bytes",
      { filter = { field = "Name", operator = "contains", value = "a\0' OR TRUE" } })
  end)

  it("lets no name of a field break out, where the catalog describes none", function()
    local open = resource(ALL, {})
    assert.equal("Name = 'x'", eq("Name", "x", open))
    assert.equal("tt.Sales-Rep[2] = 'x'", eq("tt.Sales-Rep[2]", "x", open))
    for _, name in ipairs { "1=1 OR x", "x) OR (y", "a--", "", "a'b", "a,b", "a\nb", "a[1" } do
      says(("option 'filter': expected the name of a field, got '%s'"):format(name),
        { filter = { field = name, operator = "eq", value = 1 } }, open)
      says(("option 'sort': expected the name of a field, got '%s'"):format(name),
        { sort = { field = name, dir = "desc" } }, open)
    end
  end)

  it("writes numbers exactly", function()
    for value, expected in pairs {
      [0.1 + 0.2] = "0.30000000000000004", [0.1] = "0.1", [12345678901.2345] = "12345678901.2345",
      [123456789012345.67] = "123456789012345.67", [1e20] = "100000000000000000000", [1e-5] = "0.00001",
    } do
      assert.equal("Credit-Limit = " .. expected, eq("Credit", value))
    end
  end)

  it("writes integers beyond 2^53 exactly", function()
    assert.equal("Credit-Limit = 9007199254740993", eq("Credit", 9007199254740993))
    assert.equal("CustNum = 9007199254740993", eq("CustNum", 9007199254740993))
  end)

  it("writes values as the field has them", function()
    assert.equal("CustNum = 12", eq("CustNum", "12"))
    assert.equal("Credit-Limit = 0.1", eq("Credit", 0.1))
    assert.equal("Credit-Limit = 1208925819614629174706176", eq("Credit", 2.0 ^ 80))
    assert.equal("Credit-Limit = 0.0000001", eq("Credit", 1e-7))
    assert.equal("Active = true", eq("Active", "true"))
    assert.equal("Active = false", eq("Active", false))
    assert.equal("Name = '7'", eq("Name", 7))
    assert.equal("Name = ?", eq("Name", codec.null))
    assert.equal("Name = ?", eq("Name", nil))
    assert.equal("Name IS NULL", eq("Name", nil, sql))
    assert.equal("Name <> ?", where { field = "Name", operator = "neq", value = codec.null })
    assert.equal("Sales[2] = 5", eq("Sales_2", 5))
    assert.equal("Free = 'x'", eq("Free", "x"))
  end)

  it("writes dates by the field's type, with their zone", function()
    assert.equal("Since = DATE(3, 1, 2024)", eq("Since", "2024-03-01"))
    assert.equal("Since = DATE(3, 1, 2024)", eq("Since", { year = 2024, month = 3, day = 1, hour = 12 }))
    assert.equal("Seen = DATETIME(3, 1, 2024, 9, 30, 0, 250)", eq("Seen", "2024-03-01T09:30:00.25"))
    assert.equal("Seen = DATETIME(3, 1, 2024, 0, 0, 0, 0)", eq("Seen", "2024-03-01"))
    for zone, minutes in pairs { ["+05:30"] = 330, ["-05:00"] = -300, Z = 0 } do
      assert.equal(("Changed = DATETIME-TZ(3, 1, 2024, 9, 30, 0, 0, %d)"):format(minutes),
        eq("Changed", "2024-03-01T09:30:00" .. zone))
    end
    assert.equal("Since = {d '2024-03-01'}", eq("Since", "2024-03-01", sql))
    assert.equal("Seen = {ts '2024-03-01 09:30:00.000'}", eq("Seen", "2024-03-01T09:30", sql))
    assert.equal("Changed = '2024-03-01 09:30:00.000+05:30'", eq("Changed", "2024-03-01T09:30:00+05:30", sql))
  end)

  it("takes every form of a sort order", function()
    for order, sort in pairs {
      ["Name DESC"] = { field = "Name", dir = "desc" }, ["Name"] = "Name",
      ["Name DESC,CustNum"] = "Name:desc, CustNum",
      ["CustNum,Credit-Limit DESC"] = { "CustNum:ASC", "Credit:Descending" },
      ["Name DESC,Since"] = { { field = "Name", dir = "DESC" }, "Since" },
    } do
      assert.equal(('{"orderBy":"%s"}'):format(order), text { sort = sort })
    end
    assert.equal("{}", text { sort = {} })
  end)

  it("names the table, where there are several, as it is told", function()
    local filter = { field = "Num", operator = "eq", value = 1 }
    says("option 'tableRef': expected the name of the table that the filter is for: there are several",
      { filter = filter }, two)
    assert.equal('{"ablFilter":"Num = 1","tableRef":"tt2"}', text({ filter = filter, tableRef = "tt2" }, two))
    assert.equal('{"orderBy":"Num"}', text({ sort = "Num" }, two))
    says("option 'tableRef': unknown table 'tt3': did you mean 'tt1'?", { tableRef = "tt3" }, two)
  end)

  it("checks what the service can do", function()
    local poor = resource("ablFilter", CUSTOMER)
    says("option 'top': the service lacks the capability top (the catalog lists ablFilter)",
      { top = 1 }, poor)
    says("option 'sort': the service lacks the capability orderBy (the catalog lists ablFilter)",
      { sort = "Name" }, poor)
    says("option 'filter': the service lacks the capability ablFilter or sqlQuery (the catalog lists none)",
      { filter = "x" }, resource("", CUSTOMER))
  end)

  it("says what is wrong, with the nearest name", function()
    for message, options in pairs {
      ["unknown option 'fliter': did you mean 'filter'?"] = { fliter = "x" },
      ["option 'filter': expected a text or a table, got number"] = { filter = 1 },
      ["option 'filter': unknown field 'Nmae': did you mean 'Name'?"] = {
        filter = { field = "Nmae", operator = "eq" } },
      ["option 'filter': Name: unknown operator 'equals': expected one of 'contains', 'doesnotcontain', "
        .. "'endswith', 'eq', 'gt', 'gte', 'isempty', 'isnotempty', 'isnotnull', 'isnull', 'lt', 'lte', "
        .. "'neq', 'startswith'"] = {
        filter = { field = "Name", operator = "equals" } },
      ["option 'filter': Name: expected an operator, got nil"] = { filter = { field = "Name", value = 1 } },
      ["option 'filter': CustNum: expected a number, got string"] = {
        filter = { field = "CustNum", operator = "eq", value = "12 or TRUE" } },
      ["option 'filter': CustNum: contains is for character fields"] = {
        filter = { field = "CustNum", operator = "contains", value = "1" } },
      ["option 'filter': Since: isempty is for character fields"] = {
        filter = { field = "Since", operator = "isempty" } },
      ["option 'filter': Credit-Limit: null has no order: expected eq or neq, got gt"] = {
        filter = { field = "Credit", operator = "gt" } },
      ["option 'filter': Since: expected a day from 1 to 29"] = {
        filter = { field = "Since", operator = "eq", value = "2024-02-30" } },
      ["option 'filter': logic: expected 'and' or 'or', got nil"] = { filter = { filters = { {}, {} } } },
      ["option 'filter': unknown key 'valeu': did you mean 'value'?"] = {
        filter = { field = "Name", operator = "eq", valeu = 1 } },
      ["option 'filter': unknown key 'op': did you mean 'operator'?"] = {
        filter = { field = "Name", op = "eq", value = 1 } },
      ["option 'filter': expected { field =, operator =, value = } or { logic =, filters = }, "
        .. "got an array"] = {
        filter = { { field = "Name", operator = "eq", value = 1 } } },
      ["option 'filter': logic: expected 'and' or 'or', got 'AND'"] = {
        filter = { logic = "AND", filters = {} } },
      ["option 'filter': Active: expected true or false, got string"] = {
        filter = { field = "Active", operator = "eq", value = "yes" } },
      ["option 'filter': Sales is an array: expected an element, as 'Sales_1'"] = {
        filter = { field = "Sales", operator = "lt", value = 3 } },
      ["option 'sort': unknown key 'direction': expected one of 'dir', 'field'"] = {
        sort = { field = "Name", direction = "desc" } },
      ["option 'sort': unknown field 'Nme': did you mean 'Name'?"] = { sort = "Nme" },
      ["option 'sort': expected 'asc' or 'desc', got 'up'"] = { sort = "Name:up" },
      ["option 'top': expected a whole number of 0 or more"] = { top = -1 },
      ["option 'skip': expected a whole number of 0 or more"] = { skip = 1.5 },
      ["option 'id': expected a text or a number, got table"] = { id = {} },
    } do
      says(message, options)
    end
  end)

  it("names the operator for one of ABL, SQL or Lua", function()
    for foreign, own in pairs {
      ["="] = "eq", ["<>"] = "neq", ["<"] = "lt", LE = "lte", [">="] = "gte", BEGINS = "startswith",
    } do
      says(("option 'filter': Name: unknown operator '%s': did you mean '%s'?"):format(foreign, own),
        { filter = { field = "Name", operator = foreign, value = "A" } })
    end
  end)

  it("ends at a filter that holds itself", function()
    local circle = { logic = "and", filters = {} }
    circle.filters[1] = circle
    says("option 'filter': nested deeper than 100 levels, or a table that holds itself", { filter = circle })
  end)

  it("takes a hundred levels, and no more", function()
    local filter = { field = "Name", operator = "eq", value = "A" }
    for _ = 2, 100 do filter = { logic = "and", filters = { filter } } end
    assert.is_string(text { filter = filter })
    says("option 'filter': nested deeper than 100 levels, or a table that holds itself",
      { filter = { logic = "and", filters = { filter } } })
  end)
end)
