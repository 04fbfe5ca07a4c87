--- The system's commands.
local shell = {}

--- A word that the shell takes for one, whatever is in it.
function shell.quoted(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- Runs a command, which the shell reads, with words that it takes as they are: what both streams have.
-- A command that fails is an error, with that.
function shell.run(command, ...)
  local words = { command }
  for _, word in ipairs { ... } do words[#words + 1] = shell.quoted(word) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1"))
  local output = pipe:read "a"
  assert(pipe:close(), output)
  return output
end

return shell
