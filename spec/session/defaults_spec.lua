-- The options `headers` and `query` of a session.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local server

setup(function() server = assert(sandbox.start()) end)
teardown(function() server:close() end)
after_each(function() sessions.endAll() end)

-- A function, so that the line that raises is one of this file.
local function new(options)
  options.serviceURI = server.uris.anonymous
  return datasession.new(options)
end

describe("the defaults of a session", function()
  local other

  setup(function()
    other = assert(sandbox.start())
    for _, one in ipairs { server, other } do
      one:route("GET", "/SportsAnonymous/rest/Seen", function(request)
        return 200, nil, { uri = request.uri, tenant = request.headers["x-tenant"] }
      end)
    end
  end)

  teardown(function() other:close() end)

  local function seen(session, options)
    local got = assert(session:request(options):await(LIMIT)):json()
    return got.uri:match "%?(.*)", got.tenant
  end

  it("go with each request to its own origin, and what a request says wins", function()
    local headers, query = { ["X-Tenant"] = "acme" }, { key = "a b", list = { 1, 2 } }
    local session = new { headers = headers, query = query }
    headers["X-Tenant"], query.key = "changed", "changed" -- the session has copies
    assert.same({ "key=a%20b&list=1&list=2", "acme" }, { seen(session, { path = "rest/Seen" }) })
    assert.same({ "z=1&key=a%20b&list=1&list=2", "acme" }, { seen(session, { uri = "rest/Seen?z=1" }) })
    assert.same({ "list=3&key=a%20b", "acme" }, { seen(session, { path = "rest/Seen?list=3" }) })
    assert.same({ "list=1&list=2&key=2", "me" }, { seen(session, {
      path = "rest/Seen", query = { key = 2 }, headers = { ["x-tenant"] = "me" },
    }) })
    local elsewhere = other.uris.anonymous .. "/rest/Seen"
    assert.same({}, { seen(session, { uri = elsewhere }) })
    assert.same({ "a=1" }, { seen(session, { uri = elsewhere, query = { a = 1 } }) })
  end)

  it("may be one of the two", function()
    assert.same({ nil, "5" }, { seen(new { headers = { ["X-Tenant"] = 5 } }, { path = "rest/Seen" }) })
    assert.same({ "a=1" }, { seen(new { query = { { "a", 1 } } }, { path = "rest/Seen" }) })
  end)

  it("stay with getSession's sessions", function()
    local session = assert(datasession.getSession {
      serviceURI = server.uris.anonymous, catalogURI = server.catalogURIs.anonymous, query = { a = 1 },
    }:await(LIMIT))
    assert.equal("a=1", (seen(session, { path = "rest/Seen" })))
  end)

  it("raise at the program's line for what cannot be sent", function()
    for message, options in pairs {
      ["option 'headers': expected a table, got number"] = { headers = 5 },
      ["option 'headers': expected names and values that are strings"] = { headers = { "a" } },
      ["option 'headers': 'a b' is not a header name"] = { headers = { ["a b"] = "c" } },
      ["option 'headers': the value of 'a' holds a line break or NUL"] = { headers = { a = "b\r\nc: d" } },
      ["option 'headers': 'a': NaN and infinity cannot be sent"] = { headers = { a = 1 / 0 } },
      ["option 'headers': 'Content-Length' is computed from the body, leave it out"] =
        { headers = { ["Content-Length"] = "1" } },
      ["option 'query': expected a table, got string"] = { query = "a=1" },
      ["option 'query': element 1: expected { name, value }"] = { query = { 5 } },
      ["option 'query': expected names that are strings, got a number"] = { query = { [7] = 1 } },
      ["option 'query': 'a': expected a string, a number, a boolean or an array of these, got a function"] =
        { query = { a = print } },
    } do
      assert.equal(message, raised(function() new(options) end))
    end
  end)
end)
