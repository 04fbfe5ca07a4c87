-- Certificates and proxies.
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local authority = dofile "spec/support/authority.lua"
local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT, run = await.LIMIT, shell.run

local directory

local function at(name)
  return directory .. "/" .. name
end

-- A self-signed certificate for the alternative name.
local function certify(name, alternative)
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sandbox",
    "-keyout",
    at(name .. ".key"), "-out", at(name .. ".pem"), "-addext", "subjectAltName=" .. alternative)
  return { certificate = at(name .. ".pem"), key = at(name .. ".key") }
end

local function login(options)
  options.authenticationModel = "basic"
  local session = datasession.new(options)
  local ok, err = session:login("lua", "secret"):await(LIMIT)
  return ok, err, session
end

-- Runs a program in a new interpreter.
local function runLua(program, environment)
  return run((environment or "") .. " " .. child.command() .. " -e", program)
end

setup(function() directory = files.directory() end)
teardown(function() files.removeDirectory(directory) end)
after_each(sessions.endAll)

describe("a server's certificate", function()
  local server

  setup(function() server = assert(sandbox.start { tls = certify("here", "IP:127.0.0.1") }) end)
  teardown(function() server:close() end)

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
    local _, count = output:gsub("certificates are not verified for " .. server.uris.basic:gsub("%p", "%%%0"),
      "")
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
    ok, err = login { serviceURI = server.uris.basic, caFile = at "here.pem",
      clientCertificate = at "nothing.pem" }
    assert.is_nil(ok)
    assert.equal("tls", err.kind)
    assert.matches("clientCertificate", err.hint)
  end)

  it("is not seen where a proxy refuses to lead there", function()
    local proxy <close> = assert(sandbox.start {})
    local ok, err = login { serviceURI = server.uris.basic, caFile = at "here.pem", proxy = proxy.origin }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind, tostring(err))
    assert.matches("proxy", err.hint)
    assert.same({}, server:requests())
  end)
end)

