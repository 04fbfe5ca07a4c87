-- examples/host.c and host.cpp: programs that have the library inside, against a sandbox in this process.
local sandbox = require "datasession.sandbox"

local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"

-- Nil: it was not built.
local function program(name)
  for path in package.cpath:gmatch "[^;]+" do
    local build = path:match "^(.*)/lib/%?%.so$"
    local found = build and build .. "/examples/" .. name
    if found and files.exists(found) then return found end
  end
end

describe("a host that has datasession linked in,", function()
  local server, directory

  before_each(function()
    server = assert(sandbox.start())
    directory = files.directory()
  end)

  after_each(function()
    server:close()
    files.removeDirectory(directory)
  end)

  -- The command that runs it where Lua would find no file.
  local function command(name, uri)
    return ("cd / && timeout 60 env -i LUA_PATH=none LUA_CPATH=none %s %s 2>&1"):format(
      shell.quoted(program(name)), shell.quoted(uri))
  end

  local function run(...)
    local pipe = assert(io.popen(command(...)))
    local output = pipe:read "a"
    return output, pipe:close()
  end

  local function test(name, what, body)
    it(what, program(name) and body or function()
      pending "it was not built: no archive of lua-cjson, no compiler of C++, or this Lua is not 5.4"
    end)
  end

  test("host", "in frames: logs in, reads records while it draws, and logs out", function()
    local output, ok = run("host", server.uris.form)
    local frames, lines = {}, {}
    for frame, line in output:gmatch "frame (%d+): ([^\n]*)" do
      frames[#frames + 1], lines[#lines + 1] = tonumber(frame), line
    end
    assert.is_true(ok, output)
    assert.equal("done", lines[#lines], output)
    assert.is_true(frames[#frames] > frames[1] + 8, "frames went by while the script slept\n" .. output)
    local requests = server:requests()
    assert.matches("logout", requests[#requests].path)
  end)

  test("host", "in frames: says what is wrong", function()
    local output, ok = run("host", server.origin .. "/Nothing")
    assert.is_nil(ok)
    assert.matches("frame %d+: failed: .*404", output)
  end)

  test("host++", "in an event loop: waits for its user, and logs out", function()
    local fifo = directory .. "/input"
    shell.run("mkfifo", fifo)
    local pipe = assert(io.popen(command("host++", server.uris.form) .. " <" .. shell.quoted(fifo)))
    local input = assert(io.open(fifo, "w")) -- waits until the host has opened it
    assert.equal("online", pipe:read())
    assert(input:write "\n")
    input:close()
    assert.equal("logged out", pipe:read())
    assert.is_true(pipe:close())
  end)

  test("host++", "in an event loop: ends a login that is pending when its input ends", function()
    local output, ok = run("host++", server.uris.form)
    assert.is_true(ok, output)
    assert.matches("logged out\n", output)
  end)
end)
