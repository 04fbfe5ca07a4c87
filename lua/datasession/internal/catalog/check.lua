--- Typed reading of a decoded JSON document, and what to say when something is wrong in it.
--
-- Every function is handed its place: `at`, a list of keys and indexes that all share, and `depth`,
-- how many of them lead to the object that is read. Text is made of it only when a check fails:
--
--   services[1].resources[3].operations[2].verb: expected get, post, put or delete, got "fetch"
--
-- A check that fails throws; `run` turns that into nil and a message. Members that only describe are read by
-- `loose` and its like: one of another type than expected counts as missing, and `at.remarks`, if any, notes
-- it.

local codec = require("datasession.internal.codec")
local locale = require("datasession.internal.locale")
local table = require("datasession.internal.lua").table

local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub
local concat, sort = table.concat, table.sort
local isArray, null = codec.isArray, codec.null

local QUOTED = 40                     -- characters of the document that a message shows, at most
local REMARKS = 10                    -- remarks that are kept, at most
local faultMeta = {}                  -- marks what is thrown for a bad document, unlike other errors

--- Text from the document for a message: not too long, and nothing that a terminal obeys.
local function quoted(text)
  local short = gsub(sub(text, 1, QUOTED), "[%c\"\\]", "?")
  if #text <= QUOTED then return '"' .. short .. '"' end
  return '"' .. gsub(short, "[\192-\255][\128-\191]*$", "") .. '..."'      -- no half character at the end
end

--- The place as text: services[1].name
local function placeText(at, depth, key)
  local parts = {}
  for i = 1, depth + 1 do
    local step = at[i]
    if i > depth then step = key end
    if type(step) == "number" then
      parts[#parts + 1] = format("[%d]", step)
    elseif step and find(step, "^[%a_][%w_%-]*$") then
      parts[#parts + 1] = (#parts > 0 and "." or "") .. step
    elseif step then
      parts[#parts + 1] = "[" .. quoted(step) .. "]"
    end
  end
  return #parts > 0 and concat(parts) or "document"
end

--- A value of the document for a message.
local function shown(value)
  if value == nil then return "nothing" end
  if value == null then return "null" end
  if type(value) == "table" then return isArray(value) and "an array" or "an object" end
  return type(value) == "string" and quoted(value) or locale.text(value)
end

local function messageOf(at, depth, key, expected, value)
  return format("%s: expected %s, got %s", placeText(at, depth, key), expected, shown(value))
end

--- Ends the check of a document: throws. With `key` nil it is the object at the place that is wrong.
local function fail(at, depth, key, expected, value)
  error(setmetatable({ message = messageOf(at, depth, key, expected, value) }, faultMeta), 0)
end

--- Notes that a member is left out.
-- @param at with `remarks` { count, text ... } or nil
local function remark(at, depth, key, expected, value)
  local remarks = at.remarks
  if not remarks then return end
  remarks.count = (remarks.count or 0) + 1
  if #remarks < REMARKS then remarks[#remarks + 1] = messageOf(at, depth, key, expected, value) end
end

local KINDS = {
  string = "a string", number = "a number", boolean = "true or false", object = "an object",
  array = "an array",
}

--- Whether a value is of a kind of JSON value: a key of KINDS.
local function isKind(value, kind)
  if kind == "object" then return type(value) == "table" and not isArray(value) end
  if kind == "array" then return type(value) == "table" and isArray(value) end
  return type(value) == kind
end

--- A member that may be missing; null counts as missing.
local function optional(at, depth, object, key, kind)
  local value = object[key]
  if value == nil or type(value) == kind then return value end
  if value == null then return nil end
  if not isKind(value, kind) then fail(at, depth, key, KINDS[kind], value) end
  return value
end

--- A member that only describes, and may be missing: nil when it is of another kind.
local function loose(at, depth, object, key, kind)
  local value = object[key]
  if value == nil or type(value) == kind then return value end
  if value == null then return nil end
  if isKind(value, kind) then return value end
  remark(at, depth, key, KINDS[kind], value)
end

--- A member that must be there.
local function required(at, depth, object, key, kind)
  local value = object[key]
  if not isKind(value, kind) then fail(at, depth, key, KINDS[kind], value) end
  return value
end

--- A name by which something will be asked for.
local function requiredName(at, depth, object)
  local name = required(at, depth, object, "name", "string")
  if name == "" then fail(at, depth, "name", "a name", name) end
  return name
end

--- Checks a list member by member: calls `build(at, depth, member, ...)` and returns an array of
-- the results. A missing list is an empty one.
local function listOf(at, depth, object, key, build, ...)
  local list, made = optional(at, depth, object, key, "array") or {}, {}
  at[depth + 1] = key
  for i = 1, #list do
    at[depth + 2] = i
    if not isKind(list[i], "object") then fail(at, depth + 2, nil, "an object", list[i]) end
    made[i] = build(at, depth + 2, list[i], ...)
  end
  return made
end

--- As `listOf`, of a list that only describes: what is no object is left out of it.
local function looseList(at, depth, object, key, build, ...)
  local list, made = loose(at, depth, object, key, "array") or {}, {}
  at[depth + 1] = key
  for i = 1, #list do
    at[depth + 2] = i
    if isKind(list[i], "object") then
      made[#made + 1] = build(at, depth + 2, list[i], ...)
    else
      remark(at, depth + 2, nil, "an object", list[i])
    end
  end
  return made
end

--- A list of strings that only describes: what is no string is left out of it.
local function looseStrings(at, depth, object, key)
  local list, made = loose(at, depth, object, key, "array") or {}, {}
  at[depth + 1] = key
  for i = 1, #list do
    if type(list[i]) == "string" then
      made[#made + 1] = list[i]
    else
      remark(at, depth + 1, i, "a string", list[i])
    end
  end
  return made
end

--- The keys of an object in alphabetical order.
local function sortedKeys(object)
  local keys, n = {}, 0
  for key in next, object do
    n = n + 1
    keys[n] = key
  end
  sort(keys, locale.before)
  return keys
end

--- The keys of an object, each once, in the order of `keys`; nil when these are not all of them.
local function eachOnce(object, keys)
  local seen, unique = {}, {}
  for i = 1, #keys do
    local key = keys[i]
    if object[key] == nil then return nil end
    if not seen[key] then
      seen[key], unique[#unique + 1] = true, key
    end
  end
  for key in next, object do
    if not seen[key] then return nil end
  end
  return unique
end

--- The keys of an object in the order of the text; in alphabetical order when that is not known.
-- @param at with `order` (object -> array of its keys) or nil
local function orderedKeys(at, object)
  local keys = at.order and at.order[object]
  return keys and eachOnce(object, keys) or sortedKeys(object)
end

--- The notes of `remark`, for a program: an array of messages; nil when there is nothing.
local function leftOut(at)
  local remarks = at.remarks
  if not remarks.count then return nil end
  local texts, more = table.move(remarks, 1, #remarks, 1, {}), remarks.count - #remarks
  if more > 0 then texts[#texts + 1] = format("and %d more", more) end
  return texts
end

--- Calls a function that checks: its result; or nil and a message when a check failed. Other
-- errors are passed on.
local function run(f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if getmetatable(result) == faultMeta then return nil, result.message end
  error(result, 0)
end

return {
  run = run,
  leftOut = leftOut,
  fail = fail,
  shown = shown,
  isKind = isKind,
  optional = optional,
  loose = loose,
  remark = remark,
  required = required,
  name = requiredName,
  list = listOf,
  looseList = looseList,
  looseStrings = looseStrings,
  sortedKeys = sortedKeys,
  orderedKeys = orderedKeys,
}
