-- loops.lua: fails for a loop that assigns to its first variable, which Lua 5.5 does not compile. A loop ends
-- at the `end` of its own indentation.
local sources = dofile "tools/sources.lua"

local wrong = 0

local function isAmong(name, targets)
  for one in targets:gmatch "[%w_]+" do
    if one == name then return true end
  end
  return false
end

local function assigns(line, name)
  for _, before in ipairs { "^", "%f[%w]then", "%f[%w]else", "%f[%w]do" } do
    local targets = line:match(before .. "%s*([%w_, ]+)%s*=[^=]")
    if targets and not line:find ",%s*$" and not targets:find "^local" and not targets:find "^for" and
      isAmong(name, targets)
    then return true end
  end
  return false
end

local function check(path)
  local open, number = {}, 0
  for line in sources.read(path):gmatch "([^\n]*)\n?" do
    number = number + 1
    local indent = #line:match "^ *"
    while open[1] and line:find "%S" and indent <= open[#open].indent do open[#open] = nil end
    for _, loop in ipairs(open) do
      if assigns(line, loop.name) then
        io.stderr:write(("%s:%d: assigns to the loop's variable %s\n"):format(path, number, loop.name))
        wrong = wrong + 1
      end
    end
    local name = line:match "^%s*for ([%w_]+)"
    if name and not line:find "%f[%w]end%s*$" then open[#open + 1] = { indent = indent, name = name } end
  end
end

for _, path in ipairs(sources.find "lua spec examples tools bench -name '*.lua'") do check(path) end
os.exit(wrong == 0)
