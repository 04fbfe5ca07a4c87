--- A session from login to logout.
--
--   lua5.4 examples/quickstart.lua                           against a server in this process (the sandbox)
--   lua5.4 examples/quickstart.lua URI CATALOG MODEL USER    against yours; the password comes from the
--                                                            environment variable DATASESSION_PASSWORD,
--                                                            or is asked for
--
-- After these, options of datasession.new for the connection, as NAME=VALUE: caFile=ca.pem, insecure=true,
-- clientCertificate=me.pem, clientKey=me.key, proxy=http://proxy:3128, timeout=60s, http2=false, ...

local datasession = require "datasession"

-- Their values are texts even where they look like numbers.
local TEXTS = {
  caFile = true, caPath = true, crlFile = true, pinnedPublicKey = true, clientCertificate = true,
  clientKey = true, clientKeyPassword = true, userAgent = true,
}

-- true, false, a number or a text such as "30s"; datasession.new raises for what an option cannot be.
local function valueOf(value)
  if value == "true" or value == "false" then return value == "true" end
  return tonumber(value) or value
end

local words, transport = {}, {} -- the arguments, and the options of the connection

for _, word in ipairs(arg) do
  local name, value = word:match("^(%a+%d*)=(.*)$")
  if name then
    transport[name] = TEXTS[name] and value or valueOf(value)
  else
    words[#words + 1] = word
  end
end

local uri, catalogURI, model, user = words[1], words[2], words[3] or "anonymous", words[4]
local password, server

-- The options of a session, with those of the connection.
local function options(given)
  for name, value in pairs(transport) do
    given[name] = value
  end
  return given
end

local function say(...)
  print(string.format(...))
end

local function askPassword()
  local given = os.getenv("DATASESSION_PASSWORD")
  if given or model:lower() == "anonymous" then
    return given
  end
  io.stderr:write("Password of ", user or "?", ": ")
  local hidden = os.execute("stty -echo 2>/dev/null")
  local line = io.read("l")
  if hidden then
    os.execute("stty echo 2>/dev/null")
    io.stderr:write("\n")
  end
  return line
end

local function showCatalog(catalog)
  for _, service in ipairs(catalog.services) do
    say("  service %s at %s", service.name, service.uri)
    for _, resource in ipairs(service.resources) do
      local names = {}
      for i, operation in ipairs(resource.operations) do
        names[i] = operation.name or operation.type
      end
      say("    resource %s: %d fields; %s", resource.name, #resource:fields(), table.concat(names, ", "))
    end
  end
end

-- The first resource of one table that can be read, and its first records.
local function readFirst(session)
  for _, catalog in ipairs(session.catalogs) do
    for resource in catalog:eachResource() do
      local read = resource:operation("read")
      if read and #resource.tables == 1 then
        local object = datasession.JSDO({ name = resource.name, session = session })
        -- JFP: OpenEdge's filters, which may say how many records to read; others have a text of their own.
        assert(object:fill(read.mappingType == "JFP" and { top = 8 } or nil):await())
        local records = {}
        for record in object:records() do
          records[#records + 1] = record
        end
        return resource, records
      end
    end
  end
end

local WIDTH = 20

local function pad(value)
  local text = value == nil and "" or tostring(value)
  local length = utf8.len(text) or #text
  if length > WIDTH then
    return text:sub(1, (utf8.offset(text, WIDTH) or WIDTH) - 1) .. "~"
  end
  return text .. (" "):rep(WIDTH - length)
end

-- The key, the name, and two more.
local function columns(resource)
  local chosen, seen = {}, {}
  local function choose(name)
    if name and not seen[name] and #chosen < 4 then
      seen[name], chosen[#chosen + 1] = true, name
    end
  end
  for _, name in ipairs(resource.tables[1].primaryKey or {}) do
    choose(name)
  end
  choose(resource.tables[1]:field("Name") and "Name")
  for _, field in ipairs(resource:fields()) do
    choose(not field.name:find("^_") and field.name) -- those are OpenEdge's own
  end
  return chosen
end

local function showTable(names, rows, most)
  local function line(value)
    local cells = {}
    for i, name in ipairs(names) do
      cells[i] = pad(value(name))
    end
    say("  %s", table.concat(cells, " "))
  end
  line(function(name) return name end)
  line(function() return ("-"):rep(WIDTH) end)
  for r = 1, math.min(#rows, most) do
    line(function(name) return rows[r][name] end)
  end
  say("  %d of %d rows", math.min(#rows, most), #rows)
end

local function showEvents(session)
  session:subscribe("online", function()
    say("  event online")
  end)
  session:subscribe("offline", function(_, reason)
    say("  event offline: %s", reason)
  end)
end

local function loseServer(session)
  say("The server stops.")
  server:stop()
  local ok, err = session:ping():await()
  assert(not ok and not session.connected, "the loss of the server was not noticed")
  say("  %s", err)
  say("The server comes back.")
  server:start()
  assert(session:ping():await())
  assert(session.connected, "the return of the server was not noticed")
end

-- <close>: whatever fails on the way, the session is logged out when the function is left.
local function stepByStep()
  local session <close> = datasession.new(options({ serviceURI = uri, authenticationModel = model }))
  showEvents(session)
  say("Logging in at %s as %s, by %s.", session.serviceURI, user or "nobody", model)
  assert(session:login(user, password):await())
  say("Loading the catalog.")
  assert(session:addCatalog(catalogURI):await())
  showCatalog(session.catalogs[1])
  local resource, rows = readFirst(session)
  if resource then
    say("Reading %s.", resource.name)
    showTable(columns(resource), rows, 8)
  end
  say("Pinging.")
  assert(session:ping():await())
  if server then
    loseServer(session)
  end
  say("Logging out.")
  assert(session:logout():await())
end

local function inOneCall()
  say("The same in one call, getSession.")
  local session <close> = assert(datasession.getSession(options({
    serviceURI = uri,
    catalogURI = catalogURI,
    authenticationModel = model,
    username = user,
    password = password,
  })):await())
  say("  %s", session)
  say("Invalidating all sessions.")
  for _, one in ipairs(assert(datasession.invalidateAllSessions():await())) do
    assert(one.ok, one.errorObject)
    say("  %s", one.session)
  end
  assert(session.state == "invalid", "the session is still alive")
end

local function main()
  if uri then
    assert(catalogURI, "usage: quickstart.lua URI CATALOG MODEL USER [OPTION=VALUE ...]")
    password = askPassword()
  else
    server = require("datasession.sandbox").start()
    uri, catalogURI = server.uris.form, server.uris.form .. "/static/CustomerService.json"
    model, user, password = "form", "lua", "secret"
  end
  stepByStep()
  inOneCall()
end

local ok, err = pcall(main)
if server then
  server:close()
end
if not ok then
  io.stderr:write("quickstart: ", tostring(err), "\n")
  os.exit(1, true)
end
say("All went well.")
