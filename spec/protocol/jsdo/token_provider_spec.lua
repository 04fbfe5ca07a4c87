-- Bearer sessions whose token changes while they are logged in: setToken, and the option tokenProvider.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"
local storage = require "datasession.store"

local LIMIT, rejected = await.LIMIT, await.rejected

local server
local reported -- what onError is told: nothing, since each case handles its rejections

setup(function() server = assert(sandbox.start { bearerTokens = { "letmein", "another" } }) end)
teardown(function() server:close() end)
before_each(function()
  sessions.refresh(server)
  server:clearRoutes()
  reported = {}
  datasession.onError(function(err) reported[#reported + 1] = tostring(err) end)
end)
after_each(function()
  sessions.endAll()
  collectgarbage()
  datasession.onError(nil)
  assert.same({}, reported)
end)

local function session(options)
  return sessions.new(server, "bearer", options)
end

-- A function for tokenProvider that gives new tokens, which the server takes until server:expireTokens(), and
-- the list of the reasons for which it was called.
local function source(expiresIn)
  local reasons = {}
  local uri = server.uris.oauth .. "/token"
  local grant = { grant_type = "client_credentials", client_id = "robot", client_secret = "secret" }
  local function give(_, reason)
    reasons[#reasons + 1] = reason
    local own = datasession.new { serviceURI = server.uris.oauth }
    local response = assert(own:request({ uri = uri, method = "POST", form = grant }):await())
    own:invalidate()
    return response:json().access_token, expiresIn
  end
  return give, reasons
end

local function loggedIn(provider, options)
  options = options or {}
  options.tokenProvider = provider
  local one = session(options)
  assert(one:login():await(LIMIT))
  server:clearRequests()
  return one
end

-- The Authorization headers of the requests to the application, in the order in which they came.
local function shown()
  local list = {}
  for _, request in ipairs(server:requests()) do
    if request.model == "bearer" then list[#list + 1] = request.headers.authorization or "none" end
  end
  return list
end

local function refuse(count, path)
  server:fault { kind = "status", status = 401, count = count, model = "bearer", path = path }
end

-- A provider that waits until the spec settles its promise, and the functions that settle it.
local function slow()
  local control = { asked = 0 }
  return function(_, reason)
    control.asked, control.reason = control.asked + 1, reason
    return datasession.newPromise(function(resolve, reject)
      control.resolve, control.reject = resolve, reject
    end)
  end, control
end

local function untilAsked(control)
  await.stepUntil(function() return control.asked > 0 end)
end

describe("session:setToken", function()
  local function started()
    local one = session()
    assert(one:login("letmein"):await(LIMIT))
    server:clearRequests()
    return one
  end

  it("gives the next requests the new token, and leaves those that are pending alone", function()
    local one = started()
    server:fault { kind = "slow", delay = 0.05, path = "home.html$" }
    local pending = one:isAuthorized()
    await.stepUntil(function() return #server:requests() == 1 end)
    one:setToken "another"
    assert(one:ping():await(LIMIT))
    assert(pending:await(LIMIT))
    assert.same({ "Bearer letmein", "Bearer another" }, shown())
    assert.equal("connected", one.state)
  end)

  it("sends a request again that is refused late, for the old token, and keeps the session", function()
    local one = started()
    local events = sessions.listen(one)
    server:fault { kind = "status", status = 401, delay = 0.05, path = "home.html$" }
    local late = one:isAuthorized()
    await.stepUntil(function() return #server:requests() == 1 end)
    one:setToken "another"
    assert(late:await(LIMIT))
    assert.same({ "Bearer letmein", "Bearer another" }, shown())
    assert.equal("connected", one.state)
    datasession.run(LIMIT)
    assert.same({}, events)
  end)

  it("does not send a request of an earlier login again", function()
    local one = started()
    server:fault { kind = "status", status = 401, delay = 0.05, path = "home.html$" }
    local late = one:isAuthorized()
    await.stepUntil(function() return #server:requests() == 1 end)
    assert(one:logout():await(LIMIT))
    assert(one:login("letmein"):await(LIMIT))
    one:setToken "another"
    assert.equal(401, rejected(late).httpStatus)
    assert.same({ "Bearer letmein", "Bearer letmein" }, shown())
    assert.equal("connected", one.state)
  end)

  it("gives an expired session a token that isAuthorized can prove", function()
    local one = started()
    refuse(1)
    rejected(one:ping())
    assert.equal("expired", one.state)
    one:setToken "another"
    assert(one:isAuthorized():await(LIMIT))
    assert.equal("connected", one.state)
  end)

  it("is the token with which the session reconnects", function()
    local one = session { reconnect = { delay = 0 }, keepCredentials = true }
    assert(one:login("letmein"):await(LIMIT))
    one:setToken "another"
    server:clearRequests()
    refuse(1)
    assert(one:request({ path = "static/home.html" }):await(LIMIT))
    assert.same({ "Bearer another", "Bearer another", "Bearer another" }, shown())
  end)

  it("reaches the other sessions of the login", function()
    local one = started()
    local other = session { authProvider = one.authProvider }
    one:setToken "another"
    assert(other:ping():await(LIMIT))
    assert.same({ "Bearer another" }, shown())
  end)

  it("raises for what is no token, and for a session that has none", function()
    local one = started()
    for _, bad in ipairs { "", "a\nb", "a\0b" } do
      assert.error(function() one:setToken(bad) end)
    end
    assert.error_matches(function() one:setToken() end, "token expected")
    assert.error(function() one:setToken("x", "soon") end)
    assert(one:logout():await(LIMIT))
    assert.error_matches(function() one:setToken "x" end, "not logged in: pass the token to login")
    local basic = sessions.loggedIn(server, "basic")
    assert.error_matches(function() basic:setToken "x" end, "a session of model basic has no token")
  end)
end)

describe("a session with a tokenProvider", function()
  it("logs in with the token that it gives, or with one that is passed", function()
    local give, reasons = source()
    local one = loggedIn(give)
    assert.same({ "login" }, reasons)
    assert.equal("connected", one.state)
    assert.is_nil(one.userName)
    local other = session { tokenProvider = give }
    assert(other:login("letmein"):await(LIMIT))
    assert.same({ "login" }, reasons)
    assert.same({ "Bearer letmein" }, shown())
  end)

  it("is passed the session, and is called by a step, not by the call that needs the token", function()
    local got
    local one = session { tokenProvider = function(...) got = { ... } return "letmein" end }
    local login = one:login()
    assert.is_nil(got)
    assert(login:await(LIMIT))
    assert.same({ one, "login" }, got)
  end)

  it("takes a token, or a promise of one, with expiresIn from either", function()
    local promised = function(...)
      local values = table.pack(...)
      return datasession.newPromise(function(resolve) resolve(table.unpack(values, 1, values.n)) end)
    end
    for _, give in ipairs {
      function() return "letmein", 0 end, function() return promised("letmein", 0) end,
      function() return promised("letmein"), 0 end, function() return promised("letmein", 1000), 0 end,
      function() return datasession.spawn(function()
        datasession.sleep(0)
        return "letmein", 0
      end) end,
    } do
      local asked = 0
      local one = loggedIn(function() asked = asked + 1 return give() end)
      assert(one:ping():await(LIMIT)) -- a life of no time: every request asks
      assert.equal(2, asked)
    end
  end)

  it("goes on with another token if the request that was refused cannot be sent again", function()
    local give, reasons = source()
    local one = loggedIn(give)
    server:expireTokens()
    local left = 1
    local err = rejected(one:request { path = "static/home.html", body = function()
      left = left - 1
      return left >= 0 and "abc" or nil
    end })
    assert.equal("auth", err.kind)
    assert.equal(401, err.httpStatus)
    assert.matches("the session has another now", err.message)
    assert.matches("give it a function rewind", err.hint)
    assert.same({ "login", "refused" }, reasons)
    assert.equal("connected", one.state)
    assert(one:ping():await(LIMIT))
    assert.equal(2, #reasons)
  end)

  it("asks before the token's time is over, and not before that", function()
    local life, reasons = 1000, {}
    local one = loggedIn(function(_, reason)
      reasons[#reasons + 1] = reason
      return "letmein", life
    end)
    assert(one:ping():await(LIMIT))
    assert.same({ "login" }, reasons)
    one:setToken("another", 0)
    assert(one:ping():await(LIMIT))
    assert(one:ping():await(LIMIT))
    assert.same({ "login", "expiring" }, reasons)
    assert.same({ "Bearer letmein", "Bearer letmein", "Bearer letmein" }, shown())
  end)

  it("asks once for 20 requests whose token has expired, and again when the next ones expire", function()
    local give, reasons = source()
    local one = loggedIn(give)
    for expiry = 1, 3 do
      server:expireTokens()
      server:clearRequests()
      local promises = {}
      for i = 1, 20 do
        promises[i] = one:request { path = "static/home.html", method = i % 2 == 0 and "HEAD" or "GET" }
      end
      for i = 1, 20 do
        assert.equal(200, assert(promises[i]:await(LIMIT)).status)
      end
      assert.equal(1 + expiry, #reasons)
      assert.equal("refused", reasons[#reasons])
      local tokens, n = {}, 0
      for _, token in ipairs(shown()) do
        n = n + (tokens[token] and 0 or 1)
        tokens[token] = true
      end
      assert.equal(2, n)
      assert.is_true(#shown() <= 40)
    end
  end)

  it("sends a body again with the new token, and gives a body piece by piece", function()
    local give = source()
    local one = loggedIn(give)
    server:expireTokens()
    local path = "rest/CustomerService/Customer"
    local err = rejected(one:request { path = "rest/none", method = "PUT", body = "hello" })
    assert.equal(404, err.httpStatus)
    local bodies = {}
    for _, request in ipairs(server:requests()) do
      if request.method == "PUT" then bodies[#bodies + 1] = request.body end
    end
    assert.same({ "hello", "hello" }, bodies)
    server:expireTokens()
    local pieces = {}
    local function take(piece) pieces[#pieces + 1] = piece end
    assert(one:request({ path = path, saveTo = take }):await(LIMIT))
    assert.equal(one:request({ path = path }):await(LIMIT).body, table.concat(pieces))
  end)

  it("shows both requests in the response's times, and the answers of both to onResponse", function()
    local statuses = {}
    local function note(_, response) statuses[#statuses + 1] = response.status end
    local one = loggedIn(source(), { onResponse = note })
    server:expireTokens()
    statuses = {}
    local response = assert(one:request({ path = "static/home.html" }):await(LIMIT))
    local hops = {}
    for i, hop in ipairs(response.timings) do hops[i] = hop.status end
    assert.same({ 401, 200 }, hops)
    assert.same({ 401, 200 }, statuses)
    local fails = loggedIn(function(_, reason) return reason == "login" and "letmein" or nil end,
      { onResponse = note })
    statuses = {}
    refuse(1)
    local err = rejected(fails:request { path = "static/home.html" })
    assert.same({ 401 }, statuses)
    assert.equal(1, #err.response.timings)
  end)

  it("loads catalogs, several at once, with one new token", function()
    local give, reasons = source()
    local one = loggedIn(give)
    server:expireTokens()
    assert(one:addCatalog { server.catalogURIs.bearer, server:catalogURI("bearer", "OrderService") }
      :await(LIMIT))
    assert.same({ "login", "refused" }, reasons)
  end)

  it("asks no more than once for a request that the server refuses again and again", function()
    local give, reasons = source()
    local one = loggedIn(give)
    refuse(0, "oeping$")
    local err = rejected(one:ping())
    assert.equal("expired", err.kind)
    assert.matches("did not accept the token that tokenProvider gave", err.message, 1, true)
    assert.equal(2, #shown())
    assert.same({ "login", "refused" }, reasons)
    assert.equal("expired", one.state)
  end)

  it("does not ask about an answer that is not its application's, or not 401", function()
    local give, reasons = source()
    local one = loggedIn(give)
    server:route("GET", "/elsewhere", function() return 401 end)
    server:route("GET", "/SportsBearer/forbidden", function() return 403 end)
    rejected(one:request { uri = server.origin .. "/elsewhere" })
    rejected(one:request { path = "forbidden" })
    server:fault { kind = "reset", path = "home.html$", count = 0 }
    rejected(one:isAuthorized())
    assert.same({ "login" }, reasons)
  end)

  it("does not ask before a login, nor for a catalog with credentials of its own", function()
    local give, reasons = source()
    local fresh = session { tokenProvider = give }
    local err = rejected(fresh:request { path = "static/home.html" })
    assert.equal("call login first", err.hint)
    local one = loggedIn(give)
    refuse(1)
    one:addCatalog(server.catalogURIs.bearer, "other", "x"):await(LIMIT)
    assert.same({ "login" }, reasons)
  end)

  it("may send requests of the session itself, which do not wait for the token", function()
    server:route("GET", "/SportsBearer/token", function() return 200, nil, "another" end)
    server:route("GET", "/SportsBearer/denied", function() return 401 end)
    local asked = 0
    local one = loggedIn(function(self)
      asked = asked + 1
      if asked == 1 then return "letmein", 0 end
      assert(not self:request({ path = "denied" }):await())
      return assert(self:request({ path = "token" }):await()).body
    end)
    assert(one:request({ path = "static/home.html" }):await(LIMIT))
    assert.equal(2, asked)
    assert.equal("Bearer another", shown()[3])
  end)

  it("may set the token by setToken", function()
    local one = loggedIn(function(self, reason)
      if reason == "refused" then self:setToken "another" end
      return reason == "login" and "letmein" or nil
    end)
    refuse(1)
    assert(one:ping():await(LIMIT))
    assert.same({ "Bearer letmein", "Bearer another" }, shown())
  end)

  it("is not waited for any longer when setToken gives the token", function()
    local give, control = slow()
    local one = session { tokenProvider = give }
    local login = one:login()
    untilAsked(control)
    one:setToken "letmein"
    assert(login:await(LIMIT))
    control.resolve "another"
    datasession.run(LIMIT)
    assert(one:ping():await(LIMIT))
    assert.same({ "Bearer letmein", "Bearer letmein" }, shown())
  end)
end)

describe("a tokenProvider that fails", function()
  local mistakes = {
    ["oops"] = function() error "oops" end,
    ["no more"] = function() return nil, "no more" end,
    ["the vault is closed"] = function()
      return datasession.newPromise(function(_, reject) reject { message = "the vault is closed" } end)
    end,
    ["expected a token, a string that is not empty, got table"] = function() return {} end,
    ["expected a token, a string that is not empty, got nil"] = function() end,
    ["expected a token, a string that is not empty, got an empty one"] = function() return "" end,
    ["the token holds a line break or a NUL byte"] = function() return "a\r\nb: c" end,
    ["expected expiresIn as a number of seconds, got string"] = function() return "a", "soon" end,
    ["it took longer than tokenTimeout allows"] = function()
      return datasession.newPromise(function() end)
    end,
  }

  it("fails the login, and says why", function()
    for words, give in pairs(mistakes) do
      local one = session { tokenProvider = give, tokenTimeout = "20ms" }
      local err = rejected(one:login(), "auth")
      assert.matches("login: tokenProvider gave no token: ", err.message, 1, true)
      assert.matches(words, err.message, 1, true)
      assert.is_nil(err.message:find "\n")
      assert.equal("logged out", one.state)
      local late = words == "it took longer than tokenTimeout allows"
      assert.equal(late, err.retryable)
      assert.equal(late and "raise the tokenTimeout option if it needs more time" or nil, err.hint)
      assert.equal(late and 3 or 2, one.loginResult)
    end
    assert.same({}, shown())
  end)

  it("ends a session whose token was refused, and says why", function()
    local fail
    local one = loggedIn(function()
      if fail then return nil, "no more" end
      return "letmein"
    end)
    local events = sessions.listen(one)
    fail = true
    refuse(2)
    local promises = { one:isAuthorized(), one:request { path = "static/home.html" } }
    for _, promise in ipairs(promises) do
      local err = rejected(promise, "expired")
      assert.matches("the token, and tokenProvider gave no other: no more", err.message, 1, true)
      assert.equal(datasession.EXPIRED_TOKEN, err.result)
      assert.equal("call login again", err.hint)
      assert.equal(401, err.info.xhr.status)
    end
    assert.equal(2, #shown())
    assert.equal("expired", one.state)
    datasession.run(LIMIT)
    assert.same({ datasession.SESSION_EXPIRED }, events)
    fail = false
    assert(one:login():await(LIMIT))
  end)

  it("does not end the session when it may succeed later, and hands its hint on", function()
    local failure
    local one = loggedIn(function()
      if failure then error(failure) end
      return "letmein"
    end)
    failure = { message = "no line", hint = "plug it in", retryable = true }
    refuse(1)
    local err = rejected(one:ping(), "auth")
    assert.is_true(err.retryable)
    assert.equal("plug it in", err.hint)
    assert.matches("gave no other: no line", err.message, 1, true)
    assert.equal("connected", one.state)
    failure = nil
    refuse(1)
    assert(one:ping():await(LIMIT))
  end)

  it("leaves the old token in use when it fails before that has expired, and the log says so", function()
    local entries, fail = {}, false
    datasession.setLogger(function(level, event, _, fields)
      if event:find "token" then entries[#entries + 1] = { level, event, fields.reason, fields.message } end
    end)
    local one = loggedIn(function()
      if fail then error({ message = "no line", retryable = true }) end
      return "letmein", 0
    end)
    fail = true
    assert(one:ping():await(LIMIT))
    assert(one:ping():await(LIMIT))
    datasession.setLogger(nil)
    assert.same({ "Bearer letmein", "Bearer letmein" }, shown())
    assert.same({ { "info", "tokenGiven", "login" }, { "warning", "tokenFailed", "expiring", "no line" } },
      entries)
  end)

  it("says why when it failed and a catalog is refused", function()
    local fail
    local one = loggedIn(function()
      if fail then return nil, "no more" end
      return "letmein"
    end)
    fail = true
    refuse(0)
    local err = rejected(one:addCatalog(server.catalogURIs.bearer))
    assert.matches("no more", err.message, 1, true)
    assert.equal("expired", one.state)
  end)
end)

describe("a call that waits for a tokenProvider", function()
  -- A session whose pings wait for its tokenProvider.
  local function waiting()
    local give, control = slow()
    local one = session { tokenProvider = give }
    assert(one:login("letmein"):await(LIMIT))
    server:clearRequests()
    refuse(1)
    local ping = one:ping()
    untilAsked(control)
    return one, control, ping
  end

  it("is cancelled, and with the last one the call of tokenProvider", function()
    local begun, closed = 0, 0
    local one = session { tokenProvider = function()
      return closing(setmetatable({}, { __close = function() closed = closed + 1 end }), function()
        begun = begun + 1
        datasession.sleep(1000)
      end)
    end }
    local login = one:login()
    await.stepUntil(function() return begun == 1 end)
    login:cancel()
    rejected(login, "cancelled")
    datasession.run(LIMIT)
    assert.equal(1, closed)
    assert.equal("logged out", one.state)
    assert.same({}, shown())
    assert(one:login("letmein"):await(LIMIT))
    refuse(1)
    local ping = one:ping()
    await.stepUntil(function() return begun == 2 end)
    ping:cancel()
    rejected(ping, "cancelled")
    datasession.run(LIMIT)
    assert.equal(2, closed)
    assert.equal("connected", one.state)
  end)

  it("waits on when another call is cancelled", function()
    local one, control, ping = waiting()
    local other = one:isAuthorized()
    ping:cancel()
    rejected(ping, "cancelled")
    control.resolve "another"
    assert(other:await(LIMIT))
    assert.equal(1, control.asked)
    assert.same({ "Bearer letmein", "Bearer another" }, shown())
  end)

  for verb, kind in pairs { logout = "cancelled", disconnect = "cancelled", invalidate = "closed" } do
    it("ends with " .. verb .. ", and a late token changes nothing", function()
      local one, control, ping = waiting()
      local other = one:isAuthorized()
      assert(one[verb](one):await(LIMIT))
      rejected(ping, kind)
      rejected(other, kind)
      control.resolve "another"
      datasession.run(LIMIT)
      assert.equal(1, #shown())
      if verb ~= "invalidate" then
        assert(one:login("letmein"):await(LIMIT))
        assert.equal("Bearer letmein", shown()[2])
      end
    end)
  end

  it("ends when the program logs out while it logs in", function()
    local give, control = slow()
    local one = session { tokenProvider = give }
    local login = one:login()
    untilAsked(control)
    assert(one:logout():await(LIMIT))
    rejected(login, "cancelled")
    assert.same({}, shown())
  end)

  it("does not disturb another session with the same function", function()
    local give, control = slow()
    local one, other = session { tokenProvider = give }, session { tokenProvider = give }
    local login = one:login()
    untilAsked(control)
    assert(one:logout():await(LIMIT))
    rejected(login, "cancelled")
    local late = other:login()
    await.stepUntil(function() return control.asked == 2 end)
    assert(one:login("letmein"):await(LIMIT))
    control.resolve "another"
    assert(late:await(LIMIT))
    assert.same({ "Bearer letmein", "Bearer another" }, shown())
  end)

  it("ends when the login that the session shares is over", function()
    local one, control, ping = waiting()
    local other = session { authProvider = one.authProvider }
    local call = other:isAuthorized()
    datasession.step()
    assert(one:logout():await(LIMIT))
    rejected(ping, "cancelled")
    assert.is_not_nil(rejected(call).kind)
    assert.equal(1, control.asked)
  end)

  it("ends with the Lua state, or with the session that the program forgets", function()
    local give, control = slow()
    local weak = setmetatable({ session { tokenProvider = give } }, { __mode = "v" })
    weak[1]:login():fail(function() end)
    untilAsked(control)
    assert.is_not_nil(weak[1])
    weak[1]:invalidate()
    datasession.run(LIMIT)
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(weak[1])
  end)
end)

describe("a tokenProvider and the other options", function()
  it("raise for what does not fit", function()
    local function give() return "letmein" end
    local one = sessions.loggedIn(server, "bearer")
    for words, options in pairs {
      ["option 'tokenProvider': expected a function, got string"] = { tokenProvider = "letmein" },
      ["option 'tokenProvider': only a session of authenticationModel \"bearer\" has a token"] = {
        tokenProvider = give, authenticationModel = "form",
      },
      ["option 'tokenProvider': the session's token is that of its authProvider"] = {
        tokenProvider = give, authProvider = one.authProvider,
      },
      ["option 'tokenTimeout': expected a number of seconds"] = { tokenTimeout = -1 },
    } do
      assert.error_matches(function() session(options) end, words, 1, true)
    end
    assert.error_matches(function()
      datasession.getSession { serviceURI = server.uris.bearer, authenticationModel = "bearer",
        catalogURI = "x", tokenProvider = give, authenticationURI = server.uris.form_sso }
    end, "option 'authenticationURI': a session with a tokenProvider", 1, true)
    local plain = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
    assert.error_matches(function() plain:setToken "x" end, "no field 'setToken'", 1, true)
  end)

  it("make getSession need no user name, and a name store its tokens with keepTokens alone", function()
    for _, keepTokens in ipairs { true, false } do
      local store = storage.memory()
      local give, reasons = source(1000)
      local options = {
        serviceURI = server.uris.bearer, authenticationModel = "bearer",
        catalogURI = server.catalogURIs.bearer, tokenProvider = give, name = "one", store = store,
        keepTokens = keepTokens,
      }
      local one = assert(datasession.getSession(options):await(LIMIT))
      server:expireTokens()
      assert(one:ping():await(LIMIT))
      await.flush()
      local text, last = store:get "one", shown()
      last = last[#last]:match "^Bearer (.*)$"
      assert.equal(keepTokens, text ~= nil and text:find(last, 1, true) ~= nil)
      one:disconnect():await(LIMIT)
      one:invalidate():await(LIMIT)
      await.flush()
      if text then store:set("one", text) end
      local again = assert(datasession.getSession(options):await(LIMIT))
      assert.same(keepTokens and { "login", "refused" } or { "login", "refused", "login" }, reasons)
      server:expireTokens()
      assert(again:ping():await(LIMIT))
      again:invalidate():await(LIMIT)
    end
  end)

  it("store the token of setToken at once", function()
    local store = storage.memory()
    local one = session { name = "one", store = store, keepTokens = true }
    assert(one:login("letmein"):await(LIMIT))
    one:setToken "another"
    await.flush()
    assert.matches('"another"', store:get "one", 1, true)
  end)

  it("resume a stored login whose token has expired since", function()
    local store = storage.memory()
    local give, reasons = source(1000)
    local options = { name = "one", store = store, keepTokens = true, tokenProvider = give }
    local one = session(options)
    assert(one:login():await(LIMIT))
    await.flush()
    local text = store:get "one"
    one:disconnect():await(LIMIT)
    one:invalidate():await(LIMIT)
    await.flush()
    store:set("one", text)
    server:expireTokens()
    local again = session(options)
    assert.equal("restored", again.state)
    assert(again:isAuthorized():await(LIMIT))
    assert.same({ "login", "refused" }, reasons)
    assert.equal("connected", again.state)
  end)

  it("reconnect with a new token, when the server was away and when no token could be had", function()
    local give, reasons = source()
    local fail = false
    local one = loggedIn(function(...)
      if fail then
        fail = false
        return nil, "not yet"
      end
      return give(...)
    end, { reconnect = { delay = 0, maxAttempts = 5 } })
    local events = {}
    one:subscribe("reconnecting", function() events[#events + 1] = "reconnecting" assert(server:start()) end)
    one:subscribe("reconnected", function() events[#events + 1] = "reconnected" end)
    server:expireTokens()
    server:stop()
    assert(one:request({ path = "static/home.html" }):await(LIMIT))
    assert.same({ "login", "refused" }, reasons)
    server:expireTokens()
    fail = true
    assert(one:request({ path = "static/home.html", method = "POST", body = "x" }):next(nil, function(err)
      return err.httpStatus == 405 -- it was sent, once the session was there again
    end):await(LIMIT))
    datasession.run(LIMIT)
    assert.same({ "reconnecting", "reconnected", "reconnecting", "reconnected" }, events)
    assert.same({ "login", "refused", "refused" }, reasons)
    assert.equal("connected", one.state)
  end)

  it("reconnect when the server goes away while a token is asked for", function()
    local give, control = slow()
    local one = session { tokenProvider = give, keepCredentials = true,
      reconnect = { delay = 0, maxAttempts = 3 } }
    assert(one:login("letmein"):await(LIMIT))
    server:clearRequests()
    server:fault { kind = "slow", delay = LIMIT, path = "home.html$" }
    local cut = one:request { path = "static/home.html" }
    await.stepUntil(function() return #server:requests() == 1 end)
    refuse(1, "oeping$")
    local waiting = one:ping()
    untilAsked(control)
    server:stop()
    await.stepUntil(function() return one.state == "reconnecting" end)
    assert(server:start())
    control.resolve "another"
    assert(waiting:await(LIMIT))
    assert(cut:await(LIMIT))
    assert.equal("connected", one.state)
    assert.equal(1, control.asked)
  end)

  it("leave the sessions of an AuthenticationProvider alone", function()
    local provider = datasession.AuthenticationProvider { uri = server.uris.bearer,
      authenticationModel = "bearer" }
    assert(provider:login("letmein"):await(LIMIT))
    local one = session { authProvider = provider }
    refuse(1)
    assert.equal("expired", rejected(one:isAuthorized()).kind)
    assert.equal(2, #shown())
  end)

  it("tell nothing of the tokens", function()
    local told = {}
    datasession.setLogger(function(level, event, one, fields)
      told[#told + 1] = level .. event .. tostring(one)
      for name, value in pairs(fields) do told[#told + 1] = name .. tostring(value) end
    end)
    local tokens = { "letmein", "wrong-token" }
    local one = loggedIn(function() return table.remove(tokens, 1), 1000 end)
    refuse(1)
    told[#told + 1] = tostring(rejected(one:ping()))
    one:setToken("another")
    told[#told + 1] = tostring(one)
    datasession.run(LIMIT)
    datasession.setLogger(nil)
    local text = table.concat(told, "\n")
    for _, token in ipairs { "letmein", "wrong-token", "another" } do
      assert.is_nil(text:find(token, 1, true))
    end
  end)
end)
