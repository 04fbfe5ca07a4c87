-- Networks that fail: each kind of request of each system's sessions meets a sample of what can go wrong with
-- an answer, another one than its neighbours. All of it: make torture-network.
local datasession = require "datasession"

local suite = dofile "spec/suites/network/suite.lua"

local STRIDE, PART = 97, 3 -- bytes between two cuts; every third of what is no matter of single bytes
-- byte by byte, or until the time is over, takes long
local DRIPPED = { ["login, basic"] = true, ["request POST"] = true, ["datasnap: a stream"] = true,
  ["btt: invoke, xml"] = true, ["proiv: ping"] = true, ["own: invoke"] = true,
  ["data: submit"] = true }
local SILENT = { ["a provider's refresh"] = true, ["datasnap: invoke GET"] = true,
  ["btt: invoke, form"] = true, ["proiv: stop"] = true, ["own: login, its first request"] = true,
  ["data: fill"] = true }

-- Those of a list that it is the turn of.
local function share(list, turn)
  if list.name ~= "odd" then return list.cases end
  local part = {}
  for i = 1 + turn % PART, #list.cases, PART do part[#part + 1] = list.cases[i] end
  return part
end

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

  for turn, kind in ipairs(suite.kinds) do
    it("each call settles once, and the next one works: " .. kind.name, function()
      local tried = 0
      for _, list in ipairs(suite.cases(kind, STRIDE)) do
        local sampled = list.name ~= "dripped" or DRIPPED[kind.name]
        local wrong, count = suite.run(server, origin, kind, sampled and share(list, turn) or {})
        assert.same({}, wrong)
        tried = tried + count
      end
      assert.is_true(tried >= 20)
    end)
  end

  it("servers that fall silent are given up", function()
    local silent = {}
    for _, kind in ipairs(suite.kinds) do
      if SILENT[kind.name] then silent[#silent + 1] = kind end
    end
    assert.equal(6, #silent)
    assert.same({}, (suite.runStalls(server, origin, table.unpack(silent))))
  end)
end)
