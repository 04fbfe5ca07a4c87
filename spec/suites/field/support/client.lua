--- Sessions with the servers' applications.
local checks = require "field.support.checks"
local datasession = require "datasession"
local users = require "field.support.users"

local client = {}

client.told = {} -- what the library's log and its errors said
client.answered = {} -- the numbers of the requests to be sent once that were resolved

datasession.setLogger(function(level, event, session, fields)
  local words = { level, event, tostring(session) }
  for name, value in pairs(fields) do words[#words + 1] = name .. "=" .. tostring(value) end
  client.told[#client.told + 1] = table.concat(words, " ")
end)
datasession.onError(function(err)
  client.told[#client.told + 1] = tostring(err)
end)

--- Options for datasession.new, with more in `extra`.
function client.options(application, extra)
  local options = {
    serviceURI = application.uri, authenticationModel = application.model, caFile = application.caFile,
    proxy = false, http2 = application.http2,
  }
  for name, value in pairs(extra or {}) do options[name] = value end
  return options
end

local function provider(application, user, tokens)
  local made = datasession.AuthenticationProvider {
    uri = application.origin .. "/" .. (tokens or "tokens"), authenticationModel = "form_sso",
    caFile = application.caFile, proxy = false, http2 = application.http2,
  }
  return made, made:login(user.name, user.password)
end

--- A session, and the promise of its login. For sso the provider is logged in first: the third value.
function client.login(application, user, extra)
  user = user or users.lua
  if application.model == "sso" then
    local made, login = provider(application, user, extra and extra.tokens)
    if extra then extra.tokens = nil end
    local value, err = login:await(60)
    if not value then return nil, datasession.promise(function(_, reject) reject(err) end), made end
    local options = client.options(application, extra)
    options.authProvider = made
    local session = datasession.new(options)
    return session, session:isAuthorized(), made
  end
  local session = datasession.new(client.options(application, extra))
  if application.model == "anonymous" then return session, session:login() end
  if application.model == "bearer" then return session, session:login(user.token or users.token) end
  return session, session:login(user.name, user.password)
end

--- A session that is logged in. Raises when it cannot be.
function client.open(application, extra, user)
  local session, login, made = client.login(application, user, extra)
  assert(login:await(60))
  return session, made
end

--- Logs it out as its model has it.
function client.close(session, made)
  if made then
    checks.resolves(session:disconnect(), "disconnect")
    checks.resolves(made:logout(), "logout of the provider")
  else
    checks.resolves(session:logout(), "logout")
  end
  session:invalidate():await(10)
end

local once = 0

--- Sends what must reach the server once at most; the URI says so to the log.
function client.once(session, options)
  once = once + 1
  local id = once
  options.path = options.path .. "?once=" .. id .. "."
  options.method = options.method or "POST"
  return session:request(options)
    :done(function() client.answered[id] = true end)
    :fail(function(_, _, info) client.told[#client.told + 1] = tostring(info.errorObject) end)
end

return client
