--- The soak's action on the callback channels of DataSnap sessions.
local datasession = require "datasession"

local channels = {}

local EVENTS = { "started", "stopped", "disconnected", "interrupted", "callbackAdded", "callbackRemoved" }

-- A callback that answers at once, later, too late, never, or not at all.
local function callback(rnd)
  return function(value)
    if rnd:chance(0.1) then error "soak: on purpose" end
    if rnd:chance(0.3) then datasession.sleep(rnd:number(0.1)) end
    if rnd:chance(0.1) then return datasession.newPromise(function() end) end
    return value
  end
end

local function open(slot, rnd)
  local channel = slot.session:channel { serverChannel = rnd:of { "a", "b" }, answerTimeout = 0.05 }
  channel:callback("one", callback(rnd), rnd:chance(0.5) and "b" or nil)
  slot.channel = channel
  return channel
end

local things = {
  { 10, "register", function(channel) return channel:register() end },
  { 10, "broadcast", function(channel, rnd) return channel:broadcast(rnd:upTo(9), rnd:of { "a", "b" }) end },
  { 10, "notify", function(channel, rnd)
    return channel:notify(channel.id, "one", { rnd:upTo(9) }, { timeout = 0.2 })
  end },
  { 4, "close", function(channel) return channel:close() end },
  { 1, "closeSession of a channel", function(channel) return channel:closeSession() end },
}

--- The entry of the list of actions.
function channels.action(ledger)
  local function act(slot, rnd, soak)
    if slot.system.name ~= "datasnap" then return end
    local channel = slot.channel
    if not channel or channel.session ~= slot.session or rnd:chance(0.1) then channel = open(slot, rnd) end
    if rnd:chance(0.2) then
      channel:subscribe(rnd:of(EVENTS), function()
        if rnd:chance(0.3) then soak.any() end
        if rnd:chance(0.1) then error "soak: on purpose" end
      end)
    end
    local thing = rnd:weighted(things)
    local promise = ledger.watch(thing[2], thing[3](channel, rnd))
    if rnd:chance(0.05) then promise:cancel() end
  end
  return { 20, "channel", act }
end

return channels
