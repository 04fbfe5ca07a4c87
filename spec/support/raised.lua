--- The message that a function raises. Fails if it does not raise, or if the message names no line of the
-- file that calls this.
local assert = require "luassert"

return function(f)
  local file = debug.getinfo(2, "S").short_src:match "[^/]+$"
  local ok, err = pcall(f)
  assert.is_false(ok)
  local message = tostring(err)
  local _, last = message:find(file:gsub("%p", "%%%0") .. ":%d+: ")
  return message:sub(1 + assert(last, message))
end
