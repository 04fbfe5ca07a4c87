-- usage: lua spec/suites/channels/run.lua
--   CHANNELS_SECONDS: how long (60); CHANNELS_SEED: to do nearly the same again; by default the time
local storm = dofile "spec/suites/channels/storm.lua"

local SECONDS = math.tointeger(tonumber(os.getenv "CHANNELS_SECONDS" or 60))
local SEED = math.tointeger(tonumber(os.getenv "CHANNELS_SEED" or os.time()))

io.stdout:setvbuf "line"
print(("channels: seed %d, for %d seconds"):format(SEED, SECONDS))
local outcome = storm.run(SECONDS, SEED)
for i = 1, math.min(20, #outcome.wrong) do print("  " .. outcome.wrong[i]) end
print(("channels: %d messages heard, %d answered; %d times told that some may be lost, %d times opened again")
  :format(outcome.heard, outcome.answered, outcome.interrupted, outcome.again))
print(("channels: memory %+.0f KiB, %d failed"):format(outcome.more, #outcome.wrong))
os.exit(#outcome.wrong == 0, true)
