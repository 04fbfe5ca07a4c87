--- The results that a session keeps for the client to fetch one by one. Each item is one call, so its
-- list of commands has one, number 0.
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local ascii = require "datasession.internal.ascii"
local results = require "datasession.sandbox.datasnap.results"
local table = require("datasession.internal.lua").table

local cache = {}

--- Keeps the results of a call in `store` (a session's `cache`) if one is complex. Returns what stands for
-- them in the answer, and the item's id; the results as they are and nil when none is.
function cache.keep(store, method, values)
  local shown, id = {}, nil
  for i, value in ipairs(values) do
    if results.isComplex(value) then
      id = store.next
      shown[i] = json.encode(("%d/0/%d"):format(id, i - 1))
    else
      shown[i] = value
    end
  end
  if not id then return values end
  local names = method.outputs or { "ReturnValue" }
  store.items[id], store.next = { names = names, values = values }, id + 1
  return shown, id
end

local function describeCommand(item)
  return { parameters = json.list(item.names) }
end

local function describeItem(item)
  return { commands = json.list { describeCommand(item) } }
end

local function describeAll(store)
  local members = {}
  for id = 0, store.next - 1 do
    if store.items[id] then members[#members + 1] = { ("%d"):format(id), describeItem(store.items[id]) } end
  end
  return json.ordered(members)
end

-- The numbers of "/1/0/2/"; nil when it is not made of up to three numbers.
local function parse(path)
  if path ~= "" and path:sub(-1) ~= "/" then path = path .. "/" end
  local numbers = {}
  for segment in path:gmatch("([^/]*)/") do
    if not segment:find("^%d+$") then return nil end
    numbers[#numbers + 1] = tonumber(segment)
  end
  return #numbers <= 3 and numbers or nil
end

local function answerJSON(text)
  return http.answer(200, "application/json", text)
end

local function describe(value)
  return answerJSON(results.wrap("result", json.encode(value)))
end

local function unknown()
  return answerJSON(results.error("There is no such item in the cache"))
end

--- Whether a stream is sent as its bytes: by older servers unless the filter json is true, by newer ones if
-- it is false.
function cache.wantsBytes(request, generation)
  local asked = ascii.lower(request.query.json or "")
  return asked == "false" or generation == "older" and asked ~= "true"
end

local function wantsBytes(request, generation)
  return cache.wantsBytes(request, generation) and (generation == "newer" or not http.wantsJSON(request))
end

local function get(store, numbers, request, generation)
  local id, command, index = table.unpack(numbers)
  if not id then return describe(describeAll(store)) end
  local item = store.items[id]
  if not item or (command or 0) ~= 0 then return unknown() end
  if not command then return describe(describeItem(item)) end
  if not index then return describe(describeCommand(item)) end
  local value = item.values[index + 1]
  if not value then return unknown() end
  if results.isStream(value) and wantsBytes(request, generation) then
    return http.answer(200, "application/octet-stream", value.bytes)
  end
  return answerJSON(results.wrap("result", results.toJSON(value)))
end

local function delete(store, numbers)
  local id = numbers[1]
  if id and not store.items[id] then return unknown() end
  if id then store.items[id] = nil else store.items = {} end
  return http.answer(200)
end

--- The answer to a GET or a DELETE of `path`, what follows ".../cache/".
-- @param generation of the server: "older" or "newer"
function cache.answer(store, request, path, generation)
  local numbers = parse(path)
  if not numbers or (request.method == "DELETE" and #numbers > 1) then return http.answer(400) end
  return (request.method == "DELETE" and delete or get)(store, numbers, request, generation)
end

return cache
