--- A service of resources: requests are answered, and the catalog's part about it is written.
--
-- A resource: name, tables (definitions), dataset (its name; nil: a temp-table), beforeImage, language
-- ("sqlQuery"; default "ablFilter"), nested (child rows in their parents), unnamed (bodies without the
-- table's name), idProperty (true: each table's key is its id), operations.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local locale = require "datasession.internal.locale"
local operation = require "datasession.sandbox.data.operation"
local schema = require "datasession.sandbox.data.schema"

local service = {}

local function allowed(matches)
  local names = {}
  for _, match in ipairs(matches) do
    names[#names + 1] = ascii.upper(match.operation.verb)
    if match.operation.also then names[#names + 1] = ascii.upper(match.operation.also) end
  end
  table.sort(names, locale.before)
  return table.concat(names, ", ")
end

local function chosen(matches, method)
  local verb = ascii.lower(method == "HEAD" and "GET" or method)
  for _, match in ipairs(matches) do
    if match.operation.verb == verb or match.operation.also == verb then return match end
  end
end

--- The answer to a request for a resource; its name is the fourth segment of the path.
function service.answer(database, resource, request)
  local matches = operation.match(resource.operations, request)
  if not matches[1] then return http.notFound(request) end
  local match = chosen(matches, request.method)
  if not match then return http.methodNotAllowed(request, allowed(matches)) end
  local call = { database = database, resource = resource, request = request, values = match.values }
  local ok, answer = pcall(match.operation.run, call)
  if ok then return answer end
  if type(answer) ~= "table" then error(answer, 0) end
  return http.failure(500, answer.message, answer.number, answer.returnValue)
end

-- ---- the catalog

-- The description of the operations, made once.
local function describeOperations(resource)
  if resource.described then return resource.described end
  local operations = json.list {}
  for i, one in ipairs(resource.operations) do operations[i] = operation.describe(one) end
  resource.described = operations
  return operations
end

--- The resource of the catalog, under a name.
function service.describe(resource, name)
  resource.schema = resource.schema or schema.of(resource)
  local members = { { "name", name }, { "path", "/" .. name } }
  local id = resource.idProperty and not resource.dataset and resource.tables[1].key
  if id then members[#members + 1] = { "idProperty", id } end
  members[#members + 1] = { "schema", resource.schema }
  local relations = schema.relations(resource)
  if relations then members[#members + 1] = { "relations", relations } end
  members[#members + 1] = { "operations", describeOperations(resource) }
  return json.ordered(members)
end

--- The text of a catalog of services: a list of { name, settings, resources = list of described ones }.
function service.catalog(services)
  local list = json.list {}
  for i, one in ipairs(services) do
    list[i] = json.ordered {
      { "name", one.name }, { "address", "/rest/" .. one.name },
      { "settings", json.ordered(one.settings) }, { "resources", json.list(one.resources) },
    }
  end
  return json.encode(json.ordered {
    { "version", "1.4" }, { "lastModified", "Fri Mar 01 09:00:00 UTC 2024" }, { "services", list },
  })
end

return service
