--- Every verb of a session, with every model, at every server, over every line.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local logs = require "field.support.logs"
local users = require "field.support.users"

local function useIt(session, application)
  checks.resolves(session:isAuthorized(), "isAuthorized")
  checks.resolves(session:ping(), "ping")
  checks.resolves(session:addCatalog("static/Catalog.json"), "addCatalog")
  checks.equal(1, #session.catalogs, "catalogs")
  checks.holds(session.catalogs[1] and session.catalogs[1]:resource("Item"), "the catalog's resource")
  local response = checks.resolves(session:request { path = "bodies/500" }, "request")
  checks.holds(response and response.body == bodies.of(500), "its body")
  response = checks.resolves(session:request { path = "static/home.html", method = "HEAD" }, "HEAD")
  checks.equal("", response and response.body, "the body of HEAD")
  local err = checks.rejects(session:request { path = "bodies/none.txt" }, "what is not there", "http")
  checks.holds(err and err.httpStatus and err.httpStatus >= 400, "its status", err and err.httpStatus)
  if application.echo then
    response = checks.resolves(client.once(session, { path = application.echo, json = { 1 } }), "POST")
    checks.equal("[1]", response and response.body, "what came back")
  end
  if application.put then
    local path = application.put .. "verbs"
    checks.resolves(client.once(session, { path = path, method = "PUT", body = "text" }), "PUT")
    checks.resolves(session:request { path = path, method = "DELETE" }, "DELETE")
  end
end

-- Properties that are set while it is logged in, and nil otherwise.
local function enters(session, login, application)
  checks.resolves(login, "login")
  checks.equal("connected", session.state, "state")
  checks.equal(true, session.connected, "connected")
  if application.model == "basic" or application.model == "form" then
    checks.equal(users.lua.name, session.userName, "userName")
  end
end

local function leaves(session, made)
  client.close(session, made)
  checks.equal(false, session.connected, "connected after the end")
  checks.rejects(session:isAuthorized(), "isAuthorized after the end")
  checks.holds(not tostring(session):find(users.lua.password, 1, true), "tostring has no password")
end

local function loginAgain(application)
  local session = client.open(application)
  local function enter(what)
    local login = application.model == "bearer" and session:login(users.token)
    checks.resolves(login or session:login(users.lua.name, users.lua.password), what)
  end
  if application.model ~= "form" then
    checks.resolves(session:disconnect(), "disconnect")
    checks.equal("logged out", session.state, "state after disconnect")
    enter "login after disconnect"
  end
  checks.resolves(session:logout(), "logout")
  enter "login after logout"
  checks.resolves(session:invalidate(), "invalidate")
  checks.equal("invalid", session.state, "state after invalidate")
  checks.rejects(session:ping(), "ping of an invalid session", "closed")
end

local function inOneCall(application)
  local options = client.options(application, { catalogURI = "static/Catalog.json" })
  if application.model == "bearer" then
    options.username = users.token
  elseif application.model ~= "anonymous" then
    options.username, options.password = users.lua.name, users.lua.password
  end
  if application.model == "sso" then options.authenticationURI = application.origin .. "/tokens" end
  local session = checks.resolves(datasession.getSession(options), "getSession")
  checks.equal("connected", session and session.state, "state")
  local provider = session and application.model == "sso" and session.authProvider
  checks.resolves(datasession.invalidateAllSessions(), "invalidateAllSessions")
  if provider then checks.resolves(provider:logout(), "logout of getSession's provider") end
end

-- All that came to the port came by the protocol that it is for.
local function isSpoken(application)
  local found = logs.await(1, application.server.log, "/" .. application.path .. "/", application.port)
  checks.holds(#found > 0, "the server's log tells of it")
  for _, entry in ipairs(found) do
    if entry.protocol ~= application.protocol then
      return checks.equal(application.protocol, entry.protocol, "protocol")
    end
  end
end

return function(field)
  for _, application in ipairs(applications.of(field.servers)) do
    checks.at("verbs: " .. application.name)
    local session, login, made = client.login(application)
    if checks.holds(session, "login") then
      enters(session, login, application)
      useIt(session, application)
      leaves(session, made)
    else
      checks.resolves(login, "login")
    end
    if application.model ~= "sso" then loginAgain(application) end
    inOneCall(application)
    isSpoken(application)
  end
end
