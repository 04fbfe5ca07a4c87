-- The methods of a session, of each model.

-- With the options given, and what a handler of each event has counted.
local function fresh(model, options)
  return function(t) return { session = t.session(model, options) } end
end

local function loggedIn(model, options)
  return function(t) return { session = t.loggedIn(model, options) } end
end

local function isIn(_, c)
  assert(c.session.loginResult == 1, "it is not logged in")
end

local function isOut(_, c)
  assert(c.session.loginResult ~= 1, "it is still logged in")
end

-- It may have been logged in before memory gave out.
local function loginAgain(model)
  return function(t, c)
    if c.session.loginResult == 1 then assert(c.session:logout():await(t.LIMIT)) end
    assert(c.session:login(t.credentials(model)):await(t.LIMIT))
  end
end

-- libcurl may send a request without its cookie when memory is short, and says nothing: the server then ends
-- the login.
local function unlessExpired(verb)
  return function(t, c)
    if c.session.state == "expired" then assert(c.session:login("lua", "secret"):await(t.LIMIT)) end
    assert(c.session[verb](c.session):await(t.LIMIT))
  end
end

-- For verbs that end what they are called on: once that is settled, a new session does the same.
local function anew(model, verb)
  return function(t)
    local session = t.loggedIn(model)
    assert(session[verb](session):await(t.LIMIT))
  end
end

local scenarios = {}

