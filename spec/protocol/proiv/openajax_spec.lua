-- The order of the hub's deliveries, against that of OpenAjax's hub 2.0.7, which was recorded. With a copy of
-- it in OPENAJAX_HUB (make conformance-hub HUB=...) node runs it beside ours, with programs of a new SEED.
local cjson = require "cjson"
local hubs = require "datasession.proiv.hub"
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"

local RECORDED = "spec/protocol/proiv/openajax.json"
local PROGRAMS, STEPS = 60, 12

-- ---- programs of steps at random: spec/suites/conformance/hub.js says what they are

local random, count

-- Few names, so that they meet. Empty elements are elements like others.
local function name(wildcards)
  local elements = {}
  for i = 1, random(1, 3) do
    local choice = random(wildcards and 7 or 4)
    elements[i] = choice <= 2 and "a" or choice == 3 and "b" or choice == 4 and "" or choice <= 6 and "*"
      or "**"
  end
  return table.concat(elements, ".")
end

local function steps(most, depth)
  local list = {}
  for i = 1, random(most) do
    local choice = random(8)
    if choice <= 4 then
      count = count + 1
      local nested = depth > 0 and random(3) == 1 and steps(2, depth - 1) or nil
      list[i] = { "subscribe", count, name(true), nested }
    elseif choice == 5 and count > 0 then
      list[i] = { "unsubscribe", random(count) }
    else
      list[i] = { "publish", name(false) }
    end
  end
  return list
end

local function programs(seed)
  local list = {}
  math.randomseed(seed)
  random = math.random
  for i = 1, PROGRAMS do
    count = 0
    list[i] = steps(STEPS, 2)
    table.insert(list[i], { "publish", "a" })
    table.insert(list[i], { "publish", "a.b" })
  end
  return list
end

-- ---- running them on ours

local function run(program)
  local hub, handles, heard = hubs.new(), {}, {}
  local take
  local function subscribe(who, pattern, nested)
    handles[who] = hub:subscribe(pattern, function(message)
      local now = nested or {}
      nested = nil
      table.insert(heard, { who, message })
      take(now)
    end)
  end
  function take(list)
    for _, step in ipairs(list) do
      if step[1] == "subscribe" then
        subscribe(step[2], step[3], step[4])
      elseif step[1] == "publish" then
        hub:publish(step[2])
      elseif handles[step[2]] then
        hub:unsubscribe(handles[step[2]])
      end
    end
  end
  take(program)
  return heard
end

local function check(list, results, seed)
  assert.equal(#list, #results)
  for i, program in ipairs(list) do
    assert.same(results[i], run(program), ("seed %s, program %d: %s"):format(seed, i, cjson.encode(program)))
  end
end

-- ---- running them on the reference

local reference = os.getenv "OPENAJAX_HUB"

local function referenceResults(list)
  local input <close> = setmetatable({ path = files.new(cjson.encode(list)) },
    { __close = function(self) os.remove(self.path) end })
  return cjson.decode(shell.run("node spec/suites/conformance/hub.js " .. shell.quoted(reference) .. " < " ..
    shell.quoted(input.path)))
end

describe("the hub", function()
  it("delivers as was recorded of OpenAjax's hub", function()
    local recorded = cjson.decode(files.read(RECORDED))
    check(recorded.programs, recorded.results, "recorded")
  end)

  if reference then
    it("delivers as OpenAjax's hub beside it", function()
      local seed = tonumber(os.getenv "SEED") or os.time() % 1000000
      local list = programs(seed)
      local results = referenceResults(list)
      if os.getenv "RECORD" then
        files.write(RECORDED, cjson.encode { programs = list, results = results } .. "\n")
      end
      check(list, results, seed)
    end)
  end
end)
