-- The stores of named sessions.
local core = require "datasession.core"
local storage = require "datasession.store"

local child = dofile "spec/support/child.lua"
local disk = dofile "spec/support/disk.lua"
local files = dofile "spec/support/files.lua"

local read, write = files.read, files.write

local root, store, path

-- The store has it on the disk.
local function set(key, text)
  assert(store:set(key, text))
  assert(core.flush())
end

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read "a"
  pipe:close()
  return (output:gsub("\n$", ""))
end

local function withEnvironment(values, f)
  local getenv = os.getenv
  os.getenv = function(name) return values[name] end -- luacheck: ignore
  local results = table.pack(pcall(f))
  os.getenv = getenv -- luacheck: ignore
  return table.unpack(results, 1, results.n)
end

before_each(function()
  root = files.directory()
  path = root .. "/state/datasession"
  store = storage.file(path)
end)

after_each(function()
  core.flush()
  shell("chmod -R u+rwX " .. root .. "; rm -rf " .. root)
end)

local function behavesAsStore(make)
  it("gives back what it was given, byte for byte, until it is removed", function()
    local one = make()
    assert.is_nil((one:get "key"))
    assert.is_truthy(one:set("key", "a\0b\nc\255"))
    assert.equal("a\0b\nc\255", one:get "key")
    assert.is_truthy(one:set("key", ""))
    assert.equal("", one:get "key")
    assert.is_truthy(one:remove "key")
    assert.same({}, { one:get "key" })
  end)

  it("forgets what it never had without complaint", function()
    local one = make()
    assert.is_truthy(one:remove "key")
    assert.is_truthy(one:set("other", "x"))
    assert.is_truthy(one:remove "key")
    assert.equal("x", one:get "other")
  end)

  it("tells one key from another, whatever they look like", function()
    local one = make()
    local keys = { "a", "A", "a.json", "../a", "/a", ".", "..", "a b", "%61", "ä", "-", "a/../b", "a\nb" }
    for i, key in ipairs(keys) do assert.is_truthy(one:set(key, "text " .. i)) end
    for i, key in ipairs(keys) do assert.equal("text " .. i, one:get(key)) end
    assert.is_truthy(one:remove "a")
    assert.equal("text 2", one:get "A")
  end)
end

describe("storage.memory", function()
  behavesAsStore(storage.memory)

  it("is a store of its own each time", function()
    storage.memory():set("key", "x")
    assert.is_nil(storage.memory():get "key")
  end)
end)

