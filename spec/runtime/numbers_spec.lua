-- Numbers and the order of strings are the same in every locale, also after a change of locale.
local ascii = require "datasession.internal.ascii"
local catalog = require "datasession.catalog"
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local locale = require "datasession.internal.locale"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local locales = dofile "spec/support/locales.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

local THIRD = 0.1 + 0.2
local DIGITS = "0.30000000000000004"

describe("in any locale", function()
  local server

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
  end)

  after_each(function() sessions.endAll() end)

  local function lastRequest()
    local requests = server:requests()
    return requests[#requests]
  end

  local function header(request, wanted)
    for key, value in pairs(request.headers) do
      if ascii.lower(key) == wanted then return value end
    end
  end

  it("JSON has a decimal point, and no digit less", function()
    assert.equal('[1.5,' .. DIGITS .. ',1e-07]', codec.encode { 1.5, THIRD, 1e-7 })
    assert.same({ 1.5, THIRD, -2.25 }, codec.decode("[1.5," .. DIGITS .. ",-2.25]"))
    assert.equal(1.5, codec.decode "1.5")
    assert.same({ 1, 5 }, codec.decode "[1,5]")
  end)

  it("JSON has no infinity", function()
    for _, text in ipairs { "[-Infinity]", "[-infinity]", "-INF", '["\\"",-Inf]' } do
      assert.is_nil((codec.decode(text)))
    end
    assert.same({ "-Infinity", 1 }, codec.decode '["-Infinity",1]')
  end)

  it("a request's body and header lines have one too", function()
    local session = sessions.loggedIn(server, "anonymous")
    session:request { path = "static/home.html", method = "POST", json = { n = THIRD },
      headers = { ["X-Rate"] = 1.5 } }:await(LIMIT)
    assert.equal('{"n":' .. DIGITS .. "}", lastRequest().body)
    assert.equal("1.5", header(lastRequest(), "x-rate"))
  end)

  it("BTT's formats too", function()
    for _, format in ipairs { "form", "json", "xml" } do
      local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt, format = format }
      assert(session:establishSession():await(LIMIT))
      session:invoke("Echo", { rate = THIRD, half = 0.5, whole = 1e20 }):await(LIMIT)
      local body = lastRequest().body
      assert.truthy(body:find(DIGITS, 1, true), body)
      assert.truthy(body:find("[=:>]0%.5[&,}<]") or body:find("=0%.5$"), body)
      assert.truthy(body:find("[=:>]100000000000000000000"), body)
    end
  end)

  it("DataSnap's paths, filters and bodies too", function()
    local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
    local prefix = session:getURLPrefix()
    local uri, body = session:getMethodURL("TEcho", "Echo", { THIRD, 1e20, { 1.5 } },
      { verb = "POST", filters = { b = 1.5, B = 2, a = "x" } })
    assert.equal(prefix .. "TEcho/Echo/" .. DIGITS .. "/100000000000000000000/?B=2&a=x&b=1.5", uri)
    assert.equal("[1.5]", body)
    assert.same({ THIRD, 1.5 }, assert(session:invoke("TEcho", "Echo", { THIRD, 1.5 }):await(LIMIT))[1])
  end)

  it("an operation's address too", function()
    local text = [[{"services":[{"name":"S","resources":[{"name":"R","operations":[
      {"type":"INVOKE","name":"I","path":"/{n}","params":[{"name":"n","type":"PATH"}]},
      {"type":"SUBMIT","path":"/s;i={i}","params":[{"name":"i","type":"matrix"}]}]}]}]}]]
    local resource = assert(catalog.parse(text)):resource("R")
    assert.equal("/" .. DIGITS, resource:operation("I"):expand { n = THIRD })
    assert.equal("/s;i=1.5", resource:operation("submit"):expand { i = 1.5 })
  end)

  it("messages too", function()
    server:fault { kind = "slow", delay = 30, path = "/home.html" }
    local session = datasession.new { serviceURI = server.uris.anonymous, timeout = 0.25 }
    assert.matches("not done after 0.25 seconds", rejected(session:login()).message, 1, true)
    assert.error_matches(function() datasession.setLimits { idleHandles = 1.5 } end, "got 1.5", 1, true)
    assert.error_matches(function() datasession.new { serviceURI = server.uris.anonymous,
      timeout = -0.5 } end,
      "got -0.5", 1, true)
  end)

  it("texts come in the order of their bytes", function()
    assert.is_true(locale.before("B", "a"))
    assert.is_false(locale.before("a", "B"))
    assert.is_true(locale.before("a", "ab"))
  end)
end)

-- Runs this file in another process.
if not os.getenv "DATASESSION_LOCALE" then
  describe("numbers and orders", function()
    local directory

    setup(function() directory = locales.directory("de_DE.UTF-8", "tr_TR.UTF-8") end)
    teardown(function() files.removeDirectory(directory) end)

    it("are JSON's after a change of locale, too, though no other lua-cjson was made since", function()
      child.variables = "LOCPATH=" .. directory
      for _, name in ipairs { "de_DE.UTF-8", "tr_TR.UTF-8" } do
        local output = child.output([[
          local name = ...
          local codec = require "datasession.internal.codec"
          assert(codec.encode { 1.5 } == "[1.5]")
          assert(os.setlocale(name))
          io.write(codec.encode { 1.5 }, " ", math.tointeger(codec.decode "[1.5]"[1] * 2), "\n")
          assert(os.setlocale "C")
          io.write(codec.encode { 1.5 }, " ", math.tointeger(codec.decode "[1.5]"[1] * 2), "\n")]], name)
        assert.equal("[1.5] 3\n[1.5] 3\n", output)
      end
    end)

    for _, run in ipairs { "de_DE.UTF-8:before", "de_DE.UTF-8:after", "tr_TR.UTF-8:before",
      "tr_TR.UTF-8:after" } do
      it("are the same in the locale " .. run .. " the first use", function()
        child.variables = ("LOCPATH=%s DATASESSION_LOCALE=%s"):format(directory, run)
        local output = child.output [[
          arg = { [0] = "busted", "--output=plainTerminal", "spec/runtime/numbers_spec.lua" }
          dofile "tools/busted.lua"]]
        assert.matches("[1-9]%d* successes / 0 failures / 0 errors / 0 pending", output)
      end)
    end
  end)
end