describe("a certification authority's", function()
  local ours, good, revoked, lists

  local function starting(issued)
    return assert(sandbox.start { tls = issued })
  end

  -- The error of a login at a server with that certificate. The login must not reach the server.
  local function refusal(issued, options)
    local server <close> = starting(issued)
    options.serviceURI = server.uris.basic
    local ok, err = login(options)
    assert.is_nil(ok)
    assert.equal("tls", err.kind)
    assert.is_false(err.retryable)
    assert.same({}, server:requests())
    return err
  end

  setup(function()
    ours = authority.new(directory, "ours")
    good, revoked = ours:issue("good", "IP:127.0.0.1"), ours:issue("revoked", "IP:127.0.0.1")
    lists = { before = ours:list "before" }
    ours:revoke(revoked)
    lists.after = ours:list "after"
  end)

  it("certificate that has expired is refused, with a hint", function()
    local expired = ours:issue("expired", "IP:127.0.0.1", "20200101000000Z", "20200102000000Z")
    assert.matches("has expired: it must be renewed", refusal(expired, { caFile = ours.certificate }).hint)
  end)

  it("certificate that is not valid yet is refused, with a hint", function()
    local early = ours:issue("early", "IP:127.0.0.1", "20990101000000Z", "20990102000000Z")
    assert.matches("not valid yet: is this machine's clock right",
      refusal(early, { caFile = ours.certificate }).hint)
  end)

  it("certificate is refused where another authority is trusted, and is no authority itself", function()
    local others = authority.new(directory, "others")
    assert.matches("certificate not trusted: pass caFile",
      refusal(good, { caFile = others.certificate }).hint)
    assert.matches("certificate not trusted: pass caFile",
      refusal(revoked, { caFile = good.certificate }).hint)
  end)

  it("certificate for another name is refused, with a hint", function()
    local other = ours:issue("other", "DNS:elsewhere.test,IP:127.0.0.2")
    assert.matches("for another name", refusal(other, { caFile = ours.certificate }).hint)
  end)

  it("revoked certificate is refused by a list that names it, and by none that does not", function()
    local server <close> = starting(revoked)
    local options = { serviceURI = server.uris.basic, caFile = ours.certificate }
    assert(login(options))
    options.crlFile = lists.before
    assert(login(options))
    local err = refusal(revoked, { caFile = ours.certificate, crlFile = lists.after })
    assert.matches("was revoked, as crlFile says", err.hint)
    local other <close> = starting(good)
    assert(login { serviceURI = other.uris.basic, caFile = ours.certificate, crlFile = lists.after })
  end)

  it("list is asked for where there is none, or it cannot be read", function()
    local others = authority.new(directory, "strangers")
    local err = refusal(good, { caFile = ours.certificate, crlFile = others:list "empty" })
    assert.matches("crlFile lacks the list", err.hint)
    for _, name in ipairs { at "nothing.crl", good.key } do
      err = refusal(good, { caFile = ours.certificate, crlFile = name })
      assert.matches("crlFile cannot be read, or holds no PEM list", err.hint)
    end
  end)

  it("key is pinned by its digest or a file, and no other will do", function()
    local server <close> = starting(good)
    local pin, file = authority.pin(good)
    local wrong, wrongFile = authority.pin(revoked)
    for _, value in ipairs { pin, file, wrong .. ";" .. pin } do
      assert(login { serviceURI = server.uris.basic, caFile = ours.certificate, pinnedPublicKey = value })
    end
    for _, value in ipairs { wrong, wrongFile, at "nothing.pub" } do
      local err = refusal(good, { caFile = ours.certificate, pinnedPublicKey = value })
      assert.matches("not the pinned one", err.hint)
    end
  end)

  it("key may be all that an insecure session looks at", function()
    local server <close> = starting(good)
    assert(login { serviceURI = server.uris.basic, insecure = true, pinnedPublicKey = authority.pin(good) })
    refusal(good, { insecure = true, pinnedPublicKey = authority.pin(revoked) })
  end)

  it("key alone is not enough where nobody vouches for it", function()
    local err = refusal(good, { pinnedPublicKey = (authority.pin(good)) })
    assert.matches("certificate not trusted", err.hint)
  end)

  it("certificate is looked at by each session, on no other's connection and with no other's options",
    function()
    local server <close> = starting(revoked)
    local function try(crl, pin)
      return (login { serviceURI = server.uris.basic, caFile = ours.certificate, crlFile = crl,
        pinnedPublicKey = pin })
    end
    local right, wrong = authority.pin(revoked), authority.pin(good)
    for _ = 1, 2 do
      assert(try())
      assert.is_nil(try(lists.after))
      assert(try())
      assert.is_nil(try(nil, wrong))
      assert(try(lists.before, right))
      assert.is_nil(try(lists.before, wrong))
      assert.is_nil(try(lists.after, right))
    end
    assert(try())
  end)

  it("catalog, taken from a server that was looked at less strictly, is asked for anew", function()
    local server <close> = starting(good)
    local function load(crl, pin)
      local _, _, session = login { serviceURI = server.uris.basic, caFile = ours.certificate, crlFile = crl,
        pinnedPublicKey = pin }
      server:clearRequests()
      assert(session:addCatalog(server.catalogURIs.basic):await(LIMIT))
      return server:requests()[1].status
    end
    assert.equal(200, load())
    assert.equal(304, load())
    assert.equal(200, load(lists.after))
    assert.equal(200, load(nil, (authority.pin(good))))
    assert.equal(304, load(lists.after))
  end)

  it("certificate is looked at as strictly by a provider", function()
    local server <close> = starting(revoked)
    local function enter(crl, pin)
      local provider = datasession.AuthenticationProvider { uri = server.uris.form_sso,
        caFile = ours.certificate,
        authenticationModel = "form_sso", crlFile = crl, pinnedPublicKey = pin }
      return provider:login("lua", "secret"):await(LIMIT)
    end
    assert(enter(lists.before, (authority.pin(revoked))))
    local ok, err = enter(lists.after)
    assert.is_nil(ok)
    assert.matches("was revoked", err.hint)
    ok, err = enter(nil, (authority.pin(good)))
    assert.is_nil(ok)
    assert.matches("not the pinned one", err.hint)
  end)

  it("certificate is looked at as strictly by the provider that getSession makes", function()
    local server <close> = starting(revoked)
    local function get(crl, pin)
      return datasession.getSession { serviceURI = server.uris.sso, authenticationModel = "sso",
        username = "lua",
        password = "secret", authenticationURI = server.uris.form_sso, catalogURI = server.catalogURIs.sso,
        caFile = ours.certificate, crlFile = crl, pinnedPublicKey = pin }:await(LIMIT)
    end
    assert(get(lists.before, (authority.pin(revoked))))
    server:clearRequests()
    assert.is_nil((get(lists.after)))
    assert.is_nil((get(nil, (authority.pin(good)))))
    assert.same({}, server:requests())
  end)
end)

