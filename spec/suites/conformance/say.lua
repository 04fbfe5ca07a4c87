--- Words for the cases: values that each side makes in its own way.
local say = {}

say.none = { ["$undefined"] = true } -- nil, undefined
say.null = { ["$null"] = true } -- JSON's null
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

return say
