-- The message of a login where the application wants another model than the session's, or does not want this
-- user.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local rejected = await.rejected

local server

setup(function() server = assert(sandbox.start {}) end)

teardown(function() server:close() end)

before_each(function() sessions.refresh(server) end)

after_each(sessions.endAll)

local function refusal(application, model, answer)
  local session = datasession.new { serviceURI = server.uris[application], authenticationModel = model }
  if answer then server:fault(answer) end
  return rejected(session:login("lua", model ~= "bearer" and "secret" or nil))
end

local function page(body)
  return { kind = "status", status = 200, body = body, contentType = "text/html" }
end

local function challenge(text)
  return { kind = "status", status = 401, body = "", headers = { ["WWW-Authenticate"] = text } }
end

local FORM = '<form action="j_spring_security_check">'

it("a login of another model is told which one the application asks for", function()
  for _, case in ipairs {
    { "basic", "form", nil, "the application asks for HTTP Basic", "basic" },
    { "basic", "anonymous", nil, "the application asks for HTTP Basic", "basic" },
    { "basic", "bearer", nil, "the application asks for HTTP Basic", "basic" },
    { "bearer", "basic", challenge 'Bearer realm="x"', "the application asks for a bearer token", "bearer" },
    { "form", "basic", page(FORM), "the application asks for a login by form", "form" },
    { "form", "anonymous", page(FORM), "the application asks for a login by form", "form" },
    { "form", "basic", challenge 'Negotiate, Bearer x="Basic"', "the application asks for a bearer token",
      "bearer" },
    { "form", "bearer", challenge 'Digest realm="a", Basic realm="b"', "the application asks for HTTP Basic",
      "basic" },
    { "form", "bearer", challenge "Basic", "the application asks for HTTP Basic", "basic" },
    { "form", "bearer", challenge "NTLM,Basic", "the application asks for HTTP Basic", "basic" },
    { "form", "basic", challenge "NTLM,  bearer", "the application asks for a bearer token", "bearer" },
  } do
    local application, model, answer, what, asked = table.unpack(case, 1, 5)
    local err = refusal(application, model, answer)
    assert.matches(": " .. what, err.message, 1, true)
    assert.equal(('set authenticationModel to "%s"'):format(asked), err.hint)
    assert.equal(datasession.AUTHENTICATION_FAILURE, err.result)
    assert.equal("auth", err.kind)
  end
end)

it("a login of the model that is asked for is told that the credentials are wrong", function()
  local err = refusal("basic", "basic", challenge 'Basic realm="x"')
  assert.matches("did not accept the user name or password", err.message, 1, true)
  assert.is_nil(err.hint)
  err = refusal("form", "form", page(FORM))
  assert.matches("its login page: it did not accept the user name or password", err.message, 1, true)
end)

it("a refusal that asks for nothing that we have has a hint of the model", function()
  for _, answer in ipairs { false, challenge "NTLM", challenge "Bearers, ", challenge "Bear" } do
    assert.matches('does the application want authenticationModel "form"?',
      refusal("form", "basic", answer or nil).hint, 1, true)
  end
end)

it("an application without a login form says so by 404", function()
  local err = refusal("anonymous", "form")
  assert.equal(404, err.httpStatus)
  assert.matches('that its model is "form": others have no login form', err.hint, 1, true)
end)

it("a provider is told the same", function()
  local provider = datasession.AuthenticationProvider { uri = server.uris.basic,
    authenticationModel = "form" }
  local err = rejected(provider:login("lua", "secret"))
  assert.matches("the application asks for HTTP Basic", err.message, 1, true)
  assert.equal('set authenticationModel to "basic"', err.hint)
end)

it("a user who may not use the application, and a login that cannot be read, are told apart", function()
  for status, words in pairs {
    [403] = "this user is not allowed to use the application", [400] = "the server calls the login malformed",
    [500] = "the server failed at the login",
  } do
    assert.matches(words, refusal("form", "form", { kind = "status", status = status, body = "" }).message, 1,
      true)
  end
end)
