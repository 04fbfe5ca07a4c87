--- Downloads to files: the option `saveTo` of requests, with a path. The file is written beside its place, as
-- PATH.part, and moved there when it is whole. With `resume` an interrupted download leaves PATH.part and, if
-- the server has named the version of the document, PATH.part.version; the next one asks for the rest. A
-- device or a pipe at PATH is written to as it is.

local ascii = require "datasession.internal.ascii"
local files = require "datasession.internal.files"
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local requestFlow = require "datasession.internal.flow"
local mistake = require "datasession.internal.mistake"
local lua = require "datasession.internal.lua"
local math = lua.math

local format = string.format

local download = {}

local function fail(action, path, why)
  error(core.failure {
    kind = "file", result = core.constants.GENERAL_FAILURE,
    message = format("request: cannot %s '%s': %s", action, path, why),
  }, 0)
end

local function check(action, path, ok, why)
  if not ok then fail(action, path, why) end
  return ok
end

local function readAll(path)
  local file = files.open(path, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text
end

local function sizeOf(path)
  local file = files.open(path, "rb")
  local size = file and file:seek "end"
  if file then file:close() end
  return size
end

-- ---- A download: { path, part, version (a path), device (true: path is one), method, resume, from (bytes
-- that are there), validator, useless (true: the part does not fit the response), file, begun, resumable
-- (true: the part stays after a failure), goesOn (true: the response is the rest of what was there) }

-- The part that an interrupted download left, if the server can be asked for the rest.
local function findPart(self)
  local text = readAll(self.version)
  local known = text and codec.decode(text)
  local size = sizeOf(self.part)
  local validator = type(known) == "table" and known.validator
  local good = type(validator) == "string" and validator:find "^[^%z\1-\31\127]+$" -- a header's value
  if good and size and size > 0 then
    self.from, self.validator = size, validator
  end
end

-- The bytes of a part are counted as the server counts them, so they may not be compressed.
local function headersOf(self, given)
  if not self.resume then return given end
  if given ~= nil and type(given) ~= "table" then return given end -- session:request says what is wrong
  local headers = {}
  for name, value in pairs(given or {}) do
    local small = type(name) == "string" and ascii.lower(name)
    if small == "range" or small == "if-range" then
      mistake(format("request: option 'headers': option 'resume' sends '%s' itself, leave it out", name))
    end
    if small ~= "accept-encoding" then headers[name] = value end
  end
  headers["Accept-Encoding"] = "identity"
  if self.from then headers.Range, headers["If-Range"] = format("bytes=%d-", self.from), self.validator end
  return headers
end

-- RFC 9110, 13.1.5: a weak ETag does not do.
local function validatorOf(response)
  local tag = response.headers.etag
  if response.headers["content-encoding"] then return nil end
  if tag and tag:sub(1, 2) ~= "W/" then return tag end
  return response.headers["last-modified"]
end

-- The version is in its place before the first byte of the part is.
local function keepVersion(self, response)
  if self.device then return end
  local validator = self.resume and validatorOf(response)
  if not validator then return files.remove(self.version) end
  local file = check("write", self.version, files.open(self.version, "wb"))
  check("write", self.version, file:write(codec.encode { validator = validator }))
  check("write", self.version, file:close())
  self.resumable = true
end

-- True if the response is the rest of what is there.
local function goesOn(self, response)
  if not self.from or response.status ~= 206 then return false end
  local first = (response.headers["content-range"] or ""):match "^bytes (%d+)%-"
  return first and math.tointeger(tonumber(first)) == self.from
end

local function begin(self, response)
  local on = goesOn(self, response)
  self.useless = self.from and response.status == 206 and not on
  if self.useless then
    fail("write", self.part, "the server sent another part than the one that was asked for")
  end
  self.resumable = on
  self.file = check("write", self.part, files.open(self.part, on and "ab" or "wb"))
  self.begun, self.goesOn = true, on
  if not on then keepVersion(self, response) end
end

local function write(self, piece, response)
  if not self.file then begin(self, response) end
  check("write", self.part, self.file:write(piece))
end

local function close(self)
  local file = self.file
  self.file = nil
  if not file then return true end
  return file:close()
end

-- A response to HEAD and one of status 304 have no body, whatever the document is.
local function hasBody(self, response) return response.status ~= 304 and self.method ~= "HEAD" end

local function finish(self, response)
  if not hasBody(self, response) then return end
  if not self.file then begin(self, response) end
  if response.body ~= "" then write(self, response.body, response) end
  check("write", self.part, close(self))
  if self.device then return end
  check("write", self.path, files.replace(self.part, self.path))
  files.remove(self.version)
end

local function removePart(self)
  files.remove(self.part)
  files.remove(self.version)
end

local function abandon(self)
  close(self)
  if self.begun and not self.resumable and not self.device then removePart(self) end
end

-- The function that is told of the progress: with what was there before the request.
local function progressOf(self, f)
  if not self.from or type(f) ~= "function" then return f end
  return function(sent, toSend, received, toReceive)
    if not self.begun then return end -- the response may be the whole, too
    local before = self.goesOn and self.from or 0
    f(sent, toSend, before + received, toReceive and before + toReceive)
  end
end

local function optionsOf(self, given)
  local copy = {}
  for name, value in pairs(given) do copy[name] = value end
  copy.headers, copy.onProgress = headersOf(self, given.headers), progressOf(self, given.onProgress)
  return copy
end

-- The paths that are being written: two downloads to one would mix.
local busy = {}

local function newDownload(options, path, resume)
  if lua.zero(path) then mistake "request: option 'saveTo': the path holds a NUL byte" end
  if busy[path] then
    mistake(format("request: option 'saveTo': a download to '%s' is under way", path))
  end
  local device, method = core.isDevice(path), options.method
  local self = {
    path = path, part = device and path or path .. ".part", version = path .. ".part.version",
    device = device, resume = resume and not device,
    method = type(method) == "string" and ascii.upper(method),
  }
  if self.resume then findPart(self) end
  return self
end

local function isGet(options)
  if options.method then return ascii.upper(options.method) == "GET" end
  for _, body in ipairs { "body", "bodyFile", "form", "json", "multipart" } do
    if options[body] ~= nil then return false end
  end
  return true
end

--- Makes a request whose body goes to a file.
-- @param path string: replaced when the body has come whole; untouched otherwise
-- @param resume true: goes on with what an interrupted download left
-- @return promise of the request. Raises for mistakes in the options
function download.request(session, options, path, resume)
  local self = newDownload(options, path, resume)
  local promise = requestFlow(session, optionsOf(self, options),
    function(piece, response) write(self, piece, response) end)
  busy[path] = true
  return promise:next(function(response, ...)
    busy[path] = nil
    local ok, err = pcall(finish, self, response)
    if ok then return response, ... end
    abandon(self)
    error(err, 0)
  end, function(err)
    busy[path] = nil
    abandon(self)
    local noRest = self.from and err.httpStatus == 416 -- another document, or one no longer than the part
    if noRest or self.useless then removePart(self) end
    if noRest or self.useless and isGet(options) then -- after a 206 the server may have acted on a POST
      return download.request(session, options, path, resume)
    end
    error(err, 0)
  end)
end

return download
