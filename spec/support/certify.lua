--- Creates a self-signed certificate for 127.0.0.1 in that directory: { certificate = file, key = file }.
local shell = dofile "spec/support/shell.lua"

return function(directory)
  local files = { certificate = directory .. "/certificate.pem", key = directory .. "/key.pem" }
  shell.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    .. " -nodes -days 2 -subj /CN=here",
    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.key, "-out", files.certificate)
  return files
end
