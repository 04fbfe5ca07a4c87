--- What every web application of the JSDO kind serves to those it lets in: the home page, the
-- Catalog, the ping, the Customer service.
local customerservice = require "datasession.sandbox.customerservice"
local http = require "datasession.sandbox.http"
local pages = require "datasession.sandbox.pages"

local webapplication = { CATALOG = "/static/CustomerService.json" }

local DOWN = "The AppServer is not available."

local routes = {}

routes["/static/home.html"] = function(_, application)
  return http.html(200, pages.home(application))
end

routes[webapplication.CATALOG] = function(site)
  return http.answer(200, "application/json", site.catalog)
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

--- The answer to a request that has passed authentication. `application.appServer` tells whether
-- its AppServer runs.
function webapplication.answer(site, application, request)
  local route = routes[request.inside]
  if route then
    if request.method ~= "GET" and request.method ~= "HEAD" then
      return http.methodNotAllowed(request, "GET, HEAD")
    end
    return route(site, application, request)
  end
  local path = request.inside:match("^/rest/CustomerService(/.*)$")
  if not path then return http.notFound(request) end
  if not application.appServer then return http.failure(500, DOWN) end
  return customerservice.answer(site, request, path)
end

return webapplication
