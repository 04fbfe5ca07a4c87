-- No secret comes into a trace or a HAR file, whatever a session does. The sandbox's log tells what was sent.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local USER, PASSWORD = "ada", "pass-of-ada#1"

describe("a trace and a HAR file hold no secret", function()
  local server, tracePath, harPath, secrets

  before_each(function()
    server = assert(sandbox.start { users = { [USER] = PASSWORD } })
    server:setProiv { sessionKey = true }
    tracePath, harPath = os.tmpname(), os.tmpname()
    secrets = { [PASSWORD] = true, ["pass-of-ada%231"] = true }
    assert(datasession.trace(tracePath, { bodies = 1000000 }))
    assert(datasession.har(harPath))
  end)

  after_each(function()
    sessions.endAll()
    datasession.trace(nil)
    datasession.har(nil)
    server:close()
    os.remove(tracePath)
    os.remove(harPath)
  end)

  local function add(value)
    if value and #value >= 6 then secrets[value] = true end
  end

  -- Adds the server's view of credentials, cookies, tokens and ids of sessions.
  local function collect()
    for _, request in ipairs(server:requests()) do
      local headers = request.headers
      for value in (headers.cookie or ""):gmatch "=([^;]+)" do add(value) end
      add((headers.authorization or ""):match "^%S+ +(.+)")
      add((headers.pragma or ""):match "dssession=([^,]+)")
      add(headers["x-client-context-id"])
      for _, text in ipairs { request.body or "", request.uri } do
        for _, name in ipairs { "dse_sessionId", "SESSION_KEY", "refresh_token", "access_token" } do
          add(text:match(name .. "[\"']?[=:>]+[\"']?([^&<\"',}%s]+)"))
        end
        add(text:match ";[jJ][sS][eE][sS][sS][iI][oO][nN][iI][dD]=([^?/;]+)")
      end
    end
  end

  local function search(least)
    datasession.trace(nil)
    datasession.har(nil)
    collect()
    local count = 0
    for _, path in ipairs { tracePath, harPath } do
      local text = files.read(path)
      assert.is_true(#text > 1000 and text:find("***", 1, true) ~= nil)
      for secret in pairs(secrets) do
        count = count + 1
        assert.is_nil(text:find(secret, 1, true), secret)
      end
    end
    assert.is_true(count >= 2 * least, "only " .. count .. " secrets were looked for")
  end

  local function useAll(session)
    assert(session:addCatalog(session.serviceURI .. "/static/CustomerService.json"):await(LIMIT))
    session:ping():await(LIMIT)
    session:isAuthorized():await(LIMIT)
    session:request({ path = "rest/CustomerService/Customer", method = "POST",
      json = { clientSecret = "client-of-ada", note = "client-of-ada" } }):await(LIMIT)
    session:request({ path = "x?password=query-of-ada&n=1", method = "POST",
      form = { password = "form-of-ada", again = "form-of-ada" } }):await(LIMIT)
    for _, secret in ipairs { "client-of-ada", "query-of-ada", "form-of-ada" } do add(secret) end
    session:logout():await(LIMIT)
  end

  for _, model in ipairs { "anonymous", "basic", "form" } do
    it("of the model " .. model, function()
      local session = sessions.new(server, model)
      assert(session:login(USER, PASSWORD):await(LIMIT))
      useAll(session)
      search(model == "form" and 7 or 5)
    end)
  end

  it("of the model bearer", function()
    local session = sessions.new(server, "bearer")
    assert(session:login("letmein"):await(LIMIT))
    secrets["letmein"] = true
    useAll(session)
    search(6)
  end)

  for _, tokens in ipairs { "form_sso", "bearer" } do
    it("of sessions with a provider of the model " .. tokens, function()
      local provider = datasession.AuthenticationProvider {
        uri = server.uris[tokens], authenticationModel = tokens }
      if tokens == "bearer" then
        assert(provider:login("letmein"):await(LIMIT))
      else
        assert(provider:login(USER, PASSWORD):await(LIMIT))
      end
      local model = tokens == "form_sso" and "sso" or "bearer"
      local session = datasession.new { serviceURI = server.uris[model], authenticationModel = model,
        authProvider = provider }
      if tokens == "form_sso" then
        server:expireTokens()
        session:ping():await(LIMIT)
        provider:refresh():await(LIMIT)
      end
      useAll(session)
      provider:logout():await(LIMIT)
      search(6)
    end)
  end

  it("of datasnap", function()
    local session = datasession.new { protocol = "datasnap", serviceURI = server.uris.datasnap }
    assert(session:login(USER, PASSWORD):await(LIMIT))
    assert(session:invoke("TStock", "Level", { "A/7", 3 }):await(LIMIT))
    session:invoke("TEcho", "Echo", { { token = "client-of-ada" }, "client-of-ada" }, { verb = "POST" })
      :await(LIMIT)
    session:invoke("TEcho", "Fail", { "no" }):await(LIMIT)
    add "client-of-ada"
    session:ping():await(LIMIT)
    session:logout():await(LIMIT)
    search(4)
  end)

  it("of btt, in each format", function()
    for _, format in ipairs { "form", "xml", "json" } do
      local session = datasession.new { protocol = "btt", serviceURI = server.uris.btt, format = format }
      assert(session:login():await(LIMIT))
      session:invoke("RateLookup", { ccy = "SEK", password = "client-of-ada" }):await(LIMIT)
      session:ping():await(LIMIT)
      session:logout():await(LIMIT)
    end
    add "client-of-ada"
    search(4)
  end)

  it("of proiv", function()
    local session = datasession.new { protocol = "proiv", serviceURI = server.origin,
      connectionData = { sessionType = "TELNET_SESSION", hostname = "vm.example", port = "9023",
        username = USER, password = PASSWORD } }
    assert(session:login():await(LIMIT))
    session:ping():await(LIMIT)
    session:logout():await(LIMIT)
    search(3)
  end)
end)
