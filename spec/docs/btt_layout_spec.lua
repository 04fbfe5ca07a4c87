-- examples/btt_layout.lua, as a reader would start it.
local child = dofile "spec/support/child.lua"

describe("examples/btt_layout.lua", function()
  it("speaks the published layout of fields with a server that reads it", function()
    local result = child.run 'dofile "examples/btt_layout.lua"'
    assert.equal(0, result.code, result.output)
    assert.equal("Established: the terminal is BR12-T03.\nSEK/USD: 0.09\nAll went well.\n", result.output)
  end)
end)
