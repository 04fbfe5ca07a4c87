-- sso sessions: tokens of a token server, on the same host or another, and how they are refreshed.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local child = dofile "spec/support/child.lua"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected

for _, place in ipairs { "the same host", "another host" } do
  describe("an sso session with a token server on " .. place, function()
    local server, auth

    before_each(function()
      server = assert(sandbox.start { tokenSecret = "shared", tokenLifetime = 1000 })
      auth = server
      if place == "another host" then
        auth = assert(sandbox.start { tokenSecret = "shared", tokenLifetime = 1000 })
      end
    end)

    after_each(function()
      support.finish()
      server:close()
      auth:close()
    end)

    local function loggedIn(options)
      local provider = support.loggedIn(auth, "form_sso", options)
      local session = support.session(server, provider)
      assert(session:isAuthorized():await(LIMIT))
      auth:clearRequests()
      server:clearRequests()
      return session, provider
    end

    local function expire()
      server:expireTokens()
      auth:expireTokens()
    end

    local TOKEN = "/SportsAuth/static/auth/token$"

    it("does all that a session does", function()
      local session = loggedIn()
      assert.is_true(session.connected)
      assert(session:ping():await(LIMIT))
      assert(session:addCatalog(server.catalogURIs.sso):await(LIMIT))
      assert(session:request { path = "rest/CustomerService/Customer" }:await(LIMIT))
      for _, request in ipairs(server:requests()) do
        assert.matches("^oecp %g+$", request.headers.authorization)
      end
      assert.equal(0, auth:tokenRefreshes())
    end)

    it("gives a body piece by piece, also when the token had to be refreshed first", function()
      local session = loggedIn()
      expire()
      local pieces = {}
      assert(session:request({ path = "rest/CustomerService/Customer", saveTo = function(piece)
        pieces[#pieces + 1] = piece
      end }):await(LIMIT))
      assert.equal(1, auth:tokenRefreshes())
      assert.equal(session:request({ path = "rest/CustomerService/Customer" }):await(LIMIT).body,
        table.concat(pieces))
    end)

    it("logs in and out through its provider alone", function()
      local session, provider = loggedIn()
      for _, verb in ipairs { "login", "logout" } do
        local err = rejected(session[verb](session, "lua", "secret"))
        assert.equal(datasession.GENERAL_FAILURE, err.result)
        assert.matches("AuthenticationProvider", err.message)
      end
      assert.is_true(session.connected)
      local value, result = session:invalidate():await(LIMIT)
      assert.equal(session, value)
      assert.equal(datasession.SUCCESS, result)
      assert.is_true(provider:hasClientCredentials())
      assert.same({}, server:requests())
      assert(support.session(server, provider):isAuthorized():await(LIMIT))
      assert(datasession.invalidateAllSessions { all = true }:await(LIMIT))
    end)

    it("refreshes its token before three quarters of its life are over, and not after", function()
      auth:setTokenAnswer { expires_in = 1e-9 }
      local provider = support.loggedIn(auth, "form_sso")
      auth:setTokenAnswer(nil)
      local session = support.session(server, provider)
      assert(session:isAuthorized():await(LIMIT))
      assert.equal(1, auth:tokenRefreshes())
      assert(session:ping():await(LIMIT))
      assert.equal(1, auth:tokenRefreshes())
    end)

    it("refreshes an expired token once for all who wait, and sends each request once more", function()
      local session, provider = loggedIn()
      local other = support.session(server, provider)
      expire()
      auth:fault { kind = "slow", delay = 0.1, path = TOKEN }
      local promises = { session:isAuthorized(), session:ping(), other:isAuthorized(),
        session:addCatalog { server.catalogURIs.sso, server.uris.sso .. "/static/CustomerService.json?2" },
        session:request { method = "PUT", path = "rest/CustomerService/nothing", body = "x" } }
      for i = 1, 3 do
        assert(promises[i]:await(LIMIT))
      end
      promises[4]:await(LIMIT)
      assert.equal(404, rejected(promises[5]).httpStatus)
      assert.equal(1, auth:tokenRefreshes())
      assert.equal(1, support.count(auth, TOKEN))
      assert.equal(2 * 6, #server:requests() - support.count(server, TOKEN))
      assert.is_true(session.connected)
      local puts = {}
      for _, request in ipairs(server:requests()) do
        if request.method == "PUT" then puts[#puts + 1] = request.body end
      end
      assert.same({ "x", "x" }, puts)
    end)

    it("waits for a refresh that is under way", function()
      local session, provider = loggedIn()
      auth:fault { kind = "slow", delay = 0.1, path = TOKEN }
      local refresh = provider:refresh()
      assert.equal(refresh, provider:refresh())
      local ping = session:ping()
      assert(ping:await(LIMIT))
      assert.equal(1, auth:tokenRefreshes())
      assert.equal(1, support.count(server, "_oeping$"))
      assert.equal(provider, refresh:await(LIMIT))
    end)

    it("sends a request once more and no further, when the new token has expired too", function()
      local session = loggedIn()
      local events = support.listen(session)
      server:fault { kind = "status", status = 401, body = '{"error":"sso.token.expired_token"}', count = 0,
        contentType = "application/json", path = "home.html$" }
      local err = rejected(session:isAuthorized())
      assert.equal(datasession.EXPIRED_TOKEN, err.result)
      assert.equal(2, support.count(server, "home.html$"))
      assert.equal(1, auth:tokenRefreshes())
      datasession.run(LIMIT)
      assert.same({ "Session has expired" }, events)
    end)

    it("is neither online nor offline before anybody was asked", function()
      local provider = support.loggedIn(auth, "form_sso")
      local session = support.session(server, provider)
      assert.same({ "unconfirmed", false, 1 }, { session.state, session.connected, session.loginResult })
      rejected(session:request { path = "none" }) -- a 404 tells nothing of it
      assert.equal("unconfirmed", session.state)
      server:stop()
      rejected(session:ping())
      assert.equal("offline", session.state)
      assert(server:start())
      if auth ~= server then assert.is_true(auth:isRunning()) end
      assert(session:isAuthorized():await(LIMIT))
      assert.equal("connected", session.state)
    end)

    it("tells its own server's last answer, also when its provider was logged out, and how it comes back",
      function()
      local session, provider = loggedIn()
      local lost = {}
      session:subscribe("lost", function(_, message) lost[#lost + 1] = message end)
      assert(provider:logout():await(LIMIT))
      assert.same({ "expired", 200 }, { session.state, session.loginHttpStatus })
      for _, call in ipairs { "isAuthorized", "ping", "request", "addCatalog" } do
        local argument = call == "addCatalog" and server.catalogURIs.sso or
          { path = "rest/CustomerService/Customer" }
        local err = rejected(session[call](session, argument), "expired")
        assert.equal("log the AuthenticationProvider in again", err.hint)
        assert.equal(401, session.loginHttpStatus)
      end
      assert.same({ "the AuthenticationProvider was logged out" }, lost)
      assert(provider:login("lua", "secret"):await(LIMIT))
      assert(session:isAuthorized():await(LIMIT))
      assert.equal("connected", session.state)
      auth:revokeTokens()
      server:revokeTokens()
      local err = rejected(session:isAuthorized(), "expired")
      assert.equal("log the AuthenticationProvider in again", err.hint)
      assert.is_nil(err.message:find("AuthenticationProvider", 1, true))
    end)

    it("refreshes a token that lives for no time before each request", function()
      for _, life in ipairs { 0, -5 } do
        auth:setTokenAnswer { expires_in = life }
        local session = support.session(server, support.loggedIn(auth, "form_sso"))
        local before = auth:tokenRefreshes()
        assert(session:isAuthorized():await(LIMIT))
        assert(session:ping():await(LIMIT))
        assert.equal(before + 2, auth:tokenRefreshes())
      end
      auth:setTokenAnswer { expires_in = false } -- not said
      local session = support.session(server, support.loggedIn(auth, "form_sso"))
      local before = auth:tokenRefreshes()
      assert(session:isAuthorized():await(LIMIT))
      assert.equal(before, auth:tokenRefreshes())
    end)

    it("cannot be told to call login, once it was disconnected", function()
      local session = loggedIn()
      assert(session:disconnect():await(LIMIT))
      assert.matches("make another with an AuthenticationProvider", rejected(session:ping()).message)
    end)

    it("has expired when the refresh is refused, and so have all who go by its provider", function()
      local session, provider = loggedIn()
      local other = support.session(server, provider)
      assert(other:isAuthorized():await(LIMIT))
      local events = { support.listen(session), support.listen(other) }
      server:revokeTokens()
      auth:revokeTokens()
      local promises = { session:ping(), session:isAuthorized(), session:addCatalog(server.catalogURIs.sso) }
      for _, promise in ipairs(promises) do
        local err = rejected(promise)
        assert.equal("expired", err.kind)
        if promise ~= promises[1] then
          assert.equal(datasession.EXPIRED_TOKEN, err.result)
        else
          assert.is_false(err.result) -- a ping's, whichever of the two answers comes first
        end
      end
      assert.is_false(provider:hasClientCredentials())
      assert.equal("expired", session.state)
      assert.equal(401, session.loginHttpStatus)
      datasession.run(LIMIT)
      assert.same({ { "Session has expired" }, { "Session has expired" } }, events)
      assert.equal(1, support.count(auth, TOKEN))
    end)

    local passing = {
      { "fails at it", { kind = "status", status = 500 } }, { "breaks off", { kind = "reset", count = 0 } },
      { "answers nonsense", { kind = "malformed" } }, { "answers with a page", { kind = "html" } },
      { "takes too long", { kind = "slow", delay = 60 }, { timeout = 1 } },
    }
    for _, case in ipairs(passing) do
      it("goes on with the old token when the token server " .. case[1], function()
        local session, provider = loggedIn(case[3])
        case[2].path = TOKEN
        auth:fault(case[2])
        local refresh = provider:refresh()
        local ping = session:ping()
        assert.is_not_nil(rejected(refresh).kind)
        assert(ping:await(LIMIT))
        assert.is_true(provider:hasClientCredentials())
        assert.is_true(session.connected)
        auth:clearFaults()
        assert(provider:refresh():await(LIMIT))
      end)

      it("does not count as expired when the token has, and the token server " .. case[1], function()
        local session, provider = loggedIn(case[3])
        local events = support.listen(session)
        case[2].path = TOKEN
        auth:fault(case[2])
        expire()
        local err = rejected(session:isAuthorized())
        assert.equal(datasession.EXPIRED_TOKEN, err.result)
        assert.is_true(err.retryable)
        assert.is_true(session.connected)
        assert.is_true(provider:hasRefreshToken())
        assert.equal(2, support.count(server, "home.html$"))
        auth:clearFaults()
        assert(session:isAuthorized():await(LIMIT))
        datasession.run(LIMIT)
        assert.same({}, events)
      end)
    end

    -- A session with a call that waits for a refresh, which does not come.
    local function waiting()
      local session, provider = loggedIn()
      auth:fault { kind = "slow", delay = 60, path = TOKEN }
      local refresh = provider:refresh()
      local ping, catalog = session:ping(),
        session:addCatalog { server.catalogURIs.sso, server.uris.sso .. "/x" }
      support.stepUntil(auth, 1)
      return session, provider, refresh, { ping, catalog }
    end

    it("waits no longer when the refresh is cancelled", function()
      local _, provider, refresh, calls = waiting()
      refresh:cancel()
      assert.equal("cancelled", rejected(refresh).kind)
      assert(calls[1]:await(LIMIT))
      assert.is_true(provider:hasClientCredentials())
    end)

    it("waits no longer when its provider is logged out, which takes no late answer", function()
      local _, provider, refresh, calls = waiting()
      provider:logout()
      for _, call in ipairs(calls) do
        assert.equal("expired", rejected(call).kind)
      end
      assert.equal("cancelled", rejected(refresh).kind)
      assert.is_false(provider:hasClientCredentials())
      assert.equal(0, support.count(server, "_oeping$"))
    end)

    it("waits no longer when it is invalidated", function()
      local session, _, refresh, calls = waiting()
      assert(session:invalidate():await(LIMIT))
      for _, call in ipairs(calls) do
        assert.equal("closed", rejected(call).kind)
      end
      refresh:cancel()
      assert.equal(0, support.count(server, "_oeping$"))
    end)

    it("sends nothing that waited when it was disconnected", function()
      local session, _, refresh, calls = waiting()
      assert(session:disconnect():await(LIMIT))
      refresh:cancel()
      for _, call in ipairs(calls) do
        assert.equal("cancelled", rejected(call).kind)
      end
      assert.equal(0, support.count(server, "_oeping$"))
    end)

    it("forgets a call that is cancelled while it waits", function()
      local _, _, refresh, calls = waiting()
      for _, call in ipairs(calls) do
        call:cancel()
        assert.equal("cancelled", rejected(call).kind)
      end
      refresh:cancel()
      assert.equal("cancelled", rejected(refresh).kind)
      assert.equal(0, support.count(server, "_oeping$"))
    end)

    it("refreshes nothing by itself when it is not to", function()
      local session, provider = loggedIn()
      provider.automaticTokenRefresh = false
      expire()
      assert.equal(datasession.EXPIRED_TOKEN, rejected(session:isAuthorized()).result)
      assert.equal(0, auth:tokenRefreshes())
      assert.equal("expired", session.state)
      assert(provider:refresh():await(LIMIT))
      assert(session:isAuthorized():await(LIMIT))
      assert.is_true(session.connected)
    end)

    it("keeps the refresh token when the answer names none, and drops it when that is empty", function()
      local _, provider = loggedIn()
      auth:setTokenAnswer { refresh_token = false }
      assert(provider:refresh():await(LIMIT))
      assert.is_true(provider:hasRefreshToken())
      auth:setTokenAnswer { refresh_token = "" }
      assert(provider:refresh():await(LIMIT))
      assert.is_false(provider:hasRefreshToken())
      assert.is_true(provider:hasClientCredentials())
    end)

    it("sends a request once more with a token that came meanwhile, though it was the last one", function()
      local session, provider = loggedIn()
      auth:setTokenAnswer { refresh_token = "" }
      expire()
      server:fault { kind = "slow", delay = 0.2, path = "home.html$" }
      local check = session:isAuthorized()
      support.stepUntil(server, 1)
      assert(provider:refresh():await(LIMIT))
      assert(check:await(LIMIT))
      assert.equal(1, auth:tokenRefreshes())
    end)

    it("sends a refresh token as JSON, whatever it holds", function()
      local odd = 'a"b\\c\n\1'
      local _, provider = loggedIn()
      auth:setTokenAnswer { refresh_token = odd }
      assert(provider:refresh():await(LIMIT))
      auth:clearRequests()
      rejected(provider:refresh())
      assert.equal(odd, require("cjson").decode(auth:requests()[1].body).refresh_token)
    end)

    it("shows no token in a message or a text", function()
      local session, provider = loggedIn()
      session:ping():await(LIMIT)
      local token = server:requests()[1].headers.authorization:match "oecp (.+)"
      server:fault { kind = "status", status = 403, path = "home.html$" }
      local texts = { tostring(provider), tostring(session), tostring(rejected(session:isAuthorized())) }
      server:revokeTokens()
      auth:revokeTokens()
      texts[4] = tostring(rejected(session:ping()))
      assert.equal(nil, table.concat(texts, "\n"):find(token, 1, true))
      local _, _, info = provider:login("lua", "secret"):await(LIMIT)
      assert.equal("", info.xhr.body)
    end)

    it("is gone with the state, whatever waits", function()
      local script = ([[
        io.stdout:setvbuf "line"
        local datasession = require "datasession"
        local held = setmetatable({}, { __gc = function(held) -- it outlives what it holds
          print((pcall(function() return held.provider:hasClientCredentials() end)), tostring(held.provider))
        end })
        local provider = datasession.AuthenticationProvider { uri = %q, authenticationModel = "form_sso" }
        assert(provider:login("lua", "secret"):await(20))
        local session = datasession.new {
          serviceURI = %q, authenticationModel = "sso", authProvider = provider,
        }
        held.provider = provider
        provider:refresh()
        session:ping()
        session:addCatalog(%q)
        datasession.step()
        os.exit(0, true)
      ]]):format(auth.uris.form_sso, server.uris.sso, server.catalogURIs.sso)
      assert.matches("^false\tdatasession.AuthenticationProvider: closed\n", child.output(script))
    end)
  end)
end
