--- The suite of failing networks, whole: what spec/suites/network/network_spec.lua runs a sample of.
-- usage: lua spec/suites/network/all.lua [pattern ...]
--   pattern: kinds of requests whose name contains it; all by default
local suite = dofile "spec/suites/network/suite.lua"

local SHOWN = 10 -- of what is wrong with one list

local server, origin = suite.start()
local passed, failed = 0, 0

local function chosen(kind)
  if #arg == 0 then return true end
  for _, pattern in ipairs(arg) do
    if kind.name:find(pattern, 1, true) then return true end
  end
  return false
end

local function report(kind, name, wrong, count)
  passed, failed = passed + count - #wrong, failed + #wrong
  print(("%-4s %s: %s (%d)"):format(#wrong == 0 and "ok" or "FAIL", kind.name, name, count))
  for i = 1, math.min(SHOWN, #wrong) do print("  " .. wrong[i]) end
  if #wrong > SHOWN then print(("  and %d more"):format(#wrong - SHOWN)) end
end

for _, kind in ipairs(suite.kinds) do
  if chosen(kind) then
    for _, list in ipairs(suite.cases(kind, 1)) do
      report(kind, list.name, suite.run(server, origin, kind, list.cases))
    end
    if not kind.hangs and not kind.grain then
      report(kind, "silent", suite.runStalls(server, origin, kind))
    end
  end
end

server:close()
print(("network: %d cases, %d failed"):format(passed + failed, failed))
os.exit(failed == 0 and passed > 0, true)
