-- Twenty callback channels whose connections break at random. Longer: make torture-channels.
local datasession = require "datasession"

local storm = dofile "spec/suites/channels/storm.lua"

describe("many callback channels", function()
  it("lose nothing without a word, and get nothing twice", function()
    local reports = {}
    datasession.onError(function(err) reports[#reports + 1] = tostring(err) end)
    finally(function() datasession.onError(nil) end)
    local outcome = storm.run(4, 1)
    assert.same({}, outcome.wrong)
    assert.same({}, reports)
    assert.is_true(outcome.heard > 100 and outcome.answered > 10 and outcome.interrupted > 0)
  end)
end)
