--- Shared by the specs of providers and sso sessions.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local support = { LIMIT = await.LIMIT, rejected = await.rejected, listen = sessions.listen }

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

--- Steps until `n` requests have come to `server`.
function support.stepUntil(server, n)
  await.stepUntil(function() return #server:requests() >= n end)
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
  sessions.endAll()
  collectgarbage()
  collectgarbage()
end

return support
