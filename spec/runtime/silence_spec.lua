-- The messages that a program gets for a mistake without asking: on standard error, or where it made the
-- call.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"

local LIMIT = 20

describe("standard error has", function()
  local START = [[
    local datasession = require "datasession"
    local function settled() return datasession.promise(function(resolve) resolve() end) end
  ]]

  local function said(script)
    return child.output(START .. script .. "\ndatasession.run(20)")
  end

  it("the error of a handler, with its traceback", function()
    local output = said [[
      local function handler() error "boom" end
      settled():done(handler)]]
    assert.matches("datasession: [^\n]+:3: boom\nstack traceback:\n", output)
    assert.matches("in function <[^\n]+:3>", output)
  end)

  it("an error object of a handler, with its traceback", function()
    assert.matches("datasession: mine\nstack traceback:\n.*in %a+ 'error'", said [[
      local mine = setmetatable({}, { __tostring = function() return "mine" end })
      settled():done(function() error(mine) end)]])
  end)

  it("a rejection that is never looked at, with the traceback of what was raised", function()
    local object = "setmetatable({}, { __tostring = function() return 'an object' end })"
    for _, raised in ipairs { "'text'", "{}", object } do
      local output = said(("datasession.spawn(function()\n  error(%s)\nend)"):format(raised))
      assert.matches("datasession: a promise was rejected and not handled: [^\n]+\nstack traceback:\n",
        output)
      assert.matches(":4: in function <[^\n]+:3>", output)
    end
  end)

  it("an error of next's function whose promise is never looked at", function()
    assert.matches("datasession: a promise was rejected and not handled: [^\n]+: boom\nstack traceback:\n",
      said [[settled():next(function() error "boom" end)]])
  end)

  it("the line that asserted what a call was rejected with, also in a coroutine", function()
    local script = [[
      local session = datasession.new { serviceURI = "http://127.0.0.1:1/x" }
      datasession.spawn(function()
        assert(session:login():await())
      end)]]
    assert.matches("not handled: login: [^\n]+\nstack traceback:\n.*:5: in function <[^\n]+:4>", said(script))
  end)

  it("a call that was rejected, with the line that made it", function()
    local script = [[
      local session = datasession.new { serviceURI = "http://127.0.0.1:1/x" }
      session:login()]]
    assert.matches("not handled: login: [^\n]+\nstack traceback:\n\t[^\n]+:4\n", said(script))
  end)

  it("no rejection that is looked at", function()
    assert.equal("", said [[
      datasession.spawn(error, {}):fail(function() end)
      datasession.spawn(error, "x"):await()
      datasession.defineProtocol("raising", { login = function() error "no" end })
      datasession.new { protocol = "raising", serviceURI = "http://127.0.0.1:1/x" }:login():await(20)
      collectgarbage()]])
  end)

  it("a rejection whose __tostring raises, and onError has it too", function()
    local script = [[
      datasession.spawn(error, setmetatable({}, { __tostring = function() error("evil", 0) end }))
      datasession.spawn(error, setmetatable({}, { __tostring = function() error {} end }))
      datasession.spawn(error, setmetatable({}, { __tostring = function() end }))]]
    local function check(output)
      assert.matches("not handled: an error whose __tostring raised: evil\n", output)
      assert.matches("not handled: an error whose __tostring raised: a table\n", output)
      assert.matches("not handled: an error whose __tostring raised: '__tostring' must return a string\n",
        output)
      assert.not_matches("__gc", output)
    end
    check(said(script))
    check(said("datasession.onError(function(err) print(err) end)\n" .. script .. "\ncollectgarbage()"))
  end)

  it("none of these where onError is set, or the program has said warn '@off'", function()
    local script = [[
      settled():done(function() error "boom" end)
      datasession.spawn(error, "boom")
      datasession.new { serviceURI = "http://127.0.0.1:1/", pingInterval = 30 }]]
    assert.matches("boom.*boom", said(script))
    assert.not_matches("boom", said("datasession.onError(function() end)\n" .. script))
    assert.equal("", said("warn '@off'\n" .. script))
  end)

  it("each once where warnings were on already", function()
    local output = said [[
      warn "@on"
      settled():done(function() error 'boom' end)]]
    assert.equal(1, select(2, output:gsub("boom\n", "")))
  end)

  it("the script's line when assert raises what await gave, and nobody catches it", function()
    local result = child.run(START .. [[
      local session = datasession.new { serviceURI = "http://127.0.0.1:1/x" }
      assert(session:login():await(20))]])
    assert.equal(1, result.code)
    assert.matches("^[^\n]*: [^\n:]+:4: login: http://127.0.0.1:1/[^\n]+\n", result.output)
  end)

  it("that line for error too, and nowhere else", function()
    local result = child.run(START .. [[
      local session = datasession.new { serviceURI = "http://127.0.0.1:1/x" }
      local _, err = session:login():await(20)
      print(err)
      print(pcall(assert, nil, err))
      print(pcall(print, err))
      io.stdout:flush()
      error(err)]])
    assert.matches("^login: [^\n]+\nfalse\tlogin: [^\n]+\nlogin: [^\n]+\ntrue\n", result.output)
    assert.matches(":9: login: ", result.output)
  end)

  it("one warning a state about a time that looks like one of another unit", function()
    local output = said [[
      local function new(name, value)
        return datasession.new { serviceURI = "http://127.0.0.1:1/", [name] = value }
      end
      new("pingInterval", 0).pingInterval = 0
      new("pingInterval", 1000)
      new("pingInterval", "10ms")
      new("timeout", 3600)
      new("timeout", "2h")
      new("timeout", "30000ms")
      print "so far"
      io.stdout:flush()
      new("pingInterval", 30).pingInterval = 31
      new("timeout", 30000):request { path = "/", timeout = 30001 }:await(20)]]
    assert.equal(table.concat({
      "so far",
      "Lua warning: datasession: option 'pingInterval' is in milliseconds and was set to 30: \z
        if 30s is meant, say \"30s\"",
      "Lua warning: datasession: timeout is in seconds and was set to 30000: \z
        if 30000ms is meant, say \"30000ms\"\n",
    }, "\n"), output)
  end)
end)

