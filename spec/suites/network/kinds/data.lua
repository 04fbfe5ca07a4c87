--- Requests of data objects: reading, saving record by record and in one submit, counting, invoking.
local datasession = require "datasession"

local common = ...
local LIMIT, message, copy = common.LIMIT, common.message, common.copy

local JSON = "Content-Type: application/json\r\n"

local function operation(kind, verb, path, more)
  local text = '{"type":"%s","verb":"%s","path":"%s","useBeforeImage":true%s}'
  return text:format(kind, verb, path, more or "")
end

local CATALOG = [[{"version":"1.5","services":[{"name":"Data","address":"/rest/Data",
"settings":{"useRequest":true},"resources":[{"name":"Pet","path":"/Pet","idProperty":"Id",
"schema":{"properties":{"ds":{"properties":{"tt":{"type":"array","primaryKey":["Id"],
"items":{"properties":{"Id":{"type":"integer"},"Name":{"type":"string"}}}}}}}},
"operations":[]] .. table.concat({
  operation("read", "get", "?filter={filter}"),
  operation("create", "post", ""), operation("update", "put", ""), operation("delete", "delete", ""),
  operation("submit", "put", "/Submit"),
  operation("count", "put", "/count?filter={filter}", ',"name":"count"'),
  operation("invoke", "put", "/Feed", ',"name":"Feed","params":[{"name":"grams","type":"REQUEST_BODY"}]'),
}, ",") .. "]}]}]}"

local function dataset(rows, more)
  return ('{"ds":{%s"tt":[%s]}}'):format(more or "", rows)
end

local CHANGES = '"prods:hasChanges":true,'
local CREATED = '{"prods:clientId":"9","prods:rowState":"created","Id":9,"Name":"new of the server"}'
local MODIFIED = '{"prods:id":"7","prods:clientId":"7","prods:rowState":"modified","Id":7,' ..
  '"Name":"of the server"}'

local answers = {
  ["GET /Open/pets.json"] = message("200 OK", JSON, CATALOG),
  ["GET /Open/rest/Data/Pet"] = message("200 OK", JSON,
    dataset '{"Id":1,"Name":"Rex"},{"Id":2,"Name":"Mia"},{"Id":3,"Name":null}'),
  ["POST /Open/rest/Data/Pet"] = message("200 OK", JSON, dataset(CREATED, CHANGES)),
  ["PUT /Open/rest/Data/Pet"] = message("200 OK", JSON, dataset(MODIFIED, CHANGES)),
  ["DELETE /Open/rest/Data/Pet"] = message("200 OK", JSON, dataset("", CHANGES)),
  ["PUT /Open/rest/Data/Pet/Submit"] = message("200 OK", JSON, dataset(MODIFIED, CHANGES)),
  ["PUT /Open/rest/Data/Pet/count"] = message("200 OK", JSON, '{"response":{"numRecs":3}}'),
  ["PUT /Open/rest/Data/Pet/Feed"] = message("200 OK", JSON, '{"response":{"_retVal":"","left":17}}'),
}

-- ---- subjects

local function make(origin, options)
  local mine = copy(options)
  mine.serviceURI = origin .. "/Open"
  return { session = datasession.new(mine) }
end

local function connected(subject)
  local session = subject.session
  if session.state == "offline" then assert(session:isAuthorized():await(LIMIT)) end
  if not session.connected then assert(session:login():await(LIMIT)) end
  if #session.catalogs == 0 then assert(session:addCatalog("pets.json"):await(LIMIT)) end
  subject.pets = subject.pets or datasession.JSDO { name = "Pet", session = session }
end

-- With a record 7 in memory, and the change that `change` makes.
local function changed(change)
  return function(subject)
    connected(subject)
    subject.pets:addRecords({ tt = { { Id = 7, Name = "old" } } }, datasession.JSDO.MODE_EMPTY)
    change(subject.pets)
  end
end

-- A failed save leaves its change pending; a good one has the server's values.
local function saver(submit, name)
  return function(subject)
    local pets = subject.pets
    return pets:saveChanges(submit):next(function(value)
      assert(not pets:hasChanges(), "a saved change is pending")
      local first = pets:getData()[1]
      assert((first and first.Name) == name, "not the values of the server")
      return value
    end, function(err)
      assert(#pets:getChanges() == 1, "a change that was not saved is lost")
      assert(#pets:getErrors() > 0, "getErrors says nothing")
      error(err, 0)
    end)
  end
end

-- A failed fill leaves memory as it was.
local function fill(subject)
  local pets = subject.pets
  return pets:fill():next(function(value)
    assert(#pets:getData() == 3 and pets:findById("2").Name == "Mia", "not the rows of the server")
    return value
  end, function(err)
    assert(#pets:getData() == 1 and pets:hasChanges(), "a failed fill has changed memory")
    error(err, 0)
  end)
end

local function rename(pets) pets:findById("7").Name = "mine" end

local save = {
  create = changed(function(pets)
    pets:findById("7"):remove()
    pets:acceptChanges()
    pets:add { Id = 9, Name = "new" }
  end),
  update = changed(rename),
  delete = changed(function(pets) pets:findById("7"):remove() end),
}

local PET = "/Open/rest/Data/Pet"

local kinds = {
  { name = "data: fill", key = "GET " .. PET, ready = save.update, call = fill },
  { name = "data: save of a new record", key = "POST " .. PET, ready = save.create, once = true,
    call = saver(false, "new of the server") },
  { name = "data: save of a changed record", key = "PUT " .. PET, ready = save.update, once = true,
    call = saver(false, "of the server") },
  { name = "data: save of a deleted record", key = "DELETE " .. PET, ready = save.delete, once = true,
    call = saver(false, nil) },
  { name = "data: submit", key = "PUT " .. PET .. "/Submit", ready = save.update, once = true,
    call = saver(true, "of the server") },
  { name = "data: count", key = "PUT " .. PET .. "/count", ready = connected,
    call = function(subject) return subject.pets:count() end, once = true },
  { name = "data: invoke", key = "PUT " .. PET .. "/Feed", ready = connected, once = true,
    call = function(subject) return subject.pets:invoke("Feed", { grams = 3 }) end },
}

for _, kind in ipairs(kinds) do kind.make = make end

return { kinds = kinds, answers = answers }
