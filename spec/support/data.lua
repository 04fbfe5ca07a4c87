--- Data objects over the sandbox's data services.
local assert = require "luassert"
local datasession = require "datasession"

local await = dofile "spec/support/await.lua"
local files = dofile "spec/support/files.lua"
local sessions = dofile "spec/support/sessions.lua"

local data = {}

local servers = setmetatable({}, { __mode = "k" }) -- session -> its server

--- A session of the anonymous application with the catalogs of all data services.
function data.session(server, options)
  local session = sessions.loggedIn(server, nil, options)
  for _, service in ipairs { "CustomerService", "OrderService" } do
    assert(session:addCatalog(server:catalogURI("anonymous", service)):await(await.LIMIT))
  end
  server:clearRequests()
  servers[session] = server
  return session
end

--- For before_each: the server runs, without faults; a new session with the catalogs.
function data.begin(server)
  sessions.refresh(server)
  return data.session(server)
end

--- Adds the catalog of that text to the session.
function data.addCatalog(session, text)
  local path = files.new(text)
  assert(session:addCatalog(path):await(await.LIMIT))
  os.remove(path)
end

--- The rows that the server has of a resource, read by a plain request: table name -> array.
function data.read(session, resource)
  for _, catalog in ipairs(session.catalogs) do
    for _, service in ipairs(catalog.services) do
      for _, one in ipairs(service.resources) do
        if one.name == resource then
          local uri = one:operation("read"):expand { filter = "" }
          local body = assert(session:request { uri = uri }:await(await.LIMIT)):json()
          return one.datasetName and body[one.datasetName] or body
        end
      end
    end
  end
end

--- A data object whose tables hold what the server has. The server's log is empty then.
-- @param session one of data.session
function data.filled(session, resource, options)
  local all = { name = resource, session = session }
  for name, value in pairs(options or {}) do all[name] = value end
  local jsdo = datasession.JSDO(all)
  local rows = data.read(session, resource)
  jsdo:addRecords(rows, datasession.JSDO.MODE_EMPTY)
  servers[session]:clearRequests()
  return jsdo
end

--- The values that a field has in the records of a table or data object, in a line.
function data.line(object, field)
  local texts = {}
  for record in object:records() do texts[#texts + 1] = tostring(record[field]) end
  return table.concat(texts, " ")
end

--- The record of a table or data object whose field has that value.
function data.find(object, field, value)
  return (assert(object:find(function(r) return r[field] == value end)))
end

--- The row that the server has, or nil.
function data.stored(server, name, key, value)
  for _, row in ipairs(server:rows(name)) do
    if row[key] == value then return row end
  end
end

local serial = 100

--- A number that this gave never before.
function data.fresh()
  serial = serial + 1
  return serial
end

--- The requests in the server's log that change something: { method, body }, the bodies decoded.
function data.sent(server)
  local list = {}
  for _, request in ipairs(server:requests()) do
    if request.method ~= "GET" then
      local body = request.body ~= "" and require("datasession.internal.codec").decode(request.body) or nil
      list[#list + 1] = { method = request.method, path = request.path, body = body, text = request.body }
    end
  end
  return list
end

return data
