--- All records of a resource as CSV on standard output.
--
--   lua5.4 examples/export.lua > customers.csv              from a server in this process (the sandbox)
--   lua5.4 examples/export.lua URI CATALOG MODEL USER RESOURCE > records.csv
--                                                           from yours; the password comes from the
--                                                           environment variable DATASESSION_PASSWORD
--
-- Its exit code is 0 when every record was written.

local datasession = require "datasession"

local uri, catalog, model, user, resource = table.unpack(arg)

local function quote(value)
  local text = value == nil and "" or tostring(value)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

-- Writes valueOf(column) for each column.
local function writeLine(columns, valueOf)
  local cells = {}
  for i, column in ipairs(columns) do cells[i] = quote(valueOf(column)) end
  assert(io.write(table.concat(cells, ","), "\n"))
end

-- One name for each column: an array field has a column for each element. Names that begin with "_" are
-- OpenEdge's own.
local function columnsOf(records)
  local names = {}
  for _, field in ipairs(records:getSchema()) do
    local name, elements = field.name, field.type == "array" and field.maxItems or nil
    for i = 1, elements or 1 do
      if name:sub(1, 1) ~= "_" then names[#names + 1] = elements and name .. "_" .. i or name end
    end
  end
  return names
end

local function export(session)
  local records = datasession.JSDO { name = resource, session = session }
  local columns = columnsOf(records)
  local key = records.resource.tables[1].primaryKey -- the pages need an order
  writeLine(columns, function(name) return name end)
  for record in records:records { top = 500, sort = key, keep = false } do -- one page in memory at a time
    writeLine(columns, function(name) return record[name] end)
  end
end

local function main(server)
  local password = os.getenv "DATASESSION_PASSWORD"
  if server then
    uri, catalog, model = server.uris.form, "static/CustomerService.json", "form"
    user, password, resource = "lua", "secret", "Customer"
  end
  assert(resource, "usage: export.lua URI CATALOG MODEL USER RESOURCE")
  local session <close> = assert(datasession.getSession {
    serviceURI = uri, catalogURI = catalog, authenticationModel = model, username = user, password = password,
  }:await())
  export(session)
end

local server = not uri and assert(require("datasession.sandbox").start()) or nil
local ok, err = pcall(main, server)
if server then server:close() end
if not ok then io.stderr:write("export: ", tostring(err), "\n") end
os.exit(ok, true)
