--- Through tinyproxy, which asks for a password: http, and https by CONNECT.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local files = dofile "spec/support/files.lua"
local tinyproxy = require "field.servers.tinyproxy"
local users = require "field.support.users"

local function through(port, user)
  local shown = user and user.name .. ":" .. user.password .. "@" or ""
  return { proxy = ("http://%s127.0.0.1:%d"):format(shown, port) }
end

local function works(field, application, proxy)
  local session, made = client.open(application, through(proxy.port.PORT, users.proxy))
  checks.resolves(session:isAuthorized(), "isAuthorized")
  checks.resolves(session:ping(), "ping")
  checks.resolves(session:addCatalog("static/Catalog.json"), "addCatalog")
  for _, size in ipairs(field.short and { 0, 500, 70000, bodies.LARGE } or field.sizes) do
    local response = checks.resolves(session:request { path = "bodies/" .. size }, size .. " bytes")
    checks.holds(response and response.body == bodies.of(size), size .. " bytes come whole")
  end
  if application.echo then
    local sent = client.once(session, { path = application.echo, body = bodies.of(70000) })
    local response = checks.resolves(sent, "POST")
    checks.holds(response and response.body == bodies.of(70000), "its answer")
  end
  client.close(session, made)
end

-- Without a tunnel tinyproxy answers 401 to a wrong password, as an origin might. It does not read the body
-- of what it refuses, so its answer to a POST may be lost.
local function kindsOf(application, user)
  if application.caFile then return { proxy = true } end
  return { proxy = not user, auth = user, connect = application.model == "form" }
end

local function isRefused(application, proxy)
  for what, user in pairs { none = false, wrong = users.noproxy } do
    local session, login = client.login(application, nil, through(proxy.port.PORT, user))
    local err = checks.rejects(login, "a proxy with credentials: " .. what)
    if err then
      local asExpected = kindsOf(application, user)[err.kind]
      checks.holds(asExpected, "the kind, credentials: " .. what, err.kind .. ": " .. tostring(err))
    end
    checks.holds(err and not tostring(err):find(users.noproxy.password, 1, true), "the error has no password")
    session:invalidate():await(10)
  end
end

return function(field)
  local proxy = tinyproxy.new(field.around, field.nginx)
  field.proxy = proxy
  local all = applications.of({ field.nginx }, function(application)
    return application.model ~= "sso" and not (field.short and application.path == "pages")
  end)
  for _, application in ipairs(all) do
    checks.at("proxies: " .. application.name)
    works(field, application, proxy)
    isRefused(application, proxy)
  end
  checks.at("proxies: stopped")
  proxy:stop()
  local application = applications.of({ field.nginx })[1]
  local session, login = client.login(application, nil, through(proxy.port.PORT, users.proxy))
  checks.rejects(login, "a proxy that is away")
  session:invalidate():await(10)
  checks.at("proxies: log")
  local log = files.read(proxy.log)
  checks.holds(log:find("CONNECT", 1, true), "it tells of CONNECT")
end
