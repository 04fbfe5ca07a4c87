--- A step's effects, in a form that two runs can share: what a server draws by lot (ports, session ids,
-- tokens, times) gets names in the order in which it is first seen.
local datarecord = require "datarecord"

local record = {}

-- Header lines by which the two sides are compared; the others are the transport's own affair.
local HEADERS = { "accept", "authorization", "cache-control", "content-type", "cookie", "pragma", "x-app",
  "x-client-context-id", "x-client-props" }

local Names = {}
Names.__index = Names

--- The names of one run of a case. `origins`: what stands for each server's origin.
function record.names(origins)
  return setmetatable({ origins = origins, known = {}, counts = {} }, Names)
end

-- A name for a value drawn by lot: "context1".
function Names:of(kind, value)
  if value == nil or value == "" or value == "0" then return value end
  local key = kind .. " " .. value
  if not self.known[key] then
    self.counts[kind] = (self.counts[kind] or 0) + 1
    self.known[key] = kind .. self.counts[kind]
  end
  return self.known[key]
end

function Names:text(text)
  for origin, name in pairs(self.origins) do
    local from, to = text:find(origin, 1, true)
    while from do
      text = text:sub(1, from - 1) .. name .. text:sub(to + 1)
      from, to = text:find(origin, from + #name, true)
    end
  end
  return text
end

function Names:all(value)
  if type(value) == "string" then return self:text(value) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, one in pairs(value) do copy[key] = self:all(one) end
  return copy
end

local function cookies(names, line)
  return line and line:gsub("JSESSIONID=([^;]*)",
    function(id) return "JSESSIONID=" .. names:of("cookie", id) end)
end

local function authorization(names, line)
  return line and line:gsub("^oecp (.*)$", function(token) return "oecp " .. names:of("token", token) end)
end

local function headers(names, given)
  local told = {}
  for _, name in ipairs(HEADERS) do told[name] = given[name] end
  told.cookie = cookies(names, given.cookie)
  told.authorization = authorization(names, given.authorization)
  told["x-client-context-id"] = names:of("context", given["x-client-context-id"])
  return told
end

local function body(names, text)
  return (text:gsub('("refresh_token":")([^"]*)', function(before, token)
    return before .. names:of("refresh token", token)
  end))
end

-- The query without _ts, in the order in which it was sent.
local function query(uri)
  local kept = {}
  for part in (uri:match("%?(.*)") or ""):gmatch("[^&]+") do
    if not part:find("^_ts=") then kept[#kept + 1] = part end
  end
  return table.concat(kept, "&")
end

-- That what is known still holds is as good as to be told it again; the reference leaves that to the browser.
local function status(request)
  return request.status == 304 and request.headers["if-none-match"] and 200 or request.status
end

--- A request of the sandbox's log; `data`: of a case about data objects.
function record.request(names, request, server, data)
  local path = request.uri:match("^[^?;]*")
  local rest = data and datarecord.query(query(request.uri)) or query(request.uri)
  local context = request.parameters.JSESSIONID
  return {
    what = ("%s %s%s%s"):format(request.method, server == "main" and "" or server, path,
      rest ~= "" and "?" .. rest or ""),
    timeStamp = request.query._ts ~= nil, parameter = names:of("context", context),
    headers = headers(names, request.headers),
    body = data and datarecord.body(request.body) or body(names, request.body), status = status(request),
    time = request.time,
  }
end

local function properties(names, given)
  local told = names:all(given)
  told.clientContextId = names:of("context", given.clientContextId)
  return told
end

--- A step: `told` by the side, `requests` by the servers; `unordered`: what a batch told in any order.
function record.step(names, told, requests, unordered)
  local value = datarecord.value(names, told.value)
  local step = { outcome = told.outcome, text = told.text, error = told.error, value = names:all(value),
    data = datarecord.outcome(names, told.data, unordered), memory = datarecord.memory(names, told.memory),
    result = told.result, status = told.status, info = names:all(told.info), events = told.events or {},
    uncaught = told.uncaught or 0, requests = requests, properties = {}, all = told.all and {} }
  for name, given in pairs(told.properties or {}) do step.properties[name] = properties(names, given) end
  for i, one in ipairs(told.all or {}) do step.all[i] = record.step(names, one, {}, unordered) end
  for i, event in ipairs(step.events) do step.events[i] = datarecord.event(event) end
  if unordered then table.sort(step.events) end
  return step
end

return record
