--- The servers' own logs of all that went before.
local checks = require "field.support.checks"
local client = require "field.support.client"
local files = dofile "spec/support/files.lua"
local logs = require "field.support.logs"
local shell = dofile "spec/support/shell.lua"
local users = require "field.support.users"

-- A request to be sent once has arrived once at most.
local function nothingTwice(server)
  checks.at("evidence, nothing twice: " .. server.name)
  local seen, sent, twice = {}, 0, {}
  for _, entry in ipairs(logs.read(server.log)) do
    local id = entry.uri:match "[?&]once=(%d+)%."
    if id then
      local key = id .. " " .. entry.uri:match "^[^?]*"
      if seen[key] then twice[#twice + 1] = entry.method .. " " .. entry.uri end
      seen[key], sent = true, sent + 1
    end
  end
  checks.holds(#twice == 0, "what was to be sent once", table.concat(twice, ", "))
  return sent
end

-- Those that were told of as done have arrived.
local function allArrived(field)
  checks.at("evidence, what was answered has arrived")
  local arrived = {}
  for _, server in ipairs(field.servers) do
    for _, entry in ipairs(logs.read(server.log)) do
      local id = entry.uri:match "[?&]once=(%d+)%."
      if id then arrived[tonumber(id)] = true end
    end
  end
  for id in pairs(client.answered) do checks.holds(arrived[id], "request " .. id) end
end

local function nothingElsewhere(field)
  checks.at("evidence, nothing to another origin")
  local entries = logs.read(field.nginx.otherLog)
  for _, entry in ipairs(entries) do
    checks.equal("-", entry.authorization, "Authorization for " .. entry.uri)
    checks.equal("-", entry.cookie, "Cookie for " .. entry.uri)
  end
end

local function percentEncoded(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function secrets()
  local list = {}
  for _, user in pairs(users) do
    local secret = type(user) == "table" and user.password or user
    list[#list + 1] = secret
    if percentEncoded(secret) ~= secret then list[#list + 1] = percentEncoded(secret) end
  end
  return list
end

-- Tomcat's log shows the header Authorization, as base64 or a token: those columns are left out.
local function withoutHeaders(text)
  return (text:gsub("([^\n|]*|[^\n|]*|[^\n|]*|[^\n|]*|[^\n|]*|)[^\n|]*|[^\n|]*|", "%1-|-|"))
end

local function hasNone(text)
  for _, secret in ipairs(secrets()) do
    checks.holds(not text:find(secret, 1, true), "no secret stands there")
  end
end

local function noPassword(field)
  for path in shell.run("find", field.directory, "-name", "*.log"):gmatch "[^\n]+" do
    checks.at("evidence, no password: " .. path:match "[^/]+/[^/]+$")
    local text = withoutHeaders(files.read(path))
    hasNone(text)
  end
  checks.at("evidence, no password in our own log")
  local told = table.concat(client.told, "\n")
  hasNone(told)
end

return function(field)
  local sent = 0
  for _, server in ipairs(field.servers) do sent = sent + nothingTwice(server) end
  print(("%d requests that were to be sent once are in the logs"):format(sent))
  allArrived(field)
  nothingElsewhere(field)
  noPassword(field)
end
