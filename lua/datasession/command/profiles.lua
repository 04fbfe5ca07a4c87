--- The sessions of `datasession login`: what the next command needs to go on with one. No secret is among it;
-- the login itself is in the session's own entry of the same store.

local datasession = require "datasession"
local codec = require "datasession.internal.codec"
local fail = require "datasession.command.fail"

local profiles = {}

local KEY = "command-sessions" -- no session of this command has the name: see checkName
local UNUSABLE = "the list of sessions cannot be kept: %s (the environment's DATASESSION_HOME names " ..
  "another directory)"

local store

--- The store of the command's sessions: a directory of its own beside that of programs.
function profiles.store()
  if not store then
    local home = os.getenv "DATASESSION_HOME"
    if not home or home == "" then home = datasession.store.file().directory .. "/command" end
    store = datasession.store.file(home)
  end
  return store
end

local function readAll()
  local text, message = profiles.store():get(KEY)
  if not text then
    if message then fail.with("failed", UNUSABLE:format(message)) end
    return {}
  end
  local known = codec.decode(text)
  return type(known) == "table" and known or {}
end

local function writeAll(all)
  local ok, message = profiles.store():set(KEY, codec.encode(all))
  if ok then ok, message = datasession.flush(10) end
  if not ok then fail.with("failed", UNUSABLE:format(message)) end
end

function profiles.checkName(name)
  if name == "" or name == KEY then
    fail.with("usage", ("'%s' cannot be the name of a session"):format(name))
  end
  return name
end

--- The options of the session of that name; nil: there is none.
function profiles.get(name)
  local one = readAll()[name]
  return type(one) == "table" and one or nil
end

--- @param options table of the options that datasession.new needs, without secrets
function profiles.set(name, options)
  local all = readAll()
  all[name] = options
  writeAll(all)
end

function profiles.remove(name)
  local all = readAll()
  all[name] = nil
  writeAll(all)
end

--- The names, sorted, and their options by name.
function profiles.list()
  local all, names = readAll(), {}
  for name in pairs(all) do names[#names + 1] = name end
  table.sort(names)
  return names, all
end

return profiles
