-- Sections 6.7, 21 and 22: catalogs.
local say = require "say"

local ALL = { "anonymous", "basic", "form" }

local CATALOG = "/CustomerService.json$"

-- A catalog of our own in place of the server's.
local function served(text, path)
  return { "fault", { kind = "status", status = 200, contentType = "application/json", body = text,
    path = path or CATALOG } }
end

local function service(name, resources, address)
  return ('{"name":"%s","address":"%s","settings":{"useRequest":true},"resources":[%s]}'):format(name,
    address or "/rest/" .. name, resources)
end

local function resource(name, more)
  return ('{"name":"%s","path":"/%s"%s}'):format(name, name, more or "")
end

local function catalog(...)
  return ('{"version":"1.4","lastModified":"Fri Mar 01 09:00:00 UTC 2024","services":[%s]}'):format(
    table.concat({
    ... }, ","))
end

local PETS = catalog(service("PetService", resource "Pet"))

local cases = {
  { name = "a catalog", each = ALL, sections = { "6.7", "17.3" }, from = "login",
    steps = { { "addCatalog", "{catalog}" } } },
  { name = "a catalog twice", each = { "anonymous", "form" }, sections = { "6.7", "22" }, from = "catalog",
    steps = { { "addCatalog", "{catalog}" } } },
  { name = "an array of one catalog", sections = { "6.7" }, from = "login",
    steps = { { "addCatalog", { "{catalog}" } } } },
  { name = "an array of catalogs", sections = { "6.7" }, from = "login",
    steps = { served(PETS, "/Pets.json$"),
      { "addCatalog", { "{catalog}", "{service}/static/Pets.json" } } } },
  { name = "an array with a catalog twice", sections = { "6.7" }, from = "login",
    steps = { { "addCatalog", { "{catalog}", "{catalog}" } } } },
  { name = "an array with a catalog that is loaded", sections = { "6.7" }, from = "catalog",
    steps = { served(PETS, "/Pets.json$"),
      { "addCatalog", { "{catalog}", "{service}/static/Pets.json" } } } },
  { name = "an array whose first is missing", sections = { "6.7" }, from = "login",
    steps = { { "addCatalog", { "{service}/static/None.json", "{catalog}" } } } },
  { name = "an array whose last is missing", sections = { "6.7" }, from = "login",
    steps = { { "fault", { kind = "slow", delay = 0.1, path = "/None.json$" } },
      { "addCatalog", { "{catalog}", "{service}/static/None.json" } } } },
  { name = "an array with 401 first and success last", sections = { "6.7" }, from = "login",
    steps = { { "fault", { kind = "status", status = 401, path = "/Pets.json$" } },
      { "fault", { kind = "slow", delay = 0.1, path = CATALOG } },
      { "addCatalog", { "{service}/static/Pets.json", "{catalog}" } } } },
  { name = "an array with success first and 401 last", sections = { "6.7" }, from = "login",
    steps = { { "fault", { kind = "status", status = 401, path = "/Pets.json$", delay = 0.1 } },
      { "addCatalog", { "{catalog}", "{service}/static/Pets.json" } } } },
  { name = "an empty array", sections = { "6.7" }, from = "login", steps = { { "addCatalog", say.empty } } },
  { name = "an array with an empty string", sections = { "6.7", "5.2" }, from = "login",
    steps = { { "addCatalog", { "" } } } },
  { name = "an array with a number", sections = { "6.7", "5.2" }, from = "login",
    steps = { { "addCatalog", { 7 } } } },
  { name = "addCatalog without an argument", sections = { "6.7", "5.2" }, from = "login",
    steps = { { "addCatalog", say.none } } },
  { name = "addCatalog with a number", sections = { "6.7", "5.2" }, from = "login",
    steps = { { "addCatalog", 7 } } },
  { name = "addCatalog with an empty string", sections = { "6.7", "5.2" }, from = "login",
    steps = { { "addCatalog", "" } } },
  { name = "a catalog before login", each = { "anonymous", "form" }, sections = { "6.7" }, from = "new",
    steps = { { "addCatalog", "{catalog}" } } },
  { name = "a catalog after logout", sections = { "6.7", "6.2" }, from = "login",
    steps = { { "logout" }, { "addCatalog", "{catalog}" } } },
  { name = "a URI relative to serviceURI", sections = { "6.7", "17.1" }, from = "login",
    steps = { { "addCatalog", "static/CustomerService.json" } } },
  { name = "a URI relative to the host", sections = { "6.7", "17.1" }, from = "login",
    steps = { { "addCatalog", "/SportsForm/static/CustomerService.json" } } },
  { name = "a file", sections = { "6.7" }, from = "login", steps = { { "addCatalog", "file://{file}" } } },
  { name = "a file that is not there", sections = { "6.7" }, from = "login",
    steps = { { "addCatalog", "file:///no/such/catalog.json" } } },
  { name = "a catalog after the session has expired", sections = { "6.7" }, from = "login",
    steps = { { "expireSessions" }, { "addCatalog", "{catalog}" } } },
  { name = "a catalog that 401 answers while the session is good", sections = { "6.7" }, from = "login",
    steps = { { "fault", { kind = "status", status = 401, path = CATALOG } }, { "addCatalog", "{catalog}" },
      { "isAuthorized" } } },
  { name = "a catalog for which the token has expired", needs = "sso", sections = { "6.7" }, from = "login",
    steps = { { "fault",
        { kind = "status", status = 401, path = CATALOG, contentType = "application/json",
          body = '{"error":"sso.token.expired_token"}' } }, { "addCatalog", "{catalog}" } } },
  { name = "a catalog that is missing, then a good check", sections = { "6.7", "4" }, from = "login",
    steps = { { "addCatalog", "{service}/static/None.json" }, { "isAuthorized" } } },
  { name = "a catalog that is gone, then a good check", sections = { "6.7", "4" }, from = "login",
    steps = { { "fault", { kind = "status", status = 410, path = CATALOG } }, { "addCatalog", "{catalog}" },
      { "isAuthorized" } } },
  { name = "a catalog of another server", other = {}, sections = { "6.7" }, from = "login",
    steps = { { "addCatalog", "{other.anonymous}/static/CustomerService.json" } } },
  { name = "a catalog of another application of the server", sections = { "6.7", "17.3" }, from = "login",
    steps = { { "addCatalog", "{anonymous}/static/CustomerService.json" } } },
  { name = "a catalog of a server that is away", each = { "anonymous", "form" }, sections = { "6.7", "9" },
    from = "login",
    steps = { { "stop" }, { "addCatalog", "{catalog}" }, { "ping" }, { "start" }, { "ping" },
      { "addCatalog", "{catalog}" } } },
  { name = "a catalog of another server that is missing", other = {}, sections = { "6.7", "4" },
    from = "login",
    steps = { { "addCatalog", "{other.anonymous}/static/None.json" } } },
  { name = "a catalog of another server that is protected", other = {}, sections = { "6.7", "17.2" },
    model = "basic",
    from = "login",
    steps = { { "fault", { kind = "status", status = 401, path = CATALOG }, server = "other" },
      { "addCatalog", "{other.anonymous}/static/CustomerService.json" } } },
  { name = "a catalog during logout", sections = { "6.7", "6.2" }, from = "login",
    steps = { { "fault", { kind = "slow", delay = 0.9, path = CATALOG } },
      { "addCatalog", "{catalog}", later = "catalog" }, { "arrived", 1 }, { "logout" },
      { "await", "catalog" } } },
  { name = "user name and password of a catalog's own", each = { "basic", "form" }, needs = "credentials",
    sections = { "6.7" }, from = "login", steps = { { "addCatalog", "{catalog}", "lua", "wrong" } } },
  { name = "user name and password of a catalog before login", each = { "basic", "anonymous" },
    needs = "credentials",
    sections = { "6.7" }, from = "new",
    steps = { { "addCatalog", "{catalog}", "lua", "secret" }, { "isAuthorized" } } },
  { name = "a number for a catalog's user name", needs = "credentials", sections = { "6.7", "5.2" },
    from = "login",
    steps = { { "addCatalog", "{catalog}", 7, "secret" } } },
  { name = "a catalog with a provider of its own", needs = { "provider", "credentials" },
    sections = { "6.7", "16" },
    from = "login",
    steps = { { "provider", { uri = "{basic}", authenticationModel = "basic" } },
      { "login", "lua", "secret", on = "p" },
      { "addCatalog", "{basic}/static/CustomerService.json", { authProvider = say.object "p" } } } },
  { name = "empty options for a catalog", needs = "credentials", sections = { "6.7", "4" }, from = "login",
    steps = { { "addCatalog", "{service}/static/None.json", { iOSBasicAuthTimeout = 0 } } } },
  { name = "a user name for a catalog of an sso session", needs = { "sso", "credentials" },
    sections = { "6.7" },
    steps = { { "provider", { uri = "{form_sso}", authenticationModel = "form_sso" } },
      { "login", "lua", "secret", on = "p" },
      { "new", { serviceURI = "{sso}", authenticationModel = "sso", authProvider = say.object "p" } },
      { "addCatalog", "{sso}/static/CustomerService.json", "lua", "secret" } } },

  -- the table of what is loaded
  { name = "two sessions load one catalog", each = { "anonymous", "form" }, sections = { "22", "6.7" },
    from = "catalog",
    steps = { { "new", as = "t" }, { "login", on = "t" }, { "addCatalog", "{catalog}", on = "t" } } },
  { name = "two applications with a service of one name", sections = { "22", "21.4" }, from = "catalog",
    steps = { { "new", { serviceURI = "{anonymous}", authenticationModel = "anonymous" }, as = "t" },
      { "login", say.none, on = "t" }, { "addCatalog", "{anonymous}/static/CustomerService.json",
        on = "t" } } },
  { name = "two catalogs with a service of one name", sections = { "22", "21.4" }, from = "catalog",
    steps = { served(catalog(service("CustomerService", resource "Pet")), "/Pets.json$"),
      { "addCatalog", "{service}/static/Pets.json" } } },
  { name = "two catalogs with a resource of one name", sections = { "22", "21.4" }, from = "catalog",
    steps = { served(catalog(service("PetService", resource "Customer")), "/Pets.json$"),
      { "addCatalog", "{service}/static/Pets.json" } } },
  { name = "a catalog that is good in parts", sections = { "21.4" }, from = "login",
    steps = { served(catalog(service("PetService", resource "Pet"), '{"name":"Bad"}')),
      { "addCatalog", "{catalog}" },
      served(PETS), { "addCatalog", "{catalog}" } } },

  -- what services are called by
  { name = "an absolute address", sections = { "4", "21.1" }, from = "login",
    steps = { served(catalog(service("PetService", resource "Pet", "https://pets.example/rest"))),
      { "addCatalog", "{catalog}" } } },
  { name = "an address without a slash", sections = { "4", "21.1" }, from = "login",
    steps = { served(catalog(service("PetService", resource "Pet", "rest/Pets"))),
      { "addCatalog", "{catalog}" } } },
  { name = "no address", sections = { "4", "21.1" }, from = "login",
    steps = { served(catalog('{"name":"PetService","resources":[]}')), { "addCatalog", "{catalog}" } } },
  { name = "no services", sections = { "21.4" }, from = "login",
    steps = { served(catalog()), { "addCatalog", "{catalog}" } } },
  { name = "the content type of a catalog", sections = { "6.7" }, from = "login",
    steps = { { "fault", { kind = "status", status = 200, contentType = "text/plain", body = PETS,
      path = CATALOG } },
      { "addCatalog", "{catalog}" } } },
  { name = "a data request", each = ALL, sections = { "9", "17.3", "21.3" }, from = "catalog",
    steps = { { "read" } } },
}

