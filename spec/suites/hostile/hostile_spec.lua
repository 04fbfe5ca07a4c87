-- Servers that mean harm: what they send is refused with a reason, takes no more memory than was allowed, and
-- tells no other server our credentials. The long ones: make torture-hostile.
local catalog = require "datasession.catalog"
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local authority = dofile "spec/support/authority.lua"
local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local memory, places = dofile "spec/suites/hostile/memory.lua", dofile "spec/suites/hostile/places.lua"
local servers = dofile "spec/suites/hostile/servers.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT = await.LIMIT
local MIB = 1 << 20
local JSON = "application/json"

local server, other, evil, origin

setup(function() server, other, evil, origin = servers.start() end)
teardown(servers.close)
before_each(servers.clear)
after_each(sessions.endAll)

-- A session with the server that does harm.
local function victim(options)
  options = options or {}
  options.serviceURI, options.proxy = origin .. "/App", false
  return datasession.new(options)
end

local function answer(status, headers, body)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers, #body, body)
end

-- The outcome of a request that is answered by that script.
local function get(options)
  return victim(options):request { path = "/data" }:await(LIMIT)
end

local function ask(script, options)
  evil:fault("GET /App/data", script)
  return get(options)
end

-- The same, and before it by how much memory grew, and how much of Lua's was left.
local function measured(script, options)
  evil:fault("GET /App/data", script) -- the server is in this process, and keeps a copy
  return memory.growth(get, options)
end

-- The error of something that must fail so, in one line.
local function refused(kind, words, value, err)
  assert.is_nil(value)
  assert.equal(kind, err.kind)
  assert.matches(words, err.message)
  assert.not_matches("%c", tostring(err))
  return err
end

local function loggedIn(model, options)
  return sessions.loggedIn(server, model, options)
end

local function newProvider()
  return datasession.AuthenticationProvider { uri = server.uris.form_sso, authenticationModel = "form_sso" }
end

