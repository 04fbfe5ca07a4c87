--- The files that catalogs may be read from.

local ascii = require("datasession.internal.ascii")
local files = require("datasession.internal.files")
local zero = require("datasession.internal.lua").zero

local char, find, format, gsub = string.char, string.find, string.format, string.gsub
local match, sub = string.match, string.sub
local concat = table.concat

local BLOCK = 1024 * 1024

local file = {}

--- The size of the largest catalog, in bytes.
file.MAX_SIZE = 64 * 1024 * 1024

local MAX_SIZE = file.MAX_SIZE

--- Undoes percent-encoding: the text, or nil when a % is not followed by two hexadecimal digits.
local function percentDecode(text)
  local decoded, count = gsub(text, "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end)
  local _, signs = gsub(text, "%%", "")
  return count == signs and decoded or nil
end

--- The path that a file: URI names, or nil and a message.
local function filePath(uri)
  local rest = sub(uri, 6)
  if sub(rest, 1, 2) == "//" then
    local host, path = match(rest, "^//([^/]*)(.*)$")
    if host ~= "" and ascii.lower(host) ~= "localhost" then return nil, "a file: URI of another host" end
    rest = path
  end
  local path = percentDecode(match(rest, "^[^?#]*"))
  if not path then return nil, "a malformed percent-encoding" end
  if sub(package.config, 1, 1) == "\\" then path = gsub(path, "^/(%a:)", "%1") end     -- file:///C:/x
  return path
end

--- The rest of a file, up to a bit more than the largest catalog.
local function readAll(handle)
  local blocks, size = {}, 0
  while size <= MAX_SIZE do
    local block, message = handle:read(BLOCK)
    if not block then
      if message then return nil, message end
      break
    end
    blocks[#blocks + 1], size = block, size + #block
  end
  if size > MAX_SIZE then return nil, "larger than 64 MiB" end
  return concat(blocks)
end

--- Reads a catalog from a file.
-- @param path string: a path, or a file: URI (file:///x, file://localhost/x, file:/x), which is
--   percent-decoded; raises for another type
-- @return the text, of 64 MiB at most, unchecked; or nil and a message that names the path
function file.read(path)
  if type(path) ~= "string" then
    error(format("bad argument #1 to 'read' (string expected, got %s)", type(path)), 2)
  end
  local name, message = path, nil
  if find(path, "^[Ff][Ii][Ll][Ee]:") then name, message = filePath(path) end
  if name and (name == "" or zero(name)) then name, message = nil, "no file name" end
  local handle
  if name then handle, message = files.open(name, "rb") end
  if not handle then return nil, format("cannot read the catalog %s: %s", path, message) end
  local text
  text, message = readAll(handle)
  handle:close()
  if not text then return nil, format("cannot read the catalog %s: %s", path, message) end
  return text
end

return file
