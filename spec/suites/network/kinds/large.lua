--- Requests with a body of 1 MB that flows: the response's, taken by a function, into a file, as a stream;
-- and the request's, from a file and from a function.
local datasession = require "datasession"

local common = ...
local message, maker = common.message, common.maker

local SIZE, GRAIN = 1000000, 1000
local DOWN, UP = "GET /Large/document", "POST /Large/upload"
local MOST_GROWTH = 4096 -- KiB of Lua's memory between two calls

local function numbered(size)
  local lines = {}
  for i = 1, size // 10 do lines[i] = ("%09d\n"):format(i) end
  return table.concat(lines)
end

local TEXT = numbered(SIZE)

local answers = {
  [DOWN] = message("200 OK", 'Content-Type: application/octet-stream\r\nETag: "1"\r\n', TEXT),
  [UP] = message("200 OK", "", "taken"),
}

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

-- Bytes that are not the document's beginning were taken from another place or request.
local function assertBegins(text)
  assert(TEXT:sub(1, #text) == text, "not the beginning of the document")
end

local function byFunction(subject)
  local taken = 0
  return subject.session:request({ path = "/document", saveTo = function(piece)
    assert(TEXT:sub(taken + 1, taken + #piece) == piece, "a piece of another place")
    taken = taken + #piece
  end }):next(function(response)
    assert(taken == SIZE, "not all of it")
    return response
  end)
end

local function byStream(subject)
  return datasession.spawn(function()
    local response <close> = assert(subject.session:request({ path = "/document", stream = true }):await())
    local taken = 0
    for piece in response:chunks() do
      assert(TEXT:sub(taken + 1, taken + #piece) == piece, "a piece of another place")
      taken = taken + #piece
    end
    assert(taken == SIZE, "not all of it")
    return true
  end)
end

local function assertGone(path)
  for _, suffix in ipairs { "", ".part", ".part.version" } do
    assert(not read(path .. suffix), "a file is left: " .. suffix)
  end
end

local function byPath(subject)
  os.remove(subject.path)
  return subject.session:request({ path = "/document", saveTo = subject.path }):next(function(response)
    assert(read(subject.path) == TEXT, "a file that is not the document")
    os.remove(subject.path)
    assertGone(subject.path)
    return response
  end, function(err)
    assertGone(subject.path)
    error(err, 0)
  end)
end

-- The part of the call before is there: the server sends the whole document, which takes its place.
local function byPart(subject)
  os.remove(subject.path)
  local options = { path = "/document", saveTo = subject.path, resume = true }
  return subject.session:request(options):next(function(response)
    assert(read(subject.path) == TEXT, "a file that is not the document")
    os.remove(subject.path)
    assertGone(subject.path)
    return response
  end, function(err)
    assert(not read(subject.path), "an interrupted file is in its place")
    assertBegins(read(subject.path .. ".part") or "")
    error(err, 0)
  end)
end

local function fromFile(subject)
  local file = assert(io.open(subject.path, "wb"))
  assert(file:write(TEXT))
  assert(file:close())
  return subject.session:request({ path = "/upload", method = "POST", bodyFile = subject.path })
    :always(function() os.remove(subject.path) end)
end

local function fromFunction(subject)
  local at = 1
  return subject.session:request({ path = "/upload", method = "POST", bodyLength = SIZE, body = function()
    local piece = TEXT:sub(at, at + 9999)
    at = at + #piece
    return piece ~= "" and piece or nil
  end })
end

local make = maker("/Large", {})

local function ready(subject)
  collectgarbage()
  local now = collectgarbage "count"
  subject.memory = subject.memory or now
  assert(now - subject.memory < MOST_GROWTH, "the memory grows")
  subject.path = subject.path or os.tmpname()
  os.remove(subject.path)
end

local kinds = {
  { name = "large: to a function", key = DOWN, call = byFunction },
  { name = "large: to a file", key = DOWN, call = byPath },
  { name = "large: to a file, resumed", key = DOWN, call = byPart },
  { name = "large: a stream", key = DOWN, call = byStream },
  { name = "large: from a file", key = UP, call = fromFile, sends = SIZE },
  { name = "large: from a function", key = UP, call = fromFunction, sends = SIZE },
}

for _, kind in ipairs(kinds) do
  kind.make, kind.ready, kind.grain = make, ready, GRAIN
end

return { kinds = kinds, answers = answers }
