-- HTTP/2 with a server that ends and refuses streams and connections, as RFC 9113 allows or not.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local certify = dofile "spec/support/certify.lua"
local http2 = dofile "spec/support/http2.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local directory, certificate, server

setup(function()
  directory = files.directory()
  certificate = certify(directory)
end)
teardown(function() files.removeDirectory(directory) end)

before_each(function()
  server = http2.start(certificate)
end)
after_each(function()
  if server then server:finish() end
  sessions.endAll()
end)

local function post(session, body, options)
  local request = { path = "/", method = "POST", body = body }
  for name, value in pairs(options or {}) do request[name] = value end
  return session:request(request)
end

-- Ends the server and returns its notes.
local function finish()
  local lines = server:finish()
  server = nil
  return lines
end

-- Sends all bodies at once by POST. Returns the errors of those that failed, by body.
local function postAll(session, ...)
  local errors = {}
  for _, body in ipairs { ... } do
    post(session, body):fail(function(_, _, info) errors[body] = info.errorObject end)
  end
  await.settle()
  return errors
end

-- How often the server ran each of them.
local function runs()
  local counts = {}
  for _, line in ipairs(finish()) do
    local body = line:match "^run (.*)"
    if body then counts[body] = (counts[body] or 0) + 1 end
  end
  return counts
end

-- libcurl before 8.1 gets one request at a time for each connection: csrc/net/handle.h, stops_in_frames.
local major, minor = datasession.version().curl:match "^(%d+)%.(%d+)"
local amid = (tonumber(major) > 8 or (major == "8" and tonumber(minor) >= 1)) and it
  or function(name) pending(name .. " (this libcurl sends one request at a time on a connection)") end

describe("requests that a server ends its HTTP/2 connection amid", function()
  amid("are sent again where it refused them, POST too, and none runs twice", function()
    local errors = postAll(server:session(), "hold a", "hold b", "hold c", "hold d", "goaway 2")
    assert.same({}, errors)
    assert.same({ ["hold a"] = 1, ["hold b"] = 1, ["hold c"] = 1, ["hold d"] = 1, ["goaway 2"] = 1 }, runs())
  end)

  amid("are sent again where it refused all of them", function()
    assert.same({}, postAll(server:session(), "hold a", "hold b", "goaway 0"))
    assert.same({ ["hold a"] = 1, ["hold b"] = 1, ["goaway 0"] = 1 }, runs())
  end)

  amid("fail where it may have run them, which the error says", function()
    local errors = postAll(server:session(), "hold a", "hold b", "hold c", "lose 2")
    assert.equal("connect", errors["hold a"].kind)
    assert.matches("may have acted on it", errors["hold a"].hint)
    assert.matches("may have acted on it", errors["hold b"].hint)
    errors["hold a"], errors["hold b"] = nil, nil
    assert.same({}, errors)
    assert.same({ ["hold a"] = 1, ["hold b"] = 1, ["hold c"] = 1, ["lose 2"] = 1 }, runs())
  end)

  it("fail where the connection breaks, though another was refused before", function()
    local session = server:session()
    assert.same({}, postAll(session, "refuse"))
    local errors = postAll(session, "close")
    assert.matches("may have acted on it", errors.close.hint)
    assert.same({ refuse = 1, close = 1 }, runs())
  end)
end)

describe("a request on a kept HTTP/2 connection that breaks", function()
  it("is sent again where it may run twice", function()
    local session = server:session()
    assert.matches("may have acted on it", postAll(session, "close").close.hint)
    for _ = 1, 3 do assert(server:session():ping():await(LIMIT)) end
    assert(post(session, "close-next", { idempotent = true }):await(LIMIT))
    assert.same({ close = 1, ["close-next"] = 2 }, runs())
  end)
end)

describe("a stream of HTTP/2 that the server resets", function()
  it("is opened again where it was refused", function()
    local session = server:session()
    assert.same({}, postAll(session, "refuse a"))
    assert.same({}, postAll(session, "refuse b", "refuse c", "run d"))
    assert.same({ ["refuse a"] = 1, ["refuse b"] = 1, ["refuse c"] = 1, ["run d"] = 1 }, runs())
  end)

  it("is not refused for ever", function()
    local errors = postAll(server:session(), "always-refuse")
    local err = errors["always-refuse"]
    assert.equal("connect", err.kind)
    assert.matches("refused the request unprocessed, 100 times", err.message)
    assert.not_matches("may have acted", err.hint)
    assert.same({}, runs())
  end)

  it("fails for any other reason, and is not sent again", function()
    for _, command in ipairs { "reset 2", "reset 11", "reset-close 2" } do
      local err = postAll(server:session(), command)[command]
      assert.equal("connect", err.kind)
      assert.matches("may have acted on it", err.hint)
      assert.not_matches("not valid HTTP", tostring(err))
    end
    assert.same({ ["reset 2"] = 1, ["reset 11"] = 1, ["reset-close 2"] = 1 }, runs())
  end)
end)

describe("frames that are no HTTP/2", function()
  it("are told as such, with what to do", function()
    local session = server:session()
    local err = await.rejected(session:request { path = "/", method = "PUT", body = "garbage" }, "connect")
    assert.matches("http2 = false", err.hint)
    assert.not_matches("is the port right", tostring(err))
  end)
end)
