-- The limit of time that spec/support/bound.lua gives each spec.
local files = dofile "spec/support/files.lua"
local quoted = dofile("spec/support/shell.lua").quoted
local child = dofile "spec/support/child.lua"

local ENDLESS = [[
local datasession = require "datasession"
describe("endless:", function()
  it("awaits", function()
    datasession.spawn(function() datasession.promise(function() end):await(1000) end):await()
  end)
  it("loops", function() while os.time() > 0 do end end)
  it("ends", function() end)
end)
]]

describe("a spec that does not end", function()
  it("fails when its time has passed, and the next one runs", function()
    local name = files.new ""
    local path = name .. ".lua" -- busted reads no file without that
    files.write(path, ENDLESS)
    local command = "SPEC_TIMEOUT=1 timeout -k 5 %d %s tools/busted.lua --output=TAP --pattern=. %s 2>&1"
    local pipe = assert(io.popen(command:format(child.LIMIT, quoted(child.interpreter()), quoted(path))))
    local output = pipe:read "a"
    pipe:close()
    os.remove(name)
    os.remove(path)
    assert.matches("ok 3 - endless: ends", output, 1, true)
    for _, spec in ipairs { "awaits", "loops" } do
      assert.matches("took longer than 1 seconds: " .. spec .. "\n", output, 1, true)
    end
  end)
end)
