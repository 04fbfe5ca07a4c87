--- Wrong passwords, users without the role, users whose names and passwords are not ASCII.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local users = require "field.support.users"

local function saysNothing(err, user)
  local text = err and tostring(err) .. (err.message or "") .. (err.hint or "") .. (err.uri or "") or ""
  checks.holds(not text:find(user.password, 1, true), "the error has no password", err)
end

local function isRefused(application, user, what)
  local session, login = client.login(application, user)
  local err = checks.rejects(login, what, "auth")
  saysNothing(err, user)
  if not session then return end
  checks.equal(false, session.connected, what .. ": connected")
  checks.equal("logged out", session.state, what .. ": state")
  if application.model == "form" then
    checks.resolves(session:login(users.lua.name, users.lua.password), what .. ": the right one after it")
    checks.resolves(session:logout(), "logout")
  end
  session:invalidate():await(10)
end

-- The server accepts the user's name but not the use.
local function hasNoRole(application)
  local session, login = client.login(application, users.guest)
  local err = checks.rejects(login, "a user without the role")
  saysNothing(err, users.guest)
  checks.equal(403, err and err.httpStatus, "its status")
  checks.equal(false, session.connected, "connected")
  session:logout():await(10)
  session:invalidate():await(10)
end

local function isNotASCII(application)
  local session, login, made = client.login(application, users.utf8)
  if checks.holds(session, "login of a user with UTF-8") then
    checks.resolves(login, "login of a user with UTF-8")
    checks.resolves(session:ping(), "ping")
    client.close(session, made)
  end
end

return function(field)
  for _, application in ipairs(applications.of(field.servers)) do
    checks.at("refused: " .. application.name)
    local model = application.model
    if model == "bearer" then
      isRefused(application, { token = "not-this-one-4719", password = "not-this-one-4719" }, "a wrong token")
    elseif model ~= "anonymous" then
      isRefused(application, users.wrong, "a wrong password")
      isRefused(application, users.unknown, "an unknown user")
    end
    if model == "basic" or model == "form" then
      hasNoRole(application)
      isNotASCII(application)
    end
  end
end
