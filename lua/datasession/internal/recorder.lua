--- The engine's recorder, which the trace and the HAR file share; and the files that they write.

local core = require "datasession.core"
local files = require "datasession.internal.files"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"
local lua = require "datasession.internal.lua"
local math = lua.math

local recorder = {}

local limits = {} -- "lines" and "messages": the most bytes of a body; nil: not wanted

--- Begins or ends one of the two, after the old one has got all that was recorded.
-- @param name "lines" or "messages"
-- @param limit integer: the most bytes of a body; nil: ends
function recorder.set(name, limit)
  core.deliverRecords()
  limits[name] = limit
  core.record(limits.lines, limits.messages)
end

--- Reads the options of datasession.trace or datasession.har. Raises at the caller's caller.
-- @return integer: the most bytes of a body
function recorder.bodiesOf(call, options, default)
  if options == nil then return default end
  if type(options) ~= "table" then
    raise(("%s: options: expected a table, got %s"):format(call, type(options)), 3)
  end
  for name in pairs(options) do
    if name ~= "bodies" then
      raise(call .. ": " .. suggest.unknown("option", name, { "bodies" }), 3)
    end
  end
  local bodies = options.bodies
  if bodies == nil then return default end
  local most = math.type(bodies) and math.tointeger(bodies)
  if not most or most < 0 then
    raise(("%s: option 'bodies': expected a number of bytes, 0 or more, got %s"):format(call,
      tostring(bodies)), 3)
  end
  return most
end

--- Raises at the caller's caller if no file can have that path.
function recorder.checkPath(call, path)
  if lua.zero(path) then raise(("%s: the path holds a NUL byte"):format(call), 3) end
end

--- Opens a file that only its owner may read, unless it exists already.
-- @return file; or nil and a message
function recorder.open(path, mode)
  core.makePrivate(path)
  return files.open(path, mode)
end

return recorder
