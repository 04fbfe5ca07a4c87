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

local kinds = {
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
