-- Names are compared as protocols define it, in any locale: in Turkish, I is not the capital of i.
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local locales = dofile "spec/support/locales.lua"

local LOCALE = "tr_TR.UTF-8"

-- The locale is set before or after a session is first used.
local SCRIPT = [[
local early, locale = ...
local datasession = require "datasession"
local server <close> = assert(require("datasession.sandbox").start())
local function turn()
  assert(os.setlocale(locale), "no such locale")
end
if early == "true" then turn() end
local session = datasession.new { serviceURI = server.uris.basic, authenticationModel = "BASIC" }
assert(session:login("lua", "secret"):await(20))
if early ~= "true" then turn() end

local function answer(lines)
  return "HTTP/1.1 200 OK\r\n" .. lines .. "Content-Length: 2\r\nConnection: close\r\n\r\n{}"
end
local function ask(path, options)
  options = options or {}
  options.path = path
  server:clearRequests()
  return session:request(options):await(20)
end

server:fault { kind = "raw", path = "/context$",
  body = answer 'X-CLIENT-PROPS: {"a":1}\r\nx-client-context-id: i\r\n' }
server:fault { kind = "raw", path = "/lower$", body = answer 'x-client-props: {"b":2}\r\n' }
server:fault { kind = "raw", path = "/shout$",
  body = "HTTP/1.1 302 Found\r\nLOCATION: /SportsBasic/target\r\nCONTENT-LENGTH: 0\r\n" ..
    "Connection: close\r\n\r\n" }
server:fault { kind = "raw", path = "/target$",
  body = answer "CONTENT-TYPE: APPLICATION/JSON; I=1\r\nX-IIII: i\r\n" }
assert(ask "context")
assert(session:getContext().a == 1 and session.clientContextId == "i")
assert(ask "lower")
assert(session:getContext().b == 2)
local response = assert(ask "shout")
assert(response.uri:match "/target$" and response.headers["x-iiii"] == "i")
ask("target", { method = "patch", body = "i",
  headers = { AUTHORIZATION = "mine", ["CONTENT-TYPE"] = "x/i" } })
local headers = server:requests()[1].headers
assert(headers.authorization == "mine" and headers["content-type"] == "x/i")
assert(not pcall(session.request, session, { path = "x", headers = { ["CONTENT-LENGTH"] = "1" } }))
print "holds"
]]

describe("in Turkish", function()
  local directory

  setup(function()
    directory = locales.directory(LOCALE)
    child.variables = "LOCPATH=" .. directory
  end)
  teardown(function() files.removeDirectory(directory) end)

  it("header lines, methods and models are known in any case", function()
    for _, early in ipairs { true, false } do
      assert.equal("holds\n", child.output(SCRIPT, early, LOCALE))
    end
  end)
end)
