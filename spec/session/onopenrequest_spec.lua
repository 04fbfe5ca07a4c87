-- onOpenRequest: called before every request, it may add and change header lines.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local sessions = dofile "spec/support/sessions.lua"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = support.LIMIT, support.rejected

describe("onOpenRequest", function()
  local server, reports

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
    reports = {}
    datasession.onError(function(err) reports[#reports + 1] = tostring(err) end)
  end)

  after_each(function()
    support.finish()
    datasession.onError(nil)
  end)

  local function new(model, handler, options)
    options = options or {}
    options.onOpenRequest = handler
    return sessions.new(server, model, options)
  end

  it("is called before every request, and told which", function()
    local calls = {}
    local session = new("form", function(params) calls[#calls + 1] = params end)
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(session:isAuthorized():await(LIMIT))
    assert(session:ping():await(LIMIT))
    assert(session:addCatalog(server.catalogURIs.form):await(LIMIT))
    assert(session:request { method = "PUT", path = "nothing?x=1", body = "" }:await(LIMIT) == nil)
    assert(session:logout():await(LIMIT))
    local requests = server:requests()
    assert.equal(7, #requests)
    assert.equal(#requests, #calls)
    for i, request in ipairs(requests) do
      assert.equal(request.method, calls[i].verb)
      assert.equal(server.origin .. request.uri, calls[i].uri)
      assert.equal(session, calls[i].session)
      assert.is_true(calls[i].async)
      assert.is_false(calls[i].formPreTest)
      assert.same({}, calls[i].headers) -- none that it did not set
    end
  end)

  it("can be set, replaced and taken away at any time", function()
    local calls = 0
    local session = new "basic"
    assert(session:login("lua", "secret"):await(LIMIT))
    session.onOpenRequest = function() calls = calls + 1 end
    assert(session:ping():await(LIMIT))
    session.onOpenRequest = nil
    assert(session:ping():await(LIMIT))
    assert.equal(1, calls)
    assert.error_matches(function() new("basic", 7) end,
      "option 'onOpenRequest': expected a function, got number")
  end)

  it("adds and changes header lines of that request alone", function()
    local session = new "basic"
    assert(session:login("lua", "secret"):await(LIMIT))
    server:clearRequests()
    session.onOpenRequest = function(params)
      params.headers["X-Trace"] = "7"
      params.headers.accept = "text/plain"
      params.xhr:setRequestHeader("X-Old", "way")
    end
    assert(session:ping():await(LIMIT))
    session.onOpenRequest = nil
    assert(session:ping():await(LIMIT))
    local first, second = table.unpack(server:requests())
    assert.equal("7", first.headers["x-trace"])
    assert.equal("text/plain", first.headers.accept)
    assert.equal("way", first.headers["x-old"])
    assert.is_nil(second.headers["x-trace"])
    assert.equal("application/json", second.headers.accept)
  end)

  it("cannot smuggle a line, nor say where the body ends; that is reported, and the request goes out",
    function()
    local bad = { { "X-A", "a\r\nX-Evil: 1" }, { "X-A", "a\0" }, { "X A", "a" }, { "X-A\r\nX-Evil", "1" },
      { 7, "a" },
      { "X-A", {} }, { "content-length", "3" }, { "Transfer-Encoding", "chunked" },
      { "X-A", 0 / 0 } }
    for i, line in ipairs(bad) do
      local session = new("basic", function(params) params.headers[line[1]] = line[2] end)
      assert(session:login("lua", "secret"):await(LIMIT))
      assert.equal(i, #reports)
      assert.matches("onOpenRequest: ", reports[i])
    end
    for _, request in ipairs(server:requests()) do
      assert.is_nil(request.headers["x-evil"])
      assert.is_nil(request.headers["transfer-encoding"])
    end
  end)

  it("that raises is reported, and the request goes out", function()
    local session = new("basic", function() error "mine" end)
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.equal(1, #reports)
    assert.matches("mine", reports[1])
  end)

  it("may end the session that it is called for", function()
    for _, verb in ipairs { "invalidate", "disconnect", "logout" } do
      local session = new "form"
      assert(session:login("lua", "secret"):await(LIMIT))
      session.onOpenRequest = function(params)
        session.onOpenRequest = nil
        params.session[verb](params.session)
      end
      local ping = session:ping()
      datasession.run(LIMIT)
      if verb == "invalidate" then
        assert.equal("closed", rejected(ping).kind)
      end
      assert.is_false(session.connected)
    end
    server:expireSessions()
  end)

  it("sees the parameter _ts where there is one, and each is its own", function()
    local seen, n = {}, 0
    local session = new("basic", function(params)
      local stamp = params.uri:match "[?&]_ts=([%d-]+)$"
      assert(stamp and not seen[stamp])
      seen[stamp], n = true, n + 1
    end, { timeStamp = true })
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(session:ping():await(LIMIT))
    assert(session:request { path = "static/home.html?a=1" }:await(LIMIT))
    assert.same({}, reports)
    assert.equal(3, n)
    assert.equal("1", server:requests()[3].query.a)
    server:clearRequests()
    session = new "basic"
    assert(session:login("lua", "secret"):await(LIMIT))
    assert.is_nil(server:requests()[1].query._ts)
  end)
end)
