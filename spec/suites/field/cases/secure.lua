--- Certificates of clients, who is trusted, versions of TLS: nginx and `openssl s_server`.
local applications = require "field.support.applications"
local authority = dofile "spec/support/authority.lua"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local logs = require "field.support.logs"
local openssl = require "field.servers.openssl"
local shell = dofile "spec/support/shell.lua"
local users = require "field.support.users"

local function show(files)
  return { clientCertificate = files.certificate, clientKey = files.key, clientKeyPassword = files.password }
end

local function encrypted(files)
  local key = files.key .. ".encrypted"
  shell.run("openssl pkey -aes256 -passout", "pass:" .. users.key, "-in", files.key, "-out", key)
  return { certificate = files.certificate, key = key, password = users.key }
end

-- Each session must be known by its own certificate, whatever connections are kept.
local function isKnown(application, files, name)
  local session = datasession.new(client.options(application, show(files)))
  checks.resolves(session:login(), "login of " .. name)
  for i = 1, 3 do
    local path = ("bodies/500?%s%d"):format(name, i)
    checks.resolves(session:request { path = path }, "request of " .. name)
    local found = logs.await(1, application.server.log, path, application.port)[1]
    checks.holds(found and found.more:find("CN=" .. name, 1, true), "whom nginx saw", found and found.more)
  end
  return session
end

local function certificates(field, port)
  local application = applications.at(field.nginx, { path = "anonymous", model = "anonymous" }, "https", port)
  checks.at("client certificates: " .. application.name)
  local ca = field.around.authority
  local ann, bob = ca:issue("ann" .. port, "DNS:ann"), encrypted(ca:issue("bob" .. port, "DNS:bob"))
  local first = isKnown(application, ann, "ann" .. port)
  local second = isKnown(application, bob, "bob" .. port)
  local session, login = client.login(application)
  checks.rejects(login, "login without a certificate")
  session:invalidate():await(10)
  local stranger = authority.new(field.directory, "stranger" .. port):issue("eve", "DNS:eve")
  session = datasession.new(client.options(application, show(stranger)))
  checks.rejects(session:login(), "login with a certificate of a stranger's")
  for _, one in ipairs { first, second, session } do one:invalidate():await(10) end
end

local function trust(field)
  local stranger = authority.new(field.directory, "other-authority")
  for _, application in ipairs(applications.of(field.servers, function(application, line)
    return application.path == "anonymous" and line.scheme == "https"
  end)) do
    checks.at("trust: " .. application.name)
    local session = datasession.new(client.options(application, { caFile = stranger.certificate }))
    checks.rejects(session:login(), "a server of an authority that is not trusted", "tls")
    session:invalidate():await(10)
    -- By another name: libcurl 8.14 also takes a kept TLS connection of that address for plain http.
    local uri = application.uri:gsub("^https://127%.0%.0%.1", "http://localhost")
    local plain = datasession.new(client.options(application, { serviceURI = uri }))
    checks.rejects(plain:login(), "plain http to a TLS port")
    plain:invalidate():await(10)
  end
end

local function verbs(server)
  local application = applications.at(server, { path = "", model = "anonymous" }, "https", "TLS")
  application.uri = application.origin
  local session, login = client.login(application)
  checks.resolves(login, "login")
  checks.resolves(session:ping(), "ping")
  checks.resolves(session:addCatalog("static/Catalog.json"), "addCatalog")
  for _, size in ipairs { 0, 500, 2000, bodies.LARGE } do
    local response = checks.resolves(session:request { path = "bodies/" .. size }, size .. " bytes")
    checks.holds(response and response.body == bodies.of(size), size .. " bytes come whole")
  end
  client.close(session)
end

local function versions(field)
  for name, word in pairs { tls12 = "-tls1_2", tls13 = "-tls1_3" } do
    checks.at("openssl s_server " .. name)
    local server = openssl.new(field.around, name, word)
    verbs(server)
    server:stop()
  end
end

-- It asks for a certificate and takes no other.
local function demanding(field)
  local server = openssl.new(field.around, "demanding", "-Verify", "1", "-verify_return_error", "-CAfile",
    field.around.authority.certificate)
  local application = applications.at(server, { path = "", model = "anonymous" }, "https", "TLS")
  application.uri = application.origin
  checks.at("openssl s_server that demands a certificate")
  local session, login = client.login(application)
  checks.rejects(login, "login without one", "tls")
  session:invalidate():await(10)
  local files = field.around.authority:issue("demanded", "DNS:demanded")
  session, login = client.login(application, nil, show(files))
  checks.resolves(login, "login with one")
  session:invalidate():await(10)
  server:stop()
end

return function(field)
  certificates(field, "CLIENT")
  certificates(field, "CLIENTTWO")
  trust(field)
  versions(field)
  demanding(field)
end
