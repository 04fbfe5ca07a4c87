--- The answers that data objects read, as subjects of systems.lua.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"

local LIMIT = 20
local CATALOG = [[{"version":"1.5","services":[{"name":"Data","address":"/rest/Data","resources":[{
"name":"Pet","path":"/Pet","schema":{"properties":{"ds":{"properties":{
"tt":{"type":"array","primaryKey":["Id"],"idProperty":"Id","items":{"properties":{"Id":{"type":"integer"},
"Name":{"type":"string"},
"Sales":{"type":"array","maxItems":3,"items":{"type":"number"}}}}},
"sub":{"type":"array","idProperty":"What","items":{"properties":{"Of":{"type":"integer"},
"What":{"type":"string"}}}}}}}},
"relations":[{"parentName":"tt","childName":"sub","relationFields":[{"parentFieldName":"Id",
"childFieldName":"Of"}]}],
"operations":[
{"type":"read","verb":"get","path":""},{"type":"create","verb":"post","path":"","useBeforeImage":true},
{"type":"update","verb":"put","path":"","useBeforeImage":true},
{"type":"delete","verb":"delete","path":"","useBeforeImage":true},
{"type":"submit","verb":"put","path":"/Submit","useBeforeImage":true},
{"type":"count","name":"count","verb":"put","path":"/count"},
{"type":"invoke","name":"Merge","verb":"put","path":"/Merge","mergeMode":"REPLACE",
"params":[{"name":"ds","type":"RESPONSE_BODY","xType":"DATASET"}]}]}]}]}]]

local PET = "/Data/rest/Data/Pet"

local objects = {}

-- ---- what data objects have after an answer can be read, and undone

local function walk(pets)
  pets.useRelationships = false
  for _, name in ipairs { "tt", "sub" } do
    for record in pets[name]:records() do
      for field, value in pairs(record) do assert(type(field) == "string" and value ~= nil) end
      assert(tostring(record))
      local _, _, _, _ = record:getId(), record:getBefore(), record:getErrorString(), record:getConflict()
    end
    pets[name]:getData()
    for _, change in ipairs(pets[name]:getChanges()) do assert(change.rowState and change.record) end
  end
  for _, one in ipairs(pets:getErrors()) do assert(type(one.error) == "string" and one.type) end
  pets:rejectChanges()
  assert(not pets:hasChanges())
end

-- A call of a data object that has the pets 1 and 2.
local function caller(call)
  return function(session)
    if #session.catalogs == 0 then
      assert(session:login():await(LIMIT))
      assert(session:addCatalog("pets.json"):await(LIMIT))
    end
    local pets = datasession.JSDO { name = "Pet", session = session }
    local mia = { Id = 2, Name = "Mia", Sales = { 1, 2, 3 } }
    pets:addRecords({ ds = { tt = { { Id = 1, Name = "Rex" }, mia } } },
      datasession.JSDO.MODE_EMPTY)
    local promise = call(pets)
    promise:always(function() end)
    return promise:next(function(value)
      walk(pets)
      return value
    end, function(err)
      walk(pets)
      error(err, 0)
    end)
  end
end

local function make(origin)
  return datasession.new { serviceURI = origin .. "/Data", proxy = false }
end

local function change(submit)
  return function(pets)
    pets.tt:findById("1").Name = "Max"
    return pets:saveChanges(submit)
  end
end

local function create(pets)
  pets.tt:add { Id = 9, Name = "Bo" }
  return pets:saveChanges()
end

local function delete(pets)
  pets.tt:findById("2"):remove()
  return pets:saveChanges()
end

-- ---- documents

local function rows()
  return { ds = {
    tt = { { Id = 1, Name = "Rex", Sales = { 1, 2.5, codec.null } }, { Id = 2, Name = codec.null } },
    sub = { { Of = 1, What = "bone" } },
  } }
end

local function changes()
  return { ds = {
    ["prods:hasChanges"] = true, ["prods:hasErrors"] = true,
    tt = {
      { ["prods:id"] = "a", ["prods:clientId"] = "a", ["prods:rowState"] = "modified", Id = 1, Name = "new" },
      { ["prods:id"] = "b", ["prods:rowState"] = "created", Id = 2, ["prods:hasErrors"] = true,
        ["prods:rejected"] = true },
    },
    ["prods:before"] = { tt = {
      { ["prods:id"] = "a", Id = 1, Name = "old" }, { ["prods:rowState"] = "deleted", Id = 3 },
    } },
    ["prods:errors"] = { tt = { { ["prods:id"] = "b", ["prods:error"] = "no" } } },
  } }
end

local function saved()
  return { ds = { ["prods:hasChanges"] = true, tt = { { ["prods:id"] = "1", ["prods:clientId"] = "1",
    ["prods:rowState"] = "modified", Id = 1, Name = "Max" } } } }
end

local function created()
  return { ds = { ["prods:hasChanges"] = true, tt = { { ["prods:clientId"] = "9",
    ["prods:rowState"] = "created", Id = 9, Name = "Bo" } } } }
end

local function deleted()
  return { ds = { ["prods:hasChanges"] = true, ["prods:before"] = { tt = { { ["prods:clientId"] = "2",
    ["prods:rowState"] = "deleted", Id = 2 } } } } }
end

local fill = caller(function(pets) return pets:fill() end)

objects.subjects = {
  { name = "data: rows", keys = { "GET " .. PET }, call = fill, good = rows },
  { name = "data: rows, nested", keys = { "GET " .. PET }, call = fill, good = function()
    return { response = { ds = { tt = { { Id = 1, sub = { { Of = 1, What = "bone" } } }, { Id = 2 } } } } }
  end },
  { name = "data: rows with changes", keys = { "GET " .. PET }, call = fill, good = changes },
  { name = "data: a changed record's answer", keys = { "PUT " .. PET }, call = caller(change(false)),
    good = saved },
  { name = "data: a new record's answer", keys = { "POST " .. PET }, call = caller(create), good = created },
  { name = "data: a deleted record's answer", keys = { "DELETE " .. PET }, call = caller(delete),
    good = deleted },
  { name = "data: a submit's answer", keys = { "PUT " .. PET .. "/Submit" }, call = caller(change(true)),
    good = saved },
  { name = "data: a failure", keys = { "PUT " .. PET }, call = caller(change(false)), status = "500 Error",
    next = fill, good = function()
      return { _retVal = "why", _errors = { { _errorMsg = "no", _errorNum = 7 }, { _errorMsg = "never" } } }
    end },
  { name = "data: a count", keys = { "PUT " .. PET .. "/count" },
    call = caller(function(pets) return pets:count() end),
    good = function() return { response = { numRecs = 3, _retVal = "" } } end },
  { name = "data: an output that is merged", keys = { "PUT " .. PET .. "/Merge" },
    call = caller(function(pets) return pets:invoke("Merge", {}) end),
    good = function() return { response = { ds = rows() } } end },
}

for _, subject in ipairs(objects.subjects) do subject.make = make end

objects.answers = {
  ["GET /Data/static/home.html"] = { "", "{}" },
  ["GET /Data/pets.json"] = { "", CATALOG },
  ["GET " .. PET] = { "", assert(codec.encode(rows())) },
  ["PUT " .. PET] = { "", assert(codec.encode(saved())) },
}

return objects
