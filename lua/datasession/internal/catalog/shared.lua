--- The catalogs that all sessions of a Lua state share: equal texts are checked once and kept once.
--
-- An entry holds what is known of a text. Users never get an entry or a table of it: `shared.open` makes new
-- objects for each session, and a resource of them on first access. An entry lives as long as a session that
-- has loaded the text, or this file among the most recent ones, refers to it.
--     text       the catalog's
--     shell      the decoded document; what stands in its arrays `resources` is not to be looked at
--     services   array of { first, last }: the numbers of each service's resources
--     names      array: the name of each resource, by number
--     places     name -> number
--     describe   function (number): the decoded description of a resource, and its properties' order
--     leftOut    array of messages about the members that were left out; nil: none was
--     made       what was made of descriptions, from which sessions get copies; so many at most
--
-- The validators of responses (ETag, Last-Modified) are kept by the request and its user.

local check = require "datasession.internal.catalog.check"
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local document = require "datasession.internal.catalog.document"
local file = require "datasession.internal.catalog.file"
local object = require "datasession.internal.catalog.object"
local resource = require "datasession.internal.catalog.resource"
local table = require("datasession.internal.lua").table

local concat = table.concat

local SAME_LENGTH = 4                       -- entries that are known for one length of text
local RECENT, RECENT_BYTES = 8, 8 * 1024 * 1024   -- unused entries that are kept, and bytes of their texts
local SLICE = 64 * 1024                     -- bytes that are scanned between two pauses
local MADE = 64                             -- resources that an entry keeps made
local ANSWERS = 1000                        -- answers whose validators are kept

local shared = {}

-- ## Entries

--- An entry of a text that the scanner took for good; nil when the rest of it is not.
local function scanned(text, scan)
  local pieces = {}
  for i, service in ipairs(scan.services) do
    pieces[i] = text:sub(service.from, service.start) .. text:sub(service.stop, service.to)
  end
  local shell = codec.decode(text:sub(1, scan.from) .. concat(pieces, ",") .. text:sub(scan.to))
  if not shell or not document.build(shell, {}, function() return {} end) then return nil end
  local function describe(number)
    local part = text:sub(scan.starts[number], scan.ends[number])
    local description = assert(codec.decode(part))
    return description, document.order(part, description)
  end
  return { text = text, shell = shell, services = scan.services, names = scan.names, places = scan.places,
    describe = describe }
end

