-- The client as one file of C (tools/amalgamate.lua): each compiler takes it without a warning, and
-- examples/host.c and host.cpp run with it.
local sandbox = require "datasession.sandbox"

local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"

local FLAGS = "-Wall -Wextra -Wpedantic -Werror -Ibuild/amalgamation $(pkg-config --cflags lua5.4 libcurl)"
local C = " -std=c11 " .. FLAGS .. " "
local LIBRARIES = " -l:liblua5.4-cjson.a -llua5.4 -lcurl -lm -pthread"

local function has(compiler) return (os.execute("command -v " .. compiler .. " >/dev/null 2>&1")) end

describe("the amalgamation", function()
  local server, directory

  setup(function()
    directory = files.directory()
    server = assert(sandbox.start())
  end)

  teardown(function()
    server:close()
    files.removeDirectory(directory)
  end)

  local function test(compiler, what, body)
    if has(compiler) then it(what, body) else pending(what .. ": there is no " .. compiler) end
  end

  -- Compiles it: the path of the object.
  local function compile(compiler)
    local object = ("%s/%s.o"):format(directory, compiler:match "%S+")
    shell.run(compiler .. C .. "-O0 -c build/amalgamation/datasession.c -o", object)
    return object
  end

  -- The output of the example, linked with the object.
  local function run(command, object, input)
    local program = directory .. "/host"
    shell.run(("%s -o %s %s %s"):format(command, program, object, LIBRARIES))
    return shell.run(("printf '%s' | timeout 60"):format(input or ""), program, server.uris.form)
  end

  local function check(object)
    for name in shell.run("nm -g --defined-only", object):gmatch "%s%a (%S+)\n" do
      assert.is_true(name:find "^datasession_" ~= nil or name:find "^luaopen_datasession" ~= nil, name)
    end
    assert.matches("frame %d+: done\n$", run("cc" .. C .. "examples/host.c", object))
  end

  test("gcc", "works when gcc compiles it, in a program in C and in one in C++", function()
    local object = compile "gcc"
    check(object)
    if has "g++" then assert.matches("logged out\n", run("g++ " .. FLAGS .. " examples/host.cpp", object)) end
  end)

  test("clang", "works when clang compiles it", function() check(compile "clang") end)

  test("g++", "is C, and tells a compiler of C++ so", function()
    local ok, output = pcall(shell.run, "g++ " .. FLAGS .. " -fsyntax-only build/amalgamation/datasession.c")
    assert.is_false(ok)
    assert.matches("datasession.c is C: compile it as C", output, 1, true)
  end)

  -- libcurl's headers are Debian's, which come after musl's.
  test("musl-gcc", "compiles with musl's headers", function()
    shell.run("musl-gcc" .. C .. "-idirafter /usr/include/$(gcc -print-multiarch) -fsyntax-only " ..
      "build/amalgamation/datasession.c")
  end)
end)
