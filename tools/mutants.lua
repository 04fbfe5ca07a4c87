-- mutants.lua: changes csrc or lua in one place at a time, in a copy of the work tree in build/mutants/tree,
-- and tells which changes no spec notices. tools/mutants.mk lists the variables that it reads. The state is
-- in build/mutants: an interrupted run of the same sources and specs goes on.
local file, stringx, tablex = require "pl.file", require "pl.stringx", require "pl.tablex"
local executeex = require "pl.utils".executeex
local mutations, concepts = dofile "tools/mutations.lua", dofile "spec/suites/mutants/specs.lua"
local TOP, TREE = "build/mutants", "build/mutants/tree"
local LONGEST = 100 -- seconds for a spec whose usual time is not known yet
local LUA, ONLY, REST = os.getenv "LUA" or "lua5.4", os.getenv "ONLY" or "", os.getenv "REST" or ""
local WANTED, SEED = os.getenv "MUTANTS" or "20", math.tointeger(tonumber(os.getenv "SEED")) or os.time()
local LEAST, MINUTES = tonumber(os.getenv "LEAST") or 0, tonumber(os.getenv "MINUTES") or math.huge

local function say(...) print(string.format(...)) io.stdout:flush() end

local function list(command) return stringx.splitlines((select(3, executeex(command)))) end

-- A table of texts that is kept in a file.
local function kept(path)
  local values, log = {}, assert(io.open(path, "a+"))
  for key, value in log:read "a":gmatch "([^\t\n]*)\t([^\n]*)\n" do values[key] = value end
  return setmetatable({}, { __index = values, __newindex = function(_, key, value)
    values[key] = tostring(value)
    log:write(key, "\t", value, "\n"):flush()
  end })
end

-- True if the command succeeds within `seconds`. Its output goes to build/mutants/log.
local function runs(seconds, command)
  local line = "cd %s && SPEC_TIMEOUT=30 exec nice timeout -k 5 %d %s >../log 2>&1 </dev/null"
  return (os.execute(line:format(TREE, math.ceil(seconds), command))) == true
end

local MAKE = "make -s -j2 WARNINGS=-w "

-- Builds what the specs of the file need; command_of builds the programs of spec/host.
local function build(path)
  return runs(900, MAKE .. "all" .. (path:find "^csrc/net/" and " build/spec/net_spec" or ""))
end

-- ---- Specs

-- net_spec.c runs all others of spec/net.
local ALL = list "find spec -name '*_spec.lua' -o -name '*_spec.c' ! -name net_spec.c | sort"
local times = kept(TOP .. "/times") -- spec: the seconds that it takes without a mutant
local broken = {} -- spec: true if it fails without a mutant

