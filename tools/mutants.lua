-- mutants.lua: changes one line of csrc or lua at a time, in a copy of the work tree in build/mutants/tree,
-- and tells which changes no spec notices. tools/mutants.mk lists the variables that it reads.
-- The state is in build/mutants: an interrupted run of the same sources, specs and sample goes on.
local TOP = "build/mutants"
local TREE = TOP .. "/tree"
local COPIED = ".busted .ci .github Makefile CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md " ..
  "bench bin csrc docs examples lua mkdocs.yml packaging spec tools types *.rockspec"
local hand = dofile "spec/suites/mutants/hand.lua"
local equivalents = dofile "spec/suites/mutants/equivalent.lua"
local concepts = dofile "spec/suites/mutants/specs.lua"
local candidates_of = dofile "tools/mutations.lua"

-- A variable that is set and not empty, or the default.
local function variable(name, default)
  local value = os.getenv(name)
  return value and #value > 0 and value or default
end

local LUA, WANTED = variable("LUA", "lua5.4"), variable("MUTANTS", "20")
local SEED = math.tointeger(tonumber(variable("SEED", os.time())))
local ONLY, REST, LEAST = variable "ONLY", variable "REST", tonumber(variable("LEAST", 0))

local function say(...) print(string.format(...)) io.stdout:flush() end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function list(command)
  local lines = {}
  for line in io.popen(command):lines() do lines[#lines + 1] = line end
  return lines
end

-- ---- The copy

-- True if the command succeeds within `seconds`. Its output goes to build/mutants/log.
local function runs(seconds, command)
  local ok, _, code = os.execute(("cd %s && exec nice timeout -k 5 %d %s >../log 2>&1 </dev/null")
    :format(TREE, seconds, command))
  return ok == true, code == 124 or code == 137
end

local function build() return runs(900, "make -s -j2 WARNINGS=-w all specs") end

-- Copies the work tree and what is built. Returns a number that differs when a source or a spec does.
local function copy()
  assert(os.execute(("rm -rf %s && mkdir -p %s/build && cp -a $(ls -d %s 2>/dev/null) %s && " ..
    "for part in obj lib spec preload; do cp -a build/$part %s/build; done")
    :format(TREE, TREE, COPIED, TREE, TREE)))
  return list("find csrc lua spec -type f -print0 | sort -z | xargs -0 cksum | cksum")[1]:match "%d+"
end

-- ---- The specs of a file

local ALL = list "find spec -name '*_spec.lua' -o -name '*_spec.c' | sort"
local times = {} -- spec -> the seconds that it takes without a mutant; 0: it fails

local function below(folder, into)
  for _, spec in ipairs(ALL) do
    if spec == folder or spec:sub(1, #folder + 1) == folder .. "/" then into[#into + 1] = spec end
  end
end

-- The specs of the concept: the one with the file's name first, then those that the table names, fast ones
-- first; `rest`: all others.
local function specs_of(path, rest)
  local found, stem = {}, path:match "([^/]+)%.%w+$"
  local folders = path:gsub("^csrc", "spec"):gsub("/[^/]*$", "")
  for _, row in ipairs(concepts) do
    if path:sub(1, #row[1]) == row[1] then
      folders = row[2]
      break
    end
  end
  for folder in folders:gmatch "%S+" do below(folder, found) end
  if rest then
    local own = {}
    for _, spec in ipairs(found) do own[spec] = true end
    found = {}
    for _, spec in ipairs(ALL) do
      if not own[spec] then found[#found + 1] = spec end
    end
  end
  local rank = {}
  for place, spec in ipairs(found) do
    rank[spec] = (spec:match "([^/]+)_spec%.%w+$" == stem and -1e6) or times[spec] or place / 1000
  end
  table.sort(found, function(a, b) return rank[a] < rank[b] end)
  return found
end

local function command_of(spec)
  local name = spec:match "([^/]+)_spec%.c$"
  if not name then
    return ("tools/in-tree.sh build %s tools/busted.lua --output=TAP --no-keep-going %s"):format(LUA, spec)
  elseif spec:match "^spec/net/" then
    return "tools/in-tree.sh build build/spec/net_spec " .. (name == "net" and "" or name)
  end
  return "tools/in-tree.sh build env LD_PRELOAD=build/preload/spec/net/resolver_hang.so " ..
    "DATASESSION_HANG_FIFO=build/spec/hang.fifo build/spec/host/" .. name .. "_spec"
end

-- Measures, once, how long each spec takes without a mutant. The bound of a run is derived from it.
local function measure(specs)
  local built = false
  for _, spec in ipairs(specs) do
    if not times[spec] then
      built = built or assert(build())
      local began = os.time()
      local ok = runs(300, command_of(spec))
      times[spec] = ok and os.time() - began + 0.5 or 0
      local file = assert(io.open(TOP .. "/times", "a"))
      file:write(("%s\t%g\n"):format(spec, times[spec]))
      file:close()
      if not ok then say("  %s fails without a mutant: left out", spec) end
    end
  end
end

-- ---- One mutant

local function first_failure(specs)
  for _, spec in ipairs(specs) do
    if times[spec] > 0 then
      local ok, slow = runs(math.ceil(20 + 4 * times[spec]), command_of(spec))
      if not ok then return spec .. (slow and " (by its bound)" or "") end
    end
  end
end

-- Returns killed, rest, lived or invalid, and the spec that failed.
local function try(mutant)
  local where = TREE .. "/" .. mutant.path
  measure(mutant.specs or specs_of(mutant.path))
  if REST then measure(specs_of(mutant.path, true)) end
  write(where, mutant.text)
  local verdict, spec = "invalid", nil
  if build() then
    verdict, spec = "killed", first_failure(mutant.specs or specs_of(mutant.path))
    if not spec and REST then
      verdict, spec = "rest", first_failure(specs_of(mutant.path, true))
    end
  end
  write(where, read(mutant.path))
  return (verdict == "invalid" or spec) and verdict or "lived", spec
end

-- ---- The choice

local function equivalent(mutant)
  for _, one in ipairs(equivalents) do
    if one.file == mutant.path and one.old == mutant.old and one.new == mutant.new then
      one.found = true
      return true
    end
  end
end

local function drawn()
  local all = {}
  for _, path in ipairs(list "find csrc lua -name '*.c' -o -name '*.lua' | sort") do
    for _, mutant in ipairs(candidates_of(path, read(path))) do
      if not equivalent(mutant) and (not ONLY or path:find(ONLY)) then all[#all + 1] = mutant end
    end
  end
  for _, one in ipairs(equivalents) do
    assert(one.found, ("equivalent.lua: no such mutant: %s: %s"):format(one.file, one.new))
  end
  math.randomseed(SEED)
  for i = #all, 2, -1 do
    local j = math.random(i)
    all[i], all[j] = all[j], all[i]
  end
  say("%d mutants to choose from; SEED=%d", #all, SEED)
  return all, tonumber(WANTED)
end

local function hand_made()
  local all = {}
  for i, one in ipairs(hand) do
    local text = assert(read(one.file), one.file)
    local from, to = text:find(one.old, 1, true)
    assert(from and not text:find(one.old, to, true), "hand.lua: expected once: " .. one.old)
    if not ONLY or one.what:find(ONLY) or one.file:find(ONLY) then
      all[#all + 1] = { path = one.file, line = i, kind = "hand", old = one.old, new = one.what,
        text = text:sub(1, from - 1) .. one.new .. text:sub(to + 1), specs = { one.spec } }
    end
  end
  return all, #all
end

-- ---- The report

local function report(results)
  local folders, names, sum, lived = {}, {}, { killed = 0, rest = 0, lived = 0 }, {}
  for _, one in ipairs(results) do
    local name = one.mutant.path:match "^(.*)/"
    if not folders[name] then
      folders[name], names[#names + 1] = { killed = 0, rest = 0, lived = 0 }, name
    end
    folders[name][one.verdict], sum[one.verdict] = folders[name][one.verdict] + 1, sum[one.verdict] + 1
    if one.verdict ~= "killed" then lived[#lived + 1] = one end
  end
  table.sort(names)
  say("\n%-42s %8s %8s %8s", "folder", "own", "others", "lived")
  for _, name in ipairs(names) do
    say("%-42s %8d %8d %8d", name, folders[name].killed, folders[name].rest, folders[name].lived)
  end
  local total = sum.killed + sum.rest + sum.lived
  local share = total > 0 and 100 * sum.killed / total or 100
  say("%-42s %8d %8d %8d   %.0f %% killed by the concept's own specs", "all", sum.killed, sum.rest, sum.lived,
    share)
  for _, one in ipairs(lived) do
    say("\n%s %s:%d (%s)\n  - %s\n  + %s", one.verdict == "lived" and "LIVED" or "killed by others",
      one.mutant.path, one.mutant.line, one.mutant.kind, one.mutant.old, one.mutant.new)
  end
  return share
end

local sum = copy()
for line in (read(TOP .. "/times") or ""):gmatch "[^\n]+" do
  local spec, seconds = line:match "^(.-)\t(.*)$"
  if tonumber(seconds) > 0 then times[spec] = tonumber(seconds) end
end
if not build() then
  io.stderr:write(read(TOP .. "/log"))
  os.exit(1)
end
local state = ("%s/results-%s%s"):format(TOP, sum, REST and "-rest" or "")
local known = {}
for line in (read(state) or ""):gmatch "[^\n]+" do
  local id, verdict, spec = line:match "^(.-)\t(.-)\t(.*)$"
  known[id] = { verdict, spec }
end
local all, wanted = (WANTED == "hand" and hand_made or drawn)()
local results = {}
for _, mutant in ipairs(all) do
  if #results >= wanted then break end
  local id = ("%s:%d %s %s"):format(mutant.path, mutant.line, mutant.kind, mutant.new)
  local began = os.time()
  local verdict, spec = table.unpack(known[id] or {})
  if not verdict then
    verdict, spec = try(mutant)
    local file = assert(io.open(state, "a"))
    file:write(("%s\t%s\t%s\n"):format(id, verdict, spec or ""))
    file:close()
  end
  if verdict ~= "invalid" then
    results[#results + 1] = { mutant = mutant, verdict = verdict, spec = spec }
    say("%3d  %-7s %s  (%s, %d s)", #results, verdict, id, spec or "", os.time() - began)
  end
end
os.exit(report(results) >= LEAST)