describe("a mistake raises where the program made it:", function()
  local server, session

  setup(function()
    server = assert(sandbox.start())
    session = datasession.new { serviceURI = server.uris.anonymous }
    assert(session:login():await(LIMIT))
    assert(session:addCatalog("static/CustomerService.json"):await(LIMIT))
  end)
  teardown(function() server:close() end)

  -- The message of what f raises begins with this file and a line.
  local function raisesHere(pattern, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.matches("^spec/[%w_/]*silence_spec.lua:%d+: ", message)
    assert.matches(pattern, message)
  end

  local function operation()
    return session.catalogs[1]:resource("Customer"):operation("read")
  end

  it("options of getSession, by whatever kind of call", function()
    local uri = { catalogURI = "static/x.json" }
    raisesHere("getSession: expected a table", datasession.getSession)
    raisesHere("getSession: option 'serviceURI'", datasession.getSession, uri)
    raisesHere("getSession: option 'serviceURI'", function() return datasession.getSession(uri) end)
    raisesHere("getSession: option 'serviceURI'", function() datasession.getSession(uri) end)
    local wrong = { { serviceURI = "x" }, { pingInterval = "x" }, { timeout = {} }, { name = 5 },
      { usrname = "" } }
    for _, more in ipairs(wrong) do
      local options = { serviceURI = server.uris.basic, authenticationModel = "basic",
        catalogURI = "static/x.json" }
      for name, value in pairs(more) do options[name] = value end
      raisesHere("getSession: ", function() return datasession.getSession(options) end)
    end
    local sso = { serviceURI = server.uris.sso, authenticationModel = "sso", authenticationURI = "x",
      catalogURI = "x" }
    raisesHere("getSession: ", function() return datasession.getSession(sso) end)
  end)

  it("arguments of expand", function()
    for _, values in ipairs { 5, {}, { filter = print }, { filtr = "" } } do
      raisesHere("'expand'", function() operation():expand(values) end)
      raisesHere("'expand'", function() return operation():expand(values) end)
      raisesHere("'expand'", operation().expand, operation(), values)
    end
  end)

  it("options of sandbox.start", function()
    for _, options in ipairs { 5, { prot = 1 }, { port = "x" }, { tls = {} } } do
      raisesHere("'start'", function() sandbox.start(options) end)
      raisesHere("'start'", function() return sandbox.start(options) end)
      raisesHere("'start'", sandbox.start, options)
    end
  end)

  it("options that code in Lua checks for a function in C", function()
    local function new(options)
      options.serviceURI, options.name = server.uris.form, "silence"
      return function() datasession.new(options) end
    end
    raisesHere("option 'store': it has no method 'get'", new { store = {} })
    raisesHere("option 'store': expected a store", new { store = 5 })
    local store = require("datasession.store").memory()
    raisesHere("pass only one", new { store = store, storage = store })
    for _, wrong in ipairs { 5, { a = print }, { { "a" }, "b" }, { a = { {} } } } do
      raisesHere("request: option 'query'", function() session:request { path = "x", query = wrong } end)
      raisesHere("request: option 'form'", function() session:request { path = "x", form = wrong } end)
    end
  end)

  it("a name that a catalog lacks", function()
    local catalog = session.catalogs[1]
    raisesHere("catalog: no resource 'Custmer': did you mean 'Customer'%?", function()
      return catalog:resource("Custmer")
    end)
    raisesHere("no service", catalog.service, catalog, "x")
  end)

  it("a method that is called with a full stop", function()
    local promise = session:ping()
    local provider = datasession.AuthenticationProvider { uri = server.uris.form,
      authenticationModel = "form" }
    local hub = require("datasession.proiv.hub").new()
    local manager = require("datasession.proiv.manager").new { baseURI = server.uris.proiv }
    for _, call in ipairs {
      function() session.login("lua", "secret") end, function() session.ping() end,
      function() session.request { path = "/" } end, function() session.subscribe("offline", print) end,
      function() session.setContext {} end, function() session.reloadCatalogs() end,
      function() promise.await() end, function() promise.done(print) end,
      function() provider.login("lua", "secret") end,
      function() session.catalogs[1].resource("Customer") end, function() operation().expand {} end,
      function() server.close() end, function() server.fault { kind = "slow" } end,
      function() hub.publish("x") end, function() manager.keys() end,
    } do
      raisesHere("call it with ':' instead of '%.'%)?$", call)
    end
  end)

  it("a field that there is not, with the nearest name", function()
    local _, err = datasession.AuthenticationProvider { uri = server.uris.form, authenticationModel = "form" }
      :login("lua", "wrong"):await(LIMIT)
    local response = session:request { path = "/static/home.html" }:await(LIMIT)
    local promise = session:ping()
    local reads = {
      ["a session has no field 'serviceUri': did you mean 'serviceURI'%?"] = function()
        return session.serviceUri end,
      ["a session has no field 'lgoin': did you mean 'login'%?"] = function() session:lgoin() end,
      ["a response has no field 'statusCode'"] = function() return response.statusCode end,
      ["an error has no field 'httpstatus': did you mean 'httpStatus'%?"] = function()
        return err.httpstatus end,
      ["datasession has no field 'getSesion': did you mean 'getSession'%?"] = function()
        return datasession.getSesion
      end,
      ["a promise has no field 'connected': did you forget :await%(%)%?"] = function()
        return promise.connected end,
      ["forget :await%(%)%? %(or did you mean 'await'%?%)"] = function() promise:awiat() end,
    }
    for pattern, read in pairs(reads) do
      raisesHere(pattern, read)
    end
    datasession.run(LIMIT)
  end)

  it("none for the fields that an error may have, that a program set, or that libraries probe for", function()
    local _, err = session:request { path = "/none" }:await(LIMIT)
    err = err or select(2, datasession.spawn(error, "x"):await(LIMIT))
    for _, name in ipairs { "kind", "hint", "uri", "httpStatus", "session", "provider", "response",
      "traceback" } do
      assert.has_no.errors(function() return err[name] end)
    end
    err.mine = 1
    assert.equal(1, err.mine)
    for _, object in ipairs { err, session, session:ping(), datasession } do
      for _, key in ipairs { "__pairs", "__jsontype", 1, true } do assert.is_nil(object[key]) end
    end
    assert.is_nil(rawget(datasession, "nothing"))
    datasession.run(LIMIT)
  end)
end)
