--- Through tinyproxy, which asks for a password: http, and https by CONNECT.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local files = dofile "spec/support/files.lua"
local tinyproxy = require "field.servers.tinyproxy"
local users = require "field.support.users"

local function through(port, user)
  return { proxy = ("http://%s%s127.0.0.1:%d"):format(user and user.name .. ":" .. user.password or "", user and "@" or "", port) }
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
    local response = checks.resolves(client.once(session, { path = application.echo, body = bodies.of(70000) }), "POST")
    checks.holds(response and response.body == bodies.of(70000), "its answer")
  end
  client.close(session, made)
end

-- Without a tunnel what tinyproxy answers to a wrong password is 401, as an origin might. It does not read the body that
-- comes with a request that it refuses, so its answer to a POST may be lost.
local function kindsOf(application, user)
  if application.caFile then return { proxy = true } end
  return { proxy = not user, auth = user, connect = application.model == "form" }
end

local function isRefused(application, proxy)
  for what, user in pairs { none = false, wrong = { name = users.proxy.name, password = "Falsch-4720-field" } } do
    local session, login = client.login(application, nil, through(proxy.port.PORT, user))
    local err = checks.rejects(login, "a proxy with credentials: " .. what)
    checks.holds(err and kindsOf(application, user)[err.kind], "the kind, credentials: " .. what, err and err.kind .. ": " .. tostring(err))
    checks.holds(err and not tostring(err):find("Falsch", 1, true), "the error has no password")
    session:invalidate():await(10)
  end
end

return function(field)
  local proxy = tinyproxy.new(field.around, field.nginx)
  field.proxy = proxy
  for _, application in ipairs(applications.of({ field.nginx }, function(application) return application.model ~= "sso" end)) do
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
