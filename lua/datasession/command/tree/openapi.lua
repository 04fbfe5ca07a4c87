--- Catalogs as an OpenAPI 3.1 document.

local datasession = require "datasession"
local plain = require "datasession.command.tree.plain"
local show = require "datasession.command.show"

local TYPES = { string = true, number = true, integer = true, boolean = true, array = true, object = true }
local FORMATS = { ["date"] = true, ["date-time"] = true }

local function schemaOf(field)
  local schema = { title = field.title, description = field.ablType and "ABL " .. field.ablType or nil }
  if field.maxItems then
    schema.type, schema.maxItems = "array", field.maxItems
    schema.items = { type = datasession.array { "string", "number", "boolean", "null" } }
    return schema
  end
  -- A server sends null for the unknown value, whatever the field's type.
  if TYPES[field.type] then schema.type = datasession.array { field.type, "null" } end
  if FORMATS[field.format] then schema.format = field.format end
  return schema
end

local function rowOf(one)
  local properties = {}
  for _, field in ipairs(one.fields) do properties[field.name] = schemaOf(field) end
  return { type = "object", properties = next(properties) and properties or nil }
end

-- The address in a server, without the query that holds placeholders: "/rest/S/Customer", "filter={filter}".
local function split(uri)
  local path, query = uri:gsub("^%a+://[^/]*", ""):match "^([^?]*)%??(.*)$"
  return path == "" and "/" or path, query
end

local function parameter(name, place)
  return { name = name, ["in"] = place, required = true, schema = { type = "string" } }
end

local function parametersOf(path, query)
  local list = {}
  for name in path:gmatch "{([^}]*)}" do list[#list + 1] = parameter(name, "path") end
  for name, value in query:gmatch "([^=&]+)=([^&]*)" do
    local one = parameter(name, "query")
    if not value:find "^{.*}$" then one.schema = { type = "string", const = value } end
    list[#list + 1] = one
  end
  return #list > 0 and datasession.array(list) or nil
end

local function operationOf(service, resource, one, path, query, seen)
  local id = resource.name .. "." .. (one.name or one.type)
  seen[id] = (seen[id] or 0) + 1
  if seen[id] > 1 then id = id .. "_" .. seen[id] end
  local body = one.verb ~= "GET" and one.verb ~= "DELETE" and
    { content = { ["application/json"] = { schema = { type = "object" } } } } or nil
  return {
    operationId = id, tags = datasession.array { service.name }, summary = one.type .. " " .. resource.name,
    parameters = parametersOf(path, query), requestBody = body,
    responses = {
      ["200"] = { description = "The result", content = { ["application/json"] = { schema = {} } } },
    },
  }
end

local function addResource(document, service, resource, seen)
  for _, one in ipairs(resource.tables) do
    local name = (one.name == "" and resource.name or one.name):gsub("[^%w._-]", "_")
    document.components.schemas[name] = rowOf(one)
  end
  for _, one in ipairs(resource.operations) do
    local path, query = split(one.uri)
    local verbs = document.paths[path] or {}
    local verb = one.verb:lower()
    document.paths[path] = verbs
    -- One address and verb can stand once: a catalog may name it twice, as for read and count.
    if not verbs[verb] then verbs[verb] = operationOf(service, resource, one, path, query, seen) end
  end
end

return function(catalogs)
  local services, servers, known, seen = plain.services(catalogs), {}, {}, {}
  local document = {
    openapi = "3.1.0", info = { title = services[1] and services[1].name or "catalog", version = "1" },
    paths = {}, components = { schemas = {} },
  }
  for _, service in ipairs(services) do
    local origin = service.uri:match "^%a+://[^/]+"
    if origin and not known[origin] then
      known[origin], servers[#servers + 1] = true, { url = origin }
    end
    for _, resource in ipairs(service.resources) do addResource(document, service, resource, seen) end
  end
  if #servers > 0 then document.servers = datasession.array(servers) end
  if not next(document.components.schemas) then document.components = nil end
  return show.pretty(show.encode(document)) .. "\n"
end
