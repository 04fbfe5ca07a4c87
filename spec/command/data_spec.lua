-- read, invoke, tree: data and catalogs from the command line.
local codec = require "datasession.internal.codec"
local sandbox = require "datasession.sandbox"

local command = dofile "spec/support/command.lua"
local files = dofile "spec/support/files.lua"

describe("the command and data", function()
  local server, home

  setup(function() server = assert(sandbox.start()) end)
  teardown(function() server:close() end)
  before_each(function()
    home = command.home()
    server:clearRequests()
  end)
  after_each(function() command.removeHome(home) end)

  local function read(...)
    return command.output(home, "read", "--service", server.uris.anonymous, "--catalog",
      "static/CustomerService.json", ...)
  end

  describe("reads", function()
    it("as CSV, all records, by pages", function()
      local text = read("Customer", "--csv", "--fields", "CustNum,Name,State", "--sort", "CustNum")
      local _, lines = text:gsub("\r\n", "")
      assert.equal(301, lines)
      assert.matches("^CustNum,Name,State\r\n1,Alpine Lift Tours,MA\r\n2,", text)
    end)

    it("as JSON and lines of JSON, in the catalog's order of fields", function()
      local text = read("Customer", "--json", "--filter", "CustNum < 3")
      assert.equal(2, #codec.decode(text))
      assert.matches('^%[{"CustNum":1,"Name":"Alpine Lift Tours","Address"', text)
      local _, lines = read("Customer", "--jsonl", "--filter", "CustNum < 3"):gsub("\n", "")
      assert.equal(2, lines)
      assert.equal("[]\n", read("Customer", "--json", "--filter", "CustNum < 0"))
    end)

    it("as a table, filtered, sorted, no more than asked for", function()
      local text = read("Customer", "--filter", '{"field":"State","operator":"eq","value":"MA"}', "--sort",
        "CreditLimit:desc", "--top", "2", "--fields", "CustNum,State,CreditLimit")
      assert.matches("^CustNum  State  CreditLimit\n +%d+  MA +%d+\n +%d+  MA +%d+\n$", text)
      local most, next = text:match "MA +(%d+)\n.*MA +(%d+)\n"
      assert.is_true(tonumber(most) >= tonumber(next))
    end)

    it("as a table that fits the terminal, and says how to see whole values", function()
      home.variables.COLUMNS = "80"
      local function shown(...)
        return (command.terminal(home, nil, "read", "--service", server.uris.anonymous, "--catalog",
          "static/CustomerService.json", "Customer", "--top", "1", ...))
      end
      assert.matches("1 record; values are shortened: --fields", shown(), 1, true)
      assert.matches("1 record\r\n", shown("--fields", "CustNum,Name"), 1, true)
    end)

    it("and says which name is wrong", function()
      local function fails(said, ...)
        local result = command.run(home, "read", "--service", server.uris.anonymous, "--catalog",
          "static/CustomerService.json", ...)
        assert.equal(2, result.code, result.errors)
        assert.matches(said, result.errors, 1, true)
        assert.equal("", result.output)
      end
      fails("did you mean 'Customer'", "Custmer")
      fails("did you mean 'Name'", "Customer", "--fields", "Nmae")
      fails("did you mean 'Name'", "Customer", "--sort", "Nmae")
      fails("--filter", "Customer", "--filter", "{not JSON")
    end)

    it("a table of a dataset", function()
      local result = command.run(home, "read", "--service", server.uris.anonymous, "--catalog",
        "static/OrderService.json", "Order", "--table", "ttOrderLine", "--csv",
        "--fields", "OrderNum,LineNum")
      assert.equal(0, result.code, result.errors)
      assert.matches("^OrderNum,LineNum\r\n1,1\r\n", result.output)
      result = command.run(home, "read", "--service", server.uris.anonymous, "--catalog",
        "static/OrderService.json", "Order")
      assert.equal(2, result.code)
      assert.matches("--table: expected one of ttOrder, ttOrderLine", result.errors, 1, true)
    end)
  end)

  describe("invoke", function()
    it("calls operations of OpenEdge", function()
      local text = command.output(home, "invoke", "Customer.RaiseCreditLimit", "custNum=1", "amount=50",
        "--service", server.uris.anonymous, "--catalog", "static/CustomerService.json")
      assert.matches('"creditLimit":1300', text)
      local result = command.run(home, "invoke", "Customer.RaiseCreditLimit", "custnum=1", "--service",
        server.uris.anonymous, "--catalog", "static/CustomerService.json")
      assert.equal(2, result.code)
      assert.matches("did you mean 'custNum'", result.errors)
    end)

    it("calls methods of DataSnap", function()
      local text = command.output(home, "invoke", "TStock.Level", "A/7", "3", "--service",
        server.uris.datasnap, "--protocol", "datasnap")
      assert.equal("[41]\n", text)
      for _, words in ipairs { { "read", "Customer" }, { "tree" } } do
        local result = command.run(home, words[1], words[2] or "--json", "--service", server.uris.datasnap,
          "--protocol", "datasnap")
        assert.equal(2, result.code)
        assert.matches("has no catalogs: datasession invoke", result.errors, 1, true)
      end
    end)
  end)

  describe("tree", function()
    local function tree(...)
      return command.output(home, "tree", server.uris.anonymous .. "/static/OrderService.json", ...)
    end

    it("shows a catalog as a tree and as Markdown", function()
      local text = tree()
      assert.matches("^OrderService http", text)
      assert.matches("\n│   ├── table ttOrder\n", text)
      assert.matches("OrderNum INTEGER (key)", text, 1, true)
      assert.matches("## Order\n", tree "--markdown")
      assert.matches("\n| `OrderNum` | integer | INTEGER | yes |\n", tree "--markdown", 1, true)
    end)

    it("says how to come to a catalog that is not there", function()
      local result = command.run(home, "tree", "none.json")
      assert.equal(2, result.code)
      assert.matches("there is no file 'none.json', and no session 'default'", result.errors, 1, true)
      result = command.run(home, "tree", server.uris.form .. "/static/CustomerService.json")
      assert.matches("log in: datasession login URI, or --service URI", result.errors, 1, true)
    end)

    it("shows it as JSON and OpenAPI, the same each time", function()
      local services = codec.decode(tree "--json")
      assert.equal("Order", services[1].resources[1].name)
      local text = tree "--openapi"
      assert.equal(text, tree "--openapi")
      local document = codec.decode(text)
      assert.equal("3.1.0", document.openapi)
      local path = document.paths["/SportsAnonymous/rest/OrderService/Order"]
      assert.equal("Order.read", path.get.operationId)
      assert.equal("filter", path.get.parameters[1].name)
      assert.is_nil(path.get.requestBody)
      assert.is_table(path.post.requestBody)
      for address, operations in pairs(document.paths) do
        for _, operation in pairs(operations) do
          for _, parameter in ipairs(operation.parameters or {}) do
            assert.is_true(parameter["in"] ~= "path" or parameter.required, address)
          end
        end
      end
      assert.same({ "integer", "null" }, document.components.schemas.ttOrder.properties.OrderNum.type)
    end)

    it("shows it as one HTML file that escapes what the catalog says", function()
      assert.matches('<tr data%-name="ordernum">', tree "--html")
      local path = files.new [[{"version":"1.4","services":[{"name":"<b>S</b>","address":"/s",
        "resources":[{"name":"R","path":"/r","operations":[{"path":"","type":"read","verb":"get"}]}]}]}]]
      local text = command.output(home, "tree", path, "--html")
      os.remove(path)
      assert.matches("&lt;b&gt;S", text)
      assert.matches("<title>&lt;b&gt;S&lt;/b&gt;", text)
      assert.is_nil(text:find("<b>S", 1, true))
    end)
  end)
end)
