--- Data Service Catalogs: JSON documents that describe the services of a web application, their resources,
-- the tables and fields of those, and the operations on them.
--
-- A catalog is accepted or rejected as a whole. Members from which requests are built must have the right
-- type. A merely descriptive member of another type is left out, and `leftOut` reports it. Members that no
-- client reads are ignored. An error names its place with 1-based indexes, as Lua counts:
--
--   services[1].resources[3].operations[2].verb: expected get, post, put or delete, got "fetch"
--
-- The objects are plain tables with methods. Read them, do not write them: `pairs` and `ipairs` walk them.
-- Upward links (resource.service) are in metatables, so that a walk ends. Tables and fields are in the order
-- of the document.

local check = require("datasession.internal.catalog.check")
local document = require("datasession.internal.catalog.document")
local file = require("datasession.internal.catalog.file")
local suggest = require("datasession.internal.suggest")

local format = string.format

local catalog = {}

local OPTIONS = { uri = true, serviceURI = true }

local function checkOptions(options)
  if type(options) ~= "table" then
    error(format("bad argument #2 to 'parse' (table expected, got %s)", type(options)), 3)
  end
  for key, value in pairs(options) do
    if not OPTIONS[key] then error(suggest.unknown("option", key, check.sortedKeys(OPTIONS)), 3) end
    if type(value) ~= "string" then
      error(format("bad option '%s' (string expected, got %s)", key, type(value)), 3)
    end
  end
end

--- Checks the text of a Data Service Catalog and makes a catalog of it.
--
-- The catalog has `uri`, `version`, `lastModified`, `services` (array), `leftOut` (array of messages about
-- the members that were left out, or nil), and the methods service(name), resource(name) and eachResource().
-- A service has `name`, `address` (as in the document), `uri`, `settings` (`useRequest`, `sendOnlyChanges`,
-- `unwrapped`, `useXClientProps`, booleans), `useRequest`, `resources` (array) and resource(name). A resource
-- has `name`, `path`, `uri`, `service`, `idProperty`, `schemaForm` ("dataset", "temp-table", "record", "old"
-- or nil), `datasetName`, `dataProperty`, `tables`, `relations` and `operations` (arrays),
-- operation(nameOrType) and fields(). A table has `name` ("" for a record's), `fields`, `primaryKey`
-- (arrays), `idProperty` and field(name). A field has `name`, `type`, `ablType`, `format`, `default`
-- (`codec.null` where the document says null), `maxItems`, `items`, `origName` and `title`. An operation
-- has `type` (lower case), `name`, `verb` (upper case), `path`, `uri`, `params` (array of `name`, `type`,
-- `xType`), `useBeforeImage`, `mergeMode`, `mappingType`, `capabilities` (array of strings) and
-- expand(values).
-- @param text string, JSON of 64 MiB at most; raises for another type
-- @param options table, optional: `uri`, where the catalog came from; `serviceURI`, the web
--   application, in front of all addresses that are not absolute; by default they start with a slash
-- @return the catalog; or nil and a message that names the place and what was expected there
function catalog.parse(text, options)
  if type(text) ~= "string" then
    error(format("bad argument #1 to 'parse' (string expected, got %s)", type(text)), 2)
  end
  options = options or {}
  checkOptions(options)
  local decoded, message = document.decode(text)
  if decoded == nil then return nil, message end
  return document.build(decoded, options, nil, document.order(text, decoded))
end

--- Reads a catalog's text from a file: see internal/catalog/file.lua.
catalog.read = file.read

return catalog
