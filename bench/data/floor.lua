--- The works of ours.lua over bare libcurl (transfer.c) and lua-cjson: rows as plain tables, an index
-- by id, a copy of each row that is changed. Prints a line for each work, as measure.lua does.
--
--   floor.lua COUNT SERVICE-URI

local transfer = require "transfer"
local cjson = require "cjson"
local measure = require "measure"

local format = string.format -- "%d": old versions of lua-cjson make floats of all numbers

local count, uri = math.tointeger(arg[1]), arg[2] .. "/rest/BenchData/Customer"
local CHANGES = 1000
local rows, index, before, ids

local function fill()
  rows, index = cjson.decode(transfer("GET", uri .. "?filter=" .. count)).dsCustomer.ttCustomer, {}
  for i = 1, #rows do
    local row = rows[i]
    index[format("%d", row.CustNum)] = row
  end
end

local function foreach(call)
  for i = 1, #rows do
    if call(rows[i]) == false then return end
  end
end

local function sum()
  local total = 0
  foreach(function(row) total = total + row.CustNum end)
  assert(total == count * (count + 1) // 2, "not the records")
end

local function find()
  for i = 1, count do
    assert(index[ids[i]])
  end
end

local function copy(row)
  local made = {}
  for name, value in next, row do
    made[name] = value
  end
  return made
end

local function assign(limit)
  before = {}
  for i = 1, CHANGES do
    local row = rows[i]
    before[row] = copy(row)
    row.SalesRep, row.CreditLimit = "NEW", i + limit
  end
end

local function marked(row, id)
  local made = copy(row)
  made["prods:id"], made["prods:clientId"], made["prods:rowState"] = id, id, "modified"
  return made
end

local function old(row, id)
  local made = copy(row)
  made["prods:id"] = id
  return made
end

local function document(first, last)
  local new, was = {}, {}
  for i = first, last do
    local id = ids[i]
    new[#new + 1], was[#was + 1] = marked(rows[i], id), old(before[rows[i]], id)
  end
  return cjson.encode { dsCustomer = {
    ["prods:hasChanges"] = true, ttCustomer = new, ["prods:before"] = { ttCustomer = was },
  } }
end

local function submit()
  local answer = cjson.decode(transfer("PUT", uri .. "/SubmitCustomer", document(1, CHANGES)))
  for _, row in ipairs(answer.dsCustomer.ttCustomer) do
    local mine = index[row["prods:clientId"]]
    row["prods:id"], row["prods:clientId"], row["prods:rowState"] = nil, nil, nil
    for name, value in next, row do
      mine[name] = value
    end
  end
  assert(rows[CHANGES].CreditLimit == CHANGES + 0.5, "not the server's values")
end

measure("fill", 1, fill)
ids = {}
for i = 1, count do
  ids[i] = format("%d", rows[i].CustNum)
end
measure("foreach", 10, sum)
measure("find", 10, find)
measure("assign", 1, function() assign(0.25) end)
measure("submit", 1, submit)
assign(1.5)

-- Bare libcurl: the bodies are there, the answers are not read.
local bodies = {}
for i = 1, CHANGES do
  bodies[i] = document(i, i)
end
measure("saves", 1, function()
  for i = 1, CHANGES do
    transfer("PUT", uri, bodies[i])
  end
end)
