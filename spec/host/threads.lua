-- The work of each Lua state of threads_spec: sessions of every system, in parallel. Returns a function that
-- steps and returns true when all is done; it raises failures.
local datasession = require "datasession"
local uris, origin = ...

local LIMIT = 60 -- seconds

datasession.defineProtocol("threads", {
  login = function(link) return link:request { path = "/static/home.html" }:await(LIMIT) end,
  sign = function() return { ["X-Signed"] = "yes" } end,
  judge = function(_, response) return response.status == 401 and "expired" or nil end,
})

local function use(options, ...)
  local session <close> = datasession.new(options)
  local events = 0
  session:subscribe("online", function() events = events + 1 end)
  assert(session:login(...):await(LIMIT))
  assert(session:request { path = "/static/home.html" }:await(LIMIT) or options.protocol == "proiv")
  assert(session:ping():await(LIMIT) or options.protocol == "threads")
  assert(events == 1)
  return true
end

local function useCatalog(options)
  options.username, options.password, options.catalogURI = "lua", "secret", "static/CustomerService.json"
  options.serviceURI = uris[options.authenticationModel]
  local session = assert(datasession.getSession(options):await(LIMIT))
  assert(#session.services == 1)
  return session:invalidate():await(LIMIT)
end

local kinds = {
  function() return use { serviceURI = uris.anonymous } end,
  function() return use({ serviceURI = uris.basic, authenticationModel = "basic" }, "lua", "secret") end,
  function()
    return use({ serviceURI = uris.form, authenticationModel = "form", pingInterval = 5 }, "lua", "secret")
  end,
  function() return use({ serviceURI = uris.bearer, authenticationModel = "bearer" }, "letmein") end,
  function() return use { serviceURI = origin, protocol = "proiv" } end,
  function() return use { serviceURI = uris.anonymous, protocol = "threads" } end,
  function() return useCatalog { authenticationModel = "form" } end,
  function() return useCatalog { authenticationModel = "sso", authenticationURI = uris.form_sso } end,
}

local left = #kinds
local problem
for _, kind in ipairs(kinds) do
  datasession.spawn(kind):next(function() left = left - 1 end, function(err)
    left, problem = left - 1, problem or tostring(err)
  end)
end

return function()
  datasession.step(0.001)
  assert(not problem, problem)
  return left == 0 and not datasession.pending()
end
