-- Stream parameters of a DataSnap server's methods: how they are sent, from which sources, and how they fail.
local closing = require("datasession.internal.lua").closing
local datasession = require "datasession"
local datasnap = require "datasession.datasnap"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local POST, BYTES = { verb = "POST" }, { verb = "POST", bytes = true }

local stream = datasnap.stream

-- Every byte, in no order that is easy to keep by mistake.
local ALL = {}
for i = 0, 255 do ALL[i + 1] = string.char(i * 7 % 256) end
local TEXT = table.concat(ALL):rep(400)

local server, source

setup(function()
  source = files.new(TEXT)
  server = assert(sandbox.start {})
  server:route("POST", "/Redirect/datasnap/rest/(.*)", function(request)
    return 307, { Location = "/datasnap/rest/" .. request.captures[1] }, ""
  end)
end)

teardown(function()
  server:close()
  os.remove(source)
end)

before_each(function()
  server:clearFaults()
  server:clearRequests()
  files.write(source, TEXT)
end)

after_each(sessions.endAll)

local function new(options)
  local all = { protocol = "datasnap", serviceURI = server.uris.datasnap }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

-- A session whose requests are redirected.
local function redirected() return new { serviceURI = server.origin .. "/Redirect" } end

local function last() return server:requests()[#server:requests()] end

-- The bytes that the server got.
local function send(parameter, session, options)
  return assert((session or new()):invoke("TEcho", "Stream", { parameter }, options or BYTES):await(LIMIT))
end

-- A function that gives the text in pieces of so many bytes, and one that begins it again.
local function pieces(text, size)
  local at = 1
  return function()
    local piece = text:sub(at, at + size - 1)
    at = at + size
    return piece ~= "" and piece or nil
  end, function() at = 1 end
end

describe("a stream parameter", function()
  it("is a list of its bytes, whose size the server is told", function()
    local session = new()
    files.write(source, "A\0\255")
    local function sent(parameters)
      assert(session:invoke("TEcho", "Echo", parameters, POST):await(LIMIT))
      local request = last()
      assert.equal(tostring(#request.body), request.headers["content-length"])
      assert.equal("text/plain;charset=UTF-8", request.headers["content-type"])
      return request.uri, request.body
    end
    local uri, body = sent { stream { path = source } }
    assert.same({ "/datasnap/rest/TEcho/Echo/", "[  65,  0,255]" }, { uri, body })
    uri, body = sent { "a", stream { data = "z\1" }, 5, stream { data = "" } }
    assert.same({ "/datasnap/rest/TEcho/Echo/a/", '{"_parameters":[[ 122,  1],5,[]]}' }, { uri, body })
    uri, body = sent(stream { read = pieces("ab", 1), length = 2 })
    assert.same({ "/datasnap/rest/TEcho/Echo/", "[  97, 98]" }, { uri, body })
    uri, body = sent { { _parameters = {} }, stream { data = "a" } }
    assert.same({ "/datasnap/rest/TEcho/Echo/", '{"_parameters":[{"_parameters":{}},[  97]]}' },
      { uri, body })
  end)

  it("comes whole, from each source", function()
    assert.is_true(send(stream { path = source }) == TEXT)
    assert.is_true(send(stream { data = TEXT }) == TEXT)
    assert.is_true(send(stream { read = pieces(TEXT, 70000), length = #TEXT }) == TEXT)
    assert.equal(tostring(#TEXT * 4 + 2), last().headers["content-length"])
    assert.is_true(send(stream { read = pieces(TEXT, 1001) }) == TEXT)
    assert.equal("chunked", last().headers["transfer-encoding"])
    files.write(source, "")
    assert.equal("", send(stream { path = source }))
    assert.equal("", send(stream { read = function() end }))
  end)

  it("may be given to a proxy, several times", function()
    local echo, parameter = datasnap.proxy(new(), "TEcho"), stream { path = source }
    for _ = 1, 2 do
      assert.is_true(assert(echo:updateStream(parameter):await(LIMIT)) == TEXT)
    end
  end)

  it("may wait in its function, and reports the progress", function()
    local n, counts = 0, {}
    local read = function()
      datasession.nextStep()
      n = n + 1
      return n <= 3 and tostring(n) or nil
    end
    local options = { verb = "POST", bytes = true, onProgress = function(sent, total)
      counts[#counts + 1] = sent .. " of " .. total
    end }
    assert.equal("123", send(stream { read = read, length = 3 }, nil, options))
    assert.equal("14 of 14", counts[#counts])
    options.bytes = nil
    assert(new():invoke("TEcho", "Echo", { 1 }, options):await(LIMIT)) -- without a stream, too
    assert.equal("0 of 0", counts[#counts])
  end)

  it("raises for mistakes", function()
    local function message(given) return raised(function() stream(given) end) end
    assert.equal("stream: expected a table, got string", message "a")
    for _, given in ipairs { {}, { path = "a", data = "b" }, { data = "a", read = print } } do
      assert.equal("stream: expected one of path, data and read", message(given))
    end
    assert.equal("stream: path: expected a string, got number", message { path = 1 })
    assert.equal("stream: read: expected a function, got string", message { read = "a" })
    assert.equal("stream: the path holds a NUL byte", message { path = "a\0b" })
    assert.equal("stream: length and rewind go with read", message { data = "a", length = 1 })
    for _, length in ipairs { -1, 1.5, "1" } do
      assert.equal("stream: length: expected a number of bytes, an integer of 0 or more",
        message { read = print, length = length })
    end
    assert.matches("stream: .*field of a stream.*'file'", message { file = "a" })
    local session, parameter = new(), stream { data = "a" }
    assert.equal("invoke: parameter 1: a table cannot be sent with GET or DELETE: use PUT or POST",
      raised(function() session:invoke("TEcho", "Echo", { parameter }) end))
    assert.equal("getMethodURL: parameter 2: a stream can be sent by invoke alone",
      raised(function() session:getMethodURL("TEcho", "Echo", { {}, parameter }, POST) end))
    assert.matches("parameter 1: a stream can be sent by invoke alone",
      raised(function() session:batch { { class = "TEcho", method = "Echo", params = { parameter } } } end))
    assert.equal("invoke: option 'onProgress': expected a function, got string",
      raised(function() session:invoke("TEcho", "Echo", {}, { onProgress = "a" }) end))
    assert.same({ "string", "function", "file a" }, {
      tostring(parameter):match "a (string)$", tostring(stream { read = print }):match "a (function)$",
      tostring(stream { path = "a" }):match "the (file a)$",
    })
  end)
end)

describe("a stream parameter that fails", function()
  local function fails(parameter, kind, options)
    return rejected(new():invoke("TEcho", "Stream", { parameter }, options or BYTES), kind)
  end

  it("says which file cannot be read, and why", function()
    local gone = source .. ".gone"
    assert.equal("invoke: cannot read '" .. gone .. "': No such file or directory",
      fails(stream { path = gone }, "file").message)
    assert.equal("invoke: cannot read '/': Is a directory", fails(stream { path = "/" }, "file").message)
    assert.equal("invoke: cannot read '/dev/null': it is no regular file",
      fails(stream { path = "/dev/null" }, "file").message)
    assert.same({}, server:requests())
  end)

  it("says that a file vanished or changed after the call", function()
    local session = new()
    local request = session:invoke("TEcho", "Stream", { stream { path = source } }, BYTES)
    os.remove(source)
    assert.matches("cannot read '.*': No such file or directory", rejected(request, "file").message)
    files.write(source, TEXT)
    request = session:invoke("TEcho", "Stream", { stream { path = source } }, BYTES)
    files.write(source, "short")
    assert.matches("its size has changed since the call", rejected(request, "file").message)
  end)

  it("says that a file became shorter while it was sent", function()
    files.write(source, TEXT:rep(10))
    local options = { verb = "POST", onProgress = function(sent)
      if sent > 0 then files.write(source, "") end
    end }
    assert.matches("cannot read '.*': it became shorter while it was sent",
      fails(stream { path = source }, "file", options).message)
  end)

  it("fails by what its function raises and returns", function()
    local mine = setmetatable({}, { __tostring = function() return "mine" end })
    assert.equal(mine, fails(stream { read = function() error(mine) end }))
    local broken = stream { read = function() return nil, "the tape broke" end }
    assert.matches("the tape broke", fails(broken).message)
    assert.equal("invoke: a stream: expected the function read to return a string or nil, got number",
      fails(stream { read = function() return 5 end }, "error").message)
    assert.equal("invoke: a stream's length is 4, but its function gave 3 bytes",
      fails(stream { read = pieces("abc", 1), length = 4 }, "error").message)
    for _, size in ipairs { 1, 3 } do
      assert.equal("invoke: a stream's length is 2, but its function gave 3 bytes or more",
        fails(stream { read = pieces("abc", size), length = 2 }, "error").message)
    end
    assert.same({}, server:requests())
  end)

  it("ends with the call", function()
    local waits, ended = false, false
    local request = new():invoke("TEcho", "Stream", { stream { read = function()
      closing(setmetatable({}, { __close = function() ended = true end }), function()
        waits = true
        datasession.sleep(1000)
      end)
    end } }, BYTES)
    await.stepUntil(function() return waits end)
    assert.is_true(request:cancel())
    rejected(request, "cancelled")
    assert.is_true(ended)
    await.settle()
  end)

  it("is told of a status 401, which no other session follows", function()
    server:fault { kind = "status", status = 401 }
    local read, rewind = pieces(TEXT, 50000)
    assert.equal(401, fails(stream { read = read, rewind = rewind }, "auth").httpStatus)
    assert.equal(1, #server:requests())
  end)
end)

describe("a stream parameter is sent again", function()
  it("after a redirect, if it can be", function()
    assert.is_true(send(stream { path = source }, redirected()) == TEXT)
    assert.is_true(send(stream { data = TEXT }, redirected()) == TEXT)
    local read, rewind = pieces(TEXT, 50000)
    assert.is_true(send(stream { read = read, rewind = rewind }, redirected()) == TEXT)
    local parameter = stream { read = pieces(TEXT, 50000) }
    local err = rejected(redirected():invoke("TEcho", "Stream", { parameter }, BYTES), "protocol")
    assert.matches("the body comes from a function, so it could not be sent again", err.hint)
  end)

  it("when the session has reconnected, if it can be", function()
    local function lost()
      local session = new { reconnect = { delay = 0.01, maxAttempts = 50 } }
      assert(session:login("ada", "tea"):await(LIMIT))
      server:expireSessions "datasnap"
      return session
    end
    assert.is_true(send(stream { path = source }, lost()) == TEXT)
    local read, rewind = pieces(TEXT, 50000)
    assert.is_true(send(stream { read = read, rewind = rewind }, lost()) == TEXT)
    local parameter = stream { read = pieces(TEXT, 50000) }
    local err = rejected(lost():invoke("TEcho", "Stream", { parameter }, BYTES), "expired")
    assert.matches("the body comes from a function, so the request cannot be sent again", err.hint)
  end)
end)
