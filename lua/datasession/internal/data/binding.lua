--- Finds the resource that a data object is for, and the session whose catalog describes it.

local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local binding = {}

local CATALOG = "datasession.catalog"

local function isFrom(catalog, uri)
  return uri == nil or catalog.uri == uri
end

-- Catalogs may have one name: without a catalog's URI it is that of the catalog that was loaded first.
local function resourceOf(session, name, uri)
  for _, catalog in ipairs(session.catalogs) do
    for _, service in ipairs(isFrom(catalog, uri) and catalog.services or {}) do
      for _, resource in ipairs(service.resources) do
        if resource.name == name then return resource end
      end
    end
  end
end

-- Sessions of other protocols have no catalogs; one that was invalidated cannot be used again.
local function hasCatalogs(session)
  return session.protocol == "jsdo" and session.state ~= "invalid"
end

local function namesOf(sessions, uri)
  local names = {}
  for _, session in ipairs(sessions) do
    for _, catalog in ipairs(hasCatalogs(session) and session.catalogs or {}) do
      if isFrom(catalog, uri) then
        for resource in catalog:eachResource() do names[#names + 1] = resource.name end
      end
    end
  end
  return names
end

local function checkSession(session, level)
  if getmetatable(session) ~= "datasession.session" then
    raise("JSDO: option 'session': expected a session, got " .. argument.type(session), level + 1)
  elseif session.state == "invalid" then
    raise("JSDO: the session was invalidated: create a new one", level + 1)
  elseif not hasCatalogs(session) then
    raise(("JSDO: a session of protocol %s has no catalogs: data objects need one of protocol jsdo")
      :format(session.protocol), level + 1)
  end
end

local function hasLoaded(session, uri)
  for _, catalog in ipairs(session.catalogs) do
    if isFrom(catalog, uri) then return true end
  end
  return false
end

local function ofSession(session, name, uri, level)
  checkSession(session, level + 1)
  local resource = resourceOf(session, name, uri)
  if resource then return session, resource end
  if #session.catalogs == 0 then
    raise("JSDO: the session has no catalog yet: call addCatalog first", level + 1)
  end
  if not hasLoaded(session, uri) then
    raise("JSDO: option 'catalog': the session has not loaded that catalog", level + 1)
  end
  raise("JSDO: " .. suggest.unknown("resource", name, namesOf({ session }, uri)), level + 1)
end

local function candidates(name, uri)
  local found = {}
  for _, session in ipairs(core.sessions()) do
    if hasCatalogs(session) and resourceOf(session, name, uri) then found[#found + 1] = session end
  end
  return found
end

local function uriOf(catalog, level)
  if catalog == nil or type(catalog) == "string" then return catalog end
  if getmetatable(catalog) == CATALOG and catalog.uri then return catalog.uri end
  raise("JSDO: option 'catalog': expected a catalog of the session or its URI, got " ..
    argument.type(catalog), level + 1)
end

local function find(name, session, uri, level)
  if session ~= nil then
    local s, resource = ofSession(session, name, uri, level + 1)
    return s, resource
  end
  local active = core.activeSession()
  local resource = active and hasCatalogs(active) and resourceOf(active, name, uri)
  if resource then return active, resource end
  local found = candidates(name, uri)
  if #found == 1 then return found[1], resourceOf(found[1], name, uri) end
  if #found > 1 then
    raise(
      ("JSDO: %d sessions have a resource '%s': say which one, as JSDO { name = '%s', session = session }")
      :format(#found, name, name), level + 1)
  end
  local names = namesOf(core.sessions(), uri)
  if #names == 0 then
    raise(uri and "JSDO: option 'catalog': no session has loaded that catalog" or
      "JSDO: no session has a catalog: log in and call addCatalog first", level + 1)
  end
  raise("JSDO: " .. suggest.unknown("resource", name, names), level + 1)
end

--- The session and the resource for a data object.
-- @param name string, of the resource
-- @param session or nil: the active session if its catalog has the resource, else the only session that has
--   it. Raises if there is none, or several
-- @param catalog or nil: a catalog of the session, or its URI, which alone is searched
-- @return session, resource; and the catalog's URI if the name alone means another catalog's resource
function binding.find(name, session, catalog, level)
  local uri = uriOf(catalog, level + 1)
  local found, resource = find(name, session, uri, level + 1)
  return found, resource, resourceOf(found, name) ~= resource and uri or nil
end

return binding
