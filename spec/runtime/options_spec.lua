-- How option tables are read: each limit of a value at its very edge, and what a message shows of a value.
local datasession = require "datasession"

local raised = dofile "spec/support/raised.lua"

local URI = "http://127.0.0.1:1/x"

local function made(name, value)
  datasession.new { serviceURI = URI, [name] = value }
end

local function refused(name, value)
  local ok, message = pcall(made, name, value)
  assert.is_false(ok, name .. " = " .. tostring(value))
  return message
end

describe("an option's number", function()
  local BELOW = 1e15 - 1

  it("is refused beside its limits, and taken at them", function()
    made("maxResponseSize", 1)
    made("maxResponseSize", BELOW)
    made("maxRedirects", 0)
    for _, value in ipairs { 1e15, math.huge, 0 / 0, -1 } do
      assert.matches("option 'maxRedirects': expected a number of 0 or more, got ",
        refused("maxRedirects", value), 1, true)
    end
    for value, text in pairs { [0] = "0", [1e15] = "1000000000000000" } do
      assert.matches("option 'maxResponseSize': expected a number above 0, got " .. text,
        refused("maxResponseSize", value), 1, true)
    end
  end)

  it("is refused with its own digits", function()
    assert.matches(", got %-0%.5$", refused("maxRedirects", -0.5))
  end)
end)

describe("an option's type", function()
  it("is named with what was expected", function()
    for name, expected in pairs { serviceURI = "a string", maxRedirects = "a number" } do
      local text = ("option '%s': expected %s, got boolean"):format(name, expected)
      assert.matches(text, refused(name, true), 1, true)
    end
    assert.matches("option 'timeStamp': expected a boolean, got string", refused("timeStamp", "yes"), 1, true)
    made("timeStamp", false)
    made("maxRedirects", nil)
  end)
end)

describe("an option's name", function()
  it("is known, or the message tells the nearest", function()
    assert.matches("unknown option 'timeoutt': did you mean 'timeout'?", refused("timeoutt", 1), 1, true)
    assert.matches("unknown option 'qqqqqqqq'$", refused("qqqqqqqq", 1))
    local message = raised(function() datasession.new { URI } end)
    assert.matches("option names are strings, got a number", message, 1, true)
    message = raised(function() datasession:new() end)
    assert.matches("call it with '.' instead of ':'", message, 1, true)
  end)
end)

describe("a URI in a message", function()
  local function shown(uri)
    return refused("serviceURI", uri):match "the URI(.-) is not" or "nothing"
  end

  it("has up to 200 bytes", function()
    local longest = "ftp://h/" .. ("x"):rep(192)
    assert.equal(" '" .. longest .. "'", shown(longest))
    assert.equal(" '" .. longest .. "...'", shown(longest .. "y"))
    assert.equal(" 'ftp://h/x'", shown "ftp://h/x")
  end)

  it("has no parameters, and nothing of one with a password or control characters", function()
    assert.equal(" 'ftp://h/x...'", shown "ftp://h/x;secret")
    for _, uri in ipairs { "ftp://user:secret@h/x", "ftp://h/x\31", "ftp://h/x\127" } do
      assert.not_matches("ftp:", refused("serviceURI", uri), 1, true)
    end
  end)
end)

describe("a header's name in a message", function()
  local session = datasession.new { serviceURI = URI }

  local function shown(name)
    local message = raised(function() session:request { path = "/x", headers = { [name] = "v" } } end)
    return message:match "'headers': '(.-)' is not a header name"
  end

  it("is whole, but for a value behind a colon", function()
    assert.equal("X A", shown "X A")
    assert.equal("X-A:", shown "X-A:")
    assert.equal("X-A:...", shown "X-A: secret")
  end)
end)
