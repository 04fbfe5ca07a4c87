-- The exact requests to a DataSnap server: request line, header lines, body.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local ADA = "Basic YWRhOnRlYQ==" -- ada:tea

describe("on the wire", function()
  local server, session, encodings

  setup(function()
    server = assert(sandbox.start { users = { ada = "tea" } })
    -- The encodings that libcurl can decompress differ between machines.
    local plain = datasession.new { serviceURI = server.uris.anonymous }
    assert(plain:request({ path = "/static/home.html" }):await(LIMIT))
    encodings = server:requests()[1].headers["accept-encoding"]
  end)

  teardown(function() server:close() end)

  before_each(function()
    server:clearFaults()
    server:setDataSnap { timeout = 1200000 }
    session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap, userAgent = "spec" }
    assert(session:login("ada", "tea"):await(LIMIT))
    server:clearRequests()
  end)

  after_each(sessions.endAll)

  local function lines(own)
    local expected = {
      host = ("127.0.0.1:%d"):format(server.port),
      ["user-agent"] = "spec",
      ["accept-encoding"] = encodings,
      accept = "application/json",
      ["content-type"] = "text/plain;charset=UTF-8",
      ["if-modified-since"] = "Mon, 1 Oct 1990 05:00:00 GMT",
      authorization = ADA,
      pragma = session.sessionId and "dssession=" .. session.sessionId,
    }
    for name, value in pairs(own or {}) do expected[name] = value or nil end
    return expected
  end

  -- `own`: header lines by name beside the usual ones, false for one that is missing.
  local function assertSent(method, uri, body, own)
    local request = server:requests()[#server:requests()]
    assert.equal(method .. " " .. uri, request.method .. " " .. request.uri)
    assert.equal(body, request.body)
    assert.same(lines(own), request.headers)
  end

  local function answer(status, body, pragma)
    server:fault { kind = "status", status = status, body = body, contentType = "application/json",
      headers = pragma and { Pragma = pragma } }
  end

  it("the first call shows who calls, and no session", function()
    session:disconnect():await(LIMIT)
    answer(200, '{"result":["platform"]}')
    assert(session:login("ada", "tea"):await(LIMIT))
    assert.is_nil(session.sessionId)
    answer(200, '{"result":[41]}', "dssession=48213.990017.5,dssessionexpires=1200000")
    local promise = session:invoke("TStock", "Level", { "A/7", 3 })
    assert.same({ 41 }, (promise:await(LIMIT)))
    assertSent("GET", "/datasnap/rest/TStock/Level/A%2F7/3/", "", { pragma = false })
    assert.equal("48213.990017.5", session.sessionId)
  end)

  it("a later one shows the session, and has complex parameters in its body", function()
    answer(200, '{"result":[41]}', "dssession=48213.990017.5,dssessionexpires=1200000")
    assert(session:invoke("TStock", "Level", { "A/7", 3 }):await(LIMIT))
    answer(200, '{"result":[true]}', "dssession=48213.990017.5,dssessionexpires=1200000")
    local params = { "web", { sku = "A/7" }, 2, "gift" }
    assert.same({ true }, (session:invoke("TStock", "Order", params, { verb = "POST" }):await(LIMIT)))
    local body = '{"_parameters":[{"sku":"A/7"},2,"gift"]}'
    assertSent("POST", "/datasnap/rest/TStock/Order/web/", body,
      { pragma = "dssession=48213.990017.5", ["content-length"] = tostring(#body) })
  end)

  it("the sandbox runs these two so", function()
    assert.same({ 41 }, (session:invoke("TStock", "Level", { "A/7", 3 }):await(LIMIT)))
    assertSent("GET", "/datasnap/rest/TStock/Level/A%2F7/3/", "")
    local params = { "web", { sku = "A/7" }, 2, "gift" }
    assert.same({ true }, (session:invoke("TStock", "Order", params, { verb = "POST" }):await(LIMIT)))
    assertSent("POST", "/datasnap/rest/TStock/Order/web/", '{"_parameters":[{"sku":"A/7"},2,"gift"]}',
      { ["content-length"] = "40" })
    assert.equal(1, server:calls()["TStock.updateOrder"])
  end)

  it("a call that was not allowed leaves the session of its answer", function()
    answer(500, '{"error":"ada may not run TStock.updatePrice"}',
      "dssession=731.2.880441,dssessionexpires=1200000")
    local value, err = session:invoke("TStock", "Price", { "A/7", 2 }, { verb = "POST" }):await(LIMIT)
    assert.is_nil(value)
    assert.equal('{"error":"ada may not run TStock.updatePrice"}', err.response.body)
    assert.equal("731.2.880441", session.sessionId)
    assert(session:invoke("TEcho", "Count"):await(LIMIT) == nil) -- the sandbox has no such session
    assert.equal("dssession=731.2.880441", server:requests()[2].headers.pragma)
  end)

  it("a call after the end of the session has none to show", function()
    local id = session.sessionId
    answer(403, '{"SessionExpired":"The session is no longer available."}')
    local value, err = session:invoke("TEcho", "Count"):await(LIMIT)
    assert.is_nil(value)
    assert.equal("expired", err.kind)
    assertSent("GET", "/datasnap/rest/TEcho/Count/", "", { pragma = "dssession=" .. id })
    local promise = session:invoke("TEcho", "Count")
    assert(promise:await(LIMIT))
    assertSent("GET", "/datasnap/rest/TEcho/Count/", "", { pragma = false })
  end)

  it("a wrong password clears nothing", function()
    local id = session.sessionId
    server:fault { kind = "status", status = 403 }
    local value, err = session:invoke("TEcho", "Count"):await(LIMIT)
    assert.is_nil(value)
    assert.equal("auth", err.kind)
    assert.equal(id, session.sessionId)
  end)

  it("the session is closed by its id", function()
    local id = session.sessionId
    assert.same({ result = { true } }, (session:closeSession():await(LIMIT)))
    assertSent("GET", "/datasnap/rest/CloseSession/", "", { pragma = "dssession=" .. id })
  end)

  it("a batch is a list of commands", function()
    local calls = { { class = "TStock", method = "Level", params = { "A/7", 3 } } }
    assert.same({ { result = { 41 } } }, (session:batch(calls):await(LIMIT)))
    assertSent("POST", "/datasnap/json/", '[{"execute":{"TStock.Level":["A/7",3]}}]',
      { ["content-length"] = "40" })
  end)

  it("PUT and POST without parameters have an empty body, and Accept is what one says", function()
    for _, verb in ipairs { "PUT", "POST" } do
      assert(session:invoke("TEcho", "Echo", nil, { verb = verb, accept = "application/rest" }):await(LIMIT))
      assertSent(verb, "/datasnap/rest/TEcho/Echo/", "",
        { accept = "application/rest", ["content-length"] = "0" })
    end
    assert(session:invoke("TEcho", "Echo", nil, { verb = "DELETE" }):await(LIMIT))
    assertSent("DELETE", "/datasnap/rest/TEcho/Echo/", "")
  end)

  it("the cache is looked into with the same lines", function()
    assert(session:cache("/cache/"):await(LIMIT))
    assertSent("GET", "/datasnap/cache/", "")
  end)
end)
