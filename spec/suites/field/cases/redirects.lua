--- Redirects within the origin are followed, others are not; nothing of a session goes to another origin.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local logs = require "field.support.logs"

local function follow(session, nginx, application)
  local response = checks.resolves(session:request { path = "redirect/same" }, "a redirect within the origin")
  checks.holds(response and response.uri:find("/static/home.html", 1, true), "where it led", response and response.uri)
  response = checks.resolves(client.once(session, { path = "redirect/see", body = "x" }), "a POST that is sent elsewhere")
  checks.holds(response and response.uri:find("/static/home.html", 1, true), "where it led", response and response.uri)
  checks.rejects(session:request { path = "redirect/loop" }, "a redirect that never ends", "protocol")
  if application.put then
    response = checks.resolves(client.once(session, { path = "redirect/keep", method = "PUT", body = "kept" }), "a PUT, redirected")
    checks.holds(response and response.uri:find("/uploads/kept", 1, true), "where it led", response and response.uri)
    checks.equal(1, #logs.await(1, nginx.log, "/" .. application.path .. "/uploads/kept", application.port), "PUTs that arrived")
  end
end

local function stay(session, nginx)
  local before = #logs.read(nginx.otherLog)
  checks.rejects(session:request { path = "redirect/other" }, "a redirect to another origin", "protocol")
  checks.equal(before, #logs.read(nginx.otherLog), "requests that the other origin got")
  local other = "http://127.0.0.1:" .. nginx.port.OTHER
  checks.resolves(session:request { uri = other .. "/anonymous/bodies/500" }, "a request to another origin")
  checks.resolves(session:addCatalog(other .. "/anonymous/static/Catalog.json"), "a catalog of another origin")
end

return function(field)
  local nginx = field.nginx
  for _, application in ipairs(applications.of { nginx }) do
    checks.at("redirects: " .. application.name)
    local session, made = client.open(application)
    follow(session, nginx, application)
    stay(session, nginx)
    client.close(session, made)
  end
end
