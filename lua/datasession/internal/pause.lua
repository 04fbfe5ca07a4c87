--- Divides long work into slices, so that a step's time limit holds.
local core = require "datasession.core"

local settled = core.promise(function(resolve) resolve() end)

--- Lets other coroutines run: the ready queue settles the promise that `next` gives. Only a coroutine that
-- datasession runs may call it.
return function()
  settled:next():await()
end
