--- Bearer sessions whose tokens come from an OAuth 2.0 authorization server: by client credentials, by a user
-- who approves a device, and by a refresh token that an earlier run has stored.
--
--   lua5.4 examples/oauth2.lua      against an authorization server in this process (the sandbox)

local datasession = require "datasession"
local oauth2 = require "datasession.oauth2"
local server = require("datasession.sandbox").start()

local function say(...)
  print(string.format(...))
end

-- Logs in with the tokens that the function gives, and reads twice: the second time the token has expired.
local function use(tokenProvider)
  local session <close> = datasession.new {
    serviceURI = server.uris.bearer, authenticationModel = "bearer",
    tokenProvider = function(session, reason)
      say("  a token is needed: %s", reason)
      return tokenProvider(session, reason)
    end,
    tokenTimeout = "10m", -- a user may have to approve
  }
  assert(session:login():await())
  for _ = 1, 2 do
    local response = assert(session:request { path = "rest/CustomerService/Customer" }:await())
    say("  %d customers", #response:json().dsCustomer.ttCustomer)
    server:expireTokens()
  end
end

local function main()
  local tokenURI, stored = server.uris.oauth .. "/token", nil
  server:setOAuth { interval = 0.05 }

  say("As the program itself, by client credentials:")
  use(oauth2.clientCredentials { tokenURI = tokenURI, clientId = "robot", clientSecret = "secret" })

  say("As a user, who approves this device:")
  use(oauth2.deviceFlow {
    tokenURI = tokenURI, deviceURI = server.uris.oauth .. "/device_authorization", clientId = "tv",
    onCode = function(code)
      say("  go to %s and type %s", code.verificationURI, code.userCode)
      server:approveDevice(code.userCode) -- the user does
    end,
    onRefreshToken = function(token) stored = token end, -- keep it where only this user reads it
  })

  say("As that user, by the stored refresh token:")
  use(oauth2.refreshToken {
    tokenURI = tokenURI, clientId = "tv", refreshToken = stored,
    onRefreshToken = function(token) stored = token end, -- each is good once
  })

  say("After the user has taken the permission back:")
  server:revokeTokens()
  local revoked = oauth2.refreshToken { tokenURI = tokenURI, clientId = "tv", refreshToken = stored }
  local ok, err = pcall(use, revoked)
  assert(not ok)
  say("  %s", err)
end

local ok, err = pcall(main)
server:close()
if not ok then
  io.stderr:write("oauth2: ", tostring(err), "\n")
  os.exit(1, true)
end
say("All went well.")
