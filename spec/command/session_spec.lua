-- login, logout, sessions, ping: sessions that the next command goes on with.
local sandbox = require "datasession.sandbox"

local command = dofile "spec/support/command.lua"
local files = dofile "spec/support/files.lua"
local run = dofile("spec/support/shell.lua").run

describe("the command's sessions", function()
  local server, secure, home

  setup(function()
    server = assert(sandbox.start())
    secure = assert(sandbox.start { tls = true })
  end)
  teardown(function()
    server:close()
    secure:close()
  end)
  before_each(function()
    home = command.home()
    server:clearRequests()
  end)
  after_each(function() command.removeHome(home) end)

  local function login(model, ...)
    home.variables.DATASESSION_PASSWORD = "secret"
    return command.run(home, "login", server.uris[model], "--user", "lua", ...)
  end

  it("log in as the server asks, go on, and log out", function()
    local result = login("form")
    assert.equal(0, result.code, result.errors)
    assert.matches("logged in: form at .* as lua", result.output)
    assert.equal(1, server:sessionCount("form"))
    home.variables.DATASESSION_PASSWORD = nil
    assert.matches("is up %(%d+%.%d ms%)\n$", command.output(home, "ping"))
    assert.matches("SportsForm", command.output(home, "get", "/static/home.html"))
    assert.equal(1, server:sessionCount("form"))
    assert.matches("default +http.*form +lua +kept", command.output(home, "sessions"))
    assert.matches("logged out", command.output(home, "logout"))
    assert.equal(0, server:sessionCount("form"))
    result = command.run(home, "ping")
    assert.equal(5, result.code)
    assert.matches("there is no session 'default': run datasession login", result.errors, 1, true)
  end)

  it("keep no password and no token that was not asked for", function()
    assert.equal(0, login("basic").code)
    local result = command.run(home, "get", "/static/home.html")
    assert.equal(0, result.code, result.errors)
    home.variables.DATASESSION_PASSWORD = nil
    result = command.run(home, "get", "/static/home.html")
    assert.equal(3, result.code)
    assert.matches("password of lua is needed", result.errors)
    home.variables.DATASESSION_PASSWORD = "letmein"
    assert.equal(0, command.run(home, "login", server.uris.bearer, "--model", "bearer").code)
    local kept = run("cat " .. home.directory .. "/sessions/*")
    assert.matches("SportsBearer", kept)
    assert.is_nil(kept:find("letmein", 1, true))
    assert.is_nil(kept:find("secret", 1, true))
    command.output(home, "login", server.uris.bearer, "--model", "bearer", "--keep-token")
    home.variables.DATASESSION_PASSWORD = nil
    assert.matches("is up", command.output(home, "ping"))
  end)

  it("have names", function()
    assert.equal(0, login("form", "--session", "one").code)
    assert.equal(0, login("anonymous", "--session", "two").code)
    assert.matches("SportsForm", command.output(home, "get", "/static/home.html", "-s", "one"))
    assert.matches("SportsAnonymous", command.output(home, "get", "/static/home.html", "-s", "two"))
    assert.equal(5, command.run(home, "get", "/static/home.html").code)
    local list = command.output(home, "sessions", "--json")
    assert.matches('"name":"one"', list)
    assert.matches('"name":"two"', list)
  end)

  it("say what is wrong by their exit codes", function()
    home.variables.DATASESSION_PASSWORD = "wrong"
    local result = command.run(home, "login", server.uris.form, "--user", "lua")
    assert.equal(3, result.code)
    assert.equal("", result.output)
    assert.is_nil(result.errors:find("wrong", 1, true))
    assert.equal(2, command.run(home, "login", server.uris.form).code)
    assert.equal(2, command.run(home, "login", "host/Sports").code)
    assert.equal(2, command.run(home, "loign").code)
    assert.equal(4, command.run(home, "ping", "http://127.0.0.1:1/").code)
    login("form")
    server:expireSessions()
    result = command.run(home, "get", "/rest/CustomerService/Customer")
    assert.equal(5, result.code)
    assert.matches("(run datasession login again)", result.errors, 1, true)
    assert.matches("default +http.*form +lua +ended", command.output(home, "sessions"))
    result = command.run(home, "ping")
    assert.equal(5, result.code)
    assert.matches("run datasession login " .. server.uris.form .. " --session default --user lua",
      result.errors, 1, true)
  end)

  it("that fail after the login leave no login on the server", function()
    local result = login("form", "--catalog", "static/Nothing.json")
    assert.equal(1, result.code)
    assert.equal(0, server:sessionCount("form"))
    home.variables.DATASESSION_HOME = "/dev/null/sessions"
    result = login "form"
    assert.equal(1, result.code)
    assert.matches("the list of sessions cannot be kept: .*DATASESSION_HOME names another", result.errors)
    assert.is_nil(result.errors:find("warning", 1, true))
    assert.equal(0, server:sessionCount("form"))
  end)

  it("take the options of the connection of each command", function()
    assert.equal(0, login("form").code)
    for _, name in ipairs { "ping", "logout" } do
      local result = command.run(home, name, "--proxy", "http://127.0.0.1:1")
      assert.equal(4, result.code, name)
    end
  end)

  it("name options of the command line in hints", function()
    local result = command.run(home, "login", secure.uris.form, "--user", "lua")
    assert.equal(4, result.code)
    assert.matches("pass --ca-file", result.errors, 1, true)
    result = command.run(home, "login", secure.uris.form, "--user", "lua", "--ca-file", "/none")
    assert.matches("--ca-file cannot be read", result.errors, 1, true)
  end)

  it("tell a server that answers without the application", function()
    local result = command.run(home, "ping", server.origin .. "/Nothing")
    assert.equal(4, result.code)
    assert.equal("", result.output)
    assert.matches("/Nothing: the server is up, but no application is there: HTTP 404\n", result.errors, 1,
      true)
    result = command.run(home, "ping", server.origin .. "/Nothing", "--json")
    assert.equal(4, result.code)
    assert.matches('"state":"absent","up":false}', result.output, 1, true)
    assert.matches("is up %(%d+%.%d ms%)\n$", command.output(home, "ping", server.uris.datasnap))
    local shown, code = command.terminal(home, nil, "ping", server.origin .. "/Nothing")
    assert.equal(4, code)
    assert.matches("no application is there", shown)
  end)

  it("replace a session of the same name, which is logged out", function()
    local before = server:sessionCount("form")
    assert.equal(0, login("form").code)
    local result = login("form")
    assert.equal(0, result.code, result.errors)
    assert.matches("the session 'default' at .* is logged out\n", result.errors)
    assert.equal(before + 1, server:sessionCount("form"))
    assert.matches("is up", command.output(home, "ping"))
    server:fault { kind = "status", status = 503, path = "logout" }
    result = login("form")
    assert.equal(0, result.code, result.errors)
    assert.matches("could not be logged out: .*HTTP 503", result.errors)
  end)

  it("go without the proxy of the environment", function()
    home.variables.http_proxy = "http://127.0.0.1:1"
    local result = command.run(home, "ping", server.uris.form)
    assert.equal(4, result.code)
    assert.matches("http_proxy: pass --proxy none to go without", result.errors, 1, true)
    assert.matches("is up %(%d+%.%d ms%); it asks for a login\n$",
      command.output(home, "ping", server.uris.form, "--proxy", "none"))
    assert.equal(0, login("form", "--proxy", "none").code)
    assert.matches("is up", command.output(home, "ping"))
    assert.matches("is up", command.output(home, "ping", "--proxy", ""))
  end)

  it("take the password of the client's key from a file or the environment, and do not store it", function()
    local key, certificate = home.directory .. "/key", home.directory .. "/certificate"
    local password = files.new "opensesame\n"
    run(("openssl req -x509 -newkey rsa:2048 -passout pass:opensesame -keyout %s -out %s -subj /CN=me 2>&1")
      :format(key, certificate))
    local words = { "login", secure.uris.form, "--user", "lua", "--ca-file", secure.caFile,
      "--client-certificate", certificate, "--client-key", key }
    home.variables.DATASESSION_PASSWORD = "secret"
    local result = command.run(home, table.unpack(words))
    assert.not_equal(0, result.code)
    assert.matches("needs --client-key-password-file", result.errors, 1, true)
    home.variables.DATASESSION_KEY_PASSWORD = "opensesame"
    assert.matches("logged in", command.output(home, table.unpack(words)))
    home.variables.DATASESSION_KEY_PASSWORD = nil
    assert.matches("is up", command.output(home, "ping", "--client-key-password-file", password))
    assert.is_nil(run("cat " .. home.directory .. "/sessions/*"):find("opensesame", 1, true))
    os.remove(password)
  end)

  it("ask for the password at a terminal, and do not show it", function()
    local shown, code = command.terminal(home, { when = "password of lua: ", with = "secret" }, "login",
      server.uris.form, "--user", "lua")
    assert.equal(0, code, shown)
    assert.matches("logged in: form", shown)
    assert.is_nil(shown:find("secret", 1, true))
  end)

  it("take the password from a file", function()
    local file = files.new "secret\n"
    local result = command.run(home, "login", server.uris.form, "--user", "lua", "--password-file", file)
    os.remove(file)
    assert.equal(0, result.code, result.errors)
  end)
end)
