--- Redirects within the origin are followed, others are not; nothing of a session goes to another origin.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local logs = require "field.support.logs"

local function leads(request, place, what)
  local response = checks.resolves(request, what)
  local uri = response and response.uri
  checks.holds(uri and uri:find(place, 1, true), what .. ": where it led", uri)
end

local function follow(session, nginx, application)
  leads(session:request { path = "redirect/same" }, "/static/home.html", "a redirect within the origin")
  local post = client.once(session, { path = "redirect/see", body = "x" })
  leads(post, "/static/home.html", "a POST that becomes a GET")
  checks.rejects(session:request { path = "redirect/loop" }, "a redirect that never ends", "protocol")
  if application.put then
    local put = client.once(session, { path = "redirect/keep", method = "PUT", body = "kept" })
    leads(put, "/uploads/kept", "a PUT")
    local arrived = logs.await(1, nginx.log, "/" .. application.path .. "/uploads/kept", application.port)
    checks.equal(1, #arrived, "PUTs that arrived")
  end
end

local function stay(session, nginx)
  local before = #logs.read(nginx.otherLog)
  checks.rejects(session:request { path = "redirect/other" }, "a redirect to another origin", "protocol")
  checks.equal(before, #logs.read(nginx.otherLog), "requests that the other origin got")
  local other = ("http://127.0.0.1:%d/anonymous"):format(nginx.port.OTHER)
  checks.resolves(session:request { uri = other .. "/bodies/500" }, "a request to another origin")
  checks.resolves(session:addCatalog(other .. "/static/Catalog.json"), "a catalog of another origin")
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
