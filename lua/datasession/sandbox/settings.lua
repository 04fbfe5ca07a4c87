--- The settings that the controls setBtt and setProiv change: the value at the start and the rule of each
-- setting.
local check = require "datasession.sandbox.check"

local function isCookies(value)
  if type(value) ~= "table" then return false, "list of values for Set-Cookie" end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  for i = 1, count do
    if not check.line(value[i]) then return false, "list of values for Set-Cookie" end
  end
  return true
end

local function isReply(value)
  if type(value) ~= "table" then return false, "table of strings or false by name" end
  for name, text in pairs(value) do
    if type(name) ~= "string" or (type(text) ~= "string" and text ~= false) then
      return false, "table of strings or false by name"
    end
  end
  return true
end

local function isWrapper(value)
  return value == false or check.name(value), "string that is not empty, or false"
end

local settings = {}

settings.btt = {
  rules = {
    refuseEstablish = check.integer(0), timeout = check.integer(0),
    answer = check.oneOf { "json", "html" }, carrier = check.oneOf { "cookie", "parameter", "both" },
    lossAs = check.oneOf { "CSS00", "CSS11", 401, 403, 440, "redirect" }, location = check.line,
    pageId = check.oneOf { "optional", "required" }, runInSession = check.is "boolean",
    serverId = check.name, wrapper = isWrapper, cookies = isCookies, reply = isReply,
  },
  defaults = {
    refuseEstablish = 0, timeout = 1800000, answer = "json", carrier = "both", lossAs = "CSS00",
    location = "http://signin.invalid/", pageId = "optional", runInSession = true, serverId = "n1",
    wrapper = false, cookies = {}, reply = {},
  },
}

settings.oauth = {
  rules = {
    lifetime = check.number(0), refreshTokens = check.is "boolean", interval = check.number(0),
    deviceLifetime = check.number(0), clients = check.texts,
  },
  defaults = {
    refreshTokens = true, interval = 5, deviceLifetime = 600, clients = { robot = "secret", tv = "" },
  },
}

settings.proiv = {
  rules = {
    stop = check.oneOf { "end", "refuse", "refuseLater", "hang" }, polls = check.integer(0),
    sessionKey = check.is "boolean", finished = check.is "boolean",
    lossAs = check.oneOf { 401, 403, 404, 410, "lost" },
  },
  defaults = { stop = "end", polls = 1, sessionKey = false, finished = false, lossAs = 404 },
}

--- The settings of a model at the start.
function settings.new(model)
  local copy = {}
  for name, value in pairs(settings[model].defaults) do copy[name] = value end
  return copy
end

return settings
