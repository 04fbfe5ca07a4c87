-- How rows are written as JSON: core.encodeRow, against the codec that reads them.
local codec = require "datasession.internal.codec"
local core = require "datasession.core"

local NAMES = { "b", "a", "list" }

describe("encodeRow", function()
  it("writes the fields in the order of the names", function()
    assert.equal('{"b":1,"a":"x","list":[1,2.5,null,true]}',
      core.encodeRow(NAMES, { a = "x", b = 1, list = { 1, 2.5, codec.null, true } }))
    assert.equal('{"a":false}', core.encodeRow(NAMES, { a = false }))
    assert.equal("{}", core.encodeRow(NAMES, {}))
  end)

  it("puts other values over those of the row, and other members before them", function()
    local row = { a = "x", b = 1 }
    assert.same({ '{"b":1,"a":"x"}', '{"b":2,"a":"x","list":[3]}' },
      { core.encodeRow(NAMES, row, nil, { b = 2, list = { 3 } }) })
    assert.same({ '{"c":0,"b":1,"a":"x"}', '{"d":0,"b":1,"a":null}' },
      { core.encodeRow(NAMES, row, '"c":0', { a = codec.null }, '"d":0') })
    assert.same({ '{"c":0}', "{}" }, { core.encodeRow(NAMES, {}, '"c":0', {}) })
    assert.same({ a = "x", b = 1 }, row)
  end)

  it("writes old values of rows of any length", function()
    for length = 2020, 2060 do
      local row = { a = ("x"):rep(length), b = 1, list = { 2 } }
      local new, old = core.encodeRow(NAMES, row, nil, { list = { 3 } })
      assert.same(row, codec.decode(new))
      assert.same({ a = row.a, b = 1, list = { 3 } }, codec.decode(old))
      new, old = core.encodeRow({ "a", "b", "list" }, row, nil, { b = 0 })
      assert.same(row, codec.decode(new))
      assert.same({ a = row.a, b = 0, list = { 2 } }, codec.decode(old))
    end
  end)

  it("writes texts and numbers that read back the same", function()
    local values = {
      'quotes " and \\ and /', "line\nbreak\0\127", "Åsa €", ("long \n"):rep(2000), "",
      0, -1, math.maxinteger, math.mininteger, 0.1, -79.19, 0.000001, 1e-7, 0.1 + 0.2, 1e300, -0.5,
      99999999.999999, 123456789.123456, 2.5e15,
    }
    for _, value in ipairs(values) do
      local read = codec.decode(core.encodeRow({ "a" }, { a = value })).a
      assert.equal(value, read)
    end
  end)

  it("leaves what is unusual to the codec", function()
    for _, value in ipairs { 0 / 0, math.huge, "\255", "\237\160\128", {}, { {} }, { x = 1 }, print } do
      assert.is_nil(core.encodeRow(NAMES, { a = value }))
      assert.is_nil(core.encodeRow(NAMES, { a = 1 }, nil, { a = value }))
    end
    assert.is_nil(core.encodeRow(NAMES, { a = 1, other = 2 }))
    assert.is_nil(core.encodeRow({ 1 }, {}))
  end)
end)
