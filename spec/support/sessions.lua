--- Sessions with the sandbox's applications.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"

local sessions = {}

--- A session with the application of that model; default: anonymous, as in the option.
-- @param options table or nil: further options of datasession.new
function sessions.new(server, model, options)
  local application = require("datasession.internal.ascii").lower(model or "anonymous")
  local all = { serviceURI = server.uris[application], authenticationModel = model }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

--- The same, logged in as a user or by a token that the sandbox accepts by default.
function sessions.loggedIn(server, model, options)
  local session = sessions.new(server, model, options)
  if model == "bearer" then
    assert(session:login("letmein"):await(await.LIMIT))
  else
    assert(session:login("lua", "secret"):await(await.LIMIT))
  end
  return session
end

--- A list of the session's connection events: "online", or the reason of going offline.
function sessions.listen(session)
  local events = {}
  session:subscribe("online", function() events[#events + 1] = "online" end)
  session:subscribe("offline", function(_, reason) events[#events + 1] = reason end)
  return events
end

--- A ping that has reached the server and stays pending.
function sessions.hangingPing(server, session)
  server:clearRequests()
  server:fault { kind = "slow", delay = await.LIMIT, path = "oeping$" }
  local ping = session:ping()
  await.stepUntil(function() return #server:requests() > 0 end)
  return ping
end

--- For before_each: the server runs, without faults and without a request in its log.
function sessions.refresh(server)
  server:clearFaults()
  assert(server:start())
  server:clearRequests()
end

--- For after_each: ends every session; no request may be pending then.
function sessions.endAll()
  datasession.invalidateAllSessions { all = true }:await(await.LIMIT)
  await.settle()
end

return sessions