-- The specs of the file's concept, then all others: the one with the file's name first, then by their times.
local function specs_of(path)
  local own, others, rank, stem = {}, {}, {}, path:match "([^/]+)%.%w+$"
  local folders = path:gsub("^csrc", "spec"):gsub("/[^/]*$", "")
  for i = #concepts, 1, -1 do
    if path:find(concepts[i][1], 1, true) == 1 then folders = concepts[i][2] end
  end
  for place, spec in ipairs(ALL) do
    local list_of_it = others
    for name in folders:gmatch "%S+" do
      if spec == name or spec:find(name .. "/", 1, true) == 1 then list_of_it = own end
    end
    list_of_it[#list_of_it + 1] = spec
    rank[spec] = spec:match "([^/]+)_spec%.%w+$" == stem and 0 or tonumber(times[spec]) or 2 + place / 1000
  end
  for _, specs in ipairs { own, others } do table.sort(specs, function(a, b) return rank[a] < rank[b] end) end
  return own, others
end

local function command_of(spec)
  local folder, name = spec:match "^spec/(%w+)/(.*)_spec%.c$"
  if folder == "net" then
    return "tools/in-tree.sh build build/spec/net_spec " .. (name == "net" and "" or name)
  elseif folder == "host" then
    return (("sh -c '%s PROGRAM && tools/in-tree.sh build env DATASESSION_HANG_FIFO=build/spec/hang.fifo " ..
      "LD_PRELOAD=build/preload/spec/net/resolver_hang.so PROGRAM'"):format(MAKE)
      :gsub("PROGRAM", "build/spec/host/" .. name .. "_spec"))
  end
  return ("tools/in-tree.sh build %s tools/busted.lua --output=TAP --no-keep-going %s"):format(LUA, spec)
end

-- Runs a spec. Its bound follows from its usual time, which the first run that passes tells.
local function passes(spec)
  local usual, began = tonumber(times[spec]), os.time()
  local ok = runs(usual and 15 + 5 * usual or LONGEST, command_of(spec))
  if ok and not usual then times[spec] = os.time() - began + 0.5 end
  return ok
end

local function first_failure(specs)
  return specs[tablex.find_if(specs, function(spec) return not broken[spec] and not passes(spec) end)]
end

-- ---- One mutant

local stale = false -- the C modules are a mutant's

-- The sum of a C file's code: a mutant that is not compiled, or to the same code, has that of the file.
local function code_of(path)
  local object = TREE .. "/build/obj/" .. path:gsub("%.c$", ".o")
  return list(("objcopy --strip-debug %s %s/code.o && cksum <%s/code.o"):format(object, TOP, TOP))[1]
end

-- Returns killed, rest, lived or invalid, the spec that failed, and the seconds.
local function try(mutant)
  local where, is_c, verdict, spec = TREE .. "/" .. mutant.path, mutant.path:match "%.c$", "invalid", nil
  local began, own, others = os.time(), specs_of(mutant.path)
  local clean, built = is_c and code_of(mutant.path), true
  file.write(where, mutant.text())
  stale = stale or is_c
  if stale then built = build(mutant.path) end
  if built then stale = is_c end
  if built and (is_c and code_of(mutant.path) ~= clean or not is_c and loadfile(where)) then
    verdict, spec = "killed", first_failure(mutant.specs or own)
    if not spec and REST ~= "" then verdict, spec = "rest", first_failure(others) end
    verdict = spec and verdict or "lived"
  end
  file.write(where, mutant.clean)
  if not spec or times[spec] then return verdict, spec or "", os.time() - began end
  assert(build(mutant.path))
  stale = false
  if passes(spec) then return verdict, spec, os.time() - began end
  say("  %s fails without a mutant: left out", spec)
  broken[spec] = true
  return try(mutant)
end

local function drawn()
  local all, same, unseen = {}, {}, {}
  for _, one in ipairs(dofile "spec/suites/mutants/equivalent.lua") do
    local key = one.file .. one.old .. "\n" .. one.new
    same[key], unseen[key] = "equivalent", true
  end
  for _, path in ipairs(list "find csrc lua -name '*.c' -o -name '*.lua' | sort") do
    for _, mutant in ipairs(mutations(path, file.read(path))) do
      local key = path .. mutant.old .. "\n" .. mutant.new
      mutant.equivalent, unseen[key] = same[key], nil
      all[#all + 1] = mutant
    end
  end
  assert(not next(unseen), "equivalent.lua: there is no such mutant: " .. (next(unseen) or ""))
  return all, tonumber(WANTED)
end

local function hand_made()
  local all = {}
  for i, one in ipairs(dofile "spec/suites/mutants/hand.lua") do
    local text = file.read(one.file)
    assert(stringx.count(text, one.old) == 1, "hand.lua: expected once: " .. one.old)
    all[i] = { path = one.file, line = i, kind = "hand", old = one.old, new = one.what, clean = text,
      text = function() return stringx.replace(text, one.old, one.new) end, specs = { one.spec } }
  end
  return all, #all
end

-- ---- The sample and its table

assert(os.execute((("rm -rf TREE; mkdir -p TREE/build; tar c --exclude=./build --exclude=./.git . | " ..
  "tar x -C TREE; cp -a build/obj build/lib build/spec build/preload TREE/build"):gsub("TREE", TREE))))
assert(build "csrc/net/", "build/mutants/log says why the copy cannot be built")
local sum = list "find csrc lua spec tools/mut* -type f -print0 | sort -z | xargs -0 cksum | cksum"[1]
local known = kept(("%s/results-%s%s"):format(TOP, sum:match "%d+", REST))
local all, wanted = (WANTED == "hand" and hand_made or drawn)()
all = tablex.filter(all, function(mutant) return mutant.path:find(ONLY) end)
say("%d mutants to choose from; SEED=%d", #all, SEED)
local folders, lived, count, started = { all = { mutants = 0, killed = 0 } }, {}, 0, os.time()
math.randomseed(SEED)
while count < wanted and #all > 0 and os.time() - started < 60 * MINUTES do
  local mutant = table.remove(all, math.random(#all))
  local id = ("%s:%d %s %s"):format(mutant.path, mutant.line, mutant.kind, mutant.new):gsub("%s", " ")
  if not mutant.equivalent and not known[id] then known[id] = ("%s (%s, %d s)"):format(try(mutant)) end
  local verdict = mutant.equivalent or known[id]:match "^%w+"
  if verdict ~= "invalid" then
    count = count + (mutant.equivalent and 0 or 1)
    say("%3d  %s: %s", count, id, known[id] or verdict)
    for _, name in ipairs { "all", (mutant.path:match "^(.*)/") } do
      folders[name] = folders[name] or {}
      for _, column in ipairs { verdict, not mutant.equivalent and "mutants" or nil } do
        folders[name][column] = (folders[name][column] or 0) + 1
      end
    end
    if verdict == "lived" or verdict == "rest" then
      lived[#lived + 1] = ("\n%s %s:%d (%s)\n  - %s\n  + %s"):format(verdict == "lived" and "LIVED" or
        "KILLED BY OTHERS", mutant.path, mutant.line, mutant.kind, mutant.old, mutant.new)
    end
  end
end
if count < wanted then say("\n%d of %s mutants were tried; MINUTES=%g", count, WANTED, MINUTES) end
local line = "%-42s %8s %8s %8s %8s %10s"
say("\n" .. line, "folder", "mutants", "killed", "others", "lived", "equivalent")
for name, of in tablex.sort(folders) do
  say(line, name, of.mutants or 0, of.killed or 0, of.rest or 0, of.lived or 0, of.equivalent or 0)
end
say("%s", table.concat(lived, "\n"))
local share = 100 * folders.all.killed / math.max(folders.all.mutants, 1)
say("\n%.0f %% of %d killed by the concept's own specs", share, folders.all.mutants)
os.exit(share >= LEAST)
