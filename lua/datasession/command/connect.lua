--- Sessions for the commands: from a URI and options, or those of `datasession login`.

local datasession = require "datasession"
local detect = require "datasession.command.detect"
local fail = require "datasession.command.fail"
local profiles = require "datasession.command.profiles"
local terminal = require "datasession.command.terminal"

local connect = {}

-- Options of the command line and of datasession.new: what a session's profile keeps.
local TRANSPORT = {
  ca_file = "caFile", insecure = "insecure", proxy = "proxy", timeout = "timeout",
  connect_timeout = "connectTimeout", client_certificate = "clientCertificate", client_key = "clientKey",
}

-- A file of the working directory is another one for the next command.
local FILES = { caFile = true, clientCertificate = true, clientKey = true }

local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  local pipe = io.popen "pwd"
  local here = pipe and pipe:read "l"
  if pipe then pipe:close() end
  return here and here .. "/" .. path or path
end

--- The options of datasession.new that the command line gives, without secrets.
function connect.transport(args)
  local options = {}
  for name, option in pairs(TRANSPORT) do
    local value = args[name]
    if value ~= nil then options[option] = FILES[option] and absolute(value) or tonumber(value) or value end
  end
  if options.proxy == "none" or options.proxy == "" then options.proxy = false end
  if args.http1 then options.http2 = false end
  return options
end

--- True for an absolute URI of http or https.
function connect.isUri(text) return text:match "^[hH][tT][tT][pP][sS]?://[^/?#]" ~= nil end

--- Ends the command if the text is no such URI. `what`: the argument's name.
function connect.checkUri(text, what)
  if connect.isUri(text) then return text end
  fail.with("usage", ("%s: expected a URI such as https://host/Sports, got '%s'"):format(what, text))
end

function connect.originOf(uri) return uri:match "^%a+://[^/?#]+" end

local function readSecret(path, option)
  local file, message = io.stdin, nil
  if path ~= "-" then file, message = io.open(path, "r") end
  if not file then fail.with("usage", ("%s: %s"):format(option, message)) end
  local line = file:read "l"
  if path ~= "-" then file:close() end
  if not line or line == "" then fail.with("usage", option .. ": the first line is empty") end
  return (line:gsub("\r$", ""))
end

local function fromEnvironment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- The password or the token: of --password-file, of the environment, or asked for at the terminal.
function connect.secret(args, what)
  if args.password_file then return readSecret(args.password_file, "--password-file") end
  local given = fromEnvironment "DATASESSION_PASSWORD"
  if given then return given end
  local answer, message = terminal.askHidden(what .. ": ")
  if answer then return answer end
  fail.with("credentials", ("%s is needed: %s; use --password-file or the environment's DATASESSION_PASSWORD")
    :format(what, message))
end

-- The client key's password is part of no options that are stored: each command reads it again.
local keyPassword

--- The options of datasession.new for an anonymous session at the URI.
function connect.options(args, serviceURI)
  local options = connect.transport(args)
  options.serviceURI = serviceURI
  return options
end

--- Reads the password of the client's key for all sessions of this command.
function connect.readKeyPassword(args)
  local path = args.client_key_password_file
  keyPassword = path and readSecret(path, "--client-key-password-file") or
    fromEnvironment "DATASESSION_KEY_PASSWORD"
end

--- Makes a session; a mistake in the options ends the command with its sentence.
function connect.new(options)
  local whole = {}
  for name, value in pairs(options) do whole[name] = value end
  if whole.clientCertificate then whole.clientKeyPassword = keyPassword end
  local ok, made = pcall(datasession.new, whole)
  if ok then return made end
  fail.with("usage", (tostring(made):gsub("^[^ ]+:%d+: ", "")))
end

local function credentialsOf(args, session, user)
  local model = session.authenticationModel
  if model == "bearer" then return connect.secret(args, "token") end
  if session.protocol == "jsdo" and model == "anonymous" then return end
  if session.protocol == "datasnap" and not user then return end
  if not user then fail.with("usage", ("the model '%s' needs --user"):format(model)) end
  return user, connect.secret(args, "password of " .. user)
end

--- Logs the session in, with credentials of the command line, the environment or the terminal.
function connect.login(args, session, user)
  return fail.unless(session:login(credentialsOf(args, session, user)):await())
end

--- The options of a session for the command line, and the model that the server asks for if none is said.
function connect.describe(args, serviceURI)
  local options = connect.options(args, serviceURI)
  if args.protocol then options.protocol = args.protocol end
  if not options.protocol or options.protocol == "jsdo" then
    options.authenticationModel = args.model or detect.model(connect.new, options)
  end
  return options
end

--- The session of that name, as the store has it.
-- @param given table or nil: options of datasession.new in place of the profile's
function connect.stored(name, profile, given)
  local options = {}
  for option, value in pairs(profile.options) do options[option] = value end
  for option, value in pairs(given or {}) do options[option] = value end
  options.name, options.store = name, profiles.store()
  return connect.new(options)
end

-- A session with a login that is stored, or else one that logs in again with the user's name.
local function resume(args, name, profile)
  local session = connect.stored(name, profile, connect.transport(args))
  if session.state == "restored" then return session end
  if session.authenticationModel == "form" then
    fail.with("expired", ("the session '%s' has ended: run datasession login %s --session %s --user %s")
      :format(name, session.serviceURI, name, profile.user))
  end
  connect.login(args, session, profile.user)
  return session
end

--- The session of --session, or one for the URI of --service; its catalogs are not loaded.
-- @return session, and its profile or nil
function connect.open(args)
  if args.service then
    local session = connect.new(connect.describe(args, connect.checkUri(args.service, "--service")))
    connect.login(args, session, args.user)
    return session
  end
  local name = profiles.checkName(args.session)
  local profile = profiles.get(name)
  if not profile then
    fail.with("expired",
      ("there is no session '%s': run datasession login, or give --service URI"):format(name))
  end
  return resume(args, name, profile), profile
end

--- Loads the catalogs of --catalog, or those of the session's profile.
function connect.loadCatalogs(args, session, profile)
  if session.protocol ~= "jsdo" then
    fail.with("usage", ("a session of the protocol %s has no catalogs: datasession invoke calls its methods")
      :format(session.protocol))
  end
  local uris = #args.catalog > 0 and args.catalog or profile and profile.catalogs or {}
  if #uris == 0 then
    fail.with("usage", "no catalog is known: give --catalog URI, here or to datasession login")
  end
  for _, uri in ipairs(uris) do fail.unless(session:addCatalog(uri):await()) end
end

--- Ends a session that no later command goes on with.
function connect.finish(args, session)
  if args.service then session:invalidate():await() end
end

return connect
