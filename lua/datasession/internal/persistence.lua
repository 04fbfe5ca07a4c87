--- Named sessions: the document that a store keeps for a session, and the checks before a session is
-- restored.
--
-- One JSON object for each name:
--
--     format               1
--     protocol             the session's; "jsdo" if absent
--     wire                 the protocol's data, a table of strings and numbers; `expires`, if present, is
--                          when they expire, in milliseconds since 1970
--     serviceURI, authenticationModel, userName, loginResult, loginHttpStatus, clientContextId, pingInterval
--                          the session's properties
--     pingURI              the address of the ping service, once known
--     context              the context properties
--     catalogs             [{ "uri": ..., "etag": ..., "lastModified": ... }]
--     cookies              those of the session's own host, as lines of Netscape's cookie file
--     provider             { uri, authenticationModel, cookies }, if the login is not proved at serviceURI
--     providerUserName     the user name with which getSession logged in that provider
--     tokens               { access, refresh, refreshAt }, only with keepTokens; refreshAt: since 1970
--
-- There is never a password in it.
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local mistake = require "datasession.internal.mistake"
local raise = require "datasession.internal.raise"

local math, table, warn = lua.math, lua.table, lua.warn

local persistence = {}

local FORMAT = 1

-- ---- checks: accepts only documents like those that this file writes

local function isLine(value)
  return type(value) == "string" and value ~= "" and not value:find("[%c\127]")
end

local function isOptionalLine(value)
  return value == nil or isLine(value)
end

local function isNumber(value, least, most)
  return math.type(value) ~= nil and value >= least and value <= most
end

local function isArray(value, isElement)
  if value == nil then
    return true
  end
  if type(value) ~= "table" then
    return false
  end
  for key, element in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #value or not isElement(element) then
      return false
    end
  end
  return true
end

local function isCookie(value)
  return type(value) == "string"
end

local function isCatalog(value)
  return type(value) == "table" and isLine(value.uri) and isOptionalLine(value.etag) and
    isOptionalLine(value.lastModified)
end

local function isTokens(value)
  return value == nil or type(value) == "table" and isLine(value.access) and isOptionalLine(value.refresh) and
    (value.refreshAt == nil or isNumber(value.refreshAt, 0, 1e12))
end

local MODELS = { anonymous = true, basic = true, form = true, sso = true, bearer = true }
local PROVIDER_MODELS = { anonymous = true, form = true, form_sso = true, bearer = true }

local function isProvider(value)
  return value == nil or type(value) == "table" and isLine(value.uri)
    and value.uri:find("^https?://[^/@]+") and
    PROVIDER_MODELS[value.authenticationModel] and isArray(value.cookies, isCookie)
end

local function isContext(value)
  if value == nil then
    return true
  end
  return type(value) == "table" and #value == 0 and codec.encodeHeader(value) ~= nil
end

local function isText(value)
  return value == nil or type(value) == "string"
end

-- True if the session can be restored: with a token model only with the token, with basic never.
local function hasItsToken(document)
  local model = document.provider and document.provider.authenticationModel or document.authenticationModel
  return model == "anonymous" or model == "form" or
    ((model == "bearer" or model == "form_sso") and document.tokens ~= nil)
end

-- The protocol's data. The protocol itself judges whether it can use them.
local function isWire(value)
  if value == nil then
    return true
  end
  if type(value) ~= "table" then
    return false
  end
  for key, member in pairs(value) do
    if type(key) ~= "string" or not isLine(member) and not isNumber(member, 0, 1e15) then
      return false
    end
  end
  return value.expires == nil or math.type(value.expires) ~= nil
end

-- A message about the document; nil: it is valid.
local function fault(document)
  if type(document) ~= "table" then
    return "it is no JSON object"
  end
  if document.format ~= FORMAT then
    return "its format is not the one that this version writes"
  end
  local ok = type(document.serviceURI) == "string" and type(document.authenticationModel) == "string" and
    isText(document.userName) and isText(document.providerUserName) and
    document.loginResult == core.constants.SUCCESS and
    isNumber(document.loginHttpStatus, 0, 999) and math.type(document.loginHttpStatus) == "integer" and
    isOptionalLine(document.clientContextId) and isNumber(document.pingInterval, 0, 1e12) and
    isOptionalLine(document.pingURI) and isArray(document.cookies, isCookie) and
    isArray(document.catalogs, isCatalog) and isTokens(document.tokens) and isProvider(document.provider) and
    isContext(document.context) and isOptionalLine(document.protocol) and isWire(document.wire) and
    (document.wire ~= nil or hasItsToken(document))
  return not ok and "it is not what this library writes" or nil
end

-- ---- reading

-- session -> the text in its store, as far as this process knows
local kept = setmetatable({}, { __mode = "k" })

local function report(name, what, message)
  core.report(("datasession: the session '%s' could not be %s: %s"):format(name, what, tostring(message)))
end

-- Calls a method of a store, and reports a failure to onError. Returns ok and the method's results.
local function try(store, name, what, method, ...)
  local called, result, message = pcall(store[method], store, ...)
  if not called or not result and message ~= nil then
    report(name, what, called and message or result)
    return false
  end
  return true, result
end

-- `fail`: raises with a message.
local function storeOf(options, fail)
  local option, store = "store", options.store
  if store == nil then
    option, store = "storage", options.storage -- the old name
  elseif options.storage ~= nil then
    fail("options 'store' and 'storage', its old name: pass only one")
  end
  if store == nil then
    return require("datasession.store").file()
  end
  if type(store) ~= "table" and type(store) ~= "userdata" then
    fail(("option '%s': expected a store with the methods get, set and remove, got %s")
      :format(option, type(store)))
  end
  for _, method in ipairs { "get", "set", "remove" } do
    if type(store[method]) ~= "function" then
      fail(("option '%s': it has no method '%s'"):format(option, method))
    end
  end
  return store
