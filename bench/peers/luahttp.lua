--- The benchmark's works with lua-http, one connection being kept. Prints what client.lua prints.
--
--   luahttp.lua ping|form COUNT SERVICE-URI

local client = require "http.client"
local newHeaders = require "http.headers".new
local cjson = require "cjson"

local FORM = "j_username=lua&j_password=secret&submit=Submit"
local work, count, uri = arg[1], math.tointeger(arg[2]), arg[3]
local host, port, prefix = uri:match("^http://([^:/]+):(%d+)(.*)$")
local connection = assert(client.connect { host = host, port = tonumber(port), tls = false, version = 1.1 })

local function requestHeaders(path, cookie, form)
  local headers = newHeaders()
  headers:append(":method", form and "POST" or "GET")
  headers:append(":scheme", "http")
  headers:append(":authority", host .. ":" .. port)
  headers:append(":path", prefix .. path)
  headers:append("accept", "application/json")
  headers:append("cache-control", "no-cache")
  headers:append("pragma", "no-cache")
  if cookie then headers:append("cookie", cookie) end
  if form then
    headers:append("content-type", "application/x-www-form-urlencoded")
    headers:append("content-length", tostring(#form))
  end
  return headers
end

local function fetch(path, cookie, form)
  local stream = assert(connection:new_stream())
  assert(stream:write_headers(requestHeaders(path, cookie, form), not form))
  if form then assert(stream:write_chunk(form, true)) end
  local headers = assert(stream:get_headers())
  assert(headers:get(":status") == "200", path)
  local body = assert(stream:get_body_as_string())
  stream:shutdown()
  return body, headers
end

local works = {}

function works.ping(cookie)
  assert((fetch("/rest/_oepingService/_oeping", cookie)) == '{"response":{"_retVal":""}}', "not a pong")
end

function works.form()
  local _, headers = fetch("/static/auth/j_spring_security_check", nil, FORM)
  local cookie = headers:get("set-cookie"):match("^[^;]+")
  fetch("/static/home.html", cookie)
  local catalog = cjson.decode((fetch("/static/catalog.json", cookie)))
  assert(#catalog.services == 1, "not the catalog's service")
  works.ping(cookie)
  fetch("/static/auth/j_spring_security_logout", cookie)
end

local unit = works[work]
if work == "ping" then fetch("/static/home.html") end
unit()
local start = os.clock()
for _ = 1, count do
  unit()
end
local each = (os.clock() - start) * 1e6 / count
local file = assert(io.open("/proc/self/status"))
print(("%.3f %s"):format(each, file:read("a"):match("VmHWM:%s*(%d+)")))
file:close()
