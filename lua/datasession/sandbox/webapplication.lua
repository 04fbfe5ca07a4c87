--- Every web application of the JSDO kind serves to those it lets in: the home page, the
-- Catalogs, the ping, the services.
local catalog = require "datasession.sandbox.catalog"
local http = require "datasession.sandbox.http"
local pages = require "datasession.sandbox.pages"
local service = require "datasession.sandbox.data.service"

local webapplication = { CATALOG = "/static/CustomerService.json" }

local CATALOG_DATE = "Fri, 01 Mar 2024 09:00:00 GMT"
local DOWN = "The AppServer is not available."

local routes = {}

-- A catalog of the program's own.
local function ownCatalog(site, path)
  return site.catalogs[path:match "^/static/([^/]+)%.json$" or ""]
end

routes["/static/home.html"] = function(_, application)
  return http.html(200, pages.home(application))
end

-- A sum of the text's bytes by which one catalog can be told from another.
local function entityTag(text)
  local sum = #text
  for i = 1, #text do sum = (sum * 31 + text:byte(i)) % 4294967296 end
  return ("\"%08x\""):format(sum)
end

-- Whether what a client has is what it would get: a tag counts before a date.
local function isUnchanged(request, tag)
  local tags, date = request.headers["if-none-match"], request.headers["if-modified-since"]
  if tags then return tags == "*" or tags:find(tag, 1, true) ~= nil end
  return date == CATALOG_DATE
end

local function answerCatalog(site, request, text)
  local tag = site.tags[text] or entityTag(text)
  site.tags[text] = tag
  local unchanged = isUnchanged(request, tag)
  local answer = unchanged and http.answer(304) or http.answer(200, "application/json", text)
  http.addHeader(answer, "ETag", tag)
  return http.addHeader(answer, "Last-Modified", CATALOG_DATE)
end

routes[webapplication.CATALOG] = function(site, _, request)
  return answerCatalog(site, request, site.catalog)
end

-- Most servers never need the orders, so their module is loaded by the first request for them.
local function orderservice()
  return require "datasession.sandbox.data.orderservice"
end

routes["/static/OrderService.json"] = function(site, _, request)
  site.orderCatalog = site.orderCatalog or orderservice().text()
  return answerCatalog(site, request, site.orderCatalog)
end

-- The newer ping runs ABL code, so without an AppServer it is an error.
routes["/rest/_oepingService/_oeping"] = function(site, application, request)
  if site.ping ~= "new" then return http.notFound(request) end
  if not application.appServer then return http.failure(500, DOWN) end
  return http.json(200, { response = { _retVal = "" } })
end

-- The classic one looks from outside, and reports.
routes["/rest/_oeping"] = function(site, application, request)
  if site.ping ~= "classic" then return http.notFound(request) end
  return http.json(200, { AppServerStatus = { PingStatus = tostring(application.appServer) } })
end

local isService = { CustomerService = true, OrderService = true, StockService = true }

-- The resource that a data request is for; nil without one.
local function resourceAt(site, path)
  local name = path:match "^CustomerService/([^/]*)"
  if name then return site.resources[name] and catalog.resource end
  local known = path:match "^OrderService/[^/]*" or path:match "^StockService/[^/]*"
  return known and orderservice().resource(known)
end

--- The answer to a request that has passed authentication. `application.appServer` tells whether
-- its AppServer runs.
function webapplication.answer(site, application, request)
  local own = ownCatalog(site, request.inside)
  local route = own and function() return answerCatalog(site, request, own) end or routes[request.inside]
  if route then
    if request.method ~= "GET" and request.method ~= "HEAD" then
      return http.methodNotAllowed(request, "GET, HEAD")
    end
    return route(site, application, request)
  end
  local path = request.inside:match("^/rest/(.*)$")
  if not (path and isService[path:match "^[^/]*"]) then return http.notFound(request) end
  if not application.appServer then return http.failure(500, DOWN) end
  local resource = resourceAt(site, path)
  if not resource then return http.notFound(request) end
  return service.answer(site.database, resource, request)
end

return webapplication
