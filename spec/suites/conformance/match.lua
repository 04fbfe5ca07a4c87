--- The rules that allowed.lua has for a value: the value itself, NONE, SOME, ANY, or a function of it.
local match = {}

local NONE, SOME, ANY = {}, {}, {}
match.NONE, match.SOME, match.ANY = NONE, SOME, ANY

--- One of the values of a list.
function match.one(list)
  return function(value)
    for _, known in ipairs(list) do
      if value == known or known == NONE and value == nil then return true end
    end
    return false
  end
end

--- A text that a pattern finds.
function match.matching(pattern)
  return function(value) return type(value) == "string" and value:find(pattern) ~= nil end
end

--- A list of more than `n` values.
function match.longer(n)
  return function(value) return type(value) == "table" and #value > n end
end

--- An empty list.
function match.isEmpty(value)
  return type(value) == "table" and next(value) == nil
end

--- An event, alone or among others.
function match.event(text)
  return function(value)
    for _, name in ipairs(type(value) == "table" and value or {}) do
      if name == text then return true end
    end
    return false
  end
end

--- A list of one event, which is one of those named.
function match.oneEvent(names)
  return function(value)
    return type(value) == "table" and #value == 1 and match.one(names)(value[1])
  end
end

--- True if a value is what a rule asks for.
function match.fits(rule, value, difference)
  if rule == ANY then return true end
  if rule == NONE then return value == nil end
  if rule == SOME then return value ~= nil end
  if type(rule) == "function" then return rule(value, difference) end
  return rule == value
end

return match
