--- The host's routes, and its function for every request: they stand in front of the applications.
local handler = require "datasession.sandbox.handler"
local table = require("datasession.internal.lua").table

local Routes = {}
Routes.__index = Routes

--- No routes.
-- @param clock function: seconds
local function new(clock)
  return setmetatable({ list = {}, clock = clock }, Routes)
end

local function key(route)
  return route.method .. " " .. route.pattern
end

--- Takes the route of this method and pattern away.
function Routes:remove(method, pattern)
  for i, route in ipairs(self.list) do
    if route.method == method and route.pattern == pattern then return table.remove(self.list, i) end
  end
end

--- Adds a route, in place of one with the same method and pattern.
-- @param code, state strings: see datasession.sandbox.dump
function Routes:add(method, pattern, code, state)
  local route = { method = method, pattern = pattern }
  route.handler = handler.new("the route " .. key(route), code, state, self.clock)
  self:remove(method, pattern)
  table.insert(self.list, 1, route)
end

--- Sets the function for every request; nil: none.
function Routes:setHook(code, state)
  self.hook = code and handler.new("the function of onRequest", code, state, self.clock)
end

function Routes:clear()
  self.list, self.hook = {}, nil
end

-- The captures of a pattern that fits the whole path; nil: it does not. A path that is the pattern's own
-- text fits too, so that marks of patterns in it do no harm.
local function capturesOf(pattern, path)
  if path == pattern then return {} end
  local found = table.pack(path:find("^" .. pattern:gsub("^%^", ""):gsub("([^%%])%$$", "%1") .. "$"))
  if not found[1] then return nil end
  return table.move(found, 3, found.n, 1, {})
end

local function fits(route, method)
  return route.method == "*" or route.method == method or (route.method == "GET" and method == "HEAD")
end

local function find(self, request)
  for _, route in ipairs(self.list) do
    local captures = fits(route, request.method) and capturesOf(route.pattern, request.path)
    if captures then return route, captures end
  end
end

-- A function that gives `serve()`, which runs once.
local function once(serve)
  local answer
  return function()
    answer = answer or serve()
    return answer
  end
end

-- Runs a function in front of `serve`.
local function through(one, request, captures, serve)
  local shared = once(serve)
  local function results() return handler.results(shared()) end
  local answer, failure = handler.answer(one, request, captures, results)
  request.failure = request.failure or failure
  return answer or shared()
end

--- The answer to a request: the hook's, else that of the newest route that fits, else that of `serve`. Sets
-- `route` and `failure` of the request for the log.
function Routes:answer(request, serve)
  local route, captures = find(self, request)
  request.route = route and key(route)
  local function inner()
    if not route then return serve() end
    return through(route.handler, request, captures, serve)
  end
  if not self.hook then return inner() end
  return through(self.hook, request, {}, inner)
end

return { new = new }
