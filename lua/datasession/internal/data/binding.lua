--- Finds the resource that a data object is for, and the session whose catalog describes it.

local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local binding = {}

local function resourceOf(session, name)
  for _, catalog in ipairs(session.catalogs) do
    for _, service in ipairs(catalog.services) do
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

local function namesOf(sessions)
  local names = {}
  for _, session in ipairs(sessions) do
    for _, catalog in ipairs(hasCatalogs(session) and session.catalogs or {}) do
      for resource in catalog:eachResource() do names[#names + 1] = resource.name end
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

local function ofSession(session, name, level)
  checkSession(session, level + 1)
  local resource = resourceOf(session, name)
  if resource then return session, resource end
  if #session.catalogs == 0 then
    raise("JSDO: the session has no catalog yet: call addCatalog first", level + 1)
  end
  raise("JSDO: " .. suggest.unknown("resource", name, namesOf { session }), level + 1)
end

local function candidates(name)
  local found = {}
  for _, session in ipairs(core.sessions()) do
    if hasCatalogs(session) and resourceOf(session, name) then found[#found + 1] = session end
  end
  return found
end

--- The session and the resource for a data object.
-- @param name string, of the resource
-- @param session or nil: the active session if its catalog has the resource, else the only session that has
--   it. Raises if there is none, or several
function binding.find(name, session, level)
  if session ~= nil then
    local s, resource = ofSession(session, name, level + 1)
    return s, resource
  end
  local active = core.activeSession()
  local resource = active and hasCatalogs(active) and resourceOf(active, name)
  if resource then return active, resource end
  local found = candidates(name)
  if #found == 1 then return found[1], resourceOf(found[1], name) end
  if #found > 1 then
    raise(
      ("JSDO: %d sessions have a resource '%s': say which one, as JSDO { name = '%s', session = session }")
      :format(#found, name, name), level + 1)
  end
  local names = namesOf(core.sessions())
  if #names == 0 then
    raise("JSDO: no session has a catalog: log in and call addCatalog first", level + 1)
  end
  raise("JSDO: " .. suggest.unknown("resource", name, names), level + 1)
end

return binding
