--- Requests whose body is given in pieces, as it comes.

local core = require "datasession.core"
local mistake = require "datasession.internal.mistake"

--- Makes a request.
-- @param options as for session:request, without those of the Lua layer
-- @param f function (piece, response): the transfer waits until it returns
-- @return promise of the request. Raises at the program's line for mistakes in the options
return function(session, options, f)
  local ok, result = pcall(core.requestFlow, session, options, f)
  if not ok then mistake(result) end
  return result
end