describe("an answer", function()
  it("with ten megabytes of headers is refused when they pass 256 KiB, and not kept", function()
    local lines = ("X-A: " .. ("a"):rep(995) .. "\r\n"):rep(10 * 1024)
    local long = "X-A: " .. ("a"):rep(10 * MIB) .. "\r\n"
    for _, case in ipairs { { lines, "headers pass 256 KiB" }, { long, "header" } } do
      local script = { answer("200 OK", case[1], "") }
      local growth, left, value, err = measured(script)
      refused("protocol", case[2], value, err)
      assert.is_true(growth < 4 * MIB and left < MIB // 4, ("%d, %d bytes"):format(growth, left))
    end
  end)

  it("with as many interim answers is refused the same way", function()
    local interim = "HTTP/1.1 103 Early Hints\r\nLink: <" .. ("a"):rep(1000) .. ">\r\n\r\n"
    refused("protocol", "headers pass 256 KiB", ask { interim:rep(10 * 1024) .. answer("200 OK", "", "") })
  end)

  it("with as many trailers is refused the same way", function()
    local head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    local trailers = ("X-A: " .. ("a"):rep(1000) .. "\r\n"):rep(10 * 1024)
    refused("protocol", "headers pass 256 KiB", ask { head .. trailers .. "\r\n" })
  end)

  it("that unpacks to thirty megabytes is cut at maxResponseSize", function()
    local once = shell.run "head -c 30M /dev/zero | gzip -6"
    local twice = shell.run "head -c 30M /dev/zero | gzip -6 | gzip -6"
    for encoding, body in pairs { gzip = once, ["gzip, gzip"] = twice } do
      assert.is_true(#body < MIB)
      local script = { answer("200 OK", "Content-Encoding: " .. encoding .. "\r\n", body) }
      local growth, _, value, err = measured(script, { maxResponseSize = MIB })
      refused("protocol", "body passes 1048576 bytes", value, err)
      assert.equal("raise the maxResponseSize option", err.hint)
      assert.is_true(growth < 6 * MIB, growth .. " bytes")
    end
  end)

  it("packed more often than is any use is refused", function()
    local encodings = ("gzip, "):rep(50) .. "gzip"
    refused("protocol", "", ask { answer("200 OK", "Content-Encoding: " .. encodings .. "\r\n", "x") })
  end)

  it("without an end is cut at maxResponseSize, or by the time", function()
    local head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    local chunks = ("1000\r\n" .. ("x"):rep(4096) .. "\r\n"):rep(1024)
    local script = { head .. chunks, fault_server.PAUSE }
    local growth, _, value, err = measured(script, { maxResponseSize = MIB })
    refused("protocol", "body passes 1048576 bytes", value, err)
    assert.is_true(growth < 6 * MIB, growth .. " bytes")
    refused("timeout", "time limit", ask({ head .. "1\r\na\r\n", fault_server.PAUSE }, { timeout = 0.2 }))
    evil:release()
  end)

  it("that promises more than there is memory for is not believed", function()
    local script = { "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx", fault_server.CLOSE }
    local growth, _, value = measured(script)
    assert.is_nil(value)
    assert.is_true(growth < 2 * MIB, growth .. " bytes")
  end)

  it("with NUL bytes or no UTF-8 is refused, or given as it came, and no message is spoiled by it", function()
    local head = "HTTP/1.1 200 OK\r\nX-A: \xff\xfe\r\nX-CLIENT-CONTEXT-ID: \xff\r\nContent-Length: 4\r\n\r\n"
    local response = assert(ask { head .. "\0\xff\xc0\x80" })
    assert.equal("\0\xff\xc0\x80", response.body)
    assert.equal("\xff\xfe", response.headers["x-a"])
    local value, message = response:json()
    assert.is_nil(value)
    assert.not_matches("[%c\x80-\xff]", message)
    for _, bytes in ipairs { "HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n",
      "HTTP/1.1 200 \0\xff\x1b[31m\r\nX: y\r\n\r\n",
      "\0\0\0\0", "\xff\xff\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A\0: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX-A: \0\r\n\r\n" } do
      local given, err = ask { bytes, fault_server.CLOSE }
      assert.not_matches("%c", tostring(given or err))
    end
  end)
end)

describe("JSON ten thousand levels deep", function()
  local arrays = ("["):rep(10000) .. ("]"):rep(10000)
  local objects = ('{"a":'):rep(10000) .. "1" .. ("}"):rep(10000)

  it("is no value of a response", function()
    for _, text in ipairs { arrays, objects, ("["):rep(MIB), ('{"a":'):rep(MIB // 5) } do
      local response = assert(ask { answer("200 OK", "Content-Type: " .. JSON .. "\r\n", text) })
      local value, message = response:json()
      assert.is_nil(value)
      assert.matches("nest", message)
    end
  end)

  it("is no catalog, wherever it stands in one", function()
    for _, text in ipairs { arrays, objects, '{"services":' .. arrays .. "}",
      '{"services":[],"more":' .. objects .. "}",
      '{"services":[{"name":"S","resources":[{"name":"R","schema":' .. objects .. "}]}]}" } do
      evil:fault("GET /App/catalog.json", { answer("200 OK", "", text) })
      local err = refused("catalog", "", victim():addCatalog("catalog.json"):await(LIMIT))
      assert.matches("nest", tostring(err))
    end
  end)

  it("is no context", function()
    local value, err = ask { answer("200 OK", "X-CLIENT-PROPS: " .. objects .. "\r\n", "") }
    refused("protocol", "X%-CLIENT%-PROPS of the answer is not a JSON object", value, err)
  end)

  it("is no token", function()
    local provider = newProvider()
    for _, text in ipairs { arrays, objects, '{"access_token":' .. objects .. "}" } do
      server:fault { kind = "status", status = 200, body = text, contentType = JSON,
        path = "j_spring_security_check" }
      refused("protocol", "", provider:login("lua", "secret"):await(LIMIT))
      assert.is_false(provider:hasClientCredentials())
    end
  end)
end)

describe("a catalog", function()
  local function load(text)
    evil:fault("GET /App/catalog.json", { answer("200 OK", "Content-Type: " .. JSON .. "\r\n", text) })
    local session = victim { maxResponseSize = 64 * MIB }
    return session, session:addCatalog("catalog.json"):await(LIMIT)
  end

  it("of 100,000 resources is taken in little more memory than its text", function()
    local text = places.large(100000)
    local growth, left, session, ok, err = memory.growth(load, text)
    assert(ok, err)
    assert.is_true(growth < 12 * #text, growth // MIB .. " MiB")
    assert.is_true(left < 6 * #text, left // MIB .. " MiB")
    assert.equal(100000, #session.catalogs[1].services[1].resources)
    assert.equal("go", session.catalogs[1]:resource("R99999"):operation("go").name)
  end)

  it("with a wrong value at any place is taken or refused, and the refusal names the place", function()
    local tried = 0
    local function walk(made)
      for resource in made:eachResource() do
        tostring(resource)
        resource:fields()
        for _, operation in ipairs(resource.operations) do
          tostring(operation)
          pcall(operation.expand, operation, {})
        end
      end
    end
    places.each(function(text, place)
      local made, message = catalog.parse(text)
      tried = tried + 1
      if made then return walk(made) end
      assert.not_matches("[%c]", message, place)
      assert.is_true(#message < 1000, place)
    end)
    assert.is_true(tried > 1000)
  end)

  it("with a wrong value is refused by a session as it is by the parser", function()
    local sample, number = {}, 0
    places.each(function(text)
      number = number + 1
      if number % 23 == 0 then sample[#sample + 1] = text end
    end)
    for _, text in ipairs(sample) do
      local session, ok, err = load(text)
      local made, message = catalog.parse(text)
      assert.equal(made ~= nil, ok ~= nil)
      if not made then
        assert.is_truthy(tostring(err):find(message, 1, true), tostring(err) .. " lacks " .. message)
        assert.equal(0, #session.catalogs)
      end
    end
  end)

  it("whose names lead round in a circle is walked all the same", function()
    local made = assert(catalog.parse(assert(codec.encode(places.good()))))
    local resource = made.services[1].resources[1]
    assert.equal(2, #resource.relations)
    for _ = 1, 100 do made = made.services[1].resources[1].service.resources[1].service and made end
    local circle = '"schema":{"$ref":"#","properties":{"a":{"$ref":"#"}}},"old":'
    assert(catalog.parse((assert(codec.encode(places.good())):gsub('"schema":', circle))))
  end)

  it("with bytes that are no UTF-8, or NULs, is taken or refused, and no name reaches a message raw",
    function()
    local good = assert(codec.encode(places.good()))
    local odd = { "\xff", "\xc0\x80", "\xed\xa0\x80", "\0", "\\u0000", "\27[31m", "\\u001b[31m", "\\ud800" }
    for _, bytes in ipairs(odd) do
      for _, key in ipairs { '"S"', '"R"', '"read"', '"/R"' } do
        local text = good:gsub(key, function(whole) return whole:sub(1, -2) .. bytes .. '"' end, 1)
        local made, message = catalog.parse(text)
        assert.not_matches("%c", message or tostring(made))
        local session, _, err = load(text)
        assert.not_matches("%c", tostring(err or session))
      end
    end
    local twice = '{"services":[{"name":"\\n\\u0000","resources":[]},{"name":"\\n\\u0000","resources":[]}]}'
    assert.not_matches("%c", (select(2, catalog.parse(twice))))
    assert.not_matches("%c", tostring((select(3, load(twice)))))
  end)

  it("with an address elsewhere leads to no request that shows who we are", function()
    local session = loggedIn "basic"
    local text = '{"services":[{"name":"S","address":"%s/x","resources":[{"name":"R","path":"/R"}]}]}'
    text = text:format(other.origin)
    server:fault { kind = "status", status = 200, body = text, contentType = JSON, path = "evil.json" }
    assert(session:addCatalog("static/evil.json"):await(LIMIT))
    session:request { uri = session.catalogs[1]:resource("R").uri }:await(LIMIT)
    for _, request in ipairs(other:requests()) do
      assert.is_nil(request.headers.authorization)
      assert.is_nil(request.headers.cookie)
    end
  end)
end)

describe("cookies", function()
  it("by the thousand are forgotten when they pass a mebibyte, and the server's answer is refused", function()
    local session, lines, last = victim(), {}, nil
    local growth = memory.growth(function()
      for block = 1, 20 do
        for i = 1, 50 do lines[i] = ("Set-Cookie: c%d=%s\r\n"):format(block * 100 + i, ("v"):rep(4000)) end
        evil:fault("GET /App/data", { answer("200 OK", table.concat(lines), "") })
        local ok, err = session:request { path = "/data" }:await(LIMIT)
        if not ok then last = err end
      end
    end)
    assert.is_true(growth < 8 * MIB, growth // MIB .. " MiB")
    refused("protocol", "the server's cookies pass 1024 KiB: all are forgotten", nil, last)
  end)

  it("that are set again and again are no more than one", function()
    local session = victim()
    local line = "Set-Cookie: c=" .. ("v"):rep(3000) .. "\r\n"
    for _ = 1, 20 do
      evil:fault("GET /App/data", { answer("200 OK", line:rep(60), "") })
      assert(session:request { path = "/data" }:await(LIMIT))
    end
  end)

  -- Hosts of any name: the server is their proxy.
  local function at(host)
    local session = datasession.new { serviceURI = "http://" .. host .. "/SportsForm",
      authenticationModel = "form",
      proxy = server.origin }
    assert(session:login("lua", "secret"):await(LIMIT))
    return session
  end

  local function cookiesOf(requests)
    local found = {}
    for _, request in ipairs(requests) do found[#found + 1] = request.headers.cookie end
    return table.concat(found, "; ")
  end

  it("for another host, a public suffix or an address are not taken, and reach nobody else", function()
    local session = at "app.example.co.uk"
    for i, domain in ipairs { "co.uk", ".uk", "other.test", "other.co.uk", "127.0.0.1", "example.co.uk.",
      "" } do
      server:fault { kind = "status", status = 200, path = "/rest/",
        headers = { ["Set-Cookie"] = ("stray%d=hush; Domain=%s; Path=/"):format(i, domain) } }
      assert(session:request { path = "/rest/x" }:await(LIMIT))
    end
    server:clearRequests()
    for _, uri in ipairs { "http://other.co.uk/", "http://other.test/", "http://example.co.uk/",
      "https://app.example.co.uk/", "http://app.example.co.uk:81/", "http://app.example.co.uk.evil.test/",
      other.origin .. "/" } do
      session:request { uri = uri }:await(LIMIT)
    end
    assert.equal("", cookiesOf(server:requests()))
    assert.equal("", cookiesOf(other:requests()))
    server:clearRequests()
    session:request { path = "/rest/x" }:await(LIMIT)
    local sent = cookiesOf(server:requests())
    assert.matches("JSESSIONID=", sent)
    for i = 1, 5 do assert.not_matches("stray" .. i, sent) end
  end)

  it("never pass from one session to another", function()
    local first = at "app.example.test"
    server:fault { kind = "status", status = 200, path = "/rest/",
      headers = { ["Set-Cookie"] = "stray=hush; Domain=example.test; Path=/" } }
    assert(first:request { path = "/rest/x" }:await(LIMIT))
    local second = at "www.example.test"
    server:clearRequests()
    second:request { path = "/rest/x" }:await(LIMIT)
    assert.not_matches("stray", cookiesOf(server:requests()))
  end)

  it("with bytes that no header may have do no harm", function()
    local session = victim()
    for _, bytes in ipairs { "\1", "\127", "a\tb", "\0", "\xff", "a\rX-Evil: 1" } do
      evil:fault("GET /App/data", { answer("200 OK", "Set-Cookie: c=" .. bytes .. "; Path=/\r\n", "") })
      session:request { path = "/data" }:await(LIMIT)
    end
    local proxied = at "app.example.test"
    server:clearRequests()
    proxied:request { path = "/rest/x" }:await(LIMIT)
    assert.is_nil(server:requests()[1].headers["x-evil"])
  end)
end)

describe("a redirect", function()
  local directory

  setup(function() directory = files.directory() end)
  teardown(function() files.removeDirectory(directory) end)

  it("in a circle is given up, with a hint", function()
    for _, where in ipairs { "/App/data", "data?x", "" } do
      local one = answer("302 Found", "Location: " .. where .. "\r\n", "")
      evil:fault("GET /App/data", { one }, 0)
      local err = refused("protocol", "more than 5 redirects",
        victim():request({ path = "/data" }):await(LIMIT))
      assert.matches("maxRedirects", err.hint)
      evil:clear()
    end
  end)

  local models = { "basic", "form", "bearer" }

  it("to another origin is not followed, whoever is logged in and whatever is asked", function()
    local targets = { other.origin .. "/x", other.origin:gsub("^http:", "") .. "/x",
      (other.origin:gsub("127.0.0.1", "localhost")), "https" .. server.origin:sub(5) .. "/x",
      "http://lua:secret@" .. other.origin:sub(8) .. "/x" }
    for _, model in ipairs(models) do
      local session = loggedIn(model)
      for _, target in ipairs(targets) do
        for _, status in ipairs { 301, 302, 303, 307, 308 } do
          server:fault { kind = "redirect", location = target, status = status, path = "/rest/" }
          local method = status == 307 and "POST" or "GET"
          local promise = session:request { path = "/rest/x", method = method }
          assert.not_matches("secret", tostring(refused("protocol", "redirect", promise:await(LIMIT))))
        end
      end
    end
    assert.same({}, other:requests())
  end)

  it("of a login, a ping, a catalog or a logout to another origin is not followed", function()
    for _, model in ipairs(models) do
      local session = loggedIn(model)
      server:fault { kind = "redirect", location = other.origin .. "/x", count = 0 }
      assert.is_nil((session:ping():await(LIMIT)))
      assert.is_nil((session:addCatalog("static/x.json"):await(LIMIT)))
      session:logout():await(LIMIT)
      local user, password = "lua", "secret"
      if model == "bearer" then user, password = "letmein", nil end
      assert.is_nil((session:login(user, password):await(LIMIT)))
      server:clearFaults()
    end
    local provider = newProvider()
    assert(provider:login("lua", "secret"):await(LIMIT))
    server:fault { kind = "redirect", location = other.origin .. "/x", count = 0 }
    assert.is_nil((provider:refresh():await(LIMIT)))
    assert.same({}, other:requests())
  end)

  it("to what is no http or https is not followed", function()
    local secret = directory .. "/secret"
    files.write(secret, "")
    for _, target in ipairs { "file://" .. secret, "file:///etc/passwd", "ftp://127.0.0.1/x",
      "gopher://127.0.0.1/x",
      "javascript:alert(1)", "data:text/plain,x", "dict://127.0.0.1:1/x", "http:", "http://", "//",
      "http:/etc/passwd" } do
      refused("protocol", "redirect", ask { answer("302 Found", "Location: " .. target .. "\r\n", "") })
    end
  end)

  it("from https to http is not followed, nor one back", function()
    local ours = authority.new(directory, "ours")
    local secure <close> = assert(sandbox.start { tls = ours:issue("here", "IP:127.0.0.1") })
    local session = datasession.new { serviceURI = secure.uris.basic, authenticationModel = "basic",
      caFile = ours.certificate }
    assert(session:login("lua", "secret"):await(LIMIT))
    for _, target in ipairs { "http" .. secure.origin:sub(6) .. "/x", other.origin .. "/x" } do
      secure:fault { kind = "redirect", location = target, path = "/rest/" }
      refused("protocol", "redirected out of the origin", session:request { path = "/rest/x" }:await(LIMIT))
    end
    assert.same({}, other:requests())
  end)
end)

describe("what a user or a server supplies", function()
  local BAD = { "a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n",
    "a\rX-Evil: 1",
    "a\0X-Evil: 1" }

  -- The server has seen no request that was not ours, nor a header that was smuggled in.
  local function clean()
    for _, request in ipairs(server:requests()) do
      assert.is_nil(request.headers["x-evil"])
      assert.not_matches("^/evil", request.uri)
    end
  end

  it("adds no header by the names and passwords of users", function()
    for _, bad in ipairs(BAD) do
      for _, model in ipairs { "basic", "form", "bearer" } do
        local session = datasession.new { serviceURI = server.uris[model], authenticationModel = model }
        for _, pair in ipairs { { bad, "secret" }, { "lua", bad } } do
          local ok, promise = pcall(session.login, session, pair[1], model ~= "bearer" and pair[2] or nil)
          if ok then promise:await(LIMIT) end
        end
      end
      local provider = newProvider()
      local ok, promise = pcall(provider.login, provider, bad, bad)
      if ok then promise:await(LIMIT) end
    end
    clean()
  end)

  local function answerTokens(tokens)
    server:fault { kind = "status", status = 200, contentType = JSON, path = "j_spring_security_check",
      body = assert(codec.encode(tokens)) }
  end

  it("adds no header by tokens that a server gives", function()
    for _, bad in ipairs(BAD) do
      local provider = newProvider()
      answerTokens { access_token = bad, token_type = "oecp", refresh_token = "x", expires_in = 60 }
      local promise = provider:login("lua", "secret")
      local err = refused("protocol", "the access_token has bytes that a header cannot hold",
        promise:await(LIMIT))
      assert.not_matches("Evil", tostring(err))
      answerTokens { access_token = "fine", token_type = "oecp", refresh_token = bad, expires_in = 60 }
      if provider:login("lua", "secret"):await(LIMIT) then provider:refresh():await(LIMIT) end
    end
    clean()
  end)

  it("adds no header by ids and properties of the context, either way", function()
    local session = loggedIn "basic"
    for _, bad in ipairs(BAD) do
      session:setContext { [bad] = bad }
      session:request { path = "/rest/x" }:await(LIMIT)
      pcall(function() session.clientContextId = bad end)
      session:request { path = "/rest/x" }:await(LIMIT)
      server:fault { kind = "status", status = 200, path = "/rest/", headers = {
        ["X-CLIENT-PROPS"] = assert(codec.encodeHeader { [bad] = bad }),
        ["X-CLIENT-CONTEXT-ID"] = "a;b?c#d/../e" } }
      session:request { path = "/rest/x" }:await(LIMIT)
      session:request { path = "/rest/x" }:await(LIMIT)
    end
    clean()
  end)

  it("adds no header by paths, URIs, parameters of operations and headers of a request", function()
    local session = loggedIn "basic"
    for _, bad in ipairs(BAD) do
      for _, options in ipairs { { path = "/rest/" .. bad }, { uri = server.uris.basic .. "/" .. bad },
        { uri = bad },
        { path = "/rest/x", headers = { ["X-A"] = bad } },
        { path = "/rest/x", headers = { ["X-A: " .. bad] = "b" } },
        { path = "/rest/x", method = "GET " .. bad } } do
        local ok, promise = pcall(session.request, session, options)
        if ok then promise:await(LIMIT) end
      end
      local document = places.good()
      document.services[1].address = "/rest/" .. bad
      document.services[1].resources[1].operations[1].path = "?filter={filter}" .. bad
      local made = assert(catalog.parse(assert(codec.encode(document)), { serviceURI = server.uris.basic }))
      local operation = made.services[1].resources[1]:operation "read"
      local ok, promise = pcall(session.request, session, { uri = (operation:expand { filter = bad }) })
      if ok then promise:await(LIMIT) end
      pcall(session.addCatalog, session, "static/" .. bad)
      pcall(datasession.new, { serviceURI = server.uris.basic .. bad })
      pcall(datasession.new, { serviceURI = server.uris.basic, userAgent = bad })
    end
    datasession.run(LIMIT)
    clean()
  end)
end)
