-- The actions of fork_spec on a client's Lua state: fork() at the place that the argument names. Returns in
-- both processes, in the child with an array of texts that describe failures.
local datasession = require "datasession"
local place, uris, fork, finish, mayStartThreads = ...

local LIMIT = 20 -- seconds

local function login(model, options)
  options = options or {}
  options.serviceURI, options.authenticationModel = uris[model], model
  local session = datasession.new(options)
  assert(session:login("lua", "secret"):await(LIMIT))
  return session
end

local directory = os.tmpname()
os.remove(directory)
local store = require("datasession.store").file(directory)
local session = login("form", { name = "fork", store = store })
local pinging = login("basic", { pingInterval = 5, reconnect = true })
local flying = session:request { path = "/static/home.html", headers = { ["X-Slow"] = "yes" } }
local waiting = datasession.spawn(function()
  local guard <close> = login "anonymous"
  return flying:await(), guard
end)
datasession.step(0.01)

local isChild = false
local function forked()
  assert(store:set("under way", "text"))
  isChild = fork() == 0
end

local function within(f)
  local ok, err = pcall(f)
  if isChild and (ok or not err:find("forked", 1, true)) then return { place .. ": " .. tostring(err) } end
  assert(isChild or ok, err)
  return {}
end

-- Each place forks; in the child the current step reports that.
local places = {}

function places.outside()
  forked()
  return {}
end

function places.handler()
  return within(function()
    local promise = session:ping():done(forked)
    promise:done(function() assert(not isChild, "a handler was called in the child") end)
    assert(promise:await(LIMIT))
  end)
end

function places.event()
  session:subscribe("offline", forked)
  datasession.setDeviceOnline(false)
  local wrong = within(function() datasession.step() end)
  if not isChild then datasession.setDeviceOnline(true) end
  return wrong
end

function places.coroutine()
  return within(function()
    datasession.spawn(function()
      assert(session:ping():await(LIMIT))
      forked()
    end):await(LIMIT)
  end)
end

function places.onOpenRequest()
  return within(function()
    session.onOpenRequest = function()
      session.onOpenRequest = nil
      forked()
    end
    assert(session:ping():await(LIMIT))
  end)
end

local calls = {
  step = datasession.step, run = datasession.run, pollfd = datasession.pollfd,
  invalidateAllSessions = datasession.invalidateAllSessions,
  new = function() datasession.new { serviceURI = uris.anonymous } end,
  getSession = function() return datasession.getSession { serviceURI = uris.anonymous, catalogURI = "x" } end,
  provider = function() datasession.AuthenticationProvider { uri = uris.form,
    authenticationModel = "form" } end,
  await = function() return flying:await(0.01) end,
  spawn = function() return datasession.spawn(function() return flying:await() end) end,
  stopSession = function() return datasession.stopSession(session.key, 1) end,
  endSession = function() return datasession.endSession(session) end,
  request = function() return session:request { path = "/" } end,
  addCatalog = function() return session:addCatalog "static/CustomerService.json" end,
  loginAgain = function() return session:login("lua", "secret") end,
}
for _, verb in ipairs { "ping", "isAuthorized", "logout", "disconnect", "stop", "invalidate" } do
  calls[verb] = function() return session[verb](session) end
end

-- Every call reports the fork, by an error or a rejected promise.
local function refusals(wrong)
  for name, call in pairs(calls) do
    local ok, result = pcall(call)
    if ok and not (type(result) == "userdata" and result:state() == "rejected") then
      wrong[#wrong + 1] = name .. " does not say that this is a child"
    elseif not ok and not tostring(result):find("this process was forked", 1, true) then
      wrong[#wrong + 1] = name .. " says: " .. tostring(result)
    end
  end
end

local function beTheChild(wrong)
  refusals(wrong)
  if not tostring(session):find(uris.form, 1, true) then wrong[#wrong + 1] = "a property cannot be read" end
  -- The parent has the thread that writes files: the child starts one of its own.
  if mayStartThreads and not (store:set("child", "text") and datasession.flush(LIMIT)) then
    wrong[#wrong + 1] = "no file is written"
  end
  flying:cancel()
  waiting:cancel()
  do
    local closed <close> = pinging -- of no concern to the server: it is the parent's
    assert(closed.state)
  end
  pinging, calls = nil, nil
  collectgarbage()
  return wrong
end

local wrong = assert(places[place], place)()
if isChild then return true, beTheChild(wrong) end

-- The parent is not affected.
finish()
local response = assert(flying:await(LIMIT))
assert(response.status == 200 and waiting:await(LIMIT) == response)
assert(session:ping():await(LIMIT) and session.connected)
assert(pinging:ping():await(LIMIT) and pinging.connected)
pinging.pingInterval = 0
assert(session:invalidate():await(LIMIT) and pinging:invalidate():await(LIMIT))
assert(datasession.run(LIMIT))
for _, key in ipairs { "under way", "child", "fork" } do assert(store:remove(key)) end
assert(datasession.flush(LIMIT) and os.remove(directory))
return false, wrong
