-- Bodies that requests send piece by piece: from files, from functions and as forms of several parts.
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local certify = dofile "spec/support/certify.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"
local support = dofile "spec/protocol/jsdo/sso_support.lua"

local LIMIT, rejected = await.LIMIT, await.rejected
local ECHO, REDIRECT = "/rest/Echo", "/rest/Redirect"

local directory, source, server

-- Answers with the body that came, and how the server was told its size.
local function echo(request)
  return 200, nil, {
    method = request.method, body = request.body, type = request.headers["content-type"],
    length = request.headers["content-length"], encoding = request.headers["transfer-encoding"],
  }
end

local TEXT = ("0123456789abcdef"):rep(20000)

setup(function()
  directory = files.directory()
  source = directory .. "/source"
  files.write(source, TEXT)
  server = assert(sandbox.start { tokenSecret = "shared", tokenLifetime = 1000 })
  for _, method in ipairs { "POST", "PUT", "PATCH" } do server:route(method, "/%w+/rest/Echo", echo) end
  server:route("POST", "/(%w+)/rest/Redirect(%d+)", function(request)
    local captures = request.captures
    return tonumber(captures[2]), { Location = "/" .. captures[1] .. "/rest/Echo" }, ""
  end)
end)

teardown(function()
  server:close()
  files.removeDirectory(directory)
end)

before_each(function() sessions.refresh(server) end)

after_each(function() sessions.endAll() end)

local function new(options) return sessions.new(server, nil, options) end

-- Makes the request, and returns what the server got.
local function send(options, session)
  options.path = options.path or ECHO
  local response = assert((session or new()):request(options):await(LIMIT))
  return response:json(), response
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

