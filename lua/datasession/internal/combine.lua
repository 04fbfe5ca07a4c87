--- Promises of several promises.

local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"

local math, closing = lua.math, lua.closing

local combine = {}

-- False for the module: a function was called with ':'.
local function isTable(value) return type(value) == "table" and value ~= package.loaded.datasession end

local function checkList(call, list)
  if core.isPromise(list) then
    raise(("%s: expected an array of promises, got a promise: write %s { ... }"):format(call, call), 3)
  elseif not isTable(list) then
    raise(("%s: expected an array of promises, got %s"):format(call, argument.type(list)), 3)
  end
end

local function cancelAll(promises)
  for _, promise in pairs(promises) do
    if core.isPromise(promise) then promise:cancel() end
  end
end

-- Calls onDone(i, value, result, info) or onFail(i, err) for each member that settles. A member that is no
-- promise counts as resolved.
local function watch(list, onDone, onFail)
  for i = 1, #list do
    local member = list[i]
    if not core.isPromise(member) then
      onDone(i, member)
    else
      member:next(function(...) onDone(i, ...) end, function(err) onFail(i, err) end)
    end
  end
end

-- A promise that start(resolve, reject) settles. When it is cancelled, so are the members.
local function gather(list, start)
  return core.spawn(function()
    local ended
    local guard = setmetatable({}, {
      __close = function()
        if not ended then cancelAll(list) end
      end,
    })
    return closing(guard, function()
      local outcome = core.promise(start)
      local value, result, info = outcome:await()
      ended = true
      if outcome:state() == "rejected" then error(result, 0) end
      return value, result, info
    end)
  end)
end

--- A promise of all: it resolves when all members have.
-- @param list array of promises; other values count as resolved
-- @return a promise of { value of each, in order, n = their number }. It rejects with the first error; the
--   other members go on. cancel() cancels all members
function combine.all(list)
  checkList("all", list)
  return gather(list, function(resolve, reject)
    local values, left = { n = #list }, #list
    if left == 0 then resolve(values) end
    watch(list, function(i, value)
      values[i], left = value, left - 1
      if left == 0 then resolve(values) end
    end, function(_, err) reject(err) end)
  end)
end

-- The error of `any`, with those of all members in `errors`.
local function noneOf(errors)
  local texts = {}
  for i = 1, #errors do texts[i] = tostring(errors[i]) end
  local err = core.failure {
    kind = "error", result = core.constants.GENERAL_FAILURE,
    message = #errors == 0 and "any: the array is empty"
      or "any: all promises were rejected: " .. table.concat(texts, "; "),
  }
  err.errors = errors
  return err
end

--- A promise of the first member that resolves.
-- @param list array of promises; other values count as resolved
-- @return a promise of that member's value, result and info. When all reject, it rejects with an error whose
--   field `errors` has the error of each, in order. cancel() cancels all members
function combine.any(list)
  checkList("any", list)
  return gather(list, function(resolve, reject)
    local errors, left = {}, #list
    if left == 0 then reject(noneOf(errors)) end
    watch(list, function(_, ...) resolve(...) end, function(i, err)
      errors[i], left = err, left - 1
      if left == 0 then reject(noneOf(errors)) end
    end)
  end)
end

--- A promise of the first member that settles, either way.
-- @param list array of promises, not empty; other values count as resolved
-- @return a promise of that member's outcome. The other members go on. cancel() cancels all members
function combine.race(list)
  checkList("race", list)
  if #list == 0 then
    raise("race: expected an array of at least one promise", 2)
  end
  return gather(list, function(resolve, reject)
    watch(list, function(_, ...) resolve(...) end, function(_, err) reject(err) end)
  end)
end

--- A promise that resolves when all members have settled.
-- @param list array of promises; other values count as resolved
-- @return a promise of an array: for each member { ok = true, value, result, info } or
--   { ok = false, error }. It never rejects, unless it is cancelled, which cancels all members
function combine.settled(list)
  checkList("settled", list)
  return gather(list, function(resolve)
    local outcomes, left = {}, #list
    local function note(i, outcome)
      outcomes[i], left = outcome, left - 1
      if left == 0 then resolve(outcomes) end
    end
    if left == 0 then resolve(outcomes) end
    watch(list,
      function(i, value, result, info)
        note(i, { ok = true, value = value, result = result, info = info })
      end,
      function(i, err) note(i, { ok = false, error = err }) end)
  end)
end

-- ---- map

local LIMIT = 8

local function limitOf(options)
  if options ~= nil and type(options) ~= "table" then
    raise("map: expected a table of options, got " .. type(options), 3)
  end
  for name in pairs(options or {}) do
    if name ~= "limit" then
      raise("map: " .. suggest.unknown("option", name, { "limit" }), 3)
    end
  end
  local limit = options and options.limit or LIMIT
  if math.type(limit) ~= "integer" or limit < 1 then
    raise("map: limit: expected an integer, 1 or more, got " .. tostring(limit), 3)
  end
  return limit
end

-- Calls f for one item after another; several of these share `work`.
local function worker(work)
  while work.next <= #work.list and not work.failed do
    local i = work.next
    work.next = i + 1
    work.values[i] = work.f(work.list[i], i)
  end
end

--- Calls a function for each item, some at a time. The function may await.
-- @param list array
-- @param f function (item, index): its first result counts
-- @param options table or nil: `limit` (integer, 1 or more; default 8): calls at a time
-- @return a promise of { result of each, in order, n = their number }. It rejects with the first error; calls
--   that are under way are then cancelled. cancel() cancels them too
function combine.map(list, f, options)
  if not isTable(list) then
    raise("map: expected an array, got " .. argument.type(list), 2)
  end
  local limit = limitOf(options)
  if type(f) ~= "function" then
    raise("map: expected a function, got " .. type(f), 2)
  end
  local work = { list = list, f = f, next = 1, values = { n = #list } }
  return core.spawn(function()
    local workers = setmetatable({}, { __close = cancelAll })
    return closing(workers, function()
      for i = 1, math.min(limit, #list) do
        workers[i] = core.spawn(worker, work)
      end
      local done, err = combine.all(workers):await()
      if not done then
        work.failed = true
        error(err, 0)
      end
      return work.values
    end)
  end)
end

return combine
