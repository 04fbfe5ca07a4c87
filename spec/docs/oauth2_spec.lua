-- examples/oauth2.lua, as a reader would start it.
local child = dofile "spec/support/child.lua"

describe("examples/oauth2.lua", function()
  it("gets tokens by each grant, and says why it gets none", function()
    local result = child.run 'dofile "examples/oauth2.lua"'
    assert.equal(0, result.code, result.output)
    local refused, customers = select(2, result.output:gsub("a token is needed: refused", "")),
      select(2, result.output:gsub("300 customers", ""))
    assert.same({ 3, 6 }, { refused, customers })
    assert.matches("go to http://127.0.0.1:%d+/oauth/device and type %u+%-%u+", result.output)
    assert.matches("login: tokenProvider gave no token: .*invalid_grant", result.output)
    assert.matches("All went well", result.output)
  end)
end)
