--- A download with datasession, for bench/download.sh.
--   download.lua idle|function|file|stream|lines SERVICE-URI PATH [FILE]
local datasession = require "datasession"

local work, uri, path, file = table.unpack(arg)
local session = datasession.new { serviceURI = uri, authenticationModel = "anonymous" }

local size = 0
local function count(piece) size = size + #piece end

local works = {}

works.idle = function() size = 1 end

works["function"] = function() assert(session:request({ path = path, saveTo = count }):await()) end

function works.file()
  assert(session:request({ path = path, saveTo = file }):await())
  size = assert(io.open(file, "rb")):seek "end"
end

function works.stream()
  local response <close> = assert(session:request({ path = path, stream = true }):await())
  for piece in response:chunks() do count(piece) end
end

function works.lines()
  local response <close> = assert(session:request({ path = path, stream = true }):await())
  for line in response:lines() do size = size + #line + 1 end
end

works[work]()
assert(size > 0, "nothing came")
