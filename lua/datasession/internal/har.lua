--- A HAR 1.2 file (HTTP Archive) of all that is sent and received, without secrets.

local argument = require "datasession.internal.argument"
local ascii = require "datasession.internal.ascii"
local base64 = require "datasession.internal.base64"
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local recorder = require "datasession.internal.recorder"

local setmetatable, utf8 = lua.setmetatable, lua.utf8

local har = {}

local DEFAULT_BODIES = 1024 * 1024
local TAIL = "\n]}}\n"

local archive -- the current one: { file, path, bodies, entries, place }; nil: there is none

-- ---- One entry

-- Header values may have any bytes, JSON has UTF-8.
local function unicode(text)
  if utf8.len(text) then return text end
  return (text:gsub("[\x80-\xff]", function(c) return utf8.char(c:byte()) end))
end

local function pair(name, value) return { name = unicode(name), value = unicode(value) } end

-- The first line of a header block, and its headers as a list.
local function headersOf(block)
  local first, list = nil, codec.array {}
  for line in block:gmatch "[^\n]+" do
    local name, value = line:match "^([^:]+):[ \t]*(.*)$"
    if not first then
      first = line
    elseif name then
      list[#list + 1] = pair(name, value)
    end
  end
  return first or "", list
end

local function find(headers, name)
  for _, header in ipairs(headers) do
    if ascii.lower(header.name) == name then return header.value end
  end
  return ""
end

-- The values of cookies are masked; their names are shown. `one`: behind a cookie come its attributes.
local function cookiesOf(headers, name, one)
  local list = codec.array {}
  for _, header in ipairs(headers) do
    local text = ascii.lower(header.name) == name and header.value or ""
    for cookie, value in (one and text:match "^[^;]*" or text):gmatch "([^=; ]+)=([^;]*)" do
      list[#list + 1] = { name = cookie, value = value }
    end
  end
  return list
end

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function queryOf(uri)
  local list = codec.array {}
  for field in (uri:match "%?([^#]*)" or ""):gmatch "[^&]+" do
    local name, value = field:match "^([^=]*)=?(.*)$"
    list[#list + 1] = pair(unescape(name), unescape(value))
  end
  return list
end

-- Adds a body of `bytes` bytes, or its beginning, as text or in Base64.
local function addBody(to, body, bytes, most, encoding)
  if bytes > most then to.comment = ("recorded %d of %d bytes"):format(most, bytes) end
  to.text = body
  if not utf8.len(body) then to.text, to[encoding] = base64.encode(body), "base64" end
  return to
end

local function requestOf(message)
  local line, headers = headersOf(message.request)
  local request = {
    method = message.method, url = unicode(message.uri),
    httpVersion = line:match "(HTTP/[%d.]+)$" or "HTTP/1.1",
    cookies = cookiesOf(headers, "cookie"), headers = headers,
    queryString = queryOf(message.uri), headersSize = -1, bodySize = message.sentBytes,
  }
  if message.sentBytes > 0 then
    request.postData = addBody({ mimeType = find(headers, "content-type") }, message.sent, message.sentBytes,
      archive.bodies, "_encoding")
  end
  return request
end

local function responseOf(message)
  local line, headers = headersOf(message.response)
  local version, reason = line:match "^(HTTP/[%d.]+) %d+ ?(.*)$"
  local response = {
    status = message.response ~= "" and message.status or 0, statusText = unicode(reason or ""),
    httpVersion = version or "", headers = headers,
    cookies = cookiesOf(headers, "set-cookie", true),
    content = addBody({ size = message.receivedBytes, mimeType = find(headers, "content-type") },
      message.received, message.receivedBytes, archive.bodies, "encoding"),
    redirectURL = find(headers, "location"), headersSize = -1, bodySize = -1,
  }
  if message.failure ~= "" then response._error = unicode(message.failure) end
  return response
end

local function milliseconds(seconds) return math.floor(seconds * 1e6 + 0.5) / 1e3 end

-- HAR counts the handshake of TLS as a part of `connect` too; -1: there was none.
local function timingsOf(message)
  local connect, tls = message.connect + message.tls, message.tls
  return {
    blocked = milliseconds(message.queued), dns = connect > 0 and milliseconds(message.resolve) or -1,
    connect = connect > 0 and milliseconds(connect) or -1, ssl = tls > 0 and milliseconds(tls) or -1,
    send = 0, -- a part of `wait`
    wait = milliseconds(message.wait), receive = milliseconds(message.receive),
  }
end

local function momentOf(time)
  return ("%s.%03dZ"):format(os.date("!%Y-%m-%dT%H:%M:%S", math.floor(time)), math.floor(time % 1 * 1000))
end

local function entryOf(message)
  local entry = {
    startedDateTime = momentOf(message.time), time = milliseconds(message.total),
    request = requestOf(message), response = responseOf(message), cache = {}, timings = timingsOf(message),
    _session = message.session, _verb = message.verb,
  }
  if message.peer ~= "" then
    entry.serverIPAddress, entry.connection = message.peer, tostring(message.connection)
  end
  return entry
end

-- ---- The file

local function close()
  local ended = archive
  if not ended then return true end
  recorder.set("messages", nil)
  archive = nil
  return ended.file:close()
end

-- The file is a whole HAR file after each write: the next one overwrites its end.
local function write(text)
  local file = archive.file
  local ok, message = file:seek("set", archive.place)
  if ok then ok, message = file:write(text) end
  if ok then
    archive.place, message = file:seek()
    ok = archive.place
  end
  if ok then ok, message = file:write(TAIL) end
  if ok then ok, message = file:flush() end
  return ok, message
end

--- For the recorder: a message that is over.
function har.write(message)
  if not archive then return end
  local separator = archive.entries > 0 and ",\n" or ""
  archive.entries = archive.entries + 1
  local ok, why = write(separator .. assert(codec.encode(entryOf(message))))
  if ok then return end
  local path = archive.path
  close()
  error(("datasession.har has ended: %s: %s"):format(path, why), 0)
end

local function begin(path, bodies)
  local file, message = recorder.open(path, "w+b")
  if not file then return nil, message end
  archive = { file = file, path = path, place = 0, entries = 0, bodies = bodies }
  local version = package.loaded.datasession._VERSION:match "%S+$"
  local ok
  ok, message = write(('{"log":{"version":"1.2","creator":{"name":"datasession","version":"%s"},' ..
    '"entries":[\n'):format(version))
  if ok then return archive end
  archive = nil
  file:close()
  return nil, path .. ": " .. message
end

local methods = {}
methods.__index = methods
methods.__name = "datasession.har"

-- Its finaliser runs before that of its file.
function methods:__gc()
  if archive == self then core.deliverRecords() end
end

--- Ends the file. Does nothing if it has ended.
function methods:close()
  if archive == self then return close() end
  return true
end
methods.__close = methods.close

function methods:__tostring()
  return ("datasession.har: %d entries in %s%s"):format(self.entries, self.path,
    archive == self and "" or ", closed")
end

--- Begins a HAR file, which ends the one before.
-- @param path string: a file that is replaced; nil: ends the current one
-- @param options table or nil: `bodies`, integer: the most bytes of each body, default 1 MiB
-- @return object with `close`; or nil and a message when the file cannot be written. Raises for other
--   arguments
function har.har(path, options)
  local bodies = recorder.bodiesOf("har", options, DEFAULT_BODIES)
  if path ~= nil and type(path) ~= "string" then
    raise(("har: expected a path or nil, got %s"):format(argument.type(path)), 2)
  end
  if path then recorder.checkPath("har", path) end
  close()
  if path == nil then return true end
  local new, message = begin(path, bodies)
  if not new then return nil, message end
  recorder.set("messages", bodies)
  return setmetatable(new, methods)
end

return har
