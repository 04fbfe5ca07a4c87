--- Finds out which kind of server responds at a URI, and how it asks for a login.

local closing = require("datasession.internal.lua").closing

local detect = {}

-- A page with a field for a password asks for a login, whatever its status says.
local function isLoginPage(response)
  local type = response.headers["content-type"] or ""
  if not type:find("text/html", 1, true) then return false end
  local body = response.body:lower()
  return body:find("security_check", 1, true) ~= nil or body:find("type=[\"']?password") ~= nil
end

local function modelOf(response)
  local asks = (response.headers["www-authenticate"] or ""):lower()
  if response.status == 401 and asks:find "^basic" then return "basic" end
  if response.status == 401 and asks:find "^bearer" then return "bearer" end
  if isLoginPage(response) or response.status == 401 then return "form" end
  return "anonymous"
end

--- The response to GET, and the error if its status is 400 or more; or nil and the error if none came.
function detect.get(session, path)
  local response, err = session:request { path = path }:await()
  if response then return response end
  return err.response, err
end

--- An error's message without the call and the URI that it begins with.
function detect.cause(err)
  return (err.message:gsub("^%a+: https?://[^ ]+: ", ""):gsub("^%a+: (HTTP %d+) from https?://[^ ]+:", "%1:"))
end

local PINGS = { "/rest/_oepingService/_oeping", "/rest/_oeping", "/" } -- the last: for servers without
local DATASNAP = "/datasnap/rest/DSAdmin/GetPlatformName"

local function isDataSnap(session)
  local named = detect.get(session, DATASNAP)
  if not named then return false end
  return named.body:find('"result"', 1, true) ~= nil or named.status == 401 or named.status == 403
end

-- Sessions at a DataSnap server, which answers 404 to the pings. Each question whether it is one makes a
-- session on that server, so a session asks only until the answer is yes.
local datasnap = setmetatable({}, { __mode = "k" })

--- Asks a server once whether it serves, without a login.
-- @param session an anonymous session at the URI
-- @return "up", "down", or "absent" if the server answers and has nothing at the URI; the reason or "", the
--   seconds that the response took, or nil, and the error object of "down", or nil
function detect.ping(session)
  local response, err
  for _, path in ipairs(PINGS) do
    response, err = detect.get(session, path)
    if not response or response.status ~= 404 then break end
  end
  if not response then return "down", detect.cause(err), nil, err end
  local status, seconds = response.status, response.timing.total
  if status >= 500 then return "down", detect.cause(err), seconds, err end
  if status == 401 then return "up", "asks for a login", seconds end
  if status == 404 then
    datasnap[session] = datasnap[session] or isDataSnap(session) or nil
    if datasnap[session] then return "up", "", seconds end
    return "absent", "HTTP 404", seconds
  end
  return "up", status >= 400 and "answers HTTP " .. status or "", seconds
end

--- The authentication model that a web application asks for.
-- @param new function that makes a session of options
-- @param options those of the session, without a model
-- @return "anonymous", "basic", "form" or "bearer". Raises the error object if no response comes
function detect.model(new, options)
  local asked = {}
  for name, value in pairs(options) do asked[name] = value end
  asked.authenticationModel = "anonymous"
  local session = new(asked)
  return closing(session, function()
    local response, err = detect.get(session, "/static/home.html")
    if not response then error(err, 0) end
    return modelOf(response), response
  end)
end

--- "openedge", "datasnap", or nil for another kind.
-- @param session an anonymous session at the URI
function detect.kind(session)
  local ping = detect.get(session, "/rest/_oepingService/_oeping") or detect.get(session, "/rest/_oeping")
  local answers = ping and (ping.status == 200 or ping.status == 500)
  if answers and ping.body:find("^%s*{") then return "openedge" end
  local home = detect.get(session, "/static/home.html")
  if home and (home.status == 200 or home.status == 401) then return "openedge" end
  if isDataSnap(session) then return "datasnap" end
end

return detect
