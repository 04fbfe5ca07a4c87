--- A protocol of your own: a plain REST service that gives a token for a user name and password, requires it
-- with every request, and expires it after a while.
--
--   lua5.4 examples/own_protocol.lua

local datasession = require "datasession"

local function encode(text)
  return (text:gsub("[^%w._~-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

datasession.defineProtocol("tokens", {
  options = { "tokenURI" },

  -- A true result: the session is logged in. nil and an error: the login failed.
  login = function(link, user, password)
    local response, err = link:request({
      method = "POST",
      uri = link.options.tokenURI,
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      body = ("j_username=%s&j_password=%s"):format(encode(user), encode(password)),
    }):await()
    if not response then
      return nil, err
    end
    local answer = response:json()
    link.token = answer.access_token
    link.expiresAt = os.time() + answer.expires_in
    return link.token ~= nil
  end,

  -- The header lines of each request to the service.
  sign = function(link)
    return link.token and { Authorization = "oecp " .. link.token }
  end,

  -- The verdict of an answer whose status alone does not tell.
  judge = function(_, response)
    if response.status == 401 then
      return "expired", "the service does not accept the token any more"
    end
  end,

  ping = function(link)
    return link:request({ path = "static/home.html" }):await()
  end,

  logout = function(link)
    link.token = nil
    return true
  end,
})

local function say(...)
  print(string.format(...))
end

local function main(server)
  local session <close> = datasession.new({
    protocol = "tokens",
    serviceURI = server.uris.sso,
    tokenURI = server.uris.form_sso .. "/static/auth/j_spring_security_check?OECP=yes",
    keepCredentials = true,
    reconnect = true,
  })
  session:subscribe("reconnected", function(_, attempts)
    say("  logged in again, attempt %d", attempts)
  end)
  local ok, err = session:login("lua", "wrong"):await()
  say("With a wrong password: %s, %s.", tostring(ok), err.kind)
  assert(session:login("lua", "secret"):await())
  say("Logged in: %s; the token lasts %d seconds.", session, math.floor(session.expiresAt - os.time() + 0.5))
  local response = assert(session:request({ path = "rest/CustomerService/Customer" }):await())
  say("%d customers.", #response:json().dsCustomer.ttCustomer)
  say("The tokens are revoked.")
  server:revokeTokens()
  response = assert(session:request({ path = "rest/CustomerService/Customer" }):await())
  say("%d customers.", #response:json().dsCustomer.ttCustomer)
  assert(session:ping():await())
  assert(session:logout():await())
end

local server = require("datasession.sandbox").start()
local ok, err = pcall(main, server)
server:close()
if not ok then
  io.stderr:write("own_protocol: ", tostring(err), "\n")
  os.exit(1, true)
end
say("All went well.")
