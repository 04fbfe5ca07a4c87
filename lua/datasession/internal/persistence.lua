--- Named sessions: what of a session is kept in a store, and when it is believed again.
--
-- One JSON object for each name:
--
--     format               1
--     protocol             the session's; "jsdo" when it is not there
--     wire                 what that keeps of its own, a table of strings and numbers; `expires`, when it is there, is
--                          the end of it, in milliseconds since 1970
--     serviceURI, authenticationModel, userName, loginResult, loginHttpStatus, clientContextId, pingInterval
--                          the session's properties
--     pingURI              where the service answers pings, once that is known
--     context              the context properties
--     catalogs             [{ "uri": ..., "etag": ..., "lastModified": ... }]
--     cookies              those of the session's own host, as lines of Netscape's cookie file
--     provider             { uri, authenticationModel, cookies }, where the login is proved elsewhere than there
--     providerUserName     whom getSession logged that provider in as
--     tokens               { access, refresh, refreshAt }, only with keepTokens; refreshAt is in seconds since 1970
--
-- There is never a password in it.
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local raise = require "datasession.internal.raise"

local persistence = {}

local FORMAT = 1

-- ---- what comes from a store is believed when it reads like what we write

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
  return value == nil or type(value) == "table" and isLine(value.uri) and value.uri:find("^https?://[^/@]+") and
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

-- A session that shows a token cannot go on without; one that shows a password cannot go on.
local function hasItsToken(document)
  local model = document.provider and document.provider.authenticationModel or document.authenticationModel
  return model == "anonymous" or model == "form" or
    ((model == "bearer" or model == "form_sso") and document.tokens ~= nil)
end

-- What a protocol keeps of its own: it says itself whether that is of use.
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

-- What is wrong with the document, or nil.
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

-- session -> the text that its store holds of it, as far as it knows
local kept = setmetatable({}, { __mode = "k" })

-- options that getSession has read a document for -> { store, document or nil, its text }
local prepared = setmetatable({}, { __mode = "k" })

local function report(name, what, message)
  core.report(("datasession: the session '%s' could not be %s: %s"):format(name, what, tostring(message)))
end

-- A store's method, whose failure is told to onError; ok, what it gives.
local function try(store, name, what, method, ...)
  local called, result, message = pcall(store[method], store, ...)
  if not called or not result and message ~= nil then
    report(name, what, called and message or result)
    return false
  end
  return true, result
end

local function storeOf(options)
  local store = options.storage
  if store == nil then
    return require("datasession.storage").file()
  end
  if type(store) ~= "table" and type(store) ~= "userdata" then
    error("option 'storage': expected a store with the methods get, set and remove, got " .. type(store), 0)
  end
  for _, method in ipairs { "get", "set", "remove" } do
    if type(store[method]) ~= "function" then
      error(("option 'storage': it has no method '%s'"):format(method), 0)
    end
  end
  return store
end

local function ignore(name, why)
  warn(("datasession: the stored session '%s' is ignored: %s"):format(name, why))
end

-- The document of that text, or nil: what is wrong with it is a warning.
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

-- Is the document that of such a session? `who`: its serviceURI, model and protocol, and, `own`, whether that keeps a
-- part of its own (nil: not known), which proves it whatever the model.
local function isTheirs(document, who)
  local own = document.wire ~= nil
  return document.serviceURI == who.serviceURI and (document.protocol or "jsdo") == who.protocol and
    (who.own == nil or own == who.own) and (own or document.authenticationModel == who.model)
end

local function isOver(document)
  local expires = document.wire and document.wire.expires
  return expires ~= nil and expires <= os.time() * 1000
end

-- The document that is kept under the name for such a session, or nil. Another's goes, and what is past its deadline.
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

--- Hook of datasession.new: the store, and the document that the new session goes on with, or nil.
-- One that is given a provider has its login from there.
function persistence.restore(options, session, name, serviceURI, model, protocol, own)
  local ready = prepared[options] or { store = storeOf(options) }
  if not prepared[options] and options.authProvider == nil then
    local who = { serviceURI = serviceURI, model = model, protocol = protocol, own = own }
    ready.document, ready.text = load(ready.store, name, who)
  end
  kept[session] = ready.document and ready.text
  return ready.store, ready.document
end

-- Is the stored login that of the user for whom getSession was called? Who asks for nobody takes what there is.
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

--- For getSession: reads the store for the options of the session to be made.
-- @return whether the session will go on with a stored login, which is that of the user who is asked for
function persistence.prepare(mine, options, model)
  if type(mine.name) ~= "string" or mine.name == "" or type(mine.serviceURI) ~= "string" or not MODELS[model] then
    return false -- or a mistake, which datasession.new raises for
  end
  core.claimName(mine.name)
  local store = storeOf(mine)
  local uri = mine.serviceURI:gsub("/+$", "")
  local document, text = load(store, mine.name, { serviceURI = uri, model = model, protocol = mine.protocol or "jsdo" })
  if document and not isOf(document, options, model) then
    document = nil
  end
  prepared[mine] = { store = store, document = document, text = text }
  return document ~= nil
end

-- ---- writing

-- What tells one login from another in the text of a document; nil when it is none.
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

-- Another process may have logged in under that name since: what it keeps there is not ours to remove.
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

--- Hook: keeps the session as the table `state` says, or, nil, no longer.
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
  kept[session] = text -- first: what is stored must be known, to be removed one day, even if memory gives out now
  if not try(store, name, "kept", "set", name, text) then
    kept[session] = last
  end
end

--- Loads the catalogs that a session which goes on with a stored login had, and has not yet.
-- One that could not be loaded stays known, for another try.
-- @return addCatalog's promise; with nothing to load it succeeds at once
function persistence.reloadCatalogs(session)
  if getmetatable(session) ~= "datasession.session" then
    raise("reloadCatalogs: expected a session, got " .. type(session) .. ": call it with ':' instead of '.'", 2)
  end
  return session:addCatalog(core.wantedCatalogs(session) or {})
end

return persistence
