--- A generator of random numbers of its own: the same seed gives the same numbers, whatever else uses
-- math.random.
local random = {}
random.__index = random

local MODULUS, FACTOR = 2147483647, 48271 -- of std::minstd_rand: floats hold its products, too

local function draw(self)
  self.state = self.state * FACTOR % MODULUS
  return self.state
end

--- @param seed integer
function random.new(seed)
  local self = setmetatable({ state = seed % (MODULUS - 1) + 1 }, random)
  draw(self) -- near 0 for a small seed
  return self
end

--- An integer from 1 to n.
function random:upTo(n)
  return draw(self) % n + 1
end

--- True in `part` of all cases.
function random:chance(part)
  return draw(self) / MODULUS < part
end

--- A number from 0 to most.
function random:number(most)
  return draw(self) / MODULUS * most
end

--- One of a list.
function random:of(list)
  return list[self:upTo(#list)]
end

--- One of a list of { weight, ... }.
function random:weighted(list)
  local total = 0
  for _, item in ipairs(list) do total = total + item[1] end
  local at = self:number(total)
  for _, item in ipairs(list) do
    at = at - item[1]
    if at < 0 then return item end
  end
  return list[#list]
end

return random
