--- Common to the objects of a catalog: looking up by name, addresses, a few words about themselves.

local methodsOf = require("datasession.internal.methods")
local raise = require("datasession.internal.raise")
local suggest = require("datasession.internal.suggest")

local find, format, gsub = string.find, string.format, string.gsub

local SUGGESTED = 1000          -- names that a misspelt one is compared with, at most

local object = {}

--- A metatable that no program gets at: it is the same for all sessions.
-- @param methods table, optional: what the objects have beside their own members
function object.meta(name, methods)
  return { __name = name, __index = methods, __metatable = name }
end

--- Has methods say so when they are called with "." instead of ":".
-- @param name string, of the metatable of those that have them
-- @param kind string, as "a catalog"
function object.methods(name, kind, methods)
  methodsOf(kind, methods, function(value) return getmetatable(value) == name end)
end

local indexes = setmetatable({}, { __mode = "k" })      -- list -> name -> member, made when first asked for

--- The member of a list that has that name, or nil; without a search from the second time on.
-- @param fill function (index, list), optional: adds to the index what is found otherwise
function object.lookUp(list, name, fill)
  local index = indexes[list]
  if not index then
    index = {}
    for i = 1, #list do
      local member = list[i]
      if member.name then index[member.name] = member end
    end
    if fill then fill(index, list) end
    indexes[list] = index
  end
  return index[name]
end

--- Raises, where the method that calls this was called: there is nothing of that name.
-- @param where string, what was looked through, as "catalog"
-- @param kind string, what was looked for, as "resource"
-- @param ... lists of what there is
function object.lacks(where, kind, name, ...)
  local names = {}
  for _, list in ipairs({ ... }) do
    for i = 1, math.min(#list, SUGGESTED - #names) do names[#names + 1] = list[i].name end
  end
  local nearest = suggest.nearest(name, names)
  local given = type(name) == "string" and format("'%.64s'", name) or type(name)
  local hint = nearest and format(": did you mean '%s'?", nearest) or ""
  raise(format("%s: no %s %s%s", where, kind, given, hint), 3)
end

--- "1 table", "2 tables".
function object.counted(n, noun)
  return format("%d %s%s", n, noun, n == 1 and "" or "s")
end

--- An address fit to be printed: without user name and password.
function object.redacted(uri)
  return (gsub(uri, "^([A-Za-z][A-Za-z0-9+.%-]*://)[^/?#]*@", "%1"))
end

--- An address of the web application: absolute ones stand, others follow `base` after one slash.
function object.absolute(base, address)
  if address == "" then return base end
  if find(address, "^[Hh][Tt][Tt][Pp][Ss]?://") then return address end
  return base .. "/" .. gsub(address, "^/+", "")
end

return object
