--- The soak's action on data objects: some random things with the data object of a slot, slot.object.
local datasession = require "datasession"
local storage = require "datasession.store"

local JSDO = datasession.JSDO
local CATALOG, CUSTOMERS = "static/OrderService.json", "static/CustomerService.json"
local RESOURCES = {
  "Order", "OrderById", "OrderPlain", "OrderNested", "Item", "ItemById", "ItemUnnamed", "Customer",
}
local MODES = { JSDO.MODE_APPEND, JSDO.MODE_EMPTY, JSDO.MODE_MERGE, JSDO.MODE_REPLACE }
local EVENTS = {
  "beforeFill", "afterFill", "beforeSaveChanges", "afterSaveChanges", "beforeCreate", "afterUpdate",
  "afterDelete", "afterInvoke",
}
local MOST = 200 -- records that one data object may have

-- An action may raise these: the session or the data object does not allow it just now.
local EXPECTED = { "a save is under way", "a fill is under way", "no longer in memory", "is deleted",
  "pending change", "has no conflict", "with that key", "working record", "invalid", "is being saved",
  "waits for the server", "cannot begin another one", "soak: on purpose", "several tables",
  "the server did not save this record", "no catalog", "was deleted", "changed on both sides" }

local objects = {}



-- A table reference of the slot's data object.
local function tableOf(slot, rnd)
  local object = slot.object
  local tables = object.resource.tables
  local name = tables[rnd:upTo(#tables)].name
  return name == "" and object or object[name]
end

local function some(slot, rnd)
  local t, skip = tableOf(slot, rnd), rnd:upTo(5)
  return t:find(function()
    skip = skip - 1
    return skip <= 0
  end)
end

local function hasResource(session, name)
  for _, catalog in ipairs(session.catalogs) do
    for resource in catalog:eachResource() do
      if resource.name == name then return true end
    end
  end
  return false
end

local actions = {}

-- Logs in, loads the catalog if need be, and makes a data object.
local function open(slot, rnd, watch)
  local session, name = slot.session, rnd:of(RESOURCES)
  watch("data object", datasession.spawn(function()
    if not session.connected then slot.system.login(session, rnd):await(1) end
    if not hasResource(session, name) then session:addCatalog { CATALOG, CUSTOMERS }:await(1) end
    if slot.session ~= session or slot.object or not hasResource(session, name) then return end
    slot.object = JSDO {
      name = name, session = session, autoApplyChanges = rnd:chance(0.7), store = storage.memory(),
      useRelationships = rnd:chance(0.7),
    }
    assert(tostring(slot.object) and #session.JSDOs > 0)
    slot.object:fill():await(0.5)
  end))
end

function actions.fill(slot, rnd, watch)
  local filter = rnd:of {
    "", "OrderNum < 20", { top = 10, skip = 0 }, { mergeMode = rnd:of(MODES) }, { top = 3, skip = 1 },
  }
  if slot.object.resource.name == "ItemUnnamed" and type(filter) == "table" then filter = nil end
  local promise = watch("fill", slot.object:fill(filter))
  if rnd:chance(0.1) then promise:cancel() end
end

function actions.count(slot, _, watch) watch("count", slot.object:count()) end

function actions.pages(slot, rnd, watch)
  local t = tableOf(slot, rnd)
  watch("pages", datasession.spawn(function()
    for _ in t:records { top = rnd:upTo(20), keep = rnd:chance(0.5) } do
      if rnd:chance(0.1) then break end
    end
  end))
end

function actions.add(slot, rnd)
  local t = tableOf(slot, rnd)
  if #t:getData() < MOST then t:add {} end
end

local FIELDS = { Remarks = true, Name = true, ItemName = true, Qty = true, Price = true, Status = true }

function actions.change(slot, rnd)
  local record = some(slot, rnd)
  if not record then return end
  for name in pairs(record) do
    if FIELDS[name] and rnd:chance(0.5) then
      local number = rnd:upTo(9)
      local text = name == "Status" and "Shipped" or "soak " .. number
      record[name] = type(record[name]) == "string" and text or number
    end
  end
end

function actions.remove(slot, rnd)
  local record = some(slot, rnd)
  if record then record:remove() end
end

function actions.save(slot, rnd, watch)
  local submit = slot.object.resource.datasetName and rnd:chance(0.4) or false
  local promise = watch("saveChanges", slot.object:saveChanges {
    submit = submit, stopOnError = rnd:chance(0.3),
    onProgress = rnd:chance(0.3) and function(done, total) assert(done <= total) end or nil,
  })
  if rnd:chance(0.1) then promise:cancel() end
end

function actions.accept(slot, rnd)
  if rnd:chance(0.5) then slot.object:acceptChanges() else slot.object:rejectChanges() end
end

function actions.acceptRow(slot, rnd)
  local record = some(slot, rnd)
  if not record then return end
  if rnd:chance(0.5) then record:acceptRowChanges() else record:rejectRowChanges() end
end

function actions.decide(slot, rnd)
  local record = some(slot, rnd)
  if record and record:getConflict() then record[rnd:of { "keepMine", "takeTheirs" }](record) end
end

-- Another program changes what is stored.
function actions.other(_, rnd, _, soak)
  local number = rnd:upTo(9)
  if rnd:chance(0.5) then
    soak.server:putRow("ttOrder", { OrderNum = number, Remarks = "other " .. rnd:upTo(9) })
  else
    soak.server:putRow("ttCustomer", { CustNum = number, Name = "other " .. rnd:upTo(9) })
  end
  if rnd:chance(0.1) then soak.server:dropRow("ttItem", { ItemNum = number }) end
end

function actions.refuse(_, rnd, _, soak)
  soak.server:refuseRows { count = rnd:upTo(3), how = rnd:of { "both", "error", "rejected" } }
end

function actions.invoke(slot, rnd, watch)
  local operations = slot.object.resource.operations
  local one = rnd:of(operations)
  if one.type ~= "invoke" or #one.params > 1 then return end
  watch("invoke", slot.object:invoke(one.name, one.params[1].name == "where" and { where = "" } or {}))
end

function actions.sort(slot, rnd)
  local t = tableOf(slot, rnd)
  local first = t:getSchema()[1].name
  t:setSortFields(rnd:chance(0.7) and { first .. rnd:of { "", ":DESC" } } or nil)
end

function actions.read(slot, rnd)
  local t, count = tableOf(slot, rnd), 0
  for record in t:records() do
    count = count + 1
    assert(record:getId() and tostring(record) and (record:getState() ~= "deleted"))
  end
  assert(count == #t:getData(), "getData and records differ")
  for _, change in ipairs(slot.object:getChanges()) do assert(change.record and change.rowState) end
  assert(slot.object:hasChanges() == (#slot.object:getChanges() > 0), "hasChanges and getChanges differ")
  for _, one in ipairs(slot.object:getErrors()) do assert(type(one.error) == "string") end
end

function actions.store(slot, rnd)
  local name = "soak" .. rnd:upTo(3)
  slot.object:saveLocal(name, rnd:of { JSDO.ALL_DATA, JSDO.CHANGES_ONLY })
  if rnd:chance(0.5) then slot.object:readLocal(name) end
  slot.object:deleteLocal(name)
end

function actions.subscribe(slot, rnd, _, soak)
  slot.object:subscribe(rnd:of(EVENTS), function()
    if rnd:chance(0.1) then soak.any() end
    if rnd:chance(0.05) then error "soak: on purpose" end
    if rnd:chance(0.05) then return false end
  end)
  if rnd:chance(0.3) then slot.object:unsubscribeAll() end
end

function actions.drop(slot) slot.object = nil end

local WEIGHTS = {
  fill = 12, count = 2, pages = 3, add = 10, change = 20, remove = 6, save = 15, accept = 2, acceptRow = 2,
  decide = 3, other = 3, refuse = 1, invoke = 4, sort = 2, read = 6, store = 2, subscribe = 3, drop = 1,
}

--- The action, whose name is "data".
-- @param ledger the soak's
function objects.action(ledger)
  -- No call may fail because the library itself is wrong.
  local function watch(what, promise)
    ledger.watch(what, promise):fail(function(...)
      local info = select(3, ...)
      local text = tostring(type(info) == "table" and info.errorObject or (...))
      if text:find "attempt to" or text:find "assertion" then ledger.fail("%s: %s", what, text) end
    end)
    return promise
  end

  local list = {}
  for name, run in pairs(actions) do list[#list + 1] = { WEIGHTS[name], name, run } end
  table.sort(list, function(a, b) return a[2] < b[2] end)

  local function act(slot, rnd, soak)
    if not slot.system.catalog then return end
    if slot.object and slot.object.session ~= slot.session then slot.object = nil end
    if not slot.object then return open(slot, rnd, watch) end
    for _ = 1, rnd:upTo(8) do
      local one = rnd:weighted(list)
      if slot.object then ledger.try("data: " .. one[2], EXPECTED, one[3], slot, rnd, watch, soak) end
    end
  end

  return { 40, "data", act }
end

return objects
