--- The catalogs of one session: where to get a catalog, and what it adds to the session. A session's table is
-- { entries, catalogURIs, serviceURI, validators } and, on first use, { catalogs, services }. C keeps it
-- with the session and passes it in. Sessions share entries (datasession.internal.catalog.shared);
-- everything else belongs to the session.

local ascii = require "datasession.internal.ascii"
local catalog = require "datasession.catalog"
local core = require "datasession.core"
local files = require "datasession.internal.files"
local pause = require "datasession.internal.pause"
local shared = require "datasession.internal.catalog.shared"
local table = require("datasession.internal.lua").table

local SUCCESS, ALREADY_LOADED = 1, 4

local catalogs = {}

local function isLoaded(own, uri)
  local uris = own.catalogURIs
  if uris then
    for i = 1, #uris do
      if uris[i] == uri then
        return true
      end
    end
  end
  return false
end

local function isFile(path)
  local file = files.open(path, "rb")
  if not file then
    return false
  end
  local readable = file:read(0) ~= nil or file:seek("end") == 0
  file:close()
  return readable
end

--- Says where the catalog `uri` is. http and https URIs are requested; `file:` URIs and the paths of readable
-- files are read; anything else without a scheme is a URI relative to serviceURI.
-- @return "loaded" | "file", text or nil, message | "uri"
function catalogs.locate(own, uri)
  if isLoaded(own, uri) then
    return "loaded"
  end
  local scheme = uri:match("^([A-Za-z][A-Za-z0-9+.-]+):")
  if scheme and ascii.lower(scheme) == "file" or not scheme and isFile(uri) then
    return "file", catalog.read(uri)
  end
  return "uri"
end

-- ---- fields of the session's table

local function openCatalog(own, i, uri)
  return assert(shared.open(own.entries[i], { uri = uri, serviceURI = own.serviceURI }))
end

local made = {}

function made.catalogs(own)
  local list = {}
  for i, uri in ipairs(own.catalogURIs) do
    list[i] = openCatalog(own, i, uri)
  end
  return list
end

function made.services(own)
  if #own.catalogURIs == 1 then
    return shared.services(own.entries[1], own.serviceURI)
  end
  local list = {}
  for i = 1, #own.catalogURIs do
    local services = shared.services(own.entries[i], own.serviceURI)
    table.move(services, 1, #services, #list + 1, list)
  end
  return list
end

local meta = {}

function meta.__index(own, key)
  local make = made[key]
  local list = make and make(own)
  if list then
    rawset(own, key, list)
  end
  return list
end

-- ---- adding

-- Adds the URI last: without it, nothing counts as added.
local function append(own, entry, uri, serviceURI)
  local n = #own.catalogURIs + 1
  own.serviceURI = serviceURI
  own.entries[n], own.services = entry, nil
  if rawget(own, "catalogs") then
    own.catalogs[n] = openCatalog(own, n, uri)
  end
  own.catalogURIs[n] = uri
end

--- Adds a catalog: all of it, or nothing.
-- @param source its text; or the shared entry of it
-- @param validators { etag, lastModified } or nil: what the server said that it can be known again by
-- @param key string or nil: who asked for what, if the answer may be known again by the validators
-- @return SUCCESS, and for the log what was left out of it or nil; or CATALOG_ALREADY_LOADED; or nil and a
--   message that names the place in the document
function catalogs.add(own, uri, source, serviceURI, validators, key)
  if not rawget(own, "entries") then
    own.entries, own.catalogURIs = {}, {}
    setmetatable(own, meta)
  end
  if isLoaded(own, uri) then
    return ALREADY_LOADED
  end
  local entry, message = source, nil
  if type(source) == "string" then
    entry, message = shared.entry(source)
  end
  if message then
    return nil, message
  end
  append(own, entry, uri, serviceURI)
  local known = rawget(own, "validators")
  if validators and not known then
    known = {}
    own.validators = known
  end
  if known then
    known[uri] = validators
  end
  if key and validators then
    shared.noteAnswer(key, entry, validators)
  end
  return SUCCESS, entry.leftOut and "left out: " .. table.concat(entry.leftOut, "; ")
end

--- Makes entries of the texts, in slices, so that the step's time limit holds. Runs in a coroutine.
-- @param details array: those with a `text` get an `entry`, unless there is something wrong with it
function catalogs.prepare(details)
  for _, detail in ipairs(details) do
    if detail.text then
      pause()
      detail.entry = shared.entry(detail.text, pause)
    end
  end
end

-- C looks this function up with the first catalog.
core.hook("catalogLocate", catalogs.locate)
core.hook("catalogAdd", catalogs.add)
core.hook("catalogPrepare", catalogs.prepare)
core.hook("catalogTexts", shared.texts)
core.hook("catalogAnswer", shared.answer)

return catalogs
