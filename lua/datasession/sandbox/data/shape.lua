--- The shapes of bodies: a dataset, a temp-table, an unnamed table; rows nested in rows of their parent.
--
-- Rows are handed over by table name: { ttOrder = { row, ... }, ttOrderLine = { ... } }.
local fail = require "datasession.sandbox.data.fail"
local json = require "datasession.sandbox.json"

local shape = {}

--- The object in a request's body; what a client has put into "request" is taken out.
function shape.body(request)
  local body, message = json.decode(request.body)
  if type(body) ~= "table" then fail("The body is not JSON: " .. (message or "no object")) end
  return type(body.request) == "table" and body.request or body
end

--- True if a body is a dataset with before-image.
function shape.hasBeforeImage(resource, body)
  local dataset = resource.dataset and body[resource.dataset]
  return type(dataset) == "table" and dataset["prods:hasChanges"] ~= nil
end

local function tablesOf(resource, container)
  local rows = {}
  for _, definition in ipairs(resource.tables) do rows[definition.name] = container[definition.name] end
  return rows
end

--- The rows of a body without before-image, by table, and the form of the body: "dataset", "table", "data",
-- "list".
function shape.read(resource, body)
  local first = resource.tables[1].name
  local dataset = resource.dataset and body[resource.dataset]
  if dataset then return tablesOf(resource, dataset), "dataset" end
  if next(tablesOf(resource, body)) then return tablesOf(resource, body), "table" end
  if resource.unnamed and type(body.data) == "table" then return { [first] = body.data }, "data" end
  if body[1] then return { [first] = body }, resource.unnamed and "list" or "table" end
  return { [first] = { body } }, resource.unnamed and "list" or "table"
end

-- The members "table: rows" of those tables that are there.
local function members(resource, rows)
  local list = {}
  for _, definition in ipairs(resource.tables) do
    local found = rows[definition.name]
    if found then list[#list + 1] = { definition.name, json.list(found) } end
  end
  return json.ordered(list)
end

--- The value to send for rows, in a form as shape.read tells it, or "record": the first row alone.
function shape.write(resource, form, rows)
  if form == "dataset" then return { [resource.dataset] = members(resource, rows) } end
  if form == "table" then return members(resource, rows) end
  local list = json.list(rows[resource.tables[1].name])
  if form == "record" then return list[1] or json.list {} end
  return form == "data" and { data = list } or list
end

--- Returns a row; raises if it is no object.
function shape.checkRow(row)
  return type(row) == "table" and row or fail("A row is not an object.")
end

--- A copy of a row.
function shape.copy(row)
  local copy = json.plain {}
  for name, value in pairs(row) do copy[name] = value end
  return copy
end

-- The rows of a table in lists by the value of a field.
local function group(rows, field)
  local groups = {}
  for _, row in ipairs(rows) do
    groups[row[field]] = groups[row[field]] or {}
    table.insert(groups[row[field]], row)
  end
  return groups
end

--- Puts the rows of a dataset's second table into those of its first. Returns what is left.
function shape.nest(resource, rows)
  local parent, child = resource.tables[1], resource.tables[2]
  local groups, nested = group(rows[child.name], child.parent.field), {}
  for i, row in ipairs(rows[parent.name]) do
    nested[i] = setmetatable(shape.copy(row), nil)
    nested[i][child.name] = json.list(groups[row[child.parent.field]] or {})
  end
  return { [parent.name] = nested }
end

return shape
