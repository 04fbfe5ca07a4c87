-- Callback channels: session:channel.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local ADMIN = "/datasnap/rest/DSAdmin/"

describe("a callback channel", function()
  local server, session, heard, events

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  local function newSession(options)
    options = options or {}
    options.protocol, options.serviceURI = "datasnap", server.uris.datasnap
    return datasession.new(options)
  end

  before_each(function()
    sessions.refresh(server)
    server:setDataSnap { timeout = 1200000, slim = false, channelResponseTimeout = 30000,
      channelQueueSize = 100, pragma = true }
    session, heard, events = newSession(), {}, {}
  end)
  after_each(function()
    datasession.onError(nil)
    sessions.endAll()
    collectgarbage()
  end)

  -- Keeps what a callback is called with, and answers.
  local function hears(answer)
    return function(value, message)
      heard[#heard + 1] = { value, message }
      return answer
    end
  end

  local function awaitHeard(n) await.stepUntil(function() return #heard >= n end) end

  local function watch(channel)
    for _, event in ipairs { "started", "stopped", "disconnected", "interrupted", "callbackAdded",
      "callbackRemoved" } do
      channel:subscribe(event, function(which, detail)
        assert(which == channel)
        events[#events + 1] = event
        events[event] = detail
      end)
    end
    return channel
  end

  local function awaitEvent(name)
    await.stepUntil(function()
      for _, event in ipairs(events) do
        if event == name then return true end
      end
      return false
    end)
    return events[name]
  end

  local function new(id, options)
    options = options or {}
    options.serverChannel, options.id, options.token = "chat", id or "client1", "tok"
    return watch(session:channel(options))
  end

  -- The requests to DSAdmin, as they came.
  local function wire(pattern)
    local lines = {}
    for _, request in ipairs(server:requests()) do
      local path = request.uri:match("^" .. ADMIN .. "(.*)$")
      if path and (not pattern or path:find(pattern)) then
        local body = request.body ~= "" and " " .. request.body or ""
        lines[#lines + 1] = request.method .. " " .. path .. body
      end
    end
    return lines
  end

  local function hasWaiting(n)
    await.stepUntil(function() return #wire "^ConsumeClientChannel//" >= n end)
  end

  -- An open channel with the callback "cb1".
  local function open(answer, id, options)
    local channel = new(id, options)
    channel:callback("cb1", hears(answer))
    assert(channel:register():await(LIMIT) == channel)
    hasWaiting(1)
    return channel
  end

  describe("on the wire", function()
    it("opens, waits, answers, registers, unregisters and closes as the vendor's script does", function()
      local channel = new()
      channel:callback("cb1", hears { answer = 42 }):callback("cb2", hears(), { "other", "third" })
      assert(channel:register "cb1":await(LIMIT))
      hasWaiting(1)
      assert(channel:register():await(LIMIT))
      assert(channel.session:invoke("DSAdmin", '"NotifyCallback"', { "client1", "cb1", { 1 } },
        { verb = "POST" }):await(LIMIT))
      hasWaiting(2)
      assert(channel:unregister("cb2"):await(LIMIT))
      assert(channel:close():await(LIMIT) == channel)
      assert.same({
        "GET ConsumeClientChannel/chat/client1/cb1//tok//",
        "POST ConsumeClientChannel//client1///tok/true/",
        "GET RegisterClientCallbackServer/client1/cb2/other%2Cthird/tok/",
        "POST %22NotifyCallback%22/client1/cb1/ [1]",
        'POST ConsumeClientChannel//client1///tok/ {"answer":42}',
        "GET UnregisterClientCallback/client1/cb2/tok/",
        "GET CloseClientChannel/client1/tok/",
      }, wire())
      for i, request in ipairs(server:requests()) do
        assert.equal(i > 1 and "dssession=" .. session.sessionId or nil, request.headers.pragma)
        assert.equal("application/json", request.headers.accept)
      end
    end)

    it("sends scalars in the path, objects in the body, and names with blanks in quotes", function()
      local channel = new()
      channel:callback("cb1", hears(), { "a b", 'c"d', "e,f", "g" })
      assert(channel:register "cb1":await(LIMIT))
      channel:broadcast("text/1"):await(LIMIT)
      channel:broadcast({ a = 1 }, "x"):await(LIMIT)
      channel:broadcastObject(true):await(LIMIT)
      channel:notify("client9", "cb9", { 1 }):await(LIMIT)
      channel:notifyObject("client9", "cb9", "x"):await(LIMIT)
      assert.equal('GET ConsumeClientChannel/chat/client1/cb1/%22a%20b%22%2C%22c%22%22d%22%2C%22e%2Cf%22%2Cg/'
        .. "tok//", wire()[1])
      assert.same({
        "POST %22BroadcastToChannel%22/chat/text%2F1/", 'POST %22BroadcastToChannel%22/x/ {"a":1}',
        "POST %22BroadcastObjectToChannel%22/chat/true/", "POST %22NotifyCallback%22/client9/cb9/ [1]",
        "POST %22NotifyObject%22/client9/cb9/x/",
      }, wire "^%%22")
    end)

    it("has a random id and token unless they are given", function()
      local ids, tokens = {}, {}
      for i = 1, 3 do
        local channel = session:channel { serverChannel = "chat" }
        local _, id = channel:callback(nil, hears())
        assert.matches("^%x+$", id)
        assert(channel:register():await(LIMIT))
        local sent, callback, token = wire()[i * 2 - 1]
          :match "^GET ConsumeClientChannel/chat/(%x+)/(%x+)//(%x+)//$"
        assert.equal(channel.id, sent)
        assert.equal(id, callback)
        hasWaiting(i)
        assert.equal(32, #token)
        assert.is_nil(ids[sent] or tokens[token])
        ids[sent], tokens[token] = true, true
        assert.is_nil(tostring(channel):find(token, 1, true) or tostring(channel):find(sent, 1, true))
      end
    end)
  end)

  describe("hears", function()
    it("broadcasts to its server channel and to the names of its callbacks, in order", function()
      local channel = new()
      channel:callback("cb1", hears()):callback("cb2", hears(), "other")
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      assert(sender:broadcast("one"):await(LIMIT))
      assert(sender:broadcast({ two = 2 }, "Other"):await(LIMIT))
      assert(sender:broadcastObject("three"):await(LIMIT))
      awaitHeard(5)
      local list = {}
      for i, one in ipairs(heard) do
        list[i] = { one[1], one[2].callback, one[2].type, one[2].broadcast }
        assert(one[2].channel == channel)
      end
      assert.same({
        { "one", "cb1", 1, "chat" }, { "one", "cb2", 1, "chat" }, { { two = 2 }, "cb2", 1, "Other" },
        { "three", "cb1", 2, "chat" }, { "three", "cb2", 2, "chat" },
      }, list)
    end)

    it("notifications, whose sender gets the callback's answer", function()
      open { answer = 42 }
      local sender = newSession():channel { serverChannel = "chat" }
      assert.same({ answer = 42 }, sender:notify("client1", "cb1", { 7 }):await(LIMIT))
      assert.same({ { 7 }, "cb1", 1 }, { heard[1][1], heard[1][2].callback, heard[1][2].type })
      assert.is_nil(heard[1][2].broadcast)
      assert.same({ answer = 42 }, sender:notifyObject("client1", "CB1", 7):await(LIMIT))
      assert.equal(2, heard[2][2].type)
      local err = await.rejected(sender:notify("client1", "none", 1), "refused")
      assert.matches("the message was not answered", err.message)
    end)

    it("the answers of callbacks that await, and of promises", function()
      local channel = new()
      channel:callback("slow", function(value)
        datasession.sleep(0.01)
        return value + 1
      end):callback("later", function(value)
        return datasession.after(0.01, function() return value * 2 end)
      end):callback("nothing", function() end):callback("none", function() return datasession.null end)
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      assert.equal(8, sender:notify("client1", "slow", 7):await(LIMIT))
      assert.equal(14, sender:notify("client1", "later", 7):await(LIMIT))
      assert.is_true(sender:notify("client1", "nothing", 7):await(LIMIT))
      assert.equal(datasession.null, (sender:notify("client1", "none", 7):await(LIMIT)))
    end)

    it("its own notifications without the server", function()
      local channel = open(5)
      server:clearRequests()
      assert.equal(5, channel:notify("CLIENT1", "cb1", "self"):await(LIMIT))
      assert.equal("self", heard[1][1])
      assert.same({}, server:requests())
    end)

    it("its own notifications in time", function()
      local channel = open(5)
      channel:callback("never", function() return datasession.newPromise(function() end) end)
      local err = await.rejected(channel:notify(channel.id, "never", 1, { timeout = 0.02 }), "timeout")
      assert.matches("the callback 'never' did not answer within 0.02 s", err.message, 1, true)
    end)
  end)

  describe("answers false", function()
    local function answered(n) -- the answer in the n-th request that waits
      hasWaiting(n)
      return wire "^ConsumeClientChannel//"[n]:match "///tok/(.*)$"
    end

    local function reports()
      local list = {}
      datasession.onError(function(err) list[#list + 1] = tostring(err) end)
      return list
    end

    it("for a callback that it does not have, and for what it does not know", function()
      for i, body in ipairs { '[{"invoke":["other",1,1]}]', '[{"news":1}]', "[7]", "[]", "7" } do
        server:clearRequests()
        server:fault { kind = "status", status = 200, path = "ConsumeClientChannel//", contentType =
          "application/json", body = '{"result":' .. body .. "}" }
        local channel = open(nil, "client" .. i)
        assert.equal("false/", answered(2))
        assert(channel:close():await(LIMIT))
      end
    end)

    it("for a callback that raises, which is reported", function()
      local list = reports()
      local channel = new()
      channel:callback("cb1", function() error "no such luck" end)
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      assert.is_false((sender:notify("client1", "cb1", 1):await(LIMIT)))
      assert.equal(1, #list)
      assert.matches("no such luck", list[1])
    end)

    it("for an answer that cannot be sent, which is reported", function()
      local list = reports()
      open(0 / 0)
      local sender = newSession():channel { serverChannel = "chat" }
      assert.is_false((sender:notify("client1", "cb1", 1):await(LIMIT)))
      assert.matches("a callback's answer cannot be sent", list[1])
    end)

    it("for a callback that takes too long, which is reported, and goes on", function()
      local list = reports()
      local finish
      local channel = new("client1", { answerTimeout = 0.05 })
      channel:callback("cb1", function()
        return datasession.newPromise(function(resolve) finish = resolve end)
      end)
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      assert.is_false((sender:notify("client1", "cb1", 1):await(LIMIT)))
      assert.matches("the callback 'cb1' did not answer within 0.05 s", list[1])
      finish(1)
      assert.is_false((sender:notify("client1", "cb1", 2):await(LIMIT)))
    end)
  end)

  describe("fires", function()
    it("started, callbackAdded, callbackRemoved and stopped", function()
      local channel = open()
      channel:callback("cb2", hears())
      assert(channel:register "cb2":await(LIMIT))
      assert(channel:unregister "cb1":await(LIMIT))
      assert.same({ "started", "callbackAdded", "callbackAdded", "callbackRemoved" },
        { table.unpack(events) })
      assert.equal("open", channel.state)
      assert(channel:unregister "cb2":await(LIMIT))
      assert.equal("stopped", events[#events])
      assert.equal("closed", channel.state)
      channel:callback("cb3", hears())
      assert(channel:register():await(LIMIT))
      assert.equal("open", channel.state)
      assert(channel:close():await(LIMIT))
      assert.equal("stopped", events[#events])
      assert(channel:close():await(LIMIT))
      assert.same({ "started", "callbackAdded", "callbackAdded", "callbackRemoved", "callbackRemoved",
        "stopped", "started", "callbackAdded", "stopped" }, { table.unpack(events) })
    end)

    it("disconnected when the server closes the channel", function()
      local channel = open()
      server:expireSessions "datasnap"
      local err = awaitEvent "disconnected"
      assert.equal("closed", err.kind)
      assert.equal("closed", channel.state)
      assert.is_true(datasession.run(LIMIT))
    end)

    it("to those who are subscribed, with their scope", function()
      local channel, list, scope = new(), {}, {}
      local function added(...) list[#list + 1] = { ... } end
      local function never() list[#list + 1] = "never" end
      channel:subscribe("CALLBACKADDED", added, scope):subscribe("callbackAdded", added)
        :subscribe("callbackAdded", never):unsubscribe("callbackAdded", never)
        :subscribe("started", function() channel:unsubscribeAll "stopped" end)
        :subscribe("stopped", never)
      channel:callback("cb1", hears())
      assert(channel:register():await(LIMIT))
      assert.same({ { scope, channel, "cb1" }, { channel, "cb1" } }, list)
      channel:subscribe("stopped", never):unsubscribeAll()
      assert(channel:close():await(LIMIT))
      assert.equal(2, #list)
    end)
  end)

  describe("goes on", function()
    it("after a broken connection, and tells that a message may be lost", function()
      local channel, offline = open(), false
      session:subscribe("offline", function() offline = true end)
      server:resetChannels()
      local err = awaitEvent "interrupted"
      assert.equal("connect", err.kind)
      hasWaiting(2)
      assert.equal("POST ConsumeClientChannel//client1///tok/false/", wire "^ConsumeClientChannel//"[2])
      assert(channel:broadcast("still here"):await(LIMIT))
      awaitHeard(1)
      assert.equal("still here", heard[1][1])
      assert.is_false(offline)
    end)

    it("after a message that was lost on the way", function()
      server:fault { kind = "truncate", path = "ConsumeClientChannel//", method = "POST" }
      local channel = open()
      assert(channel:broadcast("lost"):await(LIMIT))
      awaitEvent "interrupted"
      assert(channel:broadcast("found"):await(LIMIT))
      awaitHeard(1)
      assert.equal("found", heard[1][1])
      assert.same({ "started", "callbackAdded", "interrupted" }, { table.unpack(events) })
    end)

    it("with the same answer when the server was not reached, and tells of no loss", function()
      local channel = new()
      channel:callback("cb1", function()
        server:stop()
        return 42
      end)
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      hasWaiting(1)
      local request = sender:notify("client1", "cb1", 1)
      await.rejected(request)
      server:start()
      hasWaiting(2)
      assert.equal("POST ConsumeClientChannel//client1///tok/42/", wire "^ConsumeClientChannel//"[2])
      assert.is_nil(events.interrupted)
    end)

    it("by opening it again when the server has closed it meanwhile", function()
      local finish
      local channel = new()
      channel:callback("cb1", function()
        heard[#heard + 1] = {}
        return datasession.newPromise(function(resolve) finish = resolve end)
      end):callback("cb2", hears(), "other")
      assert(channel:register():await(LIMIT))
      local sender = newSession():channel { serverChannel = "chat" }
      sender:notify("client1", "cb1", "takes long"):fail(function() end)
      awaitHeard(1)
      server:advanceClock(31)
      finish(true)
      local err = awaitEvent "interrupted"
      assert.equal("closed", err.kind)
      await.stepUntil(function() return events.started == true and #wire "^Register" == 2 end)
      assert.same({ "started", "callbackAdded", "callbackAdded", "interrupted", "started" },
        { table.unpack(events) })
      await.stepUntil(function()
        sender:broadcast("again", "other"):await(LIMIT)
        return #heard > 1
      end)
      assert.same({ "again", "cb2" }, { heard[2][1], heard[2][2].callback })
      assert.equal("open", channel.state)
    end)

    it("and ends when the server refuses to open it again", function()
      local finish
      local channel = new()
      channel:callback("cb1", function()
        return datasession.newPromise(function(resolve) finish = resolve end)
      end)
      assert(channel:register():await(LIMIT))
      newSession():channel { serverChannel = "chat" }:notify("client1", "cb1", 1):fail(function() end)
      await.stepUntil(function() return finish end)
      server:advanceClock(31)
      server:fault { kind = "status", status = 501, path = "ConsumeClientChannel/chat" }
      finish(true)
      assert.equal(501, awaitEvent "disconnected".httpStatus)
      assert.equal("closed", channel.state)
    end)

    it("by taking back a channel that an opening with a lost response left", function()
      server:fault { kind = "truncate", path = "ConsumeClientChannel/chat" }
      local channel = new()
      channel:callback("cb1", hears())
      await.rejected(channel:register())
      assert.equal("closed", channel.state)
      assert(channel:register():await(LIMIT))
      assert.same({
        "GET ConsumeClientChannel/chat/client1/cb1//tok//",
        "GET ConsumeClientChannel/chat/client1/cb1//tok//",
        "GET CloseClientChannel/client1/tok/",
        "GET ConsumeClientChannel/chat/client1/cb1//tok//",
      }, { table.unpack(wire(), 1, 4) })
    end)
  end)

  describe("says what it is when", function()
    it("another request takes its place", function()
      local channel = open()
      local other = session:invoke("DSAdmin", "ConsumeClientChannel", { "", "client1", "", "", "", true },
        { verb = "POST" })
      local err = awaitEvent "disconnected"
      assert.equal("refused", err.kind)
      assert.matches("took the place", err.message)
      assert.equal("closed", channel.state)
      other:fail(function() end):cancel()
    end)

    it("its id is taken", function()
      open()
      local other = newSession():channel { serverChannel = "chat", id = "CLIENT1" }
      other:callback("cb1", hears())
      local err = await.rejected(other:register(), "refused")
      assert.matches("a channel of that id is open already", err.message)
    end)

    it("a queue is full, or no channel is open", function()
      local sender = session:channel { serverChannel = "chat" }
      await.rejected(sender:broadcast(1), "refused")
      server:setDataSnap { channelQueueSize = 1 }
      local channel = open(datasession.newPromise(function() end))
      assert(sender:broadcast(1):await(LIMIT))
      awaitHeard(1)
      assert(sender:broadcast(2):await(LIMIT))
      local err = await.rejected(sender:broadcast(3), "refused")
      assert.equal("no channel is open, or the queue of one is full", err.hint)
      assert(channel:close():await(LIMIT))
    end)

    it("the session has expired", function()
      open()
      server:fault { kind = "status", status = 403, body = '{"SessionExpired":"gone"}',
        contentType = "application/json", path = "ConsumeClientChannel//" }
      server:resetChannels()
      local err = awaitEvent "disconnected"
      assert.equal("expired", err.kind)
      assert.equal("expired", session.state)
    end)

    it("the session is another one by now", function()
      local channel = open()
      session:disconnect():await(LIMIT)
      server:resetChannels()
      local err = awaitEvent "disconnected"
      assert.equal("expired", err.kind)
      assert.equal(1, #wire "^ConsumeClientChannel//")
      assert.equal("closed", channel.state)
    end)

    it("the server has no channels", function()
      server:setDataSnap { slim = true }
      local channel = new()
      channel:callback("cb1", hears())
      local err = await.rejected(channel:register(), "http")
      assert.matches("This server has no callback channels", err.message)
      assert.equal("servers with the slim REST component have no callback channels", err.hint)
    end)

    it("something else answers", function()
      server:fault { kind = "status", status = 200, body = '{"result":[true]}',
        contentType = "application/json", path = "ConsumeClientChannel" }
      local channel = new()
      channel:callback("cb1", hears())
      await.rejected(channel:register(), "protocol")
      channel = open(nil, "client2")
      server:fault { kind = "status", status = 401, path = "ConsumeClientChannel//" }
      server:resetChannels()
      local err = awaitEvent "disconnected"
      assert.equal(401, err.httpStatus)
      assert.equal("closed", channel.state)
    end)

    it("the server refuses a callback", function()
      local channel = open()
      channel:callback("cb2", hears())
      for _, path in ipairs { "RegisterClient", "UnregisterClient" } do
        server:fault { kind = "status", status = 200, body = '{"result":[false]}',
          contentType = "application/json", path = path }
      end
      await.rejected(channel:register(), "refused")
      assert(channel:unregister "cb2":await(LIMIT))
      await.rejected(channel:unregister "cb1", "refused")
      assert.equal("open", channel.state)
      server:fault { kind = "status", status = 500, path = "UnregisterClient" }
      await.rejected(channel:unregister "cb1", "http")
      assert.equal("open", channel.state)
    end)
  end)

  describe("beside other calls", function()
    it("has a connection of its own, and no limit of time", function()
      session = newSession { timeout = 0.2, stallTimeout = 0.2 }
      datasession.setLimits { hostConnections = 1 }
      finally(function() datasession.setLimits { hostConnections = 64 } end)
      local channel = open()
      for _ = 1, 3 do assert(session:invoke("TEcho", "Count"):await(LIMIT)) end
      datasession.sleep(0.4)
      assert(channel:broadcast "after the timeout":await(LIMIT))
      awaitHeard(1)
      assert.same({ "started", "callbackAdded" }, { table.unpack(events) })
    end)

    it("stays open as long as pings keep the session alive", function()
      session.pingInterval = "20ms"
      server:setDataSnap { timeout = 10000 }
      open()
      for _ = 1, 4 do
        local n = #server:requests()
        await.stepUntil(function() return #server:requests() > n end)
        server:advanceClock(4)
      end
      session.pingInterval = 0
      await.stepUntil(function() return events.disconnected == nil and #server:requests() > 0 end)
      assert.same({ "started", "callbackAdded" }, { table.unpack(events) })
      server:advanceClock(20)
      awaitEvent "disconnected"
    end)
  end)

  describe("ends", function()
    for name, finish in pairs {
      logout = function(_, one) return one:logout() end,
      invalidate = function(_, one) return one:invalidate() end,
      closeSession = function(_, one) return one:closeSession() end,
    } do
      it("with the session, by " .. name, function()
        local channel = open()
        hasWaiting(1)
        assert(finish(channel, session):await(LIMIT))
        awaitEvent "disconnected"
        assert.equal("closed", channel.state)
        await.settle()
      end)
    end

    it("by its closeSession, which closes the session", function()
      local channel = open()
      assert(channel:closeSession():await(LIMIT))
      await.settle()
      assert.same({ "started", "callbackAdded", "stopped" }, { table.unpack(events) })
      assert.equal("closed", channel.state)
      assert.is_nil(session.sessionId)
    end)

    it("at the end of its block", function()
      do
        local channel <close> = open()
        assert.equal("open", channel.state)
      end
      assert.equal("GET CloseClientChannel/client1/tok/", wire()[#wire()])
      assert.equal("stopped", events[#events])
    end)

    it("when the program has forgotten it, without a request", function()
      local gone = setmetatable({}, { __mode = "k" })
      do
        local channel = session:channel { serverChannel = "chat" }
        channel:callback("cb1", function() return channel.id end)
        channel:subscribe("stopped", function() return channel.id end)
        assert(channel:register():await(LIMIT))
        gone[channel] = true
      end
      hasWaiting(1)
      local n = #server:requests()
      await.stepUntil(function()
        collectgarbage()
        return next(gone) == nil
      end)
      await.settle()
      assert.equal(n, #server:requests())
    end)

    it("here, too, when the server does not answer", function()
      local channel = open()
      server:fault { kind = "reset", path = "CloseClientChannel" }
      await.rejected(channel:close(), "connect")
      assert.equal("closed", channel.state)
      assert.equal("stopped", events[#events])
    end)

    it("after its opening when it is closed at once", function()
      local channel = new()
      channel:callback("cb1", hears()):callback("cb2", hears())
      local register, unregister = channel:register "cb1", channel:unregister "cb1"
      local close = channel:close()
      assert(register:await(LIMIT) == channel)
      assert(unregister:await(LIMIT) and close:await(LIMIT))
      local again = channel:register "cb2"
      close = channel:close()
      local third = channel:register "cb2"
      assert(again:await(LIMIT) and close:await(LIMIT) and third:await(LIMIT))
      assert.equal("open", channel.state)
    end)
  end)

  it("raises for mistakes, at the program's line", function()
    local function raises(text, f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.matches(text, message, 1, true)
      assert.matches("^spec/protocol/datasnap/channel_spec.lua:%d+: ", message)
    end
    raises("expected a table of options, got nil", function() session:channel() end)
    raises("option 'serverChannel': expected a text, got nil", function() session:channel {} end)
    raises("option 'id': expected a text, got an empty one",
      function() session:channel { serverChannel = "a", id = "" } end)
    raises("did you mean 'token'", function() session:channel { serverChannel = "a", tokn = "" } end)
    raises("option 'answerTimeout': expected a number of seconds above 0, got 0",
      function() session:channel { serverChannel = "a", answerTimeout = 0 } end)
    local channel = new()
    raises("call callback first", function() channel:register() end)
    raises("callback: id: expected a text, got number", function() channel:callback(7, hears()) end)
    raises("callback: expected a function, got nil", function() channel:callback("a") end)
    raises("expected a text or an array of texts, got boolean",
      function() channel:callback("a", hears(), true) end)
    raises("names: expected a text, got number", function() channel:callback("a", hears(), { 1 }) end)
    channel:callback("one", hears())
    raises("the channel has a callback 'ONE'", function() channel:callback("ONE", hears()) end)
    raises("unknown callback 'ona': did you mean 'one'", function() channel:register "ona" end)
    raises("unregister: id: expected a text", function() channel:unregister() end)
    raises("broadcast: serverChannel: expected a text, got number", function() channel:broadcast(1, 2) end)
    raises("did you mean 'timeout'", function() channel:broadcast(1, nil, { timeuot = 1 }) end)
    raises("expected a table of options, got number", function() channel:broadcast(1, nil, 1) end)
    raises("broadcastObject: ", function() channel:broadcastObject(0 / 0) end)
    raises("notify: channelId: expected a text, got nil", function() channel:notify() end)
    raises("notifyObject: callbackId: expected a text", function() channel:notifyObject("a") end)
    raises("notify: option 'timeout': expected a number of seconds, 0 or more, got -1",
      function() channel:notify(channel.id, "one", 1, { timeout = -1 }) end)
    raises("did you mean 'stopped'", function() channel:subscribe("stoped", hears()) end)
    raises("event: expected the name of an event, got nil", function() channel:unsubscribe() end)
    raises("handler: expected a function", function() channel:subscribe "stopped" end)
    raises("scope: expected a table or userdata", function() channel:subscribe("stopped", hears(), 1) end)
    raises("unknown event 'x'", function() channel:unsubscribeAll "x" end)
    raises("a channel has no field 'clos': did you mean 'close'", function() return channel.clos end)
    raises("channel.id is read-only", function() channel.id = "x" end)
    raises("a channel has no field 'x'", function() channel.x = 1 end)
    raises("call it with ':' instead of '.'", function() channel.close() end)
    assert.equal("datasession.channel: chat, closed", tostring(channel))
    assert.is_true(channel.session == session and channel.serverChannel == "chat")
    local plain = datasession.new { serviceURI = server.uris.anonymous }
    assert.error_matches(function() plain:channel {} end, "no field 'channel'")
  end)
end)

describe("examples/chat.lua", function()
  it("lets two clients talk", function()
    local result = child.run 'dofile "examples/chat.lua"'
    assert.equal(0, result.code, result.output)
    for _, line in ipairs { "bob hears ann: Is anybody here?", "ann hears bob: I am.",
      "bob hears ann whispers: Lunch at one?", "Ann whispers to bob: heard.",
      "the message was not answered" } do
      assert.matches(line, result.output, 1, true)
    end
    assert.matches("Both have left.\n$", result.output)
  end)

  it("lets a person talk to a server", function()
    local server <close> = assert(sandbox.start())
    local result = child.run([[
      local lines, i = { "hello", "@joe psst", "" }, 0
      io.lines = function() return function() i = i + 1 return lines[i] end end
      dofile "examples/chat.lua"]], server.uris.datasnap, "eve")
    assert.equal(0, result.code, result.output)
    assert.matches("You are eve.", result.output, 1, true)
    assert.matches("the message was not answered", result.output, 1, true)
    assert.equal(1, server:calls()["DSAdmin.BroadcastToChannel"])
    assert.equal(1, server:calls()["DSAdmin.CloseClientChannel"])
  end)
end)
