-- datasession.trace: the wire as text, without secrets.
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local certify = dofile "spec/support/certify.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

describe("a trace", function()
  local server, lines

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)
  before_each(function()
    sessions.refresh(server)
    lines = {}
  end)
  after_each(function()
    datasession.trace(nil)
    sessions.endAll()
  end)

  local function trace(options)
    assert(datasession.trace(function(line) lines[#lines + 1] = line end, options))
  end

  local function text() return table.concat(lines, "\n") .. "\n" end

  local function has(pattern)
    assert.is_truthy(text():find(pattern), "not in the trace: " .. pattern .. "\n" .. text())
  end

  it("shows requests and responses as curl -v does, and of which call they are", function()
    trace()
    local session = sessions.loggedIn(server, "form")
    has "^%* request %d+: POST [^\n]*/j_spring_security_check, session %d+, login, %d[%dT:.-]+Z\n"
    has "\n%* request %d+: GET [^\n]*/static/home.html, session %d+, login, "
    has "\n> POST /SportsForm/static/auth/j_spring_security_check HTTP/1%.1\n> Host: 127%.0%.0%.1:%d+\n"
    has "\n> Content%-Length: %d+\n> \n< HTTP/1%.1 200 OK\n"
    has "\n< Set%-Cookie: JSESSIONID=%*%*%*; Path=/SportsForm; HttpOnly\n"
    has "\n> Cookie: JSESSIONID=%*%*%*\n"
    has "\n%* ended after %d+%.%d ms, %d+ bytes sent, %d+ received, kept connection\n"
    assert.is_nil(text():find("j_username", 1, true)) -- no bodies
    datasession.trace(nil)
    local count = #lines
    assert(session:ping():await(LIMIT))
    assert.equal(count, #lines)
  end)

  it("shows bodies up to a limit, without what they hold of secrets", function()
    trace { bodies = 60 }
    server:route("POST", "/SportsAnonymous/echo", function(request) return 200, {}, request.body end)
    server:route("GET", "/SportsAnonymous/bytes", function() return 200, {}, "\0\1\2\27[2J" end)
    server:route("GET", "/SportsAnonymous/odd", function() return 200, {}, "a\27[2Jb\rc" end)
    local session = sessions.loggedIn(server)
    session:request { path = "echo", method = "POST", json = { password = "hushhush", note = "hushhush" } }
    session:request { path = "echo", method = "POST", body = ("x"):rep(100) }
    session:request { path = "bytes" }
    session:request { path = "odd" }
    await.settle()
    has '\n> {[^\n]*"password":"%*%*%*"'
    has '\n< {[^\n]*"note":"%*%*%*"'
    has("\n> " .. ("x"):rep(60) .. "\n%* 40 more bytes\n")
    has "\n%* 7 bytes that are no text\n"
    has "\n< a%.%[2Jb%.c\n"
    assert.is_nil(text():find("hushhush", 1, true))
  end)

  it("names the request again when another one's lines came between", function()
    trace()
    local session = sessions.loggedIn(server)
    local hanging = sessions.hangingPing(server, session)
    assert(session:request({ path = "static/home.html" }):await(LIMIT))
    hanging:cancel()
    await.rejected(hanging)
    has "\n%* ended after [^\n]+\n%* request %d+ goes on\n.*%* failed: cancelled\n"
  end)

  it("shows redirects, tries and failures", function()
    local other = assert(fault_server.start())
    server:route("GET", "/SportsAnonymous/old", function()
      return 302, { Location = "new?token=hush1&a=2" }
    end)
    server:route("GET", "/SportsAnonymous/new", function() return 200, {}, "" end)
    local session, broken = sessions.loggedIn(server), datasession.new {
      serviceURI = "http://127.0.0.1:" .. other:port(), proxy = false }
    trace()
    assert(session:request({ path = "old" }):await(LIMIT))
    has "\n< Location: new%?token=%*%*%*&a=2\n"
    has "\n%* request %d+: GET [^\n]*/SportsAnonymous/new%?token=%*%*%*&a=2, session %d+, request, "
    other:close()
    await.rejected(broken:login())
    has "\n%* failed: [^\n]+\n%* ended after "
  end)

  it("goes to a file, after what the file has, that only its owner may use", function()
    local path = os.tmpname()
    os.remove(path)
    finally(function() os.remove(path) end)
    assert(datasession.trace(path))
    sessions.loggedIn(server)
    datasession.trace(nil)
    local first = files.read(path)
    assert.matches("^%* request %d+: GET .*\n%* ended after ", first)
    assert.matches("^%-rw%-%-%-%-%-%-%-", io.popen("ls -l " .. path):read())
    assert(datasession.trace(path))
    sessions.loggedIn(server)
    datasession.trace(nil)
    assert.equal(first, files.read(path):sub(1, #first))
    assert.is_true(#files.read(path) > #first)
  end)

  it("tells once that a file cannot be written", function()
    local errors = {}
    datasession.onError(function(err) errors[#errors + 1] = tostring(err) end)
    finally(function() datasession.onError(nil) end)
    assert(datasession.trace "/dev/full")
    local session = sessions.loggedIn(server)
    assert(session:ping():await(LIMIT))
    assert.equal(1, #errors)
    assert.matches("^datasession%.trace has ended: /dev/full: ", errors[1])
    local ok, message = datasession.trace "/nowhere/at/all"
    assert.is_nil(ok)
    assert.matches("/nowhere/at/all", message)
  end)

  it("goes on when its function raises", function()
    local errors = 0
    datasession.onError(function() errors = errors + 1 end)
    finally(function() datasession.onError(nil) end)
    datasession.trace(function() error "no" end)
    sessions.loggedIn(server)
    assert.is_true(errors > 5)
  end)

  it("gives its function nothing more once that has ended it", function()
    datasession.trace(function(line)
      lines[#lines + 1] = line
      datasession.trace(nil)
    end)
    sessions.loggedIn(server, "anonymous")
    assert.equal(1, #lines)
  end)

  it("says when it lost lines", function()
    trace()
    require("datasession.internal.trace").write("* a\n", 12)
    assert.same({ "* a", "* 12 bytes of the trace are missing here" }, lines)
  end)

  it("raises for other arguments", function()
    for message, arguments in pairs {
      ["trace: expected a path, a function or nil, got number"] = { 1 },
      ["trace: the path holds a NUL byte"] = { "a\0b" },
      ["trace: options: expected a table, got number"] = { print, 1 },
      ["trace: unknown option 'body': expected one of 'bodies'"] = { print, { body = 1 } },
      ["trace: option 'bodies': expected a number of bytes, 0 or more, got -1"] = { print, { bodies = -1 } },
      ["trace: option 'bodies': expected a number of bytes, 0 or more, got x"] = { print, { bodies = "x" } },
    } do
      assert.equal(message, raised(function() datasession.trace(arguments[1], arguments[2]) end))
    end
  end)

  it("begins with the program if DATASESSION_TRACE names a file", function()
    local path, program = os.tmpname(), [[
      local datasession = require "datasession"
      local session = datasession.new { serviceURI = (...), authenticationModel = "basic" }
      assert(session:login("lua", "secret"):await(20))
      session:request { path = "rest/pending" } -- cancelled when the program ends
    ]]
    finally(function()
      child.variables = nil
      os.remove(path)
    end)
    child.variables = "DATASESSION_TRACE=" .. path
    child.run(program, server.uris.basic)
    assert.matches("^%* request 1: GET .*\n> Authorization: Basic %*%*%*\n.*\n%* ended after [^\n]+\n",
      files.read(path))
    assert.matches("\n%* request 2: GET [^\n]*/rest/pending, session 1, request, ", files.read(path))
    child.variables = "DATASESSION_TRACE=/nowhere/x"
    local output = child.run(program, server.uris.basic).output
    assert.matches("datasession: DATASESSION_TRACE: /nowhere/x", output, 1, true)
  end)

  it("shows a connection's TLS, and HTTP/2", function()
    local directory = files.directory()
    finally(function() files.removeDirectory(directory) end)
    local web = nginx.start(certify(directory), "location / { return 200 '{}'; }")
    finally(function() web:stop() files.removeDirectory(directory) end)
    trace { bodies = 100 }
    local session = datasession.new { serviceURI = web.origin, caFile = web.authority,
      authenticationModel = "basic" }
    assert(session:login("lua", "secret-of-lua"):await(LIMIT))
    assert(session:ping():await(LIMIT))
    has "\n%* SSL connection using TLSv1%.[23]"
    has "\n%* [uU]sing HTTP/?2"
    has "\n> [Aa]uthorization: Basic %*%*%*\n"
    has "\n< HTTP/2 200 ?\n"
    assert.is_nil(text():find("authorization: Basic [^*]"))
  end)
end)
