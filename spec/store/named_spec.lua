-- Named sessions: they survive in a store, and come back when the server still knows them.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local storage = require "datasession.store"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local disk = dofile "spec/support/disk.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, flush = await.LIMIT, await.flush

local server, store, warnings

local function options(changed)
  local made = {
    serviceURI = server.uris.form, authenticationModel = "form", name = "one", store = store,
  }
  for name, value in pairs(changed or {}) do made[name] = value or nil end
  return made
end

-- The session of another life: what is in the store is all that is left of it.
local function leave(session)
  flush()
  local text = store.texts.one
  session:disconnect():await(LIMIT)
  session:invalidate():await(LIMIT)
  flush()
  store.texts.one = text
end

-- A session that was logged in and is gone.
local function earlier(changed, prepare)
  local session = datasession.new(options(changed))
  assert(session:login("lua", "secret"):await(LIMIT))
  if prepare then prepare(session) end
  leave(session)
end

local function paths()
  local found = {}
  for i, request in ipairs(server:requests()) do found[i] = request.method .. " " .. request.path end
  return found
end

local function document()
  return require("datasession.internal.codec").decode(store.texts.one or "null")
end

local function stored(change)
  local made = document()
  change(made)
  store.texts.one = require("datasession.internal.codec").encode(made)
end

local function nobody(session)
  assert.is_nil(session.userName)
  assert.is_nil(session.loginResult)
  assert.equal("logged out", session.state)
end

setup(function() server = assert(sandbox.start {}) end)
teardown(function() server:close() end)

local errors
local originalWarn = warn

