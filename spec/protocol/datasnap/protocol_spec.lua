-- Sessions with a DataSnap server: made by the first call, renewed by each answer, lost and had again.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"
local socket = require "socket"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local endSessions = dofile("spec/support/sessions.lua").endAll

local LIMIT, flush, rejected = await.LIMIT, await.flush, await.rejected

local server, secured -- the second asks for a user

local function new(options)
  local made = { protocol = "datasnap", serviceURI = server.uris.datasnap }
  for name, value in pairs(options or {}) do made[name] = value end
  return datasession.new(made)
end

local function call(session, ...)
  return assert(session:invoke(...):await(LIMIT))
end

local function echo(session, params, options)
  return call(session, "TEcho", "Echo", params, options)[1]
end

-- Notes each event as "name argument argument ...".
local function listen(session)
  local events = {}
  for _, name in ipairs { "online", "offline", "expired", "lost", "reconnecting", "reconnected" } do
    session:subscribe(name, function(_, ...)
      local words = { name }
      for i = 1, select("#", ...) do words[#words + 1] = tostring((select(i, ...))) end
      events[#events + 1] = table.concat(words, " ")
    end)
  end
  return events
end

local function last()
  local requests = server:requests()
  return requests[#requests]
end

local function outlive(session)
  while socket.gettime() <= session.expiresAt do datasession.step(0.001) end
end

setup(function()
  local users = { ada = "tea", admin = "root" }
  server = assert(sandbox.start { users = users, datasnapAuthentication = false })
  secured = assert(sandbox.start { users = users, datasnapAuthentication = true })
end)

teardown(function()
  server:close()
  secured:close()
end)

local troubles

before_each(function()
  troubles = {}
  datasession.onError(function(err) troubles[#troubles + 1] = tostring(err) end)
  for _, each in ipairs { server, secured } do
    each:clearFaults()
    each:expireSessions("datasnap")
    each:clearRequests()
    each:setDataSnap { timeout = 1200000, perRequest = false, pragma = true }
  end
end)

after_each(function()
  server:setDataSnap { timeout = 1200000, perRequest = false, pragma = true }
  endSessions()
  collectgarbage()
  datasession.onError(nil)
  assert.same({}, troubles)
end)

describe("a DataSnap session", function()
  it("is made by the first call, and goes on with the id that the answer has", function()
    local session = new()
    assert.equal("logged out", session.state)
    assert.is_nil(session.sessionId)
    assert.is_nil(session.expiresAt)
    local level, result, info = session:invoke("TStock", "Level", { "A/7", 3 }):await(LIMIT)
    assert.same({ 41 }, level)
    assert.equal(datasession.SUCCESS, result)
    assert.equal(200, info.xhr.status)
    assert.is_nil(server:requests()[1].headers.pragma)
    assert.matches("^%d+%.%d+%.%d+$", session.sessionId)
    assert.is_true(session.connected)
    call(session, "TEcho", "Count")
    assert.equal("dssession=" .. session.sessionId, last().headers.pragma)
    assert.equal(1, server:sessionCount("datasnap"))
  end)

  it("keeps the id of an answer that refuses the call", function()
    local session = new { serviceURI = secured.uris.datasnap }
    assert(session:login("ada", "tea"):await(LIMIT))
    local id = session.sessionId
    local err = rejected(session:invoke("TStock", "Price", { "A/7", 3 }, { verb = "POST" }))
    assert.equal("http", err.kind)
    assert.equal(500, err.httpStatus)
    assert.equal("ada may not run TStock.updatePrice", err.response:json().error)
    assert.matches("ada may not run TStock.updatePrice$", err.message)
    assert.equal(id, session.sessionId)
    assert.is_true(session.connected)

    local fresh = new()
    rejected(fresh:invoke("TEcho", "Fail", { "no" }))
    assert.is_string(fresh.sessionId)
    rejected(fresh:invoke("TEcho", "Forbid", { "no" }))
    assert.equal("dssession=" .. fresh.sessionId, last().headers.pragma)
  end)

  it("takes another id in place of its own, and leaves it alone when an answer has none", function()
    local session = new()
    call(session, "TEcho", "Count")
    local first = session.sessionId
    server:fault { kind = "status", status = 200, body = '{"result":[1]}', contentType = "application/json" }
    local at = session.expiresAt
    assert.same({ 1 }, call(session, "TEcho", "Count"))
    assert.equal(first, session.sessionId)
    assert.equal(at, session.expiresAt)
    server:fault { kind = "status", status = 200, body = '{"result":[1]}', contentType = "application/json",
      headers = { Pragma = "no-cache , DSSession = other.1=2 ,dssessionexpires=60000" } }
    call(session, "TEcho", "Count")
    assert.equal("other.1=2", session.sessionId)
    assert.is_true(session.expiresAt < socket.gettime() + 61)
  end)

  it("has a deadline that each answer moves", function()
    local session = new()
    local renewed = {}
    session:subscribe("renewed", function(_, at) renewed[#renewed + 1] = at end)
    call(session, "TEcho", "Count")
    local first = session.expiresAt
    assert.is_true(math.abs(first - socket.gettime() - 1200) < 5)
    rejected(session:invoke("TEcho", "Fail"))
    assert.is_true(session.expiresAt > first)
    flush()
    assert.same({ session.expiresAt }, renewed)
  end)

  it("has none when the server says 0, nothing, or what is no number", function()
    local session = new()
    for _, pragma in ipairs { "dssession=a,dssessionexpires=0", "dssession=a",
      "dssession=a,dssessionexpires=1200x" } do
      call(session, "TEcho", "Count")
      assert.is_number(session.expiresAt)
      server:fault { kind = "status", status = 200, body = '{"result":[1]}', headers = { Pragma = pragma } }
      call(session, "TEcho", "Count")
      assert.equal("a", session.sessionId)
      assert.is_nil(session.expiresAt)
      session:disconnect():await(LIMIT)
    end
  end)

  it("forgets the id past its deadline before it sends anything, and begins another", function()
    server:setDataSnap { timeout = 1 }
    local session = new()
    local events = listen(session)
    call(session, "TEcho", "Count")
    local old = session.sessionId
    outlive(session)
    server:setDataSnap { timeout = 1200000 }
    local promise = session:invoke("TEcho", "Count")
    assert.is_nil(session.sessionId)
    assert.equal("expired", session.state)
    assert(promise:await(LIMIT))
    assert.is_nil(last().headers.pragma)
    assert.not_equal(old, session.sessionId)
    assert.same({ "online nil", "expired timeout " .. old, "offline Session has expired nil", "online nil" },
      events)
  end)

  it("notices that with getSessionID too", function()
    server:setDataSnap { timeout = 1 }
    local session = new()
    local events = listen(session)
    assert.is_nil(session:getSessionID())
    call(session, "TEcho", "Count")
    local old = session.sessionId
    outlive(session)
    assert.is_nil(session:getSessionID())
    flush()
    assert.equal("expired timeout " .. old, events[2])
    server:setDataSnap { timeout = 1200000 }
    call(session, "TEcho", "Count")
    assert.equal(session.sessionId, session:getSessionID())
  end)

  it("is lost when the server says SessionExpired, and is not asked for twice", function()
    local session = new()
    local events = listen(session)
    call(session, "TEcho", "Count")
    local old = session.sessionId
    server:expireSessions("datasnap")
    server:clearRequests()
    local err = rejected(session:invoke("TEcho", "Count"))
    assert.equal("expired", err.kind)
    assert.equal(403, err.httpStatus)
    assert.is_string(err.response:json().SessionExpired)
    assert.equal(1, #server:requests())
    assert.is_nil(session.sessionId)
    assert.is_nil(session.expiresAt)
    assert.equal("expired", session.state)
    flush()
    assert.equal("expired server " .. old, events[2])
    call(session, "TEcho", "Count")
    assert.is_nil(last().headers.pragma)
    assert.is_true(session.connected)
  end)

  it("learns of it from the call after one that closed it", function()
    local session = new()
    assert.same({ true }, call(session, "TEcho", "Close"))
    assert.is_string(session.sessionId)
    assert.equal("expired", rejected(session:invoke("TEcho", "Count")).kind)
  end)

  it("holds nothing with a server that keeps nothing between calls", function()
    server:setDataSnap { perRequest = true }
    local session = new()
    local events = listen(session)
    for _ = 1, 2 do
      call(session, "TEcho", "Count")
      assert.is_nil(last().headers.pragma)
    end
    assert.is_nil(session.sessionId)
    assert.is_nil(session.expiresAt)
    assert.is_true(session.connected)
    assert(session:ping():await(LIMIT))
    assert.same({ "online nil" }, events)
    assert.is_false(select(1, session:closeSession():await(LIMIT)))
  end)

  it("works with a server that says nothing of sessions", function()
    server:setDataSnap { pragma = false }
    local session = new()
    assert(session:login("ada", "tea"):await(LIMIT))
    assert.same({ 41 }, call(session, "TStock", "Level", { "A/7", 3 }))
    assert.equal("no may", rejected(session:invoke("TEcho", "Forbid", { "no may" })).response:json().error)
    assert.is_nil(session.sessionId)
  end)

  it("stands beside others, of the same and of another server", function()
    local sessions = { new(), new(), new { serviceURI = secured.uris.datasnap } }
    assert(sessions[3]:login("ada", "tea"):await(LIMIT))
    call(sessions[1], "TEcho", "Count")
    call(sessions[2], "TEcho", "Count")
    local ids = { sessions[1].sessionId, sessions[2].sessionId, sessions[3].sessionId }
    assert.not_equal(ids[1], ids[2])
    assert(sessions[1]:closeSession():await(LIMIT))
    call(sessions[2], "TEcho", "Count")
    call(sessions[3], "TEcho", "Count")
    assert.same({ ids[2], ids[3] }, { sessions[2].sessionId, sessions[3].sessionId })
  end)

  it("goes with session:request too", function()
    local session = new()
    call(session, "TEcho", "Count")
    local response = assert(session:request { path = "/datasnap/rest/TStock/Level/A%2F7/3/" }:await(LIMIT))
    assert.same({ result = { 41 } }, response:json())
    assert.equal("dssession=" .. session.sessionId, last().headers.pragma)
  end)

  it("shows its id, its parameters and its password in no message", function()
    local session = new()
    assert(session:login("ada", "s3cret-p"):await(LIMIT))
    local texts = {}
    for _, fault in ipairs { { kind = "reset" }, { kind = "status", status = 503 } } do
      server:fault(fault)
      local err = rejected(session:invoke("TEcho", "Echo", { "s3cret-a" },
        { filters = { ["s3cret-f"] = "x" } }))
      texts[#texts + 1] = tostring(err) .. tostring(err.uri)
    end
    server:expireSessions("datasnap")
    local id = session.sessionId
    texts[#texts + 1] = tostring(rejected(session:invoke("TEcho", "Echo", { "s3cret-b" })))
    texts[#texts + 1] = tostring(session)
    for _, text in ipairs(texts) do
      assert.not_matches("s3cret", text)
      assert.is_nil(text:find(id, 1, true))
    end
    assert.matches("/datasnap/rest/TEcho/Echo/", texts[1], 1, true)
  end)
end)

describe("login", function()
  it("sets the credentials and makes a session by a ping", function()
    local session = new { serviceURI = secured.uris.datasnap }
    local err = rejected(session:invoke("TEcho", "Count"))
    assert.equal("auth", err.kind)
    assert.equal(401, err.httpStatus)
    assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
    assert.is_nil(session.sessionId)
    local value, result = session:login("ada", "tea"):await(LIMIT)
    assert.equal(session, value)
    assert.equal(datasession.SUCCESS, result)
    assert.same({ "ada", "basic", 200 },
      { session.userName, session.authenticationModel, session.loginHttpStatus })
    assert.is_string(session.sessionId)
    call(session, "TEcho", "Count")
    for i, request in ipairs(secured:requests()) do
      assert.equal(i > 1 and "Basic YWRhOnRlYQ==" or nil, request.headers.authorization)
    end
    assert.equal("/datasnap/rest/DSAdmin/GetPlatformName/", secured:requests()[2].uri)
  end)

  it("rejects a wrong password, and keeps nothing of it", function()
    local session = new { serviceURI = secured.uris.datasnap }
    local err = rejected(session:login("ada", "coffee"))
    assert.equal("auth", err.kind)
    assert.equal(403, err.httpStatus)
    assert.equal(datasession.AUTHENTICATION_FAILURE, session.loginResult)
    assert.is_nil(session.sessionId)
    rejected(session:invoke("TEcho", "Count"))
    assert.is_nil(secured:requests()[2].headers.authorization)
    assert(session:login("ada", "tea"):await(LIMIT))
  end)

  it("is for nobody without a user, and for another drops the id", function()
    local session = new()
    assert(session:login():await(LIMIT))
    assert.equal("anonymous", session.authenticationModel)
    local first = session.sessionId
    assert(session:login("ada", ""):await(LIMIT))
    assert.is_nil(last().headers.pragma)
    assert.equal("Basic YWRhOg==", last().headers.authorization)
    assert.not_equal(first, session.sessionId)
    assert(session:login():await(LIMIT))
    assert.is_nil(last().headers.authorization)
    assert.same({ "anonymous" }, { session.authenticationModel, session.userName })
  end)

  it("takes an id for a proof, whatever the answer says else", function()
    server:fault { kind = "status", status = 500, body = '{"error":"not for you"}',
      headers = { Pragma = "dssession=x.1,dssessionexpires=1000000" } }
    local session = new()
    assert(session:login("ada", "tea"):await(LIMIT))
    assert.equal("x.1", session.sessionId)
    session:disconnect():await(LIMIT)
  end)

  it("rejects what is no DataSnap server", function()
    local session = new { dscontext = "nothing" }
    local err = rejected(session:login())
    assert.same({ "offline", 404 }, { err.kind, err.httpStatus })
    server:fault { kind = "html" }
    assert.equal("protocol", rejected(new():login()).kind)
    server:fault { kind = "status", status = 200, body = '{"result":[""]}' }
    assert.equal("protocol", rejected(new():login()).kind)
    assert.equal("logged out", session.state)
  end)

  it("raises for what cannot be sent", function()
    local session = new()
    assert.error_matches(function() session:login("ada") end, "a password")
    assert.error_matches(function() session:login("", "x") end, "must not be empty")
    assert.error_matches(function() session:login("a:b", "x") end, "':'")
    assert.error_matches(function() session:login("a\0b", "x") end, "NUL")
    assert.error_matches(function() session:login(nil, "x") end, "user name")
  end)
end)

describe("invoke", function()
  it("leaves the prefix of the verb to the server", function()
    local session = new()
    local before = server:calls()
    for verb, name in pairs { GET = "Echo", PUT = "acceptEcho", POST = "updateEcho",
      delete = "cancelEcho" } do
      assert.same({ { "a" } }, call(session, "TEcho", "Echo", { "a" }, { verb = verb }))
      assert.equal((before["TEcho." .. name] or 0) + 1, server:calls()["TEcho." .. name])
    end
    call(session, "TEcho", '"Echo"', { "a" }, { verb = "POST" })
    assert.equal((before["TEcho.Echo"] or 0) + 2, server:calls()["TEcho.Echo"])
    assert.error_matches(function() session:invoke("TEcho", "Echo", nil, { verb = "PATCH" }) end,
      "invoke: option 'verb': expected GET, PUT, POST or DELETE, got 'PATCH'")
  end)

  it("sends scalars in the path, each to come back as it was", function()
    local session = new()
    local values = { "", "a b", "A/7", "1+1=2", "ü;%2F?#&", true, false, datasession.null, 1.5, -7, 1e300,
      9007199254740993, "...", "~" }
    local back = echo(session, values)
    assert.equal(#values, #back)
    for i, value in ipairs(values) do assert.equal(value, back[i]) end
    assert.equal("integer", math.type(echo(session, { 3.0 })[1]))
    assert.same({ "" }, echo(session, { "" }))
    assert.same({}, echo(session, {}))
    assert.same({}, echo(session))
  end)

  it("sends the first table and all behind it in the body, with PUT and POST", function()
    local session = new()
    for _, verb in ipairs { "PUT", "POST" } do
      local function sent(params)
        local back = echo(session, params, { verb = verb })
        return last().uri:match("/Echo/(.*)$"), last().body, back
      end
      local path, body, back = sent { "a", { x = "1/2" }, "b", { 1, 2 } }
      assert.same({ "a/", '{"_parameters":[{"x":"1/2"},"b",[1,2]]}' }, { path, body })
      assert.same({ "a", { x = "1/2" }, "b", { 1, 2 } }, back)
      assert.same({ "a/", '{"x":1}' }, { (sent { "a", { x = 1 } }), last().body })
      assert.same({ "1/2/", "" }, { (sent { 1, 2 }), last().body })
      assert.same({ "", '"a/\\\\b"' }, { (sent "a/\\b"), last().body })
      assert.same({ "", '{"sku":7}' }, { (sent { sku = 7 }), last().body })
      assert.same({ "", '[]' }, { (sent { datasession.emptyArray }), last().body })
      path, body = sent { { _parameters = { 1, 2 }, more = 1 } } -- not a list of parameters
      assert.equal("", path)
      assert.matches('^{"[_m]', body)
      assert.not_matches('^{"_parameters":%[{', body)
      path, body, back = sent { { _parameters = { 1, 2 } } }
      assert.same({ "", '{"_parameters":[{"_parameters":[1,2]}]}' }, { path, body })
      assert.same({ { _parameters = { 1, 2 } } }, back)
      assert.same({ "", '".."' }, { (sent { ".." }), last().body })
    end
  end)

  it("takes one value that is no list, and lists with nil", function()
    local session = new()
    assert.same({ "a" }, echo(session, "a"))
    assert.same({ 7 }, echo(session, 7, { verb = "DELETE" }))
    local back = echo(session, table.pack(1, nil, "c", nil))
    assert.same({ 1, datasession.null, "c", datasession.null }, back)
    assert.error_matches(function() session:invoke("TEcho", "Echo", { 1, nil, 3 }) end, "holes")
    assert.error_matches(function() session:invoke("TEcho", "Echo", { n = 1, "a", "b" }) end, "field n")
  end)

  it("raises for what it cannot send", function()
    local session = new()
    local mistakes = {
      { { { 1 } }, nil, "parameter 1: a table cannot be sent with GET or DELETE" },
      { { "a", { x = 1 } }, { verb = "DELETE" }, "parameter 2: a table cannot be sent" },
      { { x = 1 }, nil, "parameter 1: a table cannot be sent" },
      { { ".." }, nil, "parameter 1: '.' and '..' cannot be sent in a path" },
      { { print }, nil, "parameter 1: expected .* got function" },
      { { 0 / 0 }, nil, "parameter 1: NaN" },
      { { { print } }, { verb = "POST" }, "parameter 1: " },
      { nil, { Verb = "GET" }, "unknown option 'Verb': did you mean 'verb'" },
      { nil, { filters = 1 }, "option 'filters': expected a table" },
      { nil, { filters = { x = {} } }, "option 'filters': 'x': expected" },
      { nil, { filters = { x = 0 / 0 } }, "option 'filters': 'x': NaN and infinity have no JSON$" },
      { nil, { filters = { "x" } }, "option 'filters': expected names" },
      { nil, { accept = "a\nb" }, "option 'accept'" },
    }
    for _, mistake in ipairs(mistakes) do
      assert.error_matches(function() session:invoke("TEcho", "Echo", mistake[1], mistake[2]) end, mistake[3])
    end
    assert.error_matches(function() session:invoke("", "Echo") end, "name of a class")
    assert.error_matches(function() session:invoke("TEcho", "..") end, "name of a class")
    assert.error_matches(function() session:invoke("TEcho") end, "string expected")
    assert.error_matches(function() session:invoke("TEcho", "Echo", { ("x"):rep(2 ^ 20) }) end, "too long")
    assert.equal(0, #server:requests())
  end)

  it("adds filters in order, bare ones for \"\" and null", function()
    local session = new()
    call(session, "TEcho", "Count", nil, { filters = { json = true, ["ss.r"] = "" } })
    assert.equal("/datasnap/rest/TEcho/Count/?json=true&ss.r", last().uri)
    call(session, "TEcho", "Count", nil, { filters = { ["ss.r"] = "a b&c", json = false } })
    assert.equal("/datasnap/rest/TEcho/Count/?json=false&ss.r=a%20b%26c", last().uri)
    assert.equal("/datasnap/rest/TEcho/Count/?a=1&b=2&c=3&d=4&e=5&f=6",
      session:getMethodURL("TEcho", "Count", nil, { filters = { f = 6, e = 5, d = 4, c = 3, b = 2, a = 1 } })
        :match "/datasnap/.*")
    local filters, names = {}, {}
    for i = 1, 300 do
      names[i] = ("f%d"):format(i * 7919 % 1000)
      filters[names[i]] = ""
    end
    table.sort(names)
    assert.equal("?" .. table.concat(names, "&"),
      session:getMethodURL("TEcho", "Count", nil, { filters = filters }):match "%?.*")
    local err = rejected(session:invoke("TEcho", "Count", nil, { filters = { unknown = 1 } }))
    assert.same({ "http", 409 }, { err.kind, err.httpStatus })
    assert.equal("/datasnap/rest/TEcho/Count/?unknown=1", last().uri)
    server:fault { kind = "status", status = 501, body = "" }
    err = rejected(session:invoke("TEcho", "Count"))
    assert.matches("HTTP 501 .*the server does not support that", err.message)
  end)

  it("gives the list of what comes back, bytes as they are, and true for nothing", function()
    local session = new()
    assert.same({ "ABC", 3, "abc" }, call(session, "TEcho", "Out", { "abc" }))
    local bytes = call(session, "TEcho", "Stream", { 256 }, { accept = "*/*" })
    assert.equal(256, #bytes)
    assert.equal("\0\1\2", bytes:sub(1, 3))
    assert.is_true(call(session, "TEcho", "Empty"))
    assert.is_true(call(session, "TEcho", "Out", { "abc" }, { hasResult = false }))
    assert.same({ datasession.null }, call(session, "TStock", "Price", { "none" }))
    server:fault { kind = "status", status = 200, body = '{"own":1}', contentType = "text/html" }
    assert.same({ own = 1 }, call(session, "TEcho", "Count"))
    server:fault { kind = "html" }
    assert.matches("^<", call(session, "TEcho", "Count"))
    server:fault { kind = "status", status = 200, body = '{"a":1}', contentType = "application/octet-stream" }
    assert.equal('{"a":1}', call(session, "TEcho", "Count"))
  end)

  it("reads the id of an answer that is not to be read otherwise", function()
    local session = new()
    call(session, "TEcho", "Count", nil, { hasResult = false })
    assert.is_string(session.sessionId)
  end)

  it("tells 401, both sorts of 403, and errors apart", function()
    local session = new()
    call(session, "TEcho", "Count")
    local id = session.sessionId
    local function fails(status, body)
      server:fault { kind = "status", status = status, body = body, contentType = "application/json" }
      local err = rejected(session:invoke("TEcho", "Count"))
      return { err.kind, err.httpStatus, err.result }
    end
    assert.same({ "auth", 401, datasession.AUTHENTICATION_FAILURE }, fails(401))
    assert.same({ "auth", 403, datasession.AUTHENTICATION_FAILURE }, fails(403, "<html>"))
    assert.same({ "auth", 403, datasession.GENERAL_FAILURE }, fails(403, '{"error":"not yours"}'))
    assert.same({ "http", 500, datasession.GENERAL_FAILURE }, fails(500, '{"error":"x"}'))
    assert.same({ "http", 200, datasession.GENERAL_FAILURE }, fails(200, '{"error":"SessionExpired"}'))
    assert.same({ "http", 500, datasession.GENERAL_FAILURE },
      fails(500, '{"SessionExpired":"not with this status"}'))
    assert.equal(id, session.sessionId)
    assert.is_true(session.connected)
    assert.same({ "expired", 403, datasession.AUTHENTICATION_FAILURE }, fails(403, '{"SessionExpired":""}'))
    assert.is_nil(session.sessionId)
  end)

  it("puts the server's text into a message of one line", function()
    local session = new()
    local err = rejected(session:invoke("TEcho", "Fail", { "a\r\nb" .. ("é"):rep(400) }))
    assert.not_matches("[%c]", err.message)
    assert.matches("^invoke: HTTP 500 .*a  bé", err.message)
    assert.is_number(utf8.len(err.message))
  end)

  local BROKEN = { "{", "{{{{", "{\0", "[", '{"error', "\255", '{"result":[1', '[{"result":' }

  it("bears bodies of every sort", function()
    local session = new()
    for _, body in ipairs { " ", "\0", "null", "{}", '{"result":1}', table.unpack(BROKEN) } do
      for _, status in ipairs { 200, 403, 500 } do
        server:fault { kind = "status", status = status, body = body, contentType = "text/html" }
        local value, err = session:invoke("TEcho", "Count"):await(LIMIT)
        assert.equal(status == 200, err == datasession.SUCCESS)
        assert.equal(status == 200, value ~= nil)
      end
    end
    server:fault { kind = "status", status = 500, body = '{"error":{"a":1}}' }
    assert.matches("the server's method failed$", rejected(session:invoke("TEcho", "Count")).message)
  end)

  it("rejects what calls itself JSON and is cut short, and keeps the session", function()
    local session = new()
    call(session, "TEcho", "Count")
    local id = session.sessionId
    for _, body in ipairs(BROKEN) do
      server:fault { kind = "status", status = 200, body = body, contentType = "application/json" }
      local err = rejected(session:invoke("TEcho", "Count"))
      assert.same({ "protocol", 200, body }, { err.kind, err.httpStatus, err.response.body })
      server:fault { kind = "status", status = 200, body = body, contentType = "application/json" }
      assert.is_true((session:invoke("TEcho", "Count", nil, { hasResult = false }):await(LIMIT)))
    end
    assert.equal(id, session.sessionId)
  end)

  it("wraps a lone scalar beside one filter, which servers would take for the body", function()
    local session = new()
    local function body(params, filters)
      return select(2, session:getMethodURL("TEcho", "Echo", params, { verb = "POST", filters = filters }))
    end
    assert.equal('{"_parameters":["ab"]}', body("ab", { ["ss.r"] = "1,2" }))
    assert.equal('{"_parameters":[12]}', body(12, { ["ss.r"] = "1,2", bare = "" }))
    assert.equal('"ab"', body("ab", { bare = "" }))
    assert.equal('"ab"', body("ab", { ["ss.r"] = 1, ["ss.o"] = 2 }))
    assert.equal('{"a":1}', body({ { a = 1 } }, { ["ss.r"] = 1 }))
    assert.same({ { "ab" } }, (assert(session:invoke("TEcho", "Echo", "ab",
      { verb = "POST", filters = { ["ss.r"] = "1,2" } }):await(LIMIT))))
  end)

  it("writes whole numbers as plain digits in path and body", function()
    local session = new()
    local uri, body = session:getMethodURL("TEcho", "Echo",
      { 1e20, -2.0 ^ 53, 3.0, 1e21, 0.5, { 1e15, { n = 1e20 } } },
      { verb = "POST" })
    assert.matches("/Echo/100000000000000000000/-9007199254740992/3/1e%2B21/0.5/", uri, 1, true)
    assert.equal('[1000000000000000,{"n":100000000000000000000}]', body)
    for _, value in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      assert.error_matches(function() session:invoke("TEcho", "Echo", { 1, value }) end,
        "invoke: parameter 2: NaN and infinity have no JSON", 1, true)
      assert.error_matches(function() session:invoke("TEcho", "Echo", { { price = value } }, { verb = "PUT" })
        end,
        "parameter 1: NaN and infinity have no JSON (at key price)", 1, true)
    end
    assert.error_matches(function() session:invoke("TEcho", "Echo", { { name = "Zo\xeb" } }, { verb = "PUT" })
      end,
      "parameter 1: a string that is not UTF-8 has no JSON (at key name)", 1, true)
  end)

  it("gets on with the servers of RAD Studio 11", function()
    server:setDataSnap { generation = "newer" }
    finally(function() server:setDataSnap { generation = "older" } end)
    local session = new()
    assert.is_string((assert(session:invoke("TEcho", "Empty"):await(LIMIT))))
    assert.equal("\0\1\2", (assert(session:invoke("TEcho", "Stream", { 3 }, { bytes = true }):await(LIMIT))))
    assert.same({ { 0, 1, 2 } }, (assert(session:invoke("TEcho", "Stream", { 3 }):await(LIMIT))))
    local result = assert(session:invoke("TEcho", "Table", { 3 },
      { accept = "application/rest" }):await(LIMIT))
    assert.equal("\0\1\2", (assert(session:cache(result[3], { bytes = true }):await(LIMIT))))
    assert.is_true((assert(session:cache(nil, { verb = "DELETE" }):await(LIMIT))))
    local err = rejected(session:batch { { class = "TEcho", method = "Count" } })
    assert.same({ "http", 501 }, { err.kind, err.httpStatus })
    assert.matches("does not support batches", err.message)
    assert.is_true((session:closeSession():await(LIMIT)))
  end)

  it("takes a member error for a value, but a text that is the only member", function()
    local session = new()
    for _, body in ipairs { '{"error":null,"rows":[1]}', '{"rows":[1],"error":null}', '{"error":""}',
      '{"error":null}',
      '{"error":false}', '{"error":0}', '{"error":[1]}', '{"error":{"a":1}}', '{"error":"x","rows":[1]}',
      '{"rows":[1],"error":"x"}', '{"error":"x","note":"y"}' } do
      server:fault { kind = "status", status = 200, body = body, contentType = "application/json" }
      local answer = assert(session:invoke("TEcho", "Count"):await(LIMIT))
      assert.same(require("datasession.internal.codec").decode(body), answer)
    end
    server:fault { kind = "status", status = 200, body = ' { "error" : "it failed" } ',
      contentType = "text/html" }
    local err = rejected(session:invoke("TEcho", "Count"))
    assert.equal("http", err.kind)
    assert.matches("it failed$", err.message)
  end)

  it("gives a stream as a string, as older and newer servers send it, with the option bytes", function()
    local session = new()
    local all = {}
    for i = 0, 255 do all[i + 1] = string.char(i) end
    all = table.concat(all)
    local list = "[" .. all:gsub(".", function(c) return c:byte() .. "," end):sub(1, -2) .. "]"
    for body, contentType in pairs { [all] = "application/octet-stream",
      ['{"result":' .. list .. "}"] = "text/html",
      ['{"result":[' .. list .. "]}"] = "application/json" } do
      server:fault { kind = "status", status = 200, body = body, contentType = contentType }
      assert.equal(all, (assert(session:invoke("TEcho", "Stream", nil, { bytes = true }):await(LIMIT))))
    end
    local plain = { [""] = "application/json", ["[1,2]"] = "text/html", ["{}"] = "application/octet-stream" }
    for body, contentType in pairs(plain) do
      server:fault { kind = "status", status = 200, body = body, contentType = contentType }
      assert.equal(body, (assert(session:invoke("TEcho", "Stream", nil, { bytes = true }):await(LIMIT))))
    end
    for _, body in ipairs { '{"result":[[256]]}', '{"result":[["a"]]}', '{"result":[1,[2]]}', '{"result":1}',
      '{"result":[{"a":1}]}', '{"result":{"a":1}}',
      "{" } do
      server:fault { kind = "status", status = 200, body = body, contentType = "application/json" }
      assert.equal("protocol", rejected(session:invoke("TEcho", "Stream", nil, { bytes = true })).kind)
    end
  end)

  it("is bounded by its option timeout", function()
    local session = new()
    server:fault { kind = "slow", delay = 5 }
    assert.equal("timeout", rejected(session:invoke("TEcho", "Count", nil, { timeout = 0.05 })).kind)
  end)

  it("is for sessions that live, and for protocols that have methods", function()
    local session = new()
    assert(session:invalidate():await(LIMIT))
    for _, promise in ipairs { session:invoke("TEcho", "Count"), session:batch {}, session:cache() } do
      assert.equal("closed", rejected(promise).kind)
    end
    assert.equal(0, #server:requests())
  end)

  it("keeps the session that the first of two first calls was answered with", function()
    local session = new()
    local one, two = session:invoke("TEcho", "Count"), session:invoke("TEcho", "Count")
    assert(one:await(LIMIT))
    assert(two:await(LIMIT))
    local id = session.sessionId
    call(session, "TEcho", "Count")
    assert.equal(id, session.sessionId)
  end)
end)

describe("closeSession", function()
  it("closes it on the server, and gives the answer", function()
    local session = new()
    call(session, "TEcho", "Count")
    local value, result = session:closeSession():await(LIMIT)
    assert.same({ result = { true } }, value)
    assert.equal(datasession.SUCCESS, result)
    assert.equal("/datasnap/rest/CloseSession/", last().uri)
    assert.is_string(last().headers.pragma)
    assert.equal(0, server:sessionCount("datasnap"))
    assert.equal("logged out", session.state)
  end)

  it("gives false, and sends nothing, when none is held", function()
    server:setDataSnap { timeout = 1 }
    local session = new()
    assert.is_false((session:closeSession():await(LIMIT)))
    call(session, "TEcho", "Count")
    outlive(session)
    assert.is_false((session:closeSession():await(LIMIT)))
    assert.equal(1, #server:requests())
  end)

  it("is not asked for by logout either when the deadline is over", function()
    server:setDataSnap { timeout = 1 }
    local session = new()
    call(session, "TEcho", "Count")
    outlive(session)
    assert(session:logout():await(LIMIT))
    assert.equal(1, #server:requests())
  end)

  it("forgets the id at once, whatever comes of it", function()
    local session = new()
    for _, fault in ipairs { { kind = "reset", count = 0 }, { kind = "status", status = 500 } } do
      call(session, "TEcho", "Count")
      server:fault(fault)
      local promise = session:closeSession()
      assert.is_nil(session.sessionId)
      assert.is_false(rejected(promise).retryable)
      server:clearFaults()
      assert.is_false((session:closeSession():await(LIMIT)))
    end
    call(session, "TEcho", "Count")
    server:expireSessions("datasnap")
    assert.equal("expired", rejected(session:closeSession()).kind)
  end)

  it("gives true for a page, and for nothing", function()
    local session = new()
    for _, body in ipairs { "<html>OK</html>", "" } do
      call(session, "TEcho", "Count")
      server:fault { kind = "status", status = 200, body = body, contentType = "text/html" }
      assert.is_true((session:closeSession():await(LIMIT)))
    end
  end)

  it("keeps the credentials: the next call makes a session of the same user", function()
    local session = new()
    assert(session:login("ada", "tea"):await(LIMIT))
    assert(session:closeSession():await(LIMIT))
    assert.is_nil(session.sessionId)
    assert.equal("ada", session.userName)
    assert.equal(0, server:sessionCount("datasnap"))
    call(session, "TEcho", "Count")
    assert.matches("^Basic ", last().headers.authorization)
    assert.is_string(session.sessionId)
    assert(session:closeSession():await(LIMIT))
    assert.is_false((session:closeSession():await(LIMIT)))
    call(session, "TEcho", "Count")
    assert.matches("^Basic ", last().headers.authorization)
    assert(session:logout():await(LIMIT))
    call(session, "TEcho", "Count")
    assert.is_nil(last().headers.authorization)
  end)

  it("keeps none that the server has not accepted", function()
    local session = new()
    local login = session:login("ada", "tea")
    session:closeSession():await(LIMIT)
    assert.equal("cancelled", rejected(login).kind)
    call(session, "TEcho", "Count")
    assert.is_nil(last().headers.authorization)
  end)

  it("is what stop asks for, too", function()
    local session = new()
    call(session, "TEcho", "Count")
    assert(session:stop():await(LIMIT))
    assert.equal("logged out", session.state)
    assert.equal(0, server:sessionCount("datasnap"))
  end)

  it("is what logout and invalidate do, which are content when it is gone already", function()
    local session = new()
    for _, verb in ipairs { "logout", "invalidate" } do
      assert(session:login("ada", "tea"):await(LIMIT))
      server:expireSessions("datasnap")
      local value = assert(session[verb](session):await(LIMIT))
      assert.equal(session, value)
      assert.equal("/datasnap/rest/CloseSession/", last().uri)
    end
  end)
end)

describe("ping", function()
  it("asks for the platform's name, makes a session and renews it", function()
    local session = new()
    local value, result = session:ping():await(LIMIT)
    assert.equal(session, value)
    assert.is_true(result)
    assert.equal("/datasnap/rest/DSAdmin/GetPlatformName/", last().uri)
    local id, at = session.sessionId, session.expiresAt
    assert(session:ping():await(LIMIT))
    assert.equal(id, session.sessionId)
    assert.is_true(session.expiresAt > at)
    assert(session:isAuthorized():await(LIMIT))
  end)

  it("rejects an empty name, a page, and a server that is away", function()
    local session = new()
    local events = listen(session)
    call(session, "TEcho", "Count")
    local id = session.sessionId
    server:fault { kind = "status", status = 200, body = '{"result":[""]}', contentType = "application/json" }
    local err = rejected(session:ping())
    assert.same({ "protocol", false }, { err.kind, err.result })
    server:fault { kind = "html" }
    err = rejected(session:ping(), "protocol")
    assert.is_true(err.retryable) -- the next answer may be a DataSnap server's again
    server:fault { kind = "status", status = 503 }
    assert.equal("offline", rejected(session:ping()).kind)
    server:stop()
    assert.equal("connect", rejected(session:ping()).kind)
    server:start()
    assert.is_false(session.connected)
    assert(session:ping():await(LIMIT))
    assert.is_true(session.connected)
    assert.equal(id, session.sessionId)
    assert.same({ "online nil", "offline " .. datasession.WEB_APPLICATION_OFFLINE .. " nil", "online nil" },
      events)
  end)

  it("rejects an answer of the session's that is none to a ping, in the server's words where there are any",
    function()
    local session = new()
    call(session, "TEcho", "Count")
    local pragma = "dssession=" .. session.sessionId .. ",dssessionexpires=1000"
    for body, message in pairs { ['{"error":"no such method"}'] = "no such method",
      ['{"a":["error","result"]}'] = "not an answer to a ping" } do
      server:fault { kind = "status", status = 200, body = body, contentType = "application/json",
        headers = { Pragma = pragma } }
      local err = rejected(session:ping())
      assert.equal("protocol", err.kind)
      assert.is_false(err.retryable)
      assert.matches(message, err.message, 1, true)
      assert.not_matches(session.sessionId, tostring(err), 1, true)
    end
    assert.is_true(session.connected)
  end)

  it("is no part of what a request's response shows of the session", function()
    local session = new()
    local response = assert(session:request { path = "/datasnap/rest/TEcho/Count/" }:await(LIMIT))
    assert.is_nil(response.headers.pragma)
    assert.equal("application/json", response.headers["content-type"])
    assert.is_string(session.sessionId)
  end)

  it("is told that the device has no network, whatever the server says", function()
    local session = new()
    assert(session:ping():await(LIMIT))
    datasession.setDeviceOnline(false)
    local err = rejected(session:ping())
    datasession.setDeviceOnline(true)
    assert.equal("offline", err.kind)
    assert.matches("this device has no network", err.message, 1, true)
  end)

  it("rejects a user who may not have a session, and keeps the one that there is", function()
    local session = new { serviceURI = secured.uris.datasnap }
    local err = rejected(session:ping())
    assert.same({ "auth", 401 }, { err.kind, err.httpStatus })
    assert(session:login("ada", "tea"):await(LIMIT))
    local id = session.sessionId
    secured:fault { kind = "status", status = 403 }
    assert.equal("auth", rejected(session:isAuthorized()).kind)
    assert.equal(id, session.sessionId)
    assert.is_true(session.connected)
  end)
end)

describe("the cache", function()
  it("keeps the results that were asked for so, for the session alone", function()
    local session = new()
    local list, _, info = session:invoke("TEcho", "Table", { 2 },
      { accept = "application/rest" }):await(LIMIT)
    assert.same({ 0, 0 }, { info.cacheId, info.cmdIndex })
    assert.same({ 2, "0/0/1", "0/0/2", "0/0/3" }, list)
    local rows = assert(session:cache(list[2]):await(LIMIT))
    assert.same({ name = { "row 1", "row 2" }, number = { 1, 2 } }, rows)
    assert.equal("dssession=" .. session.sessionId, last().headers.pragma)
    assert.equal("\0\1", (session:cache(list[3], { accept = "application/octet-stream" }):await(LIMIT)))
    assert.same({ 0, 1 }, (session:cache("/cache/" .. list[3]):await(LIMIT)))
    assert.is_table(session:cache():await(LIMIT)["0"])
    assert.is_true((session:cache("0", { verb = "DELETE" }):await(LIMIT)))
    local err = rejected(session:cache(list[2]))
    assert.same({ "http", 200 }, { err.kind, err.httpStatus })
    err = rejected(session:cache("0/0/1", { verb = "DELETE" }))
    assert.same({ "http", 400 }, { err.kind, err.httpStatus })
  end)

  it("renews the session, though its answers do not say so", function()
    local session = new()
    call(session, "TEcho", "Count")
    local id, at = session.sessionId, session.expiresAt
    assert(session:cache():await(LIMIT))
    assert.is_true(session.expiresAt > at)
    at = session.expiresAt
    assert(session:batch { { class = "TEcho", method = "Count" } }:await(LIMIT))
    assert.is_true(session.expiresAt > at)
    at = session.expiresAt
    server:fault { kind = "status", status = 200, body = "no JSON", contentType = "application/json" }
    rejected(session:cache())
    assert.is_true(session.expiresAt > at)
    assert.equal(id, session.sessionId)
  end)

  it("is not asked without a session, and tells that one is lost", function()
    local session = new()
    assert.equal("auth", rejected(session:cache()).kind)
    assert.equal(0, #server:requests())
    call(session, "TEcho", "Count")
    server:expireSessions("datasnap")
    assert.equal("expired", rejected(session:cache()).kind)
    assert.is_nil(session.sessionId)
    assert.equal("expired", rejected(session:cache()).kind)
    assert.equal(2, #server:requests())
  end)

  it("raises for what is not in it", function()
    local session = new()
    assert.error_matches(function() session:cache("../rest/TEcho/Count/") end, "out of the cache")
    assert.error_matches(function() session:cache("0", { verb = "PUT" }) end,
      "expected GET or DELETE, got 'PUT'")
    assert.error_matches(function() session:cache("0", { filters = {} }) end, "unknown option 'filters'")
  end)
end)

describe("addresses", function()
  it("are told as the vendor's client tells them", function()
    local session = new()
    local origin = server.origin
    assert.equal(origin .. "/datasnap/rest/", session:getURLPrefix())
    assert.equal(origin .. "/datasnap/", session:getURLPrefix(false))
    assert.equal(origin .. "/datasnap/cache/", session:getCacheURL())
    for _, suffix in ipairs { "1/0", "/1/0", "cache/1/0", "/cache/1/0" } do
      assert.equal(origin .. "/datasnap/cache/1/0", session:getCacheURL(suffix, true))
    end
    assert.is_nil(session:getCacheURL({ 1 }))
    call(session, "TEcho", "Count")
    assert.equal(origin .. "/datasnap/cache/1?sid=" .. session.sessionId, session:getCacheURL("1", true))
    assert.equal(origin .. "/datasnap/cache/1?a&sid=" .. session.sessionId, session:getCacheURL("1?a", true))
    assert.equal(origin .. "/datasnap/cache/1", session:getCacheURL("1"))
    assert.equal(origin .. "/datasnap/rest/TEcho/Echo/a/?x=1",
      session:getMethodURL("TEcho", "Echo", { "a" }, { filters = { x = 1 } }))
    local url, body = session:getMethodURL("TEcho", "Echo", { "a", { 1 } }, { verb = "PUT" })
    assert.same({ origin .. "/datasnap/rest/TEcho/Echo/a/", "[1]" }, { url, body })
  end)

  it("follow the options", function()
    local session = new {
      serviceURI = server.origin .. "/app/", dscontext = "/ds/", restcontext = "", cachecontext = "",
    }
    assert.equal(server.origin .. "/app/ds/", session:getURLPrefix())
    assert.equal(server.origin .. "/app/ds/cache/x", session:getCacheURL("x"))
    for _, context in ipairs { "ds", "/ds", "ds/", "//ds", "//ds//" } do
      session = new { dscontext = context, restcontext = context, cachecontext = context }
      assert.same({ server.origin .. "/ds/ds/", server.origin .. "/ds/ds/x" },
        { session:getURLPrefix(), session:getCacheURL "x" })
    end
    session = new { dscontext = "/", restcontext = "//" }
    assert.equal(server.origin .. "/", session:getURLPrefix())
    session = new { dscontext = "", restcontext = "" }
    assert.equal(server.origin .. "/", session:getURLPrefix())
    assert.equal(server.origin .. "/A/b/c/", (session:getMethodURL("A", "b", { "c" })))
    assert.equal(server.origin .. "/cache/", session:getCacheURL())
    assert.matches("/A/b/: nothing is there", rejected(session:invoke("A", "b", { "c" })).message)
    assert.same({ 41 }, call(new { dscontext = "DataSnap", restcontext = "REST" }, "TStock", "Level",
      { "A/7", 3 }))
    for path, left_out in pairs {
      ["/datasnap/rest"] = "/datasnap/rest", ["/app/datasnap/rest/"] = "/datasnap/rest",
      ["/datasnap"] = "/datasnap",
    } do
      assert.error_matches(function() new { serviceURI = server.origin .. path } end,
        ("option 'serviceURI': leave '%s' out: the library adds it"):format(left_out), 1, true)
    end
    assert(new { serviceURI = server.origin .. "/datasnap/rest", dscontext = "ds" })
    assert.error_matches(function() new { dscontext = "a?b" } end, "option 'dscontext'")
    assert.error_matches(function() new { dscontext = 1 } end, "option 'dscontext': expected a string")
    assert.error_matches(function() new { context = {} } end, "unknown option 'context'")
  end)
end)

describe("batch", function()
  it("runs calls in one request, each with an answer of its own", function()
    local session = new()
    local answers = assert(session:batch({
      { class = "TStock", method = "Level", params = { "A/7", 3 } },
      { class = "TEcho", method = "Fail", params = "no" },
      { class = "TEcho", method = "Echo", params = table.pack({ x = {} }, nil) },
    }):await(LIMIT))
    assert.same({ { result = { 41 } }, { error = "no" }, { result = { { { x = {} }, datasession.null } } } },
      answers)
    assert.equal("dssession=" .. session.sessionId, last().headers.pragma)
    assert.equal(1, server:sessionCount("datasnap"))
    assert.same({}, (session:batch {}:await(LIMIT)))
    assert.error_matches(function() session:batch { { class = "A" } } end, "batch: call 1: expected a table")
    server:expireSessions("datasnap")
    local err = rejected(session:batch {})
    assert.equal("expired", err.kind)
    assert.matches("^batch: HTTP 403 ", err.message)
  end)

  it("is not run when there is no session for its user", function()
    local session = new { serviceURI = secured.uris.datasnap }
    local err = rejected(session:batch { { class = "TEcho", method = "Count" } })
    assert.same({ "auth", 401 }, { err.kind, err.httpStatus })
    assert.equal(1, #secured:requests())
  end)
end)

describe("the option reconnect", function()
  it("begins another session and repeats the call, once", function()
    local session = new { reconnect = { delay = 0.01, maxAttempts = 50 } }
    local events = listen(session)
    assert(session:login("ada", "tea"):await(LIMIT))
    local old = session.sessionId
    server:expireSessions("datasnap")
    local before = server:calls()["TEcho.updateEcho"] or 0
    assert.same({ { 1 } }, call(session, "TEcho", "Echo", { 1 }, { verb = "POST" }))
    assert.equal(before + 1, server:calls()["TEcho.updateEcho"])
    assert.not_equal(old, session.sessionId)
    assert.equal("Basic YWRhOnRlYQ==", last().headers.authorization)
    assert.equal("expired server " .. old, events[2])
    flush()
    assert.equal("reconnected 1 nil", events[#events])
  end)

  -- A call while the server is away, which is to come back when `prepare` has run.
  local function callMeanwhile(session, prepare)
    server:stop()
    local promise = session:invoke("TEcho", "Count")
    while session.state ~= "reconnecting" do datasession.step(0.1) end
    assert(server:start())
    prepare()
    assert(promise:await(LIMIT))
  end

  it("comes back with the id when the server still has it", function()
    local session = new { reconnect = { delay = 0.01, maxAttempts = 50 } }
    call(session, "TEcho", "Count")
    local id = session.sessionId
    callMeanwhile(session, function() end)
    assert.equal(id, session.sessionId)
  end)

  it("comes back without when it was lost with the line", function()
    local session = new { reconnect = { delay = 0.01, maxAttempts = 50 } }
    local events = listen(session)
    call(session, "TEcho", "Count")
    local id = session.sessionId
    callMeanwhile(session, function() server:expireSessions("datasnap") end)
    assert.not_equal(id, session.sessionId)
    assert.matches("expired server " .. id, table.concat(events, "\n"), 1, true)
  end)

  it("comes back without when its deadline passed meanwhile", function()
    server:setDataSnap { timeout = 100 }
    local session = new { reconnect = { delay = 0.2 } } -- seconds: more than the session has
    local events = listen(session)
    call(session, "TEcho", "Count")
    local id = session.sessionId
    server:stop()
    local promise = session:invoke("TEcho", "Count")
    local second
    session:subscribe("reconnecting", function(_, attempt) second = attempt == 2 end)
    while not second do datasession.step(0.1) end
    assert(server:start())
    server:clearRequests()
    assert(promise:await(LIMIT))
    assert.is_nil(server:requests()[1].headers.pragma)
    assert.matches("expired timeout " .. id, table.concat(events, "\n"), 1, true)
  end)

  it("repeats a call that may have been run only if told so", function()
    local session = new { reconnect = { delay = 0.01 } }
    session:subscribe("reconnecting", function() server:clearFaults() end)
    call(session, "TEcho", "Count")
    server:fault { kind = "reset", count = 0 }
    local err = rejected(session:invoke("TEcho", "Count"))
    assert.equal("connect", err.kind)
    server:fault { kind = "reset", count = 0 }
    assert.is_table(session:invoke("TEcho", "Count", nil, { idempotent = true }):await(LIMIT))
  end)
end)

describe("examples/datasnap.lua", function()
  it("runs", function()
    local result = child.start('dofile "examples/datasnap.lua"'):finish()
    assert.equal(0, result.code, result.output)
    assert.matches("event expired: server", result.output)
  end)
end)
