--- The options of sandbox.start: their rules, and the server's settings that they stand for.
local cjson = require "cjson"
local check = require "datasession.sandbox.check"
local har = require "datasession.sandbox.har"
local json = require "datasession.sandbox.json"
local tls = require "datasession.sandbox.tls"

local setup = {}

local function isCatalogs(value)
  if type(value) ~= "table" then return false, "table of catalogs by name" end
  for name, catalog in pairs(value) do
    if type(name) ~= "string" or not name:find "^[%w_.-]+$" then
      return false, "names of letters, digits, '_', '.' and '-'"
    end
    local decoded = type(catalog) == "string" and json.decode(catalog) or catalog
    if not check.isObject(decoded) then return false, ("%s as JSON text or a table of it"):format(name) end
  end
  return true
end

setup.rules = {
  catalogs = isCatalogs, har = check.name, harRepeats = check.is "boolean",
  port = check.integer(0, 65535), address = check.is "string", users = check.texts,
  idleTimeout = check.number(0), ping = check.oneOf { "new", "classic", "none" },
  customers = check.integer(0, 1000000), orders = check.integer(0, 1000000),
  items = check.integer(0, 1000000), catalogResources = check.integer(1, 100000), tls = tls.rule,
  tokenLifetime = check.integer(0), tokenSecret = check.name, bearerTokens = check.tokens,
  datasnapAuthentication = check.is "boolean", bodyLimit = check.integer(0, 2 ^ 40),
}

local BODY_LIMIT = 16 * 1024 * 1024

-- The catalogs as texts.
local function catalogTexts(catalogs)
  local texts = {}
  for name, catalog in pairs(catalogs or {}) do
    texts[name] = type(catalog) == "string" and catalog or cjson.encode(catalog)
  end
  return texts
end

-- Whether datasnap checks users: as said, else if there are users of the program's own.
local function asksUsers(options)
  if options.datasnapAuthentication ~= nil then return options.datasnapAuthentication end
  return options.users ~= nil
end

--- Makes the settings for datasession.sandbox.core.
-- @param options table, checked by the rules
-- @param certify function: core.certify
-- @return table; nil and a message if a file cannot be read or written
function setup.new(options, certify)
  local exchanges, message, secured
  if options.har then
    exchanges, message = har.read(options.har)
    if not exchanges then return nil, message end
  end
  secured, message = tls.new(options.tls, options.address, certify)
  if not secured then return nil, message end
  return {
    address = options.address or "127.0.0.1", port = options.port or 0,
    bodyLimit = options.bodyLimit or BODY_LIMIT,
    certificate = secured.certificate, key = secured.key, caFile = secured.caFile,
    path = package.path, cpath = package.cpath,
    setup = cjson.encode {
      scheme = options.tls and "https" or "http",
      users = options.users or { lua = "secret" }, idleTimeout = options.idleTimeout or 1200,
      ping = options.ping or "new", customers = options.customers or 300,
      orders = options.orders or 60, items = options.items or 40,
      catalogResources = options.catalogResources or 1,
      tokenLifetime = options.tokenLifetime or 3600, tokenSecret = options.tokenSecret,
      bearerTokens = options.bearerTokens or { "letmein" },
      datasnapAuthentication = asksUsers(options),
      catalogs = catalogTexts(options.catalogs), exchanges = exchanges, har = options.har,
      harRepeats = options.harRepeats,
    },
  }
end

return setup
