-- Making data objects: options, the session that is found, constants, session.JSDOs, lifetime.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"
local data = dofile "spec/support/data.lua"
local files = dofile "spec/support/files.lua"
local raised = dofile "spec/support/raised.lua"
local sessions = dofile "spec/support/sessions.lua"

local JSDO = datasession.JSDO

describe("datasession.JSDO", function()
  local server

  setup(function() server = assert(sandbox.start {}) end)
  teardown(function() server:close() end)
  before_each(function() sessions.refresh(server) end)
  after_each(sessions.endAll)

  it("is a function that has the constants, as the module has", function()
    assert.equal(datasession.JSDO, datasession.data.JSDO)
    for _, place in ipairs { JSDO, datasession.data } do
      assert.same({ 1, 2, 3, 4 },
        { place.MODE_APPEND, place.MODE_EMPTY, place.MODE_MERGE, place.MODE_REPLACE })
      assert.same({ -1, -2, -3, -4 }, { place.ERROR, place.APP_ERROR, place.RETVAL, place.DATA_ERROR })
      assert.same({ 1, 2, 3, 4, 5 }, { place._OP_CREATE, place._OP_READ, place._OP_UPDATE, place._OP_DELETE,
        place._OP_SUBMIT })
      assert.same({ 1, 2, "_" }, { place.ALL_DATA, place.CHANGES_ONLY, place.ARRAY_INDEX_SEPARATOR })
    end
    assert.equal("unknown JSDO constant 'MODE_EMTY': did you mean 'MODE_EMPTY'?",
      raised(function() return JSDO.MODE_EMTY end))
  end)

  it("finds the only session whose catalog has the resource", function()
    assert.equal("JSDO: no session has a catalog: log in and call addCatalog first",
      raised(function() JSDO "Customer" end))
    local session = data.session(server)
    local other = sessions.loggedIn(server)
    assert(other:addCatalog(server:catalogURI("anonymous", "CustomerService")):await(await.LIMIT))
    local third = sessions.loggedIn(server)
    assert.equal(third, datasession.activeSession())
    assert.equal(session, JSDO("Order").session)
    assert.equal("JSDO: unknown resource 'Custmer': did you mean 'Customer'?",
      raised(function() JSDO "Custmer" end))
    assert.equal("JSDO: 2 sessions have a resource 'Customer': say which one, as JSDO { name = 'Customer', "
      .. "session = session }", raised(function() JSDO "Customer" end))
    assert.equal(other, JSDO { name = "Customer", session = other }.session)
    assert.equal("JSDO: unknown resource 'Orders': expected one of 'Customer'",
      raised(function() JSDO { name = "Orders", session = other } end))
    datasession.setActiveSession(other)
    assert.equal(other, JSDO("Customer").session)
    assert.equal(session, JSDO("Order").session)
    other:invalidate():await(await.LIMIT)
    assert.equal(session, JSDO("Customer").session)
    assert.equal("JSDO: the session was invalidated: create a new one",
      raised(function() JSDO { name = "Customer", session = other } end))
  end)

  it("refuses sessions that have no catalog, or cannot have one", function()
    local session = sessions.loggedIn(server)
    assert.equal("JSDO: the session has no catalog yet: call addCatalog first",
      raised(function() JSDO { name = "Customer", session = session } end))
    for protocol, model in pairs { datasnap = "DataSnap", btt = "BTT" } do
      local foreign = datasession.new { protocol = protocol,
        serviceURI = server.uris[protocol] or server.uris.anonymous }
      assert.equal(("JSDO: a session of protocol %s has no catalogs: data objects need one of protocol jsdo")
        :format(protocol), raised(function() JSDO { name = "Customer", session = foreign } end), model)
    end
    assert.equal("JSDO: option 'session': expected a session, got string",
      raised(function() JSDO { name = "Customer", session = "x" } end))
    local pending = sessions.loggedIn(server):ping()
    assert.equal("JSDO: option 'session': expected a session, got a promise: did you forget :await()?",
      raised(function() JSDO { name = "Customer", session = pending } end))
    pending:await(await.LIMIT)
  end)

  it("refuses a catalog that no session has, and what is no catalog", function()
    local session = data.session(server)
    assert.equal("JSDO: option 'catalog': the session has not loaded that catalog",
      raised(function() JSDO { name = "Customer", session = session, catalog = "x" } end))
    assert.equal("JSDO: option 'catalog': no session has loaded that catalog",
      raised(function() JSDO { name = "Customer", catalog = "x" } end))
    assert.equal("JSDO: unknown resource 'Custmer': did you mean 'Customer'?",
      raised(function() JSDO { name = "Custmer", session = session, catalog = session.catalogs[1] } end))
    local empty = files.new [[{ "services": [] }]]
    assert(session:addCatalog(empty):await(await.LIMIT))
    os.remove(empty)
    assert.matches("JSDO: unknown resource 'Customer'",
      raised(function() JSDO { name = "Customer", session = session, catalog = empty } end))
    assert.equal("JSDO: option 'catalog': expected a catalog of the session or its URI, got number",
      raised(function() JSDO { name = "Customer", session = session, catalog = 1 } end))
  end)

  it("refuses other arguments, with the nearest name", function()
    local session = data.session(server)
    assert.equal("JSDO: expected the name of a resource or a table of options, got nil",
      raised(function() JSDO() end))
    assert.equal("JSDO: expected the name of a resource or a table of options, got the module: "
      .. "call it with '.' instead of ':'", raised(function() datasession:JSDO "Customer" end))
    assert.equal("JSDO: option 'name': expected the name of a resource, got nil",
      raised(function() JSDO {} end))
    assert.equal("JSDO: unknown option 'autofill': did you mean 'autoFill'?",
      raised(function() JSDO { name = "Customer", session = session, autofill = true } end))
    assert.equal("JSDO: option 'autoFill': expected a boolean, got number",
      raised(function() JSDO { name = "Customer", session = session, autoFill = 1 } end))
    assert.equal("caseSensitive: expected a boolean, got string",
      raised(function() JSDO { name = "Customer", session = session, caseSensitive = "yes" } end))
  end)

  it("takes the properties of the object, which work", function()
    local session = data.session(server)
    local customers = JSDO { name = "Customer", session = session, autoApplyChanges = false,
      useRelationships = false, autoSort = false, caseSensitive = true, viewTables = "ttCustomer" }
    assert.equal("Customer", customers.name)
    assert.equal(session, customers.session)
    assert.is_false(customers.autoApplyChanges)
    assert.is_false(customers.useRelationships)
    assert.is_false(customers.ttCustomer.autoSort)
    assert.is_true(customers.ttCustomer.caseSensitive)
    assert.equal("ttCustomer", customers.viewTables)
    customers:addRecords({ { Name = "b" }, { Name = "a" }, { Name = "B" } }, JSDO.MODE_EMPTY)
    customers:setSortFields { "Name" }
    assert.equal("b", customers:getData()[1].Name)
    customers.autoSort = true
    assert.equal("B", customers:getData()[1].Name)
    local plain = JSDO { name = "Customer", session = session }
    assert.is_true(plain.autoApplyChanges and plain.useRelationships and plain.autoSort)
    assert.is_false(plain.caseSensitive)
    assert.is_true(plain.hasCUDOperations)
    assert.is_true(plain.hasSubmitOperation)
    assert.is_false(JSDO { name = "Archive", session = session }.hasCUDOperations)
    for _, name in ipairs { "name", "session", "record", "add", "hasCUDOperations" } do
      assert.equal(name .. " is read-only", raised(function() plain[name] = 1 end))
    end
    assert.equal("JSDO Customer (ttCustomer: 3)", tostring(customers))
    local tables = {}
    for name, t in pairs(JSDO { name = "Order", session = session }) do tables[name] = t.name end
    assert.same({ ttOrder = "ttOrder", ttOrderLine = "ttOrderLine" }, tables)
  end)

  it("fills itself with autoFill, and hands out the promise", function()
    local session = data.session(server)
    local customers, filling = JSDO { name = "Customer", session = session, autoFill = true }
    assert.equal(customers, filling:await(await.LIMIT))
    assert.is_true(customers:hasData())
    local other = JSDO { name = "Customer", session = session, autoFill = false }
    assert.is_false(other:hasData())
    server:fault { kind = "status", status = 500, path = "/Customer", count = 1 }
    local empty, refused = JSDO { name = "Customer", session = session, autoFill = true }
    await.rejected(refused)
    assert.is_false(empty:hasData())
  end)

  it("works while the session is logged out", function()
    local session = data.session(server)
    assert(session:logout():await(await.LIMIT))
    local customers = JSDO { name = "Customer", session = session }
    assert.equal("created", customers:add({ Name = "x" }).state)
  end)

  it("keeps the data of each object apart", function()
    local session, other = data.session(server), data.session(server)
    local a, b = JSDO { name = "Customer", session = session }, JSDO { name = "Customer", session = session }
    local c = JSDO { name = "Customer", session = other }
    a:add { Name = "x" }
    assert.equal(1, #a)
    assert.equal(0, #b + #c)
    assert.is_false(b:hasChanges())
  end)

  it("is listed by session.JSDOs, which keeps nothing alive", function()
    local session = data.session(server)
    assert.same({}, session.JSDOs)
    local a, b = JSDO { name = "Customer", session = session }, JSDO { name = "Order", session = session }
    assert.equal(2, #session.JSDOs)
    assert.equal(a, session.JSDOs[1])
    assert.equal(b, session.JSDOs[2])
    b = nil
    collectgarbage()
    collectgarbage()
    assert.equal(1, #session.JSDOs)
    assert.is_nil(b)
  end)

  it("keeps its session, and neither outlives the program's use of them", function()
    local weak = setmetatable({}, { __mode = "v" })
    local customers = JSDO { name = "Customer", session = data.session(server) }
    weak.session = customers.session
    collectgarbage()
    collectgarbage()
    assert.not_nil(weak.session)
    weak.customers = customers
    customers = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak.customers)
    assert.is_nil(customers)
    assert.is_nil(weak.session)
  end)

  it("is loaded when it is first asked for", function()
    local result = child.run [[
      local datasession = require "datasession"
      local session = datasession.new { serviceURI = "http://127.0.0.1:1/App" }
      assert(#session.JSDOs == 0)
      assert(not package.loaded["datasession.internal.data.jsdo"])
      assert(datasession.data == require "datasession.data")
      print(package.loaded["datasession.internal.data.jsdo"] ~= nil)
    ]]
    assert.equal("true\n", result.output)
  end)
end)
