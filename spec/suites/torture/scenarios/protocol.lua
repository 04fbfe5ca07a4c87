-- Protocols in Lua.
local storage = require "datasession.store"
local t = ...

local list = t.list()
local PAGE = { path = "static/home.html" }

local function page(link) return link:request(PAGE):await() end

local definition = {
  options = { "colour" },
  login = function(link, user)
    link.expiresAt = os.time() + 3600
    if user ~= "lua" then return nil, "nobody" end
    return page(link)
  end,
  ping = page,
  check = page,
  reconnect = page,
  sign = function(link) return { ["X-Own"] = link.options.colour or "none" } end,
  judge = function(_, response)
    if response.status == 404 then return "expired", "it is gone" end
    return response.status == 200 and "alive" or nil
  end,
  invoke = function(_, what, ...)
    if what == "fail" then return nil, { kind = "http", message = "no" } end
    return what, ...
  end,
  save = function(link) return { colour = link.options.colour or "none" } end,
  restore = function(_, saved) return saved.colour end,
  stop = function() return true end,
  logout = function() return true end,
}

local function define() t.datasession.defineProtocol("torture", definition) end

local function own(options)
  define()
  local all = { protocol = "torture", serviceURI = t.uris.anonymous, timeout = t.TIMEOUT, colour = "blue" }
  for name, value in pairs(options or {}) do all[name] = value end
  return t.datasession.new(all)
end

local function loggedIn(options)
  local session = own(options)
  assert(session:login("lua", "secret"):await(t.LIMIT))
  return session
end

local function making(make, options)
  return function() return make(options) end
end

list:add { name = "a protocol in Lua: defined", act = define }
list:once("a protocol in Lua: login", making(own), function(s) return s:login("lua", "secret") end,
  { "await", "spawn", "handlers" })
list:once("a protocol in Lua: login refused", making(own), function(s)
  return t.refused(s:login("who", "secret"), "auth")
end)
list:once("a protocol in Lua: ping", making(loggedIn), function(s) return s:ping() end)
list:once("a protocol in Lua: isAuthorized", making(loggedIn), function(s) return s:isAuthorized() end)
list:once("a protocol in Lua: invoke", making(loggedIn), function(s) return s:invoke(1, "a") end)
list:once("a protocol in Lua: invoke that fails", making(loggedIn), function(s)
  return t.refused(s:invoke "fail", "http")
end)
list:once("a protocol in Lua: request", making(loggedIn), function(s) return s:request(PAGE) end)
list:once("a protocol in Lua: an answer that ends it", making(loggedIn), function(s)
  return t.refused(s:request { path = "/none" }, "expired")
end)
list:once("a protocol in Lua: it comes back", making(loggedIn, {
  reconnect = { delay = 0.01 }, keepCredentials = true,
}), function(s)
  return t.datasession.spawn(function()
    local response, err = s:request { path = "/none" }:await()
    if not response and err.kind ~= "expired" then error(err, 0) end
    return assert(s:request(PAGE):await())
  end)
end)
list:once("a protocol in Lua: stop", making(loggedIn), function(s) return s:stop(5) end)
list:once("a protocol in Lua: logout", making(loggedIn), function(s) return s:logout() end)

list:add {
  name = "a protocol in Lua: without login",
  act = function()
    t.datasession.defineProtocol("torture implicit", { implicit = true })
    local session <close> = t.datasession.new { protocol = "torture implicit", serviceURI = t.uris.anonymous }
    assert(session:request(PAGE):await())
  end,
}

local function freeName()
  collectgarbage()
  for _, s in ipairs(t.datasession.sessions()) do
    if s.name == "own torture" then
      assert(s:disconnect():await(t.LIMIT) and s:invalidate():await(t.LIMIT))
    end
  end
  t.settle()
end

list:add {
  name = "a protocol in Lua: kept and restored",
  prepare = function()
    freeName()
    return { options = { name = "own torture", store = storage.memory() } }
  end,
  act = function(_, c)
    c.session = own(c.options)
    assert(c.session:login("lua", "secret"):await())
    t.datasession.run(t.LIMIT)
    local text = assert(c.options.store:get "own torture", "nothing was kept")
    c.session:disconnect()
    c.session:invalidate()
    t.datasession.run(t.LIMIT)
    c.options.store:set("own torture", text)
    c.session = own(c.options)
    assert(c.session.state == "restored")
  end,
  again = function(_, c)
    c.session = nil
    freeName()
    loggedIn { name = "own torture", store = storage.memory() }
    freeName()
  end,
}

return list
