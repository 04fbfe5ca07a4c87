-- sources.lua: the files of the tree and their texts, for the checks in this folder. They run at its top.
local sources = {}

--- The paths that find(1) gives for those arguments, in the order of their bytes.
function sources.find(arguments)
  local paths = {}
  local found = assert(io.popen("find " .. arguments .. " | LC_ALL=C sort"))
  for path in found:lines() do paths[#paths + 1] = path end
  found:close()
  return paths
end

--- The whole text of a file. Raises when it cannot be read.
function sources.read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

return sources
