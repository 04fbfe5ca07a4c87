--- How much memory something takes, on systems whose kernel tells.
local memory = {}

local function field(name)
  local file = io.open "/proc/self/status"
  local text = file and file:read "a"
  if file then file:close() end
  return text and tonumber(text:match(name .. ":%s*(%d+) kB"))
end

local function reset()
  local file = io.open("/proc/self/clear_refs", "w")
  if not file then return false end
  local done = file:write "5"
  return file:close() and done ~= nil
end

--- Calls f(...): by how many bytes the process grew at most meanwhile (0: it is not told), and the bytes of
-- Lua's that are left. Further results are f's.
function memory.growth(f, ...)
  collectgarbage()
  collectgarbage()
  local counts, before, lua = reset(), field "VmRSS", collectgarbage "count"
  local results = table.pack(f(...))
  local most = counts and before and field "VmHWM"
  collectgarbage()
  collectgarbage()
  local left = (collectgarbage "count" - lua) * 1024
  if os.getenv "ASAN_OPTIONS" then most = nil end -- the address sanitizer keeps what was freed
  return most and (most - before) * 1024 or 0, left, table.unpack(results, 1, results.n)
end

return memory
