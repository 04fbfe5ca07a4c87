--- Waiting for a time, and calling functions at one.

local core = require "datasession.core"
local argument = require "datasession.internal.argument"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"

local closing, table = lua.closing, lua.table

local time = {}

local function secondsOf(call, value)
  local seconds = core.seconds(value)
  if not seconds then
    raise(("%s: expected a number of seconds, 0 or more, or a text such as \"500ms\", got %s"):format(call,
      argument.value(value)), 3)
  end
  return seconds
end

local function checkFunction(call, f)
  if type(f) ~= "function" then
    raise(("%s: expected a function, got %s"):format(call, type(f)), 3)
  end
end

local function cancel(held) held.promise:cancel() end

-- A to-be-closed value: its promise is cancelled at the end of the block.
local function held(promise) return setmetatable({ promise = promise }, { __close = cancel }) end

local function await(promise) return closing(held(promise), promise.await, promise) end

--- Waits. In a coroutine of datasession.spawn it suspends that coroutine alone; anywhere else it steps the
-- engine.
-- @param seconds number, 0 or more, or a text such as "500ms"
function time.sleep(seconds)
  seconds = secondsOf("sleep", seconds)
  if core.observing() and not coroutine.isyieldable() then
    raise("datasession: onRequest and onResponse must not wait", 2)
  end
  await(core.moment(seconds))
end

--- Waits for the next step: a long piece of work in datasession.spawn gives the host its frame back.
function time.nextStep()
  await(core.moment(0))
end

--- Calls a function later.
-- @param seconds number, 0 or more, or a text such as "500ms"
-- @param f function, called with the further arguments
-- @return a promise of its results, which rejects with its error. cancel() drops the call
function time.after(seconds, f, ...)
  seconds = secondsOf("after", seconds)
  checkFunction("after", f)
  local arguments = table.pack(...)
  return core.moment(seconds):next(function() return f(table.unpack(arguments, 1, arguments.n)) end)
end

-- Ends what a function of `every` has begun.
local function stop(turns)
  turns.running:cancel()
  turns.due:cancel()
end

-- Calls f at the end of each moment until it returns false. The loop calls it, not this coroutine, which f
-- may cancel.
local function turn(turns, seconds, f)
  while true do
    turns.running = turns.due:next(function()
      turns.due = core.moment(seconds)
      return core.spawn(f)
    end)
    local again, err = turns.running:await()
    if turns.running:state() == "rejected" then
      core.call(error, err, 0)
    elseif again == false then
      return true
    end
  end
end

--- Calls a function again and again: first after `seconds`, then `seconds` after each call began, or when
-- that call has ended, if it takes longer. The function may await. Its error goes to onError, and the calls
-- go on.
-- @param seconds number, above 0, or a text such as "500ms"
-- @param f function: when it returns false, the calls end
-- @return a promise that resolves with true when the calls end. cancel() ends them; in f it lets f end first
function time.every(seconds, f)
  seconds = secondsOf("every", seconds)
  if seconds == 0 then
    raise("every: expected a number of seconds above 0; nextStep waits for the next step", 2)
  end
  checkFunction("every", f)
  return core.spawn(function()
    local due = core.moment(seconds)
    local turns = setmetatable({ due = due, running = due }, { __close = stop })
    return closing(turns, turn, turns, seconds, f)
  end)
end

return time
