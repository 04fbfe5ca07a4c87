-- The examples of README.md and docs/, each as it stands there: blocks that begin with ```lua run.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"
local sessions = dofile "spec/support/sessions.lua"

local older = rawget(_G, "older") -- spec/support/older_language.lua: this is Lua 5.3 or LuaJIT

local function pages(more)
  local list = { "README.md", table.unpack(more or {}) }
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

-- Debian has neither cqueues nor luv for Lua 5.5.
local function isLacking(text)
  return _VERSION == "Lua 5.5" and (text:find 'require "cqueues"' or text:find 'require "luv"')
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
      local shown = older and block.text:find "^do\n *local %w+ <close>" -- the language lacks what it shows
      local spec = (shown or isLacking(block.text)) and pending or it
      spec(("%s:%d runs"):format(path, block.line), function()
        load(path, block)()
      end)
    end
  end

  it("somewhere at all", function()
    assert.is_true(count > 30)
  end)
end)

describe("the docs", function()
  local all = pages { "SECURITY.md", "CONTRIBUTING.md" }

  -- Not the files that docs/internals/new-protocol.md makes.
  it("name no file of the work tree that it lacks", function()
    local known, count = { csrc = true, lua = true, spec = true, tools = true, bench = true }, 0
    for _, page in ipairs(all) do
      for path in files.read(page):gmatch "`([%w_./%-]+/[%w_%-]+%.%l+)`" do
        if known[path:match "^(%l+)/" or ""] and not path:find("/toy/", 1, true) then
          local file = io.open(path)
          assert.truthy(file, page .. ": " .. path)
          file:close()
          count = count + 1
        end
      end
    end
    assert.is_true(count > 30)
  end)

  it("name no target that make lacks", function()
    local targets, count = {}, 0
    local pipe = assert(io.popen "ls Makefile */*.mk spec/suites/*/*.mk spec/suites/*.mk")
    for path in pipe:lines() do
      for target in files.read(path):gmatch "\n## (%l[%w%-]*): " do targets[target] = true end
    end
    pipe:close()
    local function check(page, target)
      assert.is_true(targets[target], page .. ": make " .. target)
      count = count + 1
    end
    for _, page in ipairs(all) do
      local text = page == "docs/messages.md" and "" or files.read(page) -- hints begin with "make"
      for target in text:gmatch "`make (%l[%w%-]*)%f[^%w%-/]" do check(page, target) end
      for target in text:gmatch "`[%u_]+=[%w_]+ make (%l[%w%-]*)" do check(page, target) end
    end
    assert.is_true(count > 20)
  end)

  it("have every target of make fuzz, and no other", function()
    local listed, present = {}, {}
    local section = files.read("docs/trust.md"):match "## Fuzzing.-\n(.-)\n## "
    for target in section:gmatch "\n%- `(%l+)`: " do listed[#listed + 1] = target end
    for path in assert(io.popen "ls spec/suites/fuzz/*.c"):lines() do
      local target = path:match "(%l+)%.c$"
      if target ~= "support" and target ~= "scripted" then present[#present + 1] = target end
    end
    table.sort(listed)
    table.sort(present)
    assert.same(present, listed)
  end)

  it("have every event of the log that the sources have, with its level", function()
    local levels = {}
    for events, level in files.read("docs/recovery.md"):gmatch '\n| (`[^|]*`) | `"(%l+)"` |' do
      for event in events:gmatch "%a+" do levels[event] = level end
    end
    local known = 0
    local sources = shell.run "cat csrc/*/*.c csrc/protocol/*/*.c"
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
    local sources = shell.run "find csrc lua -name '*.[cl]*' ! -path '*sandbox*' -exec cat {} +"
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

  it("name no function of C that the sources lack", function()
    local sources, count = shell.run "cat csrc/*.c csrc/*/*.[ch] csrc/protocol/*/*.[ch]", 0
    for _, page in ipairs { "docs/internals.md", "docs/internals/architecture.md", "CONTRIBUTING.md" } do
      for name in files.read(page):gmatch "`(%l+_[%l_]+)`" do
        if name ~= "epoll_wait" then
          assert.truthy(sources:find("%f[%w_]" .. name .. "%f[^%w_]"), page .. ": " .. name)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 20)
  end)

  it("name constants that the module has, with their values", function()
    local count = 0
    local function check(name, value)
      assert.equal(value, datasession[name], name)
      count = count + 1
    end
    for names, value in files.read "docs/errors.md":gmatch "\n%- (`datasession%.[^(]-) %((%d)%)" do
      for name in names:gmatch "`datasession%.([%u_]+)`" do check(name, tonumber(value)) end
    end
    for value, name in files.read "docs/events.md":gmatch '\n%- `"([^`]*)"`, `datasession%.([%u_]+)`:' do
      check(name, value)
    end
    assert.is_true(count >= 16)
  end)

  it("name the defaults that the sources have", function()
    local transport, btt, proiv = "csrc/net/transport.c", "csrc/protocol/btt/options.c",
      "csrc/protocol/proiv/options.c"
    for _, pair in ipairs {
      { "sessions", "`connectTimeout` %(.-default (%d+)%)", transport, "t%->connect_timeout = (%d+);" },
      { "sessions", "`timeout` %(.-default (%d+)%)", transport, "t%->timeout = (%d+);" },
      { "sessions", "`maxResponseSize` %(.-default (%d+) MiB%)", transport, "%(size_t%)(%d+) << 20" },
      { "sessions", "`maxRedirects` %(.-default (%d+)%)", transport, "t%->max_redirects = (%d+);" },
      { "embedding", "`hostConnections` %(.-default (%d+)%)", "csrc/net/engine.c",
        "engine_default_limits = {(%d+), 0, " },
      { "embedding", "`idleHandles` %(.-default (%d+)%)", "csrc/net/engine.c",
        "engine_default_limits = {%d+, 0, (%d+), " },
      { "btt", "default of `timeout` is (%d+) s", btt, "default_timeout = (%d+)," },
      { "btt", "`lateReplies` %(.-default (%d+) with", btt, "default_late = (%d+);" },
      { "proiv", "`pollInterval` %(.-default ([%d.]+)%)", proiv, '"pollInterval", 0.001, ([%d.]+)%)' },
      { "proiv", "`endTimeout` %(.-default (%d+)%)", proiv, '"endTimeout", 0.001, (%d+)%)' },
    } do
      local page, told, source, held = table.unpack(pair)
      told = assert(files.read(("docs/%s.md"):format(page)):match(told), told)
      assert.equal(told, assert(files.read(source):match(held), held), page)
    end
  end)

  it("name what marks a value as a secret", function()
    local section, names = files.read("docs/errors.md"):match("whose name contains (.-)%. Other"), {}
    for name in section:gmatch "`(%l+)`" do names[#names + 1] = name end
    local known = {}
    local source = files.read("csrc/net/carried.c"):match "is_secret_name .-names%[%] = {(.-)}"
    for name in source:gmatch '"(%l+)"' do known[#known + 1] = name end
    assert.same(known, names)
  end)

  it("name every event that sessions have, and no other", function()
    local session, seen, count = datasession.new { serviceURI = "http://127.0.0.1:1/x" }, {}, 0
    for _, page in ipairs { "docs/events.md", "docs/recovery.md" } do
      for name in files.read(page):gmatch "\n%- `(%l%a+)` %(`handler%(" do
        session:subscribe(name, print)
        seen[name], count = true, count + 1
      end
    end
    local _, message = pcall(session.subscribe, session, "none", print)
    for name in message:match "one of (.*)%)":gmatch "%a+" do
      assert.is_true(seen[name], name)
      count = count - 1
    end
    assert.equal(0, count)
  end)

  it("name every state that sessions have, and no other", function()
    local source, seen = files.read("csrc/session/session_binding.c"):match "state_name .-\n}", {}
    for state in files.read("docs/events.md"):match("## States(.-)\n###"):gmatch '\n%- `"([%l ]+)"`:' do
      assert.truthy(source:find(('"%s"'):format(state), 1, true), state)
      seen[state] = true
    end
    for state in source:gmatch '"([%l ]+)"' do assert.is_true(seen[state], state) end
  end)

  it("give kinds of errors that there are", function()
    local kinds, count = {}, 0
    for kind in files.read("docs/errors.md"):match("## Kinds(.-)\n## "):gmatch '\n%- `"(%l+)"`' do
      kinds[kind] = true
    end
    for _, page in ipairs(all) do
      for kind in files.read(page):gmatch 'kind == "(%l+)"' do
        assert.is_true(kinds[kind], page .. ": " .. kind)
        count = count + 1
      end
    end
    assert.is_true(count > 10)
  end)

  it("name specs that check the promises of security", function()
    local specs, count = shell.run "find spec -name '*_spec.lua' -o -name '*_spec.c'", 0
    for list in files.read("SECURITY.md"):gmatch "%[(`[^%]]*)%]" do
      for name in list:gmatch "`([%w/]+)`" do
        assert.truthy(specs:find(("/%s_spec."):format(name), 1, true), name)
        count = count + 1
      end
    end
    assert.is_true(count > 20)
  end)
end)
