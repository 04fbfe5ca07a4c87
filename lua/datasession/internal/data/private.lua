--- The private keys of data objects. A program cannot name them, so it cannot reach what stands under them.

local function key(name)
  return setmetatable({}, { __name = name, __tostring = function() return name end, __metatable = name })
end

return {
  -- jsdo[P], t[P]: the state of a data object, of a table reference
  P = key "datasession.data.state",
  -- r[VALUES]: the plain row of a record
  VALUES = key "datasession.data.values",
  -- r[MEMORY]: the state of the record's table reference
  MEMORY = key "datasession.data.memory",
  -- r[GENERATION]: the number of the load that made the record
  GENERATION = key "datasession.data.generation",
}
