-- onRequest and onResponse: look on at every request of a session, or of all, and change header lines.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local logins = dofile "spec/support/logins.lua"
local secrets = dofile "spec/support/secrets.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local HOME = "static/home.html"

describe("onRequest and onResponse", function()
  local server, reports

  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)

  before_each(function()
    sessions.refresh(server)
    reports = {}
    datasession.onError(function(err) reports[#reports + 1] = tostring(err) end)
  end)

  after_each(function()
    datasession.onRequest(nil)
    datasession.onResponse(nil)
    sessions.endAll()
    server:clearRoutes()
    datasession.onError(nil)
    assert.same({}, reports)
  end)

  -- Options with functions that note what they get.
  local function noting(options)
    local seen = { requests = {}, responses = {}, statuses = {} }
    options = options or {}
    options.onRequest = function(request) table.insert(seen.requests, request) end
    options.onResponse = function(request, response)
      table.insert(seen.responses, request)
      table.insert(seen.statuses, response.status)
    end
    return seen, options
  end

  local function loggedIn(options, model)
    local session = sessions.loggedIn(server, model, options)
    server:clearRequests()
    return session
  end

  describe("of a session", function()
    it("are called for every request, in order, and get the same table", function()
      local seen, options = noting()
      local session = sessions.new(server, "form", options)
      assert(session:login("lua", "secret"):await(LIMIT))
      assert(session:isAuthorized():await(LIMIT))
      assert(session:ping():await(LIMIT))
      assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
      assert.is_nil(session:request({ method = "PUT", path = "nothing?x=1", body = "text" }):await(LIMIT))
      assert(session:logout():await(LIMIT))
      local verbs, requests = {}, server:requests()
      assert.equal(#requests, #seen.requests)
      assert.equal(#requests, #seen.responses)
      for i, request in ipairs(requests) do
        local one = seen.requests[i]
        verbs[i] = one.verb
        assert.equal(one, seen.responses[i])
        assert.equal(request.method, one.method)
        assert.equal(server.origin .. request.uri, one.uri)
        assert.equal(request.status, seen.statuses[i])
        assert.equal(session, one.session)
        assert.equal(1, one.attempt)
        assert.equal(#request.body, one.bodySize)
      end
      assert.same({ "login", "login", "isAuthorized", "ping", "addCatalog", "request", "logout" }, verbs)
      local put = seen.requests[6]
      assert.equal("text", put.body)
      assert.equal(("PUT %s/nothing (request)"):format(server.uris.form), tostring(put))
    end)

    it("show header lines, names in lower case, and can add, replace and remove them", function()
      local before
      local session = loggedIn { onRequest = function(request)
        before = before or request.verb == "request" and request.headers
        request.headers["X-Added"] = "new"
        request.headers["X-Number"] = 12
        request.headers["X-Empty"] = ""
        request.headers.accept = "text/html"
        request.headers.pragma = nil
        request.headers["Cache-Control"] = false
      end }
      assert(session:request({ path = HOME, headers = { ["X-Mine"] = "1", ["X-None"] = "" } }):await(LIMIT))
      assert.equal("1", before["x-mine"])
      assert.equal("", before["x-none"])
      local sent = server:requests()[1].headers
      assert.equal("new", sent["x-added"])
      assert.equal("12", sent["x-number"])
      assert.equal("", sent["x-empty"])
      assert.equal("text/html", sent.accept)
      assert.is_nil(sent.pragma)
      assert.is_nil(sent["cache-control"])
      assert(session:ping():await(LIMIT))
      assert.is_nil(server:requests()[2].headers["x-mine"]) -- the lines of one request alone were changed
    end)

    it("hide credentials, which a function may replace or remove", function()
      local shown = {}
      local function watch(value)
        return function(request)
          shown[#shown + 1] = request.headers.authorization
          if value ~= nil then request.headers.authorization = value end
        end
      end
      local basic = loggedIn(nil, "basic")
      basic.onRequest = watch()
      assert(basic:request({ path = HOME }):await(LIMIT))
      basic.onRequest = watch "Bearer mine"
      rejected(basic:request({ path = HOME }))
      basic.onRequest = watch(false)
      rejected(basic:request({ path = HOME }))
      local bearer = sessions.loggedIn(server, "bearer")
      bearer.onRequest = watch()
      assert(bearer:request({ path = HOME }):await(LIMIT))
      bearer.onRequest = watch(false)
      rejected(bearer:request({ path = HOME }))
      assert.same({ "***", "***", "***", "***", "***" }, shown)
      local sent = {}
      for i, request in ipairs(server:requests()) do sent[i] = request.headers.authorization or "none" end
      assert.same({ "Basic bHVhOnNlY3JldA==", "Bearer mine", "none", "Bearer letmein", "Bearer letmein",
        "none" }, sent)
    end)

    it("change what the session and the program read of the response", function()
      server:route("GET", "/SportsAnonymous/odd", function()
        return 200, { ["Content-Type"] = "text/plain", ["X-Twice"] = { "a", "b" }, ["X-Gone"] = "1" }, "x"
      end)
      local session = loggedIn { onResponse = function(request, response)
        if request.verb ~= "request" then return end
        assert.equal("a, b", response.headers["x-twice"])
        response.headers["x-twice"] = "one"
        response.headers["X-Gone"] = false
        response.headers["content-type"] = "application/json"
        response.headers["X-Count"] = 7
      end }
      local response = assert(session:request({ path = "odd" }):await(LIMIT))
      assert.equal("one", response.headers["x-twice"])
      assert.equal("7", response.headers["x-count"])
      assert.equal("application/json", response.headers["content-type"])
      assert.is_nil(response.headers["x-gone"])
      assert.equal("x", response.body)
      session.onResponse = function(_, answer) answer.headers["X-CLIENT-PROPS"] = '{"a":"b"}' end
      assert(session:request({ path = "odd" }):await(LIMIT))
      assert.equal("b", session:getContextProperty("a"))
      session.onResponse = function(_, answer) answer.headers["content-type"] = nil end
      assert.is_nil(session:request({ path = "odd" }):await(LIMIT).headers["content-type"])
    end)

    it("are called once when a body flows, before the program gets it", function()
      server:route("GET", "/SportsAnonymous/big", function(request) return 200, nil, request.bytes(6e5) end)
      local calls = {}
      local session = loggedIn()
      session.onResponse = function(_, response)
        calls[#calls + 1] = #response.body
        response.headers["x-seen"] = "yes"
      end
      local taken, first = 0, nil
      assert(session:request({ path = "big", saveTo = function(chunk, response)
        first = first or response.headers["x-seen"]
        taken = taken + #chunk
      end }):await(LIMIT))
      assert.same({ 0 }, calls)
      assert.equal("yes", first)
      assert.equal(600000, taken)
      session.onResponse = function() error "enough" end
      local function take() taken = taken + 1 end
      local err = rejected(session:request { path = "big", saveTo = take }, "error")
      assert.matches("enough", err.message)
      assert.equal(600000, taken)
    end)

    it("see the size of a body that a function gives, where the program says it", function()
      local session, seen = loggedIn(), {}
      session.onRequest = function(request) seen[#seen + 1] = { request.bodySize, request.body } end
      for _, length in ipairs { 3, false } do
        local given = false
        assert.is_nil(session:request({ method = "PUT", path = "put", bodyLength = length or nil,
          body = function()
            if given then return nil end
            given = true
            return "abc"
          end }):await(LIMIT))
      end
      assert.same({ { 3 }, {} }, seen)
    end)

    it("are called once for a request that is redirected, and for each that is sent again", function()
      local seen, options = noting()
      local session = loggedIn(options)
      server:route("GET", "/SportsAnonymous/from", function()
        return 302, { Location = "/SportsAnonymous/static/home.html" }
      end)
      local before = #seen.requests
      assert(session:request({ path = "from" }):await(LIMIT))
      assert.equal(before + 1, #seen.requests)
      assert.equal(before + 1, #seen.responses)
      assert.equal(200, seen.statuses[before + 1])
      assert.equal(2, #server:requests())
      assert.equal("GET", seen.requests[before + 1].method)
    end)

    it("see the attempts of a call", function()
      local seen, options = noting { reconnect = { delay = 0.01 }, keepCredentials = true }
      local session = sessions.loggedIn(server, "form", options)
      server:expireSessions "form"
      assert(session:request({ path = HOME }):await(LIMIT))
      local attempts = {}
      for _, request in ipairs(seen.requests) do
        attempts[#attempts + 1] = request.verb .. " " .. request.attempt
      end
      assert.same({ "login 1", "login 1", "request 1", "reconnect 1", "reconnect 1", "request 2" }, attempts)
      assert.equal(401, seen.statuses[3])
    end)

    it("are not called for a response that did not come", function()
      local seen, options = noting()
      local session = loggedIn(options)
      local before = #seen.responses
      server:fault { kind = "close" }
      rejected(session:request { method = "POST", path = HOME })
      assert.equal(before + 1, #seen.requests)
      assert.equal(before, #seen.responses)
    end)

    it("can be set, replaced and taken away at any time", function()
      local calls = 0
      local function count() calls = calls + 1 end
      local session = loggedIn()
      assert.is_nil(session.onRequest)
      session.onRequest, session.onResponse = count, count
      assert.equal(count, session.onRequest)
      assert.equal(count, session.onResponse)
      assert(session:ping():await(LIMIT))
      session.onRequest = nil
      assert(session:ping():await(LIMIT))
      session.onResponse = nil
      assert(session:ping():await(LIMIT))
      assert.equal(3, calls)
      assert.is_nil(session.onResponse)
    end)

    it("do not see the requests of other sessions, which may share catalogs still", function()
      local seen, options = noting()
      loggedIn(options)
      local before = #seen.requests
      for i = 1, 3 do
        local session = loggedIn(i == 3 and { onResponse = function() end } or nil)
        assert(session:addCatalog(server.catalogURIs.anonymous):await(LIMIT))
        assert.equal(i == 2 and 304 or 200, server:requests()[1].status)
      end
      assert.equal(before, #seen.requests)
    end)
  end)

  describe("of all sessions", function()
    it("come first for requests and last for responses, and are given back", function()
      local order = {}
      local function note(name) return function() order[#order + 1] = name end end
      local all = note "all request"
      assert.is_nil(datasession.onRequest(all))
      assert.is_nil(datasession.onResponse(note "all response"))
      local session = sessions.new(server, "anonymous",
        { onRequest = note "own request", onResponse = note "own response" })
      assert(session:login():await(LIMIT))
      assert.same({ "all request", "own request", "own response", "all response" }, order)
      assert.equal(all, datasession.onRequest(nil))
      assert.is_function(datasession.onResponse())
      session.onRequest, session.onResponse = nil, nil
      assert(session:ping():await(LIMIT))
      assert.equal(4, #order)
    end)

    it("see an AuthenticationProvider's requests too, and a request that is sent with a new token", function()
      local seen, options = noting()
      datasession.onRequest(options.onRequest)
      datasession.onResponse(options.onResponse)
      local provider = datasession.AuthenticationProvider { uri = server.uris.form_sso,
        authenticationModel = "form_sso" }
      assert(provider:login("lua", "secret"):await(LIMIT))
      local session = sessions.new(server, "SSO", { authProvider = provider, authenticationModel = "sso" })
      assert.equal(provider, seen.requests[1].provider)
      assert.is_nil(seen.requests[1].session)
      server:expireTokens()
      assert(session:isAuthorized():await(LIMIT))
      local verbs = {}
      for i, request in ipairs(seen.requests) do
        verbs[i] = request.verb .. " " .. seen.statuses[i]
        assert.equal(request, seen.responses[i])
      end
      assert.same({ "login 200", "isAuthorized 401", "refresh 200", "isAuthorized 200" }, verbs)
    end)
  end)

  describe("of every system", function()
    local PASSWORD = "Wrong-Horse-7"

    for name, login in pairs(logins) do
      it("show no secret of " .. name, function()
        local own <close> = assert(sandbox.start { users = { ada = PASSWORD }, bearerTokens = { "letmein" } })
        local shown = {}
        datasession.onRequest(function(request) shown[#shown + 1] = request end)
        datasession.onResponse(function(_, response)
          shown[#shown + 1] = { response, response.headers, response.body, response.uri, response.timings }
        end)
        local session = assert(login(own, "ada", PASSWORD):await(LIMIT))
        if name ~= "form_sso" then assert(session:ping():await(LIMIT)) end
        if name ~= "sso" then assert(session:logout():await(LIMIT)) end
        local list = secrets.of(own, PASSWORD)
        assert.is_true(#shown > 0 and #shown % 2 == 0)
        assert.is_true(#list > (name == "anonymous" and 0 or 1))
        assert.is_nil((secrets.find(list, shown)))
      end)
    end
  end)

  describe("that raise", function()
    it("reject the call, which sends nothing", function()
      local session = loggedIn()
      session.onRequest = function(request) error("not " .. request.verb) end
      local err = rejected(session:request({ path = HOME }), "error")
      assert.matches("observer_spec.lua:%d+: not request$", err.message)
      assert.equal(session, err.session)
      assert.matches("traceback", err.traceback)
      assert.matches("not ping$", rejected(session:ping(), "error").message)
      assert.same({}, server:requests())
      assert.equal("connected", session.state)
      session.onRequest = function() error { code = 7 } end
      assert.equal(7, rejected(session:request({ path = HOME })).code)
      datasession.onRequest(function() error "not at all" end)
      local fresh = sessions.new(server, "basic")
      assert.matches("not at all$", rejected(fresh:login("lua", "secret"), "error").message)
      assert.equal("logged out", fresh.state)
      assert.matches("not at all$", rejected(fresh:addCatalog(server.catalogURIs.basic)).message)
      local provider = datasession.AuthenticationProvider { uri = server.uris.form,
        authenticationModel = "form" }
      assert.matches("not at all$", rejected(provider:login("lua", "secret"), "error").message)
      assert.same({}, server:requests())
    end)

    it("reject the call whose response they saw, which the session has taken note of", function()
      local session = sessions.new(server, "form")
      session.onResponse = function(_, response) error("status " .. response.status) end
      local err = rejected(session:login("lua", "secret"), "error")
      assert.matches("status 200$", err.message)
      assert.equal("connected", session.state)
      assert.matches("status 404$", rejected(session:request { path = "nothing" }, "error").message)
      server:expireSessions "form"
      assert.matches("status 401$", rejected(session:ping(), "error").message)
      assert.equal("expired", session.state)
      session.onResponse = nil
      assert(session:logout():await(LIMIT))
    end)

    it("count for one attempt alone", function()
      local retrying = sessions.loggedIn(server, "anonymous", { retry = { delay = 0 } })
      server:fault { kind = "status", status = 503 }
      retrying.onResponse = function(request, response)
        if response.status == 503 then error "no" end
        assert.equal(2, request.attempt)
      end
      assert(retrying:request({ path = HOME }):await(LIMIT))
      local session = sessions.loggedIn(server, "form",
        { reconnect = { delay = 0.01 }, keepCredentials = true })
      server:expireSessions "form"
      session.onResponse = function(_, response)
        if response.status == 401 then error "no" end
      end
      assert(session:request({ path = HOME }):await(LIMIT))
    end)

    it("are told what cannot be a header line", function()
      local session = loggedIn()
      for message, change in pairs {
        ["^onRequest: 'Content%-Length' is computed from the body, leave it out$"] =
          function(headers) headers["Content-Length"] = "1" end,
        ["^onRequest: 'a b' is not a header name$"] = function(headers) headers["a b"] = "1" end,
        ["is not a header name$"] = function(headers) headers["a\0b"] = "1" end,
        ["^onRequest: the value of 'x' holds a line break or NUL$"] =
          function(headers) headers.x = "1\r\n" end,
        ["^onRequest: headers%['x'%]: expected a string, got table$"] = function(headers) headers.x = {} end,
        ["^onRequest: headers%['n'%]: expected a string, got number$"] =
          function(headers) headers.n = 0 / 0 end,
        ["^onRequest: a header's name is a string, got number$"] = function(headers) headers[1] = "x" end,
        ["^onRequest: headers: expected a table, got string$"] = "none",
      } do
        session.onRequest = function(request)
          if change == "none" then request.headers = change else change(request.headers) end
        end
        assert.matches(message, rejected(session:request({ path = HOME }), "error").message)
      end
      assert.same({}, server:requests())
      session.onRequest = nil
      session.onResponse = function(_, response) response.headers.x = "1\r\n" end
      assert.matches("^onResponse: the value of 'x' holds", rejected(session:ping(), "error").message)
      session.onResponse = function(_, response) response.headers["x y"] = "1" end
      assert.matches("^onResponse: 'x y' is not a header name", rejected(session:ping(), "error").message)
    end)

    it("must not wait, and may start what goes on later", function()
      local session = loggedIn()
      local other = sessions.loggedIn(server, "anonymous")
      for _, wait in ipairs { function() other:ping():await() end, function() datasession.step() end,
        function() datasession.run(0.01) end, function() datasession.sleep(0.01) end } do
        session.onRequest, session.onResponse = wait, nil
        assert.matches("onRequest and onResponse must not wait$", rejected(session:ping(), "error").message)
        session.onRequest, session.onResponse = nil, wait
        assert.matches("onRequest and onResponse must not wait$", rejected(session:ping(), "error").message)
      end
      session.onRequest, session.onResponse = function() datasession.sleep(0.01) end, nil
      local message = rejected(session:ping(), "error").message
      assert.matches("^[^:]*observer_spec.lua:%d+: datasession: onRequest", message)
      session.onRequest, session.onResponse = coroutine.yield, nil
      assert.matches("attempt to yield", rejected(session:ping(), "error").message)
      local later
      session.onRequest = function() later = other:ping() end
      assert(session:ping():await(LIMIT))
      assert(later:await(LIMIT))
    end)

    it("may end the call", function()
      local session = loggedIn()
      local promise
      session.onResponse = function() promise:cancel() end
      promise = session:request({ path = HOME })
      rejected(promise, "cancelled")
      session.onRequest, session.onResponse = function() session:invalidate() end, nil
      rejected(session:request({ path = HOME }), "closed")
      assert.equal("invalid", session.state)
    end)
  end)

  it("raise unless they are functions", function()
    for _, name in ipairs { "onRequest", "onResponse" } do
      assert.error_matches(function() sessions.new(server, "anonymous", { [name] = 1 }) end,
        "option '" .. name .. "': expected a function, got number")
      local session = sessions.new(server)
      assert.error_matches(function() session[name] = "f" end,
        "session." .. name .. ": expected a function or nil, got string")
      assert.error_matches(function() datasession[name] "f" end, "function expected, got string")
    end
  end)
end)
