--- The servers of the specs about servers that mean harm.
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"

local servers = {}

local looked, other, evil

--- Starts two sandboxes and a fault server.
-- @return the sandbox that is looked at, which keeps a log; another, for harm that a well-behaved server can
--   do; the fault server; its origin
function servers.start()
  looked, other = assert(sandbox.start()), assert(sandbox.start())
  evil = assert(fault_server.start())
  return looked, other, evil, "http://127.0.0.1:" .. evil:port()
end

--- For before_each.
function servers.clear()
  for _, one in ipairs { looked, other } do
    one:clearFaults()
    one:clearRequests()
  end
  evil:clear()
end

--- For teardown.
function servers.close()
  looked:close()
  other:close()
  evil:close()
end

return servers
