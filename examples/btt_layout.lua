--- The Rich Client's messages in the field layout that the toolkit's manuals publish: a pair of functions,
-- encode and decode, for the option format of protocol btt.
--
-- UNPROVED: the layout is published, the encoding is not. The manuals print the fields in this order, with a
-- slash between them. They do not say whether the slash is part of the message, how a value that holds one
-- is written, or where an operation's result stands. No server was at hand to find out. Here the slash is
-- literal, values are percent-encoded, and the result is a sixth field of the reply. Change that as your
-- server wants it.
--
--   lua5.4 examples/btt_layout.lua     against a server in this process that reads the same layout

local datasession = require "datasession"

-- Published: the fields of a request and of a reply, in order.
local REQUEST = {
  "serverOperationName", "sendFormatName", "formattedData", "parentContextName", "sessionId", "applicationId",
}
local REPLY = { "sessionId", "serverTID", "timeout", "serverId", "cookies", "result" }

local function escape(text)
  return (tostring(text):gsub("[^%w._~-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function write(names, values)
  local parts = {}
  for i, name in ipairs(names) do
    parts[i] = escape(values[name] or "")
  end
  return table.concat(parts, "/")
end

local function read(names, text)
  local values, i = {}, 0
  for part in (text .. "/"):gmatch("([^/]*)/") do
    i = i + 1
    if names[i] and part ~= "" then
      values[names[i]] = unescape(part)
    end
  end
  return values
end

-- The names of these parameters are documented; that they are sent as a form is a choice of the library.
local function writeParameters(message)
  local parts = {}
  for _, name in ipairs { "createSession", "TID", "sessionId", "serverId" } do
    if message[name] then
      parts[#parts + 1] = name .. "=" .. escape(message[name])
    end
  end
  return table.concat(parts, "&")
end

--- The option format for sessions in the layout. `find` returns the session, whose id is a field.
local function layout(find)
  return {
    encode = function(message)
      if message.kind == "establish" then
        return writeParameters(message), "application/x-www-form-urlencoded;charset=UTF-8"
      end
      local values = { serverOperationName = message.operation, formattedData = message.data,
        sessionId = find().sessionId }
      for name, value in pairs(message.fields) do
        values[name] = value
      end
      return write(REQUEST, values), "text/plain;charset=UTF-8"
    end,
    decode = function(body, response)
      return response.status == 200 and read(REPLY, body) or nil
    end,
  }
end

-- A server of one operation, which answers in the same layout.
local function serve(server)
  server:route("POST", "/layout/CSEstablishSessionServlet", function()
    return 200, nil, "ABCDEFGH/BR12-T03/1800000/n1/"
  end)
  server:route("POST", "/layout/CSReqServlet", function(request)
    local operation, data, id = request.body:match "^(%w+)/[^/]*/([^/]*)/[^/]*/([^/]*)/[^/]*$"
    if operation ~= "RateLookup" or id ~= "ABCDEFGH" then
      return 200, nil, "CSS00"
    end
    return 200, nil, "ABCDEFGH/BR12-T03/1800000/n1//" .. (data == "SEK%2FUSD" and "0.09" or "")
  end)
  return server.origin .. "/layout"
end

local function main(server)
  local session
  session = datasession.new {
    protocol = "btt", serviceURI = serve(server), sessionCarrier = "cookie",
    format = layout(function()
      return session
    end),
  }
  assert(session:establishSession():await())
  print(("Established: the terminal is %s."):format(session:tid()))
  local fields = { sendFormatName = "rate" }
  local rate = assert(session:invoke("RateLookup", "SEK/USD", { fields = fields }):await())
  print(("SEK/USD: %s"):format(rate))
  assert(session:closeSession():await())
end

local server = require("datasession.sandbox").start()
local ok, err = pcall(main, server)
server:close()
if not ok then
  io.stderr:write("btt_layout: ", tostring(err), "\n")
  os.exit(1, true)
end
print "All went well."
