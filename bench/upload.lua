--- An upload with datasession, for bench/upload.sh.
--   upload.lua idle|read|file|function|sized|form SERVICE-URI PATH FILE
local datasession = require "datasession"

local work, uri, path, name = table.unpack(arg)
local session = datasession.new { serviceURI = uri, authenticationModel = "anonymous" }

local function send(options)
  options.path, options.method = path, "PUT"
  assert(session:request(options):await())
end

-- The pieces of the file.
local function pieces()
  local file = assert(io.open(name, "rb"))
  return function() return file:read(65536) end, file:seek "end", file:seek "set"
end

local works = {}

function works.idle() end
function works.file() send { bodyFile = name } end
works["function"] = function() send { body = pieces() } end
function works.form() send { multipart = { file = { path = name } } } end

function works.read()
  local body = pieces()
  repeat until not body()
end

function works.sized()
  local body, size = pieces()
  send { body = body, bodyLength = size }
end

works[work]()
