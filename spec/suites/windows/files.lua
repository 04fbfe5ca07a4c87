-- The client's files on Windows, by names in UTF-8. The commands run on the other system, which sees the
-- bytes of a name.
local datasession = require "datasession"
local fault_server = require "fault_server"
local sandbox = require "datasession.sandbox"
local storage = require "datasession.store"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"
local shell = dofile "spec/support/shell.lua"

local LIMIT = await.LIMIT
local NAME = "caf\xC3\xA9 \xE8\xAA\x9E" -- a letter of Latin-1, and one of none of Windows' older code pages

local root, folder

before_each(function()
  root = files.directory()
  folder = root .. "/" .. NAME
end)

after_each(function()
  sessions.endAll()
  datasession.flush()
  shell.run("rm -rf", root)
end)

local function listed(path) return shell.run("ls -A", path) end

local function content(path) return shell.run("cat", path) end

describe("the file store on Windows", function()
  local function set(store, key, text)
    assert(store:set(key, text))
    assert(datasession.flush(LIMIT))
  end

  it("keeps its files in a directory whose path is in UTF-8", function()
    set(storage.file(folder .. "/" .. NAME), "key", "text")
    assert.equal("key.json\n", listed(folder .. "/" .. NAME))
    assert.equal("text", content(folder .. "/" .. NAME .. "/key.json"))
    assert.equal("text", storage.file(folder .. "\\" .. NAME):get "key")
  end)

  it("refuses a path in a code page", function()
    local ok, message = storage.file(root .. "/caf\xE9"):set("key", "text")
    assert.is_nil(ok)
    assert.matches("Invalid argument", message)
  end)

  it("puts a new text in an old one's place, and leaves nothing else", function()
    local store = storage.file(folder)
    set(store, "key", "old")
    set(store, "key", "new")
    assert.equal("new", content(folder .. "/key.json"))
    assert(store:remove "key")
    assert(datasession.flush(LIMIT))
    assert.equal("", listed(folder))
  end)

  it("refuses a text that is too large, and a directory in a text's place", function()
    local store = storage.file(folder)
    set(store, "key", ("x"):rep(1048576 + 1))
    assert.matches("too large", select(2, store:get "key"))
    shell.run("mkdir", folder .. "/other.json")
    assert.matches("not a regular file", select(2, store:get "other"))
  end)

  it("says why it cannot write where a file is", function()
    files.write(root .. "/plain", "")
    local ok, message = storage.file(root .. "/plain"):set("key", "text")
    assert.is_nil(ok)
    assert.matches("plain: is not a directory", message, 1, true)
  end)

  it("removes what a program that was killed left there, and leaves alone what is new", function()
    set(storage.file(folder), "key", "text")
    shell.run("touch -d '2 minutes ago'", folder .. "/.new-00000001")
    shell.run("touch", folder .. "/.new-00000002")
    child.output(('assert(require("datasession.store").file(%q):set("key", "new"))'):format(folder))
    assert.equal(".new-00000002\nkey.json\n", listed(folder))
  end)

  it("is below LOCALAPPDATA where no directory is given, and gives one run's session to the next", function()
    local server <close> = assert(sandbox.start())
    local function run(script)
      return child.output([[
        local datasession = require "datasession"
        local session = datasession.new { serviceURI = arg[1], authenticationModel = "form",
          name = "of the spec" }
      ]] .. script, server.uris.form)
    end
    run 'assert(session:login("lua", "secret"):await(20))'
    local find = [[find "$WINEPREFIX/drive_c/users" -path '*/AppData/Local/datasession/of%20the%20spec.json']]
    assert.matches("\n$", shell.run(find))
    server:clearRequests()
    assert.equal("lua", run [[
      assert(session:ping():await(20))
      io.write(session.connected and session.userName or "not connected")
    ]])
    assert.equal(1, #server:requests())
    run "assert(session:logout():await(20))"
    assert.equal("", shell.run(find))
  end)
end)

describe("a request's file on Windows", function()
  local server

  before_each(function() server = assert(fault_server.start()) end)
  after_each(function() server:close() end)

  local function request(options)
    local session = datasession.new { serviceURI = "http://127.0.0.1:" .. server:port() .. "/App",
      proxy = false }
    options.path = "/a"
    return session:request(options)
  end

  it("is written by saveTo, and goes on by resume, under its name in UTF-8", function()
    local target = folder .. "/" .. NAME
    shell.run("mkdir", folder)
    server:fault("GET /App/a", { 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 10\r\n\r\nfirst',
      fault_server.CLOSE })
    await.rejected(request { saveTo = target, resume = true, retry = false }, "connect")
    assert.equal("first", content(target .. ".part"))
    server:answer("GET /App/a", { 'HTTP/1.1 206 Partial Content\r\nETag: "1"\r\nContent-Length: 5\r\n' ..
      "Content-Range: bytes 5-9/10\r\n\r\n rest" })
    assert.equal(206, assert(request({ saveTo = target, resume = true }):await(LIMIT)).status)
    assert.equal("first rest", content(target))
    assert.equal(NAME .. "\n", listed(folder))
  end)

  it("takes an old file's place", function()
    shell.run("mkdir", folder)
    for _, text in ipairs { "old", "new" } do
      server:answer("GET /App/a", { ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n%s"):format(text) })
      assert(request({ saveTo = folder .. "/file" }):await(LIMIT))
      assert.equal(text, content(folder .. "/file"))
    end
  end)

  it("is sent by bodyFile, byte for byte", function()
    local sandboxed <close> = assert(sandbox.start())
    local text = "a\r\nb\n\26c\0d"
    sandboxed:route("POST", "/echo", function(asked) return 200, {}, asked.body end)
    shell.run("mkdir", folder)
    files.write(root .. "/plain", text)
    shell.run("mv", root .. "/plain", folder .. "/file")
    local session = datasession.new { serviceURI = sandboxed.origin }
    local response = assert(session:request({ uri = sandboxed.origin .. "/echo", method = "POST",
      bodyFile = folder .. "/file" }):await(LIMIT))
    assert.equal(text, response.body)
  end)
end)
