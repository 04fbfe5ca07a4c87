-- docs/internals/new-protocol.md: its code, in a copy of csrc, makes a library that has the protocol.
local sandbox = require "datasession.sandbox"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"

local PAGE = "docs/internals/new-protocol.md"
-- Removes from the environment what an outer make or a sanitizer has put there.
local MAKE = "env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u POLLER -u SANITIZE -u COVERAGE -u LD_PRELOAD make -C"

-- The page's blocks of code in order: each a language, the file that it belongs to or "", and its text.
local function blocks()
  local list = {}
  for language, path, text in files.read(PAGE):gmatch "\n```(%a+) ?([%w_./]*)\n(.-\n)```" do
    list[#list + 1] = { language = language, path = path, text = text }
  end
  return list
end

-- The text with a diff applied, whose context has to stand there once.
local function patched(text, diff)
  local before, after = {}, {}
  for mark, line in diff:gmatch "([ +-])([^\n]*\n)" do
    if mark ~= "+" then before[#before + 1] = line end
    if mark ~= "-" then after[#after + 1] = line end
  end
  local context = table.concat(before)
  local from, to = text:find(context, 1, true)
  assert(from and not text:find(context, to, true), "the page's diff does not fit:\n" .. diff)
  return text:sub(1, from - 1) .. table.concat(after) .. text:sub(to + 1)
end

-- A copy of what the library is built from, and of what is built already: make compiles what differs.
local function copy()
  local top = files.directory()
  local own = "build/" .. child.interpreter():match "[^/]+$" -- that of an older Lua
  local objects = (files.exists(own) and own or "build") .. "/obj/csrc"
  shell.run("find . -mindepth 1 -maxdepth 1 ! -name build ! -name '.*' -exec cp -a {} " ..
    shell.quoted(top) .. " ';'")
  if files.exists(objects) then
    shell.run("mkdir -p", top .. "/" .. objects)
    shell.run("cp -a", objects .. "/.", top .. "/" .. objects)
  end
  return top
end

-- Puts the page's code into the tree there: the page's program.
local function apply(top)
  local written, program = {}, nil
  shell.run("mkdir", top .. "/csrc/protocol/toy")
  for _, block in ipairs(blocks()) do
    local path = top .. "/" .. block.path
    if block.language == "lua" then
      program = block.text
    elseif block.language == "diff" then
      files.write(path, patched(files.read(path), block.text .. "\n"))
    else
      written[path] = (written[path] or "") .. block.text .. "\n"
    end
  end
  for path, text in pairs(written) do files.write(path, text) end
  return program
end

-- Each line is what became of one verb.
local CLIENT = [[
local datasession = require "datasession"
local session = datasession.new { protocol = "toy", serviceURI = arg[1] }
local function say(value, err) print(value and "well" or err.kind .. ": " .. err.message:match ".*: (.*)") end
say(session:request { path = "/greeting" }:await())
say(session:login("ada", "wrong"):await())
say(session:login("ada", "lovelace"):await())
say(session:request { path = "/nothing" }:await())
say(session:ping():await())
say(session:logout():await())
]]

local function split(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

describe("the protocol of docs/internals/new-protocol.md", function()
  local top, program, server, library

  setup(function()
    server = assert(sandbox.start())
    top = copy()
    program = apply(top)
    shell.run(MAKE, top, "core", "LUA=" .. child.interpreter())
    library = shell.run("find", top .. "/build", "-name", "core.so"):match "^(.*)/datasession/core.so\n$"
  end)

  teardown(function()
    server:close()
    files.removeDirectory(top)
  end)

  before_each(function()
    server:clearFaults()
    server:clearRequests()
  end)

  -- The toy service answers so: `count` such requests, or all.
  local function answer(path, status, lines, body, count)
    local response = ("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(
      status, lines, #body, body)
    server:fault { kind = "raw", path = "^/toy" .. path .. "$", count = count or 0, body = response }
  end

  -- Runs a script with the library that was built: what it prints.
  local function run(script)
    local paths = ("package.path = %q .. package.path package.cpath = %q .. package.cpath "):format(
      top .. "/lua/?.lua;" .. top .. "/lua/?/init.lua;", library .. "/?.so;")
    return child.output(paths .. script, server.origin .. "/toy")
  end

  it("touches its folder and the list of protocols alone", function()
    local differences = shell.run(("diff -rq csrc %s/csrc || true"):format(top))
    local there = top .. "/csrc/protocol"
    local expected = ("Files csrc/protocol/list.c and %s/list.c differ\nOnly in %s: toy\n"):format(there,
      there)
    assert.equal(expected, differences)
  end)

  it("includes what a protocol may", function()
    shell.run(("cd %s && %s tools/floors.lua"):format(top, child.interpreter()))
  end)

  it("logs in, pings, sends requests with the key and logs out", function()
    answer("/login", 200, "X-Toy-Key: k1\r\n", "{}")
    answer("/ping", 200, "", "{}")
    answer("/greeting", 200, "", '{"greeting":"hello"}')
    answer("/logout", 200, "", "{}")
    assert.equal("hello\n", run(program))
    local seen = {}
    for _, request in ipairs(server:requests()) do
      seen[#seen + 1] = ("%s %s %s"):format(request.method, request.path, request.headers["x-toy-key"])
    end
    assert.same(
      { "POST /toy/login nil", "GET /toy/ping k1", "GET /toy/greeting k1", "POST /toy/logout k1" }, seen)
    assert.equal("user=ada&password=lovelace", server:requests()[1].body)
  end)

  it("tells a refused login, a failed request and a session that has ended apart", function()
    answer("/login", 401, "", "{}", 1)
    answer("/login", 200, "X-Toy-Key: k2\r\n", "{}")
    answer("/nothing", 404, "", "{}")
    answer("/%w+", 401, "", "{}")
    assert.same({
      "auth: the service wants a login first",
      "auth: the service did not accept the user name or password",
      "well",
      "http: the service did not do what it was asked to",
      "expired: the service does not know the session any more",
      "well",
    }, split(run(CLIENT)))
  end)
end)
