-- Header lines of responses that violate HTTP, and the header lines that every request has.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local server, session

setup(function() server = assert(sandbox.start {}) end)
teardown(function() server:close() end)
before_each(function()
  sessions.refresh(server)
  session = sessions.new(server)
end)
after_each(sessions.endAll)

-- The result of a request whose response has these header lines and this body.
local function ask(lines, body, options)
  options = options or {}
  options.path = "probe"
  server:clearFaults()
  -- libcurl 8.1 and later is asked once more, undecoded
  server:fault { kind = "raw", path = "/probe$", count = 2,
    body = "HTTP/1.1 200 OK\r\n" .. lines .. "Connection: close\r\n\r\n" .. body }
  return session:request(options):await(await.LIMIT)
end

local function refused(words, ...)
  local value, err = ask(...)
  assert.is_nil(value)
  assert.equal("protocol", err.kind)
  assert.matches(words, err.message)
  return err
end

describe("an answer's Content-Encoding", function()
  it("that is no encoding leaves the bytes as they are", function()
    for _, name in ipairs { "utf-8", "UTF-8", "iso-8859-1", "binary", "identity, utf-8" } do
      for _, method in ipairs { "GET", "PUT" } do
        local options = { method = method, body = method == "PUT" and "x" or nil, idempotent = true }
        local response = assert(ask("Content-Encoding: " .. name .. "\r\nContent-Length: 7\r\n", '{"a":1}',
          options))
        assert.same({ a = 1 }, response:json())
      end
    end
  end)

  it("is looked at anew in each answer", function()
    assert(ask("Content-Encoding: utf-8\r\nContent-Length: 1\r\n", "x"))
    local packed = "\31\139\8\0\0\0\0\0\2\3\51\4\0\183\239\220\131\1\0\0\0" -- "1"
    local response = assert(ask("Content-Encoding: gzip\r\nContent-Length: " .. #packed .. "\r\n", packed))
    assert.equal("1", response.body)
    refused("", "Content-Encoding: gzip\r\nContent-Length: 16\r\n", "this is not gzip")
  end)
end)

describe("a header line that goes on in the next one", function()
  it("is put together", function()
    local response = assert(ask("X-Note: one\r\n  two\r\n\tthree \r\nX-Empty:\r\n later\r\nContent-Length: \z
      0\r\n", ""))
    assert.equal("one two three", response.headers["x-note"])
    assert.equal("later", response.headers["x-empty"])
    assert.equal("0", response.headers["content-length"])
  end)

  it("is read whole by the session: the context, and what the body is", function()
    assert(ask('X-CLIENT-PROPS: {"a":1,\r\n  "b":2}\r\nContent-Length: 0\r\n', ""))
    local context = session:getContext()
    assert.equal(1, context.a)
    assert.equal(2, context.b)
    local page = "<form action='j_spring_security_check'>"
    local value, err = ask("Content-Type:\r\n text/html\r\nContent-Length: " .. #page .. "\r\n", page)
    assert.is_nil(value)
    assert.equal("auth", err.kind)
  end)

  -- libcurl 8.23 puts them together itself.
  it("is refused where libcurl would take its first part for all of it", function()
    local function whole_or_refused(name, whole, lines)
      local response, err = ask(lines .. "Content-Length: 0\r\n", "")
      if response then
        assert.equal(whole, response.headers[name:lower()] or whole) -- a script sees no cookies
      else
        assert.equal(("the response's header %s goes on in the next line"):format(name),
          err.message:match "the response's header .*line")
      end
    end
    whole_or_refused("Set-Cookie", "a=b; Path=/x", "Set-Cookie: a=b;\r\n Path=/x\r\n")
    whole_or_refused("Content-Encoding", "identity", "Content-Encoding:\r\n identity\r\n")
    refused("Content%-Length", "Content-Length: 1\r\n 2\r\n", "123456789012")
  end)
end)

describe("an answer's Content-Length", function()
  it("said twice differently is refused", function()
    local err = refused("Content%-Length", "Content-Length: 2\r\nContent-Length: 4\r\n", "{}{}")
    assert.is_false(err.retryable)
    refused("Content%-Length", "Content-Length: 2\r\nX: y\r\ncontent-length: 4\r\n", "{}{}")
    refused("Content%-Length", "Content-Length: 2, 4\r\n", "{}{}")
  end)

  it("said twice alike is taken", function()
    assert.equal("{}", assert(ask("Content-Length: 2\r\nContent-Length: 02\r\n", "{}")).body)
  end)
end)

describe("a request's Content-Type", function()
  local function typeOf(options)
    options.path = "static/home.html"
    server:clearRequests()
    session:request(options):await(await.LIMIT)
    return server:requests()[1].headers["content-type"]
  end

  it("is none that the caller did not say", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
      assert.is_nil(typeOf { method = method })
      assert.is_nil(typeOf { method = method, body = "" })
      assert.is_nil(typeOf { method = method, body = "<a/>" })
    end
    assert.is_nil(typeOf { method = "POST", body = ("x"):rep(70000) })
  end)

  it("is what the caller said, from one request to the next", function()
    assert.equal("text/xml", typeOf { body = "<a/>", headers = { ["content-type"] = "text/xml" } })
    assert.matches("^application/json", typeOf { json = { 1 } })
    assert.is_nil(typeOf { body = "<a/>" })
    assert.matches("^application/json", typeOf { json = { 1 } })
    assert.is_nil(typeOf {})
  end)

  it("goes with the body: a redirect that drops it drops both", function()
    local location = server.uris.anonymous .. "/static/home.html"
    for status, kept in pairs { [302] = false, [303] = false, [307] = true } do
      server:fault { kind = "redirect", status = status, location = location, path = "/form$" }
      server:clearRequests()
      session:request { path = "form", json = { 1 } }:await(await.LIMIT)
      local hop = server:requests()[2]
      assert.same({ kept and "POST" or "GET", kept and "[1]" or "" }, { hop.method, hop.body })
      assert.equal(kept, hop.headers["content-type"] ~= nil)
    end
  end)
end)

describe("a host's name beyond ASCII", function()
  it("raises, with a word about what to write", function()
    for _, name in ipairs { "b\u{fc}cher.invalid", "b%C3%BCcher.invalid", "\u{4f8b}.invalid:8080" } do
      assert.error_matches(function() datasession.new { serviceURI = "http://" .. name .. "/App" } end,
        "option 'serviceURI': the URI '.-' has a host name beyond ASCII: write it in its xn%-%- form")
    end
    assert.error_matches(function() session:request { uri = "http://b\u{fc}cher.invalid/" } end, "xn%-%-")
  end)

  it("leaves paths beyond ASCII alone", function()
    assert(session:request { path = "static/home.html?\u{fc}" }:await(await.LIMIT))
  end)
end)

describe("cookies of more than a mebibyte", function()
  local function fill(length)
    local lines, value, err = {}, nil, nil
    for block = 1, 6 do
      for i = 1, 50 do
        lines[i] = ("Set-Cookie: c%d=%s; Path=/\r\n"):format(block * 100 + i, ("v"):rep(4000))
      end
      value, err = ask(table.concat(lines) .. ("Content-Length: %d\r\n"):format(length), "")
    end
    assert.is_nil(value)
    server:clearRequests()
    assert(ask("Content-Length: 1\r\n", "x"))
    assert.is_nil(server:requests()[1].headers.cookie)
    return err
  end

  it("are all forgotten, and the answer is refused", function()
    local err = fill(0)
    assert.equal("protocol", err.kind)
    assert.matches("the server's cookies pass 1024 KiB: all are forgotten", err.message, 1, true)
  end)

  it("are all forgotten by an answer that fails as well, and it fails as it did", function()
    assert.equal("connect", fill(9).kind)
  end)
end)