describe("bodyFile", function()
  it("sends a file with its size, by every method", function()
    for _, method in ipairs { "POST", "PUT", "PATCH" } do
      local got = send { bodyFile = source, method = method }
      assert.is_true(got.body == TEXT)
      assert.same({ method, tostring(#TEXT) }, { got.method, got.length, got.encoding, got.type })
    end
    local headers = { ["Content-Type"] = "text/plain" }
    assert.equal("text/plain", send({ bodyFile = source, headers = headers }).type)
  end)

  it("sends an empty file", function()
    files.write(directory .. "/empty", "")
    assert.equal("0", send({ bodyFile = directory .. "/empty" }).length)
  end)

  it("sends it again where a redirect keeps the method", function()
    for status, method in pairs { [307] = "POST", [308] = "POST" } do
      local got = send { path = REDIRECT .. status, bodyFile = source }
      assert.equal(method, got.method)
      assert.is_true(got.body == TEXT)
    end
  end)

  it("says which file cannot be read, and why", function()
    local session = new()
    local err = rejected(session:request { path = ECHO, bodyFile = directory .. "/none" }, "file")
    assert.matches("cannot read '.*/none': No such file", err.message)
    assert.is_false(err.retryable)
    shell.run("mkfifo", directory .. "/pipe")
    for _, path in ipairs { directory, directory .. "/pipe", "/dev/null" } do
      err = rejected(session:request { path = ECHO, bodyFile = path }, "file")
      assert.matches("it is no regular file", err.message)
    end
    assert.same({}, server:requests())
  end)

  it("says what it sends a function for", function()
    for message, options in pairs {
      ["option 'bodyFile': expected a path, got number"] = { bodyFile = 5 },
      ["option 'bodyFile': the path holds a NUL byte"] = { bodyFile = "a\0b" },
      ["option 'bodyLength' needs a function in option 'body'"] = { bodyFile = source, bodyLength = 5 },
      ["option 'rewind' needs a function in option 'body'"] = { body = "x", rewind = print },
      ["option 'rewind': expected a function, got boolean"] = { body = print, rewind = true },
      ["option 'bodyLength': expected a number of bytes, an integer of 0 or more"] =
        { body = print, bodyLength = 1.5 },
      ["option 'onProgress': expected a function, got number"] = { bodyFile = source, onProgress = 1 },
      ["expected one of the options 'body', 'bodyFile', 'form', 'json' and 'multipart'"] =
        { bodyFile = source, multipart = { a = 1 } },
    } do
      options.path = ECHO
      assert.equal("request: " .. message, raised(function() new():request(options) end))
    end
  end)
end)

describe("a function for the body", function()
  it("gives the pieces until it returns nil, and the server need not know the size", function()
    local got = send { body = pieces(TEXT, 100000) }
    assert.is_true(got.body == TEXT)
    assert.same({ "POST", nil, "chunked" }, { got.method, got.length, got.encoding })
    got = send { body = pieces(TEXT, 70000), bodyLength = #TEXT, method = "PUT" }
    assert.is_true(got.body == TEXT)
    assert.same({ "PUT", tostring(#TEXT) }, { got.method, got.length, got.encoding })
  end)

  it("may give nothing, and pieces that are empty", function()
    assert.equal("", send({ body = function() end }).body)
    assert.equal("0", send({ body = error, bodyLength = 0 }).length)
    local list = { "", "a", "", "", "b", "" }
    local function give() return table.remove(list, 1) end
    assert.equal("ab", send({ body = give, bodyLength = 2 }).body)
  end)

  it("gives pieces that nothing else keeps", function()
    local n = 0
    local got = send { body = function()
      n = n + 1
      collectgarbage()
      return n <= 40 and ("%03d"):format(n):rep(1000) or nil
    end }
    local all = {}
    for i = 1, 40 do all[i] = ("%03d"):format(i):rep(1000) end
    assert.is_true(got.body == table.concat(all))
  end)

  it("cannot step the engine, which is at work", function()
    local err = rejected(new():request { path = ECHO, body = function() datasession.step() end })
    assert.matches("nothing can step it here: use await", err.message)
  end)

  it("may wait", function()
    local n = 0
    local got = send { body = function()
      n = n + 1
      datasession.sleep(0.001)
      return n <= 5 and tostring(n) or nil
    end }
    assert.equal("12345", got.body)
  end)

  it("is told when what it gives is not as long as it said", function()
    local session = new()
    local err = rejected(session:request { path = ECHO, body = pieces("abc", 1), bodyLength = 4 }, "error")
    assert.equal("request: option 'bodyLength' is 4, but the function gave 3 bytes", err.message)
    for _, size in ipairs { 1, 2, 3 } do
      err = rejected(session:request { path = ECHO, body = pieces("abc", size), bodyLength = 2 }, "error")
      assert.equal("request: option 'bodyLength' is 2, but the function gave 3 bytes or more", err.message)
    end
    assert.same({}, server:requests())
  end)

  it("fails the request by what it raises, and by what it returns", function()
    local session, mine = new(), setmetatable({}, { __tostring = function() return "mine" end })
    local err = rejected(session:request { path = ECHO, body = function() error(mine) end })
    assert.equal(mine, err)
    err = rejected(session:request { path = ECHO, body = function() return nil, "the tape broke" end })
    assert.matches("the tape broke", err.message)
    err = rejected(session:request { path = ECHO, body = function() return 5 end })
    assert.matches("option 'body': expected the function to return a string or nil, got number", err.message)
    err = rejected(session:request {
      path = REDIRECT .. 307, body = pieces("abc", 1), rewind = function() error "cannot go back" end,
    })
    assert.matches("cannot go back", err.message)
    assert.is_string(err.traceback)
  end)

  it("is ended with the request", function()
    local waits, ended = false, false
    local request = new():request { path = ECHO, body = function()
      waits = true
      await.guarded(function() ended = true end, datasession.sleep, 1000)
    end }
    await.stepUntil(function() return waits end)
    assert.is_true(request:cancel())
    rejected(request, "cancelled")
    assert.is_true(ended)
    await.settle()
  end)

  it("may cancel the request", function()
    local request
    request = new():request { path = ECHO, body = function()
      request:cancel()
      return "x"
    end }
    rejected(request, "cancelled")
  end)

  it("goes with one that takes the response", function()
    local taken = {}
    local request = new():request {
      path = ECHO, body = pieces(TEXT, 30000), saveTo = function(piece) taken[#taken + 1] = piece end,
    }
    assert(request:await(LIMIT))
    assert.is_truthy(table.concat(taken):find(TEXT, 1, true))
  end)

  it("is called again after a redirect, when it can begin again", function()
    local body, rewind = pieces(TEXT, 50000)
    local got = send { path = REDIRECT .. 307, body = body, rewind = rewind }
    assert.is_true(got.body == TEXT)
    body, rewind = pieces("abc", 1)
    got = send { path = REDIRECT .. 308, body = body, bodyLength = 3, rewind = function()
      datasession.nextStep()
      rewind()
    end }
    assert.equal("abc", got.body)
  end)

  it("is not called again otherwise, and the error says why", function()
    local err = rejected(new():request { path = REDIRECT .. 307, body = pieces(TEXT, 50000) }, "protocol")
    assert.matches("redirected to http://.*/rest/Echo", err.message)
    assert.equal("the body comes from a function, so it could not be sent again: give it a function "
      .. "rewind", err.hint)
    err = rejected(new():request { path = REDIRECT .. 303, body = pieces("abc", 1) }, "http")
    assert.equal(404, err.httpStatus) -- such a redirect drops the body
  end)
end)

describe("a session that is lost", function()
  -- A session whose next request finds it expired.
  local function lost()
    local session = sessions.loggedIn(server, "form",
      { reconnect = { maxAttempts = 3, delay = 0.02 }, keepCredentials = true })
    datasession.run(LIMIT)
    server:fault { kind = "status", status = 401, model = "form", path = ECHO }
    return session
  end

  it("sends a file again when it has reconnected, and a function's body that can begin again", function()
    assert.is_true(send({ bodyFile = source, idempotent = true }, lost()).body == TEXT)
    local body, rewind = pieces(TEXT, 50000)
    assert.is_true(send({ body = body, rewind = rewind, idempotent = true }, lost()).body == TEXT)
  end)

  it("says why it does not send another function's body again", function()
    local request = { path = ECHO, body = pieces(TEXT, 50000), idempotent = true }
    local err = rejected(lost():request(request), "expired")
    assert.matches("the body comes from a function, so the request cannot be sent again", err.hint)
  end)
end)

describe("a request with retry", function()
  local function ask(options)
    server:fault { kind = "status", status = 503, path = ECHO }
    options.path, options.idempotent, options.retry = ECHO, true, { delay = 0.001 }
    return new():request(options)
  end

  it("sends a body again that can be sent again", function()
    local body, rewind = pieces(TEXT, 50000)
    for _, options in ipairs { { bodyFile = source }, { body = body, rewind = rewind } } do
      assert.is_true(assert(ask(options):await(LIMIT)):json().body == TEXT)
    end
  end)

  it("says why it does not send another", function()
    local err = rejected(ask { body = pieces(TEXT, 50000) }, "http")
    assert.equal(503, err.httpStatus)
    assert.matches("it could not be sent again: give it a function rewind", err.hint)
  end)
end)

describe("an expired token", function()
  local ROW = '{"Name":"Lift"}'

  -- Makes the request with a token that has expired.
  local function ask(options)
    local session = support.session(server, support.loggedIn(server, "form_sso"))
    assert(session:isAuthorized():await(LIMIT))
    server:expireTokens()
    options.path = "/rest/CustomerService/Customer"
    options.headers = { ["Content-Type"] = "application/json" }
    return session:request(options)
  end

  it("is refreshed, and the body is sent again if it can be", function()
    files.write(directory .. "/row", ROW)
    local before = server:tokenRefreshes()
    local body, rewind = pieces(ROW, 5)
    for _, options in ipairs { { bodyFile = directory .. "/row" }, { body = body, rewind = rewind } } do
      assert.matches("Lift", assert(ask(options):await(LIMIT)).body)
    end
    assert.equal(before + 2, server:tokenRefreshes())
    assert.matches("give it a function rewind", rejected(ask { body = pieces(ROW, 5) }, "auth").hint)
    datasession.run(LIMIT)
    assert.equal(before + 3, server:tokenRefreshes())
  end)
end)

describe("multipart", function()
  local function partsOf(got)
    local boundary = got.type:match "^multipart/form%-data; boundary=(%S+)$"
    local list = {}
    for part in got.body:gmatch("%-%-" .. boundary:gsub("%-", "%%-") .. "\r\n(.-)\r\n%f[%-]") do
      list[#list + 1] = part
    end
    return list
  end

  it("sends texts and files by their names", function()
    files.write(directory .. "/small", "small")
    local got = send { multipart = {
      flag = true, list = { "a", 2 }, none = datasession.null,
      file = { path = directory .. "/small", filename = 'a "b".txt', contentType = "text/plain" },
      other = { path = directory .. "/small" }, json = { data = "{}", contentType = "application/json" },
    } }
    assert.equal(tostring(#got.body), got.length)
    assert.same({
      'Content-Disposition: form-data; name="file"; filename="a %22b%22.txt"\r\n'
        .. 'Content-Type: text/plain\r\n\r\nsmall',
      'Content-Disposition: form-data; name="flag"\r\n\r\ntrue',
      'Content-Disposition: form-data; name="json"\r\nContent-Type: application/json\r\n\r\n{}',
      'Content-Disposition: form-data; name="list"\r\n\r\na',
      'Content-Disposition: form-data; name="list"\r\n\r\n2',
      'Content-Disposition: form-data; name="none"\r\n\r\n',
      'Content-Disposition: form-data; name="other"; filename="small"\r\n'
        .. 'Content-Type: application/octet-stream\r\n\r\nsmall',
    }, partsOf(got))
  end)

  it("keeps the order of a list, and the bytes of a part", function()
    local got = send { method = "PUT", multipart = {
      { name = "z", data = "\0\1\r\n" }, { name = "a", data = 1.5, filename = "n" }, { name = "", data = "" },
    } }
    assert.equal("PUT", got.method)
    assert.same({
      'Content-Disposition: form-data; name="z"\r\n\r\n\0\1\r\n',
      'Content-Disposition: form-data; name="a"; filename="n"\r\n\r\n1.5',
      'Content-Disposition: form-data; name=""\r\n\r\n',
    }, partsOf(got))
  end)

  it("is sent again after a redirect", function()
    local got = send { path = REDIRECT .. 307, multipart = { f = { path = source } } }
    assert.is_truthy(got.body:find(TEXT, 1, true))
  end)

  it("says which file cannot be read", function()
    local request = new():request { path = ECHO, multipart = { a = 1, f = { path = directory .. "/none" } } }
    assert.matches("cannot read '.*/none': No such file", rejected(request, "file").message)
  end)

  it("raises for what is no part", function()
    for message, parts in pairs {
      ["expected a table, got string"] = "x",
      ["expected at least one part"] = {},
      ["expected names that are strings, got a number"] = { [7] = 1 },
      ["element 2: expected a table with a name"] = { { name = "a", data = "" }, { "b", "c" } },
      ["'a': expected either data or a path"] = { a = { path = "x", data = "y" } },
      ["'b': expected either data or a path"] = { b = { filename = "x" } },
      ["'a': filename: expected a string, got number"] = { a = { path = "x", filename = 5 } },
      ["'a': contentType: expected a string without line breaks and NUL bytes"] =
        { a = { data = "x", contentType = "a\r\nb" } },
      ["'a\0b': name: expected a string without line breaks and NUL bytes"] = { ["a\0b"] = "x" },
      ["'a\n': name: expected a string without line breaks and NUL bytes"] = { ["a\n"] = { data = "x" } },
      ["'a\r': name: expected a string without line breaks and NUL bytes"] = { { name = "a\r", data = "x" } },
      ["'a': unknown field of a part 'pth': did you mean 'path'?"] = { a = { pth = "x" } },
      ["'a': an array holds an array"] = { a = { { 1 } } },
      ["'a': expected a string, a number, a boolean or an array of these, got a function"] = { a = print },
    } do
      assert.equal("request: option 'multipart': " .. message,
        raised(function() new():request { path = ECHO, multipart = parts } end))
    end
  end)
end)

describe("onProgress", function()
  local function progress(options)
    local told = {}
    options.onProgress = function(...) told[#told + 1] = { ... } end
    local _, response = send(options)
    return told, response
  end

  it("is told of what was sent and received, and the sizes", function()
    local told, response = progress { bodyFile = source }
    assert.is_true(#told > 1 and told[1][1] < #TEXT)
    assert.same({ #TEXT, #TEXT, #response.body, #response.body }, told[#told])
    for i = 2, #told do assert.is_true(told[i][1] >= told[i - 1][1] and told[i][3] >= told[i - 1][3]) end
  end)

  it("has no size where there is none", function()
    local told, response = progress { body = pieces(TEXT, 50000) }
    assert.same({ #TEXT, nil, #response.body, #response.body }, told[#told])
    told = progress { body = "abc" }
    assert.same({ 3, 3 }, { told[#told][1], told[#told][2] })
    assert.equal(1, #(progress { path = "/static/home.html" }))
  end)

  it("is told once for a request that says nothing", function()
    local raw <close> = assert(fault_server.start())
    raw:answer("GET /App/a", { "HTTP/1.1 204 No Content\r\n\r\n" })
    local uri = "http://127.0.0.1:" .. raw:port() .. "/App"
    local told, session = {}, datasession.new { serviceURI = uri, proxy = false }
    local request = session:request { path = "/a", onProgress = function(...) told[#told + 1] = { ... } end }
    assert(request:await(LIMIT))
    assert.same({ 0, 0, 0, 0 }, told[#told])
    assert.equal(1, #told)
  end)

  it("may raise, which onError is told of, and cancel the request", function()
    local reported = {}
    datasession.onError(function(message) reported[#reported + 1] = tostring(message) end)
    send { bodyFile = source, onProgress = function() error "no screen" end }
    assert.matches("no screen", reported[1])
    datasession.onError(nil)
    local request
    request = new():request { path = ECHO, bodyFile = source, onProgress = function() request:cancel() end }
    rejected(request, "cancelled")
  end)
end)

describe("a server that misbehaves", function()
  local raw

  before_each(function() raw = assert(fault_server.start()) end)
  after_each(function()
    sessions.endAll()
    raw:close()
    files.write(source, TEXT)
  end)

  local READ, PAUSE, RESET = fault_server.READ, fault_server.PAUSE, fault_server.RESET
  local DONE = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

  local function plain(options)
    local all = { serviceURI = "http://127.0.0.1:" .. raw:port() .. "/App", proxy = false }
    for name, value in pairs(options or {}) do all[name] = value end
    return datasession.new(all)
  end

  -- A session with a kept connection, which the server resets during the next request.
  local function kept()
    local session = plain()
    raw:answer("POST /App/a", { DONE })
    assert(session:request({ path = "/a", method = "POST" }):await(LIMIT))
    raw:fault("POST /App/a", { READ, RESET }, 1, "head")
    return session
  end

  it("gets a file again on another connection, if it may", function()
    local session = kept()
    assert(session:request({ path = "/a", bodyFile = source, idempotent = true }):await(LIMIT))
    assert.equal(2, select(2, raw:counts()))
    rejected(kept():request { path = "/a", bodyFile = source }, "connect")
    session = kept()
    local form = { a = { path = source }, b = "x" }
    assert(session:request({ path = "/a", multipart = form, idempotent = true }):await(LIMIT))
  end)

  it("gets a function's body again if that can begin again", function()
    local body, rewind = pieces(TEXT, 50000)
    local request = { path = "/a", body = body, bodyLength = #TEXT, rewind = rewind, idempotent = true }
    assert(kept():request(request):await(LIMIT))
    request.rewind, request.body = nil, pieces(TEXT, 50000)
    local err = rejected(kept():request(request), "connect")
    assert.matches("it could not be sent again: give it a function rewind", err.hint)
  end)

  it("breaks the connection while a function works: what it gives is dropped, and it begins again", function()
    local session = kept()
    raw:clear()
    raw:fault("POST /App/a", { PAUSE, RESET }, 1, "head")
    local n, begun, sent, go = 0, 0, 0, false
    local request = session:request {
      path = "/a", bodyLength = 3, idempotent = true, rewind = function() n, begun = 0, begun + 1 end,
      onProgress = function(bytes) sent = bytes end,
      body = function()
        n = n + 1
        if n == 2 and begun == 0 then
          while not go do datasession.nextStep() end
        end
        return n <= 3 and tostring(n) or nil
      end,
    }
    await.stepUntil(function() return n == 2 and sent == 1 end)
    local _, accepted = raw:counts()
    raw:release()
    await.stepUntil(function() return select(2, raw:counts()) > accepted end)
    go = true
    assert(request:await(LIMIT))
    assert.equal(1, begun)
  end)

  it("breaks the connection while a function works that cannot begin again", function()
    local session, n = kept(), 0
    raw:clear()
    raw:fault("POST /App/a", { PAUSE, RESET }, 1, "head")
    local request = session:request { path = "/a", bodyLength = 3, idempotent = true, body = function()
      n = n + 1
      if n == 2 then datasession.sleep(1000) end
      return "a"
    end }
    await.stepUntil(function() return n == 2 end)
    raw:release()
    assert.matches("it could not be sent again", rejected(request, "connect").hint)
  end)

  it("answers early: an error of the function ends the one that takes the answer", function()
    raw:fault("POST /App/a", { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", PAUSE }, 1, "head")
    local takes, ended, n = false, false, 0
    local request = plain():request { path = "/a", body = function()
      n = n + 1
      if n == 1 then return "x" end
      while not takes do datasession.nextStep() end
      error "the tape broke"
    end, saveTo = function()
      takes = true
      await.guarded(function() ended = true end, datasession.sleep, 1000)
    end }
    assert.matches("the tape broke", rejected(request).message)
    assert.is_true(ended)
  end)

  it("refuses before the body is sent, while the function waits", function()
    for _, name in ipairs { "413 Too Large", "307 Temporary Redirect" } do
      raw:fault("POST /App/a", {
        PAUSE, "HTTP/1.1 " .. name .. "\r\nLocation: /App/b\r\nContent-Length: 0\r\n\r\n",
      }, 1, "head")
      local n, sent, ended = 0, 0, false
      local request = plain():request { path = "/a", body = function()
        n = n + 1
        if n == 1 then return "x" end
        await.guarded(function() ended = true end, datasession.sleep, 1000)
      end, onProgress = function(count) sent = count end }
      await.stepUntil(function() return n == 2 and sent == 1 and select(4, raw:counts()) > 0 end)
      await.flush() -- libcurl asks for more
      raw:release()
      local err = rejected(request)
      assert.equal(name == "413 Too Large" and 413 or nil, err.httpStatus)
      assert.is_true(ended)
    end
  end)

  it("redirects before the body is sent: a function that was not called needs no rewind", function()
    raw:fault("POST /App/a", {
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: /App/b\r\nContent-Length: 0\r\n\r\n",
    }, 1, "head")
    raw:answer("POST /App/b", { DONE })
    assert(plain():request({
      path = "/a", body = pieces("abc", 1), bodyLength = 3, headers = { Expect = "100-continue" },
    }):await(LIMIT))
  end)

  it("takes no more: the request fails when nothing moves, but not while the function waits", function()
    files.write(source, TEXT:rep(20))
    raw:fault("POST /App/a", { PAUSE }, 1, "head")
    rejected(plain():request { path = "/a", bodyFile = source, timeout = 0.2 }, "stall")
    raw:answer("POST /App/b", { DONE })
    local n = 0
    assert(plain():request({ path = "/b", timeout = 0.05, bodyLength = 2, body = function()
      n = n + 1
      datasession.sleep(0.06)
      return n <= 2 and "x" or nil
    end }):await(LIMIT))
  end)

  it("closes the connection amid the body", function()
    files.write(source, TEXT:rep(20))
    raw:fault("POST /App/a", { PAUSE, RESET }, 1, "head")
    local request = plain():request { path = "/a", bodyFile = source }
    await.stepUntil(function() return select(4, raw:counts()) > 0 end)
    raw:release()
    rejected(request, "connect")
  end)
end)

for version, http2 in pairs { ["1.1"] = false, ["2"] = true } do
  describe("nginx, by HTTP/" .. version .. ",", function()
    local web, large

    setup(function()
      large = directory .. "/large"
      files.write(large, TEXT:rep(100))
      web = nginx.start(certify(directory), [[
        client_max_body_size 0;
        location /put/ { dav_methods PUT; }
        location /small/ { client_max_body_size 1k; dav_methods PUT; }
        location = /moved { return 307 /put/moved; }
      ]])
      shell.run("mkdir -p -m 777", web.directory .. "/www/put", web.directory .. "/www/small")
    end)

    teardown(function() web:stop() end)

    local function put(path, options)
      local session = datasession.new { serviceURI = web.origin, caFile = web.authority, http2 = http2 }
      options.path, options.method = path, "PUT"
      return session:request(options)
    end

    local function stored(name) return files.read(web.directory .. "/www" .. name) end

    it("gets the whole of a large file, of a function's body and of a form", function()
      assert(put("/put/file", { bodyFile = large }):await(LIMIT))
      assert.is_true(stored "/put/file" == TEXT:rep(100))
      assert(put("/put/function", { body = pieces(TEXT, 7000) }):await(LIMIT))
      assert.is_true(stored "/put/function" == TEXT)
      assert(put("/put/sized", { body = pieces(TEXT, 100000), bodyLength = #TEXT }):await(LIMIT))
      assert.is_true(stored "/put/sized" == TEXT)
      assert(put("/put/form", { multipart = { f = { path = large } } }):await(LIMIT))
      assert.is_truthy(stored "/put/form":find(TEXT:rep(100), 1, true))
    end)

    it("redirects a file", function()
      assert(put("/moved", { bodyFile = source }):await(LIMIT))
      assert.is_true(stored "/put/moved" == TEXT)
    end)

    it("refuses what is too large for it", function()
      assert.equal(413, rejected(put("/small/file", { bodyFile = large }), "http").httpStatus)
      local request = put("/small/sized", { body = pieces(TEXT, 7000), bodyLength = #TEXT })
      assert.equal(413, rejected(request, "http").httpStatus)
    end)

    it("gets no more of a file that became shorter", function()
      local function shorten() files.write(large, "") end
      local request = put("/put/short", { bodyFile = large, onProgress = shorten })
      local err = rejected(request, "file")
      assert.matches("cannot read '.*/large': it became shorter while it was sent", err.message)
    end)
  end)
end
