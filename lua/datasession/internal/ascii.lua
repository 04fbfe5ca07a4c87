--- ASCII case conversion, as protocols need it. string.lower and string.upper depend on the locale, which the
-- host may change.

local gsub, lower, upper = string.gsub, {}, {}
for code = 65, 90 do
  local capital, small = string.char(code), string.char(code + 32)
  lower[capital], upper[small] = small, capital
end

local ascii = {}

function ascii.lower(text)
  return (gsub(text, "[A-Z]", lower))
end

function ascii.upper(text)
  return (gsub(text, "[a-z]", upper))
end

return ascii