--- An entry of whatever text: decodes and checks all of it.
local function decoded(text)
  local shell, message = document.decode(text)
  if shell == nil then return nil, message end
  local order = document.order(text, shell)
  local whole, problem = document.build(shell, {}, nil, order)
  if not whole then return nil, problem end
  local entry = { text = text, shell = shell, services = {}, names = {}, places = {},
    leftOut = whole.leftOut }
  local descriptions, n = {}, 0
  for s, service in ipairs(shell.services) do
    entry.services[s] = { first = n + 1, last = n + #service.resources }
    for _, description in ipairs(service.resources) do
      n = n + 1
      descriptions[n], entry.names[n], entry.places[description.name] = description, description.name, n
    end
  end
  function entry.describe(number) return descriptions[number], order end
  return entry
end

local byLength = setmetatable({}, { __mode = "v" })       -- length * SAME_LENGTH + 0 ... -> entry
local turn = 0

--- The texts of that length that are known.
function shared.texts(length)
  local texts, n = {}, 0
  for i = length * SAME_LENGTH, length * SAME_LENGTH + SAME_LENGTH - 1 do
    local entry = byLength[i]
    if entry then
      n = n + 1
      texts[n] = entry.text
    end
  end
  return table.unpack(texts, 1, n)
end

local function find(text)
  local at = #text * SAME_LENGTH
  for i = at, at + SAME_LENGTH - 1 do
    local entry = byLength[i]
    if entry and entry.text == text then return entry end
  end
end

local function remember(entry)
  local at = #entry.text * SAME_LENGTH
  for i = at, at + SAME_LENGTH - 1 do
    if not byLength[i] then
      byLength[i] = entry
      return
    end
  end
  turn = (turn + 1) % SAME_LENGTH
  byLength[at + turn] = entry
end

local recent = {}        -- the latest first

local function touch(entry)
  if recent[1] == entry then return end
  local kept, bytes = { entry }, #entry.text
  for i = 1, #recent do
    local other = recent[i]
    bytes = other ~= entry and bytes + #other.text or bytes
    if #kept == RECENT or bytes > RECENT_BYTES then break end
    if other ~= entry then kept[#kept + 1] = other end
  end
  recent = #entry.text <= RECENT_BYTES and kept or recent
end

-- The places that the scanner finds in a text.
local function scan(text, pause)
  if #text > file.MAX_SIZE then return nil end
  if not pause then return core.scanCatalog(text) end
  local go = core.catalogScanner(text)
  local found = go(SLICE)
  while found == true do
    pause()
    found = go(SLICE)
  end
  return found
end

--- The entry of a text.
-- @param pause function or nil: called between slices of the work
-- @return the entry; or nil and a message that names the place in the document
function shared.entry(text, pause)
  local entry, message = find(text), nil
  if not entry then
    local found = scan(text, pause)
    if pause then pause() end
    entry = found and scanned(text, found)
    if not entry then entry, message = decoded(text) end
    if not entry then return nil, message end
    remember(entry)
  end
  touch(entry)
  return entry
end

-- The content of a resource of the entry.
local function partsOf(entry, number, address, base)
  local key = number .. " " .. base
  local parts = entry.made and entry.made[key]
  if parts then return parts end
  local description, order = entry.describe(number)
  local message
  parts, message = check.run(resource.fill, { order = order }, 0, description, {}, address, base)
  if not parts then error("catalog: " .. message, 0) end
  if not entry.made or entry.madeCount == MADE then
    entry.made, entry.madeCount = {}, 0
  end
  entry.made[key], entry.madeCount = parts, entry.madeCount + 1
  return parts
end

--- A catalog of somebody's own: it shares nothing that can be reached with any other.
-- @param options table: `uri`, `serviceURI`, as `catalog.parse` takes them
function shared.open(entry, options)
  local made, message = document.build(entry.shell, options, function(service, position, base)
    local resources, range, address = {}, entry.services[position], service.address
    local make = resource.later(service, function(number)
      return core.copyTree(partsOf(entry, number, address, base))
    end)
    for number = range.first, range.last do
      resources[#resources + 1] = make(entry.names[number], number)
    end
    return resources
  end)
  if made then made.leftOut = entry.leftOut and table.move(entry.leftOut, 1, #entry.leftOut, 1, {}) end
  return made, message
end

--- The services of an entry: an array of { name, uri }, not to be changed.
function shared.services(entry, serviceURI)
  if entry.serviceURI ~= serviceURI then
    local list = {}
    for i, service in ipairs(entry.shell.services) do
      local address = type(service.address) == "string" and service.address or ""
      list[i] = { name = service.name, uri = object.absolute(serviceURI, address) }
    end
    entry.serviceURI, entry.list = serviceURI, list
  end
  return entry.list
end

-- ## Validators

local answers = {}                                        -- key -> { etag, lastModified }, never changed
local entries = setmetatable({}, { __mode = "v" })        -- key -> entry
local keys, oldest = {}, 0

--- The entry for the answer to a request.
-- @param key string: who asked for what
-- @return entry, { etag, lastModified }; or nil
function shared.answer(key)
  local entry = entries[key]
  if entry then
    touch(entry)
    return entry, answers[key]
  end
end

--- Keeps what a server said that the answer to a request can be known again by.
function shared.noteAnswer(key, entry, validators)
  if not answers[key] then
    oldest = oldest % ANSWERS + 1
    local gone = keys[oldest]
    if gone then answers[gone], entries[gone] = nil, nil end
    keys[oldest] = key
  end
  answers[key], entries[key] = validators, entry
end

return shared
