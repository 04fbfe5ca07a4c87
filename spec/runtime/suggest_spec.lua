--- The nearest known name, for messages about unknown ones.

local suggest = require("datasession.internal.suggest")

local OPTIONS = { "serviceURI", "catalogURIs", "authenticationModel", "username", "password", "name" }

describe("the nearest known name", function()
  it("is found when a letter is missing, added, changed or swapped with its neighbour", function()
    for _, given in ipairs({ "usrname", "usernamme", "usermame", "usrename", "username" }) do
      assert.equal("username", suggest.nearest(given, OPTIONS), given)
    end
  end)

  it("is found whatever the case, and given in its own spelling", function()
    assert.equal("serviceURI", suggest.nearest("serviceuri", OPTIONS))
    assert.equal("serviceURI", suggest.nearest("SERVICEURL", OPTIONS))
    assert.equal("catalogURIs", suggest.nearest("catalogURI", OPTIONS))
  end)

  it("counts a swap as one edit, also across a matching start", function()
    assert.equal("abc", suggest.nearest("acb", { "abc" }))
    assert.equal("abc", suggest.nearest("bac", { "abc" }))
    assert.is_nil(suggest.nearest("cba", { "abc" }))
  end)

  it("is nothing when more than a third of the letters are wrong", function()
    assert.is_nil(suggest.nearest("colour", OPTIONS))
    assert.equal("abcdef", suggest.nearest("abcdxx", { "abcdef" }))
    assert.is_nil(suggest.nearest("abcxxx", { "abcdef" }))
    assert.is_nil(suggest.nearest("ab", { "ac" }))
    assert.equal("abc", suggest.nearest("abd", { "abc" }))
  end)

  it("is the nearest of several, and the first in the alphabet of equally near ones", function()
    assert.equal("bearer", suggest.nearest("bearerr", { "beards", "bearer", "clearer" }))
    assert.equal("beara", suggest.nearest("bearx", { "bearc", "beara", "bearb" }))
  end)

  it("is the counterpart of a name of another library, where that is known", function()
    assert.equal("new", suggest.nearest("JSDOSession", { "endSession", "new" }))
    assert.equal("endSession", suggest.nearest("JSDOSession", { "endSession" }))
    assert.equal("status", suggest.nearest("code", { "body", "status" }))
    assert.equal("httpStatus", suggest.nearest("code", { "httpStatus", "kind" }))
    assert.is_nil(suggest.nearest("code", { "kind" }))
  end)

  it("is nothing for what is no name", function()
    assert.is_nil(suggest.nearest(nil, OPTIONS))
    assert.is_nil(suggest.nearest(12, { "12" }))
    assert.is_nil(suggest.nearest("x", {}))
    assert.is_nil(suggest.nearest("", OPTIONS))
    assert.is_nil(suggest.nearest("true", { true, 1 }))
    assert.is_nil(suggest.nearest(("a"):rep(1000000), { ("a"):rep(1000000) }))
  end)

  it("agrees with the definition of the distance on random words", function()
    local seed = tonumber(os.getenv("SEED")) or os.time() % 1000000
    math.randomseed(seed)
    local function word()
      local letters = {}
      for i = 1, math.random(0, 7) do letters[i] = ("abc"):sub(math.random(3)):sub(1, 1) end
      return table.concat(letters)
    end
    local function edits(a, b)      -- by recursion on the definition
      if #a == 0 or #b == 0 then return #a + #b end
      if a:sub(1, 1) == b:sub(1, 1) then return edits(a:sub(2), b:sub(2)) end
      local least = 1 + math.min(edits(a:sub(2), b), edits(a, b:sub(2)), edits(a:sub(2), b:sub(2)))
      if #a > 1 and #b > 1 and a:sub(1, 1) == b:sub(2, 2) and a:sub(2, 2) == b:sub(1, 1) then
        least = math.min(least, 1 + edits(a:sub(3), b:sub(3)))
      end
      return least
    end
    for _ = 1, 300 do
      local a, b = word(), word()
      local near = edits(a, b) <= math.floor(math.max(#a, #b) / 3)
      assert.equal(near and b or nil, suggest.nearest(a, { b }), ("%q and %q, seed %d"):format(a, b, seed))
    end
  end)
end)

describe("the sentence about an unknown name", function()
  it("suggests the nearest", function()
    assert.equal("unknown option 'usrname': did you mean 'username'?",
      suggest.unknown("option", "usrname", OPTIONS))
  end)

  it("lists what is known when nothing is near", function()
    assert.equal("unknown model 'kerberos': expected one of 'basic', 'form'",
      suggest.unknown("model", "kerberos", { "form", "basic" }))
    assert.equal("unknown option '7'", suggest.unknown("option", 7, {}))
  end)

  it("quotes a long name only in part", function()
    assert.is_true(#suggest.unknown("option", ("x"):rep(10000), OPTIONS) < 250)
  end)
end)
