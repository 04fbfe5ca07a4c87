--- The private keys of data objects. A program does not name them, so it does not reach what they stand for.

local function key(name)
  return setmetatable({}, { __name = name, __tostring = function() return name end, __metatable = name })
end

return {
  -- jsdo[P], t[P]: the state of a data object, of a table reference
  P = key "datasession.data.state",
  -- r[VALUES]: the plain row of a record. A short string, since reading by one is the fastest
  VALUES = "\0row",
  -- r[MEMORY]: the state of the record's table reference
  MEMORY = key "datasession.data.memory",
  -- r[GENERATION]: the number of the load that made the record
  GENERATION = key "datasession.data.generation",
}
