--- The code in the state whose memory fails: the scenarios and their helpers. See runner.lua.
--
-- A scenario file returns an array of scenarios:
--
--     { name = "...",
--       prepare = function(t) return context end,  -- memory is good; optional
--       call = function(t, context) return promise end,
--                                         -- memory fails somewhere in it, and while the promise is waited
--                                         for; or
--       act = function(t, context) end,   -- the same without a promise; what it returns is nothing to us
--       again = function(t, context) end, -- after a failure, memory being good: the operation must succeed
--    now, or
--                                         -- this raises; default: call or act once more, and its promise is
--                                                                  resolved
--       quiet = function(t, context) end, -- ends what would go on for ever; optional
--       check = function(t, context) end, -- then: raises if anything is not as it must be; optional
--       ways = { "await" },               -- in which ways a call is waited for; default: all
--       alone = true,                     -- each failure is met in a state of its own; optional
--       untimed = true }                  -- it waits for something that takes long anyway; optional
--
-- A scenario with `call` becomes one for each way of waiting. `t` is the table below.

-- luacheck: globals remote loadScenarios prepare act recover drop collector setTimeout traits

local t = {
  LIMIT = 60,    -- seconds after which a pending operation hangs
  TIMEOUT = 10,  -- of sessions and providers
}

local scenarios, order = {}, {}
local current, context

-- ---- the server, which is in the runner's state

--- `server:fault{...}`, `server:expireSessions()` and so on, as the sandbox has them.
local function serverMethod(name)
  return function(_, ...) return remote(name, ...) end
end
t.server = setmetatable({}, { __index = function(self, name)
  local method = serverMethod(name)
  rawset(self, name, method)
  return method
end })

-- ---- sessions

--- A session of that model with the sandbox.
function t.session(model, options)
  local mine = { serviceURI = t.uris[model], authenticationModel = model, timeout = t.TIMEOUT }
  for name, value in pairs(options or {}) do mine[name] = value end
  return t.datasession.new(mine)
end

--- The arguments of login for a session of that model.
function t.credentials(model)
  if model == "bearer" then return "letmein" end
  return "lua", "secret"
end

--- The same, logged in.
function t.loggedIn(model, options)
  local session = t.session(model, options)
  assert(session:login(t.credentials(model)):await(t.LIMIT))
  return session
end

--- A provider that is logged in.
function t.provider(model)
  local provider = t.datasession.AuthenticationProvider {
    uri = t.uris[model], authenticationModel = model, timeout = t.TIMEOUT,
  }
  assert(provider:login(t.credentials(model)):await(t.LIMIT))
  return provider
end

--- Goes on until nothing is pending.
function t.settle()
  assert(t.datasession.run(t.LIMIT), "something is in flight for ever")
end

-- ---- lists of scenarios

--- An array of scenarios with these methods to add to it: `add`; `once` and `act`, for operations that are
-- done once
--- with each session: `make(t)` gives one, and another after a failure.
function t.list()
  local list = {}
  local methods = {}

  function methods.add(_, scenario) list[#list + 1] = scenario end

  --- `call(session, t)` returns the operation's promise.
  function methods.once(_, name, make, call, ways)
    list[#list + 1] = {
      name = name,
      ways = ways or { "await" },
      prepare = function() return { session = make(t) } end,
      call = function(_, c) return call(c.session, t) end,
      again = function() assert(call(make(t), t):await(t.LIMIT)) end,
    }
  end

  --- `work(session, t)` is the operation.
  function methods.act(_, name, make, work)
    list[#list + 1] = {
      name = name,
      prepare = function() return { session = make(t) } end,
      act = function(_, c) work(c.session, t) end,
      again = function() work(make(t), t) end,
    }
  end

  return setmetatable(list, { __index = methods })
end

--- A function that makes a session with these options and, unless `fresh`, logs it in.
function t.making(options, fresh)
  return function()
    local mine = { timeout = t.TIMEOUT }
    for name, value in pairs(options) do mine[name] = value end
    mine.serviceURI = mine.serviceURI or t.uris[mine.protocol]
    local session = t.datasession.new(mine)
    if not fresh then assert(session:login():await(t.LIMIT)) end
    return session
  end
end

--- A promise that is resolved when `promise` is rejected with an error of one of the kinds given; any other
-- rejects it.
function t.refused(promise, ...)
  local kinds = { ... }
  return promise:next(function() error "it did not fail" end, function(err)
    for _, kind in ipairs(kinds) do
      if err.kind == kind then return kind end
    end
    error(err, 0)
  end)
end

-- ---- ways of waiting: each returns when the promise is settled; error if it is rejected

local ways = {}

function ways.await(promise)
  return assert(promise:await())
end

function ways.spawn(promise)
  return assert(t.datasession.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() end })
    return assert(promise:await(t.LIMIT))
  end):await())
end

function ways.run(promise)
  t.datasession.run(t.LIMIT)
  return assert(promise:await())
end

function ways.step(promise)
  while promise:state() == "pending" do t.datasession.step(0.05) end
  return assert(promise:await(0))
