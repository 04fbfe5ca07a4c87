--- Lets go of a file's specs and of what they hold once the file has run. busted keeps them to its end, and
-- each full collection that a spec asks for walks them all.
local busted = require "busted"

local KEPT = { name = true, descriptor = true, attributes = true, trace = true } -- what reports tell

local function forget(element)
  for _, child in ipairs(busted.children(element)) do
    forget(child)
    for key, value in pairs(child) do
      local kind = type(value)
      if not KEPT[key] and (kind == "function" or kind == "table") then child[key] = nil end
    end
  end
end

busted.subscribe({ "file", "end" }, function(file)
  forget(file)
  return nil, true -- the other subscribers are called too
end)
