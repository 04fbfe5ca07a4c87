-- The examples of README.md and docs/, each as it stands there: blocks that begin with ```lua run.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"

local function pages()
  local list = { "README.md" }
  for path in assert(io.popen("find docs -name '*.md' | LC_ALL=C sort")):lines() do list[#list + 1] = path end
  return list
end

-- For each block of a page: its first line's number, its text.
local function blocks(path)
  local list, number, start, lines = {}, 0, nil, nil
  for line in (files.read(path) .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if start and line:find("^```") then
      list[#list + 1], start = { line = start, text = table.concat(lines, "\n") }, nil
    elseif start then
      lines[#lines + 1] = line
    elseif line == "```lua run" then
      start, lines = number + 1, {}
    end
  end
  assert(not start, path .. ": a block without an end")
  return list
end

describe("the example at", function()
  local server, troubles

  before_each(function()
    server = assert(sandbox.start())
    troubles = {}
    datasession.onError(function(err) troubles[#troubles + 1] = tostring(err) end)
  end)

  after_each(function()
    datasession.setDeviceOnline(true)
    datasession.setLimits { hostConnections = 64, totalConnections = 0, idleHandles = 16, http2 = true }
    sessions.endAll()
    collectgarbage()
    datasession.onError(nil)
    server:close()
    assert.same({}, troubles)
  end)

  -- The globals that a reader's program would have; https://host/Sports... are the sandbox's applications.
  local function load(path, block)
    local text = block.text:gsub("https://host/Sports(%a*)", function(model)
      return server.origin .. "/Sports" .. (model == "" and "Form" or model)
    end)
    local env = {
      datasession = datasession, server = server, print = function() end,
      os = setmetatable({ getenv = function() return "secret" end }, { __index = os }),
    }
    return assert(_G.load(("\n"):rep(block.line - 1) .. text, "@" .. path, "t",
      setmetatable(env, { __index = _G })))
  end

  local count = 0
  for _, path in ipairs(pages()) do
    for _, block in ipairs(blocks(path)) do
      count = count + 1
      it(("%s:%d runs"):format(path, block.line), function()
        load(path, block)()
      end)
    end
  end

  it("somewhere at all", function()
    assert.is_true(count > 30)
  end)
end)

describe("the docs", function()
  it("have every event of the log that the sources have, with its level", function()
    local levels = {}
    for events, level in files.read("docs/recovery.md"):gmatch '\n| (`[^|]*`) | `"(%l+)"` |' do
      for event in events:gmatch "%a+" do levels[event] = level end
    end
    local known = 0
    local pipe = assert(io.popen "cat csrc/*/*.c csrc/protocol/*/*.c")
    local sources = pipe:read "a"
    pipe:close()
    for level, event in sources:gmatch 'log_session%(.-, "(%l+)", "(%a+)"' do
      assert.equal(level, levels[event], event)
      known = known + 1
    end
    assert.is_true(known > 8)
    for event, level in pairs { reconnecting = "info", reconnected = "info", reconnectFailed = "error" } do
      assert.truthy(sources:find('"' .. event .. '"', 1, true))
      assert.equal(level, levels[event])
    end
  end)

  it("have every kind of error that the sources have, and no other", function()
    local pipe = assert(io.popen "find csrc lua -name '*.[cl]*' ! -path '*sandbox*' -exec cat {} +")
    local sources = pipe:read "a"
    pipe:close()
    local kinds, count = {}, 0
    for kind in files.read("docs/errors.md"):match("## Kinds(.-)\n## "):gmatch '\n%- `"(%l+)"`' do
      assert.truthy(sources:find('"' .. kind .. '"', 1, true), kind)
      kinds[kind], count = true, count + 1
    end
    assert.is_true(count > 15)
    for kind in sources:gmatch '%f[%w]kind = "(%l+)"' do assert.is_true(kinds[kind], kind) end
    local named = sources:match("const char %*error_kind .-\n}")
    for kind in named:gmatch '"(%l+)"' do assert.is_true(kinds[kind], kind) end
  end)
end)
