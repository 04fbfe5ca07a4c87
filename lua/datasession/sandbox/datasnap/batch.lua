--- Several calls in one request: [{"execute":{"Class.Method":[parameters]}}, ...].
local jsontext = require "datasession.sandbox.datasnap.jsontext"
local results = require "datasession.sandbox.datasnap.results"
local table = require("datasession.internal.lua").table

local batch = {}

local MALFORMED = results.error('{"execute":{"Class.Method":[parameters]}} expected')

-- The name and the value of an object with one member; nil for anything else.
local function only(text)
  local members = jsontext.isObject(text) and jsontext.members(text) or {}
  if #members == 1 then return table.unpack(members[1]) end
end

local function run(command, call)
  local verb, body = only(command)
  local name, list = only(verb == "execute" and body or "")
  if not name or not jsontext.isArray(list) then return MALFORMED end
  local values, failure = call(name, jsontext.elements(list))
  return values and results.wrap("result", results.list(values)) or results.error(failure.message)
end

--- Runs the commands of a body, one after the other, by `call(name, parameters)`, which is
-- Service:try for the session at hand. Returns the JSON of the list of their answers; nil and a message
-- when the body is not a list.
function batch.run(body, call)
  local text, message = jsontext.check(body)
  if not text then return nil, message end
  if not jsontext.isArray(text) then return nil, "the body is not a list" end
  local answers = {}
  for i, command in ipairs(jsontext.elements(text)) do answers[i] = run(command, call) end
  return results.list(answers)
end

return batch
