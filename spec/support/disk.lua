-- Children whose disk does as a spec says: see spec/host/slow_disk.c.
local files = dofile "spec/support/files.lua"

local disk = {}

-- The library beside the C modules that are tried.
local function library()
  for path in package.cpath:gmatch "[^;]+" do
    local build = path:match "^(.*)/lib/%?%.so$"
    local name = build and build .. "/preload/spec/host/slow_disk.so"
    local file = name and io.open(name)
    if file then
      file:close()
      return name
    end
  end
  error "slow_disk.so is not built: make specs"
end

--- What spec/support/child.lua gives, its children having that library.
function disk.child()
  local child = dofile "spec/support/child.lua"
  child.variables = ('LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}%s"'):format(library())
  return child
end

--- A file for DATASESSION_DISK_GATE: its path. To be removed for the disk to go on.
function disk.gate(directory)
  files.write(directory .. "/gate", "")
  return directory .. "/gate"
end

return disk
