--- Sessions in one call, and all of them at once.

local core = require "datasession.core"

local registry = {}

-- What getSession takes beside the options of datasession.new.
local own = { "catalogURI", "username", "password" }
local later = {
  "loginCallback", "authenticationURI", "authProviderAuthenticationModel", "authProvider", "context", "name", "storage",
  "timeStamp", "onOpenRequest", "reconnect", "keepCredentials", "cookiePolicy",
}

local function isAmong(names, name)
  for _, known in ipairs(names) do
    if name == known then
      return true
    end
  end
  return false
end

local function checkName(name, level)
  if isAmong(later, name) then
    error(("getSession: option '%s' is not supported yet"):format(name), level + 1)
  end
  if not isAmong(own, name) and not isAmong(core.optionNames, name) then
    local names = table.move(own, 1, #own, 1, {})
    table.move(core.optionNames, 1, #core.optionNames, #own + 1, names)
    error("getSession: " .. require("datasession.suggest").unknown("option", name, names), level + 1)
  end
end

local function checkString(options, name, level)
  local value = options[name]
  if value ~= nil and type(value) ~= "string" then
    error(("getSession: option '%s': expected a string, got %s"):format(name, type(value)), level + 1)
  end
end

local function checkCatalogs(value, level)
  if type(value) ~= "string" and type(value) ~= "table" then
    local message = "getSession: option 'catalogURI': expected a URI or an array of URIs, got "
    error(message .. type(value), level + 1)
  end
  for i, uri in ipairs(type(value) == "table" and value or { value }) do
    if type(uri) ~= "string" or uri == "" then
      error(("getSession: option 'catalogURI': entry %d: expected a non-empty string"):format(i), level + 1)
    end
  end
end

local function check(options, level)
  if type(options) ~= "table" then
    error("getSession: expected a table of options, got " .. type(options), level + 1)
  end
  for name in pairs(options) do
    checkName(name, level + 1)
  end
  checkString(options, "username", level + 1)
  checkString(options, "password", level + 1)
  checkCatalogs(options.catalogURI, level + 1)
end

-- What login would raise for, said of the option.
local function checkSendable(session, options, name, level)
  local text = session.authenticationModel == "basic" and options[name] or ""
  if name == "username" and text:find(":", 1, true) then
    error("getSession: option 'username': a user name with ':' cannot be sent by HTTP Basic", level + 1)
  end
  if text:find("\0", 1, true) then
    error(("getSession: option '%s': a NUL byte cannot be sent by HTTP Basic"):format(name), level + 1)
  end
end

local function make(options, level)
  local mine = {}
  for name, value in pairs(options) do
    if not isAmong(own, name) then
      mine[name] = value
    end
  end
  local made, session = pcall(core.new, mine)
  if not made then
    error("getSession: " .. tostring(session), level + 1)
  end
  checkSendable(session, options, "username", level + 1)
  checkSendable(session, options, "password", level + 1)
  return session
end

local function lacksCredentials(session, options)
  local function isGiven(text)
    return text ~= nil and text ~= ""
  end
  return session.authenticationModel ~= "anonymous" and not (isGiven(options.username) and isGiven(options.password))
end

local function noCredentials(session)
  local err = core.failure {
    kind = "auth",
    result = core.AUTHENTICATION_FAILURE,
    message = "getSession: the authentication model " .. session.authenticationModel ..
      " needs the options username and password",
  }
  err.info = { errorObject = err }
  return err
end

-- To be closed: unless `done` is set by then, the session ends, also when the caller has cancelled the promise.
local guardMeta = {
  __close = function(guard)
    if not guard.done then
      guard.session:invalidate()
    end
  end,
}

-- Undoes what was done, then fails with the error of what failed.
local function giveUp(session, err)
  session:invalidate():await()
  error(err, 0)
end

local function establish(session, login, catalogURI)
  local guard <close> = setmetatable({ session = session }, guardMeta)
  local ok, err = login:await()
  if not ok then
    giveUp(session, err)
  end
  local added, failure, info = session:addCatalog(catalogURI):await()
  if not added then
    giveUp(session, failure)
  end
  guard.done = true
  return session, core.SUCCESS, info
end

--- Makes a session, logs in, and loads its catalogs.
-- @param options those of datasession.new, and `catalogURI` (a URI or an array of URIs, required), `username` and
--   `password` (needed by basic and form)
-- @return a promise of (session, SUCCESS, addCatalog's info); rejected with the error of the step that failed,
--   after whatever was done has been undone. The session is held by the library until it is logged out or invalidated.
function registry.getSession(options)
  check(options, 2)
  local session = make(options, 2)
  if lacksCredentials(session, options) then
    local err = noCredentials(session)
    return core.promise(function(_, reject)
      reject(err)
    end)
  end
  local login = session:login(options.username, options.password)
  core.hold(session)
  return core.spawn(establish, session, login, options.catalogURI)
end

local function invalidate(session)
  return session:invalidate():await()
end

-- All are begun before any is awaited; one that could not begin is reported like one that failed.
local function invalidateEach(sessions)
  local promises, report, failed = {}, {}, nil
  for i, session in ipairs(sessions) do
    promises[i] = core.spawn(invalidate, session)
  end
  for i, promise in ipairs(promises) do
    local ok, result = promise:await()
    report[i] = { session = sessions[i], ok = ok ~= nil, result = ok and result or result.result }
    if not ok then
      report[i].errorObject = result
      failed = failed or result
    end
  end
  if failed then
    local err = core.failure {
      kind = failed.kind,
      result = core.GENERAL_FAILURE,
      message = "invalidateAllSessions: not every server could be told; the first: " .. failed.message,
      hint = failed.hint,
    }
    err.info = { details = report, errorObject = err }
    error(err, 0)
  end
  return report, core.SUCCESS, { details = report }
end

--- Invalidates every live session that getSession made; all of them are tried, whatever becomes of each.
-- @param options nil, or { all = true } for every live session, however it was made
-- @return a promise of (report, SUCCESS, info), the report being an array of { session, ok, result, errorObject };
--   rejected when a server could not be told, with the report as err.info.details: every session is
--   invalid all the same
function registry.invalidateAllSessions(options)
  if options ~= nil and type(options) ~= "table" then
    error("invalidateAllSessions: expected a table of options or nil, got " .. type(options), 2)
  end
  for name, value in pairs(options or {}) do
    if name ~= "all" then
      error("invalidateAllSessions: " .. require("datasession.suggest").unknown("option", name, { "all" }), 2)
    end
    if type(value) ~= "boolean" then
      error("invalidateAllSessions: option 'all': expected a boolean, got " .. type(value), 2)
    end
  end
  local sessions = {}
  for _, session in ipairs(core.sessions()) do
    if options and options.all or core.held(session) then
      sessions[#sessions + 1] = session
    end
  end
  return core.spawn(invalidateEach, sessions)
end

return registry
