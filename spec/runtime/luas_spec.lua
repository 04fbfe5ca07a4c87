-- The table of docs/luas.md, in the Lua that runs this.
local datasession = require "datasession"
local codec = require "datasession.internal.codec"
local lua = require "datasession.internal.lua"

local await = dofile "spec/support/await.lua"

local isJit = rawget(_G, "jit") ~= nil
local closes = _VERSION >= "Lua 5.4"

describe("under any Lua", function()
  it("integers of JSON are exact as far as the language has them", function()
    assert.equal(9007199254740991, codec.decode("[9007199254740991]")[1])
    assert.equal("[9007199254740991]", codec.encode { 2 ^ 53 - 1 >= 1 and lua.math.tointeger(2 ^ 53 - 1) })
    local large = codec.decode("[9223372036854775807]")[1]
    assert.equal(isJit and "9.2233720368548e+18" or "9223372036854775807", tostring(large))
    assert.equal(isJit and "float" or "integer", lua.math.type(large))
  end)

  it("await suspends in pcall in spawn", function()
    local resolve
    local promise = datasession.promise(function(f) resolve = f end)
    local seen = {}
    local done = datasession.spawn(function()
      local ok, value = pcall(function() return (promise:await()) end)
      seen[1] = value
      return ok
    end)
    assert.same({}, seen)
    resolve "late"
    assert.equal(true, (done:await(await.LIMIT)))
    assert.same({ "late" }, seen)
  end)

  it("cancel ends a coroutine that waits, and runs what its end is to run", function()
    local seen = {}
    local promise = datasession.spawn(function()
      lua.closing(setmetatable({}, { __close = function() seen[#seen + 1] = "closed" end }), function()
        datasession.promise(function() end):await()
      end)
      seen[#seen + 1] = "went on"
    end)
    assert.equal(true, promise:cancel())
    assert.same({ "closed" }, seen)
  end)

  if not closes then
    it("cancel ends a function that catches the error of its await, at the next one", function()
      local seen = {}
      local promise = datasession.spawn(function()
        local never = datasession.promise(function() end)
        local _, err = pcall(never.await, never)
        seen[#seen + 1] = tostring(err)
        while true do
          pcall(never.await, never)
          seen[#seen + 1] = "again"
        end
      end)
      assert.equal(true, promise:cancel())
      assert.equal(1, #seen)
      assert.matches("the coroutine of datasession.spawn was cancelled", seen[1], 1, true)
    end)
  end

  it("closing returns the results, and raises the error as it is", function()
    local ends = {}
    local guard = setmetatable({}, { __close = function(_, err) ends[#ends + 1] = err or "none" end })
    assert.same({ 1, 2, n = 2 }, lua.table.pack(lua.closing(guard, function(...) return ... end, 1, 2)))
    local failure = {}
    local _, err = pcall(lua.closing, guard, error, failure)
    assert.equal(failure, err)
    assert.same({ "none", failure }, ends)
  end)

  it("UTF-8 is read and written as Lua 5.4 does", function()
    assert.equal("aé€😀", lua.utf8.char(97, 233, 8364, 128512))
    assert.equal(4, lua.utf8.len "aé€😀")
    for _, text in ipairs { "\237\160\128", "\192\128", "\244\144\128\128", "\226\130", "\128" } do
      assert.is_nil((lua.utf8.len(text)))
    end
    assert.equal(4, lua.utf8.offset("aé€", 3))
    assert.equal(8364, lua.utf8.codepoint "€")
  end)
end)
