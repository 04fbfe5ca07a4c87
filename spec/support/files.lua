--- Temporary files for specs.
local shell = dofile "spec/support/shell.lua"

local files = {}

--- The bytes of a file; fails if it does not exist.
function files.read(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read "a")
  file:close()
  return text
end

--- True if a file can be read there.
function files.exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

--- Writes a text to a file, in place of what it held.
function files.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- Creates a file with that text and returns its path.
function files.new(text)
  local path = os.tmpname()
  files.write(path, text)
  return path
end

--- Creates an empty private directory and returns its path.
function files.directory()
  local path = os.tmpname()
  os.remove(path)
  shell.run("mkdir -m 700", path) -- mktemp -d loses memory, which the address sanitizer takes for a failure
  return path
end

--- Removes a directory and its contents.
function files.removeDirectory(path)
  shell.run("rm -rf", path)
end

return files
