-- Requests and their answers.

local function loggedIn(model)
  return function(t) return { session = t.loggedIn(model) } end
end

-- libcurl may send a request without its cookie when memory is short, and says nothing: the server then ends
-- the login.
local function renewed(t, c)
  if c.session.state == "expired" then assert(c.session:login("lua", "secret"):await(t.LIMIT)) end
end

local function customers(t)
  return { uri = t.uris.form .. "/rest/CustomerService/Customer", query = { filter = { "" } } }
end

local function reads(response)
  assert(response.status == 200 and response.ok)
  assert(#response.body > 0 and response.headers["content-type"] and response.uri and response.timing.total)
  assert(tostring(response):find "200")
  assert(response:json().dsCustomer.ttCustomer[1].CustNum)
  return response
end

-- A request that fails in a known way resolves with what it failed with.
local function failing(name, kind, fault)
  return {
    name = "request " .. name,
    ways = { "await", "spawn" },
    prepare = function(t)
      t.server:clearFaults()
      return { session = t.loggedIn "form" }
    end,
    call = function(t, c)
      t.server:clearFaults()
      renewed(t, c)
      t.server:fault(fault)
      return c.session:request(customers(t)):next(function() error "it did not fail" end, function(err)
        if err.kind ~= kind then error(err, 0) end
        assert(tostring(err) ~= "")
        return err
      end)
    end,
    check = function(t) t.server:clearFaults() end,
  }
end

return {
  {
    name = "request",
    prepare = loggedIn "form",
    call = function(t, c)
      renewed(t, c)
      return c.session:request(customers(t)):next(reads)
    end,
  },
  {
    name = "request with a body",
    ways = { "await", "spawn" },
    prepare = loggedIn "form",
    call = function(t, c)
      return c.session:request {
        path = "/rest/CustomerService/Customer", method = "PUT",
        headers = { ["X-One"] = "1", ["X-Two"] = "two" },
        json = { dsCustomer = { ttCustomer = { { CustNum = 1, Name = "Lift", Balance = 12.5 } } } },
        timeout = 5,
      }:next(nil, function(err)
        if not err.httpStatus then error(err, 0) end
        return t
      end)
    end,
  },
  {
    name = "request with many header lines",
    ways = { "await", "spawn" },
    prepare = loggedIn "form",
    call = function(t, c)
      local headers = {}
      for i = 1, 40 do headers["X-Line-" .. i] = tostring(i) end
      c.session:setContext { list = { 1 } }
      c.session:setContextProperty("more", { text = "text" })
      return c.session:request {
        uri = t.uris.form .. "/rest/CustomerService/Customer", headers = headers, timeout = 5,
      }:next(reads)
    end,
  },
  {
    name = "request with text",
    ways = { "await" },
    prepare = loggedIn "anonymous",
    call = function(t, c)
      return c.session:request { path = "/nothing", method = "POST",
        body = ("text"):rep(3000) }:next(function()
        error "nothing is there"
      end, function(err)
        if err.httpStatus ~= 404 then error(err, 0) end
        return t
      end)
    end,
  },
  {
    name = "requests at once",
    ways = { "await", "spawn" },
    prepare = loggedIn "basic",
    call = function(t, c)
      return t.datasession.spawn(function()
        local promises = {}
        for i = 1, 5 do promises[i] = c.session:request { uri = t.uris.basic ..
          "/rest/CustomerService/Customer" } end
        for i = 1, 5 do reads(assert(promises[i]:await())) end
        return true
      end)
    end,
  },
  {
    name = "request, a redirect",
    ways = { "await" },
    prepare = function(t)
      t.server:clearFaults()
      return { session = t.loggedIn "anonymous" }
    end,
    call = function(t, c)
      t.server:clearFaults()
      t.server:fault { kind = "redirect", location = t.uris.anonymous .. "/static/home.html" }
      return c.session:request { path = "/from" }
    end,
  },
  failing("cut short", "connect", { kind = "truncate" }),
  failing("reset", "connect", { kind = "reset", count = 0 }),
  failing("refused by status", "http", {
    kind = "status", status = 503, body = "{}", contentType = "application/json",
  }),
  failing("redirected elsewhere", "protocol", { kind = "redirect", location = "http://127.0.0.2:9/x" }),
  failing("no HTTP", "protocol", { kind = "raw", body = "nonsense\r\n\r\n" }),
  {
    name = "cancel",
    prepare = loggedIn "form",
    act = function(t, c)
      renewed(t, c)
      c.flying = c.session:request(customers(t))
      t.datasession.step()
      c.flying:cancel()
      local ok, err = c.flying:await()
      if not ok and err.kind ~= "cancelled" then error(err, 0) end
    end,
    check = function(_, c) assert(not c.flying or c.flying:state() ~= "pending") end,
  },
  {
    name = "await with a limit",
    prepare = loggedIn "anonymous",
    act = function(t, c)
      c.flying = c.session:ping()
      local ok, err = c.flying:await(0)
      assert(ok or err.kind == "timeout")
      ok, err = t.datasession.spawn(function() return c.flying:await(0.001) end):await()
      if not ok and (type(err) ~= "table" or err.kind ~= "timeout") then error(err, 0) end
    end,
    check = function(_, c) assert(not c.flying or c.flying:state() ~= "pending") end,
  },
  {
    name = "the server is gone",
    prepare = function(t)
      local session = t.loggedIn "anonymous"
      session:subscribe("offline", function() end)
      return { session = t.datasession.new { serviceURI = "http://127.0.0.1:9/App", timeout = 1 },
        other = session }
    end,
    act = function(_, c)
      local ok, err = c.session:login():await()
      assert(not ok)
      if err.kind ~= "connect" then error(err, 0) end
    end,
  },
  {
    name = "request, its body to a function",
    ways = { "await", "spawn" },
    prepare = function(t) return { session = t.loggedIn "form" } end,
    call = function(t, c)
      renewed(t, c)
      local size = 0
      local request = customers(t)
      request.saveTo = function(piece)
        t.datasession.nextStep()
        size = size + #piece
      end
      return c.session:request(request):next(function(response)
        assert(response.status == 200 and size > 0)
        return response
      end)
    end,
  },
  {
    name = "request, its body from a function, which is called again after a redirect",
    ways = { "await", "spawn" },
    prepare = loggedIn "form",
    call = function(t, c)
      renewed(t, c)
      local n, told = 0, 0
      return c.session:request({
        path = "moved", bodyLength = 3000, rewind = function() n = 0 end,
        body = function()
          n = n + 1
          t.datasession.nextStep()
          return n <= 3 and ("x"):rep(1000) or nil
        end,
        onProgress = function(sent) told = sent end,
      }):next(function(response)
        assert(response.body == ("x"):rep(3000) and told <= 3000)
        return response
      end)
    end,
  },
  {
    name = "request with a form that holds a file",
    ways = { "await", "spawn" },
    prepare = loggedIn "form",
    call = function(t, c)
      renewed(t, c)
      return c.session:request({
        path = "echo", multipart = { a = "text", file = { path = "LICENSE", contentType = "text/plain" } },
      }):next(function(response)
        assert(response.body:find("Copyright", 1, true))
        return response
      end)
    end,
  },
  {
    name = "request that streams",
    prepare = function(t) return { session = t.loggedIn "form" } end,
    act = function(t, c)
      renewed(t, c)
      local request, size = customers(t), 0
      request.stream = true
      local response <close> = assert(c.session:request(request):await(t.LIMIT))
      for piece in response:chunks() do size = size + #piece end
      assert(size > 0)
    end,
    -- A response that the failure lost ends when it is collected.
    quiet = function()
      collectgarbage()
      collectgarbage()
    end,
  },
}
