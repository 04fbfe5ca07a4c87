--- Keys that the server gives to new parents: new children that hold the key from before get the new one.

local codec = require "datasession.internal.codec"
local memory = require "datasession.internal.data.memory"
local relations = require "datasession.internal.data.relations"

local null = codec.null

local adopt = {}

-- Values that a new record has before it gets a key: several parents may have them at a time.
local function isBlank(value)
  return value == nil or value == null or value == 0 or value == ""
end

-- True if the new record `child` is certainly one of `parent`: it was added to it, or names its own key.
local function belongs(m, child, parent)
  local change = m.changes[child]
  if not change or change.state ~= "created" then return false end
  local known = m.parentOf and m.parentOf[child]
  if known then return known == parent end
  for _, link in ipairs(m.links) do
    if isBlank(memory.values(parent)[link.parent]) then return false end
  end
  return true
end

--- Finds the new children of a new record, before the server's key is in it.
-- @return array of { m = state of the child table, list = records }; nil when there are none
function adopt.find(r)
  local m, found = memory.state(r), nil
  for _, child in ipairs(m.children or {}) do
    local list = {}
    for _, one in ipairs(relations.children(child, r)) do
      if belongs(child, one, r) then list[#list + 1] = one end
    end
    if #list > 0 then
      found = found or {}
      found[#found + 1] = { m = child, list = list }
    end
  end
  return found
end

--- Gives the children that adopt.find found the key that the record has now.
function adopt.give(r, found)
  local row = memory.values(r)
  for _, one in ipairs(found) do
    for _, child in ipairs(one.list) do
      for _, link in ipairs(one.m.links) do memory.set(child, link.child, row[link.parent]) end
    end
  end
end

return adopt
