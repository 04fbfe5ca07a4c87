--- Every application of a server, over each kind of line.
local applications = {}

applications.LINES = {
  { name = "http", port = "HTTP", scheme = "http", protocol = "HTTP/1.1" },
  { name = "tls", port = "TLS", scheme = "https", protocol = "HTTP/1.1" },
  { name = "http2", port = "HTTPTWO", scheme = "https", protocol = "HTTP/2.0", http2 = true },
}

--- One application at one of the server's ports: { name, server, port, uri, origin, model, path, ... }
function applications.at(server, application, scheme, port)
  local made = { server = server, port = server.port[port] }
  if scheme == "https" then made.caFile = server.values.CA end
  for key, value in pairs(application) do made[key] = value end
  made.origin = ("%s://127.0.0.1:%d"):format(scheme, made.port)
  made.uri = made.origin .. "/" .. application.path
  made.name = ("%s %s %s"):format(server.name, port, application.path)
  return made
end

--- All of those servers.
-- @param wanted nil, or a function that says of an application and a line whether it is wanted
function applications.of(servers, wanted)
  local list = {}
  for _, server in ipairs(servers) do
    for _, line in ipairs(applications.LINES) do
      for _, application in ipairs(server.applications) do
        if not wanted or wanted(application, line) then
          local made = applications.at(server, application, line.scheme, line.port)
          made.line, made.protocol, made.http2 = line.name, line.protocol, line.http2
          list[#list + 1] = made
        end
      end
    end
  end
  return list
end

return applications
