--- One text for all forms of a value: members of objects sorted, numbers and strings written in one way.
local cjson = require "cjson"
local lpeg = require "lpeg"

local locale = require "datasession.internal.locale"

local canon = {}

local function number(value)
  return math.type(value) == "integer" and tostring(value) or ("%.14g"):format(value)
end

local function members(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names, function(x, y) return locale.before(tostring(x), tostring(y)) end)
  for i, name in ipairs(names) do parts[i] = tostring(name) .. "=" .. canon.text(object[name]) end
  return "{" .. table.concat(parts, " ") .. "}"
end

--- The text of a Lua value: `{Name="Ann" Num=1}`, `[1,2]`.
function canon.text(value)
  if type(value) == "number" then return number(value) end
  if type(value) == "string" then return value:find "^%(%a+%)$" and value or ("%q"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  if value[1] == nil then return members(value) end
  local parts = {}
  for i, one in ipairs(value) do parts[i] = canon.text(one) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local json
do
  local P, R, S, V, C, Cc, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.V, lpeg.C, lpeg.Cc, lpeg.Ct
  local space = S " \t\r\n" ^ 0
  local quoted = P '"' * (P "\\" * 1 + (1 - S '"\\')) ^ 0 * P '"'
  local digits = S "-+.eE" + R "09"

  local function decoded(text) return cjson.decode("[" .. text .. "]")[1] end
  local function scalar(text) return canon.text(decoded(text)) end
  local function list(parts) return "[" .. table.concat(parts, ",") .. "]" end
  local function object(pairs_)
    table.sort(pairs_, function(x, y) return locale.before(x[1], y[1]) end)
    for i, pair in ipairs(pairs_) do pairs_[i] = pair[1] .. "=" .. pair[2] end
    return "{" .. table.concat(pairs_, " ") .. "}"
  end
  local function sign(text) return P(text) * space end

  json = P { space * V "value" * -1,
    value = (quoted / scalar + C(P "true" + "false") + P "null" * Cc "(null)"
      + digits ^ 1 / scalar) * space
      + sign "[" * Ct((V "value" * (sign "," * V "value") ^ 0) ^ -1) / list * sign "]"
      + sign "{" * Ct((V "member" * (sign "," * V "member") ^ 0) ^ -1) / object * sign "}",
    member = Ct(quoted / decoded * space * sign ":" * V "value"),
  }
end

--- The text of a JSON document in the form of canon.text, an empty array as `[]`; other text as it is.
function canon.json(text)
  return json:match(text) or text
end

return canon
