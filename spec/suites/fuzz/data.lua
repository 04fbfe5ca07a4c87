--- The calls of the fuzz target data: whatever the server answers, each call settles, memory can be read,
-- and what is rejected brings back what was there.
-- luacheck: globals begin serve finish datasession
local JSDO = datasession.JSDO

local FIELDS = [["Id":{"type":"integer"},"Name":{"type":"string","default":"x"},
"Sales":{"type":"array","maxItems":2,"items":{"type":"number"}}]]
local OPERATIONS = [[{"type":"read","verb":"get","path":""},{"type":"create","verb":"post","path":""%s},
{"type":"update","verb":"put","path":""%s},{"type":"delete","verb":"delete","path":""%s},
{"type":"submit","verb":"put","path":"/Submit","useBeforeImage":true},
{"type":"count","name":"count","verb":"put","path":"/count"},
{"type":"invoke","name":"Merge","verb":"put","path":"/Merge","mergeMode":"MERGE",
"params":[{"name":"%s","type":"RESPONSE_BODY","xType":"%s"}]}]]
local TABLE = '{"type":"array","primaryKey":["Id"],"idProperty":"Id","items":{"properties":{' ..
  FIELDS .. "}}}"
local CHILD = '{"type":"array","idProperty":"What","items":{"properties":{"Of":{"type":"integer"},' ..
  '"What":{"type":"string"}}}}'

local function operations(image, output, xType)
  local more = image and ',"useBeforeImage":true' or ""
  return OPERATIONS:format(more, more, more, output, xType)
end

local function resource(name, schema, list, more)
  local text = '{"name":"%s","path":"/%s",%s"schema":{"properties":%s},"operations":[%s]}'
  return text:format(name, name, more or "", schema, list)
end

local BOTH = '{"ds":{"properties":{"tt":' .. TABLE .. ',"sub":' .. CHILD .. "}}}"
local RELATIONS = '"relations":[{"parentName":"tt","childName":"sub",' ..
  '"relationFields":[{"parentFieldName":"Id","childFieldName":"Of"}]}],'
local CATALOG = '{"services":[{"name":"S","address":"/rest/S","resources":[' .. table.concat({
  resource("Image", BOTH, operations(true, "ds", "DATASET"), RELATIONS),
  resource("Plain", BOTH, operations(false, "ds", "DATASET"), RELATIONS),
  resource("Table", '{"tt":' .. TABLE .. "}", operations(false, "tt", "TABLE")),
  resource("Bare", "{" .. FIELDS .. "}", operations(false, "tt", "TABLE"), '"idProperty":"Id",'),
}, ",") .. "]}]}"
local NAMES = { "Image", "Plain", "Table", "Bare" }

local STATUS = {
  [0] = "200 OK", "201 Created", "204 No Content", "500 Error", "404 Not Found", "200 OK", "200 OK",
}

-- ---- the server

local function message(status, body)
  local head = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
  return head:format(status, #body) .. body
end

local function script(input)
  local parts = {}
  for piece in input:sub(3):gmatch "[^\x1e]+" do
    local status = STATUS[piece:byte() % 7]
    parts[#parts + 1] = message(status, status:find "^204" and "" or piece:sub(2))
  end
  return table.concat(parts, "\x1e")
end

local function drive(promise)
  local turns = 0
  while promise:state() == "pending" do
    serve()
    datasession.step(turns < 20 and 0 or 0.001)
    turns = turns + 1
    assert(turns < 3000, "a promise is never settled")
  end
  local value, err = promise:await(0)
  if value == nil then
    assert(type(err) ~= "string" and err.kind and err.kind ~= "memory" and tostring(err) ~= "", tostring(err))
    assert(not tostring(err):find "attempt to" and not tostring(err):find "[%c\127]", tostring(err))
  end
  return value
end

-- The session of the Lua state, with its catalog.
local session

local function connect()
  if session and session.connected then return end
  local root = ("http://127.0.0.1:%d/App"):format(begin(message("200 OK", "{}") .. "\x1e" ..
    message("200 OK", CATALOG), 1))
  session = datasession.new { serviceURI = root, timeout = 0.5, proxy = false, maxResponseSize = 65536 }
  assert(drive(session:login()) and drive(session:addCatalog "c.json"))
end

-- ---- what must be so

local function tables(object)
  if object.resource.name == "Bare" then return { object } end
  return object.resource.tables[2] and { object.tt, object.sub } or { object.tt }
end

local function textOf(object)
  local parts = {}
  for _, t in ipairs(tables(object)) do
    for record in t:records() do
      local id = record:getId()
      assert(id == nil or type(id) == "string")
      assert(tostring(record) and record:getState() ~= "deleted")
      for name, value in pairs(record) do parts[#parts + 1] = name .. "=" .. type(value) end
      parts[#parts + 1] = tostring(id)
    end
  end
  return table.concat(parts, ",")
end

local function look(object)
  object.useRelationships = false
  for _, t in ipairs(tables(object)) do
    t:getData()
    for _, change in ipairs(t:getChanges()) do
      assert(change.record.state == change.rowState and change.rowState)
      assert(change.rowState == "created" or change.record.before)
    end
  end
  assert(object:hasChanges() == (#object:getChanges() > 0))
  for _, one in ipairs(object:getErrors()) do assert(type(one.error) == "string" and one.type) end
  return textOf(object)
end

local function change(object)
  local t = tables(object)[1]
  local record = t:find(function() return true end)
  if record then record.Name = "changed" end
  t:add { Id = 77, Name = "new" }
  local count = 0
  record = t:find(function()
    count = count + 1
    return count == 2
  end)
  if record then record:remove() end
end

return function(input)
  connect()
  local object = JSDO { name = NAMES[input:byte(1) % #NAMES + 1], session = session,
    autoApplyChanges = input:byte(2) % 8 < 4 }
  local what = input:byte(2)
  begin(script(input), 1)
  drive(object:fill())
  look(object)
  object:rejectChanges()
  local filled = look(object)
  change(object)
  look(object)
  object:rejectChanges()
  assert(look(object) == filled, "reject does not bring back what was filled")
  change(object)
  if what % 2 == 0 and object.resource.name ~= "Bare" and object.resource.name ~= "Table" then
    drive(object:saveChanges(true))
  else
    drive(object:saveChanges())
  end
  look(object)
  if what % 4 > 1 then drive(object:fill()) else drive(object:count()) end
  look(object)
  if what % 16 > 7 then drive(object:invoke("Merge", {})) end
  look(object)
  object:rejectChanges()
  assert(not object:hasChanges())
  finish()
end
