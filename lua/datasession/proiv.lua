--- PROIV sessions with the verbs of the vendor's page library: start, stop, finish (the vendor's "end"),
-- setActive, also by the vendor's names, and a hub. The functions of the module are the methods of a default
-- manager; proiv.manager makes others.

require "datasession"
local manager = require "datasession.proiv.manager"

local default = manager.new()

local proiv = {
  --- The default manager's hub.
  hub = default.hub,
  --- See datasession.proiv.manager.
  manager = manager.new,
}

local verbs = { "start", "startAsync", "stop", "finish", "setActive", "getActive", "session", "keys",
  "close", "startPROIVSession", "stopPROIVSession", "endPROIVSession", "setActivePROIVSession" }
for _, name in ipairs(verbs) do
  proiv[name] = function(...)
    return default[name](default, ...)
  end
end

return proiv
