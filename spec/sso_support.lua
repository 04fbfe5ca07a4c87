--- What the specs of providers and sso sessions share.
local datasession = require "datasession"

local support = { LIMIT = 20 } -- seconds after which a promise that is not settled is a failure

function support.rejected(promise)
  local value, err = promise:await(support.LIMIT)
  assert(value == nil, "it was not rejected")
  return err
end

function support.provider(server, model, options)
  local mine = { uri = server.uris[model], authenticationModel = model }
  for name, value in pairs(options or {}) do
    mine[name] = value
  end
  return datasession.AuthenticationProvider(mine)
end

function support.loggedIn(server, model, options)
  local provider = support.provider(server, model, options)
  local user = model == "bearer" and "letmein" or "lua"
  assert(provider:login(user, "secret"):await(support.LIMIT))
  return provider
end

--- A session of that provider: of the model that goes with it.
function support.session(server, provider, options)
  local model = provider.authenticationModel == "form_sso" and "sso" or provider.authenticationModel
  options = options or {}
  options.serviceURI, options.authenticationModel, options.authProvider = server.uris[model], model, provider
  return datasession.new(options)
end

--- Notes each event as its name, or its reason.
function support.listen(session)
  local events = {}
  session:subscribe("online", function() events[#events + 1] = "online" end)
  session:subscribe("offline", function(_, reason) events[#events + 1] = reason end)
  return events
end

--- Steps until `n` requests have come to `server`.
function support.stepUntil(server, n)
  for _ = 1, 4000 do
    if #server:requests() >= n then return end
    datasession.step(0.005)
  end
  error("the requests did not come")
end

--- How many requests to a path that ends so were sent.
function support.count(server, pattern)
  local n = 0
  for _, request in ipairs(server:requests()) do
    if request.path:find(pattern) then n = n + 1 end
  end
  return n
end

--- For after_each.
function support.finish()
  datasession.invalidateAllSessions { all = true }:await(support.LIMIT)
  assert(datasession.run(support.LIMIT), "something is still in flight")
  collectgarbage()
  collectgarbage()
end

return support
