-- The callback channels of the sandbox's DataSnap server, over real sockets: exact bodies.
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local ADMIN = "/datasnap/rest/DSAdmin/"
local CREATED = '{"result":[{"invoke":["cb1",{"created":true},1]}]}'
local CLOSED = '{"result":[{"close":true}]}'
local TRUE, FALSE = '{"result":[true]}', '{"result":[false]}'
local NOBODY = '{"result":[null,false]}'

describe("a callback channel of the sandbox", function()
  local server, id, open

  before_each(function()
    server, open = assert(sandbox.start()), {}
    id = client.get(server, ADMIN .. "GetPlatformName/").headers.pragma:match "^dssession=([^,]+)"
  end)
  after_each(function()
    for _, connection in ipairs(open) do connection:close() end
    server:close()
  end)

  -- Sends a request in the session, and returns a function that waits for the body of the response.
  local function begin(method, path, body)
    local connection = client.connect(server)
    open[#open + 1] = connection
    client.send(connection, method, ADMIN .. path, { body = body, headers = { Pragma = "dssession=" .. id } })
    return function()
      local response, failure = client.receive(connection, method)
      return response and response.body or failure
    end
  end

  local function call(method, path, body) return begin(method, path, body)() end

  -- A request that waits in the server.
  local function wait(path, body)
    local n = #server:requests()
    local receive = begin("POST", path, body)
    assert(server:awaitRequests(n + 1))
    return receive
  end

  local function connect(channel, names)
    return call("GET", ("ConsumeClientChannel/chat/%s/cb1/%s/tok//"):format(channel or "one", names or ""))
  end

  it("is opened, and hands over what is broadcast, in order", function()
    assert.equal(CREATED, connect())
    local first = wait "ConsumeClientChannel//one///tok/true/"
    assert.equal(TRUE, call("POST", "%22BroadcastToChannel%22/chat/text%2F1/"))
    assert.equal('{"result":[{"broadcast":["text/1",1]}]}', first())
    assert.equal(TRUE, call("POST", "%22BroadcastToChannel%22/CHAT/", '{"a":1}'))
    assert.equal(TRUE, call("POST", "%22BroadcastObjectToChannel%22/chat/2/"))
    assert.equal('{"result":[{"broadcast":[{"a":1},1]}]}',
      call("POST", "ConsumeClientChannel//ONE///tok/true/"))
    assert.equal('{"result":[{"broadcast":[2,2]}]}', call("POST", "ConsumeClientChannel//one///tok/true/"))
  end)

  it("hears the channels that its callbacks name", function()
    assert.equal(CREATED, connect("one", "other%2C%22a%20b%22%22c%22%20last"))
    for _, name in ipairs { "other", 'a b"c', "last" } do
      call("POST", "%22BroadcastToChannel%22/" .. client.percent(name) .. "/1/")
      assert.equal(('{"result":[{"broadcast":[1,1],"channel":"%s"}]}'):format(name:gsub('"', '\\"')),
        call("POST", "ConsumeClientChannel//one///tok/true/"))
    end
    call("POST", "%22BroadcastToChannel%22/a/1/")
    call("POST", "%22BroadcastToChannel%22/last/2/")
    assert.matches('[2,1],"channel":"last"', call("POST", "ConsumeClientChannel//one///tok/true/"), 1, true)
  end)

  it("passes a notification on and its answer back", function()
    connect()
    local waiting = wait "ConsumeClientChannel//one///tok/true/"
    local notified = wait("%22NotifyCallback%22/one/CB1/", "[1]")
    assert.equal('{"result":[{"invoke":["cb1",[1],1]}]}', waiting())
    wait("ConsumeClientChannel//one///tok/", '{"answer":42}')
    assert.equal('{"result":[{"answer":42},true]}', notified())
    assert.equal(NOBODY, call("POST", "%22NotifyCallback%22/one/none/1/"))
    assert.equal(NOBODY, call("POST", "%22NotifyObject%22/none/cb1/1/"))
  end)

  it("tells the sender when the channel is closed before it has answered", function()
    connect()
    local notified = wait "%22NotifyObject%22/one/cb1/1/"
    assert.equal(TRUE, call("GET", "CloseClientChannel/one/tok/"))
    assert.equal(NOBODY, notified())
  end)

  it("registers and unregisters callbacks, for the token alone; the last one closes it", function()
    connect()
    local waiting = wait "ConsumeClientChannel//one///tok/true/"
    assert.equal(FALSE, call("GET", "RegisterClientCallbackServer/one/cb2//wrong/"))
    assert.equal(FALSE, call("GET", "RegisterClientCallbackServer/none/cb2//tok/"))
    assert.equal(TRUE, call("GET", "RegisterClientCallbackServer/one/cb2/other%2Cthird/tok/"))
    assert.equal(FALSE, call("GET", "RegisterClientCallbackServer/one/CB2//tok/"))
    assert.equal(FALSE, call("GET", "UnregisterClientCallback/one/cb3/tok/"))
    assert.equal(FALSE, call("GET", "UnregisterClientCallback/one/cb2/wrong/"))
    assert.equal(TRUE, call("GET", "UnregisterClientCallback/one/cb2/tok/"))
    assert.equal(TRUE, call("GET", "UnregisterClientCallback/one/cb1/tok/"))
    assert.equal(CLOSED, waiting())
    assert.equal('{"result":[{"error":":one"}]}', call("POST", "ConsumeClientChannel//one///tok/true/"))
  end)

  it("has an id that nobody else may open while it lives", function()
    connect()
    assert.equal('{"result":[{"error":"chat:ONE:cb1"}]}', connect "ONE")
    assert.equal(FALSE, call("GET", "CloseClientChannel/one/wrong/"))
    assert.equal(TRUE, call("GET", "CloseClientChannel/one/tok/"))
    assert.equal(FALSE, call("GET", "CloseClientChannel/one/tok/"))
    assert.equal(CREATED, connect "ONE")
  end)

  it("has one request that waits: a newer one takes its place", function()
    connect()
    local older = wait "ConsumeClientChannel//one///tok/true/"
    local newer = wait "ConsumeClientChannel//one///tok/false/"
    assert.equal('{"result":[{"error":"tunnel_replaced"}]}', older())
    call("POST", "%22BroadcastToChannel%22/chat/1/")
    assert.matches("broadcast", newer(), 1, true)
  end)

  it("refuses what its queue has no room for", function()
    server:setDataSnap { channelQueueSize = 1 }
    assert.equal(FALSE, call("POST", "%22BroadcastToChannel%22/chat/1/"))
    connect()
    assert.equal(TRUE, call("POST", "%22BroadcastToChannel%22/nobody/1/"))
    assert.equal(TRUE, call("POST", "%22BroadcastToChannel%22/chat/1/"))
    assert.equal(FALSE, call("POST", "%22BroadcastToChannel%22/chat/2/"))
    assert.equal(NOBODY, call("POST", "%22NotifyCallback%22/one/cb1/2/"))
  end)

  it("is closed when its client is not back in time", function()
    connect()
    server:advanceClock(29)
    local waiting = wait "ConsumeClientChannel//one///tok/true/"
    server:advanceClock(100)
    call("POST", "%22BroadcastToChannel%22/chat/1/")
    waiting()
    local notified = wait "%22NotifyCallback%22/one/cb1/2/"
    server:advanceClock(31)
    assert.equal(NOBODY, notified())
    assert.equal('{"result":[{"error":":one"}]}', call("POST", "ConsumeClientChannel//one///tok/true/"))
    server:setDataSnap { channelResponseTimeout = 5000 }
    connect()
    server:advanceClock(6)
    assert.equal(FALSE, call("POST", "%22BroadcastToChannel%22/chat/1/"))
  end)

  it("waits for so long by the form with a timeout, and is closed then", function()
    connect()
    assert.equal('{"result":[{"timeout":true}]}',
      call("POST", "ConsumeClientChannelTimeout//one///tok/0/true/"))
    assert.equal('{"result":[{"error":":one"}]}',
      call("POST", "ConsumeClientChannelTimeout//one///tok/1/true/"))
    assert.matches("is not a number", call("POST", "ConsumeClientChannelTimeout//one///tok/x/true/"))
  end)

  it("ends with the session that opened it", function()
    local ends = {
      function()
        client.get(server, "/datasnap/rest/CloseSession/", { Pragma = "dssession=" .. id })
      end,
      function() server:expireSessions "datasnap" end,
      function() server:advanceClock(2000) end,
    }
    for i, finish in ipairs(ends) do
      id = client.get(server, ADMIN .. "GetPlatformName/").headers.pragma:match "^dssession=([^,]+)"
      connect("channel" .. i)
      local waiting = wait(("ConsumeClientChannel//channel%d///tok/true/"):format(i))
      finish()
      assert.equal(CLOSED, waiting())
    end
  end)

  it("survives a reset of its connection, and a restart of the server", function()
    connect()
    local waiting = wait "ConsumeClientChannel//one///tok/true/"
    server:resetChannels()
    assert.equal("closed", waiting())
    waiting = wait "ConsumeClientChannel//one///tok/false/"
    server:restart()
    assert.equal("closed", waiting())
    call("POST", "%22BroadcastToChannel%22/chat/1/")
    assert.matches("broadcast", call("POST", "ConsumeClientChannel//one///tok/false/"), 1, true)
  end)

  it("logs the request that waits when it comes, and its status when it is answered", function()
    connect()
    local waiting = wait "ConsumeClientChannel//one///tok/true/"
    assert.is_nil(server:requests()[3].status)
    call("GET", "CloseClientChannel/one/tok/")
    waiting()
    assert.equal(200, server:requests()[3].status)
    connect()
    waiting = wait "ConsumeClientChannel//one///tok/true/"
    server:resetChannels()
    waiting()
    assert.is_nil(server:requests()[6].status)
  end)

  it("is refused by the slim server, which has no cache either", function()
    server:setDataSnap { slim = true }
    assert.equal('{"error":"This server has no callback channels"}', connect())
    assert.matches("no callback channels", call("GET", "CloseClientChannel/one/tok/"))
    assert.equal(501, client.get(server, "/datasnap/cache/").status)
  end)

  it("does not wait in a batch", function()
    connect()
    local wanted = '[{"execute":{"DSAdmin.ConsumeClientChannel":["","one","","","tok",true]}}]'
    local response = client.request(server, "POST", "/datasnap/json/",
      { body = wanted, headers = { Pragma = "dssession=" .. id } })
    assert.equal('[{"error":"DSAdmin.ConsumeClientChannel waits: not in a batch"}]', response.body)
  end)
end)
