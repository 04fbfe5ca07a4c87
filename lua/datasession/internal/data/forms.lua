--- The forms of a decoded body, for the files that look for rows in it: rows.lua in the response to a fill,
-- answer.lua in the response to a save.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"

local isArray, null = codec.isArray, codec.null
local type = type

local forms = {}

local MOST_NAMES = 80      -- bytes of members' names that a message has

local function isObject(value)
  return type(value) == "table" and not isArray(value)
end

forms.isObject = isObject

-- The members of a dataset out of a second wrapper of its name; null, if that holds null alone.
local function unwrapped(name, members)
  local inner = members[name]
  if isObject(inner) or inner == null and next(members, next(members)) == nil then return inner end
  return members
end

--- The dataset in a body, under its name; some servers wrap it in that name twice.
-- @param body of any type
-- @return the dataset's members, a table; null, if the dataset is null; nil: the body has no dataset
function forms.dataset(jsdo, body)
  local name = jsdo[P].resource.datasetName
  local inner = name and isObject(body) and body[name]
  if isObject(inner) then return unwrapped(name, inner) end
  return inner == null and null or nil
end

--- True if an object has a field of the table.
function forms.hasField(t, object)
  local byName = t[P].shape.byName
  for name in next, object do
    if byName[name] then return true end
  end
  return false
end

-- ---- Descriptions for messages

local function membersText(object)
  local names = {}
  for name in next, object do names[#names + 1] = tostring(name) end
  if #names == 0 then return "an empty object" end
  table.sort(names)
  return ("an object with %s"):format((table.concat(names, ", "):sub(1, MOST_NAMES):gsub("%c", "?")))
end

--- A decoded value: "null", "an array", "an object with a, b"; for others the type.
function forms.describe(value)
  if value == null then return "null" end
  if isObject(value) then return membersText(value) end
  return isArray(value) and "an array" or type(value)
end

--- A body that is no JSON.
-- @param text string or nil
-- @param message string: what the decoder says of it
function forms.describeText(text, message)
  if text == nil or not text:find "%S" then return "an empty body" end
  if text:find "^%s*<[!?%a]" then return text:find "<[hH][tT][mM][lL]" and "an HTML page" or "markup" end
  return "broken JSON" .. message:match ":.*"
end

return forms
