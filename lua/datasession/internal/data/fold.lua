--- Upper case of texts, for comparing without regard to case: ASCII, Latin, Greek and Cyrillic letters.

local ascii = require "datasession.internal.ascii"
local utf8 = require("datasession.internal.lua").utf8

local char, find, gsub = utf8.char, string.find, string.gsub

local upper -- small letter outside ASCII -> capital

local function addRange(first, last, distance, step)
  for code = first, last, step or 1 do upper[char(code)] = char(code - distance) end
end

local function build()
  upper = {}
  addRange(0xE0, 0xF6, 32)         -- Latin-1
  addRange(0xF8, 0xFE, 32)
  upper[char(0xFF)] = char(0x178)
  addRange(0x101, 0x12F, 1, 2)     -- Latin Extended-A: pairs, but for dotless i and its neighbours
  addRange(0x133, 0x137, 1, 2)
  addRange(0x13A, 0x148, 1, 2)
  addRange(0x14B, 0x177, 1, 2)
  addRange(0x17A, 0x17E, 1, 2)
  addRange(0x3AD, 0x3AF, 37)       -- Greek
  addRange(0x3B1, 0x3C1, 32)
  addRange(0x3C3, 0x3CB, 32)
  addRange(0x3CD, 0x3CE, 63)
  upper[char(0x3AC)], upper[char(0x3C2)], upper[char(0x3CC)] = char(0x386), char(0x3A3), char(0x38C)
  addRange(0x430, 0x44F, 32)       -- Cyrillic
  addRange(0x450, 0x45F, 80)
  addRange(0x461, 0x481, 1, 2)
end

-- string.upper goes by the locale, which the host may change.
local function isPlainLocale()
  return not os.setlocale or os.setlocale(nil, "ctype") == "C"
end

--- A function that gives a text in upper case. Made again for each sort, since the locale may change.
return function()
  local ofAscii = isPlainLocale() and string.upper or ascii.upper
  return function(text)
    if not find(text, "[\195-\210]") then return ofAscii(text) end
    if not upper then build() end
    return (gsub(ofAscii(text), "[\195-\210][\128-\191]", upper))
  end
end
