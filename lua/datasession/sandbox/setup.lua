--- The options of sandbox.start: their rules, and the server's settings that they stand for.
local cjson = require "cjson"
local check = require "datasession.sandbox.check"
local har = require "datasession.sandbox.har"
local json = require "datasession.sandbox.json"

local setup = {}

-- The contents of the files, { certificate, key }; nil and a message.
local function readTLS(tls)
  local contents = {}
  if not tls then return contents end
  for _, name in ipairs { "certificate", "key" } do
    local file, message = io.open(tls[name], "rb")
    if not file then return nil, message end
    contents[name] = file:read("a")
    file:close()
    if not contents[name] then return nil, tls[name] .. ": cannot be read" end
  end
  return contents
end

local function checkTLS(value)
  if type(value) ~= "table" then return false, "table" end
  for name in pairs(value) do
    if name ~= "certificate" and name ~= "key" then return false, "certificate and key alone" end
  end
  return type(value.certificate) == "string" and type(value.key) == "string",
    "file names of certificate and key"
end

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
  items = check.integer(0, 1000000), catalogResources = check.integer(1, 100000), tls = checkTLS,
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

--- Makes the settings for datasession.sandbox.core.
-- @param options table, checked by the rules
-- @return table; nil and a message if a file cannot be read
function setup.new(options)
  local tls, message = readTLS(options.tls)
  if not tls then return nil, message end
  local exchanges
  if options.har then
    exchanges, message = har.read(options.har)
    if not exchanges then return nil, message end
  end
  return {
    address = options.address or "127.0.0.1", port = options.port or 0,
    bodyLimit = options.bodyLimit or BODY_LIMIT,
    certificate = tls.certificate, key = tls.key,
    path = package.path, cpath = package.cpath,
    setup = cjson.encode {
      users = options.users or { lua = "secret" }, idleTimeout = options.idleTimeout or 1200,
      ping = options.ping or "new", customers = options.customers or 300,
      orders = options.orders or 60, items = options.items or 40,
      catalogResources = options.catalogResources or 1,
      tokenLifetime = options.tokenLifetime or 3600, tokenSecret = options.tokenSecret,
      bearerTokens = options.bearerTokens or { "letmein" },
      datasnapAuthentication = options.datasnapAuthentication or false,
      catalogs = catalogTexts(options.catalogs), exchanges = exchanges, har = options.har,
      harRepeats = options.harRepeats,
    },
  }
end

return setup
