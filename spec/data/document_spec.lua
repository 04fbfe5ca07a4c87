-- Documents that are decoded in slices are what codec.decode makes of them.
local codec = require "datasession.internal.codec"
local document = require "datasession.internal.data.document"

local function rows(n, row)
  local list = {}
  for i = 1, n do list[i] = row(i) end
  return "[" .. table.concat(list, ",\n ") .. "]"
end

local function customer(i)
  return ('{"CustNum":%d,"Name":"Customer \\"%d\\" \\u00e9","Balance":%d.25,"Big":%d,"Rate":1.5e-%d,'):format(
    i, i, i * 37, math.maxinteger - i, i % 9)
    .. '"Active":true,"Since":null,"Sales":[1,2.5,' .. i .. '],"None":[],"Whole":10.0,"Zero":-0}'
end

-- Decodes in slices; returns the value and the number of pauses.
local function sliced(text)
  local pauses = 0
  return document.decode(text, function() pauses = pauses + 1 end), pauses
end

local function same(expected, value)
  if type(expected) ~= "table" then
    return assert(expected == value and math.type(expected) == math.type(value), tostring(value))
  end
  assert.equal(codec.isArray(expected), codec.isArray(value))
  for key, member in pairs(expected) do same(member, value[key]) end
  for key in pairs(value) do assert.is_not_nil(expected[key]) end
end

describe("document.decode", function()
  it("gives what the codec gives, with pauses", function()
    local list = rows(1000, customer)
    for _, text in ipairs {
      '{"ds":{"tt":' .. list .. ',"prods:hasChanges":true,"other":' .. list .. '}}',
      '{"response": {"ds": {"tt": ' .. list .. ', "prods:before": {"tt": ' .. list .. '}}}} ',
      list, '{"data":' .. list .. '}', '{"n":[1,2],"tt":' .. list .. ',"empty":[]}', "\239\187\191" .. list,
    } do
      local value, pauses = sliced(text)
      same(codec.decode(text), value)
      assert.is_true(pauses > 3)
    end
  end)

  it("reads rows whose keys vary in number, order and spelling", function()
    local list = rows(3000, function(i)
      local kinds = { '{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":1}', '{}', '{"\\u0061":1,"b":2,"c":3}',
        '{"a":1,"a":2}' }
      return kinds[i % #kinds + 1]
    end)
    same(codec.decode(list), (sliced(list)))
  end)

  it("leaves what it doubts to the codec", function()
    local padding = (" "):rep(40000)
    for _, text in ipairs {
      '[{"a":"\\u0000"}]', '{"tt":[{"a":1}],"tt":[{"b":2}]}', '[{"a":1},2,null]', '"text"', "{}", "[]",
      '{"a":' .. ("["):rep(100) .. ("]"):rep(100) .. "}", '[{"a":"\xc0"}]',
      ('{"a":'):rep(20) .. '[{"b":1}]' .. ("}"):rep(20),
    } do
      same(codec.decode(text), (sliced(padding .. text)))
    end
  end)

  it("rejects what is not JSON", function()
    local good = rows(1000, customer):sub(2, -2)
    for _, bad in ipairs {
      '{"tt":[' .. good .. "}", '{"tt":[' .. good, "[" .. good .. ",]", "[" .. good .. "]]",
      "[" .. good .. ',{"a":01}]', '[{"a":1}{"b":2},' .. good .. "]", "[" .. good .. "] x",
      "[" .. good .. ',{"a" 1}]', "[" .. good .. "\0]",
    } do
      local value, message = document.decode(bad, function() end)
      assert.is_nil(value)
      assert.is_string(message)
    end
  end)
end)
