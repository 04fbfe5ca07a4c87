--- Percent-encoding.
local byte, format, gsub = string.byte, string.format, string.gsub

local percent = {}

--- A set for `encode`: letters, digits and the marks that RFC 3986 leaves.
percent.UNRESERVED = "A-Za-z0-9%-_.~"

--- Another: what JavaScript's encodeURIComponent leaves.
percent.COMPONENT = "A-Za-z0-9%-_.!~*'()"

--- The text with each byte that is not in `plain` as %XX.
-- @param plain a set of a pattern, without its brackets; with ranges, since %w follows the locale
function percent.encode(text, plain)
  return (gsub(text, "[^" .. plain .. "]", function(c) return format("%%%02X", byte(c)) end))
end

return percent
