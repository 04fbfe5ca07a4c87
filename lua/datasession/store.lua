--- Stores, which keep sessions with a name from one run of a program to the next.
--
-- A store is any table or userdata with three methods, called with a colon (`self` is the store) by sessions
-- whose options are `name` and `store`; `key` is the session's name, `text` a string of any bytes:
--
--     store:get(key)        the text, or nil when there is none; nil and a message when it cannot be read
--     store:set(key, text)  keeps it; nil (or false) and a message when that failed
--     store:remove(key)     forgets it, if it is there; nil (or false) and a message when that failed
--
-- They may also raise. datasession.new (get, remove) and the loop's steps call them, never a session's
-- method. They cannot yield. Their failures go to datasession.onError and break no session. A stored text is
-- enough to use the session: keep it secret.
local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local percent = require "datasession.internal.percent"

local store = {}

local LARGEST = 1048576   -- bytes of a file that is read at all
local LONGEST_NAME = 200  -- bytes of a file's name: most systems take 255

local function checkString(what, value, level)
  if type(value) ~= "string" then
    error(("%s: expected a string, got %s"):format(what, type(value)), level + 1)
  end
end

-- ---- in memory

local memory = { __name = "datasession.store.memory" }
memory.__index = memory

--- A store in memory, for one run of the program: sessions that share it are restored from each other's data.
function store.memory()
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

local file = { __name = "datasession.store.file" }
file.__index = file

-- The XDG Base Directory Specification says to ignore relative paths.
local function absolute(path)
  return path and path:sub(1, 1) == "/" and path or nil
end

local function defaultDirectory()
  if core.dataDirectory then -- on Windows
    local data = core.dataDirectory()
    if not data then error("store.file: no directory is given, and LOCALAPPDATA says none", 3) end
    return data .. "/datasession"
  end
  local state, home = absolute(os.getenv "XDG_STATE_HOME"), absolute(os.getenv "HOME")
  if not state and not home then
    error("store.file: no directory is given, and neither XDG_STATE_HOME nor HOME says one", 3)
  end
  return (state or home .. "/.local/state") .. "/datasession"
end

--- A store with a file for each key: `<key>.json`, mode 0600, in a directory of mode 0700. Both are made on
-- first use. A new file is written to disk and then replaces the old one as a whole, so that a reader in any
-- process gets the old text or the new one. A thread does this, since no step may wait for the disk: `set`
-- and `remove` return at once, `get` returns the latest text all the same, and datasession.flush waits.
-- Failures in the thread go to onError at a later step, unless flush returns them. Files that are not read:
-- files of another user, files that others may use, symbolic links, and files larger than a megabyte.
-- On Windows the files get an access list for the user, the system and the administrators; files that
-- another user owns are not read.
-- @param directory default: $XDG_STATE_HOME/datasession, or ~/.local/state/datasession; on Windows
--   %LOCALAPPDATA%/datasession
function store.file(directory)
  if directory ~= nil then
    checkString("store.file: directory", directory, 2)
    if directory == "" or lua.zero(directory) then
      error("store.file: directory: expected a path", 2)
    end
  end
  return setmetatable({ directory = directory or defaultDirectory() }, file)
end

-- Each key has a name of its own, even on a file system that ignores case, and no name leaves the directory.
local function nameOf(key)
  return percent.encode(key, "a-z0-9_-") .. ".json"
end

local function pathOf(self, key)
  checkString("store: key", key, 3)
  local name = nameOf(key)
  if key == "" or #name > LONGEST_NAME then
    return nil, "the session's name is " .. (key == "" and "empty" or "too long for the name of a file")
  end
  return self.directory .. "/" .. name
end

function file:get(key)
  local path, message = pathOf(self, key)
  if not path then
    return nil, message
  end
  local text = core.pendingFile(path)
  if text == nil then
    text, message = core.readPrivate(path, LARGEST)
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
  checkString("store: text", text, 2)
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

return store
