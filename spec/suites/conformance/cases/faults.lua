-- Sections 5.1, 6 and 18: every fault at every request of every method.
local HOME, LOGIN, LOGOUT = "/static/home.html$", "/j_spring_security_check$", "/j_spring_security_logout$"

local targets = {
  { "the login", model = "anonymous", from = "new", path = HOME, step = { "login" }, section = "6.1" },
  { "the login", model = "basic", from = "new", path = HOME, step = { "login" }, section = "6.1" },
  { "the login", model = "form", from = "new", path = LOGIN, step = { "login" }, section = "6.1" },
  { "the check of the login", model = "form", from = "new", path = HOME, step = { "login" },
    section = "6.1" },
  { "isAuthorized", model = "basic", from = "login", path = HOME, step = { "isAuthorized" },
    section = "6.5" },
  { "isAuthorized", model = "form", from = "login", path = HOME, step = { "isAuthorized" }, section = "6.5" },
  { "ping", model = "form", from = "login", path = "/_oeping$", step = { "ping" }, section = "6.6" },
  { "addCatalog", model = "form", from = "login", path = "/CustomerService.json$",
    step = { "addCatalog", "{catalog}" }, section = "6.7" },
  { "logout", model = "form", from = "login", path = LOGOUT, step = { "logout" }, section = "6.2" },
  { "invalidate", model = "form", from = "login", path = LOGOUT, step = { "invalidate" }, section = "6.4" },
  { "a data request", model = "basic", from = "catalog", path = "/rest/CustomerService/", step = { "read" },
    section = "9" },
}

-- A connection that is lost is lost for every attempt: a transport may try once more on a fresh one.
local JSON = "application/json"
local faults = {
  { "a reset", kind = "reset", count = 0 },
  { "a closed connection", kind = "close", count = 0 },
  { "half an answer", kind = "truncate" },
  { "a slow answer", kind = "slow", delay = 0.1 },
  { "broken JSON", kind = "malformed" },
  { "some page", kind = "html" },
  { "the login page", kind = "loginPage" },
  { "nothing", kind = "empty" },
  { "204", kind = "status", status = 204 },
  { "304", kind = "status", status = 304 },
  { "400", kind = "status", status = 400 },
  { "401 and JSON", kind = "status", status = 401, contentType = JSON,
    body = '{"status_code":401,"status_txt":"Unauthorized"}' },
  { "401 and broken JSON", kind = "status", status = 401, contentType = JSON, body = '{"error": ' },
  { "401 and null", kind = "status", status = 401, contentType = JSON, body = "null" },
  { "401 and a page", kind = "status", status = 401, contentType = "text/html",
    body = "<html><body>Unauthorized</body></html>" },
  { "403", kind = "status", status = 403 },
  { "404", kind = "status", status = 404 },
  { "410", kind = "status", status = 410 },
  { "500", kind = "status", status = 500 },
  { "503", kind = "status", status = 503 },
}

local cases = {}

for _, target in ipairs(targets) do
  for _, fault in ipairs(faults) do
    local given = { path = target.path }
    for name, value in pairs(fault) do
      if name ~= 1 then given[name] = value end
    end
    cases[#cases + 1] = { name = ("%s for %s (%s)"):format(fault[1], target[1], target.model),
      model = target.model,
      from = target.from,
      sections = { target.section, "18", "5.1" }, steps = { { "fault", given }, target.step } }
  end
  cases[#cases + 1] = { name = ("a stopped server for %s (%s)"):format(target[1], target.model),
    model = target.model, from = target.from,
    sections = { target.section, "18", "5.1" }, steps = { { "stop" }, target.step } }
end

return cases