local function add(scenario) scenarios[#scenarios + 1] = scenario end

for _, model in ipairs { "anonymous", "basic", "form", "bearer", "old" } do
  local shown = model
  local base = model == "old" and "form" or model
  local function options(t) return model == "old" and { serviceURI = t.uris.old } or nil end
  add {
    name = "login " .. shown,
    ways = model == "form" and nil or { "await", "spawn" },
    prepare = function(t) return { session = t.session(base, options(t)) } end,
    call = function(t, c) return c.session:login(t.credentials(base)) end,
    again = loginAgain(base),
    check = isIn,
  }
  add {
    name = "logout " .. shown,
    ways = model == "form" and nil or { "await" },
    prepare = function(t) return { session = t.loggedIn(base, options(t)) } end,
    call = function(_, c) return c.session:logout() end,
    again = function(t, c)
      if c.session.loginResult == nil then assert(c.session:login(t.credentials(base)):await(t.LIMIT)) end
      assert(c.session:logout():await(t.LIMIT))
    end,
    check = isOut,
  }
end

add {
  name = "login refused",
  ways = { "await", "spawn", "handlers" },
  prepare = fresh "form",
  call = function(t, c)
    return c.session:login("lua", "wrong"):next(function() error "it was let in" end, function(err)
      if err.kind ~= "auth" then error(err, 0) end
      return t
    end)
  end,
  check = isOut,
}

add {
  name = "login with options",
  ways = { "await" },
  prepare = fresh "basic",
  call = function(_, c) return c.session:login("lua", "secret", { iOSBasicAuthTimeout = 5000 }) end,
  again = loginAgain "basic",
  check = isIn,
}

add {
  name = "ping",
  prepare = loggedIn "form",
  call = function(_, c) return c.session:ping() end,
  again = unlessExpired "ping",
  check = isIn,
}

for _, ping in ipairs { "classic", "none" } do
  add {
    name = "ping " .. ping,
    ways = { "await" },
    prepare = function(t)
      t.server:setPing(ping)
      return { session = t.loggedIn "anonymous" }
    end,
    call = function(_, c) return c.session:ping() end,
    check = function(t) t.server:setPing "new" end,
  }
end

add {
  name = "isAuthorized",
  prepare = loggedIn "form",
  call = function(_, c) return c.session:isAuthorized() end,
  again = unlessExpired "isAuthorized",
  check = isIn,
}

add {
  name = "isAuthorized, expired",
  ways = { "await", "spawn" },
  prepare = function(t)
    local session = t.loggedIn "form"
    session:subscribe("offline", function() end)
    t.server:expireSessions()
    return { session = session }
  end,
  call = function(t, c)
    return c.session:isAuthorized():next(function() error "it is not expired" end, function(err)
      if err.kind ~= "expired" and err.kind ~= "auth" then error(err, 0) end
      return t
    end)
  end,
}

add { name = "disconnect", ways = { "await", "spawn" }, prepare = loggedIn "form",
  call = function(_, c) return c.session:disconnect() end, again = anew("form", "disconnect") }
add { name = "invalidate", prepare = loggedIn "form",
  call = function(_, c) return c.session:invalidate() end, again = anew("form", "invalidate") }

add {
  name = "invalidate with requests in flight",
  ways = { "await" },
  prepare = loggedIn "form",
  call = function(_, c)
    c.other = c.session:ping()
    return c.session:invalidate()
  end,
  again = anew("form", "invalidate"),
  check = function(_, c) assert(not c.other or c.other:state() ~= "pending", "the ping is never settled") end,
}

add {
  name = "invalidateAllSessions",
  ways = { "await", "spawn" },
  prepare = function(t) return { t.loggedIn "form", t.loggedIn "anonymous", t.loggedIn "basic" } end,
  call = function(t) return t.datasession.invalidateAllSessions { all = true } end,
}

add {
  name = "invalidateAllSessions with requests in flight",
  ways = { "await" },
  prepare = function(t) return { t.loggedIn "form", t.loggedIn "anonymous", t.loggedIn "form" } end,
  call = function(t, c)
    for i = 1, 3 do c[i]:ping() end
    return t.datasession.invalidateAllSessions { all = true }
  end,
}

-- In a state of its own each time, since the room for timers is kept.
add {
  name = "login with automatic pings",
  alone = true,
  prepare = fresh("anonymous", { pingInterval = 1e6 }),
  act = function(t, c)
    c.untimed = nil
    assert(c.session:login():await())
    c.untimed = not t.datasession.timeout()
  end,
  again = loginAgain "anonymous",
  check = function(_, c)
    isIn(_, c)
    assert(not c.untimed, "it is logged in, and no ping is due")
  end,
  quiet = function(_, c) c.session.pingInterval = 0 end,
}

add {
  name = "disconnect while requests wait",
  ways = { "await" },
  prepare = loggedIn "form",
  call = function(_, c)
    c.others = {}
    for i = 1, 4 do c.others[i] = c.session:ping() end
    return c.session:disconnect()
  end,
  again = anew("form", "disconnect"),
}

add {
  name = "onOpenRequest",
  ways = { "await" },
  prepare = function(t)
    return { session = t.loggedIn("anonymous", { onOpenRequest = function(request)
      if type(request) == "table" then return end
    end }) }
  end,
  call = function(_, c) return c.session:ping() end,
}

add {
  name = "onRequest and onResponse",
  ways = { "await" },
  prepare = function(t)
    local function change(one, other)
      local headers = (other or one).headers
      headers["X-New"], headers.date = "1", nil
    end
    return { session = t.loggedIn("anonymous", { onRequest = change, onResponse = change }) }
  end,
  call = function(_, c) return c.session:ping() end,
}

add {
  name = "onRequest and onResponse for all",
  prepare = function(t) return { session = t.loggedIn "anonymous" } end,
  act = function(t, c)
    local function see() end
    t.datasession.onRequest(see)
    t.datasession.onResponse(see)
    local ok, err = pcall(function() assert(c.session:ping():await(t.LIMIT)) end)
    t.datasession.onRequest(nil)
    t.datasession.onResponse(nil)
    if not ok then error(err, 0) end
  end,
}

add {
  name = "trace and har",
  prepare = function(t) return { session = t.loggedIn "anonymous", path = os.tmpname() } end,
  act = function(t, c)
    t.datasession.progressBar "unseen"
    local ok, err = pcall(function()
      t.datasession.trace(function() end)
      assert(t.datasession.har(c.path))
      assert(c.session:ping():await(t.LIMIT))
    end)
    t.datasession.trace(nil)
    t.datasession.har(nil)
    if not ok then error(err, 0) end
  end,
}

add {
  name = "new",
  act = function(t, c)
    c.session = t.datasession.new {
      serviceURI = t.uris.form .. "/", authenticationModel = "form", connectTimeout = 3, timeout = 4,
      stallTimeout = 2,
      maxResponseSize = 100000, maxRedirects = 2, userAgent = "torture", context = { a = 1, b = "two" },
      timeStamp = true,
      pingInterval = 0, proxy = false, insecure = false,
    }
  end,
  check = function(_, c) assert(c.session.getContext and c.session:getContextProperty "b" == "two") end,
}

add {
  name = "properties",
  prepare = loggedIn "form",
  act = function(_, c)
    local s = c.session
    local names = {
      "authenticationModel", "authProvider", "catalogs", "catalogURIs", "clientContextId", "connected",
      "JSDOs",
      "loginHttpStatus", "loginResult", "name", "onOpenRequest", "pingInterval", "protocol", "services",
      "serviceURI",
      "state", "userName",
    }
    for _, name in ipairs(names) do local _ = s[name] end
    s.onOpenRequest = function() end
    s.onOpenRequest = nil
    assert(tostring(s):find "datasession")
    assert(not pcall(function() s.unknown = 1 end))
    assert(not pcall(s.invoke, s))
  end,
}

add {
  name = "context",
  prepare = loggedIn "form",
  act = function(_, c)
    c.session:setContext { user = "lua", deep = { 1, 2, { x = true } } }
    c.session:setContextProperty("more", "text")
    c.session:setContextProperty("user", nil)
    assert(c.session:getContextProperty "more" == "text")
    assert(c.session:getContext().more == "text")
  end,
}

add {
  name = "context from the server",
  ways = { "await" },
  prepare = function(t)
    t.server:setContextProperties("form", { region = "north", n = 12345678901 })
    return { session = t.loggedIn "form" }
  end,
  call = function(_, c) return c.session:ping() end,
  again = unlessExpired "ping",
  check = function(t, c)
    t.server:setContextProperties("form", nil)
    assert(c.session:getContextProperty "region" == "north")
  end,
}

add {
  name = "without cookies",
  ways = { "await" },
  prepare = function(t)
    t.server:setCookies(false, "form")
    return { session = t.session "form" }
  end,
  call = function(_, c) return c.session:login("lua", "secret") end,
  again = loginAgain "form",
  check = function(t, c)
    t.server:setCookies(true, "form")
    assert(c.session.loginResult == 1)
  end,
}

add {
  name = "collection of sessions in use",
  act = function(t)
    for _ = 1, 3 do
      local session = t.session "anonymous"
      session:login()
    end
    collectgarbage()
    t.datasession.step()
    collectgarbage()
  end,
}

add {
  name = "close",
  prepare = loggedIn "form",
  act = function(t, c)
    local session <close> = t.session "anonymous"
    assert(session:login():await())
    local _ <close> = c.session
  end,
  again = function(t)
    local session <close> = t.session "anonymous"
    assert(session:login():await(t.LIMIT))
  end,
}

add {
  name = "pings by timer",
  untimed = true,
  prepare = loggedIn "anonymous",
  act = function(t, c)
    t.server:clearRequests()
    c.session.pingInterval = 1
    for _ = 1, 250 do
      if #t.server:requests() == 0 then t.datasession.step(0.02) end
    end
    assert(#t.server:requests() > 0, "no ping came")
  end,
  quiet = function(_, c) c.session.pingInterval = 0 end,
}

return scenarios
