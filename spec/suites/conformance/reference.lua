--- The reference's side of a case: every step is taken by node.
local Reference = {}
Reference.__index = Reference

function Reference:step(step)
  return self.channel:ask { ["do"] = "step", step = step, within = step.within }
end

--- The page is shown again: objects are gone, what was stored and the cookies are not.
function Reference:refresh()
  self.channel:ask { ["do"] = "refresh" }
end

function Reference:close()
end

--- Lets the page live for a while.
function Reference:pump(seconds)
  self.channel:ask { ["do"] = "live", within = seconds }
  require("socket").sleep(seconds)
end

local function open(channel, origin)
  channel:ask { ["do"] = "open", page = origin .. "/index.html" }
  return setmetatable({ channel = channel, name = "reference" }, Reference)
end

return { open = open }
