--- Requests whose body is taken as it comes: by a function, into a file, as a stream.
local datasession = require "datasession"

local common = ...
local message, maker = common.message, common.maker

local TEXT = ("a line of the document\n"):rep(20)
local KEY = "GET /Flow/document"

local answers = { [KEY] = message("200 OK", "Content-Type: application/octet-stream\r\n", TEXT) }

-- Pieces that are none of the document's, although the call may fail, are another request's.
local function checked(pieces)
  local text = table.concat(pieces)
  assert(TEXT:sub(1, #text) == text, "the answer to another request")
  return text
end

local function byFunction(subject)
  local pieces = {}
  return subject.session:request({ path = "/document", saveTo = function(piece)
    pieces[#pieces + 1] = piece
    checked(pieces)
    datasession.nextStep()
  end }):next(function(response)
    assert(checked(pieces) == TEXT, "not all of it")
    return response
  end)
end

local function byPath(subject)
  subject.path = subject.path or os.tmpname()
  os.remove(subject.path)
  return subject.session:request({ path = "/document", saveTo = subject.path }):always(function()
    local file = io.open(subject.path, "rb")
    local text = file and file:read "a"
    if file then file:close() end
    os.remove(subject.path)
    assert(not text or text == TEXT, "a file that is not the document")
    assert(not io.open(subject.path .. ".part", "rb"), "a part is left")
  end)
end

local function byStream(subject)
  return datasession.spawn(function()
    local response <close> = assert(subject.session:request({ path = "/document", stream = true }):await())
    local pieces = {}
    for piece in response:chunks() do
      pieces[#pieces + 1] = piece
      checked(pieces)
    end
    assert(checked(pieces) == TEXT, "not all of it")
    return true
  end)
end

local kinds = {
  { name = "flow: to a function", key = KEY, call = byFunction },
  { name = "flow: to a file", key = KEY, call = byPath },
  { name = "flow: a stream", key = KEY, call = byStream, skips = { "cancel" } },
}

for _, kind in ipairs(kinds) do
  kind.make, kind.ready = maker("/Flow", {}), function() end
  kind.instead = { timeout = { "timeout", "stall" } } -- the time limit is for each wait
end

return { kinds = kinds, answers = answers }
