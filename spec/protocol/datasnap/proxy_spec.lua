-- Proxies of a DataSnap server's classes: datasession.datasnap.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"

local LIMIT = await.LIMIT

describe("a proxy of a DataSnap class", function()
  local proxy = require("datasession.datasnap").proxy
  local server, session

  setup(function() server = assert(sandbox.start()) end)

  before_each(function()
    session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
  end)

  after_each(function()
    session:invalidate():await(LIMIT)
  end)

  teardown(function() server:close() end)

  it("calls the server's methods by their names, with the verb that goes with each", function()
    local echo = proxy(session, "TEcho")
    for method, verb in pairs {
      Echo = "GET", updateEcho = "POST", acceptEcho = "PUT", cancelEcho = "DELETE",
    } do
      server:clearRequests()
      assert.same({ { "a", 2 } }, assert(echo[method](echo, "a", 2):await(LIMIT)))
      local request = server:requests()[1]
      assert.same({ verb, "/datasnap/rest/TEcho/Echo/a/2/" }, { request.method, request.path })
    end
    assert.equal("TEcho", echo.class)
    assert.matches("TEcho of datasession.session", tostring(echo))
  end)

  it("shares its session, and can end it", function()
    local stock, echo = proxy(session, "TStock"), proxy(session, "TEcho")
    assert.same({ 41 }, assert(stock:Level("A/7", 3):await(LIMIT)))
    local id = session.sessionId
    assert(echo:Count():await(LIMIT))
    assert.equal(id, echo.session.sessionId)
    assert(stock:closeSession():await(LIMIT))
    assert.is_nil(session.sessionId)
  end)

  it("has an executor, with the vendor's calls", function()
    local stock = proxy(session, "TStock")
    local executor = stock.executor
    assert.equal("TStock", executor.className)
    assert.matches("executor: TStock of datasession.session", tostring(executor))
    assert.equal(server.origin .. "/datasnap/rest/TStock/Level/a/3/?t.r=2-4",
      (executor:getMethodURL("Level", "GET", { "a", 3 }, { ["t.r"] = "2-4" })))
    local uri, body = executor:getMethodURL("Order", "POST", { { sku = "a" } })
    assert.same({ server.origin .. "/datasnap/rest/TStock/Order/", [[{"sku":"a"}]] }, { uri, body })
    assert.equal(server.origin .. "/datasnap/", executor:getURLPrefix(false))
    assert(stock:Level("A/7", 3):await(LIMIT))
    assert.equal(("%s/datasnap/cache/1/0/0?sid=%s"):format(server.origin, session.sessionId),
      executor:getCacheURL("1/0/0", true))
    server:clearRequests()
    assert.same({ result = { true } }, assert(executor:closeSession():await(LIMIT)))
    assert.equal("/datasnap/rest/CloseSession/", server:requests()[1].path)
    assert.is_nil(session.sessionId)
    assert.matches("proxy_spec.lua:.*'verb'", select(2, pcall(function()
      executor:getMethodURL("Level", "FETCH")
    end)))
    assert.error_matches(function() executor.closeSession() end, "expected an executor, got nil")
  end)

  it("is refused for what it cannot be of", function()
    local other = datasession.new { serviceURI = server.uris.anonymous }
    assert.error_matches(function() proxy(other, "T") end, "expected a session of the protocol datasnap, got")
    assert.error_matches(function() proxy(nil, "T") end, "got nil")
    assert.error_matches(function() proxy(session) end, "expected the name of a class, got nil")
    local echo = proxy(session, "TEcho")
    assert.error_matches(function() echo.Count() end, "call it as a method: proxy:Count")
  end)
end)
