-- DataSnap: calls and what they carry, batches, the cache, sessions that end.
local datasnap = require "datasession.datasnap"
local storage = require "datasession.store"
local t = ...

local list = t.list()
local session, fresh = t.making { protocol = "datasnap" }, t.making({ protocol = "datasnap" }, true)

list:once("datasnap: login", fresh, function(s) return s:login("lua", "secret") end)
list:once("datasnap: the first call makes the session", fresh, function(s)
  return s:invoke("TStock", "Level", { "A/7", 3 })
end)
list:once("datasnap: invoke", session, function(s)
  local filters = { json = "true" }
  return s:invoke("TEcho", "Echo", { "a", { b = { 1, 2 } }, false, 1.5 },
    { verb = "POST", filters = filters })
end, { "await", "spawn", "handlers" })
list:once("datasnap: streams", session, function(s)
  local n = 0
  local read = function()
    t.datasession.nextStep()
    n = n + 1
    return n <= 2 and "abc" or nil
  end
  local rewind = function() n = 0 end
  local params = { datasnap.stream { path = "LICENSE" }, datasnap.stream { read = read, rewind = rewind } }
  return s:invoke("TEcho", "Echo", params, { verb = "POST" }):next(function(result)
    assert(#result[1][1] > 0 and #result[1][2] == 6)
    return result
  end)
end, { "await", "spawn" })
list:once("datasnap: parameters with nil", session, function(s)
  return s:invoke("TEcho", "Echo", { n = 3, "a", nil, t.datasession.null },
    { hasResult = false, timeout = 5 })
end)
list:once("datasnap: a call that fails", session, function(s)
  return t.refused(s:invoke("TEcho", "Fail", { "no" }), "http")
end)
list:once("datasnap: ping", session, function(s) return s:ping() end)
list:once("datasnap: isAuthorized", session, function(s) return s:isAuthorized() end)
list:once("datasnap: closeSession", session, function(s) return s:closeSession() end)
list:once("datasnap: logout", session, function(s) return s:logout() end)
list:once("datasnap: stop", session, function(s) return s:stop(5) end)
list:once("datasnap: batch", session, function(s)
  return s:batch { { class = "TStock", method = "Level", params = { "A/7", 3 } } }
end)
list:once("datasnap: a batch that makes the session", fresh, function(s)
  return s:batch { { class = "TEcho", method = "Fail", params = { "no" } } }
end)
list:once("datasnap: cache", session, function(s) return s:cache() end)
list:once("datasnap: results that stay at the server", session, function(s)
  return t.datasession.spawn(function()
    local result, code, info = s:invoke("TEcho", "Table", { 2 }, { accept = "application/rest" }):await()
    if not result then error(code, 0) end
    assert(s:cache(result[2]):await())
    return assert(s:cache(result[2], { accept = "application/octet-stream" }):await())
      and assert(s:cache(info.cacheId, { verb = "DELETE" }):await())
  end)
end)
list:once("datasnap: proxy", session, function(s) return datasnap.proxy(s, "TStock"):Level("A/7", 3) end)
list:act("datasnap: addresses", session, function(s)
  assert(s:getMethodURL("TStock", "Level", { "A/7", 3 }))
  assert(s:getCacheURL("1/0") and s:getURLPrefix() and s:getSessionID() and s.sessionId)
end)

-- ---- callback channels

local function echo(value) return value end

-- Opens a channel, is sent two messages, and is closed.
local function talk(s, c)
  local channel = s:channel { serverChannel = "torture", answerTimeout = 1 }
  c.channels[#c.channels + 1] = channel
  channel:subscribe("interrupted", function() end)
  channel:callback("one", echo, "other"):callback("two", echo)
  assert(channel:register():await(t.LIMIT))
  assert(channel:broadcast("heard", "other"):await(t.LIMIT))
  assert(channel:broadcastObject({ 1 }, "other"):await(t.LIMIT))
  local sender = c.sender:channel { serverChannel = "torture" }
  local answer, err = sender:notify(channel.id, "two", { 1 }, { timeout = t.TIMEOUT }):await(t.LIMIT)
  if err then error(err, 0) end
  assert(answer[1] == 1)
  answer, err = sender:notifyObject(channel.id, "two", { 1 }, { timeout = t.TIMEOUT }):await(t.LIMIT)
  if err then error(err, 0) end
  assert(answer ~= nil)
  assert(channel:unregister "two":await(t.LIMIT) and channel:close():await(t.LIMIT))
end

-- One that is forgotten amid a message.
local function forget(s, c)
  local channel = s:channel { serverChannel = "torture" }
  channel:callback("one", function() return channel end)
  assert(channel:register():await(t.LIMIT))
  assert(c.sender:channel({ serverChannel = "torture" }):broadcast(1):await(t.LIMIT))
end

-- Connections break: it goes on.
local function endure(s, c)
  local channel = s:channel { serverChannel = "torture" }
  c.channels[#c.channels + 1] = channel
  local told = 0
  channel:subscribe("interrupted", function() told = told + 1 end)
  channel:callback("one", echo)
  assert(channel:register():await(t.LIMIT))
  t.datasession.sleep(0.02)
  t.server:resetChannels()
  local ends = os.time() + t.LIMIT
  while told == 0 and channel.state == "open" and os.time() < ends do t.datasession.step(0.01) end
  assert(channel.state == "open", "it has ended")
  assert(channel:close():await(t.LIMIT))
end

local function leave(_, c)
  for _, channel in ipairs(c.channels) do
    if channel.state ~= "closed" then channel:close():await(t.LIMIT) end
  end
  c.channels = {}
  collectgarbage()
  collectgarbage()
end

for name, work in pairs { ["is talked to"] = talk, ["is forgotten"] = forget, ["endures"] = endure } do
  list:add {
    name = "datasnap: a channel " .. name, untimed = true,
    prepare = function() return { session = session(), sender = session(), channels = {} } end,
    act = function(_, c) work(c.session, c) end,
    again = function(_, c)
      c.session, c.sender = session(), session()
      work(c.session, c)
    end,
    quiet = leave,
  }
end

-- ---- sessions that the server has ended

list:once("datasnap: a call after the session's end", function()
  local s = session()
  s:subscribe("expired", function() end)
  t.server:expireSessions "datasnap"
  return s
end, function(s) return t.refused(s:invoke("TStock", "Level", { "A/7", 3 }), "expired") end)
list:once("datasnap: a session that is begun again", function()
  local s = t.making { protocol = "datasnap", reconnect = { delay = 0.01 } }()
  t.server:expireSessions "datasnap"
  return s
end, function(s) return s:invoke("TStock", "Level", { "A/7", 3 }) end)

-- ---- stored

local function stored(store)
  return t.datasession.new {
    protocol = "datasnap", serviceURI = t.uris.datasnap, sessionCookiePrefix = "torture_", store = store,
    timeout = t.TIMEOUT,
  }
end

-- One that was half made has the name until it is collected.
local function freeName()
  collectgarbage()
  for _, s in ipairs(t.datasession.sessions()) do
    if s.name == "torture_dssessionid" then
      assert(s:disconnect():await(t.LIMIT) and s:invalidate():await(t.LIMIT))
    end
  end
  t.settle()
end

list:add {
  name = "datasnap: kept and restored",
  prepare = function()
    freeName()
    return { store = storage.memory() }
  end,
  act = function(_, c)
    c.session = stored(c.store)
    assert(c.session:ping():await())
    t.datasession.run(t.LIMIT)
    local text = assert(c.store:get "torture_dssessionid", "nothing was kept")
    c.session:disconnect()
    c.session:invalidate()
    t.datasession.run(t.LIMIT)
    c.store:set("torture_dssessionid", text)
    c.session = stored(c.store)
    assert(c.session.state == "restored" and c.session:isAuthorized():await())
  end,
  again = function(_, c)
    c.session = nil
    freeName()
    local s = stored(storage.memory())
    assert(s:ping():await(t.LIMIT))
    freeName()
  end,
}

list:add {
  name = "datasnap: initSessionData",
  prepare = function()
    freeName()
    local s = t.making { protocol = "datasnap" }()
    assert(s:login("lua", "secret"):await(t.LIMIT))
    return { store = storage.memory(), session = s }
  end,
  act = function(_, c)
    local s = c.session
    s:initSessionData(true, "torture_", c.store)
    assert(s:ping():await())
    t.datasession.run(t.LIMIT)
    local id = assert(s.sessionId)
    s:initSessionData(false)
    assert(s.name == nil and s.sessionId == nil)
    s:initSessionData(true, "torture_", c.store)
    assert(s.sessionId == id and s.userName == "lua")
    assert(datasnap.proxy(s, "TStock").executor:getURLPrefix())
    assert(s:ping():await())
  end,
  again = function(_, c)
    c.session:initSessionData(false)
    assert(c.session:ping():await(t.LIMIT))
    c.session = nil
    freeName()
  end,
}

return list
