-- Errors: their kinds, their fields, and the secrets that they never hold.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local USER, PASSWORD = "lüa", "p:w &hüsh-1"

describe("an error", function()
  local server

  setup(function() server = assert(sandbox.start { users = { [USER] = PASSWORD } }) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
  end)

  after_each(function()
    server:clearFaults()
    sessions.endAll()
  end)

  local function new(model, options)
    return sessions.new(server, model, options)
  end

  local function loggedIn(model, options)
    local session = new(model, options)
    assert(session:login(USER, PASSWORD):await(LIMIT))
    return session
  end

  local function login(session)
    return session:login(USER, PASSWORD)
  end

  -- By kind: a function that returns a promise which is rejected so, and other expectations.
  local ways = {
    timeout = function()
      server:fault { kind = "slow", delay = 60 }
      return login(new("basic", { timeout = 0.1 })), { retryable = true, hint = "timeout" }
    end,
    stall = function()
      server:fault { kind = "slow", delay = 60 }
      return login(new("form", { stallTimeout = 0.1 })), { retryable = true, hint = "stallTimeout" }
    end,
    dns = function()
      return login(new("basic", { serviceURI = "http://nowhere.invalid/App" })),
        { retryable = true, hint = "name" }
    end,
    connect = function()
      server:fault { kind = "reset", count = 0 }
      return login(new "form"), { retryable = true, hint = "connection" }
    end,
    tls = function()
      return login(new("basic", { serviceURI = "https" .. server.uris.basic:sub(5) })), { hint = "http://" }
    end,
    proxy = function()
      return login(new("basic", { proxy = "http://lua:p%3Aw@127.0.0.1:1" })),
        { retryable = true, hint = "proxy" }
    end,
    auth = function()
      return new("form"):login(USER, PASSWORD .. "!"), { result = 2, httpStatus = 401 }
    end,
    expired = function()
      local session = loggedIn "form"
      server:expireSessions()
      return session:isAuthorized(), { result = 2, httpStatus = 401, hint = "login" }
    end,
    offline = function()
      local session = loggedIn "basic"
      server:fault { kind = "status", status = 404, count = 0 }
      return session:ping(), { result = false, httpStatus = 404, retryable = true, hint = "serviceURI" }
    end,
    http = function()
      return loggedIn("basic"):request { path = "/nothing?token=hush", body = PASSWORD }, { httpStatus = 404 }
    end,
    protocol = function()
      server:fault { kind = "raw", body = "220 hello\r\n" }
      return login(new "form"), { hint = "HTTP server" }
    end,
    catalog = function()
      server:fault { kind = "malformed", path = "%.json$" }
      return loggedIn("form"):addCatalog(server.catalogURIs.form .. "?token=hush"), { httpStatus = 200 }
    end,
    cancelled = function()
      local promise = login(new "form")
      promise:cancel()
      return promise, {}
    end,
    closed = function()
      local session = loggedIn "form"
      local promise = session:ping()
      session:invalidate()
      return promise, {}
    end,
  }

  for kind, way in pairs(ways) do
    it("of kind " .. kind .. " tells what happened in one line", function()
      local promise, expected = way()
      local value, err = promise:await(LIMIT)
      assert.is_nil(value)
      assert.equal(kind, err.kind)
      local result = expected.result
      if result == nil then
        result = datasession.GENERAL_FAILURE
      end
      assert.equal(result, err.result)
      assert.equal(expected.httpStatus, err.httpStatus)
      assert.equal(expected.retryable or false, err.retryable)
      assert.equal("string", type(err.message))
      if expected.hint then
        assert.matches(expected.hint, err.hint, 1, true)
        assert.equal(("%s (%s)"):format(err.message, err.hint), tostring(err))
      end
      assert.not_matches("[%c]", tostring(err))
      if err.uri then
        assert.not_matches("?", err.uri, 1, true)
      end
      assert.is_true(kind == "cancelled" or kind == "closed" or err.uri ~= nil)
      assert.equal("userdata", type(err.session))
      assert.equal("table", type(err.info))
      assert.equal(err, err.info.errorObject)
    end)
  end

  it("reaches fail as the session, the result and the info, and await as itself", function()
    local session, seen = new "basic", nil
    local promise = session:login(USER, "wrong")
    promise:fail(function(...) seen = table.pack(...) end)
    local _, err = promise:await(LIMIT)
    datasession.step(0)
    assert.equal(3, seen.n)
    assert.equal(session, seen[1])
    assert.equal(datasession.AUTHENTICATION_FAILURE, seen[2])
    assert.equal(err.info, seen[3])
    assert.equal(err, seen[3].errorObject)
    assert.equal(401, seen[3].xhr.status)
  end)

  it("stays one line whatever the server says", function()
    local session = loggedIn "basic"
    server:fault { kind = "redirect", location = "http://h/a\tb" }
    local _, err = session:request { path = "/a" }:await(LIMIT)
    assert.not_matches("[%c]", tostring(err))
    server:fault { kind = "status", status = 200, body = "{\"services\": \"a\\nb\\u0000c\"}", path = "json$" }
    _, err = session:addCatalog(server.catalogURIs.basic):await(LIMIT)
    assert.not_matches("[%c]", tostring(err))
  end)

  describe("never tells", function()
    -- Every string that is reachable from a value.
    local function texts(value, found, seen)
      found, seen = found or {}, seen or {}
      if type(value) == "string" then
        found[#found + 1] = value
      elseif (type(value) == "table" or type(value) == "userdata") and not seen[value] then
        seen[value] = true
        found[#found + 1] = tostring(value)
        if type(value) == "table" then
          for key, member in pairs(value) do
            texts(key, found, seen)
            texts(member, found, seen)
          end
        elseif tostring(value):find "^datasession%.response" then
          for _, name in ipairs { "status", "body", "headers", "uri", "timing" } do
            texts(value[name], found, seen)
          end
        end
        texts(debug.getmetatable(value), found, seen)
      end
      return found
    end

    -- Secrets: the password in every encoding that is sent, cookies, the Authorization header.
    local function secrets()
      local list = { PASSWORD, "hüsh", "h%C3%BCsh", "token=", "p%3Aw", "JSESSIONID=" }
      for _, request in ipairs(server:requests()) do
        local authorization = request.headers.authorization
        if authorization then
          list[#list + 1] = authorization:match " (.*)$"
        end
        for value in (request.headers.cookie or ""):gmatch "=([^;]+)" do
          list[#list + 1] = value
        end
      end
      return list
    end

    local function assertClean(...)
      local found = texts { ... }
      for _, secret in ipairs(secrets()) do
        for _, text in ipairs(found) do
          assert.is_nil(text:find(secret, 1, true), ("%q is in %q"):format(secret, text))
        end
      end
    end

    for kind, way in pairs(ways) do
      it("a password, a cookie or an Authorization header: kind " .. kind, function()
        local promise = way()
        local seen
        promise:fail(function(...) seen = table.pack(...) end)
        local _, err = promise:await(LIMIT)
        datasession.run(LIMIT)
        if err.info.catalogURI then
          assert.matches("token=hush$", err.info.catalogURI) -- the caller's own words, by which he knows it
          err.info.catalogURI, err.info.details[1].catalogURI = nil, nil
        end
        assertClean(err, seen, err.session, tostring(promise))
      end)
    end

    it("them in the info of what goes well, in a session's text or properties", function()
      for _, model in ipairs { "basic", "form" } do
        local session = new(model)
        local all = { table.pack(session:login(USER, PASSWORD):await(LIMIT)) }
        all[2] = table.pack(session:ping():await(LIMIT))
        all[3] = table.pack(session:isAuthorized():await(LIMIT))
        all[4] = table.pack(session:addCatalog(server.catalogURIs[model]):await(LIMIT))
        all[5] = table.pack(session:request { path = "/rest/CustomerService/Customer?token=x" }:await(LIMIT))
        all[6] = tostring(session)
        all[7] = table.pack(session:logout():await(LIMIT))
        all[8] = tostring(datasession.engine)
        assertClean(all)
      end
    end)
  end)
end)
