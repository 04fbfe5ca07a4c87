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
    assert.same({ "proiv.session.ended", "proiv.session.*", "proiv.session.**", "proiv.*.ended", "proiv.**",
      "*.*.*", "**" }, heard)
    heard = {}
    hub:publish("proiv")
    assert.same({ "proiv", "*", "**" }, heard)
  end)

  it("takes any text as a name, as the reference does", function()
    for _, name in ipairs { "", ".", "a..b", "a.", ".a", "a*", "**.a", "a.**.b", "***", "a.*b" } do
      heard = {}
      local handle = hub:subscribe(name, note "1")
      hub:publish(name)
      assert.same({ "1 " .. name }, heard)
      hub:unsubscribe(handle)
    end
    hub:subscribe("a.**.b", note "inner")
    hub:publish "a.x.b"
    assert.same({ "1 a.*b" }, heard)
  end)

  it("delivers a message whose name has wildcards once to each", function()
    for _, pattern in ipairs { "*.*", "*", "**", "*.**" } do hub:subscribe(pattern, note(pattern)) end
    hub:publish "*.*"
    assert.same({ "*.* *.*", "*.** *.*", "** *.*" }, heard)
    heard = {}
    hub:publish "**"
    assert.same({ "** **", "* **" }, heard)
  end)

  it("refuses what is no name, no function, no handle", function()
    local function refuse(message, f, ...)
      local ok, err = pcall(f, hub, ...)
      assert.is_false(ok)
      assert.matches(message, err)
      assert.matches("hub_spec.lua", err) -- the caller's line
    end
    refuse("expected a name, got number", function(h) h:subscribe(1, print) end)
    refuse("expected a name, got nil", function(h) h:publish() end)
    refuse("expected a function as callback, got nil", function(h) h:subscribe("a") end)
    refuse("expected a function as filter, got table",
      function(h) h:subscribe("a", print, nil, nil, {}) end)
    refuse("the callback 'onMenu' is the name of a method: expected a scope",
      function(h) h:subscribe("a", "onMenu") end)
    refuse("expected a handle", function(h) h:unsubscribe("a") end)
    refuse("expected a handle", function(h) h:unsubscribe(hubs.new():subscribe("a", print)) end)
  end)

  it("delivers to the name itself, then to '*', then to '**', and to one name by time", function()
    for i, name in ipairs { "**", "a.*", "a.b", "a.**", "a.*", "a.b" } do hub:subscribe(name, note(i)) end
    hub:publish("a.b")
    assert.same({ "3 a.b", "6 a.b", "2 a.b", "5 a.b", "4 a.b", "1 a.b" }, heard)
  end)

  it("calls a method of the scope by its name, as it is at the time of the message", function()
    local page = { allows = function(_, _, data) return data end }
    hub:subscribe("a", "onMenu", page, "mine", "allows")
    function page.onMenu(...) heard = table.pack(...) end
    hub:publish("a", false)
    assert.same({}, heard)
    hub:publish("a", 1)
    assert.same({ page, "a", 1, "mine", n = 4 }, heard)
  end)

  it("keeps nothing of names whose subscriptions have ended", function()
    local function pass(first, last)
      for i = first, last do
        local handle
        handle = hub:subscribe(("a.%d.b.c"):format(i), function() hub:unsubscribe(handle) end)
        if i % 2 == 0 then hub:unsubscribe(handle) else hub:publish(("a.%d.b.c"):format(i)) end
      end
      collectgarbage()
      return collectgarbage "count"
    end
    local before = pass(1, 2000)
    assert.is_true(pass(2001, 4000) - before < 20)
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
