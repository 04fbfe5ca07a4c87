-- A login form that accepts name and password, with a cookie that goes to the application again, or does not.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local server

setup(function() server = assert(sandbox.start {}) end)
teardown(function() server:close() end)
before_each(function() sessions.refresh(server) end)
after_each(sessions.endAll)

-- The outcome of a login whose form is answered with that cookie, at an address like those that only a proxy
-- knows.
local function login(cookie, proxied)
  server:fault { kind = "status", status = 200, path = "j_spring_security_check$", body = "{}",
    contentType = "application/json", headers = { ["Set-Cookie"] = cookie } }
  local uri = server.uris.form
  if proxied then uri = uri:gsub("127%.0%.0%.1:%d+", "app.example.test") end
  local session = datasession.new { serviceURI = uri, authenticationModel = "form",
    proxy = proxied and server.origin or false }
  return session:login("lua", "secret"):await(await.LIMIT)
end

local function refusal(...)
  local ok, err = login(...)
  assert.is_nil(ok)
  assert.equal("auth", err.kind)
  assert.not_matches("A1", tostring(err))
  return err
end

describe("a form's cookie that is not sent back", function()
  it("is told by its Path, said or not", function()
    for _, path in ipairs { "/inner", "/SportsFor", "/SportsForm/static/auth", "/sportsform" } do
      local err = refusal("JSESSIONID=A1; Path=" .. path .. "; HttpOnly")
      assert.matches("the form was accepted, but its cookie is not sent back: its Path is not the app",
        err.message)
      assert.matches("must set the cookie for the Path of serviceURI", err.hint)
    end
    for _, attributes in ipairs { "", "; HttpOnly", "; Path=inner", "; Path=" } do
      assert.matches("not sent back: it has no Path", refusal("JSESSIONID=A1" .. attributes).message)
    end
  end)

  it("is told after a redirect, where the login form comes again", function()
    server:fault { kind = "status", status = 302, path = "j_spring_security_check$",
      headers = { ["Set-Cookie"] = "JSESSIONID=A1; Path=/inner", Location = "/SportsForm/static/home.html" } }
    server:fault { kind = "loginPage", path = "home%.html$" }
    local session = sessions.new(server, "form")
    local ok, err = session:login("lua", "secret"):await(await.LIMIT)
    assert.is_nil(ok)
    assert.matches("did not accept the user name or password, or its cookie is not sent back: its Path",
      err.message)
    assert.matches("Path of serviceURI", err.hint)
  end)

  it("is told by its Domain", function()
    for _, domain in ipairs { "elsewhere.test", ".elsewhere.test", "pp.example.test",
      "x.app.example.test" } do
      local err = refusal("JSESSIONID=A1; Path=/; Domain=" .. domain, true)
      assert.matches("not sent back: its Domain is not the host's", err.message)
    end
  end)

  it("is told by its being Secure where the URI is not https", function()
    local err = refusal("JSESSIONID=A1; Path=/; Secure", true)
    assert.matches("not sent back: it is Secure, and the URI is not https", err.message)
    assert.equal("use the https URI", err.hint)
  end)
end)

describe("a form's cookie that is sent back", function()
  it("is not blamed where the application refuses all the same", function()
    for _, attributes in ipairs { "Path=/", "path=/SportsForm", "Path=/SportsForm/",
      "Path=/SportsForm/static", "Path = /SportsForm \t; HttpOnly" } do
      assert.not_matches("cookie", refusal("JSESSIONID=A1; " .. attributes).message)
    end
    assert.not_matches("cookie", refusal("JSESSIONID=A1; Path=/; Secure").message)
    assert.not_matches("cookie", refusal("JSESSIONID=A1; Path=/; Domain=.example.test", true).message)
    assert.not_matches("cookie", refusal("JSESSIONID=A1; Path=/inner; Max-Age=0").message)
  end)
end)
