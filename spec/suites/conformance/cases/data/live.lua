-- Data objects with the sandbox's own service, which answers with before-image as a server does.
local resources = require "resources"
local say = require "say"

local cases = {}
local case = resources.maker(cases)

local FIVE = { filter = { field = "CustNum", operator = "lte", value = 5 } }
local FILL = { "fill", FIVE }
local SECOND = { "find", say.where("CustNum", "=", 2) }

case("browse, edit and save", { "data 8.2", "data 10" }, resources.live "Customer",
  { FILL, SECOND, { "assign", { CreditLimit = 9000 } }, { "saveChanges" }, { "hasChanges" }, FILL,
    { "getData" } })
case("add and save", { "data 8.2", "data 9" }, resources.live "Customer",
  { FILL, { "add", { CustNum = 900, Name = "Ski Bums", State = "MA" } }, { "saveChanges" }, { "getData" },
    { "fill", { filter = { field = "CustNum", operator = "eq", value = 900 } } } })
case("remove and save", { "data 8.2", "data 9" }, resources.live "Customer",
  { FILL, SECOND, { "remove" }, { "saveChanges" }, { "getData" }, FILL, { "getData" } })
case("a save that the service refuses", { "data 9", "data 11" }, resources.live "Customer",
  { FILL, SECOND, { "assign", { CreditLimit = -1 } }, { "saveChanges" }, { "getErrors" }, { "getData" },
    { "hasChanges" } })
case("an add that the service refuses", { "data 9", "data 11" }, resources.live "Customer",
  { FILL, { "add", { CustNum = 901, Name = "" } }, { "saveChanges" }, { "getErrors" }, { "hasChanges" } })
case("submit to the service", { "data 8.3", "data 9" }, resources.live "Customer",
  { FILL, SECOND, { "assign", { Name = "New" } }, { "find", say.where("CustNum", "=", 3) }, { "remove" },
    { "add", { CustNum = 902, Name = "Newer" } }, { "saveChanges", true }, { "hasChanges" }, { "getData" },
    FILL, { "getData" } })
case("submit, one of three refused", { "data 8.3", "data 9", "data 11" }, resources.live "Customer",
  { FILL, SECOND, { "assign", { CreditLimit = -1 } }, { "find", say.where("CustNum", "=", 3) }, { "remove" },
    { "add", { CustNum = 903, Name = "Newest" } }, { "saveChanges", true }, { "getErrors" }, { "hasChanges" },
    { "getData" } })
case("a record that another client changed", { "data 9", "data 19" }, resources.live "Customer",
  { { "JSDO", "Customer", as = "k" }, FILL, { "fill", FIVE, on = "k" }, SECOND,
    { "find", say.where("CustNum", "=", 2), on = "k" }, { "assign", { Name = "theirs" }, on = "k" },
    { "saveChanges", on = "k" }, { "assign", { Name = "mine" } }, { "saveChanges" }, { "getErrors" },
    { "getData" } })
case("a page of the service", { "data 10" }, resources.live "Customer",
  { { "fill", { top = 3, skip = 4, sort = { { field = "Name" } } } }, { "getData" } })
case("a filter that the service refuses", { "data 10", "data 11" }, resources.live "Customer",
  { { "fill", { filter = "Nonsense = 3" } }, { "getErrors" } })
case("operations of the service", { "data 13" }, resources.live "Customer",
  { { "invoke", "RaiseCreditLimit", { custNum = 2, amount = 100 } },
    { "invoke", "RaiseCreditLimit", { custNum = -2, amount = 100 } },
    { "operation", "count", { filter = '{"ablFilter":"CustNum <= 5"}' } } })
case("a service whose AppServer is away", { "data 7.3", "data 11" }, resources.live "Customer",
  { FILL, { "setAppServer", false }, FILL, { "getErrors" }, { "setAppServer", true }, FILL })
case("a save whose session has expired", { "data 8.4", "data 19" }, resources.live "Customer",
  { FILL, SECOND, { "assign", { Name = "New" } }, { "expireSessions" }, { "saveChanges" }, { "getErrors" },
    { "hasChanges" }, { "getData" } }, { model = "form" })
case("ten data objects of one resource", { "data 1" }, resources.live "Customer",
  { { "JSDO", "Customer", as = "k" }, { "JSDO", "Customer", as = "l" }, FILL, { "fill", FIVE, on = "k" },
    { "remove", on = "k" }, { "getData" }, { "getData", on = "l" } })

return cases
