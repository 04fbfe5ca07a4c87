-- datasession.version: the versions in use.
local child = dofile "spec/support/child.lua"
local datasession = require "datasession"

describe("version", function()
  it("names the parts and what they can do", function()
    local version = datasession.version()
    assert.equal(datasession._VERSION, version.datasession)
    assert.matches("^datasession ", version.datasession)
    assert.equal(_VERSION, version.lua)
    assert.matches("^%d+%.%d+", version.curl)
    assert.equal("string", type(version.tls))
    assert.equal("boolean", type(version.http2))
    assert.is_true(({ epoll = 1, kqueue = 1, curl_multi_poll = 1 })[version.poller] == 1)
    assert.equal(version.poller ~= "curl_multi_poll", datasession.pollfd() ~= nil)
  end)

  it("says which JSON codec is at work", function()
    local json = datasession.version().json
    assert.equal("table", type(json))
    assert.equal("lua-cjson", json.name)
    assert.equal("string", type(json.version))
  end)

  it("is a table of the caller's own", function()
    datasession.version().lua = "x"
    assert.equal(_VERSION, datasession.version().lua)
  end)
end)

describe("datasession.core", function()
  it("is no module to be used by itself, and says so", function()
    assert.matches("^false\t.*used without the module datasession", child.output [[
      local core = require "datasession.core"
      print(pcall(core.new, { serviceURI = "http://localhost", unknown = 1 }))
    ]])
  end)
end)

describe("constants", function()
  it("have the values of the reference", function()
    local values = {
      LOGIN_AUTHENTICATION_REQUIRED = 0, LOGIN_SUCCESS = 1, SUCCESS = 1, LOGIN_AUTHENTICATION_FAILURE = 2,
      AUTHENTICATION_FAILURE = 2, LOGIN_GENERAL_FAILURE = 3, GENERAL_FAILURE = 3, CATALOG_ALREADY_LOADED = 4,
      ASYNC_PENDING = 5, EXPIRED_TOKEN = 6, AUTH_TYPE_ANON = "anonymous", AUTH_TYPE_BASIC = "basic",
      AUTH_TYPE_FORM = "form", AUTH_TYPE_SSO = "sso", AUTH_TYPE_FORM_SSO = "form_sso",
      AUTH_TYPE_BEARER = "bearer",
      DEVICE_OFFLINE = "Device is offline", SERVER_OFFLINE = "Cannot contact server",
      WEB_APPLICATION_OFFLINE = "Mobile Web Application is not available",
      SERVICE_OFFLINE = "REST web Service is not available", APPSERVER_OFFLINE = "AppServer is not available",
      SESSION_EXPIRED = "Session has expired",
    }
    for name, value in pairs(values) do
      assert.equal(value, datasession[name], name)
      assert.equal(math.type(value), math.type(datasession[name]))
    end
    for name, value in pairs(datasession) do
      local constant = name:find "^[A-Z][A-Z_]+$" and type(value) ~= "table" -- JSDO is a class
      assert.is_true(not constant or values[name] ~= nil, name)
    end
  end)
end)
