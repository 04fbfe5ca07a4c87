--- Connections that the server ends after three requests, or a hundred; many uploads at once; gzip.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local logs = require "field.support.logs"

-- One after another, then many at once. That none arrives twice is seen in the log at the end.
local function survives(application, count)
  checks.at("connections: " .. application.name)
  local session, made = client.open(application)
  local path = application.echo or application.put .. "short"
  local method = application.echo and "POST" or "PUT"
  for i = 1, count do
    checks.resolves(session:request { path = "bodies/500" }, "GET " .. i)
    checks.resolves(client.once(session, { path = path, method = method, body = "x" }), method .. " " .. i)
  end
  for i = 1, count do
    client.once(session, { path = application.echo or path .. i, method = method, body = "x" })
      :done(function() checks.holds(true) end)
      :fail(function(_, _, info) checks.holds(false, method .. " at once", info.errorObject) end)
  end
  checks.holds(datasession.run(60), "all end in time")
  client.close(session, made)
end

local function connectionsOf(nginx, port)
  local seen, count = {}, 0
  for _, entry in ipairs(logs.read(nginx.log)) do
    local connection = entry.port == port and entry.more:match "^%d+"
    if connection and not seen[connection] then seen[connection], count = true, count + 1 end
  end
  return count
end

-- By default: bodies may go over HTTP/1.1.
local function uploadsAtOnce(application)
  checks.at("uploads at once: " .. application.name)
  application.http2 = nil
  local session, made = client.open(application)
  local body, whole = bodies.of(100000), 0
  for i = 1, 30 do
    local path = application.echo or application.put .. "many" .. i
    client.once(session, { path = path, method = application.echo and "POST" or "PUT", body = body })
      :done(function(response) if application.put or response.body == body then whole = whole + 1 end end)
      :fail(function(_, _, info) checks.holds(false, "an upload", info.errorObject) end)
  end
  checks.holds(datasession.run(60), "all end in time")
  checks.equal(30, whole, "uploads that arrived")
  client.close(session, made)
end

local function isCompressed(field, application)
  checks.at("gzip: " .. application.name)
  local session = client.open(application)
  for _, size in ipairs(field.sizes) do
    local response = checks.resolves(session:request { path = "gzip/bodies/" .. size }, size .. " bytes")
    checks.holds(response and response.body == bodies.of(size), size .. " bytes come whole")
  end
  local found = logs.await(1, field.nginx.log, "/gzip/bodies/2000", application.port)
  checks.holds(#found > 0 and found[#found].more:find("|gzip", 1, true), "it was compressed")
  client.close(session)
end

local BRIEF = { BRIEF = "http", BRIEFTLS = "https", BRIEFTWO = "https" }
local MODELS = {
  { path = "anonymous", model = "anonymous", put = "uploads/" },
  { path = "basic", model = "basic", put = "uploads/" },
  { path = "form", model = "form", echo = "echo" },
}

return function(field)
  local nginx = field.nginx
  for port, scheme in pairs(BRIEF) do
    for _, one in ipairs(MODELS) do survives(applications.at(nginx, one, scheme, port), 20) end
    checks.holds(connectionsOf(nginx, nginx.port[port]) >= 20, "connections of three requests", port)
  end
  local all = applications.of(field.servers, function(application) return application.path == "anonymous" end)
  for _, application in ipairs(all) do
    if application.server == field.tomcat then survives(application, 120) end
    uploadsAtOnce(application)
    if application.server == nginx then isCompressed(field, application) end
  end
end
