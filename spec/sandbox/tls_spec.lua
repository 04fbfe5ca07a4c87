-- The sandbox over https, with a certificate made at its start, and its users.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local logins = dofile "spec/support/logins.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local HAS_NO_USERS = { anonymous = true, bearer = true, btt = true }

describe("a sandbox with a certificate made at its start", function()
  local server, other

  setup(function()
    server = assert(sandbox.start { tls = true, users = { ada = "lovelace" } })
    other = assert(sandbox.start { tls = true })
  end)
  teardown(function()
    server:close()
    other:close()
  end)
  before_each(function() server:clearRequests() end)
  after_each(sessions.endAll)

  it("has an application for each login of this spec", function()
    for name in pairs(server.uris) do -- oauth gives tokens, and has no login
      if name ~= "oauth" then assert.is_function(logins[name], name) end
    end
  end)

  for name, login in pairs(logins) do
    it("lets " .. name .. " log in with caFile, and not with another authority's or without", function()
      await.rejected(login(server, "ada", "lovelace"), "tls")
      local err = await.rejected(login(server, "ada", "lovelace", { caFile = other.caFile }), "tls")
      assert.matches("certificate not trusted", tostring(err))
      assert.same({}, server:requests())
      assert(login(server, "ada", "lovelace", { caFile = server.caFile }):await(LIMIT))
      assert.is_true(#server:requests() > 0)
    end)

    it("knows its own users alone in " .. name, function()
      for user, password in pairs { ada = "secret", lua = "secret" } do
        local ok, err = login(server, user, password, { caFile = server.caFile }):await(LIMIT)
        if HAS_NO_USERS[name] then assert(ok, err) else assert.equal("auth", err and err.kind) end
      end
    end)
  end

  it("is reached by the name localhost, and by no other", function()
    local uri = server.uris.anonymous:gsub("127%.0%.0%.1", "localhost")
    assert(datasession.new({ serviceURI = uri, caFile = server.caFile }):login():await(LIMIT))
    local named <close> = assert(sandbox.start { tls = { names = { "*.example.com", "192.0.2.1", "::1" } } })
    local err = await.rejected(logins.anonymous(named, nil, nil, { caFile = named.caFile }), "tls")
    assert.matches("for another name", err.hint)
    local elsewhere <close> = assert(sandbox.start { address = "127.0.0.2", tls = true })
    assert(logins.anonymous(elsewhere, nil, nil, { caFile = elsewhere.caFile }):await(LIMIT))
    local only <close> = assert(sandbox.start { tls = { names = { "127.0.0.1" } } })
    assert(logins.anonymous(only, nil, nil, { caFile = only.caFile }):await(LIMIT))
  end)

  it("keeps its certificate when it is started again", function()
    assert(server:restart())
    assert(logins.anonymous(server, nil, nil, { caFile = server.caFile }):await(LIMIT))
  end)

  it("takes bodies of any size", function()
    server:route("POST", "/SportsAnonymous/take", function(request)
      return 200, nil, { size = request.size, tooBig = request.tooBig }
    end)
    server:route("GET", "/SportsAnonymous/give", function(request) return 200, nil, request.bytes(2e7) end)
    local session = assert(datasession.new { serviceURI = server.uris.anonymous, caFile = server.caFile,
      maxResponseSize = 3e7 })
    assert(session:login():await(LIMIT))
    local response = assert(session:request { method = "POST", path = "take", body = ("x"):rep(17825792) }
      :await(LIMIT))
    assert.same({ size = 17825792, tooBig = true }, response:json())
    assert.equal(20000000, #assert(session:request { path = "give" }:await(LIMIT)).body)
    server:clearRoutes()
  end)

  it("removes its caFile when it is closed or collected", function()
    local one = assert(sandbox.start { tls = true })
    local path = one.caFile
    assert.matches("BEGIN CERTIFICATE", files.read(path))
    one:close()
    assert.is_false(files.exists(path))
    one:close()
    one = assert(sandbox.start { tls = true })
    path, one = one.caFile, nil
    collectgarbage()
    collectgarbage()
    assert.is_false(files.exists(path), tostring(one))
  end)

  it("is told from plain http, which has no caFile", function()
    local plain <close> = assert(sandbox.start { tls = false })
    assert.matches("^http:", plain.origin)
    assert.is_nil(plain.caFile)
    assert.matches("^https:", server.origin)
  end)

  it("raises for what cannot be a certificate's name", function()
    for _, value in ipairs { "yes", { names = {} }, { names = { "a b" } }, { names = { 1 } }, { names = "a" },
      { names = { "a" }, key = "k" }, { names = { x = "a" } }, { names = { "::x" } }, { authority = "a" } } do
      assert.error_matches(function() sandbox.start { tls = value } end, "bad option 'tls' for 'start'")
    end
  end)

  it("says why there is no certificate", function()
    local tmpname = os.tmpname
    os.tmpname = function() error "no name" end -- luacheck: ignore
    local none, message = sandbox.start { tls = true }
    os.tmpname = function() return "/nowhere/at/all" end -- luacheck: ignore
    local nowhere, reason = sandbox.start { tls = true }
    os.tmpname = tmpname -- luacheck: ignore
    assert.is_nil(none)
    assert.matches("no name", message)
    assert.is_nil(nowhere)
    assert.matches("/nowhere/at/all", reason)
  end)

  it("leaves no caFile behind when the port is taken", function()
    local tmpname, path = os.tmpname, nil
    os.tmpname = function() path = tmpname() return path end -- luacheck: ignore
    local none = sandbox.start { tls = true, port = server.port }
    os.tmpname = tmpname -- luacheck: ignore
    assert.is_nil(none)
    assert.is_false(files.exists(path))
  end)
end)