before_each(function()
  collectgarbage() -- rejections that other files left are told before errors are counted
  collectgarbage()
  datasession.step()
  store, warnings, errors = storage.memory(), {}, {}
  _G.warn = function(text) warnings[#warnings + 1] = text end -- luacheck: ignore
  datasession.onError(function(err) errors[#errors + 1] = tostring(err) end)
  server:clearFaults()
  server:clearRequests()
end)

after_each(function()
  server:clearFaults()
  sessions.endAll()
  _G.warn = originalWarn -- luacheck: ignore
  datasession.onError(nil)
  assert.same({}, errors)
end)

describe("the options of a named session", function()
  it("are a name, which is its property, and nothing and '' are none", function()
    assert.equal("one", datasession.new(options()).name)
    assert.is_nil(datasession.new(options { name = false }).name)
    assert.is_nil(datasession.new(options { name = "" }).name)
    assert.error_matches(function() datasession.new(options()).name = "x" end, "session.name is read%-only")
  end)

  it("raise when they are wrong", function()
    local mistakes = {
      { { name = 7 }, "option 'name': expected a string, got number" },
      { { store = "x" }, "option 'store': expected a store with the methods get, set and remove, got \z
        string" },
      { { store = { get = print, set = print } }, "option 'store': it has no method 'remove'" },
      { { keepTokens = "yes" }, "option 'keepTokens': expected a boolean, got string" },
    }
    for _, mistake in ipairs(mistakes) do
      assert.error_matches(function() datasession.new(options(mistake[1])) end, mistake[2])
      local given = options(mistake[1])
      given.catalogURI, given.username, given.password = {}, "lua", "secret"
      assert.error_matches(function() datasession.getSession(given) end, "getSession: " .. mistake[2])
    end
  end)

  it("have one live session a name; one that has ended, or is collected, leaves the name free", function()
    local first = datasession.new(options())
    assert.error_matches(function() datasession.new(options()) end,
      "a live session .* is called 'one' already")
    assert.equal("two", datasession.new(options { name = "two" }).name)
    first:invalidate()
    local second = datasession.new(options())
    assert.equal("one", second.name)
    second = nil -- luacheck: ignore
    assert.equal("one", datasession.new(options()).name)
  end)

  it("have one live session a name, also when the store makes it while it is asked", function()
    local inner
    local asking = { set = store.set, remove = store.remove }
    function asking.get() inner = inner or datasession.new(options()) end
    assert.error_matches(function() datasession.new(options { store = asking }) end,
      "is called 'one' already")
    inner:invalidate()
    assert.equal("one", datasession.new(options { store = asking }).name)
  end)
end)

describe("a named session", function()
  it("comes back as it was, and is checked before it counts as connected", function()
    local id, status
    earlier({ pingInterval = 3600000 }, function(session)
      session:setContextProperty("colour", "blå")
      assert(session:ping():await(LIMIT))
      id, status = session.clientContextId, session.loginHttpStatus
    end)
    server:clearRequests()
    local session = datasession.new(options())
    assert.same({ "lua", 1, status, id, 3600000, "restored", false },
      { session.userName, session.loginResult, session.loginHttpStatus, session.clientContextId,
        session.pingInterval, session.state, session.connected })
    assert.same({ colour = "blå" }, session:getContext())
    assert.matches("restored", tostring(session))
    flush()
    assert.same({}, server:requests())
    local online = 0
    session:subscribe("online", function() online = online + 1 end)
    assert(session:isAuthorized():await(LIMIT))
    flush()
    assert.same({ "GET /SportsForm/static/home.html" }, paths())
    assert.same({ true, "connected", 1 }, { session.connected, session.state, online })
    assert.same({}, warnings)
  end)

  it("pings where the service answered before, and is connected by that too", function()
    server:setPing "classic"
    earlier(nil, function(session) assert(session:ping():await(LIMIT)) end)
    server:clearRequests()
    local session = datasession.new(options())
    assert(session:ping():await(LIMIT))
    server:setPing "new"
    assert.same({ "GET /SportsForm/rest/_oeping" }, paths())
    assert.is_true(session.connected)
  end)

  it("pings nowhere else, whatever the store says", function()
    server:setPing "classic"
    earlier(nil, function(session) assert(session:ping():await(LIMIT)) end)
    local other <close> = assert(sandbox.start {})
    stored(function(made)
      assert.is_string(made.pingURI)
      made.pingURI = other.uris.form .. "/rest/_oeping"
    end)
    server:clearRequests()
    assert(datasession.new(options()):ping():await(LIMIT))
    server:setPing "new"
    assert.same({}, other:requests())
    assert.equal("GET /SportsForm/rest/_oepingService/_oeping", paths()[1])
  end)

  it("comes back with its cookies from a host that has an IPv6 address alone", function()
    local six = sandbox.start { address = "::1" }
    if not six then
      pending "this machine has no IPv6"
      return
    end
    earlier { serviceURI = six.uris.form }
    assert.matches("^[^\t]*::1\t", document().cookies[1])
    assert(datasession.new(options { serviceURI = six.uris.form }):isAuthorized():await(LIMIT))
    six:close()
  end)

  it("takes up its automatic pings, unless the option says otherwise", function()
    earlier { pingInterval = 50 }
    server:clearRequests()
    local session = datasession.new(options())
    assert.equal(50, session.pingInterval)
    while not session.connected do datasession.step(1) end
    assert.matches("_oeping", paths()[1])
    leave(session)
    assert.equal(0, datasession.new(options { pingInterval = 0 }).pingInterval)
  end)

  it("keeps to the context that it is given", function()
    earlier(nil, function(session) session:setContext { a = 1 } end)
    assert.same({ b = 2 }, datasession.new(options { context = { b = 2 } }):getContext())
  end)

  it("has its catalogs loaded again when it is asked to, and knows them until then", function()
    local uri = server.catalogURIs.form
    earlier(nil, function(session) assert(session:addCatalog(uri):await(LIMIT)) end)
    local session = datasession.new(options())
    assert.same({}, session.catalogURIs)
    assert(session:isAuthorized():await(LIMIT))
    leave(session)
    local kept = document().catalogs
    assert.equal(1, #kept)
    assert.equal(uri, kept[1].uri)
    assert.matches('^".+"$', kept[1].etag)
    assert.matches(" GMT$", kept[1].lastModified)
    session = datasession.new(options())
    local value, result = session:reloadCatalogs():await(LIMIT)
    assert.equal(session, value)
    assert.equal(datasession.SUCCESS, result)
    assert.same({ uri }, session.catalogURIs)
    assert.equal(1, #session.services)
    flush()
    assert.same(kept, document().catalogs)
    assert(session:reloadCatalogs():await(LIMIT))
    assert.equal(1, #session.services)
  end)

  it("is expired, and forgotten, when the server no longer knows it, and can log in again", function()
    earlier()
    server:expireSessions()
    local session = datasession.new(options())
    local ok, err = session:isAuthorized():await(LIMIT)
    assert.is_nil(ok)
    assert.equal("expired", err.kind)
    assert.same({ "expired", 2 }, { session.state, session.loginResult })
    flush()
    assert.is_nil(store.texts.one)
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    assert.equal("lua", document().userName)
  end)

  it("stays in the store while the server cannot be asked", function()
    earlier()
    local session = datasession.new(options())
    server:stop()
    assert.is_nil((session:isAuthorized():await(LIMIT)))
    flush()
    assert.same({ "restored", false }, { session.state, session.connected })
    assert.equal("lua", document().userName)
    assert(server:start())
    assert(session:isAuthorized():await(LIMIT))
    assert.is_true(session.connected)
  end)

  for _, verb in ipairs { "logout", "disconnect", "invalidate" } do
    it("is forgotten by " .. verb .. ", also right after it came back", function()
      earlier()
      local session = datasession.new(options())
      assert(session[verb](session):await(LIMIT))
      flush()
      assert.is_nil(store.texts.one)
    end)
  end

  it("ends at the server when it logs out right after it came back", function()
    local before = server:sessionCount()
    earlier()
    assert.equal(before + 1, server:sessionCount())
    assert(datasession.new(options()):logout():await(LIMIT))
    assert.equal(before, server:sessionCount())
  end)

  it("that was invalidated a moment ago does not come back", function()
    local session = datasession.new(options())
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    session:invalidate()
    nobody(datasession.new(options()))
  end)

  it("is not removed by one that ends after somebody else has logged in under its name", function()
    local session = datasession.new(options())
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    stored(function(made) made.cookies = nil end)
    local other = store.texts.one
    session:logout():await(LIMIT)
    flush()
    assert.equal(other, store.texts.one)
  end)

  it("is removed by its end, though another process has written the same login in other words", function()
    local session = datasession.new(options())
    assert(session:login("lua", "secret"):await(LIMIT))
    server:route("GET", "/SportsForm/more", function()
      return 200, { ["Set-Cookie"] = "more=1; Path=/" }, ""
    end)
    assert(session:request({ path = "/more" }):await(LIMIT))
    session.pingInterval = 70000
    flush()
    stored(function(made)
      local cookies = made.cookies
      assert.equal(2, #cookies)
      made.pingInterval, cookies[1], cookies[2] = 60000, cookies[2], cookies[1]
    end)
    session:logout():await(LIMIT)
    flush()
    assert.is_nil(store.texts.one)
  end)

  it("is not stored before it is logged in, nor after a login that failed", function()
    local session = datasession.new(options())
    session:setContextProperty("a", "b")
    flush()
    assert.is_nil(store.texts.one)
    assert.is_nil((session:login("lua", "wrong"):await(LIMIT)))
    flush()
    assert.is_nil(store.texts.one)
  end)

  it("is written once for all that changes in one step, and not for what changes nothing", function()
    local session = datasession.new(options())
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    local writes, set = 0, store.set
    store.set = function(...)
      writes = writes + 1
      return set(...)
    end
    for i = 1, 10 do session:setContextProperty("n", i) end
    session.pingInterval = 3600000
    assert.equal(0, writes)
    flush()
    assert.equal(1, writes)
    assert.equal(10, document().context.n)
    for _ = 1, 3 do assert(session:isAuthorized():await(LIMIT)) end
    flush()
    assert.equal(1, writes)
  end)

  it("is written by flush, without a step", function()
    local session = datasession.new(options())
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    session:setContextProperty("last", "word")
    assert.is_nil(document().context)
    assert.is_true(datasession.flush())
    assert.equal("word", document().context.last)
  end)

  it("keeps cookies of its own host alone, and takes in no others", function()
    earlier()
    assert.equal(1, #document().cookies)
    stored(function(made)
      made.cookies[2] = "example.org\tFALSE\t/\tFALSE\t0\tforeign\t1"
      made.cookies[3] = "127.0.0.1\tFALSE\t/\tFALSE\t0\town\t1"
      made.cookies[4] = "ALL"
      made.cookies[5] = "Set-Cookie: header=1"
      made.cookies[6] = "# 127.0.0.1\tFALSE\t/\tFALSE\t0\tcomment\t1"
      made.cookies[7] = "127.0.0.1\tFALSE\t/\tFALSE\t0\tcontrol\t1\127"
    end)
    local session = datasession.new(options())
    assert(session:isAuthorized():await(LIMIT))
    local sent = server:requests()[#server:requests()].headers
    flush()
    local names = {}
    for i, line in ipairs(document().cookies) do names[i] = line:match "\t([^\t]*)\t[^\t]*$" end
    table.sort(names)
    assert.same({ "JSESSIONID", "own" }, names)
    assert.is_table(sent)
  end)
end)

describe("what is stored of a session", function()
  it("is used for no other URI and no other model, and removed then, with a warning", function()
    for _, other in ipairs { { serviceURI = server.uris.form .. "x" }, { authenticationModel = "anonymous" },
      { authenticationModel = "basic" } } do
      earlier()
      local session = datasession.new(options(other))
      nobody(session)
      assert.is_nil(store.texts.one)
      assert.equal(1, #warnings)
      assert.matches("the stored session 'one' is ignored: it is of another serviceURI", warnings[1])
      session:invalidate()
      flush()
      warnings = {}
    end
  end)

  it("is the same URI's with slashes at its end", function()
    earlier()
    assert.equal("lua", datasession.new(options { serviceURI = server.uris.form .. "//" }).userName)
  end)

  local broken = {
    { "no JSON", function(text) return text:sub(1, -2) end, "it is no JSON" },
    { "nothing", function() return "" end, "it is no JSON" },
    { "a number", function() return "7" end, "it is no JSON object" },
    { "null", function() return "null" end, "it is no JSON object" },
    { "an array", function() return "[1]" end, "its format" },
    { "bytes", function() return "\0\255\1" end, "it is no JSON" },
    { "a later format", function(text) return (text:gsub('"format":1', '"format":2')) end, "its format" },
    { "another login result", function(text) return (text:gsub('"loginResult":1', '"loginResult":2')) end,
      "not what" },
    { "a user of another type", function(text)
      return (text:gsub('"userName":"lua"', '"userName":{}'))
    end, "not what" },
    { "cookies of another type", function(text)
      return (text:gsub('"cookies":%b[]', '"cookies":{"a":1}'))
    end, "not what" },
    { "a provider of no model", function(text)
      return (text:gsub("^{", '{"provider":{"uri":"http://x","authenticationModel":"x"},'))
    end, "not what" },
    { "a provider with a token that is missing", function(text)
      return (text:gsub("^{", '{"provider":{"uri":"http://x","authenticationModel":"form_sso"},'))
    end, "not what" },
    { "a header in an id", function(text)
      return (text:gsub('"clientContextId":"[^"]*"', '"clientContextId":"a\\r\\nB: c"'))
    end, "not what" },
    { "no text", function() return 7 end, "the store gave a number" },
  }
  for _, case in ipairs(broken) do
    it("is ignored with a warning when it is " .. case[1], function()
      earlier()
      local good = store.texts.one
      store.texts.one = case[2](good)
      assert.not_equal(good, store.texts.one)
      local bad = store.texts.one
      local session = datasession.new(options())
      nobody(session)
      assert.equal(1, #warnings)
      assert.matches("the stored session 'one' is ignored: .*" .. case[3], warnings[1])
      assert.equal(bad, store.texts.one)
      assert(session:login("lua", "secret"):await(LIMIT))
      flush()
      assert.equal("lua", document().userName)
    end)
  end

  it("is ignored when its provider is nowhere", function()
    earlier()
    stored(function(made) made.provider = { uri = "http://[x", authenticationModel = "form" } end)
    nobody(datasession.new(options()))
  end)

  it("is never more than half believed: any byte may be missing from its end", function()
    earlier()
    local whole = store.texts.one
    for length = 0, #whole - 1, 7 do
      store.texts.one = whole:sub(1, length)
      local session = datasession.new(options())
      nobody(session)
      session:invalidate()
      flush()
    end
  end)

  it("breaks no session when the store fails; onError is told", function()
    local failing = { get = function() error "no get" end, set = function() return nil, "no set" end,
      remove = function() return nil, "no remove" end }
    local session = datasession.new(options { store = failing })
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    assert.is_true(session.connected)
    assert.equal(2, #errors)
    assert.matches("the session 'one' could not be read: .*no get", errors[1])
    assert.matches("the session 'one' could not be kept: no set", errors[2])
    assert(session:logout():await(LIMIT))
    flush()
    assert.equal(2, #errors)
    errors = {}
  end)

  it("takes a store that answers nothing for one that does what it is told", function()
    local texts = {}
    local quiet = { get = function(_, key) return texts[key] end,
      set = function(_, key, text) texts[key] = text end,
      remove = function(_, key) texts[key] = nil end }
    local session = datasession.new(options { store = quiet })
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    assert.is_string(texts.one)
    assert(session:logout():await(LIMIT))
    flush()
    assert.same({}, texts)
  end)

  it("is never a password, nor anything of a model that needs one", function()
    earlier()
    assert.is_nil(store.texts.one:find("secret", 1, true))
    local session = datasession.new(options { name = "b", serviceURI = server.uris.basic,
      authenticationModel = "basic",
      keepTokens = true })
    assert(session:login("lua", "secret"):await(LIMIT))
    flush()
    assert.is_nil(store.texts.b)
  end)

  it("is a token only where keepTokens says so", function()
    local bearer = { serviceURI = server.uris.bearer, authenticationModel = "bearer" }
    local session = datasession.new(options(bearer))
    assert(session:login("letmein"):await(LIMIT))
    flush()
    assert.is_nil(store.texts.one)
    session:invalidate():await(LIMIT)
    bearer.keepTokens = true
    session = datasession.new(options(bearer))
    assert(session:login("letmein"):await(LIMIT))
    leave(session)
    assert.same({ access = "letmein" }, document().tokens)
    session = datasession.new(options(bearer))
    assert.equal("restored", session.state)
    assert(session:isAuthorized():await(LIMIT))
    assert.is_true(session.connected)
  end)

  it("is an anonymous session too", function()
    local anonymous = { serviceURI = server.uris.anonymous, authenticationModel = "anonymous" }
    local session = datasession.new(options(anonymous))
    assert(session:login():await(LIMIT))
    leave(session)
    session = datasession.new(options(anonymous))
    assert(session:isAuthorized():await(LIMIT))
    assert.is_true(session.connected)
  end)
end)

describe("getSession with a name", function()
  local function wanted(changed)
    local made = options { catalogURI = {}, username = "lua", password = "secret" }
    for name, value in pairs(changed or {}) do made[name] = value or nil end
    return made
  end

  it("goes on with the stored login of that user, without another", function()
    local uri = server.catalogURIs.form
    earlier(nil, function(session) assert(session:addCatalog(uri):await(LIMIT)) end)
    server:clearRequests()
    local session = assert(datasession.getSession(wanted()):await(LIMIT))
    assert.same({ true, "lua" }, { session.connected, session.userName })
    assert.same({ uri }, session.catalogURIs)
    assert.same({ "GET /SportsForm/static/home.html", "GET /SportsForm/static/CustomerService.json" },
      paths())
  end)

  it("logs in and keeps that where nothing is stored", function()
    assert(datasession.getSession(wanted()):await(LIMIT))
    flush()
    assert.equal("lua", document().userName)
  end)

  it("never takes the login of another user", function()
    earlier()
    local ok, err = datasession.getSession(wanted { username = "eve", password = "x" }):await(LIMIT)
    assert.is_nil(ok)
    assert.equal("auth", err.kind)
    for _, path in ipairs(paths()) do assert.is_nil(path:find "logout") end
    stored(function(made) made.userName = "eve" end)
    local session = assert(datasession.getSession(wanted()):await(LIMIT))
    assert.equal("lua", session.userName)
  end)

  it("never takes the login of another token", function()
    local changed = { serviceURI = server.uris.bearer, authenticationModel = "bearer", keepTokens = true,
      username = "letmein", password = false }
    leave(assert(datasession.getSession(wanted(changed)):await(LIMIT)))
    assert.equal("letmein", document().tokens.access)
    changed.username = "another"
    server:clearRequests()
    local ok, err = datasession.getSession(wanted(changed)):await(LIMIT)
    assert.is_nil(ok)
    assert.equal("auth", err.kind)
    for _, request in ipairs(server:requests()) do
      assert.equal("Bearer another", request.headers.authorization)
    end
  end)

  it("takes what there is when nobody is named, and asks no loginCallback", function()
    earlier()
    local session = assert(datasession.getSession(wanted { username = false, password = false }):await(LIMIT))
    assert.equal("lua", session.userName)
    leave(session)
    local asked = false
    session = datasession.getSession(wanted { username = false, password = false, loginCallback = function()
      asked = true
    end }):await(LIMIT)
    assert.equal("lua", session.userName)
    assert.is_false(asked)
  end)

  it("logs in afresh when the server no longer knows the stored one", function()
    earlier()
    server:expireSessions()
    server:clearRequests()
    local session = assert(datasession.getSession(wanted()):await(LIMIT))
    assert.is_true(session.connected)
    assert.equal("POST /SportsForm/static/auth/j_spring_security_check", paths()[2])
    flush()
    assert.equal("lua", document().userName)
  end)

  it("says that the stored one has expired where nobody can log in", function()
    earlier()
    server:expireSessions()
    local ok, err = datasession.getSession(wanted { username = false, password = false }):await(LIMIT)
    assert.is_nil(ok)
    assert.equal("expired", err.kind)
    assert.is_nil(store.texts.one)
  end)

  it("leaves a stored login alone when the server cannot tell", function()
    earlier()
    local count, text = server:sessionCount(), store.texts.one
    server:fault { kind = "status", status = 500, path = "home.html" }
    local ok, err = datasession.getSession(wanted()):await(LIMIT)
    assert.is_nil(ok)
    assert.equal(500, err.httpStatus)
    flush()
    assert.same({ count, text }, { server:sessionCount(), store.texts.one })
    assert.same({}, datasession.sessions())
    server:clearFaults()
    assert(datasession.getSession(wanted()):await(LIMIT))
  end)

  it("leaves it alone when it is cancelled", function()
    earlier()
    local count = server:sessionCount()
    datasession.getSession(wanted()):fail(function() end):cancel()
    await.settle()
    assert.equal(count, server:sessionCount())
    assert.is_string(store.texts.one)
    assert.same({}, datasession.sessions())
  end)

  it("survives with a login that was proved elsewhere", function()
    local elsewhere = wanted { authenticationURI = server.uris.form, serviceURI = server.uris.form }
    leave(assert(datasession.getSession(elsewhere):await(LIMIT)))
    server:clearRequests()
    assert(datasession.getSession(elsewhere):await(LIMIT))
    assert.same({ "GET /SportsForm/static/home.html" }, paths())
    leave(datasession.sessions()[1])
    server:expireSessions()
    server:clearRequests()
    local session = assert(datasession.getSession(elsewhere):await(LIMIT))
    assert.is_true(session.connected)
    assert.equal("POST /SportsForm/static/auth/j_spring_security_check", paths()[2])
    leave(session)
    server:clearRequests()
    local ok = datasession.getSession(wanted { authenticationURI = server.uris.form,
      username = "eve" }):await(LIMIT)
    assert.is_nil(ok)
    assert.equal("POST /SportsForm/static/auth/j_spring_security_check", paths()[1])
  end)

  it("keeps and refreshes sso's tokens where keepTokens says so", function()
    local sso = wanted { serviceURI = server.uris.sso, authenticationModel = "sso",
      authenticationURI = server.uris.form_sso, authProviderAuthenticationModel = "form_sso" }
    local session = assert(datasession.getSession(sso):await(LIMIT))
    flush()
    assert.is_nil(store.texts.one)
    session:invalidate():await(LIMIT)
    sso.keepTokens = true
    session = assert(datasession.getSession(sso):await(LIMIT))
    flush()
    local first, uri = document().tokens, session.authProvider.uri
    assert.is_string(first.refresh)
    assert.is_true(math.abs(first.refreshAt - os.time() - 0.75 * 3600) < 60)
    assert.is_nil(store.texts.one:find("secret", 1, true))
    assert(session.authProvider:refresh():await(LIMIT))
    flush()
    assert.not_equal(first.access, document().tokens.access)
    leave(session)
    server:expireTokens()
    server:clearRequests()
    session = assert(datasession.getSession(sso):await(LIMIT))
    assert.is_true(session.connected)
    for _, path in ipairs(paths()) do assert.is_nil(path:find "j_spring_security_check") end
    assert.equal(uri, session.authProvider.uri)
    leave(session)
    server:revokeTokens()
    server:expireSessions "form_sso"
    server:expireTokens()
    session = assert(datasession.getSession(sso):await(LIMIT))
    assert.is_true(session.connected)
    flush()
    assert.equal("lua", document().providerUserName)
    leave(session)
    local ok = datasession.getSession(wanted { serviceURI = server.uris.sso, authenticationModel = "sso",
      authenticationURI = server.uris.form_sso, authProviderAuthenticationModel = "form_sso",
      username = "eve", password = "x" }):await(LIMIT)
    assert.is_nil(ok)
  end)
end)

describe("a program that is started again", function()
  local directory

  before_each(function() directory = files.directory() end)
  after_each(function() files.removeDirectory(directory) end)

  local prelude = [[
    local getenv = os.getenv
    os.getenv = function(name)
      if name == "XDG_STATE_HOME" then return arg[2] end
      return getenv(name)
    end
    local core = require "datasession.core"
    if core.dataDirectory then core.dataDirectory = function() return arg[2] end end -- on Windows
    local datasession = require "datasession"
    local function new(more)
      local options = { serviceURI = arg[1], authenticationModel = "form", name = "program" }
      for name, value in pairs(more or {}) do options[name] = value end
      return datasession.new(options)
    end
  ]]

  local function run(script)
    return child.output(prelude .. script, server.uris.form, directory)
  end

  local function file()
    local opened = io.open(directory .. "/datasession/program.json")
    local text = opened and opened:read "a"
    if opened then opened:close() end
    return text
  end

  it("goes on with its session, and sends no login", function()
    run [[assert(new():login("lua", "secret"):await(20))]]
    assert.is_nil(file():find("secret", 1, true))
    assert.is_nil(file():find("bHVhOnNlY3JldA", 1, true))
    server:clearRequests()
    local output = run [[
      local session = new()
      io.write(session.userName, " ", tostring(session.connected), " ")
      assert(session:ping():await(20))
      io.write(tostring(session.connected), " ", session.state)
    ]]
    assert.equal("lua false true connected", output)
    assert.same({ "GET /SportsForm/rest/_oepingService/_oeping" }, paths())
    run [[assert(new():logout():await(20))]]
    assert.is_nil(file())
  end)

  it("finds what was changed last, even if nothing stepped the loop after it", function()
    run [[
      local session = new()
      assert(session:login("lua", "secret"):await(20))
      session:setContextProperty("last", "word")
    ]]
    assert.equal("word", run [[io.write(new():getContextProperty "last")]])
  end)

  it("waits for no disk in its steps, and joins it in invalidateAllSessions and flush", function()
    local gate = disk.gate(directory)
    local one = disk.child()
    one.variables = one.variables .. " DATASESSION_DISK_GATE=" .. gate
    local output = one.output(prelude .. [[
      local path = arg[2] .. "/datasession/program.json"
      local function isThere()
        local opened = io.open(path)
        return opened and opened:close()
      end
      local session = new()
      assert(session:login("lua", "secret"):await(20))
      for i = 1, 20 do
        session:setContextProperty("last", i)
        assert(session:ping():await(20))
      end
      assert(not isThere() and datasession.pending())
      print(datasession.flush(0) == nil)
      os.remove(arg[3])
      assert(datasession.flush(30))
      assert(isThere())
      io.open(arg[3], "w"):close()
      local joined = false
      datasession.invalidateAllSessions({ all = true }):done(function() joined = true end)
      while session.state ~= "invalid" do datasession.step(0.1) end
      for _ = 1, 20 do datasession.step(0.001) end
      assert(not joined)
      os.remove(arg[3])
      while not joined do datasession.step(0.1) end
      print(isThere() == nil)
    ]], server.uris.form, directory, gate)
    assert.equal("true\ntrue\n", output)
  end)

  it("is told about a file that somebody has spoilt, and starts afresh", function()
    run [[assert(new():login("lua", "secret"):await(20))]]
    files.write(directory .. "/datasession/program.json", "{")
    local output = run [[
      if warn then warn "@on" end
      io.write(new().state)
    ]]
    assert.matches("Lua warning: datasession: the stored session 'program' is ignored: it is no JSON", output)
    assert.matches("logged out", output)
  end)
end)
