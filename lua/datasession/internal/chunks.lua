--- Responses whose body is read piece by piece, while it comes: the option `stream` of requests.

local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local requestFlow = require "datasession.internal.flow"
local suggest = require "datasession.internal.suggest"

local closing, setmetatable = lua.closing, lua.setmetatable

local chunks = {}

-- ---- The pieces: at most one waits here, and the transfer waits for its taking.

local Pieces = {}
Pieces.__index = Pieces

-- The fields are there from the beginning: without memory none could be added.
local function newPieces()
  return setmetatable({
    piece = false, given = false, taken = false, ended = false, err = false, left = false,
  }, Pieces)
end

local function wake(pieces, name)
  local signal = pieces[name]
  pieces[name] = false
  if signal then signal.settle(true) end
end

-- Waits for the next wake(pieces, name), as may others at the same time.
local function wait(pieces, name)
  local signal = pieces[name]
  if not signal then
    signal = { settle = false, promise = false }
    signal.promise = core.promise(function(resolve) signal.settle = resolve end)
    pieces[name] = signal
  end
  signal.promise:await()
end

-- Gives a piece, and waits until it is taken. Raises when nothing will take it.
function Pieces:give(piece)
  self.piece = piece
  wake(self, "given")
  if self.piece and not self.left then wait(self, "taken") end
  if self.left then error("request: the program has left the response", 0) end
end

-- The program takes no more pieces.
function Pieces:leave()
  self.left = true
  wake(self, "taken")
end

function Pieces:finish(err)
  self.ended, self.err = true, err
  wake(self, "given")
end

-- Takes the next piece, and waits for it; nil: there is none.
function Pieces:take()
  while not self.piece and not self.ended do wait(self, "given") end
  local piece = self.piece
  if not piece and self.err then error(self.err, 0) end
  self.piece = false
  wake(self, "taken")
  return piece or nil
end

-- ---- The response

local FIELDS = {
  status = true, ok = true, headers = true, uri = true, timing = true, timings = true, attempts = true,
}
local methods = {}

-- response -> { pieces, flow, response }
local states = setmetatable({}, { __mode = "k" })

local function release(response)
  local state = states[response]
  if not state or state.pieces.ended then return end
  state.pieces:leave()
  state.flow:cancel()
end

local meta = {
  __name = "datasession.response",
  __metatable = "datasession.response",
  __gc = release,
  __close = release,
  __tostring = function(response)
    return ("HTTP %d, a stream from %s"):format(response.status, response.uri)
  end,
}

function meta.__index(response, name)
  if methods[name] then return methods[name] end
  if FIELDS[name] then return states[response].response[name] end
  if name == "body" or name == "json" then
    raise(("a response that streams has no field '%s': read its body with response:chunks()"):format(name), 2)
  end
  local names = {}
  for _, known in ipairs { FIELDS, methods } do
    for one in pairs(known) do names[#names + 1] = one end
  end
  raise(suggest.unknown("field of a response", name, names), 2)
end

function meta.__newindex() raise("a response is read-only", 2) end

local function stateOf(response, method)
  local state = states[response]
  if not state then
    raise(("%s: expected a response, got %s: call it with ':' instead of '.'"):format(method,
      type(response)), 3)
  end
  return state
end

--- Iterates over the pieces of the body, as they come: strings that are not empty. Waits for each. Raises
-- when the body does not come whole.
function methods.chunks(response)
  local pieces = stateOf(response, "chunks").pieces
  return function() return pieces:take() end
end

local LF, CR = 10, 13

-- The text from `first` on, up to the line's end at `at`.
local function lineOf(text, first, at)
  return text:sub(first, at > first and text:byte(at - 1) == CR and at - 2 or at - 1)
end

-- The line whose beginning is in the pieces before, and whose rest is `rest`. Empties `begun`.
local function joined(begun, rest)
  begun[#begun + 1] = rest
  local line = table.concat(begun)
  for i = #begun, 1, -1 do begun[i] = nil end
  return line:byte(-1) == LF and lineOf(line, 1, #line) or line
end

--- Iterates over the lines of the body, without their ends (LF or CR LF).
function methods.lines(response)
  local pieces, piece, first, begun = stateOf(response, "lines").pieces, "", 1, {}
  return function()
    while piece do
      local start, at = first, piece:find("\n", first, true)
      if at then
        first = at + 1
        return begun[1] and joined(begun, piece:sub(start, at)) or lineOf(piece, start, at)
      end
      if first <= #piece then begun[#begun + 1] = piece:sub(first) end
      piece, first = pieces:take(), 1
    end
    return begun[1] and joined(begun, "")
  end
end

--- Ends the transfer; the rest of the body is dropped.
function methods.close(response)
  stateOf(response, "close")
  release(response)
end

local function newResponse(response, pieces, flow)
  local made = setmetatable({}, meta)
  states[made] = { response = response, pieces = pieces, flow = flow }
  return made
end

-- ---- The request

local function cancel(held)
  if held.opened then return end
  held.pieces:leave()
  if held.flow then held.flow:cancel() end
end

-- Settles the promise of the request, once. Then nothing here holds the response, which ends the transfer
-- when the program forgets it.
local function settle(held, name, ...)
  local f = held[name]
  held.resolve, held.reject = false, false
  if f then f(...) end
end

local function begin(held, response, ...)
  if held.resolve then settle(held, "resolve", newResponse(response, held.pieces, held.flow), ...) end
end

local function listen(held)
  local pieces = held.pieces
  held.flow:next(function(response, ...)
    begin(held, response, ...)
    if response.body ~= "" then pieces.piece = response.body end
    pieces:finish()
  end, function(err)
    pieces:finish(err)
    settle(held, "reject", err)
  end)
end

local function open(held)
  local response, result, info = core.promise(function(resolve, reject)
    held.resolve, held.reject = resolve, reject
    listen(held)
  end):await()
  if not response then error(result, 0) end
  held.opened = true
  return response, result, info
end

--- Makes a request whose promise resolves when the body begins.
-- @return promise of (response, SUCCESS, info); the response has chunks(), lines() and close(). Raises for
--   mistakes in the options
function chunks.request(session, options)
  local held = setmetatable(
    { pieces = newPieces(), flow = false, opened = false, resolve = false, reject = false },
    { __close = cancel })
  held.flow = requestFlow(session, options, function(piece, response)
    begin(held, response, core.constants.SUCCESS, { xhr = response })
    held.pieces:give(piece)
  end)
  local ok, opening = pcall(core.spawn, closing, held, open, held)
  if ok then return opening end
  cancel(held)
  error(opening, 0)
end

return chunks
