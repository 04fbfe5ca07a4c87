-- AuthenticationProvider, sessions of model sso, tokens and their refresh; getSession.

local function sso(t)
  local provider = t.provider "form_sso"
  local session = t.datasession.new {
    serviceURI = t.uris.sso, authenticationModel = "sso", authProvider = provider, timeout = t.TIMEOUT,
  }
  return { session = session, provider = provider }
end

local scenarios = {}
local function add(scenario) scenarios[#scenarios + 1] = scenario end

for _, model in ipairs { "anonymous", "form", "form_sso", "bearer" } do
  add {
    name = "provider login " .. model,
    ways = model == "form_sso" and nil or { "await" },
    prepare = function(t)
      return { provider = t.datasession.AuthenticationProvider { uri = t.uris[model],
        authenticationModel = model } }
    end,
    call = function(t, c) return c.provider:login(t.credentials(model)) end,
    again = function(t, c)
      if not c.provider:hasClientCredentials() then
        assert(c.provider:login(t.credentials(model)):await(t.LIMIT))
      end
    end,
  }
end

add {
  name = "provider login without a token",
  ways = { "await", "spawn" },
  prepare = function(t)
    t.server:setTokenAnswer { access_token = false }
    local uri = t.uris.form_sso
    return { provider = t.datasession.AuthenticationProvider { uri = uri, authenticationModel = "form_sso" } }
  end,
  call = function(t, c) return t.refused(c.provider:login("lua", "secret"), "protocol") end,
  check = function(t, c)
    t.server:setTokenAnswer()
    assert(not c.provider:hasClientCredentials())
  end,
}
add {
  name = "provider login refused",
  ways = { "await" },
  prepare = function(t)
    return { provider = t.datasession.AuthenticationProvider { uri = t.uris.form,
      authenticationModel = "form" } }
  end,
  call = function(t, c) return t.refused(c.provider:login("lua", "wrong"), "auth") end,
}
add {
  name = "provider logout with sessions",
  ways = { "await" },
  prepare = function(t)
    local c = sso(t)
    c.session:subscribe("offline", function() end)
    assert(c.session:isAuthorized():await(t.LIMIT))
    return c
  end,
  call = function(_, c) return c.provider:logout() end,
  again = function(t) assert(t.provider("form_sso"):logout():await(t.LIMIT)) end,
}
add {
  name = "provider logout",
  ways = { "await", "spawn" },
  prepare = function(t) return { provider = t.provider "form_sso" } end,
  call = function(_, c) return c.provider:logout() end,
  again = function(t) assert(t.provider("form_sso"):logout():await(t.LIMIT)) end,
}
add {
  name = "provider refresh",
  ways = { "await", "spawn" },
  prepare = function(t) return { provider = t.provider "form_sso" } end,
  call = function(_, c) return c.provider:refresh() end,
  -- what was spent on the failed one may be lost: a new login is then in order
  again = function(t, c)
    if not c.provider:refresh():await(t.LIMIT) then
      assert(t.provider("form_sso"):refresh():await(t.LIMIT))
    end
  end,
  check = function(_, c) assert(c.provider:hasRefreshToken() ~= nil and tostring(c.provider)) end,
}
add {
  name = "session of a provider",
  ways = { "await", "spawn" },
  prepare = function(t) return { provider = t.provider "form_sso" } end,
  call = function(t, c)
    c.session = t.datasession.new {
      serviceURI = t.uris.sso, authenticationModel = "sso", authProvider = c.provider, timeout = t.TIMEOUT,
    }
    return c.session:isAuthorized()
  end,
}
add {
  name = "request with an expired token",
  ways = { "await", "spawn", "handlers" },
  prepare = function(t)
    local c = sso(t)
    t.server:expireTokens()
    return c
  end,
  call = function(_, c) return c.session:isAuthorized() end,
  again = function(t, c)
    if not c.session:isAuthorized():await(t.LIMIT) then
      assert(sso(t).session:isAuthorized():await(t.LIMIT))
    end
  end,
}
add {
  name = "requests that wait for one refresh",
  ways = { "await" },
  prepare = function(t)
    local c = sso(t)
    t.server:expireTokens()
    return c
  end,
  call = function(t, c)
    return t.datasession.spawn(function()
      c.all = { c.session:isAuthorized(), c.session:isAuthorized(), c.session:ping() }
      for _, promise in ipairs(c.all) do assert(promise:await()) end
      return true
    end)
  end,
  again = function(t) assert(sso(t).session:isAuthorized():await(t.LIMIT)) end,
  check = function(_, c)
    for _, promise in ipairs(c.all or {}) do assert(promise:state() ~= "pending", "one waits for ever") end
  end,
}
add {
  name = "expired token and no refresh",
  ways = { "await" },
  prepare = function(t)
    local c = sso(t)
    c.session:subscribe("offline", function() end)
    t.server:revokeTokens()
    return c
  end,
  call = function(_, c)
    return c.session:isAuthorized():next(function() error "it is not expired" end, function(err)
      if err.kind ~= "expired" and err.kind ~= "auth" then error(err, 0) end
      return c
    end)
  end,
}

-- A bearer session that asks for its tokens, and counts how often it does.
local function asking(t, give)
  local c = { asked = 0 }
  c.session = t.datasession.new {
    serviceURI = t.uris.bearer, authenticationModel = "bearer", timeout = t.TIMEOUT,
    tokenProvider = function(...)
      c.asked = c.asked + 1
      return (give or function() return "letmein", 1000 end)(...)
    end,
  }
  return c
end

local function loggedIn(t, give)
  local c = asking(t, give)
  t.server:clearFaults() -- of a run that failed
  assert(c.session:login("letmein"):await(t.LIMIT))
  return c
end

local function settled(_, c)
  for _, promise in ipairs(c.all or {}) do assert(promise:state() ~= "pending", "one waits for ever") end
end

local function logIn(t, c)
  if c.session.state == "logged out" then assert(c.session:login():await(t.LIMIT)) end
  assert(c.session:ping():await(t.LIMIT))
end

add {
  name = "login with tokenProvider",
  ways = { "await", "spawn" },
  prepare = function(t) return asking(t) end,
  call = function(_, c) return c.session:login() end,
  again = logIn,
}
add {
  name = "login with a promise of tokenProvider",
  ways = { "await" },
  prepare = function(t)
    return asking(t, function()
      return t.datasession.spawn(function()
        t.datasession.sleep(0)
        return "letmein", 1000
      end)
    end)
  end,
  call = function(_, c) return c.session:login() end,
  again = logIn,
}
add {
  name = "login when tokenProvider fails",
  ways = { "await" },
  prepare = function(t)
    return asking(t, function() error { message = "no more", hint = "buy some", retryable = true } end)
  end,
  call = function(t, c) return t.refused(c.session:login(), "auth") end,
  again = function(t) assert(loggedIn(t).session:ping():await(t.LIMIT)) end,
}
add {
  name = "requests that wait for tokenProvider",
  ways = { "await" },
  prepare = function(t)
    local c = loggedIn(t)
    -- By path: the repeat of one request may come before the others, and must not meet their refusals.
    for _, path in ipairs { "home%.html$", "_oeping$" } do
      t.server:fault { kind = "status", status = 401, path = path, model = "bearer" }
    end
    return c
  end,
  call = function(t, c)
    return t.datasession.spawn(function()
      c.all = { c.session:isAuthorized(), c.session:ping(), c.session:isAuthorized() }
      for _, promise in ipairs(c.all) do assert(promise:await()) end
      return true
    end)
  end,
  again = function(t)
    t.server:clearFaults()
    assert(loggedIn(t).session:isAuthorized():await(t.LIMIT))
  end,
  check = function(t, c)
    t.server:clearFaults()
    settled(t, c)
  end,
}
add {
  name = "logout while tokenProvider is asked",
  ways = { "await" },
  prepare = function(t)
    local c = loggedIn(t, function() return t.datasession.newPromise(function() end) end)
    t.server:fault { kind = "status", status = 401, count = 1, model = "bearer" }
    c.all = { c.session:ping() }
    local limit = os.time() + t.LIMIT
    while c.asked == 0 and os.time() < limit do t.datasession.step(0.01) end
    return c
  end,
  call = function(_, c) return c.session:logout() end,
  again = function(t) assert(loggedIn(t).session:logout():await(t.LIMIT)) end,
  check = function(t, c)
    t.server:clearFaults()
    for _, promise in ipairs(c.all) do promise:await(t.LIMIT) end
    settled(t, c)
  end,
}
add {
  name = "setToken",
  ways = { "await" },
  prepare = function(t) return loggedIn(t) end,
  call = function(_, c)
    c.session:setToken("letmein", 1000)
    return c.session:ping()
  end,
}

for _, model in ipairs { "form", "sso", "anonymous" } do
  local function get(t)
    return t.datasession.getSession {
      serviceURI = t.uris[model], authenticationModel = model, catalogURI = t.catalogURIs[model],
      timeout = t.TIMEOUT,
      username = model ~= "anonymous" and "lua" or nil, password = model ~= "anonymous" and "secret" or nil,
      authenticationURI = model == "sso" and t.uris.form_sso or nil,
      authProviderAuthenticationModel = model == "sso" and "form_sso" or nil,
    }
  end
  add {
    name = "getSession " .. model,
    ways = model == "form" and { "await", "spawn" } or { "await" },
    call = get,
    again = function(t, c)
      c.session = assert(get(t):await(t.LIMIT))
      assert(c.session:invalidate():await(t.LIMIT))
    end,
  }
end
add {
  name = "getSession refused",
  ways = { "await" },
  call = function(t)
    return t.refused(t.datasession.getSession {
      serviceURI = t.uris.form, authenticationModel = "form", catalogURI = t.catalogURIs.form,
      timeout = t.TIMEOUT,
      username = "lua", password = "wrong",
    }, "auth")
  end,
}
add {
  name = "getSession without its catalog",
  ways = { "await" },
  call = function(t)
    return t.refused(t.datasession.getSession {
      serviceURI = t.uris.anonymous, catalogURI = "static/None.json", timeout = t.TIMEOUT,
    }, "catalog", "http")
  end,
}
add {
  name = "getSession, asking",
  ways = { "await" },
  call = function(t)
    return t.datasession.getSession {
      serviceURI = t.uris.form, authenticationModel = "form", catalogURI = { t.catalogURIs.form },
      timeout = t.TIMEOUT,
      loginCallback = function()
        return t.datasession.newPromise(function(resolve)
          resolve { username = "lua", password = "secret" }
        end)
      end,
    }
  end,
  again = function(t) assert(t.loggedIn("form"):logout():await(t.LIMIT)) end,
}

return scenarios
