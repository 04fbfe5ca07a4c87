--- The log of requests: the last ones, bounded in number and in the bytes of their bodies.
local table = require("datasession.internal.lua").table

local Log = {}
Log.__index = Log

local ENTRIES, BYTES = 10000, 64 * 1024 * 1024

--- An empty log.
local function new()
  return setmetatable({ first = 1, last = 0, bytes = 0, total = 0, entries = {} }, Log)
end

function Log:dropFirst()
  self.bytes = self.bytes - #self.entries[self.first].body
  self.entries[self.first] = nil
  self.first = self.first + 1
end

function Log:add(entry)
  self.total = self.total + 1
  self.last = self.last + 1
  self.entries[self.last] = entry
  self.bytes = self.bytes + #entry.body
  while self.last - self.first >= ENTRIES or (self.bytes > BYTES and self.first < self.last) do
    self:dropFirst()
  end
end

--- The entries kept, oldest first.
function Log:all()
  return table.move(self.entries, self.first, self.last, 1, {})
end

function Log:clear()
  self.first, self.last, self.bytes, self.total, self.entries = 1, 0, 0, 0, {}
end

return { new = new }
