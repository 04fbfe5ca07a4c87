--- Sessions that ping by themselves, everywhere at once, while servers go and come.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local logs = require "field.support.logs"
local socket = require "socket"
local users = require "field.support.users"

local LIMIT = 40 -- seconds for what is waited for

local function open(application)
  local one = { application = application, online = 0, offline = 0, pings = 0 }
  one.session, one.made = client.open(application)
  one.session:subscribe("offline", function() one.offline = one.offline + 1 end)
  one.session:subscribe("online", function() one.online = one.online + 1 end)
  one.session.pingInterval = 200
  return one
end

local function stepUntil(list, is)
  local limit = socket.gettime() + LIMIT
  repeat
    datasession.step(0.05)
    local all = true
    for _, one in ipairs(list) do all = all and is(one) end
  until all or socket.gettime() > limit
end

local function pings(one)
  local application = one.application
  local path = "/" .. application.path .. "/rest/_oepingService/_oeping"
  return #logs.find(application.server.log, path, application.port)
end

local function havePinged(list)
  for _, one in ipairs(list) do one.before = pings(one) end
  local limit = socket.gettime() + 2
  while socket.gettime() < limit do datasession.step(0.1) end
  for _, one in ipairs(list) do
    checks.at("autoping: " .. one.application.name)
    checks.holds(pings(one) > one.before, "it pings")
    checks.equal(true, one.session.connected, "connected")
  end
end

-- Where the login was the server's, it has gone with it.
local function restart(server, list)
  local its = {}
  for _, one in ipairs(list) do
    if one.application.server == server then its[#its + 1] = one end
  end
  server:stop()
  stepUntil(its, function(one) return one.offline > 0 end)
  for _, one in ipairs(its) do
    checks.at("autoping, stopped: " .. one.application.name)
    checks.equal(1, one.offline, "offline events")
    checks.equal(false, one.session.connected, "connected")
  end
  server:start()
  local function isBack(one) return one.online > 0 or one.session.state == "expired" end
  stepUntil(its, isBack)
  for _, one in ipairs(its) do
    checks.at("autoping, started: " .. one.application.name)
    checks.holds(isBack(one), "back online, or told that it has expired", one.session.state)
  end
end

return function(field)
  local list = {}
  for _, application in ipairs(applications.of(field.servers)) do list[#list + 1] = open(application) end
  havePinged(list)
  for _, server in ipairs(field.servers) do restart(server, list) end
  for _, one in ipairs(list) do
    checks.at("autoping, end: " .. one.application.name)
    one.session.pingInterval = 0
    if one.session.state == "expired" and one.application.model == "form" then
      checks.resolves(one.session:login(users.lua.name, users.lua.password), "login anew")
    end
    if one.application.model ~= "sso" then checks.resolves(one.session:invalidate(), "invalidate") end
  end
end
