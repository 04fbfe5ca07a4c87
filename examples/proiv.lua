--- PROIV sessions: started, refused, stopped, ended, lost.
--
--   lua5.4 examples/proiv.lua                 against a server in this process (the sandbox)
--   lua5.4 examples/proiv.lua URI [SERVICE]   against yours, if it speaks as docs/proiv.md says

local datasession = require "datasession"
local proiv = require "datasession.proiv"

local uri, service = arg[1], arg[2] or "Default"
local server

local function say(...)
  print(string.format(...))
end

local function showMessages()
  proiv.hub:subscribe("proiv.session.*", function(name, data)
    say("  %s: %s%s", name, data.sessionNodeID or "none", data.reason and " (" .. data.reason .. ")" or "")
  end)
end

local function start(slot)
  return assert(proiv.start {
    sessionNodeID = slot, URI = uri, connectionData = { service = service }, pingInterval = "500ms",
    pollInterval = 0.05,
  })
end

-- True if PROIV agreed to stop the session.
local function stop(key)
  local stopped
  assert(proiv.stop(key, 5, function() stopped = true end, function() stopped = false end))
  repeat
    datasession.step(0.1)
  until stopped ~= nil
  return stopped
end

local function showRefusal(key)
  say("PROIV refuses to stop it.")
  server:setProiv { stop = "refuse" }
  assert(not stop(key), "it was stopped though the server refused")
  assert(proiv.session(key).serviceStatus == "running", "it does not go on")
  server:setProiv { stop = "end" }
end

local function showLoss(key)
  say("The server loses a session.")
  server:expireSessions "proiv"
  while proiv.session(key) do
    datasession.step(0.1)
  end
end

local function main()
  showMessages()
  say("Starting two sessions of %s at %s.", service, uri)
  local left, right = start "left", start "right"
  proiv.setActive(right)
  if server then
    showRefusal(left)
  end
  say("Stopping the left one.")
  say("  %s", stop(left) and "it has ended" or "it goes on")
  say("Ending the active one at once.")
  proiv.finish()
  if server then
    showLoss(start "left")
  end
  proiv.close()
  datasession.run(5)
end

if not uri then
  server = require("datasession.sandbox").start()
  uri = server.uris.proiv
end
local ok, err = pcall(main)
if server then
  server:close()
end
if not ok then
  io.stderr:write("proiv: ", tostring(err), "\n")
  os.exit(1, true)
end
say "All went well."
