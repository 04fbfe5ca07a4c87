--- Customers: browsing, editing, saving, and what happens when two people change the same one.
--
--   lua5.4 examples/customers.lua                           against a server in this process (the sandbox)
--   lua5.4 examples/customers.lua URI CATALOG MODEL USER [RESOURCE]
--                                                           shows the first records of yours, and changes
--                                                           nothing; the password comes from the environment
--                                                           variable DATASESSION_PASSWORD

local datasession = require "datasession"

local uri, catalog, model, user, resource = table.unpack(arg or {})
local server

local function say(...)
  print(string.format(...))
end

local function open()
  return assert(datasession.getSession {
    serviceURI = uri, catalogURI = catalog, authenticationModel = model, username = user,
    password = server and "secret" or os.getenv "DATASESSION_PASSWORD",
  }:await())
end

-- ---- Any resource

local function browse(session)
  local records = datasession.JSDO { name = resource, session = session }
  assert(records:fill { top = 10 }:await())
  for record in records:records() do
    local fields = {}
    for name, value in pairs(record) do fields[#fields + 1] = name .. ": " .. tostring(value) end
    say("  %s", table.concat(fields, ", "))
  end
end

-- ---- The sandbox's customers

local function showCustomers(customers)
  say("The customers of Massachusetts with the highest limits, in pages of three.")
  local massachusetts = { field = "State", operator = "eq", value = "MA" }
  local pages = 0
  for page in customers:pages { filter = massachusetts, sort = { "CreditLimit:desc", "Name" }, top = 3 } do
    pages = pages + 1
    for _, customer in ipairs(page) do
      say("  %d. %-22s %8.2f", customer.CustNum, customer.Name, customer.CreditLimit)
    end
    if pages == 2 then break end
  end
end

local function edit(customers)
  say("Raising the limits, adding a customer.")
  customers:foreach(function(customer) customer.CreditLimit = customer.CreditLimit + 500 end)
  customers:add { Name = "Ski Bums", State = "MA", CreditLimit = 2000 }
  local worst = customers:add { Name = "Spendthrift", State = "MA", CreditLimit = 1000000 }
  say("  %d changes; of the last one: %s, state %s", #customers:getChanges(), worst.Name, worst.state)
end

local function save(customers)
  say("Saving, one after the other.")
  local ok, err = customers:saveChanges {
    onProgress = function(done, total) io.write(("\r  %d of %d"):format(done, total)) end,
  }:await()
  print()
  assert(not ok, "the server has accepted everything")
  say("  %s", err.message)
  for _, failure in ipairs(customers:getErrors()) do say("  refused: %s", failure.error) end
end

-- Another session changes a customer that this one has read.
local function change(number, values)
  local session <close> = open()
  local customers = datasession.JSDO { name = "Customer", session = session }
  assert(customers:fill { filter = { field = "CustNum", operator = "eq", value = number } }:await())
  customers:assign(values) -- the working record: the first one
  assert(customers:saveChanges():await())
end

local function disagree(customers)
  local customer = customers:find(function(one) return one.State == "MA" end)
  say("Somebody else changes %s, and so do we.", customer.Name)
  change(customer.CustNum, { CreditLimit = 50000, Contact = "Ann Onym" })
  customer.CreditLimit = 40000
  assert(not customers:saveChanges():await(), "the conflict was not noticed")
  for field, values in pairs(customer.conflict) do
    say("  %s: read %s, sent %s, stored %s", field, values.read, values.sent, values.stored)
  end
  say("Keeping our limit and their contact.")
  customer:merge { CreditLimit = "mine", Contact = "theirs" }
  assert(customers:saveChanges():await())
  say("  %s: limit %.2f, contact %s", customer.Name, customer.CreditLimit, customer.Contact)
end

local function main()
  if uri then
    assert(catalog, "usage: customers.lua URI CATALOG MODEL USER [RESOURCE]")
    resource = resource or "Customer"
  else
    server = assert(require("datasession.sandbox").start())
    uri, catalog, model, user = server.uris.form, "static/CustomerService.json", "form", "lua"
  end
  local session <close> = open()
  if not server then return browse(session) end
  local customers = datasession.JSDO { name = "Customer", session = session }
  showCustomers(customers)
  edit(customers)
  save(customers)
  disagree(customers)
end

local ok, err = pcall(main)
if server then server:close() end
if not ok then
  io.stderr:write("customers: ", tostring(err), "\n")
  os.exit(1, true)
end
say("All went well.")
