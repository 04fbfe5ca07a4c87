-- Bodies of responses that are taken as they come: saveTo with a function or a path, and stream.
local datasession = require "datasession"
local fault_server = require "fault_server"

local await = dofile "spec/support/await.lua"
local certify = dofile "spec/support/certify.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT, rejected, exists = await.LIMIT, await.rejected, files.exists

-- A text whose parts all differ.
local function document(bytes)
  local lines, size = {}, 0
  while size < bytes do
    local line = ("line %d of the document\n"):format(#lines + 1)
    lines[#lines + 1], size = line, size + #line
  end
  return table.concat(lines)
end

local LARGE, SMALL = document(3000000), document(200)
local directory, certificate, server, target

setup(function()
  directory = files.directory()
  certificate = certify(directory)
  server = nginx.start(certificate, [[
    gzip on; gzip_types text/plain; gzip_min_length 1;
    location /slow/ { rewrite ^/slow/(.*) /$1 break; limit_rate 400k; }
    location /packed/ { rewrite ^/packed/(.*) /$1 break; types { text/plain txt; } }
    location = /empty { return 204; }
    location = /page { default_type text/html; return 200 '<p>a page</p>'; }
    location /unnamed/ {
      rewrite ^/unnamed/(.*) /$1 break; limit_rate 400k; etag off; add_header Last-Modified '';
    }
  ]])
  server:put("large", LARGE)
  server:put("large.txt", LARGE)
  server:put("small", SMALL)
  server:put("windows", "one\r\ntwo\r\n\r\nlast")
  target = directory .. "/download"
end)

teardown(function()
  server:stop()
  files.removeDirectory(directory)
end)

after_each(function()
  sessions.endAll()
  for _, suffix in ipairs { "", ".part", ".part.version" } do os.remove(target .. suffix) end
end)

local function new(options)
  local all = { serviceURI = server.origin, caFile = server.authority }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

local function plain(raw, options)
  local all = { serviceURI = "http://127.0.0.1:" .. raw:port(), proxy = false }
  for name, value in pairs(options or {}) do all[name] = value end
  return datasession.new(all)
end

-- A function for saveTo, and the pieces that it got.
local function collector()
  local pieces = {}
  return function(piece) pieces[#pieces + 1] = piece end, pieces
end

local VERSIONS = { ["HTTP/1.1"] = { http2 = false }, ["HTTP/2"] = { http2 = true } }

describe("saveTo with a function", function()
  for version, options in pairs(VERSIONS) do
    it("gets the body in pieces, over " .. version, function()
      local f, pieces = collector()
      local response = assert(new(options):request({ path = "/large", saveTo = f }):await(LIMIT))
      assert.equal(200, response.status)
      assert.equal("", response.body)
      assert.is_true(#pieces > 3)
      assert.is_true(table.concat(pieces) == LARGE)
    end)
  end

  it("gets the response with each piece, and a compressed body decoded", function()
    local pieces = {}
    assert(new():request({ path = "/packed/large.txt", saveTo = function(piece, response)
      assert.equal("gzip", response.headers["content-encoding"])
      pieces[#pieces + 1] = piece
    end }):await(LIMIT))
    assert.is_true(table.concat(pieces) == LARGE)
  end)

  it("may wait: the transfer waits with it, without a time limit", function()
    local f, pieces = collector()
    local waits = 0
    assert(new({ timeout = 0.5 }):request({ path = "/large", saveTo = function(piece)
      f(piece)
      waits = waits + 1
      if waits < 3 then datasession.sleep(0.4) end
    end }):await(LIMIT))
    assert.is_true(table.concat(pieces) == LARGE)
  end)

  it("ends the request with the error that it raises or returns", function()
    local calls = 0
    local err = rejected(new():request { path = "/large", saveTo = function()
      calls = calls + 1
      error "no room"
    end }, "error")
    assert.matches("body_spec.lua:%d+: no room", err.message)
    err = rejected(new():request { path = "/large", saveTo = function()
      calls = calls + 1
      return nil, "disk full"
    end }, "error")
    assert.equal("disk full", err.message)
    assert.equal(2, calls)
    await.settle()
  end)

  it("is called once for a page, which is looked at as a whole, and not for an empty body", function()
    local f, pieces = collector()
    assert(new():request({ path = "/page", saveTo = f }):await(LIMIT))
    assert(new():request({ path = "/empty", saveTo = f }):await(LIMIT))
    assert.same({ "<p>a page</p>" }, pieces)
  end)

  it("is not called for a refusal, whose words the error has", function()
    local f, pieces = collector()
    local err = rejected(new():request { path = "/none", saveTo = f }, "http")
    assert.equal(404, err.httpStatus)
    assert.matches("404", err.response.body)
    assert.same({}, pieces)
  end)

  it("hears of the end of an interrupted body after the bytes that came", function()
    local raw <close> = assert(fault_server.start())
    raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", fault_server.CLOSE })
    local f, pieces = collector()
    rejected(plain(raw):request { path = "/a", saveTo = f }, "connect")
    assert.same({ "half" }, pieces)
  end)

  it("has no limit of size unless the request says one", function()
    local f, pieces = collector()
    assert(new({ maxResponseSize = 1000 }):request({ path = "/large", saveTo = f }):await(LIMIT))
    assert.equal(#LARGE, #table.concat(pieces))
    local err = rejected(new():request { path = "/large", saveTo = f, maxResponseSize = 100000 }, "protocol")
    assert.matches("passes 100000 bytes", err.message)
  end)

  it("is cancelled with the request, also while it waits", function()
    local waiting, ended = false, false
    local request = new():request { path = "/large", saveTo = function()
      waiting = true
      await.guarded(function() ended = true end, datasession.sleep, 1000)
    end }
    await.stepUntil(function() return waiting end)
    assert.is_true(request:cancel())
    rejected(request, "cancelled")
    assert.is_true(ended)
    await.settle()
  end)

  it("notices a body that stalls", function()
    local raw <close> = assert(fault_server.start())
    raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", fault_server.PAUSE })
    local f, pieces = collector()
    local request = plain(raw, { stallTimeout = 0.2 }):request { path = "/a", saveTo = f }
    local _, err = request:await(LIMIT)
    assert.is_true(err.kind == "stall" or err.kind == "connect")
    assert.same({ "half" }, pieces)
  end)
end)

describe("saveTo with a path", function()
  it("puts the file in its place when it is whole", function()
    files.write(target, "the old one")
    assert(new():request({ path = "/large", saveTo = target }):await(LIMIT))
    assert.is_true(files.read(target) == LARGE)
    assert.is_false(exists(target .. ".part"))
  end)

  it("tells its progress, and the size where the server says it", function()
    local told = {}
    local function onProgress(...) told[#told + 1] = { ... } end
    local request = { path = "/large", saveTo = target, onProgress = onProgress }
    assert(new():request(request):await(LIMIT))
    assert.is_true(#told > 1 and told[1][3] < told[2][3])
    assert.same({ 0, 0, told[#told][3] }, told[#told]) -- the server compresses, and does not say how much
    assert.is_true(told[#told][3] < #LARGE)
    request.headers = { ["Accept-Encoding"] = "identity" }
    assert(new():request(request):await(LIMIT))
    assert.same({ 0, 0, #LARGE, #LARGE }, told[#told])
  end)

  it("writes an empty body and a page, too", function()
    assert(new():request({ path = "/empty", saveTo = target }):await(LIMIT))
    assert.equal("", files.read(target))
    assert(new():request({ path = "/page", saveTo = target }):await(LIMIT))
    assert.equal("<p>a page</p>", files.read(target))
  end)

  it("leaves the old file alone when the request fails, and nothing beside it", function()
    files.write(target, "the old one")
    rejected(new():request { path = "/none", saveTo = target }, "http")
    local raw <close> = assert(fault_server.start())
    raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", fault_server.CLOSE })
    rejected(plain(raw):request { path = "/a", saveTo = target }, "connect")
    assert.equal("the old one", files.read(target))
    assert.is_false(exists(target .. ".part"))
  end)

  it("says why a file cannot be written", function()
    local err = rejected(new():request { path = "/large", saveTo = directory .. "/none/file" }, "file")
    assert.matches("cannot write '.*/none/file.part': .*No such file", err.message)
  end)

  -- Begins a download that is slow, and cancels it when a part is there.
  local function interrupt(session, path)
    local request = session:request { path = path, saveTo = target, resume = true }
    await.stepUntil(function() return exists(target .. ".part") and #files.read(target .. ".part") > 0 end)
    request:cancel()
    rejected(request, "cancelled")
  end

  local function statuses(path)
    local list = {}
    for uri, status in server:requests():gmatch "HTTP/[%d.]+ %u+ (%S+) (%d+)" do
      if uri == path then list[#list + 1] = status end
    end
    return table.concat(list, " ")
  end

  it("goes on with the rest", function()
    local session = new()
    interrupt(session, "/slow/large")
    assert.is_true(exists(target .. ".part.version"))
    local part, first, last, total = #files.read(target .. ".part"), nil, nil, nil
    local response = assert(session:request({ path = "/large", saveTo = target, resume = true,
      onProgress = function(_, _, received, all) first, last, total = first or received, received, all end,
    }):await(LIMIT))
    assert.is_true(first > part)
    assert.same({ #LARGE, #LARGE }, { last, total })
    assert.equal(206, response.status)
    assert.is_true(files.read(target) == LARGE)
    assert.is_false(exists(target .. ".part.version"))
    await.stepUntil(function() return statuses "/large":find "206" end)
  end)

  it("begins anew when the document has changed", function()
    local session = new()
    interrupt(session, "/slow/large")
    server:put("other", SMALL)
    local response = assert(session:request({ path = "/other", saveTo = target, resume = true }):await(LIMIT))
    assert.equal(200, response.status)
    assert.equal(SMALL, files.read(target))
  end)

  it("keeps nothing of a document that the server does not name", function()
    interrupt(new(), "/unnamed/large")
    assert.is_false(exists(target .. ".part"))
  end)

  it("keeps the part of a document that a strong ETag names, or its date, and no weak ETag", function()
    local raw = assert(fault_server.start())
    finally(function() raw:close() end)
    local date = "Last-Modified: Mon, 30 Nov 2026 00:00:00 GMT\r\n"
    for head, validator in pairs {
      ['ETag: "1"\r\n'] = '\\"1\\"', ['ETag: W/"1"\r\n'] = false, [date] = "Mon, 30",
      ['ETag: W/"1"\r\n' .. date] = "Mon, 30",
    } do
      raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" .. head .. "\r\nhalf",
        fault_server.CLOSE })
      rejected(plain(raw):request { path = "/a", saveTo = target, resume = true, retry = false }, "connect")
      assert.equal(validator ~= false, exists(target .. ".part"), head)
      if validator then assert.matches(validator, files.read(target .. ".part.version"), 1, true) end
      os.remove(target .. ".part")
      os.remove(target .. ".part.version")
    end
  end)

  it("begins anew when what is known of the part is damaged", function()
    for _, validator in ipairs { "a\\r\\nb", "a\\u0000b", "" } do
      files.write(target .. ".part", "x")
      files.write(target .. ".part.version", ('{"validator":"%s"}'):format(validator))
      assert(new():request({ path = "/small", saveTo = target, resume = true }):await(LIMIT))
      assert.equal(SMALL, files.read(target))
    end
  end)

  it("begins anew when the part is longer than the document", function()
    files.write(target .. ".part", LARGE .. "and more")
    files.write(target .. ".part.version", [[{"validator":"]] .. "Mon, 30 Nov 2026 00:00:00 GMT" .. [["}]])
    assert(new():request({ path = "/small", saveTo = target, resume = true }):await(LIMIT))
    assert.equal(SMALL, files.read(target))
  end)
end)

describe("stream", function()
  it("resolves when the body begins, and gives it in pieces, in spawn and outside", function()
    local function read()
      local response = assert(new():request({ path = "/large", stream = true }):await(LIMIT))
      assert.is_true(response.ok)
      assert.equal("HTTP 200, a stream from " .. response.uri, tostring(response))
      local pieces = {}
      for piece in response:chunks() do pieces[#pieces + 1] = piece end
      return table.concat(pieces)
    end
    assert.is_true(read() == LARGE)
    assert.is_true(datasession.spawn(read):await(LIMIT) == LARGE)
  end)

  it("gives lines, without their ends", function()
    local response = assert(new():request({ path = "/windows", stream = true }):await(LIMIT))
    local lines = {}
    for line in response:lines() do lines[#lines + 1] = line end
    assert.same({ "one", "two", "", "last" }, lines)
    response = assert(new():request({ path = "/large", stream = true }):await(LIMIT))
    local count = 0
    for line in response:lines() do
      count = count + 1
      assert.equal(("line %d of the document"):format(count), line)
    end
    assert.equal(select(2, LARGE:gsub("\n", "")), count)
  end)

  it("gives a page and an empty body, too", function()
    for path, expected in pairs { ["/page"] = { "<p>a page</p>" }, ["/empty"] = {} } do
      local pieces = {}
      local response = assert(new():request({ path = path, stream = true }):await(LIMIT))
      for piece in response:chunks() do pieces[#pieces + 1] = piece end
      assert.same(expected, pieces)
    end
  end)

  it("rejects for a refusal", function()
    local promise = new():request { path = "/none", stream = true }
    assert.equal(404, rejected(promise, "http").httpStatus)
    assert.equal("rejected", promise:state())
  end)

  it("raises in the loop when the body is interrupted", function()
    local raw <close> = assert(fault_server.start())
    raw:fault("GET /a", { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", fault_server.CLOSE })
    local response = assert(plain(raw):request({ path = "/a", stream = true }):await(LIMIT))
    local pieces = {}
    local ok, err = pcall(function()
      for piece in response:chunks() do pieces[#pieces + 1] = piece end
    end)
    assert.is_false(ok)
    assert.equal("connect", err.kind)
    assert.same({ "half" }, pieces)
  end)

  it("ends the transfer when its variable goes out of scope", function()
    do
      local closed <close> = assert(new():request({ path = "/slow/large", stream = true }):await(LIMIT))
      assert.equal(200, closed.status)
    end
    await.settle()
  end)

  it("ends the transfer when it is closed or forgotten", function()
    local session = new()
    local response = assert(session:request({ path = "/slow/large", stream = true }):await(LIMIT))
    response:close()
    await.settle()
    assert(session:request({ path = "/slow/large", stream = true }):await(LIMIT))
    collectgarbage()
    collectgarbage()
    await.settle()
  end)

  it("is cancelled before the body begins", function()
    local request = new():request { path = "/large", stream = true }
    assert.is_true(request:cancel())
    rejected(request, "cancelled")
    await.settle()
  end)

  it("says how to read a body that one asks for as a whole", function()
    local response <close> = assert(new():request({ path = "/large", stream = true }):await(LIMIT))
    assert.error_matches(function() return response.body end, "read its body with response:chunks()", 1, true)
    assert.error_matches(function() response.status = 1 end, "a response is read-only", 1, true)
    assert.error_matches(function() response.chunks() end, "call it with ':' instead of '.'", 1, true)
    local _, message = pcall(response.lines) -- no line of the program calls it
    assert.matches("^spec/session/body_spec%.lua:%d+: lines: expected a response", message)
  end)
end)

describe("mistakes in the options", function()
  for message, options in pairs {
    ["option 'saveTo': expected a path or a function, got number"] = { saveTo = 5 },
    ["option 'stream': expected a boolean, got string"] = { stream = "yes" },
    ["option 'resume' needs a path in option 'saveTo'"] = { saveTo = print, resume = true },
    ["option 'onProgress': expected a function, got number"] = { saveTo = "x", onProgress = 1 },
    ["expected either option 'saveTo' or option 'stream'"] = { saveTo = print, stream = true },
    ["option 'path': expected a string, got number"] = { path = 5, stream = true },
    ["option 'method': expected a string, got number"] = { method = 5, saveTo = "x" },
    ["option 'headers': expected a table, got number"] = { headers = 5, saveTo = print },
  } do
    it("raise at the program's line: " .. message, function()
      options.path = options.path or "/large"
      local ok, err = pcall(function() new():request(options) end)
      assert.is_false(ok)
      assert.matches("^spec/session/body_spec%.lua:%d+: ", err)
      assert.is_truthy(err:find(message, 1, true), err)
    end)
  end
end)
