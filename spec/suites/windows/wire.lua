-- Values as Lua's source, for the sandbox in another process. Functions travel as byte code, which Lua 5.4 of
-- 64 bits reads on either system.
local null = require("cjson").null

local wire = {}

local function text(value)
  if type(value) == "function" then
    return ("load(%q, '=(a function of the spec)', 'b')"):format(string.dump(value))
  elseif value == null then
    return 'require("cjson").null'
  elseif type(value) ~= "table" then
    return ("%q"):format(value)
  end
  local fields = {}
  for name, field in next, value do
    fields[#fields + 1] = ("[%s]=%s"):format(text(name), text(field))
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

--- The source of a chunk that returns the values.
function wire.pack(...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = text(values[i]) end
  return "return " .. table.concat(values, ",")
end

function wire.unpack(source)
  return assert(load(source, "=wire", "t"))()
end

function wire.send(socket, source)
  assert(socket:send(("%d\n%s"):format(#source, source)))
end

--- The source that the other end has sent; nil: it is gone.
function wire.receive(socket)
  local size = socket:receive "*l"
  return size and socket:receive(tonumber(size))
end

return wire
