-- Bearer sessions: a token got elsewhere, shown with each request to the application's own origin.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local sessions = dofile "spec/support/sessions.lua"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected

describe("a bearer session", function()
  local server

  setup(function() server = assert(sandbox.start { bearerTokens = { "letmein", "another" } }) end)
  teardown(function() server:close() end)
  before_each(function()
    server:clearFaults()
    server:clearRequests()
  end)
  after_each(support.finish)

  local function new()
    return sessions.new(server, "bearer")
  end

  it("logs in with a token, and shows it with every request", function()
    local session = new()
    assert(session:login("letmein"):await(LIMIT))
    assert.is_nil(session.userName)
    assert(session:ping():await(LIMIT))
    assert(session:isAuthorized():await(LIMIT))
    assert(session:addCatalog(server.catalogURIs.bearer):await(LIMIT))
    assert.equal(4, #server:requests())
    for _, request in ipairs(server:requests()) do
      assert.equal("Bearer letmein", request.headers.authorization)
    end
  end)

  it("shows it to nobody else", function()
    local other = assert(sandbox.start {})
    local session = new()
    assert(session:login("letmein"):await(LIMIT))
    assert(session:request { uri = other.uris.anonymous .. "/static/home.html" }:await(LIMIT))
    assert.is_nil(other:requests()[1].headers.authorization)
    other:close()
  end)

  it("is refused with a wrong one, does not tell it, and may try again", function()
    local session = new()
    local err = rejected(session:login "hushhush")
    assert.equal("auth", err.kind)
    assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
    assert.not_matches("hushhush", tostring(err))
    assert.equal(2, session.loginResult)
    assert.equal(401, session.loginHttpStatus)
    server:clearRequests()
    session:request { path = "static/home.html" }:await(LIMIT)
    assert.is_nil(server:requests()[1].headers.authorization)
    assert(session:login("another"):await(LIMIT))
    server:clearRequests()
    assert(session:ping():await(LIMIT))
    assert.equal("Bearer another", server:requests()[1].headers.authorization)
  end)

  it("raises for a token that no header can hold", function()
    for _, bad in ipairs { "", "a\nb", "a\rb", "a\0b" } do
      assert.error(function() new():login(bad) end)
    end
    assert.error_matches(function() new():login() end, "token expected")
    assert.same({}, server:requests())
  end)

  it("has expired when the server takes the token no more", function()
    local session = new()
    assert(session:login("letmein"):await(LIMIT))
    local events = support.listen(session)
    server:fault { kind = "status", status = 401, count = 1 }
    assert.equal("expired", rejected(session:isAuthorized()).kind)
    datasession.run(LIMIT)
    assert.same({ "Session has expired" }, events)
    assert.equal(1, #server:requests() - 1)
  end)

  it("logs out without a word, and forgets the token", function()
    local session = new()
    assert(session:login("letmein"):await(LIMIT))
    local provider = session.authProvider
    server:clearRequests()
    assert(session:logout():await(LIMIT))
    assert.same({}, server:requests())
    assert.is_false(provider:hasClientCredentials())
    session:request { path = "static/home.html" }:await(LIMIT)
    assert.is_nil(server:requests()[1].headers.authorization)
  end)
end)
