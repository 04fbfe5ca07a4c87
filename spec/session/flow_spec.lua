-- Bodies that flow, where things are in the way: files that cannot be written, answers that say more than
-- their status does, consumers that wait.
local datasession = require "datasession"
local fault_server = require "fault_server"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT, rejected, exists = await.LIMIT, await.rejected, files.exists
local directory, target, server

setup(function()
  directory = files.directory()
  target = directory .. "/download"
end)

teardown(function() files.removeDirectory(directory) end)

before_each(function() server = assert(fault_server.start()) end)

after_each(function()
  sessions.endAll()
  server:close()
  shell.run("rm -rf", target, target .. ".part", target .. ".part.version", directory .. "/device")
end)

local function answer(status, headers, body)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers, #body, body)
end

local function new(options)
  local all = { serviceURI = "http://127.0.0.1:" .. server:port() .. "/App", proxy = false }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

describe("a file", function()
  before_each(function()
    server:answer("GET /App/a", { answer("200 OK", "", ("x"):rep(100000)) })
    server:answer("GET /App/small", { answer("200 OK", "", "small") })
  end)

  it("stays as it was when the server says that it has not changed, and for HEAD", function()
    server:answer("GET /App/same", { "HTTP/1.1 304 Not Modified\r\n\r\n" })
    server:answer("HEAD /App/a", { "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" })
    files.write(target, "the old one")
    assert.equal(304, new():request({ path = "/same", saveTo = target }):await(LIMIT).status)
    assert.equal(200, new():request({ path = "/a", method = "head", saveTo = target }):await(LIMIT).status)
    assert.equal("the old one", files.read(target))
  end)

  it("stays as it was when the disk is full, whether that shows at once or at the end", function()
    for _, path in ipairs { "/a", "/small" } do
      files.write(target, "the old one")
      shell.run("ln -s /dev/full", target .. ".part")
      local err = rejected(new():request { path = path, saveTo = target }, "file")
      assert.matches("cannot write '.*/download.part': .*No space left on device", err.message)
      assert.equal("the old one", files.read(target))
      assert.is_false(exists(target .. ".part"))
    end
  end)

  it("is none: a device is written to, and not replaced", function()
    shell.run("ln -s /dev/full", directory .. "/device")
    local err = rejected(new():request { path = "/a", saveTo = directory .. "/device" }, "file")
    assert.matches("device': .*No space left on device", err.message)
    shell.run("test -c", directory .. "/device")
    shell.run("ln -sf /dev/null", directory .. "/device")
    assert(new():request({ path = "/a", saveTo = directory .. "/device", resume = true }):await(LIMIT))
    shell.run("test -c", directory .. "/device")
    assert.is_false(exists(directory .. "/device.part"))
  end)

  it("is asked for as a whole when the server sends another part than the missing one", function()
    files.write(target .. ".part", "sm")
    files.write(target .. ".part.version", '{"validator":"\\"a\\""}')
    server:fault("GET /App/small", {
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/5\r\nContent-Length: 2\r\n\r\nsm",
    })
    assert(new():request({ path = "/small", saveTo = target, resume = true }):await(LIMIT))
    assert.equal("small", files.read(target))
    assert.is_false(exists(target .. ".part"))
  end)

  it("is left alone when its place is a directory, or what was written has vanished", function()
    shell.run("mkdir", target)
    rejected(new():request { path = "/a", saveTo = target }, "file")
    assert.is_false(exists(target .. ".part"))
    shell.run("rmdir", target)
    server:answer("GET /App/cut", {
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", fault_server.PAUSE, "cd",
    })
    local request = new():request { path = "/cut", saveTo = target }
    await.stepUntil(function() return exists(target .. ".part") end)
    os.remove(target .. ".part")
    server:release()
    rejected(request, "file")
    assert.is_false(exists(target))
  end)

  it("is written by one download at a time", function()
    local session = new()
    local first = session:request { path = "/a", saveTo = target }
    assert.error_matches(function() session:request { path = "/small", saveTo = target } end,
      "request: option 'saveTo': a download to '.*/download' is under way")
    assert(first:await(LIMIT))
    assert(session:request({ path = "/small", saveTo = target }):await(LIMIT))
    assert.equal("small", files.read(target))
  end)

  it("is not named by a path that ends early, nor asked for in parts by the program too", function()
    for message, options in pairs {
      ["option 'saveTo': the path holds a NUL byte"] = { saveTo = target .. "\0more" },
      ["option 'headers': option 'resume' sends 'range' itself, leave it out"] =
        { saveTo = target, resume = true, headers = { range = "bytes=1-" } },
      ["option 'headers': expected a table, got number"] = { saveTo = target, resume = true, headers = 5 },
    } do
      options.path = "/a"
      assert.error_matches(function() new():request(options) end, message, 1, true)
    end
    assert(new():request({ path = "/a", saveTo = target }):await(LIMIT))
  end)
end)

