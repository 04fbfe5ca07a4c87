-- Section 13: named sessions, which survive a new start of the page or script.
local say = require "say"

local function named(more)
  local options = { name = "mine" }
  for name, value in pairs(more or {}) do options[name] = value end
  return {
  "new",
  options,
}
end

return {
  { name = "a named session comes back", each = { "anonymous", "form" }, needs = "name", sections = { "13" },
    steps = {
    named(), { "login" }, { "refresh" }, named(), { "isAuthorized" }, { "logout" } } },
  { name = "a named basic session does not come back", model = "basic", needs = "name", sections = { "13" },
    steps = {
    named(), { "login" }, { "refresh" }, named(), { "isAuthorized" } } },
  { name = "a named bearer session", model = "bearer", needs = { "name", "bearer" }, sections = { "13" },
    steps = {
    named(), { "login" }, { "refresh" }, named(), { "isAuthorized" } } },
  { name = "a named session of another model", needs = "name", sections = { "13" }, steps = {
    named(), { "login" }, { "refresh" },
      named { serviceURI = "{anonymous}", authenticationModel = "anonymous" },
    { "isAuthorized" } } },
  { name = "a named session of another URI", needs = "name", sections = { "13" }, steps = {
    named(), { "login" }, { "refresh" }, named { serviceURI = "{old}" }, { "isAuthorized" } } },
  { name = "a named session that was logged out", needs = "name", sections = { "13", "6.2" }, steps = {
    named(), { "login" }, { "logout" }, { "refresh" }, named(), { "isAuthorized" } } },
  { name = "a named session that has expired meanwhile", needs = "name", sections = { "13", "6.5" }, steps = {
    named(), { "login" }, { "refresh" }, { "expireSessions" }, named(), { "isAuthorized" } } },
  { name = "the catalogs of a named session", needs = "name", sections = { "13", "22" }, steps = {
    named(), { "login" }, { "addCatalog", "{catalog}" }, { "refresh" }, named(), { "isAuthorized" },
      { "addCatalog",
      "{catalog}" } } },
  { name = "the context of a named session", needs = { "name", "context" }, sections = { "13", "11" },
    steps = { named(), { "login" }, { "setContextProperty", "company", "Lift" }, { "isAuthorized" },
      { "refresh" },
      named(), { "getContextProperty", "company" } } },
  { name = "two live sessions of one name", needs = "name", sections = { "13" }, steps = {
    named(), { "login" }, { "new", { name = "mine" }, as = "t" } } },
  { name = "a name that is empty", needs = "name", sections = { "13", "3" }, steps = {
    { "new", { name = "" } }, { "login" }, { "refresh" }, { "new", { name = "" } }, { "isAuthorized" } } },
  { name = "the pinging of a named session", needs = "name", sections = { "13", "10.5" }, steps = {
    named(), { "login" }, { "set", "pingInterval", 40 }, { "refresh" }, named(),
      { "wait", 1, tally = true } } },
  { name = "a named sso session", needs = { "name", "sso" }, sections = { "13", "16.5" }, steps = {
    { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
    { "login", "lua", "secret", on = "p" },
    { "new", { name = "mine", serviceURI = "{sso}", authenticationModel = "sso",
      authProvider = say.object "p" } },
      { "isAuthorized" },
    { "refresh" }, { "new", { name = "mine", serviceURI = "{sso}", authenticationModel = "sso" } },
      { "isAuthorized" } } },
}
