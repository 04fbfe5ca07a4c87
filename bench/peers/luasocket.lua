--- The benchmark's works with LuaSocket's http: a connection for each request. Prints what client.lua prints.
--
--   luasocket.lua ping|form COUNT SERVICE-URI

local http = require "socket.http"
local ltn12 = require "ltn12"
local cjson = require "cjson"

local FORM = "j_username=lua&j_password=secret&submit=Submit"
local work, count, uri = arg[1], math.tointeger(arg[2]), arg[3]

local function fetch(path, cookie, form)
  local parts = {}
  local _, status, headers = assert(http.request {
    url = uri .. path,
    method = form and "POST" or "GET",
    headers = {
      Accept = "application/json", ["Cache-Control"] = "no-cache", Pragma = "no-cache", Cookie = cookie,
      ["Content-Type"] = form and "application/x-www-form-urlencoded", ["Content-Length"] = form and #form,
    },
    source = form and ltn12.source.string(form),
    sink = ltn12.sink.table(parts),
  })
  assert(status == 200, path)
  return table.concat(parts), headers
end

local works = {}

function works.ping(cookie)
  assert((fetch("/rest/_oepingService/_oeping", cookie)) == '{"response":{"_retVal":""}}', "not a pong")
end

function works.form()
  local _, headers = fetch("/static/auth/j_spring_security_check", nil, FORM)
  local cookie = headers["set-cookie"]:match("^[^;]+")
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
