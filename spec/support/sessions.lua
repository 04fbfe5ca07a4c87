--- Sessions with the sandbox's applications.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"

local sessions = {}

--- A session with the application of that model; anonymous, as is the option's default, without one.
-- @param options table or nil: more options, or others, for datasession.new
function sessions.new(server, model, options)
  local application = require("datasession.internal.ascii").lower(model or "anonymous")
  local all = { serviceURI = server.uris[application], authenticationModel = model }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

--- The same, logged in as a user or by a token that the sandbox knows unless it is told of others.
function sessions.loggedIn(server, model, options)
  local session = sessions.new(server, model, options)
  if model == "bearer" then
    assert(session:login("letmein"):await(await.LIMIT))
  else
    assert(session:login("lua", "secret"):await(await.LIMIT))
  end
  return session
end

--- A list that fills with what the session tells of its connection: "online", or the reason why it is offline.
function sessions.listen(session)
  local events = {}
  session:subscribe("online", function() events[#events + 1] = "online" end)
  session:subscribe("offline", function(_, reason) events[#events + 1] = reason end)
  return events
end

--- A ping that does not end by itself, and has reached the server.
function sessions.hangingPing(server, session)
  server:clearRequests()
  server:fault { kind = "slow", delay = await.LIMIT, path = "oeping$" }
  local ping = session:ping()
  await.stepUntil(function() return #server:requests() > 0 end)
  return ping
end

--- For before_each: the server runs, has no faults and has seen no request.
function sessions.refresh(server)
  server:clearFaults()
  assert(server:start())
  server:clearRequests()
end

--- For after_each: ends every session; nothing may be in flight then.
function sessions.endAll()
  datasession.invalidateAllSessions { all = true }:await(await.LIMIT)
  await.settle()
end

return sessions
