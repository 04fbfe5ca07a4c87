-- get, post, ...: requests from the command line.
local sandbox = require "datasession.sandbox"

local command = dofile "spec/support/command.lua"
local files = dofile "spec/support/files.lua"

describe("the command's requests", function()
  local server, home

  setup(function()
    server = assert(sandbox.start())
    server:route("*", "/echo", function(request)
      return 200, { ["Content-Type"] = "application/json", ["X-Method"] = request.method },
        ('{"b":"%s","type":"%s","list":[],"a":[1,{"c":null}]}'):format(request.body:gsub('"', ""),
          request.headers["content-type"] or "none")
    end)
    server:route("GET", "/refuse", function() return 409, { ["Content-Type"] = "text/plain" }, "no room" end)
  end)
  teardown(function() server:close() end)
  before_each(function()
    home = command.home()
    server:clearRequests()
  end)
  after_each(function() command.removeHome(home) end)

  it("write the body byte for byte through a pipe, in lines and colours to a terminal", function()
    assert.equal('{"b":"","type":"none","list":[],"a":[1,{"c":null}]}',
      command.output(home, "get", server.origin .. "/echo"))
    local shown, code = command.terminal(home, nil, "get", server.origin .. "/echo")
    assert.equal(0, code)
    assert.equal('{\n  "b": "",\n  "type": "none",\n  "list": [],\n  "a": [\n    1,\n    {\n' ..
      '      "c": null\n    }\n  ]\n}\n', (shown:gsub("\r", ""):gsub("\27%[%d+m", "")))
    assert.matches("\27[34m\"type\"", shown, 1, true)
    home.variables.NO_COLOR = "1"
    shown = command.terminal(home, nil, "get", server.origin .. "/echo")
    assert.is_nil(shown:find("\27", 1, true))
    assert.is_nil(command.terminal(home, nil, "get", "--raw", server.origin .. "/echo"):find("\n  ", 1, true))
  end)

  it("send bodies, parameters and header lines", function()
    local text = command.output(home, "post", server.origin .. "/echo", "--data", '{"n":1}', "-q", "a=1 2",
      "-q", "b=x=y", "-H", "X-Mine: yes")
    assert.matches('"type":"application/json; charset=utf-8"', text, 1, true)
    local request = server:requests()[1]
    assert.equal("POST", request.method)
    assert.matches("?a=1%202&b=x%3Dy", request.uri, 1, true)
    assert.equal("yes", request.headers["x-mine"])
    local file = files.new "plain text"
    assert.matches('"b":"plain text","type":"none"', command.output(home, "put", server.origin .. "/echo",
      "--data", "@" .. file), 1, true)
    os.remove(file)
    local head = command.output(home, "head", server.origin .. "/echo")
    assert.matches("^200 http", head)
    assert.matches("\nx%-method: HEAD\n", head)
    head = command.output(home, "get", "-i", server.origin .. "/echo")
    assert.matches("^200 .*\nx%-method: GET.*\n\n{", head)
  end)

  it("save bodies to files", function()
    local path = home.directory .. "/saved"
    assert.equal("", command.output(home, "get", server.origin .. "/echo", "--save", path))
    assert.matches('"list"', files.read(path))
  end)

  it("give the server's words and an exit code when they fail", function()
    local result = command.run(home, "get", server.origin .. "/refuse")
    assert.equal(1, result.code)
    assert.equal("no room", result.output)
    assert.matches("HTTP 409", result.errors)
    assert.equal(4, command.run(home, "get", "http://127.0.0.1:1/").code)
    assert.equal(2, command.run(home, "get", server.origin .. "/echo", "-q", "none").code)
    assert.equal(2, command.run(home, "post", server.origin .. "/echo", "--data", "@/does/not/exist").code)
    assert.equal(2, command.run(home, "get", server.origin .. "/echo", "--timeout", "soon").code)
    assert.equal(5, command.run(home, "get", "/echo").code)
  end)

  it("log in for one command alone, and out again", function()
    home.variables.DATASESSION_PASSWORD = "secret"
    assert.matches("SportsForm", command.output(home, "get", "/static/home.html", "--service",
      server.uris.form, "--user", "lua"))
    assert.equal(0, server:sessionCount("form"))
  end)
end)