describe("a short answer of status 200 that says more", function()
  local LOST = answer("200 OK", "Content-Type: application/json\r\n",
    '{"status_code":401,"status_txt":"Unauthorized"}')

  it("is judged before anything of it is given, for files, functions and streams", function()
    server:answer("GET /App/a", { LOST })
    for _, options in ipairs { { saveTo = target }, { saveTo = error }, { stream = true } } do
      options.path = "/a"
      rejected(new():request(options), "auth")
    end
    assert.is_false(exists(target))
  end)

  it("is judged by protocols in Lua", function()
    datasession.defineProtocol("flowing", {
      login = function() return true end,
      judge = function(_, response)
        if response.body:find "session is over" then return "expired" end
      end,
    })
    local session = new { protocol = "flowing" }
    assert(session:login():await(LIMIT))
    server:answer("GET /App/a", { answer("200 OK", "Content-Type: text/plain\r\n", "the session is over") })
    rejected(session:request { path = "/a", saveTo = target }, "expired")
    assert.is_false(exists(target))
  end)

  it("is DataSnap's word on an error", function()
    local session = new { protocol = "datasnap" }
    server:answer("GET /App/a", {
      answer("200 OK", "Content-Type: application/json\r\n", '{"error":"no such file"}'),
    })
    local err = rejected(session:request { path = "/a", saveTo = target }, "http")
    assert.matches("no such file", err.message)
    assert.is_false(exists(target))
  end)

  it("is given as one piece, if it says nothing", function()
    local text = '{"Customer":[]}'
    server:answer("GET /App/a", { answer("200 OK", "Content-Type: application/json\r\n", text) })
    local pieces = {}
    assert(new():request({ path = "/a", saveTo = function(piece)
      pieces[#pieces + 1] = piece
    end }):await(LIMIT))
    assert.same({ text }, pieces)
  end)
end)

describe("a consumer", function()
  it("of a page may wait, and is cancelled with the request", function()
    server:answer("GET /App/a", { answer("200 OK", "Content-Type: text/html\r\n", "<p>a page</p>") })
    local waits, ended = false, false
    local request = new():request { path = "/a", saveTo = function()
      waits = true
      await.guarded(function() ended = true end, datasession.sleep, 1000)
    end }
    await.stepUntil(function() return waits end)
    assert.is_true(request:cancel())
    rejected(request, "cancelled")
    assert.is_true(ended)
  end)

  it("may be one of several, which share the pieces", function()
    local text = ("abcdefgh"):rep(100000)
    server:answer("GET /App/a", { answer("200 OK", "", text) })
    local response = assert(new():request({ path = "/a", stream = true }):await(LIMIT))
    local size = 0
    local function eat()
      for piece in response:chunks() do
        size = size + #piece
        datasession.nextStep()
      end
      return true
    end
    assert(datasession.all({ datasession.spawn(eat), datasession.spawn(eat) }):await(LIMIT))
    assert.equal(#text, size)
  end)

  it("gets lines whose ends are anywhere in the pieces", function()
    local parts = { "one\r", "\ntw", "o\n", "\r\n", "\n", "a long", " li", "ne\n\r", "\nlast\r" }
    server:answer("GET /App/a", { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", fault_server.PAUSE,
      parts[1], fault_server.PAUSE, parts[2], fault_server.PAUSE, parts[3], fault_server.PAUSE, parts[4],
      fault_server.PAUSE, parts[5], fault_server.PAUSE, parts[6], fault_server.PAUSE, parts[7],
      fault_server.PAUSE, parts[8], fault_server.PAUSE, parts[9], fault_server.CLOSE })
    local lines = {}
    local reading = datasession.spawn(function()
      local response = assert(new():request({ path = "/a", stream = true }):await(LIMIT))
      for line in response:lines() do lines[#lines + 1] = line end
      return true
    end)
    await.stepUntil(function()
      server:release()
      return reading:state() ~= "pending"
    end)
    assert(reading:await(LIMIT))
    assert.same({ "one", "two", "", "", "a long line", "", "last\r" }, lines)
  end)
end)
