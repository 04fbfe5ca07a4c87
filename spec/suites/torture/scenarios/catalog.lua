-- Catalogs: loading them, and reading what they hold. JSON.

local codec = require "datasession.internal.codec"

local function walk(session)
  for _, catalog in ipairs(session.catalogs) do
    for _, service in ipairs(catalog.services) do
      local resource = service:resource "Customer"
      assert(catalog:service(service.name) and catalog:resource "Customer" == resource)
      for _, field in ipairs(resource:fields()) do assert(tostring(field)) end
      assert(resource:operation("read"):expand { filter = "a b" })
      assert(tostring(catalog) and tostring(service) and tostring(resource))
    end
    for resource in catalog:eachResource() do assert(resource.name) end
  end
end

return {
  {
    name = "a catalog without a session",
    act = function()
      local catalog = require "datasession.catalog"
      local text = '{"version":"1.5","services":[{"name":"S","address":"/s","resources":[' ..
        '{"name":"R","path":"/R","schema":{"type":"object","properties":{"d":{"type":"object",' ..
        '"properties":{"tt":{"type":"array","items":{"properties":{"id":{"type":"integer"}}}}}}}},' ..
        '"operations":[{"type":"read","verb":"get","path":""}]}]}]}'
      local found = assert(catalog.parse(text,
        { uri = "http://host.example/c", serviceURI = "http://host.example" }))
      assert(found:resource("R"):operation("read"))
      local resource = found:resource "R"
      assert(resource.tables[1]:field "id")
      local name = os.tmpname()
      local file = assert(io.open(name, "w"))
      file:write(text)
      file:close()
      found = catalog.read(name)
      os.remove(name)
      assert(found)
    end,
  },
  {
    name = "addCatalog",
    ways = { "await", "spawn", "handlers" },
    prepare = function(t) return { session = t.loggedIn "form" } end,
    call = function(t, c) return c.session:addCatalog(t.catalogURIs.form) end,
    check = function(_, c)
      assert(#c.session.catalogs == 1, "not one catalog")
      walk(c.session)
    end,
  },
  {
    name = "addCatalog with credentials",
    ways = { "await" },
    prepare = function(t) return { session = t.loggedIn "anonymous" } end,
    call = function(t, c) return c.session:addCatalog(t.catalogURIs.basic, "lua", "secret") end,
  },
  {
    name = "addCatalog of several, one of them missing",
    ways = { "await" },
    prepare = function(t) return { session = t.loggedIn "form" } end,
    call = function(t, c)
      return c.session:addCatalog({ t.catalogURIs.form, "static/None.json" }):next(nil, function(err)
        if err.kind == "memory" then error(err, 0) end
        return c
      end)
    end,
  },
  {
    name = "addCatalog by a provider",
    ways = { "await" },
    prepare = function(t) return { session = t.loggedIn "anonymous", provider = t.provider "form_sso" } end,
    call = function(t, c) return c.session:addCatalog(t.catalogURIs.sso, { authProvider = c.provider }) end,
  },
  {
    name = "addCatalog of a file",
    ways = { "await" },
    prepare = function(t)
      local session = t.loggedIn "anonymous"
      local response = assert(session:request { uri = t.catalogURIs.anonymous }:await(t.LIMIT))
      local name = os.tmpname()
      local file = assert(io.open(name, "w"))
      file:write(response.body)
      file:close()
      return { session = session, name = name }
    end,
    call = function(_, c) return c.session:addCatalog(c.name) end,
    check = function(_, c) os.remove(c.name) end,
  },
  {
    name = "addCatalog of what is no catalog",
    ways = { "await" },
    prepare = function(t)
      t.server:clearFaults()
      return { session = t.loggedIn "anonymous" }
    end,
    call = function(t, c)
      local body = '{"version":"1.5","services":[{"name":"S","address":"/s","resources":[' ..
        '{"name":"R","path":"/R","operations":[{"type":"read","verb":7}]}]}]}'
      t.server:clearFaults()
      t.server:fault { kind = "status", status = 200, body = body, contentType = "application/json" }
      return t.refused(c.session:addCatalog(t.catalogURIs.anonymous), "catalog")
    end,
    check = function(t) t.server:clearFaults() end,
  },
  {
    name = "addCatalog that another session has",
    ways = { "await", "spawn" },
    prepare = function(t)
      local first, second = t.loggedIn "form", t.loggedIn "form"
      assert(first:addCatalog(t.catalogURIs.form):await(t.LIMIT))
      return { session = second, first = first }
    end,
    call = function(t, c) return c.session:addCatalog(t.catalogURIs.form) end,
    check = function(_, c)
      assert(#c.session.catalogs == 1 and #c.first.catalogs == 1, "not one catalog")
      walk(c.session)
    end,
  },
  {
    name = "reloadCatalogs",
    ways = { "await", "spawn" },
    prepare = function(t)
      local session = t.loggedIn "form"
      assert(session:addCatalog(t.catalogURIs.form):await(t.LIMIT))
      return { session = session }
    end,
    call = function(_, c) return c.session:reloadCatalogs() end,
    check = function(_, c) walk(c.session) end,
  },
  {
    name = "walking a catalog",
    prepare = function(t)
      local session = t.loggedIn "form"
      assert(session:addCatalog(t.catalogURIs.form):await(t.LIMIT))
      return { session = session }
    end,
    act = function(_, c) walk(c.session) end,
  },
  {
    name = "JSON",
    act = function(t)
      local text = '{"a":[],"n":12345678901234567,"f":0.1,"t":"\\u00e9","deep":{"x":[1,2,3,null]}}'
      local value = assert(codec.decode(text))
      assert(value.n == 12345678901234567)
      text = assert(codec.encode(value))
      assert(codec.decode(text).n == 12345678901234567)
      assert(codec.encodeHeader { a = "é" } and codec.encode(t.datasession.array()) == "[]")
      assert(not codec.decode "{")
    end,
  },
}
