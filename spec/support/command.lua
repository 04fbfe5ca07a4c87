--- Runs bin/datasession, through pipes and at a terminal.
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"
local quoted = dofile("spec/support/shell.lua").quoted

local command = {}

--- A home of its own for the sessions of login: { directory, variables of the environment by name }.
function command.home()
  local home = { directory = files.directory() }
  home.variables = { DATASESSION_HOME = home.directory .. "/sessions" }
  return home
end

function command.removeHome(home) files.removeDirectory(home.directory) end

local function lineOf(home, words)
  local line = { "env -u DATASESSION_PASSWORD -u NO_COLOR -u COLUMNS", child.language }
  for name, value in pairs(home.variables) do line[#line + 1] = name .. "=" .. quoted(value) end
  -- In the foreground, since a terminal stops what reads it from another process group.
  line[#line + 1] = ("timeout --foreground -k 5 %d %s bin/datasession"):format(child.LIMIT,
    quoted(child.interpreter()))
  for _, word in ipairs(words) do line[#line + 1] = quoted(word) end
  return table.concat(line, " ")
end

--- Runs the command with these words through pipes, without a terminal.
-- @return { output =, errors =, code = }
function command.run(home, ...)
  local errors = home.directory .. "/errors"
  local line = ("setsid -w %s 2>%s </dev/null"):format(lineOf(home, { ... }), quoted(errors))
  local pipe = assert(io.popen(line))
  local result = { output = pipe:read "a" }
  local _, _, code = pipe:close()
  result.code = code
  local file = assert(io.open(errors))
  result.errors = file:read "a"
  file:close()
  return result
end

--- Its standard output, where it must end well.
function command.output(home, ...)
  local result = command.run(home, ...)
  if result.code ~= 0 then error(("exit code %d: %s"):format(result.code, result.errors), 2) end
  return result.output
end

--- Runs the command at a terminal of its own, which `script` makes.
-- @param answer table or nil: { when = a pattern of the output, with = the line that is typed then }
-- @return all that the terminal shows, and the exit code
function command.terminal(home, answer, ...)
  local keys = home.directory .. "/keys"
  os.remove(keys)
  assert(os.execute("mkfifo " .. quoted(keys)))
  local line = ("SHELL=/bin/sh TERM=xterm script -qec %s /dev/null 0<>%s"):format(
    quoted(lineOf(home, { ... })), quoted(keys))
  local pipe = assert(io.popen(line))
  pipe:setvbuf "no"
  local shown = {}
  local function read()
    local byte = pipe:read(1)
    shown[#shown + 1] = byte
    return byte
  end
  while answer and read() do
    if table.concat(shown):find(answer.when) then
      local typed = assert(io.open(keys, "w"))
      typed:write(answer.with, "\n")
      typed:close()
      break
    end
  end
  shown[#shown + 1] = pipe:read "a"
  local _, _, code = pipe:close()
  return table.concat(shown), code
end

return command
