-- The stores of named sessions.
local core = require "datasession.core"
local storage = require "datasession.storage"

local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"

local read, write = files.read, files.write

local root, store, path

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
      local storage = require "datasession.storage"
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
      _, found = withEnvironment({ XDG_STATE_HOME = useless, HOME = "/home/x" }, directory)
      assert.equal("/home/x/.local/state/datasession", found)
    end
    local ok, message = withEnvironment({}, directory)
    assert.is_false(ok)
    assert.matches("neither XDG_STATE_HOME nor HOME", message)
  end)

  it("raises for a directory that is none", function()
    assert.error_matches(function() storage.file(7) end, "storage.file: directory: expected a string, got number")
    assert.error_matches(function() storage.file "" end, "expected a path")
    assert.error_matches(function() storage.file "a\0b" end, "expected a path")
  end)

  local function refused(expected)
    local text, message = store:get "key"
    assert.is_nil(text)
    assert.matches(expected, message)
  end

  it("follows no symbolic link when it reads, and replaces it when it writes", function()
    assert(store:set("other", "other's"))
    assert.equal("", shell(("ln -s %s/other.json %s/key.json"):format(path, path)))
    refused "symbolic link"
    assert(store:set("key", "mine"))
    assert.equal("mine", store:get "key")
    assert.equal("other's", store:get "other")
  end)

  it("does not read a file that others may use", function()
    for _, mode in ipairs { "640", "620", "604", "602" } do
      assert(store:set("key", "text"))
      shell(("chmod %s %s/key.json"):format(mode, path))
      refused "others may use it"
    end
  end)

  it("does not read a file of somebody else", function()
    if shell "id -u" ~= "0" then return pending "only root can give a file away" end
    assert(store:set("key", "text"))
    assert.equal("", shell(("chown 1 %s/key.json"):format(path)))
    refused "belongs to another user"
  end)

  it("does not write into a directory of somebody else, nor into one that is none", function()
    assert(store:set("key", "text"))
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
    assert(store:set("other", ""))
    assert.equal("", shell(("ln -s %s/elsewhere %s/key.json"):format(root, path)))
    assert(store:set("key", "mine"))
    assert.equal("", shell(("ls %s | grep elsewhere"):format(root)))
    assert.equal("600 regular file", shell(("stat -c '%%a %%F' %s/key.json"):format(path)))
  end)

  it("does not write where others may", function()
    assert(store:set("key", "text"))
    shell("chmod 777 " .. path)
    local ok, message = store:set("key", "new")
    assert.is_nil(ok)
    assert.matches("others may write there", message)
    assert.equal("text", store:get "key")
  end)

  it("neither waits for a pipe nor reads a directory or what is too large", function()
    assert(store:set("other", ""))
    shell(("mkfifo -m 600 %s/key.json"):format(path))
    refused "not a regular file"
    os.remove(path .. "/key.json")
    shell(("mkdir -m 700 %s/key.json"):format(path))
    refused "not a regular file"
    shell(("rmdir %s/key.json"):format(path))
    assert(store:set("key", ("x"):rep(1 << 20)))
    assert.equal(1 << 20, #store:get "key")
    assert(store:set("key", ("x"):rep((1 << 20) + 1)))
    refused "too large"
  end)

  it("says why it could not write, and leaves nothing half done", function()
    write(root .. "/file", "")
    local ok, message = storage.file(root .. "/file/below"):set("key", "text")
    assert.is_nil(ok)
    assert.matches("Not a directory", message)
    assert(store:set("other", ""))
    shell(("mkdir -p %s/key.json/full"):format(path))
    assert.is_nil((store:set("key", "text")))
    assert.is_nil((store:remove "key"))
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
    assert(store:set("key", "old"))
    local open = assert(io.open(path .. "/key.json"))
    assert(store:set("key", "new"))
    assert.equal("old", open:read "a")
    open:close()
    assert.equal("new", read(path .. "/key.json"))
  end)

  it("has the new text on the disk before it takes the old one's place", function()
    local order, sync, rename = {}, core.syncFile, os.rename
    core.syncFile = function(file)
      order[#order + 1] = "sync"
      return sync(file)
    end
    os.rename = function(from, to) -- luacheck: ignore
      order[#order + 1] = "rename " .. read(from)
      return rename(from, to)
    end
    local ok = pcall(store.set, store, "key", "text")
    core.syncFile, os.rename = sync, rename -- luacheck: ignore
    assert.is_true(ok)
    assert.same({ "sync", "rename text" }, order)
  end)

  it("serves several processes, which never see half a text, and outlives one that is killed", function()
    local writer = [[
      local store = require("datasession.storage").file(arg[1])
      print "ready"
      io.stdout:flush()
      for i = 1, tonumber(arg[3]) do assert(store:set("key", (arg[2]):rep(20000 + i))) end
    ]]
    assert(store:set("key", "c"))
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
    for _, one in ipairs(writers) do assert.equal(0, one:finish().code) end
    assert.is_true(seen.a or seen.b)
    assert.equal("key.json", shell("ls -A " .. path))
    local killed = child.run([[
      local store = require("datasession.storage").file(arg[1])
      local core = require "datasession.core"
      core.syncFile = function() os.execute "kill -9 $PPID" end
      store:set("key", "half")
    ]], path)
    assert.not_equal(0, killed.code)
    assert.not_equal("half", store:get "key")
    assert.is_truthy(store:get "key")
  end)

  it("says what it needs where a host has left Lua's io library out", function()
    assert.equal("false\tfalse\n", child.output([[
      local store = require("datasession.storage").file(arg[1])
      debug.getregistry()["FILE*"] = nil
      local read, why = pcall(store.get, store, "key")
      local written, why_not = pcall(store.set, store, "key", "text")
      assert(why:find("needs Lua's io library", 1, true) and why_not:find("needs Lua's io library", 1, true))
      print(read, written)
    ]], path))
  end)
end)
