--- Refusals on demand: changes of rows that a table refuses until that has happened often enough.
local abl = require "datasession.sandbox.abl"

local Refusals = {}
Refusals.__index = Refusals

local function new()
  return setmetatable({ list = {} }, Refusals)
end

--- Adds a refusal, whose options sandbox.lua has checked.
function Refusals:add(refusal)
  refusal.left = refusal.count == 0 and math.huge or refusal.count or 1
  table.insert(self.list, refusal)
end

function Refusals:clear()
  self.list = {}
end

local function matches(refusal, definition, operation, row)
  if refusal.table and refusal.table ~= definition.name then return false end
  if refusal.operation and refusal.operation ~= operation then return false end
  if not refusal.where then return true end
  local compared, result = pcall(function() return abl.compile(refusal.where, definition.names)(row) end)
  return compared and result
end

--- Raises { message, number, returnValue, how } for a row that is to be refused.
function Refusals:check(definition, operation, row)
  for i, refusal in ipairs(self.list) do
    if matches(refusal, definition, operation, row) then
      refusal.left = refusal.left - 1
      if refusal.left <= 0 then table.remove(self.list, i) end
      error({ message = refusal.message or "The server refuses this row.", number = refusal.number or 0,
        returnValue = refusal.returnValue, how = refusal.how }, 0)
    end
  end
end

return { new = new }
