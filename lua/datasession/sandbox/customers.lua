--- The Customer table: its fields, its first records, and what may happen to them.
local fail = require "datasession.sandbox.data.fail"
local Table = require "datasession.sandbox.data.table"
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
  return {
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

local function validate(record)
  if record.Name == NULL or not record.Name:find("%S") then fail("A customer has a name.") end
  if record.CreditLimit == NULL or record.CreditLimit < 0 or record.CreditLimit > 100000 then
    fail("The credit limit is between 0 and 100000.")
  end
end

customers.ttCustomer = Table.define {
  name = "ttCustomer", title = "Customer", key = "CustNum", fields = customers.fields, validate = validate,
  rows = function(counts)
    local rows = {}
    for n = 1, counts.customers do rows[n] = firstRecord(n) end
    return rows
  end,
  complete = function(record, table)
    if record.CustNum == 0 or record.CustNum == NULL then record.CustNum = table.next end
  end,
}

return customers
