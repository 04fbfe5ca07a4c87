--- Data objects for the scenarios, and what must be true of them. The file gets the table `t` of victim.lua.
local t = ...

local objects = {}

-- A session is kept as long as some scenario's context has it: to log in again takes long.
local kept = setmetatable({}, { __mode = "v" })

--- A session whose catalog is OrderService.
function objects.session()
  local s = kept[1]
  if s and s.state == "online" and #s.catalogs == 1 then return s end
  s = t.loggedIn "anonymous"
  assert(s:addCatalog(t.server:catalogURI("anonymous", "OrderService")):await(t.LIMIT))
  kept[1] = s
  return s
end

--- The row of an order.
function objects.row(n)
  return { OrderNum = n, CustNum = n * 2, Status = "Ordered", Discounts = { n, 0, 0 }, Remarks = "r" .. n }
end

--- The row of an order's line.
function objects.line(order, n)
  return { LineId = order .. "-" .. n, OrderNum = order, LineNum = n, Qty = n, Price = 2.5 }
end

--- A data object with the orders 1 to 4, each with a line.
function objects.loaded(name)
  local orders = t.datasession.JSDO { name = name or "Order", session = objects.session() }
  local data = { ttOrder = {}, ttOrderLine = {} }
  for n = 1, 4 do data.ttOrder[n], data.ttOrderLine[n] = objects.row(n), objects.line(n, 1) end
  orders:addRecords({ dsOrder = data }, t.datasession.JSDO.MODE_EMPTY)
  return orders
end

-- A table reference; an unnamed table has the methods of the data object.
local function tableOf(jsdo, name) return name == "" and jsdo or jsdo[name] end

--- The rows of a table, whatever the relations, as a text.
function objects.textOf(jsdo, name)
  local related = jsdo.useRelationships
  jsdo.useRelationships = false
  local parts = {}
  for _, values in ipairs(tableOf(jsdo, name):getData()) do
    local names = {}
    for field, value in pairs(values) do
      if type(value) == "table" then value = table.concat(value, " ") end
      names[#names + 1] = field .. "=" .. tostring(value)
    end
    table.sort(names)
    parts[#parts + 1] = table.concat(names, ",")
  end
  jsdo.useRelationships = related
  return table.concat(parts, "\n")
end

--- The names of the tables of a data object.
function objects.tablesOf(jsdo)
  local both = jsdo.resource.name:find "^Order"
  return both and { "ttOrder", "ttOrderLine" } or { jsdo.resource.tables[1].name }
end

--- Raises unless records, changes and ids fit together.
function objects.checkFits(jsdo)
  for _, name in ipairs(objects.tablesOf(jsdo)) do
    local one = tableOf(jsdo, name)
    local changes = one:getChanges()
    assert(one:hasChanges() == (#changes > 0), "hasChanges and getChanges differ")
    for _, change in ipairs(changes) do
      local record = change.record
      assert(record.state == change.rowState and record.state, "a change without a state")
      if change.rowState == "created" then assert(not record.before, "a new record has a before-image") end
      if change.rowState == "modified" then assert(record.before, "a change without a before-image") end
    end
    local related = jsdo.useRelationships
    jsdo.useRelationships = false
    for record in one:records() do
      local found = one:findById(record:getId())
      assert(found and found:getId() == record:getId(), "a record is not found by its id")
    end
    jsdo.useRelationships = related
  end
end

return objects
