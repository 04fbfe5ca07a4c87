--- Data objects (JSDO): records of a server's resources in memory, their changes, and what reads and saves
-- them. `datasession.JSDO` is this module's `JSDO`; the constants are fields of both.

local jsdo = require "datasession.internal.data.jsdo"
local plugins = require "datasession.internal.data.plugins"

local data = { JSDO = jsdo.class, PluginManager = plugins.PluginManager }

for name, value in next, jsdo.class do data[name] = value end

return data
