-- A certification authority, by the openssl program. Its certificates are valid, or invalid in one way each.
local shell = dofile "spec/support/shell.lua"
local write = dofile("spec/support/files.lua").write

local authority = {}
authority.__index = authority

local CONFIG = [[
[ca]
default_ca = here
[here]
database = %s/index
serial = %s/serial
new_certs_dir = %s
default_md = sha256
default_crl_days = 1
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
]]

local function openssl(...)
  return shell.run("openssl", ...)
end

local NEW_KEY = { "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes" }

local function request(kind, subject, name, ...)
  local words = { "req", kind, "-subj", "/CN=" .. subject, "-keyout", name .. ".key", "-out", name .. ".pem" }
  table.move(NEW_KEY, 1, #NEW_KEY, #words + 1, words)
  for _, word in ipairs { ... } do words[#words + 1] = word end
  return openssl(table.unpack(words))
end

--- A new authority with its files in an existing directory. `self.certificate` is the one to trust.
function authority.new(directory, name)
  local self = setmetatable({ directory = directory .. "/" .. name }, authority)
  shell.run("mkdir", self.directory)
  self.config, self.certificate = self.directory .. "/config", self.directory .. "/ca.pem"
  write(self.config, (CONFIG:gsub("%%s", self.directory)))
  write(self.directory .. "/index", "")
  write(self.directory .. "/serial", "01\n")
  request("-x509", name, self.directory .. "/ca", "-days", "2")
  return self
end

function authority:sign(...)
  local key = self.directory .. "/ca.key"
  return openssl("ca", "-batch", "-config", self.config, "-cert", self.certificate, "-keyfile", key, ...)
end

--- A certificate for the alternative name ("IP:127.0.0.1"): { certificate = file, key = file }.
-- @param first, last its validity, as "YYYYMMDDHHMMSSZ"; default: one day from now
function authority:issue(name, alternative, first, last)
  local base = self.directory .. "/" .. name
  request("-new", name, base, "-addext", "subjectAltName=" .. alternative)
  local files = { "-in", base .. ".pem", "-out", base .. ".pem", "-notext" }
  local dates = first and { "-startdate", first, "-enddate", last } or { "-days", "1" }
  self:sign(table.unpack(table.move(dates, 1, #dates, #files + 1, files)))
  return { certificate = base .. ".pem", key = base .. ".key" }
end

function authority:revoke(issued)
  self:sign("-revoke", issued.certificate)
end

--- The certificate revocation list, a file.
function authority:list(name)
  local file = self.directory .. "/" .. name .. ".crl"
  self:sign("-gencrl", "-out", file)
  return file
end

--- The file of the public key, and its digest as libcurl pins it.
function authority.pin(issued)
  local file = issued.key:gsub("key$", "pub")
  openssl("pkey", "-in", issued.key, "-pubout", "-out", file)
  openssl("pkey", "-in", issued.key, "-pubout", "-outform", "DER", "-out", file .. ".der")
  openssl("dgst", "-sha256", "-binary", "-out", file .. ".digest", file .. ".der")
  return "sha256//" .. openssl("base64", "-A", "-in", file .. ".digest"):gsub("%s", ""), file
end

return authority
