--- Base64, with padding.
local base64 = {}

local floor = math.floor

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local values = { ["="] = 0 }
for i = 1, #DIGITS do values[DIGITS:sub(i, i)] = i - 1 end

local function encodeChunk(chunk)
  local a, b, c = chunk:byte(1, 3)
  local bits = a * 65536 + (b or 0) * 256 + (c or 0)
  local digits = ""
  for shift = 18, 18 - 6 * #chunk, -6 do
    local value = floor(bits / 2 ^ shift) % 64
    digits = digits .. DIGITS:sub(value + 1, value + 1)
  end
  return digits .. ("="):rep(3 - #chunk)
end

function base64.encode(text)
  return (text:gsub("..?.?", encodeChunk))
end

local function decodeChunk(chunk)
  local bits = 0
  for digit in chunk:gmatch(".") do bits = bits * 64 + values[digit] end
  local bytes = string.char(floor(bits / 65536), floor(bits / 256) % 256, bits % 256)
  return bytes:sub(1, #chunk:gsub("=", "") - 1)
end

--- nil when the text is not Base64.
function base64.decode(text)
  if #text % 4 ~= 0 or not text:find("^[%w+/]*=?=?$") then return nil end
  return (text:gsub("....", decodeChunk))
end

return base64
