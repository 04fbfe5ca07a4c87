--- Local storage: saveLocal, readLocal, addLocalRecords and deleteLocal over the stores of named sessions
-- (datasession.store).
--
-- A store's text under the key "data:<name>" is a line and a part of the data, which are the JSON of a
-- dataset with before-image:
--
--     datasession.data 1 <stamp> <number of parts> <bytes of the data>
--
-- The other parts have keys of their own, "data:<name>:<stamp>:<number>". They are written first and the old
-- ones removed last, so that a program that is killed leaves the old data or the new.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local image = require "datasession.internal.data.image"
local imagewriter = require "datasession.internal.data.imagewriter"
local merge = require "datasession.internal.data.merge"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"
local math = require("datasession.internal.lua").math

local format = string.format

local localstorage = { methods = {}, options = {} }
local methods = localstorage.methods

local ALL_DATA, CHANGES_ONLY = 1, 2
local PART = 512 * 1024               -- bytes; file stores read no text beyond a megabyte
local TEMP_TABLE = "_localStorage"    -- the name of the dataset around a temp-table

-- ---- the store

--- The constructor's option `store`.
function localstorage.options.store(jsdo, store, level)
  for _, method in ipairs { "get", "set", "remove" } do
    local isObject = type(store) == "table" or type(store) == "userdata"
    if not isObject or type(store[method]) ~= "function" then
      raise("JSDO: option 'store': expected a store with the methods get, set and remove", level + 1)
    end
  end
  jsdo[P].store = store
end

-- The option, else that of the session, else files.
local function storeOf(jsdo)
  local s = jsdo[P]
  if not s.store then s.store = core.storeOf(s.session) or require "datasession.store".file() end
  return s.store
end

-- Calls a method of the store. Its results; nil and a message if it failed or raised.
local function try(store, method, ...)
  local ok, result, message = pcall(store[method], store, ...)
  if not ok then return nil, tostring(result) end
  return result, message ~= nil and tostring(message) or nil
end

-- ---- parts

local function parseHead(text)
  local stamp, parts, bytes, at = text:match "^datasession%.data 1 (%w+) (%d+) (%d+)\n()"
  if not stamp then return nil end
  return { stamp = stamp, parts = math.tointeger(parts), bytes = math.tointeger(bytes), at = at }
end

local function partKey(key, stamp, i) return format("%s:%s:%d", key, stamp, i) end

-- The head of what is stored and the text that it begins; nil: nothing; nil and a message after a failure.
local function readHead(store, key)
  local text, message = try(store, "get", key)
  if text == nil then return nil, message end
  local head = type(text) == "string" and parseHead(text)
  if not head then return nil, "the stored text is not what this library writes" end
  head.text = text:sub(head.at)
  return head
end

local function removeParts(store, key, head)
  for i = 2, head and head.parts or 0 do
    local ok, message = try(store, "remove", partKey(key, head.stamp, i))
    if not ok and message then return nil, message end
  end
  return true
end

-- The stored data; nil: there are none; nil and a message after a failure.
local function readText(store, key)
  local head, message = readHead(store, key)
  if not head then return nil, message end
  local list = { head.text }
  for i = 2, head.parts do
    list[i], message = try(store, "get", partKey(key, head.stamp, i))
    if type(list[i]) ~= "string" then return nil, message or "a part of the stored data is missing" end
  end
  local text = table.concat(list)
  if #text ~= head.bytes then return nil, "the stored data are incomplete" end
  return text
end

local serial = 0

-- Differs from the stamps of other programs and of earlier calls.
local function newStamp()
  serial = serial + 1
  return format("%xx%xx%x", os.time(), math.random(0, 0x7fffffff), serial)
end

