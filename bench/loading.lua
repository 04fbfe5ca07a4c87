--- Measures loading a large catalog from a file, beside decoding it by lua-cjson.
--
--   loading.lua decode|load|use|unusual COUNT FILE     COUNT times, 0 or 1
--
-- decode   the file is read and decoded by lua-cjson, no more
-- load     a session loads it
-- use      a session loads it, and one operation's URI is made
-- unusual  a session loads it, in a form that is decoded at once
--
-- Prints milliseconds of CPU time, and the peak of the process's memory in KB.

local work, count, path = arg[1], math.tointeger(arg[2]), arg[3]

local function readAll(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local works = {}

function works.decode()
  local decode = require("cjson").decode
  return function() assert(#decode(readAll(path)).services == 1) end
end

local function loader(use)
  local datasession = require "datasession"
  require "datasession.internal.catalogs"
  return function()
    local session = datasession.new { serviceURI = "http://localhost/App" }
    assert(session:addCatalog(path):await())
    if use then
      local resource = session.catalogs[1]:resource("Pet7")
      assert(resource:operation("read"):expand { filter = "" }:find("/Pet7?filter=", 1, true))
    end
  end
end

function works.load() return loader(false) end
function works.use() return loader(true) end
works.unusual = works.load

local run = works[work]()
local start = os.clock()
for _ = 1, count do
  run()
end
local peak = readAll("/proc/self/status"):match("VmHWM:%s*(%d+)")
print(("%.3f %s"):format((os.clock() - start) * 1e3, peak))
