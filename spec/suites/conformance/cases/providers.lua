-- Sections 15 and 16: providers, single sign-on, bearer tokens, iOSBasicAuthTimeout.
local say = require "say"

local ALL = { "anonymous", "basic", "form" }
local SSO = { { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } }, { "login", "lua", "secret",
  on = "p" },
  { "new", { serviceURI = "{sso}", authenticationModel = "sso", authProvider = say.object "p" } } }

local function signedOn(...)
  local steps = table.move(SSO, 1, #SSO, 1, {})
  return table.move({ ... }, 1, select("#", ...), #steps + 1, steps)
end

local cases = {
  { name = "a provider", each = ALL, needs = "provider", sections = { "16.2", "16.3", "16.4" },
    steps = { { "provider", { uri = "{service}", authenticationModel = "{model}" } },
      { "hasClientCredentials", on = "p" }, { "login", on = "p" }, { "hasClientCredentials", on = "p" },
      { "hasRefreshToken", on = "p" }, { "logout", on = "p" }, { "hasClientCredentials", on = "p" } } },
  { name = "a provider with a wrong password", each = { "basic", "form" }, needs = "provider", sections = { "16.3" },
    steps = { { "provider", { uri = "{service}", authenticationModel = "{model}" } },
      { "login", "lua", "wrong", on = "p" }, { "hasClientCredentials", on = "p" }, { "login", on = "p" } } },
  { name = "a provider that is logged in already", needs = "provider", sections = { "16.3" },
    steps = { { "provider", { uri = "{form}", authenticationModel = "form" } }, { "login", on = "p" },
      { "login", on = "p" } } },
  { name = "a provider with an empty password", needs = "provider", sections = { "16.3" },
    steps = { { "provider", { uri = "{form}", authenticationModel = "form" } }, { "login", "lua", "", on = "p" } } },
  { name = "two providers of one URI", needs = "provider", sections = { "16.5" },
    steps = { { "provider", { uri = "{form}", authenticationModel = "form" } }, { "login", on = "p" },
      { "provider", { uri = "{form}", authenticationModel = "form" }, as = "q" },
      { "hasClientCredentials", on = "q" } } },
  { name = "a provider's logout that the server fails at", needs = "provider", sections = { "16.4" },
    steps = { { "provider", { uri = "{form}", authenticationModel = "form" } }, { "login", on = "p" },
      { "fault", { kind = "status", status = 500 } }, { "logout", on = "p" },
      { "hasClientCredentials", on = "p" } } },
  { name = "one provider for two sessions", needs = "provider", sections = { "16", "17.2" },
    steps = { { "provider", { uri = "{form}", authenticationModel = "form" } }, { "login", on = "p" },
      { "new", { authProvider = say.object "p" } }, { "new", { authProvider = say.object "p" }, as = "t" },
      { "isAuthorized" }, { "isAuthorized", on = "t" } } },
  { name = "a provider's slash", needs = "provider", sections = { "16.1" },
    steps = { { "provider", { uri = "{form}/", authenticationModel = "FORM" } }, { "get", "uri", on = "p" },
      { "get", "authenticationModel", on = "p" }, { "login", on = "p" } } },

  { name = "single sign-on", needs = "sso", sections = { "16.6", "17.3", "17.5" },
    steps = signedOn(
      { "hasRefreshToken", on = "p" }, { "isAuthorized" }, { "ping" },
      { "addCatalog", "{sso}/static/CustomerService.json" }, { "read" }, { "logout", on = "p" }) },
  { name = "single sign-on with a wrong password", needs = "sso", sections = { "16.6" },
    steps = { { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "wrong", on = "p" } } },
  { name = "a token answer without access_token", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", { access_token = false } },
      { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" } } },
  { name = "a token answer without refresh_token", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", { refresh_token = false } },
      { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" }, { "hasRefreshToken", on = "p" } } },
  { name = "a token answer with an empty refresh_token", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", { refresh_token = "" } },
      { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" }, { "hasRefreshToken", on = "p" }, { "refresh", on = "p" } } },
  { name = "a token answer that is no JSON", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", "no JSON" },
      { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" } } },
  { name = "refresh", needs = "sso", sections = { "16.6", "17.3" },
    steps = signedOn({ "refresh", on = "p" }, { "isAuthorized" }) },
  { name = "refresh before login", needs = "sso", sections = { "16.6" },
    steps = { { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } }, { "refresh", on = "p" } } },
  { name = "a refresh that is refused", needs = "sso", sections = { "16.6" },
    steps = signedOn(
      { "revokeTokens" }, { "refresh", on = "p" }, { "hasClientCredentials", on = "p" }, { "isAuthorized" }) },
  { name = "a refresh that fails for a passing reason", needs = "sso", sections = { "16.6" },
    steps = signedOn(
      { "fault", { kind = "status", status = 503, path = "/token$" } }, { "refresh", on = "p" },
      { "hasClientCredentials", on = "p" }, { "isAuthorized" }) },
  { name = "a token that is due for a refresh", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", { expires_in = 0 } }, SSO[1], SSO[2], SSO[3], { "setTokenAnswer", say.none },
      { "wait", 0.05 }, { "isAuthorized", within = 1 } } },
  { name = "a token that lives for less than no time", needs = "sso", sections = { "16.6" },
    steps = { { "setTokenAnswer", { expires_in = -5 } }, SSO[1], SSO[2], SSO[3], { "setTokenAnswer", say.none },
      { "wait", 0.05 }, { "isAuthorized", within = 1 } } },
  { name = "a session whose provider has just logged in", needs = "provider", each = { "basic", "form" },
    sections = { "16.1", "4" },
    steps = { { "provider", { uri = "{service}", authenticationModel = "{model}" } },
      { "login", "lua", "secret", on = "p" }, { "new", { authProvider = say.object "p" } }, { "logout", on = "p" },
      { "isAuthorized" }, { "ping" } } },
  { name = "automaticTokenRefresh is off", needs = "sso", sections = { "16.2", "16.6" },
    steps = { { "setTokenAnswer", { expires_in = 0 } }, SSO[1], SSO[2],
      { "set", "automaticTokenRefresh", false, on = "p" }, SSO[3], { "isAuthorized" } } },
  { name = "automaticTokenRefresh that is no boolean", needs = "sso", sections = { "16.2" },
    steps = { SSO[1], { "set", "automaticTokenRefresh", 1, on = "p" } } },
  { name = "a token that has expired", needs = "sso", sections = { "16.6", "6.5" },
    steps = signedOn({ "expireTokens" }, { "isAuthorized" }) },
  { name = "a token that has expired, seen by a catalog", needs = "sso", sections = { "16.6", "6.7" },
    steps = signedOn({ "expireTokens" }, { "addCatalog", "{sso}/static/CustomerService.json" }) },
  { name = "an sso session whose provider has logged out", needs = "sso", sections = { "16.4", "6.6" },
    steps = signedOn(
      { "ping" }, { "logout", on = "p" }, { "isAuthorized" }, { "ping" },
      { "addCatalog", "{sso}/static/CustomerService.json" }) },
  { name = "a token server on another host", needs = "sso", server = { tokenSecret = "conformance" },
    other = { tokenSecret = "conformance" }, sections = { "16.6" },
    steps = { { "provider", { uri = "{other.form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" }, SSO[3], { "isAuthorized" }, { "refresh", on = "p" },
      { "isAuthorized" } } },

  { name = "a bearer token", needs = "bearer", model = "bearer", sections = { "16.6", "17.3" }, from = "login",
    steps = { { "isAuthorized" }, { "ping" }, { "addCatalog", "{catalog}" }, { "read" }, { "logout" } } },
  { name = "a wrong bearer token", needs = "bearer", model = "bearer", sections = { "16.3", "6.1" }, from = "new",
    steps = { { "login", "wrong" }, { "login" } } },
  { name = "no bearer token", needs = "bearer", model = "bearer", sections = { "6.1" }, from = "new",
    steps = { { "login", say.none } } },
  { name = "a bearer provider", needs = { "bearer", "provider" }, model = "bearer", sections = { "16.2" },
    steps = { { "provider", { uri = "{service}", authenticationModel = "bearer" } }, { "login", "letmein", on = "p" },
      { "new", { authProvider = say.object "p" } }, { "isAuthorized" } } },

  { name = "iOSBasicAuthTimeout at login", needs = "loginOptions", model = "basic", sections = { "15", "6.1" },
    from = "new", steps = { { "login", "lua", "secret", { iOSBasicAuthTimeout = 5000 } } } },
  { name = "iOSBasicAuthTimeout that is no number", needs = "credentials", model = "basic",
    sections = { "15", "6.7" }, from = "login",
    steps = { { "addCatalog", "{catalog}", { iOSBasicAuthTimeout = "soon" } } } },
  { name = "iOSBasicAuthTimeout for a slow catalog", needs = "credentials", model = "basic",
    sections = { "15", "6.7" }, from = "login",
    steps = { { "fault", { kind = "slow", delay = 0.3, path = "/CustomerService.json$" } },
      { "addCatalog", "{catalog}", { iOSBasicAuthTimeout = 100 } } } },
}

local bad = {
  { "no options", say.none },
  { "no URI", { authenticationModel = "form" } },
  { "an empty URI", { uri = "", authenticationModel = "form" } },
  { "no model", { uri = "{form}" } },
  { "an empty model", { uri = "{form}", authenticationModel = "" } },
  { "the model of a session", { uri = "{form}", authenticationModel = "sso" } },
  { "an unknown model", { uri = "{form}", authenticationModel = "digest" } },
}
for _, given in ipairs(bad) do
  cases[#cases + 1] = { name = "a provider with " .. given[1], needs = "provider", sections = { "16.1" },
    steps = { { "provider", given[2] } } }
end

return cases
