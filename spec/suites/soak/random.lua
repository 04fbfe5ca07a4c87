--- A generator of random numbers of its own: the same seed gives the same numbers, whatever else uses
-- math.random.
local random = {}
random.__index = random

--- @param seed integer
function random.new(seed)
  return setmetatable({ state = seed * 0x9E3779B97F4A7C15 | 1 }, random)
end

-- xorshift64*
local function draw(self)
  local x = self.state
  x = x ~ (x >> 12)
  x = x ~ (x << 25)
  x = x ~ (x >> 27)
  self.state = x
  return (x * 0x2545F4914F6CDD1D) >> 33
end

--- An integer from 1 to n.
function random:upTo(n)
  return draw(self) % n + 1
end

--- True in `part` of all cases.
function random:chance(part)
  return draw(self) / (1 << 31) < part
end

--- A number from 0 to most.
function random:number(most)
  return draw(self) / (1 << 31) * most
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
