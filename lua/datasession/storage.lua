--- Where named sessions are kept between one run of a program and the next.
--
-- A store is any table or userdata with three methods, called with a colon (`self` is the store) by sessions
-- whose options are `name` and `storage`; `key` is the session's name, `text` a string of any bytes:
--
--     store:get(key)        the text, or nil when there is none; nil and a message when it cannot be read
--     store:set(key, text)  keeps it; nil (or false) and a message when that failed
--     store:remove(key)     forgets it, if it is there; nil (or false) and a message when that failed
--
-- They may also raise. They are called from datasession.new (get, remove) and from the loop's steps, never
-- from inside a session's method, and cannot yield. What goes wrong in them is told to datasession.onError and
-- breaks no session. The text lets whoever has it go on with the session: a store is to keep it from others.
local core = require "datasession.core"

local storage = {}

local LARGEST = 1 << 20   -- bytes of a file that is read at all
local LONGEST_NAME = 200  -- bytes of a file's name: most systems take 255

local function checkString(what, value, level)
  if type(value) ~= "string" then
    error(("%s: expected a string, got %s"):format(what, type(value)), level + 1)
  end
end

-- ---- in memory

local memory = { __name = "datasession.storage.memory" }
memory.__index = memory

--- A store for one run of the program: sessions that share it find what another has left.
function storage.memory()
  return setmetatable({ texts = {} }, memory)
end

function memory:get(key)
  return self.texts[key]
end

function memory:set(key, text)
  self.texts[key] = text
  return true
end

function memory:remove(key)
  self.texts[key] = nil
  return true
end

-- ---- in files

local file = { __name = "datasession.storage.file" }
file.__index = file

-- The base directory specification has relative paths ignored.
local function absolute(path)
  return path and path:sub(1, 1) == "/" and path or nil
end

local function defaultDirectory()
  local state, home = absolute(os.getenv "XDG_STATE_HOME"), absolute(os.getenv "HOME")
  if not state and not home then
    error("storage.file: no directory is given, and neither XDG_STATE_HOME nor HOME says one", 3)
  end
  return (state or home .. "/.local/state") .. "/datasession"
end

--- A store with a file for each key: `<key>.json`, mode 0600, in a directory of mode 0700, both made when first needed.
-- A file is replaced as a whole, having been written to the disk before, so that a reader in this or another
-- process finds the old text or the new one. A thread does that, for no step is to wait for a disk: `set` and `remove`
-- return before it is done, `get` gives what was set last all the same, and datasession.flush waits. What fails in the
-- thread goes to onError, at a later step, unless flush returns it. Files that belong to somebody else, that others may
-- use, that are symbolic links, or larger than a megabyte are not read.
-- @param directory default: $XDG_STATE_HOME/datasession, or ~/.local/state/datasession
function storage.file(directory)
  if directory ~= nil then
    checkString("storage.file: directory", directory, 2)
    if directory == "" or directory:find("\0", 1, true) then
      error("storage.file: directory: expected a path", 2)
    end
  end
  return setmetatable({ directory = directory or defaultDirectory() }, file)
end

-- No two keys have one name, also where the file system does not tell a from A; and no name leads elsewhere.
local function nameOf(key)
  return (key:gsub("[^a-z0-9_-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end)) .. ".json"
end

local function pathOf(self, key)
  checkString("storage: key", key, 3)
  local name = nameOf(key)
  if key == "" or #name > LONGEST_NAME then
    return nil, "the session's name is " .. (key == "" and "empty" or "too long for the name of a file")
  end
  return self.directory .. "/" .. name
end

local function readFile(path)
  local opened, message = core.openPrivate(path)
  if not opened then
    return nil, message
  end
  local text = opened:read(LARGEST + 1) or ""
  opened:close()
  return text
end

function file:get(key)
  local path, message = pathOf(self, key)
  if not path then
    return nil, message
  end
  local text = core.pendingFile(path)
  if text == nil then
    text, message = readFile(path)
  end
  if not text then
    return nil, message
  end
  if #text > LARGEST then
    return nil, path .. ": too large"
  end
  return text
end

function file:set(key, text)
  local path, message = pathOf(self, key)
  checkString("storage: text", text, 2)
  if not path then
    return nil, message
  end
  local ok
  ok, message = core.makeDirectory(self.directory)
  if not ok then
    return nil, message
  end
  return core.writeFile(path, text)
end

function file:remove(key)
  local path, message = pathOf(self, key)
  if not path then
    return nil, message
  end
  return core.removeFile(path)
end

return storage
