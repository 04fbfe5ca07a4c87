-- examples/quickstart.lua, against a server as a reader would start it.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local run = dofile("spec/support/shell.lua").run

describe("examples/quickstart.lua", function()
  local server, directory

  setup(function()
    directory = files.directory()
    local pem, key = directory .. "/here.pem", directory .. "/here.key"
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sandbox",
      "-keyout", key, "-out", pem, "-addext", "subjectAltName=IP:127.0.0.1")
    server = assert(sandbox.start { tls = { certificate = pem, key = key } })
    child.variables = "DATASESSION_PASSWORD=secret"
  end)
  teardown(function()
    server:close()
    files.removeDirectory(directory)
  end)
  before_each(function() server:clearRequests() end)

  local function quickstart(...)
    return child.run('dofile "examples/quickstart.lua"', ...)
  end

  local function form(catalog, ...)
    return quickstart(server.uris.form, server.uris.form .. "/static/" .. catalog, "form", "lua", ...)
  end

  it("runs against a server of its own", function()
    local result = quickstart()
    assert.equal(0, result.code)
    assert.matches("All went well", result.output)
  end)

  it("runs against another one, with the options of the connection, and asks for the first rows alone",
    function()
    local result = form("CustomerService.json", "caFile=" .. directory .. "/here.pem", "timeout=30")
    assert.equal(0, result.code, result.output)
    assert.matches("8 of 8 rows", result.output)
    local filters = 0
    for _, request in ipairs(server:requests()) do
      if request.uri:find("%%22top%%22%%3A8") then filters = filters + 1 end
    end
    assert.equal(1, filters)
    assert.equal(0, server:sessionCount("form"))
    assert.equal(0, form("CustomerService.json", "insecure=true").code)
    result = form("CustomerService.json")
    assert.equal(1, result.code)
    assert.matches("certificate not trusted: pass caFile", result.output)
  end)

  it("takes every option of the connection as the library does, and none that it would not", function()
    local result = form("CustomerService.json", "insecure=true", "timeout=30s", "http2=false", "proxy=false")
    assert.equal(0, result.code, result.output)
    for wrong, said in pairs { ["timeout=soon"] = "option 'timeout'", ["insecure=ture"] = "option 'insecure'",
      ["tiemout=3"] = "did you mean 'timeout'" } do
      result = form("CustomerService.json", wrong)
      assert.equal(1, result.code)
      assert.matches(said, result.output, 1, true)
    end
  end)

  it("logs out when it fails half-way", function()
    local result = form("None.json", "insecure=true")
    assert.equal(1, result.code)
    assert.matches("HTTP 404", result.output)
    assert.equal(0, server:sessionCount("form"))
  end)

  it("says so when there is no such option", function()
    local result = form("CustomerService.json", "cafile=x")
    assert.equal(1, result.code)
    assert.matches("unknown option 'cafile': did you mean 'caFile'?", result.output, 1, true)
  end)
end)
