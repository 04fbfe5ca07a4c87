--- The text of `response.timings`: a line for each hop, with a bar that shows when it ran.

local timings = {}

local WIDTH = 40
local PHASES = { { "queued", "." }, { "resolve", "r" }, { "connect", "c" }, { "tls", "t" }, { "wait", "-" },
  { "receive", "#" } }

local legend = {}
for i, phase in ipairs(PHASES) do legend[i] = phase[2] .. " " .. phase[1] end

-- Milliseconds with one decimal, the same in every locale.
local function milliseconds(seconds)
  local tenths = math.floor(seconds * 1e4 + 0.5)
  return ("%d.%d"):format(math.floor(tenths / 10), tenths % 10)
end

local function column(seconds, whole) return math.floor(seconds / whole * WIDTH + 0.5) end

-- A phase that is shorter than a column has none, but each hop has one.
local function bar(hop, whole)
  local time, drawn = hop.start, {}
  local from = column(time, whole)
  local at = from
  for i, phase in ipairs(PHASES) do
    time = time + hop[phase[1]]
    local to = column(time, whole)
    drawn[i], at = phase[2]:rep(to - at), math.max(at, to)
  end
  if at == from then
    from = math.min(from, WIDTH - 1)
    drawn, at = { "-" }, from + 1
  end
  return (" "):rep(from) .. table.concat(drawn) .. (" "):rep(WIDTH - at)
end

--- The hops as text.
-- @param hops a list of `response.timings`
function timings.waterfall(hops)
  local whole = 1e-6
  for _, hop in ipairs(hops) do
    whole = math.max(whole, hop.start + hop.total)
  end
  local lines = {}
  for i, hop in ipairs(hops) do
    lines[i] = ("%9s ms |%s| %s %s %s%s"):format(milliseconds(hop.total), bar(hop, whole),
      hop.status or "---", hop.method, hop.uri, hop.reused and "" or " (new connection)")
  end
  lines[#lines + 1] = ("%9s ms  %s"):format(milliseconds(whole), table.concat(legend, "  "))
  return table.concat(lines, "\n")
end

return timings
