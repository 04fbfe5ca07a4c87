--- Sessions that the server ends after two seconds: some come back by themselves, some do not.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local socket = require "socket"
local users = require "field.support.users"

local SECONDS = 4 -- in which they expire

local function listen(session, events)
  session:subscribe("offline", function(_, reason) events[#events + 1] = reason end)
  session:subscribe("reconnected", function() events[#events + 1] = "reconnected" end)
end

local function open(application, extra)
  local one = { application = application, events = {} }
  one.session, one.made = client.open(application, extra)
  listen(one.session, one.events)
  return one
end

local function hasExpired(one)
  checks.at("expiry: " .. one.application.name)
  local session = one.session
  checks.rejects(session:isAuthorized(), "isAuthorized after expiry", "expired")
  checks.equal("expired", session.state, "state")
  checks.equal(datasession.SESSION_EXPIRED, one.events[1], "the event")
  checks.resolves(session:login(users.lua.name, users.lua.password), "login anew")
  checks.resolves(session:ping(), "ping after it")
  client.close(session)
end

local function comesBack(one)
  checks.at("expiry with reconnect: " .. one.application.name)
  checks.resolves(one.session:request { path = "bodies/500" }, "a request after expiry")
  checks.equal("connected", one.session.state, "state")
  checks.equal("reconnected", one.events[#one.events], "the event")
  client.close(one.session)
end

-- The access token is refreshed, or the server's word makes it so.
local function isRefreshed(one)
  checks.at("expiry of tokens: " .. one.application.name)
  checks.resolves(one.session:request { path = "bodies/500" }, "a request after expiry")
  checks.resolves(one.session:ping(), "ping")
  client.close(one.session, one.made)
end

return function(field)
  local left, returning, tokens = {}, {}, {}
  local brief = { path = "brief", model = "form", echo = "echo" }
  for _, server in ipairs(field.servers) do
    for _, line in ipairs(applications.LINES) do
      local application = applications.at(server, brief, line.scheme, line.port)
      left[#left + 1] = open(application)
      returning[#returning + 1] = open(application, { reconnect = true, keepCredentials = true })
      if server.name ~= "httpd" then
        local sso = applications.at(server, { path = "sso", model = "sso" }, line.scheme, line.port)
        tokens[#tokens + 1] = open(sso, { tokens = "shorttokens" })
      end
    end
  end
  socket.sleep(SECONDS) -- only time makes them expire
  for _, one in ipairs(left) do hasExpired(one) end
  for _, one in ipairs(returning) do comesBack(one) end
  for _, one in ipairs(tokens) do isRefreshed(one) end
end