describe("storage.file", function()
  behavesAsStore(function() return store end)

  it("keeps all in files of its directory, for the owner alone, whatever the umask", function()
    local script = [[
      local storage = require "datasession.store"
      assert(storage.file(arg[1]):set("../Key", "text"))
    ]]
    local name = files.new(script)
    local lua = arg[-1]
    for i = -1, -20, -1 do lua = arg[i] or lua end
    assert.equal("", shell(("umask 0; %s %s %s"):format(lua, name, path)))
    os.remove(name)
    assert.equal("700\n700", shell(("stat -c %%a %s/state %s"):format(root, path)))
    assert.equal("600 %2E%2E%2F%4Bey.json", shell(("cd %s; stat -c '%%a %%n' *"):format(path)))
    assert.equal("text", store:get "../Key")
  end)

  it("is in XDG_STATE_HOME, or below HOME, where no directory is given", function()
    local function directory() return storage.file().directory end
    local _, found = withEnvironment({ XDG_STATE_HOME = "/x/state", HOME = "/home/x" }, directory)
    assert.equal("/x/state/datasession", found)
    for _, useless in ipairs { "", "relative" } do
      found = select(2, withEnvironment({ XDG_STATE_HOME = useless, HOME = "/home/x" }, directory))
      assert.equal("/home/x/.local/state/datasession", found)
    end
    local ok, message = withEnvironment({}, directory)
    assert.is_false(ok)
    assert.matches("neither XDG_STATE_HOME nor HOME", message)
  end)

  it("raises for a directory that is none", function()
    assert.error_matches(function() storage.file(7) end,
      "store.file: directory: expected a string, got number")
    assert.error_matches(function() storage.file "" end, "expected a path")
    assert.error_matches(function() storage.file "a\0b" end, "expected a path")
  end)

  local function refused(expected)
    local text, message = store:get "key"
    assert.is_nil(text)
    assert.matches(expected, message)
  end

  it("follows no symbolic link when it reads, and replaces it when it writes", function()
    set("other", "other's")
    assert.equal("", shell(("ln -s %s/other.json %s/key.json"):format(path, path)))
    refused "symbolic link"
    set("key", "mine")
    assert.equal("mine", store:get "key")
    assert.equal("other's", store:get "other")
  end)

  it("does not read a file that others may use", function()
    for _, mode in ipairs { "640", "620", "604", "602" } do
      set("key", "text")
      shell(("chmod %s %s/key.json"):format(mode, path))
      refused "others may use it"
    end
  end)

  it("does not read a file of somebody else", function()
    if shell "id -u" ~= "0" then return pending "only root can give a file away" end
    set("key", "text")
    assert.equal("", shell(("chown 1 %s/key.json"):format(path)))
    refused "belongs to another user"
  end)

  it("does not write into a directory of somebody else, nor into one that is none", function()
    set("key", "text")
    if shell "id -u" == "0" then
      assert.equal("", shell(("chown 1 %s"):format(path)))
      local ok, message = store:set("key", "new")
      assert.is_nil(ok)
      assert.matches("belongs to another user", message)
    end
    write(root .. "/plain", "")
    local ok, message = storage.file(root .. "/plain"):set("key", "text")
    assert.is_nil(ok)
    assert.matches("is not a directory", message)
  end)

  it("writes through no link that somebody left, not even one that leads nowhere", function()
    set("other", "")
    assert.equal("", shell(("ln -s %s/elsewhere %s/key.json"):format(root, path)))
    set("key", "mine")
    assert.equal("", shell(("ls %s | grep elsewhere"):format(root)))
    assert.equal("600 regular file", shell(("stat -c '%%a %%F' %s/key.json"):format(path)))
  end)

  it("does not write where others may", function()
    set("key", "text")
    shell("chmod 777 " .. path)
    local ok, message = store:set("key", "new")
    assert.is_nil(ok)
    assert.matches("others may write there", message)
    assert.equal("text", store:get "key")
  end)

  it("neither waits for a pipe nor reads a directory or what is too large", function()
    set("other", "")
    shell(("mkfifo -m 600 %s/key.json"):format(path))
    refused "not a regular file"
    os.remove(path .. "/key.json")
    shell(("mkdir -m 700 %s/key.json"):format(path))
    refused "not a regular file"
    shell(("rmdir %s/key.json"):format(path))
    set("key", ("x"):rep(1048576))
    assert.equal(1048576, #store:get "key")
    set("key", ("x"):rep(1048576 + 1))
    refused "too large"
  end)

  it("writes at once what a finaliser sets after the thread was joined", function()
    child.output([[
      local store
      _G.finalised = setmetatable({}, { __gc = function()
        assert(store:set("late", "text") and store:remove "early")
      end })
      store = require("datasession.store").file(arg[1])
      assert(store:set("early", "text"))
    ]], path)
    assert.equal("late.json", shell("ls -A " .. path))
    assert.equal("text", store:get "late")
  end)

  it("writes again after its thread has ended for want of work", function()
    if not io.open "/proc/self/status" then return pending "this system does not tell a process's threads" end
    child.output([[
      local datasession = require "datasession"
      local store = require("datasession.store").file(arg[1])
      local function threads()
        return tonumber(io.open("/proc/self/status"):read("a"):match "Threads:%s*(%d+)")
      end
      local before = threads()
      assert(store:set("key", "first") and datasession.flush(30))
      for _ = 1, 300 do
        if threads() == before then break end
        os.execute "sleep 0.1"
      end
      assert(threads() == before)
      assert(store:set("key", "second") and datasession.flush(30))
    ]], path)
    assert.equal("second", store:get "key")
  end)

  it("keeps no file and no directory open", function()
    local stat = io.open "/proc/self/stat"
    if not stat then return pending "this system does not tell a process's files" end
    local pid = stat:read "n"
    stat:close()
    local function open()
      collectgarbage()
      return tonumber(shell(("ls /proc/%d/fd | wc -l"):format(pid)))
    end
    set("key", "first")
    local before = open()
    for i = 1, 5 do
      set("key" .. i, "text")
      local other = storage.file(path .. i)
      assert(other:set("key", "text") and core.flush())
      assert.equal("text", other:get "key")
      assert(other:remove "key" and core.flush())
    end
    assert.is_true(open() <= before)
  end)

  it("refuses more than it may keep in memory for the disk", function()
    local ok, message = store:set("key", ("x"):rep((64 * 1048576) + 1))
    assert.is_nil(ok)
    assert.matches("key.json: too much waits for the disk", message, 1, true)
    assert.is_nil(store:get "key")
  end)

  it("says why it could not write, and leaves nothing half done", function()
    write(root .. "/file", "")
    local ok, message = storage.file(root .. "/file/below"):set("key", "text")
    assert.is_nil(ok)
    assert.matches("Not a directory", message)
    set("other", "")
    shell(("mkdir -p %s/key.json/full"):format(path))
    assert(store:set("key", "text"))
    ok, message = core.flush()
    assert.is_nil(ok)
    assert.matches("key.json: Is a directory", message)
    assert(store:remove "key")
    ok, message = core.flush()
    assert.is_nil(ok)
    assert.matches("key.json: Is a directory", message)
    assert.is_true(core.flush())
    assert.equal("key.json\nother.json", shell("ls -A " .. path))
  end)

  it("refuses a key that no file can be named by, and one that is no string", function()
    for _, key in ipairs { "", ("x"):rep(300), ("/"):rep(100) } do
      for _, method in ipairs { "get", "set", "remove" } do
        local ok, message = store[method](store, key, "text")
        assert.is_nil(ok)
        assert.matches("name", message)
      end
    end
    assert.error_matches(function() store:get(7) end, "key: expected a string, got number")
    assert.error_matches(function() store:set("key", 7) end, "text: expected a string, got number")
  end)

  it("replaces a file as a whole: the old one stays what it was for who has it open", function()
    set("key", "old")
    local open = assert(io.open(path .. "/key.json"))
    set("key", "new")
    assert.equal("old", open:read "a")
    open:close()
    assert.equal("new", read(path .. "/key.json"))
  end)

  it("has the new text on the disk before it takes the old one's place", function()
    local one, log = disk.child(), root .. "/log"
    one.variables = one.variables .. " DATASESSION_DISK_LOG=" .. log
    one.output([[
      local datasession = require "datasession"
      require("datasession.store").file(arg[1]):set("key", "text")
      assert(datasession.flush())
    ]], path)
    assert.equal("fsync\nrename\n", read(log))
  end)

  it("leaves the old text and nothing else when it is killed in the midst of writing", function()
    for _, call in ipairs { "fsync", "rename" } do
      set("key", "old")
      local one = disk.child()
      one.variables = one.variables .. " DATASESSION_DISK_KILL=" .. call
      local killed = one.run([[
        require("datasession.store").file(arg[1]):set("key", "half")
        require("datasession").flush()
      ]], path)
      assert.not_equal(0, killed.code)
      assert.equal("old", read(path .. "/key.json"))
    end
    child.output([[require("datasession.store").file(arg[1]):set("other", "")]], path)
    assert.equal("key.json\nother.json", shell("ls -A " .. path))
  end)

  it("leaves alone what another process is writing", function()
    local gate = disk.gate(root)
    shell(("mkdir -m 700 -p %s; cd %s; touch .new-abcdef .new-ghijkl; chmod 600 .new-*"):format(path, path))
    local hold = "flock %s/.new-abcdef sh -c 'echo held; while test -e %s; do sleep 0.01; done'"
    local holder = assert(io.popen(hold:format(path, gate)))
    assert.equal("held", holder:read())
    set("key", "text")
    assert.equal(".new-abcdef\nkey.json", shell("ls -A " .. path))
    os.remove(gate)
    holder:close()
  end)

  it("serves several processes, which never see half a text", function()
    local writer = [[
      local store = require("datasession.store").file(arg[1])
      local flush = require("datasession").flush
      print "ready"
      io.stdout:flush()
      for i = 1, tonumber(arg[3]) do
        assert(store:set("key", (arg[2]):rep(20000 + i)))
        assert(flush())
      end
    ]]
    set("key", "c")
    local writers = { child.start(writer, path, "a", "150"), child.start(writer, path, "b", "150") }
    for _, one in ipairs(writers) do assert.equal("ready", one:line()) end
    local seen = {}
    for _ = 1, 1500 do
      local text = assert(store:get "key")
      local letter = text:sub(1, 1)
      assert.equal(text, letter:rep(#text))
      assert.is_true(#text > 20000 or letter == "c")
      seen[letter] = true
    end
    for _, one in ipairs(writers) do
      local result = one:finish()
      assert.equal(0, result.code, result.output)
    end
    assert.is_true(seen.a or seen.b)
    assert.equal("key.json", shell("ls -A " .. path))
  end)

  it("does not wait for the disk, and gives what was set last meanwhile", function()
    local one, gate = disk.child(), disk.gate(root)
    one.variables = one.variables .. " DATASESSION_DISK_GATE=" .. gate
    local running = one.start([[
      local datasession = require "datasession"
      local store = require("datasession.store").file(arg[1])
      assert(store:set("a", "1") and store:set("a", "2") and store:set("a", "3"))
      assert(store:get "a" == "3")
      assert(store:remove "a" and store:get "a" == nil)
      assert(store:set("a", "last") and store:set("b", ""))
      assert(store:get "a" == "last" and store:get "b" == "")
      local ok, message = datasession.flush(0)
      print(ok, message)
      io.stdout:flush()
      print(datasession.flush(30))
    ]], path)
    assert.equal("nil\tflush: timed out before everything was on disk; writing continues", running:line())
    os.remove(gate)
    local result = running:finish()
    assert.equal("true\n", result.output)
    assert.equal(0, result.code)
    assert.equal("last", read(path .. "/a.json"))
    assert.equal("", read(path .. "/b.json"))
  end)

  it("writes all that it was given before the Lua state is closed", function()
    child.output([[
      local store = require("datasession.store").file(arg[1])
      for i = 1, 50 do assert(store:set("key" .. i, "text " .. i)) end
    ]], path)
    for i = 1, 50 do assert.equal("text " .. i, store:get("key" .. i)) end
    assert.equal("50", shell(("ls -A %s | wc -l"):format(path)))
  end)

  it("does not let a disk that answers no more keep the Lua state from closing", function()
    local one, gate = disk.child(), disk.gate(root)
    one.variables = one.variables .. " DATASESSION_DISK_GATE=" .. gate
    local result = one.run([[
      require("datasession").onError(print)
      require("datasession.store").file(arg[1]):set("key", "text")
    ]], path)
    assert.equal("datasession: not everything of a file store is on disk yet; writing continues\tnil\n",
      result.output)
    assert.equal(0, result.code)
    os.remove(gate)
  end)

  it("reports by onError what the thread could not write, though nobody asks", function()
    local one = disk.child()
    one.variables = one.variables .. " DATASESSION_DISK_FULL=yes"
    local output = one.output([[
      local datasession = require "datasession"
      local told
      datasession.onError(function(message) told = message end)
      datasession.pollfd() -- there is an engine
      require("datasession.store").file(arg[1]):set("key", "text")
      datasession.run(60)
      print(told)
    ]], path)
    assert.matches("^datasession: a file store could not write or remove .*/key.json: No space left", output)
    assert.equal("", shell("ls -A " .. path))
  end)

  it("needs no io library of the host's", function()
    assert.equal("text\n", child.output([[
      local store = require("datasession.store").file(arg[1])
      if warn then warn "@off" end -- Lua's own files miss it
      debug.getregistry()["FILE*"] = nil
      assert(store:set("key", "text") and require("datasession").flush())
      print(store:get "key")
    ]], path))
  end)
end)
