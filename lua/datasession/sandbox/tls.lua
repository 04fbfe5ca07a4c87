--- The option `tls` of sandbox.start: certificates of files, or one that is made at the start.
local tls = {}

-- Whether a text can be a host's name or its address.
local function isHost(name)
  if type(name) ~= "string" then return false end
  return name:find "^[%w*][%w*._-]*$" ~= nil or (name:find ":" ~= nil and name:find "^[%x:.]+$" ~= nil)
end

local function isHosts(value)
  local count = 0
  for _, name in pairs(type(value) == "table" and value or {}) do
    if not isHost(name) then return false end
    count = count + 1
  end
  return count > 0 and count == #value
end

--- The rule for the option.
function tls.rule(value)
  if type(value) ~= "table" then return type(value) == "boolean", "true or table" end
  for name in pairs(value) do
    if name ~= "certificate" and name ~= "key" and name ~= "names" then
      return false, "certificate and key, or names"
    end
  end
  if value.names ~= nil then
    return isHosts(value.names) and not value.certificate and not value.key,
      "names alone, a list of host names and addresses"
  end
  return type(value.certificate) == "string" and type(value.key) == "string",
    "file names of certificate and key"
end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local contents = file:read("a")
  file:close()
  if not contents then return nil, path .. ": cannot be read" end
  return contents
end

local function readFiles(files)
  local certificate, key, message
  certificate, message = read(files.certificate)
  if not certificate then return nil, message end
  key, message = read(files.key)
  return key and { certificate = certificate, key = key }, message
end

-- Writes a file of its own; its name, or nil and a message.
local function write(text)
  local ok, path = pcall(os.tmpname)
  if not ok then return nil, path end
  local file, message = io.open(path, "wb")
  if not file then return nil, message end
  local written
  written, message = file:write(text)
  local closed, problem = file:close()
  if written and closed then return path end
  os.remove(path)
  return nil, message or problem
end

local function defaultNames(address)
  local names = { "localhost", "127.0.0.1", "::1" }
  if address and address ~= "127.0.0.1" and address ~= "::1" then names[4] = address end
  return names
end

--- The texts of `certificate` and `key`, and `caFile`, the file of the authority of a certificate that was
-- made, which the caller removes; nil and a message.
-- @param value the option, by the rule
-- @param address string: the option `address`, or nil
-- @param certify function: core.certify
function tls.new(value, address, certify)
  if not value then return {} end
  if value ~= true and not value.names then return readFiles(value) end
  local authority, certificate, key = certify(value ~= true and value.names or defaultNames(address))
  if not authority then return nil, "no certificate could be made: " .. certificate end
  local caFile, message = write(authority)
  return caFile and { certificate = certificate, key = key, caFile = caFile }, message
end

return tls
