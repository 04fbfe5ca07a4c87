--- Requests of DataSnap's sessions.
local common = ...
local LIMIT, message, caller = common.LIMIT, common.message, common.caller

local JSON, BYTES = "Content-Type: application/json\r\n", "Content-Type: application/octet-stream\r\n"
local PRAGMA = "Pragma: dssession=48213.990017.5,dssessionexpires=1200000\r\n"
local REST = "/Delphi/datasnap/rest"
local PLATFORM, LEVEL = "GET " .. REST .. "/DSAdmin/GetPlatformName/",
  "GET " .. REST .. "/TStock/Level/A%2F7/3/"
local ORDER, PICTURE = "POST " .. REST .. "/TStock/Order/web/", "GET " .. REST .. "/TStock/Picture/7/"
local CLOSE = "GET " .. REST .. "/CloseSession/"
local CACHE, BATCH = "GET /Delphi/datasnap/cache/1/0/1", "POST /Delphi/datasnap/json/"
local FORGET = "DELETE /Delphi/datasnap/cache/1"
local ADMIN = REST .. "/DSAdmin/"
local OPEN = "GET " .. ADMIN .. "ConsumeClientChannel/chat/one/cb//tok//"
local WAIT, WAIT_AGAIN = "POST " .. ADMIN .. "ConsumeClientChannel//one///tok/true/",
  "POST " .. ADMIN .. "ConsumeClientChannel//one///tok/false/"
local BROADCAST = "POST " .. ADMIN .. "%22BroadcastToChannel%22/chat/x/"
local NOTIFY = "POST " .. ADMIN .. "%22NotifyCallback%22/two/cb/"
local STREAM = "\137PNG\r\n\26\n" .. ("\0\255{[\"\r\n"):rep(20)

local answers = {
  [PLATFORM] = message("200 OK", JSON .. PRAGMA, '{"result":["Windows"]}'),
  [LEVEL] = message("200 OK", JSON .. PRAGMA, '{"result":[41]}'),
  [ORDER] = message("200 OK", JSON .. PRAGMA, '{"result":[{"order":7},true]}'),
  [PICTURE] = message("200 OK", BYTES .. PRAGMA, STREAM),
  [CACHE] = message("200 OK", JSON, '{"name":["row 1","row 2"]}'),
  [FORGET] = message("200 OK", JSON, "true"),
  [BATCH] = message("200 OK", JSON, '[{"result":[41]},{"error":"no"}]'),
  [CLOSE] = message("200 OK", JSON, '{"result":[true]}'),
  [OPEN] = message("200 OK", JSON .. PRAGMA, '{"result":[{"invoke":["cb",{"created":true},1]}]}'),
  [WAIT] = message("200 OK", JSON .. PRAGMA, '{"result":[{"close":true}]}'),
  [WAIT_AGAIN] = message("200 OK", JSON .. PRAGMA, '{"result":[{"close":true}]}'),
  [BROADCAST] = message("200 OK", JSON .. PRAGMA, '{"result":[true]}'),
  [NOTIFY] = message("200 OK", JSON .. PRAGMA, '{"result":[{"answer":42},true]}'),
}

local make = common.maker("/Delphi", { protocol = "datasnap" })

local function disconnected(subject)
  assert(subject.session:disconnect():await(LIMIT))
end

local function held(subject)
  local session = subject.session
  if session.connected and session.sessionId then return end
  assert(session:login("lua", "secret"):await(LIMIT))
end

local function isLevel(value) return value[1] == 41 end

local level = caller("invoke", isLevel, "TStock", "Level", { "A/7", 3 })

local function channel(subject)
  return subject.session:channel { serverChannel = "chat", id = "one", token = "tok" }
end

-- Opens a channel, which the server closes at once; the second promise waits for that.
local function opened(subject)
  local one = channel(subject)
  subject.channel = one -- a channel that nothing refers to is collected
  one:callback("cb", function() end)
  local ended = require("datasession").newPromise(function(resolve, reject)
    one:subscribe("disconnected", function(_, err)
      if err.kind == "closed" then resolve(true) else reject(err) end
    end)
  end)
  ended:fail(function() end)
  return one:register(), ended
end

local kinds = {
  { name = "datasnap: the opening of a channel", key = OPEN, once = true,
    skips = { "fresh", "after" },
    call = function(subject) return (opened(subject)) end },
  -- It goes on: the request is sent again.
  { name = "datasnap: a channel that waits", key = WAIT, skips = { "cancel", "fresh" }, hangs = true,
    instead = { connect = "ok", protocol = { "ok", "protocol" } },
    call = function(subject)
      local register, ended = opened(subject)
      return register:next(function() return ended end)
    end },
  { name = "datasnap: a broadcast", key = BROADCAST, once = true,
    call = function(subject) return channel(subject):broadcast("x") end },
  { name = "datasnap: a notification", key = NOTIFY, once = true,
    call = function(subject)
      return channel(subject):notify("two", "cb", { 1 }):next(function(answer)
        assert(answer.answer == 42, "the answer to another request")
        return answer
      end)
    end },
  { name = "datasnap: login", key = PLATFORM, ready = disconnected,
    call = caller("login", nil, "lua", "secret") },
  { name = "datasnap: the first call, which makes the session", key = LEVEL, ready = disconnected,
    call = level,
    once = true },
  { name = "datasnap: invoke GET", key = LEVEL, call = level, once = true },
  { name = "datasnap: invoke GET, idempotent", key = LEVEL,
    call = caller("invoke", isLevel, "TStock", "Level", { "A/7", 3 }, { idempotent = true }) },
  { name = "datasnap: invoke POST", key = ORDER, once = true,
    call = caller("invoke", function(value) return value[1].order == 7 and value[2] == true end, "TStock",
      "Order",
      { "web", { sku = "A/7" }, 2 }, { verb = "POST" }) },
  { name = "datasnap: a stream", key = PICTURE, once = true,
    call = caller("invoke", function(value) return value == STREAM end, "TStock", "Picture", { 7 },
      { accept = "application/octet-stream" }) },
  { name = "datasnap: a result that nobody reads", key = LEVEL, once = true,
    call = caller("invoke", function(value) return value == true end, "TStock", "Level", { "A/7", 3 },
      { hasResult = false }) },
  { name = "datasnap: batch", key = BATCH, once = true,
    call = caller("batch", function(value) return isLevel(value[1].result) and value[2].error == "no" end,
      { { class = "TStock", method = "Level", params = { "A/7", 3 } },
        { class = "TEcho", method = "Fail" } }) },
  { name = "datasnap: cache", key = CACHE,
    call = caller("cache", function(value) return value.name[2] == "row 2" end, "1/0/1") },
  { name = "datasnap: cache, forgotten", key = FORGET, once = true,
    call = caller("cache", function(value) return value == true end, "1", { verb = "DELETE" }) },
  { name = "datasnap: ping", key = PLATFORM, call = caller "ping" },
  { name = "datasnap: isAuthorized", key = PLATFORM, call = caller "isAuthorized" },
  { name = "datasnap: closeSession", key = CLOSE, call = caller("closeSession", function(value)
    return value == true or value.result[1] == true
  end) },
  { name = "datasnap: logout", key = CLOSE, call = caller "logout" },
  { name = "datasnap: stop", key = CLOSE, call = caller "stop" },
}

for _, kind in ipairs(kinds) do
  kind.make, kind.ready = make, kind.ready or held
end

return { kinds = kinds, answers = answers }
