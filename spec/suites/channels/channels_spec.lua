-- Twenty callback channels whose connections break at random. Longer: make torture-channels. In a process of
-- its own, since it looks at how memory grows.
local child = dofile "spec/support/child.lua"

describe("many callback channels", function()
  it("lose nothing without a word, and get nothing twice", function()
    child.variables = "CHANNELS_SECONDS=4 CHANNELS_SEED=1"
    finally(function() child.variables = nil end)
    local output = child.output 'dofile "spec/suites/channels/run.lua"'
    local heard, answered, interrupted = output:match "(%d+) messages heard, (%d+) answered; (%d+) times"
    assert.is_true(tonumber(heard) > 100 and tonumber(answered) > 10 and tonumber(interrupted) > 0, output)
    assert.is_nil(output:find("warning", 1, true))
  end)
end)
