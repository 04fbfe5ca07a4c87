-- datasession.har: a HAR 1.2 file of all that is sent and received.
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("a HAR file", function()
  local server, path

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)
  before_each(function()
    sessions.refresh(server)
    path = os.tmpname()
  end)
  after_each(function()
    datasession.har(nil)
    sessions.endAll()
    os.remove(path)
  end)

  local function entries()
    return assert(codec.decode(files.read(path))).log.entries
  end

  local function shape(entry)
    return ("%s %s %d"):format(entry.request.method, entry.request.url:match "^%w+://[^/]*(.*)",
      entry.response.status)
  end

  local function value(list, name)
    for _, one in ipairs(list) do
      if one.name == name then return one.value end
    end
  end

  it("has each request of a login and each redirect, with the times of each", function()
    server:route("GET", "/SportsForm/old", function() return 302, { Location = "new?a=1" } end)
    server:route("GET", "/SportsForm/new", function() return 200, { ["Set-Cookie"] = "a=hush" }, "new" end)
    assert(datasession.har(path))
    local session = sessions.loggedIn(server, "form")
    assert(session:request({ path = "old?b=x%20y&token=hush" }):await(LIMIT))
    local list = entries()
    assert.same({ "POST /SportsForm/static/auth/j_spring_security_check 200",
      "GET /SportsForm/static/home.html 200", "GET /SportsForm/old?b=x%20y&token=*** 302",
      "GET /SportsForm/new?a=1 200" }, { shape(list[1]), shape(list[2]), shape(list[3]), shape(list[4]) })
    assert.equal("j_username=lua&j_password=***&submit=Submit", list[1].request.postData.text)
    assert.same({ { name = "b", value = "x y" }, { name = "token", value = "***" } },
      list[3].request.queryString)
    assert.equal("new?a=1", list[3].response.redirectURL)
    assert.same({ { name = "JSESSIONID", value = "***" } }, list[2].request.cookies)
    assert.same({ { name = "a", value = "***" } }, list[4].response.cookies)
    assert.same({ size = 3, mimeType = "", text = "new" }, list[4].response.content)
    assert.equal("***", value(list[2].response.headers, "X-CLIENT-CONTEXT-ID"))
    assert.same({ "login", "request" }, { list[1]._verb, list[4]._verb })
    assert.equal("127.0.0.1", list[1].serverIPAddress)
    for _, entry in ipairs(list) do
      local t, sum = entry.timings, 0
      for _, name in ipairs { "blocked", "dns", "connect", "send", "wait", "receive" } do
        sum = sum + math.max(t[name], 0)
      end
      assert.is_true(math.abs(sum - entry.time) < 0.01)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", entry.startedDateTime)
    end
  end)

  it("is whole after each step, and ends with close or har(nil)", function()
    local har = assert(datasession.har(path))
    assert.same({}, entries())
    local session = sessions.loggedIn(server)
    assert.equal(1, #entries())
    assert(session:ping():await(LIMIT))
    assert.equal(2, #entries())
    assert.equal(("datasession.har: 2 entries in %s"):format(path), tostring(har))
    assert.is_true(har:close() and har:close())
    assert.equal(("datasession.har: 2 entries in %s, closed"):format(path), tostring(har))
    assert(session:ping():await(LIMIT))
    assert.equal(2, #entries())
    assert(datasession.har(path))
    assert(session:ping():await(LIMIT))
    assert.is_true(datasession.har(nil))
    assert(session:ping():await(LIMIT))
    assert.equal(1, #entries())
  end)

  it("ends with its variable", function()
    local session = sessions.loggedIn(server)
    do
      local har <close> = assert(datasession.har(path)) -- luacheck: ignore (it ends with the block)
      assert(session:ping():await(LIMIT))
    end
    assert(session:ping():await(LIMIT))
    assert.equal(1, #entries())
    assert.is_true(datasession.har(nil))
  end)

  it("has bodies up to a limit, binary ones in Base64, and text in UTF-8", function()
    server:route("POST", "/SportsAnonymous/echo", function(request)
      return 200, { ["X-A"] = "\xe9" }, request.body
    end)
    assert(datasession.har(path, { bodies = 6 }))
    local session = sessions.loggedIn(server)
    for _, body in ipairs { "\xff\xfe\0ab", "abcdefghij", "" } do
      assert(session:request({ path = "echo", method = "POST", body = body }):await(LIMIT))
    end
    local list = entries()
    assert.same({ size = 5, mimeType = "", text = "//4AYWI=", encoding = "base64" }, list[2].response.content)
    assert.equal("//4AYWI=", list[2].request.postData.text)
    assert.equal("base64", list[2].request.postData._encoding)
    assert.same({ size = 10, mimeType = "", text = "abcdef", comment = "recorded 6 of 10 bytes" },
      list[3].response.content)
    assert.equal("abcdef", list[3].request.postData.text)
    assert.is_nil(list[4].request.postData)
    assert.equal("é", value(list[2].response.headers, "X-A"))
  end)

  it("has requests without a response, and the reason", function()
    local other = assert(fault_server.start())
    local session = datasession.new { serviceURI = "http://127.0.0.1:" .. other:port(), proxy = false }
    other:close()
    assert(datasession.har(path))
    await.rejected(session:login())
    local entry = entries()[1]
    assert.equal(0, entry.response.status)
    assert.matches("onnect", entry.response._error)
    assert.is_nil(entry.serverIPAddress)
  end)

  it("can be replayed by the sandbox, to the same program", function()
    local function program(origin)
      local session = datasession.new {
        serviceURI = origin .. "/SportsForm", authenticationModel = "form" }
      assert(session:login("lua", "secret"):await(LIMIT))
      assert(session:addCatalog(origin .. "/SportsForm/static/CustomerService.json"):await(LIMIT))
      local jsdo = datasession.JSDO { session = session, name = "Customer" }
      assert(jsdo:fill():await(LIMIT))
      local names = {}
      jsdo:foreach(function(record) names[#names + 1] = record.Name end)
      assert(session:ping():await(LIMIT))
      local path_ = "rest/CustomerService/Customer?filter=&password=other"
      local response = assert(session:request({ path = path_ }):await(LIMIT))
      assert(session:logout():await(LIMIT))
      return names, response.body
    end
    local har = assert(datasession.har(path))
    local names, body = program(server.origin)
    har:close()
    local replay <close> = assert(sandbox.start { har = path })
    local again, bodyAgain = program(replay.origin)
    assert.is_true(#names > 0)
    assert.same(names, again)
    assert.equal(body, bodyAgain)
    for _, request in ipairs(replay:requests()) do assert.not_equal(404, request.status) end
  end)

  it("that cannot be written says so", function()
    for _, place in ipairs { "/dev/full", "/nowhere/at/all" } do
      local ok, message = datasession.har(place)
      assert.is_nil(ok)
      assert.matches(place, message, 1, true)
    end
  end)

  it("ends when the disk is full, which it tells once", function()
    child.variables = [[sh -c 'trap "" XFSZ; ulimit -f 8; exec "$@"' sh]]
    finally(function() child.variables = nil end)
    local output = child.run([[
      local datasession = require "datasession"
      local path, uri = ...
      datasession.onError(print)
      assert(datasession.har(path))
      local session = datasession.new { serviceURI = uri }
      assert(session:login():await(20))
      for i = 1, 20 do session:ping():await(20) end
      print "done"
    ]], path, server.uris.anonymous).output
    assert.equal("datasession.har has ended: " .. path .. ": File too large\ndone\n",
      (output:gsub("\nstack traceback:.-\ndone", "\ndone"):match "^.-done\n")) -- coverage cannot write then
  end)

  it("raises for other arguments", function()
    assert.equal("har: expected a path or nil, got function", raised(function() datasession.har(print) end))
    assert.equal("har: the path holds a NUL byte", raised(function() datasession.har "a\0b" end))
    local message = raised(function() datasession.har(path, 1) end)
    assert.equal("har: options: expected a table, got number", message)
  end)
end)
