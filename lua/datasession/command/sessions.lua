--- login, logout, sessions.

local connect = require "datasession.command.connect"
local datasession = require "datasession"
local closing = require("datasession.internal.lua").closing
local fail = require "datasession.command.fail"
local profiles = require "datasession.command.profiles"
local show = require "datasession.command.show"
local terminal = require "datasession.command.terminal"

local sessions = {}

-- An entry of the list of sessions. It holds no secret.
local function profileOf(args, options, session)
  local kept = {}
  for option, value in pairs(options) do
    if option ~= "name" and option ~= "store" then kept[option] = value end
  end
  return {
    options = kept, user = args.user, model = session.authenticationModel, catalogs = args.catalog,
  }
end

local function describe(session)
  local user = session.userName
  return ("%s at %s%s"):format(session.authenticationModel, session.serviceURI, user and " as " .. user or "")
end

-- A login that another one replaces ends on the server too.
local function endFormer(name)
  local profile = profiles.get(name)
  if not profile then return end
  local former = connect.stored(name, profile)
  local done, err = closing(former, function()
    if former.state ~= "restored" then return "none" end
    return former:logout():await()
  end)
  if done == "none" then return end
  io.stderr:write(("datasession: the session '%s' at %s %s\n"):format(name, former.serviceURI,
    done and "is logged out" or "could not be logged out: " .. tostring(err)))
end

function sessions.login(args)
  local name = profiles.checkName(args.session)
  connect.checkUri(args.uri, "login")
  local options = connect.describe(args, args.uri)
  options.keepTokens = args.keep_token
  options.name, options.store = name, profiles.store()
  endFormer(name)
  profiles.remove(name) -- before the login: a list that cannot be kept leaves no session on the server
  profiles.store():remove(name)
  local session = connect.new(options)
  connect.login(args, session, args.user)
  for _, uri in ipairs(args.catalog) do
    local ok, err = session:addCatalog(uri):await()
    if not ok then
      session:logout():await()
      error(err, 0)
    end
  end
  profiles.set(name, profileOf(args, options, session))
  fail.unless(datasession.flush(10))
  io.stdout:write(("logged in: %s (session '%s')\n"):format(describe(session), name))
  if session.authenticationModel == "basic" then
    io.stderr:write("datasession: passwords are not stored: the next commands ask for it again\n")
  end
end

function sessions.logout(args)
  local name = profiles.checkName(args.session)
  local profile = profiles.get(name)
  if not profile then fail.with("expired", ("there is no session '%s'"):format(name)) end
  local session = connect.stored(name, profile, connect.transport(args))
  profiles.remove(name)
  local done, err = session:logout():await()
  fail.unless(datasession.flush(10))
  if not done then error(err, 0) end
  io.stdout:write(("logged out (session '%s')\n"):format(name))
end

local function rowOf(name, profile)
  local options = profile.options or {}
  return {
    name = name, serviceURI = options.serviceURI, model = profile.model, user = profile.user,
    stored = profiles.store():get(name) ~= nil, catalogs = profile.catalogs,
  }
end

function sessions.sessions(args)
  local names, all = profiles.list()
  local list = {}
  for i, name in ipairs(names) do list[i] = rowOf(name, all[name]) end
  if args.json then return show.json(datasession.array(list)) end
  if #list == 0 then
    io.stderr:write "datasession: there are no sessions; datasession login makes one\n"
    return
  end
  local rows = {}
  for i, one in ipairs(list) do
    local state = one.stored and "kept" or one.model == "form" and "ended" or "asks again"
    rows[i] = { one.name, one.serviceURI, one.model, one.user, state }
  end
  io.stdout:write((show.table({ "session", "service", "model", "user", "login" }, rows)))
  if terminal.is(1) then io.stdout:flush() end
end

return sessions
