--- The servers' access logs, which they write when an answer has been sent. Their lines are
-- port|protocol|method|uri|status|authorization|cookie, where the last two are "-" when the request had none;
-- what follows is a server's own.
local socket = require "socket"

local logs = {}

local LIMIT = 5 -- seconds until a line is written

local FIELDS = { "port", "protocol", "method", "uri", "status", "authorization", "cookie", "more" }

local function parse(line)
  local entry, rest = {}, line
  for i = 1, #FIELDS - 1 do
    local value, after = rest:match "^([^|]*)|?(.*)$"
    entry[FIELDS[i]], rest = value, after
  end
  entry.more, entry.port = rest, tonumber(entry.port)
  return entry
end

--- The requests that a log tells of, in its order; none when it does not exist yet.
function logs.read(path)
  local entries = {}
  local file = io.open(path)
  if not file then return entries end
  for line in file:lines() do entries[#entries + 1] = parse(line) end
  file:close()
  return entries
end

--- Those whose URI holds the text, and which are of the port if one is given.
function logs.find(path, text, port)
  local found = {}
  for _, entry in ipairs(logs.read(path)) do
    if entry.uri:find(text, 1, true) and (not port or entry.port == port) then found[#found + 1] = entry end
  end
  return found
end

--- The same, when there are so many, or after some seconds.
function logs.await(count, ...)
  local limit, found = socket.gettime() + LIMIT
  repeat
    found = logs.find(...)
    if #found < count then socket.sleep(0.02) end
  until #found >= count or socket.gettime() > limit
  return found
end

return logs
