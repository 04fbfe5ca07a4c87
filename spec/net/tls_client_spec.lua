-- Client certificates, trust in servers, and the hints for failed handshakes.
local datasession = require "datasession"

local authority = dofile "spec/support/authority.lua"
local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT = await.LIMIT

local directory, ours, own, user, other

-- An encrypted copy of the key.
local function lock(issued, password)
  local file = issued.key .. "." .. password
  shell.run("openssl pkcs8 -topk8 -in", issued.key, "-out", file, "-passout", "pass:" .. password)
  return file
end

setup(function()
  directory = files.directory()
  ours = authority.new(directory, "ours")
  own, user, other = ours:issue("own", "IP:127.0.0.1"), ours:issue("user", "DNS:user"),
    ours:issue("other", "DNS:other")
end)
teardown(function() files.removeDirectory(directory) end)
after_each(sessions.endAll)

local function ask(origin, options)
  local all = { serviceURI = origin .. "/App", caFile = ours.certificate }
  for name, value in pairs(options or {}) do all[name] = value end
  local session = datasession.new(all)
  return session:request { path = "/who" }:await(LIMIT)
end

local function refusal(...)
  local value, err = ask(...)
  assert.is_nil(value)
  assert.equal("tls", err.kind, tostring(err))
  assert.is_false(err.retryable)
  return err.hint
end


describe("a client's key", function()
  local server

  setup(function()
    server = nginx.start(own, ("ssl_client_certificate %s; ssl_verify_client optional;"
      .. " location = /App/who { return 200 '$connection $ssl_client_s_dn'; }"):format(ours.certificate))
  end)
  teardown(function() server:stop() end)

  local function who(options)
    options.clientCertificate = options.clientCertificate or user.certificate
    local response = assert(ask(server.origin, options))
    return response.body:match "^(%d+) (.*)$"
  end

  it("is shown, and its connection kept for whoever has the same", function()
    local first, name = who { clientKey = user.key }
    assert.equal("CN=user", name)
    assert.equal(first, who { clientKey = user.key })
    local locked = lock(user, "hush")
    local second = who { clientKey = locked, clientKeyPassword = "hush" }
    assert.not_equal(first, second)
    assert.equal(second, who { clientKey = locked, clientKeyPassword = "hush" })
    assert.equal(first, who { clientKey = user.key })
  end)

  it("of another is no way to a kept connection, nor to its TLS session", function()
    local locked = lock(user, "secret")
    for _ = 1, 2 do
      who { clientKey = user.key }
      who { clientKey = locked, clientKeyPassword = "secret" }
      refusal(server.origin, { clientCertificate = user.certificate, clientKey = other.key })
      local hint = refusal(server.origin, { clientCertificate = user.certificate, clientKey = locked,
        clientKeyPassword = "wrong" })
      assert.matches("is clientKeyPassword right", hint)
      refusal(server.origin, { clientCertificate = user.certificate })
      local _, name = who { clientCertificate = other.certificate, clientKey = other.key }
      assert.equal("CN=other", name)
    end
  end)

  it("that is encrypted is asked for by nobody: its password is to be given", function()
    local locked = lock(user, "quiet")
    local program = ([[
      local session = require("datasession").new { serviceURI = %q, caFile = %q, clientCertificate = %q,
        clientKey = %q }
      local _, err = session:request { path = "/who" }:await(20)
      print(err.kind, err.retryable, err.hint)]]):format(server.origin .. "/App", ours.certificate,
      user.certificate, locked)
    local lua = child.command() .. " -e " .. shell.quoted(program)
    local output = shell.run("setsid -w " .. lua .. " </dev/null") -- with no terminal
    assert.matches("^tls\tfalse\t.*an encrypted key needs clientKeyPassword\n$", output)
  end)

  it("that a server wants before it answers is hinted at", function()
    local strict = nginx.start(own, ("ssl_client_certificate %s; ssl_verify_client on;"):format(
      ours.certificate))
    local _, err = ask(strict.origin)
    assert.equal(400, err.httpStatus)
    assert.matches("pass clientCertificate and clientKey", err.hint)
    strict:stop()
  end)
end)

