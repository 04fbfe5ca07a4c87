-- HTTP/2 with nginx.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local certify = dofile "spec/support/certify.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local directory, certificate, server

setup(function()
  directory = files.directory()
  certificate = certify(directory)
end)
teardown(function() files.removeDirectory(directory) end)

after_each(function()
  sessions.endAll()
  server:stop()
end)

local function login(options)
  local all = { serviceURI = server.origin, caFile = server.authority }
  for name, value in pairs(options or {}) do all[name] = value end
  local session = datasession.new(all)
  assert(session:login():await(LIMIT))
  return session
end

-- The protocols of the requests for that path, in the order in which they ended.
local function protocols(path)
  local list = {}
  for protocol, uri in server:requests():gmatch "HTTP/([%d.]+) %u+ (%S+)" do
    if uri == path then list[#list + 1] = protocol end
  end
  return list
end

-- The protocols of requests that began together.
local function ask(session, path, count, options)
  for _ = 1, count do
    local request = { path = path }
    for name, value in pairs(options or {}) do request[name] = value end
    session:request(request)
  end
  await.settle()
  await.stepUntil(function() return #protocols(path) >= count end) -- nginx writes its log after the answer
  return table.concat(protocols(path), " ")
end

describe("a session", function()
  before_each(function() server = nginx.start(certificate, "location / { return 200 '{}'; }") end)
  after_each(function() datasession.setLimits { http2 = true } end)

  it("gets its own responses while others use HTTP/1.1 on the same host", function()
    server:stop()
    server = nginx.start(certificate, "location / { return 200 '$http_x_number'; }")
    local session, other, requests = login(), login { http2 = false }, {}
    for round = 1, 20 do
      for i = 1, 20 do
        local headers = { ["X-Number"] = round * 100 + i }
        requests[i] = (i % 2 == 0 and other or session):request { path = "x", headers = headers }
      end
      for i = 1, 20 do
        assert.equal(tostring(round * 100 + i), assert(requests[i]:await(LIMIT)).body)
      end
    end
    local used = table.concat(protocols "/x", " ")
    assert.matches("1%.1", used)
    assert.matches("2%.0", used)
  end)

  it("waits as long as a server of HTTP/2 asks before it sends a request again", function()
    server:stop()
    server = nginx.start(certificate,
      "location / { add_header Retry-After 30 always; return 503; }")
    local session, waits = login { retry = true }, {}
    session:subscribe("retry", function(_, _, wait) waits[#waits + 1] = wait end)
    local request = session:request { path = "/busy" }
    await.stepUntil(function() return #waits > 0 end)
    assert.is_true(waits[1] >= 30)
    request:cancel()
    local err = await.rejected(session:request { path = "/busy", retry = { maxDelay = 29 } })
    assert.truthy(err.message:find("Retry-After is above maxDelay", 1, true))
    await.stepUntil(function() return #protocols "/busy" >= 2 end)
    assert.same({ "2.0", "2.0" }, protocols "/busy")
  end)

  it("speaks HTTP/2 with a server that does, unless it is told not to", function()
    assert.equal("2.0 2.0", ask(login(), "/a", 2))
    assert.equal("2.0 2.0", ask(login { http2 = true }, "/c", 2))
    assert.equal("1.1 1.1", ask(login { http2 = false }, "/b", 2))
  end)

  it("is told by setLimits, unless it has an option of its own", function()
    local old, own = login(), login { http2 = true }
    datasession.setLimits { http2 = false }
    assert.is_false(datasession.setLimits().http2)
    assert.equal("1.1", ask(old, "/a", 1))
    assert.equal("1.1", ask(login(), "/b", 1))
    assert.equal("2.0", ask(own, "/c", 1))
  end)

  it("sends header lines that are too large for HTTP/2 over HTTP/1.1", function()
    local session = login()
    local long = ("x"):rep(60000)
    for _ = 1, 3 do
      local promise = session:request { path = "/long", headers = { ["X-Long"] = long }, timeout = 5 }
      assert.equal("http", await.rejected(promise).kind) -- nginx takes no more than 8 KB
    end
  end)

  it("sends every body over HTTP/2 where it is told to", function()
    local list = ask(login { http2 = true }, "/all", 12, { method = "PUT", body = "x" })
    assert.equal(("2.0 "):rep(12), list .. " ")
  end)

  it("sends few bytes of bodies at once over HTTP/2", function()
    local session = login()
    ask(session, "/many", 12, { method = "PUT", body = ("x"):rep(30000) })
    local list = protocols "/many"
    local over2 = 0
    for _, protocol in ipairs(list) do over2 = over2 + (protocol == "2.0" and 1 or 0) end
    assert.equal(12, #list)
    assert.is_true(over2 < 12, over2 .. " over HTTP/2") -- one that ends makes room for another
  end)
end)

describe("a server that ends its connections after three requests", function()
  for _, choice in ipairs { true, false } do
    it("gets each POST once, where http2 is " .. tostring(choice), function()
      server = nginx.start(certificate, "keepalive_requests 3; location / { return 200 '{}'; }")
      local session = login { http2 = choice }
      local failed = 0
      for i = 1, 60 do
        session:request({ path = "/" .. i, method = "POST", body = "x" }):fail(function()
          failed = failed + 1 end)
      end
      await.settle()
      assert.equal(0, failed)
      for i = 1, 60 do -- nginx writes its log when it pleases
        await.stepUntil(function() return #protocols("/" .. i) > 0 end)
      end
      for i = 1, 60 do assert.equal(1, #protocols("/" .. i)) end
    end)
  end
end)

describe("a body over HTTP/2", function()
  it("comes whole and at once, whatever its size", function()
    server = nginx.start(certificate)
    local session = login()
    for _, size in ipairs { 500, 2000, 9500, 15500, 26000, 32000, 57500, 65000, 5000000 } do
      server:put(size, ("y"):rep(size))
      local response = session:request({ path = "/" .. size, timeout = 5 }):await(LIMIT)
      assert.equal(size, response and #response.body)
    end
  end)
end)

describe("a body over HTTP/2", function()
  -- Neither its length nor a chunk's says where it ends: gzip hides the one, HTTP/2 has no other. The sizes
  -- are around a frame's, and around what libcurl reads at once.
  it("comes whole, whatever its size", function()
    local random = {}
    for i = 1, 34000 do random[i] = string.char(math.random(0, 255)) end
    random = table.concat(random)
    server = nginx.start(certificate,
      ([[location / { alias %s/; gzip on; gzip_types *; gzip_min_length 0; }]])
      :format(directory))
    assert(os.execute("chmod 755 " .. directory)) -- the server's workers are another user
    local session, late = login(), {}
    for _, around in ipairs { 8192, 16384, 32768 } do
      for size = around - 270, around + 30, 6 do
        files.write(directory .. "/body", random:sub(1, size))
        local response, err = session:request { path = "/body", timeout = 2 }:await()
        if not response or response.body ~= random:sub(1, size) then
          late[#late + 1] = size .. ": " .. tostring(err)
          break
        end
      end
    end
    assert.same({}, late)
  end)
end)
