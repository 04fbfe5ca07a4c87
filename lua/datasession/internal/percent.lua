--- Percent-encoding.
local byte, format, gsub = string.byte, string.format, string.gsub

local percent = {}

--- The text with each byte that is not in `plain` as %XX.
-- @param plain a set of a pattern, without its brackets; with ranges, since %w follows the locale
function percent.encode(text, plain)
  return (gsub(text, "[^" .. plain .. "]", function(c) return format("%%%02X", byte(c)) end))
end

return percent
