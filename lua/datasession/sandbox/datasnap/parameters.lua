--- A call's parameters, each the text of a JSON value: those of the path, then those of the body.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local jsontext = require "datasession.sandbox.datasnap.jsontext"
local table = require("datasession.internal.lua").table

local parameters = {}

-- A decimal number as JSON writes it, its digits as they are; nil for what is no number.
local function number(text)
  local sign, whole, fraction, exponent = text:match("^([+-]?)(%d*)%.?(%d*)([eE]?[+-]?%d*)$")
  if not tonumber(text) or not sign then return nil end
  whole = whole:gsub("^0+(%d)", "%1")
  return (sign == "-" and "-" or "") .. (whole == "" and "0" or whole)
    .. (fraction == "" and "" or "." .. fraction) .. exponent
end

--- The value that a text from the path looks like: true and false in any case, null, a number, or
-- else a string.
function parameters.fromText(text)
  local lower = ascii.lower(text)
  if lower == "true" or lower == "false" then return lower end
  if text == "null" then return text end
  return number(text) or json.encode(text)
end

--- The parameters in the rest of a path behind the method's name: each segment is one, the slash at the
-- end ends the last.
function parameters.fromPath(rest)
  local list = {}
  if rest ~= "" and rest:sub(-1) ~= "/" then rest = rest .. "/" end
  for segment in rest:gmatch("([^/]*)/") do list[#list + 1] = parameters.fromText(http.unescape(segment)) end
  return list
end

--- Those of a body: one, or those of the list `_parameters` of an object with that name alone. nil and a
-- message when the body is not JSON.
function parameters.fromBody(body)
  if body == "" then return {} end
  local text, message = jsontext.check(body)
  if not text then return nil, message end
  if jsontext.isObject(text) then
    local members = jsontext.members(text)
    local name, value = table.unpack(members[1] or {})
    if #members == 1 and name == "_parameters" and jsontext.isArray(value) then
      return jsontext.elements(value)
    end
  end
  return { text }
end

return parameters
