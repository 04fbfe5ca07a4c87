-- AuthenticationProvider: logging in and out, what it holds, and the sessions that go by it.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected
local MODELS = { "anonymous", "basic", "form", "form_sso", "bearer" }

describe("an AuthenticationProvider", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    server:setTokenAnswer(nil)
    server:expireSessions()
  end)

  after_each(support.finish)

  describe("is made", function()
    it("without a word to the server, and holds nothing yet", function()
      for _, model in ipairs(MODELS) do
        local provider = support.provider(server, model, { uri = server.uris[model] .. "/" })
        assert.equal(server.uris[model] .. "/", provider.uri)
        assert.equal(model, provider.authenticationModel)
        assert.is_true(provider.automaticTokenRefresh)
        assert.is_false(provider:hasClientCredentials())
        assert.is_false(provider:hasRefreshToken())
        assert.error_matches(function() return provider.ur1 end, "did you mean 'uri'?", 1, true)
        assert.matches("not logged in$", tostring(provider))
      end
      assert.same({}, server:requests())
    end)

    local mistakes = {
      { "no options", nil, "table expected" },
      { "no model", { uri = "http://h" }, "option 'authenticationModel': expected .*got nil" },
      { "a session's model", { uri = "http://h", authenticationModel = "sso" },
        "expected .*form_sso.*got 'sso'" },
      { "no uri", { authenticationModel = "basic" },
        "option 'uri': expected the URI of a web application, got nil" },
      { "an empty uri", { uri = "", authenticationModel = "basic" }, "option 'uri': .*an empty string" },
      { "a uri that is none", { uri = "x", authenticationModel = "basic" }, "option 'uri': the URI " },
      { "a misspelled option", { url = "http://h", authenticationModel = "basic" }, "unknown option 'url'" },
      { "a flag that is none", { uri = "http://h", authenticationModel = "form_sso",
        automaticTokenRefresh = 1 },
        "option 'automaticTokenRefresh': expected a boolean" },
    }
    for _, mistake in ipairs(mistakes) do
      it("but not with " .. mistake[1], function()
        assert.error_matches(function() datasession.AuthenticationProvider(mistake[2]) end, mistake[3])
      end)
    end

    it("with properties that cannot be assigned, but for automaticTokenRefresh", function()
      local provider = support.provider(server, "form_sso")
      assert.error_matches(function() provider.uri = "x" end, "provider.uri is read%-only")
      assert.error_matches(function() provider.authenticationModel = "x" end, "is read%-only")
      assert.error_matches(function() provider.other = 1 end, "has no property 'other'")
      assert.error_matches(function() provider.automaticTokenRefresh = 1 end,
        "expected a boolean, got number")
      provider.automaticTokenRefresh = false
      assert.is_false(provider.automaticTokenRefresh)
    end)
  end)

  describe("logs in", function()
    it("with one request, and then holds credentials", function()
      local sent = { form = "POST", form_sso = "POST" }
      for _, model in ipairs(MODELS) do
        server:clearRequests()
        local provider = support.provider(server, model)
        local value, result, info = provider:login(model == "bearer" and "letmein" or "lua",
          "secret"):await(LIMIT)
        assert.equal(provider, value)
        assert.equal(datasession.SUCCESS, result)
        assert.equal(200, info.xhr.status)
        assert.is_true(provider:hasClientCredentials())
        assert.equal(model == "form_sso", provider:hasRefreshToken())
        assert.equal(1, #server:requests())
        assert.equal(sent[model] or "GET", server:requests()[1].method)
      end
    end)

    it("asking for tokens where the model has some, and passes on no part of the answer", function()
      local provider = support.provider(server, "form_sso")
      local _, _, info = assert(provider:login("lua", "secret"):await(LIMIT))
      assert.equal("yes", server:requests()[1].query.OECP)
      assert.equal("", info.xhr.body)
    end)

    it("but not with what is refused, and may try again", function()
      for _, model in ipairs { "basic", "form", "form_sso", "bearer" } do
        local provider = support.provider(server, model)
        local err = rejected(provider:login("x", "wrong"))
        assert.equal("auth", err.kind)
        assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
        assert.equal(provider, err.provider)
        assert.equal(err, err.info.errorObject)
        assert.equal(401, err.info.xhr.status)
        assert.not_matches("wrong", tostring(err))
        assert.is_false(provider:hasClientCredentials())
        assert(provider:login(model == "bearer" and "letmein" or "lua", "secret"):await(LIMIT))
      end
    end)

    it("but not twice, nor twice at a time", function()
      for _, model in ipairs(MODELS) do
        local provider = support.provider(server, model)
        local user = model == "bearer" and "letmein" or "lua"
        local first = provider:login(user, "secret")
        assert.matches("another login", rejected(provider:login(user, "secret")).message)
        assert(first:await(LIMIT))
        local err = rejected(provider:login(user, "secret"))
        assert.matches("logged in already", err.message)
        assert.equal(datasession.GENERAL_FAILURE, err.result)
        assert.is_true(provider:hasClientCredentials())
      end
      assert.equal(#MODELS, #server:requests())
    end)

    it("raising for arguments that cannot be sent", function()
      local calls = {
        { "basic", "user name expected" }, { "basic", "must not be empty", "", "x" },
        { "form", "password", "lua" },
        { "basic", "with ':'", "a:b", "x" }, { "bearer", "token", {} },
        { "bearer", "line breaks", "a\r\nX: y" },
        { "bearer", "NUL", "a\0b" }, { "bearer", "at most 1,000,000 bytes", ("a"):rep(1000001) },
        { "form_sso", "must not be empty", "lua", "" },
      }
      for _, call in ipairs(calls) do
        local provider = support.provider(server, call[1])
        assert.error_matches(function() provider:login(call[3], call[4]) end, call[2])
      end
      assert.same({}, server:requests())
    end)

    it("and fails for every answer that is not 200, saying why", function()
      local faults = {
        { { kind = "status", status = 500 }, "http" }, { { kind = "status", status = 204 }, "http" },
        { { kind = "reset", count = 0 }, "connect" }, { { kind = "loginPage" }, "auth" },
      }
      for _, model in ipairs(MODELS) do
        for _, fault in ipairs(faults) do
          server:fault(fault[1])
          local provider = support.provider(server, model)
          local err = rejected(provider:login(model == "bearer" and "letmein" or "lua", "secret"))
          assert.equal(fault[2], err.kind)
          assert.is_false(provider:hasClientCredentials())
          server:clearFaults()
        end
      end
    end)

    it("and fails for an answer without a usable token", function()
      local answers = { "", "[]", "{}", "{", '"x"',
        { access_token = "" }, { access_token = false }, { access_token = 7 },
        { access_token = "a\r\nX-Evil: 1" }, { access_token = "a\nb" }, { access_token = "a\0b" } }
      for _, answer in ipairs(answers) do
        server:setTokenAnswer(answer)
        local provider = support.provider(server, "form_sso")
        local err = rejected(provider:login("lua", "secret"))
        assert.equal("protocol", err.kind)
        assert.equal(datasession.GENERAL_FAILURE, err.result)
        assert.is_false(provider:hasClientCredentials())
        assert.not_matches("Evil", err.message)
      end
    end)

    it("where no refresh token is given, too", function()
      for _, none in ipairs { false, "" } do
        server:setTokenAnswer { refresh_token = none }
        local provider = support.loggedIn(server, "form_sso")
        assert.is_true(provider:hasClientCredentials())
        assert.is_false(provider:hasRefreshToken())
        assert.matches("there is no refresh token", rejected(provider:refresh()).message)
      end
    end)
  end)

  describe("logs out", function()
    it("telling the server where that has a session, and once", function()
      for _, model in ipairs(MODELS) do
        local provider = support.loggedIn(server, model)
        server:clearRequests()
        local value, result = provider:logout():await(LIMIT)
        assert.equal(provider, value)
        assert.equal(datasession.SUCCESS, result)
        assert.is_false(provider:hasClientCredentials())
        assert.is_false(provider:hasRefreshToken())
        assert(provider:logout():await(LIMIT))
        assert.equal((model == "form" or model == "form_sso") and 1 or 0, #server:requests())
      end
      assert.equal(0, server:sessionCount())
    end)

    it("also when the server fails at it, and says so; a 401 is none", function()
      for status, fine in pairs { [401] = true, [500] = false } do
        local provider = support.loggedIn(server, "form")
        server:fault { kind = "status", status = status, path = "logout$" }
        assert.equal(fine, provider:logout():await(LIMIT) ~= nil)
        assert.is_false(provider:hasClientCredentials())
      end
    end)

    it("ending a login that is under way", function()
      local provider = support.provider(server, "form")
      server:fault { kind = "slow", delay = 60 }
      local login = provider:login("lua", "secret")
      assert(provider:logout():await(LIMIT))
      assert.equal("cancelled", rejected(login).kind)
      assert.is_false(provider:hasClientCredentials())
    end)

    it("and every session that goes by it knows", function()
      for _, model in ipairs { "basic", "form", "form_sso", "bearer" } do
        local provider = support.loggedIn(server, model)
        local sessions, events = {}, {}
        for i = 1, 2 do
          sessions[i] = support.session(server, provider)
          assert(sessions[i]:isAuthorized():await(LIMIT))
          events[i] = support.listen(sessions[i])
        end
        assert(provider:logout():await(LIMIT))
        datasession.run(LIMIT)
        server:clearRequests()
        for i = 1, 2 do
          assert.same({ "Session has expired" }, events[i])
          assert.is_false(sessions[i].connected)
          assert.equal(2, sessions[i].loginResult)
          assert.equal(2, rejected(sessions[i]:isAuthorized()).result)
        end
        for _, request in ipairs(server:requests()) do
          assert.is_nil(request.headers.authorization)
          assert.is_nil(request.headers.cookie)
        end
      end
    end)
  end)

  describe("serves sessions", function()
    it("that count as logged in, and as connected once the server says so", function()
      for _, model in ipairs(MODELS) do
        local provider = support.loggedIn(server, model)
        server:clearRequests()
        local session = support.session(server, provider)
        assert.equal(provider, session.authProvider)
        assert.equal(datasession.SUCCESS, session.loginResult)
        assert.is_false(session.connected)
        assert.same({}, server:requests())
        local events = support.listen(session)
        assert(session:isAuthorized():await(LIMIT))
        assert.is_true(session.connected)
        assert.same({ "online" }, events)
        assert(session:ping():await(LIMIT))
      end
    end)

    it("of its own model alone, and when it is logged in", function()
      local provider = support.provider(server, "form")
      local function make(model)
        return datasession.new { serviceURI = server.uris.form, authenticationModel = model,
          authProvider = provider }
      end
      assert.error_matches(function() make "form" end, "not logged in")
      assert(provider:login("lua", "secret"):await(LIMIT))
      for _, model in ipairs { "basic", "sso", "anonymous" } do
        local message = "model is form, which does not fit a session of model " .. model
        assert.error_matches(function() make(model) end, message)
      end
    end)

    it("after it was dropped, as long as one of them lives", function()
      local session = support.session(server, support.loggedIn(server, "form_sso"))
      collectgarbage()
      collectgarbage()
      assert(session:isAuthorized():await(LIMIT))
      server:expireTokens()
      assert(session:ping():await(LIMIT))
      assert.is_true(session.authProvider:hasRefreshToken())
    end)

    it("and refresh the token although the request that was refused cannot be sent again", function()
      local session = support.session(server, support.loggedIn(server, "form_sso"))
      assert(session:isAuthorized():await(LIMIT))
      server:expireTokens()
      local left = 1
      local err = rejected(session:request { path = "static/home.html", body = function()
        left = left - 1
        return left >= 0 and "abc" or nil
      end })
      assert.equal("auth", err.kind)
      assert.matches("give it a function rewind", err.hint)
      assert.equal("connected", session.state)
      assert(session:ping():await(LIMIT))
    end)

    it("one of which logs out, and so does it, as the reference has it", function()
      local provider = support.loggedIn(server, "form")
      local one, other = support.session(server, provider), support.session(server, provider)
      assert(other:isAuthorized():await(LIMIT))
      local events = support.listen(other)
      server:clearRequests()
      assert(one:logout():await(LIMIT))
      assert.equal(1, support.count(server, "logout$"))
      assert.equal(0, server:sessionCount "form")
      assert.is_false(provider:hasClientCredentials())
      datasession.run(LIMIT)
      assert.same({ "Session has expired" }, events)
    end)

    it("one of which disconnects, and stays as it is", function()
      for _, model in ipairs { "basic", "form", "form_sso" } do
        local provider = support.loggedIn(server, model)
        local one, other = support.session(server, provider), support.session(server, provider)
        server:clearRequests()
        local value, result = one:disconnect():await(LIMIT)
        assert.equal(one, value)
        assert.equal(datasession.SUCCESS, result)
        assert.same({}, server:requests())
        assert.is_nil(one.authProvider)
        assert.equal("logged out", one.state)
        assert.is_true(provider:hasClientCredentials())
        assert(other:isAuthorized():await(LIMIT))
      end
    end)

    it("at another place than its own, and is told there when they log out", function()
      local elsewhere = assert(sandbox.start {})
      local provider = support.loggedIn(elsewhere, "basic")
      local session = support.session(server, provider)
      assert(session:isAuthorized():await(LIMIT))
      provider = support.loggedIn(elsewhere, "form")
      session = support.session(server, provider)
      elsewhere:clearRequests()
      assert(session:logout():await(LIMIT))
      assert.equal(1, support.count(elsewhere, "logout$"))
      assert.equal(0, elsewhere:sessionCount())
      elsewhere:close()
    end)
  end)

  it("of a session's own login is there while that lasts", function()
    local session = datasession.new { serviceURI = server.uris.form, authenticationModel = "form" }
    assert.is_nil(session.authProvider)
    rejected(session:login("lua", "wrong"))
    assert.is_nil(session.authProvider)
    assert(session:login("lua", "secret"):await(LIMIT))
    local provider = session.authProvider
    assert.equal(provider, session.authProvider)
    assert.equal("form", provider.authenticationModel)
    assert(session:logout():await(LIMIT))
    assert.is_nil(session.authProvider)
    assert.is_false(provider:hasClientCredentials())
  end)
end)