describe("a server's TLS", function()
  -- An openssl server of that TLS version; its log follows in the pipe.
  local function listen(version)
    local issued = certify("versions", "IP:127.0.0.1")
    local pipe = assert(io.popen(("exec timeout 60 openssl s_server -accept 127.0.0.1:0 -%s -cert %s -key \z
      %s -naccept 1"
      .. " -cipher ALL:@SECLEVEL=0 -WWW 2>&1 < /dev/null"):format(version, issued.certificate, issued.key)))
    for line in pipe:lines() do
      local port = line:match "^ACCEPT .*:(%d+)"
      if port then return pipe, "https://127.0.0.1:" .. port, issued.certificate end
    end
    error "openssl does not listen"
  end

  it("older than 1.2 is refused, with a hint", function()
    for _, version in ipairs { "tls1", "tls1_1" } do
      local pipe, origin, certificate = listen(version)
      local ok, err = login { serviceURI = origin .. "/Sports", caFile = certificate }
      pipe:close()
      assert.is_nil(ok)
      assert.equal("tls", err.kind)
      assert.matches("the server's TLS is outdated and refused", err.hint)
    end
  end)

  it("of 1.2 is accepted", function()
    local pipe, origin, certificate = listen "tls1_2"
    local ok, err = login { serviceURI = origin .. "/Sports", caFile = certificate }
    pipe:close()
    assert.is_truthy(ok or err.kind ~= "tls")
  end)
end)

describe("pinnedPublicKey", function()
  it("raises for what libcurl would take for the name of a file", function()
    local digest = ("A"):rep(43) .. "="
    local function make(pin)
      return datasession.new { serviceURI = "https://127.0.0.1:1/Sports", pinnedPublicKey = pin }
    end
    local right = "sha256//" .. digest
    for _, pin in ipairs { "sha256/" .. digest, "sha256//", right .. ";", right .. ";x", right .. "=" } do
      assert.error_matches(function() make(pin) end, "option 'pinnedPublicKey': expected \"sha256//\"")
    end
    make(right .. ";" .. right):invalidate()
  end)
end)

describe("a proxy", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)

  it("is what a session asks in place of the server", function()
    assert(login { serviceURI = "http://application.invalid/SportsBasic", proxy = server.origin })
    assert.equal("http://application.invalid/SportsBasic/static/home.html", server:requests()[1].uri)
  end)

  it("that is not there, or has no address, is told from a server that is not", function()
    local ok, err = login { serviceURI = server.uris.basic, proxy = "http://lua:hush@127.0.0.1:1" }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind, tostring(err))
    assert.not_matches("hush", tostring(err))
    ok, err = login { serviceURI = server.uris.basic, proxy = "http://nowhere.invalid:1" }
    assert.is_nil(ok)
    assert.equal("proxy", err.kind, tostring(err))
  end)

  it("that wants a user and password says where to put them, for http and for https", function()
    local proxy <close> = assert(fault_server.start())
    local refusal = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
    local uri = "http://127.0.0.1:" .. proxy:port()
    for _, scheme in ipairs { "http", "https" } do
      proxy:fault(nil, { refusal })
      local ok, err = login { serviceURI = scheme .. "://application.invalid/App", proxy = uri }
      assert.is_nil(ok)
      assert.equal("proxy", err.kind, tostring(err))
      assert.matches("put a user and password .* into its URI: http://user:password@host:port", err.hint)
    end
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

  it("named by the option is used whatever NO_PROXY says, which is for that of the environment", function()
    local program = [[
      local datasession = require "datasession"
      local session = datasession.new { serviceURI = %q, authenticationModel = "basic", proxy = %s }
      local ok, err = session:login("lua", "secret"):await(20)
      print(ok and "in" or err.kind)]]
    local environment = "env http_proxy=http://127.0.0.1:1 no_proxy='*' NO_PROXY='*'"
    assert.equal("proxy\n", runLua(program:format(server.uris.basic, '"http://127.0.0.1:1"'), environment))
    assert.equal("in\n", runLua(program:format(server.uris.basic, "nil"), environment))
  end)
end)
