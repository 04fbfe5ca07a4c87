-- An HTTP client without opinions, for the specs of the sandbox.
local cjson = require "cjson"
local ascii = require "datasession.internal.ascii"
local socket = require "socket"

local client = { LIMIT = 30 } -- seconds after which a socket that says nothing is a failure

function client.connect(server)
  local connection = assert(socket.connect("127.0.0.1", server.port))
  connection:settimeout(client.LIMIT)
  return connection
end

function client.send(connection, method, path, options)
  local lines = { ("%s %s HTTP/1.1"):format(method, path), "Host: localhost" }
  for name, value in pairs(options.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  if options.body then lines[#lines + 1] = "Content-Length: " .. #options.body end
  assert(connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (options.body or "")))
end

-- The response, or nil and "closed". A body that ends early is there as far as it came, with `cut` set.
-- `cookies` are all the values of Set-Cookie.
function client.receive(connection, method)
  local line, failure = connection:receive()
  if not line then return nil, failure end
  local response = { status = tonumber(line:match("^HTTP/1%.1 (%d+)")), headers = {}, cookies = {},
    body = "" }
  for header in function() return connection:receive() end do
    if header == "" then break end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    response.headers[ascii.lower(name)] = value
    if ascii.lower(name) == "set-cookie" then table.insert(response.cookies, value) end
  end
  local length = tonumber(response.headers["content-length"]) or 0
  if method ~= "HEAD" and length > 0 then
    local body, _, partial = connection:receive(length)
    response.body, response.cut = body or partial, body == nil
  end
  return response
end

-- options: headers, body, connection (otherwise one for this request alone)
function client.request(server, method, uri, options)
  options = options or {}
  local connection = options.connection or client.connect(server)
  client.send(connection, method, uri:gsub("^" .. server.origin:gsub("%p", "%%%0"), ""), options)
  local response, failure = client.receive(connection, method)
  if not options.connection then connection:close() end
  return response, failure
end

function client.get(server, uri, headers)
  return client.request(server, "GET", uri, { headers = headers })
end

client.JSON = { Accept = "application/json" }

function client.decode(response)
  assert(response.headers["content-type"]:find("^application/json"))
  return cjson.decode(response.body)
end

function client.percent(text)
  return (text:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return client
