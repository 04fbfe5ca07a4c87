--- The same works with data objects, as floor.lua does them over lua-cjson. Prints a line for each work, as
-- measure.lua does.
--
--   ours.lua COUNT SERVICE-URI

local datasession = require "datasession"
local measure = require "measure"

local count, uri = math.tointeger(arg[1]), arg[2]
local CHANGES = 1000
local ids, records = {}, {}

local session = datasession.new { serviceURI = uri, authenticationModel = "anonymous" }
assert(session:login():await())
assert(session:addCatalog(uri .. "/static/data.json"):await())
local customers = datasession.JSDO { name = "Customer", session = session }

-- The floor makes its index with the rows; here the first findById does.
local function fill()
  assert(customers:fill(tostring(count)):await())
  assert(customers:findById("1"))
end

local function sum()
  local total = 0
  customers:foreach(function(record) total = total + record.CustNum end)
  assert(total == count * (count + 1) // 2, "not the records")
end

local function find()
  for i = 1, count do
    assert(customers:findById(ids[i]))
  end
end

local function assign(limit)
  for i = 1, CHANGES do
    records[i]:assign { SalesRep = "NEW", CreditLimit = i + limit }
  end
end

local function save(submit)
  assert(customers:saveChanges(submit):await())
  assert(not customers:hasChanges(), "changes are left")
end

measure("fill", 1, fill)
for i = 1, count do
  ids[i] = tostring(i)
end
for i = 1, CHANGES do
  records[i] = customers:findById(ids[i])
end
measure("foreach", 10, sum)
measure("find", 10, find)
measure("assign", 1, function() assign(0.25) end)
measure("submit", 1, function() save(true) end)
assert(records[CHANGES].CreditLimit == CHANGES + 0.5, "not the server's values")
assign(1.5)
measure("saves", 1, function() save(false) end)
assert(records[CHANGES].CreditLimit == CHANGES + 1.5, "not the server's values")
