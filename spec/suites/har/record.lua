-- record.lua DIRECTORY: writes HAR files of sessions of each system, and of what is rare: redirects, bytes
-- that are no text, cut bodies, requests without a response. Prints their paths, one a line.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local LIMIT = 20
local directory = assert(..., "expected a directory")

local function record(name, options, f)
  local path = ("%s/%s.har"):format(directory, name)
  local server <close> = assert(sandbox.start())
  local har <close> = assert(datasession.har(path, options)) -- luacheck: ignore (it ends with the block)
  f(server)
  print(path)
end

local function ended(session) assert(session:logout():await(LIMIT)) end

for _, model in ipairs { "anonymous", "basic", "form" } do
  record(model, nil, function(server)
    local session = datasession.new { serviceURI = server.uris[model], authenticationModel = model }
    assert(session:login("lua", "secret"):await(LIMIT))
    assert(session:addCatalog(server:catalogURI(model)):await(LIMIT))
    assert(session:ping():await(LIMIT))
    ended(session)
  end)
end

record("sso", nil, function(server)
  local provider = datasession.AuthenticationProvider {
    uri = server.uris.form_sso, authenticationModel = "form_sso" }
  assert(provider:login("lua", "secret"):await(LIMIT))
  local session = datasession.new {
    serviceURI = server.uris.sso, authenticationModel = "sso", authProvider = provider }
  assert(session:ping():await(LIMIT))
  assert(provider:logout():await(LIMIT))
end)

record("datasnap", nil, function(server)
  local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
  assert(session:login("lua", "secret"):await(LIMIT))
  assert(session:invoke("TEcho", "Stream", { 256 }):await(LIMIT))
  ended(session)
end)

record("btt", nil, function(server)
  local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt, format = "xml" }
  assert(session:login():await(LIMIT))
  assert(session:invoke("RateLookup", { ccy = "SEK" }):await(LIMIT))
  ended(session)
end)

record("proiv", nil, function(server)
  local session = datasession.new { protocol = "proiv", serviceURI = server.origin,
    connectionData = { service = "Orders" } }
  assert(session:login():await(LIMIT))
  ended(session)
end)

record("rare", { bodies = 10 }, function(server)
  local session = datasession.new { serviceURI = server.uris.anonymous }
  assert(session:login():await(LIMIT))
  server:route("GET", "/SportsAnonymous/old", function() return 302, { Location = "new?a=b&c" } end)
  server:route("GET", "/SportsAnonymous/new", function()
    return 200, { ["X-A"] = "\xe9", ["Set-Cookie"] = "a=b" }, "\0\xff"
  end)
  server:route("PUT", "/SportsAnonymous/new", function() return 204 end)
  assert(session:request({ path = "old" }):await(LIMIT))
  assert(session:request({ path = "new", method = "PUT", body = ("\xff"):rep(100) }):await(LIMIT))
  server:fault { kind = "truncate" }
  assert(not session:request({ path = "static/home.html" }):await(LIMIT))
  server:stop()
  assert(not session:request({ path = "new" }):await(LIMIT))
end)
