-- HTTP/2 as nginx speaks it.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT = await.LIMIT

local directory, certificate, server

setup(function()
  directory = files.directory()
  certificate = { certificate = directory .. "/certificate", key = directory .. "/key" }
  shell.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=nginx", "-keyout",
    certificate.key, "-out", certificate.certificate, "-addext", "subjectAltName=IP:127.0.0.1")
end)
teardown(function() files.removeDirectory(directory) end)

after_each(function()
  sessions.endAll()
  server:stop()
end)

local function login(options)
  local all = { serviceURI = server.origin, caFile = server.authority }
  for name, value in pairs(options or {}) do all[name] = value end
  local session = datasession.new(all)
  assert(session:login():await(LIMIT))
  return session
end

describe("a body over HTTP/2", function()
  it("comes whole and at once, whatever its size", function()
    server = nginx.start(certificate)
    local session = login()
    for _, size in ipairs { 500, 2000, 9500, 15500, 26000, 32000, 57500, 65000, 5000000 } do
      server:put(size, ("y"):rep(size))
      local response = session:request({ path = "/" .. size, timeout = 5 }):await(LIMIT)
      assert.equal(size, response and #response.body)
    end
  end)
end)
