--- Proxies of a DataSnap server's classes, which have the server's methods by their names.

local methodsOf = require "datasession.internal.methods"
local raise = require "datasession.internal.raise"
local stream = require "datasession.internal.stream"
local table = require("datasession.internal.lua").table

local datasnap = {}

-- The prefixes by which a server's method names its verb. The client sends the name without the prefix.
local PREFIXES = { update = "POST", accept = "PUT", cancel = "DELETE" }

-- "updateOrder" -> "Order", "POST"
local function split(method)
  local prefix, name = method:match "^([a-z]+)([A-Z].*)$"
  if PREFIXES[prefix] then
    return name, PREFIXES[prefix]
  end
  return method, "GET"
end

-- ---- executors

local Executor = { __name = "datasession.datasnap.executor" }
Executor.__index = Executor

--- Ends the session: session:closeSession().
function Executor:closeSession()
  return self.session:closeSession()
end

-- Calls a method of the session. Raises at the program's line.
local function forward(executor, name, ...)
  local results = table.pack(pcall(executor.session[name], executor.session, ...))
  if not results[1] then
    raise(results[2], 2)
  end
  return table.unpack(results, 2, results.n)
end

--- session:getMethodURL, with the vendor's order of arguments.
function Executor:getMethodURL(method, requestType, params, requestFilters)
  return forward(self, "getMethodURL", self.className, method, params,
    { verb = requestType, filters = requestFilters })
end

--- session:getURLPrefix.
function Executor:getURLPrefix(includeRest)
  return forward(self, "getURLPrefix", includeRest)
end

--- session:getCacheURL.
function Executor:getCacheURL(suffix, includeSessionId)
  return forward(self, "getCacheURL", suffix, includeSessionId)
end

function Executor.__tostring(executor)
  return ("%s: %s of %s"):format(Executor.__name, executor.className, tostring(executor.session))
end

methodsOf("an executor", Executor, function(value) return getmetatable(value) == Executor end)

-- ---- proxies

local Proxy = { __name = "datasession.datasnap.proxy", __metatable = "datasession.datasnap.proxy" }

-- The methods of a proxy itself.
local own = {}

--- Ends the session that the proxy calls through: session:closeSession().
function own.closeSession(proxy)
  return rawget(proxy, "session"):closeSession()
end

-- proxy:Method(...) calls the server's method with these parameters, and returns invoke's promise.
function Proxy.__index(proxy, method)
  if own[method] then
    return own[method]
  end
  if type(method) ~= "string" then
    return nil
  end
  local name, verb = split(method)
  local function call(self, ...)
    if self ~= proxy then
      error(("call it as a method: proxy:%s(...)"):format(method), 2)
    end
    return proxy.session:invoke(proxy.class, name, table.pack(...), { verb = verb })
  end
  rawset(proxy, method, call)
  return call
end

function Proxy.__tostring(proxy)
  return ("%s: %s of %s"):format(Proxy.__name, proxy.class, tostring(proxy.session))
end

--- A proxy of one class. Several proxies may share a session.
-- @param session a session of the protocol "datasnap"
-- @param class the name of the server's class
-- @return an object with the fields `session`, `class` and `executor`, which has the vendor's methods
--   closeSession, getMethodURL, getURLPrefix and getCacheURL; the method `closeSession`, and a method for
--   each of the server's: `proxy:Level("A/7", 3)` is a GET; names that begin with update, accept or cancel
--   and a capital letter go by POST, PUT and DELETE, as the server has them: `proxy:updateOrder("web")` runs
--   updateOrder. Each returns the promise of session:invoke. Raises for another protocol's session and for a
--   class that is no name
function datasnap.proxy(session, class)
  local known, protocol = pcall(function() return session.protocol end)
  if not known or protocol ~= "datasnap" then
    error("datasnap.proxy: expected a session of the protocol datasnap, got " .. tostring(session), 2)
  end
  if type(class) ~= "string" or class == "" then
    error("datasnap.proxy: class: expected the name of a class, got " .. type(class), 2)
  end
  local executor = setmetatable({ session = session, className = class }, Executor)
  return setmetatable({ session = session, class = class, executor = executor }, Proxy)
end

--- A stream parameter of a method: see internal/stream.lua.
datasnap.stream = stream.new

return datasnap
