--- Texts in which every eight bytes are others, so that no part can be lost or misplaced unseen.
local bodies = { LARGE = 5000000 }

local lines = {}
for i = 0, bodies.LARGE // 8 do lines[i + 1] = ("%07d\n"):format(i) end
local text = table.concat(lines)

function bodies.of(size)
  return text:sub(1, size)
end

--- The sizes to try: from 0 to 70,000, and 5 MB.
function bodies.sizes(step)
  local sizes = {}
  for size = 0, 70000, step do sizes[#sizes + 1] = size end
  sizes[#sizes + 1] = bodies.LARGE
  return sizes
end

return bodies
