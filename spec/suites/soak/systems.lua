--- The systems that the soak talks to: one entry each.
-- An entry has
--   name      for messages
--   model     its application in the sandbox
--   options   function(server, rnd): what datasession.new takes; nil: not now
--   login     function(session, rnd): a promise
--   safe, unsafe  what session:request takes
--   invoke    function(session, rnd): a promise, where there is something to invoke
--   catalog   whether it has one
--   reconnects  whether it takes the options `reconnect` and `keepCredentials`
local datasession = require "datasession"

local COUNT = "/rest/CustomerService/Customer/count?filter="
local SAFE = {
  { path = "/rest/CustomerService/Customer" },
  { path = "/static/home.html" },
  { path = "/rest/CustomerService/Customer", method = "HEAD" },
  { path = "/nowhere" },
}
local UNSAFE = {
  { path = COUNT, method = "PUT", json = {} },
  { path = COUNT, method = "PUT", json = {}, idempotent = true },
  { path = "/nowhere", method = "POST", body = ("x"):rep(5000) },
}

local function password(rnd)
  return rnd:chance(0.9) and "secret" or "wrong"
end

local function withPassword(session, rnd)
  return session:login("lua", password(rnd))
end

local function jsdo(model, login, uriOf)
  return {
    name = "jsdo " .. (uriOf or model),
    model = uriOf or model,
    options = function(server) return { serviceURI = server.uris[uriOf or model],
      authenticationModel = model } end,
    login = login,
    safe = SAFE,
    unsafe = UNSAFE,
    catalog = true,
    reconnects = true,
  }
end

-- The provider of all sso sessions; another when its login is over.
local provider

local function singleSignOn(server)
  if provider and provider.uri == server.uris.form_sso and provider:hasClientCredentials() then
    return { serviceURI = server.uris.sso, authenticationModel = "sso", authProvider = provider }
  end
  provider = datasession.AuthenticationProvider {
    uri = server.uris.form_sso, authenticationModel = "form_sso", timeout = 1,
  }
  provider:login("lua", "secret"):fail(function() end)
  return nil
end

-- A protocol in Lua, every function of which suspends.
local FORM = "application/x-www-form-urlencoded"
datasession.defineProtocol("soak", {
  options = { "patience" },
  login = function(link, user, secret)
    local ok, err = link:request {
      path = "/static/auth/j_spring_security_check", method = "POST", headers = { ["Content-Type"] = FORM },
      body = ("j_username=%s&j_password=%s"):format(user, secret),
    }:await()
    if not ok then return nil, err end
    link.expiresAt = os.time() + link.options.patience
    return link:request { path = "/static/home.html" }:await()
  end,
  logout = function(link) return link:request { path = "/static/auth/j_spring_security_logout" }:await(0.2)
    end,
  stop = function(link)
    link:request { path = "/static/home.html" }:await()
    if link.stubborn then return nil, { kind = "refused", message = "not now" } end
    return link:request { path = "/static/auth/j_spring_security_logout" }:await()
  end,
  ping = function(link) return link:request { path = "/rest/_oepingService/_oeping" }:await() end,
  check = function(link)
    local session <close> = datasession.new { serviceURI = link.session.serviceURI, timeout = 0.5 }
    session:login():await(0.1)
    return link:request { path = "/static/home.html" }:await()
  end,
  invoke = function(link, what)
    link.stubborn = what == 1
    if what == 2 then error "soak: on purpose" end
    if what == 3 then link.session:invalidate() end
    return link:request { path = "/rest/CustomerService/Customer" }:await()
  end,
  judge = function(link, response)
    if response.status == 401 then return "expired", "the pages want a login" end
    if response.status == 404 then error "soak: on purpose" end
    link.expiresAt = os.time() + link.options.patience
  end,
  sign = function(link) return { ["X-Patience"] = tostring(link.options.patience) } end,
})

local own = {
  name = "a protocol in Lua",
  model = "form",
  options = function(server, rnd)
    return { protocol = "soak", serviceURI = server.uris.form, patience = rnd:of { 1, 60, 3600 } }
  end,
  login = withPassword,
  invoke = function(session, rnd) return session:invoke(rnd:upTo(6)) end,
  safe = SAFE,
  unsafe = UNSAFE,
  reconnects = true,
}

local proiv = {
  name = "proiv",
  model = "proiv",
  options = function(server, rnd)
    return {
      protocol = "proiv", serviceURI = server.origin, endTimeout = 0.1 + rnd:number(0.4), pollInterval = 0.02,
      connectionData = { service = rnd:of { "Default", "Orders", "Disabled" } },
    }
  end,
  login = function(session) return session:login() end,
  safe = { { path = "/connect" }, { path = "/nowhere" } },
  unsafe = { { path = "/connect", method = "POST", body = "ACTION=POLL" } },
}

local datasnap = {
  name = "datasnap",
  model = "datasnap",
  options = function(server) return { protocol = "datasnap", serviceURI = server.uris.datasnap } end,
  login = withPassword,
  invoke = function(session, rnd)
    local verb = rnd:of { "GET", "PUT", "POST", "DELETE" }
    return session:invoke("TEcho", rnd:of { "Echo", "Count", "Fail", "Out", "None" }, { rnd:upTo(9) },
      { verb = verb })
  end,
  safe = { { path = "/datasnap/rest/DSAdmin/GetPlatformName/" }, { path = "/datasnap/nowhere" } },
  unsafe = { { path = "/datasnap/rest/TEcho/Echo/", method = "POST", body = "[1]" } },
  reconnects = true,
}

local btt = {
  name = "btt",
  model = "btt",
  options = function(server, rnd)
    return {
      protocol = "btt", serviceURI = server.uris.btt, format = rnd:of { "form", "json", "xml" },
      sessionCarrier = rnd:of { "cookie", "parameter", "both" }, closeOperation = "LogOff",
    }
  end,
  login = function(session) return session:login() end,
  invoke = function(session, rnd)
    return session:invoke(rnd:of { "RateLookup", "Echo", "Transfer", "Fail", "Replace", "None" },
      { ccy = "SEK" })
  end,
  safe = { { path = "/nowhere" } },
  unsafe = { { path = "/CSReqServlet", method = "POST", body = "dse_operationName=Echo" } },
  reconnects = true,
}

local function anonymously(session) return session:login() end

local function bearer(session, rnd)
  return session:login(rnd:chance(0.9) and "letmein" or "letmeout")
end

local sso = jsdo("sso", function(session) return session:isAuthorized() end)
sso.options = singleSignOn

return {
  jsdo("anonymous", anonymously),
  jsdo("basic", withPassword),
  jsdo("form", withPassword),
  jsdo("form", withPassword, "old"),
  jsdo("bearer", bearer),
  sso,
  own,
  proiv,
  datasnap,
  btt,
}
