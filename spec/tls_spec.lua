-- Certificates and proxies.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local LIMIT = 20 -- seconds after which a promise that is not settled is a failure

local directory

local function run(command, ...)
  local quoted = {}
  for i, argument in ipairs { ... } do
    quoted[i] = "'" .. tostring(argument):gsub("'", "'\\''") .. "'"
  end
  local pipe = assert(io.popen(command .. " " .. table.concat(quoted, " ") .. " 2>&1"))
  local output = pipe:read "a"
  assert(pipe:close(), output)
  return output
end

local function at(name)
  return directory .. "/" .. name
end

-- A certificate of its own for what the alternative name says.
local function certify(name, alternative)
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sandbox", "-keyout",
    at(name .. ".key"), "-out", at(name .. ".pem"), "-addext", "subjectAltName=" .. alternative)
  return { certificate = at(name .. ".pem"), key = at(name .. ".key") }
end

local function login(options)
  options.authenticationModel = "basic"
  local session = datasession.new(options)
  local ok, err = session:login("lua", "secret"):await(LIMIT)
  return ok, err, session
end

-- Runs a program in an interpreter of its own, warnings on.
local function runLua(program, environment)
  return run((environment or "") .. " " .. (os.getenv "LUA" or "lua5.4") .. " -W -e", program)
end

setup(function()
  directory = os.tmpname()
  os.remove(directory)
  run("mkdir", directory)
end)

teardown(function()
  run("rm -r", directory)
end)

after_each(function()
  datasession.invalidateAllSessions { all = true }:await(LIMIT)
  assert.is_true(datasession.run(LIMIT), "something is still in flight")
end)

describe("a server's certificate", function()
  local server

  setup(function()
    server = assert(sandbox.start { tls = certify("here", "IP:127.0.0.1") })
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    server:clearRequests()
  end)

  it("that nobody vouches for is refused, with a hint what to do", function()
    local ok, err, session = login { serviceURI = server.uris.basic }
    assert.is_nil(ok)
    assert.equal("tls", err.kind)
    assert.equal(datasession.GENERAL_FAILURE, err.result)
    assert.is_false(err.retryable)
    assert.matches("certificate not trusted: pass caFile", err.hint)
    assert.equal(0, session.loginHttpStatus)
    assert.same({}, server:requests())
  end)

  it("is accepted where caFile vouches for it", function()
    local ok, err, session = login { serviceURI = server.uris.basic, caFile = at "here.pem" }
    assert(ok, err)
    assert(session:addCatalog(server.catalogURIs.basic):await(LIMIT))
    assert(session:ping():await(LIMIT))
    local response = session:request { path = "/rest/CustomerService/Customer" }:await(LIMIT)
    assert.equal(200, response.status)
  end)

  it("is asked for by each session, whatever another one accepts", function()
    assert(login { serviceURI = server.uris.basic, caFile = at "here.pem" })
    assert.is_nil((login { serviceURI = server.uris.basic }))
    assert(login { serviceURI = server.uris.basic, insecure = true })
    assert.is_nil((login { serviceURI = server.uris.basic }))
    certify("other", "IP:127.0.0.1")
    assert.is_nil((login { serviceURI = server.uris.basic, caFile = at "other.pem" }))
  end)

  it("for another name is refused, with a hint", function()
    local uri = server.uris.basic:gsub("127%.0%.0%.1", "localhost")
    local ok, err = login { serviceURI = uri, caFile = at "here.pem" }
    assert.is_nil(ok)
    assert.equal("tls", err.kind)
    assert.matches("the certificate is for another name", err.hint)
    assert.same({}, server:requests())
  end)

  it("of any kind is accepted by an insecure session, which is warned of", function()
    assert(login { serviceURI = server.uris.basic, insecure = true })
    local program = ("require('datasession').new { serviceURI = %q, insecure = %s }")
    local output = runLua(program:format(server.uris.basic, "true"))
    local _, count = output:gsub("certificates are not verified for " .. server.uris.basic:gsub("%p", "%%%0"), "")
    assert.equal(1, count)
    assert.not_matches("certificates", (runLua(program:format(server.uris.basic, "false"))))
  end)

  it("does not matter where caFile is not what it should be", function()
    for _, name in ipairs { at "nothing.pem", at "here.key" } do
      local ok, err = login { serviceURI = server.uris.basic, caFile = name }
      assert.is_nil(ok)
      assert.equal("tls", err.kind)
    end
    local ok, err = login { serviceURI = server.uris.basic, caFile = at "nothing.pem" }
    assert.is_nil(ok)
    assert.matches("caFile or caPath cannot be read", err.hint)
    ok, err = login { serviceURI = server.uris.basic, caFile = at "here.pem", clientCertificate = at "nothing.pem" }
    assert.is_nil(ok)
    assert.equal("tls", err.kind)
    assert.matches("clientCertificate", err.hint)
  end)

  it("is not seen where a proxy refuses to lead there", function()
    local proxy <close> = assert(sandbox.start {})
    local ok, err = login { serviceURI = server.uris.basic, caFile = at "here.pem", proxy = proxy.origin }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind)
    assert.matches("proxy", err.hint)
    assert.same({}, server:requests())
  end)
end)

describe("a proxy", function()
  local server

  setup(function()
    server = assert(sandbox.start {})
  end)

  teardown(function()
    server:close()
  end)

  it("is what a session asks in place of the server", function()
    assert(login { serviceURI = "http://application.invalid/SportsBasic", proxy = server.origin })
    assert.equal("http://application.invalid/SportsBasic/static/home.html", server:requests()[1].uri)
  end)

  it("that is not there, or has no address, is told from a server that is not", function()
    local ok, err = login { serviceURI = server.uris.basic, proxy = "http://lua:hush@127.0.0.1:1" }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind)
    assert.not_matches("hush", tostring(err))
    ok, err = login { serviceURI = server.uris.basic, proxy = "http://nowhere.invalid:1" }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind)
  end)

  it("of the environment is used, unless a session wants none", function()
    local program = [[
      local datasession = require "datasession"
      local session = datasession.new { serviceURI = %q, authenticationModel = "basic", proxy = %s }
      local ok, err = session:login("lua", "secret"):await(20)
      print(ok and "in" or err.kind .. ": " .. err.hint)]]
    local environment = "env http_proxy=http://127.0.0.1:1 no_proxy="
    local output = runLua(program:format(server.uris.basic, "nil"), environment)
    assert.matches("^proxy: .*http_proxy: pass proxy = false", output)
    assert.equal("in\n", runLua(program:format(server.uris.basic, "false"), environment))
  end)
end)
