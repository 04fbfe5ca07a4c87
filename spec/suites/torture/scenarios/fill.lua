-- Data objects: filling, pages, counting, invoking, plugins; dates.
local data = require "datasession.data"
local date = require "datasession.date"
local t = ...

local objects = assert(loadfile "spec/suites/torture/objects.lua")(t)
local checkFits, textOf = objects.checkFits, objects.textOf

local list = t.list()

local function settings(options)
  local all = { answers = "rows", nested = false, wrapped = false, unnamed = "list" }
  for name, value in pairs(options or {}) do all[name] = value end
  t.server:setData(all)
end

local function new(name) return t.datasession.JSDO { name = name, session = objects.session() } end

-- ---- filling

-- A fill that fails leaves what was there, or has all rows of the server: no part of them, unless it merges.
-- Without memory libcurl 7.88 may send a request without its query: then these are the rows without the
-- filter.
local function filling(name, resource, filter, options, ways)
  local function rows(jsdo)
    local list_ = {}
    for _, one in ipairs(objects.tablesOf(jsdo)) do list_[#list_ + 1] = textOf(jsdo, one) end
    return table.concat(list_, "\n--\n")
  end
  local function make()
    settings(options)
    local jsdo = resource:find "^Order" and objects.loaded(resource) or new(resource)
    jsdo:subscribe("beforeFill", function() end)
    jsdo:subscribe("afterFill", function(_, success) assert(type(success) == "boolean") end)
    return jsdo
  end
  list:add {
    name = "fill: " .. name,
    ways = ways or { "await" },
    prepare = function()
      local jsdo = make()
      return { jsdo = jsdo, before = rows(jsdo) }
    end,
    call = function(_, c) return c.jsdo:fill(filter) end,
    again = function(_, c)
      checkFits(c.jsdo)
      local jsdo, found = make(), rows(c.jsdo)
      assert(jsdo:fill(filter):await(t.LIMIT))
      checkFits(jsdo)
      assert(jsdo:hasData(), "no rows")
      if name == "mergeMode" or found == c.before then return end
      -- a fill may fail when memory has the rows already: in an event of its own
      if found == rows(jsdo) then return end
      local unfiltered = filter and jsdo:fill():await(t.LIMIT) and found == rows(jsdo)
      assert(unfiltered, "a failed fill has changed memory")
    end,
  }
end

filling("a dataset", "Order", nil, nil, { "await", "spawn", "handlers", "chain" })
filling("a dataset by JFP", "Order", {
  filter = { logic = "or", filters = {
    { field = "Remarks", operator = "contains", value = "o'n~e" },
    { field = "OrderNum", operator = "gte", value = 1 },
    { field = "OrderDate", operator = "lt", value = { year = 2020, month = 2, day = 3 } },
  } }, tableRef = "ttOrder", sort = { "OrderNum:desc" }, top = 3, skip = 0,
})
filling("nested rows", "OrderNested", nil)
filling("an answer inside another", "OrderPlain", "OrderNum < 3", { wrapped = true })
filling("mergeMode", "OrderById", { mergeMode = 4 })
filling("a temp-table", "Item", nil)
filling("SQL", "ItemSql", { filter = { field = "ItemName", operator = "isnotempty" } })
filling("an unnamed table", "ItemUnnamed", nil, { unnamed = "data" })
filling("one record", "ItemUnnamed", nil, { unnamed = "record" })
filling("placeholders", "Archive", { status = "", year = 2021, paid = "", from = 0, to = 9 })

list:add {
  name = "fill: autoFill",
  prepare = function() settings() return { session = objects.session() } end,
  call = function(_, c)
    local jsdo, promise = t.datasession.JSDO { name = "Item", session = c.session, autoFill = true }
    c.jsdo = jsdo
    return promise
  end,
  ways = { "await" },
}

-- ---- what cannot be filled

local bodies = {
  page = "<html>", text = '"x"', rows = '{"dsOrder":{"ttOrder":[1]}}', broken = '{"dsOrder":{',
  image = '{"dsOrder":{"prods:hasChanges":true,"ttOrder":[{"prods:rowState":"x"}]}}',
}

for name, body in pairs(bodies) do
  list:add {
    name = "fill: not rows, " .. name,
    ways = { "await" },
    prepare = function()
      settings()
      t.server:clearFaults()
      return { jsdo = objects.loaded() }
    end,
    call = function(_, c)
      t.server:fault { kind = "status", status = 200, body = body, contentType = "application/json",
        path = "OrderService" }
      return t.refused(c.jsdo:fill(), "protocol")
    end,
    quiet = function() t.server:clearFaults() end,
    check = function(_, c)
      checkFits(c.jsdo)
      assert(#c.jsdo:getErrors() > 0 and c.jsdo.ttOrder:hasData())
    end,
  }
end

list:add {
  name = "fill: an answer with changes",
  ways = { "await" },
  prepare = function()
    settings()
    t.server:clearFaults()
    return { jsdo = objects.loaded() }
  end,
  call = function(_, c)
    t.server:fault { kind = "status", status = 200, contentType = "application/json", path = "OrderService",
      body = [[{"dsOrder":{"prods:hasChanges":true,"ttOrder":[
        {"prods:id":"a","prods:rowState":"modified","OrderNum":1,"Remarks":"new"},
        {"prods:rowState":"created","OrderNum":2},
        {"prods:id":"e","prods:hasErrors":true,"OrderNum":3}],
        "prods:before":{"ttOrder":[{"prods:id":"a","OrderNum":1,"Remarks":"old"},
        {"prods:rowState":"deleted","OrderNum":4}]},
        "prods:errors":{"ttOrder":[{"prods:id":"e","prods:error":"no"}]}}}]] }
    return c.jsdo:fill()
  end,
  quiet = function() t.server:clearFaults() end,
  check = function(_, c)
    checkFits(c.jsdo)
    assert(#c.jsdo:getChanges() == 3 or not c.promise or c.promise:state() == "rejected")
  end,
}

-- ---- pages

local function walk(jsdo)
  local pages, records = 0, 0
  for page in jsdo:pages { top = 2, sort = "ItemNum" } do pages = pages + #page end
  for record in jsdo:records { top = 2, sort = { field = "ItemNum", dir = "desc" }, keep = false } do
    records = records + (record.ItemNum and 1 or 0)
  end
  assert(pages == records and pages > 2)
end

list:add {
  name = "fill: pages",
  prepare = function()
    settings()
    return { jsdo = new "Item" }
  end,
  act = function(_, c) walk(c.jsdo) end,
  again = function(_, c)
    checkFits(c.jsdo)
    walk(new "Item")
  end,
}

-- ---- counting and invoking

local function calling(name, resource, call, check)
  list:add {
    name = "invoke: " .. name,
    ways = { "await" },
    prepare = function()
      settings()
      return {}
    end,
    call = function(_, c)
      c.jsdo = new(resource)
      return call(c.jsdo)
    end,
    check = function(_, c)
      checkFits(c.jsdo)
      if check then check(c.jsdo) end
    end,
  }
end

calling("count", "Item", function(jsdo) return jsdo:count "ItemNum > 0" end)
calling("parameters of all kinds", "Order", function(jsdo)
  return jsdo.operations.Ship { orderNum = 1, carrier = "a/b", express = false, note = "n", weight = 2.5 }
end)
calling("a dataset", "Order", function(jsdo)
  return jsdo:invoke("Reprice", { percent = 10, dsOrder = { ttOrderLine = { objects.line(1, 1) } } })
end)
for _, name in ipairs { "FetchEmpty", "FetchAppend", "FetchMerge", "FetchReplace" } do
  calling(name, "OrderById", function(jsdo) return jsdo:invoke(name, { where = "OrderNum < 3" }) end)
end
calling("a failure", "Item", function(jsdo)
  return t.refused(jsdo:invoke("Fail", { message = "no", number = 3 }), "http", "refused", "server")
end)

-- ---- plugins

local added = 0

list:add {
  name = "fill: a plugin",
  act = function()
    added = added + 1
    data.PluginManager.addPlugin("torture" .. added, {
      requestMapping = function() return {} end, responseMapping = function(_, response) return response end,
    })
  end,
}

-- ---- dates

list:add {
  name = "dates",
  act = function()
    local moment = assert(date.parse "2024-03-01T09:30:00.125+01:00")
    assert(moment.offset == 60 and date.format(moment, "DATE") == "2024-03-01")
    assert(date.format(moment, "DATETIME-TZ") == "2024-03-01T09:30:00.125+01:00")
    local seconds = date.toEpoch(moment)
    assert(date.toEpoch(date.fromEpoch(seconds, -300)) == seconds)
    assert(date.now().year >= 2024 and date.today().year >= 2024 and not date.parse "x")
  end,
}

return list
