--- Fifty sessions with twenty requests at once.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"

local SESSIONS, REQUESTS, SIZE = 50, 20, 2000

local function openAll(application, count)
  local list, logins = {}, {}
  for i = 1, count do
    local session, login, made = client.login(application)
    list[i], logins[i] = { session = session, made = made }, login
  end
  for i, login in ipairs(logins) do checks.resolves(login, "login " .. i) end
  return list
end

-- Every third is a POST where the server echoes.
local function askAll(list, application)
  local wanted, got = bodies.of(SIZE), 0
  for _, one in ipairs(list) do
    for i = 1, REQUESTS do
      local request
      if application.echo and i % 3 == 0 then
        request = client.once(one.session, { path = application.echo, body = wanted })
      else
        request = one.session:request { path = "bodies/" .. SIZE }
      end
      request:done(function(response) if response.body == wanted then got = got + 1 end end)
        :fail(function(_, _, info) checks.holds(false, "a request", info.errorObject) end)
    end
  end
  checks.holds(datasession.run(120), "all end in time")
  checks.equal(#list * REQUESTS, got, "answers that are whole")
end

local function closeAll(list)
  local ends = {}
  for i, one in ipairs(list) do
    ends[i] = one.made and one.made:logout() or one.session:invalidate()
  end
  for i, promise in ipairs(ends) do checks.resolves(promise, "end " .. i) end
  for _, one in ipairs(list) do one.session:invalidate():await(10) end
end

return function(field)
  local some = applications.of(field.servers, function(application, line)
    -- To seal and open a session's cookie costs httpd some milliseconds.
    if application.changing and line.name ~= "http2" and field.short then return false end
    return application.path == "form" or not field.short and application.path ~= "pages"
  end)
  for _, application in ipairs(some) do
    checks.at("many: " .. application.name)
    local list = openAll(application, SESSIONS)
    askAll(list, application)
    closeAll(list)
  end
end
