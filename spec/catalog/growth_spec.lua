-- Memory that is kept of catalogs does not grow with their number.
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local server

setup(function() server = assert(sandbox.start {}) end)
teardown(function() server:close() end)
after_each(sessions.endAll)

it("addresses of catalogs that were not found are forgotten", function()
  local session = sessions.loggedIn(server, "anonymous")
  -- Kilobytes of Lua's heap after requests from one number to another.
  local function heap(first, last)
    for from = first, last, 20 do
      local calls = {}
      for i = from, from + 19 do calls[#calls + 1] = session:addCatalog(("static/none%d.json"):format(i)) end
      for _, call in ipairs(calls) do await.rejected(call) end
    end
    server:clearRequests()
    collectgarbage()
    collectgarbage()
    return collectgarbage "count"
  end
  local before = heap(1, 200)
  local grown = heap(201, 600) - before
  assert.is_true(grown < 20, grown .. " KB more")
end)
