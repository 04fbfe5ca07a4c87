-- datasession.progressBar: what it writes to a terminal, which `script` makes.
local datasession = require "datasession"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local raised = dofile "spec/support/raised.lua"
local shell = dofile "spec/support/shell.lua"

-- Calls a bar with the numbers, in a program whose standard error is a terminal. Returns what it draws.
local function drawn(calls, label)
  local program = files.new(([[
    local bar = require "datasession".progressBar(%s)
    for _, numbers in ipairs { %s } do bar(table.unpack(numbers, 1, 4)) end
  ]]):format(label and ("%q"):format(label) or "", table.concat(calls, ", ")))
  local text = shell.run("script -qec", child.command() .. " " .. program, "/dev/null")
  os.remove(program)
  return text
end

describe("progressBar", function()
  it("draws what is sent and then what is received, in one line", function()
    local text = drawn { "{ 0, 2000000, 0 }", "{ 1000000, 2000000, 0 }", "{ 1000001, 2000000, 0 }",
      "{ 2000000, 2000000, 150000, 300000 }", "{ 2000000, 2000000, 300000, 300000 }" }
    local half, empty = ("#"):rep(15) .. ("-"):rep(15), ("-"):rep(30)
    assert.equal("\r[" .. empty .. "]   0 %  0.0 of 2.0 MB\27[K\r"
      .. "\r[" .. half .. "]  50 %  1.0 of 2.0 MB\27[K\r"
      .. "\r[" .. half .. "]  50 %  0.1 of 0.3 MB\27[K\r"
      .. "\r[" .. ("#"):rep(30) .. "] 100 %  0.3 of 0.3 MB\27[K\r\n", text)
  end)

  it("has a label, and no bar where the size is not known", function()
    assert.equal("\ra.pdf 1.5 MB\27[K\r", drawn({ "{ 0, 0, 1500000 }", "{ 0, 0, 1500000 }" }, "a.pdf"))
    assert.matches("100 %%  0.0 of 0.0 MB", drawn { "{ 0, 0, 0, 0 }" })
    assert.matches("label that is a string, got number", raised(function() datasession.progressBar(5) end))
  end)

  it("is silent where standard error is no terminal", function()
    assert.equal("", child.output [[
      local bar = require "datasession".progressBar()
      bar(0, 0, 10, 20)
      bar(0, 0, 20, 20)
    ]])
  end)
end)
