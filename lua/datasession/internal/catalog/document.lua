--- The objects that a decoded catalog is made into: the catalog and its services. A resource: see
-- catalog/resource.lua.

local check = require("datasession.internal.catalog.check")
local codec = require("datasession.internal.codec")
local core = require("datasession.core")
local file = require("datasession.internal.catalog.file")
local ascii = require("datasession.internal.ascii")
local locale = require("datasession.internal.locale")
local object = require("datasession.internal.catalog.object")
local resource = require("datasession.internal.catalog.resource")
local table = require("datasession.internal.lua").table

local format, gsub, match = string.format, string.gsub, string.match
local lower = ascii.lower
local fail, loose, optional, required = check.fail, check.loose, check.optional, check.required
local absolute, counted, lacks = object.absolute, object.counted, object.lacks
local lookUp, redacted = object.lookUp, object.redacted

-- ## Services

local serviceMethods = {}
local serviceMeta = object.meta("datasession.catalog.service", serviceMethods)

function serviceMeta:__tostring()
  return format("service %s: %s (%s)", self.name, redacted(self.uri), counted(#self.resources, "resource"))
end

--- The resource of that name; raises when there is none. Names are case-sensitive.
function serviceMethods:resource(name)
  local found = lookUp(self.resources, name)
  if found then return found end
  lacks("service " .. self.name, "resource", name, self.resources)
end

--- The settings of a service that the client reads. `useRequest` once stood in the service itself.
local function buildSettings(at, depth, service)
  local useRequest = loose(at, depth, service, "useRequest", "boolean")
  local settings = loose(at, depth, service, "settings", "object") or {}
  at[depth + 1] = "settings"
  local newer = loose(at, depth + 1, settings, "useRequest", "boolean")
  if newer ~= nil then useRequest = newer end
  return {
    useRequest = useRequest or false,
    sendOnlyChanges = loose(at, depth + 1, settings, "sendOnlyChanges", "boolean") or false,
    unwrapped = loose(at, depth + 1, settings, "unwrapped", "boolean") or false,
    useXClientProps = loose(at, depth + 1, settings, "useXClientProps", "boolean") or false,
  }
end

--- The place of a resource's namesake, for a message.
local function namesake(services, resources, name)
  for s = 1, #services + 1 do
    local list = services[s] and services[s].resources or resources
    for r = 1, #list do
      if list[r].name == name then return format("services[%d].resources[%d]", s, r) end
    end
  end
end

--- @param service the service so far, without its resources
-- @param scope what is known of the whole catalog
local function buildResource(at, depth, description, service, scope, meta)
  local name = check.name(at, depth, description)
  if scope.resourceNames[name] then
    local place = namesake(scope.services, scope.resources, name)
    fail(at, depth, "name", "a name of its own (" .. place .. " has this one)", name)
  end
  scope.resourceNames[name] = true
  local filled = resource.fill(at, depth, description, { name = name }, service.address, scope.base)
  local made = setmetatable(filled, meta)
  scope.resources[#scope.resources + 1] = made
  return made
end

--- All resources of a service, checked and made at once.
local function buildResources(at, depth, description, service, scope)
  scope.resources = {}
  return check.list(at, depth, description, "resources", buildResource, service, scope,
    resource.metaOf(service))
end

local function buildService(at, depth, description, scope, listResources)
  local name = check.name(at, depth, description)
  if scope.serviceNames[name] then
    local expected = format("a name of its own (services[%d] has this one)", scope.serviceNames[name])
    fail(at, depth, "name", expected, name)
  end
  local position = at[depth]
  scope.serviceNames[name] = position
  required(at, depth, description, "resources", "array")
  local address = optional(at, depth, description, "address", "string") or ""
  local settings = buildSettings(at, depth, description)
  local made = setmetatable({
    name = name,
    address = address,
    uri = absolute(scope.base, address),
    settings = settings,
    useRequest = settings.useRequest,
  }, serviceMeta)
  if listResources then
    made.resources = listResources(made, position, scope.base)
  else
    made.resources = buildResources(at, depth, description, made, scope)
  end
  scope.services[#scope.services + 1] = made
  return made
end

-- ## The catalog

local catalogMethods = {}
local catalogMeta = object.meta("datasession.catalog", catalogMethods)

--- Calls for each resource: for resource, service in catalog:eachResource() do ... end
function catalogMethods:eachResource()
  local services, s, r = self.services, 1, 0
  return function()
    r = r + 1
    while services[s] and not services[s].resources[r] do
      s, r = s + 1, 1
    end
    if services[s] then return services[s].resources[r], services[s] end
  end
end

function catalogMeta:__tostring()
  local count = 0
  for _ in self:eachResource() do count = count + 1 end
  local name = self.uri and "catalog " .. match(redacted(self.uri), "^[^?]*") or "catalog"
  return format("%s (%s, %s)", name, counted(#self.services, "service"), counted(count, "resource"))
end

--- The service of that name; raises when there is none. Names are case-sensitive.
function catalogMethods:service(name)
  local found = lookUp(self.services, name)
  if found then return found end
  lacks("catalog", "service", name, self.services)
end

--- The resource of that name, of whichever service; raises when there is none. Names are case-sensitive.
function catalogMethods:resource(name)
  local lists = {}
  for i = 1, #self.services do
    lists[i] = self.services[i].resources
    local found = lookUp(lists[i], name)
    if found then return found end
  end
  lacks("catalog", "resource", name, table.unpack(lists))
end

object.methods("datasession.catalog.service", "a service", serviceMethods)
object.methods("datasession.catalog", "a catalog", catalogMethods)

--- Descriptions of the document itself. Nothing depends on them, so any type is accepted.
local function remark(value)
  if type(value) == "string" or type(value) == "number" then return locale.text(value) end
end

local document = {}

--- Makes a catalog of a decoded document; throws when a check fails.
local function build(at, decoded, options, listResources)
  if not check.isKind(decoded, "object") then fail(at, 0, nil, "an object with a key services", decoded) end
  required(at, 0, decoded, "services", "array")
  local base = gsub(options.serviceURI or "", "/+$", "")
  local scope = { base = base, services = {}, resources = {}, serviceNames = {}, resourceNames = {} }
  return setmetatable({
    uri = options.uri,
    version = remark(decoded.version),
    lastModified = remark(decoded.lastModified),
    services = check.list(at, 0, decoded, "services", buildService, scope, listResources),
  }, catalogMeta)
end

--- A message when a text is no JSON at all in a way that is worth its own words; else nil.
local function otherThanJson(text)
  if #text > file.MAX_SIZE then return "larger than 64 MiB" end
  local start = lower(match(text, "^\239?\187?\191?%s*(<[!?%w]*)") or "")
  if start == "<?xml" then return "expected JSON, got XML" end
  if start ~= "" then return "expected JSON, got an HTML page, such as a login or an error page" end
end

--- Decodes the text of a catalog.
-- @return the document, unchecked; or nil and a message
function document.decode(text)
  local other = otherThanJson(text)
  if other then return nil, other end
  local decoded, message = codec.decode(text)
  if decoded == nil then
    return nil, message == "empty document" and message or "not JSON: " .. message
  end
  return decoded
end

--- Checks a decoded document and makes a catalog of it, which shares no table with it.
-- @param options table: `uri`, `serviceURI`, as `parse` takes them
-- @param listResources function (service, position, base), optional: gives the array of the service's
--   resources, whose descriptions are then not looked at; `position` is the service's in the document, `base`
--   what stands in front of addresses
-- @param order table, optional: what `order` gives for the document
-- @return the catalog; or nil and a message, as `parse`
function document.build(decoded, options, listResources, order)
  local at = { remarks = {}, order = order }
  local made, message = check.run(build, at, decoded, options, listResources)
  if made then made.leftOut = check.leftOut(at) end
  return made, message
end

--- The order of the properties that a text names, for the objects that it was decoded into; nil for what is
-- no object.
function document.order(text, decoded)
  return type(decoded) == "table" and core.catalogOrder(text, decoded) or nil
end

return document
