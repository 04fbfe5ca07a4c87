--- The suite of failing networks: every kind of request meets every fault. network_spec.lua runs a sample,
-- all.lua all of it.
local fault_server = require "fault_server"

local here = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"
local faults, trial, kinds = dofile(here .. "/faults.lua"), dofile(here .. "/trial.lua"),
  dofile(here .. "/kinds.lua")

local suite = { kinds = kinds.kinds }

--- A fault server that has the good answers, and its origin.
function suite.start()
  local server = assert(fault_server.start())
  for key, bytes in pairs(kinds.answers) do server:answer(key, { bytes }) end
  return server, "http://127.0.0.1:" .. server:port()
end

local function fitting(kind, list)
  local cases = {}
  for _, case in ipairs(list) do
    local skipped = false
    for _, sort in ipairs(kind.skips or {}) do skipped = skipped or case[sort] end
    if not skipped then cases[#cases + 1] = case end
  end
  return cases
end

local function largeCases(kind, stride)
  local good = kinds.answers[kind.key]
  local lists = {}
  for i, how in ipairs { "close", "reset" } do
    local cases = kind.sends and faults.deafness(kind.sends, how, stride * kind.grain)
      or faults.largeCuts(good, how, stride * kind.grain)
    lists[i] = { name = how .. " amid a large body", cases = cases }
  end
  return lists
end

--- The lists of cases for a kind, each by its name; `stride`: how many bytes lie between two cuts.
function suite.cases(kind, stride)
  if kind.grain then return largeCases(kind, stride) end
  local good = kinds.answers[kind.key]
  local chunked = faults.chunked(good, "X-Trailer: a\r\n")
  return {
    { name = "cut", cases = fitting(kind, faults.cuts(good, "close", stride, "whole length", "ok")) },
    { name = "reset", cases = faults.cuts(good, "reset", stride, "whole length", { "ok", "connect" }) },
    { name = "cut amid chunks", cases = fitting(kind,
      faults.cuts(chunked, "close", stride, "chunks", "ok")) },
    { name = "reset amid chunks", cases = faults.cuts(chunked, "reset", stride, "chunks",
      { "ok", "connect" }) },
    { name = "dripped", cases = faults.drips(good) },
    { name = "cancelled", cases = fitting(kind, faults.cancels(good, stride)) },
    { name = "odd", cases = fitting(kind, faults.oddities(good)) },
  }
end

--- Runs every case of a list on one subject. Returns an array of what is wrong, and how many cases there
-- were.
function suite.run(server, origin, kind, cases)
  local subject, wrong = kind.make(origin), {}
  for _, case in ipairs(cases) do
    local what = trial.run(server, kind, case, subject)
    if what then
      wrong[#wrong + 1] = what
      subject = kind.make(origin)
    end
  end
  return wrong, #cases
end

-- One of them by the other limit.
local function addStalls(origin, kind, entries)
  for i, case in ipairs(faults.stalls(kinds.answers[kind.key])) do
    local timeout = i == 1
    case.expect = timeout and "timeout" or "stall"
    local subject = kind.make(origin, timeout and { timeout = 0.4 } or { stallTimeout = 0.3 })
    entries[#entries + 1] = { kind = kind, case = case, subject = subject }
  end
end

--- Cases that wait for a limit of time: all cases of those kinds, whose keys differ, at once. As suite.run.
function suite.runStalls(server, origin, ...)
  local entries = {}
  for _, kind in ipairs { ... } do addStalls(origin, kind, entries) end
  return trial.together(server, entries), #entries
end

return suite
