-- Networks that fail: each kind of request of a session meets a sample of what can go wrong with an answer. All of it:
-- make torture-network.
local datasession = require "datasession"

local suite = dofile "spec/network/suite.lua"

local STRIDE = 47 -- bytes between two cuts
local DRIPPED = { ["login, basic"] = true, ["request POST"] = true } -- byte by byte takes long

describe("on a network that fails", function()
  local server, origin

  setup(function()
    server, origin = suite.start()
  end)

  teardown(function()
    server:close()
  end)

  after_each(function()
    assert.is_true(datasession.run(20), "something is still in flight")
    collectgarbage()
  end)

  for _, kind in ipairs(suite.kinds) do
    it("each call settles once, and the next one works: " .. kind.name, function()
      local tried = 0
      for _, list in ipairs(suite.cases(kind, STRIDE)) do
        local sampled = list.name ~= "dripped" or DRIPPED[kind.name]
        local wrong, count = suite.run(server, origin, kind, sampled and list.cases or {})
        assert.same({}, wrong)
        tried = tried + count
      end
      assert.is_true(tried > 60)
    end)
  end

  for _, name in ipairs { "login, basic", "ping", "request POST", "a provider's refresh" } do
    it("a server that falls silent is given up: " .. name, function()
      for _, kind in ipairs(suite.kinds) do
        if kind.name == name then assert.same({}, (suite.runStalls(server, origin, kind))) end
      end
    end)
  end
end)
