-- Sessions with a PROIV connection servlet, over real sockets: connecting, being asked how they stand, being
-- stopped, ended and lost, and with functions of one's own in place of the wire.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local core = require "datasession.core"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected

describe("a PROIV session", function()
  local server

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    server:expireSessions()
    server:setAppServer(true)
    server:setProiv { stop = "end", polls = 1, sessionKey = false, finished = false, lossAs = 404 }
  end)

  after_each(function()
    if not server:isRunning() then assert(server:start()) end
    sessions.endAll()
    collectgarbage()
  end)

  local function details(changes)
    local data = {
      sessionType = "TELNET_SESSION", hostname = "vm.example", port = "9023", username = "lua",
      password = "secret",
    }
    for name, value in pairs(changes or {}) do data[name] = value or nil end
    return data
  end

  local function new(options)
    local all = { protocol = "proiv", serviceURI = server.origin, pollInterval = 0.01 }
    for name, value in pairs(options or {}) do all[name] = value end
    return datasession.new(all)
  end

  local function running(options)
    local session = new(options)
    assert(session:login():await(LIMIT))
    server:clearRequests()
    return session
  end

  -- Each request as its method and ACTION, or SESSION_NAME.
  local function asked()
    local list = {}
    for i, request in ipairs(server:requests()) do
      list[i] = ("%s %s"):format(request.method,
        request.body:match "^ACTION=(%u+)" or request.query.SESSION_NAME)
    end
    return list
  end

  local function listen(session)
    local events = {}
    for _, name in ipairs { "online", "offline", "expired", "lost", "statusChanged", "reconnecting" } do
      session:subscribe(name, function(_, value)
        events[#events + 1] = name .. (value and name ~= "lost" and " " .. value or "")
      end)
    end
    return events
  end

  local function cookie(session)
    server:clearRequests()
    assert(session:ping():await(LIMIT))
    return server:requests()[1].headers.cookie
  end

  describe("connects", function()
    it("by the documented URL of a service", function()
      local session = new { connectionData = { service = "Orders" }, userAgent = "spec/1" }
      assert.is_nil(session.status)
      local events = listen(session)
      assert.equal(session, session:login():await(LIMIT))
      local sent = server:requests()[1]
      assert.equal("GET", sent.method)
      assert.equal("/connect", sent.path)
      assert.same({ SESSION_NAME = "Orders" }, sent.query)
      assert.equal("spec/1", sent.headers["user-agent"])
      assert.equal("running", session.status)
      assert.equal("connected", session.state)
      assert.equal("proiv", session.protocol)
      assert.same({ "statusChanged starting", "online", "statusChanged running" }, events)
    end)

    it("anew after a first try that failed", function()
      local session = new()
      server:stop()
      rejected(session:login(), "connect")
      assert(server:start())
      assert(session:login():await(LIMIT))
      assert(session:ping():await(LIMIT))
      assert.equal("running", session.status)
    end)

    it("with what login is given as texts alone", function()
      local session = new { connectionData = details() }
      assert.error_matches(function() session:login(1, "secret") end, "a user name expected, got number")
      assert.error_matches(function() session:login("lua", {}) end, "a password expected, got table")
    end)

    it("to the service Default unless it is told another", function()
      for _, data in ipairs { {}, { service = "Default" } } do
        running { connectionData = data }
      end
      assert(new():login():await(LIMIT))
      assert.same({ "GET Default" }, asked())
      assert.same({ service = "Default" }, new():connectionData())
    end)

    it("at an address relative to serviceURI", function()
      for uri, path in pairs {
        ["/connect"] = "/connect", ["/other/connect"] = "/other/connect", connect = "/App/connect",
        [server.origin .. "/a"] = "/a", ["/c?x=1"] = "/c",
      } do
        server:clearRequests()
        local session = new { serviceURI = server.origin .. "/App", URI = uri,
          connectionData = { service = "a&b" } }
        session:login():await(LIMIT)
        local sent = server:requests()[1]
        assert.equal(path, sent.path)
        assert.equal("a&b", sent.query.SESSION_NAME)
        assert.equal(uri:match "x=(1)", sent.query.x)
      end
      server:clearRequests()
      assert(new({ serviceURI = server.origin .. "/App" }):login():await(LIMIT))
      assert.equal("/connect", server:requests()[1].path)
    end)

    it("with the details of the connection by POST, in which alone the password is", function()
      local session = new { connectionData = details { port = 9023 } }
      assert(session:login():await(LIMIT))
      local sent = server:requests()[1]
      assert.equal("POST", sent.method)
      assert.same({}, sent.query)
      assert.equal("application/x-www-form-urlencoded", sent.headers["content-type"])
      assert.equal("SessionType=TELNET_SESSION&Hostname=vm.example&Port=9023&Username=lua&Password=secret",
        sent.body)
      assert.equal("lua", session.userName)
    end)

    it("with a command and resources if there are such, encoded", function()
      local session = new {
        connectionData = details {
          sessionType = "TELNET_LOGIN_SESSION", command = "./run proiv.sh", resourceURL = "/i&j",
          username = false,
        },
      }
      rejected(session:login(), "http")
      assert.equal("SessionType=TELNET_LOGIN_SESSION&Hostname=vm.example&Port=9023" ..
        "&Username=&Password=secret&Command=.%2Frun%20proiv.sh&ResourceURL=%2Fi%26j",
        server:requests()[1].body)
    end)

    it("with the details by GET only if the caller insists", function()
      assert(new({ connectionData = details(), explicitByGet = true }):login():await(LIMIT))
      local sent = server:requests()[1]
      assert.equal("GET", sent.method)
      assert.same({ SessionType = "TELNET_SESSION", Hostname = "vm.example", Port = "9023", Username = "lua",
        Password = "secret" }, sent.query)
    end)

    it("as who login is told, before who the details say", function()
      local session = new { connectionData = details { username = "nobody", password = "wrong" } }
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.equal("lua", session.userName)
      assert(new({ connectionData = { service = "Default" } }):login("lua", "secret"):await(LIMIT))
    end)

    it("and forgets the password then, which no message ever holds", function()
      local session = new { connectionData = details { password = "Wrong-Horse" } }
      assert.equal("Wrong-Horse", session:connectionData().password)
      local err = rejected(session:login(), "auth")
      assert.is_nil((tostring(err) .. err.message .. tostring(session)):find("Horse", 1, true))
      session = running { connectionData = details() }
      local data = details { password = false }
      assert.same(data, session:connectionData())
      assert(session:logout():await(LIMIT))
      assert.has_error(function() session:login() end)
      assert(session:login(nil, "secret"):await(LIMIT))
    end)

    it("not, and says why", function()
      local function fails(kind, options, hint)
        local session = new(options)
        local events = listen(session)
        local err = rejected(session:login(), kind)
        assert.equal("failed", session.status)
        assert.equal("logged out", session.state)
        assert.same({ "statusChanged starting", "statusChanged failed" }, events)
        assert.matches(hint, err.message)
        return err
      end
      fails("offline", { connectionData = { service = "Disabled" } }, "HTTP 404 .* no such service")
      fails("auth", { connectionData = details { password = "wrong" } },
        "HTTP 401 .* refused the credentials")
      server:setAppServer(false)
      assert.is_true(fails("offline", nil, "HTTP 503").retryable)
      server:setAppServer(true)
      for body, kind in pairs { ['{"state":"refused"}'] = "refused", ['{"state":"lost"}'] = "protocol",
        ['{"state":"ended"}'] = "protocol", ['{"state":"odd"}'] = "protocol",
        [' \n{"state":"refused"}'] = "refused" } do
        server:fault { kind = "status", status = 200, body = body }
        fails(kind, nil, "HTTP 200")
      end
      server:fault { kind = "status", status = 409 }
      fails("refused", nil, "HTTP 409")
      server:stop()
      fails("connect", nil, "the connection failed")
    end)

    it("when the answer is a page, as the vendor's older client gets one", function()
      for _, answer in ipairs { { 200, "<html>screen</html>" }, { 204, nil }, { 200, "[]" },
        { 200, '{"state":7}' } } do
        server:fault { kind = "status", status = answer[1], body = answer[2] }
        running()
      end
    end)

    it("once, though a kept connection proves dead", function()
      for _, data in ipairs { { service = "Orders" }, details() } do
        running() -- leaves a connection
        server:fault { kind = "close" }
        rejected(new({ connectionData = data }):login(), "connect")
        assert.equal(1, #server:requests())
      end
    end)

    it("as failed when the login is cancelled", function()
      server:fault { kind = "slow", delay = 5 }
      local session = new()
      local events = listen(session)
      local login = session:login()
      login:cancel()
      rejected(login, "cancelled")
      datasession.step()
      assert.equal("failed", session.status)
      assert.same({ "statusChanged starting", "statusChanged failed" }, events)
    end)
  end)

  it("refuses options that cannot be meant", function()
    local function refuse(message, options)
      local ok, err = pcall(new, options)
      assert.is_false(ok, message)
      assert.matches(message, err)
      assert.is_nil(err:find "secret")
    end
    refuse("got both 'service' and 'hostname'", { connectionData = { service = "a", hostname = "b" } })
    refuse("both 'service' and 'password'", { connectionData = { service = "a", password = "secret" } })
    refuse("did you mean 'hostname'", { connectionData = { hostnam = "b" } })
    refuse("'port': expected a number", { connectionData = details { port = false } })
    for _, port in ipairs { "0", "65536", "x", "", "-1", "1.5" } do
      refuse("'port': expected a number", { connectionData = details { port = port } })
    end
    refuse("expected 'service', or 'hostname'", { connectionData = { port = "1" } })
    refuse("'sessionType': expected \"TELNET_SESSION\"", { connectionData = details { sessionType = "SSH" } })
    refuse("'username': expected a string, got number", { connectionData = details { username = 1 } })
    refuse("NUL", { connectionData = details { password = "secret\0" } })
    refuse("'service': expected a string that is not empty", { connectionData = { service = "" } })
    refuse("'connectionData': expected a table", { connectionData = "Default" })
    refuse("'sessionNodeID'", { sessionNodeID = "" })
    refuse("serviceURI's own server", { URI = "http://elsewhere.example/connect" })
    refuse("'URI': the URI is not http", { URI = "ftp://elsewhere.example/connect" })
    refuse("cannot be re%-established", { reconnect = true })
    refuse("cannot be stored", { name = "mine" })
    refuse("'keepCredentials'", { keepCredentials = true })
    refuse("'transport': unknown option 'conect': did you mean 'connect'", { transport = { conect = print } })
    refuse("'transport': field 'poll': expected a function, got string", { transport = { poll = "x" } })
    refuse("'transport': expected a table", { transport = print })
    refuse("'pollInterval'", { pollInterval = 0 })
    refuse("'endTimeout'", { endTimeout = 0 })
    refuse("'explicitByGet'", { explicitByGet = 1 })
  end)

  it("has a key of its own, which it says with each request, and a slot's name", function()
    local left, right = running { sessionNodeID = "left" }, running()
    assert.equal("left", left:sessionNodeID())
    assert.is_nil(right:sessionNodeID())
    assert.not_equal(left.key, right.key)
    assert.matches("^proiv%-%x+$", left.key)
    assert(left:ping():await(LIMIT))
    assert.equal("ACTION=POLL&SESSION_KEY=" .. left.key, server:requests()[1].body)
  end)

  it("says the key that the server gave, and tells it nobody", function()
    server:setProiv { sessionKey = true }
    local session = running()
    assert(session:ping():await(LIMIT))
    local key = server:requests()[1].body:match "SESSION_KEY=(.*)$"
    assert.not_equal(session.key, key)
    assert.is_nil(session.sessionId)
    assert(session:stop(LIMIT):await(LIMIT))
  end)

  it("has cookies of its own", function()
    local left, right = running(), running()
    local mine, its = cookie(left), cookie(right)
    assert.matches("^JSESSIONID=", mine)
    assert.not_equal(mine, its)
    assert(left:logout():await(LIMIT))
    assert(right:ping():await(LIMIT))
    assert.equal(1, server:sessionCount "proiv")
  end)

  it("has another key once it is begun again, and the old one is nobody's", function()
    local session = running()
    local key, mine = session.key, cookie(session)
    assert(session:logout():await(LIMIT))
    assert(session:login():await(LIMIT))
    assert.not_equal(key, session.key)
    assert.not_equal(mine, cookie(session))
    assert.is_nil(core.sessionOf(key))
    assert.equal(session, core.sessionOf(session.key))
  end)

  describe("is asked how it stands", function()
    it("by ping and isAuthorized", function()
      local session = running()
      assert.equal(true, select(2, assert(session:ping():await(LIMIT))))
      assert(session:isAuthorized():await(LIMIT))
      assert.same({ "POST POLL", "POST POLL" }, asked())
    end)

    it("and goes on through a passing trouble of the server's", function()
      local session = running()
      local events = listen(session)
      server:setAppServer(false)
      local err = rejected(session:ping(), "offline")
      assert.is_true(err.retryable)
      assert.equal("running", session.status)
      server:setAppServer(true)
      assert(session:ping():await(LIMIT))
      assert.same({ "offline AppServer is not available", "online" }, events)
    end)

    it("and is not lost by an answer that makes no sense", function()
      local session = running()
      for _, fault in ipairs { { kind = "status", status = 400 },
        { kind = "raw", body = "not HTTP at all" },
        { kind = "status", status = 200, body = '{"state":"odd"}' } } do
        server:fault(fault)
        assert.is_nil((session:ping():await(LIMIT)))
        assert.equal("running", session.status)
      end
      server:fault { kind = "status", status = 409 }
      assert(session:ping():await(LIMIT))
    end)

    it("by itself every pingInterval", function()
      local session = running { pingInterval = 10 }
      server:setProiv { finished = true }
      local over = false
      session:subscribe("statusChanged", function(_, status) over = status end)
      while not over do datasession.step(0.1) end
      assert.equal("ended", over)
      server:clearRequests()
      assert.is_true(datasession.run(LIMIT)) -- no timer is left
      assert.same({}, asked())
    end)
  end)

  describe("is over", function()
    local function assertOver(session, status)
      assert.equal(status, session.status)
      assert.is_false(session.connected)
      server:clearRequests()
      assert.is_nil((session:ping():await(LIMIT)))
      assert.is_nil((session:isAuthorized():await(LIMIT)))
      session:logout():await(LIMIT)
      assert.is_true(datasession.run(LIMIT))
      assert.same({}, asked()) -- nothing is sent for it, above all no connect
      assert.equal(status, session.status)
    end

    it("when the server has lost it, in whatever words", function()
      for _, word in ipairs { 401, 403, 404, 410, "lost" } do
        server:setProiv { lossAs = word }
        local session = running()
        local events = listen(session)
        server:expireSessions "proiv"
        local err = rejected(session:ping(), "expired")
        assert.matches("lost the session", err.message)
        assert.same({ "lost", "offline Session has expired", "statusChanged lost" }, events)
        assertOver(session, "lost")
      end
    end)

    it("when the line is", function()
      local session = running()
      local events = listen(session)
      server:stop()
      local err = rejected(session:ping(), "connect")
      assert.is_false(err.retryable)
      assert.same({ "lost", "offline Cannot contact server", "statusChanged lost" }, events)
      assert(server:start())
      assertOver(session, "lost")
    end)

    it("when its program has come to its end", function()
      local session = running()
      server:setProiv { finished = true }
      assert.matches("program has ended", rejected(session:ping(), "expired").message)
      assertOver(session, "ended")
    end)

    it("and is not lost by a request of the program's that fails", function()
      local session = running()
      rejected(session:request { path = "/connect/none" }, "http")
      server:fault { kind = "status", status = 401 }
      rejected(session:request { path = "/connect" }, "http")
      assert.equal("running", session.status)
      assert(session:request({ path = "/connect", method = "POST",
        body = "ACTION=POLL&SESSION_KEY=x" }):await(LIMIT))
    end)
  end)

  describe("is stopped", function()
    it("when PROIV allows it", function()
      local session = running()
      local events = listen(session)
      server:setProiv { polls = 3 }
      local promise = session:stop(LIMIT)
      assert.equal("stopping", session.status)
      local value, result, info = promise:await(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.is_nil(info.note)
      assert.equal("ended", session.status)
      assert.equal("logged out", session.state)
      assert.same({ "POST STOP", "POST POLL", "POST POLL", "POST POLL" }, asked())
      assert.same({ "statusChanged stopping", "statusChanged ended" }, events)
      assert.equal(0, server:sessionCount "proiv")
    end)

    it("by the answer to STOP itself", function()
      server:setProiv { polls = 0 }
      assert(running():stop(0):await(LIMIT))
      assert.same({ "POST STOP" }, asked())
    end)

    it("not when PROIV refuses, and goes on", function()
      for how, requests in pairs { refuse = 1, refuseLater = 2 } do
        local session = running()
        server:setProiv { stop = how }
        local err = rejected(session:stop(LIMIT), "refused")
        assert.matches("^stop: HTTP %d+ from .* PROIV does not allow", err.message)
        assert.equal(requests, #asked())
        assert.equal("running", session.status)
        assert.equal("connected", session.state)
        assert(session:ping():await(LIMIT))
        server:setProiv { stop = "end" }
        assert(session:stop(LIMIT):await(LIMIT))
      end
    end)

    it("not when time is up, and goes on", function()
      local session = running()
      server:setProiv { stop = "hang" }
      local err = rejected(session:stop(0.1), "timeout")
      assert.matches("^stop: .* did not end in time", err.message)
      assert.equal("POST STOP", asked()[1])
      assert.equal("POST POLL", asked()[2])
      assert.equal("running", session.status)
      local polls = #asked()
      assert.is_true(datasession.run(LIMIT))
      assert.equal(polls, #asked()) -- no more of them
      assert(session:ping():await(LIMIT))
    end)

    it("is asked once with a time of 0", function()
      local session = running()
      rejected(session:stop(0), "timeout")
      assert.same({ "POST STOP" }, asked())
      assert.equal("running", session.status)
    end)

    it("without another question when the host steps again only after its time", function()
      local polls = 0
      local session = running {
        pollInterval = 60,
        transport = {
          requestStop = function() return true end,
          poll = function()
            polls = polls + 1
            return "ended"
          end,
        },
      }
      local promise = session:stop(0.4)
      await.flush()
      os.execute "sleep 0.5" -- the host does not step
      rejected(promise, "timeout")
      assert.equal(0, polls)
      assert.equal("running", session.status)
    end)

    it("is polled in time though the interval is longer", function()
      local session = running { pollInterval = 60 }
      assert(session:stop(0.2):await(LIMIT))
      assert.same({ "POST STOP", "POST POLL" }, asked())
    end)

    it("and is not lost by a question from before, whose answer comes late", function()
      local settle
      local answers = { datasession.promise(function(resolve) settle = resolve end), "lost" }
      local session = running {
        transport = {
          requestStop = function() return true end,
          poll = function()
            local answer = table.remove(answers, 1)
            return type(answer) == "string" and answer or answer:await()
          end,
        },
      }
      local events = listen(session)
      local ping = session:ping()
      local promise = session:stop(LIMIT)
      settle "ended"
      rejected(ping, "expired")
      local _, _, info = assert(promise:await(LIMIT))
      assert.is_nil(info.note)
      assert.same({ "statusChanged stopping", "statusChanged ended" }, events)
    end)

    it("within its time though the server does not answer", function()
      local session = running()
      server:fault { kind = "slow", delay = 2 }
      rejected(session:stop(0.05), "timeout")
      assert.equal("running", session.status)
    end)

    it("through passing troubles of the server's", function()
      local session = running()
      server:fault { kind = "status", status = 503, count = 2 }
      assert(session:stop(LIMIT):await(LIMIT))
      assert.same({ "POST STOP", "POST STOP", "POST STOP", "POST POLL" }, asked())
      session = running()
      server:setAppServer(false)
      rejected(session:stop(0.05), "timeout")
      assert.equal("running", session.status)
    end)

    it("also when it is lost meanwhile, with a note", function()
      local session = running()
      local events = listen(session)
      server:setProiv { stop = "hang" }
      local promise = session:stop(LIMIT)
      while #asked() == 0 do datasession.step(0.1) end
      server:expireSessions "proiv"
      local value, _, info = promise:await(LIMIT)
      assert.equal(session, value)
      assert.equal("lost", info.note)
      assert.equal("lost", session.status)
      assert.same({ "statusChanged stopping", "lost", "offline Session has expired", "statusChanged lost" },
        events)
      session = running()
      server:stop()
      assert.equal("lost", select(3, assert(session:stop(LIMIT):await(LIMIT))).note)
    end)

    it("not when the answer makes no sense", function()
      local session = running()
      server:fault { kind = "status", status = 400 }
      assert.matches("^stop: HTTP 400", rejected(session:stop(LIMIT), "http").message)
      assert.equal("running", session.status)
    end)

    it("once at a time, and is not asked anything meanwhile", function()
      local session = running()
      server:setProiv { stop = "hang" }
      local first = session:stop(LIMIT)
      rejected(session:stop(LIMIT), "closed")
      rejected(session:ping(), "closed")
      first:cancel()
      rejected(first, "cancelled")
      assert.equal("running", session.status)
    end)

    it("no more once it was ended", function()
      for _, finish in ipairs { "logout", "invalidate", "disconnect" } do
        local session = running()
        server:setProiv { stop = "hang" }
        local stop = session:stop(LIMIT)
        while #asked() < 2 do datasession.step(0.1) end
        session[finish](session)
        assert.equal("ended", session.status)
        rejected(stop, "closed")
        assert.is_true(datasession.run(LIMIT))
        local list = asked()
        local last = finish == "disconnect" and "POST POLL" or "POST END"
        assert.equal(last, list[#list])
        assert.equal("ended", session.status)
      end
    end)

    it("at once when it is not running", function()
      local session = new()
      assert(session:stop(LIMIT):await(LIMIT))
      assert.same({}, asked())
    end)
  end)

  describe("is ended", function()
    it("at once, by END", function()
      local session = running()
      local promise = session:logout()
      assert.equal("ended", session.status)
      assert(promise:await(LIMIT))
      assert.same({ "POST END" }, asked())
      assert.equal(0, server:sessionCount "proiv")
    end)

    it("whatever the server says, or does not say", function()
      for _, fault in ipairs { { kind = "status", status = 500 }, { kind = "status", status = 404 },
        { kind = "reset" },
        { kind = "slow", delay = 60 } } do
        server:clearFaults()
        local session = running { endTimeout = 0.1 }
        server:fault(fault)
        assert(session:logout():await(LIMIT))
      end
      local session = running()
      server:stop()
      assert(session:invalidate():await(LIMIT))
      assert.equal("ended", session.status)
    end)

    it("for good by endSession, which waits for nothing", function()
      local session = running()
      core.endSession(session)
      assert.equal("ended", session.status)
      assert.equal("invalid", session.state)
      assert.is_true(datasession.run(LIMIT))
      assert.same({ "POST END" }, asked())
    end)
  end)

  describe("with a transport of the program's", function()
    local calls

    -- A transport that answers what `answers` has for each function, and notes who was called.
    local function transport(answers)
      calls = {}
      local functions = {}
      for name, answer in pairs(answers) do
        functions[name] = function(session, seconds)
          calls[#calls + 1] = name
          assert(session.protocol == "proiv")
          if type(answer) == "function" then return answer(session, seconds) end
          return answer
        end
      end
      return functions
    end

    it("sends nothing of its own", function()
      local polls = { "running", "stopping", "ended" }
      local seconds = {}
      local session = running {
        connectionData = details(),
        transport = transport {
          connect = function(session)
            assert.equal("secret", session:connectionData().password)
            assert.equal("starting", session.status)
            return true
          end,
          requestStop = function(_, left)
            seconds[#seconds + 1] = left
            return true
          end,
          poll = function() return table.remove(polls, 1) end,
        },
      }
      assert(session:ping():await(LIMIT))
      assert(session:stop(LIMIT):await(LIMIT))
      assert.same({ "connect", "poll", "requestStop", "poll", "poll" }, calls)
      assert.is_true(seconds[1] > 0 and seconds[1] <= LIMIT)
      assert.equal("ended", session.status)
      assert.same({}, server:requests())
    end)

    it("may await, and make requests while the session is stopped or ended", function()
      local function send(what)
        return function(session)
          local response = assert(session:transportRequest {
            path = "/connect", method = "POST", body = ("ACTION=%s&SESSION_KEY=%s"):format(what, session.key),
          }:await())
          return what == "STOP" or response:json().state
        end
      end
      for _, finish in ipairs { "stop", "logout", "invalidate" } do
        local session = running {
          transport = transport { requestStop = send "STOP", poll = send "POLL", endNow = send "END" },
        }
        assert(session:ping():await(LIMIT))
        assert(session[finish](session, finish == "stop" and LIMIT or nil):await(LIMIT))
        assert.is_true(datasession.run(LIMIT))
        assert.equal(finish == "stop" and 3 or 2, #asked())
        assert.equal(0, server:sessionCount "proiv")
      end
    end)

    it("keeps the defaults for what it leaves out", function()
      local session = running { transport = transport { endNow = function() error "no matter" end } }
      assert(session:ping():await(LIMIT))
      assert(session:logout():await(LIMIT))
      assert.same({ "endNow" }, calls)
      assert.same({ "POST POLL" }, asked())
    end)

    it("gives the key for the wire beside true", function()
      local session = running { transport = transport { connect = function() return true, "wire-key" end } }
      session:ping():await(LIMIT)
      assert.equal("ACTION=POLL&SESSION_KEY=wire-key", server:requests()[1].body)
    end)

    it("says why there is no session", function()
      local function fails(kind, message, connect)
        local session = new { transport = transport { connect = connect } }
        assert.matches(message, rejected(session:login(), kind).message)
        assert.equal("failed", session.status)
      end
      fails("error", "no licence", function() return nil, "no licence" end)
      fails("auth", "who", function() return nil, { kind = "auth", message = "who are you" } end)
      fails("error", "a mistake", function() error("a mistake") end)
      fails("error", "function refused", function() return false end)
      fails("protocol", "is lost", function() return "lost" end)
      fails("error", "returned odd", function() return "odd" end)
      server:stop()
      fails("connect", "the connection failed", function(session)
        return session:transportRequest({ path = "/x" }):await()
      end)
    end)

    it("takes no reading of an answer that is no state, which is told to onError", function()
      local errors, word = {}, nil
      datasession.onError(function(err) errors[#errors + 1] = tostring(err) end)
      local session = running { transport = { classify = function() return word end } }
      for _, wrong in ipairs { "odd", 1, {} } do
        word = wrong
        rejected(session:ping(), "protocol")
        assert.matches("expected a state or nil, got ", table.remove(errors), 1, true)
      end
      datasession.onError(nil)
      assert.same({}, errors)
      assert.equal("running", session.status)
    end)

    it("tells how the session stands", function()
      local answer
      local session = running { transport = transport { poll = function() return answer end,
        connect = true } }
      for _, word in ipairs { "running", "stopping", "refused" } do
        answer = word
        assert(session:ping():await(LIMIT))
      end
      answer = nil
      rejected(session:ping(), "error")
      answer = {}
      rejected(session:ping(), "error")
      assert.equal("running", session.status)
      answer = "ended"
      rejected(session:ping(), "expired")
      assert.equal("ended", session.status)
      session = running { transport = transport { connect = true, poll = "lost" } }
      rejected(session:ping(), "expired")
      assert.equal("lost", session.status)
      session = running { transport = transport {
        connect = true, poll = function() return nil, { kind = "dns", message = "gone" } end } }
      rejected(session:ping(), "dns")
      assert.equal("lost", session.status)
    end)

    it("tells what becomes of a stop", function()
      local function fails(kind, answers)
        answers.connect = true
        local session = running { transport = transport(answers) }
        rejected(session:stop(0.05), kind)
        assert.equal("running", session.status)
      end
      fails("refused", { requestStop = "refused" })
      fails("refused", { requestStop = true, poll = "refused" })
      fails("timeout", { requestStop = true, poll = "stopping" })
      fails("error", { requestStop = function() return nil, "not delivered" end })
      local left = false
      fails("timeout", { requestStop = function()
        closing(setmetatable({}, { __close = function() left = true end }), function()
          datasession.promise(function() end):await()
        end)
      end })
      assert.is_true(left) -- its coroutine is closed
      local session = running { transport = transport { connect = true, requestStop = true, poll = "lost" } }
      assert.equal("lost", select(3, assert(session:stop(LIMIT):await(LIMIT))).note)
    end)

    it("reads answers by classify, where it has a word", function()
      local seen
      local reader = {
        classify = function(status, headers, body)
          seen = { status, headers["content-type"], body }
          if body == "BUSY" then return "refused" end
          if body == "GONE" then return "lost" end
        end,
      }
      local session = running { transport = reader }
      server:fault { kind = "status", status = 500, body = "BUSY", contentType = "text/x" }
      rejected(session:stop(LIMIT), "refused")
      assert.same({ 500, "text/x", "BUSY" }, seen)
      assert(session:ping():await(LIMIT)) -- no word: as without it
      server:fault { kind = "status", status = 200, body = "GONE" }
      rejected(session:ping(), "expired")
      assert.equal("lost", session.status)
      server:fault { kind = "status", status = 200, body = "GONE" }
      rejected(new({ transport = reader }):login(), "protocol")
    end)

    it("reports what classify raises, and is not lost by it", function()
      local errors = {}
      local before = datasession.onError(function(err) errors[#errors + 1] = err end)
      local bad = false
      local session = running { transport = { classify = function() return bad and error(bad) or nil end } }
      bad = "a mistake"
      rejected(session:ping(), "protocol")
      datasession.onError(before)
      assert.matches("a mistake", errors[1])
      assert.equal("running", session.status)
      bad = false
    end)
  end)
end)
