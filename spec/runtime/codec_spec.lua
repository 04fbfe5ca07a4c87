--- JSON: values survive encoding and decoding, whatever this lua-cjson does to numbers and empty arrays.
-- Every case runs twice: with the codec as it is, and with all repairs forced. Random cases print
-- their seed in their name; SEED=number repeats them.

local codec = require("datasession.internal.codec")

local seed = tonumber(os.getenv("SEED")) or os.time() % 1000000
local ROUNDS = 400

local random = math.random

--- True if both are equal, with types: an integer differs from a float, null from nil, [] from {}.
local function same(codecAtHand, a, b)
  -- 10.0 may come back as 10
  if math.type(a) == "float" and math.type(b) == "integer" then return a == b end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  if next(a) == nil and codecAtHand.isArray(a) ~= codecAtHand.isArray(b) then return false end
  for key, value in pairs(a) do
    if not same(codecAtHand, value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- ## Random values, with a text for each that another JSON writer might have written

local SPACES = { "", "", "", " ", "\n", "\t", "\r", "\r\n  " }

local function space() return SPACES[random(#SPACES)] end

local PIECES = {
  "a", "Name", " ", "1", "1234567890123456", "-99999999999999999999", "[]", "[ ]", ",", ":", "{", "}", "[",
  "]",
  "\"", "\\", "/", "\n", "\t", "\0", "\127", "\u{e9}", "\u{20ac}", "\u{1f600}", ", [], ",
  ": 1234567890123456789 ,",
  "\"[]\"", "\\\"", "\\\\", "\255", "\254\255", "null",
}

local function randomString()
  local pieces = {}
  for i = 1, random(0, 6) do pieces[i] = PIECES[random(#PIECES)] end
  return table.concat(pieces)
end

local SHORT = { ["\n"] = "\\n", ["\t"] = "\\t", ["\""] = "\\\"", ["\\"] = "\\\\", ["/"] = "\\/" }

local function stringText(value)
  return "\"" .. value:gsub(".", function(c)
    if c == "/" and random(2) == 1 then return nil end
    if SHORT[c] then return SHORT[c] end
    if c:byte() < 32 or c:byte() < 127 and random(9) == 1 then return ("\\u%04x"):format(c:byte()) end
  end) .. "\""
end

local BITS = math.maxinteger > 2 ^ 53 and 63 or 53

local function randomInteger()
  local value = 0
  for _ = 1, random(0, BITS) do value = 2 * value + random(0, 1) end
  return random(2) == 1 and value or -value - random(0, 1)
end

local function randomFloat()
  local kind = random(6)
  if kind == 1 then return random() end
  if kind == 2 then return random(-1000000, 1000000) / 100 end
  if kind == 3 then return 0.1 * random(1, 1000) end
  if kind == 4 then      -- the neighbour of a number of few digits
    return random(1, 100000000) / 100 * (1 + 2 ^ -52)
  end
  local value
  repeat
    local bytes = {}
    for i = 1, 8 do bytes[i] = random(0, 255) end
    value = string.unpack("d", string.char(table.unpack(bytes)))
  until value - value == 0
  return value
end

local makers
local newArray      -- the codec at hand's

local function randomValue(depth)
  local make = makers[random(depth > 0 and #makers or #makers - 2)]
  return make(depth)
end

makers = {
  function() local v = random(2) == 1 return v, tostring(v) end,
  function() return codec.null, "null" end,
  function() local v = randomString() return v, stringText(v) end,
  function() local v = randomInteger() return v, ("%d"):format(v) end,
  function() local v = random(-100, 100) return v, ("%d"):format(v) end,
  function() local v = randomFloat() return v, (("%.17g"):format(v):gsub(",", ".")) end,
  function(depth)
    local t, texts = newArray(), {}
    for i = 1, random(0, 4) do t[i], texts[i] = randomValue(depth - 1) end
    return t, "[" .. space() .. table.concat(texts, space() .. "," .. space()) .. space() .. "]"
  end,
  function(depth)
    local t, texts = {}, {}
    for i = 1, random(0, 4) do
      local key, value, text = randomString() .. i
      value, text = randomValue(depth - 1)
      t[key], texts[i] = value, stringText(key) .. space() .. ":" .. space() .. text
    end
    return t, "{" .. space() .. table.concat(texts, "," .. space()) .. space() .. "}"
  end,
}

-- ## The cases

local codecs = { ["as it is"] = codec, ["with all repairs"] = codec.new(nil, true) }

for name, json in pairs(codecs) do
  describe("the codec " .. name, function()
    local function roundTrip(value) return assert(json.decode(assert(json.encode(value)))) end

    describe("decoding numbers", function()
      it("reads integers as integers", function()
        local list = json.decode("[10, 0, -7, 123456789012345, 999999999999999]")
        for i, expected in ipairs({ 10, 0, -7, 123456789012345, 999999999999999 }) do
          assert.equal("integer", math.type(list[i]))
          assert.equal(expected, list[i])
        end
      end)

      it("keeps every digit of a 64-bit integer", function()
        local list = json.decode("[9007199254740993,-9007199254740993, 9223372036854775807 \z
          ,\n-9223372036854775808]")
        assert.same({ 9007199254740993, -9007199254740993, math.maxinteger, math.mininteger },
          { list[1], list[2], list[3], list[4] })
        assert.equal("integer", math.type(list[4]))
      end)

      it("reads an integer beyond 64 bits as the nearest float", function()
        local list = json.decode("[18446744073709551616, -18446744073709551616, 9223372036854775808]")
        assert.equal(2 ^ 64, list[1])
        assert.equal(-2 ^ 64, list[2])
        assert.equal(2 ^ 63, list[3])
        assert.equal("float", math.type(list[3]))
      end)

      it("keeps long integers at the top, in objects and in nested arrays", function()
        assert.equal(9007199254740993, json.decode("9007199254740993"))
        assert.equal(-9007199254740993, json.decode(" -9007199254740993 "))
        assert.equal(9007199254740993, json.decode("{\"a\":{\"b\":[[9007199254740993]]}}").a.b[1][1])
      end)

      it("leaves the digits of fractions and exponents to the codec", function()
        local list = json.decode("[0.1234567890123456789, 1234567890123456789.5, 1234567890123456789e2, "
          .. "1e-0000000000000000001, 0.30000000000000004]")
        assert.equal(0.1234567890123456789, list[1])
        assert.equal(1234567890123456789.5, list[2])
        assert.equal(1234567890123456789e2, list[3])
        assert.equal(0.1, list[4])
        assert.equal(0.1 + 0.2, list[5])
      end)

      it("keeps a float that its exponent puts beyond fifteen digits", function()
        for _, text in ipairs { "[1e15]", "[-1e18]", "[1e30]" } do
          local value = json.decode(text)[1]
          assert.equal("float", math.type(value))
          assert.equal(tonumber(text:sub(2, -2)), value)
        end
      end)

      it("keeps digits within strings and keys as they are", function()
        local value = json.decode("{\"12345678901234567890\":\"1234567890123456\",\"a\":\", \z
          1234567890123456 ,\"}")
        assert.equal("1234567890123456", value["12345678901234567890"])
        assert.equal(", 1234567890123456 ,", value.a)
      end)

      it("keeps a string that looks like a number next to a real one", function()
        local value = json.decode [==[["\\",", 9007199254740993 ,\"",9007199254740993,"\\\", [],"]]==]
        assert.equal(", 9007199254740993 ,\"", value[2])
        assert.equal(9007199254740993, value[3])
        assert.equal("\\\", [],", value[4])
      end)

      it("refuses what JSON does not know", function()
        for _, text in ipairs({ "[0x10]", "[NaN]", "[-Infinity]", "[012]", "[01234567890123456789]", "[+1]",
          "[+1234567890123456789]", "{1234567890123456789:1}", "{\"a\":1,1234567890123456789:1}",
          "{[]:1}", "[1234567890123456789 1]", "[1 1234567890123456789]", "[[] []]" }) do
          local value, message = json.decode(text)
          assert.is_nil(value, text)
          assert.is_string(message)
        end
      end)
    end)

    describe("decoding the rest", function()
      it("tells an empty array from an empty object", function()
        local value = json.decode("{\"a\":[],\"b\":{},\"c\":[ \n ],\"d\":[[]]}")
        assert.is_true(json.isArray(value.a))
        assert.is_false(json.isArray(value.b))
        assert.is_true(json.isArray(value.c))
        assert.is_true(json.isArray(value.d[1]))
        assert.is_true(json.isArray(json.decode("[]")))
        assert.is_false(json.isArray(json.decode("{}")))
      end)

      it("marks arrays that hold something too", function()
        local value = json.decode("[[1],{\"1\":2}]")
        assert.is_true(json.isArray(value))
        assert.is_true(json.isArray(value[1]))
        assert.is_false(json.isArray(value[2]))
      end)

      it("gives null a value of its own", function()
        local value = json.decode("{\"a\":null,\"b\":false}")
        assert.equal(json.null, value.a)
        assert.is_false(value.b)
        assert.equal(json.null, json.decode("null"))
        assert.is_false(json.decode("false"))
      end)

      it("cannot be deceived by strings that hold the marks it uses", function()
        local text = "[\"\2559007199254740993\",\"\255[]\",9007199254740993,[],\"\\u00ff[]\",\"\254[]\"]"
        local value = assert(json.decode(text))
        assert.equal("\2559007199254740993", value[1])
        assert.equal("\255[]", value[2])
        assert.equal(9007199254740993, value[3])
        assert.is_true(json.isArray(value[4]))
        assert.equal("\u{ff}[]", value[5])
        assert.equal("\254[]", value[6])
      end)

      it("refuses a text with so many bytes that are not UTF-8 that no mark is left", function()
        local bytes = {}
        for b = 128, 255 do bytes[#bytes + 1] = string.char(b) end
        local value, message = json.decode("[\"" .. table.concat(bytes) .. "\",9007199254740993]")
        assert.same({ nil, "the text is not UTF-8" }, { value, message })
      end)

      it("skips a byte order mark", function()
        assert.equal(1, json.decode("\239\187\191{\"a\":1}").a)
      end)

      it("calls nothing and blanks an empty document", function()
        assert.same({ nil, "empty document" }, { json.decode("") })
        assert.same({ nil, "empty document" }, { json.decode(" \r\n\t") })
        assert.same({ nil, "empty document" }, { json.decode("\239\187\191") })
      end)

      it("names character, line and column of an error, in words and without the content", function()
        local value, message = json.decode("{\n  \"password\": \"secret\",\n  ]\n}")
        assert.is_nil(value)
        assert.matches("expected object key string but found '%]' at character %d+ %(line 3, column 3%)",
          message)
        assert.is_nil(message:find("secret", 1, true))
        assert.matches("character 3 %(line 2, column 1%)", select(2, json.decode("{\n]")))
      end)

      it("names the position in the text as it came, also after long integers", function()
        local text = "[12345678901234567890,[],\",[],\",12345678901234567890,}"
        local _, message = json.decode(text)
        assert.matches("at character " .. #text .. " %(line 1, column " .. #text .. "%)", message)
      end)

      it("refuses a zero byte instead of ending there", function()
        local value, message = json.decode("{}\0{}")
        assert.is_nil(value)
        assert.equal("a zero byte at character 3", message)
      end)

      it("accepts 1000 levels and refuses 1001", function()
        assert.is_table(json.decode(("["):rep(1000) .. ("]"):rep(1000)))
        local value, message = json.decode(("["):rep(1001) .. ("]"):rep(1001))
        assert.is_nil(value)
        assert.matches("^nested deeper than 1000 levels", message)
      end)

      it("raises for anything but a string", function()
        assert.error_matches(function() json.decode(nil) end, "bad argument #1 to 'decode' %(string expected")
        assert.error_matches(function() json.decode(5) end, "got number")
      end)
    end)

    describe("encoding", function()
      it("writes integers in full", function()
        assert.equal("[123456789012345,99999999999999,-9223372036854775808,9223372036854775807]",
          json.encode({ 123456789012345, 99999999999999, math.mininteger, math.maxinteger }))
        assert.equal("9007199254740993", json.encode(9007199254740993))
      end)

      it("writes floats so that they read back the same", function()
        local floats = { 0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 123456789012345.5, 2 ^ 53,
          -2 ^ 63 }
        for _, value in ipairs(floats) do
          assert.equal(value, roundTrip({ value })[1])
          assert.equal(value, json.decode(json.encode(value)))
        end
      end)

      it("tells a number of few digits from its neighbours", function()
        local function neighbour(value, steps)
          return (string.unpack("d", string.pack("j", string.unpack("j", string.pack("d", value)) + steps)))
        end
        local floats = {}
        for i = 1, 5000 do floats[i] = neighbour(i * 7919 / 100, i % 3 - 1) end
        local back = roundTrip(floats)
        for i = 1, #floats do
          if floats[i] ~= back[i] then error(("%.17g came back as %.17g"):format(floats[i], back[i])) end
        end
      end)

      it("writes short floats shortly", function()
        assert.equal("[0.1,19.95,-2.5,1e+300]", json.encode({ 0.1, 19.95, -2.5, 1e300 }))
        assert.equal("0.30000000000000004", json.encode(0.1 + 0.2))
      end)

      it("writes large and fractional keys in full", function()
        assert.equal("{\"123456789012345\":true}", json.encode({ [123456789012345] = true }))
        assert.equal("{\"0.30000000000000004\":1}", json.encode({ [0.1 + 0.2] = 1 }))
        assert.equal("{\"1.3000000000000003\":1}", json.encode({ [1.3000000000000003] = 1 }))
      end)

      it("loses no element whose index is beyond a C int", function()
        for k = 1, 9 do        -- which the codec meets first is a matter of hashing
          local value = { [1] = "a", [2] = "b", [4294967296 + k] = "c" }
          assert.same({ ["1"] = "a", ["2"] = "b", [tostring(4294967296 + k)] = "c" },
            json.decode(json.encode(value)))
        end
      end)

      it("writes empty tables as objects and marked ones as arrays", function()
        assert.equal("{}", json.encode({}))
        assert.equal("[]", json.encode(json.array()))
        assert.equal("[]", json.encode(json.emptyArray))
        assert.equal("[[],{},[]]", json.encode({ json.array({}), {}, json.emptyArray }))
        assert.equal("{\"a\":[]}", json.encode({ a = json.emptyArray }))
        assert.equal("[1,2]", json.encode(json.array({ 1, 2 })))
      end)

      it("knows the arrays of another codec, also beside numbers to repair", function()
        for _, other in pairs(codecs) do
          assert.equal("[[],[]]", json.encode({ other.array(), other.emptyArray }))
          assert.equal("[[],9007199254740993]", json.encode({ other.array(), 9007199254740993 }))
        end
      end)

      it("keeps the arrays of a decoded document, also when they are emptied", function()
        local value = json.decode("{\"rows\":[1]}")
        table.remove(value.rows)
        assert.equal("{\"rows\":[]}", json.encode(value))
        assert.equal("[{},[]]", json.encode(json.decode("[{},[]]")))
      end)

      it("writes null, booleans and strings", function()
        assert.equal("[null,true,false,\"a\\\"b\"]", json.encode({ json.null, true, false, "a\"b" }))
      end)

      it("cannot be deceived by strings that hold the marks it uses", function()
        local value = { "\255[]", "a\"\255[]", "\2551\"", 9007199254740993, json.emptyArray, "\255", "\254" }
        local back = assert(json.decode(assert(json.encodeBytes(value))))
        for i = 1, #value do
          if i ~= 5 then assert.equal(value[i], back[i]) end
        end
        assert.is_true(json.isArray(back[5]))
      end)

      it("refuses NaN and infinity, wherever they are", function()
        for _, value in ipairs({ 0 / 0, 1 / 0, -1 / 0 }) do
          for _, holder in ipairs({ { value }, { a = { b = value } }, { [1 / 0] = 1 } }) do
            local text, message = json.encode(holder)
            assert.is_nil(text)
            assert.matches("infinity", message)
          end
          assert.is_nil((json.encode(value)))
        end
      end)

      it("names the key of NaN and infinity", function()
        assert.same({ nil, "NaN and infinity have no JSON (at key price)" },
          { json.encode({ { price = 0 / 0 } }) })
        assert.same({ nil, "NaN and infinity have no JSON (at key 2)" }, { json.encode({ 1, 1 / 0 }) })
        assert.same({ nil, "NaN and infinity have no JSON (at key " .. ("\u{e9}"):rep(19) .. "...)" },
          { json.encode({ [("\u{e9}"):rep(30)] = 1 / 0 }) })
      end)

      it("refuses strings that are not UTF-8, and names their key", function()
        for _, broken in ipairs { "Zo\xeb", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "a\xff" } do
          local expected = "a string that is not UTF-8 has no JSON"
          assert.same({ nil, expected }, { json.encode(broken) })
          assert.same({ nil, expected .. " (at key name)" }, { json.encode { customer = { name = broken } } })
          assert.same({ nil, expected .. " (at key 2)" }, { json.encode { "Zo\u{eb}", broken } })
          local text, message = json.encode { [broken] = 1 }
          assert.is_nil(text)
          assert.matches("^" .. expected:gsub("%-", "%%-") .. " %(at key [%w?]+%)$", message)
          assert.equal(broken, json.decode(assert(json.encodeBytes { broken }))[1])
        end
      end)

      it("writes whole floats below 1e21 without an exponent", function()
        for text, value in pairs { ["100000000000000"] = 1e14, ["-100000000000000000000"] = -1e20,
          ["9007199254740992"] = 2.0 ^ 53, ["18446744073709551616"] = 2.0 ^ 64, ["1e+21"] = 1e21,
          ["123456789012345683968"] = 123456789012345678901.0 } do
          assert.equal("[" .. text .. "]", json.encode { value })
          assert.equal(text, json.encode(value))
        end
      end)

      it("refuses what JSON has no notation for", function()
        for _, value in ipairs({ print, { f = print }, { [true] = 1 }, coroutine.create(print) }) do
          local text, message = json.encode(value)
          assert.is_nil(text)
          assert.is_string(message)
        end
      end)

      it("refuses a table that holds itself, at once", function()
        local loop = { 1, 2 }
        loop[3], loop[4] = loop, loop
        local text, message = json.encode(loop)
        assert.is_nil(text)
        assert.matches("1000 levels", message)
      end)

      it("accepts 1000 levels and refuses 1001, also with numbers to repair", function()
        local function nested(levels, value)
          for _ = 1, levels do value = { value } end
          return value
        end
        assert.is_string(json.encode(nested(1000, 1)))
        assert.is_string(json.encode(nested(1000, 9007199254740993)))
        assert.is_nil((json.encode(nested(1001, 1))))
        assert.is_nil((json.encode(nested(1001, 9007199254740993))))
      end)

      it("leaves the value as it was", function()
        local inner = { 9007199254740993, 0.1 + 0.2, json.emptyArray }
        local value = { inner = inner, list = json.array() }
        json.encode(value)
        assert.equal(inner, value.inner)
        assert.equal(9007199254740993, inner[1])
        assert.equal(0.1 + 0.2, inner[2])
        assert.equal(json.emptyArray, inner[3])
        assert.is_nil(next(value.list))
      end)
    end)

    describe("encoding for a header", function()
      it("escapes all that is not printable ASCII", function()
        assert.equal("{\"k\":\"us\\u00e9r \\u20ac \\ud83d\\ude00 \\u007f\\n\"}",
          json.encodeHeader({ k = "us\u{e9}r \u{20ac} \u{1f600} \127\n" }))
      end)

      it("decodes back to the same", function()
        local value = { name = "Zo\u{eb} \u{10ffff}\u{ffff}\u{80}", n = 9007199254740993 }
        local text = json.encodeHeader(value)
        assert.is_nil(text:find("[^\32-\126]"))
        assert.same(value, json.decode(text))
      end)

      it("refuses strings that are not UTF-8", function()
        for _, broken in ipairs({ "\233", "\195", "\237\160\128", "\128" }) do
          local text, message = json.encodeHeader({ broken })
          assert.is_nil(text)
          assert.matches("UTF%-8", message)
        end
      end)

      it("passes on what cannot be encoded", function()
        assert.is_nil((json.encodeHeader({ 0 / 0 })))
      end)
    end)

    describe("marking arrays", function()
      it("returns the table it was given", function()
        local t = { 1 }
        assert.equal(t, json.array(t))
        assert.equal(t, json.array(t))
      end)

      it("raises for what is no plain table", function()
        assert.error_matches(function() json.array(5) end, "bad argument #1 to 'array'")
        assert.error_matches(function() json.array(false) end, "bad argument #1 to 'array'")
        assert.error_matches(function() json.array(setmetatable({}, {})) end, "bad argument #1 to 'array'")
      end)

      it("keeps the shared empty array empty", function()
        assert.is_false(pcall(function() json.emptyArray[1] = 1 end))
        assert.is_true(json.isArray(json.emptyArray))
        assert.is_false(json.isArray("[]"))
      end)
    end)

    it(("round-trips random values and reads random texts (seed %d)"):format(seed), function()
      math.randomseed(seed)
      newArray = json.array
      for round = 1, ROUNDS do
        local value, text = randomValue(4)
        local where = ("round %d of seed %d: %s"):format(round, seed, text)
        local decoded, message = json.decode(text)
        assert(decoded ~= nil, message)
        assert.is_true(same(json, value, decoded), where)
        local encoded = assert(json.encodeBytes(value))
        assert.is_true(same(json, value, json.decode(encoded)), where .. "\nencoded: " .. encoded)
      end
    end)

    it(("accepts just the texts that lua-cjson accepts (seed %d)"):format(seed), function()
      math.randomseed(seed)
      newArray = json.array
      local bare = require("cjson.safe").new()
      bare.decode_invalid_numbers(false)
      local bytes = "[]{},:\"\\ 0123456789-.eE\n9007199254740993"
      for round = 1, ROUNDS do
        local _, text = randomValue(3)
        for _ = 1, random(3) do      -- one character more, less, or another one
          local at, byte = random(0, #text), random(#bytes)
          text = text:sub(1, at) .. bytes:sub(byte, byte + random(-1, 16)) .. text:sub(at + random(1, 2))
        end
        if text:find("%S") and not text:find("\0", 1, true) then
          local expected = bare.decode(text) ~= nil
          assert.equal(expected, json.decode(text) ~= nil,
            ("round %d of seed %d: %s"):format(round, seed, text))
        end
      end
    end)

    it("says what it is in one line", function()
      local about = json.describe()
      assert.equal("lua-cjson", about.name)
      assert.is_string(about.version)
      assert.is_boolean(about.exactIntegers)
      assert.is_boolean(about.repaired)
      assert.matches("^lua%-cjson [^\n]+$", about.verdict)
      assert.equal(about.repaired, about.verdict:find("repaired", 1, true) ~= nil)
    end)
  end)
end

describe("a codec over a library that does everything right", function()
  local repaired = codec.new(nil, true)
  local arrays = getmetatable(repaired.array())
  local seen = {}

  --- A lua-cjson without defects, built from a repaired one.
  local library = {
    new = function()
      local function ignore() end
      return {
        decode = function(text) seen.text = text return repaired.decode(text) end,
        encode = function(value) seen.value = value return repaired.encode(value) end,
        decode_max_depth = ignore, encode_max_depth = ignore, decode_invalid_numbers = ignore,
        encode_number_precision = ignore, decode_array_with_array_mt = ignore,
        array_mt = arrays, null = repaired.null, _VERSION = "9.9",
      }
    end,
  }
  local json = codec.new(library)

  it("finds nothing to repair", function()
    local about = json.describe()
    assert.is_true(about.exactIntegers)
    assert.is_false(about.repaired)
    assert.equal("lua-cjson 9.9: exact", about.verdict)
  end)

  it("hands texts and values on untouched", function()
    local text = "[9007199254740993,[],18446744073709551616]"
    assert.equal(2 ^ 64, json.decode(text)[3])
    assert.equal(text, seen.text)
    local value = { 9007199254740993, 0.1 + 0.2 }
    assert.equal("[9007199254740993,0.30000000000000004]", json.encode(value))
    assert.equal(value, seen.value)
  end)
end)

describe("a codec over a library that marks arrays and rounds floats", function()
  it("hands the marks on with the repaired numbers", function()
    local arrays, empty, seen = {}, {}, nil
    local json = codec.new { new = function()
      local instance = {}
      for name, member in pairs(require("cjson.safe").new()) do instance[name] = member end
      local encode = instance.encode
      instance.array_mt, instance.empty_array_mt = arrays, empty
      function instance.encode(value)
        seen = value
        return encode(value)
      end
      return instance
    end }
    local value = { list = setmetatable({}, arrays), none = setmetatable({}, empty), number = 0.1 + 0.2 }
    assert.matches('"number":0.30000000000000004', json.encode(value), 1, true)
    assert.not_equal(value, seen)
    assert.equal(arrays, getmetatable(seen.list))
    assert.equal(empty, getmetatable(seen.none))
  end)
end)

describe("a codec over a library that cuts integers off at 64 bits", function()
  local repaired = codec.new(nil, true)
  local library = { new = function()
    local instance = {}
    for name, member in pairs(require("cjson.safe").new()) do instance[name] = member end
    instance.decode = function(text)
      return repaired.decode((text:gsub("([%[,])18446744073709551616", "%19223372036854775807")))
    end
    return instance
  end }

  it("reads larger ones as floats all the same", function()
    local json = codec.new(library)
    local value = json.decode("[18446744073709551616,[18446744073709551616],\",18446744073709551616,\",7]")
    assert.equal(2 ^ 64, value[1])
    assert.equal(2 ^ 64, value[2][1])
    assert.equal(7, value[4])
    assert.matches("misreads integers beyond 64 bits", json.describe().verdict)
    assert.is_nil(json.describe().verdict:find("reads integers as floats", 1, true))
  end)
end)

describe("a codec with all repairs forced", function()
  it("says so", function()
    local about = codec.new(nil, true).describe()
    assert.is_false(about.exactIntegers)
    assert.is_false(about.exactFloats)
    assert.is_false(about.emptyArrays)
    assert.equal(5, #about.damages)
    assert.equal("lua-cjson " .. about.version ..
      " reads integers as floats, misreads integers beyond 64 bits, "
      .. "writes 14 digits of an integer, shortens floats and has no empty array; repaired here",
        about.verdict)
  end)
end)

describe("the settings of lua-cjson", function()
  it("stay as they are for everybody else", function()
    local shared = require("cjson")
    local depth = shared.decode_max_depth()
    codec.new()
    codec.decode("[1]")
    assert.equal(depth, shared.decode_max_depth())
    assert.is_true(shared.decode_invalid_numbers())
  end)
end)
