--- The Data Service Catalog of the Customer service.
local customers = require "datasession.sandbox.customers"
local fail = require "datasession.sandbox.data.fail"
local operation = require "datasession.sandbox.data.operation"
local service = require "datasession.sandbox.data.service"
local shape = require "datasession.sandbox.data.shape"

local param = operation.param

local catalog = {}

local function raiseCreditLimit(call)
  local input, store = shape.body(call.request), call.database:table("ttCustomer")
  local record = store:find { CustNum = input.custNum }
  if type(input.amount) ~= "number" then
    fail("The value of amount is not DECIMAL.", 76)
  end
  store:update { CustNum = record.CustNum, CreditLimit = record.CreditLimit + input.amount }
  return operation.outputs { creditLimit = record.CreditLimit }
end

local resource = {
  name = "Customer", dataset = "dsCustomer", tables = { customers.ttCustomer }, beforeImage = true,
}
resource.operations = operation.standard(resource)
table.insert(resource.operations, {
  type = "invoke", name = "RaiseCreditLimit", path = "/RaiseCreditLimit", verb = "put",
  run = raiseCreditLimit,
  params = {
    param("custNum", "REQUEST_BODY", "INTEGER"), param("amount", "REQUEST_BODY", "DECIMAL"),
    param("creditLimit", "RESPONSE_BODY", "DECIMAL"),
  },
})

--- The resource that all names of catalog.resourceName stand for.
catalog.resource = resource

--- The name of the n-th resource: Customer, Customer2, Customer3, ...
function catalog.resourceName(n)
  return n == 1 and "Customer" or "Customer" .. n
end

--- The Catalog's text, with `count` resources that differ in name alone.
function catalog.text(count)
  local resources = {}
  for n = 1, count do resources[n] = service.describe(resource, catalog.resourceName(n)) end
  return service.catalog {
    { name = "CustomerService", settings = { { "useRequest", true } }, resources = resources },
  }
end

return catalog