local function writeText(store, key, text)
  local old, stamp = readHead(store, key), newStamp()
  local parts = math.max(1, math.ceil(#text / PART))
  for i = 2, parts do
    local ok, message = try(store, "set", partKey(key, stamp, i), text:sub((i - 1) * PART + 1, i * PART))
    if not ok then return nil, message end
  end
  local head = format("datasession.data 1 %s %d %d\n", stamp, parts, #text)
  local ok, message = try(store, "set", key, head .. text:sub(1, PART))
  if not ok then return nil, message end
  return removeParts(store, key, old)
end

-- ---- arguments

-- The key of the stored data: sessions have keys in the same store. Catalogs may have services and resources
-- of the same names. A query may hold a secret.
local function keyOf(jsdo, name)
  local s = jsdo[P]
  local own = s.catalogURI and "_" .. s.catalogURI:gsub("%?.*", "") or ""
  return "data:" .. (name or format("jsdo_%s_%s%s", s.resource.service.name, s.resource.name, own))
end

local function checkCount(call, most, n, level)
  if n > most then
    raise(format("%s: expected at most %d argument%s, got %d", call, most, most == 1 and "" or "s", n),
      level + 1)
  end
end

local function checkName(call, name, level)
  if name ~= nil and (type(name) ~= "string" or name == "") then
    raise(format("%s: name: expected a text that is not empty, got %s", call,
      name == "" and "an empty one" or type(name)), level + 1)
  end
end

local function failed(call, jsdo, message)
  return nil, format("%s: %s: %s", call, jsdo[P].resource.name, message or "the store failed")
end

-- ---- the data

local function datasetName(jsdo)
  return jsdo[P].resource.datasetName or TEMP_TABLE
end

-- The members of a stored dataset. Raises unless its tables are those of the data object.
local function membersOf(call, jsdo, document, level)
  local members = type(document) == "table" and document[datasetName(jsdo)]
  local known = { ["prods:hasChanges"] = true, ["prods:before"] = true, ["prods:errors"] = true }
  local missing
  for _, t in ipairs(jsdo[P].tables) do
    local name = t[P].shape.name
    known[name] = true
    if type(members) ~= "table" or type(members[name]) ~= "table" then missing = missing or name end
  end
  for name in next, type(members) == "table" and members or {} do
    if not known[name] then missing = missing or name end
  end
  if missing then
    raise(format("%s: the stored data have other tables than %s ('%.64s' is not in both)", call,
      jsdo[P].resource.name, missing), level + 1)
  end
  return members
end

-- The stored data, parsed; false: nothing; nil and a message after a failure.
local function load(call, jsdo, name, level)
  local text, message = readText(storeOf(jsdo), keyOf(jsdo, name))
  if not text then
    if not message then return false end
    return failed(call, jsdo, message)
  end
  local document, problem = codec.decode(text)
  if document == nil then return failed(call, jsdo, "the stored data are not JSON: " .. problem) end
  local parsed
  parsed, message = image.parse(jsdo, membersOf(call, jsdo, document, level + 1))
  if not parsed then return failed(call, jsdo, message) end
  return parsed
end

local function encode(jsdo, changesOnly)
  return imagewriter.writeAll(jsdo, datasetName(jsdo), changesOnly)
end

-- ---- the methods

--- Stores the records of all tables with their pending changes.
-- @param ... [name] [, mode]: the name is a string, by default jsdo_<service>_<resource>; the mode is
--   JSDO.ALL_DATA (the default) or JSDO.CHANGES_ONLY
-- @return true; nil and a message when the store failed. Raises for wrong arguments
function methods.saveLocal(jsdo, ...)
  checkCount("saveLocal", 2, select("#", ...), 2)
  local name, mode = ...
  if math.type(name) and mode == nil then name, mode = nil, name end
  checkName("saveLocal", name, 2)
  if mode ~= nil and mode ~= ALL_DATA and mode ~= CHANGES_ONLY then
    raise("saveLocal: mode: expected JSDO.ALL_DATA or JSDO.CHANGES_ONLY, got " .. tostring(mode), 2)
  end
  local ok, text = pcall(encode, jsdo, mode == CHANGES_ONLY)
  if not ok then raise("saveLocal: " .. (type(text) == "table" and text.message or tostring(text)), 2) end
  local written, message = writeText(storeOf(jsdo), keyOf(jsdo, name), text)
  if not written then return failed("saveLocal", jsdo, message) end
  return true
end

--- Replaces memory by stored records, with their pending changes.
-- @param name string, optional
-- @return true; false when nothing is stored; nil and a message when it cannot be read. Raises when it has
--   other tables
function methods.readLocal(jsdo, ...)
  checkCount("readLocal", 1, select("#", ...), 2)
  local name = ...
  checkName("readLocal", name, 2)
  local parsed, message = load("readLocal", jsdo, name, 2)
  if not parsed then return parsed, message end
  image.load(parsed)
  return true
end

-- The key fields of a table: those given, else the primary key, else the idProperty.
local function keysOf(t, keyFields, level)
  local given = merge.keysFor("addLocalRecords", t, keyFields, level + 1)
  return given or schema.rowKeys(t[P].shape)
end

--- Merges stored records, with their pending changes, into memory: a stored record replaces the one that has
-- its key.
-- @param ... [name,] mode [, keyFields]: the mode is JSDO.MODE_REPLACE; keyFields is an array of names, or
--   { table = names }, by default the primary key, else the idProperty
-- @return as readLocal. Raises for wrong arguments, other tables, and when both have a change of one record
function methods.addLocalRecords(jsdo, ...)
  checkCount("addLocalRecords", 3, select("#", ...), 2)
  local name, mode, keyFields = ...
  if math.type(name) then name, mode, keyFields = nil, name, mode end
  checkName("addLocalRecords", name, 2)
  if mode ~= merge.REPLACE then
    raise("addLocalRecords: mode: expected JSDO.MODE_REPLACE, got " .. tostring(mode), 2)
  end
  local keys = {}
  for i, t in ipairs(jsdo[P].tables) do keys[i] = keysOf(t, keyFields, 2) or {} end
  local parsed, message = load("addLocalRecords", jsdo, name, 2)
  if not parsed then return parsed, message end
  for i, one in ipairs(parsed) do
    local ok, problem = merge.add(one, mode, keys[i])
    if not ok then raise("addLocalRecords: " .. problem, 2) end
  end
  return true
end

--- Removes stored records. Memory stays.
-- @param name string, optional
-- @return true; nil and a message when the store failed
function methods.deleteLocal(jsdo, ...)
  checkCount("deleteLocal", 1, select("#", ...), 2)
  local name = ...
  checkName("deleteLocal", name, 2)
  local store, key = storeOf(jsdo), keyOf(jsdo, name)
  local head = readHead(store, key)
  local ok, message = try(store, "remove", key)
  if not ok and message then return failed("deleteLocal", jsdo, message) end
  ok, message = removeParts(store, key, head)
  if not ok then return failed("deleteLocal", jsdo, message) end
  return true
end

return localstorage
