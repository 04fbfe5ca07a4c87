-- The command itself: help, completion, manual, the sandbox, watch.
local codec = require "datasession.internal.codec"
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local command = dofile "spec/support/command.lua"
local run = dofile("spec/support/shell.lua").run

describe("the command", function()
  local home

  before_each(function() home = command.home() end)
  after_each(function() command.removeHome(home) end)

  it("has help with an example for each command, a manual, and completions", function()
    local help = command.output(home, "--help")
    local manual = run(child.interpreter() .. " tools/command-files.lua -")
    local bash = command.output(home, "completion", "bash")
    local count = 0
    for name in help:match("Commands:\n(.-)\n\n"):gmatch "\n?   (%l+) " do
      if name ~= "completion" and name ~= "help" then
        count = count + 1
        assert.matches("Example: datasession " .. name, command.output(home, name, "--help"), 1, true)
        assert.matches("\n.SS datasession " .. name .. "\n", manual, 1, true)
        assert.matches(name, bash, 1, true)
      end
    end
    assert.equal(17, count)
    assert.matches("complete", command.output(home, "completion", "fish"))
    assert.matches("_arguments", command.output(home, "completion", "zsh"))
  end)

  it("tells versions", function()
    assert.matches("^datasession .*\nLua 5%.%d\nlibcurl %d", command.output(home, "version"))
    assert.is_string(codec.decode(command.output(home, "version", "--json")).curl)
  end)

  it("understands --version and help, and lists them", function()
    assert.matches("%-%-version +Print the versions", command.output(home, "--help"))
    assert.matches("\n   help ", command.output(home, "--help"))
    assert.equal(command.output(home, "version"), command.output(home, "--version"))
    assert.equal(command.output(home, "--help"), command.output(home, "help"))
    assert.equal(command.output(home, "read", "--help"), command.output(home, "help", "read"))
  end)

  it("names the option that is wrong, and the help that describes it", function()
    for words, message in pairs {
      [{ "read", "Customer", "--top", "ten" }] = "--top: expected a number, got 'ten'",
      [{ "sandbox", "--port", "99999" }] = "--port: expected a port from 0 to 65535, got '99999'",
      [{ "watch", "http://127.0.0.1:1/", "--count", "0" }] =
        "--count: expected a whole number of 1 or more, got '0'",
      [{ "watch", "http://127.0.0.1:1/", "--interval", "0" }] =
        "--interval: expected a number of seconds above 0, got '0'",
    } do
      local result = command.run(home, table.unpack(words))
      assert.equal(2, result.code)
      local said = ("datasession: %s\nTry: datasession %s --help\n"):format(message, words[1])
      assert.equal(said, result.errors)
    end
    for _, words in ipairs {
      { "ping", "host" }, { "watch", "host" }, { "get", "/", "--service", "host" },
    } do
      local result = command.run(home, table.unpack(words))
      assert.equal(2, result.code)
      assert.matches("expected a URI such as https://host/Sports, got 'host'", result.errors, 1, true)
    end
    assert.matches("Try: datasession --help", command.run(home, "loign").errors, 1, true)
    for _, option in ipairs { "--trace", "--har" } do
      local result = command.run(home, "ping", "http://127.0.0.1:1/", option, home.directory .. "/none/file")
      assert.equal(2, result.code)
      assert.matches("datasession: " .. option .. ": ", result.errors, 1, true)
    end
  end)

  it("says where passwords come from when an argument holds one", function()
    for _, words in ipairs { { "--password", "hush" }, { "--password=hush" } } do
      local result = command.run(home, "login", "http://127.0.0.1:1/", table.unpack(words))
      assert.equal(2, result.code)
      assert.matches("Passwords are no arguments: use --password-file", result.errors, 1, true)
      assert.is_nil(result.errors:find("hush", 1, true))
    end
  end)

  it("starts a sandbox that answers until it is interrupted", function()
    -- In the foreground timeout sends the signal once; a second one kills Lua.
    local line = "echo $$; exec timeout --foreground %d %s bin/datasession sandbox --json 2>&1"
    local pipe = assert(io.popen(line:format(child.LIMIT, child.interpreter())))
    local pid = pipe:read "l"
    local origin = codec.decode(pipe:read "l").origin
    assert.matches("is up", command.output(home, "ping", origin .. "/SportsAnonymous"))
    assert(os.execute("kill -INT " .. pid))
    local ended = pipe:read "a"
    local _, _, code = pipe:close()
    assert.matches("interrupted", ended)
    assert.equal(130, code)
    assert.equal(4, command.run(home, "ping", origin .. "/").code)
  end)

  it("runs each command at a terminal, too", function()
    local server <close> = assert(sandbox.start())
    server:route("*", "/echo", function(request) return 200, { ["X-Method"] = request.method }, "echo" end)
    home.variables.DATASESSION_PASSWORD = "secret"
    local function at(pattern, ...)
      local shown, code = command.terminal(home, nil, ...)
      assert.equal(0, code, shown)
      assert.matches(pattern, shown)
    end
    at("logged in: form", "login", server.uris.form, "--user", "lua", "--catalog",
      "static/CustomerService.json")
    at("default +http.* kept", "sessions")
    at("is up %(", "ping")
    for _, verb in ipairs { "get", "head", "post", "put", "patch", "delete" } do
      at("[xX]%-[mM]ethod: " .. verb:upper(), verb, server.origin .. "/echo", "--include")
    end
    at("Alpine Lift Tours", "read", "Customer", "--filter", "CustNum = 1", "--fields", "Name")
    at("1300", "invoke", "Customer.RaiseCreditLimit", "custNum=1", "amount=50")
    at("RaiseCreditLimit", "tree")
    at("logged out", "logout")
    at("libcurl", "version")
    at("complete", "completion", "bash")
    local shown, code = command.terminal(home, { when = "Ctrl%-C ends", with = "\3" }, "sandbox")
    assert.equal(130, code, shown)
    assert.matches("/SportsForm", shown)
  end)

  describe("watches", function()
    local server
    setup(function() server = assert(sandbox.start()) end)
    teardown(function() server:close() end)

    it("as a table at a terminal", function()
      home.variables.COLUMNS = "160"
      local shown, code = command.terminal(home, nil, "watch", server.uris.form, "http://127.0.0.1:1/",
        "--interval", "0.01", "--count", "3")
      assert.equal(4, code)
      assert.matches("\27[3A", shown, 1, true) -- drawn over the former table
      assert.matches("up[^\n]- %d+%.%d ms [▁▂▃▄▅▆▇█]+[^\n]- %d%d:%d%d:%d%d", shown)
      assert.matches("down[^\n]- %- [^\n]- %d%d:%d%d:%d%d the connection failed", shown)
    end)

    it("and tells a server without the application from one that is up", function()
      local nothing = server.origin .. "/Nothing"
      local result = command.run(home, "watch", nothing, server.uris.datasnap, "--count", "1")
      assert.equal(4, result.code)
      assert.matches(nothing .. " absent no application is there: HTTP 404\n", result.output, 1, true)
      assert.matches(server.uris.datasnap .. " up\n", result.output, 1, true)
      home.variables.COLUMNS = "160"
      local shown = command.terminal(home, nil, "watch", nothing, "--count", "1")
      assert.matches("\27[33mabsent\27[0m", shown, 1, true)
    end)

    it("as a line for each change through a pipe", function()
      local result = command.run(home, "watch", server.uris.anonymous, "--interval", "0.01", "--count", "3")
      assert.equal(0, result.code, result.errors)
      assert.matches("^%d+%-%d+%-%d+T[%d:]+Z http%S+ up\n$", result.output)
      assert.equal(2, command.run(home, "watch", server.uris.anonymous, "--interval", "soon").code)
    end)
  end)
end)
