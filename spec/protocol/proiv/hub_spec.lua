-- The hub of PROIV clients: who gets which message, in which order, whatever callbacks do.
local datasession = require "datasession"
local hubs = require "datasession.proiv.hub"

describe("the hub", function()
  local hub, heard

  before_each(function()
    hub, heard = hubs.new(), {}
  end)

  local function note(label)
    return function(name) heard[#heard + 1] = label .. " " .. name end
  end

  it("delivers name, data and the subscriber's data, before publish returns", function()
    local got
    local data, mine = { menu = "File" }, {}
    hub:subscribe("proiv.menu", function(...) got = table.pack(...) end, nil, mine)
    assert.equal(0, select("#", hub:publish("proiv.menu", data)))
    assert.equal(3, got.n)
    assert.equal("proiv.menu", got[1])
    assert.equal(data, got[2])
    assert.equal(mine, got[3])
  end)

  it("gives a callback its scope first", function()
    local got
    local scope = {}
    hub:subscribe("a", function(...) got = table.pack(...) end, scope, "mine")
    hub:publish("a", 1)
    assert.same({ scope, "a", 1, "mine", n = 4 }, got)
  end)

  it("matches names, elements by '*' and the rest by '**'", function()
    for _, name in ipairs { "proiv.session.ended", "proiv.*.ended", "proiv.session.*", "*.*.*", "proiv.**",
      "**",
      "proiv.session.**", "proiv", "proiv.session", "proiv.*", "proiv.session.ended.**",
      "proiv.session.ended.*",
      "*", "proiv.session.lost", "Proiv.session.ended" } do
      hub:subscribe(name, function() heard[#heard + 1] = name end)
    end
    hub:publish("proiv.session.ended")
    assert.same({ "proiv.session.ended", "proiv.*.ended", "proiv.session.*", "*.*.*", "proiv.**", "**",
      "proiv.session.**" }, heard)
    heard = {}
    hub:publish("proiv")
    assert.same({ "**", "proiv", "*" }, heard)
  end)

  it("refuses names that are none", function()
    local function refuse(message, f, ...)
      local ok, err = pcall(f, hub, ...)
      assert.is_false(ok)
      assert.matches(message, err)
      assert.matches("hub_spec.lua", err) -- the caller's line
    end
    for _, name in ipairs { "", ".", "a..b", "a.", ".a" } do
      refuse("empty element", function(h) h:subscribe(name, print) end)
      refuse("empty element", function(h) h:publish(name) end)
    end
    for _, name in ipairs { "a*", "**.a", "a.**.b", "***", "a.*b" } do
      refuse("whole element", function(h) h:subscribe(name, print) end)
    end
    for _, name in ipairs { "*", "a.*", "a.**", "a*" } do
      refuse("no wildcards", function(h) h:publish(name) end)
    end
    refuse("expected a name, got number", function(h) h:subscribe(1, print) end)
    refuse("expected a name, got nil", function(h) h:publish() end)
    refuse("expected a function as callback, got nil", function(h) h:subscribe("a") end)
    refuse("expected a function as filter, got string",
      function(h) h:subscribe("a", print, nil, nil, "x") end)
    refuse("expected a handle", function(h) h:unsubscribe("a") end)
    refuse("expected a handle", function(h) h:unsubscribe(hubs.new():subscribe("a", print)) end)
  end)

  it("delivers in the order of the subscriptions", function()
    hub:subscribe("a.*", note "1")
    hub:subscribe("a.b", note "2")
    hub:subscribe("**", note "3")
    hub:publish("a.b")
    assert.same({ "1 a.b", "2 a.b", "3 a.b" }, heard)
  end)

  it("asks the filter first, with the callback's arguments", function()
    local asked
    hub:subscribe("a", note "passed", nil, "mine", function(...)
      asked = table.pack(...)
      return asked[2] == 2
    end)
    hub:publish("a", 1)
    assert.same({ "a", 1, "mine", n = 3 }, asked)
    assert.same({}, heard)
    hub:publish("a", 2)
    assert.same({ "passed a" }, heard)
  end)

  it("delivers no more after unsubscribe, which may come twice", function()
    local handle = hub:subscribe("a", note "1")
    hub:subscribe("a", note "2")
    assert.equal(0, select("#", hub:unsubscribe(handle)))
    hub:unsubscribe(handle)
    hub:publish("a")
    assert.same({ "2 a" }, heard)
  end)

  it("delivers to many in the order of their subscriptions, whichever of them have gone", function()
    local log, handles, expected = {}, {}, {}
    for i = 1, 100 do
      handles[i] = hub:subscribe("a", function() log[#log + 1] = i end)
      if i % 3 > 0 then hub:unsubscribe(handles[i]) else expected[#expected + 1] = i end
    end
    for i = 99, 60, -3 do
      hub:unsubscribe(handles[i])
      hub:unsubscribe(handles[i])
      table.remove(expected)
    end
    hub:publish "a"
    assert.same(expected, log)
  end)

  it("lets a callback subscribe, unsubscribe and publish", function()
    local third
    local first
    first = hub:subscribe("a", function()
      heard[#heard + 1] = "1"
      hub:unsubscribe(first)
      hub:unsubscribe(third)
      hub:subscribe("a", note "new")
      hub:publish("b")
    end)
    hub:subscribe("b", note "b")
    hub:subscribe("a", note "2")
    third = hub:subscribe("a", note "3")
    hub:publish("a")
    assert.same({ "1", "b b", "2 a" }, heard)
    heard = {}
    hub:publish("a")
    assert.same({ "2 a", "new a" }, heard)
  end)

  it("reports what callbacks and filters raise, and goes on", function()
    local errors = {}
    local before = datasession.onError(function(err) errors[#errors + 1] = err end)
    hub:subscribe("a", function() error("callback failed") end)
    hub:subscribe("a", note "filtered", nil, nil, function() error("filter failed") end)
    hub:subscribe("a", note "last")
    hub:publish("a")
    datasession.onError(before)
    assert.same({ "last a" }, heard)
    assert.equal(2, #errors)
    assert.matches("callback failed", errors[1])
    assert.matches("filter failed", errors[2])
  end)
end)
