--- Words for the cases: values that each side makes in its own way.
local say = {}

say.none = { ["$undefined"] = true } -- nil, undefined
say.null = { ["$null"] = true } -- JSON's null
say.nothing = { ["$nothing"] = true } -- nil here, null there
say.json = require "cjson".null -- the same in a server's answer
say.empty = { ["$empty"] = true } -- an array of nothing

--- A handler of that name, which notes what it is called with; `throws`: and fails.
function say.handler(name, throws)
  return { ["$handler"] = name, throws = throws }
end

--- The object of that name that a handler is called for.
function say.scope(name)
  return { ["$scope"] = name }
end

--- The case's value of that name.
function say.object(name)
  return { ["$object"] = name }
end

--- A function that adds header lines to the request which is about to be sent.
function say.adds(lines)
  return { ["$adds"] = lines }
end

--- A function that gives a promise of `value`, or one that is rejected with `reason`.
function say.promises(value)
  return { ["$promises"] = value }
end

function say.rejects(reason)
  return { ["$rejects"] = reason }
end

-- ---- for data objects

--- A listener, which notes its arguments under that name. options: returns, throws, sets (fields that it
-- sets in the record), requests (true: the whole request)
function say.listener(name, options)
  local made = { ["$listener"] = name }
  for key, value in pairs(options or {}) do made[key] = value end
  return made
end

--- The test `record.field <operator> value`, a function of a record. operator: `=`, `<` or `>`
function say.where(field, operator, value)
  return { ["$where"] = { field, operator, value } }
end

--- A function of a record that notes a field, and gives `gives` at the value `last`.
function say.notes(field, last, gives)
  return { ["$notes"] = { field, last }, gives = gives }
end

--- A function that gives `value`.
function say.gives(value)
  return { ["$gives"] = value }
end

--- A function that fails.
say.fails = { ["$fails"] = true }

--- A function that orders two records by a field; `sign`: 1 or -1.
function say.compares(field, sign)
  return { ["$compares"] = { field, sign or 1 } }
end

--- The object at a path: `j.ttC.record`.
function say.path(path)
  return { ["$path"] = path }
end

--- A plugin that answers with the values given.
function say.plugin(request, response)
  return { ["$plugin"] = { request = request, response = response } }
end

return say
