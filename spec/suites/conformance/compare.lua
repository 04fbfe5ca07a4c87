--- Where two records of a case differ.
local compare = {}

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function keys(a, b)
  local seen, list = {}, {}
  for _, one in ipairs { a or {}, b or {} } do
    for key in pairs(one) do
      if not seen[key] then seen[key], list[#list + 1] = true, key end
    end
  end
  table.sort(list, function(x, y) return tostring(x) < tostring(y) end)
  return list
end

local function isList(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

-- Tables are gone into by their names; lists are told as a whole.
local function walk(add, field, a, b)
  if type(a) == "table" and type(b) == "table" and not (isList(a) and isList(b)) then
    for _, key in ipairs(keys(a, b)) do walk(add, field .. "." .. key, a[key], b[key]) end
  elseif not same(a, b) then
    add(field, a, b)
  end
end

-- ---- requests

-- what it costs to leave a request without a partner: more than any pair that is for the same thing
local MISSING = 100

local function cost(a, b)
  if a.what ~= b.what then return 3 * MISSING end
  local n = 0
  walk(function() n = n + 1 end, "", a.headers, b.headers)
  if a.body ~= b.body then n = n + 1 end
  if a.status ~= b.status then n = n + 5 end
  return n
end

-- The cheapest way to pair the requests of both sides in their order: the list of { a, b }, either of which
-- may be nil.
local function pair(a, b)
  local best = {}
  for i = #a, 0, -1 do best[i] = {} end
  local function at(i, j)
    if i == #a and j == #b then return { cost = 0 } end
    return best[i][j]
  end
  for i = #a, 0, -1 do
    for j = #b, 0, -1 do
      local ways = {}
      if i < #a and j < #b then
        ways[#ways + 1] = { cost = at(i + 1, j + 1).cost + cost(a[i + 1], b[j + 1]), a = a[i + 1],
          b = b[j + 1],
          rest = at(i + 1, j + 1) }
      end
      if i < #a then
        ways[#ways + 1] = { cost = at(i + 1, j).cost + MISSING, a = a[i + 1], rest = at(i + 1, j) }
      end
      if j < #b then
        ways[#ways + 1] = { cost = at(i, j + 1).cost + MISSING, b = b[j + 1], rest = at(i, j + 1) }
      end
      table.sort(ways, function(x, y) return x.cost < y.cost end)
      best[i][j] = ways[1]
    end
  end
  local pairs_, way = {}, at(0, 0)
  while way and (way.a or way.b) do
    pairs_[#pairs_ + 1] = { way.a, way.b }
    way = way.rest
  end
  return pairs_
end

local function requests(add, a, b)
  for _, both in ipairs(pair(a, b)) do
    local x, y = both[1], both[2]
    local what = (x or y).what
    if not x or not y then
      add("request", x and what, y and what, x, y)
    else
      for _, name in ipairs(keys(x.headers, y.headers)) do
        if x.headers[name] ~= y.headers[name] then
          add("header " .. name, x.headers[name], y.headers[name], x, y)
        end
      end
      for _, name in ipairs { "timeStamp", "parameter", "body", "status" } do
        if x[name] ~= y[name] then add("request " .. name, x[name], y[name], x, y) end
      end
    end
  end
end

-- ---- steps

local function sorted(list, byBody)
  local copy = table.move(list, 1, #list, 1, {})
  for i, one in ipairs(copy) do copy[i] = { one, i } end
  table.sort(copy, function(x, y)
    if x[1].what ~= y[1].what then return x[1].what < y[1].what end
    if byBody and x[1].body ~= y[1].body then return x[1].body < y[1].body end
    return x[2] < y[2]
  end)
  for i, one in ipairs(copy) do copy[i] = one[1] end
  return copy
end

-- Each kind of request once: how many there are is a matter of time.
local function kinds(list)
  local seen, kept = {}, {}
  for _, one in ipairs(list) do
    if not seen[one.what] then seen[one.what], kept[#kept + 1] = true, one end
  end
  return sorted(kept)
end

local SETTLED = { resolved = true, rejected = true }

-- Compares the values of promises when both have settled.
local function told(add, a, b, prefix)
  walk(add, prefix .. "outcome", a.outcome, b.outcome)
  if a.outcome ~= b.outcome and not (SETTLED[a.outcome] and SETTLED[b.outcome]) then return end
  for _, name in ipairs { "value", "result", "status", "data" } do
    walk(add, prefix .. name, a[name], b[name])
  end
  local x, y = a.info, b.info
  if not x or not y then return end -- what gave none has another outcome
  for _, key in ipairs(keys(x, y)) do
    if key == "details" and x.details and y.details then
      for i = 1, math.max(#x.details, #y.details) do
        walk(add, ("%sinfo.details[%d]"):format(prefix, i), x.details[i], y.details[i])
      end
    else
      walk(add, prefix .. "info." .. key, x[key], y[key])
    end
  end
end

--- The differences of a step: a list of { field, reference, ours, sent = { request, request } }.
-- `step.unordered`: its requests come in any order; `step.tally`: any number of times.
function compare.step(step, a, b, features)
  local list = {}
  local session
  local function add(field, x, y, sentByA, sentByB)
    list[#list + 1] = { field = field, reference = x, ours = y, sent = { sentByA, sentByB },
      session = session }
  end
  told(add, a, b, "")
  for i = 1, math.max(#(a.all or {}), #(b.all or {})) do
    told(add, a.all and a.all[i] or {}, b.all and b.all[i] or {}, ("[%d] "):format(i))
  end
  walk(add, "events", a.events, b.events)
  walk(add, "uncaught", a.uncaught, b.uncaught)
  walk(add, "memory", a.memory, b.memory)
  for _, name in ipairs(keys(a.properties, b.properties)) do
    local x, y = a.properties[name], b.properties[name]
    session = name
    if not x or not y then
      add("session", x and name, y and name)
    else
      for _, property in ipairs(keys(x, y)) do
        local theirs, own = x[property], y[property]
        if step.unordered and type(theirs) == "table" and type(own) == "table" then
          table.sort(theirs)
          table.sort(own)
        end
        if not features[property] then walk(add, "property " .. property, theirs, own) end
      end
    end
  end
  session = nil
  local function arranged(all)
    return step.tally and kinds(all) or step.unordered and sorted(all, step.data) or all
  end
  requests(add, arranged(a.requests), arranged(b.requests))
  return list
end

compare.same = same

return compare