-- Catalogs by the forms of section 21.
local FIELDS = '"properties":{"Num":{"type":"integer"},"Name":{"type":"string"}}'
local TABLE = '{"type":"array","items":{' .. FIELDS .. "}}"

local texts = {
  { "a dataset", "21.2", resource("Pet",
    ',"schema":{"properties":{"dsPet":{"properties":{"ttPet":' .. TABLE .. "}}}}") },
  { "a temp-table", "21.2", resource("Pet", ',"schema":{"properties":{"ttPet":' .. TABLE .. "}}") },
  { "a bare record", "21.2", resource("Pet", ',"schema":{' .. FIELDS .. "}") },
  { "an old table", "21.2", resource("Pet", ',"schema":{"ttPet":' .. TABLE .. "}") },
  { "an old dataset", "21.2", resource("Pet",
    ',"schema":{"dsPet":{"properties":{"ttPet":' .. TABLE .. "}}}") },
  { "no schema", "21.2", resource "Pet" },
  { "an empty schema", "21.4", resource("Pet", ',"schema":{}') },
  { "a relation in capitals", "21.4", resource("Pet", ',"schema":{"properties":{"ttPet":' .. TABLE ..
    '}},"relations":[{"RelationName":"r"}]') },
  { "an unknown operation type", "21.4", resource("Pet", ',"operations":[{"type":"merge"}]') },
  { "an unknown verb", "21.4", resource("Pet", ',"operations":[{"type":"read","verb":"fetch"}]') },
  { "two reads", "21.4", resource("Pet", ',"operations":[{"type":"read"},{"type":"READ"}]') },
  { "two invokes of one name", "21.3", resource("Pet",
    ',"operations":[{"type":"invoke","name":"Feed"},{"type":"invoke","name":"Feed"}]') },
  { "verbs and types in any case", "21.3", resource("Pet",
    ',"operations":[{"type":"Read","verb":"GET"},{"type":"create","verb":"Post"}]') },
  { "a parameter of an unknown kind", "21.3", resource("Pet",
    ',"operations":[{"type":"read","params":[{"name":"a","type":"HEADER"}]}]') },
  { "a resource twice", "21.4", resource "Pet" .. "," .. resource "Pet" },
}
for _, text in ipairs(texts) do
  cases[#cases + 1] = { name = "a resource with " .. text[1], sections = { text[2], "6.7" }, from = "login",
    steps = {
    served(catalog(service("PetService", text[3]))), { "addCatalog", "{catalog}" } } }
end

local bodies = {
  { "services that are an object", '{"services":{}}' },
  { "services that are null", '{"services":null}' },
  { "a service without resources", catalog '{"name":"PetService","address":"/rest/PetService"}' },
  { "an array for a catalog", "[]" },
  { "a string for a catalog", '"services"' },
  { "null for a catalog", "null" },
  { "a service without a name", catalog '{"address":"/rest/PetService","resources":[]}' },
  { "a resource without a path", catalog(service("PetService", '{"name":"Pet"}')) },
}
for _, body in ipairs(bodies) do
  cases[#cases + 1] = { name = body[1], sections = { "21.4", "6.7" }, from = "login", steps = {
    served(body[2]), { "addCatalog", "{catalog}" } } }
end

local HALF = catalog(service("PetService", resource "Pet"),
  service("OwnerService", resource("Owner", ',"operations":[{"type":"read"},{"type":"READ"}]')))
cases[#cases + 1] = { name = "a catalog half of which is wrong, then the good half", from = "login",
  sections = { "21.4", "6.7" },
  steps = { served(HALF), { "addCatalog", "{catalog}" }, served(PETS, "/Pets.json$"),
    { "addCatalog", "{service}/static/Pets.json" } } }

return cases
