-- How records are found by a field of their rows: core.indexRows.
local codec = require "datasession.internal.codec"
local core = require "datasession.core"

local function record(value)
  return setmetatable({ row = { id = value } }, { __index = function() error "not read raw" end })
end

describe("indexRows", function()
  it("finds each record by the text of its value", function()
    local a, b, c, d = record "a", record(7), record(-8.0), record(math.mininteger)
    assert.same({ a = a, ["7"] = b, ["-8"] = c, [("%d"):format(math.mininteger)] = d },
      core.indexRows({ a, b, c, d }, "row", "id"))
    assert.same({}, core.indexRows({}, "row", "id"))
  end)

  it("leaves what is unusual to Lua", function()
    for _, value in ipairs { 0.5, 1 / 0, 2 ^ 63, "", true, codec.null, {} } do
      assert.is_nil(core.indexRows({ record "a", record(value) }, "row", "id"))
    end
    assert.is_nil(core.indexRows({ record "a", record(nil) }, "row", "id"))
    assert.is_nil(core.indexRows({ record "1", record(1) }, "row", "id"))
    assert.is_nil(core.indexRows({ record "a", {} }, "row", "id"))
    assert.is_nil(core.indexRows({ 1 }, "row", "id"))
  end)
end)
