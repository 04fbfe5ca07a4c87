-- run.lua PORT SPEC...: runs specs with the client under Windows, in place of busted, which needs more
-- modules in C. PORT: of sandboxes.lua. Prints each failure, and the counts at last.
-- luacheck: ignore 121 122 (it defines what busted defines)
local port = table.remove(arg, 1)
local sandbox = dofile "spec/suites/windows/sandbox.lua"
sandbox.connect(tonumber(port))
package.loaded["datasession.sandbox"] = sandbox
package.loaded.fault_server = sandbox.faultServer()

local luassert = require "luassert"
local skips = dofile "spec/suites/windows/skipped.lua"

local SKIP = {} -- { [SKIP] = a reason } as an error: the spec cannot run here

local counts = { passed = 0, failed = 0, skipped = 0 }
local skipped = {} -- the count of each reason

local function skip(reason) error({ [SKIP] = reason }, 0) end

-- Commands run on this system. A child that is a Lua runs under wine again: its lines end as Windows' do.
arg[-1] = os.getenv "DATASESSION_LUA"
for i = -2, -10, -1 do arg[i] = nil end

local function unix(text) return text and (text:gsub("\r\n", "\n"):gsub("\r$", "")) end

local pipe = { __name = "pipe" }
pipe.__index = pipe

function pipe:read(format) return unix(self.far:read(format or "l")) end

function pipe:close() return self.far:close() end

function pipe:write(...) return self.far:write(...) end

function io.popen(command, mode) return setmetatable({ far = sandbox.popen(command, mode) }, pipe) end

function os.execute(command)
  if not command then return true end
  return io.popen(command):close()
end

function os.tmpname() -- that of Windows is not in a directory that may be written to
  local name = ("%s/%08x"):format(os.getenv "DATASESSION_TMP", math.random(0, 0xffffffff))
  assert(io.open(name, "w")):close()
  return name
end

-- Lua modules in C and libraries of the specs that are not built for Windows: a use of one skips the spec.
local function absent(reason)
  local function use() skip(reason) end
  return setmetatable({}, { __index = use, __call = use })
end

for name, reason in pairs(skips.modules) do
  package.preload[name] = function() return absent(reason) end
end

local doFile = dofile
function dofile(path)
  local reason = skips.files[path]
  return reason and absent(reason) or doFile(path)
end

local function note(kind, name, why)
  counts[kind] = counts[kind] + 1
  if kind == "skipped" then skipped[why] = (skipped[why] or 0) + 1 end
  if kind == "failed" then print("FAILED " .. name .. "\n  " .. why:gsub("\n", "\n  ")) end
end

local function traced(err)
  if type(err) == "table" and err[SKIP] then return err end
  local text = type(err) == "table" and err.message or err
  return debug.traceback(tostring(text), 2)
end

-- ---- The blocks of a file: { name, parent, items (blocks and specs), and lists of functions: setup,
-- teardown, before, after }

local block

local function newBlock(name, parent)
  return { name = name, parent = parent, items = {}, setup = {}, teardown = {}, before = {}, after = {} }
end

local function enter(name, body)
  block = newBlock(name, block)
  table.insert(block.parent.items, block)
  body()
  block = block.parent
end

local function adder(list)
  return function(body) table.insert(block[list], body) end
end

describe, context, insulate, expose = enter, enter, enter, enter
setup, lazy_setup, strict_setup = adder "setup", adder "setup", adder "setup"
teardown, lazy_teardown, strict_teardown = adder "teardown", adder "teardown", adder "teardown"
before_each, after_each = adder "before", adder "after"

function it(name, body) table.insert(block.items, { name = name, body = body }) end

local running

function pending(reason)
  if running then skip("is pending: " .. tostring(reason)) end
end

function finally(body) running.finally = body end

assert, spy, stub, mock, match = luassert, require "luassert.spy", require "luassert.stub",
  require "luassert.mock", require "luassert.match"

local function call(list)
  for _, body in ipairs(list) do body() end
end

local function around(one, list)
  if one.parent then around(one.parent, list) end
  call(one[list])
end

local function runBody(parent, item)
  around(parent, "before")
  item.body()
end

local function finish(parent, item)
  if item.finally then item.finally() end
  local one = parent
  while one do
    call(one.after)
    one = one.parent
  end
end

local function reasonFor(path, name)
  for _, row in ipairs(skips.specs) do
    if path:find(row[1], 1, true) and (not row[2] or name:find(row[2], 1, true)) then return row[3] end
  end
end

local function result(ok, err, name)
  if ok then return note("passed", name) end
  if type(err) == "table" then return note("skipped", name, err[SKIP]) end
  note("failed", name, err)
end

local function runSpec(path, parent, item)
  local name = path .. ": " .. parent.name .. " " .. item.name
  local reason = reasonFor(path, parent.name .. " " .. item.name)
  if reason then return note("skipped", name, reason) end
  running = item
  local snapshot = luassert:snapshot()
  local ok, err = xpcall(runBody, traced, parent, item)
  local ended, why = xpcall(finish, traced, parent, item)
  snapshot:revert()
  running = nil
  if ok and not ended then ok, err = ended, why end
  result(ok, err, name)
end

local function count(one, err, path)
  for _, item in ipairs(one.items) do
    if item.items then
      count(item, err, path)
    else
      result(false, err, path .. ": " .. one.name .. " " .. item.name)
    end
  end
end

local function runBlock(path, one)
  local ok, err = xpcall(call, traced, one.setup)
  if not ok then return count(one, err, path) end
  for _, item in ipairs(one.items) do
    if item.items then runBlock(path, item) else runSpec(path, one, item) end
  end
  ok, err = xpcall(call, traced, one.teardown)
  if not ok then result(ok, err, path .. ": " .. one.name .. " teardown") end
end

local function runFile(path)
  block = newBlock(path)
  local before = counts.passed
  local all = block
  local ok, err = xpcall(dofile, traced, path)
  if ok then runBlock(path, all) else result(ok, err, path) end
  io.stdout:write(("%s: %d passed\n"):format(path, counts.passed - before))
  io.stdout:flush()
end

for _, path in ipairs(arg) do runFile(path) end
for reason, number in pairs(skipped) do io.stdout:write(("skipped, %s: %d\n"):format(reason, number)) end
io.stdout:write(("%d passed, %d failed, %d skipped\n"):format(counts.passed, counts.failed, counts.skipped))
os.exit(counts.failed == 0 and counts.passed > 0, true)
