--- Runs commands of the system.
local shell = {}

--- Quotes a text as one word of the shell.
function shell.quoted(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- Runs a shell command with further words, which are quoted. Returns the output of both streams; raises it
-- if the command fails.
function shell.run(command, ...)
  local words = { command }
  for _, word in ipairs { ... } do words[#words + 1] = shell.quoted(word) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
  local output = pipe:read "a"
  assert(pipe:close(), output)
  return output
end

return shell
