--- The catalogs of one session: where a catalog is to be had, and what it adds to the session.
-- A session's table is { catalogs, catalogURIs, services }; C keeps it with the session and hands it in.

local catalog = require "datasession.catalog"

local SUCCESS, ALREADY_LOADED = 1, 4

local catalogs = {}

local function isLoaded(own, uri)
  for _, known in ipairs(own.catalogURIs or {}) do
    if known == uri then
      return true
    end
  end
  return false
end

local function isFile(path)
  local file = io.open(path, "rb")
  if not file then
    return false
  end
  local readable = file:read(0) ~= nil or file:seek("end") == 0
  file:close()
  return readable
end

--- Where the catalog called `uri` is.
-- http and https URIs are fetched; `file:` URIs and the paths of files that can be read are read; whatever else has no
-- scheme is a URI relative to serviceURI.
-- @return "loaded" | "file", text or nil, message | "uri"
function catalogs.locate(own, uri)
  if isLoaded(own, uri) then
    return "loaded"
  end
  local scheme = uri:match("^(%a[%w+.-]+):")
  if scheme and scheme:lower() == "file" or not scheme and isFile(uri) then
    return "file", catalog.read(uri)
  end
  return "uri"
end

local function names(own, method)
  local taken = {}
  for _, known in ipairs(own.catalogs) do
    if method == "service" then
      for _, service in ipairs(known.services) do
        taken[service.name] = known
      end
    else
      for resource in known:eachResource() do
        taken[resource.name] = known
      end
    end
  end
  return taken
end

--- A catalog's URI fit to be printed: a query may hold a secret.
local function shown(uri)
  return uri:find("://", 1, true) and uri:match("^[^?]*") or uri
end

--- What of the new catalog the session has already, under the same name from another catalog; or nil.
local function conflict(own, new)
  if #own.catalogs == 0 then
    return nil
  end
  local services, resources = names(own, "service"), names(own, "resource")
  for i, service in ipairs(new.services) do
    local other = services[service.name]
    if other then
      return ("services[%d].name: the session has a service %q already, from %s"):format(i, service.name,
        shown(other.uri))
    end
    for j, resource in ipairs(service.resources) do
      other = resources[resource.name]
      if other then
        return ("services[%d].resources[%d].name: the session has a resource %q already, from %s"):format(i, j,
          resource.name, shown(other.uri))
      end
    end
  end
end

--- Adds the catalog whose text is given: all of it, or nothing.
-- @return SUCCESS or CATALOG_ALREADY_LOADED, or nil and a message that names the place in the document
function catalogs.add(own, uri, text, serviceURI, xhr)
  own.catalogs = own.catalogs or {}
  own.catalogURIs = own.catalogURIs or {}
  own.services = own.services or {}
  if isLoaded(own, uri) then
    return ALREADY_LOADED
  end
  local new, message = catalog.parse(text, { uri = uri, serviceURI = serviceURI })
  message = message or conflict(own, new)
  if message then
    return nil, message
  end
  own.validators = own.validators or {}
  own.validators[uri] = xhr and { etag = xhr.headers.etag, lastModified = xhr.headers["last-modified"] } or nil
  own.catalogs[#own.catalogs + 1] = new
  own.catalogURIs[#own.catalogURIs + 1] = uri
  for _, service in ipairs(new.services) do
    own.services[#own.services + 1] = { name = service.name, uri = service.uri }
  end
  return SUCCESS
end

return catalogs
