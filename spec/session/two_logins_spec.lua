-- Answers of a former login that come during the next one.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"
local sessions = dofile "spec/support/sessions.lua"

local LIMIT = await.LIMIT
local DELAY = 1e6 -- seconds: until server:endDelays

local EVENTS = { "offline", "expired", "lost", "reconnecting", "reconnected", "reconnectFailed",
  "statusChanged", "retry" }

local server
local systems = dofile("spec/support/systems.lua").of(function() return server end)

local VERBS = {
  ask = function(system, session) return system.ask(session) end,
  ping = function(_, session) return session:ping() end,
  isAuthorized = function(_, session) return session:isAuthorized() end,
}

-- The answers that the server gives to the former session.
local ANSWERS = {
  ["an answer"] = function() server:fault { kind = "slow", delay = DELAY } end,
  ["the end of the session"] = function(system)
    system.lose()
    server:fault { kind = "slow", delay = DELAY }
  end,
  ["an end of the connection"] = function() server:fault { kind = "close", delay = DELAY } end,
}

for _, status in ipairs { 401, 403, 404, 503 } do
  ANSWERS["status " .. status] = function()
    server:fault { kind = "status", status = status, delay = DELAY }
  end
end

local function sortedNames(all)
  local names = {}
  for name in pairs(all) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function login(system, session)
  assert(session:login(table.unpack(system.credentials)):await(LIMIT))
end

local function listen(session)
  local seen = {}
  for _, name in ipairs(EVENTS) do
    session:subscribe(name, function(_, first) seen[#seen + 1] = name .. " " .. tostring(first) end)
  end
  return seen
end

local function received()
  return #server:requests()
end

-- A session whose call has reached the server, which answers it later.
local function begin(name, verb, answer)
  local system = systems[name]
  local options = system.options()
  options.retry = { delay = 0.01 }
  if name ~= "proiv" then options.reconnect = { delay = 0.01 } end
  if #system.credentials > 0 then options.keepCredentials = true end
  local session = datasession.new(options)
  login(system, session)
  ANSWERS[answer](system)
  local before = received()
  local case = { session = session, call = VERBS[verb](system, session), answer = answer,
    what = verb .. ", " .. answer }
  await.stepUntil(function() return received() > before end)
  case.request = server:requests()[before + 1]
  return case
end

-- True if the request shows the login of a former session, or none: libcurl has sent it again, since the
-- connection had ended.
local function isFormer(request, cases)
  local own = request.headers
  for _, case in ipairs(cases) do
    local first = case.request.headers
    if request.uri == case.request.uri and own.authorization == first.authorization
      and own.pragma == first.pragma and (own.cookie or first.cookie) == first.cookie then
      return true
    end
  end
  return false
end

describe("a session that is logged in again", function()
  setup(function() server = assert(sandbox.start { customers = 2 }) end)
  teardown(function() server:close() end)
  before_each(function() sessions.refresh(server) end)
  after_each(sessions.endAll)

  local function begun(name)
    local cases = {}
    for _, verb in ipairs(sortedNames(VERBS)) do
      for _, answer in ipairs(sortedNames(ANSWERS)) do cases[#cases + 1] = begin(name, verb, answer) end
    end
    return cases
  end

  for _, name in ipairs(sortedNames(systems)) do
    it("is not touched by what its former calls get late, with protocol " .. name, function()
      local cases = begun(name)
      for _, case in ipairs(cases) do
        case.session:logout():await(LIMIT)
        login(systems[name], case.session)
        case.id, case.seen = case.session.sessionId, listen(case.session)
      end
      local sent = received()
      server:endDelays()
      for _, case in ipairs(cases) do
        local value, err = case.call:await(LIMIT)
        assert.equal(case.answer == "an answer", value ~= nil, case.what .. ": " .. tostring(err))
      end
      assert.is_true(datasession.run(LIMIT))
      local requests = server:requests()
      for i = sent + 1, #requests do
        assert.is_true(isFormer(requests[i], cases), requests[i].uri)
      end
      for _, case in ipairs(cases) do
        assert.same({ "connected", case.id }, { case.session.state, case.session.sessionId }, case.what)
        assert(systems[name].ask(case.session):await(LIMIT), case.what)
        assert.same({}, case.seen, case.what)
      end
    end)
  end
end)
