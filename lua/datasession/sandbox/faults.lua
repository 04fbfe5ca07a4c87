--- Faults on demand: what stands between a client and the application until it has happened often
-- enough.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local pages = require "datasession.sandbox.pages"

-- By kind. `serve` runs the application; those that do not call it keep the request from it.
local kinds = {}

function kinds.slow(_, serve)
  return serve()
end

function kinds.reset()
  return { status = 500, ending = "reset" }
end

function kinds.close()
  return { status = 500, ending = "close" }
end

function kinds.truncate(fault, serve)
  local answer = serve()
  local size = answer.size or #answer.body
  answer.ending = "cut"
  answer.after = math.min(fault.after or math.floor(size / 2), math.max(size - 1, 0))
  return answer
end

function kinds.malformed()
  return http.answer(200, "application/json", '{"services": [{"name": "Customer')
end

function kinds.html()
  return http.html(200, pages.intruder())
end

function kinds.loginPage(_, _, application)
  return http.html(200, pages.login(application and application.path or ""))
end

function kinds.status(fault)
  return http.answer(fault.status, fault.contentType or "text/plain;charset=UTF-8", fault.body)
end

function kinds.redirect(fault)
  return http.addHeader(http.answer(fault.status or 302), "Location", fault.location)
end

function kinds.empty()
  return http.answer(200)
end

function kinds.raw(fault)
  return { status = 500, ending = "raw", body = fault.body }
end

local Faults = {}
Faults.__index = Faults

--- An empty list of faults.
local function new()
  return setmetatable({ list = {} }, Faults)
end

--- Adds a fault, whose options sandbox.lua has checked.
function Faults:add(fault)
  fault.left = fault.count == 0 and math.huge or fault.count or 1
  table.insert(self.list, fault)
end

function Faults:clear()
  self.list = {}
end

local function matches(fault, request, application)
  return (not fault.method or ascii.upper(fault.method) == request.method)
    and (not fault.path or request.path:find(fault.path) ~= nil)
    and (not fault.model or (application ~= nil and application.model == fault.model))
end

--- The oldest fault meant for a request, of which one occurrence is used up; nil when there is none.
function Faults:take(request, application)
  for i, fault in ipairs(self.list) do
    if matches(fault, request, application) then
      fault.left = fault.left - 1
      if fault.left <= 0 then table.remove(self.list, i) end
      return fault
    end
  end
end

-- The fault's own header lines take the place of the answer's of the same name, but cookies add up.
local function setHeaders(answer, headers)
  local kept = {}
  local replaced = {}
  for name in pairs(headers) do replaced[ascii.lower(name)] = ascii.lower(name) ~= "set-cookie" end
  for i = 1, #(answer.headers or {}), 2 do
    local name, value = answer.headers[i], answer.headers[i + 1]
    if not replaced[ascii.lower(name)] then kept[#kept + 1], kept[#kept + 2] = name, value end
  end
  answer.headers = kept
  for name, value in pairs(headers) do http.addHeader(answer, name, value) end
end

--- The answer under a fault.
function Faults:apply(fault, serve, application)
  local answer = kinds[fault.kind](fault, serve, application)
  if fault.headers then setHeaders(answer, fault.headers) end
  answer.delay = fault.delay
  return answer
end

return { new = new }
