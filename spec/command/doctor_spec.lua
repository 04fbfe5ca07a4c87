-- doctor: checks of a server, line by line.
local codec = require "datasession.internal.codec"
local sandbox = require "datasession.sandbox"

local command = dofile "spec/support/command.lua"

describe("the command's doctor", function()
  local server, secure, home

  setup(function()
    server = assert(sandbox.start())
    secure = assert(sandbox.start { tls = true })
  end)
  teardown(function()
    server:close()
    secure:close()
  end)
  before_each(function() home = command.home() end)
  after_each(function() command.removeHome(home) end)

  -- The first state and text of each check by its name, and the exit code.
  local function examine(...)
    local result = command.run(home, "doctor", "--json", ...)
    local report, checks = assert(codec.decode(result.output), result.errors), {}
    for _, one in ipairs(report.checks) do checks[one.check] = checks[one.check] or one end
    assert.equal(result.code == 0, report.ok)
    return checks, result.code
  end

  it("finds all well, and leaves no session behind", function()
    home.variables.DATASESSION_PASSWORD = "secret"
    local checks, code = examine(server.uris.form, "--user", "lua", "--catalog",
      "static/CustomerService.json")
    assert.equal(0, code)
    for _, name in ipairs { "name", "connection", "HTTP", "clock", "server", "model", "login", "ping",
      "catalog", "logout" } do
      assert.equal("ok", checks[name].state, name)
    end
    assert.matches("127%.0%.0%.1 %(IPv4%)", checks.name.text)
    assert.matches("by a form", checks.model.text)
    assert.equal("note", checks.TLS.state)
    assert.equal(0, server:sessionCount("form"))
  end)

  it("shows the certificate, whether it is trusted or not", function()
    local checks, code = examine(secure.uris.anonymous, "--ca-file", secure.caFile)
    assert.equal(0, code)
    assert.matches("TLSv1", checks.TLS.text)
    assert.matches("CN=datasession sandbox", checks.certificate.text)
    assert.matches("authority that is trusted", checks.chain.text)
    checks, code = examine(secure.uris.anonymous)
    assert.equal(4, code)
    assert.equal("bad", checks.TLS.state)
    assert.matches("pass --ca-file", checks.TLS.hint, 1, true)
    assert.matches("CN=datasession sandbox", checks.certificate.text)
    assert.is_nil(checks.HTTP)
  end)

  it("says which step failed", function()
    local checks, code = examine "http://127.0.0.1:1/Sports"
    assert.equal(4, code)
    assert.equal("ok", checks.name.state)
    assert.equal("bad", checks.connection.state)
    assert.is_nil(checks.TLS)
    checks = examine "http://no-such-host.invalid/Sports"
    assert.equal("bad", checks.name.state)
    checks, code = examine "host/Sports"
    assert.equal(2, code)
    assert.equal("bad", checks.address.state)
    checks, code = examine(server.origin .. "/nothing")
    assert.equal(4, code)
    assert.equal("bad", checks.server.state)
    assert.matches("HTTP 404 from /static/home.html", checks.server.text, 1, true)
    home.variables.DATASESSION_PASSWORD = "wrong"
    checks, code = examine(server.uris.basic, "--user", "lua")
    assert.equal(3, code)
    assert.equal("bad", checks.login.state)
    assert.matches("HTTP 401: the server did not accept", checks.login.text)
    assert.is_nil(checks.ping)
  end)

  it("tells a port for TLS from another server", function()
    server:route("GET", "/tls/static/home.html", function() return 400, nil, "sent to an HTTPS port" end)
    local checks = examine(server.origin .. "/tls")
    assert.matches("begins with https://", checks.server.hint, 1, true)
  end)

  it("reports that a password is missing, after the checks before it", function()
    local checks, code = examine(server.uris.form, "--user", "lua")
    assert.equal(3, code)
    assert.equal("ok", checks.model.state)
    assert.equal("bad", checks.login.state)
    assert.matches("password of lua is needed", checks.login.text)
  end)

  it("knows each model, and DataSnap", function()
    for model, word in pairs { anonymous = "no login", basic = "HTTP Basic", form = "form" } do
      assert.matches(word, examine(server.uris[model]).model.text)
    end
    assert.equal("skip", examine(server.uris.form).login.state)
    assert.matches("DataSnap", examine(server.uris.datasnap).server.text)
  end)

  it("draws marks at a terminal", function()
    local shown, code = command.terminal(home, nil, "doctor", server.uris.anonymous)
    assert.equal(0, code)
    assert.matches("\27[32m✓\27[0m name", shown, 1, true)
    assert.matches("→ use https", shown, 1, true)
  end)

  it("records what it sends, without secrets", function()
    home.variables.DATASESSION_PASSWORD = "secret"
    local result = command.run(home, "doctor", server.uris.basic, "--user", "lua", "--trace", "-")
    assert.equal(0, result.code)
    assert.matches("\n> GET /SportsBasic", result.errors, 1, true)
    assert.matches("\n< HTTP/1.1 200", result.errors, 1, true)
    assert.is_nil(result.errors:find("bHVhOnNlY3JldA", 1, true)) -- lua:secret in base64
  end)
end)
