--- A server's process. It ends when it is stopped, and when the process that started it ends, however that
-- happens: a shell waits for the end of its input, and then ends the server by its id.
local files = dofile "spec/support/files.lua"
local quoted = dofile("spec/support/shell.lua").quoted
local ports = require "field.support.ports"
local socket = require "socket"

local process = {}
process.__index = process

local LIMIT = 90 -- seconds for a server to listen

-- Until the server has ended: it is asked, and after ten seconds made to.
local SHELL = [[trap '' INT HUP
%s </dev/null >>%s 2>&1 &
echo $! >%s
exec 2>/dev/null
read -r _
kill $! 2>/dev/null
( sleep 10; kill -9 $! ) 2>/dev/null &
killer=$!
wait %%1
kill $killer 2>/dev/null]]

-- False for a zombie, too. The command line would not tell: it is empty while a process loads its program.
local function isAlive(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return false end
  local state = (file:read "a" or ""):match ".*%) (%a)"
  file:close()
  return state ~= nil and not state:find "[ZX]"
end

local function pidOf(file)
  local limit = socket.gettime() + LIMIT
  while socket.gettime() < limit do
    local opened = io.open(file)
    local pid = opened and opened:read "n"
    if opened then opened:close() end
    if pid then return pid end
    socket.sleep(0.01)
  end
  error("no process was started")
end

local function awaitPorts(self)
  local limit = socket.gettime() + LIMIT
  for _, port in ipairs(self.ports) do
    while not ports.answers(port) do
      if not isAlive(self.pid) or socket.gettime() > limit then
        error(("%s does not listen at port %d:\n%s"):format(self.name, port, files.read(self.log)))
      end
      socket.sleep(0.02)
    end
  end
end

--- A server that is not started yet.
-- @param command array of words
-- @param listening array of ports that it has to listen at
function process.new(name, directory, command, listening)
  local words = {}
  for i, word in ipairs(command) do words[i] = quoted(word) end
  return setmetatable({
    name = name, command = table.concat(words, " "), ports = listening,
    log = directory .. "/output.log", pidFile = directory .. "/process.pid",
  }, process)
end

--- Starts it; returns when it listens.
function process:start()
  os.remove(self.pidFile)
  self.pipe = assert(io.popen(SHELL:format(self.command, quoted(self.log), quoted(self.pidFile)), "w"))
  self.pid = pidOf(self.pidFile)
  awaitPorts(self)
end

--- Stops it; returns when it has ended.
function process:stop()
  if not self.pipe then return end
  self.pipe:close()
  self.pipe = nil
end

return process
