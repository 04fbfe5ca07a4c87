--- The server is stopped and started again in the middle.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local users = require "field.support.users"

local function listen(one)
  one.events = {}
  one.session:subscribe("offline", function(_, reason) one.events[#one.events + 1] = reason end)
  one.session:subscribe("online", function() one.events[#one.events + 1] = "online" end)
end

local function open(application, extra)
  local one = { application = application, reconnects = extra ~= nil }
  one.session, one.made = client.open(application, extra)
  listen(one)
  return one
end

local function openAll(server)
  local list = {}
  for _, application in ipairs(applications.of { server }) do
    list[#list + 1] = open(application)
    if application.model == "form" or application.model == "basic" then
      local reconnect = { maxAttempts = 200, delay = 0.1 }
      list[#list + 1] = open(application, { keepCredentials = true, reconnect = reconnect })
    end
  end
  return list
end

local function isAway(one)
  checks.at("stopped: " .. one.application.name)
  if one.reconnects then
    one.waiting = one.session:request { path = "bodies/500", timeout = 120 }
    return
  end
  checks.rejects(one.session:ping(), "ping")
  checks.equal("offline", one.session.state, "state")
  checks.equal(datasession.SERVER_OFFLINE, one.events[1], "the event")
  local err = checks.rejects(client.once(one.session, { path = "echo", body = "x" }), "POST", "connect")
  checks.holds(err and err.retryable, "may be tried again", err)
end

-- Its login may have ended with the server that held it.
local function isBack(one)
  checks.at("started again: " .. one.application.name)
  local session = one.session
  if one.reconnects then
    checks.resolves(one.waiting, "the request that waited", 130)
  else
    local ok, err = session:isAuthorized():await(60)
    if not ok and one.application.model == "form" then
      checks.equal("expired", err.kind, "what isAuthorized is rejected with")
      checks.resolves(session:login(users.lua.name, users.lua.password), "login anew")
    elseif one.application.model ~= "sso" then
      checks.holds(ok, "isAuthorized", err)
    end
  end
  if one.application.model == "sso" then
    if one.made:hasClientCredentials() then one.made:logout():await(10) end
    return session:invalidate():await(10)
  end
  checks.equal("connected", session.state, "state")
  checks.equal("online", one.events[#one.events], "the event")
  client.close(session, one.made)
end

return function(field)
  for _, server in ipairs(field.servers) do
    local list = openAll(server)
    server:stop()
    for _, one in ipairs(list) do isAway(one) end
    server:start()
    for _, one in ipairs(list) do isBack(one) end
  end
end
