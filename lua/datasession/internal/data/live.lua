--- The data objects that exist, by session. Both are weak: a data object keeps its session, the session does
-- not keep it.

local live = {}

local weakKeys = { __mode = "k" }
local bySession = setmetatable({}, weakKeys)
local count = 0

--- Notes a new data object.
function live.add(session, jsdo)
  local objects = bySession[session]
  if not objects then
    objects = setmetatable({}, weakKeys)
    bySession[session] = objects
  end
  count = count + 1
  objects[jsdo] = count
end

--- An array of the session's data objects, the oldest first: session.JSDOs.
function live.list(session)
  local objects, list = bySession[session] or {}, {}
  for jsdo in next, objects do list[#list + 1] = jsdo end
  table.sort(list, function(a, b) return objects[a] < objects[b] end)
  return list
end

return live
