--- Bodies of 0 to 70,000 bytes, and of 5 MB, both ways.
local applications = require "field.support.applications"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local files = dofile "spec/support/files.lua"

local LIMIT = 8 -- seconds for one

local function comes(session, size)
  local response, err = session:request { path = "bodies/" .. size, timeout = LIMIT }:await(LIMIT + 5)
  checks.holds(response and response.body == bodies.of(size), "down, " .. size .. " bytes",
    err or response and #response.body .. " bytes came")
end

local function goesAndComes(session, application, size)
  local sent = client.once(session, { path = application.echo, body = bodies.of(size), timeout = LIMIT })
  local response, err = sent:await(LIMIT + 5)
  checks.holds(response and response.body == bodies.of(size), "both ways, " .. size .. " bytes",
    err or response and #response.body .. " bytes came")
end

local function goes(session, application, size)
  local path = application.put .. "bodies" .. size
  local sent = client.once(session, { path = path, method = "PUT", body = bodies.of(size), timeout = LIMIT })
  local response, err = sent:await(LIMIT + 5)
  local there = response and files.read(application.server.uploads .. "bodies" .. size)
  checks.holds(there == bodies.of(size), "up, " .. size .. " bytes", err or there and #there .. " bytes came")
  os.remove(application.server.uploads .. "bodies" .. size)
end

return function(field)
  local one = applications.of(field.servers, function(application)
    return application.path == "anonymous" or application.path == "form"
  end)
  for _, application in ipairs(one) do
    checks.at("bodies: " .. application.name)
    local session, made = client.open(application)
    for _, size in ipairs(field.sizes) do
      comes(session, size)
      if application.echo then goesAndComes(session, application, size) end
      if application.put then goes(session, application, size) end
    end
    client.close(session, made)
  end
end
