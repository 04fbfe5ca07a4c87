-- Random changes, beside a model that does each the simple way. A failure shows its seed; DATA_SEED runs one.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local data = dofile "spec/support/data.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO

-- The model: an array of { record, row, before, state }, in order; before: the row before the change.
local model = {}
model.__index = model

function model.copy(row)
  local copied = {}
  for name, value in pairs(row) do copied[name] = value end
  return copied
end

function model:find(record)
  for i, entry in ipairs(self) do
    if entry.record == record then return entry, i end
  end
end

function model:change(entry, state)
  if entry.state ~= "created" then
    entry.before = entry.before or model.copy(entry.row)
    entry.state = state
  end
end

function model:drop(entry)
  local _, i = self:find(entry.record)
  table.remove(self, i)
end

function model:accept(entry)
  if entry.state == "deleted" then self:drop(entry) end
  entry.state, entry.before = nil, nil
end

function model:reject(entry)
  if entry.state == "created" then
    self:drop(entry)
  elseif entry.state then
    entry.row, entry.state, entry.before = entry.before, nil, nil
  end
end

function model:each(f)
  for _, entry in ipairs(table.move(self, 1, #self, 1, {})) do f(self, entry) end
end

-- An insertion sort: stable, and by the order in which records came.
function model:sort(field)
  local number = self.number
  local function before(a, b)
    if a.row[field] ~= b.row[field] then return a.row[field] < b.row[field] end
    return number[a] < number[b]
  end
  for i = 2, #self do
    local entry, j = self[i], i
    while j > 1 and before(entry, self[j - 1]) do
      self[j] = self[j - 1]
      j = j - 1
    end
    self[j] = entry
  end
end

describe("a table under random changes", function()
  local server, session

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  before_each(function()
    session = data.begin(server)
  end)
  after_each(sessions.endAll)

  local function newModel()
    local counter = 0
    return setmetatable({ number = setmetatable({}, { __index = function(numbers, entry)
      counter = counter + 1
      numbers[entry] = counter
      return counter
    end }) }, model)
  end

  local function compare(items, expected, sorted)
    if sorted then expected:sort(sorted) end
    local i, live, changes = 0, {}, 0
    for _, entry in ipairs(expected) do
      if entry.state ~= "deleted" then live[#live + 1] = entry end
      if entry.state then changes = changes + 1 end
    end
    for r in items:records() do
      i = i + 1
      local entry = assert(live[i], "too many records")
      assert(entry.record == r, "another order")
      assert(r.ItemName == entry.row.ItemName and r.Price == entry.row.Price, "other values")
      assert(r.state == entry.state, "another state")
      assert(not entry.before or r.before.Price == entry.before.Price, "another value before")
    end
    assert(i == #live and #items == i, "too few records")
    assert(#items:getChanges() == changes, "other changes")
  end

  local function run(seed)
    math.randomseed(seed)
    local random = math.random
    local items = JSDO { name = seed % 2 == 0 and "Item" or "ItemById", session = session }
    local expected, sorted
    local function some()
      return #expected > 0 and expected[random(#expected)] or nil
    end
    local actions = {
      load = function()
        local rows = {}
        for i = 1, random(0, 60) do
          rows[i] = { ItemNum = i, ItemName = "n" .. random(9), Price = random(9) }
        end
        items:setSortFields(nil)
        items:addRecords(rows, JSDO.MODE_EMPTY)
        expected, sorted = newModel(), nil
        local i = 0
        for r in items:records() do
          i = i + 1
          expected[i] = { record = r, row = model.copy(rows[i]) }
          assert(expected.number[expected[i]] == i)
        end
      end,
      add = function()
        local row = { ItemNum = 1000 + random(1e6), ItemName = "n" .. random(9), Price = random(9) }
        local entry = { record = items:add(row), row = row, state = "created" }
        expected[#expected + 1] = entry
        assert(expected.number[entry])
      end,
      assign = function()
        local entry = some()
        if not entry or entry.state == "deleted" then return end
        local price = random(9)
        if price ~= entry.row.Price then expected:change(entry, "modified") end
        entry.row.Price, entry.record.Price = price, price
      end,
      remove = function()
        local entry = some()
        if not entry or entry.state == "deleted" then return end
        entry.record:remove()
        if entry.state == "created" then
          expected:drop(entry)
        else
          expected:change(entry, "deleted")
        end
      end,
      findById = function()
        local entry = some()
        if not entry then return end
        local found = items:findById(entry.record.id)
        assert(found == (entry.state ~= "deleted" and entry.record or nil), "not found by id")
      end,
      acceptRow = function()
        local entry = some()
        if entry then entry.record:acceptRowChanges() expected:accept(entry) end
      end,
      rejectRow = function()
        local entry = some()
        if entry then entry.record:rejectRowChanges() expected:reject(entry) end
      end,
      acceptAll = function() items:acceptChanges() expected:each(model.accept) end,
      rejectAll = function() items:rejectChanges() expected:each(model.reject) end,
      sort = function()
        if sorted then return end
        items:sort { "ItemName" }
        expected:sort "ItemName"
      end,
      keepSorted = function()
        sorted = not sorted and "Price" or nil
        items:setSortFields(sorted and { sorted })
      end,
    }
    local often = { "add", "assign", "assign", "remove", "remove", "findById", "rejectRow", "acceptRow" }
    local rare = { "load", "acceptAll", "rejectAll", "sort", "keepSorted" }
    actions.load()
    for step = 1, 400 do
      local name = random(12) == 1 and rare[random(#rare)] or often[random(#often)]
      if sorted and name ~= "sort" then expected:sort(sorted) end
      local ok, err = pcall(actions[name])
      if ok and (random(3) == 1 or step == 400) then ok, err = pcall(compare, items, expected, sorted) end
      assert(ok, ("DATA_SEED=%d, step %d, %s: %s"):format(seed, step, name, tostring(err)))
    end
  end

  it("is as the model of it", function()
    local only = tonumber(os.getenv "DATA_SEED")
    local first = only or math.floor(os.time() % 1e6)
    for seed = first, only or first + 29 do run(seed) end
  end)
end)
