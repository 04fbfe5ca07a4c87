-- The engine for its host: step, run, event loops, errors of handlers, and the end of the Lua state.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local socket = require "socket"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local EPOLL = datasession.version().poller == "epoll"
local cqueues = _VERSION ~= "Lua 5.5" and require "cqueues" -- which Debian does not have for 5.5
local withCqueues = cqueues and it or pending

local function ready()
  return datasession.promise(function(resolve) resolve() end)
end

describe("the engine", function()
  local server, session

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "basic" }
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.is_true(datasession.run(LIMIT))
  end)

  after_each(function()
    server:clearFaults()
    session:invalidate()
    assert.is_true(datasession.run(LIMIT), "something is still in flight")
  end)

  local function deadline()
    local limit = os.time() + LIMIT
    return function() assert(os.time() < limit, "it takes too long") end
  end

  local function hanging()
    return sessions.hangingPing(server, session)
  end

  describe("steps", function()
    it("and says at once that there is nothing to do", function()
      assert.is_false(datasession.step())
      assert.is_false(datasession.step(LIMIT))
      assert.is_false(datasession.step(math.huge))
      assert.is_false(datasession.pending())
    end)

    it("without waiting, unless it is told to", function()
      local ping, check, steps = hanging(), deadline(), 0
      while steps < 100 do
        assert.is_true(datasession.step())
        check()
        steps = steps + 1
      end
      assert.equal("pending", ping:state())
      ping:cancel()
    end)

    it("and waits no longer than it is told", function()
      local ping, check = hanging(), deadline()
      for _ = 1, 3 do
        assert.is_true(datasession.step(0.01))
        check()
      end
      ping:cancel()
    end)

    it("and waits until there is somebody to tell", function()
      local ping, steps = session:ping(), 0
      while ping:state() == "pending" do
        datasession.step(LIMIT)
        steps = steps + 1
        assert.is_true(steps < 5)
      end
    end)

    it("and tells what is ready before it waits", function()
      local ping, told, check = hanging(), false, deadline()
      ready():done(function() told = true end)
      datasession.step(LIMIT * 2)
      check()
      assert.is_true(told)
      ping:cancel()
    end)

    it("within a budget, leaves the rest to the next step and loses none", function()
      local order, wanted = {}, {}
      for i = 1, 20 do
        wanted[i] = i
        ready():done(function()
          order[#order + 1] = i
          local start = os.clock()
          while os.clock() - start < 0.002 do end -- luacheck: ignore
        end)
      end
      assert.is_true(datasession.step(0, 0.001))
      assert.is_true(#order >= 1 and #order < 20)
      assert.equal(0, datasession.timeout())
      local check, steps = deadline(), 0
      while datasession.step(0, 0.001) do
        check()
        steps = steps + 1
      end
      assert.is_true(steps > 5)
      assert.same(wanted, order)
    end)

    it("within a budget, also between two handlers of one promise", function()
      local promise, count = ready(), 0
      for _ = 1, 10 do
        promise:done(function()
          count = count + 1
          local start = os.clock()
          while os.clock() - start < 0.002 do end -- luacheck: ignore
        end)
      end
      datasession.step(0, 0.001)
      assert.equal(1, count)
      assert.is_true(datasession.run(LIMIT))
      assert.equal(10, count)
    end)

    it("within a budget, through all calls that are in flight", function()
      local count, check = 0, deadline()
      for _ = 1, 20 do session:ping():done(function() count = count + 1 end) end
      while datasession.step(0.01, 1e-9) do check() end
      assert.equal(20, count)
    end)

    it("inside a handler", function()
      local order = {}
      local first = ready()
      first:done(function()
        datasession.step()
        order[#order + 1] = "outer"
      end)
      first:done(function() order[#order + 1] = "inner" end)
      datasession.step()
      assert.same({ "inner", "outer" }, order)
    end)

    it("in a coroutine of the host's", function()
      local done, check = false, deadline()
      session:ping():done(function() done = true end)
      local co = coroutine.wrap(function()
        while not done do
          datasession.step(0.01)
          coroutine.yield()
        end
        return "done"
      end)
      while co() ~= "done" do check() end
    end)

    it("by numbers of seconds alone", function()
      for _, call in ipairs { datasession.step, datasession.run } do
        assert.error_matches(function() call(-1) end,
          "bad argument #1 .*expected a number of seconds, 0 or more")
        assert.error_matches(function() call(0 / 0) end, "bad argument #1 ")
        assert.error_matches(function() call "now" end, "bad argument #1 ")
      end
      assert.error_matches(function() datasession.step(0, -1) end, "bad argument #2 to 'step'")
      local engine = datasession.engine
      assert.error_matches(function() engine:step "now" end, "bad argument #1 to 'step'")
      assert.error_matches(function() engine:step(0, -1) end, "bad argument #2 to 'step'")
      assert.error_matches(function() engine:run(-1) end, "bad argument #1 to 'run'")
      assert.error_matches(function() engine.step(1) end, "datasession%.engine expected")
    end)
  end)

  describe("runs", function()
    it("until nothing pends", function()
      local count = 0
      session:ping():done(function() session:ping():done(function() count = count + 1 end) end)
      assert.is_true(datasession.run())
      assert.equal(1, count)
      assert.is_false(datasession.pending())
      assert.is_true(datasession.run())
    end)

    it("until its time is over", function()
      local ping = hanging()
      assert.is_false(datasession.run(0.01))
      assert.is_false(datasession.run(0))
      ping:cancel()
      assert.is_true(datasession.run(LIMIT))
    end)

    it("no longer, though handlers add handlers and wait", function()
      local never, results, count = datasession.promise(function() end), {}, 0
      local function again()
        count = count + 1
        results[count] = table.pack(never:await(count < 3 and 0.01 or nil))
        ready():done(again)
        ready():done(again)
      end
      ready():done(again)
      local waiting = datasession.spawn(function() never:await(60) end)
      assert.is_false(datasession.run(0.2))
      assert.is_true(count >= 3)
      assert.matches("an outer await or run timed out", results[3][2].message)
      again = function() end
      waiting:cancel()
      while not datasession.run(0.1) do end
    end)

    it("at least once round", function()
      local told = false
      ready():done(function() told = true end)
      assert.is_true(datasession.run(0))
      assert.is_true(told)
    end)
  end)

  describe("tells an event loop", function()
    local engine = datasession.engine

    it("when to step at the latest", function()
      assert.is_nil(datasession.timeout())
      ready():done(function() end)
      assert.equal(0, datasession.timeout())
      datasession.step()
      assert.is_nil(datasession.timeout())
      local ping = hanging()
      local timeout = datasession.timeout()
      assert.is_true(timeout > 0 and timeout <= 30)
      assert.equal(timeout > 1, EPOLL)
      local waiting = datasession.spawn(function() ping:await(0.5) end)
      assert.is_true(datasession.timeout() <= 0.5)
      waiting:cancel()
      ping:cancel()
      assert.equal(0, datasession.timeout())
    end)

    it("which descriptor to watch, one and the same for good", function()
      local fd = datasession.pollfd()
      if EPOLL then
        assert.equal("integer", math.type(fd))
        assert.is_true(fd >= 0)
        assert.equal(fd, engine:getfd())
      else
        assert.is_nil(fd)
        assert.equal(-1, engine:getfd())
      end
      session:ping():await(LIMIT)
      assert.equal(fd, datasession.pollfd())
      assert.equal(fd, engine:pollfd())
      assert.equal("r", engine:events())
    end)

    it("by its descriptor that there is something to do", function()
      local ping = hanging()
      datasession.step()
      if EPOLL then assert.same({}, (socket.select({ engine }, nil, 0))) end
      server:stop()
      local readable = socket.select({ engine }, nil, EPOLL and LIMIT or 0)
      if EPOLL then assert.equal(engine, readable[1]) end
      assert.is_nil((ping:await(LIMIT)))
      assert(server:start())
    end)

    it("by its descriptor of all that is begun or settled outside a step", function()
      if not EPOLL then return end
      -- select does not ask it for `dirty`
      local plain = { getfd = function() return datasession.pollfd() end }
      local function readable() return socket.select({ plain }, nil, 0)[1] == plain end
      local settle, told
      datasession.promise(function(resolve) settle = resolve end):done(function() told = true end)
      assert.is_false(readable())
      settle()
      assert.is_true(readable())
      datasession.step()
      assert.is_true(told)
      assert.is_false(readable())
      local ping = hanging()
      datasession.step()
      assert.is_false(readable())
      local waiting = datasession.spawn(function() return ping:await(0.02) end)
      while waiting:state() == "pending" do -- without a call of timeout
        assert.equal(plain, socket.select({ plain }, nil, LIMIT)[1])
        datasession.step()
      end
      ping:cancel()
      assert.is_true(readable())
      assert.is_true(datasession.run(LIMIT))
      assert.is_false(readable())
    end)

    withCqueues("such as cqueues of what another coroutine begins", function()
      if not EPOLL then return end
      local controller, settle, ended = cqueues.new(), nil, false
      local promise = datasession.promise(function(resolve) settle = resolve end)
      promise:next(function() return session:ping() end):done(function() ended = true end)
      controller:wrap(function()
        while not ended do
          cqueues.poll(engine)
          datasession.step()
        end
      end)
      controller:wrap(function()
        cqueues.poll() -- the other waits by now
        settle()
      end)
      assert(controller:loop(LIMIT))
      assert.is_true(ended)
    end)

    it("that it need not wait for the descriptor", function()
      assert.is_false(engine:dirty())
      ready():done(function() end)
      assert.is_true(engine:dirty())
      if EPOLL then assert.equal(engine, socket.select({ engine }, nil, LIMIT)[1]) end
      datasession.step()
      assert.is_false(engine:dirty())
    end)

    it("by an object that does what the module does", function()
      local done = false
      session:ping():done(function() done = true end)
      assert.matches("^datasession%.engine: 1 operation", tostring(engine))
      assert.is_true(engine:run(LIMIT))
      assert.is_true(done)
      assert.is_nil(engine:timeout())
      assert.is_false(engine:step())
      assert.matches("^datasession%.engine: 0 operation", tostring(engine))
      assert.is_false(getmetatable(engine))
    end)

    -- A usual program: calls in sequence, some in parallel, in coroutines and handlers.
    local function program()
      local log = {}
      local work = datasession.spawn(function()
        local other = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
        assert(other:login("lua", "secret"):await())
        assert(other:addCatalog(server.catalogURIs.form):await())
        local pings = { other:ping(), session:ping(), other:ping() }
        for _, ping in ipairs(pings) do assert(ping:await()) end
        server:fault { kind = "slow", delay = 10, path = "oeping$" }
        local slow = session:ping()
        log[1] = select(2, slow:await(0.02)).kind
        slow:cancel()
        log[2] = select(2, slow:await()).kind
        assert(other:invalidate():await())
        log[3] = "done"
      end)
      local ended
      work:always(function() ended = true end)
      return function() return ended end, work, log
    end

    local function check(work, log)
      assert.equal("resolved", work:state(), select(2, work:await()))
      assert.same({ "timeout", "cancelled", "done" }, log)
    end

    withCqueues("such as cqueues all that it needs", function()
      local ended, work, log = program()
      local controller, ticks = cqueues.new(), 0
      controller:wrap(function()
        while not ended() do
          cqueues.poll(engine)
          datasession.step()
        end
      end)
      controller:wrap(function() -- the host has other things to do
        while not ended() do
          ticks = ticks + 1
          cqueues.sleep(0.001)
        end
      end)
      assert(controller:loop(LIMIT))
      assert.is_true(controller:empty())
      check(work, log)
      assert.is_true(ticks > 2)
    end)

    it("such as one around socket.select all that it needs", function()
      local ended, work, log = program()
      local late = deadline()
      while not ended() do
        late()
        socket.select({ engine }, nil, math.min(engine:timeout() or LIMIT, LIMIT))
        engine:step()
      end
      check(work, log)
    end)

    it("such as one that comes by once a frame all that it needs", function()
      local ended, work, log = program()
      local late, frames = deadline(), 0
      while not ended() do
        late()
        datasession.step(0, 0.002)
        frames = frames + 1
        socket.select(nil, nil, 0.001)
      end
      check(work, log)
      assert.is_true(frames > 5)
    end)
  end)

  describe("hands errors of handlers", function()
    after_each(function() datasession.onError(nil) end)

    it("to the function of onError, which gives way to another", function()
      local function first() end
      assert.is_nil(datasession.onError(first))
      assert.equal(first, datasession.onError(print))
      assert.equal(print, datasession.onError(nil))
      assert.is_nil(datasession.onError())
      for _, value in ipairs { 1, "f", {}, true } do
        assert.error_matches(function() datasession.onError(value) end, "bad argument #1 to 'onError'")
      end
    end)

    it("to warn by default, with a traceback", function()
      local output = child.output [[
        warn "@on"
        local datasession = require "datasession"
        local function settled() return datasession.promise(function(resolve) resolve() end) end
        settled():done(function() error "boom" end):done(function() print "the other handler" end)
        settled():done(function()
          error(setmetatable({}, { __tostring = function() return "an object" end }))
        end)
        datasession.spawn(function() error "nobody looks" end)
        datasession.run()
        collectgarbage()
      ]]
      assert.matches("the other handler", output)
      assert.matches("Lua warning: datasession: [^\n]*: boom\nstack traceback:\n%s", output)
      assert.matches("Lua warning: datasession: an object\nstack traceback:\n%s", output)
      assert.matches("Lua warning: datasession: a promise was rejected and not handled: [^\n]*nobody looks\n",
        output)
    end)

    it("to warn when onError itself raises, and goes on", function()
      local output = child.output [[
        warn "@on"
        local datasession = require "datasession"
        datasession.onError(function() error "in onError" end)
        local promise = datasession.promise(function(resolve) resolve() end)
        promise:done(function() error "first" end):done(function() error "second" end)
        promise:done(function() print "third" end)
        assert(datasession.run())
      ]]
      assert.matches("datasession: [^\n]*first", output)
      assert.matches("datasession: [^\n]*second", output)
      assert.matches("third", output)
      assert.equal(2, select(2, output:gsub("error in the handler of onError: [^\n]*in onError", "")))
    end)

    it("that have overflown the stack, or cannot be told", function()
      local output = child.output [[
        warn "@on"
        local datasession = require "datasession"
        local function settled() return datasession.promise(function(resolve) resolve() end) end
        local function deep() return 1 + deep() end
        local evil = setmetatable({}, { __tostring = function() error "evil" end })
        settled():done(deep):done(function() error(evil) end):done(function() print "still here" end)
        print(select(2, settled():next(function() error(evil) end):await()) == evil)
        print(select(2, datasession.spawn(deep):await()).message:match "stack overflow")
        assert(datasession.run())
      ]]
      assert.matches("true\nstack overflow\n", output)
      assert.matches("still here", output)
      assert.matches("Lua warning: datasession: [^\n]*stack overflow", output)
    end)
  end)

  describe("serves finalisers", function()
    it("that call and wait, whenever the collector comes", function()
      local output = child.output([[
        local uri = ...
        local datasession = require "datasession"
        local session = datasession.new { serviceURI = uri, authenticationModel = "basic" }
        assert(session:login("lua", "secret"):await())
        local finalised, waited, refused = 0, 0, 0
        local function finaliser()
          finalised = finalised + 1
          if finalised % 3 > 0 then return end
          local ok, value, err = pcall(function() return session:isAuthorized():await(20) end)
          if ok then
            waited = waited + 1
            if not value and err.kind ~= "auth" then error(tostring(err)) end
          else
            assert(value:find "finaliser" or value:find "inside one another", value)
            refused = refused + 1
          end
        end
        warn "@on"
        debug.sethook(function()
          setmetatable({}, { __gc = finaliser })
          collectgarbage()
        end, "", 30)
        for _ = 1, 5 do
          session:ping():done(function() end):await()
          session:addCatalog("static/CustomerService.json?" .. finalised):await()
          session:request { uri = "rest/CustomerService/Customer", json = { a = 1 } }:await()
          assert(session:logout():await())
          assert(session:login("lua", "secret"):await())
        end
        debug.sethook()
        assert(datasession.run(20))
        print(waited > 0, refused > 0)
      ]], server.uris.basic)
      assert.equal("true\ttrue\n", output)
    end)
  end)

  it("is the same for a module that is loaded anew", function()
    local names = { "datasession", "datasession.core", "datasession.internal.registry" }
    local kept = {}
    for _, name in ipairs(names) do kept[name], package.loaded[name] = package.loaded[name], nil end
    local again = require "datasession"
    for _, name in ipairs(names) do package.loaded[name] = kept[name] end
    assert.not_equal(datasession, again)
    assert.equal(datasession.engine, again.engine)
    collectgarbage()
    collectgarbage()
    local ping = session:ping()
    assert.is_true(again.run(LIMIT))
    assert.equal("resolved", ping:state())
  end)

  it("lets a signal interrupt who waits", function()
    for _, wait in ipairs { "session:ping():await()", "session:ping() datasession.run()" } do
      server:fault { kind = "slow", delay = LIMIT, path = "oeping$" }
      server:clearRequests()
      local waiting = child.start([[
        local datasession = require "datasession"
        local session = datasession.new { serviceURI = ... }
        print(io.popen("echo $PPID"):read())
        io.stdout:flush()
        assert(session:login():await())
        ]] .. wait .. [[
        print "was not interrupted"
      ]], server.uris.anonymous)
      local process = assert(tonumber(waiting:line()))
      assert.is_true(server:awaitRequests(2, LIMIT))
      os.execute("kill -INT " .. process)
      local result = waiting:finish()
      assert.equal(1, result.code)
      assert.matches("interrupted!", result.output)
      assert.not_matches("was not interrupted", result.output)
    end
  end)

  describe("ends with the Lua state", function()
    -- All kinds of pending work.
    local BUSY = [==[
      local uri, mode = ...
      local datasession = require "datasession"
      local guarded = require("datasession.internal.lua").closing
      local function closing(name, f)
        return setmetatable({}, { __close = function()
          print("closed " .. name)
          if f then f() end
        end })
      end
      local session = datasession.new { serviceURI = uri, authenticationModel = "basic", pingInterval = 1 }
      assert(session:login("lua", "secret"):await())
      session:subscribe("offline", function() print "not told" end)
      local ping = session:ping()
      datasession.step()
      session:request { uri = "rest/none" }:always(function() print "not told" end)
      datasession.spawn(function()
        guarded(closing "one", ping.await, ping)
      end)
      datasession.spawn(function()
        guarded(closing("two", function()
          for _, f in ipairs {
            function() datasession.spawn(print) end,
            function() datasession.new { serviceURI = uri } end,
            function() ping:await() end,
            function() session:ping():await(1) end,
            function() assert(not session:login("lua", "secret"):await()) end,
            function() error "on closing" end,
          } do
            print(pcall(f))
          end
          ping:cancel()
          session:logout():done(print)
          session:addCatalog("x")
          print(session, session:subscribe("online", print))
          datasession.step()
          error "not harmful"
        end), ping.await, ping, 3600)
      end)
      datasession.spawn(function()
        local never = datasession.promise(function() end)
        guarded(closing "three", never.await, never)
      end)
      local late = setmetatable({}, { __gc = function() -- runs before the library's own finalisers
        ping:cancel()
        session:ping()
        print "finalised"
      end })
      ping:done(function() print "not told" end):fail(function() print "not told" end)
      datasession.promise(function(resolve) resolve() end):done(function()
        if mode ~= "handler" then print "not told" end
        if mode == "handler" then os.exit(true, true) end
      end)
      if mode == "exit" then os.exit(true, true) end
      if mode == "handler" then datasession.run() end
      if mode == "await" then
        datasession.promise(function(resolve) resolve() end):next(function() os.exit(true, true) end):await()
      end
      if mode == "coroutine" then datasession.spawn(function() os.exit(true, true) end) end
      if mode == "error" then error "the script fails" end
      late = late and ping
    ]==]

    before_each(function()
      server:fault { kind = "slow", delay = LIMIT, path = "oeping$", count = 0 }
    end)

    for _, mode in ipairs { "return", "exit", "handler", "coroutine", "error" } do
      it("with all that is under way: by " .. mode, function()
        local result = child.run(BUSY, server.uris.basic, mode)
        assert.equal(mode == "error" and 1 or 0, result.code, result.output)
        for _, name in ipairs { "one", "two", "three" } do
          assert.matches("closed " .. name, result.output)
        end
        assert.matches("finalised", result.output)
        assert.matches("spawn: this Lua state is closing", result.output)
        assert.matches("this Lua state is closing", result.output)
        assert.not_matches("not told", result.output)
      end)
    end

    it("and says once what is still pending then", function()
      local function said(script)
        return child.output([[
          local datasession = require "datasession"
          local session = datasession.new { serviceURI = ..., authenticationModel = "basic" }
          assert(session:login("lua", "secret"):await(20))
        ]] .. script, server.uris.basic)
      end
      local text = "datasession: the program ends with %s pending, the first: %s (datasession.run() waits \z
        for all)\n"
      assert.equal(text:format("1 operation", "ping"), said "session:ping()")
      assert.equal(text:format("3 operations", "ping"), said [[
        session:ping()
        session:request { path = "/static/home.html" }
        session:ping()
        os.exit(true, true)]])
      assert.equal("", said [[session:request { path = "/static/home.html" } datasession.run(20)]])
      assert.equal("", said "datasession.spawn(function() datasession.promise(function() end):await() end)")
    end)

    it("whatever was made before it is finalised after it", function()
      local output = child.output([[
        local older = setmetatable({}, { __gc = function(self) self.f() end })
        local datasession = require "datasession"
        local session = datasession.new { serviceURI = ... }
        assert(session:login():await())
        local ping = session:ping()
        local waiting = datasession.spawn(function() ping:await(3600) end)
        older.f = function()
          print(pcall(ping.await, ping))
          print(pcall(ping.await, waiting))
          print(waiting:cancel(), ping:cancel(), ping:cancel())
          for _, name in ipairs { "ping", "logout", "invalidate", "isAuthorized", "login" } do
            session[name](session):always(function(_, _, info) print(name, info.errorObject) end)
          end
          print(session, datasession.step(), datasession.run(1), datasession.timeout())
          print(pcall(datasession.new, { serviceURI = "http://localhost" }))
          print(pcall(datasession.pollfd))
          print(pcall(datasession.spawn, print))
          print(datasession.engine, datasession.engine:dirty())
        end
      ]], server.uris.anonymous)
      assert.equal(5, select(2, output:gsub("this Lua state is closing", "")))
      assert.matches("datasession%.engine: ", output)
    end)
  end)
end)
