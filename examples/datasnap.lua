--- Methods of a DataSnap server, in a session that comes with the first call.
--
--   lua5.4 examples/datasnap.lua                 against a server in this process (the sandbox)
--   lua5.4 examples/datasnap.lua URI USER        pings yours; the password comes from the environment
--                                                variable DATASESSION_PASSWORD

local datasession = require "datasession"

local uri, user = arg and arg[1], arg and arg[2]
local server

local function say(...)
  print(string.format(...))
end

local function showEvents(session)
  session:subscribe("expired", function(_, reason)
    say("  event expired: %s", reason)
  end)
  session:subscribe("renewed", function(_, at)
    say("  event renewed: good until %s", os.date("%H:%M:%S", math.floor(at)))
  end)
end

local function callMethods(session)
  say("Calling TStock.Level, which makes the session.")
  local result = assert(session:invoke("TStock", "Level", { "A/7", 3 }):await())
  say("  %d are left", result[1])
  say("Calling TStock.updateOrder with an object.")
  local order = { "web", { sku = "A/7" }, 2, datasession.null }
  assert(session:invoke("TStock", "Order", order, { verb = "POST" }):await())
  say("Calling a method that fails.")
  local none, err = session:invoke("TEcho", "Fail", { "out of stock" }):await()
  assert(not none)
  say("  %s: %s", err.kind, err.response:json().error)
end

local function readCache(session)
  say("Leaving a large result on the server, and fetching a part of it.")
  local result = assert(session:invoke("TEcho", "Table", { 3 }, { accept = "application/rest" }):await())
  local rows = assert(session:cache(result[2]):await())
  say("  %s holds %s", result[2], table.concat(rows.name, ", "))
end

local function loseSession(session)
  say("The server forgets the session.")
  server:expireSessions("datasnap")
  local none, err = session:invoke("TEcho", "Count"):await()
  assert(not none and err.kind == "expired")
  say("  %s", err)
  say("The next call begins another.")
  assert(session:invoke("TEcho", "Count"):await())
end

if not uri then
  server = assert(require("datasession.sandbox").start())
  uri = server.uris.datasnap
end
local session = datasession.new { protocol = "datasnap", serviceURI = uri }
showEvents(session)
if server then
  callMethods(session)
  readCache(session)
  loseSession(session)
else
  assert(session:login(user, user and (os.getenv("DATASESSION_PASSWORD") or "")):await())
  assert(session:ping():await())
  say("%s answers.", uri)
end
say("Closing the session.")
assert(session:logout():await())
if server then
  assert(server:sessionCount("datasnap") == 0)
  server:close()
end
