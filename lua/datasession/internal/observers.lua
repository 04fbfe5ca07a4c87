--- The functions onRequest and onResponse: calls them, and finds which header lines they have changed.
-- C calls this module for each request while there is such a function.

local Request = { __name = "datasession.request" }

function Request:__tostring()
  return ("%s %s (%s)"):format(self.method, self.publicURI, self.verb)
end

-- promise -> { exchange -> request }: the tables that onRequest got
local records = setmetatable({}, { __mode = "k" })

local function copy(values)
  local copied = {}
  for name, value in pairs(values) do copied[name] = value end
  return copied
end

local function fail(what, name, value)
  error(("%s: headers['%s']: expected a string, got %s"):format(what, tostring(name), type(value)), 0)
end

local function textOf(what, name, value)
  if type(name) ~= "string" then
    error(("%s: a header's name is a string, got %s"):format(what, type(name)), 0)
  elseif type(value) == "number" and value == value and value - value == 0 then
    return tostring(value)
  end
  return type(value) == "string" and value or fail(what, name, value)
end

-- The list { name, value, ... } of what differs; false in a value's place: the line is gone.
local function changes(what, before, after)
  local list = {}
  local function add(name, value) list[#list + 1], list[#list + 2] = name, value end
  if type(after) ~= "table" then
    error(("%s: headers: expected a table, got %s"):format(what, type(after)), 0)
  end
  for name in pairs(before) do
    if after[name] == nil then add(name, false) end
  end
  for name, value in pairs(after) do
    if value == false then add(name, false)
    elseif value ~= before[name] then add(name, textOf(what, name, value)) end
  end
  return list
end

local observers = {}

--- Calls onRequest.
-- @param all, own functions or nil: that of all sessions and that of this one
-- @param request table
-- @param promise, exchange: what `observers.request` finds the table by
-- @return the changes of its headers
function observers.onRequest(all, own, request, promise, exchange)
  local before = copy(request.headers)
  setmetatable(request, Request)
  local known = records[promise]
  if not known then
    known = {}
    records[promise] = known
  end
  known[exchange] = request
  if all then all(request) end
  if own then own(request) end
  return changes("onRequest", before, request.headers)
end

--- The table that onRequest got for an exchange, which is forgotten; nil: none.
function observers.request(promise, exchange)
  local known = records[promise]
  local request = known and known[exchange]
  if known then known[exchange] = nil end
  return request
end

--- Calls onResponse, that of the session first.
-- @return the changes of the response's headers
function observers.onResponse(all, own, request, response)
  local headers = response.headers
  local before = copy(headers)
  setmetatable(request, Request)
  if own then own(request, response) end
  if all then all(request, response) end
  return changes("onResponse", before, headers)
end

return observers
