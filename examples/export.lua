--- All records of a resource as CSV; the exit code is 0 if every record was written.
--   DATASESSION_PASSWORD=secret lua5.4 examples/export.lua URI CATALOG MODEL USER RESOURCE > records.csv
-- Without arguments: the customers of a server in this process, the sandbox.
local datasession = require "datasession"

local function quote(value)
  local text = value == nil and "" or tostring(value)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

-- An array field has a column for each element. Names that begin with "_" are OpenEdge's own.
local function columnsOf(records)
  local names = {}
  for _, field in ipairs(records:getSchema()) do
    local elements = field.type == "array" and field.maxItems
    for i = 1, field.name:find "^_" and 0 or elements or 1 do
      names[#names + 1] = elements and field.name .. "_" .. i or field.name
    end
  end
  return names
end

local function main(uri, catalog, model, user, resource)
  assert(resource or not uri, "usage: export.lua URI CATALOG MODEL USER RESOURCE")
  local server <close> = not uri and assert(require("datasession.sandbox").start()) or nil
  local session <close> = assert(datasession.getSession { serviceURI = uri or server.uris.form,
    catalogURI = catalog or "static/CustomerService.json", authenticationModel = model or "form", retry = 5,
    username = user or "lua", password = server and "secret" or os.getenv "DATASESSION_PASSWORD" }:await())
  local records = datasession.JSDO { name = resource or "Customer", session = session }
  local columns, cells = columnsOf(records), {}
  assert(io.write(table.concat(columns, ","), "\n"))
  for record in records:records { top = 500, sort = records.resource.tables[1].primaryKey, keep = false } do
    for i, name in ipairs(columns) do cells[i] = quote(record[name]) end
    assert(io.write(table.concat(cells, ","), "\n"))
  end
end

local ok, err = pcall(main, table.unpack(arg))
if not ok then io.stderr:write("export: ", tostring(err), "\n") end
os.exit(ok, true)
