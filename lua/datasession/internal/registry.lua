--- Sessions in one call, and all of them at once.

local ascii = require "datasession.internal.ascii"
local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local lua = require "datasession.internal.lua"
local persistence = require "datasession.internal.persistence"
local raise = require "datasession.internal.raise"

local closing, table = lua.closing, lua.table

local registry = {}

-- The options of getSession beside those of datasession.new.
local own = {
  "catalogURI", "username", "password", "loginCallback", "authenticationURI",
  "authProviderAuthenticationModel",
}

-- Options of a session that its provider gets, too.
local shared = {
  "connectTimeout", "timeout", "stallTimeout", "maxResponseSize", "maxRedirects", "insecure", "proxy",
  "http2", "caFile", "caPath", "crlFile", "pinnedPublicKey", "clientCertificate", "clientKey",
  "clientKeyPassword", "userAgent", "retry",
}

local function isAmong(names, name)
  for _, known in ipairs(names) do
    if name == known then
      return true
    end
  end
  return false
end

local function checkNames(options, level)
  local names = core.optionNames(type(options.protocol) == "string" and options.protocol or nil)
  for name in pairs(options) do
    if names and not isAmong(own, name) and not isAmong(names, name) then
      table.move(own, 1, #own, #names + 1, names)
      local suggest = require "datasession.internal.suggest"
      raise("getSession: " .. suggest.unknown("option", name, names), level + 1)
    end
  end
end

local function checkString(options, name, level)
  local value = options[name]
  if value ~= nil and type(value) ~= "string" then
    raise(("getSession: option '%s': expected a string, got %s"):format(name, type(value)), level + 1)
  end
end

-- Only sessions of protocol jsdo have catalogs, and AuthenticationProviders.
local function hasCatalogs(options)
  return options.protocol == nil or options.protocol == "jsdo"
end

local function checkCatalogs(value, level)
  if type(value) ~= "string" and type(value) ~= "table" then
    local message = "getSession: option 'catalogURI': expected a URI or an array of URIs, got "
    raise(message .. type(value), level + 1)
  end
  for i, uri in ipairs(type(value) == "table" and value or { value }) do
    if type(uri) ~= "string" or uri == "" then
      raise(("getSession: option 'catalogURI': entry %d: expected a non-empty string"):format(i), level + 1)
    end
  end
end

local function check(options, level)
  if type(options) ~= "table" or options == package.loaded.datasession then
    raise("getSession: expected a table of options, got " .. argument.type(options), level + 1)
  end
  checkNames(options, level + 1)
  checkString(options, "username", level + 1)
  checkString(options, "password", level + 1)
  checkString(options, "authenticationURI", level + 1)
  checkString(options, "authProviderAuthenticationModel", level + 1)
  if options.loginCallback ~= nil and type(options.loginCallback) ~= "function" then
    raise("getSession: option 'loginCallback': expected a function, got " .. type(options.loginCallback),
      level + 1)
  end
  if options.authProvider ~= nil then
    raise("getSession: option 'authProvider': getSession makes its own; pass it to datasession.new",
      level + 1)
  end
  if hasCatalogs(options) then
    checkCatalogs(options.catalogURI, level + 1)
  elseif options.catalogURI ~= nil then
    raise("getSession: option 'catalogURI': that protocol has no catalogs", level + 1)
  elseif options.authenticationURI ~= nil then
    raise("getSession: option 'authenticationURI': sessions of that protocol log in at serviceURI", level + 1)
  end
end

-- The options, with the URIs that follow baseURI made absolute.
local function resolved(options, level)
  if options.baseURI == nil then
    return options
  end
  local changed = {}
  for name, value in pairs(options) do
    changed[name] = value
  end
  for _, name in ipairs { "serviceURI", "authenticationURI" } do
    local ok, uri = pcall(core.absoluteURI, options, name)
    if not ok then
      raise("getSession: " .. uri, level + 1)
    end
    changed[name] = uri
  end
  return changed
end

local function modelOf(options)
  local model = options.authenticationModel
  return type(model) == "string" and ascii.lower(model) or "anonymous"
end

-- Raises for credentials that login would reject, and names the option.
local function checkSendable(options, name, level)
  local model, text = modelOf(options), options[name] or ""
  if model == "bearer" and name == "username" and text:find("[\r\n%z]") then
    raise("getSession: option 'username': a token holds no line breaks or NUL bytes", level + 1)
  elseif model ~= "basic" then
    return
  end
  if name == "username" and text:find(":", 1, true) then
    raise("getSession: option 'username': a user name with ':' cannot be sent by HTTP Basic", level + 1)
  end
  if lua.zero(text) then
    raise(("getSession: option '%s': a NUL byte cannot be sent by HTTP Basic"):format(name), level + 1)
  end
end

local function sessionOptions(options, changed)
  local mine = {}
  for name, value in pairs(options) do
    if not isAmong(own, name) then
      mine[name] = value
    end
  end
  for name, value in pairs(changed or {}) do
    mine[name] = value
  end
  return mine
end

-- Raises an error of the function as one of getSession's options, where getSession was called.
local function construct(level, constructor, ...)
  local made, result = pcall(constructor, ...)
  if not made then
    raise("getSession: " .. tostring(result), level + 1)
  end
  return result
end

-- The session asks its tokenProvider: no provider can log in for it.
local function checkTokenProvider(options, level)
  if options.tokenProvider ~= nil and options.authenticationURI ~= nil then
    raise("getSession: option 'authenticationURI': a session with a tokenProvider has its token from that",
      level + 1)
  end
end

local function checkProviderModel(options, level)
  local model, given = modelOf(options), options.authProviderAuthenticationModel
  local proved = options.authenticationURI or model == "sso"
  if proved and given and ascii.lower(given) ~= (model == "sso" and "form_sso" or model) then
    raise(("getSession: option 'authProviderAuthenticationModel': %q does not fit a session of model %s")
      :format(given, model), level + 1)
  end
end

-- The provider that logs in for the session, which is made after that login: its options are checked now. No
-- tail call: errors are said by level.
local function makeProvider(options, level)
  local model = modelOf(options)
  local wanted = model == "sso" and "form_sso" or model
  construct(level + 1, core.checkOptions, sessionOptions(options))
  local mine = { uri = options.authenticationURI or options.serviceURI, authenticationModel = wanted }
  for _, name in ipairs(shared) do
    mine[name] = options[name]
  end
  local made, provider = pcall(core.AuthenticationProvider, mine)
  if not made then -- serviceURI was checked above
    raise("getSession: " .. tostring(provider):gsub("option 'uri'", "option 'authenticationURI'"), level + 1)
  end
  return provider
end

-- The URI with scheme and host in lower case, without trailing slashes: the same for one application.
local function placeOf(uri)
  local start, rest = uri:match("^(%a[%w+.-]*://[^/]*)(.*)$")
  return start and ascii.lower(start) .. rest:gsub("/+$", "") or uri
end

-- True if the credentials are not proved at serviceURI, so that a provider must log in.
local function needsProvider(options)
  if modelOf(options) == "sso" then
    return true
  end
  local service, place = options.serviceURI, options.authenticationURI
  return place ~= nil and (type(service) ~= "string" or placeOf(place) ~= placeOf(service))
end

-- A session with a stored login, and true; or the provider or session that is to log in.
local function make(options, level)
  local maker -- no tail calls: errors are said by level
  local mine = sessionOptions(options)
  checkTokenProvider(options, level + 1)
  checkProviderModel(options, level + 1)
  local provider = needsProvider(options) and makeProvider(options, level + 1)
  local found = construct(level + 1, persistence.prepare, mine, options, modelOf(options))
  local stored = found and found.document
  if stored or not provider then
    maker = construct(level + 1, core.newFrom, mine, found)
  end
  return maker or provider, stored and { provider = provider or nil }
end

-- A session, not a provider.
local function isSession(maker)
  return getmetatable(maker) == "datasession.session"
end

local function isGiven(text)
  return text ~= nil and text ~= ""
end

-- `options`: those of getSession.
local function lacksCredentials(model, credentials, options)
  if model == "anonymous" or options.tokenProvider then
    return false
  end
  return not isGiven(credentials.username) or (model ~= "bearer" and not isGiven(credentials.password))
end

local function noCredentials(model)
  local needed = model == "bearer" and "the token as option username, a tokenProvider"
    or "the options username and password"
  local err = core.failure {
    kind = "auth",
    result = core.constants.AUTHENTICATION_FAILURE,
    message = ("getSession: the authentication model %s needs %s, or a loginCallback")
      :format(model, needed),
  }
  err.info = { errorObject = err }
  return err
end

-- The error for a loginCallback that raised, was rejected, or returned something other than credentials.
local function callbackFailed(reason)
  local err = core.failure {
    kind = "auth",
    result = core.constants.GENERAL_FAILURE,
    message = "getSession: loginCallback gave no credentials: " ..
      (type(reason) == "table" and type(reason.message) == "string" and reason.message or tostring(reason)),
  }
  err.info = { errorObject = err, reason = reason }
  return err
end

-- The promise of loginCallback's credentials; without a callback, the options themselves.
local function ask(options)
  if not options.loginCallback then
    return options
  end
  local credentials, err = core.promise(function(resolve)
    resolve(options.loginCallback())
  end):await()
  if type(credentials) ~= "table" then
    error(callbackFailed(credentials == nil and err or "expected a table, got " .. type(credentials)), 0)
  end
  return credentials
end

-- A login of earlier is not undone: neither the server nor the store is notified.
local function leave(guard)
  if guard.stored then
    core.abandon(guard.session)
  end
  return guard.session:invalidate()
end

-- The guards of the pending calls of getSession, and the promise of each.
local pending = {}

-- A guard ends what the call has made when it is closed, unless `done` is set; also after the caller
-- cancelled the promise.
local guardMeta = {
  __close = function(guard)
    pending[guard] = nil
    if guard.done then
      return
    end
    if guard.session then
      leave(guard)
    end
    if guard.provider then
      guard.provider:logout()
    end
  end,
}

-- Undoes the call's work, then raises the error.
local function giveUp(guard, err)
  local left, provider = guard.session and leave(guard), guard.provider
  guard.session, guard.provider = nil, nil
  if left then
    left:await()
  end
  if provider then
    provider:logout():await()
  end
  error(err, 0)
end

local function succeed(guard, ok, err, info)
  if not ok then
    giveUp(guard, err)
  end
  return info
end

local function logIn(guard, maker, options, credentials)
  local model = maker.authenticationModel
  if lacksCredentials(model, credentials, options) then
    giveUp(guard, noCredentials(model))
  end
  local password = model ~= "bearer" and credentials.password or nil
  local called, login = pcall(maker.login, maker, credentials.username, password)
  if not called then
    giveUp(guard, callbackFailed(login))
  end
  succeed(guard, login:await())
  if guard.provider then
    guard.session = core.new(sessionOptions(options, { authProvider = maker }))
    core.hold(guard.session)
    core.setProviderUserName(guard.session, credentials.username)
    succeed(guard, guard.session:isAuthorized():await())
  end
end

-- Asks the server whether the stored login is valid. nil: it is; else the session or provider that is to log
-- in. If the server cannot answer, the login stays in the store.
local function confirm(guard, options)
  local ok, err = guard.session:isAuthorized():await()
  if ok then
    return nil
  end
  local canAsk = options.loginCallback or not lacksCredentials(modelOf(options), options, options)
  if guard.session.state ~= "expired" or not canAsk then
    giveUp(guard, err)
  end
  local provider = guard.stored.provider
  if provider then
    guard.session:disconnect():await() -- the server has ended it already
    guard.session:invalidate()
    guard.session, guard.provider = nil, provider
  end
  guard.stored = nil
  return provider or guard.session
end

local function authenticate(guard, maker, options)
  local asked, credentials = pcall(ask, options)
  if not asked then
    giveUp(guard, credentials)
  end
  logIn(guard, maker, options, credentials)
end

local function establish(guard, maker, options)
  if guard.stored then
    maker = confirm(guard, options)
  end
  if maker then
    authenticate(guard, maker, options)
  end
  local info = {}
  if hasCatalogs(options) then
    info = succeed(guard, guard.session:addCatalog(options.catalogURI):await())
    guard.session:reloadCatalogs():await() -- what could not be loaded is still wanted
  end
  guard.done = true
  return guard.session, core.constants.SUCCESS, info
end

--- Makes a session, logs in, and loads its catalogs.
-- @param options those of datasession.new but authProvider, and `catalogURI` (a URI or an array of URIs,
--   required; other protocols than jsdo have none); `username` and `password` (needed by basic and form; for
--   bearer `username` is the token), or `loginCallback`, a function that returns { username, password } or a
--   promise of it; `authenticationURI` and `authProviderAuthenticationModel` where the credentials are proved
--   elsewhere than at serviceURI (sso: the token server, "form_sso"). With `name`, a login that is stored
--   under it is used if it is `username`'s (or none is named, or there is a loginCallback, which is not
--   called then) and the server confirms it; a refused one is replaced by a fresh one. Catalogs that the
--   stored session had are loaded too; failing that does not make getSession fail
-- @return a promise of (session, SUCCESS, addCatalog's info); rejected with the error of the step that
--   failed, after whatever was done has been undone. The session is held by the library until it is logged
--   out or invalidated.
function registry.getSession(options)
  check(options, 2)
  options = resolved(options, 2)
  checkSendable(options, "username", 2)
  checkSendable(options, "password", 2)
  local maker, stored = make(options, 2)
  local lacks = lacksCredentials(maker.authenticationModel, options, options)
  if lacks and not stored and not options.loginCallback then
    if isSession(maker) then
      maker:invalidate()
    end
    local err = noCredentials(maker.authenticationModel)
    return core.promise(function(_, reject)
      reject(err)
    end)
  end
  if isSession(maker) then
    core.hold(maker)
  end
  local kind = isSession(maker) and "session" or "provider"
  local guard = setmetatable({ stored = stored, [kind] = maker }, guardMeta)
  pending[guard] = false -- until there is its promise: it may end at once
  local promise = core.spawn(closing, guard, establish, guard, maker, options)
  if pending[guard] ~= nil then
    pending[guard] = promise
  end
  return promise
end

local function invalidate(session)
  return session:invalidate():await()
end

local function logOut(provider)
  return provider:logout():await()
end

-- Cancels each getSession that has no session yet. Returns an array of their providers, to be logged out.
local function cancelPending()
  local providers = {}
  for guard, promise in pairs(pending) do
    if not guard.session and promise then
      providers[#providers + 1] = guard.provider
      guard.provider = nil
      promise:cancel()
    end
  end
  return providers
end

local DISK_LIMIT, LOOK = 5, 0.005 -- seconds

-- Waits, within the limit, until the files of the stores are on disk.
local function joinDisk()
  local never = core.promise(function() end)
  for _ = 1, DISK_LIMIT / LOOK do
    if not core.writing() then
      return
    end
    never:await(LOOK)
  end
end

-- Begins all before it awaits any. One that cannot begin is reported like one that failed.
local function invalidateEach(sessions, providers)
  local promises, report, failed = {}, {}, nil
  for i, session in ipairs(sessions) do
    promises[i] = core.spawn(invalidate, session)
    report[i] = { session = session }
  end
  for _, provider in ipairs(providers) do
    promises[#promises + 1] = core.spawn(logOut, provider)
    report[#promises] = { provider = provider }
  end
  for i, promise in ipairs(promises) do
    local ok, result = promise:await()
    report[i].ok, report[i].result = ok ~= nil, ok and result or result.result
    if not ok then
      report[i].errorObject = result
      failed = failed or result
    end
  end
  joinDisk()
  if failed then
    local err = core.failure {
      kind = failed.kind,
      result = core.constants.GENERAL_FAILURE,
      message = "invalidateAllSessions: not every server could be told; the first: " .. failed.message,
      hint = failed.hint,
    }
    err.info = { details = report, errorObject = err }
    error(err, 0)
  end
  return report, core.constants.SUCCESS, { details = report }
end

--- Invalidates every live session that getSession made, and cancels each getSession that has made none yet. A
-- failure of one does not stop the others.
-- @param options nil, or { all = true } for every live session, however it was made
-- @return a promise of (report, SUCCESS, info), the report being an array of { session, ok, result,
--   errorObject }, with `provider` in place of `session` for a getSession that was cancelled; rejected when a
--   server could not be told, with the report as err.info.details: every session is invalid all the same
function registry.invalidateAllSessions(options)
  if options ~= nil and type(options) ~= "table" then
    raise("invalidateAllSessions: expected a table of options or nil, got " .. type(options), 2)
  end
  for name, value in pairs(options or {}) do
    if name ~= "all" then
      local suggest = require "datasession.internal.suggest"
      raise("invalidateAllSessions: " .. suggest.unknown("option", name, { "all" }), 2)
    end
    if type(value) ~= "boolean" then
      raise("invalidateAllSessions: option 'all': expected a boolean, got " .. type(value), 2)
    end
  end
  local sessions = {}
  for _, session in ipairs(core.sessions()) do
    if options and options.all or core.held(session) then
      sessions[#sessions + 1] = session
    end
  end
  return core.spawn(invalidateEach, sessions, cancelPending())
end

return registry
