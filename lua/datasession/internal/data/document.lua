--- Decodes JSON documents in slices: an answer of 10,000 rows takes longer than a step may.
local codec = require "datasession.internal.codec"
local core = require "datasession.core"

local concat = table.concat

local SMALL = 32 * 1024      -- bytes: a text that is decoded at once
local SLICE = 32 * 1024      -- bytes of rows that are decoded at once: about a third of a millisecond
local SCAN = 256 * 1024      -- bytes that are scanned at once
local BOM = "\239\187\191"

local document = {}

--- The arrays of rows in the text; nil: the text must be decoded as a whole.
local function scan(text, pause)
  local go = core.rowScanner(text, SLICE)
  local arrays = go(SCAN)
  while arrays == true do
    pause()
    arrays = go(SCAN)
  end
  return arrays
end

--- The text without the rows.
local function shellOf(text, arrays)
  local parts, from = {}, 1
  for i, array in ipairs(arrays) do
    parts[i] = text:sub(from, array.from)
    from = array.to
  end
  parts[#parts + 1] = text:sub(from)
  return concat(parts)
end

--- The empty array at the end of a path; nil if a key is repeated, so that something else stands there.
local function listAt(shell, path)
  local list = shell
  for i = 1, #path do
    if type(list) ~= "table" then return nil end
    list = list[path[i]]
  end
  return codec.isArray(list) and #list == 0 and list or nil
end

--- Decodes the rows of an array into a list. True; or nil and a message.
local function fill(list, text, array, pause)
  local count = 0
  for i = 1, #array, 2 do
    pause()
    local length, message = codec.decodeRows(text, array[i], array[i + 1], list, count)
    if not length then return nil, (message:gsub(" %(line.*", "")) end
    count = length
  end
  return true
end

--- Decodes a text as codec.decode does.
-- @param pause function: called between slices of the work
-- @return the value; or nil and a message, which tells the position in a small text, and quotes nothing
function document.decode(text, pause)
  if #text <= SMALL then return codec.decode(text) end
  if text:sub(1, 3) == BOM then text = text:sub(4) end
  local arrays = scan(text, pause)
  if not arrays then return codec.decode(text) end
  local shell, message = codec.decode(shellOf(text, arrays))
  if shell == nil then return nil, message end
  for _, array in ipairs(arrays) do
    local list = listAt(shell, array.path)
    if not list then return codec.decode(text) end
    local ok, problem = fill(list, text, array, pause)
    if not ok then return nil, problem end
  end
  return shell
end

return document
