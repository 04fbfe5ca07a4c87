--- A session of the Bank Transformation Toolkit's Rich Client, from establishment to close, with a loss on
-- the way.
--
--   lua5.4 examples/btt.lua                         against a server in this process (the sandbox)
--   lua5.4 examples/btt.lua URI OPERATION [TID]     against yours: runs that operation, without data

local datasession = require "datasession"

local uri, operation, tid = arg[1], arg[2], arg[3]
local server

local function say(...)
  print(string.format(...))
end

local function show(value)
  if type(value) ~= "table" then
    say("  %s", tostring(value))
    return
  end
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    say("  %s = %s", name, tostring(value[name]))
  end
end

local function open(options)
  options.protocol, options.serviceURI = "btt", uri
  local session = datasession.new(options)
  session:subscribe("statusChanged", function(_, status)
    say("  status: %s", status)
  end)
  session:subscribe("reconnecting", function(_, attempt)
    say("  attempt %d to establish it again", attempt)
  end)
  return session
end

-- The server forgets the session. A call that met that is not repeated: it may have run.
local function loseSession(session)
  say("The server loses the session.")
  server:expireSessions("btt")
  local _, err = session:invoke("Transfer", { amount = 100 }):await()
  say("  %s", tostring(err.hint))
  assert(err.kind == "expired" and not server:calls()["btt.Transfer"])
  say("The next call waits until it is there again.")
  show(assert(session:invoke("Transfer", { amount = 100 }):await()))
end

-- Another program of the same terminal resumes the session.
local function join()
  say("Joining the session of terminal %s.", tid)
  local other = open { tid = tid }
  assert(other:establishSession(false):await())
  return other
end

local function main()
  if uri then
    assert(operation, "usage: btt.lua URI OPERATION [TID]")
  else
    server = require("datasession.sandbox").start()
    uri, operation, tid = server.uris.btt, "RateLookup", "BR12-T03"
  end
  local session = open { tid = tid, closeOperation = server and "LogOff" or nil, reconnect = { delay = 0.1 } }
  say("Establishing a session at %s.", session.serviceURI)
  assert(session:establishSession():await())
  say("Running %s.", operation)
  show(assert(session:invoke(operation, server and { ccy = "SEK" } or nil):await()))
  say("Cookies: %s.", table.concat(session:cookies(), ", "))
  if server then
    local other = join()
    assert(other.sessionId == session.sessionId)
    loseSession(session)
  end
  say("Closing.")
  local _, _, info = assert(session:closeSession():await())
  if info.warning then
    say("  %s", info.warning)
  end
end

local ok, err = pcall(main)
datasession.run(5)
if server then
  server:close()
end
if not ok then
  io.stderr:write("btt: ", tostring(err), "\n")
  os.exit(1, true)
end
say("All went well.")
