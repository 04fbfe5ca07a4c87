--- The trace: what is sent and received, as text without secrets, for a file or a function.

local argument = require "datasession.internal.argument"
local core = require "datasession.core"
local lua = require "datasession.internal.lua"
local raise = require "datasession.internal.raise"
local recorder = require "datasession.internal.recorder"

local setmetatable, warn = lua.setmetatable, lua.warn

local trace = {}

local target -- the current one: { f = function } or { file = file, path = string }; nil: there is none

-- Its finaliser runs before that of its file, so that a program's last lines are written when it ends.
local meta = { __gc = function(ended) if target == ended then core.deliverRecords() end end }

local function stop()
  local ended = target
  if not ended then return end
  recorder.set("lines", nil)
  target = nil
  if ended.file then ended.file:close() end
end

local function start(new, bodies)
  target = setmetatable(new, meta)
  recorder.set("lines", bodies)
  return true
end

local function writeFile(text)
  local ok, message = target.file:write(text)
  if ok then ok, message = target.file:flush() end
  if ok then return end
  local path = target.path
  stop()
  error(("datasession.trace has ended: %s: %s"):format(path, message), 0)
end

--- For the recorder: lines, each with its end. `lost`: bytes that found no room.
function trace.write(text, lost)
  if not target then return end
  if lost > 0 then text = ("%s* %d bytes of the trace are missing here\n"):format(text, lost) end
  if target.file then
    writeFile(text)
    return
  end
  local told = target
  for line in text:gmatch "([^\n]*)\n" do
    if target ~= told then return end -- its function has ended it
    core.call(told.f, line)
  end
end

--- Traces into the file of that name from now on; a warning says if it cannot. For DATASESSION_TRACE.
function trace.begin(path)
  local file, message = recorder.open(path, "a")
  if file then
    start({ file = file, path = path }, 0)
  else
    warn("datasession: DATASESSION_TRACE: " .. message)
  end
end

--- Begins a trace, which ends the one before.
-- @param to path of a file to append to; or function (line); nil: ends the trace
-- @param options table or nil: `bodies`, integer: the most bytes of each body, default 0
-- @return true; or nil and a message when the file cannot be opened. Raises for other arguments
function trace.trace(to, options)
  local bodies = recorder.bodiesOf("trace", options, 0)
  if to ~= nil and type(to) ~= "string" and type(to) ~= "function" then
    raise(("trace: expected a path, a function or nil, got %s"):format(argument.type(to)), 2)
  end
  local file, message
  if type(to) == "string" then
    recorder.checkPath("trace", to)
    file, message = recorder.open(to, "a")
    if not file then return nil, message end
  end
  stop()
  if to == nil then return true end
  return start(file and { file = file, path = to } or { f = to }, bodies)
end

return trace