end

local function ignore(name, why)
  warn(("datasession: the stored session '%s' is ignored: %s"):format(name, why))
end

-- The document in that text. nil: it is invalid, and a warning was given.
local function read(name, text)
  if type(text) ~= "string" then
    ignore(name, "the store gave a " .. type(text) .. ", no text")
    return nil
  end
  local document, message = codec.decode(text)
  if message then
    ignore(name, "it is no JSON")
    return nil
  end
  local why = fault(document)
  if why then
    ignore(name, why)
    return nil
  end
  return document
end

-- True if the document belongs to such a session. `who`: its serviceURI, model and protocol, and `own`:
-- whether the protocol stores data of its own (nil: unknown), which identify it whatever the model.
local function isTheirs(document, who)
  local own = document.wire ~= nil
  return document.serviceURI == who.serviceURI and (document.protocol or "jsdo") == who.protocol and
    (who.own == nil or own == who.own) and (own or document.authenticationModel == who.model)
end

local function isOver(document)
  local expires = document.wire and document.wire.expires
  return expires ~= nil and expires <= os.time() * 1000
end

-- The document stored under the name for such a session, or nil. Removes one of another service, and an
-- expired one.
local function load(store, name, who)
  local ok, text = try(store, name, "read", "get", name)
  if not ok or text == nil then
    return nil
  end
  local document = read(name, text)
  if not document then
    return nil
  end
  if not isTheirs(document, who) then
    ignore(name, "it is of another serviceURI or authenticationModel; it is removed")
  elseif not isOver(document) then
    return document, text
  end
  try(store, name, "removed", "remove", name)
  return nil
end

--- Hook of datasession.new: the store, and the document from which the new session is restored, or nil. A
-- session with a provider takes its login from the provider. `found`: the result of `prepare`, if that has
-- read the store.
function persistence.restore(options, session, name, serviceURI, model, protocol, own, found)
  if not found then
    found = { store = storeOf(options, mistake) }
    if options.authProvider == nil then
      local who = { serviceURI = serviceURI, model = model, protocol = protocol, own = own }
      found.document, found.text = load(found.store, name, who)
    end
  end
  kept[session] = found.document and found.text
  return found.store, found.document
end

-- True if the stored login is that of the user in getSession's options, or these name no user.
local function isOf(document, options, model)
  local given = options.username
  if options.loginCallback or given == nil or given == "" or model == "anonymous" and not document.wire then
    return true
  end
  if document.wire then
    return document.userName == given
  end
  if model == "bearer" then
    return document.tokens.access == given
  end
  return (document.userName or document.providerUserName) == given
end

--- For getSession: reads the store for the options of the new session.
-- @return { store, document, text } for core.newFrom: with a document if the session will continue with a
--   stored login, which is that of the user who is asked for; nil: the session has no name
function persistence.prepare(mine, options, model)
  if type(mine.name) ~= "string" or mine.name == "" or type(mine.serviceURI) ~= "string"
    or not MODELS[model] then
    return nil -- or a mistake, which datasession.new raises for
  end
  core.claimName(mine.name)
  local store = storeOf(mine, function(message) error(message, 0) end)
  local uri = mine.serviceURI:gsub("/+$", "")
  local who = { serviceURI = uri, model = model, protocol = mine.protocol or "jsdo" }
  local document, text = load(store, mine.name, who)
  if document and not isOf(document, options, model) then
    document = nil
  end
  return { store = store, document = document, text = text }
end

-- ---- writing

-- A key that identifies the login in a document's text; nil: the text is no document.
local function loginIn(text)
  local document = type(text) == "string" and codec.decode(text)
  if type(document) ~= "table" or fault(document) then
    return nil
  end
  local parts = table.move(document.cookies or {}, 1, #(document.cookies or {}), 1, {})
  table.sort(parts)
  parts[#parts + 1] = document.userName or document.providerUserName or ""
  parts[#parts + 1] = document.tokens and document.tokens.access or ""
  parts[#parts + 1] = document.wire and document.wire.id or ""
  return table.concat(parts, "\n")
end

-- Another process may have logged in under that name since: its data must not be removed.
local function forget(session, store, name)
  local last = kept[session]
  kept[session] = nil
  if last == nil then
    return
  end
  local ok, text = try(store, name, "read", "get", name)
  if not ok or text == last or loginIn(text) == loginIn(last) then
    try(store, name, "removed", "remove", name)
  end
end

--- Hook: stores the session's data, the table `state`; nil: removes them.
function persistence.persist(session, store, name, state)
  if not state then
    return forget(session, store, name)
  end
  state.format = FORMAT
  local text, message = codec.encodeBytes(state)
  if not text then
    return report(name, "kept", message)
  end
  local last = kept[session]
  if text == last then
    return
  end
  kept[session] = text -- first: even when out of memory, a later removal needs the text
  if not try(store, name, "kept", "set", name, text) then
    kept[session] = last
  end
end

--- Loads the catalogs that a restored session had and does not have yet. One that fails stays in the list for
-- another try.
-- @return addCatalog's promise; with nothing to load it succeeds at once
function persistence.reloadCatalogs(session)
  if getmetatable(session) ~= "datasession.session" then
    raise("reloadCatalogs: expected a session, got " .. type(session) .. ": call it with ':' instead of '.'",
      2)
  end
  return session:addCatalog(core.wantedCatalogs(session) or {})
end

return persistence
