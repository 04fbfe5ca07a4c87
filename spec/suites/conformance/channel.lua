--- The line to the node process that runs the reference: JSON objects, a line each, over a loopback socket.
local cjson = require "cjson"
local socket = require "socket"

local PATIENCE = 30 -- seconds for an answer; the other side has shorter limits of its own

local Channel = {}
Channel.__index = Channel

local function plain(value)
  if type(value) == "table" then
    local copy = {}
    for key, one in pairs(value) do copy[key] = plain(one) end
    return copy
  end
  if value == cjson.null then return nil end
  return math.type(value) == "float" and math.tointeger(value) or value
end

--- Sends a command; its answer, where JSON's null is nil.
function Channel:ask(command)
  assert(self.line:send(cjson.encode(command) .. "\n"))
  local text, message = self.line:receive("*l")
  if not text then error("the reference does not answer: " .. message, 0) end
  return plain(cjson.decode(text))
end

--- Ends the process.
function Channel:close()
  self.line:close()
  self.process:close()
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Starts the process. `script` and `library` are file names. Its standard input ends with this one, and so
-- does it.
local function start(script, library)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local process = assert(io.popen(("exec node --no-warnings %s %d %s"):format(quote(script), port,
    quote(library)),
    "w"))
  listener:settimeout(PATIENCE)
  local line, message = listener:accept()
  listener:close()
  if not line then error("node does not start: " .. message, 0) end
  line:settimeout(PATIENCE)
  line:setoption("tcp-nodelay", true)
  return setmetatable({ line = line, process = process }, Channel)
end

return { start = start }