describe("a server that refuses the client's certificate by an alert", function()
  -- Starts a server; returns its origin, and a function that stops it.
  local function listen(version, ca)
    local pipe = assert(io.popen(("echo $$; exec timeout 60 openssl s_server -accept 127.0.0.1:0 -%s -cert %s"
      .. " -key %s -Verify 1 -verify_return_error -CAfile %s -WWW 2>&1 </dev/null"):format(version,
        own.certificate, own.key, ca)))
    local pid = pipe:read "l"
    for line in pipe:lines() do
      local port = line:match "^ACCEPT .*:(%d+)"
      if port then
        return "https://127.0.0.1:" .. port, function()
          shell.run("kill", pid)
          pipe:close()
        end
      end
    end
    error "openssl does not listen"
  end

  it("is told as that, over TLS 1.2 and 1.3", function()
    for _, version in ipairs { "tls1_2", "tls1_3" } do
      local origin, stop = listen(version, ours.certificate)
      assert.matches("pass clientCertificate and clientKey", refusal(origin))
      stop()
      origin, stop = listen(version, authority.new(directory, version).certificate)
      local hint = refusal(origin, { clientCertificate = user.certificate, clientKey = user.key })
      assert.matches("does not trust the client certificate: check clientCertificate", hint)
      stop()
    end
  end)
end)

describe("a port of TLS that is asked in plain http", function()
  it("is hinted at, whether the server says so or only ends the connection", function()
    local server = nginx.start(own)
    local _, err = ask((server.origin:gsub("^https", "http")))
    assert.equal(400, err.httpStatus)
    assert.matches("begin the URI with https://", err.hint)
    server:stop()
    local pipe = assert(io.popen(("exec timeout 60 openssl s_server -accept 127.0.0.1:0 -cert %s -key %s \z
      -naccept 1"
      .. " -WWW 2>&1 </dev/null"):format(own.certificate, own.key)))
    local port
    repeat port = pipe:read():match "^ACCEPT .*:(%d+)" until port
    _, err = ask("http://127.0.0.1:" .. port)
    pipe:close()
    assert.equal("connect", err.kind)
    assert.matches("begins with https://", err.hint)
  end)
end)

describe("caFile and caPath", function()
  local server

  setup(function() server = nginx.start(own, "location = /App/who { return 200 'x'; }") end)
  teardown(function() server:stop() end)

  -- The authority's certificate in a directory, named by its hash.
  local function lay(trusted, name)
    local path = directory .. "/" .. name
    shell.run("mkdir", path)
    shell.run("cp", trusted.certificate, path .. "/it.pem")
    shell.run("openssl rehash", path)
    return path
  end

  it("are each enough, and hold for their session alone", function()
    local strangers = authority.new(directory, "strangers")
    local path, strange = lay(ours, "path"), lay(strangers, "strange")
    for _ = 1, 2 do
      assert(ask(server.origin))
      assert.matches("certificate not trusted", refusal(server.origin, { caFile = strangers.certificate }))
      assert(ask(server.origin, { caFile = strangers.certificate, caPath = path }))
      assert.matches("not trusted", refusal(server.origin,
        { caFile = strangers.certificate, caPath = strange }))
    end
  end)

  it("replaced by another file of the same name are read again", function()
    local name = directory .. "/renewed.pem"
    shell.run("cp", authority.new(directory, "former").certificate, name)
    refusal(server.origin, { caFile = name })
    shell.run("cp", ours.certificate, name)
    assert(ask(server.origin, { caFile = name }))
  end)

  -- Replaces the system's certificates by the spec's own, which needs a mount namespace.
  local SYSTEM, BUNDLE = "/etc/ssl/certs", "/ca-certificates.crt"

  local function outcome(path, options)
    local program = ([[
      local session = require("datasession").new { serviceURI = %q, %s }
      local response, err = session:request { path = "/who" }:await(20)
      print(response and "in" or err.kind)]]):format(server.origin .. "/App", options)
    local lua = child.command() .. " -e " .. shell.quoted(program)
    local script = ("mount --bind %s %s && exec %s"):format(shell.quoted(path), SYSTEM, lua)
    return (shell.run("unshare -rm sh -c", script):gsub("%s", ""))
  end

  it("replace the system's authorities", function()
    if not os.execute "unshare -rm true 2>/dev/null" then return pending "this system gives no namespaces" end
    if not os.execute("test -e " .. SYSTEM .. BUNDLE) then
      return pending "this system keeps them elsewhere"
    end
    local strangers, path = authority.new(directory, "foreigners"), lay(ours, "system")
    shell.run("cp", ours.certificate, path .. BUNDLE)
    assert.equal("in", outcome(path, ""))
    assert.equal("tls", outcome(path, ("caFile = %q"):format(strangers.certificate)))
    assert.equal("tls", outcome(path, ("caPath = %q"):format(lay(strangers, "foreign"))))
    assert.equal("in", outcome(path, ("caFile = %q"):format(ours.certificate)))
  end)
end)