end

-- Each handler runs once at most; those of the wrong kind never.
function ways.handlers(promise)
  local count = context.count
  promise:done(function() count.done = count.done + 1 end)
  promise:fail(function() count.fail = count.fail + 1 end)
  promise:always(function() count.always = count.always + 1 end)
  t.datasession.run(t.LIMIT)
  return assert(promise:await())
end

function ways.chain(promise)
  return assert(promise:next(function(value, result)
    return t.datasession.promise(function(resolve) resolve(value, result) end)
  end):next(nil, function(err) error(err, 0) end):await())
end

local wayNames = { "await", "spawn", "run", "step", "handlers", "chain" }

-- ---- what the runner calls

local function add(scenario, way)
  local name = way and scenario.name .. ", " .. way or scenario.name
  assert(not scenarios[name], "two scenarios are called " .. name)
  scenarios[name] = { scenario = scenario, way = way }
  order[#order + 1] = name
end

--- Loads the library and the scenario files, whose names stand in lines.
function loadScenarios(files)
  scenarios, order = {}, {}
  t.datasession = require "datasession"
  t.uris, t.catalogURIs = remote("uris"), remote("catalogURIs")
  for file in files:gmatch "[^\n]+" do
    for _, scenario in ipairs(assert(loadfile(file))(t)) do
      if scenario.call then
        for _, way in ipairs(scenario.ways or wayNames) do add(scenario, way) end
      else
        add(scenario)
      end
    end
  end
  return table.concat(order, "\n")
end

--- Which of "alone" and "untimed" a scenario is, in one text.
function traits(name)
  local scenario = scenarios[name].scenario
  return (scenario.alone and "alone " or "") .. (scenario.untimed and "untimed" or "")
end

--- Memory is good: makes what the scenario needs.
function prepare(name)
  if context and current.scenario.quiet then current.scenario.quiet(t, context) end
  current = assert(scenarios[name], name)
  context = current.scenario.prepare and current.scenario.prepare(t) or {}
  if type(context) == "table" then context.count = { done = 0, fail = 0, always = 0 } end
end

-- A full collection at every allocation that may collect: no pause, and a step that is a whole cycle.
local function becomeEager()
  collectgarbage("incremental", 1, 1000, 100)
  collectgarbage("setpause", 0)
  collectgarbage()
  local cycles = 0
  local function again()
    cycles = cycles + 1
    setmetatable({}, { __gc = again })
  end
  again()
  for _ = 1, 10 do local _ = {} end
  again = function() end
  assert(cycles >= 5, "the collector is not eager")
end

--- For sessions and providers made from now on.
function setTimeout(seconds)
  t.TIMEOUT = tonumber(seconds)
end

--- How the collector works from now on: "eager", "generational" or "incremental", as Lua begins.
function collector(kind)
  if kind == "eager" then return becomeEager() end
  collectgarbage "restart"
  if kind == "generational" then
    collectgarbage "generational"
  else
    collectgarbage("incremental", 200, 100, 13)
  end
end

--- The operation, with memory that fails.
function act()
  local scenario = current.scenario
  if not scenario.call then return scenario.act(t, context) end
  local promise = scenario.call(t, context)
  context.promise = promise
  ways[current.way](promise)
end

local function checkCounts(count, promise)
  local state = promise:state()
  assert(count.done <= (state == "resolved" and 1 or 0), "a handler of done ran when it must not")
  assert(count.fail <= (state == "rejected" and 1 or 0), "a handler of fail ran when it must not")
  assert(count.always <= 1, "a handler of always ran twice")
end

local function again(scenario)
  if scenario.again then return scenario.again(t, context) end
  if not scenario.call then return scenario.act(t, context) end
  local promise = scenario.call(t, context)
  local ok, err = promise:await(t.LIMIT)
  if not ok then error("with good memory: " .. tostring(err), 0) end
end

local function checkNothingFlies()
  assert(tostring(t.datasession.engine):find(" 0 operation", 1, true), tostring(t.datasession.engine))
end

--- Memory is good again: everything settles, and the operation succeeds.
function recover()
  local scenario = current.scenario
  if scenario.quiet then scenario.quiet(t, context) end
  t.settle()
  local promise = context.promise
  if promise then
    assert(promise:state() ~= "pending", "the promise is never settled")
    checkCounts(context.count, promise)
  end
  again(scenario)
  if scenario.quiet then scenario.quiet(t, context) end
  t.settle()
  if promise then checkCounts(context.count, promise) end
  if scenario.check then scenario.check(t, context) end
  checkNothingFlies()
end

--- No variable holds an object any more: all of them must be collected.
function drop()
  if context and current.scenario.quiet then current.scenario.quiet(t, context) end
  context, current = nil, nil
  t.datasession.invalidateAllSessions():await(t.LIMIT)
  collectgarbage()
  t.settle()
  collectgarbage()
  collectgarbage()
  local left = #t.datasession.sessions()
  assert(left == 0, left .. " sessions are kept alive by nothing")
  checkNothingFlies()
end
