--- Catalogs as JSON: an array of services.

local plain = require "datasession.command.tree.plain"
local show = require "datasession.command.show"
local terminal = require "datasession.command.terminal"

return function(catalogs)
  local text = show.encode(plain.services(catalogs))
  return (terminal.is(1) and show.pretty(text, terminal.paint) or text) .. "\n"
end
