--- The features of the library at hand, found by trying: a missing one says "not supported yet".
local datasession = require "datasession"

local NOWHERE = "http://127.0.0.1:9/Nowhere"

local function works(call, ...)
  local ok, message = pcall(call, ...)
  return ok or not tostring(message):find("not supported yet", 1, true)
end

local function makes(options)
  options.serviceURI = NOWHERE
  return works(datasession.new, options)
end

local function session()
  return datasession.new { serviceURI = NOWHERE }
end

local function has(method, ...)
  local one = session()
  return works(one[method], one, ...)
end

-- The checks of getSession alone matter: cancels what it starts.
local function takes(name, value)
  return works(function()
    datasession.getSession({ serviceURI = NOWHERE, catalogURI = NOWHERE, [name] = value }):cancel()
  end)
end

local probes = {
  sso = function()
    return datasession.AuthenticationProvider ~= nil and makes { authenticationModel = "sso" }
  end,
  bearer = function() return makes { authenticationModel = "bearer" } end,
  provider = function() return datasession.AuthenticationProvider ~= nil end,
  context = function() return has("setContext", {}) end,
  disconnect = function() return has "disconnect" end,
  credentials = function()
    local one = session()
    return works(function() one:addCatalog(NOWHERE, "user", "password"):cancel() end)
  end,
  onOpenRequest = function()
    local one = session()
    return works(function() one.onOpenRequest = function() end end)
  end,
  name = function() return pcall(require, "datasession.storage") end,
  timeStamp = function() return makes { timeStamp = true } end,
  loginOptions = function()
    local one = datasession.new { serviceURI = NOWHERE, authenticationModel = "basic" }
    return works(function() one:login("user", "password", { iOSBasicAuthTimeout = 1000 }):cancel() end)
  end,
  loginCallback = function() return takes("loginCallback", function() end) end,
  authenticationURI = function() return takes("authenticationURI", NOWHERE) end,
  getSessionContext = function() return takes("context", {}) end,
  data = function() return select(2, pcall(function() return datasession.JSDO end)) and
    pcall(require, "datasession.data") end,
  device = function() return datasession.setDeviceOnline ~= nil end,
}

local known = {}

local features = {}

--- Whether the library has a feature.
function features.has(name)
  if known[name] == nil then
    local probe = probes[name] or error("no feature is called " .. tostring(name))
    datasession.onError(function() end)
    known[name] = probe()
    datasession.run(1)
    datasession.onError(nil)
    collectgarbage()
  end
  return known[name]
end

--- The first of the features named (a name, a list or nil) that is missing.
function features.missing(names)
  for _, name in ipairs(type(names) == "table" and names or { names }) do
    if not features.has(name) then return name end
  end
end

return features
