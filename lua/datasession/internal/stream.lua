--- Stream parameters of DataSnap's methods: bytes of a text, a file or a function, which go into the body of
-- a call as a JSON list of numbers, piece by piece.

local core = require "datasession.core"
local files = require "datasession.internal.files"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"
local math = lua.math

local format = string.format

local stream = {}

local PIECE = 16384 -- bytes, of which each is WIDTH in the body
local WIDTH = 4 -- so that the size of the body follows from that of the stream
local FIELDS = { "path", "data", "read", "length", "rewind" }
local TYPES = { path = "string", data = "string", read = "function", rewind = "function" }

-- The C half knows streams by this name.
local Stream = { __name = "datasession.datasnap.stream" }

function Stream.__tostring(self)
  local from = self.path and "the file " .. self.path or self.data and "a string" or "a function"
  return Stream.__name .. ": " .. from
end

local function checkFields(given)
  for name, value in pairs(given) do
    local expected = TYPES[name]
    if not expected and name ~= "length" then
      return suggest.unknown("field of a stream", name, FIELDS)
    elseif expected and type(value) ~= expected then
      return format("%s: expected a %s, got %s", name, expected, type(value))
    end
  end
end

-- Returns what is wrong, or nil.
local function check(given)
  if type(given) ~= "table" then return "expected a table, got " .. type(given) end
  local wrong = checkFields(given)
  if wrong then return wrong end
  local sources = 0
  for _, name in ipairs { "path", "data", "read" } do
    if given[name] ~= nil then sources = sources + 1 end
  end
  if sources ~= 1 then return "expected one of path, data and read" end
  local length = given.length
  if length ~= nil and (math.type(length) ~= "integer" or length < 0) then
    return "length: expected a number of bytes, an integer of 0 or more"
  end
  if not given.read and (length or given.rewind) then return "length and rewind go with read" end
  if given.path and lua.zero(given.path) then return "the path holds a NUL byte" end
end

--- A parameter of the server's type TStream, which is sent without being in memory as a whole.
-- @param source a table with one of these fields: `path`, of a file; `data`, a string; `read`, a function
--   that returns one string after another, then nil. With `read`: `length`, the number of bytes, if it is
--   known; `rewind`, a function that begins again, so that the call may be sent again
-- @return an object for the parameters of session:invoke and of a proxy's methods that use POST or PUT.
--   Raises for mistakes
function stream.new(source)
  local wrong = check(source)
  if wrong then raise("stream: " .. wrong, 2) end
  local copy = {}
  for name, value in pairs(source) do copy[name] = value end
  return setmetatable(copy, Stream)
end

-- ---- Sources: { read = function () chunk or nil, length = bytes or nil, file }

local function fail(kind, message, ...)
  error(core.failure {
    kind = kind, result = core.constants.GENERAL_FAILURE, message = "invoke: " .. format(message, ...),
  }, 0)
end

local function failFile(path, why) fail("file", "cannot read '%s': %s", path, why) end

-- A directory can be opened, but not read.
local function openFile(path)
  if core.isDevice(path) then failFile(path, "it is no regular file") end
  local file, why = files.open(path, "rb")
  if not file then failFile(path, why:gsub("^.*: ", "")) end
  local nothing, broken = file:read(0)
  if not nothing and broken then failFile(path, broken) end
  return file
end

local function ofFile(self)
  local file = openFile(self.path)
  local length = file:seek "end"
  file:seek "set"
  local left = length
  return { file = file, length = length, read = function()
    if left == 0 then return nil end
    local chunk, why = file:read(math.min(PIECE, left))
    if not chunk then failFile(self.path, why or "it became shorter while it was sent") end
    left = left - #chunk
    return chunk
  end }
end

local function ofText(self)
  local text = self.data
  return { length = #text, read = function()
    local all = text
    text = nil
    return all ~= "" and all or nil
  end }
end

local function ofFunction(self)
  return { length = self.length, read = function()
    local chunk, why = self.read()
    if chunk == nil and why ~= nil then error(why, 0) end
    if chunk ~= nil and type(chunk) ~= "string" then
      fail("error", "a stream: expected the function read to return a string or nil, got %s", type(chunk))
    end
    return chunk
  end }
end

local function open(self)
  return self.path and ofFile(self) or self.data and ofText(self) or ofFunction(self)
end

-- ---- A body: { texts and streams in turns; at: the next of them, source: of the stream that is being sent,
-- chunk: what it gave, position: the first byte of that which was not sent, count: bytes of it that were,
-- used (streams whose function was called), length (bytes or nil: at the time of the call) }

local function checkCount(length, count, over)
  if length and (over and count > length or not over and count < length) then
    fail("error", "a stream's length is %d, but its function gave %d bytes%s", length, count,
      over and " or more" or "")
  end
end

local function close(self)
  local source = self.source
  if source and source.file then source.file:close() end
  self.source, self.chunk = nil, nil
end

local function beginStream(self, given)
  self.source, self.count = open(given), 0
  if given.rewind then self.used[given] = true end
  -- the server was told the size of all
  local told = self.lengths[self.at]
  if given.path and told and told ~= self.source.length then
    failFile(given.path, "its size has changed since the call")
  end
end

local function takeChunk(self)
  local chunk = self.source.read()
  if chunk == nil then
    checkCount(self.source.length, self.count, false)
    close(self)
    self.at = self.at + 1
    return
  end
  self.chunk, self.position = chunk, 1
  checkCount(self.source.length, self.count + #chunk, true)
end

-- The next piece of the stream, or "".
local function streamPiece(self, given)
  if not self.source then beginStream(self, given) end
  if not self.chunk then takeChunk(self) end
  local chunk, first = self.chunk, self.position
  if not chunk then return "" end
  local last = math.min(first + PIECE - 1, #chunk)
  local piece = core.byteList(chunk, first, last, self.count == 0)
  self.count, self.position = self.count + last - first + 1, last + 1
  if last == #chunk then self.chunk = nil end
  return piece
end

local function nextPiece(self)
  local segment = self.segments[self.at]
  if type(segment) == "table" then return streamPiece(self, segment) end
  self.at = self.at + 1
  return segment
end

local function rewind(self)
  close(self)
  self.at = 1
  local used = self.used
  self.used = {}
  for given in pairs(used) do given.rewind() end
end

-- nil: the file cannot be read, which the call is told of when it begins.
local function lengthOf(given)
  if not given.path then return given.length or given.data and #given.data end
  local ok, source = pcall(ofFile, given)
  if not ok then return nil end
  source.file:close()
  return source.length
end

-- The size of the body, or nil; and whether it can be sent twice. Notes the sizes of the streams.
local function measure(self)
  local length, again = 0, true
  for i, segment in ipairs(self.segments) do
    local isText = type(segment) == "string"
    local size = isText and #segment or lengthOf(segment)
    if not isText then
      self.lengths[i] = size
      size = size and size * WIDTH
      again = again and (not segment.read or segment.rewind ~= nil)
    end
    length = length and size and length + size
  end
  return length, again
end

--- The body of a call.
-- @param segments the body's texts and streams in turns
-- @param onProgress function or nil
-- @return the options of the body, as those of requests: body, bodyLength, rewind, onProgress
function stream.body(segments, onProgress)
  local self = { segments = segments, at = 1, used = {}, lengths = {} }
  local length, again = measure(self)
  return {
    body = function() return nextPiece(self) end, bodyLength = length,
    rewind = again and function() rewind(self) end or nil, onProgress = onProgress,
  }
end

return stream
