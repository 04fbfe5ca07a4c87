-- A process that has no file descriptors left.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"

-- Opens files until only `left` descriptors remain for this process, libcurl included.
local EXHAUST = [[
local files = {}
local function exhaust(left)
  repeat
    local file = io.open "/dev/null"
    files[#files + 1] = file
  until not file
  for _ = 1, left do table.remove(files):close() end
end
local function ask(uri, options)
  options.serviceURI = uri
  return datasession.new(options):request { path = "static/home.html" }
end
]]

local KEEP = [[
local datasession = require "datasession"
datasession.setLimits { hostConnections = 8 }
]] .. EXHAUST .. [[
local first, second = ...
local asked = {}
for i = 1, 8 do asked[i] = ask(first, {}) end
for i = 1, 8 do assert(asked[i]:await(20)) end
exhaust(0)
print(assert(ask(second, {}):await(20)).status)
print(assert(ask(first, {}):await(20)).status)
]]

local NONE = [[
local datasession = require "datasession"
]] .. EXHAUST .. [[
local first = ...
local session = datasession.new { serviceURI = first } -- the engine needs some itself
exhaust(0)
local _, err = session:request { path = "static/home.html" }:await(20)
print(err.kind, err.message, err.hint, err.retryable)
files = {}
collectgarbage()
print(assert(ask(first, {}):await(20)).status)
]]

describe("without file descriptors to open", function()
  local first <const>, second <const> = assert(sandbox.start()), assert(sandbox.start())

  teardown(function()
    first:close()
    second:close()
  end)

  setup(function() child.variables = "prlimit --nofile=64" end)
  teardown(function() child.variables = nil end)

  it("a request takes the place of an idle connection", function()
    assert.equal("200\n200\n", child.output(KEEP, first.uris.anonymous, second.uris.anonymous))
  end)

  it("and without connections it fails, with a hint, and may be made again", function()
    local output = child.output(NONE, first.uris.anonymous)
    assert.matches("^memory\t.*no file descriptor is left.*\t.*limit of open files.*\ttrue\n200\n$", output)
  end)
end)
