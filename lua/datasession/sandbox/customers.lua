--- The Customer table: its fields, its first records, and what may happen to them.
local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"

local NULL = json.null

local customers = {}

--- The fields, in the order of the schema. `initial`: ABL's INITIAL; `items`: of an array field,
-- `extent` long.
customers.fields = {
  { name = "CustNum", type = "integer", ablType = "INTEGER", initial = 0, title = "Cust Num" },
  { name = "Name", type = "string", ablType = "CHARACTER", initial = "", title = "Name" },
  { name = "Address", type = "string", ablType = "CHARACTER", initial = "", title = "Address" },
  { name = "City", type = "string", ablType = "CHARACTER", initial = "", title = "City" },
  { name = "State", type = "string", ablType = "CHARACTER", initial = "", title = "State" },
  { name = "PostalCode", type = "string", ablType = "CHARACTER", initial = "", title = "Postal Code" },
  { name = "Country", type = "string", ablType = "CHARACTER", initial = "USA", title = "Country" },
  { name = "Contact", type = "string", ablType = "CHARACTER", initial = "", title = "Contact" },
  { name = "Phone", type = "string", ablType = "CHARACTER", initial = "", title = "Phone" },
  { name = "EmailAddress", type = "string", ablType = "CHARACTER", initial = "", title = "Email" },
  { name = "SalesRep", type = "string", ablType = "CHARACTER", initial = "", title = "Sales Rep" },
  { name = "CreditLimit", type = "number", ablType = "DECIMAL", initial = 1500, title = "Credit Limit" },
  { name = "Balance", type = "number", ablType = "DECIMAL", initial = 0, title = "Balance" },
  { name = "Discount", type = "integer", ablType = "INTEGER", initial = 0, title = "Discount" },
  { name = "OrderCount", type = "integer", ablType = "INT64", initial = 0, title = "Orders" },
  { name = "Active", type = "boolean", ablType = "LOGICAL", initial = true, title = "Active" },
  { name = "Since", type = "string", ablType = "DATE", format = "date", initial = NULL, title = "Since" },
  { name = "LastContact", type = "string", ablType = "DATETIME-TZ", format = "date-time", initial = NULL,
    title = "Last Contact" },
  { name = "QuarterSales", type = "array", ablType = "DECIMAL", items = "number", extent = 4, initial = 0,
    title = "Sales" },
  { name = "Comments", type = "string", ablType = "CLOB", initial = "", title = "Comments" },
}

--- Their names by lower-case name.
customers.names = {}
for _, field in ipairs(customers.fields) do customers.names[ascii.lower(field.name)] = field.name end

-- ---- the first records: the same in every sandbox

local FIRST = {
  "Alpine", "Harbour", "Åsa's", "Northern", "Velvet", "Copper", "Blue Ridge", "Señor", "Twin", "Zephyr",
}
local SECOND = { "Lift Tours", "Frisbee", "Hoops", "Go Fishing", "Match Point", "Skate & Surf", "Archers" }
local CITIES = {
  { "Burlington", "MA", "01730", "USA" }, { "Oslo", "", "0150", "Norway" },
  { "Köln", "", "50667", "Germany" }, { "Austin", "TX", "78701", "USA" },
  { "Leeds", "", "LS1 4AP", "United Kingdom" },
}
local PEOPLE = { "Gloria Shepley", "Uri Katz", "Michael Traitser", "Hanna Lindqvist", "José Ortiz" }
local REPS = { "HXM", "DKP", "SLS", "BBB", "JAL", "GPE" }

local function pick(values, n)
  return values[(n - 1) % #values + 1]
end

local function firstRecord(n)
  local city = pick(CITIES, n)
  return json.plain {
    CustNum = n, Name = pick(FIRST, n) .. " " .. pick(SECOND, n),
    Address = n * 3 .. " Main Street",
    City = city[1], State = city[2], PostalCode = city[3], Country = city[4],
    Contact = pick(PEOPLE, n), Phone = ("(555) 010-%04d"):format(n),
    EmailAddress = ("customer%d@example.com"):format(n),
    SalesRep = pick(REPS, n), CreditLimit = 1000 + n % 40 * 250, Balance = n * 37 % 2000 + 0.25,
    Discount = n % 4 * 5, OrderCount = n % 23, Active = n % 7 ~= 0,
    Since = n % 10 == 0 and NULL or ("%04d-%02d-%02d"):format(1990 + n % 30, n % 12 + 1, n % 28 + 1),
    LastContact = ("2024-03-%02dT%02d:30:00.000+00:00"):format(n % 28 + 1, n % 24),
    QuarterSales = { n, n * 2, n * 3.5, 0 }, Comments = n % 5 == 0 and "Pays \"late\" / by cheque" or "",
  }
end

-- ---- the table

local Table = {}
Table.__index = Table

--- A table of `n` customers, numbered from 1.
function customers.new(n)
  local self = setmetatable({ records = {}, byNumber = {}, next = n + 1 }, Table)
  for i = 1, n do
    local record = firstRecord(i)
    self.records[i], self.byNumber[i] = record, record
  end
  return self
end

local function fail(message, number)
  error({ message = message, number = number or 0 }, 0)
end

local function fits(field, value)
  if value == NULL then return true end
  if field.type == "array" then return type(value) == "table" and #value == field.extent end
  if field.type == "integer" then return math.type(value) ~= nil and math.tointeger(value) ~= nil end
  return type(value) == field.type
end

-- The values of a row that are fields', checked; what else a row may hold (ids, marks) is no matter
-- of the table's.
local function assign(record, row)
  for _, field in ipairs(customers.fields) do
    local value = row[field.name]
    if value ~= nil then
      if not fits(field, value) then
        fail(("The value of %s is not %s."):format(field.name, field.ablType), 76)
      end
      record[field.name] = field.type == "integer" and math.tointeger(value) or value
    end
  end
  return record
end

local function validate(record)
  if record.Name == NULL or not record.Name:find("%S") then fail("A customer has a name.") end
  if record.CreditLimit == NULL or record.CreditLimit < 0 or record.CreditLimit > 100000 then
    fail("The credit limit is between 0 and 100000.")
  end
  return record
end

local function default(field)
  if field.type ~= "array" then return field.initial end
  local values = {}
  for i = 1, field.extent do values[i] = field.initial end
  return values
end

--- Adds a row; without a number it gets the next one. Returns the record. This and the next two
-- raise { message, number }.
function Table:create(row)
  local record = json.plain {}
  for _, field in ipairs(customers.fields) do record[field.name] = default(field) end
  validate(assign(record, row))
  if record.CustNum == 0 or record.CustNum == NULL then record.CustNum = self.next end
  if self.byNumber[record.CustNum] then
    fail(("Customer already exists with Cust Num %d."):format(record.CustNum), 132)
  end
  self.next = math.max(self.next, record.CustNum + 1)
  self.records[#self.records + 1] = record
  self.byNumber[record.CustNum] = record
  return record
end

function Table:find(row)
  local number = math.tointeger(row.CustNum)
  return number and self.byNumber[number] or fail("FIND FIRST/LAST failed for table Customer.", 138)
end

--- Changes the record of the row's number. Returns it.
function Table:update(row)
  local record = self:find(row)
  local changed = validate(assign(setmetatable({}, { __index = record }), row))
  for name, value in pairs(changed) do record[name] = value end
  return record
end

--- Removes the record of the row's number. Returns it.
function Table:delete(row)
  local record = self:find(row)
  self.byNumber[record.CustNum] = nil
  for i, other in ipairs(self.records) do
    if other == record then
      table.remove(self.records, i)
      break
    end
  end
  return record
end

return customers
