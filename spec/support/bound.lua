--- Gives each spec a limit of time of its own: a quarter of what its whole command has (TEST_TIMEOUT,
-- tools/run-tests.sh). SPEC_TIMEOUT: seconds. A spec that waits for ever fails with its name, and the others
-- run.
local busted = require "busted"

local known, faults = pcall(require, "fault_server") -- the specs' own module
local SECONDS = math.ceil(tonumber(os.getenv "SPEC_TIMEOUT") or (os.getenv "TEST_TIMEOUT" or 600) / 4)

if known and faults.bound then
  busted.subscribe({ "test", "start" }, function(element)
    faults.bound(SECONDS, element.name)
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function()
    faults.bound(0)
    return nil, true
  end)
end
