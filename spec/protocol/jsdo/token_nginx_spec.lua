-- tokenProvider and setToken with nginx as the resource server, which accepts the tokens that it has files
-- for.
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local certify = dofile "spec/support/certify.lua"
local files = dofile "spec/support/files.lua"
local nginx = dofile "spec/support/nginx.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT

local SETTINGS = [[
location /app/ {
  set $known "${document_root}/$http_authorization";
  if (!-f $known) { return 401; }
  add_header WWW-Authenticate 'Bearer error="invalid_token"' always;
  return 200 '{}';
}
]]

local directory, server

setup(function()
  directory = files.directory()
  server = nginx.start(certify(directory), SETTINGS)
end)
teardown(function()
  server:stop()
  files.removeDirectory(directory)
end)
after_each(sessions.endAll)

local accepted

-- From now on nginx accepts this token alone.
local function accept(token)
  if accepted then assert(os.remove(server.directory .. "/www/Bearer " .. accepted)) end
  server:put("Bearer " .. token, "")
  accepted = token
end

local function new(options)
  local all = { serviceURI = server.origin .. "/app", authenticationModel = "bearer",
    caFile = server.authority, http2 = false }
  for name, value in pairs(options) do all[name] = value end
  return datasession.new(all)
end

it("a session goes on when nginx accepts another token, for 20 requests at once, three times", function()
  local reasons = {}
  accept "first"
  local session = new { tokenProvider = function(_, reason)
    reasons[#reasons + 1] = reason
    datasession.sleep(0)
    return accepted
  end }
  assert(session:login():await(LIMIT))
  for turn = 1, 3 do
    accept("token" .. turn)
    local promises = {}
    for i = 1, 20 do
      promises[i] = session:request { path = "x", method = i % 2 == 0 and "POST" or "GET",
        body = i % 2 == 0 and "{}" or nil }
    end
    for i = 1, 20 do
      assert.equal(200, assert(promises[i]:await(LIMIT)).status)
    end
    assert.equal(turn + 1, #reasons)
  end
  assert.same({ "login", "refused", "refused", "refused" }, reasons)
  assert.equal("connected", session.state)
end)

it("a session takes the token that nginx accepts by setToken, and expires without", function()
  accept "one"
  local session = new {}
  assert(session:login("one"):await(LIMIT))
  accept "two"
  session:setToken "two"
  assert(session:ping():await(LIMIT))
  accept "three"
  assert.equal("expired", await.rejected(session:isAuthorized()).kind)
  session:setToken "three"
  assert(session:isAuthorized():await(LIMIT))
  assert.equal("connected", session.state)
end)
