-- The sandbox's form application of an older server, over real sockets.
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local request, get, decode = client.request, client.get, client.decode

describe("the old form application", function()
  local server

  before_each(function() server = assert(sandbox.start()) end)
  after_each(function() server:close() end)

  local accepts = { "application/json", "text/html,application/xhtml+xml,*/*;q=0.8" }

  local function login(password, accept)
    return request(server, "POST", server.uris.old .. "/static/auth/j_spring_security_check",
      { body = "j_username=lua&j_password=" .. (password or "secret"), headers = { Accept = accept } })
  end

  local function at(path, headers)
    return get(server, server.uris.old .. path, headers)
  end

  local function cookieOf(response)
    return response.headers["set-cookie"]:match("^(JSESSIONID=[^;]+)")
  end

  local function assertPage(status, text, response)
    assert.equal(status, response.status)
    assert.matches("^text/html", response.headers["content-type"])
    if text then assert.matches(text, response.body, 1, true) end
    assert.is_nil(response.headers["www-authenticate"])
  end

  local function assertRedirect(location, response)
    assertPage(302, nil, response)
    assert.equal(location, response.headers.location)
  end

  local PROTECTED = { "/static/home.html", "/static/CustomerService.json", "/rest/_oepingService/_oeping",
    "/rest/CustomerService/Customer", "/nothing" }

  it("answers with the login page and status 200, whatever is accepted", function()
    for _, accept in ipairs(accepts) do
      for _, path in ipairs(PROTECTED) do
        assertPage(200, 'action="/SportsOld/static/auth/j_spring_security_check"',
          at(path, { Accept = accept }))
      end
    end
  end)

  it("answers wrong credentials with a page that says so", function()
    for _, accept in ipairs(accepts) do
      local response = login("wrong", accept)
      assertPage(200, "login failed", response)
      assert.not_matches("j_spring_security_check", response.body, 1, true)
      assert.is_nil(response.headers["set-cookie"])
    end
    assert.equal(0, server:sessionCount("old"))
  end)

  it("redirects a good login to the home page", function()
    for _, style in ipairs { "pages", "redirect" } do
      server:setOldStyle(style)
      local response = login()
      assertRedirect("/SportsOld/static/home.html", response)
      assert.matches("; Path=/SportsOld; HttpOnly$", response.headers["set-cookie"])
      local home = get(server, response.headers.location, { Cookie = cookieOf(response) })
      assertPage(200, "This web application runs", home)
      assert.is_string(home.headers["x-client-context-id"])
    end
  end)

  it("puts the session into the redirect where there are no cookies", function()
    server:setCookies(false)
    local location = login().headers.location
    assert.matches("^/SportsOld/static/home%.html;jsessionid=%x+%.sports$", location)
    assertPage(200, "This web application runs", get(server, location))
  end)

  it("serves those who are logged in as every application does", function()
    local headers = { Cookie = cookieOf(login()) }
    for path, status in pairs { ["/static/CustomerService.json"] = 200,
      ["/rest/_oepingService/_oeping"] = 200,
      ["/rest/CustomerService/Customer?filter=CustNum=1"] = 200, ["/nothing"] = 404 } do
      local response = at(path, headers)
      assert.equal(status, response.status, path)
      assert.is_table(decode(response))
    end
  end)

  it("ends the session at logout", function()
    for style, status in pairs { pages = 200, redirect = 302, json = 200 } do
      server:setOldStyle(style)
      local cookie = cookieOf(login())
      local response = at("/static/auth/j_spring_security_logout", { Cookie = cookie })
      assert.equal(status, response.status)
      assert.not_matches("j_spring_security_check", response.body, 1, true)
      assert.matches("Max%-Age=0", response.headers["set-cookie"])
      assert.equal(0, server:sessionCount("old"))
    end
  end)

  it("redirects to the pages", function()
    server:setOldStyle("redirect")
    for _, accept in ipairs(accepts) do
      for _, path in ipairs(PROTECTED) do
        assertRedirect("/SportsOld/static/auth/login.jsp", at(path, { Accept = accept }))
      end
      local failed = login("wrong", accept)
      assertRedirect("/SportsOld/static/auth/loginfailed.jsp", failed)
      assertPage(200, "login failed", get(server, failed.headers.location))
    end
    assertPage(200, "j_spring_security_check", at("/static/auth/login.jsp"))
  end)

  it("puts the status into a JSON body", function()
    server:setOldStyle("json")
    for _, accept in ipairs(accepts) do
      for _, path in ipairs(PROTECTED) do
        local response = at(path, { Accept = accept })
        assert.equal(200, response.status)
        assert.same({ status_code = 401, status_txt = "Unauthorized" }, decode(response))
      end
      assert.same({ status_code = 401, status_txt = "Unauthorized" }, decode(login("wrong", accept)))
    end
    local response = login()
    assert.equal(200, response.status)
    assert.same({ status_code = 200, status_txt = "OK" }, decode(response))
    assertPage(200, "This web application runs", at("/static/home.html", { Cookie = cookieOf(response) }))
  end)

  it("is one of the models of the other controls", function()
    local cookie = cookieOf(login())
    server:expireSessions("old")
    assertPage(200, "j_spring_security_check", at("/static/home.html", { Cookie = cookie }))
    server:setApplication("old", false)
    assert.equal(404, at("/static/home.html").status)
    server:setApplication("old", true)
    cookie = cookieOf(login())
    server:advanceClock(1201)
    assertPage(200, "j_spring_security_check", at("/static/home.html", { Cookie = cookie }))
  end)
end)
