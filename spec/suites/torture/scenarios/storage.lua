-- Named sessions: kept, restored, forgotten.
local storage = require "datasession.store"

local directory = os.tmpname()
os.remove(directory)

local function options(t, store)
  return {
    serviceURI = t.uris.form, authenticationModel = "form", name = "torture", store = store,
    timeout = t.TIMEOUT,
  }
end

-- One that was half made has the name until it is collected.
local function freeName(t)
  collectgarbage()
  for _, session in ipairs(t.datasession.sessions()) do
    if session.name == "torture" then
      assert(session:disconnect():await(t.LIMIT) and session:invalidate():await(t.LIMIT))
    end
  end
end

-- Has a session leave behind in the store what it kept. (That of files is slow: it waits for the disk.)
local function left(t, store)
  freeName(t)
  t.settle()
  local fast = storage.memory()
  local session = t.datasession.new(options(t, fast))
  assert(session:login("lua", "secret"):await(t.LIMIT))
  session:setContextProperty("who", "me")
  assert(session:addCatalog(t.catalogURIs.form):await(t.LIMIT))
  t.settle()
  local text = assert(fast:get "torture", "nothing was kept")
  assert(session:disconnect():await(t.LIMIT))
  assert(session:invalidate():await(t.LIMIT))
  t.settle()
  assert(store:set("torture", text))
  return { store = store }
end

local function release(t, c)
  if c.session then assert(c.session:disconnect():await(t.LIMIT)) end
  c.session = nil
  freeName(t)
end

-- Memory that was short may cost the restoring, never the session.
local function restored(t, c)
  release(t, c)
  t.settle()
  left(t, c.store)
  c.session = t.datasession.new(options(t, c.store))
  assert(c.session.state == "restored", "it is not restored but " .. c.session.state)
  assert(c.session:isAuthorized():await(t.LIMIT))
  assert(c.session:reloadCatalogs():await(t.LIMIT))
  release(t, c)
end

return {
  {
    name = "restore",
    prepare = function(t) return left(t, storage.memory()) end,
    act = function(t, c)
      c.session = t.datasession.new(options(t, c.store))
      assert(c.session:isAuthorized():await())
      assert(c.session:reloadCatalogs():await())
    end,
    again = restored,
  },
  {
    name = "restore from a file",
    prepare = function(t) return left(t, storage.file(directory)) end,
    act = function(t, c)
      c.session = t.datasession.new(options(t, c.store))
      assert(c.session.state)
    end,
    again = restored,
    check = function(_, c) assert(c.store:remove "torture") end,
  },
  {
    name = "keep and forget",
    prepare = function(t)
      freeName(t)
      return { store = storage.memory(), options = options(t) }
    end,
    act = function(t, c)
      c.options.store = c.store
      c.session = t.datasession.new(c.options)
      assert(c.session:login("lua", "secret"):await())
      c.session:setContextProperty("a", 1)
      t.datasession.run(t.LIMIT)
      assert(c.session:logout():await())
      t.datasession.run(t.LIMIT)
    end,
    again = release,
    check = function(_, c) assert(c.store:get "torture" == nil, "after logout something is kept") end,
  },
  {
    name = "flush of a named session",
    prepare = function(t)
      freeName(t)
      local c = { store = storage.memory() }
      c.session = t.datasession.new(options(t, c.store))
      assert(c.session:login("lua", "secret"):await(t.LIMIT))
      t.settle()
      return c
    end,
    act = function(t, c)
      c.session:setContextProperty("who", "me")
      assert(t.datasession.flush())
    end,
    again = function(t, c)
      c.session:setContextProperty("who", "you")
      assert(t.datasession.flush())
      assert(c.store:get "torture":find("you", 1, true), "the last change is not kept")
      release(t, c)
    end,
  },
  {
    name = "the file store",
    act = function()
      local store = storage.file(directory)
      assert(store:set("key", "text"))
      assert(store:get "key" == "text")
      assert(store:remove "key")
    end,
  },
  {
    name = "flush files",
    act = function(t)
      local store = storage.file(directory)
      assert(store:set("flushed", "text"))
      assert(t.datasession.flush(t.LIMIT))
      assert(storage.file(directory):get "flushed" == "text")
    end,
    check = function(t)
      assert(storage.file(directory):remove "flushed")
      assert(t.datasession.flush(t.LIMIT))
    end,
  },
}
