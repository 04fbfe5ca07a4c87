--- Two clients that talk through callback channels of a DataSnap server.
--
--   lua5.4 examples/chat.lua                 ann and bob, at a server in this process (the sandbox)
--   lua5.4 examples/chat.lua URI NAME        you: what you type is broadcast; `@bob text` is for bob alone

local datasession = require "datasession"

local ROOM = "chat"

local function say(...) print(string.format(...)) end

-- Joins the room under a name, which is also the id of the channel. hear(text) is called for each message.
local function join(uri, name, hear)
  local session = datasession.new { protocol = "datasnap", serviceURI = uri, pingInterval = "60s" }
  local channel = session:channel { serverChannel = ROOM, id = name }
  channel:callback("room", function(message)
    if message.from ~= name then hear(("%s: %s"):format(message.from, message.text)) end
  end)
  channel:callback("whisper", function(message, details)
    if details.broadcast then return end -- every callback hears what is broadcast to the room
    hear(("%s whispers: %s"):format(message.from, message.text))
    return "heard"
  end)
  channel:subscribe("interrupted", function() hear "(a message may be lost)" end)
  channel:subscribe("disconnected", function(_, err) hear(("(disconnected: %s)"):format(err.message)) end)
  assert(channel:register():await())
  return channel
end

local function whisper(channel, name, text)
  local answer, err = channel:notify(name, "whisper", { from = channel.id, text = text }, { timeout = 10 })
    :await()
  return answer == "heard" and "heard" or err and err.message or "not heard"
end

local function demo()
  local server <close> = assert(require("datasession.sandbox").start())
  local uri, heard = server.uris.datasnap, 0
  local function hearer(name)
    return function(text)
      heard = heard + 1
      say("  %s hears %s", name, text)
    end
  end
  say "Ann and bob join the room."
  local ann, bob = join(uri, "ann", hearer "ann"), join(uri, "bob", hearer "bob")
  assert(ann:broadcast({ from = "ann", text = "Is anybody here?" }):await())
  assert(bob:broadcast({ from = "bob", text = "I am." }):await())
  say("Ann whispers to bob: %s.", whisper(ann, "bob", "Lunch at one?"))
  say("Ann whispers to carl: %s.", whisper(ann, "carl", "And you?"))
  while heard < 3 do datasession.step(0.1) end
  assert(ann:closeSession():await() and bob:closeSession():await())
  datasession.run() -- until the requests that waited have ended, too
  say "Both have left."
end

-- Reads lines while the channel waits. A line blocks the program, so messages come after each line.
local function talk(uri, name)
  local channel <close> = join(uri, name, print)
  say("You are %s. An empty line ends the chat.", name)
  for line in io.lines() do
    if line == "" then break end
    local to, text = line:match "^@(%S+)%s+(.*)$"
    if to then
      print(whisper(channel, to, text))
    else
      assert(channel:broadcast({ from = name, text = line }):await())
    end
    datasession.sleep(0.2)
  end
end

if arg and arg[1] then talk(arg[1], assert(arg[2], "usage: chat.lua URI NAME")) else demo() end
