--- The Customer service: what comes in by REST, done to the table, and told in the shape in which
-- it was asked.
local abl = require "datasession.sandbox.abl"
local customers = require "datasession.sandbox.customers"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local ascii = require "datasession.internal.ascii"
local locale = require "datasession.internal.locale"

local DATASET, TABLE = "dsCustomer", "ttCustomer"
local NULL = json.null

local customerservice = {}

local function fail(message, number)
  error({ message = message, number = number or 0 }, 0)
end

-- ---- reading

local function contains(text)
  text = ascii.lower(text)
  return function(record)
    for _, field in ipairs(customers.fields) do
      if field.type == "string" and type(record[field.name]) == "string"
        and ascii.lower(record[field.name]):find(text, 1, true) then
        return true
      end
    end
    return false
  end
end

-- A text that is no comparison is looked for in all character fields.
local function plainTest(text)
  local ok, test, compares = pcall(abl.compile, text, customers.names)
  if ok and compares then return test end
  return contains(text)
end

local function parseOrder(text)
  local keys = {}
  for piece in text:gmatch("[^,]+") do
    local name, direction = piece:match("^%s*([%w_.-]+)%s*(%a*)%s*$")
    local field = name and customers.names[ascii.lower(name:match("[^.]*$"))]
    if not field then fail(("Unknown field or variable name - %s."):format(piece), 201) end
    keys[#keys + 1] = { field = field, descending = ascii.upper(direction):find("^DESC") ~= nil }
  end
  return keys
end

-- Something to compare any two values of one field by; the unknown value comes last.
local function before(a, b)
  if a == NULL or b == NULL then return a ~= NULL and b == NULL end
  if type(a) == "boolean" then return not a and b end
  if type(a) == "string" then return locale.before(ascii.lower(a), ascii.lower(b)) end
  return type(a) == "number" and a < b
end

local function sort(records, order)
  if not order or order == "" then return end
  local keys = parseOrder(order)
  table.sort(records, function(a, b)
    for _, key in ipairs(keys) do
      local x, y = a[key.field], b[key.field]
      if key.descending then x, y = y, x end
      if before(x, y) then return true elseif before(y, x) then return false end
    end
    return a.CustNum < b.CustNum -- a sort that keeps the order of equals
  end)
end

local function select(records, test)
  local selected = {}
  for _, record in ipairs(records) do
    if not test or test(record) then selected[#selected + 1] = record end
  end
  return selected
end

local function page(records, skip, top)
  skip = math.max(math.tointeger(skip) or 0, 0)
  top = math.tointeger(top) or #records
  return table.move(records, skip + 1, math.min(skip + top, #records), 1, {})
end

local function patternTest(filter)
  if filter.sqlQuery then fail("This service takes ablFilter, not sqlQuery.") end
  local text = filter.ablFilter and tostring(filter.ablFilter) or ""
  local test = text ~= "" and abl.compile(text, customers.names)
  if not filter.id then return test end
  return function(record)
    return tostring(record.CustNum) == tostring(filter.id) and (not test or test(record))
  end
end

local function find(site, text)
  local records = site.customers.records
  if not text or text == "" then return records end
  if not text:find("^%s*{") then return select(records, plainTest(text)) end
  local filter, message = json.decode(text)
  if not filter then fail("The filter is not JSON: " .. message) end
  for name, value in pairs(filter) do
    if value == NULL then filter[name] = nil end
  end
  local selected = select(records, patternTest(filter))
  sort(selected, filter.orderBy and tostring(filter.orderBy))
  return page(selected, filter.skip, filter.top)
end

local function dataset(rows)
  return { [DATASET] = { [TABLE] = json.list(rows) } }
end

local function read(site, request)
  return http.json(200, dataset(find(site, request.query.filter)))
end

local function count(site, request)
  return http.json(200, { response = { _retVal = "", numRecs = #find(site, request.query.filter) } })
end

-- ---- changing

local function parseBody(request)
  local body, message = json.decode(request.body)
  if type(body) ~= "table" then fail("The body is not JSON: " .. (message or "no object")) end
  return type(body.request) == "table" and body.request or body
end

-- The rows of a body without before-image, and what puts the rows of the answer into the same shape.
local function unwrap(body)
  if body[DATASET] then return body[DATASET][TABLE] or {}, dataset end
  local function wrap(rows) return { [TABLE] = json.list(rows) } end
  if body[TABLE] then return body[TABLE], wrap end
  if body[1] then return body, wrap end
  return { body }, wrap
end

local function copy(row)
  local result = {}
  for name, value in pairs(row) do result[name] = value end
  return result
end

local function checkRow(row)
  return type(row) == "table" and row or fail("A row is not an object.")
end

-- One change of a dataset with before-image. Errors of a row go into the answer, beside the row.
local function applyRow(site, change, row, answer)
  local ok, record = pcall(site.customers[change], site.customers, row)
  if not ok and type(record) ~= "table" then error(record, 0) end
  local result = copy(ok and record or row)
  for _, name in ipairs { "prods:id", "prods:clientId", "prods:rowState" } do result[name] = row[name] end
  if not ok then
    result["prods:id"] = row["prods:id"] or row["prods:clientId"] or "row" .. #answer.errors + 1
    result["prods:hasErrors"], result["prods:rejected"] = true, true
    table.insert(answer.errors, { ["prods:id"] = result["prods:id"], ["prods:error"] = record.message })
  end
  return result
end

local changes = { created = "create", modified = "update" }

local function applyChanges(site, body)
  local answer = { rows = {}, before = {}, errors = json.list {} }
  for _, row in ipairs((body["prods:before"] or {})[TABLE] or {}) do
    if checkRow(row)["prods:rowState"] == "deleted" then
      table.insert(answer.before, applyRow(site, "delete", row, answer))
    end
  end
  for _, row in ipairs(body[TABLE] or {}) do
    local change = changes[checkRow(row)["prods:rowState"]]
    if change then table.insert(answer.rows, applyRow(site, change, row, answer)) end
  end
  local result = { ["prods:hasChanges"] = true, [TABLE] = json.list(answer.rows) }
  if #answer.before > 0 then result["prods:before"] = { [TABLE] = answer.before } end
  if #answer.errors > 0 then
    result["prods:hasErrors"], result["prods:errors"] = true, { [TABLE] = answer.errors }
  end
  return http.json(200, { [DATASET] = result })
end

local function hasBeforeImage(body)
  return type(body[DATASET]) == "table" and body[DATASET]["prods:hasChanges"] ~= nil
end

-- create, update or delete, with before-image or plain
local function changer(method)
  return function(site, request)
    local body = parseBody(request)
    if hasBeforeImage(body) then return applyChanges(site, body[DATASET]) end
    local rows, wrap = unwrap(body)
    local results = {}
    for i, row in ipairs(rows) do results[i] = site.customers[method](site.customers, checkRow(row)) end
    return http.json(200, wrap(results))
  end
end

local function submit(site, request)
  local body = parseBody(request)
  if hasBeforeImage(body) then return applyChanges(site, body[DATASET]) end
  local rows, wrap = unwrap(body) -- a temp-table has no marks: what is not there is created
  local results = {}
  for i, row in ipairs(rows) do
    local known = site.customers.byNumber[math.tointeger(checkRow(row).CustNum)]
    results[i] = site.customers[known and "update" or "create"](site.customers, row)
  end
  return http.json(200, wrap(results))
end

local function raiseCreditLimit(site, request)
  local input = parseBody(request)
  local record = site.customers:find { CustNum = input.custNum }
  if type(input.amount) ~= "number" then fail("The value of amount is not DECIMAL.", 76) end
  site.customers:update { CustNum = record.CustNum, CreditLimit = record.CreditLimit + input.amount }
  return http.json(200, { response = { _retVal = "", creditLimit = record.CreditLimit } })
end

-- ---- the way in

local operations = { -- below the resource, by method
  [""] = { GET = read, POST = changer "create", PUT = changer "update", DELETE = changer "delete" },
  ["/SubmitCustomer"] = { PUT = submit },
  ["/count"] = { PUT = count, GET = count },
  ["/RaiseCreditLimit"] = { PUT = raiseCreditLimit },
}

local function allowed(methods)
  local names = {}
  for name in pairs(methods) do names[#names + 1] = name end
  table.sort(names, locale.before)
  return table.concat(names, ", ")
end

--- The answer to a request for `path`, below the service's address.
function customerservice.answer(site, request, path)
  local resource, rest = path:match("^/([^/]*)(.*)$")
  local methods = site.resources[resource] and operations[rest]
  if not methods then return http.notFound(request) end
  local operation = methods[request.method == "HEAD" and "GET" or request.method]
  if not operation then return http.methodNotAllowed(request, allowed(methods)) end
  local ok, answer = pcall(operation, site, request)
  if ok then return answer end
  if type(answer) ~= "table" then error(answer, 0) end
  return http.failure(500, answer.message, answer.number)
end

return customerservice
