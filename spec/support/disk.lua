-- Child processes with a disk that a spec controls: see spec/host/slow_disk.c.
local files = dofile "spec/support/files.lua"

local disk = {}

-- The library, beside the C modules under test.
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

--- As spec/support/child.lua, with that library preloaded.
function disk.child()
  local child = dofile "spec/support/child.lua"
  child.variables = ('LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}%s"'):format(library())
  return child
end

--- The path of a file for DATASESSION_DISK_GATE. Its removal lets the disk continue.
function disk.gate(directory)
  files.write(directory .. "/gate", "")
  return directory .. "/gate"
end

return disk
